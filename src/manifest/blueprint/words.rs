//! The words of the Blueprint's dialect, each with its home in a native document, or the reason why
//! it has none. The reader and the page of the documentation (`docs/blueprint.md`) go by this table.

use super::super::reader::{DocumentReader, quoted};
use super::super::suggest::nearest;
use super::super::tree::Yaml;

/// A mapping of a Blueprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum MappingKind {
    Top,
    Pipeline,
    Project,
    Environment,
    Ungrouped,
    Service,
    Image,
    HealthCheck,
    Scaling,
    Disk,
    Database,
    Group,
    Variable,
    Reference,
}

/// What becomes of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Fate {
    /// It is read; this is what it becomes.
    Home(&'static str),
    /// It is left out, and a finding says why.
    Without(&'static str),
}

/// One word with what becomes of it.
pub(in super::super) type Word = (&'static str, Fate);

use Fate::{Home, Without};

const NO_PREVIEWS: Fate = Without("the API has no previews of pull requests");
const NO_LABELS: Fate = Without("the API has no field for it");
const NO_ALLOW_LIST: Fate = Without("the API has no IP allow lists");
const NO_CREDENTIALS: Fate = Without("the API has no registry credentials");
const NO_EVICTION: Fate =
    Without("the API has no settings for a database's memory and persistence");
const NO_NETWORKS: Fate = Without("the API has no environments and no rules for them");

const TOP: [Word; 18] = [
    ("services", Home("`kind: Service`; of the type of a database, `kind: Database`")),
    ("databases", Home("`kind: Database`, `postgres` unless `type` says otherwise")),
    ("caches", Home("`kind: Database`, `valkey` unless `type` says otherwise")),
    ("envVarGroups", Home("`kind: EnvGroup`")),
    ("envGroups", Home("`kind: EnvGroup`")),
    ("pipeline", Home("`kind: Project`: its name, or a mapping")),
    ("projects", Home("the resources of one environment")),
    ("ungrouped", Home("resources, as at the top")),
    ("version", Home("nothing: it says which form this is")),
    ("region", Home("`spec.region` of everything without one")),
    ("name", Without("a Blueprint has no name in the API; `pipeline` names the project")),
    ("displayName", NO_LABELS),
    ("domain", Without("only services have domains in the API")),
    ("scope", NO_LABELS),
    ("secrets", Without("the API has no secrets other than variables")),
    ("previews", NO_PREVIEWS),
    ("previewsEnabled", NO_PREVIEWS),
    ("previewsExpireAfterDays", NO_PREVIEWS),
];

const PIPELINE: [Word; 2] = [
    ("name", Home("`metadata.name` of the `Project`")),
    ("id", Home("`spec.id` of the `Project`")),
];

const PROJECT: [Word; 5] = [
    ("name", Home("nothing: `--environment PROJECT/NAME` selects it; `pipeline` is the guard")),
    (
        "environments",
        Home("the resources of one of them: the only one, or that of `--environment`"),
    ),
    ("envVarGroups", Home("as at the top")),
    ("envGroups", Home("as at the top")),
    ("permissions", NO_NETWORKS),
];

const ENVIRONMENT: [Word; 10] = [
    ("name", Home("nothing: `--environment` selects it")),
    ("services", Home("as at the top")),
    ("databases", Home("as at the top")),
    ("caches", Home("as at the top")),
    ("envVarGroups", Home("as at the top")),
    ("envGroups", Home("as at the top")),
    ("networking", NO_NETWORKS),
    ("networkIsolation", NO_NETWORKS),
    ("ipAllowList", NO_ALLOW_LIST),
    ("permissions", NO_NETWORKS),
];

const UNGROUPED: [Word; 5] = [
    ("services", Home("as at the top")),
    ("databases", Home("as at the top")),
    ("caches", Home("as at the top")),
    ("envVarGroups", Home("as at the top")),
    ("envGroups", Home("as at the top")),
];

const SERVICE: [Word; 59] = [
    ("name", Home("`metadata.name`")),
    (
        "type",
        Home("`spec.type`; `pserv` is a worker, a `workflow` is left out; without one, `web`"),
    ),
    ("runtime", Home("`spec.runtime`; `static` makes a `web` service a static site")),
    ("env", Home("`spec.runtime`; a mapping is `spec.envVars`")),
    ("plan", Home("`spec.plan`")),
    ("region", Home("`spec.region`")),
    ("repo", Home("`spec.repo`")),
    ("branch", Home("`spec.branch`")),
    ("rootDir", Home("`spec.rootDir`")),
    ("build", Home("`spec.rootDir`: the directory that is built")),
    ("dockerfilePath", Home("`spec.dockerfilePath`")),
    ("image", Home("`spec.image`: a text, or a mapping")),
    ("buildCommand", Home("`spec.buildCommand`")),
    ("startCommand", Home("`spec.startCommand`")),
    ("dockerCommand", Home("`spec.startCommand`")),
    ("start", Home("`spec.startCommand`")),
    ("preDeployCommand", Home("`spec.preDeployCommand`")),
    ("schedule", Home("`spec.schedule`")),
    ("port", Home("`spec.port`")),
    ("domains", Home("`spec.domains`")),
    ("domain", Home("`spec.domains`")),
    ("customDomains", Home("`spec.domains`")),
    ("healthCheckPath", Home("`spec.healthCheckPath`")),
    ("healthCheck", Home("`spec.healthCheckPath`: a text, or a mapping")),
    ("healthcheck", Home("`spec.healthCheckPath`: a text, or a mapping")),
    ("numInstances", Home("`spec.scaling` from N to N, unless `scaling` is given")),
    ("scaling", Home("`spec.scaling`")),
    ("disk", Home("`spec.disk`")),
    ("autoDeploy", Home("`spec.autoDeploy`")),
    ("autoDeployTrigger", Home("`spec.autoDeploy`: `commit` is true, `off` is false")),
    ("envVars", Home("`spec.envVars`: a list, or a mapping")),
    ("secrets", Home("`spec.envVars`, set by hand: a list of keys, or a mapping")),
    ("secret_refs", Home("`spec.envVars`, set by hand: a list of keys")),
    ("envGroups", Home("`spec.envGroups`")),
    ("dockerContext", Without("the API has no build context other than `rootDir`")),
    ("buildFilter", Without("the API has no build filters")),
    ("staticPublishPath", Without("the API has no publish path of a static site")),
    ("routes", Without("the API has no redirects")),
    ("headers", Without("the API has no HTTP headers")),
    ("registryCredential", NO_CREDENTIALS),
    ("initialDeployHook", Without("the API has no command for the first deployment")),
    ("maxShutdownDelaySeconds", Without("the API has no shutdown delay")),
    ("maintenanceMode", Without("the API has no maintenance mode")),
    ("renderSubdomainPolicy", Without("the API has no switch for the platform's own domain")),
    ("ipAllowList", NO_ALLOW_LIST),
    ("previews", NO_PREVIEWS),
    ("previewPlan", NO_PREVIEWS),
    ("pullRequestPreviewsEnabled", NO_PREVIEWS),
    ("secretFiles", Without("the API has no secret files")),
    ("maxmemoryPolicy", Without("only a database has memory settings")),
    ("notifyOnFail", Without("the API has no notifications")),
    ("buildPlan", Without("the API has no build plans")),
    ("cache", Without("the API has no edge cache settings")),
    ("timeout_seconds", Without("the API has no time limit for a cron job")),
    ("timeoutSeconds", Without("the API has no time limit for a cron job")),
    ("displayName", NO_LABELS),
    ("description", NO_LABELS),
    ("tags", NO_LABELS),
    ("scope", NO_LABELS),
];

const IMAGE: [Word; 5] = [
    ("url", Home("`spec.image`")),
    ("repository", Home("`spec.image`")),
    ("tag", Home("`spec.image`, after `:`")),
    ("digest", Home("`spec.image`, after `@`")),
    ("creds", NO_CREDENTIALS),
];

const NO_CHECKS: Fate = Without("the API has only the path of a health check");

const HEALTH_CHECK: [Word; 9] = [
    ("path", Home("`spec.healthCheckPath`")),
    ("interval", NO_CHECKS),
    ("intervalSeconds", NO_CHECKS),
    ("timeout", NO_CHECKS),
    ("timeoutSeconds", NO_CHECKS),
    ("initialDelaySeconds", NO_CHECKS),
    ("port", NO_CHECKS),
    ("initialDelay", NO_CHECKS),
    ("threshold", NO_CHECKS),
];

const SCALING: [Word; 10] = [
    ("minInstances", Home("`spec.scaling.minInstances`")),
    ("min", Home("`spec.scaling.minInstances`")),
    ("min_instances", Home("`spec.scaling.minInstances`")),
    ("maxInstances", Home("`spec.scaling.maxInstances`")),
    ("max", Home("`spec.scaling.maxInstances`")),
    ("max_instances", Home("`spec.scaling.maxInstances`")),
    ("targetCPUPercent", Home("`spec.scaling.targetCPUPercent`")),
    ("target_cpu_percent", Home("`spec.scaling.targetCPUPercent`")),
    ("targetMemoryPercent", Without("the API scales only by CPU")),
    ("enabled", Without("the API scales wherever `scaling` is given")),
];

const DISK: [Word; 3] = [
    ("name", Home("`spec.disk.name`; without one, `data` on creation")),
    ("mountPath", Home("`spec.disk.mountPath`")),
    ("sizeGB", Home("`spec.disk.sizeGB`; without one, 10 on creation")),
];

const DATABASE: [Word; 25] = [
    ("name", Home("`metadata.name`")),
    ("type", Home("`spec.type`; `keyvalue` is `valkey`")),
    ("databaseName", Home("`spec.databaseName`")),
    ("user", Home("`spec.user`")),
    ("plan", Home("`spec.plan`")),
    ("region", Home("`spec.region`")),
    ("version", Home("`spec.version`")),
    ("postgresMajorVersion", Home("`spec.version`")),
    ("storageGB", Home("`spec.storageGB`")),
    ("diskSizeGB", Home("`spec.storageGB`")),
    ("storage", Home("`spec.storageGB`, from `10Gi`")),
    ("storageAutoscalingEnabled", Without("the API has no automatically growing storage")),
    ("connectionPool", Without("the API has no connection pools")),
    ("highAvailability", Without("the API has no standby databases")),
    ("parameterOverrides", Without("the API has no parameters of databases")),
    ("readReplicas", Without("the API has no replicas of databases")),
    ("ipAllowList", NO_ALLOW_LIST),
    ("maxmemoryPolicy", NO_EVICTION),
    ("persistenceMode", NO_EVICTION),
    ("previewPlan", NO_PREVIEWS),
    ("previewDiskSizeGB", NO_PREVIEWS),
    ("displayName", NO_LABELS),
    ("description", NO_LABELS),
    ("tags", NO_LABELS),
    ("scope", NO_LABELS),
];

const GROUP: [Word; 5] = [
    ("name", Home("`metadata.name`")),
    ("envVars", Home("`spec.envVars`")),
    ("displayName", NO_LABELS),
    ("description", NO_LABELS),
    ("scope", NO_LABELS),
];

const VARIABLE: [Word; 17] = [
    ("key", Home("`key`")),
    ("value", Home("`value`: a text; numbers and booleans as written")),
    ("fromDatabase", Home("`fromDatabase`")),
    ("fromService", Home("`fromService`")),
    ("from_service", Home("`fromService`, with `property` next to it")),
    ("property", Home("`property` of `from_service`")),
    ("fromCache", Home("`fromDatabase`")),
    ("fromGroup", Home("`spec.envGroups`: the whole group")),
    ("generateValue", Home("`generateValue`")),
    ("sync", Home("`sync`: `false` means set by hand")),
    ("external", Home("`external` of the group, or of `from_service`")),
    ("previewValue", NO_PREVIEWS),
    ("previewSync", NO_PREVIEWS),
    ("scope", Without("the API has no scopes of variables")),
    ("sensitive", Without("a secret is recognised by its key and its value")),
    ("description", NO_LABELS),
    ("displayName", NO_LABELS),
];

const REFERENCE: [Word; 5] = [
    ("name", Home("`name`")),
    ("type", Home("nothing: it says whether this is a service or a database")),
    ("property", Home("`property`")),
    ("envVarKey", Home("`envVarKey`")),
    ("external", Home("`external`")),
];

impl MappingKind {
    /// Every place, in the order of the page.
    pub const ALL: [Self; 14] = [
        Self::Top,
        Self::Pipeline,
        Self::Project,
        Self::Environment,
        Self::Ungrouped,
        Self::Service,
        Self::Image,
        Self::HealthCheck,
        Self::Scaling,
        Self::Disk,
        Self::Database,
        Self::Group,
        Self::Variable,
        Self::Reference,
    ];

    /// Returns the path that messages name.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Pipeline => "pipeline",
            Self::Project => "projects",
            Self::Environment => "projects.environments",
            Self::Ungrouped => "ungrouped",
            Self::Service => "services",
            Self::Image => "services.image",
            Self::HealthCheck => "services.healthCheck",
            Self::Scaling => "services.scaling",
            Self::Disk => "services.disk",
            Self::Database => "databases",
            Self::Group => "envVarGroups",
            Self::Variable => "envVars",
            Self::Reference => "envVars.fromService",
        }
    }

    /// Returns the words that may stand there.
    pub const fn words(self) -> &'static [Word] {
        match self {
            Self::Top => &TOP,
            Self::Pipeline => &PIPELINE,
            Self::Project => &PROJECT,
            Self::Environment => &ENVIRONMENT,
            Self::Ungrouped => &UNGROUPED,
            Self::Service => &SERVICE,
            Self::Image => &IMAGE,
            Self::HealthCheck => &HEALTH_CHECK,
            Self::Scaling => &SCALING,
            Self::Disk => &DISK,
            Self::Database => &DATABASE,
            Self::Group => &GROUP,
            Self::Variable => &VARIABLE,
            Self::Reference => &REFERENCE,
        }
    }
}

/// Takes a mapping of a Blueprint. Of a word without a home it is told why; of one that nobody
/// knows, which was meant.
pub(in super::super) fn open<'d, 'a>(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'d, 'a>,
    place: MappingKind,
) -> Option<Yaml<'d, 'a>> {
    let Some(entries) = yaml.entries() else {
        reader.wrong_type(yaml, place.path(), "a mapping");
        return None;
    };
    for (key, at, value) in entries {
        let fate = place.words().iter().find(|(word, _)| *word == key).map(|(_, fate)| *fate);
        match fate {
            Some(Home(_)) => {}
            Some(Without(_)) if value.is_null() => {}
            Some(Without(reason)) => {
                value.take();
                let message = format!("`{}` is left out: {reason}", path(place, key));
                reader.leave_out(at, message, "set it on the platform, if it supports it");
            }
            None => {
                value.take();
                let message = format!("unknown field `{}`", path(place, &quoted(key)));
                let known: Vec<&str> = place.words().iter().map(|(word, _)| *word).collect();
                let hint = nearest(key, &known).map(|word| format!("did you mean `{word}`?"));
                reader.mind(at, "unknown-field", message, hint);
            }
        }
    }
    Some(yaml)
}

fn path(place: MappingKind, key: &str) -> String {
    match place.path() {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}
