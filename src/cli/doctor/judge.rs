//! What the probe saw, and what it says of each assumption. Pure: values in, findings out.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Dialect, EnvPatch, Surveyed};
use crate::budget::Limits;
use crate::model::{EnvKey, FieldPath, FieldValue, LiveObject, LiveValue, Setting};
use crate::plan::PutOn;

/// What the probe saw. What it did not come to is missing.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The name that was sent.
    pub name: String,
    /// The settings and variables that were sent.
    pub sent: BTreeMap<FieldPath, FieldValue>,
    /// What the create answered.
    pub created: Option<LiveObject>,
    /// Its item in the list.
    pub listed: Option<LiveObject>,
    /// Its details.
    pub detailed: Option<LiveObject>,
    /// Its details after a patch that names another variable only.
    pub after_patch: Option<LiveObject>,
    /// Its details after a patch that takes a variable away.
    pub after_removal: Option<LiveObject>,
    /// How many deployments that first patch brought.
    pub deployments_added: Option<usize>,
    /// What became of a second create with the same name.
    pub twin: Option<Twin>,
    /// What a list in pages of half its length was like.
    pub paging: Option<PageProbe>,
    /// The last headers about limits.
    pub limits: Option<Limits>,
    /// Whether a deleted thing was proven gone by 404 with a code.
    pub proven_gone: Option<bool>,
    /// Whether it answered 404 without a code, and no list showed it.
    pub is_gone_without_code: bool,
}

/// What became of a second create with the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twin {
    /// 409: it was refused.
    Refused,
    /// There were two.
    Created,
}

/// What a list in pages of half its length was like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageProbe {
    /// It came in several pages, and they add up.
    Honoured,
    /// It came whole in one page.
    OnePage,
    /// It does not add up; the text says why.
    Odd(String),
}

/// What is known of one assumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is assumed.
    pub fact: String,
    /// Its identifier.
    pub assumption: &'static str,
    /// Whether it holds.
    pub verdict: AssumptionVerdict,
    /// What was seen.
    pub seen: String,
}

/// Whether an assumption holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssumptionVerdict {
    /// It does.
    Confirmed,
    /// It does not.
    False {
        /// The `--dialect` setting that says what is true, where there is one.
        set: Option<String>,
    },
    /// Nobody can tell.
    Unknown,
}

impl From<Surveyed> for Finding {
    fn from(surveyed: Surveyed) -> Self {
        let Surveyed { fact, assumption, holds, set, seen } = surveyed;
        let verdict = match holds {
            Some(true) => AssumptionVerdict::Confirmed,
            Some(false) => AssumptionVerdict::False { set },
            None => AssumptionVerdict::Unknown,
        };
        Self::new(fact, assumption, verdict, seen)
    }
}

impl Finding {
    fn new(
        fact: impl Into<String>,
        assumption: &'static str,
        verdict: AssumptionVerdict,
        seen: impl Into<String>,
    ) -> Self {
        Self { fact: fact.into(), assumption, verdict, seen: seen.into() }
    }
}

/// How the probe's own variables begin.
const PREFIX: &str = "STOKER_PROBE_";
/// The variable that is sent in the clear.
pub const PLAIN: &str = "STOKER_PROBE_PLAIN";
/// The variable that is sent as a secret.
pub const SECRET: &str = "STOKER_PROBE_SECRET";

/// Judges every assumption the probe can tell anything about.
#[must_use]
pub fn judge(observed: &Observed, dialect: &Dialect) -> Vec<Finding> {
    let mut findings = vec![paging(observed.paging.as_ref()), creation(observed)];
    findings.extend(observed.sent.keys().filter_map(|path| read_back(observed, path)));
    findings.push(masking(observed));
    findings.push(env_patch(observed, dialect));
    findings.push(removal(observed));
    findings.push(put_on(observed, dialect));
    findings.push(deploys(observed, dialect));
    findings.push(deletion(observed));
    findings.push(names(observed, dialect));
    findings.push(kept_names(observed, dialect));
    findings.push(headers(observed.limits.as_ref()));
    findings
}

fn paging(paging: Option<&PageProbe>) -> Finding {
    let (verdict, seen) = match paging {
        Some(PageProbe::Honoured) => {
            (AssumptionVerdict::Confirmed, "several pages that add up".to_owned())
        }
        Some(PageProbe::OnePage) => (AssumptionVerdict::Unknown, "all on one page".to_owned()),
        Some(PageProbe::Odd(reason)) => (AssumptionVerdict::False { set: None }, reason.clone()),
        None => (AssumptionVerdict::Unknown, "too few services to judge".to_owned()),
    };
    Finding::new("page parameters are honoured", "A1", verdict, seen)
}

fn creation(observed: &Observed) -> Finding {
    let (verdict, seen) = match &observed.created {
        Some(_) => (AssumptionVerdict::Confirmed, "an object with an id"),
        None => (AssumptionVerdict::Unknown, "nothing was created"),
    };
    Finding::new("a create answers with the object", "A4", verdict, seen)
}

/// Judges one setting; variables have findings of their own.
fn read_back(observed: &Observed, path: &FieldPath) -> Option<Finding> {
    let FieldPath::Setting(setting) = path else { return None };
    let detailed = observed.detailed.as_ref()?;
    let sent = observed.sent.get(path)?;
    let in_list = observed.listed.as_ref().and_then(|object| object.shows(path)).is_some();
    let place = if in_list { "in the list and in the details" } else { "only in the details" };
    let (assumption, verdict, seen) = match detailed.shows(path) {
        Some(LiveValue::Shown(shown)) if shown == sent => {
            ("A3", AssumptionVerdict::Confirmed, place.to_owned())
        }
        Some(LiveValue::Shown(shown)) if *setting == Setting::Type => {
            let set = Some(format!("type_names.{sent}={shown}"));
            ("A13", AssumptionVerdict::False { set }, format!("shown as {shown}"))
        }
        Some(LiveValue::Shown(shown)) => {
            ("A3", AssumptionVerdict::False { set: None }, format!("sent {sent}, shown {shown}"))
        }
        Some(LiveValue::Hidden) => ("A3", AssumptionVerdict::Unknown, "hidden".to_owned()),
        Some(LiveValue::Absent) => {
            ("A3", AssumptionVerdict::False { set: None }, "shown empty".to_owned())
        }
        None => (
            "A3",
            AssumptionVerdict::Unknown,
            "not shown; compared with what was applied".to_owned(),
        ),
    };
    Some(Finding::new(format!("{path} is read back"), assumption, verdict, seen))
}

/// Judges the form of secrets. Their values are compared, and never repeated.
fn masking(observed: &Observed) -> Finding {
    let fact = "a secret is hidden";
    let Some((path, detailed)) = variable(SECRET).zip(observed.detailed.as_ref()) else {
        return Finding::new(fact, "A17", AssumptionVerdict::Unknown, "not checked");
    };
    let is_sent = |shown: &FieldValue| match (observed.sent.get(&path), shown) {
        (Some(FieldValue::Secret(secret)), FieldValue::Text(text)) => secret.is(text),
        _ => false,
    };
    let (verdict, seen) = match detailed.shows(&path) {
        Some(LiveValue::Hidden) => (AssumptionVerdict::Confirmed, "masked, left out or marked"),
        Some(LiveValue::Shown(shown)) if is_sent(shown) => {
            (AssumptionVerdict::False { set: None }, "shown in the clear")
        }
        Some(LiveValue::Shown(_)) => {
            (AssumptionVerdict::False { set: None }, "a mask of an unknown form")
        }
        Some(LiveValue::Absent) => (AssumptionVerdict::False { set: None }, "not there"),
        None => (AssumptionVerdict::Unknown, "variables are not shown"),
    };
    Finding::new(fact, "A17", verdict, seen)
}

fn env_patch(observed: &Observed, dialect: &Dialect) -> Finding {
    let fact = format!("env_patch is {}", dialect.env_patch);
    let Some(kept) = has_plain(observed.after_patch.as_ref()) else {
        return Finding::new(fact, "A5", AssumptionVerdict::Unknown, "variables are not shown");
    };
    let (found, seen) = if kept {
        (EnvPatch::Merge, "an unnamed variable stayed")
    } else {
        (EnvPatch::Replace, "an unnamed variable was removed")
    };
    let verdict = if found == dialect.env_patch {
        AssumptionVerdict::Confirmed
    } else {
        AssumptionVerdict::False { set: Some(format!("env_patch={found}")) }
    };
    Finding::new(fact, "A5", verdict, seen)
}

fn removal(observed: &Observed) -> Finding {
    let (verdict, seen) = match has_plain(observed.after_removal.as_ref()) {
        Some(false) => (AssumptionVerdict::Confirmed, "it went"),
        Some(true) => (AssumptionVerdict::False { set: None }, "it stayed"),
        None => (AssumptionVerdict::Unknown, "not tried, or variables are not shown"),
    };
    Finding::new("a variable can be removed", "A5", verdict, seen)
}

/// What the platform puts on by itself must be known as its own: else it is taken away at each pass,
/// and comes back with each deployment.
fn put_on(observed: &Observed, dialect: &Dialect) -> Finding {
    let fact = format!("platform_env is {}", dialect.platform_env);
    let shown = [&observed.detailed, &observed.after_patch, &observed.after_removal];
    let shown: Vec<&LiveObject> =
        shown.into_iter().flatten().filter(|object| object.shows_env).collect();
    if shown.is_empty() {
        return Finding::new(fact, "A26", AssumptionVerdict::Unknown, "variables are not shown");
    }
    let keys = shown.into_iter().flat_map(|object| &object.fields);
    let keys = keys.filter(|(_, value)| **value != LiveValue::Absent);
    let keys = keys.filter_map(|(path, _)| path.env_key());
    let added: BTreeSet<&EnvKey> = keys.filter(|key| !key.as_str().starts_with(PREFIX)).collect();
    let known = PutOn::of(&dialect.platform_env);
    let join = |keys: &mut dyn Iterator<Item = &&EnvKey>| {
        keys.map(|key| key.as_str()).collect::<Vec<_>>().join(",")
    };
    let unknown = join(&mut added.iter().filter(|key| !known.covers(key)));
    let verdict = match unknown.as_str() {
        "" => AssumptionVerdict::Confirmed,
        unknown => {
            let set = format!("platform_env={},{unknown}", dialect.platform_env);
            AssumptionVerdict::False { set: Some(set) }
        }
    };
    let seen = match join(&mut added.iter()) {
        seen if seen.is_empty() => "no variables were added".to_owned(),
        seen => seen,
    };
    Finding::new(fact, "A26", verdict, seen)
}

fn deploys(observed: &Observed, dialect: &Dialect) -> Finding {
    let is_asked = dialect.deploy_after_patch;
    let fact =
        if is_asked { "a patch needs a deploy" } else { "a patch starts a deployment itself" };
    let Some(added) = observed.deployments_added else {
        return Finding::new(fact, "A6", AssumptionVerdict::Unknown, "not checked");
    };
    let needs_deploy = added == 0;
    let verdict = if needs_deploy == is_asked {
        AssumptionVerdict::Confirmed
    } else {
        AssumptionVerdict::False { set: Some(format!("deploy_after_patch={needs_deploy}")) }
    };
    Finding::new(fact, "A6", verdict, format!("{added} deployments after it"))
}

fn deletion(observed: &Observed) -> Finding {
    let (verdict, seen) = match observed.proven_gone {
        Some(true) => (AssumptionVerdict::Confirmed, "404 with a code"),
        Some(false) if observed.is_gone_without_code => {
            let set = Some("not_found=status".to_owned());
            (AssumptionVerdict::False { set }, "404 without a code, and no listing contains it")
        }
        Some(false) => (AssumptionVerdict::False { set: None }, "it still answers"),
        None => (AssumptionVerdict::Unknown, "not checked"),
    };
    Finding::new("a deleted resource answers 404", "A7", verdict, seen)
}

fn names(observed: &Observed, dialect: &Dialect) -> Finding {
    let fact = format!("names_unique is {}", dialect.names_unique);
    let Some(twin) = observed.twin else {
        return Finding::new(fact, "A8", AssumptionVerdict::Unknown, "not tried");
    };
    let (is_unique, seen) = match twin {
        Twin::Refused => (true, "a second one was refused"),
        Twin::Created => (false, "a second one was created"),
    };
    let verdict = if is_unique == dialect.names_unique {
        AssumptionVerdict::Confirmed
    } else {
        AssumptionVerdict::False { set: Some(format!("names_unique={is_unique}")) }
    };
    Finding::new(fact, "A8", verdict, seen)
}

/// One name that was kept is no proof for longer ones or for one that is taken elsewhere, so nothing
/// is concluded from it: whoever knows the platform sets it.
fn kept_names(observed: &Observed, dialect: &Dialect) -> Finding {
    let fact = "a name is kept as it is sent";
    let shown = [&observed.created, &observed.listed, &observed.detailed];
    let mut names = shown.into_iter().flatten().map(|object| &object.name).peekable();
    if names.peek().is_none() {
        return Finding::new(fact, "A22", AssumptionVerdict::Unknown, "nothing was created");
    }
    match names.find(|name| **name != observed.name) {
        None => {
            let seen = "shown as it was sent; `names_kept=true` says that every name is";
            Finding::new(fact, "A22", AssumptionVerdict::Confirmed, seen)
        }
        Some(name) => {
            let set = dialect.names_kept.then(|| "names_kept=false".to_owned());
            let seen = format!("sent {}, shown {name}", observed.name);
            Finding::new(fact, "A22", AssumptionVerdict::False { set }, seen)
        }
    }
}

fn headers(limits: Option<&Limits>) -> Finding {
    let fact = "X-RateLimit-Reset is understood";
    let Some(reset) = limits.and_then(|limits| limits.reset.as_deref()) else {
        return Finding::new(fact, "A9", AssumptionVerdict::Unknown, "not sent");
    };
    let form = match reset.trim().parse::<f64>() {
        Ok(number) if number < 0.0 => None,
        Ok(number) if number < 1e9 => Some("seconds from now"),
        Ok(number) if number < 1e11 => Some("seconds since 1970"),
        Ok(_) => Some("milliseconds since 1970"),
        Err(_) if reset.contains("GMT") => Some("a date"),
        Err(_) => None,
    };
    match form {
        Some(form) => {
            Finding::new(fact, "A9", AssumptionVerdict::Confirmed, format!("{reset}: {form}"))
        }
        None => Finding::new(fact, "A9", AssumptionVerdict::False { set: None }, reset),
    }
}

/// Whether the plain variable is there; nothing where variables are not shown.
fn has_plain(object: Option<&LiveObject>) -> Option<bool> {
    let path = variable(PLAIN)?;
    object?.shows(&path).map(|value| *value != LiveValue::Absent)
}

/// Returns the path of one of the probe's variables.
pub fn variable(key: &str) -> Option<FieldPath> {
    crate::model::EnvKey::new(key).ok().map(FieldPath::Env)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
