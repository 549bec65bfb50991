//! A plan made beside a running agent says what that agent would do otherwise.

use super::machine::{Machine, Ran, group};

#[test]
fn a_plan_says_in_what_the_agent_beside_it_differs_and_how_to_plan_as_it_does() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    // How it ends is of no matter here: what was just made may not be in every list yet.
    let plan = |flags: &str| machine.run(&format!("plan manifests/ --sandbox {flags}"));
    let says = |ran: &Ran, words: &[&str]| {
        assert!(words.iter().all(|it| ran.stderr.contains(it)), "{}", ran.stderr);
    };
    let agent = machine.agent("--sandbox manifests/ --interval 1h --prune=services");
    agent.until_synced();
    let ran = plan("");
    says(
        &ran,
        &["plans differently: it prunes services", "`stoker plan --prune=services` plans as"],
    );
    assert!(!ran.stderr.contains("adopt") && !ran.stderr.contains("now"), "{}", ran.stderr);
    let ran = plan("--prune=services");
    assert!(!ran.stderr.contains("the agent"), "{}", ran.stderr);
    let ran = plan("--prune --adopt never --max-deletes 9 --prune-adopted");
    let flags = "--prune=services --adopt=always --prune-adopted=false";
    says(
        &ran,
        &[
            "it takes over existing resources, its fuse on deletes is not lifted",
            "it may not prune resources that were adopted by name",
            &format!("`stoker plan {flags}` plans as the agent does"),
        ],
    );
    // It stands in the document, too, which is all that a reviewer may have.
    let found = plan("-o json").json()["diagnostics"].clone();
    let mut codes = found.as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap());
    assert!(codes.any(|code| code == "agent-otherwise"), "{found}");
    agent.end();
    let ran = plan("");
    assert!(!ran.stderr.contains("the agent"), "{}", ran.stderr);
}

#[test]
fn a_plan_says_why_the_agent_beside_it_does_not_do_that_now() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    // One minute of the 29th of February.
    let windows = "windows: [ { kind: allow, schedule: '0 0 29 2 *', duration: 1m } ]";
    machine.write("stoker.yaml", windows);
    let agent = machine.agent("--sandbox manifests/ --interval 1h --observe");
    agent.until_ready_says("Observed");
    let mut suspend = machine.command("suspend --sandbox --until 2h");
    suspend.args(["--reason", "a migration"]);
    Ran::of(suspend).says(0, &["a migration"]);
    let ran = machine.run("plan manifests/ --sandbox");
    ran.says(
        0,
        &["it only observes", "until", "a migration", "the sync window is closed", "1 to add"],
    );
    agent.end();
}
