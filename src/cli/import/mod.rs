//! `ledgerline import`: events from a file. Every record has a key of its own, so a file that was imported in part, or
//! twice, records each event once.

pub(crate) mod csv;
pub(crate) mod event;
mod fields;
pub(crate) mod records;
mod refused;
mod scan;
pub(crate) mod source;
mod time;

use std::{collections::HashMap, io::Read, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use self::{
    csv::Columns,
    event::{Reading, Undated},
    records::{Piece, Place, Records},
    refused::Refused,
    source::Format,
};
use super::{development_keys, mention, recorder, say, stop_signal};
use crate::{
    app::{open_store, with_cause},
    auth::Principal,
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    error::{Error, Result as Checked},
    event::Timestamp,
    ingest::{self, Writer},
    keys::Keys,
    store::{Item, Recorded},
};

/// What to import.
#[derive(Args)]
pub struct ImportArgs {
    /// File of events, or - for standard input: JSON objects, one a line or in an array, or rows of CSV under a header;
    /// UTF-8 or UTF-16, as it is or packed with gzip or zstd.
    file: PathBuf,
    /// Product that they belong to.
    #[arg(long)]
    product: String,
    /// Organization of all events; each one's own where absent.
    #[arg(long)]
    organization: Option<String>,
    /// What an event without a time happened at: "now" or an RFC 3339 instant. Such events are refused where absent.
    #[arg(long)]
    undated: Option<String>,
    /// What times without an offset mean, such as Z or +02:00. Such times are refused where absent.
    #[arg(long, allow_hyphen_values = true)]
    offset: Option<String>,
    /// Form of the file; told by its first bytes where absent.
    #[arg(long)]
    format: Option<Format>,
    /// Fields that are left out, by commas, such as id,recordedAt,actor.label. May be given several times.
    #[arg(long, value_delimiter = ',')]
    ignore: Vec<String>,
    /// Refuses events of which a text would be cut, or a character replaced, to be kept.
    #[arg(long)]
    strict: bool,
    /// Keeps refused events in this file, as they stood, to be corrected and imported; the reasons lie beside it, in
    /// FILE.reasons, a JSON object a line.
    #[arg(long, visible_alias = "refused-to", value_name = "FILE")]
    refused: Option<PathBuf>,
}

/// Events of one transaction: a server beside us waits no longer for the writer's lock.
const BATCH: usize = 500;
/// Bytes of records that wait for one transaction.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long events of a slow source wait for others.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pieces that are read ahead.
const AHEAD: usize = 16;

/// Imports a file; fails when an event was refused.
pub async fn run(settings: &Settings, products: &Products, arguments: &ImportArgs) -> Result<ExitCode> {
    let undated = match arguments.undated.as_deref() {
        None => Undated::Refused,
        Some("now") => Undated::Now,
        Some(text) => Undated::At(
            Timestamp::parse(text)
                .with_context(|| format!("--undated must be now or an RFC 3339 instant, got {text:?}"))?,
        ),
    };
    if let Some(offset) = &arguments.offset
        && time::full_offset(offset).is_none()
    {
        bail!("--offset must be an offset from UTC, such as Z or +02:00, got {offset:?}");
    }
    let (raw, length) = source::open(&arguments.file)?;
    let bar = bar(length);
    let refused = Refused::new(bar.clone(), arguments.refused.as_deref(), &arguments.file)?;
    let keys = Keys::new(products, Some(development_keys(settings, products)?))
        .map_err(|faults| anyhow::anyhow!("the keys have faults:\n{}", faults.join("\n")))?;
    let development = development_keys(settings, products)?;
    let recorder = recorder(&keys, &development, products, &arguments.product, "import").await?;
    let store = open_store(settings, &Clock::system(), Chance::system()).await?;
    store.refuse_unfinished_copy().await.map_err(with_cause)?;
    let (writer, writing) = Writer::start(store.clone(), Clock::system()).await.map_err(with_cause)?;
    let pieces = read(bar.wrap_read(raw), arguments.format);
    let reading = Reading {
        organization: arguments.organization.as_deref(),
        undated,
        offset: arguments.offset.as_deref(),
        ignored: &arguments.ignore,
        strict: arguments.strict,
        columns: None,
        repeats: HashMap::new(),
    };
    let mut import = Import {
        writer,
        bar,
        recorder: &recorder,
        reading,
        refused,
        batch: Vec::new(),
        bytes: 0,
        reached: 1,
        recorded: 0,
        already: 0,
        changed: 0,
        masked: 0,
    };
    let done = import.run(pieces).await;
    import.bar.finish_and_clear();
    let Import { writer, refused, reached, recorded, already, changed, masked, .. } = import;
    drop(writer);
    writing.await.context("the writer failed")?;
    store.close().await;
    if changed > 0 {
        mention(format_args!(
            "{changed} of them are not as they were sent: what could not be kept was cut or replaced, and `truncated` \
             names it (--strict refuses such events)"
        ));
    }
    if masked > 0 {
        mention(format_args!("of {masked} of them secrets or addresses are masked, and `masked` names what is"));
    }
    say(format_args!("{recorded} recorded, {already} recorded before, {} refused", refused.count))?;
    if let Err(cause) = done {
        bail!(
            "stopped at line {reached} of {}: {cause:#}\nOnce that is mended, run the same command again: what was \
             recorded is not recorded twice",
            arguments.file.display()
        );
    }
    Ok(if refused.count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn bar(length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{bar:40} {bytes}/{total_bytes} {msg} {eta}"),
        None => (ProgressBar::no_length(), "{spinner} {bytes} {msg} {elapsed}"),
    };
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What the reading thread tells.
enum Told {
    /// The form of the text: the first that is told.
    Format(Format),
    Piece(Piece),
}

/// Reads on a thread of its own: standard input may keep it waiting for ever.
fn read(raw: impl Read + Send + 'static, format: Option<Format>) -> mpsc::Receiver<Told> {
    let (send, told) = mpsc::channel(AHEAD);
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with the text or the receiver; its panic closes the channel"
    )]
    std::thread::spawn(move || {
        let text = source::text(raw, format).map(|(text, format)| {
            let told = send.blocking_send(Told::Format(format)).is_ok();
            (told, Records::new(text, format))
        });
        let mut records = match text {
            Ok((true, records)) => records,
            Ok((false, _)) => return,
            Err(error) => {
                let _ = send.blocking_send(Told::Piece(Piece::End(Some(error))));
                return;
            }
        };
        loop {
            let piece = records.next();
            let is_last = matches!(piece, Piece::End(_));
            if send.blocking_send(Told::Piece(piece)).is_err() || is_last {
                return;
            }
        }
    });
    told
}

/// A record on its way: what it stands for, and itself where it would be kept.
struct Waiting {
    place: Place,
    record: Vec<u8>,
    item: Checked<Item>,
}

/// An import, and how far it is.
struct Import<'a> {
    writer: Writer,
    bar: ProgressBar,
    recorder: &'a Principal,
    reading: Reading<'a>,
    refused: Refused,
    batch: Vec<Waiting>,
    bytes: usize,
    /// The line behind everything that was recorded or refused.
    reached: u64,
    recorded: usize,
    already: usize,
    /// Recorded events that are not as they were sent.
    changed: usize,
    /// Recorded events of which the product masks something.
    masked: usize,
}

impl Import<'_> {
    async fn run(&mut self, mut told: mpsc::Receiver<Told>) -> Result<()> {
        let done = self.take_all(&mut told).await;
        // What was refused before a fault is kept all the same.
        let ended = self.refused.end();
        done.and(ended)
    }

    async fn take_all(&mut self, told: &mut mpsc::Receiver<Told>) -> Result<()> {
        let mut stop = std::pin::pin!(stop_signal());
        let mut format = Format::Lines;
        loop {
            let next = tokio::select! {
                biased;
                () = &mut stop => {
                    self.commit().await?;
                    bail!("it was interrupted");
                }
                next = tokio::time::timeout(PATIENCE, told.recv()) => next,
            };
            let Ok(next) = next else {
                self.commit().await?;
                continue;
            };
            match next.context("the reading of the file failed")? {
                Told::Format(Format::Csv) => format = Format::Csv,
                Told::Format(format) => self.refused.start(format, &[])?,
                Told::Piece(Piece::Record(_, header)) if format == Format::Csv && self.reading.columns.is_none() => {
                    let columns = Columns::read(&header, self.reading.ignored).map_err(with_cause)?;
                    self.refused.start(format, &columns.header)?;
                    self.reading.columns = Some(columns);
                }
                Told::Piece(Piece::Record(place, record)) => {
                    let read = self.reading.read(&record).transpose();
                    let item = read
                        .map(|input| ingest::item(&self.writer, self.recorder, input?.into(), Clock::system().now()));
                    if let Some(item) = item {
                        self.take(place, record, item).await?;
                    }
                }
                Told::Piece(Piece::Faulty(place, record, error)) => self.take(place, record, Err(error)).await?,
                Told::Piece(Piece::Rest(bytes)) => {
                    self.commit().await?;
                    self.refused.rest(&bytes)?;
                }
                Told::Piece(Piece::End(fault)) => {
                    self.commit().await?;
                    return fault.map_or(Ok(()), Err);
                }
            }
        }
    }

    async fn take(&mut self, place: Place, mut record: Vec<u8>, item: Checked<Item>) -> Result<()> {
        self.bytes += record.len();
        if !self.refused.keeps_records() {
            record = Vec::new();
        }
        self.batch.push(Waiting { place, record, item });
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES { self.commit().await } else { Ok(()) }
    }

    /// Records what waits, and tells what is refused of it, in the order of the file.
    async fn commit(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch).into_iter();
        let (waiting, items): (Vec<_>, Vec<_>) = batch.map(|one| ((one.place, one.record), one.item)).unzip();
        self.bytes = 0;
        if let Some((place, _)) = waiting.first() {
            self.reached = place.line;
        }
        let results = ingest::record_each(&self.writer, items).await.map_err(not_recorded)?;
        for ((place, record), result) in waiting.into_iter().zip(results) {
            match result {
                Ok(recorded) if recorded.already => self.already += 1,
                Ok(Recorded { event, .. }) => {
                    self.recorded += 1;
                    self.changed += usize::from(!event.truncated.is_empty());
                    self.masked += usize::from(!event.masked.is_empty());
                }
                Err(error) => self.refused.put(place, &record, &error)?,
            }
            self.reached = place.line + 1;
        }
        self.refused.flush()?;
        self.bar.set_message(format!("{} events", self.recorded + self.already));
        Ok(())
    }
}

fn not_recorded(error: Error) -> anyhow::Error {
    with_cause(error).context("the database did not take the events from there on")
}
