//! What was last written to a field, as it is remembered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FieldValue, Fingerprint, Reference};

/// A value as it is remembered: itself, or the fingerprint of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Applied {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth.
    Boolean(bool),
    /// A set of texts.
    Set(BTreeSet<String>),
    /// A secret, known again by its mark.
    Secret(Fingerprint),
    /// A value the platform takes from another resource.
    Reference(Box<Reference>),
}

impl Applied {
    /// Whether it is what is remembered of a value.
    #[must_use]
    pub fn is_of(&self, value: &FieldValue) -> bool {
        match (self, value) {
            (Self::Text(applied), FieldValue::Text(text)) => applied == text,
            (Self::Integer(applied), FieldValue::Integer(number)) => applied == number,
            (Self::Boolean(applied), FieldValue::Boolean(truth)) => applied == truth,
            (Self::Set(applied), FieldValue::Set(items)) => applied == items,
            (Self::Secret(applied), FieldValue::Secret(secret)) => applied == secret.fingerprint(),
            (Self::Reference(applied), FieldValue::Reference(reference)) => applied == reference,
            (
                Self::Text(_)
                | Self::Integer(_)
                | Self::Boolean(_)
                | Self::Set(_)
                | Self::Secret(_)
                | Self::Reference(_),
                _,
            ) => false,
        }
    }
}

impl From<&FieldValue> for Applied {
    fn from(value: &FieldValue) -> Self {
        match value {
            FieldValue::Text(text) => Self::Text(text.clone()),
            FieldValue::Integer(number) => Self::Integer(*number),
            FieldValue::Boolean(truth) => Self::Boolean(*truth),
            FieldValue::Set(items) => Self::Set(items.clone()),
            FieldValue::Secret(secret) => Self::Secret(secret.fingerprint().clone()),
            FieldValue::Reference(reference) => Self::Reference(reference.clone()),
        }
    }
}
