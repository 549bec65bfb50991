//! Commits that must be signed.

use std::fs;
use std::process::Command;

use super::scene::{Scene, shell, shown};
use crate::source::git::{CommitId, GitError, GitSettings, Signature, Verification};

/// A repository, and the keys of two people, of whom only Ada may sign.
struct Signed {
    scene: Scene,
    settings: GitSettings,
}

impl Signed {
    fn new() -> Self {
        let scene = Scene::new();
        let mut settings = scene.settings();
        let allowed_signers = scene.path("allowed");
        fs::write(&allowed_signers, "").unwrap();
        settings.verification = Some(Verification::Ssh { allowed_signers });
        Self { scene, settings }
    }

    /// Makes a key, unless this machine has no program for that; then it says so.
    fn make_key(&self, name: &str) -> bool {
        if shell("command -v ssh-keygen").is_empty() {
            eprintln!("ssh-keygen is missing: only the refusal of unsigned commits was checked");
            return false;
        }
        let outcome = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
            .arg(self.scene.path(name))
            .output()
            .unwrap();
        assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stderr));
        true
    }

    fn allow(&self, name: &str) {
        let key = fs::read_to_string(self.scene.path(&format!("{name}.pub"))).unwrap();
        fs::write(self.scene.path("allowed"), format!("{name}@acme.test {key}")).unwrap();
    }

    fn commit_as(&self, name: &str) -> CommitId {
        let key = format!("user.signingkey={}", self.scene.path(name).display());
        self.scene.git(&[
            "-c",
            "gpg.format=ssh",
            "-c",
            &key,
            "commit",
            "--quiet",
            "--allow-empty",
            "-S",
            "-m",
            name,
        ]);
        self.scene.head()
    }
}

#[tokio::test]
async fn a_commit_without_a_signature_is_refused_and_the_good_one_stays() {
    let signed = Signed::new();
    let source = signed.scene.source(signed.settings.clone());
    let error = source.fetch(None, None).await.unwrap_err();
    let GitError::Unsigned { commit, said } = &error else { panic!("{error}") };
    assert_eq!(*commit, signed.scene.head());
    assert!(!said.is_empty() && !error.is_passing());

    if !signed.make_key("ada") {
        return;
    }
    signed.allow("ada");
    let good = signed.commit_as("ada");
    let fetched = source.fetch(None, None).await.unwrap();
    assert_eq!(fetched.commit.id, good);
    assert_eq!(fetched.commit.signature, Signature::Verified { by: "ada@acme.test".to_owned() });

    let unsigned = signed.scene.commit("unsigned", &[]);
    let error = source.fetch(Some(&good), None).await.unwrap_err();
    assert!(matches!(error, GitError::Unsigned { commit, .. } if commit == unsigned));
    let error = source.fetch(Some(&good), Some(unsigned.as_str())).await.unwrap_err();
    assert!(matches!(error, GitError::Unsigned { .. }), "{error}");
    let kept = source.fetch(Some(&good), Some(good.as_str())).await.unwrap();
    assert!(kept.is_unchanged);

    let next = signed.commit_as("ada");
    assert_eq!(source.fetch(Some(&good), None).await.unwrap().commit.id, next);
}

#[tokio::test]
async fn a_signature_by_somebody_else_is_refused() {
    let signed = Signed::new();
    if !signed.make_key("ada") {
        return;
    }
    assert!(signed.make_key("eve"));
    signed.allow("ada");
    signed.commit_as("eve");
    let outcome = signed.scene.source(signed.settings.clone()).fetch(None, None).await;
    assert!(matches!(outcome, Err(GitError::Unsigned { .. })), "{}", shown(&outcome));
}

#[tokio::test]
async fn a_signature_of_the_kind_that_is_not_asked_for_is_refused() {
    let signed = Signed::new();
    if !signed.make_key("ada") {
        return;
    }
    signed.allow("ada");
    signed.commit_as("ada");
    let mut settings = signed.settings.clone();
    let home = signed.scene.path("keys");
    fs::create_dir_all(&home).unwrap();
    settings.verification = Some(Verification::OpenPgp { home });
    let outcome = signed.scene.source(settings).fetch(None, None).await;
    assert!(matches!(outcome, Err(GitError::Unsigned { .. })), "{}", shown(&outcome));
}

#[tokio::test]
async fn a_list_of_signers_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let signed = Signed::new();
    fs::remove_file(signed.scene.path("allowed")).unwrap();
    let error = signed.scene.source(signed.settings.clone()).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::Disk { .. }), "{error}");
}

#[tokio::test]
async fn where_both_kinds_may_sign_each_counts_and_nobody_else() {
    let signed = Signed::new();
    if !signed.make_key("ada") {
        return;
    }
    assert!(signed.make_key("eve"));
    signed.allow("ada");
    let home = signed.scene.path("keys");
    fs::create_dir_all(&home).unwrap();
    let mut settings = signed.settings.clone();
    let allowed_signers = signed.scene.path("allowed");
    settings.verification = Some(Verification::Either { allowed_signers, home: home.clone() });
    let source = signed.scene.source(settings);
    let good = signed.commit_as("ada");
    assert_eq!(source.fetch(None, None).await.unwrap().commit.id, good);
    signed.commit_as("eve");
    assert!(matches!(source.fetch(None, None).await, Err(GitError::Unsigned { .. })));
    if shell("command -v gpg").is_empty() {
        eprintln!("gpg is missing: only the SSH half of both kinds was tried");
        return;
    }
    let gpg = format!(
        "export GNUPGHOME='{}'; chmod 700 \"$GNUPGHOME\"; gpg --batch --quiet --passphrase '' \
         --quick-generate-key grace@acme.test ed25519 sign never 2>&1",
        home.display()
    );
    shell(&gpg);
    signed.scene.wrap_gpg(&home);
    let program = format!("gpg.program={}", signed.scene.path("bin/gpg-with-home").display());
    let words = ["-c", &program, "-c", "user.signingkey=grace@acme.test", "commit", "--quiet"];
    let rest = ["--allow-empty", "-S", "-m", "by OpenPGP"];
    signed.scene.git(&words.into_iter().chain(rest).collect::<Vec<_>>());
    let by_key = signed.scene.head();
    assert_eq!(source.fetch(None, None).await.unwrap().commit.id, by_key);
    shell(&format!("GNUPGHOME='{}' gpgconf --kill all", home.display()));
}

/// Git writes the signature of a SHA-256 commit under another name.
#[tokio::test]
async fn where_both_kinds_may_sign_a_commit_of_sha256_counts_by_its_own_header() {
    let signed = Signed::new();
    if !signed.make_key("ada") {
        return;
    }
    signed.allow("ada");
    fs::remove_dir_all(signed.scene.remote()).unwrap();
    fs::create_dir_all(signed.scene.remote()).unwrap();
    signed.scene.git(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    let good = signed.commit_as("ada");
    let home = signed.scene.path("keys");
    fs::create_dir_all(&home).unwrap();
    let mut settings = signed.settings.clone();
    let allowed_signers = signed.scene.path("allowed");
    settings.verification = Some(Verification::Either { allowed_signers, home });
    let fetched = signed.scene.source(settings).fetch(None, None).await.unwrap();
    assert_eq!(fetched.commit.id, good);
    assert_eq!(fetched.commit.signature, Signature::Verified { by: "ada@acme.test".to_owned() });
}
