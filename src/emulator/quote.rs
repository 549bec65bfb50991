//! A careless server: its refusal quotes what it was sent, as some piece of software would write it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// How a refusal quotes a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quote {
    /// As it came.
    Plain,
    /// In capitals.
    Upper,
    /// As a part of an address.
    Percent,
    /// As a text in the source of a program, within another one.
    Escaped,
    /// As an encoder of mail or of a header.
    Base64,
    /// From the middle of the first value, and not to its end.
    Cut,
}

/// How much is quoted where it is cut.
const CUT_CHARS: usize = 14;

impl Quote {
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("plain", Self::Plain),
        ("upper", Self::Upper),
        ("percent", Self::Percent),
        ("escaped", Self::Escaped),
        ("base64", Self::Base64),
        ("cut", Self::Cut),
    ];

    /// Returns its word in the grammar.
    pub(crate) fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, quote)| *quote == self);
        found.map_or("plain", |(word, _)| *word)
    }

    /// Quotes a body.
    pub(crate) fn of(self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        match self {
            Self::Plain => text.into_owned(),
            Self::Upper => text.to_ascii_uppercase(),
            Self::Percent => body.iter().fold(String::new(), |mut out, byte| {
                if byte.is_ascii_alphanumeric() && byte % 2 == 0 {
                    out.push(char::from(*byte));
                } else {
                    // Writing to a `String` cannot fail.
                    let _ = write!(out, "%{byte:02X}");
                }
                out
            }),
            Self::Escaped => format!("{:?}", format!("{text:?}")),
            Self::Base64 => STANDARD.encode(body),
            Self::Cut => {
                let mark = "\"value\":\"";
                let values = text.rsplit(mark).next().unwrap_or_default();
                values.chars().skip(3).take(CUT_CHARS).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_quoted_in_each_way() {
        let body = br#"{"env_vars":[{"key":"A","value":"hunter2-and-more-of-it"}]}"#;
        for (word, expected) in [
            ("plain", r#""value":"hunter2-and"#),
            ("upper", "HUNTER2-AND"),
            ("percent", "h%75nt%65r2%2D"),
            ("escaped", r#"\\\\\\\"hunter2"#),
            ("base64", "eyJlbnZfdmFycyI6W3"),
            ("cut", "ter2-and-more-"),
        ] {
            let (_, quote) = Quote::ALL.iter().find(|(known, _)| *known == word).unwrap();
            assert_eq!(quote.word(), word);
            let quoted = quote.of(body).replace(r#"\\\\\\\\"#, "");
            assert!(quoted.contains(expected.trim_start_matches('\\')), "{word}: {quoted}");
        }
    }
}
