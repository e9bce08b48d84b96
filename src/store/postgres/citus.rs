//! Sharding by organization with the extension Citus: every key, reference and join carries the organization's number.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sea_orm::{ConnectionTrait, DatabaseConnection, FromQueryResult, Value};

use crate::{
    error::{Error, Result},
    store::{
        Store,
        dialect::{CHUNK, Dialect, sql::Sql},
        error,
        postgres::nodes::Nodes,
        tables::{ALL, HEAD, Lies, Table},
    },
};

/// Refuses a node of a cluster that is not its coordinator: locks that processes exclude each other by, and what is managed,
/// are there alone.
///
/// # Errors
/// `BAD_USER_INPUT`, and those of the database.
pub(in crate::store) async fn refuse_worker(database: &DatabaseConnection) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Row {
        found: bool,
    }
    let has = async |sql: &str| {
        let row = Row::find_by_statement(Sql::new(sql).on(Dialect::Postgres.backend())).one(database).await;
        Ok::<_, Error>(row.map_err(error::from)?.is_some_and(|row| row.found))
    };
    let is_worker = has("SELECT to_regclass('pg_dist_local_group') IS NOT NULL AS found").await?
        && has("SELECT EXISTS (SELECT 1 FROM pg_dist_local_group WHERE groupid <> 0) AS found").await?;
    if is_worker {
        let rule = "must be the coordinator of the cluster, and this is one of its workers";
        return Err(Error::bad_input("LEDGERLINE_DATABASE_URL", rule));
    }
    Ok(())
}

impl Store {
    /// Distributes the tables over the nodes of a Citus cluster, with what they hold. What is distributed already is left
    /// as it is. `begins` is told each table before it is distributed, and how many rows it has. Returns the tables that
    /// were distributed now.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where there is no Citus, and those of the database.
    pub async fn distribute(&self, mut begins: impl FnMut(&'static str, u64)) -> Result<Vec<&'static str>> {
        if self.dialect == Dialect::Sqlite || !self.has("SELECT 1 FROM pg_extension WHERE extname = 'citus'").await? {
            let rule = "must be a PostgreSQL database with the extension citus: run CREATE EXTENSION citus in it first";
            return Err(Error::bad_input("LEDGERLINE_DATABASE_URL", rule));
        }
        let mut done = Vec::new();
        for table in ALL {
            let name = table.name;
            let distribute = match table.lies() {
                Lies::AtTheCoordinator => continue,
                Lies::Everywhere => format!("create_reference_table('{name}')"),
                Lies::ByOrganization if name == HEAD.name => {
                    format!("create_distributed_table('{name}', 'organization_no')")
                }
                Lies::ByOrganization => {
                    format!("create_distributed_table('{name}', 'organization_no', colocate_with => '{}')", HEAD.name)
                }
            };
            if !self.is_distributed(table).await? {
                let rows = self.number_on(&self.write, Sql::new(&format!("SELECT count(*) AS n FROM {name}"))).await?;
                begins(name, rows.cast_unsigned());
                self.write.execute_unprepared(&format!("SELECT {distribute}")).await.map_err(error::from)?;
                done.push(name);
            }
            if table.lies() == Lies::ByOrganization {
                self.empty_at_the_coordinator(name).await?;
            }
        }
        Ok(done)
    }

    /// Empties what the coordinator has kept of a table that was filled when it was distributed: nobody reads it any more,
    /// and nobody would erase a person from it.
    async fn empty_at_the_coordinator(&self, table: &str) -> Result<()> {
        #[derive(FromQueryResult)]
        struct Guard {
            of: String,
            name: String,
        }
        let tree = format!("pg_partition_tree('{table}')");
        let size = format!("SELECT CAST(coalesce(sum(pg_relation_size(relid)), 0) AS BIGINT) AS n FROM {tree}");
        if self.number_on(&self.write, Sql::new(&size)).await? == 0 {
            return Ok(());
        }
        let guards = format!(
            "SELECT CAST(g.tgrelid::regclass AS text) AS of, CAST(g.tgname AS text) AS name FROM pg_trigger g \
             JOIN {tree} t ON t.relid = g.tgrelid WHERE NOT g.tgisinternal AND g.tgname LIKE '%no_truncate'"
        );
        let tx = self.write.begin().await?;
        let guards = Guard::find_by_statement(Sql::new(&guards).on(self.dialect.backend())).all(&tx).await;
        let guards = guards.map_err(error::from)?;
        let turn = async |how: &str| {
            for Guard { of, name } in &guards {
                let turned = format!("ALTER TABLE {of} {how} TRIGGER {name}");
                tx.execute_unprepared(&turned).await.map_err(error::from)?;
            }
            Ok::<_, Error>(())
        };
        // Until the end of the transaction, which holds the tables for itself.
        turn("DISABLE").await?;
        let empty = format!("SELECT truncate_local_data_after_distributing_table('{table}')");
        tx.execute_unprepared(&empty).await.map_err(error::from)?;
        turn("ENABLE").await?;
        tx.commit().await
    }

    /// Whether the tables of organizations lie on several nodes.
    pub(in crate::store) async fn is_sharded(&self) -> Result<bool> {
        Ok(self.dialect != Dialect::Sqlite
            && self.has("SELECT 1 WHERE to_regclass('pg_dist_partition') IS NOT NULL").await?
            && self.is_distributed(&HEAD).await?)
    }

    /// Local tables that refer to a reference table are listed there, too, and are not distributed.
    async fn is_distributed(&self, table: &Table) -> Result<bool> {
        let how = match table.lies() {
            Lies::ByOrganization => "partmethod = 'h'",
            Lies::Everywhere | Lies::AtTheCoordinator => "partmethod = 'n' AND repmodel = 't'",
        };
        let name = table.name;
        self.has(&format!("SELECT 1 FROM pg_dist_partition WHERE logicalrelid = '{name}'::regclass AND {how}")).await
    }

    /// Cuts organizations into those of one node each; those that the cluster has not heard of are together, too.
    /// Elsewhere all are on one.
    ///
    /// # Errors
    /// Those of the database.
    pub(in crate::store) async fn on_one_node(&self, numbers: &[i64]) -> Result<Vec<Vec<i64>>> {
        if self.dialect != Dialect::Citus {
            return Ok(vec![numbers.to_vec()]);
        }
        let nodes = self.nodes_of(numbers).await?;
        let mut groups: BTreeMap<Option<i32>, Vec<i64>> = BTreeMap::new();
        numbers.iter().for_each(|no| groups.entry(nodes.get(no).copied()).or_default().push(*no));
        Ok(groups.into_values().collect())
    }

    /// The nodes of organizations, by number: groups of Citus, which keep their numbers when a node fails over.
    pub(in crate::store) async fn nodes_of(&self, numbers: &[i64]) -> Result<HashMap<i64, i32>> {
        #[derive(FromQueryResult)]
        struct Row {
            no: i64,
            node: i32,
        }
        let Some(nodes) = self.cluster() else { return Ok(HashMap::new()) };
        let mut found = nodes.known(numbers);
        let unknown: Vec<_> = numbers.iter().filter(|no| !found.contains_key(no)).collect();
        for chunk in unknown.chunks(CHUNK) {
            // By hand: the catalog of Citus.
            let numbers = chunk.iter().map(|no| [Value::from(**no)]);
            let sql = Sql::new("SELECT a.c0 AS no, p.groupid AS node FROM (").table(self.dialect, numbers);
            let sql = sql.text(&format!(
                ") a JOIN pg_dist_shard s ON s.logicalrelid = '{}'::regclass AND worker_hash(a.c0) \
                 BETWEEN CAST(s.shardminvalue AS int) AND CAST(s.shardmaxvalue AS int) \
                 JOIN pg_dist_placement p ON p.shardid = s.shardid",
                HEAD.name
            ));
            let rows = self.rows_of::<Row>(sql).await?;
            found.extend(nodes.learn(rows.into_iter().map(|row| (row.no, row.node))));
        }
        Ok(found)
    }

    /// What is known of the nodes of a cluster that the tables are distributed over.
    pub(in crate::store) fn cluster(&self) -> Option<&Arc<Nodes>> {
        self.write.nodes().filter(|_| self.dialect == Dialect::Citus)
    }

    /// The nodes that do not answer, after those were asked of which that is not known and one that does has taken a write.
    ///
    /// # Errors
    /// `UNAVAILABLE` where none does.
    pub(in crate::store) async fn gone_nodes(&self) -> Result<Vec<i32>> {
        let Some(nodes) = self.cluster() else { return Ok(Vec::new()) };
        let (there, gone) = nodes.there_and_gone().await?;
        if let Some(no) = nodes.some_organization(&there) {
            let tx = self.write.begin().await?;
            self.execute(&tx, Sql::new("UPDATE organization_head SET size = size WHERE organization_no = ").bind(no))
                .await?;
            tx.commit().await?;
        }
        Ok(gone.into_iter().collect())
    }

    /// Whether every node keeps what it acknowledges: sessions of ours set no other's. Returns the settings that are off
    /// on one of them.
    ///
    /// # Errors
    /// Those of the database.
    pub(in crate::store) async fn unsafe_settings_of_nodes(&self) -> Result<Vec<&'static str>> {
        #[derive(FromQueryResult)]
        struct Row {
            said: Option<String>,
        }
        let settings = ["fsync", "full_page_writes", "synchronous_commit"];
        let shown = settings.map(|setting| format!("current_setting('{setting}')")).join(" || ' ' || ");
        let sql = Sql::new("SELECT result AS said FROM run_command_on_workers(").bind(format!("SELECT {shown}"));
        let rows = self.rows_of::<Row>(sql.text(") WHERE success")).await?;
        let is_off = |place: usize, row: &Row| {
            let said = row.said.as_deref().and_then(|said| said.split(' ').nth(place));
            said.is_some_and(|said| ["off", "local"].contains(&said))
        };
        let off = settings.into_iter().enumerate().filter(|(place, _)| rows.iter().any(|row| is_off(*place, row)));
        Ok(off.map(|(_, setting)| setting).collect())
    }

    /// Refuses a cluster with a node that does not keep what it acknowledges.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, and those of the database.
    pub(in crate::store) async fn refuse_unsafe_nodes(&self) -> Result<()> {
        if let Some(nodes) = self.cluster() {
            nodes.look().await;
        }
        if self.all_must_answer().is_err() {
            // `/readyz` asks once all are there.
            return Ok(());
        }
        let off = self.unsafe_settings_of_nodes().await?;
        if off.is_empty() {
            return Ok(());
        }
        let rule = format!(
            "must be a cluster whose nodes keep what they acknowledge, and {} is off on one of them: set it on there, or allow \
             this with LEDGERLINE_ALLOW_UNSAFE_DURABILITY=true",
            off.join(" and ")
        );
        Err(Error::bad_input("LEDGERLINE_DATABASE_URL", rule))
    }

    /// Refuses organizations on a node that does not answer.
    ///
    /// # Errors
    /// `UNAVAILABLE`, and those of the database.
    pub(in crate::store) async fn must_answer_for(&self, numbers: &[i64]) -> Result<()> {
        let Some(nodes) = self.cluster() else { return Ok(()) };
        let needed: Vec<i32> = self.nodes_of(numbers).await?.into_values().collect();
        if needed.is_empty() { Ok(()) } else { nodes.must_answer(&needed) }
    }

    /// The same of everything that needs all nodes.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub(in crate::store) fn all_must_answer(&self) -> Result<()> {
        self.cluster().map_or(Ok(()), |nodes| nodes.must_answer(&[]))
    }

    /// Refuses a role that owns no tables of a cluster: what makes partitions in its place does so at the coordinator alone.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`.
    pub(in crate::store) fn refuse_no_owner(&self) -> Result<()> {
        if self.owns_tables {
            return Ok(());
        }
        let rule = "must be used by the role that owns the tables, or by one of its members: on a cluster, no other role may \
                    serve";
        Err(Error::bad_input("LEDGERLINE_DATABASE_URL", rule))
    }

    async fn has(&self, rows: &str) -> Result<bool> {
        #[derive(FromQueryResult)]
        struct Row {
            found: bool,
        }
        let sql = Sql::new("SELECT EXISTS (").text(rows).text(") AS found").on(self.dialect.backend());
        let row = Row::find_by_statement(sql).one(&self.write).await.map_err(error::from)?;
        Ok(row.is_some_and(|row| row.found))
    }
}
