//! YAML: one pass over the parser's events into a tree that knows where everything stands.
//!
//! Typed decoding is done on this tree, not by serde: serde stops at the first mistake, knows no
//! place inside a value, and lets the last of two equal keys win without a word. So the reading
//! crate is the event parser, and the serde crate only writes scalars. No other file names either.
//!
//! The limits are kept *while* events arrive (`tree`), so a hostile file is refused before it costs
//! anything.

mod spans;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::tree::{Builder, Content, Document, Flaw, Place};
use crate::model::{break_marks, holds_command, is_unseen};

pub(super) use spans::{WrittenForm, WrittenValue, WrittenValues};

/// Reads the documents of one file, one after the other, so that only one is in memory.
pub(super) struct Documents<'a> {
    parser: Parser<'a, StrInput<'a>>,
    is_ended: bool,
}

impl<'a> Documents<'a> {
    /// Begins to read a text.
    ///
    /// # Errors
    /// When it holds characters that YAML forbids. The parser takes a NUL for the end of the file,
    /// and what follows would be lost without a word.
    pub fn new(text: &'a str) -> Result<Self, Flaw> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
        if let Some(index) = text.find(is_forbidden) {
            let before = &text[..index];
            let line_start = before.rfind('\n').map_or(0, |end| end + 1);
            return Err(Flaw {
                code: "yaml-syntax",
                message: "the text contains a control character".to_owned(),
                hint: Some("write it as an escape in a double-quoted text".to_owned()),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
            });
        }
        Ok(Self { parser: Parser::new_from_str(text), is_ended: false })
    }

    /// Reads the next document; `None` at the end.
    ///
    /// # Errors
    /// When the text is no YAML, or beyond a limit. Nothing after it can be read.
    pub fn next_document(&mut self) -> Result<Option<Document<'a>>, Flaw> {
        if self.is_ended {
            return Ok(None);
        }
        let outcome = self.read_document();
        self.is_ended = !matches!(outcome, Ok(Some(_)));
        outcome
    }

    fn read_document(&mut self) -> Result<Option<Document<'a>>, Flaw> {
        let mut builder = Builder::default();
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| syntax_flaw(&error))?;
            match event {
                Event::StreamEnd => return Ok(None),
                Event::DocumentEnd => return Ok(Some(builder.document)),
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
                Event::Alias(anchor) => builder.alias(anchor, place(span.start))?,
                Event::Scalar(text, style, anchor, tag) => {
                    let is_plain = is_plain(&text, style, tag.as_deref(), place(span.start))?;
                    builder.scalar(text, is_plain, anchor, place(span.start))?;
                }
                Event::SequenceStart(anchor, tag) => {
                    refuse_tag(tag.as_deref(), "seq", place(span.start))?;
                    builder.open(Content::Sequence(Vec::new()), anchor, place(span.start))?;
                }
                Event::MappingStart(anchor, tag) => {
                    refuse_tag(tag.as_deref(), "map", place(span.start))?;
                    builder.open(Content::Mapping(Vec::new()), anchor, place(span.start))?;
                }
                Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            }
        }
        Ok(None)
    }
}

fn place(mark: Marker) -> Place {
    Place { line: mark.line(), column: mark.col() + 1 }
}

fn syntax_flaw(error: &ScanError) -> Flaw {
    let flaw = Flaw::at(place(*error.marker()), "yaml-syntax", error.info().to_owned());
    if error.info().contains("tab") {
        return flaw.hint("indent with spaces: YAML forbids tabs");
    }
    if error.info().contains("valid YAML whitespace") {
        return flaw.hint("a space must follow the colon, not a tab");
    }
    if error.info().contains("anchor") || error.info().contains("alias") {
        return flaw.hint(
            "a text that begins with `*` or `&` needs quotes; an anchor of another document is not \
             known",
        );
    }
    flaw
}

/// Whether a scalar's text decides its type; a tag can say so as quotes do.
fn is_plain(text: &str, style: ScalarStyle, tag: Option<&Tag>, place: Place) -> Result<bool, Flaw> {
    let Some(tag) = tag else {
        return Ok(style == ScalarStyle::Plain);
    };
    let is_core = tag.is_yaml_core_schema() || tag.handle == "!!";
    match tag.suffix.as_str() {
        "str" if is_core => Ok(false),
        "" | "!" => Ok(false),
        "null" if is_core && !super::scalar::is_null(text) => {
            let message = "`!!null` means no value, but a text follows it";
            Err(Flaw::at(place, "yaml-tag", message).hint("remove the tag, or the text"))
        }
        "int" | "float" | "bool" | "null" if is_core => Ok(true),
        _ => Err(tag_flaw(tag, place)),
    }
}

fn refuse_tag(tag: Option<&Tag>, allowed: &str, place: Place) -> Result<(), Flaw> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == allowed => Ok(()),
        Some(tag) => Err(tag_flaw(tag, place)),
        None => Ok(()),
    }
}

fn tag_flaw(tag: &Tag, place: Place) -> Flaw {
    Flaw::at(place, "yaml-tag", format!("the tag `{tag}` has no meaning here"))
        .hint("remove the tag; quotes mark a text")
}

/// Writes a text as a YAML scalar that every reader takes for that very text.
///
/// The serde crate knows YAML 1.2; what YAML 1.1 would read as a boolean, a number or a date (`no`,
/// `12:30:00`, `2026-01-15`) is quoted here first. `indent` is the column of the key.
pub(super) fn write_text(text: &str, indent: usize) -> String {
    if super::scalar::is_typed(text) || super::scalar::retyped(text).is_some() {
        return double_quoted(text);
    }
    // A build server reads what is printed: a line of a block must not be a command to it.
    if holds_command(text) {
        return double_quoted(text);
    }
    let is_unusual = |c: char| c != '\n' && is_escaped(c);
    let is_block = text.contains('\n') && !text.starts_with([' ', '\n']) && !text.ends_with(' ');
    if text.contains(is_unusual) || text.contains('\n') && !is_block {
        return double_quoted(text);
    }
    let Ok(written) = serde_yaml::to_string(text) else {
        return double_quoted(text);
    };
    // One line break belongs to the document, not to the scalar.
    let written = written.strip_suffix('\n').unwrap_or(&written);
    if !written.contains('\n') {
        return written.to_owned();
    }
    if !written.starts_with('|') {
        return double_quoted(text);
    }
    let margin = format!("\n{}", " ".repeat(indent));
    let lines: Vec<&str> = written.split('\n').collect();
    lines.join(&margin).replace(&format!("{margin}\n"), "\n\n")
}

/// Whether a letter stands in YAML only by its number: it is not printable there (U+FFFE and U+FFFF
/// among them), some readers take it for a line break or the mark of a file's beginning, or it is
/// not seen and moves what is (S12).
fn is_escaped(c: char) -> bool {
    is_unseen(c) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Writes a text between quotes, spelling out what is not seen, or is a command to a build server.
pub(super) fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_escaped(c) => match u32::from(c) {
                number @ ..=0xffff => quoted.push_str(&format!("\\u{number:04x}")),
                number => quoted.push_str(&format!("\\U{number:08x}")),
            },
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    break_marks(&quoted, "\\x23").into_owned()
}
