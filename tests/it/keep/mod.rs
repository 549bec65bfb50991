//! The agent as a process: the real binary, real files, real sockets, real signals.
//!
//! What the loop decides is tested on a virtual clock elsewhere. Here is what only a process can
//! show, so a thing is waited for until a generous deadline, never for a fixed time.

mod machine;
mod repository;
mod secrets;
mod served;
mod sink;

mod answers;
mod beside;
mod files;
mod git;
mod hooks;
mod life;
mod many;
mod proxies;
mod steering;
mod unread;
