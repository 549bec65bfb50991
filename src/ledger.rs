//! The budget on disk: every process on one state directory spends from the same one.
//!
//! Here are a lock, a file and a mutex. How many requests may leave is decided in
//! [`crate::budget`]. One file for each API host and token:
//!
//! ```text
//! budget-<hex>.json   the state, readable by its owner only
//! budget-<hex>.lock   held for the fraction of a millisecond that a change takes
//! ```
//!
//! A request is in the file *before* it leaves, so a crash can only over-count. Each is written by
//! itself and not ten at once: a write takes a tenth of a millisecond, and then a crash
//! over-counts by the write whose look was under way at most, two processes see each other's
//! requests and answers at once, and no leftover of a lease has to be given back.
//!
//! The file is not synced. The kernel keeps what a process wrote when the process dies, so that
//! no crash of ours loses anything. When the machine dies, the last seconds may be lost or half
//! written; but it needs most of the window to come back, what is half written stands for a full
//! window, and the first answer tells what is left.
//!
//! What lies between two processes is measured by how long the machine has run, since its clock
//! may be set between their starts.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::budget::{
    Budget, BudgetConfig, BudgetSession, BudgetView, Lane, Limits, Millis, ParsedLimits, Permit,
    Verdict, Why,
};
use crate::clock::Uptime;

mod clock;
mod file;

use clock::Axis;
use file::{LedgerContent, LedgerFile};
pub use file::{LedgerError, MemoryFile, TokenDigest};

/// When to ask again after another process held the lock for too long.
const BUSY: Duration = Duration::from_millis(50);

/// A budget that survives this process and is shared with others.
///
/// All methods take `&self` and may be called from any thread. They block for hundredths of a
/// millisecond, and for 16 ms at most where another process holds the file, so they may be called
/// from async code; nothing is held over an await. `open`, `view` and `forecast` may wait for two
/// seconds in that case.
///
/// Every instant is on the caller's clock. Anchor it to the time of day once and move it on with a
/// monotonic one: a clock that jumps forward looks like time that has passed.
#[derive(Debug)]
pub struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: BudgetConfig,
    session: BudgetSession,
    axis: Axis,
    home: Home,
    /// Answers that are not in the file yet, because it was held or could not be written.
    news: Vec<News>,
}

#[derive(Debug)]
enum Home {
    Memory { shelf: MemoryFile, generation: u64 },
    File(LedgerFile),
}

#[derive(Debug)]
enum News {
    Answered { at: Millis, permit: Permit, reading: ParsedLimits },
    Lost { at: Millis, permit: Permit },
    Unsent { at: Millis, permit: Permit },
    Ended,
}

impl Ledger {
    /// Opens the ledger of one API host and token, and counts the start of this process.
    ///
    /// *Guarantees*: from here on, all processes that open the same ledger together send at most
    /// `rate` requests in any minute. A file that cannot be understood stands for a full window
    /// used just now.
    /// *Assumes* a file system with locks, and that `uptime` is the machine's at `now`. Without it,
    /// or on two machines, the clocks of processes that use it at the same time must agree: else both
    /// together may send more for a minute, and the platform's own answers hold them back.
    ///
    /// # Errors
    ///
    /// When the directory or its files cannot be made, read or written.
    pub fn open(
        directory: &Path,
        host: &str,
        token: &TokenDigest,
        config: BudgetConfig,
        now: Millis,
        uptime: Option<&Uptime>,
    ) -> Result<Self, LedgerError> {
        let mut shared = LedgerFile::new(directory, host, token)?;
        let locked = shared.lock_patiently()?;
        let (kept, axis) = locked.read(now, config.rate)?.begin(now, uptime, config.rate);
        let generation = kept.generation;
        let (kept, session) = kept.spent(config, |budget| budget.begin(axis.position()));
        locked.write(kept)?;
        drop(locked);
        shared.generation = Some(generation);
        Ok(Self::assemble(config, session, axis, Home::File(shared)))
    }

    /// Returns a ledger of this process alone, for a sandbox, for tests, and for commands that
    /// only read and have no directory to write in.
    #[must_use]
    pub fn in_memory(config: BudgetConfig, now: Millis) -> Self {
        Self::on_shelf(&MemoryFile::default(), config, now, None)
    }

    /// Opens a ledger that is kept in memory, as [`Ledger::open`] opens one on disk: who opens the
    /// same shelf spends the same budget, also after a process that died in a simulation.
    #[must_use]
    pub fn on_shelf(
        shelf: &MemoryFile,
        config: BudgetConfig,
        now: Millis,
        uptime: Option<&Uptime>,
    ) -> Self {
        let mut shelved = shelf.kept();
        let before = shelved.take().unwrap_or_else(|| LedgerContent::new(now));
        let (kept, axis) = before.begin(now, uptime, config.rate);
        let generation = kept.generation;
        let (kept, session) = kept.spent(config, |budget| budget.begin(axis.position()));
        *shelved = Some(kept);
        drop(shelved);
        let home = Home::Memory { shelf: shelf.clone(), generation };
        Self::assemble(config, session, axis, home)
    }

    fn assemble(config: BudgetConfig, session: BudgetSession, axis: Axis, home: Home) -> Self {
        Self { inner: Mutex::new(Inner { config, session, axis, home, news: Vec::new() }) }
    }

    /// Says that the converge lane is about to need so many requests more; see
    /// [`BudgetSession::expect`].
    pub fn expect(&self, requests: u32) {
        self.inner().session.expect(requests);
    }

    /// Asks for leave to send one request in `lane`, at once.
    ///
    /// # Errors
    ///
    /// When the request cannot be written down. Then it must not be sent.
    pub fn take(&self, now: Millis, lane: Lane) -> Result<Verdict, LedgerError> {
        self.inner().ask(now, |budget, at, session| budget.take(at, session, lane))
    }

    /// Asks for leave to send a look in `lane` at once, and the write that rests on it after its
    /// answer; see [`Budget::take_pair`].
    ///
    /// # Errors
    ///
    /// When the requests cannot be written down. Then neither may be sent.
    pub fn take_pair(
        &self,
        now: Millis,
        lane: Lane,
    ) -> Result<Verdict<(Permit, Permit)>, LedgerError> {
        self.inner().ask(now, |budget, at, session| budget.take_pair(at, session, lane))
    }

    /// Asks for a place for one write in `lane`; see [`Budget::take_place`].
    ///
    /// # Errors
    ///
    /// As [`Ledger::take`].
    pub fn take_place(&self, now: Millis, lane: Lane) -> Result<Verdict, LedgerError> {
        self.inner().ask(now, |budget, at, session| budget.take_place(at, session, lane))
    }

    /// Lets a request leave whose permit was taken earlier; says what stands in its way, if anything
    /// does. See [`Budget::depart`].
    ///
    /// # Errors
    ///
    /// When its leaving cannot be written down. Then it must not be sent.
    pub fn depart(&self, now: Millis, permit: &mut Permit) -> Result<Option<Why>, LedgerError> {
        let depart = |budget: &mut Budget, at, session: &mut BudgetSession| {
            budget.depart(at, session, permit).err()
        };
        Ok(self.inner().with_budget(now, depart)?.unwrap_or(Some(Why::Busy)))
    }

    /// Takes note of an answer.
    ///
    /// It never fails: what cannot be written now is kept and written with the next request.
    pub fn learn(&self, now: Millis, permit: Permit, limits: &Limits) {
        // Read on the caller's clock: a header may tell the time of day, and the ledger has its own.
        let reading = limits.read(now);
        self.inner().note(now, |at| News::Answered { at, permit, reading });
    }

    /// Takes note that a request was sent and its answer will not come: it counts.
    pub fn lost(&self, now: Millis, permit: Permit) {
        self.inner().note(now, |at| News::Lost { at, permit });
    }

    /// Takes note that a request was not taken: not a byte of it left, or the other side says that it
    /// did not look at it. It does not count.
    pub fn unsent(&self, now: Millis, permit: Permit) {
        self.inner().note(now, |at| News::Unsent { at, permit });
    }

    /// Ends the run in an orderly way, so that its start does not look like a crash.
    pub fn close(&self, now: Millis) {
        self.inner().note(now, |_| News::Ended);
    }

    /// Returns how long so many requests in the converge lane will take.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn forecast(&self, requests: u32, now: Millis) -> Result<Duration, LedgerError> {
        let (budget, position, session) = self.inner().look(now)?;
        Ok(budget.forecast(requests, position, &session))
    }

    /// Returns how the budget stands, for a person.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn view(&self, now: Millis) -> Result<BudgetView, LedgerError> {
        let mut inner = self.inner();
        let (budget, position, _) = inner.look(now)?;
        let view = budget.view(position);
        let frozen_until = view.frozen_until.map(|until| inner.axis.told(until));
        let short_since = view.short_since.map(|since| inner.axis.was_told(since));
        Ok(BudgetView { frozen_until, short_since, ..view })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic in another thread leaves nothing half done that the file does not decide.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn ask<P>(
        &mut self,
        now: Millis,
        ask: impl FnOnce(&mut Budget, Millis, &mut BudgetSession) -> Verdict<P>,
    ) -> Result<Verdict<P>, LedgerError> {
        match self.with_budget(now, ask)? {
            Some(Verdict::Wait { until, why }) => {
                Ok(Verdict::Wait { until: self.axis.told(until), why })
            }
            Some(verdict) => Ok(verdict),
            None => Ok(Verdict::Wait { until: now.plus(BUSY), why: Why::Busy }),
        }
    }

    /// Runs `action` on the shared budget and writes it back before anything leaves.
    ///
    /// Returns nothing when another process holds the file.
    fn with_budget<T>(
        &mut self,
        now: Millis,
        action: impl FnOnce(&mut Budget, Millis, &mut BudgetSession) -> T,
    ) -> Result<Option<T>, LedgerError> {
        let Self { config, session, axis, home, news } = self;
        match home {
            Home::Memory { shelf, generation: before } => {
                let mut shelved = shelf.kept();
                let kept =
                    shelved.take().unwrap_or_else(|| LedgerContent::exhausted(now, config.rate));
                if kept.generation != std::mem::replace(before, kept.generation) {
                    *axis = Axis::join(now, kept.state.latest());
                }
                let position = axis.advance(now, kept.state.latest());
                let (kept, result) = kept.spent(*config, |budget| {
                    note_news(budget, session, news);
                    action(budget, position, session)
                });
                *shelved = Some(kept);
                news.clear();
                Ok(Some(result))
            }
            Home::File(shared) => {
                let before = shared.generation;
                let Some(locked) = shared.lock()? else {
                    return Ok(None);
                };
                let kept = locked.read(now, config.rate)?;
                if Some(kept.generation) != before {
                    // Somebody began the file anew: only its own time counts.
                    *axis = Axis::join(now, kept.state.latest());
                }
                let position = axis.advance(now, kept.state.latest());
                // The session moves on only with what has been written.
                let mut moved = session.clone();
                let generation = kept.generation;
                let (kept, result) = kept.spent(*config, |budget| {
                    note_news(budget, session, news);
                    action(budget, position, &mut moved)
                });
                locked.write(kept)?;
                drop(locked);
                shared.generation = Some(generation);
                *session = moved;
                news.clear();
                Ok(Some(result))
            }
        }
    }

    fn note(&mut self, now: Millis, news: impl FnOnce(Millis) -> News) {
        let at = self.axis.advance(now, Millis(0));
        self.news.push(news(at));
        // Whether it is written now or with the next request makes no difference to what leaves
        // this process; an error is reported by that request.
        let _ = self.with_budget(now, |_, _, _| ());
    }

    fn look(&mut self, now: Millis) -> Result<(Budget, Millis, BudgetSession), LedgerError> {
        let state = match &mut self.home {
            Home::Memory { shelf, generation: _ } => shelf.state(),
            Home::File(shared) => shared.lock_patiently()?.read(now, self.config.rate)?.state,
        };
        let position = self.axis.advance(now, state.latest());
        Ok((Budget::resume(self.config, state), position, self.session.clone()))
    }
}

/// Tells the budget what it has not been told yet. The news are forgotten once they are written.
fn note_news(budget: &mut Budget, session: &BudgetSession, news: &[News]) {
    for item in news {
        match item {
            News::Answered { at, permit, reading } => {
                budget.learn_reading(*at, permit, *reading);
            }
            News::Lost { at, permit } => budget.lost(*at, permit),
            News::Unsent { at, permit } => budget.unsent(*at, permit),
            News::Ended => budget.end(session),
        }
    }
}

#[cfg(test)]
mod tests;
