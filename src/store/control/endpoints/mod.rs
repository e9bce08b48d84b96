//! Endpoints, how far each has got, and what became of the tries.
//!
//! What is managed (table `endpoint`) changes with an event that tells of it. What is done (`delivery`, `dead_letter`,
//! `attempt`) is written beside recording by the process that an endpoint is lent to: a lease that ends by itself, so
//! that another process goes on where one was killed. Events are named by their sequence; none is kept here.

mod change;
mod lent;

use std::fmt;

use entity::{attempt, dead_letter, delivery, endpoint as row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::tokens::Rights;
use crate::{
    auth::{LogName, ManageScope},
    error::{Error, Result},
    event::Timestamp,
    store::{Store, error},
};
/// Where a replay of what an endpoint would not take ends, as it is stored.
const DEAD_LETTERS: i64 = -1;

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
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let no = head.row.organization_no;
        let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(no));
        let asked = asked.order_by_asc(row::Column::CreatedNs).order_by_asc(row::Column::Id);
        let rows = asked.all(&own.read).await.map_err(error::from)?;
        let fare = delivery::Entity::find().filter(delivery::Column::OrganizationNo.eq(no));
        let fare = fare.all(&own.read).await.map_err(error::from)?;
        let dictionary = self.dictionary(&own.read, &head.row).await?;
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
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let asked = attempt::Entity::find()
            .filter(attempt::Column::OrganizationNo.eq(head.row.organization_no))
            .filter(attempt::Column::EndpointId.eq(id))
            .order_by_desc(attempt::Column::AtNs)
            .order_by_desc(attempt::Column::No)
            .limit(limit);
        asked.all(&own.read).await.map_err(error::from)?.into_iter().map(Attempt::of).collect()
    }

    /// Events that an endpoint would not take, the oldest first, and how many there are.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn dead_letters(&self, scope: &ManageScope, id: &str, limit: u64) -> Result<(Vec<DeadLetter>, u64)> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok((Vec::new(), 0));
        };
        let asked = dead_letter::Entity::find()
            .filter(dead_letter::Column::OrganizationNo.eq(head.row.organization_no))
            .filter(dead_letter::Column::EndpointId.eq(id));
        let count = asked.clone().count(&own.read).await.map_err(error::from)?;
        let asked = asked.order_by_asc(dead_letter::Column::Sequence).limit(limit);
        let letters = asked.all(&own.read).await.map_err(error::from)?;
        Ok((letters.into_iter().map(DeadLetter::of).collect(), count))
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
