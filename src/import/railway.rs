//! Railway's `railway.json` and `railway.toml`: the settings of one service.

#[cfg(test)]
mod tests;

use super::report::ImportReport;
use super::resource::{self, set, set_text};
use super::{ForeignFile, ForeignFolder, toml};
use crate::manifest::{Placed, placed, quoted};
use crate::model::{Diagnostic, FieldValue, Key, Kind, Origin, Resource, Setting, ValueSource};

/// What a service is called that is in no known repository.
const NAME: &str = "app";

const BUILDER: &str = "the platform builds with a runtime of its own; write `runtime`";
const RESTARTS: &str = "the platform restarts whatever ends";
const NO_FIELD: &str = "the platform has no field for it";

/// Settings that cannot be carried over, by the path to each.
const NOT_CARRIED: [(&str, &str, &str); 21] = [
    ("build", "nixpacksConfigPath", BUILDER),
    ("build", "nixpacksPlan", BUILDER),
    ("build", "nixpacksVersion", BUILDER),
    ("build", "railpackVersion", BUILDER),
    ("build", "buildEnvironment", NO_FIELD),
    ("build", "watchPatterns", "the platform has no build filters"),
    ("deploy", "healthcheckTimeout", "the platform has only the path of a health check"),
    ("deploy", "restartPolicyType", RESTARTS),
    ("deploy", "restartPolicyMaxRetries", RESTARTS),
    ("deploy", "region", "regions of Railway are not regions of the platform"),
    ("deploy", "multiRegionConfig", "a service of the platform runs in one region"),
    ("deploy", "sleepApplication", "the platform does not stop services"),
    ("deploy", "drainingSeconds", "the platform has no shutdown delay"),
    ("deploy", "overlapSeconds", "the platform has no shutdown delay"),
    ("deploy", "limitOverride", "the `plan` of a service says which resources it has"),
    ("deploy", "runtime", NO_FIELD),
    ("deploy", "useLegacyStacker", NO_FIELD),
    ("deploy", "ipv6EgressEnabled", NO_FIELD),
    ("deploy", "registryCredentials", "the platform has no credentials of registries"),
    ("", "environments", "an environment is a project with overlays: see docs/environments.md"),
    ("", "$schema", "it is the schema of this file"),
];

/// Reads a file.
pub(super) fn read(
    file: &ForeignFile,
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let Some(root) = open(file, report) else { return Vec::new() };
    let origin = Origin { file: file.path.clone(), line: 1, column: 1 };
    let Some(mut service) = named(folder, &origin, report) else { return Vec::new() };
    let mut texts = Texts { root: &root, report };
    let cron = texts.take("deploy", "cronSchedule");
    let health = texts.take("deploy", "healthcheckPath");
    let builder = texts.take("build", "builder");
    let dockerfile = texts.take("build", "dockerfilePath");
    let is_docker =
        builder.as_ref().is_some_and(|(word, _)| word.eq_ignore_ascii_case("dockerfile"));
    let kind = if cron.is_some() { "cron" } else { "web" };
    set_text(&mut service, Setting::Type, kind, origin.clone());
    let mut carried = vec![
        (Setting::Schedule, cron),
        (Setting::HealthCheckPath, health.clone()),
        (Setting::DockerfilePath, dockerfile.clone()),
        (Setting::BuildCommand, texts.take("build", "buildCommand")),
        (Setting::StartCommand, texts.take("deploy", "startCommand")),
        (Setting::DiskMountPath, texts.take("deploy", "requiredMountPath")),
    ];
    carried.push((Setting::PreDeployCommand, texts.command("deploy", "preDeployCommand")));
    for (setting, text) in carried {
        if let Some((text, origin)) = text {
            set_text(&mut service, setting, text, origin);
        }
    }
    resource::sources(&mut service, folder, &origin, report);
    if is_docker || dockerfile.is_some() {
        set_text(&mut service, Setting::Runtime, "docker", origin.clone());
    } else {
        report.note(&service.key, "`runtime` is to be given: nothing says how it is built");
    }
    if kind == "web" && health.is_none() {
        let message = "nothing says whether the service is served, so `web` is assumed".to_owned();
        let hint = "write `type: worker`, if nobody is to reach it";
        report.mind(origin.clone(), "to-be-given", message, hint);
    }
    if let Some((word, origin)) = builder.filter(|_| !is_docker) {
        let message = format!("`build.builder: {}` cannot be carried over", quoted(&word));
        report.mind(origin, "not-carried", message, BUILDER);
    }
    replicas(&root, &mut service, report);
    for (table, word, why) in NOT_CARRIED {
        let (value, path) = match table {
            "" => (root.get(word), word.to_owned()),
            table => (root.get(table).and_then(|it| it.get(word)), format!("{table}.{word}")),
        };
        if let Some(value) = value {
            report.lose(value, &path, why);
        }
    }
    let message = "variables, domains and volumes are kept by Railway, not in this file".to_owned();
    let hint = "declare them in the manifest; `railway variables` lists the variables";
    report.mind(origin, "to-be-given", message, hint);
    report.account(&root, "");
    vec![service]
}

fn open(file: &ForeignFile, report: &mut ImportReport) -> Option<Placed> {
    let read = if file.name().ends_with(".toml") {
        toml::read(file).map_err(|finding| vec![*finding])
    } else if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&file.text) {
        let (line, column) = (error.line().max(1), error.column().max(1));
        let origin = Origin { file: file.path.clone(), line, column };
        let message = "the file is not JSON from here on";
        let hint = "JSON has no comments and no trailing commas, and only double quotes";
        Err(vec![Diagnostic::error("railway-json", message).at(origin).hint(hint)])
    } else {
        placed(&file.path, &file.text)
    };
    let root = match read {
        Ok(root) => root,
        Err(findings) => {
            findings.into_iter().for_each(|finding| report.push(finding));
            return None;
        }
    };
    let parts = ["build", "deploy"].map(|word| (word, root.get(word)));
    let wrong = parts.iter().filter_map(|(word, part)| Some((word, (*part)?)));
    for (word, part) in
        wrong.filter(|(_, part)| part.scalar().is_some() || !part.items().is_empty())
    {
        report.wrong_type(part, word, "a mapping");
    }
    if root.entries().is_empty() {
        let origin = Origin { file: file.path.clone(), line: 1, column: 1 };
        let message = "the file declares nothing".to_owned();
        report.error(origin, "railway-json", message, "for example a `deploy.startCommand`");
    }
    (!report.has_error()).then_some(root)
}

/// Makes a service that is called as its repository.
fn named(
    folder: &ForeignFolder<'_>,
    origin: &Origin,
    report: &mut ImportReport,
) -> Option<Resource<ValueSource>> {
    let name = folder.home.and_then(|home| home.repo.rsplit('/').next()).unwrap_or(NAME);
    let ours = resource::name(name, origin, report)?;
    let service = Resource::new(Key::new(Kind::Service, ours), origin.clone());
    report.note(
        &service.key,
        "Railway's name of the service is not in its file: rename it, if needed",
    );
    Some(service)
}

/// The texts of a file.
struct Texts<'r, 'p> {
    root: &'p Placed,
    report: &'r mut ImportReport,
}

impl Texts<'_, '_> {
    /// Takes a single value.
    fn take(&mut self, table: &str, word: &str) -> Option<(String, Origin)> {
        let value = self.root.get(table)?.get(word)?;
        match value.scalar() {
            Some((text, _)) => {
                value.take();
                (!text.is_empty()).then(|| (text.to_owned(), value.origin()))
            }
            None => {
                self.report.wrong_type(value, &format!("{table}.{word}"), "text");
                None
            }
        }
    }

    /// Takes a command, which may be a list of commands that run one after another.
    fn command(&mut self, table: &str, word: &str) -> Option<(String, Origin)> {
        let value = self.root.get(table)?.get(word)?;
        if value.items().is_empty() {
            return self.take(table, word);
        }
        let texts: Vec<&str> = value.items().iter().filter_map(|it| Some(it.scalar()?.0)).collect();
        if texts.len() < value.items().len() {
            self.report.wrong_type(value, &format!("{table}.{word}"), "text, or a list of texts");
            return None;
        }
        value.take();
        Some((texts.join(" && "), value.origin()))
    }
}

fn replicas(root: &Placed, service: &mut Resource<ValueSource>, report: &mut ImportReport) {
    let Some(value) = root.get("deploy").and_then(|it| it.get("numReplicas")) else { return };
    let number = value.scalar().and_then(|(text, _)| text.parse::<i64>().ok());
    match number.filter(|number| (1..=1_000).contains(number)) {
        Some(number) => {
            value.take();
            for setting in [Setting::MinInstances, Setting::MaxInstances] {
                set(service, setting, FieldValue::Integer(number), value.origin());
            }
        }
        None => {
            let why = "a service of the platform runs at least once, and at most 1000 times";
            report.lose(value, "deploy.numReplicas", why);
        }
    }
}
