//! A plan as a comment on a pull request.
//!
//! Text from outside is made inert in Markdown and in HTML: it forms no link, mention, table, tag
//! or code, and calls nobody.

use crate::plan::{Change, FieldChange, Plan};

use super::diff;
use super::inert::inert;
use super::phrase;
use super::text::{self, Estimate};

/// The first line: by it an earlier comment is found and replaced.
pub const MARKER: &str = "<!-- stoker-plan -->";

/// GitHub takes comments of 65,536 characters.
const CHARACTERS_MAX: usize = 60_000;

/// Room for the lines at the end, which are never cut.
const FOOTER_CHARACTERS: usize = 1_000;

/// Returns the plan as Markdown, never longer than a comment may be.
#[must_use]
pub fn plan_as_markdown(plan: &Plan, estimate: &Estimate) -> String {
    let mut out = format!("{MARKER}\n### {}\n\n", escape(&phrase::summary(plan)));
    out.push_str(&table(plan));
    let mut left = CHARACTERS_MAX - FOOTER_CHARACTERS - out.chars().count();
    let mut is_cut = false;
    let mut shown = 0;
    for change in &plan.changes {
        let text = details(change);
        let length = text.chars().count();
        if length > left {
            is_cut = true;
            break;
        }
        left -= length;
        shown += 1;
        out.push_str(&text);
    }
    if is_cut {
        let hidden = plan.changes.len() - shown;
        out.push_str(&format!(
            "\n**Cut here:** {hidden} more changes do not fit into a comment; `stoker plan` shows all.\n"
        ));
    }
    out.push('\n');
    out.push_str(&escape(&text::cost(plan, estimate)));
    out.push('\n');
    out
}

fn table(plan: &Plan) -> String {
    let summary = plan.summary();
    if plan.changes.is_empty() {
        return String::new();
    }
    format!(
        "| add | change | destroy | adopt | blocked | unmanaged |\n\
         |---:|---:|---:|---:|---:|---:|\n\
         | {} | {} | {} | {} | {} | {} |\n\n",
        summary.add,
        summary.change,
        summary.destroy,
        summary.adopt,
        summary.blocked,
        summary.unmanaged
    )
}

fn details(change: &Change) -> String {
    let (sign, _) = phrase::sign(change);
    let verb = if change.blocked.is_some() {
        format!("{} blocked", phrase::action_word(change.action))
    } else {
        phrase::verb(change).to_owned()
    };
    let sign = if sign.is_empty() { String::new() } else { format!("{} ", escape(sign)) };
    let mut out =
        format!("<details><summary>{sign}<b>{}</b> {verb}", escape(&change.key.to_string()));
    if let Some(effect) = phrase::effect(change) {
        out.push_str(&format!(" · {}", escape(&effect)));
    }
    out.push_str("</summary>\n\n");
    if let Some(because) = phrase::because(change.reason) {
        out.push_str(&format!("{}\n\n", escape(because)));
    }
    if let Some(origin) = &change.origin {
        out.push_str(&format!("{}\n\n", escape(&origin.to_string())));
    }
    if let Some(blocked) = &change.blocked {
        out.push_str(&format!("**Blocked:** {}\n\n", escape(&blocked.message)));
        if let Some(hint) = &blocked.hint {
            out.push_str(&format!("Hint: {}\n\n", escape(hint)));
        }
    }
    if !change.fields.is_empty() {
        out.push_str("| | field | value | why |\n|---|---|---|---|\n");
    }
    for field in &change.fields {
        out.push_str(&row(field));
    }
    out.push_str("\n</details>\n");
    out
}

/// The longest value of a field that a table shows.
const CELL_CHARACTERS_MAX: usize = 200;

fn row(field: &FieldChange) -> String {
    let (sign, _) = phrase::field_sign(field);
    let values = phrase::values(field);
    let is_long = diff::is_long(&values) || values.chars().count() > CELL_CHARACTERS_MAX;
    let value = if is_long { "long text; stoker plan shows it".to_owned() } else { values };
    let hint = field.hint.as_ref().map(|hint| format!("; {hint}"));
    let why = phrase::field_reason(field).to_owned() + &hint.unwrap_or_default();
    format!(
        "| {} | {} | {} | {} |\n",
        escape(sign),
        escape(&field.path.to_string()),
        escape(&value),
        escape(&why)
    )
}

/// Makes text inert in Markdown and in HTML: every ASCII mark becomes a character reference, which
/// neither reads as markup, and letters that would begin a link or call somebody are kept apart.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inert(text).chars() {
        match c {
            // A leading mark or number makes a list or a heading; `www.`, in any case, a link.
            '-' if out.is_empty() => out.push_str("&#45;"),
            '.' if out.ends_with(['w', 'W']) || is_number(&out) => out.push_str("&#46;"),
            '.' | ',' | '-' => out.push(c),
            // These call a person or an issue even as references, so a blank of no width follows.
            '@' | '#' => out.push_str(&format!("&#{};&#8203;", c as u32)),
            c if c.is_ascii_punctuation() => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_is_called_and_nothing_is_linked() {
        assert_eq!(escape("@acme"), "&#64;&#8203;acme");
        assert_eq!(escape("see #12 wwW.a.dev"), "see &#35;&#8203;12 wwW&#46;a.dev");
        assert_eq!(escape("1. a.dev"), "1&#46; a.dev");
        assert_eq!(escape("- a"), "&#45; a");
    }

    proptest! {
        #[test]
        fn text_from_outside_is_inert_in_markdown_and_html(text in any::<String>()) {
            let escaped = escape(&text);
            let rest = without_references(&escaped);
            for mark in ['`', '|', '<', '>', '@', '[', ']', '(', '*', '_', '#', '!', ':', '~', '/'] {
                prop_assert!(!rest.contains(mark), "{escaped:?}");
            }
            prop_assert!(!escaped.contains('\n'));
            prop_assert!(!escaped.to_lowercase().contains("www."));
        }
    }

    /// Returns the text without its character references.
    fn without_references(escaped: &str) -> String {
        let mut rest = String::new();
        let mut text = escaped;
        while let Some(start) = text.find("&#") {
            rest.push_str(&text[..start]);
            let end = text[start..].find(';').expect("every reference ends");
            assert!(text[start + 2..start + end].chars().all(|c| c.is_ascii_digit()));
            text = &text[start + end + 1..];
        }
        rest + text
    }
}
