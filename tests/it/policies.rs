//! Policies on plans: a refusal keeps everything from being written, whoever plans, and nobody judges
//! their own change.

use std::process::Command;

use crate::commands::{Machine, Ran};

/// Where the sandbox keeps what lives.
const WORLD: &str = "state/sandbox/world.json";

const SMALL: &str = "policies:\n  - name: small\n    message: no plan is larger than pro\n    \
                     scope: change\n    rule: change.fields.all(f, f.path != 'plan' || f.after in \
                     ['starter', 'pro'])\n";

fn service(plan: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: web }}\n\
         spec: {{ type: web, image: nginx, plan: {plan} }}\n"
    )
}

/// A machine with a service on a small plan, whose manifest has another, and these settings.
fn machine(plan: &str, settings: &str) -> Machine {
    let machine = Machine::new();
    machine.write("web.yaml", &service("starter"));
    machine.run("apply web.yaml --sandbox -y").says(0, &["1 done"]);
    machine.write("web.yaml", &service(plan));
    machine.write("stoker.yaml", settings);
    machine
}

#[test]
fn what_a_policy_refuses_is_shown_and_not_written() {
    let machine = machine("business", SMALL);
    let before = machine.read(WORLD);
    let told = "policy `small` refuses service/web: no plan is larger than pro";
    machine.run("plan web.yaml --sandbox").says(5, &[told, "web.yaml:1", "Refused by policies"]);
    machine.run("plan web.yaml --sandbox --detailed-exitcode").says(5, &[told]);
    machine.run("apply web.yaml --sandbox -y").says(5, &[told, "nothing was written"]);
    let ran = machine.run("apply web.yaml --sandbox -y -o json").says(5, &[]);
    assert_eq!(ran.json()["error"]["code"], "policy_refused");
    assert_eq!(ran.json()["diagnostics"][0]["origin"]["file"], "web.yaml");
    assert_eq!(machine.read(WORLD), before);
    let plan = machine.run("plan web.yaml --sandbox -o json").says(5, &[]).json();
    let finding = &plan["policies"][0];
    assert_eq!(finding["policy"], "small");
    assert_eq!(finding["severity"], "refuse");
    assert_eq!(finding["key"], "service/web");
    assert_eq!(finding["broken"], false);
    let comment = machine.run("plan web.yaml --sandbox -o markdown").says(5, &[]).stdout;
    assert!(comment.contains("**Refused by policies"), "{comment}");
    // What keeps the policy goes through, and says nothing of it.
    machine.write("web.yaml", &service("pro"));
    let plan = machine.run("plan web.yaml --sandbox -o json").says(0, &[]).json();
    assert!(plan.get("policies").is_none(), "{plan}");
    machine.run("apply web.yaml --sandbox -y").says(0, &["1 done"]);
}

#[test]
fn a_saved_plan_is_judged_when_it_is_carried_out() {
    let machine = machine("business", "");
    machine.run("plan web.yaml --sandbox --out plan.json").says(0, &["was saved"]);
    machine.write("stoker.yaml", SMALL);
    machine.run("apply plan.json --sandbox").says(5, &["policy `small` refuses service/web"]);
    let ran = machine.run("plan web.yaml --sandbox --out other.json");
    ran.says(5, &["the plan was not saved"]);
    assert!(!machine.path("other.json").exists());
}

#[test]
fn a_warning_is_told_and_refuses_nothing() {
    let machine = machine("business", &format!("{SMALL}    severity: warn\n"));
    let told = "policy `small` warns about service/web: no plan is larger than pro";
    machine.run("plan web.yaml --sandbox").says(0, &[told]);
    machine.run("apply web.yaml --sandbox -y").says(0, &[told, "1 done"]);
}

#[test]
fn a_rule_that_cannot_be_evaluated_refuses_also_where_it_should_warn() {
    let rule = |rule: &str| {
        format!("policies:\n  - {{ name: odd, message: m, severity: warn, rule: \"{rule}\" }}\n")
    };
    let machine = machine("business", &rule("plan.chagnes.size() == 0"));
    let told = "policy `odd` cannot be evaluated on the plan: there is no member `chagnes`";
    machine.run("plan web.yaml --sandbox").says(5, &[told, "stoker.yaml:2"]);
    machine.run("apply web.yaml --sandbox -y").says(5, &[told]);
    let nine = "[1,2,3,4,5,6,7,8,9]";
    let endless = (0..9).fold("true".to_owned(), |body, at| format!("{nine}.all(v{at}, {body})"));
    machine.write("stoker.yaml", &rule(&format!("{endless} || true")));
    machine.run("apply web.yaml --sandbox -y").says(5, &["takes more steps than a rule may"]);
    for (wrong, why) in
        [("plan.changes.size( == 0", "line 1, column"), ("true || plna == 0", "there is no `plna`")]
    {
        machine.write("stoker.yaml", &rule(wrong));
        let ran = machine.run("plan web.yaml --sandbox");
        ran.says(64, &["the rule of policy `odd` cannot be read", why, "stoker.yaml:2"]);
        machine.run("run web.yaml --once --sandbox --listen off").says(64, &[why]);
    }
}

#[test]
fn deleting_everything_is_judged_as_well() {
    let machine = machine(
        "starter",
        "policies:\n  - { name: keep, message: nothing is deleted, rule: \
         \"plan.summary.destroy == 0\" }\n",
    );
    let before = machine.read(WORLD);
    let ran = machine.run("destroy --sandbox --confirm sandbox");
    ran.says(5, &["policy `keep` refuses the plan: nothing is deleted"]);
    assert_eq!(machine.read(WORLD), before);
}

/// The methods of all requests that the sandbox remembers, in their order.
fn requests(machine: &Machine) -> Vec<String> {
    let saved: serde_json::Value = serde_json::from_str(&machine.read(WORLD)).unwrap();
    let entries = saved["world"]["record"]["entries"].as_array().unwrap();
    let method =
        |entry: &serde_json::Value| entry["event"]["request"]["method"].as_str().map(str::to_owned);
    entries.iter().filter_map(method).collect()
}

#[test]
fn an_agent_carries_nothing_of_a_refused_plan_out() {
    let machine = machine("business", SMALL);
    let before = requests(&machine);
    let ran = machine.run("run web.yaml --once --sandbox --listen off -o json").says(5, &[]);
    let sent = requests(&machine).split_off(before.len());
    assert!(!sent.is_empty() && sent.iter().all(|method| method == "GET"), "{sent:?}");
    let status = ran.json();
    let project = &status["projects"][0];
    let pass = &project["history"][0];
    assert_eq!(pass["outcome"], "Pending");
    assert_eq!(pass["reason"], "PolicyRefused");
    let conditions = project["resources"][0]["conditions"].as_array().unwrap();
    let stalled = conditions.iter().find(|it| it["type"] == "Stalled").unwrap();
    assert_eq!(stalled["status"], "True");
    assert_eq!(stalled["reason"], "PolicyRefused");
    assert!(stalled["message"].as_str().unwrap().contains("policy `small` refuses service/web"));
    machine.write("web.yaml", &service("pro"));
    machine.run("run web.yaml --once --sandbox --listen off").says(0, &[]);
    assert!(requests(&machine).split_off(before.len()).iter().any(|method| method != "GET"));
}

/// Runs git in a machine's directory, as somebody.
fn git(machine: &Machine, words: &str) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
    let ran = git.args(words.split(' ')).current_dir(machine.path(".")).output().unwrap();
    assert!(ran.status.success(), "{words}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn in_pull_request(machine: &Machine, arguments: &str) -> Ran {
    let mut command = machine.command(arguments);
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", machine.path("."));
    command.env("GITHUB_HEAD_REF", "feature").env("GITHUB_BASE_REF", "main");
    Ran::of(command)
}

#[test]
fn in_a_pull_request_the_policies_of_its_target_branch_judge() {
    let machine = machine("business", SMALL);
    git(&machine, "init -q -b main .");
    git(&machine, "add stoker.yaml web.yaml");
    git(&machine, "commit -qm main");
    // The author of the pull request lets their own change through.
    let lenient = SMALL.replace("'pro'", "'pro', 'business'");
    machine.write("stoker.yaml", &lenient);
    let ran = in_pull_request(&machine, "plan web.yaml --sandbox");
    ran.says(
        5,
        &[
            "policies of the target branch cannot be read",
            "`main` was not fetched",
            "git fetch --depth=1 origin +refs/heads/main:refs/remotes/origin/main",
        ],
    );
    let failure = in_pull_request(&machine, "plan web.yaml --sandbox -o json").json();
    assert_eq!(failure["error"]["code"], "policies_unknown");
    git(&machine, "update-ref refs/remotes/origin/main refs/heads/main");
    for settings in [lenient.as_str(), "", "policies: []\n"] {
        machine.write("stoker.yaml", settings);
        let ran = in_pull_request(&machine, "plan web.yaml --sandbox");
        ran.says(5, &["policy `small` refuses service/web"]);
    }
    // A file that somebody names is one that they trust.
    machine.write("stoker.yaml", &lenient);
    in_pull_request(&machine, "plan web.yaml --sandbox --config stoker.yaml").says(0, &[]);
    // What the branch says wrong is told of the branch.
    machine.write("stoker.yaml", &SMALL.replace("change.fields", "chagne.fields"));
    git(&machine, "commit -qam broken");
    git(&machine, "update-ref refs/remotes/origin/main refs/heads/main");
    machine.write("stoker.yaml", &lenient);
    let ran = in_pull_request(&machine, "plan web.yaml --sandbox");
    ran.says(64, &["there is no `chagne`", "stoker.yaml of main:2"]);
    // A branch without the file has no policies, and no others judge.
    git(&machine, "rm -q --cached stoker.yaml");
    git(&machine, "commit -qm none");
    git(&machine, "update-ref refs/remotes/origin/main refs/heads/main");
    in_pull_request(&machine, "plan web.yaml --sandbox").says(0, &[]);
}

#[test]
fn without_a_checkout_nobody_judges_their_own_pull_request() {
    let machine = machine("business", SMALL);
    let ran = in_pull_request(&machine, "plan web.yaml --sandbox");
    ran.says(5, &["cannot be read: the directory is in no checkout"]);
    machine.write("stoker.yaml", "wait: false\n");
    in_pull_request(&machine, "plan web.yaml --sandbox").says(0, &[]);
}

#[test]
fn tests_of_policies_say_which_plans_they_refuse() {
    let machine = machine("starter", SMALL);
    let tests = "tests:\n  - name: large\n    plan:\n      changes: [{ key: service/a, fields: \
                 [{ path: plan, after: business }] }]\n    refuses: [small]\n  - name: small\n    \
                 plan: { changes: [{ key: service/a }] }\n";
    machine.write("policy-tests.yaml", tests);
    machine.run("policy test").says(0, &["ok     large", "2 passed, 0 failed."]);
    machine.write("policy-tests.yaml", &tests.replace("refuses: [small]", "warns: [small]"));
    let ran = machine.run("policy test");
    ran.says(1, &["FAILED large   policy-tests.yaml:2", "expected to refuse: none; found: small"]);
    let json = machine.run("policy test -o json").says(1, &[]).json();
    assert_eq!(json["passed"], 1);
    assert_eq!(json["tests"][0]["passed"], false);
    for (wrong, why) in [
        (tests.replace("refuses: [small]", "refuses: [smal]"), "there is no policy `smal`"),
        (tests.replace("fields:", "feilds:"), "a change has no member `feilds`"),
        (tests.replace("  - name: large", "  - nmae: large"), "unknown key `nmae`"),
        ("tests: []".to_owned(), "there are no tests"),
    ] {
        machine.write("policy-tests.yaml", &wrong);
        machine.run("policy test").says(64, &[why]);
    }
    machine.run("policy test nowhere.yaml").says(64, &["nowhere.yaml", "cannot be read"]);
    // A saved plan is tried as it is.
    machine.write("web.yaml", &service("pro"));
    machine.run("plan web.yaml --sandbox --out plan.json").says(0, &[]);
    let tests = "tests:\n  - { name: saved, plan: plan.json }\n";
    machine.write("policy-tests.yaml", tests);
    machine.run("policy test").says(0, &["1 passed"]);
}
