//! The line beside a mistake, safe to show: values of variables and what looks like a secret are
//! blotted out, because a diagnostic ends in logs and in pages of a build (S9).
//!
//! It works on text, not on YAML, so that a file which is no YAML at all can be shown too. It errs
//! towards hiding.

use std::borrow::Cow;

use crate::model::{EnvKey, Origin, STRUCK, Snippet, concealed, looks_secret};

/// The longest line shown; the rest is cut.
const LINE_CHARS_MAX: usize = 200;

/// How much of a line is looked at: one line can be the whole file.
const LINE_BYTES_MAX: usize = 1_000;

/// How far up the beginning of a block of text is looked for.
const BLOCK_LINES_MAX: usize = 500;

/// How many lines the entry of a variable can have before its value.
const ITEM_LINES_MAX: usize = 10;

/// An unbroken word of this length with letters and digits looks like a key or a hash.
const OPAQUE_CHARS_MIN: usize = 24;

/// Keys of the manifests' own that look like a secret's and hold a name.
const NAMING_KEYS: [&str; 2] = ["key", "generateValue"];

/// What stands in the place of what was blotted out.
const BLOT: &str = "…";

/// A file's text and where its lines begin.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    pub fn new(bytes: &'a [u8]) -> Self {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(index, _)| index + 1));
        Self { bytes, starts: starts.collect() }
    }

    /// Returns a line by its number from 1, cut where nobody reads on.
    fn get(&self, number: usize) -> Option<Cow<'a, str>> {
        let start = *self.starts.get(number.checked_sub(1)?)?;
        let end = self.starts.get(number).copied().unwrap_or(self.bytes.len());
        let line = &self.bytes[start..end.min(start + LINE_BYTES_MAX)];
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Returns the line of a place and the part of it to point at.
    pub fn snippet(&self, origin: &Origin) -> Option<Snippet> {
        let line = self.get(origin.line)?;
        let shown = if self.is_inside_value(origin.line, &line) {
            format!("{}{BLOT}", &line[..indent(&line)])
        } else if self.is_beside_secret_key(origin.line) {
            blot_entry(&line)
        } else {
            blot(&line)
        };
        let cut: String = shown.chars().take(LINE_CHARS_MAX).collect();
        let column = shown_column(&line, &shown, origin.column.saturating_sub(1));
        let start = cut.char_indices().nth(column).map_or(cut.len(), |(index, _)| index);
        let end = start + token_length(&cut[start..]);
        Some(Snippet { text: cut, line_first: origin.line, span: start..end })
    }

    /// Whether a line belongs to a list item that names a secret-looking variable: then a slip in
    /// the word `value` must not bring the value to light.
    fn is_beside_secret_key(&self, number: usize) -> bool {
        for above in (1..=number).rev().take(ITEM_LINES_MAX) {
            let Some(line) = self.get(above) else {
                return false;
            };
            if secret_key_end(&line).is_some() {
                return true;
            }
            if line.trim_start().starts_with("- ") {
                return false;
            }
        }
        false
    }

    /// Whether a line lies within the text that a `value:` further up begins.
    fn is_inside_value(&self, number: usize, line: &str) -> bool {
        let mut limit = indent(line);
        for above in (1..number).rev().take(BLOCK_LINES_MAX) {
            let Some(above) = self.get(above) else {
                return false;
            };
            if above.trim().is_empty() || indent(&above) >= limit {
                continue;
            }
            limit = indent(&above);
            if after_value_key(&above).is_some_and(|start| begins_text(&above[start..])) {
                return true;
            }
            if limit == 0 {
                return false;
            }
        }
        false
    }
}

/// Returns where a character of a line stands in what is shown of it: before the first blot and
/// after the last one the text is the same, and all between is a blot.
fn shown_column(line: &str, shown: &str, column: usize) -> usize {
    let same = |pair: &(char, char)| pair.0 == pair.1;
    let ahead = line.chars().zip(shown.chars()).take_while(same).count();
    if column < ahead || line == shown {
        return column;
    }
    let behind = line.chars().rev().zip(shown.chars().rev()).take_while(same).count();
    let from_end = line.chars().count().saturating_sub(column);
    let length = shown.chars().count();
    if from_end <= behind.min(length.saturating_sub(ahead)) {
        return length - from_end;
    }
    let is_blot = |c: char| BLOT.starts_with(c);
    ahead + shown.chars().skip(ahead).position(is_blot).unwrap_or(0)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether what follows `value:` can go on in the next line.
fn begins_text(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.starts_with(['|', '>', '"', '\'']) || !rest.contains([':', '{', '['])
}

/// The length of the word at a place: up to its closing quote, or to the next separator.
fn token_length(rest: &str) -> usize {
    let mut characters = rest.char_indices();
    let Some((_, first)) = characters.next() else {
        return 0;
    };
    if first == '"' || first == '\'' {
        return characters.find(|(_, c)| *c == first).map_or(rest.len(), |(index, _)| index + 1);
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']' | ':');
    characters.find(|(_, c)| is_end(*c)).map_or(rest.len(), |(index, _)| index)
}

/// The end of a secret-looking name that follows `key:`.
fn secret_key_end(line: &str) -> Option<usize> {
    line.match_indices("key:").find_map(|(start, word)| {
        let rest = &line[start + word.len()..];
        let name = rest.trim_start().trim_start_matches(['"', '\'']);
        let offset = line.len() - name.len();
        let is_end = |c: char| c.is_whitespace() || ",}\"'".contains(c);
        let name = &name[..name.find(is_end).unwrap_or(name.len())];
        let env_key = EnvKey::new(name).ok()?;
        looks_secret(&env_key, "").then_some(offset + name.len())
    })
}

/// Shows of an entry only the name of its variable, or the field that stands in the line.
fn blot_entry(line: &str) -> String {
    let start = secret_key_end(line).or_else(|| line.find(':').map(|colon| colon + 1));
    let first_colon = line.find(':').map(|colon| colon + 1);
    // What stands before the name in the same line may be the value as well.
    let start = match (start, first_colon) {
        (Some(end), Some(first)) if !line[..first].ends_with("key:") => Some(first.min(end)),
        (start, _) => start,
    };
    match start {
        Some(start) => blot(&blot_from(line, start)),
        None => format!("{}{BLOT}", &line[..indent(line)]),
    }
}

/// Replaces what follows `value:`, what follows a key that looks secret, and opaque words.
fn blot(line: &str) -> String {
    let line = &concealed(line).replace(STRUCK, BLOT);
    let line = match secret_start(line) {
        Some(start) => blot_from(line, start),
        None => line.to_owned(),
    };
    line.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "+/=_-".contains(c)))
        .map(|piece| {
            let word = piece
                .trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || "+/=_-".contains(c)));
            if is_opaque(word) { piece.replacen(word, BLOT, 1) } else { piece.to_owned() }
        })
        .collect()
}

fn is_opaque(word: &str) -> bool {
    word.len() >= OPAQUE_CHARS_MIN
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_ascii_alphabetic())
}

/// The place after `value:` or after a key that looks like a secret's, when there is one.
fn secret_start(line: &str) -> Option<usize> {
    let named = line.char_indices().filter(|(_, c)| *c == ':').find_map(|(colon, _)| {
        let key = line[..colon].trim_end().trim_end_matches(['"', '\'']);
        let is_edge = |c: char| c.is_whitespace() || "{,\"'[".contains(c);
        let word = key.rsplit(is_edge).next().unwrap_or(key);
        let env_key = EnvKey::new(word).ok()?;
        let is_secret = !NAMING_KEYS.contains(&word) && looks_secret(&env_key, "");
        is_secret.then_some(colon + 1)
    });
    [after_value_key(line), named].into_iter().flatten().min()
}

/// The place after the key `value` and its colon.
fn after_value_key(line: &str) -> Option<usize> {
    line.match_indices("value").find_map(|(start, word)| {
        let is_whole = line[..start]
            .chars()
            .next_back()
            .is_none_or(|c| c.is_whitespace() || "{,\"'-".contains(c));
        let rest = &line[start + word.len()..];
        let colon = rest.trim_start_matches(['"', '\'']).trim_start();
        let offset = line.len() - colon.len();
        (is_whole && colon.starts_with(':')).then_some(offset + 1)
    })
}

/// Blots out the rest of a line, but keeps the bracket that closes a flow mapping.
fn blot_from(line: &str, start: usize) -> String {
    let rest = &line[start..];
    if rest.trim().is_empty() {
        return line.to_owned();
    }
    let closing = if rest.trim_end().ends_with('}') { " }" } else { "" };
    format!("{} {BLOT}{closing}", &line[..start])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: usize, column: usize) -> String {
        let origin = Origin { file: "a.yaml".to_owned(), line, column };
        let snippet = Lines::new(text.as_bytes()).snippet(&origin).unwrap();
        format!("{}|{}", snippet.text, &snippet.text[snippet.span.clone()])
    }

    #[test]
    fn a_line_is_shown_as_it_stands_and_the_word_is_pointed_at() {
        assert_eq!(check("a: 1\nport: 99999 # high\n", 2, 7), "port: 99999 # high|99999");
        assert_eq!(check("\u{feff}naem: x\r\n", 1, 1), "naem: x|naem");
        assert_eq!(check("name: \"a b\"\n", 1, 7), "name: \"a b\"|\"a b\"");
    }

    #[test]
    fn the_value_of_a_variable_is_never_shown() {
        for text in [
            "- { key: A, value: hunter2 }",
            "value: hunter2",
            "  \"value\": hunter2",
            "- STRIPE_KEY: hunter2",
            "password: hunter2",
            "envVars: { TOKEN: hunter2 }",
            "key: { value : hunter2 }",
            "- { key: API_TOKEN, valeu: hunter2 }",
            "- { valeu: hunter2, key: API_TOKEN }",
            "- key: \"API_TOKEN\"\n  valeu: hunter2",
        ] {
            assert!(!check(text, text.lines().count(), 1).contains("hunter2"), "{text}");
        }
        for text in ["repo: https://oauth2:hunter2@git.dev/a", "startCommand: run --token=hunter2"]
        {
            assert!(!check(text, 1, 1).contains("hunter2"), "{text}");
        }
        let block = "- key: PEM\n  value: |\n    hunter2\n   bad\n";
        assert!(!check(block, 3, 5).contains("hunter2"));
        let folded = "- key: PEM\n  value: \"one\n     hunter2\"\n";
        assert!(!check(folded, 3, 6).contains("hunter2"));
    }

    #[test]
    fn what_is_blotted_out_is_pointed_at_and_what_stands_beside_it_too() {
        assert_eq!(check("password: [hunter2, b]", 1, 12), "password: …|…");
        assert_eq!(check("password: [hunter2, b]", 1, 21), "password: …|…");
        assert_eq!(check("TOKEN:   hunter2", 1, 10), "TOKEN: …|…");
        assert_eq!(check("TOKEN: hunter2", 1, 1), "TOKEN: …|TOKEN");
        let opaque = "{ note: sk_live_4242424242424242abcd, prot: 3 }";
        assert_eq!(check(opaque, 1, 39), "{ note: …, prot: 3 }|prot");
        assert_eq!(check("- key: PEM\n  value: |\n    hunter2 more\n", 3, 13), "    …|…");
    }

    #[test]
    fn a_blank_of_several_bytes_is_a_blank() {
        assert_eq!(check("\u{a0}port: 1", 1, 2), "\u{a0}port: 1|port");
        assert_eq!(check("\u{3000}token: x", 1, 2), "\u{3000}token: …|token");
    }

    #[test]
    fn an_opaque_word_is_never_shown_and_a_long_line_is_cut() {
        assert_eq!(check("note: sk_live_4242424242424242abcd ok", 1, 1), "note: … ok|note");
        assert!(check(&"x ".repeat(4000), 1, 1).chars().count() < 220);
    }
}
