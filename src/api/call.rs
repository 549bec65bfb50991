//! One request to be made: what for, where, with what, and how much of the answer is read.

use http::Method;

use super::body::Body;
use super::route::Route;

/// The most of one object's answer that is read. 200 variables of 65,535 bytes are 13 MB.
pub(super) const OBJECT_BODY_MAX: usize = 16 * 1024 * 1024;

/// The most of one page of a list that is read: some hundred objects with all their variables.
pub(super) const LIST_BODY_MAX: usize = 32 * 1024 * 1024;

/// Told right before a request leaves, when there is nothing more to wait for. What it refuses does
/// not leave; the text says why.
pub type Leaving<'a> = &'a (dyn Fn() -> Result<(), String> + Sync);

/// One request to be made.
pub(super) struct Call<'a> {
    /// What it is for, completing "failed to …".
    pub doing: String,
    pub method: Method,
    pub route: Route<'a>,
    pub query: Vec<(&'a str, String)>,
    pub body: Option<&'a Body>,
    pub body_max: usize,
    pub leaving: Option<Leaving<'a>>,
    /// Whether a write follows at once that rests on its answer.
    pub is_look: bool,
    /// The id of the last event that was read, for a stream that is opened again.
    pub last_id: String,
}

impl<'a> Call<'a> {
    pub(super) fn get(doing: impl Into<String>, route: Route<'a>) -> Self {
        Self {
            doing: doing.into(),
            method: Method::GET,
            route,
            query: Vec::new(),
            body: None,
            body_max: OBJECT_BODY_MAX,
            leaving: None,
            is_look: false,
            last_id: String::new(),
        }
    }

    pub(super) fn write(
        doing: impl Into<String>,
        method: Method,
        route: Route<'a>,
        body: Option<&'a Body>,
    ) -> Self {
        Self { method, body, ..Self::get(doing, route) }
    }

    /// Whether it changes nothing, so that giving it up costs nothing but a request.
    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether a good answer without an object or a list is none.
    pub(super) fn wants_body(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether its answer is a stream that lasts.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.route, Route::Logs(_))
    }

    /// Returns the form in which the answer is wanted.
    pub(super) fn accepted(&self) -> &'static str {
        if self.is_stream() { "text/event-stream" } else { "application/json" }
    }
}
