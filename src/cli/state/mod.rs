//! `stoker state`: what is remembered, looked at, checked, copied and moved. The platform is not asked,
//! and nothing remembered is changed.

mod document;

use std::path::Path;

use crate::clock::Clock;
use crate::daemon::MEMORY_FILES;
use crate::render::{Paper, Style, Table};
use crate::secret::{FingerprintKey, KEY_FILE};
use crate::store::{FilesBeside, Medium, Store, StoredState};

use super::arguments::{BackupCommand, OutputFormat, PushCommand, StateCommand, StateFlags};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::facts::{self, Facts};
use super::failure::Failure;
use super::hold::{hold, holder};
use super::place::{Absent, OpenState, StatePlace};
use super::session::{inventory, open_state};
pub use document::{StateListDocument, StateShowDocument, StateVerifyDocument};

/// Looks, checks or copies.
pub async fn run(context: &Context, command: &StateCommand) -> Result<Exit, Failure> {
    match command {
        StateCommand::Show(flags) => show(context, &open(context, *flags)?.medium),
        StateCommand::List(flags) => list(context, &open(context, *flags)?.medium),
        StateCommand::Verify(flags) => verify(context, &open(context, *flags)?),
        StateCommand::Backup(BackupCommand { target, state }) => {
            backup(context, &open(context, *state)?, target).await
        }
        StateCommand::Push(PushCommand { to }) => push(context, to).await,
    }
}

/// A wrong name must not read as a state without faults.
fn check_there(state: &Medium) -> Result<(), Failure> {
    match state {
        Medium::Directory(path) if !path.is_dir() => {
            Err(Failure::usage(format!("there is no state in {}", path.display()))
                .hint("name it with --state, or use --sandbox for the sandbox's"))
        }
        // A shared one that is not there was refused when it was opened.
        Medium::Directory(_) | Medium::Shared(_) | Medium::Memory(_) => Ok(()),
    }
}

fn open(context: &Context, flags: StateFlags) -> Result<OpenState, Failure> {
    context.check_project()?;
    open_state(context, &flags.connection(), Absent::Refuse)
}

fn is_for_people(context: &Context) -> bool {
    matches!(context.output.form(), OutputFormat::Text | OutputFormat::Markdown)
}

/// Says where it is, whose it is and who may write it.
fn show(context: &Context, state: &Medium) -> Result<Exit, Failure> {
    let StoredState { inventory, warning } = state.read()?;
    let shown = StateShowDocument {
        place: state.place().display().to_string(),
        origin: inventory.pin.as_ref().map(|pin| pin.origin.clone()),
        project: inventory.pin.as_ref().map(|pin| pin.project.name.clone()),
        project_id: inventory.pin.as_ref().and_then(|it| Some(it.project.id.as_ref()?.to_string())),
        owned: inventory.entries.len(),
        pending: inventory.intents.len(),
        deploys_owed: inventory.deploys_owed.len(),
        holder: state.holder()?,
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
fn list(context: &Context, state: &Medium) -> Result<Exit, Failure> {
    let inventory = inventory(context, state)?;
    let listed = StateListDocument::of(&inventory);
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown if listed.records.is_empty() => {
            context.output.note("The state records no resources.");
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
fn verify(context: &Context, state: &OpenState) -> Result<Exit, Failure> {
    let OpenState { medium, key: _ } = state;
    check_there(medium)?;
    let mut verified = medium.verify()?;
    verified.faults.extend(fault_of_key(state)?);
    let verified = StateVerifyDocument::of(medium.place(), verified);
    print_verified(context, &verified);
    Ok(if verified.faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Returns what is wrong with the key: without it no secret is known again, and every generated value
/// changes. That of a shared state was opened with it.
fn fault_of_key(state: &OpenState) -> Result<Option<String>, Failure> {
    let OpenState { medium: Medium::Directory(directory), key: None } = state else {
        return Ok(None);
    };
    let Some(key) = FingerprintKey::load(directory) else {
        let holds_marks = Store::read(directory)?.inventory.holds_marks();
        return Ok(holds_marks
            .then(|| format!("{KEY_FILE} is missing, and secrets are recognised with it")));
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
async fn backup(context: &Context, state: &OpenState, target: &Path) -> Result<Exit, Failure> {
    check_there(&state.medium)?;
    let store = hold(context, &state.medium, "state backup", None).await?;
    check_key(state)?;
    let mut beside = memory_files(&state.medium)?;
    let key = match &state.key {
        Some(key) => Some(key.text().as_bytes().to_vec()),
        None => read_beside(&state.medium, KEY_FILE)?,
    };
    beside.extend(key.map(|key| (KEY_FILE.to_owned(), key)));
    let verified = store.back_up(target, &beside)?;
    print_verified(context, &StateVerifyDocument::of(target, verified));
    Ok(Exit::Done)
}

fn check_key(state: &OpenState) -> Result<(), Failure> {
    let Some(fault) = fault_of_key(state)? else { return Ok(()) };
    let hint = "restore it from a backup; a copy without it could not be used";
    Err(Failure::new(ErrorCode::State, fault).hint(hint))
}

/// Reads what an agent must still know after a restart.
fn memory_files(state: &Medium) -> Result<FilesBeside, Failure> {
    let mut files = FilesBeside::new();
    for name in MEMORY_FILES {
        files.extend(read_beside(state, name)?.map(|bytes| (name.to_owned(), bytes)));
    }
    Ok(files)
}

fn read_beside(state: &Medium, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    state.read_file(name).map_err(|error| {
        let place = state.place().display();
        Failure::new(ErrorCode::State, format!("failed to read {name} in {place}: {error}"))
    })
}

/// Moves the state of this machine to a store that many machines reach, while nobody else writes.
async fn push(context: &Context, to: &Path) -> Result<Exit, Failure> {
    let from = open(context, StateFlags::default())?;
    let Medium::Directory(directory) = &from.medium else {
        return Err(Failure::usage("the state is shared already")
            .hint("name the directory that holds it with --state"));
    };
    check_there(&from.medium)?;
    let store = hold(context, &from.medium, "state push", None).await?;
    check_key(&from)?;
    let beside = memory_files(&from.medium)?;
    let key = FingerprintKey::load_or_create(directory)
        .map_err(|error| Failure::new(ErrorCode::State, format!("failed to {error}")))?;
    let target = StatePlace::of(to, false, &context.environment)?;
    let target = target.begin_with(&context.environment, &key)?.medium;
    let holder = holder("state push", Clock::system().now());
    let verified = store.move_to(&target, &holder, &beside)?;
    print_verified(context, &StateVerifyDocument::of(target.place(), verified));
    let place = target.place().display();
    context.output.note(&format!("The state is at {place} now; name it with --state."));
    Ok(Exit::Done)
}
