//! Slow lines, small disks, and what a git that was ended leaves behind.

use std::fs;
use std::time::Duration;

use super::backend::Backend;
use super::scene::{Scene, is_there, manifest, shown};
use crate::source::git::{GitError, bury};

/// Bytes that nothing makes shorter.
pub fn noise(length: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).unwrap())
    };
    (0..length).map(&mut letter).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_as_slow_as_it_likes_as_long_as_something_comes() {
    let scene = Scene::new();
    scene.commit("large", &[("image.bin", &noise(300_000))]);
    let backend = Backend::slow(&scene, 40_000).await;
    let mut settings = scene.settings_for(&backend.url());
    // Git hands on what comes in pieces of 64 kB.
    let silence = Duration::from_secs(4);
    settings.silence = silence;
    let begun = tokio::time::Instant::now();
    let fetched = scene.source(settings).fetch(None, None).await;
    assert_eq!(shown(&fetched), "web.yaml");
    assert!(begun.elapsed() > silence + silence / 2, "the line was not slow");
}

#[tokio::test]
async fn what_was_begun_and_not_finished_is_swept_away_also_when_the_fetch_fails() {
    let scene = Scene::new();
    let source = scene.source(scene.settings());
    source.fetch(None, None).await.unwrap();
    let copy = scene.path("state/git/repository.git");
    let leftovers = ["objects/pack/tmp_pack_a1b2c3", "objects/pack/.tmp-7-pack-x.pack"];
    let leave = || {
        for leftover in leftovers {
            fs::create_dir_all(copy.join(leftover).parent().unwrap()).unwrap();
            fs::write(copy.join(leftover), "half").unwrap();
        }
    };
    let none_left = || leftovers.iter().all(|leftover| !is_there(&copy.join(leftover)));
    leave();
    scene.commit("next", &[]);
    source.fetch(None, None).await.unwrap();
    assert!(none_left(), "what was left by one that was killed is still there");
    // This one leaves something itself.
    let pack = copy.join(leftovers[0]);
    scene.wrap_git(&format!(
        "case $1 in fetch) echo half > '{}'; exit 128 ;; *) exec \"$GIT\" \"$@\" ;; esac",
        pack.display()
    ));
    scene.commit("further", &[]);
    assert!(source.fetch(None, None).await.is_err());
    assert!(none_left(), "the disk fills up until the next look");
}

#[tokio::test]
async fn a_copy_larger_than_it_may_be_is_refused_and_the_last_good_commit_stays() {
    let scene = Scene::new();
    let backend = Backend::slow(&scene, 400_000).await;
    let mut settings = scene.settings_for(&backend.url());
    settings.copy_bytes_max = 100_000;
    let source = scene.source(settings);
    let good = source.fetch(None, None).await.unwrap().commit.id;
    scene.commit("large", &[("image.bin", &noise(900_000))]);
    backend.sent();
    let error = source.fetch(Some(&good), None).await.unwrap_err();
    assert!(matches!(error, GitError::TooLarge { limit: 100_000 }), "{error}");
    assert!(error.hints()[0].contains("--git-cache-max"), "{:?}", error.hints());
    assert!(backend.sent() < 800_000, "all of it was fetched before it was measured");
    assert_eq!(source.fetch(None, Some(good.as_str())).await.unwrap().commit.id, good);
    // What follows fits again.
    fs::remove_file(scene.remote().join("image.bin")).unwrap();
    scene.git(&["reset", "--quiet", "--hard", good.as_str()]);
    let next = scene.commit("small", &[("api.yaml", &manifest("api"))]);
    assert_eq!(source.fetch(Some(&good), None).await.unwrap().commit.id, next);
}

#[tokio::test]
async fn a_copy_that_has_grown_by_what_came_before_is_made_anew() {
    let scene = Scene::new();
    let mut settings = scene.settings();
    settings.copy_bytes_max = 400_000;
    let source = scene.source(settings);
    let mut known = source.fetch(None, None).await.unwrap().commit.id;
    let noise = noise(900_000);
    for part in 0..9 {
        let part = &noise[part * 100_000..][..100_000];
        scene.commit("large", &[("image.bin", part)]);
        known = source.fetch(Some(&known), None).await.unwrap().commit.id;
    }
    assert_eq!(known, scene.head());
}

#[tokio::test]
async fn a_repository_that_is_too_large_from_the_beginning_is_fetched_once_and_called_that() {
    let scene = Scene::new();
    scene.commit("large", &[("image.bin", &noise(900_000))]);
    scene.watch_git();
    let mut settings = scene.settings();
    settings.copy_bytes_max = 400_000;
    let source = scene.source(settings);
    // At the second look it is here and no smaller, unless git was ended before all of it had come.
    for _ in 0..2 {
        let error = source.fetch(None, None).await.unwrap_err();
        assert!(matches!(error, GitError::TooLarge { limit: 400_000 }), "{error}");
        assert!(scene.calls().matches("fetch").count() <= 1);
    }
    // What follows is another matter.
    scene.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let small = scene.commit("small", &[]);
    assert_eq!(source.fetch(None, None).await.unwrap().commit.id, small);
}

#[tokio::test]
async fn the_last_of_a_disk_is_the_states() {
    let scene = Scene::new();
    let mut settings = scene.settings();
    settings.free_bytes_min = u64::MAX;
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoRoom { .. }), "{error}");
    assert!(error.hints()[0].contains("--git-cache"), "{:?}", error.hints());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn children_whose_git_was_ended_are_buried_by_process_one() {
    // In a container this program is process 1; here it takes in orphans as that one does.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let scene = Scene::new();
    let note = scene.path("child");
    scene.wrap_git(&format!(
        "case $1 in ls-remote) sleep 600 & echo $! > '{}'; wait ;; *) exec \"$GIT\" \"$@\" ;; esac",
        note.display()
    ));
    let mut settings = scene.settings();
    settings.silence = Duration::from_secs(1);
    assert!(scene.source(settings).fetch(None, None).await.is_err());
    let orphan = format!("/proc/{}", fs::read_to_string(note).unwrap().trim());
    let buried = async {
        while is_there(std::path::Path::new(&orphan)) {
            bury();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), buried).await.expect("a zombie stays");
}
