//! A person is erased from the log because somebody asked for it.
//!
//! An erasure is a job: one process at a time goes through the organization in small steps, so that others record between
//! them, and another goes on where it was interrupted. The step that finds nothing left, under the lock of the organization's
//! head, also forgets who it was. Then the log tells of it, and what the database, and files of exports, have left is wiped.
//!
//! It covers every event that was acknowledged before that step began: those that come while it runs, too.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    auth::Principal,
    catalog::{Product, Products},
    chance::Chance,
    clock::Clock,
    delivery::export::Exports,
    error::Result,
    event::{Timestamp, erased::Whom},
    ingest::{self, Writer, erasures::check_whom},
    reading::{ErasurePreview, Reader},
    store::{
        Erased, ErasureStep, Store,
        control::erasures::{Erasure, ErasureStatus, LEASE, OwnedErasure},
    },
};

/// How often it is looked for erasures of other processes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What others have between two steps.
const PAUSE: Duration = Duration::from_millis(5);

/// Erases people.
#[derive(Clone)]
pub struct Eraser {
    store: Store,
    writer: Writer,
    reader: Reader,
    exports: Arc<Exports>,
    products: Products,
    clock: Clock,
    chance: Chance,
    owner: i64,
    /// Something was asked for in this process.
    asked: Arc<Notify>,
}

impl Eraser {
    /// An eraser of a database, and of the files of its exports.
    #[must_use]
    pub fn new(
        store: Store,
        writer: Writer,
        exports: Arc<Exports>,
        products: Products,
        clock: Clock,
        chance: Chance,
    ) -> Self {
        let reader = Reader::new(store.clone(), clock.clone());
        let owner = chance.bits(62) | 1;
        Self { store, writer, reader, exports, products, clock, chance, owner, asked: Arc::default() }
    }

    /// What an erasure would do.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not; `BAD_USER_INPUT` naming field and rule.
    pub async fn preview(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        whom: &Whom,
    ) -> Result<ErasurePreview> {
        check_whom(whom)?;
        self.reader.preview_erasure(principal, organization, whom).await
    }

    /// Asks for an erasure, which runs from then on.
    ///
    /// # Errors
    /// As [`Self::preview`]; `HELD` where a hold keeps one of the events: nothing is done then. `RATE_LIMITED` where too
    /// many are unfinished.
    pub async fn ask(&self, principal: &Principal, organization: Option<&str>, whom: Whom) -> Result<Erasure> {
        self.preview(principal, organization, &whom).await?.refuse_held()?;
        let id = self.chance.id("era_");
        let (writer, now) = (&self.writer, self.clock.now());
        ingest::erasures::ask(writer, principal, organization, id.clone(), whom, now).await?;
        self.asked.notify_one();
        self.reader.erasure(principal, organization, &id).await
    }

    /// Gives an unfinished erasure up.
    ///
    /// # Errors
    /// As [`Self::preview`], and `NOT_FOUND` where there is no such erasure, or all its events are done.
    pub async fn cancel(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<Erasure> {
        ingest::erasures::cancel(&self.writer, principal, organization, id, self.clock.now()).await?;
        self.reader.erasure(principal, organization, id).await
    }

    /// An erasure by its id.
    ///
    /// # Errors
    /// As [`Self::preview`], and `NOT_FOUND`.
    pub async fn find(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<Erasure> {
        self.reader.erasure(principal, organization, id).await
    }

    /// Works on erasures, for ever. Faults are told and tried again.
    pub async fn run(&self) -> ! {
        loop {
            match self.turn().await {
                Ok(true) => tokio::time::sleep(PAUSE).await,
                Ok(false) => drop(tokio::time::timeout(LOOK_EVERY, self.asked.notified()).await),
                Err(error) => {
                    let cause = error.cause_text();
                    tracing::error!(cause, "an erasure could not go on, it is tried again: {error}");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    /// Works on the erasure that has waited for longest, until it is at its end or cannot go on. False where there is none.
    ///
    /// # Errors
    /// Those of the database, and of the place where files of exports lie. What is done stays done.
    pub async fn turn(&self) -> Result<bool> {
        let now = self.clock.now();
        let Some(owned) = self.store.take_erasure(self.owner, now).await? else { return Ok(false) };
        let Erasure { organization_no, created_at, status, .. } = owned.erasure;
        if status != ErasureStatus::Cleaning {
            // A product that is not served keeps everything: nobody can read its holds.
            let Some(product) = self.products.get(&owned.product) else { return Ok(true) };
            if status != ErasureStatus::Ended && !self.erase(product, &owned.erasure).await? {
                return Ok(true);
            }
            let ended = self.store.erasure_by_no(organization_no, &owned.erasure.id).await?;
            let ended = OwnedErasure { erasure: ended.unwrap_or_else(|| owned.erasure.clone()), ..owned.clone() };
            if !ingest::erasures::tell(&self.writer, product, &ended, self.owner, self.clock.now()).await? {
                return Ok(true);
            }
        }
        self.exports.drop_erased(organization_no, created_at).await?;
        self.store.wipe_erased(organization_no, created_at).await?;
        self.store.erasure_is_clean(&owned.erasure, self.clock.now()).await?;
        tracing::info!(erasure = owned.erasure.id, "a person was erased");
        Ok(true)
    }

    /// Goes through the events. False where it is not at its end: a hold keeps one, or somebody else has it.
    async fn erase(&self, product: &Product, erasure: &Erasure) -> Result<bool> {
        let (mut from, mut may_end) = (erasure.next, false);
        loop {
            let now = self.clock.now();
            let step = ErasureStep { from, may_end, lease: Timestamp(now.0.saturating_add(LEASE)) };
            match self.store.erase_some(product, erasure, self.owner, step, now).await? {
                Erased::Lost | Erased::Held => return Ok(false),
                Erased::All if may_end => return Ok(true),
                Erased::All => {
                    // While it is known who it is: the step that ends it forgets that.
                    if let Some(whom) = &erasure.whom {
                        self.exports.forget_questions(erasure.organization_no, whom).await?;
                    }
                    let now_is = self.store.erasure_by_no(erasure.organization_no, &erasure.id).await?;
                    (from, may_end) = (now_is.map_or(from, |erasure| erasure.next), true);
                }
                Erased::More { next, events } => {
                    metrics::counter!("ledgerline_events_erased_total").increment(events.cast_unsigned());
                    from = next;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
