//! A service of Compose that is no database.

use super::ComposeReader;
use super::command::{self, ComposeCommand};
use super::health;
use super::ports::{self, ComposePort, PortReach};
use super::volumes;
use super::words;
use crate::import::resource::{set, set_text};
use crate::import::shell;
use crate::manifest::{Placed, quoted};
use crate::model::{FieldPath, FieldValue, Key, Resource, Setting, ValueSource};

/// Returns the host names that lead to a service within the network of Compose.
pub(super) fn host_names(name: &str, service: &Placed) -> Vec<String> {
    let text = |value: &Placed| value.scalar().map(|(text, _)| text.to_owned());
    let mut names = vec![name.to_owned()];
    let own = ["container_name", "hostname"].into_iter().filter_map(|key| service.get(key));
    names.extend(own.filter_map(text));
    let networks = service.get("networks").map(Placed::entries).unwrap_or_default();
    let aliases = networks.iter().filter_map(|(_, network)| network.get("aliases"));
    names.extend(aliases.flat_map(Placed::items).filter_map(text));
    names
}

/// A service without its variables, which may refer to any other.
#[derive(Debug)]
pub(super) struct ComposeService {
    pub resource: Resource<ValueSource>,
    /// The port it serves.
    pub port: Option<u16>,
}

/// Reads a service, all but its variables.
pub(super) fn read(
    reader: &mut ComposeReader<'_, '_>,
    key: &Key,
    name: &str,
    yaml: &Placed,
) -> ComposeService {
    let path = format!("services.{name}");
    let mut service = Resource::new(key.clone(), yaml.origin());
    words::service(reader, name, yaml);
    source(reader, yaml, &path, &mut service);
    start(reader, yaml, &path, &mut service);
    let port = serve(reader, yaml, &path, &mut service);
    if let Some(check) = yaml.get("healthcheck") {
        let found = health::read(reader, check, &format!("{path}.healthcheck"), port);
        if let Some(asked) = found {
            set_text(&mut service, Setting::HealthCheckPath, asked, check.origin());
        }
    }
    instances(reader, yaml, &path, &mut service);
    restart(reader, yaml, &path);
    disk(reader, yaml, &path, &mut service);
    ends(reader, name, yaml, &mut service);
    ComposeService { resource: service, port }
}

/// What others wait for until it has ended is no service of the platform, which starts it again.
fn ends(
    reader: &mut ComposeReader<'_, '_>,
    name: &str,
    yaml: &Placed,
    service: &mut Resource<ValueSource>,
) {
    if !reader.together.ends_waited_for.contains(name) {
        return;
    }
    let message =
        format!("`{}` exits by itself, and the platform restarts it when it exits", quoted(name));
    let hint =
        "move its command to `preDeployCommand` of the service that waits for it, and remove it";
    reader.report.mind(yaml.origin(), "one-off", message, hint);
    reader.report.note(&service.key, "it exits by itself: make it a `preDeployCommand`");
}

/// What is run: what is built, else an image.
fn source(
    reader: &mut ComposeReader<'_, '_>,
    yaml: &Placed,
    path: &str,
    service: &mut Resource<ValueSource>,
) {
    let image = yaml.get("image");
    let Some(build) = yaml.get("build") else {
        let Some(image) = image else {
            let message = format!("`{path}` has neither an `image` nor a `build`");
            return reader.report.error(yaml.origin(), "no-source", message, "Compose refuses it");
        };
        set_text(service, Setting::Runtime, "image", image.origin());
        match reader.whole(image, &format!("{path}.image")) {
            Some(text) if text.is_empty() => {
                let message = format!("`{path}.image` is empty");
                reader.report.error(image.origin(), "no-source", message, "name an image");
            }
            Some(text) => set_text(service, Setting::Image, text, image.origin()),
            None => reader.report.note(&service.key, "`image` is to be given"),
        }
        return;
    };
    if let Some(image) = image {
        let why = "it names the image built here, which the platform builds itself";
        reader.report.lose(image, &format!("{path}.image"), why);
    }
    set_text(service, Setting::Runtime, "docker", build.origin());
    let path = format!("{path}.build");
    let why = "the platform builds only from a directory and a Dockerfile";
    words::below(reader, build, &path, &["context", "dockerfile"], why);
    let context = match build.scalar() {
        Some(_) => Some(build),
        None => build.get("context"),
    };
    match context {
        Some(context) => root(reader, context, &path, service),
        None => here(reader, service),
    }
    if let Some(dockerfile) = build.get("dockerfile")
        && let Some(text) = reader.whole(dockerfile, &format!("{path}.dockerfile"))
    {
        if within("", &text).is_some() {
            return set_text(service, Setting::DockerfilePath, text, dockerfile.origin());
        }
        let stands = dockerfile.scalar().map(|(text, _)| text).unwrap_or_default();
        let message = format!("`{}` is outside the directory that is built", quoted(stands));
        let hint = "move it there, and write its path into `dockerfilePath`";
        reader.report.mind(dockerfile.origin(), "to-be-given", message, hint);
        reader.report.note(&service.key, "`dockerfilePath` is to be given");
    }
}

/// The directory that is built: beneath the file, or of another repository.
fn root(
    reader: &mut ComposeReader<'_, '_>,
    context: &Placed,
    path: &str,
    service: &mut Resource<ValueSource>,
) {
    let Some(text) = reader.whole(context, path) else {
        return reader.report.note(&service.key, "the directory that is built is to be given");
    };
    let origin = context.origin();
    let is_git =
        text.contains("://") || text.starts_with("git@") || text.starts_with("github.com/");
    if is_git {
        let (repo, rest) = text.split_once('#').unwrap_or((&text, ""));
        let (branch, directory) = rest.split_once(':').unwrap_or((rest, ""));
        set_text(service, Setting::Repo, repo, origin.clone());
        for (setting, part) in [(Setting::Branch, branch), (Setting::RootDir, directory)] {
            if !part.is_empty() {
                set_text(service, setting, part, origin.clone());
            }
        }
        return;
    }
    here(reader, service);
    let anchor = reader.anchor(&context.file);
    let folder = (reader.folder.within)(anchor).unwrap_or_else(|| {
        // Without a repository the best guess is that the import began at its top.
        let folder = anchor.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.starts_with('/') { String::new() } else { folder.to_owned() }
    });
    match within(&folder, &text) {
        Some(directory) if directory.is_empty() => {}
        Some(directory) => set_text(service, Setting::RootDir, directory, origin),
        None => {
            let stands = context.scalar().map(|(text, _)| text).unwrap_or_default();
            let message = format!("`{}` is outside the repository", quoted(stands));
            let hint = "write its path within the repository into `rootDir`";
            reader.report.mind(origin, "to-be-given", message, hint);
            reader.report.note(&service.key, "`rootDir` is to be given");
        }
    }
}

/// Joins two relative paths; nothing when that leads out.
pub(super) fn within(folder: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) {
        return None;
    }
    let mut steps: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(path.split('/')) {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

/// What is built lies in the repository of the file.
fn here(reader: &mut ComposeReader<'_, '_>, service: &mut Resource<ValueSource>) {
    let origin = service.origin.clone();
    let Some(home) = reader.folder.home else {
        return reader
            .report
            .note(&service.key, "`repo` is to be given: the repository with the sources");
    };
    set_text(service, Setting::Repo, home.repo.as_str(), origin.clone());
    if let Some(branch) = &home.branch {
        set_text(service, Setting::Branch, branch.as_str(), origin);
    }
}

/// What runs is `entrypoint` and `command` behind one another.
fn start(
    reader: &mut ComposeReader<'_, '_>,
    yaml: &Placed,
    path: &str,
    service: &mut Resource<ValueSource>,
) {
    let (entrypoint, command) = (yaml.get("entrypoint"), yaml.get("command"));
    let Some(place) = entrypoint.or(command) else { return };
    let mut words = Vec::new();
    for (name, value) in [("entrypoint", entrypoint), ("command", command)] {
        let path = format!("{path}.{name}");
        match command::read(reader, value, &path) {
            ComposeCommand::Own => {}
            ComposeCommand::Words(more) => words.extend(more),
            ComposeCommand::Unusable => {
                return reader.report.note(&service.key, "`startCommand` is to be given");
            }
            ComposeCommand::Cleared => {
                let message = format!("`{path}` clears the image's own command");
                let hint = "the platform cannot do that: write the command into `startCommand`";
                reader.report.mind(place.origin(), "cleared", message, hint);
            }
        }
    }
    let is_option = words.first().is_some_and(|word| word.starts_with('-'));
    if entrypoint.is_none() && (is_option || yaml.get("build").is_none()) && !words.is_empty() {
        let message = format!("`{path}.command` gives arguments to the image's own entrypoint");
        let hint =
            "`startCommand` may replace both: write the entrypoint before them, if there is one";
        reader.report.mind(place.origin(), "entrypoint", message, hint);
        let note = "`startCommand` may need the entrypoint of the image before it";
        reader.report.note(&service.key, note);
    }
    if !words.is_empty() {
        set_text(service, Setting::StartCommand, shell::join(&words), place.origin());
    }
}

/// The port that is served. A service is on the internet when everybody reached it before.
fn serve(
    reader: &mut ComposeReader<'_, '_>,
    yaml: &Placed,
    path: &str,
    service: &mut Resource<ValueSource>,
) -> Option<u16> {
    let ports = ports::read(reader, yaml, path);
    let order = [PortReach::Everybody, PortReach::Machine, PortReach::Network];
    let chosen = order.iter().find_map(|reach| ports.iter().find(|port| port.reach == *reach));
    let is_web = chosen.is_some_and(|port| port.reach == PortReach::Everybody);
    let kind = if is_web { "web" } else { "worker" };
    set_text(service, Setting::Type, kind, yaml.origin());
    let ComposePort { number, reach, origin } = chosen?.clone();
    set(service, Setting::Port, FieldValue::Integer(number.into()), origin.clone());
    if reach == PortReach::Machine {
        let message = format!("port {number} is published only on the machine itself");
        let hint = "it becomes a worker, which is not on the internet; write `type: web` for that";
        reader.report.mind(origin, "port", message, hint);
    }
    let mut others: Vec<&ComposePort> = ports.iter().filter(|it| it.number != number).collect();
    others.dedup_by_key(|port| port.number);
    for other in others {
        let message = format!("port {} cannot be carried over: a service serves one", other.number);
        let hint = "make it another service, if it is needed";
        reader.report.mind(other.origin.clone(), "not-carried", message, hint);
    }
    Some(number)
}

/// How many run.
fn instances(
    reader: &mut ComposeReader<'_, '_>,
    yaml: &Placed,
    path: &str,
    service: &mut Resource<ValueSource>,
) {
    let deploy = yaml.get("deploy");
    if let Some(deploy) = deploy {
        let why = "the platform decides how and where a service runs; `plan` sets its size";
        words::below(reader, deploy, &format!("{path}.deploy"), &["replicas"], why);
    }
    let replicas = deploy.and_then(|deploy| deploy.get("replicas"));
    let (count, word) = match (yaml.get("scale"), replicas) {
        (Some(scale), _) => (scale, "scale"),
        (None, Some(replicas)) => (replicas, "deploy.replicas"),
        (None, None) => return,
    };
    let path = format!("{path}.{word}");
    let Some(text) = reader.whole(count, &path) else { return };
    match text.parse::<i64>() {
        Ok(number @ 1..=1000) => {
            for setting in [Setting::MinInstances, Setting::MaxInstances] {
                set(service, setting, FieldValue::Integer(number), count.origin());
            }
        }
        Ok(_) | Err(_) => {
            let why = "a service of the platform runs at least once, and at most 1000 times";
            reader.report.lose(count, &path, why);
        }
    }
}

/// The platform starts again whatever ends.
pub(super) fn restart(reader: &mut ComposeReader<'_, '_>, yaml: &Placed, path: &str) {
    let Some(restart) = yaml.get("restart") else { return };
    match restart.scalar() {
        Some(("always" | "unless-stopped", _)) => restart.take(),
        _ => {
            let why = "the platform restarts a service that exits; a program that exits by itself \
                is `type: cron`";
            reader.report.lose(restart, &format!("{path}.restart"), why);
        }
    }
}

/// The first volume with a name becomes the disk.
fn disk(
    reader: &mut ComposeReader<'_, '_>,
    yaml: &Placed,
    path: &str,
    service: &mut Resource<ValueSource>,
) {
    for mount in volumes::read(reader, yaml, path) {
        let disk = FieldPath::Setting(Setting::DiskMountPath);
        let has_disk = service.fields.contains_key(&disk);
        if !mount.is_named || has_disk {
            volumes::lose(reader, &mount, path, has_disk);
            continue;
        }
        let origin = mount.place.origin();
        let source = quoted(&mount.source);
        let message = format!("the data of the volume `{source}` is not moved");
        let hint = format!("a new disk at `{}` is empty; copy it yourself", quoted(&mount.target));
        reader.report.mind(origin.clone(), "data-not-moved", message, &hint);
        reader.report.note(&service.key, format!("the data of the volume {source} is not moved"));
        if reader.together.shared_volumes.contains(&mount.source) {
            let message =
                format!("`{source}` is shared by several services, and each gets its own disk");
            let hint =
                "one of them does not see what another writes: use a store that all can reach";
            reader.report.mind(origin.clone(), "shared-volume", message, hint);
        }
        set_text(service, Setting::DiskMountPath, mount.target.clone(), origin);
    }
}
