//! `docs/json.md`: its tables are made of the schemas, and stand there as they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::ValueEnum as _;
use serde_json::Value;

use super::JsonForm;

/// What stands before the tables on the page.
const MARK: &str =
    "<!-- Generated from the types: `SNAPSHOTS=overwrite cargo test --lib forms::` -->\n";

/// Names the form of a value.
fn form(schema: &Value) -> String {
    let listed = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(word) = schema["const"].as_str() {
        return format!("`{word}`");
    }
    let choices: Vec<Value> = [listed("anyOf"), listed("oneOf")].concat();
    if !choices.is_empty() {
        return choices.iter().map(form).collect::<Vec<_>>().join(" or ");
    }
    if let Some(types) = schema["type"].as_array() {
        let mut one = schema.clone();
        let named = types.iter().map(|kind| {
            one["type"] = kind.clone();
            form(&one)
        });
        return named.collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str() {
        Some("string") if schema["format"] == "date-time" => "time".to_owned(),
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("null") => "`null`".to_owned(),
        Some("array") => format!("list of {}", form(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("map to {}", form(&schema["additionalProperties"]))
        }
        Some("object") => "map".to_owned(),
        Some(other) => panic!("no name for {other}"),
        None => "any value".to_owned(),
    }
}

fn told(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Writes the fields of an object, or the words of a closed set.
fn table(schema: &Value, out: &mut String) {
    if let Some(fields) = schema["properties"].as_object() {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        out.push_str("| Field | Form | Meaning |\n|---|---|---|\n");
        for (name, field) in fields {
            let or_absent =
                if required.contains(&name.as_str().into()) { "" } else { ", or absent" };
            writeln!(out, "| `{name}` | {}{or_absent} | {} |", form(field), told(field)).unwrap();
        }
        return;
    }
    let choices = schema["oneOf"].as_array().cloned().unwrap_or_default();
    if choices.iter().any(|choice| choice["const"].is_string()) {
        out.push_str("| Word | Meaning |\n|---|---|\n");
        for choice in choices {
            writeln!(out, "| {} | {} |", form(&choice), told(&choice)).unwrap();
        }
        return;
    }
    if choices.is_empty() {
        writeln!(out, "In JSON: {}.", form(schema)).unwrap();
        return;
    }
    // One object of several, each with one field.
    out.push_str("| Field | Form | Meaning |\n|---|---|---|\n");
    for choice in choices {
        for (name, field) in choice["properties"].as_object().into_iter().flatten() {
            writeln!(out, "| `{name}` | {} | {} |", form(field), told(&choice)).unwrap();
        }
    }
}

fn section(heading: &str, schema: &Value, out: &mut String) {
    writeln!(out, "\n### {heading}\n").unwrap();
    match told(schema) {
        about if about.is_empty() => {}
        about => writeln!(out, "{}.\n", about.trim_end_matches('.')).unwrap(),
    }
    table(schema, out);
}

fn tables() -> String {
    let (mut out, mut parts) = (String::new(), BTreeMap::new());
    for form in JsonForm::value_variants() {
        let schema = form.schema();
        let shown = form.to_possible_value().unwrap();
        section(&format!("`{}`", shown.get_name()), &schema, &mut out);
        for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
            let known = parts.insert(name.clone(), part.clone());
            assert!(known.is_none_or(|known| known == *part), "two parts are called {name}");
        }
    }
    out.push_str("\n## Parts\n");
    for (name, part) in parts {
        section(&name, &part, &mut out);
    }
    out
}

#[test]
fn the_page_shows_every_form_as_it_is() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md"));
    let page = fs::read_to_string(path).unwrap();
    let (prose, _) = page.split_once(MARK).expect("the page lacks its mark");
    let expected = snapbox::Data::read_from(path, None);
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(format!("{prose}{MARK}{}", tables()), expected.raw());
}

#[test]
fn every_field_says_what_it_means_and_every_document_has_its_version() {
    for form in JsonForm::value_variants() {
        let schema = form.schema();
        let is_versioned = schema["properties"]["formatVersion"].is_object();
        // A record is one line of a stream, and no document.
        let is_record = matches!(form, JsonForm::Closing | JsonForm::ProjectRecord);
        assert_eq!(is_versioned, !is_record, "{form:?}");
        let parts = schema["$defs"].as_object().into_iter().flatten().map(|(_, part)| part);
        for part in std::iter::once(&schema).chain(parts) {
            for (name, field) in part["properties"].as_object().into_iter().flatten() {
                assert!(
                    field["description"].is_string(),
                    "{form:?}: {name} has no description: {part}"
                );
            }
        }
    }
}
