//! Manifests from a git repository on the local disk: commits, rewritten history, a branch that is
//! gone, signatures, pins, and a remote that is away at a restart.

use serde_json::Value;
use stoker::status::{ConditionReason, PassOutcome, ProjectStatus};

use super::machine::{Agent, Machine, group, now, ready};
use super::repository::Repository;

/// A look at the repository every half second: it lies on this disk.
const FOLLOW: &str = "--sandbox --repo remote --git-poll 500ms --interval 1h";

/// Returns the commit that is applied, and the subject people see.
fn at(status: &ProjectStatus) -> (String, String) {
    let revision = status.source.revision.clone().unwrap();
    (revision.commit.unwrap(), revision.subject.unwrap())
}

#[track_caller]
fn until_synced_at(agent: &Agent<'_>, commit: &str) -> ProjectStatus {
    agent.until(&format!("{commit} should be applied"), |agent| {
        let status = agent.status();
        let synced = status.synced.as_ref().and_then(|revision| revision.commit.as_deref());
        (synced == Some(commit) && ready(&status).0 == "Synced").then_some(status)
    })
}

/// Returns the names of the env groups that live.
fn groups(agent: &Agent<'_>) -> Vec<String> {
    let list = agent.platform_of("default", reqwest::Method::GET, "/envgroups", &Value::Null);
    let groups = list["envgroups"].as_array().unwrap().iter();
    groups.map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_commit_is_applied_from_the_path_it_stands_in() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    let elsewhere = ("other/b.yaml", group("other"));
    let files = [("deploy/a.yaml", &*group("one")), (elsewhere.0, &elsewhere.1)];
    let first = repository.commit("Begin", &files);
    let agent = machine.agent(&format!("{FOLLOW} --branch main --path deploy"));
    let status = until_synced_at(&agent, &first);
    assert_eq!(at(&status), (first, "Begin".to_owned()));
    assert_eq!(groups(&agent), ["one"]);
    let second = repository.commit("Go on", &[("deploy/b.yaml", &group("two"))]);
    let status = until_synced_at(&agent, &second);
    assert_eq!(status.history[0].commit.as_ref(), Some(&second));
    assert_eq!(groups(&agent), ["one", "two"]);
    // A commit that does not touch the path moves the revision and writes nothing.
    let written: u32 = status.history.iter().map(|pass| u32::try_from(pass.written).unwrap()).sum();
    let third = repository.commit("Elsewhere", &[("README", "text")]);
    let status = until_synced_at(&agent, &third);
    assert_eq!(written, 2);
    assert_eq!(status.history.iter().map(|pass| pass.written).sum::<usize>(), 2);
    machine.run("get --sandbox").says(0, &[&third[..8], "Elsewhere", "envgroup/two"]);
    agent.end();
}

#[test]
fn a_force_push_is_held_until_it_is_followed() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    repository.commit("Begin", &[("a.yaml", &group("one"))]);
    let good = repository.commit("Go on", &[("b.yaml", &group("two"))]);
    let agent = machine.agent(&format!("{FOLLOW} --prune --max-deletes 9"));
    until_synced_at(&agent, &good);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let rewritten = repository.commit("Instead", &[("c.yaml", &group("three"))]);
    let status = agent.until_ready_says("HistoryRewritten");
    let message = ready(&status).1;
    assert!(message.contains(&rewritten[..8]) && message.contains(&good[..8]), "{message}");
    assert_eq!(at(&status).0, good);
    agent.until_event("HistoryRewritten");
    let ran = machine.run("reconcile --sandbox --wait");
    ran.says(1, &["the newest manifests cannot be used"]);
    assert_eq!(groups(&agent), ["one", "two"]);
    // A restart does not take the rewritten branch either: what was applied is remembered.
    agent.end();
    let agent = machine.agent(FOLLOW);
    let status = agent.until_ready_says("HistoryRewritten");
    assert_eq!(status.source.problem.unwrap().reason, ConditionReason::HistoryRewritten);
    assert_eq!(groups(&agent), ["one", "two"]);
    agent.end();
    let agent = machine.agent(&format!("{FOLLOW} --rewrites follow"));
    until_synced_at(&agent, &rewritten);
    assert_eq!(groups(&agent), ["one", "two", "three"]);
    agent.end();
}

#[test]
fn a_branch_that_is_gone_deletes_nothing_and_its_last_good_commit_stays() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    let good = repository.commit("Begin", &[("a.yaml", &group("one"))]);
    repository.git(&["branch", "live"]);
    let follow = format!("{FOLLOW} --branch live --prune --max-deletes 9");
    let agent = machine.agent(&follow);
    until_synced_at(&agent, &good);
    repository.git(&["branch", "-D", "live"]);
    let status = agent.until_ready_says("SourceMissing");
    assert!(ready(&status).1.contains("live"), "{status:#?}");
    assert_eq!(at(&status).0, good);
    assert_eq!(groups(&agent), ["one"]);
    agent.end();
    // At a restart the whole remote is away. What was applied is still wanted (S6).
    std::fs::rename(repository.place(), machine.path("away")).unwrap();
    let agent = machine.agent(&follow);
    let status = agent.until("the last good commit is kept", |agent| {
        let status = agent.status();
        (status.source.revision.is_some() && !status.history.is_empty()).then_some(status)
    });
    assert_eq!(at(&status).0, good);
    assert_eq!(status.source.problem.as_ref().unwrap().reason, ConditionReason::SourceMissing);
    assert_eq!(status.history[0].outcome, PassOutcome::Synced, "{status:#?}");
    assert_eq!(groups(&agent), ["one"]);
    std::fs::rename(machine.path("away"), repository.place()).unwrap();
    repository.git(&["branch", "live"]);
    until_synced_at(&agent, &good);
    agent.until_event("SourceRecovered");
    agent.end();
}

#[test]
fn only_a_commit_signed_by_somebody_who_may_is_taken() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    if !repository.allow_ada() {
        println!("ssh-keygen is missing: signatures were not tested with the process");
        return;
    }
    let signed = repository.sign("Signed", &[("a.yaml", &group("one"))]);
    let agent = machine.agent(&format!("{FOLLOW} --verify allowed"));
    until_synced_at(&agent, &signed);
    let unsigned = repository.commit("Not signed", &[("b.yaml", &group("two"))]);
    let status = agent.until_ready_says("CommitUnsigned");
    assert!(ready(&status).1.contains(&unsigned[..8]), "{status:#?}");
    assert_eq!(at(&status).0, signed);
    assert_eq!(groups(&agent), ["one"]);
    let good = repository.sign("Signed again", &[]);
    until_synced_at(&agent, &good);
    assert_eq!(groups(&agent), ["one", "two"]);
    agent.end();
}

#[test]
fn it_stays_at_a_pinned_commit_over_a_restart_until_it_is_unpinned() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    let first = repository.commit("Begin", &[("a.yaml", &group("one"))]);
    let agent = machine.agent(FOLLOW);
    until_synced_at(&agent, &first);
    machine.run(&format!("pin {} --sandbox", &first[..10])).says(0, &["is pinned to commit"]);
    let second = repository.commit("Go on", &[("b.yaml", &group("two"))]);
    machine.run("reconcile --sandbox --wait").says(0, &["Synced"]);
    let status = agent.status();
    assert_eq!(at(&status).0, first);
    assert_eq!(status.steering.pinned_to.as_deref(), Some(&first[..10]));
    agent.end();
    let agent = machine.agent(FOLLOW);
    agent.until_synced();
    assert_eq!((at(&agent.status()).0, groups(&agent)), (first, vec!["one".to_owned()]));
    machine.run("get --sandbox").says(0, &["pinned"]);
    machine.run("unpin --sandbox").says(0, &["follows the branch again"]);
    until_synced_at(&agent, &second);
    // One that is not there is refused, and nothing waits for it.
    machine.run("pin 0123456789abcdef --sandbox").says(1, &["nothing was pinned"]);
    assert_eq!(agent.status().steering.pinned_to, None);
    machine.run("unpin --sandbox").says(1, &["not pinned"]);
    let third = repository.commit("Still go on", &[("c.yaml", &group("three"))]);
    until_synced_at(&agent, &third);
    agent.end();
}

#[test]
fn one_run_ends_at_its_timeout_though_the_host_says_nothing() {
    let machine = Machine::with(&[]);
    // It accepts, as the system does for it, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let begun = now();
    let run = format!("run --once --sandbox --timeout 2s --repo http://127.0.0.1:{port}/a.git");
    machine.run(&run).says(6, &["no pass was made within --timeout"]);
    assert!(now().duration_since(begun).as_secs() < 40, "git's own limit ended it");
}

#[test]
fn a_repository_that_comes_later_is_found_though_nobody_asks_for_news() {
    let machine = Machine::with(&[]);
    let agent = machine.agent("--sandbox --repo remote --git-poll off --interval 1h");
    agent.until_ready_says("SourceMissing");
    let repository = Repository::on(&machine);
    let first = repository.commit("Begin", &[("a.yaml", &group("one"))]);
    until_synced_at(&agent, &first);
    agent.end();
}
