//! A text that this agent and somebody else both know: the server's token, a webhook's secret.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Far beyond any secret; bounds what is hashed for each request.
const LENGTH_MAX: usize = 4096;

/// A text that both sides know, until it is renewed; clones are the same. It has no `Display`, and
/// its `Debug` shows nothing (S9).
#[derive(Clone)]
pub struct SharedSecret(Arc<RwLock<SecretString>>);

/// Why a text is no shared secret. It never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the secret: {0}")]
pub struct SharedSecretError(&'static str);

impl SharedSecret {
    /// The fewest bytes: fewer can be guessed by asking again and again over a network.
    pub const LENGTH_MIN: usize = 16;

    /// Parses a secret; blanks around it, as a file's last newline, are not part of it.
    ///
    /// # Errors
    /// When it is too short, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, SharedSecretError> {
        let text = text.trim();
        if text.len() < Self::LENGTH_MIN {
            return Err(SharedSecretError(
                "it is shorter than 16 bytes; `openssl rand -hex 32` makes a good one",
            ));
        }
        if text.len() > LENGTH_MAX {
            return Err(SharedSecretError("it is longer than 4096 bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err(SharedSecretError("it contains a line break or another control character"));
        }
        Ok(Self(Arc::new(RwLock::new(SecretString::from(text)))))
    }

    /// Takes the place of the secret, for everybody who holds a clone.
    pub fn renew(&self, new: &Self) {
        // Cloned before the lock is taken: it may be the same.
        let new = new.expose();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Whether the secret is these bytes, in a time that tells neither where they differ nor how
    /// long the secret is.
    #[must_use]
    pub fn is(&self, offered: &[u8]) -> bool {
        let known = self.expose();
        let (known, offered) = (Sha256::digest(known.expose_secret()), Sha256::digest(offered));
        known.as_slice().ct_eq(offered.as_slice()).into()
    }

    /// Returns the secret, to key an HMAC with it and for nothing else.
    pub(super) fn expose(&self) -> SecretString {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_itself_and_nothing_else_and_is_never_shown() {
        let secret = SharedSecret::parse("correct horse battery\n").unwrap();
        assert!(secret.is(b"correct horse battery"));
        for other in ["", "correct horse batterx", "correct horse battery ", "correct horse"] {
            assert!(!secret.is(other.as_bytes()), "{other}");
        }
        assert_eq!(format!("{secret:?}"), "SharedSecret(…)");
    }

    #[test]
    fn what_can_be_guessed_or_cannot_stand_in_a_header_is_refused_without_being_repeated() {
        for text in ["", "hunter2hunter2x", "0123456789\r\n0123456789", &"x".repeat(4097)] {
            let error = SharedSecret::parse(text).unwrap_err().to_string();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }
}
