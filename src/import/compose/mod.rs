//! Docker Compose: services become services, and those of database images databases.
//!
//! In reading order: `project` puts the files together; `service` and `database` read what runs, with
//! `environment`, `ports`, `volumes` and `health`; `words` says what cannot be carried over, and why.
//! `interpolate`, `meaning` and `dotenv` are what a text means.

mod command;
mod database;
mod dotenv;
mod environment;
mod forms;
mod health;
mod interpolate;
mod meaning;
mod passwords;
mod ports;
mod project;
mod service;
mod together;
mod volumes;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::references::{Host, Hosts};
use super::report::ImportReport;
use super::resource;
use super::{ForeignFile, ForeignFolder};
use crate::manifest::Placed;
use crate::model::{Key, Kind, Name, Resource, ValueSource};

use interpolate::{Filled, HOLE, fill};
use passwords::ComposePasswords;
use project::ComposeProject;
use service::ComposeService;
use together::Together;

/// Reads Compose files, the later over the earlier.
pub(super) fn read(
    files: &[&ForeignFile],
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let Some(project) = ComposeProject::open(files, folder, report) else {
        return Vec::new();
    };
    let ComposeProject { root, variables, paths } = project;
    let mut reader =
        ComposeReader { folder, paths, variables, together: Together::default(), report };
    words::top(&mut reader, &root);
    let (services, left_out) = project::services(&mut reader, &root);
    reader.together = Together::of(&services);
    let mut named = Vec::new();
    for (name, yaml) in &services {
        let kind = match database::engine(&reader, yaml) {
            Some(_) => Kind::Database,
            None => Kind::Service,
        };
        if let Some(ours) = resource::name(name, &yaml.origin(), reader.report) {
            named.push((Key::new(kind, ours), name, yaml));
        }
    }
    let mut hosts = Hosts::default();
    let mut passwords = ComposePasswords::default();
    let mut resources = Vec::new();
    for (key, name, yaml) in named.iter().filter(|(key, ..)| key.kind == Kind::Database) {
        resources.extend(database::read(&mut reader, key, name, yaml, &mut hosts, &mut passwords));
    }
    let mut begun = Vec::new();
    for (key, name, yaml) in named.iter().filter(|(key, ..)| key.kind == Kind::Service) {
        let service = service::read(&mut reader, key, name, yaml);
        let variables = environment::variables(&mut reader, yaml, &format!("services.{name}"));
        hosts.add(&service::host_names(name, yaml), Host::service(key.clone(), service.port));
        begun.push((service, variables));
    }
    for (name, yaml) in &left_out {
        if let Ok(ours) = Name::new(name) {
            let key = Key::new(Kind::Service, ours);
            hosts.add(&service::host_names(name, yaml), Host::left_out(key));
        }
    }
    ports::asked(&mut begun, &mut hosts, reader.report);
    for (ComposeService { mut resource, .. }, variables) in begun {
        environment::declare(&mut reader, &mut resource, variables, &hosts);
        resources.push(resource);
    }
    for (_, name, yaml) in named.iter().filter(|(key, ..)| key.kind == Kind::Service) {
        reader.report.account(yaml, &format!("services.{name}"));
    }
    passwords.add_public(hosts.names());
    passwords.take_out(&mut resources, reader.report);
    reader.report.account(&root, "");
    resources
}

/// What the parts of the reading share.
struct ComposeReader<'r, 'f> {
    folder: &'r ForeignFolder<'f>,
    /// The files that were named.
    paths: Vec<String>,
    /// What `.env` beside the file gives.
    variables: BTreeMap<String, Filled>,
    /// What services have to do with each other.
    together: Together,
    report: &'r mut ImportReport,
}

impl ComposeReader<'_, '_> {
    /// Returns the file that paths in another are relative to: the first of those that were named, or
    /// one that is only extended itself.
    fn anchor<'s>(&'s self, file: &'s str) -> &'s str {
        match self.paths.first() {
            Some(first) if self.paths.iter().any(|path| path == file) => first,
            Some(_) | None => file,
        }
    }

    fn fill(&self, text: &str) -> Result<Filled, &'static str> {
        fill(text, &|name| self.variables.get(name).cloned())
    }

    /// Takes a text with its variables replaced.
    fn text(&mut self, value: &Placed, path: &str) -> Option<Filled> {
        let Some((text, _)) = value.scalar() else {
            self.report.wrong_type(value, path, "text");
            return None;
        };
        value.take();
        if text.contains(HOLE) {
            let message = format!("`{path}` contains a NUL character");
            self.report.error(value.origin(), "control-character", message, "remove it");
            return None;
        }
        match self.fill(text) {
            Ok(filled) => Some(filled),
            Err(reason) => {
                let message = format!("`{path}`: {reason}");
                let hint = "`$$` is a literal `$`";
                self.report.error(value.origin(), "interpolation", message, hint);
                None
            }
        }
    }

    /// Takes a text of which nothing may be missing, and which holds no secret; else says so.
    fn whole(&mut self, value: &Placed, path: &str) -> Option<String> {
        let filled = self.text(value, path)?;
        if filled.whole().is_none() {
            let message = format!("`{path}` needs a value for {}", filled.asks_for());
            let hint =
                "it is left out; write it into the manifest, or into `.env` and import again";
            self.report.mind(value.origin(), "to-be-given", message, hint);
            return None;
        }
        if filled.is_secret {
            self.hide(value, path);
            return None;
        }
        Some(filled.text)
    }

    /// Says that a value is left out, because a secret stands in it.
    fn hide(&mut self, value: &Placed, path: &str) {
        let message = format!("`{path}` contains a secret, which is not written");
        let hint = "it is left out: pass it to the program in a variable with `sync: false`";
        self.report.mind(value.origin(), "hidden-value", message, hint);
    }

    /// Takes a list, or one text for a list of one.
    fn texts(&mut self, value: &Placed, path: &str) -> Vec<String> {
        if value.scalar().is_some() {
            return self.whole(value, path).into_iter().collect();
        }
        value.items().iter().filter_map(|item| self.whole(item, path)).collect()
    }
}
