//! How a platform writes its answers, and what stands in front of it, beside what it holds: drawn with
//! dice of their own, so that what else befalls a seed is the same with it and without.

use crate::emulator::{Ingress, Times};

use super::dice::Dice;
use super::schedule::PlatformBehaviour;

/// Lets one platform in four keep times of creation otherwise than it answers a create, and another
/// one answer with a framework's ordinary means.
pub(super) fn as_answered(platform: PlatformBehaviour, seed: u64) -> PlatformBehaviour {
    let mut dice = Dice::new(seed.rotate_left(32));
    let drawn = [Times::RoundedRows, Times::ZonelessRows, Times::NotListed];
    let times = dice.pick(&drawn).copied().filter(|_| dice.one_in(4));
    let bare = dice.one_in(4);
    PlatformBehaviour { times: times.unwrap_or(platform.times), bare, ..platform }
}

/// Puts an ingress in front of one platform in eight: it lets a request through in each step, whatever
/// the API has left, and refuses the rest with a status and nothing else.
pub(super) fn behind_an_ingress(platform: PlatformBehaviour, seed: u64) -> PlatformBehaviour {
    let mut dice = Dice::new(seed.rotate_left(16));
    if !dice.one_in(8) {
        return platform;
    }
    let every_ms = dice.pick(&[100, 200, 200, 500]).copied().unwrap_or(200);
    let status = if dice.one_in(2) { 429 } else { 503 };
    PlatformBehaviour { ingress: Some(Ingress { every_ms, status }), ..platform }
}
