//! What a scalar without quotes means, to us and to others.
//!
//! Where a text is meant, the text as written is kept, always. This file knows what *other* readers
//! would make of it, so that a warning can be given on reading and quotes on writing.

/// Whether a plain scalar means nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Reads a boolean as YAML 1.2 writes it.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Reads a boolean as YAML 1.1 and people write it.
pub(super) fn truth_leniently(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// Reads a whole number in plain decimal digits: `012` and `1e3` mean different things to
/// different readers, so they are none.
pub(super) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

/// Whether some reader makes something else than a text of it, so that a text must be quoted.
pub(super) fn is_typed(text: &str) -> bool {
    is_null(text)
        || text == "<<"
        || text == "="
        || truth(text).is_some()
        || integer(text).is_some()
        || text.parse::<f64>().is_ok()
}

/// What other readers make of a plain scalar, when they would lose how it is written.
///
/// `true`, `3000` and `1.5` come back as they are, so nothing is said of them.
pub(super) fn retyped(text: &str) -> Option<&'static str> {
    if matches!(text, "True" | "TRUE" | "False" | "FALSE") {
        return Some("a boolean");
    }
    let is_letters = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_letters && truth_leniently(text).is_some() && truth(text).is_none() {
        return Some("a boolean");
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    if is_date(text) {
        return Some("a date");
    }
    if is_sexagesimal(text) {
        return Some("a number in base 60");
    }
    is_odd_number(text).then_some("another number")
}

/// The greatest number that every reader keeps: beyond it a floating-point number has gaps.
const EXACT_MAX: u64 = 1 << 53;

/// `0o17`, `012`, `0x1F`, `1_000`, `1e3`, `1.10`, `.inf`: numbers that are printed differently.
fn is_odd_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Capital letters make no base: `0O17` and `0X1f` are texts to everyone.
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan") {
        return true;
    }
    if let Some((prefix, digits)) = unsigned.split_at_checked(2) {
        let base = match prefix {
            "0x" => 16,
            "0o" => 8,
            "0b" => 2,
            _ => 0,
        };
        if base != 0 {
            return !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(base));
        }
    }
    let bare: String = lower.chars().filter(|c| *c != '_').collect();
    if !bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    if let Some(number) = integer(text) {
        return number.unsigned_abs() > EXACT_MAX;
    }
    bare.parse::<f64>().is_ok_and(|number| number.to_string() != text)
}

fn is_date(text: &str) -> bool {
    let day = text.get(..10).unwrap_or(text);
    let mut parts = day.split('-');
    let is_number = |part: Option<&str>, length: usize| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_day = is_number(parts.next(), 4)
        && is_number(parts.next(), 2)
        && is_number(parts.next(), 2)
        && parts.next().is_none();
    is_day && matches!(text.as_bytes().get(10), None | Some(b'T' | b't' | b' '))
}

fn is_sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    // A whole one begins with no zero: `08:30` and `0:0` are texts to everyone.
    let is_begun = !first.starts_with('0') || text.contains('.');
    !rest.is_empty()
        && is_begun
        && is_digits(first)
        && rest.iter().all(|part| {
            let whole = part.split('.').next().unwrap_or_default();
            is_digits(whole) && whole.len() <= 2 && whole.parse::<u8>().is_ok_and(|n| n < 60)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_reader_would_change_is_known() {
        for text in [
            "NO",
            "yes",
            "On",
            "y",
            "012",
            "0o17",
            "0x1F",
            "1e3",
            "1_000",
            "1.10",
            ".inf",
            "+5",
            "2026-01-15",
            "2026-01-15T10:00:00Z",
            "12:30:00",
            "True",
            "-.inf",
            "9007199254740993",
            "-9007199254740993",
            "0:30.5",
        ] {
            assert!(retyped(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_comes_back_as_written_is_left_alone() {
        for text in [
            "true",
            "3000",
            "1.5",
            "0",
            "-7",
            "node",
            "github.com/a/b",
            "12:99",
            "v1",
            "1.2.3",
            "",
            "0 2 * * *",
            "noo",
            "-",
            "+",
            "...",
            "08:30",
            "0:0",
            "0O17",
            "0X1f",
            "9007199254740992",
        ] {
            assert_eq!(retyped(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_read_only_when_it_means_the_same_to_everyone() {
        assert_eq!(integer("3000"), Some(3000));
        assert_eq!(integer("-1"), Some(-1));
        for text in ["012", "1e3", "0x10", "1_0", "", "-", "99999999999999999999"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }
}
