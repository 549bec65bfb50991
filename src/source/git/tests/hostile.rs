//! What a repository or its host may try.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::scene::{Scene, beneath, branch, is_there, manifest, shown};
use crate::source::SourceError;
use crate::source::git::program::{GitRun, NetworkAccess, Program};
use crate::source::git::{GitError, GitSettings, RefName};

#[tokio::test]
async fn no_hook_is_run_on_either_side() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    source.fetch(None, None).await.unwrap();
    let mark = scene.path("mark");
    let copy = scene.path("state/git/repository.git");
    for directory in [scene.remote().join(".git/hooks"), copy.join("hooks")] {
        fs::create_dir_all(&directory).unwrap();
        for name in ["reference-transaction", "post-checkout", "post-merge", "pre-auto-gc"] {
            let hook = directory.join(name);
            fs::write(&hook, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
            fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    // The commit is made without hooks, so that a mark is ours.
    scene.git(&["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--allow-empty", "-m", "x"]);
    assert_eq!(source.fetch(None, None).await.unwrap().commit.id, scene.head());
    assert!(!is_there(&mark), "a hook was run");
}

#[tokio::test]
async fn only_the_one_transport_is_allowed_whatever_git_is_told() {
    let scene = Scene::new();
    let mark = scene.path("mark");
    let copy = scene.path("copy.git");
    scene.git(&["init", "--quiet", "--bare", copy.to_str().unwrap()]);
    let program = Program::new(&scene.settings(), copy);
    let helper = format!("ext::touch {}", mark.display());
    let remote = scene.remote().to_str().unwrap().to_owned();
    for (reach, url, is_allowed) in [
        (NetworkAccess::Remote, helper.as_str(), false),
        (NetworkAccess::Remote, "https://127.0.0.1:1/x", false),
        (NetworkAccess::Remote, "ssh://127.0.0.1:1/x", false),
        (NetworkAccess::Copy, remote.as_str(), false),
        (NetworkAccess::Remote, remote.as_str(), true),
    ] {
        let arguments = ["ls-remote", "--", url].map(Into::into).to_vec();
        let (input, output_bytes_max) = (Vec::new(), 1_000);
        let call = GitRun { doing: "try", reach, arguments, input, output_bytes_max };
        let output = program.run(call).await.unwrap();
        assert_eq!(output.code == Some(0), is_allowed, "{url}: {}", output.said);
        assert_eq!(output.said.contains("not allowed"), !is_allowed, "{url}: {}", output.said);
    }
    assert!(!is_there(&mark));
}

#[test]
fn what_begins_with_a_dash_is_no_setting() {
    let error = GitSettings::new("--upload-pack=x", branch("main"), &|_| None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`--upload-pack=x` is not a valid repository: it begins with `-`"
    );
    assert!(RefName::new("-x").is_err());
}

#[tokio::test]
async fn the_users_own_configuration_is_not_seen() {
    let scene = Scene::new();
    let mark = scene.path("mark");
    let home = scene.path("home");
    fs::create_dir_all(&home).unwrap();
    let config = format!(
        "[core]\n\tsshCommand = touch '{0}'\n[url \"ext::touch {0}\"]\n\tinsteadOf = {1}\n",
        mark.display(),
        scene.remote().display()
    );
    fs::write(home.join(".gitconfig"), config).unwrap();
    let global = home.join(".gitconfig").to_str().unwrap().to_owned();
    let command = format!("touch {}", mark.display());
    let variables = [
        ("HOME", home.to_str().unwrap()),
        ("GIT_CONFIG_GLOBAL", &global),
        ("GIT_SSH_COMMAND", &command),
    ];
    let settings = scene.settings_in(scene.remote().to_str().unwrap(), &variables);
    assert_eq!(shown(&scene.source(settings).fetch(None, None).await), "web.yaml");
    assert!(!is_there(&mark));
}

#[tokio::test]
async fn links_are_under_the_same_jail_as_in_a_directory() {
    for (link, target, expected) in [
        ("deploy/x.yaml", "/etc/hostname", "it leads outside `deploy`"),
        ("deploy/x.yaml", "../web.yaml", "it leads outside `deploy`"),
        ("deploy/x.yaml", "gone.yaml", "there is no such file or directory"),
        ("deploy/up", "../other", "read `deploy/up`: it leads outside `deploy`"),
        ("deploy/x.yaml", "a/b.yaml", "deploy/a/b.yaml"),
        ("deploy/readme", "../web.yaml", "deploy/a/b.yaml"),
        ("deploy/x", "../gone", "deploy/a/b.yaml"),
        ("deploy/again", "a", "deploy/a/b.yaml"),
    ] {
        let scene = Scene::new();
        scene.commit("add", &[("deploy/a/b.yaml", "a: 1\n"), ("other/c.yaml", "")]);
        symlink(target, scene.remote().join(link)).unwrap();
        scene.commit("link", &[]);
        let mut settings = scene.settings();
        settings.path = Some(beneath("deploy"));
        let outcome = scene.source(settings).fetch(None, None).await;
        assert!(shown(&outcome).contains(expected), "{link} -> {target}: {}", shown(&outcome));
        if let Err(error) = outcome {
            assert!(matches!(error, GitError::Refused { .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn links_that_lead_out_are_followed_all_at_once() {
    let scene = Scene::new();
    scene.commit("add", &[("deploy/a.yaml", ""), ("other/c", "")]);
    let link = |name: &str, target: &str| symlink(target, scene.remote().join(name)).unwrap();
    for (name, target) in [
        ("loop", "loop"),
        ("deploy/a", "/etc/x\ny"),
        ("deploy/b\nmissing", "../gone\nmissing"),
        ("deploy/c", "../other/c/d"),
        ("deploy/d", "../other/c"),
        ("deploy/e", "../loop"),
    ] {
        link(name, target);
    }
    (0..50).for_each(|number| link(&format!("deploy/f{number}"), "../gone"));
    scene.commit("links", &[]);
    scene.watch_git();
    let mut settings = scene.settings();
    settings.path = Some(beneath("deploy"));
    let source = scene.source(settings);
    assert_eq!(shown(&source.fetch(None, None).await), "deploy/a.yaml");
    let calls = scene.calls();
    assert!(calls.matches("cat-file").count() < 10, "{calls}");
    link("deploy/z", "../other");
    scene.commit("a directory", &[]);
    let outcome = shown(&source.fetch(None, None).await);
    assert!(outcome.contains("read `deploy/z`: it leads outside `deploy`"), "{outcome}");
}

#[tokio::test]
async fn one_file_that_is_a_link_out_of_its_directory_is_refused() {
    let scene = Scene::new();
    symlink("/etc/hostname", scene.remote().join("stack.yaml")).unwrap();
    scene.commit("link", &[]);
    let mut settings = scene.settings();
    settings.path = Some(beneath("stack.yaml"));
    let outcome = scene.source(settings).fetch(None, None).await;
    assert!(shown(&outcome).contains("it leads outside"), "{}", shown(&outcome));
}

#[tokio::test]
async fn a_submodule_is_not_read_and_said() {
    let scene = Scene::new();
    let id = scene.head();
    let entry = format!("160000,{id},vendor.yaml");
    scene.git(&["update-index", "--add", "--cacheinfo", &entry]);
    fs::write(
        scene.remote().join(".gitmodules"),
        "[submodule \"x\"]\n\tpath = vendor.yaml\n\turl = ext::touch /tmp/x\n",
    )
    .unwrap();
    scene.git(&["add", ".gitmodules"]);
    scene.git(&["commit", "--quiet", "-m", "submodule"]);
    let before = scene.source(scene.settings()).fetch(None, Some(id.as_str())).await.unwrap().tree;
    let fetched = scene.source(scene.settings()).fetch(None, None).await;
    assert_eq!(shown(&fetched), "web.yaml");
    let tree = fetched.unwrap().tree;
    assert_eq!(tree.unread(), ["vendor.yaml"]);
    assert_ne!(tree.digest(), before.digest(), "something is missing that was not before");
    assert_eq!(before.unread(), [""; 0]);
    // A path that is one is no directory without manifests.
    let mut settings = scene.settings();
    settings.path = Some(beneath("vendor.yaml"));
    let outcome = scene.source(settings).fetch(None, None).await;
    assert!(outcome.is_err() || outcome.is_ok_and(|it| !it.tree.unread().is_empty()));
}

/// Puts a tree that no sound git would make at the tip of `main`.
fn forge(scene: &Scene, entries: &[(&str, &[u8], &str)]) {
    let mut tree = Vec::new();
    for (mode, name, id) in entries {
        tree.extend_from_slice(format!("{mode} ").as_bytes());
        tree.extend_from_slice(name);
        tree.push(0);
        let digits = |at: usize| u8::from_str_radix(&id[at..at + 2], 16).unwrap();
        tree.extend((0..id.len()).step_by(2).map(digits));
    }
    let words = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    let tree = scene.git_with(&words, &tree);
    let commit = scene.git(&["commit-tree", "-p", "HEAD", "-m", "forged", &tree]);
    scene.git(&["update-ref", "refs/heads/main", &commit]);
}

#[tokio::test]
async fn a_forged_tree_cannot_name_what_lies_above_it() {
    let scene = Scene::new();
    let blob = scene.git(&["rev-parse", "HEAD:web.yaml"]);
    let tree = scene.git(&["rev-parse", "HEAD^{tree}"]);
    for entries in [
        &[("40000", &b".."[..], tree.as_str())][..],
        &[("100644", b"../../x.yaml", &blob)],
        &[("100644", b"/etc/x.yaml", &blob)],
        &[("40000", b".", &tree)],
    ] {
        forge(&scene, entries);
        let error = scene.source(scene.settings()).fetch(None, None).await.unwrap_err();
        let GitError::Refused { source, .. } = &error else { panic!("{error}") };
        assert!(matches!(source, SourceError::Escapes { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_name_that_is_no_unicode_is_left_out_or_refused_as_in_a_directory() {
    let scene = Scene::new();
    let blob = scene.git(&["rev-parse", "HEAD:web.yaml"]);
    let tree = scene.git(&["rev-parse", "HEAD^{tree}"]);
    forge(&scene, &[("100644", b"a.yaml", &blob), ("100644", b"\xff.yaml", &blob)]);
    assert_eq!(shown(&scene.source(scene.settings()).fetch(None, None).await), "a.yaml");
    forge(&scene, &[("40000", b"\xff", &tree)]);
    let outcome = scene.source(scene.settings()).fetch(None, None).await;
    assert!(shown(&outcome).contains("its name is not UTF-8"), "{}", shown(&outcome));
}

#[tokio::test]
async fn more_yaml_than_the_limit_is_refused_and_other_large_files_are_not() {
    let scene = Scene::new();
    scene.commit("large", &[("image.bin", &"x".repeat(11_000_000))]);
    let source = scene.source(scene.settings());
    let good = source.fetch(None, None).await.unwrap().commit.id;
    scene.commit("huge", &[("huge.yaml", &"#".repeat(10_000_001))]);
    let error = source.fetch(Some(&good), None).await.unwrap_err();
    let GitError::Refused { source: why, .. } = &error else { panic!("{error}") };
    assert!(matches!(why, SourceError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("limit of 10 MB"), "{error}");
    assert_eq!(source.fetch(None, Some(good.as_str())).await.unwrap().commit.id, good);
}

#[tokio::test]
async fn a_git_that_never_stops_talking_is_stopped() {
    let scene = Scene::new();
    scene.wrap_git("case $1 in ls-remote) exec yes ;; *) exec \"$GIT\" \"$@\" ;; esac");
    let error = scene.source(scene.settings()).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::Failed { .. }), "{error}");
    scene.wrap_git(
        "case $1 in ls-remote) yes 'fatal: x' | head -c 9000000 >&2; exit 128 ;; \
         *) exec \"$GIT\" \"$@\" ;; esac",
    );
    let error = scene.source(scene.settings()).fetch(None, None).await.unwrap_err();
    assert!(error.to_string().chars().count() < 700, "{error}");
}

#[tokio::test]
async fn a_commit_with_strange_texts_is_bounded() {
    let scene = Scene::new();
    let subject = format!("\u{1b}[31m{}", "x".repeat(100_000));
    scene.git_with(&["commit", "--quiet", "--allow-empty", "-F", "-"], subject.as_bytes());
    scene.commit("last", &[("api.yaml", &manifest("api"))]);
    let parent = scene.git(&["rev-parse", "HEAD~1"]);
    let fetched = scene.source(scene.settings()).fetch(None, Some(&parent)).await.unwrap();
    assert!(fetched.commit.subject.chars().count() <= 200);
}
