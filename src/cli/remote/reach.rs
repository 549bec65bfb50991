//! Finding the agent: the one that is named, else the one whose socket is beside the state.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use crate::manifest;
use crate::model::Key;
use crate::remote::{AgentAddress, AgentClient, Bearer, RemoteError, Status};
use crate::status::{ProjectStatus, ResourceStatus};

use super::super::arguments::{AgentFlags, Connection};
use super::super::code::ErrorCode;
use super::super::context::Context;
use super::super::failure::Failure;
use super::super::find;
use super::super::place::{StatePlace, no_directory};
use super::super::session::state_place;
use super::super::settings::{ConnectionSettings, SecretSource, states_of_projects};

/// The agent's socket in the state directory.
const SOCKET: &str = "agent.sock";

/// An agent that answered, and what it said.
pub struct ReachedAgent {
    /// The agent.
    pub agent: AgentClient,
    /// Its status, of the projects that are asked about.
    pub status: Status,
}

/// Looks for an agent; nothing when none runs here and none was named.
///
/// # Errors
/// When one was named and does not answer, or when what answers is no agent of ours.
pub async fn look(
    context: &Context,
    flags: &AgentFlags,
    connection: &Connection,
) -> Result<Option<ReachedAgent>, Failure> {
    if let Some(agent) = named(context, flags, connection)? {
        return ReachedAgent::of(agent, project(context)).await.map(Some).map_err(of_error);
    }
    let socket = socket(context, connection)?;
    if !socket.exists() {
        return nobody(context, connection);
    }
    match ReachedAgent::of(at_socket(context, connection, &socket)?, project(context)).await {
        Ok(seen) => Ok(Some(seen)),
        // Its owner was killed: the file is all that is left of it.
        Err(RemoteError::Nobody { place: _, reason }) => {
            let place = socket.display();
            context.output.warn(&format!("nothing answers at {place} any more: {reason}"));
            nobody(context, connection)
        }
        Err(error) => Err(of_error(error)),
    }
}

/// Looks for the agent that keeps a state; nothing where none does any more.
///
/// # Errors
/// When it does not answer in time, or what answers is no agent of ours.
pub async fn keeper(
    context: &Context,
    connection: &Connection,
    state: &Path,
) -> Result<Option<ReachedAgent>, Failure> {
    let socket = state.join(SOCKET);
    if !socket.exists() {
        return Ok(None);
    }
    match ReachedAgent::of(at_socket(context, connection, &socket)?, None).await {
        Ok(seen) => Ok(Some(seen)),
        // Its owner was killed: the file is all that is left of it.
        Err(RemoteError::Nobody { .. }) => Ok(None),
        Err(error) => Err(of_error(error)),
    }
}

/// Returns the project that was named.
pub fn project(context: &Context) -> Option<&str> {
    context.global.project.as_deref()
}

/// The platform can answer in an agent's place, but not for a project that only an agent knows.
fn nobody(context: &Context, connection: &Connection) -> Result<Option<ReachedAgent>, Failure> {
    let Some(project) = project(context).filter(|_| context.file.chosen().is_none()) else {
        return Ok(None);
    };
    if context.file.projects.is_some() {
        context.check_project()?;
    }
    let failure = no_agent(context, connection);
    Err(failure.hint(format!("without --project {project}, the command asks the platform itself")))
}

/// Finds the agent that takes orders: only its own socket does.
///
/// # Errors
/// When there is none, or an address was named.
pub fn to_steer(
    context: &Context,
    flags: &AgentFlags,
    connection: &Connection,
) -> Result<AgentClient, Failure> {
    if let Some(agent) = named(context, flags, connection)? {
        return match agent.address() {
            AgentAddress::Socket(_) => Ok(agent),
            AgentAddress::Url(base) => {
                let message =
                    format!("an agent takes orders only at its socket, and {base} is an address");
                Err(Failure::usage(message)
                    .hint("run the command on the agent's machine")
                    .hint("unset STOKER_AGENT if the agent on this machine is meant"))
            }
        };
    }
    let socket = socket(context, connection)?;
    if socket.exists() {
        at_socket(context, connection, &socket)
    } else {
        Err(no_agent(context, connection))
    }
}

/// The agent's word for a project that it does not keep.
const UNKNOWN_PROJECT: &str = "unknown_project";

/// Adds to a refusal of an unknown project which one is meant, or which there are.
pub async fn with_projects(error: RemoteError, agent: &AgentClient, name: &str) -> RemoteError {
    let RemoteError::Refused { code, message, mut hints } = error else {
        return error;
    };
    // Without an answer the refusal says all there is to say.
    if code == UNKNOWN_PROJECT
        && let Ok(status) = agent.status(None).await
    {
        let names: Vec<&str> = status.projects.iter().map(|it| it.name.as_str()).collect();
        hints.push(match manifest::nearest(name, &names) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it manages {}", names.join(", ")),
        });
    }
    RemoteError::Refused { code, message, hints }
}

/// The failure of a command that nobody but a running agent can answer.
pub fn no_agent(context: &Context, connection: &Connection) -> Failure {
    let place = match socket(context, connection) {
        Ok(socket) => socket,
        Err(failure) => return failure,
    };
    let message = format!("no agent is running: there is no socket {}", place.display());
    let failure = Failure::new(ErrorCode::NoAgent, message).hint("`stoker run` starts one");
    let sandboxed = Connection { sandbox: Some(true), ..connection.clone() };
    match socket(context, &sandboxed) {
        Ok(other) if other != place && other.exists() => {
            failure.hint("an agent of the sandbox is running: add --sandbox")
        }
        Ok(_) | Err(_) => failure,
    }
}

impl ReachedAgent {
    /// Asks an agent for its status.
    pub async fn of(agent: AgentClient, project: Option<&str>) -> Result<Self, RemoteError> {
        let Some(name) = project else {
            let status = agent.status(None).await?;
            return Ok(Self { agent, status });
        };
        let mut status = match agent.status(Some(name)).await {
            Err(error) => return Err(with_projects(error, &agent, name).await),
            Ok(status) => status,
        };
        status.projects.retain(|project| project.name == name);
        if status.projects.is_empty() {
            let code = UNKNOWN_PROJECT.to_owned();
            let message = format!("it does not manage a project `{name}`");
            let error = RemoteError::Refused { code, message, hints: Vec::new() };
            return Err(with_projects(error, &agent, name).await);
        }
        Ok(Self { agent, status })
    }

    /// Returns the project that is kept under an API's origin and a platform's name. Before it has
    /// seen the platform an agent cannot say which it is: then it is, where it keeps no other.
    pub fn keeping(&self, origin: &str, name: &str) -> Option<&ProjectStatus> {
        let projects = &self.status.projects;
        projects.iter().find(|project| {
            let is_it = match &project.platform_name {
                Some(known) => known == name,
                None => projects.len() == 1,
            };
            is_it && project.origin == origin
        })
    }

    /// Returns the one project there is.
    ///
    /// # Errors
    /// When the agent manages several.
    pub fn project(&self) -> Result<&ProjectStatus, Failure> {
        match self.status.projects.as_slice() {
            [project] => Ok(project),
            projects => Err(several("the agent manages", projects.iter())),
        }
    }

    /// Returns a resource and its project; nothing where no project has it.
    ///
    /// # Errors
    /// When several projects have it.
    pub fn find(&self, key: &Key) -> Result<Option<(&ProjectStatus, &ResourceStatus)>, Failure> {
        let found = self.status.projects.iter().filter_map(|project| {
            let resource = project.resources.iter().find(|resource| resource.key == *key)?;
            Some((project, resource))
        });
        let found: Vec<_> = found.collect();
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            many => Err(several(&format!("{key} is in"), many.iter().map(|(project, _)| *project))),
        }
    }

    /// Returns a resource and its project.
    ///
    /// # Errors
    /// When no project has it, or several.
    pub fn resource(&self, key: &Key) -> Result<(&ProjectStatus, &ResourceStatus), Failure> {
        self.find(key)?.ok_or_else(|| self.absent(key))
    }

    /// The failure of a name that the agent does not know.
    pub fn absent(&self, key: &Key) -> Failure {
        self.unknown(key)
            .hint("only the platform knows what is neither declared nor ours: add --live")
    }

    /// The same for who asks what the platform cannot tell.
    pub fn unknown(&self, key: &Key) -> Failure {
        let of_kind = self.resources().filter(|resource| resource.key.kind == key.kind);
        find::absent(key, of_kind.map(|resource| resource.key.name.to_string()))
    }

    /// Whether any of its projects has a resource.
    pub fn knows(&self, key: &Key) -> bool {
        self.resources().any(|resource| resource.key == *key)
    }

    fn resources(&self) -> impl Iterator<Item = &ResourceStatus> {
        self.status.projects.iter().flat_map(|project| &project.resources)
    }
}

fn several<'a>(what: &str, projects: impl Iterator<Item = &'a ProjectStatus>) -> Failure {
    let names: Vec<&str> = projects.map(|project| project.name.as_str()).collect();
    let message = match names.as_slice() {
        [] => format!("{what} no project"),
        names => format!("{what} several projects: {}", names.join(", ")),
    };
    Failure::usage(message).hint("name one with --project")
}

fn named(
    context: &Context,
    flags: &AgentFlags,
    connection: &Connection,
) -> Result<Option<AgentClient>, Failure> {
    let Some(text) = &flags.agent else {
        return Ok(None);
    };
    let address: AgentAddress =
        text.parse().map_err(|error| Failure::usage(format!("the agent's address: {error}")))?;
    let bearer = match address {
        AgentAddress::Socket(_) => None,
        AgentAddress::Url { .. } => bearer(context)?,
    };
    let settings = ConnectionSettings::resolve(connection, &context.file, &context.environment);
    let agent = AgentClient::at(address, bearer, settings.ca_file.as_deref());
    let agent = agent.map_err(|error| Failure::usage(format!("failed to {error}")))?;
    Ok(Some(agent.within(settings.timeout)))
}

fn at_socket(
    context: &Context,
    connection: &Connection,
    socket: &Path,
) -> Result<AgentClient, Failure> {
    let settings = ConnectionSettings::resolve(connection, &context.file, &context.environment);
    let agent = AgentClient::at(AgentAddress::Socket(socket.to_owned()), None, None)
        .map_err(|error| Failure::new(ErrorCode::Local, format!("failed to {error}")))?;
    Ok(agent.within(settings.timeout))
}

/// Returns where the agent's socket is. An agent of many projects has one beside the state of each,
/// and every one leads to all of them: any that is there will do.
fn socket(context: &Context, connection: &Connection) -> Result<PathBuf, Failure> {
    let settings = ConnectionSettings::resolve(connection, &context.file, &context.environment);
    let usual = state_place(context, settings.sandbox)?.directory.join(SOCKET);
    let base = context.global.state.as_deref().ok_or_else(no_directory)?;
    let states = states_of_projects(&context.file, base, connection.sandbox);
    let states = states.iter().filter_map(|(state, is_sandbox)| {
        Some(StatePlace::of(state, *is_sandbox, &context.environment).ok()?.directory)
    });
    let mut sockets = std::iter::once(usual.clone()).chain(states.map(|it| it.join(SOCKET)));
    Ok(sockets.find(|socket| socket.exists()).unwrap_or(usual))
}

/// Reads the token: from the environment, or from the file the environment names.
fn bearer(context: &Context) -> Result<Option<Bearer>, Failure> {
    let denied = |message: String| Failure::new(ErrorCode::Authentication, message);
    let Some(source) = SecretSource::of_environment(&context.environment, "STOKER_AGENT_TOKEN")
    else {
        return Ok(None);
    };
    let text = source
        .read(&context.environment)
        .map_err(|reason| denied(format!("failed to read the agent's token: {reason}")))?;
    let parsed = Bearer::parse(text.expose_secret());
    parsed.map(Some).map_err(|error| denied(format!("the agent's token in {source} {error}")))
}

/// Says how an agent failed us.
pub fn of_error(error: RemoteError) -> Failure {
    let message = format!("failed to {error}");
    let failed = |code| Failure::new(code, message.clone());
    match error {
        RemoteError::Nobody { .. } => failed(ErrorCode::NoAgent).hint("`stoker run` starts one"),
        RemoteError::Lost { .. } => failed(ErrorCode::AgentLost).hint("try again"),
        RemoteError::OutOfTime { .. } => {
            Failure::new(ErrorCode::Timeout, message).hint("allow more time with --timeout")
        }
        RemoteError::Denied { .. } => Failure::new(ErrorCode::Authentication, message)
            .hint("set STOKER_AGENT_TOKEN, or STOKER_AGENT_TOKEN_FILE to a file that holds it")
            .hint("it is the token that the agent's `agentTokenEnv` or `agentTokenFile` names"),
        RemoteError::Refused { code: _, message, hints } => {
            let failure = Failure::new(ErrorCode::RefusedByAgent, message);
            hints.into_iter().fold(failure, Failure::hint)
        }
        RemoteError::NotAnAgent { .. } => failed(ErrorCode::NotAnAgent),
        RemoteError::OtherFormat { .. } => failed(ErrorCode::OtherFormat)
            .hint("use the same version of stoker as the agent")
            .hint("--live asks the platform itself, with `get`, `describe` and `wait`"),
    }
}
