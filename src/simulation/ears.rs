//! Hears a secret in what was said, however it was said (S9).
//!
//! It shares nothing with what strikes secrets out: it knows no ways of writing that would have to
//! be undone in order, and looks for eight characters in a row of each secret, in small letters, in
//! base64, between percent signs and backslashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// How many characters of a secret are a piece of it: as many as a number has bytes.
const PIECE: usize = 8;

/// How many bits of a mixed number choose one of the sieve.
const SIEVE_BITS: u32 = 12;

/// The pieces of all secrets.
#[derive(Debug, Default)]
pub(super) struct Ears {
    /// Each as the number that its bytes write, sorted.
    pieces: Vec<u64>,
    /// A bit for each piece, so that most of what is none costs one look; empty without pieces.
    sieve: Vec<u64>,
}

impl Ears {
    pub fn for_secrets<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut pieces = Vec::new();
        for secret in secrets {
            windows(secret.to_ascii_lowercase().bytes(), |piece| pieces.push(piece));
        }
        for secret in pieces.clone() {
            let bytes = secret.to_be_bytes();
            for before in 0..3 {
                let encoded = STANDARD_NO_PAD.encode([&[0; 3][..before], &bytes].concat());
                // What the bytes around it have no part in.
                let whole = encoded.bytes().skip((before * 8).div_ceil(6)).take(PIECE);
                windows(whole, |piece| pieces.push(piece));
            }
        }
        pieces.sort_unstable();
        pieces.dedup();
        let mut sieve = vec![0; 1 << (SIEVE_BITS - 6)];
        for piece in &pieces {
            let (word, bit) = place_in_sieve(*piece);
            sieve[word] |= bit;
        }
        Self { pieces, sieve }
    }

    /// Whether any secret stands in a text.
    pub fn hear(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let is_bare = !bytes.contains(&b'\\');
        let is_plain = !bytes.contains(&b'%');
        self.knows_either(bytes)
            || !is_bare && self.knows(bytes.iter().copied().filter(|byte| *byte != b'\\'))
            || !is_plain && self.knows(without_percent(bytes).into_iter())
    }

    /// Whether a piece stands in what was said, in small letters.
    fn knows(&self, bytes: impl Iterator<Item = u8>) -> bool {
        let mut is_known = false;
        let small = bytes.map(|byte| byte.to_ascii_lowercase());
        windows(small, |piece| is_known |= self.is_piece(piece));
        is_known
    }

    /// Whether a piece stands in a text as it is, or in small letters: where it has no great ones
    /// both are the same.
    fn knows_either(&self, bytes: &[u8]) -> bool {
        let (mut piece, mut small) = (0_u64, 0_u64);
        bytes.iter().enumerate().any(|(place, byte)| {
            piece = piece << 8 | u64::from(*byte);
            small = small << 8 | u64::from(byte.to_ascii_lowercase());
            let is_heard = || self.is_piece(small) || piece != small && self.is_piece(piece);
            place + 1 >= PIECE && is_heard()
        })
    }

    fn is_piece(&self, piece: u64) -> bool {
        let (word, bit) = place_in_sieve(piece);
        let is_possible = self.sieve.get(word).is_some_and(|bits| bits & bit != 0);
        is_possible && self.pieces.binary_search(&piece).is_ok()
    }
}

/// Returns the word of the sieve and the bit in it.
fn place_in_sieve(piece: u64) -> (usize, u64) {
    let mixed = piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SIEVE_BITS);
    // A dozen bits fit.
    (usize::try_from(mixed >> 6).unwrap_or_default(), 1 << (mixed & 63))
}

fn windows(bytes: impl Iterator<Item = u8>, mut tell: impl FnMut(u64)) {
    let mut piece = 0_u64;
    for (place, byte) in bytes.enumerate() {
        piece = piece << 8 | u64::from(byte);
        if place + 1 >= PIECE {
            tell(piece);
        }
    }
}

fn without_percent(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_heard_in_each_form_and_nothing_else_is() {
        let ears = Ears::for_secrets(["st0ker-stand-in-"]);
        for text in [
            "a st0ker-stand-in-X",
            "ER-STAND-I",
            "st0ke%72%2Dstand",
            r"st0\\\\ker-\\sta",
            // user:st0ker-stand-in-
            "dXNlcjpzdDBrZXItc3RhbmQtaW4t",
        ] {
            assert!(ears.hear(text), "{text}");
        }
        for text in ["", "(secret)", "st0ker"] {
            assert!(!ears.hear(text), "{text}");
        }
    }
}
