//! YAML on the way out: any value as one document, and documents as values.

use serde::Serialize;
use serde::de::Deserialize as _;
use serde_json::Value;

use super::yaml::double_quoted;
use crate::model::{Desired, ValueSource, holds_command, is_unseen};

/// Writes any value as one YAML document in which nothing is unseen, and no line a command to a
/// build server (S12).
///
/// # Errors
/// When the value has keys that YAML cannot hold.
pub fn to_yaml(value: &impl Serialize) -> Result<String, String> {
    let text = write(value)?;
    if !is_tricky(&text) {
        return Ok(text);
    }
    // The serde crate lets such characters through. Each text that holds one is written as a word
    // that stands nowhere else, and then put into its place with them spelled out.
    let mut value = serde_json::to_value(value).map_err(|error| error.to_string())?;
    let mut word = String::from("inert");
    while text.contains(&word) {
        word.push('t');
    }
    let mut places = Places { word, texts: Vec::new() };
    places.take(&mut value);
    let mut text = write(&value)?;
    for (number, tricky) in places.texts.iter().enumerate() {
        text = text.replace(&places.name(number), &double_quoted(tricky));
    }
    Ok(text)
}

fn write(value: &impl Serialize) -> Result<String, String> {
    serde_yaml::to_string(value).map_err(|error| error.to_string())
}

fn is_tricky(text: &str) -> bool {
    text.contains(|c: char| c != '\n' && is_unseen(c)) || holds_command(text)
}

/// Texts that were taken out of a value, each known by a word with its number.
struct Places {
    word: String,
    texts: Vec<String>,
}

impl Places {
    /// The last letter keeps the first of eleven apart from the eleventh.
    fn name(&self, number: usize) -> String {
        format!("{}{number}n", self.word)
    }

    fn take(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => self.take_text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.take(item)),
            Value::Object(entries) => {
                let taken = std::mem::take(entries);
                for (mut key, mut value) in taken {
                    self.take_text(&mut key);
                    self.take(&mut value);
                    entries.insert(key, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn take_text(&mut self, text: &mut String) {
        if is_tricky(text) {
            let name = self.name(self.texts.len());
            self.texts.push(std::mem::replace(text, name));
        }
    }
}

/// Returns native documents as values, for those who want JSON.
#[must_use]
pub fn documents(desired: &Desired<ValueSource>) -> Vec<Value> {
    let text = super::print(desired);
    let documents = serde_yaml::Deserializer::from_str(&text);
    documents.filter_map(|one| Value::deserialize(one).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_seen_is_spelled_out_and_the_rest_is_as_ever() {
        let value =
            serde_json::json!({ "a": "x\u{202e}y", "k\u{200b}": ["inert0n", "b\u{e0001}"] });
        let yaml = to_yaml(&value).unwrap();
        assert!(yaml.contains("a: \"x\\u202ey\""), "{yaml}");
        assert!(yaml.contains("\"b\\U000e0001\""), "{yaml}");
        assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), value);
    }

    #[test]
    fn no_line_of_a_text_is_a_command_to_a_build_server() {
        let value = serde_json::json!({
            "name": "web\n::error title=x::y\n  ::add-mask::z",
            "k\n::warning::v": ["a ##[error]b", "##vso[task.complete]", "::notice::first"],
        });
        let yaml = to_yaml(&value).unwrap();
        assert!(!holds_command(&yaml), "{yaml}");
        assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), value);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_and_none_of_it_is_unseen(
            texts in proptest::collection::vec(any::<String>(), 0..4),
        ) {
            let value = serde_json::json!({ "texts": texts });
            let yaml = to_yaml(&value).unwrap();
            prop_assert!(!is_tricky(&yaml), "{yaml:?}");
            prop_assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), value);
        }
    }
}
