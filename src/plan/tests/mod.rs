//! The laws of planning, as sentences.

mod scene;
mod three_way;
