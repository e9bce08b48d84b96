//! Sharding by organization with the extension Citus: every key, reference and join carries the organization's number.

use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::{
    error::{Error, Result},
    store::{
        Store,
        dialect::{Dialect, sql::Sql},
        error,
        tables::{ALL, HEAD},
    },
};

impl Store {
    /// Distributes the tables over the nodes of a Citus cluster. What is distributed already is left as it is. Returns
    /// the tables that were distributed now.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where there is no Citus, and those of the database.
    pub async fn distribute(&self) -> Result<Vec<&'static str>> {
        if self.dialect != Dialect::Postgres || !self.has("SELECT 1 FROM pg_extension WHERE extname = 'citus'").await? {
            let rule = "must be a PostgreSQL database with the extension citus: run CREATE EXTENSION citus in it first";
            return Err(Error::bad_input("LEDGERLINE_DATABASE_URL", rule));
        }
        let mut done = Vec::new();
        for each in ALL {
            let table = each.name;
            if self.is_distributed(table).await? {
                continue;
            }
            let distribute = if !each.is_of_organizations() {
                format!("SELECT create_reference_table('{table}')")
            } else if table == HEAD.name {
                format!("SELECT create_distributed_table('{table}', 'organization_no')")
            } else {
                format!(
                    "SELECT create_distributed_table('{table}', 'organization_no', colocate_with => '{}')",
                    HEAD.name
                )
            };
            // The triggers that refuse changes read and write no table, so each node may run them by itself. The setting
            // that allows it travels in the same request, so that both reach the same connection.
            let request = format!("SET citus.enable_unsafe_triggers = on; {distribute}");
            self.write.execute_unprepared(&request).await.map_err(error::from)?;
            done.push(table);
        }
        Ok(done)
    }

    /// Whether the heads lie on several nodes.
    pub(in crate::store) async fn is_sharded(&self) -> Result<bool> {
        Ok(self.dialect == Dialect::Postgres
            && self.has("SELECT 1 FROM pg_extension WHERE extname = 'citus'").await?
            && self.is_distributed(HEAD.name).await?)
    }

    async fn is_distributed(&self, table: &str) -> Result<bool> {
        self.has(&format!("SELECT 1 FROM pg_dist_partition WHERE logicalrelid = '{table}'::regclass")).await
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
