//! What this emulator implements, as an OpenAPI 3.1 document.
//!
//! Written from the table of endpoints and the table of settings, so a route that is added
//! without a description does not compile. It describes the default dialect.

use serde_json::{Map, Value, json};

use super::config::TypeNames;
use super::database::TYPES;
use super::routes::{ENDPOINTS, RouteAction, RouteEntry};
use super::settings::{self, DATABASE, SettingRow};
use super::variable::{VALUE_BYTES_MAX, VARIABLES_MAX};
use super::world::NAME_MAX;

/// What the document says of one endpoint.
struct Description {
    summary: &'static str,
    /// The name of the schema of the body, if it takes one.
    body: Option<&'static str>,
    success: u16,
    /// The name of the schema of the answer, if it has one.
    answer: Option<&'static str>,
    /// The statuses of refusals beside those that every endpoint has.
    refusals: &'static [u16],
}

/// Describes what the emulator implements.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for endpoint in &ENDPOINTS {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.to_lowercase()] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "StackBlaze API, emulated", "version": "1"},
        "servers": [{"url": "/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    })
}

fn describe(route: RouteAction) -> Description {
    let created = &[400, 402, 409];
    let (summary, body, success, answer, refusals): (_, _, _, _, &[u16]) = match route {
        RouteAction::ListServices => ("List services", "", 200, "ServiceList", &[400]),
        RouteAction::CreateService => ("Create a service", "NewService", 201, "Service", created),
        RouteAction::GetService => ("Details and status", "", 200, "Service", &[404]),
        RouteAction::PatchService => {
            ("Update settings", "ServicePatch", 200, "Service", &[400, 404, 409])
        }
        RouteAction::DeleteService => ("Delete a service", "", 204, "", &[404]),
        RouteAction::Deploy => {
            ("Trigger a deploy", "DeployRequest", 202, "DeployAnswer", &[400, 404, 409])
        }
        RouteAction::ListDeployments => {
            ("List deployments", "", 200, "DeploymentList", &[400, 404])
        }
        RouteAction::GetDeployment => ("Deployment and its logs", "", 200, "Deployment", &[404]),
        RouteAction::Rollback => ("Roll back", "", 202, "DeployAnswer", &[404, 409]),
        RouteAction::Logs => ("Live logs", "", 200, "LogStream", &[400, 404]),
        RouteAction::Metrics => ("CPU, memory and requests", "", 200, "Metrics", &[404]),
        RouteAction::ListDatabases => ("List databases", "", 200, "DatabaseList", &[400]),
        RouteAction::CreateDatabase => {
            ("Create a database", "NewDatabase", 201, "Database", created)
        }
        RouteAction::GetDatabase => ("Details of a database", "", 200, "Database", &[404]),
        RouteAction::DeleteDatabase => ("Delete a database", "", 204, "", &[404]),
        RouteAction::ListGroups => ("List env groups", "", 200, "EnvGroupList", &[400]),
        RouteAction::CreateGroup => {
            ("Create an env group", "NewEnvGroup", 201, "EnvGroup", created)
        }
        RouteAction::GetProject => ("The project of the token", "", 200, "Project", &[]),
        RouteAction::ListMembers => ("List team members", "", 200, "MemberList", &[400]),
    };
    let named = |schema: &'static str| (!schema.is_empty()).then_some(schema);
    Description { summary, body: named(body), success, answer: named(answer), refusals }
}

fn operation(endpoint: &RouteEntry) -> Value {
    let Description { summary, body, success, answer, refusals } = describe(endpoint.route);
    let mut responses = Map::new();
    let success_body = match answer {
        Some("LogStream") => json!({"text/event-stream": {"schema": {"type": "string"}}}),
        Some(schema) => json!({"application/json": {"schema": reference(schema)}}),
        None => json!({}),
    };
    responses.insert(success.to_string(), json!({"description": "Done", "content": success_body}));
    if endpoint.method == "DELETE" {
        responses.insert("202".into(), json!({"description": "It is being deleted"}));
    }
    let error = json!({"application/json": {"schema": reference("Error")}});
    for status in refusals.iter().chain(&[401, 403, 429]) {
        let refusal = json!({"description": "Refused", "content": error});
        responses.insert(status.to_string(), refusal);
    }
    let mut operation = json!({
        "operationId": format!("{:?}", endpoint.route),
        "summary": summary,
        "parameters": parameters(endpoint),
        "responses": responses,
    });
    if let Some(schema) = body {
        operation["requestBody"] = json!({
            "required": endpoint.route != RouteAction::Deploy,
            "content": {"application/json": {"schema": reference(schema)}},
        });
    }
    operation
}

fn parameters(endpoint: &RouteEntry) -> Vec<Value> {
    let in_path = endpoint.path.split('/').filter_map(|segment| segment.strip_prefix('{'));
    let text = json!({"type": "string", "minLength": 1});
    let mut parameters: Vec<Value> = in_path
        .map(|name| name.trim_end_matches('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": text}))
        .collect();
    let mut query = |name: &str, schema: Value| {
        parameters.push(json!({"name": name, "in": "query", "schema": schema}));
    };
    match endpoint.route {
        RouteAction::ListServices
        | RouteAction::ListDeployments
        | RouteAction::ListDatabases
        | RouteAction::ListGroups
        | RouteAction::ListMembers => {
            query("page", json!({"type": "integer", "minimum": 1}));
            query("per_page", json!({"type": "integer", "minimum": 1}));
        }
        RouteAction::Logs => {
            query("tail", json!({"type": "integer", "minimum": 0}));
            query("follow", json!({"type": "boolean"}));
        }
        RouteAction::CreateService
        | RouteAction::GetService
        | RouteAction::PatchService
        | RouteAction::DeleteService
        | RouteAction::Deploy
        | RouteAction::GetDeployment
        | RouteAction::Rollback
        | RouteAction::Metrics
        | RouteAction::CreateDatabase
        | RouteAction::GetDatabase
        | RouteAction::DeleteDatabase
        | RouteAction::CreateGroup
        | RouteAction::GetProject => {}
    }
    parameters
}

fn schemas() -> Value {
    let (service, new_service, service_patch) = of_services();
    let (database, new_database) = of_databases();
    let (text, number) = (json!({"type": "string"}), json!({"type": "number"}));
    let object = |required: &[(&str, &Value)]| with(Map::new(), required);
    let list = |of: &str, schema: &str| {
        let items = json!({"type": "array", "items": reference(schema)});
        object(&[(of, &items), ("total", &number), ("page", &number)])
    };
    json!({
        "Service": service,
        "NewService": new_service,
        "ServicePatch": service_patch,
        "ServiceList": list("services", "Service"),
        "Database": database,
        "NewDatabase": new_database,
        "DatabaseList": list("databases", "Database"),
        "NewEnvGroup": with(variables("NewVariable"), &[("name", &name())]),
        "EnvGroup": object(&[("id", &text), ("name", &text), ("created_at", &text)]),
        "EnvGroupList": list("envgroups", "EnvGroup"),
        "Variable": variable(),
        "NewVariable": new_variable(),
        "DeployRequest": {
            "type": "object",
            "properties": {
                "branch": {"type": ["string", "null"]},
                "clear_cache": {"type": ["boolean", "null"]},
            },
        },
        "DeployAnswer": object(&[
            ("deployment_id", &text),
            ("status", &text),
            ("branch", &text),
            ("created_at", &text),
        ]),
        "Deployment": object(&[
            ("id", &text),
            ("status", &text),
            ("branch", &text),
            ("commit", &text),
            ("created_at", &text),
            ("finished_at", &json!({"type": ["string", "null"]})),
        ]),
        "DeploymentList": list("deployments", "Deployment"),
        "Metrics": object(&[("cpu_percent", &number), ("memory_mb", &number)]),
        "Project": object(&[("id", &text), ("name", &text)]),
        "Member": object(&[("id", &text), ("name", &text), ("role", &text)]),
        "MemberList": list("members", "Member"),
        "Error": error(),
    })
}

/// Describes a service, a new one, and a patch of one.
fn of_services() -> (Value, Value, Value) {
    let types = json!({"enum": TypeNames::default().words()});
    let text = json!({"type": "string"});
    let mut settings = properties(settings::of_service());
    settings.extend(variables("Variable"));
    let service = with(
        settings.clone(),
        &[
            ("id", &text),
            ("name", &text),
            ("type", &types),
            ("status", &text),
            ("url", &json!({"type": ["string", "null"]})),
            ("replicas", &json!({"type": "integer"})),
            ("created_at", &text),
        ],
    );
    settings.extend(variables("NewVariable"));
    let mut new_service = with(settings.clone(), &[("name", &name()), ("type", &types)]);
    new_service["if"] = json!({"properties": {"type": {"const": TypeNames::default().cron}}});
    new_service["then"] = json!({
        "properties": {"schedule": {"type": "string", "minLength": 1}},
        "required": ["schedule"],
    });
    settings.insert("name".into(), name());
    (service, new_service, with(settings, &[]))
}

/// Describes a database and a new one.
fn of_databases() -> (Value, Value) {
    let types: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
    let text = json!({"type": "string"});
    let settings = properties(DATABASE.iter());
    let mut database = with(
        settings.clone(),
        &[
            ("id", &text),
            ("name", &text),
            ("type", &text),
            ("status", &text),
            ("created_at", &text),
        ],
    );
    database["properties"]["connection_string"] = text;
    (database, with(settings, &[("name", &name()), ("type", &json!({"enum": types}))]))
}

fn error() -> Value {
    let text = json!({"type": "string"});
    let inner = with(
        Map::new(),
        &[
            ("code", &text),
            ("message", &text),
            ("status", &json!({"type": "integer"})),
            ("request_id", &text),
        ],
    );
    with(Map::new(), &[("error", &inner)])
}

fn name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": NAME_MAX})
}

fn variables(schema: &str) -> Map<String, Value> {
    let variables = json!({
        "type": ["array", "null"],
        "maxItems": VARIABLES_MAX,
        "items": reference(schema),
    });
    Map::from_iter([("env_vars".to_owned(), variables)])
}

fn variable() -> Value {
    let reference = with(
        Map::new(),
        &[("name", &json!({"type": "string"})), ("property", &json!({"type": "string"}))],
    );
    let mut variable = with(Map::new(), &[("key", &json!({"type": "string", "minLength": 1}))]);
    let properties = [
        ("value", json!({"type": ["string", "null"], "maxLength": VALUE_BYTES_MAX})),
        ("secret", json!({"type": ["boolean", "null"]})),
        ("from_database", reference.clone()),
        ("from_service", reference),
    ];
    for (name, schema) in properties {
        variable["properties"][name] = schema;
    }
    variable
}

/// Describes a variable that is written: an answer may leave its value out, a request may not.
fn new_variable() -> Value {
    let mut variable = variable();
    let sources = ["value", "from_database", "from_service"];
    variable["oneOf"] = sources.iter().map(|source| json!({"required": [source]})).collect();
    variable
}

fn properties<'a>(settings: impl Iterator<Item = &'a SettingRow>) -> Map<String, Value> {
    settings.map(|one| (one.name.to_owned(), settings::schema(one.shape))).collect()
}

/// Describes an object that must have certain fields and may have others.
fn with(mut properties: Map<String, Value>, required: &[(&str, &Value)]) -> Value {
    for (name, schema) in required {
        properties.insert((*name).to_owned(), (*schema).clone());
    }
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": properties, "required": names})
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}
