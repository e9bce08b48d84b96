//! One event or log by its id, and the actors of an organization.

use std::sync::Arc;

use entity::actor_directory;
use sea_orm::FromQueryResult;

use super::{Question, Store, head::Head, selection::may_see, sql::Sql};
use crate::{
    auth::ReadScope,
    catalog::LogDeletion,
    error::Result,
    event::{Actor, ActorKind, Event, EventId, LogId, filter::Filter},
};

use super::Dictionary;

/// Newest events that the actors of a narrowed token are taken from.
const ACTOR_MATCHES: i64 = 20_000;

impl Store {
    /// The event of an id, with its organization's dictionary; `None` when it is not there or not to be seen.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn event(&self, scope: &ReadScope, id: EventId) -> Result<Option<(Event, Arc<Dictionary>)>> {
        let Some(store) = self.caught_up_within(scope, id.organization_no).await? else { return Ok(None) };
        let sql = self.dialect.events_by_sequence(id.organization_no, id.sequence, id.sequence, false, 1);
        let Some(event) = store.events_of(sql).await?.pop().filter(|event| event.salt == id.salt) else {
            return Ok(None);
        };
        // Read after the event: its log is in a dictionary of this version.
        let Some(dictionary) = store.dictionary_within(scope, id.organization_no).await? else { return Ok(None) };
        Ok(shows(&dictionary, scope, event.log_no).then_some((event, dictionary)))
    }

    /// The dictionary with the log of an id; `None` when it is not there or not to be seen.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn log(&self, scope: &ReadScope, id: LogId) -> Result<Option<Arc<Dictionary>>> {
        let Some(store) = self.caught_up_within(scope, id.organization_no).await? else { return Ok(None) };
        let dictionary = store.dictionary_within(scope, id.organization_no).await?;
        Ok(dictionary.filter(|known| known.log_id(id.no) == Some(id) && shows(known, scope, id.no)))
    }

    /// The store to read an organization's rows from; `None` where it is known not to be one that a scope is for.
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

    /// Distinct actors whose id, name or e-mail contains a text, case ignored; the busiest first.
    ///
    /// # Errors
    /// Those of the database and of [`Store::select`].
    pub async fn actors(&self, scope: &ReadScope, matching: Option<&str>, limit: usize) -> Result<Vec<Actor>> {
        let everything = Filter::default();
        let store = self.caught_up(&scope.product().name, scope.organization()).await?;
        let Some(selection) = store.select(Question { scope, filter: &everything }).await? else {
            return Ok(Vec::new());
        };
        let folded = matching.map(str::to_lowercase);
        if !selection.view.is_everything() {
            // The directory knows no logs: a narrowed view takes its actors from the events that it shows.
            let (mut actors, _) = store.actors_of(&selection, ACTOR_MATCHES).await?;
            actors.retain(|(actor, _)| folded.as_ref().is_none_or(|part| fold(actor).contains(part)));
            actors.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| fold(&a.0).cmp(&fold(&b.0))));
            return Ok(actors.into_iter().map(|(actor, _)| actor).take(limit).collect());
        }
        let mut sql = Sql::new("SELECT organization_no, hash, kind, id, name, email, folded, email_folded, n, last_ns FROM actor_directory")
            .with(" WHERE organization_no = ", selection.organization_no);
        if let Some(part) = &folded {
            sql = self.dialect.contains("folded", sql.text(" AND "), part);
        }
        let sql = sql.text(" ORDER BY n DESC, folded").with(" LIMIT ", limit as i64);
        let rows = actor_directory::Model::find_by_statement(sql.on(self.dialect.backend()))
            .all(&store.read)
            .await
            .map_err(super::error::from)?;
        let actor = |row: actor_directory::Model| {
            Some(Actor { kind: ActorKind::from_number(row.kind)?, id: row.id, name: row.name, email: row.email })
        };
        Ok(rows.into_iter().filter_map(actor).collect())
    }

    /// The logs of an organization that a token may name, not deleted ones.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn dictionary_of(&self, product: &str, organization: &str) -> Result<Option<Arc<Dictionary>>> {
        let store = self.caught_up(product, Some(organization)).await?;
        let Some(head) = store.head_of(product, organization).await? else { return Ok(None) };
        store.dictionary(&store.read, &head.row).await.map(Some)
    }
}

/// Whether a log can be read: it is not removed, and the token is not narrowed to others.
fn shows(dictionary: &Dictionary, scope: &ReadScope, no: i64) -> bool {
    !dictionary.is_gone(scope.product(), no, LogDeletion::Remove) && may_see(dictionary, scope.allowed_logs(), no)
}

/// Everything that a picker searches of an actor, in lower case.
pub(super) fn fold(actor: &Actor) -> String {
    let parts = [&actor.name, &actor.email, &actor.id];
    parts.into_iter().flatten().map(|part| part.to_lowercase()).collect::<Vec<_>>().join("\n")
}
