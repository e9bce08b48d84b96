//! Following a list: events as they are recorded, in the order of recording, each once. A feed that is polled, a live
//! subscription and whatever delivers elsewhere go through here.
//!
//! Nothing is kept of what was recorded meanwhile: whoever is slow only reads later. Every reading asks the policy and
//! the list anew, so a log that was deleted, or a token that is no longer enough, ends it.

use std::sync::Arc;

use super::{
    Reader,
    list::{Entry, Place, fingerprint},
    shown::Shown,
    told::Kind,
};
use crate::{
    auth::{LogName, Principal, ReadScope, policy},
    error::{Error, Result},
    event::Event,
    question::{
        asked::Asked,
        cursor::{Cursor, Fingerprint, Order, OrderField},
        input::FilterInput,
    },
    store::{self, PageRequest, Question},
};

/// The order in which events are recorded.
pub const RECORDED: Order = Order { field: OrderField::Sequence, descending: false };

/// A list that is to be followed.
#[derive(Clone, Default)]
pub struct Followed {
    /// The organization, where the token names none.
    pub organization: Option<String>,
    /// The log; the organization's own where absent.
    pub log: Option<LogName>,
    /// Whether events of logs nested in it come too; the level's setting where absent.
    pub include_nested: Option<bool>,
    /// Which events to keep.
    pub filter: FilterInput,
}

impl Followed {
    /// What an endpoint or a rule asks for, as it is stored: of the organization of whoever it is read as.
    ///
    /// # Errors
    /// `INTERNAL` for a text that no version has written.
    pub fn stored(question: &str) -> Result<Self> {
        let Asked { v: _, log, include_nested, filter } = serde_json::from_str(question).map_err(Error::internal)?;
        Ok(Self { organization: None, log: log.as_deref().and_then(LogName::parse), include_nested, filter })
    }
}

/// A list that is followed.
pub struct Follower {
    reader: Reader,
    principal: Arc<Principal>,
    followed: Followed,
    news: store::Following,
    /// Whether it is told which events holds keep.
    tells_held: bool,
    list: Fingerprint,
    /// Sequence of the next event that has not been looked at.
    next: i64,
    /// Number of events when that was last asked.
    size: i64,
}

/// Some events of a list that is followed.
pub struct Batch {
    /// The events, in the order of recording; none where nothing was found.
    pub entries: Vec<Entry>,
    /// Whether there may be more already.
    pub more: bool,
}

impl Reader {
    /// Follows a list from a place on; from its end, where none is named.
    ///
    /// # Errors
    /// As [`Reader::list`]; `BAD_USER_INPUT` on `after` for a cursor that is not of this list in the order of recording,
    /// or that lies behind its end, as after the database was put back.
    pub async fn follow(
        &self,
        principal: &Arc<Principal>,
        followed: Followed,
        after: Option<&str>,
    ) -> Result<Follower> {
        let Followed { organization, log, include_nested, filter } = followed.clone();
        let scope = policy::may_read(principal, organization.as_deref(), log, include_nested)?;
        let filter = self.checked(&scope, filter, self.clock.now())?;
        let list = fingerprint(&scope, RECORDED, &filter);
        let after = after.map(|after| Cursor::decode(after, list, "after")).transpose()?;
        self.follower(principal, followed, &scope, list, after.map(|after| after.key.saturating_add(1).max(0))).await
    }

    /// Follows a list from a sequence on.
    ///
    /// # Errors
    /// As [`Reader::follow`].
    pub async fn follow_from(&self, principal: &Arc<Principal>, followed: Followed, next: i64) -> Result<Follower> {
        let Followed { organization, log, include_nested, filter } = followed.clone();
        let scope = policy::may_read(principal, organization.as_deref(), log, include_nested)?;
        let list = fingerprint(&scope, RECORDED, &self.checked(&scope, filter, self.clock.now())?);
        self.follower(principal, followed, &scope, list, Some(next)).await
    }

    async fn follower(
        &self,
        principal: &Arc<Principal>,
        followed: Followed,
        scope: &ReadScope,
        list: Fingerprint,
        next: Option<i64>,
    ) -> Result<Follower> {
        let (product, organization) = (&scope.product().name, scope.organization().unwrap_or_default());
        // Before anything is read: what is recorded from here on wakes.
        let news = self.store.follow(product, organization);
        let size = self.store.size_of(product, organization).await?;
        let next = next.unwrap_or(size);
        if next > size {
            return Err(put_back());
        }
        let (reader, principal) = (self.clone(), principal.clone());
        Ok(Follower { reader, principal, followed, news, tells_held: false, list, next, size })
    }
}

impl Follower {
    /// The same, and whether holds keep its events is looked up with them.
    #[must_use]
    pub fn telling_held(self, tells_held: bool) -> Self {
        Self { tells_held, ..self }
    }

    /// What there is from its place on, at most so many events; none where nothing more is there yet.
    ///
    /// # Errors
    /// As [`Reader::list`]; `BAD_USER_INPUT` on `after` where the database was put back behind the place.
    pub async fn look(&mut self, limit: usize) -> Result<Batch> {
        let Followed { organization, log, include_nested, filter } = self.followed.clone();
        let scope = policy::may_read(&self.principal, organization.as_deref(), log, include_nested)?;
        let (sent, filter) = (filter.clone(), self.reader.checked(&scope, filter, self.reader.clock.now())?);
        let store = self.reader.store.caught_up(&scope.product().name, scope.organization()).await?;
        let Some(selection) = store.select(Question { scope: &scope, filter: &filter }).await? else {
            return Ok(Batch { entries: Vec::new(), more: false });
        };
        self.size = selection.size();
        if self.next > self.size {
            return Err(put_back());
        }
        let after = Some(self.next - 1);
        let request = PageRequest { order: RECORDED, limit, backward: false, after, before: None };
        let page = store.page(&selection, request).await.map_err(|error| selection.blame(error))?;
        let last = page.events.last().map(|event| event.sequence);
        let dictionary = page.dictionary.unwrap_or_else(|| selection.dictionary.clone());
        let search = Arc::new(filter.search.clone());
        let held = match self.tells_held && !page.events.is_empty() {
            true => {
                let organization = selection.organization();
                Some(self.reader.held_in(&store, &self.principal, organization, &dictionary).await?)
            }
            false => None,
        };
        let entry = |event: Event| Entry {
            place: self.place(event.sequence),
            event: Shown::new(event, selection.product(), &dictionary).found_by(&search).kept_by(held.as_ref()),
        };
        let entries = page.events.into_iter().map(entry).collect();
        let organization = selection.organization();
        self.reader.tell(&self.principal, organization, Kind::Follow, scope.log(), Some(&sent)).await?;
        self.next = match (page.more, page.stopped_at, last) {
            (true, Some(stopped), _) => stopped + 1,
            (true, None, Some(last)) => last + 1,
            // All that there was when the list was asked has been looked at, and some may have come since.
            (_, _, last) => last.map_or(self.size, |last| self.size.max(last + 1)),
        };
        Ok(Batch { entries, more: page.more })
    }

    /// Waits for events: at least one comes, at most so many.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub async fn wait(&mut self, limit: usize) -> Result<Vec<Entry>> {
        loop {
            let Batch { entries, more } = Box::pin(self.look(limit)).await?;
            if !entries.is_empty() {
                return Ok(entries);
            }
            if !more {
                self.news.changed().await;
            }
        }
    }

    /// Sequence of the next event that has not been looked at.
    #[must_use]
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Goes on from a sequence.
    pub fn go_to(&mut self, next: i64) {
        self.next = next;
    }

    /// The place that it has got to, for whoever goes on later: everything before it has been looked at.
    #[must_use]
    pub fn reached(&self) -> Place {
        self.place(self.next - 1)
    }

    fn place(&self, sequence: i64) -> Place {
        Place { cursor: Cursor { key: sequence, rank: None, pinned: self.size, began: None }, list: self.list }
    }
}

fn put_back() -> Error {
    Error::bad_input(
        "after",
        "must not lie behind the end of the list: the database was put back to an earlier state, and events may be lost",
    )
}
