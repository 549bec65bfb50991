//! Every place of the base that the JSON Schema describes, and every change to it worth trying.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// One value of the base and what the schema says of it.
pub struct Site {
    /// Which document it stands in.
    pub document: usize,
    /// Where in it, as a JSON pointer.
    pub pointer: String,
    /// Whether the document is nothing without it.
    pub is_required: bool,
    /// What it may be: each a node of the schema without references.
    shapes: Vec<Value>,
}

/// One change to one place of the base.
pub struct Mutant {
    pub document: usize,
    pub pointer: String,
    pub kind: Mutation,
    /// What stands there instead; `None`: nothing does.
    pub value: Option<Value>,
    /// Whether this can be no manifest: the schema says so, or a reference of it leads nowhere.
    pub is_wrong: bool,
}

/// What is done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    Deleted,
    Emptied,
    Null,
    Changed,
    AtLimit,
    BeyondLimit,
    OtherWord,
    UnknownWord,
    OtherType,
    UnknownNeighbour,
    Dangling,
    /// Services that need each other, or themselves: that is valid.
    Mutual,
    Cyclic,
}

impl std::fmt::Display for Mutant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { document, pointer, kind, value, is_wrong: _ } = self;
        let value = value.as_ref().map(|value| value.to_string().chars().take(60).collect());
        let value: String = value.unwrap_or_default();
        write!(formatter, "document {document} {pointer} {kind:?} {value}")
    }
}

impl Mutant {
    /// Returns the documents with this change.
    pub fn of(&self, base: &[Value]) -> Vec<Value> {
        let mut documents = base.to_vec();
        let (parent, name) = self.pointer.rsplit_once('/').unwrap();
        let parent = documents[self.document].pointer_mut(parent).unwrap();
        match (parent, &self.value) {
            (Value::Object(fields), Some(value)) => drop(fields.insert(name.into(), value.clone())),
            (Value::Object(fields), None) => drop(fields.remove(name)),
            (Value::Array(items), Some(value)) => {
                items[name.parse::<usize>().unwrap()] = value.clone();
            }
            (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
            (other, _) => panic!("{} lies in {other}", self.pointer),
        }
        documents
    }
}

impl Mutant {
    /// Whether the platform keeps something of it for good: a disk that has grown, or what lived
    /// under the other name.
    pub fn has_no_way_back(&self) -> bool {
        self.pointer.ends_with("sizeGB") || self.pointer == "/metadata/name"
    }

    /// Whether it still declares every field of the base, so that nothing depends on what was there
    /// before: what is not declared is left alone.
    pub fn says_all(&self) -> bool {
        let is_all = match self.kind {
            Mutation::Changed | Mutation::AtLimit | Mutation::OtherWord => true,
            Mutation::Emptied => !matches!(self.value, Some(Value::Object(_))),
            Mutation::Deleted
            | Mutation::Null
            | Mutation::BeyondLimit
            | Mutation::UnknownWord
            | Mutation::OtherType
            | Mutation::UnknownNeighbour
            | Mutation::Dangling
            | Mutation::Mutual
            | Mutation::Cyclic => false,
        };
        is_all && self.pointer.starts_with("/spec")
    }
}

/// Finds every value of the base that the schema describes, and the fields it has that the base
/// does not.
pub fn sites(schema: &Value, base: &[Value]) -> (Vec<Site>, BTreeSet<String>) {
    let (mut sites, mut known, mut met) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (document, value) in base.iter().enumerate() {
        let shapes = shapes(schema, schema, value);
        let site = Site { document, pointer: String::new(), is_required: true, shapes };
        walk(schema, value, site, &mut sites, &mut known, &mut met);
    }
    (sites, known.difference(&met).cloned().collect())
}

fn walk(
    schema: &Value,
    value: &Value,
    site: Site,
    sites: &mut Vec<Site>,
    known: &mut BTreeSet<String>,
    met: &mut BTreeSet<String>,
) {
    let below = |name: &str, shape: &Value, value: &Value, is_required: bool| Site {
        document: site.document,
        pointer: format!("{}/{name}", site.pointer),
        is_required,
        shapes: shapes(schema, shape, value),
    };
    for shape in &site.shapes {
        if let (Some(properties), Some(fields)) =
            (shape["properties"].as_object(), value.as_object())
        {
            known.extend(properties.keys().cloned());
            let required = |name: &str| {
                shape["required"].as_array().is_some_and(|it| it.iter().any(|it| it == name))
            };
            for (name, shape) in properties {
                if let Some(value) = fields.get(name) {
                    met.insert(name.clone());
                    let site = below(name, shape, value, required(name));
                    walk(schema, value, site, sites, known, met);
                }
            }
        }
        if let (Some(shape), Some(items)) = (shape.get("items"), value.as_array()) {
            for (index, item) in items.iter().enumerate() {
                let site = below(&index.to_string(), shape, item, false);
                walk(schema, item, site, sites, known, met);
            }
        }
        let rest = shape.get("additionalProperties").filter(|rest| rest.is_object());
        if let (Some(shape), Some(fields)) = (rest, value.as_object()) {
            for (name, value) in fields {
                let site = below(name, shape, value, false);
                walk(schema, value, site, sites, known, met);
            }
        }
    }
    if !site.pointer.is_empty() {
        sites.push(site);
    }
}

/// Returns the forms of a node that this value could be of: references followed, and of several
/// forms of an object those that have a field of it.
fn shapes(schema: &Value, node: &Value, value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut ahead = vec![node.clone()];
    while let Some(mut node) = ahead.pop() {
        let Some(fields) = node.as_object_mut() else {
            continue;
        };
        if let Some(Value::String(reference)) = fields.remove("$ref") {
            let target = schema.pointer(reference.trim_start_matches('#')).unwrap();
            ahead.push(target.clone());
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(forms)) = fields.remove(word) {
                ahead.extend(forms);
            }
        }
        if fits(fields, value) {
            found.push(node);
        }
    }
    found
}

fn fits(shape: &Map<String, Value>, value: &Value) -> bool {
    // `kind` tells documents apart; a form of another kind is not meant.
    let kind = shape.get("properties").and_then(|it| it.get("kind"));
    let kind = kind.and_then(|kind| kind.get("const").or_else(|| kind["enum"].get(0)));
    if let (Some(kind), Some(found)) = (kind, value.get("kind")) {
        return kind == found;
    }
    match value {
        Value::Object(fields) => match shape.get("properties").and_then(Value::as_object) {
            Some(known) => fields.keys().all(|name| known.contains_key(name)),
            None => shape.contains_key("additionalProperties"),
        },
        Value::Array(_) => shape.contains_key("items"),
        _ => !shape.contains_key("properties") && !shape.contains_key("items"),
    }
}

impl Site {
    /// Returns every change to it.
    pub fn mutants(&self, value: &Value) -> Vec<Mutant> {
        let mut mutants = vec![
            self.mutant(Mutation::Deleted, None, self.is_required),
            self.mutant(Mutation::Emptied, Some(emptied(value)), false),
            self.mutant(Mutation::Null, Some(Value::Null), self.is_required),
            self.mutant(Mutation::OtherType, Some(other_type(value)), value.is_object()),
        ];
        let words: Vec<&Value> = self.words().collect();
        if words.is_empty() {
            if let Some(value) = changed(value) {
                mutants.push(self.mutant(Mutation::Changed, Some(value), false));
            }
        } else {
            let others = words.iter().filter(|word| **word != value);
            mutants.extend(
                others.map(|word| self.mutant(Mutation::OtherWord, Some((*word).clone()), false)),
            );
            mutants.push(self.mutant(Mutation::UnknownWord, Some(json!("unheard-of")), true));
        }
        for shape in &self.shapes {
            mutants.extend(self.at_limits(shape, value));
        }
        if let Value::Object(fields) = value
            && self.shapes.iter().any(|shape| shape["additionalProperties"] == false)
        {
            let mut fields = fields.clone();
            fields.insert("unheardOf".to_owned(), json!(1));
            let value = Some(Value::Object(fields));
            mutants.push(self.mutant(Mutation::UnknownNeighbour, value, true));
        }
        mutants
    }

    fn mutant(&self, kind: Mutation, value: Option<Value>, is_wrong: bool) -> Mutant {
        let (document, pointer) = (self.document, self.pointer.clone());
        Mutant { document, pointer, kind, value, is_wrong }
    }

    fn words(&self) -> impl Iterator<Item = &Value> {
        self.shapes.iter().flat_map(|shape| {
            let several = shape["enum"].as_array().into_iter().flatten();
            several.chain(shape.get("const"))
        })
    }

    fn at_limits(&self, shape: &Value, value: &Value) -> Vec<Mutant> {
        let mut mutants = Vec::new();
        let mut add = |kind, value| {
            mutants.push(self.mutant(kind, Some(value), kind == Mutation::BeyondLimit));
        };
        for (limit, over) in [("minimum", -1), ("maximum", 1)] {
            if let Some(limit) = shape[limit].as_f64() {
                add(Mutation::AtLimit, json!(limit as i64));
                add(Mutation::BeyondLimit, json!(limit as i64 + over));
            }
        }
        let length = |name: &str| shape[name].as_u64().and_then(|it| usize::try_from(it).ok());
        for (limit, over) in [("minLength", -1), ("maxLength", 1)] {
            if let (Some(limit), Value::String(text)) = (length(limit), value) {
                add(Mutation::AtLimit, json!(stretched(text, limit)));
                // No least of ours is nothing.
                let beyond = limit.checked_add_signed(over).unwrap();
                add(Mutation::BeyondLimit, json!(stretched(text, beyond)));
            }
        }
        if let (Some(pattern), Value::String(_)) = (shape["pattern"].as_str(), value) {
            let (within, beyond) = samples(pattern);
            within.into_iter().for_each(|text| add(Mutation::AtLimit, json!(text)));
            beyond.into_iter().for_each(|text| add(Mutation::BeyondLimit, json!(text)));
        }
        mutants
    }
}

/// Texts that only just fit a pattern, and texts that only just do not.
fn samples(pattern: &str) -> (Vec<String>, Vec<String>) {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    match pattern {
        "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" => {
            let mut within = owned(&["a", "0", "a-0"]);
            within.push("a".repeat(63));
            let mut beyond = owned(&["", "-", "-a", "a-", "A", "a_b", "a.b", "\u{e4}"]);
            beyond.push("a".repeat(64));
            (within, beyond)
        }
        "^/" => (owned(&["/", "//"]), owned(&["", "a", " /"])),
        unheard_of => panic!("say what only just fits {unheard_of}"),
    }
}

fn emptied(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) | Value::String(_) => json!(""),
        Value::Number(_) => json!(0),
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
    }
}

fn changed(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(truth) => Some(json!(!truth)),
        Value::Number(number) => number.as_i64().map(|number| json!(number + 1)),
        Value::String(text) => Some(json!(format!("{text}2"))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::Array(_) => json!({"a": 1}),
        Value::Object(_) => json!(["a"]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!([1]),
    }
}

fn stretched(text: &str, length: usize) -> String {
    text.chars().chain(std::iter::repeat('X')).take(length).collect()
}
