//! `ledgerline query`: the events that a query keeps, straight from the database, for whoever runs the service.

use std::io::{BufWriter, Write};

use anyhow::{Context, Result, bail};
use chrono_tz::Tz;
use clap::{Args, ValueEnum};

use super::{list::ListArgs, mention};
use crate::{
    app::with_cause,
    catalog::Products,
    clock::Clock,
    config::Settings,
    error::Error,
    event::limits,
    question::{
        cursor::{Order, OrderField},
        input::FilterInput,
        period::time_zone,
    },
    reading::{
        Reader,
        list::{Asked, PartInput, Wanted},
        shown::{Shown, json::AuditEvent},
    },
};

/// What to look for.
#[derive(Args)]
pub struct QueryArgs {
    #[command(flatten)]
    list: ListArgs,
    /// Most events, the newest first: at most 1,000.
    #[arg(long, default_value_t = 20)]
    first: i64,
    /// IANA name of the zone of the query's days and of the times that are printed.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    /// How an event is printed.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// The query, such as 'actor:ada -outcome:success after:7d'; everything where absent. Its parts may be arguments of their
    /// own; after --, one may begin with a minus.
    text: Vec<String>,
}

/// How an event is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A line for people.
    Text,
    /// A line of JSON, as REST has it.
    Ndjson,
}

/// Prints the events, and how many there are to standard error.
pub async fn run(settings: &Settings, products: &Products, arguments: &QueryArgs) -> Result<()> {
    let zone = time_zone("--time-zone", &arguments.time_zone).map_err(with_cause)?;
    let text = arguments.text.join(" ");
    let asked = Asked {
        organization: Some(arguments.list.organization.clone()),
        log: arguments.list.log()?,
        include_nested: arguments.list.include_nested,
        filter: FilterInput {
            query: Some(text.clone()),
            query_time_zone: Some(arguments.time_zone.clone()),
            ..FilterInput::default()
        },
        order: Order { field: OrderField::OccurredAt, descending: true },
        part: PartInput { first: Some(arguments.first), ..PartInput::default() },
        most: limits::PAGE_MAX_REST,
        wanted: Wanted { totals: true, ..Wanted::default() },
    };
    let (principal, store) = arguments.list.open(settings, products, "query").await?;
    let page = Box::pin(Reader::new(store.clone(), Clock::system()).list(&principal, asked)).await;
    store.close().await;
    let page = match page {
        Ok(page) => page,
        Err(Error::BadQuery { at, rule, .. }) => {
            let mark = "^".repeat(at.len().max(1));
            bail!("{text}\n{}{mark}\n{rule}", " ".repeat(at.start));
        }
        Err(error) => return Err(with_cause(error)),
    };
    let mut out = BufWriter::new(std::io::stdout());
    for entry in &page.entries {
        let line = match arguments.format {
            Form::Text => line(&entry.event, zone),
            Form::Ndjson => serde_json::to_string(&AuditEvent::of(&entry.event))?,
        };
        writeln!(out, "{line}").context("standard output cannot be written")?;
    }
    out.flush().context("standard output cannot be written")?;
    mention(format_args!("{} of {} events", page.entries.len(), page.numbers.total));
    Ok(())
}

/// An event in a line: when, who, what, how it ended, to which thing, and its id.
fn line(shown: &Shown, zone: Tz) -> String {
    let event = shown.event();
    let at = event.occurred_at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
    let thing = shown.resource().map(|resource| {
        let name = resource.name.as_ref().or(resource.id.as_ref());
        [resource.kind.as_ref(), name].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
    });
    let parts = [
        Some(shown.actor().label()),
        Some(shown.action_label()),
        event.outcome.map(|outcome| outcome.as_str().to_owned()),
        thing,
        event.ip_address.clone(),
        Some(event.id().to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| plain(&part)).collect();
    format!("{at}  {}", parts.join("  "))
}

/// A text without what could move a terminal's cursor or turn its direction.
fn plain(text: &str) -> String {
    let is_odd = |c: char| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_odd(c) { '\u{fffd}' } else { c }).collect()
}
