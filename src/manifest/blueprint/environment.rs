//! `projects`: of their environments one is read. The API knows the token's project and nothing below
//! it, so what stands in several would be one heap.

use super::super::reader::{DocumentReader, quoted};
use super::super::tree::Yaml;
use super::words::{self, MappingKind};
use super::{Holder, given};

/// How many environments a finding lists.
const LISTED_MAX: usize = 12;

/// Returns the only environment of all projects, with its project, which holds env groups of its own;
/// of several none, and an error that lists them.
pub(super) fn only<'d, 'a>(
    reader: &mut DocumentReader<'_>,
    root: Yaml<'d, 'a>,
) -> Vec<Holder<'d, 'a>> {
    let Some(projects) = given(root, "projects") else {
        return Vec::new();
    };
    let mut bare = Vec::new();
    let mut found: Vec<(String, [Holder<'d, 'a>; 2])> = Vec::new();
    for project in reader.items(projects, "projects") {
        let Some(project) = open(reader, project, MappingKind::Project) else {
            continue;
        };
        let name = name_of(reader, project.yaml);
        let environments = given(project.yaml, "environments")
            .map(|environments| reader.items(environments, "projects.environments"))
            .unwrap_or_default();
        if environments.is_empty() {
            // Its env groups are for all of them.
            bare.push(project);
        }
        for environment in environments {
            if let Some(environment) = open(reader, environment, MappingKind::Environment) {
                let whole = format!("{name}/{}", name_of(reader, environment.yaml));
                found.push((whole, [project, environment]));
            }
        }
    }
    match found.as_slice() {
        [] => bare,
        [(_, holders)] => [holders.to_vec(), bare].concat(),
        several => {
            let names = several.iter().take(LISTED_MAX).map(|(name, _)| format!("`{name}`"));
            let mut names: Vec<String> = names.collect();
            if several.len() > LISTED_MAX {
                names.push(format!("and {} more", several.len() - LISTED_MAX));
            }
            let message =
                format!("`projects` has {} environments: {}", several.len(), names.join(", "));
            let hint = "a token selects one project of the platform; keep one environment in this \
                        file, and each other in a file for its own project";
            reader.error_with(projects, "several-environments", message, hint);
            Vec::new()
        }
    }
}

fn open<'d, 'a>(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'d, 'a>,
    place: MappingKind,
) -> Option<Holder<'d, 'a>> {
    words::open(reader, yaml, place).map(|yaml| Holder { yaml, place })
}

fn name_of(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>) -> String {
    let name = given(yaml, "name").and_then(|name| reader.text_as_written(name, "name"));
    name.map_or_else(|| "?".to_owned(), |name| quoted(&name))
}
