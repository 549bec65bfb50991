//! `.env` and `env_file` as Compose reads them. Other readers of such files mean other things by `$`,
//! `#` and quotes, so each place where they differ is told.

use std::collections::BTreeMap;

use super::interpolate::{Filled, fill};
use crate::model::{Diagnostic, Origin};

/// One variable of a file.
#[derive(Clone, Debug)]
pub(super) struct DotenvEntry {
    pub key: String,
    /// Its value; nothing for a key that stands alone, whose value comes from outside.
    pub value: Option<Filled>,
    pub origin: Origin,
}

/// Reads a file. What `$` means is looked up outside first, then in the lines before.
///
/// # Errors
/// The first line that Compose refuses.
pub(super) fn read(
    file: &str,
    text: &str,
    outside: &dyn Fn(&str) -> Option<Filled>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<DotenvEntry>, Box<Diagnostic>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { file, rest: text, line: 1, known: BTreeMap::new(), warnings };
    let mut entries = Vec::new();
    while reader.begin() {
        let origin = reader.origin();
        let key = reader.key()?;
        let value = match key.1 {
            true => None,
            false => Some(reader.value(&origin, outside)?),
        };
        if let Some(value) = value.as_ref().filter(|value| value.whole().is_some()) {
            reader.known.insert(key.0.clone(), value.clone());
        }
        entries.push(DotenvEntry { key: key.0, value, origin });
    }
    Ok(entries)
}

struct Reader<'r> {
    file: &'r str,
    rest: &'r str,
    line: usize,
    known: BTreeMap<String, Filled>,
    warnings: &'r mut Vec<Diagnostic>,
}

/// Blanks that do not end a line.
const fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

impl<'r> Reader<'r> {
    fn origin(&self) -> Origin {
        Origin { file: self.file.to_owned(), line: self.line, column: 1 }
    }

    fn skip(&mut self, length: usize) {
        self.line += self.rest[..length].matches('\n').count();
        self.rest = &self.rest[length..];
    }

    /// Goes to the next statement, over blank lines and comments.
    fn begin(&mut self) -> bool {
        loop {
            let start = self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len());
            self.skip(start);
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.skip(end);
        }
    }

    /// Reads a key, and whether it stands alone.
    fn key(&mut self) -> Result<(String, bool), Box<Diagnostic>> {
        if let Some(after) = self.rest.strip_prefix("export")
            && after.starts_with(char::is_whitespace)
        {
            let name = after.trim_start_matches(is_blank);
            self.skip(self.rest.len() - name.len());
        }
        let is_within = |c: char| c.is_alphanumeric() || "_.-[]".contains(c) || is_blank(c);
        let end = self.rest.find(|c| !is_within(c)).unwrap_or(self.rest.len());
        let key = self.rest[..end].trim_end().to_owned();
        let mark = self.rest[end..].chars().next();
        let is_alone = matches!(mark, Some('\n') | None);
        if !matches!(mark, Some('=' | ':' | '\n') | None) || key.contains(' ') {
            let message = "the line is not `KEY=VALUE`";
            let hint = "Compose refuses the whole file because of it; a comment begins with `#`";
            let refused = Diagnostic::error("env-file", message).at(self.origin()).hint(hint);
            return Err(Box::new(refused));
        }
        self.skip(end + usize::from(mark.is_some()));
        if !is_alone {
            let value = self.rest.trim_start_matches(is_blank);
            self.skip(self.rest.len() - value.len());
        }
        Ok((key, is_alone))
    }

    fn value(
        &mut self,
        origin: &Origin,
        outside: &dyn Fn(&str) -> Option<Filled>,
    ) -> Result<Filled, Box<Diagnostic>> {
        let text = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let text = self.quoted(quote)?;
                if quote == '\'' {
                    return Ok(Filled::plain(text));
                }
                escapes(&text)
            }
            Some(_) | None => self.bare(origin),
        };
        let lookup = |name: &str| outside(name).or_else(|| self.known.get(name).cloned());
        fill(&text, &lookup).map_err(|reason| {
            let refused = Diagnostic::error("env-file", reason).at(origin.clone());
            Box::new(refused.hint("`$$` is a literal `$`"))
        })
    }

    fn bare(&mut self, origin: &Origin) -> String {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.skip((end + 1).min(self.rest.len()));
        let text = line.split(" #").next().unwrap_or_default().trim_end();
        let differ = [
            (text.contains('$'), "`$`", "Compose replaces it, others keep it; `'…'` keeps it"),
            (text.contains('#'), "`#`", "Compose keeps it, others end the value there; quote it"),
        ];
        for (_, what, hint) in differ.into_iter().filter(|(is_there, ..)| *is_there) {
            let message = format!("a {what} stands in a value without quotes");
            let warning = Diagnostic::warning("env-file-dialect", message).at(origin.clone());
            self.warnings.push(warning.hint(hint));
        }
        text.to_owned()
    }

    /// Reads to the closing quote; a `\` keeps a quote from closing, and else stays.
    fn quoted(&mut self, quote: char) -> Result<String, Box<Diagnostic>> {
        let mut text = String::new();
        let mut is_escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                c if c == quote && !is_escaped => {
                    self.skip(at + 1);
                    return Ok(text);
                }
                '\\' if !is_escaped => {
                    is_escaped = true;
                    continue;
                }
                c if is_escaped && c != quote => text.extend(['\\', c]),
                c => text.push(c),
            }
            is_escaped = false;
        }
        let refused = Diagnostic::error("env-file", "a quote is not closed").at(self.origin());
        Err(Box::new(refused.hint("close it, or write the value without it")))
    }
}

/// Replaces the escapes of a text between double quotes; `\$` is a plain `$`.
fn escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('a') => plain.push('\u{7}'),
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some('v') => plain.push('\u{b}'),
            Some('"') => plain.push('"'),
            Some('\\') => plain.push('\\'),
            Some('$') => plain.push_str("$$"),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::interpolate::HOLE;
    use super::*;

    fn check(text: &str) -> String {
        let mut warnings = Vec::new();
        let outside = |name: &str| (name == "OUT").then(|| Filled::plain("side"));
        let read = match read("a.env", text, &outside, &mut warnings) {
            Ok(read) => read,
            Err(refused) => return refused.to_string(),
        };
        let one = |entry: &DotenvEntry| match &entry.value {
            Some(value) => format!("{}={:?}", entry.key, value.text.replace(HOLE, "?")),
            None => format!("{}!", entry.key),
        };
        let lines = read.iter().map(one).chain(warnings.iter().map(|it| it.message.clone()));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_file_is_read_in_the_dialect_of_compose() {
        assert_eq!(
            check("\u{feff}# note\n\nexport A=1\nB: two \nC\nD=\n"),
            "A=\"1\"\nB=\"two\"\nC!\nD=\"\""
        );
        assert_eq!(check("A='x$y # z'\nB=\"a\\nb \\$c\"\n"), "A=\"x$y # z\"\nB=\"a\\nb $c\"");
        assert_eq!(
            check("A=1\nB=\"${A}-${OUT}-${N}\"\nC=\"two\nlines\"\n"),
            "A=\"1\"\nB=\"1-side-?\"\nC=\"two\\nlines\""
        );
        assert_eq!(check("A=b # c\nD='\n'\n"), "A=\"b\"\nD=\"\\n\"");
    }

    #[test]
    fn where_readers_differ_it_is_told() {
        assert_eq!(check("P=pa$word1\n"), "P=\"pa?\"\na `$` stands in a value without quotes");
        assert_eq!(check("A=a#b\n"), "A=\"a#b\"\na `#` stands in a value without quotes");
        assert_eq!(
            check("A=$(whoami)\n"),
            "A=\"$(whoami)\"\na `$` stands in a value without quotes"
        );
    }

    #[test]
    fn a_line_that_compose_refuses_is_refused_with_its_place() {
        for (text, said) in [
            ("A=1\nB C\n", "a.env:2:1: error[env-file]: the line is not `KEY=VALUE`"),
            ("A=1\n\"B\"=2\n", "a.env:2:1: error[env-file]: the line is no"),
            ("A='x\n", "a.env:1:1: error[env-file]: a quote is not closed"),
            ("A=${B\n", "a.env:1:1: error[env-file]: a `${` is not closed"),
        ] {
            assert!(check(text).starts_with(said), "{}", check(text));
        }
    }
}
