//! Budget → transport → judgement → retry: every request of the program leaves here.
//!
//! It deliberately knows no resource and no field; [`super::Reader`] and [`super::Writer`] do.
//! Bodies and tokens are never logged, at any level (S9).

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;

use super::answer::{self, Answer};
use super::body::Body;
use super::call::Call;
use super::dialect::Dialect;
use super::endpoint::{Endpoint, Token};
use super::error::{Cause, Error};
use super::flight::{FlightFailure, FlightLog, RequestCounts};
use super::foreign::Foreign;
use super::known::Known;
use super::leave::{Leave, Reservation};
use super::parts::{ClientConfig, ClientParts};
use super::retry::{Next, Tries};
use super::time::ClientDeadline;
use super::transport::{BeforeWrite, BodyStream, Transport, TransportError};
use super::wire::Groups;
use crate::budget::{Lane, Limits, Millis, Permit};
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::model::Desired;

mod admission;

/// The client of one API and token. Clones share the connection, the ledger and the counts.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    lane: Lane,
}

struct Shared {
    endpoint: Endpoint,
    token: Token,
    transport: Arc<dyn Transport>,
    ledger: Arc<Ledger>,
    clock: Clock,
    dialect: Dialect,
    config: ClientConfig,
    calls: AtomicU32,
    tries_seed: AtomicU64,
    flights: FlightLog,
    /// The names of env groups, as the last list of them told: services name them by id.
    groups: Mutex<Arc<Groups>>,
    known: Known,
    until: ClientDeadline,
}

impl Client {
    /// Makes a client. It sends nothing.
    #[must_use]
    pub fn new(parts: ClientParts) -> Self {
        let ClientParts { endpoint, token, transport, ledger, clock, dialect, config } = parts;
        let lane = config.lane;
        let until = ClientDeadline::new(clock.clone(), config.deadline);
        let flights = FlightLog::new(clock.clone(), Arc::clone(&ledger));
        let shared = Shared {
            endpoint,
            token,
            transport,
            ledger,
            clock,
            dialect,
            tries_seed: AtomicU64::new(config.seed),
            config,
            calls: AtomicU32::new(0),
            flights,
            groups: Mutex::default(),
            known: Known::default(),
            until,
        };
        Self { shared: Arc::new(shared), lane }
    }

    /// Returns the same client for another lane.
    #[must_use]
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { shared: Arc::clone(&self.shared), lane }
    }

    /// Returns origin and base path, for the pin (S5).
    #[must_use]
    pub fn origin(&self) -> String {
        self.shared.endpoint.origin()
    }

    /// Returns what is taken to be true of the API.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.shared.dialect
    }

    /// Returns what is known of env groups. Who looks right before a write must know what the plan
    /// knew, else a service's groups are hidden from that look (S10).
    pub(super) fn groups(&self) -> MutexGuard<'_, Arc<Groups>> {
        self.shared.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is known beside the answers.
    pub(super) fn known(&self) -> &Known {
        &self.shared.known
    }

    /// Says what is declared, so that no error quotes a secret of it: a list may fail with the text
    /// of what an earlier request wrote (S9).
    pub fn keeps_secret(&self, desired: &Arc<Desired>) {
        self.shared.known.declare(desired);
    }

    /// Returns how many requests this client and its clones have sent.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// Returns the headers about limits of the last answer, as they came: `doctor` shows them.
    #[must_use]
    pub fn limits_last_seen(&self) -> Option<Limits> {
        self.shared.flights.seen().limits.clone()
    }

    /// Returns how often what was asked and answered, for metrics.
    #[must_use]
    pub fn tally(&self) -> RequestCounts {
        self.shared.flights.seen().tally.clone()
    }

    /// Tells the budget that the converge lane is about to need so many requests more.
    pub fn expect(&self, requests: u32) {
        self.shared.ledger.expect(requests);
    }

    pub(super) fn until(&self) -> &ClientDeadline {
        &self.shared.until
    }

    /// Returns the time, as the client tells it.
    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Sends one read, again until there is a good answer or none is to be had.
    ///
    /// *Guarantees*: each try has leave of the budget. A write has another way: [`Client::send_once`].
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut tries = self.tries();
        loop {
            match self.try_once(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.pause(call, &mut tries, failure).await?,
            }
        }
    }

    /// Sends one request and returns its body as a stream, for what is meant to last.
    ///
    /// Only the head has a time limit; who reads the stream must bound its silence and its size.
    pub(super) async fn open(&self, call: &Call<'_>) -> Result<http::Response<BodyStream>, Error> {
        let mut tries = self.tries();
        loop {
            match self.open_once(call).await {
                Ok(response) => return Ok(response),
                Err(failure) => self.pause(call, &mut tries, failure).await?,
            }
        }
    }

    /// Waits until a request may be retried.
    ///
    /// # Errors
    /// When that was the last try.
    async fn pause(
        &self,
        call: &Call<'_>,
        tries: &mut Tries,
        failure: FlightFailure,
    ) -> Result<(), Error> {
        let FlightFailure(cause, told) = failure;
        match tries.after(&cause, self.trusts_retries(), self.millis(), told) {
            Next::Again(at) if self.may_wait_until(Timestamp::from(at)).await => Ok(()),
            Next::Again(_) | Next::GiveUp => Err(self.failed(call, cause.into())),
        }
    }

    /// Sends one write, once, while what it rests on is young (S10).
    ///
    /// *Guarantees*: a failure that says [`Cause::LookTooOld`] left nothing on the wire.
    pub(super) async fn send_once(&self, call: &Call<'_>, leave: Leave) -> Result<Answer, Error> {
        let sent = match self.depart(call, leave).await {
            Ok(permit) => self.fly(call, permit).await,
            Err(cause) => Err(cause.into()),
        };
        sent.map_err(|failure| self.failed(call, failure))
    }

    /// The same for a read whose leave was taken with that of a write.
    pub(super) async fn look_once(
        &self,
        call: &Call<'_>,
        leave: Reservation,
    ) -> Result<Answer, Error> {
        let sent = match leave.take() {
            Some(permit) => self.fly(call, permit).await,
            None => Err(Cause::Local("its permit was already used".to_owned()).into()),
        };
        sent.map_err(|failure| self.failed(call, failure))
    }

    async fn try_once(&self, call: &Call<'_>) -> Result<Answer, FlightFailure> {
        let permit = self.admit().await?;
        self.fly(call, permit).await
    }

    async fn fly(&self, call: &Call<'_>, permit: Permit) -> Result<Answer, FlightFailure> {
        let mut flight = self.shared.flights.start(call, permit);
        let foreign = self.foreign(call);
        let whole = async {
            let response = self.carry(call).await?;
            flight.saw_head(&response, &foreign);
            let answer = self.read(call, response, &foreign).await?;
            // Judged here and not by the reader, so that a body cut short is asked for again.
            if call.wants_body() { answer.check_whole() } else { Ok(answer) }
        };
        let outcome = self.in_time(whole).await;
        let told = flight.land(outcome.as_ref().err());
        outcome.map_err(|cause| FlightFailure(cause, told))
    }

    /// Reads an answer, notes who answers, and judges by it (F7).
    async fn read(
        &self,
        call: &Call<'_>,
        response: http::Response<BodyStream>,
        foreign: &Foreign<'_>,
    ) -> Result<Answer, Cause> {
        let not_found = self.shared.dialect.not_found;
        let answer = answer::read(response, call.body_max, not_found, foreign).await;
        let is_the_api = match &answer {
            Ok(answer) => answer.is_object(),
            Err(Cause::Api(error)) => error.code.is_some(),
            Err(_) => false,
        };
        if is_the_api {
            self.shared.known.heard_the_api();
        }
        answer.map_err(|cause| self.shared.known.judged(cause))
    }

    async fn open_once(
        &self,
        call: &Call<'_>,
    ) -> Result<http::Response<BodyStream>, FlightFailure> {
        let permit = self.admit().await?;
        let mut flight = self.shared.flights.start(call, permit);
        let foreign = self.foreign(call);
        let head = async {
            let response = self.carry(call).await?;
            flight.saw_head(&response, &foreign);
            if response.status().is_success() {
                return Ok(response);
            }
            match self.read(call, response, &foreign).await {
                Ok(_) => Err(Cause::Local("a good answer was taken for a bad one".to_owned())),
                Err(cause) => Err(cause),
            }
        };
        let outcome = self.in_time(head).await;
        let told = flight.land(outcome.as_ref().err());
        outcome.map_err(|cause| FlightFailure(cause, told))
    }

    async fn carry(&self, call: &Call<'_>) -> Result<http::Response<BodyStream>, Cause> {
        let request = self.request(call)?;
        let head = async { self.shared.transport.send(request).await.map_err(Cause::Transport) };
        self.in_silence(call.is_read(), head).await
    }

    fn request(&self, call: &Call<'_>) -> Result<http::Request<Bytes>, Cause> {
        let url = self.shared.endpoint.url(&call.route, &call.query);
        let mut builder = http::Request::builder()
            .method(call.method.clone())
            .uri(url.as_str())
            .header(AUTHORIZATION, self.shared.token.header())
            .header(ACCEPT, call.accepted());
        if call.is_look {
            builder = builder.extension(BeforeWrite);
        }
        if call.is_stream() {
            // What compresses holds lines back until it has enough of them.
            builder = builder.header(ACCEPT_ENCODING, "identity");
        }
        // An id with control characters cannot be told in a header.
        let last_id = HeaderValue::from_bytes(call.last_id.as_bytes());
        if let Some(last_id) = last_id.ok().filter(|last_id| !last_id.is_empty()) {
            builder = builder.header("last-event-id", last_id);
        }
        let bytes = call.body.map_or_else(Bytes::new, Body::bytes);
        if call.body.is_some() {
            builder = builder.header(CONTENT_TYPE, "application/json");
        }
        builder.body(bytes).map_err(|error| {
            // For example a URL that is longer than the `http` types allow.
            Cause::Transport(TransportError::never_left(error.to_string()))
        })
    }

    /// Returns what keeps secrets out of what is told of an answer.
    fn foreign<'a>(&'a self, call: &Call<'a>) -> Foreign<'a> {
        Foreign::to(call, &self.shared.token, self.shared.known.declared())
    }

    /// Whether most of the last requests had an answer, so that it makes sense to send one again.
    pub(super) fn trusts_retries(&self) -> bool {
        self.shared.flights.seen().circuit.allows_retry()
    }

    /// Makes the error of a request, with its address and what the server asked for.
    fn failed(&self, call: &Call<'_>, FlightFailure(cause, told): FlightFailure) -> Error {
        let address = self.shared.endpoint.url(&call.route, &[]);
        Error::new(call.doing.as_str(), cause).at(address.as_str()).told(told)
    }

    pub(super) fn tries(&self) -> Tries {
        let seed = self.shared.tries_seed.fetch_add(1, Ordering::Relaxed);
        Tries::new(seed, self.now(), self.shared.config.deadline)
    }

    pub(super) fn millis(&self) -> Millis {
        self.now().into()
    }
}

/// Joins an error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("origin", &self.origin()).finish_non_exhaustive()
    }
}
