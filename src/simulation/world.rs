//! Everything around the processes: the platform, its people, the source, and what is noted of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::emulator::{
    self, Access, Act, DeletionMode, Emulator, EmulatorConfig, Fields, Kind, Permission,
};
use crate::model::Kind as OurKind;

use super::branch::{Branch, BranchState, commit_id};
use super::revisions::shrunk;
use super::scene::{FinalState, Given, Scene};
use super::schedule::{HistoryRewrite, PlatformBehaviour, Rights, Schedule, SourceKind};
use super::witness::{Mark, Marked};

/// When a simulation begins.
const START: &str = "2026-11-24T00:00:00Z";

/// What is no YAML.
const BROKEN: &str = "kind: [";

/// How long what is deleted shows `deleting`, where it goes gradually.
const GOING_MS: u64 = 20_000;

/// What tells the requests of another client on the token from ours.
pub(super) const VISITOR: &str = "from=visitor";

/// Fields that differ from run to run, or move by themselves.
const FLEETING: [&str; 7] =
    ["id", "created_at", "status", "url", "replicas", "connection_string", "env_groups"];

/// The token of a process: the first, the second, and whoever set the project up.
pub(super) const TOKENS: [&str; 3] = [emulator::TOKEN, "sb_live_second", "sb_live_founder"];

/// The world of one run.
pub(super) struct SimulatedWorld {
    pub scene: Arc<Scene>,
    pub platform: PlatformBehaviour,
    pub seed: u64,
    /// The true time: no process is told it.
    pub clock: Clock,
    pub emulator: Emulator,
    started_at: Timestamp,
    ahead_ms: Arc<AtomicU64>,
    origin: Mutex<SourceKind>,
    branch: Mutex<Branch>,
    was_rewritten: AtomicBool,
    clock_off_ms: AtomicI64,
    readings: Mutex<BTreeMap<BranchState, Given>>,
    marks: Mutex<Vec<Marked>>,
}

impl SimulatedWorld {
    pub fn new(scene: &Arc<Scene>, schedule: &Schedule) -> Self {
        let Schedule { seed, platform, source, .. } = schedule;
        let (seed, origin) = (*seed, *source);
        let started_at: Timestamp = START.parse().expect("a constant that is a time");
        let clock = Clock::starting_at(started_at);
        let ahead_ms = Arc::new(AtomicU64::new(0));
        let (time, ahead) = (clock.clone(), Arc::clone(&ahead_ms));
        let platform_clock = move || {
            let now = u64::try_from(time.now().as_millisecond()).unwrap_or(0);
            now + ahead.load(Ordering::Relaxed)
        };
        let emulator = Emulator::new(config(scene, seed, platform), Arc::new(platform_clock));
        Self {
            scene: Arc::clone(scene),
            platform: platform.clone(),
            seed,
            clock,
            emulator,
            started_at,
            ahead_ms,
            origin: Mutex::new(origin),
            branch: Mutex::new(Branch::new(BranchState::Revision(0))),
            was_rewritten: AtomicBool::default(),
            clock_off_ms: AtomicI64::default(),
            readings: Mutex::default(),
            marks: Mutex::default(),
        }
    }

    /// Returns the milliseconds since the start.
    pub fn elapsed(&self) -> u64 {
        let elapsed = self.clock.now().duration_since(self.started_at);
        u64::try_from(elapsed.as_millis()).unwrap_or(0)
    }

    pub fn mark(&self, mark: Mark) {
        self.marks().push(Marked { at: self.elapsed(), mark });
    }

    pub fn marks(&self) -> MutexGuard<'_, Vec<Marked>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the source hold something else, as a commit after the newest.
    pub fn hold(&self, held: BranchState) {
        self.branch().push(held);
    }

    /// Rewrites the history of the source.
    pub fn rewrite(&self, rewrite: &HistoryRewrite) {
        self.branch().rewrite(rewrite);
        self.was_rewritten.store(true, Ordering::Relaxed);
    }

    /// Returns where the manifests come from, for whoever begins now.
    pub fn origin(&self) -> SourceKind {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets that a rewritten history is followed; returns whether anything is held because of one.
    pub fn follow(&self) -> bool {
        let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = *origin == SourceKind::GitHold && self.was_rewritten.load(Ordering::Relaxed);
        if holds {
            *origin = SourceKind::GitFollow;
        }
        holds
    }

    /// Returns the id of the newest commit.
    pub fn tip(&self) -> String {
        commit_id(self.branch().tip())
    }

    /// Whether a commit that was read before leads to the newest.
    pub fn is_led_from(&self, id: &str) -> bool {
        self.branch().is_led_from(id)
    }

    /// Returns the revision that the source holds, if it is whole.
    pub fn revision(&self) -> Option<usize> {
        match self.branch().newest() {
            BranchState::Revision(revision) => Some(*revision),
            BranchState::Founded
            | BranchState::Merged(_)
            | BranchState::Torn(_)
            | BranchState::Half(..)
            | BranchState::Shrunk(..)
            | BranchState::Gone
            | BranchState::Empty
            | BranchState::Broken => None,
        }
    }

    /// Reads the newest state of the source; nothing when it cannot be read.
    pub fn read(&self) -> Option<Given> {
        let held = self.branch().newest().clone();
        self.reading(held)
    }

    /// Reads what a commit held; nothing when there is no such commit.
    pub fn read_commit(&self, id: &str) -> Option<Given> {
        let held = self.branch().held(id).cloned();
        self.reading(held?)
    }

    fn reading(&self, held: BranchState) -> Option<Given> {
        if held == BranchState::Gone {
            return None;
        }
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        Some(readings.entry(held).or_insert_with_key(|held| self.given(held)).clone())
    }

    fn given(&self, held: &BranchState) -> Given {
        let scene = &self.scene;
        // Of what is no YAML nothing is declared, whatever is made of it.
        let unusable = |given: Given| Given { desired: None, ..given };
        match *held {
            BranchState::Gone | BranchState::Empty => scene.reading(""),
            BranchState::Founded => scene.reading(scene.live.as_deref().unwrap_or_default()),
            BranchState::Broken => unusable(scene.reading(BROKEN)),
            BranchState::Revision(revision) => scene.given(scene.revision(revision)),
            BranchState::Merged(revision) => scene.reading(&scene.revision(revision).text),
            BranchState::Half(revision, percent) => {
                let (base, mut overlays) = scene.revision(revision).texts();
                match overlays.last_mut() {
                    None => scene.reading(half(base, percent)),
                    Some(top) => {
                        *top = half(top, percent);
                        scene.laid(base, &overlays)
                    }
                }
            }
            BranchState::Shrunk(revision, gone) => {
                scene.reading(&shrunk(&scene.revision(revision).desired, gone))
            }
            BranchState::Torn(revision) => {
                let (base, mut overlays) = scene.revision(revision).texts();
                overlays.pop();
                overlays.push(BROKEN);
                unusable(scene.laid(base, &overlays))
            }
        }
    }

    fn branch(&self) -> MutexGuard<'_, Branch> {
        self.branch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the platform's clock jump. Ahead, all that takes its time is done sooner, too; back, only
    /// what it tells of the time is other: nothing takes longer for it.
    pub fn jump(&self, milliseconds: i64) {
        match u64::try_from(milliseconds) {
            Ok(ahead) => drop(self.ahead_ms.fetch_add(ahead, Ordering::Relaxed)),
            Err(_) => {
                let before = self.clock_off_ms.fetch_add(milliseconds, Ordering::Relaxed);
                self.act(&Act::SetClock { off_ms: before.saturating_add(milliseconds) });
            }
        }
    }

    /// Does what a person does; what they would not be allowed does not happen.
    pub fn act(&self, act: &Act) {
        // The record says what happened; what was refused is no trouble.
        let _ = self.emulator.act(act);
    }

    /// Returns the id of the newest thing of that name.
    pub fn id(&self, kind: Kind, name: &str) -> Option<String> {
        self.emulator.ids(kind, name).pop()
    }

    /// Changes what the first process' token may do.
    pub fn limit(&self, rights: Rights) {
        let all = access(0);
        let access = match rights {
            Rights::All => Some(all),
            Rights::NoDelete => Some(Access { may_delete: false, ..all }),
            Rights::NoDetails => Some(Access { may_read_details: false, ..all }),
            Rights::NoDatabases => Some(Access { databases: Permission::None, ..all }),
            Rights::Read => Some(Access {
                services: Permission::Read,
                databases: Permission::Read,
                env_groups: Permission::Read,
                ..all
            }),
            Rights::None => None,
        };
        self.act(&Act::Limit { token: TOKENS[0].to_owned(), access });
    }

    /// Lets the tokens select another project, or our own again.
    pub fn enter_project(&self, is_home: bool) {
        let id = self.scene.project.id.clone();
        let other = Some("prj_somebody_else".to_owned());
        self.emulator.reconfigure(|config| config.project.id = if is_home { id } else { other });
        self.mark(Mark::Project { is_home });
    }

    /// Sends requests as another client on the first process' token.
    pub async fn visit(&self, requests: u32) {
        for _ in 0..requests {
            let request = http::Request::builder()
                .uri(format!("http://127.0.0.1/v1/project?{VISITOR}"))
                .header("Authorization", format!("Bearer {}", TOKENS[0]))
                .body(Bytes::new())
                .expect("a request of constants");
            // What becomes of it is the visitor's affair.
            let _ = self.emulator.answer(request).await;
        }
    }

    /// Returns what is there, by kind and name.
    pub fn truth(&self) -> FinalState {
        let mut truth = FinalState::new();
        for kind in [Kind::Service, Kind::Database, Kind::EnvGroup] {
            for mut thing in self.emulator.truth(kind) {
                let name = thing["name"].as_str().unwrap_or_default().to_owned();
                if let Some(object) = thing.as_object_mut() {
                    object.retain(|field, _| !FLEETING.contains(&field.as_str()));
                }
                truth.entry((kind, name)).or_default().push(thing);
            }
        }
        truth
    }
}

fn half(text: &str, percent: u64) -> &str {
    let bytes = u64::try_from(text.len()).unwrap_or(0) * percent / 100;
    let mut end = usize::try_from(bytes).unwrap_or(0).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn config(scene: &Scene, seed: u64, platform: &PlatformBehaviour) -> EmulatorConfig {
    let PlatformBehaviour {
        names_unique,
        page,
        limiter,
        ingress,
        rate: _,
        deletes_gradually,
        lists_show_all,
        quirks,
        echoes,
        bare,
        times,
    } = platform.clone();
    let mut config = EmulatorConfig {
        seed,
        names_unique,
        limiter,
        ingress,
        quirks,
        echoes,
        bare,
        times,
        project: scene.project.clone(),
        deletion: if deletes_gradually {
            DeletionMode::Gradual { gone_after_ms: GOING_MS }
        } else {
            DeletionMode::Immediate
        },
        ..EmulatorConfig::default()
    };
    config.paging.size_max = page.max(1);
    if lists_show_all {
        config.list_fields = config.detail_fields.clone();
        config.list_fields.env_groups = Fields::All;
    }
    for (index, token) in TOKENS.into_iter().enumerate() {
        config.tokens.insert(token.to_owned(), access(index));
    }
    config
}

fn access(process: usize) -> Access {
    Access { holder: format!("process {process}"), ..Access::default() }
}

/// Returns the body of what a person creates under a name.
pub(super) fn body(kind: Kind, name: &str) -> Value {
    match kind {
        Kind::Service => json!({"name": name, "type": "background_worker"}),
        Kind::Database => json!({"name": name, "type": "postgres"}),
        Kind::EnvGroup => json!({"name": name}),
    }
}

/// Returns the emulator's word for a kind.
pub(super) const fn kind_of(kind: OurKind) -> Kind {
    match kind {
        OurKind::Service => Kind::Service,
        OurKind::Database => Kind::Database,
        OurKind::EnvGroup => Kind::EnvGroup,
    }
}
