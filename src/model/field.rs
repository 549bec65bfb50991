//! What a resource consists of: paths and values, the same for desired, live and inventory.
//!
//! A resource is a flat map from `FieldPath` to value. The set of settings is closed, so a new one
//! breaks the build wherever it matters: policy, manifest forms, wire.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Key, Kind, Name, Secret};

/// The key of an environment variable: not empty, without `=`, blanks and control characters.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct EnvKey(String);

impl EnvKey {
    /// Bounds what an answer can make us store; no shell or platform takes longer ones.
    const LENGTH_MAX: usize = 256;

    /// Parses the key of a variable.
    ///
    /// # Errors
    /// When the text could not be a variable of a process.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a variable's key is empty".to_owned());
        }
        if text.len() > Self::LENGTH_MAX {
            return Err(format!("a variable's key is longer than {} bytes", Self::LENGTH_MAX));
        }
        if text.chars().any(|c| c == '=' || c.is_control() || c.is_whitespace()) {
            return Err(format!("{text:?} holds `=`, a blank or a control character"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EnvKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<EnvKey> for String {
    fn from(key: EnvKey) -> Self {
        key.0
    }
}

/// Declares the closed set of settings with the spelling users read, so that neither is forgotten.
macro_rules! settings {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)*) => {
        /// One setting of a resource, spelled as in a native manifest below `spec`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Setting { $($(#[$doc])* $variant,)* }

        impl Setting {
            /// Every setting, in the order plans list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the spelling of native manifests, for example `scaling.maxInstances`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

settings! {
    /// The name itself; it differs from live only in a rename.
    Name => "name",
    /// `web`, `worker`, `cron`, `static`; or the engine of a database.
    Type => "type",
    /// The language or form a service is built from.
    Runtime => "runtime",
    /// The repository of the application.
    Repo => "repo",
    /// The branch that is deployed.
    Branch => "branch",
    /// The folder of the application in its repository.
    RootDir => "rootDir",
    /// The Dockerfile in the repository.
    DockerfilePath => "dockerfilePath",
    /// A ready image instead of a repository.
    Image => "image",
    /// The command that builds.
    BuildCommand => "buildCommand",
    /// The command that starts.
    StartCommand => "startCommand",
    /// The command that runs before each deployment.
    PreDeployCommand => "preDeployCommand",
    /// The port the application listens on.
    Port => "port",
    /// The plan that is paid for.
    Plan => "plan",
    /// The region it runs in.
    Region => "region",
    /// The times of a cron job.
    Schedule => "schedule",
    /// The path that answers when the application is well.
    HealthCheckPath => "healthCheckPath",
    /// The fewest instances.
    MinInstances => "scaling.minInstances",
    /// The most instances.
    MaxInstances => "scaling.maxInstances",
    /// The load, in percent of a processor, that autoscaling aims for.
    TargetCpuPercent => "scaling.targetCPUPercent",
    /// The disk's name.
    DiskName => "disk.name",
    /// Where the disk is mounted.
    DiskMountPath => "disk.mountPath",
    /// The disk's size in GB; it only grows.
    DiskSizeGb => "disk.sizeGB",
    /// Whether a push deploys by itself.
    AutoDeploy => "autoDeploy",
    /// The custom domains.
    Domains => "domains",
    /// The env groups attached, by name.
    EnvGroups => "envGroups",
    /// A database's major version.
    Version => "version",
    /// A database's storage in GB.
    StorageGb => "storageGB",
    /// The database created inside.
    DatabaseName => "databaseName",
    /// The user created inside.
    User => "user",
}

/// The place of one value in a resource.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub enum FieldPath {
    /// A setting, for example `scaling.maxInstances`.
    Setting(Setting),
    /// An environment variable, written `envVars.KEY`.
    Env(EnvKey),
}

impl FieldPath {
    /// Returns the variable's key, when the path is that of a variable.
    #[must_use]
    pub const fn env_key(&self) -> Option<&EnvKey> {
        match self {
            Self::Env(key) => Some(key),
            Self::Setting(_) => None,
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(setting) => formatter.write_str(setting.as_str()),
            Self::Env(key) => write!(formatter, "envVars.{}", key.as_str()),
        }
    }
}

impl FromStr for FieldPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(key) = text.strip_prefix("envVars.") {
            return EnvKey::new(key).map(Self::Env);
        }
        Setting::ALL
            .iter()
            .find(|setting| setting.as_str() == text)
            .map(|setting| Self::Setting(*setting))
            .ok_or_else(|| format!("unknown field `{text}`"))
    }
}

impl TryFrom<String> for FieldPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FieldPath> for String {
    fn from(path: FieldPath) -> Self {
        path.to_string()
    }
}

/// A variable whose value the platform takes from another resource (A17).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reference {
    /// Database or service.
    pub kind: Kind,
    /// The name of the resource referred to.
    pub name: Name,
    /// What is taken of it, for example `connectionString`.
    pub property: String,
    /// With property `envVar`: the variable of the service referred to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_key: Option<EnvKey>,
}

impl Reference {
    /// Returns the resource referred to.
    #[must_use]
    pub fn target(&self) -> Key {
        Key::new(self.kind, self.name.clone())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, property, env_key } = self;
        write!(formatter, "{kind}/{name}:{property}")?;
        env_key.as_ref().map_or(Ok(()), |key| write!(formatter, ":{}", key.as_str()))
    }
}

/// One value. What is large stands apart: a project holds hundreds of thousands of values, and most
/// are short texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth.
    Boolean(bool),
    /// A set of texts; order and repetition mean nothing (domains, env groups).
    Set(BTreeSet<String>),
    /// A value that must not be seen.
    Secret(Box<Secret>),
    /// A value the platform takes from another resource.
    Reference(Box<Reference>),
}

impl From<Secret> for FieldValue {
    fn from(secret: Secret) -> Self {
        Self::Secret(Box::new(secret))
    }
}

impl From<Reference> for FieldValue {
    fn from(reference: Reference) -> Self {
        Self::Reference(Box::new(reference))
    }
}

impl FieldValue {
    /// Whether the value must not be shown.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        matches!(self, Self::Secret(_))
    }

    /// Returns what the value refers to when it stands at that path: the env groups attached, and
    /// what a variable is taken from.
    #[must_use]
    pub fn refers_to(&self, path: &FieldPath) -> Vec<Key> {
        match (self, path) {
            (Self::Reference(reference), _) => vec![reference.target()],
            (Self::Set(names), FieldPath::Setting(Setting::EnvGroups)) => {
                let names = names.iter().filter_map(|name| Name::new(name).ok());
                names.map(|name| Key::new(Kind::EnvGroup, name)).collect()
            }
            (
                Self::Text(_)
                | Self::Integer(_)
                | Self::Boolean(_)
                | Self::Set(_)
                | Self::Secret(_),
                _,
            ) => Vec::new(),
        }
    }
}

/// Shows what may be seen; a secret shows that it is one.
impl fmt::Display for FieldValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Boolean(truth) => write!(formatter, "{truth}"),
            Self::Set(items) => {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                write!(formatter, "[{}]", items.join(", "))
            }
            Self::Secret(_) => formatter.write_str("(secret)"),
            Self::Reference(reference) => write!(formatter, "(from {reference})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_reads_back_as_itself() {
        for setting in Setting::ALL {
            let path = FieldPath::Setting(*setting);
            assert_eq!(path.to_string().parse::<FieldPath>().unwrap(), path);
        }
        let path: FieldPath = "envVars.A.B".parse().unwrap();
        assert_eq!(path, FieldPath::Env(EnvKey::new("A.B").unwrap()));
        assert!("envVars.".parse::<FieldPath>().is_err());
        assert!("envvars".parse::<FieldPath>().is_err());
    }
}
