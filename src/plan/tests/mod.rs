//! The laws of planning, as sentences.

mod guard;
mod laws;
mod order;
mod owed;
mod ownership;
mod scene;
mod three_way;
mod unseen;
