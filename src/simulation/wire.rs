//! Between a process and the platform: every request is noted, takes its time, and may be the one
//! in which the process dies.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Method;

use crate::api::{BodyStream, Transport, TransportError};
use crate::sandbox::SandboxTransport;

use super::dice::mix;
use super::process::Process;
use super::schedule::Moment;
use super::witness::{Mark, ProcessLife};

/// How long an answer may take, in milliseconds.
pub(super) const LATENCY_MS_MAX: u64 = 400;

/// The longest that anybody is to be obeyed who asks to be left alone, in seconds: nobody can stop
/// an agent for good.
const TOLD_SECONDS_MAX: u64 = 120;

/// Carries the requests of one run.
pub(super) struct Wire {
    pub process: Arc<Process>,
    pub run: ProcessLife,
    pub inner: SandboxTransport,
}

impl Transport for Wire {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            let fate = self.process.count_request(self.run);
            if self.process.is_over(self.run) || fate == Some(Moment::Before) {
                return std::future::pending().await;
            }
            let is_create = request.method() == Method::POST;
            let number = self.note(&request);
            let answer = self.inner.send(request).await;
            if fate == Some(Moment::After) {
                self.process.die(self.run);
                return std::future::pending().await;
            }
            let world = &self.process.world;
            let drawn = mix(u64::try_from(number).unwrap_or(0));
            let latency = mix(world.seed ^ drawn) % LATENCY_MS_MAX;
            tokio::time::sleep(Duration::from_millis(latency)).await;
            if is_create {
                world.mark(Mark::Heard { number });
            }
            if let Some(wait_ms) = answer.as_ref().ok().and_then(told_to_wait)
                && !self.process.is_over(self.run)
            {
                world.mark(Mark::Told { run: self.run, wait_ms });
            }
            answer
        })
    }
}

/// Returns how long a refusal asks to be left alone, in milliseconds, where it says so in seconds; of
/// several, the longest.
fn told_to_wait(answer: &http::Response<BodyStream>) -> Option<u64> {
    if answer.status() != http::StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let values = answer.headers().get_all(http::header::RETRY_AFTER).iter();
    let seconds = values.filter_map(|value| value.to_str().ok()?.parse::<u64>().ok());
    seconds.max().map(|seconds| seconds.min(TOLD_SECONDS_MAX) * 1_000)
}

impl Wire {
    /// Notes a request, and returns the number of its mark.
    fn note(&self, request: &http::Request<Bytes>) -> usize {
        let is_write = request.method() != Method::GET;
        let body: Option<serde_json::Value> =
            is_write.then(|| serde_json::from_slice(request.body()).ok()).flatten();
        let text = String::from_utf8_lossy(if is_write { request.body() } else { &[] });
        let world = &self.process.world;
        let has_secret =
            |text: &str| world.scene.secrets.iter().any(|it| text.contains(it.as_str()));
        // An address stands in logs that are not ours; a secret leaves in bodies only (S9).
        if world.scene.ears.hear(&request.uri().to_string()) {
            world.mark(Mark::Leaked { place: "the address of a request".to_owned() });
        }
        let carries_secret = has_secret(&text);
        world.mark(Mark::Sent { run: self.run, body: body.map(Arc::new), carries_secret });
        world.marks().len() - 1
    }
}
