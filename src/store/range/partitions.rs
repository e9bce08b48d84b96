//! Which partitions PostgreSQL keeps events in: stretches of time without overlap. SQLite has none.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use sea_orm::FromQueryResult;

use crate::event::{Position, Timestamp};

/// Events before this year share one partition.
const FIRST_YEAR: i32 = 1990;
/// Calendar years before the current one that get a partition a month; older ones get one a year.
const YEARS_BY_MONTH: i32 = 1;

/// A partition of `event`.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(in crate::store) struct Partition {
    /// First position.
    pub low: i64,
    /// The position after the last.
    pub high: i64,
    /// Its table.
    pub name: String,
}

/// All partitions that are known.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Partitions {
    /// From oldest to newest, without overlap.
    pub list: Vec<Partition>,
    /// What the database says of exactly this list: see [`Dialect::partitions_mark`](crate::store::dialect::Dialect::partitions_mark).
    pub mark: i64,
}

impl Partitions {
    /// The partition that a position lies in.
    pub fn of(&self, position: i64) -> Option<&Partition> {
        let after = self.list.partition_point(|partition| partition.low <= position);
        self.list[..after].last().filter(|partition| position < partition.high)
    }

    /// How many there are, one at least.
    pub fn count(&self) -> i64 {
        (self.list.len() as i64).max(1)
    }

    /// The partitions that a stretch of positions (both inclusive) touches.
    pub fn touched(&self, low: i64, high: i64) -> &[Partition] {
        let start = self.list.partition_point(|partition| partition.high <= low);
        let end = self.list.partition_point(|partition| partition.low <= high);
        &self.list[start.min(end)..end]
    }

    /// The partitions of a stretch in the order of a search that ends as soon as a page is full: one, two, four, …
    pub fn windows(&self, low: i64, high: i64, descending: bool) -> Vec<Vec<Partition>> {
        let mut rest = self.touched(low, high).to_vec();
        if descending {
            rest.reverse();
        }
        let mut windows = Vec::new();
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(1 << windows.len()));
            windows.push(std::mem::replace(&mut rest, later));
        }
        windows
    }

    /// The partitions that have to be made for some positions: as wide as their age allows, in the gaps between those
    /// that are there.
    pub fn missing(&self, positions: impl IntoIterator<Item = i64>, now: Timestamp) -> Vec<Partition> {
        let mut all = self.clone();
        let mut made = Vec::new();
        for position in positions.into_iter().collect::<BTreeSet<_>>() {
            if all.of(position).is_some() {
                continue;
            }
            let mut partition = natural(position, now);
            let at = all.list.partition_point(|each| each.low <= position);
            if let Some(before) = all.list[..at].last() {
                partition.low = partition.low.max(before.high);
            }
            if let Some(after) = all.list.get(at) {
                partition.high = partition.high.min(after.low);
            }
            partition.name = name(partition.low, partition.high);
            all.list.insert(at, partition.clone());
            made.push(partition);
        }
        made
    }
}

/// The stretch of time that a position shares a partition with: its month, its year if that is long ago, or all that
/// lies before [`FIRST_YEAR`].
fn natural(position: i64, now: Timestamp) -> Partition {
    let at = day_of(position);
    let (low, high) = if at.year() < FIRST_YEAR {
        (i64::MIN, start_of(NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1)))
    } else if at.year() < day_of(Position::block_of(now).0).year() - YEARS_BY_MONTH {
        (start_of(NaiveDate::from_ymd_opt(at.year(), 1, 1)), start_of(NaiveDate::from_ymd_opt(at.year() + 1, 1, 1)))
    } else {
        let month = at.with_day(1);
        (start_of(month), start_of(month.and_then(|month| month.checked_add_months(Months::new(1)))))
    };
    Partition { low, high, name: String::new() }
}

pub(in crate::store) fn day_of(position: i64) -> NaiveDate {
    let at = DateTime::<Utc>::from_timestamp_micros(position >> Position::TIE_BITS).unwrap_or_default();
    at.date_naive()
}

/// The first position of a day. The calendar has every day that a position can lie in.
pub(in crate::store) fn start_of(day: Option<NaiveDate>) -> i64 {
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_default();
    midnight.and_utc().timestamp_micros() << Position::TIE_BITS
}

/// `event_202611` for a month, `event_201901_201912` for more, `event_198912` for all up to then.
fn name(low: i64, high: i64) -> String {
    let month = |position| day_of(position).format("%Y%m").to_string();
    let (first, last) = (month(low), month(high - 1));
    if low == i64::MIN || first == last { format!("event_{last}") } else { format!("event_{first}_{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        Position::block_of(Timestamp::parse(text).expect("an instant")).0
    }

    fn made(partitions: &mut Partitions, times: &[&str]) -> Vec<String> {
        let now = Timestamp::parse("2026-11-21T00:00:00Z").expect("an instant");
        let made = partitions.missing(times.iter().map(|time| at(time)), now);
        partitions.list.extend(made.iter().cloned());
        partitions.list.sort_by_key(|partition| partition.low);
        for pair in partitions.list.windows(2) {
            assert!(pair[0].high <= pair[1].low, "{pair:?} overlap");
        }
        for time in times {
            assert!(partitions.of(at(time)).is_some(), "{time} has no partition");
        }
        made.into_iter().map(|partition| partition.name).collect()
    }

    #[test]
    fn recent_events_lie_in_months_older_ones_in_years_and_ancient_ones_together() {
        let mut partitions = Partitions::default();
        let times = ["2026-11-30T23:59:59.999999Z", "2026-12-01T00:00:00Z", "2025-01-05T00:00:00Z"];
        assert_eq!(made(&mut partitions, &times), ["event_202501", "event_202611", "event_202612"]);
        let old = ["2024-12-31T23:59:59Z", "2024-01-01T00:00:00Z", "1989-12-31T00:00:00Z", "1900-01-01T00:00:00Z"];
        assert_eq!(made(&mut partitions, &old), ["event_198912", "event_202401_202412"]);
        assert_eq!(made(&mut partitions, &old), Vec::<String>::new());
    }

    #[test]
    fn a_year_is_fitted_between_the_months_that_are_there() {
        let mut partitions = Partitions {
            mark: 0,
            list: vec![Partition {
                low: at("2023-04-01T00:00:00Z"),
                high: at("2023-05-01T00:00:00Z"),
                name: "event_202304".to_owned(),
            }],
        };
        let times = ["2023-02-01T00:00:00Z", "2023-11-01T00:00:00Z"];
        assert_eq!(made(&mut partitions, &times), ["event_202301_202303", "event_202305_202312"]);
    }

    #[test]
    fn a_search_goes_through_more_and_more_partitions_at_a_time_and_leaves_none_out() {
        let partition = |n: i64| Partition { low: n * 10, high: n * 10 + 10, name: n.to_string() };
        let partitions = Partitions { list: (0..9).map(partition).collect(), mark: 0 };
        let names = |low, high, descending| -> Vec<Vec<String>> {
            let windows = partitions.windows(low, high, descending);
            windows.into_iter().map(|window| window.into_iter().map(|each| each.name).collect()).collect()
        };
        assert_eq!(
            names(i64::MIN, i64::MAX, true),
            [vec!["8"], vec!["7", "6"], vec!["5", "4", "3", "2"], vec!["1", "0"]]
        );
        assert_eq!(names(15, 30, false), [vec!["1"], vec!["2", "3"]]);
        assert_eq!(names(90, i64::MAX, true), Vec::<Vec<String>>::new());
    }
}
