//! Docker Compose: services become services, and those of database images databases.
//!
//! In reading order: `project` puts the files together; `service` and `database` read what runs, with
//! `environment`, `ports`, `volumes` and `health`; `words` says what has no home, and why.
//! `interpolate`, `meaning` and `dotenv` are what a text means.

mod command;
mod database;
mod dotenv;
mod environment;
mod health;
mod interpolate;
mod meaning;
mod ports;
mod project;
mod service;
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
use crate::model::{Key, Kind, Resource, ValueSource};

use interpolate::{Filled, HOLE, fill};
use project::ComposeProject;

/// Reads Compose files, the later over the earlier.
pub(super) fn read(
    files: &[&ForeignFile],
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let Some(project) = ComposeProject::open(files, folder, report) else {
        return Vec::new();
    };
    let mut reader = ComposeReader { folder, variables: project.variables, report };
    words::top(&mut reader, &project.root);
    let services = project::services(&mut reader, &project.root);
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
    let mut resources = Vec::new();
    for (key, name, yaml) in named.iter().filter(|(key, ..)| key.kind == Kind::Database) {
        resources.extend(database::read(&mut reader, key, name, yaml, &mut hosts));
    }
    let services = named.iter().filter(|(key, ..)| key.kind == Kind::Service);
    for (key, name, yaml) in services.clone() {
        hosts.add(&service::host_names(name, yaml), Host::service(key.clone()));
    }
    for (key, name, yaml) in services {
        resources.push(service::read(&mut reader, key, name, yaml, &hosts));
    }
    reader.report.account(&project.root, "");
    resources
}

/// What the parts of the reading share.
struct ComposeReader<'r, 'f> {
    folder: &'r ForeignFolder<'f>,
    /// What `.env` beside the file gives.
    variables: BTreeMap<String, String>,
    report: &'r mut ImportReport,
}

impl ComposeReader<'_, '_> {
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
            let message = format!("`{path}` holds a NUL character");
            self.report.error(value.origin(), "control-character", message, "remove it");
            return None;
        }
        match self.fill(text) {
            Ok(filled) => Some(filled),
            Err(reason) => {
                let message = format!("`{path}`: {reason}");
                let hint = "`$$` stands for a plain `$`";
                self.report.error(value.origin(), "interpolation", message, hint);
                None
            }
        }
    }

    /// Takes a text of which nothing may be missing; says what is.
    fn whole(&mut self, value: &Placed, path: &str) -> Option<String> {
        let filled = self.text(value, path)?;
        if filled.whole().is_none() {
            let message = format!("`{path}` needs a value for {}", filled.asks_for());
            let hint =
                "it is left out; write it into the manifest, or into `.env` and import again";
            self.report.mind(value.origin(), "to-be-given", message, hint);
            return None;
        }
        Some(filled.text)
    }

    /// Takes a list, or one text for a list of one.
    fn texts(&mut self, value: &Placed, path: &str) -> Vec<String> {
        if value.scalar().is_some() {
            return self.whole(value, path).into_iter().collect();
        }
        value.items().iter().filter_map(|item| self.whole(item, path)).collect()
    }
}
