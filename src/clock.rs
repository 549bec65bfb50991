//! What time it is, for the rooms that wait. Pure rooms are told; they never ask.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// Tells the time and waits for it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock, read once and from then on moved by the monotonic one: a wall clock
    /// that is set while we run moves no deadline and frees no budget (S4).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn system() -> Self {
        Self::starting_at(Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// A clock that starts at a given time and moves with the runtime's: on a paused runtime it
    /// moves only while everything waits.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        let origin = tokio::time::Instant::now();
        Self(Arc::new(move || {
            let elapsed = tokio::time::Instant::now().duration_since(origin);
            start.checked_add(elapsed).unwrap_or(Timestamp::MAX)
        }))
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }

    /// Waits until a time; returns at once when it is past.
    pub async fn sleep_until(&self, until: Timestamp) {
        let wait = until.duration_since(self.now());
        tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Clock")
    }
}

/// How long the machine has run: the same for all its processes, and set by nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// Which boot of which machine.
    pub boot: String,
    /// How long ago that was, suspensions included.
    pub elapsed: Duration,
}

impl Uptime {
    /// Asks the machine; nothing where it does not say, which only Linux does.
    #[must_use]
    pub fn of_machine() -> Option<Self> {
        #[cfg(target_os = "linux")]
        {
            let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
            let elapsed = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            let elapsed = Duration::try_from(elapsed).ok()?;
            Some(Self { boot: boot.trim().to_owned(), elapsed })
        }
        #[cfg(not(target_os = "linux"))]
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_machine_runs_on_and_remains_the_same() {
        let before = Uptime::of_machine().unwrap();
        let after = Uptime::of_machine().unwrap();
        assert_eq!(before.boot, after.boot);
        assert!(!before.boot.is_empty() && before.elapsed <= after.elapsed);
    }
}
