//! The questions of the schema.

use async_graphql::{Context, ID, Object};

use super::{
    Services, catalog,
    connection::{Arguments, AuditEventConnection, audit_events},
    error::to_graphql,
    event::{Actor, AuditEvent, AuditLog, Node},
    filter::{AuditEventFilter, AuditEventOrder, AuditLogInput, check_text},
    principal,
    viewer::{Viewer, readable},
};
use crate::{
    auth::policy,
    error::{Error, Result},
    event::{EventId, LogId, limits},
};

/// Cost of a page: its size times what is selected, never overflowing.
fn page_cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let size = first.or(last).map_or(limits::PAGE_DEFAULT, |n| usize::try_from(n).unwrap_or(0));
    size.min(limits::PAGE_MAX).saturating_mul(child).saturating_add(1)
}

/// Questions.
pub struct Query;

/// Questions.
#[Object]
impl Query {
    /// Whoever the token speaks for, and what they may do. Answers any valid token, whatever its role and plan.
    async fn viewer(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Viewer>> {
        principal(ctx).map(|principal| Some(Viewer(principal.clone()))).map_err(|error| to_graphql(ctx, error))
    }

    /// The actions that the token's product records. Answers any valid token of the product.
    async fn catalog(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<catalog::Catalog>> {
        principal(ctx)
            .map(|principal| Some(catalog::Catalog(principal.product.clone())))
            .map_err(|error| to_graphql(ctx, error))
    }

    /// Events of a log, newest first unless asked otherwise: a Relay connection. Needs the scope `audit:read` and
    /// what else the product asks of its readers.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[allow(clippy::too_many_arguments)]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "The log; the organization's own where absent.")] log: Option<AuditLogInput>,
        #[graphql(desc = "Whether events of logs nested in it are listed too; the level's setting where absent.")]
        include_nested: Option<bool>,
        #[graphql(desc = "Which events to keep.")] filter: Option<AuditEventFilter>,
        #[graphql(
            desc = "Words that must all occur in an event, anywhere; `word*` is a prefix, `\"two words\"` a phrase. At most 256 characters and 16 words."
        )]
        search: Option<String>,
        #[graphql(desc = "The order.", default_with = "Some(AuditEventOrder::default())")] order_by: Option<
            AuditEventOrder,
        >,
        #[graphql(desc = "Size of a page from the start or after a cursor: at most 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The page comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Size of a page from the end or before a cursor: at most 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The page comes before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<AuditEventConnection>> {
        let arguments =
            Arguments { organization, log, include_nested, filter, search, order_by, first, after, last, before };
        audit_events(ctx, arguments).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// One event by its id.
    async fn audit_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event's id.")] id: ID,
    ) -> async_graphql::Result<Option<AuditEvent>> {
        find(ctx, &id).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Anything that has an id, as Relay asks for it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        node(ctx, &id).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Actors of an organization for a picker, the busiest first: each once, told apart by kind and id (without an id by
    /// kind and e-mail address, without either by kind and name), and shown as in the newest event of theirs.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn actors(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "A part of the name, e-mail address or id, of now or before; case is ignored.")]
        matching: Option<String>,
        #[graphql(desc = "Most actors, at most 100.", default_with = "Some(20)")] first: Option<i32>,
    ) -> async_graphql::Result<Option<Vec<Actor>>> {
        actors(ctx, organization, matching, first.unwrap_or(20)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }
}

async fn node(ctx: &Context<'_>, id: &ID) -> Result<Node> {
    let Ok(id) = id.parse::<LogId>() else { return find(ctx, id).await.map(Node::AuditEvent) };
    let scope = policy::may_find(principal(ctx)?)?;
    let dictionary = ctx.data_unchecked::<Services>().store.log(&scope, id).await?;
    let log = dictionary.and_then(|dictionary| AuditLog::numbered(&dictionary, id.no));
    log.map(Node::AuditLog).ok_or_else(|| Error::not_found("log"))
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<AuditEvent> {
    let scope = policy::may_find(principal(ctx)?)?;
    let id: EventId = id.parse().map_err(|()| Error::not_found("event"))?;
    let (event, dictionary) =
        ctx.data_unchecked::<Services>().store.event(&scope, id).await?.ok_or_else(|| Error::not_found("event"))?;
    Ok(AuditEvent::new(event, scope.product(), &dictionary))
}

async fn actors(
    ctx: &Context<'_>,
    organization: Option<ID>,
    matching: Option<String>,
    first: i32,
) -> Result<Vec<Actor>> {
    let principal = principal(ctx)?;
    let matching = matching.as_deref().filter(|text| !text.is_empty());
    // A token for several logs has no log of its own: its actors are those of each.
    let lists = readable(ctx, principal, organization.as_ref(), Some(true)).await?;
    let limit = usize::try_from(first)
        .ok()
        .filter(|n| *n <= limits::PAGE_MAX)
        .ok_or_else(|| Error::bad_input("first", format!("must be from 0 to {}, got {first}", limits::PAGE_MAX)))?;
    if let Some(text) = matching {
        check_text("matching", text)?;
    }
    let services = ctx.data_unchecked::<Services>();
    let actors = services.store.actors(&lists.scopes, matching, limit).await?;
    Ok(actors.into_iter().map(|actor| Actor { actor, product: principal.product.clone() }).collect())
}
