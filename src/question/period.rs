//! Days in a viewer's time zone.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::{
    error::{Error, Result},
    event::Timestamp,
};

/// A window that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Preset {
    /// From today's midnight.
    #[serde(rename = "TODAY")]
    Today,
    /// From midnight six days ago.
    #[serde(rename = "LAST_7_DAYS")]
    Last7Days,
    /// From midnight 29 days ago.
    #[serde(rename = "LAST_30_DAYS")]
    Last30Days,
    /// From midnight 89 days ago.
    #[serde(rename = "LAST_90_DAYS")]
    Last90Days,
}

impl Preset {
    /// The name as clients write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Today => "TODAY",
            Self::Last7Days => "LAST_7_DAYS",
            Self::Last30Days => "LAST_30_DAYS",
            Self::Last90Days => "LAST_90_DAYS",
        }
    }
}

/// A window as it was asked for: its instants move with the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Which days.
    pub preset: Preset,
    /// Whose days.
    pub zone: Tz,
}

/// Reads an IANA time zone name.
///
/// # Errors
/// `BAD_USER_INPUT` on `field`.
pub fn time_zone(field: &str, name: &str) -> Result<Tz> {
    name.parse()
        .map_err(|_| Error::bad_input(field, format!("must be an IANA time zone such as Europe/Berlin, got {name:?}")))
}

/// The first instant of a preset.
#[must_use]
pub fn start_of(preset: Preset, zone: Tz, now: Timestamp) -> Timestamp {
    let back = match preset {
        Preset::Today => 0,
        Preset::Last7Days => 6,
        Preset::Last30Days => 29,
        Preset::Last90Days => 89,
    };
    let today = day_of(now, zone);
    day_start(today.checked_sub_days(Days::new(back)).unwrap_or(today), zone)
}

/// The local date of an instant.
#[must_use]
pub fn day_of(at: Timestamp, zone: Tz) -> NaiveDate {
    at.to_utc().with_timezone(&zone).date_naive()
}

/// The first instant of a local date: midnight, or where clocks jump over it, the first that exists.
#[must_use]
pub fn day_start(day: NaiveDate, zone: Tz) -> Timestamp {
    let midnight = day.and_time(NaiveTime::MIN);
    // No zone has skipped more than a day (Samoa, 2011-12-30); a quarter-hour is the finest modern step.
    let start = (0..=96)
        .find_map(|quarter| zone.from_local_datetime(&(midnight + chrono::TimeDelta::minutes(15 * quarter))).earliest())
        .map_or_else(|| midnight.and_utc(), |at: DateTime<Tz>| at.to_utc());
    Timestamp::from_utc(start).unwrap_or(Timestamp::EARLIEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn presets_begin_at_local_midnight_on_days_of_every_length() {
        let berlin = time_zone("z", "Europe/Berlin").unwrap();
        let now = at("2026-03-29T12:00:00Z"); // the day that has 23 hours
        assert_eq!(start_of(Preset::Today, berlin, now), at("2026-03-28T23:00:00Z"));
        assert_eq!(start_of(Preset::Last7Days, berlin, now), at("2026-03-22T23:00:00Z"));
        let after = at("2026-03-30T12:00:00Z");
        assert_eq!(start_of(Preset::Today, berlin, after), at("2026-03-29T22:00:00Z"));
        let kathmandu = time_zone("z", "Asia/Kathmandu").unwrap();
        assert_eq!(start_of(Preset::Today, kathmandu, now), at("2026-03-28T18:15:00Z"));
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_when_clocks_do() {
        let zone = time_zone("z", "America/Sao_Paulo").unwrap();
        let day = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap();
        assert_eq!(day_start(day, zone), at("2018-11-04T03:00:00Z"));
        assert!(time_zone("filter.period.timeZone", "Mars/Olympus").is_err());
    }
}
