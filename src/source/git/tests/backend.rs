//! The repository over HTTP, as git's own `http-backend` serves it, with every byte counted and as
//! slow a line as a test wants.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::scene::Scene;

/// A server on a free port; it ends with the test's runtime.
pub struct Backend {
    port: u16,
    sent: Arc<AtomicU64>,
}

/// How it serves.
#[derive(Clone)]
struct Serving {
    root: PathBuf,
    sent: Arc<AtomicU64>,
    /// How many bytes a second.
    speed: u64,
    /// Whether it knows the newest protocol.
    is_new: bool,
}

impl Backend {
    /// Serves the scene's repository as `/remote`, as fast as it can.
    pub async fn of(scene: &Scene) -> Self {
        Self::slow(scene, u64::MAX).await
    }

    /// Serves it by the first protocol alone.
    pub async fn old(scene: &Scene) -> Self {
        Self::begin(scene, u64::MAX, false).await
    }

    /// Serves it with so many bytes a second.
    pub async fn slow(scene: &Scene, speed: u64) -> Self {
        Self::begin(scene, speed, true).await
    }

    async fn begin(scene: &Scene, speed: u64, is_new: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(AtomicU64::new(0));
        let serving = Serving { root: scene.path(""), sent: Arc::clone(&sent), speed, is_new };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, serving.clone()));
            }
        });
        Self { port, sent }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/remote", self.port)
    }

    /// Returns the bytes of git's conversation it has sent since it was asked last; what HTTP writes
    /// around them depends on the server.
    pub fn sent(&self) -> u64 {
        self.sent.swap(0, Ordering::SeqCst)
    }
}

async fn refuse(stream: &mut TcpStream, status: &str) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    // Whoever asked may have gone.
    let _ = stream.write_all(head.as_bytes()).await;
}

async fn serve(mut stream: TcpStream, serving: Serving) {
    let Some((head, body)) = request(&mut stream).await else { return };
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    };
    if let Some(rest) = target.strip_prefix("/moved") {
        let place = format!("http://{}/remote{rest}", header("host"));
        return refuse(&mut stream, &format!("301 Moved Permanently\r\nLocation: {place}")).await;
    }
    // As dulwich 1.2.21 does: it takes either and not both.
    let has = |word: &str| String::from_utf8_lossy(&body).contains(word);
    if path.starts_with("/choking") && has("deepen") && has("filter ") {
        return refuse(&mut stream, "500 Internal Server Error").await;
    }
    let path = &path.replacen("/choking", "/remote", 1);
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &serving.root)
        .envs([("GIT_HTTP_EXPORT_ALL", "1"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GATEWAY_INTERFACE", "CGI/1.1")])
        .envs([("REQUEST_METHOD", method), ("PATH_INFO", path), ("QUERY_STRING", query)])
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", if serving.is_new { header("git-protocol") } else { "" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = tokio::spawn(async move {
        // It may have refused the request without reading it.
        let _ = stdin.write_all(&body).await;
    });
    let mut stdout = child.stdout.take().unwrap();
    let mut answer = Vec::new();
    let end = loop {
        if let Some(end) = answer.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        if stdout.read_buf(&mut answer).await.unwrap() == 0 {
            return;
        }
    };
    feed.await.unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let first = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n\r\n");
    if stream.write_all(first.as_bytes()).await.is_err() {
        return;
    }
    let mut pending = answer.split_off(end + 4);
    loop {
        if !send(&mut stream, &pending, &serving).await {
            return;
        }
        pending.clear();
        pending.reserve(64_000);
        if stdout.read_buf(&mut pending).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// Sends as fast as the line is; returns whether anybody is there.
async fn send(stream: &mut TcpStream, bytes: &[u8], serving: &Serving) -> bool {
    let step = usize::try_from(serving.speed / 10).unwrap();
    for part in bytes.chunks(step) {
        if stream.write_all(part).await.is_err() {
            return false;
        }
        serving.sent.fetch_add(part.len() as u64, Ordering::SeqCst);
        if serving.speed != u64::MAX {
            let seconds = part.len() as f64 / serving.speed as f64;
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
    }
    true
}

/// Reads a request's head and body, of a known length or in chunks.
async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut body = bytes[end..].to_vec();
    let lower = head.to_ascii_lowercase();
    assert!(!lower.contains("transfer-encoding"), "git sends a request this small in one piece");
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}
