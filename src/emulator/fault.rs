//! What goes wrong, and when: by a script, or by chance with a seed.
//!
//! Only the choice is here. `grammar` reads faults from text, `routes` plays those that
//! concern whether a request is applied, `distort` those that concern what an answer holds,
//! `http` those that concern bytes.

use serde::{Deserialize, Serialize};

use super::quote::Quote;
use super::random::Random;

/// Something that goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is refused; nothing is sent.
    Refuse,
    /// The request is applied, its answer is lost.
    LoseAnswer,
    /// What the request creates gets another name (A22), and its answer is lost.
    LoseRenamed,
    /// The answer is lost at once; the request is applied after so many milliseconds.
    ApplyLate(u64),
    /// Nothing is applied and nothing is ever answered.
    Hang,
    /// The connection is dropped after so many bytes of the body.
    Cut(usize),
    /// The body ends after so many bytes, as though that were all.
    Truncate(usize),
    /// The body comes a byte a second.
    Drip,
    /// 429, with these values of `Retry-After`, or what the dialect says for a second.
    TooMany(Option<Vec<String>>),
    /// A status, before anything is applied.
    Fail(u16),
    /// A status, after the request was applied.
    FailAfter(u16),
    /// 200 with a page of HTML, before anything is applied.
    Html,
    /// 200 with a page of HTML, after the request was applied.
    HtmlAfter,
    /// 200 without a body, after the request was applied.
    Empty,
    /// The answer's object has no id.
    NoId,
    /// Reads show the state of so many milliseconds ago.
    Stale(u64),
    /// Reads do not show what is younger than so many milliseconds.
    HideNew(u64),
    /// Pages after the first begin one item early: an item repeats.
    ShiftRepeat,
    /// Pages after the first begin one item late, and the last one ends with something just
    /// created by somebody else: an item vanishes, ids are distinct and the total adds up.
    ShiftVanish,
    /// Every page is the first.
    PageIgnored,
    /// The list's `total` is not what it should be.
    Total(WrongTotal),
    /// The list's key is `items`.
    RenameKey,
    /// The last item of a list is the first again.
    Duplicate,
    /// Ids and names are hostile.
    Malice,
    /// Statuses are words nobody knows, and there are fields nobody knows.
    Strange,
    /// The deployment that the request begins fails after building.
    DeployFails,
    /// 422 with what was sent, before anything is applied.
    Quote(Quote),
    /// 302 to this address.
    Redirect(String),
    /// `Date` is off by so many milliseconds.
    Skew(i64),
}

/// What a list says of its size when it lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongTotal {
    /// There is no `total`.
    Missing,
    /// It is one too many.
    Wrong,
    /// It is -1.
    Negative,
}

/// When to play which fault.
///
/// The first rule that matches decides; only when none does, chance does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Faults {
    pub(crate) rules: Vec<Rule>,
    pub(crate) chance: Option<Chance>,
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) fault: Fault,
    /// `None` is any method.
    pub(crate) method: Option<String>,
    /// Segments; `*` is any one, `**` any rest.
    pub(crate) path: Vec<String>,
    /// The first and the last occurrence that are hit, counted from 1.
    pub(crate) occurrences: (u64, u64),
    pub(crate) seen: u64,
}

/// Faults by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chance {
    pub(crate) random: Random,
    /// Each fault with its probability; they add up to at most 1.
    pub(crate) table: Vec<(Fault, f64)>,
}

impl Faults {
    /// Chooses what goes wrong with a request, and counts it.
    pub(crate) fn choose(&mut self, method: &str, path: &str) -> Option<Fault> {
        let mut chosen = None;
        for rule in self.rules.iter_mut().filter(|rule| rule.matches(method, path)) {
            rule.seen += 1;
            let (first, last) = rule.occurrences;
            if chosen.is_none() && (first..=last).contains(&rule.seen) {
                chosen = Some(rule.fault.clone());
            }
        }
        chosen.or_else(|| self.chance.as_mut().and_then(Chance::draw))
    }
}

impl Rule {
    fn matches(&self, method: &str, path: &str) -> bool {
        if self.method.as_ref().is_some_and(|wanted| wanted != method) {
            return false;
        }
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        for wanted in &self.path {
            match (wanted.as_str(), segments.next()) {
                ("**", _) => return true,
                ("*", Some(_)) => {}
                (wanted, Some(segment)) if wanted == segment => {}
                (_, _) => return false,
            }
        }
        segments.next().is_none()
    }
}

impl Chance {
    fn draw(&mut self) -> Option<Fault> {
        let mut drawn = self.random.fraction();
        for (fault, probability) in &self.table {
            if drawn < *probability {
                return Some(fault.clone());
            }
            drawn -= probability;
        }
        None
    }
}
