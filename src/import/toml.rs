//! TOML 1.0 as plain values that know where they stand, strictly: what is no TOML is an error at its
//! place, and a key given twice is one, too.

mod scalar;
mod table;

use crate::import::ForeignFile;
use crate::manifest::{Placed, quoted};
use crate::model::{Diagnostic, Origin};

use table::{TomlEntry, TomlNode, TomlTable};

/// How deep lists and tables may nest in a value. Real files have three levels.
const DEPTH_MAX: usize = 64;

/// What is wrong, and where.
struct Fault {
    line: usize,
    column: usize,
    message: String,
}

/// A key with its place.
#[derive(Clone)]
struct TomlKey {
    text: String,
    line: usize,
    column: usize,
}

/// Reads a file.
///
/// # Errors
/// Where the file is no TOML.
pub(super) fn read(file: &ForeignFile) -> Result<Placed, Box<Diagnostic>> {
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let mut reader = TomlReader { rest: text, line: 1, column: 1 };
    let root = reader.document().map_err(|Fault { line, column, message }| {
        let origin = Origin { file: file.path.clone(), line, column };
        let hint = "the file must be TOML 1.0";
        Box::new(Diagnostic::error("toml", message).at(origin).hint(hint))
    })?;
    let file = file.path.as_str().into();
    Ok(root.into_placed(&file))
}

/// Reads a text from its beginning.
struct TomlReader<'t> {
    rest: &'t str,
    line: usize,
    column: usize,
}

impl TomlReader<'_> {
    fn document(&mut self) -> Result<TomlEntry, Fault> {
        let mut root =
            TomlEntry { line: 1, column: 1, node: TomlNode::Table(TomlTable::default()) };
        let mut path: Vec<TomlKey> = Vec::new();
        loop {
            self.blank_lines()?;
            if self.rest.is_empty() {
                return Ok(root);
            }
            if self.rest.starts_with('[') {
                path = self.header(&mut root)?;
            } else {
                let keys = self.keys()?;
                self.expect('=')?;
                self.blanks();
                let value = self.value(0)?;
                root.section(&path).put(&keys, value)?;
            }
            self.end_of_line()?;
        }
    }

    /// Reads `[a.b]` or `[[a.b]]`, and returns its path.
    fn header(&mut self, root: &mut TomlEntry) -> Result<Vec<TomlKey>, Fault> {
        self.take();
        let is_list = self.rest.starts_with('[');
        if is_list {
            self.take();
        }
        self.blanks();
        let keys = self.keys()?;
        self.expect(']')?;
        if is_list {
            self.expect_directly(']')?;
        }
        root.open(&keys, is_list)?;
        Ok(keys)
    }

    /// Reads a key, or several with dots between them.
    fn keys(&mut self) -> Result<Vec<TomlKey>, Fault> {
        let mut keys = vec![self.key()?];
        loop {
            self.blanks();
            if !self.rest.starts_with('.') {
                return Ok(keys);
            }
            self.take();
            self.blanks();
            keys.push(self.key()?);
        }
    }

    fn key(&mut self) -> Result<TomlKey, Fault> {
        let (line, column) = (self.line, self.column);
        let text = if self.rest.starts_with(['"', '\'']) {
            self.string(false)?
        } else {
            let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let text = self.take_while(is_bare);
            if text.is_empty() {
                return Err(self.fault("a key is expected here"));
            }
            text
        };
        Ok(TomlKey { text, line, column })
    }

    fn value(&mut self, depth: usize) -> Result<TomlEntry, Fault> {
        let (line, column) = (self.line, self.column);
        if depth > DEPTH_MAX {
            return Err(self.fault("the values nest too deep"));
        }
        let node = match self.rest.chars().next() {
            Some('[') => self.list(depth)?,
            Some('{') => self.inline(depth)?,
            Some('"' | '\'') => TomlNode::Scalar { text: self.string(true)?, is_plain: false },
            _ => TomlNode::Scalar { text: self.plain()?, is_plain: true },
        };
        Ok(TomlEntry { line, column, node })
    }

    fn list(&mut self, depth: usize) -> Result<TomlNode, Fault> {
        self.take();
        let mut items = Vec::new();
        loop {
            self.blank_lines()?;
            if self.rest.starts_with(']') {
                break;
            }
            items.push(self.value(depth + 1)?);
            self.blank_lines()?;
            if !self.rest.starts_with(',') {
                break;
            }
            self.take();
        }
        self.expect(']')?;
        Ok(TomlNode::List(items))
    }

    fn inline(&mut self, depth: usize) -> Result<TomlNode, Fault> {
        self.take();
        let mut entry =
            TomlEntry { line: self.line, column: self.column, node: TomlNode::inline() };
        self.blanks();
        if !self.rest.starts_with('}') {
            loop {
                self.blanks();
                let keys = self.keys()?;
                self.expect('=')?;
                self.blanks();
                let value = self.value(depth + 1)?;
                entry.section(&[]).put(&keys, value)?;
                self.blanks();
                if !self.rest.starts_with(',') {
                    break;
                }
                self.take();
            }
        }
        self.expect('}')?;
        entry.close();
        Ok(entry.node)
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.chars().next().filter(|c| wanted(*c)) {
            text.push(c);
            self.take();
        }
        text
    }

    fn blanks(&mut self) {
        self.take_while(|c| matches!(c, ' ' | '\t'));
    }

    /// Passes a comment, and returns whether a line ends here.
    fn line_end(&mut self) -> Result<bool, Fault> {
        self.blanks();
        if self.rest.starts_with('#') {
            self.take_while(|c| c == '\t' || !c.is_control());
        }
        if self.rest.starts_with("\r\n") {
            self.take();
        }
        if self.rest.starts_with('\n') {
            self.take();
            return Ok(true);
        }
        match self.rest.chars().next() {
            Some(c) if c.is_control() => Err(self.fault("a control character is here")),
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }

    fn blank_lines(&mut self) -> Result<(), Fault> {
        while self.line_end()? && !self.rest.is_empty() {}
        Ok(())
    }

    fn end_of_line(&mut self) -> Result<(), Fault> {
        match self.line_end()? {
            true => Ok(()),
            false => Err(self.fault("the line should end here")),
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), Fault> {
        self.blanks();
        self.expect_directly(wanted)
    }

    fn expect_directly(&mut self, wanted: char) -> Result<(), Fault> {
        if !self.rest.starts_with(wanted) {
            return Err(self.fault(&format!("`{wanted}` is expected here")));
        }
        self.take();
        Ok(())
    }

    fn fault(&self, message: &str) -> Fault {
        Fault { line: self.line, column: self.column, message: message.to_owned() }
    }
}

impl TomlKey {
    fn fault(&self, what: &str) -> Fault {
        let message = format!("`{}` {what}", quoted(&self.text));
        Fault { line: self.line, column: self.column, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Placed, String> {
        let file = ForeignFile { path: "a.toml".to_owned(), text: text.to_owned() };
        read(&file).map_err(|finding| finding.to_string())
    }

    fn shown(placed: &Placed) -> String {
        let entries = placed.entries().iter().map(|(key, value)| format!("{key}={}", shown(value)));
        let items = placed.items().iter().map(shown);
        match placed.scalar() {
            Some((text, true)) => text.to_owned(),
            Some((text, false)) => format!("{text:?}"),
            None if placed.items().is_empty() => {
                format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
            }
            None => format!("[{}]", items.collect::<Vec<_>>().join(" ")),
        }
    }

    #[test]
    fn values_are_what_toml_says() {
        for (text, expected) in [
            ("a = 'x\\y' # c\n'b c'.\"d\" = 1_000", "{a=\"x\\\\y\" b c={d=1000}}"),
            ("a = \"\\u00e9\\t\\\"\"", "{a=\"é\\t\\\"\"}"),
            ("a = \"\"\"\nx\\\n   y\nz\"\"\"", "{a=\"xy\\nz\"}"),
            ("a = '''x'y'''", "{a=\"x'y\"}"),
            ("a = [1, 2.5e3, # c\n true, 0x1F, -0, inf,\n]", "{a=[1 2.5e3 true 31 -0 inf]}"),
            ("a = 1979-05-27T07:32:00Z\nb = 07:32:00", "{a=1979-05-27T07:32:00Z b=07:32:00}"),
            ("a = { b.c = 1, d = {} }", "{a={b={c=1} d={}}}"),
            ("[a.b]\nc = 1\n[a]\nd = 2", "{a={b={c=1} d=2}}"),
            ("[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2\r\n", "{a=[{b=1} {c={d=2}}]}"),
            ("a.b = 1\na.c = 2\n", "{a={b=1 c=2}}"),
            ("", "{}"),
        ] {
            assert_eq!(of(text).map(|placed| shown(&placed)), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_toml_is_an_error_at_its_place() {
        for (text, place) in [
            ("a = 1\na = 2", "2:1"),
            ("a = 1 b = 2", "1:7"),
            ("a = ", "1:5"),
            ("a = yes", "1:5"),
            ("a = 012", "1:5"),
            ("a = \"x", "1:7"),
            ("a = \"\\q\"", "1:6"),
            ("a", "1:2"),
            ("[a]\n[a]", "2:2"),
            ("[[a]]\n[a]", "2:2"),
            ("a = []\n[[a]]", "2:3"),
            ("a = {}\n[a.b]", "2:2"),
            ("a = {}\na.b = 1", "2:1"),
            ("a.b = 1\n[a]", "2:2"),
            ("[a]\nb = 1\n[a.b]\n", "3:4"),
            ("a = [1 2]", "1:8"),
            ("a = {\n}", "1:6"),
            ("[a", "1:3"),
            ("= 1", "1:1"),
            ("a = \"\n\"", "1:6"),
        ] {
            let refused = of(text).map(|placed| shown(&placed)).unwrap_err();
            assert!(
                refused.starts_with(&format!("a.toml:{place}: error[toml]")),
                "{text}: {refused}"
            );
        }
        assert!(of(&format!("a = {}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn values_know_where_they_stand() {
        let root = of("[a]\n  b = 'x'\n").unwrap();
        let value = root.get("a").unwrap().get("b").unwrap();
        assert_eq!((value.line, value.column), (2, 7));
    }
}
