//! From a seed to a schedule: which trouble comes, and when.
//!
//! Trouble comes in clusters, most of them around a commit: a disturbance matters while a pass is
//! under way, and a pass takes seconds of the minutes between two.

use crate::emulator::{Kind, LimiterModel, Quirk, ValueForm};
use crate::model::{Key, Kind as OurKind};
use crate::store::Blow;

use super::answers::{as_answered, behind_an_ingress};
use super::dice::Dice;
use super::layered::lay_over;
use super::scene::Scene;
use super::schedule::{
    Deed, Disturbance, HistoryRewrite, Instruction, Loss, Moment, PlatformBehaviour, Rights,
    Schedule, ScheduledStep, SourceKind, Strike,
};
use super::trouble::{Family, Trouble};

/// The time between two clusters, in seconds: long enough for most of what came to settle.
const CLUSTER_PAUSE: (u64, u64) = (1_500, 2_100);

/// The time over which a cluster is spread, in milliseconds: that of a pass with writes.
const CLUSTER_SPREAD: u64 = 9_000;

/// How long after a cluster one service alone begins to fail, in milliseconds: all else is over.
const UNFAIR_AFTER: u64 = 1_000_000;

/// When every state has long been pinned to its project, in milliseconds.
const PINNED_AFTER: u64 = 60_000;

/// How many looks nothing may be written at the end (L1).
const LOOKS: u64 = 20;

/// The time between two files that vanish, in milliseconds: from a slow `rm -r` to a share that goes
/// away piece by piece.
const PAUSES_OF_VANISHING: [u64; 5] = [400, 1_000, 3_000, 65_000, 200_000];

/// The most by which the machine's clock is off, in milliseconds: two lives differ by a minute, which
/// a lost create's time to settle has room for (S3).
const OFF_MS_MAX: u64 = 30_000;

/// Faults at certain requests, where a law is most at risk.
const SCRIPTS: &[&str] = &[
    "lose-answer@POST /services#1",
    "lose-answer@POST /services#2; hide-new:55000@GET /services",
    "lose-answer@POST /databases#1; hide-new:55000@GET /databases",
    "apply-late:30000@POST /**#1-2",
    "apply-late:100000@POST /services#1",
    "fail-after:500@POST /**#1-3",
    "no-id@POST /**#1",
    "cut:17@POST /**#1-2",
    "malice@POST /services#1",
    "html@GET /services#1-3",
    "total:missing@GET /services; total:wrong@GET /databases",
    "rename-key@GET /services#1-4",
    "fail:403@GET /databases",
    "fail:404@GET /services/*#1",
    "fail:503@GET /**",
    "fail:500@PATCH /**#1-3; lose-answer@PATCH /**#4",
    "lose-answer@DELETE /**#1; fail:404@DELETE /**#2",
    "fail:409@PATCH /**#1-4",
    "429:30@* /**#3-5",
    "stale:55000@GET /**",
    "shift-repeat@GET /**; page-ignored@GET /**#9",
    "hang@POST /**#1; hang@GET /services#2",
    "strange@GET /**",
    "drip@GET /databases#1",
    "429:6@PATCH /**#1; 429:6@DELETE /**#1; 429:6@POST /**#2",
    "429:1@PATCH /**; 429:1@DELETE /**",
    "lose-renamed@POST /**#1-2",
    // Lists come, and details do not.
    "fail:500@GET /services/*; fail:403@GET /databases/*",
    "fail:403@GET /services/*",
    "html@GET /services/*; truncate:17@GET /databases/*",
    "truncate:17@GET /services/*#2+",
    "hang@GET /services/*#1-9",
    "quote:percent@POST /**#1-3; quote:cut@PATCH /**#1-3",
    "quote:escaped@* /**#3-6; quote:base64@POST /**#1-3",
    "html-after@DELETE /**; html-after@PATCH /**#1-3; html-after@POST /**#1",
    "fail:413@PATCH /**#1-2; fail:408@POST /**#1; fail:500@GET /**#5-9",
];

/// Draws the schedule of a seed.
#[must_use]
pub fn draw(seed: u64, scene: &Scene, trouble: &Trouble) -> Schedule {
    let mut artist = Artist { dice: Dice::new(seed), scene, steps: Vec::new() };
    let platform = as_answered(with_quirks(artist.platform(), seed), seed);
    let platform = behind_an_ingress(platform, seed);
    let source = artist.origin();
    let families: Vec<Family> = trouble.families.iter().copied().collect();
    // A pure seed tells which family broke a law; a mixed one finds what only two together break.
    let count = if artist.dice.one_in(3) { 3 } else { 1 };
    let chosen: Vec<Family> =
        (0..count).filter_map(|_| artist.dice.pick(&families).copied()).collect();
    let mut at = artist.dice.below(4_000);
    while at < trouble.seconds * 1_000 {
        artist.cluster(at, &chosen);
        at += artist.dice.between(CLUSTER_PAUSE.0, CLUSTER_PAUSE.1) * 1_000;
    }
    let mut steps = artist.steps;
    lay_over(&mut steps, seed, scene, trouble);
    steps.sort_by_key(|step| step.at);
    Schedule { seed, platform, source, seconds: trouble.seconds, looks: LOOKS, steps }
}

/// Lets one platform in four hold something otherwise than it was sent. It has dice of its own: what
/// else befalls a seed is the same with it and without.
fn with_quirks(platform: PlatformBehaviour, seed: u64) -> PlatformBehaviour {
    let mut dice = Dice::new(!seed);
    if !dice.one_in(4) {
        return platform;
    }
    let setting = |field: &str, form| Quirk::Setting { field: field.to_owned(), form };
    let (field, value, every_ms) = ("plan".to_owned(), "pro".into(), 400_000);
    let quirks = [
        setting("plan", ValueForm::Ends("-v2".to_owned())),
        setting("runtime", ValueForm::Ends("-22".to_owned())),
        setting("repo", ValueForm::Begins("mirror/".to_owned())),
        setting("scaling.max_instances", ValueForm::AtMost(2)),
        setting("schedule", ValueForm::Begins("0 ".to_owned())),
        Quirk::Value { key: "NODE_ENV".to_owned(), form: ValueForm::Begins(" ".to_owned()) },
        Quirk::Adds { key: "ADDON_URL".to_owned(), anew: false },
        Quirk::Adds { key: "RELEASE".to_owned(), anew: true },
        Quirk::Adds { key: "STACKBLAZE_RELEASE".to_owned(), anew: true },
        Quirk::Swings { field, value, every_ms },
    ];
    let quirks = dice.pick(&quirks).cloned().into_iter().collect();
    PlatformBehaviour { quirks, echoes: dice.one_in(2), ..platform }
}

struct Artist<'s> {
    dice: Dice,
    scene: &'s Scene,
    steps: Vec<ScheduledStep>,
}

impl Artist<'_> {
    fn platform(&mut self) -> PlatformBehaviour {
        let dice = &mut self.dice;
        let models = [
            LimiterModel::FixedWindow,
            LimiterModel::FixedMinute,
            LimiterModel::SlidingLog,
            LimiterModel::Bucket,
            LimiterModel::Penalty,
            LimiterModel::SlidingUnderWindow,
        ];
        PlatformBehaviour {
            names_unique: !dice.one_in(3),
            page: *dice.pick(&[1, 2, 3, 100, 100]).unwrap_or(&100),
            limiter: *dice.pick(&models).unwrap_or(&LimiterModel::FixedWindow),
            rate: *dice.pick(&[285, 285, 60, 40, 20]).unwrap_or(&285),
            deletes_gradually: dice.one_in(3),
            lists_show_all: dice.one_in(3),
            ..PlatformBehaviour::default()
        }
    }

    fn origin(&mut self) -> SourceKind {
        let origins =
            [SourceKind::Files, SourceKind::Files, SourceKind::GitHold, SourceKind::GitFollow];
        self.dice.pick(&origins).copied().unwrap_or_default()
    }

    fn cluster(&mut self, at: u64, families: &[Family]) {
        let first = at < 10_000;
        if !first && !self.dice.one_in(4) {
            let revision = self.revision();
            self.add(at, Disturbance::Commit(revision));
        }
        for _ in 0..self.dice.between(1, 3) {
            let family = self.dice.pick(families).copied();
            let when = at + self.dice.below(CLUSTER_SPREAD);
            match family {
                Some(Family::Api) => self.api(when),
                Some(Family::Crashes) => self.crash(when),
                Some(Family::Disk) => self.disk(when),
                Some(Family::Source) => self.source(when),
                Some(Family::People) => self.person(when),
                Some(Family::Token) => self.token(when),
                Some(Family::Clock) => self.clock(when),
                Some(Family::Second) => self.second(when),
                None => {}
            }
        }
    }

    fn add(&mut self, at: u64, what: Disturbance) {
        self.steps.push(ScheduledStep { at, what });
    }

    fn revision(&mut self) -> usize {
        let count = u64::try_from(self.scene.plain().len()).unwrap_or(1);
        usize::try_from(self.dice.below(count)).unwrap_or(0)
    }

    /// When something that lasts ends, in milliseconds.
    fn later(&mut self, at: u64) -> u64 {
        at + self.dice.between(5, 900) * 1_000
    }

    fn api(&mut self, at: u64) {
        if self.dice.one_in(6) {
            return self.unfair(at);
        }
        let faults = if self.dice.one_in(2) {
            let seed = self.dice.below(1_000);
            let rate = self.dice.pick(&["0.02", "0.1", "0.3", "0.5"]).copied().unwrap_or("0.1");
            format!("seed={seed},rate={rate}")
        } else {
            self.dice.pick(SCRIPTS).copied().unwrap_or_default().to_owned()
        };
        let end = self.later(at);
        self.add(at.saturating_sub(CLUSTER_SPREAD / 2), Disturbance::Faults(faults));
        self.add(end, Disturbance::Faults(String::new()));
    }

    /// One that always fails, and a change of all some minutes later.
    fn unfair(&mut self, at: u64) {
        if let Some(name) = self.service() {
            let at = at + UNFAIR_AFTER;
            self.add(at, Disturbance::AlwaysFails(name));
            self.add(at + 20_000, Disturbance::Commit(1.min(self.scene.plain().len() - 1)));
            self.add(at + 430_000, Disturbance::Faults(String::new()));
        }
    }

    fn crash(&mut self, at: u64) {
        let down = *self.dice.pick(&[0, 1, 5, 90, 200]).unwrap_or(&1);
        let what = match self.dice.below(6) {
            0 => Strike::Kill(down),
            1 => Strike::Stop(down),
            2 => Strike::KillInDisk(self.small(14), down),
            _ => {
                let moment = if self.dice.one_in(2) { Moment::Before } else { Moment::After };
                let n = u32::try_from(self.dice.between(1, 24)).unwrap_or(1);
                Strike::KillInRequest(n, moment, down)
            }
        };
        self.add(at, Disturbance::Process(what));
    }

    fn disk(&mut self, at: u64) {
        let step = self.small(16);
        let what = match self.dice.below(4) {
            0 => Strike::Disk(step, Blow::Fail),
            1 => Strike::Disk(step, Blow::Full),
            _ => Strike::PowerLoss(step, self.dice.below(1_000), self.dice.between(60, 120)),
        };
        self.add(at, Disturbance::Process(what));
        let end = self.later(at).min(at + 300_000);
        self.add(end, Disturbance::Process(Strike::DiskMended));
    }

    fn small(&mut self, bound: u64) -> usize {
        usize::try_from(self.dice.below(bound)).unwrap_or(0)
    }

    fn source(&mut self, at: u64) {
        let revision = self.revision();
        let what = match self.dice.below(9) {
            0 => Disturbance::Source(Loss::Gone),
            1 => Disturbance::Source(Loss::Empty),
            2 => Disturbance::Source(Loss::Broken),
            3 => Disturbance::Source(Loss::Half(revision, self.dice.between(5, 95))),
            4 => Disturbance::Rewrite(HistoryRewrite::Amend(revision)),
            5 => Disturbance::Rewrite(HistoryRewrite::Back(self.small(2) + 1)),
            6 | 7 => return self.shrink(at),
            // A→B→A within one pass.
            _ => {
                self.add(at + 700, Disturbance::Commit(revision));
                Disturbance::Commit(0)
            }
        };
        self.add(at, what);
        let (end, next) = (self.later(at), self.revision());
        self.add(end, Disturbance::Commit(next));
    }

    /// Files vanish one after another, and come back.
    fn shrink(&mut self, at: u64) {
        let pause = *self.dice.pick(&PAUSES_OF_VANISHING).unwrap_or(&1_000);
        let (mut end, revision) = (at, self.revision());
        for gone in 1..=self.scene.keys().len() {
            self.add(end, Disturbance::Source(Loss::Shrunk(revision, gone)));
            end += pause;
        }
        let (end, next) = (self.later(end), self.revision());
        self.add(end, Disturbance::Commit(next));
    }

    fn service(&mut self) -> Option<String> {
        self.name_of(OurKind::Service).map(|(_, name)| name)
    }

    fn name_of(&mut self, kind: OurKind) -> Option<(Kind, String)> {
        let keys: Vec<&Key> = self.scene.keys().into_iter().filter(|it| it.kind == kind).collect();
        let key = self.dice.pick(&keys)?;
        Some((super::world::kind_of(key.kind), key.name.to_string()))
    }

    fn anything(&mut self) -> Option<(Kind, String)> {
        let kinds = [OurKind::Service, OurKind::Service, OurKind::Database, OurKind::EnvGroup];
        let kind = *self.dice.pick(&kinds)?;
        self.name_of(kind)
    }

    fn person(&mut self, at: u64) {
        let (Some(service), Some((kind, name))) = (self.service(), self.anything()) else {
            return;
        };
        let moved = format!("{service}-moved");
        let deed = match self.dice.below(14) {
            0 => Deed::SetPlan(service, "enterprise".to_owned()),
            1 => Deed::SetVariable(service, "BY_HAND".to_owned(), Some("1".to_owned())),
            2 => Deed::SetVariable(service, "NODE_ENV".to_owned(), None),
            3 | 4 => Deed::Create(kind, name),
            5 | 6 => Deed::Delete(kind, name),
            7 => Deed::Rename(Kind::Service, service, moved),
            8 => Deed::Autoscale(service, self.dice.between(1, 9)),
            9 => Deed::Rollback(service),
            10 => Deed::FailNext(service),
            _ => return self.operator(at),
        };
        self.add(at, Disturbance::Person(deed));
    }

    fn operator(&mut self, at: u64) {
        let command = match self.dice.below(3) {
            0 => Instruction::Apply,
            1 => Instruction::Suspend(self.dice.between(60, 900)),
            _ => Instruction::Reconcile,
        };
        self.add(at, Disturbance::Operator(command));
    }

    fn token(&mut self, at: u64) {
        let rights =
            [Rights::Read, Rights::NoDelete, Rights::NoDatabases, Rights::None, Rights::NoDetails];
        let (what, end) = match self.dice.below(8) {
            0..=2 => {
                let rights = self.dice.pick(&rights).copied().unwrap_or(Rights::Read);
                (Disturbance::Token(rights), Disturbance::Token(Rights::All))
            }
            3 => {
                let kind = if self.dice.one_in(2) { Kind::Service } else { Kind::Database };
                let most = Some(self.small(4));
                (Disturbance::Quota(kind, most), Disturbance::Quota(kind, None))
            }
            // The first write pins: before it no project is another one.
            4 | 5 if at > PINNED_AFTER => (Disturbance::OtherProject, Disturbance::HomeProject),
            _ => {
                let (some, more) = (self.dice.between(50, 290), self.dice.between(10, 200));
                let count = |number: u64| u32::try_from(number).unwrap_or(100);
                (Disturbance::Visitor(count(some)), Disturbance::Visitor(count(more)))
            }
        };
        let later = self.later(at);
        self.add(at, what);
        self.add(later, end);
    }

    fn clock(&mut self, at: u64) {
        if self.dice.one_in(2) {
            let by = i64::try_from(self.dice.between(1, 3_600) * 1_000).unwrap_or(0);
            let by = if self.dice.one_in(2) { by } else { -by };
            return self.add(at, Disturbance::PlatformClock(by));
        }
        let off = i64::try_from(self.dice.below(OFF_MS_MAX)).unwrap_or(0);
        let off = if self.dice.one_in(2) { off } else { -off };
        self.add(at, Disturbance::OurClock(off));
        if self.dice.one_in(2) {
            return self.add(at + 1, Disturbance::Process(Strike::Kill(1)));
        }
        // It is set while the agent runs: who works beside it sees another time, and so does the
        // next life. Then it is set right.
        self.add(at + 1, Disturbance::Operator(Instruction::Apply));
        let (death, end) = (at + self.dice.below(CLUSTER_SPREAD), self.later(at));
        self.add(death, Disturbance::Process(Strike::Kill(1)));
        self.add(end, Disturbance::OurClock(0));
    }

    fn second(&mut self, at: u64) {
        let end = at + self.dice.between(10, 1_200) * 1_000;
        self.add(at.saturating_sub(3_000), Disturbance::SecondBegins);
        self.add(end, Disturbance::SecondEnds);
    }
}
