//! A store in memory whose answers get lost and whose requests land late, each at a moment that is
//! drawn beforehand. Simulations and tests use it.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::medium::{
    MediumError, NumberedRecords, Put, Register, SharedMedium, SharedSeat, Sitting, Swap, Version,
};

/// What becomes of a request that writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestFate {
    /// It is done and answered.
    #[default]
    Plain,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// No answer comes, and it is done when so many further requests have come.
    Late(u8),
    /// It is lost, and no answer comes.
    Lost,
    /// It is refused.
    Refused,
}

/// How a store breaks its word, for those who must notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// It does not look whether the seat is still the writer's.
    pub ignores_seats: bool,
    /// It puts a record over another.
    pub ignores_records: bool,
    /// It puts a record behind one that is missing.
    pub ignores_gaps: bool,
    /// It changes a register whatever its version.
    pub ignores_versions: bool,
}

/// A store in memory. Clones share it.
#[derive(Clone, Default)]
pub struct SimulatedMedium(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    logs: BTreeMap<String, LogContent>,
    registers: BTreeMap<String, Register>,
    seats: BTreeMap<String, (String, String)>,
    versions: u64,
    /// How many requests came.
    requests: u64,
    fates: VecDeque<RequestFate>,
    /// What is under way, and at which request it lands.
    flights: Vec<(u64, Flight)>,
    habits: Habits,
}

#[derive(Clone, Default)]
struct LogContent {
    records: BTreeMap<u64, Vec<u8>>,
    was_shortened: bool,
}

#[derive(Clone)]
enum Flight {
    Put { log: String, number: u64, bytes: Vec<u8>, token: String },
    Swap { name: String, version: Version, bytes: Vec<u8> },
}

/// The longest record: short, so that messages need several.
const RECORD_BYTES_MAX: usize = 704;

impl SimulatedMedium {
    /// Makes a store that breaks its word.
    #[must_use]
    pub fn with(habits: Habits) -> Self {
        Self(Arc::new(Mutex::new(World { habits, ..World::default() })))
    }

    /// Says what becomes of the requests to come that write; after them all goes well.
    pub fn draw(&self, fates: impl IntoIterator<Item = RequestFate>) {
        self.world().fates.extend(fates);
    }

    /// Ends all sittings: their time is over.
    pub fn unseat(&self) {
        self.world().seats.clear();
    }

    /// Lets all land that is under way, and nothing fail any more.
    pub fn rest(&self) {
        let mut world = self.world();
        world.fates.clear();
        world.requests = u64::MAX / 2;
        world.land();
    }

    /// Returns the records of a log.
    #[must_use]
    pub fn records(&self, log: &str) -> BTreeMap<u64, Vec<u8>> {
        self.world().logs.get(log).map(|log| log.records.clone()).unwrap_or_default()
    }

    /// Replaces the records of a log, as somebody would who may write to the store.
    pub fn forge(&self, log: &str, records: BTreeMap<u64, Vec<u8>>) {
        let content = LogContent { records, was_shortened: false };
        self.world().logs.insert(log.to_owned(), content);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // Every request leaves a world that some store could be in.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a request: others may come before it, and before its answer is heard.
    async fn request<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        Others::default().await;
        let answer = {
            let mut world = self.world();
            world.requests += 1;
            world.land();
            act(&mut world)
        };
        Others::default().await;
        answer
    }
}

impl World {
    fn fate(&mut self) -> RequestFate {
        self.fates.pop_front().unwrap_or_default()
    }

    fn land(&mut self) {
        let now = self.requests;
        let (due, later) =
            std::mem::take(&mut self.flights).into_iter().partition(|(at, _)| *at <= now);
        self.flights = later;
        let due: Vec<(u64, Flight)> = due;
        for (_, flight) in due {
            match flight {
                Flight::Put { log, number, bytes, token } => {
                    self.put(&log, number, &bytes, &token);
                }
                Flight::Swap { name, version, bytes } => {
                    self.swap(&name, version, &bytes);
                }
            }
        }
    }

    fn put(&mut self, log: &str, number: u64, bytes: &[u8], token: &str) -> Put {
        let habits = self.habits;
        let content = self.logs.entry(log.to_owned()).or_default();
        match content.records.get(&number) {
            Some(there) if !habits.ignores_records => return Put::Taken(there.clone()),
            Some(_) | None => {}
        }
        let has_before = match number.checked_sub(1) {
            None | Some(0) => !content.was_shortened,
            Some(before) => content.records.contains_key(&before),
        };
        if !has_before && !habits.ignores_gaps {
            return Put::Gone;
        }
        let is_seated = self.seats.get(log).is_some_and(|(held, _)| held == token);
        if !is_seated && !habits.ignores_seats {
            return Put::Unseated;
        }
        content.records.insert(number, bytes.to_vec());
        Put::Done
    }

    fn swap(&mut self, name: &str, version: Version, bytes: &[u8]) -> Swap {
        let register = self.registers.entry(name.to_owned()).or_default();
        if register.version != version && !self.habits.ignores_versions {
            return Swap::Moved(register.clone());
        }
        self.versions += 1;
        let version = Version(self.versions);
        *register = Register { bytes: bytes.to_vec(), version };
        Swap::Done(version)
    }
}

fn silence() -> String {
    "no answer".to_owned()
}

impl SharedMedium for SimulatedMedium {
    fn record_bytes_max(&self) -> usize {
        RECORD_BYTES_MAX
    }

    fn after<'a>(
        &'a self,
        log: &'a str,
        number: u64,
    ) -> BoxFuture<'a, Result<NumberedRecords, MediumError>> {
        Box::pin(self.request(move |world| {
            let Some(content) = world.logs.get(log) else { return Ok(Vec::new()) };
            let records = content.records.range(number + 1..).take(3);
            Ok(records.map(|(number, bytes)| (*number, bytes.clone())).collect())
        }))
    }

    fn put<'a>(
        &'a self,
        log: &'a str,
        number: u64,
        bytes: &'a [u8],
        seat: &'a SharedSeat,
    ) -> BoxFuture<'a, Put> {
        Box::pin(self.request(move |world| {
            let flight = Flight::Put {
                log: log.to_owned(),
                number,
                bytes: bytes.to_vec(),
                token: seat.token.clone(),
            };
            match world.fate() {
                RequestFate::Plain => world.put(log, number, bytes, &seat.token),
                RequestFate::AnswerLost => {
                    world.put(log, number, bytes, &seat.token);
                    Put::Unknown(silence())
                }
                RequestFate::Late(requests) => {
                    world.flights.push((world.requests + u64::from(requests), flight));
                    Put::Unknown(silence())
                }
                RequestFate::Lost => Put::Unknown(silence()),
                RequestFate::Refused => Put::Refused("the store is full".to_owned()),
            }
        }))
    }

    fn shorten<'a>(&'a self, log: &'a str, before: u64) -> BoxFuture<'a, Result<(), MediumError>> {
        Box::pin(self.request(move |world| {
            let is_heard = matches!(world.fate(), RequestFate::Plain);
            let content = world.logs.entry(log.to_owned()).or_default();
            content.records.retain(|number, _| *number >= before);
            content.was_shortened = true;
            if is_heard { Ok(()) } else { Err(MediumError(silence())) }
        }))
    }

    fn register<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Register, MediumError>> {
        Box::pin(
            self.request(move |world| Ok(world.registers.get(name).cloned().unwrap_or_default())),
        )
    }

    fn swap<'a>(&'a self, name: &'a str, version: Version, bytes: &'a [u8]) -> BoxFuture<'a, Swap> {
        Box::pin(self.request(move |world| {
            let flight = Flight::Swap { name: name.to_owned(), version, bytes: bytes.to_vec() };
            match world.fate() {
                RequestFate::Plain => world.swap(name, version, bytes),
                RequestFate::AnswerLost => {
                    world.swap(name, version, bytes);
                    Swap::Unknown(silence())
                }
                RequestFate::Late(requests) => {
                    world.flights.push((world.requests + u64::from(requests), flight));
                    Swap::Unknown(silence())
                }
                RequestFate::Lost => Swap::Unknown(silence()),
                RequestFate::Refused => Swap::Refused("the store is full".to_owned()),
            }
        }))
    }

    fn sit<'a>(
        &'a self,
        log: &'a str,
        token: &'a str,
        holder: &'a str,
        _time_to_live: Duration,
    ) -> BoxFuture<'a, Sitting> {
        Box::pin(self.request(move |world| {
            if let Some((held, by)) = world.seats.get(log)
                && held != token
            {
                return Sitting::Held(by.clone());
            }
            world.seats.insert(log.to_owned(), (token.to_owned(), holder.to_owned()));
            Sitting::Ours(SharedSeat { token: token.to_owned() })
        }))
    }

    fn seated<'a>(&'a self, log: &'a str) -> BoxFuture<'a, Result<Option<String>, MediumError>> {
        Box::pin(self.request(move |world| Ok(world.seats.get(log).map(|(_, by)| by.clone()))))
    }

    fn leave<'a>(&'a self, log: &'a str, seat: &'a SharedSeat) -> BoxFuture<'a, ()> {
        Box::pin(self.request(move |world| {
            if world.seats.get(log).is_some_and(|(held, _)| *held == seat.token) {
                world.seats.remove(log);
            }
        }))
    }

    fn pause(&self, _time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(Others::default())
    }
}

/// Lets others go first, once.
#[derive(Default)]
struct Others {
    went: bool,
}

impl Future for Others {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.went, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
