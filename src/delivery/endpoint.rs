//! What administrators do with endpoints: each change is told by an event in the organization's trail.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    courier,
    sinks::{self, Aimed, Target, Ways},
};
use crate::{
    auth::{LogName, ManageScope, Principal, policy},
    catalog::{Feature, management},
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
    event::{Resource, Timestamp, names::check_label},
    ingest::{self, Told, Writer},
    question::{asked::Asked, input::FilterInput},
    reading::{Reader, follow::Followed},
    store::{
        Change, Recorded, Store,
        control::{
            endpoints::{
                Attempt, DeadLetter, Endpoint, EndpointChange, EndpointKind, EndpointStatus, Progress, Secret,
            },
            tokens::Rights,
        },
    },
};

/// Most endpoints of an organization.
pub const ENDPOINTS: usize = 50;
/// Longest time that an old secret is used beside a new one, in seconds.
pub const OVERLAP: i64 = 7 * 24 * 3_600;
const SECOND: i64 = 1_000_000_000;

/// Manages endpoints.
#[derive(Clone)]
pub struct Endpoints {
    /// The door in.
    pub writer: Writer,
    /// Where endpoints are.
    pub store: Store,
    /// The door out: it says whether events can be read as an endpoint asks for them.
    pub reader: Reader,
    /// The time.
    pub clock: Clock,
    /// What ids and secrets are drawn from.
    pub chance: Chance,
    /// How addresses are reached.
    pub ways: Ways,
    /// Tells the courier of this process.
    pub changed: Arc<Notify>,
}

/// An endpoint that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What people call it.
    pub label: String,
    /// Where it is.
    pub target: Target,
    /// Which events it gets.
    pub question: Question,
}

/// Which events an endpoint gets.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The log; the organization's own where absent.
    pub log: Option<LogName>,
    /// Whether events of logs nested in it are sent too; the level's setting where absent.
    pub include_nested: Option<bool>,
    /// The filter, and the search in it.
    pub filter: FilterInput,
}

/// What is to change; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What people call it.
    pub label: Option<String>,
    /// Where it is; of the same kind as before.
    pub target: Option<Target>,
    /// Which events it gets.
    pub question: Option<Question>,
    /// Whether it is paused.
    pub paused: Option<bool>,
}

/// An endpoint as administrators see it.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// How it fares.
    pub progress: Progress,
}

/// Why an event is sent to it once more.
#[derive(Clone, Copy, Debug)]
pub enum Again {
    /// History: from a sequence, up to and without another.
    Range(i64, i64),
    /// What it would not take.
    DeadLetters,
}

impl Endpoints {
    /// The endpoints of an organization.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not manage them.
    pub async fn list(&self, principal: &Principal, organization: Option<&str>) -> Result<Vec<Managed>> {
        let scope = policy::may_administer(principal, organization, Feature::Endpoints)?;
        let found = self.store.endpoints(&scope).await?;
        Ok(found.into_iter().map(|(endpoint, progress)| Managed { endpoint, progress }).collect())
    }

    /// The last tries of an endpoint, the newest first.
    ///
    /// # Errors
    /// As [`Self::list`], and `NOT_FOUND` where there is no such endpoint.
    pub async fn attempts(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<Vec<Attempt>> {
        let (scope, known) = self.known(principal, organization, id).await?;
        self.store.attempts(&scope, &known.endpoint.id, 100).await
    }

    /// What an endpoint would not take, the oldest first, at most a hundred, and how many there are.
    ///
    /// # Errors
    /// As [`Self::attempts`].
    pub async fn dead_letters(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        id: &str,
    ) -> Result<(Vec<DeadLetter>, u64)> {
        let (scope, known) = self.known(principal, organization, id).await?;
        self.store.dead_letters(&scope, &known.endpoint.id, 100).await
    }

    /// Makes an endpoint. It gets what is recorded from now on. The secret is given once, where the service drew it.
    ///
    /// # Errors
    /// As [`Self::list`]; `BAD_USER_INPUT` naming field and rule.
    pub async fn create(
        &self,
        principal: &Arc<Principal>,
        organization: Option<&str>,
        wanted: Wanted,
    ) -> Result<(Managed, Option<String>)> {
        let scope = policy::may_administer(principal, organization, Feature::Endpoints)?;
        let now = self.clock.now();
        if self.store.endpoints(&scope).await?.len() >= ENDPOINTS {
            let rule = format!("an organization has at most {ENDPOINTS} endpoints");
            return Err(Error::bad_input("endpoints", rule));
        }
        let Wanted { label, target, question } = wanted;
        check_label(&label)?;
        let rights = rights(principal, &scope);
        let question = Box::pin(checked(&self.reader, principal, &scope, question)).await?;
        let Aimed { kind, url, settings, secret, is_drawn } = target.aim(&self.ways, &self.chance)?;
        let secrets = secret.iter().map(|text| Secret { text: text.clone(), until_ns: None }).collect();
        let id = self.chance.id("ep_");
        let endpoint = Endpoint {
            id: id.clone(),
            label,
            kind,
            url,
            settings,
            secrets,
            question,
            rights,
            status: EndpointStatus::Active,
            created_at: now,
            created_by: principal.subject.clone(),
            changed_at: now,
        };
        let told = told(management::ENDPOINT_CREATED, &endpoint, told_of(&endpoint));
        let change = EndpointChange::Create(Box::new(endpoint));
        self.change(principal, scope.clone(), change, told).await?;
        let (_, made) = self.known(principal, organization, &id).await?;
        Ok((made, secret.filter(|_| is_drawn)))
    }

    /// Changes an endpoint. Whatever stood in its way, it is tried at once.
    ///
    /// # Errors
    /// As [`Self::create`], and `NOT_FOUND` where there is no such endpoint.
    pub async fn update(
        &self,
        principal: &Arc<Principal>,
        organization: Option<&str>,
        id: &str,
        changes: Changes,
    ) -> Result<Managed> {
        let (scope, Managed { mut endpoint, .. }) = self.known(principal, organization, id).await?;
        let Changes { label, target, question, paused } = changes;
        let before = told_of(&endpoint);
        let secrets = endpoint.secrets.clone();
        if let Some(label) = label {
            check_label(&label)?;
            endpoint.label = label;
        }
        if let Some(target) = target {
            let Aimed { kind, url, settings, secret, is_drawn } = target.aim(&self.ways, &self.chance)?;
            if kind != endpoint.kind {
                return Err(Error::bad_input("target", "must be of the same kind as before: make another endpoint"));
            }
            (endpoint.url, endpoint.settings) = (url, settings);
            // A secret of our own stays; one that was brought is the caller's to change.
            if let Some(text) = secret.filter(|_| !is_drawn) {
                endpoint.secrets = vec![Secret { text, until_ns: None }];
            }
        }
        // Whoever changed it last is who it reads as: in their own logs where they ask for other events, else in those that
        // it was narrowed to before. Staff have neither role nor plan of the organization.
        let Rights { roles, plan, logs, .. } = rights(principal, &scope);
        if let Some(question) = question {
            endpoint.question = Box::pin(checked(&self.reader, principal, &scope, question)).await?;
            endpoint.rights.logs = logs;
        }
        if let Some(paused) = paused {
            endpoint.status = if paused { EndpointStatus::Paused } else { EndpointStatus::Active };
        }
        if !principal.is_staff() {
            (endpoint.rights.roles, endpoint.rights.plan) = (roles, plan);
        }
        let mut metadata = told_of(&endpoint);
        if metadata != before {
            metadata = json!({ "before": before, "after": metadata });
        }
        if endpoint.secrets != secrets {
            metadata["secretReplaced"] = true.into();
        }
        let told = told(management::ENDPOINT_UPDATED, &endpoint, metadata);
        self.change(principal, scope, EndpointChange::Replace(Box::new(endpoint)), told).await?;
        Ok(self.known(principal, organization, id).await?.1)
    }

    /// Deletes an endpoint: nothing more is sent to it.
    ///
    /// # Errors
    /// As [`Self::attempts`].
    pub async fn delete(&self, principal: &Arc<Principal>, organization: Option<&str>, id: &str) -> Result<Managed> {
        let (scope, known) = self.known(principal, organization, id).await?;
        let told = told(management::ENDPOINT_DELETED, &known.endpoint, told_of(&known.endpoint));
        self.change(principal, scope, EndpointChange::Delete { id: id.to_owned() }, told).await?;
        Ok(known)
    }

    /// Draws a new secret. The ones before it are used beside it for `overlap` seconds.
    ///
    /// # Errors
    /// As [`Self::attempts`]; `BAD_USER_INPUT` where its kind has no secret of ours, or the overlap is too long.
    pub async fn rotate_secret(
        &self,
        principal: &Arc<Principal>,
        organization: Option<&str>,
        id: &str,
        overlap: i64,
    ) -> Result<(Managed, String)> {
        let (scope, Managed { mut endpoint, .. }) = self.known(principal, organization, id).await?;
        if !(0..=OVERLAP).contains(&overlap) {
            return Err(Error::bad_input("overlap", format!("must be from 0 to {OVERLAP} seconds, got {overlap}")));
        }
        let Some(text) = sinks::draw_secret(endpoint.kind, &self.chance) else {
            return Err(Error::bad_input("id", "must be an endpoint whose secret the service draws"));
        };
        let now = self.clock.now();
        let until = now.0.saturating_add(overlap * SECOND);
        endpoint.secrets.retain(|secret| secret.until_ns.is_none_or(|until| now.0 < until));
        for secret in &mut endpoint.secrets {
            secret.until_ns = Some(secret.until_ns.map_or(until, |known| known.min(until)));
        }
        endpoint.secrets.insert(0, Secret { text: text.clone(), until_ns: None });
        let metadata = json!({ "oldSecretsUntil": Timestamp(until).to_string() });
        let told = told(management::ENDPOINT_SECRET_ROTATED, &endpoint, metadata);
        self.change(principal, scope, EndpointChange::Replace(Box::new(endpoint)), told).await?;
        Ok((self.known(principal, organization, id).await?.1, text))
    }

    /// Sends an endpoint a test, and says what came of it.
    ///
    /// # Errors
    /// As [`Self::attempts`].
    pub async fn test(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<Attempt> {
        let (scope, known) = self.known(principal, organization, id).await?;
        let at = self.clock.now();
        let attempt = courier::test(&known.endpoint, scope.organization(), &self.ways, at).await?;
        self.store.note_attempt(&scope, &known.endpoint.id, &attempt).await?;
        Ok(attempt)
    }

    /// Sends an endpoint events once more.
    ///
    /// # Errors
    /// As [`Self::attempts`]; `BAD_USER_INPUT` for a range that is none.
    pub async fn replay(
        &self,
        principal: &Arc<Principal>,
        organization: Option<&str>,
        id: &str,
        again: Again,
    ) -> Result<Managed> {
        let (scope, known) = self.known(principal, organization, id).await?;
        let id = known.endpoint.id.clone();
        let size = self.store.size_of(&scope.product().name, scope.organization()).await?;
        let (change, metadata) = match again {
            Again::Range(from, to) if from < 0 || to <= from => {
                return Err(Error::bad_input("toSequence", "must be above fromSequence, and that at least 0"));
            }
            Again::Range(from, _) if from >= size => {
                let rule = format!("must be below {size}, the number of events of the organization");
                return Err(Error::bad_input("fromSequence", rule));
            }
            Again::Range(from, to) => (
                EndpointChange::Replay { id: id.clone(), range: (from, to) },
                json!({ "fromSequence": from, "toSequence": to }),
            ),
            Again::DeadLetters => {
                (EndpointChange::ReplayDeadLetters { id: id.clone() }, json!({ "deadLetters": true }))
            }
        };
        let told = told(management::ENDPOINT_REPLAYED, &known.endpoint, metadata);
        self.change(principal, scope, change, told).await?;
        Ok(self.known(principal, organization, &id).await?.1)
    }

    async fn change(
        &self,
        principal: &Principal,
        scope: ManageScope,
        change: EndpointChange,
        told: Told,
    ) -> Result<Box<Recorded>> {
        let change = Change::Endpoint(change);
        let done = ingest::change(&self.writer, principal, scope, change, told, self.clock.now()).await?;
        self.changed.notify_one();
        Ok(done)
    }

    async fn known(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        id: &str,
    ) -> Result<(ManageScope, Managed)> {
        let scope = policy::may_administer(principal, organization, Feature::Endpoints)?;
        let found = self.store.endpoints(&scope).await?.into_iter().find(|(endpoint, _)| endpoint.id == id);
        let (endpoint, progress) = found.ok_or_else(|| Error::not_found("endpoint"))?;
        Ok((scope, Managed { endpoint, progress }))
    }
}

/// Which events are asked for, as it is stored: whoever asks may read them.
pub(super) async fn checked(
    reader: &Reader,
    principal: &Arc<Principal>,
    scope: &ManageScope,
    question: Question,
) -> Result<String> {
    let Question { log, include_nested, filter } = question;
    filter.must_not_move("it is asked of what is recorded from now on")?;
    let stored = Asked { v: 1, log: log.as_ref().map(ToString::to_string), include_nested, filter: filter.clone() };
    let organization = Some(scope.organization().to_owned());
    let followed = Followed { organization, log, include_nested, filter };
    // Only the log itself tells whether it lies in those that whoever asks may read.
    Box::pin(reader.follow(principal, followed, None).await?.look(1)).await?;
    stored.text()
}

/// What an endpoint may be given: what whoever makes it may read of the organization.
pub(super) fn rights(principal: &Principal, scope: &ManageScope) -> Rights {
    // Staff read without a role and a plan; an endpoint of theirs reads as a reader.
    let rules = &principal.product.access;
    let (roles, plan) = if principal.is_staff() {
        (&rules.roles, rules.plans.first())
    } else {
        // A plan that is kept for the organization is asked for whenever the maker reads.
        (&principal.roles, principal.plan.as_ref().filter(|_| !principal.plan_is_kept))
    };
    Rights { scopes: Vec::new(), roles: roles.clone(), plan: plan.cloned(), logs: scope.allowed_logs().to_vec() }
}

fn told(action: &'static str, endpoint: &Endpoint, metadata: Value) -> Told {
    let resource = Resource {
        kind: Some("audit_log_endpoint".to_owned()),
        id: Some(endpoint.id.clone()),
        name: Some(endpoint.label.clone()),
    };
    Told { action, resource, metadata }
}

/// What is told of an endpoint: no secret, and of its address only where it is, since paths and queries may hold secrets.
fn told_of(endpoint: &Endpoint) -> Value {
    let host = reqwest::Url::parse(&endpoint.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let mut told = json!({
        "label": endpoint.label,
        "kind": kind_name(endpoint.kind),
        "host": host,
        "question": serde_json::from_str::<Value>(&endpoint.question).unwrap_or_default(),
        "status": status_name(endpoint.status),
    });
    if let Ok(Value::Object(settings)) = serde_json::from_str(&endpoint.settings)
        && !settings.is_empty()
    {
        told["settings"] = settings.into();
    }
    told
}

/// The name of a kind, as GraphQL has it.
#[must_use]
pub const fn kind_name(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Webhook => "WEBHOOK",
        EndpointKind::SplunkHec => "SPLUNK_HEC",
        EndpointKind::Syslog => "SYSLOG",
        EndpointKind::S3 => "S3",
        EndpointKind::Otlp => "OTLP",
    }
}

/// The name of a status, as GraphQL has it.
#[must_use]
pub const fn status_name(status: EndpointStatus) -> &'static str {
    match status {
        EndpointStatus::Active => "ACTIVE",
        EndpointStatus::Paused => "PAUSED",
        EndpointStatus::Gone => "GONE",
    }
}
