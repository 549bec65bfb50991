//! Sync windows: the times of the week at which an agent may write.
//!
//! Pure: it is told `now`. A window begins at each minute its schedule names in its own time zone,
//! and lasts a span of real time, so one of 8 hours is 8 hours long also on the night the clocks
//! are changed. A beginning that falls into the hour the clocks skip is the moment of the change;
//! one in the hour that comes twice is the first of the two.

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, ToSpan as _};

use crate::model::CronSchedule;
use crate::status::WindowState;

/// How far ahead the next change is looked for.
///
/// Eight weeks hold every pattern of weeks and of months. Whoever needs to know of a later change
/// asks again before it comes.
const HORIZON: Duration = Duration::from_secs(8 * 7 * 86_400);

/// How many beginnings of one window are followed to find its end, and how many changes of all
/// windows to find the next of the whole. Both bound the time of one answer. More than the 1,440
/// minutes of a day, so that a window of every minute of an hour or of a day has its end found.
const STEPS_MAX: usize = 1_500;

/// The longest a window lasts: a week. What lasts longer is a suspension, which says why.
const DURATION_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Around a time, a change of clocks is looked for within this: more than any of our time moves them.
const SHIFT_TIME: Duration = Duration::from_secs(3 * 3_600);

/// Whether a window lets writes through or holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// Writes happen only inside one of these, when there is any.
    Allow,
    /// Nothing is written inside it, whatever else allows it.
    Deny,
}

impl WindowKind {
    /// Returns the word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// One window.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    kind: WindowKind,
    schedule: CronSchedule,
    /// Whole minutes, from one minute to a week.
    duration: Duration,
    zone: TimeZone,
    /// As in the settings.
    text: String,
}

impl Window {
    /// Makes a window that begins as a cron expression says, in a zone such as `Europe/Berlin`.
    ///
    /// # Errors
    /// When the expression, the duration or the zone is none; a fragment.
    pub fn new(
        kind: WindowKind,
        schedule: &str,
        duration: Duration,
        zone: &str,
    ) -> Result<Self, String> {
        let parsed = CronSchedule::parse(schedule)
            .map_err(|error| format!("invalid cron expression `{schedule}`: {error}"))?;
        let is_whole = duration.as_secs().is_multiple_of(60) && duration.subsec_nanos() == 0;
        if !is_whole || duration.is_zero() || duration > DURATION_MAX {
            return Err("a window must last whole minutes, from 1m to 7d".to_owned());
        }
        let found = TimeZone::get(zone)
            .map_err(|_| format!("unknown time zone `{zone}`; write it as UTC or Europe/Berlin"))?;
        let minutes = duration.as_secs() / 60;
        let lasting = match (minutes / 60, minutes % 60) {
            (0, minutes) => format!("{minutes}m"),
            (hours, 0) => format!("{hours}h"),
            (hours, minutes) => format!("{hours}h{minutes}m"),
        };
        let text = format!("{} `{schedule}` for {lasting} ({zone})", kind.as_str());
        Ok(Self { kind, schedule: parsed, duration, zone: found, text })
    }

    /// Whether it lets writes through or holds them.
    #[must_use]
    pub const fn kind(&self) -> WindowKind {
        self.kind
    }

    /// Returns until when it is active, overlapping repetitions joined; `None` when it is not.
    /// A search that was given up answers with a time beyond the horizon.
    fn active_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut end = self.last_end(now).filter(|end| *end > now)?;
        for _ in 0..STEPS_MAX {
            let further = self.last_end(end).filter(|further| *further > end);
            let Some(further) = further else { return Some(end) };
            end = further;
            if end > later(now, HORIZON) {
                return Some(end);
            }
        }
        Some(Timestamp::MAX)
    }

    /// Returns the end of the last repetition that has begun by a time.
    fn last_end(&self, at: Timestamp) -> Option<Timestamp> {
        // Where the clocks were set back a moment ago, later local times have been already.
        let before = at.checked_sub(SHIFT_TIME).unwrap_or(at);
        let latest = self.local_by(at, before).max(self.local_by(at, at));
        let days = i64::try_from(self.duration.as_secs() / 86_400).unwrap_or(0) + 2;
        let starts = (0..=days).flat_map(|back| {
            let hour_last = if back == 0 { latest.hour() } else { 23 };
            self.schedule.times(shifted(latest, -back.days()).date(), 0..=hour_last).rev()
        });
        let starts = starts.skip_while(|start| *start > latest);
        let mut begun = starts.filter_map(|start| self.instant(start)).filter(|start| *start <= at);
        begun.next().map(|start| later(start, self.duration))
    }

    /// Returns the next beginning after a time, within the horizon.
    fn next_start(&self, after: Timestamp) -> Option<Timestamp> {
        // Where the clocks are set back in a moment, earlier local times come again.
        let soon = later(after, SHIFT_TIME);
        let earliest = self.local_by(after, soon).min(self.local_by(after, after));
        let days = i64::try_from(HORIZON.as_secs() / 86_400).unwrap_or(0) + 1;
        let starts = (0..=days).flat_map(|ahead| {
            let hour_first = if ahead == 0 { earliest.hour() } else { 0 };
            self.schedule.times(shifted(earliest, ahead.days()).date(), hour_first..=23)
        });
        let starts = starts.skip_while(|start| *start < earliest);
        starts.filter_map(|start| self.instant(start)).find(|start| *start > after)
    }

    /// Returns a time as the clocks would show it if they were set as at another.
    fn local_by(&self, at: Timestamp, setting: Timestamp) -> DateTime {
        self.zone.to_offset(setting).to_datetime(at)
    }

    /// Returns the moment of a local time. Never runs backwards as local times rise, which is what
    /// lets a search stop at the first fit.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, after: _ } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { before: _, after } => {
                // By the later offset the skipped time lies before the change.
                let before_change = after.to_timestamp(local).ok()?;
                self.zone.following(before_change).next().map(|change| change.timestamp())
            }
        }
    }
}

/// A window as in the settings: `allow \`0 9 * * 1-5\` for 8h (Europe/Berlin)`.
impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// All windows of one project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows(Vec<Window>);

impl From<Vec<Window>> for Windows {
    fn from(windows: Vec<Window>) -> Self {
        Self(windows)
    }
}

impl Windows {
    /// Returns the windows in the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = &Window> {
        self.0.iter()
    }

    /// Whether it may write: always without windows; never inside a deny; and where there are
    /// allows, only inside one.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.judge(now).0
    }

    /// Returns whether it may write, why, and when that changes; `None` where there are no windows.
    ///
    /// `until` is absent when nothing changes within eight weeks.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> Option<WindowState> {
        if self.0.is_empty() {
            return None;
        }
        let (open, because) = self.judge(now);
        Some(WindowState { open, because, until: self.changes_after(now, open) })
    }

    fn judge(&self, now: Timestamp) -> (bool, String) {
        let active = |kind: WindowKind| {
            let of_kind = self.0.iter().filter(move |window| window.kind == kind);
            of_kind.into_iter().find(|window| window.last_end(now).is_some_and(|end| end > now))
        };
        if let Some(deny) = active(WindowKind::Deny) {
            return (false, deny.to_string());
        }
        if let Some(allow) = active(WindowKind::Allow) {
            return (true, allow.to_string());
        }
        match self.0.iter().any(|window| window.kind == WindowKind::Allow) {
            true => (false, "outside every allow window".to_owned()),
            false => (true, "outside every deny window".to_owned()),
        }
    }

    /// Walks from edge to edge of single windows until the whole changes.
    fn changes_after(&self, now: Timestamp, open: bool) -> Option<Timestamp> {
        let mut at = now;
        for _ in 0..STEPS_MAX {
            let edges = self
                .0
                .iter()
                .filter_map(|window| window.active_until(at).or_else(|| window.next_start(at)));
            at = edges.min().filter(|edge| *edge <= later(now, HORIZON))?;
            if self.is_open(at) != open {
                return Some(at);
            }
        }
        None
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Moves a local time; at the end of all time it stays.
fn shifted(local: DateTime, by: Span) -> DateTime {
    local.checked_add(by).unwrap_or(local)
}

#[cfg(test)]
mod tests;
