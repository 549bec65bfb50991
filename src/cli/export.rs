//! `stoker export`: live state as manifests; planning them gives no changes.

use std::collections::BTreeSet;

use crate::manifest;
use crate::model::{Kind, LiveObject};
use crate::store::Store;

use super::arguments::{ExportCommand, Form};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::offline::no_such_form;
use super::session::{Purpose, Session};
use super::values::Selector;

/// Reads what is selected, with all details, and prints it as native documents.
pub async fn run(context: &Context, command: &ExportCommand) -> Result<Exit, Failure> {
    let ExportCommand { selectors, connection } = command;
    let session = Session::open(context, connection, Purpose::Read)?;
    let objects = read(&session, selectors).await?;
    if let Some(missing) = selectors.iter().find(|selector| {
        selector.is_one() && !objects.iter().any(|it| selector.covers(it.kind, &it.name))
    }) {
        return Err(Failure::new(ErrorCode::NotFound, format!("{missing} does not live here")));
    }
    let inventory = Store::read(&session.state)?.inventory;
    let (desired, diagnostics) = manifest::export(&objects, &inventory);
    context.output.diagnostics(&diagnostics);
    match context.output.form() {
        Form::Text | Form::Yaml => context.output.text(&manifest::print(&desired)),
        Form::Json | Form::Ndjson => context.output.value(&manifest::documents(&desired)),
        Form::Markdown => return Err(no_such_form("export", "markdown")),
    }
    Ok(Exit::Done)
}

/// Reads the kinds that are selected, and env groups first: services name them by id.
async fn read(session: &Session, selectors: &[Selector]) -> Result<Vec<LiveObject>, Failure> {
    let is_selected = |kind: Kind| {
        selectors.is_empty() || selectors.iter().any(|selector| selector.kind() == kind)
    };
    let mut wanted: BTreeSet<Kind> =
        Kind::ALL.into_iter().filter(|kind| is_selected(*kind)).collect();
    if wanted.contains(&Kind::Service) {
        wanted.insert(Kind::EnvGroup);
    }
    let mut objects = Vec::new();
    for kind in wanted {
        let listing = session.reader.list(kind).await?;
        if !listing.coverage.is_complete() {
            // Half an export that looks whole would read as a deletion later.
            let message =
                format!("failed to export: the listing of {} is incomplete", kind.plural());
            return Err(Failure::new(ErrorCode::IncompleteView, message));
        }
        let chosen = listing
            .objects
            .into_iter()
            .filter(|object| is_selected(kind) && Selector::any(selectors, kind, &object.name));
        for object in chosen {
            objects.push(session.reader.detailed(object).await?);
        }
    }
    Ok(objects)
}
