//! The spanned tree of one document: what stands where, built from events, within limits.
//!
//! Aliases share nodes instead of copying them, so a bomb is a small graph whose weight is known
//! before anyone walks it. Which parser makes the events is not known here.

mod build;
mod fill;
mod lay;
mod way;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::model::{Diagnostic, Origin};

pub(super) use build::Builder;
pub(super) use fill::{Fill, UNRESOLVED};
pub(super) use lay::{LayerEffect, lay};
pub(super) use way::PathStep;

/// A place in a file: line and column in characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

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
    pub fn at(place: Place, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, line: place.line, column: place.column }
    }

    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    /// Returns the finding about a file that it is.
    pub fn in_file(self, file: &str) -> Diagnostic {
        let Self { code, message, hint, line, column } = self;
        let origin = Origin { file: file.to_owned(), line, column };
        let mut finding = Diagnostic::error(code, message).at(origin);
        finding.hints.extend(hint);
        finding
    }
}

/// What tells the type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarStyle {
    /// Its text: it stands without quotes.
    Plain,
    /// Nothing: it is a text.
    Quoted,
    /// The field that takes it: a variable gave it its value.
    Filled,
}

/// What a node holds; children by their place in the document's list of nodes.
#[derive(Clone, Debug)]
pub(super) enum Content<'a> {
    Scalar { text: Cow<'a, str>, style: ScalarStyle },
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

#[derive(Clone, Debug)]
struct Node<'a> {
    content: Content<'a>,
    line: u32,
    column: u32,
    /// Which of the document's files it stands in.
    file: u32,
    /// How many nodes it stands for, aliases followed.
    weight: usize,
    /// How deep it reaches below itself.
    height: usize,
}

impl Node<'_> {
    const fn place(&self) -> Place {
        Place { line: self.line as usize, column: self.column as usize }
    }
}

/// One document and the flaws that did not stop its reading.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    nodes: Vec<Node<'a>>,
    root: usize,
    /// The files its nodes stand in: several once layers were laid over it.
    files: Vec<&'a str>,
    pub flaws: Vec<Flaw>,
    /// The routes of the values that somebody took.
    taken: RefCell<BTreeSet<u64>>,
}

impl<'a> Document<'a> {
    /// Says which file it stands in.
    pub fn stand_in(&mut self, file: &'a str) {
        self.files = vec![file];
    }

    /// Returns how much text it holds, in bytes.
    pub fn bytes(&self) -> u64 {
        let length = |node: &Node<'_>| match &node.content {
            Content::Scalar { text, style: _ } => text.len() as u64,
            Content::Sequence(_) | Content::Mapping(_) => 0,
        };
        self.nodes.iter().map(length).sum()
    }

    /// Returns the root; `None` for a document that holds nothing.
    pub fn root(&self) -> Option<Yaml<'_, 'a>> {
        let root = Yaml { document: self, node: self.nodes.get(self.root)?, route: 0 };
        (!root.is_null()).then_some(root)
    }
}

/// A node and its document, cheap to pass on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Yaml<'d, 'a> {
    document: &'d Document<'a>,
    node: &'d Node<'a>,
    /// The way from the root, as a number: an alias is one node in several places, and what is taken
    /// in one of them is not taken in another.
    route: u64,
}

impl<'d, 'a> Yaml<'d, 'a> {
    pub const fn line(self) -> usize {
        self.node.line as usize
    }

    pub const fn column(self) -> usize {
        self.node.column as usize
    }

    /// Returns the file it stands in, where the document was told.
    pub fn file(self) -> Option<&'a str> {
        self.document.files.get(self.node.file as usize).copied()
    }

    /// Returns a scalar's text as written, and whether it stands without quotes.
    pub fn scalar(self) -> Option<(&'d str, bool)> {
        match &self.node.content {
            Content::Scalar { text, style } => Some((text, *style == ScalarStyle::Plain)),
            Content::Sequence(_) | Content::Mapping(_) => None,
        }
    }

    /// Whether nothing stands here, or `null`.
    pub fn is_null(self) -> bool {
        self.scalar().is_some_and(|(text, is_plain)| is_plain && super::scalar::is_null(text))
    }

    /// Whether a variable gave it its value, so that the field that takes it says its type.
    pub const fn is_filled(self) -> bool {
        matches!(&self.node.content, Content::Scalar { style: ScalarStyle::Filled, .. })
    }

    /// Returns the items of a list.
    pub fn items(self) -> Option<impl ExactSizeIterator<Item = Self>> {
        match &self.node.content {
            Content::Sequence(items) => {
                let items = items.iter().enumerate();
                Some(items.map(move |(step, item)| self.below(step, *item)))
            }
            Content::Scalar { .. } | Content::Mapping(_) => None,
        }
    }

    /// Returns the keys and values of a mapping, in the order of the file.
    pub fn entries(self) -> Option<impl ExactSizeIterator<Item = (&'d str, Self, Self)>> {
        match &self.node.content {
            Content::Mapping(entries) => {
                let entries = entries.iter().enumerate();
                Some(entries.map(move |(step, (key, value))| {
                    let key = self.below(2 * step, *key);
                    let text = key.scalar().map_or("", |(text, _)| text);
                    (text, key, self.below(2 * step + 1, *value))
                }))
            }
            Content::Scalar { .. } | Content::Sequence(_) => None,
        }
    }

    /// Returns the value of a key.
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries()?.find(|(text, _, _)| *text == key).map(|(_, _, value)| value)
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

    /// Notes that it was read, or that a finding tells what becomes of it and all below it.
    pub fn take(self) {
        self.document.taken.borrow_mut().insert(self.route);
    }

    /// Whether it was taken, or says nothing.
    pub fn is_taken(self) -> bool {
        self.is_null() || self.document.taken.borrow().contains(&self.route)
    }

    /// Whether two are the same place, and not only what is written there.
    pub fn is_same(self, other: Self) -> bool {
        self.route == other.route
    }

    fn below(self, step: usize, index: usize) -> Self {
        // FNV-1a over the steps; 64 bits keep apart the 100,000 places a document may have.
        let route = (self.route ^ (step as u64 + 1)).wrapping_mul(0x0100_0000_01b3);
        let route = route.rotate_left(29) ^ 0xcbf2_9ce4_8422_2325;
        Self { document: self.document, node: &self.document.nodes[index], route }
    }
}
