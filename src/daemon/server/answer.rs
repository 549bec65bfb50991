//! Answers in their public forms: `{"message"}`, or `{"error":{"code","message","hints"}}`.

use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::projects::Projects;

/// Why a request is not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HttpFailure {
    pub status: StatusCode,
    /// One word for scripts. Never renamed.
    pub code: &'static str,
    pub message: String,
    pub hints: Vec<String>,
}

impl HttpFailure {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hints: Vec::new() }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(super) fn unknown_project() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_project",
            "this agent does not manage a project of that name",
        )
    }

    pub(super) fn which_project(projects: &Projects) -> Self {
        let names: Vec<_> = projects.iter().map(|(name, _)| name.to_string()).collect();
        let message = "this agent manages more than one project";
        Self::new(StatusCode::BAD_REQUEST, "which_project", message)
            .hint(format!("name one of: {}", names.join(", ")))
    }

    pub(super) fn busy(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    }
}

impl From<QueryRejection> for HttpFailure {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_query", rejection.body_text())
    }
}

impl IntoResponse for HttpFailure {
    fn into_response(self) -> Response {
        let Self { status, code, message, hints } = self;
        let error = json!({"error": {"code": code, "message": message, "hints": hints}});
        let mut response = json_response(status, &error);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// An answer that says what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said(pub StatusCode, pub String);

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        json_response(status, &json!({"message": message}))
    }
}

/// Writes a value as JSON, with one line break at its end for who reads it on a terminal.
pub(super) fn json_response(status: StatusCode, value: &impl Serialize) -> Response {
    let mut text = serde_json::to_string(value)
        .expect("every value answered here is made of maps with text keys");
    text.push('\n');
    let content_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, content_type, text).into_response()
}

/// Writes plain text.
pub(super) fn text_response(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
