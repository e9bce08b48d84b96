//! `ledgerline reindex`: search terms made anew, while the service is in use.

use std::{io::IsTerminal, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{mention, say};
use crate::{
    app::{open_store, with_cause},
    chance::Chance,
    clock::Clock,
    config::Settings,
};

/// Which terms.
#[derive(Args)]
pub struct ReindexArgs {
    /// Makes the terms of every event anew, as where the index was damaged.
    #[arg(long)]
    all: bool,
}

/// Makes terms anew, and tells how far it is.
pub async fn run(settings: &Settings, arguments: &ReindexArgs) -> Result<()> {
    let store = open_store(settings, &Clock::system(), Chance::system()).await?;
    store.refuse_unfinished_copy().await.map_err(with_cause)?;
    let bar = bar();
    let mut twentieths = 0;
    let done = async {
        if arguments.all {
            store.reindex_everything().await?;
        }
        let told = |done: u64, all: u64| {
            bar.set_length(all);
            bar.set_position(done);
            let now = done * 20 / all.max(1);
            if now > twentieths && !std::io::stderr().is_terminal() {
                twentieths = now;
                mention(format_args!("reindexed {done} of {all} events"));
            }
        };
        store.reindex(told).await
    };
    let done = done.await;
    bar.finish_and_clear();
    store.close().await;
    let done = done.map_err(with_cause).context("not all terms are made: run it again, it goes on where it was")?;
    match done.organizations {
        0 => say("all terms are of this version: nothing was done"),
        organizations => say(format_args!("reindexed {} events of {organizations} organizations", done.events)),
    }
}

/// A bar on a terminal; elsewhere a line for every twentieth.
fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("reindexed {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}
