//! Deciding a group in memory, in arrival order: idempotency, logs, kinds, sequence.

use std::{collections::HashMap, sync::Arc};

use super::{
    logs::find_or_add_log,
    organizations::Organization,
    task::{Item, Key},
};
use crate::{
    auth::LogName,
    catalog::Product,
    chance::Chance,
    error::{Error, Result},
    event::{Draft, Event, EventId, Position, Timestamp, hash::Hash, id::SALT_BITS, input::LogRef},
    store::dictionary::Kind,
};

/// What an idempotency key stands for.
#[derive(Clone, Copy)]
pub(in crate::store) enum Known {
    /// An event of an earlier transaction.
    Stored { sequence: i64, salt: i64, log_no: i64, content: Hash },
    /// An event of this group.
    Staged { event: usize, content: Hash },
}

/// An event that will be inserted.
pub(in crate::store) struct Staged<'a> {
    pub organization: usize,
    pub event: Event,
    pub kind_no: i64,
    pub terms: &'a [String],
    pub key: Option<Key>,
}

/// What became of an item, before the commit.
#[derive(Clone)]
pub(in crate::store) enum Decided {
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
pub(in crate::store) struct Stage<'a> {
    pub now: Timestamp,
    chance: &'a Chance,
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
    pub fn new(
        now: Timestamp,
        chance: &'a Chance,
        organizations: Vec<Organization>,
        keys: HashMap<(usize, Hash), Known>,
    ) -> Self {
        Self { now, chance, organizations, events: Vec::new(), keys, staged_keys: Vec::new() }
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

    /// Stages the event that tells of a change: in the organization's own log or, where whoever made the change is narrowed
    /// to logs, in the first of those that was not deleted.
    pub fn tell(&mut self, organization: usize, item: &'a Item) -> Decided {
        let before = self.mark();
        let log = self.log_to_tell_in(organization, item);
        match log.and_then(|no| self.stage(organization, item, Some(no))) {
            Ok(decided) => decided,
            Err(error) => {
                self.back_to(&before);
                Decided::Refused(error)
            }
        }
    }

    fn log_to_tell_in(&mut self, organization: usize, item: &Item) -> Result<i64> {
        let allowed = item.scope.allowed_logs();
        if allowed.is_empty() {
            return Ok(0);
        }
        let org = &mut self.organizations[organization];
        let is_there =
            |log: &&LogName| org.dictionary.live(&log.level, &log.id).is_some() || org.dictionary.named(log).is_none();
        let log = allowed.iter().find(is_there).ok_or_else(Error::other_logs)?;
        let reference = LogRef { level: log.level.clone(), id: log.id.clone(), name: None, parent: None };
        find_or_add_log(org, item.scope.product(), self.chance, &reference, "log")
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
            return self.deleted_before(organization, name, allowed, event);
        };
        if !org.dictionary.may_see(allowed, no) {
            return Err(Error::other_logs());
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
        allowed: &[LogName],
        event: Option<&Item>,
    ) -> Result<(i64, Option<Decided>)> {
        let gone = Error::not_found("log");
        let org = &self.organizations[organization];
        let Some(no) = org.dictionary.named(name) else { return Err(gone) };
        let Some(item) = event else { return Err(gone) };
        let parent = org.dictionary.log(no).and_then(|log| log.parent).unwrap_or(0);
        if !org.dictionary.may_see(allowed, parent) {
            return Err(gone);
        }
        match self.repeated(organization, item)? {
            Some(decided) => Ok((no, Some(decided))),
            None => Err(gone),
        }
    }

    /// The event that has the item's key, where its content is the same. Of one in a log that the token is not for, nothing
    /// is told but that the key is taken.
    fn repeated(&self, organization: usize, item: &Item) -> Result<Option<Decided>> {
        let Some(key) = item.key else { return Ok(None) };
        let known = self.keys.get(&(organization, key.hash)).or_else(|| self.keys.get(&(organization, key.plain)));
        let Some(known) = known else { return Ok(None) };
        let org = &self.organizations[organization];
        let (content, log_no, id, decided) = match *known {
            Known::Stored { sequence, salt, log_no, content } => {
                let id = EventId { organization_no: org.no, sequence, salt };
                (content, log_no, id, Decided::Earlier { organization, sequence })
            }
            Known::Staged { event: at, content } => {
                let event = &self.events[at].event;
                (content, event.log_no, event.id(), Decided::Repeat(at))
            }
        };
        let is_seen = org.dictionary.may_see(item.scope.allowed_logs(), log_no);
        if is_seen && key.came_with(content) {
            return Ok(Some(decided));
        }
        Err(Error::Conflict { existing: is_seen.then(|| id.to_string()) })
    }

    fn stage(&mut self, organization: usize, item: &'a Item, log_no: Option<i64>) -> Result<Decided> {
        if self.organizations[organization].is_unnumbered {
            return Err(Error::NoOrganizationLeft);
        }
        if self.organizations[organization].head.ended != 0 {
            return Err(Error::Ended);
        }
        // A token that is narrowed to logs is told nothing of a key before the log is known to be one of its own.
        let is_narrowed = !item.scope.allowed_logs().is_empty();
        if !is_narrowed && let Some(decided) = self.repeated(organization, item)? {
            return Ok(decided);
        }
        let product = item.scope.product().clone();
        let org = &mut self.organizations[organization];
        let log_no = match (log_no, &item.log) {
            (Some(no), _) => no,
            (None, Some(reference)) => find_or_add_log(org, &product, self.chance, reference, "log")?,
            (None, None) => 0,
        };
        if !org.dictionary.may_see(item.scope.allowed_logs(), log_no) {
            return Err(Error::other_logs());
        }
        if is_narrowed && let Some(decided) = self.repeated(organization, item)? {
            return Ok(decided);
        }
        let org = &mut self.organizations[organization];
        let Draft { action, category, outcome, .. } = &item.draft;
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
        let occurred_at = item.occurred_at.unwrap_or(self.now);
        let event = Event {
            organization_no: org.no,
            sequence,
            position: Position::block_of(occurred_at),
            salt: self.chance.bits(SALT_BITS),
            log_no,
            occurred_at,
            recorded_at,
            said: item.draft.clone(),
            erased: Vec::new(),
        };
        let index = self.events.len();
        if let Some(Key { hash, content, .. }) = item.key {
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
