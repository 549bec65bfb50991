//! Who is told when the state of a project changes: checked when settings are read, and joined
//! with their secrets when they are used.

use std::collections::BTreeSet;
use std::path::Path;

use secrecy::ExposeSecret as _;

use crate::daemon::notify::{Address, CommitTarget, Forge, Sink, Target};

use super::super::environment::Environment;
use super::forms::{AddressForm, CommitForm, NotificationForm};
use super::secret::SecretSource;

/// One who is told, its secrets not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationSettings {
    /// What it is called, unique in its project.
    pub name: String,
    /// Where it is.
    to: To,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
    Webhook { address: Whither, secret: Option<SecretSource> },
    Slack { address: SecretSource },
    Commit { at: CommitTarget, token: SecretSource, target_url: Option<String> },
}

/// An address, or where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whither {
    Open(Address),
    Secret(SecretSource),
}

/// Checks the notifications of a project. `repo` is the repository its manifests come from.
///
/// # Errors
/// The index of the first that cannot be used, and why.
pub(super) fn notifications(
    forms: &[NotificationForm],
    repo: Option<&str>,
) -> Result<Vec<NotificationSettings>, (usize, String)> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for (index, form) in forms.iter().enumerate() {
        let (word, given, to) = match form {
            NotificationForm::Webhook(form) => ("webhook", &form.name, webhook(form)),
            NotificationForm::Slack(form) => ("slack", &form.name, slack(form)),
            NotificationForm::Github(form) => {
                ("github", &form.name, commit(Forge::Github, form, repo))
            }
            NotificationForm::Gitlab(form) => {
                ("gitlab", &form.name, commit(Forge::Gitlab, form, repo))
            }
            NotificationForm::Gitea(form) => {
                ("gitea", &form.name, commit(Forge::Gitea, form, repo))
            }
        };
        let to = to.map_err(|reason| (index, reason))?;
        let name = given.clone().unwrap_or_else(|| word.to_owned());
        if !names.insert(name.clone()) {
            let reason = format!("two notifications are called `{name}`; give each a `name`");
            return Err((index, reason));
        }
        all.push(NotificationSettings { name, to });
    }
    Ok(all)
}

fn webhook(form: &AddressForm) -> Result<To, String> {
    let secret = SecretSource::of("url", form.url_env.as_ref(), form.url_file.as_ref())?;
    let address = match (&form.url, secret) {
        (Some(_), Some(_)) => return Err("`url` is given twice".to_owned()),
        (Some(url), None) => {
            Whither::Open(Address::parse(url).map_err(|error| format!("`url`: {error}"))?)
        }
        (None, Some(secret)) => Whither::Secret(secret),
        (None, None) => return Err("`url`, `urlEnv` or `urlFile` is missing".to_owned()),
    };
    let secret = SecretSource::of("secret", form.secret_env.as_ref(), form.secret_file.as_ref())?;
    Ok(To::Webhook { address, secret })
}

fn slack(form: &AddressForm) -> Result<To, String> {
    if form.url.is_some() {
        let reason = "Slack's address is a secret: name it with `urlEnv` or `urlFile`";
        return Err(reason.to_owned());
    }
    if form.secret_env.is_some() || form.secret_file.is_some() {
        return Err("Slack's messages are not signed; there is no secret".to_owned());
    }
    let address = SecretSource::of("url", form.url_env.as_ref(), form.url_file.as_ref())?;
    Ok(To::Slack { address: address.ok_or("`urlEnv` or `urlFile` is missing")? })
}

fn commit(forge: Forge, form: &CommitForm, repo: Option<&str>) -> Result<To, String> {
    let token = SecretSource::of("token", form.token_env.as_ref(), form.token_file.as_ref())?;
    let token = token.ok_or("`tokenEnv` or `tokenFile` is missing")?;
    let repo = form.repo.as_deref().or(repo);
    let repo = repo.ok_or("`repo` is missing, and the manifests come from no repository")?;
    let at = CommitTarget::new(forge, repo, form.api_url.as_deref())
        .map_err(|error| format!("`repo`: {error}"))?;
    if let Some(url) = &form.target_url {
        Address::parse(url).map_err(|error| format!("`targetUrl`: {error}"))?;
    }
    Ok(To::Commit { at, token, target_url: form.target_url.clone() })
}

impl NotificationSettings {
    /// Returns the files its secrets stand in.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let sources = match &self.to {
            To::Webhook { address: Whither::Open(_), secret } => [None, secret.as_ref()],
            To::Webhook { address: Whither::Secret(address), secret } => {
                [Some(address), secret.as_ref()]
            }
            To::Slack { address } => [Some(address), None],
            To::Commit { at: _, token, target_url: _ } => [Some(token), None],
        };
        sources.into_iter().flatten().filter_map(|source| match source {
            SecretSource::File(path) => Some(path.as_path()),
            SecretSource::Variable(_) => None,
        })
    }

    /// Reads the secrets.
    ///
    /// # Errors
    /// When one is missing or cannot be used; a fragment that never repeats it.
    pub fn sink(&self, environment: &Environment) -> Result<Sink, String> {
        let Self { name, to } = self;
        let address = |source: &SecretSource| {
            let text = source.read(environment)?;
            Address::parse(text.expose_secret()).map_err(|error| format!("{source}: {error}"))
        };
        let target = match to {
            To::Webhook { address: whither, secret } => Target::Webhook {
                address: match whither {
                    Whither::Open(address) => address.clone(),
                    Whither::Secret(source) => address(source)?,
                },
                secret: secret.as_ref().map(|secret| secret.read(environment)).transpose()?,
            },
            To::Slack { address: source } => Target::Slack { address: address(source)? },
            To::Commit { at, token, target_url } => Target::Commit {
                at: at.clone(),
                token: token.read(environment)?,
                target_url: target_url.clone(),
            },
        };
        Ok(Sink { name: name.clone(), target })
    }
}
