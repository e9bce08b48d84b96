//! The key that digests of masked secrets are made with: one a database, so that all processes, and a copy of the
//! database, make the same digest of the same secret.

use entity::{masking_key as row, plain_hashes};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use crate::{
    error::Result,
    event::{Timestamp, masking::MaskingKey},
    store::{Store, error},
};

/// The number of the one row.
const ONLY: i64 = 1;

impl Store {
    /// Whether some idempotency keys are stored as hashes without a secret, as earlier versions did.
    ///
    /// # Errors
    /// Those of the database.
    pub(in crate::store) async fn has_plain_hashes(&self) -> Result<bool> {
        let found = plain_hashes::Entity::find_by_id(0).one(&self.read).await.map_err(error::from)?;
        Ok(found.is_some())
    }

    /// The key of this database. Whoever asks first makes it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn masking_key(&self, now: Timestamp) -> Result<MaskingKey> {
        let tx = self.write.begin().await?;
        let find = || row::Entity::find_by_id(ONLY);
        let mut found = find().one(&tx).await.map_err(error::from)?;
        if found.is_none() {
            let secret: Vec<u8> = (0..MaskingKey::BYTES / 8).flat_map(|_| self.chance.draw().to_be_bytes()).collect();
            let new = row::ActiveModel { no: Set(ONLY), secret: Set(secret), created_ns: Set(now.0) };
            // Another process may make it in the same moment: the first one's counts.
            let known = OnConflict::column(row::Column::No).do_nothing().to_owned();
            row::Entity::insert(new).on_conflict(known).exec_without_returning(&tx).await.map_err(error::from)?;
            found = find().one(&tx).await.map_err(error::from)?;
        }
        tx.commit().await?;
        let found = found.ok_or_else(|| error::from(sea_orm::DbErr::RecordNotFound("masking_key".to_owned())))?;
        Ok(MaskingKey::new(&found.secret))
    }
}
