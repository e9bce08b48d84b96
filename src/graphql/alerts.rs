//! Rules that raise alerts.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, OneofObject, SimpleObject};

use super::{
    error::to_graphql,
    event::AuditEvent,
    filter::{AuditEventFilter, AuditLogInput, Typed, filter},
    principal,
    scalars::{BigInt, DateTime, Json, int},
    services,
};
use crate::{
    delivery::{
        alerts::rules::{Changes, Wanted, question_of},
        endpoint::Question,
    },
    error::Result,
    store::control::alerts::{Per, RuleStatus, Told, Watched},
};

/// Which events a rule counts together.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "AuditAlertPer", remote = "Per")]
pub enum AlertPer {
    /// All that it asks for.
    #[graphql(name = "NONE")]
    Rule,
    /// Those of one actor: told apart by kind and id, else e-mail address, else name. An event without any is not
    /// counted.
    Actor,
    /// Those from one IP address. An event without one is not counted.
    IpAddress,
}

/// Whether a rule counts.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "AuditAlertRuleStatus", remote = "RuleStatus")]
pub enum Status {
    /// It does.
    Active,
    /// Somebody paused it.
    Paused,
}

/// A rule: where enough events are recorded within a window, it fires. That is recorded as `audit_log.alert_fired` in the
/// organization's log, and an endpoint or some addresses are told.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AuditAlertRule {
    /// Id, `rule_` and 22 characters.
    id: ID,
    /// What people call it.
    label: String,
    /// Which events it counts: log, filter and search.
    question: Json,
    /// How many of them fire.
    threshold: i32,
    /// Within how many seconds. For so long after it has fired, the rule counts nothing. Means nothing where the threshold
    /// is 1.
    window_seconds: i32,
    /// Which events are counted together.
    per: AlertPer,
    /// Id of the endpoint that is told; null where addresses are.
    endpoint_id: Option<ID>,
    /// Addresses that are written to.
    emails: Vec<String>,
    /// Whether it counts.
    status: Status,
    /// Why it does not count, where it does not: why its maker may no longer read.
    trouble: Option<String>,
    /// How often it has fired.
    firings: BigInt,
    /// When it last fired.
    last_fired_at: Option<DateTime>,
    /// Messages of its alerts that have not arrived yet.
    waiting_messages: i32,
    /// When a message of it last arrived.
    last_sent_at: Option<DateTime>,
    /// Why the last message that was tried did not arrive; null since one has.
    send_trouble: Option<String>,
    /// When it was made.
    created_at: DateTime,
    /// Subject of the token of its maker.
    created_by: String,
    #[graphql(skip)]
    fired: Option<i64>,
    #[graphql(skip)]
    organization: Option<String>,
}

#[ComplexObject]
impl AuditAlertRule {
    /// The event that tells of its last firing. Its metadata names the events that were counted.
    #[graphql(complexity = "20 * child_complexity")]
    async fn last_firing(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AuditEvent>> {
        let Some(sequence) = self.fired else { return Ok(None) };
        let event = async || {
            let principal = principal(ctx)?;
            Box::pin(services(ctx).rules.firing(principal, self.organization.as_deref(), sequence)).await
        };
        event().await.map(|event| Some(AuditEvent(event))).map_err(|error| to_graphql(ctx, error))
    }
}

impl AuditAlertRule {
    fn of(watched: Watched, organization: Option<String>) -> Self {
        let Watched { rule, watch, waiting } = watched;
        let question = serde_json::from_value(question_of(&rule)).unwrap_or_default();
        let (endpoint_id, emails) = match rule.told {
            Told::Endpoint(id) => (Some(id.into()), Vec::new()),
            Told::Emails(addresses) => (None, addresses),
        };
        Self {
            id: rule.id.into(),
            label: rule.label,
            question: Json(question),
            threshold: int(rule.threshold),
            window_seconds: int(rule.window),
            per: rule.per.into(),
            endpoint_id,
            emails,
            status: rule.status.into(),
            trouble: watch.trouble,
            firings: BigInt(watch.firings),
            last_fired_at: watch.fired_at.map(Into::into),
            waiting_messages: int(waiting),
            last_sent_at: watch.sent_at.map(Into::into),
            send_trouble: watch.unsent,
            created_at: rule.created_at.into(),
            created_by: rule.created_by,
            fired: watch.fired_sequence,
            organization,
        }
    }
}

/// Which events a rule counts.
#[derive(InputObject)]
pub struct AuditAlertQuestionInput {
    /// The log; the organization's own where absent.
    log: Option<AuditLogInput>,
    /// Whether events of logs nested in it are counted too; the level's setting where absent.
    include_nested: Option<bool>,
    /// Which events to count, without `period`.
    filter: Option<AuditEventFilter>,
    /// Words that must all occur in an event, as in `auditEvents`.
    search: Option<String>,
    /// A query, as in `auditEvents`.
    query: Option<String>,
    /// IANA name of the zone that days and times of `query` are of; UTC where absent.
    query_time_zone: Option<String>,
}

impl From<AuditAlertQuestionInput> for Question {
    fn from(input: AuditAlertQuestionInput) -> Self {
        Self {
            log: input.log.map(Into::into),
            include_nested: input.include_nested,
            filter: filter(
                input.filter,
                Typed { search: input.search, query: input.query, query_time_zone: input.query_time_zone },
            ),
        }
    }
}

/// Who is told: one of these.
#[derive(OneofObject)]
pub enum AlertTargetInput {
    /// Id of an endpoint of the organization. It is sent the event that tells of the firing, whatever its own filter is.
    Endpoint(ID),
    /// Up to 10 e-mail addresses. Refused where the service has no server for mail.
    Emails(Vec<String>),
}

impl From<AlertTargetInput> for Told {
    fn from(target: AlertTargetInput) -> Self {
        match target {
            AlertTargetInput::Endpoint(id) => Self::Endpoint(id.0),
            AlertTargetInput::Emails(addresses) => Self::Emails(addresses),
        }
    }
}

/// A rule to make.
#[derive(InputObject)]
pub struct CreateAlertRuleInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// What people call it: at most 256 bytes.
    label: String,
    /// Which events it counts; all that its maker may read where absent.
    question: Option<AuditAlertQuestionInput>,
    /// How many of them fire, from 1 to 1,000. A rule with 1 fires for each event; those of one moment are told together.
    #[graphql(default = 1)]
    threshold: i32,
    /// Within how many seconds, from 1 to 86,400.
    #[graphql(default = 60)]
    window_seconds: i32,
    /// Which events are counted together. Only `NONE` goes with a threshold of 1.
    #[graphql(default_with = "AlertPer::Rule")]
    per: AlertPer,
    /// Who is told.
    target: AlertTargetInput,
}

/// A rule that was made.
#[derive(SimpleObject)]
pub struct CreateAlertRulePayload {
    /// The rule. It counts what is recorded from now on.
    rule: AuditAlertRule,
}

/// What is to change of a rule; what is absent stays.
#[derive(InputObject)]
pub struct UpdateAlertRuleInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The rule's id.
    id: ID,
    /// What people call it: at most 256 bytes.
    label: Option<String>,
    /// Which events it counts.
    question: Option<AuditAlertQuestionInput>,
    /// How many of them fire, from 1 to 1,000.
    threshold: Option<i32>,
    /// Within how many seconds, from 1 to 86,400.
    window_seconds: Option<i32>,
    /// Which events are counted together.
    per: Option<AlertPer>,
    /// Who is told. What has not arrived at anybody else is not sent.
    target: Option<AlertTargetInput>,
    /// Whether it is paused. What is recorded meanwhile is not counted.
    paused: Option<bool>,
}

/// A rule that was changed.
#[derive(SimpleObject)]
pub struct UpdateAlertRulePayload {
    /// The rule. Where what it counts was changed, or it was paused or goes on, it counts anew from now on.
    rule: AuditAlertRule,
}

/// A rule by its id.
#[derive(InputObject)]
pub struct AlertRuleInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The rule's id.
    id: ID,
}

/// A rule that was deleted.
#[derive(SimpleObject)]
pub struct DeleteAlertRulePayload {
    /// The rule as it was. It fires no more, and what has not arrived of its alerts is not sent.
    rule: AuditAlertRule,
}

fn named(organization: Option<&ID>) -> Option<&str> {
    organization.map(|id| id.as_str())
}

pub(super) async fn list(ctx: &Context<'_>, organization: Option<ID>) -> Result<Vec<AuditAlertRule>> {
    let found = services(ctx).rules.list(principal(ctx)?, named(organization.as_ref())).await?;
    let organization = organization.map(|id| id.0);
    Ok(found.into_iter().map(|watched| AuditAlertRule::of(watched, organization.clone())).collect())
}

pub(super) async fn create(ctx: &Context<'_>, input: CreateAlertRuleInput) -> Result<CreateAlertRulePayload> {
    let CreateAlertRuleInput { organization, label, question, threshold, window_seconds, per, target } = input;
    let wanted = Wanted {
        label,
        question: question.map(Into::into).unwrap_or_default(),
        threshold: threshold.into(),
        window: window_seconds.into(),
        per: per.into(),
        told: target.into(),
    };
    let made = services(ctx).rules.create(principal(ctx)?, named(organization.as_ref()), wanted).await;
    let watched = made.map_err(|error| error.under("input"))?;
    Ok(CreateAlertRulePayload { rule: AuditAlertRule::of(watched, organization.map(|id| id.0)) })
}

pub(super) async fn update(ctx: &Context<'_>, input: UpdateAlertRuleInput) -> Result<UpdateAlertRulePayload> {
    let UpdateAlertRuleInput { organization, id, label, question, threshold, window_seconds, per, target, paused } =
        input;
    let changes = Changes {
        label,
        question: question.map(Into::into),
        threshold: threshold.map(Into::into),
        window: window_seconds.map(Into::into),
        per: per.map(Into::into),
        told: target.map(Into::into),
        paused,
    };
    let changed = services(ctx).rules.update(principal(ctx)?, named(organization.as_ref()), &id, changes).await;
    let watched = changed.map_err(|error| error.under("input"))?;
    Ok(UpdateAlertRulePayload { rule: AuditAlertRule::of(watched, organization.map(|id| id.0)) })
}

pub(super) async fn delete(ctx: &Context<'_>, input: AlertRuleInput) -> Result<DeleteAlertRulePayload> {
    let AlertRuleInput { organization, id } = input;
    let deleted = services(ctx).rules.delete(principal(ctx)?, named(organization.as_ref()), &id).await?;
    Ok(DeleteAlertRulePayload { rule: AuditAlertRule::of(deleted, organization.map(|id| id.0)) })
}
