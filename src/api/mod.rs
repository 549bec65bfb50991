//! The client of the platform's API, version 1.
//!
//! [`Reader`] reads, [`Writer`] writes, and all they do leaves through [`Client`]. [`Transport`]
//! is the one seam: a socket, the sandbox or a test stands behind it. Every assumption about the
//! API is in [`Dialect`]; the platform's field names are known to `wire` and it alone.

mod endpoint;
mod route;
mod transport;

mod connections;
mod socket;

mod answer;
mod body;
mod error;
mod foreign;
mod reason;

mod parts;
mod pinned;

mod call;
mod client;
mod flight;
mod known;
mod leave;
mod limits;
mod retry;
mod time;

mod dialect;
mod wire;

mod form;
mod page;

mod reader;

mod events;
mod live;
mod recollection;
mod stream;
mod undetailed;

mod outcome;
mod writer;

mod order;
mod survey;

pub use call::Leaving;
pub use client::Client;
pub use dialect::{
    Dialect, DialectEntry, DialectError, EnvPatch, GroupNaming, ListForm, NotFound, Rename,
    Resolver,
};
pub use endpoint::{ENDPOINT_DEFAULT, Endpoint, EndpointError, Token, TokenError};
pub use error::{ApiError, Cause, Error, ErrorKind};
pub use events::{ServerEvent, is_event_stream};
pub use flight::RequestCounts;
pub use leave::{LOOK_AGE_MAX, Leave, Pair, Reservation, TenureCheck};
pub use limits::retry_after;
pub use order::{DeployTarget, DeploymentOrder, TargetSight};
pub use outcome::{Deletion, WriteError};
pub use parts::{ClientConfig, ClientParts, Wait};
pub use pinned::NotPinned;
pub use reader::{Lookup, Reader};
pub use recollection::Recollection;
pub use retry::{ROUNDS_MAX, Rounds};
pub use socket::{HttpSetupError, HttpTransport};
pub use stream::{LogPlace, read_events};
pub use survey::Surveyed;
pub use transport::{BeforeWrite, BodyStream, Reach, Transport, TransportError};
pub use undetailed::note_undetailed;
pub use wire::{Deployment, Links, LogLine, Member, Metrics, Sample};
pub use writer::{Answers, Create, Patch, Writer};

#[cfg(test)]
mod tests;
