//! Long values line by line: what came, what went, and a little of what stayed.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::alike;
use super::paper::Style;

/// Unchanged lines shown around a changed one.
const CONTEXT_LINES: usize = 2;

/// Longer values are told by their length: nobody reads more in a plan, and the time to compare
/// grows with the square.
const COMPARED_BYTES_MAX: usize = 64 * 1024;

/// The most lines of one difference that are shown.
const SHOWN_LINES_MAX: usize = 60;

/// A last resort behind the length: past it the difference is coarser, and still true.
const PATIENCE: Duration = Duration::from_millis(500);

/// One line of a difference: its sign, what the sign means, and its text.
pub(super) type DiffLine = (&'static str, Style, String);

/// Whether a value is worth comparing line by line.
pub(super) fn is_long(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Compares two values line by line.
pub(super) fn lines(before: &str, after: &str) -> Vec<DiffLine> {
    let (old, new) = (before.len(), after.len());
    if old + new > COMPARED_BYTES_MAX {
        let text = format!("{old} -> {new} bytes, too long to compare here");
        return vec![("", Style::Dim, text)];
    }
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    let mut lines = Vec::new();
    for (number, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if number > 0 {
            lines.push(("", Style::Dim, "…".to_owned()));
        }
        let changes: Vec<_> = group.iter().flat_map(|op| diff.iter_changes(op)).collect();
        let of = |tag: ChangeTag| -> Vec<&str> {
            changes.iter().filter(|it| it.tag() == tag).map(|it| it.value()).collect()
        };
        let (gone, come) = (of(ChangeTag::Delete), of(ChangeTag::Insert));
        for change in &changes {
            let (sign, style, others) = match change.tag() {
                ChangeTag::Equal => (" ", Style::Dim, &[][..]),
                ChangeTag::Delete => ("-", Style::Removed, come.as_slice()),
                ChangeTag::Insert => ("+", Style::Added, gone.as_slice()),
            };
            lines.push((sign, style, marked(change.value(), others)));
        }
    }
    let hidden = lines.len().saturating_sub(SHOWN_LINES_MAX);
    lines.truncate(SHOWN_LINES_MAX);
    if hidden > 0 {
        lines.push(("", Style::Dim, format!("… and {hidden} more lines")));
    }
    lines
}

/// Returns a line of a difference, spelled out where what it stands for only looks like it.
fn marked(line: &str, others: &[&str]) -> String {
    let told = |what| format!("{}   (differs in {what})", alike::spelled(line));
    match others.iter().find_map(|other| alike::difference(line, other)) {
        Some(what) => told(what),
        None => line.trim_end_matches('\n').to_owned(),
    }
}
