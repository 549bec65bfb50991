//! Whoever is told: a server that keeps what it is sent, and agrees to everything.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;

use super::machine::Machine;

/// Something that was sent.
#[derive(Clone)]
pub struct Sent {
    pub path: String,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A server on this machine.
pub struct Sink {
    pub url: String,
    heard: Arc<Mutex<Vec<Sent>>>,
}

impl Sink {
    pub fn on(machine: &Machine) -> Self {
        let heard: Arc<Mutex<Vec<Sent>>> = Arc::default();
        let bind = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = machine.runtime().block_on(bind).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(keep).with_state(Arc::clone(&heard));
        machine.runtime().spawn(async move { axum::serve(listener, router).await });
        Self { url, heard }
    }

    /// Returns what was sent to a path that begins so, in order.
    pub fn heard(&self, path: &str) -> Vec<Sent> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|sent| sent.path.starts_with(path)).cloned().collect()
    }
}

async fn keep(
    State(heard): State<Arc<Mutex<Vec<Sent>>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let sent = Sent { path: uri.path().to_owned(), headers, bytes: body.to_vec() };
    heard.lock().unwrap().push(sent);
    StatusCode::CREATED
}
