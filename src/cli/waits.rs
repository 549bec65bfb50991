//! Says that a run waits for the request limit: a minute of silence looks like a program that hangs.

use std::convert::Infallible;
use std::time::Duration;

use crate::clock::Clock;

use super::run::Run;

/// A shorter wait is not worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(3);

/// Tells of each wait once. It never ends by itself.
pub async fn tell(run: &Run) -> Infallible {
    let clock = Clock::system();
    let mut waits = run.waits.subscribe();
    let mut told_until = None;
    loop {
        if waits.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let (now, until) = (clock.now(), *waits.borrow_and_update());
        // Many requests wait together; the first one speaks for them all.
        let is_told = told_until.is_some_and(|told| now < told);
        let left = until.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
        if let Some(left) = left.filter(|left| *left > WORTH_A_WORD && !is_told) {
            told_until = until;
            let seconds = left.as_secs() + 1;
            run.output.note(&format!("waiting {seconds} s for the request limit"));
        }
    }
}
