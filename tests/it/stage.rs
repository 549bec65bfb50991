//! The whole program before the emulator, in memory and on a paused clock.
//!
//! Real manifests, real client, real planner, real executor, real store; only the socket is not.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use stoker::api::{Client, Config, Dialect, Endpoint, Parts, Token};
use stoker::apply::{Hands, Happening, apply};
use stoker::budget::{self, Millis};
use stoker::clock::Clock;
use stoker::emulator::{self, Emulator};
use stoker::ledger::Ledger;
use stoker::model::{Desired, Inventory, Pin, Snapshot};
use stoker::plan::{Plan, Policy, Prune, Report, plan};
use stoker::reconcile::refresh;
use stoker::sandbox::{SANDBOX_ENDPOINT, SandboxTransport, emulator_clock};
use stoker::secret::{self, FingerprintKey};
use stoker::source::{self, Tree};
use stoker::store::Store;

/// Where the emulator's time begins.
const START: &str = "2026-11-24T00:00:00Z";

/// A platform, a state directory and a clock.
pub struct Stage {
    pub emulator: Emulator,
    pub clock: Clock,
    pub dialect: Dialect,
    pub variables: Vec<(String, String)>,
    directory: tempfile::TempDir,
}

impl Stage {
    pub fn new() -> Self {
        Self::on(emulator::Config::default())
    }

    pub fn on(platform: emulator::Config) -> Self {
        let clock = Clock::starting_at(START.parse().unwrap());
        let emulator = Emulator::new(platform, emulator_clock(&clock));
        Self {
            emulator,
            clock,
            dialect: Dialect::default(),
            variables: Vec::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn client(&self) -> Client {
        let now = Millis(u64::try_from(self.clock.now().as_millisecond()).unwrap());
        Client::new(Parts {
            endpoint: Endpoint::parse(SANDBOX_ENDPOINT).unwrap(),
            token: Token::parse(emulator::TOKEN).unwrap(),
            transport: Arc::new(SandboxTransport::new(self.emulator.clone())),
            ledger: Arc::new(Ledger::in_memory(budget::Config::default(), now)),
            clock: self.clock.clone(),
            dialect: self.dialect.clone(),
            config: Config::default(),
        })
    }

    pub fn desired(&self, tree: &Tree) -> Desired {
        let loaded = stoker::manifest::load(tree);
        let declared = loaded.desired.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let variable = |name: &str| {
            self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        let key = FingerprintKey::from_bytes([7; 32]);
        secret::resolve(declared, tree, &variable, &key).unwrap()
    }

    pub fn inventory(&self) -> Inventory {
        Store::read(self.directory.path()).unwrap().inventory
    }

    pub async fn snapshot(&self, client: &Client, tree: &Tree) -> Snapshot {
        let desired = self.desired(tree);
        refresh(&client.reader(), desired, self.inventory(), &self.clock).await.unwrap()
    }

    pub async fn plan(&self, tree: &Tree, policy: &Policy) -> Plan {
        plan(&self.snapshot(&self.client(), tree).await, policy)
    }

    /// Plans and applies, as `stoker apply` does.
    pub async fn apply(&self, tree: &Tree, policy: &Policy) -> (Plan, Report) {
        let client = self.client();
        let snapshot = self.snapshot(&client, tree).await;
        let plan = plan(&snapshot, policy);
        let report = self.carry_out(&client, &snapshot, &plan, policy).await;
        (plan, report)
    }

    pub async fn carry_out(
        &self,
        client: &Client,
        snapshot: &Snapshot,
        plan: &Plan,
        policy: &Policy,
    ) -> Report {
        let mut store = Store::open(self.directory.path(), "a test").unwrap();
        let pin = Pin { origin: client.origin(), project: snapshot.live.project.clone() };
        store.set_pin(pin.clone()).unwrap();
        let writer = client.writer(&pin, &snapshot.live.project).unwrap();
        let (_stop, stop) = tokio::sync::watch::channel(false);
        let hands = Hands {
            reader: &client.reader(),
            writer: &writer,
            store: &Mutex::new(store),
            clock: &self.clock,
            settle: policy.settle,
            stop,
            observe: &|_: Happening<'_>| {},
        };
        apply(plan, &snapshot.live, &hands).await.unwrap()
    }
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

/// The policy of `--prune`.
pub fn pruning() -> Policy {
    let prune = Prune::Kinds(stoker::model::Kind::ALL.into());
    Policy { prune, ..Policy::default() }
}

/// A plan in short: one line for each change, as `action key`, or `blocked key: reason`.
pub fn brief(plan: &Plan) -> Vec<String> {
    let line = |change: &stoker::plan::Change| match &change.blocked {
        Some(blocked) => format!("blocked {}: {}", change.key, blocked.reason.as_str()),
        None => format!("{:?} {}", change.action, change.key).to_lowercase(),
    };
    plan.changes.iter().map(line).collect()
}
