//! The work on exports: one part at a time, of one export after the other, so that a large one keeps no small one waiting.
//!
//! A part is stored first and written down then. A process that is killed between the two leaves an object that nobody
//! knows of, and it goes when the export does; the next process goes on from what was written down.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use tokio::time::{Duration, sleep, timeout};

use super::{
    BATCH, Manifest, Written,
    job::{Asked, Exports, KEPT},
    manifest::hex,
};
use crate::{
    error::{Code, Error, Result},
    event::{Timestamp, erased::Whom},
    store::control::exports::{Export, ExportStatus, OwnedExport, Progress, Turn},
};

/// Bytes of a part, at least; its last event may reach beyond.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// How long events are read for one part, in nanoseconds.
const PART_NANOS: i64 = 3 * SECOND;
/// How long a process has an export for itself, in nanoseconds: several times as long as a part takes.
const LEASE: i64 = 15 * SECOND;
/// How long an export rests after something could not be used, in nanoseconds.
const REST: i64 = 5 * SECOND;
/// How often it is looked for exports of other processes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a store of files may take for one part.
const PUT_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked for files whose time is over, in nanoseconds.
const SWEEP_EVERY: i64 = 60 * SECOND;
const SECOND: i64 = 1_000_000_000;

/// What a part came to.
struct PartDone {
    progress: Progress,
    turn: Turn,
    written: Written,
}

impl Exports {
    /// Works on exports, for ever. Faults are told and tried again.
    pub async fn work(&self) -> ! {
        let holder = format!("{:016x}", self.chance.draw());
        let mut begun: HashMap<String, Written> = HashMap::new();
        let mut swept = Timestamp(i64::MIN);
        loop {
            let now = self.clock.now();
            if now.0.saturating_sub(swept.0) > SWEEP_EVERY {
                swept = now;
                if let Err(error) = self.sweep(now).await {
                    told(&error, "files of exports whose time is over could not be removed");
                }
            }
            match Box::pin(self.turn(&holder, &mut begun)).await {
                Ok(true) => {}
                Ok(false) => drop(timeout(LOOK_EVERY, self.asked.notified()).await),
                Err(error) => {
                    told(&error, "exports could not be worked on");
                    sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    /// Does one part; false where there is nothing to do.
    async fn turn(&self, holder: &str, begun: &mut HashMap<String, Written>) -> Result<bool> {
        let now = self.clock.now();
        let Some(owned) = self.store.take_export(holder, now, Timestamp(now.0 + LEASE)).await? else {
            return Ok(false);
        };
        let export = &owned.export;
        let id = &export.made.id;
        let known = begun.remove(id).filter(|known| known.bytes.cast_signed() == export.progress.bytes);
        let done = Box::pin(self.part(&owned, known)).await;
        let now = self.clock.now();
        let (progress, turn, written) = match done {
            Ok(PartDone { progress, turn, written }) => (progress, turn, Some(written)),
            Err(error) => (export.progress.clone(), after(&error, export, now), None),
        };
        let goes_on = matches!(turn, Turn::More);
        let is_ours = self.store.advance_export(export, holder, &progress, turn, now).await?;
        if !is_ours && self.store.export_has_ended(export).await? {
            // It was broken off because of an erasure: a part that came after that goes, too.
            self.files.remove(id).await?;
        }
        if let Some(written) = written.filter(|_| is_ours && goes_on) {
            begun.insert(id.clone(), written);
        }
        Ok(true)
    }

    async fn part(&self, owned: &OwnedExport, known: Option<Written>) -> Result<PartDone> {
        let Export { made, pinned, progress, .. } = &owned.export;
        let (extract, form) = Box::pin(self.opened(owned)).await?;
        let mut extract = extract.from(progress.next, *pinned);
        let mut written = match known {
            Some(known) => known,
            None => self.written(&owned.export).await?,
        };
        let mut bytes = Vec::new();
        if progress.parts.is_empty() {
            form.begin(&mut bytes);
            written.add_bytes(&bytes);
        }
        let began = self.clock.now();
        while !extract.is_done() && bytes.len() < PART_BYTES && self.clock.now().0 - began.0 < PART_NANOS {
            let events = extract.look(BATCH).await?;
            let mut more = Vec::new();
            form.write(extract.organization(), &events, &mut more);
            written.add(&events, &more);
            bytes.append(&mut more);
        }
        let mut parts = progress.parts.clone();
        let is_done = extract.is_done();
        if !bytes.is_empty() || (is_done && parts.is_empty()) {
            let name = format!("{:06}-{:08x}", parts.len(), self.chance.draw() >> 32);
            in_time(self.files.put(&made.id, &name, bytes)).await?;
            parts.push(name);
        }
        let turn = if is_done {
            let asked: Asked = serde_json::from_str(&made.asked).map_err(Error::internal)?;
            let manifest = Manifest::new(&extract, asked.as_asked, &form, &written, self.clock.now())?;
            in_time(self.files.put_manifest(&made.id, manifest.text())).await?;
            Turn::Done { sha256: hex(&written.sha256()) }
        } else {
            Turn::More
        };
        let progress = Progress {
            next: extract.done(),
            count: written.count.cast_signed(),
            first: written.first,
            last: written.last,
            bytes: written.bytes.cast_signed(),
            parts,
        };
        Ok(PartDone { progress, turn, written })
    }

    /// What was written before, by another process or before a restart: its hash is taken again from the parts.
    async fn written(&self, export: &Export) -> Result<Written> {
        let Progress { count, first, last, parts, .. } = &export.progress;
        let mut written = Written { count: count.cast_unsigned(), first: *first, last: *last, ..Written::default() };
        let mut read = std::pin::pin!(self.files.read(export.made.id.clone(), parts.clone()));
        while let Some(bytes) = read.try_next().await? {
            written.add_bytes(&bytes);
        }
        Ok(written)
    }

    /// Removes files whose time is over.
    /// Takes away files of an organization that may hold what was erased since an instant: those of exports that were asked
    /// for before, and reach over an event of which something went. One that is being made ends; it can be asked for anew.
    ///
    /// # Errors
    /// Those of the database and of the store of files; it is to be tried again then.
    pub async fn drop_erased(&self, organization_no: i64, since: Timestamp) -> Result<()> {
        let Some((low, high)) = self.store.erased_between(organization_no, since).await? else { return Ok(()) };
        for export in self.store.exports_with_events(organization_no).await? {
            let Progress { first, last, next, .. } = export.progress;
            let is_unfinished = matches!(export.status, ExportStatus::Queued | ExportStatus::Running);
            let reaches = first.zip(last).is_some_and(|(first, last)| first <= high && last >= low);
            if is_unfinished && (reaches || next >= low) {
                self.store.break_off_export(&export, self.clock.now()).await?;
            }
            if reaches || is_unfinished && next >= low {
                self.files.remove(&export.made.id).await?;
                self.store.export_is_emptied_of_all(&export).await?;
            }
        }
        Ok(())
    }

    /// Forgets what exports of an organization asked for, where that names a person, with their files.
    ///
    /// # Errors
    /// As [`Self::drop_erased`].
    pub async fn forget_questions(&self, organization_no: i64, whom: &Whom) -> Result<()> {
        for export in self.store.exports_of(organization_no).await? {
            if !whom.is_mentioned(&export.made.asked) {
                continue;
            }
            if matches!(export.status, ExportStatus::Queued | ExportStatus::Running) {
                self.store.break_off_export(&export, self.clock.now()).await?;
            }
            self.files.remove(&export.made.id).await?;
            self.store.export_is_emptied_of_all(&export).await?;
            self.store.forget_what_was_exported(&export).await?;
        }
        Ok(())
    }

    async fn sweep(&self, now: Timestamp) -> Result<()> {
        for export in self.store.ended_exports(Timestamp(now.0.saturating_sub(KEPT))).await? {
            self.files.remove(&export.made.id).await?;
            self.store.export_is_emptied(&export).await?;
        }
        Ok(())
    }
}

/// How an export goes on after an error: what will not change by itself ends it, as does a day of attempts.
fn after(error: &Error, export: &Export, now: Timestamp) -> Turn {
    let is_over = now.0.saturating_sub(export.created_at.0) > KEPT;
    let may_pass = matches!(error.code(), Code::Unavailable | Code::Overloaded | Code::RateLimited | Code::Internal);
    if may_pass && !is_over {
        told(error, "a part of an export could not be made, and is tried again");
        return Turn::Later { until: Timestamp(now.0 + REST) };
    }
    Turn::Failed { fault: (error.code().as_str().to_owned(), error.to_string()) }
}

async fn in_time<T>(put: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |late| Error::Unavailable(std::sync::Arc::new(late));
    timeout(PUT_WITHIN, put).await.map_err(late)?
}

fn told(error: &Error, what: &'static str) {
    metrics::counter!("ledgerline_export_faults_total").increment(1);
    let cause = error.cause_text();
    tracing::error!(code = error.code().as_str(), cause, "{what}: {error}");
}
