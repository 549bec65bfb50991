//! Who is told when the state of a project changes, as the settings say it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::daemon::notify::ProjectOutcome;

use super::super::values::Span;
use super::schema;

/// Who is told when the state of a project changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum NotificationForm {
    /// A JSON document to any address, signed.
    Webhook(WebhookTargetForm),
    /// A message to a Slack channel, by an incoming webhook.
    Slack(ChannelForm),
    /// A message to a Microsoft Teams channel, by a workflow.
    Teams(ChannelForm),
    /// A message to a Discord channel, by a webhook.
    Discord(ChannelForm),
    /// A message by e-mail.
    Mail(MailForm),
    /// An alert of Prometheus's Alertmanager.
    Alertmanager(AlertmanagerForm),
    /// An incident of PagerDuty.
    Pagerduty(PagerDutyForm),
    /// The status of the commit on GitHub.
    Github(CommitForm),
    /// The status of the commit on GitLab.
    Gitlab(CommitForm),
    /// The status of the commit on Gitea or Forgejo.
    Gitea(CommitForm),
}

/// An address to send a document to. It may be a secret by itself, so it may come from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookTargetForm {
    /// What it is called in logs and in the memory of what was told; unique in its project.
    pub name: Option<String>,
    /// Of which outcomes it is told: `pending`, `held`, `succeeded`, `drifted`, `repaired`,
    /// `rolledback`, `failed`, `broken`.
    #[serde(default)]
    #[schemars(schema_with = "schema::outcomes")]
    pub tell: Option<BTreeSet<ProjectOutcome>>,
    /// After how long what came back is told again at the same revision. Without it, never.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration_or_none")]
    pub again: Option<Span>,
    /// Where people find more, usually the agent's page.
    pub link: Option<String>,
    /// The address, when it is no secret.
    pub url: Option<String>,
    /// The variable that holds the address.
    pub url_env: Option<String>,
    /// The file that holds the address.
    pub url_file: Option<PathBuf>,
    /// The variable that holds the secret to sign with.
    pub secret_env: Option<String>,
    /// The file that holds the secret to sign with.
    pub secret_file: Option<PathBuf>,
    /// The body as a template that makes JSON: `{"text": {{ message }}}`. Without one it is ours.
    pub body: Option<String>,
}

/// A channel for people. Its address is a secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelForm {
    /// What it is called in logs and in the memory of what was told; unique in its project.
    pub name: Option<String>,
    /// Of which outcomes it is told: `pending`, `held`, `succeeded`, `drifted`, `repaired`,
    /// `rolledback`, `failed`, `broken`.
    #[serde(default)]
    #[schemars(schema_with = "schema::outcomes")]
    pub tell: Option<BTreeSet<ProjectOutcome>>,
    /// After how long what came back is told again at the same revision. Without it, never.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration_or_none")]
    pub again: Option<Span>,
    /// Where people find more, usually the agent's page.
    pub link: Option<String>,
    /// The variable that holds the address.
    pub url_env: Option<String>,
    /// The file that holds the address.
    pub url_file: Option<PathBuf>,
}

/// A mail server, and who writes to whom.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailForm {
    /// What it is called in logs and in the memory of what was told; unique in its project.
    pub name: Option<String>,
    /// Of which outcomes it is told: `pending`, `held`, `succeeded`, `drifted`, `repaired`,
    /// `rolledback`, `failed`, `broken`.
    #[serde(default)]
    #[schemars(schema_with = "schema::outcomes")]
    pub tell: Option<BTreeSet<ProjectOutcome>>,
    /// After how long what came back is told again at the same revision. Without it, never.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration_or_none")]
    pub again: Option<Span>,
    /// Where people find more, usually the agent's page.
    pub link: Option<String>,
    /// Where mail is handed over: `smtps://mail.example.com`, or `smtp://mail.example.com:587` with
    /// STARTTLS. Without TLS to this machine only.
    pub server: String,
    /// Who it is from: `Stoker <stoker@example.com>`.
    pub from: String,
    /// Who it is for.
    pub to: Vec<String>,
    /// The user, where the server asks for one.
    pub user: Option<String>,
    /// The variable that holds the password.
    pub password_env: Option<String>,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
}

/// An Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertmanagerForm {
    /// What it is called in logs and in the memory of what was told; unique in its project.
    pub name: Option<String>,
    /// Of which outcomes it is told: `pending`, `held`, `succeeded`, `drifted`, `repaired`,
    /// `rolledback`, `failed`, `broken`.
    #[serde(default)]
    #[schemars(schema_with = "schema::outcomes")]
    pub tell: Option<BTreeSet<ProjectOutcome>>,
    /// Where people find more, usually the agent's page.
    pub link: Option<String>,
    /// Its base address: `https://alertmanager.example.com`.
    pub url: String,
    /// The variable that holds a bearer token, where something in front asks for one.
    pub token_env: Option<String>,
    /// The file that holds that token.
    pub token_file: Option<PathBuf>,
    /// Further labels of the alert, for its routes: `severity: page`.
    pub labels: Option<BTreeMap<String, String>>,
}

/// A service of PagerDuty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PagerDutyForm {
    /// What it is called in logs and in the memory of what was told; unique in its project.
    pub name: Option<String>,
    /// Of which outcomes it is told: `pending`, `held`, `succeeded`, `drifted`, `repaired`,
    /// `rolledback`, `failed`, `broken`.
    #[serde(default)]
    #[schemars(schema_with = "schema::outcomes")]
    pub tell: Option<BTreeSet<ProjectOutcome>>,
    /// Where people find more, usually the agent's page.
    pub link: Option<String>,
    /// Where its events are taken, when that is not `https://events.pagerduty.com/v2/enqueue`.
    pub url: Option<String>,
    /// The variable that holds the integration key.
    pub key_env: Option<String>,
    /// The file that holds the integration key.
    pub key_file: Option<PathBuf>,
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
