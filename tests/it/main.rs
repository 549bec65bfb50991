//! The one test binary: whole rooms and the whole program, through their public doors.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod manifests;
