//! Events leave the log: the one door through the triggers.
//!
//! A step is one transaction under the lock of the organization's head. What goes is looked at one by one there, or, on
//! PostgreSQL and without a hold, thousands at once before the lock (`ahead.rs`). A step asks the holds, opens the door for the
//! sequences that go, deletes the events with all that follows from them (`derived/`), and writes down how far it has
//! got. The sequence stays dense: numbers are never given again, and the head counts how many events have left.

mod ahead;

use std::time::{Duration, Instant};

use entity::{organization_head as head, retention, sweep, sweep_clock};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use super::{
    Dictionary, Store,
    connection::transaction::Transaction,
    control::holds::Holding,
    derived::{Brought, Derived},
    dialect::sql::Sql,
    dictionary::Kind,
    error,
    tables::{DEAD_LETTER, HEAD},
};
use crate::{
    catalog::{Keep, Product, Wishes},
    error::{Error, Result},
    event::{Event, Timestamp, terms},
};
use ahead::Ahead;

/// Nanoseconds of a day.
const DAY: i64 = 24 * 3_600 * 1_000_000_000;
/// Events that are looked at in one transaction: others record between two of them.
const STEP: i64 = 200;
/// Events that are added up at once, at most.
const MOST: i64 = 10_000;

/// An organization whose events may have to leave.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Swept {
    /// Its number.
    pub organization_no: i64,
    /// Name of its product.
    pub product: String,
    /// The product's own id.
    pub external_id: String,
}

/// Which events of an organization leave: those that are kept for `days` and are older.
pub struct Due<'a> {
    /// Its product.
    pub product: &'a Product,
    /// The days.
    pub days: i64,
    /// The time now. Days are counted from recording: what came late is kept as long as what came in time.
    pub now: Timestamp,
}

impl Due<'_> {
    /// Events that were recorded before this are older.
    fn before(&self) -> Timestamp {
        Timestamp(self.now.0.saturating_sub(self.days.saturating_mul(DAY)))
    }
}

/// What a step came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    /// Events that left, or would leave.
    pub removed: i64,
    /// Events that would leave if no hold kept them.
    pub held: i64,
    /// Sequence of the next event to look at; `None` where all that is old enough was looked at.
    pub next: Option<i64>,
    /// For how long others could not record for the organization.
    pub took: Duration,
}

/// Events sorted by what becomes of them.
struct Sorted {
    leaving: Vec<Event>,
    step: Step,
    /// Sequence of the first event that was not looked at.
    next: i64,
}

impl Store {
    /// All organizations, by number, after one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn organizations_after(&self, organization_no: i64, limit: u64) -> Result<Vec<Swept>> {
        // By hand: those of one table of which another one has no row of a kind.
        let sql = Sql::new(
            "SELECT o.no AS organization_no, o.product, o.external_id FROM organization o LEFT JOIN organization_end e \
             ON e.organization_no = o.no AND e.begun_ns IS NOT NULL WHERE e.organization_no IS NULL AND o.no > ",
        );
        let sql = sql.bind(organization_no).text(&format!(" ORDER BY o.no LIMIT {limit}"));
        self.rows_of(sql).await
    }

    /// What an organization wants of its retention, by number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn wishes_of(&self, organization_no: i64) -> Result<Wishes> {
        self.wishes_on(&self.read, organization_no).await
    }

    /// Whether any organization wishes another retention than its product's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn wishes_anything(&self) -> Result<bool> {
        let any = retention::Entity::find().limit(1).one(&self.read).await.map_err(error::from)?;
        Ok(any.is_some())
    }

    /// When a sweep last believed the clock.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn trusted_clock(&self) -> Result<Option<Timestamp>> {
        let row = sweep_clock::Entity::find_by_id(0).one(&self.read).await.map_err(error::from)?;
        Ok(row.map(|row| Timestamp(row.trusted_ns)))
    }

    /// Writes down that the clock is believed at a time.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn trust_clock(&self, now: Timestamp) -> Result<()> {
        let tx = self.write.begin().await?;
        let row = sweep_clock::ActiveModel { no: Set(0), trusted_ns: Set(now.0) };
        let again = OnConflict::column(sweep_clock::Column::No);
        let again = { again }.update_column(sweep_clock::Column::TrustedNs).to_owned();
        let written = sweep_clock::Entity::insert(row).on_conflict(again).exec_without_returning(&tx).await;
        written.map_err(error::from)?;
        tx.commit().await
    }

    /// When the newest event of all was recorded.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn newest_recording(&self) -> Result<Option<Timestamp>> {
        let newest = head::Entity::find().order_by_desc(head::Column::RecordedNs).limit(1).one(&self.read).await;
        Ok(newest.map_err(error::from)?.filter(|head| head.size > 0).map(|head| Timestamp(head.recorded_ns)))
    }

    /// Events that sweeps have removed since that was last recorded, by days.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn untold_removals(&self, organization_no: i64) -> Result<Vec<(i64, i64)>> {
        let asked = sweep::Entity::find()
            .filter(sweep::Column::OrganizationNo.eq(organization_no))
            .filter(sweep::Column::Untold.gt(0));
        let rows = asked.all(&self.read).await.map_err(error::from)?;
        Ok(rows.into_iter().map(|row| (row.days, row.untold)).collect())
    }

    /// What would leave among the next events from a sequence on; nothing is changed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn would_sweep(&self, organization_no: i64, due: &Due<'_>, from: i64) -> Result<Step> {
        let Some(head) = self.head(&self.read, organization_no).await? else { return Ok(Step::default()) };
        let dictionary = self.dictionary(&self.read, &head.row).await?;
        if let Some(ahead) = self.look_ahead(organization_no, due, Some(from), MOST).await? {
            return Ok(ahead.step);
        }
        let wishes = self.wishes_on(&self.read, organization_no).await?;
        Ok(self.sorted(&self.read, &head.row, &dictionary, &wishes, due, from).await?.step)
    }

    /// Removes what is due among the next events that this sweep has not looked at. Where the database adds up what is due,
    /// these are up to `most`; elsewhere, and under holds, a few.
    ///
    /// # Errors
    /// Those of the database; nothing of the step is done then.
    pub async fn sweep_some(&self, organization_no: i64, due: &Due<'_>, most: i64) -> Result<Step> {
        let ahead = self.look_ahead(organization_no, due, None, most).await?;
        // Whoever has nothing that is due is not kept from recording.
        if let Some(ahead) = ahead.as_ref().filter(|ahead| ahead.is_idle()) {
            return Ok(ahead.step);
        }
        let tx = self.write.begin().await?;
        let locked = self.locked_heads(&tx, &[organization_no]).await?;
        let Some(head) = locked.into_iter().next() else {
            tx.rollback().await?;
            return Ok(Step::default());
        };
        self.must_be_open(head.history)?;
        self.know_partitions(&tx, head.partitions).await?;
        let dictionary = self.dictionary(&tx, &head.row).await?;
        let wishes = self.wishes_on(&tx, organization_no).await?;
        let rules = due.product.retention_rules(&wishes);
        let (from, untold) = self.place_of(&tx, organization_no, due, &rules).await?;
        let is_held = !self.holds_on(&tx, organization_no).await?.is_empty();
        let locked = Instant::now();
        let (mut step, next) = match ahead.filter(|ahead| !is_held && ahead.holds(&head.row, &rules, from)) {
            Some(Ahead { brought, step, next, .. }) => {
                if !brought.places.is_empty() {
                    self.take_away(&tx, &head.row, &brought).await?;
                }
                (step, next)
            }
            None => {
                let Sorted { leaving, step, next } =
                    self.sorted(&tx, &head.row, &dictionary, &wishes, due, from).await?;
                if !leaving.is_empty() {
                    self.take_out(&tx, &head.row, &dictionary, &leaving).await?;
                }
                (step, next)
            }
        };
        if next > from || from == 0 {
            let row = sweep::ActiveModel {
                organization_no: Set(organization_no),
                days: Set(due.days),
                next: Set(next),
                rules: Set(rules),
                untold: Set(untold + step.removed),
            };
            let again = OnConflict::columns([sweep::Column::OrganizationNo, sweep::Column::Days])
                .update_columns([sweep::Column::Next, sweep::Column::Rules, sweep::Column::Untold])
                .to_owned();
            sweep::Entity::insert(row).on_conflict(again).exec_without_returning(&tx).await.map_err(error::from)?;
        }
        tx.commit().await?;
        step.took = locked.elapsed();
        Ok(step)
    }

    /// From which sequence on a sweep has events to look at, and how many it has removed that nothing tells of yet. Under
    /// other rules, what was passed over may be due.
    async fn place_of(
        &self,
        db: &impl ConnectionTrait,
        organization_no: i64,
        due: &Due<'_>,
        rules: &str,
    ) -> Result<(i64, i64)> {
        let place = sweep::Entity::find_by_id((organization_no, due.days)).one(db).await.map_err(error::from)?;
        let untold = place.as_ref().map_or(0, |place| place.untold);
        Ok((place.filter(|place| place.rules == rules).map_or(0, |place| place.next), untold))
    }

    /// Looks at the next events from a sequence on.
    async fn sorted(
        &self,
        db: &impl ConnectionTrait,
        head: &head::Model,
        dictionary: &Dictionary,
        wishes: &Wishes,
        due: &Due<'_>,
        from: i64,
    ) -> Result<Sorted> {
        let organization_no = head.organization_no;
        let holds = self.holds_on(db, organization_no).await?;
        let holds: Vec<_> =
            holds.iter().map(|hold| Holding::of(hold, due.product, dictionary, due.now)).collect::<Result<_>>()?;
        let events = self.dialect.events_by_sequence(organization_no, from, head.size - 1, false, STEP);
        let events = self.events_on(db, events).await?;
        let mut is_over = (events.len() as i64) < STEP;
        let (mut sorted, mut next) = (Vec::new(), from);
        let mut step = Step::default();
        for event in events {
            // Times of recording never fall: all that follows is younger.
            if event.recorded_at >= due.before() {
                is_over = true;
                break;
            }
            let log = dictionary.log(event.log_no).ok_or_else(|| Error::internal(NoLog(event.log_no)))?;
            let is_due = due.product.keeps(&log.level, wishes) == Keep::Days(due.days);
            next = event.sequence + 1;
            if is_due && holds.iter().any(|hold| hold.keeps(&event, dictionary)) {
                step.held += 1;
            } else if is_due {
                step.removed += 1;
                sorted.push(event);
            }
        }
        step.next = (!is_over).then_some(next);
        Ok(Sorted { leaving: sorted, step, next })
    }

    /// Takes events of one organization out of the log, with all that follows from them.
    pub(super) async fn take_out(
        &self,
        tx: &Transaction,
        head: &head::Model,
        dictionary: &Dictionary,
        events: &[Event],
    ) -> Result<()> {
        let no = head.organization_no;
        let documents: Vec<_> = match self.dialect.has_search_table() {
            true => self.documents_there(no, events, dictionary).await?,
            false => vec![String::new(); events.len()],
        };
        let derived = derived_of(events, &documents, dictionary)?;
        self.take_away(tx, head, &Brought::by(no, &derived)).await
    }

    /// The same of what was found before.
    async fn take_away(&self, tx: &Transaction, head: &head::Model, brought: &Brought<'_>) -> Result<()> {
        let (no, places) = (head.organization_no, &brought.places);
        let sequences = places.iter().map(|(sequence, _)| *sequence);
        let (low, high) = (sequences.clone().min().unwrap_or_default(), sequences.clone().max().unwrap_or_default());
        self.execute(tx, self.dialect.open_door(no, low, high)).await?;
        let gone = self.execute_by_values(tx, self.dialect.delete_events(no, places)).await?;
        if gone != places.len() as i64 {
            return Err(Error::internal(Unlike { n: places.len() as i64, other: gone }));
        }
        self.take_back_derived(tx, brought).await?;
        self.execute(tx, self.dialect.close_door()).await?;
        // By hand: there are thousands of sequences, and an entity would have a place for each.
        self.execute_by_values(tx, self.dialect.delete_numbered(DEAD_LETTER.name, no, "sequence", sequences)).await?;
        let removed = HEAD.update("removed", head.removed + gone);
        self.execute(tx, removed.with(" WHERE organization_no = ", no)).await
    }
}

impl Store {
    /// The terms of stored events as the search index may have them: as long as an organization's are being made anew, those of
    /// the version before are there too.
    pub(super) async fn documents_there(
        &self,
        organization_no: i64,
        events: &[Event],
        dictionary: &Dictionary,
    ) -> Result<Vec<String>> {
        let mut documents: Vec<_> = events.iter().map(|event| self.document_of(event, dictionary)).collect();
        if self.dialect.has_search_table() && self.lacks_words(organization_no).await? {
            for (document, event) in documents.iter_mut().zip(events) {
                self.dialect.write_terms(document, organization_no, terms::words_of_version_1(event));
            }
        }
        Ok(documents)
    }

    /// The terms of a stored event, as the search index takes them.
    pub(super) fn document_of(&self, event: &Event, dictionary: &Dictionary) -> String {
        let logs = terms::of_logs(event.log_no, dictionary.within(event.log_no));
        let mut document = String::new();
        let terms = terms::of_stored(event).into_iter().chain(logs);
        self.dialect.write_terms(&mut document, event.organization_no, terms);
        document
    }
}

/// Stored events with what their derived rows are made of.
pub(super) fn derived_of<'a>(
    events: &'a [Event],
    documents: &'a [String],
    dictionary: &Dictionary,
) -> Result<Vec<Derived<'a>>> {
    let of = |(event, document): (&'a Event, &'a String)| {
        let kind = Kind { action: event.action.clone(), category: event.category.clone(), outcome: event.outcome };
        let kind_no = dictionary.kind_no(&kind).ok_or_else(|| Error::internal(NoKind(event.sequence)))?;
        Ok(Derived { event, kind_no, document, key: None })
    };
    events.iter().zip(documents).map(of).collect()
}

/// What leaves is not what was found to be due.
#[derive(Debug, thiserror::Error)]
#[error("{n} events were to leave and {other} are there")]
struct Unlike {
    n: i64,
    other: i64,
}

#[derive(Debug, thiserror::Error)]
#[error("an event belongs to the log with the number {0}, which is not there")]
struct NoLog(i64);

#[derive(Debug, thiserror::Error)]
#[error("the event with the sequence {0} is of a kind that is not there")]
struct NoKind(i64);
