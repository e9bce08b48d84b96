//! Deciding a group in memory, in arrival order: idempotency, logs, kinds, sequence.

use std::{collections::HashMap, sync::Arc};

use entity::organization_head as head;

use super::{
    Dictionary, LogNode,
    dictionary::Kind,
    selection::may_see,
    task::{Item, Key},
};
use crate::{
    auth::LogName,
    catalog::Product,
    error::{Error, Result},
    event::{Event, EventId, Position, Timestamp, hash::Hash, id::SALT_BITS, input::LogRef},
};

/// An organization while a group is decided.
pub(super) struct Organization {
    pub product: String,
    pub external_id: String,
    pub no: i64,
    /// Whether the database has no number left for it: it can record nothing.
    pub is_unnumbered: bool,
    /// Whether this transaction created it.
    pub is_new: bool,
    pub head: head::Model,
    pub dictionary: Arc<Dictionary>,
    /// Logs and kinds that are stored already.
    pub stored: (usize, usize),
    /// Logs whose row changed: number, name, deletion.
    pub changed: Vec<i64>,
}

/// What an idempotency key stands for.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// An event of an earlier transaction.
    Stored { sequence: i64, salt: i64, content: Hash },
    /// An event of this group.
    Staged { event: usize, content: Hash },
}

/// An event that will be inserted.
pub(super) struct Staged<'a> {
    pub organization: usize,
    pub event: Event,
    pub kind_no: i64,
    pub terms: &'a [String],
    pub key: Option<Key>,
}

/// What became of an item, before the commit.
#[derive(Clone)]
pub(super) enum Decided {
    /// A new event.
    New(usize),
    /// An event of this group had the same key and content.
    Repeat(usize),
    /// An earlier event has the same key and content.
    Earlier { organization: usize, sequence: i64 },
    /// Refused.
    Refused(Error),
}

/// The group so far.
pub(super) struct Stage<'a> {
    pub now: Timestamp,
    pub organizations: Vec<Organization>,
    pub events: Vec<Staged<'a>>,
    pub keys: HashMap<(usize, Hash), Known>,
    staged_keys: Vec<(usize, Hash)>,
}

/// Where a stage can be taken back to.
struct Mark {
    events: usize,
    keys: usize,
    organizations: Vec<OrganizationMark>,
}

struct OrganizationMark {
    size: i64,
    recorded_ns: i64,
    logs: usize,
    kinds: usize,
    changed: usize,
}

impl<'a> Stage<'a> {
    pub fn new(now: Timestamp, organizations: Vec<Organization>, keys: HashMap<(usize, Hash), Known>) -> Self {
        Self { now, organizations, events: Vec::new(), keys, staged_keys: Vec::new() }
    }

    /// Decides the items of one request.
    pub fn record(&mut self, items: &[(usize, &'a Item)], atomic: bool) -> Vec<Decided> {
        let start = self.mark();
        let mut decided = Vec::with_capacity(items.len());
        for (organization, item) in items {
            let before = self.mark();
            match self.stage(*organization, item, None) {
                Ok(one) => decided.push(one),
                Err(error) => {
                    self.back_to(&before);
                    decided.push(Decided::Refused(error));
                }
            }
        }
        if atomic && decided.iter().any(|one| matches!(one, Decided::Refused(_))) {
            self.back_to(&start);
            for one in &mut decided {
                if !matches!(one, Decided::Refused(_)) {
                    *one = Decided::Refused(Error::left_out());
                }
            }
        }
        decided
    }

    /// Deletes a log and those below it, and records an event in the log above.
    pub fn delete_log(
        &mut self,
        organization: usize,
        product: &Product,
        name: &LogName,
        allowed: &[LogName],
        event: Option<&'a Item>,
    ) -> Result<(i64, Option<Decided>)> {
        let org = &self.organizations[organization];
        if name.level == product.top_level().name {
            return Err(Error::bad_input("log.level", "the organization's own log cannot be deleted"));
        }
        let Some(no) = org.dictionary.live(&name.level, &name.id) else {
            return self.deleted_before(organization, name, event);
        };
        if !may_see(&org.dictionary, allowed, no) {
            return Err(Error::Forbidden("this token is for other logs".to_owned()));
        }
        let parent = org.dictionary.log(no).and_then(|log| log.parent).unwrap_or(0);
        let before = self.mark();
        let staged = event
            .map(|item| self.stage(organization, item, Some(parent)))
            .transpose()
            .map_err(|error| error.under("event"));
        let decided = match staged {
            Ok(decided) => decided,
            Err(error) => {
                self.back_to(&before);
                return Err(error);
            }
        };
        let now = self.now;
        let org = &mut self.organizations[organization];
        let below: Vec<i64> = (0..org.dictionary.logs.len() as i64)
            .filter(|&each| {
                org.dictionary.log(each).is_some_and(|log| log.deleted_at.is_none())
                    && org.dictionary.within(each).any(|up| up == no)
            })
            .collect();
        for each in below {
            Arc::make_mut(&mut org.dictionary).delete_log(each, now);
            org.changed.push(each);
        }
        Ok((no, decided))
    }

    /// A repeated deletion with the idempotency key of the first is answered like the first.
    fn deleted_before(
        &self,
        organization: usize,
        name: &LogName,
        event: Option<&Item>,
    ) -> Result<(i64, Option<Decided>)> {
        let gone = Error::not_found("log");
        let org = &self.organizations[organization];
        let Some(no) = org.dictionary.named(name) else { return Err(gone) };
        let Some(item) = event else { return Err(gone) };
        match self.repeated(organization, item)? {
            Some(decided) => Ok((no, Some(decided))),
            None => Err(gone),
        }
    }

    fn repeated(&self, organization: usize, item: &Item) -> Result<Option<Decided>> {
        let Some(key) = item.key else { return Ok(None) };
        let Some(known) = self.keys.get(&(organization, key.hash)) else { return Ok(None) };
        let (content, sequence, decided) = match *known {
            Known::Stored { sequence, content, .. } => (content, sequence, Decided::Earlier { organization, sequence }),
            Known::Staged { event, content } => (content, self.events[event].event.sequence, Decided::Repeat(event)),
        };
        if content == key.content {
            return Ok(Some(decided));
        }
        let existing = match *known {
            Known::Staged { event, .. } => self.events[event].event.id(),
            Known::Stored { salt, .. } => {
                EventId { organization_no: self.organizations[organization].no, sequence, salt }
            }
        };
        Err(Error::Conflict {
            message: "idempotencyKey: was used for another event".to_owned(),
            existing: Some(existing.to_string()),
        })
    }

    fn stage(&mut self, organization: usize, item: &'a Item, log_no: Option<i64>) -> Result<Decided> {
        if self.organizations[organization].is_unnumbered {
            return Err(Error::NoOrganizationLeft);
        }
        if let Some(decided) = self.repeated(organization, item)? {
            return Ok(decided);
        }
        let product = item.scope.product().clone();
        let org = &mut self.organizations[organization];
        let log_no = match (log_no, &item.log) {
            (Some(no), _) => no,
            (None, Some(reference)) => find_or_add_log(org, &product, reference, "log")?,
            (None, None) => 0,
        };
        if !may_see(&org.dictionary, item.scope.allowed_logs(), log_no) {
            return Err(Error::Forbidden("this token is for other logs".to_owned()));
        }
        let Event { action, category, outcome, .. } = &item.event;
        let kind = Kind { action: action.clone(), category: category.clone(), outcome: *outcome };
        let kind_no = match org.dictionary.kind_no(&kind) {
            Some(no) => no,
            None => Arc::make_mut(&mut org.dictionary).add_kind(kind),
        };
        let sequence = org.head.size;
        org.head.size += 1;
        // A clock that was set back must not make a later event look earlier recorded than the one before it.
        let recorded_at = Timestamp(org.head.recorded_ns.max(self.now.0));
        org.head.recorded_ns = recorded_at.0;
        let occurred_at = if item.is_dated { item.event.occurred_at } else { self.now };
        let event = Event {
            organization_no: org.no,
            sequence,
            position: Position::block_of(occurred_at),
            salt: salt(),
            log_no,
            occurred_at,
            recorded_at,
            ..item.event.clone()
        };
        let index = self.events.len();
        if let Some(Key { hash, content }) = item.key {
            self.keys.insert((organization, hash), Known::Staged { event: index, content });
            self.staged_keys.push((organization, hash));
        }
        self.events.push(Staged { organization, event, kind_no, terms: &item.terms, key: item.key });
        Ok(Decided::New(index))
    }

    fn mark(&self) -> Mark {
        let of = |org: &Organization| OrganizationMark {
            size: org.head.size,
            recorded_ns: org.head.recorded_ns,
            logs: org.dictionary.logs.len(),
            kinds: org.dictionary.kinds.len(),
            changed: org.changed.len(),
        };
        Mark {
            events: self.events.len(),
            keys: self.staged_keys.len(),
            organizations: self.organizations.iter().map(of).collect(),
        }
    }

    fn back_to(&mut self, mark: &Mark) {
        self.events.truncate(mark.events);
        for key in self.staged_keys.drain(mark.keys..) {
            self.keys.remove(&key);
        }
        for (org, mark) in self.organizations.iter_mut().zip(&mark.organizations) {
            org.head.size = mark.size;
            org.head.recorded_ns = mark.recorded_ns;
            org.changed.truncate(mark.changed);
            if org.dictionary.logs.len() > mark.logs || org.dictionary.kinds.len() > mark.kinds {
                Arc::make_mut(&mut org.dictionary).truncate(mark.logs, mark.kinds);
            }
        }
    }
}

/// The random part of a new id.
pub(super) fn salt() -> i64 {
    (rand::random::<u64>() & ((1 << SALT_BITS) - 1)) as i64
}

/// The number of a live log, created with what is above it at first use.
fn find_or_add_log(org: &mut Organization, product: &Product, reference: &LogRef, field: &str) -> Result<i64> {
    let Some((_, level)) = product.level(&reference.level) else {
        let names: Vec<_> = product.levels.iter().map(|level| level.name.as_str()).collect();
        return Err(Error::bad_input(
            format!("{field}.level"),
            format!("must be one of {}, got {:?}", names.join(", "), reference.level),
        ));
    };
    let Some(above) = &level.parent else {
        if reference.id != org.external_id {
            return Err(Error::bad_input(
                format!("{field}.id"),
                format!("must be the organization's id at level {}", level.name),
            ));
        }
        return Ok(0);
    };
    let parent_field = format!("{field}.parent");
    if let Some(parent) = &reference.parent
        && parent.level != *above
    {
        return Err(Error::bad_input(
            format!("{parent_field}.level"),
            format!("must be {above}, got {:?}", parent.level),
        ));
    }
    if let Some(no) = org.dictionary.live(&reference.level, &reference.id) {
        let parent_no = org.dictionary.log(no).and_then(|log| log.parent);
        if let Some(parent) = &reference.parent {
            let given = if *above == product.top_level().name {
                (parent.id == org.external_id).then_some(0)
            } else {
                org.dictionary.live(&parent.level, &parent.id)
            };
            if given != parent_no {
                return Err(Error::bad_input(parent_field, "the log lies in another one"));
            }
        }
        return Ok(no);
    }
    let parent = match &reference.parent {
        Some(parent) => find_or_add_log(org, product, parent, &parent_field)?,
        None if *above == product.top_level().name => 0,
        None => {
            return Err(Error::bad_input(
                parent_field,
                format!("must name the {above} when the {} is new", level.name),
            ));
        }
    };
    let log = LogNode {
        level: reference.level.clone(),
        id: reference.id.clone(),
        name: reference.name.clone(),
        parent: Some(parent),
        deleted_at: None,
        salt: salt(),
    };
    Ok(Arc::make_mut(&mut org.dictionary).add_log(log))
}
