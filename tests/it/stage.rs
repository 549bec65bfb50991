//! The whole program before the emulator, in memory and on a paused clock.
//!
//! Real manifests, real client, real planner, real executor, real store; only the socket is not.

use std::path::PathBuf;
use std::sync::Arc;

use stoker::api::{ClientConfig, Dialect, Endpoint, Token, Transport};
use stoker::apply::Execution;
use stoker::budget::{self, Millis};
use stoker::clock::Clock;
use stoker::emulator::{self, Emulator};
use stoker::ledger::Ledger;
use stoker::model::{Desired, Inventory};
use stoker::plan::{Permissions, Plan, Policy, Prune, Report};
use stoker::project::{BudgetPlace, OpenProject, PassError, Planned, ProjectParts};
use stoker::sandbox::{SANDBOX_ENDPOINT, SandboxTransport, emulator_clock};
use stoker::secret::{self, AllowedSources, Finders, FingerprintKey, FoundValues};
use stoker::source::{self, Tree};
use stoker::store::{Medium, Simulated};

/// Where the emulator's time begins.
const START: &str = "2026-11-24T00:00:00Z";

/// A platform, a state directory with its budget, and a clock.
pub struct Stage {
    pub emulator: Emulator,
    pub clock: Clock,
    pub dialect: Dialect,
    pub variables: Vec<(String, String)>,
    /// What manifests may name beside them.
    pub allowed: AllowedSources,
    pub transport: Arc<dyn Transport>,
    pub ledger: Arc<Ledger>,
    pub directory: tempfile::TempDir,
    /// Where the state is kept: in the directory, unless a test says otherwise.
    pub state: Medium,
    /// When its runs must be over.
    pub deadline: Option<jiff::Timestamp>,
    /// Turns true when somebody asks the run to end.
    pub stop: tokio::sync::watch::Sender<bool>,
}

impl Stage {
    pub fn new() -> Self {
        Self::on(emulator::EmulatorConfig::default())
    }

    pub fn on(platform: emulator::EmulatorConfig) -> Self {
        let clock = Clock::starting_at(START.parse().unwrap());
        let emulator = Emulator::new(platform, emulator_clock(&clock));
        let now = Millis(u64::try_from(clock.now().as_millisecond()).unwrap());
        let directory = state_directory();
        Self {
            transport: Arc::new(SandboxTransport::new(emulator.clone())),
            ledger: Arc::new(Ledger::in_memory(budget::BudgetConfig::default(), now)),
            emulator,
            clock,
            dialect: Dialect::default(),
            variables: Vec::new(),
            allowed: AllowedSources::NOTHING,
            state: directory.path().into(),
            directory,
            deadline: None,
            stop: tokio::sync::watch::Sender::new(false),
        }
    }

    /// Keeps its state on a disk in memory, which can be broken at every step.
    pub fn in_memory(platform: emulator::EmulatorConfig) -> Self {
        Self { state: Medium::Memory(Simulated::default()), ..Self::on(platform) }
    }

    /// Opens the project of the stage, as a run does when it begins.
    pub fn open(&self) -> OpenProject {
        let parts = ProjectParts::new(
            Endpoint::parse(SANDBOX_ENDPOINT).unwrap(),
            Token::parse(emulator::TOKEN).unwrap(),
            Arc::clone(&self.transport),
            self.directory.path().into(),
        );
        let parts = ProjectParts {
            dialect: self.dialect.clone(),
            budget: BudgetPlace::Opened(Arc::clone(&self.ledger)),
            state: self.state.clone(),
            config: ClientConfig { deadline: self.deadline, ..ClientConfig::default() },
            clock: self.clock.clone(),
            holder: "a test".to_owned(),
            ..parts
        };
        parts.open().unwrap()
    }

    pub fn desired(&self, tree: &Tree) -> Desired {
        let loaded = stoker::manifest::load(tree);
        let declared = loaded.desired.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let variable = |name: &str| {
            self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        let key = FingerprintKey::from_bytes([7; 32]);
        let found = FoundValues::of(
            &declared,
            tree,
            &Finders { environment: &variable, allowed: &self.allowed, known: None },
        );
        secret::resolve(declared, tree, &found, &key).unwrap()
    }

    pub fn inventory(&self) -> Arc<Inventory> {
        self.state.read().unwrap().inventory
    }

    pub async fn plan(&self, tree: &Tree, policy: &Policy) -> Plan {
        self.open().plan(self.desired(tree), policy).await.unwrap().plan
    }

    /// Plans and applies, as `stoker apply` does.
    pub async fn apply(&self, tree: &Tree, policy: &Policy) -> (Plan, Report) {
        self.try_apply(tree, policy).await.unwrap()
    }

    /// Plans and applies on a platform that may not even be readable.
    pub async fn try_apply(
        &self,
        tree: &Tree,
        policy: &Policy,
    ) -> Result<(Plan, Report), PassError> {
        let project = self.open();
        let planned = project.plan(self.desired(tree), policy).await?;
        let report = self.carry_out(&project, &planned).await;
        Ok((planned.plan, report))
    }

    pub async fn carry_out(&self, project: &OpenProject, planned: &Planned) -> Report {
        let execution = Execution { stop: self.stop.subscribe(), ..Execution::default() };
        let carried = project.apply(planned, execution).await;
        match &self.state {
            // It died in that step: nobody is left to hear of the error.
            Medium::Memory(disk) if disk.was_struck() => std::future::pending().await,
            Medium::Memory(_) | Medium::Directory(_) | Medium::Shared(_) => carried.unwrap(),
        }
    }

    /// Lets time pass.
    pub async fn wait(&self, seconds: u64) {
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    }
}

/// A directory in memory where the system has one: thousands of runs would else wait for a disk
/// that is not what they test.
fn state_directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The manifests of a directory of the repository.
pub fn shipped(path: &str) -> Tree {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    source::load(&[root], None).unwrap()
}

/// Manifests written in a test.
pub fn manifests(text: &str) -> Tree {
    Tree::from_texts([("stack.yaml", text)])
}

/// The same manifests with one piece of text replaced, wherever it stands.
pub fn edited(tree: &Tree, before: &str, after: &str) -> Tree {
    let files = tree.files().iter();
    let texts: Vec<(String, String)> = files
        .map(|file| {
            let text = String::from_utf8(file.bytes.clone()).unwrap();
            (file.path.clone(), text.replace(before, after))
        })
        .collect();
    let tree = Tree::from_texts(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    assert!(tree.files().iter().any(|file| file.bytes != b""), "nothing is left");
    tree
}

/// The policy of `--prune`.
pub fn pruning() -> Policy {
    let prune = Prune::Kinds(stoker::model::Kind::ALL.into());
    let permissions = Permissions { prune, ..Permissions::default() };
    Policy { permissions, ..Policy::default() }
}

/// A plan in short: one line for each change, as `action key`, or `blocked key: reason`.
pub fn brief(plan: &Plan) -> Vec<String> {
    let line = |change: &stoker::plan::Change| match &change.blocked {
        Some(blocked) => format!("blocked {}: {}", change.key, blocked.reason.as_str()),
        None => format!("{:?} {}", change.action, change.key).to_lowercase(),
    };
    plan.changes.iter().map(line).collect()
}
