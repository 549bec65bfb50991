//! The system's watches, shared by all projects of a process.
//!
//! A user has some hundred instances of watches and many thousand watches in each; so there is one
//! instance, with one thread, however many projects there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use super::files::DIRECTORIES_MAX;

/// One instance of the system's watches.
pub struct Watches {
    listeners: Arc<Mutex<Listeners>>,
    held: Mutex<Held>,
}

/// Who listens, by number.
#[derive(Default)]
struct Listeners {
    last: u64,
    near: BTreeMap<u64, (BTreeSet<PathBuf>, Arc<Notify>)>,
}

/// What one listener wants to hear of.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// What is watched.
    pub directories: BTreeSet<PathBuf>,
    /// The paths whose changes matter, with all that is beneath them.
    pub near: BTreeSet<PathBuf>,
    /// The directories that were looked through.
    pub gathered: BTreeSet<PathBuf>,
}

/// What is watched, and for whom.
struct Held {
    watcher: RecommendedWatcher,
    holders: BTreeMap<PathBuf, BTreeSet<u64>>,
}

/// One who listens, for as long as it is held.
#[derive(Debug)]
pub(super) struct Listener {
    pub number: u64,
    /// Notified when something near its roots has changed.
    pub changed: Arc<Notify>,
    watches: Weak<Watches>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(watches) = self.watches.upgrade() {
            watches.listeners().near.remove(&self.number);
            watches.held().let_go(self.number, &BTreeSet::new());
        }
    }
}

impl Watches {
    /// Takes an instance; nothing is watched yet.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn begin() -> Result<Arc<Self>, io::Error> {
        let listeners = Arc::new(Mutex::new(Listeners::default()));
        let told = Arc::clone(&listeners);
        // This lock only: the thread that tells also serves whoever holds the other one.
        let heard = move |event: notify::Result<notify::Event>| lock(&told).tell(&event);
        let watcher = notify::recommended_watcher(heard).map_err(io::Error::other)?;
        let held = Mutex::new(Held { watcher, holders: BTreeMap::new() });
        Ok(Arc::new(Self { listeners, held }))
    }

    pub(super) fn listen(self: &Arc<Self>) -> Listener {
        let changed = Arc::new(Notify::new());
        let mut listeners = self.listeners();
        listeners.last += 1;
        let number = listeners.last;
        listeners.near.insert(number, (BTreeSet::new(), Arc::clone(&changed)));
        Listener { number, changed, watches: Arc::downgrade(self) }
    }

    /// Watches these directories for a listener, and what it held before no longer.
    ///
    /// # Errors
    /// When not one of them can be watched.
    pub(super) fn hold(&self, number: u64, wanted: Places) -> Result<(), io::Error> {
        let Places { directories: wanted, near, gathered: _ } = wanted;
        // Before the watches: what they tell at once must find somebody who listens.
        if let Some((known, _)) = self.listeners().near.get_mut(&number) {
            *known = near;
        }
        let mut held = self.held();
        held.let_go(number, &wanted);
        let (mut first_error, mut is_any_watched) = (None, false);
        for directory in wanted.into_iter().take(DIRECTORIES_MAX) {
            match held.watch(number, directory) {
                Ok(()) => is_any_watched = true,
                Err(error) => drop(first_error.get_or_insert(io::Error::other(error))),
            }
        }
        match first_error {
            Some(error) if !is_any_watched => Err(error),
            Some(error) => {
                tracing::warn!(%error, "a directory is not watched; its changes are found by the \
                    next check");
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        lock(&self.listeners)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }
}

impl Held {
    /// Watches a directory for one more. One that was remade is another one under the same path, so
    /// the watch is taken anew; where others hold it, it is taken once more instead, because what
    /// changes between an end and a beginning would be lost to them.
    fn watch(&mut self, number: u64, directory: PathBuf) -> notify::Result<()> {
        let holders = self.holders.entry(directory.clone()).or_default();
        let is_mine = holders.len() == 1 && holders.contains(&number);
        if is_mine {
            // It may be gone, and its watch with it.
            let _ = self.watcher.unwatch(&directory);
        }
        holders.insert(number);
        let watched = self.watcher.watch(&directory, RecursiveMode::NonRecursive);
        if watched.is_err() {
            self.release(number, &directory);
        }
        watched
    }

    /// Gives back everything of a listener but what it still wants.
    fn let_go(&mut self, number: u64, wanted: &BTreeSet<PathBuf>) {
        let of_it = self.holders.iter().filter(|(_, holders)| holders.contains(&number));
        let gone = of_it.map(|(directory, _)| directory).filter(|it| !wanted.contains(*it));
        for directory in gone.cloned().collect::<Vec<_>>() {
            self.release(number, &directory);
        }
    }

    fn release(&mut self, number: u64, directory: &Path) {
        let Some(holders) = self.holders.get_mut(directory) else {
            return;
        };
        holders.remove(&number);
        if holders.is_empty() {
            self.holders.remove(directory);
            // It may be gone, and its watch with it.
            let _ = self.watcher.unwatch(directory);
        }
    }
}

impl Listeners {
    /// Tells an event to everybody it can concern; an error concerns all.
    fn tell(&self, event: &notify::Result<notify::Event>) {
        for (near, changed) in self.near.values() {
            if event.as_ref().map_or(true, |event| concerns(event, near)) {
                changed.notify_one();
            }
        }
    }
}

/// Whether an event can mean other manifests. Reading a file makes an event, too.
fn concerns(event: &notify::Event, roots: &BTreeSet<PathBuf>) -> bool {
    let is_change = match event.kind {
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    // In the parent of a root, or of a link that leads to it, only that itself matters.
    let is_near =
        |path: &PathBuf| roots.iter().any(|root| path.starts_with(root) || root.starts_with(path));
    is_change && (event.paths.is_empty() || event.paths.iter().any(is_near))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is whole after one statement, so a panic elsewhere spoils nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Watches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watches").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_and_what_happens_beside_a_root_is_not_heard() {
        let roots = BTreeSet::from([PathBuf::from("/r/manifests")]);
        let event = |kind, path: &str| notify::Event::new(kind).add_path(PathBuf::from(path));
        let read = EventKind::Access(notify::event::AccessKind::Any);
        let modify = EventKind::Modify(notify::event::ModifyKind::Any);
        assert!(!concerns(&event(read, "/r/manifests/a.yaml"), &roots));
        assert!(!concerns(&event(modify, "/r/notes.txt"), &roots));
        assert!(concerns(&event(modify, "/r/manifests/a.yaml"), &roots));
        assert!(concerns(
            &event(EventKind::Remove(notify::event::RemoveKind::Any), "/r/manifests"),
            &roots
        ));
        assert!(concerns(&notify::Event::new(EventKind::Other), &roots));
    }
}
