//! A code host, as far as the scripts in `deploy/` know one: the comments of one pull request, in
//! GitHub's words and in GitLab's, and one file in a package registry. On loopback, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, patch, put};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What the scripts must bring; never an argument of theirs.
pub const TOKEN: &str = "canary-of-the-code-host";

/// Who a comment is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The job.
    Job,
    /// Somebody else.
    Person,
}

/// One comment, as both hosts keep it.
#[derive(Clone, Debug)]
pub struct Comment {
    pub by: By,
    pub body: String,
}

#[derive(Default)]
struct Kept {
    comments: Vec<Comment>,
    package: Option<Bytes>,
}

/// The host, served until it is dropped.
pub struct CodeHost {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
    server: tokio::task::JoinHandle<()>,
}

impl CodeHost {
    pub async fn serve() -> Self {
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let router = Router::new()
            .route("/repos/acme/shop/issues/7/comments", get(listed).post(made))
            .route("/repos/acme/shop/issues/comments/{id}", patch(replaced))
            .route("/user", get(async || Json(json!({"id": 1}))))
            .route("/projects/5/merge_requests/7/notes", get(listed).post(made))
            .route("/projects/5/merge_requests/7/notes/{id}", put(replaced))
            .route("/projects/5/packages/generic/stoker-state/1.0.0/{file}", get(sent).put(stored))
            .with_state(Arc::clone(&kept));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, kept, server }
    }

    pub fn comment(&self, by: By, body: &str) {
        self.kept.lock().unwrap().comments.push(Comment { by, body: body.to_owned() });
    }

    pub fn comments(&self) -> Vec<Comment> {
        self.kept.lock().unwrap().comments.clone()
    }

    pub fn package(&self) -> Option<Bytes> {
        self.kept.lock().unwrap().package.clone()
    }

    pub fn keep_package(&self, bytes: &'static [u8]) {
        self.kept.lock().unwrap().package = Some(Bytes::from_static(bytes));
    }
}

impl Drop for CodeHost {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Shared = State<Arc<Mutex<Kept>>>;

/// Whether a request brings the token, in the way of any of the hosts.
fn is_allowed(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|it| it == value);
    is("authorization", &format!("Bearer {TOKEN}"))
        || is("private-token", TOKEN)
        || is("job-token", TOKEN)
}

async fn listed(
    State(kept): Shared,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, usize>>,
) -> Result<Json<Vec<Value>>, StatusCode> {
    if !is_allowed(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let (size, page) = (query["per_page"], query["page"]);
    let kept = kept.lock().unwrap();
    let shown = kept.comments.iter().enumerate().map(|(id, comment)| {
        let Comment { by, body } = comment;
        let (kind, author) = match by {
            By::Job => ("Bot", 1),
            By::Person => ("User", 2),
        };
        json!({"id": id, "body": body, "user": {"type": kind}, "author": {"id": author}})
    });
    Ok(Json(shown.skip((page - 1) * size).take(size).collect()))
}

async fn made(State(kept): Shared, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !is_allowed(&headers) {
        return StatusCode::UNAUTHORIZED;
    }
    kept.lock().unwrap().comments.push(Comment { by: By::Job, body: body_of(&body) });
    StatusCode::CREATED
}

async fn replaced(
    State(kept): Shared,
    Path(id): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !is_allowed(&headers) {
        return StatusCode::UNAUTHORIZED;
    }
    kept.lock().unwrap().comments[id].body = body_of(&body);
    StatusCode::OK
}

async fn sent(State(kept): Shared, headers: HeaderMap) -> Result<Bytes, StatusCode> {
    if !is_allowed(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    kept.lock().unwrap().package.clone().ok_or(StatusCode::NOT_FOUND)
}

async fn stored(State(kept): Shared, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !is_allowed(&headers) {
        return StatusCode::UNAUTHORIZED;
    }
    kept.lock().unwrap().package = Some(body);
    StatusCode::CREATED
}

fn body_of(request: &[u8]) -> String {
    let request: Value = serde_json::from_slice(request).unwrap();
    request["body"].as_str().unwrap().to_owned()
}
