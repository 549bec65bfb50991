//! What a process costs, as the kernel counts it.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The bytes of a page of memory on the machines this runs on.
const PAGE_KIB: u64 = 4;

/// What the threads of a process have used since the meter was made.
///
/// Threads come and go, and the kernel forgets them; so it is read often, and what each thread had
/// used when it was last seen is kept.
pub struct Meter {
    process: u32,
    first: BTreeMap<String, Used>,
    last: BTreeMap<String, Used>,
}

/// What one thread, or all of them, have used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Time on a processor.
    pub cpu: Duration,
    /// How often a thread waited and was woken.
    pub wake_ups: u64,
}

impl Meter {
    /// Begins to count.
    pub fn of(process: u32) -> Self {
        let first = threads(process);
        Self { process, last: first.clone(), first }
    }

    /// Reads what was used so far.
    pub fn read(&mut self) -> Used {
        self.last.extend(threads(self.process));
        let used = self.last.iter().map(|(thread, last)| {
            let first = self.first.get(thread).copied().unwrap_or_default();
            (last.cpu.saturating_sub(first.cpu), last.wake_ups - first.wake_ups)
        });
        used.fold(Used::default(), |sum, (cpu, wake_ups)| Used {
            cpu: sum.cpu + cpu,
            wake_ups: sum.wake_ups + wake_ups,
        })
    }
}

fn threads(process: u32) -> BTreeMap<String, Used> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| {
            // A thread may end while it is read.
            let schedule = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let status = fs::read_to_string(thread.path().join("status")).ok()?;
            let nanoseconds: u64 = schedule.split_whitespace().next()?.parse().ok()?;
            let wake_ups =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            let used = Used {
                cpu: Duration::from_nanos(nanoseconds),
                wake_ups: wake_ups.trim().parse().ok()?,
            };
            Some((thread.file_name().to_string_lossy().into_owned(), used))
        })
        .collect()
}

/// Returns how much memory a process has resident, in MiB.
pub fn resident_mib(process: u32) -> f64 {
    let statm = fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    (pages * PAGE_KIB) as f64 / 1_024.0
}

/// Returns how many threads a process has.
pub fn thread_count(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count)
}

/// Returns the value so many hundredths of all are not above.
pub fn percentile(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort();
    let last = times.len().saturating_sub(1);
    times[(times.len() * hundredths).div_ceil(100).saturating_sub(1).min(last)]
}

/// Writes a time for people.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
