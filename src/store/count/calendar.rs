//! Events by local day, kept in memory. Recording changes no count of the past, so a later question adds only the events
//! that were recorded since; after events have left, all is counted anew.

use std::{collections::HashMap, sync::Arc};

use chrono::{Days, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use entity::organization_head as head;
use moka::sync::Cache;
use sea_orm::FromQueryResult;

use super::total::Count;
use crate::{
    error::{Error, Result},
    event::{ActionName, Timestamp},
    question::period,
    store::{
        Selection, Store,
        connection::{reads::Reads, transaction},
        dialect::sql::Sql,
        dictionary::Kind,
        error,
        grain::Grain,
        head::{Head, grew, has_same_events},
        rows,
    },
};

/// Events that are added to a calendar one by one; beyond, it is counted anew.
const CATCH_UP: i64 = 5_000;
/// Counts that all calendars together remember: at some 40 bytes each, 20 MB.
const REMEMBERED: u64 = 500_000;
/// Seconds of a quarter-hour and a day, and whole days that make every instant positive: integer division cuts
/// towards zero.
const QUARTER_SECONDS: i64 = 900;
const DAY_SECONDS: i64 = 86_400;
const SHIFT_DAYS: i64 = 200_000;

/// An organization's events by local day, log and kind.
#[derive(Clone)]
pub(super) struct Calendar {
    /// The head at which it was counted: it has the events of the sequences below the head's size, and of that history.
    at: head::Model,
    /// By day since 1970, log and kind.
    counts: HashMap<(i64, i64, i64), i64>,
}

impl Calendar {
    /// The days of a selection, from one (inclusive) to another (exclusive).
    pub fn days(&self, selection: &Selection, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Vec<(NaiveDate, i64)> {
        let number = |day: NaiveDate| day.signed_duration_since(NaiveDate::default()).num_days();
        let (low, high) = (from.map_or(i64::MIN, number), to.map_or(i64::MAX, number));
        let kinds = 0..selection.dictionary.kinds.len() as i64;
        let kinds: Vec<_> = kinds.map(|no| selection.keeps_kind(no)).collect();
        let logs = 0..selection.dictionary.logs.len() as i64;
        let logs: Vec<_> = logs.map(|no| selection.view.shows(&selection.dictionary, no)).collect();
        let kept = |all: &[bool], no: i64| usize::try_from(no).is_ok_and(|no| all.get(no).copied().unwrap_or_default());
        let mut days: HashMap<i64, i64> = HashMap::new();
        for ((day, log_no, kind_no), n) in &self.counts {
            if low <= *day && *day < high && kept(&logs, *log_no) && kept(&kinds, *kind_no) {
                *days.entry(*day).or_default() += n;
            }
        }
        let date = |days: i64| match u64::try_from(days) {
            Ok(days) => NaiveDate::default().checked_add_days(Days::new(days)),
            Err(_) => NaiveDate::default().checked_sub_days(Days::new(days.unsigned_abs())),
        };
        days.into_iter().filter_map(|(day, n)| Some((date(day)?, n))).collect()
    }

    /// The counts of days since 1970, from first to last, by log and kind, and by day if asked.
    pub fn counts(&self, first: i64, last: i64, by_day: bool) -> Vec<Count> {
        let mut counts: HashMap<(i64, i64, i64), i64> = HashMap::new();
        for ((day, log_no, kind_no), n) in &self.counts {
            if first <= *day && *day <= last {
                *counts.entry((if by_day { *day } else { 0 }, *log_no, *kind_no)).or_default() += n;
            }
        }
        let count = |((bucket, log_no, kind_no), n)| Count { bucket, log_no, kind_no, n };
        counts.into_iter().map(count).collect()
    }
}

/// The calendars that were asked for last, by organization and time zone.
pub(in crate::store) struct Calendars(Cache<(i64, Tz), Arc<Calendar>>);

impl Default for Calendars {
    fn default() -> Self {
        let weight =
            |_: &(i64, Tz), calendar: &Arc<Calendar>| u32::try_from(calendar.counts.len() + 10).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weight).max_capacity(REMEMBERED).build())
    }
}

impl Calendars {
    /// Drops all.
    pub fn forget(&self) {
        self.0.invalidate_all();
    }
}

impl Store {
    /// The calendar of a selection's organization, at its size or later; `None` where the zone's offset from UTC was no
    /// whole quarter-hours at the time of some event.
    pub(super) async fn calendar(&self, selection: &Selection, zone: Tz) -> Result<Option<Arc<Calendar>>> {
        let key = (selection.organization_no, zone);
        let calendar = match self.calendars.0.get(&key) {
            Some(known) => {
                // Another question may have counted it at a later head than this one's.
                let later = known.at.size > selection.head.size;
                let head = if later { self.head_again(selection).await?.row } else { selection.head.clone() };
                if has_same_events(&known.at, &head) {
                    return Ok(Some(known));
                }
                self.caught_up_calendar(selection, &known, &head, zone).await?
            }
            None => None,
        };
        let calendar = match calendar {
            Some(calendar) => Some(calendar),
            None => {
                let read = self.read.paced(selection.sized());
                match self.counted_calendar(&read, selection, zone).await {
                    // A replica has given it up.
                    Err(error @ Error::Unavailable(_)) => match read.primary() {
                        Some(primary) => self.counted_calendar(&primary, selection, zone).await?,
                        None => return Err(error),
                    },
                    counted => counted?,
                }
            }
        };
        let calendar = calendar.map(Arc::new);
        if let Some(calendar) = &calendar {
            self.calendars.0.insert(key, calendar.clone());
        }
        Ok(calendar)
    }

    /// The calendar with the events that were recorded since; `None` where it has to be counted anew.
    async fn caught_up_calendar(
        &self,
        selection: &Selection,
        known: &Calendar,
        head: &head::Model,
        zone: Tz,
    ) -> Result<Option<Calendar>> {
        #[derive(FromQueryResult)]
        struct Row {
            salt: i64,
            occurred_ns: i64,
            log_no: i64,
            action: String,
            category: Option<String>,
            outcome: Option<i16>,
        }
        let no = selection.organization_no;
        if !grew(&known.at, head) {
            // A smaller head may be a replica's that is behind the primary, on which the calendar was counted.
            if known.at.size == head.size {
                self.forget("the last event of a counted calendar is another one");
            }
            return Ok(None);
        }
        // Which days the events were of that have left since is not known any more.
        if known.at.removed != head.removed {
            return Ok(None);
        }
        // An earlier head is one that has events.
        let (last_counted, last) = (known.at.size - 1, head.size - 1);
        if last - last_counted > CATCH_UP {
            return Ok(None);
        }
        let columns = "e.salt, e.occurred_ns, e.log_no, e.action, e.category, e.outcome";
        let sql = self.dialect.select_by_sequence(columns, no, last_counted, last, false, CATCH_UP + 1);
        let mut rows = self.rows_of::<Row>(sql).await?.into_iter();
        // The last event that was counted is read again. In another history it is another event.
        let last = rows.next().filter(|row| row.salt == known.at.last_salt);
        if last.is_none() && known.at.removed > 0 {
            return Ok(None);
        }
        if last.is_none() {
            self.forget("the last event of a counted calendar is another one");
            return Ok(None);
        }
        if rows.len() as i64 != head.size - known.at.size {
            return Ok(None);
        }
        let mut calendar = Calendar { at: head.clone(), counts: known.counts.clone() };
        for row in rows {
            let outcome = rows::outcome(row.outcome).map_err(error::from)?;
            let kind = Kind { action: ActionName::stored(row.action), category: row.category, outcome };
            let Some(kind_no) = selection.dictionary.kind_no(&kind) else { return Ok(None) };
            let day = period::day_of(Timestamp(row.occurred_ns), zone);
            let day = day.signed_duration_since(NaiveDate::default()).num_days();
            *calendar.counts.entry((day, row.log_no, kind_no)).or_default() += 1;
        }
        Ok(Some(calendar))
    }

    /// A calendar from the kept quarter-hours (in UTC: days), all at one instant.
    async fn counted_calendar(&self, read: &Reads, selection: &Selection, zone: Tz) -> Result<Option<Calendar>> {
        #[derive(FromQueryResult)]
        struct Ends {
            first: Option<i64>,
            last: Option<i64>,
        }
        #[derive(FromQueryResult)]
        struct Row {
            day: i64,
            log_no: i64,
            kind_no: i64,
            n: i64,
        }
        let no = selection.organization_no;
        let backend = self.dialect.backend();
        let tx = transaction::snapshot(read, self.dialect).await?;
        let at = self.head(&tx, no).await?.filter(|head| selection.is_of(head));
        let Some(Head { row: at, .. }) = at else {
            return Err(self.put_back_meanwhile("an organization vanished while its days were counted"));
        };
        let (grain, unit) = if zone == Tz::UTC { (Grain::Day, DAY_SECONDS) } else { (Grain::Quarter, QUARTER_SECONDS) };
        let of =
            |sql: Sql| sql.with(" FROM event_count WHERE organization_no = ", no).with(" AND grain = ", grain as i32);
        let ends =
            Ends::find_by_statement(of(Sql::new("SELECT min(bucket) AS first, max(bucket) AS last")).on(backend));
        let ends = ends.one(&tx).await.map_err(error::from)?;
        let Some((first, last)) = ends.and_then(|ends| ends.first.zip(ends.last)) else {
            tx.commit().await?;
            return Ok(Some(Calendar { at, counts: HashMap::new() }));
        };
        let Some(segments) = segments(zone, first * unit, (last + 1) * unit) else {
            tx.commit().await?;
            return Ok(None);
        };
        let mut counts = HashMap::new();
        for (from, to, offset) in segments {
            let day = format!(
                "SELECT (bucket * {unit} + {}) / {DAY_SECONDS} - {SHIFT_DAYS} AS day, log_no, kind_no, CAST(sum(n) AS BIGINT) AS n",
                offset + SHIFT_DAYS * DAY_SECONDS
            );
            let sql = of(Sql::new(&day))
                .with(" AND bucket >= ", from.div_euclid(unit))
                .with(" AND bucket < ", to.div_euclid(unit))
                .text(" GROUP BY 1, 2, 3");
            // Row by row: a large organization has some hundred thousand, and the driver's rows are large.
            let add = |row: Row| *counts.entry((row.day, row.log_no, row.kind_no)).or_default() += row.n;
            tx.each(sql.on(backend), add).await.map_err(error::from)?;
        }
        tx.commit().await?;
        Ok(Some(Calendar { at, counts }))
    }
}

/// A stretch of time in seconds since 1970 cut where a zone's offset changes: from (inclusive), to (exclusive), offset.
/// `None` where an offset or the instant of a change is no whole quarter-hour.
fn segments(zone: Tz, from: i64, to: i64) -> Option<Vec<(i64, i64, i64)>> {
    let offset = |at: i64| {
        let utc = chrono::DateTime::from_timestamp(at, 0).unwrap_or_default().naive_utc();
        i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
    };
    let (mut segments, mut start) = (Vec::new(), from);
    while start < to {
        let current = offset(start);
        // Offsets change at most once a day: the day of the next change, then its instant.
        let mut same = start;
        while same < to && offset((same + DAY_SECONDS).min(to)) == current {
            same = (same + DAY_SECONDS).min(to);
        }
        let mut end = to;
        if same < to {
            end = (same + DAY_SECONDS).min(to);
            while end - same > 1 {
                let middle = same + (end - same) / 2;
                if offset(middle) == current { same = middle } else { end = middle }
            }
        }
        if current % QUARTER_SECONDS != 0 || end % QUARTER_SECONDS != 0 {
            return None;
        }
        segments.push((start, end, current));
        start = end;
    }
    Some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(text).expect("an instant").timestamp()
    }

    #[test]
    fn a_year_is_cut_where_clocks_change() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let (spring, autumn) = (at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"));
        let berlin = segments(Tz::Europe__Berlin, from, to);
        assert_eq!(berlin, Some(vec![(from, spring, 3600), (spring, autumn, 7200), (autumn, to, 3600)]));
        assert_eq!(segments(Tz::Asia__Kathmandu, from, to), Some(vec![(from, to, 20_700)]));
        assert_eq!(segments(Tz::UTC, from, from), Some(vec![]));
    }

    #[test]
    fn offsets_of_odd_seconds_are_left_to_the_index() {
        let (from, to) = (at("1970-01-01T00:00:00Z"), at("1971-01-01T00:00:00Z"));
        assert_eq!(segments(Tz::Africa__Monrovia, from, to), None);
    }

    #[test]
    fn every_zone_is_cut_without_gap_and_each_part_has_one_offset() {
        let (from, to) = (at("1995-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        for zone in chrono_tz::TZ_VARIANTS {
            let Some(segments) = segments(zone, from, to) else { continue };
            let mut next = from;
            for (start, end, offset) in segments {
                assert_eq!(start, next, "{zone}");
                for instant in (start..end).step_by(5 * 86_400 + 900).chain([end - 1]) {
                    let utc = chrono::DateTime::from_timestamp(instant, 0).expect("an instant").naive_utc();
                    assert_eq!(
                        i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()),
                        offset,
                        "{zone}"
                    );
                }
                next = end;
            }
            assert_eq!(next, to, "{zone}");
        }
    }
}
