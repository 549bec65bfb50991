//! How the program was called, and what is said when that was wrong.

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, FromArgMatches as _};

use crate::manifest;
use crate::render::json;

use super::arguments::{Arguments, OutputFormat};
use super::closing;
use super::environment::Environment;
use super::exit::Exit;
use super::settings::GivenSettings;

mod torn;

/// Reads the arguments and the variables that stand for them, and which were given as what.
///
/// # Errors
/// When they are wrong, or ask for help or the version.
pub fn parse(environment: &Environment) -> Result<(Arguments, GivenSettings), clap::Error> {
    let mut command = without_empty_variables(Arguments::command(), environment);
    let matches = command.try_get_matches_from_mut(&environment.arguments);
    let mut matches = matches.map_err(with_real_hints)?;
    if let Some(torn) = torn::find(&command, &environment.arguments) {
        return Err(torn.into_error(&mut command));
    }
    let given = GivenSettings::from(&matches);
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

/// What people type who come from Terraform, kubectl, Flux or Argo CD, and what it is called here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["delete", "rm", "remove", "prune"],
        "remove its manifest and run `stoker apply --prune`; `stoker destroy` deletes all that is \
         owned",
    ),
    (&["diff", "preview"], "`stoker plan` shows what would change"),
    (
        &["sync", "up", "create"],
        "`stoker apply` applies the manifests; `stoker reconcile` makes a running agent check now",
    ),
    (&["status", "list", "ls"], "`stoker get` shows what exists and what is owned"),
    (
        &["show", "inspect"],
        "`stoker describe KIND/NAME` shows one resource, `stoker render` the manifests",
    ),
    (&["lint", "check"], "`stoker validate` checks the manifests offline"),
    (
        &["login", "auth"],
        "set `STACKBLAZE_TOKEN` or `STACKBLAZE_TOKEN_FILE`, then try `stoker doctor`",
    ),
    (&["restart", "redeploy"], "`stoker deploy service/NAME` deploys a service again"),
    (&["watch", "agent", "serve"], "`stoker run` keeps the platform as the manifests declare"),
];

/// How many letters of a command may be wrong for another one to be meant.
const TYPING_ERRORS_MAX: usize = 2;

/// Says what is meant where another tool's word was typed, and guesses only what was mistyped: by
/// likeness alone `delete` would become `release`.
fn with_real_hints(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let typed = typed.clone();
    let hint = ELSEWHERE.iter().find(|(words, _)| words.contains(&&*typed)).map(|(_, hint)| *hint);
    let is_near = |other: &String| strsim::damerau_levenshtein(&typed, other) <= TYPING_ERRORS_MAX;
    let guesses = match error.remove(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(guesses)) if hint.is_none() => guesses,
        _ => Vec::new(),
    };
    let near: Vec<String> = guesses.into_iter().filter(is_near).collect();
    if !near.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(near));
    }
    if let Some(hint) = hint {
        let hint = ContextValue::StyledStrs(vec![StyledStr::from(hint)]);
        error.insert(ContextKind::Suggested, hint);
    }
    error
}

/// Prints what is wrong with the call. Help and version are data; a mistake is exit code 64, never
/// 2, which means that changes are pending.
pub fn wrongly(error: &clap::Error, environment: &Environment) -> ExitCode {
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    };
    if let (Exit::Usage, Some(wanted)) = (exit, wanted_form(environment)) {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ");
        let error = json::Versioned::from(json::error("usage", text, &[], None, &[]));
        let text = match wanted {
            OutputFormat::Ndjson => {
                json::line(&error) + &closing::of_call(&environment.arguments, exit)
            }
            OutputFormat::Yaml => {
                manifest::to_yaml(&error).unwrap_or_else(|_| json::document(&error))
            }
            OutputFormat::Json | OutputFormat::Text | OutputFormat::Markdown => {
                json::document(&error)
            }
        };
        super::output::raw(&text);
        return exit.into();
    }
    // Nobody reads it any more: there is nobody to tell.
    let _ = error.print();
    exit.into()
}

/// Returns the form for programs that was asked for in a call that could not be read as a whole.
fn wanted_form(environment: &Environment) -> Option<OutputFormat> {
    let form_of = |word: &str| match word {
        "json" => Some(OutputFormat::Json),
        "yaml" => Some(OutputFormat::Yaml),
        "ndjson" => Some(OutputFormat::Ndjson),
        _ => None,
    };
    let words: Vec<&str> = environment.arguments.iter().filter_map(|word| word.to_str()).collect();
    let joined = words.iter().find_map(|word| {
        let form = word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o"))?;
        form_of(form.trim_start_matches('='))
    });
    let apart = words
        .windows(2)
        .find_map(|pair| form_of(pair[1]).filter(|_| matches!(pair[0], "-o" | "--output")));
    let set = || environment.get("STOKER_OUTPUT").and_then(form_of);
    joined.or(apart).or_else(set)
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
    fn a_word_of_another_tool_gets_the_hint_that_helps() {
        let said = |words: &[&str]| parse(&called(words, &[])).unwrap_err().to_string();
        let deleting = said(&["stoker", "delete", "service/web"]);
        assert!(deleting.contains("`stoker apply --prune`"), "{deleting}");
        assert!(!deleting.contains("release"), "{deleting}");
        assert!(said(&["stoker", "diff"]).contains("`stoker plan`"));
        // What is merely mistyped is guessed; what is like nothing is not.
        assert!(said(&["stoker", "aply"]).contains("'apply'"));
        let strange = said(&["stoker", "deleted"]);
        assert!(!strange.contains("tip"), "{strange}");
        for (words, _) in ELSEWHERE {
            for word in *words {
                let is_alias = parse(&called(&["stoker", word], &[])).is_ok();
                assert!(!is_alias, "`{word}` is a command, and needs no hint");
            }
        }
    }

    #[test]
    fn a_value_that_was_torn_off_its_flag_is_no_path() {
        let said = |words: &str| {
            let words: Vec<&str> = words.split(' ').collect();
            parse(&called(&words, &[])).map(drop).map_err(|error| error.to_string())
        };
        for (words, meant) in [
            ("stoker apply --prune services", "--prune=services"),
            ("stoker apply --prune services,databases", "--prune=services,databases"),
            ("stoker plan a --prune false --sandbox", "--prune=false"),
            ("stoker plan --sandbox no", "--sandbox=no"),
            ("stoker apply -y false", "-y=false"),
            ("stoker run --observe on manifests", "--observe=on"),
        ] {
            let error = said(words).unwrap_err();
            assert!(error.contains(&format!("write `{meant}`")), "{words}: {error}");
        }
        // A path that is written as one, and what is no value of the flag.
        for words in [
            "stoker apply --prune ./services",
            "stoker apply --prune manifests",
            "stoker apply --prune -- services",
            "stoker get --sandbox services",
            "stoker plan --prune=services a",
        ] {
            assert_eq!(said(words), Ok(()), "{words}");
        }
    }

    #[test]
    fn help_is_had_for_each_command_in_both_ways() {
        for command in Arguments::command().get_subcommands() {
            let kind = |words: &[&str]| parse(&called(words, &[])).unwrap_err().kind();
            let name = command.get_name();
            assert_eq!(kind(&["stoker", "help", name]), ErrorKind::DisplayHelp, "{name}");
            assert_eq!(kind(&["stoker", name, "--help"]), ErrorKind::DisplayHelp, "{name}");
        }
    }

    #[test]
    fn a_form_for_programs_is_recognised_in_a_call_that_is_wrong() {
        let check = |words: &[&str]| wanted_form(&called(words, &[]));
        assert_eq!(check(&["stoker", "plan", "-o", "json", "--wrong"]), Some(OutputFormat::Json));
        assert_eq!(check(&["stoker", "--output=ndjson", "plan"]), Some(OutputFormat::Ndjson));
        assert_eq!(check(&["stoker", "-ojson"]), Some(OutputFormat::Json));
        assert_eq!(check(&["stoker", "get", "--output", "yaml"]), Some(OutputFormat::Yaml));
        assert_eq!(check(&["stoker", "plan", "json"]), None);
        let set = wanted_form(&called(&["stoker"], &[("STOKER_OUTPUT", "json")]));
        assert_eq!(set, Some(OutputFormat::Json));
    }
}
