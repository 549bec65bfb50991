//! What a store must give, and how it may answer.

use std::time::Duration;

use futures_util::future::BoxFuture;

/// The state of a register: 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version(pub u64);

/// How a put of a record was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    Done,
    /// A record is there already, with these bytes.
    Taken(Vec<u8>),
    /// The record before it is not there: the log was shortened meanwhile.
    Gone,
    /// The seat is another's, or nobody's.
    Unseated,
    /// The store refused: the record is not there, and this request will never put it there.
    Refused(String),
    /// It is there, or will be, or never will.
    Unknown(String),
}

/// Records with their numbers, in order.
pub type NumberedRecords = Vec<(u64, Vec<u8>)>;

/// What is in a register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// The value; empty where there is none.
    pub bytes: Vec<u8>,
    /// What a swap must name.
    pub version: Version,
}

/// How a swap of a register was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The value is there, with this version.
    Done(Version),
    /// The register was changed meanwhile; this is in it.
    Moved(Register),
    /// The store refused, and this request will never change it.
    Refused(String),
    /// It was changed, or will be, or never will.
    Unknown(String),
}

/// A seat that is ours until its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSeat {
    /// Whose it is: unlike any other.
    pub token: String,
}

/// How a request for a seat was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sitting {
    /// It is ours.
    Ours(SharedSeat),
    /// It is another's, who says this of itself.
    Held(String),
    /// The store refused.
    Refused(String),
    /// It is ours, or will be, or not.
    Unknown(String),
}

/// A store that could not be read, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MediumError(pub String);

/// A store that many machines reach.
///
/// # Guarantees
/// Each call is decided in one step by the store, at a moment between its beginning and its end, or
/// later where it is answered with *unknown*.
pub trait SharedMedium: Send + Sync {
    /// Returns the longest record that is taken, in bytes.
    fn record_bytes_max(&self) -> usize;

    /// Returns some of the records after a number, in order and with their numbers; none when there
    /// is none. What was appended meanwhile may be among them.
    fn after<'a>(
        &'a self,
        log: &'a str,
        number: u64,
    ) -> BoxFuture<'a, Result<NumberedRecords, MediumError>>;

    /// Puts a record, if there is none of its number, the one before it is there (before the first
    /// one: the log was never shortened), and the log's seat is still ours.
    /// Where several of these do not hold, the answer is of the first one.
    fn put<'a>(
        &'a self,
        log: &'a str,
        number: u64,
        bytes: &'a [u8],
        seat: &'a SharedSeat,
    ) -> BoxFuture<'a, Put>;

    /// Removes the records before a number.
    fn shorten<'a>(&'a self, log: &'a str, before: u64) -> BoxFuture<'a, Result<(), MediumError>>;

    /// Reads a register.
    fn register<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Register, MediumError>>;

    /// Changes a register that is still of a version.
    fn swap<'a>(&'a self, name: &'a str, version: Version, bytes: &'a [u8]) -> BoxFuture<'a, Swap>;

    /// Takes the seat of a log that is free, or is ours by the token already, for so long from now.
    fn sit<'a>(
        &'a self,
        log: &'a str,
        token: &'a str,
        holder: &'a str,
        time_to_live: Duration,
    ) -> BoxFuture<'a, Sitting>;

    /// Returns who sits on a log, in its own words; nobody where the seat is free.
    fn seated<'a>(&'a self, log: &'a str) -> BoxFuture<'a, Result<Option<String>, MediumError>>;

    /// Gives the seat of a log back. Where that fails it is free when its time is over.
    fn leave<'a>(&'a self, log: &'a str, seat: &'a SharedSeat) -> BoxFuture<'a, ()>;

    /// Waits before a request is repeated.
    fn pause(&self, time: Duration) -> BoxFuture<'_, ()>;
}
