//! The command line before a running agent: the real binary, and an agent written by hand that
//! speaks the crate's own types over a real socket.

pub mod fixture;
mod orders;
mod reads;

pub use fixture::Ran;
