//! Alerts: a rule counts events, fires when there are enough of them in its window, and somebody is told.
//!
//! Two tasks a process, beside the courier, for the rules that are lent to it. `watch.rs` counts what is recorded, as
//! whoever made a rule may read it, and has a firing recorded: the event that tells of it, the rule's new place and its
//! messages are one transaction, conditional on the place that was counted from, so it happens once. `post.rs` sends the
//! messages until they arrive. Messages name the event and the receiver, and hold nothing of either.

mod count;
mod letter;
mod post;
pub mod rules;
mod watch;

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Notify;

use self::count::Burst;
use super::{mail::Mailer, maker, sinks::Ways};
use crate::{
    auth::Principal,
    catalog::{Feature, Products, management},
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
    event::{Event, Resource},
    ingest::{Told, Writer},
    keys::Plans,
    reading::{Reader, follow::Followed, shown::Shown},
    store::{
        Store,
        control::alerts::{LentRule, Per, Rule},
    },
};

const SECOND: i64 = 1_000_000_000;
/// How long a rule is lent to a process that says nothing more.
const LEASE: i64 = 10 * SECOND;
/// Type of the resource of an event that tells of a rule.
const RESOURCE: &str = "audit_log_rule";

/// Counts for rules, and sends what they raise.
pub struct Alerts {
    /// The door in.
    pub writer: Writer,
    /// Where rules are.
    pub store: Store,
    /// The door out.
    pub reader: Reader,
    /// What may have rules.
    pub products: Products,
    /// The plans that are kept for organizations.
    pub plans: Plans,
    /// The time.
    pub clock: Clock,
    /// What pauses are spread by.
    pub chance: Chance,
    /// How endpoints are reached.
    pub ways: Ways,
    /// How mail is sent; `None` where the operator named no server.
    pub mailer: Option<Mailer>,
    /// Tells the task that counts that rules have changed.
    pub changed: Arc<Notify>,
    /// Tells the task that sends that there are messages.
    pub posted: Notify,
    /// What rules are lent to.
    pub owner: i64,
}

impl Alerts {
    /// Counts and sends, for ever.
    pub async fn run(&self) -> ! {
        tokio::select! {
            never = self.watch() => never,
            never = self.post() => never,
        }
    }

    /// Lets other processes have its rules.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn let_go(&self) -> Result<()> {
        self.store.let_go_of_rules(self.owner).await
    }

    /// Whoever made a rule, as far as they may read.
    async fn maker(&self, lent: &LentRule) -> Result<Principal> {
        let product = maker::product(&self.products, &lent.product, Feature::Rules)?;
        let (rule, now) = (&lent.rule, self.clock.now());
        maker::principal(product, &lent.organization, &rule.id, &rule.rights, &self.plans, now).await
    }
}

/// The name of what is counted together, as GraphQL has it.
const fn per_name(per: Per) -> &'static str {
    match per {
        Per::Rule => "NONE",
        Per::Actor => "ACTOR",
        Per::IpAddress => "IP_ADDRESS",
    }
}

/// A rule as the resource of an event.
fn resource(rule: &Rule) -> Resource {
    Resource { kind: Some(RESOURCE.to_owned()), id: Some(rule.id.clone()), name: Some(rule.label.clone()) }
}

/// The event that tells of a firing: it names the events that were counted, and copies nothing of them.
fn told(rule: &Rule, burst: &Burst) -> Told {
    let metadata = json!({
        "threshold": rule.threshold,
        "windowSeconds": rule.window,
        "per": per_name(rule.per),
        "count": burst.count,
        "firstEvent": burst.first.to_string(),
        "lastEvent": burst.last.to_string(),
    });
    Told { action: management::ALERT_FIRED, resource: resource(rule), metadata }
}

/// The event of a sequence that tells of a firing, as far as a principal may read it: it stands in the organization's own
/// log, or in one of those that the rule's maker is narrowed to.
///
/// # Errors
/// As [`Reader::follow_from`]; `NOT_FOUND` where there is no such event for the principal.
pub async fn firing(
    reader: &Reader,
    principal: &Arc<Principal>,
    organization: Option<&str>,
    sequence: i64,
) -> Result<Shown> {
    let logs: Vec<_> = match principal.logs.as_slice() {
        [] => vec![None],
        logs => logs.iter().cloned().map(Some).collect(),
    };
    for log in logs {
        let organization = organization.map(str::to_owned);
        let followed = Followed { organization, log, include_nested: Some(true), ..Followed::default() };
        let batch = match reader.follow_from(principal, followed, sequence).await {
            Ok(mut follower) => Box::pin(follower.look(1)).await,
            Err(error) => Err(error),
        };
        let batch = match batch {
            // A log that is gone has nothing to show.
            Err(Error::NotFound(_) | Error::Forbidden(_)) if principal.logs.len() > 1 => continue,
            other => other?,
        };
        let found = batch.entries.into_iter().next().map(|entry| entry.event);
        if let Some(found) = found.filter(|found| is_firing(found.event(), sequence)) {
            return Ok(found);
        }
    }
    Err(Error::not_found("event"))
}

fn is_firing(event: &Event, sequence: i64) -> bool {
    event.sequence == sequence && *event.action == *management::ALERT_FIRED
}

fn warn(what: &str, error: &Error) {
    let cause = error.cause_text();
    tracing::warn!(cause, "{what}: {error}");
}
