//! Facets of a list.

use async_graphql::{Lookahead, SimpleObject};
use chrono_tz::Tz;

use super::{
    Services,
    event::{Actor, AuditLog},
    scalars::int,
};
use crate::{
    auth::{Principal, policy},
    error::Result,
    question::filter::Filter,
    store::{self, Question, Selection, Store, TextFacet},
};

/// Organizations that a facet counts, and buckets that it shows.
const BUCKETS: usize = 50;

/// How many events of the list there are, by what they are about. A facet costs as much as there are matches, except by
/// category, action, outcome, log and day of a list that is filtered by nothing else than those and dates.
#[derive(SimpleObject, Default)]
pub struct AuditEventFacets {
    /// By category code. Ignores the filter's own categories.
    categories: FacetList,
    /// By action name. Ignores the filter's own actions.
    actions: FacetList,
    /// By actor. Ignores the filter's own actors.
    actors: FacetList,
    /// By outcome. Ignores the filter's own outcomes.
    outcomes: FacetList,
    /// By log. Those that were deleted under the policy CLEAR are left out, as in the events.
    logs: FacetList,
    /// By address, as it was sent. Ignores the filter's own addresses.
    ip_addresses: FacetList,
    /// By the system that events come from. Ignores the filter's own sources.
    sources: FacetList,
    /// By type of resource: an event counts once for each of its types. Ignores the filter's own resources.
    resource_types: FacetList,
    /// By organization, for staff: of the product's organizations those 50 that have recorded the most, each in its own
    /// log and those that its list shows with it. Ignores the organization and log of the list. Costs what 50 totals
    /// cost. For everybody else the one organization that they read.
    pub organizations: FacetList,
    /// By local day, oldest first; days without events are left out.
    days: Vec<DayCount>,
}

/// The largest buckets of a facet.
#[derive(SimpleObject)]
pub struct FacetList {
    /// At most 50, largest first.
    buckets: Vec<FacetBucket>,
    /// Whether all events were counted; false where only the newest 200,000 were, or only the largest organizations.
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
    /// The value, as in the filter: of an actor the id, else the e-mail address, else the name, else the kind; of a log
    /// the product's own id. Actors and logs may share it: `actor` and `log` tell them apart.
    value: String,
    /// Name to show.
    label: Option<String>,
    /// Number of events.
    count: i32,
    /// The actor of a bucket by actor, as the newest of its events says. Actors are told apart by kind and id; without
    /// an id by kind and e-mail address, without either by kind and name.
    actor: Option<Actor>,
    /// The log of a bucket by log.
    log: Option<AuditLog>,
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
        let (product, dictionary) = (selection.product(), &selection.dictionary);
        let catalog = &product.catalog;
        let wants = |name| selected.field(name).exists();
        if wants("categories") {
            let label =
                |code: &String| catalog.category(code).map_or_else(|| code.clone(), |category| category.label.clone());
            let list = store.facet_categories(selection).await?;
            facets.categories = FacetList::of(list, |code| FacetBucket::new(label(&code), code));
        }
        if wants("actions") {
            let list = store.facet_actions(selection).await?;
            facets.actions = FacetList::of(list, |name| FacetBucket::new(catalog.label_of(&name), name));
        }
        if wants("actors") {
            let list = store.facet_actors(selection).await?;
            facets.actors = FacetList::of(list, |actor| {
                let known = actor.id.as_ref().or(actor.email.as_ref()).or(actor.name.as_ref());
                let value = known.map_or_else(|| actor.kind.as_str().to_owned(), Clone::clone);
                let bucket = FacetBucket::new(product.actor_label(&actor), value);
                FacetBucket { actor: Some(Actor { actor, product: product.clone() }), ..bucket }
            });
        }
        if wants("outcomes") {
            let list = store.facet_outcomes(selection).await?;
            facets.outcomes = FacetList::of(list, |outcome| FacetBucket::plain(outcome.as_str().to_owned()));
        }
        if wants("logs") {
            facets.logs = FacetList::of(store.facet_logs(selection).await?, |no| {
                let node = dictionary.log(no).expect("the store counts logs of this dictionary");
                let bucket = FacetBucket::new(node.name.as_ref().unwrap_or(&node.id).clone(), node.id.clone());
                FacetBucket { log: AuditLog::numbered(dictionary, no), ..bucket }
            });
        }
        for (name, facet, list) in [
            ("ipAddresses", TextFacet::IpAddress, &mut facets.ip_addresses),
            ("sources", TextFacet::Source, &mut facets.sources),
            ("resourceTypes", TextFacet::ResourceType, &mut facets.resource_types),
        ] {
            if wants(name) {
                let texts = store.facet_texts(selection, facet).await?;
                *list = FacetList::of(texts, FacetBucket::plain);
            }
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
    /// Counts the events that a filter keeps in each of the organizations that a principal may read.
    pub async fn of_organizations(
        services: &Services,
        principal: &Principal,
        selection: &Selection,
        filter: &Filter,
        include_nested: Option<bool>,
    ) -> Result<Self> {
        if !principal.is_staff() {
            let count = services.store.count(selection, selection.size()).await?;
            let one = FacetBucket { count: int(count), ..FacetBucket::plain(selection.organization().to_owned()) };
            return Ok(Self { buckets: Vec::from_iter((count > 0).then_some(one)), exact: true });
        }
        let (names, exact) = services.store.largest_organizations(&policy::may_find(principal)?, BUCKETS).await?;
        let mut buckets = Vec::new();
        for name in names {
            // A token of staff that is narrowed to logs is none of other organizations.
            let Ok(scope) = policy::may_read(principal, Some(&name), None, include_nested) else { continue };
            let store = services.store.caught_up(&scope.product().name, Some(&name)).await?;
            let Some(selection) = store.select(Question { scope: &scope, filter }).await? else { continue };
            let count = store.count(&selection, selection.size()).await.map_err(|error| selection.blame(error))?;
            if count > 0 {
                buckets.push(FacetBucket { count: int(count), ..FacetBucket::plain(name) });
            }
        }
        buckets.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        Ok(Self { buckets, exact })
    }

    fn of<T>(list: store::FacetList<T>, shown: impl Fn(T) -> FacetBucket) -> Self {
        let bucket = |bucket: store::Bucket<T>| FacetBucket { count: int(bucket.count), ..shown(bucket.value) };
        Self { exact: list.exact, buckets: list.buckets.into_iter().map(bucket).collect() }
    }
}

impl FacetBucket {
    fn new(label: String, value: String) -> Self {
        Self { value, label: Some(label), count: 0, actor: None, log: None }
    }

    fn plain(value: String) -> Self {
        Self::new(value.clone(), value)
    }
}
