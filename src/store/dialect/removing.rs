//! The statements of removal, and those that name rows of a table by their whole keys.

use std::borrow::Cow;

use sea_orm::Value;

use super::{CHUNK, Dialect, SEQUENCE_BITS, search_rowid, sql::Sql};
use crate::store::{grain::QUARTER, tables::Table};

/// What is looked at of events that may be due.
const LOOKED: &str = "o.sequence, o.position, e.recorded_ns, e.log_no, e.occurred_ns, e.action, e.category, e.outcome, \
    e.actor_kind, e.actor_id, e.actor_name, e.actor_email";

impl Dialect {
    /// Opens the door through the triggers for events of an organization, from one sequence to another, both included:
    /// until the end of the transaction and no longer. SQLite has no settings that end so. There it is a row, and the
    /// database commits no transaction that leaves it behind.
    pub fn open_door(self, organization_no: i64, low: i64, high: i64) -> Sql {
        match self {
            Self::Sqlite => Sql::new("INSERT INTO removal_grant (organization_no, low, high) VALUES (")
                .bind(organization_no)
                .with(", ", low)
                .with(", ", high)
                .text(")"),
            Self::Postgres | Self::Citus => {
                self.setting("ledgerline.removal", &format!("{organization_no}:{low}:{high}"))
            }
        }
    }

    /// Closes the door before the transaction ends.
    pub fn close_door(self) -> Sql {
        match self {
            Self::Sqlite => Sql::new("DELETE FROM removal_grant"),
            Self::Postgres | Self::Citus => self.setting("ledgerline.removal", ""),
        }
    }

    /// Sets a setting of ours until the transaction ends, to a text of ours. On a cluster it has to be set where the
    /// triggers run: a node that takes part in the transaction is told of what `SET LOCAL` says, and of nothing else.
    pub(super) fn setting(self, name: &str, value: &str) -> Sql {
        match self {
            Self::Citus => Sql::new(&format!("SET LOCAL {name} = '{value}'")),
            Self::Sqlite | Self::Postgres => {
                Sql::new(&format!("SELECT set_config('{name}', ")).bind(value).text(", true)")
            }
        }
    }

    /// How many rows one statement may name: SQLite has a place for each, PostgreSQL one for all.
    pub fn named_at_once(self) -> usize {
        match self {
            Self::Sqlite => CHUNK,
            Self::Postgres | Self::Citus => usize::MAX,
        }
    }

    /// Whether what leaves is added up by the database. SQLite's index of terms wants to be told the terms of each event; a
    /// cluster would gather the parts of such a question on its coordinator.
    pub fn adds_up_what_is_due(self) -> bool {
        self == Self::Postgres
    }

    /// What the next `most` events of an organization from a sequence on have brought, of those that were recorded before
    /// a time and lie in logs of some levels (`None`: of whichever): a row for all of them, one for each number that is
    /// kept and one for each actor. For databases that [add up](Self::adds_up_what_is_due).
    pub fn due_at_once(
        self,
        organization_no: i64,
        (from, most): (i64, i64),
        before_ns: i64,
        levels: Option<&[&str]>,
    ) -> Sql {
        let looked = self.select_by_sequence(LOOKED, organization_no, from, i64::MAX, false, most);
        let sql = Sql::new("WITH looked AS MATERIALIZED (").append(looked);
        let mut sql = sql.with("), due AS MATERIALIZED (SELECT * FROM looked WHERE recorded_ns < ", before_ns);
        if let Some(levels) = levels {
            // Row by row, by the index of the key: an organization may have very many logs.
            sql = sql.with(" AND EXISTS (SELECT 1 FROM log WHERE organization_no = ", organization_no);
            sql = sql.text(" AND no = looked.log_no AND level IN (NULL");
            sql = levels.iter().fold(sql, |sql, level| sql.with(", ", *level)).text(") OFFSET 0)");
        }
        // The quarter-hour is rounded down, also before 1970. What `grouping` tells is which of the three a row is.
        let sql = sql.text(
            ") SELECT grouping(log_no, actor_kind) AS part, count(*) AS n, max(position) AS last, quarter, log_no, action, \
             category, outcome, actor_kind, actor_id, actor_name, actor_email, \
             CASE WHEN grouping(log_no, actor_kind) = 3 THEN string_agg(sequence || ':' || position, ',') END AS places, \
             (SELECT count(*) FROM looked) AS looked, ",
        );
        let sql = sql.with("(SELECT count(*) FROM looked WHERE recorded_ns < ", before_ns);
        let sql = sql.with(") AS old, (SELECT max(sequence) FROM looked WHERE recorded_ns < ", before_ns);
        sql.text(&format!(
            ") AS until FROM (SELECT *, occurred_ns / {QUARTER} - CASE WHEN occurred_ns % {QUARTER} < 0 THEN 1 ELSE 0 END \
             AS quarter FROM due) due GROUP BY GROUPING SETS ((), (quarter, log_no, action, category, outcome), \
             (actor_kind, actor_id, actor_name, actor_email))"
        ))
    }

    /// Deletes events of an organization, by sequence and position.
    pub fn delete_events(self, organization_no: i64, events: &[(i64, i64)]) -> Sql {
        match self {
            Self::Sqlite => {
                let keys = events.iter().map(|(sequence, _)| (organization_no << SEQUENCE_BITS) | sequence);
                self.one_of(Sql::new("DELETE FROM event WHERE "), "key", keys)
            }
            Self::Postgres | Self::Citus => {
                self.delete_numbered("event", organization_no, "position", events.iter().map(|(_, position)| *position))
            }
        }
    }

    /// Deletes rows of the other order, by sequence and position: each database by its key.
    pub fn delete_order(self, organization_no: i64, events: &[(i64, i64)]) -> Sql {
        let (sequences, positions) = (events.iter().map(|(at, _)| *at), events.iter().map(|(_, at)| *at));
        match self {
            Self::Sqlite => self.delete_numbered("event_order", organization_no, "position", positions),
            Self::Postgres | Self::Citus => self.delete_numbered("event_order", organization_no, "sequence", sequences),
        }
    }

    /// Deletes those rows of an organization in whose column one of some numbers stands. On PostgreSQL the numbers stand in
    /// the text, for [`Store::execute_by_values`](crate::store::Store::execute_by_values): a plan for any list may compare
    /// each row of the organization with each number of it, which takes seconds for thousands. The bounds spare partitions.
    pub fn delete_numbered(
        self,
        table: &str,
        organization_no: i64,
        column: &str,
        numbers: impl Iterator<Item = i64> + Clone,
    ) -> Sql {
        if self != Self::Postgres {
            let sql = Sql::new(&format!("DELETE FROM {table} WHERE organization_no = ")).bind(organization_no);
            return self.one_of(sql.text(" AND "), column, numbers);
        }
        let (low, high) = (numbers.clone().min().unwrap_or_default(), numbers.clone().max().unwrap_or_default());
        let list = numbers.map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        Sql::new(&format!(
            "DELETE FROM {table} WHERE organization_no = {organization_no} AND {column} BETWEEN {low} AND {high} \
             AND {column} = ANY ('{{{list}}}'::bigint[])"
        ))
    }

    /// Whether the terms of events lie in a table of their own. PostgreSQL's stand in the rows of events.
    pub fn has_search_table(self) -> bool {
        self == Self::Sqlite
    }

    /// Adds documents to the table of terms, by position, falling.
    pub fn insert_terms(self, documents: &[(i64, Cow<'_, str>)]) -> Sql {
        let rows = documents.iter().map(|(at, terms)| [search_rowid(*at).into(), terms.as_ref().into()]);
        Sql::new("INSERT INTO event_search (rowid, terms) ").table(self, rows)
    }

    /// Takes documents out of the table of terms, by position, falling. An index without content has to be told what
    /// stood in it. It counts documents too, and takes it for damaged when more are taken out than were put in: two
    /// organizations may share one, so for each that goes an empty one comes.
    pub fn delete_terms(self, documents: &[(i64, &str)]) -> [Sql; 2] {
        let empty = documents.iter().map(|(at, _)| [search_rowid(*at).into(), "".into()]);
        let gone = documents.iter().map(|(at, terms)| ["delete".into(), search_rowid(*at).into(), (*terms).into()]);
        [
            Sql::new("INSERT INTO event_search (rowid, terms) ").table(self, empty),
            Sql::new("INSERT INTO event_search (event_search, rowid, terms) ").table(self, gone),
        ]
    }

    /// Deletes those rows of a table, given by their keys in one organization, for which a condition holds.
    pub fn delete_keyed<const N: usize>(
        self,
        table: &Table,
        organization_no: i64,
        keys: impl IntoIterator<Item = [Value; N]>,
        condition: &str,
    ) -> Sql {
        let (name, columns) = (table.name, table.key_names().join(", "));
        match self {
            Self::Sqlite => Sql::new(&format!("WITH asked ({columns}) AS (")).table(self, keys).text(&format!(
                ") DELETE FROM {name} WHERE ({columns}) IN (SELECT {columns} FROM asked) AND {condition}"
            )),
            // Row by row, by the index of the key: the planner would read the table for any number of rows. Rows are then taken
            // where they lie. Beside the organization, which a cluster wants, the planner may compare all of its rows with
            // the list.
            Self::Postgres | Self::Citus => match self {
                Self::Citus => Sql::new(&format!("DELETE FROM {name} WHERE organization_no = "))
                    .bind(organization_no)
                    .text(" AND "),
                _ => Sql::new(&format!("DELETE FROM {name} WHERE ")),
            }
            .text("ctid = ANY (ARRAY (SELECT t.ctid FROM (")
            .table(self, keys)
            .text(&format!(") a ({columns}) CROSS JOIN LATERAL (SELECT ctid FROM {name} WHERE organization_no = "))
            .bind(organization_no)
            .text(&format!(" AND {} AND {condition} OFFSET 0) t))", equal(table, name))),
        }
    }

    /// Counts those rows of a table `t`, given by their keys in one organization, for which a condition holds.
    pub fn count_keyed<const N: usize>(
        self,
        table: &Table,
        organization_no: i64,
        keys: impl IntoIterator<Item = [Value; N]>,
        condition: &str,
    ) -> Sql {
        self.select_keyed(table, "count(*) AS n", organization_no, keys).text(&format!(" WHERE t.{condition}"))
    }

    /// Selects from rows of a table `t`, given by their keys in one organization.
    pub fn select_keyed<const N: usize>(
        self,
        table: &Table,
        columns: &str,
        organization_no: i64,
        keys: impl IntoIterator<Item = [Value; N]>,
    ) -> Sql {
        let names = table.key_names();
        match self {
            Self::Sqlite => Sql::new(&format!("WITH asked ({}) AS (", names.join(", ")))
                .table(self, keys)
                .text(&format!(") SELECT {columns} FROM asked a"))
                .text(&self.join_one(table.name, "t", &names, "a")),
            Self::Postgres | Self::Citus => Sql::new(&format!("SELECT {columns} FROM ("))
                .table(self, keys)
                .text(&format!(") a ({}) CROSS JOIN LATERAL (SELECT * FROM {} WHERE ", names.join(", "), table.name))
                .with(&format!("{}.organization_no = ", table.name), organization_no)
                .text(&format!(" AND {} OFFSET 0) t", equal(table, table.name))),
        }
    }
}

/// That a row has the key of the one that is asked for, inside its organization.
fn equal(table: &Table, name: &str) -> String {
    let inside = table.key_names().into_iter().skip(1);
    inside.map(|column| format!("{name}.{column} = a.{column}")).collect::<Vec<_>>().join(" AND ")
}
