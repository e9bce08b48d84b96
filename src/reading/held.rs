//! Whether holds keep events, for those who may place them: a hold on somebody's events is not theirs to know of.

use std::sync::Arc;

use super::Reader;
use crate::{
    auth::{Principal, policy},
    catalog::Feature,
    error::Result,
    event::Event,
    store::{Dictionary, Store, control::holds::Holding},
};

/// What keeps events of one organization, as far as the reader may know.
#[derive(Clone)]
pub struct Held(Option<Arc<Kept>>);

enum Kept {
    /// A hold cannot be read: nothing leaves.
    All,
    By(Vec<Holding>),
}

impl Held {
    /// Whether an event is kept; `None` where that is not the reader's to know.
    pub(super) fn keeps(&self, event: &Event, dictionary: &Dictionary) -> Option<bool> {
        self.0.as_deref().map(|kept| match kept {
            Kept::All => true,
            Kept::By(holdings) => holdings.iter().any(|holding| holding.keeps(event, dictionary)),
        })
    }
}

impl Reader {
    /// What keeps events of the organization that has these logs.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn held(&self, principal: &Principal, dictionary: &Dictionary) -> Result<Held> {
        let organization = dictionary.log(0).map(|own| own.id.clone()).unwrap_or_default();
        self.held_in(&self.store, principal, &organization, dictionary).await
    }

    pub(super) async fn held_in(
        &self,
        store: &Store,
        principal: &Principal,
        organization: &str,
        dictionary: &Dictionary,
    ) -> Result<Held> {
        let scope = policy::may_administer(principal, Some(organization), Feature::Holds);
        let Ok(scope) = scope.and_then(|scope| scope.must_be_for_all_logs().map(|()| scope)) else {
            return Ok(Held(None));
        };
        let holdings = store.holdings(&scope, dictionary, self.clock.now()).await?;
        Ok(Held(Some(Arc::new(holdings.map_or(Kept::All, Kept::By)))))
    }
}
