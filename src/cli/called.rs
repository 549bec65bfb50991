//! How the program was called, and what is said when that was wrong.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _, FromArgMatches as _};

use crate::render::json;

use super::arguments::Arguments;
use super::environment::Environment;
use super::exit::Exit;
use super::settings::Given;

/// Reads the arguments and the variables that stand for them, and which were given as what.
///
/// # Errors
/// When they are wrong, or ask for help or the version.
pub fn parse(environment: &Environment) -> Result<(Arguments, Given), clap::Error> {
    let command = without_empty_variables(Arguments::command(), environment);
    let mut matches = command.try_get_matches_from(&environment.arguments)?;
    let given = Given::from(&matches);
    Ok((Arguments::from_arg_matches_mut(&mut matches)?, given))
}

/// An empty variable counts as unset: a CI job passes on an input that nobody gave.
fn without_empty_variables(command: Command, environment: &Environment) -> Command {
    let command = command.mut_args(|argument| {
        let variable = argument.get_env().and_then(|name| name.to_str());
        let is_empty = variable.and_then(|name| environment.raw(name)).is_some_and(str::is_empty);
        if is_empty { argument.env(None::<&'static str>) } else { argument }
    });
    command.mut_subcommands(|command| without_empty_variables(command, environment))
}

/// Prints what is wrong with the call. Help and version are data; a mistake is exit code 64, never
/// 2, which means that changes are pending.
pub fn wrongly(error: &clap::Error, environment: &Environment) -> ExitCode {
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    };
    if exit == Exit::Usage && wants_json(environment) {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ");
        super::output::raw(&json::error("usage", text, &[], None, &[]));
        return exit.into();
    }
    // Nobody reads it any more: there is nobody to tell.
    let _ = error.print();
    exit.into()
}

/// Whether JSON was asked for in a call that could not be read as a whole.
fn wants_json(environment: &Environment) -> bool {
    let words: Vec<&str> = environment.arguments.iter().filter_map(|word| word.to_str()).collect();
    let is_form = |word: &str| matches!(word, "json" | "ndjson");
    let is_joined = |word: &&str| {
        let form = word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o"));
        form.is_some_and(|form| is_form(form.trim_start_matches('=')))
    };
    let is_apart = |pair: &[&str]| matches!(pair[0], "-o" | "--output") && is_form(pair[1]);
    words.iter().any(is_joined)
        || words.windows(2).any(is_apart)
        || environment.get("STOKER_OUTPUT").is_some_and(is_form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(words: &[&str], variables: &[(&str, &str)]) -> Environment {
        let mut environment = Environment::from(variables);
        environment.arguments = words.iter().map(Into::into).collect();
        environment
    }

    #[test]
    fn every_argument_is_declared_consistently() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn json_is_recognised_in_a_call_that_is_wrong() {
        let check = |words: &[&str]| wants_json(&called(words, &[]));
        assert!(check(&["stoker", "plan", "-o", "json", "--wrong"]));
        assert!(check(&["stoker", "--output=ndjson", "plan"]));
        assert!(check(&["stoker", "-ojson"]));
        assert!(!check(&["stoker", "plan", "json"]));
        assert!(wants_json(&called(&["stoker"], &[("STOKER_OUTPUT", "json")])));
    }
}
