//! Endpoints: where events of an organization are sent to as they are recorded.

mod target;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, InputType, InputValueError, Request, SimpleObject, Variables,
};

use target::AuditEndpointTargetInput;

use super::{
    error::to_graphql,
    filter::{AuditEventFilter, AuditLogInput, Typed, filter},
    principal,
    scalars::{BigInt, DateTime, Json, int},
    services,
};
use crate::{
    delivery::{
        endpoint::{Again, Changes, Managed, Question, Wanted},
        sinks::Target,
    },
    error::Result,
    store::control::endpoints::{self, EndpointKind, EndpointStatus, Progress, Purpose},
};

/// What an endpoint is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "AuditEndpointKind", remote = "EndpointKind")]
pub enum Kind {
    /// HTTPS by Standard Webhooks.
    Webhook,
    /// The HTTP event collector of Splunk.
    SplunkHec,
    /// Syslog by RFC 5424, over TCP or TLS.
    Syslog,
    /// Files in an S3 bucket.
    S3,
    /// OpenTelemetry logs by OTLP over HTTP.
    Otlp,
}

/// Whether an endpoint is sent to.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "AuditEndpointStatus", remote = "EndpointStatus")]
pub enum Status {
    /// It is.
    Active,
    /// Somebody paused it. It keeps its place.
    Paused,
    /// The receiver answered 410 Gone. Activate it to try again.
    Gone,
}

/// What a try was for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "AuditEndpointPurpose", remote = "Purpose")]
pub enum AttemptPurpose {
    /// New events.
    Delivery,
    /// A test.
    Test,
    /// Events that were asked for once more.
    Replay,
}

/// Where events of an organization are sent to, in the order of recording, each at least once.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AuditEndpoint {
    /// Id, `ep_` and 22 characters.
    id: ID,
    /// What people call it.
    label: String,
    /// What it is.
    kind: Kind,
    /// Where it is.
    url: String,
    /// Settings of its kind, without what is secret: of headers, their names.
    settings: Json,
    /// Which events it gets: log, filter and search.
    question: Json,
    /// Whether it is sent to.
    status: Status,
    /// Why nothing gets through, where nothing does: what the receiver said, or why its maker may no longer read.
    trouble: Option<String>,
    /// Since when tries have failed, one after the other.
    failing_since: Option<DateTime>,
    /// Tries that have failed, one after the other.
    failures: i32,
    /// When it is tried next; null where nothing stands in the way.
    next_attempt_at: Option<DateTime>,
    /// When it last took something.
    succeeded_at: Option<DateTime>,
    /// Place in the organization's order of recording: events before it were given to the receiver, put aside, or are
    /// none for it. It is written down about once a second.
    next_sequence: BigInt,
    /// What it is being sent once more; null where nothing is.
    replay: Option<AuditEndpointReplay>,
    /// When it was made.
    created_at: DateTime,
    /// Subject of the token of its maker.
    created_by: String,
    #[graphql(skip)]
    organization: Option<String>,
}

#[ComplexObject]
impl AuditEndpoint {
    /// The last hundred tries, the newest first.
    #[graphql(complexity = "20 * child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Vec<AuditEndpointAttempt>>> {
        let attempts = async || {
            let principal = principal(ctx)?;
            services(ctx).endpoints.attempts(principal, self.organization.as_deref(), &self.id).await
        };
        let attempts = attempts().await.map_err(|error| to_graphql(ctx, error))?;
        Ok(Some(attempts.into_iter().map(Into::into).collect()))
    }

    /// Events that the receiver would not take, the oldest hundred.
    #[graphql(complexity = "20 * child_complexity")]
    async fn dead_letters(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AuditEndpointDeadLetters>> {
        let letters = async || {
            let principal = principal(ctx)?;
            services(ctx).endpoints.dead_letters(principal, self.organization.as_deref(), &self.id).await
        };
        let (letters, count) = letters().await.map_err(|error| to_graphql(ctx, error))?;
        let nodes = letters.into_iter().map(|letter| AuditEndpointDeadLetter {
            sequence: BigInt(letter.sequence),
            at: letter.at.into(),
            reason: letter.reason,
        });
        let total_count = int(i64::try_from(count).unwrap_or(i64::MAX));
        Ok(Some(AuditEndpointDeadLetters { nodes: nodes.collect(), total_count }))
    }
}

/// Events that an endpoint is being sent once more, beside the new ones. What is refused here holds up no new events.
#[derive(SimpleObject)]
pub struct AuditEndpointReplay {
    /// Sequence of the next event.
    next_sequence: BigInt,
    /// Sequence after that of the last event; null where it is sent its dead letters.
    to_sequence: Option<BigInt>,
    /// How often in a row the next event was refused. After the fourth time it is put aside.
    refusals: i32,
    /// When it goes on; null where nothing stands in the way.
    next_attempt_at: Option<DateTime>,
}

impl AuditEndpointReplay {
    fn of(progress: &Progress) -> Option<Self> {
        let replay = progress.replay.as_ref()?;
        let waits = replay.due.0 > 0 && (replay.refusals > 0 || progress.trouble.is_some());
        Some(Self {
            next_sequence: BigInt(replay.next.max(0)),
            to_sequence: replay.end.map(BigInt),
            refusals: int(replay.refusals),
            next_attempt_at: waits.then(|| replay.due.into()),
        })
    }
}

/// A try to send events.
#[derive(SimpleObject)]
pub struct AuditEndpointAttempt {
    /// When it began.
    at: DateTime,
    /// What it was for.
    purpose: AttemptPurpose,
    /// Sequence of its first event; null of a test.
    first_sequence: Option<BigInt>,
    /// Sequence of its last event; null of a test.
    last_sequence: Option<BigInt>,
    /// Whether the receiver took it.
    succeeded: bool,
    /// Status that the receiver answered with, where it speaks HTTP.
    status: Option<i32>,
    /// How long it took, in milliseconds.
    took_ms: i32,
    /// Why it failed.
    trouble: Option<String>,
}

impl From<endpoints::Attempt> for AuditEndpointAttempt {
    fn from(attempt: endpoints::Attempt) -> Self {
        let sequence = |sequence: i64| (sequence >= 0).then_some(BigInt(sequence));
        Self {
            at: attempt.at.into(),
            purpose: attempt.purpose.into(),
            first_sequence: sequence(attempt.events.0),
            last_sequence: sequence(attempt.events.1),
            succeeded: attempt.trouble.is_none(),
            status: attempt.status.map(i32::from),
            took_ms: int(attempt.took_ms),
            trouble: attempt.trouble,
        }
    }
}

/// Events that a receiver would not take.
#[derive(SimpleObject)]
pub struct AuditEndpointDeadLetters {
    /// The oldest hundred.
    nodes: Vec<AuditEndpointDeadLetter>,
    /// How many there are.
    total_count: i32,
}

/// An event that a receiver would not take. It is in the log as ever.
#[derive(SimpleObject)]
pub struct AuditEndpointDeadLetter {
    /// The event's place in the organization's order of recording.
    sequence: BigInt,
    /// When it was put aside.
    at: DateTime,
    /// What the receiver said.
    reason: String,
}

impl AuditEndpoint {
    pub(super) fn of(managed: Managed, organization: Option<String>) -> Self {
        let Managed { endpoint, progress } = managed;
        // It is tried at once where that is the least of all times.
        let next_attempt_at = (progress.due.0 > 0).then(|| progress.due.into());
        Self {
            id: endpoint.id.into(),
            label: endpoint.label,
            kind: endpoint.kind.into(),
            url: endpoint.url,
            settings: Json(serde_json::from_str(&endpoint.settings).unwrap_or_default()),
            question: Json(serde_json::from_str(&endpoint.question).unwrap_or_default()),
            status: endpoint.status.into(),
            replay: AuditEndpointReplay::of(&progress),
            failing_since: progress.failing_since.map(Into::into),
            failures: int(progress.failures),
            next_attempt_at: next_attempt_at.filter(|_| progress.trouble.is_some()),
            trouble: progress.trouble,
            succeeded_at: progress.succeeded_at.map(Into::into),
            next_sequence: BigInt(progress.next),
            created_at: endpoint.created_at.into(),
            created_by: endpoint.created_by,
            organization,
        }
    }
}

/// Where an endpoint is to be, from JSON in the form of the schema.
///
/// # Errors
/// What is wrong with it, in words.
pub async fn target(json: serde_json::Value) -> Result<Target, String> {
    from_json::<AuditEndpointTargetInput>("target", json).await.map(Into::into)
}

/// Which events an endpoint gets, from JSON in the form of the schema.
///
/// # Errors
/// What is wrong with it, in words.
pub async fn question(json: serde_json::Value) -> Result<Question, String> {
    from_json::<AuditEndpointQuestionInput>("question", json).await.map(Into::into)
}

async fn from_json<T: InputType>(field: &str, json: serde_json::Value) -> Result<T, String> {
    // The schema says what is wrong, such as a field that it does not know, which reading would leave out. Nothing is done.
    let asked = format!(
        "mutation($value: {}) {{ updateEndpoint(input: {{ id: \"ep\", {field}: $value }}) @skip(if: true) {{ __typename }} }}",
        T::type_name()
    );
    let variables = Variables::from_json(serde_json::json!({ "value": json }));
    let checked = super::schema_builder().finish().execute(Request::new(asked).variables(variables)).await;
    if let Some(error) = checked.errors.into_iter().next() {
        return Err(error.message);
    }
    let value = async_graphql::Value::from_json(json).map_err(|error| error.to_string())?;
    let told = |error: InputValueError<T>| error.into_server_error(async_graphql::Pos::default()).message;
    T::parse(Some(value)).map_err(told)
}

/// Which events an endpoint gets.
#[derive(InputObject)]
pub struct AuditEndpointQuestionInput {
    /// The log; the organization's own where absent.
    log: Option<AuditLogInput>,
    /// Whether events of logs nested in it are sent too; the level's setting where absent.
    include_nested: Option<bool>,
    /// Which events to keep, without `period`.
    filter: Option<AuditEventFilter>,
    /// Words that must all occur in an event, as in `auditEvents`.
    search: Option<String>,
    /// A query, as in `auditEvents`.
    query: Option<String>,
    /// IANA name of the zone that days and times of `query` are of; UTC where absent.
    query_time_zone: Option<String>,
}

impl From<AuditEndpointQuestionInput> for Question {
    fn from(input: AuditEndpointQuestionInput) -> Self {
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

/// An endpoint to make.
#[derive(InputObject)]
pub struct CreateEndpointInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// What people call it: at most 256 bytes.
    label: String,
    /// Where it is.
    target: AuditEndpointTargetInput,
    /// Which events it gets; all that its maker may read where absent.
    question: Option<AuditEndpointQuestionInput>,
}

/// An endpoint that was made.
#[derive(SimpleObject)]
pub struct CreateEndpointPayload {
    /// The endpoint. It gets what is recorded from now on.
    endpoint: AuditEndpoint,
    /// The secret that messages are signed with. It is shown here once. Null for kinds whose secrets others make.
    secret: Option<String>,
}

/// What is to change of an endpoint; what is absent stays.
#[derive(InputObject)]
pub struct UpdateEndpointInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The endpoint's id.
    id: ID,
    /// What people call it: at most 256 bytes.
    label: Option<String>,
    /// Where it is; of the same kind as before.
    target: Option<AuditEndpointTargetInput>,
    /// Which events it gets.
    question: Option<AuditEndpointQuestionInput>,
    /// Whether it is paused. It keeps its place meanwhile.
    paused: Option<bool>,
}

/// An endpoint that was changed. Whatever stood in its way, it is tried at once.
#[derive(SimpleObject)]
pub struct UpdateEndpointPayload {
    /// The endpoint.
    endpoint: AuditEndpoint,
}

/// An endpoint by its id.
#[derive(InputObject)]
pub struct EndpointInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The endpoint's id.
    id: ID,
}

/// An endpoint that was deleted.
#[derive(SimpleObject)]
pub struct DeleteEndpointPayload {
    /// The endpoint as it was. Nothing more is sent to it.
    endpoint: AuditEndpoint,
}

/// An endpoint whose secret is to be changed.
#[derive(InputObject)]
pub struct RotateEndpointSecretInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The endpoint's id.
    id: ID,
    /// For how many seconds messages are signed with the old secret, too: at most 7 days.
    #[graphql(default = 86400)]
    overlap: i32,
}

/// A new secret.
#[derive(SimpleObject)]
pub struct RotateEndpointSecretPayload {
    /// The endpoint.
    endpoint: AuditEndpoint,
    /// The secret. It is shown here once.
    secret: String,
}

/// What came of a test.
#[derive(SimpleObject)]
pub struct TestEndpointPayload {
    /// The try.
    attempt: AuditEndpointAttempt,
}

/// Events to send once more: a part of the history, or what the receiver would not take.
#[derive(InputObject)]
pub struct ReplayEndpointInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The endpoint's id.
    id: ID,
    /// Sequence of the first event. Not together with `deadLetters`.
    from_sequence: Option<BigInt>,
    /// Sequence after that of the last event.
    to_sequence: Option<BigInt>,
    /// Whether what the receiver would not take is sent once more.
    dead_letters: Option<bool>,
}

/// An endpoint that is sent events once more, in their order, beside the new ones. A replay that was under way ends where
/// another one is asked for.
#[derive(SimpleObject)]
pub struct ReplayEndpointPayload {
    /// The endpoint.
    endpoint: AuditEndpoint,
}

fn named(organization: Option<&ID>) -> Option<&str> {
    organization.map(|id| id.as_str())
}

pub(super) async fn list(ctx: &Context<'_>, organization: Option<ID>) -> Result<Vec<AuditEndpoint>> {
    let found = services(ctx).endpoints.list(principal(ctx)?, named(organization.as_ref())).await?;
    let organization = organization.map(|id| id.0);
    Ok(found.into_iter().map(|managed| AuditEndpoint::of(managed, organization.clone())).collect())
}

pub(super) async fn create(ctx: &Context<'_>, input: CreateEndpointInput) -> Result<CreateEndpointPayload> {
    let CreateEndpointInput { organization, label, target, question } = input;
    let wanted = Wanted { label, target: target.into(), question: question.map(Into::into).unwrap_or_default() };
    let made = services(ctx).endpoints.create(principal(ctx)?, named(organization.as_ref()), wanted).await;
    let (managed, secret) = made.map_err(|error| error.under("input"))?;
    Ok(CreateEndpointPayload { endpoint: AuditEndpoint::of(managed, organization.map(|id| id.0)), secret })
}

pub(super) async fn update(ctx: &Context<'_>, input: UpdateEndpointInput) -> Result<UpdateEndpointPayload> {
    let UpdateEndpointInput { organization, id, label, target, question, paused } = input;
    let changes = Changes { label, target: target.map(Into::into), question: question.map(Into::into), paused };
    let changed =
        Box::pin(services(ctx).endpoints.update(principal(ctx)?, named(organization.as_ref()), &id, changes)).await;
    let managed = changed.map_err(|error| error.under("input"))?;
    Ok(UpdateEndpointPayload { endpoint: AuditEndpoint::of(managed, organization.map(|id| id.0)) })
}

pub(super) async fn delete(ctx: &Context<'_>, input: EndpointInput) -> Result<DeleteEndpointPayload> {
    let EndpointInput { organization, id } = input;
    let deleted = services(ctx).endpoints.delete(principal(ctx)?, named(organization.as_ref()), &id).await?;
    Ok(DeleteEndpointPayload { endpoint: AuditEndpoint::of(deleted, organization.map(|id| id.0)) })
}

pub(super) async fn rotate(ctx: &Context<'_>, input: RotateEndpointSecretInput) -> Result<RotateEndpointSecretPayload> {
    let RotateEndpointSecretInput { organization, id, overlap } = input;
    let (endpoints, principal) = (&services(ctx).endpoints, principal(ctx)?);
    let rotated = endpoints.rotate_secret(principal, named(organization.as_ref()), &id, overlap.into()).await;
    let (managed, secret) = rotated.map_err(|error| error.under("input"))?;
    Ok(RotateEndpointSecretPayload { endpoint: AuditEndpoint::of(managed, organization.map(|id| id.0)), secret })
}

pub(super) async fn test(ctx: &Context<'_>, input: EndpointInput) -> Result<TestEndpointPayload> {
    let EndpointInput { organization, id } = input;
    let attempt = services(ctx).endpoints.test(principal(ctx)?, named(organization.as_ref()), &id).await?;
    Ok(TestEndpointPayload { attempt: attempt.into() })
}

pub(super) async fn replay(ctx: &Context<'_>, input: ReplayEndpointInput) -> Result<ReplayEndpointPayload> {
    let ReplayEndpointInput { organization, id, from_sequence, to_sequence, dead_letters } = input;
    let again = match (from_sequence, to_sequence, dead_letters) {
        (None, None, Some(true)) => Again::DeadLetters,
        (Some(from), Some(to), None | Some(false)) => Again::Range(from.0, to.0),
        _ => {
            let rule = "must be there with toSequence, or deadLetters be true without both";
            return Err(crate::error::Error::bad_input("input.fromSequence", rule));
        }
    };
    let managed = services(ctx).endpoints.replay(principal(ctx)?, named(organization.as_ref()), &id, again).await;
    let managed = managed.map_err(|error| error.under("input"))?;
    Ok(ReplayEndpointPayload { endpoint: AuditEndpoint::of(managed, organization.map(|id| id.0)) })
}
