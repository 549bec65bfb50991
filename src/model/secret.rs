//! A value that must not be seen, and the mark by which we know it again.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// A keyed hash of a secret (HMAC-SHA-256 under a local key), safe to store and to compare (S9).
///
/// Only the room `secret` makes one, because only it holds the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Wraps the text of a fingerprint.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the fingerprint as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a secret's value came from, as far as planning must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    /// A person gave it: in the environment, a file, or a manifest.
    Given,
    /// Derived from the local key (`generateValue`). Another machine derives another value, so one
    /// that lives already is never overwritten by a machine that did not write it.
    Generated,
}

/// A secret value with its fingerprint. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone)]
pub struct Secret {
    value: SecretString,
    fingerprint: Fingerprint,
    origin: SecretOrigin,
}

impl Secret {
    /// Joins a value and the fingerprint made of it.
    #[must_use]
    pub const fn new(value: SecretString, fingerprint: Fingerprint, origin: SecretOrigin) -> Self {
        Self { value, fingerprint, origin }
    }

    /// Returns the value, for the body of a request to the pinned origin and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }

    /// Returns the mark by which the value is known again.
    #[must_use]
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Returns where the value came from.
    #[must_use]
    pub const fn origin(&self) -> SecretOrigin {
        self.origin
    }

    /// Whether the value equals a text, in constant time for texts of one length.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.expose().as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Two secrets are equal when their fingerprints are: the values are never compared byte by byte.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Secret {}
