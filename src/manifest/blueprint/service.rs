//! The services of a Blueprint, with the older words for their settings.

use std::collections::BTreeSet;

use super::super::draft::{Drafts, set, text_of};
use super::super::reader::Reader;
use super::super::tree::Yaml;
use super::super::{group, scalar, setting, variable};
use super::words::{self, Place};
use super::{begin, given, gives_way, take, take_region};
use crate::model::{EnvSet, FieldPath, FieldValue, Kind, Resource, Setting, Source};

/// The settings of a service that are read alike, each with its spellings, the present one first.
const SPELLINGS: [(Setting, &[&str]); 13] = [
    (Setting::Runtime, &["runtime", "env"]),
    (Setting::Plan, &["plan"]),
    (Setting::Repo, &["repo"]),
    (Setting::Branch, &["branch"]),
    (Setting::RootDir, &["rootDir"]),
    (Setting::DockerfilePath, &["dockerfilePath"]),
    (Setting::BuildCommand, &["buildCommand"]),
    (Setting::StartCommand, &["startCommand", "dockerCommand"]),
    (Setting::PreDeployCommand, &["preDeployCommand"]),
    (Setting::Schedule, &["schedule"]),
    (Setting::Port, &["port"]),
    (Setting::AutoDeploy, &["autoDeploy"]),
    (Setting::HealthCheckPath, &["healthCheckPath"]),
];

pub(super) fn read(
    reader: &mut Reader<'_>,
    item: Yaml<'_, '_>,
    region: Option<Yaml<'_, '_>>,
    engines: &[&str],
    drafts: &mut Drafts,
) {
    let Some(item) = words::open(reader, item, Place::Service) else {
        return;
    };
    let Some(mut service) = begin(reader, item, Kind::Service, "services") else {
        return;
    };
    service_type(reader, item, &mut service);
    for (setting, spellings) in SPELLINGS {
        take(reader, item, spellings, setting, &mut service);
    }
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
    if let Some(yaml) = given(item, "envVars") {
        variable::read_all(reader, yaml, &mut service, drafts, engines);
    }
    // The vendor's own apply takes nothing away.
    if service.declares_env {
        service.lifecycle.env_vars = EnvSet::Additive;
    }
    drafts.resources.push(service);
}

/// The API knows no private service: a worker runs the same program and is not on the internet
/// either, but other services cannot reach its port.
fn service_type(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let Some(yaml) = given(item, "type") else {
        let origin = service.origin.clone();
        set(service, Setting::Type, FieldValue::Text("web".to_owned()), origin);
        return;
    };
    if matches!(yaml.scalar(), Some(("pserv" | "private" | "private_service", _))) {
        yaml.take();
        let message = format!("the private service `{}` is treated as a worker", service.key.name);
        let hint =
            "the API has no private services; write `type: worker`, or `web` when others call it";
        reader.warn(yaml, "private-service", message, hint);
        let origin = reader.origin(yaml);
        set(service, Setting::Type, FieldValue::Text("worker".to_owned()), origin);
        return;
    }
    take(reader, item, &["type"], Setting::Type, service);
}

/// In this dialect a `web` service with the runtime `static` is a static site. It has no process, so
/// neither a runtime nor a port.
fn static_site(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
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
        let message = "`services.port` is left out: a static site has no process that listens";
        reader.leave_out(yaml, message, "remove the line");
    }
}

/// `autoDeployTrigger` is the younger word, and wins.
fn auto_deploy(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
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
            "`services.autoDeployTrigger` is left out: the API deploys on each commit, or never";
        return reader.leave_out(yaml, message, "one of `commit` and `off`");
    };
    if let Some(older) = given(item, "autoDeploy")
        && older.scalar().and_then(|(text, _)| scalar::truth_leniently(text)) != Some(deploys)
    {
        let message = "`autoDeploy` gives way to `autoDeployTrigger`";
        reader.leave_out(older, message, "remove one of the two");
    }
    let origin = reader.origin(yaml);
    set(service, Setting::AutoDeploy, FieldValue::Boolean(deploys), origin);
}

/// All spellings together are the domains: one does not take another away.
fn domains(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
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
fn image(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let Some(yaml) = given(item, "image") else {
        return;
    };
    if yaml.entries().is_none() {
        return take(reader, item, &["image"], Setting::Image, service);
    }
    words::open(reader, yaml, Place::Image);
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
            reader.error(part, "malformed", format!("`services.image.{key}` is none"));
        } else if is_there && !image.ends_with(&format!("{mark}{text}")) {
            let message = format!("`services.image.{key}` gives way to the one in the image");
            reader.leave_out(part, message, "remove one of the two");
        } else if !is_there {
            image = format!("{image}{mark}{text}");
        }
    }
    let origin = reader.origin(yaml);
    set(service, Setting::Image, FieldValue::Text(image), origin);
}

fn health_check(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let Some(check) = given(item, "healthCheck") else {
        return;
    };
    let older = match check.entries() {
        Some(_) => {
            words::open(reader, check, Place::HealthCheck);
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
        (None, Some(_)) => take(reader, item, &["healthCheck"], Setting::HealthCheckPath, service),
        (_, None) => {}
    }
}

fn scaling(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let count = given(item, "numInstances");
    if let Some(scaling) = given(item, "scaling") {
        if words::open(reader, scaling, Place::Scaling).is_none() {
            return;
        }
        take(reader, scaling, &["minInstances", "min"], Setting::MinInstances, service);
        take(reader, scaling, &["maxInstances", "max"], Setting::MaxInstances, service);
        take(reader, scaling, &["targetCPUPercent"], Setting::TargetCpuPercent, service);
        if let Some(count) = count {
            let message = "`numInstances` gives way to `scaling`";
            reader.leave_out(count, message, "remove one of the two");
        }
        return;
    }
    if let Some(count) = count
        && matches!(count.scalar(), Some(("0", _)))
    {
        let message = "`numInstances: 0` stops a service, and the API has none that is stopped";
        return reader.error_with(count, "out-of-range", message, "stop it on the platform");
    }
    take(reader, item, &["numInstances"], Setting::MaxInstances, service);
    take(reader, item, &["numInstances"], Setting::MinInstances, service);
}

/// A disk needs a path. Its name and its size are the platform's once it lives; what a new one gets
/// is derived when it is created (`check`).
fn disk(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let Some(disk) = given(item, "disk") else {
        return;
    };
    if words::open(reader, disk, Place::Disk).is_none() {
        return;
    }
    take(reader, disk, &["name"], Setting::DiskName, service);
    take(reader, disk, &["mountPath"], Setting::DiskMountPath, service);
    take(reader, disk, &["sizeGB"], Setting::DiskSizeGb, service);
    if disk.get("mountPath").is_none() {
        reader.error(disk, "missing-field", "`disk.mountPath` is missing");
    }
}
