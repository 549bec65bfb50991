//! The checks that ask the API: reach, generation, project, rights, clock, budget.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use crate::api::{Cause, Error, ErrorKind};
use crate::budget::{Limits, Millis};
use crate::model::{Coverage, Kind, Listing, Unknown};
use crate::reconcile::check_pin;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::find;
use super::super::session::Session;
use super::check::{Check, CheckOutcome};

/// How far two clocks may be apart: deployments and stale answers are judged by less than a minute.
const SKEW_MAX: SignedDuration = SignedDuration::from_secs(10);

/// Makes them all: one request for the project, the lists, and one of what each list shows.
pub async fn checks(session: &Session) -> Vec<Check> {
    let mut checks = vec![Check::fine("endpoint", session.project.client.origin())];
    match session.reader.project().await {
        Ok(project) => {
            checks.push(Check::fine("api", "version 1 answers"));
            let id = project.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
            let shown = format!("{}{id}", project.name);
            let pin =
                session.truth.medium.read().ok().and_then(|reading| reading.inventory.pin.clone());
            checks.push(
                match check_pin(pin.as_ref(), &session.project.client.origin(), &project) {
                    Ok(()) => Check::fine("project", shown),
                    Err(wrong) => Check::failed("project", &Failure::from(wrong)),
                },
            );
            checks.extend(rights(session).await);
        }
        Err(error) => checks.push(unreachable(error)),
    }
    if let Some(limits) = session.project.client.limits_last_seen() {
        checks.push(clock(limits.date.as_deref(), session.project.clock.now()));
        checks.push(headers(&limits));
    }
    checks.push(budget(session));
    checks
}

fn unreachable(error: Error) -> Check {
    let other_generation = matches!(error.cause(), Cause::WrongGeneration(_));
    let failure = Failure::from(error);
    if other_generation {
        let detail = "this is the vendor's other, incompatible API (/api/pipelines), not version 1";
        return Check { detail: detail.to_owned(), ..Check::failed("api", &failure) };
    }
    Check::failed("api", &failure)
}

/// Looks what the token may read. Once it is no token any more,
/// or the time is up, asking on is in vain.
async fn rights(session: &Session) -> Vec<Check> {
    let mut checks = Vec::new();
    for kind in Kind::ALL {
        let name = format!("read {}", kind.plural());
        match session.reader.list(kind).await {
            Ok(listing) => {
                checks.push(right(name, kind, &listing));
                checks.extend(details(session, kind, &listing).await);
            }
            Err(error) => {
                let is_over = error.kind() == ErrorKind::Authentication || error.is_out_of_time();
                checks.push(Check::failed(name, &Failure::from(error)));
                if is_over {
                    return checks;
                }
            }
        }
    }
    checks.push(write_rights());
    checks
}

fn right(name: String, kind: Kind, listing: &Listing) -> Check {
    match &listing.coverage {
        Coverage::Complete => Check::fine(name, format!("{} there", listing.objects.len())),
        Coverage::Unknown(unknown) => {
            let check = Check::new(name, CheckOutcome::Failed, find::trouble(kind, unknown));
            let is_denial = *unknown == Unknown::Forbidden;
            let exit = if is_denial { Exit::Denied } else { Exit::Failed };
            let hint = if is_denial {
                "give the token this right on the platform"
            } else {
                "nothing is created or deleted while a listing is incomplete; compare \
                 docs/assumptions.md, A1"
            };
            Check { exit, ..check }.hint(hint)
        }
    }
}

/// Looks whether what is listed can be read in its details, too. Env groups have none (F4).
async fn details(session: &Session, kind: Kind, listing: &Listing) -> Option<Check> {
    let has_details = match kind {
        Kind::Service | Kind::Database => true,
        Kind::EnvGroup => false,
    };
    let one = listing.objects.first().filter(|_| has_details)?;
    let error = session.reader.get(kind, &one.id).await.err()?;
    let check = Check::failed(format!("read a {kind}"), &Failure::from(error));
    Some(check.hint("what cannot be read is neither changed nor taken over"))
}

fn write_rights() -> Check {
    Check::new("write", CheckOutcome::Unknown, "only a write shows what the token may write")
        .hint("`stoker doctor --probe` tries with a throwaway service")
}

fn clock(date: Option<&str>, now: Timestamp) -> Check {
    let name = "clock";
    let parse = |date: &str| DateTimeParser::new().parse_timestamp(date).ok();
    let Some(theirs) = date.and_then(parse) else {
        return Check::new(name, CheckOutcome::Unknown, "the API sends no valid `Date` header");
    };
    let skew = now.duration_since(theirs);
    let detail = format!("{} s from the platform's", skew.as_secs());
    if skew.abs() <= SKEW_MAX {
        Check::fine(name, detail)
    } else {
        Check::new(name, CheckOutcome::Doubtful, detail).hint("set this machine's clock with NTP")
    }
}

fn headers(limits: &Limits) -> Check {
    let Limits { status: _, remaining, reset, retry_after, date: _ } = limits;
    let headers = [("Remaining", remaining), ("Reset", reset), ("Retry-After", retry_after)];
    let sent: Vec<String> = headers
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}: {value}")))
        .collect();
    if sent.is_empty() {
        return Check::new("limit headers", CheckOutcome::Doubtful, "the API sends none");
    }
    Check::fine("limit headers", sent.join(", "))
}

fn budget(session: &Session) -> Check {
    match session.project.ledger.view(Millis::from(session.project.clock.now())) {
        Ok(view) => Check::fine("budget", format!("{view}; {} used by us", view.used)),
        Err(error) => Check::new("budget", CheckOutcome::Failed, format!("failed to {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_differs_by_more_than_seconds_is_pointed_out() {
        let now: Timestamp = "2026-04-10T12:00:00Z".parse().unwrap();
        for (date, outcome) in [
            (Some("Fri, 10 Apr 2026 11:59:58 GMT"), CheckOutcome::Fine),
            (Some("Fri, 10 Apr 2026 12:05:00 GMT"), CheckOutcome::Doubtful),
            (Some("noon"), CheckOutcome::Unknown),
            (None, CheckOutcome::Unknown),
        ] {
            assert_eq!(clock(date, now).outcome, outcome, "{date:?}");
        }
    }
}
