//! Plans of organizations whose tokens carry none. The database keeps them; what was read there counts for a few seconds,
//! and for a minute in all while it does not answer.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use super::read::Read;
use crate::{auth::Principal, clock::Clock, error::Result, event::Timestamp, store::Store};

/// How long what was read of an organization counts without another look. So long another process may go on with the old
/// plan.
const FRESH: Duration = Duration::from_secs(5);
/// How long it counts where the database does not answer.
const LONGEST: Duration = Duration::from_secs(60);
/// How often whoever is connected asks for what is known: it costs no question to the database while that is fresh.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Organizations that are remembered.
const REMEMBERED: u64 = 20_000;

/// Product and organization.
type Of = (String, String);

/// The plans, as they were last read. Cheap to clone.
#[derive(Clone)]
pub struct Plans {
    store: Store,
    known: Cache<Of, Arc<Read<Option<String>>>>,
}

impl Plans {
    /// Plans in a database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, known: Cache::new(REMEMBERED) }
    }

    /// The plan that is kept for an organization.
    ///
    /// # Errors
    /// Those of the database, where it has not answered for a minute: nobody knows what the plan is.
    pub async fn of(&self, product: &str, organization: &str, now: Timestamp) -> Result<Option<String>> {
        let of = (product.to_owned(), organization.to_owned());
        let remembered = self.known.get(&of);
        if let Some(read) = remembered.as_ref().filter(|read| read.is_within(FRESH, now)) {
            return Ok(read.what.clone());
        }
        match self.store.organization_plan(product, organization).await {
            Ok(what) => {
                self.known.insert(of, Arc::new(Read { what: what.clone(), at: now }));
                Ok(what)
            }
            Err(error) => match remembered.filter(|read| read.is_within(LONGEST, now)) {
                Some(read) => Ok(read.what.clone()),
                None => Err(error),
            },
        }
    }

    /// Reads the plan of an organization anew when it is asked for: it was changed here.
    pub fn forget(&self, product: &str, organization: &str) {
        self.known.invalidate(&(product.to_owned(), organization.to_owned()));
    }

    /// Gives a principal whose token names no plan the plan that is kept for its organization. Where a product asks for none,
    /// nothing is looked up: its readers do not depend on it.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub async fn complete(&self, principal: &mut Principal, now: Timestamp) -> Result<()> {
        if let (Some(organization), None) = (&principal.organization, &principal.plan)
            && principal.product.asks_for_plans()
        {
            principal.plan = self.of(&principal.product.name, organization, now).await?;
            principal.plan_is_kept = principal.plan.is_some();
        }
        Ok(())
    }

    /// Completes when the plan that a principal has from here, or has not, is another: for whoever is connected for longer than
    /// a request. A plan that was missing counts too, since whoever was refused for it does not ask again.
    pub async fn changed(&self, principal: &Principal, clock: &Clock) {
        let is_looked_up = principal.plan_is_kept || principal.plan.is_none() && principal.product.asks_for_plans();
        let Some(organization) = principal.organization.as_deref().filter(|_| is_looked_up) else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let plan = self.of(&principal.product.name, organization, clock.now()).await;
            if plan.is_ok_and(|plan| plan != principal.plan) {
                return;
            }
        }
    }
}
