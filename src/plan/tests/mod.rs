//! The laws of planning, as sentences.

mod exchange;
mod flapping;
mod fuse;
mod guard;
mod in_use;
mod laws;
mod likely_rename;
mod mutual;
mod names;
mod order;
mod owed;
mod ownership;
mod paper;
mod put_on;
mod refined;
mod rotation;
mod scene;
mod succession;
mod three_way;
mod unseen;
mod unsettled;
mod world;
