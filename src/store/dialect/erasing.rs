//! The statements of erasure.

use sea_orm::Value;

use super::{Dialect, SEQUENCE_BITS, sql::Sql};

/// The columns of an event that may go empty. Those that tell what was done, when and where are not among them; the
/// triggers hold that, too.
pub const ERASED: [&str; 15] = [
    "actor_id",
    "actor_name",
    "actor_email",
    "on_behalf_of",
    "resources",
    "ip_address",
    "user_agent",
    "correlation_id",
    "source",
    "source_event_id",
    "recorded_by",
    "truncated",
    "masked",
    "metadata",
    "erased",
];

/// What is left of an event.
pub struct Left {
    /// Its sequence.
    pub sequence: i64,
    /// Its position.
    pub position: i64,
    /// The values of [`ERASED`].
    pub values: [Value; ERASED.len()],
    /// Its terms, as the index takes them.
    pub terms: String,
}

impl Dialect {
    /// Opens the door for what is erased of events of an organization, from one sequence to another, both included: see
    /// [`Self::open_door`].
    pub fn open_erasing_door(self, organization_no: i64, low: i64, high: i64) -> Sql {
        match self {
            Self::Sqlite => Sql::new("INSERT INTO removal_grant (organization_no, low, high, erases) VALUES (")
                .bind(organization_no)
                .with(", ", low)
                .with(", ", high)
                .text(", 1)"),
            Self::Postgres | Self::Citus => {
                self.setting("ledgerline.erasure", &format!("{organization_no}:{low}:{high}"))
            }
        }
    }

    /// Closes it before the transaction ends.
    pub fn close_erasing_door(self) -> Sql {
        match self {
            Self::Sqlite => self.close_door(),
            Self::Postgres | Self::Citus => self.setting("ledgerline.erasure", ""),
        }
    }

    /// Writes what is left of events. SQLite's terms are in a table of their own.
    pub fn erase_fields(self, organization_no: i64, events: Vec<Left>) -> Vec<Sql> {
        match self {
            // A statement an event: joined with rows, SQLite might read all events for each of them.
            Self::Sqlite => {
                let one = |left: Left| {
                    let mut sql = Sql::new("UPDATE event SET ");
                    for (at, (name, value)) in ERASED.iter().zip(left.values).enumerate() {
                        sql = sql.with(&format!("{}{name} = ", if at > 0 { ", " } else { "" }), value);
                    }
                    sql.with(" WHERE key = ", (organization_no << SEQUENCE_BITS) | left.sequence)
                };
                events.into_iter().map(one).collect()
            }
            Self::Postgres | Self::Citus => {
                let places: Vec<_> = events.iter().map(|left| left.position).collect();
                let rows = events.into_iter().map(|Left { position, values, terms, .. }| {
                    let mut row: [Value; ERASED.len() + 2] = std::array::from_fn(|_| position.into());
                    row[1..=ERASED.len()].clone_from_slice(&values);
                    row[ERASED.len() + 1] = terms.into();
                    row
                });
                let set = ERASED.iter().enumerate().map(|(at, name)| format!("{name} = n.c{}", at + 1));
                let set = set.collect::<Vec<_>>().join(", ");
                let sql = Sql::new(&format!("UPDATE event e SET {set}, terms = n.c{} FROM (", ERASED.len() + 1));
                let sql = sql.table_of(self, rows, Some("tsvector")).text(") n WHERE e.position = n.c0");
                // By the key, however the planner would join.
                let sql = sql.with(" AND e.organization_no = ", organization_no).text(" AND ");
                vec![self.one_of(sql, "e.position", places.into_iter())]
            }
        }
    }

    /// Takes terms of documents out of the table of terms and puts others in, by position, falling.
    pub fn change_terms(self, documents: &[(i64, String, String)]) -> [Sql; 2] {
        let gone: Vec<_> = documents.iter().map(|(at, gone, _)| (*at, gone.as_str())).collect();
        let [_, delete] = self.delete_terms(&gone);
        let added: Vec<_> = documents.iter().map(|(at, _, added)| (*at, added.as_str().into())).collect();
        // One comes for each that goes, so that the index counts as many documents as before.
        [self.insert_terms(&added), delete]
    }
}
