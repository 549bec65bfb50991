//! Fly's `fly.toml`: each process group becomes a service.

mod mounts;
#[cfg(test)]
mod tests;

use super::report::ImportReport;
use super::resource::{self, env_key, set, set_text, set_variable};
use super::{ForeignFile, ForeignFolder, toml};
use crate::manifest::Placed;
use crate::model::{FieldPath, FieldValue, Key, Kind, Origin, Resource, Setting, ValueSource};

/// The process group that a file without groups means.
const DEFAULT_PROCESS: &str = "app";

/// Words at the top that cannot be carried over, with all that lies below them.
const NOT_CARRIED: [(&str, &str); 14] = [
    (
        "primary_region",
        "regions of Fly are not regions of the platform; write `region` if it matters",
    ),
    ("vm", "the `plan` of a service says which resources it has"),
    ("swap_size_mb", "the `plan` of a service says which resources it has"),
    ("kill_signal", "the platform has no field for it"),
    ("kill_timeout", "the platform has no field for it"),
    ("console_command", "the platform has no field for it"),
    ("experimental", "the platform has no field for it"),
    ("host_dedication_id", "the platform has no field for it"),
    ("statics", "a static site is a service of its own"),
    ("files", "the platform writes no files into a service"),
    ("metrics", "the platform collects no metrics of an application"),
    ("restart", "the platform restarts whatever ends"),
    ("machine_checks", "the platform has only the path of a health check"),
    ("mcp", "the platform has no field for it"),
];

/// Settings of an HTTP service that cannot be carried over.
const NOT_OF_HTTP: [(&str, &str); 8] = [
    ("force_https", "the platform always redirects to HTTPS"),
    ("auto_stop_machines", "the platform does not stop services; see `scaling`"),
    ("auto_start_machines", "the platform does not stop services; see `scaling`"),
    ("min_machines_running", "the platform does not stop services; see `scaling`"),
    ("concurrency", "the platform scales by the load of a processor; see `scaling`"),
    ("http_options", "the platform has no such settings of HTTP"),
    ("tls_options", "the platform has no such settings of TLS"),
    ("ports", "the platform serves HTTP on 80 and 443, and nothing else"),
];

/// Reads a file.
pub(super) fn read(
    file: &ForeignFile,
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let root = match toml::read(file) {
        Ok(root) => root,
        Err(finding) => {
            report.push(*finding);
            return Vec::new();
        }
    };
    let Some(app) = app(&root, file, report) else { return Vec::new() };
    let mut services = groups(&root, &app, report);
    build(&root, &mut services, folder, report);
    web(&root, &mut services, report);
    checks(&root, &mut services, report);
    deploy(&root, &mut services, report);
    mounts::read(&root, &mut services, report);
    variables(&root, &mut services, report);
    for (word, why) in NOT_CARRIED {
        if let Some(value) = root.get(word) {
            report.lose(value, word, why);
        }
    }
    let message = "secrets that were set with `fly secrets` are not in this file".to_owned();
    let hint = "`fly secrets list` names them: declare each with `sync: false`, or with its source";
    report.mind(root.origin(), "to-be-given", message, hint);
    report.account(&root, "");
    services.into_iter().map(|group| group.service).collect()
}

/// A process group with the service it becomes.
struct ProcessGroup {
    name: String,
    service: Resource<ValueSource>,
}

/// Returns the name of the application.
fn app(root: &Placed, file: &ForeignFile, report: &mut ImportReport) -> Option<String> {
    match root.get("app").map(|app| (app, app.scalar())) {
        Some((app, Some((name, _)))) => {
            app.take();
            Some(name.to_owned())
        }
        Some((app, None)) => {
            report.wrong_type(app, "app", "text");
            None
        }
        None => {
            let origin = Origin { file: file.path.clone(), line: 1, column: 1 };
            let message = "`app` is missing: the name of the application".to_owned();
            report.error(origin, "fly-toml", message, "for example `app = \"shop\"`");
            None
        }
    }
}

/// Makes a service of each process group. The one that is served, or the only one, has the name of
/// the application.
fn groups(root: &Placed, app: &str, report: &mut ImportReport) -> Vec<ProcessGroup> {
    let processes = root.get("processes").map(Placed::entries).unwrap_or_default();
    let mut named: Vec<(&str, Option<&Placed>, Origin)> = processes
        .iter()
        .map(|(name, command)| (name.as_str(), Some(command), command.origin()))
        .collect();
    if named.is_empty() {
        let at = root.get("app").map_or_else(|| root.origin(), Placed::origin);
        named.push((DEFAULT_PROCESS, None, at));
    }
    let served = served(root).first().map(|it| (*it).to_owned());
    let main = served.filter(|it| named.iter().any(|(name, ..)| name == it));
    let main = main.unwrap_or_else(|| named[0].0.to_owned());
    let mut groups = Vec::new();
    for (name, command, origin) in named {
        let whole = if name == main { app.to_owned() } else { format!("{app}-{name}") };
        let Some(ours) = resource::name(&whole, &origin, report) else { continue };
        let mut service = Resource::new(Key::new(Kind::Service, ours), origin.clone());
        set_text(&mut service, Setting::Type, "worker", origin.clone());
        if let Some(command) = command {
            match command.scalar() {
                Some(("", _)) => command.take(),
                Some((text, _)) => {
                    command.take();
                    set_text(&mut service, Setting::StartCommand, text, origin);
                }
                None => report.wrong_type(command, &format!("processes.{name}"), "text"),
            }
        }
        groups.push(ProcessGroup { name: name.to_owned(), service });
    }
    groups
}

/// Returns the tables that say what is served, each with its path.
fn front(root: &Placed) -> Vec<(&'static str, &Placed)> {
    let http = root.get("http_service").into_iter().map(|it| ("http_service", it));
    let services = root.get("services");
    let listed = services.map(Placed::items).unwrap_or_default().iter();
    let alone = services.filter(|it| !it.entries().is_empty());
    http.chain(listed.chain(alone).map(|it| ("services", it))).collect()
}

/// Returns the process groups that are served.
fn served(root: &Placed) -> Vec<&str> {
    let fronts = front(root);
    let processes = fronts.iter().filter_map(|(_, it)| it.get("processes"));
    let names = processes.flat_map(Placed::items).filter_map(Placed::scalar);
    names.map(|(name, _)| name).collect()
}

/// Returns the process groups that a table is for: those it names, or the first.
fn meant<'g>(
    value: &Placed,
    path: &str,
    groups: &'g mut [ProcessGroup],
    report: &mut ImportReport,
) -> Vec<&'g mut ProcessGroup> {
    let named = value.get("processes").map(Placed::items).unwrap_or_default();
    for item in named {
        let text = item.scalar().map(|(text, _)| text);
        match groups.iter().any(|group| Some(group.name.as_str()) == text) {
            true => item.take(),
            false => {
                let path = format!("{path}.processes");
                report.lose(item, &path, "there is no process group of that name");
            }
        }
    }
    let names: Vec<&str> = named.iter().filter_map(|item| Some(item.scalar()?.0)).collect();
    let is_meant = |(place, group): &(usize, &'g mut ProcessGroup)| match names.is_empty() {
        true => *place == 0,
        false => names.contains(&group.name.as_str()),
    };
    groups.iter_mut().enumerate().filter(is_meant).map(|(_, group)| group).collect()
}

fn build(
    root: &Placed,
    groups: &mut [ProcessGroup],
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) {
    let build = root.get("build");
    let word = |name: &str| {
        let value = build?.get(name)?;
        let (text, _) = value.scalar()?;
        value.take();
        Some((text, value.origin()))
    };
    let (image, dockerfile) = (word("image"), word("dockerfile"));
    let mut has_builder = false;
    for (name, value) in build.map(Placed::entries).unwrap_or_default() {
        let why = match name.as_str() {
            "builder" | "buildpacks" => {
                has_builder = true;
                "the platform builds with a runtime of its own; write `runtime`"
            }
            "args" => "the platform has no build arguments; variables are there at build time",
            "build-target" => "the platform builds the last stage of a Dockerfile",
            "ignorefile" => "a Dockerfile has its own list of what it ignores",
            _ => continue,
        };
        report.lose(value, &format!("build.{name}"), why);
    }
    for group in groups {
        let service = &mut group.service;
        let origin = service.origin.clone();
        if let Some((image, origin)) = &image {
            set_text(service, Setting::Image, *image, origin.clone());
            continue;
        }
        resource::sources(service, folder, &origin, report);
        if has_builder {
            report.note(&service.key, "`runtime` is to be given: a buildpack has none of ours");
        } else {
            set_text(service, Setting::Runtime, "docker", origin);
        }
        if let Some((path, origin)) = &dockerfile {
            set_text(service, Setting::DockerfilePath, *path, origin.clone());
        }
    }
}

/// Which process groups serve the web, and on which port.
fn web(root: &Placed, groups: &mut [ProcessGroup], report: &mut ImportReport) {
    for (path, front) in front(root) {
        let ports = front.get("ports").map(Placed::items).unwrap_or_default();
        let handlers = ports.iter().filter_map(|port| port.get("handlers"));
        let is_http = path == "http_service"
            || handlers
                .flat_map(Placed::items)
                .any(|it| it.scalar().is_some_and(|(it, _)| it == "http"));
        if !is_http {
            report.lose(
                front,
                path,
                "the platform serves only HTTP; a private port needs no entry",
            );
            continue;
        }
        let port = front.get("internal_port");
        let number = port.and_then(|it| it.scalar()?.0.parse::<i64>().ok());
        if let (Some(port), None) = (port, number.filter(|it| (1..=65_535).contains(it))) {
            report.wrong_type(port, &format!("{path}.internal_port"), "a port, from 1 to 65535");
        }
        if let Some(protocol) = front.get("protocol") {
            protocol.take();
        }
        let check = health(front, path, report);
        for group in meant(front, path, groups, report) {
            let service = &mut group.service;
            let origin = front.origin();
            set_text(service, Setting::Type, "web", origin);
            if let (Some(port), Some(number)) = (port, number) {
                port.take();
                set(service, Setting::Port, FieldValue::Integer(number), port.origin());
            }
            if let Some((path, origin)) = &check {
                set_text(service, Setting::HealthCheckPath, path.as_str(), origin.clone());
            }
        }
        for (word, why) in NOT_OF_HTTP {
            if let Some(value) = front.get(word) {
                report.lose(value, &format!("{path}.{word}"), why);
            }
        }
    }
}

/// Finds the path of the first check that has one; everything else of checks is lost.
fn health(front: &Placed, path: &str, report: &mut ImportReport) -> Option<(String, Origin)> {
    let mut found = None;
    for word in ["checks", "http_checks", "tcp_checks"] {
        let Some(checks) = front.get(word) else { continue };
        for check in checks.items() {
            let place = format!("{path}.{word}");
            take_check(check, &place, &mut found, report);
        }
    }
    found
}

fn take_check(
    check: &Placed,
    place: &str,
    found: &mut Option<(String, Origin)>,
    report: &mut ImportReport,
) {
    let is_get = check.get("method").and_then(Placed::scalar);
    let is_get = is_get.is_none_or(|(method, _)| method.eq_ignore_ascii_case("get"));
    for (name, value) in check.entries() {
        match (name.as_str(), value.scalar()) {
            ("path", Some((path, _))) if found.is_none() && is_get && path.starts_with('/') => {
                value.take();
                *found = Some((path.to_owned(), value.origin()));
            }
            ("method", Some(_)) if is_get => value.take(),
            _ => {
                let why = "the platform has only the path of one health check";
                report.lose(value, &format!("{place}.{name}"), why);
            }
        }
    }
}

/// Checks at the top: one with a path is the health check of a service that has none yet.
fn checks(root: &Placed, groups: &mut [ProcessGroup], report: &mut ImportReport) {
    for (name, check) in root.get("checks").map(Placed::entries).unwrap_or_default() {
        let place = format!("checks.{name}");
        let mut found = None;
        for word in ["type", "port"] {
            if let Some(value) = check.get(word) {
                value.take();
            }
        }
        let web = FieldValue::Text("web".to_owned());
        let is_open = |group: &&mut ProcessGroup| {
            let value = |setting| group.service.fields.get(&setting).map(|field| &field.value);
            let kind = value(FieldPath::Setting(Setting::Type));
            let path = value(FieldPath::Setting(Setting::HealthCheckPath));
            kind == Some(&ValueSource::Value(web.clone())) && path.is_none()
        };
        match groups.iter_mut().find(is_open) {
            None => {
                report.lose(check, &place, "the platform has only the path of one health check");
            }
            Some(group) => {
                take_check(check, &place, &mut found, report);
                if let Some((path, origin)) = found {
                    set_text(&mut group.service, Setting::HealthCheckPath, path, origin);
                }
            }
        }
    }
}

fn deploy(root: &Placed, groups: &mut [ProcessGroup], report: &mut ImportReport) {
    for (name, value) in root.get("deploy").map(Placed::entries).unwrap_or_default() {
        let path = format!("deploy.{name}");
        match (name.as_str(), value.scalar(), groups.first_mut()) {
            ("release_command", Some((command, _)), Some(first)) => {
                value.take();
                let origin = value.origin();
                set_text(&mut first.service, Setting::PreDeployCommand, command, origin);
            }
            _ => report.lose(value, &path, "the platform has one way to deploy"),
        }
    }
}

fn variables(root: &Placed, groups: &mut [ProcessGroup], report: &mut ImportReport) {
    for (text, value) in root.get("env").map(Placed::entries).unwrap_or_default() {
        let Some((given, _)) = value.scalar() else {
            report.wrong_type(value, &format!("env.{text}"), "a single value");
            continue;
        };
        value.take();
        let Some(key) = env_key(text, &value.origin(), report) else { continue };
        for group in groups.iter_mut() {
            let field = FieldValue::Text(given.to_owned());
            set_variable(&mut group.service, key.clone(), field, value.origin());
        }
    }
}
