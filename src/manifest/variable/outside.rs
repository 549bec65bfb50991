//! `valueFrom`: values that stand outside the manifests. What the settings do not allow is refused
//! when the value is looked for, because manifests are checked without settings.

use std::path::{Component, Path};

use super::super::draft::read_env_key;
use super::super::tree::Yaml;
use super::{EntryReader, Given};
use crate::model::ValueSource;

/// What may stand in it.
const WORDS: [&str; 6] = ["env", "file", "provider", "ref", "sops", "path"];

/// Its ways to say where a value is, each with what goes with it.
const WAYS: [(&str, Option<&str>); 4] =
    [("env", None), ("file", None), ("provider", Some("ref")), ("sops", Some("path"))];

/// The longest name of a provider, as the settings take it.
const PROVIDER_CHARS_MAX: usize = 63;

/// The longest reference. Addresses of cloud secret stores are a tenth of it.
const REFERENCE_BYTES_MAX: usize = 2_048;

impl EntryReader<'_, '_> {
    /// Reads `valueFrom`.
    pub(super) fn outside(&mut self, yaml: Yaml<'_, '_>) -> Option<Given> {
        let yaml = self.reader.mapping(yaml, "envVars.valueFrom", &WORDS)?;
        let mut ways = WAYS.into_iter().filter(|(way, _)| yaml.get(way).is_some());
        let (Some((way, with)), None) = (ways.next(), ways.next()) else {
            let message = "`envVars.valueFrom` takes one of `env`, `file`, `provider`, `sops`";
            self.reader.error(yaml, "two-values", message);
            return None;
        };
        let mut alien = ["ref", "path"].into_iter().filter(|word| Some(*word) != with);
        if let Some((word, place)) = alien.find_map(|word| Some((word, yaml.get(word)?))) {
            let message = format!("`envVars.valueFrom.{word}` does not go with `{way}`");
            self.reader.error(place, "two-values", message);
            return None;
        }
        let place = yaml.get(way)?;
        let value = match way {
            "env" => {
                let key = read_env_key(self.reader, place, "envVars.valueFrom.env")?;
                ValueSource::Environment(key.as_str().to_owned())
            }
            "file" => ValueSource::File(self.file(place)?),
            "provider" => ValueSource::Provider {
                provider: self.provider(place)?,
                reference: self.beside_way(yaml, "provider", "ref")?,
            },
            _ => ValueSource::Sops {
                file: self.relative(place, "sops")?,
                path: self.beside_way(yaml, "sops", "path")?,
            },
        };
        Some(Given::Value(value))
    }

    /// Reads a file: relative to the manifest, or beneath a directory that the settings allow.
    fn file(&mut self, place: Yaml<'_, '_>) -> Option<String> {
        let path = self.reader.text(place, "envVars.valueFrom.file")?;
        if !path.starts_with('/') {
            return self.not_empty(place, "file", path);
        }
        // Its parts say which directory it is beneath, so none may lead back out.
        let is_plain = !path.split('/').any(|part| part == "." || part == "..")
            && Path::new(&path).components().any(|part| matches!(part, Component::Normal(_)));
        if !is_plain {
            let message = "an absolute `envVars.valueFrom.file` has no `.` and `..` in it";
            self.reader.error(place, "malformed", message);
            return None;
        }
        Some(path)
    }

    fn relative(&mut self, place: Yaml<'_, '_>, word: &str) -> Option<String> {
        let path = self.reader.text(place, &format!("envVars.valueFrom.{word}"))?;
        if path.starts_with('/') {
            let message = format!("`envVars.valueFrom.{word}` must be relative to the manifest");
            self.reader.error(place, "malformed", message);
            return None;
        }
        self.not_empty(place, word, path)
    }

    fn provider(&mut self, place: Yaml<'_, '_>) -> Option<String> {
        let name = self.reader.text(place, "envVars.valueFrom.provider")?;
        let is_name = (1..=PROVIDER_CHARS_MAX).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_name {
            let message = "`envVars.valueFrom.provider` is a name of letters, digits, `-` and `_`";
            self.reader.error(place, "malformed", message);
            return None;
        }
        Some(name)
    }

    /// Reads what goes with a way: a text of one line.
    fn beside_way(&mut self, yaml: Yaml<'_, '_>, way: &str, word: &str) -> Option<String> {
        let Some(place) = yaml.get(word) else {
            let message = format!("`envVars.valueFrom.{way}` needs `{word}` beside it");
            self.reader.error(yaml, "missing-field", message);
            return None;
        };
        let text = self.reader.text(place, &format!("envVars.valueFrom.{word}"))?;
        if text.len() > REFERENCE_BYTES_MAX || text.chars().any(char::is_control) {
            let message = format!("`envVars.valueFrom.{word}` is too long or not one line");
            self.reader.error(place, "malformed", message);
            return None;
        }
        self.not_empty(place, word, text)
    }

    fn not_empty(&mut self, place: Yaml<'_, '_>, word: &str, text: String) -> Option<String> {
        if text.is_empty() {
            let message = format!("`envVars.valueFrom.{word}` is empty");
            self.reader.error(place, "malformed", message);
            return None;
        }
        Some(text)
    }
}
