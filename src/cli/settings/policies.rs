//! `policies`: the rules that judge every plan, and whose they are.
//!
//! No level can take away what another says: those of all files are joined, and those of a project's
//! entry are added to those at the top.

use std::borrow::Cow;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::Origin;
use crate::plan::RuleSeverity;
use crate::rules::{PolicyRule, RuleParts, RuleScope, Rules};
use crate::source::{LocalGit, TargetError};

use super::super::code::ErrorCode;
use super::super::environment::Environment;
use super::super::failure::Failure;
use super::file::{self, SettingsFile};
use super::origin::Provenance;
use super::pick::Picker;
use super::project::SettingsProblem;

/// A rule on plans.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyForm {
    /// What it is called: lower-case letters, digits and `-`.
    #[schemars(regex(pattern = r"^[-a-z0-9]{1,63}$"))]
    pub name: String,
    /// What people are told where the rule does not hold.
    pub message: String,
    /// The expression (CEL) that is true of what keeps the policy. It knows `plan`, `project`, `now`,
    /// and with `scope: change` also `change`.
    pub rule: String,
    /// What the rule is evaluated on: the `plan`, or each `change` of it; `plan` without it.
    #[serde(default)]
    pub scope: ScopeWord,
    /// What becomes of a plan that does not keep it: `refuse` or `warn`; `refuse` without it.
    #[serde(default)]
    pub severity: SeverityWord,
}

/// What a rule is evaluated on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScopeWord {
    /// On the plan, once.
    #[default]
    Plan,
    /// On each change that is not blocked.
    Change,
}

/// What becomes of a plan that does not keep a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeverityWord {
    /// Nothing of it is carried out.
    #[default]
    Refuse,
    /// People are told.
    Warn,
}

/// Returns the policies that judge a call: those of its project. In a pull request they are those of
/// the branch it goes to.
///
/// # Errors
/// When they cannot be used, or cannot be had.
pub fn policies(file: &SettingsFile, environment: &Environment) -> Result<Rules, Failure> {
    of_file(judging(file, environment)?.as_ref())
}

/// Returns the policies of a project as a file says them, whosever it is: to be tried, not to judge.
///
/// # Errors
/// When they cannot be used.
pub fn policies_to_test(file: &SettingsFile) -> Result<Rules, Failure> {
    of_file(file)
}

fn of_file(file: &SettingsFile) -> Result<Rules, Failure> {
    let read = read(file, file.chosen().map(|(index, _)| index));
    let read = read.map_err(|problem| file.refuse(vec![problem.into()]))?;
    Ok(read.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>().into())
}

/// Picks the policies that judge the plans of an agent's project.
pub(super) fn pick_policies(
    picker: &mut Picker<'_>,
    environment: &Environment,
) -> Result<Rules, SettingsProblem> {
    let plain = |failure: Failure| SettingsProblem::new(failure.message, Provenance::Default);
    let name = picker.own().and_then(|keys| keys.name.clone());
    let file = judging(picker.file(), environment).map_err(plain)?;
    let file = file.into_owned().choose(name.as_deref());
    let read = read(&file, file.chosen().map(|(index, _)| index))?;
    if read.is_empty() {
        picker.note("policies", None, Provenance::Default);
    }
    let rules = read.into_iter().map(|(rule, place)| {
        let severity = rule.severity().as_str();
        picker.note(&format!("policies.{}", rule.name()), Some(severity.to_owned()), place);
        rule
    });
    Ok(rules.collect::<Vec<_>>().into())
}

/// Reads the policies at the top of a file and those of one of its projects.
fn read(
    file: &SettingsFile,
    project: Option<usize>,
) -> Result<Vec<(PolicyRule, Provenance)>, SettingsProblem> {
    let own = project.and_then(|index| file.projects.as_ref()?.get(index));
    let mut read: Vec<(PolicyRule, Provenance)> = Vec::new();
    for (keys, project) in [(Some(&file.top), None), (own, project)] {
        let forms = keys.and_then(|keys| keys.policies.as_ref());
        for (index, form) in forms.into_iter().flatten().enumerate() {
            let key = format!("policies[{index}]");
            let origin = file.place(project, &key).cloned();
            let rule = file.place(project, &format!("{key}.rule")).cloned();
            let place = origin.clone().map_or(Provenance::Default, Provenance::File);
            let rule = rule_of(form, rule.or(origin));
            let rule = rule.map_err(|reason| SettingsProblem::new(reason, place.clone()))?;
            if read.iter().any(|(known, _)| known.name() == rule.name()) {
                let reason = format!("there are two policies called `{}`", rule.name());
                return Err(SettingsProblem::new(reason, place));
            }
            read.push((rule, place));
        }
    }
    Ok(read)
}

fn rule_of(form: &PolicyForm, origin: Option<Origin>) -> Result<PolicyRule, String> {
    let PolicyForm { name, message, rule, scope, severity } = form.clone();
    let scope = match scope {
        ScopeWord::Plan => RuleScope::Plan,
        ScopeWord::Change => RuleScope::Change,
    };
    let severity = match severity {
        SeverityWord::Refuse => RuleSeverity::Refuse,
        SeverityWord::Warn => RuleSeverity::Warn,
    };
    PolicyRule::new(RuleParts { name, message, rule, scope, severity, origin })
}

/// Returns the settings whose policies judge. The file that lies in the checkout of a pull request is
/// its author's, who would judge their own change: instead of it the target branch's is read.
fn judging<'a>(
    file: &'a SettingsFile,
    environment: &Environment,
) -> Result<Cow<'a, SettingsFile>, Failure> {
    let Some(here) = file.unreviewed() else { return Ok(Cow::Borrowed(file)) };
    let branch = environment.target_branch();
    let unknown = |why: &str| {
        let message = format!("the policies of the target branch cannot be read: {why}");
        let failure = Failure::new(ErrorCode::PoliciesUnknown, message)
            .hint("in a pull request the policies of its target branch judge, not its own");
        let failure = match branch {
            Some(name) => failure.hint(format!(
                "fetch it first: git fetch --depth=1 origin \
                 +refs/heads/{name}:refs/remotes/origin/{name}"
            )),
            None => failure,
        };
        failure.hint("or name a settings file that may be trusted, with --config or STOKER_CONFIG")
    };
    let git = LocalGit {
        path: environment.get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin").to_owned(),
        home: environment.get("HOME").map(Into::into),
    };
    let name = branch.unwrap_or_default();
    match git.at_target(Path::new("."), name, here) {
        Ok(text) => {
            if text.as_ref().is_some_and(|text| text.len() as u64 > file::FILE_BYTES_MAX) {
                return Err(unknown("its settings are too long"));
            }
            let text = text.map(|text| (format!("{here} of {name}"), text));
            file.in_place_of(here, text).map(Cow::Owned)
        }
        // Nobody made a checkout, so nobody says whose the files are; what judges must be known all
        // the same.
        Err(TargetError::NoCheckout) if !file.says_policies() => Ok(Cow::Borrowed(file)),
        Err(_) if branch.is_none() => Err(unknown("the build server does not name the branch")),
        Err(error) => Err(unknown(&error.to_string())),
    }
}
