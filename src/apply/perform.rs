//! One change, step by step, from its first request to its record.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::{Deletion, Error, LOOK_AGE_MAX, Lookup, WriteError};
use crate::model::{Entry, Key, Kind, Live, LiveObject, RemoteId, SentDelete};
use crate::plan::{Action, Change, Move, Outcome, Part, Precondition, Reason, Record, Step};
use crate::store::JournalEvent;

use super::look::halfway;
use super::outcome::{
    failed_here, lost, not_recorded, not_sent, out_of_time, stale, unread, unresolved,
};
use super::sweep::Sweep;
use super::{Hands, Happening, Patience};

/// How long we wait for a deploy that stands in the way of a PATCH (409).
pub(super) const BUSY_MAX: Duration = Duration::from_secs(600);

/// The time between two tries while a deploy is in progress.
const BUSY_PAUSE: Duration = Duration::from_secs(10);

/// How long we wait for a deleted object to be gone before its successor is created.
const GOING_MAX: Duration = Duration::from_secs(300);

/// The time between two looks at an object that is going.
const GOING_PAUSE: Duration = Duration::from_secs(3);

/// What was done of a change so far.
struct Done {
    has_written: bool,
    /// When the last answer told of its object.
    seen_at: Option<Timestamp>,
}

impl Hands<'_> {
    /// Performs one part of a change and returns what became of it.
    pub(super) async fn perform(
        &self,
        change: &Change,
        part: Part,
        live: &Live,
        sweep: &Sweep,
    ) -> Outcome {
        let done = match part {
            Part::First => self.try_perform(change, live, sweep).await,
            Part::Completion => match self.rest_of(change) {
                Ok(rest) => self.try_perform(&rest, live, sweep).await,
                Err(outcome) => Err(outcome),
            },
        };
        done.err().unwrap_or(Outcome::Applied)
    }

    /// Returns what is left of a change whose first steps are done and recorded.
    fn rest_of(&self, change: &Change) -> Result<Change, Outcome> {
        let entry = self.store().inventory().entries.get(&change.key).cloned();
        let rest = entry.and_then(|entry| change.completed(&entry));
        rest.ok_or_else(|| stale("it is no longer in the state".to_owned()))
    }

    async fn try_perform(
        &self,
        change: &Change,
        live: &Live,
        sweep: &Sweep,
    ) -> Result<(), Outcome> {
        let is_remembered_by_a_step = change.steps.iter().any(|step| match step {
            Step::Create { .. } | Step::Patch { .. } | Step::Delete { .. } => true,
            Step::MakeWay { .. } | Step::Complete { .. } | Step::Deploy { .. } => false,
        });
        if !is_remembered_by_a_step {
            self.remember_without_writing(change, sweep).await?;
        }
        let mut done = Done { has_written: false, seen_at: None };
        for step in change.first_steps() {
            let outcome = self.take_step(change, step, live, sweep, &mut done).await;
            outcome.map_err(|outcome| if done.has_written { halfway(outcome) } else { outcome })?;
        }
        Ok(())
    }

    async fn take_step(
        &self,
        change: &Change,
        step: &Step,
        live: &Live,
        sweep: &Sweep,
        done: &mut Done,
    ) -> Result<(), Outcome> {
        match step {
            Step::Create { fields } => self.create(change, fields, live, sweep).await?,
            Step::Patch { id, fields, precondition } => {
                self.patch(change, id, fields, precondition, live).await?;
            }
            Step::MakeWay { id, becomes: _, name, precondition } => {
                self.make_way(change, id, name, precondition).await?;
            }
            // It is a part of its own, and a PATCH by then.
            Step::Complete { .. } => {}
            Step::Deploy { id, precondition } => {
                self.deploy(change, id, precondition, done.seen_at).await?;
            }
            Step::Delete { id, precondition } => {
                if let Some(doubt) = sweep.forbids_delete(change.key.kind).await {
                    return Err(doubt);
                }
                self.delete(change, id, precondition).await?;
            }
        }
        *done = Done { has_written: true, seen_at: Some(self.clock.now()) };
        Ok(())
    }

    /// Adoptions and what is to be forgotten: only the inventory changes.
    async fn remember_without_writing(
        &self,
        change: &Change,
        sweep: &Sweep,
    ) -> Result<(), Outcome> {
        let doubt = match sweep.last(change.key.kind).await {
            Ok(list) => list.doubt(change, self.store().inventory()),
            Err(doubt) => Some(doubt),
        };
        if let Some(doubt) = doubt.filter(|_| change.forgets_what_a_list_lacks()) {
            return Err(doubt);
        }
        match (&change.record, &change.id) {
            (Some(record), Some(id)) => {
                let entry = record.clone().into_entry(id.clone(), None);
                self.record(&change.key, record, entry)
            }
            // An entry that is gone, or the intent of a create that is known not to have happened.
            (None, _) => {
                let key = change.key.clone();
                let gone =
                    [JournalEvent::Forgotten { key: key.clone() }, JournalEvent::Abandoned { key }];
                self.store().commit_all(&gone).map_err(not_recorded)
            }
            (Some(_), None) => Ok(()),
        }
    }

    /// Deploys where a PATCH takes effect only so (A6). The PATCH is recorded by then, and until
    /// a deploy is accepted it stays on record as owed.
    ///
    /// Right after the PATCH its answer is the look; where the budget makes it wait, and where there
    /// was no PATCH, it is looked at again.
    async fn deploy(
        &self,
        change: &Change,
        id: &RemoteId,
        precondition: &Precondition,
        mut seen_at: Option<Timestamp>,
    ) -> Result<(), Outcome> {
        // The PATCH before it may have found nothing left to write.
        if !self.store().inventory().deploys_owed.contains(id) {
            return Ok(());
        }
        let patience = self.later(BUSY_MAX);
        let mut rounds = self.writer.rounds();
        loop {
            let at_once = seen_at.take().and_then(|at| Some((at, self.writer.reserve_now()?)));
            let leave = match at_once {
                Some((at, place)) => place.resting_on(at, LOOK_AGE_MAX),
                None => {
                    let (lookup, leave) = self.look(change.key.kind, id, &mut rounds).await?;
                    if let Some(reason) = precondition.broken_by(&*found(lookup)?) {
                        return Err(stale(reason));
                    }
                    leave
                }
            };
            let error = match self.writer.deploy(leave, id, None, false).await {
                Ok(_) => return self.store().pay_deploy(id).map_err(not_recorded),
                Err(error) => error,
            };
            match error {
                WriteError::Busy(busy) if self.may_wait(patience) => {
                    self.wait_busy(change, &busy).await?;
                }
                WriteError::Ambiguous(error) => return Err(lost(&error)),
                error => self.again(&mut rounds, &error, false).await?,
            }
        }
    }

    async fn delete(
        &self,
        change: &Change,
        id: &RemoteId,
        precondition: &Precondition,
    ) -> Result<(), Outcome> {
        let kind = change.key.kind;
        let mut rounds = self.writer.rounds();
        loop {
            let (lookup, leave) = self.look(kind, id, &mut rounds).await?;
            let Lookup::Found(object) = lookup else {
                drop(leave);
                self.prove_gone(kind, id).await?;
                break;
            };
            if let Some(reason) = precondition.broken_by(&object) {
                return Err(stale(reason));
            }
            self.count_delete(change, id)?;
            let error = match self.writer.delete(leave, kind, id).await {
                Ok(Deletion::Done | Deletion::Underway) => break,
                Ok(Deletion::WasGone) => {
                    self.prove_gone(kind, id).await?;
                    break;
                }
                Err(error) => error,
            };
            self.again(&mut rounds, &error, true).await?;
        }
        self.store().forget(change.key.clone()).map_err(not_recorded)?;
        match change.action {
            Action::Replace => self.until_gone(kind, id).await,
            Action::Create
            | Action::Update
            | Action::Adopt
            | Action::Forget
            | Action::Delete
            | Action::None => Ok(()),
        }
    }

    /// Writes down, before a DELETE leaves, that it does: the fuse counts what may have gone, and a
    /// process that dies now may never learn it (S7). What a person named is not counted.
    fn count_delete(&self, change: &Change, id: &RemoteId) -> Result<(), Outcome> {
        if change.action != Action::Delete || change.reason == Reason::Destroy {
            return Ok(());
        }
        let (kind, commit) = (change.key.kind, self.commit.map(str::to_owned));
        let sent = SentDelete { kind, id: id.clone(), at: self.clock.now(), commit };
        self.store().commit(JournalEvent::Deleting(sent)).map_err(not_sent)
    }

    /// Refuses to forget what the list still shows: it was there a moment ago, and one 404 must
    /// not make an orphan of it (L4).
    async fn prove_gone(&self, kind: Kind, id: &RemoteId) -> Result<(), Outcome> {
        let listing = self.reader.list(kind).await.map_err(|error| unread(&error))?;
        if listing.proves_gone(id) {
            return Ok(());
        }
        Err(unresolved(format!(
            "the API reports that {kind} {id} does not exist, but its listing contains it"
        )))
    }

    /// Waits until a deleted object is gone, so that its successor can have its name.
    async fn until_gone(&self, kind: Kind, id: &RemoteId) -> Result<(), Outcome> {
        let patience = self.later(GOING_MAX);
        loop {
            match self.reader.get(kind, id).await {
                Ok(Lookup::Gone) => return Ok(()),
                Ok(Lookup::Found(_)) if self.may_wait(patience) => {
                    if !self.reader.client().wait_until(self.later(GOING_PAUSE)).await {
                        let reason = format!("{kind} {id} was deleted and still exists");
                        return Err(out_of_time(reason));
                    }
                }
                Ok(Lookup::Found(_)) => {
                    return Err(failed_here(format!(
                        "{kind} {id} was deleted and still exists; the next run creates its \
                         successor"
                    )));
                }
                Err(error) => return Err(unread(&error)),
            }
        }
    }

    /// Records an entry; a renamed one leaves its old key in the same event.
    pub(super) fn record(&self, key: &Key, record: &Record, entry: Entry) -> Result<(), Outcome> {
        let mut store = self.store();
        let recorded = match record.moves(key, &entry, &store.inventory().entries) {
            Move::None => store.record(key.clone(), entry),
            Move::From(from) => store.rename(from, key.clone(), entry),
            Move::Exchange(entries) => store.exchange(entries),
        };
        recorded.map_err(not_recorded)
    }

    /// Waits for a deploy that is in progress, unless there will be no time left after it.
    pub(super) async fn wait_busy(&self, change: &Change, busy: &Error) -> Result<(), Outcome> {
        (self.execution.observe)(Happening::Busy(&change.key));
        let is_in_time = self.reader.client().wait_until(self.later(BUSY_PAUSE)).await;
        if is_in_time { Ok(()) } else { Err(out_of_time(busy)) }
    }

    /// Whether there is time to wait, and nobody asks us to end.
    pub(super) fn may_wait(&self, patience: Timestamp) -> bool {
        let is_patient = match self.execution.patience {
            Patience::Wait => true,
            Patience::Leave => false,
        };
        is_patient && self.clock.now() < patience && !*self.execution.stop.borrow()
    }

    pub(super) fn later(&self, span: Duration) -> Timestamp {
        self.clock.now().checked_add(span).unwrap_or(Timestamp::MAX)
    }
}

pub(super) fn found(lookup: Lookup) -> Result<Box<LiveObject>, Outcome> {
    match lookup {
        Lookup::Found(object) => Ok(object),
        Lookup::Gone => Err(stale("it was deleted".to_owned())),
    }
}
