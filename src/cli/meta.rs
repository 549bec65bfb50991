//! What the program says of itself: the manual page, the version.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::CommandFactory as _;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{Arguments, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

/// What is read from the environment and has no flag.
const VARIABLES: [(&str, &str); 10] = [
    ("STACKBLAZE_TOKEN", "the API token; there is no flag for it"),
    ("STACKBLAZE_TOKEN_FILE", "a file that holds the token"),
    ("STACKBLAZE_API_URL", "the address of the API, instead of https://api.stackblaze.cloud/v1"),
    ("STOKER_AGENT_TOKEN", "the token of a running agent at an address; there is no flag for it"),
    ("STOKER_AGENT_TOKEN_FILE", "a file that holds the token of a running agent"),
    ("NO_COLOR", "when set, there is no colour"),
    ("CLICOLOR_FORCE", "when set and not 0, there is colour even without a terminal"),
    ("STATE_DIRECTORY", "where the state is kept under systemd"),
    ("XDG_STATE_HOME", "where the state is kept otherwise, below stoker/"),
    ("XDG_CONFIG_HOME", "where the user's settings are, as stoker/config.yaml"),
];

/// Prints the manual page.
pub fn man(context: &Context) -> Result<Exit, Failure> {
    let page = manual().map_err(|error| {
        Failure::new(ErrorCode::Man, format!("failed to write the manual page: {error}"))
    })?;
    context.output.text(&page);
    Ok(Exit::Done)
}

/// What runs.
#[derive(Serialize, JsonSchema)]
pub struct VersionDocument {
    /// `stoker`.
    name: &'static str,
    /// The version of the program.
    version: &'static str,
}

/// Prints the version.
pub fn version(context: &Context) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.text(&format!("stoker {version}\n"))
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&VersionDocument { name: "stoker", version });
        }
    }
    Ok(Exit::Done)
}

/// Writes one page for the whole program: every command with its options.
fn manual() -> std::io::Result<String> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    let whole = clap_mangen::Man::new(command.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    whole.render_options_section(&mut page)?;
    for one in command.get_subcommands() {
        let heading = format!("stoker {}", one.get_name()).to_uppercase();
        page.extend(format!(".SH {heading:?}\n").bytes());
        let about = one.get_about().map(ToString::to_string).unwrap_or_default();
        page.extend(format!("{}\n", roff(&about)).bytes());
        let mut options = Vec::new();
        clap_mangen::Man::new(one.clone()).render_options_section(&mut options)?;
        // Below the command's own heading, its options are a part and not a section.
        let options = String::from_utf8_lossy(&options).replace(".SH OPTIONS", ".SS Options");
        page.extend(options.bytes());
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    add_section(&mut page, "EXIT STATUS", exit_codes());
    add_section(&mut page, "ENVIRONMENT", environment(&command));
    Ok(page)
}

fn exit_codes() -> impl Iterator<Item = (String, String)> {
    Exit::ALL.iter().map(|(exit, meaning)| (exit.code().to_string(), (*meaning).to_owned()))
}

/// Returns every variable that is read: those of flags, and those that have none.
fn environment(command: &clap::Command) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let commands = std::iter::once(command).chain(command.get_subcommands());
    for argument in commands.flat_map(clap::Command::get_arguments) {
        if let (Some(variable), Some(flag)) = (argument.get_env(), argument.get_long()) {
            let variable = variable.to_string_lossy().into_owned();
            variables.insert(variable, format!("as --{flag}"));
        }
    }
    variables.extend(VARIABLES.map(|(name, about)| (name.to_owned(), about.to_owned())));
    variables
}

fn add_section(page: &mut String, title: &str, items: impl IntoIterator<Item = (String, String)>) {
    let write = || {
        writeln!(page, ".SH {title:?}")?;
        for (term, meaning) in items {
            writeln!(page, ".TP\n\\fB{}\\fR\n{}", roff(&term), roff(&meaning))?;
        }
        Ok::<(), std::fmt::Error>(())
    };
    write().expect("a string takes everything");
}

/// Escapes what roff would take for a request or an escape.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_names_every_exit_code_every_command_and_every_variable() {
        let page = manual().unwrap();
        for (exit, meaning) in Exit::ALL {
            let entry = format!(".TP\n\\fB{}\\fR\n{}", exit.code(), roff(meaning));
            assert!(page.contains(&entry), "{entry}");
        }
        for command in Arguments::command().get_subcommands() {
            let heading = format!("STOKER {}", command.get_name().to_uppercase());
            assert!(page.contains(&heading), "{heading}");
        }
        for name in ["STACKBLAZE_TOKEN", "STOKER_STATE", "STOKER_RATE"] {
            assert!(page.contains(&format!("\\fB{name}\\fR")), "{name}");
        }
    }
}
