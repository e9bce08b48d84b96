//! The directory: the distinct actors of an organization, how often each has acted, and when last.

use std::{borrow::Cow, collections::HashMap};

use sea_orm::{FromQueryResult, Value};

use super::{Brought, Derived, TakenTwice};
use crate::{
    error::{Error, Result},
    event::{
        Actor, Event,
        hash::{self, Hash},
        terms::{self, TermKind},
    },
    question::filter::{Clause, Term},
    store::{Store, connection::transaction::Transaction, dialect::CHUNK, error, range::Range, tables::DIRECTORY},
};

/// Events of an actor that are looked through at once for the newest.
const STEP: i64 = 100;

/// What events say of an actor: whose, hash, actor, how many, and the last position.
pub(in crate::store) type Entry<'a> = (i64, Hash, Cow<'a, Actor>, i64, i64);

impl Store {
    pub(super) async fn add_actors(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        for chunk in entries(events).chunks(CHUNK) {
            let rows = chunk.iter().map(|entry| row(entry, entry.3));
            let last = self.dialect.greatest("actor_directory.last_position", "excluded.last_position");
            let sql = DIRECTORY.insert().inserted(self.dialect, rows, None);
            let sql = sql.text(
                " ON CONFLICT (organization_no, hash) DO UPDATE SET n = actor_directory.n + excluded.n, last_position = ",
            );
            self.execute(tx, sql.text(&last)).await?;
        }
        Ok(())
    }

    pub(super) async fn take_back_actors(&self, tx: &Transaction, brought: &Brought<'_>) -> Result<()> {
        for chunk in brought.actors.chunks(CHUNK) {
            let rows = chunk.iter().map(|entry| row(entry, -entry.3));
            let sql = DIRECTORY.insert().inserted(self.dialect, rows, None);
            let sql = sql.text(" ON CONFLICT (organization_no, hash) DO UPDATE SET n = actor_directory.n + excluded.n");
            self.execute(tx, sql).await?;
            let keys: Vec<_> = chunk.iter().map(key).collect();
            self.delete_empty(tx, &DIRECTORY, chunk[0].0, &keys).await?;
            self.renew_last(tx, chunk).await?;
        }
        Ok(())
    }

    /// Says anew when those have last acted whose newest event is gone: the newest that was taken back is the newest of all.
    async fn renew_last(&self, tx: &Transaction, entries: &[Entry<'_>]) -> Result<()> {
        #[derive(FromQueryResult)]
        struct Row {
            hash: Vec<u8>,
            last_position: i64,
        }
        let keys = entries.iter().map(key);
        let Some((organization_no, ..)) = entries.first() else { return Ok(()) };
        let left = self.dialect.select_keyed(&DIRECTORY, "t.hash, t.last_position", *organization_no, keys);
        let left = Row::find_by_statement(left.on(self.dialect.backend())).all(tx).await.map_err(error::from)?;
        let left: HashMap<Vec<u8>, i64> = left.into_iter().map(|row| (row.hash, row.last_position)).collect();
        let is_stale = |entry: &&Entry<'_>| left.get(&entry.1[..]) == Some(&entry.4);
        for (organization_no, hash, actor, ..) in entries.iter().filter(is_stale) {
            let newest = self.newest_of(tx, *organization_no, actor).await?;
            let newest = newest.ok_or_else(|| Error::internal(TakenTwice { table: DIRECTORY.name }))?;
            let sql = DIRECTORY.update("last_position", newest).with(" WHERE organization_no = ", *organization_no);
            self.execute(tx, sql.with(" AND hash = ", hash.to_vec())).await?;
        }
        Ok(())
    }

    /// The position of an actor's newest event, as the transaction has left them.
    async fn newest_of(&self, tx: &Transaction, organization_no: i64, actor: &Actor) -> Result<Option<i64>> {
        let Some(head) = self.head(tx, organization_no).await? else { return Ok(None) };
        let values =
            [(TermKind::ActorId, &actor.id), (TermKind::ActorName, &actor.name), (TermKind::ActorEmail, &actor.email)];
        let kind = terms::numbered(TermKind::ActorKind, actor.kind.number().into());
        let terms = values.into_iter().filter_map(|(kind, value)| Some(terms::exact(kind, value.as_deref()?)));
        let clauses: Vec<_> =
            terms.chain([kind]).map(|term| Clause { any: vec![Term::Exact(term)], none: false }).collect();
        let mut range = Range {
            organization_no,
            matching: self.dialect.render(organization_no, &clauses),
            low: i64::MIN,
            high: i64::MAX,
            occurred: None,
            size: head.row.size,
            partitions: self.know_partitions(tx, head.partitions).await?,
        };
        loop {
            let found = self.by_position_on(tx, &range, true, STEP).await?;
            let is_theirs = |event: &&Event| event.actor == *actor;
            match (found.iter().find(is_theirs), found.last()) {
                (Some(event), _) => return Ok(Some(event.position.0)),
                (None, Some(last)) => range.high = last.position.0.saturating_sub(1),
                (None, None) => return Ok(None),
            }
        }
    }
}

/// What some events say of their actors, in the order of keys.
pub(super) fn entries<'a>(events: &[Derived<'a>]) -> Vec<Entry<'a>> {
    let mut actors: HashMap<(i64, &Actor), (i64, i64)> = HashMap::new();
    for Derived { event, .. } in events {
        let entry = actors.entry((event.organization_no, &event.actor)).or_insert((0, i64::MIN));
        entry.0 += 1;
        entry.1 = entry.1.max(event.position.0);
    }
    let of = |((organization_no, actor), (n, last))| entry(organization_no, Cow::Borrowed(actor), n, last);
    in_order(actors.into_iter().map(of))
}

/// What `n` events say of an actor of an organization, the newest of which has the last position.
pub(in crate::store) fn entry(organization_no: i64, actor: Cow<'_, Actor>, n: i64, last: i64) -> Entry<'_> {
    (organization_no, actor_hash(&actor), actor, n, last)
}

/// Entries in the order of keys, in which every transaction locks their rows.
pub(in crate::store) fn in_order<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<Entry<'a>> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|entry| (entry.0, entry.1));
    entries
}

fn key((organization_no, hash, ..): &Entry<'_>) -> [Value; 2] {
    [Value::from(*organization_no), hash.to_vec().into()]
}

fn row((organization_no, hash, actor, _, last): &Entry<'_>, n: i64) -> [Value; 11] {
    [
        Value::from(*organization_no),
        hash.to_vec().into(),
        actor.kind.number().into(),
        actor.id.clone().into(),
        actor.name.clone().into(),
        actor.email.clone().into(),
        actor.folded().into(),
        actor.name.as_ref().map(|name| name.to_lowercase()).into(),
        actor.email.as_ref().map(|email| email.to_lowercase()).into(),
        n.into(),
        (*last).into(),
    ]
}

fn actor_hash(actor: &Actor) -> Hash {
    let mut parts = vec![vec![actor.kind as u8]];
    for part in [&actor.id, &actor.name, &actor.email] {
        let length = part.as_ref().map_or(0, |text| text.len() as u64 + 1);
        parts.push(length.to_be_bytes().to_vec());
        parts.extend(part.as_ref().map(|text| text.as_bytes().to_vec()));
    }
    hash::of(parts)
}
