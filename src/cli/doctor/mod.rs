//! `stoker doctor`: what is well and what is not, from the state directory to the API.
//!
//! Every check is made, whatever became of those before it. It writes nothing anywhere; with
//! `--probe` it learns from a throwaway service how the platform behaves, after asking.

mod check;
mod document;
mod judge;
mod local;
mod probe;
mod remote;
mod throwaway;

use crate::render::{Line, Paper, Style, Table};

use super::arguments::{DoctorCommand, OutputFormat};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::session::{Purpose, Session};
use super::settings::{self, ConnectionSettings};
use check::{Check, CheckOutcome};
pub use document::DoctorDocument;
use judge::{AssumptionVerdict, Finding};
use probe::Probed;

/// Checks, probes where that was asked for, and prints.
pub async fn run(
    context: &Context,
    command: &DoctorCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let DoctorCommand { probe: is_probe, approval, connection } = command;
    context.check_project()?;
    let is_approved = settings::is_approved(*approval, &context.file);
    if *is_probe && !is_approved && !context.output.can_ask() {
        return Err(Failure::usage("approval is needed, and stdin is not a terminal")
            .hint("approve in advance with --auto-approve"));
    }
    let wanted = ConnectionSettings::resolve(connection, &context.file, &context.environment);
    let mut checks = local::checks(context, &wanted);
    let purpose = if *is_probe { Purpose::Write } else { Purpose::Read };
    let session = match Session::open_urgent(context, connection, purpose) {
        Ok(session) => Some(session),
        Err(failure) => {
            checks.push(Check::failed("connection", &failure));
            None
        }
    };
    if let Some(session) = &session {
        checks.extend(remote::checks(session).await);
    }
    let exit = exit(&checks);
    let is_text = matches!(context.output.form(), OutputFormat::Text | OutputFormat::Markdown);
    if is_text {
        print(context, &checks, session.as_ref());
    }
    let forms = match session.as_ref().filter(|_| *is_probe) {
        Some(session) => session.project.client.survey().await,
        None => Vec::new(),
    };
    let probed = match session.as_ref().filter(|_| *is_probe) {
        None => Probed { findings: Vec::new(), ended: Ok(exit) },
        Some(_) if exit != Exit::Done => {
            context.output.warn("the probe does not run while a check fails");
            Probed { findings: Vec::new(), ended: Ok(exit) }
        }
        Some(session) => probe::run(context, connection, session, is_approved, interrupt).await?,
    };
    let Probed { findings, ended } = probed;
    let findings: Vec<Finding> = forms.into_iter().map(Finding::from).chain(findings).collect();
    if is_text && !findings.is_empty() {
        print_findings(context, &findings);
    }
    // In the other forms a failure is the one document on stdout.
    let exit = ended?;
    if !is_text {
        context.output.document(&DoctorDocument::new(&checks, session.as_ref(), &findings));
    }
    Ok(exit)
}

/// A refused token or a missing right outweighs other failures: nothing else can be mended first.
/// After it comes the time being up: the rest was not checked.
fn exit(checks: &[Check]) -> Exit {
    let failed = || checks.iter().filter(|check| check.outcome == CheckOutcome::Failed);
    let ends_as = |exit| failed().any(|check| check.exit == exit).then_some(exit);
    let otherwise = if failed().next().is_some() { Exit::Failed } else { Exit::Done };
    ends_as(Exit::Denied).or_else(|| ends_as(Exit::OverBudget)).unwrap_or(otherwise)
}

fn print(context: &Context, checks: &[Check], session: Option<&Session>) {
    let dialect =
        session.map(|session| session.project.client.dialect().entries()).unwrap_or_default();
    let mut paper = Paper::new();
    checks.iter().for_each(|check| check.print(&mut paper));
    context.output.data(&paper);
    if dialect.is_empty() {
        return;
    }
    let mut table = Table::new(&["DIALECT", "VALUE", "ASSUMED", "MEANING"]);
    for entry in dialect {
        let value = if entry.value.is_empty() { "—".to_owned() } else { entry.value };
        let texts = [entry.key.to_owned(), value, entry.assumption.to_owned(), entry.about.into()];
        table.row(texts.map(|text| (Style::Plain, text)).into());
    }
    context.output.text("\n");
    context.output.data(&table.into());
}

/// Prints what the probe found.
fn print_findings(context: &Context, findings: &[Finding]) {
    let mut table = Table::new(&["FACT", "ASSUMED", "VERDICT", "SEEN"]);
    for finding in findings {
        let Finding { fact, assumption, verdict, seen } = finding;
        let (style, word) = match verdict {
            AssumptionVerdict::Confirmed => (Style::Added, "confirmed"),
            AssumptionVerdict::False { .. } => (Style::Blocked, "false"),
            AssumptionVerdict::Unknown => (Style::Dim, "unknown"),
        };
        table.row(vec![
            (Style::Plain, fact.clone()),
            (Style::Plain, (*assumption).to_owned()),
            (style, word.to_owned()),
            (Style::Plain, seen.clone()),
        ]);
    }
    context.output.text("\n");
    context.output.data(&table.into());
    let settings = findings.iter().filter_map(|finding| match &finding.verdict {
        AssumptionVerdict::False { set: Some(set) } => Some(set),
        AssumptionVerdict::False { set: None }
        | AssumptionVerdict::Confirmed
        | AssumptionVerdict::Unknown => None,
    });
    let mut paper = Paper::new();
    for set in settings {
        paper.push(Line::of("set ").with(Style::Bold, format!("--dialect {set}")));
    }
    context.output.data(&paper);
}
