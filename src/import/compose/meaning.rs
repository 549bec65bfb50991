//! What Compose makes of a scalar without quotes in a mapping of variables: YAML decides its type,
//! and what the type prints is what the program gets.

/// What becomes of a scalar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The text as written.
    Same,
    /// Another text.
    Other(String),
    /// A day or a time, of which versions of Compose make different things.
    Date,
}

/// Returns what a scalar without quotes becomes.
pub(super) fn meaning(text: &str) -> Meaning {
    let other = match text {
        "True" | "TRUE" => Some("true".to_owned()),
        "False" | "FALSE" => Some("false".to_owned()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some("+Inf".to_owned()),
        "-.inf" | "-.Inf" | "-.INF" => Some("-Inf".to_owned()),
        ".nan" | ".NaN" | ".NAN" => Some("NaN".to_owned()),
        text if is_date(text) => return Meaning::Date,
        text if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => number(text),
        _ => None,
    };
    match other {
        Some(other) if other != text => Meaning::Other(other),
        Some(_) | None => Meaning::Same,
    }
}

fn number(text: &str) -> Option<String> {
    let is_float = text.starts_with('.');
    let bare = if is_float { text.to_owned() } else { text.replace('_', "") };
    let (sign, digits) = match bare.split_at_checked(1) {
        Some(("-", rest)) => ("-", rest),
        Some(("+", rest)) => ("", rest),
        Some(_) | None => ("", bare.as_str()),
    };
    if !is_float && let Some(whole) = whole(digits) {
        let is_within = match sign {
            "-" => whole <= 1 << 63,
            _ => true,
        };
        if is_within {
            return Some(if whole == 0 { "0".to_owned() } else { format!("{sign}{whole}") });
        }
    }
    if !is_yaml_float(digits) {
        return None;
    }
    let number: f64 = format!("{sign}{digits}").parse().ok()?;
    number.is_finite().then(|| printed(number))
}

/// Reads a whole number of any base; a leading zero means base 8.
fn whole(digits: &str) -> Option<u64> {
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.split_at_checked(2) {
        Some(("0x", rest)) => (16, rest),
        Some(("0o", rest)) => (8, rest),
        Some(("0b", rest)) => (2, rest),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let is_digits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
    if is_digits { u64::from_str_radix(digits, base).ok() } else { None }
}

/// Whether digits are a fraction as YAML writes it: `1.`, `.5`, `1e3`.
fn is_yaml_float(digits: &str) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let exponent = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    let is_exponent = exponent.is_none_or(|it| !it.is_empty() && is_digits(it));
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => !mantissa.is_empty() && is_digits(mantissa),
    };
    is_exponent && is_mantissa
}

/// Prints a number as Go does: shortest, with an exponent from 10^21 and below 10^-4.
fn printed(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(power) if number != 0.0 && !(-4..21).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", power.abs())
        }
        Ok(_) | Err(_) => format!("{number}"),
    }
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let is_number = |part: &str, lengths: std::ops::RangeInclusive<usize>, max: u32| {
        lengths.contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|number| (1..=max).contains(&number) || max > 31)
    };
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, time) = rest.split_at(end);
    let is_time = time.is_empty()
        || time.starts_with(['T', 't', ' '])
            && time[1..].starts_with(|c: char| c.is_ascii_digit())
            && time.contains(':');
    is_number(year, 4..=4, 9999)
        && is_number(month, 1..=2, 12)
        && is_number(day, 1..=2, 31)
        && is_time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_becomes_what_its_type_prints() {
        for (text, expected) in [
            ("0123", "83"),
            ("08", "8"),
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("-0o17", "-15"),
            ("+5", "5"),
            ("True", "true"),
            (".5", "0.5"),
            ("12345678901234567890123", "1.2345678901234568e+22"),
            ("0.00001", "1e-05"),
            (".inf", "+Inf"),
        ] {
            assert_eq!(meaning(text), Meaning::Other(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_text_or_prints_alike_stays() {
        for text in [
            "yes",
            "12:30",
            "on",
            "3000",
            "1.5",
            "true",
            "1.2.3",
            "0",
            "-7",
            "0x",
            "node",
            "1-2",
            "2024-13-45",
            "+",
            "-",
            ".",
            "1e",
            "18446744073709551615",
        ] {
            assert_eq!(meaning(text), Meaning::Same, "{text}");
        }
    }

    #[test]
    fn a_date_is_known_as_one() {
        for text in ["2024-01-02", "2024-1-2", "2024-01-02T10:00:00Z", "2024-01-02 10:00:00"] {
            assert_eq!(meaning(text), Meaning::Date, "{text}");
        }
    }
}
