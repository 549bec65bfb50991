//! `command` and `entrypoint`: what is run, without a shell.

use super::ComposeReader;
use super::interpolate::HOLE;
use crate::import::report::shown;
use crate::import::shell::{self, Split};
use crate::manifest::Placed;

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
    let Some(text) = reader.whole(value, path) else {
        return ComposeCommand::Unusable;
    };
    match shell::split(&text) {
        Split::Words(words) if words.is_empty() => ComposeCommand::Cleared,
        Split::Words(words) => ComposeCommand::Words(words),
        Split::CutAt(words, operator) => {
            let message = format!(
                "`{path}` holds `{operator}` without quotes: Compose runs only what stands before it"
            );
            let cut = shown(&shell::join(&words)).replace(HOLE, "…");
            let hint = format!(
                "write `{cut}` for what Compose runs, or `[sh, -c, '…']` for all of it in a shell"
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
