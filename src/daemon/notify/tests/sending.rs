//! How notices are sent: tries, queues, and the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;

use super::super::{Notified, Notifier};
use super::{SYNCED, at, sink, status};
use crate::api::{BodyStream, Transport, TransportError};
use crate::clock::Clock;

/// A transport that answers by a script and remembers when it was asked for what.
struct Scripted {
    answers: Mutex<Vec<Answer>>,
    asked: Mutex<Vec<(Timestamp, String)>>,
    clock: Clock,
}

#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    /// Too busy, for so many seconds.
    Busy(u32),
    Lost,
    Never,
}

impl Transport for Scripted {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        self.asked.lock().unwrap().push((self.clock.now(), body));
        let answer = self.answers.lock().unwrap().pop().unwrap_or(Answer::Status(200));
        async move {
            match answer {
                Answer::Status(status) => {
                    let body: BodyStream = stream::empty().boxed();
                    Ok(http::Response::builder().status(status).body(body).unwrap())
                }
                Answer::Busy(seconds) => {
                    let body: BodyStream = stream::empty().boxed();
                    let answer = http::Response::builder().status(429);
                    Ok(answer.header("retry-after", seconds).body(body).unwrap())
                }
                Answer::Lost => Err(TransportError::lost("reset")),
                Answer::Never => std::future::pending().await,
            }
        }
        .boxed()
    }
}

/// A notifier for one webhook, with answers in the order they are given.
fn notifier(answers: &[Answer]) -> (Notifier, Arc<Scripted>) {
    let clock = Clock::starting_at(at(0));
    let answers = Mutex::new(answers.iter().rev().copied().collect());
    let scripted = Arc::new(Scripted { answers, asked: Mutex::default(), clock: clock.clone() });
    let transport: Arc<dyn Transport> = Arc::clone(&scripted) as Arc<dyn Transport>;
    let sinks = vec![sink("webhook")];
    (Notifier::start("shop", sinks, Notified::default(), &transport, &clock), scripted)
}

impl Scripted {
    fn seconds(&self) -> Vec<i64> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(when, _)| when.duration_since(at(0)).as_secs()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_tried_three_times_and_told_after_the_next_pass() {
    let (notifier, asked) = notifier(&[Answer::Lost, Answer::Never, Answer::Status(503)]);
    let untold = notifier.untold();
    assert_eq!(untold()["webhook"], 0);
    notifier.tell(&status("a", SYNCED));
    notifier.tell(&status("a", SYNCED));
    tokio::time::sleep(Duration::from_secs(60)).await;
    // 1 s after the first; 10 s of silence and 5 s after the second.
    assert_eq!(asked.seconds(), [0, 1, 16]);
    assert_eq!(notifier.told().borrow().get("webhook"), None);
    assert_eq!(untold()["webhook"], 1, "three tries are one notice");
    notifier.tell(&status("a", SYNCED));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(asked.seconds(), [0, 1, 16, 60]);
    assert!(notifier.told().borrow().get("webhook").is_some());
    notifier.tell(&status("a", SYNCED));
    notifier.finish(Duration::from_secs(5)).await;
    assert_eq!(asked.seconds().len(), 4, "it was told already");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_says_how_long_it_is_busy_is_left_alone_so_long_within_reason() {
    let (notifier, asked) = notifier(&[Answer::Busy(40), Answer::Busy(86_400)]);
    notifier.tell(&status("a", SYNCED));
    tokio::time::sleep(Duration::from_secs(400)).await;
    assert_eq!(asked.seconds(), [0, 40, 160]);
    notifier.finish(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_and_a_redirect_are_not_tried_again() {
    for status_code in [404, 301] {
        let (notifier, asked) = notifier(&[Answer::Status(status_code)]);
        for _ in 0..3 {
            notifier.tell(&status("a", SYNCED));
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert_eq!(asked.seconds(), [0]);
        assert_eq!(notifier.untold()()["webhook"], 1);
        notifier.tell(&status("b", SYNCED));
        notifier.finish(Duration::from_secs(5)).await;
        assert_eq!(asked.seconds(), [0, 180], "a new state may fare better");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_holds_nobody_and_loses_its_oldest_notices() {
    let (notifier, asked) = notifier(&[Answer::Never; 3]);
    for number in 0..40 {
        notifier.tell(&status(&format!("commit-{number}"), SYNCED));
    }
    assert_eq!(asked.seconds(), [0_i64; 0], "telling waits for nothing");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let bodies: Vec<String> =
        asked.asked.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    // The first three are tries of the oldest that was left; then each of the rest once.
    assert_eq!(bodies.len(), 3 + 31);
    assert!(bodies[0].contains("commit-8\""), "{}", bodies[0]);
    assert!(bodies.last().unwrap().contains("commit-39\""));
    // The eight that waited too long, and the one that was tried.
    assert_eq!(notifier.untold()()["webhook"], 9);
    notifier.finish(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_what_is_on_its_way_but_not_for_ever() {
    let (quick, asked) = notifier(&[]);
    quick.tell(&status("a", SYNCED));
    quick.finish(Duration::from_secs(5)).await;
    assert_eq!(asked.seconds(), [0]);
    let (slow, asked) = notifier(&[Answer::Never]);
    let begun = tokio::time::Instant::now();
    slow.tell(&status("a", SYNCED));
    slow.finish(Duration::from_secs(5)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert_eq!(asked.seconds(), [0]);
}
