//! Waiting for deployments to end, and for resources to be ready or gone.
//!
//! One list of services for all of them at each look, and details only of what seems to have come
//! to rest: waiting spends the same budget as everything else. It reads; it never writes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::{Deployment, Error, ErrorKind, Lookup, Reader};
use crate::clock::Clock;
use crate::model::{Effect, Inventory, Key, Kind, LiveObject, RemoteId, moment};
use crate::plan::{Change, Outcome, Plan, Report};

/// The time between the first two looks; deployments take at least some seconds.
pub const LOOK_FIRST: Duration = Duration::from_secs(2);

/// The longest time between two looks: a person is waiting.
const LOOK_LAST: Duration = Duration::from_secs(10);

/// How many looks a service at rest may show an old deployment before we believe that the change
/// needed no new one: the platform may begin it a moment late.
const RESTING_LOOKS: u32 = 3;

/// How far the platform's clock may be behind ours when a deployment is taken for a new one.
const SKEW: Duration = Duration::from_secs(10);

/// How many lines of a failed deployment's log are shown.
const LOG_LINES: usize = 20;

/// A service whose deployment is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The service.
    pub key: Key,
    /// Its id.
    pub id: RemoteId,
    /// When the change was begun: an older deployment is not the one.
    pub since: Timestamp,
}

/// How a deployment ended, as far as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It runs.
    Succeeded,
    /// It failed or was canceled; the last lines of its log say why.
    Failed {
        /// The status word.
        status: String,
        /// The last lines.
        log: Vec<String>,
    },
    /// The service was deleted before its deployment ended.
    Gone,
    /// The time was up first.
    TimedOut {
        /// The status last seen.
        status: String,
    },
}

/// Returns the services of a plan that begin a deployment with it, as far as they were applied.
#[must_use]
pub fn awaited(
    plan: &Plan,
    report: &Report,
    inventory: &Inventory,
    since: Timestamp,
) -> Vec<Awaited> {
    let is_applied = |key: &Key| {
        let mut results = report.results.iter();
        results.any(|result| result.key == *key && result.outcome == Outcome::Applied)
    };
    let deploys = plan.changes.iter().filter(|change| {
        let restarts = matches!(change.effect, Effect::Restart | Effect::Rebuild);
        let is_new = change.id.is_none();
        change.key.kind == Kind::Service && !change.steps.is_empty() && (restarts || is_new)
    });
    let applied = deploys.filter(|change| is_applied(&change.key));
    let wait = |change: &Change| {
        let entry = inventory.entries.get(&change.key)?;
        Some(Awaited { key: change.key.clone(), id: entry.id.clone(), since })
    };
    applied.filter_map(wait).collect()
}

/// Services whose deployments are waited for, and what was seen of them so far.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    watched: Vec<Watched>,
    /// The deployments that came to a good end, until they are taken.
    succeeded: BTreeMap<Key, Deployment>,
}

/// What was seen of one service so far.
#[derive(Clone, Debug)]
struct Watched {
    awaited: Awaited,
    status: String,
    resting_looks: u32,
    succeeded: Option<Deployment>,
}

impl Watch {
    /// Begins to watch; what was watched under the key before is forgotten.
    pub fn add(&mut self, awaited: Awaited) {
        self.watched.retain(|one| one.awaited.key != awaited.key);
        let (status, succeeded) = (String::new(), None);
        self.watched.push(Watched { awaited, status, resting_looks: 0, succeeded });
    }

    /// Ends watching what does not satisfy the predicate.
    pub fn retain(&mut self, mut keeps: impl FnMut(&Awaited) -> bool) {
        self.watched.retain(|one| keeps(&one.awaited));
    }

    /// Whether nothing is waited for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Returns what is waited for.
    pub fn awaited(&self) -> impl Iterator<Item = &Awaited> {
        self.watched.iter().map(|one| &one.awaited)
    }

    /// Looks once: one list for all, and details only of what seems to have come to rest. Returns
    /// what has ended, and waits for it no more. `observe` is told each new status.
    ///
    /// What cannot be read of one service is no reason not to look at the others.
    ///
    /// # Errors
    /// When nothing was learned because the platform cannot be read.
    pub async fn look(
        &mut self,
        reader: &Reader,
        observe: &(dyn Fn(&Key, &str) + Sync),
    ) -> Result<BTreeMap<Key, Ending>, Error> {
        let listing = reader.list(Kind::Service).await?;
        let mut endings = BTreeMap::new();
        let mut unread = None;
        for one in &mut self.watched {
            let object = listing.objects.iter().find(|object| object.id == one.awaited.id);
            let ending = match one.look(object, reader, observe).await {
                Ok(ending) => ending,
                Err(error) if error.kind() == ErrorKind::NotFound => Some(Ending::Gone),
                Err(error) => {
                    unread = Some(error);
                    None
                }
            };
            endings.extend(ending.map(|ending| (one.awaited.key.clone(), ending)));
            let succeeded = one.succeeded.take();
            self.succeeded.extend(succeeded.map(|it| (one.awaited.key.clone(), it)));
        }
        self.watched.retain(|one| !endings.contains_key(&one.awaited.key));
        match unread.filter(|_| endings.is_empty()) {
            Some(error) => Err(error),
            None => Ok(endings),
        }
    }

    /// Returns the deployments that came to a good end since they were last taken.
    pub fn take_succeeded(&mut self) -> BTreeMap<Key, Deployment> {
        std::mem::take(&mut self.succeeded)
    }

    /// Gives up: what is still waited for ends as timed out.
    #[must_use]
    pub fn give_up(self) -> BTreeMap<Key, Ending> {
        let late = |one: Watched| (one.awaited.key, Ending::TimedOut { status: one.status });
        self.watched.into_iter().map(late).collect()
    }
}

impl Watched {
    async fn look(
        &mut self,
        object: Option<&LiveObject>,
        reader: &Reader,
        observe: &(dyn Fn(&Key, &str) + Sync),
    ) -> Result<Option<Ending>, Error> {
        let status = object.and_then(|object| object.status.as_deref()).unwrap_or("unknown");
        // An unknown word is taken for rest, and the deployments decide.
        if Health::of(status) == Health::Moving {
            self.tell(status, observe);
            self.resting_looks = 0;
            return Ok(None);
        }
        let id = &self.awaited.id;
        let latest = reader.deployments(id).await?.into_iter().next();
        let Some(latest) = latest.filter(|latest| !is_older(latest, self.awaited.since)) else {
            self.resting_looks += 1;
            return Ok((self.resting_looks >= RESTING_LOOKS).then_some(Ending::Succeeded));
        };
        let id = id.clone();
        self.tell(latest.status.as_deref().unwrap_or("unknown"), observe);
        if !latest.has_ended() {
            return Ok(None);
        }
        if latest.has_succeeded() {
            self.succeeded = Some(latest);
            return Ok(Some(Ending::Succeeded));
        }
        failure(reader, &id, latest).await.map(Some)
    }

    fn tell(&mut self, status: &str, observe: &(dyn Fn(&Key, &str) + Sync)) {
        if self.status != status {
            status.clone_into(&mut self.status);
            observe(&self.awaited.key, status);
        }
    }
}

async fn failure(reader: &Reader, id: &RemoteId, latest: Deployment) -> Result<Ending, Error> {
    let status = latest.status.clone().unwrap_or_else(|| "ended".to_owned());
    let log = reader.deployment(id, &latest.id).await?.logs;
    let skipped = log.len().saturating_sub(LOG_LINES);
    Ok(Ending::Failed { status, log: log.into_iter().skip(skipped).collect() })
}

/// What a look at one object has shown.
enum Sight {
    Found(String),
    Gone,
    /// The deadline ended the look.
    TimedOut(Ending),
}

/// Looks on until every deployment has ended or the deadline is there.
pub struct Follower<'a> {
    /// The right to read.
    pub reader: &'a Reader,
    /// Tells the time.
    pub clock: &'a Clock,
    /// When to stop looking.
    pub deadline: Timestamp,
    /// Told each new status, for the person who waits.
    pub observe: &'a (dyn Fn(&Key, &str) + Sync),
}

impl Follower<'_> {
    /// Follows deployments until all have ended or the time is up.
    ///
    /// A look that the deadline ends is the time being up, too.
    ///
    /// # Errors
    /// When the platform cannot be read any more; what had ended by then is lost with it.
    pub async fn follow(&self, awaited: Vec<Awaited>) -> Result<BTreeMap<Key, Ending>, Error> {
        let mut watch = Watch::default();
        for one in awaited {
            watch.add(one);
        }
        let mut endings = BTreeMap::new();
        let mut pause = LOOK_FIRST;
        while !watch.is_empty() {
            match watch.look(self.reader, self.observe).await {
                Ok(ended) => endings.extend(ended),
                Err(error) if error.is_out_of_time() => break,
                Err(error) => return Err(error),
            }
            if self.clock.now() >= self.deadline {
                break;
            }
            if !watch.is_empty() {
                self.pause(pause).await;
                pause = next_pause(pause);
            }
        }
        endings.extend(watch.give_up());
        Ok(endings)
    }

    /// Waits until one resource is ready: it lives, and nothing about it is under way or failed.
    ///
    /// # Errors
    /// When the platform cannot be read.
    pub async fn until_ready(&self, key: &Key, id: &RemoteId) -> Result<Ending, Error> {
        let (mut pause, mut last) = (LOOK_FIRST, None);
        loop {
            let status = match self.look_at(key, id, &mut last).await? {
                Sight::Found(status) => status,
                Sight::Gone => return Ok(Ending::Gone),
                Sight::TimedOut(ending) => return Ok(ending),
            };
            match Health::of(&status) {
                Health::Good => return Ok(Ending::Succeeded),
                Health::Bad => return Ok(Ending::Failed { status, log: Vec::new() }),
                Health::Moving | Health::Unknown if self.clock.now() >= self.deadline => {
                    return Ok(Ending::TimedOut { status });
                }
                Health::Moving | Health::Unknown => self.pause(pause).await,
            }
            pause = next_pause(pause);
        }
    }

    /// Waits until one object is proven to be gone (S2).
    ///
    /// # Errors
    /// When the platform cannot be read.
    pub async fn until_gone(&self, key: &Key, id: &RemoteId) -> Result<Ending, Error> {
        let (mut pause, mut last) = (LOOK_FIRST, None);
        loop {
            let status = match self.look_at(key, id, &mut last).await? {
                Sight::Found(status) => status,
                Sight::Gone => return Ok(Ending::Succeeded),
                Sight::TimedOut(ending) => return Ok(ending),
            };
            if self.clock.now() >= self.deadline {
                return Ok(Ending::TimedOut { status });
            }
            self.pause(pause).await;
            pause = next_pause(pause);
        }
    }

    /// Looks at one object; `last` is the status last seen.
    async fn look_at(
        &self,
        key: &Key,
        id: &RemoteId,
        last: &mut Option<String>,
    ) -> Result<Sight, Error> {
        let unknown = || "unknown".to_owned();
        let status = match self.reader.get(key.kind, id).await {
            Ok(Lookup::Found(object)) => object.status.unwrap_or_else(unknown),
            Ok(Lookup::Gone) => return Ok(Sight::Gone),
            Err(error) if error.is_out_of_time() => {
                let status = last.take().unwrap_or_else(unknown);
                return Ok(Sight::TimedOut(Ending::TimedOut { status }));
            }
            Err(error) => return Err(error),
        };
        (self.observe)(key, &status);
        *last = Some(status.clone());
        Ok(Sight::Found(status))
    }

    async fn pause(&self, pause: Duration) {
        let until = self.clock.now().checked_add(pause).unwrap_or(self.deadline);
        self.clock.sleep_until(until.min(self.deadline)).await;
    }
}

/// The time to the look after the next: longer each time, and never very long.
#[must_use]
pub fn next_pause(pause: Duration) -> Duration {
    (pause * 3 / 2).min(LOOK_LAST)
}

/// What a status word says. The set of words is open (A15): of an unknown one nothing is concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is as it should be.
    Good,
    /// Something is under way.
    Moving,
    /// It will not become good by itself.
    Bad,
    /// Nobody can tell.
    Unknown,
}

impl Health {
    /// Reads the platform's word.
    #[must_use]
    pub fn of(status: &str) -> Self {
        match status {
            "running" | "available" | "ready" | "live" | "active" => Self::Good,
            "queued" | "building" | "deploying" | "creating" | "pending" | "starting"
            | "updating" => Self::Moving,
            "failed" | "suspended" | "crashed" => Self::Bad,
            _ => Self::Unknown,
        }
    }
}

/// Whether a deployment began before the change; one without a readable time is taken for new.
fn is_older(deployment: &Deployment, since: Timestamp) -> bool {
    let began = deployment.created_at.as_deref().and_then(moment);
    let earliest = since.checked_sub(SKEW).unwrap_or(since);
    began.is_some_and(|began| began < earliest)
}
