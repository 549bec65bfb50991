//! What layers do to what is below, and what variables become.

use std::sync::Arc;

use super::super::{load, print};
use crate::model::{EnvKey, FieldPath, Key, Kind, Name, Setting};
use crate::source::{GivenVariable, Tree, Variables};

const BASE: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: web, labels: { tier: front } }
spec:
  type: web
  plan: starter
  port: 3000
  domains: [a.example.org, b.example.org]
  scaling: { minInstances: 1, maxInstances: 2 }
  envVars:
    - { key: LOG_LEVEL, value: debug }
    - { key: NODE_ENV, value: development }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: mailer, labels: { tier: back } }
spec: { type: worker, plan: starter }
";

/// Begins a document that is laid over a service.
fn over(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\n{rest}\n"
    )
}

fn tree(base: &str, overlays: &[&str], variables: &[(&str, &str)]) -> Tree {
    let layer = |(index, text): (usize, &&str)| {
        let path = format!("over{index}/a.yaml");
        (format!("over{index}"), Tree::from_texts([(path.as_str(), *text)]))
    };
    let mut given = Variables::default();
    for (name, value) in variables {
        given.give((*name).to_owned(), GivenVariable { value: (*value).to_owned(), origin: None });
    }
    let tree = Tree::from_texts([("base.yaml", base)]);
    let tree = tree.with_overlays(overlays.iter().enumerate().map(layer).collect()).unwrap();
    tree.with_variables(Arc::new(given))
}

/// Returns what is declared in the end, or what is wrong.
fn check(base: &str, overlays: &[&str], variables: &[(&str, &str)]) -> String {
    let loaded = load(&tree(base, overlays, variables));
    match loaded.desired {
        Some(desired) => print(&desired),
        None => loaded.diagnostics.iter().map(|finding| format!("{finding}\n")).collect(),
    }
}

#[test]
fn a_document_is_laid_over_the_one_of_its_name_and_each_value_keeps_its_place() {
    let first = over(
        "web",
        "spec:\n  plan: pro\n  scaling: { maxInstances: 5 }\n  domains: [shop.example.org]\n  \
         envVars:\n    - { key: LOG_LEVEL, value: info }\n    - { key: REGION, value: eu }",
    );
    let second = over("web", "spec: { scaling: { minInstances: 2 } }");
    let loaded = load(&tree(BASE, &[&first, &second], &[]));
    let desired = loaded.desired.expect("it is right");
    let web = &desired.resources[&Key::new(Kind::Service, Name::new("web").unwrap())];
    let place = |path: &FieldPath| web.fields[path].origin.to_string();
    let setting = |setting| place(&FieldPath::Setting(setting));
    let variable = |key: &str| place(&FieldPath::Env(EnvKey::new(key).unwrap()));
    assert_eq!(web.origin.to_string(), "base.yaml:1");
    assert_eq!(setting(Setting::Port), "base.yaml:7");
    assert_eq!(setting(Setting::Plan), "over0/a.yaml:5");
    assert_eq!(setting(Setting::MaxInstances), "over0/a.yaml:6");
    assert_eq!(setting(Setting::MinInstances), "over1/a.yaml:4");
    assert_eq!(setting(Setting::Domains), "over0/a.yaml:7");
    assert_eq!(variable("LOG_LEVEL"), "over0/a.yaml:9");
    assert_eq!(variable("NODE_ENV"), "base.yaml:12");
    let printed = print(&desired);
    for line in ["plan: pro", "minInstances: 2", "maxInstances: 5", "value: info", "value: eu"] {
        assert!(printed.contains(line), "{line} is not in {printed}");
    }
    assert!(!printed.contains("a.example.org"), "a list is taken whole: {printed}");
}

#[test]
fn null_takes_away_a_setting_a_mapping_and_a_variable() {
    let layer = over(
        "web",
        "spec:\n  port: null\n  scaling: ~\n  envVars:\n    - { key: NODE_ENV, value: null }",
    );
    let printed = check(BASE, &[&layer], &[]);
    for word in ["port:", "scaling:", "NODE_ENV"] {
        assert!(!printed.contains(word), "{word} is in {printed}");
    }
    assert!(printed.contains("LOG_LEVEL"), "{printed}");
}

#[test]
fn what_is_left_out_is_absent_and_not_to_be_deleted() {
    let loaded = load(&tree(BASE, &[&over("mailer", "omit: true")], &[]));
    let desired = loaded.desired.expect("it is right");
    assert_eq!(desired.resources.len(), 1);
    assert!(desired.tombstones.is_empty());
}

#[test]
fn a_selector_changes_many_and_a_name_wins_over_it() {
    let select = "apiVersion: stackblaze.cloud/v1\nkind: Service\nselect: { tier: back }\n\
                  spec: { plan: pro }\n---\n";
    let new = "---\napiVersion: stackblaze.cloud/v1\nkind: Service\n\
               metadata: { name: cleaner, labels: { tier: back } }\n\
               spec: { type: worker, plan: tiny }\n";
    let layer = format!("{select}{}{new}", over("mailer", "spec: { plan: mid }"));
    let printed = check(BASE, &[&layer], &[]);
    assert!(printed.contains("plan: mid"), "{printed}");
    assert!(printed.contains("plan: tiny"), "what is new stands beside it: {printed}");
    assert!(printed.contains("plan: starter"), "web is of another tier: {printed}");
    let later =
        check(BASE, &[new.trim_start_matches("---\n"), select.trim_end_matches("---\n")], &[]);
    assert_eq!(later.matches("plan: pro").count(), 2, "{later}");
}

#[test]
fn what_names_nothing_or_changes_nothing_is_an_error_that_says_what_was_meant() {
    let check = |layer: &str| check(BASE, &[layer], &[]).trim().to_owned();
    assert_eq!(
        check(&over("wbe", "spec: { plan: pro }")),
        "over0/a.yaml:1:1: error[overlay-nothing]: no service below is called `wbe` (did you mean \
         `web`?)"
    );
    assert_eq!(
        check(&over("web", "spec: { plan: starter }")),
        "over0/a.yaml:1:1: error[overlay-nothing]: this changes nothing: the manifests below \
         already say all of it (remove the document, or the values it repeats)"
    );
    assert_eq!(
        check(&over("web", "spec: { prot: null, plan: pro }")),
        "over0/a.yaml:4:15: error[overlay-nothing]: `null` removes nothing here: it is not set \
         below (did you mean `port`?)"
    );
    assert!(check(&over("web", "spec: { envVars: [{ key: NODE_ENVV, value: ~ }] }")).contains(
        "over0/a.yaml:4:44: error[overlay-nothing]: `null` removes nothing here: it is not set \
         below (did you mean `NODE_ENV`?)"
    ));
    assert_eq!(
        check(
            "apiVersion: stackblaze.cloud/v1\nkind: Service\nselect: { tier: bakc }\nomit: true\n"
        ),
        "over0/a.yaml:1:1: error[overlay-nothing]: no service below has the labels `tier: bakc` \
         (did you mean `tier: back`?)"
    );
    assert_eq!(
        check("# nothing\n"),
        "error[overlay-nothing]: the overlay `over0` holds no document"
    );
    assert!(
        check(&over("web", "spec: { prot: 1 }")).contains("over0/a.yaml:4:9: error[unknown-field]")
    );
    assert!(check(&over("web", "omit: yes")).contains("`omit` is either `true` or absent"));
    assert!(
        check(&over("web", "omit: true\nspec: { plan: pro }")).contains("nothing else may be set")
    );
    assert!(check("services: [{ name: web, type: web }]\n").contains("must be a native one"));
    let twice =
        format!("{}---\n{}", over("web", "spec: { plan: pro }"), over("web", "spec: { port: 1 }"));
    assert!(
        check(&twice).contains("another document of this overlay is laid over the same resource")
    );
}

#[test]
fn a_guard_is_laid_over_the_guard_and_never_left_out() {
    let guard = |name: &str| {
        format!("apiVersion: stackblaze.cloud/v1\nkind: Project\nmetadata: {{ name: {name} }}\n")
    };
    let base = format!("{}---\n{BASE}", guard("shop"));
    let printed = check(&base, &[&guard("shop-prod")], &[]);
    assert_eq!(printed.matches("kind: Project").count(), 1, "{printed}");
    assert!(printed.contains("name: shop-prod"), "{printed}");
    let omitted = format!("{}omit: true\n", guard("shop"));
    assert!(check(&base, &[&omitted], &[]).contains("never left out"));
}

#[test]
fn a_variable_gets_its_value_and_the_field_says_its_type() {
    let base = BASE
        .replace("port: 3000", "port: ${PORT}")
        .replace("value: debug", "value: \"${LEVEL}\"")
        .replace("value: development", "value: \"$${HOME} $$ ${LEVEL}-${PORT}\"");
    let printed = check(&base, &[], &[("PORT", "8080"), ("LEVEL", "no")]);
    assert!(printed.contains("port: 8080"), "{printed}");
    assert!(printed.contains("value: \"no\""), "a text stays one: {printed}");
    assert!(printed.contains("value: $${HOME} $$ no-8080"), "{printed}");
    for nothing in ["null", "~", ""] {
        let printed = check(&base, &[], &[("PORT", "1"), ("LEVEL", nothing)]);
        assert!(printed.contains(&format!("value: \"{nothing}\"")), "{nothing}: {printed}");
    }
}

#[test]
fn a_variable_that_is_not_given_is_an_error_at_its_place_and_told_once() {
    let base = BASE.replace("port: 3000", "port: ${PROT}");
    let said = check(&base, &[], &[("PORT", "1")]);
    assert_eq!(said.matches("error[").count(), 1, "{said}");
    assert!(said.ends_with(
        "base.yaml:7:9: error[unresolved-variable]: the variable `PROT` is not given (did you mean \
         `${PORT}`?)\n"
    ));
    let wrong = BASE.replace("port: 3000", "port: \"${a-b}\"");
    assert!(check(&wrong, &[], &[]).contains("this `${…}` is not a variable"));
    let key = BASE.replace("port: 3000", "\"${PORT}\": 1");
    assert!(check(&key, &[], &[("PORT", "port")]).contains("variables are allowed only in values"));
    let typed = BASE.replace("port: 3000", "port: ${PORT}");
    assert!(check(&typed, &[], &[("PORT", "many")]).contains("must be a whole number, not `many`"));
}

#[test]
fn a_variable_that_is_not_used_or_looks_like_a_secret_is_a_warning() {
    let said = |variables: &[(&str, &str)]| {
        let loaded = load(&tree(BASE, &[], variables));
        assert!(loaded.desired.is_some());
        loaded.diagnostics.iter().map(ToString::to_string).collect::<String>()
    };
    assert!(said(&[("REGION", "eu")]).contains("no value uses it"));
    let secret = said(&[("DB_PASSWORD", "hunter2hunter2")]);
    assert!(secret.contains("plain-secret") && !secret.contains("hunter2"), "{secret}");
}

/// A few lines that name a long text many times fill no memory (S12).
#[test]
fn what_variables_and_selectors_make_of_the_manifests_has_a_limit() {
    let many = "${LONG}".repeat(2_000);
    let base = BASE.replace("value: debug", &format!("value: \"{many}\""));
    let long = "x".repeat(6_000);
    let said = check(&base, &[], &[("LONG", long.as_str())]);
    assert!(said.contains("error[too-large]: the values with variables exceed"), "{said}");
    let service = |number: usize| {
        format!(
            "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number}, labels: \
             {{ app: s }} }}\nspec: {{ type: worker }}\n---\n"
        )
    };
    let base: String = (0..200).map(service).collect();
    let long = format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nselect: {{ app: s }}\nspec: {{ \
         startCommand: \"{}\" }}\n",
        "x".repeat(60_000)
    );
    let said = check(&base, &[&long], &[]);
    assert_eq!(said.matches("error[too-large]: with their overlays").count(), 1, "{said}");
}

#[test]
fn another_layer_and_another_value_are_another_digest() {
    let digest = |overlays: &[&str], variables: &[(&str, &str)]| {
        tree(BASE, overlays, variables).digest().to_owned()
    };
    let layers: [&str; 2] = ["a: 1\n", "a: 2\n"];
    let digests = [
        digest(&[], &[]),
        digest(&layers[..1], &[]),
        digest(&layers, &[]),
        digest(&[layers[1], layers[0]], &[]),
        digest(&[], &[("A", "1")]),
        digest(&[], &[("A", "2")]),
    ];
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

const BLUEPRINT: &str = "\
services:
  - type: web
    name: web
    plan: starter
    startCommand: echo ${HOME}
    envVars:
      - key: LOG_LEVEL
        value: debug
      - key: DB
        fromDatabase: { name: main, property: connectionString }
  - type: worker
    name: mailer
databases:
  - name: main
";

#[test]
fn what_a_blueprint_declares_is_laid_over_as_what_it_converts_to() {
    let layer = over("web", "spec:\n  plan: pro\n  envVars: [{ key: LOG_LEVEL, value: info }]");
    let layer = format!("{layer}---\n{}", over("mailer", "omit: true"));
    let loaded = load(&tree(BLUEPRINT, &[&layer], &[]));
    let said: String = loaded.diagnostics.iter().map(|it| format!("{it}\n")).collect();
    let desired = loaded.desired.unwrap_or_else(|| panic!("{said}"));
    let plain = load(&tree(BLUEPRINT, &[], &[])).desired.unwrap();
    let key = |kind, name| Key::new(kind, Name::new(name).unwrap());
    let web = &desired.resources[&key(Kind::Service, "web")];
    let before = &plain.resources[&key(Kind::Service, "web")];
    let place = |setting| web.fields[&FieldPath::Setting(setting)].origin.to_string();
    assert_eq!(place(Setting::Plan), "over0/a.yaml:5");
    assert_eq!(place(Setting::StartCommand), "base.yaml:5");
    let start = FieldPath::Setting(Setting::StartCommand);
    assert_eq!(web.fields[&start].value, before.fields[&start].value);
    assert_eq!((&web.depends_on, &web.on_create), (&before.depends_on, &before.on_create));
    assert!(!desired.resources.contains_key(&key(Kind::Service, "mailer")));
    assert_eq!(
        desired.resources[&key(Kind::Database, "main")],
        plain.resources[&key(Kind::Database, "main")]
    );
}

#[test]
fn printed_with_places_each_value_says_which_layer_it_is_of() {
    let layer = over("web", "spec:\n  plan: pro\n  envVars: [{ key: LOG_LEVEL, value: info }]");
    let desired = load(&tree(BASE, &[&layer], &[])).desired.unwrap();
    let printed = super::super::print_with_places(&desired);
    for line in [
        "name: web  # base.yaml:1",
        "plan: pro  # over0/a.yaml:5",
        "port: 3000  # base.yaml:7",
        "- key: LOG_LEVEL  # over0/a.yaml:6",
        "- key: NODE_ENV  # base.yaml:12",
    ] {
        assert!(printed.contains(line), "{line} is not in {printed}");
    }
    let again = load(&Tree::from_texts([("printed.yaml", printed.as_str())])).desired.unwrap();
    assert_eq!(print(&again), print(&desired));
}

/// S9: of the line that a mistake is in, the value of a variable is not shown.
#[test]
fn a_mistake_beside_a_secret_of_a_layer_shows_no_secret() {
    let layer = over(
        "web",
        "spec:\n  envVars:\n    - { key: API_PASSWORD, value: CANARY-of-a-layer, vaule: 1 }",
    );
    let loaded = load(&tree(BASE, &[&layer], &[]));
    let findings = loaded.diagnostics;
    assert!(findings.iter().any(|it| it.is_error() && it.snippet.is_some()), "{findings:#?}");
    assert!(!format!("{findings:#?}").contains("CANARY"), "{findings:#?}");
}
