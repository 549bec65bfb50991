//! Every word of the table does what the table says, and no value of any Blueprint is dropped
//! without a word. The judge reads what was written and what came out, not the reader's own notes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::words::{Fate, Place};
use crate::manifest::{Loaded, load, print};
use crate::source::Tree;

/// A piece of a Blueprint.
enum Shape {
    /// A value of its own that must come out again, or be told of.
    Leaf(String),
    /// A value whose word is its meaning: it need not come out as written.
    Told(String),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
}

use Shape::{Leaf, List, Map, Told};

/// Draws shapes; each value is another one.
struct Draw {
    state: u64,
    count: usize,
}

impl Draw {
    /// SplitMix64.
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn number(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    fn text(&mut self) -> Shape {
        Leaf(format!("t{}t", self.number()))
    }

    fn digits(&mut self) -> Shape {
        Leaf((1000 + self.number()).to_string())
    }

    /// Anything at all, as deep as a person would write.
    fn any(&mut self, depth: usize) -> Shape {
        match self.below(if depth == 0 { 2 } else { 4 }) {
            0 => self.text(),
            1 => self.digits(),
            2 => List((0..=self.below(2)).map(|_| self.any(depth - 1)).collect()),
            _ => {
                let entries = (0..=self.below(2)).map(|index| {
                    let value = self.any(depth - 1);
                    (format!("k{index}"), value)
                });
                Map(entries.collect())
            }
        }
    }

    /// A mapping: the words that must stand there, and some of the others.
    fn mapping(&mut self, place: Place, must: Vec<(&str, Shape)>) -> Shape {
        let mut entries: Vec<(String, Shape)> =
            must.into_iter().map(|(word, shape)| (word.to_owned(), shape)).collect();
        for (word, fate) in place.words() {
            let is_there = entries.iter().any(|(key, _)| key == word);
            if is_there || self.below(2) == 0 {
                continue;
            }
            let shape = match fate {
                Fate::Without(_) => Some(self.any(2)),
                Fate::Home(_) => self.sample(place, word),
            };
            entries.extend(shape.map(|shape| ((*word).to_owned(), shape)));
        }
        Map(entries)
    }

    /// A value for a word that has a home; none where it stands with others, or must not.
    fn sample(&mut self, place: Place, word: &str) -> Option<Shape> {
        let shape = match (place, word) {
            (Place::Top, "version") => Told("1".to_owned()),
            (Place::Top, "region") | (Place::Project | Place::Environment, "name") => {
                Told(format!("t{}t", self.number()))
            }
            (Place::Top | Place::Environment | Place::Ungrouped, _) => return self.list(word),
            (Place::Service, "type" | "schedule" | "envVars") => return None,
            (Place::Service, "envGroups") => {
                let external = Told("true".to_owned());
                let name = self.text();
                List(vec![Map(vec![("name".into(), name), ("external".into(), external)])])
            }
            (Place::Service, "image") => match self.below(2) {
                0 => self.text(),
                _ => {
                    let url = self.text();
                    self.mapping(Place::Image, vec![("url", url)])
                }
            },
            (Place::Service, "healthCheckPath") | (Place::HealthCheck, "path") => self.path(),
            (Place::Service, "healthCheck") => self.mapping(Place::HealthCheck, vec![]),
            (Place::Service, "scaling") => {
                self.mapping(Place::Scaling, vec![("min", Leaf("1".into()))])
            }
            (Place::Service, "disk") => {
                let path = self.path();
                self.mapping(Place::Disk, vec![("mountPath", path)])
            }
            (Place::Service, "autoDeploy") => Told("true".to_owned()),
            (Place::Service, "autoDeployTrigger") => Told("commit".to_owned()),
            (Place::Service, "domains" | "domain" | "customDomains") => {
                Leaf(format!("t{}t.dev", self.number()))
            }
            (Place::Service, "port" | "numInstances")
            | (Place::Disk, "sizeGB")
            | (Place::Database, "storageGB" | "diskSizeGB") => {
                Leaf((100 + self.number() % 900).to_string())
            }
            (Place::Scaling, "targetCPUPercent") => Leaf("77".to_owned()),
            (Place::Scaling, "minInstances") => Leaf("2".to_owned()),
            (Place::Scaling, "maxInstances") => Leaf("901".to_owned()),
            (Place::Scaling, "max") => Leaf("902".to_owned()),
            (Place::Image, "repository") => return None,
            (Place::Database, "storage") => Told("7Gi".to_owned()),
            (Place::Reference, "type") => Told("web".to_owned()),
            (Place::Reference, "external") => return None,
            (Place::Group, "envVars") => {
                let variable = self.variable(true);
                List(vec![variable])
            }
            (Place::Variable, _) => return None,
            _ => self.text(),
        };
        Some(shape)
    }

    fn path(&mut self) -> Shape {
        Leaf(format!("/t{}t", self.number()))
    }

    /// A list of the top, of an environment or of what is in none; or what else stands there.
    fn list(&mut self, word: &str) -> Option<Shape> {
        let name = self.text();
        let item = match word {
            "services" => self.service(),
            "databases" | "caches" => self.mapping(Place::Database, vec![("name", name)]),
            "envVarGroups" | "envGroups" => self.mapping(Place::Group, vec![("name", name)]),
            "pipeline" => return Some(self.mapping(Place::Pipeline, vec![("name", name)])),
            "ungrouped" => return Some(self.mapping(Place::Ungrouped, vec![])),
            "projects" => {
                let environment = self.mapping(Place::Environment, vec![]);
                let environments = List(vec![environment]);
                self.mapping(Place::Project, vec![("environments", environments)])
            }
            _ => return None,
        };
        Some(List(vec![item]))
    }

    fn service(&mut self) -> Shape {
        let name = self.text();
        let kind = ["web", "worker", "pserv", "cron", "static"][self.below(5)];
        let mut must = vec![("name", name), ("type", Told(kind.to_owned()))];
        if kind == "cron" {
            let minute = self.number() % 60;
            must.push(("schedule", Leaf(format!("{minute} 3 * * *"))));
        }
        let variables = (0..self.below(4)).map(|_| self.variable(false)).collect();
        must.push(("envVars", List(variables)));
        self.mapping(Place::Service, must)
    }

    fn variable(&mut self, is_in_group: bool) -> Shape {
        let key = Leaf(format!("K{}K", self.number()));
        let external = || Told("true".to_owned());
        let must = match self.below(if is_in_group { 3 } else { 7 }) {
            0 => vec![("key", key), ("value", self.any(0))],
            1 => vec![("key", key), ("sync", Told("false".to_owned())), ("value", self.text())],
            2 => vec![("key", key), ("generateValue", Told("true".to_owned()))],
            3 => vec![("fromGroup", self.text()), ("external", external()), ("key", key)],
            way => {
                let must = vec![
                    ("name", self.text()),
                    ("property", self.text()),
                    ("external", external()),
                ];
                let way = ["fromDatabase", "fromService", "fromCache"][way - 4];
                vec![("key", key), (way, self.mapping(Place::Reference, must))]
            }
        };
        self.mapping(Place::Variable, must)
    }
}

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

/// Reads a whole Blueprint and sees that each of its values came out, or that a finding points at
/// it or at a key above it.
fn check(shape: &Shape) {
    let Map(entries) = shape else { panic!("a Blueprint is a mapping") };
    let mut writer = Writer::default();
    for (key, value) in entries {
        writer.shape(0, &format!("{key}:"), value, &[]);
    }
    let Writer { text, leaves, .. } = writer;
    let Loaded { desired, diagnostics } = load(&Tree::from_texts([("a.yaml", text.as_str())]));
    let told: BTreeSet<usize> =
        diagnostics.iter().filter_map(|it| Some(it.origin.as_ref()?.line)).collect();
    let desired = desired.unwrap_or_else(|| panic!("{text}\n{diagnostics:#?}"));
    let printed = print(&desired);
    for Written { line, above, value } in leaves {
        let is_told = told.contains(&line) || above.iter().any(|line| told.contains(line));
        assert!(printed.contains(&value) || is_told, "line {line}, `{value}`:\n{text}\n{printed}");
    }
    let unused = diagnostics.iter().find(|it| it.code == "unused-value");
    assert!(unused.is_none(), "{unused:?} in\n{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_of_any_blueprint_is_dropped_without_a_word(seed in any::<u64>()) {
        let mut draw = Draw { state: seed, count: 0 };
        let services = draw.list("services").unwrap();
        check(&draw.mapping(Place::Top, vec![("services", services)]));
    }
}

/// What the table says of a word, when it alone stands there.
#[test]
fn every_word_of_the_table_is_read_or_left_out_for_its_reason() {
    for place in Place::ALL {
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
fn alone(place: Place, word: &'static str) -> String {
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
        Place::Top => with(vec![]),
        Place::Pipeline => one("pipeline", with(vec![("name", leaf("acme"))])),
        Place::Project => one("projects", List(vec![with(vec![])])),
        Place::Environment => {
            let environments = List(vec![with(vec![])]);
            one("projects", List(vec![one("environments", environments)]))
        }
        Place::Ungrouped => one("ungrouped", with(vec![])),
        Place::Service => {
            let kind = if word == "schedule" { "cron" } else { "web" };
            let item = with(vec![("name", leaf("a")), ("type", leaf(kind))]);
            one("services", List(vec![item]))
        }
        Place::Image => one("services", service("image", with(vec![("url", leaf("nginx"))]))),
        Place::HealthCheck => one("services", service("healthCheck", with(vec![]))),
        Place::Scaling => one("services", service("scaling", with(vec![]))),
        Place::Disk => one("services", service("disk", with(vec![("mountPath", leaf("/d"))]))),
        Place::Database => one("databases", List(vec![with(vec![("name", leaf("a"))])])),
        Place::Group => one("envVarGroups", List(vec![with(vec![("name", leaf("a"))])])),
        Place::Variable => {
            let must = match word {
                "fromGroup" => vec![("external", leaf("true"))],
                "external" => vec![("fromGroup", leaf("g"))],
                "fromDatabase" | "fromService" | "fromCache" | "generateValue" | "sync" => {
                    vec![("key", leaf("K"))]
                }
                _ => vec![("key", leaf("K")), ("value", leaf("v"))],
            };
            one("services", service("envVars", List(vec![with(must)])))
        }
        Place::Reference => {
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

impl Draw {
    /// As [`Draw::sample`], with what that leaves to its caller.
    fn sample_alone(&mut self, place: Place, word: &str) -> Option<Shape> {
        let leaf = |text: &str| Some(Leaf(text.to_owned()));
        match (place, word) {
            (Place::Service, "type") => leaf("web"),
            (Place::Service, "schedule") => leaf("0 3 * * *"),
            (Place::Service | Place::Group, "envVars") => Some(List(vec![self.variable(true)])),
            (Place::Service, "healthCheck") => Some(Map(vec![("path".into(), self.path())])),
            (Place::Disk, "mountPath") => Some(self.path()),
            (Place::Scaling, "min" | "minInstances") => leaf("1"),
            (Place::Reference, "external") | (Place::Variable, "external" | "generateValue") => {
                leaf("true")
            }
            (Place::Variable, "sync") => leaf("false"),
            (Place::Variable, "fromDatabase" | "fromService" | "fromCache") => {
                let entries = [("name", "b"), ("property", "host"), ("external", "true")];
                let entry = |(key, text): (&str, &str)| (key.to_owned(), Leaf(text.to_owned()));
                Some(Map(entries.map(entry).into()))
            }
            (Place::Project, "environments") => Some(List(vec![])),
            _ => self.sample(place, word),
        }
    }
}

/// The tables of the page, one for each mapping.
fn tables() -> String {
    let mut text = String::new();
    for place in Place::ALL {
        let heading = match place {
            Place::Top => "At the top".to_owned(),
            Place::Reference => {
                "In `envVars.fromDatabase`, `envVars.fromService`, `envVars.fromCache`".to_owned()
            }
            Place::Database => {
                "In `databases`, `caches`, and `services` of the type of a database".to_owned()
            }
            Place::Group => "In `envVarGroups`, `envGroups`".to_owned(),
            other => format!("In `{}`", other.path()),
        };
        text += &format!("### {heading}\n\n| Word | Becomes |\n|---|---|\n");
        for (word, fate) in place.words() {
            match fate {
                Fate::Home(home) => text += &format!("| `{word}` | {home} |\n"),
                Fate::Without(reason) => text += &format!("| `{word}` | left out: {reason} |\n"),
            }
        }
        text += "\n";
    }
    text
}

#[test]
fn the_page_of_the_documentation_is_the_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/blueprint.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once("## The words\n\n").unwrap();
    assert_eq!(rest.trim_end(), tables().trim_end(), "write it as:\n{}", tables());
}
