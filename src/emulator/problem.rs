//! What the API answers when it does not do what it was asked (F7).

use serde_json::{Value, json};

/// An error, before it has a `request_id`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiProblem {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl ApiProblem {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// Invalid parameters: 400.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_parameters", message)
    }

    /// No such thing: 404, with a code that names the type.
    pub(crate) fn missing(what: &str, id: &str) -> Self {
        let message = format!("No {what} with ID {id} exists in this project");
        Self::new(404, &format!("{what}_not_found"), message)
    }

    /// A status for which only the number matters.
    pub(crate) fn of_status(status: u16) -> Self {
        let (code, message) = match status {
            400 => ("invalid_parameters", "The request is invalid"),
            401 => ("unauthorized", "Missing or invalid API token"),
            403 => ("forbidden", "The token lacks permission for this"),
            404 => ("not_found", "There is nothing here"),
            409 => ("conflict", "The request conflicts with the current state"),
            429 => ("rate_limited", "Too many requests"),
            502 => ("bad_gateway", "The upstream did not answer"),
            503 => ("unavailable", "Try again later"),
            _ => ("internal_error", "Contact support with the request_id"),
        };
        Self::new(status, code, message)
    }

    /// Writes the body of version 1 (F7).
    pub(crate) fn body(&self, request_id: &str) -> Value {
        let Self { status, code, message } = self;
        json!({"error": {
            "code": code, "message": message, "status": status, "request_id": request_id,
        }})
    }

    /// Writes the body of the other generation.
    pub(crate) fn second_generation_body(&self) -> Value {
        let Self { status, code: _, message } = self;
        let phrase = http::StatusCode::from_u16(*status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Error");
        json!({"statusCode": status, "message": message, "error": phrase})
    }
}
