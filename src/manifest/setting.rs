//! The table of settings: which kind has which, and what its value must look like. Both forms read
//! through it, so both are checked alike.

use std::collections::BTreeSet;

use super::reader::{DocumentForm, DocumentReader, quoted};
use super::suggest::nearest;
use super::tree::Yaml;
use crate::model::{CronSchedule, FieldValue, Kind, ScheduleError, Setting};

/// The languages and forms the platform's documents name. The set is open: a new one is no error.
const RUNTIMES: [&str; 16] = [
    "node",
    "python",
    "go",
    "ruby",
    "rust",
    "elixir",
    "docker",
    "image",
    "static",
    "php",
    "java",
    "bun",
    "deno",
    "dotnet",
    "nixpacks",
    "buildpack",
];

/// The database engines the platform's documents name. Open as well.
pub(super) const ENGINES: [&str; 16] = [
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "redis",
    "valkey",
    "mongodb",
    "kafka",
    "clickhouse",
    "rabbitmq",
    "documentdb",
    "rustfs",
    "s3",
    "memcached",
    "elasticsearch",
    "keyvalue",
];

/// The types of service, in our words and in the API's.
const SERVICE_TYPES: [(&str, &str); 8] = [
    ("web", "web"),
    ("worker", "worker"),
    ("cron", "cron"),
    ("static", "static"),
    ("web_service", "web"),
    ("background_worker", "worker"),
    ("cron_job", "cron"),
    ("static_site", "static"),
];

/// More GB than any disk sold; it catches megabytes written as gigabytes.
pub(super) const SIZE_GB_MAX: i64 = 65_536;

/// Far beyond any plan; it catches a port written as a number of instances.
const INSTANCES_MAX: i64 = 1_000;

/// Returns the settings a native document of a kind may hold below `spec`.
pub(super) fn settings_of(kind: Kind) -> impl Iterator<Item = Setting> {
    Setting::ALL.iter().copied().filter(move |setting| belongs(kind, *setting))
}

/// Whether a kind has a setting. A name is metadata, so no kind has it below `spec`.
pub(super) const fn belongs(kind: Kind, setting: Setting) -> bool {
    match setting {
        Setting::Name => false,
        Setting::Type | Setting::Plan | Setting::Region => !matches!(kind, Kind::EnvGroup),
        Setting::Version | Setting::StorageGb | Setting::DatabaseName | Setting::User => {
            matches!(kind, Kind::Database)
        }
        Setting::Runtime
        | Setting::Repo
        | Setting::Branch
        | Setting::RootDir
        | Setting::DockerfilePath
        | Setting::Image
        | Setting::BuildCommand
        | Setting::StartCommand
        | Setting::PreDeployCommand
        | Setting::Port
        | Setting::Schedule
        | Setting::HealthCheckPath
        | Setting::MinInstances
        | Setting::MaxInstances
        | Setting::TargetCpuPercent
        | Setting::DiskName
        | Setting::DiskMountPath
        | Setting::DiskSizeGb
        | Setting::AutoDeploy
        | Setting::Domains
        | Setting::EnvGroups => matches!(kind, Kind::Service),
    }
}

/// Reads the value of a setting. `envGroups` holds references and is read with them.
pub(super) fn read(
    reader: &mut DocumentReader<'_>,
    kind: Kind,
    setting: Setting,
    yaml: Yaml<'_, '_>,
) -> Option<FieldValue> {
    let path = format!("spec.{}", setting.as_str());
    match setting {
        Setting::Name | Setting::EnvGroups => None,
        Setting::Type if kind == Kind::Database => engine(reader, yaml, &path),
        Setting::Type => service_type(reader, yaml, &path),
        Setting::Runtime => word(reader, yaml, &path, &RUNTIMES),
        Setting::Repo
        | Setting::Branch
        | Setting::Image
        | Setting::Region
        | Setting::Version
        | Setting::DatabaseName
        | Setting::User
        | Setting::DiskName
        | Setting::DockerfilePath => word(reader, yaml, &path, &[]),
        Setting::Plan => plan(reader, yaml, &path),
        Setting::RootDir
        | Setting::BuildCommand
        | Setting::StartCommand
        | Setting::PreDeployCommand => command(reader, yaml, &path),
        Setting::Port => integer(reader, yaml, &path, 1..=65_535),
        Setting::MinInstances => integer(reader, yaml, &path, 0..=INSTANCES_MAX),
        Setting::MaxInstances => integer(reader, yaml, &path, 1..=INSTANCES_MAX),
        Setting::TargetCpuPercent => integer(reader, yaml, &path, 1..=100),
        Setting::DiskSizeGb | Setting::StorageGb => integer(reader, yaml, &path, 1..=SIZE_GB_MAX),
        Setting::AutoDeploy => reader.boolean(yaml, &path).map(FieldValue::Boolean),
        Setting::Schedule => schedule(reader, yaml, &path),
        Setting::HealthCheckPath => absolute(reader, yaml, &path, "/health"),
        Setting::DiskMountPath => absolute(reader, yaml, &path, "/data"),
        Setting::Domains => domains(reader, yaml, &path),
    }
}

/// Reads the engine of a database. The platform has no `keyvalue`: what other dialects call so is
/// its `valkey`.
fn engine(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>, path: &str) -> Option<FieldValue> {
    match word(reader, yaml, path, &ENGINES)? {
        FieldValue::Text(text) if text == "keyvalue" => Some(FieldValue::Text("valkey".to_owned())),
        other => Some(other),
    }
}

/// Reads the plan. Some are of several words: `pro plus`.
fn plan(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>, path: &str) -> Option<FieldValue> {
    let is_words = |text: &str| text.split(' ').all(|word| !word.is_empty());
    let is_plain =
        |text: &str| !text.chars().any(|c| c != ' ' && (c.is_whitespace() || c.is_control()));
    match yaml.scalar() {
        Some((text, _)) if text.contains(' ') && is_words(text) && is_plain(text) => {
            reader.text(yaml, path).map(FieldValue::Text)
        }
        _ => word(reader, yaml, path, &[]),
    }
}

fn integer(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    path: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Option<FieldValue> {
    reader.integer(yaml, path, range).map(FieldValue::Integer)
}

/// Reads a text that is one word. A word near a known one is probably a slip: a warning, because
/// the platform may know more words than we do.
fn word(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    path: &str,
    known: &[&str],
) -> Option<FieldValue> {
    let text = reader.text(yaml, path)?;
    if text.is_empty() {
        reader.error_with(yaml, "no-value", format!("`{path}` is empty"), "remove the line");
        return None;
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let message = format!("`{path}` contains a space or a control character");
        reader.error(yaml, "malformed", message);
        return None;
    }
    if !known.is_empty()
        && !known.contains(&text.as_str())
        && let Some(near) = nearest(&text, known)
    {
        let message = format!("unknown value `{}` for `{path}`", quoted(&text));
        reader.warn(yaml, "unknown-word", message, format!("did you mean `{near}`?"));
    }
    Some(FieldValue::Text(text))
}

fn service_type(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    path: &str,
) -> Option<FieldValue> {
    let text = reader.text(yaml, path)?;
    let found = SERVICE_TYPES.iter().find(|(word, _)| *word == text);
    if let Some((_, ours)) = found {
        return Some(FieldValue::Text((*ours).to_owned()));
    }
    let message = format!("unknown service type `{}`", quoted(&text));
    let words: Vec<&str> = SERVICE_TYPES.iter().map(|(word, _)| *word).collect();
    let hint = match nearest(&text, &words) {
        Some(near) => format!("did you mean `{near}`?"),
        None if ENGINES.contains(&text.as_str()) => "write it as `kind: Database`".to_owned(),
        None => "one of web, worker, cron, static".to_owned(),
    };
    reader.error_with(yaml, "service-type", message, hint);
    None
}

/// Reads a command. In a Blueprint `${…}` in it is the shell's, and the platform runs the shell.
fn command(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>, path: &str) -> Option<FieldValue> {
    let text = match reader.form {
        DocumentForm::Native => reader.text(yaml, path)?,
        DocumentForm::Blueprint => reader.text_as_written(yaml, path)?,
    };
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        reader.error(yaml, "malformed", format!("`{path}` contains a control character"));
        return None;
    }
    Some(FieldValue::Text(text))
}

fn schedule(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>, path: &str) -> Option<FieldValue> {
    let text = reader.text(yaml, path)?;
    if is_wider(&text) {
        let message = format!("`{}` is more than the five fields of cron", quoted(&text));
        reader.warn(yaml, "cron", message, "it is sent unchanged; the platform decides");
    } else if let Err(ScheduleError { reason, hint }) = CronSchedule::parse(&text) {
        let message = format!("invalid cron expression `{}`: {reason}", quoted(&text));
        match hint {
            Some(hint) => reader.error_with(yaml, "cron", message, hint),
            None => reader.error(yaml, "cron", message),
        }
        // The error is noted; without a value a second one would say that there is no schedule.
    }
    Some(FieldValue::Text(text))
}

/// Whether an expression is right but for the letters that some schedulers know beside numbers: `L`
/// (the last), `W` (a working day), `#` (the nth) and `?`. The vendor's own guide has one.
fn is_wider(text: &str) -> bool {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return false;
    };
    let is_wide = |field: &str| {
        let marks = field.bytes().any(|byte| b"LW#?".contains(&byte));
        marks && field.bytes().all(|byte| byte.is_ascii_digit() || b"LW#?,-".contains(&byte))
    };
    let plain = |field| if is_wide(field) { "*" } else { field };
    let rest = format!("{minute} {hour} {} {month} {}", plain(day), plain(weekday));
    (is_wide(day) || is_wide(weekday)) && CronSchedule::parse(&rest).is_ok()
}

fn absolute(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    path: &str,
    example: &str,
) -> Option<FieldValue> {
    let value = word(reader, yaml, path, &[])?;
    if let FieldValue::Text(text) = &value
        && !text.starts_with('/')
    {
        let message = format!("`{path}` must begin with `/`");
        reader.error_with(yaml, "malformed", message, format!("for example `{example}`"));
        return None;
    }
    Some(value)
}

fn domains(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>, path: &str) -> Option<FieldValue> {
    let mut domains = BTreeSet::new();
    for item in reader.items(yaml, path) {
        let Some(text) = reader.text(item, path) else {
            continue;
        };
        if !is_domain(&text) {
            let message = format!("invalid domain `{}`", quoted(&text));
            let host = text.split("://").last().and_then(|rest| rest.split('/').next());
            match host.filter(|host| is_domain(host)) {
                Some(host) => {
                    reader.error_with(item, "domain", message, format!("write `{host}`"));
                }
                None => reader.error(item, "domain", message),
            }
        } else if !domains.insert(text.clone()) {
            reader.error(item, "duplicate-item", format!("the domain `{text}` is given twice"));
        }
    }
    Some(FieldValue::Set(domains))
}

fn is_domain(text: &str) -> bool {
    let labels = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && labels.contains('.') && labels.split('.').all(is_label)
}
