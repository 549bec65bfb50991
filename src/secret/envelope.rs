//! The project's key where others may read: sealed under a passphrase, bound to its place.
//!
//! The key that seals is derived from the passphrase by PBKDF2 (HMAC-SHA-256, 600,000 rounds, a salt
//! of its own), and seals with ChaCha20-Poly1305. Whoever may read the store can try passphrases, so
//! a short one is refused.

use std::num::NonZeroU32;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::key::{FingerprintKey, KEY_BYTES};

/// The format this version writes, and the only one it reads.
const FORMAT: u32 = 1;

/// The rounds this version writes: what OWASP advises for HMAC-SHA-256.
const ROUNDS: u32 = 600_000;

/// The most rounds that are read: a forged number must not keep us busy for long.
const ROUNDS_MAX: u32 = 10_000_000;

/// The shortest passphrase that is taken, in bytes.
const PASSPHRASE_BYTES_MIN: usize = 16;

/// Why a sealed key cannot be made or opened, completing "failed to …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It would be found by trying.
    #[error(
        "take the passphrase: it is shorter than {PASSPHRASE_BYTES_MIN} bytes (`openssl rand \
         -base64 32` makes one)"
    )]
    Short,
    /// The passphrase is another one, or the sealed key was changed or is of another place.
    #[error("open the key of the state: the passphrase is not the one it was sealed with")]
    Closed,
    /// It is none, or a newer version's.
    #[error("open the key of the state: it is not a sealed key of format {FORMAT}")]
    Unreadable,
    /// The system has no random numbers.
    #[error("seal the key of the state: the system gives no random numbers")]
    Random,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    format: u32,
    rounds: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

impl FingerprintKey {
    /// Seals the key under a passphrase, for one place: as another's it cannot be opened.
    ///
    /// # Errors
    /// When the passphrase is too short, or there is no randomness.
    pub fn seal(&self, passphrase: &SecretString, place: &str) -> Result<String, EnvelopeError> {
        if passphrase.expose_secret().len() < PASSPHRASE_BYTES_MIN {
            return Err(EnvelopeError::Short);
        }
        let (mut salt, mut nonce) = ([0; 16], [0; NONCE_LEN]);
        getrandom::fill(&mut salt).map_err(|_| EnvelopeError::Random)?;
        getrandom::fill(&mut nonce).map_err(|_| EnvelopeError::Random)?;
        let mut sealed = self.bytes().to_vec();
        key_of(passphrase, &salt, ROUNDS)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| EnvelopeError::Unreadable)?;
        let envelope = Envelope {
            format: FORMAT,
            rounds: ROUNDS,
            salt: hex::encode(salt),
            nonce: hex::encode(nonce),
            sealed: hex::encode(sealed),
        };
        Ok(serde_json::to_string(&envelope).expect("an envelope has only text keys"))
    }

    /// Opens a sealed key.
    ///
    /// # Errors
    /// When it is none, or the passphrase or the place is another one.
    pub fn unseal(
        text: &[u8],
        passphrase: &SecretString,
        place: &str,
    ) -> Result<Self, EnvelopeError> {
        let unreadable = |_| EnvelopeError::Unreadable;
        let envelope: Envelope =
            serde_json::from_slice(text).map_err(|_| EnvelopeError::Unreadable)?;
        if envelope.format != FORMAT || !(1..=ROUNDS_MAX).contains(&envelope.rounds) {
            return Err(EnvelopeError::Unreadable);
        }
        let salt = hex::decode(&envelope.salt).map_err(unreadable)?;
        let mut nonce = [0; NONCE_LEN];
        hex::decode_to_slice(&envelope.nonce, &mut nonce).map_err(unreadable)?;
        let mut sealed = Zeroizing::new(hex::decode(&envelope.sealed).map_err(unreadable)?);
        let opened = key_of(passphrase, &salt, envelope.rounds).open_in_place(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut sealed,
        );
        let opened = opened.map_err(|_| EnvelopeError::Closed)?;
        let bytes: [u8; KEY_BYTES] =
            (&*opened).try_into().map_err(|_| EnvelopeError::Unreadable)?;
        Ok(Self::from_bytes(bytes))
    }
}

fn key_of(passphrase: &SecretString, salt: &[u8], rounds: u32) -> LessSafeKey {
    let rounds = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
    let mut bytes = Zeroizing::new([0; 32]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        salt,
        passphrase.expose_secret().as_bytes(),
        bytes.as_mut_slice(),
    );
    let key = UnboundKey::new(&CHACHA20_POLY1305, bytes.as_slice());
    LessSafeKey::new(key.expect("the key has the length of the algorithm's"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[test]
    fn a_key_is_opened_by_its_passphrase_at_its_place_and_by_nothing_else() {
        let key = FingerprintKey::from_bytes([7; 32]);
        let right = passphrase("correct horse battery");
        let text = key.seal(&right, "shop").unwrap();
        assert!(!text.contains(&hex::encode([7; 32])));
        let opened = FingerprintKey::unseal(text.as_bytes(), &right, "shop").unwrap();
        assert_eq!(opened.mark(), key.mark());
        let open = |text: &str, passphrase: &SecretString, place: &str| {
            FingerprintKey::unseal(text.as_bytes(), passphrase, place).map(|key| key.mark())
        };
        let closed = Err(EnvelopeError::Closed);
        assert_eq!(open(&text, &passphrase("correct horse batterz"), "shop"), closed);
        assert_eq!(open(&text, &right, "other"), closed);
        // Who lowers the number of rounds gains another key.
        assert_eq!(open(&text.replace("600000", "599999"), &right, "shop"), closed);
        let unreadable = Err(EnvelopeError::Unreadable);
        assert_eq!(open(&text.replace("600000", "4000000000"), &right, "shop"), unreadable);
        assert_eq!(open("{}", &right, "shop"), unreadable);
        assert_ne!(key.seal(&right, "shop").unwrap(), text, "each has a salt of its own");
    }

    #[test]
    fn a_passphrase_that_would_be_found_is_refused() {
        let key = FingerprintKey::from_bytes([7; 32]);
        assert_eq!(key.seal(&passphrase("hunter2"), "shop"), Err(EnvelopeError::Short));
    }
}
