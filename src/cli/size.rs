//! A number of bytes, as people write it.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A number of bytes: `500MB`, `4GB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

/// The units, the largest first. Disks are sold by thousands.
const UNITS: [(&str, u64); 3] =
    [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = UNITS.iter().find_map(|(unit, bytes)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(*bytes).filter(|bytes| *bytes > 0)
        });
        bytes.map(Self).ok_or_else(|| format!("`{text}` is not a size such as 500MB or 4GB"))
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// As it is written: `4GB`.
impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes));
        match whole {
            Some((unit, bytes)) => write!(formatter, "{}{unit}", self.0 / bytes),
            None => write!(formatter, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_whole_number_with_a_unit() {
        for (text, bytes) in
            [("500MB", 500_000_000), ("4GB", 4_000_000_000), ("2000MB", 2_000_000_000)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        assert_eq!(Size(2_000_000_000).to_string(), "2GB");
        for wrong in ["", "0GB", "4", "4gb", "1.5GB", "-1MB", "GB", "99999999999TB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
