//! The settings that are more than one value: windows and the webhook.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::values::Span;
use super::schema;

/// A value that may be written as a boolean, a number or a text: of the dialect, or of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a boolean, a number or a text")]
pub enum ScalarValue {
    /// A boolean.
    Truth(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl fmt::Display for ScalarValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(truth) => write!(formatter, "{truth}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// A time of the week at which the agent may write, or must not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowForm {
    /// `allow`: it writes only inside such a window. `deny`: it never writes inside it.
    pub kind: WindowWord,
    /// When it begins, as a cron expression of five fields: `0 9 * * 1-5`.
    pub schedule: String,
    /// How long it lasts, from `1m` to `7d`.
    #[schemars(schema_with = "schema::duration")]
    pub duration: Span,
    /// The time zone of the schedule: `Europe/Berlin`. Without one it is UTC.
    pub time_zone: Option<String>,
}

/// What a window does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WindowWord {
    /// It lets writes through.
    Allow,
    /// It holds them.
    Deny,
}

/// The webhook that tells the agent of news.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookForm {
    /// Who sends it.
    pub provider: WebhookProvider,
    /// The variable that holds the secret it is signed with.
    pub secret_env: Option<String>,
    /// The file that holds the secret it is signed with.
    pub secret_file: Option<PathBuf>,
}

/// Who sends a webhook: each signs in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookProvider {
    /// Whoever the headers name.
    Auto,
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea or Forgejo.
    Gitea,
    /// Bitbucket.
    Bitbucket,
    /// Anybody who signs the body with HMAC-SHA-256.
    Generic,
}

impl WebhookProvider {
    /// Returns the word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitea => "gitea",
            Self::Bitbucket => "bitbucket",
            Self::Generic => "generic",
        }
    }
}
