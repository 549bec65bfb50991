//! A case that is killed at every point where it can be, as `crashes` says what a point is.

use std::collections::BTreeSet;

use stoker::plan::Policy;
use stoker::source::Tree;

use crate::faults::Reference;
use crate::kept::{keep_for, settings};
use crate::laws;
use crate::mortal::{Death, Files, Moment, Point, die_in, is_certain};
use crate::stage::Stage;
use crate::tally;

/// How long an agent lives that is killed somewhere, in seconds: what is declared no more goes when
/// it has looked for a minute (S7).
const LIFE_SECONDS: u64 = 75;

/// How long until it is known what became of a create without an answer, in seconds.
const SETTLED_SECONDS: u64 = 181;

/// How long the next agent has, in seconds: more than the settle time and an interval.
const NEXT_LIFE_SECONDS: u64 = 1_200;

/// A platform as it stands before, what is applied to it, and what is allowed.
pub struct Case<Stages> {
    pub name: &'static str,
    pub stage: Stages,
    pub tree: Tree,
    pub policy: fn(&Stage) -> Policy,
}

/// Where somebody died, what is left, and what was allowed.
struct End {
    point: Point,
    stage: Stage,
    policy: Policy,
}

impl<Stages: AsyncFn() -> Stage> Case<Stages> {
    /// What comes of it undisturbed.
    async fn reference(&self) -> Reference {
        let (stage, policy) = self.begun().await;
        let before = stage.emulator.record().requests().count();
        stage.apply(&self.tree, &policy).await;
        Reference::of(&stage, before)
    }

    /// Returns every point at which one run of it can die, with what is left.
    async fn ends(&self) -> Vec<End> {
        let run = async |stage: &Stage, policy: &Policy| {
            drop(stage.try_apply(&self.tree, policy).await.unwrap());
        };
        self.ends_of(&run).await
    }

    /// Returns every point at which something can die, until it is too short to die there.
    async fn ends_of(&self, run: &impl AsyncFn(&Stage, &Policy)) -> Vec<End> {
        let mut ends = self.ends_in_requests(run).await;
        ends.extend(self.ends_in_steps(run).await);
        ends
    }

    /// What only reads is the same whether it is carried out or not.
    async fn ends_in_requests(&self, run: &impl AsyncFn(&Stage, &Policy)) -> Vec<End> {
        let mut ends = Vec::new();
        for number in 1.. {
            let before = ends.len();
            for moment in [Moment::Before, Moment::Sent, Moment::Applied] {
                let (end, death, was_certain) = self.die(Point::Request(number, moment), run).await;
                if !death.has_died {
                    break;
                }
                let is_look = death.method == http::Method::GET;
                // What must be known of a write is synced before it leaves (S3), so a loss of
                // power in it is no other death.
                let is_certain = is_certain(&end.stage);
                assert!(is_look || is_certain || !was_certain, "{}: {:?}", self.name, end.point);
                ends.push(end);
                if is_look {
                    break;
                }
            }
            if ends.len() == before {
                break;
            }
        }
        ends
    }

    /// A disk that is left as it was left before, after as many requests, is no other point.
    async fn ends_in_steps(&self, run: &impl AsyncFn(&Stage, &Policy)) -> Vec<End> {
        let mut ends = Vec::new();
        let mut seen: BTreeSet<(usize, Files)> = BTreeSet::new();
        for step in 0.. {
            let (mut which, mut count) = (0, 1);
            while which < count {
                let (end, death, _) = self.die(Point::Step(step, which), run).await;
                if !death.has_died {
                    return ends;
                }
                count = death.remains.len();
                if seen.insert((death.requests, death.remains[which].clone())) {
                    ends.push(end);
                }
                let is_new = |files: &Files| !seen.contains(&(death.requests, files.clone()));
                let rest = &death.remains[which + 1..];
                which += 1 + rest.iter().position(is_new).unwrap_or(rest.len());
            }
        }
        ends
    }

    /// Begins anew and dies there; says also whether all of the state was certain before.
    async fn die(&self, point: Point, run: &impl AsyncFn(&Stage, &Policy)) -> (End, Death, bool) {
        let (stage, policy) = self.begun().await;
        let was_certain = is_certain(&stage);
        let mut end = End { point, stage, policy };
        let run = async |stage: &Stage| run(stage, &end.policy).await;
        let death = die_in(&mut end.stage, point, run).await;
        (end, death, was_certain)
    }

    /// Makes a stage, and says what is allowed on it.
    pub async fn begun(&self) -> (Stage, Policy) {
        let stage = (self.stage)().await;
        let policy = (self.policy)(&stage);
        (stage, policy)
    }

    /// Kills at every point, lets the next run begin at once or later, and compares the end.
    pub async fn survives(&self, points_min: usize) -> Reference {
        let reference = self.reference().await;
        let mut points = 0;
        for pause in [0, SETTLED_SECONDS] {
            let ends = self.ends().await;
            points = ends.len();
            for End { point, stage, policy } in ends {
                let context = format!("{}: {point:?} {pause}", self.name);
                stage.wait(pause).await;
                let (plan, report) = stage.apply(&self.tree, &policy).await;
                laws::the_report_is_honest(&plan, &report, &context);
                laws::it_settles(&stage, &self.tree, &policy, &context).await;
                is_exactly(&stage, &reference, &context);
                if stage.dialect.deploy_after_patch {
                    laws::what_is_written_runs(&stage, &context);
                }
            }
        }
        let what = format!("crashes: {}: {} requests, points", self.name, reference.requests);
        tally::at_least(points_min, points, &what);
        reference
    }

    /// Kills at every point, and lets others go on with what each death leaves.
    pub async fn leaves(&self, points_min: usize, go_on: impl AsyncFn(Stage, &str)) {
        let ends = self.ends().await;
        let points = ends.len();
        for End { point, stage, policy: _ } in ends {
            go_on(stage, &format!("{}: {point:?}", self.name)).await;
        }
        tally::at_least(points_min, points, &format!("crashes: {}: points", self.name));
    }

    /// Kills at every point, and the next run again at every point of its own.
    pub async fn survives_twice(&self, pairs_min: usize) -> Reference {
        let reference = self.reference().await;
        let run = async |stage: &Stage, policy: &Policy| {
            drop(stage.try_apply(&self.tree, policy).await.unwrap());
        };
        let judge = async |End { stage, policy, .. }: End, context: &str| {
            laws::it_settles(&stage, &self.tree, &policy, context).await;
            is_exactly(&stage, &reference, context);
        };
        let pairs = self.pairs(&run, judge).await;
        tally::at_least(pairs_min, pairs, &format!("crashes: {}: ordered pairs", self.name));
        reference
    }

    /// Kills an agent at every point of its first minute, and the next again at every point of its
    /// own; the third ends the same, and then writes nothing.
    pub async fn an_agent_survives_twice(&self, pairs_min: usize) {
        let reference = self.reference().await;
        let keep = async |stage: &Stage, _: &Policy| self.keep(stage, LIFE_SECONDS).await;
        let judge = async |end, context: &str| self.ends_as(&reference, end, context).await;
        let pairs = self.pairs(&keep, judge).await;
        let what = format!("crashes: an agent {}: ordered pairs", self.name);
        tally::at_least(pairs_min, pairs, &what);
    }

    /// Kills whoever runs at every point, and the next again at every point of its own; returns how
    /// many pairs there were.
    async fn pairs(
        &self,
        run: &impl AsyncFn(&Stage, &Policy),
        judge: impl AsyncFn(End, &str),
    ) -> usize {
        let mut pairs = 0;
        let firsts = self.ends_of(run).await.into_iter().map(|end| end.point);
        for once in firsts.collect::<Vec<Point>>() {
            for pause in [0, SETTLED_SECONDS] {
                let stage = async || {
                    let (end, death, _) = self.die(once, run).await;
                    assert!(death.has_died, "{once:?}");
                    end.stage.wait(pause).await;
                    end.stage
                };
                // Only a create without an answer is met differently later.
                if pause > 0 && stage().await.inventory().intents.is_empty() {
                    continue;
                }
                let again =
                    Case { name: self.name, stage, tree: self.tree.clone(), policy: self.policy };
                for end in again.ends_of(run).await {
                    let twice = end.point;
                    let context =
                        format!("{}: {once:?}, then {twice:?} after {pause} s", self.name);
                    judge(end, &context).await;
                    pairs += 1;
                }
            }
        }
        pairs
    }

    /// Kills an agent at every point of its first minute and a little more; the next one ends the same, and then
    /// writes nothing.
    pub async fn an_agent_survives(&self, points_min: usize) {
        let reference = (self.stage)().await;
        self.keep(&reference, NEXT_LIFE_SECONDS).await;
        let reference = Reference::of(&reference, 0);
        let undisturbed = self.reference().await;
        assert_eq!(reference.truth, undisturbed.truth, "{}", self.name);
        assert_eq!(reference.counts, undisturbed.counts, "{}", self.name);
        let keep = async |stage: &Stage, _: &Policy| self.keep(stage, LIFE_SECONDS).await;
        let ends = self.ends_of(&keep).await;
        let points = ends.len();
        for end in ends {
            let context = format!("an agent {}: {:?}", self.name, end.point);
            self.ends_as(&reference, end, &context).await;
        }
        tally::at_least(points_min, points, &format!("crashes: an agent {}: points", self.name));
    }

    /// An agent keeps the manifests of the case.
    async fn keep(&self, stage: &Stage, seconds: u64) {
        keep_for(stage, settings(), &self.tree, seconds).await;
    }

    /// Lets the next agent live on what is left: it ends as the reference, and then nothing is
    /// written any more.
    async fn ends_as(&self, reference: &Reference, end: End, context: &str) {
        let End { point: _, stage, policy } = end;
        self.keep(&stage, NEXT_LIFE_SECONDS).await;
        let writes = stage.emulator.record().writes();
        is_exactly(&stage, reference, context);
        laws::it_settles(&stage, &self.tree, &policy, context).await;
        assert_eq!(stage.emulator.record().writes(), writes, "{context}");
    }
}

/// The end state, and how often each object was made and deleted, are those of the reference.
pub fn is_exactly(stage: &Stage, reference: &Reference, context: &str) {
    assert_eq!(laws::truth(&stage.emulator), reference.truth, "{context}");
    assert_eq!(laws::creates_and_deletes(&stage.emulator), reference.counts, "{context}");
    laws::nothing_is_there_twice(stage, context);
    laws::the_rate_is_kept(stage, context);
}
