//! The body of a write: JSON whose memory is wiped, and the secrets in it.
//!
//! It deliberately has no `Debug` that shows anything (S9).

use std::fmt;

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

/// The body of one write.
pub(super) struct Body {
    bytes: Bytes,
    secrets: Vec<SecretString>,
}

impl Body {
    /// Writes a value as JSON; `secrets` are those of its texts that must not be seen.
    pub(super) fn new(value: &Value, secrets: Vec<SecretString>) -> Self {
        let text = Zeroizing::new(value.to_string().into_bytes());
        Self { bytes: Bytes::from_owner(text), secrets }
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Returns what an answer may repeat and nobody may see.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.expose_secret())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Body(…)")
    }
}
