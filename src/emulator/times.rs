//! When a thing was created, as the answer to its create says it and as reads do.
//!
//! Back ends answer a create with the object they hold in memory and read a row later, and a
//! database keeps a time otherwise than the program that wrote it.

use super::calendar::{iso, iso_millis};
use super::choice::Times;

impl Times {
    /// Writes a time as the answer to a create shows it.
    pub(crate) fn answered(self, instant: u64) -> String {
        match self {
            Self::Seconds | Self::NotListed => iso(instant),
            Self::RoundedRows | Self::ZonelessRows => iso_millis(instant),
        }
    }

    /// Writes it as reads do.
    pub(crate) fn stored(self, instant: u64) -> String {
        match self {
            Self::Seconds | Self::NotListed => iso(instant),
            Self::RoundedRows => iso((instant + 500) / 1000 * 1000),
            Self::ZonelessRows => iso_millis(instant).replace('T', " ").replace('Z', ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_answers_and_stores_a_time_in_its_own_form() {
        let instant = 1_768_473_030_700;
        let both = |times: Times| (times.answered(instant), times.stored(instant));
        let pair = |left: &str, right: &str| (left.to_owned(), right.to_owned());
        let seconds = pair("2026-01-15T10:30:30Z", "2026-01-15T10:30:30Z");
        let rounded = pair("2026-01-15T10:30:30.700Z", "2026-01-15T10:30:31Z");
        let zoneless = pair("2026-01-15T10:30:30.700Z", "2026-01-15 10:30:30.700");
        assert_eq!(both(Times::Seconds), seconds);
        assert_eq!(both(Times::RoundedRows), rounded);
        assert_eq!(both(Times::ZonelessRows), zoneless);
    }
}
