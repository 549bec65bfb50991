//! Every word of the table does what the table says, and no value of any Blueprint is dropped
//! without a word. The judge reads what was written and what came out, not the reader's own notes.

mod draw;
mod environments;
mod page;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::blueprint_schema;
use super::words::{Fate, MappingKind};
use crate::manifest::{Loaded, load, print};
use crate::source::Tree;
use draw::{Draw, Leaf, List, Map, Shape, Told};

/// A value in the text: its line, the lines of the keys above it, and itself.
struct Written {
    line: usize,
    above: Vec<usize>,
    value: String,
}

/// Writes a shape as YAML with one value a line, and notes where each stands.
#[derive(Default)]
struct Writer {
    text: String,
    lines: usize,
    leaves: Vec<Written>,
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) -> usize {
        self.text += &format!("{}{text}\n", "  ".repeat(depth));
        self.lines += 1;
        self.lines
    }

    fn shape(&mut self, depth: usize, head: &str, shape: &Shape, above: &[usize]) {
        match shape {
            Leaf(value) | Told(value) => {
                let line = self.line(depth, &format!("{head} {value}"));
                if let Leaf(value) = shape {
                    self.leaves.push(Written { line, above: above.to_vec(), value: value.clone() });
                }
            }
            List(items) if items.is_empty() => {
                self.line(depth, &format!("{head} []"));
            }
            Map(entries) if entries.is_empty() => {
                self.line(depth, &format!("{head} {{}}"));
            }
            List(items) => {
                let line = self.line(depth, head);
                let above = [above, &[line]].concat();
                for item in items {
                    self.shape(depth + 1, "-", item, &above);
                }
            }
            Map(entries) => {
                let line = self.line(depth, head);
                let above = [above, &[line]].concat();
                for (key, value) in entries {
                    self.shape(depth + 1, &format!("{key}:"), value, &above);
                }
            }
        }
    }
}

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&blueprint_schema()).unwrap());

/// Reads a whole Blueprint and sees that each of its values came out, or that a finding points at
/// it or at a key above it. What editors are told of the form agrees.
fn check(shape: &Shape) {
    let Map(entries) = shape else { panic!("a Blueprint is a mapping") };
    let mut writer = Writer::default();
    for (key, value) in entries {
        writer.shape(0, &format!("{key}:"), value, &[]);
    }
    let Writer { text, leaves, .. } = writer;
    let Loaded { desired, diagnostics } = load(&Tree::from_texts([("a.yaml", text.as_str())]));
    let document: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let is_unknown = diagnostics.iter().any(|it| it.code == "unknown-field");
    assert_eq!(SCHEMA.is_valid(&document), !is_unknown, "{text}\n{diagnostics:#?}");
    let told: BTreeSet<usize> =
        diagnostics.iter().filter_map(|it| Some(it.origin.as_ref()?.line)).collect();
    let desired = desired.unwrap_or_else(|| panic!("{text}\n{diagnostics:#?}"));
    // Of the findings beyond the limit only the number is told; one Blueprint in a thousand has them.
    if diagnostics.iter().any(|it| it.code == "too-many-findings") {
        return;
    }
    let printed = print(&desired);
    for Written { line, above, value } in leaves {
        let is_told = told.contains(&line) || above.iter().any(|line| told.contains(line));
        assert!(printed.contains(&value) || is_told, "line {line}, `{value}`:\n{text}\n{printed}");
    }
    let unused = diagnostics.iter().find(|it| it.code == "unused-value");
    assert!(unused.is_none(), "{unused:?} in\n{text}");
}

#[test]
fn no_number_of_warnings_hides_an_error() {
    let odd: String = (0..250).map(|number| format!("    odd{number}: 1\n")).collect();
    let text = format!("services:\n  - type: web\n    name: a\n{odd}    port: many\n");
    let Loaded { desired, diagnostics } = load(&Tree::from_texts([("a.yaml", text.as_str())]));
    assert!(desired.is_none());
    assert_eq!(diagnostics.len(), 201);
    let is_shown = diagnostics.iter().any(|it| it.is_error() && it.message.contains("port"));
    assert!(is_shown, "{diagnostics:#?}");
    let last = diagnostics.last().map(|it| it.message.as_str());
    assert_eq!(last, Some("51 more findings are left out"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_of_any_blueprint_is_dropped_without_a_word(seed in any::<u64>()) {
        let mut draw = Draw { state: seed, count: 0 };
        let services = draw.list("services").unwrap();
        check(&draw.mapping(MappingKind::Top, vec![("services", services)]));
    }
}

/// What the table says of a word, when it alone stands there.
#[test]
fn every_word_of_the_table_is_read_or_left_out_for_its_reason() {
    for place in MappingKind::ALL {
        for (word, fate) in place.words() {
            let text = alone(place, word);
            let loaded = load(&Tree::from_texts([("a.yaml", text.as_str())]));
            assert!(loaded.desired.is_some(), "{text}\n{:#?}", loaded.diagnostics);
            let codes: Vec<&str> = loaded.diagnostics.iter().map(|it| it.code).collect();
            let messages: String =
                loaded.diagnostics.iter().map(|it| it.message.as_str()).collect();
            match fate {
                Fate::Home(_) => {
                    let is_strange =
                        ["unknown-field", "unused-value"].iter().any(|it| codes.contains(it));
                    assert!(
                        !is_strange && !messages.contains(&format!(".{word}` is left out")),
                        "{text}{messages}"
                    );
                }
                Fate::Without(reason) => {
                    let is_one = codes.iter().filter(|code| **code == "not-managed").count() == 1;
                    assert!(is_one && messages.contains(reason), "{text}{codes:?} {messages}");
                }
            }
        }
    }
}

/// A Blueprint with one word in one place and only what must stand beside it.
fn alone(place: MappingKind, word: &'static str) -> String {
    let mut draw = Draw { state: 1, count: 0 };
    let value = match draw.sample_alone(place, word) {
        Some(shape) => shape,
        None => draw.text(),
    };
    let with = |mut must: Vec<(&str, Shape)>| {
        must.retain(|(key, _)| *key != word);
        must.push((word, value));
        Map(must.into_iter().map(|(key, shape)| (key.to_owned(), shape)).collect())
    };
    let leaf = |text: &str| Leaf(text.to_owned());
    let service = |key: &str, shape: Shape| {
        List(vec![Map(vec![("name".into(), Leaf("a".into())), (key.to_owned(), shape)])])
    };
    let one = |key: &str, shape: Shape| Map(vec![(key.to_owned(), shape)]);
    let whole = match place {
        MappingKind::Top => with(vec![]),
        MappingKind::Pipeline => one("pipeline", with(vec![("name", leaf("acme"))])),
        MappingKind::Project => one("projects", List(vec![with(vec![])])),
        MappingKind::Environment => {
            let environments = List(vec![with(vec![])]);
            one("projects", List(vec![one("environments", environments)]))
        }
        MappingKind::Ungrouped => one("ungrouped", with(vec![])),
        MappingKind::Service => {
            let kind = if word == "schedule" { "cron" } else { "web" };
            let item = with(vec![("name", leaf("a")), ("type", leaf(kind))]);
            one("services", List(vec![item]))
        }
        MappingKind::Image => one("services", service("image", with(vec![("url", leaf("nginx"))]))),
        MappingKind::HealthCheck => one("services", service("healthCheck", with(vec![]))),
        MappingKind::Scaling => one("services", service("scaling", with(vec![]))),
        MappingKind::Disk => {
            one("services", service("disk", with(vec![("mountPath", leaf("/d"))])))
        }
        MappingKind::Database => one("databases", List(vec![with(vec![("name", leaf("a"))])])),
        MappingKind::Group => one("envVarGroups", List(vec![with(vec![("name", leaf("a"))])])),
        MappingKind::Variable => {
            let must = match word {
                "fromGroup" => vec![("external", leaf("true"))],
                "external" => vec![("fromGroup", leaf("g"))],
                "from_service" => vec![("key", leaf("K")), ("property", leaf("host"))],
                "property" => vec![("key", leaf("K")), ("from_service", leaf("a"))],
                "fromDatabase" | "fromService" | "fromCache" | "generateValue" | "sync" => {
                    vec![("key", leaf("K"))]
                }
                _ => vec![("key", leaf("K")), ("value", leaf("v"))],
            };
            one("services", service("envVars", List(vec![with(must)])))
        }
        MappingKind::Reference => {
            let must =
                vec![("name", leaf("b")), ("property", leaf("host")), ("external", leaf("true"))];
            let entry = vec![("key".to_owned(), leaf("K")), ("fromService".to_owned(), with(must))];
            one("services", service("envVars", List(vec![Map(entry)])))
        }
    };
    let Map(entries) = whole else { panic!("a Blueprint is a mapping") };
    let mut writer = Writer::default();
    for (key, value) in &entries {
        writer.shape(0, &format!("{key}:"), value, &[]);
    }
    if !super::MARKS.iter().any(|mark| entries.iter().any(|(key, _)| key == mark)) {
        writer.line(0, "services: []");
    }
    writer.text
}
