//! Exports: asked for, and listed.

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};

use super::{
    Services,
    enums::ErrorCode,
    filter::{AuditEventFilter, AuditLogInput, Typed, filter},
    principal,
    scalars::{BigInt, DateTime},
    services,
};
use crate::{
    delivery::export::{Exports, Form, Format, Part},
    error::{Code, Result},
    reading::follow::Followed,
    store::control::exports::{Export, ExportStatus},
};

/// The form of an exported file. `docs/export.md` describes each.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Format")]
pub enum AuditExportFormat {
    /// A header, and a row an event, for people and their spreadsheets.
    Csv,
    /// The JSON form of an event as REST answers it, one a line.
    Ndjson,
    /// Events of the Open Cybersecurity Schema Framework, one a line.
    Ocsf,
    /// CloudEvents 1.0 in JSON, one a line.
    #[graphql(name = "CLOUDEVENTS")]
    CloudEvents,
}

/// What has become of an export.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "ExportStatus")]
pub enum AuditExportStatus {
    /// It waits for its turn.
    Queued,
    /// It is being made.
    Running,
    /// Its file can be fetched.
    Done,
    /// It ended without a file; `error` says why.
    Failed,
    /// Its file was there for a day, and is gone.
    Expired,
}

/// An export: the events of a list as a file, in the order of recording, as the list was when it was asked for.
#[derive(SimpleObject)]
pub struct AuditExport {
    /// Id, `exp_` and 32 characters.
    id: ID,
    /// What has become of it.
    status: AuditExportStatus,
    /// The form of its file.
    format: AuditExportFormat,
    /// When it was asked for.
    created_at: DateTime,
    /// Subject of the token that asked for it.
    created_by: String,
    /// When it was done, or failed.
    finished_at: Option<DateTime>,
    /// When its file is removed, a day after it was done.
    expires_at: Option<DateTime>,
    /// How many events of the organization have been gone through, kept ones and others.
    done: BigInt,
    /// How many there are to go through: those that were recorded before it was asked for.
    total: BigInt,
    /// Events in the file, so far.
    count: BigInt,
    /// Sequence of the first event in the file.
    first_sequence: Option<BigInt>,
    /// Sequence of the last event in the file, so far.
    last_sequence: Option<BigInt>,
    /// Size of the file in bytes, so far.
    size: BigInt,
    /// SHA-256 of the file, in hexadecimal digits.
    sha256: Option<String>,
    /// Address of the file below the service's own, good for ten minutes for whoever has it; null where there is no file.
    download_url: Option<String>,
    /// Address of the file's manifest, in the same way.
    manifest_url: Option<String>,
    /// Why it failed.
    error: Option<AuditExportError>,
}

/// Why an export failed.
#[derive(SimpleObject)]
pub struct AuditExportError {
    /// What kind of refusal it is.
    code: ErrorCode,
    /// Why, in a sentence for people.
    message: String,
}

/// An export to make.
#[derive(InputObject)]
pub struct CreateAuditExportInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The log; the organization's own where absent.
    log: Option<AuditLogInput>,
    /// Whether events of logs nested in it come too; the level's setting where absent.
    include_nested: Option<bool>,
    /// Which events to keep.
    filter: Option<AuditEventFilter>,
    /// Words that must all occur in an event, as in `auditEvents`.
    search: Option<String>,
    /// A query, as in `auditEvents`.
    query: Option<String>,
    /// IANA name of the zone that days and times of `query` are of; UTC where absent.
    query_time_zone: Option<String>,
    /// The form of the file.
    format: AuditExportFormat,
    /// IANA name of the zone of the second time of a row of CSV, such as `Europe/Berlin`; UTC where absent.
    time_zone: Option<String>,
}

/// The export that was asked for.
#[derive(SimpleObject)]
pub struct CreateAuditExportPayload {
    /// The export.
    export: AuditExport,
}

/// Asks for an export.
pub(super) async fn create(ctx: &Context<'_>, input: CreateAuditExportInput) -> Result<CreateAuditExportPayload> {
    let (Services { writer, exports, .. }, principal) = (services(ctx), principal(ctx)?);
    let list = Followed {
        organization: input.organization.map(|id| id.0),
        log: input.log.map(Into::into),
        include_nested: input.include_nested,
        filter: filter(
            input.filter,
            Typed { search: input.search, query: input.query, query_time_zone: input.query_time_zone },
        ),
    };
    let form = Form::new(input.format.into(), "timeZone", input.time_zone.as_deref());
    let export = async { Box::pin(exports.create(writer, principal, list, form?)).await };
    let export = export.await.map_err(|error| error.under("input"))?;
    Ok(CreateAuditExportPayload { export: AuditExport::of(exports, export)? })
}

/// An export by its id.
pub(super) async fn find(ctx: &Context<'_>, organization: Option<ID>, id: &str) -> Result<AuditExport> {
    let Services { reader, exports, .. } = services(ctx);
    let organization = organization.as_deref().map(String::as_str);
    AuditExport::of(exports, reader.export_by_id(principal(ctx)?, organization, id).await?)
}

/// Exports, the newest first.
pub(super) async fn list(ctx: &Context<'_>, organization: Option<ID>, first: i64) -> Result<Vec<AuditExport>> {
    let Services { reader, exports, .. } = services(ctx);
    let found = reader.exports(principal(ctx)?, organization.as_deref().map(String::as_str), first).await?;
    found.into_iter().map(|export| AuditExport::of(exports, export)).collect()
}

/// The code that an export failed with.
fn code(name: &str) -> ErrorCode {
    let known = [Code::Forbidden, Code::PlanRequired, Code::NotFound, Code::BadUserInput, Code::QueryTooComplex];
    let known = known.into_iter().chain([Code::Unavailable, Code::Overloaded, Code::RateLimited]);
    known.into_iter().find(|code| code.as_str() == name).unwrap_or(Code::Internal).into()
}

impl AuditExport {
    fn of(exports: &Exports, export: Export) -> Result<Self> {
        let (download_url, manifest_url) =
            (exports.address(&export, Part::File), exports.address(&export, Part::Manifest));
        let (status, expires_at) = (exports.status(&export), exports.expires_at(&export));
        let Export { made, created_at, pinned, progress, sha256, fault, finished_at, .. } = export;
        Ok(Self {
            id: ID(made.id),
            status: status.into(),
            format: Format::named("format", &made.format)?.into(),
            created_at: created_at.into(),
            created_by: made.created_by,
            finished_at: finished_at.map(DateTime::from),
            expires_at: expires_at.map(DateTime::from),
            done: BigInt(progress.next),
            total: BigInt(pinned),
            count: BigInt(progress.count),
            first_sequence: progress.first.map(BigInt),
            last_sequence: progress.last.map(BigInt),
            size: BigInt(progress.bytes),
            sha256,
            download_url,
            manifest_url,
            error: fault.map(|(code, message)| AuditExportError { code: self::code(&code), message }),
        })
    }
}
