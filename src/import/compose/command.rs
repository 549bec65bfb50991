//! `command` and `entrypoint`: what is run, without a shell.

use super::ComposeReader;
use crate::import::shell::{self, Split};
use crate::manifest::{Placed, quoted};

/// What a command of Compose says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ComposeCommand {
    /// Nothing: the image's own runs.
    Own,
    /// The image's own is taken away.
    Cleared,
    /// These words.
    Words(Vec<String>),
    /// What it says cannot be used, and was told.
    Unusable,
}

/// Reads a command: a list of words, or a text that is split as a shell would, but run by none.
pub(super) fn read(
    reader: &mut ComposeReader<'_, '_>,
    value: Option<&Placed>,
    path: &str,
) -> ComposeCommand {
    let Some(value) = value else {
        return ComposeCommand::Own;
    };
    if value.scalar().is_none() {
        if value.items().is_empty() {
            value.take();
            return ComposeCommand::Cleared;
        }
        let words = reader.texts(value, path);
        return match words.len() == value.items().len() {
            true => ComposeCommand::Words(words),
            false => ComposeCommand::Unusable,
        };
    }
    let Some(filled) = reader.text(value, path) else {
        return ComposeCommand::Unusable;
    };
    let split = shell::split(&filled.text);
    // An operator is an error, whatever else is missing.
    if !matches!(split, Split::CutAt(..)) && reader.whole(value, path).is_none() {
        return ComposeCommand::Unusable;
    }
    match split {
        Split::Words(words) if words.is_empty() => ComposeCommand::Cleared,
        Split::Words(words) => ComposeCommand::Words(words),
        Split::CutAt(words, operator) => {
            let message = format!(
                "`{path}` contains `{operator}` without quotes: Compose runs only what comes \
                 before it"
            );
            // With values of variables in it the command is not repeated: one may be a secret.
            let is_as_written = value.scalar().is_some_and(|(text, _)| text == filled.text);
            let cut = match is_as_written {
                true => format!("`{}`", quoted(&shell::join(&words))),
                false => "what comes before it".to_owned(),
            };
            let hint = format!(
                "write {cut} for what Compose runs, or `[sh, -c, '…']` for all of it in a shell"
            );
            reader.report.error(value.origin(), "command", message, &hint);
            ComposeCommand::Unusable
        }
        Split::Broken => {
            let message = format!("`{path}` cannot be split into words, so Compose refuses it");
            let hint = "close the quotes, or write a list of words";
            reader.report.error(value.origin(), "command", message, hint);
            ComposeCommand::Unusable
        }
    }
}
