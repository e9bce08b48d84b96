//! Exports: what was asked for, how far each has got, and who works on it.
//!
//! A process works on an export for as long as its lease says, part by part, and stores the place after each. It writes
//! down a part only if nobody else has taken the export over meanwhile: so two processes never go on from one place.

use std::fmt;

use entity::{export as row, organization};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    UpdateMany,
};

use super::Place;
use crate::{
    auth::{LogName, ManageScope},
    error::{Code, Error, Result},
    event::Timestamp,
    store::{Store, connection::transaction::Transaction, error},
};

/// Exports of an organization that may be unfinished at a time.
pub const UNFINISHED: u64 = 10;
/// Exports with a smaller number than this one are unfinished, those with a greater one have no file.
const DONE: i16 = ExportStatus::Done.number();
/// When somebody who has too many is told to try again, in milliseconds.
const RETRY_AFTER_MS: u64 = 60_000;

/// What has become of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportStatus {
    /// Nobody has begun yet.
    Queued,
    /// A part of it is written.
    Running,
    /// The file can be fetched.
    Done,
    /// It ended without a file.
    Failed,
    /// The file was there, and is gone.
    Expired,
}

impl ExportStatus {
    const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Expired];

    pub(in crate::store) const fn number(self) -> i16 {
        match self {
            Self::Queued => 0,
            Self::Running => 1,
            Self::Done => 2,
            Self::Failed => 3,
            Self::Expired => 4,
        }
    }
}

/// An export that is to be stored.
#[derive(Clone)]
pub struct NewExport {
    /// Public id.
    pub id: String,
    /// Name of the format.
    pub format: String,
    /// What was asked for, as JSON.
    pub asked: String,
    /// Who asked, with everything that the permission rests on, as JSON.
    pub maker: String,
    /// The logs that it reaches: those that its maker is narrowed to; none means all of the organization.
    pub logs: Vec<LogName>,
    /// What addresses of its file are signed with.
    pub secret: Vec<u8>,
    /// Subject of its maker.
    pub created_by: String,
}

/// Without the secret, which is of no use in a line of a log.
impl fmt::Debug for NewExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewExport").field("id", &self.id).field("format", &self.format).finish_non_exhaustive()
    }
}

/// How far an export has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Sequence of the next event to go through.
    pub next: i64,
    /// Events in the file.
    pub count: i64,
    /// Sequence of the first one.
    pub first: Option<i64>,
    /// Sequence of the last one.
    pub last: Option<i64>,
    /// Size of the file, in bytes.
    pub bytes: i64,
    /// Names of its parts, in order.
    pub parts: Vec<String>,
}

/// A stored export.
#[derive(Clone)]
pub struct Export {
    /// Number of its organization.
    pub organization_no: i64,
    /// What was asked for.
    pub made: NewExport,
    /// When.
    pub created_at: Timestamp,
    /// Number of events that the organization had: those with smaller sequences are gone through.
    pub pinned: i64,
    /// What has become of it.
    pub status: ExportStatus,
    /// How far it has got.
    pub progress: Progress,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: Option<String>,
    /// Why it failed: a code and a sentence.
    pub fault: Option<(String, String)>,
    /// When it was done, or failed.
    pub finished_at: Option<Timestamp>,
}

/// An export with the names of the organization that it is of.
#[derive(Clone)]
pub struct OwnedExport {
    /// The export.
    pub export: Export,
    /// Name of the product.
    pub product: String,
    /// The product's own id of the organization.
    pub organization: String,
}

/// How a part of the work ended.
pub enum Turn {
    /// There is more to do.
    More,
    /// The file is complete.
    Done {
        /// Its SHA-256, in hexadecimal digits.
        sha256: String,
    },
    /// It cannot be made.
    Failed {
        /// A code and a sentence.
        fault: (String, String),
    },
    /// Something that is needed cannot be used at the moment: anybody may go on after a while.
    Later {
        /// When.
        until: Timestamp,
    },
}

impl Store {
    /// The exports of an organization that whoever asks may make themselves, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn exports(&self, scope: &ManageScope, limit: u64) -> Result<Vec<Export>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let asked = row::Entity::find()
            .filter(row::Column::OrganizationNo.eq(head.row.organization_no))
            .order_by_desc(row::Column::CreatedNs)
            .order_by_desc(row::Column::Id)
            .limit(limit);
        let rows = asked.all(&own.read).await.map_err(error::from)?;
        let exports = rows.into_iter().map(Export::of).collect::<Result<Vec<_>>>()?;
        Ok(exports.into_iter().filter(|export| export.is_within(scope.allowed_logs())).collect())
    }

    /// An export of an organization, if whoever asks may make it themselves.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database.
    pub async fn export(&self, scope: &ManageScope, id: &str) -> Result<Export> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let none = || Error::not_found("export");
        let head = self.head_of(&scope.product().name, scope.organization()).await?.ok_or_else(none)?;
        let found = row::Entity::find_by_id((head.row.organization_no, id.to_owned())).one(&own.read).await;
        let found = found.map_err(error::from)?.map(Export::of).transpose()?;
        found.filter(|export| export.is_within(scope.allowed_logs())).ok_or_else(none)
    }

    /// The export of an address, whosever it is. Whoever calls checks the signature of the address before anything else.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn addressed_export(&self, id: &str) -> Result<Option<OwnedExport>> {
        let asked = row::Entity::find().filter(row::Column::Id.eq(id));
        match asked.one(&self.read).await.map_err(error::from)? {
            Some(found) => self.owned(found).await,
            None => Ok(None),
        }
    }

    async fn owned(&self, found: row::Model) -> Result<Option<OwnedExport>> {
        let of = organization::Entity::find_by_id(found.organization_no).one(&self.read).await.map_err(error::from)?;
        let Some(organization::Model { product, external_id, .. }) = of else { return Ok(None) };
        Ok(Some(OwnedExport { export: Export::of(found)?, product, organization: external_id }))
    }

    /// Takes the unfinished export that was not worked on for longest, until an instant; none where there is nothing to do.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn take_export(&self, holder: &str, now: Timestamp, until: Timestamp) -> Result<Option<OwnedExport>> {
        let free = || {
            Condition::any()
                .add(row::Column::LeaseUntilNs.lt(now.0))
                .add(row::Column::LeaseHolder.eq(holder.to_owned()))
        };
        let unfinished = || row::Column::Status.lt(ExportStatus::Done.number());
        let asked =
            row::Entity::find().filter(unfinished()).filter(free()).order_by_asc(row::Column::ServedNs).limit(1);
        let Some(found) = asked.one(&self.read).await.map_err(error::from)? else { return Ok(None) };
        if self.is_closed().await? {
            return Ok(None);
        }
        let tx = self.write.begin().await?;
        let take = of(&found.id, found.organization_no)
            .col_expr(row::Column::LeaseHolder, holder.to_owned().into())
            .col_expr(row::Column::LeaseUntilNs, until.0.into())
            .filter(unfinished())
            .filter(free());
        let taken = take.exec(&tx).await.map_err(error::from)?.rows_affected == 1;
        // What it says now: another process may have got further since it was looked for.
        let found = row::Entity::find_by_id((found.organization_no, found.id)).one(&tx).await.map_err(error::from)?;
        tx.commit().await?;
        match found.filter(|_| taken) {
            Some(found) => self.owned(found).await,
            None => Ok(None),
        }
    }

    /// Writes down how far an export has got and how it stands. False where another process has taken it over: what was
    /// done is not part of it then.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn advance_export(
        &self,
        export: &Export,
        holder: &str,
        progress: &Progress,
        turn: Turn,
        now: Timestamp,
    ) -> Result<bool> {
        let parts = serde_json::to_string(&progress.parts).map_err(Error::internal)?;
        let mut update = of(&export.made.id, export.organization_no)
            .col_expr(row::Column::NextSequence, progress.next.into())
            .col_expr(row::Column::Count, progress.count.into())
            .col_expr(row::Column::FirstSequence, progress.first.into())
            .col_expr(row::Column::LastSequence, progress.last.into())
            .col_expr(row::Column::Bytes, progress.bytes.into())
            .col_expr(row::Column::Parts, parts.into())
            .col_expr(row::Column::ServedNs, now.0.into())
            .filter(row::Column::LeaseHolder.eq(holder.to_owned()))
            .filter(row::Column::NextSequence.eq(export.progress.next))
            .filter(row::Column::Status.eq(export.status.number()));
        let (status, finished) = match turn {
            Turn::More => (ExportStatus::Running, false),
            Turn::Later { until } => {
                update = update
                    .col_expr(row::Column::LeaseHolder, None::<String>.into())
                    .col_expr(row::Column::LeaseUntilNs, until.0.into());
                (export.status, false)
            }
            Turn::Done { sha256 } => {
                update = update.col_expr(row::Column::Sha256, sha256.into());
                (ExportStatus::Done, true)
            }
            Turn::Failed { fault: (code, text) } => {
                update = update.col_expr(row::Column::FaultCode, code.into()).col_expr(row::Column::Fault, text.into());
                (ExportStatus::Failed, true)
            }
        };
        if finished {
            update = update.col_expr(row::Column::FinishedNs, now.0.into());
        }
        self.update(update.col_expr(row::Column::Status, status.number().into())).await
    }

    /// Exports that ended before an instant and still have files, or failed without their files being removed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn ended_exports(&self, before: Timestamp) -> Result<Vec<Export>> {
        let ended = [ExportStatus::Done.number(), ExportStatus::Failed.number()];
        let asked = row::Entity::find()
            .filter(row::Column::Status.is_in(ended))
            .filter(row::Column::FinishedNs.lt(before.0))
            .filter(row::Column::Parts.ne("[]"))
            .limit(100);
        asked.all(&self.read).await.map_err(error::from)?.into_iter().map(Export::of).collect()
    }

    /// Writes down that an export has no files any more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn export_is_emptied(&self, export: &Export) -> Result<bool> {
        let status = if export.status == ExportStatus::Done { ExportStatus::Expired } else { export.status };
        let update = of(&export.made.id, export.organization_no)
            .col_expr(row::Column::Parts, "[]".into())
            .col_expr(row::Column::Status, status.number().into())
            .filter(row::Column::Status.eq(export.status.number()));
        self.update(update).await
    }

    /// All exports of an organization.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn exports_of(&self, organization_no: i64) -> Result<Vec<Export>> {
        let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(organization_no));
        asked.all(&self.read).await.map_err(error::from)?.into_iter().map(Export::of).collect()
    }

    /// Those that have files, or may get some.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn exports_with_events(&self, organization_no: i64) -> Result<Vec<Export>> {
        let has_files = |export: &Export| !export.progress.parts.is_empty() || export.status.number() < DONE;
        Ok(self.exports_of(organization_no).await?.into_iter().filter(has_files).collect())
    }

    /// Whether an export has come to its end since it was read.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn export_has_ended(&self, export: &Export) -> Result<bool> {
        let key = (export.organization_no, export.made.id.clone());
        let found = row::Entity::find_by_id(key).one(&self.read).await.map_err(error::from)?;
        Ok(found.is_none_or(|row| row.status > DONE))
    }

    /// Ends an export that is being made: what it has read was erased meanwhile.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn break_off_export(&self, export: &Export, now: Timestamp) -> Result<()> {
        let update = of(&export.made.id, export.organization_no)
            .col_expr(row::Column::Status, ExportStatus::Failed.number().into())
            .col_expr(row::Column::FaultCode, Code::Unavailable.as_str().into())
            .col_expr(row::Column::Fault, "somebody was erased from the log meanwhile, ask for it again".into())
            .col_expr(row::Column::FinishedNs, now.0.into())
            .col_expr(row::Column::LeaseHolder, None::<String>.into())
            .filter(row::Column::Status.lt(DONE));
        self.update(update).await.map(drop)
    }

    /// Writes down that an export has no files any more, whatever it is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn export_is_emptied_of_all(&self, export: &Export) -> Result<()> {
        let update = |status: ExportStatus| {
            of(&export.made.id, export.organization_no)
                .col_expr(row::Column::Parts, "[]".into())
                .filter(row::Column::Status.eq(status.number()))
        };
        self.update(update(ExportStatus::Failed)).await?;
        let expired = update(ExportStatus::Done).col_expr(row::Column::Status, ExportStatus::Expired.number().into());
        self.update(expired).await.map(drop)
    }

    /// Forgets what an export without files asked for.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_what_was_exported(&self, export: &Export) -> Result<()> {
        let update = of(&export.made.id, export.organization_no)
            .col_expr(row::Column::Asked, "{}".into())
            .filter(row::Column::Status.gt(DONE));
        self.update(update).await.map(drop)
    }

    async fn update(&self, update: UpdateMany<row::Entity>) -> Result<bool> {
        let tx = self.write.begin().await?;
        let done = update.exec(&tx).await.map_err(error::from)?.rows_affected == 1;
        tx.commit().await?;
        Ok(done)
    }

    pub(super) async fn may_be_exported(&self, tx: &Transaction, place: &Place<'_>) -> Result<Result<()>> {
        let unfinished = row::Entity::find()
            .filter(row::Column::OrganizationNo.eq(place.organization_no))
            .filter(row::Column::Status.lt(ExportStatus::Done.number()));
        let unfinished = unfinished.count(tx).await.map_err(error::from)?;
        let too_many = unfinished >= UNFINISHED;
        Ok(if too_many { Err(Error::RateLimited { retry_after_ms: RETRY_AFTER_MS }) } else { Ok(()) })
    }

    pub(super) async fn insert_export(&self, tx: &Transaction, place: &Place<'_>, made: &NewExport) -> Result<()> {
        let logs: Vec<_> = made.logs.iter().map(ToString::to_string).collect();
        let row = row::ActiveModel {
            organization_no: Set(place.organization_no),
            id: Set(made.id.clone()),
            format: Set(made.format.clone()),
            asked: Set(made.asked.clone()),
            maker: Set(made.maker.clone()),
            logs: Set(serde_json::to_string(&logs).map_err(Error::internal)?),
            secret: Set(made.secret.clone()),
            created_ns: Set(place.now.0),
            created_by: Set(made.created_by.clone()),
            pinned: Set(place.size),
            status: Set(ExportStatus::Queued.number()),
            next_sequence: Set(0),
            count: Set(0),
            first_sequence: Set(None),
            last_sequence: Set(None),
            bytes: Set(0),
            parts: Set("[]".to_owned()),
            sha256: Set(None),
            fault_code: Set(None),
            fault: Set(None),
            finished_ns: Set(None),
            served_ns: Set(place.now.0),
            lease_holder: Set(None),
            lease_until_ns: Set(0),
        };
        row::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?;
        Ok(())
    }
}

fn of(id: &str, organization_no: i64) -> UpdateMany<row::Entity> {
    row::Entity::update_many()
        .filter(row::Column::OrganizationNo.eq(organization_no))
        .filter(row::Column::Id.eq(id.to_owned()))
}

impl Export {
    fn of(row: row::Model) -> Result<Self> {
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).map_err(Error::internal);
        // To leave one out would show it to more people.
        let log = |text: &String| LogName::parse(text).ok_or_else(|| Error::internal(Unread("log", text.clone())));
        let known = usize::try_from(row.status).ok().and_then(|at| ExportStatus::ALL.get(at).copied());
        let status = known.ok_or_else(|| Error::internal(Unread("status", row.status.to_string())))?;
        Ok(Self {
            organization_no: row.organization_no,
            made: NewExport {
                id: row.id,
                format: row.format,
                asked: row.asked,
                maker: row.maker,
                logs: list(&row.logs)?.iter().map(log).collect::<Result<_>>()?,
                secret: row.secret,
                created_by: row.created_by,
            },
            created_at: Timestamp(row.created_ns),
            pinned: row.pinned,
            status,
            progress: Progress {
                next: row.next_sequence,
                count: row.count,
                first: row.first_sequence,
                last: row.last_sequence,
                bytes: row.bytes,
                parts: list(&row.parts)?,
            },
            sha256: row.sha256,
            fault: row.fault_code.zip(row.fault),
            finished_at: row.finished_ns.map(Timestamp),
        })
    }

    /// Whether it reaches no further than these logs; none means all of the organization.
    fn is_within(&self, allowed: &[LogName]) -> bool {
        let logs = &self.made.logs;
        allowed.is_empty() || (!logs.is_empty() && logs.iter().all(|log| allowed.contains(log)))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("an export has the {0} {1:?}, which this version does not know")]
struct Unread(&'static str, String);
