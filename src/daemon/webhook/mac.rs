//! Keyed hashes of webhooks: made, read from a header, and compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How a signing token of the Standard Webhooks form begins.
const SIGNING_TOKEN_PREFIX: &str = "whsec_";

/// The bytes of an HMAC-SHA-256.
const MAC_BYTES: usize = 32;

/// An HMAC-SHA-256. Two are compared in constant time only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mac([u8; MAC_BYTES]);

impl Mac {
    /// Makes the hash of parts that are thought of as one text.
    pub(super) fn of(key: &[u8], parts: &[&[u8]]) -> Self {
        let mut hash = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().into_bytes().into())
    }

    /// Reads 64 hexadecimal digits.
    pub(super) fn of_hexadecimal(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * MAC_BYTES {
            return None;
        }
        let mut bytes = [0; MAC_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// Reads base64.
    pub(super) fn of_base64(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text).ok()?.try_into().ok()?))
    }

    /// Whether both are one, in constant time.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Returns the bytes, to know a delivery again.
    pub(super) const fn bytes(&self) -> [u8; MAC_BYTES] {
        self.0
    }
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// Returns the key of a signing token; `None` when the secret has not its form, `Some(None)` when
/// it has and holds no key.
pub(super) fn signing_key(secret: &str) -> Option<Option<Zeroizing<Vec<u8>>>> {
    let key = secret.strip_prefix(SIGNING_TOKEN_PREFIX)?;
    Some(STANDARD.decode(key).ok().filter(|key| !key.is_empty()).map(Zeroizing::new))
}
