//! Tables as they grow line by line, and what may still be added to which.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::manifest::{Placed, PlacedContent};

use super::{Fault, TomlKey};

/// A value with its place.
pub(super) struct TomlEntry {
    pub line: usize,
    pub column: usize,
    pub node: TomlNode,
}

/// A value.
pub(super) enum TomlNode {
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<TomlEntry>),
    /// What `[[…]]` makes: at least one table.
    Tables(Vec<TomlEntry>),
    Table(TomlTable),
}

/// Where a table comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TableOrigin {
    /// The header of a table below it.
    #[default]
    Implied,
    /// A header of its own.
    Header,
    /// A key with dots.
    Dots,
    /// Braces: nothing is added any more.
    Braces,
}

/// A table in the order of the file.
#[derive(Default)]
pub(super) struct TomlTable {
    entries: Vec<(TomlKey, TomlEntry)>,
    places: BTreeMap<String, usize>,
    origin: TableOrigin,
}

impl TomlNode {
    pub fn inline() -> Self {
        Self::Table(TomlTable { origin: TableOrigin::Dots, ..TomlTable::default() })
    }
}

impl TomlTable {
    fn get(&mut self, key: &TomlKey) -> Option<&mut TomlEntry> {
        let place = *self.places.get(&key.text)?;
        Some(&mut self.entries[place].1)
    }

    fn insert(&mut self, key: &TomlKey, node: TomlNode, (line, column): (usize, usize)) {
        self.places.insert(key.text.clone(), self.entries.len());
        self.entries.push((key.clone(), TomlEntry { line, column, node }));
    }

    /// Returns the table below a key, made if it is not there.
    fn below(&mut self, key: &TomlKey, origin: TableOrigin) -> Result<&mut Self, Fault> {
        if !self.places.contains_key(&key.text) {
            let node = TomlNode::Table(Self { origin, ..Self::default() });
            self.insert(key, node, (key.line, key.column));
        }
        let entry = self.get(key).map(|entry| &mut entry.node);
        match entry {
            Some(TomlNode::Table(table)) if table.origin != TableOrigin::Braces => Ok(table),
            Some(TomlNode::Tables(tables)) if origin == TableOrigin::Implied => {
                match tables.last_mut().map(|last| &mut last.node) {
                    Some(TomlNode::Table(table)) => Ok(table),
                    _ => Err(key.fault("is not a table")),
                }
            }
            _ => Err(key.fault("already has a value, and takes no more")),
        }
    }

    /// Sets the value of a key, which may have dots.
    pub fn put(&mut self, keys: &[TomlKey], value: TomlEntry) -> Result<(), Fault> {
        let Some((last, path)) = keys.split_last() else { return Ok(()) };
        let mut table = self;
        for key in path {
            table = table.below(key, TableOrigin::Dots)?;
            if table.origin != TableOrigin::Dots {
                return Err(key.fault("is a table with a header of its own"));
            }
        }
        if table.places.contains_key(&last.text) {
            return Err(last.fault("is given twice"));
        }
        table.insert(last, value.node, (value.line, value.column));
        Ok(())
    }
}

impl TomlEntry {
    /// Returns the table of a section that was opened.
    pub fn section(&mut self, path: &[TomlKey]) -> &mut TomlTable {
        let mut node = &mut self.node;
        let mut keys = path.iter();
        loop {
            node = match node {
                TomlNode::Tables(tables) => {
                    &mut tables.last_mut().expect("it was made with its first table").node
                }
                TomlNode::Table(table) => match keys.next() {
                    None => return table,
                    Some(key) => &mut table.get(key).expect("its header was read").node,
                },
                TomlNode::Scalar { .. } | TomlNode::List(_) => {
                    unreachable!("only tables are opened")
                }
            };
        }
    }

    /// Opens the table of a header.
    pub fn open(&mut self, keys: &[TomlKey], is_list: bool) -> Result<(), Fault> {
        let Some((last, path)) = keys.split_last() else { return Ok(()) };
        let mut table = self.section(&[]);
        for key in path {
            table = table.below(key, TableOrigin::Implied)?;
        }
        let place = (last.line, last.column);
        let opened = TomlTable { origin: TableOrigin::Header, ..TomlTable::default() };
        let node = TomlNode::Table(opened);
        match (table.get(last).map(|entry| &mut entry.node), is_list) {
            (None, false) => table.insert(last, node, place),
            (None, true) => {
                let first = TomlEntry { line: place.0, column: place.1, node };
                table.insert(last, TomlNode::Tables(vec![first]), place);
            }
            (Some(TomlNode::Tables(tables)), true) => {
                tables.push(TomlEntry { line: place.0, column: place.1, node });
            }
            (Some(TomlNode::Table(table)), false) if table.origin == TableOrigin::Implied => {
                table.origin = TableOrigin::Header;
            }
            (Some(_), _) => return Err(last.fault("is given twice")),
        }
        Ok(())
    }

    /// Ends a table in braces, with all tables that its keys made.
    pub fn close(&mut self) {
        if let TomlNode::Table(table) = &mut self.node
            && table.origin != TableOrigin::Braces
        {
            table.origin = TableOrigin::Braces;
            table.entries.iter_mut().for_each(|(_, entry)| entry.close());
        }
    }

    /// Returns it as a plain value.
    pub fn into_placed(self, file: &Arc<str>) -> Placed {
        let Self { line, column, node } = self;
        let items = |items: Vec<Self>| {
            PlacedContent::Items(items.into_iter().map(|item| item.into_placed(file)).collect())
        };
        let content = match node {
            TomlNode::Scalar { text, is_plain } => PlacedContent::Scalar { text, is_plain },
            TomlNode::List(list) | TomlNode::Tables(list) => items(list),
            TomlNode::Table(table) => {
                let entries = table.entries.into_iter();
                let placed = entries.map(|(key, entry)| (key.text, entry.into_placed(file)));
                PlacedContent::Entries(placed.collect())
            }
        };
        Placed::at(Arc::clone(file), line, column, content)
    }
}
