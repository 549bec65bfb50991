//! Draws Blueprints: any words of the table, each with a value of its own.

use super::super::words::{Fate, MappingKind};

/// A piece of a Blueprint.
pub enum Shape {
    /// A value of its own that must come out again, or be told of.
    Leaf(String),
    /// A value whose word is its meaning: it need not come out as written.
    Told(String),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
}

pub use Shape::{Leaf, List, Map, Told};

/// Draws shapes; each value is another one.
pub struct Draw {
    pub state: u64,
    pub count: usize,
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

    pub fn text(&mut self) -> Shape {
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
    pub fn mapping(&mut self, place: MappingKind, must: Vec<(&str, Shape)>) -> Shape {
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
    pub fn sample(&mut self, place: MappingKind, word: &str) -> Option<Shape> {
        let shape = match (place, word) {
            (MappingKind::Top, "version") => Told("1".to_owned()),
            (MappingKind::Top, "region")
            | (MappingKind::Project | MappingKind::Environment, "name") => {
                Told(format!("t{}t", self.number()))
            }
            (MappingKind::Top | MappingKind::Environment | MappingKind::Ungrouped, _)
            | (MappingKind::Project, "envVarGroups" | "envGroups") => return self.list(word),
            (MappingKind::Service, "type" | "schedule" | "envVars") => return None,
            (MappingKind::Service, "envGroups") => {
                let external = Told("true".to_owned());
                let name = self.text();
                List(vec![Map(vec![("name".into(), name), ("external".into(), external)])])
            }
            (MappingKind::Service, "image") => match self.below(2) {
                0 => self.text(),
                _ => {
                    let url = self.text();
                    self.mapping(MappingKind::Image, vec![("url", url)])
                }
            },
            (MappingKind::Service, "healthCheckPath") | (MappingKind::HealthCheck, "path") => {
                self.path()
            }
            (MappingKind::Service, "healthCheck" | "healthcheck") => {
                self.mapping(MappingKind::HealthCheck, vec![])
            }
            (MappingKind::Service, "secrets" | "secret_refs") => {
                let keys = (0..2).map(|_| Leaf(format!("K{}K", self.number())));
                List(keys.collect())
            }
            (MappingKind::Service, "scaling") => {
                self.mapping(MappingKind::Scaling, vec![("min", Leaf("1".into()))])
            }
            (MappingKind::Service, "disk") => {
                let path = self.path();
                self.mapping(MappingKind::Disk, vec![("mountPath", path)])
            }
            (MappingKind::Service, "autoDeploy") => Told("true".to_owned()),
            (MappingKind::Service, "autoDeployTrigger") => Told("commit".to_owned()),
            (MappingKind::Service, "domains" | "domain" | "customDomains") => {
                Leaf(format!("t{}t.dev", self.number()))
            }
            (MappingKind::Service, "port" | "numInstances")
            | (MappingKind::Disk, "sizeGB")
            | (MappingKind::Database, "storageGB" | "diskSizeGB") => {
                Leaf((100 + self.number() % 900).to_string())
            }
            (MappingKind::Scaling, "targetCPUPercent") => Leaf("77".to_owned()),
            (MappingKind::Scaling, "target_cpu_percent") => Leaf("78".to_owned()),
            (MappingKind::Scaling, "min_instances") => Leaf("3".to_owned()),
            (MappingKind::Scaling, "max_instances") => Leaf("903".to_owned()),
            (MappingKind::Scaling, "minInstances") => Leaf("2".to_owned()),
            (MappingKind::Scaling, "maxInstances") => Leaf("901".to_owned()),
            (MappingKind::Scaling, "max") => Leaf("902".to_owned()),
            (MappingKind::Image, "repository") => return None,
            (MappingKind::Database, "storage") => Told("7Gi".to_owned()),
            (MappingKind::Reference, "type") => Told("web".to_owned()),
            (MappingKind::Reference, "external") => return None,
            (MappingKind::Group, "envVars") => {
                let variable = self.variable(true);
                List(vec![variable])
            }
            (MappingKind::Variable, _) => return None,
            _ => self.text(),
        };
        Some(shape)
    }

    fn path(&mut self) -> Shape {
        Leaf(format!("/t{}t", self.number()))
    }

    /// A list of the top, of an environment or of what is in none; or what else stands there.
    pub fn list(&mut self, word: &str) -> Option<Shape> {
        let name = self.text();
        let item = match word {
            "services" if self.below(3) == 0 => return Some(self.services_by_name()),
            "services" => self.service(),
            "databases" | "caches" => self.mapping(MappingKind::Database, vec![("name", name)]),
            "envVarGroups" | "envGroups" => self.mapping(MappingKind::Group, vec![("name", name)]),
            "pipeline" => return Some(self.mapping(MappingKind::Pipeline, vec![("name", name)])),
            "ungrouped" => return Some(self.mapping(MappingKind::Ungrouped, vec![])),
            "projects" => {
                let environment = self.mapping(MappingKind::Environment, vec![]);
                let environments = List(vec![environment]);
                self.mapping(MappingKind::Project, vec![("environments", environments)])
            }
            _ => return None,
        };
        Some(List(vec![item]))
    }

    /// Services as a mapping whose keys are the names, with variables as one, too.
    fn services_by_name(&mut self) -> Shape {
        let named = |draw: &mut Self| {
            let Leaf(name) = draw.text() else { unreachable!("a text is a leaf") };
            let Map(mut entries) = draw.service() else { unreachable!("a service is a mapping") };
            entries.retain(|(key, _)| !["name", "env", "envVars"].contains(&key.as_str()));
            let own = vec![("from_service", Leaf(name.clone())), ("property", draw.text())];
            let own = draw.mapping(MappingKind::Variable, own);
            let keys = [draw.number(), draw.number()].map(|number| format!("K{number}K"));
            let [first, second] = keys;
            let variables = Map(vec![(first, draw.text()), (second, own)]);
            entries.push(("env".to_owned(), variables));
            (name, Map(entries))
        };
        Map(vec![named(self), named(self)])
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
        self.mapping(MappingKind::Service, must)
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
                vec![("key", key), (way, self.mapping(MappingKind::Reference, must))]
            }
        };
        self.mapping(MappingKind::Variable, must)
    }
}

impl Draw {
    /// As [`Draw::sample`], with what that leaves to its caller.
    pub fn sample_alone(&mut self, place: MappingKind, word: &str) -> Option<Shape> {
        let leaf = |text: &str| Some(Leaf(text.to_owned()));
        match (place, word) {
            (MappingKind::Service, "type") => leaf("web"),
            (MappingKind::Service, "schedule") => leaf("0 3 * * *"),
            (MappingKind::Service | MappingKind::Group, "envVars") => {
                Some(List(vec![self.variable(true)]))
            }
            (MappingKind::Service, "healthCheck") => Some(Map(vec![("path".into(), self.path())])),
            (MappingKind::Disk, "mountPath") => Some(self.path()),
            (MappingKind::Scaling, "min" | "minInstances") => leaf("1"),
            (MappingKind::Reference, "external")
            | (MappingKind::Variable, "external" | "generateValue") => leaf("true"),
            (MappingKind::Variable, "sync") => leaf("false"),
            (MappingKind::Variable, "from_service") => leaf("a"),
            (MappingKind::Variable, "property") => leaf("host"),
            (MappingKind::Service, "healthcheck") => Some(Map(vec![("path".into(), self.path())])),
            (MappingKind::Variable, "fromDatabase" | "fromService" | "fromCache") => {
                let entries = [("name", "b"), ("property", "host"), ("external", "true")];
                let entry = |(key, text): (&str, &str)| (key.to_owned(), Leaf(text.to_owned()));
                Some(Map(entries.map(entry).into()))
            }
            (MappingKind::Project, "environments") => Some(List(vec![])),
            _ => self.sample(place, word),
        }
    }
}
