//! The services of a Blueprint, with the older words for their settings.

use std::collections::BTreeSet;

use super::super::draft::{Drafts, has, set, text_of};
use super::super::reader::DocumentReader;
use super::super::tree::Yaml;
use super::super::{group, scalar, setting, variable};
use super::words::{self, MappingKind};
use super::{Item, given, gives_way, open, take, take_region};
use crate::model::{EnvSet, FieldPath, FieldValue, Kind, Resource, Setting, ValueSource};

/// The settings of a service that are read alike, each with its spellings, the present one first.
const SPELLINGS: [(Setting, &[&str]); 13] = [
    (Setting::Runtime, &["runtime", "env"]),
    (Setting::Plan, &["plan"]),
    (Setting::Repo, &["repo"]),
    (Setting::Branch, &["branch"]),
    (Setting::RootDir, &["rootDir"]),
    (Setting::DockerfilePath, &["dockerfilePath"]),
    (Setting::BuildCommand, &["buildCommand"]),
    (Setting::StartCommand, &["startCommand", "dockerCommand", "start"]),
    (Setting::PreDeployCommand, &["preDeployCommand"]),
    (Setting::Schedule, &["schedule"]),
    (Setting::Port, &["port"]),
    (Setting::AutoDeploy, &["autoDeploy"]),
    (Setting::HealthCheckPath, &["healthCheckPath"]),
];

/// The bounds of scaling, with their spellings.
const BOUNDS: [(Setting, &[&str]); 3] = [
    (Setting::MinInstances, &["minInstances", "min", "min_instances"]),
    (Setting::MaxInstances, &["maxInstances", "max", "max_instances"]),
    (Setting::TargetCpuPercent, &["targetCPUPercent", "target_cpu_percent"]),
];

pub(super) fn read(
    reader: &mut DocumentReader<'_>,
    item: Item<'_, '_>,
    region: Option<Yaml<'_, '_>>,
    engines: &[&str],
    drafts: &mut Drafts,
) {
    let Some(mut service) = open(reader, item, MappingKind::Service, Kind::Service, "services")
    else {
        return;
    };
    let item = item.yaml;
    service_type(reader, item, &mut service);
    // Under the older word for the runtime the other form has the variables.
    let env = given(item, "env").filter(|yaml| yaml.scalar().is_none());
    for (setting, spellings) in SPELLINGS {
        let is_runtime = setting == Setting::Runtime && env.is_some();
        let spellings = if is_runtime { &["runtime"] } else { spellings };
        take(reader, item, spellings, setting, &mut service);
    }
    build(reader, item, &mut service);
    static_site(reader, item, &mut service);
    auto_deploy(reader, item, &mut service);
    domains(reader, item, &mut service);
    image(reader, item, &mut service);
    health_check(reader, item, &mut service);
    scaling(reader, item, &mut service);
    disk(reader, item, &mut service);
    take_region(reader, item, region, &mut service);
    if let Some(yaml) = given(item, "envGroups") {
        group::read_all(reader, yaml, &mut service, drafts);
    }
    for yaml in given(item, "envVars").into_iter().chain(env) {
        variable::read_all(reader, yaml, &mut service, drafts, engines);
    }
    for yaml in ["secrets", "secret_refs"].iter().filter_map(|key| given(item, key)) {
        variable::by_hand(reader, yaml, &mut service);
    }
    from_home(&mut service, drafts);
    // The vendor's own apply takes nothing away.
    if service.declares_env {
        service.lifecycle.env_vars = EnvSet::Additive;
    }
    drafts.resources.push(service);
}

/// In this dialect a service that names no source is of the repository that the file lies in: a new
/// one gets that. One that lives keeps its own.
fn from_home(service: &mut Resource<ValueSource>, drafts: &Drafts) {
    let Some(home) = &drafts.home else { return };
    let is_image = text_of(service, Setting::Runtime) == Some("image");
    if is_image || has(service, Setting::Repo) || has(service, Setting::Image) {
        return;
    }
    let branch = home.branch.clone().filter(|_| !has(service, Setting::Branch));
    let derived = [(Setting::Repo, Some(home.repo.clone())), (Setting::Branch, branch)];
    let derived = derived
        .into_iter()
        .filter_map(|(setting, text)| Some((FieldPath::Setting(setting), FieldValue::Text(text?))));
    service.on_create.extend(derived);
}

/// The directory that is built, of the form that has names for keys; `.` is where everything is.
fn build(reader: &mut DocumentReader<'_>, item: Yaml<'_, '_>, service: &mut Resource<ValueSource>) {
    let Some(yaml) = given(item, "build") else {
        return;
    };
    if let Some(root) = given(item, "rootDir") {
        return gives_way(reader, ("build", yaml), ("rootDir", root));
    }
    match yaml.scalar() {
        Some(("." | "./", _)) => yaml.take(),
        _ => take(reader, item, &["build"], Setting::RootDir, service),
    }
}

/// The API knows no private service: a worker runs the same program and is not on the internet
/// either, but other services cannot reach its port.
fn service_type(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    service: &mut Resource<ValueSource>,
) {
    let Some(yaml) = given(item, "type") else {
        let origin = service.origin.clone();
        set(service, Setting::Type, FieldValue::Text("web".to_owned()), origin);
        return;
    };
    if matches!(yaml.scalar(), Some(("pserv" | "private" | "private_service", _))) {
        yaml.take();
        let message = format!("the private service `{}` is treated as a worker", service.key.name);
        let hint = "the API has no private services; write `type: worker`, or `web` if other \
            services call it";
        reader.warn(yaml, "private-service", message, hint);
        let origin = reader.origin(yaml);
        set(service, Setting::Type, FieldValue::Text("worker".to_owned()), origin);
        return;
    }
    take(reader, item, &["type"], Setting::Type, service);
}

/// In this dialect a `web` service with the runtime `static` is a static site. It has no process, so
/// neither a runtime nor a port.
fn static_site(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    service: &mut Resource<ValueSource>,
) {
    let runtime = FieldPath::Setting(Setting::Runtime);
    let is_web = matches!(text_of(service, Setting::Type), Some("web" | "static"));
    if is_web
        && text_of(service, Setting::Runtime) == Some("static")
        && let Some(field) = service.fields.remove(&runtime)
    {
        let text = FieldValue::Text("static".to_owned());
        set(service, Setting::Type, text, field.origin);
    }
    let port = FieldPath::Setting(Setting::Port);
    let is_static = text_of(service, Setting::Type) == Some("static");
    if is_static
        && service.fields.remove(&port).is_some()
        && let Some(yaml) = item.get("port")
    {
        let message = "`services.port` is left out: a static site has no listening process";
        reader.leave_out(yaml, message, "remove the line");
    }
}

/// `autoDeployTrigger` is the younger word, and wins.
fn auto_deploy(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    service: &mut Resource<ValueSource>,
) {
    let Some(yaml) = given(item, "autoDeployTrigger") else {
        return;
    };
    let Some(trigger) = reader.text_as_written(yaml, "services.autoDeployTrigger") else {
        return;
    };
    let deploys = match trigger.as_str() {
        "commit" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    let Some(deploys) = deploys else {
        let message =
            "`services.autoDeployTrigger` is left out: the API deploys on every commit, or never";
        return reader.leave_out(yaml, message, "one of `commit` and `off`");
    };
    if let Some(older) = given(item, "autoDeploy")
        && older.scalar().and_then(|(text, _)| scalar::truth_leniently(text)) != Some(deploys)
    {
        let message = "`autoDeploy` is ignored in favour of `autoDeployTrigger`";
        reader.leave_out(older, message, "remove one of the two");
    }
    let origin = reader.origin(yaml);
    set(service, Setting::AutoDeploy, FieldValue::Boolean(deploys), origin);
}

/// All spellings together are the domains: one does not take another away.
fn domains(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    service: &mut Resource<ValueSource>,
) {
    let mut domains = BTreeSet::new();
    let mut first = None;
    for yaml in ["domains", "domain", "customDomains"].iter().filter_map(|key| given(item, key)) {
        first = first.or(Some(yaml));
        let named: Vec<_> = reader.items(yaml, "spec.domains");
        let named = named.into_iter().map(|item| item.get("name").unwrap_or(item));
        for place in named {
            let read = setting::read(reader, Kind::Service, Setting::Domains, place);
            if let Some(FieldValue::Set(read)) = read {
                domains.extend(read);
            }
        }
    }
    if let Some(yaml) = first {
        set(service, Setting::Domains, FieldValue::Set(domains), reader.origin(yaml));
    }
}

/// An image as a text, or as a mapping of its parts.
fn image(reader: &mut DocumentReader<'_>, item: Yaml<'_, '_>, service: &mut Resource<ValueSource>) {
    let Some(yaml) = given(item, "image") else {
        return;
    };
    if yaml.entries().is_none() {
        return take(reader, item, &["image"], Setting::Image, service);
    }
    words::open(reader, yaml, MappingKind::Image);
    take(reader, yaml, &["url", "repository"], Setting::Image, service);
    let Some(mut image) = text_of(service, Setting::Image).map(str::to_owned) else {
        let message = "`services.image.url` is missing";
        return reader.error(yaml, "missing-field", message);
    };
    for (key, mark) in [("tag", ':'), ("digest", '@')] {
        let Some(part) = given(yaml, key) else {
            continue;
        };
        let name = image.rsplit('/').next().unwrap_or_default();
        let is_there = name.contains(mark) || name.contains('@');
        let Some(text) = reader.text_as_written(part, &format!("services.image.{key}")) else {
            continue;
        };
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:+".contains(&byte)) {
            reader.error(part, "malformed", format!("`services.image.{key}` is not valid"));
        } else if is_there && !image.ends_with(&format!("{mark}{text}")) {
            let message =
                format!("`services.image.{key}` is ignored in favour of the one in the image");
            reader.leave_out(part, message, "remove one of the two");
        } else if !is_there {
            image = format!("{image}{mark}{text}");
        }
    }
    let origin = reader.origin(yaml);
    set(service, Setting::Image, FieldValue::Text(image), origin);
}

fn health_check(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    service: &mut Resource<ValueSource>,
) {
    let words = ["healthCheck", "healthcheck"];
    let is_there = |word: &&str| given(item, word).is_some();
    let mut spellings = words.into_iter().filter(is_there);
    let Some((word, check)) = spellings.next().and_then(|word| Some((word, given(item, word)?)))
    else {
        return;
    };
    if let Some(other) = spellings.next()
        && let Some((_, at, value)) =
            item.entries().and_then(|mut all| all.find(|it| it.0 == other))
    {
        value.take();
        reader.leave_out(
            at,
            format!("`{other}` is ignored in favour of `{word}`"),
            "remove one of the two",
        );
    }
    let older = match check.entries() {
        Some(_) => {
            words::open(reader, check, MappingKind::HealthCheck);
            given(check, "path")
        }
        None => Some(check),
    };
    match (given(item, "healthCheckPath"), older) {
        (Some(path), Some(older)) => {
            gives_way(reader, ("healthCheck.path", older), ("healthCheckPath", path));
        }
        (None, Some(_)) if check.entries().is_some() => {
            take(reader, check, &["path"], Setting::HealthCheckPath, service);
        }
        (None, Some(_)) => take(reader, item, &[word], Setting::HealthCheckPath, service),
        (_, None) => {}
    }
}

fn scaling(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    service: &mut Resource<ValueSource>,
) {
    let count = given(item, "numInstances");
    if let Some(scaling) = given(item, "scaling") {
        if words::open(reader, scaling, MappingKind::Scaling).is_none() {
            return;
        }
        for (setting, spellings) in BOUNDS {
            take(reader, scaling, spellings, setting, service);
        }
        if let Some(count) = count {
            let message = "`numInstances` is ignored in favour of `scaling`";
            reader.leave_out(count, message, "remove one of the two");
        }
        return;
    }
    if let Some(count) = count
        && matches!(count.scalar(), Some(("0", _)))
    {
        let message = "`numInstances: 0` stops a service, and the API has no stopped services";
        return reader.error_with(count, "out-of-range", message, "stop it on the platform");
    }
    take(reader, item, &["numInstances"], Setting::MaxInstances, service);
    take(reader, item, &["numInstances"], Setting::MinInstances, service);
}

/// A disk needs a path. Its name and its size are the platform's once it lives; what a new one gets
/// is derived when it is created (`check`).
fn disk(reader: &mut DocumentReader<'_>, item: Yaml<'_, '_>, service: &mut Resource<ValueSource>) {
    let Some(disk) = given(item, "disk") else {
        return;
    };
    if words::open(reader, disk, MappingKind::Disk).is_none() {
        return;
    }
    take(reader, disk, &["name"], Setting::DiskName, service);
    take(reader, disk, &["mountPath"], Setting::DiskMountPath, service);
    take(reader, disk, &["sizeGB"], Setting::DiskSizeGb, service);
    if disk.get("mountPath").is_none() {
        reader.error(disk, "missing-field", "`disk.mountPath` is missing");
    }
}
