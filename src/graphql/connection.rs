//! `auditEvents`: a Relay connection with totals, page numbers and facets.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use serde::ser::SerializeMap;

use super::{
    error::to_graphql,
    event::AuditEvent,
    facets::AuditEventFacets,
    limits,
    scalars::int,
    written::{self, Fields, Items},
};
use crate::{
    error::Result,
    question::period,
    reading::list::{self, List, Numbers, Page, Place, Wanted},
};

/// A page of events with what a list shows around it.
pub struct AuditEventConnection {
    list: Arc<List>,
    edges: Vec<AuditEventEdge>,
    page_info: PageInfo,
    numbers: Numbers,
}

impl AuditEventConnection {
    /// What the selection of the connection that is being resolved needs of the whole list.
    pub fn wanted(ctx: &Context<'_>) -> Wanted {
        let selected = ctx.look_ahead();
        let any = |fields: &[&str]| fields.iter().any(|field| selected.field(field).exists());
        let held = [selected.field("nodes"), selected.field("edges").field("node")];
        let held = held.iter().any(|event| event.field("held").exists());
        Wanted { totals: any(&["totalCount", "pageNumber", "pageCount"]), number: any(&["pageNumber"]), held }
    }
}

impl From<Page> for AuditEventConnection {
    fn from(page: Page) -> Self {
        let Page { list, entries, info, numbers } = page;
        let list::PageInfo { has_next, has_previous, start, end } = info;
        let page_info =
            PageInfo { has_next_page: has_next, has_previous_page: has_previous, start_cursor: start, end_cursor: end };
        Self { list, edges: entries.into_iter().map(Into::into).collect(), page_info, numbers }
    }
}

/// An event and its place in the list.
pub struct AuditEventEdge {
    place: Place,
    node: AuditEvent,
}

impl From<list::Entry> for AuditEventEdge {
    fn from(entry: list::Entry) -> Self {
        Self { place: entry.place, node: AuditEvent(entry.event) }
    }
}

/// An event and its place in the list.
#[Object]
impl AuditEventEdge {
    /// Opaque place of the event, for `after` and `before`. Good for the same order and filter only.
    #[graphql(name = "cursor")]
    async fn encoded(&self) -> String {
        self.place.encode()
    }

    /// The event.
    #[graphql(name = "node")]
    async fn event(&self) -> &AuditEvent {
        &self.node
    }
}

/// Where a page stands in its list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether there are events after this page.
    has_next_page: bool,
    /// Whether there are events before this page.
    has_previous_page: bool,
    /// Cursor of the first event; of an empty page, the cursor that was asked with.
    start_cursor: Option<String>,
    /// Cursor of the last event; of an empty page, the cursor that was asked with.
    end_cursor: Option<String>,
}

/// A page of events with what a list shows around it.
#[Object]
impl AuditEventConnection {
    /// The events of the page with their cursors.
    async fn edges(&self, ctx: &Context<'_>) -> Items<&AuditEventEdge> {
        Items::of(ctx, self.edges.iter())
    }

    /// The events of the page.
    async fn nodes(&self, ctx: &Context<'_>) -> Items<&AuditEvent> {
        Items::of(ctx, self.edges.iter().map(|edge| &edge.node))
    }

    /// Where the page stands in its list.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// Events of the whole list under the filter, exact; as it was when paging began, so that it holds still.
    #[graphql(complexity = "limits::COUNTED")]
    async fn total_count(&self) -> i32 {
        int(self.numbers.total)
    }

    /// Number of the page, from 1, with pages of the asked size.
    #[graphql(complexity = "limits::COUNTED")]
    async fn page_number(&self) -> i32 {
        int(self.numbers.page)
    }

    /// Number of pages of the asked size, at least 1.
    #[graphql(complexity = "limits::COUNTED")]
    async fn page_count(&self) -> i32 {
        int(self.numbers.pages)
    }

    /// How many events of the list there are, by what they are about.
    async fn facets(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(\"UTC\".to_owned())",
            desc = "IANA name of the time zone that `days` are counted in."
        )]
        time_zone: Option<String>,
    ) -> async_graphql::Result<Option<AuditEventFacets>> {
        let facets = async || -> Result<AuditEventFacets> {
            let zone = period::time_zone("timeZone", time_zone.as_deref().unwrap_or("UTC"))?;
            AuditEventFacets::read(ctx, &self.list, zone).await
        };
        Box::pin(facets()).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }
}

/// The same as its resolvers say.
impl Fields for &AuditEventEdge {
    const TYPE: &'static str = "AuditEventEdge";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &written::Field<'_>) -> Result<(), M::Error> {
        match field.name() {
            "cursor" => map.serialize_entry(key, &self.place.encode()),
            "node" => map.serialize_entry(key, &field.of(&self.node)),
            _ => Err(field.left()),
        }
    }
}
