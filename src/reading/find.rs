//! One event or one log by its id.

use super::{
    Reader,
    shown::{Log, Shown},
    told::Kind,
};
use crate::{
    auth::{Principal, policy},
    error::{Error, Result},
    event::{EventId, LogId},
};

/// What an id leads to.
pub enum Found {
    /// An event.
    Event(Shown),
    /// A log.
    Log(Log),
}

impl Reader {
    /// The event of an id.
    ///
    /// # Errors
    /// `EXPIRED` where it has left the log; `NOT_FOUND` where there is none, or it is not the caller's to see; `FORBIDDEN` or `PLAN_REQUIRED` for whoever may
    /// not read at all.
    pub async fn event(&self, principal: &Principal, id: &str) -> Result<Shown> {
        let scope = policy::may_find(principal)?;
        let id: EventId = id.parse().map_err(|()| Error::not_found("event"))?;
        let Some((event, dictionary)) = self.store.event(&scope, id).await? else {
            let has_left = self.store.has_left(&scope, id).await?;
            return Err(if has_left { Error::Expired } else { Error::not_found("event") });
        };
        if let Some(own) = dictionary.log(0) {
            self.tell(principal, &own.id, Kind::Event, None, None).await?;
        }
        Ok(Shown::new(event, scope.product(), &dictionary))
    }

    /// Whatever has an id.
    ///
    /// # Errors
    /// As [`Self::event`].
    pub async fn node(&self, principal: &Principal, id: &str) -> Result<Found> {
        let Ok(id) = id.parse::<LogId>() else { return self.event(principal, id).await.map(Found::Event) };
        let scope = policy::may_find(principal)?;
        let dictionary = self.store.log(&scope, id).await?;
        let log = dictionary.and_then(|dictionary| Log::numbered(&dictionary, id.no));
        log.map(Found::Log).ok_or_else(|| Error::not_found("log"))
    }
}
