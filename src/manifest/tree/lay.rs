//! Laying one document over another: mappings key by key, `envVars` by key, other lists whole, and
//! `null` takes away. Each value keeps the file and the line it comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Document, Flaw, Node, ScalarStyle};
use crate::manifest::suggest::nearest;

/// What the head of a layer's document says to the layers, and not to whoever reads the result.
pub(in super::super) const LAYER_KEYS: [&str; 2] = ["select", "omit"];

/// The list whose items are laid over each other by their `key`.
const VARIABLES: &str = "envVars";

/// What one document of a layer did to those it was laid over.
#[derive(Debug, Default)]
pub(in super::super) struct LayerEffect {
    /// Whether anything is other than below.
    pub has_changed: bool,
    /// The `null`s that took something away.
    took_away: BTreeSet<usize>,
    /// The `null`s that found nothing, with the key that was probably meant.
    missed: BTreeMap<usize, Option<String>>,
}

impl LayerEffect {
    /// Returns a flaw for each `null` that never took anything away.
    pub fn misses(&self, layer: &Document<'_>) -> Vec<Flaw> {
        let missed = self.missed.iter().filter(|(null, _)| !self.took_away.contains(null));
        let flaw = |(null, near): (&usize, &Option<String>)| {
            let message = "`null` removes nothing here: it is not set below";
            let flaw = Flaw::at(layer.nodes[*null].place(), "overlay-nothing", message);
            match near {
                Some(near) => flaw.hint(&format!("did you mean `{near}`?")),
                None => flaw.hint("remove the line"),
            }
        };
        missed.map(flaw).collect()
    }
}

/// Lays a document over another.
pub(in super::super) fn lay<'a>(
    below: &mut Document<'a>,
    layer: &Document<'a>,
    effect: &mut LayerEffect,
) {
    let (offset, files) = (below.nodes.len(), below.files.len());
    below.files.extend(&layer.files);
    below.nodes.extend(layer.nodes.iter().map(|node| moved(node, offset, files)));
    let (root, above) = (below.root, layer.root + offset);
    if let Content::Mapping(entries) = &below.nodes[above].content {
        let is_told = |key: usize| !LAYER_KEYS.contains(&below.text(key));
        let told = entries.iter().copied().filter(|(key, _)| is_told(*key)).collect();
        below.nodes[above].content = Content::Mapping(told);
    }
    below.root = Layering { document: below, offset, effect }.merge(root, above);
}

/// Returns a node of one document as a node of another.
fn moved<'a>(node: &Node<'a>, offset: usize, files: usize) -> Node<'a> {
    let mut node = node.clone();
    node.file += u32::try_from(files).unwrap_or(u32::MAX);
    match &mut node.content {
        Content::Scalar { .. } => {}
        Content::Sequence(items) => items.iter_mut().for_each(|item| *item += offset),
        Content::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
            *key += offset;
            *value += offset;
        }),
    }
    node
}

struct Layering<'d, 'a> {
    document: &'d mut Document<'a>,
    /// Where the layer's nodes begin.
    offset: usize,
    effect: &'d mut LayerEffect,
}

impl<'a> Layering<'_, 'a> {
    /// Returns what two nodes are together.
    fn merge(&mut self, below: usize, above: usize) -> usize {
        let nodes = &self.document.nodes;
        let (Content::Mapping(under), Content::Mapping(over)) =
            (&nodes[below].content, &nodes[above].content)
        else {
            return self.replace(below, above);
        };
        let (under, over) = (under.clone(), over.clone());
        let of = |key: usize| self.document.text(key).to_owned();
        let known: BTreeSet<String> = under.iter().map(|(key, _)| of(*key)).collect();
        let mut laid: BTreeMap<String, usize> =
            over.iter().map(|(key, value)| (of(*key), *value)).collect();
        let mut entries = Vec::with_capacity(under.len());
        for (key, value) in under {
            let name = self.document.text(key).to_owned();
            match laid.remove(&name) {
                None => entries.push((key, value)),
                Some(null) if self.document.is_null(null) => self.take_away(null),
                Some(above) if name == VARIABLES => entries.push((key, self.items(value, above))),
                Some(above) => entries.push((key, self.merge(value, above))),
            }
        }
        for (key, value) in over {
            let name = self.document.text(key).to_owned();
            if !laid.contains_key(&name) {
                continue;
            }
            if self.document.is_null(value) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                self.miss(value, nearest(&name, &known));
            } else {
                self.add(value);
                entries.push((key, value));
            }
        }
        self.stand_in(below, Content::Mapping(entries))
    }

    /// Returns what two lists of variables are together: an item takes the place of the one with its
    /// key, and one that gives nothing but `null` takes it away.
    fn items(&mut self, below: usize, above: usize) -> usize {
        let nodes = &self.document.nodes;
        let (Content::Sequence(under), Content::Sequence(over)) =
            (&nodes[below].content, &nodes[above].content)
        else {
            return self.replace(below, above);
        };
        let (mut items, over) = (under.clone(), over.clone());
        let mut laid = BTreeSet::new();
        for item in over {
            let key = self.document.key_of(item).map(str::to_owned);
            let is_first = key.as_ref().is_some_and(|key| laid.insert(key.clone()));
            let is_it = |other: &usize| key.as_deref() == self.document.key_of(*other);
            let found = items.iter().position(is_it).filter(|_| is_first);
            match (found, self.document.null_of(item)) {
                (Some(found), Some(null)) => {
                    items.remove(found);
                    self.take_away(null);
                }
                (None, Some(null)) => {
                    let known: Vec<&str> =
                        items.iter().filter_map(|item| self.document.key_of(*item)).collect();
                    let near = nearest(key.as_deref().unwrap_or_default(), &known);
                    let near = near.map(str::to_owned);
                    self.miss(null, near.as_deref());
                }
                (Some(found), None) => items[found] = self.replace(items[found], item),
                (None, None) => {
                    self.add(item);
                    items.push(item);
                }
            }
        }
        self.stand_in(below, Content::Sequence(items))
    }

    fn replace(&mut self, below: usize, above: usize) -> usize {
        self.effect.has_changed |= !self.document.is_equal(below, above);
        self.miss_all(above);
        above
    }

    fn add(&mut self, above: usize) {
        self.effect.has_changed = true;
        self.miss_all(above);
    }

    fn take_away(&mut self, null: usize) {
        self.effect.has_changed = true;
        self.effect.took_away.insert(null - self.offset);
    }

    fn miss(&mut self, null: usize, near: Option<&str>) {
        self.effect.missed.insert(null - self.offset, near.map(str::to_owned));
    }

    /// Notes every `null` of what has nothing below it.
    fn miss_all(&mut self, node: usize) {
        if self.document.is_null(node) {
            return self.miss(node, None);
        }
        let below: Vec<usize> = match &self.document.nodes[node].content {
            Content::Scalar { .. } => Vec::new(),
            Content::Sequence(items) => items.clone(),
            Content::Mapping(entries) => entries.iter().map(|(_, value)| *value).collect(),
        };
        below.into_iter().for_each(|node| self.miss_all(node));
    }

    /// Adds a node that stands where another stood.
    fn stand_in(&mut self, other: usize, content: Content<'a>) -> usize {
        let Node { line, column, file, weight, height, .. } = self.document.nodes[other];
        self.document.nodes.push(Node { content, line, column, file, weight, height });
        self.document.nodes.len() - 1
    }
}

impl Document<'_> {
    pub(super) fn text(&self, node: usize) -> &str {
        match &self.nodes[node].content {
            Content::Scalar { text, style: _ } => text,
            Content::Sequence(_) | Content::Mapping(_) => "",
        }
    }

    fn is_null(&self, node: usize) -> bool {
        match &self.nodes[node].content {
            Content::Scalar { text, style } => {
                *style == ScalarStyle::Plain && crate::manifest::scalar::is_null(text)
            }
            Content::Sequence(_) | Content::Mapping(_) => false,
        }
    }

    fn entries_of(&self, node: usize) -> &[(usize, usize)] {
        match &self.nodes[node].content {
            Content::Mapping(entries) => entries,
            Content::Scalar { .. } | Content::Sequence(_) => &[],
        }
    }

    /// Returns the `key` of an item.
    pub(super) fn key_of(&self, item: usize) -> Option<&str> {
        let entry = self.entries_of(item).iter().find(|(key, _)| self.text(*key) == "key")?;
        Some(self.text(entry.1))
    }

    /// Returns the `null` of an item that gives nothing else.
    fn null_of(&self, item: usize) -> Option<usize> {
        let entries = self.entries_of(item).iter();
        let mut given = entries.filter(|(key, _)| self.text(*key) != "key").map(|(_, it)| *it);
        let first = given.next().filter(|it| self.is_null(*it))?;
        given.all(|it| self.is_null(it)).then_some(first)
    }

    /// Whether two nodes say the same.
    fn is_equal(&self, one: usize, other: usize) -> bool {
        match (&self.nodes[one].content, &self.nodes[other].content) {
            (
                Content::Scalar { text, style },
                Content::Scalar { text: other_text, style: other_style },
            ) => {
                let is_same_style =
                    (*style == ScalarStyle::Plain) == (*other_style == ScalarStyle::Plain);
                text == other_text && is_same_style
            }
            (Content::Sequence(items), Content::Sequence(others)) => {
                items.len() == others.len()
                    && items.iter().zip(others).all(|(one, other)| self.is_equal(*one, *other))
            }
            (Content::Mapping(entries), Content::Mapping(others)) => {
                let same = |(key, value): &(usize, usize)| {
                    let other = others.iter().find(|(it, _)| self.text(*it) == self.text(*key));
                    other.is_some_and(|(_, other)| self.is_equal(*value, *other))
                };
                entries.len() == others.len() && entries.iter().all(same)
            }
            (Content::Scalar { .. } | Content::Sequence(_) | Content::Mapping(_), _) => false,
        }
    }
}
