//! Heroku's `app.json` and Procfile: each process becomes a service, each add-on of a database one.

mod app_json;

use super::procfile::{self, ProcfileProcess};
use super::report::ImportReport;
use super::resource::{self, env_key, reference, set, set_text, set_variable};
use super::{ForeignFile, ForeignFolder};
use crate::manifest::{Placed, PlacedContent, quoted};
use crate::model::{FieldValue, Key, Kind, Origin, Resource, Setting, ValueSource};

/// Add-ons that are databases: what the platform calls them, and the variable that leads to one.
const ADDONS: [(&str, &str, &str); 3] = [
    ("heroku-postgresql", "postgres", "DATABASE"),
    ("heroku-redis", "valkey", "REDIS"),
    ("rediscloud", "valkey", "REDISCLOUD"),
];

/// Buildpacks, each with the runtime that builds the same.
const BUILDPACKS: [(&str, &str); 8] = [
    ("nodejs", "node"),
    ("python", "python"),
    ("ruby", "ruby"),
    ("go", "go"),
    ("php", "php"),
    ("java", "java"),
    ("gradle", "java"),
    ("elixir", "elixir"),
];

/// Words at the top that cannot be carried over.
const NOT_CARRIED: [(&str, &str); 11] = [
    ("name", "services are named after their processes"),
    ("description", TEXT),
    ("keywords", TEXT),
    ("website", TEXT),
    ("logo", TEXT),
    ("success_url", TEXT),
    ("image", "an image is built by a runtime"),
    ("environments", "the platform has no environments other than projects"),
    ("labs", "the platform has no experiments of Heroku's"),
    ("features", "the platform has no experiments of Heroku's"),
    ("$schema", TEXT),
];

const TEXT: &str = "the platform has no field for it";

/// Reads an `app.json`, a Procfile, or both.
pub(super) fn read(
    files: &[&ForeignFile],
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let mut processes = Vec::new();
    let mut app = None;
    for file in files {
        if file.name() == "Procfile" {
            processes.extend(procfile::read(file, report));
            continue;
        }
        app = app_json::open(file, report);
    }
    // What is read wrongly becomes no service.
    if report.has_error() {
        return Vec::new();
    }
    let origin = match (&app, files.first()) {
        (Some(app), _) => app.origin(),
        (None, Some(file)) => Origin { file: file.path.clone(), line: 1, column: 1 },
        (None, None) => return Vec::new(),
    };
    let app = app.unwrap_or_else(|| Placed::at("app.json".into(), 1, 1, PlacedContent::Nothing));
    let mut services = services(processes, &origin, folder, report);
    source(&app, &mut services, report);
    formation(&app, &mut services, report);
    let databases = addons(&app, &mut services, report);
    if let Some(env) = app.get("env") {
        for (text, value) in env.entries() {
            app_json::variable(text, value, &mut services, report);
        }
    }
    for (word, why) in NOT_CARRIED {
        if let Some(value) = app.get(word) {
            report.lose(value, word, why);
        }
    }
    if let Some(scripts) = app.get("scripts") {
        let why =
            "the platform has no such command; `preDeployCommand` runs before each deployment";
        report.lose(scripts, "scripts", why);
    }
    report.account(&app, "");
    databases.into_iter().chain(services).collect()
}

/// Makes a service of each process; `release` runs before the web service is deployed.
fn services(
    mut processes: Vec<ProcfileProcess>,
    origin: &Origin,
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let release = processes.iter().position(|process| process.name == "release");
    let release = release.map(|at| processes.remove(at));
    if processes.is_empty() {
        let message = "no process is declared, so `web` is assumed".to_owned();
        let hint = "its command is that of the buildpack: write it into `startCommand`";
        report.mind(origin.clone(), "to-be-given", message, hint);
        let (name, command) = ("web".to_owned(), String::new());
        processes.push(ProcfileProcess { name, command, origin: origin.clone() });
    }
    let mut services = Vec::new();
    for ProcfileProcess { name, command, origin } in processes {
        let Some(ours) = resource::name(&name, &origin, report) else { continue };
        let mut service = Resource::new(Key::new(Kind::Service, ours), origin.clone());
        let kind = if name == "web" { "web" } else { "worker" };
        set_text(&mut service, Setting::Type, kind, origin.clone());
        if !command.is_empty() {
            set_text(&mut service, Setting::StartCommand, command, origin.clone());
        }
        resource::sources(&mut service, folder, &origin, report);
        services.push(service);
    }
    let is_web = |service: &&mut Resource<ValueSource>| service.key.name.as_str() == "web";
    if let Some(ProcfileProcess { command, origin, .. }) = release {
        match services.iter_mut().find(is_web) {
            Some(web) => set_text(web, Setting::PreDeployCommand, command, origin),
            None => {
                let message =
                    "`release` cannot be carried over: there is no `web` that it runs before"
                        .to_owned();
                let hint = "write it into `preDeployCommand` of a service";
                report.mind(origin, "not-carried", message, hint);
            }
        }
    }
    services
}

/// What builds the services, and from where.
fn source(app: &Placed, services: &mut [Resource<ValueSource>], report: &mut ImportReport) {
    let mut runtime = None;
    for pack in app.get("buildpacks").map(Placed::items).unwrap_or_default() {
        let url = pack.get("url").unwrap_or(pack);
        let text = url.scalar().map(|(text, _)| text).unwrap_or_default();
        let name = text.rsplit(['/', ':']).next().unwrap_or_default().trim_end_matches(".git");
        let name = name.trim_start_matches("heroku-buildpack-");
        match BUILDPACKS.iter().find(|(known, _)| *known == name) {
            Some((_, word)) if runtime.is_none() => {
                url.take();
                runtime = Some((*word, url.origin()));
            }
            Some(_) | None => {
                let why = "a service is built by one runtime, and this is a second one";
                report.lose(pack, "buildpacks", why);
            }
        }
    }
    if let Some(stack) = app.get("stack") {
        match stack.scalar() {
            Some(("container", _)) => {
                stack.take();
                runtime = Some(("docker", stack.origin()));
            }
            _ => report.lose(stack, "stack", "the platform decides what a service runs on"),
        }
    }
    if let Some(repository) = app.get("repository") {
        repository.take();
        let text = repository.scalar().map(|(text, _)| text).unwrap_or_default();
        for service in services.iter_mut().filter(|_| !text.is_empty()) {
            report.notes.remove(&service.key);
            set_text(service, Setting::Repo, text, repository.origin());
        }
    }
    for service in services {
        match &runtime {
            Some((word, origin)) => set_text(service, Setting::Runtime, *word, origin.clone()),
            None => {
                report.note(&service.key, "`runtime` is to be given: nothing says how it is built")
            }
        }
    }
}

/// How many of each process run.
fn formation(app: &Placed, services: &mut [Resource<ValueSource>], report: &mut ImportReport) {
    let Some(formation) = app.get("formation") else { return };
    let by_name = formation.entries().iter().map(|(name, value)| (name.as_str(), value));
    let listed = formation.items().iter().filter_map(|item| {
        let process = item.get("process")?;
        process.take();
        Some((process.scalar()?.0, item))
    });
    for (name, value) in by_name.chain(listed) {
        let path = format!("formation.{name}");
        if let Some(size) = value.get("size") {
            report.lose(
                size,
                &format!("{path}.size"),
                "its `plan` says which resources a service may use",
            );
        }
        let Some(quantity) = value.get("quantity") else { continue };
        let number = quantity.scalar().and_then(|(text, _)| text.parse::<i64>().ok());
        // Services are called as their processes, in the platform's letters.
        let plain = name.to_ascii_lowercase().replace('_', "-");
        let is_this = |service: &&mut Resource<ValueSource>| service.key.name.as_str() == plain;
        match (number, services.iter_mut().find(is_this)) {
            (Some(number @ 1..=1000), Some(service)) => {
                quantity.take();
                for setting in [Setting::MinInstances, Setting::MaxInstances] {
                    set(service, setting, FieldValue::Integer(number), quantity.origin());
                }
            }
            (number, service) => {
                let why = match (number, service) {
                    (_, None) => "there is no process of that name",
                    (Some(0), _) => "a service of the platform runs at least once: remove it",
                    (_, _) => {
                        "a service of the platform runs at least once, and at most 1000 times"
                    }
                };
                report.lose(quantity, &format!("{path}.quantity"), why);
            }
        }
    }
}

/// Makes databases of add-ons, to which the services refer by the variable that Heroku sets.
fn addons(
    app: &Placed,
    services: &mut [Resource<ValueSource>],
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let mut databases: Vec<Resource<ValueSource>> = Vec::new();
    for addon in app.get("addons").map(Placed::items).unwrap_or_default() {
        let plan = addon.get("plan").unwrap_or(addon);
        let text = plan.scalar().map(|(text, _)| text).unwrap_or_default();
        let name = text.split(':').next().unwrap_or_default();
        let Some((_, engine, prefix)) = ADDONS.iter().find(|(known, ..)| *known == name) else {
            report.lose(addon, &format!("addons.{}", quoted(name)), "the platform has no add-ons");
            continue;
        };
        plan.take();
        let alias = addon.get("as").and_then(Placed::scalar);
        let (label, prefix) = match alias {
            Some((alias, _)) => (alias, alias),
            None => (*engine, *prefix),
        };
        if let Some(alias) = addon.get("as") {
            alias.take();
        }
        if let Some(options) = addon.get("options") {
            report.lose(
                options,
                "addons.options",
                "a database of the platform has no such options",
            );
        }
        let origin = addon.origin();
        let Some(ours) = resource::name(label, &origin, report) else { continue };
        let mut database = Resource::new(Key::new(Kind::Database, ours), origin.clone());
        set_text(&mut database, Setting::Type, *engine, origin.clone());
        let message = format!("the data of the add-on `{}` is not moved", quoted(text));
        let hint = "the new database is empty, and the platform chooses its plan";
        report.mind(origin.clone(), "data-not-moved", message, hint);
        report.note(&database.key, "the data of the old database is not moved");
        let key = database.key.clone();
        for service in services.iter_mut() {
            if let Some(variable) = env_key(&format!("{prefix}_URL"), &origin, report) {
                set_variable(
                    service,
                    variable,
                    reference(&key, "connectionString"),
                    origin.clone(),
                );
            }
        }
        databases.push(database);
    }
    databases
}
