//! Erasures, for those who may ask for one: what one would do, and how far each has got.

use std::collections::BTreeMap;

use super::Reader;
use crate::{
    auth::{LogName, Principal, policy},
    catalog::Feature,
    error::{Error, Result},
    event::erased::Whom,
    store::control::{erasures::Erasure, holds::Hold},
};

/// For how long events are looked at while somebody waits, in nanoseconds.
const LOOK_NANOS: i64 = 5 * 1_000_000_000;
/// Erasures of one answer, at most.
const MOST: i64 = 100;

/// What an erasure would do.
#[derive(Clone, Debug, Default)]
pub struct ErasurePreview {
    /// Events of which something would be erased.
    pub events: i64,
    /// Those in which the person acted.
    pub acted: i64,
    /// Those in which somebody acted for them.
    pub represented: i64,
    /// Those in which they were acted on.
    pub acted_on: i64,
    /// Holds that keep some of them, with how many.
    pub held: Vec<(Hold, i64)>,
    /// The events by log.
    pub logs: Vec<(LogName, Option<String>, i64)>,
    /// How many events were looked at.
    pub looked_at: i64,
    /// How many there are.
    pub total: i64,
}

impl ErasurePreview {
    /// Refuses where a hold keeps one of the events.
    ///
    /// # Errors
    /// `HELD` naming the hold.
    pub fn refuse_held(&self) -> Result<()> {
        match self.held.first() {
            None => Ok(()),
            Some((hold, events)) => {
                Err(Error::Held { hold: hold.id.clone(), label: hold.label.clone(), events: Some(*events) })
            }
        }
    }
}

impl Reader {
    /// What an erasure would do now, as far as can be looked at while somebody waits. Nothing is changed.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not; those of the database.
    pub async fn preview_erasure(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        whom: &Whom,
    ) -> Result<ErasurePreview> {
        let scope = policy::may_administer(principal, organization, Feature::Erasure)?;
        scope.must_be_for_all_logs()?;
        let (product, began) = (scope.product(), self.clock.now());
        let mut preview = ErasurePreview::default();
        let mut logs: BTreeMap<i64, i64> = BTreeMap::new();
        loop {
            let from = preview.looked_at;
            let looked = self.store.would_erase(product, scope.organization(), whom, from, began).await?;
            for found in &looked.found {
                preview.events += 1;
                preview.acted += i64::from(found.about.acted);
                preview.represented += i64::from(found.about.represented);
                preview.acted_on += i64::from(found.about.acted_on);
                *logs.entry(found.log_no).or_default() += 1;
            }
            for (hold, kept) in looked.held {
                match preview.held.iter_mut().find(|(known, _)| known.id == hold.id) {
                    Some((_, events)) => *events += kept,
                    None => preview.held.push((hold, kept)),
                }
            }
            (preview.looked_at, preview.total) = (looked.next, looked.total);
            if looked.next >= looked.total || self.clock.now().0 - began.0 > LOOK_NANOS {
                break;
            }
        }
        if let Some(dictionary) = self.store.logs_of(product, scope.organization()).await? {
            let named = |(no, events): (i64, i64)| {
                let log = dictionary.log(no)?;
                Some((LogName { level: log.level.clone(), id: log.id.clone() }, log.name.clone(), events))
            };
            preview.logs = logs.into_iter().filter_map(named).collect();
        }
        Ok(preview)
    }

    /// The erasures of an organization, the newest first, for those who may ask for one.
    ///
    /// # Errors
    /// As [`Self::preview_erasure`], and `BAD_USER_INPUT` on `first`.
    pub async fn erasures(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        first: i64,
    ) -> Result<Vec<Erasure>> {
        let scope = policy::may_administer(principal, organization, Feature::Erasure)?;
        if !(1..=MOST).contains(&first) {
            return Err(Error::bad_input("first", format!("must be 1 to {MOST}, got {first}")));
        }
        self.store.erasures(&scope, first.cast_unsigned()).await
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Self::erasures`], and `NOT_FOUND` where it is not there.
    pub async fn erasure(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<Erasure> {
        let scope = policy::may_administer(principal, organization, Feature::Erasure)?;
        self.store.erasure(&scope, id).await
    }
}
