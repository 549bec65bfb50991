//! Stoker as a step of a pipeline: what it leaves for GitHub Actions, and the scripts in `deploy/`
//! that put a plan on a pull request, run against a code host that is played here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::task::block_in_place;

use crate::code_host::{By, CodeHost, TOKEN};
use crate::deploy::skipped;

/// A step of GitHub Actions: a directory with one manifest and the runner's files.
struct Step(tempfile::TempDir);

const SERVICE: &str = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: api}\n\
    spec: {type: web, image: nginx}\n";

impl Step {
    fn with(manifest: &str) -> Self {
        let step = Self(tempfile::tempdir().unwrap());
        std::fs::write(step.at("api.yaml"), manifest).unwrap();
        step
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the binary as a step, and returns its exit code with what it printed on stderr.
    fn stoker(&self, arguments: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.env_clear().stdin(Stdio::null()).current_dir(self.0.path());
        command.env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_STEP_SUMMARY", self.at("summary"));
        command.env("GITHUB_OUTPUT", self.at("outputs"));
        command.args(arguments.split_whitespace()).arg("--state").arg(self.at("state"));
        let ran = command.output().unwrap();
        (ran.status.code().unwrap(), String::from_utf8(ran.stderr).unwrap())
    }

    /// Runs a program of `deploy/` as the runner does, with the real binary on the path and the
    /// emulator behind it. Returns its exit code and all it printed.
    fn script(&self, program: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let binary = Path::new(env!("CARGO_BIN_EXE_stoker")).parent().unwrap();
        let mut command = Command::new("bash");
        command.env_clear().stdin(Stdio::null()).current_dir(self.0.path());
        match program {
            // A script of GitLab stands in its template.
            ["-c", script] => command.args(["-c", script]),
            [script, rest @ ..] => command.arg(root.join("deploy/github").join(script)).args(rest),
            [] => panic!("a program is named"),
        };
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()));
        command.env("HOME", self.0.path()).env("TMPDIR", self.0.path());
        command.env("STOKER_SANDBOX", "true").env("STOKER_STATE", self.at("state"));
        command.env("GITHUB_ACTIONS", "true").env("RUNNER_TEMP", self.0.path());
        command.env("GITHUB_STEP_SUMMARY", self.at("summary"));
        command.env("GITHUB_OUTPUT", self.at("outputs"));
        command.env("GITHUB_SERVER_URL", "https://code.example").env("GITHUB_RUN_ID", "12");
        command.env("GITHUB_REPOSITORY", "acme/shop").env("MANIFESTS", "api.yaml");
        command.envs(variables.iter().copied());
        let ran = command.output().unwrap();
        let printed = [ran.stdout, ran.stderr].map(|it| String::from_utf8(it).unwrap());
        (ran.status.code().unwrap(), printed.concat())
    }

    /// Returns what lies in the directory now; a job's temporary files are made there, too.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> =
            names.filter(|name| !["summary", "outputs"].contains(&&**name)).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> String {
        read(&self.at(name))
    }

    /// Returns the value of an output, as the runner reads its file.
    fn output(&self, name: &str) -> Option<String> {
        let text = self.read("outputs");
        let mut lines = text.lines();
        let mut value = None;
        while let Some((found, mark)) = lines.next().and_then(|line| line.split_once("<<")) {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != mark).collect();
            if found == name {
                value = Some(block.join("\n"));
            }
        }
        value
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_plan_goes_into_the_steps_summary_and_outputs_in_whatever_form_it_is_printed() {
    for form in ["text", "json", "markdown"] {
        let step = Step::with(SERVICE);
        let (exit, _) = step.stoker(&format!("plan api.yaml --sandbox -o {form}"));
        assert_eq!(exit, 0);
        assert!(step.read("summary").starts_with(stoker::render::MARKER), "{form}");
        assert_eq!(step.output("add").as_deref(), Some("1"), "{form}");
        assert_eq!(step.output("pending").as_deref(), Some("true"), "{form}");
    }
}

#[test]
fn an_apply_adds_what_became_of_the_plan() {
    for form in ["text", "json"] {
        let step = Step::with(SERVICE);
        let (exit, stderr) = step.stoker(&format!("apply api.yaml --sandbox -y -o {form}"));
        assert_eq!(exit, 0, "{stderr}");
        let summary = step.read("summary");
        assert_eq!(summary.matches(stoker::render::MARKER).count(), 1, "{summary}");
        assert!(summary.ends_with("### Applied&#58; 1 done.\n\n"), "{summary}");
    }
}

#[test]
fn a_mistake_is_put_beside_its_line_and_a_failure_above_the_log() {
    let step = Step::with(&SERVICE.replace("type: web", "type: wbe"));
    let (exit, stderr) = step.stoker("validate api.yaml");
    assert_eq!(exit, 65);
    assert!(
        stderr.contains("::error file=api.yaml,line=4,col=14,title=service-type::"),
        "{stderr}"
    );
    assert_eq!(stderr.matches("::error ").count(), 1, "{stderr}");

    let step = Step::with(SERVICE);
    let (exit, stderr) = step.stoker("plan api.yaml -o json");
    assert_ne!(exit, 0);
    assert!(stderr.lines().any(|line| line.starts_with("::error title=")), "{stderr}");
}

/// Whether the programs that the scripts call are here; says which is not.
fn can_run_scripts() -> bool {
    let is_missing = |tool: &&str| {
        let seek = format!("command -v {tool} >/dev/null");
        !Command::new("sh").args(["-c", &seek]).status().unwrap().success()
    };
    let tools = ["bash", "curl", "git", "jq", "openssl", "tar"];
    let missing: Vec<_> = tools.into_iter().filter(|tool| is_missing(tool)).collect();
    if !missing.is_empty() {
        skipped(&format!("not installed: {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// The variables of a job on a pull request.
fn on_github<'a>(host: &'a CodeHost, command: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("COMMAND", command),
        ("PULL_REQUEST", "7"),
        ("STACKBLAZE_TOKEN", "sb_test_canary"),
        ("GITHUB_TOKEN", TOKEN),
        ("GITHUB_API_URL", &host.url),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_keeps_one_comment_and_nobody_elses_is_touched() {
    if !can_run_scripts() {
        return;
    }
    let host = CodeHost::serve().await;
    // Somebody wrote our line, and a page of talk follows.
    let forged = format!("{}\nmine", stoker::render::MARKER);
    host.comment(By::Person, &forged);
    (0..120).for_each(|_| host.comment(By::Person, "talk"));
    let step = Step::with(SERVICE);
    let plan = |name| {
        let mut variables = on_github(&host, "plan");
        variables.push(("NAME", name));
        let (exit, printed) = block_in_place(|| step.script(&["run"], &variables));
        assert_eq!(exit, 0, "{printed}");
        host.comments().split_off(121)
    };
    let ours = plan("");
    assert_eq!(ours.len(), 1);
    assert!(ours[0].body.starts_with(stoker::render::MARKER) && ours[0].body.contains("1 to add"));
    std::fs::write(step.at("api.yaml"), SERVICE.replace("name: api", "name: web")).unwrap();
    let ours = plan("");
    assert_eq!(ours.len(), 1);
    assert!(ours[0].body.contains("service&#47;web"), "{}", ours[0].body);
    assert_eq!(plan("shop").len(), 2, "another project has a comment of its own");
    assert_eq!(plan("shop").len(), 2);
    assert_eq!(host.comments()[0].body, forged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_failed_does_not_leave_an_old_one_standing() {
    if !can_run_scripts() {
        return;
    }
    let host = CodeHost::serve().await;
    let step = Step::with(SERVICE);
    let (exit, _) = block_in_place(|| step.script(&["run"], &on_github(&host, "plan")));
    assert_eq!(exit, 0);
    std::fs::write(step.at("api.yaml"), SERVICE.replace("type: web", "type: wbe")).unwrap();
    let (exit, printed) = block_in_place(|| step.script(&["run"], &on_github(&host, "plan")));
    assert_eq!(exit, 65, "{printed}");
    let [comment] = &host.comments()[..] else { panic!("one comment") };
    assert!(comment.body.starts_with(stoker::render::MARKER), "{}", comment.body);
    assert!(comment.body.contains("The plan failed") && comment.body.contains("actions/runs/12"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_manifests_are_validated_and_nothing_is_said_or_applied() {
    if !can_run_scripts() {
        return;
    }
    let host = CodeHost::serve().await;
    let step = Step::with(SERVICE);
    let run = |command| {
        let mut variables = on_github(&host, command);
        variables.push(("STACKBLAZE_TOKEN", ""));
        block_in_place(|| step.script(&["run"], &variables))
    };
    let (exit, printed) = run("plan");
    assert_eq!(exit, 0, "{printed}");
    assert!(step.read("summary").contains("nothing was planned"));
    let (exit, printed) = run("apply");
    assert_eq!(exit, 1);
    assert!(printed.contains("::error title=stoker::there is no token"), "{printed}");
    assert!(host.comments().is_empty());
}

/// Packs a program that says who it is, as a release packs Stoker; returns the archive's address
/// and its digest.
fn released(step: &Step) -> (String, String) {
    let pack = "mkdir -p released/stoker-9 && printf '#!/bin/sh\\necho the released one\\n' \
                >released/stoker-9/stoker && chmod +x released/stoker-9/stoker && \
                tar -czf released.tar.gz -C released stoker-9 && rm -r released && \
                sha256sum released.tar.gz | cut -d' ' -f1";
    let (exit, digest) = step.script(&["-c", pack], &[]);
    assert_eq!(exit, 0, "{digest}");
    (format!("file://{}", step.at("released.tar.gz").display()), digest.trim().to_owned())
}

#[test]
fn the_action_takes_a_released_binary_only_if_it_is_that_very_one() {
    if !can_run_scripts() {
        return;
    }
    let step = Step::with(SERVICE);
    let (url, digest) = released(&step);
    let path = step.at("path");
    let install = |digest: &str| {
        let path = ("GITHUB_PATH", path.to_str().unwrap());
        let variables = [("RELEASE_URL", &*url), ("RELEASE_SHA256", digest), path];
        step.script(&["install", "program"], &variables)
    };
    for wrong in ["", "0000"] {
        let (exit, printed) = install(wrong);
        assert!(exit == 1 && printed.contains("::error title=stoker::the archive"), "{printed}");
        assert!(!step.at("stoker").exists() && !path.exists(), "{:?}", step.files());
    }
    let (exit, printed) = install(&digest);
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(read(&path).trim(), step.at("stoker/bin").to_str().unwrap());
    let (_, printed) = step.script(&["-c", "stoker/bin/stoker"], &[]);
    assert_eq!(printed, "the released one\n");
}

/// A repository on the local disk and a step in a clone of it.
fn cloned(origin: &Path) -> Step {
    let step = Step::with(SERVICE);
    let ran = step.script(
        &["-c", "git init --quiet && git remote add origin \"$ORIGIN\""],
        &[("ORIGIN", origin.to_str().unwrap())],
    );
    assert_eq!(ran.0, 0, "{}", ran.1);
    step
}

#[test]
fn the_state_is_carried_from_job_to_job_and_is_unreadable_on_the_way() {
    if !can_run_scripts() {
        return;
    }
    let origin = tempfile::tempdir().unwrap();
    let ran = Command::new("git").args(["init", "--quiet", "--bare"]).arg(origin.path()).status();
    assert!(ran.unwrap().success());
    let phrase = [("STOKER_STATE_PASSPHRASE", "correct horse")];
    let state = |step: &Step, command| {
        step.script(&["state", command, step.at("state").to_str().unwrap()], &phrase)
    };
    let apply = [("COMMAND", "apply"), ("STACKBLAZE_TOKEN", "sb_test_canary")];

    let first = cloned(origin.path());
    let (exit, printed) = state(&first, "save");
    assert_eq!(exit, 1, "a state that was not restored is not saved over: {printed}");
    let (exit, printed) = state(&first, "restore");
    assert!(exit == 0 && printed.contains("nothing is owned"), "{printed}");
    let (exit, printed) = first.script(&["run"], &apply);
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(state(&first, "save").0, 0);

    let (second, third) = (cloned(origin.path()), cloned(origin.path()));
    for step in [&second, &third] {
        let (exit, printed) = state(step, "restore");
        assert_eq!(exit, 0, "{printed}");
    }
    let (_, printed) = second.script(&["-c", "stoker get"], &[]);
    assert!(printed.contains("service/api") && printed.contains("created"), "{printed}");
    assert_eq!(state(&second, "save").0, 0);
    assert_ne!(state(&third, "save").0, 0, "two jobs with one state: the later save is refused");

    let read =
        "git fetch --quiet origin stoker-state && git cat-file blob FETCH_HEAD:state.tar.enc";
    let count = format!("{read} | grep --text --count --extended-regexp 'inventory|service'");
    assert_eq!(second.script(&["-c", &count], &[]).1.trim(), "0");
    let wrong = [("STOKER_STATE_PASSPHRASE", "wrong")];
    let fourth = cloned(origin.path());
    let at = fourth.at("state");
    let (exit, _) = fourth.script(&["state", "restore", at.to_str().unwrap()], &wrong);
    assert_ne!(exit, 0, "it must not go on as if nothing were owned");
    assert_eq!(state(&fourth, "save").0, 1, "and must not save that");
}

/// The words of a plan that was made without the state of the applies.
const WITHOUT: &str = "Planned without the state that apply uses";

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_on_a_pull_request_uses_the_state_of_the_applies_or_says_that_it_has_not() {
    if !can_run_scripts() {
        return;
    }
    let host = CodeHost::serve().await;
    let origin = tempfile::tempdir().unwrap();
    let ran = Command::new("git").args(["init", "--quiet", "--bare"]).arg(origin.path()).status();
    assert!(ran.unwrap().success());
    let state = |step: &Step, command, phrase| {
        let variables = [("STOKER_STATE_PASSPHRASE", phrase)];
        let at = step.at("state");
        block_in_place(|| step.script(&["state", command, at.to_str().unwrap()], &variables))
    };
    let run = |step: &Step, command, has_passphrase| {
        let mut variables = on_github(&host, command);
        variables.push(("HAS_PASSPHRASE", has_passphrase));
        block_in_place(|| step.script(&["run"], &variables))
    };
    let branch = || {
        let mut git = Command::new("git");
        let ran = git.arg("-C").arg(origin.path()).args(["rev-parse", "stoker-state"]).output();
        String::from_utf8(ran.unwrap().stdout).unwrap()
    };

    // Before the first apply there is no state, and none is missing.
    let first = cloned(origin.path());
    assert_eq!(state(&first, "read", "correct horse").0, 0);
    let (exit, printed) = run(&first, "plan", "true");
    assert!(exit == 0 && !host.comments()[0].body.contains(WITHOUT), "{printed}");
    assert_eq!(state(&first, "restore", "correct horse").0, 0);
    assert_eq!(run(&first, "apply", "true").0, 0);
    assert_eq!(state(&first, "save", "correct horse").0, 0);
    let saved = branch();

    // With a copy of it the plan knows what is ours.
    let second = cloned(origin.path());
    std::fs::write(second.at("api.yaml"), SERVICE.replace("name: api", "name: web")).unwrap();
    let (exit, printed) = state(&second, "read", "correct horse");
    assert_eq!(exit, 0, "{printed}");
    let (exit, printed) = run(&second, "plan", "true");
    assert_eq!(exit, 0, "{printed}");
    let body = &host.comments()[0].body;
    assert!(body.contains("pruning is off") && !body.contains(WITHOUT), "{body}");

    // Without it the plan is made, and says so wherever somebody may look.
    for (phrase, has_passphrase, why) in
        [("wrong", "true", "could not be fetched"), ("", "false", "no `state-passphrase`")]
    {
        let step = cloned(origin.path());
        if !phrase.is_empty() {
            let (exit, printed) = state(&step, "read", phrase);
            assert!(exit == 0 && !step.at("state").exists(), "{printed}");
        }
        let (exit, printed) = run(&step, "plan", has_passphrase);
        assert!(exit == 0 && printed.contains("::warning title=stoker::planned without"));
        let [comment] = &host.comments()[..] else { panic!("one comment") };
        for text in [&comment.body, &step.read("summary")] {
            assert!(text.contains(WITHOUT) && text.contains(why), "{text}");
        }
        assert!(comment.body.starts_with(stoker::render::MARKER), "{}", comment.body);
        assert!(comment.body.contains("1 to add"), "{}", comment.body);
    }
    assert_eq!(branch(), saved, "a plan saves no state");
}

#[test]
fn the_shipped_workflows_plan_and_apply_with_one_state() {
    let with = |workflow: &str, job: &str| {
        let path = format!("deploy/github/workflows/{workflow}.yml");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let workflow: serde_json::Value = serde_yaml::from_str(&read(&path)).unwrap();
        workflow["jobs"][job]["steps"][1]["with"].clone()
    };
    let (plan, apply) = (with("plan", "plan"), with("apply", "apply"));
    assert!(plan["state-passphrase"].is_string(), "{plan}");
    for key in ["state-passphrase", "state-branch", "manifests"] {
        assert_eq!(plan[key], apply[key], "{key}");
    }
}

/// Returns the script of a job of GitLab's template.
fn gitlab_script(job: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/gitlab/stoker.gitlab-ci.yml");
    let template: serde_json::Value = serde_yaml::from_str(&read(&path)).unwrap();
    // What both jobs begin with is a list of its own, which GitLab flattens.
    let [common, own] = &template[job]["script"].as_array().unwrap()[..] else {
        panic!("what both begin with, and the job's own")
    };
    format!("{}\n{}", common[0].as_str().unwrap(), own.as_str().unwrap())
}

fn on_gitlab(host: &CodeHost) -> Vec<(&str, &str)> {
    vec![
        ("CI_API_V4_URL", host.url.as_str()),
        ("CI_PROJECT_ID", "5"),
        ("CI_MERGE_REQUEST_PROJECT_ID", "5"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_JOB_URL", "https://code.example/job/12"),
        ("CI_JOB_TOKEN", TOKEN),
        ("STOKER_GITLAB_TOKEN", TOKEN),
        ("STACKBLAZE_TOKEN", "sb_test_canary"),
        ("STOKER_MANIFESTS", "api.yaml"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_keeps_one_note() {
    if !can_run_scripts() {
        return;
    }
    let host = CodeHost::serve().await;
    host.comment(By::Person, stoker::render::MARKER);
    let script = gitlab_script("stoker:plan");
    let step = Step::with(SERVICE);
    for (manifest, exit_expected, words) in [
        (SERVICE.to_owned(), 0, "1 to add"),
        (SERVICE.replace("type: web", "type: wbe"), 65, "The plan failed"),
        (SERVICE.replace("name: api", "name: web"), 0, "service&#47;web"),
    ] {
        std::fs::write(step.at("api.yaml"), manifest).unwrap();
        let (exit, printed) = block_in_place(|| step.script(&["-c", &script], &on_gitlab(&host)));
        assert_eq!(exit, exit_expected, "{printed}");
        let [theirs, ours] = &host.comments()[..] else { panic!("one note: {printed}") };
        assert_eq!(theirs.body, stoker::render::MARKER);
        assert!(ours.body.starts_with(stoker::render::MARKER), "{}", ours.body);
        assert!(ours.body.contains(words), "{}", ours.body);
        assert!(!printed.contains(TOKEN) && !printed.contains("sb_test_canary"));
        assert_eq!(step.files(), ["api.yaml", "stoker-plan.md"], "nothing is left in the clear");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_on_a_merge_request_uses_the_state_of_the_applies_or_says_that_it_has_not() {
    if !can_run_scripts() {
        return;
    }
    let host = CodeHost::serve().await;
    let run = |job: &str, manifest: &str, phrase| {
        let step = Step::with(manifest);
        let mut variables = on_gitlab(&host);
        variables.push(("STOKER_STATE_PASSPHRASE", phrase));
        let script = gitlab_script(job);
        let (exit, printed) = block_in_place(|| step.script(&["-c", &script], &variables));
        assert_eq!(exit, 0, "{printed}");
        (step.read("stoker-plan.md"), printed)
    };
    run("stoker:apply", SERVICE, "correct horse");
    let package = host.package();
    let renamed = SERVICE.replace("name: api", "name: web");
    let (plan, _) = run("stoker:plan", &renamed, "correct horse");
    assert!(plan.contains("pruning is off") && !plan.contains(WITHOUT), "{plan}");
    for (phrase, why) in [("wrong", "could not be fetched"), ("", "no `STOKER_STATE_PASSPHRASE`")] {
        let (plan, printed) = run("stoker:plan", &renamed, phrase);
        assert!(plan.starts_with(stoker::render::MARKER) && plan.contains("1 to add"), "{plan}");
        assert!(plan.contains(WITHOUT) && plan.contains(why), "{plan}");
        assert!(printed.contains(WITHOUT), "{printed}");
    }
    assert_eq!(host.package(), package, "a plan saves no state");
}

#[test]
fn a_job_of_gitlab_takes_a_released_binary_only_if_it_is_that_very_one() {
    if !can_run_scripts() {
        return;
    }
    let step = Step::with(SERVICE);
    let (url, digest) = released(&step);
    let script = gitlab_script("stoker:apply");
    let run = |digest: &str, more: &[(&str, &str)]| {
        let mut variables = vec![("STOKER_URL", &*url), ("STOKER_SHA256", digest)];
        variables.extend([("CI_API_V4_URL", "http://127.0.0.1:9"), ("CI_PROJECT_ID", "5")]);
        variables.extend([("CI_JOB_TOKEN", TOKEN), ("STOKER_MANIFESTS", "api.yaml")]);
        variables.extend(more);
        let ran = step.script(&["-c", &script], &variables);
        assert_eq!(step.files(), ["api.yaml", "released.tar.gz"], "{}", ran.1);
        ran
    };
    let (exit, printed) = run("0000", &[]);
    assert!(exit == 1 && printed.contains("it was not run"), "{printed}");
    let (exit, printed) = run(&digest, &[]);
    assert!(exit == 0 && printed.ends_with("the released one\n"), "{printed}");
    let (exit, printed) = run(&digest, &[("CI_DEBUG_TRACE", "true")]);
    assert!(exit == 1 && printed.contains("prints every variable"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_gitlab_keeps_its_state_and_refuses_to_go_on_without_it() {
    if !can_run_scripts() {
        return;
    }
    let host = CodeHost::serve().await;
    let script = gitlab_script("stoker:apply");
    let mut variables = on_gitlab(&host);
    variables.push(("STOKER_STATE_PASSPHRASE", "correct horse"));
    let first = Step::with(SERVICE);
    let (exit, printed) = block_in_place(|| first.script(&["-c", &script], &variables));
    assert!(exit == 0 && printed.contains("no state yet"), "{printed}");
    assert_eq!(first.files(), ["api.yaml"], "nothing is left in the clear");
    let package = host.package().expect("the state was kept");
    assert!(!String::from_utf8_lossy(&package).contains("inventory"));
    let second = Step::with(SERVICE);
    let (exit, printed) = block_in_place(|| second.script(&["-c", &script], &variables));
    assert!(exit == 0 && printed.contains("No changes"), "{printed}");

    host.keep_package(b"neither ours nor anybody's");
    let third = Step::with(SERVICE);
    let (exit, printed) = block_in_place(|| third.script(&["-c", &script], &variables));
    assert_ne!(exit, 0);
    assert!(!printed.contains("Applied"), "{printed}");
    assert_eq!(third.files(), ["api.yaml"], "nothing is left in the clear");
    assert_eq!(host.package().unwrap(), &b"neither ours nor anybody's"[..]);
}
