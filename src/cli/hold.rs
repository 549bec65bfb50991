//! The right to write the state: in whose name it is taken, and how long a command waits for it.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::store::{Medium, Store, StoreError};

use super::code::ErrorCode;
use super::context::Context;
use super::failure::Failure;

/// The time between two tries.
const RETRY: Duration = Duration::from_millis(200);

/// Says who writes, for whoever finds the state locked: the command, its process and machine, and
/// since when it runs.
pub fn holder(command: &str, since: Timestamp) -> String {
    // Where the system does not tell, the process alone says which it is on this machine.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => String::new(),
        host => format!(" on {host}"),
    };
    format!("stoker {command} (pid {}{host}, since {since:.0})", std::process::id())
}

/// Takes the right to write, and waits for it as long as `--lock-timeout` allows and the run may
/// take.
///
/// # Errors
/// When somebody else holds it to the end; when the state cannot be written.
pub async fn hold(
    context: &Context,
    state: &Medium,
    command: &str,
    deadline: Option<Timestamp>,
) -> Result<Store, Failure> {
    let clock = Clock::system();
    let holder = holder(command, clock.now());
    let patience = clock.now().checked_add(context.global.lock_timeout).unwrap_or(Timestamp::MAX);
    let until = deadline.map_or(patience, |deadline| patience.min(deadline));
    let mut is_told = false;
    loop {
        match state.open(&holder) {
            Err(StoreError::Locked { holder, .. }) if clock.now() < until => {
                if !std::mem::replace(&mut is_told, true) {
                    context.output.note(&format!("Waiting for the state: {holder} holds it."));
                }
                clock.sleep_until(until.min(clock.now() + RETRY)).await;
            }
            Err(StoreError::Locked { holder, .. }) if deadline.is_some_and(|it| it <= until) => {
                let message = format!("the time ran out while {holder} held the state");
                let failure = Failure::new(ErrorCode::Timeout, message);
                return Err(failure.hint("allow more time with --timeout"));
            }
            outcome => return Ok(outcome?),
        }
    }
}
