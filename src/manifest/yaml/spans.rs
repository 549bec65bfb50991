//! Where values stand in a text, byte by byte, for whoever replaces one of them and nothing else.
//!
//! Unlike the tree, it keeps what a reader forgets: quotes, anchors, aliases and tags.

use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

use super::super::tree::{Flaw, Place};
use super::{place, syntax_flaw};

/// How a value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum WrittenForm {
    /// A text without quotes.
    Plain,
    /// A text in single quotes.
    SingleQuoted,
    /// A text in double quotes.
    DoubleQuoted,
    /// A text of lines, after `|` or `>`.
    Block,
    /// `*NAME`: a value that stands elsewhere.
    Alias,
    /// A list, its items by their place among the values.
    List(Vec<usize>),
    /// A mapping, its keys and values by their place among the values.
    Mapping(Vec<(usize, usize)>),
}

/// One value, and where it stands.
#[derive(Clone, Debug)]
pub(in super::super) struct WrittenValue {
    pub form: WrittenForm,
    pub place: Place,
    /// From its first byte to the one behind its last. Of a text of lines these are the lines, without
    /// the mark before them; of a list or a mapping without brackets only the beginning is known.
    pub bytes: Range<usize>,
    /// Whether an anchor or a tag stands before it.
    pub is_marked: bool,
    /// Whether it stands in brackets, or has them.
    pub is_in_brackets: bool,
    /// The list or mapping around it.
    pub parent: Option<usize>,
}

/// Every value of a text, of all its documents.
#[derive(Debug, Default)]
pub(in super::super) struct WrittenValues(Vec<WrittenValue>);

impl WrittenValues {
    /// Finds the values of a text.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn of(text: &str) -> Result<Self, Flaw> {
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        let skipped = text.len() - bare.len();
        // The parser counts characters.
        let mut offsets: Vec<usize> = bare.char_indices().map(|(at, _)| at + skipped).collect();
        offsets.push(text.len());
        let mut finder = Finder { text, offsets, values: Vec::new(), open: Vec::new() };
        for event in Parser::<StrInput<'_>>::new_from_str(bare) {
            let (event, span) = event.map_err(|error| syntax_flaw(&error))?;
            finder.take(event, span);
        }
        Ok(Self(finder.values))
    }

    /// Returns a value by its number.
    pub fn get(&self, number: usize) -> &WrittenValue {
        &self.0[number]
    }

    /// Returns the key of a value in the mapping around it.
    pub fn key_of(&self, number: usize) -> Option<&WrittenValue> {
        let WrittenForm::Mapping(entries) = &self.get(self.get(number).parent?).form else {
            return None;
        };
        let entry = entries.iter().find(|(_, value)| *value == number);
        entry.map(|(key, _)| self.get(*key))
    }

    /// Returns the numbers of all values.
    pub fn numbers(&self) -> Range<usize> {
        0..self.0.len()
    }

    /// Returns a value and all that is around it, the document last.
    pub fn way_up(&self, number: usize) -> impl Iterator<Item = &WrittenValue> {
        std::iter::successors(Some(self.get(number)), |value| Some(self.get(value.parent?)))
    }
}

struct Finder<'t> {
    text: &'t str,
    /// The byte at which each character begins.
    offsets: Vec<usize>,
    values: Vec<WrittenValue>,
    /// The lists and mappings that are not closed yet, each with the key that waits for its value.
    open: Vec<(usize, Option<usize>)>,
}

impl Finder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
            Event::DocumentEnd => self.open.clear(),
            Event::Alias(_) => drop(self.add(WrittenForm::Alias, span, false)),
            Event::Scalar(_, style, anchor, tag) => {
                let form = match style {
                    ScalarStyle::Plain => WrittenForm::Plain,
                    ScalarStyle::SingleQuoted => WrittenForm::SingleQuoted,
                    ScalarStyle::DoubleQuoted => WrittenForm::DoubleQuoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => WrittenForm::Block,
                };
                self.add(form, span, anchor != 0 || tag.is_some());
            }
            Event::SequenceStart(anchor, tag) => {
                let is_marked = anchor != 0 || tag.is_some();
                let number = self.add(WrittenForm::List(Vec::new()), span, is_marked);
                self.open.push((number, None));
            }
            Event::MappingStart(anchor, tag) => {
                let is_marked = anchor != 0 || tag.is_some();
                let number = self.add(WrittenForm::Mapping(Vec::new()), span, is_marked);
                self.open.push((number, None));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((number, _)) = self.open.pop() {
                    // The parser counts what follows a bracket to it, up to the end of the line.
                    let end = self.offset(span.start);
                    let is_bracket = self.text[end..].starts_with([']', '}']);
                    self.values[number].bytes.end = end + usize::from(is_bracket);
                }
            }
        }
    }

    fn add(&mut self, form: WrittenForm, span: Span, is_marked: bool) -> usize {
        let number = self.values.len();
        let start = self.offset(span.start);
        let end = match form {
            WrittenForm::SingleQuoted | WrittenForm::DoubleQuoted => quoted_end(self.text, start),
            _ => None,
        };
        let bytes = start..end.unwrap_or_else(|| self.offset(span.end));
        let is_collection = matches!(form, WrittenForm::List(_) | WrittenForm::Mapping(_));
        let has_brackets = is_collection && self.text[bytes.start..].starts_with(['[', '{']);
        let parent = self.open.last().map(|(parent, _)| *parent);
        let is_in_brackets =
            has_brackets || parent.is_some_and(|parent| self.values[parent].is_in_brackets);
        let place = place(span.start);
        self.values.push(WrittenValue { form, place, bytes, is_marked, is_in_brackets, parent });
        if let Some((parent, key)) = self.open.last_mut() {
            match &mut self.values[*parent].form {
                WrittenForm::List(items) => items.push(number),
                WrittenForm::Mapping(entries) => match key.take() {
                    Some(key) => entries.push((key, number)),
                    None => *key = Some(number),
                },
                WrittenForm::Plain
                | WrittenForm::SingleQuoted
                | WrittenForm::DoubleQuoted
                | WrittenForm::Block
                | WrittenForm::Alias => {}
            }
        }
        number
    }

    fn offset(&self, mark: Marker) -> usize {
        self.offsets.get(mark.index()).copied().unwrap_or(self.text.len())
    }
}

/// Returns where a text in quotes ends that begins at a byte. The parser counts what follows it in
/// brackets to it.
fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let mut characters = text[start..].char_indices();
    let (_, quote) = characters.next().filter(|(_, c)| matches!(c, '"' | '\''))?;
    while let Some((at, c)) = characters.next() {
        if c == '\\' && quote == '"' {
            characters.next();
        } else if c == quote {
            let is_doubled = quote == '\'' && text[start + at + 1..].starts_with('\'');
            if !is_doubled {
                return Some(start + at + 1);
            }
            characters.next();
        }
    }
    None
}
