//! A disk in memory that fails or dies where it is told, and then shows every content it might have
//! kept. Simulations and tests use it; no file of the machine is touched.
//!
//! What was synced is kept. Of what was not, a file keeps nothing, a part, or all; and of the
//! names that changed since they were last made certain, any first part of the changes holds.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;

/// What happens at the chosen step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blow {
    /// The step fails half-way, as on a full disk; later ones work.
    Fail,
    /// The step and all later ones fail: the disk stays full.
    Full,
    /// The process dies: the step is done in part or in whole, and nothing follows.
    Die,
}

/// A disk in memory. Clones share it, as a crash leaves the disk to the next process.
#[derive(Clone, Default)]
pub struct Simulated(Arc<Mutex<State>>);

/// Told when the process dies in a step.
type Death = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    certain_names: BTreeMap<String, usize>,
    changes: Vec<(String, Option<usize>)>,
    steps: usize,
    blow: Option<(usize, Blow)>,
    death: Option<Death>,
    holder: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    certain: Vec<u8>,
}

impl Simulated {
    /// A disk with these files, all certain.
    #[must_use]
    pub fn with(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut state = State::default();
        for (name, bytes) in files {
            state.names.insert(name.clone(), state.files.len());
            state.files.push(Content { now: bytes.clone(), certain: bytes.clone() });
        }
        state.certain_names = state.names.clone();
        Self(Arc::new(Mutex::new(state)))
    }

    /// Strikes at a step, counted from now.
    pub fn strike(&self, step: usize, blow: Blow) {
        let mut state = self.state();
        state.blow = Some((state.steps + step, blow));
    }

    /// Whether the blow has fallen.
    #[must_use]
    pub fn was_struck(&self) -> bool {
        let state = self.state();
        state.blow.is_some_and(|(step, _)| state.steps > step)
    }

    /// Returns how many steps were done.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.state().steps
    }

    /// Returns the files as they are.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let content = |file: &usize| state.files[*file].now.clone();
        let names = state.names.iter();
        names.map(|(name, file)| (name.clone(), content(file))).collect()
    }

    /// Returns every set of files that a loss of power might leave.
    #[must_use]
    pub fn after_power_loss(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
        let state = self.state();
        let mut outcomes = Vec::new();
        for changes in 0..=state.changes.len() {
            let mut names = state.certain_names.clone();
            for (name, file) in &state.changes[..changes] {
                match file {
                    Some(file) => names.insert(name.clone(), *file),
                    None => names.remove(name),
                };
            }
            for share in [0, 1, 2] {
                let content = |file: &usize| state.files[*file].kept(share);
                let files = names.iter().map(|(name, file)| (name.clone(), content(file)));
                outcomes.push(files.collect());
            }
        }
        outcomes
    }

    /// Says whom to tell when the process dies in a step.
    pub fn when_it_dies(&self, tell: impl Fn() + Send + Sync + 'static) {
        self.state().death = Some(Arc::new(tell));
    }

    /// Works again, with what was written so far; a blow that is still to come does not.
    pub fn mend(&self) {
        self.state().blow = None;
    }

    /// Loses its power: of what was not synced it keeps one of the possible parts.
    pub fn lose_power(&self, choice: u64) {
        let mut outcomes = self.after_power_loss();
        let count = u64::try_from(outcomes.len()).unwrap_or(u64::MAX);
        let chosen = usize::try_from(choice % count).unwrap_or(0);
        let Simulated(kept) = Self::with(&outcomes.swap_remove(chosen));
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut state = self.state();
        let (death, holder) = (state.death.take(), state.holder.take());
        *state = State { death, holder, steps: state.steps, ..kept };
    }

    /// Returns who holds the lock.
    pub(super) fn holder(&self) -> Option<String> {
        self.state().holder.clone()
    }

    /// Takes the lock; returns who holds it when somebody does.
    pub(super) fn hold(&self, holder: &str) -> Result<SimulatedLock, String> {
        let mut state = self.state();
        if let Some(held) = &state.holder {
            return Err(held.clone());
        }
        state.holder = Some(holder.to_owned());
        Ok(SimulatedLock(self.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every step leaves a state that some disk could be in.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Simulated").field("steps", &self.steps()).finish_non_exhaustive()
    }
}

/// The lock, as long as it lives.
#[derive(Debug)]
pub(super) struct SimulatedLock(Simulated);

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let Self(disk) = self;
        disk.state().holder = None;
    }
}

impl Content {
    /// What is kept when `share` halves of what was not synced are.
    fn kept(&self, share: usize) -> Vec<u8> {
        match self.now.strip_prefix(self.certain.as_slice()) {
            Some(added) => [&self.certain, &added[..added.len() * share / 2]].concat(),
            None if share == 0 => self.certain.clone(),
            None => self.now[..self.now.len() * share / 2].to_vec(),
        }
    }
}

impl State {
    /// Counts a step; what is to happen at it.
    fn step(&mut self) -> Result<(), Blow> {
        let step = self.steps;
        self.steps += 1;
        match self.blow {
            Some((at, blow)) if step == at => {
                if let (Blow::Die, Some(death)) = (blow, &self.death) {
                    death();
                }
                Err(blow)
            }
            Some((at, blow @ (Blow::Die | Blow::Full))) if step > at => Err(blow),
            Some((_, Blow::Fail | Blow::Full | Blow::Die)) | None => Ok(()),
        }
    }

    fn file(&mut self, name: &str) -> usize {
        if let Some(file) = self.names.get(name) {
            return *file;
        }
        let file = self.files.len();
        self.files.push(Content::default());
        self.name(name, Some(file));
        file
    }

    fn name(&mut self, name: &str, file: Option<usize>) {
        match file {
            Some(file) => self.names.insert(name.to_owned(), file),
            None => self.names.remove(name),
        };
        self.changes.push((name.to_owned(), file));
    }

    /// Two steps: the content, which may be torn, and its sync.
    fn put(&mut self, name: &str, keeps: bool, bytes: &[u8]) -> io::Result<()> {
        let written = self.step();
        let dead = written.is_err() && self.blow.is_some_and(|(at, _)| self.steps - 1 > at);
        if dead {
            return Err(full());
        }
        let file = self.file(name);
        if !keeps {
            self.files[file].now.clear();
        }
        let part = match written {
            Ok(()) => bytes,
            Err(_) => &bytes[..bytes.len() / 2],
        };
        self.files[file].now.extend_from_slice(part);
        written.map_err(|_| full())?;
        self.step().map_err(|_| full())?;
        self.files[file].certain = self.files[file].now.clone();
        Ok(())
    }
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl Disk for Simulated {
    fn place(&self) -> &Path {
        Path::new("state")
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let state = self.state();
        let file = state.names.get(name);
        Ok(file.map(|file| state.files[*file].now.clone()))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.state().put(name, false, bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.state().put(name, true, bytes)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.step().map_err(|_| full())?;
        let file = state.names.get(from).copied();
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        state.name(to, Some(file));
        // One change: the file has one of its names at every time.
        state.names.remove(from);
        state.changes.push((from.to_owned(), None));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.step().map_err(|_| full())?;
        state.name(name, None);
        Ok(())
    }

    fn sync_names(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.step().map_err(|_| full())?;
        state.certain_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }
}
