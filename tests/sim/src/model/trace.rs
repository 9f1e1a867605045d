//! Paths through the model, as cases for the real code.

use std::collections::{HashMap, VecDeque};

use stateright::Model as _;

use super::state::State;
use super::{Action, Custody};

/// One path: what happened, and the state after each step.
pub type Trace = Vec<(Action, State)>;

/// Returns the shortest paths to every state in which nothing can happen any more, and to other
/// states spread over all there are; `most` in all, no two the same.
#[must_use]
pub fn cases(model: &Custody, most: usize) -> Vec<Trace> {
    let (states, mut ends) = explore(model);
    // Later states have longer paths; what is near the start is a part of many of them.
    let rest = most.saturating_sub(ends.len()).max(1);
    let step = (states.len() / 2).div_ceil(rest).max(1);
    ends.extend((states.len() / 2..states.len()).step_by(step));
    ends.sort_unstable();
    ends.dedup();
    let step = ends.len().div_ceil(most.max(1)).max(1);
    ends.into_iter().step_by(step).map(|end| path(&states, end)).collect()
}

/// A state found, with the place of the state before it and the step between.
struct Found {
    state: State,
    from: Option<(usize, Action)>,
}

fn explore(model: &Custody) -> (Vec<Found>, Vec<usize>) {
    let mut states: Vec<Found> = Vec::new();
    let mut known: HashMap<State, usize> = HashMap::new();
    let mut open = VecDeque::new();
    let mut ends = Vec::new();
    for state in model.init_states() {
        known.insert(state.clone(), states.len());
        open.push_back(states.len());
        states.push(Found { state, from: None });
    }
    while let Some(at) = open.pop_front() {
        let Some(state) = states.get(at).map(|found| found.state.clone()) else { continue };
        let steps = model.next_steps(&state);
        if steps.is_empty() {
            ends.push(at);
        }
        for (action, next) in steps {
            if !known.contains_key(&next) {
                known.insert(next.clone(), states.len());
                open.push_back(states.len());
                states.push(Found { state: next, from: Some((at, action)) });
            }
        }
    }
    (states, ends)
}

fn path(states: &[Found], end: usize) -> Trace {
    let mut trace = Trace::new();
    let mut at = states.get(end);
    while let Some(Found { state, from: Some((before, action)) }) = at {
        trace.push((action.clone(), state.clone()));
        at = states.get(*before);
    }
    trace.reverse();
    trace
}
