//! `stoker plan`: what would change. It is never handed the right to write.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::manifest;
use crate::model::{Key, Kind};
use crate::plan::{FieldAddress, Plan, Policy, RuleFinding};
use crate::project::Planned;
use crate::render::json::{SavedPlan, SavedSummary};
use crate::render::{self, Estimate, Line, Paper};
use crate::status::paper::span;

use super::arguments::{OutputFormat, PlanCommand};
use super::beside;
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::manifests::Manifests;
use super::planning::{EstimatedPlan, planned, planned_on_last_look, sourceless};
use super::policies::Judges;
use super::saved;
use super::session::{Purpose, Session};
use super::settings;

/// Plans, prints, and saves where that was asked for.
pub async fn run(context: &Context, command: &PlanCommand) -> Result<Exit, Failure> {
    let PlanCommand { sources, out, detailed_exitcode, refresh, planning, connection, .. } =
        command;
    if out.as_deref() == Some(Path::new("-")) {
        // It would become a file of that name, and `stoker apply -` reads manifests.
        return Err(Failure::usage("a plan is saved in a file, and `-` is not a file")
            .hint("`stoker plan -o json` prints it"));
    }
    let is_refreshed = refresh.unwrap_or(true);
    if out.is_some() && !is_refreshed {
        // Nothing is ever written on the strength of a last look (S10).
        return Err(Failure::usage(
            "a plan without a refresh is never applied, and so is not saved",
        )
        .hint("leave out --refresh=false, or --out"));
    }
    if let Some(path) = out {
        check_place(path)?;
    }
    context.check_project()?;
    let manifests = Manifests::read(context, sources)?;
    let policy = settings::policy(planning, &context.file);
    check_selection(&policy, &manifests)?;
    let judges = Judges::call(context)?;
    let guard = manifests.declared.guard.as_ref();
    let session = Session::open_for(context, connection, Purpose::Read, guard)?;
    let key = session.fingerprint_key()?;
    let (desired, mut reading) = manifests.resolve(context, &key)?;
    let (planned, looked_at) = if is_refreshed {
        (planned(context, &session, desired, &policy).await?, None)
    } else {
        let (planned, at) = planned_on_last_look(context, &session, desired, &policy)?;
        (planned, Some(at))
    };
    let EstimatedPlan { planned, estimate, sight } = planned;
    let findings = judges.judge(&planned);
    let Planned { snapshot, plan, .. } = planned;
    reading.warnings.extend(sourceless(context, &plan));
    reading
        .warnings
        .extend(beside::findings(context, connection, &session, &snapshot, &policy).await);
    let document = || {
        let state = saved::mark_of(&snapshot.inventory, &key);
        let mut preamble = saved::preamble(&reading, &policy, &snapshot, state, estimate);
        preamble.options.insert(saved::REFRESHED.to_owned(), looked_at.is_none().into());
        let at = looked_at.map(|at| ("lookedAt".to_owned(), at.to_string().into()));
        preamble.options.extend(at);
        preamble.shows_unmanaged = command.show_unmanaged;
        preamble.policies.clone_from(&findings);
        SavedPlan::new(&plan, preamble)
    };
    print(context, &plan, &estimate, &findings, document);
    if command.show_unmanaged {
        print_unmanaged(context, &plan);
    }
    if let Some(at) = looked_at {
        tell_age(context, at, session.project.clock.now());
    }
    hand_on(context, &plan, &estimate, &findings);
    if findings.iter().any(RuleFinding::refuses) {
        if out.is_some() {
            context.output.warn("the plan was not saved, because a policy refuses it");
        }
        // What it did not see it may have to refuse as well: that goes first.
        return Ok(if sight == Exit::Done { Exit::Refused } else { sight });
    }
    if let Some(path) = out {
        write_whole(path, &document().to_json())?;
        let place = path.display();
        context.output.note(&format!("The plan was saved; `stoker apply {place}` applies it."));
    }
    Ok(if *detailed_exitcode { detailed(&plan, sight) } else { sight })
}

/// Tells a script whether something waits to be written, and never "nothing to do" of what is held
/// back, was not seen or is unsettled: where only that is left, the code is that of a refusal (S2, S7).
fn detailed(plan: &Plan, sight: Exit) -> Exit {
    if sight != Exit::Done {
        // A plan that did not see what it needed is neither "nothing to do" nor "so much to do".
        sight
    } else if plan.is_pending() {
        Exit::Pending
    } else if plan.is_held_back() || plan.is_unsettled() {
        Exit::Refused
    } else {
        Exit::Done
    }
}

/// Prints a plan in the form that was asked for; its document is made only for whom it is.
fn print(
    context: &Context,
    plan: &Plan,
    estimate: &Estimate,
    findings: &[RuleFinding],
    document: impl FnOnce() -> SavedPlan,
) {
    let output = &context.output;
    context.closing.sum_up(&SavedSummary::of(plan));
    match output.form() {
        OutputFormat::Text => {
            output.data(&render::plan_as_text(plan, estimate));
            output.data(&render::policies_as_text(findings));
        }
        OutputFormat::Markdown => output.text(&as_markdown(plan, estimate, findings)),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            print_document(context, &document())
        }
    }
}

/// Prints beside a plan for people what is not managed; its document lists it.
fn print_unmanaged(context: &Context, plan: &Plan) {
    match context.output.form() {
        OutputFormat::Text => context.output.data(&render::unmanaged_as_text(plan)),
        OutputFormat::Markdown => context.output.text(&render::unmanaged_as_markdown(plan)),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {}
    }
}

/// Prints the document of a plan in the form for programs that was asked for.
pub fn print_document(context: &Context, document: &SavedPlan) {
    match context.output.form() {
        OutputFormat::Ndjson => context.output.text(&document.to_ndjson()),
        OutputFormat::Text | OutputFormat::Markdown | OutputFormat::Json | OutputFormat::Yaml => {
            context.output.value(document)
        }
    }
}

/// Says how old that is which a plan was made on, beside the plan and to who only hears errors.
fn tell_age(context: &Context, at: Timestamp, now: Timestamp) {
    let age = span(now.duration_since(at));
    let told = format!("Planned on what was seen {age} ago, at {at:.0}; no request was sent.");
    match context.output.form() {
        OutputFormat::Text => context.output.data(&Paper::from(Line::of(told))),
        OutputFormat::Markdown => context.output.text(&format!("\n{told}\n")),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.warn(&told)
        }
    }
}

fn as_markdown(plan: &Plan, estimate: &Estimate, findings: &[RuleFinding]) -> String {
    render::plan_as_markdown(plan, estimate) + &render::policies_as_markdown(findings)
}

/// Gives a plan to the step of GitHub Actions it is made in, in whatever form it is printed.
pub fn hand_on(context: &Context, plan: &Plan, estimate: &Estimate, findings: &[RuleFinding]) {
    context.output.summarise(|| as_markdown(plan, estimate, findings));
    let summary = plan.summary();
    context.output.github_outputs(&[
        ("add", summary.add.to_string()),
        ("change", summary.change.to_string()),
        ("destroy", summary.destroy.to_string()),
        ("blocked", summary.blocked.to_string()),
        ("unknown", summary.unknown.to_string()),
        ("unsettled", summary.unsettled.to_string()),
        ("pending", plan.is_pending().to_string()),
    ]);
}

/// Refuses a selection that names nothing: a typing mistake must not read as "no changes".
pub fn check_selection(policy: &Policy, manifests: &Manifests) -> Result<(), Failure> {
    let declared = &manifests.declared;
    let is_declared =
        |key: &Key| declared.resources.contains_key(key) || declared.tombstones.contains_key(key);
    if let Some(key) = policy.request.replace.keys().find(|key| key.kind != Kind::Service) {
        let message = format!("{key} is to be replaced, and only a service can be");
        return Err(Failure::usage(message).hint("its data would be deleted with it"));
    }
    let (selection, settlements) = (&policy.request.selection, &policy.request.settlements);
    let places = || settlements.write.iter().chain(&settlements.accept);
    let named = selection.targets.iter().chain(&selection.excluded);
    let mut named =
        named.chain(policy.request.replace.keys()).chain(places().map(|place| &place.key));
    if let Some(key) = named.find(|key| !is_declared(key)) {
        let failure = Failure::usage(format!("{key} is selected, but no manifest declares it"));
        let known = declared.resources.keys().chain(declared.tombstones.keys());
        return Err(find::with_nearest(failure, key, known));
    }
    places().try_for_each(|place| check_place_declared(place, manifests))
}

/// Refuses a field that no manifest declares: nothing could be settled of it.
fn check_place_declared(place: &FieldAddress, manifests: &Manifests) -> Result<(), Failure> {
    let FieldAddress { key, path } = place;
    let resource = manifests.declared.resources.get(key);
    let (Some(path), Some(resource)) = (path, resource) else {
        return Ok(());
    };
    if resource.fields.contains_key(path) {
        return Ok(());
    }
    let failure = Failure::usage(format!("{place} is selected, but no manifest declares it"));
    let known: Vec<String> = resource.fields.keys().map(ToString::to_string).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Err(match manifest::nearest(&path.to_string(), &known) {
        Some(near) => failure.hint(format!("did you mean {key}:{near}?")),
        None => failure,
    })
}

/// Fails where a plan could not be saved, before any request is spent on it.
fn check_place(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(unsaved(path, "it is a directory"));
    }
    let directory = directory(path);
    if !directory.is_dir() {
        return Err(unsaved(path, format!("the directory {} does not exist", directory.display())));
    }
    tempfile::NamedTempFile::new_in(directory).map(drop).map_err(|error| unsaved(path, error))
}

/// Writes a file whole or not at all.
fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        let mut draft = tempfile::NamedTempFile::new_in(directory(path))?;
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(|error| unsaved(path, error))
}

fn directory(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn unsaved(path: &Path, reason: impl std::fmt::Display) -> Failure {
    let place = path.display();
    Failure::new(ErrorCode::Out, format!("failed to save the plan in {place}: {reason}"))
}
