//! The way of one request: who asks, how often, what, and what goes wrong on the way.
//!
//! Pure. It keeps the record, so nothing can be answered without being remembered.

use serde_json::json;

use super::calendar::http_date;
use super::choice::{Generation, ResetForm, RetryAfterForm};
use super::config::{Access, Ingress, Naming};
use super::distort::distort;
use super::fault::Fault;
use super::limiter::{Limiter, LimiterVerdict};
use super::listing::Lens;
use super::problem::ApiProblem;
use super::record::{Exchange, Mutation, RecordEntry, RecordedEvent};
use super::routes::{Operation, ReceivedRequest};
use super::world::{Late, Payload, Reply, World};

/// The page of a proxy that stands in the way.
const HTML: &str = "<!doctype html><html><body><h1>Welcome</h1></body></html>";

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Disposition {
    /// The connection is refused.
    Refused,
    /// The connection is dropped.
    Lost,
    /// Nothing ever comes.
    Silent,
    Answer(HttpReply),
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HttpReply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Payload,
    pub(crate) manner: Transmission,
}

/// How the bytes of a body arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Transmission {
    Whole,
    Cut(usize),
    Truncated(usize),
    Drip,
}

/// Headers of an answer, in lower case.
type Headers = Vec<(&'static str, String)>;

impl World {
    /// Answers a request.
    pub(crate) fn answer(&mut self, request: &ReceivedRequest, now: u64) -> Disposition {
        let now = self.advance(now);
        let path = request.below_base().unwrap_or(&request.path);
        let fault = self.faults.choose(&request.method, path);
        let access = request.token.as_ref().and_then(|token| self.config.tokens.get(token));
        let access = access.cloned();
        let actor = access.as_ref().map_or("nobody".into(), |access| access.holder.clone());
        let mut asked = Exchange {
            method: request.method.clone(),
            path: path.to_owned(),
            query: request.query.clone(),
            status: 0,
            reached: fault != Some(Fault::Refuse),
            answered: false,
            applied: false,
            fault: fault.as_ref().map(ToString::to_string),
            ignored: Vec::new(),
        };
        let (outcome, effects) = match fault.as_ref() {
            Some(Fault::Refuse) => (Disposition::Refused, Vec::new()),
            Some(Fault::Hang) => (Disposition::Silent, Vec::new()),
            fault => self.attend(request, access.as_ref(), fault, &mut asked, now),
        };
        asked.answered = matches!(outcome, Disposition::Answer(_));
        self.record.push(RecordEntry {
            at: now,
            actor,
            event: RecordedEvent::Request(asked),
            effects,
        });
        outcome
    }

    /// Applies a request whose answer was lost long ago.
    pub(crate) fn apply_late(&mut self, late: Late) {
        let Late { due, request, mut asked } = late;
        let reply = request
            .call()
            .and_then(|call| self.perform(&call, &request, Lens::new(None, due), due))
            .unwrap_or_else(|problem| Reply::empty(problem.status));
        asked.note(&reply);
        let event = RecordedEvent::Late(asked);
        self.record.push(RecordEntry {
            at: due,
            actor: "late".into(),
            event,
            effects: reply.effects,
        });
    }

    fn attend(
        &mut self,
        request: &ReceivedRequest,
        access: Option<&Access>,
        fault: Option<&Fault>,
        asked: &mut Exchange,
        now: u64,
    ) -> (Disposition, Vec<Mutation>) {
        let mut headers = Headers::new();
        let call = self.let_in(request, access, &mut headers, now);
        if let (Ok(_), Some(Fault::ApplyLate(delay))) = (&call, fault) {
            // Its right was checked; what waits needs no token, and none is saved.
            let request = ReceivedRequest { token: None, ..request.clone() };
            self.late.push(Late { due: now.saturating_add(*delay), request, asked: asked.clone() });
            return (Disposition::Lost, Vec::new());
        }
        let names = self.config.names;
        if fault == Some(&Fault::LoseRenamed) {
            self.config.names = Naming::Numbered;
        }
        let reply = call
            .and_then(|call| self.play(&call, request, fault, &mut headers, now))
            .unwrap_or_else(|problem| self.refuse(&problem));
        self.config.names = names;
        asked.note(&reply);
        let Reply { status, mut payload, effects, ignored: _ } = reply;
        if matches!(fault, Some(Fault::LoseAnswer | Fault::LoseRenamed)) {
            return (Disposition::Lost, effects);
        }
        if let (Payload::Json(body), Some(fault)) = (&mut payload, fault) {
            distort(body, fault);
        }
        let (manner, skew) = match fault {
            Some(Fault::Cut(bytes)) => (Transmission::Cut(*bytes), 0),
            Some(Fault::Truncate(bytes)) => (Transmission::Truncated(*bytes), 0),
            Some(Fault::Drip) => (Transmission::Drip, 0),
            Some(Fault::Skew(offset)) => (Transmission::Whole, *offset),
            _ => (Transmission::Whole, 0),
        };
        headers.push(("date", http_date(self.told(now).saturating_add_signed(skew))));
        (Disposition::Answer(HttpReply { status, headers, payload, manner }), effects)
    }

    /// Lets a request through what stands in front of the API, which writes no header of the API's.
    fn pass_ingress(&mut self, now: u64) -> Result<(), ApiProblem> {
        let Some(Ingress { every_ms, status }) = self.config.ingress else { return Ok(()) };
        if self.passed_at.is_some_and(|passed_at| now < passed_at + every_ms) {
            return Err(ApiProblem::of_status(status));
        }
        self.passed_at = Some(now);
        Ok(())
    }

    /// Checks who asks, how often, and for what, in the order of F7: 401, 429, 404, 403.
    fn let_in(
        &mut self,
        request: &ReceivedRequest,
        access: Option<&Access>,
        headers: &mut Headers,
        now: u64,
    ) -> Result<Operation, ApiProblem> {
        self.pass_ingress(now)?;
        if self.config.generation == Generation::Second {
            return Err(second_generation(request));
        }
        let (Some(access), Some(token)) = (access, &request.token) else {
            return Err(ApiProblem::of_status(401));
        };
        let (model, limit) = (self.config.limiter, self.config.limit);
        let limiter = self.limiters.entry(token.clone());
        let verdict = limiter.or_insert_with(|| Limiter::new(model, limit, now)).take(now);
        self.tell_rate(verdict, headers, now);
        if !verdict.admitted {
            return Err(ApiProblem::of_status(429));
        }
        let call = request.call().inspect_err(|problem| {
            if problem.status == 405 {
                headers.push(("allow", request.allowed()));
            }
        })?;
        call.check_access(access)?;
        Ok(call)
    }

    /// Performs a call, unless a fault comes before it, and loses its answer to one after it.
    fn play(
        &mut self,
        call: &Operation,
        request: &ReceivedRequest,
        fault: Option<&Fault>,
        headers: &mut Headers,
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        match fault {
            Some(Fault::Fail(status)) => return Err(ApiProblem::of_status(*status)),
            Some(Fault::TooMany(values)) => {
                match values {
                    Some(values) => {
                        let values = values.iter().cloned();
                        headers.extend(values.map(|value| ("retry-after", value)));
                    }
                    None => headers.extend(self.retry_after(now + 1_000, now)),
                }
                return Err(ApiProblem::of_status(429));
            }
            Some(Fault::Html) => {
                return Ok(Reply { payload: Payload::Html(HTML.into()), ..Reply::empty(200) });
            }
            Some(Fault::Quote(quote)) => {
                let message = format!("cannot take {}", quote.of(&request.body));
                return Err(ApiProblem::new(422, "invalid_parameters", message));
            }
            Some(Fault::Redirect(url)) => {
                headers.push(("location", url.clone()));
                return Ok(Reply::empty(302));
            }
            _ => {}
        }
        let mut reply = self.perform(call, request, Lens::new(fault, now), now)?;
        if self.config.bare && matches!(request.method.as_str(), "PATCH" | "DELETE") {
            reply.payload = Payload::Html(String::new());
        }
        Ok(match fault {
            Some(Fault::FailAfter(status)) => {
                let Reply { status, payload, .. } = self.refuse(&ApiProblem::of_status(*status));
                Reply { status, payload, ..reply }
            }
            Some(Fault::HtmlAfter) => {
                Reply { status: 200, payload: Payload::Html(HTML.into()), ..reply }
            }
            Some(Fault::Empty) => Reply { status: 200, payload: Payload::Empty, ..reply },
            Some(Fault::DeployFails) => {
                self.fail_deployments(&reply.effects, now);
                reply
            }
            _ => reply,
        })
    }

    /// Writes a problem in the form of the generation (F7).
    fn refuse(&mut self, problem: &ApiProblem) -> Reply {
        if self.config.plain_absence && problem.status == 404 {
            return Reply::json(404, json!({"detail": problem.message}));
        }
        let is_unhandled = self.config.bare && matches!(problem.status, 408 | 413 | 500..);
        let body = match self.config.generation {
            Generation::First if is_unhandled => problem.second_generation_body(),
            Generation::First => problem.body(&self.random.identifier("req")),
            Generation::Second => problem.second_generation_body(),
        };
        Reply::json(problem.status, body)
    }

    /// Tells what is left (F8), in the units of the dialect (A9).
    fn tell_rate(&self, verdict: LimiterVerdict, headers: &mut Headers, now: u64) {
        let LimiterVerdict { admitted, remaining, reset_at, retry_at } = verdict;
        let reset = match self.config.reset {
            ResetForm::Delta => Some(seconds(reset_at - now)),
            ResetForm::EpochSeconds => Some(seconds(self.told(reset_at))),
            ResetForm::EpochMilliseconds => Some(self.told(reset_at).to_string()),
            ResetForm::HttpDate => Some(http_date(self.told(reset_at).next_multiple_of(1_000))),
            ResetForm::Absent => None,
        };
        if let Some(reset) = reset {
            headers.push(("x-ratelimit-remaining", remaining.to_string()));
            headers.push(("x-ratelimit-reset", reset));
        }
        if !admitted {
            headers.extend(self.retry_after(retry_at, now));
        }
    }

    fn retry_after(&self, at: u64, now: u64) -> Option<(&'static str, String)> {
        let value = match self.config.retry_after {
            RetryAfterForm::Seconds => seconds(at - now),
            RetryAfterForm::HttpDate => http_date(self.told(at).next_multiple_of(1_000)),
            RetryAfterForm::Absent => return None,
        };
        Some(("retry-after", value))
    }
}

impl Exchange {
    fn note(&mut self, reply: &Reply) {
        self.status = reply.status;
        self.applied = !reply.effects.is_empty();
        self.ignored.clone_from(&reply.ignored);
    }
}

/// Answers as the other generation does to whoever asks for version 1.
fn second_generation(request: &ReceivedRequest) -> ApiProblem {
    let token = request.token.as_deref().unwrap_or_default();
    if request.path.starts_with("/api/") && !token.starts_with("kbr_pat_") {
        return ApiProblem::new(401, "unauthorized", "Unauthorized");
    }
    ApiProblem::new(404, "not_found", format!("Cannot {} {}", request.method, request.path))
}

/// Writes milliseconds as whole seconds, rounded up: too early is refused.
fn seconds(milliseconds: u64) -> String {
    milliseconds.div_ceil(1_000).to_string()
}
