//! What was found of the values that manifests only name. Each is looked for once, and each program is
//! called once for all that it knows, so a run sees one version of everything (S6).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use secrecy::SecretString;

use super::allowed::AllowedSources;
use super::named::NamedValue;
use super::{provider, sops};
use crate::model::{Desired, FieldValue, ValueSource};
use crate::source::{SourceError, Tree, read_outside};

/// What is allowed where there are no settings.
static NOTHING_ALLOWED: AllowedSources = AllowedSources::NOTHING;

/// The platform's limit for the value of a variable.
const VALUE_BYTES_MAX: usize = 65_535;

/// Where values that manifests only name are looked for.
#[derive(Clone, Copy)]
pub struct Finders<'a> {
    /// Answers for a variable of the agent's environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// What the settings allow beside the environment and the tree.
    pub allowed: &'a AllowedSources,
    /// What was found before: it is struck from what a program says that fails.
    pub known: Option<&'a Desired>,
}

/// Why a value was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingValue {
    /// What kind of finding it is, in one word.
    pub code: &'static str,
    /// What is wrong; never the value.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// The code of what may be there later although nobody changes a manifest.
pub const UNAVAILABLE: &str = "unavailable-secret";

impl MissingValue {
    pub(super) fn new(code: &'static str, message: String, hint: impl Into<String>) -> Self {
        Self { code, message, hint: hint.into() }
    }
}

/// What became of looking for one value.
pub(super) type FoundValue = Result<SecretString, MissingValue>;

/// The values that manifests only name, as far as they were found. Its `Debug` shows none.
#[derive(Clone, Debug, Default)]
pub struct FoundValues(BTreeMap<NamedValue, FoundValue>);

impl FoundValues {
    /// Looks for everything that the manifests name, as [`Self::look_for`] does.
    #[must_use]
    pub fn of(declared: &Desired<ValueSource>, tree: &Tree, finders: &Finders<'_>) -> Self {
        Self::look_for(&NamedValue::all_of(declared), tree, finders)
    }

    /// Looks for values. It waits for the programs that know some of them, each for no longer than
    /// its time limit.
    #[must_use]
    pub fn look_for(named: &BTreeSet<NamedValue>, tree: &Tree, finders: &Finders<'_>) -> Self {
        let mut found = BTreeMap::new();
        let mut references: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut paths: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for name in named {
            let value = match name {
                NamedValue::Variable(variable) => of_environment(variable, finders),
                NamedValue::File { manifest, path } => of_tree(tree, manifest, path),
                NamedValue::Outside(path) => of_outside(path, finders.allowed),
                NamedValue::Provided { provider, reference } => {
                    references.entry(provider).or_default().insert(reference);
                    continue;
                }
                NamedValue::Encrypted { manifest, file, path } => {
                    paths.entry((manifest.as_str(), file.as_str())).or_default().insert(path);
                    continue;
                }
            };
            found.insert(name.clone(), value);
        }
        for (name, references) in references {
            let answered = provider::ask(name, &references, finders);
            found.extend(answered.into_iter().map(|(reference, value)| {
                let (provider, reference) = (name.to_owned(), reference.to_owned());
                (NamedValue::Provided { provider, reference }, value)
            }));
        }
        for ((manifest, file), paths) in paths {
            let decrypted = sops::decrypt(tree, (manifest, file), &paths, finders);
            found.extend(decrypted.into_iter().map(|(path, value)| {
                let (manifest, file) = (manifest.to_owned(), file.to_owned());
                (NamedValue::Encrypted { manifest, file, path: path.to_owned() }, value)
            }));
        }
        Self(found)
    }

    /// Returns what became of looking for a value; nothing when it was not looked for.
    #[must_use]
    pub fn get(&self, name: &NamedValue) -> Option<&Result<SecretString, MissingValue>> {
        self.0.get(name)
    }

    /// Returns every value with its name, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&NamedValue, &Result<SecretString, MissingValue>)> {
        self.0.iter()
    }
}

impl<'a> Finders<'a> {
    /// Looks in the environment and the tree alone.
    #[must_use]
    pub const fn of_environment(environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { environment, allowed: &NOTHING_ALLOWED, known: None }
    }

    /// Returns the secrets that were found before.
    pub(super) fn known_secrets(&self) -> Vec<&'a str> {
        let resources = self.known.iter().flat_map(|known| known.resources.values());
        let fields = resources.flat_map(|resource| resource.fields.values());
        let secret = |value: &'a FieldValue| match value {
            FieldValue::Secret(secret) => Some(secret.expose()),
            _ => None,
        };
        fields.filter_map(|field| secret(&field.value)).collect()
    }
}

/// Reads the environment. An empty variable is most often a secret that was not handed over: build
/// systems pass an unset one as an empty text.
fn of_environment(name: &str, finders: &Finders<'_>) -> FoundValue {
    let (code, message) = match (finders.environment)(name) {
        None => ("missing-variable", format!("the environment variable `{name}` is not set")),
        Some(value) if value.is_empty() => {
            ("missing-variable", format!("the environment variable `{name}` is empty"))
        }
        Some(value) if !is_sendable(&value) => (
            "unusable-value",
            format!("the environment variable `{name}` is too long or holds a NUL"),
        ),
        Some(value) => return Ok(value.into()),
    };
    let hint = format!("set `{name}` where the agent runs, or use `sync: false`");
    Err(MissingValue::new(code, message, hint))
}

fn of_tree(tree: &Tree, manifest: &str, path: &str) -> FoundValue {
    let hint = "the file lies beneath the root, relative to its manifest";
    let bytes = tree.read_beneath(manifest, path).map_err(|error| {
        MissingValue::new("unreadable-value", format!("failed to {error}"), hint)
    })?;
    of_file(bytes, path, hint)
}

fn of_outside(path: &str, allowed: &AllowedSources) -> FoundValue {
    let read = read_outside(Path::new(path), &allowed.directories);
    let bytes = read.map_err(|error| {
        let message = format!("failed to {error}");
        match error {
            SourceError::NotAllowed { .. } => {
                let hint = "add its directory to `secrets.directories` of the settings";
                MissingValue::new("not-allowed", message, hint)
            }
            SourceError::Escapes { .. } => {
                let hint = "add the directory that its link leads to, too";
                MissingValue::new("not-allowed", message, hint)
            }
            _ => MissingValue::new(UNAVAILABLE, message, "look whether it is mounted and readable"),
        }
    })?;
    of_file(bytes, path, "write the secret into it")
}

/// Takes the value of a file. One closing line break is left out, as editors add it.
fn of_file(bytes: Vec<u8>, path: &str, hint: &str) -> FoundValue {
    let text = String::from_utf8(bytes).ok().filter(|text| is_sendable(text));
    let Some(text) = text.map(zeroize::Zeroizing::new) else {
        let message = format!("the file `{path}` holds no UTF-8 text");
        let hint = "encode it, for example as base64";
        return Err(MissingValue::new("unusable-value", message, hint));
    };
    let trimmed = text.strip_suffix('\n').unwrap_or(&text);
    let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
    if trimmed.is_empty() {
        let message = format!("the file `{path}` is empty");
        return Err(MissingValue::new("missing-variable", message, hint));
    }
    Ok(trimmed.into())
}

/// Takes a value that a program gave; `what` says which it is.
pub(super) fn of_program(value: &str, what: &str) -> FoundValue {
    if value.is_empty() {
        let message = format!("{what} is empty");
        return Err(MissingValue::new(
            UNAVAILABLE,
            message,
            "give it a value, or use `sync: false`",
        ));
    }
    if !is_sendable(value) {
        let message = format!("{what} is too long or holds a NUL");
        return Err(MissingValue::new("unusable-value", message, "shorten or encode it"));
    }
    Ok(value.into())
}

/// Whether the platform takes a value: within its limit and without the character that ends texts.
fn is_sendable(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX && !value.contains('\0')
}
