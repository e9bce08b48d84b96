//! Facets: how many events a list has by what they are about.
//!
//! Facets of what the kept counts know (category, action, outcome, log) count all events: a sum over few rows where the
//! filter is countable, else linear in the matches. Facets of what only the events say count the newest matches.

use std::{collections::HashMap, hash::Hash};

use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::total::{Count, Piece, edge, pieces};
use crate::{
    catalog::LogDeletion,
    error::Result,
    event::{ActionName, Actor, Event, Outcome},
    question::filter::Dimension,
    store::{Selection, Store, dialect::sql::Sql, dictionary::Kind, error, range::Range, read::selection::Route, rows},
};

/// Most buckets of a facet.
const BUCKETS: usize = 50;
/// The most matches that a facet of what only events say reads; with more, the newest of them.
const MATCHES: i64 = 200_000;

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

/// What a facet of texts is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFacet {
    /// Addresses, as sent.
    IpAddress,
    /// Sources.
    Source,
    /// Types of resources; an event counts once for each.
    ResourceType,
}

/// An actor of some events, as the newest of them says.
pub(super) struct SeenActor {
    /// Who it is.
    pub actor: Actor,
    /// Position of the newest event.
    pub newest: i64,
    /// Number of events.
    pub count: i64,
}

impl SeenActor {
    /// One of each actor, whatever else was known of them from event to event.
    pub fn merged(seen: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut actors: HashMap<Actor, Self> = HashMap::new();
        for one in seen {
            actors
                .entry(one.actor.key())
                .and_modify(|known| {
                    known.count += one.count;
                    if one.newest > known.newest {
                        (known.newest, known.actor) = (one.newest, one.actor.clone());
                    }
                })
                .or_insert(one);
        }
        actors.into_values().collect()
    }
}

/// What the events of a facet are told apart by.
struct By<T> {
    /// The columns that say it.
    columns: &'static [&'static str],
    /// Reads them.
    read: fn(&QueryResult) -> std::result::Result<Option<T>, DbErr>,
    /// The same of an event: each value once.
    of: fn(&Event) -> Vec<T>,
}

const KIND: By<Kind> = By {
    columns: &["action", "category", "outcome"],
    read: |row| {
        let outcome = rows::outcome(row.try_get("", "outcome")?)?;
        Ok(Some(Kind {
            action: ActionName::stored(row.try_get("", "action")?),
            category: row.try_get("", "category")?,
            outcome,
        }))
    },
    of: |event| vec![Kind { action: event.action.clone(), category: event.category.clone(), outcome: event.outcome }],
};

const LOG: By<i64> =
    By { columns: &["log_no"], read: |row| row.try_get("", "log_no").map(Some), of: |event| vec![event.log_no] };

const ACTOR: By<Actor> = By {
    columns: &["actor_kind", "actor_id", "actor_name", "actor_email"],
    read: |row| {
        let kind = rows::actor_kind(row.try_get("", "actor_kind")?)?;
        let text = |column| row.try_get("", column);
        Ok(Some(Actor { kind, id: text("actor_id")?, name: text("actor_name")?, email: text("actor_email")? }))
    },
    of: |event| vec![event.actor.clone()],
};

const IP_ADDRESS: By<String> = By {
    columns: &["ip_address"],
    read: |row| row.try_get("", "ip_address"),
    of: |event| event.ip_address.iter().cloned().collect(),
};

const SOURCE: By<String> = By {
    columns: &["source"],
    read: |row| row.try_get("", "source"),
    of: |event| event.source.iter().cloned().collect(),
};

const RESOURCE_TYPE: By<String> = By {
    columns: &["resource_type"],
    read: |row| row.try_get("", "resource_type"),
    of: |event| {
        let mut types: Vec<_> = event.resources.iter().filter_map(|resource| resource.kind.clone()).collect();
        types.sort_unstable();
        types.dedup();
        types
    },
};

impl Store {
    /// Events by category.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_categories(&self, selection: &Selection) -> Result<FacetList<String>> {
        self.facet_of_kinds(selection, Dimension::Category, |kind| kind.category.clone()).await
    }

    /// Events by action.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_actions(&self, selection: &Selection) -> Result<FacetList<String>> {
        self.facet_of_kinds(selection, Dimension::Action, |kind| Some(kind.action.to_string())).await
    }

    /// Events by outcome.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_outcomes(&self, selection: &Selection) -> Result<FacetList<Outcome>> {
        self.facet_of_kinds(selection, Dimension::Outcome, |kind| kind.outcome).await
    }

    /// Events by log, as its number; those of logs that are shown no longer are left out.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_logs(&self, selection: &Selection) -> Result<FacetList<i64>> {
        let mut counts = self.all_by(selection, &LOG, |_, count| Some(count.log_no)).await?;
        let Selection { dictionary, product, .. } = selection;
        // A log that came since the selection was made is not in its dictionary.
        counts.retain(|&no, _| dictionary.log(no).is_some() && !dictionary.is_gone(product, no, LogDeletion::Clear));
        Ok(FacetList::of(counts, true))
    }

    /// Events by a text of theirs, over the newest matches.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_texts(&self, selection: &Selection, facet: TextFacet) -> Result<FacetList<String>> {
        let (without, by) = match facet {
            TextFacet::IpAddress => (Dimension::IpAddress, &IP_ADDRESS),
            TextFacet::Source => (Dimension::Source, &SOURCE),
            TextFacet::ResourceType => (Dimension::Resource, &RESOURCE_TYPE),
        };
        let selection = self.select_without(selection, without).await?;
        let (counts, exact) = self.newest_by(&selection, by, MATCHES).await?;
        Ok(FacetList::of(counts.into_iter().map(|(value, seen)| (value, seen.count)), exact))
    }

    /// Events by actor, over the newest matches: each as the newest event of theirs says.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_actors(&self, selection: &Selection) -> Result<FacetList<Actor>> {
        let selection = self.select_without(selection, Dimension::Actor).await?;
        let (actors, exact) = self.actors_of(&selection, MATCHES).await?;
        Ok(FacetList::of(SeenActor::merged(actors).into_iter().map(|seen| (seen.actor, seen.count)), exact))
    }

    /// The actors of the newest matches, as each event says them, and whether those are all matches.
    pub(super) async fn actors_of(&self, selection: &Selection, limit: i64) -> Result<(Vec<SeenActor>, bool)> {
        let (counts, exact) = self.newest_by(selection, &ACTOR, limit).await?;
        let seen = counts.into_iter().map(|(actor, Seen { count, newest })| SeenActor { actor, newest, count });
        Ok((seen.collect(), exact))
    }

    async fn facet_of_kinds<T: Ord + Hash>(
        &self,
        selection: &Selection,
        without: Dimension,
        part: impl Fn(&Kind) -> Option<T>,
    ) -> Result<FacetList<T>> {
        let selection = self.select_without(selection, without).await?;
        let of_count = |selection: &Selection, count: &Count| {
            usize::try_from(count.kind_no).ok().and_then(|no| selection.dictionary.kinds.get(no)).cloned()
        };
        let mut sums: HashMap<T, i64> = HashMap::new();
        for (kind, n) in self.all_by(&selection, &KIND, of_count).await? {
            if let Some(value) = part(&kind) {
                *sums.entry(value).or_default() += n;
            }
        }
        Ok(FacetList::of(sums, true))
    }

    /// How many events of a selection there are of each value that the kept counts know, too.
    async fn all_by<T: Eq + Hash>(
        &self,
        selection: &Selection,
        by: &By<T>,
        of_count: impl Fn(&Selection, &Count) -> Option<T>,
    ) -> Result<HashMap<T, i64>> {
        let mut counts = HashMap::new();
        let mut add = |value: T, n: i64| *counts.entry(value).or_default() += n;
        match selection.route {
            Route::Nothing => {}
            Route::Kept => {
                for piece in pieces(selection.filter.from, selection.filter.to) {
                    match piece {
                        Piece::Kept(grain, first, last) => {
                            for count in self.kept(selection, grain, first, last, false).await? {
                                of_count(selection, &count).into_iter().for_each(|value| add(value, count.n));
                            }
                        }
                        Piece::Edge(from, to) => {
                            let groups = self.groups(&edge(selection, from, to), by).await?;
                            groups.into_iter().for_each(|(value, n)| add(value, n));
                        }
                    }
                }
            }
            Route::Index => {
                let groups = self.paced(selection.counting()).groups(&selection.range(), by).await?;
                groups.into_iter().for_each(|(value, n)| add(value, n));
            }
            Route::Rows => {
                self.tested(selection).await?.iter().flat_map(by.of).for_each(|value| add(value, 1));
            }
        }
        Ok(counts)
    }

    async fn groups<T>(&self, range: &Range, by: &By<T>) -> Result<Vec<(T, i64)>> {
        let sql = self.dialect.over(&format!("{}, count(*) AS n", of_event(by.columns)), range, true);
        let places: Vec<_> = (1..=by.columns.len()).map(|place| place.to_string()).collect();
        let sql = sql.text(&format!(" GROUP BY {}", places.join(", ")));
        let mut groups = Vec::new();
        for row in self.read.query_all_raw(sql.on(self.dialect.backend())).await.map_err(error::from)? {
            let n = row.try_get("", "n").map_err(error::from)?;
            groups.extend((by.read)(&row).map_err(error::from)?.map(|value| (value, n)));
        }
        Ok(groups)
    }

    /// How many of the newest matches have each value, and whether those are all matches.
    async fn newest_by<T: Eq + Hash>(
        &self,
        selection: &Selection,
        by: &By<T>,
        limit: i64,
    ) -> Result<(HashMap<T, Seen>, bool)> {
        let mut counts: HashMap<T, Seen> = HashMap::new();
        let mut add = |value: T, count: i64, newest: i64| {
            let seen = counts.entry(value).or_insert(Seen { count: 0, newest });
            (seen.count, seen.newest) = (seen.count + count, seen.newest.max(newest));
        };
        match selection.route {
            Route::Nothing => return Ok((counts, true)),
            Route::Rows => {
                for event in self.tested(selection).await? {
                    (by.of)(&event).into_iter().for_each(|value| add(value, 1, event.position.0));
                }
                return Ok((counts, true));
            }
            Route::Kept | Route::Index => {}
        }
        let mut missing = limit + 1;
        let read = self.read.paced(selection.sized());
        for range in self.dialect.stretches(&selection.range(), true) {
            let sql = self.newest_groups(&range, by.columns, missing);
            for row in read.query_all_raw(sql.on(self.dialect.backend())).await.map_err(error::from)? {
                let number = |column| row.try_get::<i64>("", column).map_err(error::from);
                missing -= number("events")?;
                let (n, newest) = (number("n")?, number("newest")?);
                (by.read)(&row).map_err(error::from)?.into_iter().for_each(|value| add(value, n, newest));
            }
            if missing == 0 {
                break;
            }
        }
        Ok((counts, missing > 0))
    }

    /// The statement for so many of the newest events of a range: the values of some columns with the number of their
    /// events (`n`), the newest of them, and how many events are counted here for the first time.
    fn newest_groups(&self, range: &Range, columns: &[&str], limit: i64) -> Sql {
        let newest = |columns: &str| {
            let columns = format!("{columns}, e.position AS position");
            self.dialect.ordered(self.dialect.over(&columns, range, true), range, true, limit)
        };
        // One event has several resources: what it says stands in several rows.
        let rows = if columns == RESOURCE_TYPE.columns {
            self.dialect.resource_types(newest("e.resources AS resources"))
        } else {
            newest(&format!("{}, 1 AS first", of_event(columns)))
        };
        let columns = columns.join(", ");
        let counts = "count(*) AS n, max(position) AS newest, CAST(sum(first) AS BIGINT) AS events";
        Sql::new(&format!("SELECT {columns}, {counts} FROM ("))
            .append(rows)
            .text(&format!(") AS found GROUP BY {columns}"))
    }
}

/// Events of one value.
struct Seen {
    count: i64,
    /// Position of the newest.
    newest: i64,
}

fn of_event(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("e.{column} AS {column}")).collect::<Vec<_>>().join(", ")
}
