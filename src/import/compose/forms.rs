//! The forms that values of a service have: text, a list or a mapping. Compose refuses any other, and
//! so does an import, for what is dropped in silence nobody misses in time.

use crate::import::report::ImportReport;
use crate::manifest::{Placed, PlacedContent};

/// The forms that a value may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Forms {
    text: bool,
    list: bool,
    mapping: bool,
}

const TEXT: Forms = Forms { text: true, list: false, mapping: false };
const LIST: Forms = Forms { list: true, text: false, ..TEXT };
const MAPPING: Forms = Forms { mapping: true, text: false, ..TEXT };
const TEXT_OR_LIST: Forms = Forms { list: true, ..TEXT };
const TEXT_OR_MAPPING: Forms = Forms { mapping: true, ..TEXT };
const LIST_OR_MAPPING: Forms = Forms { list: true, ..MAPPING };

/// Words of a service whose form matters, with those of what lies below.
const WORDS: [(&str, Forms); 20] = [
    ("build", TEXT_OR_MAPPING),
    ("build.context", TEXT),
    ("build.dockerfile", TEXT),
    ("command", TEXT_OR_LIST),
    ("depends_on", LIST_OR_MAPPING),
    ("deploy", MAPPING),
    ("deploy.replicas", TEXT),
    ("entrypoint", TEXT_OR_LIST),
    ("env_file", TEXT_OR_LIST),
    ("environment", LIST_OR_MAPPING),
    ("expose", LIST),
    ("extends", TEXT_OR_MAPPING),
    ("healthcheck", MAPPING),
    ("healthcheck.test", TEXT_OR_LIST),
    ("image", TEXT),
    ("ports", LIST),
    ("profiles", LIST),
    ("restart", TEXT),
    ("scale", TEXT),
    ("volumes", LIST),
];

/// Words whose list has texts only.
const LISTS_OF_TEXTS: [&str; 6] =
    ["command", "entrypoint", "environment", "expose", "healthcheck.test", "profiles"];

impl Forms {
    fn has(self, value: &Placed) -> bool {
        match value.content {
            PlacedContent::Nothing => true,
            PlacedContent::Scalar { .. } => self.text,
            PlacedContent::Items(_) => self.list,
            PlacedContent::Entries(_) => self.mapping,
        }
    }

    const fn describe(self) -> &'static str {
        match self {
            TEXT => "text",
            LIST => "a list",
            MAPPING => "a mapping",
            TEXT_OR_LIST => "text or a list",
            TEXT_OR_MAPPING => "text or a mapping",
            _ => "a list or a mapping",
        }
    }
}

/// Refuses values of a service that have another form than Compose takes.
pub(super) fn check(report: &mut ImportReport, service: &Placed, path: &str) {
    for (word, forms) in WORDS {
        let value = word.split('.').try_fold(service, |value, key| value.get(key));
        let Some(value) = value else { continue };
        let path = format!("{path}.{word}");
        if !forms.has(value) {
            report.wrong_type(value, &path, forms.describe());
            continue;
        }
        let items = value.items().iter().filter(|_| LISTS_OF_TEXTS.contains(&word));
        for item in items.filter(|item| item.scalar().is_none()) {
            report.wrong_type(item, &path, "a list of texts");
        }
    }
    let variables = service.get("environment").map(Placed::entries).unwrap_or_default();
    for (key, value) in variables.iter().filter(|(_, value)| !TEXT.has(value)) {
        report.wrong_type(value, &format!("{path}.environment.{key}"), "text");
    }
}

/// Gives a value its long form, in which files are put over each other: a directory that is built is
/// the `context` of a mapping, and one file of variables a list of one.
pub(super) fn long(value: Placed, key: &str) -> Placed {
    if value.scalar().is_none() {
        return value;
    }
    let place = value.beside(PlacedContent::Nothing);
    match key {
        "build" => place.beside(PlacedContent::Entries(vec![("context".to_owned(), value)])),
        "env_file" => place.beside(PlacedContent::Items(vec![value])),
        _ => value,
    }
}
