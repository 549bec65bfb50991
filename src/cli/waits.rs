//! Says that a run waits for the request limit: a minute of silence looks like a program that hangs.

use std::convert::Infallible;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::api::Wait;
use crate::clock::Clock;

use super::context::Context;

/// How often the countdown moves.
const SECOND: Duration = Duration::from_secs(1);

/// A shorter wait is not worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(3);

/// After this long without anything left somebody else uses the limit up, or it is another one: a
/// window is a minute.
const WORTH_A_REASON: Duration = Duration::from_secs(120);

/// Tells of each wait once. It never ends by itself.
pub async fn tell(context: &Context) -> Infallible {
    let clock = Clock::system();
    let mut waits = context.waits.subscribe();
    // One may have begun before anybody listened.
    waits.mark_changed();
    let mut told_until = None;
    loop {
        if waits.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let (now, wait) = (clock.now(), *waits.borrow_and_update());
        // Many requests wait together; the first one speaks for them all.
        let is_told = told_until.is_some_and(|told| now < told);
        let Some((wait, words)) = wait.filter(|_| !is_told).and_then(|wait| words(wait, now))
        else {
            continue;
        };
        told_until = Some(wait.until);
        let Some(line) = Countdown::begin(context) else {
            // In a log one line is enough, and more are noise.
            context.output.note(&words);
            continue;
        };
        while let Some((_, words)) = self::words(wait, clock.now()) {
            line.say(&words);
            clock.sleep_until(clock.now().checked_add(SECOND).unwrap_or(wait.until)).await;
        }
    }
}

/// One line on a terminal that counts down; it goes when the wait is nearly over.
struct Countdown(ProgressBar);

impl Countdown {
    /// Begins on a terminal that can move; elsewhere there is none.
    fn begin(context: &Context) -> Option<Self> {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{msg}");
        bar.set_style(style.expect("the template is a constant and well formed"));
        (context.output.is_watched() && !bar.is_hidden()).then_some(Self(bar))
    }

    fn say(&self, words: &str) {
        self.0.set_message(words.to_owned());
        self.0.tick();
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Returns what is said of a wait, where it is worth a word.
fn words(wait: Wait, now: Timestamp) -> Option<(Wait, String)> {
    let Wait { until, short_since } = wait;
    let left = Duration::try_from(until.duration_since(now)).ok()?;
    if left <= WORTH_A_WORD {
        return None;
    }
    let waiting = format!("waiting {} s for the request limit", left.as_secs() + 1);
    let short = short_since.and_then(|since| Duration::try_from(now.duration_since(since)).ok());
    let words = match short.filter(|short| *short >= WORTH_A_REASON) {
        Some(short) => format!(
            "{waiting}: the API has reported it as used up for {} minutes; another client may use \
             it, or it is lower than --rate",
            short.as_secs() / 60
        ),
        None => waiting,
    };
    Some((wait, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(until: &str, short_since: Option<&str>) -> String {
        let at = |text: &str| format!("2026-11-24T{text}Z").parse::<Timestamp>().unwrap();
        let wait = Wait { until: at(until), short_since: short_since.map(at) };
        words(wait, at("12:00:00")).map(|(_, words)| words).unwrap_or_default()
    }

    #[test]
    fn a_wait_is_told_and_a_lasting_shortage_with_its_reason() {
        assert_eq!(check("12:00:02", None), "");
        assert_eq!(check("12:00:29", None), "waiting 30 s for the request limit");
        assert_eq!(check("12:00:29", Some("11:59:00")), "waiting 30 s for the request limit");
        let told = check("12:00:29", Some("11:53:00"));
        assert!(told.contains("has reported it as used up for 7 minutes"), "{told}");
    }
}
