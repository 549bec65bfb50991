//! What stands in files and changes there while the agent runs: tokens, passwords, certificates.
//!
//! Orchestrators replace them, and tokens of apps live for an hour. So each file is looked at again
//! and again, and what is new is taken when two looks in a row saw the same: one that is empty, or
//! half written, changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::daemon::SharedSecret;
use crate::daemon::webhook::Webhook;
use crate::model::Name;

use super::super::context::Context;
use super::super::environment::Environment;
use super::super::failure::Failure;
use super::super::settings::{ProjectSettings, ProjectSource, RunSettings, SecretSource};
use super::{project, server};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Who uses what stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// Whoever signs in at the server.
    Server,
    /// The webhook of a project.
    Webhook(Name),
    /// The repository of a project.
    Repository(Name),
    /// A project as a whole: it begins anew, as its token names its budget.
    Project(Name),
}

/// The secrets of the process that are renewed in their place, and the files that may change.
pub struct Renewed {
    /// The token of the server.
    pub bearer: Option<SharedSecret>,
    /// What each project expects of webhooks.
    pub webhooks: BTreeMap<Name, Webhook>,
    files: Renewals,
}

impl Renewed {
    /// Reads the secrets.
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn begin(context: &Context, settings: &RunSettings) -> Result<Self, Failure> {
        // Noted first: what changes while it is read has changed.
        let files = Renewals::of(settings, &context.environment);
        let bearer = server::bearer(context, settings)?;
        let mut webhooks = BTreeMap::new();
        for project in &settings.projects {
            let webhook = project::webhook(context, project)?;
            webhooks.extend(webhook.map(|webhook| (project.name.clone(), webhook)));
        }
        Ok(Self { bearer, webhooks, files })
    }

    /// Waits until files have changed, and returns whose.
    pub async fn due(&mut self) -> Vec<User> {
        loop {
            tokio::time::sleep(EVERY).await;
            let due = self.files.due();
            if !due.is_empty() {
                return due;
            }
        }
    }

    /// Reads the token of the server again.
    ///
    /// # Errors
    /// When the new one cannot be used; then the old one stands.
    pub fn server(&self, context: &Context, settings: &RunSettings) -> Result<(), Failure> {
        if let (Some(known), Some(new)) = (&self.bearer, server::bearer(context, settings)?) {
            known.renew(&new);
        }
        Ok(())
    }

    /// Reads the secret of a project's webhook again.
    ///
    /// # Errors
    /// When the new one cannot be used; then the old one stands.
    pub fn webhook(
        &self,
        context: &Context,
        settings: &RunSettings,
        name: &Name,
    ) -> Result<(), Failure> {
        let project = settings.projects.iter().find(|project| project.name == *name);
        if let (Some(known), Some(project)) = (self.webhooks.get(name), project)
            && let Some(new) = project::webhook(context, project)?
        {
            // The new one was checked when it was made.
            known.secret().renew(new.secret());
        }
        Ok(())
    }
}

/// The files that may change.
struct Renewals {
    environment: Environment,
    files: Vec<Watched>,
}

struct Watched {
    path: PathBuf,
    user: User,
    /// What is used, by its digest.
    used: Option<Seen>,
    /// What the last look saw.
    seen: Option<Seen>,
}

type Seen = [u8; 32];

impl Renewals {
    /// Notes what is used now.
    fn of(settings: &RunSettings, environment: &Environment) -> Self {
        let server = settings.agent_token.iter().filter_map(file).map(|path| (path, User::Server));
        let projects = settings.projects.iter().flat_map(of_project);
        let files = server.chain(projects);
        let mut renewals = Self { environment: environment.clone(), files: Vec::new() };
        for (path, user) in files {
            let used = renewals.look(path);
            renewals.files.push(Watched { path: path.to_owned(), user, used, seen: used });
        }
        renewals
    }

    /// Looks once, and returns whose files have changed.
    fn due(&mut self) -> Vec<User> {
        let mut due = Vec::new();
        for number in 0..self.files.len() {
            let now = self.look(&self.files[number].path);
            let Watched { user, used, seen, .. } = &mut self.files[number];
            let before = std::mem::replace(seen, now);
            if now.is_none() || now != before || now == *used {
                continue;
            }
            *used = now;
            if !due.contains(user) {
                due.push(user.clone());
            }
        }
        due
    }

    /// Returns what stands in a file; none while it is empty or cannot be read.
    fn look(&self, path: &Path) -> Option<Seen> {
        let text = SecretSource::File(path.to_owned()).read(&self.environment).ok()?;
        Some(Sha256::digest(text.expose_secret()).into())
    }
}

fn of_project(settings: &ProjectSettings) -> Vec<(&Path, User)> {
    let name = || settings.name.clone();
    let project = settings.token.iter().filter_map(file);
    let project = project.chain(settings.connection.ca_file.as_deref());
    let project = project.chain(settings.notifications.iter().flat_map(|one| one.files()));
    let mut files: Vec<_> = project.map(|path| (path, User::Project(name()))).collect();
    let webhook = settings.webhook.iter().filter_map(|webhook| file(&webhook.secret));
    files.extend(webhook.map(|path| (path, User::Webhook(name()))));
    if let ProjectSource::Repository(repository) = &settings.source {
        let token = repository.token.iter().filter_map(file);
        files.extend(token.map(|path| (path, User::Repository(name()))));
    }
    files
}

/// Returns the file of a secret; a variable of a process never changes.
fn file(source: &SecretSource) -> Option<&Path> {
    match source {
        SecretSource::File(path) => Some(path),
        SecretSource::Variable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn watched(path: &Path) -> Renewals {
        let mut renewals = Renewals { environment: Environment::default(), files: Vec::new() };
        let used = renewals.look(path);
        renewals.files.push(Watched { path: path.into(), user: User::Server, used, seen: used });
        renewals
    }

    #[test]
    fn what_changed_is_told_once_when_it_has_stood_still() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "one\n").unwrap();
        let mut renewals = watched(&path);
        assert_eq!(renewals.due(), []);
        // A writer at work: empty, half, whole.
        for text in ["", "tw", "two\n"] {
            fs::write(&path, text).unwrap();
            assert_eq!(renewals.due(), [], "{text}");
        }
        assert_eq!(renewals.due(), [User::Server]);
        assert_eq!(renewals.due(), []);
        // A blank more is no other secret.
        fs::write(&path, "two").unwrap();
        assert_eq!((renewals.due(), renewals.due()), (vec![], vec![]));
    }

    #[test]
    fn what_goes_away_or_is_emptied_keeps_what_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "one").unwrap();
        let mut renewals = watched(&path);
        fs::write(&path, "").unwrap();
        assert_eq!((renewals.due(), renewals.due()), (vec![], vec![]));
        fs::remove_file(&path).unwrap();
        assert_eq!((renewals.due(), renewals.due()), (vec![], vec![]));
        fs::write(&path, "one").unwrap();
        assert_eq!((renewals.due(), renewals.due()), (vec![], vec![]));
    }
}
