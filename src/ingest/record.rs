//! What it takes to record events and to delete a log, from whoever asks to what is durable: the permission, admission,
//! the writer, and an answer an event. GraphQL, the import and the demo come in here; a REST route will, too.

use std::collections::BTreeMap;

use super::{
    Writer,
    admit::{admit, admit_in_parent},
};
use crate::{
    auth::{Access, LogName, Principal, WriteScope, policy},
    error::{Error, Result},
    event::{Timestamp, input::RecordInput, limits},
    store::{Deleted, Item, ItemResult, Recorded},
    tasks,
};

/// Events up to which a request is admitted where it is: it takes less than a millisecond or two.
const LARGE: usize = 20;

/// An event as it was sent.
pub struct Sent {
    /// The organization, where the token names none.
    pub organization: Option<String>,
    /// What it says, or why that cannot be read. Whoever may not record for the organization is told that first.
    pub event: Result<RecordInput>,
}

impl From<RecordInput> for Sent {
    fn from(event: RecordInput) -> Self {
        Self { organization: event.organization.clone(), event: Ok(event) }
    }
}

/// Events that are sent together, of one or several organizations of one product.
pub struct Batch {
    /// The events.
    pub events: Vec<Sent>,
    /// What ties them together: the correlation id of those that name none.
    pub correlation_id: Option<String>,
    /// Whether one refused event refuses all.
    pub atomic: bool,
    /// Whether every event is strict.
    pub strict: bool,
}

/// What became of one of several events.
pub struct Answered {
    /// The organization that it names, else the token's; `None` where it can be read of neither.
    pub organization: Option<String>,
    /// The event, or why it was refused.
    pub result: ItemResult,
}

/// Whether events can be recorded, and if not, why.
#[must_use]
pub fn access(principal: &Principal) -> Access {
    policy::record_access(principal)
}

/// An event that may be recorded, for those who record many of their own.
///
/// # Errors
/// `NOT_FOUND` or `FORBIDDEN` where the principal may not record for the organization, and `BAD_USER_INPUT` naming field
/// and rule.
pub fn item(writer: &Writer, principal: &Principal, sent: Sent, now: Timestamp) -> Result<Item> {
    let scope = policy::may_record(principal, sent.organization.as_deref())?;
    admit(writer.masking(), scope, sent.event?, now)
}

/// Records one event.
///
/// # Errors
/// What [`item`] refuses, `CONFLICT` where its key stands for another event, `RATE_LIMITED`, `OVERLOADED` and
/// `UNAVAILABLE` where nothing was recorded.
pub async fn record_one(writer: &Writer, principal: &Principal, sent: Sent, now: Timestamp) -> Result<Recorded> {
    let item = item(writer, principal, sent, now)?;
    writer.rate().check(&item.scope, 1)?;
    writer.record(vec![item], true).await?.pop().expect("the writer answers every item")
}

/// Records the events of one request; what became of each, in their order. All or none are recorded in one transaction, in
/// all organizations; those that stand for themselves in as many as their size asks for. Whether the principal may is asked
/// of each.
///
/// # Errors
/// Of the whole request: `FORBIDDEN` for a token that may not record at all, `BAD_USER_INPUT` for too many events,
/// `RATE_LIMITED`, `OVERLOADED` and `UNAVAILABLE` where nothing was recorded.
pub async fn record_many(
    writer: &Writer,
    principal: &Principal,
    batch: Batch,
    now: Timestamp,
) -> Result<Vec<Answered>> {
    let Batch { events, correlation_id, atomic, strict } = batch;
    // A token that may not record at all is refused as a whole, not once per event.
    let access = access(principal);
    if !access.allowed {
        return Err(Error::Forbidden(access.message.unwrap_or_default()));
    }
    if events.len() > limits::BATCH {
        let rule = format!("must be at most {} events, got {}", limits::BATCH, events.len());
        return Err(Error::bad_input("events", rule));
    }
    let own = principal.organization.as_deref();
    let organizations: Vec<_> =
        events.iter().map(|sent| sent.organization.as_deref().or(own).map(str::to_owned)).collect();
    let is_large = events.len() > LARGE;
    let admit = {
        let (writer, principal) = (writer.clone(), principal.clone());
        let one = move |mut sent: Sent| {
            if let Ok(event) = &mut sent.event {
                event.strict |= strict;
                if event.correlation_id.is_none() {
                    event.correlation_id.clone_from(&correlation_id);
                }
            }
            item(&writer, &principal, sent, now)
        };
        move || events.into_iter().map(one).collect::<Vec<_>>()
    };
    let mut admitted = if is_large { tasks::aside(admit).await } else { admit() };
    within_rate(writer, &mut admitted, atomic)?;
    if atomic && admitted.iter().any(Result::is_err) {
        admitted.iter_mut().filter(|one| one.is_ok()).for_each(|one| *one = Err(Error::left_out()));
    }
    let (items, refusals) = apart(admitted);
    let results = match atomic {
        _ if items.is_empty() => Vec::new(),
        true => writer.record(items, true).await?,
        false => writer.record_each(items).await?,
    };
    let named = |(place, result): (usize, ItemResult)| result.map_err(|error| error.under(&format!("events[{place}]")));
    let results = together(refusals, results).into_iter().enumerate().map(named);
    let answered = organizations.into_iter().zip(results);
    Ok(answered.map(|(organization, result)| Answered { organization, result }).collect())
}

/// Refuses the events of organizations that have recorded too many of late, and leaves those of their neighbours.
///
/// # Errors
/// `RATE_LIMITED` where none of the request can be recorded.
fn within_rate(writer: &Writer, admitted: &mut [Result<Item>], atomic: bool) -> Result<()> {
    let mut counts: BTreeMap<String, (WriteScope, usize)> = BTreeMap::new();
    for item in admitted.iter().flatten() {
        let of = || (item.scope.clone(), 0);
        counts.entry(item.scope.organization().to_owned()).or_insert_with(of).1 += 1;
    }
    let mut limited = BTreeMap::new();
    for (organization, (scope, events)) in &counts {
        if let Err(error) = writer.rate().check(scope, *events) {
            limited.insert(organization.as_str(), error);
        }
    }
    match limited.values().next() {
        Some(error) if atomic || limited.len() == counts.len() => return Err(error.clone()),
        Some(_) => {}
        None => return Ok(()),
    }
    for one in admitted {
        if let Some(error) = one.as_ref().ok().and_then(|item| limited.get(item.scope.organization())) {
            *one = Err(error.clone());
        }
    }
    Ok(())
}

/// Records events in one transaction, all or none.
///
/// # Errors
/// The refusal that keeps them from being recorded; `OVERLOADED`, `UNAVAILABLE` and `INTERNAL` as [`Writer::record`] has
/// them.
pub async fn record_all(writer: &Writer, items: Vec<Item>) -> Result<Vec<Recorded>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let results = writer.record(items, true).await?;
    // Of events that were refused together, one says why; the others say that they were left out for it.
    let left_out = Error::left_out().to_string();
    let refusals = || results.iter().filter_map(|result| result.as_ref().err());
    let cause = refusals().find(|error| error.to_string() != left_out).or(refusals().next());
    match cause {
        Some(cause) => Err(cause.clone()),
        None => results.into_iter().collect(),
    }
}

/// Records what was admitted in one transaction, or, where that fails by one of the events, each in its own; results in
/// the order of what is given, refusals among them.
///
/// # Errors
/// Where the database takes none: no event can be the cause that all share.
pub async fn record_each(writer: &Writer, admitted: Vec<Result<Item>>) -> Result<Vec<ItemResult>> {
    let (items, refusals) = apart(admitted);
    if items.is_empty() {
        return Ok(together(refusals, Vec::new()));
    }
    let results = match writer.record(items.clone(), false).await {
        Err(Error::Internal(_)) if items.len() > 1 => one_by_one(writer, items).await,
        results => results,
    };
    Ok(together(refusals, results?))
}

async fn one_by_one(writer: &Writer, items: Vec<Item>) -> Result<Vec<ItemResult>> {
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        match writer.record(vec![item], false).await {
            Ok(mut one) => results.append(&mut one),
            Err(error @ Error::Internal(_)) => results.push(Err(error)),
            Err(error) => return Err(error),
        }
    }
    match results.pop() {
        Some(Err(last)) if results.iter().all(Result::is_err) => Err(last),
        last => {
            results.extend(last);
            Ok(results)
        }
    }
}

/// Items, and for everything that was given why it is none of them.
fn apart(admitted: Vec<Result<Item>>) -> (Vec<Item>, Vec<Option<Error>>) {
    let mut items = Vec::with_capacity(admitted.len());
    let refusals = admitted.into_iter().map(|one| one.map(|item| items.push(item)).err()).collect();
    (items, refusals)
}

/// The results of items, and the refusals, in the order in which they were given.
fn together(refusals: Vec<Option<Error>>, results: Vec<ItemResult>) -> Vec<ItemResult> {
    let mut results = results.into_iter();
    let mut result = |refusal: Option<Error>| match refusal {
        Some(error) => Err(error),
        None => results.next().expect("the writer answers every item"),
    };
    refusals.into_iter().map(&mut result).collect()
}

/// A log that may be deleted.
pub struct Deletion {
    scope: WriteScope,
    log: LogName,
}

impl Deletion {
    /// The deletion of a log, with those below it.
    ///
    /// # Errors
    /// `NOT_FOUND` or `FORBIDDEN` where the principal may not, `BAD_USER_INPUT` for a log that cannot be deleted.
    pub fn of(principal: &Principal, organization: Option<&str>, log: LogName) -> Result<Self> {
        let scope = policy::may_manage(principal, organization, &log)?;
        Ok(Self { scope, log })
    }

    /// Deletes it, and records an event that tells of it in the log above, in the same transaction.
    ///
    /// # Errors
    /// `NOT_FOUND` where there is no such log, `BAD_USER_INPUT` naming the field below `event` or the log, `OVERLOADED`
    /// and `UNAVAILABLE` where nothing was done.
    pub async fn carry_out(self, writer: &Writer, event: Option<Sent>, now: Timestamp) -> Result<Deleted> {
        let Self { scope, log } = self;
        let event = event.map(|sent| telling(writer, &scope, &log, sent, now)).transpose();
        let event = event.map_err(|error| error.under("event"))?;
        writer.delete_log(scope, log, event).await
    }
}

/// The event that tells of a deletion.
fn telling(writer: &Writer, scope: &WriteScope, log: &LogName, sent: Sent, now: Timestamp) -> Result<Item> {
    let event = sent.event?;
    if event.log.is_some() {
        return Err(Error::bad_input("log", "must be absent: the event goes into the log above the deleted one"));
    }
    if event.organization.as_deref().is_some_and(|organization| organization != scope.organization()) {
        return Err(Error::bad_input("organization", "must be the organization of the deleted log"));
    }
    admit_in_parent(writer.masking(), scope.clone(), event, log, now)
}
