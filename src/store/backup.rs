//! A state of the whole database in one SQLite file, and what can be said of it.
//!
//! SQLite writes it with `VACUUM INTO`: one read transaction, so it is consistent whatever is recorded meanwhile, compact,
//! and without a write-ahead log. The online backup API would copy page after page, and begin anew whenever another process
//! writes: under steady recording it comes to no end unless it takes all pages in one step, which is the same read
//! transaction. While it is open the write-ahead log cannot be emptied: it grows by what is recorded meanwhile.
//!
//! PostgreSQL's is a [copy](super::copy), which is read in one snapshot and compared row by row. Either becomes a database of
//! either kind again.

use std::path::{Path, PathBuf};

use entity::export;
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait};

use super::{
    Durability, Phase, Store,
    dialect::{Dialect, sql::Sql},
    error,
    sqlite::connect,
};
use crate::{
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
};

/// How an organization stands: what its head says, and what is there.
#[derive(Clone, Debug, FromQueryResult)]
pub struct State {
    /// Name of its product.
    pub product: String,
    /// The product's own id.
    pub external_id: String,
    /// How many events it has recorded: the next sequence.
    pub size: i64,
    /// How many of them have left.
    pub removed: i64,
    /// Salt of the newest one.
    pub last_salt: i64,
    /// When that was recorded, in nanoseconds since 1970.
    pub recorded_ns: i64,
    /// Events that are there.
    pub events: i64,
    /// Their places in time.
    pub places: i64,
    /// The lowest sequence.
    pub first: Option<i64>,
    /// The highest one.
    pub last: Option<i64>,
    /// Salt of the event that has it.
    pub salt: Option<i64>,
}

impl State {
    /// What is wrong with it, in words; the sequence is dense but for what has left.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let Self { size, removed, events, places, first, last, last_salt, salt, .. } = self;
        let mut faults = Vec::new();
        if events + removed != *size {
            faults.push(format!("its head counts {size} events, {removed} of which have left, but {events} are there"));
        }
        if events != places {
            faults.push(format!("{events} events have {places} places in the order of time"));
        }
        if first.is_some_and(|first| first < 0) || last.is_some_and(|last| last >= *size) {
            faults.push(format!("its sequences go from {first:?} to {last:?}, and must be below {size}"));
        }
        let is_newest = last.is_some_and(|last| last == size - 1);
        if *removed == 0 && *size > 0 && !is_newest {
            faults.push(format!("its newest event, {}, is not there", size - 1));
        }
        if is_newest && *salt != Some(*last_salt) {
            faults.push("its newest event is another one than its head says".to_owned());
        }
        faults
    }
}

impl Store {
    /// The file that a URL of SQLite names; `None` for PostgreSQL.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a URL that is none.
    pub fn file_of(url: &str) -> Result<Option<PathBuf>> {
        match Dialect::of(url)? {
            Dialect::Sqlite => connect::named_file(url).map(|path| Some(path.to_owned())),
            Dialect::Postgres | Dialect::Citus => Ok(None),
        }
    }

    /// Writes everything that is there at this moment to a new SQLite file, and opens it. Its history is not open, and it
    /// has no exports, because their files lie elsewhere.
    ///
    /// # Errors
    /// Those of both databases; what is left of the file is of no use then.
    pub async fn back_up_to(
        &self,
        file: &Path,
        clock: &Clock,
        chance: Chance,
        progress: impl FnMut(Phase, u64, u64),
    ) -> Result<Self> {
        let path = file.to_str().filter(|path| !path.contains(['?', '%', '#']));
        let path = path.ok_or_else(|| Error::bad_input("PATH", "must be UTF-8 without ?, % and #"))?;
        if self.dialect == Dialect::Sqlite {
            // SeaORM has no word for it.
            let vacuum = Sql::new("VACUUM INTO ").bind(path).on(self.dialect.backend());
            self.write.execute_raw(vacuum).await.map_err(error::from)?;
        }
        let made = Self::open(&format!("sqlite://{path}"), Durability::Required, clock, chance).await?;
        if self.dialect != Dialect::Sqlite {
            self.copy_to(&made, clock.now(), progress).await?;
        }
        let tx = made.write.begin().await?;
        export::Entity::delete_many().exec(&tx).await.map_err(error::from)?;
        tx.commit().await?;
        made.close_history(clock.now(), "backup").await?;
        Ok(made)
    }

    /// How every organization stands, in the order of numbers.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn states(&self) -> Result<Vec<State>> {
        if self.dialect != Dialect::Citus {
            return self.rows_of(self.states_of(None)).await;
        }
        // One node has all of an organization, and no statement brings the rows of all together.
        let mut states = Vec::new();
        for organization in entity::organization::Entity::find().all(&self.read).await.map_err(error::from)? {
            states.extend(self.rows_of::<State>(self.states_of(Some(organization.no))).await?);
        }
        Ok(states)
    }

    /// By hand: what heads say beside what is there, in one pass over the events.
    fn states_of(&self, organization_no: Option<i64>) -> Sql {
        let of = |sql: Sql, column: &str| match organization_no {
            Some(no) => sql.with(&format!(" WHERE {column} = "), no),
            None => sql,
        };
        let sql = Sql::new(
            "SELECT o.product, o.external_id, h.size, h.removed, h.last_salt, h.recorded_ns, \
             coalesce(n.n, 0) AS events, coalesce(p.n, 0) AS places, n.first, n.last, s.salt \
             FROM organization_head h JOIN organization o ON o.no = h.organization_no \
             LEFT JOIN (SELECT organization_no, count(*) AS n, min(sequence) AS first, max(sequence) AS last FROM event",
        );
        let sql = of(sql, "organization_no").text(
            " GROUP BY organization_no) n ON n.organization_no = h.organization_no \
             LEFT JOIN (SELECT organization_no, count(*) AS n FROM event_order",
        );
        let sql = of(sql, "organization_no").text(
            " GROUP BY organization_no) p ON p.organization_no = h.organization_no \
             LEFT JOIN (SELECT x.organization_no, e.salt FROM \
             (SELECT organization_no, max(sequence) AS sequence FROM event_order",
        );
        let sql = of(sql, "organization_no").text(" GROUP BY organization_no) x");
        let sql = self.dialect.join_event(sql, "x", organization_no);
        let sql = sql.text(") s ON s.organization_no = h.organization_no");
        of(sql, "h.organization_no").text(" ORDER BY h.organization_no")
    }

    /// What the database itself finds wrong with its file; PostgreSQL has other means.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn faults_of_file(&self) -> Result<Vec<String>> {
        #[derive(FromQueryResult)]
        struct Row {
            integrity_check: String,
        }
        if self.dialect != Dialect::Sqlite {
            return Ok(Vec::new());
        }
        let found: Vec<Row> = self.rows_of(Sql::new("PRAGMA integrity_check(10)")).await?;
        Ok(found.into_iter().map(|row| row.integrity_check).filter(|said| said != "ok").collect())
    }

    /// Whether no organization has recorded anything.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_empty(&self) -> Result<bool> {
        let organizations = entity::organization::Entity::find().count(&self.read).await.map_err(error::from)?;
        Ok(organizations == 0)
    }
}
