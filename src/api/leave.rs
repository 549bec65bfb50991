//! Permit, look, append, send: the one path on which a write leaves.
//!
//! A write rests on a look: the object still is what was shown, the name is still free (S1, S2, S10).
//! So leave for it is asked before the look, and it leaves within a stated time after the look's
//! answer or not at all. It is never sent again from here: whoever wants that looks again.
//!
//! ```text
//! Writer::pair ──► Pair::look ─────────────────────► Leave ──► Writer::patch, delete, deploy …
//! Writer::reserve ► Reservation::resting_on(a list) ─┘              │
//!                                          age, append, age, budget, send once
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::client::Client;
use super::error::{Cause, Error};
use super::reader::{Lookup, Reader};
use crate::budget::Permit;
use crate::model::{Kind, RemoteId};

/// The longest between the answer to a look at an object and the write that rests on it. The law says
/// two seconds at the wire; the rest is for a machine that is busy.
pub const LOOK_AGE_MAX: Duration = Duration::from_millis(1_500);

/// Whether whoever writes still is the one who may: asked at the last moment, when nothing more is
/// waited for (S10).
pub type TenureCheck = Arc<dyn Fn() -> bool + Send + Sync>;

/// Leave for a look and, after its answer, for the write that rests on it.
#[derive(Debug)]
pub struct Pair {
    look: Reservation,
    write: Reservation,
}

/// Leave for one write that has nothing to rest on yet.
pub struct Reservation {
    client: Client,
    /// Nothing once the request has left.
    permit: Option<Permit>,
    /// Nothing where nobody else can come to write.
    tenure: Option<TenureCheck>,
}

/// Leave for one write, as long as what it rests on is young.
#[derive(Debug)]
pub struct Leave {
    reservation: Reservation,
    seen_at: Timestamp,
    age_max: Duration,
}

impl Pair {
    pub(super) fn new(client: &Client, (look, write): (Permit, Permit)) -> Self {
        let reserved = |permit| Reservation::new(client, permit);
        Self { look: reserved(look), write: reserved(write) }
    }

    /// Binds the write to the tenure of who writes.
    pub(super) fn under(self, tenure: Option<TenureCheck>) -> Self {
        Self { write: self.write.under(tenure), ..self }
    }

    /// Reads an object by its id, once, and returns what came with leave for the write that rests on
    /// it.
    ///
    /// # Errors
    /// As [`Reader::get`]; the leave is given back then.
    pub async fn look(self, kind: Kind, id: &RemoteId) -> Result<(Lookup, Leave), Error> {
        let Self { look, write } = self;
        let reader = Reader { client: write.client.clone() };
        let lookup = reader.get_once(kind, id, look).await?;
        let seen_at = write.client.now();
        Ok((lookup, write.resting_on(seen_at, LOOK_AGE_MAX)))
    }
}

impl Reservation {
    pub(super) fn new(client: &Client, permit: Permit) -> Self {
        Self { client: client.clone(), permit: Some(permit), tenure: None }
    }

    /// Binds it to the tenure of who writes.
    pub(super) fn under(mut self, tenure: Option<TenureCheck>) -> Self {
        self.tenure = tenure;
        self
    }

    /// Says what the write rests on: it was seen then, and must not be older than that when the
    /// write leaves.
    #[must_use]
    pub const fn resting_on(self, seen_at: Timestamp, age_max: Duration) -> Leave {
        Leave { reservation: self, seen_at, age_max }
    }

    /// Takes the permit out, for a request that leaves now.
    pub(super) fn take(mut self) -> Option<Permit> {
        self.permit.take()
    }
}

impl Leave {
    /// Fails when what the write rests on is too old, or somebody else may be writing by now.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Cause> {
        if self.reservation.tenure.as_ref().is_some_and(|holds| !holds()) {
            let reason = "it was not sent: the right to write the state may be another's by now";
            return Err(Cause::Local(reason.to_owned()));
        }
        let age = now.duration_since(self.seen_at);
        let is_young = Duration::try_from(age).map_or(true, |age| age <= self.age_max);
        if is_young { Ok(()) } else { Err(Cause::LookTooOld) }
    }

    pub(super) fn permit(&mut self) -> Option<&mut Permit> {
        self.reservation.permit.as_mut()
    }

    pub(super) fn take(self) -> Option<Permit> {
        self.reservation.take()
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Reservation").field(&self.permit).finish()
    }
}

/// What did not leave is given back, however it ended.
impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.client.give_back(permit);
        }
    }
}
