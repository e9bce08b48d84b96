//! Exports that are made while nobody waits: asked for, listed, fetched. `work.rs` makes the files.

use std::sync::Arc;

use futures_util::Stream;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{Form, Format, files::Files, link};
use crate::{
    auth::{LogName, Principal},
    catalog::Products,
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
    event::{OrganizationId, Timestamp},
    ingest::{self, Writer},
    keys::Plans,
    question::input::FilterInput,
    reading::{Reader, extract::Extract, follow::Followed},
    store::{
        Store,
        control::exports::{Export, ExportStatus, NewExport, OwnedExport},
    },
};

/// How long a file is there, in nanoseconds: a day.
pub(super) const KEPT: i64 = 86_400 * 1_000_000_000;

/// What was asked for, as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    log: Option<String>,
    include_nested: Option<bool>,
    /// With days as instants.
    filter: FilterInput,
    /// The filter as it was asked for, for the manifest.
    pub as_asked: Option<String>,
    time_zone: String,
}

/// Who asked, with everything that the permission rests on.
#[derive(Serialize, Deserialize)]
struct Maker {
    organization: Option<String>,
    subject: String,
    scopes: Vec<String>,
    roles: Vec<String>,
    plan: Option<String>,
    logs: Vec<String>,
}

/// Exports of this service.
#[derive(Clone)]
pub struct Exports {
    pub(super) store: Store,
    pub(super) reader: Reader,
    pub(super) files: Files,
    pub(super) products: Products,
    pub(super) plans: Plans,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    /// Something was asked for in this process.
    pub(super) asked: Arc<Notify>,
    /// What stands before the path of every address.
    base_path: String,
}

/// A file of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The events.
    File,
    /// The manifest.
    Manifest,
}

impl Part {
    /// The last name of its path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Manifest => "manifest",
        }
    }
}

/// The path of a file.
#[must_use]
pub fn path(id: &str, part: Part) -> String {
    format!("/v1/audit-exports/{id}/{}", part.as_str())
}

/// A file that is fetched.
pub struct Fetched {
    /// Its id.
    pub id: String,
    /// Its format.
    pub format: Format,
    /// Its size in bytes.
    pub bytes: u64,
    parts: Vec<String>,
    files: Files,
}

impl Fetched {
    /// Its bytes.
    pub fn read(self) -> impl Stream<Item = Result<Vec<u8>>> + Send + use<> {
        self.files.read(self.id, self.parts)
    }
}

impl Exports {
    /// Exports of a database, with files at a place; nothing is worked on until [`Exports::work`] runs.
    #[must_use]
    pub fn new(
        store: Store,
        reader: Reader,
        files: Files,
        products: Products,
        plans: Plans,
        clock: Clock,
        chance: Chance,
    ) -> Self {
        Self { store, reader, files, products, plans, clock, chance, asked: Arc::default(), base_path: String::new() }
    }

    /// The same, with addresses below a path.
    #[must_use]
    pub fn below(self, base_path: String) -> Self {
        Self { base_path, ..self }
    }

    /// Asks for an export of a list as it is now.
    ///
    /// # Errors
    /// As [`Reader::export`] and [`ingest::create_export`].
    pub async fn create(
        &self,
        writer: &Writer,
        principal: &Arc<Principal>,
        list: Followed,
        form: Form,
    ) -> Result<Export> {
        let extract = Box::pin(self.reader.export(principal, list)).await?;
        let dated = extract.dated();
        let asked = Asked {
            log: dated.log.as_ref().map(ToString::to_string),
            include_nested: dated.include_nested,
            filter: dated.filter,
            as_asked: extract.asked(),
            time_zone: form.zone.name().to_owned(),
        };
        let maker = Maker {
            organization: principal.organization.as_deref().map(str::to_owned),
            subject: principal.subject.clone(),
            scopes: principal.scopes.clone(),
            roles: principal.roles.clone(),
            // A plan that is kept for the organization is asked for whenever the maker reads.
            plan: principal.plan.clone().filter(|_| !principal.plan_is_kept),
            logs: principal.logs.iter().map(ToString::to_string).collect(),
        };
        let new = NewExport {
            id: format!("exp_{:016x}{:016x}", self.chance.draw(), self.chance.draw()),
            format: form.format.as_str().to_owned(),
            asked: serde_json::to_string(&asked).map_err(Error::internal)?,
            maker: serde_json::to_string(&maker).map_err(Error::internal)?,
            logs: dated.log.map_or_else(|| narrowed(principal), |log| vec![log]),
            secret: (0..4).flat_map(|_| self.chance.draw().to_be_bytes()).collect(),
            created_by: principal.subject.clone(),
        };
        let told = serde_json::json!({
            "log": asked.log,
            "includeNested": asked.include_nested,
            "filter": asked.as_asked.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok()),
            "timeZone": asked.time_zone,
        });
        let (id, organization) = (new.id.clone(), extract.organization().to_owned());
        ingest::create_export(writer, principal, Some(&organization), new, told, self.clock.now()).await?;
        self.asked.notify_one();
        self.reader.export_by_id(principal, Some(&organization), &id).await
    }

    /// The signed address of a file from now on; none where there is no such file.
    #[must_use]
    pub fn address(&self, export: &Export, part: Part) -> Option<String> {
        let now = self.clock.now();
        let signed = || link::signed(&export.made.secret, &path(&export.made.id, part), now);
        self.is_there(export, now).then(|| format!("{}{}", self.base_path, signed()))
    }

    /// When the file of an export is removed; none where there is none.
    #[must_use]
    pub fn expires_at(&self, export: &Export) -> Option<Timestamp> {
        let done = matches!(export.status, ExportStatus::Done | ExportStatus::Expired);
        export.finished_at.filter(|_| done).map(|at| Timestamp(at.0.saturating_add(KEPT)))
    }

    /// What has become of an export, as of now.
    #[must_use]
    pub fn status(&self, export: &Export) -> ExportStatus {
        match export.status {
            ExportStatus::Done if !self.is_there(export, self.clock.now()) => ExportStatus::Expired,
            status => status,
        }
    }

    fn is_there(&self, export: &Export, now: Timestamp) -> bool {
        export.status == ExportStatus::Done && self.expires_at(export).is_some_and(|at| now < at)
    }

    /// The file of an address, as long as whoever asked for it may still read what is in it.
    ///
    /// # Errors
    /// `NOT_FOUND` where an address was not made here, or its time or that of the file is over; `FORBIDDEN` or
    /// `PLAN_REQUIRED` where its maker may no longer read.
    pub async fn fetch(&self, id: &str, part: Part, expires: i64, signature: &str) -> Result<Fetched> {
        let none = || Error::NotFound("there is no such file, or the time of its address is over".to_owned());
        let now = self.clock.now();
        let owned = self.store.addressed_export(id).await?;
        let is_good = |owned: &OwnedExport| {
            let secret = &owned.export.made.secret;
            link::is_good(secret, &path(id, part), expires, signature, now) && self.is_there(&owned.export, now)
        };
        let owned = owned.filter(is_good).ok_or_else(none)?;
        let (extract, form) = Box::pin(self.opened(&owned)).await?;
        // The list is asked anew, as a part of the work would.
        extract.from(0, i64::from(owned.export.pinned > 0)).look(1).await?;
        let Export { made, progress, .. } = owned.export;
        let bytes = u64::try_from(progress.bytes).unwrap_or_default();
        Ok(Fetched { id: made.id, format: form.format, bytes, parts: progress.parts, files: self.files.clone() })
    }

    /// The manifest of a file that [`Self::fetch`] found.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn manifest(&self, fetched: &Fetched) -> Result<Vec<u8>> {
        self.files.manifest(&fetched.id).await
    }

    /// What a stored export reads, as its maker.
    pub(super) async fn opened(&self, owned: &OwnedExport) -> Result<(Extract, Form)> {
        let NewExport { format, asked, maker, .. } = &owned.export.made;
        let asked: Asked = serde_json::from_str(asked).map_err(Error::internal)?;
        let maker: Maker = serde_json::from_str(maker).map_err(Error::internal)?;
        let product = self.products.get(&owned.product).ok_or_else(|| Error::not_found("product any more"))?;
        let log = |text: &String| LogName::parse(text).ok_or_else(|| Error::internal(NoLog(text.clone())));
        let organization = |name: String| OrganizationId::new("organization", name);
        let mut principal = Principal {
            product: product.clone(),
            organization: maker.organization.map(organization).transpose()?,
            subject: maker.subject,
            scopes: maker.scopes,
            roles: maker.roles,
            plan: maker.plan,
            email: None,
            name: None,
            logs: maker.logs.iter().map(log).collect::<Result<_>>()?,
            expires_at: Timestamp(owned.export.created_at.0.saturating_add(2 * KEPT)),
            is_partner: false,
            plan_is_kept: false,
        };
        self.plans.complete(&mut principal, self.clock.now()).await?;
        let list = Followed {
            organization: Some(owned.organization.clone()),
            log: asked.log.as_ref().map(log).transpose()?,
            include_nested: asked.include_nested,
            filter: asked.filter,
        };
        let form = Form::new(Format::named("format", format)?, "timeZone", Some(&asked.time_zone))?;
        Ok((Box::pin(self.reader.export(&Arc::new(principal), list)).await?, form))
    }
}

/// The logs that whoever asks is narrowed to.
fn narrowed(principal: &Principal) -> Vec<LogName> {
    let top = &principal.product.top_level().name;
    if principal.logs.iter().any(|log| log.level == *top) { Vec::new() } else { principal.logs.clone() }
}

#[derive(Debug, thiserror::Error)]
#[error("an export names {0:?}, which is no log")]
struct NoLog(String);
