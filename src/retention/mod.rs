//! Events leave the log when they were kept for long enough.
//!
//! A sweep goes through an organization in the order of recording, once for each number of days that its levels are kept
//! for, and takes out what is due in small transactions, so that others record between them. Where it was interrupted it
//! goes on. What it removed is told by an event of the organization's own log.

pub mod erasure;
pub mod list;
pub mod list_file;

use std::{sync::Arc, time::Duration};

use crate::{
    catalog::{Product, Products},
    clock::Clock,
    error::{Error, Result},
    event::Timestamp,
    ingest::{self, Writer},
    store::{Due, Ending, Step, Store, Swept},
};

/// Nanoseconds of a day.
const DAY: i64 = 24 * 3_600 * 1_000_000_000;
/// How often everything is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How long after its start a service sweeps first.
const FIRST_AFTER: Duration = Duration::from_secs(60);
/// What others have between two steps.
const PAUSE: Duration = Duration::from_millis(5);
/// Events that a step is to look at, at least and at most. It looks at more as long as others wait for a short time only.
const LEAST: i64 = 200;
const MOST: i64 = 6_400;
/// For how long a step may keep others from recording for its organization.
const SHORT: Duration = Duration::from_millis(25);
/// Organizations that are listed at once.
const AT_ONCE: u64 = 500;
/// How far a clock may be ahead of the time at which a sweep last believed it, or of the newest event.
const BELIEVED: i64 = 7 * DAY;

/// What a sweep came to, or would come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that left.
    pub removed: i64,
    /// Events that would have left if no hold had kept them.
    pub held: i64,
    /// Organizations that had some.
    pub organizations: i64,
}

/// Sweeps the log.
#[derive(Clone)]
pub struct Sweeper {
    store: Store,
    writer: Writer,
    products: Products,
    clock: Clock,
}

impl Sweeper {
    /// A sweeper of a database.
    #[must_use]
    pub fn new(store: Store, writer: Writer, products: Products, clock: Clock) -> Self {
        Self { store, writer, products, clock }
    }

    /// Sweeps every hour, for ever.
    pub async fn run(&self) -> ! {
        tokio::time::sleep(FIRST_AFTER).await;
        loop {
            if let Err(error) = self.sweep().await {
                let cause = error.cause_text();
                tracing::warn!(cause, "what was kept for long enough is not removed, it is tried again: {error}");
            }
            if let Err(error) = Box::pin(self.end_organizations()).await {
                let cause = error.cause_text();
                tracing::warn!(cause, "an organization whose end is due has not ended, it is tried again: {error}");
            }
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    }

    /// Ends the organizations whose end is due. Returns how many have ended; what a hold keeps, and whose product is not
    /// served, waits.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the clock cannot be believed; those of the database. Another call goes on where this one was.
    pub async fn end_organizations(&self) -> Result<i64> {
        let due = self.store.ends_due(self.clock.now()).await?;
        if due.is_empty() || self.store.is_closed().await? {
            return Ok(0);
        }
        self.believe_clock().await?;
        let mut ended = 0;
        for due in due.iter().filter(|due| self.products.get(&due.product).is_some()) {
            ended += i64::from(Box::pin(self.end(due)).await?);
        }
        Ok(ended)
    }

    /// Whether an organization has ended.
    async fn end(&self, due: &Swept) -> Result<bool> {
        let Swept { organization_no, product, external_id: organization } = due;
        loop {
            match Box::pin(self.store.end_some(*organization_no, self.clock.now())).await? {
                Ending::Went(events) => {
                    metrics::counter!("ledgerline_events_removed_total").increment(events.cast_unsigned());
                    tokio::time::sleep(PAUSE).await;
                }
                Ending::Ended => {
                    tracing::info!(product, organization, "an organization has ended: its certificate is what is left");
                    return Ok(true);
                }
                Ending::Held => {
                    tracing::warn!(product, organization, "an organization does not end, because a hold keeps it");
                    return Ok(false);
                }
                Ending::Files => {
                    tracing::info!(
                        product,
                        organization,
                        "an organization ends once the files of its exports are removed"
                    );
                    return Ok(false);
                }
                Ending::Nothing => return Ok(false),
            }
        }
    }

    /// Removes all that is due, in every organization.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the clock cannot be believed; those of the database. What was removed until then stays removed.
    pub async fn sweep(&self) -> Result<Tally> {
        // What is restored is looked at first: it may be all that there is of something.
        if self.store.is_closed().await? {
            return Ok(Tally::default());
        }
        if !self.removes_anything() && !self.store.wishes_anything().await? {
            return Ok(Tally::default());
        }
        self.believe_clock().await?;
        let tally = self.each(false).await?;
        // What is swept stays swept: an empty partition costs nothing but its place.
        if let Err(error) = self.store.drop_empty_partitions(self.clock.now()).await {
            let cause = error.cause_text();
            tracing::warn!(cause, "empty partitions are not taken away, it is tried again: {error}");
        }
        Ok(tally)
    }

    /// What a sweep would remove now. Nothing is changed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn preview(&self) -> Result<Tally> {
        self.each(true).await
    }

    /// Believes the clock from now on, whatever it shows.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn trust_clock(&self) -> Result<()> {
        self.store.trust_clock(self.clock.now()).await
    }

    /// Whether the rules of some product remove events, whatever organizations wish.
    fn removes_anything(&self) -> bool {
        self.products.iter().any(|product| product.removes_anything())
    }

    async fn each(&self, is_preview: bool) -> Result<Tally> {
        let (mut all, mut after) = (Tally::default(), -1);
        loop {
            let some = self.store.organizations_after(after, AT_ONCE).await?;
            let Some(last) = some.last() else { return Ok(all) };
            after = last.organization_no;
            for swept in &some {
                // A product that is not served keeps everything: nobody knows its rules.
                let Some(product) = self.products.get(&swept.product) else { continue };
                let tally = match is_preview {
                    true => self.preview_organization(swept.organization_no, product).await?,
                    false => self.sweep_organization(swept, product).await?,
                };
                all.removed += tally.removed;
                all.held += tally.held;
                all.organizations += i64::from(tally.removed > 0);
            }
        }
    }

    async fn preview_organization(&self, organization_no: i64, product: &Product) -> Result<Tally> {
        let now = self.clock.now();
        let wishes = self.store.wishes_of(organization_no).await?;
        let mut tally = Tally::default();
        for days in product.kept_days(&wishes) {
            let (due, mut from) = (Due { product, days, now }, Some(0));
            while let Some(next) = from {
                let step = self.store.would_sweep(organization_no, &due, next).await?;
                tally.add(step);
                from = step.next;
            }
        }
        Ok(tally)
    }

    async fn sweep_organization(&self, swept: &Swept, product: &Arc<Product>) -> Result<Tally> {
        let no = swept.organization_no;
        let wishes = self.store.wishes_of(no).await?;
        let (mut tally, mut most) = (Tally::default(), LEAST);
        for days in product.kept_days(&wishes) {
            loop {
                let now = self.clock.now();
                let step = self.store.sweep_some(no, &Due { product, days, now }, most).await?;
                tally.add(step);
                if step.took < SHORT {
                    most = (most * 2).min(MOST);
                } else if step.took > SHORT * 2 {
                    most = (most / 2).max(LEAST);
                }
                metrics::counter!("ledgerline_events_removed_total").increment(step.removed.cast_unsigned());
                if step.next.is_none() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        for untold in self.store.untold_removals(no).await? {
            ingest::retention::tell_removal(&self.writer, product, &swept.external_id, untold, self.clock.now())
                .await?;
        }
        Ok(tally)
    }

    /// A clock that jumped ahead would have years removed at once. So it is believed only while it shows no more than a
    /// week after it was last believed, or, at first, after the newest event.
    async fn believe_clock(&self) -> Result<()> {
        let now = self.clock.now();
        let known = match self.store.trusted_clock().await? {
            Some(known) => known,
            None => self.store.newest_recording().await?.unwrap_or(now),
        };
        if now.0.saturating_sub(known.0) > BELIEVED {
            let error = Error::Unavailable(Arc::new(Disbelieved { now, known }));
            metrics::counter!("ledgerline_sweep_clock_disbelieved_total").increment(1);
            tracing::error!("{}", Disbelieved { now, known });
            return Err(error);
        }
        self.store.trust_clock(now).await
    }
}

impl Tally {
    fn add(&mut self, step: Step) {
        self.removed += step.removed;
        self.held += step.held;
    }
}

/// The clock cannot be believed.
#[derive(Debug, thiserror::Error)]
#[error(
    "nothing is removed: this machine's clock shows {now}, more than a week after {known}, when it was last believed or \
     something was last recorded; if it is right, run `ledgerline sweep --trust-clock`"
)]
struct Disbelieved {
    now: Timestamp,
    known: Timestamp,
}
