//! Which commit is taken: branches, tags, commits, rewrites, pins.

use super::scene::{Scene, beneath, branch, manifest, shown, tag};
use crate::source::git::{GitError, GitReference, Rewrites, Signature};

#[tokio::test]
async fn a_new_commit_is_seen_with_what_is_told_about_it() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    let first = source.fetch(None, None).await.unwrap();
    assert!(!first.is_unchanged);
    assert_eq!(first.tree.files()[0].bytes, manifest("web").as_bytes());

    let id = scene.commit("add api\n\nmore", &[("api.yaml", &manifest("api"))]);
    let second = source.fetch(Some(&first.commit.id), None).await.unwrap();
    assert!(!second.is_unchanged);
    assert_eq!(second.commit.id, id);
    assert_eq!(second.tree.revision(), Some(id.as_str()));
    assert_eq!(second.commit.subject, "add api");
    assert_eq!(second.commit.author, "Ada");
    assert_eq!(second.commit.committed_at.to_string(), "2023-11-14T22:13:20Z");
    assert_eq!(second.commit.signature, Signature::NotChecked);
    assert_eq!(shown(&Ok(second)), "api.yaml web.yaml");
}

#[tokio::test]
async fn an_unchanged_branch_costs_one_process() {
    let scene = Scene::new();
    scene.watch_git();
    let source = scene.source(scene.settings());
    let first = source.fetch(None, None).await.unwrap();
    scene.calls();
    let second = source.fetch(Some(&first.commit.id), None).await.unwrap();
    assert_eq!(scene.calls(), "ls-remote");
    assert!(second.is_unchanged);
    assert_eq!(second.tree.digest(), first.tree.digest());
}

#[tokio::test]
async fn a_commit_that_leaves_the_directory_alone_reads_no_file() {
    let scene = Scene::new();
    let id = scene.commit("add", &[("deploy/a.yaml", "a: 1\n"), ("src/main.rs", "1")]);
    scene.watch_git();
    let mut settings = scene.settings();
    settings.path = Some(beneath("deploy"));
    let source = scene.source(settings);
    let first = source.fetch(Some(&id), None).await.unwrap();
    let next = scene.commit("code only", &[("src/main.rs", "2")]);
    scene.calls();
    let second = source.fetch(Some(&first.commit.id), None).await.unwrap();
    // The commit and its place are looked up once each, and nothing beneath is listed or read.
    let calls = scene.calls();
    assert_eq!((calls.matches("cat-file").count(), calls.matches("ls-tree").count()), (1, 1));
    assert_eq!(second.tree.revision(), Some(next.as_str()));
    assert_eq!(second.tree.digest(), first.tree.digest());
    assert_eq!(shown(&Ok(second)), "deploy/a.yaml");
}

#[tokio::test]
async fn a_path_is_a_directory_or_one_file() {
    let scene = Scene::new();
    scene.commit("add", &[("deploy/prod/a.yaml", ""), ("deploy/prod/b.yml", "")]);
    for (path, expected) in [
        ("deploy", "deploy/prod/a.yaml deploy/prod/b.yml"),
        ("deploy/prod/b.yml", "deploy/prod/b.yml"),
        ("web.yaml", "web.yaml"),
    ] {
        let mut settings = scene.settings();
        settings.path = Some(beneath(path));
        assert_eq!(shown(&scene.source(settings).fetch(None, None).await), expected);
    }
    let mut settings = scene.settings();
    settings.path = Some(beneath("gone/a.yaml"));
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoPath { .. }), "{error}");
}

#[tokio::test]
async fn where_no_path_is_named_the_usual_places_are_read_as_for_files() {
    let scene = Scene::new();
    let usual = async |files: &[(&str, &str)]| {
        scene.commit("more", files);
        shown(&scene.source(scene.settings()).fetch(None, None).await)
    };
    let all = usual(&[("deploy/a.yaml", "")]).await;
    assert!(all.contains("deploy/a.yaml"), "all of it: {all}");
    assert_eq!(usual(&[("stackblaze.yaml", "")]).await, "stackblaze.yaml");
    assert_eq!(usual(&[("manifests/b.yaml", "")]).await, "manifests/b.yaml");
    let mut settings = scene.settings();
    settings.path = Some(beneath("."));
    let all = shown(&scene.source(settings).fetch(None, None).await);
    assert!(all.contains("deploy/a.yaml") && all.contains("stackblaze.yaml"), "{all}");
}

#[tokio::test]
async fn a_rewritten_branch_is_held_and_the_verdict_is_not_worked_out_again() {
    let scene = Scene::new();
    scene.watch_git();
    let source = scene.source(scene.settings());
    scene.commit("second", &[("api.yaml", &manifest("api"))]);
    let known = source.fetch(None, None).await.unwrap().commit.id;
    scene.git(&["commit", "--quiet", "--amend", "-m", "other"]);
    let there = scene.head();

    let error = source.fetch(Some(&known), None).await.unwrap_err();
    let GitError::Rewritten { from, to } = &error else { panic!("{error}") };
    assert_eq!((from, to), (&known, &there));
    assert!(!error.is_passing() && !error.hints().is_empty());
    scene.calls();
    assert!(source.fetch(Some(&known), None).await.is_err());
    assert_eq!(scene.calls(), "ls-remote");

    let later = scene.commit("on top", &[]);
    let error = source.fetch(Some(&known), None).await.unwrap_err();
    assert!(matches!(error, GitError::Rewritten { to, .. } if to == later));
    let held = source.fetch(None, Some(known.as_str())).await.unwrap();
    assert_eq!(held.commit.id, known);
}

#[tokio::test]
async fn a_branch_set_back_to_an_older_commit_is_a_rewrite() {
    let scene = Scene::new();
    let old = scene.head();
    let known = scene.commit("second", &[]);
    let source = scene.source(scene.settings());
    source.fetch(None, None).await.unwrap();
    scene.git(&["reset", "--quiet", "--hard", old.as_str()]);
    let error = source.fetch(Some(&known), None).await.unwrap_err();
    assert!(matches!(error, GitError::Rewritten { .. }), "{error}");
}

#[tokio::test]
async fn a_rewritten_branch_is_followed_when_the_settings_say_so() {
    let scene = Scene::new();
    let mut settings = scene.settings();
    settings.rewrites = Rewrites::Follow;
    let source = scene.source(settings);
    let known = source.fetch(None, None).await.unwrap().commit.id;
    scene.git(&["commit", "--quiet", "--amend", "-m", "other"]);
    let fetched = source.fetch(Some(&known), None).await.unwrap();
    assert_eq!(fetched.commit.id, scene.head());
    assert!(!fetched.is_unchanged);
}

#[tokio::test]
async fn a_branch_that_went_far_ahead_is_no_rewrite_even_for_a_new_copy() {
    let scene = Scene::new();
    let known = scene.head();
    let source = scene.source(scene.settings());
    source.fetch(None, None).await.unwrap();
    scene.go_ahead(40);
    assert_eq!(source.fetch(Some(&known), None).await.unwrap().commit.id, scene.head());
    let anew = crate::source::git::GitSource::new(scene.settings(), scene.path("other"));
    assert_eq!(anew.fetch(Some(&known), None).await.unwrap().commit.id, scene.head());
}

#[tokio::test]
async fn a_merge_leads_on_from_both_of_its_parents() {
    let scene = Scene::new();
    scene.git(&["checkout", "--quiet", "-b", "side"]);
    let side = scene.commit("side", &[("side.yaml", "")]);
    scene.git(&["checkout", "--quiet", "main"]);
    let main = scene.commit("main", &[("main.yaml", "")]);
    scene.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    for known in [&side, &main] {
        let fetched = scene.source(scene.settings()).fetch(Some(known), None).await.unwrap();
        assert_eq!(fetched.commit.id, scene.head());
    }
}

#[tokio::test]
async fn a_deleted_branch_is_an_error_and_what_was_known_stays() {
    let scene = Scene::new();
    scene.git(&["checkout", "--quiet", "-b", "other"]);
    let source = scene.source(scene.settings());
    let known = source.fetch(None, None).await.unwrap().commit.id;
    scene.git(&["branch", "--quiet", "-D", "main"]);
    let error = source.fetch(Some(&known), None).await.unwrap_err();
    assert!(matches!(error, GitError::NoReference { .. }), "{error}");
    assert!(error.to_string().contains("find branch `main`"), "{error}");
    let kept = source.fetch(None, Some(known.as_str())).await.unwrap();
    assert_eq!(shown(&Ok(kept)), "web.yaml");
}

#[tokio::test]
async fn a_branch_with_the_end_of_anothers_name_is_not_taken_for_it() {
    let scene = Scene::new();
    scene.git(&["checkout", "--quiet", "-b", "refs/heads/wanted"]);
    let mut settings = scene.settings();
    settings.reference = branch("wanted");
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoReference { .. }), "{error}");
}

#[tokio::test]
async fn a_tag_is_followed_when_it_moves_on() {
    let scene = Scene::new();
    let first = scene.head();
    scene.git(&["tag", "plain"]);
    scene.git(&["tag", "-a", "-m", "note", "noted"]);
    for name in ["plain", "noted"] {
        let mut settings = scene.settings();
        settings.reference = tag(name);
        let source = scene.source(settings);
        assert_eq!(source.fetch(None, None).await.unwrap().commit.id, first);
        let second = scene.commit("next", &[]);
        scene.git(&["tag", "-f", "-a", "-m", "note", name]);
        assert_eq!(source.fetch(Some(&first), None).await.unwrap().commit.id, second);
        assert!(source.fetch(Some(&second), None).await.unwrap().is_unchanged);
        scene.git(&["tag", "-f", name, first.as_str()]);
        let error = source.fetch(Some(&second), None).await.unwrap_err();
        assert!(matches!(error, GitError::Rewritten { .. }), "{error}");
        scene.git(&["reset", "--quiet", "--hard", first.as_str()]);
    }
}

#[tokio::test]
async fn one_commit_is_followed_for_ever_and_needs_the_other_side_once() {
    let scene = Scene::new();
    let first = scene.head();
    scene.commit("second", &[("api.yaml", "")]);
    scene.watch_git();
    let mut settings = scene.settings();
    settings.reference = GitReference::Commit(first.clone());
    let source = scene.source(settings);
    let fetched = source.fetch(None, None).await.unwrap();
    assert_eq!(fetched.commit.id, first);
    assert_eq!(shown(&Ok(fetched)), "web.yaml");
    scene.calls();
    assert!(source.fetch(Some(&first), None).await.unwrap().is_unchanged);
    assert_eq!(scene.calls(), "");
}

#[tokio::test]
async fn a_pin_is_brought_when_it_is_missing_by_its_id_or_its_beginning() {
    let scene = Scene::new();
    let first = scene.head();
    scene.go_ahead(40);
    for name in [first.as_str(), &first.as_str()[..7]] {
        let _ = std::fs::remove_dir_all(scene.path("state"));
        let source = scene.source(scene.settings());
        source.fetch(None, None).await.unwrap();
        assert_eq!(source.fetch(None, Some(name)).await.unwrap().commit.id, first);
        let free = source.fetch(Some(&first), None).await.unwrap();
        assert_eq!(free.commit.id, scene.head());
    }
}

#[tokio::test]
async fn a_pin_that_is_nowhere_or_no_commit_is_an_error() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    for pin in ["0123456", "0123456789012345678901234567890123456789"] {
        let error = source.fetch(None, Some(pin)).await.unwrap_err();
        assert!(matches!(error, GitError::NoCommit { .. }), "{error}");
    }
    for pin in ["main", "HEAD~1", "--all", "", "012345"] {
        let error = source.fetch(None, Some(pin)).await.unwrap_err();
        assert!(matches!(error, GitError::Wrong(_)), "{error}");
    }
}

#[tokio::test]
async fn a_repository_without_commits_or_without_anything_is_an_error() {
    let scene = Scene::new();
    scene.git(&["init", "--quiet", "--bare", "../empty"]);
    let settings = scene.settings_for(scene.path("empty").to_str().unwrap());
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoReference { .. }), "{error}");
    let settings = scene.settings_for(scene.path("gone").to_str().unwrap());
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoRepository { .. }), "{error}");
}

#[tokio::test]
async fn files_that_move_into_a_usual_place_are_read_from_there() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    assert_eq!(shown(&source.fetch(None, None).await), "web.yaml");
    // The directory is now what the root was, to the bit.
    std::fs::create_dir_all(scene.remote().join("manifests")).unwrap();
    scene.git(&["mv", "web.yaml", "manifests/web.yaml"]);
    scene.commit("move", &[]);
    assert_eq!(shown(&source.fetch(None, None).await), "manifests/web.yaml");
}

#[tokio::test]
async fn a_link_that_leads_out_is_looked_at_again_though_it_is_the_same() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.remote().join("deploy")).unwrap();
    std::os::unix::fs::symlink("../more", scene.remote().join("deploy/more")).unwrap();
    scene.commit("link", &[("deploy/a.yaml", "")]);
    let mut settings = scene.settings();
    settings.path = Some(beneath("deploy"));
    let source = scene.source(settings.clone());
    assert_eq!(shown(&source.fetch(None, None).await), "deploy/a.yaml");
    scene.commit("its target", &[("more/b.yaml", "")]);
    let fresh = shown(&scene.source(settings).fetch(None, None).await);
    assert!(fresh.contains("more"), "{fresh}");
    assert_eq!(shown(&source.fetch(None, None).await), fresh);
}
