//! The questions of the schema.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    alerts::{self, AuditAlertRule},
    catalog,
    connection::AuditEventConnection,
    endpoints::{self, AuditEndpoint},
    erasures::{self, AuditErasure, AuditErasurePreview, EraseFromAuditLogInput},
    error::to_graphql,
    event::{Actor, AuditEvent, Node},
    exports::{self, AuditExport},
    filter::{AuditEventFilter, AuditEventOrder, AuditLogInput, Typed, filter},
    limits,
    organizations::{self, OrganizationCertificate, OrganizationEnd},
    plans, principal,
    retention::{self, AuditHold, AuditRetention},
    services,
    tokens::{self, AuditTokenPage},
    viewer::Viewer,
    views::{self, AuditSavedView},
};
use crate::{
    error::Result,
    event::limits::{PAGE_DEFAULT, PAGE_MAX},
    reading::{
        AskedTokens, Completion, Once,
        list::{Asked, PartInput},
    },
};

/// Cost of a page of events: that of the page, and of what is counted of the whole list. A phrase and the beginning of a
/// word are looked for row by row, or in many lists of the index.
fn list_cost(first: Option<i32>, last: Option<i32>, search: Option<&str>, child: usize) -> usize {
    let (counted, page) = (child / limits::COUNTED, child % limits::COUNTED);
    let is_costly = search.is_some_and(|search| search.contains(['"', '*']));
    let counts = if is_costly { counted.saturating_mul(2).saturating_add(1) } else { counted };
    page_cost(first, last, page).saturating_add(counts.saturating_mul(limits::COUNT_COST))
}

/// Cost of a page: its size times what is selected, never overflowing.
fn page_cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let size = first.or(last).map_or(PAGE_DEFAULT, |n| usize::try_from(n).unwrap_or(0));
    size.min(PAGE_MAX).saturating_mul(child).saturating_add(1)
}

/// Reading: who is asking, what the product records, and the events, logs and actors that the token may see.
pub struct Query;

/// Reading: who is asking, what the product records, and the events, logs and actors that the token may see.
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
    #[graphql(complexity = "list_cost(first, last, search.as_deref(), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
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
        #[graphql(
            desc = "What a person types into a query box, such as `actor:ada action:role.* -outcome:success after:7d \"two words\"`: fields, words and, after a minus, what to leave out; the manual has the grammar. At most 1,000 characters. A field may be asked for here or in `filter`, not in both."
        )]
        query: Option<String>,
        #[graphql(
            desc = "IANA name of the zone that days and times of `query` are of, such as `Europe/Berlin`; UTC where absent."
        )]
        query_time_zone: Option<String>,
        #[graphql(
            desc = "The order of the list; newest first where absent.",
            default_with = "Some(AuditEventOrder::default())"
        )]
        order_by: Option<AuditEventOrder>,
        #[graphql(desc = "Size of a page from the start or after a cursor: at most 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The page comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Size of a page from the end or before a cursor: at most 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The page comes before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Arc<AuditEventConnection>>> {
        let asked = Asked {
            organization: organization.map(|id| id.0),
            log: log.map(Into::into),
            include_nested,
            filter: self::filter(filter, Typed { search, query, query_time_zone }),
            order: order_by.unwrap_or_default().order(),
            part: PartInput { first: first.map(Into::into), after, last: last.map(Into::into), before, number: None },
            most: PAGE_MAX,
            wanted: AuditEventConnection::wanted(ctx),
        };
        let once = ctx.data_unchecked::<Once>();
        let text = format!("{asked:?}");
        let answer = async {
            // Boxed, because it is large, and is moved from caller to caller.
            let page = Box::pin(services(ctx).reader.list(principal(ctx)?, asked)).await?;
            Ok(Arc::new(AuditEventConnection::from(page)))
        };
        let page = once.of(text, answer);
        page.await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// One event by its id.
    async fn audit_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event's id.")] id: ID,
    ) -> async_graphql::Result<Option<AuditEvent>> {
        let event = async || services(ctx).reader.event(principal(ctx)?, &id).await;
        event().await.map(|event| Some(AuditEvent(event))).map_err(|error| to_graphql(ctx, error))
    }

    /// Anything that has an id, as Relay asks for it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of an event or of a log.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        let found = async || services(ctx).reader.node(principal(ctx)?, &id).await;
        found().await.map(|found| Some(found.into())).map_err(|error| to_graphql(ctx, error))
    }

    /// The endpoints of an organization, the oldest first. Needs what `createEndpoint` needs.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn audit_endpoints(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Option<Vec<AuditEndpoint>>> {
        endpoints::list(ctx, organization).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// The rules of an organization that raise alerts, the oldest first. Needs what `createAlertRule` needs.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn audit_alert_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Option<Vec<AuditAlertRule>>> {
        alerts::list(ctx, organization).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// The caller's saved views of an organization, and those that are shared there, the oldest first: at most 200. A token
    /// that is narrowed to logs sees the caller's own alone. Needs what `auditEvents` needs, and a token that the service
    /// did not make.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn audit_saved_views(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Option<Vec<AuditSavedView>>> {
        views::list(ctx, organization).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Tokens that the service made for partners and pages, the newest first. Needs what `createAuditToken` needs.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn audit_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(
            default_with = "Some(false)",
            desc = "Whether tokens that have ended or were revoked are listed too."
        )]
        include_ended: Option<bool>,
        #[graphql(desc = "Size of the page: at most 100, 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The page comes after the token of this id.")] after: Option<String>,
    ) -> async_graphql::Result<Option<AuditTokenPage>> {
        let asked = AskedTokens {
            organization: organization.map(|id| id.0),
            include_ended: include_ended.unwrap_or(false),
            first: first.map(Into::into),
            after,
        };
        tokens::list(ctx, asked).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// For how long events of an organization are kept. Needs what `setAuditRetention` needs.
    async fn audit_retention(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Option<AuditRetention>> {
        retention::find(ctx, organization).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// What must not leave the log, the oldest hold first. Needs what `placeAuditHold` needs.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn audit_holds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Option<Vec<AuditHold>>> {
        retention::holds(ctx, organization).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// The end of an organization that somebody has asked for; null where nobody has, or where it has ended. Needs what
    /// `deleteOrganization` needs.
    async fn organization_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Option<OrganizationEnd>> {
        organizations::find(ctx, organization).await.map_err(|error| to_graphql(ctx, error))
    }

    /// What stays of an organization that has ended; null where it has not. Needs what `deleteOrganization` needs.
    async fn organization_certificate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Option<OrganizationCertificate>> {
        organizations::certificate(ctx, organization).await.map_err(|error| to_graphql(ctx, error))
    }

    /// What erasing a person would do now. Nothing is changed. It looks through the whole log, so that one request has room
    /// for one. Needs what `eraseFromAuditLog` needs.
    #[graphql(complexity = "limits::COST / 2 + child_complexity")]
    async fn preview_audit_erasure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who would be erased.")] input: EraseFromAuditLogInput,
    ) -> async_graphql::Result<Option<AuditErasurePreview>> {
        erasures::preview(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// An erasure by its id. Needs what `eraseFromAuditLog` needs.
    async fn audit_erasure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "The erasure's id.")] id: ID,
    ) -> async_graphql::Result<Option<AuditErasure>> {
        erasures::find(ctx, organization, &id).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Erasures of an organization, the newest first. Needs what `eraseFromAuditLog` needs.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn audit_erasures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "Most erasures, at most 100.", default_with = "Some(20)")] first: Option<i32>,
    ) -> async_graphql::Result<Option<Vec<AuditErasure>>> {
        let list = erasures::list(ctx, organization, first.unwrap_or(20).into());
        list.await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// The plan that is kept for an organization whose tokens carry none. Needs what `setOrganizationPlan` needs.
    async fn organization_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] organization: ID,
    ) -> async_graphql::Result<Option<String>> {
        plans::find(ctx, &organization).await.map_err(|error| to_graphql(ctx, error))
    }

    /// An export by its id. Needs what `createAuditExport` needs.
    async fn audit_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "The export's id.")] id: ID,
    ) -> async_graphql::Result<Option<AuditExport>> {
        exports::find(ctx, organization, &id).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Exports of an organization, the newest first. Needs what `createAuditExport` needs.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn audit_exports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "Most exports, at most 100.", default_with = "Some(20)")] first: Option<i32>,
    ) -> async_graphql::Result<Option<Vec<AuditExport>>> {
        let list = exports::list(ctx, organization, first.unwrap_or(20).into());
        list.await.map(Some).map_err(|error| to_graphql(ctx, error))
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
        let actors = async || -> Result<Vec<Actor>> {
            let (principal, organization) = (principal(ctx)?, organization.as_deref().map(String::as_str));
            let first = first.unwrap_or(20).into();
            let actors = services(ctx).reader.actors(principal, organization, matching.as_deref(), first).await?;
            Ok(actors.into_iter().map(|actor| Actor::of(actor, &principal.product)).collect())
        };
        Box::pin(actors()).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// What could be meant where the cursor stands in a `query` of `auditEvents`: fields, and values from the catalog and
    /// from whom the log tells of; at most 20. Needs what `auditEvents` needs.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn query_completions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "The query, as far as it is written.")] text: String,
        #[graphql(desc = "How many characters stand before the cursor; all of them where absent.")] at: Option<i32>,
    ) -> async_graphql::Result<Option<Vec<QueryCompletion>>> {
        let found = async || -> Result<Vec<QueryCompletion>> {
            let (principal, organization) = (principal(ctx)?, organization.as_deref().map(String::as_str));
            let reader = &services(ctx).reader;
            let found = reader.query_completions(principal, organization, &text, at.map(Into::into)).await?;
            Ok(found.into_iter().map(Into::into).collect())
        };
        Box::pin(found()).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }
}

/// A text that could stand in the place of what is being typed into a query.
#[derive(SimpleObject)]
pub struct QueryCompletion {
    /// The text: the value of a field, in quotes where it needs them, or a field with its value.
    text: String,
    /// What people call it.
    label: String,
    /// Where what it takes the place of begins: characters before it.
    from: i32,
    /// Where that ends: characters before its end.
    to: i32,
}

impl From<Completion> for QueryCompletion {
    fn from(Completion { text, label, from, to }: Completion) -> Self {
        let number = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
        Self { text, label, from: number(from), to: number(to) }
    }
}
