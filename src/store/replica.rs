//! Reading from a replica without ever showing a caller less than what was acknowledged.

use sea_orm::DatabaseConnection;

use super::{Store, connect, dialect::Dialect};
use crate::error::{Error, Result};

impl Store {
    /// The same store with a streaming replica of its PostgreSQL at `url` to read from.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on SQLite, `UNAVAILABLE` when the replica cannot be reached.
    pub async fn with_replica(self, url: &str) -> Result<Self> {
        if self.dialect != Dialect::Postgres || connect::dialect_of(url)? != Dialect::Postgres {
            return Err(Error::bad_input("LEDGERLINE_READ_DATABASE_URL", "is for a replica of PostgreSQL"));
        }
        let replica = connect::open_reader(url).await?;
        Ok(Self { replica: Some(replica), ..self })
    }

    /// The store to answer questions of an organization from: the replica's where it has all that the organization has
    /// recorded by now, else the primary's. Asking the primary for the head alone costs it one row, and holds for
    /// callers that recorded through another process too.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn caught_up(&self, product: &str, organization: Option<&str>) -> Result<Self> {
        if self.replica.is_none() {
            return Ok(self.clone());
        }
        let no = match organization {
            Some(organization) => self.organization_no(&self.read, product, organization).await?,
            None => None,
        };
        match no {
            Some(no) => self.caught_up_for(no).await,
            None => Ok(self.clone()),
        }
    }

    /// The same for the number of an organization.
    pub(super) async fn caught_up_for(&self, organization_no: i64) -> Result<Self> {
        let Some(replica) = &self.replica else { return Ok(self.clone()) };
        let (behind, reason) = match self.is_behind(replica, organization_no).await {
            Ok(behind) => (behind, "behind"),
            // A replica that is gone takes nobody's reads away.
            Err(_) => (self.heads(&self.read, &[organization_no], "").await.map(|_| true)?, "unavailable"),
        };
        if behind {
            metrics::counter!("ledgerline_replica_passed_over_total", "reason" => reason).increment(1);
            return Ok(self.clone());
        }
        Ok(Self { read: replica.clone(), ..self.clone() })
    }

    async fn is_behind(&self, replica: &DatabaseConnection, organization_no: i64) -> Result<bool> {
        // The primary first: what it has by then, the replica must have.
        let numbers = [organization_no];
        let Some(wanted) = self.heads(&self.read, &numbers, "").await?.pop() else { return Ok(true) };
        let found = self.heads(replica, &numbers, "").await?.pop();
        Ok(found.is_none_or(|found| found.size < wanted.size || found.dictionary < wanted.dictionary))
    }
}
