//! Reading from a replica without ever showing a caller less than what was acknowledged, and without waiting for one that
//! does not answer.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use sea_orm::ConnectionTrait;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::session::{self, Durability, Purpose};
use crate::{
    error::{Error, Result},
    store::{ACQUIRE, Store, connection::reads::Reads, dialect::Dialect, head::Head},
};

const VARIABLE: &str = "LEDGERLINE_READ_DATABASE_URL";
/// How long a caller waits for the replica's head. After that the primary answers, and nobody waits for the replica until it
/// has answered a question that no caller waits for.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long after the first such question the next one is asked; each waits twice as long, up to [`PAUSE_MOST`].
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MOST: Duration = Duration::from_secs(30);

/// A replica, and whether it is asked at the moment.
pub(in crate::store) struct Replica {
    url: String,
    /// Its connections; none while it is not asked.
    reads: ArcSwapOption<Reads>,
    fell: Notify,
}

impl Replica {
    /// Asks it no more until it has answered again. Connections on which something is open are not used again: nothing is
    /// known of them.
    fn let_go(&self, why: &str) {
        if self.reads.swap(None).is_some() {
            tracing::warn!("the replica is not asked any more, the primary answers: {why}");
            self.fell.notify_one();
        }
    }

    /// Closes its connections.
    pub(in crate::store) async fn close(&self) {
        if let Some(reads) = self.reads.swap(None) {
            let _ = reads.pool().close_by_ref().await;
        }
    }
}

impl Store {
    /// The same store with a streaming replica of its PostgreSQL at `url` to read from. One that cannot be reached is asked
    /// once it can: see [`Self::tend_replica`].
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on SQLite, and where the replica answers and cannot be worked with.
    pub async fn with_replica(self, url: &str) -> Result<Self> {
        if self.dialect == Dialect::Sqlite || Dialect::of(url)? == Dialect::Sqlite {
            return Err(Error::bad_input(VARIABLE, "is for a replica of PostgreSQL"));
        }
        let replica = Replica { url: url.to_owned(), reads: ArcSwapOption::empty(), fell: Notify::new() };
        match session::check(url, Purpose::Reading, Durability::Waived, &self.chance, VARIABLE).await {
            Ok(checked) => {
                let pool = session::reader(&checked).await?;
                replica.reads.store(Some(Arc::new(self.read.elsewhere(pool))));
            }
            Err(error @ Error::Unavailable(_)) => {
                let cause = error.cause_text();
                tracing::warn!(cause, "the replica cannot be reached, the primary answers until it can: {error}");
                replica.fell.notify_one();
            }
            Err(error) => return Err(error),
        }
        Ok(self.with(|shared| shared.replica = Some(Arc::new(replica))))
    }

    /// Asks a replica that did not answer whether it does again, one question at a time and ever more seldom; for ever.
    pub async fn tend_replica(&self) -> ! {
        let Some(replica) = &self.replica else {
            loop {
                std::future::pending::<()>().await;
            }
        };
        loop {
            replica.fell.notified().await;
            let mut pause = PAUSE;
            loop {
                let opened = timeout(ACQUIRE, async {
                    let (purpose, waived) = (Purpose::Reading, Durability::Waived);
                    let checked = session::check(&replica.url, purpose, waived, &self.chance, VARIABLE).await?;
                    let pool = session::reader(&checked).await?;
                    pool.connections().execute_unprepared("SELECT 1").await.map_err(crate::store::error::from)?;
                    Ok::<_, Error>(pool)
                });
                if let Ok(Ok(pool)) = opened.await {
                    tracing::info!("the replica answers, and is asked");
                    replica.reads.store(Some(Arc::new(self.read.elsewhere(pool))));
                    break;
                }
                sleep(pause).await;
                pause = (2 * pause).min(PAUSE_MOST);
            }
        }
    }

    /// Whether there is one.
    pub(in crate::store) fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// The store that answers questions about an organization, in the turn of that one. It is the replica where both have the
    /// same head, else the primary. The head is one row of the primary, and it tells of events that came through other processes too.
    pub async fn caught_up(&self, product: &str, organization: Option<&str>) -> Result<Self> {
        let Some(organization) = organization else { return Ok(self.clone()) };
        let own = self.turn_of(product, organization);
        if own.replica.is_none() {
            return Ok(own);
        }
        match own.head_of(product, organization).await? {
            Some(head) => Ok(Box::pin(own.caught_up_with(&head)).await),
            None => Ok(own),
        }
    }

    /// The same for a caller that has just read the primary's head.
    pub(in crate::store) async fn caught_up_with(&self, wanted: &Head) -> Self {
        let Some(replica) = &self.replica else { return self.clone() };
        let reason = match replica.reads.load_full() {
            // A turn that others have is not the replica's silence.
            Some(reads) => match timeout(PATIENCE, self.head(reads.pool(), wanted.row.organization_no)).await {
                // The heads must be equal. After the primary was put back, a replica that lags has more events than there
                // are, perhaps of an organization that has lost its number. So a replica that is ahead by a moment is not
                // asked.
                Ok(Ok(Some(found))) if found.is_same(wanted) => {
                    return Self { read: reads.instead_of(&self.read), shared: self.shared.clone() };
                }
                Ok(Ok(_)) => "behind",
                Ok(Err(error)) => {
                    replica.let_go(&error.to_string());
                    "unavailable"
                }
                Err(_) => {
                    replica.let_go("it has not answered within 250 ms");
                    "unavailable"
                }
            },
            // Without its replica, the primary answers.
            None => "down",
        };
        metrics::counter!("ledgerline_replica_passed_over_total", "reason" => reason).increment(1);
        self.clone()
    }
}
