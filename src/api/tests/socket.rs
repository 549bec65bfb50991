//! One run over a real socket and a real clock.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers each connection with a text, once; returns the address and what it heard.
async fn server(answers: Vec<String>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let mut heard = String::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let length = socket.read(&mut bytes).await.unwrap();
            heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
            socket.write_all(answer.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
        }
        heard
    });
    (address, heard)
}

fn client(address: &str) -> Client {
    connected(address, HttpTransport::new(None).unwrap(), Some(1))
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_request_goes_out_and_its_answer_comes_in() {
    let (address, heard) = server(vec![answer("200 OK", r#"{"id":"prj_1","name":"acme"}"#)]).await;
    let project = client(&address).reader().project().await.unwrap();
    assert_eq!(project.name, "acme");
    let heard = heard.await.unwrap().to_ascii_lowercase();
    for expected in [
        "get /v1/project http/1.1",
        &format!("authorization: bearer {TOKEN}"),
        &format!("user-agent: stoker/{}", env!("CARGO_PKG_VERSION")),
        "accept-encoding: gzip",
    ] {
        assert!(heard.contains(expected), "{expected} is not in {heard}");
    }
}

#[tokio::test]
async fn the_log_is_asked_for_as_it_is() {
    let events = answer("200 OK\r\ncontent-type: text/event-stream", "data: up\n\n");
    let (address, heard) = server(vec![events]).await;
    let id = crate::model::RemoteId::new("svc_1").unwrap();
    let lines = client(&address).reader().logs(&id, &LogPlace::default()).await.unwrap();
    let lines: Vec<_> = lines.map(|line| line.unwrap().message).collect().await;
    assert_eq!(lines, ["up"]);
    let heard = heard.await.unwrap().to_ascii_lowercase();
    assert!(heard.contains("accept-encoding: identity") && !heard.contains("gzip"), "{heard}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_short_body_is_found_out() {
    let elsewhere = answer("302 Found\r\nlocation: http://127.0.0.1:1/steal", "");
    let (address, heard) = server(vec![elsewhere]).await;
    let error = client(&address).reader().project().await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Redirected { status: 302, .. }), "{error}");
    assert!(error.to_string().contains("redirect (302) to http://127.0.0.1:1/steal"), "{error}");
    heard.await.unwrap();
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"name\":\"acme\"}".to_owned();
    let (address, _heard) = server(vec![short]).await;
    let transport = HttpTransport::new(None).unwrap();
    let request = http::Request::get(format!("{address}/project")).body(Bytes::new()).unwrap();
    let body = transport.send(request).await.unwrap().into_body();
    let pieces: Vec<_> = body.collect().await;
    assert_eq!(pieces.last().unwrap().as_ref().unwrap_err().reach, Reach::Lost);
}

#[tokio::test]
async fn a_refused_connection_never_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1/project", listener.local_addr().unwrap());
    drop(listener);
    let transport = HttpTransport::new(None).unwrap();
    let request = http::Request::get(address).body(Bytes::new()).unwrap();
    let sent = tokio::time::timeout(Duration::from_secs(20), transport.send(request)).await;
    let Err(error) = sent.unwrap() else { panic!("nobody listens there") };
    assert_eq!(error.reach, Reach::NeverLeft);
}
