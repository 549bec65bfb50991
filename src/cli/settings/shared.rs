//! The settings that every command is told: output and log, the connection, what a plan may hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::api::{ENDPOINT_DEFAULT, Endpoint};
use crate::plan::{Permissions, Policy, Prune, RunRequest, Selection, Settlements};

use super::super::arguments::{
    Approval, Connection, Global, LogForm, OutputWord, Planning, Waiting, When,
};
use super::super::environment::Environment;
use super::super::values::{Assignment, PruneKinds, Rate, Span};
use super::file::SettingsFile;
use super::origin::{GivenSettings, Provenance};
use super::pick::{Picker, pick};
use super::run::state_of;

/// The settings of every command.
#[derive(Clone, Debug)]
pub struct GlobalSettings {
    /// Form of stdout.
    pub output: OutputWord,
    /// When to use colour.
    pub color: When,
    /// Form of the log.
    pub log_format: LogForm,
    /// How much goes to the log: 0 warnings, 1 debug, 2 trace.
    pub verbose: u8,
    /// Where state is kept: that of the project which was chosen.
    pub state: Option<PathBuf>,
    /// How long to wait for the right to write the state.
    pub lock_timeout: Duration,
    /// The project that was named.
    pub project: Option<String>,
}

impl GlobalSettings {
    /// Whether only names are printed.
    #[must_use]
    pub fn is_of_names(&self) -> bool {
        self.output == OutputWord::Name
    }

    /// Joins flags, file and defaults.
    #[must_use]
    pub fn resolve(flags: &Global, file: &SettingsFile, environment: &Environment) -> Self {
        let given = GivenSettings::default();
        Self::pick(&mut Picker::new(file, &given), flags, environment).of_chosen(file)
    }

    /// Returns those of the project that was chosen: where its state is.
    #[must_use]
    pub fn of_chosen(self, file: &SettingsFile) -> Self {
        match file.chosen() {
            Some((_, keys)) => Self { state: state_of(keys, self.state.as_deref()), ..self },
            None => self,
        }
    }

    /// As [`Self::resolve`] without a project, and remembers where each value comes from.
    pub(super) fn pick(picker: &mut Picker<'_>, flags: &Global, environment: &Environment) -> Self {
        let own = environment.state_directory();
        Self {
            output: pick!(picker, flags, output, OutputWord::Text),
            color: pick!(picker, flags, color, When::Auto),
            log_format: pick!(picker, flags, log_format, LogForm::Text),
            verbose: flags.verbose,
            state: match own {
                Some(own) => Some(pick!(picker, flags, state, own)),
                None => pick!(picker, flags, state),
            },
            lock_timeout: flags.lock_timeout.map(|span| span.0).unwrap_or_default(),
            project: flags.project.clone(),
        }
    }
}

/// How the API is reached, resolved.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Whether the embedded emulator answers.
    pub sandbox: bool,
    /// The API's address.
    pub api_url: String,
    /// A further certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Assumptions set, in the order they are applied.
    pub dialect: Vec<(String, String)>,
    /// Own sends in any minute.
    pub rate: u32,
    /// What background work leaves free.
    pub reserve: u32,
    /// Requests of this run in all.
    pub calls_max: Option<u32>,
    /// How long the run may take.
    pub timeout: Option<Duration>,
}

/// 5 % below the API's 300 a minute (F8): room for clocks that disagree.
const RATE: u32 = 285;

/// 30 % of a minute's requests stay free of background work.
const RESERVE: u32 = 90;

impl ConnectionSettings {
    /// Joins flags, file and defaults.
    #[must_use]
    pub fn resolve(flags: &Connection, file: &SettingsFile, environment: &Environment) -> Self {
        Self::pick(&mut Picker::of_call(file, &GivenSettings::default()), flags, environment)
    }

    /// As [`Self::resolve`], and remembers where each value comes from.
    pub(super) fn pick(
        picker: &mut Picker<'_>,
        flags: &Connection,
        environment: &Environment,
    ) -> Self {
        Self {
            sandbox: pick!(picker, flags, sandbox, false),
            api_url: api_url(picker, environment),
            ca_file: pick!(picker, flags, ca_file),
            dialect: dialect(picker, flags),
            rate: pick!(picker, flags, rate, Rate(RATE)).0,
            reserve: pick!(picker, flags, reserve, Rate(RESERVE)).0,
            calls_max: pick!(picker, flags, max_calls),
            timeout: pick!(picker, flags, timeout).map(|span| span.0),
        }
    }
}

/// The variable that names the API's address. It has no flag: it goes with the token.
const API_URL_VARIABLE: &str = "STACKBLAZE_API_URL";

/// Picks the API's address. A project's own wins over the environment, because it says which
/// project that is: a variable must not send the tokens of all projects to one place (S5).
fn api_url(picker: &mut Picker<'_>, environment: &Environment) -> String {
    let own = picker.own().and_then(|keys| keys.api_url.as_deref());
    let (value, provenance) = match (own, environment.get(API_URL_VARIABLE)) {
        (Some(url), _) => (url, picker.own_place("apiUrl")),
        (None, Some(url)) => (url, Provenance::Variable(API_URL_VARIABLE.to_owned())),
        (None, None) => match picker.top().api_url.as_deref() {
            Some(url) => (url, picker.top_place("apiUrl")),
            None => (ENDPOINT_DEFAULT, Provenance::Default),
        },
    };
    // An address with a password in it is refused later, and not shown before.
    let shown = Endpoint::parse(value).map_or("(not usable)".to_owned(), |url| url.origin());
    picker.note("apiUrl", Some(shown), provenance);
    value.to_owned()
}

/// Joins assumptions one by one; the later of two wins, and those of flags come last.
fn dialect(picker: &mut Picker<'_>, flags: &Connection) -> Vec<(String, String)> {
    let mut known: BTreeMap<String, (String, Provenance)> = BTreeMap::new();
    for (keys, is_own) in [(Some(picker.top()), false), (picker.own(), true)] {
        for (key, value) in keys.iter().flat_map(|keys| &keys.dialect) {
            let path = format!("dialect.{key}");
            let place = if is_own { picker.own_place(&path) } else { picker.top_place(&path) };
            known.insert(key.clone(), (value.to_string(), place));
        }
    }
    for Assignment { key, value } in &flags.dialect {
        known.insert(key.clone(), (value.clone(), picker.given_place("dialect")));
    }
    for (key, (value, provenance)) in &known {
        picker.note(&format!("dialect.{key}"), Some(value.clone()), provenance.clone());
    }
    known.into_iter().map(|(key, (value, _))| (key, value)).collect()
}

/// Joins the flags of planning with file and defaults to what one run is told. Who gives it the
/// number of deletes orders it anew; the number in a file, or of an agent, is for every hour (S7).
#[must_use]
pub fn policy(flags: &Planning, file: &SettingsFile) -> Policy {
    let given = GivenSettings::default();
    let permissions = pick_permissions(&mut Picker::of_call(file, &given), flags);
    let request = RunRequest { is_ordered: flags.max_deletes.is_some(), ..asked(flags) };
    Policy { permissions, request, ..Policy::default() }
}

/// Joins what a person decides once, and remembers where each value comes from.
pub(super) fn pick_permissions(picker: &mut Picker<'_>, flags: &Planning) -> Permissions {
    let default = Permissions::default();
    let PruneKinds(kinds) = pick!(picker, flags, prune, PruneKinds(BTreeSet::new()));
    Permissions {
        prune: if kinds.is_empty() { Prune::Off } else { Prune::Kinds(kinds) },
        adopt: pick!(picker, flags, adopt, default.adopt),
        deletes_max: pick!(picker, flags, max_deletes),
        prune_adopted: pick!(picker, flags, prune_adopted, false),
        write_unverifiable: pick!(picker, flags, write_unverifiable, default.write_unverifiable),
        settle: pick!(picker, flags, settle, Span(default.settle)).0,
        ..default
    }
}

/// Returns what the flags ask of one run.
pub(super) fn asked(flags: &Planning) -> RunRequest {
    RunRequest {
        settlements: Settlements {
            write: flags.write_unsettled.iter().cloned().collect(),
            accept: flags.accept_unsettled.iter().cloned().collect(),
        },
        selection: Selection {
            targets: flags.target.iter().cloned().collect(),
            excluded: flags.exclude.iter().cloned().collect(),
        },
        replace: flags.replace.iter().map(|a| (a.key.clone(), a.id.clone())).collect(),
        ..RunRequest::default()
    }
}

/// Whether the run waits for deployments.
#[must_use]
pub fn waits(flags: Waiting, file: &SettingsFile) -> bool {
    !flags.no_wait && flags.wait.or(file.top.wait).unwrap_or(false)
}

/// Whether the run goes on without asking.
#[must_use]
pub fn is_approved(flags: Approval, file: &SettingsFile) -> bool {
    flags.auto_approve.or(file.top.auto_approve).unwrap_or(false)
}
