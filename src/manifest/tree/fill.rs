//! Variables: `${NAME}` in the values of a document gets its value, before anything reads it.
//!
//! A value that a variable gave is marked: the field that takes it says its type, and however it
//! reads, it is never nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{Content, Document, Flaw, Place, ScalarStyle};
use crate::manifest::suggest::nearest;
use crate::source::{BYTES_MAX, GivenVariable, Variables};

/// The code of a `${…}` that got no value.
pub(in super::super) const UNRESOLVED: &str = "unresolved-variable";

/// How much text the values with variables may become: as much as all manifests may have.
const TEXT_MAX: usize = BYTES_MAX as usize;

/// The variables, and which of them were used.
pub(in super::super) struct Fill<'v> {
    variables: &'v Variables,
    /// How much more text they may become, in bytes: a few lines that name a long one many times
    /// would else fill the memory (S12).
    room: usize,
    used: BTreeSet<&'v str>,
}

impl<'v> Fill<'v> {
    pub const fn of(variables: &'v Variables) -> Self {
        Self { variables, room: TEXT_MAX, used: BTreeSet::new() }
    }

    /// Fills in every value of a document; `$${` becomes `${`. What cannot be filled in stays, and
    /// is a flaw.
    pub fn fill(&mut self, document: &mut Document<'_>) -> Vec<Flaw> {
        let is_marked = |content: &Content<'_>| match content {
            Content::Scalar { text, style: _ } => text.contains("${"),
            Content::Sequence(_) | Content::Mapping(_) => false,
        };
        if !document.nodes.iter().any(|node| is_marked(&node.content)) {
            return Vec::new();
        }
        let mut keys = BTreeSet::new();
        for node in &document.nodes {
            if let Content::Mapping(entries) = &node.content {
                keys.extend(entries.iter().map(|(key, _)| *key));
            }
        }
        let mut flaws = Vec::new();
        for (index, node) in document.nodes.iter_mut().enumerate() {
            let place = node.place();
            let Content::Scalar { text, style } = &mut node.content else { continue };
            if !text.contains("${") {
                continue;
            }
            if keys.contains(&index) {
                let message = "a key contains `${…}`, and variables are allowed only in values";
                flaws.push(Flaw::at(place, UNRESOLVED, message).hint("write the key out"));
                continue;
            }
            match self.filled(text, place) {
                Ok((filled, has_variable)) => {
                    *text = Cow::Owned(filled);
                    *style = if has_variable { ScalarStyle::Filled } else { *style };
                }
                Err(flaw) => flaws.push(flaw),
            }
        }
        flaws
    }

    /// Returns a text with its variables filled in, and whether it had any.
    fn filled(&mut self, text: &str, place: Place) -> Result<(String, bool), Flaw> {
        let (mut filled, mut has_variable, mut rest) = (String::new(), false, text);
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(behind) = rest.strip_prefix("$${") {
                filled.push_str("${");
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("${") {
                let name = behind.split_once('}').filter(|(name, _)| Variables::is_name(name));
                let (name, behind) = name.ok_or_else(|| malformed(place))?;
                let value = &self.variable(name, place)?.value;
                self.room = self.room.checked_sub(value.len()).ok_or_else(|| too_long(place))?;
                filled.push_str(value);
                (has_variable, rest) = (true, behind);
            } else {
                filled.push('$');
                rest = &rest[1..];
            }
        }
        filled.push_str(rest);
        Ok((filled, has_variable))
    }

    fn variable(&mut self, name: &str, place: Place) -> Result<&'v GivenVariable, Flaw> {
        if let Some((name, variable)) = self.variables.get(name) {
            self.used.insert(name);
            return Ok(variable);
        }
        let known: Vec<&str> = self.variables.iter().map(|(name, _)| name).collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None => format!(
                "give it with `--var {name}=…` or under `vars` of `stoker.yaml`; `$${{` is a \
                 literal `${{`"
            ),
        };
        let message = format!("the variable `{name}` is not given");
        Err(Flaw::at(place, UNRESOLVED, message).hint(&hint))
    }

    /// Returns the variables, each with whether a value used it.
    pub fn variables(&self) -> impl Iterator<Item = (&'v str, &'v GivenVariable, bool)> {
        self.variables.iter().map(|(name, it)| (name, it, self.used.contains(name)))
    }
}

fn too_long(place: Place) -> Flaw {
    let message = "the values with variables exceed 10 MB";
    Flaw::at(place, "too-large", message)
}

fn malformed(place: Place) -> Flaw {
    let message = "this `${…}` is not a variable";
    let hint = "a name has letters, digits and `_`, and does not begin with a digit; `$${` is a \
        literal `${`";
    Flaw::at(place, UNRESOLVED, message).hint(hint)
}
