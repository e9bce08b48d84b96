//! Facets of a list.

use async_graphql::{Lookahead, SimpleObject};
use chrono_tz::Tz;

use super::scalars::int;
use crate::{
    error::Result,
    event::Outcome,
    store::{self, Selection, Store},
};

/// How many events of the list there are, by what they are about.
#[derive(SimpleObject, Default)]
pub struct AuditEventFacets {
    /// By category code. Ignores the filter's own categories.
    categories: FacetList,
    /// By action name. Ignores the filter's own actions.
    actions: FacetList,
    /// By actor: id, else e-mail address, else name, else kind. Ignores the filter's own actors.
    actors: FacetList,
    /// By outcome. Ignores the filter's own outcomes.
    outcomes: FacetList,
    /// By local day, oldest first; days without events are left out.
    days: Vec<DayCount>,
}

/// The largest buckets of a facet.
#[derive(SimpleObject)]
pub struct FacetList {
    /// At most 50, largest first.
    buckets: Vec<FacetBucket>,
    /// Whether all events were counted; false where only the newest 200,000 were.
    exact: bool,
}

impl Default for FacetList {
    fn default() -> Self {
        Self { buckets: Vec::new(), exact: true }
    }
}

/// A value and its events.
#[derive(SimpleObject)]
pub struct FacetBucket {
    /// The value, as in the filter.
    value: String,
    /// Name to show.
    label: Option<String>,
    /// Number of events.
    count: i32,
}

/// A day and its events.
#[derive(SimpleObject)]
pub struct DayCount {
    /// Local date, YYYY-MM-DD.
    day: String,
    /// Number of events.
    count: i32,
}

impl AuditEventFacets {
    /// Reads the facets that are selected; nothing is counted for the others.
    pub async fn read(
        store: &Store,
        selection: Option<&Selection>,
        zone: Tz,
        selected: &Lookahead<'_>,
    ) -> Result<Self> {
        let mut facets = Self::default();
        let Some(selection) = selection else { return Ok(facets) };
        let product = selection.product();
        let wants = |name| selected.field(name).exists();
        if wants("categories") {
            let label = |code: &String| {
                product.catalog.category(code).map_or_else(|| code.clone(), |category| category.label.clone())
            };
            facets.categories = FacetList::of(store.facet_categories(selection).await?, Clone::clone, label);
        }
        if wants("actions") {
            facets.actions = FacetList::of(store.facet_actions(selection).await?, Clone::clone, |name| {
                product.catalog.label_of(name)
            });
        }
        if wants("actors") {
            let actors = store.facet_actors(selection).await?;
            facets.actors =
                FacetList::of(actors, |actor| actor.value.clone(), |actor| product.actor_label(&actor.actor));
        }
        if wants("outcomes") {
            let name = |outcome: &Outcome| outcome.as_str().to_owned();
            facets.outcomes = FacetList::of(store.facet_outcomes(selection).await?, name, name);
        }
        if wants("days") {
            let days = store.facet_days(selection, zone).await?;
            facets.days =
                days.into_iter().map(|day| DayCount { day: day.value.to_string(), count: int(day.count) }).collect();
        }
        Ok(facets)
    }
}

impl FacetList {
    fn of<T>(list: store::FacetList<T>, value: impl Fn(&T) -> String, label: impl Fn(&T) -> String) -> Self {
        let bucket = |bucket: store::Bucket<T>| FacetBucket {
            value: value(&bucket.value),
            label: Some(label(&bucket.value)),
            count: int(bucket.count),
        };
        Self { exact: list.exact, buckets: list.buckets.into_iter().map(bucket).collect() }
    }
}
