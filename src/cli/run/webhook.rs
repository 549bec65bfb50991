//! What a project expects of the webhooks of its code host.

use secrecy::ExposeSecret as _;

use crate::daemon::SharedSecret;
use crate::daemon::webhook::{Provider, Webhook};
use crate::source::git::GitReference;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::settings::{ProjectSettings, ProjectSource, WebhookProvider, WebhookSettings};
use super::project::unusable;

/// Reads what a project expects of webhooks.
///
/// # Errors
/// When the secret cannot be used.
pub fn expected(context: &Context, settings: &ProjectSettings) -> Result<Option<Webhook>, Failure> {
    let Some(WebhookSettings { provider, secret }) = &settings.webhook else {
        return Ok(None);
    };
    let provider = match provider {
        WebhookProvider::Auto => None,
        WebhookProvider::Github => Some(Provider::GitHub),
        WebhookProvider::Gitlab => Some(Provider::GitLab),
        WebhookProvider::Gitea => Some(Provider::Gitea),
        WebhookProvider::Bitbucket => Some(Provider::Bitbucket),
        WebhookProvider::Generic => Some(Provider::Generic),
    };
    let text = secret.read(&context.environment).map_err(|reason| unusable(settings, &reason))?;
    let shared = SharedSecret::parse(text.expose_secret())
        .map_err(|error| unusable(settings, &format!("{secret}: failed to {error}")))?;
    let followed = match &settings.source {
        ProjectSource::Files { .. } => None,
        ProjectSource::Repository(repository) => match &repository.reference {
            GitReference::DefaultBranch | GitReference::Commit(_) => None,
            GitReference::Branch(name) => Some(format!("refs/heads/{name}")),
            GitReference::Tag(name) => Some(format!("refs/tags/{name}")),
        },
    };
    let webhook = Webhook::new(provider, shared, followed)
        .map_err(|error| unusable(settings, &format!("failed to {error}")))?;
    Ok(Some(webhook))
}
