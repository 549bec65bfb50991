//! The local key: 32 random bytes in one file that only its owner may read.
//!
//! Fingerprints and generated values are made with it. It never leaves the machine in clear; without
//! it the fingerprints in the state say nothing about the values.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::{DeriveValue, EnvKey, FieldPath, Fingerprint, Key, Secret, SecretOrigin};
use crate::owner;

/// The name of the key's file in the state directory.
pub const KEY_FILE: &str = "fingerprint.key";

/// The bytes of the key: the output size of SHA-256, beyond which HMAC gains nothing.
pub(super) const KEY_BYTES: usize = 32;

/// Separates the uses of one key, so that a generated value is never a fingerprint.
const FINGERPRINT_DOMAIN: &[u8] = b"stoker fingerprint v1";
const GENERATE_DOMAIN: &[u8] = b"stoker generated value v1";
const MARK_DOMAIN: &[u8] = b"stoker mark of a state v1";
const SEAL_DOMAIN: &[u8] = b"stoker seals of a shared state v1";

/// The key of fingerprints and generated values. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct FingerprintKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("use the key `{path}`: {source}")]
    Unusable {
        /// The key's file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others could have read it.
    #[error(
        "use the key `{path}`: other users may read it (mode {mode:03o}); run `chmod 600 {path}`"
    )]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It does not hold a key. It is not replaced by itself: the fingerprints in the state and all
    /// generated values hang on it.
    #[error(
        "use the key `{path}`: it does not contain 64 hexadecimal digits; restore it, or remove it \
         to start over (generated values then change)"
    )]
    Corrupted {
        /// The key's file.
        path: PathBuf,
    },
    /// The system has no random numbers.
    #[error("make a key: {0}")]
    Random(getrandom::Error),
}

impl FingerprintKey {
    /// Reads the key in a directory, or makes one there when there is none.
    ///
    /// *Guarantees*: an existing key is never overwritten; two processes that begin at once end
    /// with the same key; a crash leaves either no key or a whole one, on disk.
    ///
    /// # Errors
    /// When the directory cannot be used, when others may read the key, or when it is damaged.
    pub fn load_or_create(directory: &Path) -> Result<Self, KeyError> {
        if let Some(key) = Self::load(directory) {
            return key;
        }
        let path = directory.join(KEY_FILE);
        let unusable = |source| KeyError::Unusable { path: path.clone(), source };
        let key = Self::ephemeral()?;
        fs::create_dir_all(directory).map_err(unusable)?;
        // A temporary file is made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(unusable)?;
        let text = key.text();
        file.write_all(text.as_bytes()).map_err(unusable)?;
        owner::inherit(file.as_file(), directory).map_err(unusable)?;
        file.as_file().sync_all().map_err(unusable)?;
        match file.persist_noclobber(&path) {
            Ok(_) => {
                let directory = fs::File::open(directory).map_err(unusable)?;
                directory.sync_all().map_err(unusable)?;
                Ok(key)
            }
            // Another process was faster: its key is the one.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Self::read(&path),
            Err(error) => Err(unusable(error.error)),
        }
    }

    /// Reads the key in a directory; `None` when there is none.
    ///
    /// # Errors
    /// As [`Self::load_or_create`].
    #[must_use]
    pub fn load(directory: &Path) -> Option<Result<Self, KeyError>> {
        let path = directory.join(KEY_FILE);
        fs::symlink_metadata(&path).is_ok().then(|| Self::read(&path))
    }

    /// Makes a key of bytes that are known, for tests and for embedding.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Makes a key that is kept nowhere, for a run without a state directory.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn ephemeral() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(KeyError::Random)?;
        Ok(Self(bytes))
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let unusable = |source| KeyError::Unusable { path: path.to_owned(), source };
        let metadata = fs::symlink_metadata(path).map_err(unusable)?;
        if !metadata.is_file() {
            return Err(unusable(io::Error::other("it is not a regular file")));
        }
        check_mode(path, &metadata)?;
        let corrupted = || KeyError::Corrupted { path: path.to_owned() };
        // Whatever else it is, it is not read into memory as a whole.
        if metadata.len() > 1024 {
            return Err(corrupted());
        }
        let text = Zeroizing::new(fs::read(path).map_err(unusable)?);
        let digits = text.trim_ascii_end();
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| corrupted())?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(corrupted());
        }
        Ok(Self(bytes))
    }

    /// Returns the mark of a value in its place. The same value elsewhere has another mark, so that
    /// the state does not tell which secrets are equal.
    #[must_use]
    pub fn fingerprint(&self, key: &Key, path: &FieldPath, value: &str) -> Fingerprint {
        let parts = [key.to_string(), path.to_string()];
        let mac = self
            .mac(FINGERPRINT_DOMAIN, &[parts[0].as_bytes(), parts[1].as_bytes(), value.as_bytes()]);
        Fingerprint::new(hex::encode(mac.as_slice()))
    }

    /// Derives the value of a variable with `generateValue`: 43 characters of base64url, 256 bits,
    /// the same on every run with this key. The values of one variable stand in a row, numbered from
    /// 0; none tells anything of another.
    #[must_use]
    pub fn generate(&self, key: &Key, env_key: &EnvKey, number: u32) -> Zeroizing<String> {
        let (owner, place) = (key.to_string(), number.to_le_bytes());
        let first: [&[u8]; 2] = [owner.as_bytes(), env_key.as_str().as_bytes()];
        let later: &[&[u8]] = if number == 0 { &[] } else { &[&place] };
        let mac = self.mac(GENERATE_DOMAIN, &[&first, later].concat());
        Zeroizing::new(URL_SAFE_NO_PAD.encode(mac.as_slice()))
    }

    /// Returns what tells the state that this key belongs to from others. It says nothing of the key.
    #[must_use]
    pub fn mark(&self) -> String {
        hex::encode(&self.mac(MARK_DOMAIN, &[])[..8])
    }

    /// Returns the key of the seals of a state that many machines reach. It says nothing of this one.
    #[must_use]
    pub fn seal_key(&self) -> [u8; KEY_BYTES] {
        let mac = self.mac(SEAL_DOMAIN, &[]);
        let mut bytes = [0; KEY_BYTES];
        bytes.copy_from_slice(&mac);
        bytes
    }

    /// Returns the text of the key's file.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", hex::encode(self.0.as_slice())))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Each part is preceded by its length, so that no two lists of parts run together.
    fn mac(&self, domain: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice())
            .expect("HMAC takes a key of any length");
        for part in std::iter::once(&domain).chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        Zeroizing::new(mac.finalize().into_bytes().to_vec())
    }
}

impl DeriveValue for FingerprintKey {
    fn derive(&self, key: &Key, env_key: &EnvKey, number: u32) -> Secret {
        let value = self.generate(key, env_key, number);
        let fingerprint = self.fingerprint(key, &FieldPath::Env(env_key.clone()), &value);
        Secret::new(value.as_str().into(), fingerprint, SecretOrigin::Generated)
    }

    fn mark(&self) -> String {
        self.mark()
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FingerprintKey(…)")
    }
}

fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(text: &str) -> Key {
        text.parse().unwrap()
    }

    fn mark(key: &FingerprintKey, owner: &str, path: &str, value: &str) -> String {
        let path = path.parse().unwrap();
        key.fingerprint(&key_of(owner), &path, value).as_str().to_owned()
    }

    #[test]
    fn a_fingerprint_depends_on_key_place_and_value_and_on_nothing_else() {
        let key = FingerprintKey::from_bytes([7; 32]);
        let first = mark(&key, "service/a", "envVars.B", "x");
        assert_eq!(first, mark(&key, "service/a", "envVars.B", "x"));
        assert_eq!(first.len(), 64);
        for other in [
            mark(&key, "service/b", "envVars.B", "x"),
            mark(&key, "service/a", "envVars.C", "x"),
            mark(&key, "service/a", "envVars.B", "y"),
            mark(&FingerprintKey::from_bytes([8; 32]), "service/a", "envVars.B", "x"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_generated_value_is_stable_long_and_safe_in_a_url() {
        let key = FingerprintKey::from_bytes([7; 32]);
        let value = |owner: &str, env: &str| {
            key.generate(&key_of(owner), &EnvKey::new(env).unwrap(), 0).to_string()
        };
        assert_eq!(value("service/a", "SALT"), value("service/a", "SALT"));
        assert_ne!(value("service/a", "SALT"), value("service/b", "SALT"));
        assert_eq!(value("service/a", "SALT").len(), 43);
        assert!(
            value("service/a", "SALT")
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }

    /// What is in use stays what it is: the first value of a row is the one that older versions derive.
    #[test]
    fn the_values_of_a_row_differ_and_the_first_one_never_changes() {
        let key = FingerprintKey::from_bytes([7; 32]);
        let (owner, env) = (key_of("service/a"), EnvKey::new("SALT").unwrap());
        let row: std::collections::BTreeSet<String> =
            (0..100).map(|number| key.generate(&owner, &env, number).to_string()).collect();
        assert_eq!(row.len(), 100);
        assert_eq!(&*key.generate(&owner, &env, 0), "UkRKWcWpq8D8JpAm0ISoJaNlQNlxpDvuOPrxByrQ8Sc");
        let derived = key.derive(&owner, &env, 3);
        assert_eq!(derived.expose(), &*key.generate(&owner, &env, 3));
    }

    #[test]
    fn a_key_is_made_once_and_then_read() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let first = FingerprintKey::load_or_create(&state).unwrap();
        let second = FingerprintKey::load_or_create(&state).unwrap();
        assert_eq!(first.0, second.0);
        assert_ne!(first.0, FingerprintKey::ephemeral().unwrap().0);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "no temporary file stays behind");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        FingerprintKey::load_or_create(directory.path()).unwrap();
        let path = directory.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = FingerprintKey::load_or_create(directory.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_damaged_key_is_an_error_and_is_not_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let long = "a".repeat(2000);
        let not_hexadecimal = "g".repeat(64);
        let zeros = "0".repeat(64);
        for damaged in ["", "abc\n", &long, &not_hexadecimal, &zeros] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(KEY_FILE);
            fs::write(&path, damaged).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = FingerprintKey::load_or_create(directory.path()).unwrap_err();
            assert!(matches!(error, KeyError::Corrupted { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        let key = FingerprintKey::from_bytes([0xab; 32]);
        assert_eq!(format!("{key:?}"), "FingerprintKey(…)");
    }
}
