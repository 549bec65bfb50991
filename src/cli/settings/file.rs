//! Settings files: read, checked, and joined key by key, the nearest winning.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value};

use crate::manifest::{Located, nearest};
use crate::model::{Diagnostic, Origin};
use crate::source::Tree;

use super::super::environment::Environment;
use super::super::failure::Failure;
use super::keys::{KeyScope, Keys};

/// The largest settings file. A thousand projects with all their keys are half of it.
pub(super) const FILE_BYTES_MAX: u64 = 1_048_576;

/// All settings files, joined.
#[derive(Clone, Debug, Default)]
pub struct SettingsFile {
    /// What stands at the top.
    pub top: Keys,
    /// The entries of `projects`; `None` when there is no such key.
    pub projects: Option<Vec<Keys>>,
    /// Which of them is meant.
    chosen: Option<usize>,
    /// The file that may be a stranger's: it lies in the checkout of a pull request, and nobody named
    /// it.
    unreviewed: Option<&'static str>,
    places: BTreeMap<String, Origin>,
    /// The texts, to show lines of them.
    texts: Vec<(String, String)>,
}

impl SettingsFile {
    /// Reads the file named, or those that exist, the nearest winning key by key.
    ///
    /// # Errors
    /// When a named file is missing, or any is not readable or not valid.
    pub fn read(named: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        let mut texts = Vec::new();
        if let Some(path) = named {
            let text = read(path).map_err(|error| unreadable(path, &error))?;
            texts.push((path.display().to_string(), text));
        } else {
            for path in environment.settings_files() {
                match read(&path) {
                    Ok(text) => texts.push((path.display().to_string(), text)),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(unreadable(&path, &error)),
                }
            }
        }
        let file = Self::from_texts(texts)?;
        Ok(if named.is_none() { file.of_checkout(environment) } else { file })
    }

    /// Notes that the file which lies here was found, and by whom it may have been written.
    pub(super) fn of_checkout(self, environment: &Environment) -> Self {
        let is_of_pull_request = environment.checkout().is_of_pull_request;
        Self { unreviewed: is_of_pull_request.then_some(Environment::SETTINGS_HERE), ..self }
    }

    /// Joins files given as name and text, the nearest first.
    ///
    /// # Errors
    /// When any is not valid.
    pub fn from_texts(texts: Vec<(String, String)>) -> Result<Self, Failure> {
        let mut joined = Located::default();
        for (name, text) in &texts {
            let checked = Located::read(name, text).and_then(|located| {
                // Each by itself first: what is wrong far away is not hidden by what is near.
                decode(&located).map(|_| located).map_err(|one| vec![*one])
            });
            match checked {
                Ok(located) => join(&mut joined, located),
                Err(diagnostics) => return Err(invalid(&texts, diagnostics)),
            }
        }
        let (top, projects) = decode(&joined).map_err(|one| invalid(&texts, vec![*one]))?;
        Ok(Self { top, projects, chosen: None, unreviewed: None, places: joined.places, texts })
    }

    /// Chooses the project that is named, or the only one there is.
    #[must_use]
    pub fn choose(self, name: Option<&str>) -> Self {
        let projects = self.projects.as_deref().unwrap_or_default();
        let chosen = match (name, projects) {
            (Some(name), _) => projects.iter().position(|keys| keys.name.as_deref() == Some(name)),
            (None, [_]) => Some(0),
            (None, _) => None,
        };
        Self { chosen, ..self }
    }

    /// Returns the project that was chosen, by its index, and its keys.
    #[must_use]
    pub fn chosen(&self) -> Option<(usize, &Keys)> {
        let index = self.chosen?;
        Some((index, self.projects.as_ref()?.get(index)?))
    }

    /// Refuses a call that is about one project, and says not which, or names one that is not here:
    /// it is never another one.
    ///
    /// # Errors
    /// Then, with the names there are.
    pub fn check_choice(&self, name: Option<&str>) -> Result<(), Failure> {
        let projects = self.projects.iter().flatten();
        let names: Vec<&str> = projects.filter_map(|keys| keys.name.as_deref()).collect();
        let listed = format!("the projects are {}", names.join(", "));
        match name {
            Some(name) if self.chosen.is_none() => {
                let failure = Failure::usage(format!("the settings list no project `{name}`"));
                Err(match nearest(name, &names) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None if names.is_empty() => {
                        failure.hint("write it as an entry of `projects` in `stoker.yaml`")
                    }
                    None => failure.hint(listed),
                })
            }
            None if self.chosen.is_none() && names.len() > 1 => {
                let failure =
                    Failure::usage("the settings list several projects, and none is named");
                Err(failure.hint(listed).hint("name one with --project"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether what stands in a file may be a stranger's.
    #[must_use]
    pub fn is_unreviewed(&self, name: &str) -> bool {
        self.unreviewed == Some(name)
    }

    /// Returns the name of the file that may be a stranger's, whether or not it is there.
    pub(super) const fn unreviewed(&self) -> Option<&'static str> {
        self.unreviewed
    }

    /// Whether any policy is written in these files.
    pub(super) fn says_policies(&self) -> bool {
        let mut levels = std::iter::once(&self.top).chain(self.projects.iter().flatten());
        levels.any(|keys| keys.policies.as_ref().is_some_and(|it| !it.is_empty()))
    }

    /// Returns the same files with another text, or none, in the place of one; of the project that
    /// was chosen.
    ///
    /// # Errors
    /// When they are not valid together.
    pub(super) fn in_place_of(
        &self,
        name: &str,
        other: Option<(String, String)>,
    ) -> Result<Self, Failure> {
        let others = self.texts.iter().filter(|(file, _)| file != name).cloned();
        let file = Self::from_texts(other.into_iter().chain(others).collect())?;
        let project = self.chosen().and_then(|(_, keys)| keys.name.as_deref());
        Ok(file.choose(project))
    }

    /// Returns where a key stands: of the top, or of one of the projects.
    #[must_use]
    pub fn place(&self, project: Option<usize>, key: &str) -> Option<&Origin> {
        match project {
            Some(index) => self.places.get(&format!("projects[{index}].{key}")),
            None => self.places.get(key),
        }
    }

    /// Returns where an entry of `projects` stands.
    #[must_use]
    pub fn place_of_project(&self, index: usize) -> Option<&Origin> {
        self.places.get(&format!("projects[{index}]"))
    }

    /// Makes the failure of settings that cannot be used, with the lines they stand in.
    #[must_use]
    pub fn refuse(&self, diagnostics: Vec<Diagnostic>) -> Failure {
        invalid(&self.texts, diagnostics)
    }
}

pub(super) fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let reason = format!("it is longer than {FILE_BYTES_MAX} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
    }
    Ok(text)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("failed to read settings {}: {error}", path.display()))
}

fn invalid(texts: &[(String, String)], diagnostics: Vec<Diagnostic>) -> Failure {
    let tree = Tree::from_texts(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let failure = Failure::usage("the settings cannot be used")
        .hint("the keys are listed in docs/settings.md, and by `stoker config schema`");
    Failure { diagnostics: tree.illustrate(diagnostics), ..failure }
}

/// Adds what is further away: it counts where the nearer say nothing.
fn join(nearer: &mut Located, further: Located) {
    let Located { values, places } = further;
    let mut taken = BTreeSet::new();
    let nearer_policies = nearer.values.get(POLICIES).and_then(Value::as_array).map_or(0, Vec::len);
    for (key, value) in values {
        match (nearer.values.get_mut(&key), value) {
            (None, value) => {
                nearer.values.insert(key.clone(), value);
            }
            // Assumptions, and variables, are many settings under one key.
            (Some(Value::Object(known)), Value::Object(more))
                if matches!(key.as_str(), "dialect" | "vars") =>
            {
                for (name, value) in more {
                    known.entry(name).or_insert(value);
                }
            }
            // Nobody nearer takes a rule away.
            (Some(known), Value::Array(more)) if key == POLICIES => match known {
                Value::Array(known) => known.extend(more),
                nothing => *nothing = Value::Array(more),
            },
            (Some(_), _) => continue,
        }
        taken.insert(key);
    }
    for (path, place) in places {
        let key = path.split(['.', '[']).next().unwrap_or_default();
        if taken.contains(key) {
            let path = if key == POLICIES { moved_on(&path, nearer_policies) } else { path };
            nearer.places.entry(path).or_insert(place);
        }
    }
}

/// The list that the files share: what stands in one is added to what stands in the others.
const POLICIES: &str = "policies";

/// Returns the path of an entry of the list behind so many others.
fn moved_on(path: &str, by: usize) -> String {
    let entry = path.strip_prefix("policies[").and_then(|rest| rest.split_once(']'));
    match entry.and_then(|(index, rest)| Some((index.parse::<usize>().ok()?, rest))) {
        Some((index, rest)) => format!("{POLICIES}[{}]{rest}", index + by),
        None => path.to_owned(),
    }
}

/// Decodes the two levels of a file.
fn decode(located: &Located) -> Result<(Keys, Option<Vec<Keys>>), Box<Diagnostic>> {
    let mut values = located.values.clone();
    let projects = match values.remove("projects") {
        None | Some(Value::Null) => None,
        Some(Value::Array(projects)) => Some(projects),
        Some(_) => {
            let place = located.place("projects");
            return Err(
                at(Diagnostic::error("wrong-type", "`projects` is not a list"), place).into()
            );
        }
    };
    check_level(located, "", &values, KeyScope::Project)?;
    let top = located.decode("", Value::Object(values))?;
    let Some(projects) = projects else { return Ok((top, None)) };
    let decoded = projects.into_iter().enumerate().map(|(index, project)| {
        let path = format!("projects[{index}]");
        if let Value::Object(values) = &project {
            check_level(located, &path, values, KeyScope::Process)?;
        }
        located.decode(&path, project)
    });
    Ok((top, Some(decoded.collect::<Result<_, _>>()?)))
}

/// Refuses keys that stand at the wrong level.
fn check_level(
    located: &Located,
    path: &str,
    values: &Map<String, Value>,
    wrong: KeyScope,
) -> Result<(), Box<Diagnostic>> {
    let Some(key) = values.keys().find(|key| KeyScope::of(key) == wrong) else {
        return Ok(());
    };
    let (message, hint) = match wrong {
        KeyScope::Process => (
            format!("`{key}` is about the whole process"),
            "write it at the top level, next to `projects`",
        ),
        KeyScope::Project | KeyScope::Both => (
            format!("`{key}` says which project it is, so it belongs to an entry of `projects`"),
            "without `projects` there is one project, and STACKBLAZE_TOKEN is its token",
        ),
    };
    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
    Err(at(Diagnostic::error("misplaced-key", message), located.place(&path)).hint(hint).into())
}

fn at(diagnostic: Diagnostic, place: Option<&Origin>) -> Diagnostic {
    match place {
        Some(place) => diagnostic.at(place.clone()),
        None => diagnostic,
    }
}
