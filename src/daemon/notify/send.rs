//! Sending notices: each sink has a task and a short queue of its own.
//!
//! Nothing here is waited for by the loop. A sink that does not answer loses its oldest notices,
//! and delays nobody else.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::api::{Transport, retry_after};
use crate::clock::Clock;
use crate::status::ProjectStatus;

use super::notice::{Notice, Notified, decide};
use super::request::request;
use super::sink::{Sink, SinkTarget};

/// How long one try may take; a mail is a conversation, and servers let strangers wait.
const TRY_TIME_MAX: Duration = Duration::from_secs(10);
const MAIL_TIME_MAX: Duration = Duration::from_secs(90);

/// How long is waited before the second and the third try; there is no fourth.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How many notices may wait for one sink. More than that are old news.
const QUEUE_MAX: usize = 32;

/// Tells the sinks of one project how it stands.
pub struct Notifier {
    sinks: Vec<Sink>,
    memory: Arc<Memory>,
    posts: Vec<Post>,
}

/// What was told, and what is on its way.
struct Memory {
    project: String,
    /// Told for good; watched by who keeps it over restarts.
    told: watch::Sender<Notified>,
    /// Told, or waiting in a queue.
    begun: Mutex<Notified>,
    /// How many notices of each sink reached nobody.
    untold: Mutex<BTreeMap<String, u64>>,
}

/// One sink's queue and task.
struct Post {
    queue: Arc<Queue>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    notices: VecDeque<Notice>,
    is_ending: bool,
}

/// What came of sending one notice.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sent {
    /// It was taken.
    Taken,
    /// It was refused for good: the same again would be refused again.
    Refused(String),
    /// It was lost; a later state is told anew. The sink may have said how long to wait; of that two
    /// minutes at most are heard.
    Lost(String, Option<Duration>),
}

impl Notifier {
    /// Begins to serve the sinks of a project; `told` is what [`Self::told`] said last time.
    ///
    /// *Assumes* a running tokio runtime. The transport follows no redirect.
    #[must_use]
    pub fn start(
        project: &str,
        sinks: Vec<Sink>,
        told: Notified,
        transport: &Arc<dyn Transport>,
        clock: &Clock,
    ) -> Self {
        let memory = Arc::new(Memory {
            project: project.to_owned(),
            begun: Mutex::new(told.clone()),
            untold: Mutex::new(sinks.iter().map(|sink| (sink.name.clone(), 0)).collect()),
            told: watch::Sender::new(told),
        });
        let posts = sinks.iter().map(|sink| {
            let queue = Arc::new(Queue::default());
            let carrier = Carrier {
                sink: sink.clone(),
                queue: Arc::clone(&queue),
                memory: Arc::clone(&memory),
                transport: Arc::clone(transport),
                clock: clock.clone(),
            };
            Post { queue, task: tokio::spawn(carrier.carry()) }
        });
        let posts = posts.collect();
        Self { sinks, memory, posts }
    }

    /// Tells whoever does not know yet how the project stands. Returns at once.
    pub fn tell(&self, status: &ProjectStatus) {
        let mut begun = self.memory.begun.lock().unwrap_or_else(PoisonError::into_inner);
        for notice in decide(status, &self.sinks, &begun) {
            begun.note(&notice);
            let places = self.sinks.iter().zip(&self.posts);
            for (_, post) in places.filter(|(sink, _)| sink.name == notice.sink) {
                if post.queue.push(notice.clone()).is_some() {
                    self.memory.count_untold(&notice.sink);
                }
            }
        }
    }

    /// Returns what was told for good, to be kept over restarts; it changes as notices arrive.
    #[must_use]
    pub fn told(&self) -> watch::Receiver<Notified> {
        self.memory.told.subscribe()
    }

    /// Returns what tells how many notices of each sink reached nobody.
    pub fn untold(&self) -> impl Fn() -> BTreeMap<String, u64> + Send + Sync + use<> {
        let memory = Arc::clone(&self.memory);
        move || memory.untold.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the queues run empty, for so long at most, and ends the tasks.
    pub async fn finish(self, time_max: Duration) {
        for post in &self.posts {
            post.queue.end();
        }
        let aborts: Vec<_> = self.posts.iter().map(|post| post.task.abort_handle()).collect();
        let all = async {
            for post in self.posts {
                // A task that panicked has ended, too; its notices are lost with it.
                let _ = post.task.await;
            }
        };
        if tokio::time::timeout(time_max, all).await.is_err() {
            tracing::warn!(project = self.memory.project, "notifications were still on their way");
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
    }
}

impl Queue {
    /// Adds a notice; the oldest of too many is dropped, and returned.
    fn push(&self, notice: Notice) -> Option<Notice> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = waiting.notices.len() == QUEUE_MAX;
        let dropped = if is_full { waiting.notices.pop_front() } else { None };
        if let Some(old) = &dropped {
            tracing::warn!(
                project = old.project,
                sink = old.sink,
                reason = old.reason.as_str(),
                "a notification was dropped: too many are waiting"
            );
        }
        waiting.notices.push_back(notice);
        drop(waiting);
        self.news.notify_one();
        dropped
    }

    fn end(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_ending = true;
        self.news.notify_one();
    }

    /// Waits for the next notice; `None` when there will be none.
    async fn next(&self) -> Option<Notice> {
        loop {
            {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(notice) = waiting.notices.pop_front() {
                    return Some(notice);
                }
                if waiting.is_ending {
                    return None;
                }
            }
            self.news.notified().await;
        }
    }
}

/// Carries the notices of one sink.
struct Carrier {
    sink: Sink,
    queue: Arc<Queue>,
    memory: Arc<Memory>,
    transport: Arc<dyn Transport>,
    clock: Clock,
}

impl Carrier {
    async fn carry(self) {
        while let Some(notice) = self.queue.next().await {
            let sent = self.send(&notice).await;
            self.memory.note(&notice, &sent);
        }
    }

    /// Sends a notice, three times at most.
    async fn send(&self, notice: &Notice) -> Sent {
        let mut sent = self.try_once(notice).await;
        for wait in WAITS {
            let Sent::Lost(_, asked) = &sent else { break };
            tokio::time::sleep(asked.unwrap_or(wait).max(wait)).await;
            sent = self.try_once(notice).await;
        }
        sent
    }

    async fn try_once(&self, notice: &Notice) -> Sent {
        if let SinkTarget::Mail(mailbox) = &self.sink.target {
            let link = self.sink.link.as_deref();
            return match tokio::time::timeout(MAIL_TIME_MAX, mailbox.send(notice, link)).await {
                Err(_) => Sent::Lost("the server took longer than 90 s".to_owned(), None),
                Ok(Ok(())) => Sent::Taken,
                Ok(Err(error)) if error.is_final => Sent::Refused(error.to_string()),
                Ok(Err(error)) => Sent::Lost(error.to_string(), None),
            };
        }
        let request = match request(&self.sink, notice, self.clock.now()) {
            Ok(request) => request,
            Err(error) => return Sent::Refused(format!("it cannot be sent as a request: {error}")),
        };
        match tokio::time::timeout(TRY_TIME_MAX, self.transport.send(request)).await {
            Err(_) => Sent::Lost("no answer within 10 s".to_owned(), None),
            Ok(Err(error)) => Sent::Lost(error.to_string(), None),
            Ok(Ok(answer)) => judge(answer.status(), answer.headers(), self.clock.now()),
        }
    }
}

/// Reads an answer by its head alone: the body is foreign text that nobody needs.
fn judge(status: http::StatusCode, headers: &HeaderMap, now: Timestamp) -> Sent {
    let is_passing = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    if status.is_success() {
        Sent::Taken
    } else if is_passing {
        let wait = retry_after(headers, now);
        Sent::Lost(format!("the answer was {status}"), wait)
    } else {
        Sent::Refused(format!("the answer was {status}"))
    }
}

impl Memory {
    fn count_untold(&self, sink: &str) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        *untold.entry(sink.to_owned()).or_default() += 1;
    }

    /// Remembers what came of a notice.
    fn note(&self, notice: &Notice, sent: &Sent) {
        let (project, sink) = (&self.project, &notice.sink);
        if *sent != Sent::Taken {
            self.count_untold(sink);
        }
        match sent {
            Sent::Taken => tracing::debug!(project, sink, reason = notice.reason.as_str(), "told"),
            // Told all the same: the next state may fare better, this one would not.
            Sent::Refused(why) => {
                tracing::warn!(
                    project,
                    sink,
                    reason = notice.reason.as_str(),
                    why,
                    "the notification was not delivered"
                );
            }
            Sent::Lost(why, _) => {
                tracing::warn!(
                    project,
                    sink,
                    reason = notice.reason.as_str(),
                    why,
                    "the notification was not delivered; it is retried after the next pass"
                );
                let told = self.told.borrow().clone();
                let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
                begun.restore(sink, &told);
                return;
            }
        }
        self.told.send_modify(|told| told.note(notice));
    }
}
