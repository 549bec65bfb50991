//! A value that must not be seen, and the mark by which we know it again.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::EnvKey;

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

/// Whether a variable looks like a secret: by the words of its key, or by a password in a URL.
///
/// A guess that errs towards hiding: what it takes for a secret is only not shown. The closing word
/// decides first, so that `TOKEN_TTL` and `PASSWORD_MIN_LENGTH` stay readable.
#[must_use]
pub fn looks_secret(key: &EnvKey, value: &str) -> bool {
    key_looks_secret(key.as_str()) || carries_password(value)
}

fn key_looks_secret(key: &str) -> bool {
    const HARMLESS_LAST: [&str; 21] = [
        "NAME",
        "PATH",
        "FILE",
        "LENGTH",
        "TTL",
        "EXPIRY",
        "EXPIRES",
        "ID",
        "ENABLED",
        "MIN",
        "MAX",
        "COUNT",
        "TIMEOUT",
        "HOST",
        "PORT",
        "REGION",
        "ARN",
        "TYPE",
        "ALGORITHM",
        "SECONDS",
        "MINUTES",
    ];
    const SECRET_ANYWHERE: [&str; 12] = [
        "SECRET",
        "SECRETS",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "CREDENTIALS",
        "APIKEY",
        "PRIVATE",
        "ACCESSKEY",
        "AUTHTOKEN",
        "SECRETKEY",
    ];
    const SECRET_LAST: [&str; 7] = ["TOKEN", "KEY", "PASS", "PWD", "PEM", "SALT", "PEPPER"];
    let upper = key.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let last = words.last().copied().unwrap_or_default();
    if HARMLESS_LAST.contains(&last) || words.iter().any(|w| *w == "PUBLIC" || *w == "PUBLISHABLE")
    {
        return false;
    }
    SECRET_LAST.contains(&last) || words.iter().any(|word| SECRET_ANYWHERE.contains(word))
}

/// Whether a text is a URL with a password: `scheme://user:password@host`.
fn carries_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str) -> bool {
        looks_secret(&EnvKey::new(key).unwrap(), value)
    }

    #[test]
    fn a_variable_is_taken_for_a_secret_by_its_words_or_its_url() {
        for key in ["STRIPE_KEY", "SECRET_KEY_BASE", "db_password", "GITHUB_TOKEN", "JWT-SECRET"] {
            assert!(check(key, "x"), "{key}");
        }
        assert!(check("DATABASE_URL", "postgres://shop:hunter2@db/shop"));
    }

    #[test]
    fn what_only_speaks_of_secrets_stays_readable() {
        for key in ["TOKEN_TTL", "PASSWORD_MIN_LENGTH", "STRIPE_PUBLIC_KEY", "MONKEY", "LOG_LEVEL"]
        {
            assert!(!check(key, "x"), "{key}");
        }
        assert!(!check("HOME_URL", "https://acme.dev/a:b@c"));
        assert!(!check("DATABASE_URL", "postgres://db/shop"));
    }
}
