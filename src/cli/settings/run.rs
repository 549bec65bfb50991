//! What `stoker run` is told: the server, and every project.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};

use crate::model::{Diagnostic, Name, is_loopback};

use super::super::arguments::{Global, RunCommand};
use super::super::environment::Environment;
use super::super::failure::Failure;
use super::super::values::OrOff;
use super::file::SettingsFile;
use super::keys::Keys;
use super::origin::{GivenSettings, Provenance};
use super::pick::{Picker, Row, pick};
use super::project::{Identity, ProjectSettings, SettingsProblem};
use super::secret::{Layer, SecretLocation, SecretSource, pick_secret};
use super::shared::GlobalSettings;
use super::source::ProjectSource;

/// Everything the agent is told.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// Where it serves; `None` when it does not.
    pub listen: Option<SocketAddr>,
    /// Where the bearer token of the server is. Beyond loopback there is one.
    pub agent_token: Option<SecretSource>,
    /// Whether it makes one pass of each project and ends.
    pub is_once: bool,
    /// The projects, by name in the order of the settings; at least one.
    pub projects: Vec<ProjectSettings>,
    /// What a person should mind.
    pub warnings: Vec<String>,
    /// Each setting of the process, its value and where it comes from.
    pub rows: Vec<Row>,
}

/// Loopback: whoever may read the status may also log in here.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8400);

/// What the only project is called.
const NAME: &str = "default";

/// Below the state directory, where projects keep theirs unless they say otherwise.
const PROJECTS_DIRECTORY: &str = "projects";

/// The surroundings of one call.
pub struct Invocation<'a> {
    /// The flags of every command.
    pub global: &'a Global,
    /// What was given as flag or variable.
    pub given: &'a GivenSettings,
    /// The settings files.
    pub file: &'a SettingsFile,
    /// The environment.
    pub environment: &'a Environment,
}

impl RunSettings {
    /// Resolves the settings of the agent. It reads no secret, and nothing from the platform.
    ///
    /// # Errors
    /// When they cannot be used: every project's first problem, with its place.
    pub fn resolve(call: &Invocation<'_>, command: &RunCommand) -> Result<Self, Failure> {
        let Invocation { global, given, file, environment } = call;
        if global.project.is_some() {
            file.check_choice(global.project.as_deref())?;
        }
        let mut picker = Picker::new(file, given);
        let refuse = |problem: SettingsProblem| file.refuse(vec![problem.into()]);
        let base = GlobalSettings::pick(&mut picker, global, environment).state;
        let base_place = picker.last_place();
        let is_once = pick!(picker, command.agent, once, false);
        let listen = pick!(picker, command.agent, listen, OrOff::On(LISTEN)).on();
        let listen_place = picker.last_place();
        let agent_token =
            pick_agent_token(&mut picker, command).map_err(|problem| refuse(problem.into()))?;
        if listen.is_some_and(|address| !is_loopback(address.ip())) && agent_token.is_none() {
            let reason = "a server beyond loopback needs a bearer token: name it with \
                `agentTokenEnv` or `agentTokenFile`";
            return Err(refuse(SettingsProblem::new(reason, listen_place)));
        }
        check_limits(&picker, is_once).map_err(refuse)?;
        let base = base.ok_or_else(|| {
            Failure::usage(
                "there is nowhere to keep the state: neither HOME nor XDG_STATE_HOME is set",
            )
            .hint("name a directory with --state or STOKER_STATE")
        })?;
        let base = Base { state: base, place: base_place, limits: Limits::of(is_once) };
        let projects = projects(call, command, &base)?;
        let warnings = shared_tokens(&projects);
        Ok(Self { listen, agent_token, is_once, projects, warnings, rows: picker.into_rows() })
    }
}

impl RunSettings {
    /// Tries to read every secret, and says which cannot be used; never what they are.
    #[must_use]
    pub fn unusable_secrets(&self, environment: &Environment) -> Vec<String> {
        let mut said = Vec::new();
        let mut note = |whose: &str, result: Result<(), String>| {
            if let Err(reason) = result {
                said.push(format!("{whose}: {reason}"));
            }
        };
        let read = |secret: &SecretSource| secret.read(environment).map(|_| ());
        if let Some(token) = &self.agent_token {
            note("agentToken", read(token));
        }
        for project in &self.projects {
            let name = project.name.as_str();
            match &project.token {
                Some(token) => note(name, read(token)),
                None if project.connection.sandbox => {}
                None => note(name, Err("there is no token".to_owned())),
            }
            if let ProjectSource::Repository(repository) = &project.source
                && let Some(token) = &repository.token
            {
                note(name, read(token));
            }
            if let Some(webhook) = &project.webhook {
                note(name, read(&webhook.secret));
            }
            for one in &project.notifications {
                note(&format!("{name}, {}", one.name), one.sink(environment, None).map(|_| ()));
            }
        }
        said
    }
}

fn pick_agent_token(
    picker: &mut Picker<'_>,
    command: &RunCommand,
) -> Result<Option<SecretSource>, (String, Provenance)> {
    let (flags, top) = (&command.agent, picker.top());
    let none = SecretLocation { variable: None, file: None };
    let by_flags = SecretLocation {
        variable: flags.agent_token_env.as_ref(),
        file: flags.agent_token_file.as_ref(),
    };
    let by_top = SecretLocation {
        variable: top.agent_token_env.as_ref(),
        file: top.agent_token_file.as_ref(),
    };
    let layers = [(by_flags, Layer::Given), (none, Layer::Own), (by_top, Layer::Top)];
    pick_secret(picker, "agentToken", layers)
}

/// Refuses the limits of one run for an agent that runs continuously, when they were typed for it.
/// Those of the file and the environment are for the other commands.
fn check_limits(picker: &Picker<'_>, is_once: bool) -> Result<(), SettingsProblem> {
    for key in ["maxCalls", "timeout"] {
        let place = picker.given_place(key);
        if !is_once && matches!(place, Provenance::Flag(_)) {
            let reason = "it limits one run, and the agent runs continuously without --once";
            return Err(SettingsProblem::new(reason, place));
        }
    }
    Ok(())
}

/// What holds for every project.
struct Base {
    /// The state directory of the process.
    state: PathBuf,
    place: Provenance,
    limits: Limits,
}

/// Whether the limits of one run hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limits {
    /// It is one run.
    Hold,
    /// The agent runs continuously; they are for other commands.
    None,
}

impl Limits {
    const fn of(is_once: bool) -> Self {
        if is_once { Self::Hold } else { Self::None }
    }

    fn apply(self, project: &mut ProjectSettings) {
        match self {
            Self::Hold => {}
            Self::None => {
                project.connection.calls_max = None;
                project.connection.timeout = None;
            }
        }
    }
}

/// Resolves every project; all problems are told together.
fn projects(
    call: &Invocation<'_>,
    command: &RunCommand,
    base: &Base,
) -> Result<Vec<ProjectSettings>, Failure> {
    let Invocation { global: _, given, file, environment } = call;
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut resolved = Vec::new();
    match &file.projects {
        None => {
            let name = Name::new(NAME).expect("the constant is a label");
            let (state, state_place) = (base.state.clone(), base.place.clone());
            let identity = Identity { name, state, state_place };
            let picker = Picker::new(file, given);
            resolved.push(ProjectSettings::resolve(picker, command, environment, identity));
        }
        Some(list) => {
            let misplaced = misplaced_source(given).filter(|_| file.chosen().is_none());
            diagnostics.extend(misplaced.map(Diagnostic::from));
            let mut taken = Taken::default();
            let chosen = file.chosen().map(|(index, _)| index);
            for (index, keys) in list.iter().enumerate() {
                let picker = Picker::for_project(file, given, index);
                let identity = taken.identity(&picker, keys, index, base, file);
                if chosen.is_some_and(|chosen| chosen != index) {
                    continue;
                }
                resolved.push(identity.and_then(|identity| {
                    ProjectSettings::resolve(picker, command, environment, identity)
                }));
            }
            if list.is_empty() {
                let place = file.place(None, "projects").cloned();
                let place = place.map_or(Provenance::Default, Provenance::File);
                diagnostics.push(SettingsProblem::new("`projects` is empty", place).into());
            }
        }
    }
    let mut projects = Vec::new();
    for one in resolved {
        match one {
            Ok(mut project) => {
                base.limits.apply(&mut project);
                projects.push(project);
            }
            Err(problem) => diagnostics.push(problem.into()),
        }
    }
    if diagnostics.is_empty() { Ok(projects) } else { Err(file.refuse(diagnostics)) }
}

/// Where one project comes from is said with the project, when there are many.
fn misplaced_source(given: &GivenSettings) -> Option<SettingsProblem> {
    let key = ["paths", "repo"].into_iter().find(|key| given.get(key).is_some())?;
    let place = given.get(key).cloned().unwrap_or(Provenance::Default);
    let reason = "it names the source of one project, and the settings list several `projects`";
    Some(SettingsProblem::new(reason, place))
}

/// Names and state directories that are taken.
#[derive(Default)]
struct Taken {
    names: BTreeMap<Name, usize>,
    states: BTreeMap<PathBuf, Name>,
}

impl Taken {
    /// Finds who a project is; no two have one name or one state directory.
    fn identity(
        &mut self,
        picker: &Picker<'_>,
        keys: &Keys,
        index: usize,
        base: &Base,
        file: &SettingsFile,
    ) -> Result<Identity, SettingsProblem> {
        let entry = file.place_of_project(index).cloned();
        let entry = entry.map_or(Provenance::Default, Provenance::File);
        let text = keys.name.as_deref();
        let text = text.ok_or_else(|| SettingsProblem::new("the project has no `name`", entry))?;
        let name_place = picker.own_place("name");
        let name = Name::new(text).map_err(|error| {
            SettingsProblem::new(format!("`name`: {error}"), name_place.clone())
        })?;
        if self.names.insert(name.clone(), index).is_some() {
            let reason = format!("two projects are called `{name}`");
            return Err(SettingsProblem::new(reason, name_place));
        }
        let state_place = match &keys.state {
            Some(_) => picker.own_place("state"),
            None => base.place.clone(),
        };
        let state = state_of(keys, Some(&base.state)).unwrap_or_default();
        if let Some(other) = self.states.insert(plain(&state), name.clone()) {
            let reason = format!(
                "`{other}` and `{name}` have the same state directory; it records what is ours, so \
                 each project needs its own"
            );
            return Err(SettingsProblem::new(reason, picker.own_place("state")));
        }
        Ok(Identity { name, state, state_place })
    }
}

/// Returns where a project of a list keeps its state: where it says, else beneath that of the process.
pub(super) fn state_of(keys: &Keys, base: Option<&Path>) -> Option<PathBuf> {
    let usual = || Some(base?.join(PROJECTS_DIRECTORY).join(keys.name.as_deref()?));
    keys.state.clone().or_else(usual)
}

/// Returns where the projects that a file lists keep their state, as far as they can be told, and
/// whether that is a sandbox's. `sandbox` is what flags and environment say of it.
#[must_use]
pub fn states_of_projects(
    file: &SettingsFile,
    base: &Path,
    sandbox: Option<bool>,
) -> Vec<(PathBuf, bool)> {
    let top = file.top.sandbox;
    let state = |keys: &Keys| {
        let is_sandbox = sandbox.or(keys.sandbox).or(top).unwrap_or(false);
        Some((state_of(keys, Some(base))?, is_sandbox))
    };
    file.projects.iter().flatten().filter_map(state).collect()
}

/// Returns a path by which equal directories are seen to be equal, as far as names tell.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::ParentDir
            | Component::Prefix(_)
            | Component::RootDir
            | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// Says which projects use one token. Each counts its requests in its own state directory, so
/// together they may send what the API refuses (S4).
fn shared_tokens(projects: &[ProjectSettings]) -> Vec<String> {
    let mut users: BTreeMap<(&str, &SecretSource), Vec<&str>> = BTreeMap::new();
    for project in projects {
        if let Some(token) = &project.token {
            let place = (project.connection.api_url.as_str(), token);
            users.entry(place).or_default().push(project.name.as_str());
        }
    }
    let shared = users.into_iter().filter(|(_, names)| names.len() > 1);
    let warning = |((_, token), names): ((&str, &SecretSource), Vec<&str>)| {
        format!(
            "the projects {} use the same token, {token}; each counts its requests in its own \
             state directory, so their `rate`s must add up to at most 285/m",
            names.join(", ")
        )
    };
    shared.map(warning).collect()
}
