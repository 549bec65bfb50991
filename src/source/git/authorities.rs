//! Which certificate authorities git trusts where one is named: the system's, and that one beside
//! them, as the API's client does.
//!
//! Git takes one file of certificates and no second, so both are joined in a file beside the copy. It
//! is looked at before each run that leaves this machine, because certificates are renewed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::GitError;
use super::settings::GitSettings;

/// The file that holds them all, beside the copy.
const JOINED: &str = "authorities.pem";

/// The variables that name the system's certificates otherwise, git's own first.
const NAMED_BY: [&str; 2] = ["GIT_SSL_CAINFO", "SSL_CERT_FILE"];

/// Where systems keep all their certificates in one file: Debian, Fedora, its newer place, SUSE,
/// Alpine and the BSDs. Git looks into directories of certificates by itself.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How a certificate begins in PEM form.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// How it ends.
const CERTIFICATE_END: &str = "-----END CERTIFICATE-----";

/// The system's authorities and a named one.
pub(super) struct Authorities {
    named: PathBuf,
    /// As a variable says; without one, wherever the system has them.
    system: Option<PathBuf>,
    joined: PathBuf,
    /// Whether the joined file holds what was read since this began.
    is_joined: AtomicBool,
}

impl Authorities {
    /// Prepares to join them beside the copy; nothing when no authority is named.
    pub fn of(settings: &GitSettings, repository: &Path) -> Option<Self> {
        let named = settings.certificate_authority.as_ref()?;
        let named = std::path::absolute(named).unwrap_or_else(|_| named.clone());
        let system = NAMED_BY.iter().find_map(|name| settings.environment.0.get(name));
        let joined = repository.parent().unwrap_or(Path::new("/")).join(JOINED);
        let system = system.map(PathBuf::from);
        Some(Self { named, system, joined, is_joined: AtomicBool::new(false) })
    }

    /// Returns the file that holds them all.
    pub fn place(&self) -> &Path {
        &self.joined
    }

    /// Sees to it that the file holds what it should; at rest nothing is written. Where it held
    /// something before, it is kept while what is named is empty or half written.
    ///
    /// # Errors
    /// When certificates cannot be read, or the file cannot be written.
    pub fn join(&self) -> Result<(), GitError> {
        match self.renew() {
            Err(error) if self.is_joined.load(Ordering::Relaxed) => {
                tracing::warn!(%error, "the earlier certificates stay in use");
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn renew(&self) -> Result<(), GitError> {
        let Self { named, system, joined, is_joined } = self;
        let ours = read(named)?;
        let count = |text: &str| ours.matches(text).count();
        if count(CERTIFICATE) == 0 || count(CERTIFICATE) != count(CERTIFICATE_END) {
            let source = io::Error::other("it holds no certificate in PEM form");
            return Err(unreadable(named, source));
        }
        let usual = || BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file());
        let systems = system.clone().or_else(usual).as_deref().map(read).transpose()?;
        let text = format!("{}\n{ours}", systems.unwrap_or_default());
        if fs::read_to_string(joined).is_ok_and(|known| known == text) {
            is_joined.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let failed = |source| GitError::Disk { doing: "write", path: joined.clone(), source };
        let draft = joined.with_extension("new");
        fs::write(&draft, text).map_err(failed)?;
        fs::rename(draft, joined).map_err(failed)?;
        is_joined.store(true, Ordering::Relaxed);
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, GitError> {
    let bytes = fs::read(path).map_err(|source| unreadable(path, source))?;
    // Around the certificates people write comments, in whatever encoding.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreadable(path: &Path, source: io::Error) -> GitError {
    GitError::Disk { doing: "read the certificates in", path: path.to_owned(), source }
}
