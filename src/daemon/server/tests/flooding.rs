//! What strangers can make the server write into the log, and whom they can keep out over a socket.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

use super::super::refusals::{RefusalKind, Refusals};
use super::super::shared::ShutdownSignal;
use super::super::{Server, ServerSettings};
use super::stage::{START, Stage, ask, request};
use crate::clock::Clock;
use crate::model::Name;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = tracing_subscriber::fmt().with_writer(self.clone()).with_ansi(false);
        tracing::subscriber::set_default(log.without_time().with_target(false).finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_wrongly_signed_webhooks_is_one_line_and_then_one_a_minute_with_their_number() {
    let log = Log::default();
    let _listening = log.listen();
    let stage = Stage::new(&["shop"]);
    let digits = format!("sha256={}", "0".repeat(64));
    let forged = || async {
        let headers = [("host", "stoker.acme.dev"), ("x-hub-signature-256", digits.as_str())];
        let request = request(Method::POST, "/webhook", &headers, Body::from("{}"));
        assert_eq!(ask(&stage.public, request).await.status, StatusCode::UNAUTHORIZED);
    };
    for _ in 0..5_000 {
        forged().await;
    }
    let one = " WARN webhook refused: its signature does not match project=\"shop\"\n";
    assert_eq!(log.text(), one);
    tokio::time::sleep(Duration::from_secs(61)).await;
    forged().await;
    let more = one.replace("\n", " held_back=4999\n");
    assert_eq!(log.text(), format!("{one}{more}"));
}

#[tokio::test(start_paused = true)]
async fn what_was_held_back_is_told_also_when_no_more_comes_and_at_the_end() {
    let log = Log::default();
    let _listening = log.listen();
    let refusals = Refusals::new(Clock::starting_at(START.parse().unwrap()));
    let (open, closing) = ShutdownSignal::new();
    let telling = tokio::spawn(refusals.clone().keep_telling(closing));
    let shop = Name::new("shop").unwrap();
    for _ in 0..3 {
        refusals.note(RefusalKind::Webhook, Some(&shop), "why");
        refusals.note(RefusalKind::Request, None, "a defect");
    }
    assert_eq!(log.text().lines().count(), 2, "each kind by itself: {}", log.text());
    tokio::time::sleep(Duration::from_secs(121)).await;
    assert_eq!(log.text().matches("held_back=2").count(), 2, "{}", log.text());
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(log.text().lines().count(), 4, "a quiet time writes nothing: {}", log.text());
    refusals.note(RefusalKind::Webhook, Some(&shop), "why");
    refusals.note(RefusalKind::Webhook, Some(&shop), "why");
    drop(open);
    telling.await.unwrap();
    assert!(log.text().ends_with("why project=\"shop\" held_back=1\n"), "{}", log.text());
}

/// Over real sockets: bodies that were announced and never come, and one honest webhook.
#[tokio::test]
async fn bodies_that_never_come_keep_no_webhook_out() {
    let stage = Stage::new(&["shop"]);
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let settings = ServerSettings { listen, ..ServerSettings::default() };
    let (projects, meters) = (stage.projects.clone(), stage.meters.clone());
    let server = Server::bind(settings, projects, meters, stage.clock.clone()).await.unwrap();
    let address = server.addresses().unwrap()[0];
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    let head = |length: usize, signature: &str| {
        format!(
            "POST /webhook HTTP/1.1\r\nHost: stoker.acme.dev\r\nContent-Length: {length}\r\n\
             X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n"
        )
    };
    let mut holding = Vec::new();
    for _ in 0..100 {
        let mut peer = TcpStream::connect(address).await.unwrap();
        peer.write_all(head(5 << 20, &"0".repeat(64)).as_bytes()).await.unwrap();
        holding.push(peer);
    }
    let began = Instant::now();
    let body = r#"{"ref":"refs/heads/main","after":"1"}"#;
    let mut honest = TcpStream::connect(address).await.unwrap();
    let signed = super::hooks::hexadecimal(body);
    honest.write_all(format!("{}{body}", head(body.len(), &signed)).as_bytes()).await.unwrap();
    let mut first = [0; 12];
    honest.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 202");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(holding);
    stop.send(()).unwrap();
    served.await.unwrap();
}
