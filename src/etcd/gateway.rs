//! One call of the gateway: which member is asked, how long, as whom, and what its status means.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::api::{Reach, Transport};

use super::address::EtcdAddress;

/// How long one member is waited for. A request that a follower has handed to a dead leader hangs
/// for as long as its client waits.
const CALL_TIME_MAX: Duration = Duration::from_secs(2);

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Who we are to etcd.
#[derive(Clone, Debug)]
pub struct EtcdLogin {
    /// The user.
    pub user: String,
    /// Its password.
    pub password: SecretString,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallError {
    /// It was refused, and did nothing.
    Refused(String),
    /// It was refused for want of room, and is done by now or never will be: etcd looks at the room
    /// before it does something, and once more when it has done it.
    Full(String),
    /// It did something, or will, or not.
    Unknown(String),
}

/// The gateways of a cluster.
pub struct Gateway {
    transport: Arc<dyn Transport>,
    members: Vec<String>,
    login: Option<EtcdLogin>,
    now: Mutex<Standing>,
}

#[derive(Default)]
struct Standing {
    /// Which member answered last.
    member: usize,
    /// What the login gave us; it ends after some minutes.
    token: Option<SecretString>,
}

impl Gateway {
    /// Names the gateways of a cluster; nothing is sent.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        address: &EtcdAddress,
        login: Option<EtcdLogin>,
    ) -> Self {
        Self { transport, members: address.gateways(), login, now: Mutex::default() }
    }

    /// Makes a call that reads: it is made again elsewhere until somebody answers.
    pub(super) async fn read(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        let mut trouble = CallError::Unknown("there is no member".to_owned());
        for _ in 0..2 * self.members.len() {
            match self.call(path, body).await {
                Err(CallError::Unknown(reason)) => trouble = CallError::Unknown(reason),
                settled => return settled,
            }
        }
        Err(trouble)
    }

    /// Makes a call once. A login that has ended is made anew: what it refused did nothing.
    pub(super) async fn call(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        if self.login.is_some() && self.standing(|now| now.token.is_none()) {
            self.log_in().await?;
        }
        match self.ask(path, body).await {
            Err(Unanswered::NotLoggedIn(_)) if self.login.is_some() => {
                self.log_in().await?;
                self.ask(path, body).await.map_err(CallError::from)
            }
            answer => answer.map_err(CallError::from),
        }
    }

    async fn log_in(&self) -> Result<(), CallError> {
        let Some(EtcdLogin { user, password }) = &self.login else { return Ok(()) };
        self.standing(|now| now.token = None);
        let body = json!({"name": user, "password": password.expose_secret()});
        let answer = self.ask("auth/authenticate", &body).await.map_err(CallError::from)?;
        let token = answer["token"].as_str().map(|token| SecretString::from(token.to_owned()));
        let token =
            token.ok_or_else(|| CallError::Refused("the login gave no token".to_owned()))?;
        self.standing(|now| now.token = Some(token));
        Ok(())
    }

    async fn ask(&self, path: &str, body: &Value) -> Result<Value, Unanswered> {
        let (number, token) = self.standing(|now| (now.member, now.token.clone()));
        let member = &self.members[number % self.members.len()];
        let request = http::Request::post(format!("{member}/v3/{path}"))
            .header("Content-Type", "application/json")
            // Without a leader it is refused at once, instead of being kept for one to come.
            .header("Grpc-Metadata-hasleader", "true");
        let request = match &token {
            Some(token) => request.header("Authorization", token.expose_secret()),
            None => request,
        };
        let request = request.body(Bytes::from(body.to_string()));
        let request = request.map_err(|error| Unanswered::Refused(error.to_string()))?;
        let answer = tokio::time::timeout(CALL_TIME_MAX, self.exchange(request)).await;
        let answer =
            answer.unwrap_or_else(|_| Err(Unanswered::Unknown("it did not answer".to_owned())));
        if matches!(answer, Err(Unanswered::Unknown(_))) {
            // The next call asks another one.
            self.standing(|now| now.member = number.wrapping_add(1));
        }
        answer.map_err(|answer| answer.of(member))
    }

    async fn exchange(&self, request: http::Request<Bytes>) -> Result<Value, Unanswered> {
        let answer = self.transport.send(request).await.map_err(|error| match error.reach {
            // It is made again, elsewhere, so it is as good as unknown.
            Reach::NeverLeft | Reach::Lost => Unanswered::Unknown(error.to_string()),
        })?;
        let (head, body) = answer.into_parts();
        let lost = |error| Unanswered::Unknown(format!("its answer broke off: {error}"));
        let mut body = body.map_err(lost);
        let mut bytes = Vec::new();
        while let Some(piece) = body.try_next().await? {
            if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(Unanswered::Unknown("its answer is too long".to_owned()));
            }
            bytes.extend_from_slice(&piece);
        }
        judge(head.status, &bytes)
    }

    fn standing<T>(&self, act: impl FnOnce(&mut Standing) -> T) -> T {
        // Nothing panics while it is held.
        act(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An answer that is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    Refused(String),
    Full(String),
    NotLoggedIn(String),
    Unknown(String),
}

impl Unanswered {
    fn of(self, member: &str) -> Self {
        match self {
            Self::Refused(reason) => Self::Refused(format!("{member}: {reason}")),
            Self::Full(reason) => Self::Full(format!("{member}: {reason}")),
            Self::NotLoggedIn(reason) => Self::NotLoggedIn(format!("{member}: {reason}")),
            Self::Unknown(reason) => Self::Unknown(format!("{member}: {reason}")),
        }
    }
}

impl From<Unanswered> for CallError {
    fn from(answer: Unanswered) -> Self {
        match answer {
            Unanswered::Refused(reason) | Unanswered::NotLoggedIn(reason) => Self::Refused(reason),
            Unanswered::Full(reason) => Self::Full(reason),
            Unanswered::Unknown(reason) => Self::Unknown(reason),
        }
    }
}

/// Says what a status means. Only what is known to have done nothing is a refusal.
pub(super) fn judge(status: http::StatusCode, bytes: &[u8]) -> Result<Value, Unanswered> {
    let body: Option<Value> = serde_json::from_slice(bytes).ok();
    let said = body.as_ref().and_then(|body| body["message"].as_str().or(body["error"].as_str()));
    let said = said.map_or_else(|| format!("status {status}"), str::to_owned);
    match (status.as_u16(), body) {
        (200, Some(body)) => Ok(body),
        (401, _) => Err(Unanswered::NotLoggedIn(said)),
        // Not "later": the request is too large, or the database is full.
        (429, _) => Err(Unanswered::Full(said)),
        (400 | 403 | 404 | 413, _) => Err(Unanswered::Refused(said)),
        _ => Err(Unanswered::Unknown(said)),
    }
}
