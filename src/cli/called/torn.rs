//! A value that was torn off its flag: `--prune services` turns on `--prune`, and reads a path.
//!
//! A flag whose value may be left out takes it behind `=` only. What stands behind a blank is an
//! argument of its own, and a wish that nobody had.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, Command};

/// A flag, and the word behind it that would have been a value of it.
pub struct Torn {
    flag: String,
    word: String,
}

impl Torn {
    /// Returns what is said of it.
    pub fn into_error(self, command: &mut Command) -> clap::Error {
        let Self { flag, word } = self;
        command.error(
            ErrorKind::InvalidValue,
            format!(
                "`{word}` after `{flag}` is not its value, but a separate argument\n\n  tip: write \
                 `{flag}={word}`, or `{flag} ./{word}` if a path is meant"
            ),
        )
    }
}

/// Finds a word behind such a flag that the flag would take as its value, in a call that can be read.
pub fn find(command: &Command, words: &[OsString]) -> Option<Torn> {
    let is_end = |word: &OsString| word == "--";
    let before_end = words.iter().position(is_end).unwrap_or(words.len());
    let pairs = words.get(..before_end)?.windows(2).enumerate();
    let torn = pairs.filter_map(|(place, pair)| {
        let (flag, word) = (pair[0].to_str()?, pair[1].to_str()?);
        let may_be_torn = takes_joined_only(command, flag) && !word.starts_with('-');
        (may_be_torn && is_value(command, words, place))
            .then(|| Torn { flag: flag.to_owned(), word: word.to_owned() })
    });
    torn.into_iter().next()
}

/// Whether any command has such a flag of that name.
fn takes_joined_only(command: &Command, flag: &str) -> bool {
    let is_it = |argument: &Arg| {
        let long = argument.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long));
        let short = argument.get_short().is_some_and(|short| flag == format!("-{short}"));
        argument.is_require_equals_set() && (long || short)
    };
    command.get_arguments().any(is_it)
        || command.get_subcommands().any(|command| takes_joined_only(command, flag))
}

/// Whether the call could be read as well if the word behind the flag were joined to it.
fn is_value(command: &Command, words: &[OsString], place: usize) -> bool {
    let mut joined = words.to_vec();
    let word = joined.remove(place + 1);
    joined[place].push("=");
    joined[place].push(word);
    command.clone().try_get_matches_from(joined).is_ok()
}
