//! Variables: what stands in a manifest for `${NAME}`, and where each was given.

use std::collections::BTreeMap;

use crate::model::Origin;

/// The value of a variable. It is no secret: it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenVariable {
    /// What it stands for; a text, whatever the field that takes it makes of it.
    pub value: String,
    /// Where it is given, when that is a line of a file.
    pub origin: Option<Origin>,
}

/// Variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, GivenVariable>);

impl Variables {
    /// Whether a text is the name of a variable: letters, digits and `_`, no digit first.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        text.bytes().all(is_letter)
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && !text.is_empty()
    }

    /// Gives a variable its value, in the place of the one it had.
    pub fn give(&mut self, name: String, variable: GivenVariable) {
        self.0.insert(name, variable);
    }

    /// Returns a variable with its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(&str, &GivenVariable)> {
        self.0.get_key_value(name).map(|(name, variable)| (name.as_str(), variable))
    }

    /// Returns them in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &GivenVariable)> {
        self.0.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
