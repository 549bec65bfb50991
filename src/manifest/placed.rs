//! A file of another program as plain values that know where they stand: what imports read.
//!
//! The same strict reading as for manifests: a key given twice, a tag or a bomb of aliases is an
//! error. What the values mean is for the caller to say, who also notes which of them it took.

use std::cell::Cell;
use std::sync::Arc;

use super::scalar;
use super::tree::{Flaw, Yaml};
use super::yaml::Documents;
use crate::model::{Diagnostic, Origin};

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The file, as users read it.
    pub file: Arc<str>,
    /// The line, from 1: of a list or a mapping that of its key.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What stands there.
    pub content: PlacedContent,
    /// Whether somebody read it, or told what becomes of it.
    is_taken: Cell<bool>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum PlacedContent {
    /// Nothing, or `null`.
    Nothing,
    /// A single value.
    Scalar {
        /// Its text as written.
        text: String,
        /// Whether it stands without quotes, so that its text decides what it is.
        is_plain: bool,
    },
    /// A list.
    Items(Vec<Placed>),
    /// A mapping, in the order of the file.
    Entries(Vec<(String, Placed)>),
}

impl Placed {
    /// Makes a value that stands at a place.
    #[must_use]
    pub const fn at(file: Arc<str>, line: usize, column: usize, content: PlacedContent) -> Self {
        Self { file, line, column, content, is_taken: Cell::new(false) }
    }

    /// Makes another value that stands where this one does.
    #[must_use]
    pub fn beside(&self, content: PlacedContent) -> Self {
        Self::at(Arc::clone(&self.file), self.line, self.column, content)
    }

    /// Returns its place.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { file: self.file.to_string(), line: self.line, column: self.column }
    }

    /// Returns the text of a single value, and whether it stands without quotes.
    #[must_use]
    pub fn scalar(&self) -> Option<(&str, bool)> {
        match &self.content {
            PlacedContent::Scalar { text, is_plain } => Some((text, *is_plain)),
            PlacedContent::Nothing | PlacedContent::Items(_) | PlacedContent::Entries(_) => None,
        }
    }

    /// Returns the items of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.content {
            PlacedContent::Items(items) => items,
            PlacedContent::Nothing | PlacedContent::Scalar { .. } | PlacedContent::Entries(_) => {
                &[]
            }
        }
    }

    /// Returns the entries of a mapping; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(String, Self)] {
        match &self.content {
            PlacedContent::Entries(entries) => entries,
            PlacedContent::Nothing | PlacedContent::Scalar { .. } | PlacedContent::Items(_) => &[],
        }
    }

    /// Returns the value of a key, where it says anything.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let (_, value) = self.entries().iter().find(|(name, _)| name == key)?;
        (!value.is_nothing()).then_some(value)
    }

    /// Whether nothing stands there, or `null`.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self.content, PlacedContent::Nothing)
    }

    /// What it is, in a reader's words.
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self.content {
            PlacedContent::Nothing => "nothing",
            PlacedContent::Scalar { .. } => "a single value",
            PlacedContent::Items(_) => "a list",
            PlacedContent::Entries(_) => "a mapping",
        }
    }

    /// Notes that it and all below it was read, or that a finding tells what becomes of it.
    pub fn take(&self) {
        self.is_taken.set(true);
    }

    /// Returns the values below it that nobody took, each with its path from here.
    #[must_use]
    pub fn untaken(&self) -> Vec<(String, &Self)> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found
    }

    fn collect<'p>(&'p self, path: &str, found: &mut Vec<(String, &'p Self)>) {
        if self.is_taken.get() {
            return;
        }
        match &self.content {
            PlacedContent::Nothing => {}
            PlacedContent::Scalar { .. } => found.push((path.to_owned(), self)),
            PlacedContent::Items(items) => items.iter().for_each(|it| it.collect(path, found)),
            PlacedContent::Entries(entries) => {
                for (key, value) in entries {
                    let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    value.collect(&below, found);
                }
            }
        }
    }
}

/// Reads a file that holds one document of YAML, or of JSON.
///
/// # Errors
/// When it is no such text: everything that is wrong with it, with places.
pub fn placed(file: &str, text: &str) -> Result<Placed, Vec<Diagnostic>> {
    let error = |flaw: Flaw| vec![flaw.in_file(file)];
    let mut documents = Documents::new(text).map_err(error)?;
    let file: Arc<str> = file.into();
    let mut whole = None;
    while let Some(mut document) = documents.next_document().map_err(error)? {
        let flaws = std::mem::take(&mut document.flaws);
        if !flaws.is_empty() {
            return Err(flaws.into_iter().map(|flaw| flaw.in_file(&file)).collect());
        }
        let Some(root) = document.root() else { continue };
        let read = take(&file, root);
        if whole.is_some() {
            let message = "only one document is read, and this is a second one";
            return Err(vec![Diagnostic::error("second-document", message).at(read.origin())]);
        }
        whole = Some(read);
    }
    Ok(whole.unwrap_or_else(|| Placed::at(file, 1, 1, PlacedContent::Nothing)))
}

fn take(file: &Arc<str>, yaml: Yaml<'_, '_>) -> Placed {
    let content = match yaml.scalar() {
        Some((text, true)) if scalar::is_null(text) => PlacedContent::Nothing,
        Some((text, is_plain)) => PlacedContent::Scalar { text: text.to_owned(), is_plain },
        None => match (yaml.items(), yaml.entries()) {
            (Some(items), _) => PlacedContent::Items(items.map(|item| take(file, item)).collect()),
            (None, entries) => {
                let entries = entries.into_iter().flatten().map(|(text, key, yaml)| {
                    let mut value = take(file, yaml);
                    if value.scalar().is_none() {
                        (value.line, value.column) = (key.line(), key.column());
                    }
                    (text.to_owned(), value)
                });
                PlacedContent::Entries(entries.collect())
            }
        },
    };
    Placed::at(Arc::clone(file), yaml.line(), yaml.column(), content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place_and_what_nobody_took_is_known() {
        let read = placed("a.yaml", "a:\n  - b\n  - c: 'd'\ne: ~\n").unwrap();
        let a = read.get("a").unwrap();
        assert_eq!((a.line, a.column, a.describe()), (1, 1, "a list"));
        assert_eq!(a.items()[0].scalar(), Some(("b", true)));
        assert_eq!(a.items()[1].get("c").unwrap().scalar(), Some(("d", false)));
        assert!(read.get("e").is_none() && read.get("f").is_none());
        a.items()[0].take();
        let left: Vec<String> = read.untaken().into_iter().map(|(path, _)| path).collect();
        assert_eq!(left, ["a.c"]);
        a.take();
        assert!(read.untaken().is_empty());
    }

    #[test]
    fn json_is_read_and_a_key_given_twice_is_refused_with_both_lines() {
        assert!(placed("app.json", "{\n\t\"a\": [1, true]\n}\n").unwrap().get("a").is_some());
        let refused = placed("a.yaml", "a: 1\nb: 2\na: 3\n").unwrap_err();
        let said = refused[0].to_string();
        assert!(said.starts_with("a.yaml:3:1: error[duplicate-key]"), "{said}");
        assert!(said.contains("is in line 1"), "{said}");
        assert!(placed("a.yaml", "a: 1\n---\nb: 2\n").is_err());
    }
}
