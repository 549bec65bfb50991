//! What of the manifests is read: the environment of Blueprints, what is laid over them, and what
//! stands in them for variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::manifest::Located;
use crate::model::{EnvKey, Origin, looks_secret};
use crate::source::{GivenVariable, Variables};

use super::super::arguments::Chosen;
use super::super::failure::Failure;
use super::file::{self, SettingsFile};
use super::origin::{GivenSettings, Provenance};
use super::pick::{Picker, pick};
use super::project::SettingsProblem;

/// Which manifests are read, and with which values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeSettings {
    /// The environment of Blueprints, where one is named.
    pub environment: Option<String>,
    /// What is laid over the manifests, in order.
    pub overlays: Vec<PathBuf>,
    /// What stands in them for variables.
    pub variables: Arc<Variables>,
}

impl TreeSettings {
    /// Joins flags and file.
    ///
    /// # Errors
    /// When a variable cannot be used, or the file of them cannot be read.
    pub fn resolve(flags: &Chosen, file: &SettingsFile) -> Result<Self, Failure> {
        let given = GivenSettings::default();
        let picked = Self::pick(&mut Picker::of_call(file, &given), flags);
        picked.map_err(|problem| file.refuse(vec![problem.into()]))
    }

    /// As [`Self::resolve`], and remembers where each value comes from.
    pub(super) fn pick(picker: &mut Picker<'_>, flags: &Chosen) -> Result<Self, SettingsProblem> {
        Ok(Self {
            environment: pick!(picker, flags, environment),
            overlays: pick!(picker, flags, overlays).unwrap_or_default(),
            variables: Arc::new(variables(picker, flags)?),
        })
    }
}

/// Values with the place where each is given.
type Given = BTreeMap<String, (String, Provenance)>;

/// Joins variables one by one: of two the nearer wins, and beside a file of them what is named itself.
fn variables(picker: &mut Picker<'_>, flags: &Chosen) -> Result<Variables, SettingsProblem> {
    let mut given = Given::new();
    for (keys, is_own) in [(Some(picker.top()), false), (picker.own(), true)] {
        let place = |key: &str| if is_own { picker.own_place(key) } else { picker.top_place(key) };
        if let Some(path) = keys.and_then(|keys| keys.vars_file.as_deref()) {
            read(path, &place("varsFile"), &mut given)?;
        }
        for (name, value) in keys.iter().flat_map(|keys| &keys.vars) {
            let place = place(&format!("vars.{name}"));
            given.insert(name.clone(), (value.to_string(), place));
        }
    }
    if let Some(path) = &flags.vars_file {
        read(path, &picker.given_place("varsFile"), &mut given)?;
    }
    for variable in &flags.vars {
        let place = Provenance::Flag("--var".to_owned());
        given.insert(variable.name.clone(), (variable.value.clone(), place));
    }
    pick!(picker, flags, vars_file);
    let mut variables = Variables::default();
    for (name, (value, place)) in given {
        if !Variables::is_name(&name) {
            let reason = format!(
                "`{name}` is not a variable name: letters, digits and `_`, not beginning with a \
                 digit"
            );
            return Err(SettingsProblem::new(reason, place));
        }
        let is_secret = EnvKey::new(&name).is_ok_and(|key| looks_secret(&key, &value));
        let shown = if is_secret { "(looks like a secret)".to_owned() } else { value.clone() };
        picker.note(&format!("vars.{name}"), Some(shown), place.clone());
        variables.give(name, GivenVariable { value, origin: origin(place) });
    }
    Ok(variables)
}

fn origin(place: Provenance) -> Option<Origin> {
    match place {
        Provenance::File(origin) => Some(origin),
        Provenance::Flag(_) | Provenance::Variable(_) | Provenance::Default => None,
    }
}

/// Reads a file of variables.
fn read(path: &Path, place: &Provenance, given: &mut Given) -> Result<(), SettingsProblem> {
    let shown = path.display().to_string();
    let text = file::read(path).map_err(|error| {
        SettingsProblem::new(format!("failed to read variables of {shown}: {error}"), place.clone())
    })?;
    let located = Located::read(&shown, &text).map_err(|findings| {
        let first = findings.first().map(ToString::to_string).unwrap_or_default();
        SettingsProblem::new(first, place.clone())
    })?;
    for (name, value) in &located.values {
        let value_place =
            located.place(name).cloned().map_or_else(|| place.clone(), Provenance::File);
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let reason = format!("the variable `{name}` must be a single value");
                return Err(SettingsProblem::new(reason, value_place));
            }
        };
        given.insert(name.clone(), (text, value_place));
    }
    Ok(())
}
