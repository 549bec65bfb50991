//! The agent's server, from settings to a listening one.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;

use crate::clock::Clock;
use crate::daemon::SharedSecret;
use crate::daemon::server::{Meters, Projects, Server, ServerError, ServerSettings};
use crate::model::Name;
use crate::remote::Bearer;

use super::super::code::ErrorCode;
use super::super::context::Context;
use super::super::failure::Failure;
use super::super::settings::RunSettings;
use super::project::RunningProject;

/// Opens addresses and sockets; it does not answer yet.
///
/// # Errors
/// When one cannot be had.
pub async fn bind(
    settings: &RunSettings,
    kept: &BTreeMap<Name, RunningProject>,
    projects: Projects,
    meters: Meters,
    bearer: Option<SharedSecret>,
) -> Result<Server, Failure> {
    let server = ServerSettings {
        listen: settings.listen.into_iter().collect(),
        bearer,
        state_directories: kept
            .values()
            .filter_map(RunningProject::state)
            .map(Into::into)
            .collect(),
    };
    Ok(Server::bind(server, projects, meters, Clock::system()).await?)
}

/// Reads the token of the server, where it has one.
///
/// # Errors
/// When it cannot be used.
pub fn bearer(context: &Context, settings: &RunSettings) -> Result<Option<SharedSecret>, Failure> {
    let bearer = settings.agent_token.as_ref().map(|source| {
        let wrong = |reason: String| Failure::usage(format!("the agent's token: {reason}"));
        let text = source.read(&context.environment).map_err(wrong)?;
        // What could never be sent as a header would lock everybody out.
        Bearer::parse(text.expose_secret()).map_err(|error| wrong(format!("{source} {error}")))?;
        SharedSecret::parse(text.expose_secret())
            .map_err(|error| wrong(format!("{source}: failed to {error}")))
    });
    bearer.transpose()
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        let failure = Self::new(ErrorCode::Server, format!("failed to {error}"));
        error.hints().into_iter().fold(failure, Self::hint)
    }
}
