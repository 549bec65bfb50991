//! A run that dies where a test says: at a request, or at a line of the journal.
//!
//! A run does nothing to the world but send requests and write lines, each after the other. So to
//! die at a line is to send nothing once that line is there, and to find it cut afterwards.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::emulator::{Emulator, Faults};
use stoker::plan::Policy;
use stoker::source::Tree;
use tokio::sync::{Notify, watch};

use crate::stage::Stage;

/// Where a run dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// At a request, counted from 1.
    Request(usize, Moment),
    /// At a line of the journal, counted from 1 in this run.
    Write(usize, Cut),
    /// Nowhere: at a request somebody asks for an orderly end.
    Asked(usize),
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It never leaves.
    Before,
    /// It left, and is carried out half a minute after the process died.
    Sent,
    /// It is carried out, and its answer never comes.
    Applied,
}

/// How far a write of the state came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing of it is on disk.
    Before,
    /// The first half is.
    Inside,
    /// All of it is but the line break.
    Unbroken,
    /// All of it is, and nothing was done after it.
    After,
}

/// Carries requests until the process dies.
struct Mortal {
    inner: Arc<dyn Transport>,
    emulator: Emulator,
    point: Point,
    requests: AtomicUsize,
    is_dead: AtomicBool,
    /// The method of the request at which it died.
    method: Mutex<http::Method>,
    journal: Journal,
    died: Notify,
    stop: watch::Sender<bool>,
}

impl Mortal {
    /// Carries a request, or nothing any more when the process died at it.
    async fn carry(
        &self,
        request: http::Request<Bytes>,
    ) -> Option<Result<http::Response<BodyStream>, TransportError>> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        match self.point {
            Point::Write(line, _) if self.journal.lines() >= line => None,
            Point::Request(at, moment) if at == number => {
                *self.method.lock().unwrap() = request.method().clone();
                match moment {
                    Moment::Before => {}
                    Moment::Sent => {
                        let late = Faults::parse("apply-late:30000@* **#1").unwrap();
                        self.emulator.play(late);
                        // Nobody is left to wait for what comes of it.
                        let sent = self.inner.send(request);
                        drop(tokio::time::timeout(std::time::Duration::from_millis(1), sent).await);
                        self.emulator.play(Faults::default());
                    }
                    Moment::Applied => drop(self.inner.send(request).await),
                }
                None
            }
            Point::Asked(at) if at == number => {
                self.stop.send_replace(true);
                Some(self.inner.send(request).await)
            }
            Point::Request(..) | Point::Write(..) | Point::Asked(_) => {
                Some(self.inner.send(request).await)
            }
        }
    }
}

impl Transport for Mortal {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            if !self.is_dead.load(Ordering::SeqCst) {
                if let Some(answer) = self.carry(request).await {
                    return answer;
                }
                self.is_dead.store(true, Ordering::SeqCst);
                self.died.notify_one();
            }
            std::future::pending().await
        })
    }
}

/// The journal of a state directory, as the files show it.
struct Journal {
    file: PathBuf,
    lines_before: usize,
}

impl Journal {
    fn of(directory: &Path) -> Self {
        let file = directory.join("journal-0.ndjson");
        let mut journal = Self { file, lines_before: 0 };
        journal.lines_before = journal.lines();
        journal
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap_or_default()
    }

    /// How many lines this run has written.
    fn lines(&self) -> usize {
        self.text().lines().count() - self.lines_before
    }

    /// Leaves what a death at a line of this run would have left.
    fn cut(&self, line: usize, cut: Cut) {
        let text = self.text();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (whole, rest) = lines.split_at(self.lines_before + line - 1);
        let torn = match cut {
            Cut::Before => "",
            Cut::Inside => &rest[0][..rest[0].len() / 2],
            Cut::Unbroken => rest[0].trim_end(),
            Cut::After => rest[0],
        };
        std::fs::write(&self.file, whole.concat() + torn).unwrap();
    }
}

/// What became of a run that was to die.
pub struct Death {
    pub has_died: bool,
    /// The request at which it died, if it was one.
    pub method: http::Method,
}

/// Applies until the run dies; says whether it did.
pub async fn die(stage: &mut Stage, tree: &Tree, policy: &Policy, point: Point) -> Death {
    let inner = Arc::clone(&stage.transport);
    let mortal = Arc::new(Mortal {
        inner: Arc::clone(&inner),
        emulator: stage.emulator.clone(),
        point,
        requests: AtomicUsize::new(0),
        is_dead: AtomicBool::new(false),
        method: Mutex::default(),
        journal: Journal::of(stage.directory.path()),
        died: Notify::new(),
        stop: stage.stop.clone(),
    });
    stage.transport = Arc::<Mortal>::clone(&mortal);
    let mut has_died = tokio::select! {
        biased;
        () = mortal.died.notified() => true,
        done = stage.try_apply(tree, policy) => { done.unwrap(); false }
    };
    stage.transport = inner;
    if let Point::Write(line, cut) = point
        && mortal.journal.lines() >= line
    {
        mortal.journal.cut(line, cut);
        has_died = true;
    }
    let method = mortal.method.lock().unwrap().clone();
    Death { has_died, method }
}
