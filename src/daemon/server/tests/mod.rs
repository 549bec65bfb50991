//! The server in memory, on a paused clock; sockets only where the system itself is the question.

mod connections;
mod flooding;
mod hooks;
mod listening;
mod measuring;
mod ordering;
mod reading;
mod sockets;
mod stage;
