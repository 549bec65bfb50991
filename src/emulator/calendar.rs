//! Dates on the wire: ISO 8601 for bodies (F5), HTTP dates for headers.
//!
//! Instants are milliseconds since 1970 everywhere in this room. Nothing here reads a clock,
//! and nothing parses: the emulator only writes dates.

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Writes an instant like `2026-01-15T10:30:00Z`.
pub(crate) fn iso(instant: u64) -> String {
    let (days, clock) = split(instant);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{clock}Z")
}

/// Writes an instant like `2026-01-15T10:30:00.250Z`.
pub(crate) fn iso_millis(instant: u64) -> String {
    iso(instant).replace('Z', &format!(".{:03}Z", instant % 1000))
}

/// Writes an instant like `Thu, 15 Jan 2026 10:30:00 GMT`.
pub(crate) fn http_date(instant: u64) -> String {
    let (days, clock) = split(instant);
    let (year, month, day) = civil(days);
    let weekday = WEEKDAYS[(days % 7) as usize];
    let month = MONTHS[(month - 1) as usize];
    format!("{weekday}, {day:02} {month} {year:04} {clock} GMT")
}

fn split(instant: u64) -> (u64, String) {
    let seconds = instant / 1000;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    (seconds / 86_400, clock)
}

/// Turns days since 1970 into year, month and day.
///
/// Years are counted from March, so that the leap day is the last of its year and the lengths
/// of the months before it follow one formula.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar_over_leap_days() {
        // Seconds as `date -u +%s` gives them.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_768_473_000, "2026-01-15T10:30:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(seconds * 1000), expected);
        }
        assert_eq!(http_date(1_445_412_480_999), "Wed, 21 Oct 2015 07:28:00 GMT");
    }
}
