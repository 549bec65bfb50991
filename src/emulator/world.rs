//! Everything there is: the whole state of the emulator, and what its parts share.
//!
//! Pure: every change is told `now`. The things themselves are changed in `service`,
//! `database` and `group`; requests come in through `routes`, people through `act`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::choice::{Fields, Kind, UnknownFields};
use super::config::{EmulatorConfig, Naming, Quotas};
use super::database::Database;
use super::fault::Faults;
use super::group::Group;
use super::limiter::Limiter;
use super::problem::ApiProblem;
use super::random::Random;
use super::record::{Exchange, Mutation, Recording, Verb};
use super::routes::ReceivedRequest;
use super::service::Service;
use super::shelf::{ReadMoment, Shelf};
use super::stream::LogStream;

/// The longest name, in characters.
pub(crate) const NAME_MAX: usize = 100;

/// How often what is long gone is dropped: looking through everything is not free.
const TIDY_EVERY_MS: u64 = 60_000;

/// The whole state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct World {
    /// The latest instant anybody mentioned: the server's own clock does not go back.
    now: u64,
    /// By how many milliseconds that clock is off in what it tells.
    #[serde(default)]
    pub(crate) clock_off_ms: i64,
    /// When what is long gone was last dropped.
    tidied: u64,
    pub(crate) config: EmulatorConfig,
    pub(crate) random: Random,
    pub(crate) services: Shelf<Service>,
    pub(crate) databases: Shelf<Database>,
    pub(crate) groups: Shelf<Group>,
    pub(crate) faults: Faults,
    pub(crate) limiters: BTreeMap<String, Limiter>,
    /// Requests whose answer is lost and whose effect is still to come.
    pub(crate) late: Vec<Late>,
    /// When the ingress let a request through last.
    #[serde(default)]
    pub(crate) passed_at: Option<u64>,
    pub(crate) record: Recording,
}

/// A request that is applied later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Late {
    pub(crate) due: u64,
    pub(crate) request: ReceivedRequest,
    pub(crate) asked: Exchange,
}

/// What a route answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) payload: Payload,
    pub(crate) effects: Vec<Mutation>,
    /// Fields of the body that nobody knows.
    pub(crate) ignored: Vec<String>,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Payload {
    Empty,
    Json(Value),
    Html(String),
    Logs(LogStream),
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, payload: Payload::Json(body), effects: Vec::new(), ignored: Vec::new() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, payload: Payload::Empty, effects: Vec::new(), ignored: Vec::new() }
    }

    pub(crate) fn with(mut self, effects: impl IntoIterator<Item = Mutation>) -> Self {
        self.effects.extend(effects);
        self
    }

    pub(crate) fn ignoring(mut self, ignored: Vec<String>) -> Self {
        self.ignored = ignored;
        self
    }
}

impl Mutation {
    pub(crate) fn new(verb: Verb, kind: Kind, id: &str, name: &str) -> Self {
        Self { verb, kind, id: id.into(), name: name.into() }
    }
}

impl World {
    pub(crate) fn new(config: EmulatorConfig) -> Self {
        Self {
            now: 0,
            clock_off_ms: 0,
            tidied: 0,
            random: Random::new(config.seed),
            config,
            services: Shelf::new(),
            databases: Shelf::new(),
            groups: Shelf::new(),
            faults: Faults::default(),
            limiters: BTreeMap::new(),
            late: Vec::new(),
            passed_at: None,
            record: Recording::default(),
        }
    }

    /// Returns what the platform says of an instant: its own clock may be off.
    pub(crate) const fn told(&self, instant: u64) -> u64 {
        instant.saturating_add_signed(self.clock_off_ms)
    }

    /// Lets time pass, and returns what time it is here.
    pub(crate) fn advance(&mut self, now: u64) -> u64 {
        self.now = self.now.max(now);
        while let Some(next) = self.next_late() {
            let late = self.late.remove(next);
            self.apply_late(late);
        }
        if self.tidied + TIDY_EVERY_MS <= self.now {
            self.tidied = self.now;
            self.services.forget(self.now);
            self.databases.forget(self.now);
            self.groups.forget(self.now);
        }
        self.now
    }

    /// Shows everything of one kind, secrets included: for tests, which must see the truth.
    pub(crate) fn truth(&self, kind: Kind, now: u64) -> Vec<Value> {
        let config = EmulatorConfig {
            secrets: super::choice::Secrets::Echoed,
            wrapped: false,
            // What swings is what it is all the time.
            quirks: Vec::new(),
            ..self.config.clone()
        };
        let (view, all) = (ReadMoment::of(now), Fields::All);
        match kind {
            Kind::Service => {
                self.services.seen(view).map(|one| one.show(&config, all, now)).collect()
            }
            Kind::Database => {
                self.databases.seen(view).map(|one| one.show(&config, all, now)).collect()
            }
            Kind::EnvGroup => self.groups.seen(view).map(|one| one.show(&config, all)).collect(),
        }
    }

    /// Answers one object, in its wrapper where the dialect has one (A2).
    pub(crate) fn single(&self, status: u16, name: &str, object: Value) -> Reply {
        let body = if self.config.wrapped {
            Value::Object(Map::from_iter([(name.to_owned(), object)]))
        } else {
            object
        };
        Reply::json(status, self.config.forms.single(body))
    }

    /// Checks the name and the quota of something new.
    pub(crate) fn admit(
        &self,
        kind: Kind,
        body: &Map<String, Value>,
        now: u64,
    ) -> Result<String, ApiProblem> {
        let name = required_text(body, "name")?;
        check_name(&name)?;
        let name = self.given_name(kind, &name, now);
        self.check_unique(kind, &name, now)?;
        let Quotas { services, databases, env_groups, status } = self.config.quotas;
        let view = ReadMoment::of(now);
        // Nobody counts further than the quota, and without one nobody counts.
        let most = |quota: Option<usize>| quota.unwrap_or(0);
        let (quota, count) = match kind {
            Kind::Service => (services, self.services.seen(view).take(most(services)).count()),
            Kind::Database => (databases, self.databases.seen(view).take(most(databases)).count()),
            Kind::EnvGroup => (env_groups, self.groups.seen(view).take(most(env_groups)).count()),
        };
        if let Some(quota) = quota.filter(|quota| count >= *quota) {
            let message = format!("The quota of {quota} is reached: {}", kind.singular());
            return Err(ApiProblem::new(status, "quota_exceeded", message));
        }
        Ok(name)
    }

    /// Returns what becomes of a name that is sent (A22).
    pub(crate) fn given_name(&self, kind: Kind, sent: &str, now: u64) -> String {
        match self.config.names {
            Naming::Kept => sent.to_owned(),
            Naming::Numbered => {
                let names = (1..).map(|number: u64| format!("{sent}-{number}"));
                let mut free = names.filter(|name| !self.has_name(kind, name, now));
                free.next().unwrap_or_else(|| sent.to_owned())
            }
            Naming::Capitals => sent.to_uppercase(),
            Naming::Cut(length) => sent.chars().take(length).collect(),
        }
    }

    fn has_name(&self, kind: Kind, name: &str, now: u64) -> bool {
        let view = ReadMoment::of(now);
        match kind {
            Kind::Service => self.services.has_name(name, view),
            Kind::Database => self.databases.has_name(name, view),
            Kind::EnvGroup => self.groups.has_name(name, view),
        }
    }

    /// Refuses a name that is taken, where names are unique (A8).
    pub(crate) fn check_unique(&self, kind: Kind, name: &str, now: u64) -> Result<(), ApiProblem> {
        if self.config.names_unique && self.has_name(kind, name, now) {
            let code = format!("{}_name_taken", kind.singular());
            let message = format!("There is already a {} named {name}", kind.singular());
            return Err(ApiProblem::new(409, &code, message));
        }
        Ok(())
    }

    /// Says what becomes of fields that nobody knows.
    pub(crate) fn judge_unknown(&self, unknown: Vec<String>) -> Result<Vec<String>, ApiProblem> {
        match self.config.unknown_fields {
            UnknownFields::Refuse if !unknown.is_empty() => {
                Err(ApiProblem::invalid(format!("unknown fields: {}", unknown.join(", "))))
            }
            UnknownFields::Ignore | UnknownFields::Refuse => Ok(unknown),
        }
    }

    /// Returns the place of the request that is due first, if one is due.
    fn next_late(&self) -> Option<usize> {
        let due = |(_, late): &(usize, &Late)| late.due <= self.now;
        let first = self.late.iter().enumerate().filter(due).min_by_key(|(_, late)| late.due);
        first.map(|(place, _)| place)
    }
}

/// Reads a text that must be there.
pub(crate) fn required_text(body: &Map<String, Value>, field: &str) -> Result<String, ApiProblem> {
    match body.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Null) | None => Err(ApiProblem::invalid(format!("{field} is required"))),
        Some(_) => Err(ApiProblem::invalid(format!("{field} must be a string"))),
    }
}

/// Checks the length of a name.
pub(crate) fn check_name(name: &str) -> Result<(), ApiProblem> {
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Err(ApiProblem::invalid(format!("name must have 1 to {NAME_MAX} characters")));
    }
    Ok(())
}
