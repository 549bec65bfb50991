//! The same over a real socket: what only bytes can show.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Stage;
use crate::emulator::{TOKEN, serve};

/// Serves a stage, sends `GET` for a path, and returns all bytes up to the end.
async fn fetch(stage: &Stage, path: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut bytes = Vec::new();
    let talk = async {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
             authorization: Bearer {TOKEN}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        // A connection that is reset ends the reading as well as one that is closed.
        socket.read_to_end(&mut bytes).await.ok();
    };
    serve(stage.emulator.clone(), listener, talk).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn an_answer_arrives_whole_dropped_or_cut() {
    let stage = Stage::new();
    stage.play("lose-answer@GET /project#2; cut:5@GET /project#3");
    let whole = fetch(&stage, "/v1/project").await;
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n"), "{whole}");
    assert!(whole.contains("\r\ndate: Thu, 15 Jan 2026 10:30:00 GMT\r\n"), "{whole}");
    assert!(whole.ends_with("\"plan\":\"team\"}"), "{whole}");
    assert_eq!(fetch(&stage, "/v1/project").await, "");
    let cut = fetch(&stage, "/v1/project").await;
    assert!(cut.is_empty() || cut.ends_with("\r\n\r\n") || cut.ends_with("{\"id\""), "{cut}");
}

#[tokio::test]
async fn the_document_needs_no_token_and_is_not_counted() {
    let stage = Stage::new();
    assert!(fetch(&stage, "/openapi.json").await.contains("\"openapi\":\"3.1.0\""));
    assert_eq!(stage.emulator.record().entries().count(), 0);
}
