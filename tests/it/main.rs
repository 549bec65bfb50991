//! Everything that needs more than one room, in one binary.

mod apply;
mod stage;
