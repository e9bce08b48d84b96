//! The plans of the statements that reads run, for the tests that keep scans and sorts from creeping in.

use sea_orm::{ConnectionTrait, TryGetable};

use super::{
    PageRequest, Selection, Store,
    dialect::{CHUNK, erasing::Left, sql::Sql},
    error,
    reindex::BATCH,
    tables::{COUNT, DEAD_LETTER, DIRECTORY, IDEMPOTENCY},
};
use crate::{error::Result, event::words::NORMALISER_VERSION, question::cursor::OrderField};

impl Store {
    /// Plan lines of the statements that may answer a page.
    pub async fn explain_page(&self, selection: &Selection, request: PageRequest) -> Result<Vec<String>> {
        let (low, high) = request.bounds();
        let (descending, limit) = (request.descending(), request.limit as i64 + 1);
        let statements = match request.order.field {
            OrderField::OccurredAt => {
                let range = selection.range().within(low, high);
                let ways = self.ways(&range, descending);
                ways.iter().map(|way| self.by_way(&range, way, descending, limit)).collect()
            }
            OrderField::Sequence => vec![self.in_sequence(selection, (low, high), descending, limit)],
        };
        self.explain(statements).await
    }

    /// Plan lines of the statement that counts a selection from the index.
    pub async fn explain_count(&self, selection: &Selection) -> Result<Vec<String>> {
        let range = selection.range();
        self.explain(vec![self.dialect.over("count(*) AS n", &range, range.occurred.is_some())]).await
    }

    /// Plan lines of the statements that look up what a group of events has to know, for as many events as one asks for.
    pub async fn explain_recording(&self) -> Result<Vec<String>> {
        let numbers: Vec<_> = (0..CHUNK as i64).collect();
        let hash = [0_u8; 16];
        let keys: Vec<_> = numbers.iter().map(|no| (*no, &hash)).collect();
        let blocks: Vec<_> = numbers.iter().map(|no| (*no, *no)).collect();
        let heads = self.locking_heads(&numbers);
        self.explain(vec![heads, self.dialect.events_of_keys(&keys), self.dialect.last_places(&blocks)]).await
    }

    /// Plan lines of the statement that gives a batch of an organization's events other terms.
    pub async fn explain_reindexing(&self, organization_no: i64) -> Result<Vec<String>> {
        let rows = (0..BATCH).map(|position| (position, String::new())).collect();
        self.explain(vec![self.dialect.replace_terms(organization_no, NORMALISER_VERSION, rows)]).await
    }

    /// The texts of the statements by which events of an organization, by sequence and position, leave with all that followed
    /// from them, and of the one that erases from them.
    pub fn removing(&self, organization_no: i64, places: &[(i64, i64)]) -> Vec<String> {
        let (dialect, no) = (self.dialect, organization_no);
        let sequences = || places.iter().map(|(sequence, _)| *sequence);
        let left = places.iter().map(|(sequence, position)| Left {
            sequence: *sequence,
            position: *position,
            values: std::array::from_fn(|_| String::new().into()),
            terms: String::new(),
        });
        let counts = sequences().map(|at| [no.into(), 0_i16.into(), at.into(), 0_i64.into(), 0_i64.into()]);
        let actors = sequences().map(|at| [no.into(), at.to_be_bytes().to_vec().into()]);
        let mut statements = vec![
            dialect.delete_events(no, places),
            dialect.delete_order(no, places),
            dialect.delete_numbered(IDEMPOTENCY.name, no, "sequence", sequences()),
            dialect.delete_numbered(DEAD_LETTER.name, no, "sequence", sequences()),
            dialect.delete_keyed(&COUNT, no, counts, "n = 0"),
            dialect.delete_keyed(&DIRECTORY, no, actors, "n = 0"),
        ];
        statements.extend(dialect.erase_fields(no, left.collect()));
        statements.into_iter().map(|sql| sql.on(dialect.backend()).sql).collect()
    }

    async fn explain(&self, statements: Vec<Sql>) -> Result<Vec<String>> {
        let (prefix, column) = self.dialect.explaining();
        let mut lines = Vec::new();
        for sql in statements {
            let statement = Sql::new(prefix).append(sql).on(self.dialect.backend());
            for row in self.read.query_all_raw(statement).await.map_err(error::from)? {
                lines.push(String::try_get_by(&row, column).map_err(|error| error::from(error.into()))?);
            }
        }
        Ok(lines)
    }
}
