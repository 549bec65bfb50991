//! What a look costs on the wire: the real `http-backend` over loopback, its bytes counted.

use std::fs;
use std::process::Command;

use super::backend::Backend;
use super::room::noise;
use super::scene::{Scene, beneath, manifest, shown};
use crate::source::git::{GitSettings, GitSource};

/// A repository with large files beside its manifests, on a host that can leave files out.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.git(&["config", "uploadpack.allowFilter", "true"]);
    let noise = noise(4_000_000);
    for number in 0..40 {
        let asset = &noise[number * 100_000..][..100_000];
        scene.commit("assets", &[("assets/image.bin", asset), ("deploy/web.yaml", "a: 1\n")]);
    }
    scene
}

fn settings(scene: &Scene, backend: &Backend) -> GitSettings {
    let mut settings = scene.settings_for(&backend.url());
    settings.path = beneath("deploy");
    settings
}

/// What git itself is sent for the newest commit alone and the one file in it that changed, by one who
/// has the last.
async fn filtered_fetch(scene: &Scene, backend: &Backend, change: impl FnOnce()) -> u64 {
    let run = |words: Vec<String>| {
        let mut git = Command::new("git");
        git.args(words).envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
        async move {
            let output = tokio::task::spawn_blocking(move || git.output().unwrap()).await.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    };
    let copy = scene.path("measure.git").display().to_string();
    let words = ["clone", "--quiet", "--bare", "--depth=1", "--filter=blob:none"];
    let words = words.map(str::to_owned).into_iter();
    run(words.chain([backend.url(), copy.clone()]).collect()).await;
    change();
    backend.sent();
    let words = ["--git-dir", &copy, "fetch", "--quiet", "--depth=1", "origin", "main"];
    run(words.map(str::to_owned).to_vec()).await;
    let words = ["--git-dir", &copy, "cat-file", "-p", "FETCH_HEAD:deploy/web.yaml"];
    run(words.map(str::to_owned).to_vec()).await;
    backend.sent()
}

#[tokio::test]
async fn one_changed_file_costs_no_more_than_twice_a_filtered_fetch_of_its_commit() {
    let scene = scene();
    let backend = Backend::of(&scene).await;
    let source = scene.source(settings(&scene, &backend));
    let known = source.fetch(None, None).await.unwrap().commit.id;
    let first = backend.sent();
    let change = || drop(scene.commit("next", &[("deploy/web.yaml", "a: 2\n")]));
    let ideal = filtered_fetch(&scene, &backend, change).await;
    let fetched = source.fetch(Some(&known), None).await.unwrap();
    let cost = backend.sent();
    println!("first look {first} bytes; one changed file {cost}, a filtered fetch of it {ideal}");
    assert_eq!(fetched.tree.files()[0].bytes, b"a: 2\n");
    assert!(cost <= 2 * ideal, "{cost} bytes for what takes {ideal}");
    // Nothing of the large files, of which forty versions lie there.
    assert!(first < 20_000, "{first}");
}

#[tokio::test]
async fn a_force_push_is_judged_by_its_commits_and_not_by_their_files() {
    let scene = scene();
    let backend = Backend::of(&scene).await;
    let source = scene.source(settings(&scene, &backend));
    let known = source.fetch(None, None).await.unwrap().commit.id;
    scene.git(&["commit", "--quiet", "--amend", "--no-gpg-sign", "-m", "other"]);
    backend.sent();
    source.fetch(Some(&known), None).await.unwrap_err();
    let cost = backend.sent();
    println!("a force-push over 40 commits {cost} bytes");
    assert!(cost < 40_000, "{cost}");
    // The next one is told from what is here.
    scene.commit("on top", &[("deploy/web.yaml", "a: 3\n")]);
    source.fetch(Some(&known), None).await.unwrap_err();
    let next = backend.sent();
    println!("and one more commit {next} bytes");
    assert!(next < 5_000, "{next}");
}

#[tokio::test]
async fn a_look_at_fifty_thousand_files_that_did_not_change_costs_less_than_400_bytes() {
    let scene = Scene::new();
    scene.git(&["config", "uploadpack.allowFilter", "true"]);
    let files = (0..50_000).map(|number| format!("M 100644 :1 src/{}/{number}\n", number / 100));
    let stream = format!(
        "blob\nmark :1\ndata 1\nx\ncommit refs/heads/main\ncommitter Ada <ada@acme.test> 1700000000 \
         +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100644 :1 deploy/web.yaml\n{}",
        files.collect::<String>()
    );
    scene.git_with(&["fast-import", "--quiet"], stream.as_bytes());
    let backend = Backend::of(&scene).await;
    let source = scene.source(settings(&scene, &backend));
    let known = source.fetch(None, None).await.unwrap().commit.id;
    let first = backend.sent();
    assert!(source.fetch(Some(&known), None).await.unwrap().is_unchanged);
    let cost = backend.sent();
    println!("50,000 files: first look {first} bytes, unchanged {cost}");
    assert!(cost < 400, "{cost}");
}

#[tokio::test]
async fn a_branch_that_went_ahead_by_thousands_of_commits_is_no_rewrite() {
    let scene = scene();
    let backend = Backend::of(&scene).await;
    let source = scene.source(settings(&scene, &backend));
    let known = source.fetch(None, None).await.unwrap().commit.id;
    scene.go_ahead(20_000);
    backend.sent();
    let fetched = source.fetch(Some(&known), None).await.unwrap();
    let cost = backend.sent();
    println!("20,000 commits ahead: {cost} bytes");
    assert_eq!(fetched.commit.id, scene.head());
    assert!(cost / 20_000 < 300, "{cost}");
}

/// Looks, and compares with a directory that was checked out.
async fn is_whole(source: &GitSource, scene: &Scene, what: &str) {
    let fetched = source.fetch(None, None).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let there = crate::source::load(&[scene.remote().join("deploy")], None).unwrap();
    assert_eq!(fetched.tree.digest(), there.digest(), "{what}");
}

/// Moves files and time in every way in which a part of them may be missing.
async fn look_at_everything(scene: &Scene, source: &GitSource) {
    is_whole(source, scene, "the first look").await;
    let first = scene.head();
    scene.commit("beside", &[("other/api.yaml", &manifest("api")), ("other/big", "x")]);
    is_whole(source, scene, "a change beside the path").await;
    scene.git(&["mv", "other/api.yaml", "deploy/api.yaml"]);
    let moved = scene.commit("move", &[]);
    is_whole(source, scene, "a file moved into the path").await;
    for number in 0..9 {
        scene.commit("on", &[("deploy/sub/c.yaml", &format!("c: {number}\n"))]);
    }
    source.fetch(Some(&moved), None).await.unwrap();
    let on_the_way = scene.git(&["rev-parse", "HEAD~4"]);
    scene.git(&["revert", "--no-edit", "--no-gpg-sign", "HEAD", "HEAD~1", "HEAD~2"]);
    is_whole(source, scene, "back to files that only history had").await;
    for name in [&on_the_way, &on_the_way[..8], first.as_str()] {
        let pinned = source.fetch(None, Some(name)).await.unwrap();
        assert!(shown(&Ok(pinned)).contains("deploy/web.yaml"));
    }
    fs::remove_dir_all(scene.remote().join("deploy/sub")).unwrap();
    scene.commit("less", &[]);
    is_whole(source, scene, "a directory that has gone").await;
}

#[tokio::test]
async fn what_was_left_out_is_brought_when_it_is_needed() {
    let scene = scene();
    let backend = Backend::of(&scene).await;
    look_at_everything(&scene, &scene.source(settings(&scene, &backend))).await;
    let mut one_file = settings(&scene, &backend);
    one_file.path = beneath("deploy/web.yaml");
    let source = GitSource::new(one_file, scene.path("one"));
    assert_eq!(shown(&source.fetch(None, None).await), "deploy/web.yaml");
}

#[tokio::test]
async fn a_host_that_leaves_files_out_and_does_not_hand_them_out_is_asked_for_everything() {
    let scene = scene();
    // Of the old protocol: only what a name points at can be asked for.
    let backend = Backend::old(&scene).await;
    let source = scene.source(settings(&scene, &backend));
    is_whole(&source, &scene, "the first look").await;
    scene.commit("next", &[("deploy/web.yaml", "a: 2\n")]);
    is_whole(&source, &scene, "the next").await;
}

#[tokio::test]
async fn a_host_that_leaves_nothing_out_is_read_all_the_same() {
    let scene = scene();
    scene.git(&["config", "uploadpack.allowFilter", "false"]);
    let backend = Backend::of(&scene).await;
    look_at_everything(&scene, &scene.source(settings(&scene, &backend))).await;
}
