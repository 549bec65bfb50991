//! What rules are told of a plan: its JSON form, in which every member is there.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::plan::Plan;
use crate::render::json::{Preamble, SavedPlan, SavedSummary};

/// What rules are evaluated on.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleInput {
    /// The plan; see [`RuleInput::of_document`].
    pub(super) plan: Value,
    /// What the settings call the project.
    pub(super) project: String,
    /// What time it is.
    pub(super) now: Timestamp,
}

impl RuleInput {
    /// Tells rules of a plan, with what the settings call its project and what time it is.
    #[must_use]
    pub fn new(plan: &Plan, project: &str, now: Timestamp) -> Self {
        let plan = SavedPlan::new(plan, Preamble::default());
        let plan = serde_json::to_value(plan).expect("our documents have only text keys");
        Self::of(plan, project, now)
    }

    /// Tells rules of a plan that is given as a document, in which members may be left out.
    ///
    /// # Errors
    /// When it is no mapping, or has a member that no plan has: which.
    pub fn of_document(plan: Value, project: &str, now: Timestamp) -> Result<Self, String> {
        check(&plan)?;
        Ok(Self::of(plan, project, now))
    }

    /// What a plan leaves out is there and `null`, or empty: a rule need not ask whether it is.
    fn of(plan: Value, project: &str, now: Timestamp) -> Self {
        let mut plan = completed(plan, plan_members());
        for (name, form) in [("project", project_members()), ("cost", cost_members())] {
            if let Some(member) = plan.get_mut(name) {
                *member = completed(member.take(), form);
            }
        }
        for change in items(&mut plan, "changes") {
            *change = completed(change.take(), change_members());
            for field in items(change, "fields") {
                *field = completed(field.take(), field_members());
            }
        }
        Self { plan, project: project.to_owned(), now }
    }

    /// Returns the changes that would be carried out: what is blocked is not.
    pub(super) fn changes_to_make(&self) -> impl Iterator<Item = &Value> {
        let changes = self.plan["changes"].as_array();
        changes.into_iter().flatten().filter(|change| change["blocked"].is_null())
    }
}

fn items<'a>(of: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    of.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Returns the members of a form with the values they have in a document, and in no other order;
/// what the form does not have is left out.
fn completed(given: Value, mut form: Map<String, Value>) -> Value {
    if let Value::Object(given) = given {
        for (name, value) in given {
            if let Some(member) = form.get_mut(&name) {
                *member = value;
            }
        }
    }
    Value::Object(form)
}

fn members(form: Value) -> Map<String, Value> {
    match form {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The members of a plan that rules are told. What differs between a command and an agent that plan
/// the same, paths and options, is not among them.
fn plan_members() -> Map<String, Value> {
    members(json!({
        "origin": null,
        "project": {},
        "revision": null,
        "changes": [],
        "summary": SavedSummary::default(),
        "byHand": [],
        "likelyRenames": [],
        "cost": {},
    }))
}

/// How long it takes depends on who else spends the budget, so no rule is told.
fn cost_members() -> Map<String, Value> {
    members(json!({ "reads": 0, "writes": 0 }))
}

fn project_members() -> Map<String, Value> {
    members(json!({ "id": null, "name": "", "region": null, "plan": null }))
}

fn change_members() -> Map<String, Value> {
    members(json!({
        "key": "",
        "action": "update",
        "reason": "requested",
        "origin": null,
        "labels": {},
        "effect": "none",
        "replicas": null,
        "id": null,
        "makesWay": null,
        "fields": [],
        "blocked": null,
        "requests": 1,
        "signature": "",
    }))
}

fn field_members() -> Map<String, Value> {
    members(json!({
        "path": "",
        "action": "change",
        "before": null,
        "after": null,
        "reason": "requested",
        "sensitive": false,
        "hint": null,
    }))
}

/// Refuses a document with a member that no plan has: a slip of the pen would test nothing.
fn check(plan: &Value) -> Result<(), String> {
    let more = ["formatVersion", "basis", "paths", "options", "diagnostics", "policies", "seal"];
    known(plan, "a plan", plan_members().keys().map(String::as_str).chain(more))?;
    let list = |of: &Value, name: &str| of[name].as_array().cloned().unwrap_or_default();
    for change in list(plan, "changes") {
        known(&change, "a change", change_members().keys().map(String::as_str))?;
        if !change["key"].is_string() {
            return Err("a change has no `key`".to_owned());
        }
        for field in list(&change, "fields") {
            known(&field, "a field", field_members().keys().map(String::as_str))?;
        }
    }
    Ok(())
}

fn known<'a>(of: &Value, what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let Value::Object(members) = of else { return Err(format!("{what} is not a mapping")) };
    let names: Vec<&str> = names.collect();
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("{what} has no member `{name}`")),
        None => Ok(()),
    }
}
