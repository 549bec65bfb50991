//! A plan as a comment on a pull request.
//!
//! Text from outside is made inert in Markdown and in HTML: it forms no link, mention, table, tag
//! or code, and calls nobody.

use crate::model::{FieldValue, Key};
use crate::plan::{Change, FieldChange, Plan};

use super::alike;
use super::diff;
use super::inert::inert;
use super::paper::Style;
use super::phrase;
use super::text::{self, Estimate, Moved};
use super::unsettled;

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
    let by_hand = std::iter::once(by_hand_as_markdown(plan)).filter(|text| !text.is_empty());
    let unjudged = unsettled::unjudged(plan).map(|line| format!("{}\n\n", escape(&line)));
    let shown = unsettled::shown(plan);
    let likely = plan.likely_renames.iter();
    let likely = likely.map(|it| format!("{}\n\n", escape(&phrase::likely_rename(it))));
    let sections = likely.chain(by_hand).chain(unjudged).chain(shown.iter().map(details));
    push_what_fits(&mut out, sections, "stoker plan");
    out.push('\n');
    out.push_str(&escape(&text::cost(plan, estimate)));
    out.push('\n');
    out
}

/// Returns what people must set as a list; nothing when all of it is set.
#[must_use]
pub fn by_hand_as_markdown(plan: &Plan) -> String {
    let open = plan.by_hand.iter().filter_map(|one| Some((&one.key, phrase::by_hand(one)?)));
    let line = |(key, text): (&Key, String)| {
        format!("- **{}**: {}\n", escape(&key.to_string()), escape(&text))
    };
    let lines: String = open.map(line).collect();
    if lines.is_empty() { lines } else { format!("**{}**\n\n{lines}\n", phrase::BY_HAND) }
}

/// Returns what changed on the platform as Markdown, never longer than a comment may be.
#[must_use]
pub fn drift_as_markdown(plan: &Plan) -> String {
    let moved = text::moved(plan);
    let unknown = text::unknown(plan).count();
    let mut out = format!("### {}\n\n", escape(&text::drift_summary(&moved, unknown)));
    let sections = text::unknown(plan).map(details).chain(moved.iter().map(moved_details));
    push_what_fits(&mut out, sections, "stoker drift");
    out
}

/// Adds sections as long as they fit into a comment, and says how many do not.
fn push_what_fits(out: &mut String, sections: impl Iterator<Item = String>, command: &str) {
    let mut left = CHARACTERS_MAX - FOOTER_CHARACTERS - out.chars().count();
    let mut hidden = 0;
    for section in sections {
        let length = section.chars().count();
        if hidden > 0 || length > left {
            hidden += 1;
            continue;
        }
        left -= length;
        out.push_str(&section);
    }
    if hidden > 0 {
        out.push_str(&format!(
            "\n**Cut here:** {hidden} more do not fit into a comment; `{command}` shows all.\n"
        ));
    }
}

fn table(plan: &Plan) -> String {
    let summary = plan.summary();
    if plan.changes.is_empty() {
        return String::new();
    }
    format!(
        "| add | change | destroy | adopt | blocked | unknown | unsettled | unmanaged |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|\n\
         | {} | {} | {} | {} | {} | {} | {} | {} |\n\n",
        summary.add,
        summary.change,
        summary.destroy,
        summary.adopt,
        summary.blocked,
        summary.unknown,
        summary.unsettled,
        summary.unmanaged
    )
}

fn details(change: &Change) -> String {
    let (sign, _) = phrase::sign(change);
    let verb = match &change.blocked {
        Some(blocked) => phrase::obstructed(change, blocked),
        None => phrase::verb(change).to_owned(),
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
        let label = if blocked.is_unseen() { "Unknown" } else { "Blocked" };
        out.push_str(&format!("**{label}:** {}\n\n", escape(&blocked.message)));
        if let Some(hint) = &blocked.hint {
            out.push_str(&format!("Hint: {}\n\n", escape(hint)));
        }
    }
    if let Some(way) = phrase::makes_way(change) {
        out.push_str(&format!("{}\n\n", escape(&way)));
    }
    push_rows(&mut out, &change.fields, phrase::field_sign);
    out.push_str("\n</details>\n");
    out
}

fn moved_details(moved: &Moved<'_>) -> String {
    let Moved { key, is_gone, fields } = moved;
    let (sign, rest) = if *is_gone { ("-", text::GONE) } else { ("~", "was changed by hand") };
    let (sign, key) = (escape(sign), escape(&key.to_string()));
    let mut out = format!("<details><summary>{sign} <b>{key}</b> {rest}</summary>\n\n");
    push_rows(&mut out, fields, phrase::hand_sign);
    out.push_str("\n</details>\n");
    out
}

/// How a field is marked.
type Sign = fn(&FieldChange) -> (&'static str, Style);

fn push_rows(out: &mut String, fields: &[FieldChange], sign: Sign) {
    if !fields.is_empty() {
        out.push_str("| | field | value | why |\n|---|---|---|---|\n");
    }
    for field in fields {
        out.push_str(&row(field, sign(field).0));
    }
}

/// The longest value of a field that a table shows.
const CELL_CHARACTERS_MAX: usize = 200;

fn row(field: &FieldChange, sign: &str) -> String {
    let values = phrase::values(field);
    let is_long = diff::is_long(&values) || values.chars().count() > CELL_CHARACTERS_MAX;
    let alike = match (&field.before, &field.after) {
        (Some(FieldValue::Text(before)), Some(FieldValue::Text(after))) => {
            alike::difference(before, after)
        }
        _ => None,
    };
    let value = match (is_long, alike.filter(|_| !phrase::is_hidden(field))) {
        (false, _) => values,
        (true, None) => "long text; stoker plan shows it".to_owned(),
        (true, Some(what)) => format!("long text that differs in {what}; stoker plan shows it"),
    };
    let hint = field.hint.as_ref().map(|hint| format!("; {hint}"));
    let why = phrase::field_reason(field) + &hint.unwrap_or_default();
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
