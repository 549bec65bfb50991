//! What changes in a file, as a unified diff of the changed lines alone.

use similar::{ChangeTag, TextDiff};

use super::paper::{Line, Paper, Style};

/// Compares two texts of a file. Only changed lines are shown, each as `hide` leaves it: what stands
/// beside them may be a secret (S9).
#[must_use]
pub fn file_diff(path: &str, before: &str, after: &str, hide: &dyn Fn(&str) -> String) -> Paper {
    let mut paper = Paper::new();
    let mut line = |style, text: String| paper.push(Line::default().with(style, text));
    line(Style::Bold, format!("--- {path}"));
    line(Style::Bold, format!("+++ {path}"));
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(0).iter_hunks() {
        line(Style::Dim, hunk.header().to_string());
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Equal => (" ", Style::Plain),
                ChangeTag::Delete => ("-", Style::Removed),
                ChangeTag::Insert => ("+", Style::Added),
            };
            let text = change.value().trim_end_matches(['\n', '\r']);
            line(style, format!("{sign}{}", hide(text)));
        }
    }
    paper
}
