//! A person is erased from the log because somebody asked for it.
//!
//! An erasure is a job: one process at a time goes through the organization in small steps, so that others record between
//! them, and another goes on where it was interrupted. The step that finds nothing left, under the lock of the organization's
//! head, also forgets who it was. Then the log tells of it, and what the database, and files of exports, have left is wiped.
//!
//! Where the erasure list is kept in a file outside of the database, it is done when it stands in there.
//!
//! It covers every event that was acknowledged before that step began: those that come while it runs, too.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};

use super::{
    list::{self, List, Replayed, Rest},
    list_file::ListFile,
};
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
        Erased, ErasureStep, LookedAhead, Store,
        control::erasures::{Erasure, ErasureStatus, LEASE, OwnedErasure},
    },
};

/// How often it is looked for erasures of other processes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What others have between two steps.
const PAUSE: Duration = Duration::from_millis(5);
/// Events that a step may empty, and for how long it may keep others from recording: a step that took longer is followed by
/// a smaller one.
const LEAST: usize = 10;
const MOST: usize = 200;
const SHORT: Duration = Duration::from_millis(25);
/// How long an erasure rests that cannot be written into the list, in nanoseconds.
const REST: i64 = 1_000_000_000;
/// How often the erasure list outside of the database is brought up to date besides: who erases by the command line may not
/// know of it.
const LIST_EVERY: Duration = Duration::from_secs(3_600);
/// When that is tried again where it could not be done.
const LIST_AGAIN: Duration = Duration::from_secs(10);

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
    /// Where the erasure list is kept outside of the database.
    list: Option<Arc<ListFile>>,
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
        Self { store, writer, reader, exports, products, clock, chance, owner, list: None, asked: Arc::default() }
    }

    /// The same, which keeps the erasure list in a file: an erasure is done when it is in there.
    #[must_use]
    pub fn keeping_list(self, list: Option<ListFile>) -> Self {
        Self { list: list.map(Arc::new), ..self }
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
        let mut due = Instant::now();
        loop {
            if Instant::now() >= due {
                let kept = self.keep_list().await;
                due = Instant::now() + if kept.is_ok() { LIST_EVERY } else { LIST_AGAIN };
                if let Err(error) = kept {
                    let cause = error.cause_text();
                    tracing::error!(cause, "the erasure list is behind, it is tried again: {error}");
                }
            }
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
        let id = &owned.erasure.id;
        if !matches!(status, ErasureStatus::Cleaning | ErasureStatus::Listing) {
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
        if status != ErasureStatus::Listing {
            self.exports.drop_erased(organization_no, created_at).await?;
            self.store.wipe_erased(organization_no, created_at).await?;
            let next = if self.list.is_some() { ErasureStatus::Listing } else { ErasureStatus::Done };
            self.store.erasure_goes_on(organization_no, id, (ErasureStatus::Cleaning, next), self.clock.now()).await?;
        }
        if let Some(list) = &self.list
            && let Err(error) = list.bring_up_to_date(&self.store, &self.clock).await
        {
            // Another process may have what is missing here, as the one after a restart.
            let until = Timestamp(self.clock.now().0.saturating_add(REST));
            self.store.let_go_of_erasure(&owned.erasure, self.owner, until).await?;
            return Err(error);
        }
        let done = (ErasureStatus::Listing, ErasureStatus::Done);
        self.store.erasure_goes_on(organization_no, id, done, self.clock.now()).await?;
        tracing::info!(erasure = owned.erasure.id, "a person was erased");
        Ok(true)
    }

    /// Whether the erasure list outside of the database cannot be written.
    #[must_use]
    pub fn is_list_behind(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.is_behind())
    }

    /// Brings the erasure list outside of the database up to date, and erases once more what it names and the database has, as
    /// after a restore by other means. What a hold keeps is asked for again the next time.
    ///
    /// # Errors
    /// Those of the file and of the database. What is done stays done.
    pub async fn keep_list(&self) -> Result<()> {
        let Some(list) = &self.list else { return Ok(()) };
        let mut lines = list.bring_up_to_date(&self.store, &self.clock).await?;
        // Nobody can read the log of a product that is not served, nor its holds.
        lines.retain(|line| self.products.get(&line.product).is_some());
        if lines.is_empty() {
            return Ok(());
        }
        let missed = List { lines, written_at: self.clock.now() };
        let Replayed { lines, events, held } =
            list::replay(&self.store, &self.writer, &self.products, (&self.clock, &self.chance), &missed, Rest::Eraser)
                .await?;
        tracing::warn!(
            lines,
            events,
            held,
            "the database had what was erased before, as after a restore: {events} events are erased once more, and holds \
             keep {held}"
        );
        Ok(())
    }

    /// Goes through the events. False where it is not at its end: a hold keeps one, or somebody else has it.
    async fn erase(&self, product: &Product, erasure: &Erasure) -> Result<bool> {
        let (mut from, mut most, mut may_end) = (erasure.next, LEAST, false);
        let mut ahead = LookedAhead::default();
        loop {
            let now = self.clock.now();
            let step =
                ErasureStep { from, ahead: &mut ahead, most, may_end, lease: Timestamp(now.0.saturating_add(LEASE)) };
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
                Erased::More { next, events, took } => {
                    metrics::counter!("ledgerline_events_erased_total").increment(events.cast_unsigned());
                    from = next;
                    if took < SHORT {
                        most = (most * 2).min(MOST);
                    } else if took > SHORT * 2 {
                        most = (most / 2).max(LEAST);
                    }
                    // Others have as much time for themselves.
                    tokio::time::sleep(took.max(PAUSE)).await;
                }
            }
        }
    }
}
