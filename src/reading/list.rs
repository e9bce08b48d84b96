//! Lists of events: what is asked for becomes a permission, a validated filter and a selection; what goes out is a page
//! with its places, and the totals that were asked for. Facets of a list are counted beside it.

use std::sync::Arc;

use super::{Held, Reader, once::Once, shown::Shown, told::Kind};
use crate::{
    auth::{LogName, Principal, ReadScope, policy},
    error::{Error, Result},
    event::{Event, Timestamp, limits},
    question::{
        cursor::{Bound, Cursor, Fingerprint, Order},
        filter::Filter,
        input::FilterInput,
        search::Search,
    },
    store::{self, Dictionary, PageRequest, Question, Selection, Store, key},
};

/// Events that are passed over at a time on the way to a page that is asked for by its number.
const PASSED_OVER: usize = 1_000;

/// A page that is asked for.
#[derive(Debug)]
pub struct Asked {
    /// The organization, where the token names none.
    pub organization: Option<String>,
    /// The log; the organization's own where absent.
    pub log: Option<LogName>,
    /// Whether events of logs nested in it are listed too; the level's setting where absent.
    pub include_nested: Option<bool>,
    /// Which events to keep.
    pub filter: FilterInput,
    /// The order.
    pub order: Order,
    /// Which part of the list.
    pub part: PartInput,
    /// The largest page that may be asked for this way.
    pub most: usize,
    /// What is told of the whole list.
    pub wanted: Wanted,
}

/// A part of a list, as a caller asks for it; nothing of it is checked.
#[derive(Debug, Default)]
pub struct PartInput {
    /// Size of a page from the start or after a cursor.
    pub first: Option<i64>,
    /// The page comes after this cursor.
    pub after: Option<String>,
    /// Size of a page from the end or before a cursor.
    pub last: Option<i64>,
    /// The page comes before this cursor.
    pub before: Option<String>,
    /// Number of the page, from 1, in pages of `first` events; then there are no cursors. For the routes of products that
    /// number their pages: what arrives moves them, and a page far from both ends is refused.
    pub number: Option<i64>,
}

/// What is told of the whole list: it may cost more than the page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Totals: events and pages.
    pub totals: bool,
    /// The number of the page.
    pub number: bool,
    /// Whether holds keep its events.
    pub held: bool,
}

/// The list that a page belongs to.
pub struct List {
    pub(super) store: Store,
    pub(super) filter: Filter,
    /// What it is searched by.
    pub(super) search: Arc<Search>,
    pub(super) include_nested: Option<bool>,
    /// Nothing has been recorded where there is none.
    pub(super) selection: Option<Selection>,
    /// What keeps events, where that is wanted.
    pub(super) held: Option<Held>,
    /// What was counted of it.
    pub(super) counted: Once,
}

impl List {
    /// What to tell the caller of an error that a question about this list ended with.
    pub(super) fn blame(&self, error: Error) -> Error {
        match &self.selection {
            Some(selection) => selection.blame(error),
            None => error,
        }
    }

    /// An event of this list.
    fn shown(&self, event: Event, selection: &Selection, dictionary: &Arc<Dictionary>) -> Shown {
        Shown::new(event, selection.product(), dictionary).found_by(&self.search).kept_by(self.held.as_ref())
    }
}

/// A page of a list.
pub struct Page {
    /// The list.
    pub list: Arc<List>,
    /// The events, in the order of the list.
    pub entries: Vec<Entry>,
    /// Where the page stands in its list.
    pub info: PageInfo,
    /// Totals; zeros where they were not wanted.
    pub numbers: Numbers,
}

/// An event and its place in the list.
pub struct Entry {
    /// The place.
    pub place: Place,
    /// The event.
    pub event: Shown,
}

/// A place in a list.
#[derive(Clone, Copy)]
pub struct Place {
    pub(super) cursor: Cursor,
    pub(super) list: Fingerprint,
}

impl Place {
    /// The place as clients carry it. Made where it is asked for: its checksum costs more than what else is shown.
    #[must_use]
    pub fn encode(&self) -> String {
        self.cursor.encode(self.list)
    }
}

/// Where a page stands in its list.
pub struct PageInfo {
    /// Whether there are events after this page.
    pub has_next: bool,
    /// Whether there are events before this page.
    pub has_previous: bool,
    /// Cursor of the first event; of an empty page, the cursor that was asked with.
    pub start: Option<String>,
    /// Cursor of the last event; of an empty page, the cursor that was asked with.
    pub end: Option<String>,
}

/// Totals of a list.
#[derive(Clone, Copy, Default)]
pub struct Numbers {
    /// Events of the whole list, as it was when paging began.
    pub total: i64,
    /// Number of the page, from 1.
    pub page: i64,
    /// Number of pages, at least 1.
    pub pages: i64,
}

impl Reader {
    /// A page of a list.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not read it, `BAD_USER_INPUT` naming what of the
    /// question breaks a rule, and `QUERY_TOO_COMPLEX` where the search takes too long.
    pub async fn list(&self, principal: &Principal, asked: Asked) -> Result<Page> {
        let Asked { organization, log, include_nested, filter, order, part, most, wanted } = asked;
        let scope = policy::may_read(principal, organization.as_deref(), log, include_nested)?;
        let now = self.clock.now();
        let (sent, mut filter) = (filter.clone(), self.checked(&scope, filter, now)?);
        let mut part = Part::checked(part, most, order, fingerprint(&scope, order, &filter))?;
        if let Some(anchor) = filter.anchor(now) {
            match part.began {
                // Whoever goes on with a list reads the one that they began.
                Some(began) => filter = self.checked(&scope, sent.clone(), began)?,
                None => part.began = Some(anchor),
            }
        }
        let store = self.store.caught_up(&scope.product().name, scope.organization()).await?;
        let selection = store.select(Question { scope: &scope, filter: &filter }).await?;
        let part = part.within(selection.as_ref().map_or(0, Selection::size));
        let search = Arc::new(filter.search.clone());
        let held = match &selection {
            Some(of) if wanted.held => Some(self.held_in(&store, principal, of.organization(), &of.dictionary).await?),
            _ => None,
        };
        let list = Arc::new(List { store, filter, search, include_nested, selection, held, counted: Once::default() });
        let page = match part.numbered {
            Some(number) => read_numbered(&list, part, number).await,
            None => read(&list, part, wanted).await,
        };
        let page = page.map_err(|error| list.blame(error))?;
        if let Some(selection) = &list.selection {
            self.tell(principal, selection.organization(), Kind::List, scope.log(), Some(&sent)).await?;
        }
        Ok(page)
    }

    /// The filter of a question, as it is at an instant.
    pub(super) fn checked(&self, scope: &ReadScope, filter: FilterInput, now: Timestamp) -> Result<Filter> {
        let labelled = |word: &str, prefix| {
            let labelled = scope.product().catalog.labelled(word, prefix);
            (labelled.actions, labelled.categories)
        };
        filter.check(labelled, now)
    }
}

/// What a cursor is bound to: the list that it was made in.
pub(super) fn fingerprint(scope: &ReadScope, order: Order, filter: &Filter) -> Fingerprint {
    Bound {
        product: &scope.product().name,
        organization: scope.organization(),
        log: scope.log().map(|log| (log.level.as_str(), log.id.as_str())),
        include_nested: scope.include_nested(),
        order,
        filter,
    }
    .fingerprint()
}

/// The part of a list that is read.
struct Part {
    size: usize,
    numbered: Option<i64>,
    backward: bool,
    after: Option<Cursor>,
    before: Option<Cursor>,
    /// The cursor that was asked with: the place of an empty page.
    given: Option<String>,
    /// When paging began, where that decides what the list has.
    began: Option<Timestamp>,
    order: Order,
    fingerprint: Fingerprint,
}

impl Part {
    fn checked(input: PartInput, most: usize, order: Order, fingerprint: Fingerprint) -> Result<Self> {
        let (size, backward) = page_size(input.first, input.last, most)?;
        if let Some(number) = input.number.filter(|number| *number < 1) {
            return Err(Error::bad_input("page", format!("must be at least 1, got {number}")));
        }
        let cursor = |text: &Option<String>, field| {
            text.as_deref().map(|text| Cursor::decode(text, fingerprint, field)).transpose()
        };
        let (after, before) = (cursor(&input.after, "after")?, cursor(&input.before, "before")?);
        let given = input.after.or(input.before);
        let began = after.or(before).and_then(|cursor| cursor.began);
        Ok(Self { size, numbered: input.number, backward, after, before, given, began, order, fingerprint })
    }

    /// The part with what a list of an organization of this size can have had told: a cursor is what a client sends, so
    /// nothing that is counted from it is believed beyond that.
    fn within(self, size: i64) -> Self {
        let known = |cursor: Cursor| Cursor {
            rank: cursor.rank.filter(|rank| (0..size).contains(rank)),
            pinned: cursor.pinned.clamp(0, size),
            ..cursor
        };
        Self { after: self.after.map(known), before: self.before.map(known), ..self }
    }

    fn request(&self) -> PageRequest {
        PageRequest {
            order: self.order,
            limit: self.size,
            backward: self.backward,
            after: self.after.map(|cursor| cursor.key),
            before: self.before.map(|cursor| cursor.key),
        }
    }
}

fn page_size(first: Option<i64>, last: Option<i64>, most: usize) -> Result<(usize, bool)> {
    let checked = |field: &str, n: i64| {
        usize::try_from(n)
            .ok()
            .filter(|&n| n <= most)
            .ok_or_else(|| Error::bad_input(field, format!("must be from 0 to {most}, got {n}")))
    };
    match (first, last) {
        (Some(_), Some(_)) => Err(Error::bad_input("last", "must not be given together with first")),
        (Some(n), None) => Ok((checked("first", n)?, false)),
        (None, Some(n)) => Ok((checked("last", n)?, true)),
        (None, None) => Ok((limits::PAGE_DEFAULT, false)),
    }
}

async fn read(list: &Arc<List>, part: Part, wanted: Wanted) -> Result<Page> {
    let Some(selection) = &list.selection else {
        let info = PageInfo { has_next: false, has_previous: false, start: part.given.clone(), end: part.given };
        let numbers = Numbers { total: 0, page: 1, pages: 1 };
        return Ok(Page { list: list.clone(), entries: Vec::new(), info, numbers });
    };
    let page = list.store.page(selection, part.request()).await?;
    let pinned = part.after.or(part.before).map_or(selection.size(), |cursor| cursor.pinned);
    let total = if wanted.totals { Some(list.store.count(selection, pinned).await?) } else { None };
    let count = page.events.len() as i64;
    let first_rank = match (part.backward, part.after, part.before) {
        (false, None, _) => Some(0),
        (false, Some(after), _) => after.rank.map(|rank| rank + 1),
        (true, _, Some(before)) => before.rank.map(|rank| rank - count),
        (true, _, None) => total.map(|total| total - count),
    };
    let first_rank = match (first_rank, page.events.first()) {
        (None, Some(first)) if wanted.number => {
            Some(list.store.rank(selection, part.order, key(part.order, first), pinned).await?)
        }
        (rank, _) => rank,
    };
    let numbers = total.map(|total| numbers(total, first_rank.unwrap_or(0), part.size)).unwrap_or_default();
    let info = page_info(&page, &part, pinned, first_rank);
    let dictionary = page.dictionary.unwrap_or_else(|| selection.dictionary.clone());
    let entries = page.events.into_iter().enumerate().map(|(at, event)| {
        let rank = first_rank.map(|rank| rank + at as i64);
        let cursor = Cursor { key: key(part.order, &event), rank, pinned, began: part.began };
        let place = Place { cursor, list: part.fingerprint };
        Entry { place, event: list.shown(event, selection, &dictionary) }
    });
    Ok(Page { list: list.clone(), entries: entries.collect(), info, numbers })
}

/// A page by its number. The events before it are passed over, from the nearer end: no index of ours knows the hundredth
/// event of a search.
async fn read_numbered(list: &Arc<List>, part: Part, number: i64) -> Result<Page> {
    let Some(selection) = &list.selection else {
        let empty = read(list, part, Wanted::default()).await?;
        return Ok(Page { numbers: Numbers { page: number, ..empty.numbers }, ..empty });
    };
    let total = list.store.count(selection, selection.size()).await?;
    let size = part.size.max(1) as i64;
    let pages = ((total + size - 1) / size).max(1);
    let first = (number - 1).saturating_mul(size).min(total);
    let end = first.saturating_add(part.size as i64).min(total);
    let backward = first > total - end;
    let before = if backward { total - end } else { first };
    if before > limits::NUMBERED_DEPTH {
        let most = limits::NUMBERED_DEPTH;
        let rule = format!("must lie at most {most} events from the first or the last one: narrow the list by dates");
        return Err(Error::bad_input("page", rule));
    }
    let count = |n: i64| usize::try_from(n).unwrap_or_default();
    let (mut left, mut wanted) = (count(before), count(end - first));
    let (mut from, mut entries) = (None, Vec::new());
    let request = |limit, from: Option<i64>| PageRequest {
        order: part.order,
        limit,
        backward,
        after: from.filter(|_| !backward),
        before: from.filter(|_| backward),
    };
    // A scan may stop short of what was asked, and then says where.
    let next = |page: &store::Page| {
        let last = if backward { page.events.first() } else { page.events.last() };
        page.stopped_at.or(last.map(|event| key(part.order, event)))
    };
    while left > 0 {
        let page = list.store.page(selection, request(left.min(PASSED_OVER), from)).await?;
        left -= page.events.len().min(left);
        from = next(&page);
        if !page.more {
            break;
        }
    }
    while wanted > 0 {
        let page = list.store.page(selection, request(wanted, from)).await?;
        wanted -= page.events.len().min(wanted);
        from = next(&page);
        let dictionary = page.dictionary.unwrap_or_else(|| selection.dictionary.clone());
        let shown = page.events.into_iter().map(|event| {
            let cursor =
                Cursor { key: key(part.order, &event), rank: None, pinned: selection.size(), began: part.began };
            let place = Place { cursor, list: part.fingerprint };
            Entry { place, event: list.shown(event, selection, &dictionary) }
        });
        if backward {
            entries.splice(0..0, shown);
        } else {
            entries.extend(shown);
        }
        if !page.more {
            break;
        }
    }
    let info = PageInfo { has_next: end < total, has_previous: first > 0, start: None, end: None };
    let numbers = Numbers { total, page: number, pages };
    Ok(Page { list: list.clone(), entries, info, numbers })
}

fn numbers(total: i64, first_rank: i64, size: usize) -> Numbers {
    let size = size.max(1) as i64;
    let pages = ((total + size - 1) / size).max(1);
    Numbers { total, page: (first_rank.max(0) / size + 1).min(pages), pages }
}

fn page_info(page: &store::Page, part: &Part, pinned: i64, first_rank: Option<i64>) -> PageInfo {
    let at = |key: i64, rank: Option<i64>| Cursor { key, rank, pinned, began: part.began }.encode(part.fingerprint);
    let edge = |event: Option<&Event>, offset: i64| {
        event.map(|event| at(key(part.order, event), first_rank.map(|rank| rank + offset)))
    };
    let count = page.events.len() as i64;
    let mut start = edge(page.events.first(), 0).or_else(|| part.given.clone());
    let mut end = edge(page.events.last(), count - 1).or_else(|| part.given.clone());
    // A scan that stopped short goes on from where it stopped, not from the last event that fitted.
    if let Some(stopped) = page.stopped_at {
        if part.backward {
            start = Some(at(stopped, first_rank));
        } else {
            end = Some(at(stopped, first_rank.map(|rank| rank + count - 1)));
        }
    }
    let (has_next, has_previous) =
        if part.backward { (part.before.is_some(), page.more) } else { (page.more, part.after.is_some()) };
    PageInfo { has_next, has_previous, start, end }
}
