//! `NAME=VALUE`: a variable of the manifests as it is typed.

use std::str::FromStr;

/// `NAME=VALUE` of a variable; the value is taken as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableFlag {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl FromStr for VariableFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}
