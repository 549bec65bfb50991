//! An explanation on paper.

use crate::render::{Line, Paper, Style, Table};

use super::super::facts;
use super::explain::{Explained, Explanation, LastWrite};

/// Returns the explanation for a terminal.
pub fn text(explanation: &Explanation) -> Paper {
    let Explanation { key, origin, commit, owned, condition, touched, notes, fields } = explanation;
    let mut line = Line::default().with(Style::Bold, key.to_string());
    if let Some(origin) = origin {
        line = line.plain("   ").plain(origin.to_string());
    }
    if let Some(commit) = commit {
        line = line.with(Style::Dim, format!(" (commit {commit})"));
    }
    let mut paper = Paper::from(line);
    let owned = owned.map_or_else(|| "not ours".to_owned(), |owned| format!("ours: {owned}"));
    paper.push(match condition {
        Some((reason, message)) if message.is_empty() => Line::of(format!("  {owned}; {reason}")),
        Some((reason, message)) => Line::of(format!("  {owned}; {reason}, {message}")),
        None => Line::of(format!("  {owned}")),
    });
    if let Some(event) = touched {
        let text = format!("  last event {:.0}: {}, {}", event.at, event.reason, event.message);
        paper.push(Line::default().with(Style::Dim, text));
    }
    for note in notes {
        paper.push(Line::of("  ").with(Style::Changed, "! ").plain(note.as_str()));
    }
    if !fields.is_empty() {
        paper.gap();
        paper.extend(table(fields));
    }
    let mut noted = fields.iter().filter(|field| !field.notes.is_empty()).peekable();
    if noted.peek().is_some() {
        paper.gap();
    }
    for field in noted {
        for note in &field.notes {
            let line = Line::of("  ").with(Style::Changed, "! ");
            paper.push(line.plain(format!("{}: {note}", field.path)));
        }
    }
    paper
}

fn table(fields: &[Explained]) -> Paper {
    let is_seen = fields.iter().any(|field| field.live.is_some());
    let heading = ["FIELD", "VALUE", "FROM", "LAST APPLIED", "LIVE"];
    let mut table = Table::new(if is_seen { &heading } else { &heading[..4] });
    for field in fields {
        let Explained { path, origin, value, applied, standing, live, notes: _ } = field;
        let applied = applied.as_deref().unwrap_or_default();
        let last = match standing {
            LastWrite::Same => (Style::Plain, "the same".to_owned()),
            LastWrite::Other => (Style::Changed, applied.to_owned()),
            LastWrite::Secret => (Style::Dim, "(secret)".to_owned()),
            LastWrite::Never => (Style::Dim, "never".to_owned()),
        };
        table.row(vec![
            (Style::Plain, path.to_string()),
            facts::cell(value.as_deref()),
            facts::cell(origin.as_ref().map(ToString::to_string).as_deref()),
            last,
            facts::cell(live.as_deref()),
        ]);
    }
    table.into()
}
