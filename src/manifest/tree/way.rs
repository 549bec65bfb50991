//! Ways into a document: to a value by its keys, and what stands there.

use std::borrow::Cow;

use super::{Content, Document, Node};
use crate::model::Origin;

/// One step of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum PathStep<'s> {
    /// To the value of a key.
    Key(&'s str),
    /// To the item of a list whose `key` this is.
    Item(&'s str),
}

impl Document<'_> {
    /// Returns the line in which a way ends: that of its last key or item.
    pub fn line_of(&self, way: &[PathStep<'_>]) -> Option<usize> {
        let (line, _) = self.follow(way)?;
        Some(line as usize)
    }

    /// Says that what stands at the end of a way, and all below it, stands at a place.
    pub fn move_to(&mut self, way: &[PathStep<'_>], origin: &Origin) {
        let Some((_, node)) = self.follow(way) else { return };
        let mut below = vec![node];
        while let Some(index) = below.pop() {
            let node = &mut self.nodes[index];
            node.line = u32::try_from(origin.line).unwrap_or(u32::MAX);
            node.column = u32::try_from(origin.column).unwrap_or(u32::MAX);
            match &node.content {
                Content::Scalar { .. } => {}
                Content::Sequence(items) => below.extend(items),
                Content::Mapping(entries) => {
                    below.extend(entries.iter().flat_map(|(key, value)| [*key, *value]));
                }
            }
        }
    }

    /// Returns the line of the last step of a way, and the node it ends at.
    fn follow(&self, way: &[PathStep<'_>]) -> Option<(u32, usize)> {
        let mut at = (self.nodes.get(self.root)?.line, self.root);
        for step in way {
            at = match (step, &self.nodes[at.1].content) {
                (PathStep::Key(wanted), Content::Mapping(entries)) => {
                    let found = entries.iter().find(|(key, _)| self.text(*key) == *wanted)?;
                    (self.nodes[found.0].line, found.1)
                }
                (PathStep::Item(wanted), Content::Sequence(items)) => {
                    let found = items.iter().find(|item| self.key_of(**item) == Some(*wanted))?;
                    (self.nodes[*found].line, *found)
                }
                (PathStep::Key(_) | PathStep::Item(_), _) => return None,
            };
        }
        Some(at)
    }

    /// Returns the same document, which borrows no text. Whose file it is has to be told anew.
    pub fn into_owned(self) -> Document<'static> {
        let owned = |node: Node<'_>| {
            let Node { content, line, column, file, weight, height } = node;
            let content = match content {
                Content::Scalar { text, style } => {
                    Content::Scalar { text: Cow::Owned(text.into_owned()), style }
                }
                Content::Sequence(items) => Content::Sequence(items),
                Content::Mapping(entries) => Content::Mapping(entries),
            };
            Node { content, line, column, file, weight, height }
        };
        let Self { nodes, root, files: _, flaws, taken } = self;
        let nodes = nodes.into_iter().map(owned).collect();
        Document { nodes, root, files: Vec::new(), flaws, taken }
    }
}
