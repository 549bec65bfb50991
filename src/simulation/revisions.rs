//! From manifests to several revisions of them: what people do to manifests as time goes by.

use crate::manifest;
use crate::model::{
    Desired, EnvKey, Field, FieldPath, FieldValue, Key, Kind, Name, Resource, Setting, ValueSource,
};
use crate::source::Tree;

/// How many resources are taken away one at a time; each more makes the others rarer.
const WITHOUT_MAX: usize = 6;

/// The variable that a revision changes.
const TOUCHED: &str = "STOKER_SIMULATED";

/// One state of the manifests.
#[derive(Clone, Debug)]
pub(super) struct ManifestState {
    /// What was done to the first one, for people.
    pub what: String,
    /// The manifests as text.
    pub text: String,
    /// What they say.
    pub desired: Desired<ValueSource>,
}

/// Returns the manifests themselves, and then what could become of them.
///
/// Values of files and programs are taken from the environment instead: a simulation reads and runs
/// none.
pub(super) fn derive(mut base: Desired<ValueSource>) -> Vec<ManifestState> {
    for resource in base.resources.values_mut() {
        for field in resource.fields.values_mut() {
            let name = match &field.value {
                ValueSource::File(path) => path.clone(),
                ValueSource::Provider { provider, reference } => format!("{provider} {reference}"),
                ValueSource::Sops { file, path } => format!("{file} {path}"),
                ValueSource::Value(_) | ValueSource::Environment(_) | ValueSource::Generated(_) => {
                    continue;
                }
            };
            field.value = ValueSource::Environment(variable_for(&name));
        }
    }
    let mut revisions = Vec::new();
    let mut add = |what: String, desired: Option<Desired<ValueSource>>| {
        revisions.extend(desired.and_then(|desired| printed(what, &desired)));
    };
    add("as they are".to_owned(), Some(base.clone()));
    let services: Vec<&Key> = of_kind(&base, Kind::Service).collect();
    add("every service changed".to_owned(), Some(touched(&base, &services)));
    for key in services.iter().take(2) {
        add(format!("{key} changed"), Some(touched(&base, &[*key])));
    }
    for key in base.resources.keys().rev().take(WITHOUT_MAX) {
        add(format!("without {key}"), without(&base, &[key]));
    }
    let databases: Vec<&Key> = of_kind(&base, Kind::Database).collect();
    add("without databases".to_owned(), without(&base, &databases));
    let most: Vec<&Key> = services.iter().skip(1).copied().collect();
    add("only one service".to_owned(), without(&base, &most));
    if let Some(key) = services.last() {
        add(format!("{key} renamed"), renamed(&base, key));
        add(format!("{key} in another region"), moved(&base, key));
    }
    if let Some((one, other)) = of_one_type(&base, &services) {
        add(format!("{one} and {other} exchange their names"), exchanged(&base, one, other));
    }
    revisions
}

fn variable_for(path: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("FILE_{}", path.chars().map(plain).collect::<String>())
}

fn of_kind(desired: &Desired<ValueSource>, kind: Kind) -> impl Iterator<Item = &Key> {
    desired.resources.keys().filter(move |key| key.kind == kind)
}

/// Prints a state and reads it again, as a person's editor would save it; nothing when it is not
/// valid, or declares nothing.
fn printed(what: String, desired: &Desired<ValueSource>) -> Option<ManifestState> {
    let text = manifest::print(desired);
    let loaded = manifest::load(&Tree::from_texts([("stack.yaml", text.as_str())]));
    let desired = loaded.desired.filter(|desired| !desired.resources.is_empty())?;
    Some(ManifestState { what, text, desired })
}

fn touched(base: &Desired<ValueSource>, keys: &[&Key]) -> Desired<ValueSource> {
    let mut desired = base.clone();
    for key in keys {
        if let Some(resource) = desired.resources.get_mut(*key) {
            let path = FieldPath::Env(EnvKey::new(TOUCHED).expect("a constant that is a key"));
            // Where no variable is declared, declaring one would make all others drift.
            if resource.declares_env {
                put(resource, path, "1");
            } else {
                put(resource, FieldPath::Setting(Setting::Plan), "simulated");
            }
        }
    }
    desired
}

fn put(resource: &mut Resource<ValueSource>, path: FieldPath, text: &str) {
    let value = ValueSource::Value(FieldValue::Text(text.to_owned()));
    let origin = resource.origin.clone();
    resource.fields.insert(path, Field { value, origin });
}

/// Takes resources away, with everything that refers to them.
fn without(base: &Desired<ValueSource>, keys: &[&Key]) -> Option<Desired<ValueSource>> {
    let mut desired = base.clone();
    let mut gone: Vec<Key> = keys.iter().copied().cloned().collect();
    while let Some(key) = gone.pop() {
        desired.resources.remove(&key);
        let users = desired.resources.values().filter(|it| it.depends_on.contains(&key));
        gone.extend(users.map(|user| user.key.clone()));
    }
    let is_less = !keys.is_empty() && desired.resources.len() < base.resources.len();
    (is_less && !desired.resources.is_empty()).then_some(desired)
}

/// Returns the text of a state of which so many files have vanished, one after another: each time
/// the first that nothing else refers to, so that what is left is valid. One always stays.
pub(super) fn shrunk(base: &Desired<ValueSource>, gone: usize) -> String {
    let mut desired = base.clone();
    for _ in 0..gone {
        let is_used = |key: &Key| desired.resources.values().any(|it| it.depends_on.contains(key));
        let next = desired.resources.keys().find(|key| !is_used(key)).cloned();
        let Some(next) = next.filter(|_| desired.resources.len() > 1) else { break };
        desired.resources.remove(&next);
    }
    manifest::print(&desired)
}

fn renamed(base: &Desired<ValueSource>, key: &Key) -> Option<Desired<ValueSource>> {
    let mut desired = base.clone();
    let is_used = desired.resources.values().any(|it| it.depends_on.contains(key));
    let name = Name::new(&format!("{}-next", key.name)).ok().filter(|_| !is_used)?;
    let mut resource = desired.resources.remove(key)?;
    resource.previous_names.insert(0, key.name.clone());
    resource.key = Key::new(key.kind, name);
    desired.resources.insert(resource.key.clone(), resource);
    Some(desired)
}

/// Returns the first two services that may have each other's name: the type of one stays.
fn of_one_type<'k>(
    base: &Desired<ValueSource>,
    services: &[&'k Key],
) -> Option<(&'k Key, &'k Key)> {
    let type_of = |key: &Key| {
        let field = base.resources[key].fields.get(&FieldPath::Setting(Setting::Type));
        field.map(|field| field.value.clone())
    };
    services.iter().enumerate().find_map(|(place, one)| {
        let mut others = services[place + 1..].iter();
        others.find(|other| type_of(other) == type_of(one)).map(|other| (*one, *other))
    })
}

/// Lets two services exchange their names. What refers to one of them means its name.
fn exchanged(base: &Desired<ValueSource>, one: &Key, other: &Key) -> Option<Desired<ValueSource>> {
    let mut desired = base.clone();
    let (first, second) = (desired.resources.remove(one)?, desired.resources.remove(other)?);
    for (mut resource, key) in [(first, other), (second, one)] {
        resource.previous_names.insert(0, resource.key.name.clone());
        resource.key = key.clone();
        desired.resources.insert(key.clone(), resource);
    }
    Some(desired)
}

fn moved(base: &Desired<ValueSource>, key: &Key) -> Option<Desired<ValueSource>> {
    let mut desired = base.clone();
    put(desired.resources.get_mut(key)?, FieldPath::Setting(Setting::Region), "simulated-1");
    Some(desired)
}
