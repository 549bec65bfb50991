//! From KEY to the one live object of that name.
//!
//! It lists the kind and nothing else. What it cannot tell it says: a name that was not seen in an
//! incomplete listing is not proven absent (S2).

use crate::api::Reader;
use crate::manifest;
use crate::model::{Coverage, Inventory, Key, Kind, Listing, LiveObject, RemoteId, Unknown};

use super::code::ErrorCode;
use super::context::Context;
use super::failure::Failure;
use super::session::Session;

/// The one object of a name.
#[derive(Debug)]
pub struct FoundObject {
    /// The object, as the list shows it.
    pub object: LiveObject,
    /// Why another one of that name may have stayed unseen, when it may.
    pub doubt: Option<String>,
}

/// Finds the object to look at; a doubt is said and no more.
///
/// # Errors
/// When there is not exactly one of that name, or the kind cannot be read.
pub async fn to_read(context: &Context, reader: &Reader, key: &Key) -> Result<LiveObject, Failure> {
    let FoundObject { object, doubt } = one(key, &reader.list(key.kind).await?)?;
    if let Some(doubt) = doubt {
        context.output.warn(&doubt);
    }
    Ok(object)
}

/// Finds the object to write to or to own: it must be certain that it is the only one.
///
/// # Errors
/// As [`to_read`], and when the listing is incomplete.
pub async fn find(session: &Session, key: &Key) -> Result<LiveObject, Failure> {
    certain(key, &session.reader.list(key.kind).await?)
}

/// Returns the one object of that name in a listing, which must be certain to be the only one.
///
/// # Errors
/// As [`find`].
pub fn certain(key: &Key, listing: &Listing) -> Result<LiveObject, Failure> {
    let FoundObject { object, doubt } = one(key, listing)?;
    match doubt {
        None => Ok(object),
        Some(doubt) => {
            Err(Failure::new(ErrorCode::IncompleteListing, doubt)
                .hint("nothing was changed; retry"))
        }
    }
}

/// Finds the object with that id, whatever its name.
///
/// # Errors
/// When it is not listed, or the kind cannot be read.
pub async fn find_id(session: &Session, key: &Key, id: &RemoteId) -> Result<LiveObject, Failure> {
    let kind = key.kind;
    let Listing { coverage, objects, pages: _ } = session.reader.list(kind).await?;
    if let Some(object) = objects.into_iter().find(|object| object.id == *id) {
        return Ok(object);
    }
    match &coverage {
        Coverage::Unknown(Unknown::Forbidden) => Err(forbidden(kind)),
        Coverage::Unknown(unknown) => {
            let message = format!("{id} was not seen: {}", trouble(kind, unknown));
            Err(Failure::new(ErrorCode::IncompleteListing, message).hint("retry"))
        }
        Coverage::Complete => {
            let message = format!("there is no {kind} with the id {id}");
            Err(Failure::new(ErrorCode::NotFound, message)
                .hint(format!("`stoker get {}` lists those that exist", kind.plural())))
        }
    }
}

/// Returns the one object of that name in a listing.
///
/// # Errors
/// When there is none, or several.
pub fn one(key: &Key, listing: &Listing) -> Result<FoundObject, Failure> {
    let Listing { coverage, objects, pages: _ } = listing;
    let doubt = match coverage {
        Coverage::Complete => None,
        Coverage::Unknown(Unknown::Forbidden) => return Err(forbidden(key.kind)),
        Coverage::Unknown(unknown) => Some(trouble(key.kind, unknown)),
    };
    let named: Vec<&LiveObject> =
        objects.iter().filter(|object| object.name == key.name.as_str()).collect();
    match (named.as_slice(), doubt) {
        ([object], doubt) => Ok(FoundObject { object: (*object).clone(), doubt }),
        ([], Some(doubt)) => {
            let message = format!("{key} was not seen, but it may exist: {doubt}");
            Err(Failure::new(ErrorCode::IncompleteListing, message).hint("retry"))
        }
        ([], None) => Err(absent(key, objects.iter().map(|object| object.name.clone()))),
        (several, _) => Err(ambiguous(key, several)),
    }
}

/// Says why a listing is not known to be whole.
pub fn trouble(kind: Kind, unknown: &Unknown) -> String {
    let plural = kind.plural();
    match unknown {
        Unknown::Forbidden => format!("this token may not list {plural}"),
        Unknown::Incomplete(reason) => format!("the listing of {plural} is incomplete: {reason}"),
        Unknown::Unread => format!("{plural} were not listed"),
    }
}

/// The failure of a name that is not there, with the nearest one that is.
pub fn absent(key: &Key, names: impl Iterator<Item = String>) -> Failure {
    absent_name(key.kind, key.name.as_str(), names)
}

/// The same of a name that no manifest could declare.
pub fn absent_name(kind: Kind, name: &str, names: impl Iterator<Item = String>) -> Failure {
    let failure = Failure::new(ErrorCode::NotFound, format!("there is no {kind}/{name}"));
    let names: Vec<String> = names.collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match manifest::nearest(name, &names) {
        Some(near) => failure.hint(format!("did you mean {kind}/{near}?")),
        None => failure.hint(format!("`stoker get {}` lists those that exist", kind.plural())),
    }
}

/// Adds the nearest of the keys that are known, where one is near enough to be meant.
#[must_use]
pub fn with_nearest<'k>(
    failure: Failure,
    key: &Key,
    known: impl Iterator<Item = &'k Key>,
) -> Failure {
    let known: Vec<String> = known.map(ToString::to_string).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match manifest::nearest(&key.to_string(), &known) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure,
    }
}

/// Refuses a key that this state neither owns nor has begun to create.
///
/// # Errors
/// For the first of the keys that is not ours, with the nearest that is.
pub fn check_owned(keys: &[Key], inventory: &Inventory) -> Result<(), Failure> {
    let Inventory { entries, intents, .. } = inventory;
    let is_ours = |key: &&Key| entries.contains_key(*key) || intents.contains_key(*key);
    let Some(key) = keys.iter().find(|key| !is_ours(key)) else {
        return Ok(());
    };
    let failure = Failure::new(ErrorCode::NotOwned, format!("{key} is not ours"));
    Err(with_nearest(failure, key, entries.keys().chain(intents.keys()))
        .hint("`stoker get` shows what is ours"))
}

fn ambiguous(key: &Key, several: &[&LiveObject]) -> Failure {
    let ids: Vec<&str> = several.iter().map(|object| object.id.as_str()).collect();
    let message = format!("{} objects are called {key}: {}", several.len(), ids.join(", "));
    Failure::new(ErrorCode::Ambiguous, message)
        .hint("rename or delete all but one of them on the platform")
        .hint(format!("or select one: `stoker adopt {key}=ID`"))
}

fn forbidden(kind: Kind) -> Failure {
    Failure::new(ErrorCode::Permission, trouble(kind, &Unknown::Forbidden))
        .hint("use a token with the right to read them; `stoker doctor` shows what this one may do")
}

/// Returns the key when it names a service: only services are deployed, logged and measured.
///
/// # Errors
/// When it names something else.
pub fn service<'a>(key: &'a Key, command: &str) -> Result<&'a Key, Failure> {
    match key.kind {
        Kind::Service => Ok(key),
        Kind::Database | Kind::EnvGroup => {
            Err(Failure::usage(format!("`stoker {command}` takes a service, and {key} is not one"))
                .hint(format!("for example `stoker {command} service/{}`", key.name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn check(names: &[&str], coverage: Coverage) -> String {
        let object = |(number, name): (usize, &&str)| LiveObject {
            kind: Kind::Service,
            id: RemoteId::new(&format!("svc_{number}")).unwrap(),
            name: (*name).to_owned(),
            created_at: None,
            status: None,
            url: None,
            replicas: None,
            fields: BTreeMap::new(),
            shows_env: false,
        };
        let objects = names.iter().enumerate().map(object).collect();
        let listing = Listing { coverage, objects, pages: 1 };
        match one(&"service/web".parse().unwrap(), &listing) {
            Ok(FoundObject { object, doubt }) => {
                format!("{}{}", object.id, if doubt.is_some() { ", in doubt" } else { "" })
            }
            Err(failure) => {
                format!(
                    "{}: {}; {}",
                    failure.exit.code(),
                    failure.message,
                    failure.hints.join("; ")
                )
            }
        }
    }

    fn incomplete() -> Coverage {
        Coverage::Unknown(Unknown::Incomplete("1 of 2 items arrived".to_owned()))
    }

    #[test]
    fn exactly_one_of_a_name_is_found_and_anything_else_is_explained() {
        assert_eq!(check(&["api", "web"], Coverage::Complete), "svc_1");
        assert_eq!(
            check(&["api", "webb"], Coverage::Complete),
            "1: there is no service/web; did you mean service/webb?"
        );
        assert_eq!(
            check(&["web", "web"], Coverage::Complete),
            "1: 2 objects are called service/web: svc_0, svc_1; rename or delete all but one of \
             them on the platform; or select one: `stoker adopt service/web=ID`"
        );
    }

    #[test]
    fn what_an_incomplete_listing_does_not_show_is_not_said_to_be_absent() {
        assert_eq!(check(&["web"], incomplete()), "svc_0, in doubt");
        assert_eq!(
            check(&[], incomplete()),
            "1: service/web was not seen, but it may exist: the listing of services is incomplete: \
             1 of 2 items arrived; retry"
        );
    }

    #[test]
    fn a_kind_that_may_not_be_read_is_a_matter_of_permission() {
        assert!(check(&[], Coverage::Unknown(Unknown::Forbidden)).starts_with("3: "));
    }
}
