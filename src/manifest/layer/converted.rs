//! Layers over a Blueprint: what it declares is laid over as the native document it converts to, and
//! each value keeps its place in the Blueprint.

use super::super::draft::{Drafts, Mention};
use super::super::places::steps;
use super::super::print::print;
use super::super::tree::{Document, Fill};
use super::super::yaml::Documents;
use super::{LayerSubject, Layers};
use crate::model::{Desired, FieldPath, Resource, ValueSource};

/// One resource of a Blueprint with all that is laid over it.
pub(in super::super) struct Converted<'t> {
    /// The document; `None` where it is left out.
    pub document: Option<Document<'t>>,
    before: Resource<ValueSource>,
    mentions: Vec<Mention>,
}

impl<'t> Converted<'t> {
    /// Takes the next resource that a Blueprint declared, from an index on, and that something is laid
    /// over. What is laid over none of them is noted on the way.
    pub fn next(
        layers: &mut Layers<'t>,
        drafts: &mut Drafts,
        declared: &mut std::ops::Range<usize>,
        fill: &mut Fill<'t>,
        file: &'t str,
    ) -> Option<Self> {
        loop {
            let index = declared.next()?;
            let subject = subject(&drafts.resources[index]);
            layers.note(&subject);
            if !layers.documents.iter().any(|it| it.target.is(&subject)) {
                continue;
            }
            let Some(native) = native(&drafts.resources[index]) else { continue };
            let mut document: Document<'t> = native;
            // It has no variables: this brings back each `${` that was text.
            fill.fill(&mut document);
            document.stand_in(file);
            let before = drafts.resources.remove(index);
            *declared = index..declared.end - 1;
            let is_of_it = |mention: &mut Mention| mention.from == before.key;
            let mentions = drafts.mentions.extract_if(.., is_of_it).collect();
            drafts.renames.retain(|(key, _, _)| *key != before.key);
            let document = layers.lay(&mut document, 0).then_some(document);
            return Some(Self { document, before, mentions });
        }
    }

    /// Gives to what was read of it, the last of all resources, what a native document cannot say.
    pub fn restore(self, drafts: &mut Drafts) {
        let Self { document: _, before, mentions } = self;
        let Some(now) = drafts.resources.last_mut().filter(|now| now.key == before.key) else {
            return;
        };
        for (path, value) in before.on_create {
            if !now.fields.contains_key(&path) {
                now.on_create.insert(path, value);
            }
        }
        for mention in drafts.mentions.iter_mut().filter(|it| it.from == before.key) {
            if let Some(known) = mentions.iter().find(|known| known.to == mention.to) {
                (mention.is_external, mention.form) = (known.is_external, known.form);
            }
        }
    }
}

fn subject(resource: &Resource<ValueSource>) -> LayerSubject {
    let Resource { key, labels, .. } = resource;
    LayerSubject { kind: Some(key.kind), name: key.name.to_string(), labels: labels.clone() }
}

/// Returns the native document of a resource, each value at the place it has in the Blueprint.
fn native(resource: &Resource<ValueSource>) -> Option<Document<'static>> {
    let mut desired = Desired::default();
    desired.resources.insert(resource.key.clone(), resource.clone());
    let text = print(&desired);
    let document = Documents::new(&text).ok()?.next_document().ok()??;
    let mut document = document.into_owned();
    document.move_to(&[], &resource.origin);
    for (path, field) in &resource.fields {
        document.move_to(&steps(path), &field.origin);
    }
    for (key, origin) in &resource.set_by_hand {
        document.move_to(&steps(&FieldPath::Env(key.clone())), origin);
    }
    Some(document)
}
