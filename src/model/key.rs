//! What a resource is called: by us (`Key`), and by the platform (`RemoteId`).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of resource, in the order they are created: what others refer to comes first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A named set of environment variables. The API can neither change nor delete one (F4).
    EnvGroup,
    /// A database. The API cannot change one (F4).
    Database,
    /// Whatever runs: web, worker, cron or static.
    Service,
}

impl Kind {
    /// Every kind, in the order of creation.
    pub const ALL: [Self; 3] = [Self::EnvGroup, Self::Database, Self::Service];

    /// Returns the word users type and read: `service`, `database`, `envgroup`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EnvGroup => "envgroup",
            Self::Database => "database",
            Self::Service => "service",
        }
    }

    /// Returns the plural users type: `services`, `databases`, `envgroups`.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::EnvGroup => "envgroups",
            Self::Database => "databases",
            Self::Service => "services",
        }
    }

    /// Returns the short spelling users may type: `svc`, `db`, `eg`.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::EnvGroup => "eg",
            Self::Database => "db",
            Self::Service => "svc",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    /// Reads singular, plural, manifest and short spelling: `service`, `services`, `Service`, `svc`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|kind| [kind.as_str(), kind.plural(), kind.short()].contains(&&*lower))
            .ok_or_else(|| {
                format!("unknown kind `{text}`: one of service, database, envgroup is meant")
            })
    }
}

/// A resource's name: a lower-case DNS label of 1 to 63 characters.
///
/// The constructor checks it, so a `Name` can be put in a path, a URL or a log as it is.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no `Name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a name: {reason}")]
pub struct NameError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it, as a fragment.
    pub reason: &'static str,
    /// The nearest valid name, when there is one.
    pub suggestion: Option<String>,
}

impl Name {
    /// The longest DNS label (RFC 1035).
    pub const LENGTH_MAX: usize = 63;

    /// Parses a name.
    ///
    /// # Errors
    /// When the text is no lower-case DNS label; the error suggests the nearest one.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > Self::LENGTH_MAX {
            "it is longer than 63 characters"
        } else if !text.chars().all(is_inner) {
            "only lower-case letters, digits and `-` are allowed"
        } else if text.starts_with('-') || text.ends_with('-') {
            "it begins or ends with `-`"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(NameError { text: text.to_owned(), reason, suggestion: suggest_name(text) })
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-cases, turns every run of other characters into one `-`, and trims.
fn suggest_name(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(Name::LENGTH_MAX);
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// A resource's identity in the manifests: kind and name, written `service/api`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// The name, unique for its kind.
    pub name: Name,
}

impl Key {
    /// Joins a kind and a name.
    #[must_use]
    pub const fn new(kind: Kind, name: Name) -> Self {
        Self { kind, name }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name } = self;
        write!(formatter, "{kind}/{name}")
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text
            .split_once('/')
            .ok_or_else(|| format!("`{text}` is not KIND/NAME, for example service/api"))?;
        Ok(Self { kind: kind.parse()?, name: Name::new(name).map_err(|error| error.to_string())? })
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

/// The platform's identifier of one object, for example `svc_abc123`.
///
/// Foreign text: it goes into URLs as one percent-encoded segment, so it may hold a slash, but
/// never be a step (`.`, `..`), and never hold a control character or blank.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct RemoteId(String);

/// Why a text cannot be an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the platform's id {0:?} cannot be used in a URL")]
pub struct RemoteIdError(String);

impl RemoteId {
    /// Far beyond any identifier seen; bounds what a hostile answer can make us store.
    const LENGTH_MAX: usize = 256;

    /// Parses an identifier.
    ///
    /// # Errors
    /// When the text is empty, too long, `.` or `..`, or holds blanks or control characters.
    pub fn new(text: &str) -> Result<Self, RemoteIdError> {
        let is_usable = !text.is_empty()
            && text.len() <= Self::LENGTH_MAX
            && text != "."
            && text != ".."
            && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if is_usable { Ok(Self(text.to_owned())) } else { Err(RemoteIdError(text.to_owned())) }
    }

    /// Returns the identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for RemoteId {
    type Error = RemoteIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<RemoteId> for String {
    fn from(id: RemoteId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_lower_case_dns_label_and_the_nearest_one_is_suggested() {
        assert_eq!(Name::new("api-2").unwrap().as_str(), "api-2");
        for (text, suggestion) in [
            ("My App", Some("my-app")),
            ("-api-", Some("api")),
            ("", None),
            ("../../etc", Some("etc")),
            ("ünïcode", Some("n-code")),
        ] {
            assert_eq!(Name::new(text).unwrap_err().suggestion.as_deref(), suggestion, "{text}");
        }
        assert!(Name::new(&"a".repeat(64)).is_err());
    }

    #[test]
    fn a_key_reads_every_spelling_of_a_kind_and_prints_one() {
        for text in ["service/api", "services/api", "Service/api"] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), "service/api");
        }
        assert!("api".parse::<Key>().unwrap_err().contains("KIND/NAME"));
        assert!("pod/api".parse::<Key>().unwrap_err().contains("unknown kind"));
    }

    #[test]
    fn an_id_that_could_leave_its_place_in_a_url_is_refused() {
        assert!(RemoteId::new("svc_abc123").is_ok());
        for text in ["", ".", "..", "a b", "a\nb", "a\u{1b}[31m"] {
            assert!(RemoteId::new(text).is_err(), "{text:?}");
        }
    }
}
