//! `ledgerline organizations`: the end of an organization, by whoever runs the service. They are one of the two who have to
//! agree, and never both.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    manage::{Manager, Whose, show_all},
    say,
};
use crate::{
    app::with_cause,
    catalog::Products,
    clock::Clock,
    config::Settings,
    event::Timestamp,
    ingest::ends,
    store::control::ends::{By, End},
};

/// Who the organization's log says it was.
const SUBJECT: &str = "ledgerline organizations";

/// Which organization, and what is to be done.
#[derive(Args)]
pub struct OrganizationsArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Asks for the end of the organization. Nothing ends before somebody else has confirmed it.
    End,
    /// Confirms the end that somebody else has asked for: it begins after the product's delay.
    Confirm,
    /// Cancels the end, until it begins.
    Cancel,
    /// Shows the end as it stands.
    Show,
    /// Shows what stays of an organization that has ended.
    Certificate,
}

/// Does what was asked for.
pub async fn run(settings: &Settings, products: &Products, arguments: OrganizationsArgs) -> Result<()> {
    let OrganizationsArgs { whose, command } = arguments;
    Manager::run(settings, products, whose, SUBJECT, async |manager| manage(manager, command).await).await
}

async fn manage(manager: &Manager, command: Command) -> Result<()> {
    let (who, whose, writer) = (&manager.principal, Some(manager.organization.as_str()), &manager.writer);
    let now = Clock::system().now();
    match command {
        Command::End => drop(ends::request_end(writer, who, whose, now).await.map_err(with_cause)?),
        Command::Confirm => drop(ends::confirm_end(writer, who, whose, now).await.map_err(with_cause)?),
        Command::Cancel => {
            ends::cancel_end(writer, who, whose, now).await.map_err(with_cause)?;
            return say(format_args!("{} does not end", manager.organization));
        }
        Command::Show | Command::Certificate => {}
    }
    let end = manager.reader.end(who, whose).await.map_err(with_cause)?;
    let wants_certificate = matches!(command, Command::Certificate);
    let end = end.filter(|end| end.ended_at.is_some() == wants_certificate);
    let none = if wants_certificate { "has not ended" } else { "is not about to end" };
    let end = end.with_context(|| format!("{} {none}", manager.organization))?;
    let (shown, columns): (_, &[&str]) = match wants_certificate {
        true => (certificate(&end), &["organization", "events", "firstSequence", "lastSequence", "endedAt"]),
        false => (pending(&end), &["organization", "requestedBy", "confirmedBy", "dueAt", "hasBegun"]),
    };
    if manager.json { say(shown) } else { show_all(false, columns, std::iter::once(shown)) }
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn pending(end: &End) -> Value {
    json!({
        "organization": end.organization,
        "requestedAt": end.requested.at.to_string(),
        "requestedBy": end.requested.subject,
        "confirmedAt": time(end.confirmed.as_ref().map(|by| by.at)),
        "confirmedBy": end.confirmed.as_ref().and_then(|by| by.subject.clone()),
        "dueAt": time(end.due_at),
        "hasBegun": end.begun_at.is_some(),
    })
}

fn certificate(end: &End) -> Value {
    let by = |by: &By| json!({ "at": by.at.to_string(), "as": by.office });
    json!({
        "product": end.product,
        "organization": end.organization,
        "events": end.events,
        "firstSequence": end.first.map(|(sequence, _)| sequence),
        "firstRecordedAt": time(end.first.map(|(_, at)| at)),
        "lastSequence": end.last.map(|(sequence, _)| sequence),
        "lastRecordedAt": time(end.last.map(|(_, at)| at)),
        "requested": by(&end.requested),
        "confirmed": end.confirmed.as_ref().map(by),
        "begunAt": time(end.begun_at),
        "endedAt": time(end.ended_at),
    })
}
