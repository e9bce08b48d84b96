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

    /// The store to answer questions of an organization from: the replica's where its state of the organization is the
    /// primary's of now, else the primary's. Asking the primary for the head alone costs it one row, and holds for callers
    /// that recorded through another process too.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn caught_up(&self, product: &str, organization: Option<&str>) -> Result<Self> {
        let (Some(_), Some(organization)) = (&self.replica, organization) else { return Ok(self.clone()) };
        match self.head_of(product, organization).await? {
            Some(head) => Ok(self.caught_up_with(&head).await),
            None => Ok(self.clone()),
        }
    }

    /// The same where the primary's head was read just now.
    pub(in crate::store) async fn caught_up_with(&self, wanted: &Head) -> Self {
        let Some(replica) = &self.replica else { return self.clone() };
        let reason = match self.head(replica, wanted.row.organization_no).await {
            // Not what is at least as large: after the primary was put back, a replica that lags shows more than there
            // is, and of an organization that has lost its number. One that is ahead by a moment is passed over too.
            Ok(Some(found)) if found.is_same(wanted) => return Self { read: replica.clone(), ..self.clone() },
            Ok(_) => "behind",
            // A replica that is gone takes nobody's reads away.
            Err(_) => "unavailable",
        };
        metrics::counter!("ledgerline_replica_passed_over_total", "reason" => reason).increment(1);
        self.clone()
    }
}
