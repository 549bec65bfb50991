//! `projects`: of their environments one is read. The API knows the token's project and nothing below
//! it, so what stands in several would be one heap.

use super::super::reader::{Reader, quoted};
use super::super::tree::Yaml;
use super::given;
use super::words::{self, Place};

/// How many environments a finding lists.
const LISTED_MAX: usize = 12;

/// Returns the only environment of all projects, with its project, which holds env groups of its own;
/// of several none, and an error that lists them.
pub(super) fn only<'d, 'a>(reader: &mut Reader<'_>, root: Yaml<'d, 'a>) -> Vec<Yaml<'d, 'a>> {
    let Some(projects) = given(root, "projects") else {
        return Vec::new();
    };
    let mut bare = Vec::new();
    let mut found: Vec<(String, [Yaml<'d, 'a>; 2])> = Vec::new();
    for project in reader.items(projects, "projects") {
        let Some(project) = words::open(reader, project, Place::Project) else {
            continue;
        };
        let name = name_of(reader, project);
        let Some(environments) = given(project, "environments") else {
            // Its env groups are for all of them.
            bare.push(project);
            continue;
        };
        for environment in reader.items(environments, "projects.environments") {
            if words::open(reader, environment, Place::Environment).is_some() {
                let whole = format!("{name}/{}", name_of(reader, environment));
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

fn name_of(reader: &mut Reader<'_>, yaml: Yaml<'_, '_>) -> String {
    let name = given(yaml, "name").and_then(|name| reader.text_as_written(name, "name"));
    name.map_or_else(|| "?".to_owned(), |name| quoted(&name))
}
