//! Erasures: who is to be erased, how far each has got, and who works on it.
//!
//! A row says who is to be erased only for as long as that is needed: the step that ends it empties it. A process works
//! on an erasure for as long as its lease says, and writes down every step under the lock of the organization's head, if
//! the lease is still its own: so two processes never go on from one place.

use entity::{erasure as row, organization, organization_head};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, UpdateMany,
    sea_query::{Expr, OnConflict},
};

use super::Place;
use crate::{
    auth::ManageScope,
    error::{Error, Result},
    event::{Timestamp, erased::Whom},
    store::{Store, connection::transaction::Transaction, error},
};

/// How long a process has an erasure for itself, in nanoseconds.
pub const LEASE: i64 = 60 * 1_000_000_000;
/// Erasures of an organization that may be unfinished at a time.
pub const UNFINISHED: u64 = 10;
/// When somebody who has too many is told to try again, in milliseconds.
const RETRY_AFTER_MS: u64 = 60_000;
/// Who asked for what the erasure list names.
const BY_LIST: &str = "erasure list";
/// What has become of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErasureStatus {
    /// Nobody has begun yet.
    Queued,
    /// It goes through the events.
    Running,
    /// A hold keeps it from going on.
    Held,
    /// All events are done, and who it was is forgotten; the log does not tell of it yet.
    Ended,
    /// The log tells of it; what the database has left of the events on its disk is wiped.
    Cleaning,
    /// It is to be written into the erasure list outside of the database.
    Listing,
    /// Nothing is left.
    Done,
    /// It was given up: what it had erased stays erased.
    Cancelled,
}

impl ErasureStatus {
    const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Held,
        Self::Ended,
        Self::Cleaning,
        Self::Done,
        Self::Cancelled,
        Self::Listing,
    ];

    /// The number that the database stores.
    pub(in crate::store) const fn number(self) -> i16 {
        match self {
            Self::Queued => 0,
            Self::Running => 1,
            Self::Held => 2,
            Self::Ended => 3,
            Self::Cleaning => 4,
            Self::Done => 5,
            Self::Cancelled => 6,
            // It came later than the others.
            Self::Listing => 7,
        }
    }
}

/// A stored erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Number of its organization.
    pub organization_no: i64,
    /// Public id.
    pub id: String,
    /// What has become of it.
    pub status: ErasureStatus,
    /// Who is to be erased; nobody any more once all events are done.
    pub whom: Option<Whom>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Subject of whoever asked.
    pub created_by: String,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// Events that the organization had when it was last looked.
    pub total: i64,
    /// Sequence of the next event to look at.
    pub next: i64,
    /// Events of which something was erased.
    pub events: i64,
    /// The hold that keeps it from going on.
    pub hold: Option<String>,
}

/// An erasure with the names of the organization that it is of.
#[derive(Clone, Debug)]
pub struct OwnedErasure {
    /// The erasure.
    pub erasure: Erasure,
    /// Name of the product.
    pub product: String,
    /// The product's own id of the organization.
    pub organization: String,
}

/// A change of an erasure.
#[derive(Clone, Debug)]
pub enum ErasureChange {
    /// It is asked for.
    Ask {
        /// Its id.
        id: String,
        /// Who is to be erased.
        whom: Box<Whom>,
        /// Subject of whoever asks.
        by: String,
    },
    /// It is given up.
    Cancel {
        /// Its id.
        id: String,
    },
    /// All events are done, and the log tells of it.
    Tell {
        /// Its id.
        id: String,
        /// The process that did them.
        owner: i64,
    },
    /// A restored database was erased by the list once more.
    Replayed,
}

/// What a step of an erasure is written down with.
pub(in crate::store) struct Advance {
    pub status: ErasureStatus,
    pub total: i64,
    pub next: i64,
    pub events: i64,
    pub hold: Option<String>,
    pub lease: Timestamp,
}

impl Store {
    /// The erasures of an organization, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn erasures(&self, scope: &ManageScope, limit: u64) -> Result<Vec<Erasure>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let asked = row::Entity::find()
            .filter(row::Column::OrganizationNo.eq(head.row.organization_no))
            .order_by_desc(row::Column::CreatedNs)
            .order_by_desc(row::Column::Id)
            .limit(limit);
        asked.all(&own.read).await.map_err(error::from)?.into_iter().map(Erasure::of).collect()
    }

    /// An erasure of an organization.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database.
    pub async fn erasure(&self, scope: &ManageScope, id: &str) -> Result<Erasure> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let none = || Error::not_found("erasure");
        let head = self.head_of(&scope.product().name, scope.organization()).await?.ok_or_else(none)?;
        self.erasure_on(&own.read, head.row.organization_no, id).await?.ok_or_else(none)
    }

    /// An erasure by the number of its organization, for the process that works on it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn erasure_by_no(&self, organization_no: i64, id: &str) -> Result<Option<Erasure>> {
        self.erasure_on(&self.write, organization_no, id).await
    }

    pub(in crate::store) async fn erasure_on(
        &self,
        db: &impl ConnectionTrait,
        organization_no: i64,
        id: &str,
    ) -> Result<Option<Erasure>> {
        let found = row::Entity::find_by_id((organization_no, id.to_owned())).one(db).await.map_err(error::from)?;
        found.map(Erasure::of).transpose()
    }

    /// Takes the unfinished erasure that waits for longest, for as long as a lease is; none where there is nothing to do.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn take_erasure(&self, owner: i64, now: Timestamp) -> Result<Option<OwnedErasure>> {
        let lease = now.0.saturating_add(LEASE);
        let unfinished = || {
            let is_listed = row::Column::Status.eq(ErasureStatus::Listing.number());
            row::Column::Status.lt(ErasureStatus::Done.number()).or(is_listed)
        };
        let free = || {
            // One that rests because of a hold rests for its own process, too.
            let mine = row::Column::Owner.eq(owner).and(row::Column::Status.ne(ErasureStatus::Held.number()));
            Condition::any().add(row::Column::LeaseNs.lt(now.0)).add(mine)
        };
        let asked = row::Entity::find().filter(unfinished()).filter(free());
        let asked = asked.order_by_asc(row::Column::LeaseNs).order_by_asc(row::Column::CreatedNs).limit(1);
        let Some(found) = asked.one(&self.read).await.map_err(error::from)? else { return Ok(None) };
        let tx = self.write.begin().await?;
        let take = of(found.organization_no, &found.id)
            .col_expr(row::Column::Owner, owner.into())
            .col_expr(row::Column::LeaseNs, lease.into())
            .filter(unfinished())
            .filter(free());
        let is_taken = take.exec(&tx).await.map_err(error::from)?.rows_affected == 1;
        let found = self.erasure_on(&tx, found.organization_no, &found.id).await?;
        tx.commit().await?;
        let Some(erasure) = found.filter(|_| is_taken) else { return Ok(None) };
        let of =
            organization::Entity::find_by_id(erasure.organization_no).one(&self.read).await.map_err(error::from)?;
        let owned =
            |of: organization::Model| OwnedErasure { erasure, product: of.product, organization: of.external_id };
        Ok(of.map(owned))
    }

    /// Writes down a step, as the process that has the erasure. False where another one has taken it over, or where it was
    /// given up meanwhile: nothing of the step may be committed then.
    pub(in crate::store) async fn advance_erasure(
        &self,
        tx: &Transaction,
        erasure: &Erasure,
        owner: i64,
        step: &Advance,
    ) -> Result<bool> {
        let update = of(erasure.organization_no, &erasure.id)
            .col_expr(row::Column::Status, step.status.number().into())
            .col_expr(row::Column::Total, step.total.into())
            .col_expr(row::Column::Next, step.next.into())
            .col_expr(row::Column::Events, Expr::col(row::Column::Events).add(step.events))
            .col_expr(row::Column::HoldId, step.hold.clone().into())
            .col_expr(row::Column::LeaseNs, step.lease.0.into())
            .filter(row::Column::Owner.eq(owner))
            .filter(row::Column::Status.lt(ErasureStatus::Ended.number()));
        let update = match step.status {
            ErasureStatus::Ended => update.col_expr(row::Column::Whom, None::<String>.into()),
            _ => update,
        };
        Ok(update.exec(tx).await.map_err(error::from)?.rows_affected == 1)
    }

    /// Writes down that an erasure has got from one status to the next, after its events are done.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn erasure_goes_on(
        &self,
        organization_no: i64,
        id: &str,
        (from, to): (ErasureStatus, ErasureStatus),
        now: Timestamp,
    ) -> Result<()> {
        let tx = self.write.begin().await?;
        let finished = (to == ErasureStatus::Done).then_some(now.0);
        let update = of(organization_no, id)
            .col_expr(row::Column::Status, to.number().into())
            .col_expr(row::Column::FinishedNs, finished.into())
            .filter(row::Column::Status.eq(from.number()));
        update.exec(&tx).await.map_err(error::from)?;
        tx.commit().await
    }

    /// Writes down that events were erased by the erasure list: as an erasure of which nothing but telling and wiping is left.
    pub(in crate::store) async fn note_replay(
        &self,
        tx: &Transaction,
        head: &organization_head::Model,
        (id, lease): (&str, Timestamp),
        events: i64,
        now: Timestamp,
    ) -> Result<()> {
        let row = row::ActiveModel {
            organization_no: Set(head.organization_no),
            id: Set(id.to_owned()),
            status: Set(ErasureStatus::Ended.number()),
            whom: Set(None),
            created_ns: Set(now.0),
            created_by: Set(BY_LIST.to_owned()),
            finished_ns: Set(None),
            total: Set(head.size),
            next: Set(head.size),
            events: Set(events),
            hold_id: Set(None),
            owner: Set(0),
            lease_ns: Set(lease.0),
        };
        let more = Expr::col((row::Entity, row::Column::Events)).add(events);
        let again = OnConflict::columns([row::Column::OrganizationNo, row::Column::Id])
            .value(row::Column::Events, more)
            .to_owned();
        row::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await.map_err(error::from)?;
        Ok(())
    }

    /// Lets other processes have an erasure after a while, which this one cannot bring on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn let_go_of_erasure(&self, erasure: &Erasure, owner: i64, until: Timestamp) -> Result<()> {
        let tx = self.write.begin().await?;
        let update = of(erasure.organization_no, &erasure.id)
            .col_expr(row::Column::LeaseNs, until.0.into())
            .filter(row::Column::Owner.eq(owner));
        update.exec(&tx).await.map_err(error::from)?;
        tx.commit().await
    }

    pub(super) async fn erasure_may_change(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &ErasureChange,
    ) -> Result<Result<()>> {
        let organization_no = place.organization_no;
        let none = || Error::not_found("unfinished erasure");
        match change {
            ErasureChange::Ask { .. } => {
                let unfinished = row::Entity::find()
                    .filter(row::Column::OrganizationNo.eq(organization_no))
                    .filter(row::Column::Status.lt(ErasureStatus::Ended.number()));
                let unfinished = unfinished.count(tx).await.map_err(error::from)?;
                let too_many = unfinished >= UNFINISHED;
                Ok(if too_many { Err(Error::RateLimited { retry_after_ms: RETRY_AFTER_MS }) } else { Ok(()) })
            }
            ErasureChange::Cancel { id } => {
                let found = self.erasure_on(tx, organization_no, id).await?;
                Ok(found.filter(|found| found.whom.is_some()).map(drop).ok_or_else(none))
            }
            ErasureChange::Tell { id, owner } => {
                let ended = row::Entity::find_by_id((organization_no, id.clone()))
                    .filter(row::Column::Owner.eq(*owner))
                    .filter(row::Column::Status.eq(ErasureStatus::Ended.number()));
                Ok(if ended.count(tx).await.map_err(error::from)? == 1 { Ok(()) } else { Err(none()) })
            }
            ErasureChange::Replayed => Ok(Ok(())),
        }
    }

    pub(super) async fn change_erasure(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &ErasureChange,
    ) -> Result<()> {
        match change {
            ErasureChange::Ask { id, whom, by } => {
                let row = row::ActiveModel {
                    organization_no: Set(place.organization_no),
                    id: Set(id.clone()),
                    status: Set(ErasureStatus::Queued.number()),
                    whom: Set(Some(serde_json::to_string(whom).map_err(Error::internal)?)),
                    created_ns: Set(place.now.0),
                    created_by: Set(by.clone()),
                    finished_ns: Set(None),
                    total: Set(place.size),
                    next: Set(0),
                    events: Set(0),
                    hold_id: Set(None),
                    owner: Set(0),
                    lease_ns: Set(0),
                };
                row::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?;
            }
            ErasureChange::Cancel { id } => {
                let update = of(place.organization_no, id)
                    .col_expr(row::Column::Status, ErasureStatus::Cancelled.number().into())
                    .col_expr(row::Column::Whom, None::<String>.into())
                    .col_expr(row::Column::FinishedNs, place.now.0.into());
                update.exec(tx).await.map_err(error::from)?;
            }
            ErasureChange::Tell { id, .. } => {
                let update = of(place.organization_no, id)
                    .col_expr(row::Column::Status, ErasureStatus::Cleaning.number().into());
                update.exec(tx).await.map_err(error::from)?;
            }
            ErasureChange::Replayed => {}
        }
        Ok(())
    }
}

fn of(organization_no: i64, id: &str) -> UpdateMany<row::Entity> {
    row::Entity::update_many()
        .filter(row::Column::OrganizationNo.eq(organization_no))
        .filter(row::Column::Id.eq(id.to_owned()))
}

impl Erasure {
    fn of(row: row::Model) -> Result<Self> {
        let known = usize::try_from(row.status).ok().and_then(|at| ErasureStatus::ALL.get(at).copied());
        let status = known.ok_or_else(|| Error::internal(Unread(row.status)))?;
        Ok(Self {
            organization_no: row.organization_no,
            id: row.id,
            status,
            whom: row.whom.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)?,
            created_at: Timestamp(row.created_ns),
            created_by: row.created_by,
            finished_at: row.finished_ns.map(Timestamp),
            total: row.total,
            next: row.next,
            events: row.events,
            hold: row.hold_id,
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("an erasure has the status {0}, which this version does not know")]
struct Unread(i16);
