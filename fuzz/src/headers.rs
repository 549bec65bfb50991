//! Any rate and Retry-After headers: the rate is kept (S4), and nobody is kept waiting for ever.
//!
//! The input is the heads of answers, parted by empty lines; good answers without them follow.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::scripted::{Reply, Script, parts, quietly};

/// The most heads of one input.
const HEADS_MAX: usize = 16;

/// How many requests are made of good answers afterwards: more than fit into a minute.
const GOOD: usize = 300;

/// The rate of [`stoker::budget::Config::default`], requests in any minute.
const RATE: usize = 285;

/// The longest one request may take: refusals and a silent server included.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(3600);

/// The longest that all the good answers may take, once the trouble is over.
const RECOVERY_TIME_MAX: Duration = Duration::from_secs(4 * 3600);

/// Reads the project again and again under these headers.
pub fn headers(input: &[u8]) {
    let body = Bytes::from_static(br#"{"id":"prj_1","name":"acme"}"#);
    let with_body = |head| Reply { body: body.clone(), ..Reply::parse(head) };
    let heads: Vec<Reply> = parts(input, b"\n\n", HEADS_MAX).into_iter().map(with_body).collect();
    let count = heads.len();
    let good = Reply { status: 200, headers: Vec::new(), body: body.clone() };
    quietly(async {
        let script = Script::of(heads.into_iter().chain(std::iter::repeat_n(good, GOOD)));
        let reader = script.client().reader();
        while script.sent().len() < count {
            let (before, begun) = (script.sent().len(), Instant::now());
            let outcome = reader.project().await;
            assert!(begun.elapsed() <= REQUEST_TIME_MAX, "{:?}: {outcome:?}", begun.elapsed());
            assert!(script.sent().len() > before, "nothing was sent: {outcome:?}");
        }
        let begun = Instant::now();
        while script.sent().len() < count + GOOD {
            reader.project().await.expect("a good answer is read");
        }
        assert!(begun.elapsed() <= RECOVERY_TIME_MAX, "{:?}", begun.elapsed());
        let sent = script.sent();
        for window in sent.windows(RATE + 1) {
            let span = window[RATE].at - window[0].at;
            assert!(span >= Duration::from_secs(60), "{} requests in {span:?}", RATE + 1);
        }
    });
}
