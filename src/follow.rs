//! Waiting for deployments to end, and for resources to be ready or gone.
//!
//! One list of services for all of them at each look, and details only of what seems to have come
//! to rest: waiting spends the same budget as everything else. It reads; it never writes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::{Deployment, Error, Lookup, Reader};
use crate::clock::Clock;
use crate::model::{Key, Kind, LiveObject, RemoteId};

/// The time between the first two looks; deployments take at least some seconds.
const LOOK_FIRST: Duration = Duration::from_secs(2);

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
    /// The time was up first.
    TimedOut {
        /// The status last seen.
        status: String,
    },
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

/// What was seen of one service so far.
struct Watched {
    awaited: Awaited,
    status: String,
    resting_looks: u32,
}

impl Follower<'_> {
    /// Follows the deployments that began at `since` or later.
    ///
    /// # Errors
    /// When the platform cannot be read any more; what had ended by then is lost with it.
    pub async fn follow(
        &self,
        awaited: Vec<Awaited>,
        since: Timestamp,
    ) -> Result<BTreeMap<Key, Ending>, Error> {
        let watch = |awaited| Watched { awaited, status: String::new(), resting_looks: 0 };
        let mut watched: Vec<Watched> = awaited.into_iter().map(watch).collect();
        let mut endings = BTreeMap::new();
        let mut pause = LOOK_FIRST;
        while !watched.is_empty() {
            let listing = self.reader.list(Kind::Service).await?;
            let mut still = Vec::new();
            for mut one in watched {
                let object = listing.objects.iter().find(|object| object.id == one.awaited.id);
                match self.look(&mut one, object, since).await? {
                    Some(ending) => drop(endings.insert(one.awaited.key, ending)),
                    None => still.push(one),
                }
            }
            watched = still;
            if self.clock.now() >= self.deadline {
                break;
            }
            if !watched.is_empty() {
                self.pause(pause).await;
                pause = (pause * 3 / 2).min(LOOK_LAST);
            }
        }
        let late = watched.into_iter();
        endings.extend(late.map(|one| (one.awaited.key, Ending::TimedOut { status: one.status })));
        Ok(endings)
    }

    async fn look(
        &self,
        one: &mut Watched,
        object: Option<&LiveObject>,
        since: Timestamp,
    ) -> Result<Option<Ending>, Error> {
        let status = object.and_then(|object| object.status.as_deref()).unwrap_or("unknown");
        if is_moving(status) {
            self.tell(one, status);
            one.resting_looks = 0;
            return Ok(None);
        }
        let deployments = self.reader.deployments(&one.awaited.id).await?;
        let latest = deployments.into_iter().next();
        let Some(latest) = latest.filter(|latest| !is_older(latest, since)) else {
            one.resting_looks += 1;
            return Ok((one.resting_looks >= RESTING_LOOKS).then_some(Ending::Succeeded));
        };
        self.tell(one, latest.status.as_deref().unwrap_or("unknown"));
        if !latest.has_ended() {
            return Ok(None);
        }
        if latest.has_succeeded() {
            return Ok(Some(Ending::Succeeded));
        }
        self.failure(&one.awaited.id, latest).await.map(Some)
    }

    async fn failure(&self, id: &RemoteId, latest: Deployment) -> Result<Ending, Error> {
        let status = latest.status.clone().unwrap_or_else(|| "ended".to_owned());
        let log = self.reader.deployment(id, &latest.id).await?.logs;
        let skipped = log.len().saturating_sub(LOG_LINES);
        Ok(Ending::Failed { status, log: log.into_iter().skip(skipped).collect() })
    }

    /// Waits until one resource is ready: it lives, and nothing about it is under way or failed.
    ///
    /// # Errors
    /// When the platform cannot be read.
    pub async fn until_ready(&self, key: &Key, id: &RemoteId) -> Result<Ending, Error> {
        let mut pause = LOOK_FIRST;
        loop {
            let status = match self.reader.get(key.kind, id).await? {
                Lookup::Found(object) => object.status.unwrap_or_else(|| "unknown".to_owned()),
                Lookup::Gone => "gone".to_owned(),
            };
            (self.observe)(key, &status);
            match status.as_str() {
                "running" | "available" | "ready" | "live" | "active" => {
                    return Ok(Ending::Succeeded);
                }
                "failed" | "gone" | "suspended" | "crashed" => {
                    return Ok(Ending::Failed { status, log: Vec::new() });
                }
                _ if self.clock.now() >= self.deadline => return Ok(Ending::TimedOut { status }),
                _ => self.pause(pause).await,
            }
            pause = (pause * 3 / 2).min(LOOK_LAST);
        }
    }

    /// Waits until one object is proven to be gone (S2).
    ///
    /// # Errors
    /// When the platform cannot be read.
    pub async fn until_gone(&self, key: &Key, id: &RemoteId) -> Result<Ending, Error> {
        let mut pause = LOOK_FIRST;
        loop {
            let status = match self.reader.get(key.kind, id).await? {
                Lookup::Gone => return Ok(Ending::Succeeded),
                Lookup::Found(object) => object.status.unwrap_or_else(|| "unknown".to_owned()),
            };
            (self.observe)(key, &status);
            if self.clock.now() >= self.deadline {
                return Ok(Ending::TimedOut { status });
            }
            self.pause(pause).await;
            pause = (pause * 3 / 2).min(LOOK_LAST);
        }
    }

    async fn pause(&self, pause: Duration) {
        let until = self.clock.now().checked_add(pause).unwrap_or(self.deadline);
        self.clock.sleep_until(until.min(self.deadline)).await;
    }

    fn tell(&self, one: &mut Watched, status: &str) {
        if one.status != status {
            status.clone_into(&mut one.status);
            (self.observe)(&one.awaited.key, status);
        }
    }
}

/// Whether a status word says that something is under way. The set of words is open (A15): an
/// unknown one is taken for rest, and the deployments decide.
fn is_moving(status: &str) -> bool {
    ["queued", "building", "deploying", "creating", "pending", "starting", "updating"]
        .contains(&status)
}

/// Whether a deployment began before the change; one without a readable time is taken for new.
fn is_older(deployment: &Deployment, since: Timestamp) -> bool {
    let began = deployment.created_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let earliest = since.checked_sub(SKEW).unwrap_or(since);
    began.is_some_and(|began| began < earliest)
}
