//! How a value is written where another stands: in its quotes, in its brackets, in its lines.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::yaml::{WrittenForm, WrittenValue, double_quoted, write_text};
use super::Cut;
use crate::model::{FieldValue, holds_command, is_unseen};

/// Marks that end a text without quotes within brackets.
const BRACKETS: [char; 5] = [',', '[', ']', '{', '}'];

/// Returns a value as a person would write it, for a hint.
pub(super) fn hinted(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => format!("`{}`", write_line(text, false)),
        FieldValue::Set(items) => {
            let items: Vec<String> = items.iter().map(|item| write_line(item, true)).collect();
            format!("`[{}]`", items.join(", "))
        }
        other => format!("`{other}`"),
    }
}

/// Returns the cut that replaces one single value; `None` where it cannot be done without loss.
pub(super) fn scalar(
    text: &str,
    key: &WrittenValue,
    old: &WrittenValue,
    new: &FieldValue,
) -> Option<Cut> {
    let bytes = match old.form {
        WrittenForm::Block => block(text, key, old)?,
        WrittenForm::Plain if text[old.bytes.clone()].contains('\n') => return None,
        _ => old.bytes.clone(),
    };
    let new = match new {
        FieldValue::Text(new) => {
            let new = new.replace("${", "$${");
            match old.form {
                WrittenForm::SingleQuoted if is_simple(&new) => {
                    format!("'{}'", new.replace('\'', "''"))
                }
                WrittenForm::DoubleQuoted => double_quoted(&new),
                WrittenForm::Block if new.contains('\n') => {
                    let block = write_text(&new, key.place.column.saturating_sub(1));
                    if text.contains("\r\n") { block.replace('\n', "\r\n") } else { block }
                }
                _ => write_line(&new, old.is_in_brackets),
            }
        }
        FieldValue::Integer(_) | FieldValue::Boolean(_) => new.to_string(),
        FieldValue::Set(_) | FieldValue::Secret(_) | FieldValue::Reference(_) => return None,
    };
    Some((bytes, new))
}

/// Returns where a text of lines stands, with the mark before it. A comment behind the mark would be
/// lost.
fn block(text: &str, key: &WrittenValue, old: &WrittenValue) -> Option<Range<usize>> {
    let head = text.get(key.bytes.end..old.bytes.start)?;
    let mark = head.find(['|', '>'])?;
    let is_plain = head[..mark].trim() == ":" && !head.contains('#');
    let lines = text[old.bytes.clone()].trim_end().len();
    is_plain.then_some(key.bytes.end + mark..old.bytes.start + lines)
}

/// Whether single quotes can hold a text.
fn is_simple(text: &str) -> bool {
    !text.contains(is_unseen) && !text.contains('\n') && !holds_command(text)
}

/// Writes a text in one line, with quotes only where it needs them.
fn write_line(text: &str, is_in_brackets: bool) -> String {
    if text.contains('\n') {
        return double_quoted(text);
    }
    let written = write_text(text, 0);
    let is_plain = !written.starts_with(['"', '\'']);
    if is_plain && is_in_brackets && written.contains(BRACKETS) {
        return double_quoted(text);
    }
    written
}

/// Returns the cuts that make a list hold what is wanted: what stays keeps its place and its
/// comments, and what is new comes last. `None` where it cannot be done without loss.
pub(super) fn list(
    text: &str,
    old: &WrittenValue,
    items: &[&WrittenValue],
    wanted: &BTreeSet<String>,
) -> Option<Vec<Cut>> {
    let mut missing = wanted.clone();
    let mut kept = Vec::new();
    for item in items {
        kept.push(missing.remove(named(text, item)?));
    }
    let new: Vec<String> = missing
        .iter()
        .map(|item| write_line(&item.replace("${", "$${"), old.is_in_brackets))
        .collect();
    if old.is_in_brackets {
        return in_brackets(text, old, items, &kept, new).map(|cut| vec![cut]);
    }
    in_lines(text, items, &kept, &new)
}

/// Returns the text of an item that stands in one line and holds no escape.
fn named<'t>(text: &'t str, item: &WrittenValue) -> Option<&'t str> {
    let written = &text[item.bytes.clone()];
    let is_escaped = written.contains(['\\', '\n']) || written.contains("''");
    match item.form {
        _ if is_escaped => None,
        WrittenForm::Plain => Some(written),
        WrittenForm::SingleQuoted | WrittenForm::DoubleQuoted => {
            written.get(1..written.len().checked_sub(1)?)
        }
        WrittenForm::Block
        | WrittenForm::Alias
        | WrittenForm::List(_)
        | WrittenForm::Mapping(_) => None,
    }
}

fn in_brackets(
    text: &str,
    old: &WrittenValue,
    items: &[&WrittenValue],
    kept: &[bool],
    new: Vec<String>,
) -> Option<Cut> {
    let written = &text[old.bytes.clone()];
    let is_whole = written.starts_with('[') && written.ends_with(']') && !written.contains('#');
    if !is_whole {
        return None;
    }
    let stays = items.iter().zip(kept).filter(|(_, is_kept)| **is_kept);
    let stays = stays.map(|(item, _)| text[item.bytes.clone()].to_owned());
    let all: Vec<String> = stays.chain(new).collect();
    let gap = if written.starts_with("[ ") { " " } else { "" };
    Some((old.bytes.clone(), format!("[{gap}{}{gap}]", all.join(", "))))
}

fn in_lines(
    text: &str,
    items: &[&WrittenValue],
    kept: &[bool],
    new: &[String],
) -> Option<Vec<Cut>> {
    if !kept.contains(&true) && new.is_empty() {
        return None;
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut cuts = Vec::new();
    for (item, is_kept) in items.iter().zip(kept) {
        let start = text[..item.bytes.start].rfind('\n').map_or(0, |at| at + 1);
        let stop =
            text[item.bytes.end..].find('\n').map_or(text.len(), |at| item.bytes.end + at + 1);
        let line = text[start..stop].trim();
        let is_alone = line.strip_prefix('-').map(str::trim) == Some(&text[item.bytes.clone()]);
        if !is_kept && !is_alone {
            return None;
        }
        if !is_kept {
            cuts.push((start..stop, String::new()));
        }
    }
    let last = items.last()?;
    let stop = text[last.bytes.end..].find('\n').map(|at| last.bytes.end + at + 1);
    let start = text[..last.bytes.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[start..last.bytes.start];
    if before.trim() != "-" {
        return None;
    }
    let lines: String = new.iter().map(|item| format!("{before}{item}{end}")).collect();
    match (stop, cuts.last_mut()) {
        _ if lines.is_empty() => {}
        // The last line of the list goes: the new ones take its place.
        (_, Some((bytes, text))) if bytes.contains(&last.bytes.start) => *text = lines,
        (Some(stop), _) => cuts.push((stop..stop, lines)),
        (None, _) => {
            let lines = lines.strip_suffix(end).unwrap_or(&lines);
            cuts.push((text.len()..text.len(), format!("{end}{lines}")));
        }
    }
    Some(cuts)
}
