//! Endpoints, how far each has got, and what became of the tries.
//!
//! What is managed (table `endpoint`) changes with an event that tells of it. What is done (`delivery`, `dead_letter`,
//! `attempt`) is written beside recording by the process that an endpoint is lent to: a lease that ends by itself, so
//! that another process goes on where one was killed. Events are named by their sequence; none is kept here.

use std::fmt;

use entity::{attempt, dead_letter, delivery, endpoint as row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};

use super::{Place, leases::Lending, tokens::Rights};
use crate::{
    auth::{LogName, ManageScope},
    error::{Error, Result},
    event::Timestamp,
    store::{Store, connection::transaction::Transaction, dialect::sql::Sql, error},
};

/// Tries that are kept of each endpoint.
const ATTEMPTS: u64 = 100;
/// Where a replay of what an endpoint would not take ends, as it is stored.
const DEAD_LETTERS: i64 = -1;

/// How endpoints are lent to processes.
const LENDING: Lending<delivery::Column> = Lending {
    key: [delivery::Column::OrganizationNo, delivery::Column::EndpointId],
    owner: delivery::Column::Owner,
    lease: delivery::Column::LeaseNs,
};

/// What an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointKind {
    /// HTTPS by Standard Webhooks.
    Webhook,
    /// The HTTP event collector of Splunk.
    SplunkHec,
    /// Syslog by RFC 5424, over TCP or TLS.
    Syslog,
    /// Files in an S3 bucket.
    S3,
    /// OpenTelemetry logs by OTLP over HTTP.
    Otlp,
}

impl EndpointKind {
    const ALL: [Self; 5] = [Self::Webhook, Self::SplunkHec, Self::Syslog, Self::S3, Self::Otlp];

    const fn number(self) -> i16 {
        match self {
            Self::Webhook => 0,
            Self::SplunkHec => 1,
            Self::Syslog => 2,
            Self::S3 => 3,
            Self::Otlp => 4,
        }
    }
}

/// Whether an endpoint is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointStatus {
    /// It is.
    Active,
    /// Somebody paused it.
    Paused,
    /// The receiver said that it is gone for good (410).
    Gone,
}

impl EndpointStatus {
    const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Gone];

    const fn number(self) -> i16 {
        match self {
            Self::Active => 0,
            Self::Paused => 1,
            Self::Gone => 2,
        }
    }
}

/// A secret, and until when it is used beside a newer one.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Secret {
    /// The secret, as its kind of endpoint takes it.
    pub text: String,
    /// When it ends, in nanoseconds since 1970; a current one does not.
    pub until_ns: Option<i64>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("until_ns", &self.until_ns).finish_non_exhaustive()
    }
}

/// What is managed of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Public id.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// What it is.
    pub kind: EndpointKind,
    /// Where it is.
    pub url: String,
    /// Settings of its kind, as JSON.
    pub settings: String,
    /// Its secrets, the newest first.
    pub secrets: Vec<Secret>,
    /// Which events it gets, as JSON.
    pub question: String,
    /// What its maker may read: it gets no more.
    pub rights: Rights,
    /// Whether it is sent to.
    pub status: EndpointStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// Subject of its maker.
    pub created_by: String,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// How an endpoint fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Sequence of the first event that it has not been given.
    pub next: i64,
    /// Tries that failed one after the other.
    pub failures: i64,
    /// How many of them were refusals of the next event.
    pub refusals: i64,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// When it is tried again.
    pub due: Timestamp,
    /// When it last took something.
    pub succeeded_at: Option<Timestamp>,
    /// What stands in the way.
    pub trouble: Option<String>,
    /// What it is to be sent again.
    pub replay: Option<Replay>,
}

/// What an endpoint is to be sent again, and how that fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Sequence of the first event that it has not been sent again.
    pub next: i64,
    /// The sequence after the last; `None` where it is sent what it would not take.
    pub end: Option<i64>,
    /// How often in a row the next event was refused.
    pub refusals: i64,
    /// When it goes on.
    pub due: Timestamp,
}

/// An endpoint with how it fares and whose it is.
#[derive(Clone, Debug)]
pub struct Lent {
    /// Number of its organization.
    pub organization_no: i64,
    /// Name of the product.
    pub product: String,
    /// The product's own id of the organization.
    pub organization: String,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// How it fares.
    pub progress: Progress,
    /// How often a replay was asked for.
    pub replays: i64,
}

/// An endpoint that this process sends to, as the list of them tells.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Held {
    /// Number of its organization.
    pub organization_no: i64,
    /// Its id.
    pub endpoint_id: String,
    /// Sequence of the first event that it has not been given, as it is stored.
    pub next: i64,
    /// When it may be tried, in nanoseconds since 1970.
    pub due_ns: i64,
    /// How many events its organization has.
    pub size: i64,
    /// When a replay may go on, where there is one.
    pub replay_due_ns: Option<i64>,
}

/// What a try was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// New events.
    Delivery,
    /// A test.
    Test,
    /// History that was asked for again.
    Replay,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Delivery, Self::Test, Self::Replay];

    const fn number(self) -> i16 {
        match self {
            Self::Delivery => 0,
            Self::Test => 1,
            Self::Replay => 2,
        }
    }
}

/// A try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// What it was for.
    pub purpose: Purpose,
    /// Sequences of the first and the last event; of a test, -1.
    pub events: (i64, i64),
    /// Status that the receiver answered with, where it speaks HTTP.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// Why it failed; none where it did not.
    pub trouble: Option<String>,
}

/// An event that an endpoint would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Sequence of the event.
    pub sequence: i64,
    /// When it was given up.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A change of an endpoint.
#[derive(Clone, Debug)]
pub enum EndpointChange {
    /// It is made. It begins with the event that tells of that.
    Create(Box<Endpoint>),
    /// It is as this from now on; id, making and place stay.
    Replace(Box<Endpoint>),
    /// It goes, with its place, its dead letters and its tries.
    Delete {
        /// Its id.
        id: String,
    },
    /// It is sent history again: from a sequence, up to and without another.
    Replay {
        /// Its id.
        id: String,
        /// The sequences.
        range: (i64, i64),
    },
    /// It is sent what it would not take.
    ReplayDeadLetters {
        /// Its id.
        id: String,
    },
}

/// What became of a run for an endpoint.
#[derive(Clone, Debug)]
pub struct Report {
    /// Number of its organization.
    pub organization_no: i64,
    /// Its id.
    pub endpoint_id: String,
    /// When it had last been changed when the run began.
    pub changed_at: Timestamp,
    /// How it fares now. Where it was changed meanwhile, that is known of its place alone. A replay that was asked for meanwhile stays: see [`Store::report`].
    pub progress: Progress,
    /// How often a replay had been asked for when the run began.
    pub replays: i64,
    /// Tries, in their order.
    pub attempts: Vec<Attempt>,
    /// Events that were given up.
    pub dead: Vec<DeadLetter>,
    /// Sequences, from and to, among which no event is a dead letter any more: they were taken at last.
    pub revived: Vec<(i64, i64)>,
    /// Whether the receiver is gone for good.
    pub gone: bool,
}

impl EndpointChange {
    fn id(&self) -> &str {
        match self {
            Self::Create(endpoint) | Self::Replace(endpoint) => &endpoint.id,
            Self::Delete { id } | Self::Replay { id, .. } | Self::ReplayDeadLetters { id } => id,
        }
    }
}

/// The number of an organization and the id of an endpoint.
fn of(organization_no: i64, id: &str) -> (i64, String) {
    (organization_no, id.to_owned())
}

impl Store {
    /// The endpoints of an organization, the oldest first. Whoever is narrowed to logs sees what is narrowed to the same.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn endpoints(&self, scope: &ManageScope) -> Result<Vec<(Endpoint, Progress)>> {
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let no = head.row.organization_no;
        let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(no));
        let asked = asked.order_by_asc(row::Column::CreatedNs).order_by_asc(row::Column::Id);
        let rows = asked.all(&self.read).await.map_err(error::from)?;
        let fare = delivery::Entity::find().filter(delivery::Column::OrganizationNo.eq(no));
        let fare = fare.all(&self.read).await.map_err(error::from)?;
        let dictionary = self.dictionary(&self.read, &head.row).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let endpoint = Endpoint::of(row)?;
            let place = fare.iter().find(|place| place.endpoint_id == endpoint.id);
            if let Some(place) = place.filter(|_| endpoint.rights.is_within(&dictionary, scope.allowed_logs())) {
                found.push((endpoint, Progress::of(place)));
            }
        }
        Ok(found)
    }

    /// The last tries of an endpoint, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn attempts(&self, scope: &ManageScope, id: &str, limit: u64) -> Result<Vec<Attempt>> {
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let asked = attempt::Entity::find()
            .filter(attempt::Column::OrganizationNo.eq(head.row.organization_no))
            .filter(attempt::Column::EndpointId.eq(id))
            .order_by_desc(attempt::Column::AtNs)
            .order_by_desc(attempt::Column::No)
            .limit(limit);
        asked.all(&self.read).await.map_err(error::from)?.into_iter().map(Attempt::of).collect()
    }

    /// Events that an endpoint would not take, the oldest first, and how many there are.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn dead_letters(&self, scope: &ManageScope, id: &str, limit: u64) -> Result<(Vec<DeadLetter>, u64)> {
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok((Vec::new(), 0));
        };
        let asked = dead_letter::Entity::find()
            .filter(dead_letter::Column::OrganizationNo.eq(head.row.organization_no))
            .filter(dead_letter::Column::EndpointId.eq(id));
        let count = asked.clone().count(&self.read).await.map_err(error::from)?;
        let asked = asked.order_by_asc(dead_letter::Column::Sequence).limit(limit);
        let letters = asked.all(&self.read).await.map_err(error::from)?;
        Ok((letters.into_iter().map(DeadLetter::of).collect(), count))
    }

    /// Takes the endpoints that no living process has, and keeps those of `owner`, until `lease`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn hold_endpoints(&self, owner: i64, now: Timestamp, lease: Timestamp) -> Result<()> {
        self.hold::<delivery::Entity>(LENDING, owner, now, lease).await
    }

    /// The active endpoints that a process has.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn held_endpoints(&self, owner: i64) -> Result<Vec<Held>> {
        // By hand: a join of three tables, two of them by half a key.
        let sql = Sql::new(
            "SELECT d.organization_no, d.endpoint_id, d.next, d.due_ns, h.size, \
             CASE WHEN d.replay_next IS NOT NULL THEN d.replay_due_ns END AS replay_due_ns FROM delivery d JOIN endpoint e ON e.organization_no = d.organization_no AND e.id = d.endpoint_id \
             JOIN organization_head h ON h.organization_no = d.organization_no WHERE d.owner = ",
        );
        self.rows_of::<Held>(sql.bind(owner).with(" AND e.status = ", EndpointStatus::Active.number())).await
    }

    /// An endpoint that a process has, as it is now; `None` where it was deleted, or is another process's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lent_endpoint(&self, organization_no: i64, id: &str, owner: i64) -> Result<Option<Lent>> {
        let Some(place) =
            delivery::Entity::find_by_id(of(organization_no, id)).one(&self.read).await.map_err(error::from)?
        else {
            return Ok(None);
        };
        let found = row::Entity::find_by_id(of(organization_no, id)).one(&self.read).await.map_err(error::from)?;
        let (Some(found), true) = (found, place.owner == owner) else { return Ok(None) };
        let named = entity::organization::Entity::find_by_id(organization_no).one(&self.read).await;
        let Some(entity::organization::Model { product, external_id, .. }) = named.map_err(error::from)? else {
            return Ok(None);
        };
        let (endpoint, progress, replays) = (Endpoint::of(found)?, Progress::of(&place), place.replays);
        Ok(Some(Lent { organization_no, product, organization: external_id, endpoint, progress, replays }))
    }

    /// Whether an endpoint is there, and has not been changed since it was lent.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_unchanged(&self, lent: &Lent) -> Result<bool> {
        let Endpoint { id, changed_at, .. } = &lent.endpoint;
        let found = row::Entity::find_by_id(of(lent.organization_no, id))
            .filter(row::Column::ChangedNs.eq(changed_at.0))
            .count(&self.read);
        Ok(found.await.map_err(error::from)? > 0)
    }

    /// Sequences of events that an endpoint would not take, the oldest first, from one on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn dead_sequences(&self, organization_no: i64, id: &str, from: i64, limit: u64) -> Result<Vec<i64>> {
        let asked = dead_letter::Entity::find()
            .filter(dead_letter::Column::OrganizationNo.eq(organization_no))
            .filter(dead_letter::Column::EndpointId.eq(id))
            .filter(dead_letter::Column::Sequence.gte(from))
            .order_by_asc(dead_letter::Column::Sequence)
            .limit(limit);
        let letters = asked.all(&self.read).await.map_err(error::from)?;
        Ok(letters.into_iter().map(|letter| letter.sequence).collect())
    }

    /// Lets go of the endpoints of a process, so that another one may have them at once.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn let_go_of_endpoints(&self, owner: i64) -> Result<()> {
        self.let_go::<delivery::Entity>(LENDING, owner).await
    }

    /// Writes down what became of runs, in one transaction. What belongs to an endpoint that another process has by now,
    /// or that was deleted, is left out.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    pub async fn report(&self, owner: i64, reports: &[Report]) -> Result<()> {
        if reports.is_empty() {
            return Ok(());
        }
        let tx = self.write.begin().await?;
        for report in reports {
            self.report_one(&tx, owner, report).await?;
        }
        tx.commit().await
    }

    async fn report_one(&self, tx: &Transaction, owner: i64, report: &Report) -> Result<()> {
        use delivery::Column;
        let Report { organization_no, endpoint_id, changed_at, progress, replays, attempts, dead, revived, gone } =
            report;
        let (no, id) = of(*organization_no, endpoint_id);
        let found = row::Entity::find_by_id((no, id.clone())).one(tx).await.map_err(error::from)?;
        let is_changed = found.is_none_or(|found| found.changed_ns != changed_at.0);
        let mut update = delivery::Entity::update_many()
            .col_expr(Column::Next, progress.next.into())
            .col_expr(Column::SucceededNs, progress.succeeded_at.map(|at| at.0).into())
            .filter(Column::OrganizationNo.eq(no))
            .filter(Column::EndpointId.eq(&id))
            .filter(Column::Owner.eq(owner));
        if !is_changed {
            update = update
                .col_expr(Column::Failures, progress.failures.into())
                .col_expr(Column::Refusals, progress.refusals.into())
                .col_expr(Column::FailingNs, progress.failing_since.map(|at| at.0).into())
                .col_expr(Column::DueNs, progress.due.0.into())
                .col_expr(Column::Trouble, progress.trouble.clone().into());
        }
        // A replay that was asked for during the run begins anew.
        let rest = |at: Option<i64>, column: Column| {
            Expr::case(Expr::col(Column::Replays).eq(*replays), at).finally(Expr::col(column))
        };
        let replay = progress.replay.as_ref();
        let (next, end) = (replay.map(|replay| replay.next), replay.map(|replay| replay.end.unwrap_or(DEAD_LETTERS)));
        let replay = replay.filter(|_| !is_changed);
        let refusals = replay.map_or(0, |replay| replay.refusals);
        let due = replay.map_or(0, |replay| replay.due.0);
        update = update
            .col_expr(Column::ReplayNext, rest(next, Column::ReplayNext).into())
            .col_expr(Column::ReplayEnd, rest(end, Column::ReplayEnd).into())
            .col_expr(Column::ReplayRefusals, rest(Some(refusals), Column::ReplayRefusals).into())
            .col_expr(Column::ReplayDueNs, rest(Some(due), Column::ReplayDueNs).into());
        let updated = update.exec(tx).await.map_err(error::from)?;
        if updated.rows_affected == 0 {
            return Ok(());
        }
        if *gone && !is_changed {
            let status = row::Entity::update_many()
                .col_expr(row::Column::Status, EndpointStatus::Gone.number().into())
                .filter(row::Column::OrganizationNo.eq(no))
                .filter(row::Column::Id.eq(&id));
            status.exec(tx).await.map_err(error::from)?;
        }
        for (first, last) in revived {
            let letters = dead_letter::Entity::delete_many()
                .filter(dead_letter::Column::OrganizationNo.eq(no))
                .filter(dead_letter::Column::EndpointId.eq(&id))
                .filter(dead_letter::Column::Sequence.between(*first, *last));
            letters.exec(tx).await.map_err(error::from)?;
        }
        for DeadLetter { sequence, at, reason } in dead {
            dead_letter::Entity::delete_by_id((no, id.clone(), *sequence)).exec(tx).await.map_err(error::from)?;
            let letter = dead_letter::ActiveModel {
                organization_no: Set(no),
                endpoint_id: Set(id.clone()),
                sequence: Set(*sequence),
                at_ns: Set(at.0),
                reason: Set(reason.clone()),
            };
            dead_letter::Entity::insert(letter).exec_without_returning(tx).await.map_err(error::from)?;
        }
        self.insert_attempts(tx, no, &id, attempts).await
    }

    /// Writes down tries, and leaves the last hundred of them.
    async fn insert_attempts(&self, tx: &Transaction, no: i64, id: &str, attempts: &[Attempt]) -> Result<()> {
        use attempt::Column;
        let keep = usize::try_from(ATTEMPTS).unwrap_or(usize::MAX);
        let attempts = &attempts[attempts.len().saturating_sub(keep)..];
        if attempts.is_empty() {
            return Ok(());
        }
        let rows = attempts.iter().zip(0..).map(|(one, place)| attempt::ActiveModel {
            organization_no: Set(no),
            endpoint_id: Set(id.to_owned()),
            at_ns: Set(one.at.0),
            no: Set(self.chance.bits(32) << 10 | place),
            purpose: Set(one.purpose.number()),
            first: Set(one.events.0),
            last: Set(one.events.1),
            status: Set(one.status.map(i64::from)),
            took_ms: Set(one.took_ms),
            trouble: Set(one.trouble.clone()),
        });
        attempt::Entity::insert_many(rows).exec_without_returning(tx).await.map_err(error::from)?;
        let of_endpoint = |asked: sea_orm::Select<attempt::Entity>| {
            asked.filter(Column::OrganizationNo.eq(no)).filter(Column::EndpointId.eq(id))
        };
        let oldest = of_endpoint(attempt::Entity::find()).order_by_desc(Column::AtNs).offset(ATTEMPTS).limit(1);
        if let Some(oldest) = oldest.one(tx).await.map_err(error::from)? {
            let old = attempt::Entity::delete_many()
                .filter(Column::OrganizationNo.eq(no))
                .filter(Column::EndpointId.eq(id))
                .filter(Column::AtNs.lte(oldest.at_ns));
            old.exec(tx).await.map_err(error::from)?;
        }
        Ok(())
    }

    /// Writes down a try that was no run, such as a test.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note_attempt(&self, scope: &ManageScope, id: &str, attempt: &Attempt) -> Result<()> {
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else { return Ok(()) };
        let tx = self.write.begin().await?;
        self.insert_attempts(&tx, head.row.organization_no, id, std::slice::from_ref(attempt)).await?;
        tx.commit().await
    }

    pub(super) async fn may_be_changed(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &EndpointChange,
    ) -> Result<Result<()>> {
        if let EndpointChange::Create(endpoint) = change {
            let within = endpoint.rights.is_within(place.dictionary, place.allowed);
            return Ok(if within { Ok(()) } else { Err(Error::other_logs()) });
        }
        let found = row::Entity::find_by_id(of(place.organization_no, change.id())).one(tx).await;
        let endpoint = found.map_err(error::from)?.map(Endpoint::of).transpose()?;
        let known = endpoint.is_some_and(|endpoint| endpoint.rights.is_within(place.dictionary, place.allowed));
        Ok(if known { Ok(()) } else { Err(Error::not_found("endpoint")) })
    }

    pub(super) async fn change_endpoint(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &EndpointChange,
    ) -> Result<()> {
        let (no, id) = of(place.organization_no, change.id());
        match change {
            EndpointChange::Create(endpoint) => {
                let row = endpoint.row(no, place.now)?;
                row::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?;
                let begins = delivery::ActiveModel {
                    organization_no: Set(no),
                    endpoint_id: Set(id),
                    next: Set(place.size),
                    failures: Set(0),
                    failing_ns: Set(None),
                    due_ns: Set(i64::MIN),
                    succeeded_ns: Set(None),
                    trouble: Set(None),
                    replay_next: Set(None),
                    replay_end: Set(None),
                    replays: Set(0),
                    owner: Set(0),
                    lease_ns: Set(i64::MIN),
                    refusals: Set(0),
                    replay_refusals: Set(0),
                    replay_due_ns: Set(0),
                };
                delivery::Entity::insert(begins).exec_without_returning(tx).await.map_err(error::from)?;
            }
            EndpointChange::Replace(endpoint) => {
                let row = endpoint.row(no, place.now)?;
                row::Entity::update(row).exec(tx).await.map_err(error::from)?;
                self.try_at_once(tx, no, &id).await?;
            }
            EndpointChange::Replay { range, .. } => self.replay(tx, no, &id, *range).await?,
            EndpointChange::ReplayDeadLetters { .. } => self.replay(tx, no, &id, (0, DEAD_LETTERS)).await?,
            EndpointChange::Delete { .. } => {
                row::Entity::delete_by_id((no, id.clone())).exec(tx).await.map_err(error::from)?;
                delivery::Entity::delete_by_id((no, id.clone())).exec(tx).await.map_err(error::from)?;
                let letters = dead_letter::Entity::delete_many()
                    .filter(dead_letter::Column::OrganizationNo.eq(no))
                    .filter(dead_letter::Column::EndpointId.eq(&id));
                letters.exec(tx).await.map_err(error::from)?;
                let tries = attempt::Entity::delete_many()
                    .filter(attempt::Column::OrganizationNo.eq(no))
                    .filter(attempt::Column::EndpointId.eq(&id));
                tries.exec(tx).await.map_err(error::from)?;
            }
        }
        Ok(())
    }

    /// Whatever stood in an endpoint's way may be mended.
    async fn try_at_once(&self, tx: &Transaction, no: i64, id: &str) -> Result<()> {
        use delivery::Column;
        let update = delivery::Entity::update_many()
            .col_expr(Column::DueNs, i64::MIN.into())
            .col_expr(Column::Failures, 0_i64.into())
            .col_expr(Column::Refusals, 0_i64.into())
            .col_expr(Column::ReplayDueNs, 0_i64.into())
            .col_expr(Column::ReplayRefusals, 0_i64.into())
            .filter(Column::OrganizationNo.eq(no))
            .filter(Column::EndpointId.eq(id));
        update.exec(tx).await.map_err(error::from)?;
        Ok(())
    }

    /// A replay begins, in the place of one that may be under way. It asks for no pause; new events keep theirs.
    async fn replay(&self, tx: &Transaction, no: i64, id: &str, (next, end): (i64, i64)) -> Result<()> {
        use delivery::Column;
        let update = delivery::Entity::update_many()
            .col_expr(Column::ReplayNext, next.into())
            .col_expr(Column::ReplayEnd, end.into())
            .col_expr(Column::ReplayDueNs, 0_i64.into())
            .col_expr(Column::ReplayRefusals, 0_i64.into())
            .col_expr(Column::Replays, Expr::col(Column::Replays).add(1))
            .filter(Column::OrganizationNo.eq(no))
            .filter(Column::EndpointId.eq(id));
        update.exec(tx).await.map_err(error::from)?;
        Ok(())
    }
}

impl Endpoint {
    pub(super) fn of(row: row::Model) -> Result<Self> {
        let kind = EndpointKind::ALL.into_iter().find(|kind| kind.number() == row.kind);
        let status = EndpointStatus::ALL.into_iter().find(|status| status.number() == row.status);
        let unknown = || Error::internal(Unknown { kind: row.kind, status: row.status });
        let (kind, status) = (kind.ok_or_else(unknown)?, status.ok_or_else(unknown)?);
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).map_err(Error::internal);
        // To leave one out would widen what was narrowed.
        let log = |text: &String| LogName::parse(text).ok_or_else(unknown);
        let logs = list(&row.logs)?.iter().map(log).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            id: row.id,
            label: row.label,
            kind,
            url: row.url,
            settings: row.settings,
            secrets: serde_json::from_str(&row.secrets).map_err(Error::internal)?,
            question: row.question,
            rights: Rights { scopes: Vec::new(), roles: list(&row.roles)?, plan: row.plan, logs },
            status,
            created_at: Timestamp(row.created_ns),
            created_by: row.created_by,
            changed_at: Timestamp(row.changed_ns),
        })
    }

    fn row(&self, organization_no: i64, now: Timestamp) -> Result<row::ActiveModel> {
        let list = |texts: Vec<String>| serde_json::to_string(&texts).map_err(Error::internal);
        let Rights { roles, plan, logs, .. } = &self.rights;
        Ok(row::ActiveModel {
            organization_no: Set(organization_no),
            id: Set(self.id.clone()),
            label: Set(self.label.clone()),
            kind: Set(self.kind.number()),
            url: Set(self.url.clone()),
            settings: Set(self.settings.clone()),
            secrets: Set(serde_json::to_string(&self.secrets).map_err(Error::internal)?),
            question: Set(self.question.clone()),
            roles: Set(list(roles.clone())?),
            plan: Set(plan.clone()),
            logs: Set(list(logs.iter().map(ToString::to_string).collect())?),
            status: Set(self.status.number()),
            created_ns: Set(self.created_at.0),
            created_by: Set(self.created_by.clone()),
            changed_ns: Set(now.0),
        })
    }
}

impl Progress {
    fn of(row: &delivery::Model) -> Self {
        Self {
            next: row.next,
            failures: row.failures,
            refusals: row.refusals,
            failing_since: row.failing_ns.map(Timestamp),
            due: Timestamp(row.due_ns),
            succeeded_at: row.succeeded_ns.map(Timestamp),
            trouble: row.trouble.clone(),
            replay: row.replay_next.zip(row.replay_end).map(|(next, end)| Replay {
                next,
                end: (end != DEAD_LETTERS).then_some(end),
                refusals: row.replay_refusals,
                due: Timestamp(row.replay_due_ns),
            }),
        }
    }
}

impl Attempt {
    fn of(row: attempt::Model) -> Result<Self> {
        let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.number() == row.purpose);
        Ok(Self {
            at: Timestamp(row.at_ns),
            purpose: purpose.ok_or_else(|| Error::internal(UnknownPurpose(row.purpose)))?,
            events: (row.first, row.last),
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            took_ms: row.took_ms,
            trouble: row.trouble,
        })
    }
}

impl DeadLetter {
    fn of(row: dead_letter::Model) -> Self {
        Self { sequence: row.sequence, at: Timestamp(row.at_ns), reason: row.reason }
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "an endpoint is of the kind {kind} and the status {status}, one of which this version does not know, or its logs are none"
)]
struct Unknown {
    kind: i16,
    status: i16,
}

#[derive(Debug, thiserror::Error)]
#[error("a try was for {0}, which this version does not know")]
struct UnknownPurpose(i16);
