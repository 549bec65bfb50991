//! The services of a Blueprint, with the older words for their settings.

use super::super::draft::{Drafts, has, set, text_of};
use super::super::reader::Reader;
use super::super::tree::Yaml;
use super::super::{group, setting, variable};
use super::{begin, take, take_region};
use crate::model::{FieldValue, Kind, Resource, Setting, Source};

/// The port the platform assumes for what serves the web.
const PORT_DEFAULT: i64 = 8080;

/// The name of a disk that has none.
const DISK_NAME_DEFAULT: &str = "data";

/// The settings of a service that a Blueprint spells as we do.
const SAME_WORDS: [Setting; 15] = [
    Setting::Plan,
    Setting::Repo,
    Setting::Branch,
    Setting::RootDir,
    Setting::DockerfilePath,
    Setting::BuildCommand,
    Setting::StartCommand,
    Setting::PreDeployCommand,
    Setting::Schedule,
    Setting::Port,
    Setting::AutoDeploy,
    Setting::Runtime,
    Setting::Image,
    Setting::HealthCheckPath,
    Setting::Domains,
];

pub(super) fn read(
    reader: &mut Reader<'_>,
    item: Yaml<'_, '_>,
    region: Option<Yaml<'_, '_>>,
    engines: &[&str],
    drafts: &mut Drafts,
) {
    let mut known: Vec<&str> = SAME_WORDS.iter().map(|setting| setting.as_str()).collect();
    known.extend([
        "type",
        "name",
        "env",
        "domain",
        "healthCheck",
        "numInstances",
        "scaling",
        "disk",
        "region",
        "envVars",
        "envGroups",
    ]);
    let Some(item) = reader.mapping(item, "services", &known) else {
        return;
    };
    let Some(mut service) = begin(reader, item, Kind::Service, "services") else {
        return;
    };
    service_type(reader, item, &mut service);
    same_words(reader, item, &mut service);
    scaling(reader, item, &mut service);
    disk(reader, item, &mut service);
    take_region(reader, item, region, &mut service);
    if text_of(&service, Setting::Type) == Some("web") && !has(&service, Setting::Port) {
        let origin = service.origin.clone();
        set(&mut service, Setting::Port, FieldValue::Integer(PORT_DEFAULT), origin);
    }
    if let Some(yaml) = item.get("envGroups").filter(|yaml| !yaml.is_null()) {
        group::read_all(reader, yaml, &mut service, drafts);
    }
    if let Some(yaml) = item.get("envVars").filter(|yaml| !yaml.is_null()) {
        variable::read_all(reader, yaml, &mut service, drafts, engines);
    }
    drafts.resources.push(service);
}

/// Reads the settings that are spelled as ours, or were once.
fn same_words(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    for setting in SAME_WORDS {
        let inner = match setting {
            Setting::Image => item.get("image").and_then(|image| image.get("url")),
            _ => None,
        };
        match inner {
            Some(url) => {
                if let Some(value) = setting::read(reader, Kind::Service, setting, url) {
                    set(service, setting, value, reader.origin(url));
                }
            }
            None => take(reader, item, words_of(setting), setting, service),
        }
    }
    if let Some(check) = item.get("healthCheck").filter(|_| item.get("healthCheckPath").is_none()) {
        reader.mapping(check, "services.healthCheck", &["path"]);
        take(reader, check, &["path"], Setting::HealthCheckPath, service);
    }
}

/// The spellings of a setting, the present one first.
const fn words_of(setting: Setting) -> &'static [&'static str] {
    match setting {
        Setting::Runtime => &["runtime", "env"],
        Setting::Domains => &["domains", "domain"],
        Setting::Plan => &["plan"],
        Setting::Repo => &["repo"],
        Setting::Branch => &["branch"],
        Setting::RootDir => &["rootDir"],
        Setting::DockerfilePath => &["dockerfilePath"],
        Setting::BuildCommand => &["buildCommand"],
        Setting::StartCommand => &["startCommand"],
        Setting::PreDeployCommand => &["preDeployCommand"],
        Setting::Schedule => &["schedule"],
        Setting::Port => &["port"],
        Setting::AutoDeploy => &["autoDeploy"],
        Setting::Image => &["image"],
        Setting::HealthCheckPath => &["healthCheckPath"],
        _ => &[],
    }
}

/// The API knows no private service: a worker runs the same program and is not on the internet
/// either, but other services cannot reach its port.
fn service_type(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let Some(yaml) = item.get("type").filter(|yaml| !yaml.is_null()) else {
        let origin = service.origin.clone();
        set(service, Setting::Type, FieldValue::Text("web".to_owned()), origin);
        return;
    };
    if matches!(yaml.scalar(), Some(("pserv" | "private" | "private_service", _))) {
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

fn scaling(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let scaling = item.get("scaling").filter(|yaml| !yaml.is_null());
    let count = item.get("numInstances").filter(|yaml| !yaml.is_null());
    match (scaling, count) {
        (Some(scaling), count) => {
            let known = ["minInstances", "maxInstances", "targetCPUPercent", "min", "max"];
            reader.mapping(scaling, "services.scaling", &known);
            take(reader, scaling, &["minInstances", "min"], Setting::MinInstances, service);
            take(reader, scaling, &["maxInstances", "max"], Setting::MaxInstances, service);
            take(reader, scaling, &["targetCPUPercent"], Setting::TargetCpuPercent, service);
            if let Some(count) = count {
                let message = "`numInstances` gives way to `scaling`";
                reader.warn(count, "not-managed", message, "remove one of the two");
            }
        }
        (None, Some(_)) => {
            take(reader, item, &["numInstances"], Setting::MaxInstances, service);
            take(reader, item, &["numInstances"], Setting::MinInstances, service);
        }
        (None, None) => {}
    }
}

fn disk(reader: &mut Reader<'_>, item: Yaml<'_, '_>, service: &mut Resource<Source>) {
    let Some(disk) = item.get("disk").filter(|yaml| !yaml.is_null()) else {
        return;
    };
    reader.mapping(disk, "services.disk", &["name", "mountPath", "sizeGB"]);
    take(reader, disk, &["name"], Setting::DiskName, service);
    take(reader, disk, &["mountPath"], Setting::DiskMountPath, service);
    take(reader, disk, &["sizeGB"], Setting::DiskSizeGb, service);
    if !has(service, Setting::DiskName) {
        let message = format!("the disk has no name; `{DISK_NAME_DEFAULT}` is used");
        reader.warn(disk, "missing-field", message, "write `name`");
        let origin = reader.origin(disk);
        let name = FieldValue::Text(DISK_NAME_DEFAULT.to_owned());
        set(service, Setting::DiskName, name, origin);
    }
    for (key, setting) in [("mountPath", Setting::DiskMountPath), ("sizeGB", Setting::DiskSizeGb)] {
        if disk.get(key).is_none() && !has(service, setting) {
            reader.error(disk, "missing-field", format!("`disk.{key}` is missing"));
        }
    }
}
