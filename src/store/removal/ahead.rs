//! What is due of an organization is looked at without a lock, and added up by the database: PostgreSQL alone is asked so.
//!
//! Events are never changed but by an erasure, and leave by a sweep or an end alone. So what was found is what is there
//! as long as the head counts no more erasures and removals than before; whoever has locked the head asks that, and the
//! holds and rules once more. Others record meanwhile: what comes has a later number than all that was looked at.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use entity::organization_head as head;
use sea_orm::FromQueryResult;

use super::{Due, NoKind, Step, Unlike};
use crate::{
    catalog::Keep,
    error::{Error, Result},
    event::{ActionName, Actor},
    store::{
        Dictionary, Store,
        derived::{Brought, counts::spread, directory},
        dictionary::Kind,
        error, rows,
    },
};

/// Events that were found to be due, with all that leaves with them.
pub(super) struct Ahead {
    /// Sequence that was looked from.
    from: i64,
    /// Which rules they are due by.
    rules: String,
    /// The head before it was looked.
    head: head::Model,
    /// What leaves.
    pub brought: Brought<'static>,
    /// What the step comes to.
    pub step: Step,
    /// Sequence of the first event that was not looked at.
    pub next: i64,
}

/// A row of [`due_at_once`](crate::store::dialect::Dialect::due_at_once).
#[derive(FromQueryResult)]
struct Found {
    part: i32,
    n: i64,
    last: Option<i64>,
    quarter: Option<i64>,
    log_no: Option<i64>,
    action: Option<String>,
    category: Option<String>,
    outcome: Option<i16>,
    actor_kind: Option<i16>,
    actor_id: Option<String>,
    actor_name: Option<String>,
    actor_email: Option<String>,
    places: Option<String>,
    looked: i64,
    old: i64,
    until: Option<i64>,
}

impl Ahead {
    /// Whether a sweep that has begun finds nothing to do, not even a place to write down.
    pub fn is_idle(&self) -> bool {
        self.from > 0 && self.next == self.from && self.brought.places.is_empty()
    }

    /// Whether what was found is still there, and still due.
    pub fn holds(&self, now: &head::Model, rules: &str, from: i64) -> bool {
        let Self { head, .. } = self;
        (self.from, &*self.rules) == (from, rules)
            && (head.removed, head.erased, head.ended) == (now.removed, now.erased, now.ended)
    }
}

impl Store {
    /// Looks at the next `most` events from a sequence on, or from where this sweep is. `None` where they have to be looked
    /// at one by one: because of the database, or of a hold, which is asked about each event.
    pub(super) async fn look_ahead(
        &self,
        organization_no: i64,
        due: &Due<'_>,
        from: Option<i64>,
        most: i64,
    ) -> Result<Option<Ahead>> {
        if !self.dialect.adds_up_what_is_due() {
            return Ok(None);
        }
        // The head is read before anything else: what changes from here on is told from it.
        let Some(head) = self.head(&self.read, organization_no).await? else { return Ok(None) };
        if !self.holds_on(&self.read, organization_no).await?.is_empty() {
            return Ok(None);
        }
        let wishes = self.wishes_on(&self.read, organization_no).await?;
        let rules = due.product.retention_rules(&wishes);
        let from = match from {
            Some(from) => from,
            None => self.place_of(&self.read, organization_no, due, &rules).await?.0,
        };
        let dictionary = self.dictionary(&self.read, &head.row).await?;
        let levels: BTreeSet<&str> = dictionary.logs.iter().map(|log| &*log.level).collect();
        let (leaving, staying): (Vec<&str>, Vec<&str>) =
            levels.into_iter().partition(|level| due.product.keeps(level, &wishes) == Keep::Days(due.days));
        let levels = (!staying.is_empty()).then_some(&*leaving);
        let sql = self.dialect.due_at_once(organization_no, (from, most), due.before().0, levels);
        let rows: Vec<Found> = self.rows_of(sql).await?;
        let Some(&Found { looked, old, until, .. }) = rows.first() else { return Ok(None) };
        let next = until.map_or(from, |until| until + 1);
        let brought = brought_by(organization_no, &dictionary, rows)?;
        // Times of recording never fall: where one is too young, all that follows is.
        let is_over = looked < most || old < looked;
        let step = Step {
            removed: brought.places.len() as i64,
            held: 0,
            next: (!is_over).then_some(next),
            took: Duration::ZERO,
        };
        Ok(Some(Ahead { from, rules, head: head.row, brought, step, next }))
    }
}

fn brought_by(organization_no: i64, dictionary: &Dictionary, rows: Vec<Found>) -> Result<Brought<'static>> {
    let (mut places, mut quarters, mut actors, mut n) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for row in rows {
        match (row.part, row.quarter, row.log_no, row.action, row.actor_kind) {
            (1, Some(quarter), Some(log_no), Some(action), _) => {
                let outcome = rows::outcome(row.outcome).map_err(error::from)?;
                let kind = Kind { action: ActionName::stored(action), category: row.category, outcome };
                let kind_no = dictionary.kind_no(&kind).ok_or_else(|| Error::internal(NoKind(log_no)))?;
                quarters.push((organization_no, quarter, log_no, kind_no, row.n));
            }
            (2, _, _, _, Some(kind)) => {
                let kind = rows::actor_kind(kind).map_err(error::from)?;
                let actor = Actor { kind, id: row.actor_id, name: row.actor_name, email: row.actor_email };
                let last = row.last.unwrap_or(i64::MIN);
                actors.push(directory::entry(organization_no, Cow::Owned(actor), row.n, last));
            }
            _ => {
                n += row.n;
                places.extend(row.places.iter().flat_map(|places| places.split(',')).filter_map(place));
            }
        }
    }
    if places.len() as i64 != n {
        return Err(Error::internal(Unlike { n, other: places.len() as i64 }));
    }
    Ok(Brought {
        organization_no,
        places,
        counts: spread(quarters.into_iter()),
        actors: directory::in_order(actors.into_iter()),
        documents: Vec::new(),
    })
}

/// A sequence and a position, as the database puts them together.
fn place(text: &str) -> Option<(i64, i64)> {
    let (sequence, position) = text.split_once(':')?;
    Some((sequence.parse().ok()?, position.parse().ok()?))
}
