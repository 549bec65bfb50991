//! The copy on disk: lost, damaged, shared, left behind by a killed git; and files for values.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::scene::{Scene, beneath, is_there, manifest, shown};
use crate::source::SourceError;
use crate::source::git::{GitError, GitSource};

#[tokio::test]
async fn after_a_restart_the_last_good_commit_is_there_without_the_other_side() {
    let scene = Scene::new();
    let known = scene.source(scene.settings()).fetch(None, None).await.unwrap().commit.id;
    fs::rename(scene.remote(), scene.path("moved")).unwrap();
    let source = scene.source(scene.settings());
    assert!(source.fetch(Some(&known), None).await.is_err());
    let fetched = source.fetch(Some(&known), Some(known.as_str())).await.unwrap();
    assert!(fetched.is_unchanged);
    assert_eq!(shown(&Ok(fetched)), "web.yaml");
}

#[tokio::test]
async fn after_a_restart_an_unchanged_branch_is_read_from_the_copy() {
    let scene = Scene::new();
    let known = scene.source(scene.settings()).fetch(None, None).await.unwrap().commit.id;
    scene.watch_git();
    let fetched = scene.source(scene.settings()).fetch(Some(&known), None).await.unwrap();
    assert!(fetched.is_unchanged);
    assert!(!scene.calls().contains("fetch"));
}

#[tokio::test]
async fn a_damaged_copy_is_made_anew() {
    let scene = Scene::new();
    let known = scene.source(scene.settings()).fetch(None, None).await.unwrap().commit.id;
    let copy = scene.path("state/git/repository.git");
    let damages: [&dyn Fn(); 5] = [
        &|| fs::remove_dir_all(copy.join("objects")).unwrap(),
        &|| fs::write(copy.join("HEAD"), "garbage").unwrap(),
        &|| fs::write(copy.join("config"), "[garbage").unwrap(),
        &|| fs::write(copy.join("shallow.lock"), "").unwrap(),
        &|| {
            let packs = fs::read_dir(copy.join("objects/pack")).unwrap();
            for path in packs.map(|entry| entry.unwrap().path()) {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                fs::write(path, "garbage").unwrap();
            }
        },
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        damage();
        let id = scene.commit("next", &[]);
        let outcome = scene.source(scene.settings()).fetch(Some(&known), None).await;
        let fetched = outcome.unwrap_or_else(|error| panic!("damage {number}: {error}"));
        assert_eq!(fetched.commit.id, id);
        assert_eq!(fetched.tree.files()[0].bytes, manifest("web").as_bytes());
    }
}

#[tokio::test]
async fn a_copy_of_another_repository_is_thrown_away() {
    let scene = Scene::new();
    let known = scene.commit("only here", &[]);
    scene.source(scene.settings()).fetch(None, None).await.unwrap();
    let other = Scene::new();
    let source = scene.source(other.settings());
    assert_eq!(source.fetch(None, None).await.unwrap().commit.id, other.head());
    let error = source.fetch(None, Some(known.as_str())).await.unwrap_err();
    assert!(matches!(error, GitError::NoCommit { .. }), "{error}");
}

#[tokio::test]
async fn the_copy_is_for_its_owner_only_and_holds_no_checkout() {
    let scene = Scene::new();
    scene.source(scene.settings()).fetch(None, None).await.unwrap();
    let mode = fs::metadata(scene.path("state/git")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let copy = scene.path("state/git/repository.git");
    assert!(!is_there(&copy.join("web.yaml")) && !is_there(&copy.join("hooks")));
    assert!(!is_there(&scene.path("state/git/web.yaml")));
}

#[tokio::test]
async fn two_sources_on_one_directory_take_turns() {
    let scene = Scene::new();
    let (left, right) = (scene.source(scene.settings()), scene.source(scene.settings()));
    let (left, right) = tokio::join!(left.fetch(None, None), right.fetch(None, None));
    assert_eq!(shown(&left), "web.yaml");
    assert_eq!(shown(&right), "web.yaml");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_stays_in_use_is_named_as_such() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("state/git")).unwrap();
    let holder = fs::File::create(scene.path("state/git/lock")).unwrap();
    holder.lock().unwrap();
    let error = scene.source(scene.settings()).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::Busy { .. }) && error.is_passing(), "{error}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_an_error_of_the_disk() {
    let scene = Scene::new();
    fs::write(scene.path("state"), "").unwrap();
    let error = scene.source(scene.settings()).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::Disk { .. }), "{error}");
}

#[tokio::test]
async fn a_file_for_a_value_comes_from_the_same_commit() {
    let scene = Scene::new();
    let text = "a: { file: secrets/pem }\nb: { file: ../big }\nc: { file: link }\n\
                d: { file: out }\ne: { file: current/pem }\n";
    symlink("secrets/pem", scene.remote().join("link")).unwrap();
    scene.commit(
        "add",
        &[
            ("deploy/prod/a.yaml", text),
            ("deploy/prod/secrets/pem", "PEM"),
            ("deploy/big", &"x".repeat(70_000)),
            ("outside", "no"),
        ],
    );
    symlink("secrets/pem", scene.remote().join("deploy/prod/link")).unwrap();
    symlink("../../outside", scene.remote().join("deploy/prod/out")).unwrap();
    symlink("secrets", scene.remote().join("deploy/prod/current")).unwrap();
    let mut settings = scene.settings();
    settings.path = Some(beneath("deploy"));
    scene.commit("links", &[]);
    let source = scene.source(settings);
    let fetched = source.fetch(None, None).await.unwrap();
    scene.commit("changed", &[("deploy/prod/secrets/pem", "NEW")]);

    let read = |path: &str| fetched.tree.read_beneath("deploy/prod/a.yaml", path);
    for path in ["secrets/pem", "link", "current/pem", "./secrets/../secrets/pem"] {
        assert_eq!(read(path).unwrap(), b"PEM", "{path}");
    }
    assert!(matches!(read("../big"), Err(SourceError::TooLarge { .. })));
    for path in ["out", "../../outside", "/etc/hostname", "../../../x"] {
        assert!(matches!(read(path), Err(SourceError::Escapes { .. })), "{path}");
    }
    assert!(matches!(read("gone"), Err(SourceError::Missing { .. })));
    assert_eq!(
        read("gone").unwrap_err().to_string(),
        "read `deploy/prod/gone`: there is no such file or directory"
    );
    let next = source.fetch(None, None).await.unwrap();
    assert_eq!(next.tree.read_beneath("deploy/prod/a.yaml", "secrets/pem").unwrap(), b"NEW");
    assert!(!format!("{next:?}").contains("NEW"));
}

#[tokio::test]
async fn a_commit_and_a_directory_of_the_same_files_have_the_same_digest() {
    let scene = Scene::new();
    scene.commit("add", &[("deploy/b/a.yaml", "a: 1\n"), ("deploy/c.yml", "")]);
    let mut settings = scene.settings();
    settings.path = Some(beneath("deploy"));
    let fetched = scene.source(settings).fetch(None, None).await.unwrap();
    let directory = crate::source::load(&[scene.remote().join("deploy")], None).unwrap();
    assert_eq!(fetched.tree.digest(), directory.digest());
}

#[tokio::test]
async fn each_new_commit_is_fetched_in_one_conversation() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    let mut known = source.fetch(None, None).await.unwrap().commit.id;
    scene.watch_git();
    for number in 0..3 {
        scene.commit("next", &[("web.yaml", &manifest(&format!("web{number}")))]);
        known = source.fetch(Some(&known), None).await.unwrap().commit.id;
    }
    assert_eq!(known, scene.head());
    assert_eq!(scene.calls().matches("fetch").count(), 3);
}

#[tokio::test]
async fn git_cleans_the_copy_after_fetching() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    source.fetch(None, None).await.unwrap();
    let garbage = scene.path("state/git/repository.git/objects/17");
    fs::create_dir_all(&garbage).unwrap();
    // Git guesses the number of loose objects from this one directory.
    for number in 0..20 {
        fs::write(garbage.join(format!("{number:038x}")), "").unwrap();
    }
    scene.commit("next", &[]);
    source.fetch(None, None).await.unwrap();
    assert!(!is_there(&garbage), "what nothing points at is still there");
    assert!(!source.fetch(None, None).await.unwrap().tree.is_empty());
}

#[tokio::test]
async fn a_git_that_hangs_is_ended_with_its_children() {
    let scene = Scene::new();
    scene.source(scene.settings()).fetch(None, None).await.unwrap();
    let note = scene.path("child");
    scene.wrap_git(&format!(
        "case $1 in ls-remote) sleep 600 & echo $! > '{}'; wait ;; *) exec \"$GIT\" \"$@\" ;; esac",
        note.display()
    ));
    let mut settings = scene.settings();
    settings.silence = Duration::from_secs(2);
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::Silent { .. }) && error.is_passing(), "{error}");
    assert_is_gone(&note).await;

    fs::remove_file(&note).unwrap();
    let source = GitSource::new(scene.settings(), scene.path("other"));
    let look = source.fetch(None, None);
    let started = async {
        while fs::read_to_string(&note).unwrap_or_default().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! { _ = look => panic!("it ended"), () = started => {} }
    assert_is_gone(&note).await;
}

/// Waits until the process whose number stands in a file has ended; a zombie has.
async fn assert_is_gone(note: &std::path::Path) {
    let number = fs::read_to_string(note).unwrap().trim().to_owned();
    // Where there is no such file system, nothing is ever seen alive.
    let status = || fs::read_to_string(format!("/proc/{number}/stat"));
    let is_alive = || status().is_ok_and(|text| !text.contains(") Z "));
    let gone = async {
        while is_alive() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the child outlived its git");
}
