//! What stands in files and changes there while the agent runs: tokens, passwords, certificates.
//!
//! Orchestrators replace them, and tokens of apps live for an hour. So each file is looked at again
//! and again, and what is new is taken when two looks in a row saw the same: one that is empty, or
//! half written, changes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::daemon::SharedSecret;
use crate::daemon::webhook::Webhook;
use crate::model::Name;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::settings::{ProjectSettings, ProjectSource, RunSettings, SecretSource};
use super::{server, webhook};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// How much of a file is looked at. A bundle of all authorities of a system is a twentieth of it.
const BYTES_MAX: u64 = 4 << 20;

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
        let files = Renewals::of(settings.agent_token.as_ref(), settings.projects.iter());
        let bearer = server::bearer(context, settings)?;
        let mut webhooks = BTreeMap::new();
        for project in &settings.projects {
            let expected = webhook::expected(context, project)?;
            webhooks.extend(expected.map(|webhook| (project.name.clone(), webhook)));
        }
        Ok(Self { bearer, webhooks, files })
    }

    /// Watches the files of these settings from now on.
    pub fn watch<'s>(
        &mut self,
        bearer: Option<&SecretSource>,
        projects: impl Iterator<Item = &'s ProjectSettings>,
    ) {
        self.files = Renewals::of(bearer, projects);
    }

    /// Waits until files have changed, and returns whose.
    pub async fn due(&mut self) -> Vec<User> {
        if self.files.is_empty() {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(EVERY).await;
            // A mount that hangs must not hold up the process.
            let paths = self.files.paths();
            let looked =
                tokio::task::spawn_blocking(move || paths.iter().map(|it| look(it)).collect());
            let Ok(now) = looked.await else { continue };
            let due = self.files.due(now);
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
    pub fn webhook(&self, context: &Context, settings: &ProjectSettings) -> Result<(), Failure> {
        if let Some(known) = self.webhooks.get(&settings.name)
            && let Some(new) = webhook::expected(context, settings)?
        {
            // The new one was checked when it was made.
            known.secret().renew(new.secret());
        }
        Ok(())
    }
}

/// The files that may change.
struct Renewals(Vec<Watched>);

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
    fn of<'s>(
        bearer: Option<&SecretSource>,
        projects: impl Iterator<Item = &'s ProjectSettings>,
    ) -> Self {
        let server =
            bearer.and_then(SecretSource::file).map(|path| (path.to_owned(), User::Server));
        Self(server.into_iter().chain(projects.flat_map(of_project)).map(Watched::from).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.0.iter().map(|watched| watched.path.clone()).collect()
    }

    /// Takes what a look saw in each file, and returns whose have changed.
    fn due(&mut self, looked: Vec<Option<Seen>>) -> Vec<User> {
        let mut due = Vec::new();
        for (Watched { user, used, seen, .. }, now) in self.0.iter_mut().zip(looked) {
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
}

impl From<(PathBuf, User)> for Watched {
    fn from((path, user): (PathBuf, User)) -> Self {
        let used = look(&path);
        Self { path, user, used, seen: used }
    }
}

/// Returns what stands in a file; none while it is empty or cannot be read.
fn look(path: &Path) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut file = File::open(path).ok()?.take(BYTES_MAX);
    file.read_to_end(&mut bytes).ok()?;
    let text = bytes.trim_ascii();
    (!text.is_empty()).then(|| Sha256::digest(text).into())
}

fn of_project(settings: &ProjectSettings) -> Vec<(PathBuf, User)> {
    let name = || settings.name.clone();
    let project = settings.token.iter().filter_map(SecretSource::file);
    let project = project.chain(settings.connection.ca_file.as_deref());
    let project = project.chain(settings.notifications.iter().flat_map(|one| one.files()));
    let mut files: Vec<_> = project.map(|path| (path, User::Project(name()))).collect();
    let webhook = settings.webhook.iter().filter_map(|webhook| webhook.secret.file());
    files.extend(webhook.map(|path| (path, User::Webhook(name()))));
    if let ProjectSource::Repository(repository) = &settings.source {
        let token = repository.token.iter().filter_map(SecretSource::file);
        files.extend(token.map(|path| (path, User::Repository(name()))));
    }
    files.into_iter().map(|(path, user)| (path.to_owned(), user)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn watched(path: &Path) -> Renewals {
        Renewals(vec![Watched::from((path.to_owned(), User::Server))])
    }

    impl Renewals {
        fn looked(&mut self) -> Vec<User> {
            let now = self.0.iter().map(|it| look(&it.path)).collect();
            self.due(now)
        }
    }

    #[test]
    fn what_changed_is_told_once_when_it_has_stood_still() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "one\n").unwrap();
        let mut renewals = watched(&path);
        assert_eq!(renewals.looked(), []);
        // A writer at work: empty, half, whole.
        for text in ["", "tw", "two\n"] {
            fs::write(&path, text).unwrap();
            assert_eq!(renewals.looked(), [], "{text}");
        }
        assert_eq!(renewals.looked(), [User::Server]);
        assert_eq!(renewals.looked(), []);
        // A blank more is no other secret.
        fs::write(&path, "two").unwrap();
        assert_eq!((renewals.looked(), renewals.looked()), (vec![], vec![]));
    }

    #[test]
    fn what_goes_away_or_is_emptied_keeps_what_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "one").unwrap();
        let mut renewals = watched(&path);
        fs::write(&path, "").unwrap();
        assert_eq!((renewals.looked(), renewals.looked()), (vec![], vec![]));
        fs::remove_file(&path).unwrap();
        assert_eq!((renewals.looked(), renewals.looked()), (vec![], vec![]));
        fs::write(&path, "one").unwrap();
        assert_eq!((renewals.looked(), renewals.looked()), (vec![], vec![]));
    }

    /// A bundle of authorities is longer than any secret.
    #[test]
    fn a_large_file_is_seen_to_change_at_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        fs::write(&path, "a".repeat(300_000)).unwrap();
        let mut renewals = watched(&path);
        fs::write(&path, "a".repeat(300_000) + "b").unwrap();
        assert_eq!((renewals.looked(), renewals.looked()), (vec![], vec![User::Server]));
    }
}
