//! What an agent and its client say to each other, as JSON.
//!
//! What is not known is ignored; another major version is refused before anything else is read.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Key;
use crate::status::{Event, FORMAT_VERSION, Order, ProjectStatus};

/// The answer to `GET /api/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The version of the form.
    pub format_version: String,
    /// The projects the agent manages, or the one that was asked for.
    pub projects: Vec<ProjectStatus>,
}

/// Why a text is no status.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// Another major version wrote it.
    OtherFormat(String),
    /// It is something else.
    Wrong(String),
}

impl Status {
    /// Reads a document.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            format_version: String,
        }
        let wrong = |error: serde_json::Error| Unreadable::Wrong(error.to_string());
        let Version { format_version } = serde_json::from_slice(bytes).map_err(wrong)?;
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        if major(&format_version) != major(FORMAT_VERSION) {
            return Err(Unreadable::OtherFormat(format_version));
        }
        serde_json::from_slice(bytes).map_err(wrong)
    }
}

/// One event, and the project it happened in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectEvent {
    /// The project.
    pub project: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// An order as it is sent.
#[derive(Debug, Default, Serialize)]
pub(super) struct OrderBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
}

/// Returns the last part of the path that takes an order, and the body.
pub(super) fn request<'a>(
    order: &'a Order,
    project: Option<&'a str>,
) -> (&'static str, OrderBody<'a>) {
    let body = OrderBody { project, ..OrderBody::default() };
    match order {
        Order::Reconcile { key } => ("reconcile", OrderBody { key: key.as_ref(), ..body }),
        Order::Look { key } => ("look", OrderBody { key: Some(key), ..body }),
        Order::Suspend { reason, until } => {
            ("suspend", OrderBody { reason: Some(reason), until: Some(*until), ..body })
        }
        Order::Resume => ("resume", body),
        Order::Pin { commit } => ("pin", OrderBody { commit: Some(commit), ..body }),
        Order::Unpin => ("unpin", body),
    }
}

/// The answer to an order.
#[derive(Deserialize)]
pub(super) struct Taken {
    /// What it says.
    pub message: String,
}

/// The answer to what was refused.
#[derive(Deserialize)]
pub(super) struct Refused {
    /// Why.
    pub error: RefusalBody,
}

/// Why something was refused.
#[derive(Deserialize)]
pub(super) struct RefusalBody {
    /// A word for scripts.
    #[serde(default)]
    pub code: String,
    /// For people.
    pub message: String,
    /// What to do.
    #[serde(default)]
    pub hints: Vec<String>,
}
