//! The driver of a round: does what [`super::machine`] says with store, network and disk.
//!
//! Requests run on threads of their own, so that two can be under way; everything is stored from one
//! thread. No lock of the store is held while a request is under way: the officer works on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, Sender};
use std::thread::Scope;
use std::time::Duration;

use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::time::Timestamp;
use sync_model::wire::policy::{Allowance, NetworkKind};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{BlobState, Receipt};

use super::ahead::{Adopted, Ahead};
use super::failure::{self, chunk_failure, feed_failure, push_failure};
use super::machine::{
    Answer, Effect, End, Event, Failure, FileWork, Machine, NEED_MAX, Request, Work,
};
use super::network::Network;
use super::waiting::{Allowed, waiting};
use super::{HqClient, Progress, blobs, chain, pull, push};
use crate::error::{StoreError, SyncError};
use crate::store::{Enrollment, JournalRow, PendingBlob, Reader, Store};

/// Longer than any request may take: the client has a patience of its own.
const ANSWER_WITHIN: Duration = Duration::from_secs(600);

/// What a round is given beside store and HQ.
pub struct Options<'a> {
    /// What network this is.
    pub network: &'a dyn Network,
    /// Requests under way at a time; 1 runs all on the caller's thread, in one order.
    pub lanes: usize,
    /// Asked before each request: whether the round should end now.
    pub stop: &'a dyn Fn() -> bool,
}

/// What came back over the network, before anything of it is stored.
pub(super) enum Came {
    Receipt { batch: Vec<JournalRow>, again: bool, receipt: Result<Box<Receipt>, SyncError> },
    Feed(Result<Progress, SyncError>),
    States(Result<Vec<BlobState>, SyncError>),
    Chunk(Request, Result<BlobState, SyncError>),
}

type Arrived = (u64, Came);

struct Driver<'a, 'w> {
    store: &'a Store,
    client: &'a HqClient,
    options: &'a Options<'a>,
    watch: &'w mut dyn FnMut(&Progress),
    enrollment: Enrollment,
    progress: Progress,
    /// Files that wait, in order; `None` while they have to be read again.
    files: Option<Vec<FileWork>>,
    errors: BTreeMap<u64, SyncError>,
    /// HQ's clock at the last receipt, where this device's agreed with it.
    agreed_at: Option<Timestamp>,
    greeted: bool,
    /// The last one of this round.
    receipt: Option<Box<Receipt>>,
    ahead: Ahead,
    /// Answers that are there already, by the machine's number.
    arrived: VecDeque<Arrived>,
}

/// Runs a round to its end.
pub(super) fn run(
    store: &Store,
    client: &HqClient,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Progress, SyncError> {
    let (enrollment, tuning) = store.read(|r| {
        let enrollment = r.enrollment()?.ok_or(StoreError::NotEnrolled)?;
        Ok::<_, SyncError>((enrollment, r.tuning()?))
    })?;
    let mut machine = Machine::new(tuning, options.lanes);
    let mut driver = Driver {
        store,
        client,
        options,
        watch,
        enrollment,
        progress: Progress::default(),
        files: None,
        errors: BTreeMap::new(),
        agreed_at: None,
        greeted: false,
        receipt: None,
        ahead: Ahead::default(),
        arrived: VecDeque::new(),
    };
    let end = std::thread::scope(|scope| driver.drive(scope, &mut machine));
    // What was learnt of the line is kept however the round ended; why it ended matters more.
    let learnt = store.keep_tuning(machine.tuning());
    let done = driver.finish(end?)?;
    learnt?;
    Ok(done)
}

impl<'a> Driver<'a, '_> {
    fn drive<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'a>,
        machine: &mut Machine,
    ) -> Result<End, SyncError> {
        let (sender, receiver) = mpsc::channel();
        let mut events = VecDeque::from([Event::Begun]);
        loop {
            let event = match events.pop_front() {
                Some(event) => event,
                None => {
                    let next = match self.arrived.pop_front() {
                        Some(arrived) => arrived,
                        None => receiver.recv_timeout(ANSWER_WITHIN).map_err(|_| {
                            SyncError::Unreachable("a request got stuck".to_owned())
                        })?,
                    };
                    let Some((number, came)) = self.ahead.sort(next.0, next.1) else { continue };
                    self.look_ahead(scope, &sender, &came, machine.tuning().records())?;
                    Event::Answered(number, self.settle(number, came))
                }
            };
            for effect in machine.step(event, self.store.clock().now().mono_ms) {
                match effect {
                    Effect::Look => {
                        if (self.options.stop)() && !self.progress.stopped {
                            self.progress.stopped = true;
                            events.push_back(Event::Stopped);
                        } else {
                            events.push_back(Event::Looked(self.look()?));
                        }
                    }
                    Effect::Send(number, request) => self.send(scope, &sender, number, request)?,
                    Effect::Park(file, number) => {
                        let why = failure::tried_in_vain(self.errors.get(&number));
                        self.store.park_blob(&file, &why)?;
                        self.forget(&file);
                    }
                    Effect::End(end) => return Ok(end),
                }
            }
        }
    }

    /// Looks at what waits. No lock is held when this returns.
    fn look(&mut self) -> Result<Work, SyncError> {
        let now = self.store.clock().now().wall_at;
        let network = self.options.network.kind();
        let again = self.files.is_none();
        let (work, waiting) = self.store.read(|r| {
            let allowed = Allowed::on(r, network, now)?;
            let files = match self.files.take() {
                Some(files) => files,
                None => list(r)?,
            };
            let work = Work {
                first: r.first_pending()?,
                feed_cursor: r.feed_cursor()?,
                files,
                allowance: allowed.allowance,
                budget_bytes: allowed.budget_bytes,
            };
            self.progress.records_waiting = r.pending_records()?;
            let waiting = if again { Some(waiting(r, &allowed)?) } else { None };
            Ok::<_, StoreError>((work, waiting))
        })?;
        self.files = Some(work.files.clone());
        if let Some(found) = waiting {
            self.progress.blobs_waiting = found.files;
            self.progress.blob_bytes_waiting = found.bytes;
            self.progress.blobs_held = found.held_files;
            self.progress.blob_bytes_held = found.held_bytes;
        }
        (self.watch)(&self.progress);
        Ok(work)
    }

    fn send<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'a>,
        sender: &Sender<Arrived>,
        number: u64,
        request: Request,
    ) -> Result<(), SyncError> {
        let (store, client) = (self.store, self.client);
        let device = self.enrollment.certificate.device;
        let job: Box<dyn FnOnce() -> Came + Send + 'scope> = match request {
            Request::Push { from, records_max } => {
                let first = if from.is_none() { store.read(|r| r.first_pending())? } else { None };
                match self.ahead.adopt(first, number) {
                    Adopted::UnderWay => return Ok(()),
                    Adopted::Came(came) => {
                        self.arrived.push_back((number, came));
                        return Ok(());
                    }
                    Adopted::Nothing => {}
                }
                let batch = push::next_batch(store, from, records_max)?;
                let enrollment = self.enrollment.clone();
                Box::new(move || {
                    let head = store.read(|r| r.log_head()).map_err(SyncError::from);
                    let receipt = chain::may_push(store).and_then(|()| {
                        let seen = head?.map(|head| head.size);
                        push::send(store, client, &enrollment, &batch, seen)
                    });
                    Came::Receipt { batch, again: from.is_some(), receipt: receipt.map(Box::new) }
                })
            }
            Request::Pull => Box::new(move || {
                let mut brought = Progress::default();
                let pulled = pull::pull(store, client, &mut brought, &mut |_| {});
                Came::Feed(pulled.map(|()| brought))
            }),
            Request::Need(files) => {
                Box::new(move || Came::States(blobs::ask(store, client, device, &files)))
            }
            Request::Chunk { bytes, .. } => {
                let network = self.options.network.kind();
                if matches!(network, NetworkKind::Metered | NetworkKind::Roaming) {
                    store.spend(bytes)?;
                }
                Box::new(move || {
                    let state = blobs::send_chunk(store, client, device, &request);
                    Came::Chunk(request, state)
                })
            }
        };
        let sender = sender.clone();
        // The round may have ended by an error of the store: then nobody waits for the answer.
        let work = move || drop(sender.send((number, job())));
        if self.options.lanes > 1 {
            scope.spawn(work);
        } else {
            work();
        }
        Ok(())
    }

    /// Sends the records after those that HQ just receipted, before anything of that is stored.
    fn look_ahead<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'a>,
        sender: &Sender<Arrived>,
        came: &Came,
        records_max: usize,
    ) -> Result<(), SyncError> {
        let Came::Receipt { batch, again: false, receipt: Ok(receipt) } = came else {
            return Ok(());
        };
        let trust = &self.enrollment.trust;
        let (Some(last), Ok(checkpoint)) = (
            batch.last(),
            Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key),
        ) else {
            return Ok(());
        };
        let (store, client, first) = (self.store, self.client, last.seq.saturating_add(1));
        if self.options.lanes < 2 || !store.read(|r| r.is_pending(first))? || (self.options.stop)()
        {
            return Ok(());
        }
        let Some(number) = self.ahead.begin(first) else { return Ok(()) };
        let batch = push::next_batch(store, Some(first), records_max)?;
        let (enrollment, sender) = (self.enrollment.clone(), sender.clone());
        scope.spawn(move || {
            // Growth is proven from the head that will have been stored by then.
            let seen = Some(checkpoint.size);
            let receipt = chain::may_push(store)
                .and_then(|()| push::send(store, client, &enrollment, &batch, seen));
            let came = Came::Receipt { batch, again: false, receipt: receipt.map(Box::new) };
            drop(sender.send((number, came)));
        });
        Ok(())
    }

    /// Stores what came of a request; says how it ended.
    fn settle(&mut self, number: u64, came: Came) -> Answer {
        let settled = match came {
            Came::Receipt { batch, again, receipt } => self.settle_push(&batch, again, receipt),
            Came::Feed(pulled) => self.settle_feed(pulled),
            Came::States(states) => self.settle_states(states),
            Came::Chunk(request, state) => self.settle_chunk(&request, state),
        };
        settled.unwrap_or_else(|failed| {
            let (failure, error) = *failed;
            tracing::debug!(%error, ?failure, "request failed");
            self.errors.insert(number, error);
            Answer::Failed(failure)
        })
    }

    fn settle_push(
        &mut self,
        batch: &[JournalRow],
        again: bool,
        receipt: Result<Box<Receipt>, SyncError>,
    ) -> Settled {
        let receipt = match receipt {
            Ok(receipt) => receipt,
            Err(error) => {
                chain::note_refusal(self.store, &error).map_err(ends)?;
                let failure = push_failure(self.store, &error, batch).map_err(ends)?;
                return Err(Box::new((failure, error)));
            }
        };
        let gained =
            push::keep(self.store, self.client, &self.enrollment, batch, &receipt).map_err(ends)?;
        if gained == 0 && !batch.is_empty() && !again {
            return Err(ends(SyncError::BadProof("receipt covers none of the records sent")));
        }
        self.progress.records = self.progress.records.saturating_add(gained);
        self.hear(&receipt).map_err(|error| ends(error.into()))?;
        if gained > 0 {
            self.files = None;
        }
        let last = batch.last().map(|row| row.seq);
        let feed_head = receipt.feed_head;
        self.receipt = Some(receipt);
        Ok(Answer::Receipt { gained, last, feed_head })
    }

    /// Takes from a receipt what it says beside the proof: clock, rules, archive, lost files.
    fn hear(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        let agrees = self.store.note_clock(receipt.received_at)?;
        // Retention goes by it: an unsigned clock never lets anything leave.
        self.agreed_at = (agrees && receipt.word.is_some()).then_some(receipt.received_at);
        if let Some(policy) = &receipt.policy {
            self.store.keep_policy(policy)?;
        }
        if receipt.archived_seq > 0 {
            self.store.keep_archived(receipt.archived_seq, self.agreed_at)?;
        }
        // Asked once a round, before any file is under way: later lists may be older than answers.
        if !std::mem::replace(&mut self.greeted, true)
            && self.store.reopen_blobs(&receipt.wanted)? > 0
        {
            self.files = None;
        }
        Ok(())
    }

    fn settle_feed(&mut self, pulled: Result<Progress, SyncError>) -> Settled {
        let brought = pulled.map_err(|error| Box::new((feed_failure(&error), error)))?;
        self.progress.feed_items = self.progress.feed_items.saturating_add(brought.feed_items);
        self.progress.refusals = self.progress.refusals.saturating_add(brought.refusals);
        Ok(Answer::Pulled)
    }

    fn settle_states(&mut self, states: Result<Vec<BlobState>, SyncError>) -> Settled {
        let states = states.map_err(|error| Box::new((feed_failure(&error), error)))?;
        let noted: Vec<_> =
            states.iter().map(|one| (one.sha256, one.offset, one.complete)).collect();
        self.store.note_blobs(&noted).map_err(|error| ends(error.into()))?;
        let mut open = Vec::new();
        for state in states {
            if state.complete {
                self.complete(&state.sha256);
            } else {
                open.push((state.sha256, state.offset));
            }
        }
        Ok(Answer::States(open))
    }

    fn settle_chunk(&mut self, request: &Request, state: Result<BlobState, SyncError>) -> Settled {
        let Request::Chunk { file, bytes, .. } = request else {
            return Err(ends(SyncError::Garbage("own request: no chunk".to_owned())));
        };
        let state = match state {
            Ok(state) => state,
            Err(error) => {
                let failure = chunk_failure(self.store, &error, request).map_err(ends)?;
                if failure == Failure::Parked {
                    self.forget(file);
                }
                return Err(Box::new((failure, error)));
            }
        };
        self.progress.blob_bytes = self.progress.blob_bytes.saturating_add(*bytes);
        self.progress.blob_bytes_waiting = self.progress.blob_bytes_waiting.saturating_sub(*bytes);
        self.store
            .note_blob(file, state.offset, state.complete)
            .map_err(|error| ends(error.into()))?;
        if state.complete {
            self.complete(file);
        }
        Ok(Answer::Chunk { offset: state.offset, complete: state.complete })
    }

    fn complete(&mut self, file: &Hash) {
        self.progress.blobs = self.progress.blobs.saturating_add(1);
        self.forget(file);
    }

    fn forget(&mut self, file: &Hash) {
        self.progress.blobs_waiting = self.progress.blobs_waiting.saturating_sub(1);
        if let Some(files) = &mut self.files {
            files.retain(|one| one.sha256 != *file);
            // The list is a window on what waits; at its end it is read again.
            if files.is_empty() {
                self.files = None;
            }
        }
    }

    fn finish(mut self, end: End) -> Result<Progress, SyncError> {
        if let Some(hq_now) = self.agreed_at {
            let retain_days = self.store.read(|r| r.policy())?.retain_days;
            self.progress.originals_removed = self.store.remove_archived(hq_now, retain_days)?;
        }
        self.files = None;
        self.look()?;
        let unknown = || SyncError::Garbage("an answer that makes no sense".to_owned());
        let failed = end.because.map(|number| self.errors.remove(&number).unwrap_or_else(unknown));
        if let Some(receipt) = &self.receipt {
            chain::note_receipt(self.store, receipt)?;
        }
        // What is wrong with records holds up neither the audit nor partners' copies.
        if failed.as_ref().is_none_or(is_about_records) && !end.stopped {
            chain::other_planes(self.store, self.client)?;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if !end.stopped {
            self.store.note_round_end()?;
        }
        Ok(self.progress)
    }
}

fn is_about_records(error: &SyncError) -> bool {
    match error {
        SyncError::Problem(problem) => {
            matches!(problem.code, ProblemCode::BadRecord | ProblemCode::Fork | ProblemCode::Gap)
        }
        SyncError::Stopped(_) => true,
        _ => false,
    }
}

/// What a request came to, or how it failed and why.
type Settled = Result<Answer, Box<(Failure, SyncError)>>;

/// An error after which nothing more goes in this round.
fn ends(error: SyncError) -> Box<(Failure, SyncError)> {
    Box::new((Failure::Round, error))
}

/// Returns the files that wait, in order.
fn list(reader: &Reader<'_>) -> Result<Vec<FileWork>, StoreError> {
    let rows = reader.pending_blobs(u64::try_from(NEED_MAX).unwrap_or(u64::MAX))?;
    let file = |row: PendingBlob| FileWork {
        sha256: row.sha256,
        bytes: row.bytes,
        needs: if row.is_preview { Allowance::Previews } else { Allowance::All },
        urgent: row.is_urgent,
    };
    Ok(rows.into_iter().map(file).collect())
}
