//! `ledgerline holds`: what must not leave an organization's log, by whoever runs the service.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    manage::{Manager, Whose, json_of, show_all, understood},
    say,
};
use crate::{
    app::with_cause,
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    graphql::endpoint_question,
    ingest::retention::{self, WantedHold},
    store::control::holds::Hold,
};

/// Who the organization's log says it was.
const SUBJECT: &str = "ledgerline holds";

/// Whose holds, and what is to be done.
#[derive(Args)]
pub struct HoldsArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the holds, the oldest first.
    List,
    /// Places a hold: from then on, nothing that it keeps leaves.
    Place {
        /// What people call it, such as the name of the case.
        #[arg(long)]
        label: String,
        /// Which events it keeps, as JSON with log, includeNested and filter as in placeAuditHold; @FILE reads it from a
        /// file and - from standard input. All events of the organization where it is left out.
        #[arg(long, value_name = "JSON")]
        question: Option<String>,
    },
    /// Lifts a hold: what it kept leaves when it is old enough.
    Lift {
        /// Its id.
        id: String,
    },
}

/// Does what was asked for.
pub async fn run(settings: &Settings, products: &Products, arguments: HoldsArgs) -> Result<()> {
    let HoldsArgs { whose, command } = arguments;
    Manager::run(settings, products, whose, SUBJECT, async |manager| Box::pin(manage(manager, command)).await).await
}

async fn manage(manager: &Manager, command: Command) -> Result<()> {
    let (who, whose) = (&manager.principal, Some(manager.organization.as_str()));
    let now = Clock::system().now();
    let (hold, done) = match command {
        Command::List => {
            let holds = manager.reader.holds(who, whose).await.map_err(with_cause)?;
            let holds = holds.iter().map(shown).collect::<Result<Vec<_>>>()?;
            return show_all(manager.json, &["id", "label", "createdAt", "createdBy", "question"], holds.into_iter());
        }
        Command::Place { label, question } => {
            let question = question.as_deref().map(|text| json_of("--question", text)).transpose()?;
            let question = understood("--question", question, endpoint_question).await?.unwrap_or_default();
            if question.filter.search.is_some() {
                bail!("--question: a hold asks for no search");
            }
            let wanted = WantedHold {
                label,
                log: question.log,
                include_nested: question.include_nested,
                filter: question.filter,
            };
            let placed = retention::place_hold(&manager.writer, &Chance::system(), who, whose, wanted, now).await;
            (placed.map_err(with_cause)?, "placed")
        }
        Command::Lift { id } => {
            let hold = manager.reader.hold(who, whose, &id).await.map_err(with_cause)?;
            retention::lift_hold(&manager.writer, who, whose, &hold, now).await.map_err(with_cause)?;
            (hold, "lifted")
        }
    };
    if manager.json { say(shown(&hold)?) } else { say(format_args!("{done} {} ({})", hold.id, hold.label)) }
}

fn shown(hold: &Hold) -> Result<Value> {
    let question: Value = serde_json::from_str(&hold.question).context("a hold cannot be read")?;
    Ok(json!({
        "id": hold.id,
        "label": hold.label,
        "question": question,
        "createdAt": hold.created_at.to_string(),
        "createdBy": hold.created_by,
    }))
}
