//! A text, read in each way in which somebody may have written it: as it stands, and with percent
//! signs, backslashes or entities of HTML taken for what they stand for, up to three times.

use std::ops::Range;

use super::super::is_unseen;

/// How often one way of writing may be within another: a body of JSON, in a message of JSON, in an
/// address, is three.
const DEPTH_MAX: usize = 3;

/// How many readings are looked at; most texts have one or two.
const READINGS_MAX: usize = 20;

/// One character as it was meant, and where the text has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// The character itself.
    meant: char,
    /// What it is compared by.
    pub folded: char,
    pub span: Range<usize>,
}

/// Returns what a character is compared by, if it counts: neither case, nor the kind of a blank,
/// nor which alphabet of base64 was used, makes a difference.
pub(super) fn folded(c: char) -> Option<char> {
    match c {
        '\r' => None,
        // A form of the web writes a blank as `+`, and base64 for addresses a `+` as `-`.
        '+' | '-' => Some(' '),
        '_' => Some('/'),
        c if c.is_whitespace() => Some(' '),
        c if is_unseen(c) => None,
        c => c.to_lowercase().next(),
    }
}

/// Returns the readings of a text, the text as it stands first.
pub(super) fn readings(text: &str) -> Vec<Vec<Unit>> {
    let plain = text.char_indices().map(|(place, c)| (c, place..place + c.len_utf8()));
    let mut whole = vec![units(plain.collect())];
    let mut newest = 0..1;
    for _ in 0..DEPTH_MAX {
        let begin = whole.len();
        for place in newest {
            for decode in [percent, backslash, entity] {
                if whole.len() == READINGS_MAX {
                    return compared(whole);
                }
                let decoded = decoded(&whole[place], decode);
                whole.extend(decoded.filter(|decoded| !whole.contains(decoded)));
            }
        }
        newest = begin..whole.len();
    }
    compared(whole)
}

/// What does not count is needed to read on, and goes before texts are compared.
fn compared(mut readings: Vec<Vec<Unit>>) -> Vec<Vec<Unit>> {
    for units in &mut readings {
        units.retain(|unit| folded(unit.meant).is_some());
    }
    readings
}

fn units(meant: Vec<(char, Range<usize>)>) -> Vec<Unit> {
    let unit = |(meant, span)| Unit { meant, folded: folded(meant).unwrap_or(meant), span };
    meant.into_iter().map(unit).collect()
}

/// What some characters at the beginning mean, and how many they are.
enum Meaning {
    Char(char, usize),
    /// One byte of a text in UTF-8, or one character of Latin-1.
    Byte(u8, usize),
}

/// Reads a text in one more way; nothing when that is no other.
fn decoded(text: &[Unit], decode: fn(&[Unit]) -> Option<Meaning>) -> Option<Vec<Unit>> {
    let mut meant: Vec<(char, Range<usize>)> = Vec::with_capacity(text.len());
    let mut bytes: Vec<(u8, Range<usize>)> = Vec::new();
    let (mut place, mut is_other) = (0, false);
    while place < text.len() {
        let (length, c) = match decode(&text[place..]) {
            Some(Meaning::Byte(byte, length)) => {
                bytes.push((byte, text[place].span.start..text[place + length - 1].span.end));
                (length, None)
            }
            Some(Meaning::Char(c, length)) => (length, Some(c)),
            None => (1, Some(text[place].meant)),
        };
        is_other |= length > 1;
        if let Some(c) = c {
            meant.extend(characters(std::mem::take(&mut bytes)));
            meant.push((c, text[place].span.start..text[place + length - 1].span.end));
        }
        place += length;
    }
    meant.extend(characters(bytes));
    is_other.then(|| units(meant))
}

/// Reads bytes as UTF-8, and those that are none as Latin-1.
fn characters(bytes: Vec<(u8, Range<usize>)>) -> Vec<(char, Range<usize>)> {
    let raw: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
    let mut read = Vec::with_capacity(raw.len());
    let mut place = 0;
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            let end = place + c.len_utf8();
            read.push((c, bytes[place].1.start..bytes[end - 1].1.end));
            place = end;
        }
        for byte in chunk.invalid() {
            read.push((char::from(*byte), bytes[place].1.clone()));
            place += 1;
        }
    }
    read
}

/// Returns the number that so many digits at a place write.
fn number(text: &[Unit], from: usize, digits: usize, radix: u32) -> Option<u32> {
    let digits = text.get(from..from + digits)?.iter().map(|unit| unit.meant.to_digit(radix));
    digits
        .into_iter()
        .try_fold(0_u32, |number, digit| number.checked_mul(radix)?.checked_add(digit?))
}

fn byte(text: &[Unit], from: usize) -> Option<u8> {
    u8::try_from(number(text, from, 2, 16)?).ok()
}

/// `%2F`, as in addresses.
fn percent(text: &[Unit]) -> Option<Meaning> {
    match text.first()?.meant {
        '%' => Some(Meaning::Byte(byte(text, 1)?, 3)),
        _ => None,
    }
}

/// `\n`, `\"`, `\u00e9`, `\x2f`, as in JSON, JavaScript, Python, Rust and shells.
fn backslash(text: &[Unit]) -> Option<Meaning> {
    let (first, second) = (text.first()?.meant, text.get(1)?.meant);
    if first != '\\' {
        return None;
    }
    let escaped = match second {
        'x' => return byte(text, 2).map(|byte| Meaning::Byte(byte, 4)),
        'u' => return unicode(text),
        'U' => return Some(Meaning::Char(char::from_u32(number(text, 2, 8, 16)?)?, 10)),
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '0' => '\0',
        other => other,
    };
    Some(Meaning::Char(escaped, 2))
}

/// `\u00e9`, a pair of them for what lies beyond, or `\u{e9}`.
fn unicode(text: &[Unit]) -> Option<Meaning> {
    if text.get(2)?.meant == '{' {
        let digits = text[3..].iter().take(7).position(|unit| unit.meant == '}')?;
        let c = char::from_u32(number(text, 3, digits, 16)?)?;
        return Some(Meaning::Char(c, digits + 4));
    }
    let first = number(text, 2, 4, 16)?;
    if let Some(c) = char::from_u32(first) {
        return Some(Meaning::Char(c, 6));
    }
    let is_pair = text.get(6)?.meant == '\\' && text.get(7)?.meant == 'u';
    let second = number(text, 8, 4, 16).filter(|_| is_pair)?;
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let c = char::decode_utf16(units).next()?.ok()?;
    Some(Meaning::Char(c, 12))
}

/// `&quot;`, `&#39;`, `&#x27;`, as in HTML.
fn entity(text: &[Unit]) -> Option<Meaning> {
    /// The longest is `&#1114111;`.
    const LENGTH_MAX: usize = 10;
    if text.first()?.meant != '&' {
        return None;
    }
    let end = text.iter().take(LENGTH_MAX).position(|unit| unit.meant == ';')?;
    let name: String = text[1..end].iter().map(|unit| unit.meant).collect();
    let c = match name.to_ascii_lowercase().as_str() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        code => {
            let code = code.strip_prefix('#')?;
            let number = match code.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => code.parse(),
            };
            char::from_u32(number.ok()?)?
        }
    };
    Some(Meaning::Char(c, end + 1))
}
