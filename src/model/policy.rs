//! What the platform lets one do with each field, and what doing it costs the running service.
//!
//! The table is the platform's documented behaviour (`docs/platform.md`); what is only
//! assumed lives in the dialect.

use super::{FieldPath, FieldValue, Kind, Setting};

/// What a change does to what runs. Ordered: the greater one wins for a whole change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing is interrupted.
    None,
    /// The instances are started anew.
    Restart,
    /// It is built anew, then started.
    Rebuild,
    /// It ceases to be.
    Destroy,
}

/// Whether a field can be changed once its resource exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// A PATCH changes it.
    Mutable,
    /// A PATCH changes it, but only upwards (disks only grow).
    GrowOnly,
    /// Only another resource can have another value (F4: databases and env groups have no PATCH).
    Immutable,
}

/// How one field may be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPolicy {
    /// Whether it can be changed.
    pub mutability: Mutability,
    /// What changing it does to what runs.
    pub effect: Effect,
}

/// Returns how a field of a kind may be treated.
#[must_use]
pub const fn policy(kind: Kind, path: &FieldPath) -> FieldPolicy {
    use Mutability::{GrowOnly, Immutable, Mutable};
    let (mutability, effect) = match (kind, path) {
        (Kind::EnvGroup | Kind::Database, _) => (Immutable, Effect::None),
        (Kind::Service, FieldPath::Env(_)) => (Mutable, Effect::Restart),
        (Kind::Service, FieldPath::Setting(setting)) => service_policy(*setting),
    };
    return FieldPolicy { mutability, effect };

    const fn service_policy(setting: Setting) -> (Mutability, Effect) {
        match setting {
            Setting::Type | Setting::Region => (Immutable, Effect::Destroy),
            Setting::Runtime
            | Setting::Repo
            | Setting::Branch
            | Setting::RootDir
            | Setting::DockerfilePath
            | Setting::Image
            | Setting::BuildCommand => (Mutable, Effect::Rebuild),
            Setting::StartCommand
            | Setting::PreDeployCommand
            | Setting::Port
            | Setting::Plan
            | Setting::HealthCheckPath
            | Setting::DiskName
            | Setting::DiskMountPath
            | Setting::EnvGroups => (Mutable, Effect::Restart),
            Setting::DiskSizeGb => (GrowOnly, Effect::Restart),
            Setting::Name
            | Setting::Schedule
            | Setting::MinInstances
            | Setting::MaxInstances
            | Setting::TargetCpuPercent
            | Setting::AutoDeploy
            | Setting::Domains => (Mutable, Effect::None),
            // A service has none of these; were one declared, nothing could change it.
            Setting::Version | Setting::StorageGb | Setting::DatabaseName | Setting::User => {
                (Immutable, Effect::None)
            }
        }
    }
}

/// Returns the value as the platform writes it, so that two spellings of one thing are equal.
///
/// Database engines are renamed by the platform (`postgres`/`postgresql`, `mysql` → `mariadb`,
/// `redis` → `valkey`); domains and repositories are compared without what does not name another
/// place (case of the host, scheme, `.git`, a closing slash); so are the path of a health check and
/// the blanks of a schedule.
#[must_use]
pub fn canonical(kind: Kind, path: &FieldPath, value: &FieldValue) -> FieldValue {
    match (kind, path, value) {
        (Kind::Database, FieldPath::Setting(Setting::Type), FieldValue::Text(text)) => {
            FieldValue::Text(canonical_engine(text))
        }
        (Kind::Service, FieldPath::Setting(Setting::Repo), FieldValue::Text(text)) => {
            FieldValue::Text(canonical_repo(text))
        }
        (Kind::Service, FieldPath::Setting(Setting::Domains), FieldValue::Set(items)) => {
            let items = items.iter().map(|item| item.trim_end_matches('.').to_ascii_lowercase());
            FieldValue::Set(items.collect())
        }
        (_, FieldPath::Setting(Setting::HealthCheckPath), FieldValue::Text(text)) => {
            let path = text.strip_suffix('/').filter(|it| !it.is_empty() && !it.ends_with('/'));
            FieldValue::Text(path.unwrap_or(text).to_owned())
        }
        (_, FieldPath::Setting(Setting::Schedule), FieldValue::Text(text)) => {
            let fields: Vec<&str> = text.split_ascii_whitespace().collect();
            FieldValue::Text(fields.join(" "))
        }
        // Numbers and texts are told apart by YAML's and JSON's rules, not by the setting: a
        // version 16 and "16" are one.
        (_, FieldPath::Setting(Setting::Version), FieldValue::Integer(number)) => {
            FieldValue::Text(number.to_string())
        }
        _ => value.clone(),
    }
}

/// Whether two values of a field are one thing, however each is spelled.
#[must_use]
pub fn is_same(kind: Kind, path: &FieldPath, left: &FieldValue, right: &FieldValue) -> bool {
    // Most often nothing has to be spelled anew.
    left == right || canonical(kind, path, left) == canonical(kind, path, right)
}

fn canonical_engine(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "postgresql" => "postgres".to_owned(),
        "mysql" => "mariadb".to_owned(),
        "redis" => "valkey".to_owned(),
        other => other.to_owned(),
    }
}

fn canonical_repo(text: &str) -> String {
    let text = text.trim_end_matches('/');
    let text = text.strip_suffix(".git").unwrap_or(text);
    let text = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .or_else(|| text.strip_prefix("ssh://"))
        .unwrap_or(text);
    let text =
        text.strip_prefix("git@").map_or_else(|| text.to_owned(), |t| t.replacen(':', "/", 1));
    match text.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.to_ascii_lowercase()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, path: &str, left: &str, right: &str) {
        let path: FieldPath = path.parse().unwrap();
        let value = |text: &str| FieldValue::Text(text.to_owned());
        assert!(is_same(kind, &path, &value(left), &value(right)), "{left} {right}");
        assert!(!is_same(kind, &path, &value(left), &value("another")), "{left}");
    }

    #[test]
    fn spellings_of_one_thing_are_equal() {
        check(Kind::Database, "type", "postgresql", "postgres");
        check(Kind::Database, "type", "redis", "valkey");
        check(Kind::Service, "repo", "https://GitHub.com/acme/shop.git", "github.com/acme/shop");
        check(Kind::Service, "repo", "git@github.com:acme/shop.git", "github.com/acme/shop/");
        check(Kind::Service, "healthCheckPath", "/up/", "/up");
        check(Kind::Service, "schedule", "0  2 * * *", " 0 2 * *\t*");
    }

    #[test]
    fn nothing_of_a_database_or_an_env_group_can_be_changed() {
        for setting in Setting::ALL {
            for kind in [Kind::Database, Kind::EnvGroup] {
                let policy = policy(kind, &FieldPath::Setting(*setting));
                assert_eq!(policy.mutability, Mutability::Immutable, "{kind} {setting:?}");
            }
        }
    }
}
