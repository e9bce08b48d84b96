//! Which nodes of a cluster a request needs.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{FromQueryResult, Value};

use super::{organizations::Name, task::Task};
use crate::{
    auth::WriteScope,
    error::Result,
    store::{
        Store,
        dialect::{CHUNK, Dialect},
    },
};

impl Store {
    /// The nodes that requests need, each request's in their order; none where they are not known, or there is no cluster.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn nodes_of_tasks(&self, tasks: &[Task]) -> Result<Vec<Vec<i32>>> {
        #[derive(FromQueryResult)]
        struct Named {
            product: String,
            external_id: String,
            no: i64,
        }
        if self.dialect != Dialect::Citus {
            return Ok(vec![Vec::new(); tasks.len()]);
        }
        let scopes = tasks.iter().flat_map(Task::scopes);
        let names: BTreeSet<_> = scopes.map(|scope| (&*scope.product().name, scope.organization())).collect();
        let mut numbers = HashMap::new();
        let mut unknown = Vec::new();
        for (product, organization) in names {
            match self.dictionaries.number(product, organization) {
                Some(no) => drop(numbers.insert((product.to_owned(), organization.to_owned()), no)),
                None => unknown.push([Value::from(product), organization.into()]),
            }
        }
        for chunk in unknown.chunks(CHUNK) {
            let named = self.dialect.organizations_named(chunk.iter().cloned());
            let rows = self.rows_of::<Named>(named).await?.into_iter();
            numbers.extend(rows.map(|row| ((row.product, row.external_id), row.no)));
        }
        let nodes = self.nodes_of(&numbers.values().copied().collect::<Vec<_>>()).await?;
        let of_task = |task: &Task| {
            let name = |scope: &WriteScope| (scope.product().name.clone(), scope.organization().to_owned());
            let node = |name: Name| nodes.get(numbers.get(&name)?).copied();
            let needed: Option<BTreeSet<i32>> = task.scopes().map(name).map(node).collect();
            needed.unwrap_or_default().into_iter().collect()
        };
        Ok(tasks.iter().map(of_task).collect())
    }
}
