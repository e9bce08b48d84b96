//! The bench: `make bench`, or one stage by `cargo bench --bench ledger -- STAGE`. Every figure is measured with what it
//! is compared to in one run; see BENCHMARKS.md.

#![expect(
    clippy::disallowed_methods,
    reason = "it measures from outside: it starts programs, waits and takes the time"
)]
#![expect(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a figure is a float, and a few digits of it are shown"
)]
#![expect(clippy::print_stdout, reason = "figures are printed as they are measured")]

mod admission;
mod baselines;
mod bench;
mod driver;
mod events;
mod figures;
mod footprint;
mod leaving;
mod limits;
mod load;
mod load_tool;
mod reading;
mod receiver;
mod recording;
mod service;
mod targets;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use bench::{Bench, Database};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Ledgerline on this machine.
#[derive(Parser)]
struct Arguments {
    /// What to measure; all of it, if nothing is named.
    #[arg(value_enum)]
    stages: Vec<Stage>,
    /// Events of the databases on SQLite; 0 for none.
    #[arg(long, value_delimiter = ',', default_value = "100000,1000000")]
    sqlite: Vec<u64>,
    /// Events of the databases on PostgreSQL; 0 for none.
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    postgres: Vec<u64>,
    /// Seconds that one measurement samples.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Minutes of mixed load.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Events of the import.
    #[arg(long, default_value_t = 1_000_000)]
    import: u64,
    /// Where databases and figures are kept.
    #[arg(long, default_value = "bench-data")]
    folder: PathBuf,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    /// Fill the databases; goes on where it stopped.
    Load,
    /// Admission alone, without a database.
    Admission,
    /// Record over HTTP, against the driver and a transaction for each event.
    Record,
    /// Lists, totals, facets, start and idle memory.
    Read,
    /// The same on data with a fifth of shuffled backfill, at the smallest size.
    Backfill,
    /// The statements without the service, and naive ones.
    Baselines,
    /// The same lists in the smallest and the largest database, by turns.
    Sizes,
    /// The newest fifty under load, against PostGraphile and pgbench.
    Peer,
    /// Reads while recording.
    Writes,
    /// What leaves: endpoints, their lag, memory and cost, and exports.
    Leaving,
    /// What a request can cost, of every root field; written into docs/limits.md.
    Limits,
    /// Memory under mixed load.
    Mixed,
    /// Memory of an import.
    Import,
    /// Only write what was measured into the report.
    Report,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wanted = |stage| arguments.stages.is_empty() || arguments.stages.contains(&stage);
    let report_alone = arguments.stages == [Stage::Report];
    let sizes = |sizes: &[u64]| sizes.iter().copied().filter(|size| *size > 0).collect::<Vec<_>>();
    let (sqlite, postgres) = (sizes(&arguments.sqlite), sizes(&arguments.postgres));
    let bench = Bench::open(&arguments.folder, arguments.seconds, !postgres.is_empty() && !report_alone).await?;
    if wanted(Stage::Admission) {
        admission::run(&bench)?;
    }
    for (database, sizes) in [(Database::Sqlite, &sqlite), (Database::Postgres, &postgres)] {
        let Some(smallest) = sizes.iter().min() else { continue };
        if wanted(Stage::Load) {
            for size in sizes {
                load::load(&bench, database, *size, false).await?;
            }
        }
        if wanted(Stage::Record) {
            Box::pin(recording::run(&bench, database)).await?;
        }
        if wanted(Stage::Read) {
            for size in sizes {
                reading::run(&bench, database, *size, false).await?;
            }
        }
        if wanted(Stage::Baselines) {
            for size in sizes {
                baselines::run(&bench, database, *size).await?;
            }
        }
        if wanted(Stage::Sizes)
            && let Some(largest) = sizes.iter().max().filter(|largest| *largest > smallest)
        {
            reading::across_sizes(&bench, database, *smallest, *largest).await?;
        }
        if wanted(Stage::Backfill) {
            load::load(&bench, database, *smallest, true).await?;
            reading::run(&bench, database, *smallest, true).await?;
        }
        if wanted(Stage::Peer) {
            for size in sizes {
                Box::pin(load_tool::run(&bench, database, *size)).await?;
            }
        }
        if wanted(Stage::Import) {
            footprint::import(&bench, database, arguments.import).await?;
        }
        if wanted(Stage::Writes) {
            Box::pin(reading::under_writes(&bench, database, *smallest)).await?;
        }
        if wanted(Stage::Leaving) {
            let largest = *sizes.iter().max().unwrap_or(smallest);
            Box::pin(leaving::run(&bench, database, largest)).await?;
        }
        if wanted(Stage::Limits) {
            Box::pin(limits::run(&bench, database, *smallest)).await?;
        }
        if wanted(Stage::Mixed) {
            Box::pin(footprint::mixed(&bench, database, *smallest, arguments.minutes)).await?;
        }
    }
    let is_of_limits = |name: &str| name.starts_with("limits, ");
    let report = bench.figures.report(|name| !is_of_limits(name), targets::table)?;
    println!("{report}");
    // A run of some stages in a new folder knows nothing of the others: it would take their figures out of the file.
    if arguments.stages.is_empty() || report_alone {
        write_report("BENCHMARKS.md", &report)?;
    }
    if wanted(Stage::Limits) || report_alone {
        write_report("docs/limits.md", &bench.figures.report(is_of_limits, |_, _| String::new())?)?;
    }
    Ok(())
}

/// Puts the figures between their marks in a page.
fn write_report(page: &str, figures: &str) -> Result<()> {
    const BEGIN: &str = "<!-- figures: written by make bench -->";
    const END: &str = "<!-- end of figures -->";
    let text = fs::read_to_string(page).with_context(|| page.to_owned())?;
    let (from, to) = text.find(BEGIN).zip(text.find(END)).with_context(|| format!("the marks in {page}"))?;
    fs::write(page, format!("{}\n{}\n{}{}", &text[..from + BEGIN.len()], machine(), figures, &text[to..]))?;
    Ok(())
}

/// The machine, the day and the commit.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: String, name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let model = field(read("/proc/cpuinfo"), "model name").unwrap_or_default();
    let memory = field(read("/proc/meminfo"), "MemTotal")
        .and_then(|kb| kb.trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let commit = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    format!(
        "\nMachine: {model}, {cores} cores, {} GB of memory. Date: {}. Commit: {commit}.",
        memory / 1_000_000,
        &ledgerline::clock::Clock::system().now().to_string()[..10]
    )
}
