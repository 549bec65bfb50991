//! `stoker rotate`: a person orders new values for generated variables. The order stands in the state,
//! and the next pass carries it out: so there is one road to the platform, whose plan shows the new
//! value and the restart, and whose guards and windows hold.

use crate::manifest;
use crate::model::{Entry, EnvKey, Generation, Inventory, Key, Kind};

use super::arguments::RotateCommand;
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find::check_owned;
use super::hold::hold;
use super::place::Absent;
use super::session::open_state;

/// Writes the order down. Nothing is sent to the platform.
///
/// # Errors
/// When the resource is not ours, or a variable of it is not generated; when the state cannot be written.
pub async fn run(context: &Context, command: &RotateCommand) -> Result<Exit, Failure> {
    let RotateCommand { key, variables, state } = command;
    context.check_project()?;
    let opened = open_state(context, &state.connection(), Absent::Refuse)?;
    let mut store = hold(context, &opened.medium, "rotate", None).await?;
    let entry = ordered(key, variables, store.inventory())?;
    store.record(key.clone(), entry)?;
    store.compact()?;
    let names: Vec<&str> = variables.iter().map(EnvKey::as_str).collect();
    let verb = if names.len() == 1 { "gets a new value" } else { "get new values" };
    context.output.note(&format!(
        "{} of {key} {verb} with the next `stoker apply`, or the next pass of an agent.",
        names.join(", ")
    ));
    Ok(Exit::Done)
}

/// Returns what is remembered of a resource with the order.
fn ordered(key: &Key, variables: &[EnvKey], inventory: &Inventory) -> Result<Entry, Failure> {
    if key.kind == Kind::EnvGroup {
        let message = format!("the variables of {key} cannot be rotated");
        return Err(Failure::usage(message).hint("the API can never change an env group"));
    }
    check_owned(std::slice::from_ref(key), inventory)?;
    // A create that was begun has written nothing that could be replaced.
    let entry = inventory.entries.get(key).ok_or_else(|| {
        let message = format!("the create of {key} is not known to have ended");
        Failure::new(ErrorCode::NotFound, message).hint("`stoker apply` settles it")
    })?;
    let mut entry = entry.clone();
    for variable in variables {
        let Some(generation) = entry.generated.get_mut(variable) else {
            return Err(not_generated(key, variable, &entry));
        };
        *generation = Generation { is_ordered: true, ..*generation };
    }
    Ok(entry)
}

fn not_generated(key: &Key, variable: &EnvKey, entry: &Entry) -> Failure {
    let variable = variable.as_str();
    let message = format!("Stoker never wrote a generated value to `{variable}` of {key}");
    let known: Vec<&str> = entry.generated.keys().map(EnvKey::as_str).collect();
    Failure::new(ErrorCode::NotFound, message).hint(match manifest::nearest(variable, &known) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => {
            "`generateValue` in a manifest generates values; a state of an \
                                     earlier version learns of them with the next `stoker apply`"
                .to_owned()
        }
        None => format!("it generated {}", known.join(", ")),
    })
}
