//! Whose the files of a state directory are: its owner's, whoever writes them.
//!
//! Root beside a service's user (`sudo stoker plan`) makes files that only root may read, and the
//! service is locked out of its own state. So what root makes there is given to the directory's
//! owner at once. Anybody else can give nothing away, and needs not: where two users share a
//! directory by a group, the system keeps them apart.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Gives a file in a directory to the directory's owner, where root makes it for another user.
///
/// # Errors
/// When the system refuses.
pub fn inherit(file: &File, directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (owner, made) = (fs::metadata(directory)?, file.metadata()?);
    let is_foreign = owner.uid() != made.uid();
    if is_foreign && rustix::process::geteuid().is_root() {
        fchown(file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}
