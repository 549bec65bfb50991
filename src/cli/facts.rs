//! Small forms of data that several commands print: facts under headings, times, hidden values.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Applied, FieldPath, FieldValue, LiveValue, STRUCK, is_secret_at, moment};
use crate::render::{Line, Paper, Style};
use crate::status::paper::{health_style, span};

/// The column in which the values of facts stand, unless a label is longer.
const VALUE_COLUMN: usize = 26;

/// Past this a label keeps its own value away from the others, and not theirs from it.
const VALUE_COLUMN_MAX: usize = 50;

/// Labels with values, under headings.
#[derive(Default)]
pub struct Facts(Vec<Row>);

enum Row {
    Heading(String),
    Fact { label: Line, value: String },
    Line(String),
}

impl Facts {
    /// Begins a section.
    pub fn heading(&mut self, heading: &str) {
        self.0.push(Row::Heading(heading.to_owned()));
    }

    /// Adds a fact; one without a value is left out.
    pub fn fact(&mut self, label: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            let label = Line::of("  ").with(Style::Dim, label);
            self.0.push(Row::Fact { label, value: value.into() });
        }
    }

    /// Adds a line of its own.
    pub fn line(&mut self, text: impl Into<String>) {
        self.0.push(Row::Line(text.into()));
    }

    /// Returns what is to be printed, all values below each other.
    #[must_use]
    pub fn into_paper(self) -> Paper {
        let widths = self.0.iter().filter_map(|row| match row {
            Row::Fact { label, value: _ } => Some(label.width() + 2),
            Row::Heading(_) | Row::Line(_) => None,
        });
        let fitting = widths.filter(|width| *width <= VALUE_COLUMN_MAX);
        let column = fitting.max().unwrap_or(0).max(VALUE_COLUMN);
        let mut paper = Paper::new();
        for row in self.0 {
            match row {
                Row::Heading(heading) => {
                    paper.gap();
                    paper.push(Line::default().with(Style::Bold, heading));
                }
                Row::Fact { label, value } => paper.push(label.pad_to(column).plain(value)),
                Row::Line(text) => paper.push(Line::of("  ").plain(text)),
            }
        }
        paper
    }
}

/// Shows a live value, unless it is or looks like a secret (S9).
pub fn live_value(path: &FieldPath, value: &LiveValue) -> String {
    match value {
        LiveValue::Shown(value) => shown(path, value),
        LiveValue::Hidden => "(hidden)".to_owned(),
        LiveValue::Absent => "(none)".to_owned(),
    }
}

/// Shows a value, unless it is or looks like a secret (S9).
pub fn shown(path: &FieldPath, value: &FieldValue) -> String {
    if is_secret_at(path, value) { STRUCK.to_owned() } else { value.to_string() }
}

/// Shows what was last written, unless it is or looks like a secret.
pub fn applied_value(path: &FieldPath, applied: &Applied) -> String {
    match applied {
        Applied::Text(text) => shown(path, &FieldValue::Text(text.clone())),
        Applied::Integer(number) => shown(path, &FieldValue::Integer(*number)),
        Applied::Boolean(truth) => shown(path, &FieldValue::Boolean(*truth)),
        Applied::Set(items) => shown(path, &FieldValue::Set(items.clone())),
        Applied::Secret(_) => STRUCK.to_owned(),
        Applied::Reference(reference) => format!("(from {reference})"),
    }
}

/// Returns a live value as JSON has it: numbers, booleans and lists as such, and the words of the
/// text where nothing may be shown.
pub fn live_json(path: &FieldPath, value: &LiveValue) -> Value {
    match value {
        LiveValue::Shown(secret) if is_secret_at(path, secret) => Value::from(STRUCK),
        LiveValue::Shown(FieldValue::Integer(number)) => Value::from(*number),
        LiveValue::Shown(FieldValue::Boolean(truth)) => Value::from(*truth),
        LiveValue::Shown(FieldValue::Set(items)) => items.iter().map(String::as_str).collect(),
        LiveValue::Shown(
            FieldValue::Text(_) | FieldValue::Secret(_) | FieldValue::Reference(_),
        )
        | LiveValue::Hidden
        | LiveValue::Absent => Value::from(live_value(path, value)),
    }
}

/// Returns what was last written as JSON has it, as [`live_json`] does.
pub fn applied_json(path: &FieldPath, applied: &Applied) -> Value {
    let live = |value| live_json(path, &LiveValue::Shown(value));
    match applied {
        Applied::Integer(number) => live(FieldValue::Integer(*number)),
        Applied::Boolean(truth) => live(FieldValue::Boolean(*truth)),
        Applied::Set(items) => live(FieldValue::Set(items.clone())),
        Applied::Text(_) | Applied::Secret(_) | Applied::Reference(_) => {
            Value::from(applied_value(path, applied))
        }
    }
}

/// Returns how long ago a platform's time was, in its largest unit: `3d`; the text itself where it
/// is no time.
pub fn age(created_at: Option<&str>, now: Timestamp) -> String {
    let Some(text) = created_at else { return "—".to_owned() };
    moment(text).map_or_else(|| text.to_owned(), |created| span(now.duration_since(created)))
}

/// Returns how long something took, when both ends are known.
pub fn took(from: Option<&str>, to: Option<&str>) -> Option<String> {
    let (from, to) = (moment(from?)?, moment(to?)?);
    Some(span(to.duration_since(from)))
}

/// Returns a cell of a table; a dash where there is nothing to show.
pub fn cell(text: Option<&str>) -> (Style, String) {
    match text {
        Some(text) => (Style::Plain, text.to_owned()),
        None => (Style::Dim, "—".to_owned()),
    }
}

/// Returns the cell of a status.
pub fn status_cell(status: Option<&str>) -> (Style, String) {
    status.map_or_else(|| cell(None), |status| (health_style(status), status.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit_and_a_foreign_time_as_it_is() {
        let now: Timestamp = "2026-04-10T12:00:00Z".parse().unwrap();
        for (created, expected) in [
            (Some("2026-04-10T11:59:30Z"), "30s"),
            (Some("2026-04-10T12:00:05Z"), "0s"),
            (Some("2026-04-10T09:00:00Z"), "3h"),
            (Some("2026-01-10T09:00:00Z"), "90d"),
            (Some("yesterday"), "yesterday"),
            (None, "—"),
        ] {
            assert_eq!(age(created, now), expected);
        }
    }

    #[test]
    fn values_stand_below_each_other_beside_a_long_label() {
        let mut facts = Facts::default();
        facts.heading("live");
        facts.fact("plan", Some("pro"));
        facts.fact("scaling.targetCPUPercentage", Some("70"));
        facts.fact(&"x".repeat(60), Some("far"));
        let text = facts.into_paper().to_plain();
        let column = |value: &str| text.lines().find_map(|line| line.find(value)).unwrap();
        assert_eq!(column("pro"), column("70"), "{text}");
        assert!(column("far") > column("pro"), "{text}");
    }

    #[test]
    fn numbers_truths_and_lists_are_such_in_json() {
        let path = "port".parse().unwrap();
        let live = |value| live_json(&path, &LiveValue::Shown(value));
        assert_eq!(live(FieldValue::Integer(8080)), 8080);
        assert_eq!(live(FieldValue::Boolean(true)), true);
        assert_eq!(applied_json(&path, &Applied::Integer(8080)), 8080);
        assert_eq!(applied_json(&path, &Applied::Boolean(false)), false);
        let set = || std::collections::BTreeSet::from(["a".to_owned()]);
        assert_eq!(live(FieldValue::Set(set())), serde_json::json!(["a"]));
        assert_eq!(applied_json(&path, &Applied::Set(set())), serde_json::json!(["a"]));
    }

    #[test]
    fn a_live_value_that_looks_secret_is_not_shown() {
        let check = |path: &str, text: &str| {
            let value = LiveValue::Shown(FieldValue::Text(text.to_owned()));
            live_value(&path.parse().unwrap(), &value)
        };
        assert_eq!(check("envVars.STRIPE_KEY", "canary"), "(secret)");
        assert_eq!(check("repo", "https://me:canary@git.dev/a"), "(secret)");
        assert_eq!(check("startCommand", "run --password=canary"), "(secret)");
        assert_eq!(check("envVars.LOG_LEVEL", "info"), "info");
        assert_eq!(check("repo", "https://git.dev/a"), "https://git.dev/a");
    }
}
