//! The laws of the budget, and the goals of the suite, on a virtual clock.

use super::*;

#[path = "../../tests/support/budget/mod.rs"]
mod simulation;

mod goals;
mod headers;
mod laws;
mod turns;
