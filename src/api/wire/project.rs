//! The project and its members (A12).

use super::json::{Object, id_of, text_at};
use crate::model::Project;

/// One member of the project's team. All of it is foreign text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Their name.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Their role, as the platform writes it.
    pub role: Option<String>,
}

/// Reads a project; none without a name.
///
/// An id that is there but cannot be used makes none either: pinning the name alone in its place
/// would be a weaker pin than the platform offers.
pub(in crate::api) fn read_project(object: &Object) -> Option<Project> {
    let id = id_of(object, &["id"]);
    if id.is_none() && object.get("id").is_some_and(|id| !id.is_null()) {
        return None;
    }
    Some(Project {
        id,
        name: text_at(object, "name").filter(|name| !name.is_empty())?,
        region: text_at(object, "region"),
        plan: text_at(object, "plan"),
    })
}

/// Reads a member.
pub(in crate::api) fn read_member(object: &Object) -> Member {
    Member {
        name: text_at(object, "name"),
        email: text_at(object, "email"),
        role: text_at(object, "role"),
    }
}
