//! What the manifests want, wholly valid: a `Desired` that exists has no dangling reference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Derivation, EnvKey, FieldPath, FieldValue, GeneratedValue, Key, Name, RemoteId, RotationPeriod,
    Secret,
};

/// A place in a manifest, as users read it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The file, as the user would type it; `<stdin>` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column: _ } = self;
        write!(formatter, "{file}:{line}")
    }
}

/// Everything the manifests say, from one immutable tree (S6).
///
/// `V` is what stands for a value: `Source` as parsed, `FieldValue` once secrets are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired<V = FieldValue> {
    /// The resources, by key.
    pub resources: BTreeMap<Key, Resource<V>>,
    /// What must go, each approved by id or waiting for the approval.
    pub tombstones: BTreeMap<Key, Tombstone>,
    /// The project these manifests are for, when they say so.
    pub guard: Option<Guard>,
    /// What the tree calls itself: a commit, or nothing for plain files.
    pub revision: Option<String>,
    /// The digest of the tree: the same text, the same digest.
    pub digest: String,
    /// Places within the tree that were not read, such as submodules: what they hold may declare
    /// anything, so that something is missing means nothing (S7).
    pub unread: Vec<String>,
    /// What generated values are derived with; nothing before secrets are resolved.
    pub derivation: Option<Derivation>,
    /// Generated values that were in use before: no text may show them either (S9).
    pub replaced: Vec<Secret>,
}

impl<V> Default for Desired<V> {
    fn default() -> Self {
        Self {
            resources: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            guard: None,
            revision: None,
            digest: String::new(),
            unread: Vec::new(),
            derivation: None,
            replaced: Vec::new(),
        }
    }
}

/// `kind: Project`: a guard, not a resource. Any other project is refused (S5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The project's name.
    pub name: String,
    /// The project's id, when given.
    pub id: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// A document with `spec.state: Absent`: what must go, and a person's approval of that very object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// What must go.
    pub key: Key,
    /// The approval line as written, when there is one; `plan` prints the line to paste.
    pub approval: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// How many names may move on in a row, or be exchanged, in one commit: a row must have an end.
pub const NAMES_MOVING_MAX: usize = 16;

/// One declared resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<V = FieldValue> {
    /// Kind and name.
    pub key: Key,
    /// Where its document begins.
    pub origin: Origin,
    /// Labels: ours alone, the API cannot store them.
    pub labels: BTreeMap<String, String>,
    /// Names it had before, newest first: a rename instead of delete and create.
    pub previous_names: Vec<Name>,
    /// The declared fields. What is not here is left alone.
    pub fields: BTreeMap<FieldPath, Field<V>>,
    /// What a new one gets beside the declared fields, derived because it cannot be created without
    /// it. Nothing of it is declared: what lives keeps its own.
    pub on_create: BTreeMap<FieldPath, FieldValue>,
    /// Whether `envVars` stands in the document: then it is the whole set, and a variable that
    /// appears beside it on a resource of ours is drift.
    pub declares_env: bool,
    /// Variables with `sync: false`: declared, their value not managed and never removed.
    pub set_by_hand: BTreeMap<EnvKey, Origin>,
    /// Variables whose values are generated, and which value of its row each has.
    pub generated: BTreeMap<EnvKey, GeneratedValue>,
    /// How the agent may treat it.
    pub lifecycle: Lifecycle,
    /// What it refers to among the declared resources: these come first.
    pub depends_on: BTreeSet<Key>,
}

impl<V> Resource<V> {
    /// Begins a resource that declares nothing yet.
    #[must_use]
    pub fn new(key: Key, origin: Origin) -> Self {
        Self {
            key,
            origin,
            labels: BTreeMap::new(),
            previous_names: Vec::new(),
            fields: BTreeMap::new(),
            on_create: BTreeMap::new(),
            declares_env: false,
            set_by_hand: BTreeMap::new(),
            generated: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
            depends_on: BTreeSet::new(),
        }
    }
}

/// One declared value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<V = FieldValue> {
    /// The value.
    pub value: V,
    /// Where it stands.
    pub origin: Origin,
}

/// A value as a manifest gives it: itself, or where it is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// The value itself.
    Value(FieldValue),
    /// `valueFrom: { env: NAME }`: a variable of the agent's environment.
    Environment(String),
    /// `valueFrom: { file: PATH }`: a file beneath the root, or, with an absolute path, beneath a
    /// directory that the settings allow.
    File(String),
    /// `valueFrom: { provider: NAME, ref: TEXT }`: what a program of the settings knows by a reference.
    Provider {
        /// The name the settings give the program.
        provider: String,
        /// The reference.
        reference: String,
    },
    /// `valueFrom: { sops: FILE, path: a.b }`: a value of a file that SOPS has encrypted.
    Sops {
        /// The file beneath the root, relative to the manifest.
        file: String,
        /// The keys that lead to the value, with dots between them.
        path: String,
    },
    /// `generateValue: true`: derived from the local key, stable, never stored. With a period,
    /// another one takes its place whenever that is over.
    Generated(Option<RotationPeriod>),
}

/// The longest name of a provider.
const PROVIDER_CHARS_MAX: usize = 63;

/// Whether a text may be the name of a provider: 1 to 63 letters, digits, `-` and `_`. The settings
/// give it, and manifests use it.
#[must_use]
pub fn is_provider_name(text: &str) -> bool {
    (1..=PROVIDER_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// When a resource that lives already is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AdoptMode {
    /// Taken over and updated, as `kubectl apply` does.
    #[default]
    Always,
    /// Only when every visible declared field agrees already.
    Match,
    /// Blocked.
    Never,
}

impl FromStr for AdoptMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "always" => Ok(Self::Always),
            "match" => Ok(Self::Match),
            "never" => Ok(Self::Never),
            _ => Err(format!("`{text}` is not one of always, match, never")),
        }
    }
}

/// What the variables that a manifest declares are of all there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnvSet {
    /// All of them: one that appears beside them is drift.
    #[default]
    Exact,
    /// Some of them: others may add theirs, and only what we wrote ourselves is removed.
    Additive,
}

impl EnvSet {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Exact, Self::Additive];

    /// Returns the word of a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Additive => "additive",
        }
    }
}

/// What becomes of a declared value that we never wrote and that the platform does not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsettled {
    /// It is left alone and told of, until a person settles it.
    #[default]
    Report,
    /// It is written.
    Write,
    /// What lives is taken for what is declared.
    Accept,
}

impl Unsettled {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Report, Self::Write, Self::Accept];

    /// Returns the word of a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Write => "write",
            Self::Accept => "accept",
        }
    }
}

/// What the agent may do with a resource. Looking (`Observe`) is always allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManagementPolicies {
    /// It may be created.
    pub create: bool,
    /// It may be changed.
    pub update: bool,
    /// It may be deleted, where all other laws allow it.
    pub delete: bool,
}

impl Default for ManagementPolicies {
    fn default() -> Self {
        Self { create: true, update: true, delete: true }
    }
}

/// The `lifecycle` of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// `prune`, when written. A database is only ever pruned when it says `true` (S7).
    pub prune: Option<bool>,
    /// No delete and no replace, remembered after the document is gone (S11).
    pub protect: bool,
    /// `adopt`, when written; the command's mode otherwise.
    pub adopt: Option<AdoptMode>,
    /// Paths below `spec`, without that word, that are set on creation and then left alone.
    pub ignore_changes: BTreeSet<String>,
    /// Whether others may add variables.
    pub env_vars: EnvSet,
    /// What becomes of values that cannot be compared.
    pub unsettled: Unsettled,
    /// What the agent may do.
    pub policies: ManagementPolicies,
}

impl Lifecycle {
    /// Returns how a manifest writes an ignored path: the name stands beside `spec`, not below it.
    #[must_use]
    pub fn ignored_as(path: &str) -> String {
        if path == "name" { "metadata.name".to_owned() } else { format!("spec.{path}") }
    }

    /// Whether changes of a field are ignored: by its own path, or by one it lies below.
    #[must_use]
    pub fn ignores(&self, path: &FieldPath) -> bool {
        let path = path.to_string();
        self.ignore_changes.iter().any(|ignored| {
            path.strip_prefix(ignored.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl Tombstone {
    /// Returns the approval line that would let this very object go, to be pasted by a person.
    #[must_use]
    pub fn approval_line(key: &Key, id: &RemoteId, created: &str, before: &str) -> String {
        format!("delete {key} id={id} created={created} before={before}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_path_covers_what_lies_below_it_and_nothing_beside_it() {
        let lifecycle = Lifecycle {
            ignore_changes: BTreeSet::from(["scaling".to_owned(), "envVars.LEGACY".to_owned()]),
            ..Lifecycle::default()
        };
        let ignores = |path: &str| lifecycle.ignores(&path.parse().unwrap());
        assert!(ignores("scaling.minInstances"));
        assert!(ignores("envVars.LEGACY"));
        assert!(!ignores("envVars.LEGACY_TOO"));
        assert!(!ignores("schedule"));
    }
}
