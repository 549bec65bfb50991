//! Small forms of data that several commands print: facts under headings, times, hidden values.

use jiff::Timestamp;

use crate::model::{Applied, EnvKey, FieldPath, FieldValue, LiveValue, looks_secret};
use crate::render::{Line, Paper, Style};
use crate::status::paper::{health_style, span};

/// The column in which the values of facts stand.
const VALUE_COLUMN: usize = 26;

/// Labels with values, under headings.
#[derive(Default)]
pub struct Facts(Paper);

impl Facts {
    /// Begins a section.
    pub fn heading(&mut self, heading: &str) {
        self.0.gap();
        self.0.push(Line::default().with(Style::Bold, heading));
    }

    /// Adds a fact; one without a value is left out.
    pub fn fact(&mut self, label: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            let line = Line::of("  ").with(Style::Dim, label).pad_to(VALUE_COLUMN);
            self.0.push(line.plain(value));
        }
    }

    /// Adds a line of its own.
    pub fn line(&mut self, text: impl Into<String>) {
        self.0.push(Line::of("  ").plain(text));
    }

    /// Returns what is to be printed.
    #[must_use]
    pub fn into_paper(self) -> Paper {
        self.0
    }
}

/// What stands where a value must not be seen.
const HIDDEN: &str = "(secret)";

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
    match value {
        FieldValue::Text(text) if text_is_secret(path, text) => HIDDEN.to_owned(),
        FieldValue::Text(_)
        | FieldValue::Integer(_)
        | FieldValue::Boolean(_)
        | FieldValue::Set(_)
        | FieldValue::Secret(_)
        | FieldValue::Reference(_) => value.to_string(),
    }
}

/// Shows what was last written, unless it is or looks like a secret.
pub fn applied_value(path: &FieldPath, applied: &Applied) -> String {
    match applied {
        Applied::Text(text) => shown(path, &FieldValue::Text(text.clone())),
        Applied::Integer(number) => number.to_string(),
        Applied::Boolean(truth) => truth.to_string(),
        Applied::Set(items) => FieldValue::Set(items.clone()).to_string(),
        Applied::Secret(_) => HIDDEN.to_owned(),
        Applied::Reference(reference) => format!("(from {reference})"),
    }
}

/// Whether a text is hidden: a variable by its key and value, a setting by a password in a URL.
fn text_is_secret(path: &FieldPath, text: &str) -> bool {
    match path {
        FieldPath::Env(key) => looks_secret(key, text),
        // A setting has no telling key; under a harmless one only the value decides.
        FieldPath::Setting(_) => EnvKey::new("URL").is_ok_and(|key| looks_secret(&key, text)),
    }
}

/// Returns how long ago a platform's time was, in its largest unit: `3d`; the text itself where it
/// is no time.
pub fn age(created_at: Option<&str>, now: Timestamp) -> String {
    let Some(text) = created_at else { return "—".to_owned() };
    match text.parse::<Timestamp>() {
        Ok(created) => span(now.duration_since(created)),
        Err(_) => text.to_owned(),
    }
}

/// Returns how long something took, when both ends are known.
pub fn took(from: Option<&str>, to: Option<&str>) -> Option<String> {
    let from: Timestamp = from?.parse().ok()?;
    let to: Timestamp = to?.parse().ok()?;
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
    fn a_live_value_that_looks_secret_is_not_shown() {
        let check = |path: &str, text: &str| {
            let value = LiveValue::Shown(FieldValue::Text(text.to_owned()));
            live_value(&path.parse().unwrap(), &value)
        };
        assert_eq!(check("envVars.STRIPE_KEY", "canary"), "(secret)");
        assert_eq!(check("repo", "https://me:canary@git.dev/a"), "(secret)");
        assert_eq!(check("envVars.LOG_LEVEL", "info"), "info");
        assert_eq!(check("repo", "https://git.dev/a"), "https://git.dev/a");
    }
}
