//! S10 at every change: right before it its object was looked at, and was still as the pass had
//! read it; what is written is declared, and is other than what was there.

use serde_json::Value;

use crate::emulator::Mutation;
use crate::model::{Desired, EnvKey, FieldPath, FieldValue, Key, Resource};

use super::super::law::Law;
use super::super::timeline::Request;
use super::Bench;
use super::fields::{VARIABLE, flat};
use super::names::{declared_fields, snake_case};
use super::pass::Looks;
use super::writes::key;

impl<'w> Bench<'w> {
    pub(super) fn judge_patch(&mut self, request: &Request<'w>, effect: &Mutation) {
        let Request { run, asked, .. } = request;
        let looks = self.passes.get(run).and_then(|pass| pass.looks(&asked.path)).cloned();
        self.findings.check(Law::S10, looks.is_some(), || {
            format!("{:?} {} was changed without a look at it", effect.kind, effect.name)
        });
        let Some(looks) = looks else { return };
        let Some(body) = request.body else { return };
        let is_known = |field: &str| !asked.ignored.iter().any(|ignored| ignored == field);
        for (field, value) in flat(body).into_iter().filter(|(field, _)| is_known(field)) {
            self.judge_moved(effect, &looks, &field);
            self.judge_same(effect, &looks, &field, value.as_ref());
            self.judge_declared(request, effect, &looks, (&field, value.as_ref()));
        }
    }

    /// A delete is of what the pass had read: under the same name.
    pub(super) fn judge_delete_moved(&mut self, request: &Request<'w>, effect: &Mutation) {
        let pass = self.passes.get(&request.run);
        if let Some(looks) = pass.and_then(|pass| pass.looks(&request.asked.path)).cloned() {
            self.judge_moved(effect, &looks, "name");
        }
    }

    /// What somebody changed between the first look of a pass and the last is left alone.
    fn judge_moved(&mut self, effect: &Mutation, looks: &Looks, field: &str) {
        let (Some(first), Some(last)) = (looks.first.get(field), looks.last.get(field)) else {
            return;
        };
        self.findings.check(Law::S10, first == last, || {
            let Mutation { kind, name, .. } = effect;
            format!(
                "{field} of {kind:?} {name} was written over {last}, and was planned on {first}"
            )
        });
    }

    /// What is as wanted already is not written again, but after an answer that was lost.
    fn judge_same(&mut self, effect: &Mutation, looks: &Looks, field: &str, value: Option<&Value>) {
        let (Some(last), Some(value)) = (looks.last.get(field), value) else { return };
        self.findings.check(Law::S10, last != value || looks.may_be_written, || {
            let Mutation { kind, name, .. } = effect;
            format!("{field} of {kind:?} {name} was written, and was {value} already")
        });
    }

    /// What is written is what the snapshot of the pass declares.
    fn judge_declared(
        &mut self,
        request: &Request<'w>,
        effect: &Mutation,
        looks: &Looks,
        (field, value): (&str, Option<&Value>),
    ) {
        // Somebody may have renamed it since it was looked at.
        let read = looks.last.get("name").and_then(Value::as_str);
        let name = request.name().or(read).unwrap_or(&effect.name);
        let effect = &Mutation { name: name.to_owned(), ..effect.clone() };
        let desired = self.passes.get(&request.run).and_then(|pass| pass.desired.clone());
        let Some(desired) = desired else { return };
        // After an answer that was lost the last look shows what was written already.
        let planned_on = looks.first.get("name").and_then(Value::as_str);
        let is_asked_for = asks_for(&desired, effect, field, value)
            || makes_way(&desired, effect, planned_on, request.body);
        self.findings.check(Law::S10, is_asked_for, || {
            let Mutation { kind, name, .. } = effect;
            format!("{field} of {kind:?} {name} was written, and its manifest does not ask for it")
        });
    }
}

/// Whether the manifests ask for a field of a thing to be that; of what cannot be compared, whether
/// they declare it at all.
fn asks_for(desired: &Desired, effect: &Mutation, field: &str, value: Option<&Value>) -> bool {
    let key = key(effect.kind, &effect.name);
    let Some(resource) = key.and_then(|key| desired.resources.get(&key)) else {
        return false;
    };
    if let Some(variable) = field.strip_prefix(VARIABLE) {
        return asks_for_variable(resource, variable, value);
    }
    let first = field.split('.').next().unwrap_or(field);
    first == "name"
        || declared_fields(resource).contains(first) && is_wanted(resource, field, value)
}

/// Whether the manifests ask for a thing to make way: its name is one of those that go round, and a
/// name that nobody declares is all that is written. A strange answer may hide the name it had:
/// then the names of some resource of its kind must go round.
fn makes_way(
    desired: &Desired,
    effect: &Mutation,
    planned_on: Option<&str>,
    body: Option<&Value>,
) -> bool {
    let is_alone = body.and_then(Value::as_object).is_some_and(|body| body.len() == 1);
    let Some(new) = key(effect.kind, &effect.name) else { return false };
    let mut of_its_kind = desired.resources.keys().filter(|key| key.kind == new.kind);
    let goes_round = match planned_on {
        Some(name) => key(effect.kind, name).is_some_and(|old| is_in_circle(desired, &old)),
        None => of_its_kind.any(|key| is_in_circle(desired, key)),
    };
    is_alone && goes_round && !desired.resources.contains_key(&new)
}

/// Whether a name goes round: who takes it over gives up a name, whose heir gives up another, until
/// it is this one's turn.
pub(super) fn is_in_circle<V>(desired: &Desired<V>, name: &Key) -> bool {
    let heir_of = |old: &Key| {
        let mut declared = desired.resources.values();
        declared.find(|it| it.key.kind == old.kind && it.previous_names.contains(&old.name))
    };
    let next = |old: &Key| heir_of(old).map(|heir| heir.key.clone());
    let mut way = std::iter::successors(next(name), next).take(desired.resources.len());
    way.any(|key| key == *name)
}

fn asks_for_variable(resource: &Resource, variable: &str, value: Option<&Value>) -> bool {
    let path = EnvKey::new(variable).ok().map(FieldPath::Env);
    let declared = path.and_then(|path| resource.fields.get(&path));
    match (declared.map(|field| &field.value), value) {
        (None, Some(Value::Null)) => resource.declares_env && !is_the_platforms(variable),
        (None, _) => false,
        (Some(wanted), Some(value)) => shown(wanted).is_none_or(|wanted| wanted == *value),
        (Some(_), None) => true,
    }
}

/// Whether the platform puts a variable on by itself (A26); no manifest of a scene declares one.
fn is_the_platforms(variable: &str) -> bool {
    variable == "PORT" || variable.starts_with("STACKBLAZE_")
}

fn is_wanted(resource: &Resource, field: &str, value: Option<&Value>) -> bool {
    let is_it = |path: &&FieldPath| snake_case(&path.to_string()) == field;
    // The type has words of the platform's own.
    let wanted = resource.fields.keys().find(is_it).filter(|_| field != "type");
    let wanted = wanted.and_then(|path| shown(&resource.fields[path].value));
    wanted.is_none_or(|wanted| value.is_none_or(|value| wanted == *value))
}

/// Returns a value as a body holds it, where that is plain.
fn shown(value: &FieldValue) -> Option<Value> {
    match value {
        FieldValue::Text(text) => Some(text.as_str().into()),
        FieldValue::Integer(_)
        | FieldValue::Boolean(_)
        | FieldValue::Set(_)
        | FieldValue::Secret(_)
        | FieldValue::Reference(_) => None,
    }
}
