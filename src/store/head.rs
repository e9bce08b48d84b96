//! The head of an organization, always read together with whose it is.
//!
//! Numbers, dictionaries and calendars that this process remembers were true of the database once. A restore in place, or
//! a failover to a replica that lags, puts the database back to an earlier state under the running process, and the next
//! new organizations get the numbers of those that were lost. So a remembered number is good only where the head that it
//! leads to carries the name that was asked for, in reading and in recording. Where it does not, everything remembered is
//! dropped, and the database is asked.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::organization_head as head;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    Store,
    dialect::{CHUNK, Dialect, sql::Sql},
    error,
};
use crate::error::{Error, Result};

/// Which history the database is in, and whether it is open: the history's number, negative where it is closed, and 0 for
/// the first one. Part of the statement that reads heads, so that it costs none of its own.
const HISTORY: &str =
    "coalesce((SELECT CASE y.is_open WHEN 1 THEN y.id ELSE -y.id END FROM history y ORDER BY y.no DESC LIMIT 1), 0)";

/// A head, and what decides whether things that are remembered may be used with it.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Head {
    #[sea_orm(nested)]
    pub row: head::Model,
    product: String,
    external_id: String,
    /// Which list of partitions the database had at that moment: see [`Partitions`](super::range::Partitions).
    pub partitions: i64,
    /// Which history the database was in, and whether it is open: see [`history`](super::history).
    pub history: i64,
}

#[derive(FromQueryResult)]
struct Numbered {
    no: i64,
}

/// How far an organization is.
#[derive(FromQueryResult)]
pub(super) struct Standing {
    pub product: String,
    pub external_id: String,
    pub no: i64,
    pub size: i64,
    pub last_salt: i64,
    pub removed: i64,
}

/// The same, by number.
#[derive(FromQueryResult)]
struct End {
    organization_no: i64,
    size: i64,
    last_salt: i64,
    removed: i64,
}

impl Head {
    /// Whether it is the head of this organization.
    pub fn is_of(&self, product: &str, external_id: &str) -> bool {
        self.product == product && self.external_id == external_id
    }

    /// Whether the organization is one of the product's, and this one where one is named.
    pub fn is_within(&self, product: &str, external_id: Option<&str>) -> bool {
        self.product == product && external_id.is_none_or(|id| id == self.external_id)
    }

    /// Whether two reads found the same state: the same organization with the same events, logs and actions.
    pub fn is_same(&self, other: &Self) -> bool {
        self.row == other.row && self.is_of(&other.product, &other.external_id)
    }
}

/// Whether two heads of one organization are of the same events: none has come since, and none has left.
pub(super) fn has_same_events(one: &head::Model, other: &head::Model) -> bool {
    one.size == other.size && one.last_salt == other.last_salt && one.removed == other.removed
}

/// Whether a head can have grown out of an earlier one of the same organization. Salts are drawn at random, so two
/// histories of the same size end in different ones; and what has left never comes back.
pub(super) fn grew(earlier: &head::Model, now: &head::Model) -> bool {
    now.removed >= earlier.removed
        && (now.size > earlier.size || (now.size == earlier.size && now.last_salt == earlier.last_salt))
}

impl Store {
    /// The head of an organization by name; `None` where it has recorded nothing, or has ended.
    pub(super) async fn head_of(&self, product: &str, external_id: &str) -> Result<Option<Head>> {
        Ok(self.any_head_of(product, external_id).await?.filter(|head| head.row.ended == 0))
    }

    /// The same, also of an organization that has ended.
    pub(super) async fn any_head_of(&self, product: &str, external_id: &str) -> Result<Option<Head>> {
        // Whoever asks for an organization waits in its turn.
        let own = self.turn_of(product, external_id);
        if let Some(no) = self.dictionaries.number(product, external_id) {
            self.must_answer_for(&[no]).await?;
            match self.head(&own.read, no).await? {
                Some(head) if head.is_of(product, external_id) => return Ok(Some(head)),
                _ => self.forget("a remembered organization is not the one that has its number"),
            }
        }
        let asked = if self.dialect == Dialect::Citus {
            // The name is known on every node, and the head on one: it is asked by its number.
            let numbered = self.dialect.organizations_named([[product.into(), external_id.into()]]);
            let Some(Numbered { no }) = own.rows_of::<Numbered>(numbered).await?.pop() else {
                return Ok(None);
            };
            self.must_answer_for(&[no]).await?;
            self.select_heads().with(" WHERE h.organization_no = ", no)
        } else {
            self.select_heads().with(" WHERE o.product = ", product).with(" AND o.external_id = ", external_id)
        };
        let found = own.rows_of::<Head>(asked).await?.pop().filter(|head| head.is_of(product, external_id));
        if let Some(head) = &found {
            self.dictionaries.remember(product, external_id, head.row.organization_no);
        }
        Ok(found)
    }

    /// How many events an organization has recorded.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn size_of(&self, product: &str, organization: &str) -> Result<i64> {
        Ok(self.head_of(product, organization).await?.map_or(0, |head| head.row.size))
    }

    /// The head of a number, whichever organization has it.
    pub(super) async fn head(&self, db: &impl ConnectionTrait, organization_no: i64) -> Result<Option<Head>> {
        let asked = self.select_heads().with(" WHERE h.organization_no = ", organization_no);
        Head::find_by_statement(asked.on(self.dialect.backend())).one(db).await.map_err(error::from)
    }

    /// The heads of organizations, locked in the order of their numbers.
    pub(super) async fn locked_heads(&self, db: &impl ConnectionTrait, numbers: &[i64]) -> Result<Vec<Head>> {
        self.must_answer_for(numbers).await?;
        let asked = self.locking_heads(numbers);
        Head::find_by_statement(asked.on(self.dialect.backend())).all(db).await.map_err(error::from)
    }

    /// How many events organizations have recorded, by number. On a cluster, those whose node is gone are left out.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn sizes_of(&self, numbers: impl IntoIterator<Item = i64>) -> Result<HashMap<i64, i64>> {
        let numbers: Vec<i64> = numbers.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let (ends, _) = self.ends_of(&numbers).await?;
        Ok(ends.into_iter().map(|end| (end.organization_no, end.size)).collect())
    }

    /// How far organizations are, by name. On a cluster, the numbers of those whose node is gone are told instead.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn standings(
        &self,
        db: &impl ConnectionTrait,
        names: impl Iterator<Item = (&str, &str)>,
    ) -> Result<(Vec<Standing>, HashSet<i64>)> {
        #[derive(FromQueryResult)]
        struct Named {
            product: String,
            external_id: String,
            no: i64,
        }
        let names = names.map(|(product, id)| [product.into(), id.into()]);
        let backend = self.dialect.backend();
        if self.dialect != Dialect::Citus {
            let asked = self.dialect.standings(names).on(backend);
            let found = Standing::find_by_statement(asked).all(db).await.map_err(error::from)?;
            return Ok((found, HashSet::new()));
        }
        let asked = self.dialect.organizations_named(names).on(backend);
        let named = Named::find_by_statement(asked).all(db).await.map_err(error::from)?;
        let (ends, gone) = self.ends_of(&named.iter().map(|row| row.no).collect::<Vec<_>>()).await?;
        let ends: HashMap<i64, End> = ends.into_iter().map(|end| (end.organization_no, end)).collect();
        let standing = |Named { product, external_id, no }: Named| {
            let &End { size, last_salt, removed, .. } = ends.get(&no)?;
            Some(Standing { product, external_id, no, size, last_salt, removed })
        };
        Ok((named.into_iter().filter_map(standing).collect(), gone))
    }

    /// The ends of organizations, and those whose node is gone.
    async fn ends_of(&self, numbers: &[i64]) -> Result<(Vec<End>, HashSet<i64>)> {
        let (mut ends, mut gone) = (Vec::new(), HashSet::new());
        for portion in self.on_one_node(numbers).await? {
            if self.dialect == Dialect::Citus && self.must_answer_for(&portion).await.is_err() {
                gone.extend(portion);
                continue;
            }
            for chunk in portion.chunks(CHUNK) {
                let sql = Sql::new("SELECT organization_no, size, last_salt, removed FROM organization_head WHERE ");
                let sql = self.dialect.one_of_heads(sql, chunk.iter().copied());
                match self.rows_of::<End>(sql).await {
                    Ok(rows) => ends.extend(rows),
                    Err(Error::Unavailable(fault)) if self.dialect == Dialect::Citus => {
                        tracing::debug!("whether organizations of a node have grown is not known: {fault}");
                        gone.extend(chunk);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((ends, gone))
    }

    /// The statement of [`Self::locked_heads`].
    pub(super) fn locking_heads(&self, numbers: &[i64]) -> Sql {
        let sql = self.select_heads().text(" WHERE ");
        let sql = match numbers {
            // A cluster locks a row where it reads the number itself.
            [no] => sql.with("h.organization_no = ", *no),
            several => self.dialect.one_of(sql, "h.organization_no", several.iter().copied()),
        };
        sql.text(" ORDER BY h.organization_no").text(self.dialect.for_update_of_head())
    }

    fn select_heads(&self) -> Sql {
        Sql::new("SELECT h.organization_no, h.size, h.spill, h.recorded_ns, h.dictionary, h.last_salt, h.removed, h.erased, h.ended, o.product, o.external_id, ")
            .text(self.dialect.partitions_mark())
            .text(" AS partitions, ")
            .text(HISTORY)
            .text(" AS history FROM organization_head h JOIN organization o ON o.no = h.organization_no")
    }

    /// Drops everything that is remembered, because the database is another one or was put back. It is loud, since
    /// acknowledged events may be lost.
    pub(super) fn forget(&self, evidence: &'static str) {
        self.dictionaries.forget();
        self.calendars.forget();
        self.stale.forget();
        metrics::counter!("ledgerline_database_went_back_total").increment(1);
        tracing::error!(
            evidence,
            "the database is at an earlier state than this process has seen, as after a restore or a failover to a replica \
             that lagged: what was remembered of it is dropped, and events that were acknowledged may be lost"
        );
    }

    /// The error of a question during which the database was put back: its answer would mix two states.
    pub(super) fn put_back_meanwhile(&self, evidence: &'static str) -> Error {
        #[derive(Debug, thiserror::Error)]
        #[error("the database was put back to an earlier state during the request")]
        struct PutBack;
        self.forget(evidence);
        Error::Unavailable(std::sync::Arc::new(PutBack))
    }
}
