//! The status of the projects, whole.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::answer::{HttpFailure, json_response};
use super::shared::ServerState;
use crate::status::{FORMAT_VERSION, ProjectStatus};

/// Which project is asked for; none: all.
#[derive(Debug, Deserialize)]
pub(super) struct StatusQuery {
    project: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    projects: Vec<&'a ProjectStatus>,
}

/// Answers with the status of every project, or of one.
pub(super) async fn status(
    State(shared): State<ServerState>,
    query: Result<Query<StatusQuery>, QueryRejection>,
) -> Result<Response, HttpFailure> {
    let Query(StatusQuery { project }) = query?;
    let chosen = shared.chosen(project.as_deref())?;
    let statuses: Vec<Arc<ProjectStatus>> =
        chosen.iter().map(|(_, kept)| kept.handle.status()).collect();
    let projects = statuses.iter().map(AsRef::as_ref).collect();
    let report = Report { format_version: FORMAT_VERSION, projects };
    Ok(json_response(StatusCode::OK, &report))
}
