//! `ledgerline copy`: everything from one database to another, such as from SQLite to PostgreSQL.

use std::{io::IsTerminal, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{mention, say};
use crate::{
    app::{shown, with_cause},
    chance::Chance,
    clock::Clock,
    config::Settings,
    store::{Phase, Store},
};

/// From where to where.
#[derive(Args)]
pub struct CopyArgs {
    /// The database to copy: sqlite://PATH or postgres://USER@HOST/NAME. It may be in use.
    #[arg(long)]
    from: String,
    /// The database to copy to: new, or left from a copy that was interrupted. No service may use it yet.
    #[arg(long)]
    to: String,
}

/// Copies, and tells how far it is.
pub async fn run(settings: &Settings, arguments: &CopyArgs) -> Result<()> {
    let CopyArgs { from, to } = arguments;
    if from == to || is_one_file(from, to) {
        bail!("--to must be another database than --from");
    }
    let clock = Clock::system();
    let source = Store::open_source(from, "--from", &clock, Chance::system()).await.map_err(with_cause);
    let source = source.with_context(|| format!("the database to copy from cannot be opened ({})", shown(from)))?;
    let target = Store::open(to, settings.durability(), &clock, Chance::system()).await.map_err(with_cause);
    let target = target.with_context(|| format!("the database to copy to cannot be opened ({})", shown(to)))?;
    let mut told = Told::default();
    let copied = source.copy_to(&target, clock.now(), |phase, done, all| told.tell(phase, done, all)).await;
    told.end();
    target.close().await;
    source.close().await;
    let copied = copied.map_err(with_cause).context("the copy is not complete")?;
    say(format_args!(
        "copied {} events of {} organizations ({} of the events earlier); all {} rows read back the same",
        copied.events, copied.organizations, copied.before, copied.compared
    ))
}

/// Whether two URLs of SQLite lead to one file.
fn is_one_file(one: &str, other: &str) -> bool {
    let real = |url: &str| {
        let path = url.strip_prefix("sqlite:")?.trim_start_matches("//").split('?').next()?;
        std::fs::canonicalize(path).ok()
    };
    real(one).is_some_and(|one| Some(one) == real(other))
}

/// A bar on a terminal, a line for every twentieth elsewhere.
#[derive(Default)]
pub(super) struct Told {
    bar: Option<(Phase, ProgressBar)>,
    twentieths: u64,
}

impl Told {
    pub(super) fn tell(&mut self, phase: Phase, done: u64, all: u64) {
        let verb = match phase {
            Phase::Copying => "copied",
            Phase::Verifying => "verified",
        };
        if self.bar.as_ref().is_none_or(|(shown, _)| *shown != phase) {
            self.end();
            let style =
                ProgressStyle::with_template("{msg} {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left");
            let bar = ProgressBar::new(all).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(verb);
            bar.enable_steady_tick(Duration::from_secs(1));
            self.bar = Some((phase, bar));
            self.twentieths = 0;
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_position(done);
        }
        let twentieths = done * 20 / all.max(1);
        if twentieths > self.twentieths && !std::io::stderr().is_terminal() {
            self.twentieths = twentieths;
            mention(format_args!("{verb} {done} of {all} events"));
        }
    }

    pub(super) fn end(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
