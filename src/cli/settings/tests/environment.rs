//! Which environment of a Blueprint is read.

use super::{row, settings};

#[test]
fn an_environment_is_named_for_all_or_for_one_project() {
    let file = "environment: staging\nprojects:\n- {name: a, tokenEnv: A, environment: shop/live}\n\
        - {name: b, tokenEnv: B}\n";
    let named = |words: &str, index: usize| {
        let settings = settings(words, file);
        let project = &settings.projects[index];
        (project.tree.environment.clone().unwrap(), row(&project.rows, "environment"))
    };
    assert_eq!(named("", 0), ("shop/live".into(), "shop/live from stoker.yaml:3".into()));
    assert_eq!(named("", 1), ("staging".into(), "staging from stoker.yaml:1".into()));
    assert_eq!(named("--environment x", 0), ("x".into(), "x from --environment".into()));
}
