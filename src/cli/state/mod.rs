//! `stoker state`: what is remembered, looked at, checked and copied. The platform is not asked, and
//! nothing remembered is changed.

mod document;

use std::path::{Path, PathBuf};

use crate::daemon::MEMORY_FILES;
use crate::render::{Paper, Style, Table};
use crate::secret::{FingerprintKey, KEY_FILE};
use crate::store::{Store, StoredState};

use super::arguments::{BackupCommand, OutputFormat, StateCommand, StateFlags};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::facts::{self, Facts};
use super::failure::Failure;
use super::hold::hold;
use super::session::state_place;
use super::settings::ConnectionSettings;
pub use document::{StateListDocument, StateShowDocument, StateVerifyDocument};

/// Looks, checks or copies.
pub async fn run(context: &Context, command: &StateCommand) -> Result<Exit, Failure> {
    match command {
        StateCommand::Show(flags) => show(context, &place(context, *flags)?),
        StateCommand::List(flags) => list(context, &place(context, *flags)?),
        StateCommand::Verify(flags) => verify(context, &place(context, *flags)?),
        StateCommand::Backup(BackupCommand { target, state }) => {
            backup(context, &place(context, *state)?, target).await
        }
    }
}

/// A wrong name must not read as a state without faults.
fn check_there(state: &Path) -> Result<(), Failure> {
    if state.is_dir() {
        return Ok(());
    }
    Err(Failure::usage(format!("there is no state in {}", state.display()))
        .hint("name it with --state, or --sandbox for the sandbox's"))
}

fn place(context: &Context, flags: StateFlags) -> Result<PathBuf, Failure> {
    context.check_project()?;
    let connection = flags.connection();
    let settings = ConnectionSettings::resolve(&connection, &context.file, &context.environment);
    state_place(context, settings.sandbox)
}

fn is_for_people(context: &Context) -> bool {
    matches!(context.output.form(), OutputFormat::Text | OutputFormat::Markdown)
}

/// Says where it is, whose it is and who may write it.
fn show(context: &Context, state: &Path) -> Result<Exit, Failure> {
    let StoredState { inventory, warning } = Store::read(state)?;
    let shown = StateShowDocument {
        place: state.display().to_string(),
        origin: inventory.pin.as_ref().map(|pin| pin.origin.clone()),
        project: inventory.pin.as_ref().map(|pin| pin.project.name.clone()),
        project_id: inventory.pin.as_ref().and_then(|it| Some(it.project.id.as_ref()?.to_string())),
        owned: inventory.entries.len(),
        pending: inventory.intents.len(),
        deploys_owed: inventory.deploys_owed.len(),
        holder: Store::holder(state)?,
        warning: warning.map(|warning| warning.to_string()),
    };
    if is_for_people(context) {
        context.output.data(&shown.paper());
    } else {
        context.output.document(&shown);
    }
    Ok(Exit::Done)
}

/// Lists what is remembered.
fn list(context: &Context, state: &Path) -> Result<Exit, Failure> {
    let StoredState { inventory, warning } = Store::read(state)?;
    if let Some(warning) = warning {
        context.output.warn(&warning.to_string());
    }
    let listed = StateListDocument::of(&inventory);
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown if listed.records.is_empty() => {
            context.output.note("Nothing is remembered.");
        }
        OutputFormat::Text | OutputFormat::Markdown => context.output.data(&table(&listed)),
        OutputFormat::Ndjson => listed.records.iter().for_each(|it| context.output.value(it)),
        OutputFormat::Json | OutputFormat::Yaml => context.output.document(&listed),
    }
    Ok(Exit::Done)
}

fn table(listed: &StateListDocument) -> Paper {
    let mut table = Table::new(&["KIND/NAME", "ID", "CLAIM", "SINCE", "KEPT BY"]);
    for record in &listed.records {
        table.row(vec![
            (Style::Plain, record.key.to_string()),
            facts::cell(record.id.as_deref()),
            (Style::Plain, record.claim.to_owned()),
            facts::cell(record.since.as_deref()),
            facts::cell(record.kept_by.as_deref()),
        ]);
    }
    table.into()
}

/// Reads every record.
fn verify(context: &Context, state: &Path) -> Result<Exit, Failure> {
    check_there(state)?;
    let mut verified = Store::verify(state)?;
    verified.faults.extend(fault_of_key(state)?);
    let verified = StateVerifyDocument::of(state, verified);
    print_verified(context, &verified);
    Ok(if verified.faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Returns what is wrong with the key: without it no secret is known again, and every generated value
/// changes.
fn fault_of_key(state: &Path) -> Result<Option<String>, Failure> {
    let Some(key) = FingerprintKey::load(state) else {
        let holds_marks = Store::read(state)?.inventory.holds_marks();
        return Ok(
            holds_marks.then(|| format!("{KEY_FILE} is missing, and secrets are marked with it"))
        );
    };
    Ok(key.err().map(|error| format!("failed to {error}")))
}

fn print_verified(context: &Context, verified: &StateVerifyDocument) {
    if is_for_people(context) {
        let mut facts = Facts::default();
        facts.heading(&verified.place);
        facts.fact("records", Some(verified.records.to_string()));
        facts.fact("generations", Some(verified.generations.to_string()));
        let faults = if verified.faults.is_empty() { "none" } else { "see below" };
        facts.fact("faults", Some(faults));
        verified.faults.iter().for_each(|fault| facts.line(fault));
        context.output.data(&facts.into_paper());
    } else {
        context.output.document(verified);
    }
}

/// Copies it while nobody else writes.
async fn backup(context: &Context, state: &Path, target: &Path) -> Result<Exit, Failure> {
    check_there(state)?;
    let store = hold(context, &state.into(), "state backup", None).await?;
    if let Some(fault) = fault_of_key(state)? {
        let hint = "restore it from a backup; a copy without it could not be used";
        return Err(Failure::new(ErrorCode::State, fault).hint(hint));
    }
    let beside = MEMORY_FILES.into_iter().chain([KEY_FILE]);
    let verified = store.back_up(target, &beside.collect::<Vec<_>>())?;
    print_verified(context, &StateVerifyDocument::of(target, verified));
    Ok(Exit::Done)
}
