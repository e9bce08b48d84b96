//! Reading from a replica without ever showing a caller less than what was acknowledged.

use super::session::{self, Durability, Purpose};
use crate::{
    error::{Error, Result},
    store::{Store, dialect::Dialect, head::Head},
};

impl Store {
    /// The same store with a streaming replica of its PostgreSQL at `url` to read from.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on SQLite, `UNAVAILABLE` when the replica cannot be reached.
    pub async fn with_replica(self, url: &str) -> Result<Self> {
        if self.dialect != Dialect::Postgres || Dialect::of(url)? != Dialect::Postgres {
            return Err(Error::bad_input("LEDGERLINE_READ_DATABASE_URL", "is for a replica of PostgreSQL"));
        }
        session::check(url, Purpose::Reading, Durability::Waived, &self.chance, "LEDGERLINE_READ_DATABASE_URL").await?;
        let replica = session::reader(url).await?;
        Ok(Self { replica: Some(replica), ..self })
    }

    /// Whether there is one.
    pub(in crate::store) fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// The store that answers questions about an organization. It is the replica where both have the same head, else the
    /// primary. The head is one row of the primary, and it tells of events that came through other processes too.
    pub async fn caught_up(&self, product: &str, organization: Option<&str>) -> Result<Self> {
        let (Some(_), Some(organization)) = (&self.replica, organization) else { return Ok(self.clone()) };
        match self.head_of(product, organization).await? {
            Some(head) => Ok(self.caught_up_with(&head).await),
            None => Ok(self.clone()),
        }
    }

    /// The same for a caller that has just read the primary's head.
    pub(in crate::store) async fn caught_up_with(&self, wanted: &Head) -> Self {
        let Some(replica) = &self.replica else { return self.clone() };
        let reason = match self.head(replica, wanted.row.organization_no).await {
            // The heads must be equal. After the primary was put back, a replica that lags has more events than there are,
            // perhaps of an organization that has lost its number. So a replica that is ahead by a moment is not asked.
            Ok(Some(found)) if found.is_same(wanted) => return Self { read: replica.clone(), ..self.clone() },
            Ok(_) => "behind",
            // Without its replica, the primary answers.
            Err(_) => "unavailable",
        };
        metrics::counter!("ledgerline_replica_passed_over_total", "reason" => reason).increment(1);
        self.clone()
    }
}
