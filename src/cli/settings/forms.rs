//! The settings that are more than one value: windows, the webhook, notifications.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::values::Span;
use super::schema;

/// A dialect's value may be written as a truth, a number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a truth, a number or a text")]
pub enum DialectValue {
    /// A truth.
    Truth(bool),
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

impl fmt::Display for DialectValue {
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

/// Who is told when the state of a project changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum NotificationForm {
    /// A JSON document to any address, signed.
    Webhook(AddressForm),
    /// A message to a Slack channel, by an incoming webhook.
    Slack(AddressForm),
    /// The status of the commit on GitHub.
    Github(CommitForm),
    /// The status of the commit on GitLab.
    Gitlab(CommitForm),
    /// The status of the commit on Gitea or Forgejo.
    Gitea(CommitForm),
}

/// An address to send to. It may be a secret by itself, so it may come from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressForm {
    /// What it is called in logs and in the memory of what was told; unique in its project.
    pub name: Option<String>,
    /// The address, when it is no secret. Not for Slack, whose address is one.
    pub url: Option<String>,
    /// The variable that holds the address.
    pub url_env: Option<String>,
    /// The file that holds the address.
    pub url_file: Option<PathBuf>,
    /// The variable that holds the secret to sign with. Not for Slack.
    pub secret_env: Option<String>,
    /// The file that holds the secret to sign with. Not for Slack.
    pub secret_file: Option<PathBuf>,
}

/// A commit's status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitForm {
    /// What it is called in logs and in the memory of what was told; unique in its project.
    pub name: Option<String>,
    /// The variable that holds the token for it.
    pub token_env: Option<String>,
    /// The file that holds the token for it.
    pub token_file: Option<PathBuf>,
    /// The repository, when it is not the one the manifests come from: `https://git.dev/acme/shop`.
    pub repo: Option<String>,
    /// The base address of its API, when it does not follow from the repository's.
    pub api_url: Option<String>,
    /// Where the status leads: usually the agent's page.
    pub target_url: Option<String>,
}
