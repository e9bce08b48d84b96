//! Facets of a list.

use std::sync::Arc;

use async_graphql::{Context, SimpleObject};
use chrono_tz::Tz;

use super::{
    event::{Actor, AuditLog},
    limits, principal,
    scalars::int,
    services,
};
use crate::{
    catalog::Product,
    error::Result,
    event,
    reading::{
        list::List,
        shown::{self, Category},
    },
    store::{self, TextFacet},
};

/// How many events of the list there are, by what they are about. A facet costs as much as there are matches, except by
/// category, action, outcome, log and day of a list that is filtered by nothing else than those and dates.
#[derive(SimpleObject, Default)]
pub struct AuditEventFacets {
    /// By category code. Ignores the filter's own categories.
    #[graphql(complexity = "2 * limits::COUNTED")]
    categories: FacetList,
    /// By action name. Ignores the filter's own actions.
    #[graphql(complexity = "2 * limits::COUNTED")]
    actions: FacetList,
    /// By actor. Ignores the filter's own actors.
    #[graphql(complexity = "2 * limits::COUNTED")]
    actors: FacetList,
    /// By outcome. Ignores the filter's own outcomes.
    #[graphql(complexity = "2 * limits::COUNTED")]
    outcomes: FacetList,
    /// By log. Those that were deleted under the policy CLEAR are left out, as in the events.
    #[graphql(complexity = "2 * limits::COUNTED")]
    logs: FacetList,
    /// By address, as it was sent. Ignores the filter's own addresses.
    #[graphql(complexity = "2 * limits::COUNTED")]
    ip_addresses: FacetList,
    /// By the system that events come from. Ignores the filter's own sources.
    #[graphql(complexity = "2 * limits::COUNTED")]
    sources: FacetList,
    /// By type of resource: an event counts once for each of its types. Ignores the filter's own resources.
    #[graphql(complexity = "2 * limits::COUNTED")]
    resource_types: FacetList,
    /// By organization, for staff: of the product's organizations those 50 that have recorded the most, each in its own
    /// log and those that its list shows with it. Ignores the organization and log of the list. Costs what 50 totals
    /// cost. For everybody else the one organization that they read.
    #[graphql(complexity = "10 * limits::COUNTED")]
    organizations: FacetList,
    /// By local day, oldest first; days without events are left out.
    #[graphql(complexity = "2 * limits::COUNTED")]
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
    /// Reads the facets that the field being resolved selects; nothing is counted for the others.
    pub async fn read(ctx: &Context<'_>, list: &List, zone: Tz) -> Result<Self> {
        let (principal, selected) = (principal(ctx)?, ctx.look_ahead());
        let product = &principal.product;
        let wants = |name| selected.field(name).exists();
        let mut facets = Self::default();
        if wants("categories") {
            let label = |code: &str| Category { code, product }.label().to_owned();
            facets.categories = FacetList::of(list.categories().await?, |code| FacetBucket::new(label(&code), code));
        }
        if wants("actions") {
            let label = |name: &str| product.catalog.label_of(name);
            facets.actions = FacetList::of(list.actions().await?, |name| FacetBucket::new(label(&name), name));
        }
        if wants("actors") {
            facets.actors = FacetList::of(list.actors().await?, |actor| FacetBucket::of_actor(actor, product));
        }
        if wants("outcomes") {
            let outcomes = list.outcomes().await?;
            facets.outcomes = FacetList::of(outcomes, |outcome| FacetBucket::plain(outcome.as_str().to_owned()));
        }
        if wants("logs") {
            facets.logs = FacetList::of(list.logs().await?, |log| {
                let bucket = FacetBucket::new(log.label().to_owned(), log.external_id().to_owned());
                FacetBucket { log: Some(AuditLog(log)), ..bucket }
            });
        }
        for (name, facet, told) in [
            ("ipAddresses", TextFacet::IpAddress, &mut facets.ip_addresses),
            ("sources", TextFacet::Source, &mut facets.sources),
            ("resourceTypes", TextFacet::ResourceType, &mut facets.resource_types),
        ] {
            if wants(name) {
                *told = FacetList::of(list.texts(facet).await?, FacetBucket::plain);
            }
        }
        if wants("days") {
            let days = list.days(zone).await?.into_iter();
            facets.days = days.map(|day| DayCount { day: day.value.to_string(), count: int(day.count) }).collect();
        }
        if wants("organizations") {
            let organizations = Box::pin(services(ctx).reader.organizations(principal, list)).await?;
            facets.organizations = FacetList::of(organizations, FacetBucket::plain);
        }
        Ok(facets)
    }
}

impl FacetList {
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

    fn of_actor(actor: event::Actor, product: &Arc<Product>) -> Self {
        let known = actor.id.as_ref().or(actor.email.as_ref()).or(actor.name.as_ref());
        let value = known.map_or_else(|| actor.kind.as_str().to_owned(), Clone::clone);
        let label = shown::Actor { actor: &actor, product }.label();
        Self { actor: Some(Actor::of(actor, product)), ..Self::new(label, value) }
    }
}
