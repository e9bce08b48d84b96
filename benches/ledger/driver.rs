//! Baselines of recording, without HTTP and GraphQL: the same rows straight through the driver, and a transaction for
//! every event.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use anyhow::{Result, bail};
use ledgerline::{
    clock::Clock,
    event::{Timestamp, hash, terms},
    store::{Appended, Recorded},
};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement, TransactionTrait, Value};

use crate::bench::{Bench, Database, connect, items, record, store};

/// Rows of one statement.
const ROWS: usize = 100;
/// Events that are in the log before the measured ones.
const BEFORE: u64 = 5_000;

/// Events a second of the driver's own batched insert of the same rows into the same tables and indexes: one
/// connection, transactions of so many events, all values and terms made beforehand.
pub async fn limit(bench: &Bench, database: Database, events: u64, batch: usize) -> Result<f64> {
    let set = bench.events(BEFORE + events, false);
    let scopes = bench.scopes()?;
    // The store decides numbers and places once; then the rows are inserted without it.
    let first = store(&bench.fresh_url(database, "limit_first").await?).await?;
    let url = bench.fresh_url(database, "limit").await?;
    let second = store(&url).await?;
    let mut recorded: Vec<Recorded> = Vec::new();
    for from in (0..BEFORE + events).step_by(1_000) {
        let task = record(items(&set, &scopes, from..from + 1_000)?);
        let now = Clock::system().now();
        let answers = first.append(&[], std::slice::from_ref(&task), now).await.map_err(ledgerline::app::with_cause)?;
        if from < BEFORE {
            second.append(&[], &[task], now).await.map_err(ledgerline::app::with_cause)?;
            continue;
        }
        let Some(Appended::Recorded(results)) = answers.into_iter().next() else { bail!("another answer") };
        recorded.extend(results.into_iter().flatten());
    }
    for recorded in &recorded {
        second.make_partitions_ahead(recorded.event.occurred_at).await.map_err(ledgerline::app::with_cause)?;
        // Three months are made at once.
        if database == Database::Sqlite {
            break;
        }
    }
    let db = connect(&url).await?;
    if database == Database::Sqlite {
        for pragma in ["journal_mode = wal", "synchronous = full", "cache_size = -65536", "wal_autocheckpoint = 10000"]
        {
            db.execute_unprepared(&format!("PRAGMA {pragma}")).await?;
        }
    }
    organizations(&db, &recorded).await?;
    let batches: Vec<Rows> = recorded.chunks(batch).map(|chunk| Rows::of(database, chunk)).collect();
    let started = Instant::now();
    for rows in batches {
        rows.insert(&db).await?;
    }
    if database == Database::Postgres {
        // What waits to be sorted into an index is not inserted yet.
        let merge = "SELECT gin_clean_pending_list(c.oid) FROM pg_class c JOIN pg_am a ON a.oid = c.relam \
            WHERE a.amname = 'gin' AND c.relkind = 'i'";
        db.execute_unprepared(merge).await?;
    }
    let rate = recorded.len() as f64 / started.elapsed().as_secs_f64();
    first.close().await;
    second.close().await;
    Ok(rate)
}

/// Events a second with a transaction for every event; the store's own statements, so with the head locked and the
/// sequence given in it, on as many connections as it writes with.
pub async fn naive(bench: &Bench, database: Database, seconds: f64) -> Result<f64> {
    let store = store(&bench.fresh_url(database, "naive").await?).await?;
    let set = bench.events(1_000_000, false);
    let items = items(&set, &bench.scopes()?, 0..40_000)?;
    let writers = if database == Database::Sqlite { 1 } else { 4 };
    let started = Instant::now();
    let each = |part: usize| {
        let (store, items) = (store.clone(), items.iter().skip(part).step_by(writers).cloned().collect::<Vec<_>>());
        async move {
            let mut done = 0;
            for item in items {
                store
                    .append(&[], &[record(vec![item])], Clock::system().now())
                    .await
                    .map_err(ledgerline::app::with_cause)?;
                done += 1;
                if started.elapsed().as_secs_f64() > seconds {
                    break;
                }
            }
            anyhow::Ok(done)
        }
    };
    let tasks: Vec<_> = (0..writers).map(|part| tokio::spawn(each(part))).collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    let rate = f64::from(done) / started.elapsed().as_secs_f64();
    store.close().await;
    Ok(rate)
}

/// Organizations that the first events had none of.
async fn organizations(db: &DatabaseConnection, recorded: &[Recorded]) -> Result<()> {
    let numbers: BTreeMap<i64, ()> = recorded.iter().map(|each| (each.event.organization_no, ())).collect();
    for no in numbers.keys() {
        let sql = format!(
            "INSERT INTO organization (no, product, external_id, created_ns) VALUES ({no}, 'bench', 'limit {no}', 0) ON CONFLICT DO NOTHING"
        );
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// The rows of one transaction.
struct Rows {
    event: Vec<Vec<Value>>,
    order: Vec<Vec<Value>>,
    search: Vec<Vec<Value>>,
    keys: Vec<Vec<Value>>,
    counts: Vec<Vec<Value>>,
    actors: Vec<Vec<Value>>,
    heads: Vec<Vec<Value>>,
}

impl Rows {
    fn of(database: Database, recorded: &[Recorded]) -> Self {
        let (mut event, mut order, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let mut documents: BTreeMap<i64, String> = BTreeMap::new();
        let mut counts: BTreeMap<[i64; 5], i64> = BTreeMap::new();
        let mut actors: BTreeMap<(i64, Vec<u8>), (Vec<Value>, i64)> = BTreeMap::new();
        let mut heads: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let mut kinds: HashMap<(String, i16), i64> = HashMap::new();
        for Recorded { event: e, dictionary, .. } in recorded {
            let prefix = terms::organization_prefix(e.organization_no);
            let logs = terms::of_logs(e.log_no, dictionary.within(e.log_no));
            let terms: Vec<_> = terms::of_stored(e).into_iter().chain(logs).collect();
            let mut row: Vec<Value> = match database {
                Database::Sqlite => vec![((e.organization_no << 36) | e.sequence).into()],
                Database::Postgres => vec![e.organization_no.into(), e.sequence.into()],
            };
            let outcome = e.outcome.map(|outcome| outcome as i16);
            row.extend([
                Value::from(e.position.0),
                e.salt.into(),
                e.log_no.into(),
                e.occurred_at.0.into(),
                e.recorded_at.0.into(),
                e.action.to_string().into(),
                e.category.clone().into(),
                outcome.into(),
                (e.actor.kind as i16).into(),
                e.actor.id.clone().into(),
                e.actor.name.clone().into(),
                e.actor.email.clone().into(),
                serde_json::to_string(&e.resources).ok().into(),
                e.ip_address.clone().into(),
                e.user_agent.clone().into(),
                e.recorded_by.clone().into(),
                1_i16.into(),
                e.metadata.clone().into(),
            ]);
            match database {
                Database::Sqlite => {
                    let document = documents.entry(e.position.0).or_default();
                    terms.iter().for_each(|term| document.push_str(&format!("{prefix}{term} ")));
                }
                Database::Postgres => {
                    let terms: Vec<_> = terms.iter().map(|term| format!("'{prefix}{term}'")).collect();
                    row.push(terms.join(" ").into());
                }
            }
            event.push(row);
            order.push(vec![e.organization_no.into(), e.sequence.into(), e.position.0.into()]);
            let hash = |text: String| hash::of([text]).to_vec();
            let key = hash(format!("{} {}", e.organization_no, e.sequence));
            keys.push(vec![e.organization_no.into(), key.clone().into(), key.into(), e.sequence.into()]);
            let numbers = kinds.len() as i64;
            let kind = *kinds.entry((e.action.to_string(), outcome.unwrap_or_default())).or_insert(numbers);
            let at = e.occurred_at.0 / 1_000_000_000;
            for (grain, bucket) in [(0, at / 900), (1, at / 86_400), (2, 0)] {
                *counts.entry([e.organization_no, grain, bucket, e.log_no, kind]).or_default() += 1;
            }
            let actor = hash(format!("{:?}", e.actor));
            let folded = format!("{:?} {:?} {:?}", e.actor.name, e.actor.email, e.actor.id).to_lowercase();
            let values = vec![
                Value::from(e.organization_no),
                actor.clone().into(),
                (e.actor.kind as i16).into(),
                e.actor.id.clone().into(),
                e.actor.name.clone().into(),
                e.actor.email.clone().into(),
                folded.into(),
                e.actor.name.clone().into(),
                e.actor.email.clone().into(),
            ];
            actors.entry((e.organization_no, actor)).or_insert((values, 0)).1 += 1;
            heads.insert(e.organization_no, (e.sequence + 1, e.salt));
        }
        let count = |(key, n): ([i64; 5], i64)| {
            let [organization, grain, rest @ ..] = key;
            let mut row = vec![Value::from(organization), (grain as i16).into()];
            row.extend(rest.map(Value::from));
            row.push(n.into());
            row
        };
        Self {
            event,
            order,
            search: documents.into_iter().rev().map(|(at, terms)| vec![(!at).into(), terms.into()]).collect(),
            keys,
            counts: counts.into_iter().map(count).collect(),
            actors: actors
                .into_values()
                .map(|(mut row, n)| {
                    row.extend([Value::from(n), Timestamp::EARLIEST.0.into()]);
                    row
                })
                .collect(),
            heads: heads
                .into_iter()
                .map(|(no, (size, salt))| {
                    vec![no.into(), size.into(), 0_i64.into(), 0_i64.into(), 1_i64.into(), salt.into()]
                })
                .collect(),
        }
    }

    async fn insert(self, db: &DatabaseConnection) -> Result<()> {
        let columns = "position, salt, log_no, occurred_ns, recorded_ns, action, category, outcome, actor_kind, actor_id, \
            actor_name, actor_email, resources, ip_address, user_agent, recorded_by, terms_version, metadata";
        let sqlite = db.get_database_backend() == DatabaseBackend::Sqlite;
        let tx = db.begin().await?;
        let event = if sqlite {
            format!("event (key, {columns})")
        } else {
            format!("event (organization_no, sequence, {columns}, terms)")
        };
        into(&tx, &event, "", self.event, !sqlite).await?;
        into(&tx, "event_order (organization_no, sequence, position)", "", self.order, false).await?;
        into(&tx, "event_search (rowid, terms)", "", self.search, false).await?;
        into(&tx, "idempotency (organization_no, key_hash, content_hash, sequence)", "", self.keys, false).await?;
        let count = "event_count (organization_no, grain, bucket, log_no, kind_no, n)";
        let more = " ON CONFLICT (organization_no, grain, bucket, log_no, kind_no) DO UPDATE SET n = event_count.n + excluded.n";
        into(&tx, count, more, self.counts, false).await?;
        let actor = "actor_directory (organization_no, hash, kind, id, name, email, folded, name_folded, email_folded, n, last_position)";
        let more = " ON CONFLICT (organization_no, hash) DO UPDATE SET n = actor_directory.n + excluded.n";
        into(&tx, actor, more, self.actors, false).await?;
        let head = "organization_head (organization_no, size, spill, recorded_ns, dictionary, last_salt)";
        let more = " ON CONFLICT (organization_no) DO UPDATE SET size = excluded.size";
        into(&tx, head, more, self.heads, false).await?;
        Ok(tx.commit().await?)
    }
}

/// Inserts rows, some in a statement.
async fn into(
    tx: &impl ConnectionTrait,
    table: &str,
    rest: &str,
    rows: Vec<Vec<Value>>,
    terms_last: bool,
) -> Result<()> {
    let backend = tx.get_database_backend();
    for chunk in rows.chunks(ROWS) {
        let (mut text, mut place) = (format!("INSERT INTO {table} VALUES "), 0);
        for (at, row) in chunk.iter().enumerate() {
            text.push_str(if at > 0 { ", (" } else { "(" });
            for column in 0..row.len() {
                place += 1;
                text.push_str(if column > 0 { ", " } else { "" });
                match backend {
                    DatabaseBackend::Postgres => text.push_str(&format!("${place}")),
                    _ => text.push('?'),
                }
            }
            text.push_str(if terms_last { "::text::tsvector)" } else { ")" });
        }
        text.push_str(rest);
        let values: Vec<Value> = chunk.iter().flatten().cloned().collect();
        tx.execute_raw(Statement::from_sql_and_values(backend, text, values)).await?;
    }
    Ok(())
}
