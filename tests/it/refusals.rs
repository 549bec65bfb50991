//! What is refused, and in which words: nothing held back looks like "nothing to do", nothing edited
//! like what was reviewed, nothing unseen like what is read.

use serde_json::Value;
use stoker::render::json::seal;

use super::commands::{Machine, Ran, served};

fn services(names: &[&str]) -> String {
    let document = |name: &&str| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{name: {name}}}\n\
             spec: {{type: web, image: nginx, port: 8080}}\n"
        )
    };
    names.iter().map(document).collect()
}

#[test]
fn a_plan_that_is_held_back_never_ends_as_one_without_changes() {
    let machine = Machine::new();
    machine.write("shop.yaml", &services(&["a", "b", "c", "d"]));
    machine.run("apply shop.yaml --sandbox -y").says(0, &["4 done"]);
    machine.write("shop.yaml", &services(&["a"]));
    let plan = |flags: &str| machine.run(&format!("plan shop.yaml --sandbox {flags}"));
    plan("--prune --detailed-exitcode").says(5, &["3 blocked", "none is done"]);
    plan("--prune").says(0, &["3 blocked"]);
    // Pruning was not asked for, so nothing that was asked for is held back.
    plan("--detailed-exitcode").says(0, &["pruning is off"]);
    machine.write("shop.yaml", &services(&["a", "e"]));
    plan("--prune --detailed-exitcode").says(2, &["1 to add", "3 blocked"]);
}

#[test]
fn a_saved_plan_that_shows_something_else_than_it_does_is_refused() {
    let machine = Machine::new();
    machine.write_api();
    machine.run("plan api.yaml --sandbox --out plan.json").says(0, &[]);
    let saved = machine.read("plan.json");
    let edits: [(&str, &str, &str); 4] = [
        ("\"after\": \"nginx\"", "\"after\": \"httpd\"", "what it shows of service/api"),
        ("\"effect\": \"none\"", "\"effect\": \"restart\"", "what it shows of service/api"),
        ("\"requests\": 1", "\"requests\": 9", "what it shows of service/api"),
        ("\"add\": 1", "\"add\": 0", "its counts"),
    ];
    for (shown, edited, why) in edits {
        assert!(saved.contains(shown), "{shown}:\n{saved}");
        let edited = saved.replacen(shown, edited, 1);
        machine.write("plan.json", &edited);
        let ran = machine.run("apply plan.json --sandbox");
        ran.says(5, &["the saved plan was edited: its seal", "nothing was written"]);
        machine.write("plan.json", &sealed_anew(&edited));
        let ran = machine.run("apply plan.json --sandbox");
        ran.says(5, &["the saved plan was edited", why, "nothing was written"]);
    }
    let mut twice: serde_json::Value = serde_json::from_str(&saved).unwrap();
    let change = twice["changes"][0].clone();
    twice["changes"].as_array_mut().unwrap().insert(0, change);
    machine.write("plan.json", &sealed_anew(&twice.to_string()));
    machine.run("apply plan.json --sandbox").says(5, &["it shows service/api twice"]);
    machine.run("get --sandbox").says(0, &["There are no resources"]);
    machine.write("plan.json", &saved);
    machine.run("apply plan.json --sandbox").says(0, &["1 done"]);
}

/// What somebody writes who edits a plan and knows how it is sealed.
fn sealed_anew(plan: &str) -> String {
    let mut plan: Value = serde_json::from_str(plan).unwrap();
    plan["seal"] = seal(&plan).into();
    plan.to_string()
}

/// Every leaf of a document, as the path that leads to it.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, it)| leaves(it, &format!("{path}/{name}"), found));
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().enumerate();
            items.for_each(|(place, it)| leaves(it, &format!("{path}/{place}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

fn another(value: &Value) -> Value {
    match value {
        Value::Null => "something".into(),
        Value::Bool(truth) => (!truth).into(),
        Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
        Value::String(text) => format!("{text}0").into(),
        Value::Array(_) => serde_json::json!(["something"]),
        Value::Object(_) => serde_json::json!({ "something": 1 }),
    }
}

#[test]
fn no_leaf_of_a_saved_plan_can_be_edited_and_carried_out() {
    let machine = Machine::with_api();
    let mut manifest = machine.read("api.yaml").replace("nginx", "httpd");
    manifest += "---\napiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: {name: main}\n\
        spec: {type: postgres, version: '16', plan: starter, storageGB: 1}\n";
    machine.write("api.yaml", &manifest);
    machine.run("plan api.yaml --sandbox --out plan.json").says(0, &["1 to add, 1 to change"]);
    let saved: Value = serde_json::from_str(&machine.read("plan.json")).unwrap();
    let mut paths = Vec::new();
    leaves(&saved, "", &mut paths);
    for named in ["/changes/1/replicas", "/changes/0/origin/line", "/summary/add", "/basis/desired"]
    {
        assert!(paths.iter().any(|path| path == named), "{named}: {paths:#?}");
    }
    for path in paths {
        let mut edited = saved.clone();
        let leaf = edited.pointer_mut(&path).unwrap();
        *leaf = another(leaf);
        machine.write("plan.json", &edited.to_string());
        let ran = machine.run("apply plan.json --sandbox");
        assert!(ran.stderr.contains("the saved plan was edited"), "{path}: {}", ran.stderr);
        ran.says(5, &["nothing was written"]);
    }
    machine.write("plan.json", &saved.to_string());
    machine.run("apply plan.json --sandbox").says(0, &["2 done"]);
}

#[test]
fn a_form_that_a_command_does_not_have_is_refused_and_not_replaced_by_text() {
    let machine = Machine::with_api();
    for command in ["get", "describe service/api", "deployments service/api", "doctor", "events"] {
        let ran = machine.run(&format!("{command} --sandbox -o markdown"));
        assert_eq!(ran.stdout, "", "{command}");
        ran.says(64, &["cannot print `markdown`"]);
    }
}

#[test]
fn numbers_are_numbers_in_json_and_no_plan_takes_no_time() {
    let machine = Machine::new();
    machine.write("a.yaml", &services(&["a"]));
    machine.run("apply a.yaml --sandbox -y").says(0, &[]);
    let known = machine.run("describe service/a --sandbox -o json").says(0, &[]).json();
    assert_eq!(known["fields"]["port"], 8080);
    assert_eq!(known["ownership"]["lastApplied"]["port"], 8080);
    let plan = machine.run("plan a.yaml --sandbox -o json").says(0, &[]).json();
    assert_eq!(plan["cost"]["seconds"], 1);
}

#[test]
fn a_plan_that_cannot_be_saved_costs_no_request() {
    let machine = Machine::new();
    machine.write_api();
    // Without a token: whoever came as far as the platform would miss it first.
    for (place, why) in
        [("nowhere/plan.json", "the directory nowhere does not exist"), (".", "it is a directory")]
    {
        let ran = machine.run(&format!("plan api.yaml --out {place}"));
        ran.says(1, &[&format!("failed to save the plan in {place}: {why}")]);
    }
}

#[test]
fn a_token_of_blanks_is_called_that() {
    let machine = Machine::new();
    let mut command = machine.command("get");
    command.env("STACKBLAZE_TOKEN", "  ");
    Ran::of(command).says(3, &["STACKBLAZE_TOKEN contains only blanks"]);
}

#[test]
fn doctor_asks_no_further_once_the_token_is_none() {
    let (machine, mut sandbox, url) = served("fail:401@GET /envgroups");
    let mut command = machine.command("doctor");
    command.env("STACKBLAZE_API_URL", &url).env("STACKBLAZE_TOKEN", "sb_live_emulator");
    let ran = Ran::of(command).says(3, &["read envgroups", "401"]);
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert!(!ran.stdout.contains("read services"), "{}", ran.stdout);
}

#[test]
fn two_documents_without_a_line_between_and_two_sources_are_explained() {
    let machine = Machine::new();
    machine.write("two.yaml", &services(&["a", "b"]).replace("---\n", ""));
    machine.run("validate two.yaml").says(65, &["a line `---` separates two documents"]);
    machine.write("both.yaml", &services(&["a"]).replace("port: 8080", "repo: github.com/a/b"));
    machine.run("validate both.yaml").says(0, &["warning[image-and-repo]", "both an `image`"]);
}

#[test]
fn no_form_of_output_shows_what_is_not_seen() {
    let machine = Machine::new();
    let tricky = services(&["a"]).replace("port: 8080", "startCommand: \"a\u{202e}b\u{200b}c\"");
    machine.write("a.yaml", &tricky);
    let mut outputs = Vec::new();
    for command in ["render a.yaml", "render a.yaml -o json", "validate a.yaml"] {
        outputs.push((command, machine.run(command).says(0, &[])));
    }
    let commands = ["plan a.yaml", "plan a.yaml -o yaml", "plan a.yaml -o json", "apply a.yaml -y"];
    let afterwards = ["export", "describe service/a -o yaml", "describe service/a"];
    for command in commands.into_iter().chain(afterwards) {
        outputs.push((command, machine.run(&format!("{command} --sandbox")).says(0, &[])));
    }
    for (command, ran) in outputs {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!text.contains(['\u{202e}', '\u{200b}']), "{command}: {text}");
    }
    machine.run("plan a.yaml --sandbox").says(0, &["No changes."]);
}
