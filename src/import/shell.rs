//! Words of a shell: how Compose splits a command, and how words become one again.

/// What became of splitting a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// The words, all of the text.
    Words(Vec<String>),
    /// The words before the first operator without quotes, where the splitting ends.
    CutAt(Vec<String>, char),
    /// A quote, a substitution or an escape is not closed, or a bracket stands there alone.
    Broken,
}

/// Splits a text as Compose does: blanks part words, quotes and `\` keep them together, and the first
/// operator without quotes ends it all. `\n` and `\t` without quotes are a line break and a tab.
pub(super) fn split(text: &str) -> Split {
    let mut splitter = Splitter::default();
    for c in text.chars() {
        match splitter.take(c) {
            Step::On => {}
            Step::Operator => {
                splitter.end_word();
                return Split::CutAt(splitter.words, c);
            }
            Step::Broken => return Split::Broken,
        }
    }
    if splitter.is_escaped || splitter.quote.is_some() {
        return Split::Broken;
    }
    splitter.end_word();
    Split::Words(splitter.words)
}

enum Step {
    On,
    Operator,
    Broken,
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    word: String,
    /// Whether quotes stood in the word, so that an empty one counts.
    is_quoted: bool,
    is_escaped: bool,
    /// What is open: a quote, or `(` of a substitution.
    quote: Option<char>,
    is_after_dollar: bool,
}

impl Splitter {
    fn end_word(&mut self) {
        if self.is_quoted || !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
        self.is_quoted = false;
    }

    fn take(&mut self, c: char) -> Step {
        let is_after_dollar = std::mem::take(&mut self.is_after_dollar);
        if std::mem::take(&mut self.is_escaped) {
            match (self.quote, c) {
                (Some('`' | '('), c) => self.word.extend(['\\', c]),
                (_, 't') => self.word.push('\t'),
                (_, 'n') => self.word.push('\n'),
                (_, c) => self.word.push(c),
            }
            return Step::On;
        }
        match (c, self.quote) {
            ('\\', Some('\'')) => self.word.push('\\'),
            ('\\', _) => self.is_escaped = true,
            (' ' | '\t' | '\r' | '\n', None) => self.end_word(),
            ('"' | '\'', None) => {
                self.quote = Some(c);
                self.is_quoted = true;
            }
            ('"', Some('"')) | ('\'', Some('\'')) => self.quote = None,
            ('`', None) => {
                self.quote = Some('`');
                self.word.push(c);
            }
            ('`', Some('`')) => {
                self.quote = None;
                self.word.push(c);
            }
            ('(', None) if is_after_dollar => {
                self.quote = Some('(');
                self.word.push(c);
            }
            (')', Some('(')) => {
                self.quote = None;
                self.word.push(c);
            }
            ('(' | ')', None) => return Step::Broken,
            (';' | '&' | '|' | '<' | '>', None) => return Step::Operator,
            (c, quote) => {
                self.word.push(c);
                self.is_after_dollar = c == '$' && quote.is_none();
            }
        }
        Step::On
    }
}

/// Joins words so that a shell makes the same words of them. A control character, which no command of
/// a manifest may hold, is printed where it stands.
pub(super) fn join(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for c in word.chars() {
        match c {
            '\'' => quoted.push_str("'\\''"),
            c if c.is_control() && c != '\n' && c != '\t' => {
                quoted.push_str(&format!("'\"$(printf '\\{:03o}')\"'", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        match split(text) {
            Split::Words(words) => words,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_command_is_split_as_compose_does() {
        assert_eq!(words("npm  run 'a b' \"c d\"e ''"), ["npm", "run", "a b", "c de", ""]);
        assert_eq!(words(r#"echo a\ b "x\"y" 'z\w'"#), ["echo", "a b", "x\"y", r"z\w"]);
        assert_eq!(words(r"printf a\nb\tc"), ["printf", "a\nb\tc"]);
        assert_eq!(
            words("echo $(date -u) `id -u` # on"),
            ["echo", "$(date -u)", "`id -u`", "#", "on"]
        );
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn the_first_operator_without_quotes_ends_it() {
        let cut = |text: &str| match split(text) {
            Split::CutAt(words, operator) => (words.join("|"), operator),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(cut("npm ci && npm start"), ("npm|ci".to_owned(), '&'));
        assert_eq!(cut("a b;c"), ("a|b".to_owned(), ';'));
        assert_eq!(words("sh -c 'a && b'"), ["sh", "-c", "a && b"]);
        for broken in ["a 'b", "a \\", "a (b)", "a )", "`a", "$(a"] {
            assert_eq!(split(broken), Split::Broken, "{broken}");
        }
    }

    #[test]
    fn joined_words_are_the_same_words_for_a_shell() {
        let given = ["sh", "-c", "echo 'it''s' $HOME && ls", "", "a=b", "x y"];
        let joined = join(&given.map(str::to_owned));
        assert_eq!(joined, r"sh -c 'echo '\''it'\'''\''s'\'' $HOME && ls' '' a=b 'x y'");
        assert_eq!(words(&joined), given);
        let control = join(&["sed".to_owned(), "s/\r$//".to_owned()]);
        assert_eq!(control, r#"sed 's/'"$(printf '\015')"'$//'"#);
    }
}
