//! What one reading of the manifests gives: a wholly valid state, or why it is none.
//!
//! A look reads everything again, but what reads the same is not checked again: the state made of
//! it stands, as long as the values it names elsewhere are the same, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::manifest;
use crate::model::{Desired, Diagnostic};
use crate::render::json;
use crate::secret::{self, Finders, FoundValues, MissingValue, NamedValue, UNAVAILABLE};
use crate::source::{Home, Tree};
use crate::status::{ConditionReason, Problem};

use super::source::{CommitSummary, Reading, Secrets, problem};

/// A wholly valid state of the manifests (S6).
#[derive(Clone, Debug)]
pub struct Declared {
    /// What they want, every value found.
    pub desired: Arc<Desired>,
    /// The commit they are of.
    pub commit: Option<CommitSummary>,
    basis: Basis,
}

/// Checks what was read and finds its values. What is `known` is returned again where nothing has
/// changed.
///
/// # Errors
/// Everything that is wrong with it, with places. An empty tree is wrong, too: an unmounted volume
/// and an empty directory look the same, and neither asks for everything to go.
pub fn declare(
    reading: Reading,
    secrets: &Secrets,
    known: Option<Arc<Declared>>,
) -> Result<Arc<Declared>, Problem> {
    let Reading { tree, commit } = reading;
    let before = known.as_ref().map(|known| &*known.desired);
    let finders =
        Finders { environment: &*secrets.environment, allowed: &secrets.allowed, known: before };
    // The same text names the same values: they are looked for once, whatever comes of it.
    let mut found = None;
    if let Some(known) = &known
        && known.basis.has_text_of(&tree)
    {
        let values = FoundValues::look_for(&known.basis.named(), &tree, &finders);
        if known.basis.is_still(&values) {
            return Ok(Arc::clone(known).at(&tree, commit));
        }
        found = Some(values);
    }
    let loaded = manifest::load(&tree);
    let Some(declared) = loaded.desired else {
        return Err(invalid(&loaded.diagnostics));
    };
    if declared.resources.is_empty() && declared.tombstones.is_empty() {
        let message =
            "nothing is declared, and an empty source never counts as a request to delete";
        return Err(problem(ConditionReason::SourceEmpty, message.to_owned()));
    }
    let found = found.unwrap_or_else(|| FoundValues::of(&declared, &tree, &finders));
    let basis = Basis::of(&found, &tree);
    let resolved = secret::resolve(declared, &tree, &found, &secrets.key);
    let desired = resolved.map_err(|diagnostics| invalid(&diagnostics))?;
    Ok(Arc::new(Declared { desired: Arc::new(desired), commit, basis }))
}

impl Declared {
    /// Returns the same state as that of a tree that reads the same.
    fn at(self: Arc<Self>, tree: &Tree, commit: Option<CommitSummary>) -> Arc<Self> {
        if self.commit == commit && self.desired.revision.as_deref() == tree.revision() {
            return self;
        }
        let revision = tree.revision().map(str::to_owned);
        let desired = Arc::new(Desired { revision, ..(*self.desired).clone() });
        Arc::new(Self { desired, commit, basis: self.basis.clone() })
    }
}

/// What a state was made of, to tell whether it would be the same if it were made again.
#[derive(Clone)]
struct Basis {
    /// The digest of all text.
    text: String,
    /// The digest of the files' paths: the places in a state are made of them.
    paths: [u8; 32],
    /// The repository they lie in: a new service of a Blueprint is built from it.
    home: Option<Home>,
    /// The digest of each value that stands elsewhere; none for one that was not found.
    values: BTreeMap<NamedValue, Option<[u8; 32]>>,
}

impl Basis {
    fn of(found: &FoundValues, tree: &Tree) -> Self {
        let values = found.iter().map(|(name, value)| (name.clone(), digest(value)));
        let (text, home) = (tree.digest().to_owned(), tree.home().cloned());
        Self { text, paths: paths(tree), home, values: values.collect() }
    }

    /// Whether a tree reads the same.
    fn has_text_of(&self, tree: &Tree) -> bool {
        let Self { text, paths: known_paths, home, values: _ } = self;
        *text == tree.digest() && *known_paths == paths(tree) && home.as_ref() == tree.home()
    }

    fn named(&self) -> BTreeSet<NamedValue> {
        self.values.keys().cloned().collect()
    }

    /// Whether the values are the same, all of them.
    fn is_still(&self, found: &FoundValues) -> bool {
        let mut values = found.iter();
        values.all(|(name, value)| {
            let digest = digest(value);
            digest.is_some() && self.values.get(name) == Some(&digest)
        })
    }
}

/// Shows no digest: that of a short secret tells the secret (S9).
impl fmt::Debug for Basis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, paths: _, home: _, values } = self;
        let named: Vec<&NamedValue> = values.keys().collect();
        formatter.debug_struct("Basis").field("text", text).field("named", &named).finish()
    }
}

fn digest(value: &Result<SecretString, MissingValue>) -> Option<[u8; 32]> {
    value.as_ref().ok().map(|value| Sha256::digest(value.expose_secret()).into())
}

/// Hashes the paths of the files with their lengths, so that no two lists run together.
fn paths(tree: &Tree) -> [u8; 32] {
    let mut hash = Sha256::new();
    for file in tree.files() {
        hash.update((file.path.len() as u64).to_le_bytes());
        hash.update(&file.path);
    }
    hash.finalize().into()
}

fn invalid(diagnostics: &[Diagnostic]) -> Problem {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let first = errors.clone().next();
    // What only waits for a program or a mount is tried again; a manifest waits to be mended.
    let is_passing = errors.clone().all(|error| error.code == UNAVAILABLE);
    let reason = if is_passing {
        ConditionReason::SecretUnavailable
    } else {
        ConditionReason::ManifestsInvalid
    };
    let place = first.and_then(|error| error.origin.as_ref());
    // Whoever reads the status has no snippet with a caret beneath it, so the column is said.
    let place = place.map(|place| format!("{place}:{}: ", place.column)).unwrap_or_default();
    let what = first.map(|error| error.message.clone()).unwrap_or_default();
    let more = match errors.count() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    Problem {
        diagnostics: json::diagnostics(diagnostics),
        ..problem(reason, format!("{place}{what}{more}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::secret::{AllowedSources, FingerprintKey, SecretProgram};
    use crate::source::{self, Home};

    const TEXT: &str = "apiVersion: stackblaze.cloud/v1\nkind: EnvGroup\nmetadata: { name: keys }\n\
                        spec:\n  envVars:\n    - { key: ONE, valueFrom: { env: ONE } }\n    \
                        - { key: TWO, valueFrom: { file: two } }\n";

    /// A directory with a manifest and the file it names.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.yaml"), TEXT).unwrap();
        fs::write(directory.path().join("two"), "2").unwrap();
        directory
    }

    fn read(directory: &Path, commit: &str) -> Reading {
        let tree = source::load(&[directory.to_owned()], None).unwrap().with_revision(commit);
        let (id, subject, author) = (commit.to_owned(), String::new(), String::new());
        Reading { tree, commit: Some(CommitSummary { id, subject, author }) }
    }

    fn secrets(one: &'static str) -> Secrets {
        Secrets {
            environment: Arc::new(move |name| (name == "ONE").then(|| one.to_owned())),
            allowed: Arc::default(),
            key: Arc::new(FingerprintKey::from_bytes([7; 32])),
        }
    }

    #[test]
    fn what_reads_the_same_is_the_same_and_what_it_names_is_looked_at() {
        let directory = directory();
        let reading = || read(directory.path(), "a");
        let first = declare(reading(), &secrets("1"), None).unwrap();
        let again = |secrets: &Secrets| declare(reading(), secrets, Some(Arc::clone(&first)));
        assert!(Arc::ptr_eq(&first, &again(&secrets("1")).unwrap()));
        assert_ne!(first.desired, again(&secrets("another")).unwrap().desired);
        fs::write(directory.path().join("two"), "22").unwrap();
        let changed = again(&secrets("1")).unwrap();
        assert_ne!(first.desired, changed.desired);
        assert_eq!(changed.desired, declare(reading(), &secrets("1"), None).unwrap().desired);
        fs::remove_file(directory.path().join("two")).unwrap();
        assert_eq!(again(&secrets("1")).unwrap_err().reason, ConditionReason::ManifestsInvalid);
        fs::write(directory.path().join("two"), "2").unwrap();
        fs::write(directory.path().join("a.yaml"), TEXT.replace("keys", "others")).unwrap();
        assert_ne!(first.desired, again(&secrets("1")).unwrap().desired);
    }

    /// A directory with a manifest that names a value of a provider, and what the settings say.
    fn provided(directory: &Path) -> Secrets {
        let text = TEXT.replace("{ env: ONE }", "{ provider: vault, ref: a }");
        fs::write(directory.join("a.yaml"), text).unwrap();
        let script = "echo >> CALLS; cat ANSWER";
        let script = script.replace("CALLS", &directory.join("calls").display().to_string());
        let script = script.replace("ANSWER", &directory.join("answer").display().to_string());
        let command = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        let timeout = std::time::Duration::from_secs(60);
        let program = SecretProgram { command, timeout, environment: Vec::new() };
        let providers = BTreeMap::from([("vault".to_owned(), program)]);
        let allowed = AllowedSources { providers, ..AllowedSources::NOTHING };
        Secrets { allowed: Arc::new(allowed), ..secrets("1") }
    }

    #[test]
    fn a_provider_is_asked_once_a_reading_and_one_that_fails_may_answer_later() {
        let directory = directory();
        let secrets = provided(directory.path());
        let answer = |text: &str| fs::write(directory.path().join("answer"), text).unwrap();
        let calls = || fs::read(directory.path().join("calls")).unwrap().len();
        let reading = || read(directory.path(), "a");
        answer("{\"values\": {\"a\": \"1\"}}");
        let first = declare(reading(), &secrets, None).unwrap();
        assert_eq!(calls(), 1);
        let again = || declare(reading(), &secrets, Some(Arc::clone(&first)));
        assert!(Arc::ptr_eq(&first, &again().unwrap()));
        assert_eq!(calls(), 2);
        answer("{\"values\": {\"a\": \"2\"}}");
        assert_ne!(first.desired, again().unwrap().desired);
        assert_eq!(calls(), 3);
        answer("{\"missing\": [\"a\"]}");
        let problem = again().unwrap_err();
        assert_eq!(problem.reason, ConditionReason::SecretUnavailable);
        assert!(
            problem.message.contains("a.yaml:6:14: the provider `vault` knows no `a`"),
            "{problem:?}"
        );
        assert!(crate::daemon::source::may_pass(&problem));
    }

    #[test]
    fn another_commit_of_the_same_text_is_another_revision_of_the_same_state() {
        let directory = directory();
        let first = declare(read(directory.path(), "a"), &secrets("1"), None).unwrap();
        let reading = read(directory.path(), "b");
        let second = declare(reading, &secrets("1"), Some(Arc::clone(&first))).unwrap();
        assert_eq!(second.desired.revision.as_deref(), Some("b"));
        assert_eq!(second.commit.as_ref().unwrap().id, "b");
        assert_eq!(second.desired.resources, first.desired.resources);
    }

    #[test]
    fn the_same_text_in_another_repository_is_not_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let text = "services:\n  - { name: web, type: web, runtime: node }\n";
        fs::write(directory.path().join("a.yaml"), text).unwrap();
        let reading = |repo: &str, branch: Option<&str>| {
            let home = Home { repo: repo.to_owned(), branch: branch.map(str::to_owned) };
            let Reading { tree, commit } = read(directory.path(), "a");
            Reading { tree: tree.in_repository(Some(home)), commit }
        };
        let first = declare(reading("h.test/a", Some("main")), &secrets("1"), None).unwrap();
        for (repo, branch) in [("h.test/b", Some("main")), ("h.test/a", None)] {
            let known = Some(Arc::clone(&first));
            let moved = declare(reading(repo, branch), &secrets("1"), known).unwrap();
            let fresh = declare(reading(repo, branch), &secrets("1"), None).unwrap();
            assert_eq!(moved.desired, fresh.desired, "{repo} {branch:?}");
        }
        let known = Some(Arc::clone(&first));
        let same = declare(reading("h.test/a", Some("main")), &secrets("1"), known).unwrap();
        assert!(Arc::ptr_eq(&first, &same));
    }

    #[test]
    fn the_same_text_at_another_place_is_not_the_same() {
        let (here, there) = (directory(), directory());
        let first = declare(read(here.path(), "a"), &secrets("1"), None).unwrap();
        let moved = declare(read(there.path(), "a"), &secrets("1"), Some(first)).unwrap();
        let origin = &moved.desired.resources.values().next().unwrap().origin;
        assert!(origin.file.starts_with(there.path().to_str().unwrap()), "{origin}");
    }

    #[test]
    fn no_digest_of_a_secret_is_shown() {
        let directory = directory();
        let declared = declare(read(directory.path(), "a"), &secrets("1"), None).unwrap();
        let digest: [u8; 32] = Sha256::digest("1").into();
        let shown = format!("{:?}", declared.basis);
        assert!(shown.contains("ONE") && !shown.contains(&format!("{digest:?}")), "{shown}");
    }
}
