//! The laws of planning, as sentences.

mod fuse;
mod guard;
mod laws;
mod mutual;
mod names;
mod order;
mod owed;
mod ownership;
mod paper;
mod scene;
mod settling;
mod three_way;
mod unseen;
