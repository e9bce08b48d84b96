//! The statements of reading.

use std::collections::BTreeSet;

use sea_orm::Value;

use super::{Dialect, SEQUENCE_BITS, search_rowid, sql::Sql};
use crate::{
    event::terms,
    question::filter::{Clause, Term},
    store::{range::Range, tables::COLUMNS},
};

impl Dialect {
    /// A search expression over terms, rendered for FTS5's MATCH or as a tsquery; `None` where there is no clause.
    pub fn render(self, organization_no: i64, clauses: &[Clause]) -> Option<String> {
        if clauses.is_empty() {
            return None;
        }
        let prefix = terms::organization_prefix(organization_no);
        let (or, and) = match self {
            Self::Sqlite => (" OR ", " AND "),
            Self::Postgres | Self::Citus => (" | ", " & "),
        };
        let one = |term: &Term| match (self, term) {
            (Self::Sqlite, Term::Exact(term)) => format!("\"{prefix}{term}\""),
            (Self::Sqlite, Term::Prefix(term) | Term::Longer(term)) => format!("\"{prefix}{term}\" *"),
            (Self::Postgres | Self::Citus, Term::Exact(term)) => format!("'{prefix}{term}'"),
            (Self::Postgres | Self::Citus, Term::Prefix(term) | Term::Longer(term)) => format!("'{prefix}{term}':*"),
        };
        let group = |clause: &Clause| format!("({})", clause.any.iter().map(one).collect::<Vec<_>>().join(or));
        let mut positive: Vec<_> = clauses.iter().filter(|c| !c.none).map(group).collect();
        if positive.is_empty() {
            // Neither index can begin with a NOT: every event lies within its organization's own log.
            positive.push(one(&Term::Exact(terms::numbered(terms::TermKind::WithinLog, 0))));
        }
        let negative: Vec<_> = clauses.iter().filter(|c| c.none).map(group).collect();
        let mut text = format!("({})", positive.join(and));
        if !negative.is_empty() {
            let not = if self == Self::Sqlite { " NOT " } else { " & !" };
            text = format!("{text}{not}({})", negative.join(or));
        }
        Some(text)
    }

    /// How far organizations are, by product and external id: `product`, `external_id`, `no`, `size`, `last_salt`, `removed`.
    /// Not for a cluster, which would ask every node.
    pub fn standings(self, names: impl IntoIterator<Item = [Value; 2]>) -> Sql {
        Sql::new("WITH asked (product, external_id) AS (")
            .table(self, names)
            .text(") SELECT o.product, o.external_id, o.no, h.size, h.last_salt, h.removed FROM asked a")
            .text(&self.join_one("organization", "o", &["product", "external_id"], "a"))
            .text(" JOIN organization_head h ON h.organization_no = o.no")
    }

    /// Gives a row if the words of an organization that begin so have more postings together. Only SQLite's index counts
    /// them.
    pub fn has_more_postings(self, organization_no: i64, beginning: &str, most: i64) -> Option<Sql> {
        if self != Self::Sqlite {
            return None;
        }
        let low = format!("{}{beginning}", terms::organization_prefix(organization_no));
        let high = format!("{low}\u{10FFFF}");
        // The window function sums as it goes, so the scan ends at the bound.
        let sql = Sql::new("SELECT 1 AS n FROM (SELECT sum(doc) OVER (ROWS UNBOUNDED PRECEDING) AS total");
        let sql = sql.with(" FROM event_search_terms WHERE term >= ", low).with(" AND term < ", high);
        Some(sql.with(") WHERE total > ", most).text(" LIMIT 1"))
    }

    /// `SELECT` of whole events of a range in the order of time. PostgreSQL reads and sorts all matches of a search: see
    /// [`Self::stretches`].
    pub fn events_by_position(self, range: &Range, descending: bool, limit: i64) -> Sql {
        self.ordered(self.rows(Sql::new("SELECT ").text(&COLUMNS), range), range, descending, limit)
    }

    /// Whether the matches of a range come in the order of time. PostgreSQL's search index knows no order.
    pub fn gives_order(self, range: &Range) -> bool {
        self == Self::Sqlite || range.matching.is_none()
    }

    /// The matches of a search among so many rows of the range, in the order of time. Each row is tested, as PostgreSQL
    /// can: its rows hold their terms.
    pub fn events_tested(self, range: &Range, descending: bool, limit: i64, rows: i64) -> Sql {
        let matching = range.matching.as_deref().unwrap_or_default();
        let whole = Range { matching: None, occurred: None, ..range.clone() };
        let tested = self.rows(Sql::new("SELECT ").text(&COLUMNS).text(" FROM (SELECT *"), &whole);
        let tested = self.ordered(tested, &whole, descending, rows);
        let sql = tested.with(") e WHERE e.terms @@ CAST(", matching).text(" AS tsquery)");
        self.ordered(occurred(sql, range), range, descending, limit)
    }

    /// Ends a statement over a range: so many rows in the order of time.
    pub fn ordered(self, sql: Sql, range: &Range, descending: bool, limit: i64) -> Sql {
        let order = match (self, &range.matching, descending) {
            (Self::Sqlite, Some(_), true) => "event_search.rowid",
            (Self::Sqlite, Some(_), false) => "event_search.rowid DESC",
            (Self::Sqlite, None, true) => "o.position DESC",
            (Self::Sqlite, None, false) => "o.position",
            (Self::Postgres | Self::Citus, _, true) => "e.position DESC",
            (Self::Postgres | Self::Citus, _, false) => "e.position",
        };
        // A limit stands in the text: PostgreSQL plans once for all values of a place, and must know that it is small.
        sql.text(&format!(" ORDER BY {order} LIMIT {limit}"))
    }

    /// Cuts a range into stretches, which are asked one after the other until there are enough rows: an index without
    /// order gives all matches of a partition at once. Elsewhere the range is one stretch.
    pub fn stretches(self, range: &Range, descending: bool) -> Vec<Range> {
        if self.gives_order(range) {
            return vec![range.clone()];
        }
        let windows = range.partitions.windows(range.low, range.high, descending);
        let bounds = windows.iter().filter_map(|window| {
            let (first, last) = (window.first()?, window.last()?);
            Some(if descending { (last.low, first.high - 1) } else { (first.low, last.high - 1) })
        });
        bounds.map(|(low, high)| range.clone().within(low, high)).collect()
    }

    /// `SELECT expression` over a range, as in `count(*)` or `e.action, count(*)`. `joined` says whether
    /// the expression reads columns of the event.
    pub fn over(self, expression: &str, range: &Range, joined: bool) -> Sql {
        let start = Sql::new("SELECT ").text(expression);
        match (self, &range.matching) {
            // Positions alone decide: the search index (or the map of positions) answers without the events.
            (Self::Sqlite, Some(matching)) if !joined && range.occurred.is_none() => start
                .with(" FROM event_search WHERE event_search MATCH ", matching.as_str())
                .with(" AND rowid >= ", search_rowid(range.high))
                .with(" AND rowid <= ", search_rowid(range.low)),
            (Self::Sqlite, None) if !joined && range.occurred.is_none() => start
                .with(" FROM event_order WHERE organization_no = ", range.organization_no)
                .with(" AND position >= ", range.low)
                .with(" AND position <= ", range.high),
            (Self::Postgres | Self::Citus, _) => self.rows_of_range(start, range),
            _ => self.rows(start, range),
        }
    }

    /// `SELECT` of whole events of an organization by sequence.
    pub fn events_by_sequence(self, organization_no: i64, low: i64, high: i64, descending: bool, limit: i64) -> Sql {
        self.select_by_sequence(&COLUMNS, organization_no, low, high, descending, limit)
    }

    /// The same of some columns of `e`.
    pub fn select_by_sequence(
        self,
        columns: &str,
        organization_no: i64,
        low: i64,
        high: i64,
        descending: bool,
        limit: i64,
    ) -> Sql {
        let direction = if descending { "DESC" } else { "ASC" };
        let start = Sql::new("SELECT ").text(columns);
        let (sql, key) = match self {
            Self::Sqlite => {
                let key = |sequence: i64| (organization_no << SEQUENCE_BITS) | sequence;
                let top = (1 << SEQUENCE_BITS) - 1;
                let sql = start
                    .with(" FROM event e WHERE e.key >= ", key(low.clamp(0, top)))
                    .with(" AND e.key <= ", if high < 0 { key(0) - 1 } else { key(high.min(top)) });
                (sql, "e.key")
            }
            Self::Postgres | Self::Citus => {
                let sql = self
                    .join_event(start.text(" FROM event_order o"), "o", Some(organization_no))
                    .with(" WHERE o.organization_no = ", organization_no)
                    .with(" AND o.sequence >= ", low)
                    .with(" AND o.sequence <= ", high);
                (sql, "o.sequence")
            }
        };
        sql.text(&format!(" ORDER BY {key} {direction} LIMIT {limit}"))
    }

    /// `SELECT` of whole events of a range with bounds on the sequence, sorted by it.
    pub fn matches_by_sequence(self, range: &Range, low: i64, high: i64, descending: bool, limit: i64) -> Sql {
        let direction = if descending { "DESC" } else { "ASC" };
        let start = Sql::new("SELECT ").text(&COLUMNS);
        match self {
            Self::Sqlite => {
                let hits = self
                    .rows(Sql::new("SELECT o.sequence AS sequence"), range)
                    .with(" AND o.sequence >= ", low)
                    .with(" AND o.sequence <= ", high)
                    .text(&format!(" ORDER BY 1 {direction} LIMIT {limit}"));
                start
                    .text(&format!(
                        " FROM event e WHERE e.key IN (SELECT ({} << {SEQUENCE_BITS}) | sequence FROM (",
                        range.organization_no
                    ))
                    .append(hits)
                    .text(&format!(")) ORDER BY e.key {direction}"))
            }
            Self::Postgres | Self::Citus => self
                .rows_of_range(start, range)
                .with(" AND e.sequence >= ", low)
                .with(" AND e.sequence <= ", high)
                .text(&format!(" ORDER BY e.sequence {direction} LIMIT {limit}")),
        }
    }

    /// Adds `FROM … WHERE …` of a range.
    fn rows(self, sql: Sql, range: &Range) -> Sql {
        let sql = match (self, &range.matching) {
            // CROSS JOIN fixes the order: SQLite would sometimes drive from the events, which takes seconds.
            (Self::Sqlite, Some(matching)) => sql
                .text(" FROM event_search CROSS JOIN event_order o CROSS JOIN event e")
                .with(" WHERE event_search MATCH ", matching.as_str())
                .with(" AND event_search.rowid >= ", search_rowid(range.high))
                .with(" AND event_search.rowid <= ", search_rowid(range.low))
                .with(" AND o.organization_no = ", range.organization_no)
                .text(" AND o.position = ~event_search.rowid"),
            (Self::Sqlite, None) => sql
                .text(" FROM event_order o CROSS JOIN event e")
                .with(" WHERE o.organization_no = ", range.organization_no)
                .with(" AND o.position >= ", range.low)
                .with(" AND o.position <= ", range.high),
            (Self::Postgres | Self::Citus, _) => return self.rows_of_range(sql, range),
        };
        let key = format!(" AND e.key = ({} << {SEQUENCE_BITS}) | o.sequence", range.organization_no);
        occurred(sql.text(&key), range)
    }

    /// `FROM … e WHERE …` of a range, on PostgreSQL: of the partitions that it touches.
    fn rows_of_range(self, sql: Sql, range: &Range) -> Sql {
        let bounded = range.low > i64::MIN || range.high < i64::MAX;
        let touched = if bounded { range.partitions.touched(range.low, range.high) } else { &[] };
        let mut tables: Vec<_> = touched.iter().map(|partition| partition.name.as_str()).collect();
        if tables.is_empty() {
            tables.push("event");
        }
        let sql = match &range.matching {
            // Only the terms stand inside: with the position there too, the planner may walk a B-tree for a rare term.
            Some(matching) => {
                let mut sql = sql.text(" FROM (");
                for (at, table) in tables.iter().enumerate() {
                    let union = if at > 0 { " UNION ALL " } else { "" };
                    let hits = format!("{union}(SELECT * FROM {table} WHERE terms @@ CAST(");
                    sql = sql.with(&hits, matching.as_str()).text(" AS tsquery)");
                    if self == Self::Citus {
                        // Otherwise every node would send its matches whole.
                        sql = sql.with(" AND organization_no = ", range.organization_no);
                    }
                    sql = sql.text(" OFFSET 0)");
                }
                sql.text(") e")
            }
            None => sql.text(" FROM event e"),
        };
        let sql = sql.with(" WHERE e.organization_no = ", range.organization_no);
        let sql = sql.with(" AND e.position >= ", range.low).with(" AND e.position <= ", range.high);
        occurred(sql, range)
    }

    /// Takes rows of `resources` and `position`, and gives a row for each distinct type among an event's resources. `first`
    /// is 1 in one row of each event and 0 in its others. An event without resources has one row without a type.
    pub fn resource_types(self, events: Sql) -> Sql {
        let (kind, is_first, each) = match self {
            Self::Sqlite => {
                ("json_extract(r.value, '$.type')", "r.key IS NULL OR r.key = 0", "json_each(events.resources) r")
            }
            Self::Postgres | Self::Citus => (
                "r.value->>'type'",
                "r.place IS NULL OR r.place = 1",
                "LATERAL json_array_elements(CAST(events.resources AS json)) WITH ORDINALITY AS r (value, place)",
            ),
        };
        let first = format!("max(CASE WHEN {is_first} THEN 1 ELSE 0 END) AS first");
        Sql::new(&format!("SELECT {kind} AS resource_type, events.position AS position, {first} FROM ("))
            .append(events)
            .text(&format!(") AS events LEFT JOIN {each} ON TRUE GROUP BY 1, 2"))
    }
}

/// The text of a statement of [`rows_of_range`](Dialect::rows_of_range) without the partitions that are not there any more:
/// they were empty when they went, so nothing of them is missed.
pub fn without_partitions(text: &str, there: &BTreeSet<String>) -> String {
    let mut parts = text.split("FROM event_");
    let mut left = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        match rest.strip_prefix(" WHERE ") {
            Some(rest) if !number.is_empty() && !there.contains(&format!("event_{number}")) => {
                left.push_str("FROM event WHERE false AND ");
                left.push_str(rest);
            }
            _ => {
                left.push_str("FROM event_");
                left.push_str(part);
            }
        }
    }
    left
}

fn occurred(sql: Sql, range: &Range) -> Sql {
    match range.occurred {
        Some((from, to)) => sql.with(" AND e.occurred_ns >= ", from).with(" AND e.occurred_ns < ", to),
        None => sql,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_loses_the_partitions_that_are_gone_and_no_other() {
        let text = "SELECT * FROM ((SELECT * FROM event_202601 WHERE terms @@ $1 OFFSET 0) UNION ALL (SELECT * FROM \
                    event_202602 WHERE terms @@ $2 OFFSET 0)) e JOIN (SELECT 1 FROM event_order WHERE sequence = $3) o";
        let there = BTreeSet::from(["event_202602".to_owned()]);
        let left = text.replace("FROM event_202601 WHERE", "FROM event WHERE false AND");
        assert_eq!(without_partitions(text, &there), left);
        assert_eq!(without_partitions(&left, &there), left);
    }
}
