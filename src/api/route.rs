//! The routes of version 1, as a closed set (F4).
//!
//! A route gives the segments of a URL and a label without identifiers, for logs and metrics.

use crate::model::{Kind, RemoteId};

/// One path of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Project,
    Members,
    Collection(Kind),
    Service(&'a RemoteId),
    Database(&'a RemoteId),
    Deploy(&'a RemoteId),
    Rollback(&'a RemoteId),
    Deployments(&'a RemoteId),
    Deployment(&'a RemoteId, &'a RemoteId),
    Logs(&'a RemoteId),
    Metrics(&'a RemoteId),
}

impl<'a> Route<'a> {
    /// Returns the route of one object, where there is one: env groups have none (F4).
    pub(super) const fn object(kind: Kind, id: &'a RemoteId) -> Option<Self> {
        match kind {
            Kind::Service => Some(Self::Service(id)),
            Kind::Database => Some(Self::Database(id)),
            Kind::EnvGroup => None,
        }
    }

    /// Returns the segments below the base path, not yet encoded.
    pub(super) fn segments(&self) -> Vec<&'a str> {
        match *self {
            Self::Project => vec!["project"],
            Self::Members => vec!["project", "members"],
            Self::Collection(kind) => vec![kind.plural()],
            Self::Service(id) => vec!["services", id.as_str()],
            Self::Database(id) => vec!["databases", id.as_str()],
            Self::Deploy(id) => vec!["services", id.as_str(), "deploy"],
            Self::Rollback(id) => vec!["services", id.as_str(), "rollback"],
            Self::Deployments(id) => vec!["services", id.as_str(), "deployments"],
            Self::Deployment(id, did) => {
                vec!["services", id.as_str(), "deployments", did.as_str()]
            }
            Self::Logs(id) => vec!["services", id.as_str(), "logs"],
            Self::Metrics(id) => vec!["services", id.as_str(), "metrics"],
        }
    }

    /// Returns the route without identifiers: a label of logs and metrics.
    pub(super) const fn template(&self) -> &'static str {
        match self {
            Self::Project => "/project",
            Self::Members => "/project/members",
            Self::Collection(Kind::Service) => "/services",
            Self::Collection(Kind::Database) => "/databases",
            Self::Collection(Kind::EnvGroup) => "/envgroups",
            Self::Service(_) => "/services/{id}",
            Self::Database(_) => "/databases/{id}",
            Self::Deploy(_) => "/services/{id}/deploy",
            Self::Rollback(_) => "/services/{id}/rollback",
            Self::Deployments(_) => "/services/{id}/deployments",
            Self::Deployment(_, _) => "/services/{id}/deployments/{did}",
            Self::Logs(_) => "/services/{id}/logs",
            Self::Metrics(_) => "/services/{id}/metrics",
        }
    }
}
