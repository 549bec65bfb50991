//! Building a document from events, within limits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Document, Flaw, Node, Place, ScalarStyle};

/// The deepest nesting. Manifests need eight.
const DEPTH_MAX: usize = 64;

/// The most nodes of one document, each alias counted as all it stands for.
const NODES_MAX: usize = 100_000;

/// A list or mapping that is not closed yet.
struct Frame<'a> {
    content: Content<'a>,
    anchor: usize,
    place: Place,
    weight: usize,
    height: usize,
    /// The key that waits for its value.
    key: Option<usize>,
}

/// Builds one document from events and keeps the limits.
#[derive(Default)]
pub(in super::super) struct Builder<'a> {
    pub document: Document<'a>,
    open: Vec<Frame<'a>>,
    anchors: BTreeMap<usize, usize>,
    weight: usize,
}

impl<'a> Builder<'a> {
    pub fn scalar(
        &mut self,
        text: Cow<'a, str>,
        is_plain: bool,
        anchor: usize,
        place: Place,
    ) -> Result<(), Flaw> {
        self.weigh(1, place, "nodes")?;
        let style = if is_plain { ScalarStyle::Plain } else { ScalarStyle::Quoted };
        let index = self.add(Content::Scalar { text, style }, place, 1, 0);
        self.name(anchor, index);
        self.place(index, place)
    }

    pub fn open(&mut self, content: Content<'a>, anchor: usize, place: Place) -> Result<(), Flaw> {
        self.weigh(1, place, "nodes")?;
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(place));
        }
        self.open.push(Frame { content, anchor, place, weight: 1, height: 0, key: None });
        Ok(())
    }

    pub fn close(&mut self) -> Result<(), Flaw> {
        let Some(frame) = self.open.pop() else {
            return Ok(());
        };
        let Frame { mut content, anchor, place, weight, height, key: _ } = frame;
        if let Content::Mapping(entries) = content {
            let entries = self.merge(entries)?;
            content = Content::Mapping(self.without_duplicates(entries));
        }
        let index = self.add(content, place, weight, height);
        self.name(anchor, index);
        self.place(index, place)
    }

    pub fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Flaw> {
        let Some(index) = self.anchors.get(&anchor).copied() else {
            let message = "an alias is inside its own anchor, or refers to another document";
            let flaw = Flaw::at(place, "yaml-alias", message);
            return Err(
                flaw.hint("an anchor is valid only within its own document; write the value out")
            );
        };
        let (weight, height) =
            (self.document.nodes[index].weight, self.document.nodes[index].height);
        self.weigh(weight, place, "nodes once its aliases are followed")?;
        if self.open.len() + height > DEPTH_MAX {
            return Err(too_deep(place));
        }
        self.place(index, place)
    }

    fn weigh(&mut self, weight: usize, place: Place, what: &str) -> Result<(), Flaw> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > NODES_MAX {
            let message = format!("the document has more than {NODES_MAX} {what}");
            return Err(Flaw::at(place, "yaml-limit", message));
        }
        Ok(())
    }

    fn add(&mut self, content: Content<'a>, place: Place, weight: usize, height: usize) -> usize {
        self.document.nodes.push(Node {
            content,
            line: u32::try_from(place.line).unwrap_or(u32::MAX),
            column: u32::try_from(place.column).unwrap_or(u32::MAX),
            file: 0,
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
    fn place(&mut self, index: usize, place: Place) -> Result<(), Flaw> {
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
                    return Err(Flaw::at(place, "yaml-key", "a key must be a single value"));
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
                Content::Scalar { text, style: ScalarStyle::Plain } if text == "<<")
        };
        if !entries.iter().any(|(key, _)| is_merge(self, *key)) {
            return Ok(entries);
        }
        let (merges, mut merged): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(key, _)| is_merge(self, *key));
        let mut known: BTreeSet<String> =
            merged.iter().map(|(key, _)| self.text(*key).to_owned()).collect();
        for (key, value) in merges {
            let sources = match &self.document.nodes[value].content {
                Content::Sequence(items) => items.clone(),
                Content::Mapping(_) | Content::Scalar { .. } => vec![value],
            };
            for source in sources {
                let Content::Mapping(inherited) = &self.document.nodes[source].content else {
                    let node = &self.document.nodes[key];
                    let place = node.place();
                    return Err(Flaw::at(
                        place,
                        "yaml-merge",
                        "`<<` takes a mapping or a list of mappings",
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
            let mut hint = format!("the same key is in line {}", first.line);
            if self.text(second) == "apiVersion" {
                // Each document has one, and none further inside: here another one begins.
                hint.push_str("; a line `---` separates two documents");
            }
            let node = &self.document.nodes[second];
            let place = node.place();
            let message = format!("the key `{}` is given twice", self.text(second));
            self.document.flaws.push(Flaw::at(place, "duplicate-key", message).hint(&hint));
        }
        let gone: BTreeSet<usize> = repeated.iter().map(|(_, second)| *second).collect();
        let kept = entries.into_iter().enumerate();
        kept.filter(|(index, _)| !gone.contains(index)).map(|(_, entry)| entry).collect()
    }

    fn text(&self, index: usize) -> &str {
        match &self.document.nodes[index].content {
            Content::Scalar { text, .. } => text,
            Content::Sequence(_) | Content::Mapping(_) => "",
        }
    }
}

fn too_deep(place: Place) -> Flaw {
    Flaw::at(place, "yaml-limit", format!("the nesting is deeper than {DEPTH_MAX}"))
}
