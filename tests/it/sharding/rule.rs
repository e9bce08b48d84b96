//! The rule that every statement to a cluster keeps, so that one node answers it: beside each table that is cut by
//! organization stands the number of one organization; a request is one command; no plan is made without values; and no
//! subquery is about a row of the query around it.

use std::ops::ControlFlow;

use sqlparser::{
    ast::{
        BinaryOperator, Expr, FromTable, Ident, InTarget, JoinConstraint, JoinOperator, ObjectName, Query, Select,
        Statement, TableFactor, TableWithJoins, Value, Visit, Visitor,
    },
    dialect::PostgreSqlDialect,
    parser::Parser,
};

/// The tables that a cluster cuts by organization, beside the partitions of `event`.
const CUT: [&str; 8] =
    ["organization_head", "log", "kind", "event", "event_order", "idempotency", "event_count", "actor_directory"];

/// What is read of all organizations at once, rarely or by whoever runs the service: a part of each statement, and why.
const OF_ALL: [(&str, &str); 6] = [
    ("FROM organization_head WHERE organization_no IN (", "sizes of those of one node: its numbers stand in the text"),
    ("SELECT count(*) AS n FROM organization_head", "a copy asks once whether its source is whole"),
    ("sum(size - removed)", "a copy asks once how much there is to do"),
    ("FROM organization_head t WHERE TRUE", "a copy reads heads by pages"),
    ("ORDER BY h.size DESC", "staff is shown the largest organizations"),
    ("ORDER BY \"organization_head\".\"recorded_ns\" DESC", "a sweep asks what the latest recording of all is"),
];

/// Commands that are no question: of the schema, the session or the files, which Citus carries out on the nodes itself.
const COMMANDS: [&str; 13] = [
    "ALTER",
    "BEGIN",
    "CHECKPOINT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DROP",
    "LISTEN",
    "REINDEX",
    "ROLLBACK",
    "SET",
    "UNLISTEN",
    "VACUUM",
];

/// What is wrong with a request.
pub fn fault(is_plain: bool, text: &str) -> Option<String> {
    if text.contains("force_generic_plan") {
        return Some("it asks for plans without values".to_owned());
    }
    let commands: Vec<&str> = text.split(';').map(str::trim).filter(|command| !command.is_empty()).collect();
    // The session's own settings, and those of a transaction, are no node's.
    let is_session = text.starts_with("SET client_encoding");
    let begins = |commands: &[&str]| commands[0].starts_with("BEGIN") && commands[1].starts_with("SELECT set_config(");
    if is_plain && commands.len() > 1 && !is_session && !(commands.len() == 2 && begins(&commands)) {
        return Some("it is several commands".to_owned());
    }
    let first = text.split_whitespace().next().unwrap_or_default().to_uppercase();
    if COMMANDS.contains(&first.as_str()) || OF_ALL.iter().any(|(part, _)| text.contains(part)) {
        return None;
    }
    let parsed = match Parser::parse_sql(&PostgreSqlDialect {}, text) {
        Ok(parsed) => parsed,
        Err(error) => return Some(format!("it cannot be read: {error}")),
    };
    let mut faults = Faults(Vec::new());
    let _ = parsed.visit(&mut faults);
    (!faults.0.is_empty()).then(|| faults.0.join("; "))
}

/// What the rule finds.
struct Faults(Vec<String>);

impl Visitor for Faults {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.check(&select.from, select.selection.as_ref());
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Update(update) => {
                self.check(std::slice::from_ref(&update.table), update.selection.as_ref());
            }
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
                self.check(from, delete.selection.as_ref());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Subquery(query)
        | Expr::Exists { subquery: query, .. }
        | Expr::In { target: InTarget::Subquery(query), .. } = expression
            && let Some(outer) = names_outside(query)
        {
            self.0.push(format!("a subquery is about a row of {outer}, which is outside of it"));
        }
        ControlFlow::Continue(())
    }
}

impl Faults {
    /// Tables of one level, and what is asked of them there.
    fn check(&mut self, from: &[TableWithJoins], selection: Option<&Expr>) {
        let (mut tables, mut conditions) = (Vec::new(), Vec::new());
        from.iter().for_each(|each| gather(each, &mut tables, &mut conditions));
        conditions.extend(selection);
        let conditions: Vec<&Expr> = conditions.into_iter().flat_map(conjuncts).collect();
        let alone = tables.len() == 1;
        for (name, alias) in tables {
            let is_cut = CUT.contains(&name.as_str()) || name.strip_prefix("event_").is_some_and(is_partition);
            if is_cut && !conditions.iter().any(|condition| names_one(condition, &alias, alone)) {
                self.0.push(format!("beside {name} ({alias}) no number of an organization stands"));
            }
        }
    }
}

fn is_partition(rest: &str) -> bool {
    rest.bytes().all(|byte| byte.is_ascii_digit()) || rest.starts_with("before") || rest.starts_with("after")
}

/// The tables of a FROM with the names that they go by, and the conditions of its joins.
fn gather<'a>(from: &'a TableWithJoins, tables: &mut Vec<(String, String)>, conditions: &mut Vec<&'a Expr>) {
    let mut factors = vec![&from.relation];
    for join in &from.joins {
        factors.push(&join.relation);
        if let JoinOperator::Join(JoinConstraint::On(on))
        | JoinOperator::Inner(JoinConstraint::On(on))
        | JoinOperator::Left(JoinConstraint::On(on))
        | JoinOperator::LeftOuter(JoinConstraint::On(on)) = &join.join_operator
        {
            conditions.push(on);
        }
    }
    for factor in factors {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let name = text(name);
                let alias = alias.as_ref().map_or_else(|| name.clone(), |alias| alias.name.value.clone());
                tables.push((name, alias));
            }
            TableFactor::NestedJoin { table_with_joins, .. } => gather(table_with_joins, tables, conditions),
            _ => {}
        }
    }
}

fn text(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default()
}

/// What is asked all together.
fn conjuncts(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => [conjuncts(left), conjuncts(right)].concat(),
        Expr::Nested(inner) => conjuncts(inner),
        other => vec![other],
    }
}

/// Whether a condition names one organization's number of a table.
fn names_one(condition: &Expr, alias: &str, alone: bool) -> bool {
    let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return false };
    let is_column = match &**left {
        Expr::Identifier(column) => alone && column.value == "organization_no",
        Expr::CompoundIdentifier(parts) => {
            matches!(parts.as_slice(), [of, column] if of.value == alias && column.value == "organization_no")
        }
        _ => false,
    };
    let is_number = matches!(&**right, Expr::Value(value)
        if matches!(&value.value, Value::Placeholder(_) | Value::Number(..)));
    is_column && is_number
}

/// A name that a subquery uses and that is of no table inside of it.
fn names_outside(query: &Query) -> Option<String> {
    #[derive(Default)]
    struct Names {
        inside: Vec<String>,
        used: Vec<Ident>,
    }
    impl Visitor for Names {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            let (name, alias) = match factor {
                TableFactor::Table { name, alias, .. } => (Some(text(name)), alias),
                TableFactor::Derived { alias, .. }
                | TableFactor::Function { alias, .. }
                | TableFactor::TableFunction { alias, .. } => (None, alias),
                _ => return ControlFlow::Continue(()),
            };
            self.inside.extend(alias.as_ref().map(|alias| alias.name.value.clone()).or(name));
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(parts) = expression {
                self.used.extend(parts.first().cloned());
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names::default();
    let _ = query.visit(&mut names);
    let Names { inside, used } = names;
    used.into_iter().map(|ident| ident.value).find(|name| !inside.contains(name))
}

#[test]
fn the_rule_finds_what_it_is_there_for() {
    for (sql, wrong) in [
        ("SELECT size FROM organization_head WHERE organization_no = $1", None),
        (
            "SELECT h.size FROM organization_head h JOIN organization o ON o.no = h.organization_no WHERE h.organization_no = $1 FOR UPDATE OF h",
            None,
        ),
        (
            "SELECT h.size FROM organization_head h JOIN organization o ON o.no = h.organization_no WHERE o.product = $1",
            Some("organization_head"),
        ),
        (
            "SELECT size FROM organization_head WHERE organization_no = ANY (CAST($1 AS bigint[]))",
            Some("organization_head"),
        ),
        (
            "SELECT e.* FROM ((SELECT * FROM event_202611 WHERE terms @@ CAST($1 AS tsquery) OFFSET 0)) e WHERE e.organization_no = $2",
            Some("event_202611"),
        ),
        (
            "SELECT e.* FROM ((SELECT * FROM event_202611 WHERE terms @@ CAST($1 AS tsquery) AND organization_no = $2 OFFSET 0)) e WHERE e.organization_no = $2",
            None,
        ),
        ("DELETE FROM idempotency WHERE sequence = $1", Some("idempotency")),
        ("UPDATE event e SET terms = n.c1 FROM (SELECT 1 AS c1) n WHERE e.organization_no = $1", None),
        ("SELECT 1 FROM organization o WHERE NOT EXISTS (SELECT 1 FROM history h WHERE h.no = o.no)", Some("outside")),
        ("SELECT 1 FROM event WHERE organization_no = $1 OR organization_no = $2", Some("event")),
        ("SET plan_cache_mode = 'force_generic_plan'", Some("without values")),
        ("DELETE FROM sweep; DELETE FROM hold", Some("several")),
        ("BEGIN; SELECT set_config('synchronous_commit', 'on', true)", None),
        ("SELECT !", Some("cannot be read")),
    ] {
        let found = fault(true, sql);
        match wrong {
            Some(part) => assert!(found.as_deref().is_some_and(|found| found.contains(part)), "{sql}: {found:?}"),
            None => assert_eq!(found, None, "{sql}"),
        }
    }
}
