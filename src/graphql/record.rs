//! Recording events and deleting logs; the other mutations are in files of their own.

pub(super) mod input;

use async_graphql::{Context, Enum, ID, InputType, Object, Pos, SimpleObject, Value};
use input::{DeleteAuditLogInput, RecordAuditEventInput, RecordAuditEventsInput, sent};

use super::alerts::{
    self, AlertRuleInput, CreateAlertRuleInput, CreateAlertRulePayload, DeleteAlertRulePayload, UpdateAlertRuleInput,
    UpdateAlertRulePayload,
};
use super::endpoints::{
    self, CreateEndpointInput, CreateEndpointPayload, DeleteEndpointPayload, EndpointInput, ReplayEndpointInput,
    ReplayEndpointPayload, RotateEndpointSecretInput, RotateEndpointSecretPayload, TestEndpointPayload,
    UpdateEndpointInput, UpdateEndpointPayload,
};
use super::erasures::{
    self, CancelAuditErasureInput, CancelAuditErasurePayload, EraseFromAuditLogInput, EraseFromAuditLogPayload,
};
use super::{
    Services, count_events,
    enums::ErrorCode,
    error::to_graphql,
    event::{AuditEvent, AuditLog},
    exports::{self, CreateAuditExportInput, CreateAuditExportPayload},
    organizations::{self, OrganizationEndInput, OrganizationEndPayload},
    plans::{self, SetOrganizationPlanInput, SetOrganizationPlanPayload},
    principal,
    retention::{
        self, LiftAuditHoldInput, LiftAuditHoldPayload, PlaceAuditHoldInput, PlaceAuditHoldPayload,
        SetAuditRetentionInput, SetAuditRetentionPayload,
    },
    scalars::BigInt,
    services,
    tokens::{self, CreateAuditTokenInput, CreateAuditTokenPayload, RevokeAuditTokenInput, RevokeAuditTokenPayload},
    variables,
    views::{
        self, CreateSavedViewInput, CreateSavedViewPayload, DeleteSavedViewPayload, SavedViewInput,
        UpdateSavedViewInput, UpdateSavedViewPayload,
    },
};
use crate::{
    error::{Error, Result},
    ingest::{self, Answered, Batch, Deletion, Sent},
    reading::shown::{Log, Shown},
    store::{Deleted, Recorded},
};

/// An event as it came in JSON, with the names of `RecordAuditEventInput`: whatever it came over, a number that JSON
/// would change, half of a surrogate pair or a field that is none mean the same.
#[must_use]
pub fn event_of(mut value: Value) -> Sent {
    // A value that is no object at all is a fault of the event, too.
    if !matches!(value, Value::Object(_)) {
        return Sent { organization: None, event: Err(Error::bad_input("", "must be an object")) };
    }
    let settled = variables::settle_event(&mut value);
    let read = settled.and_then(|()| {
        let read = RecordAuditEventInput::parse(Some(value));
        read.map_err(|error| Error::bad_input("", error.into_server_error(Pos::default()).message))
    });
    match read {
        Ok(input) => sent(input),
        Err(error) => Sent { organization: None, event: Err(error) },
    }
}

/// Whether an event is new.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum RecordStatus {
    /// It was recorded now.
    Recorded,
    /// The same idempotency key and content was recorded before; that event is answered.
    AlreadyRecorded,
}

/// The recorded event.
#[derive(SimpleObject)]
pub struct RecordAuditEventPayload {
    /// Whether it is new.
    status: RecordStatus,
    /// The event. It is durable.
    event: AuditEvent,
    /// Its place in the organization's order of recording.
    sequence: BigInt,
    /// Paths of what is not recorded as it was sent, as in `AuditEvent.truncated`.
    truncated: Vec<String>,
    /// Paths of what the product masks, as in `AuditEvent.masked`.
    masked: Vec<String>,
}

/// What became of many events.
#[derive(SimpleObject)]
pub struct RecordAuditEventsPayload {
    /// A result per event, in the order of the request.
    results: Vec<RecordResult>,
    /// How many were recorded now.
    recorded: i32,
    /// How many were recorded before.
    already_recorded: i32,
    /// How many were refused.
    refused: i32,
}

/// What became of one event.
#[derive(SimpleObject)]
pub struct RecordResult {
    /// Its place in the request, from 0.
    index: i32,
    /// The organization that it names, else the token's; null where neither does.
    organization: Option<ID>,
    /// Whether it is new; null where it was refused.
    status: Option<RecordStatus>,
    /// Its event's id.
    event_id: Option<ID>,
    /// Its place in the organization's order of recording.
    sequence: Option<BigInt>,
    /// Paths of what is not recorded as it was sent, as in `AuditEvent.truncated`.
    truncated: Vec<String>,
    /// Paths of what the product masks, as in `AuditEvent.masked`.
    masked: Vec<String>,
    /// Why it was refused.
    error: Option<RecordError>,
}

/// Why an event was refused.
#[derive(SimpleObject)]
pub struct RecordError {
    /// What kind of refusal it is.
    code: ErrorCode,
    /// Why it was refused, in a sentence for people.
    message: String,
    /// The field that breaks a rule.
    field: Option<String>,
    /// The rule that it breaks.
    rule: Option<String>,
    /// The nearest names that would have been accepted.
    suggestions: Vec<String>,
    /// Id of the event that the idempotency key was used for.
    existing: Option<ID>,
}

/// The deleted log.
#[derive(SimpleObject)]
pub struct DeleteAuditLogPayload {
    /// The log, which says when it was deleted.
    log: AuditLog,
    /// The event that tells of it.
    event: Option<AuditEvent>,
}

/// Changes: recording, deleting logs, and managing who may read. There is no way to change or delete an event.
#[derive(Default)]
pub struct Mutation;

/// Changes: recording, deleting logs, and managing who may read. There is no way to change or delete an event.
#[Object]
impl Mutation {
    /// Records one event. Needs the scope `audit:record`; never depends on the plan. The answer means that the event
    /// is durable.
    async fn record_audit_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event to record.")] input: RecordAuditEventInput,
    ) -> async_graphql::Result<Option<RecordAuditEventPayload>> {
        record_one(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Records up to 1,000 events, each for itself or all or none. Needs the scope `audit:record`. Whatever is wrong
    /// inside one event of the variables is that event's result. A token that names no organization may record in several
    /// of its product by one request.
    async fn record_audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The events to record.")] input: RecordAuditEventsInput,
    ) -> async_graphql::Result<Option<RecordAuditEventsPayload>> {
        record_many(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Asks for an export: the events of a list, as it is now, as a file that is made beside. Needs the scope
    /// `audit:export` or `audit:manage`, and what else reading the list needs. At most 10 exports of an organization may
    /// be unfinished at a time.
    async fn create_audit_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The export to make.")] input: CreateAuditExportInput,
    ) -> async_graphql::Result<Option<CreateAuditExportPayload>> {
        Box::pin(exports::create(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Deletes a nested log, with those below it. What its events look like afterwards is the level's `onDelete`;
    /// no event is ever deleted. Needs the scope `audit:manage`.
    async fn delete_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The log, and an event that tells of it.")] input: DeleteAuditLogInput,
    ) -> async_graphql::Result<Option<DeleteAuditLogPayload>> {
        delete_log(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Makes an endpoint, which is sent events as they are recorded, and records that in the organization's log. Needs the
    /// scope `audit:manage`, what reading takes, and what else the product's `[management]` asks.
    async fn create_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint to make.")] input: CreateEndpointInput,
    ) -> async_graphql::Result<Option<CreateEndpointPayload>> {
        Box::pin(endpoints::create(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Changes, pauses or activates an endpoint, and records that in the organization's log. Needs what `createEndpoint`
    /// needs.
    async fn update_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateEndpointInput,
    ) -> async_graphql::Result<Option<UpdateEndpointPayload>> {
        Box::pin(endpoints::update(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Deletes an endpoint, and records that in the organization's log. Needs what `createEndpoint` needs.
    async fn delete_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint to delete.")] input: EndpointInput,
    ) -> async_graphql::Result<Option<DeleteEndpointPayload>> {
        Box::pin(endpoints::delete(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Draws a new secret for an endpoint, and records that in the organization's log. Needs what `createEndpoint` needs.
    async fn rotate_endpoint_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint whose secret is changed.")] input: RotateEndpointSecretInput,
    ) -> async_graphql::Result<Option<RotateEndpointSecretPayload>> {
        Box::pin(endpoints::rotate(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Sends an endpoint a test, and says what came of it. Needs what `createEndpoint` needs.
    async fn test_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint to test.")] input: EndpointInput,
    ) -> async_graphql::Result<Option<TestEndpointPayload>> {
        Box::pin(endpoints::test(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Sends an endpoint events once more, with the ids that they had, and records that in the organization's log. Needs
    /// what `createEndpoint` needs.
    async fn replay_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to send.")] input: ReplayEndpointInput,
    ) -> async_graphql::Result<Option<ReplayEndpointPayload>> {
        Box::pin(endpoints::replay(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Sets the plan of an organization, for tokens that carry none, and records that in the organization's log. A token's own
    /// plan counts before it. Other processes know it within 5 seconds. Needs the scope `audit:manage` and a token of a backend, which is
    /// for no organization in particular.
    async fn set_organization_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization and its plan.")] input: SetOrganizationPlanInput,
    ) -> async_graphql::Result<Option<SetOrganizationPlanPayload>> {
        plans::set(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Sets for how long events are kept, and records that in the organization's log. Nothing is kept shorter than the
    /// product's floor. Needs the scope `audit:manage`, a token that is not narrowed to logs, and what else the product's
    /// `[management]` asks.
    async fn set_audit_retention(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For how long.")] input: SetAuditRetentionInput,
    ) -> async_graphql::Result<Option<SetAuditRetentionPayload>> {
        Box::pin(retention::set(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Keeps events in the log, however old they get, and records that in the organization's log. From the answer on,
    /// none of them leaves until the hold is lifted. Needs what `setAuditRetention` needs.
    async fn place_audit_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hold to place.")] input: PlaceAuditHoldInput,
    ) -> async_graphql::Result<Option<PlaceAuditHoldPayload>> {
        Box::pin(retention::place(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Lifts a hold, and records that in the organization's log: what it kept leaves when it is old enough. Needs what
    /// `setAuditRetention` needs.
    async fn lift_audit_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hold to lift.")] input: LiftAuditHoldInput,
    ) -> async_graphql::Result<Option<LiftAuditHoldPayload>> {
        retention::lift(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Asks for the end of an organization: all events leave, with everything that there is of it, and what stays is a
    /// certificate. Nothing ends before another administrator has confirmed it (`confirmOrganizationDeletion`) and the
    /// product's delay has passed; until then recording and reading go on, and the log tells of it. `HELD` while a hold is
    /// there. Needs the scope `audit:manage`, a token that is not narrowed to logs, and the feature `organization_end` in
    /// the product's `[management]`.
    async fn delete_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] input: OrganizationEndInput,
    ) -> async_graphql::Result<Option<OrganizationEndPayload>> {
        Box::pin(organizations::request(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Confirms the end of an organization that somebody else has asked for. It begins after the product's delay, unless it
    /// is cancelled or a hold is there by then. `HELD` while a hold is there. Needs what `deleteOrganization` needs.
    async fn confirm_organization_deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] input: OrganizationEndInput,
    ) -> async_graphql::Result<Option<OrganizationEndPayload>> {
        Box::pin(organizations::confirm(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Cancels the end of an organization, until it begins. Whoever may ask for it may cancel it. Needs what
    /// `deleteOrganization` needs.
    async fn cancel_organization_deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] input: OrganizationEndInput,
    ) -> async_graphql::Result<Option<OrganizationEndPayload>> {
        Box::pin(organizations::cancel(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Erases a person from the events of an organization, for good, and records that in its log, without saying who it was.
    /// Of their events, who acted and for whom, address, user agent and metadata go, and resources that name them; what was
    /// done, when, where and how it ended stays, and `AuditEvent.erased` tells what went. It runs from the answer on:
    /// `auditErasure` tells how far it is. `HELD` where a hold keeps one of the events. Needs the scope `audit:manage`, a
    /// token that is not narrowed to logs, and what else the product's `[management]` asks.
    async fn erase_from_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is to be erased.")] input: EraseFromAuditLogInput,
    ) -> async_graphql::Result<Option<EraseFromAuditLogPayload>> {
        Box::pin(erasures::erase(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Gives an unfinished erasure up, forgets who it was, and records that in the organization's log. What it has erased
    /// stays erased. Needs what `eraseFromAuditLog` needs.
    async fn cancel_audit_erasure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The erasure to give up.")] input: CancelAuditErasureInput,
    ) -> async_graphql::Result<Option<CancelAuditErasurePayload>> {
        erasures::cancel(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Makes a rule, which raises an alert where enough events are recorded within a window, and records that in the
    /// organization's log. Needs the scope `audit:manage`, what reading takes, and what else the product's `[management]`
    /// asks.
    async fn create_alert_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rule to make.")] input: CreateAlertRuleInput,
    ) -> async_graphql::Result<Option<CreateAlertRulePayload>> {
        Box::pin(alerts::create(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Changes or pauses a rule, or lets it go on, and records that in the organization's log. Needs what
    /// `createAlertRule` needs.
    async fn update_alert_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateAlertRuleInput,
    ) -> async_graphql::Result<Option<UpdateAlertRulePayload>> {
        Box::pin(alerts::update(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Deletes a rule, and records that in the organization's log. Needs what `createAlertRule` needs.
    async fn delete_alert_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rule to delete.")] input: AlertRuleInput,
    ) -> async_graphql::Result<Option<DeleteAlertRulePayload>> {
        Box::pin(alerts::delete(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Saves a view of the log under a name, and records that in the organization's log, which tells of a private view
    /// neither name nor question. Somebody has at most 100 private views in an organization, and an organization shares at
    /// most 100. Needs what `auditSavedViews` needs; a shared one needs what its input says.
    async fn create_saved_view(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The view to save.")] input: CreateSavedViewInput,
    ) -> async_graphql::Result<Option<CreateSavedViewPayload>> {
        views::create(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Changes a saved view, shares it or keeps it private again, and records that in the organization's log. A private view
    /// is changed by its owner, a shared one by whoever may share views.
    async fn update_saved_view(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateSavedViewInput,
    ) -> async_graphql::Result<Option<UpdateSavedViewPayload>> {
        views::update(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Deletes a saved view, and records that in the organization's log. Its owner may, and of a shared one whoever may share
    /// views.
    async fn delete_saved_view(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The view to delete.")] input: SavedViewInput,
    ) -> async_graphql::Result<Option<DeleteSavedViewPayload>> {
        views::delete(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Makes a token for a partner or for a page, with no more power than the token that asks, and records that in the
    /// organization's log. Needs the scope `audit:manage` and what else the product's `[management]` asks.
    async fn create_audit_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to make.")] input: CreateAuditTokenInput,
    ) -> async_graphql::Result<Option<CreateAuditTokenPayload>> {
        Box::pin(tokens::create(ctx, input)).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }

    /// Revokes a token, and records that in the organization's log. Every process of the service refuses it within a
    /// minute. Needs what `createAuditToken` needs.
    async fn revoke_audit_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to revoke.")] input: RevokeAuditTokenInput,
    ) -> async_graphql::Result<Option<RevokeAuditTokenPayload>> {
        tokens::revoke(ctx, input).await.map(Some).map_err(|error| to_graphql(ctx, error))
    }
}

async fn record_one(ctx: &Context<'_>, input: RecordAuditEventInput) -> Result<RecordAuditEventPayload> {
    let (Services { writer, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    count_events(ctx, "input", 1)?;
    let recorded = ingest::record_one(writer, principal, sent(input), clock.now()).await;
    let recorded = recorded.map_err(|error| error.under("input"))?;
    Ok(RecordAuditEventPayload {
        status: status(&recorded),
        sequence: BigInt(recorded.event.sequence),
        truncated: recorded.event.truncated.clone(),
        masked: recorded.event.masked.clone(),
        event: AuditEvent(Shown::recorded(recorded, &principal.product)),
    })
}

async fn record_many(ctx: &Context<'_>, input: RecordAuditEventsInput) -> Result<RecordAuditEventsPayload> {
    let (Services { writer, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    count_events(ctx, "input.events", input.events.len())?;
    let (atomic, strict) = (input.atomic.unwrap_or(false), input.strict.unwrap_or(false));
    let events = input.events.into_iter().map(sent).collect();
    let batch = Batch { events, correlation_id: input.correlation_id, atomic, strict };
    let results = ingest::record_many(writer, principal, batch, clock.now()).await;
    let results = results.map_err(|error| error.under("input"))?;
    let results: Vec<_> = results.into_iter().enumerate().map(|(index, answered)| show(index, answered)).collect();
    let count = |wanted: Option<RecordStatus>| {
        let results = results.iter().filter(|result| result.status == wanted);
        i32::try_from(results.count()).unwrap_or(i32::MAX)
    };
    Ok(RecordAuditEventsPayload {
        recorded: count(Some(RecordStatus::Recorded)),
        already_recorded: count(Some(RecordStatus::AlreadyRecorded)),
        refused: count(None),
        results,
    })
}

async fn delete_log(ctx: &Context<'_>, input: DeleteAuditLogInput) -> Result<DeleteAuditLogPayload> {
    let (Services { writer, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    count_events(ctx, "input.event", usize::from(input.event.is_some()))?;
    let organization = input.organization.as_deref().map(String::as_str);
    let deletion = Deletion::of(principal, organization, input.log.into())?;
    let deleted = deletion.carry_out(writer, input.event.map(sent), clock.now()).await;
    let Deleted { log_no, dictionary, event } = deleted.map_err(|error| error.under("input"))?;
    let log = Log::numbered(&dictionary, log_no).expect("a deleted log is among those of its organization");
    let event = event.map(|recorded| AuditEvent(Shown::recorded(*recorded, &principal.product)));
    Ok(DeleteAuditLogPayload { log: AuditLog(log), event })
}

fn status(recorded: &Recorded) -> RecordStatus {
    if recorded.already { RecordStatus::AlreadyRecorded } else { RecordStatus::Recorded }
}

fn show(index: usize, Answered { organization, result }: Answered) -> RecordResult {
    let index = i32::try_from(index).unwrap_or(i32::MAX);
    let organization = organization.map(ID);
    match result {
        Ok(recorded) => RecordResult {
            index,
            organization,
            status: Some(status(&recorded)),
            event_id: Some(ID(recorded.event.id().to_string())),
            sequence: Some(BigInt(recorded.event.sequence)),
            truncated: recorded.event.said.truncated,
            masked: recorded.event.said.masked,
            error: None,
        },
        Err(error) => RecordResult {
            index,
            organization,
            status: None,
            event_id: None,
            sequence: None,
            truncated: Vec::new(),
            masked: Vec::new(),
            error: Some(refusal(error)),
        },
    }
}

fn refusal(error: Error) -> RecordError {
    let (code, message) = (error.code(), error.to_string());
    let (field, rule, suggestions, existing) = match error {
        Error::BadInput { field, rule, suggestions, .. } => (Some(field), Some(rule), suggestions, None),
        Error::Conflict { existing, .. } => (Some("idempotencyKey".to_owned()), None, Vec::new(), existing.map(ID)),
        _ => (None, None, Vec::new(), None),
    };
    RecordError { code: code.into(), message, field, rule, suggestions, existing }
}
