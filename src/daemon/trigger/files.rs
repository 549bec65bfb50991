//! Changes of files, as hints: the system says that something happened, a look says what.
//!
//! Only directories are watched: a watch on a file goes deaf with the first atomic save. The parent
//! of each root is watched as well, because a root that is removed and made again is silent, and so
//! is whatever leads to it through a link. What the hints miss, the next look by time finds.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::status::Trigger;

use super::super::Bell;
use super::watches::{Listener, Places, Watches};

/// The most directories that are watched for one project: the system has few watches for all its
/// programs.
pub(super) const DIRECTORIES_MAX: usize = 4_096;

/// The deepest directory that is watched, as for reading.
const DEPTH_MAX: usize = 64;

/// The most links on the way to one path; the system follows as many.
const LINKS_MAX: usize = 40;

/// How many quiet times in a row a stream of changes may put off the look: a build that writes for
/// ever must not blind us.
const PUT_OFF_MAX: u32 = 10;

/// Watches paths for as long as it is held.
#[derive(Debug)]
pub struct FileWatch {
    task: JoinHandle<()>,
    /// Dropped with it, and its watches are given back.
    _listener: Arc<Listener>,
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
    pub fn begin(
        watches: &Arc<Watches>,
        paths: &[PathBuf],
        bell: Bell,
        debounce: Duration,
    ) -> Result<Self, io::Error> {
        let roots = paths.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>()?;
        let listener = Arc::new(watches.listen());
        watches.hold(listener.number, wanted(&roots))?;
        let heard = Arc::downgrade(&listener);
        let changed = Arc::clone(&listener.changed);
        let watches = Arc::clone(watches);
        let task = tokio::spawn(async move {
            loop {
                changed.notified().await;
                wait_for_quiet(&changed, debounce).await;
                let Some(listener) = heard.upgrade() else { return };
                // New directories first: what is made in them while we look must be heard.
                if let Err(error) = watches.hold(listener.number, wanted(&roots)) {
                    tracing::warn!(%error, "some directories are not watched; their changes are \
                        found by the next check");
                }
                bell.ring(Trigger::Files);
            }
        });
        Ok(Self { task, _listener: listener })
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

/// Waits until nothing has changed for a while, but not forever.
async fn wait_for_quiet(changed: &Notify, quiet: Duration) {
    for _ in 0..PUT_OFF_MAX {
        if tokio::time::timeout(quiet, changed.notified()).await.is_err() {
            return;
        }
    }
}

/// Returns what is watched, and whose changes can mean other manifests.
fn wanted(roots: &[PathBuf]) -> Places {
    let mut wanted = Places::default();
    for root in roots {
        wanted.way_to(root, LINKS_MAX);
        if root.is_dir() {
            wanted.gather(root, 0);
        }
    }
    wanted
}

impl Places {
    /// Notes what leads to a path: the directory it stands in, and those of each link on the way. A
    /// link that is turned elsewhere changes nothing where it led before.
    fn way_to(&mut self, path: &Path, links_left: usize) {
        let mut so_far = PathBuf::new();
        let mut parts = path.components();
        while let Some(part) = parts.next() {
            match part {
                // Nothing before it is a link, so it is what it looks like.
                Component::ParentDir => drop(so_far.pop()),
                part => so_far.push(part),
            }
            let Ok(target) = fs::read_link(&so_far) else { continue };
            self.note(&so_far);
            if let (Some(directory), 1..) = (so_far.parent(), links_left) {
                let on = directory.join(target).join(parts.as_path());
                self.way_to(&on, links_left - 1);
            }
            return;
        }
        self.note(&so_far);
    }

    fn note(&mut self, path: &Path) {
        self.directories.extend(path.parent().map(Path::to_owned));
        self.near.insert(path.to_owned());
    }

    /// Gathers a directory and what is beneath it. Hidden directories hold no manifests, but the link
    /// that Kubernetes swaps stands in their parent, which is watched.
    fn gather(&mut self, directory: &Path, depth: usize) {
        let is_full = self.directories.len() > DIRECTORIES_MAX;
        // A directory that is the parent of a link was noted already, and not what is beneath it.
        let is_new = self.gathered.insert(directory.to_owned());
        if depth > DEPTH_MAX || is_full || !is_new {
            return;
        }
        self.directories.insert(directory.to_owned());
        // One that cannot be read is told of by who reads the manifests.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().first() == Some(&b'.') {
                continue;
            }
            if entry.file_type().is_ok_and(|it| it.is_symlink()) {
                self.way_to(&entry.path(), LINKS_MAX);
            }
            if entry.path().is_dir() {
                self.gather(&entry.path(), depth + 1);
            }
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
        let _watch = FileWatch::begin(&watches(), &[root.to_owned()], bell.clone(), QUIET).unwrap();
        act(root);
        tokio::time::timeout(PATIENCE, bell.rung()).await.is_ok()
    }

    fn watches() -> Arc<Watches> {
        Watches::begin().unwrap()
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
    async fn a_link_on_the_way_that_is_turned_elsewhere_is_heard() {
        let (_guard, root) = directory();
        let place = root.parent().unwrap().to_owned();
        for release in ["releases/1", "releases/2"] {
            fs::create_dir_all(place.join(release).join("manifests")).unwrap();
        }
        let turn = |link: &str, target: &str| {
            symlink(target, place.join("next")).unwrap();
            fs::rename(place.join("next"), place.join(link)).unwrap();
        };
        turn("stable", "releases/1");
        turn("current", "./stable");
        let watched = place.join("current/manifests");
        assert!(rings(&watched, |_| turn("current", "releases/2")).await, "the link itself");
        turn("current", "stable");
        assert!(rings(&watched, |_| turn("stable", "releases/2")).await, "one behind it");
        let changed = place.join("releases/2/manifests/a.yaml");
        assert!(rings(&watched, |_| fs::write(&changed, "a: 1\n").unwrap()).await);
        // A file that lies elsewhere, saved as editors do.
        fs::create_dir_all(place.join("shared")).unwrap();
        fs::write(place.join("shared/b.yaml"), "b: 1\n").unwrap();
        symlink("../shared/b.yaml", root.join("b.yaml")).unwrap();
        let save = |_: &Path| {
            fs::write(place.join("shared/.b"), "b: 2\n").unwrap();
            fs::rename(place.join("shared/.b"), place.join("shared/b.yaml")).unwrap();
        };
        assert!(rings(&root, save).await, "a file behind a link");
    }

    #[tokio::test]
    async fn links_that_lead_in_a_circle_are_watched_and_end() {
        let (_guard, root) = directory();
        symlink("two", root.join("one")).unwrap();
        symlink("one", root.join("two")).unwrap();
        symlink("..", root.join("sub/up")).unwrap();
        assert!(rings(&root, |root| fs::write(root.join("a.yaml"), "a: 2\n").unwrap()).await);
    }

    #[tokio::test]
    async fn a_directory_that_is_removed_and_made_again_is_heard_for_ever() {
        let (_guard, root) = directory();
        let bell = Bell::default();
        let _watch =
            FileWatch::begin(&watches(), std::slice::from_ref(&root), bell.clone(), QUIET).unwrap();
        for round in 0..3 {
            fs::remove_dir_all(&root).unwrap();
            fs::create_dir(&root).unwrap();
            tokio::time::timeout(PATIENCE, bell.rung()).await.unwrap();
            // The watch on the new directory is there before the bell rings.
            fs::write(root.join("a.yaml"), format!("a: {round}\n")).unwrap();
            tokio::time::timeout(PATIENCE, bell.rung()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn projects_share_the_watches_and_each_hears_only_its_own() {
        let ((_one, first), (_two, second)) = (directory(), directory());
        let watches = watches();
        let begin = |root: &PathBuf| {
            let bell = Bell::default();
            let roots = std::slice::from_ref(root);
            (FileWatch::begin(&watches, roots, bell.clone(), QUIET).unwrap(), bell)
        };
        let (_watch, bell) = begin(&first);
        let (_other, other_bell) = begin(&second);
        let (gone, gone_bell) = begin(&first);
        // One that ends takes nothing from the others, also where they watch the same.
        drop(gone);
        for round in 0..2 {
            fs::write(first.join("a.yaml"), format!("a: {round}\n")).unwrap();
            tokio::time::timeout(PATIENCE, bell.rung()).await.unwrap();
        }
        fs::write(second.join("a.yaml"), "a: 9\n").unwrap();
        tokio::time::timeout(PATIENCE, other_bell.rung()).await.unwrap();
        assert!(!bell.is_rung() && !gone_bell.is_rung());
    }
}
