//! The JSON Schema of native documents, for editors.
//!
//! The types here are documentation that can be checked: their comments become the descriptions,
//! and a test holds their fields against the table that reading uses. Nothing is decoded into them.
//! The file is long because it is a list.

// Fields are only ever looked at by the derived schema.
#![expect(dead_code, reason = "these types are descriptions, no values of them exist")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

/// Returns the JSON Schema (draft-07) of one native document.
#[must_use]
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<Document>().to_value()
}

/// A document of Stoker: something that shall live in a StackBlaze project.
#[derive(JsonSchema)]
#[serde(tag = "kind")]
#[schemars(title = "Stoker manifest")]
enum Document {
    /// Whatever runs: web, worker, cron or static.
    Service(ServiceDocument),
    /// A database. The platform's API cannot change one once it exists.
    Database(DatabaseDocument),
    /// A named set of variables. The platform's API can neither change nor delete one.
    EnvGroup(EnvGroupDocument),
    /// A guard, not a resource: the agent refuses to act on any other project.
    Project(ProjectDocument),
}

/// The version of this form.
#[derive(JsonSchema)]
enum ApiVersion {
    #[serde(rename = "stackblaze.cloud/v1")]
    V1,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ServiceDocument {
    api_version: ApiVersion,
    metadata: Metadata,
    spec: ServiceOrAbsent,
    lifecycle: Option<Lifecycle>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DatabaseDocument {
    api_version: ApiVersion,
    metadata: Metadata,
    spec: DatabaseOrAbsent,
    lifecycle: Option<Lifecycle>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvGroupDocument {
    api_version: ApiVersion,
    metadata: Metadata,
    spec: EnvGroupOrAbsent,
    lifecycle: Option<Lifecycle>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProjectDocument {
    api_version: ApiVersion,
    metadata: ProjectMetadata,
    spec: Option<ProjectSpec>,
}

/// What the resource is called.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Metadata {
    /// The name: a lower-case DNS label, unique for its kind.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    name: String,
    /// Labels of ours, for selection and policy. The platform cannot store them.
    labels: Option<BTreeMap<String, Scalar>>,
    /// Names it had before, newest first: a rename instead of delete and create.
    previous_names: Option<Vec<String>>,
}

/// Which project these manifests are for.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProjectMetadata {
    /// The project's name as the platform shows it.
    name: String,
    /// Labels of ours.
    labels: Option<BTreeMap<String, Scalar>>,
}

/// More about the project.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProjectSpec {
    /// The project's id; the name is checked either way.
    id: Option<String>,
}

/// Says that it must go, and a person's approval of that very object.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AbsentSpec {
    /// `Absent`: this must go.
    state: AbsentState,
    /// The line that `stoker plan` prints, pasted by a person.
    approval: Option<String>,
}

#[derive(JsonSchema)]
enum AbsentState {
    Absent,
}

#[derive(JsonSchema)]
enum PresentState {
    Present,
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum ServiceOrAbsent {
    Service(Box<ServiceSpec>),
    Absent(AbsentSpec),
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum DatabaseOrAbsent {
    Database(DatabaseSpec),
    Absent(AbsentSpec),
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum EnvGroupOrAbsent {
    EnvGroup(EnvGroupSpec),
    Absent(AbsentSpec),
}

/// What runs, and how. A setting that is not written is left alone.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ServiceSpec {
    /// `Present`, which is the default.
    state: Option<PresentState>,
    /// What it is.
    #[serde(rename = "type")]
    kind: ServiceType,
    /// The language or form it is built from: node, python, go, ruby, rust, elixir, docker, image.
    runtime: Option<String>,
    /// The repository of the application, for example `github.com/acme/shop`.
    repo: Option<String>,
    /// The branch that is deployed.
    branch: Option<String>,
    /// The folder of the application in its repository.
    root_dir: Option<String>,
    /// The Dockerfile in the repository.
    dockerfile_path: Option<String>,
    /// A ready image instead of a repository.
    image: Option<String>,
    /// The command that builds.
    build_command: Option<String>,
    /// The command that starts.
    start_command: Option<String>,
    /// The command that runs before each deployment.
    pre_deploy_command: Option<String>,
    /// The port the application listens on.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<u16>,
    /// The plan that is paid for.
    plan: Option<String>,
    /// The region it runs in. It cannot be changed later.
    region: Option<String>,
    /// The times of a cron service, five fields: `0 2 * * *`.
    schedule: Option<String>,
    /// The path that answers when the application is well.
    #[schemars(regex(pattern = "^/"))]
    health_check_path: Option<String>,
    /// How many instances run.
    scaling: Option<Scaling>,
    /// A disk that outlives deployments.
    disk: Option<Disk>,
    /// Whether a push deploys by itself.
    auto_deploy: Option<bool>,
    /// The custom domains.
    domains: Option<Vec<String>>,
    /// The env groups attached.
    env_groups: Option<Vec<EnvGroupName>>,
    /// The variables. When this stands here, it is the whole set, unless `lifecycle` says otherwise.
    env_vars: Option<Vec<Variable>>,
}

/// What a service is.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ServiceType {
    /// Serves the web.
    Web,
    /// Runs always, without a public address.
    Worker,
    /// Runs at certain times.
    Cron,
    /// Files, served as they are.
    Static,
    /// The API's word for `web`.
    WebService,
    /// The API's word for `worker`.
    BackgroundWorker,
    /// The API's word for `cron`.
    CronJob,
    /// The API's word for `static`.
    StaticSite,
}

/// How many instances run.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Scaling {
    /// The fewest instances.
    #[schemars(range(min = 0, max = 1000))]
    min_instances: Option<u32>,
    /// The most instances.
    #[schemars(range(min = 1, max = 1000))]
    max_instances: Option<u32>,
    /// The load, in percent of a processor, that autoscaling aims for.
    #[serde(rename = "targetCPUPercent")]
    #[schemars(range(min = 1, max = 100))]
    target_cpu_percent: Option<u32>,
}

/// A disk that outlives deployments.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Disk {
    /// The disk's name; a new disk without one is called `data`.
    name: Option<String>,
    /// Where the disk is mounted.
    #[schemars(regex(pattern = "^/"))]
    mount_path: String,
    /// The disk's size in GB; it only grows. A new disk without one gets 10.
    #[serde(rename = "sizeGB")]
    #[schemars(range(min = 1, max = 65536))]
    size_gb: Option<u32>,
}

/// A database. None of this can be changed once it exists.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DatabaseSpec {
    /// `Present`, which is the default.
    state: Option<PresentState>,
    /// The engine: postgres, mariadb, valkey, mongodb and others.
    #[serde(rename = "type")]
    kind: String,
    /// The major version.
    version: Option<Scalar>,
    /// The plan that is paid for.
    plan: Option<String>,
    /// The region it runs in.
    region: Option<String>,
    /// The storage in GB.
    #[serde(rename = "storageGB")]
    #[schemars(range(min = 1, max = 65536))]
    storage_gb: Option<u32>,
    /// The database created inside.
    database_name: Option<String>,
    /// The user created inside.
    user: Option<String>,
}

/// A named set of variables.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvGroupSpec {
    /// `Present`, which is the default.
    state: Option<PresentState>,
    /// The variables; plain values, generated ones, or set by hand.
    env_vars: Option<Vec<Variable>>,
}

/// An env group: its name, or its name and that no manifest declares it.
#[derive(JsonSchema)]
#[serde(untagged)]
enum EnvGroupName {
    Name(String),
    External(ExternalEnvGroup),
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExternalEnvGroup {
    /// The group's name.
    name: String,
    /// It lives outside of these manifests.
    external: Option<bool>,
}

/// A variable: its key, and exactly one way to give its value.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Variable {
    /// The variable's key.
    #[schemars(length(min = 1, max = 256))]
    key: String,
    /// The value itself. `$${` stands for `${`.
    value: Option<Scalar>,
    /// A value of a database.
    from_database: Option<From>,
    /// A value of another service.
    from_service: Option<From>,
    /// A value from the agent's environment or from a file.
    value_from: Option<ValueFrom>,
    /// Derived from the agent's key: stable, and stored nowhere. With `rotate`, the next value takes its
    /// place after that time.
    generate_value: Option<GenerateValue>,
    /// `false`: declared here, its value set by hand and left alone.
    sync: Option<bool>,
}

/// A text; numbers and booleans are taken as they are written.
#[derive(JsonSchema)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(f64),
    Truth(bool),
}

/// Whether the value is generated, and how long each is used.
#[derive(JsonSchema)]
#[serde(untagged)]
enum GenerateValue {
    Truth(bool),
    Rotated(GeneratedInTurn),
}

/// A generated value that is replaced in time.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GeneratedInTurn {
    /// How many days each value is used, from `1d` to `3650d`: `90d`.
    #[schemars(regex(
        pattern = r"^([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|36[0-4][0-9]|3650)d$"
    ))]
    rotate: String,
}

/// A value that the platform takes from another resource.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct From {
    /// The name of the resource.
    name: String,
    /// What is taken of it: connectionString, host, port, user, password, database, envVar.
    property: Option<String>,
    /// Of a service: the variable to take.
    env_var_key: Option<String>,
    /// The type of the resource, for the reader.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// It lives outside of these manifests.
    external: Option<bool>,
}

/// A value from outside; it is treated as a secret.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValueFrom {
    /// The name of a variable of the agent's environment.
    env: Option<String>,
    /// A file beneath the root, relative to the manifest; or an absolute path beneath a directory
    /// that the settings allow. One closing line break is left out.
    file: Option<String>,
    /// The name of a program that the settings name: it is asked for `ref`.
    provider: Option<String>,
    /// What the provider knows the value by.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// A file beneath the root that SOPS has encrypted, relative to the manifest.
    sops: Option<String>,
    /// Where the value stands in that file: its keys, with dots between them.
    path: Option<String>,
}

/// How the agent may treat the resource.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Lifecycle {
    /// `false`: never deleted by the agent. A database is only ever deleted when this is `true`.
    prune: Option<bool>,
    /// No delete and no replace, remembered after the manifest is gone.
    protect: Option<bool>,
    /// When one that lives already is taken over.
    adopt: Option<Adopt>,
    /// Fields that are set on creation and then left alone: `spec.scaling`, `spec.envVars.KEY`.
    ignore_changes: Option<Vec<String>>,
    /// Whether the declared variables are all there are, or others may add theirs.
    env_vars: Option<EnvSet>,
    /// What becomes of declared values that were never written and that the platform does not show.
    unsettled: Option<Unsettled>,
    /// What the agent may do with it.
    management_policies: Option<Vec<ManagementPolicy>>,
}

/// When one that lives already is taken over.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Adopt {
    /// Taken over and updated.
    Always,
    /// Only when every visible declared field agrees already.
    Match,
    /// Blocked.
    Never,
}

/// What the declared variables are of all there are.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum EnvSet {
    /// All of them: one that appears beside them is removed.
    Exact,
    /// Some of them: only what was written from a manifest is removed.
    Additive,
}

/// What becomes of a value that cannot be compared.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Unsettled {
    /// It is left alone and told of, until a person settles it.
    Report,
    /// It is written.
    Write,
    /// What lives is taken for what is declared.
    Accept,
}

/// One thing the agent may do.
#[derive(JsonSchema)]
enum ManagementPolicy {
    Observe,
    Create,
    Update,
    Delete,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::manifest::native::keys_of;
    use crate::model::Kind;

    fn properties<T: JsonSchema>() -> BTreeSet<String> {
        let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
        let value = schema.to_value();
        value["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_knows_exactly_the_fields_that_are_read() {
        let read = |kind| -> BTreeSet<String> {
            let keys = keys_of(kind).into_iter().filter(|key| *key != "approval");
            keys.map(str::to_owned).collect()
        };
        assert_eq!(properties::<ServiceSpec>(), read(Kind::Service));
        assert_eq!(properties::<DatabaseSpec>(), read(Kind::Database));
        assert_eq!(properties::<EnvGroupSpec>(), read(Kind::EnvGroup));
    }
}
