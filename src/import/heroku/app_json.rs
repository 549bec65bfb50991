//! `app.json` as JSON, and its variables.

use crate::import::ForeignFile;
use crate::import::report::ImportReport;
use crate::import::resource::{by_hand, env_key, set_variable};
use crate::manifest::{Placed, PlacedContent, placed, quoted};
use crate::model::{
    Diagnostic, EnvKey, Field, FieldPath, FieldValue, Kind, Name, Origin, Reference, Resource,
    ValueSource,
};

/// Fields whose form matters, each with the words for it, and whether a list and a mapping fit.
const FORMS: [(&str, &str, bool, bool); 5] = [
    ("env", "a mapping", false, true),
    ("formation", "a mapping or a list", true, true),
    ("addons", "a list", true, false),
    ("buildpacks", "a list", true, false),
    ("repository", "text", false, false),
];

/// Reads the file, strictly as JSON, as Heroku does.
pub(super) fn open(file: &ForeignFile, report: &mut ImportReport) -> Option<Placed> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&file.text) {
        let (line, column) = (error.line().max(1), error.column().max(1));
        let origin = Origin { file: file.path.clone(), line, column };
        let message = "the file is not JSON from here on";
        let hint = "JSON has no comments and no trailing commas, and only double quotes";
        report.push(Diagnostic::error("app-json", message).at(origin).hint(hint));
        return None;
    }
    let app = match placed(&file.path, &file.text) {
        Ok(read) => read,
        Err(findings) => {
            findings.into_iter().for_each(|finding| report.push(finding));
            return None;
        }
    };
    if app.entries().is_empty() {
        let message = "an `app.json` must be an object with fields".to_owned();
        report.error(app.origin(), "app-json", message, "for example `{ \"env\": { … } }`");
        return None;
    }
    for (word, wanted, list, mapping) in FORMS {
        let Some(value) = app.get(word) else { continue };
        let fits = match value.content {
            PlacedContent::Nothing => true,
            PlacedContent::Scalar { .. } => !list && !mapping,
            PlacedContent::Items(_) => list,
            PlacedContent::Entries(_) => mapping,
        };
        if !fits {
            report.wrong_type(value, word, wanted);
        }
    }
    Some(app)
}

/// Declares a variable of `app.json` in each service.
pub(super) fn variable(
    text: &str,
    value: &Placed,
    services: &mut [Resource<ValueSource>],
    report: &mut ImportReport,
) {
    let origin = value.origin();
    let Some(key) = env_key(text, &origin, report) else { return value.take() };
    if !value.items().is_empty() {
        return report.wrong_type(value, &format!("env.{text}"), "text, or a mapping");
    }
    let field = |name: &str| value.get(name).and_then(Placed::scalar).map(|(text, _)| text);
    let given = value.scalar().map(|(text, _)| text).or_else(|| field("value"));
    let is_required = field("required") != Some("false");
    let does_generate = field("generator") == Some("secret");
    let is_given = !given.unwrap_or_default().is_empty();
    fields(text, value, is_given, report);
    let first = services.first().map(|service| service.key.name.clone());
    for service in services {
        match given {
            _ if does_generate => generated(service, &key, first.as_ref(), &origin),
            Some(text) if !text.is_empty() || !is_required => {
                let text = FieldValue::Text(text.to_owned());
                set_variable(service, key.clone(), text, origin.clone());
            }
            Some(_) | None if is_required => by_hand(service, key.clone(), origin.clone()),
            Some(_) | None => {}
        }
    }
    if !is_given && !does_generate {
        let meaning = field("description").map_or(String::new(), |it| format!(" ({})", quoted(it)));
        let (message, hint) = match (is_required, given) {
            (true, _) => {
                (format!("`{text}` is to be given{meaning}"), "set it by hand, or write a value")
            }
            (false, None) => (
                format!("`{text}` may be given, and is left out{meaning}"),
                "write it into the manifest, if it is needed",
            ),
            (false, Some(_)) => return,
        };
        report.mind(origin, "to-be-given", message, hint);
    }
}

/// Takes the fields of a variable that are carried, and says of the others that they are not.
fn fields(text: &str, value: &Placed, is_given: bool, report: &mut ImportReport) {
    if value.scalar().is_some() {
        value.take();
    }
    for (name, field) in value.entries() {
        let path = format!("env.{text}.{name}");
        match (name.as_str(), field.scalar()) {
            ("value" | "required" | "generator" | "description", None) if !field.is_nothing() => {
                report.wrong_type(field, &path, "text");
            }
            ("value" | "required", _) | ("generator", Some(("secret", _)) | None) => field.take(),
            ("generator", _) => {
                report.lose(field, &path, "`secret` is the only generator that is known");
            }
            ("description", _) if is_given => {
                report.lose(field, &path, "a variable of the platform has no description");
            }
            ("description", Some((meaning, _))) if meaning == quoted(meaning) => field.take(),
            ("description", _) => {
                report.lose(field, &path, "it is too long to be repeated here in full");
            }
            (_, _) => {}
        }
    }
}

/// The first service generates the value, and the others take it from there.
fn generated(
    service: &mut Resource<ValueSource>,
    key: &EnvKey,
    first: Option<&Name>,
    origin: &Origin,
) {
    let Some(first) = first else { return };
    if service.key.name == *first {
        service.declares_env = true;
        let field = Field { value: ValueSource::Generated(None), origin: origin.clone() };
        service.fields.insert(FieldPath::Env(key.clone()), field);
        return;
    }
    let reference = Reference {
        kind: Kind::Service,
        name: first.clone(),
        property: "envVar".to_owned(),
        env_key: Some(key.clone()),
    };
    set_variable(service, key.clone(), reference.into(), origin.clone());
}
