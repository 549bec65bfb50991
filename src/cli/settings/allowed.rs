//! `secrets`: what manifests may name outside their tree. Only settings say it, because a manifest may
//! be a stranger's.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::EnvKey;
use crate::secret::{AllowedSources, SecretProgram};

use super::super::failure::Failure;
use super::super::values::Span;
use super::file::SettingsFile;
use super::origin::{GivenSettings, Provenance};
use super::pick::Picker;
use super::project::SettingsProblem;
use super::schema;

/// Ten seconds: a cloud's secret store takes one.
const TIMEOUT: Span = Span(Duration::from_secs(10));

/// Shorter would end what works.
const TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// A pass waits for it.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// The longest name of a provider, as manifests take it.
const NAME_CHARS_MAX: usize = 63;

/// Where SOPS finds an age key that is not in the home directory.
const SOPS_ENVIRONMENT: [&str; 2] = ["SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE"];

/// What manifests may name outside their tree.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretsForm {
    /// The directories whose files `valueFrom: { file: /PATH }` may name, for example `/run/secrets`.
    #[serde(default)]
    pub directories: Vec<PathBuf>,
    /// The programs that `valueFrom: { provider: NAME, ref: TEXT }` may name.
    #[serde(default)]
    pub providers: BTreeMap<String, ProviderForm>,
    /// Whether `valueFrom: { sops: FILE, path: TEXT }` is decrypted, and how: a truth, or a program.
    pub sops: Option<SopsForm>,
}

/// A program that knows values by references.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderForm {
    /// The program and its arguments; no shell reads them.
    pub command: Vec<String>,
    /// How long one call may take, from `1s` to `60s`; `10s` without it.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration_or_none")]
    pub timeout: Option<Span>,
    /// The variables it is given beside `PATH` and `HOME`, by name.
    #[serde(default)]
    pub environment: Vec<String>,
}

/// How files of SOPS are decrypted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a truth, or a mapping of `command`, `timeout`, `environment`")]
pub enum SopsForm {
    /// With the program `sops`, or not at all.
    Truth(bool),
    /// With this program.
    Program(SopsProgramForm),
}

/// The program that decrypts files of SOPS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SopsProgramForm {
    /// The program and its first arguments; `sops` without it.
    pub command: Option<Vec<String>>,
    /// How long one call may take, from `1s` to `60s`; `10s` without it.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration_or_none")]
    pub timeout: Option<Span>,
    /// The variables it is given beside `PATH` and `HOME`, by name; `SOPS_AGE_KEY` and
    /// `SOPS_AGE_KEY_FILE` without it.
    pub environment: Option<Vec<String>>,
}

/// Returns what the settings of a call allow its manifests to name.
///
/// # Errors
/// When they cannot be used.
pub fn allowed_sources(file: &SettingsFile) -> Result<AllowedSources, Failure> {
    let given = GivenSettings::default();
    let picked = pick_allowed(&mut Picker::of_call(file, &given));
    picked.map_err(|problem| file.refuse(vec![problem.into()]))
}

/// Picks what manifests may name: the project's own key whole, else that at the top.
pub(super) fn pick_allowed(picker: &mut Picker<'_>) -> Result<AllowedSources, SettingsProblem> {
    let own = picker.own().and_then(|keys| keys.secrets.as_ref());
    let is_own = own.is_some();
    let place = |picker: &Picker<'_>, key: &str| {
        if is_own { picker.own_place(key) } else { picker.top_place(key) }
    };
    let Some(form) = own.or(picker.top().secrets.as_ref()) else {
        picker.note("secrets", None, Provenance::Default);
        return Ok(AllowedSources::NOTHING);
    };
    check_reviewed(picker, &place(picker, "secrets"))?;
    let mut allowed = AllowedSources::NOTHING;
    for (index, directory) in form.directories.iter().enumerate() {
        let key = format!("secrets.directories[{index}]");
        let place = place(picker, &key);
        check_directory(directory).map_err(|it| SettingsProblem::new(it, place.clone()))?;
        picker.note(&key, Some(directory.display().to_string()), place);
        allowed.directories.push(directory.clone());
    }
    for (name, form) in &form.providers {
        let key = format!("secrets.providers.{name}");
        let place = place(picker, &key);
        let program = provider(name, form);
        let program = program.map_err(|it| SettingsProblem::new(it, place.clone()))?;
        picker.note(&key, Some(shown(&program)), place);
        allowed.providers.insert(name.clone(), program);
    }
    if let Some(form) = &form.sops {
        let place = place(picker, "secrets.sops");
        let program = sops(form).map_err(|it| SettingsProblem::new(it, place.clone()))?;
        let text = program.as_ref().map_or_else(|| false.to_string(), shown);
        picker.note("secrets.sops", Some(text), place);
        allowed.sops = program;
    }
    Ok(allowed)
}

/// In the checkout of a pull request the settings that lie there are its author's, who may not say
/// what is run and read. Who names the file says that it may be trusted.
fn check_reviewed(picker: &Picker<'_>, place: &Provenance) -> Result<(), SettingsProblem> {
    match place {
        Provenance::File(origin) if picker.is_unreviewed(&origin.file) => {
            let reason = "`secrets` is not taken from the checkout of a pull request; name a file \
                          that may be trusted with --config or STOKER_CONFIG";
            Err(SettingsProblem::new(reason, place.clone()))
        }
        _ => Ok(()),
    }
}

fn check_directory(directory: &Path) -> Result<(), String> {
    let is_plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
    let shown = directory.display();
    if !directory.is_absolute() || !directory.components().all(is_plain) {
        return Err(format!("`{shown}` is not an absolute path without `..`"));
    }
    if directory.parent().is_none() {
        return Err("`/` would allow every file of this machine".to_owned());
    }
    Ok(())
}

fn provider(name: &str, form: &ProviderForm) -> Result<SecretProgram, String> {
    let is_name = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_name {
        return Err(format!("`{name}` is no name of a provider: letters, digits, `-` and `_`"));
    }
    let ProviderForm { command, timeout, environment } = form;
    program(command.clone(), *timeout, environment.clone())
}

fn sops(form: &SopsForm) -> Result<Option<SecretProgram>, String> {
    let usual_command = || vec!["sops".to_owned()];
    let usual_environment = || SOPS_ENVIRONMENT.map(str::to_owned).to_vec();
    match form {
        SopsForm::Truth(false) => Ok(None),
        SopsForm::Truth(true) => program(usual_command(), None, usual_environment()).map(Some),
        SopsForm::Program(SopsProgramForm { command, timeout, environment }) => {
            let command = command.clone().unwrap_or_else(usual_command);
            let environment = environment.clone().unwrap_or_else(usual_environment);
            program(command, *timeout, environment).map(Some)
        }
    }
}

fn program(
    command: Vec<String>,
    timeout: Option<Span>,
    environment: Vec<String>,
) -> Result<SecretProgram, String> {
    let Some(first) = command.first().filter(|first| !first.is_empty()) else {
        return Err("`command` is empty".to_owned());
    };
    // Beneath the directory that one happens to stand in lies what others have written.
    if first.contains('/') && !first.starts_with('/') {
        return Err(format!(
            "`{first}` is relative: write its whole path, or the name of a program in PATH"
        ));
    }
    if command.iter().any(|word| word.contains('\0')) {
        return Err("`command` holds a NUL".to_owned());
    }
    let timeout = timeout.unwrap_or(TIMEOUT).0;
    if !(TIMEOUT_MIN..=TIMEOUT_MAX).contains(&timeout) {
        let (min, max) = (Span(TIMEOUT_MIN), Span(TIMEOUT_MAX));
        return Err(format!("`timeout` lies between {min} and {max}"));
    }
    if let Some(odd) = environment.iter().find(|name| EnvKey::new(name).is_err()) {
        return Err(format!("`environment`: `{odd}` is no name of a variable"));
    }
    Ok(SecretProgram { command, timeout, environment })
}

/// Shows the program alone: an argument may be a secret.
fn shown(program: &SecretProgram) -> String {
    let SecretProgram { command, timeout, environment: _ } = program;
    let name = command.first().map_or("", String::as_str);
    format!("{name} (within {})", Span(*timeout))
}
