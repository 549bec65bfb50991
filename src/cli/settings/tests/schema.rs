//! The schema, the documentation and the examples say what reading does.

use std::collections::BTreeSet;

use clap::CommandFactory as _;

use super::super::super::arguments::Arguments;
use super::super::schema;
use super::settings;

/// The keys of the schema: of the top, and of an entry of `projects`.
fn schema_keys() -> [BTreeSet<String>; 2] {
    let schema = schema();
    let of =
        |properties: &serde_json::Value| properties.as_object().unwrap().keys().cloned().collect();
    let top = &schema["properties"];
    [of(top), of(&top["projects"]["items"]["properties"])]
}

#[test]
fn the_table_in_the_documentation_and_the_schema_have_the_same_keys() {
    let page = include_str!("../../../../docs/settings.md");
    let mut documented = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let cell = line.split('|').nth(3).unwrap_or_default();
        documented.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    let [top, project] = schema_keys();
    let all: BTreeSet<String> = top.union(&project).cloned().collect();
    assert_eq!(documented, all);
    assert!(!top.contains("tokenEnv") && !project.contains("listen"));
}

#[test]
fn every_flag_of_the_agent_is_in_the_table_with_its_variable() {
    let page = include_str!("../../../../docs/settings.md");
    let command = Arguments::command();
    let view = command.find_subcommand("config").unwrap().find_subcommand("view").unwrap();
    let flags = view.get_arguments().filter(|argument| argument.get_env().is_some());
    let mut count = 0;
    for argument in flags.chain(command.get_arguments()) {
        let (Some(long), Some(variable)) = (argument.get_long(), argument.get_env()) else {
            continue;
        };
        let (flag, variable) = (format!("`--{long}"), format!("`{}`", variable.to_str().unwrap()));
        let row = page.lines().find(|line| line.starts_with("| ") && line.contains(&variable));
        let row = row.unwrap_or_else(|| panic!("{variable} is not in the table"));
        assert!(row.contains(&flag) || row.contains(&format!("--{long}`")), "{flag}: {row}");
        count += 1;
    }
    assert!(count > 30, "the flags were not looked at");
}

#[test]
fn the_examples_are_valid_for_the_schema_and_for_the_reader() {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let page = include_str!("../../../../docs/settings.md");
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let examples = [
        include_str!("../../../../examples/settings/one-project.yaml"),
        include_str!("../../../../examples/settings/many-projects.yaml"),
    ];
    let mut count = 0;
    for text in examples.into_iter().chain(blocks) {
        let values = crate::manifest::Located::read("example", text).unwrap().values;
        let errors: Vec<String> = validator
            .iter_errors(&serde_json::Value::Object(values))
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{text}");
        settings("", text);
        count += 1;
    }
    assert!(count >= 4);
    for wrong in ["{intervall: 5m}", "{interval: 5}", "{projects: [{tokenEnv: A}]}", "{rate: 500}"]
    {
        let values = crate::manifest::Located::read("wrong", wrong).unwrap().values;
        assert!(!validator.is_valid(&serde_json::Value::Object(values)), "{wrong}");
    }
}

#[test]
fn every_key_of_the_schema_is_described() {
    let schema = schema();
    for (key, value) in schema["properties"].as_object().unwrap() {
        assert!(value["description"].is_string(), "{key}: {value}");
    }
}
