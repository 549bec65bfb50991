//! The nineteen endpoints (F4), and the way of a request through the door.
//!
//! Pure: a request and a time in, an outcome out. What each endpoint does is elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::choice::{Kind, Permission};
use super::config::Access;
use super::listing::{Lens, Listed};
use super::problem::Problem;
use super::world::{Reply, World};

/// A request as the emulator reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As it was sent, with `/v1`.
    pub(crate) path: String,
    /// As it was sent.
    pub(crate) query: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// One of the nineteen.
pub(crate) struct Endpoint {
    pub(crate) route: Route,
    pub(crate) method: &'static str,
    /// Below `/v1`; `{…}` is a parameter.
    pub(crate) path: &'static str,
}

/// What an endpoint does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Route {
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
pub(crate) const ENDPOINTS: [Endpoint; 19] = [
    endpoint(Route::ListServices, "GET", "/services"),
    endpoint(Route::CreateService, "POST", "/services"),
    endpoint(Route::GetService, "GET", "/services/{id}"),
    endpoint(Route::PatchService, "PATCH", "/services/{id}"),
    endpoint(Route::DeleteService, "DELETE", "/services/{id}"),
    endpoint(Route::Deploy, "POST", "/services/{id}/deploy"),
    endpoint(Route::ListDeployments, "GET", "/services/{id}/deployments"),
    endpoint(Route::GetDeployment, "GET", "/services/{id}/deployments/{did}"),
    endpoint(Route::Rollback, "POST", "/services/{id}/rollback"),
    endpoint(Route::Logs, "GET", "/services/{id}/logs"),
    endpoint(Route::Metrics, "GET", "/services/{id}/metrics"),
    endpoint(Route::ListDatabases, "GET", "/databases"),
    endpoint(Route::CreateDatabase, "POST", "/databases"),
    endpoint(Route::GetDatabase, "GET", "/databases/{id}"),
    endpoint(Route::DeleteDatabase, "DELETE", "/databases/{id}"),
    endpoint(Route::ListGroups, "GET", "/envgroups"),
    endpoint(Route::CreateGroup, "POST", "/envgroups"),
    endpoint(Route::GetProject, "GET", "/project"),
    endpoint(Route::ListMembers, "GET", "/project/members"),
];

/// An endpoint with the values of its parameters.
pub(crate) struct Call {
    endpoint: &'static Endpoint,
    parameters: Vec<String>,
}

const fn endpoint(route: Route, method: &'static str, path: &'static str) -> Endpoint {
    Endpoint { route, method, path }
}

impl Endpoint {
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

impl Request {
    /// Returns the path below `/v1`, if it is there.
    pub(crate) fn below_base(&self) -> Option<&str> {
        self.path.strip_prefix("/v1").filter(|rest| rest.starts_with('/'))
    }

    /// Finds the endpoint that is called.
    pub(crate) fn call(&self) -> Result<Call, Problem> {
        let here = self.endpoints().find(|(endpoint, _)| endpoint.method == self.method);
        if let Some((endpoint, parameters)) = here {
            return Ok(Call { endpoint, parameters });
        }
        let allowed = self.allowed();
        if allowed.is_empty() {
            return Err(Problem::new(404, "not_found", format!("There is no {}", self.path)));
        }
        let message = format!("{} allows {allowed}", self.path);
        Err(Problem::new(405, "method_not_allowed", message))
    }

    /// Returns the methods of the path: for `Allow`.
    pub(crate) fn allowed(&self) -> String {
        let methods: Vec<&str> = self.endpoints().map(|(endpoint, _)| endpoint.method).collect();
        methods.join(", ")
    }

    fn endpoints(&self) -> impl Iterator<Item = (&'static Endpoint, Vec<String>)> {
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

    fn object(&self) -> Result<Map<String, Value>, Problem> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Problem::invalid("the body must be an object")),
            Err(error) => {
                Err(Problem::new(400, "invalid_json", format!("the body is no JSON: {error}")))
            }
        }
    }

    fn object_if_any(&self) -> Result<Map<String, Value>, Problem> {
        if self.body.is_empty() { Ok(Map::new()) } else { self.object() }
    }
}

impl Call {
    /// Refuses what the token may not do (F2), also the Developer's delete.
    pub(crate) fn check_access(&self, access: &Access) -> Result<(), Problem> {
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
        let Endpoint { method, path, .. } = self.endpoint;
        let message = format!("The token does not permit {method} {path}");
        Err(Problem::new(403, "forbidden", message))
    }
}

impl World {
    /// Does what an endpoint does.
    pub(crate) fn perform(
        &mut self,
        call: &Call,
        request: &Request,
        lens: Lens,
        now: u64,
    ) -> Result<Reply, Problem> {
        let id = call.parameters.first().map_or("", String::as_str);
        let query = request.pairs();
        match call.endpoint.route {
            Route::ListServices => self.list(Listed::Things(Kind::Service), &query, lens),
            Route::CreateService => self.create_service(&request.object()?, now),
            Route::GetService => self.get_service(id, lens.view),
            Route::PatchService => self.patch_service(id, &request.object()?, now),
            Route::DeleteService => self.delete_service(id, now),
            Route::Deploy => self.post_deploy(id, &request.object_if_any()?, now),
            Route::ListDeployments => self.list(Listed::Deployments(id), &query, lens),
            Route::GetDeployment => self.get_deployment(id, &call.parameters[1], lens.view),
            Route::Rollback => self.rollback(id, now),
            Route::Logs => self.logs(id, &query, now),
            Route::Metrics => self.metrics(id, now),
            Route::ListDatabases => self.list(Listed::Things(Kind::Database), &query, lens),
            Route::CreateDatabase => self.create_database(&request.object()?, now),
            Route::GetDatabase => self.get_database(id, lens.view),
            Route::DeleteDatabase => self.delete_database(id, now),
            Route::ListGroups => self.list(Listed::Things(Kind::EnvGroup), &query, lens),
            Route::CreateGroup => self.create_group(&request.object()?, now),
            Route::GetProject => Ok(self.project()),
            Route::ListMembers => self.list(Listed::Members, &query, lens),
        }
    }

    fn project(&self) -> Reply {
        let super::config::Project { id, name, region, plan } = &self.config.project;
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
