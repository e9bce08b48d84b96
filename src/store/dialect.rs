//! Every difference between SQLite and PostgreSQL, each with its reason.

use sea_orm::DbBackend;

use super::sql::Sql;
use crate::event::{
    filter::{Clause, Term},
    terms,
};

/// Bits of the sequence inside SQLite's clustered event key.
pub const SEQUENCE_BITS: u32 = 36;

/// Columns of an event, without its terms.
const COLUMNS: &str = "e.organization_no, e.sequence, e.position, e.salt, e.log_no, e.occurred_ns, e.recorded_ns, \
    e.action, e.category, e.outcome, e.actor_kind, e.actor_id, e.actor_name, e.actor_email, e.on_behalf_of, \
    e.resources, e.ip_address, e.user_agent, e.correlation_id, e.source, e.source_event_id, e.recorded_by, e.metadata";

/// Newest rows that PostgreSQL tests one by one before it asks the GIN index, which cannot stream in order.
pub const PROBE_ROWS: i64 = 2_000;

/// How a database is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file, one process.
    Sqlite,
    /// A server.
    Postgres,
}

/// The rows of an organization that a question is about.
#[derive(Clone, Debug)]
pub struct Range {
    /// Whose.
    pub organization_no: i64,
    /// The rendered search expression; `None` for all events.
    pub matching: Option<String>,
    /// First position.
    pub low: i64,
    /// Last position.
    pub high: i64,
    /// Exact bounds of `occurred_ns`, where positions alone do not give them.
    pub occurred: Option<(i64, i64)>,
}

/// How PostgreSQL finds the rows of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The way of the database's own: SQLite streams the index, PostgreSQL asks GIN.
    Index,
    /// Test the newest [`PROBE_ROWS`] rows of the range.
    Probe,
}

impl Dialect {
    /// The same for SeaORM.
    pub fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// Locks the heads: on PostgreSQL several processes record; SQLite's BEGIN IMMEDIATE has locked all.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// A search expression over terms, rendered for FTS5's MATCH or as a tsquery; `None` where there is no clause.
    pub fn render(self, organization_no: i64, clauses: &[Clause]) -> Option<String> {
        if clauses.is_empty() {
            return None;
        }
        let prefix = terms::organization_prefix(organization_no);
        let (or, and) = match self {
            Self::Sqlite => (" OR ", " AND "),
            Self::Postgres => (" | ", " & "),
        };
        let one = |term: &Term| match (self, term) {
            (Self::Sqlite, Term::Exact(term)) => format!("\"{prefix}{term}\""),
            (Self::Sqlite, Term::Prefix(term)) => format!("\"{prefix}{term}\" *"),
            (Self::Postgres, Term::Exact(term)) => format!("'{prefix}{term}'"),
            (Self::Postgres, Term::Prefix(term)) => format!("'{prefix}{term}':*"),
        };
        let group = |clause: &Clause| format!("({})", clause.any.iter().map(one).collect::<Vec<_>>().join(or));
        let mut positive: Vec<_> = clauses.iter().filter(|c| !c.none).map(group).collect();
        if positive.is_empty() {
            // Neither index can begin with a NOT: every event lies within its organization's own log.
            positive.push(one(&Term::Exact(terms::log(terms::Kind::WithinLog, 0))));
        }
        let negative: Vec<_> = clauses.iter().filter(|c| c.none).map(group).collect();
        let mut text = format!("({})", positive.join(and));
        if !negative.is_empty() {
            let not = if self == Self::Sqlite { " NOT " } else { " & !" };
            text = format!("{text}{not}({})", negative.join(or));
        }
        Some(text)
    }

    /// `SELECT` of whole events of a range in the order of time.
    pub fn events_by_position(self, range: &Range, descending: bool, limit: i64, route: Route) -> Sql {
        let direction = if descending { "DESC" } else { "ASC" };
        match (self, &range.matching, route) {
            (Self::Sqlite, _, _) | (Self::Postgres, None, _) => {
                let (sql, position) = self.rows(Sql::new("SELECT ").text(COLUMNS), range);
                sql.text(&format!(" ORDER BY {position} {direction}")).with(" LIMIT ", limit)
            }
            (Self::Postgres, Some(matching), Route::Probe) => {
                let whole = Range { matching: None, occurred: None, ..range.clone() };
                let inner = Sql::new("SELECT ").text(COLUMNS).text(" FROM (SELECT *");
                let (sql, position) = self.rows(inner, &whole);
                let sql = sql.text(&format!(" ORDER BY {position} {direction}")).with(" LIMIT ", PROBE_ROWS);
                let sql = sql.with(") e WHERE e.terms @@ CAST(", matching.as_str()).text(" AS tsquery)");
                occurred(sql, range).text(&format!(" ORDER BY e.position {direction}")).with(" LIMIT ", limit)
            }
            (Self::Postgres, Some(_), Route::Index) => {
                let (sql, position) = self.rows(Sql::new("SELECT h.sequence"), range);
                let sql = sql.text(&format!(" ORDER BY {position} {direction}")).with(" LIMIT ", limit);
                let wrapped =
                    format!(" FROM event e WHERE e.organization_no = {} AND e.sequence IN (", range.organization_no);
                Sql::new("SELECT ")
                    .text(COLUMNS)
                    .text(&wrapped)
                    .append(sql)
                    .text(&format!(") ORDER BY e.position {direction}"))
            }
        }
    }

    /// `SELECT expression` over a range, as in `count(*)` or `e.action, count(*)`. `joined` says whether
    /// the expression reads columns of the event.
    pub fn over(self, expression: &str, range: &Range, joined: bool) -> Sql {
        let start = Sql::new("SELECT ").text(expression);
        match (self, &range.matching) {
            // Positions alone decide: the search index (or the map of positions) answers without the events.
            (Self::Sqlite, Some(matching)) if !joined && range.occurred.is_none() => start
                .with(" FROM event_search WHERE event_search MATCH ", matching.as_str())
                .with(" AND rowid >= ", range.low)
                .with(" AND rowid <= ", range.high),
            (Self::Sqlite, None) if !joined && range.occurred.is_none() => start
                .with(" FROM event_order WHERE organization_no = ", range.organization_no)
                .with(" AND position >= ", range.low)
                .with(" AND position <= ", range.high),
            (Self::Postgres, _) if joined => self.rows_of_event(start, range),
            _ => self.rows(start, range).0,
        }
    }

    /// `SELECT` of whole events of an organization by sequence.
    pub fn events_by_sequence(self, organization_no: i64, low: i64, high: i64, descending: bool, limit: i64) -> Sql {
        let direction = if descending { "DESC" } else { "ASC" };
        let sql = Sql::new("SELECT ").text(COLUMNS).text(" FROM event e WHERE ");
        let sql = match self {
            Self::Sqlite => {
                let key = |sequence: i64| (organization_no << SEQUENCE_BITS) | sequence;
                let top = (1 << SEQUENCE_BITS) - 1;
                sql.with("e.key >= ", key(low.clamp(0, top)))
                    .with(" AND e.key <= ", if high < 0 { key(0) - 1 } else { key(high.min(top)) })
            }
            Self::Postgres => sql
                .with("e.organization_no = ", organization_no)
                .with(" AND e.sequence >= ", low)
                .with(" AND e.sequence <= ", high),
        };
        let key = if self == Self::Sqlite { "e.key" } else { "e.sequence" };
        sql.text(&format!(" ORDER BY {key} {direction}")).with(" LIMIT ", limit)
    }

    /// `SELECT` of whole events of a range with bounds on the sequence, sorted by it.
    pub fn matches_by_sequence(self, range: &Range, low: i64, high: i64, descending: bool, limit: i64) -> Sql {
        let direction = if descending { "DESC" } else { "ASC" };
        let sequence = if self == Self::Sqlite { "o.sequence" } else { "e.sequence" };
        let hits = match self {
            Self::Sqlite => self.rows(Sql::new("SELECT ").text(sequence).text(" AS sequence"), range).0,
            Self::Postgres => self.rows_of_event(Sql::new("SELECT e.sequence"), range),
        };
        let hits = hits
            .text(&format!(" AND {sequence} >= {low} AND {sequence} <= {high} ORDER BY 1 {direction}"))
            .with(" LIMIT ", limit);
        let start = Sql::new("SELECT ").text(COLUMNS);
        match self {
            Self::Sqlite => start
                .text(&format!(
                    " FROM event e WHERE e.key IN (SELECT ({} << {SEQUENCE_BITS}) | sequence FROM (",
                    range.organization_no
                ))
                .append(hits)
                .text(&format!(")) ORDER BY e.key {direction}")),
            Self::Postgres => start
                .text(&format!(" FROM event e WHERE e.organization_no = {} AND e.sequence IN (", range.organization_no))
                .append(hits)
                .text(&format!(") ORDER BY e.sequence {direction}")),
        }
    }

    /// Adds `FROM … WHERE …` of a range; returns the column of the position.
    fn rows(self, sql: Sql, range: &Range) -> (Sql, &'static str) {
        match (self, &range.matching) {
            (Self::Sqlite, Some(matching)) => {
                // CROSS JOIN fixes the order: SQLite would sometimes drive from the events, which takes seconds.
                let sql = sql
                    .text(" FROM event_search CROSS JOIN event_order o CROSS JOIN event e")
                    .with(" WHERE event_search MATCH ", matching.as_str())
                    .with(" AND event_search.rowid >= ", range.low)
                    .with(" AND event_search.rowid <= ", range.high)
                    .with(" AND o.organization_no = ", range.organization_no)
                    .text(" AND o.position = event_search.rowid")
                    .text(&format!(" AND e.key = ({} << {SEQUENCE_BITS}) | o.sequence", range.organization_no));
                (occurred(sql, range), "event_search.rowid")
            }
            (Self::Sqlite, None) => {
                let sql = sql
                    .text(" FROM event_order o CROSS JOIN event e")
                    .with(" WHERE o.organization_no = ", range.organization_no)
                    .with(" AND o.position >= ", range.low)
                    .with(" AND o.position <= ", range.high)
                    .text(&format!(" AND e.key = ({} << {SEQUENCE_BITS}) | o.sequence", range.organization_no));
                (occurred(sql, range), "o.position")
            }
            (Self::Postgres, None) => (self.rows_of_event(sql, range), "e.position"),
            (Self::Postgres, Some(matching)) => {
                // Only the terms stand inside: with the position there too, the planner may walk a B-tree for a rare term.
                let sql = sql
                    .with(
                        " FROM (SELECT position, sequence, occurred_ns FROM event WHERE terms @@ CAST(",
                        matching.as_str(),
                    )
                    .with(" AS tsquery) OFFSET 0) h WHERE h.position >= ", range.low)
                    .with(" AND h.position <= ", range.high);
                let sql = match range.occurred {
                    Some((from, to)) => sql.with(" AND h.occurred_ns >= ", from).with(" AND h.occurred_ns < ", to),
                    None => sql,
                };
                (sql, "h.position")
            }
        }
    }

    /// `FROM event e WHERE …` of a range, on PostgreSQL.
    fn rows_of_event(self, sql: Sql, range: &Range) -> Sql {
        let sql = match &range.matching {
            Some(matching) => sql
                .with(" FROM (SELECT * FROM event WHERE terms @@ CAST(", matching.as_str())
                .with(" AS tsquery) OFFSET 0) e WHERE e.organization_no = ", range.organization_no),
            None => sql.with(" FROM event e WHERE e.organization_no = ", range.organization_no),
        };
        let sql = sql.with(" AND e.position >= ", range.low).with(" AND e.position <= ", range.high);
        occurred(sql, range)
    }
}

fn occurred(sql: Sql, range: &Range) -> Sql {
    match range.occurred {
        Some((from, to)) => sql.with(" AND e.occurred_ns >= ", from).with(" AND e.occurred_ns < ", to),
        None => sql,
    }
}

impl Dialect {
    /// Adds a test whether a column contains a text; every character of it is a plain one.
    pub fn contains(self, column: &str, sql: Sql, part: &str) -> Sql {
        match self {
            Self::Sqlite => sql.text(&format!("instr({column}, ")).bind(part).text(") > 0"),
            Self::Postgres => sql.text("position(").bind(part).text(&format!(" IN {column}) > 0")),
        }
    }
}

/// Statements of recording.
impl Dialect {
    /// `INSERT INTO event (…) VALUES `, without rows.
    pub fn insert_events(self) -> Sql {
        let rest = "position, salt, log_no, occurred_ns, recorded_ns, action, category, outcome, actor_kind, actor_id, actor_name, \
            actor_email, on_behalf_of, resources, ip_address, user_agent, correlation_id, source, source_event_id, recorded_by, \
            terms_version, metadata";
        match self {
            Self::Sqlite => Sql::new(&format!("INSERT INTO event (key, {rest}) VALUES ")),
            Self::Postgres => {
                Sql::new(&format!("INSERT INTO event (organization_no, sequence, {rest}, terms) VALUES "))
            }
        }
    }

    /// The values of an event's key columns.
    pub fn key_values(self, organization_no: i64, sequence: i64) -> Vec<sea_orm::Value> {
        match self {
            Self::Sqlite => vec![((organization_no << SEQUENCE_BITS) | sequence).into()],
            Self::Postgres => vec![organization_no.into(), sequence.into()],
        }
    }

    /// That a row of `event` is the one that another table's organization and sequence point to.
    pub fn same_event(self, event: &str, other: &str) -> String {
        match self {
            Self::Sqlite => format!("{event}.key = ({other}.organization_no << {SEQUENCE_BITS}) | {other}.sequence"),
            Self::Postgres => {
                format!("{event}.organization_no = {other}.organization_no AND {event}.sequence = {other}.sequence")
            }
        }
    }

    /// The table that knows which positions are taken.
    pub fn order_table(self) -> &'static str {
        match self {
            Self::Sqlite => "event_order",
            Self::Postgres => "event",
        }
    }

    /// The larger of two columns: SQLite's `max` of two is PostgreSQL's `greatest`.
    pub fn greatest(self, a: &str, b: &str) -> String {
        match self {
            Self::Sqlite => format!("max({a}, {b})"),
            Self::Postgres => format!("greatest({a}, {b})"),
        }
    }

    /// `SELECT` of whole events by their sequences.
    pub fn events_of_sequences(self, organization_no: i64, sequences: &[i64]) -> Sql {
        let mut sql = Sql::new("SELECT ").text(COLUMNS).text(" FROM event e WHERE ");
        sql = match self {
            Self::Sqlite => sql.text("e.key IN ("),
            Self::Postgres => sql.with("e.organization_no = ", organization_no).text(" AND e.sequence IN ("),
        };
        for (i, sequence) in sequences.iter().enumerate() {
            let value = if self == Self::Sqlite { (organization_no << SEQUENCE_BITS) | sequence } else { *sequence };
            sql = sql.with(if i > 0 { ", " } else { "" }, value);
        }
        sql.text(")")
    }
}
