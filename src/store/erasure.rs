//! A person is erased from events: the other door through the triggers.
//!
//! It goes through an organization in the order of recording. Events are looked at without a lock; those that are about the
//! person are read again and emptied in a transaction of their own under the lock of the organization's head, with all
//! that follows from them (`derived/`). Holds are asked in that transaction. What went of which event is written into the
//! erasure list, so that a database that is restored from a backup can be erased once more without anybody being named.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use entity::{dead_letter, erased_event, organization_head as head};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use super::{
    Dictionary, Store,
    connection::{transaction::Transaction, turns::Work},
    control::{
        erasures::{Advance, Erasure, ErasureStatus},
        holds::{Hold, Holding},
    },
    dialect::erasing::{ERASED, Left},
    error,
    removal::derived_of,
    rows,
    tables::{EVENT, HEAD},
};
use crate::{
    catalog::{Product, management::VIEW_CREATED},
    error::{Error, Result},
    event::{
        Event, Timestamp,
        erased::{self, About, Whom},
        stored,
    },
};

/// Events that are looked at at once.
const LOOK: i64 = 2_000;
/// Events that may be left to look at under the lock, in the step that ends an erasure.
const LAST: i64 = 2_000;
/// Where nothing is found, the place is written down once in so many events.
const WRITTEN_EVERY: i64 = 20_000;
/// How long an erasure rests that a hold keeps, in nanoseconds: a hold that is lifted is noticed then.
const REST: i64 = 2 * 1_000_000_000;
/// What stands in the place of the reason why a receiver would not take an event: it may quote the event.
const NO_REASON: &str = "the reason was erased with the event";

/// An event that is about a person.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its sequence.
    pub sequence: i64,
    /// Number of its log.
    pub log_no: i64,
    /// How it is about them.
    pub about: About,
}

/// What a look at some events came to.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// Events that the organization has.
    pub total: i64,
    /// Sequence of the next event to look at; the total where all were looked at.
    pub next: i64,
    /// Those of which something would be erased.
    pub found: Vec<Found>,
    /// Holds that keep some of them, with how many.
    pub held: Vec<(Hold, i64)>,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// There is more to look at, from a sequence on.
    More {
        /// The sequence.
        next: i64,
        /// Events of which something was erased.
        events: i64,
        /// For how long others could not record for the organization.
        took: Duration,
    },
    /// Everything was looked at.
    All,
    /// A hold keeps the next event.
    Held,
    /// Another process has it, or it was given up.
    Lost,
}

/// Events that were looked at and found to be about a person: several steps empty what one look has found.
#[derive(Clone, Debug, Default)]
pub struct LookedAhead {
    sequences: VecDeque<i64>,
    /// Sequence of the next event to look at.
    next: i64,
}

/// What a step of an erasure is to do.
#[derive(Debug)]
pub struct Step<'a> {
    /// Sequence of the first event to look at, where nothing is left that was found.
    pub from: i64,
    /// What the steps before have found and left.
    pub ahead: &'a mut LookedAhead,
    /// Events that it may empty: others record between two steps.
    pub most: usize,
    /// Whether it may be the last one.
    pub may_end: bool,
    /// Until when the process has the erasure for itself.
    pub lease: Timestamp,
}

impl Store {
    /// Looks which of the next events from a sequence on are about a person. Nothing is changed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn would_erase(
        &self,
        product: &Product,
        organization: &str,
        whom: &Whom,
        from: i64,
        now: Timestamp,
    ) -> Result<Looked> {
        let Some(head) = self.head_of(&product.name, organization).await? else { return Ok(Looked::default()) };
        let own = self.turn_of(&product.name, organization);
        let (events, next) = own.paced(Work::Large).about(&head.row, whom, from).await?;
        let dictionary = self.dictionary(&own.read, &head.row).await?;
        let mut looked = Looked { total: head.row.size, next, ..Looked::default() };
        let holds = self.holds_on(&own.read, head.row.organization_no).await?;
        for hold in holds {
            let holding = Holding::of(&hold, product, &dictionary, now)?;
            let kept = events.iter().filter(|event| holding.keeps(event, &dictionary)).count() as i64;
            looked.held.extend((kept > 0).then_some((hold, kept)));
        }
        let found = |event: &Event| Found { sequence: event.sequence, log_no: event.log_no, about: whom.of(event) };
        looked.found = events.iter().map(found).collect();
        Ok(looked)
    }

    /// Logs of an organization, to name those that events were found in.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn logs_of(&self, product: &Product, organization: &str) -> Result<Option<std::sync::Arc<Dictionary>>> {
        match self.head_of(&product.name, organization).await? {
            Some(head) => {
                let own = self.turn_of(&product.name, organization);
                self.dictionary(&own.read, &head.row).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Erases a person from the next events, as the process that has the erasure. Where it may end and nothing but a few
    /// events is left, those are looked at under the lock of the head, and who it was is forgotten: nobody who goes on
    /// recording keeps an erasure from its end.
    ///
    /// # Errors
    /// Those of the database; nothing of the step is done then.
    pub async fn erase_some(
        &self,
        product: &Product,
        erasure: &Erasure,
        owner: i64,
        Step { from, ahead, most, may_end, lease }: Step<'_>,
        now: Timestamp,
    ) -> Result<Erased> {
        let Some(whom) = &erasure.whom else { return Ok(Erased::Lost) };
        let organization_no = erasure.organization_no;
        let Some(head) = self.head(&self.read, organization_no).await? else { return Ok(Erased::Lost) };
        if ahead.sequences.is_empty() {
            ahead.next = from;
            while ahead.sequences.is_empty() && ahead.next < head.row.size && ahead.next - from < WRITTEN_EVERY {
                let (found, next) = self.about(&head.row, whom, ahead.next).await?;
                *ahead = LookedAhead { sequences: found.iter().map(|event| event.sequence).collect(), next };
            }
        }
        let sequences: Vec<_> = ahead.sequences.drain(..most.min(ahead.sequences.len())).collect();
        let mut next = ahead.sequences.front().copied().unwrap_or(ahead.next);
        let tx = self.write.begin().await?;
        let locked = self.locked_heads(&tx, &[organization_no]).await?;
        let Some(head) = locked.into_iter().next() else {
            tx.rollback().await?;
            return Ok(Erased::Lost);
        };
        let locked = Instant::now();
        self.must_be_open(head.history)?;
        self.know_partitions(&tx, head.partitions).await?;
        let dictionary = self.dictionary(&tx, &head.row).await?;
        // As they are now: a sweep may have taken some.
        let mut events = match sequences.as_slice() {
            [] => Vec::new(),
            some => self.events_on(&tx, self.dialect.events_of_sequences(organization_no, some)).await?,
        };
        if may_end && head.row.size - next <= LAST {
            let last = self.dialect.events_by_sequence(organization_no, next, head.row.size - 1, false, LAST);
            events.extend(self.events_on(&tx, last).await?.into_iter().filter(|event| !whom.paths(event).is_empty()));
            next = head.row.size;
        }
        let hold = self.hold_of(&tx, product, &dictionary, &events, now).await?;
        let (done, step) = match hold {
            Some(hold) => {
                let (status, hold) = (ErasureStatus::Held, Some(hold.id));
                let lease = Timestamp(now.0.saturating_add(REST));
                let step = Advance { status, total: head.row.size, next: from, events: 0, hold, lease };
                (Erased::Held, step)
            }
            None => {
                let emptied = events.into_iter().map(|event| {
                    let paths = whom.paths(&event);
                    (event, paths)
                });
                let events = self.empty_fields(&tx, &head.row, &dictionary, emptied.collect(), now).await?;
                let is_all = next >= head.row.size;
                let status = if is_all && may_end { ErasureStatus::Ended } else { ErasureStatus::Running };
                if let (ErasureStatus::Ended, Some(subject)) = (status, whom.subject()) {
                    self.forget_views(&tx, organization_no, subject).await?;
                }
                let step = Advance { status, total: head.row.size, next, events, hold: None, lease };
                (if is_all { Erased::All } else { Erased::More { next, events, took: Duration::ZERO } }, step)
            }
        };
        if !self.advance_erasure(&tx, erasure, owner, &step).await? {
            tx.rollback().await?;
            return Ok(Erased::Lost);
        }
        tx.commit().await?;
        Ok(match done {
            Erased::More { next, events, .. } => Erased::More { next, events, took: locked.elapsed() },
            done => done,
        })
    }

    /// The next events that are about a person, and the sequence from which on nothing was looked at.
    async fn about(&self, head: &head::Model, whom: &Whom, from: i64) -> Result<(Vec<Event>, i64)> {
        let events = self.dialect.events_by_sequence(head.organization_no, from, head.size - 1, false, LOOK);
        let mut events = self.events_of(events).await?;
        let is_over = (events.len() as i64) < LOOK;
        let next = events.last().filter(|_| !is_over).map_or(head.size, |last| last.sequence + 1);
        events.retain(|event| !whom.paths(event).is_empty());
        Ok((events, next.max(from)))
    }

    /// The first hold that keeps one of some events.
    pub(super) async fn hold_of(
        &self,
        tx: &Transaction,
        product: &Product,
        dictionary: &Dictionary,
        events: &[Event],
        now: Timestamp,
    ) -> Result<Option<Hold>> {
        if events.is_empty() {
            return Ok(None);
        }
        let organization_no = events[0].organization_no;
        for hold in self.holds_on(tx, organization_no).await? {
            let holding = Holding::of(&hold, product, dictionary, now)?;
            if events.iter().any(|event| holding.keeps(event, dictionary)) {
                return Ok(Some(hold));
            }
        }
        Ok(None)
    }

    /// Takes what paths name out of events of one organization, with all that follows from it. Returns of how many
    /// something went.
    pub(super) async fn empty_fields(
        &self,
        tx: &Transaction,
        head: &head::Model,
        dictionary: &Dictionary,
        events: Vec<(Event, Vec<String>)>,
        now: Timestamp,
    ) -> Result<i64> {
        let no = head.organization_no;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (event, paths) in events {
            let mut left = event.clone();
            erased::erase(&mut left, &paths).map_err(Error::internal)?;
            if left != event {
                before.push(event);
                after.push(left);
            }
        }
        let Some((low, high)) = ends(&after) else { return Ok(0) };
        let then = self.documents_there(no, &before, dictionary).await?;
        let now_are: Vec<_> = after.iter().map(|event| self.document_of(event, dictionary)).collect();
        let left = after.iter().zip(&now_are).map(|(event, terms)| Left {
            sequence: event.sequence,
            position: event.position.0,
            values: left_of(event),
            terms: terms.clone(),
        });
        self.execute(tx, self.dialect.open_erasing_door(no, low, high)).await?;
        for sql in self.dialect.erase_fields(no, left.collect()) {
            self.execute(tx, sql).await?;
        }
        let derived = (derived_of(&before, &then, dictionary)?, derived_of(&after, &now_are, dictionary)?);
        self.change_derived(tx, &derived.0, &derived.1).await?;
        self.execute(tx, self.dialect.close_erasing_door()).await?;
        let letters = dead_letter::Entity::update_many()
            .col_expr(dead_letter::Column::Reason, NO_REASON.into())
            .filter(dead_letter::Column::OrganizationNo.eq(no))
            .filter(dead_letter::Column::Sequence.is_in(after.iter().map(|event| event.sequence)));
        letters.exec(tx).await.map_err(error::from)?;
        self.forget_views_by_id(tx, no, views_told_of(&before, &after)).await?;
        self.list_erased(tx, &after, now).await?;
        let erased = HEAD.update("erased", head.erased + after.len() as i64);
        self.execute(tx, erased.with(" WHERE organization_no = ", no)).await?;
        self.ensure_partitions(after.iter().map(|event| event.position.0), now).await?;
        Ok(after.len() as i64)
    }

    /// Writes events into the erasure list.
    async fn list_erased(&self, tx: &Transaction, events: &[Event], now: Timestamp) -> Result<()> {
        let rows = events.iter().map(|event| erased_event::ActiveModel {
            organization_no: Set(event.organization_no),
            sequence: Set(event.sequence),
            salt: Set(event.salt),
            paths: Set(stored::paths(&event.erased).unwrap_or_default()),
            erased_ns: Set(now.0),
        });
        let again = OnConflict::columns([erased_event::Column::OrganizationNo, erased_event::Column::Sequence])
            .update_columns([erased_event::Column::Salt, erased_event::Column::Paths, erased_event::Column::ErasedNs])
            .to_owned();
        let written = erased_event::Entity::insert_many(rows).on_conflict(again).exec_without_returning(tx).await;
        written.map_err(error::from)?;
        Ok(())
    }
}

/// The least and the greatest sequence of some events.
fn ends(events: &[Event]) -> Option<(i64, i64)> {
    let sequences = events.iter().map(|event| event.sequence);
    sequences.clone().min().zip(sequences.max())
}

/// The values of [`ERASED`] of an event.
fn left_of(event: &Event) -> [sea_orm::Value; ERASED.len()] {
    let mut named: std::collections::HashMap<_, _> =
        EVENT.rest.iter().map(|(name, _)| *name).zip(rows::values_of(event)).collect();
    ERASED.map(|name| named.remove(name).unwrap_or_else(|| unreachable!("{name} is a column of events")))
}

/// Ids of views that events tell of the saving of, where who saved them is erased. So a database that is restored from a
/// backup loses them too, although nobody says any more whose they were.
fn views_told_of(before: &[Event], after: &[Event]) -> Vec<String> {
    let erased = before.iter().zip(after).filter(|(before, after)| before.actor != after.actor);
    let saved = erased.map(|(event, _)| event).filter(|event| event.action.as_str() == VIEW_CREATED);
    saved.filter_map(|event| event.resources.first()?.id.clone()).collect()
}
