//! Events, live or as a list.
//!
//! A listener is sent the whole status of each project, then the status whenever it changed and
//! each event as it happens. It is a reader of what is kept anyway: one that is slow reads later,
//! one that is too slow is told what it lost, and none makes anything grow.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::answer::{HttpFailure, json_response};
use super::projects::{Projects, ServedProject};
use super::resume::{Cursor, ResumePoint};
use super::shared::ServerState;
use crate::clock::Clock;
use crate::model::Name;
use crate::status::{Event, ProjectStatus};

/// The least time between two statuses of one project: four a second is live to the eye.
const STATUS_INTERVAL: SignedDuration = SignedDuration::from_millis(250);

/// How often a silent stream shows that it is alive; proxies give up after 30 s or more.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many events a list holds at most, the newest of all projects.
const LISTED_MAX: usize = 1_000;

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct EventsQuery {
    project: Option<String>,
    format: Option<Format>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
}

/// An event with the project it belongs to.
#[derive(Serialize)]
struct Told<'a> {
    project: &'a Name,
    #[serde(flatten)]
    event: &'a Event,
}

/// Answers with a stream of events, or with a list of the last ones.
pub(super) async fn events(
    State(shared): State<ServerState>,
    query: Result<Query<EventsQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, HttpFailure> {
    let Query(EventsQuery { project, format }) = query?;
    let chosen = shared.chosen(project.as_deref())?;
    if matches!(format, Some(Format::Json)) || prefers_json(&headers) {
        return Ok(list(&chosen));
    }
    let busy = |_| HttpFailure::busy("too many clients already listen to events");
    let permit = Arc::clone(&shared.listeners).try_acquire_owned().map_err(busy)?;
    let cursor = headers.get("last-event-id").and_then(|value| Cursor::parse(value.to_str().ok()?));
    let frames = follow(&chosen, cursor.as_ref(), &shared.clock);
    let frames = frames.take_until(shared.closing.begun()).map(move |frame| {
        // The place is held as long as somebody listens.
        let _held = &permit;
        Ok::<_, Infallible>(frame.written())
    });
    let live = Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // nginx would collect what is meant to be live.
    Ok(([("x-accel-buffering", "no")], live).into_response())
}

/// Whether JSON is asked for and a stream is not.
fn prefers_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| {
        accepted.contains("application/json") && !accepted.contains("text/event-stream")
    })
}

/// Answers with the last events of all projects, oldest first.
fn list(projects: &Projects) -> Response {
    let mut told: Vec<(Name, Event)> = Vec::new();
    for (name, kept) in projects.iter() {
        told.extend(kept.handle.recent_events().into_iter().map(|event| (name.clone(), event)));
        told.sort_by_key(|(_, event)| event.at);
        // Cut after each project: many projects do not pile up.
        told.drain(..told.len().saturating_sub(LISTED_MAX));
    }
    let told: Vec<_> = told.iter().map(|(project, event)| Told { project, event }).collect();
    json_response(StatusCode::OK, &told)
}

/// One thing a listener is told.
#[derive(Debug)]
enum Frame {
    /// A project's status, whole.
    Status(Arc<ProjectStatus>),
    /// An event, and since when the agent lives in which it counts.
    Event(Name, Timestamp, Event),
    /// Some events are gone before the listener read them: how many, where that is known.
    Lost(Name, Option<u64>),
}

impl Frame {
    /// Writes it in the form of server-sent events.
    fn written(&self) -> sse::Event {
        let written = match self {
            Self::Status(status) => {
                sse::Event::default().event("status").json_data(status.as_ref())
            }
            Self::Event(project, life, event) => {
                let id = Cursor::of(project, event.sequence, *life).to_string();
                let frame = sse::Event::default().event("event").id(id);
                frame.json_data(Told { project, event })
            }
            Self::Lost(project, count) => {
                let lost = serde_json::json!({"project": project, "count": count});
                sse::Event::default().event("lost").json_data(lost)
            }
        };
        written.expect("every value told here is made of maps with text keys")
    }
}

/// Follows projects from where a listener left off.
fn follow(
    projects: &Projects,
    cursor: Option<&Cursor>,
    clock: &Clock,
) -> impl Stream<Item = Frame> + Send + use<> {
    let since = cursor.and_then(|cursor| cursor.time_in(projects));
    let lines = projects.iter().map(|(name, kept)| {
        let line = Line::new(name, kept, clock, |recent, life| match cursor {
            None => ResumePoint::now(recent),
            Some(cursor) if cursor.is_of(name) => ResumePoint::after(cursor, recent, life),
            Some(_) => ResumePoint::since(since, recent),
        });
        let told = stream::unfold(line, |mut line| async { Some((line.next().await?, line)) });
        told.boxed()
    });
    stream::select_all(lines)
}

/// One project as one listener follows it.
struct Line {
    name: Name,
    kept: ServedProject,
    clock: Clock,
    status: watch::Receiver<Arc<ProjectStatus>>,
    events: broadcast::Receiver<Event>,
    /// The status to begin with.
    greeting: Option<Arc<ProjectStatus>>,
    start: ResumePoint,
    /// Before then no other status is told.
    quiet_until: Timestamp,
}

impl Line {
    fn new(
        name: &Name,
        kept: &ServedProject,
        clock: &Clock,
        start: impl Fn(Vec<Event>, Timestamp) -> ResumePoint,
    ) -> Self {
        // Listening comes first: what happens in between is heard twice and told once.
        let events = kept.handle.listen();
        let mut status = kept.handle.watch();
        let greeting = Arc::clone(&status.borrow_and_update());
        let start = start(kept.handle.recent_events(), greeting.started_at);
        Self {
            name: name.clone(),
            kept: kept.clone(),
            clock: clock.clone(),
            status,
            events,
            greeting: Some(greeting),
            start,
            quiet_until: clock.now() + STATUS_INTERVAL,
        }
    }

    /// Waits for the next thing to tell; none when the project's loop is gone.
    async fn next(&mut self) -> Option<Frame> {
        if let Some(status) = self.greeting.take() {
            return Some(Frame::Status(status));
        }
        loop {
            if let Some(lost) = self.start.lost.take() {
                return Some(Frame::Lost(self.name.clone(), lost.count()));
            }
            if let Some(event) = self.start.backlog.pop_front() {
                return Some(self.event(event));
            }
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) if event.sequence <= self.start.told => {}
                    Ok(event) => return Some(self.event(event)),
                    // More is kept than waits for a listener: perhaps nothing is lost.
                    Err(RecvError::Lagged(_)) => self.catch_up(),
                    Err(RecvError::Closed) => return None,
                },
                changed = change(&mut self.status, &self.clock, self.quiet_until) => {
                    let status = changed?;
                    self.quiet_until = self.clock.now() + STATUS_INTERVAL;
                    return Some(Frame::Status(status));
                }
            }
        }
    }

    fn event(&mut self, event: Event) -> Frame {
        self.start.told = event.sequence;
        Frame::Event(self.name.clone(), self.status.borrow().started_at, event)
    }

    fn catch_up(&mut self) {
        let recent: VecDeque<Event> = self.kept.handle.recent_events().into();
        self.start = ResumePoint::following(self.start.told, recent);
    }
}

/// Waits until the status changed, and not before a time: changes in between are one. None when
/// the loop that writes it is gone.
async fn change(
    status: &mut watch::Receiver<Arc<ProjectStatus>>,
    clock: &Clock,
    not_before: Timestamp,
) -> Option<Arc<ProjectStatus>> {
    clock.sleep_until(not_before).await;
    status.changed().await.ok()?;
    Some(Arc::clone(&status.borrow_and_update()))
}
