//! `${X}` in the values of a Compose file, after YAML has been read; the result is text.
//!
//! A variable that nothing gives is not empty: its place is kept open, and a person gives the value.

use crate::model::{EnvKey, looks_secret};

/// Stands in a text where a value is missing. YAML cannot hold it without an escape, which is refused.
pub(super) const HOLE: char = '\0';

/// A text whose variables were replaced, as far as anything gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    /// The text, with [`HOLE`] for each value that is missing.
    pub text: String,
    /// The values that are missing.
    pub missing: Vec<Missing>,
    /// Whether it holds what a variable that is called like a secret gives, or its default.
    pub is_secret: bool,
}

/// A variable that nothing gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub name: String,
    /// What its author says of it, as `${NAME:?TEXT}`.
    pub meaning: Option<String>,
}

impl Filled {
    /// Makes a text without variables.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Returns the text when nothing of it is missing.
    pub fn whole(&self) -> Option<&str> {
        self.missing.is_empty().then_some(&self.text)
    }

    /// Says which values are missing: `X`, or `X (what for)`.
    pub fn asks_for(&self) -> String {
        let one = |missing: &Missing| match &missing.meaning {
            Some(meaning) => format!("`{}` ({meaning})", missing.name),
            None => format!("`{}`", missing.name),
        };
        self.missing.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn append(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.missing.extend(other.missing);
        self.is_secret |= other.is_secret;
    }
}

/// Replaces the variables of a text. `$$` stands for `$`, and a `$` before anything else for itself.
///
/// # Errors
/// When a `${` is not closed in its line, or holds no name.
pub(super) fn fill(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<Filled>,
) -> Result<Filled, &'static str> {
    let mut filled = Filled::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.text.push_str(before);
        let name = name_of(after);
        if let Some(braced) = after.strip_prefix('{') {
            let end = closing(braced).ok_or("a `${` is not closed in its line")?;
            filled.append(substitute(&braced[..end], lookup)?);
            rest = &braced[end + 1..];
        } else if let Some(plain) = after.strip_prefix('$') {
            filled.text.push('$');
            rest = plain;
        } else if name.is_empty() {
            filled.text.push('$');
            rest = after;
        } else {
            filled.append(given(name, lookup(name), None));
            rest = &after[name.len()..];
        }
    }
    filled.text.push_str(rest);
    Ok(filled)
}

/// Returns where what follows a `${` is closed: braces within it are counted, and where they do not
/// add up the last one of the line closes it.
fn closing(braced: &str) -> Option<usize> {
    let line = braced.split('\n').next().unwrap_or_default();
    let mut open = 1;
    // The letter behind a brace is not looked at; of the first one it begins the name.
    let mut letters = line.char_indices().skip(1);
    while let Some((at, c)) = letters.next() {
        match c {
            '}' if open == 1 => return Some(at),
            '}' => open -= 1,
            '{' => {
                open += 1;
                letters.next();
            }
            _ => {}
        }
    }
    line.rfind('}')
}

fn name_of(text: &str) -> &str {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

fn substitute(
    inner: &str,
    lookup: &dyn Fn(&str) -> Option<Filled>,
) -> Result<Filled, &'static str> {
    let name = name_of(inner);
    if name.is_empty() {
        return Err("a `${` contains no variable name");
    }
    let value = lookup(name);
    let rest = &inner[name.len()..];
    let (counts_empty, rest) = match rest.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let is_given = value.as_ref().is_some_and(|value| !counts_empty || !value.text.is_empty());
    let mut letters = rest.chars();
    match (letters.next(), letters.as_str()) {
        (None, _) if !counts_empty => Ok(given(name, value, None)),
        (Some('-'), _) if is_given => Ok(given(name, value, None)),
        (Some('-'), otherwise) => {
            let filled = fill(otherwise, lookup)?;
            Ok(Filled { is_secret: filled.is_secret || is_telling(name, &filled.text), ..filled })
        }
        (Some('+'), instead) if is_given => fill(instead, lookup),
        (Some('+'), _) => Ok(Filled::plain("")),
        (Some('?'), meaning) => {
            let filled = fill(meaning, lookup)?;
            let meaning = match filled.is_secret {
                true => meaning.to_owned(),
                false => filled.text.replace(HOLE, ""),
            };
            Ok(given(name, value.filter(|_| is_given), Some(meaning)))
        }
        (_, _) => Err("a `${` contains more than a variable name"),
    }
}

fn given(name: &str, value: Option<Filled>, meaning: Option<String>) -> Filled {
    match value {
        Some(filled) => {
            Filled { is_secret: filled.is_secret || is_telling(name, &filled.text), ..filled }
        }
        None => {
            let meaning = meaning.filter(|meaning| !meaning.trim().is_empty());
            let missing = vec![Missing { name: name.to_owned(), meaning }];
            Filled { missing, ..Filled::plain(HOLE) }
        }
    }
}

fn is_telling(name: &str, text: &str) -> bool {
    EnvKey::new(name).is_ok_and(|key| looks_secret(&key, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<Filled> {
        let known = [("A", "1"), ("EMPTY", ""), ("_b2", "two"), ("DB_PASSWORD", "hush")];
        known.iter().find(|(known, _)| *known == name).map(|(_, value)| Filled::plain(*value))
    }

    fn filled(text: &str) -> String {
        let Filled { text, missing, .. } = fill(text, &lookup).unwrap();
        let names: Vec<String> = missing.into_iter().map(|missing| missing.name).collect();
        format!("{}{}", text.replace(HOLE, "?"), names.join(","))
    }

    #[test]
    fn variables_are_replaced_as_compose_does() {
        for (text, expected) in [
            ("x${A}y$A.$_b2", "x1y1.two"),
            ("$$A $${A} 5$ $1 100%", "$A ${A} 5$ $1 100%"),
            ("${N:-0123}", "0123"),
            ("${EMPTY:-d}|${EMPTY-d}|${N-d}", "d||d"),
            ("${A:-d}|${A+y}|${N+y}|${EMPTY:+y}|${EMPTY+y}", "1|y|||y"),
            ("${N:-${M:-deep}}/${N:-a}b}", "deep/ab}"),
            ("${N:-}", ""),
            ("${N:-{\"a\":1}}", "{\"a\":1}"),
            ("${A:?needed}", "1"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn what_nothing_gives_is_missing_and_never_empty() {
        assert_eq!(filled("a${N}b$M"), "a?b?N,M");
        assert_eq!(filled("${N:-x${M}}"), "x?M");
        let asked = fill("${N:?the key of ${A}}${EMPTY:?not empty}", &lookup).unwrap();
        assert_eq!(asked.asks_for(), "`N` (the key of 1), `EMPTY` (not empty)");
        assert_eq!(asked.whole(), None);
    }

    #[test]
    fn what_a_telling_name_gives_is_a_secret_wherever_it_stands() {
        assert!(fill("x-${DB_PASSWORD}", &lookup).unwrap().is_secret);
        assert!(!fill("x-${A}", &lookup).unwrap().is_secret);
        for text in
            ["${MY_TOKEN:-x}", "Bearer ${MY_TOKEN-x}", "${N:-a${MY_TOKEN:-b}}", "${MY_TOKEN:-}"]
        {
            assert!(fill(text, &lookup).unwrap().is_secret, "{text}");
        }
    }

    #[test]
    fn what_compose_refuses_is_an_error() {
        for text in ["${", "${}", "${A", "${1A}", "${A B}", "${A:}", "${A:-a\nb}"] {
            assert!(fill(text, &lookup).is_err(), "{text}");
        }
    }
}
