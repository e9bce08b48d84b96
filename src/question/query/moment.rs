//! Moments as they are written in a query.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::{Value, fault};
use crate::{error::Result, event::Timestamp, question::period};

/// A moment as it is written in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An instant, RFC 3339.
    At(Timestamp),
    /// The beginning of a day.
    Day(NaiveDate),
    /// A time of a day.
    Local(NaiveDateTime),
    /// So many seconds ago.
    Ago(i64),
    /// The beginning of the day that lies so many days back.
    DaysBack(u64),
}

impl Moment {
    /// Reads a moment.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `query`.
    pub fn parse(value: &Value) -> Result<Self> {
        let text = value.text.as_str();
        let read = || -> Option<Self> {
            let lower = text.to_ascii_lowercase();
            match lower.as_str() {
                "today" => return Some(Self::DaysBack(0)),
                "yesterday" => return Some(Self::DaysBack(1)),
                _ => {}
            }
            if let Some((at, unit)) = lower.char_indices().last() {
                let number = &lower[..at];
                let seconds = match unit {
                    'm' => 60,
                    'h' => 3_600,
                    'd' => 86_400,
                    'w' => 604_800,
                    _ => 0,
                };
                let is_plain = (1..=6).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
                if seconds > 0 && is_plain {
                    return number.parse::<i64>().ok().map(|number| Self::Ago(number * seconds));
                }
            }
            if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                return Some(Self::Day(day));
            }
            let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
            let local = local.into_iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
            local.map(Self::Local).or_else(|| Timestamp::parse(text).map(Self::At))
        };
        read().ok_or_else(|| {
            let rule = format!(
                "must be a day such as 2026-11-01, a time such as 2026-11-01T14:30, an instant (RFC 3339), a time ago such as 15m, \
                 24h, 7d or 2w, today or yesterday, got {text:?}"
            );
            fault(value.at.clone(), rule)
        })
    }

    /// Whether it is another instant tomorrow.
    #[must_use]
    pub const fn moves(&self) -> bool {
        matches!(self, Self::Ago(_) | Self::DaysBack(_))
    }

    /// Whether the zone decides which instant it is.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Day(_) | Self::Local(_) | Self::DaysBack(_))
    }

    /// The day, where it is one.
    #[must_use]
    pub fn day(&self, zone: Tz, now: Timestamp) -> Option<NaiveDate> {
        match self {
            Self::Day(day) => Some(*day),
            Self::DaysBack(days) => period::day_of(now, zone).checked_sub_days(Days::new(*days)),
            Self::At(_) | Self::Local(_) | Self::Ago(_) => None,
        }
    }

    /// The instant that it is.
    #[must_use]
    pub fn instant(&self, zone: Tz, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => *at,
            Self::Ago(seconds) => {
                let at = now.to_utc().checked_sub_signed(TimeDelta::seconds(*seconds));
                at.map_or(Timestamp::EARLIEST, clamped)
            }
            Self::Local(local) => {
                // Where clocks go forward, a time that they jump over is that of the offset before.
                let jumped_over = || {
                    let before = local.checked_sub_signed(TimeDelta::hours(3))?;
                    Some(zone.from_local_datetime(&before).earliest()?.to_utc() + TimeDelta::hours(3))
                };
                let at = zone.from_local_datetime(local).earliest().map(|at| at.to_utc()).or_else(jumped_over);
                clamped(at.unwrap_or_else(|| local.and_utc()))
            }
            Self::Day(_) | Self::DaysBack(_) => {
                self.day(zone, now).map_or(Timestamp::EARLIEST, |day| start_of(day, zone))
            }
        }
    }
}

/// The first instant of a day; of one that no event can be of, the nearest that there is.
pub(super) fn start_of(day: NaiveDate, zone: Tz) -> Timestamp {
    match day.year() {
        ..1_800 => Timestamp::EARLIEST,
        2_200.. => Timestamp::LATEST,
        _ => period::day_start(day, zone),
    }
}

/// The instant, or the nearest that an event can be of.
fn clamped(at: DateTime<Utc>) -> Timestamp {
    let nearest = if at < DateTime::UNIX_EPOCH { Timestamp::EARLIEST } else { Timestamp::LATEST };
    Timestamp::from_utc(at).unwrap_or(nearest)
}
