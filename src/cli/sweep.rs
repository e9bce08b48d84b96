//! `ledgerline sweep`: removes what was kept for long enough, as the service does every hour.

use anyhow::{Context, Result};
use clap::Args;

use super::{mention, say};
use crate::{
    app::{open_store, with_cause},
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    ingest::Writer,
    retention::{Sweeper, Tally},
};

/// What to remove.
#[derive(Args)]
pub struct SweepArgs {
    /// Says what would be removed, and removes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Believes this machine's clock, though it is more than a week ahead of what was last seen.
    #[arg(long, conflicts_with = "dry_run")]
    trust_clock: bool,
}

/// Removes what is due, or says what that is.
pub async fn run(settings: &Settings, products: &Products, arguments: &SweepArgs) -> Result<()> {
    let clock = Clock::system();
    let store = open_store(settings, &clock, Chance::system()).await?;
    store.refuse_unfinished_copy().await.map_err(with_cause)?;
    let (writer, writing) = Writer::start(store.clone(), clock.clone()).await.map_err(with_cause)?;
    let sweeper = Sweeper::new(store.clone(), writer, products.clone(), clock);
    let swept = async {
        if arguments.dry_run {
            return sweeper.preview().await;
        }
        if arguments.trust_clock {
            sweeper.trust_clock().await?;
        }
        let swept = sweeper.sweep().await?;
        match Box::pin(sweeper.end_organizations()).await? {
            0 => {}
            ended => mention(format_args!("{ended} organizations have ended")),
        }
        Ok(swept)
    };
    let swept = Box::pin(swept).await;
    drop(sweeper);
    writing.await.context("the writer task ended")?;
    store.close().await;
    let Tally { removed, held, organizations } =
        swept.map_err(with_cause).context("not all is removed: run it again, it goes on where it was")?;
    let would = if arguments.dry_run { "would be " } else { "" };
    say(format_args!("{removed} events of {organizations} organizations {would}removed, {held} held"))
}
