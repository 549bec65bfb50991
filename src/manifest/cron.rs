//! Cron expressions: five fields, checked before the platform sees them. When one is due is the
//! platform's business, not ours.

/// A field: its name, its range, and the names its numbers have.
struct Part {
    name: &'static str,
    min: u8,
    max: u8,
    names: &'static [&'static str],
}

const PARTS: [Part; 5] = [
    Part { name: "minute", min: 0, max: 59, names: &[] },
    Part { name: "hour", min: 0, max: 23, names: &[] },
    Part { name: "day of month", min: 1, max: 31, names: &[] },
    Part {
        name: "month",
        min: 1,
        max: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    // Sunday is 0 and 7.
    Part {
        name: "day of week",
        min: 0,
        max: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Checks an expression.
///
/// # Errors
/// When it is none: what is wrong, and how to mend it when that is known.
pub(super) fn check(text: &str) -> Result<(), (String, Option<String>)> {
    if text.trim_start().starts_with('@') {
        let instead = match text.trim() {
            "@yearly" | "@annually" => Some("0 0 1 1 *"),
            "@monthly" => Some("0 0 1 * *"),
            "@weekly" => Some("0 0 * * 0"),
            "@daily" | "@midnight" => Some("0 0 * * *"),
            "@hourly" => Some("0 * * * *"),
            _ => None,
        };
        let hint = instead.map(|five| format!("write `{five}`"));
        return Err(("only the five fields are understood, no macros".to_owned(), hint));
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    if fields.len() != PARTS.len() {
        let hint = "minute, hour, day of month, month, day of week".to_owned();
        return Err((format!("it has {} of five fields", fields.len()), Some(hint)));
    }
    for (part, field) in PARTS.iter().zip(fields) {
        for item in field.split(',') {
            check_item(part, item).map_err(|reason| (reason, None))?;
        }
    }
    Ok(())
}

/// `*`, `5`, `1-5`, each perhaps with `/step`.
fn check_item(part: &Part, item: &str) -> Result<(), String> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    if let Some(step) = step {
        let is_step = step.parse::<u8>().is_ok_and(|step| step >= 1 && step <= part.max);
        if !is_step {
            return Err(format!("`{item}` is no {}: the step is out of range", part.name));
        }
    }
    if range == "*" {
        return Ok(());
    }
    match range.split_once('-') {
        Some((first, last)) => {
            if number(part, first)? > number(part, last)? {
                return Err(format!("`{item}` is no {}: the range runs backwards", part.name));
            }
        }
        None => {
            number(part, range)?;
        }
    }
    Ok(())
}

fn number(part: &Part, text: &str) -> Result<u8, String> {
    let lower = text.to_ascii_lowercase();
    if let Some(index) = part.names.iter().position(|name| *name == lower) {
        return Ok(u8::try_from(index).unwrap_or(u8::MAX) + part.min);
    }
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u8>() {
        Ok(number) if is_digits && (part.min..=part.max).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is no {} ({} to {})", part.name, part.min, part.max)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_with_ranges_steps_lists_and_names_are_an_expression() {
        for text in ["0 2 * * *", "*/15 9-17 * * mon-fri", "0,30 0 1 JAN,jul *", "5/10 * * * 7"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1- * * * *",
            "@reboot",
            "+1 * * * *",
            ", * * * *",
            "* * L * *",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
