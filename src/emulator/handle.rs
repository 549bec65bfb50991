//! The handle: one world, shared by whoever asks it, changes it or judges it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};

use super::act::Act;
use super::choice::Kind;
use super::config::EmulatorConfig;
use super::fault::Faults;
use super::record::Recording;
use super::world::World;

/// The version of the saved form.
const VERSION: u64 = 1;

/// Tells the time in milliseconds since 1970.
pub type TimeSource = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A StackBlaze of one's own; clones are the same one.
#[derive(Clone)]
pub struct Emulator {
    world: Arc<Mutex<World>>,
    pub(super) clock: TimeSource,
    keeper: Arc<OnceLock<Keeper>>,
}

/// Keeps the world somewhere.
pub type Keeper = Box<dyn Fn() + Send + Sync>;

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").finish_non_exhaustive()
    }
}

impl Emulator {
    /// Starts an empty project.
    pub fn new(config: EmulatorConfig, clock: TimeSource) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(config))), clock, keeper: Arc::default() }
    }

    /// Starts from what [`Emulator::save`] returned.
    ///
    /// # Errors
    ///
    /// When the form is of another version, or not one of ours.
    pub fn restore(saved: &Value, clock: TimeSource) -> Result<Self, String> {
        if saved["version"] != VERSION {
            return Err(format!("the saved emulator is not of version {VERSION}"));
        }
        let world: World = serde_json::from_value(saved["world"].clone())
            .map_err(|error| format!("the saved emulator cannot be read: {error}"))?;
        Ok(Self { world: Arc::new(Mutex::new(world)), clock, keeper: Arc::default() })
    }

    /// Returns everything there is, secrets and tokens included, as JSON.
    ///
    /// Of the record only the last thousand entries.
    pub fn save(&self) -> Value {
        let mut world = self.world().clone();
        world.record = world.record.recent();
        let world = serde_json::to_value(world).expect("maps of the world have text for keys");
        json!({"version": VERSION, "world": world})
    }

    /// Has the world kept after each write from now on, before its answer leaves: who looks at what
    /// is kept then sees the change. The first one stays.
    pub fn keep_with(&self, keeper: Keeper) {
        // A second one would keep the same.
        let _ = self.keeper.set(keeper);
    }

    pub(super) fn keep(&self) {
        if let Some(keeper) = self.keeper.get() {
            keeper();
        }
    }

    /// Does what a person or another system does, and returns the id of what it created.
    ///
    /// # Errors
    ///
    /// When the platform would not let a person do it either.
    pub fn act(&self, act: &Act) -> Result<Option<String>, String> {
        let now = (self.clock)();
        self.world().act(act, now)
    }

    /// Plays these faults from now on, instead of those before.
    pub fn play(&self, faults: Faults) {
        self.world().faults = faults;
    }

    /// Changes the dialect from now on; what is there stays as it is, counts of requests begin
    /// anew.
    pub fn reconfigure(&self, change: impl FnOnce(&mut EmulatorConfig)) {
        let mut world = self.world();
        change(&mut world.config);
        world.limiters.clear();
    }

    /// Returns what happened so far.
    pub fn record(&self) -> Recording {
        self.world().record.clone()
    }

    /// Shows everything of one kind as it is, whole and with secrets: the truth to judge by.
    pub fn truth(&self, kind: Kind) -> Vec<Value> {
        let now = (self.clock)();
        let mut world = self.world();
        let now = world.advance(now);
        world.truth(kind, now)
    }

    /// Returns the ids of the things of one kind and name, oldest first.
    pub fn ids(&self, kind: Kind, name: &str) -> Vec<String> {
        let things = self.truth(kind).into_iter().filter(|thing| thing["name"] == name);
        things.filter_map(|thing| thing["id"].as_str().map(str::to_owned)).collect()
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // A test that panics while it looks must not hide what another one sees.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
