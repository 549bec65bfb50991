//! `policies`: whose count, and what is refused.

use super::{SettingsFile, policies, project, refused, row};
use crate::cli::Environment;

fn policy(name: &str) -> String {
    format!("  - {{ name: {name}, message: m, rule: \"true\" }}\n")
}

fn list(names: &[&str]) -> String {
    let entries = names.iter().map(|name| policy(name));
    format!("policies:\n{}", entries.collect::<String>())
}

fn names(file: &SettingsFile) -> Vec<String> {
    let rules = policies(file, &Environment::default()).unwrap();
    rules.iter().map(|rule| rule.name().to_owned()).collect()
}

#[test]
fn no_file_takes_away_what_another_says() {
    let texts = [("stoker.yaml", list(&["near"])), ("/etc/config.yaml", list(&["far", "farther"]))];
    let texts = texts.map(|(name, text)| (name.to_owned(), text)).to_vec();
    let file = SettingsFile::from_texts(texts).unwrap();
    assert_eq!(names(&file), ["near", "far", "farther"]);
    let texts = [("stoker.yaml", "policies:\n".to_owned()), ("/etc/config.yaml", list(&["far"]))];
    let texts = texts.map(|(name, text)| (name.to_owned(), text)).to_vec();
    assert_eq!(names(&SettingsFile::from_texts(texts).unwrap()), ["far"]);
    let place = file.place(None, "policies[2].rule").unwrap();
    assert_eq!((place.file.as_str(), place.line), ("/etc/config.yaml", 3));
}

#[test]
fn an_entry_adds_its_own_to_those_at_the_top() {
    let own = "projects:\n  - name: shop\n    tokenEnv: T\n    policies:\n      - { name: own, \
               message: m, rule: \"true\", severity: warn }\n";
    let text = format!("{}{own}", list(&["top"]));
    let shown = project("", &text);
    assert_eq!(row(&shown.rows, "policies.top"), "refuse from stoker.yaml:2");
    assert_eq!(row(&shown.rows, "policies.own"), "warn from stoker.yaml:7");
    assert_eq!(shown.rules.iter().count(), 2);
    let file = SettingsFile::from_texts(vec![("stoker.yaml".to_owned(), text)]).unwrap();
    assert_eq!(names(&file.clone().choose(Some("shop"))), ["top", "own"]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (text, reason) in [
        (
            list(&["twice", "twice"]),
            "stoker.yaml:3:5: error[setting]: there are two policies called",
        ),
        (list(&["Name"]), "`Name` is not a valid policy name"),
        (list(&["a"]).replace("\"true\"", "\"tru\""), "there is no `tru`"),
        (list(&["a"]).replace("message: m", "message: ''"), "policy `a` has no `message`"),
        (list(&["a"]).replace("message: m", "severity: deny"), "unknown variant `deny`"),
    ] {
        let said = refused("", &text);
        assert!(said.contains(reason) && said.contains("stoker.yaml:"), "{text}: {said}");
    }
}
