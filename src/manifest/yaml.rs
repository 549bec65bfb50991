//! YAML: one pass over the parser's events into a tree that knows where everything stands.
//!
//! Typed decoding is done on this tree, not by serde: serde stops at the first mistake, knows no
//! place inside a value, and lets the last of two equal keys win without a word. So the reading
//! crate is the event parser, and the serde crate only writes scalars. No other file names either.
//!
//! All limits are kept *while* events arrive, so a hostile file is refused before it costs
//! anything: depth, nodes, and the nodes that aliases stand for. Aliases share nodes instead of
//! copying them; a bomb is a small graph whose weight is known.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

/// The deepest nesting. Manifests need eight.
const DEPTH_MAX: usize = 64;

/// The most nodes of one document, each alias counted as all it stands for.
const NODES_MAX: usize = 100_000;

/// What is wrong with a text as YAML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    pub line: usize,
    pub column: usize,
}

impl Flaw {
    fn at(mark: Marker, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            line: mark.line(),
            column: mark.col() + 1,
        }
    }

    fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

/// What a node holds; children by their place in the document's list of nodes.
#[derive(Debug)]
enum Content<'a> {
    Scalar { text: Cow<'a, str>, is_plain: bool },
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

#[derive(Debug)]
struct Node<'a> {
    content: Content<'a>,
    line: u32,
    column: u32,
    /// How many nodes it stands for, aliases followed.
    weight: usize,
    /// How deep it reaches below itself.
    height: usize,
}

/// One document and the flaws that did not stop its reading.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    nodes: Vec<Node<'a>>,
    root: usize,
    pub flaws: Vec<Flaw>,
}

impl<'a> Document<'a> {
    /// Returns the root; `None` for a document that holds nothing.
    pub fn root(&self) -> Option<Yaml<'_, 'a>> {
        let root = Yaml {
            document: self,
            node: self.nodes.get(self.root)?,
        };
        (!root.is_null()).then_some(root)
    }
}

/// A node and its document, cheap to pass on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Yaml<'d, 'a> {
    document: &'d Document<'a>,
    node: &'d Node<'a>,
}

impl<'d, 'a> Yaml<'d, 'a> {
    pub const fn line(self) -> usize {
        self.node.line as usize
    }

    pub const fn column(self) -> usize {
        self.node.column as usize
    }

    /// Returns a scalar's text as written, and whether it stands without quotes.
    pub fn scalar(self) -> Option<(&'d str, bool)> {
        match &self.node.content {
            Content::Scalar { text, is_plain } => Some((text, *is_plain)),
            Content::Sequence(_) | Content::Mapping(_) => None,
        }
    }

    /// Whether nothing stands here, or `null`.
    pub fn is_null(self) -> bool {
        self.scalar()
            .is_some_and(|(text, is_plain)| is_plain && super::scalar::is_null(text))
    }

    /// Returns the items of a list.
    pub fn items(self) -> Option<impl ExactSizeIterator<Item = Self>> {
        match &self.node.content {
            Content::Sequence(items) => Some(items.iter().map(move |item| self.sibling(*item))),
            Content::Scalar { .. } | Content::Mapping(_) => None,
        }
    }

    /// Returns the keys and values of a mapping, in the order of the file.
    pub fn entries(self) -> Option<impl ExactSizeIterator<Item = (&'d str, Self, Self)>> {
        match &self.node.content {
            Content::Mapping(entries) => Some(entries.iter().map(move |(key, value)| {
                let key = self.sibling(*key);
                let text = key.scalar().map_or("", |(text, _)| text);
                (text, key, self.sibling(*value))
            })),
            Content::Scalar { .. } | Content::Sequence(_) => None,
        }
    }

    /// Returns the value of a key.
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries()?
            .find(|(text, _, _)| *text == key)
            .map(|(_, _, value)| value)
    }

    /// What it is, in a reader's words.
    pub fn describe(self) -> &'static str {
        match &self.node.content {
            Content::Scalar { .. } if self.is_null() => "nothing",
            Content::Scalar { .. } => "a single value",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }

    fn sibling(self, index: usize) -> Self {
        Self {
            document: self.document,
            node: &self.document.nodes[index],
        }
    }
}

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
                message: "a control character stands in the text".to_owned(),
                hint: Some("write it as an escape in a double-quoted text".to_owned()),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
            });
        }
        Ok(Self {
            parser: Parser::new_from_str(text),
            is_ended: false,
        })
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
                Event::Alias(anchor) => builder.alias(anchor, span.start)?,
                Event::Scalar(text, style, anchor, tag) => {
                    let is_plain = is_plain(style, tag.as_deref(), span.start)?;
                    builder.scalar(text, is_plain, anchor, span.start)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    refuse_tag(tag.as_deref(), "seq", span.start)?;
                    builder.open(Content::Sequence(Vec::new()), anchor, span.start)?;
                }
                Event::MappingStart(anchor, tag) => {
                    refuse_tag(tag.as_deref(), "map", span.start)?;
                    builder.open(Content::Mapping(Vec::new()), anchor, span.start)?;
                }
                Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            }
        }
        Ok(None)
    }
}

fn syntax_flaw(error: &ScanError) -> Flaw {
    let flaw = Flaw::at(*error.marker(), "yaml-syntax", error.info().to_owned());
    if error.info().contains("tab") {
        return flaw.hint("indent with blanks: YAML forbids tabs");
    }
    flaw
}

/// Whether a scalar's text decides its type; a tag can say so as quotes do.
fn is_plain(style: ScalarStyle, tag: Option<&Tag>, mark: Marker) -> Result<bool, Flaw> {
    let Some(tag) = tag else {
        return Ok(style == ScalarStyle::Plain);
    };
    let is_core = tag.is_yaml_core_schema() || tag.handle == "!!";
    match tag.suffix.as_str() {
        "str" if is_core => Ok(false),
        "" | "!" => Ok(false),
        "int" | "float" | "bool" | "null" if is_core => Ok(true),
        _ => Err(tag_flaw(tag, mark)),
    }
}

fn refuse_tag(tag: Option<&Tag>, allowed: &str, mark: Marker) -> Result<(), Flaw> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == allowed => Ok(()),
        Some(tag) => Err(tag_flaw(tag, mark)),
        None => Ok(()),
    }
}

fn tag_flaw(tag: &Tag, mark: Marker) -> Flaw {
    Flaw::at(
        mark,
        "yaml-tag",
        format!("the tag `{tag}` has no meaning here"),
    )
    .hint("remove the tag; text is told by quotes")
}

/// A list or mapping that is not closed yet.
struct Frame<'a> {
    content: Content<'a>,
    anchor: usize,
    mark: Marker,
    weight: usize,
    height: usize,
    /// The key that waits for its value.
    key: Option<usize>,
}

/// Builds one document from events and keeps the limits.
#[derive(Default)]
struct Builder<'a> {
    document: Document<'a>,
    open: Vec<Frame<'a>>,
    anchors: BTreeMap<usize, usize>,
    weight: usize,
}

impl<'a> Builder<'a> {
    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        is_plain: bool,
        anchor: usize,
        mark: Marker,
    ) -> Result<(), Flaw> {
        self.weigh(1, mark, "nodes")?;
        let index = self.add(Content::Scalar { text, is_plain }, mark, 1, 0);
        self.name(anchor, index);
        self.place(index, mark)
    }

    fn open(&mut self, content: Content<'a>, anchor: usize, mark: Marker) -> Result<(), Flaw> {
        self.weigh(1, mark, "nodes")?;
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(mark));
        }
        self.open.push(Frame {
            content,
            anchor,
            mark,
            weight: 1,
            height: 0,
            key: None,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Flaw> {
        let Some(frame) = self.open.pop() else {
            return Ok(());
        };
        let Frame {
            mut content,
            anchor,
            mark,
            weight,
            height,
            key: _,
        } = frame;
        if let Content::Mapping(entries) = content {
            let entries = self.merge(entries)?;
            content = Content::Mapping(self.without_duplicates(entries));
        }
        let index = self.add(content, mark, weight, height);
        self.name(anchor, index);
        self.place(index, mark)
    }

    fn alias(&mut self, anchor: usize, mark: Marker) -> Result<(), Flaw> {
        let Some(index) = self.anchors.get(&anchor).copied() else {
            return Err(Flaw::at(
                mark,
                "yaml-alias",
                "an alias lies inside what it stands for",
            ));
        };
        let (weight, height) = (
            self.document.nodes[index].weight,
            self.document.nodes[index].height,
        );
        self.weigh(weight, mark, "nodes once its aliases are followed")?;
        if self.open.len() + height > DEPTH_MAX {
            return Err(too_deep(mark));
        }
        self.place(index, mark)
    }

    fn weigh(&mut self, weight: usize, mark: Marker, what: &str) -> Result<(), Flaw> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > NODES_MAX {
            let message = format!("the document has more than {NODES_MAX} {what}");
            return Err(Flaw::at(mark, "yaml-limit", message));
        }
        Ok(())
    }

    fn add(&mut self, content: Content<'a>, mark: Marker, weight: usize, height: usize) -> usize {
        self.document.nodes.push(Node {
            content,
            line: u32::try_from(mark.line()).unwrap_or(u32::MAX),
            column: u32::try_from(mark.col() + 1).unwrap_or(u32::MAX),
            weight,
            height,
        });
        self.document.nodes.len() - 1
    }

    fn name(&mut self, anchor: usize, index: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, index: usize, mark: Marker) -> Result<(), Flaw> {
        let node = &self.document.nodes[index];
        let Some(frame) = self.open.last_mut() else {
            self.document.root = index;
            return Ok(());
        };
        frame.weight = frame.weight.saturating_add(node.weight);
        frame.height = frame.height.max(node.height + 1);
        match &mut frame.content {
            Content::Sequence(items) => items.push(index),
            Content::Mapping(entries) => match frame.key.take() {
                Some(key) => entries.push((key, index)),
                None if matches!(node.content, Content::Scalar { .. }) => frame.key = Some(index),
                None => {
                    return Err(Flaw::at(mark, "yaml-key", "a key must be a single value"));
                }
            },
            Content::Scalar { .. } => {}
        }
        Ok(())
    }

    /// Follows `<<`: what stands in the mapping itself wins, then the earlier of several sources.
    fn merge(&mut self, entries: Vec<(usize, usize)>) -> Result<Vec<(usize, usize)>, Flaw> {
        let is_merge = |builder: &Self, key: usize| {
            matches!(&builder.document.nodes[key].content,
                Content::Scalar { text, is_plain: true } if text == "<<")
        };
        if !entries.iter().any(|(key, _)| is_merge(self, *key)) {
            return Ok(entries);
        }
        let (merges, mut merged): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|(key, _)| is_merge(self, *key));
        let mut known: std::collections::BTreeSet<String> = merged
            .iter()
            .map(|(key, _)| self.text(*key).to_owned())
            .collect();
        for (key, value) in merges {
            let sources = match &self.document.nodes[value].content {
                Content::Sequence(items) => items.clone(),
                Content::Mapping(_) | Content::Scalar { .. } => vec![value],
            };
            for source in sources {
                let Content::Mapping(inherited) = &self.document.nodes[source].content else {
                    let node = &self.document.nodes[key];
                    let mark = Marker::new(0, node.line as usize, node.column as usize - 1);
                    return Err(Flaw::at(
                        mark,
                        "yaml-merge",
                        "`<<` takes a mapping or a list of them",
                    ));
                };
                for (key, value) in inherited.clone() {
                    if known.insert(self.text(key).to_owned()) {
                        merged.push((key, value));
                    }
                }
            }
        }
        Ok(merged)
    }

    /// Keeps the first of equal keys and notes the others.
    fn without_duplicates(&mut self, entries: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|index| (self.text(entries[*index].0), *index));
        let mut repeated = Vec::new();
        for pair in order.windows(2) {
            if let [first, second] = pair
                && self.text(entries[*first].0) == self.text(entries[*second].0)
            {
                repeated.push((*first, *second));
            }
        }
        if repeated.is_empty() {
            return entries;
        }
        for (first, second) in &repeated {
            let (first, second) = (&self.document.nodes[entries[*first].0], entries[*second].0);
            let hint = format!("the same key stands in line {}", first.line);
            let node = &self.document.nodes[second];
            let mark = Marker::new(0, node.line as usize, node.column as usize - 1);
            let message = format!("the key `{}` is given twice", self.text(second));
            self.document
                .flaws
                .push(Flaw::at(mark, "duplicate-key", message).hint(&hint));
        }
        let gone: std::collections::BTreeSet<usize> =
            repeated.iter().map(|(_, second)| *second).collect();
        let kept = entries.into_iter().enumerate();
        kept.filter(|(index, _)| !gone.contains(index))
            .map(|(_, entry)| entry)
            .collect()
    }

    fn text(&self, index: usize) -> &str {
        match &self.document.nodes[index].content {
            Content::Scalar { text, .. } => text,
            Content::Sequence(_) | Content::Mapping(_) => "",
        }
    }
}

fn too_deep(mark: Marker) -> Flaw {
    Flaw::at(
        mark,
        "yaml-limit",
        format!("the nesting is deeper than {DEPTH_MAX}"),
    )
}

/// Writes a text as a YAML scalar that every reader takes for that very text.
///
/// The serde crate knows YAML 1.2; what YAML 1.1 would make a truth, a number or a date of (`no`,
/// `12:30:00`, `2026-01-15`) is quoted here first. `indent` is the column of the key.
pub(super) fn write_text(text: &str, indent: usize) -> String {
    if super::scalar::is_typed(text) || super::scalar::retyped(text).is_some() {
        return double_quoted(text);
    }
    let is_unusual =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
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

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
