//! `ledgerline endpoints`: what administrators do with endpoints, by whoever runs the service. It opens the database itself,
//! beside a running service, which learns of a change within five seconds.

mod shown;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use self::shown::{attempt, endpoint, letter};
use super::{
    manage::{Manager, Whose, json_of, show_all, understood},
    mention, say,
};
use crate::{
    app::{ways, with_cause},
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    delivery::endpoint::{Again, Changes, Endpoints, Managed, Wanted},
    graphql::{endpoint_question, endpoint_target},
};

/// Who the organization's log says it was.
const SUBJECT: &str = "ledgerline endpoints";

/// Whose endpoints, and what is to be done.
#[derive(Args)]
pub struct EndpointsArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the endpoints and how each fares.
    List,
    /// Makes an endpoint. It gets what is recorded from now on.
    #[command(group(ArgGroup::new("where").required(true).args(["webhook", "target"])))]
    Create {
        /// What people call it.
        #[arg(long)]
        label: String,
        #[command(flatten)]
        place: Where,
        /// Which events it gets, as JSON in the form of AuditEndpointQuestionInput; @FILE and - as for --target.
        #[arg(long, value_name = "JSON")]
        question: Option<String>,
    },
    /// Changes an endpoint; what is not named stays. Whatever stood in its way, it is tried at once.
    Update {
        /// Its id.
        id: String,
        /// What people call it.
        #[arg(long)]
        label: Option<String>,
        #[command(flatten)]
        place: Where,
        /// Which events it gets, as JSON in the form of AuditEndpointQuestionInput; @FILE and - as for --target.
        #[arg(long, value_name = "JSON")]
        question: Option<String>,
    },
    /// Pauses an endpoint. It keeps its place.
    Pause {
        /// Its id.
        id: String,
    },
    /// Ends a pause, and activates one whose receiver said that it was gone.
    Resume {
        /// Its id.
        id: String,
    },
    /// Deletes an endpoint: nothing more is sent to it.
    Delete {
        /// Its id.
        id: String,
    },
    /// Draws a new secret for an endpoint whose secret the service draws, and prints it.
    RotateSecret {
        /// Its id.
        id: String,
        /// How long messages are signed with the old secret, too: at most 7 days.
        #[arg(long, default_value = "1day", value_parser = humantime::parse_duration)]
        overlap: Duration,
    },
    /// Sends a test from here. Fails where it does not arrive.
    Test {
        /// Its id.
        id: String,
    },
    /// Sends a part of the history once more, or the dead letters.
    #[command(group(ArgGroup::new("what").required(true).args(["from", "dead_letters"])))]
    Replay {
        /// Its id.
        id: String,
        /// Sequence of the first event.
        #[arg(long, requires = "to")]
        from: Option<i64>,
        /// Sequence after that of the last event.
        #[arg(long, requires = "from")]
        to: Option<i64>,
        /// What the receiver would not take.
        #[arg(long, conflicts_with = "to")]
        dead_letters: bool,
    },
    /// Lists the events that the receiver would not take, the oldest hundred.
    DeadLetters {
        /// Its id.
        id: String,
    },
    /// Lists the last hundred tries, the newest first.
    Attempts {
        /// Its id.
        id: String,
    },
}

#[derive(Args)]
struct Where {
    /// Address of a receiver of Standard Webhooks.
    #[arg(long, value_name = "URL", conflicts_with = "target")]
    webhook: Option<String>,
    /// Where it is, as JSON in the form of AuditEndpointTargetInput; @FILE reads it from a file and - from standard input,
    /// so that no secret stands in the list of processes.
    #[arg(long, value_name = "JSON")]
    target: Option<String>,
}

impl Where {
    fn json(&self) -> Result<Option<Value>> {
        let webhook = self.webhook.as_ref().map(|url| json!({ "webhook": { "url": url } }));
        Ok(webhook.or(self.target.as_deref().map(|text| json_of("--target", text)).transpose()?))
    }
}

/// Does what was asked for. It is refused where a receiver does not take a test.
pub async fn run(settings: &Settings, products: &Products, arguments: EndpointsArgs) -> Result<ExitCode> {
    let EndpointsArgs { whose, command } = arguments;
    let ways = ways(settings)?;
    let work = async |manager: &Manager| {
        let endpoints = Endpoints {
            writer: manager.writer.clone(),
            store: manager.store.clone(),
            reader: manager.reader.clone(),
            clock: Clock::system(),
            chance: Chance::system(),
            ways,
            // No courier runs here.
            changed: Arc::default(),
        };
        Box::pin(Asked { endpoints, manager }.run(command)).await
    };
    Manager::run(settings, products, whose, SUBJECT, work).await
}

/// What is asked, and of whom.
struct Asked<'a> {
    endpoints: Endpoints,
    manager: &'a Manager,
}

impl Asked<'_> {
    async fn run(self, command: Command) -> Result<ExitCode> {
        let (endpoints, who, whose) =
            (&self.endpoints, &self.manager.principal, Some(self.manager.organization.as_str()));
        match command {
            Command::List => {
                let found = endpoints.list(who, whose).await.map_err(with_cause)?;
                self.show_all(
                    &["id", "kind", "status", "label", "nextSequence", "trouble"],
                    found.iter().map(endpoint),
                )?;
            }
            Command::Create { label, place, question } => {
                let target = understood("--target", place.json()?, endpoint_target).await?;
                let target = target.context("--target must be given")?;
                let question = question.as_deref().map(|text| json_of("--question", text)).transpose()?;
                let question = understood("--question", question, endpoint_question).await?.unwrap_or_default();
                let made = endpoints.create(who, whose, Wanted { label, target, question }).await;
                let (made, secret) = made.map_err(with_cause)?;
                self.show(&made, "made", secret.as_deref())?;
            }
            Command::Update { id, label, place, question } => {
                let target = understood("--target", place.json()?, endpoint_target).await?;
                let question = question.as_deref().map(|text| json_of("--question", text)).transpose()?;
                let question = understood("--question", question, endpoint_question).await?;
                Box::pin(self.update(&id, "changed", Changes { label, target, question, paused: None })).await?;
            }
            Command::Pause { id } => {
                Box::pin(self.update(&id, "paused", Changes { paused: Some(true), ..Changes::default() })).await?;
            }
            Command::Resume { id } => {
                Box::pin(self.update(&id, "resumed", Changes { paused: Some(false), ..Changes::default() })).await?;
            }
            Command::Delete { id } => {
                let deleted = endpoints.delete(who, whose, &id).await.map_err(with_cause)?;
                self.show(&deleted, "deleted", None)?;
            }
            Command::RotateSecret { id, overlap } => {
                let seconds = i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX);
                let (changed, secret) = endpoints.rotate_secret(who, whose, &id, seconds).await.map_err(with_cause)?;
                self.show(&changed, "changed", Some(&secret))?;
            }
            Command::Test { id } => {
                let tried = endpoints.test(who, whose, &id).await.map_err(with_cause)?;
                if self.manager.json {
                    say(attempt(&tried))?;
                }
                match &tried.trouble {
                    Some(trouble) => bail!("the test has not arrived: {trouble}"),
                    None if !self.manager.json => say("the test has arrived")?,
                    None => {}
                }
            }
            Command::Replay { id, from, to, dead_letters: _ } => {
                let again = from.zip(to).map_or(Again::DeadLetters, |(from, to)| Again::Range(from, to));
                let replayed = endpoints.replay(who, whose, &id, again).await.map_err(with_cause)?;
                self.show(&replayed, "is sent them once more:", None)?;
            }
            Command::DeadLetters { id } => {
                let (letters, count) = endpoints.dead_letters(who, whose, &id).await.map_err(with_cause)?;
                self.show_all(&["sequence", "at", "reason"], letters.iter().map(letter))?;
                if usize::try_from(count).is_ok_and(|count| count > letters.len()) {
                    mention(format_args!("the oldest {} of {count}", letters.len()));
                }
            }
            Command::Attempts { id } => {
                let tries = endpoints.attempts(who, whose, &id).await.map_err(with_cause)?;
                let columns = ["at", "purpose", "firstSequence", "lastSequence", "status", "tookMs", "trouble"];
                self.show_all(&columns, tries.iter().map(attempt))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn update(&self, id: &str, done: &str, changes: Changes) -> Result<()> {
        let changed =
            Box::pin(self.endpoints.update(&self.manager.principal, Some(&self.manager.organization), id, changes))
                .await;
        self.show(&changed.map_err(with_cause)?, done, None)
    }

    /// One endpoint: what was done with it, and a secret that is shown this once.
    fn show(&self, managed: &Managed, done: &str, secret: Option<&str>) -> Result<()> {
        if self.manager.json {
            return say(json!({ "endpoint": endpoint(managed), "secret": secret }));
        }
        say(format_args!("{done} {} ({})", managed.endpoint.id, managed.endpoint.label))?;
        secret.map_or(Ok(()), |secret| say(format_args!("secret {secret}")))
    }

    fn show_all(&self, columns: &[&str], rows: impl Iterator<Item = Value>) -> Result<()> {
        show_all(self.manager.json, columns, rows)
    }
}
