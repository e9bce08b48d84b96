//! What administrators do with rules: each change is told by an event in the organization's trail.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{firing, per_name, resource};
use crate::{
    auth::{ManageScope, Principal, policy},
    catalog::{Feature, management},
    chance::Chance,
    clock::Clock,
    delivery::{
        endpoint::{Question, checked, rights},
        mail::is_address,
    },
    error::{Error, Result},
    event::names::check_label,
    ingest::{self, Writer},
    reading::{Reader, shown::Shown},
    store::{
        Change, Store,
        control::{
            alerts::{Per, Rule, RuleChange, RuleStatus, Told, Watched},
            tokens::Rights,
        },
    },
};

/// Most rules of an organization.
pub const RULES: usize = 50;
/// Most events that a rule waits for.
pub const THRESHOLD: i64 = 1_000;
/// Longest window, in seconds.
pub const WINDOW: i64 = 86_400;
/// Most addresses of a rule.
pub const ADDRESSES: usize = 10;
/// Longest address, in bytes: RFC 5321 has no longer ones.
pub const ADDRESS_BYTES: usize = 254;

/// Manages rules.
#[derive(Clone)]
pub struct Rules {
    /// The door in.
    pub writer: Writer,
    /// Where rules are.
    pub store: Store,
    /// The door out: it says whether events can be read as a rule asks for them.
    pub reader: Reader,
    /// The time.
    pub clock: Clock,
    /// What ids are drawn from.
    pub chance: Chance,
    /// Whether mail can be sent.
    pub has_mail: bool,
    /// Tells the task of this process that counts.
    pub changed: Arc<Notify>,
}

/// A rule that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What people call it.
    pub label: String,
    /// Which events it counts.
    pub question: Question,
    /// How many of them fire.
    pub threshold: i64,
    /// Within how many seconds.
    pub window: i64,
    /// What is counted together.
    pub per: Per,
    /// Who is told.
    pub told: Told,
}

/// What is to change; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What people call it.
    pub label: Option<String>,
    /// Which events it counts.
    pub question: Option<Question>,
    /// How many of them fire.
    pub threshold: Option<i64>,
    /// Within how many seconds.
    pub window: Option<i64>,
    /// What is counted together.
    pub per: Option<Per>,
    /// Who is told.
    pub told: Option<Told>,
    /// Whether it is paused.
    pub paused: Option<bool>,
}

impl Rules {
    /// The rules of an organization.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not manage them.
    pub async fn list(&self, principal: &Principal, organization: Option<&str>) -> Result<Vec<Watched>> {
        let scope = policy::may_administer(principal, organization, Feature::Rules)?;
        self.store.rules(&scope).await
    }

    /// The event that tells of a firing.
    ///
    /// # Errors
    /// Those of reading; `NOT_FOUND` where the principal sees no such event.
    pub async fn firing(&self, principal: &Arc<Principal>, organization: Option<&str>, sequence: i64) -> Result<Shown> {
        Box::pin(firing(&self.reader, principal, organization, sequence)).await
    }

    /// Makes a rule. It counts what is recorded from now on.
    ///
    /// # Errors
    /// As [`Self::list`]; `BAD_USER_INPUT` naming field and rule.
    pub async fn create(
        &self,
        principal: &Arc<Principal>,
        organization: Option<&str>,
        wanted: Wanted,
    ) -> Result<Watched> {
        let scope = policy::may_administer(principal, organization, Feature::Rules)?;
        let now = self.clock.now();
        if self.store.rules(&scope).await?.len() >= RULES {
            return Err(Error::bad_input("rules", format!("an organization has at most {RULES} rules")));
        }
        let Wanted { label, question, threshold, window, per, told } = wanted;
        let id = self.chance.id("rule_");
        let rule = Rule {
            id: id.clone(),
            label,
            question: self.question(principal, &scope, question).await?,
            threshold,
            window,
            per,
            told,
            rights: rights_of(principal, &scope),
            status: RuleStatus::Active,
            created_at: now,
            created_by: principal.subject.clone(),
            changed_at: now,
        };
        self.check(&rule)?;
        let told =
            ingest::Told { action: management::RULE_CREATED, resource: resource(&rule), metadata: told_of(&rule) };
        self.change(principal, scope, RuleChange::Create(Box::new(rule)), told).await?;
        Ok(self.known(principal, organization, &id).await?.1)
    }

    /// Changes a rule. Where what it counts was changed, or it was paused or goes on, it counts anew from then on.
    ///
    /// # Errors
    /// As [`Self::create`], and `NOT_FOUND` where there is no such rule.
    pub async fn update(
        &self,
        principal: &Arc<Principal>,
        organization: Option<&str>,
        id: &str,
        changes: Changes,
    ) -> Result<Watched> {
        let (scope, Watched { rule: before, .. }) = self.known(principal, organization, id).await?;
        let Changes { label, question, threshold, window, per, told, paused } = changes;
        // Whoever changed it last is who it reads as: in their own logs where they ask for other events, else in those that
        // it was narrowed to before.
        let mut rule = Rule { rights: rights_of(principal, &scope), ..before.clone() };
        match question {
            Some(question) => rule.question = self.question(principal, &scope, question).await?,
            None => rule.rights.logs.clone_from(&before.rights.logs),
        }
        rule.label = label.unwrap_or(rule.label);
        rule.threshold = threshold.unwrap_or(rule.threshold);
        rule.window = window.unwrap_or(rule.window);
        rule.per = per.unwrap_or(rule.per);
        rule.told = told.unwrap_or(rule.told);
        if let Some(paused) = paused {
            rule.status = if paused { RuleStatus::Paused } else { RuleStatus::Active };
        }
        self.check(&rule)?;
        let counts = |rule: &Rule| {
            let Rule { question, threshold, window, per, rights, status, .. } = rule.clone();
            (question, threshold, window, per, rights.logs, status)
        };
        let anew = counts(&before) != counts(&rule);
        let (old, new) = (told_of(&before), told_of(&rule));
        let metadata = if old == new { new } else { json!({ "before": old, "after": new }) };
        let told = ingest::Told { action: management::RULE_UPDATED, resource: resource(&rule), metadata };
        self.change(principal, scope, RuleChange::Replace { rule: Box::new(rule), anew }, told).await?;
        Ok(self.known(principal, organization, id).await?.1)
    }

    /// Deletes a rule: it fires no more, and what has not arrived of its alerts is not sent.
    ///
    /// # Errors
    /// As [`Self::list`], and `NOT_FOUND` where there is no such rule.
    pub async fn delete(&self, principal: &Arc<Principal>, organization: Option<&str>, id: &str) -> Result<Watched> {
        let (scope, known) = self.known(principal, organization, id).await?;
        let (action, metadata) = (management::RULE_DELETED, told_of(&known.rule));
        let told = ingest::Told { action, resource: resource(&known.rule), metadata };
        self.change(principal, scope, RuleChange::Delete { id: id.to_owned() }, told).await?;
        Ok(known)
    }

    async fn question(&self, principal: &Arc<Principal>, scope: &ManageScope, question: Question) -> Result<String> {
        Box::pin(checked(&self.reader, principal, scope, question)).await.map_err(|error| error.under("question"))
    }

    async fn change(
        &self,
        principal: &Principal,
        scope: ManageScope,
        change: RuleChange,
        told: ingest::Told,
    ) -> Result<()> {
        ingest::change(&self.writer, principal, scope, Change::Rule(change), told, self.clock.now()).await?;
        self.changed.notify_one();
        Ok(())
    }

    async fn known(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        id: &str,
    ) -> Result<(ManageScope, Watched)> {
        let scope = policy::may_administer(principal, organization, Feature::Rules)?;
        let found = self.store.rules(&scope).await?.into_iter().find(|known| known.rule.id == id);
        Ok((scope, found.ok_or_else(|| Error::not_found("rule"))?))
    }

    /// Checks what a rule says apart from its question. Whether its endpoint can be told, the store says.
    fn check(&self, rule: &Rule) -> Result<()> {
        let Rule { label, threshold, window, per, told, .. } = rule;
        check_label(label)?;
        if !(1..=THRESHOLD).contains(threshold) {
            return Err(Error::bad_input("threshold", format!("must be from 1 to {THRESHOLD}, got {threshold}")));
        }
        if !(1..=WINDOW).contains(window) {
            return Err(Error::bad_input("windowSeconds", format!("must be from 1 to {WINDOW}, got {window}")));
        }
        if *threshold == 1 && *per != Per::Rule {
            return Err(Error::bad_input("per", "must be NONE where the threshold is 1: each event fires"));
        }
        let Told::Emails(addresses) = told else { return Ok(()) };
        if addresses.is_empty() || addresses.len() > ADDRESSES {
            let rule = format!("must be from 1 to {ADDRESSES} addresses, got {}", addresses.len());
            return Err(Error::bad_input("target.emails", rule));
        }
        for (at, address) in addresses.iter().enumerate() {
            let field = format!("target.emails[{at}]");
            if address.len() > ADDRESS_BYTES || !is_address(address) {
                return Err(Error::bad_input(field, "must be an e-mail address, such as security@example.com"));
            }
            if addresses[..at].contains(address) {
                return Err(Error::bad_input(field, "must be there once"));
            }
        }
        if !self.has_mail {
            let rule = "must be absent: this service sends no mail, since LEDGERLINE_SMTP_URL is not set";
            return Err(Error::bad_input("target.emails", rule));
        }
        Ok(())
    }
}

/// What a rule may count: what whoever makes it may read. Staff need no role; a rule of theirs has those that would do.
fn rights_of(principal: &Principal, scope: &ManageScope) -> Rights {
    let mut rights = rights(principal, scope);
    if principal.is_staff() {
        rights.roles.extend(scope.management().roles.iter().cloned());
    }
    rights
}

/// Which events a rule counts, as far as it says so.
#[must_use]
pub fn question_of(rule: &Rule) -> Value {
    serde_json::from_str(&rule.question).unwrap_or_default()
}

fn told_of(rule: &Rule) -> Value {
    let target = match &rule.told {
        Told::Endpoint(id) => json!({ "endpoint": id }),
        Told::Emails(addresses) => json!({ "emails": addresses }),
    };
    json!({
        "label": rule.label,
        "question": question_of(rule),
        "threshold": rule.threshold,
        "windowSeconds": rule.window,
        "per": per_name(rule.per),
        "target": target,
        "status": match rule.status {
            RuleStatus::Active => "ACTIVE",
            RuleStatus::Paused => "PAUSED",
        },
    })
}
