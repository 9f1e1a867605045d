//! Rows that several pages show alike. Rule: texts arrive finished; here they only change type.

use slint::{Model, ModelRc, SharedString, VecModel};
use sync_model::rule::{Finding, Weight};

use crate::ui::{FactRow, FindingRow, Tone};

/// Returns a model of these rows.
pub(crate) fn model<T: Clone + 'static>(rows: impl IntoIterator<Item = T>) -> ModelRc<T> {
    ModelRc::new(rows.into_iter().collect::<VecModel<T>>())
}

/// Puts `rows` in the place of what `shown` holds. Rows that stay keep their controls, and with them
/// the cursor of whoever is typing.
pub(crate) fn renew<T: Clone + PartialEq + 'static>(
    shown: &ModelRc<T>,
    rows: Vec<T>,
    set: impl FnOnce(ModelRc<T>),
) {
    let kept = shown.as_any().downcast_ref::<VecModel<T>>();
    let Some(kept) = kept.filter(|kept| kept.row_count() == rows.len()) else {
        return set(model(rows));
    };
    for (index, row) in rows.into_iter().enumerate() {
        if kept.row_data(index).as_ref() != Some(&row) {
            kept.set_row_data(index, row);
        }
    }
}

/// Returns a model of these texts.
pub(crate) fn texts<T: Into<SharedString>>(
    rows: impl IntoIterator<Item = T>,
) -> ModelRc<SharedString> {
    model(rows.into_iter().map(Into::into))
}

/// Returns a name with its value.
pub(crate) fn fact(name: &str, value: impl Into<SharedString>) -> FactRow {
    FactRow { name: name.into(), value: value.into() }
}

/// Returns names with their values.
pub(crate) fn facts<N: AsRef<str>, V: AsRef<str>>(rows: &[(N, V)]) -> ModelRc<FactRow> {
    model(rows.iter().map(|(name, value)| fact(name.as_ref(), value.as_ref())))
}

/// Returns a finding with its article and the reason typed so far.
pub(crate) fn finding(finding: &Finding, reason: &str) -> FindingRow {
    let (tone, level) = match finding.weight {
        Weight::Block => (Tone::Bad, "不能继续"),
        Weight::Warn => (Tone::Warn, "提醒"),
        Weight::Record => (Tone::Info, "记录"),
    };
    FindingRow {
        key: finding.code.as_str().into(),
        tone,
        level: level.into(),
        text: finding.message.as_str().into(),
        article: finding.basis.as_str().into(),
        advice: SharedString::default(),
        asks_reason: finding.weight == Weight::Warn,
        reason: reason.into(),
    }
}

/// Returns what went wrong as a finding that stops the page's act.
pub(crate) fn stopped(text: &str) -> FindingRow {
    FindingRow {
        tone: Tone::Bad,
        level: "不能继续".into(),
        text: text.into(),
        ..FindingRow::default()
    }
}

/// Returns the id in `text`, as pages hand it back.
pub(crate) fn id<T>(text: &str, wrap: impl FnOnce(uuid::Uuid) -> T) -> Option<T> {
    text.parse().ok().map(wrap)
}
