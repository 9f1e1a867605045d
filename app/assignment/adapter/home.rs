//! The list on the home page: what HQ wants done, what is due first on top.

use std::rc::Rc;

use slint::ComponentHandle;
use sync_core::store::AssignmentState;
use sync_model::time::Timestamp;

use crate::assignment::{self, AssignmentView};
use crate::glyph::shown;
use crate::ui::{AssignmentAdapter, AssignmentRow, ChipRow, Tone};
use crate::window::{Desk, rows};

pub(super) fn fill_list(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<AssignmentAdapter<'_>>();
    let all = match assignment::list(desk.services()) {
        Ok(all) => all,
        Err(error) => return desk.fail(&error),
    };
    let now = desk.services().clock.now().wall_at;
    page.set_today_text(day_text(now.legal_date()).into());
    let done = all.iter().filter(|one| one.state == AssignmentState::Done).count();
    page.set_summary_text(format!("共 {} 项，已完成 {done} 项", all.len()).into());
    let search = page.get_search();
    let shown: Vec<AssignmentRow> = all
        .iter()
        .filter(|one| assignment::matches(&one.assignment, &search))
        .map(|one| row(one, now))
        .collect();
    let (text, detail) = if all.is_empty() {
        ("还没有任务", "联网同步后会收到总部交办的任务。")
    } else {
        ("没有找到任务", "换一个单位名称或者地址再搜。")
    };
    page.set_empty_text(text.into());
    page.set_empty_detail(detail.into());
    page.set_rows(rows::model(shown));
}

fn day_text(day: chrono::NaiveDate) -> String {
    use chrono::{Datelike, Weekday};
    let weekday = match day.weekday() {
        Weekday::Mon => "星期一",
        Weekday::Tue => "星期二",
        Weekday::Wed => "星期三",
        Weekday::Thu => "星期四",
        Weekday::Fri => "星期五",
        Weekday::Sat => "星期六",
        Weekday::Sun => "星期日",
    };
    format!("{}月{}日 {weekday}", day.month(), day.day())
}

fn row(view: &AssignmentView, now: Timestamp) -> AssignmentRow {
    let one = &view.assignment;
    let mut chips = Vec::new();
    if !view.unknown_matters.is_empty() {
        let text = format!("事项不在目录中 {}", view.unknown_matters.len());
        chips.push(ChipRow { text: text.into(), tone: Tone::Warn });
    }
    if view.state != AssignmentState::Done && one.due < now {
        chips.push(ChipRow { text: "已过期限".into(), tone: Tone::Bad });
    }
    // From midnight on means at any time of the day; an earlier day has become today's work.
    let (from, today) = (one.not_before, now.legal_date());
    let time = if from <= Timestamp::start_of(today) {
        "今天".to_owned()
    } else if from.legal_date() == today {
        from.clock()
    } else {
        from.legal_date().format("%m-%d").to_string()
    };
    AssignmentRow {
        id: one.assignment.to_string().into(),
        time: time.into(),
        kind: assignment::source_text(one.source).into(),
        premises: shown(&one.premises.name).into(),
        address: one.premises.address.as_str().into(),
        departments: view.authorities.join("、").into(),
        state: assignment::state_text(view.state).into(),
        tone: match view.state {
            AssignmentState::New | AssignmentState::UnderWay => Tone::Info,
            AssignmentState::Accepted | AssignmentState::Done => Tone::Good,
        },
        chips: rows::model(chips),
        can_accept: view.state == AssignmentState::New,
        can_begin: can_begin(view.state),
        begin_text: begin_text(view.state).into(),
    }
}

pub(super) fn can_begin(state: AssignmentState) -> bool {
    matches!(state, AssignmentState::Accepted | AssignmentState::UnderWay)
}

pub(super) fn begin_text(state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::UnderWay => "继续检查",
        AssignmentState::Done => "检查已结束",
        AssignmentState::New | AssignmentState::Accepted => "开始检查",
    }
}
