//! Single values of TOML: texts with and without quotes.

use super::{Fault, TomlReader};

impl TomlReader<'_> {
    /// Reads a text in quotes; one of several lines where that is allowed.
    pub(super) fn string(&mut self, may_have_lines: bool) -> Result<String, Fault> {
        let quote = if self.rest.starts_with('"') { '"' } else { '\'' };
        let long = if quote == '"' { "\"\"\"" } else { "'''" };
        let is_long = may_have_lines && self.rest.starts_with(long);
        for _ in 0..if is_long { 3 } else { 1 } {
            self.take();
        }
        if is_long {
            self.line_break();
        }
        let mut text = String::new();
        loop {
            if is_long && self.rest.starts_with(long) {
                for _ in 0..3 {
                    self.take();
                }
                // Up to two quotes may stand before the end.
                for _ in 0..2 {
                    if self.rest.starts_with(quote) {
                        self.take();
                        text.push(quote);
                    }
                }
                return Ok(text);
            }
            match self.rest.chars().next() {
                Some(c) if c == quote && !is_long => {
                    self.take();
                    return Ok(text);
                }
                Some('\\') if quote == '"' => self.escape(is_long, &mut text)?,
                Some('\r' | '\n') if is_long && self.line_break() => text.push('\n'),
                Some(c) if c != '\t' && c.is_control() => {
                    return Err(self.fault("a text in quotes should not have this character"));
                }
                Some(c) => {
                    self.take();
                    text.push(c);
                }
                None => return Err(self.fault("the text in quotes does not end")),
            }
        }
    }

    /// Passes the end of a line, if it is here.
    fn line_break(&mut self) -> bool {
        if self.rest.starts_with("\r\n") {
            self.take();
        }
        self.rest.starts_with('\n') && self.take().is_some()
    }

    fn escape(&mut self, is_long: bool, text: &mut String) -> Result<(), Fault> {
        let unknown = self.fault("this escape is unknown");
        self.take();
        let digits = match self.rest.chars().next() {
            Some('u') => 4,
            Some('U') => 8,
            Some(' ' | '\t' | '\r' | '\n') if is_long => {
                self.blanks();
                if !self.line_break() {
                    return Err(unknown);
                }
                self.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
                return Ok(());
            }
            Some(c) => {
                let meant = match c {
                    'b' => '\u{8}',
                    't' => '\t',
                    'n' => '\n',
                    'f' => '\u{c}',
                    'r' => '\r',
                    '"' | '\\' => c,
                    _ => return Err(unknown),
                };
                self.take();
                text.push(meant);
                return Ok(());
            }
            None => return Err(unknown),
        };
        self.take();
        let number: String = (0..digits).filter_map(|_| self.take()).collect();
        let is_hex = number.len() == digits && number.chars().all(|c| c.is_ascii_hexdigit());
        let code = u32::from_str_radix(&number, 16).ok().filter(|_| is_hex);
        text.push(code.and_then(char::from_u32).ok_or(unknown)?);
        Ok(())
    }

    /// Reads a value without quotes: a truth, a number or a time.
    pub(super) fn plain(&mut self) -> Result<String, Fault> {
        let unknown = self.fault("a value is expected here; texts stand in quotes");
        let is_within = |c: char| c.is_ascii_alphanumeric() || "+-_.:".contains(c);
        let mut word = self.take_while(is_within);
        // A date and a time may have a blank between them.
        let is_time = |text: &str| text.as_bytes().get(2) == Some(&b':');
        if is_date(&word) && self.rest.starts_with(' ') && is_time(&self.rest[1..]) {
            self.take();
            word = format!("{word}T{}", self.take_while(is_within));
        }
        let is_moment = is_date(word.get(..10).unwrap_or_default()) || is_time(&word);
        match (word.as_str(), integer(&word)) {
            (_, Some(number)) => Ok(number),
            ("true" | "false", None) => Ok(word),
            (_, None) if is_moment => Ok(word),
            (_, None) => float(&word).ok_or(unknown),
        }
    }
}

fn is_date(text: &str) -> bool {
    let is_right = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(is_right)
}

/// Returns digits without the `_` between them; nothing where it stands elsewhere.
fn digits(text: &str, radix: u32) -> Option<String> {
    let groups: Vec<&str> = text.split('_').collect();
    let is_group = |group: &&str| !group.is_empty() && group.chars().all(|c| c.is_digit(radix));
    groups.iter().all(is_group).then(|| groups.concat())
}

/// Returns a whole number in decimal.
fn integer(word: &str) -> Option<String> {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = word.strip_prefix(prefix) {
            return Some(i64::from_str_radix(&digits(rest, radix)?, radix).ok()?.to_string());
        }
    }
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let number = digits(unsigned, 10)?;
    let is_right = number == "0" || !number.starts_with('0');
    is_right.then(|| if word.starts_with('-') { format!("-{number}") } else { number })
}

/// Returns a number with a point or an exponent.
fn float(word: &str) -> Option<String> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    if matches!(unsigned, "inf" | "nan") {
        return Some(word.to_owned());
    }
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let exponent = exponent.map(|it| digits(it.strip_prefix(['+', '-']).unwrap_or(it), 10));
    let fraction = fraction.map(|it| digits(it, 10));
    let is_whole = integer(whole).is_some() && !whole.starts_with(['+', '-']);
    let has_all = exponent != Some(None) && fraction != Some(None);
    let is_float = is_whole && has_all && (exponent.is_some() || fraction.is_some());
    is_float.then(|| word.replace('_', ""))
}
