//! A platform and a memory, to carry plans out without either.

use std::sync::Arc;

use crate::model::*;
use crate::plan::*;

/// What the platform does with a step, and the inventory with the record.
pub struct World {
    pub snapshot: Snapshot,
    /// How many it has made.
    pub ids: usize,
    /// Whether it shows what it was sent.
    pub shows: bool,
}

impl World {
    /// Carries a plan out as the executor would.
    pub fn apply(&mut self, plan: &Plan) {
        let mut progress = Progress::new(plan);
        for (key, entry) in &plan.remember {
            let entries = &mut Arc::make_mut(&mut self.snapshot.inventory).entries;
            entries.insert(key.clone(), entry.clone());
        }
        while let Some(key) = progress.begin_next() {
            let change = plan.changes.iter().find(|it| it.key == key).unwrap();
            match progress.part(&key) {
                Part::First => self.carry_out(change),
                Part::Completion => {
                    let entry = &self.snapshot.inventory.entries[&key];
                    self.carry_out(&change.completed(entry).unwrap());
                }
            }
            progress.finish(&key, Outcome::Applied);
        }
        assert!(progress.is_finished());
    }

    /// A platform refuses to take a value from a service that is not there.
    fn knows_what_is_named(&self, step: &Step) {
        let values: Vec<&FieldValue> = match step {
            Step::Create { fields } => fields.values().collect(),
            Step::Patch { fields, .. } => fields.values().flatten().collect(),
            Step::MakeWay { .. }
            | Step::Complete { .. }
            | Step::Deploy { .. }
            | Step::Delete { .. } => Vec::new(),
        };
        for value in values {
            let FieldValue::Reference(reference) = value else { continue };
            // What is remembered may be there, whatever a list shows (S2); what nobody declares may
            // go by a rename meanwhile.
            let target = reference.target();
            let is_declared = self.snapshot.desired.resources.contains_key(&target);
            let is_remembered = self.snapshot.inventory.entries.contains_key(&target);
            if reference.kind != Kind::Service || is_remembered || !is_declared {
                continue;
            }
            let listing = &self.snapshot.live.listings[&reference.kind];
            let names = listing.objects.iter().map(|it| it.name.as_str());
            let is_there = names.into_iter().any(|name| name == reference.name.as_str());
            assert!(is_there || !listing.coverage.is_complete(), "{reference} is not there");
        }
    }

    fn carry_out(&mut self, change: &Change) {
        let key = &change.key;
        let mut id = change.id.clone();
        for step in change.first_steps() {
            self.knows_what_is_named(step);
            let listing = self.snapshot.live.listings.get_mut(&key.kind).unwrap();
            match step {
                Step::Complete { .. } => panic!("it is a part of its own"),
                Step::Deploy { .. } => {}
                Step::Create { fields } => {
                    assert!(listing.objects.iter().all(|it| it.name != key.name.as_str()));
                    self.ids += 1;
                    let new = RemoteId::new(&format!("new-{}", self.ids)).unwrap();
                    let mut object =
                        super::scene::object(key.kind, key.name.as_str(), new.clone(), &[]);
                    object.shows_env = self.shows;
                    for (path, value) in fields {
                        write(&mut object, path, Some(value), self.shows);
                    }
                    listing.objects.push(object);
                    id = Some(new);
                }
                Step::Patch { id, fields, precondition } => {
                    let object = listing.objects.iter_mut().find(|it| it.id == *id).unwrap();
                    assert_eq!(precondition.broken_by(object), None);
                    for (path, value) in fields {
                        write(object, path, value.as_ref(), self.shows);
                    }
                }
                Step::MakeWay { id, name, precondition, becomes: _ } => {
                    let is_free = listing.objects.iter().all(|it| it.name != name.as_str());
                    assert!(is_free, "{name} is taken");
                    let object = listing.objects.iter_mut().find(|it| it.id == *id).unwrap();
                    assert_eq!(precondition.broken_by(object), None);
                    object.name = name.to_string();
                    let inventory = Arc::make_mut(&mut self.snapshot.inventory);
                    let entry = inventory.entries.values_mut().find(|it| it.id == *id).unwrap();
                    entry.interim_name = Some(name.to_string());
                }
                Step::Delete { id, precondition } => {
                    let object = listing.objects.iter().find(|it| it.id == *id).unwrap();
                    assert_eq!(precondition.broken_by(object), None);
                    listing.objects.retain(|it| it.id != *id);
                    self.snapshot.live.gone.insert(id.clone());
                    Arc::make_mut(&mut self.snapshot.inventory).entries.remove(key);
                }
            }
        }
        let Inventory { entries, intents, .. } = Arc::make_mut(&mut self.snapshot.inventory);
        intents.remove(key);
        match (change.record.clone(), id) {
            (Some(record), Some(id)) => {
                let born = Some("2026-01-15T10:30:00Z".to_owned());
                let entry = record.clone().into_entry(id, born);
                match record.moves(key, &entry, entries) {
                    Move::None => {}
                    Move::From(old) => drop(entries.remove(&old)),
                    Move::Exchange(all) => entries.extend(all),
                }
                entries.insert(key.clone(), entry);
            }
            (None, _) | (_, None) => {
                entries.remove(key);
            }
        }
    }
}

fn write(object: &mut LiveObject, path: &FieldPath, value: Option<&FieldValue>, shows: bool) {
    if let (FieldPath::Setting(Setting::Name), Some(FieldValue::Text(name))) = (path, value) {
        object.name.clone_from(name);
        return;
    }
    let shown = match value {
        None => LiveValue::Absent,
        Some(FieldValue::Secret(_)) => LiveValue::Hidden,
        Some(_) if !shows => LiveValue::Hidden,
        Some(value) => LiveValue::Shown(canonical(object.kind, path, value)),
    };
    object.fields.insert(path.clone(), shown);
}
