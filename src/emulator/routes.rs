//! The nineteen endpoints (F4), and the way of a request through the door.
//!
//! Pure: a request and a time in, an outcome out. What each endpoint does is elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::choice::{Kind, Permission};
use super::config::Access;
use super::listing::{Lens, Listed};
use super::problem::ApiProblem;
use super::world::{Reply, World};

/// A request as the emulator reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    /// As it was sent, with `/v1`.
    pub(crate) path: String,
    /// As it was sent.
    pub(crate) query: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// One of the nineteen.
pub(crate) struct RouteEntry {
    pub(crate) route: RouteAction,
    pub(crate) method: &'static str,
    /// Below `/v1`; `{…}` is a parameter.
    pub(crate) path: &'static str,
}

/// What an endpoint does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RouteAction {
    ListServices,
    CreateService,
    GetService,
    PatchService,
    DeleteService,
    Deploy,
    ListDeployments,
    GetDeployment,
    Rollback,
    Logs,
    Metrics,
    ListDatabases,
    CreateDatabase,
    GetDatabase,
    DeleteDatabase,
    ListGroups,
    CreateGroup,
    GetProject,
    ListMembers,
}

/// Every endpoint there is (F4).
pub(crate) const ENDPOINTS: [RouteEntry; 19] = [
    endpoint(RouteAction::ListServices, "GET", "/services"),
    endpoint(RouteAction::CreateService, "POST", "/services"),
    endpoint(RouteAction::GetService, "GET", "/services/{id}"),
    endpoint(RouteAction::PatchService, "PATCH", "/services/{id}"),
    endpoint(RouteAction::DeleteService, "DELETE", "/services/{id}"),
    endpoint(RouteAction::Deploy, "POST", "/services/{id}/deploy"),
    endpoint(RouteAction::ListDeployments, "GET", "/services/{id}/deployments"),
    endpoint(RouteAction::GetDeployment, "GET", "/services/{id}/deployments/{did}"),
    endpoint(RouteAction::Rollback, "POST", "/services/{id}/rollback"),
    endpoint(RouteAction::Logs, "GET", "/services/{id}/logs"),
    endpoint(RouteAction::Metrics, "GET", "/services/{id}/metrics"),
    endpoint(RouteAction::ListDatabases, "GET", "/databases"),
    endpoint(RouteAction::CreateDatabase, "POST", "/databases"),
    endpoint(RouteAction::GetDatabase, "GET", "/databases/{id}"),
    endpoint(RouteAction::DeleteDatabase, "DELETE", "/databases/{id}"),
    endpoint(RouteAction::ListGroups, "GET", "/envgroups"),
    endpoint(RouteAction::CreateGroup, "POST", "/envgroups"),
    endpoint(RouteAction::GetProject, "GET", "/project"),
    endpoint(RouteAction::ListMembers, "GET", "/project/members"),
];

/// An endpoint with the values of its parameters.
pub(crate) struct Operation {
    endpoint: &'static RouteEntry,
    parameters: Vec<String>,
}

const fn endpoint(route: RouteAction, method: &'static str, path: &'static str) -> RouteEntry {
    RouteEntry { route, method, path }
}

impl RouteEntry {
    /// Returns the values of the parameters, if the path is of this endpoint.
    fn matches(&self, path: &str) -> Option<Vec<String>> {
        let mut parameters = Vec::new();
        let mut given = path.split('/');
        for segment in self.path.split('/') {
            let value = given.next()?;
            if segment.starts_with('{') && !value.is_empty() {
                parameters.push(decode(value));
            } else if segment != value {
                return None;
            }
        }
        given.next().is_none().then_some(parameters)
    }

    fn permission(&self, access: &Access) -> Permission {
        match self.path.split('/').nth(1) {
            Some("services") => access.services,
            Some("databases") => access.databases,
            Some("envgroups") => access.env_groups,
            _ => access.project,
        }
    }
}

impl ReceivedRequest {
    /// Returns the path below `/v1`, if it is there.
    pub(crate) fn below_base(&self) -> Option<&str> {
        self.path.strip_prefix("/v1").filter(|rest| rest.starts_with('/'))
    }

    /// Finds the endpoint that is called.
    pub(crate) fn call(&self) -> Result<Operation, ApiProblem> {
        let here = self.endpoints().find(|(endpoint, _)| endpoint.method == self.method);
        if let Some((endpoint, parameters)) = here {
            return Ok(Operation { endpoint, parameters });
        }
        let allowed = self.allowed();
        if allowed.is_empty() {
            return Err(ApiProblem::new(404, "not_found", format!("There is no {}", self.path)));
        }
        let message = format!("{} allows {allowed}", self.path);
        Err(ApiProblem::new(405, "method_not_allowed", message))
    }

    /// Returns the methods of the path: for `Allow`.
    pub(crate) fn allowed(&self) -> String {
        let methods: Vec<&str> = self.endpoints().map(|(endpoint, _)| endpoint.method).collect();
        methods.join(", ")
    }

    fn endpoints(&self) -> impl Iterator<Item = (&'static RouteEntry, Vec<String>)> {
        let path = self.below_base().unwrap_or_default();
        ENDPOINTS.iter().filter_map(move |one| one.matches(path).map(|values| (one, values)))
    }

    fn pairs(&self) -> Vec<(String, String)> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
            })
            .collect()
    }

    fn object(&self) -> Result<Map<String, Value>, ApiProblem> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(ApiProblem::invalid("the body must be an object")),
            Err(error) => {
                Err(ApiProblem::new(400, "invalid_json", format!("the body is no JSON: {error}")))
            }
        }
    }

    fn object_if_any(&self) -> Result<Map<String, Value>, ApiProblem> {
        if self.body.is_empty() { Ok(Map::new()) } else { self.object() }
    }
}

impl Operation {
    /// Refuses what the token may not do (F2), also the Developer's delete.
    pub(crate) fn check_access(&self, access: &Access) -> Result<(), ApiProblem> {
        let permission = self.endpoint.permission(access);
        let is_allowed = match self.endpoint.method {
            "GET" => {
                let is_detail = self.endpoint.path.ends_with("/{id}");
                permission >= Permission::Read && (access.may_read_details || !is_detail)
            }
            "DELETE" => permission >= Permission::ReadWrite && access.may_delete,
            _ => permission >= Permission::ReadWrite,
        };
        if is_allowed {
            return Ok(());
        }
        let RouteEntry { method, path, .. } = self.endpoint;
        let message = format!("The token does not permit {method} {path}");
        Err(ApiProblem::new(403, "forbidden", message))
    }
}

impl World {
    /// Does what an endpoint does.
    pub(crate) fn perform(
        &mut self,
        call: &Operation,
        request: &ReceivedRequest,
        lens: Lens,
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        let id = call.parameters.first().map_or("", String::as_str);
        let query = request.pairs();
        match call.endpoint.route {
            RouteAction::ListServices => self.list(Listed::Things(Kind::Service), &query, lens),
            RouteAction::CreateService => self.create_service(&request.object()?, now),
            RouteAction::GetService => self.get_service(id, lens.view),
            RouteAction::PatchService => self.patch_service(id, &request.object()?, now),
            RouteAction::DeleteService => self.delete_service(id, now),
            RouteAction::Deploy => self.post_deploy(id, &request.object_if_any()?, now),
            RouteAction::ListDeployments => self.list(Listed::Deployments(id), &query, lens),
            RouteAction::GetDeployment => self.get_deployment(id, &call.parameters[1], lens.view),
            RouteAction::Rollback => self.rollback(id, now),
            RouteAction::Logs => self.logs(id, &query, now),
            RouteAction::Metrics => self.metrics(id, now),
            RouteAction::ListDatabases => self.list(Listed::Things(Kind::Database), &query, lens),
            RouteAction::CreateDatabase => self.create_database(&request.object()?, now),
            RouteAction::GetDatabase => self.get_database(id, lens.view),
            RouteAction::DeleteDatabase => self.delete_database(id, now),
            RouteAction::ListGroups => self.list(Listed::Things(Kind::EnvGroup), &query, lens),
            RouteAction::CreateGroup => self.create_group(&request.object()?, now),
            RouteAction::GetProject => Ok(self.project()),
            RouteAction::ListMembers => self.list(Listed::Members, &query, lens),
        }
    }

    fn project(&self) -> Reply {
        let super::config::ProjectConfig { id, name, region, plan } = &self.config.project;
        let fields =
            [("id", id), ("name", &Some(name.clone())), ("region", region), ("plan", plan)];
        let shown = fields.into_iter().filter_map(|(field, value)| {
            value.as_ref().map(|value| (field.to_owned(), Value::String(value.clone())))
        });
        self.single(200, "project", Value::Object(shown.collect()))
    }
}

/// Undoes percent-encoding; what is no encoding stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let digits = text.get(place + 1..place + 3).filter(|_| *byte == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                place += 3;
            }
            None => {
                decoded.push(*byte);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
