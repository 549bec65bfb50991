//! A token goes to its origin and is seen nowhere else (S9).

use std::fs;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::scene::Scene;
use crate::source::git::{GitError, GitSettings};

const TOKEN: &str = "CANARY-t0ken";

/// The token as HTTP Basic carries it: `x-access-token:CANARY-t0ken`.
const ENCODED: &str = "eC1hY2Nlc3MtdG9rZW46Q0FOQVJZLXQwa2Vu";

fn with_token(scene: &Scene, url: &str) -> GitSettings {
    let variables = [("STACKBLAZE_TOKEN", "CANARY-api"), ("no_proxy", "CANARY.test")];
    let settings = scene.settings_in(url, &variables);
    settings.token.set(SecretString::from(TOKEN));
    settings
}

/// Answers every request with one text and keeps what was asked.
pub async fn serve(answer: String) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(String::new()));
    let ears = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                request.push(byte);
            }
            ears.lock().unwrap().push_str(&String::from_utf8_lossy(&request));
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, heard)
}

pub fn answer(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn the_token_signs_in_at_its_origin_and_a_refusal_does_not_repeat_it() {
    let scene = Scene::new();
    let headers = "WWW-Authenticate: Basic realm=\"CANARY-t0ken\"\r\n";
    let (port, heard) = serve(answer("401 Unauthorized", headers)).await;
    let settings = with_token(&scene, &format!("http://127.0.0.1:{port}/acme/shop.git"));
    assert!(!format!("{settings:?}").contains("CANARY"));
    let source = scene.source(settings);
    let error = source.fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::Denied { .. }), "{error}");
    assert!(heard.lock().unwrap().contains(ENCODED), "{}", heard.lock().unwrap());
    for text in [format!("{error} {error:?}"), format!("{source:?}")] {
        assert!(!text.contains("CANARY") && !text.contains(ENCODED), "{text}");
    }
}

#[tokio::test]
async fn a_login_in_the_url_signs_in_and_is_shown_nowhere() {
    let scene = Scene::new();
    let (port, heard) = serve(answer("404 Not Found", "")).await;
    // `bot:CANARY-pass` and `CANARY:` in Base64.
    for (login, encoded) in
        [("bot:CANARY%2Dpass", "Ym90OkNBTkFSWS1wYXNz"), ("CANARY", "Q0FOQVJZOg==")]
    {
        let url = format!("http://{login}@127.0.0.1:{port}/acme/shop.git");
        let source = scene.source(scene.settings_for(&url));
        let error = source.fetch(None, None).await.unwrap_err();
        assert!(matches!(error, GitError::NoRepository { .. }), "{error}");
        assert!(heard.lock().unwrap().contains(&format!("Basic {encoded}")));
        let text = format!("{error} {error:?} {source:?}");
        assert!(!text.contains("CANARY") && !text.contains(encoded), "{text}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let scene = Scene::new();
    let (other, heard) = serve(answer("404 Not Found", "")).await;
    let location = format!("Location: http://127.0.0.1:{other}/acme/shop.git/info/refs\r\n");
    let (port, _) = serve(answer("302 Found", &location)).await;
    let settings = with_token(&scene, &format!("http://127.0.0.1:{port}/acme/shop.git"));
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoRepository { .. }), "{error}");
    let target = format!("it redirects to http://127.0.0.1:{other}/acme/shop.git");
    assert!(error.to_string().contains(&target), "{error}");
    assert_eq!(*heard.lock().unwrap(), "");
}

#[tokio::test]
async fn a_host_that_is_down_or_ill_is_a_passing_error() {
    let scene = Scene::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    let (ill, _) = serve(answer("503 Service Unavailable", "")).await;
    for port in [closed, ill] {
        let settings = scene.settings_for(&format!("http://127.0.0.1:{port}/a.git"));
        let error = scene.source(settings).fetch(None, None).await.unwrap_err();
        assert!(matches!(error, GitError::Unreachable { .. }) && error.is_passing(), "{error}");
    }
}

#[tokio::test]
async fn no_secret_stands_in_arguments_and_only_calls_to_the_origin_know_the_token() {
    let scene = Scene::new();
    let log = scene.path("log");
    let remote = scene.remote().display().to_string();
    // It does what is asked of another repository, so that every kind of call is made.
    scene.wrap_git(&format!(
        "{{ echo \"arguments $*\"; env | sed \"s/^/$1 /\"; }} >> '{}'\n\
         GIT_ALLOW_PROTOCOL=file exec \"$GIT\" -c url.'{remote}'.insteadOf=https://host.test/acme/shop.git \
         \"$@\"",
        log.display()
    ));
    let settings = with_token(&scene, "https://bot@host.test/acme/shop.git");
    let source = scene.source(settings);
    let first = source.fetch(None, None).await.unwrap();
    scene.commit("second", &[]);
    source.fetch(Some(&first.commit.id), None).await.unwrap();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.lines().count() > 100, "nothing was written down");
    // bot:CANARY-t0ken
    let encoded = "Ym90OkNBTkFSWS10MGtlbg==";
    let knowing: Vec<&str> = log.lines().filter(|line| line.contains(encoded)).collect();
    assert!(!knowing.is_empty());
    for line in knowing {
        assert!(
            line.starts_with("ls-remote GIT_CONFIG_VALUE_")
                || line.starts_with("fetch GIT_CONFIG_VALUE_"),
            "{line}"
        );
    }
    // What the settings pass on is there; the token in clear and the API's are not.
    let log = log.replace("no_proxy=CANARY.test", "");
    assert!(!log.contains("CANARY"), "a secret in clear");
    assert!(log.contains("fetch GIT_ALLOW_PROTOCOL=https"));
    assert!(log.contains("ls-tree GIT_ALLOW_PROTOCOL=none"));
    let keys = log.lines().filter(|line| line.ends_with("=http.https://host.test/.extraHeader"));
    assert!(keys.count() >= 2);
}

#[tokio::test]
async fn what_git_says_is_cleaned_before_anyone_sees_it() {
    let scene = Scene::new();
    scene.wrap_git(&format!(
        "case $1 in ls-remote) echo \"fatal: https://bot:{TOKEN}@host.test/ {TOKEN} {ENCODED} \
         http://u:CANARY@proxy.test:3128\" >&2; exit 128 ;; *) exec \"$GIT\" \"$@\" ;; esac"
    ));
    let source = scene.source(with_token(&scene, "https://host.test/acme/shop.git"));
    let error = source.fetch(None, None).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("https://host.test/ (secret) http://proxy.test:3128"), "{text}");
    assert!(!text.contains("CANARY") && !text.contains(ENCODED), "{text}");
}

#[tokio::test]
async fn ssh_is_called_without_questions_and_with_what_the_settings_name() {
    let scene = Scene::new();
    let log = scene.path("log");
    scene.wrap_git(&format!("env >> '{}'\nexec \"$GIT\" \"$@\"", log.display()));
    let askpass = [("SSH_ASKPASS", "/bin/askpass"), ("GIT_ASKPASS", "/bin/askpass")];
    let mut settings = scene.settings_in("ssh://git@127.0.0.1:1/a.git", &askpass);
    settings.ssh_key = Some("/keys/it's mine".into());
    settings.known_hosts = Some("/keys/known hosts".into());
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(!matches!(error, GitError::Wrong(_)), "{error}");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("BatchMode=yes") && log.contains("StrictHostKeyChecking=yes"));
    assert!(log.contains(r"-i '/keys/it'\''s mine'"));
    assert!(log.contains(r#"'-oUserKnownHostsFile="/keys/known hosts"'"#));
    assert!(log.contains("GIT_TERMINAL_PROMPT=0") && !log.contains("ASKPASS"));
}

#[tokio::test]
async fn a_named_authority_is_trusted_beside_those_of_the_system() {
    let scene = Scene::new();
    let log = scene.path("log");
    scene.wrap_git(&format!("env >> '{}'\nexec \"$GIT\" \"$@\"", log.display()));
    let certificate =
        |name: &str| format!("-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n");
    fs::write(scene.path("systems.pem"), certificate("system")).unwrap();
    fs::write(scene.path("own.pem"), certificate("own")).unwrap();
    let systems = scene.path("systems.pem").display().to_string();
    for variable in ["GIT_SSL_CAINFO", "SSL_CERT_FILE"] {
        let variables = [(variable, systems.as_str())];
        let mut settings = scene.settings_in("https://127.0.0.1:1/a.git", &variables);
        settings.certificate_authority = Some(scene.path("own.pem"));
        let error = scene.source(settings).fetch(None, None).await.unwrap_err();
        assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
        let joined = scene.path("state/git/authorities.pem");
        let text = fs::read_to_string(&joined).unwrap();
        assert_eq!(text, format!("{}\n{}", certificate("system"), certificate("own")));
        let log = fs::read_to_string(&log).unwrap();
        assert!(log.contains("=http.sslCAInfo") && log.contains(joined.to_str().unwrap()));
        // It would win over what git is told.
        assert!(!log.contains("GIT_SSL_CAINFO"), "{log}");
    }
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_named_and_the_copy_needs_none() {
    let scene = Scene::new();
    let first = scene.source(scene.settings()).fetch(None, None).await.unwrap();
    let own = scene.path("own.pem");
    let mut settings = scene.settings();
    settings.certificate_authority = Some(own.clone());
    let source = scene.source(settings);
    let error = source.fetch(None, None).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("read the certificates in `{}`", own.display())), "{error}");
    fs::write(&own, "no certificate").unwrap();
    let error = source.fetch(None, None).await.unwrap_err().to_string();
    assert!(error.contains("no certificate in PEM form"), "{error}");
    source.fetch(None, Some(first.commit.id.as_str())).await.unwrap();
}

#[tokio::test]
async fn a_machine_without_git_is_told_so() {
    let scene = Scene::new();
    let nowhere = scene.path("bin").to_str().unwrap().to_owned();
    let settings = scene.settings_in(scene.remote().to_str().unwrap(), &[("PATH", &nowhere)]);
    let error = scene.source(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, GitError::NoProgram { .. }), "{error}");
    assert!(error.hints()[0].contains("install git"));
}

#[tokio::test]
async fn a_repository_on_this_machine_is_read_without_a_proxy() {
    let scene = Scene::new();
    let (proxy, heard_by_proxy) = serve(answer("403 Forbidden", "")).await;
    let (port, heard) = serve(answer("404 Not Found", "")).await;
    let proxy = format!("http://127.0.0.1:{proxy}");
    for host in ["127.0.0.1", "localhost"] {
        for variable in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            let url = format!("http://{host}:{port}/acme/shop.git");
            let settings = scene.settings_in(&url, &[(variable, &proxy)]);
            settings.token.set(SecretString::from(TOKEN));
            let error = scene.source(settings).fetch(None, None).await.unwrap_err();
            assert!(matches!(error, GitError::NoRepository { .. }), "{variable}: {error}");
            assert_eq!(*heard_by_proxy.lock().unwrap(), "", "{variable}");
        }
    }
    assert!(heard.lock().unwrap().contains(ENCODED));
}
