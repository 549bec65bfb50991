//! Settings as a whole: which value wins, where it is said to come from, what is refused.

mod allowed;
mod environment;
mod notifications;
mod policies;
mod schema;
mod secret;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::model::Kind;
use crate::plan::Prune;
use crate::source::git::{GitReference, RefName, Rewrites};
use crate::status::Mode;

use super::super::arguments::{Arguments, Command, ConfigCommand, Global, RunCommand};
use super::super::environment::Environment;
use super::super::failure::Failure;
use super::project::ProjectSettings;
use super::secret::SecretSource;
use super::source::ProjectSource;
use super::*;

/// A call with a home and a token.
const HOME: [(&str, &str); 2] = [("HOME", "/home/a"), ("STACKBLAZE_TOKEN", "sb_live_canary")];

fn parsed(words: &str) -> (Global, GivenSettings, RunCommand) {
    let words = ["stoker", "config", "view"].into_iter().chain(words.split_whitespace());
    let mut matches = Arguments::command().try_get_matches_from(words).unwrap();
    let given = GivenSettings::from(&matches);
    let arguments = Arguments::from_arg_matches_mut(&mut matches).unwrap();
    let Command::Config(ConfigCommand::View(command)) = arguments.command else {
        panic!("`config view` was called")
    };
    (arguments.global, given, *command)
}

fn resolved(
    words: &str,
    variables: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Result<RunSettings, Failure> {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    let file = SettingsFile::from_texts(files.iter().map(own).collect())?;
    let (global, given, command) = parsed(words);
    let environment = Environment::from(variables);
    let call =
        Invocation { global: &global, given: &given, file: &file, environment: &environment };
    RunSettings::resolve(&call, &command)
}

fn settings(words: &str, file: &str) -> RunSettings {
    resolved(words, &HOME, &[("stoker.yaml", file)]).unwrap()
}

/// The one project of a call.
fn project(words: &str, file: &str) -> ProjectSettings {
    let mut settings = settings(words, file);
    assert_eq!(settings.projects.len(), 1);
    settings.projects.remove(0)
}

/// `value from source` of one setting.
fn row(rows: &[Row], key: &str) -> String {
    let row = rows.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("no row {key}"));
    format!("{} from {}", row.text().as_deref().unwrap_or("nothing"), row.provenance)
}

/// Everything that is said of settings that cannot be used.
fn refused(words: &str, file: &str) -> String {
    let failure = resolved(words, &HOME, &[("stoker.yaml", file)]).unwrap_err();
    assert_eq!(failure.exit.code(), 64);
    let findings = failure.diagnostics.iter().map(ToString::to_string);
    findings.collect::<Vec<_>>().join("\n")
}

#[test]
fn without_any_settings_there_is_one_project_with_the_defaults() {
    let settings = settings("", "");
    assert_eq!(settings.listen.unwrap().to_string(), "127.0.0.1:8400");
    assert!(!settings.is_once && settings.agent_token.is_none() && settings.warnings.is_empty());
    let [project] = &settings.projects[..] else { panic!("there is one") };
    assert_eq!(project.name.as_str(), "default");
    assert_eq!(project.state.to_str(), Some("/home/a/.local/state/stoker"));
    assert_eq!(project.token, Some(SecretSource::Variable("STACKBLAZE_TOKEN".to_owned())));
    assert_eq!(project.interval.as_secs(), 300);
    assert_eq!((project.mode, project.rolls_back, project.deploys_max), (Mode::Repair, false, 3));
    assert_eq!((project.connection.rate, project.connection.reserve), (285, 90));
    assert_eq!(project.policy.permissions.prune, Prune::Off);
    let ProjectSource::Files { paths, debounce, poll } = &project.source else { panic!("files") };
    assert_eq!((paths.len(), debounce.as_millis(), *poll), (0, 300, None));
    assert_eq!(row(&project.rows, "interval"), "5m from default");
    assert_eq!(row(&settings.rows, "listen"), "127.0.0.1:8400 from default");
    assert_eq!(row(&project.rows, "rollbackOnFailure"), "false from default");
}

#[test]
fn a_loop_is_told_what_was_resolved() {
    let file = "interval: 2m\nrate: 100\nobserve: true\ndeploysMax: 2\nrollbackOnFailure: true\n\
        maxDeletes: 7\nwindows: [{kind: deny, schedule: 0 0 * * *, duration: 1h}]\n";
    let told = project("", file).of_loop(5);
    assert_eq!((told.name.as_str(), told.mode, told.seed), ("default", Mode::Observe, 5));
    assert_eq!((told.interval.as_secs(), told.rate, told.deploys_max), (120, 100, 2));
    assert!(told.rollback_on_failure);
    assert_eq!(told.policy.permissions.deletes_max, Some(7));
    assert_eq!(told.windows.iter().count(), 1);
}

#[test]
fn a_flag_wins_over_the_projects_own_key_that_over_the_top_and_that_over_the_default() {
    let file = "interval: 1m\nrate: 100\nprojects:\n- name: a\n  tokenEnv: A\n  interval: 2m\n- name: b\n  tokenEnv: B\n";
    let by_file = settings("", file);
    let interval =
        |settings: &RunSettings, index: usize| row(&settings.projects[index].rows, "interval");
    assert_eq!(interval(&by_file, 0), "2m from stoker.yaml:6");
    assert_eq!(interval(&by_file, 1), "1m from stoker.yaml:1");
    let by_flag = settings("--interval 3m --observe --rate=50/m", file);
    assert_eq!(interval(&by_flag, 0), "3m from --interval");
    assert_eq!(interval(&by_flag, 1), "3m from --interval");
    assert_eq!(by_flag.projects[1].connection.rate, 50);
    assert_eq!(by_flag.projects[1].mode, Mode::Observe);
    assert_eq!(by_file.projects[0].interval.as_secs(), 120);
}

#[test]
fn the_nearest_of_several_files_wins_key_by_key() {
    let near = ("stoker.yaml", "interval: 1m\ndialect: {env_patch: replace}\n");
    let far =
        ("/etc/stoker/config.yaml", "rate: 50\ninterval: 9m\ndialect: {env_patch: merge, a: 5}\n");
    let settings = resolved("", &HOME, &[near, far]).unwrap();
    let rows = &settings.projects[0].rows;
    assert_eq!(row(rows, "interval"), "1m from stoker.yaml:1");
    assert_eq!(row(rows, "rate"), "50/m from /etc/stoker/config.yaml:1");
    assert_eq!(row(rows, "dialect.env_patch"), "replace from stoker.yaml:2");
    assert_eq!(row(rows, "dialect.a"), "5 from /etc/stoker/config.yaml:3");
}

#[test]
fn each_of_many_projects_has_its_own_state_token_and_source() {
    let settings = settings(
        "--state /var/lib/stoker",
        include_str!("../../../../examples/settings/many-projects.yaml"),
    );
    let told: Vec<String> = settings
        .projects
        .iter()
        .map(|project| {
            let token = project.token.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} {} {token}", project.name, project.state.display())
        })
        .collect();
    assert_eq!(
        told,
        [
            "shop /var/lib/stoker/projects/shop the file /run/secrets/shop",
            "shop-staging /var/lib/stoker/projects/shop-staging the file /run/secrets/shop-staging",
            "legacy /var/lib/stoker/projects/legacy the variable LEGACY_TOKEN",
        ]
    );
    let ProjectSource::Repository(repository) = &settings.projects[1].source else {
        panic!("it is a repository")
    };
    assert_eq!(repository.reference, GitReference::Branch(RefName::new("staging").unwrap()));
    assert_eq!(repository.rewrites, Rewrites::Follow);
    assert_eq!(repository.poll.unwrap().as_secs(), 60);
    assert_eq!(settings.projects[0].policy.permissions.prune, Prune::Kinds([Kind::Service].into()));
    assert_eq!(settings.projects[2].mode, Mode::Observe);
    assert!(settings.projects.iter().all(|project| project.notifications.len() == 1));
}

#[test]
fn a_projects_own_address_is_not_moved_by_the_environment() {
    let file = "projects:\n- name: a\n  tokenEnv: A\n  apiUrl: https://a.dev/v1\n- name: b\n  tokenEnv: B\n";
    let variables = [HOME[0], ("STACKBLAZE_API_URL", "https://elsewhere.dev/v1")];
    let settings = resolved("", &variables, &[("stoker.yaml", file)]).unwrap();
    let url = |index: usize| settings.projects[index].connection.api_url.as_str();
    assert_eq!((url(0), url(1)), ("https://a.dev/v1", "https://elsewhere.dev/v1"));
    assert_eq!(
        row(&settings.projects[1].rows, "apiUrl"),
        "https://elsewhere.dev/v1 from STACKBLAZE_API_URL"
    );
}

#[test]
fn a_projects_own_windows_stand_instead_of_those_at_the_top() {
    let file = "windows: [{kind: deny, schedule: 0 0 * * *, duration: 1h}]\n\
        projects:\n- name: a\n  tokenEnv: A\n- name: b\n  tokenEnv: B\n  windows: []\n\
        - name: c\n  tokenEnv: C\n  windows: [{kind: allow, schedule: 0 9 * * 1-5, duration: 8h, timeZone: Europe/Berlin}]\n";
    let settings = settings("", file);
    let windows = |index: usize| {
        let windows = settings.projects[index].windows.iter().map(ToString::to_string);
        windows.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(windows(0), "deny `0 0 * * *` for 1h (UTC)");
    assert_eq!(windows(1), "");
    assert_eq!(windows(2), "allow `0 9 * * 1-5` for 8h (Europe/Berlin)");
}

#[test]
fn what_is_typed_chooses_between_files_and_a_repository() {
    let ProjectSource::Files { paths, .. } = project("a b", "repo: https://git.dev/a/b\n").source
    else {
        panic!("files were typed")
    };
    assert_eq!(paths.len(), 2);
    let by_flag = project("--repo ssh://git@git.dev/a/b --tag v1", "paths: [m]\n");
    let ProjectSource::Repository(repository) = by_flag.source else { panic!("a repository") };
    assert_eq!(repository.reference, GitReference::Tag(RefName::new("v1").unwrap()));
    let over = project("--branch next", "repo: https://git.dev/a/b\ntag: v1\n");
    assert_eq!(row(&over.rows, "branch"), "next from --branch");
    // In full, as git and build servers write it.
    let full = project("--repo https://git.dev/a/b --branch refs/heads/release/1", "");
    let ProjectSource::Repository(full) = full.source else { panic!("it is a repository") };
    assert_eq!(full.reference.to_string(), "branch `release/1`");
    for (path, expected) in [(".", "."), ("./deploy/", "./deploy/"), ("a.yaml", "a.yaml")] {
        let words = format!("--repo https://git.dev/a/b --path {path}");
        let ProjectSource::Repository(at) = project(&words, "").source else { panic!("{path}") };
        assert_eq!(at.path, Some(expected.into()), "{path}");
    }
}

#[test]
fn the_limits_of_one_run_do_not_end_an_agent() {
    let file = "timeout: 10m\nmaxCalls: 50\n";
    assert_eq!(project("", file).connection.timeout, None);
    assert_eq!(project("--once", file).connection.calls_max, Some(50));
    assert!(refused("--timeout 5m", "").contains("--timeout: it limits one run"));
}

#[test]
fn in_a_sandbox_no_token_is_needed() {
    let sandboxed = resolved("--sandbox", &HOME[..1], &[]).unwrap();
    assert_eq!(sandboxed.projects[0].token, None);
    assert!(sandboxed.unusable_secrets(&Environment::from(&HOME[..1])).is_empty());
    let without = resolved("", &HOME[..1], &[]).unwrap();
    let said = without.unusable_secrets(&Environment::from(&HOME[..1]));
    assert_eq!(said, ["default: there is no token"]);
}

#[test]
fn projects_that_share_a_token_are_warned_about() {
    let file =
        "projects:\n- name: a\n  tokenEnv: T\n- name: b\n  tokenEnv: T\n- name: c\n  tokenEnv: C\n";
    let [warning] = &settings("", file).warnings[..] else { panic!("there is one warning") };
    assert!(warning.contains("a, b") && warning.contains("T") && warning.contains("`rate`"));
}

#[test]
fn what_cannot_be_used_is_said_with_its_place() {
    for (file, said) in [
        ("repo: https://git.dev/a\ncommit: abc\n", "`abc` is not a valid commit: a whole id"),
        ("repo: https://git.dev/a\nbranch: -x\n", "`-x` is not a valid branch or tag: it"),
        (
            "intervall: 5m\n",
            "stoker.yaml:1:1: error[unknown-key]: unknown key `intervall` (did you mean `interval`?)",
        ),
        ("interval: 5\n", "stoker.yaml:1:1: error[invalid-value]: `interval`"),
        ("rate: fast\n", "`fast` is not a rate from 0/m to 300/m"),
        ("rate: []\n", "a rate from 0/m to 300/m"),
        (
            "interval: 1s\n",
            "stoker.yaml:1:1: error[setting]: `interval` must be between 10s and 1d",
        ),
        ("deploysMax: 0\n", "between 1 and 10"),
        ("listen: 0.0.0.0:80\n", "needs a bearer token"),
        ("listen: true\n", "or write off"),
        ("tokenEnv: A\n", "belongs to an entry of `projects`"),
        ("projects: 5\n", "stoker.yaml:1:1: error[wrong-type]: `projects` is not a list"),
        ("projects: []\n", "`projects` is empty"),
        (
            "projects:\n- name: a\n  tokenEnv: A\n  listen: off\n",
            "stoker.yaml:4:3: error[misplaced-key]",
        ),
        (
            "projects:\n- tokenEnv: A\n",
            "stoker.yaml:2:3: error[setting]: the project has no `name`",
        ),
        ("projects:\n- name: A\n  tokenEnv: A\n", "stoker.yaml:2:3: error[setting]: `name`"),
        ("projects:\n- name: a\n", "the project has no token"),
        (
            "projects:\n- name: a\n  tokenEnv: A\n- name: a\n  tokenEnv: B\n",
            "stoker.yaml:4:3: error[setting]: two projects are called `a`",
        ),
        (
            "projects:\n- name: a\n  tokenEnv: A\n  state: s\n- name: b\n  tokenEnv: B\n  state: ./x/../s\n",
            "stoker.yaml:7:3: error[setting]: `a` and `b` have the same state directory",
        ),
        ("projects:\n- name: a\n  tokenEnv: A\n  tokenFile: b\n", "both name the same secret"),
        ("repo: https://git.dev/a/b\npaths: [a]\n", "both are given"),
        ("repo: -upload-pack=x\n", "begins with `-`"),
        ("repo: https://me:canary@git.dev/a/b\n", "`repo` contains a user name or password"),
        ("poll: 0s\n", "stoker.yaml:1:1: error[setting]: `poll` must be `off` or at least 100ms"),
        ("paths: ['-']\n", "stdin can be read only once"),
        ("repo: https://git.dev/a/b\npath: ../x\n", "stoker.yaml:2:1: error[setting]: `path`"),
        ("repo: https://git.dev/a/b\nbranch: --x\n", "begins with `-`"),
        ("repo: https://git.dev/a/b\nbranch: a\ntag: b\n", "`branch` and `tag` both choose"),
        ("branch: a\n", "`branch` needs `repo`"),
        (
            "windows:\n- kind: allow\n  schedule: '* * *'\n  duration: 5m\n",
            "stoker.yaml:2:3: error[setting]: invalid cron expression `* * *`: it has 3 of five fields",
        ),
        (
            "windows:\n- kind: allow\n  schedule: '* * * * *'\n  duration: 5m\n  zone: UTC\n",
            "stoker.yaml:5:3: error[unknown-key]: unknown key `zone`",
        ),
        ("webhook: {provider: github}\n", "needs `secretEnv` or `secretFile`"),
        (
            "notifications:\n- type: slack\n  url: https://hooks.dev/canary\n",
            "stoker.yaml:3:3: error[unknown-key]: unknown key `url` (the keys here are name, tell, again, link, urlEnv, urlFile)",
        ),
        (
            "notifications:\n- type: slack\n  urlEnv: A\n- type: slack\n  urlEnv: B\n",
            "stoker.yaml:4:3: error[setting]: two notifications are called `slack`",
        ),
        (
            "notifications:\n- type: webhook\n  url: http://hooks.dev/a\n",
            "neither https nor http to this machine",
        ),
        (
            "notifications:\n- type: github\n  tokenEnv: A\n",
            "the manifests come from no repository",
        ),
    ] {
        let got = refused("", file);
        assert!(got.contains(said), "{file}\n{got}");
        assert!(!got.contains("canary"), "{got}");
    }
    assert!(refused("a", "projects:\n- name: a\n  tokenEnv: A\n").contains("PATH: "));
    assert!(refused("--interval 1s", "").contains("--interval: `interval` must be"));
}

#[test]
fn every_projects_problem_is_said_at_once_and_with_its_line() {
    let file = "projects:\n- name: a\n- name: b\n  tokenEnv: B\n  interval: 1s\n";
    let failure = resolved("", &HOME, &[("stoker.yaml", file)]).unwrap_err();
    assert_eq!(failure.diagnostics.len(), 2);
    let snippet = failure.diagnostics[1].snippet.as_ref().unwrap();
    assert_eq!(snippet.text, "  interval: 1s");
}

#[test]
fn a_repository_is_signed_in_to_as_its_host_wants() {
    let file = "repo: https://x-token-auth@bitbucket.org/acme/shop\n\
        sshKey: /keys/stoker\nknownHosts: /keys/hosts\n";
    let project = project("--known-hosts mine", file);
    let ProjectSource::Repository(repository) = &project.source else {
        panic!("a repository was named")
    };
    assert_eq!(repository.url, "https://x-token-auth@bitbucket.org/acme/shop");
    assert_eq!(row(&project.rows, "sshKey"), "/keys/stoker from stoker.yaml:2");
    assert_eq!(row(&project.rows, "knownHosts"), "mine from --known-hosts");
}

#[test]
fn a_secret_is_never_among_the_settings() {
    let file = "webhook: {provider: generic, secretEnv: HOOK}\n\
        notifications: [{type: slack, urlEnv: SLACK}, {type: webhook, url: 'https://a.dev/x', secretEnv: HOOK}]\n";
    let variables = [
        HOME[0],
        HOME[1],
        ("HOOK", "canary-hook"),
        ("SLACK", "https://hooks.slack.com/services/canary"),
    ];
    let settings = resolved("", &variables, &[("stoker.yaml", file)]).unwrap();
    let environment = Environment::from(&variables[..]);
    assert_eq!(settings.unusable_secrets(&environment), Vec::<String>::new());
    let sinks: Vec<_> = settings.projects[0]
        .notifications
        .iter()
        .map(|one| one.sink(&environment, None).unwrap())
        .collect();
    assert_eq!(sinks.len(), 2);
    assert!(!format!("{settings:?}{sinks:?}").contains("canary"));
    let project = &settings.projects[0];
    assert_eq!(
        row(&project.rows, "token"),
        "(secret in the variable STACKBLAZE_TOKEN) from STACKBLAZE_TOKEN"
    );
    assert_eq!(
        row(&project.rows, "webhook"),
        "generic (secret in the variable HOOK) from stoker.yaml:1"
    );
    let missing = settings.unusable_secrets(&Environment::from(&HOME[..]));
    assert!(missing.iter().any(|said| said == "default: the variable HOOK is not set"));
    assert!(missing.iter().any(|said| said.starts_with("default, slack: the variable SLACK")));
}
