//! Whoever dies where a test says: at a request, or in a step of the disk that keeps the state.
//!
//! Nothing is done to the world but to send requests and to write files, each after the other. A
//! write of the state is several steps: the bytes, their sync, a name, the sync of the names. To die
//! in a step leaves it done in part, and of what was not synced a loss of power leaves less.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::emulator::{Emulator, Faults};
use stoker::plan::Policy;
use stoker::source::Tree;
use stoker::store::{Blow, Medium, Simulated};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::stage::Stage;

/// Where somebody dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// At a request, counted from 1.
    Request(usize, Moment),
    /// In a step of the disk, counted from 0, and which of its possible contents is left: 0 is
    /// what was written, synced or not.
    Step(usize, usize),
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

/// Carries requests until the process dies.
struct Mortal {
    inner: Arc<dyn Transport>,
    emulator: Emulator,
    point: Point,
    requests: AtomicUsize,
    is_dead: AtomicBool,
    /// The method of the request at which it died.
    method: Mutex<http::Method>,
    died: Notify,
    stop: watch::Sender<bool>,
    asked_at: Mutex<Option<Instant>>,
}

impl Mortal {
    fn die(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
        self.died.notify_one();
    }

    /// Carries a request, or nothing any more when the process died at it.
    async fn carry(
        &self,
        request: http::Request<Bytes>,
    ) -> Option<Result<http::Response<BodyStream>, TransportError>> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        match self.point {
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
                *self.asked_at.lock().unwrap() = Some(Instant::now());
                Some(self.inner.send(request).await)
            }
            Point::Request(..) | Point::Step(..) | Point::Asked(_) => {
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
                self.die();
            }
            std::future::pending().await
        })
    }
}

/// The files of a disk.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What became of who was to die.
pub struct Death {
    pub has_died: bool,
    /// When somebody asked for an orderly end, if it came to that.
    pub asked_at: Option<Instant>,
    /// The request at which it died, if it was one.
    pub method: http::Method,
    /// How many requests it had sent.
    pub requests: usize,
    /// Every content its disk may be left with; first what was written, synced or not.
    pub remains: Vec<Files>,
}

/// Applies until the run dies; says whether it did.
pub async fn die(stage: &mut Stage, tree: &Tree, policy: &Policy, point: Point) -> Death {
    let run = async |stage: &Stage| drop(stage.try_apply(tree, policy).await.unwrap());
    die_in(stage, point, run).await
}

/// Does something until whoever does it dies; says whether that came about.
pub async fn die_in(stage: &mut Stage, point: Point, run: impl AsyncFn(&Stage)) -> Death {
    let inner = Arc::clone(&stage.transport);
    let mortal = Arc::new(Mortal {
        inner: Arc::clone(&inner),
        emulator: stage.emulator.clone(),
        point,
        requests: AtomicUsize::new(0),
        is_dead: AtomicBool::new(false),
        method: Mutex::default(),
        died: Notify::new(),
        stop: stage.stop.clone(),
        asked_at: Mutex::default(),
    });
    let disk = match &stage.state {
        Medium::Memory(disk) => disk.clone(),
        Medium::Directory(_) | Medium::Shared(_) => panic!("a real disk cannot be told to die"),
    };
    if let Point::Step(step, _) = point {
        let dying = Arc::clone(&mortal);
        disk.when_it_dies(move || dying.die());
        disk.strike(step, Blow::Die);
    }
    stage.transport = Arc::<Mortal>::clone(&mortal);
    let has_died = tokio::select! {
        biased;
        () = mortal.died.notified() => true,
        () = run(stage) => mortal.is_dead.load(Ordering::SeqCst),
    };
    stage.transport = inner;
    disk.mend();
    let remains = remains(&disk);
    if let Point::Step(_, which @ 1..) = point {
        stage.state = Medium::Memory(Simulated::with(&remains[which]));
    }
    let method = mortal.method.lock().unwrap().clone();
    let asked_at = *mortal.asked_at.lock().unwrap();
    Death { has_died, asked_at, method, requests: mortal.requests.load(Ordering::SeqCst), remains }
}

/// Whether a loss of power would take nothing of the state.
pub fn is_certain(stage: &Stage) -> bool {
    match &stage.state {
        Medium::Memory(disk) => remains(disk).len() == 1,
        Medium::Directory(_) | Medium::Shared(_) => {
            panic!("nobody knows what a real disk has kept")
        }
    }
}

/// Returns what a death may leave of a disk, each once: what was written, what a loss of power
/// makes of it, and a journal that lacks its last line break only.
fn remains(disk: &Simulated) -> Vec<Files> {
    let written = disk.files();
    let lost = disk.after_power_loss();
    let is_journal = |name: &str| name.starts_with("journal-");
    let newest = written.iter().rfind(|(name, _)| is_journal(name));
    let unbroken = newest.and_then(|(name, bytes)| {
        let is_certain = lost.iter().all(|files| files.get(name) == Some(bytes));
        let line = bytes.strip_suffix(b"\n").filter(|_| !is_certain)?;
        let mut files = written.clone();
        files.insert(name.clone(), line.to_vec());
        Some(files)
    });
    let mut seen = BTreeSet::new();
    let all = [written].into_iter().chain(unbroken).chain(lost);
    all.filter(|files| seen.insert(files.clone())).collect()
}
