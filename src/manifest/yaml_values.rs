//! YAML that is not a manifest: our settings on the way in, any value on the way out.
//!
//! Here serde reads and writes; positions matter only in manifests, which `yaml` reads.

use serde::Serialize;
use serde::de::{Deserialize as _, DeserializeOwned};

use crate::model::{Desired, Source};

/// Reads a settings file; an empty one is all defaults.
///
/// # Errors
/// When it is no YAML, or a key or value is wrong; the text says which and where.
pub fn read_settings<T: DeserializeOwned + Default>(text: &str) -> Result<T, String> {
    let value: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    if value.is_null() {
        return Ok(T::default());
    }
    serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        let path = error.path().to_string();
        if path == "." { error.inner().to_string() } else { format!("{path}: {}", error.inner()) }
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Settings {
        rate: Option<u32>,
    }

    #[test]
    fn settings_say_what_is_wrong_with_them() {
        assert_eq!(read_settings::<Settings>("rate: 5\n").unwrap().rate, Some(5));
        assert_eq!(read_settings::<Settings>("# nothing\n").unwrap().rate, None);
        assert!(read_settings::<Settings>("rate: fast\n").unwrap_err().starts_with("rate: "));
        assert!(read_settings::<Settings>("rat: 5\n").unwrap_err().contains("unknown field"));
    }
}
