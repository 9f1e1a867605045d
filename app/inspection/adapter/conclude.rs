//! 检查结束: the result of each matter, what is missing with its article, and leaving.

use std::rc::Rc;

use slint::ComponentHandle;
use sync_model::id::InspectionId;
use sync_model::rule::{Finding, Weight};

use super::{visit, with_visit};
use crate::error::AppError;
use crate::inspection::{
    conclude, conclude_field, conclude_input, matters, missing, save_conclude_field,
};
use crate::ui::{ConcludeAdapter, FindingRow, MainWindow, MatterResult, Page, Tone};
use crate::window::{Desk, rows};

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<ConcludeAdapter<'_>>();
    let here = Rc::clone(desk);
    page.on_choose_class(move |matter, index| {
        with_visit(&here, |id| {
            let classes = here.services().rulebook()?.result_classes;
            let chosen = usize::try_from(index).ok().and_then(|index| classes.get(index));
            let class = chosen.ok_or(AppError::NotFound("result class"))?;
            let field = format!("class/{matter}");
            save_conclude_field(here.services(), id, &field, &class.id)?;
            refresh(&here)
        });
    });
    let here = Rc::clone(desk);
    page.on_reason_edited(move |code, text| {
        let field = format!("reason/{code}");
        with_visit(&here, |id| save_conclude_field(here.services(), id, &field, &text));
    });
    let here = Rc::clone(desk);
    page.on_remark_edited(move |text| {
        with_visit(&here, |id| save_conclude_field(here.services(), id, "remark", &text));
    });
    let here = Rc::clone(desk);
    page.on_conclude(move || with_visit(&here, |id| leave(&here, id)));
}

pub(super) fn refresh(desk: &Rc<Desk>) -> Result<(), AppError> {
    let row = visit(desk)?;
    let id = row.begun.inspection;
    let services = desk.services();
    let classes = services.rulebook()?.result_classes;
    let (found, findings, remark) = services.store.read(|reader| {
        let input = conclude_input(reader, id)?;
        let findings = missing(reader, id, &input.results)?;
        let remark = conclude_field(reader, id, "remark")?;
        Ok::<_, AppError>((matters(reader, id)?, findings, remark))
    })?;
    let mut shown: Vec<FindingRow> = Vec::new();
    for finding in &findings {
        let field = format!("reason/{}", finding.code);
        let reason = services.store.read(|reader| conclude_field(reader, id, &field))?;
        shown.push(rows::finding(finding, &reason));
    }
    let unchosen = found.iter().filter(|matter| matter.result_class.is_none()).count();
    // The rule speaks of the visit as a whole; each department's matter needs its own result.
    if unchosen > 0 && unchosen < found.len() {
        shown.insert(0, rows::stopped(&format!("还有 {unchosen} 个事项没有选择检查结果")));
    }
    if row.concluded_at.is_some() {
        shown = vec![rows::stopped("本次检查已经结束")];
    }
    let can = !shown.iter().any(|one| one.tone == Tone::Bad);
    let matters: Vec<MatterResult> = found
        .iter()
        .map(|matter| {
            let class = matter.result_class.as_deref();
            let place = classes.iter().position(|one| Some(one.id.as_str()) == class);
            MatterResult {
                key: matter.code.as_str().into(),
                name: matter.name.as_str().into(),
                department: matter.department.as_str().into(),
                summary: matter.summary.as_str().into(),
                tone: if matter.has_problem || !matter.answered { Tone::Warn } else { Tone::Good },
                chosen: place.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1),
            }
        })
        .collect();
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<ConcludeAdapter<'_>>();
    page.set_premises(crate::glyph::shown(&row.begun.premises.name).into());
    let minutes = services.clock.now().wall_at.since_ms(row.begun_at).max(0) / 60_000;
    page.set_time_text(format!("{} 到场，已 {minutes} 分钟", row.begun_at.clock()).into());
    page.set_classes(rows::texts(classes.iter().map(|class| class.name.as_str())));
    page.set_matters(rows::model(matters));
    page.set_findings(rows::model(shown));
    page.set_remark(remark.into());
    page.set_can_conclude(can);
    Ok(())
}

fn leave(desk: &Rc<Desk>, id: InspectionId) -> Result<(), AppError> {
    let services = desk.services();
    let input = services.store.read(|reader| conclude_input(reader, id))?;
    let findings = services.store.read(|reader| missing(reader, id, &input.results))?;
    let unexplained: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| finding.weight == Weight::Warn)
        .filter(|finding| {
            let field = format!("reason/{}", finding.code);
            let typed = services.store.read(|reader| conclude_field(reader, id, &field));
            typed.is_ok_and(|text| text.trim().is_empty())
        })
        .collect();
    if !unexplained.is_empty() {
        return Err(AppError::NeedsReason(unexplained));
    }
    conclude(services, id, &input)?;
    services.store.forget_draft(&format!("conclude:{id}"))?;
    services.store.forget_draft(&crate::inspection::draft_scope(id))?;
    desk.restart_at(Page::Home);
    if desk.at().assignment.is_some() {
        desk.show(Page::Assignment);
    }
    desk.tell(Tone::Good, "检查已结束", "记录已保存，联网后自动上报。");
    Ok(())
}
