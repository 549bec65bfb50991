//! Of several environments the one that is named is read, and nothing of the others.

use crate::manifest::{Loaded, load};
use crate::source::Tree;

const TWO_PROJECTS: &str = "\
projects:
  - name: shop
    envVarGroups: [{ name: keys, envVars: [{ key: A, value: a }] }]
    environments:
      - { name: production, services: [{ type: web, name: shop, runtime: node }] }
      - { name: staging, services: [{ type: web, name: shop-next, oddity: 1 }] }
  - name: blog
    envVarGroups: [{ name: words, envVars: [{ key: B, value: b }] }]
    environments:
      - { name: production, databases: [{ name: posts }] }
  - { name: common, envVarGroups: [{ name: all, envVars: [{ key: C, value: c }] }] }
ungrouped:
  services: [{ type: worker, name: mailer }]
";

fn read(text: &str, environment: Option<&str>) -> Loaded {
    let tree = Tree::from_texts([("a.yaml", text)]);
    load(&tree.of_environment(environment.map(str::to_owned)))
}

/// Returns the keys that are read, or else the findings.
fn check(text: &str, environment: Option<&str>) -> String {
    let Loaded { desired, diagnostics } = read(text, environment);
    let findings: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    match desired {
        Some(desired) if findings.is_empty() => {
            let keys: Vec<String> = desired.resources.keys().map(ToString::to_string).collect();
            keys.join(" ")
        }
        Some(_) | None => findings.join("\n"),
    }
}

#[test]
fn the_one_that_is_named_is_read_with_its_project_and_what_stands_beside() {
    assert_eq!(
        check(TWO_PROJECTS, Some("shop/production")),
        "envgroup/all envgroup/keys service/mailer service/shop"
    );
    assert_eq!(
        check(TWO_PROJECTS, Some("blog/production")),
        "envgroup/all envgroup/words database/posts service/mailer"
    );
    // A name that one project has needs no more, and its own mistakes are told.
    let staging = check(TWO_PROJECTS, Some("staging"));
    assert!(staging.contains("unknown field `services.oddity`"), "{staging}");
    assert_eq!(staging.lines().count(), 1, "{staging}");
}

#[test]
fn a_name_that_is_not_there_or_not_certain_is_an_error_that_lists_them() {
    let all = "`shop/production`, `shop/staging`, `blog/production`";
    for (name, code, said) in [
        (None, "several-environments", "`--environment NAME`"),
        (Some("stagin"), "unknown-environment", "did you mean `staging`?"),
        (Some("shop/produktion"), "unknown-environment", "did you mean `shop/production`?"),
        (Some("?"), "unknown-environment", "`--environment`"),
    ] {
        let findings = check(TWO_PROJECTS, name);
        let is_said = findings.contains(code) && findings.contains(said) && findings.contains(all);
        assert!(is_said && findings.lines().count() == 1, "{name:?}: {findings}");
    }
    let findings = check(TWO_PROJECTS, Some("production"));
    assert!(findings.contains("several `production`: `shop/production`, `blog/production`"));
    assert!(findings.contains("PROJECT/ENVIRONMENT"), "{findings}");
}

#[test]
fn a_single_one_needs_no_name_and_is_not_taken_for_another() {
    let one = "projects: [{ name: a, environments: [{ name: live, databases: [{ name: d }] }] }]\n";
    assert_eq!(check(one, None), "database/d");
    assert_eq!(check(one, Some("live")), "database/d");
    assert!(check(one, Some("staging")).contains("unknown-environment"));
}

#[test]
fn a_name_that_nothing_asks_for_is_a_warning() {
    let text = "services: [{ type: worker, name: mailer }]\n";
    let Loaded { desired, diagnostics } = read(text, Some("staging"));
    assert!(desired.is_some());
    assert_eq!(diagnostics.iter().map(|it| it.code).collect::<Vec<_>>(), ["unused-environment"]);
}

#[test]
fn the_same_text_of_another_environment_is_another_wish() {
    let digest = |name: Option<&str>| {
        let tree = Tree::from_texts([("a.yaml", TWO_PROJECTS)]);
        tree.of_environment(name.map(str::to_owned)).digest().to_owned()
    };
    let digests = [None, Some("staging"), Some("shop/staging")].map(digest);
    assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2]);
}
