//! The public surface: types, queries and mutations, a file a feature.

mod alerts;
mod catalog;
mod connection;
mod declared;
mod documents;
mod endpoints;
mod enums;
mod erasures;
mod error;
mod event;
pub mod execute;
mod exports;
mod facets;
mod filter;
pub mod flaw;
pub(crate) mod limits;
pub mod live;
mod organizations;
mod plans;
mod query;
mod record;
pub mod response;
mod retention;
mod scalars;
mod tokens;
mod variables;
mod viewer;
mod views;
pub mod written;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_graphql::{Context, Schema, SchemaBuilder};

pub use endpoints::{question as endpoint_question, target as endpoint_target};
pub use error::{coded, refusal};
pub use record::event_of;

use crate::{
    auth::Principal,
    chance::Chance,
    clock::Clock,
    delivery::{alerts::rules::Rules, endpoint::Endpoints, export::Exports},
    error::{Error, Result},
    event::limits::BATCH,
    ingest::Writer,
    keys::{Partners, Plans},
    reading::Reader,
    retention::erasure::Eraser,
};
use event::Node;
use live::Subscription;
use query::Query;
use record::Mutation;

/// The executable schema.
pub type AppSchema = Schema<Query, Mutation, Subscription>;

/// What resolvers work with.
#[derive(Clone)]
pub struct Services {
    /// The door in.
    pub writer: Writer,
    /// The door out.
    pub reader: Reader,
    /// What is sent elsewhere.
    pub endpoints: Arc<Endpoints>,
    /// What raises alerts.
    pub rules: Arc<Rules>,
    /// Who makes the service's own tokens.
    pub partners: Arc<Partners>,
    /// Plans of organizations whose tokens carry none.
    pub plans: Plans,
    /// Exports.
    pub exports: Arc<Exports>,
    /// Who erases people.
    pub eraser: Arc<Eraser>,
    /// The time.
    pub clock: Clock,
    /// What ids are drawn from.
    pub chance: Chance,
}

/// Names a request in answers and in the log.
#[derive(Clone)]
pub struct RequestId(pub String);

/// What one request may do, over all of its fields.
pub(crate) struct Allowance {
    /// From when on no field of it begins. What has begun is waited for: it is durable or not, and its caller is told.
    until: Instant,
    /// The time that it has.
    time: Duration,
    /// Events that it has asked to record.
    events: AtomicUsize,
}

impl Allowance {
    /// What a request of so much time may do that begins now.
    fn of(time: Duration) -> Self {
        Self { until: Instant::now() + time, time, events: AtomicUsize::new(0) }
    }
}

/// The schema without services, for its text.
#[must_use]
pub fn schema_builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query, Mutation, Subscription)
        .register_output_type::<Node>()
        .limit_complexity(limits::COST)
        .limit_depth(limits::INTROSPECTION_DEPTH as usize)
        .limit_recursive_depth(64)
        .limit_directives(8)
}

/// What the resolvers of a request work with.
fn services<'a>(ctx: &'a Context<'_>) -> &'a Services {
    ctx.data_unchecked()
}

/// The name of the request.
fn request_id(ctx: &Context<'_>) -> String {
    ctx.data_opt::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// Counts events that a field asks to record.
///
/// # Errors
/// `BAD_USER_INPUT` where the request, with all its fields, has more than one request may.
fn count_events(ctx: &Context<'_>, field: &str, events: usize) -> Result<()> {
    let Some(allowance) = ctx.data_opt::<Allowance>() else { return Ok(()) };
    let before = allowance.events.fetch_add(events, Ordering::Relaxed);
    if before > 0 && before + events > BATCH {
        let all = before + events;
        let rule = format!("must be at most {BATCH} events with those of the request's other fields, got {all}");
        return Err(Error::bad_input(field, rule));
    }
    Ok(())
}

/// Whoever the request's token speaks for, as long as the request has time.
fn principal<'a>(ctx: &'a Context<'_>) -> Result<&'a Arc<Principal>> {
    if let Some(allowance) = ctx.data_opt::<Allowance>().filter(|allowance| Instant::now() >= allowance.until) {
        let time = allowance.time.as_secs();
        return Err(Error::TooComplex(format!(
            "the request took longer than {time} s: nothing was done of this field"
        )));
    }
    ctx.data_opt::<Arc<Principal>>().ok_or(Error::Unauthenticated("a bearer token is needed"))
}
