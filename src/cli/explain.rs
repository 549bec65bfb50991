//! `stoker explain`: a kind or a field of a manifest, told from the schema that editors read.

use serde_json::Value;

use crate::manifest::{self, nearest};
use crate::model::Kind;
use crate::render::{Line, Paper, Style};

use super::arguments::{ExplainCommand, OutputFormat};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

/// How far a reference to a definition is followed.
const REFERENCES_MAX: usize = 8;

/// Prints what a kind or a field is; as a program's form, its schema.
pub fn run(context: &Context, command: &ExplainCommand) -> Result<Exit, Failure> {
    let schema = manifest::schema();
    let found = find(&schema, &command.field)?;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => context.output.data(&found.paper()),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.value(&found.node);
        }
    }
    Ok(Exit::Done)
}

/// A place of the schema.
struct Explained<'s> {
    schema: &'s Value,
    path: String,
    node: &'s Value,
    is_required: bool,
}

/// A field below a place.
struct ExplainedField<'s> {
    name: &'s str,
    node: &'s Value,
    is_required: bool,
}

/// Goes to a kind, and from there field by field; lists are entered by themselves.
fn find<'s>(schema: &'s Value, path: &str) -> Result<Explained<'s>, Failure> {
    let mut steps = path.split('.');
    let kind = steps.next().unwrap_or_default();
    let documents = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name_of = |document: &'s Value| document["properties"]["kind"]["const"].as_str();
    let names: Vec<&str> = documents.iter().filter_map(name_of).collect();
    // `Project` is a document, and no kind of resource.
    let said = kind.parse().map_or(kind, |known: Kind| known.as_str());
    let is_meant = |name: &str| {
        name.eq_ignore_ascii_case(said) || format!("{name}s").eq_ignore_ascii_case(said)
    };
    let document = documents.iter().find(|document| name_of(document).is_some_and(is_meant));
    let Some((document, name)) = document.and_then(|it| Some((it, name_of(it)?))) else {
        return Err(unknown(format!("unknown kind `{kind}`"), kind, &names));
    };
    let mut found = Explained { schema, path: name.to_owned(), node: document, is_required: false };
    for step in steps.filter(|step| !step.is_empty()) {
        let fields = found.fields();
        let Some(field) = fields.iter().find(|field| field.name == step) else {
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let failure =
                unknown(format!("unknown field `{step}` of {}", found.path), step, &names);
            let inner = fields.iter().find(|field| found.field(field).has(step));
            return Err(match inner {
                Some(field) => {
                    failure.hint(format!("did you mean `{}.{}.{step}`?", found.path, field.name))
                }
                None => failure,
            });
        };
        found = found.field(field);
    }
    Ok(found)
}

fn unknown(message: String, word: &str, known: &[&str]) -> Failure {
    let failure = Failure::usage(message);
    match nearest(word, known) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => failure.hint("it has no fields"),
        None => failure.hint(format!("one of {}", known.join(", "))),
    }
}

impl<'s> Explained<'s> {
    /// Returns the place of one of its fields.
    fn field(&self, field: &ExplainedField<'s>) -> Self {
        let ExplainedField { name, node, is_required } = *field;
        let path = format!("{}.{name}", self.path);
        Self { schema: self.schema, path, node, is_required }
    }

    /// Whether it has a field of that name.
    fn has(&self, name: &str) -> bool {
        self.fields().iter().any(|field| field.name == name)
    }

    /// Returns what a node is in all its forms: references followed, nothing left out.
    fn forms(&self, node: &'s Value, depth: usize) -> Vec<&'s Value> {
        if depth > REFERENCES_MAX {
            return Vec::new();
        }
        if let Some(name) = node["$ref"].as_str().and_then(|it| it.strip_prefix("#/definitions/")) {
            return self.forms(&self.schema["definitions"][name], depth + 1);
        }
        let several = ["anyOf", "oneOf", "allOf"].iter().filter_map(|word| node[word].as_array());
        let mut forms: Vec<&Value> =
            several.flatten().flat_map(|node| self.forms(node, depth + 1)).collect();
        if forms.is_empty() || node["properties"].is_object() {
            forms.insert(0, node);
        }
        forms.retain(|form| form["type"] != "null");
        forms
    }

    /// Returns the fields below, of the items of a list those of an item.
    fn fields(&self) -> Vec<ExplainedField<'s>> {
        let mut fields: Vec<ExplainedField<'s>> = Vec::new();
        for form in self.forms(self.node, 0) {
            let inner = match form["items"].is_object() {
                true => self.forms(&form["items"], 0),
                false => vec![form],
            };
            for form in inner {
                let required = form["required"].as_array().map(Vec::as_slice).unwrap_or_default();
                for (name, node) in form["properties"].as_object().into_iter().flatten() {
                    let is_required = required.iter().any(|it| it.as_str() == Some(name));
                    if !fields.iter().any(|field| field.name == name) {
                        fields.push(ExplainedField { name, node, is_required });
                    }
                }
            }
        }
        fields
    }

    /// Says what may stand there: `text`, `list of text`, `one of a, b`.
    fn type_of(&self, node: &'s Value) -> String {
        let mut words: Vec<String> = Vec::new();
        for form in self.forms(node, 0) {
            let types = match &form["type"] {
                Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                Value::String(one) => vec![one.as_str()],
                _ => Vec::new(),
            };
            let constant = form.get("const").and_then(Value::as_str);
            let choices = form["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let choices: Vec<&str> = choices.chain(constant).collect();
            if !choices.is_empty() {
                words.push(format!("`{}`", choices.join("`, `")));
                continue;
            }
            words.extend(types.into_iter().filter(|word| *word != "null").map(|word| match word {
                "string" => "text".to_owned(),
                "integer" => "a whole number".to_owned(),
                "number" => "a number".to_owned(),
                "boolean" => "true or false".to_owned(),
                "array" => format!("a list of {}", self.type_of(&form["items"])),
                _ => "a mapping".to_owned(),
            }));
        }
        words.dedup();
        words.join(", or ")
    }

    fn description(&self, node: &'s Value) -> &'s str {
        let own = node["description"].as_str();
        let of_form = || self.forms(node, 0).iter().find_map(|it| it["description"].as_str());
        own.or_else(of_form).unwrap_or_default()
    }

    fn paper(&self) -> Paper {
        let mut paper = Paper::default();
        let what = self.type_of(self.node);
        let required = if self.is_required { "; required" } else { "" };
        paper.push(
            Line::default()
                .with(Style::Bold, self.path.as_str())
                .plain(format!("   {what}{required}")),
        );
        for line in self.description(self.node).lines() {
            paper.push(Line::of(line));
        }
        let fields = self.fields();
        if fields.is_empty() {
            return paper;
        }
        paper.push(Line::default());
        let width = fields.iter().map(|field| field.name.len()).max().unwrap_or_default();
        for ExplainedField { name, node, is_required } in &fields {
            let required = if *is_required { "; required" } else { "" };
            let first = self.description(node).lines().next().unwrap_or_default();
            let what = format!("{}{required}. {first}", self.type_of(node));
            paper.push(Line::of(format!("  {name:width$}   {what}")));
        }
        paper
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> String {
        let schema = manifest::schema();
        match find(&schema, path) {
            Ok(found) => found.paper().to_plain(),
            Err(failure) => format!("{} ({})", failure.message, failure.hints.join("; ")),
        }
    }

    #[test]
    fn every_field_of_every_kind_is_told_with_its_meaning() {
        let schema = manifest::schema();
        let mut open: Vec<String> =
            ["Service", "Database", "EnvGroup", "Project"].map(str::to_owned).into();
        let mut seen = 0;
        while let Some(path) = open.pop() {
            let found = find(&schema, &path).unwrap();
            let text = found.paper().to_plain();
            assert!(text.lines().next().is_some_and(|line| line.len() > path.len() + 3), "{text}");
            open.extend(found.fields().iter().map(|field| format!("{path}.{}", field.name)));
            seen += 1;
        }
        assert!(seen > 80, "{seen}");
    }

    #[test]
    fn lists_are_entered_and_a_slip_is_met_with_the_nearest_word() {
        let variable = told("service.spec.envVars");
        assert!(variable.contains("fromDatabase"), "{variable}");
        assert!(told("Service.spec.scaling.minInstances").contains("a whole number"));
        assert_eq!(told("Servce"), "unknown kind `Servce` (did you mean `Service`?)");
        let slip = told("services.spec.replica");
        assert!(slip.starts_with("unknown field `replica` of Service.spec"), "{slip}");
        assert!(told("Service.spec.port.x").contains("it has no fields"));
    }
}
