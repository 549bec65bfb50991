//! A value is replaced where it stands, or not at all.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{Fingerprint, Secret, SecretOrigin};

const SERVICE: &str = "\
apiVersion: stackblaze.cloud/v1  # the form
kind: Service
metadata: { name: web }
spec:
  type: web
  # what is paid for
  plan: standard   # until March
  runtime: 'node'
  image: \"nginx:1\"
  port: 3000
  scaling: { minInstances: 1, maxInstances: 2 }
  startCommand: |
    run
    now
  domains:
    - a.example.com   # the old one
    - b.example.com
  envVars:
    - key: LOG_LEVEL
      value: info     # quiet
    - { key: MODE, value: 'a' }
    - { key: TOKEN, valueFrom: { env: TOKEN } }
";

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

fn set(items: &[&str]) -> FieldValue {
    FieldValue::Set(items.iter().map(|item| (*item).to_owned()).collect())
}

fn replacement(path: &str, value: FieldValue) -> Replacement {
    let key = "service/web".parse().unwrap();
    Replacement { key, path: path.parse().unwrap(), value }
}

/// Edits a tree, and returns each edited text, or the findings.
fn edited(files: &[(&str, &str)], replacements: &[Replacement]) -> Result<Vec<String>, String> {
    let tree = Tree::from_texts(files.iter().copied());
    let declared = load(&tree).desired.expect("the text is valid");
    let told = |found: Vec<Diagnostic>| {
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let files = edit(&tree, &declared, replacements).map_err(told)?;
    Ok(files.into_iter().map(|file| file.after).collect())
}

/// Replaces one value, and returns the lines that came.
fn check(text: &str, path: &str, value: FieldValue) -> String {
    match edited(&[("web.yaml", text)], &[replacement(path, value)]) {
        Err(refused) => refused,
        Ok(texts) => {
            let old: BTreeSet<&str> = text.lines().collect();
            let new: Vec<&str> = texts[0].lines().filter(|line| !old.contains(line)).collect();
            new.join("\n")
        }
    }
}

#[test]
fn a_value_is_replaced_in_its_quotes_and_its_comment_stays() {
    let check = |path: &str, value| check(SERVICE, path, value);
    assert_eq!(check("plan", text("pro")), "  plan: pro   # until March");
    assert_eq!(check("plan", text("pro plus")), "  plan: pro plus   # until March");
    assert_eq!(check("runtime", text("go")), "  runtime: 'go'");
    assert_eq!(check("image", text("nginx:2")), "  image: \"nginx:2\"");
    assert_eq!(check("port", FieldValue::Integer(80)), "  port: 80");
    let most = FieldValue::Integer(9);
    let line = "  scaling: { minInstances: 1, maxInstances: 9 }";
    assert_eq!(check("scaling.maxInstances", most), line);
    assert_eq!(check("envVars.LOG_LEVEL", text("no")), "      value: \"no\"     # quiet");
    assert_eq!(check("envVars.MODE", text("it's")), "    - { key: MODE, value: 'it''s' }");
    assert_eq!(check("envVars.MODE", text("x\ny")), "    - { key: MODE, value: \"x\\ny\" }");
    let commented = SERVICE.replace("value: 'a' }", "value: 'a' # b\n      }");
    let line = "    - { key: MODE, value: 'c' # b";
    assert_eq!(self::check(&commented, "envVars.MODE", text("c")), line);
    assert_eq!(check("envVars.MODE", text("${X}")), "    - { key: MODE, value: '$${X}' }");
    assert_eq!(check("startCommand", text("go\non\n")), "    go\n    on");
    assert_eq!(check("startCommand", text("go on")), "  startCommand: go on");
}

#[test]
fn an_item_of_a_list_comes_and_goes_by_itself() {
    let domains = |items: &[&str]| check(SERVICE, "domains", set(items));
    let added = domains(&["a.example.com", "b.example.com", "c.example.com"]);
    assert_eq!(added, "    - c.example.com");
    let edit = |items: &[&str]| {
        edited(&[("web.yaml", SERVICE)], &[replacement("domains", set(items))]).unwrap().remove(0)
    };
    let list = "  domains:\n    - a.example.com   # the old one\n";
    let one = edit(&["a.example.com"]);
    assert!(one.contains(&format!("{list}  envVars:")), "{one}");
    let other = edit(&["a.example.com", "c.example.com"]);
    assert!(other.contains(&format!("{list}    - c.example.com\n  envVars:")), "{other}");
    // With the item its comment would go.
    assert!(domains(&["b.example.com"]).contains("cannot be edited without loss"));
    let flow = SERVICE
        .replace("  domains:\n    - a.example.com   # the old one\n    - b", "  domains: [b");
    let flow = flow.replace("[b.example.com", "[b.example.com]");
    let two = set(&["b.example.com", "*.c.example.com"]);
    let line = "  domains: [b.example.com, \"*.c.example.com\"]";
    assert_eq!(check(&flow, "domains", two).replace('\'', "\""), line);
    let bare = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: web}\nspec:\n  \
        type: web\n  image: a\n  domains:\n  - a.example.com";
    let two = set(&["a.example.com", "b.example.com"]);
    assert_eq!(check(bare, "domains", two), "  - b.example.com");
}

#[test]
fn what_is_not_the_value_itself_is_refused_at_its_line() {
    let variable = SERVICE.replace("plan: standard", "plan: &plan standard");
    let refused = check(&variable, "plan", text("pro"));
    assert!(refused.starts_with("web.yaml:7:"), "{refused}");
    assert!(refused.contains("anchor") && refused.contains("change this to `pro`"), "{refused}");
    let secret = check(SERVICE, "envVars.TOKEN", text("live"));
    assert!(secret.starts_with("web.yaml:22:") && secret.contains("is a secret"), "{secret}");
    assert!(!secret.contains("live"), "{secret}");
    let blueprint = "services:\n  - { type: web, name: web, runtime: node, plan: standard }\n";
    let refused = check(blueprint, "plan", text("pro"));
    assert!(refused.contains("it stands in a Blueprint"), "{refused}");
    let tagged = SERVICE.replace("plan: standard", "plan: !!str standard");
    assert!(check(&tagged, "plan", text("pro")).contains("a tag"));
    let merged = SERVICE.replace("spec:\n", "spec:\n  scaling: &s { minInstances: 1 }\n");
    let merged = merged
        .replace("scaling: { minInstances: 1, ", "disk: { mountPath: /a, sizeGB: 1 }\n  x: { ");
    let merged = merged.replace("  x: { maxInstances: 2 }\n", "");
    let refused = check(&merged, "scaling.minInstances", FieldValue::Integer(2));
    assert!(refused.contains("anchor"), "{refused}");
}

#[test]
fn no_secret_is_written_where_none_stands() {
    let mark = Fingerprint::new("mark".to_owned());
    let live = Secret::new("canary-of-the-platform".into(), mark, SecretOrigin::Given).into();
    let refused = check(SERVICE, "envVars.LOG_LEVEL", live);
    assert!(refused.contains("its value is a secret") && !refused.contains("canary"), "{refused}");
    let login = text("https://shop:canary-login@example.com/");
    let refused = check(SERVICE, "envVars.LOG_LEVEL", login);
    assert!(refused.contains("its value is a secret") && !refused.contains("canary"), "{refused}");
}

#[test]
fn a_value_of_many_is_not_replaced_for_one_of_them() {
    let other = SERVICE.replace("name: web", "name: api").replace("example", "sample");
    let both = SERVICE.replace("name: web", "name: web, labels: {tier: web}");
    let both =
        format!("{both}---\n{}", other.replace("name: api", "name: api, labels: {tier: web}"));
    let overlay = "apiVersion: stackblaze.cloud/v1\nkind: Service\nselect: { tier: web }\nspec:\n  \
        plan: starter\n";
    let tree = |texts: &[(&str, &str)]| Tree::from_texts(texts.iter().copied());
    let layered = tree(&[("web.yaml", &both)])
        .with_overlays(vec![("over".to_owned(), tree(&[("over.yaml", overlay)]))])
        .unwrap();
    let declared = load(&layered).desired.unwrap();
    let refused = edit(&layered, &declared, &[replacement("plan", text("pro"))]).unwrap_err();
    let refused = refused[0].to_string();
    assert!(refused.contains("over.yaml:5:9"), "{refused}");
    assert!(refused.contains("service/api would change with it"), "{refused}");
    // In the layer it stands in, of the one resource, it is.
    let named = overlay.replace("select: { tier: web }", "metadata: { name: web }");
    let layered = tree(&[("web.yaml", &both)])
        .with_overlays(vec![("over".to_owned(), tree(&[("over.yaml", &named)]))])
        .unwrap();
    let declared = load(&layered).desired.unwrap();
    let files = edit(&layered, &declared, &[replacement("plan", text("pro"))]).unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].after, named.replace("starter", "pro"));
}

#[test]
fn what_would_not_be_read_as_it_was_meant_is_not_written() {
    let refused = check(SERVICE, "port", FieldValue::Integer(99_999));
    assert!(refused.contains("out-of-range"), "{refused}");
    let refused = check(SERVICE, "healthCheckPath", text("/up"));
    assert!(refused.contains("no manifest declares `healthCheckPath`"), "{refused}");
}

#[test]
fn line_ends_and_the_mark_of_a_file_stay() {
    let windows = format!("\u{feff}{}", SERVICE.replace('\n', "\r\n"));
    let all = [
        replacement("plan", text("pro")),
        replacement("startCommand", text("go\non\n")),
        replacement("domains", set(&["a.example.com", "b.example.com", "c.example.com"])),
    ];
    let edited = edited(&[("web.yaml", &windows)], &all).unwrap().remove(0);
    assert_eq!(edited.matches('\n').count(), edited.matches("\r\n").count());
    assert!(edited.starts_with('\u{feff}') && edited.contains("- c.example.com\r\n"), "{edited}");
    assert!(edited.contains("  plan: pro   # until March\r\n"), "{edited}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_back_and_no_other_byte_changes(
        value in any::<String>().prop_filter("a NUL is refused", |it| !it.contains('\0')),
        mode in any::<bool>(),
    ) {
        let path = if mode { "envVars.MODE" } else { "envVars.LOG_LEVEL" };
        let wanted = [replacement(path, text(&value))];
        if let Ok(texts) = edited(&[("web.yaml", SERVICE)], &wanted) {
            let old = if mode { "'a' }" } else { "info     # quiet" };
            let (before, after) = SERVICE.split_once(old).unwrap();
            let rest = if mode { " }" } else { "     # quiet" };
            prop_assert!(texts[0].starts_with(before));
            let end = format!("{rest}{after}");
            prop_assert!(texts[0].ends_with(&end));
            let tree = Tree::from_texts([("web.yaml", texts[0].as_str())]);
            let read = load(&tree).desired.unwrap();
            let field = &read.resources[&wanted[0].key].fields[&wanted[0].path];
            prop_assert_eq!(&field.value, &ValueSource::Value(text(&value)));
        } else {
            prop_assert!(is_secret_at(&wanted[0].path, &wanted[0].value), "{value:?}");
        }
    }
}
