//! The body of a write: JSON whose memory is wiped, and the secrets in it.
//!
//! It deliberately has no `Debug` that shows anything (S9).

use std::fmt;

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

/// The shortest line of a secret that is struck out by itself: below it, ordinary words would go.
const LINE_CHARS_MIN: usize = 8;

/// The body of one write.
pub(super) struct Body {
    bytes: Bytes,
    /// In every form in which an answer may repeat them.
    secrets: Vec<SecretString>,
}

impl Body {
    /// Writes a value as JSON; `secrets` are those of its texts that must not be seen.
    pub(super) fn new(value: &Value, secrets: Vec<SecretString>) -> Self {
        let text = Zeroizing::new(value.to_string().into_bytes());
        let secrets = secrets.iter().flat_map(|secret| forms(secret.expose_secret())).collect();
        Self { bytes: Bytes::from_owner(text), secrets }
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    pub(super) fn secrets(&self) -> Vec<&str> {
        self.secrets.iter().map(|secret| secret.expose_secret()).collect()
    }
}

/// Returns a secret as it is, as JSON writes it within a text, that once more within a text, and
/// its lines: an error that repeats our body repeats it so.
fn forms(secret: &str) -> Vec<SecretString> {
    let escaped = escaped(secret);
    let twice = self::escaped(&escaped);
    let ascii = ascii(&escaped);
    let lines = secret.lines().filter(|line| line.chars().count() >= LINE_CHARS_MIN);
    let mut forms: Vec<&str> = vec![secret, &escaped, &twice, &ascii];
    forms.extend(lines);
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter().map(SecretString::from).collect()
}

/// Writes a text as it stands between the quotes of JSON.
fn escaped(text: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(Value::from(text).to_string());
    Zeroizing::new(quoted[1..quoted.len() - 1].to_owned())
}

/// Writes a text as those writers of JSON do who escape all that is not ASCII.
fn ascii(text: &str) -> Zeroizing<String> {
    let mut ascii = Zeroizing::new(String::new());
    let mut units = [0; 2];
    for c in text.chars() {
        if c.is_ascii() {
            ascii.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            ascii.push_str(&format!("\\u{unit:04x}"));
        }
    }
    ascii
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Body(…)")
    }
}
