//! YAML on the way out: any value as one document, and documents as values.

use serde::Serialize;
use serde::de::Deserialize as _;

use crate::model::{Desired, Source};

/// Writes any value as one YAML document.
///
/// # Errors
/// When the value has keys that YAML cannot hold.
pub fn to_yaml(value: &impl Serialize) -> Result<String, String> {
    serde_yaml::to_string(value).map_err(|error| error.to_string())
}

/// Returns native documents as values, for those who want JSON.
#[must_use]
pub fn documents(desired: &Desired<Source>) -> Vec<serde_json::Value> {
    let text = super::print(desired);
    let documents = serde_yaml::Deserializer::from_str(&text);
    documents.filter_map(|one| serde_json::Value::deserialize(one).ok()).collect()
}
