//! Facets: how many events a list has by category, action, outcome, actor and day.

use std::collections::HashMap;

use sea_orm::FromQueryResult;

use super::{
    Selection, Store,
    count::{Piece, edge, pieces},
    dialect::Range,
    dictionary::Kind,
    sql::Sql,
};
use crate::{
    error::Result,
    event::{Actor, ActorKind, Outcome, filter::Dimension},
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
            let (actors, all) = self.actors_of(selection, ACTOR_MATCHES).await?;
            exact = all;
            actors.into_iter().for_each(|(actor, n)| add(actor, n));
        }
        Ok(FacetList::of(counts.into_values(), exact))
    }

    /// The actors of the newest matches, with how many each has, and whether those are all matches.
    pub(super) async fn actors_of(&self, selection: &Selection, limit: i64) -> Result<(Vec<(Actor, i64)>, bool)> {
        let columns = "e.actor_kind, e.actor_id, e.actor_name, e.actor_email";
        let (mut actors, mut places) = (Vec::<(Actor, i64)>::new(), HashMap::new());
        let mut missing = limit + 1;
        for range in self.dialect.stretches(&selection.range(), true) {
            let inner = self.dialect.ordered(self.dialect.over(columns, &range, true), &range, true, missing);
            let sql = Sql::new("SELECT actor_kind, actor_id, actor_name, actor_email, count(*) AS n FROM (")
                .append(inner)
                .text(") AS hits GROUP BY 1, 2, 3, 4");
            for row in self.rows_of::<ActorRow>(sql).await? {
                missing -= row.n;
                let Some(kind) = ActorKind::from_number(row.actor_kind) else { continue };
                let actor = Actor { kind, id: row.actor_id, name: row.actor_name, email: row.actor_email };
                let place = *places.entry(actor.clone()).or_insert(actors.len());
                match actors.get_mut(place) {
                    Some((_, n)) => *n += row.n,
                    None => actors.push((actor, row.n)),
                }
            }
            if missing == 0 {
                break;
            }
        }
        Ok((actors, missing > 0))
    }
}

/// Matches of one actor.
#[derive(FromQueryResult)]
struct ActorRow {
    actor_kind: i16,
    actor_id: Option<String>,
    actor_name: Option<String>,
    actor_email: Option<String>,
    n: i64,
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
