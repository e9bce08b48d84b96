//! The inserting half of a recording transaction.

use std::collections::BTreeSet;

use sea_orm::Value;

use super::{
    stage::{Stage, Staged},
    task::Key,
};
use crate::{
    error::Result,
    event::{Outcome, terms},
    store::{
        LogNode, Store,
        connection::transaction::Transaction,
        derived::Derived,
        dialect::{CHUNK, Dialect, sql::Sql},
        dictionary::Kind,
        rows,
        tables::{HEAD, KIND, LOG},
    },
};

impl Store {
    /// Writes everything that a stage decided.
    pub(in crate::store) async fn insert(&self, tx: &Transaction, stage: &mut Stage<'_>) -> Result<()> {
        let documents: Vec<_> = stage.events.iter().map(|staged| self.document(stage, staged)).collect();
        self.insert_events(tx, stage, &documents).await?;
        let events = stage.events.iter().zip(&documents).map(|(staged, document)| Derived {
            event: &staged.event,
            kind_no: staged.kind_no,
            document,
            key: staged.key.map(|Key { hash, content, .. }| (hash, content)),
        });
        let derived: Vec<_> = events.collect();
        self.add_derived(tx, &derived).await?;
        self.insert_organizations(tx, stage).await
    }

    /// The terms of an event, as the search index takes them.
    fn document(&self, stage: &Stage<'_>, staged: &Staged<'_>) -> String {
        let org = &stage.organizations[staged.organization];
        let logs: Vec<_> = terms::of_logs(staged.event.log_no, org.dictionary.within(staged.event.log_no)).collect();
        let mut document = String::new();
        self.dialect.write_terms(&mut document, org.no, staged.terms.iter().chain(&logs));
        document
    }

    async fn insert_events(&self, tx: &Transaction, stage: &Stage<'_>, documents: &[String]) -> Result<()> {
        let events: Vec<_> = stage.events.iter().zip(documents).collect();
        for chunk in self.dialect.insertions(&events, |(staged, _)| staged.event.organization_no) {
            let sql = self.dialect.insert_events();
            let sql = match self.dialect {
                Dialect::Sqlite => {
                    sql.table(self.dialect, chunk.iter().map(|(staged, _)| row::<26>(self.dialect, staged, None)))
                }
                Dialect::Postgres | Dialect::Citus => {
                    let rows = chunk.iter().map(|(staged, terms)| row::<28>(self.dialect, staged, Some(terms)));
                    sql.added(self.dialect, rows, Some("tsvector"))
                }
            };
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
            if org.is_unnumbered || org.head.ended != 0 {
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
                org.head.removed.into(),
                org.head.ended.into(),
                org.head.erased.into(),
            ]);
        }
        for chunk in logs.chunks(CHUNK) {
            let sql = LOG.insert();
            self.execute(tx, sql.inserted(self.dialect, chunk.iter().cloned(), None)).await?;
        }
        for chunk in kinds.chunks(CHUNK) {
            let sql = KIND.insert();
            self.execute(tx, sql.inserted(self.dialect, chunk.iter().cloned(), None)).await?;
        }
        for chunk in heads.chunks(CHUNK) {
            let sql = HEAD.insert().inserted(self.dialect, chunk.iter().cloned(), None);
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
