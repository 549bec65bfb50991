//! Heroku's `app.json` and Procfile: each process becomes a service, each add-on of a database one.

use super::procfile::{self, ProcfileProcess};
use super::report::{ImportReport, shown};
use super::resource::{self, begin, by_hand, env_key, reference, set, set_text, set_variable};
use super::{ForeignFile, ForeignFolder};
use crate::manifest::{Placed, PlacedContent, placed};
use crate::model::{
    EnvKey, Field, FieldPath, FieldValue, Key, Kind, Name, Origin, Reference, Resource, Setting,
    ValueSource,
};

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

/// Words at the top that have no home.
const NO_HOME: [(&str, &str); 11] = [
    ("name", "services are called as their processes"),
    ("description", TEXT),
    ("keywords", TEXT),
    ("website", TEXT),
    ("logo", TEXT),
    ("success_url", TEXT),
    ("image", "an image is built with a runtime"),
    ("environments", "the platform has no other environments than projects"),
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
        match placed(&file.path, &file.text) {
            Ok(read) => app = Some(read),
            Err(findings) => findings.into_iter().for_each(|finding| report.push(finding)),
        }
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
            variable(text, value, &mut services, report);
        }
    }
    for (word, why) in NO_HOME {
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
        let (name, command) = ("web".to_owned(), String::new());
        processes.push(ProcfileProcess { name, command, origin: origin.clone() });
    }
    let mut services = Vec::new();
    for ProcfileProcess { name, command, origin } in processes {
        let Some(ours) = resource::name(&name, &origin, report) else { continue };
        let mut service = begin(Key::new(Kind::Service, ours), origin.clone());
        let kind = if name == "web" { "web" } else { "worker" };
        set_text(&mut service, Setting::Type, kind, origin.clone());
        if !command.is_empty() {
            set_text(&mut service, Setting::StartCommand, command, origin.clone());
        }
        match folder.home {
            Some(home) => set_text(&mut service, Setting::Repo, home.repo.as_str(), origin.clone()),
            None => report.note(&service.key, "`repo` is to be given: what is built lies in it"),
        }
        if let Some(branch) = folder.home.and_then(|home| home.branch.as_ref()) {
            set_text(&mut service, Setting::Branch, branch.as_str(), origin);
        }
        services.push(service);
    }
    let is_web = |service: &&mut Resource<ValueSource>| service.key.name.as_str() == "web";
    if let Some(ProcfileProcess { command, origin, .. }) = release {
        match services.iter_mut().find(is_web) {
            Some(web) => set_text(web, Setting::PreDeployCommand, command, origin),
            None => {
                let message =
                    "`release` has no home: there is no `web` that it runs before".to_owned();
                let hint = "write it into `preDeployCommand` of a service";
                report.mind(origin, "no-home", message, hint);
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
                pack.take();
                runtime = Some((*word, url.origin()));
            }
            Some(_) | None => {
                let why = "a service is built by one runtime, and this is another";
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
            _ => report.lose(stack, "stack", "the platform decides what lies beneath a service"),
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
                report.note(&service.key, "`runtime` is to be given: what builds it is not said")
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
            report.lose(size, &format!("{path}.size"), "what a service may use is its `plan`");
        }
        let Some(quantity) = value.get("quantity") else { continue };
        let number = quantity.scalar().and_then(|(text, _)| text.parse::<i64>().ok());
        let is_this = |service: &&mut Resource<ValueSource>| service.key.name.as_str() == name;
        match (
            number.filter(|number| (1..=1000).contains(number)),
            services.iter_mut().find(is_this),
        ) {
            (Some(number), Some(service)) => {
                quantity.take();
                for setting in [Setting::MinInstances, Setting::MaxInstances] {
                    set(service, setting, FieldValue::Integer(number), quantity.origin());
                }
            }
            _ => {
                let why = "there is no such process, or it would not run";
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
            report.lose(addon, &format!("addons.{}", shown(name)), "the platform has no add-ons");
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
        let mut database = begin(Key::new(Kind::Database, ours), origin.clone());
        set_text(&mut database, Setting::Type, *engine, origin.clone());
        let message = format!("the data of the add-on `{}` is not moved", shown(text));
        let hint = "the new database is empty, and of a plan that the platform chooses";
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

/// Declares a variable of `app.json` in each service.
fn variable(
    text: &str,
    value: &Placed,
    services: &mut [Resource<ValueSource>],
    report: &mut ImportReport,
) {
    let origin = value.origin();
    let Some(key) = env_key(text, &origin, report) else { return value.take() };
    value.take();
    let field = |name: &str| value.get(name).and_then(Placed::scalar).map(|(text, _)| text);
    let given = value.scalar().map(|(text, _)| text).or_else(|| field("value"));
    let is_required = field("required") != Some("false");
    let does_generate = field("generator") == Some("secret");
    let first = services.first().map(|service| service.key.name.clone());
    for service in services {
        match given {
            _ if does_generate => generated(service, &key, first.as_ref(), &origin),
            Some(text) if !text.is_empty() || !is_required => {
                let text = FieldValue::Text(text.to_owned());
                set_variable(service, key.clone(), text, origin.clone());
            }
            Some(_) | None if is_required => by_hand(service, key.clone(), origin.clone()),
            Some(_) | None => {}
        }
    }
    if given.unwrap_or_default().is_empty() && !does_generate {
        let meaning = field("description").map_or(String::new(), |it| format!(" ({})", shown(it)));
        let (message, hint) = match (is_required, given) {
            (true, _) => {
                (format!("`{text}` is to be given{meaning}"), "set it by hand, or write a value")
            }
            (false, None) => (
                format!("`{text}` may be given, and is left out{meaning}"),
                "write it into the manifest, if it is needed",
            ),
            (false, Some(_)) => return,
        };
        report.mind(origin, "to-be-given", message, hint);
    }
}

/// The first service generates the value, and the others take it from there.
fn generated(
    service: &mut Resource<ValueSource>,
    key: &EnvKey,
    first: Option<&Name>,
    origin: &Origin,
) {
    let Some(first) = first else { return };
    if service.key.name == *first {
        service.declares_env = true;
        let field = Field { value: ValueSource::Generated, origin: origin.clone() };
        service.fields.insert(FieldPath::Env(key.clone()), field);
        return;
    }
    let reference = Reference {
        kind: Kind::Service,
        name: first.clone(),
        property: "envVar".to_owned(),
        env_key: Some(key.clone()),
    };
    set_variable(service, key.clone(), reference.into(), origin.clone());
}
