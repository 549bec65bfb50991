//! What happens when, as a value: one line of JSON, to be kept, replayed and made smaller.

use serde::{Deserialize, Serialize};

use crate::emulator::{Ingress, Kind, LimiterModel, Quirk, Times};
use crate::store::Blow;

/// A whole run: the same schedule over the same scene gives the same record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Where it was drawn from; spreads what the steps leave open, as the latency of each answer.
    pub seed: u64,
    /// How the platform behaves throughout.
    pub platform: PlatformBehaviour,
    /// Where the manifests come from.
    #[serde(default)]
    pub source: SourceKind,
    /// How long trouble may last, in seconds; then comes the quiet in which everything settles.
    pub seconds: u64,
    /// How many looks nothing may be written at the end (L1).
    #[serde(default = "twenty")]
    pub looks: u64,
    /// What happens, in order of time.
    pub steps: Vec<ScheduledStep>,
}

const fn twenty() -> u64 {
    20
}

/// Something that happens at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledStep {
    /// When, in milliseconds from the start.
    pub at: u64,
    /// What.
    pub what: Disturbance,
}

/// How the platform behaves, where it matters to the laws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlatformBehaviour {
    /// Whether a second thing of one name is refused (A8).
    pub names_unique: bool,
    /// Items of a page.
    pub page: u32,
    /// How requests are counted.
    pub limiter: LimiterModel,
    /// What stands in front of it and lets requests through in even steps, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// How many requests each agent may send in any minute.
    pub rate: u32,
    /// Whether what is deleted goes at once, or is `deleting` for a while (A7).
    pub deletes_gradually: bool,
    /// Whether a list shows all fields, or only the seven of F5.
    pub lists_show_all: bool,
    /// What it holds otherwise than it was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quirks: Vec<Quirk>,
    /// Whether the answers to writes echo what was sent, and only reads show what is held.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub echoes: bool,
    /// Whether it answers with a framework's ordinary means: empty bodies, errors of its own form.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bare: bool,
    /// How it keeps and shows when a thing was created.
    #[serde(skip_serializing_if = "is_ordinary")]
    pub times: Times,
}

fn is_ordinary(times: &Times) -> bool {
    *times == Times::Seconds
}

impl Default for PlatformBehaviour {
    fn default() -> Self {
        Self {
            names_unique: true,
            page: 100,
            limiter: LimiterModel::FixedWindow,
            ingress: None,
            rate: 285,
            deletes_gradually: false,
            lists_show_all: false,
            quirks: Vec::new(),
            echoes: false,
            bare: false,
            times: Times::Seconds,
        }
    }
}

/// Where the manifests come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Plain files.
    #[default]
    Files,
    /// A branch; one that was rewritten is held at the last good commit.
    GitHold,
    /// A branch; one that was rewritten is followed.
    GitFollow,
}

/// Where in a request the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// The request never leaves.
    Before,
    /// It is carried out, and its answer never comes.
    After,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// Everything.
    All,
    /// Read only.
    Read,
    /// Everything but deleting, as the Developer role.
    NoDelete,
    /// Nothing of databases (F2).
    NoDatabases,
    /// Everything but reading one thing by its id: it may list.
    NoDetails,
    /// Nothing: it was revoked.
    None,
}

/// Something that happens to the program, to the platform, or between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Disturbance {
    /// The manifests are those of another revision of the scene.
    Commit(usize),
    /// The source of the manifests fails.
    Source(Loss),
    /// The history of the manifests is rewritten, as by a force-push.
    Rewrite(HistoryRewrite),
    /// The first process, or its disk, is struck.
    Process(Strike),
    /// Somebody acts at the platform.
    Person(Deed),
    /// Somebody gives the agent an order, or works beside it.
    Operator(Instruction),
    /// The platform plays these faults from now on, in the emulator's grammar; none when empty.
    Faults(String),
    /// The PATCH of one service is refused from now on, and of nothing else.
    AlwaysFails(String),
    /// The machine's clock is set, and off by so many milliseconds from now on. Who runs already is
    /// not moved by it; who begins sees it.
    OurClock(i64),
    /// The platform's clock jumps by so many milliseconds, ahead or back.
    PlatformClock(i64),
    /// The token has other rights from now on.
    Token(Rights),
    /// So many of a kind may exist; any number without one.
    Quota(Kind, Option<usize>),
    /// Another client on the token sends so many requests at once.
    Visitor(u32),
    /// The process is started anew with a token of another project.
    OtherProject,
    /// The process is started anew with its own token again.
    HomeProject,
    /// A second agent with a state of its own begins to keep the same project.
    SecondBegins,
    /// The second agent ends.
    SecondEnds,
}

/// How the source of the manifests fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// It cannot be read.
    Gone,
    /// It is an empty tree, as an unmounted volume is.
    Empty,
    /// It is no YAML.
    Broken,
    /// A file is only half written: the first so many percent of a revision, or of the overlay on
    /// top of it.
    Half(usize, u64),
    /// A revision, and in the place of the overlay on top of it one that is no YAML.
    Torn(usize),
    /// So many files of a revision have vanished, and the rest is valid.
    Shrunk(usize, usize),
}

/// How a history is rewritten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum HistoryRewrite {
    /// Another commit stands in place of the newest one, with a revision.
    Amend(usize),
    /// The branch is set back by so many commits.
    Back(usize),
}

/// What strikes the first process or its disk. Nothing that it should do is other because of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Strike {
    /// It is killed, and started again after so many seconds.
    Kill(u64),
    /// It is killed in the n-th request from now.
    KillInRequest(u32, Moment, u64),
    /// It is killed in the n-th step of its disk from now.
    KillInDisk(usize, u64),
    /// The machine loses its power in the n-th step of its disk from now; the choice says what was
    /// not synced and is kept all the same.
    PowerLoss(usize, u64, u64),
    /// A step of the disk fails, or all from one on.
    Disk(usize, Blow),
    /// The disk works again.
    DiskMended,
    /// It is asked to end in an orderly way, and started again after so many seconds.
    Stop(u64),
}

/// What somebody does at the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// Sets the plan of a service.
    SetPlan(String, String),
    /// Sets a variable of a service, or removes it.
    SetVariable(String, String, Option<String>),
    /// Creates something.
    Create(Kind, String),
    /// Deletes what has this name.
    Delete(Kind, String),
    /// Renames what has this name.
    Rename(Kind, String, String),
    /// Rolls a service back.
    Rollback(String),
    /// Moves the replicas of a service, as the autoscaler does.
    Autoscale(String, u64),
    /// Breaks an application: the next deployment of a service fails.
    FailNext(String),
}

/// What somebody tells the agent, or does beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Instruction {
    /// Runs `stoker apply` on the same state.
    Apply,
    /// Tells it to look now.
    Reconcile,
    /// Tells it not to write for so many seconds.
    Suspend(u64),
}

impl Schedule {
    /// Writes it as one line.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a schedule has only plain keys and values")
    }

    /// Reads it from one line.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|error| format!("no schedule: {error}"))
    }

    /// The same, without some of its steps.
    #[must_use]
    pub fn keeping(&self, keeps: impl Fn(&ScheduledStep) -> bool) -> Self {
        let steps = self.steps.iter().filter(|step| keeps(step)).cloned().collect();
        Self { steps, ..self.clone() }
    }
}

impl Disturbance {
    /// Whether the manifests become other, valid ones: work, not trouble.
    #[must_use]
    pub const fn is_commit(&self) -> bool {
        matches!(self, Self::Commit(_))
    }

    /// Whether only the process suffers: nothing that it should do is other because of it (L3).
    #[must_use]
    pub const fn is_crash(&self) -> bool {
        matches!(self, Self::Process(_))
    }

    /// Whether the platform gives what is made another name than was asked for (A22).
    #[must_use]
    pub fn changes_names(&self) -> bool {
        matches!(self, Self::Faults(faults) if faults.contains("lose-renamed"))
    }

    /// Whether others change the platform or stand beside us at it.
    #[must_use]
    pub const fn is_by_others(&self) -> bool {
        matches!(self, Self::Person(_) | Self::SecondBegins | Self::SecondEnds)
    }
}
