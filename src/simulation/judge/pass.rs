//! What one pass has read and done so far, as the platform saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::emulator::{Exchange, Kind, Verb};
use crate::model::Desired;

use super::super::timeline::Request;
use super::fields::{Fields, flat};

/// Faults after which a list does not say all; one object is told as ever.
const UNUSABLE_LISTS: [&str; 2] = ["total", "rename-key"];

/// Faults after which an answer cannot be understood.
const UNUSABLE: [&str; 10] = [
    "lose-answer",
    "lose-renamed",
    "apply-late",
    "cut",
    "truncate",
    "html",
    "empty",
    "hang",
    "refuse",
    "drip",
];

/// Faults after which the answer to a create tells nothing of what was made.
const HIDING: [&str; 4] = ["no-id", "malice", "fail-after", "redirect"];

/// One pass.
pub(super) struct Pass<'w> {
    /// What it is about: the last wholly valid state.
    pub desired: Option<Arc<Desired>>,
    /// Whether what was read last before it was wholly valid.
    pub is_source_usable: bool,
    pub deleted: Vec<(Kind, String)>,
    pub created: Vec<(Kind, String)>,
    /// What could be owned when it began.
    pub owned: Vec<(Kind, String)>,
    /// At which step of the timeline it began.
    pub began: usize,
    /// The last try of each page of each list, and whether it can be used.
    pages: BTreeMap<(&'w str, &'w str), bool>,
    /// Lists that were read whole, and then read again.
    read_whole: BTreeSet<Kind>,
    /// Kinds of which a page was asked for under a fault.
    lied_to: BTreeSet<Kind>,
    /// What was read by its id, and not written since.
    looks: BTreeMap<&'w str, Looks>,
}

/// How a thing was seen in one pass. What is not known, and what a fault may have shown otherwise, is
/// in neither.
#[derive(Clone, Debug)]
pub(super) struct Looks {
    /// As it was read first. Of what was written since then without a usable answer: as it was read
    /// after that.
    pub first: Arc<Fields>,
    /// As it was read last.
    pub last: Arc<Fields>,
    /// Whether it was written since then, and the answer was lost.
    pub may_be_written: bool,
    /// What was written so, until it is read.
    unanswered: BTreeSet<String>,
}

impl<'w> Pass<'w> {
    pub fn begin(
        desired: Option<Arc<Desired>>,
        is_source_usable: bool,
        owned: Vec<(Kind, String)>,
        began: usize,
    ) -> Self {
        Self {
            desired,
            is_source_usable,
            deleted: Vec::new(),
            created: Vec::new(),
            owned,
            began,
            pages: BTreeMap::new(),
            read_whole: BTreeSet::new(),
            lied_to: BTreeSet::new(),
            looks: BTreeMap::new(),
        }
    }

    /// Hears a request; `known` is what its thing was when it came.
    pub fn hear(&mut self, request: &Request<'w>, known: Arc<Fields>) {
        let Request { asked, effects, .. } = request;
        if asked.method == "GET"
            && let Some(kind) = collection_of(&asked.path)
        {
            let place = (asked.path.as_str(), asked.query.as_str());
            // Every reading begins with the first page, and may find fewer of them.
            if page_of(&asked.query) == Some(1) {
                if self.is_read_whole(kind) {
                    self.read_whole.insert(kind);
                }
                self.pages.retain(|(path, _), _| *path != asked.path);
            }
            self.pages.insert(place, is_usable(asked));
            if asked.fault.is_some() {
                self.lied_to.insert(kind);
            }
        } else if asked.method == "GET" && is_usable(asked) {
            self.look(&asked.path, if asked.fault.is_none() { known } else { Arc::default() });
        } else if !effects.is_empty() {
            self.write(request);
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

    fn look(&mut self, path: &'w str, known: Arc<Fields>) {
        let (first, last) = (Arc::clone(&known), known);
        let unanswered = BTreeSet::new();
        let new = Looks { first, last: Arc::clone(&last), may_be_written: false, unanswered };
        let looks = self.looks.entry(path).or_insert(new);
        for field in std::mem::take(&mut looks.unanswered) {
            let first = Arc::make_mut(&mut looks.first);
            match last.get(&field) {
                Some(value) => drop(first.insert(field, value.clone())),
                None => drop(first.remove(&field)),
            }
        }
        (looks.last, looks.may_be_written) = (last, false);
    }

    /// What was written has to be looked at again, unless nobody can tell whether it was.
    fn write(&mut self, request: &Request<'w>) {
        let asked = request.asked;
        if is_usable(asked) {
            self.looks.remove(asked.path.as_str());
        } else if let Some(looks) = self.looks.get_mut(asked.path.as_str()) {
            looks.may_be_written = true;
            let written = request.body.into_iter().flat_map(flat);
            looks.unanswered.extend(written.map(|(field, _)| field));
        }
    }

    /// Whether no page of a kind's list was asked for under a fault.
    pub fn has_plain_list(&self, kind: Kind) -> bool {
        !self.lied_to.contains(&kind)
    }

    /// Whether every page of a kind's list was read, and could be used, at its last try. A list that
    /// is read again for a create takes nothing from a delete that was planned on the one before.
    pub fn has_whole_list(&self, kind: Kind) -> bool {
        self.read_whole.contains(&kind) || self.is_read_whole(kind)
    }

    fn is_read_whole(&self, kind: Kind) -> bool {
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

    /// Returns how a thing was read by its id.
    pub fn looks(&self, path: &str) -> Option<&Looks> {
        self.looks.get(path)
    }
}

fn page_of(query: &str) -> Option<u32> {
    query.split('&').find_map(|part| part.strip_prefix("page=")?.parse().ok())
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
pub(super) fn is_usable(asked: &Exchange) -> bool {
    let is_good = asked.answered && (200..300).contains(&asked.status);
    let is_list = asked.method == "GET" && collection_of(&asked.path).is_some();
    let lies = is_list && plays(asked, &UNUSABLE_LISTS);
    is_good && !lies && !plays(asked, &UNUSABLE)
}

/// Whether a create may have happened without its maker knowing.
pub(super) fn is_ambiguous(asked: &Exchange) -> bool {
    let never_left = plays(asked, &["refuse", "429"]) || asked.status == 429;
    // A refusal is one by its first line, however little of the rest comes.
    let is_refused =
        asked.answered && (400..500).contains(&asked.status) && ![408, 425].contains(&asked.status);
    let is_known = is_usable(asked) && !plays(asked, &HIDING);
    !never_left && !is_refused && !is_known
}

fn plays(asked: &Exchange, words: &[&str]) -> bool {
    let fault = asked.fault.as_deref().unwrap_or_default();
    words.iter().any(|word| fault == *word || fault.starts_with(&format!("{word}:")))
}
