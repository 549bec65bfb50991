//! The socket in the state directory, by which commands on this machine speak to the agent.
//!
//! Its mode is the whole of its access control: 0600 from the first moment it has its name.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::error::ServerError;

/// The name of the socket in the state directory.
pub const SOCKET_NAME: &str = "agent.sock";

/// The longest path of a socket: `sun_path` holds 108 bytes, the last of them zero.
const PATH_BYTES_MAX: usize = 107;

/// How long somebody who has the socket open may take to accept. Who takes longer lives, but is
/// stuck: that is no reason to take the place away.
const KNOCK_TIME_MAX: Duration = Duration::from_secs(1);

/// A socket that is listened on. Dropping it removes the file, if it is still this one.
#[derive(Debug)]
pub(super) struct Socket {
    pub listener: UnixListener,
    pub file: SocketFile,
}

/// The socket's file; dropping it removes it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Socket {
    /// Opens the socket of a state directory, which is made when it is missing.
    ///
    /// *Guarantees*: the socket never has its name with a wider mode than 0600; what a dead agent
    /// left behind is replaced; a living one's is not touched.
    pub(super) async fn open(directory: &Path) -> Result<Self, ServerError> {
        let path = directory.join(SOCKET_NAME);
        if path.as_os_str().as_bytes().len() > PATH_BYTES_MAX {
            return Err(ServerError::SocketTooLong { path, bytes_max: PATH_BYTES_MAX });
        }
        let failed = |source| ServerError::Socket { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        check_place(directory, &path).await?;
        let (listener, metadata) = bind(directory, &path).map_err(failed)?;
        let (device, inode) = (metadata.dev(), metadata.ino());
        Ok(Self { listener, file: SocketFile { path, device, inode } })
    }
}

/// Checks that nobody lives at the socket's place.
async fn check_place(directory: &Path, path: &Path) -> Result<(), ServerError> {
    let failed = |source| ServerError::Socket { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(ServerError::NotASocket { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    let another = || ServerError::AnotherAgent { directory: directory.to_owned() };
    match timeout(KNOCK_TIME_MAX, UnixStream::connect(path)).await {
        Ok(Ok(_)) | Err(_) => Err(another()),
        Ok(Err(error)) => match error.kind() {
            // Nobody has it open, or its owner has just removed it.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Ok(()),
            // Its queue is full: somebody has it open.
            io::ErrorKind::WouldBlock => Err(another()),
            _ => Err(failed(error)),
        },
    }
}

/// Binds where nobody else can look, narrows the mode, and moves the socket to its place, which
/// replaces what a dead agent left there in one step.
fn bind(directory: &Path, path: &Path) -> io::Result<(UnixListener, Metadata)> {
    // Shorter than the socket's own name, so the limit of paths holds for it, too.
    let hidden = tempfile::Builder::new().prefix(".").rand_bytes(6).tempdir_in(directory)?;
    let first = hidden.path().join("s");
    let listener = UnixListener::bind(&first)?;
    fs::set_permissions(&first, Permissions::from_mode(0o600))?;
    let metadata = fs::symlink_metadata(&first)?;
    fs::rename(&first, path)?;
    Ok((listener, metadata))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let Self { path, device, inode } = self;
        let metadata = fs::symlink_metadata(&*path);
        if metadata.is_ok_and(|found| found.dev() == *device && found.ino() == *inode) {
            // One that stays behind is replaced by the next agent.
            let _ = fs::remove_file(path);
        }
    }
}
