//! Changes of files, as hints: the system says that something happened, a look says what.
//!
//! Only directories are watched: a watch on a file goes deaf with the first atomic save. The parent
//! of each root is watched as well, because a root that is removed and made again is silent. What
//! the hints miss, the next look by time finds.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::status::Trigger;

use super::super::Bell;

/// The most directories that are watched: the system has few watches for all its programs.
const DIRECTORIES_MAX: usize = 4_096;

/// The deepest directory that is watched, as for reading.
const DEPTH_MAX: usize = 64;

/// How many quiet times in a row a stream of changes may put off the look: a build that writes for
/// ever must not blind us.
const PUT_OFF_MAX: u32 = 10;

/// Watches paths for as long as it is held.
#[derive(Debug)]
pub struct FileWatch {
    task: JoinHandle<()>,
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FileWatch {
    /// Rings the bell when something beneath the paths has changed and `debounce` has passed
    /// without another change.
    ///
    /// # Errors
    /// When the system gives no watches.
    pub fn begin(paths: &[PathBuf], bell: Bell, debounce: Duration) -> Result<Self, io::Error> {
        let roots = paths.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>()?;
        let changed = Arc::new(Notify::new());
        let (tell, watched) = (Arc::clone(&changed), roots.clone());
        let heard = move |event: notify::Result<notify::Event>| {
            if event.as_ref().map_or(true, |event| concerns(event, &watched)) {
                tell.notify_one();
            }
        };
        let watcher = notify::recommended_watcher(heard).map_err(io::Error::other)?;
        let mut directories = Directories { watcher, watched: BTreeSet::new(), roots };
        directories.renew()?;
        let task = tokio::spawn(async move {
            loop {
                changed.notified().await;
                settle(&changed, debounce).await;
                // New directories first: what is made in them while we look must be heard.
                if let Err(error) = directories.renew() {
                    tracing::warn!(%error, "some directories are not watched; time will tell");
                }
                bell.ring(Trigger::Files);
            }
        });
        Ok(Self { task })
    }
}

/// Rings the bell again and again, for file systems that tell nothing (network mounts).
#[must_use]
pub fn poll(every: Duration, bell: Bell, trigger: Trigger) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            bell.ring(trigger);
        }
    })
}

/// Waits until nothing has changed for a while, but not for ever.
async fn settle(changed: &Notify, quiet: Duration) {
    for _ in 0..PUT_OFF_MAX {
        if tokio::time::timeout(quiet, changed.notified()).await.is_err() {
            return;
        }
    }
}

/// Whether an event can mean other manifests. Reading a file makes an event, too.
fn concerns(event: &notify::Event, roots: &[PathBuf]) -> bool {
    let is_change = match event.kind {
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    // In the parent of a root only the root itself matters.
    let is_near =
        |path: &PathBuf| roots.iter().any(|root| path.starts_with(root) || root.starts_with(path));
    is_change && (event.paths.is_empty() || event.paths.iter().any(is_near))
}

/// The directories that are watched.
struct Directories {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    roots: Vec<PathBuf>,
}

impl Directories {
    /// Watches what is there now. A directory that was remade is another one under the same path,
    /// so every watch is taken anew.
    fn renew(&mut self) -> Result<(), io::Error> {
        for gone in std::mem::take(&mut self.watched) {
            // It may be gone, and its watch with it.
            let _ = self.watcher.unwatch(&gone);
        }
        let mut wanted = BTreeSet::new();
        for root in &self.roots {
            wanted.extend(root.parent().map(Path::to_owned));
            if root.is_dir() {
                gather(root, 0, &mut wanted);
            }
        }
        let mut first_error = None;
        for directory in wanted.into_iter().take(DIRECTORIES_MAX) {
            match self.watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(directory)),
                Err(error) => drop(first_error.get_or_insert(io::Error::other(error))),
            }
        }
        match first_error {
            Some(error) if self.watched.is_empty() => Err(error),
            Some(error) => {
                tracing::warn!(%error, "a directory is not watched; time will tell");
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Gathers a directory and what is beneath it. Hidden directories hold no manifests, but the link
/// that Kubernetes swaps stands in their parent, which is watched.
fn gather(directory: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    if depth > DEPTH_MAX || found.len() > DIRECTORIES_MAX || !found.insert(directory.to_owned()) {
        return;
    }
    // One that cannot be read is told of by who reads the manifests.
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let is_hidden = entry.file_name().as_encoded_bytes().first() == Some(&b'.');
        if !is_hidden && entry.path().is_dir() {
            gather(&entry.path(), depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);
    const QUIET: Duration = Duration::from_millis(20);

    /// Begins to watch, does something, and returns whether the bell rang for it.
    async fn rings(root: &Path, act: impl FnOnce(&Path)) -> bool {
        let bell = Bell::default();
        let _watch = FileWatch::begin(&[root.to_owned()], bell.clone(), QUIET).unwrap();
        act(root);
        tokio::time::timeout(PATIENCE, bell.rung()).await.is_ok()
    }

    fn directory() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("manifests");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("a.yaml"), "a: 1\n").unwrap();
        (directory, root)
    }

    #[tokio::test]
    async fn every_way_to_save_a_file_is_heard() {
        let (_guard, root) = directory();
        assert!(rings(&root, |root| fs::write(root.join("a.yaml"), "a: 2\n").unwrap()).await);
        let atomic = |root: &Path| {
            fs::write(root.join(".a.yaml.swp"), "a: 3\n").unwrap();
            fs::rename(root.join(".a.yaml.swp"), root.join("a.yaml")).unwrap();
        };
        assert!(rings(&root, atomic).await);
        assert!(rings(&root, atomic).await, "also the second time");
        assert!(rings(&root, |root| fs::write(root.join("sub/b.yaml"), "b: 1\n").unwrap()).await);
        assert!(rings(&root, |root| fs::remove_file(root.join("a.yaml")).unwrap()).await);
    }

    #[tokio::test]
    async fn the_swap_of_a_mounted_config_map_is_heard() {
        let (_guard, root) = directory();
        for version in ["..1", "..2"] {
            fs::create_dir(root.join(version)).unwrap();
            fs::write(root.join(version).join("c.yaml"), version).unwrap();
        }
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/c.yaml", root.join("c.yaml")).unwrap();
        let swap = |root: &Path| {
            symlink("..2", root.join("..data_tmp")).unwrap();
            fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        };
        assert!(rings(&root, swap).await);
    }

    #[tokio::test]
    async fn a_directory_that_is_removed_and_made_again_is_heard_for_ever() {
        let (_guard, root) = directory();
        let bell = Bell::default();
        let _watch = FileWatch::begin(std::slice::from_ref(&root), bell.clone(), QUIET).unwrap();
        for round in 0..3 {
            fs::remove_dir_all(&root).unwrap();
            fs::create_dir(&root).unwrap();
            tokio::time::timeout(PATIENCE, bell.rung()).await.unwrap();
            // The watch on the new directory is there before the bell rings.
            fs::write(root.join("a.yaml"), format!("a: {round}\n")).unwrap();
            tokio::time::timeout(PATIENCE, bell.rung()).await.unwrap();
        }
    }

    #[test]
    fn reading_and_what_happens_beside_a_root_is_not_heard() {
        let roots = [PathBuf::from("/r/manifests")];
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
