//! `projects`: of their environments one is read. The API knows the token's project and nothing below
//! it, so what stands in several would be one heap.

use super::super::draft::Drafts;
use super::super::reader::{DocumentReader, quoted};
use super::super::suggest::nearest;
use super::super::tree::Yaml;
use super::words::{self, MappingKind};
use super::{Holder, given};
use crate::model::Diagnostic;

/// How many environments a finding lists.
const LISTED_MAX: usize = 12;

/// What stands for a name that is not there.
const NAMELESS: &str = "?";

/// An environment with the project that it belongs to.
struct Found<'d, 'a> {
    name: Option<String>,
    /// `PROJECT/ENVIRONMENT`.
    whole: String,
    project: Yaml<'d, 'a>,
    environment: Yaml<'d, 'a>,
}

impl Found<'_, '_> {
    fn is_called(&self, wanted: &str) -> bool {
        self.name.as_deref().is_some_and(|name| name == wanted || self.whole == wanted)
    }
}

/// Returns the environment that is read, with its project, which holds env groups of its own: the one
/// that is named, else the only one. Of several none, and an error that lists them.
pub(super) fn chosen<'d, 'a>(
    reader: &mut DocumentReader<'_>,
    root: Yaml<'d, 'a>,
    drafts: &mut Drafts,
) -> Vec<Holder<'d, 'a>> {
    let Some(projects) = given(root, "projects") else {
        return Vec::new();
    };
    let mut bare = Vec::new();
    let mut found = Vec::new();
    for project in reader.items(projects, "projects") {
        let of_project = name_of(reader, project);
        let environments = given(project, "environments")
            .map(|environments| reader.items(environments, "projects.environments"))
            .unwrap_or_default();
        if environments.is_empty() {
            // Its env groups are for all of them.
            bare.push((project, MappingKind::Project));
        }
        for environment in environments {
            let name = name_of(reader, environment);
            let [project_word, word] =
                [&of_project, &name].map(|name| name.as_deref().unwrap_or(NAMELESS));
            let whole = format!("{project_word}/{word}");
            found.push(Found { name, whole, project, environment });
        }
    }
    drafts.has_environments |= !found.is_empty();
    let read = match meant(&found, drafts.environment.as_deref()) {
        Ok(read) => read,
        Err(finding) => {
            let origin = reader.origin(projects);
            reader.findings.push(finding.at(origin));
            return Vec::new();
        }
    };
    for (index, Found { project, environment, .. }) in found.iter().enumerate() {
        // What was not named is left aside, and needs no word.
        match read {
            Some(read) if read == index => {}
            Some(read) if found[read].project.is_same(*project) => environment.take(),
            Some(_) | None => project.take(),
        }
    }
    let read = read.map(|index| {
        let Found { project, environment, .. } = found[index];
        [(project, MappingKind::Project), (environment, MappingKind::Environment)]
    });
    let read = read.into_iter().flatten().chain(bare);
    let opened = read.filter_map(|(yaml, place)| {
        words::open(reader, yaml, place).map(|yaml| Holder { yaml, place })
    });
    opened.collect()
}

/// Returns which environment is meant; none where there is none at all.
fn meant(found: &[Found<'_, '_>], wanted: Option<&str>) -> Result<Option<usize>, Box<Diagnostic>> {
    let is_meant = |found: &Found<'_, '_>| wanted.is_none_or(|wanted| found.is_called(wanted));
    let fitting = found.iter().enumerate().filter(|(_, found)| is_meant(found));
    let (indices, fitting): (Vec<usize>, Vec<&Found<'_, '_>>) = fitting.unzip();
    match (indices.as_slice(), wanted) {
        ([], _) if found.is_empty() => Ok(None),
        ([one], _) => Ok(Some(*one)),
        (_, Some(wanted)) if fitting.is_empty() => Err(unknown(found, wanted).into()),
        (_, Some(wanted)) => {
            let message =
                format!("`projects` has several `{}`: {}", quoted(wanted), listed(&fitting));
            let hint = "select one with `--environment PROJECT/ENVIRONMENT`; if one project has \
                two of the same name, rename one";
            Err(Diagnostic::error("several-environments", message).hint(hint).into())
        }
        (several, None) => {
            let (count, names) = (several.len(), listed(&fitting));
            let message = format!("`projects` has {count} environments: {names}");
            let hint = "select the one to read with `--environment NAME`, or `environment` in \
                `stoker.yaml`: a token selects one project of the platform";
            Err(Diagnostic::error("several-environments", message).hint(hint).into())
        }
    }
}

/// The error for a name that nothing has.
fn unknown(found: &[Found<'_, '_>], wanted: &str) -> Diagnostic {
    let all: Vec<&Found<'_, '_>> = found.iter().collect();
    let message =
        format!("unknown environment `{}`: `projects` has {}", quoted(wanted), listed(&all));
    let finding = Diagnostic::error("unknown-environment", message);
    let is_whole = wanted.contains('/');
    let names = found.iter().filter_map(|found| match is_whole {
        true => Some(found.whole.as_str()),
        false => found.name.as_deref(),
    });
    let names: Vec<&str> = names.collect();
    match nearest(wanted, &names) {
        Some(name) => finding.hint(format!("did you mean `{}`?", quoted(name))),
        None => finding.hint("select it with `--environment`, or `environment` in `stoker.yaml`"),
    }
}

fn listed(found: &[&Found<'_, '_>]) -> String {
    let names = found.iter().take(LISTED_MAX).map(|found| format!("`{}`", quoted(&found.whole)));
    let mut names: Vec<String> = names.collect();
    if found.len() > LISTED_MAX {
        names.push(format!("and {} more", found.len() - LISTED_MAX));
    }
    names.join(", ")
}

fn name_of(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>) -> Option<String> {
    given(yaml, "name").and_then(|name| reader.text_as_written(name, "name"))
}
