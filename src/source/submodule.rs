//! Submodules of a checkout that were not fetched: directories without a file, which hold whatever
//! they hold elsewhere. Nothing is concluded from what they do not show (S7).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::jail::read_regular;

/// The longest list of submodules that is read.
const LIST_BYTES_MAX: u64 = 1_000_000;

/// The submodules of each checkout that was met, whose lists are read once.
#[derive(Debug, Default)]
pub(super) struct Submodules {
    listed: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

impl Submodules {
    /// Whether an empty directory is a submodule of the checkout it lies in.
    pub fn has_unfetched(&mut self, real: &Path) -> bool {
        let Some(top) = real.ancestors().skip(1).find(|above| above.join(".git").exists()) else {
            return false;
        };
        let Ok(path) = real.strip_prefix(top) else {
            return false;
        };
        self.listed.entry(top.to_owned()).or_insert_with(|| listed(top)).contains(path)
    }
}

/// Returns the paths of the submodules of a checkout. A list that cannot be read names none: what is
/// in it is git's matter, and an empty directory is one all the same.
fn listed(top: &Path) -> BTreeSet<PathBuf> {
    let Ok(Some(bytes)) = read_regular(&top.join(".gitmodules"), LIST_BYTES_MAX) else {
        return BTreeSet::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let paths = text.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_matches('"').trim_end_matches('/');
        (key.trim() == "path").then(|| PathBuf::from(value))
    });
    paths.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_list_that_is_no_file_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().to_owned();
        fs::create_dir_all(top.join(".git")).unwrap();
        let made = Command::new("mkfifo").arg(top.join(".gitmodules")).status().unwrap();
        assert!(made.success());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(Submodules::default().has_unfetched(&top.join("a"))));
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(false));
    }
}
