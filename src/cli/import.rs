//! `ledgerline import`: events from a file of JSON lines. Every line has a key of its own, so a file that was
//! imported in part, or twice, records each event once.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::recorder;
use crate::{
    app::with_cause,
    auth::{Principal, policy},
    catalog::Products,
    clock::Clock,
    config::Settings,
    error::{Error, Result as Checked},
    event::{
        Actor, Outcome, Resource, Timestamp,
        input::{RecordInput, actor_kind},
    },
    http::keys::{DevelopmentKeys, Keys},
    ingest::{self, Writer},
    store::{Appended, Item, Store, Task},
};

/// What to import.
#[derive(Args)]
pub struct ImportArgs {
    /// File of events, one JSON object a line.
    file: PathBuf,
    /// Product that they belong to.
    #[arg(long)]
    product: String,
    /// Organization of all events; each line's own `org` where absent.
    #[arg(long)]
    organization: Option<String>,
    /// What a line without a time happened at: "now" or an RFC 3339 instant. Such lines are refused where absent.
    #[arg(long)]
    undated: Option<String>,
}

/// What becomes of a line without a time.
#[derive(Clone, Copy)]
enum Undated {
    Refused,
    Now,
    At(Timestamp),
}

/// Events of one transaction: a server beside us waits no longer for the writer's lock.
const BATCH: usize = 500;
/// Refused lines that are printed; the rest are counted.
const SHOWN: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    import_id: Option<String>,
    repeat_of: Option<String>,
    idempotency_key: Option<String>,
    source: Option<String>,
    source_event_id: Option<String>,
    org: Option<String>,
    occurred_at: Option<String>,
    category: Option<String>,
    action: String,
    actor: Option<LineActor>,
    on_behalf_of: Option<LineActor>,
    resource: Option<Resource>,
    resources: Option<Vec<Resource>>,
    outcome: Option<Outcome>,
    ip: Option<String>,
    user_agent: Option<String>,
    correlation_id: Option<String>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct LineActor {
    kind: String,
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

#[derive(Default)]
struct Summary {
    recorded: usize,
    already: usize,
    refused: usize,
}

/// Imports a file; fails when a line was refused.
pub async fn run(settings: &Settings, products: &Products, arguments: &ImportArgs) -> Result<ExitCode> {
    let undated = match arguments.undated.as_deref() {
        None => Undated::Refused,
        Some("now") => Undated::Now,
        Some(text) => Undated::At(Timestamp::parse(text).context("--undated must be now or an RFC 3339 instant")?),
    };
    let open = || {
        DevelopmentKeys::open_or_create(&settings.keys_folder(), products)
            .context("the development keys cannot be made")
    };
    let keys = Keys::new(products, Some(open()?))
        .map_err(|faults| anyhow::anyhow!("the keys have faults:\n{}", faults.join("\n")))?;
    let recorder = recorder(&keys, &open()?, products, &arguments.product, "import").await?;
    let store =
        Store::open(&settings.database_url).await.map_err(with_cause).context("the database cannot be opened")?;
    let (writer, writing) = Writer::start(store.clone(), Clock::system());
    let summary = import(&writer, &recorder, arguments, undated).await;
    drop(writer);
    writing.await.context("the writer failed")?;
    store.close().await;
    let summary = summary?;
    println!("{} recorded, {} recorded before, {} refused", summary.recorded, summary.already, summary.refused);
    Ok(if summary.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import(writer: &Writer, recorder: &Principal, arguments: &ImportArgs, undated: Undated) -> Result<Summary> {
    let file = File::open(&arguments.file).with_context(|| format!("{} cannot be opened", arguments.file.display()))?;
    let bar = ProgressBar::new(file.metadata()?.len()).with_style(
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut summary = Summary::default();
    let mut batch: Vec<(usize, Item)> = Vec::new();
    let mut text = String::new();
    let mut reader = BufReader::new(file);
    let mut number = 0;
    loop {
        text.clear();
        let read = reader.read_line(&mut text).with_context(|| format!("line {} cannot be read", number + 1))?;
        if read == 0 {
            break;
        }
        number += 1;
        bar.inc(read as u64);
        if text.trim().is_empty() {
            continue;
        }
        match item(&text, recorder, arguments, undated) {
            Ok(item) => batch.push((number, item)),
            Err(error) => refuse(&bar, &mut summary, number, &error),
        }
        if batch.len() == BATCH {
            commit(writer, &bar, std::mem::take(&mut batch), &mut summary).await?;
        }
    }
    commit(writer, &bar, batch, &mut summary).await?;
    bar.finish_and_clear();
    Ok(summary)
}

async fn commit(writer: &Writer, bar: &ProgressBar, batch: Vec<(usize, Item)>, summary: &mut Summary) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let (numbers, items): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let Appended::Recorded(results) = writer.submit(Task::Record { items, atomic: false }).await.map_err(with_cause)?
    else {
        bail!("the writer answered another task")
    };
    for (number, result) in numbers.into_iter().zip(results) {
        match result {
            Ok(recorded) if recorded.already => summary.already += 1,
            Ok(_) => summary.recorded += 1,
            Err(error) => refuse(bar, summary, number, &error),
        }
    }
    bar.set_message(format!("{} events", summary.recorded + summary.already));
    Ok(())
}

fn refuse(bar: &ProgressBar, summary: &mut Summary, line: usize, error: &Error) {
    summary.refused += 1;
    if summary.refused <= SHOWN {
        bar.suspend(|| eprintln!("line {line}: {error}"));
    } else if summary.refused == SHOWN + 1 {
        bar.suspend(|| eprintln!("more lines are refused and counted, not shown"));
    }
}

fn item(text: &str, recorder: &Principal, arguments: &ImportArgs, undated: Undated) -> Checked<Item> {
    let line: Line<'_> = serde_json::from_str(text)
        .map_err(|error| Error::bad_input("line", format!("must be an event in JSON ({error})")))?;
    let occurred_at = match (line.occurred_at.as_deref(), undated) {
        (Some(text), _) => Some(Timestamp::parse(text).ok_or_else(|| {
            Error::bad_input("occurredAt", format!("must be an RFC 3339 date and time, got {text:?}"))
        })?),
        // Left to the writer, so that a repeated import has the same content.
        (None, Undated::Now) => None,
        (None, Undated::At(instant)) => Some(instant),
        (None, Undated::Refused) => {
            return Err(Error::bad_input("occurredAt", "is missing; --undated says what to take instead"));
        }
    };
    let one = line.resource.filter(|resource| *resource != Resource::default());
    let mut input = RecordInput::new(line.action, actor("actor", line.actor)?);
    input.category = line.category;
    input.on_behalf_of = line.on_behalf_of.map(|other| actor("onBehalfOf", Some(other))).transpose()?;
    input.resources = line.resources.unwrap_or_else(|| one.into_iter().collect());
    input.organization = arguments.organization.clone().or(line.org);
    input.outcome = line.outcome;
    input.occurred_at = occurred_at;
    input.ip_address = line.ip;
    input.user_agent = line.user_agent;
    input.correlation_id = line.correlation_id;
    input.source = line.source;
    input.source_event_id = line.source_event_id;
    input.idempotency_key = line.import_id.or(line.repeat_of).or(line.idempotency_key);
    if input.idempotency_key.is_none() {
        // Without a key of its own, a line is known by its text, so that a repeated import adds nothing.
        use sha2::{Digest, Sha256};
        let hash = Sha256::digest(text.trim_end().as_bytes());
        input.idempotency_key =
            Some(format!("line-{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    }
    input.metadata = line.metadata.map(|raw| raw.get().to_owned()).filter(|text| text != "null");
    let scope = policy::may_record(recorder, input.organization.as_deref())?;
    ingest::admit(scope, input, Clock::system().now())
}

fn actor(field: &str, actor: Option<LineActor>) -> Checked<Actor> {
    let Some(actor) = actor else {
        return Ok(Actor { kind: crate::event::ActorKind::System, id: None, name: None, email: None });
    };
    Ok(Actor {
        kind: actor_kind(&format!("{field}.kind"), &actor.kind)?,
        id: actor.id,
        name: actor.name,
        email: actor.email,
    })
}
