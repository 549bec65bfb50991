//! What a shell offers while a command is typed: commands, flags and their words, and the names of
//! projects and resources.
//!
//! Names come from the settings, the manifests and the state of this machine; nothing is asked over
//! a network, and what cannot be read is not offered. A shell is told nothing else: no error, no
//! warning.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use crate::manifest;
use crate::model::{Desired, Key, Kind, ValueSource};
use crate::source::{self, USUAL_PLACES};

use super::arguments::{Arguments, Chosen, Global};
use super::context::Context;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::manifests::paths_of_project;
use super::place::Absent;
use super::session::state_place;
use super::settings::{GivenSettings, TreeSettings};

/// The variable by which a completion script asks: it holds the name of the shell.
const ASKED: &str = "STOKER_COMPLETE";

/// Answers a shell that asks what could be typed, and says whether one did.
#[must_use]
pub fn answered(environment: &Environment) -> bool {
    if environment.get(ASKED).is_none() {
        return false;
    }
    let command = || with_names(Arguments::command(), environment);
    let asked = CompleteEnv::with_factory(command).var(ASKED).bin("stoker").completer("stoker");
    let here = std::env::current_dir().ok();
    // Whoever types is not disturbed by what went wrong.
    let _ = asked.try_complete(environment.arguments.clone(), here.as_deref());
    true
}

/// Prints the script that makes a shell ask.
pub fn script(context: &Context, shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    if let Some(writer) = Shells::builtins().completer(&shell.to_string()) {
        writer
            .write_registration(ASKED, "stoker", "stoker", "stoker", &mut script)
            .map_err(|error| Failure::usage(format!("failed to write the script: {error}")))?;
    }
    context.output.text(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

/// Lets the arguments that are names complete to those that are known.
fn with_names(command: clap::Command, environment: &Environment) -> clap::Command {
    let command = command.mut_args(|argument| {
        let names = argument.get_value_names().unwrap_or_default();
        let name = names.first().map(|name| name.to_string()).unwrap_or_default();
        let known = environment.clone();
        if argument.get_id() == "project" {
            let projects = move |typed: &OsStr| projects(&known, typed);
            argument.add(ArgValueCompleter::new(projects))
        } else if name.starts_with("KIND/NAME") {
            let takes_fields = name.ends_with("[.FIELD]");
            let keys = move |typed: &OsStr| keys(&known, typed, false, takes_fields);
            argument.add(ArgValueCompleter::new(keys))
        } else if name == "KIND[/NAME]" {
            let keys = move |typed: &OsStr| keys(&known, typed, true, false);
            argument.add(ArgValueCompleter::new(keys))
        } else {
            argument
        }
    });
    command.mut_subcommands(|command| with_names(command, environment))
}

/// Offers the projects of the settings.
fn projects(environment: &Environment, typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(context) = Typed::of(environment).context(environment) else { return Vec::new() };
    let projects = context.file.projects.iter().flatten();
    offered(projects.filter_map(|keys| keys.name.clone()), typed)
}

/// Offers resources; with `takes_kinds` also kinds, and with `takes_fields` what is declared of the
/// resource that is typed already.
fn keys(
    environment: &Environment,
    typed: &OsStr,
    takes_kinds: bool,
    takes_fields: bool,
) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let names = KnownNames::of(environment);
    let kinds = Kind::ALL.iter().filter(|_| takes_kinds).map(|kind| kind.plural().to_owned());
    // A kind is offered as it was begun: `svc/` stays `svc/`.
    let begun = typed.split_once('/').and_then(|(word, _)| Some((word, word.parse().ok()?)));
    let spelled = |key: &Key| match begun {
        Some((word, kind)) if key.kind == kind => format!("{word}/{}", key.name),
        _ => key.to_string(),
    };
    let keys = names.keys.iter().map(spelled);
    let fields = typed.split_once('.').filter(|_| takes_fields).and_then(|(word, _)| {
        let resource = names.declared.as_ref()?.resources.get(&word.parse::<Key>().ok()?)?;
        let fields = resource.fields.keys().map(|path| format!("{word}.{path}"));
        Some(fields.collect::<Vec<_>>())
    });
    offered(kinds.chain(keys).chain(fields.unwrap_or_default()), OsStr::new(typed))
}

/// Returns what begins as it was typed.
fn offered(words: impl Iterator<Item = String>, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    words.filter(|word| word.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// What was typed before and says where names are.
#[derive(Default)]
struct Typed {
    config: Option<PathBuf>,
    state: Option<PathBuf>,
    project: Option<String>,
    is_sandbox: bool,
}

impl Typed {
    fn of(environment: &Environment) -> Self {
        let variable = |name: &str| environment.get(name).map(str::to_owned);
        let mut typed = Self {
            config: variable("STOKER_CONFIG").map(PathBuf::from),
            state: variable("STOKER_STATE").map(PathBuf::from),
            project: variable("STOKER_PROJECT"),
            is_sandbox: variable("STOKER_SANDBOX").is_some_and(|value| is_true(&value)),
        };
        let words: Vec<&str> = environment.arguments.iter().filter_map(|it| it.to_str()).collect();
        for (at, word) in words.iter().enumerate() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (*word, words.get(at + 1).map(|value| (*value).to_owned())),
            };
            match (flag, value) {
                ("--config", Some(value)) => typed.config = Some(value.into()),
                ("--state", Some(value)) => typed.state = Some(value.into()),
                ("--project", Some(value)) => typed.project = Some(value),
                ("--sandbox", value) => {
                    typed.is_sandbox = !word.contains('=') || value.is_some_and(|it| is_true(&it));
                }
                _ => {}
            }
        }
        typed
    }

    /// Returns the surroundings of the command that is typed; nothing where its settings cannot be
    /// used.
    fn context(&self, environment: &Environment) -> Option<Context> {
        let global = Global {
            output: None,
            color: None,
            log_format: None,
            verbose: 0,
            config: self.config.clone(),
            state: self.state.clone(),
            lock_timeout: None,
            project: self.project.clone(),
        };
        Context::new(environment.clone(), &global, GivenSettings::default()).ok()
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "true" | "yes" | "on" | "y" | "t")
}

/// The resources that can be known without a request.
#[derive(Default)]
struct KnownNames {
    keys: BTreeSet<Key>,
    declared: Option<Desired<ValueSource>>,
}

impl KnownNames {
    fn of(environment: &Environment) -> Self {
        let typed = Typed::of(environment);
        let Some(context) = typed.context(environment) else { return Self::default() };
        let declared = declared(&context);
        let mut keys: BTreeSet<Key> =
            declared.iter().flat_map(|it| it.resources.keys()).cloned().collect();
        keys.extend(owned(&context, typed.is_sandbox).unwrap_or_default());
        Self { keys, declared }
    }
}

/// Reads the manifests of the project. Where none are named and none are in a usual place, nothing is
/// searched: it could be a whole disk.
fn declared(context: &Context) -> Option<Desired<ValueSource>> {
    let paths = match paths_of_project(context).ok()? {
        Some(paths) => paths,
        None => vec![USUAL_PLACES.iter().map(Path::new).find(|it| it.exists())?.to_owned()],
    };
    let TreeSettings { environment, overlays, variables } =
        TreeSettings::resolve(&Chosen::default(), &context.file).ok()?;
    let tree = source::load_layered(&paths, &overlays, None).ok()?;
    let tree = tree.of_environment(environment).with_variables(variables);
    manifest::load(&tree).desired
}

/// Reads what the state of this machine remembers. One that many machines share is not asked.
fn owned(context: &Context, is_sandbox: bool) -> Option<Vec<Key>> {
    let place = state_place(context, is_sandbox).ok().filter(|place| place.address.is_none())?;
    let state = place.open(&context.environment, Absent::Refuse).ok()?;
    let inventory = state.medium.read().ok()?.inventory;
    Some(inventory.entries.keys().chain(inventory.intents.keys()).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str], variables: &[(&str, &str)]) -> Typed {
        let mut environment = Environment::from(variables);
        environment.arguments = words.iter().map(Into::into).collect();
        Typed::of(&environment)
    }

    #[test]
    fn what_was_typed_says_where_names_are() {
        let found = typed(&["stoker", "get", "--state", "/a", "--project=shop", "--sandbox"], &[]);
        assert_eq!(found.state.as_deref(), Some(Path::new("/a")));
        assert_eq!(found.project.as_deref(), Some("shop"));
        assert!(found.is_sandbox);
        let found = typed(&["stoker", "--sandbox=false"], &[("STOKER_SANDBOX", "1")]);
        assert!(!found.is_sandbox);
    }

    #[test]
    fn every_argument_that_is_a_name_is_completed() {
        let environment = Environment::default();
        let command = with_names(Arguments::command(), &environment);
        let mut completed = 0;
        for argument in command.get_subcommands().flat_map(clap::Command::get_arguments) {
            let names = argument.get_value_names().unwrap_or_default();
            let is_name = names.iter().any(|name| name.starts_with("KIND"));
            let is_explained = names.iter().any(|name| *name == "KIND[.FIELD]" || *name == "KINDS");
            let has_completer = argument.get::<ArgValueCompleter>().is_some();
            assert_eq!(has_completer, is_name && !is_explained, "{argument}");
            completed += usize::from(has_completer);
        }
        assert!(completed > 15, "{completed}");
    }
}
