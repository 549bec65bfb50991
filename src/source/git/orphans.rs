//! What git leaves behind when it is ended: children whose parent has gone.
//!
//! Where somebody else is process 1, it takes them in and buries them. In a container that is this
//! program itself, and what nobody waits for stays in the table of processes forever.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The processes that somebody here still waits for. Their end is not ours to hear.
static AWAITED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Notes that somebody waits for a process.
pub(crate) fn is_ours(id: Option<u32>) {
    awaited().extend(id);
}

/// Notes that nobody waits for a process any more.
pub(crate) fn left(id: Option<u32>) {
    if let Some(id) = id {
        awaited().remove(&id);
    }
}

fn awaited() -> std::sync::MutexGuard<'static, BTreeSet<u32>> {
    // Each change is whole after one statement.
    AWAITED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Buries every child of this process that has ended and that nobody waits for; returns how many.
#[cfg(target_os = "linux")]
pub fn bury() -> usize {
    use rustix::process::{Pid, WaitOptions, waitpid};
    let ended = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ended = ended.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let ended = ended.filter(|id| is_dead_child(*id));
    ended
        .filter(|id| {
            // Held to the end: whoever begins to wait meanwhile does so for another process.
            let awaited = awaited();
            let id = i32::try_from(*id).ok().filter(|_| !awaited.contains(id));
            // An error says that somebody else has buried it.
            id.and_then(Pid::from_raw)
                .is_some_and(|id| matches!(waitpid(Some(id), WaitOptions::NOHANG), Ok(Some(_))))
        })
        .count()
}

/// Buries nothing: only Linux has containers whose process 1 this program could be.
#[cfg(not(target_os = "linux"))]
pub const fn bury() -> usize {
    0
}

/// Whether a process has ended and is a child of this one: `number (name) Z parent …`.
#[cfg(target_os = "linux")]
fn is_dead_child(id: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(format!("/proc/{id}/stat")) else {
        return false;
    };
    // The name may hold anything, also a parenthesis.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut words = after_name.split_whitespace();
    words.next() == Some("Z") && words.next() == Some(std::process::id().to_string().as_str())
}
