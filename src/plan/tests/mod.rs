//! The laws of planning, as sentences.

mod guard;
mod ownership;
mod scene;
mod three_way;
