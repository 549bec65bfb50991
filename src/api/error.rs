//! What can go wrong with a request, by what the caller may do about it.
//!
//! Messages complete "failed to …"; hints are data, for the one place that prints them. Text from
//! the API is bounded and has our secrets struck out, but is otherwise as it came.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::transport::{DISTRUST_HINT, Reach, TransportError};

/// A refusal or failure as the API words it (F7), read tolerantly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The status of the answer, not the one in its body.
    pub status: u16,
    /// `error.code`: a proof that the API itself answered.
    pub code: Option<String>,
    /// What it says.
    pub message: String,
    /// What to tell the vendor's support.
    pub request_id: Option<String>,
    /// Whether it proves that the object is not there (S2, A25).
    pub is_absence: bool,
}

impl ApiError {
    /// Whether a deploy is in progress: no failure, but a reason to wait for the next list (F7, A20).
    /// Its code is not stated. One that tells that there is no earlier deployment to go back to
    /// has the word in it, too, and no waiting helps there.
    #[must_use]
    pub fn is_deploy_in_progress(&self) -> bool {
        let tells_of_it = |code: &str| code.contains("deploy") && !code.contains("previous");
        self.status == 409 && self.code.as_deref().is_some_and(tells_of_it)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, code, message, request_id, is_absence: _ } = self;
        write!(formatter, "the API answered {status}")?;
        if let Some(code) = code {
            write!(formatter, " {code}")?;
        }
        if !message.is_empty() {
            write!(formatter, ": {message}")?;
        }
        show_request(formatter, request_id.as_deref())
    }
}

/// What a caller may do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// 401: the token is missing, wrong, or for another API. Nothing else will work either.
    Authentication,
    /// 403: the token may not do this (F2), or a quota is reached.
    Permission,
    /// 404 that proves it (A25): it is not there.
    NotFound,
    /// 409 because a deploy is in progress: look again at the next list.
    Busy,
    /// Any other refusal: the request is wrong, or in conflict with something.
    Refused,
    /// The number of requests allowed or the time is used up.
    OverBudget,
    /// No answer, or a failure on the other side: later it may work.
    Unavailable,
    /// Something else than version 1 of the API answered.
    NotTheApi,
    /// An answer that cannot be read, or not wholly.
    Unreadable,
    /// Nothing was sent: the ledger cannot be kept, the pin does not hold, a link is missing.
    Local,
}

/// Why a request has no good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The API refused or failed.
    Api(ApiError),
    /// There is no answer, or only a part.
    Transport(TransportError),
    /// The answer was not complete in time.
    TimedOut(Duration),
    /// The vendor's other, incompatible API answered.
    WrongGeneration(ApiError),
    /// Something that is no such API answered, for example a login page.
    NotTheApi {
        /// The status of the answer.
        status: u16,
        /// What it looks like, a fragment.
        seen: String,
    },
    /// The answer points elsewhere; no redirect is followed (S5).
    Redirected {
        /// The status of the answer.
        status: u16,
        /// Where it leads, when it says so.
        target: Option<String>,
    },
    /// A good status with a body that cannot be read.
    Unreadable {
        /// What is wrong with it, a fragment.
        reason: String,
        /// What to tell the vendor's support.
        request_id: Option<String>,
    },
    /// A good status with more than is read.
    TooLarge {
        /// How much is read.
        bytes_max: usize,
    },
    /// As many requests as allowed have been sent.
    OverCalls {
        /// How many are allowed.
        calls_max: u32,
    },
    /// The next request would leave too late.
    OverDeadline {
        /// The latest time.
        deadline: Timestamp,
    },
    /// The write could not leave soon enough after the look it rests on (S10).
    LookTooOld,
    /// The deadline came while the answer was awaited: what was asked for may have happened.
    CutOff {
        /// The latest time.
        deadline: Timestamp,
    },
    /// The work was told to end while the request waited for its turn: it did not leave.
    Stopped,
    /// The ledger of requests cannot be kept, so none may leave (S4).
    Ledger(String),
    /// What is needed to make the request is missing.
    Local(String),
}

impl Cause {
    /// Whether a write that ended so may have been carried out (`docs/platform.md`).
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Transport(error) => error.reach == Reach::Lost,
            Self::TimedOut(_)
            | Self::CutOff { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge { .. } => true,
            Self::Api(ApiError { status, .. }) | Self::NotTheApi { status, .. } => {
                is_ambiguous(*status)
            }
            // 303 is how some servers answer a POST that they carried out.
            Self::Redirected { .. } => true,
            // It refused: 401, 403 or 404.
            Self::WrongGeneration(_)
            | Self::OverCalls { .. }
            | Self::OverDeadline { .. }
            | Self::LookTooOld
            | Self::Stopped
            | Self::Ledger(_)
            | Self::Local(_) => false,
        }
    }

    /// Whether a person has to ask if the right address was asked.
    fn doubts_the_address(&self) -> bool {
        match self {
            Self::Api(error) => error.status == 404 && !error.is_absence,
            Self::Transport(_)
            | Self::TimedOut(_)
            | Self::CutOff { .. }
            | Self::WrongGeneration(_)
            | Self::NotTheApi { .. }
            | Self::Redirected { .. } => true,
            Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::OverCalls { .. }
            | Self::OverDeadline { .. }
            | Self::LookTooOld
            | Self::Stopped
            | Self::Ledger(_)
            | Self::Local(_) => false,
        }
    }
}

/// Whether a status leaves open what became of a write: anything but a refusal.
fn is_ambiguous(status: u16) -> bool {
    !(400..500).contains(&status) || status == 408 || status == 425
}

/// A request that failed.
///
/// Boxed, because it travels in many results and is rare.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    doing: String,
    cause: Cause,
    /// The address that was asked.
    address: Option<String>,
    told: Option<Duration>,
}

impl Error {
    /// Makes the error of something we were doing, for example "list services".
    pub(super) fn new(doing: impl Into<String>, cause: Cause) -> Self {
        Self(Box::new(Inner { doing: doing.into(), cause, address: None, told: None }))
    }

    /// Says which address was asked.
    pub(super) fn at(mut self, address: &str) -> Self {
        self.0.address = Some(address.to_owned());
        self
    }

    /// Notes how long the server asked to be left alone.
    pub(super) fn told(mut self, told: Option<Duration>) -> Self {
        self.0.told = told;
        self
    }

    /// Returns how long the server asked to be left alone.
    pub(super) fn wait_told(&self) -> Option<Duration> {
        self.0.told
    }

    /// Returns why.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Whether a write that ended so may have been carried out.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        self.0.cause.may_have_happened()
    }

    /// Returns what a caller may do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.0.cause {
            Cause::Api(error) => kind_of(error),
            Cause::Transport(_) | Cause::TimedOut(_) | Cause::LookTooOld => ErrorKind::Unavailable,
            Cause::WrongGeneration(_) | Cause::NotTheApi { .. } | Cause::Redirected { .. } => {
                ErrorKind::NotTheApi
            }
            Cause::Unreadable { .. } | Cause::TooLarge { .. } => ErrorKind::Unreadable,
            Cause::OverCalls { .. }
            | Cause::OverDeadline { .. }
            | Cause::CutOff { .. }
            | Cause::Stopped => ErrorKind::OverBudget,
            Cause::Ledger(_) | Cause::Local(_) => ErrorKind::Local,
        }
    }

    /// Whether the time of the run is used up.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        matches!(self.0.cause, Cause::OverDeadline { .. } | Cause::CutOff { .. })
    }

    /// Whether the work was told to end before the request left.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        matches!(self.0.cause, Cause::Stopped)
    }

    /// Returns what the API said, when it said something.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match &self.0.cause {
            Cause::Api(error) | Cause::WrongGeneration(error) => Some(error),
            _ => None,
        }
    }

    /// Returns what to tell the vendor's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.cause {
            Cause::Unreadable { request_id, .. } => request_id.as_deref(),
            _ => self.api().and_then(|error| error.request_id.as_deref()),
        }
    }

    /// Returns what a person can do, each a fragment.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match &self.0.cause {
            Cause::WrongGeneration(_) => {
                "this is the vendor's other API, with tokens `kbr_pat_…`; stoker needs version 1, \
                 https://api.stackblaze.cloud/v1, and a token `sb_live_…`"
            }
            Cause::NotTheApi { .. } | Cause::Redirected { .. } => {
                "check STACKBLAZE_API_URL and the proxy; `stoker doctor` shows what answers"
            }
            Cause::Transport(error) if error.is_distrust() => DISTRUST_HINT,
            Cause::Api(error) if error.status == 401 => {
                "check the token: STACKBLAZE_TOKEN, or what `tokenEnv` or `tokenFile` of the project \
                 names; `stoker doctor` shows what it may do"
            }
            Cause::Api(error) if error.status == 403 => {
                "the token may lack this permission, or the role may not delete; `stoker doctor` \
                 shows what the token may do"
            }
            Cause::OverCalls { .. } => "allow more with --max-calls",
            Cause::OverDeadline { .. } | Cause::CutOff { .. } => "allow more time with --timeout",
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

fn kind_of(error: &ApiError) -> ErrorKind {
    match error.status {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::Permission,
        404 if error.is_absence => ErrorKind::NotFound,
        409 if error.is_deploy_in_progress() => ErrorKind::Busy,
        429 | 408 | 425 => ErrorKind::Unavailable,
        400..500 => ErrorKind::Refused,
        _ => ErrorKind::Unavailable,
    }
}

/// A fragment that completes "failed to …".
impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { doing, cause, address, told: _ } = &*self.0;
        write!(formatter, "{doing}: {cause}")?;
        match address {
            Some(address) if cause.doubts_the_address() => write!(formatter, " (at {address})"),
            Some(_) | None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => error.fmt(formatter),
            Self::Transport(error) => error.fmt(formatter),
            Self::TimedOut(limit) => {
                write!(formatter, "no complete answer within {} s", limit.as_secs())
            }
            Self::WrongGeneration(error) => {
                write!(formatter, "another generation of the API answered: {error}")
            }
            Self::NotTheApi { status, seen } => {
                write!(formatter, "something that is not the API answered {status} with {seen}")
            }
            Self::Redirected { status, target } => {
                let target = target.as_deref().map(|target| format!(" to {target}"));
                let target = target.unwrap_or_default();
                write!(
                    formatter,
                    "the answer is a redirect ({status}){target}, and none is followed"
                )
            }
            Self::Unreadable { reason, request_id } => {
                write!(formatter, "the answer cannot be read: {reason}")?;
                show_request(formatter, request_id.as_deref())
            }
            Self::TooLarge { bytes_max } => {
                write!(formatter, "the answer is larger than {} MiB", bytes_max / (1024 * 1024))
            }
            Self::OverCalls { calls_max } => {
                write!(formatter, "all {calls_max} allowed requests have been sent")
            }
            Self::OverDeadline { deadline } => {
                write!(formatter, "it would be later than the deadline, {deadline:.0}")
            }
            Self::LookTooOld => {
                formatter.write_str("it could not be sent soon enough after the read before it")
            }
            Self::CutOff { deadline } => {
                write!(formatter, "no complete answer before the deadline, {deadline:.0}")
            }
            Self::Stopped => formatter.write_str("it was stopped before its request was sent"),
            Self::Ledger(reason) => write!(formatter, "no request may be sent: {reason}"),
            Self::Local(reason) => formatter.write_str(reason),
        }
    }
}

fn show_request(formatter: &mut fmt::Formatter<'_>, request_id: Option<&str>) -> fmt::Result {
    request_id.map_or(Ok(()), |id| write!(formatter, " (request {id})"))
}
