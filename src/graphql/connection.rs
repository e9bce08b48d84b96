//! `auditEvents`: a Relay connection with totals, page numbers and facets.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    Services,
    error::to_graphql,
    event::AuditEvent,
    facets::{AuditEventFacets, FacetList},
    filter::{AuditEventFilter, AuditEventOrder, AuditLogInput, filter},
    principal,
    scalars::int,
    written::Items,
};
use crate::{
    auth::policy,
    error::{Error, Result},
    event::limits,
    question::{
        cursor::{Bound, Cursor, Fingerprint, Order},
        filter::Filter,
        period,
    },
    store::{Page, PageRequest, Question, Selection, Store, key},
};

/// Arguments of `auditEvents`, as they come.
pub struct Arguments {
    pub organization: Option<ID>,
    pub log: Option<AuditLogInput>,
    pub include_nested: Option<bool>,
    pub filter: Option<AuditEventFilter>,
    pub search: Option<String>,
    pub order_by: Option<AuditEventOrder>,
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

/// A page of events with what a list shows around it.
pub struct AuditEventConnection {
    list: Arc<List>,
    edges: Vec<AuditEventEdge>,
    page_info: PageInfo,
    numbers: Numbers,
}

/// The list that a page belongs to.
struct List {
    store: Store,
    filter: Filter,
    include_nested: Option<bool>,
    /// Nothing has been recorded where there is none.
    selection: Option<Selection>,
}

impl List {
    fn blame(&self, error: Error) -> Error {
        match &self.selection {
            Some(selection) => selection.blame(error),
            None => error,
        }
    }
}

/// Totals, as far as they were asked for.
#[derive(Default)]
struct Numbers {
    total: i64,
    page: i64,
    pages: i64,
}

/// An event and its place in the list.
pub struct AuditEventEdge {
    place: Cursor,
    fingerprint: Fingerprint,
    /// The event.
    pub node: AuditEvent,
}

impl AuditEventEdge {
    /// The place as clients carry it. Made where it is asked for: its checksum costs more than what else is shown.
    pub fn cursor(&self) -> String {
        self.place.encode(self.fingerprint)
    }
}

/// An event and its place in the list.
#[Object]
impl AuditEventEdge {
    /// Opaque place of the event, for `after` and `before`. Good for the same order and filter only.
    #[graphql(name = "cursor")]
    async fn encoded(&self) -> String {
        self.cursor()
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
    async fn total_count(&self) -> i32 {
        int(self.numbers.total)
    }

    /// Number of the page, from 1, with pages of the asked size.
    async fn page_number(&self) -> i32 {
        int(self.numbers.page)
    }

    /// Number of pages of the asked size, at least 1.
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
            let selected = ctx.look_ahead();
            let List { store, selection, filter, include_nested } = &*self.list;
            let mut facets = AuditEventFacets::read(store, selection.as_ref(), zone, &selected).await?;
            if let Some(selection) = selection
                && selected.field("organizations").exists()
            {
                let (services, principal) = (ctx.data_unchecked::<Services>(), principal(ctx)?);
                facets.organizations =
                    FacetList::of_organizations(services, principal, selection, filter, *include_nested).await?;
            }
            Ok(facets)
        };
        facets().await.map(Some).map_err(|error| to_graphql(ctx, self.list.blame(error)))
    }
}

/// The page that some arguments ask for.
struct Asked {
    size: usize,
    backward: bool,
    after: Option<Cursor>,
    before: Option<Cursor>,
    given: (Option<String>, Option<String>),
    order: Order,
    fingerprint: Fingerprint,
}

/// Answers `auditEvents`.
pub async fn audit_events(ctx: &Context<'_>, arguments: Arguments) -> Result<AuditEventConnection> {
    let services = ctx.data_unchecked::<Services>();
    let principal = principal(ctx)?;
    let log = arguments.log.as_ref().map(AuditLogInput::name);
    let organization = arguments.organization.as_ref().map(|id| id.as_str());
    let scope = policy::may_read(principal, organization, log, arguments.include_nested)?;
    if let Some(log) = &arguments.log {
        log.check()?;
    }
    let filter = filter(arguments.filter, arguments.search.as_deref(), scope.product(), services.clock.now())?;
    let order = arguments.order_by.unwrap_or_default().order();
    let fingerprint = Bound {
        product: &scope.product().name,
        organization: scope.organization(),
        log: scope.log().map(|log| (log.level.as_str(), log.id.as_str())),
        include_nested: scope.include_nested(),
        order,
        filter: &filter,
    }
    .fingerprint();
    let (size, backward) = page_size(arguments.first, arguments.last)?;
    let cursor =
        |text: &Option<String>, field| text.as_deref().map(|text| Cursor::decode(text, fingerprint, field)).transpose();
    let asked = Asked {
        size,
        backward,
        after: cursor(&arguments.after, "after")?,
        before: cursor(&arguments.before, "before")?,
        given: (arguments.after, arguments.before),
        order,
        fingerprint,
    };
    let store = services.store.caught_up(&scope.product().name, scope.organization()).await?;
    let selection = store.select(Question { scope: &scope, filter: &filter }).await?;
    let list = Arc::new(List { store, filter, include_nested: arguments.include_nested, selection });
    let wanted = ctx.look_ahead();
    let total_wanted = ["totalCount", "pageNumber", "pageCount"].iter().any(|field| wanted.field(field).exists());
    let answer = read(list.clone(), asked, total_wanted, wanted.field("pageNumber").exists()).await;
    answer.map_err(|error| list.blame(error))
}

async fn read(list: Arc<List>, asked: Asked, total_wanted: bool, number_wanted: bool) -> Result<AuditEventConnection> {
    let Some(selection) = &list.selection else {
        let page_info = PageInfo {
            has_next_page: false,
            has_previous_page: false,
            start_cursor: asked.given.0.clone().or(asked.given.1.clone()),
            end_cursor: asked.given.0.or(asked.given.1),
        };
        return Ok(AuditEventConnection {
            list,
            edges: Vec::new(),
            page_info,
            numbers: Numbers { total: 0, page: 1, pages: 1 },
        });
    };
    let request = PageRequest {
        order: asked.order,
        limit: asked.size,
        backward: asked.backward,
        after: asked.after.map(|cursor| cursor.key),
        before: asked.before.map(|cursor| cursor.key),
    };
    let page = list.store.page(selection, request).await?;
    let pinned = asked.after.or(asked.before).map_or(selection.size(), |cursor| cursor.pinned);
    let total = if total_wanted { Some(list.store.count(selection, pinned).await?) } else { None };
    let count = page.events.len() as i64;
    let first_rank = match (asked.backward, asked.after, asked.before) {
        (false, None, _) => Some(0),
        (false, Some(after), _) => after.rank.map(|rank| rank + 1),
        (true, _, Some(before)) => before.rank.map(|rank| rank - count),
        (true, _, None) => total.map(|total| total - count),
    };
    let first_rank = match (first_rank, page.events.first()) {
        (None, Some(first)) if number_wanted => {
            Some(list.store.rank(selection, asked.order, key(asked.order, first), pinned).await?)
        }
        (rank, _) => rank,
    };
    let numbers = total.map(|total| numbers(total, first_rank.unwrap_or(0), asked.size)).unwrap_or_default();
    let page_info = page_info(&page, &asked, pinned, first_rank);
    let dictionary = page.dictionary.unwrap_or_else(|| selection.dictionary.clone());
    let edges = page.events.into_iter().enumerate().map(|(at, event)| {
        let place = Cursor { key: key(asked.order, &event), rank: first_rank.map(|rank| rank + at as i64), pinned };
        AuditEventEdge {
            place,
            fingerprint: asked.fingerprint,
            node: AuditEvent::new(event, selection.product(), &dictionary),
        }
    });
    let edges = edges.collect();
    Ok(AuditEventConnection { edges, page_info, numbers, list })
}

fn numbers(total: i64, first_rank: i64, size: usize) -> Numbers {
    let size = size.max(1) as i64;
    let pages = (total + size - 1) / size;
    Numbers { total, page: first_rank.max(0) / size + 1, pages: pages.max(1) }
}

fn page_info(page: &Page, asked: &Asked, pinned: i64, first_rank: Option<i64>) -> PageInfo {
    let at = |key: i64, rank: Option<i64>| Cursor { key, rank, pinned }.encode(asked.fingerprint);
    let edge = |event: Option<&crate::event::Event>, offset: i64| {
        event.map(|event| at(key(asked.order, event), first_rank.map(|rank| rank + offset)))
    };
    let fallback = asked.given.0.clone().or_else(|| asked.given.1.clone());
    let count = page.events.len() as i64;
    let mut start_cursor = edge(page.events.first(), 0).or_else(|| fallback.clone());
    let mut end_cursor = edge(page.events.last(), count - 1).or(fallback);
    // A scan that stopped short goes on from where it stopped, not from the last event that fitted.
    if let Some(stopped) = page.stopped_at {
        if asked.backward {
            start_cursor = Some(at(stopped, first_rank));
        } else {
            end_cursor = Some(at(stopped, first_rank.map(|rank| rank + count - 1)));
        }
    }
    let (has_next_page, has_previous_page) =
        if asked.backward { (asked.before.is_some(), page.more) } else { (page.more, asked.after.is_some()) };
    PageInfo { has_next_page, has_previous_page, start_cursor, end_cursor }
}

fn page_size(first: Option<i32>, last: Option<i32>) -> Result<(usize, bool)> {
    let checked = |field: &str, n: i32| {
        usize::try_from(n)
            .ok()
            .filter(|&n| n <= limits::PAGE_MAX)
            .ok_or_else(|| Error::bad_input(field, format!("must be from 0 to {}, got {n}", limits::PAGE_MAX)))
    };
    match (first, last) {
        (Some(_), Some(_)) => Err(Error::bad_input("last", "must not be given together with first")),
        (Some(n), None) => Ok((checked("first", n)?, false)),
        (None, Some(n)) => Ok((checked("last", n)?, true)),
        (None, None) => Ok((limits::PAGE_DEFAULT, false)),
    }
}
