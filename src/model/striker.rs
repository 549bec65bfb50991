//! Strikes known secrets out of foreign texts, in whatever form a text repeats them (S9).
//!
//! A server that refuses a value quotes it as it likes: escaped, percent-encoded, as the source of
//! a program would write it, in base64, in other case, and cut anywhere. So not each form of a
//! secret is looked for in the text; the text is read in each way it may have been written, and
//! every run of [`PIECE_CHARS`] characters that also stands in a secret is struck out.
//!
//! It takes time in proportion to the text and to the secrets, and memory to the text alone (S12).

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use self::reading::{Unit, folded, readings};
use super::spans::replaced;

mod reading;

/// How many characters of a secret are a piece of it, wherever they stand.
///
/// Shorter ones would be words that happen to be alike; seven characters of a secret with sixteen
/// leave as many to guess as a good password has.
const PIECE_CHARS: usize = 8;

/// How many are a piece where a text begins or ends: there somebody cut, so it is no accident.
const CUT_CHARS_MIN: usize = 6;

/// Below this a secret is struck out only where it stands as a word, for it is likely to be a part
/// of others, and gaps within words would tell more of it than they hide.
const WITHIN_WORDS_CHARS_MIN: usize = 6;

/// Strikes secrets out of a text.
///
/// *Guarantees*: of a secret no eight characters in a row are left, in none of the forms
/// that `reading` knows, nested up to three deep, nor as base64 of it or of something it is part of.
/// One that is shorter is struck out as a whole.
#[must_use]
pub fn struck<'t, 's>(text: &'t str, secrets: impl IntoIterator<Item = &'s str>) -> Cow<'t, str> {
    let mut search = Search::of(text);
    for secret in secrets {
        search.look_for(secret);
    }
    replaced(text, search.found)
}

/// A text in all its readings, and what was found in it.
struct Search {
    readings: Vec<Vec<Unit>>,
    index: Index,
    found: Vec<Range<usize>>,
}

impl Search {
    fn of(text: &str) -> Self {
        let readings = readings(text);
        let index = Index::of(&readings);
        Self { readings, index, found: Vec::new() }
    }

    fn look_for(&mut self, secret: &str) {
        let plain = Zeroizing::new(secret.chars().filter_map(folded).collect::<Vec<char>>());
        self.look_for_form(&plain, 1);
        for before in 0..3 {
            let encoded = Zeroizing::new(base64_within(secret.as_bytes(), before));
            let form = encoded.chars().filter_map(folded).collect::<Vec<char>>();
            self.look_for_form(&Zeroizing::new(form), CUT_CHARS_MIN);
        }
    }

    /// Looks for a form of at least so many characters.
    fn look_for_form(&mut self, form: &[char], chars_min: usize) {
        if form.len() < chars_min {
            return;
        }
        if form.len() < PIECE_CHARS {
            self.look_for_whole(form);
            return;
        }
        let Self { readings, index, found } = self;
        roll(form, |hash| {
            for place in index.places(hash) {
                let units = &readings[place.reading][place.first..place.first + PIECE_CHARS];
                found.push(span(units));
            }
        });
        for units in readings {
            found.extend(cut_piece(units, form));
        }
    }

    fn look_for_whole(&mut self, form: &[char]) {
        let is_part = |unit: Option<&Unit>| unit.is_some_and(|unit| unit.folded.is_alphanumeric());
        for units in &self.readings {
            for (first, window) in units.windows(form.len()).enumerate() {
                let is_word = || {
                    let before = first.checked_sub(1).and_then(|before| units.get(before));
                    !is_part(before) && !is_part(units.get(first + form.len()))
                };
                if is_like(window, form) && (form.len() >= WITHIN_WORDS_CHARS_MIN || is_word()) {
                    self.found.push(span(window));
                }
            }
        }
    }
}

fn is_like(units: &[Unit], form: &[char]) -> bool {
    units.len() == form.len() && units.iter().zip(form).all(|(unit, c)| unit.folded == *c)
}

fn span(units: &[Unit]) -> Range<usize> {
    let first = units.first().map_or(0, |unit| unit.span.start);
    first..units.last().map_or(first, |unit| unit.span.end)
}

/// Finds the short beginning of a secret at the end of a text, and its end at the beginning.
fn cut_piece(units: &[Unit], form: &[char]) -> Option<Range<usize>> {
    let is_mark = |unit: &&Unit| matches!(unit.folded, '.' | '…' | '"' | '\'' | ' ');
    let marks_before = units.iter().take_while(is_mark).count();
    let marks_after = units[marks_before..].iter().rev().take_while(is_mark).count();
    let units = &units[marks_before..units.len() - marks_after];
    (CUT_CHARS_MIN..PIECE_CHARS).rev().filter(|length| *length <= units.len()).find_map(|length| {
        let (head, tail) = (&units[..length], &units[units.len() - length..]);
        if is_like(tail, &form[..length]) {
            Some(span(tail))
        } else if is_like(head, &form[form.len() - length..]) {
            Some(span(head))
        } else {
            None
        }
    })
}

/// Returns those characters of base64 that some bytes decide alone, when so many stand before them.
fn base64_within(bytes: &[u8], before: usize) -> String {
    let padded = Zeroizing::new([&[0; 3][..before], bytes].concat());
    let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*padded));
    let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    encoded.get(first..end).unwrap_or_default().to_owned()
}

/// Where a piece of a text begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    reading: usize,
    first: usize,
}

/// Every piece of a text, by a number made of its characters.
struct Index {
    pieces: Vec<(u64, Place)>,
    /// One bit for each value of a number's upper bits, so that most of what is not there costs
    /// one look.
    filter: Vec<u64>,
}

const FILTER_BITS: u32 = 16;

impl Index {
    fn of(readings: &[Vec<Unit>]) -> Self {
        let mut pieces = Vec::new();
        for (reading, units) in readings.iter().enumerate() {
            let characters: Vec<char> = units.iter().map(|unit| unit.folded).collect();
            let mut first = 0;
            roll(&characters, |hash| {
                pieces.push((hash, Place { reading, first }));
                first += 1;
            });
        }
        pieces.sort_unstable();
        let mut filter = vec![0; 1 << (FILTER_BITS - 6)];
        for (hash, _) in &pieces {
            let (word, bit) = place_in_filter(*hash);
            filter[word] |= 1 << bit;
        }
        Self { pieces, filter }
    }

    fn places(&self, hash: u64) -> impl Iterator<Item = Place> {
        let (word, bit) = place_in_filter(hash);
        let is_possible = self.filter[word] & (1 << bit) != 0;
        let pieces: &[(u64, Place)] = if is_possible { &self.pieces } else { &[] };
        let first = pieces.partition_point(|(known, _)| *known < hash);
        pieces[first..].iter().take_while(move |(known, _)| *known == hash).map(|(_, place)| *place)
    }
}

fn place_in_filter(hash: u64) -> (usize, u32) {
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS);
    // Sixteen bits fit.
    let mixed = u32::try_from(mixed).unwrap_or_default();
    ((mixed >> 6) as usize, mixed & 63)
}

/// Tells the number of each piece of a text, in order.
///
/// Two pieces may have one number by accident, once in 2^64; then too much is struck out.
fn roll(characters: &[char], mut tell: impl FnMut(u64)) {
    const BASE: u64 = 0x0100_0000_01b3;
    const LEAVING: u64 = {
        let (mut power, mut count) = (1_u64, 1);
        while count < PIECE_CHARS {
            power = power.wrapping_mul(BASE);
            count += 1;
        }
        power
    };
    let mut hash = 0_u64;
    for (place, c) in characters.iter().enumerate() {
        if let Some(gone) = place.checked_sub(PIECE_CHARS) {
            let gone = u64::from(u32::from(characters[gone])).wrapping_mul(LEAVING);
            hash = hash.wrapping_sub(gone);
        }
        hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(u32::from(*c)));
        if place + 1 >= PIECE_CHARS {
            tell(hash);
        }
    }
}

#[cfg(test)]
mod tests;
