//! Repositories of other kinds and owners, and the true reason where one cannot be read.

use std::process::Command;

use secrecy::SecretString;

use super::backend::Backend;
use super::scene::{Scene, beneath, branch, manifest, shell, shown, tag};
use super::secrets::{answer, serve};
use crate::source::git::{GitError, GitReference, GitSettings};

#[tokio::test]
async fn a_repository_of_sha256_is_read_and_followed_also_where_it_takes_the_place_of_another() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    source.fetch(None, None).await.unwrap();
    std::fs::remove_dir_all(scene.remote()).unwrap();
    std::fs::create_dir_all(scene.remote()).unwrap();
    scene.git(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    let first = scene.commit("first", &[("web.yaml", &manifest("web"))]);
    assert_eq!(first.as_str().len(), 64);
    let backend = Backend::of(&scene).await;
    for url in [backend.url(), scene.remote().display().to_string()] {
        let source = scene.source(scene.settings_for(&url));
        let known = source.fetch(None, None).await.unwrap().commit.id;
        let next = scene.commit("next", &[("api.yaml", &manifest("api"))]);
        assert_eq!(source.fetch(Some(&known), None).await.unwrap().commit.id, next);
        let pinned = source.fetch(None, Some(&first.as_str()[..9])).await;
        assert_eq!(shown(&pinned), "web.yaml");
    }
}

#[tokio::test]
async fn a_local_repository_of_another_user_is_read() {
    if shell("id -u") != "0" {
        eprintln!("nobody but root can give a repository away: not tried");
        return;
    }
    let scene = Scene::new();
    let status = Command::new("chown").arg("-R").arg("12345").arg(scene.remote()).status();
    assert!(status.unwrap().success());
    assert_eq!(shown(&scene.source(scene.settings()).fetch(None, None).await), "web.yaml");
}

#[tokio::test]
async fn a_token_that_is_refused_and_none_at_all_are_told_apart() {
    let scene = Scene::new();
    let asks = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    let (port, _) = serve(answer("401 Unauthorized", asks)).await;
    let url = format!("http://127.0.0.1:{port}/acme/shop.git");
    let said = async |settings: GitSettings| {
        let error = scene.source(settings).fetch(None, None).await.unwrap_err();
        assert!(matches!(error, GitError::Denied { .. }), "{error}");
        error.to_string()
    };
    let none = said(scene.settings_for(&url)).await;
    assert!(none.ends_with("it requires a token, and none is given"), "{none}");
    let settings = scene.settings_for(&url);
    settings.token.set(SecretString::from("wrong"));
    let wrong = said(settings).await;
    assert!(wrong.ends_with("the token was refused"), "{wrong}");
}

#[tokio::test]
async fn a_new_token_is_used_at_the_next_look_and_the_old_one_is_not_repeated() {
    let scene = Scene::new();
    let (port, heard) = serve(answer("404 Not Found", "")).await;
    let settings = scene.settings_for(&format!("http://127.0.0.1:{port}/a.git"));
    let token = settings.token.clone();
    let source = scene.source(settings);
    // `x-access-token:first` and `x-access-token:second` in Base64.
    for (text, encoded) in
        [("first", "eC1hY2Nlc3MtdG9rZW46Zmlyc3Q="), ("second", "eC1hY2Nlc3MtdG9rZW46c2Vjb25k")]
    {
        token.set(SecretString::from(text));
        heard.lock().unwrap().clear();
        source.fetch(None, None).await.unwrap_err();
        assert!(heard.lock().unwrap().contains(encoded), "{text}");
    }
}

#[tokio::test]
async fn a_commit_that_an_old_host_does_not_hand_out_is_called_that() {
    let scene = Scene::new();
    let first = scene.head();
    scene.commit("second", &[]);
    let backend = Backend::old(&scene).await;
    let mut settings = scene.settings_for(&backend.url());
    settings.reference = GitReference::Commit(first.clone());
    let error = scene.source(settings.clone()).fetch(None, None).await.unwrap_err();
    let GitError::KeptBack { commit, .. } = &error else { panic!("{error}") };
    assert_eq!(commit, first.as_str());
    // Where a branch is followed, the commit is found in its history.
    settings.reference = branch("main");
    let pinned = scene.source(settings).fetch(None, Some(first.as_str())).await.unwrap();
    assert_eq!(pinned.commit.id, first);
}

#[tokio::test]
async fn a_repository_that_moved_within_its_host_is_followed() {
    let scene = Scene::new();
    let backend = Backend::of(&scene).await;
    let url = backend.url().replace("/remote", "/moved");
    let source = scene.source(scene.settings_for(&url));
    let known = source.fetch(None, None).await.unwrap().commit.id;
    let next = scene.commit("next", &[("api.yaml", &manifest("api"))]);
    assert_eq!(source.fetch(Some(&known), None).await.unwrap().commit.id, next);
}

#[tokio::test]
async fn a_tag_of_something_that_is_no_commit_is_called_that() {
    let scene = Scene::new();
    scene.git(&["tag", "tree", "HEAD^{tree}"]);
    let mut settings = scene.settings();
    settings.reference = tag("tree");
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoCommitThere { .. }), "{error}");
    assert!(error.to_string().ends_with("it does not point to a commit"), "{error}");
}

#[tokio::test]
async fn a_commit_is_fetched_from_where_its_repository_moved_to() {
    let scene = Scene::new();
    let first = scene.head();
    let backend = Backend::of(&scene).await;
    let url = backend.url().replace("/remote", "/moved");
    let mut settings = scene.settings_for(&url);
    settings.reference = GitReference::Commit(first.clone());
    let fetched = scene.source(settings).fetch(None, None).await;
    assert_eq!(shown(&fetched), "web.yaml");
    assert_eq!(fetched.unwrap().commit.id, first);
}

#[tokio::test]
async fn a_pin_of_the_other_kind_of_id_costs_no_good_copy_and_is_found_where_it_is() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    let good = source.fetch(None, None).await.unwrap().commit.id;
    let other = "0123456789abcdef".repeat(4);
    let error = source.fetch(None, Some(&other)).await.unwrap_err();
    assert!(matches!(error, GitError::NoCommit { .. }), "{error}");
    let there = scene.path("there");
    std::fs::rename(scene.remote(), &there).unwrap();
    source.fetch(None, Some(&other)).await.unwrap_err();
    // After a restart, and without the other side.
    let source = scene.source(scene.settings());
    let kept = source.fetch(None, Some(good.as_str())).await;
    assert_eq!(shown(&kept), "web.yaml");
    // The other side has the other kind of id by now.
    std::fs::create_dir_all(scene.remote()).unwrap();
    scene.git(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    let first = scene.commit("first", &[("api.yaml", &manifest("api"))]);
    scene.commit("second", &[]);
    let pinned = source.fetch(None, Some(first.as_str())).await;
    assert_eq!(shown(&pinned), "api.yaml");
}

#[tokio::test]
async fn a_host_that_fails_over_what_is_to_be_left_out_is_asked_for_all_of_it() {
    let scene = Scene::new();
    scene.git(&["config", "uploadpack.allowFilter", "true"]);
    scene.commit("deploy", &[("deploy/api.yaml", &manifest("api"))]);
    let backend = Backend::of(&scene).await;
    let mut settings = scene.settings_for(&backend.url().replace("/remote", "/choking"));
    settings.path = Some(beneath("deploy"));
    scene.watch_git();
    let source = scene.source(settings);
    assert_eq!(shown(&source.fetch(None, None).await), "deploy/api.yaml");
    assert_eq!(scene.calls().matches("fetch").count(), 2);
    let tip = scene.commit("second", &[("deploy/api.yaml", &manifest("shop"))]);
    let known = source.fetch(None, None).await.unwrap().commit.id;
    assert_eq!(known, tip);
    assert_eq!(scene.calls().matches("fetch").count(), 1, "it is not asked to filter again");
}
