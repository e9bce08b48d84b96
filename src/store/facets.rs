//! Facets: how many events a list has by category, action, outcome, actor and day.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use chrono_tz::Tz;
use sea_orm::FromQueryResult;

use super::{
    Selection, Store,
    count::{Grain, Piece, QUARTER, edge, pieces},
    dialect::Range,
    dictionary::Kind,
    sql::Sql,
};
use crate::{
    error::Result,
    event::{Actor, ActorKind, Outcome, Timestamp, filter::Dimension, period},
};

/// Most buckets of a facet.
const BUCKETS: usize = 50;
/// Matches up to which actors are counted exactly.
const ACTOR_MATCHES: i64 = 200_000;

/// One value and how many events have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket<T> {
    /// The value.
    pub value: T,
    /// Its events.
    pub count: i64,
}

/// The largest buckets of a facet, largest first.
#[derive(Clone, Debug, PartialEq)]
pub struct FacetList<T> {
    /// At most 50.
    pub buckets: Vec<Bucket<T>>,
    /// Whether every event was counted.
    pub exact: bool,
}

impl<T: Ord> FacetList<T> {
    fn of(counts: impl IntoIterator<Item = (T, i64)>, exact: bool) -> Self {
        let mut buckets: Vec<_> =
            counts.into_iter().filter(|(_, n)| *n > 0).map(|(value, count)| Bucket { value, count }).collect();
        buckets.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        buckets.truncate(BUCKETS);
        Self { buckets, exact }
    }
}

impl Store {
    /// Events by category.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_categories(&self, selection: &Selection) -> Result<FacetList<String>> {
        let counts = self.by_kind(selection, Dimension::Category).await?;
        Ok(FacetList::of(summed(counts, |kind| kind.category.clone()), true))
    }

    /// Events by action.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_actions(&self, selection: &Selection) -> Result<FacetList<String>> {
        let counts = self.by_kind(selection, Dimension::Action).await?;
        Ok(FacetList::of(summed(counts, |kind| Some(kind.action.clone())), true))
    }

    /// Events by outcome.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_outcomes(&self, selection: &Selection) -> Result<FacetList<Outcome>> {
        let counts = self.by_kind(selection, Dimension::Outcome).await?;
        Ok(FacetList::of(summed(counts, |kind| kind.outcome), true))
    }

    /// Events by kind, one dimension of the filter left out.
    async fn by_kind(&self, selection: &Selection, without: Dimension) -> Result<HashMap<Kind, i64>> {
        let selection = &self.select_without(selection, without).await?;
        let mut counts = HashMap::new();
        if selection.nothing {
            return Ok(counts);
        }
        if selection.needs_rows {
            for event in self.tested(selection).await? {
                *counts
                    .entry(Kind { action: event.action, category: event.category, outcome: event.outcome })
                    .or_default() += 1;
            }
            return Ok(counts);
        }
        if !selection.filter.is_countable() {
            let range = selection.range();
            return self.kinds_of(&range).await;
        }
        for piece in pieces(selection.filter.from, selection.filter.to) {
            match piece {
                Piece::Kept(grain, first, last) => {
                    for count in self.kept(selection, grain, first, last, false).await? {
                        if let Some(kind) =
                            usize::try_from(count.action_no).ok().and_then(|no| selection.dictionary.kinds.get(no))
                        {
                            *counts.entry(kind.clone()).or_default() += count.n;
                        }
                    }
                }
                Piece::Edge(from, to) => {
                    for (kind, n) in self.kinds_of(&edge(selection, from, to)).await? {
                        *counts.entry(kind).or_default() += n;
                    }
                }
            }
        }
        Ok(counts)
    }

    async fn kinds_of(&self, range: &Range) -> Result<HashMap<Kind, i64>> {
        #[derive(FromQueryResult)]
        struct Row {
            action: String,
            category: Option<String>,
            outcome: Option<i16>,
            n: i64,
        }
        let sql =
            self.dialect.over("e.action, e.category, e.outcome, count(*) AS n", range, true).text(" GROUP BY 1, 2, 3");
        let rows = self.rows_of::<Row>(sql).await?;
        let kind = |row: &Row| Kind {
            action: row.action.clone(),
            category: row.category.clone(),
            outcome: row.outcome.and_then(Outcome::from_number),
        };
        Ok(rows.iter().map(|row| (kind(row), row.n)).collect())
    }

    /// Events by actor, over the newest matches.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_actors(&self, selection: &Selection) -> Result<FacetList<ActorValue>> {
        let selection = &self.select_without(selection, Dimension::Actor).await?;
        if selection.nothing {
            return Ok(FacetList::of([], true));
        }
        let mut counts: HashMap<String, (ActorValue, i64)> = HashMap::new();
        let mut add = |actor: Actor, n: i64| {
            let value = ActorValue::of(actor);
            counts.entry(value.value.clone()).or_insert((value, 0)).1 += n;
        };
        let mut exact = true;
        if selection.needs_rows {
            self.tested(selection).await?.into_iter().for_each(|event| add(event.actor, 1));
        } else {
            for row in self.actors_of(selection, ACTOR_MATCHES).await? {
                exact &= row.seen <= ACTOR_MATCHES;
                if let Some(actor) = row.actor() {
                    add(actor, row.n);
                }
            }
        }
        Ok(FacetList::of(counts.into_values(), exact))
    }

    /// Distinct actors of the newest matches, with how many matches there were up to one over the limit.
    pub(super) async fn actors_of(&self, selection: &Selection, limit: i64) -> Result<Vec<ActorRow>> {
        let range = selection.range();
        let columns = "e.actor_kind, e.actor_id, e.actor_name, e.actor_email";
        let inner = self.dialect.over(columns, &range, true).with(" LIMIT ", limit + 1);
        let sql = Sql::new(
            "SELECT actor_kind, actor_id, actor_name, actor_email, count(*) AS n, CAST(sum(count(*)) OVER () AS BIGINT) AS seen FROM (",
        )
        .append(inner)
        .text(") AS hits GROUP BY 1, 2, 3, 4");
        self.rows_of::<ActorRow>(sql).await
    }

    /// Events by local day, oldest first; days without events are left out.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_days(&self, selection: &Selection, zone: Tz) -> Result<Vec<Bucket<NaiveDate>>> {
        let mut days = Days { zone, counts: BTreeMap::new() };
        if selection.nothing {
            return Ok(Vec::new());
        }
        if selection.needs_rows {
            self.tested(selection).await?.iter().for_each(|event| days.add(event.occurred_at.0, 1));
        } else if selection.filter.is_countable() {
            for piece in pieces(selection.filter.from, selection.filter.to) {
                self.days_of_piece(selection, piece, &mut days).await?;
            }
        } else {
            self.days_of_range(
                selection,
                selection.filter.from.map(|t| t.0),
                selection.filter.to.map(|t| t.0),
                &mut days,
            )
            .await?;
        }
        Ok(days.counts.into_iter().map(|(value, count)| Bucket { value, count }).collect())
    }

    async fn days_of_piece(&self, selection: &Selection, piece: Piece, days: &mut Days) -> Result<()> {
        let (first, last) = match piece {
            Piece::Edge(from, to) => return self.days_of_range(selection, Some(from), Some(to), days).await,
            Piece::Kept(Grain::Quarter, first, last) => (first, last),
            Piece::Kept(Grain::Day, first, last) => (first * 96, last * 96 + 95),
            Piece::Kept(Grain::Ever, ..) => (i64::MIN / QUARTER / 96 * 96, i64::MAX / QUARTER / 96 * 96 - 1),
        };
        let whole_days = days.zone == Tz::UTC && !matches!(piece, Piece::Kept(Grain::Quarter, ..));
        let (grain, unit) = if whole_days { (Grain::Day, 96) } else { (Grain::Quarter, 1) };
        for count in self.kept(selection, grain, first.div_euclid(unit), last.div_euclid(unit), true).await? {
            let start = count.bucket * unit * QUARTER;
            if days.is_one(start, start + unit * QUARTER) {
                days.add(start, count.n);
            } else {
                self.days_of_range(selection, Some(start), Some(start + QUARTER), days).await?;
            }
        }
        Ok(())
    }

    /// Adds a stretch of time from the index: by quarter-hours, and by seconds where a local midnight is inside one
    /// (zones before they took whole offsets).
    async fn days_of_range(
        &self,
        selection: &Selection,
        from: Option<i64>,
        to: Option<i64>,
        days: &mut Days,
    ) -> Result<()> {
        let stretch = |from: Option<i64>, to: Option<i64>| {
            let mut narrowed = selection.clone();
            narrowed.filter.from = from.map(Timestamp);
            narrowed.filter.to = to.map(Timestamp);
            narrowed.range()
        };
        for (start, n) in self.grouped(&stretch(from, to), QUARTER).await? {
            if days.is_one(start, start + QUARTER) {
                days.add(start, n);
                continue;
            }
            let inner_from = from.map_or(start, |from| from.max(start));
            let inner_to = to.map_or(start + QUARTER, |to| to.min(start + QUARTER));
            for (second, n) in self.grouped(&stretch(Some(inner_from), Some(inner_to)), 1_000_000_000).await? {
                days.add(second, n);
            }
        }
        Ok(())
    }

    /// Events of a range by multiples of a unit: start of the unit and count.
    async fn grouped(&self, range: &Range, unit: i64) -> Result<Vec<(i64, i64)>> {
        // Integer division cuts towards zero; moved by whole units, every instant is positive.
        const SHIFT: i64 = 2_700_000 * QUARTER;
        #[derive(FromQueryResult)]
        struct Row {
            bucket: i64,
            n: i64,
        }
        let expression = format!("(e.occurred_ns + {SHIFT}) / {unit} AS bucket, count(*) AS n");
        let rows = self.rows_of::<Row>(self.dialect.over(&expression, range, true).text(" GROUP BY 1")).await?;
        Ok(rows.into_iter().map(|row| (row.bucket * unit - SHIFT, row.n)).collect())
    }
}

/// Counts by local date.
struct Days {
    zone: Tz,
    counts: BTreeMap<NaiveDate, i64>,
}

impl Days {
    fn add(&mut self, at: i64, n: i64) {
        *self.counts.entry(period::day_of(Timestamp(at), self.zone)).or_default() += n;
    }

    /// Whether a stretch of time lies within one local day.
    fn is_one(&self, from: i64, to: i64) -> bool {
        period::day_of(Timestamp(from), self.zone) == period::day_of(Timestamp(to - 1), self.zone)
    }
}

/// A distinct actor among matches.
#[derive(FromQueryResult)]
pub(super) struct ActorRow {
    actor_kind: i16,
    actor_id: Option<String>,
    actor_name: Option<String>,
    actor_email: Option<String>,
    /// Events of this actor.
    pub n: i64,
    /// Events of all, one over the limit where there are more.
    pub seen: i64,
}

impl ActorRow {
    /// The actor.
    pub fn actor(&self) -> Option<Actor> {
        let kind = ActorKind::from_number(self.actor_kind)?;
        Some(Actor { kind, id: self.actor_id.clone(), name: self.actor_name.clone(), email: self.actor_email.clone() })
    }
}

/// An actor as a facet shows it: one bucket per id, else per e-mail, else per name, else per kind.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorValue {
    /// What tells it from others.
    pub value: String,
    /// One of the actors behind it.
    pub actor: Actor,
}

impl ActorValue {
    fn of(actor: Actor) -> Self {
        let known = actor.id.as_ref().or(actor.email.as_ref()).or(actor.name.as_ref());
        Self { value: known.cloned().unwrap_or_else(|| actor.kind.as_str().to_owned()), actor }
    }
}

impl Eq for ActorValue {}

impl PartialOrd for ActorValue {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ActorValue {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}

/// Counts by a part of the kind.
fn summed<T: Eq + std::hash::Hash>(counts: HashMap<Kind, i64>, part: impl Fn(&Kind) -> Option<T>) -> HashMap<T, i64> {
    let mut sums = HashMap::new();
    for (kind, n) in counts {
        if let Some(value) = part(&kind) {
            *sums.entry(value).or_default() += n;
        }
    }
    sums
}
