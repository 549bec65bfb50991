//! `stoker apply`: plan, ask, carry out; or carry out a saved plan as it was reviewed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::{Execution, Happening, Patience};
use crate::follow::Ending;
use crate::model::Key;
use crate::plan::{Conclusion, Outcome, Plan, Policy, Report, RunRequest};
use crate::project::Planned;
use crate::render;
use crate::render::json::{SavedByHand, SavedReport, SavedUnsettled};
use crate::store::Store;

use super::arguments::{ApplyCommand, Command, OutputFormat};
use super::ask::{Consent, Question, ask};
use super::context::Context;
use super::endings::EndedDeployment;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::manifests::{Manifests, tree_settings};
use super::plan::{check_selection, hand_on};
use super::planning::{EstimatedPlan, estimate, planned, sourceless};
use super::policies::{self, Judges};
use super::progress::ProgressDisplay;
use super::projects::{self, ProjectAnswers};
use super::saved::Allowed;
use super::session::{Purpose, Session};
use super::{endings, saved, settings};

/// How long a deployment is waited for unless `--timeout` says otherwise.
const DEPLOYMENTS_MAX: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// Plans, asks, carries out, and waits where that was asked for.
pub async fn run(
    context: &Context,
    command: &Command,
    apply: &ApplyCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    if apply.all_projects {
        return run_all(context, command, apply, interrupt).await;
    }
    context.check_project()?;
    let prepared = PreparedApply::prepare(context, apply, context.output.can_ask()).await?;
    if prepared.asks
        && prepared.planned.plan.is_pending()
        && let Consent::No(exit) = ask(context, &Question::Apply, interrupt).await?
    {
        return Ok(exit);
    }
    prepared.carry_out(context, apply, interrupt).await
}

/// Plans for all projects, asks once, and carries out one project after the other, in the order of
/// the settings. Where one cannot be planned, none is begun; after one that ends with anything else
/// than done no other is begun.
async fn run_all(
    context: &Context,
    command: &Command,
    apply: &ApplyCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    if split(&apply.paths).0.is_some() {
        return Err(Failure::usage("a saved plan is for one project")
            .hint("leave out --all-projects, and name the project with --project"));
    }
    let can_ask = context.output.can_ask();
    let contexts = projects::contexts(context)?;
    let prepare = async |of_one: &Context| PreparedApply::prepare(of_one, apply, can_ask).await;
    let prepared = projects::each(&contexts, prepare).await;
    let mut answers = ProjectAnswers::of(context);
    let mut all = Vec::new();
    for ((name, of_one), prepared) in contexts.iter().zip(prepared) {
        match prepared {
            Ok(prepared) => {
                answers.show(name, of_one);
                all.push((*name, of_one, prepared));
            }
            Err(failure) => answers.add(name, of_one, command, Err(failure)),
        }
    }
    if all.len() < contexts.len() {
        all.iter().for_each(|(name, _, _)| answers.not_begun(name));
        return Ok(answers.end());
    }
    let is_pending = |prepared: &PreparedApply| prepared.asks && prepared.planned.plan.is_pending();
    if all.iter().any(|(_, _, prepared)| is_pending(prepared))
        && let Consent::No(exit) = ask(context, &Question::ApplyAll, interrupt).await?
    {
        return Ok(exit);
    }
    for (name, of_one, prepared) in all {
        if answers.exit() == Exit::Done {
            let live =
                prepared.planned.plan.is_pending().then(|| answers.begin_live(name)).flatten();
            let of_one = live.as_ref().unwrap_or(of_one);
            let ended = prepared.carry_out(of_one, apply, interrupt).await;
            answers.add(name, of_one, command, ended);
            if live.is_some() {
                answers.gap();
            }
        } else {
            answers.not_begun(name);
        }
    }
    Ok(answers.end())
}

/// A plan that was shown, with all that carrying it out needs. The state is locked.
struct PreparedApply {
    session: Session,
    store: Store,
    planned: Planned,
    /// Whether a person must approve it.
    asks: bool,
}

impl PreparedApply {
    /// Plans, and shows the plan.
    async fn prepare(
        context: &Context,
        command: &ApplyCommand,
        can_ask: bool,
    ) -> Result<Self, Failure> {
        let ApplyCommand { paths, chosen, approval, planning, connection, .. } = command;
        let (plan_file, paths) = split(paths);
        let tree = tree_settings(context, chosen)?;
        let (saved_plan, policy, tree) = match plan_file {
            Some(file) => {
                let Allowed { plan, policy, environment } = saved::read(file)?;
                saved::check_environment(chosen, environment.as_deref())?;
                (Some(plan), policy, settings::TreeSettings { environment, ..tree })
            }
            None => (None, settings::policy(planning, &context.file), tree),
        };
        let asks = saved_plan.is_none() && !settings::is_approved(*approval, &context.file);
        // Who is asked, and says yes, orders what is shown: nothing before it counts against it (S7).
        let is_ordered = policy.request.is_ordered || asks && can_ask;
        let request = RunRequest { is_ordered, ..policy.request };
        let policy = Policy { request, ..policy };
        let saved_paths = saved_plan.iter().flat_map(|plan| &plan.paths).map(PathBuf::from);
        let paths = if paths.is_empty() { saved_paths.collect() } else { paths.to_vec() };
        let manifests = Manifests::read_of(context, &paths, tree)?;
        if saved_plan.is_none() {
            check_selection(&policy, &manifests)?;
        }
        let judges = Judges::call(context)?;
        let guard = manifests.declared.guard.as_ref();
        let session = Session::open_for(context, connection, Purpose::Write, guard)?;
        let store = session.hold(context, "apply").await?;
        let policy = session.project.policy(policy);
        let key = session.fingerprint_key()?;
        let (desired, _) = manifests.resolve(context, &key)?;
        let EstimatedPlan { mut planned, estimate: mut forecast, sight: _ } =
            planned(context, &session, desired, &policy).await?;
        sourceless(context, &planned.plan);
        if let Some(saved_plan) = &saved_plan {
            let Planned { snapshot, plan, settle, warning } = planned;
            saved::check(saved_plan, &snapshot)?;
            let state = saved::mark_of(&snapshot.inventory, &key);
            let plan = saved::reviewed(saved_plan, plan, &snapshot, &policy, &state)?;
            saved::check_shown(saved_plan, &plan)?;
            forecast = estimate(&session, &plan)?;
            planned = Planned { snapshot, plan, settle, warning };
        }
        let findings = judges.judge(&planned);
        if context.output.form() == OutputFormat::Text {
            context.output.data(&render::plan_as_text(&planned.plan, &forecast));
            context.output.data(&render::policies_as_text(&findings));
        }
        hand_on(context, &planned.plan, &forecast, &findings);
        policies::check(&findings)?;
        Ok(Self { session, store, planned, asks })
    }

    /// Carries the plan out, waits where that was asked for, and reports.
    async fn carry_out(
        self,
        context: &Context,
        command: &ApplyCommand,
        interrupt: &Interrupt,
    ) -> Result<Exit, Failure> {
        let Self { session, store, planned, asks: _ } = self;
        let since = session.project.clock.now();
        let report = carry_out(context, &session, store, &planned, interrupt).await?;
        let endings = if settings::waits(command.waiting, &context.file) {
            wait(context, &session, &planned.plan, &report, since, interrupt).await?
        } else {
            BTreeMap::new()
        };
        report_to(context, &planned.plan, &report, &endings);
        let ended = endings.values().map(endings::exit).max().unwrap_or(Exit::Done);
        Ok(interrupt.exit().unwrap_or_else(|| exit_of(&report).max(ended)))
    }
}

/// A first path that is a `.json` file is a saved plan; what follows are its manifests.
fn split(paths: &[PathBuf]) -> (Option<&Path>, &[PathBuf]) {
    match paths {
        [first, rest @ ..] if first.extension().is_some_and(|it| it == "json") => {
            (Some(first), rest)
        }
        all => (None, all),
    }
}

/// Carries a plan out, having pinned the project (S5).
///
/// # Errors
/// When nothing could be begun at all.
pub async fn carry_out(
    context: &Context,
    session: &Session,
    store: Store,
    planned: &Planned,
    interrupt: &Interrupt,
) -> Result<Report, Failure> {
    let progress = ProgressDisplay::new(&context.output);
    let observe = |happening: Happening<'_>| show(&progress, happening);
    let execution =
        Execution { patience: Patience::Wait, stop: interrupt.stop(), observe: &observe };
    Ok(session.project.carry_out(store, planned, execution).await?)
}

/// Waits for the deployments of what was created and changed.
async fn wait(
    context: &Context,
    session: &Session,
    plan: &Plan,
    report: &Report,
    since: Timestamp,
    interrupt: &Interrupt,
) -> Result<BTreeMap<Key, Ending>, Failure> {
    let deadline = session.deadline.unwrap_or_else(|| {
        session.project.clock.now().checked_add(DEPLOYMENTS_MAX).unwrap_or(Timestamp::MAX)
    });
    let progress = ProgressDisplay::new(&context.output);
    let observe = |key: &Key, status: &str| progress.status(key, status);
    tokio::select! {
        endings = session.project.follow(plan, report, since, deadline, &observe) => Ok(endings?),
        _ = interrupt.came() => Ok(BTreeMap::new()),
    }
}

fn show(progress: &ProgressDisplay<'_>, happening: Happening<'_>) {
    match happening {
        Happening::Began(key) => progress.status(key, "in progress"),
        Happening::Resolving(key, settle) => progress.status(
            key,
            &format!("the answer was lost; the outcome is known in at most {} s", settle.as_secs()),
        ),
        Happening::Busy(key) => progress.status(key, "a deploy is in progress; waiting for it"),
        Happening::Ended(key, outcome) => progress.done(key, word(outcome)),
    }
}

const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "done",
        Outcome::Failed { .. } => "failed",
        Outcome::Stale { .. } => "changed in the meantime, skipped",
        Outcome::Unresolved { .. } => "unresolved",
        Outcome::Skipped { .. } => "skipped",
        Outcome::NotStarted => "not started",
        Outcome::Blocked { .. } => "blocked",
    }
}

/// What became of a plan, and what is left for people to do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplyDocument {
    #[serde(flatten)]
    report: SavedReport,
    /// How the deployments ended that were waited for (`--wait`).
    deployments: Vec<EndedDeployment>,
    /// What people set, and what the platform shows of it.
    by_hand: Vec<SavedByHand>,
    /// Declared values that were never written and that the platform does not show.
    unsettled: Vec<SavedUnsettled>,
}

/// Prints what became of a plan, and what is left for people to do.
pub fn report_to(context: &Context, plan: &Plan, report: &Report, endings: &BTreeMap<Key, Ending>) {
    // Where nothing could be done, the plan has said all there is to say.
    let is_blocked = |outcome: &Outcome| matches!(outcome, Outcome::Blocked { .. });
    let has_news = report.results.iter().any(|result| !is_blocked(&result.outcome));
    let saved = SavedReport::from(report);
    context.closing.sum_up(&saved.summary);
    if has_news {
        context.output.summarise(|| render::report_as_markdown(report));
    }
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown if !has_news => {}
        OutputFormat::Markdown => {
            context.output.text(&render::report_as_markdown(report));
            for (key, ending) in endings {
                context.output.data(&endings::text(key, ending));
            }
            context.output.text(&render::by_hand_as_markdown(plan));
            context.output.text(&render::unsettled_as_markdown(plan));
        }
        OutputFormat::Text => {
            context.output.data(&render::report_as_text(report));
            for (key, ending) in endings {
                context.output.data(&endings::text(key, ending));
            }
            context.output.data(&render::by_hand_as_text(plan));
            context.output.data(&render::unsettled_as_text(plan));
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            let ended = endings.iter().map(|(key, ending)| EndedDeployment::new(key, ending));
            let document = ApplyDocument {
                report: saved,
                deployments: ended.collect(),
                by_hand: render::json::by_hand(plan),
                unsettled: render::json::unsettled(plan),
            };
            context.output.document(&document);
        }
    }
}

/// Returns the exit code of a report.
#[must_use]
pub fn exit_of(report: &Report) -> Exit {
    match report.conclusion() {
        Conclusion::Done => Exit::Done,
        Conclusion::Failed => Exit::Failed,
        Conclusion::Denied => Exit::Denied,
        Conclusion::OverBudget => Exit::OverBudget,
        // Done as far as it was seen.
        Conclusion::Partial | Conclusion::Unseen => Exit::Partial,
        Conclusion::Refused => Exit::Refused,
        Conclusion::Stale => Exit::Stale,
        Conclusion::Stopped => Exit::Interrupted,
    }
}
