//! Submodules of a checkout that were not fetched: directories without a file, which hold whatever
//! they hold elsewhere. Nothing is concluded from what they do not show (S7).

use std::fs;
use std::path::{Path, PathBuf};

use super::jail::read_at_most;

/// The longest list of submodules that is read.
const LIST_BYTES_MAX: u64 = 1_000_000;

/// Whether an empty directory is a submodule of the checkout it lies in.
pub(super) fn is_unfetched(real: &Path) -> bool {
    let Some(top) = real.ancestors().skip(1).find(|above| above.join(".git").exists()) else {
        return false;
    };
    let Ok(path) = real.strip_prefix(top) else {
        return false;
    };
    listed(top).iter().any(|submodule| submodule == path)
}

/// Returns the paths of the submodules of a checkout. A list that cannot be read names none: what is
/// in it is git's matter, and an empty directory is one all the same.
fn listed(top: &Path) -> Vec<PathBuf> {
    let Ok(mut file) = fs::File::open(top.join(".gitmodules")) else {
        return Vec::new();
    };
    let Ok(Some(bytes)) = read_at_most(&mut file, LIST_BYTES_MAX, 0) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let paths = text.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_matches('"').trim_end_matches('/');
        (key.trim() == "path").then(|| PathBuf::from(value))
    });
    paths.collect()
}
