//! The erasure list: what a database that was restored from a backup is erased by once more, without anybody being named.

use entity::erased_event;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Store, error};
use crate::{
    catalog::Product,
    error::{Error, Result},
    event::{Event, EventId, Timestamp, stored},
};

/// A line of the erasure list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedEvent {
    /// The event.
    pub id: EventId,
    /// Paths of what of it was erased.
    pub paths: Vec<String>,
    /// When.
    pub at: Timestamp,
}

impl ErasedEvent {
    /// Whether all of it is erased from an event.
    fn is_gone_from(&self, event: &Event) -> bool {
        self.paths.iter().all(|path| event.erased.contains(path))
    }
}

/// What a database has of the events that lines name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedUp {
    /// Events that it has.
    pub found: i64,
    /// Events that it has in their places.
    pub others: i64,
    /// Those of which something is there that was erased.
    pub there: Vec<EventId>,
}

/// What a replay of some lines came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Events that the database has.
    pub found: i64,
    /// Events that are others than the list says.
    pub others: i64,
    /// Events of which something went.
    pub events: i64,
    /// Events that a hold keeps.
    pub held: i64,
}

impl Store {
    /// The first and the last sequence of what was erased of an organization since an instant.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn erased_between(&self, organization_no: i64, since: Timestamp) -> Result<Option<(i64, i64)>> {
        let end = |descending: bool| {
            let asked = erased_event::Entity::find()
                .filter(erased_event::Column::OrganizationNo.eq(organization_no))
                .filter(erased_event::Column::ErasedNs.gte(since.0));
            let order = if descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
            asked.order_by(erased_event::Column::Sequence, order).limit(1).one(&self.read)
        };
        let (first, last) = (end(false).await.map_err(error::from)?, end(true).await.map_err(error::from)?);
        Ok(first.zip(last).map(|(first, last)| (first.sequence, last.sequence)))
    }

    /// Lines of the erasure list of an organization, by sequence, after one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn erased_after(&self, organization_no: i64, sequence: i64, limit: u64) -> Result<Vec<ErasedEvent>> {
        let asked = erased_event::Entity::find()
            .filter(erased_event::Column::OrganizationNo.eq(organization_no))
            .filter(erased_event::Column::Sequence.gt(sequence))
            .order_by_asc(erased_event::Column::Sequence)
            .limit(limit);
        let line = |row: erased_event::Model| {
            let id = EventId { organization_no, sequence: row.sequence, salt: row.salt };
            let paths = stored::read_paths(&row.paths).map_err(Error::internal)?;
            Ok(ErasedEvent { id, paths, at: Timestamp(row.erased_ns) })
        };
        asked.all(&self.read).await.map_err(error::from)?.into_iter().map(line).collect()
    }

    /// Looks what the database has of the events that lines of the erasure list of one organization name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn look_up_listed(&self, product: &str, organization: &str, lines: &[ErasedEvent]) -> Result<LookedUp> {
        let Some(head) = self.head_of(product, organization).await? else { return Ok(LookedUp::default()) };
        let sequences: Vec<_> = lines.iter().map(|line| line.id.sequence).collect();
        let mut looked = LookedUp::default();
        let asked = self.dialect.events_of_sequences(head.row.organization_no, &sequences);
        for event in self.events_of(asked).await? {
            let Some(line) = lines.iter().find(|line| line.id == event.id()) else {
                looked.others += 1;
                continue;
            };
            looked.found += 1;
            if !line.is_gone_from(&event) {
                looked.there.push(line.id);
            }
        }
        Ok(looked)
    }

    /// Erases what lines of the erasure list of one organization name, in a database that was restored. Events that it does
    /// not have are passed over, and so are those of which that is gone already: one that was restored may have recorded others
    /// under the same numbers since, and they are told by their salt. Where something went, it is an erasure with this id from
    /// then on, whose events are done: whoever is interrupted before it is told and wiped leaves that to the next process,
    /// which may have it from an instant on.
    ///
    /// # Errors
    /// Those of the database; nothing is done then.
    pub async fn erase_listed(
        &self,
        product: &Product,
        organization: &str,
        lines: &[ErasedEvent],
        (id, lease): (&str, Timestamp),
        now: Timestamp,
    ) -> Result<Listed> {
        let Some(no) = self.head_of(&product.name, organization).await?.map(|head| head.row.organization_no) else {
            return Ok(Listed::default());
        };
        let tx = self.write.begin().await?;
        let Some(head) = self.locked_heads(&tx, &[no]).await?.into_iter().next() else {
            tx.rollback().await?;
            return Ok(Listed::default());
        };
        // Each organization's log tells of it, so nothing is done where nothing can be recorded.
        self.must_be_open(head.history)?;
        self.know_partitions(&tx, head.partitions).await?;
        let dictionary = self.dictionary(&tx, &head.row).await?;
        let sequences: Vec<_> = lines.iter().map(|line| line.id.sequence).collect();
        let (mut emptied, mut listed) = (Vec::new(), Listed::default());
        for event in self.events_on(&tx, self.dialect.events_of_sequences(no, &sequences)).await? {
            // A list that was kept over a restore may name several under one number.
            let Some(line) = lines.iter().find(|line| line.id == event.id()) else {
                listed.others += 1;
                continue;
            };
            listed.found += 1;
            let is_gone = line.is_gone_from(&event);
            let one = std::slice::from_ref(&event);
            if !is_gone && self.hold_of(&tx, product, &dictionary, one, now).await?.is_some() {
                listed.held += 1;
            } else if !is_gone {
                emptied.push((event, line.paths.clone()));
            }
        }
        listed.events = self.empty_fields(&tx, &head.row, &dictionary, emptied, now).await?;
        if listed.events > 0 {
            self.note_replay(&tx, &head.row, (id, lease), listed.events, now).await?;
        }
        tx.commit().await?;
        Ok(listed)
    }
}
