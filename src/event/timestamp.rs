use std::fmt;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// An instant in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// 1900-01-01T00:00:00Z, the earliest instant that an event may carry.
    pub const EARLIEST: Self = Self(-2_208_988_800_000_000_000);

    /// 2112-01-01T00:00:00Z: nothing is recorded from then on, because the order of time ends in that year. See
    /// [`Position::block_of`](super::Position::block_of).
    pub const LATEST: Self = Self(4_481_049_600_000_000_000);

    /// The instant of a chrono value; `None` outside the years 1677 to 2262.
    #[must_use]
    pub fn from_utc(at: DateTime<Utc>) -> Option<Self> {
        at.timestamp_nanos_opt().map(Self)
    }

    /// Reads RFC 3339 with any offset and up to nine fraction digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // chrono reads further digits and forgets them: what is kept must be what was sent.
        let fraction = text.split_once('.').map_or(0, |(_, f)| f.bytes().take_while(u8::is_ascii_digit).count());
        if fraction > 9 {
            return None;
        }
        DateTime::parse_from_rfc3339(text).ok().and_then(|at| Self::from_utc(at.to_utc()))
    }

    /// Reads an instant that a caller sent in a field.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on the field, with what would have been read.
    pub fn read(text: &str, field: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| {
            Error::bad_input(field, format!("must be an RFC 3339 date and time with an offset, at most nine fraction digits and a year from 1678 to 2261, got {text:?}"))
        })
    }

    /// Reads a bound of a range that a caller asks for in a field. Before and after all years that are kept, it is the first and
    /// the last of them: year 1, year 9999, and what else systems say where they mean no bound.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on the field, with what would have been read.
    pub fn read_bound(text: &str, field: &str) -> Result<Self> {
        match Self::parse(text) {
            Some(at) => Ok(at),
            None => match is_beyond(text) {
                Some(true) => Ok(Self::LAST_BOUND),
                Some(false) => Ok(Self::FIRST_BOUND),
                None => Self::read(text, field),
            },
        }
    }

    /// 1678-01-01T00:00:00Z, the first instant that a range begins or ends with.
    const FIRST_BOUND: Self = Self(-9_214_560_000_000_000_000);

    /// 2262-01-01T00:00:00Z, the last one.
    const LAST_BOUND: Self = Self(9_214_646_400_000_000_000);

    /// The same instant for chrono.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// Whole microseconds since 1970, rounded towards the past.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.div_euclid(1_000)
    }
}

/// Whether a text is an instant after (or before) all that are kept.
fn is_beyond(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "infinity" | "+infinity" => return Some(true),
        "-infinity" => return Some(false),
        _ => {}
    }
    // Years of more than four digits have a sign, as JavaScript and Java write them.
    let signed =
        text.strip_prefix('+').map(|rest| (rest, true)).or_else(|| text.strip_prefix('-').map(|rest| (rest, false)));
    if let Some((rest, is_later)) = signed {
        let (year, date) = rest.split_once('-')?;
        let is_year = (4..=10).contains(&year.len()) && year.bytes().all(|byte| byte.is_ascii_digit());
        // A leap year, so that no day of it is missing.
        return (is_year && DateTime::parse_from_rfc3339(&format!("2000-{date}")).is_ok()).then_some(is_later);
    }
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    // What is within, and has too many digits, is refused as everywhere.
    (!(1678..=2261).contains(&at.to_utc().year())).then(|| at.to_utc().year() > 2261)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, as many fraction digits as needed, at most nine.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written by hand: a page shows two for every event, and chrono's way makes two texts for each.
        let at = self.to_utc();
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let mut put = |from: usize, to: usize, mut number: u32| {
            for digit in text[from..to].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        put(0, 4, at.year().unsigned_abs());
        put(5, 7, at.month());
        put(8, 10, at.day());
        put(11, 13, at.hour());
        put(14, 16, at.minute());
        put(17, 19, at.second());
        put(20, 29, at.nanosecond());
        let idle = text[20..29].iter().rev().take_while(|digit| **digit == b'0').count();
        let end = if idle == 9 { 19 } else { 29 - idle };
        text[end] = b'Z';
        f.write_str(std::str::from_utf8(&text[..=end]).expect("digits are ASCII"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn an_instant_is_kept_to_the_nanosecond_and_shown_without_idle_zeros() {
        for (sent, shown) in [
            ("2025-05-27T16:46:46.485356507Z", "2025-05-27T16:46:46.485356507Z"),
            ("2021-08-19T12:16:32.000-04:00", "2021-08-19T16:16:32Z"),
            ("2021-08-19T12:16:30.10Z", "2021-08-19T12:16:30.1Z"),
            ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.000000001Z", "1969-12-31T23:59:59.000000001Z"),
            ("2261-12-31T23:59:59.999999999Z", "2261-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(Timestamp::parse(sent).unwrap().to_string(), shown);
        }
        assert_eq!(Timestamp::parse("1900-01-01T00:00:00Z"), Some(Timestamp::EARLIEST));
        for bad in ["", "2021-02-30T00:00:00Z", "2021-01-01", "2021-01-01T00:00:00", "2021-01-01T00:00:00.1234567890Z"]
        {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
