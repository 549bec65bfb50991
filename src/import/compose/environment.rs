//! The variables of a service: `env_file` first, `environment` over it, each in its own dialect.

use super::ComposeReader;
use super::dotenv;
use super::interpolate::{Filled, HOLE};
use super::meaning::{Meaning, meaning};
use super::service::within;
use crate::import::references::{Hosts, Mentioned};
use crate::import::resource::{by_hand, env_key, reference, set_variable};
use crate::manifest::{Placed, quoted};
use crate::model::{FieldValue, Key, Origin, Resource, ValueSource};

/// One variable as Compose gives it to a program.
pub(super) struct ComposeVariable {
    pub key: String,
    /// Its value; nothing when it comes from outside.
    pub value: Option<Filled>,
    pub origin: Origin,
}

/// Returns the variables of a service, each once, in the order of their keys.
pub(super) fn variables(
    reader: &mut ComposeReader<'_, '_>,
    service: &Placed,
    path: &str,
) -> Vec<ComposeVariable> {
    let mut all = Vec::new();
    if let Some(files) = service.get("env_file") {
        env_files(reader, files, &format!("{path}.env_file"), &mut all);
    }
    if let Some(environment) = service.get("environment") {
        given(reader, environment, &format!("{path}.environment"), &mut all);
    }
    // The last one of a key counts; sorting is stable.
    all.reverse();
    all.sort_by(|one: &ComposeVariable, next| one.key.cmp(&next.key));
    all.dedup_by(|next, one| one.key == next.key);
    all
}

fn env_files(
    reader: &mut ComposeReader<'_, '_>,
    files: &Placed,
    path: &str,
    all: &mut Vec<ComposeVariable>,
) {
    let items = match files.scalar() {
        Some(_) => std::slice::from_ref(files),
        None => files.items(),
    };
    for item in items {
        let place = item.get("path").unwrap_or(item);
        // What is not required may be missing all the same.
        for (key, value) in item.entries() {
            match key.as_str() {
                "required" => value.take(),
                "format" => reader.report.lose(
                    value,
                    &format!("{path}.format"),
                    "the file is read as Compose reads it without one",
                ),
                _ => {}
            }
        }
        let Some(file) = reader.whole(place, path) else { continue };
        let Some(found) = (reader.folder.beside)(reader.anchor(&place.file), &file) else {
            let stands = place.scalar().map(|(text, _)| text).unwrap_or_default();
            let place_of = match within("", &file) {
                Some(_) => "does not exist here",
                None => "is outside the folder of the first file",
            };
            let message = format!("`{}` {place_of}, so its variables are unknown", quoted(stands));
            let hint = "put it there and import again, or add its variables with `sync: false`";
            reader.report.mind(place.origin(), "to-be-given", message, hint);
            continue;
        };
        let mut warnings = Vec::new();
        let outside = |name: &str| reader.variables.get(name).cloned();
        let read = dotenv::read(&found.path, &found.text, &outside, &mut warnings);
        warnings.into_iter().for_each(|finding| reader.report.push(finding));
        match read {
            Ok(entries) => all.extend(entries.into_iter().map(|entry| ComposeVariable {
                key: entry.key,
                value: entry.value,
                origin: entry.origin,
            })),
            Err(refused) => reader.report.push(*refused),
        }
    }
}

fn given(
    reader: &mut ComposeReader<'_, '_>,
    environment: &Placed,
    path: &str,
    all: &mut Vec<ComposeVariable>,
) {
    for item in environment.items() {
        let Some(filled) = reader.text(item, path) else { continue };
        let stands = item.scalar().map(|(text, _)| text).unwrap_or_default();
        if filled.is_secret && stands.split('=').next().is_some_and(|key| key.contains('$')) {
            reader.hide(item, path);
            continue;
        }
        let (key, value) = match filled.text.split_once('=') {
            Some((key, text)) => {
                (key.to_owned(), Some(Filled { text: text.to_owned(), ..filled.clone() }))
            }
            None => (filled.text.clone(), None),
        };
        all.push(ComposeVariable { key, value, origin: item.origin() });
    }
    for (key, value) in environment.entries() {
        let filled = match value.is_nothing() {
            true => None,
            false => match mapped(reader, value, &format!("{path}.{key}")) {
                Some(filled) => Some(filled),
                None => continue,
            },
        };
        all.push(ComposeVariable { key: key.clone(), value: filled, origin: value.origin() });
    }
}

/// A scalar of a mapping has the meaning that its type gives it.
fn mapped(reader: &mut ComposeReader<'_, '_>, value: &Placed, path: &str) -> Option<Filled> {
    let Some((text, true)) = value.scalar() else {
        return reader.text(value, path);
    };
    match meaning(text) {
        Meaning::Same => reader.text(value, path),
        Meaning::Other(other) => {
            value.take();
            let message = format!("`{}` is `{other}` to Compose", quoted(text));
            let hint =
                format!("it is written like that; with quotes it would be `{}`", quoted(text));
            reader.report.mind(value.origin(), "changed-text", message, &hint);
            Some(Filled::plain(other))
        }
        Meaning::Date => {
            value.take();
            let message = format!("`{}` is a date, which Compose may refuse", quoted(text));
            let hint = match text.contains(':') {
                true => {
                    "put it in quotes; versions of Compose pass it in different forms".to_owned()
                }
                false => format!(
                    "put it in quotes for `{0}`; some versions pass `{0} 00:00:00 +0000 UTC`",
                    quoted(text)
                ),
            };
            reader.report.error(value.origin(), "date", message, &hint);
            None
        }
    }
}

/// Declares the variables of a service.
pub(super) fn declare(
    reader: &mut ComposeReader<'_, '_>,
    resource: &mut Resource<ValueSource>,
    variables: Vec<ComposeVariable>,
    hosts: &Hosts,
) {
    let texts = variables.iter().filter_map(|it| Some((it.key.as_str(), it.value.as_ref()?)));
    let prefixes = hosts.prefixes(texts.map(|(key, value)| (key, value.text.as_str())));
    for ComposeVariable { key: text_key, value, origin } in variables {
        let Some(key) = env_key(&text_key, &origin, reader.report) else { continue };
        let Some(value) = value else {
            let message = format!("`{text_key}` comes from outside the file");
            to_be_given(reader, origin.clone(), message);
            by_hand(resource, key, origin);
            continue;
        };
        let mentioned = hosts.mentioned(&text_key, &value.text, &prefixes);
        match mentioned {
            Some(Mentioned::Property { key: to, property, lost }) => {
                if let Some(lost) = lost {
                    // What stands in the place of a missing value is no letter to print.
                    let lost = match value.is_secret {
                        true => "all that stood there".to_owned(),
                        false => quoted(&lost.replace(HOLE, "…")),
                    };
                    let message =
                        format!("`{text_key}` becomes the {property} of {to}, without {lost}");
                    let hint = "build it from the parts in the program, if they are needed";
                    reader.report.mind(origin.clone(), "reference", message, hint);
                }
                set_variable(resource, key, reference(&to, property), origin);
                continue;
            }
            Some(Mentioned::Within(to)) => names_host(reader, resource, &origin, &text_key, &to),
            None => {}
        }
        if !value.missing.is_empty() {
            let message = format!("`{text_key}` needs a value for {}", value.asks_for());
            to_be_given(reader, origin.clone(), message);
            by_hand(resource, key, origin);
        } else if value.is_secret {
            let message =
                format!("`{text_key}` contains the value of a variable with the name of a secret");
            let hint = "`sync: false` takes its place: set it by hand";
            reader.report.mind(origin.clone(), "hidden-value", message, hint);
            by_hand(resource, key, origin);
        } else {
            set_variable(resource, key, FieldValue::Text(value.text), origin);
        }
    }
}

fn to_be_given(reader: &mut ComposeReader<'_, '_>, origin: Origin, message: String) {
    let hint = "`sync: false` takes its place: set it by hand, or write a value";
    reader.report.mind(origin, "to-be-given", message, hint);
}

fn names_host(
    reader: &mut ComposeReader<'_, '_>,
    resource: &Resource<ValueSource>,
    origin: &Origin,
    key: &str,
    to: &Key,
) {
    let message = format!("`{key}` names {to} by its host in the network of Compose");
    let hint = "that name does not exist on the platform: write the address there";
    reader.report.mind(origin.clone(), "host-name", message, hint);
    reader
        .report
        .note(&resource.key, format!("{key} names {to} by a host that does not exist there"));
}
