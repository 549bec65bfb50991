//! The forms told apart, and those without tests of their own.

use super::*;

/// Imports files, of which none names another.
pub(super) fn of(files: &[(&str, &str)]) -> Result<Imported, Vec<Diagnostic>> {
    at_home(files, None)
}

/// Imports files of a repository.
pub(super) fn at_home(
    files: &[(&str, &str)],
    home: Option<&Home>,
) -> Result<Imported, Vec<Diagnostic>> {
    let file = |(path, text): &(&str, &str)| ForeignFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    let files: Vec<ForeignFile> = files.iter().map(file).collect();
    import(&files, &ForeignFolder { beside: &|_, _| None, within: &|_| None, home })
}

#[track_caller]
pub(super) fn said(imported: Result<Imported, Vec<Diagnostic>>) -> String {
    let findings = imported.map_or_else(|findings| findings, |imported| imported.diagnostics);
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn a_file_of_no_known_form_is_refused_by_name() {
    let refused = said(of(&[("netlify.toml", "app = 'a'\n")]));
    assert!(
        refused.contains("error[unknown-document]: `netlify.toml` is not in a format"),
        "{refused}"
    );
    let empty = said(of(&[("compose.yaml", "a: b\n")]));
    assert!(empty.contains("no mapping `services`"), "{empty}");
}

#[test]
fn a_blueprint_becomes_what_convert_prints() {
    let text = "services:\n  - { type: pserv, name: api, runtime: node, headers: [a] }\n";
    let tree = Tree::from_texts([("render.yaml", text)]);
    let printed = manifest::print(&manifest::load(&tree).desired.unwrap());
    assert_eq!(of(&[("render.yaml", text)]).unwrap().print(), printed);
    let told = said(of(&[("render.yaml", text)]));
    assert!(told.contains("warning[private-service]") && told.contains("headers"), "{told}");
}

#[test]
fn a_procfile_is_processes_and_any_other_line_is_an_error() {
    let text = "# the site\n  # indented\n\nweb: npm start\nrelease: npm run migrate\nmail-1: node mail.js # x\n";
    let documents = of(&[("Procfile", text)]).unwrap().print();
    for words in [
        "name: web\nspec:\n  type: web\n  startCommand: npm start\n  preDeployCommand: npm run migrate",
        "name: mail-1\nspec:\n  type: worker\n  startCommand: 'node mail.js # x'",
    ] {
        assert!(documents.contains(words), "{documents}");
    }
    let refused = said(of(&[("Procfile", "web : a\nweb: a\nWeb: b\na-b: c\na_b: d\nno\n")]));
    for words in [
        "Procfile:1:1: error",
        "Procfile:3:1: error[procfile]: the process `Web` is given twice",
        "Procfile:5:1: error",
        "Procfile:6:1: error",
    ] {
        assert!(refused.contains(words), "{refused}");
    }
}

#[test]
fn app_json_gives_variables_numbers_and_databases() {
    let app = r#"{
  "name": "Shop",
  "env": {
    "TEXT": "plain", "A": { "value": "x" }, "SECRET_KEY": { "generator": "secret" },
    "ASKED": { "description": "what for" }, "EMPTY": "", "OPTIONAL": { "required": false },
    "API_TOKEN": "hush", "BLANK": { "value": "", "required": false }
  },
  "formation": [{ "process": "web", "quantity": 2, "size": "basic" }],
  "addons": ["heroku-postgresql:essential-0", { "plan": "heroku-redis:mini", "as": "CACHE" }, "papertrail"],
  "buildpacks": [{ "url": "heroku/nodejs" }],
  "scripts": { "postdeploy": "node seed.js" },
  "thing": 1
}"#;
    let imported = of(&[("app.json", app), ("Procfile", "web: a\njobs: b\n")]);
    let documents = imported.clone().unwrap().print();
    let told = said(imported);
    for words in [
        "minInstances: 2",
        "runtime: node",
        "key: TEXT\n      value: plain",
        "key: SECRET_KEY\n      generateValue: true",
        "envVarKey: SECRET_KEY",
        "key: DATABASE_URL\n      fromDatabase:\n        name: postgres",
        "name: cache",
        "key: CACHE_URL",
        "# to be set by hand: API_TOKEN, ASKED, EMPTY",
        "key: BLANK\n      value: \"\"",
    ] {
        assert!(documents.contains(words), "{words}\n{documents}");
    }
    assert!(!documents.contains("hush") && !documents.contains("OPTIONAL"), "{documents}");
    for words in [
        "`name` cannot be carried over",
        "`formation.web.size` cannot be carried over",
        "`ASKED` is to be given (what for)",
        "`addons.papertrail` cannot be carried over",
        "`scripts` cannot be carried over",
        "`thing` is unknown",
        "data of the add-on",
        "`OPTIONAL` may be given",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[test]
fn an_app_json_that_is_none_is_refused() {
    for text in ["[1]", "\"text\"", "", "a: 1\n", "{\"name\": \"a\",}", "{} // x", "{}"] {
        let refused = of(&[("app.json", text)]);
        assert!(refused.is_err(), "{text}");
        let refused = said(refused);
        assert!(refused.contains("app.json:1:") && refused.contains("[app-json]"), "{refused}");
    }
    for field in [
        r#""env": ["A"]"#,
        r#""env": { "A": [1] }"#,
        r#""formation": "web""#,
        r#""buildpacks": "heroku/nodejs""#,
        r#""addons": { "x": 1 }"#,
        r#""repository": { "a": "b" }"#,
    ] {
        let refused = said(of(&[("app.json", &format!("{{ {field} }}"))]));
        assert!(refused.contains("error[wrong-type]"), "{field} {refused}");
    }
    assert!(said(of(&[("Procfile", "# none\n")])).contains("declares no process"));
}

#[test]
fn no_leaf_of_an_app_json_is_dropped_in_silence() {
    let app = r#"{
  "env": {
    "A": { "value": "x", "what": "leaf" }, "B": { "generator": "hex" },
    "C": { "value": "x", "description": "long" }
  },
  "formation": { "default_worker": { "quantity": 2 }, "web": { "quantity": 0 } },
  "buildpacks": [{ "url": "heroku/nodejs", "x": "leaf" }]
}"#;
    let imported = of(&[("app.json", app), ("Procfile", "web: a\ndefault_worker: b\n")]);
    let documents = imported.clone().unwrap().print();
    assert!(documents.contains("minInstances: 2"), "{documents}");
    let told = said(imported);
    for words in [
        "`env.A.what` is unknown",
        "`env.B.generator`",
        "`env.C.description`",
        "`formation.web.quantity`",
        "runs at least once: remove it",
        "`buildpacks.x` is unknown",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}
