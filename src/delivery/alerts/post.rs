//! Sends the messages of alerts until they arrive.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use tokio::time::{Instant, error::Elapsed, timeout};

use super::{
    Alerts, SECOND, firing,
    letter::{self, Fired},
    warn,
};
use crate::{
    catalog::Feature,
    delivery::{
        courier::{LONGEST, REFUSALS, pause},
        maker,
        sinks::{self, Failure, FailureKind},
    },
    error::{Code, Error, Result},
    event::Timestamp,
    store::control::{
        alerts::{LentRule, Message, MessageKey, Told},
        endpoints::EndpointStatus,
    },
};

/// How often a process looks for messages that have become due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages that are sent at the same time.
const SENDS: usize = 64;
/// Of them, of one organization.
const SENDS_OF_ONE: usize = 4;
/// How long a message waits whose endpoint is paused or gone.
const PAUSED: i64 = 60 * SECOND;
/// How long a message waits that could not be read.
const AGAIN: Duration = Duration::from_secs(5);
/// For how long a message is tried.
const KEPT: i64 = 7 * 24 * 3_600 * SECOND;

/// What became of a message.
enum Outcome {
    Arrived,
    /// It is tried again.
    Failed(Failure),
    /// The receiver does not want it now, or may not have it.
    Later(Option<String>),
    /// Nobody is to have it any more.
    Dropped(String),
}

impl Alerts {
    /// Sends, for ever.
    pub(super) async fn post(&self) -> ! {
        let mut sending: HashSet<MessageKey> = HashSet::new();
        let mut sends: FuturesUnordered<BoxFuture<'_, MessageKey>> = FuturesUnordered::new();
        let mut looking = None::<BoxFuture<'_, Result<Vec<MessageKey>>>>;
        let mut look = Instant::now();
        loop {
            tokio::select! {
                () = self.posted.notified() => look = Instant::now(),
                () = tokio::time::sleep_until(look), if looking.is_none() => {}
                Some(done) = sends.next(), if !sends.is_empty() => {
                    sending.remove(&done);
                    look = Instant::now();
                }
                due = async { looking.as_mut().expect("it is checked").await }, if looking.is_some() => {
                    looking = None;
                    let due = due.unwrap_or_else(|error| {
                        warn("messages of alerts cannot be read, it is tried again", &error);
                        Vec::new()
                    });
                    for key in due {
                        let of_one = sending.iter().filter(|one| one.organization_no == key.organization_no).count();
                        if sends.len() < SENDS && of_one < SENDS_OF_ONE && sending.insert(key.clone()) {
                            sends.push(self.send(key).boxed());
                        }
                    }
                }
            }
            if look <= Instant::now() && looking.is_none() {
                look = Instant::now() + LOOK_EVERY;
                let due = self.store.due_messages(self.owner, self.clock.now(), 2 * SENDS_OF_ONE, 2 * SENDS);
                looking = Some(due.boxed());
            }
        }
    }

    async fn send(&self, key: MessageKey) -> MessageKey {
        if let Err(error) = Box::pin(self.try_to_send(&key)).await {
            warn("a message of an alert is not sent, or that it was is not written down: it is tried again", &error);
            tokio::time::sleep(AGAIN).await;
        }
        key
    }

    async fn try_to_send(&self, key: &MessageKey) -> Result<()> {
        let Some(lent) = self.store.lent_rule(key.organization_no, &key.rule_id, self.owner).await? else {
            return Ok(());
        };
        let Some(mut message) = self.store.message(key).await? else { return Ok(()) };
        let at = self.clock.now();
        let is_old = at.0.saturating_sub(message.made_at.0) > KEPT;
        let outcome = match Box::pin(self.outcome(&lent, key, at)).await? {
            Outcome::Failed(failure) => {
                message.failures += 1;
                message.refusals += i64::from(failure.kind == FailureKind::Rejected);
                let is_given_up = is_old || message.refusals >= REFUSALS || failure.kind == FailureKind::Gone;
                if is_given_up { Outcome::Dropped(failure.reason) } else { Outcome::Failed(failure) }
            }
            Outcome::Later(trouble) if is_old => {
                Outcome::Dropped(trouble.unwrap_or_else(|| "the endpoint was paused for a week".to_owned()))
            }
            other => other,
        };
        let counted = |result: &'static str| {
            metrics::counter!("ledgerline_alert_messages_total", "result" => result).increment(1);
        };
        match outcome {
            Outcome::Arrived => {
                counted("taken");
                self.store.end_message(key, Ok(at)).await
            }
            Outcome::Dropped(why) => {
                counted("dropped");
                tracing::warn!(
                    rule.id = key.rule_id,
                    sequence = key.sequence,
                    failures = message.failures,
                    "a message of an alert is given up: {why}"
                );
                self.store.end_message(key, Err(why)).await
            }
            Outcome::Failed(failure) => {
                counted("failed");
                let pause = pause(message.failures, failure.retry_after, &self.chance);
                self.put_off(key, message, at, pause, Some(failure.reason)).await
            }
            Outcome::Later(trouble) => self.put_off(key, message, at, PAUSED, trouble).await,
        }
    }

    async fn put_off(
        &self,
        key: &MessageKey,
        message: Message,
        at: Timestamp,
        pause: i64,
        trouble: Option<String>,
    ) -> Result<()> {
        let due = Timestamp(at.0.saturating_add(pause));
        self.store.put_off(key, &Message { due, trouble, ..message }).await
    }

    async fn outcome(&self, lent: &LentRule, key: &MessageKey, at: Timestamp) -> Result<Outcome> {
        if !lent.rule.told.receivers().contains(&key.receiver) {
            return Ok(Outcome::Dropped("the rule tells somebody else by now".to_owned()));
        }
        let sent = match &lent.rule.told {
            Told::Endpoint(id) => Box::pin(self.to_endpoint(lent, id, key.sequence, at)).await,
            Told::Emails(_) => Box::pin(self.to_address(lent, &key.receiver, key.sequence)).await,
        };
        match sent {
            // It may be allowed again.
            Err(error) if matches!(error.code(), Code::Forbidden | Code::PlanRequired) => {
                Ok(Outcome::Later(Some(format!("{}: {error}", error.code().as_str()))))
            }
            Err(Error::NotFound(_)) => Ok(Outcome::Dropped("the receiver may not read what tells of it".to_owned())),
            other => other,
        }
    }

    /// Sends an endpoint the event that tells of a firing, if its maker may read that.
    async fn to_endpoint(&self, lent: &LentRule, id: &str, sequence: i64, at: Timestamp) -> Result<Outcome> {
        let Some(endpoint) = self.store.endpoint_of(lent.organization_no, id).await? else {
            return Ok(Outcome::Dropped("the endpoint was deleted".to_owned()));
        };
        if endpoint.status != EndpointStatus::Active {
            return Ok(Outcome::Later(None));
        }
        let product = maker::product(&self.products, &lent.product, Feature::Endpoints)?;
        let (rights, now) = (&endpoint.rights, self.clock.now());
        let maker = maker::principal(product, &lent.organization, &endpoint.id, rights, &self.plans, now).await?;
        let event = Box::pin(firing(&self.reader, &Arc::new(maker), None, sequence)).await?;
        let sink = sinks::open(&endpoint, &self.ways)?;
        Ok(sent(timeout(LONGEST, sink.send(&[event], at)).await.map(|sent| sent.map(drop))))
    }

    /// Writes to an address.
    async fn to_address(&self, lent: &LentRule, address: &str, sequence: i64) -> Result<Outcome> {
        let maker = Arc::new(self.maker(lent).await?);
        let event = Box::pin(firing(&self.reader, &maker, None, sequence)).await?;
        let Some(mailer) = &self.mailer else {
            return Ok(Outcome::Later(Some("LEDGERLINE_SMTP_URL names no server for mail".to_owned())));
        };
        let counted = Fired::read(&event)?;
        let last = self.reader.event(&maker, &counted.last_event).await;
        let letter = letter::of(lent, &event, &counted, last.as_ref().ok(), &self.ways.public_url);
        Ok(sent(timeout(LONGEST, mailer.send(address, &letter)).await))
    }
}

fn sent(sent: Result<Result<(), Failure>, Elapsed>) -> Outcome {
    match sent {
        Ok(Ok(())) => Outcome::Arrived,
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(_) => Outcome::Failed(Failure {
            kind: FailureKind::Unavailable,
            status: None,
            reason: "it did not answer in time".to_owned(),
            retry_after: None,
        }),
    }
}
