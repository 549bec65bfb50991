//! How a platform writes its answers, beside what it holds: drawn with dice of its own, so that what
//! else befalls a seed is the same with it and without.

use crate::emulator::Times;

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
