//! What an answer teaches, or its absence.
//!
//! Nothing here lets a request leave; it only changes what `take` will see.

use std::time::Duration;

use super::limits::{Limits, ParsedLimits};
use super::memory::Evidence;
use super::millis::Millis;
use super::settings::{Lane, WINDOW};
use super::state::{Observation, Permit, Shortage};
use super::take::{Budget, FLIGHTS_MAX, percent};

/// The shortest freeze after a refusal.
const FREEZE_MIN: Duration = Duration::from_secs(1);

/// The longest freeze that we choose ourselves.
///
/// So that we are back within a minute of the end of the trouble, jitter and work included.
const FREEZE_MAX: Duration = Duration::from_secs(45);

/// How much is added to a freeze at random, in per cent, so that agents do not return together.
const JITTER_PERCENT: u32 = 10;

/// How many good answers give back one request of those withheld after refusals.
///
/// A tenth of the limit is withheld, so it is back after one window of good answers.
const ANSWERS_PER_RETURN: u32 = 10;

/// How long after a refusal an API that does not tell what is left gets no bursts any more.
const SMOOTH: Duration = Duration::from_secs(3600);

/// How far apart two readings of one Reset may lie: Reset and Date are both rounded to seconds,
/// and the answer was under way for a while.
const RESET_ROUNDING: Duration = Duration::from_millis(2500);

/// How far Reset must move at once to be that of another window.
const JUMP_MIN: Duration = Duration::from_secs(WINDOW.as_secs() / 2);

impl Budget {
    /// Takes note of an answer.
    pub fn learn(&mut self, now: Millis, permit: &Permit, limits: &Limits) {
        self.learn_reading(now, permit, limits.read(now));
    }

    /// Takes note of an answer whose headers have been read already.
    pub(crate) fn learn_reading(&mut self, now: Millis, permit: &Permit, reading: ParsedLimits) {
        let now = self.state.advance(now);
        self.land(permit);
        let tells = self.state.observation.is_some_and(|seen| seen.remaining.is_some());
        // The API tells what is left with each answer: this one is somebody else's.
        let is_elsewhere = tells && reading.remaining.is_none();
        let is_unavailable = is_elsewhere && reading.is_unavailable;
        let is_stepped =
            (reading.is_refusal || is_unavailable) && self.learn_steps(now, permit, reading);
        if reading.is_refusal {
            self.refused(now, permit, reading);
        } else if is_unavailable {
            self.turned_away(now, reading, is_stepped);
        } else {
            self.answered(permit);
        }
        // Somebody else's answer does not make unknown what the API told.
        if !(is_stepped && is_elsewhere) {
            self.observe(now, permit, reading);
        }
        let is_short = (reading.is_refusal && !is_stepped) || self.state.dry_looks > 0;
        self.state.shortage = is_short.then(|| Shortage::at(now, self.state.shortage));
    }

    /// Takes note that a request was sent and its answer will not come.
    ///
    /// The API may have counted it, so it counts.
    pub fn lost(&mut self, now: Millis, permit: &Permit) {
        self.state.advance(now);
        if !self.land(permit) {
            return;
        }
        let remaining = self.state.observation.as_mut().and_then(|seen| seen.remaining.as_mut());
        if let Some(remaining) = remaining {
            *remaining = remaining.saturating_sub(1);
        }
    }

    /// Takes note that the request was not taken: not a byte of it left, or the other side says that
    /// it did not look at it. It does not count.
    pub fn unsent(&mut self, now: Millis, permit: &Permit) {
        self.state.advance(now);
        let place = self.state.sent.partition_point(|sent| *sent < permit.sent_at);
        // A permit that has been forgotten, or was landed by time, has nothing to give back.
        if self.land(permit) && self.state.sent.get(place) == Some(&permit.sent_at) {
            self.state.sent.remove(place);
        }
    }

    fn land(&mut self, permit: &Permit) -> bool {
        let before = self.state.flights.len();
        self.state.flights.retain(|flight| flight.id != permit.id);
        self.state.flights.len() < before
    }

    fn answered(&mut self, permit: &Permit) {
        if permit.sent_at >= self.state.refusals.since {
            self.state.refusals.failures = 0;
        }
        self.state.good_answers += 1;
        if self.state.good_answers >= ANSWERS_PER_RETURN {
            self.state.good_answers = 0;
            self.state.withheld = self.state.withheld.saturating_sub(1);
        }
    }

    /// Freezes everything. Refusals of requests that were already on their way are the same
    /// episode; one that came after the freeze makes the next freeze twice as long.
    fn refused(&mut self, now: Millis, permit: &Permit, reading: ParsedLimits) {
        let is_of_another = self.is_of_another(now, reading);
        let refusals = &mut self.state.refusals;
        let is_same_episode = permit.sent_at < refusals.since;
        if !is_same_episode {
            refusals.failures += 1;
            refusals.since = now;
        }
        let doublings = refusals.failures.saturating_sub(1).min(10);
        let chosen = FREEZE_MIN.saturating_mul(1 << doublings).min(FREEZE_MAX);
        let told = reading.retry_in.max(reading.reset_in).unwrap_or_default();
        let wait = chosen.max(told);
        let jitter = wait * JITTER_PERCENT / 100;
        let until = now.plus(wait + jitter.mul_f64(fraction(self.config.seed, permit.id)));
        refusals.frozen_until = refusals.frozen_until.max(until);
        if is_of_another {
            // It says nothing of the API's own count.
            return;
        }
        if !is_same_episode && refusals.failures == 1 {
            let believed = self.believed();
            self.state.withheld += percent(believed, 10);
        }
        self.state.refusals.smooth_until = now.plus(SMOOTH);
        self.state.good_answers = 0;
        self.state.refill.forget();
        self.state.memory.forget();
    }

    /// Leaves what stands in front of the API alone for as long as it asks, and for the shortest
    /// freeze where it wants steps.
    fn turned_away(&mut self, now: Millis, reading: ParsedLimits, is_stepped: bool) {
        let told = reading.retry_in.unwrap_or_default();
        let wait = if is_stepped { told.max(FREEZE_MIN) } else { told };
        let refusals = &mut self.state.refusals;
        refusals.frozen_until = refusals.frozen_until.max(now.plus(wait));
    }

    fn observe(&mut self, now: Millis, permit: &Permit, reading: ParsedLimits) {
        let reset_at = reading.reset_in.map(|reset_in| now.plus(reset_in));
        let own = self.state.own_since(now.minus(WINDOW));
        let new = Observation { at: now, remaining: reading.remaining, reset_at, own };
        let has_turned = self.state.others.saw_reset(now, reset_at);
        // A Reset that is rounded up still lies ahead when the next one is told.
        let before = self.state.observation.and_then(|old| old.reset_at);
        let has_jumped = reset_at.zip(before).is_some_and(|(new, old)| old.plus(JUMP_MIN) < new);
        if let Some(old) = self.state.observation {
            if is_of_an_earlier_window(&new, &old) {
                return;
            }
            // Answers overtake each other. Within a window the smallest Remaining is the latest;
            // and a request sent after an answer was counted after it, whatever it says.
            let is_later = has_turned || new.remaining <= old.remaining || permit.sent_at >= old.at;
            if !is_later {
                return;
            }
        }
        self.state.observation = Some(new);
        if let Some(remaining) = reading.remaining {
            self.state.others.saw_remaining(remaining);
            let has_turned = has_turned || has_jumped;
            self.watch_memory(permit, own, remaining, has_turned);
            self.watch_others(now, permit, remaining, reading.reset_in);
        }
        self.count_looks(now, permit);
    }

    fn watch_memory(&mut self, permit: &Permit, own: u32, remaining: u32, has_turned: bool) {
        let limit = self.config.limit();
        let window = self.state.others.largest(limit).max(limit);
        // What left before this request was counted before it, but for what it overtook.
        let later = self.state.own_since(permit.sent_at);
        let counted = own.saturating_sub(later + FLIGHTS_MAX);
        self.state.memory.observe(Evidence { remaining, window, counted, has_turned });
    }

    fn watch_others(
        &mut self,
        now: Millis,
        permit: &Permit,
        remaining: u32,
        reset_in: Option<Duration>,
    ) {
        let limit = self.config.limit();
        if let Some(reset_in) = reset_in {
            self.state.refill.observe(now, remaining, reset_in, limit);
        }
        // A refill hides what others use; but then nobody has to wait long either.
        if self.state.refill.per_second().is_some() {
            self.state.others.cannot_be_seen();
            return;
        }
        let since_turn = WINDOW.saturating_sub(reset_in.unwrap_or_default());
        let slides = self.state.memory.outlasts_turns();
        let elapsed = if slides { WINDOW } else { since_turn };
        let own = if slides {
            // The API may have counted this request as soon as it left: what has left its minute since
            // then was still in it.
            self.state.own(permit.sent_at)
        } else {
            self.state.own_since(now.minus(since_turn + RESET_ROUNDING))
        };
        let window = self.window();
        let used = window.saturating_sub(remaining).saturating_sub(own);
        // More than the largest window seen was never used: it is smaller than the limit.
        let is_possible = !slides || used <= self.state.others.largest(limit);
        self.state.others.saw_use(if is_possible { used } else { 0 }, elapsed);
    }

    fn count_looks(&mut self, now: Millis, permit: &Permit) {
        let has_credits = |lane| self.credits(now, lane).is_none_or(|credits| credits >= 1);
        if has_credits(Lane::Converge) {
            self.state.dry_looks = 0;
        } else if permit.is_look {
            self.state.dry_looks += 1;
        }
    }
}

fn is_of_an_earlier_window(new: &Observation, old: &Observation) -> bool {
    match (new.reset_at, old.reset_at) {
        (Some(new), Some(old)) => new.plus(RESET_ROUNDING) < old,
        _ => false,
    }
}

/// Returns a fraction in 0..1 that depends on nothing but its arguments.
pub fn fraction(seed: u64, turn: u64) -> f64 {
    // SplitMix64: two numbers in, one that looks like chance out.
    let mut mixed = seed.wrapping_add(turn.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // The upper 53 bits are what a float can hold.
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}
