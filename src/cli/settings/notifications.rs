//! Who is told when the state of a project changes: checked when settings are read, and joined
//! with their secrets when they are used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::daemon::notify::{
    CommitTarget, Forge, MailServer, Mailbox, Person, ProjectOutcome, Sink, SinkAddress,
    SinkTarget, Template, example,
};

use super::super::environment::Environment;
use super::super::values::Span;
use super::secret::SecretSource;
use super::sinks::{
    AlertmanagerForm, ChannelForm, CommitForm, MailForm, NotificationForm, PagerDutyForm,
    WebhookTargetForm,
};

/// Where PagerDuty takes events.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// What an alarm may be raised for: what goes on until somebody does something.
const ALARMS: [ProjectOutcome; 4] =
    [ProjectOutcome::Held, ProjectOutcome::Drifted, ProjectOutcome::Failed, ProjectOutcome::Broken];

/// One who is told, its secrets not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationSettings {
    /// What it is called, unique in its project.
    pub name: String,
    /// Where it is.
    to: To,
    tell: Option<BTreeSet<ProjectOutcome>>,
    again: Option<Duration>,
    link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
    Webhook {
        address: Whither,
        secret: Option<SecretSource>,
        body: Option<Template>,
    },
    Slack {
        address: SecretSource,
    },
    Teams {
        address: SecretSource,
    },
    Discord {
        address: SecretSource,
    },
    Mail(MailTo),
    Alertmanager {
        address: SinkAddress,
        token: Option<SecretSource>,
        labels: BTreeMap<String, String>,
    },
    PagerDuty {
        address: SinkAddress,
        key: SecretSource,
    },
    Commit {
        at: CommitTarget,
        token: SecretSource,
    },
}

/// An address, or where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whither {
    Open(SinkAddress),
    Secret(SecretSource),
}

/// A mailbox, its password not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MailTo {
    server: MailServer,
    from: Person,
    to: Vec<Person>,
    login: Option<(String, SecretSource)>,
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
        let settings = one(form, repo).map_err(|reason| (index, reason))?;
        if !names.insert(settings.name.clone()) {
            let name = &settings.name;
            let reason = format!("two notifications are called `{name}`; give each a `name`");
            return Err((index, reason));
        }
        all.push(settings);
    }
    Ok(all)
}

fn one(form: &NotificationForm, repo: Option<&str>) -> Result<NotificationSettings, String> {
    match form {
        NotificationForm::Webhook(form) => {
            Common::of(&form.name, &form.tell, form.again, &form.link)
                .with("webhook", webhook(form)?)
        }
        NotificationForm::Slack(form) => channel(form, "slack", |address| To::Slack { address }),
        NotificationForm::Teams(form) => channel(form, "teams", |address| To::Teams { address }),
        NotificationForm::Discord(form) => {
            channel(form, "discord", |address| To::Discord { address })
        }
        NotificationForm::Mail(form) => {
            Common::of(&form.name, &form.tell, form.again, &form.link).with("mail", mail(form)?)
        }
        NotificationForm::Alertmanager(form) => {
            Common::of(&form.name, &form.tell, None, &form.link)
                .with("alertmanager", alertmanager(form)?)
        }
        NotificationForm::Pagerduty(form) => {
            Common::of(&form.name, &form.tell, None, &form.link).with("pagerduty", pagerduty(form)?)
        }
        NotificationForm::Github(form) => status(form, "github", Forge::Github, repo),
        NotificationForm::Gitlab(form) => status(form, "gitlab", Forge::Gitlab, repo),
        NotificationForm::Gitea(form) => status(form, "gitea", Forge::Gitea, repo),
    }
}

/// What all of them have, or nearly all.
struct Common<'a> {
    name: Option<&'a String>,
    tell: Option<&'a BTreeSet<ProjectOutcome>>,
    again: Option<Duration>,
    link: Option<&'a String>,
}

impl<'a> Common<'a> {
    fn of(
        name: &'a Option<String>,
        tell: &'a Option<BTreeSet<ProjectOutcome>>,
        again: Option<Span>,
        link: &'a Option<String>,
    ) -> Self {
        let again = again.map(|span| span.0);
        Self { name: name.as_ref(), tell: tell.as_ref(), again, link: link.as_ref() }
    }

    fn with(self, word: &str, to: To) -> Result<NotificationSettings, String> {
        if let Some(link) = self.link {
            address("link", link)?;
        }
        if self.tell.is_some_and(BTreeSet::is_empty) {
            return Err("`tell` is empty: nothing would ever be sent".to_owned());
        }
        let is_alarm = matches!(to, To::Alertmanager { .. } | To::PagerDuty { .. });
        let odd = self.tell.into_iter().flatten().find(|it| is_alarm && !ALARMS.contains(it));
        if let Some(odd) = odd {
            let odd = odd.as_str();
            return Err(format!(
                "`tell`: an event such as `{odd}` raises no alarm, because it does not last"
            ));
        }
        Ok(NotificationSettings {
            name: self.name.cloned().unwrap_or_else(|| word.to_owned()),
            to,
            tell: self.tell.cloned(),
            again: self.again,
            link: self.link.cloned(),
        })
    }
}

fn webhook(form: &WebhookTargetForm) -> Result<To, String> {
    let secret = SecretSource::of("url", form.url_env.as_ref(), form.url_file.as_ref())?;
    let address = match (&form.url, secret) {
        (Some(_), Some(_)) => return Err("`url` is given twice".to_owned()),
        (Some(url), None) => Whither::Open(address("url", url)?),
        (None, Some(secret)) => Whither::Secret(secret),
        (None, None) => return Err("`url`, `urlEnv` or `urlFile` is missing".to_owned()),
    };
    let secret = SecretSource::of("secret", form.secret_env.as_ref(), form.secret_file.as_ref())?;
    let body = form.body.as_deref().map(|body| Template::new(body, &example()));
    let body = body.transpose().map_err(|error| format!("`body`: {error}"))?;
    Ok(To::Webhook { address, secret, body })
}

fn channel(
    form: &ChannelForm,
    word: &str,
    to: fn(SecretSource) -> To,
) -> Result<NotificationSettings, String> {
    let address = SecretSource::of("url", form.url_env.as_ref(), form.url_file.as_ref())?;
    let address = address.ok_or("`urlEnv` or `urlFile` is missing")?;
    Common::of(&form.name, &form.tell, form.again, &form.link).with(word, to(address))
}

fn mail(form: &MailForm) -> Result<To, String> {
    let person = |key: &str, text: &String| {
        let person = text.parse::<Person>();
        person.map_err(|error| format!("`{key}`: `{text}` is not an e-mail address: {error}"))
    };
    let from = person("from", &form.from)?;
    if form.to.is_empty() {
        return Err("`to` is empty: there is no recipient".to_owned());
    }
    let to = form.to.iter().map(|to| person("to", to)).collect::<Result<_, _>>()?;
    let password =
        SecretSource::of("password", form.password_env.as_ref(), form.password_file.as_ref())?;
    let login = match (&form.user, password) {
        (Some(user), Some(password)) => Some((user.clone(), password)),
        (None, None) => None,
        (Some(_), None) => return Err("`passwordEnv` or `passwordFile` is missing".to_owned()),
        (None, Some(_)) => return Err("`user` is missing next to the password".to_owned()),
    };
    let server = form.server.parse().map_err(|error| format!("`server`: {error}"))?;
    Ok(To::Mail(MailTo { server, from, to, login }))
}

fn alertmanager(form: &AlertmanagerForm) -> Result<To, String> {
    let token = SecretSource::of("token", form.token_env.as_ref(), form.token_file.as_ref())?;
    let labels = form.labels.clone().unwrap_or_default();
    let is_name = |name: &String| {
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
    };
    if let Some(odd) = labels.keys().find(|name| !is_name(name)) {
        return Err(format!("`labels`: `{odd}` is not a label name: letters, digits and `_`"));
    }
    Ok(To::Alertmanager { address: address("url", &form.url)?, token, labels })
}

fn pagerduty(form: &PagerDutyForm) -> Result<To, String> {
    let key = SecretSource::of("key", form.key_env.as_ref(), form.key_file.as_ref())?;
    let key = key.ok_or("`keyEnv` or `keyFile` is missing")?;
    let address = address("url", form.url.as_deref().unwrap_or(PAGERDUTY))?;
    Ok(To::PagerDuty { address, key })
}

fn status(
    form: &CommitForm,
    word: &str,
    forge: Forge,
    repo: Option<&str>,
) -> Result<NotificationSettings, String> {
    let token = SecretSource::of("token", form.token_env.as_ref(), form.token_file.as_ref())?;
    let token = token.ok_or("`tokenEnv` or `tokenFile` is missing")?;
    let repo = form.repo.as_deref().or(repo);
    let repo = repo.ok_or("`repo` is missing, and the manifests come from no repository")?;
    let at = CommitTarget::new(forge, repo, form.api_url.as_deref())
        .map_err(|error| format!("`repo`: {error}"))?;
    // Checked here, as its key is another one.
    form.target_url.as_ref().map(|url| address("targetUrl", url)).transpose()?;
    Common::of(&form.name, &None, None, &form.target_url).with(word, To::Commit { at, token })
}

fn address(key: &str, text: &str) -> Result<SinkAddress, String> {
    SinkAddress::parse(text).map_err(|error| format!("`{key}`: {error}"))
}

impl NotificationSettings {
    /// Returns the files its secrets stand in.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let sources = match &self.to {
            To::Webhook { address: Whither::Open(_), secret, body: _ } => [None, secret.as_ref()],
            To::Webhook { address: Whither::Secret(address), secret, body: _ } => {
                [Some(address), secret.as_ref()]
            }
            To::Slack { address } | To::Teams { address } | To::Discord { address } => {
                [Some(address), None]
            }
            To::Mail(mail) => [mail.login.as_ref().map(|(_, password)| password), None],
            To::Alertmanager { address: _, token, labels: _ } => [token.as_ref(), None],
            To::PagerDuty { address: _, key } => [Some(key), None],
            To::Commit { at: _, token } => [Some(token), None],
        };
        sources.into_iter().flatten().filter_map(SecretSource::file)
    }

    /// Reads the secrets. `ca_file` holds further certificates for mail servers.
    ///
    /// # Errors
    /// When one is missing or cannot be used; a fragment that never repeats it.
    pub fn sink(&self, environment: &Environment, ca_file: Option<&Path>) -> Result<Sink, String> {
        let target = self.to.target(environment, ca_file)?;
        Ok(Sink {
            name: self.name.clone(),
            tell: self.tell.clone().unwrap_or_else(|| target.tells()),
            target,
            again: self.again,
            link: self.link.clone(),
        })
    }
}

impl To {
    fn target(
        &self,
        environment: &Environment,
        ca_file: Option<&Path>,
    ) -> Result<SinkTarget, String> {
        let secret_address = |source: &SecretSource| {
            let text = source.read(environment)?;
            SinkAddress::parse(text.expose_secret()).map_err(|error| format!("{source}: {error}"))
        };
        Ok(match self {
            Self::Webhook { address, secret, body } => SinkTarget::Webhook {
                address: match address {
                    Whither::Open(address) => address.clone(),
                    Whither::Secret(source) => secret_address(source)?,
                },
                secret: secret.as_ref().map(|secret| secret.read(environment)).transpose()?,
                body: body.clone(),
            },
            Self::Slack { address } => SinkTarget::Slack { address: secret_address(address)? },
            Self::Teams { address } => SinkTarget::Teams { address: secret_address(address)? },
            Self::Discord { address } => SinkTarget::Discord { address: secret_address(address)? },
            Self::Mail(mail) => SinkTarget::Mail(mail.mailbox(environment, ca_file)?),
            Self::Alertmanager { address, token, labels } => SinkTarget::Alertmanager {
                address: address.clone(),
                token: token.as_ref().map(|token| token.read(environment)).transpose()?,
                labels: labels.clone(),
            },
            Self::PagerDuty { address, key } => {
                SinkTarget::PagerDuty { address: address.clone(), key: key.read(environment)? }
            }
            Self::Commit { at, token } => {
                SinkTarget::Commit { at: at.clone(), token: token.read(environment)? }
            }
        })
    }
}

impl MailTo {
    fn mailbox(
        &self,
        environment: &Environment,
        ca_file: Option<&Path>,
    ) -> Result<Mailbox, String> {
        let login = self.login.as_ref().map(|(user, password)| {
            password.read(environment).map(|password| (user.clone(), password))
        });
        let pem = ca_file.map(|path| {
            std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
        });
        Ok(Mailbox {
            server: self.server.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            login: login.transpose()?,
            certificates: pem.transpose()?,
        })
    }
}
