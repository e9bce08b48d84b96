//! `ledgerline export`: the events of a list as a file, straight from the database, for whoever runs the service.

use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{list::ListArgs, mention};
use crate::{
    app::with_cause,
    catalog::Products,
    clock::Clock,
    config::Settings,
    delivery::export::{Form, Format, Manifest, Streamed, Written},
    event::{ActorKind, Outcome},
    question::input::{FilterInput, RangeInput},
    reading::{Reader, follow::Followed},
};

/// What to export.
#[derive(Args)]
pub struct ExportArgs {
    #[command(flatten)]
    list: ListArgs,
    /// Form of the file.
    #[arg(long)]
    format: Format,
    /// File to write, or - for standard output. Beside a file, its manifest is written to FILE.manifest.json.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// IANA name of the zone of the second time of a row of CSV; UTC where absent.
    #[arg(long)]
    time_zone: Option<String>,
    /// Words that must all occur in an event, as in the viewer's search.
    #[arg(long)]
    search: Option<String>,
    /// A query, as in the viewer's query box: see the manual for its grammar.
    #[arg(long)]
    query: Option<String>,
    /// IANA name of the zone that the query's days and times are of; UTC where absent.
    #[arg(long)]
    query_time_zone: Option<String>,
    /// First instant, RFC 3339.
    #[arg(long)]
    from: Option<String>,
    /// The instant after the last, RFC 3339.
    #[arg(long)]
    to: Option<String>,
    /// Code of a category; may be given several times, as may the following.
    #[arg(long)]
    category: Vec<String>,
    /// Name of an action, or a beginning of names with a star at its end.
    #[arg(long)]
    action: Vec<String>,
    /// Outcome: SUCCESS, FAILURE or ACCEPTED.
    #[arg(long)]
    outcome: Vec<String>,
    /// Kind of actor, such as USER.
    #[arg(long)]
    actor_kind: Vec<String>,
    /// The product's own id of an actor.
    #[arg(long)]
    actor_id: Vec<String>,
    /// Type of a thing that was acted on.
    #[arg(long)]
    resource_type: Vec<String>,
    /// The product's own id of a thing that was acted on.
    #[arg(long)]
    resource_id: Vec<String>,
}

impl ExportArgs {
    fn list(&self) -> Result<Followed> {
        let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
        let is_dated = self.from.is_some() || self.to.is_some();
        let outcomes = words("outcome", &self.outcome, &Outcome::ALL.map(|outcome| (outcome.as_str(), outcome)))?;
        let kinds = words("actor-kind", &self.actor_kind, &ActorKind::ALL.map(|kind| (kind.as_str(), kind)))?;
        Ok(Followed {
            organization: Some(self.list.organization.clone()),
            log: self.list.log()?,
            include_nested: self.list.include_nested,
            filter: FilterInput {
                categories: some(&self.category),
                actions: some(&self.action),
                outcomes,
                actor_kinds: kinds,
                actor_ids: some(&self.actor_id),
                resource_types: some(&self.resource_type),
                resource_ids: some(&self.resource_id),
                occurred_at: is_dated.then(|| RangeInput { from: self.from.clone(), to: self.to.clone() }),
                search: self.search.clone(),
                query: self.query.clone(),
                query_time_zone: self.query_time_zone.clone(),
                ..FilterInput::default()
            },
        })
    }
}

fn words<T: Copy>(option: &str, given: &[String], known: &[(&str, T)]) -> Result<Option<Vec<T>>> {
    let read = |text: &String| match known.iter().find(|(word, _)| word == text) {
        Some((_, value)) => Ok(*value),
        None => {
            let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
            bail!("--{option} must be one of {}, got {text:?}", words.join(", "))
        }
    };
    let read = given.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok((!read.is_empty()).then_some(read))
}

/// Writes the file. One that is not complete keeps another name, and the command fails.
pub async fn run(settings: &Settings, products: &Products, arguments: &ExportArgs) -> Result<()> {
    let form = Form::new(arguments.format, "--time-zone", arguments.time_zone.as_deref())?;
    let list = arguments.list()?;
    let (principal, store) = arguments.list.open(settings, products, "export").await?;
    let extract = Box::pin(Reader::new(store.clone(), Clock::system()).extract(&principal, list)).await;
    let written = match extract {
        Ok(extract) => Box::pin(write(Streamed::new(extract, form.clone()), &form, &arguments.output)).await,
        Err(error) => Err(with_cause(error)),
    };
    store.close().await;
    let written = written?;
    mention(format_args!("exported {} events, {} bytes", written.count, written.bytes));
    Ok(())
}

async fn write(mut file: Streamed, form: &Form, output: &Path) -> Result<Written> {
    if output == Path::new("-") {
        let mut out = BufWriter::new(std::io::stdout());
        let written = copy(&mut file, &mut out).await?;
        out.flush().context("standard output cannot be written")?;
        return Ok(written);
    }
    let beside = |end: &str| {
        let mut name = output.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let partial = beside(".partial");
    let cannot = || format!("{} cannot be written", output.display());
    let mut out = File::create(&partial).with_context(cannot)?;
    let written = copy(&mut file, &mut out).await;
    let written =
        written.with_context(|| format!("the export is not complete: {} is a part of it", partial.display()))?;
    out.sync_all().with_context(cannot)?;
    let extract = file.extract();
    let manifest =
        Manifest::new(extract, extract.asked(), form, &written, Clock::system().now()).map_err(with_cause)?;
    std::fs::write(beside(".manifest.json"), manifest.text()).with_context(cannot)?;
    std::fs::rename(&partial, output).with_context(cannot)?;
    Ok(written)
}

async fn copy(file: &mut Streamed, out: &mut impl Write) -> Result<Written> {
    let bar = bar(u64::try_from(file.extract().total()).unwrap_or_default());
    let mut written = Written::default();
    let copied = async {
        while let Some((events, bytes)) = file.next().await.map_err(with_cause)? {
            out.write_all(&bytes).context("the file cannot be written")?;
            written.add(&events, &bytes);
            bar.set_position(u64::try_from(file.extract().done()).unwrap_or_default());
        }
        Ok(())
    };
    let copied = copied.await;
    bar.finish_and_clear();
    copied.map(|()| written)
}

/// A bar on a terminal, nothing elsewhere.
fn bar(events: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("exported {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(events).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}
