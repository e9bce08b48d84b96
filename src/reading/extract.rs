//! Reading a list from end to end: each of its events once, in the order of recording, as far as the log went at one
//! moment. What is recorded later is not part of it, so it does not matter how long the reading takes.
//!
//! As when following, every part asks the policy and the list anew: a plan that no longer includes reading, or a log that
//! was deleted, ends it with an error. It never ends early as if it were complete.

use std::sync::Arc;

use super::{
    Reader,
    follow::{Followed, RECORDED},
    shown::Shown,
    told::Kind,
};
use crate::{
    auth::{Principal, policy},
    catalog::Product,
    error::{Error, Result},
    event::OrganizationId,
    question::filter::Filter,
    store::{PageRequest, Question, Selection},
};

/// A list that is read from end to end.
pub struct Extract {
    reader: Reader,
    principal: Arc<Principal>,
    list: Followed,
    organization: OrganizationId,
    filter: Filter,
    /// Whether exporting must be permitted, and not only reading.
    exports: bool,
    /// Sequence of the next event that has not been looked at.
    next: i64,
    /// Number of events of the organization at the moment that it is read as of.
    end: i64,
}

impl Reader {
    /// Reads a list as it is now, for whoever runs the service.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub async fn extract(&self, principal: &Arc<Principal>, list: Followed) -> Result<Extract> {
        Box::pin(self.opened(principal, list, false)).await
    }

    /// Reads a list as it is now, for somebody who exports it: that must be permitted too, at every part.
    ///
    /// # Errors
    /// As [`Reader::list`], and `FORBIDDEN` where exporting is not permitted.
    pub async fn export(&self, principal: &Arc<Principal>, list: Followed) -> Result<Extract> {
        Box::pin(self.opened(principal, list, true)).await
    }

    async fn opened(&self, principal: &Arc<Principal>, list: Followed, exports: bool) -> Result<Extract> {
        let Followed { organization, log, include_nested, filter } = list.clone();
        if exports {
            policy::may_export(principal, organization.as_deref())?;
        }
        let scope = policy::may_read(principal, organization.as_deref(), log, include_nested)?;
        let (sent, filter) = (filter.clone(), self.checked(&scope, filter, self.clock.now())?);
        let named = OrganizationId::new("organization", scope.organization().unwrap_or_default())?;
        let store = self.store.caught_up(&scope.product().name, scope.organization()).await?;
        let found = store.select(Question { scope: &scope, filter: &filter }).await?;
        // Where there is nothing yet there is nothing to read, whatever is recorded meanwhile.
        let end = found.as_ref().map_or(0, Selection::size);
        if found.is_some() {
            self.tell(principal, &named, Kind::Export, scope.log(), Some(&sent)).await?;
        }
        let (reader, principal) = (self.clone(), principal.clone());
        Ok(Extract { reader, principal, list, organization: named, filter, exports, next: 0, end })
    }
}

impl Extract {
    /// Goes on from a place of an earlier reading, which ends where that one did.
    #[must_use]
    pub fn from(self, next: i64, end: i64) -> Self {
        Self { next, end, ..self }
    }

    /// The product whose log is read.
    #[must_use]
    pub fn product(&self) -> &Arc<Product> {
        &self.principal.product
    }

    /// The product's own id of the organization.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The list as it was asked for.
    #[must_use]
    pub fn list(&self) -> &Followed {
        &self.list
    }

    /// The filter as it was asked for, in the written form of `tests/vectors/README.md`; none if it keeps everything.
    #[must_use]
    pub fn asked(&self) -> Option<String> {
        self.filter.canonical()
    }

    /// The list with its days as instants, so that it asks for the same tomorrow.
    #[must_use]
    pub fn dated(&self) -> Followed {
        let mut list = self.list.clone();
        list.filter = list.filter.dated(&self.filter);
        list
    }

    /// How many events have been gone through, kept ones and others.
    #[must_use]
    pub fn done(&self) -> i64 {
        self.next.min(self.end)
    }

    /// How many there are to go through.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.end
    }

    /// Whether all of them have been gone through.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.next >= self.end
    }

    /// The next events, at most so many; it may be none where none of those gone through is kept.
    ///
    /// # Errors
    /// As [`Reader::list`]; `NOT_FOUND` where the log, or a part of its events that was there at the beginning, is gone.
    pub async fn look(&mut self, limit: usize) -> Result<Vec<Shown>> {
        if self.is_done() {
            return Ok(Vec::new());
        }
        let Followed { log, include_nested, .. } = self.list.clone();
        let organization = Some(&*self.organization);
        if self.exports {
            policy::may_export(&self.principal, organization)?;
        }
        let scope = policy::may_read(&self.principal, organization, log, include_nested)?;
        let store = self.reader.store.caught_up(&scope.product().name, organization).await?;
        let selection = store.select(Question { scope: &scope, filter: &self.filter }).await?;
        let selection = selection.ok_or_else(|| Error::not_found("log any more"))?;
        if selection.size() < self.end {
            let put_back = "the database was put back to an earlier state, and events may be lost: export it anew";
            return Err(Error::NotFound(put_back.to_owned()));
        }
        let (after, before) = (Some(self.next - 1), Some(self.end));
        let request = PageRequest { order: RECORDED, limit, backward: false, after, before };
        let page = store.page(&selection, request).await.map_err(|error| selection.blame(error))?;
        let last = page.events.last().map(|event| event.sequence);
        self.next = match (page.more, page.stopped_at.or(last)) {
            (true, Some(last)) => last + 1,
            _ => self.end,
        };
        let dictionary = page.dictionary.unwrap_or_else(|| selection.dictionary.clone());
        Ok(page.events.into_iter().map(|event| Shown::new(event, selection.product(), &dictionary)).collect())
    }
}
