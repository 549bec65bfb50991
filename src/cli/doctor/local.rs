//! The checks that need no network: state directory, lock, inventory, token.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::ExposeSecret as _;

use crate::emulator::TOKEN;
use crate::store::{Medium, StoredState};

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::place::{Absent, OpenState, StatePlace};
use super::super::session::{make, state_place, token_source};
use super::super::settings::ConnectionSettings;
use super::check::{Check, CheckOutcome};

/// How every token of version 1 begins (F1).
const TOKEN_PREFIX: &str = "sb_live_";

/// How those of the vendor's other API begin.
const TOKEN_PREFIX_OTHER: &str = "kbr_pat_";

/// Makes them all.
pub fn checks(context: &Context, wanted: &ConnectionSettings) -> Vec<Check> {
    let mut checks = Vec::new();
    match state_place(context, wanted.sandbox) {
        Ok(place) => {
            make(&place.directory);
            checks.push(directory(&place.directory));
            checks.extend(state(context, &place));
        }
        Err(failure) => checks.push(Check::failed("state directory", &failure)),
    }
    checks.push(if wanted.sandbox { sandbox_token() } else { token(context) });
    checks
}

fn directory(state: &Path) -> Check {
    let name = "state directory";
    let place = state.display();
    let metadata = match std::fs::metadata(state) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Check::fine(
                name,
                format!("{place} does not exist yet; the first write creates it"),
            );
        }
        Err(error) => {
            return Check::new(name, CheckOutcome::Failed, format!("{place}: {error}"))
                .hint("choose another with --state");
        }
    };
    // Without the trial there is no telling: rights, a full disk, a read-only mount.
    if let Err(error) = tempfile::tempfile_in(state) {
        return Check::new(
            name,
            CheckOutcome::Failed,
            format!("{place} cannot be written: {error}"),
        )
        .hint("give this user the right to write it, or choose another with --state");
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Check::new(
            name,
            CheckOutcome::Doubtful,
            format!("{place} is open to others ({mode:o})"),
        )
        .hint(format!("chmod 700 {place}"));
    }
    Check::fine(name, format!("{place} ({mode:o})"))
}

/// Looks who holds the lock, and what is remembered.
fn state(context: &Context, place: &StatePlace) -> Vec<Check> {
    let medium = match place.open(&context.environment, Absent::Begin) {
        Ok(OpenState { medium, key: _ }) => medium,
        Err(failure) => return vec![Check::failed("state", &failure)],
    };
    let shared = place.address.as_ref();
    let shared = shared.map(|address| Check::fine("state", format!("{address} answers")));
    shared.into_iter().chain([lock(&medium)]).chain(inventory(&medium)).collect()
}

/// Looks who holds the lock.
fn lock(state: &Medium) -> Check {
    let name = "lock";
    match state.holder() {
        Ok(None) => Check::fine(name, "free"),
        Ok(Some(holder)) => Check::new(name, CheckOutcome::Doubtful, format!("held by {holder}"))
            .hint("another process that wants to write has to wait for it, or stop it"),
        Err(error) => Check::new(name, CheckOutcome::Unknown, format!("failed to {error}")),
    }
}

fn inventory(state: &Medium) -> Vec<Check> {
    let name = "inventory";
    let StoredState { inventory, warning } = match state.read() {
        Ok(reading) => reading,
        Err(error) => return vec![Check::failed(name, &Failure::from(error))],
    };
    let pinned = inventory.pin.as_ref().map_or_else(
        || "no project pinned yet".to_owned(),
        |pin| format!("project {} at {}", pin.project.name, pin.origin),
    );
    let owned = inventory.entries.len();
    let mut checks = vec![match warning {
        None => Check::fine(name, format!("{owned} owned; {pinned}")),
        Some(warning) => Check::new(name, CheckOutcome::Doubtful, warning.to_string()),
    }];
    for (key, intent) in &inventory.intents {
        let detail = format!(
            "{key}: the outcome of the create begun at {:.0} is unknown",
            intent.started_at
        );
        let check = Check::new("pending create", CheckOutcome::Doubtful, detail);
        checks.push(check.hint(format!("`stoker get {key}` shows whether it is there")));
    }
    checks
}

fn sandbox_token() -> Check {
    debug_assert!(TOKEN.starts_with(TOKEN_PREFIX), "the emulator speaks version 1");
    Check::fine("token", "the sandbox's own")
}

/// Looks where the token comes from and how it begins; it is never shown (S9).
fn token(context: &Context) -> Check {
    let name = "token";
    let source = match token_source(context) {
        Ok(Some(source)) => source,
        Ok(None) => return denied("there is none".to_owned()),
        Err(failure) => return denied(failure.message),
    };
    let text = match source.read(&context.environment) {
        Ok(text) => text,
        Err(reason) => return denied(reason),
    };
    let text = text.expose_secret();
    if text.starts_with(TOKEN_PREFIX) {
        Check::fine(name, format!("from {source}, begins with {TOKEN_PREFIX}"))
    } else if text.starts_with(TOKEN_PREFIX_OTHER) {
        denied(format!(
            "the one from {source} is for the vendor's other API ({TOKEN_PREFIX_OTHER}…)"
        ))
    } else {
        Check::new(
            name,
            CheckOutcome::Doubtful,
            format!("from {source}, does not begin with {TOKEN_PREFIX}"),
        )
    }
}

fn denied(detail: String) -> Check {
    let check = Check::new("token", CheckOutcome::Failed, detail);
    Check { exit: Exit::Denied, ..check }
        .hint("set STACKBLAZE_TOKEN or STACKBLAZE_TOKEN_FILE to a token sb_live_…")
}
