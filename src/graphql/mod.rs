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
mod limits;
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
pub mod written;

use std::sync::Arc;

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

/// Whoever the request's token speaks for.
fn principal<'a>(ctx: &'a Context<'_>) -> Result<&'a Arc<Principal>> {
    ctx.data_opt::<Arc<Principal>>().ok_or(Error::Unauthenticated("a bearer token is needed"))
}
