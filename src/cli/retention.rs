//! `ledgerline retention`: for how long events of an organization are kept, by whoever runs the service.

use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::{
    manage::{Manager, Whose, show_all},
    say,
};
use crate::{
    app::with_cause,
    catalog::{Keep, Products},
    clock::Clock,
    config::Settings,
    ingest::retention,
    reading::{Kept, LevelKept},
};

/// Who the organization's log says it was.
const SUBJECT: &str = "ledgerline retention";

/// Whose retention, and what is to be done.
#[derive(Args)]
pub struct RetentionArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows for how long events are kept, level by level.
    Show,
    /// Sets what the organization wishes.
    #[command(group(ArgGroup::new("how").required(true).args(["days", "forever", "as_product"])))]
    Set {
        /// The level; all levels where it is left out.
        #[arg(long)]
        level: Option<String>,
        /// Days to keep events, at least the product's floor.
        #[arg(long)]
        days: Option<i64>,
        /// Keeps them for ever.
        #[arg(long)]
        forever: bool,
        /// Lets the product's rule count again.
        #[arg(long)]
        as_product: bool,
    },
}

/// Does what was asked for, and shows what counts then.
pub async fn run(settings: &Settings, products: &Products, arguments: RetentionArgs) -> Result<()> {
    let RetentionArgs { whose, command } = arguments;
    Manager::run(settings, products, whose, SUBJECT, async |manager| manage(manager, command).await).await
}

async fn manage(manager: &Manager, command: Command) -> Result<()> {
    let (who, whose) = (&manager.principal, Some(manager.organization.as_str()));
    if let Command::Set { level, days, forever, as_product: _ } = command {
        let keep = days.map(Keep::Days).or(forever.then_some(Keep::Forever));
        let now = Clock::system().now();
        let set = retention::set_retention(&manager.writer, who, whose, level.as_deref(), keep, now).await;
        set.map_err(with_cause)?;
    }
    let kept = manager.reader.retention(who, whose).await.map_err(with_cause)?;
    if manager.json {
        return say(shown(&kept));
    }
    show_all(false, &["level", "kept", "wished"], kept.levels.iter().map(level))?;
    if let Some(wished) = kept.wished {
        say(format_args!("wished for all levels: {wished}"))?;
    }
    if kept.floor > 0 { say(format_args!("at least: {} days", kept.floor)) } else { Ok(()) }
}

fn shown(kept: &Kept) -> Value {
    json!({
        "levels": kept.levels.iter().map(level).collect::<Vec<_>>(),
        "wished": kept.wished.map(|keep| keep.to_string()),
        "floorDays": (kept.floor > 0).then_some(kept.floor),
    })
}

fn level(kept: &LevelKept) -> Value {
    let LevelKept { level, keep, wished } = kept;
    json!({ "level": level, "kept": keep.to_string(), "wished": wished.map(|keep| keep.to_string()) })
}
