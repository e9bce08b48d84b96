//! What is known of an organization besides its events: its number, head, logs and actions.

use std::{collections::HashMap, sync::Arc};

use entity::{kind, log, organization_head as head};
use moka::sync::Cache as Moka;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{Store, dialect::sql::Sql, error, rows};
use crate::{
    auth::LogName,
    catalog::{LogDeletion, Product},
    error::Result,
    event::{ActionName, LogId, Outcome, Timestamp},
};

/// A node of an organization's tree of logs; its number is its place in [`Dictionary::logs`].
#[derive(Clone, Debug, PartialEq)]
pub struct LogNode {
    /// Level name.
    pub level: String,
    /// The product's own id.
    pub id: String,
    /// Name to show.
    pub name: Option<String>,
    /// Number of the log above.
    pub parent: Option<i64>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Random part of its public id.
    pub salt: i64,
}

/// An action, category and outcome that occurs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Action name.
    pub action: ActionName,
    /// Category code.
    pub category: Option<String>,
    /// Outcome.
    pub outcome: Option<Outcome>,
}

/// Logs and actions of an organization, at one version.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// Number of the organization.
    pub organization_no: i64,
    /// Which version of the head's `dictionary` this is.
    pub version: i64,
    /// The logs by number; 0 is the organization's own.
    pub logs: Vec<LogNode>,
    /// The kinds of events by number.
    pub kinds: Vec<Kind>,
    live: HashMap<(String, String), i64>,
    kind_numbers: HashMap<Kind, i64>,
}

impl Dictionary {
    /// An organization that has nothing yet.
    #[must_use]
    pub fn of(organization_no: i64) -> Self {
        Self { organization_no, ..Self::default() }
    }

    /// The number of a log that is not deleted.
    #[must_use]
    pub fn live(&self, level: &str, id: &str) -> Option<i64> {
        self.live.get(&(level.to_owned(), id.to_owned())).copied()
    }

    /// The number that a name leads to: the live log, else the last deleted one.
    #[must_use]
    pub fn named(&self, name: &LogName) -> Option<i64> {
        self.live(&name.level, &name.id).or_else(|| {
            let found = self.logs.iter().rposition(|log| log.level == name.level && log.id == name.id)?;
            i64::try_from(found).ok()
        })
    }

    /// The number that a name leads to; the organization's own level, whose only log has the organization's id, is log 0.
    #[must_use]
    pub fn number_of(&self, product: &Product, organization: &str, name: &LogName) -> Option<i64> {
        if name.level == product.top_level().name {
            return (name.id == organization).then_some(0);
        }
        self.named(name)
    }

    /// A log by number.
    #[must_use]
    pub fn log(&self, no: i64) -> Option<&LogNode> {
        self.logs.get(usize::try_from(no).ok()?)
    }

    /// The public id of a log.
    #[must_use]
    pub fn log_id(&self, no: i64) -> Option<LogId> {
        self.log(no).map(|log| LogId { organization_no: self.organization_no, no, salt: log.salt })
    }

    /// A log and all above it, from the inside out.
    pub fn within(&self, no: i64) -> impl Iterator<Item = i64> + '_ {
        std::iter::successors(Some(no), |&no| self.log(no)?.parent)
    }

    /// Whether a log, or one above it, was deleted with this policy.
    #[must_use]
    pub fn is_gone(&self, product: &Product, no: i64, policy: LogDeletion) -> bool {
        self.within(no).any(|no| {
            self.log(no).is_some_and(|log| {
                log.deleted_at.is_some()
                    && product.level(&log.level).is_some_and(|(_, level)| level.on_delete == policy)
            })
        })
    }

    /// Whether a token narrowed to `allowed` logs (empty: to none) may see a log: one of them, or one below. A deleted log
    /// is seen only from above, by those who may read what it belonged to.
    #[must_use]
    pub fn may_see(&self, allowed: &[LogName], no: i64) -> bool {
        allowed.is_empty()
            || self.within(no).filter_map(|no| self.log(no)).any(|log| {
                log.deleted_at.is_none() && allowed.iter().any(|name| name.level == log.level && name.id == log.id)
            })
    }

    /// Numbers of the logs that are not deleted and that a token narrowed to `allowed` logs (empty: to none) may name.
    pub fn readable<'a>(&'a self, allowed: &'a [LogName]) -> impl Iterator<Item = i64> + 'a {
        let live = |no: &i64| self.log(*no).is_some_and(|log| log.deleted_at.is_none());
        (0..self.logs.len() as i64).filter(live).filter(|no| self.may_see(allowed, *no))
    }

    /// The number of a kind of event.
    #[must_use]
    pub fn kind_no(&self, kind: &Kind) -> Option<i64> {
        self.kind_numbers.get(kind).copied()
    }

    /// Adds a log.
    pub fn add_log(&mut self, log: LogNode) -> i64 {
        let no = self.logs.len() as i64;
        if log.deleted_at.is_none() {
            self.live.insert((log.level.clone(), log.id.clone()), no);
        }
        self.logs.push(log);
        no
    }

    /// Adds a kind of event.
    pub fn add_kind(&mut self, kind: Kind) -> i64 {
        let no = self.kinds.len() as i64;
        self.kind_numbers.insert(kind.clone(), no);
        self.kinds.push(kind);
        no
    }

    /// Marks a log as deleted.
    pub fn delete_log(&mut self, no: i64, at: Timestamp) {
        if let Some(log) = usize::try_from(no).ok().and_then(|no| self.logs.get_mut(no)) {
            log.deleted_at = Some(at);
            self.live.remove(&(log.level.clone(), log.id.clone()));
        }
    }

    /// Takes back the logs and kinds beyond so many of each.
    pub fn truncate(&mut self, logs: usize, kinds: usize) {
        for log in self.logs.drain(logs..) {
            self.live.remove(&(log.level, log.id));
        }
        for kind in self.kinds.drain(kinds..) {
            self.kind_numbers.remove(&kind);
        }
    }
}

/// What readers and the writer remember between requests. The head is read every time. A number is good where its head
/// has the organization's name, and a dictionary where its version is the head's.
pub struct Cache {
    numbers: Moka<(String, String), i64>,
    dictionaries: Moka<i64, Arc<Dictionary>>,
    tops: Moka<i64, Top>,
}

/// A position that no event of an organization is behind, when it had so many events and the newest one had this salt.
#[derive(Clone, Copy)]
struct Top {
    size: i64,
    last_salt: i64,
    position: i64,
}

impl Default for Cache {
    fn default() -> Self {
        Self { numbers: Moka::new(100_000), dictionaries: Moka::new(2_000), tops: Moka::new(100_000) }
    }
}

impl Cache {
    /// The remembered number of an organization.
    pub fn number(&self, product: &str, external_id: &str) -> Option<i64> {
        self.numbers.get(&(product.to_owned(), external_id.to_owned()))
    }

    /// Remembers a committed organization.
    pub fn remember(&self, product: &str, external_id: &str, no: i64) {
        self.numbers.insert((product.to_owned(), external_id.to_owned()), no);
    }

    /// Whether the remembered dictionary is of a later version than a head's.
    pub fn is_ahead_of(&self, head: &head::Model) -> bool {
        self.dictionaries.get(&head.organization_no).is_some_and(|known| known.version > head.dictionary)
    }

    /// Drops everything.
    pub fn forget(&self) {
        self.numbers.invalidate_all();
        self.dictionaries.invalidate_all();
        self.tops.invalidate_all();
    }

    /// A position that no event of an organization is behind, if one is known of the events that its head tells of. What
    /// has left since makes no difference.
    pub fn top(&self, head: &head::Model) -> Option<i64> {
        let top = self.tops.get(&head.organization_no)?;
        (top.size == head.size && top.last_salt == head.last_salt).then_some(top.position)
    }

    /// Remembers it.
    pub fn remember_top(&self, head: &head::Model, position: i64) {
        let top = Top { size: head.size, last_salt: head.last_salt, position };
        self.tops.insert(head.organization_no, top);
    }

    /// Remembers a committed dictionary.
    pub fn remember_dictionary(&self, no: i64, dictionary: Arc<Dictionary>) {
        self.dictionaries.insert(no, dictionary);
    }
}

/// Bits of a step of a dictionary's version: two histories come to the same one with a chance of one in 2 to the power of
/// as many.
const STEP_BITS: u32 = 32;

impl Store {
    /// By how much a dictionary's version grows.
    pub(super) fn dictionary_step(&self) -> i64 {
        1 + self.chance.bits(STEP_BITS)
    }

    /// The dictionary of an organization at the version of its head.
    pub(super) async fn dictionary(&self, db: &impl ConnectionTrait, head: &head::Model) -> Result<Arc<Dictionary>> {
        if let Some(known) = self.dictionaries.dictionaries.get(&head.organization_no)
            && known.version == head.dictionary
        {
            return Ok(known);
        }
        let backend = self.dialect.backend();
        let of = |columns: &str| {
            Sql::new(columns).with(" WHERE organization_no = ", head.organization_no).text(" ORDER BY no").on(backend)
        };
        let logs = of("SELECT organization_no, no, level, id, name, parent_no, deleted_ns, salt FROM log");
        let kinds = of("SELECT organization_no, no, action, category, outcome FROM kind");
        let mut dictionary = Dictionary { version: head.dictionary, ..Dictionary::of(head.organization_no) };
        for row in log::Model::find_by_statement(logs).all(db).await.map_err(error::from)? {
            let deleted_at = row.deleted_ns.map(Timestamp);
            dictionary.add_log(LogNode {
                level: row.level,
                id: row.id,
                name: row.name,
                parent: row.parent_no,
                deleted_at,
                salt: row.salt,
            });
        }
        for row in kind::Model::find_by_statement(kinds).all(db).await.map_err(error::from)? {
            let outcome = rows::outcome(row.outcome).map_err(error::from)?;
            dictionary.add_kind(Kind { action: ActionName::stored(row.action), category: row.category, outcome });
        }
        let dictionary = Arc::new(dictionary);
        // On PostgreSQL a commit may lie between reading the head and the rows. The dictionary counts as the version of
        // the head, and the next reader of a newer head comes here again.
        self.dictionaries.remember_dictionary(head.organization_no, dictionary.clone());
        Ok(dictionary)
    }
}
