//! The inserting half of a recording transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::Value;

use super::{
    CHUNK,
    stage::{Stage, Staged},
};
use crate::{
    error::Result,
    event::{
        Actor, Outcome,
        hash::{self, Hash},
        terms,
    },
    store::{
        LogNode, Store,
        connection::transaction::Transaction,
        dialect::{Dialect, search_rowid, sql::Sql},
        dictionary::Kind,
        grain::{DAY, Grain, QUARTER},
        rows,
        tables::{COUNT, DIRECTORY, HEAD, IDEMPOTENCY, KIND, LOG, ORDER},
    },
};

impl Store {
    /// Writes everything that a stage decided.
    pub(in crate::store) async fn insert(&self, tx: &Transaction, stage: &mut Stage<'_>) -> Result<()> {
        self.insert_events(tx, stage).await?;
        self.insert_keys(tx, stage).await?;
        self.insert_counts(tx, stage).await?;
        self.insert_actors(tx, stage).await?;
        self.insert_organizations(tx, stage).await
    }

    async fn insert_events(&self, tx: &Transaction, stage: &Stage<'_>) -> Result<()> {
        // Two organizations may share a rowid of SQLite's search index; it wants them ascending, each once.
        let mut documents: BTreeMap<i64, String> = BTreeMap::new();
        let mut texts = Vec::with_capacity(stage.events.len());
        for staged in &stage.events {
            let org = &stage.organizations[staged.organization];
            let event = &staged.event;
            let logs: Vec<_> = terms::of_logs(event.log_no, org.dictionary.within(event.log_no)).collect();
            let terms = staged.terms.iter().chain(&logs);
            match self.dialect {
                Dialect::Sqlite => {
                    let document = documents.entry(event.position.0).or_default();
                    self.dialect.write_terms(document, org.no, terms);
                }
                Dialect::Postgres => {
                    let mut text = String::new();
                    self.dialect.write_terms(&mut text, org.no, terms);
                    texts.push(text);
                }
            }
        }
        for (at, chunk) in stage.events.chunks(CHUNK).enumerate() {
            let sql = self.dialect.insert_events();
            let sql = match self.dialect {
                Dialect::Sqlite => {
                    sql.table(self.dialect, chunk.iter().map(|staged| row::<24>(self.dialect, staged, None)))
                }
                Dialect::Postgres => {
                    let texts = &texts[at * CHUNK..];
                    let rows =
                        chunk.iter().zip(texts).map(|(staged, terms)| row::<26>(self.dialect, staged, Some(terms)));
                    sql.table_of(self.dialect, rows, Some("tsvector"))
                }
            };
            self.execute(tx, sql).await?;
        }
        for chunk in stage.events.chunks(CHUNK) {
            let rows = chunk
                .iter()
                .map(|s| [Value::from(s.event.organization_no), s.event.sequence.into(), s.event.position.0.into()]);
            self.execute(tx, ORDER.insert().table(self.dialect, rows)).await?;
        }
        if self.dialect == Dialect::Sqlite {
            // In the order of their rowids: FTS5 writes a piece of its index whenever they fall.
            let documents: Vec<_> = documents.into_iter().rev().collect();
            for chunk in documents.chunks(CHUNK) {
                let rows = chunk.iter().map(|(at, terms)| [search_rowid(*at).into(), terms.as_str().into()]);
                self.execute(tx, Sql::new("INSERT INTO event_search (rowid, terms) ").table(self.dialect, rows))
                    .await?;
            }
        }
        Ok(())
    }

    async fn insert_keys(&self, tx: &Transaction, stage: &Stage<'_>) -> Result<()> {
        let keyed: Vec<_> = stage.events.iter().filter_map(|staged| Some((staged, staged.key?))).collect();
        for chunk in keyed.chunks(CHUNK) {
            let rows = chunk.iter().map(|(staged, key)| {
                [
                    Value::from(staged.event.organization_no),
                    key.hash.to_vec().into(),
                    key.content.to_vec().into(),
                    staged.event.sequence.into(),
                ]
            });
            self.execute(tx, IDEMPOTENCY.insert().table(self.dialect, rows)).await?;
        }
        Ok(())
    }

    async fn insert_counts(&self, tx: &Transaction, stage: &Stage<'_>) -> Result<()> {
        let mut counts: BTreeMap<[i64; 5], i64> = BTreeMap::new();
        for Staged { event, kind_no, .. } in &stage.events {
            let at = event.occurred_at.0;
            let buckets =
                [(Grain::Quarter, at.div_euclid(QUARTER)), (Grain::Day, at.div_euclid(DAY)), (Grain::Ever, 0)];
            for (grain, bucket) in buckets {
                *counts.entry([event.organization_no, grain as i64, bucket, event.log_no, *kind_no]).or_default() += 1;
            }
        }
        let counts: Vec<_> = counts.into_iter().collect();
        for chunk in counts.chunks(CHUNK * 2) {
            let rows = chunk.iter().map(|([org, grain, bucket, log, kind], n)| {
                [
                    Value::from(*org),
                    i16::try_from(*grain).expect("there are few grains").into(),
                    (*bucket).into(),
                    (*log).into(),
                    (*kind).into(),
                    (*n).into(),
                ]
            });
            let sql = COUNT.insert().table(self.dialect, rows);
            let sql = sql.text(" ON CONFLICT (organization_no, grain, bucket, log_no, kind_no) DO UPDATE SET n = event_count.n + excluded.n");
            self.execute(tx, sql).await?;
        }
        Ok(())
    }

    async fn insert_actors(&self, tx: &Transaction, stage: &Stage<'_>) -> Result<()> {
        let mut actors: HashMap<(i64, &Actor), (i64, i64)> = HashMap::new();
        for Staged { event, .. } in &stage.events {
            let entry = actors.entry((event.organization_no, &event.actor)).or_insert((0, i64::MIN));
            entry.0 += 1;
            entry.1 = entry.1.max(event.position.0);
        }
        let mut rows: Vec<_> =
            actors.into_iter().map(|((org, actor), (n, last))| (org, actor_hash(actor), actor, n, last)).collect();
        rows.sort_by_key(|row| (row.0, row.1));
        for chunk in rows.chunks(CHUNK) {
            let rows = chunk.iter().map(|(org, hash, actor, n, last)| {
                [
                    Value::from(*org),
                    hash.to_vec().into(),
                    actor.kind.number().into(),
                    actor.id.clone().into(),
                    actor.name.clone().into(),
                    actor.email.clone().into(),
                    actor.folded().into(),
                    actor.name.as_ref().map(|name| name.to_lowercase()).into(),
                    actor.email.as_ref().map(|email| email.to_lowercase()).into(),
                    (*n).into(),
                    (*last).into(),
                ]
            });
            let sql = DIRECTORY.insert();
            let sql = sql.table(self.dialect, rows);
            let last = self.dialect.greatest("actor_directory.last_position", "excluded.last_position");
            let sql = sql
                .text(
                    " ON CONFLICT (organization_no, hash) DO UPDATE SET n = actor_directory.n + excluded.n, last_position = ",
                )
                .text(&last);
            self.execute(tx, sql).await?;
        }
        Ok(())
    }

    /// Writes new logs and kinds, deletions, and the heads. An organization that recorded nothing is taken back.
    async fn insert_organizations(&self, tx: &Transaction, stage: &mut Stage<'_>) -> Result<()> {
        let (mut logs, mut kinds, mut heads) = (Vec::new(), Vec::new(), Vec::new());
        for Staged { organization, event, .. } in &stage.events {
            stage.organizations[*organization].head.last_salt = event.salt;
        }
        for org in &mut stage.organizations {
            if org.is_unnumbered {
                continue;
            }
            if org.is_new && org.head.size == 0 {
                self.execute(tx, Sql::new("DELETE FROM organization WHERE no = ").bind(org.no)).await?;
                continue;
            }
            let (known_logs, known_kinds) = org.stored;
            let new_logs = org.dictionary.logs.iter().enumerate().skip(known_logs);
            logs.extend(new_logs.map(|(no, log)| log_row(org.no, no as i64, log)));
            let new_kinds = org.dictionary.kinds.iter().enumerate().skip(known_kinds);
            kinds.extend(new_kinds.map(|(no, kind)| kind_row(org.no, no as i64, kind)));
            let changed: BTreeSet<i64> = org.changed.iter().copied().filter(|&no| no < known_logs as i64).collect();
            for no in &changed {
                let deleted = org.dictionary.log(*no).and_then(|log| log.deleted_at).map(|at| at.0);
                let sql = Sql::new("UPDATE log SET deleted_ns = ")
                    .bind(deleted)
                    .with(" WHERE organization_no = ", org.no)
                    .with(" AND no = ", *no);
                self.execute(tx, sql).await?;
            }
            let is_new = org.stored != (org.dictionary.logs.len(), org.dictionary.kinds.len());
            if is_new || !org.changed.is_empty() {
                org.head.dictionary += self.dictionary_step();
                std::sync::Arc::make_mut(&mut org.dictionary).version = org.head.dictionary;
            }
            heads.push([
                Value::from(org.no),
                org.head.size.into(),
                org.head.spill.into(),
                org.head.recorded_ns.into(),
                org.head.dictionary.into(),
                org.head.last_salt.into(),
            ]);
        }
        for chunk in logs.chunks(CHUNK) {
            let sql = LOG.insert();
            self.execute(tx, sql.table(self.dialect, chunk.iter().cloned())).await?;
        }
        for chunk in kinds.chunks(CHUNK) {
            let sql = KIND.insert();
            self.execute(tx, sql.table(self.dialect, chunk.iter().cloned())).await?;
        }
        for chunk in heads.chunks(CHUNK) {
            let sql = HEAD.insert().table(self.dialect, chunk.iter().cloned());
            let sql = sql.text(
                " ON CONFLICT (organization_no) DO UPDATE SET size = excluded.size, spill = excluded.spill, \
                 recorded_ns = excluded.recorded_ns, dictionary = excluded.dictionary, \
                 last_salt = excluded.last_salt",
            );
            self.execute(tx, sql).await?;
        }
        Ok(())
    }
}

fn log_row(organization_no: i64, no: i64, log: &LogNode) -> [Value; 8] {
    [
        organization_no.into(),
        no.into(),
        log.level.clone().into(),
        log.id.clone().into(),
        log.name.clone().into(),
        log.parent.into(),
        log.deleted_at.map(|at| at.0).into(),
        log.salt.into(),
    ]
}

fn kind_row(organization_no: i64, no: i64, kind: &Kind) -> [Value; 5] {
    let outcome = kind.outcome.map(Outcome::number);
    [organization_no.into(), no.into(), kind.action.to_string().into(), kind.category.clone().into(), outcome.into()]
}

/// The places of an event's row, in the order of [`Dialect::insert_events`].
fn row<const N: usize>(dialect: Dialect, staged: &Staged<'_>, terms: Option<&String>) -> [Value; N] {
    let mut values: Vec<Value> = dialect.key_values(staged.event.organization_no, staged.event.sequence);
    values.extend(rows::values_of(&staged.event));
    values.extend(terms.map(|terms| Value::from(terms.as_str())));
    values.try_into().unwrap_or_else(|values: Vec<Value>| panic!("an event has {N} places, not {}", values.len()))
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
