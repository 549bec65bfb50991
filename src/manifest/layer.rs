//! Layers: what the documents of overlays do to those below them.
//!
//! A document of an overlay is laid over the one of its kind and name, or over all that it selects by
//! their labels; it leaves one out, or it is a new one. What it names that is not there, and what
//! changes nothing, is an error: nobody writes it on purpose.

mod converted;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use converted::Converted;

use super::native;
use super::reader::{DocumentReader, Findings, quoted};
use super::suggest::nearest;
use super::tree::{Document, LayerEffect, Yaml, lay};
use crate::model::{Diagnostic, Kind, Origin};

/// The code of what names nothing below, or changes nothing there.
const NOTHING: &str = "overlay-nothing";

/// Every document of every overlay, in the order in which they are laid.
#[derive(Default)]
pub(super) struct Layers<'t> {
    documents: Vec<LayerDocument<'t>>,
    /// The names of each kind that stand below, and their labels, for who meant one of them.
    names: BTreeSet<(Option<Kind>, String)>,
    labels: BTreeSet<String>,
}

/// One document of an overlay.
struct LayerDocument<'t> {
    document: Document<'t>,
    layer: usize,
    origin: Origin,
    target: Target,
    is_omitting: bool,
    /// Over how many documents it was laid.
    hits: usize,
    effect: LayerEffect,
}

/// What a document of an overlay is laid over.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// The guard.
    Project,
    Named(Kind, String),
    Selected(Kind, BTreeMap<String, String>),
}

/// What a document is, for those that are laid over it.
pub(super) struct LayerSubject {
    /// `None` for the guard.
    pub kind: Option<Kind>,
    pub name: String,
    pub labels: BTreeMap<String, String>,
}

impl LayerSubject {
    fn of(root: Yaml<'_, '_>) -> Option<Self> {
        let kind = native::kind_called(root.get("kind")?.scalar()?.0)?;
        let metadata = root.get("metadata");
        let name = metadata.and_then(|it| it.get("name")?.scalar());
        let labels = metadata.and_then(|it| it.get("labels")).map(texts).unwrap_or_default();
        Some(Self { kind, name: name.map_or("", |(name, _)| name).to_owned(), labels })
    }
}

/// Returns the single values of a mapping.
fn texts(yaml: Yaml<'_, '_>) -> BTreeMap<String, String> {
    let entries = yaml.entries().into_iter().flatten();
    let text = |(key, _, value): (&str, _, Yaml<'_, '_>)| {
        Some((key.to_owned(), value.scalar()?.0.to_owned()))
    };
    entries.filter_map(text).collect()
}

impl Target {
    fn is(&self, subject: &LayerSubject) -> bool {
        match self {
            Self::Project => subject.kind.is_none(),
            Self::Named(kind, name) => subject.kind == Some(*kind) && subject.name == *name,
            Self::Selected(kind, labels) => {
                let has = |(key, value): (&String, &String)| subject.labels.get(key) == Some(value);
                subject.kind == Some(*kind) && labels.iter().all(has)
            }
        }
    }
}

impl<'t> Layers<'t> {
    /// Takes a document of an overlay; one that says nothing that can be done is a finding.
    pub fn take(&mut self, layer: usize, document: Document<'t>, reader: &mut DocumentReader<'_>) {
        let Some(root) = document.root() else { return };
        let Some((target, is_omitting)) = head(reader, root) else { return };
        let origin = reader.origin(root);
        let named = |it: &&LayerDocument<'_>| it.layer == layer && it.target == target;
        if let Some(first) = self.documents.iter().find(named) {
            let message = "another document of this overlay is laid over the same resource";
            let hint = format!("the first is at {}; merge the two", first.origin);
            reader.error_with(root, "duplicate-resource", message, hint);
            return;
        }
        let (hits, effect) = (0, LayerEffect::default());
        self.documents.push(LayerDocument {
            document,
            layer,
            origin,
            target,
            is_omitting,
            hits,
            effect,
        });
    }

    /// Brings them in order: what names one wins over what selects many in the same overlay.
    pub fn order(&mut self) {
        self.documents.sort_by_key(|it| (it.layer, !matches!(it.target, Target::Selected(..))));
    }

    /// Lays over a document of one layer all that belongs over it; whether it is still there.
    pub fn lay(&mut self, document: &mut Document<'t>, layer: usize) -> bool {
        if self.documents.is_empty() {
            return true;
        }
        let Some(mut subject) = document.root().and_then(LayerSubject::of) else { return true };
        self.note(&subject);
        for over in self.documents.iter_mut().filter(|it| it.layer > layer) {
            if !over.target.is(&subject) {
                continue;
            }
            over.hits += 1;
            if over.is_omitting {
                return false;
            }
            lay(document, &over.document, &mut over.effect);
            let Some(now) = document.root().and_then(LayerSubject::of) else { return true };
            subject = now;
        }
        true
    }

    /// Notes what stands below.
    pub fn note(&mut self, subject: &LayerSubject) {
        self.names.insert((subject.kind, subject.name.clone()));
        let labels = subject.labels.iter();
        self.labels.extend(labels.map(|(key, value)| format!("{key}: {value}")));
    }

    /// Returns the next document that is new in its layer, with all above laid over it; `None` where
    /// it was left out by them.
    pub fn next_new(&mut self) -> Option<Option<Document<'t>>> {
        let is_new = |it: &LayerDocument<'_>| {
            it.hits == 0 && !it.is_omitting && it.document.root().is_some_and(is_whole)
        };
        let new = self.documents.iter_mut().find(|it| is_new(it))?;
        new.hits = 1;
        new.effect.has_changed = true;
        let layer = new.layer;
        let mut document = std::mem::take(&mut new.document);
        Some(self.lay(&mut document, layer).then_some(document))
    }

    /// Says which of them named nothing, or changed nothing.
    pub fn finish(self, findings: &mut Findings) {
        let Self { documents, names, labels } = self;
        for it in &documents {
            if it.hits == 0 {
                findings.push(nobody(it, &names, &labels));
                continue;
            }
            let misses = it.effect.misses(&it.document);
            if misses.is_empty() && !it.effect.has_changed && !it.is_omitting {
                let message = "this changes nothing: the manifests below already say all of it";
                let finding = Diagnostic::error(NOTHING, message).at(it.origin.clone());
                findings.push(finding.hint("remove the document, or the values it repeats"));
            }
            for miss in misses {
                findings.push(miss.in_file(&it.origin.file));
            }
        }
    }
}

/// Whether a document can stand by itself: a part of one never becomes a resource by a slip in its
/// name.
fn is_whole(root: Yaml<'_, '_>) -> bool {
    let Some(subject) = LayerSubject::of(root).filter(|_| root.get("select").is_none()) else {
        return false;
    };
    let spec = root.get("spec").filter(|yaml| yaml.entries().is_some());
    let has = |key: &str| spec.and_then(|spec| spec.get(key)).is_some();
    match subject.kind {
        Some(Kind::Service | Kind::Database) => has("type") || has("state"),
        Some(Kind::EnvGroup) => has("envVars") || has("state"),
        None => true,
    }
}

/// Says that a document of an overlay is laid over nothing.
fn nobody(
    it: &LayerDocument<'_>,
    names: &BTreeSet<(Option<Kind>, String)>,
    labels: &BTreeSet<String>,
) -> Diagnostic {
    let (message, meant, known) = match &it.target {
        Target::Project => ("there is no `Project` below".to_owned(), String::new(), Vec::new()),
        Target::Named(kind, name) => {
            let known = names.iter().filter(|(other, _)| *other == Some(*kind));
            let known: Vec<&str> = known.map(|(_, name)| name.as_str()).collect();
            (format!("no {kind} below is called `{}`", quoted(name)), name.clone(), known)
        }
        Target::Selected(kind, wanted) => {
            let wanted = wanted.iter().map(|(key, value)| format!("{key}: {value}"));
            let wanted = wanted.collect::<Vec<_>>().join(", ");
            let known = labels.iter().map(String::as_str).collect();
            (format!("no {kind} below has the labels `{}`", quoted(&wanted)), wanted, known)
        }
    };
    let finding = Diagnostic::error(NOTHING, message).at(it.origin.clone());
    match nearest(&meant, &known) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None if it.is_omitting => finding.hint("remove the document"),
        None => finding.hint("a new resource needs a full document, with its `spec.type`"),
    }
}

/// Reads what a document of an overlay is laid over, and whether it leaves that out.
fn head(reader: &mut DocumentReader<'_>, root: Yaml<'_, '_>) -> Option<(Target, bool)> {
    let place = root.get("kind");
    let Some(kind) = place.and_then(|it| native::kind_called(it.scalar()?.0)) else {
        let message = "a document of an overlay must be a native one, with its `kind`";
        let hint = "one of Service, Database, EnvGroup, Project";
        reader.error_with(place.unwrap_or(root), "kind", message, hint);
        return None;
    };
    let name = root.get("metadata").and_then(|it| it.get("name")?.scalar());
    let select = root.get("select");
    let target = match (kind, name, select) {
        (_, Some(_), Some(select)) => {
            let message = "`select` and `metadata.name` are both given";
            reader.error_with(select, "two-values", message, "keep one of them");
            return None;
        }
        (None, _, None) => Target::Project,
        (Some(kind), Some((name, _)), None) => Target::Named(kind, name.to_owned()),
        (Some(kind), None, Some(select)) => Target::Selected(kind, selector(reader, select)?),
        (Some(_), None, None) => {
            let hint = "write `metadata: { name: NAME }`, or `select: { LABEL: VALUE }`";
            reader.error_with(root, "missing-field", "`metadata.name` is missing", hint);
            return None;
        }
        (None, None, Some(select)) => {
            reader.error(select, "malformed", "a `Project` has no labels to select it by");
            return None;
        }
    };
    let Some(omit) = root.get("omit") else { return Some((target, false)) };
    if target == Target::Project {
        let message = "a `Project` is never left out: it says where these manifests may go";
        reader.error_with(omit, "malformed", message, "name the project of this layer instead");
        return None;
    }
    if !matches!(omit.scalar(), Some(("true", true))) {
        let hint = "write `omit: true`, or remove the line";
        reader.error_with(omit, "wrong-type", "`omit` is either `true` or absent", hint);
        return None;
    }
    if let Some(other) = ["spec", "lifecycle"].iter().find_map(|key| root.get(key)) {
        let message = "`omit: true` leaves the resource out, so nothing else may be set";
        reader.error_with(other, "two-values", message, "keep one of them");
        return None;
    }
    Some((target, true))
}

fn selector(
    reader: &mut DocumentReader<'_>,
    select: Yaml<'_, '_>,
) -> Option<BTreeMap<String, String>> {
    let labels = texts(select);
    let count = select.entries().map_or(0, |entries| entries.len());
    if labels.is_empty() || labels.len() < count {
        let message = "`select` must be a mapping of labels and their values";
        reader.error_with(select, "wrong-type", message, "for example `select: { tier: web }`");
        return None;
    }
    Some(labels)
}
