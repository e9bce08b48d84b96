//! Finds one event or log by its id, and the organizations of a product.

use std::sync::Arc;

use sea_orm::FromQueryResult;

use crate::{
    auth::ReadScope,
    catalog::LogDeletion,
    error::Result,
    event::{Event, EventId, LogId},
    store::{Store, dialect::sql::Sql, head::Head},
};

use crate::store::Dictionary;

impl Store {
    /// The event of an id, with its organization's dictionary; `None` when it is not there or not to be seen.
    pub async fn event(&self, scope: &ReadScope, id: EventId) -> Result<Option<(Event, Arc<Dictionary>)>> {
        let own = self.in_turn_of(scope);
        let Some(store) = own.caught_up_within(scope, id.organization_no).await? else { return Ok(None) };
        let sql = self.dialect.events_by_sequence(id.organization_no, id.sequence, id.sequence, false, 1);
        let Some(event) = store.events_of(sql).await?.pop().filter(|event| event.salt == id.salt) else {
            return Ok(None);
        };
        // Read after the event: its log is in a dictionary of this version.
        let Some(dictionary) = store.dictionary_within(scope, id.organization_no).await? else { return Ok(None) };
        Ok(shows(&dictionary, scope, event.log_no).then_some((event, dictionary)))
    }

    /// Whether the event of an id was there and has left. Its salt is gone with it, so any id with its number is taken for
    /// its own; and its log is, so whoever is narrowed to logs is not told.
    pub async fn has_left(&self, scope: &ReadScope, id: EventId) -> Result<bool> {
        let own = self.in_turn_of(scope);
        let Some(head) = own.head_within(scope, id.organization_no).await? else { return Ok(false) };
        if head.row.removed == 0 || id.sequence >= head.row.size || !scope.allowed_logs().is_empty() {
            return Ok(false);
        }
        let sql = self.dialect.events_by_sequence(id.organization_no, id.sequence, id.sequence, false, 1);
        Ok(own.events_of(sql).await?.is_empty())
    }

    /// The dictionary with the log of an id; `None` when it is not there or not to be seen.
    pub async fn log(&self, scope: &ReadScope, id: LogId) -> Result<Option<Arc<Dictionary>>> {
        let own = self.in_turn_of(scope);
        let Some(store) = own.caught_up_within(scope, id.organization_no).await? else { return Ok(None) };
        let dictionary = store.dictionary_within(scope, id.organization_no).await?;
        Ok(dictionary.filter(|known| known.log_id(id.no) == Some(id) && shows(known, scope, id.no)))
    }

    /// The same store in the turn of whoever a scope is for: of staff, who are for all, the product's.
    fn in_turn_of(&self, scope: &ReadScope) -> Self {
        self.turn_of(&scope.product().name, scope.organization().unwrap_or_default())
    }

    /// The store that an organization is read from; `None` where the scope is not for the organization.
    async fn caught_up_within(&self, scope: &ReadScope, organization_no: i64) -> Result<Option<Self>> {
        if !self.has_replica() {
            return Ok(Some(self.clone()));
        }
        match self.head_within(scope, organization_no).await? {
            Some(head) => Ok(Some(self.caught_up_with(&head).await)),
            None => Ok(None),
        }
    }

    /// The head of a number, if its organization is one of those that a scope is for.
    async fn head_within(&self, scope: &ReadScope, organization_no: i64) -> Result<Option<Head>> {
        let head = self.head(&self.read, organization_no).await?;
        Ok(head.filter(|head| head.is_within(&scope.product().name, scope.organization())))
    }

    async fn dictionary_within(&self, scope: &ReadScope, organization_no: i64) -> Result<Option<Arc<Dictionary>>> {
        let Some(head) = self.head_within(scope, organization_no).await? else { return Ok(None) };
        self.dictionary(&self.read, &head.row).await.map(Some)
    }

    /// The names of the organizations in a scope that have recorded the most, at most `limit`, the largest first; and
    /// whether those are all. Reads a row for each organization of the product.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn largest_organizations(&self, scope: &ReadScope, limit: usize) -> Result<(Vec<String>, bool)> {
        #[derive(FromQueryResult)]
        struct Named {
            external_id: String,
        }
        let sql = Sql::new(
            "SELECT o.external_id FROM organization o JOIN organization_head h ON h.organization_no = o.no WHERE o.product = ",
        );
        let sql = sql.bind(scope.product().name.as_str());
        let sql = match scope.organization() {
            Some(organization) => sql.with(" AND o.external_id = ", organization),
            None => sql,
        };
        let sql = sql.text(&format!(" ORDER BY h.size DESC, o.external_id LIMIT {}", limit + 1));
        let mut names: Vec<_> =
            self.in_turn_of(scope).rows_of::<Named>(sql).await?.into_iter().map(|row| row.external_id).collect();
        let all = names.len() <= limit;
        names.truncate(limit);
        Ok((names, all))
    }

    /// The logs of an organization that a token may name, not deleted ones.
    pub async fn dictionary_of(&self, product: &str, organization: &str) -> Result<Option<Arc<Dictionary>>> {
        let store = self.caught_up(product, Some(organization)).await?;
        let Some(head) = store.head_of(product, organization).await? else { return Ok(None) };
        store.dictionary(&store.read, &head.row).await.map(Some)
    }
}

/// Whether a log can be read: it is not removed, and the token is not narrowed to others.
fn shows(dictionary: &Dictionary, scope: &ReadScope, no: i64) -> bool {
    !dictionary.is_gone(scope.product(), no, LogDeletion::Remove) && dictionary.may_see(scope.allowed_logs(), no)
}
