//! What one pass has read and done so far, as the platform saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::emulator::{Asked, Kind, Verb};
use crate::model::Desired;

use super::super::timeline::Request;
use super::living::Living;

/// Faults after which a list does not say all; one object is told as ever.
const UNUSABLE_LISTS: [&str; 2] = ["total", "rename-key"];

/// Faults after which an answer cannot be understood.
const UNUSABLE: [&str; 9] =
    ["lose-answer", "apply-late", "cut", "truncate", "html", "empty", "hang", "refuse", "drip"];

/// Faults after which the answer to a create tells nothing of what was made.
const HIDING: [&str; 4] = ["no-id", "malice", "fail-after", "redirect"];

/// One pass.
pub(super) struct Pass<'w> {
    /// What it is about: the last wholly valid state.
    pub desired: Option<Arc<Desired>>,
    /// Whether what was read last before it was wholly valid.
    pub is_source_usable: bool,
    /// Whether somebody else changed something since it began.
    pub others_acted: bool,
    pub deleted: Vec<(Kind, String)>,
    pub created: Vec<(Kind, String)>,
    /// How many things lived when it began.
    pub living_before: usize,
    /// The last try of each page of each list, and whether it can be used.
    pages: BTreeMap<(&'w str, &'w str), bool>,
    /// What was read by its id.
    looked_at: BTreeSet<&'w str>,
}

impl<'w> Pass<'w> {
    pub fn begin(desired: Option<Arc<Desired>>, is_source_usable: bool, living: &Living) -> Self {
        Self {
            desired,
            is_source_usable,
            others_acted: false,
            deleted: Vec::new(),
            created: Vec::new(),
            living_before: living.len(),
            pages: BTreeMap::new(),
            looked_at: BTreeSet::new(),
        }
    }

    pub fn hear(&mut self, request: &Request<'w>) {
        let Request { asked, effects, .. } = request;
        if asked.method == "GET" && collection_of(&asked.path).is_some() {
            let place = (asked.path.as_str(), asked.query.as_str());
            self.pages.insert(place, is_usable(asked));
        } else if asked.method == "GET" && is_usable(asked) {
            self.looked_at.insert(&asked.path);
        }
        for effect in *effects {
            let thing = (effect.kind, effect.name.clone());
            match effect.verb {
                Verb::Created => self.created.push(thing),
                Verb::Deleted => self.deleted.push(thing),
                Verb::Patched | Verb::Deployed | Verb::RolledBack => {}
            }
        }
    }

    /// Whether every page of a kind's list was read, and can be used, at its last try.
    pub fn has_whole_list(&self, kind: Kind) -> bool {
        let mut pages =
            self.pages.iter().filter(|((path, _), _)| collection_of(path) == Some(kind));
        let mut any = false;
        pages.all(|(_, is_usable)| {
            any = true;
            *is_usable
        }) && any
    }

    /// Whether some page of any list could not be used at its last try.
    pub fn has_broken_list(&self) -> bool {
        self.pages.values().any(|is_usable| !is_usable)
    }

    /// Whether a thing was read by its id.
    pub fn has_looked_at(&self, path: &str) -> bool {
        self.looked_at.contains(path)
    }
}

/// Returns the kind that a path lists.
pub(super) fn collection_of(path: &str) -> Option<Kind> {
    match path {
        "/services" => Some(Kind::Service),
        "/databases" => Some(Kind::Database),
        "/envgroups" => Some(Kind::EnvGroup),
        _ => None,
    }
}

/// Whether a good answer came that can be understood.
pub(super) fn is_usable(asked: &Asked) -> bool {
    let is_good = asked.answered && (200..300).contains(&asked.status);
    let is_list = asked.method == "GET" && collection_of(&asked.path).is_some();
    let lies = is_list && plays(asked, &UNUSABLE_LISTS);
    is_good && !lies && !plays(asked, &UNUSABLE)
}

/// Whether a create may have happened without its maker knowing.
pub(super) fn is_ambiguous(asked: &Asked) -> bool {
    let never_left = plays(asked, &["refuse", "429"]) || asked.status == 429;
    let is_refused = asked.answered
        && (400..500).contains(&asked.status)
        && ![408, 425].contains(&asked.status)
        && !plays(asked, &UNUSABLE);
    let is_known = is_usable(asked) && !plays(asked, &HIDING);
    !never_left && !is_refused && !is_known
}

fn plays(asked: &Asked, words: &[&str]) -> bool {
    let fault = asked.fault.as_deref().unwrap_or_default();
    words.iter().any(|word| fault == *word || fault.starts_with(&format!("{word}:")))
}
