//! What can be set, and what is said of what cannot.

use super::*;

fn check(text: &str, expected: &str) {
    let mut dialect = Dialect::default();
    let shown = match dialect.set(text) {
        Ok(()) => {
            let key = text.split(['=', '.']).next().unwrap();
            let entry = dialect.entries().into_iter().find(|entry| entry.key == key);
            entry.unwrap().value
        }
        Err(error) => error.to_string(),
    };
    assert!(shown.contains(expected), "{text}: {shown}");
}

#[test]
fn every_assumption_can_be_set_by_its_key() {
    check("env_patch=replace", "replace");
    check("env_groups=name", "name");
    check("per_page=50", "50");
    check("total_required=false", "false");
    check("type_names.web=app", "web=app");
    check("field_names.scaling.minInstances=min", "scaling.minInstances=min");
    check("list_keys.envgroups=env_groups", "envgroups=env_groups");
    check("page_first=0", "0");
    check("cursor_field=meta.next", "meta.next");
    check("list_form=array", "array");
    check("envelope=data", "data");
    check("not_found=status", "status");
}

#[test]
fn a_wrong_setting_says_what_there_is() {
    check("env_patch=upsert", "not one of merge, replace");
    check("per_page=0", "not a positive number");
    check("page_first=2", "is not 0 or 1");
    check("list_form=map", "not one of object, array");
    check("colour=red", "unknown key; there are page_param");
    check("type_names.job=x", "web, worker, cron, static");
    check("page_param", "not KEY=VALUE");
    check("page_param=", "it is empty");
}

#[test]
fn the_listing_for_doctor_names_every_field_once() {
    let whole = serde_json::to_value(Dialect::default()).unwrap();
    let fields: Vec<&String> = whole.as_object().unwrap().keys().collect();
    let keys: Vec<&str> = Dialect::default().entries().iter().map(|entry| entry.key).collect();
    assert_eq!(fields, keys);
}

#[test]
fn types_go_there_and_back_and_unknown_words_are_kept() {
    let mut dialect = Dialect::default();
    dialect.set("type_names.cron=job").unwrap();
    for (ours, theirs) in [("web", "web_service"), ("cron", "job"), ("queue", "queue")] {
        assert_eq!(dialect.type_to_api(ours), theirs);
        assert_eq!(dialect.type_from_api(theirs), ours);
    }
    assert_eq!(dialect.type_to_api("web_service"), "web_service");
}
