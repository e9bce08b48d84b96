//! One event or log by its id, the actors of an organization, and the organizations of a product.

use std::{cmp::Reverse, collections::HashSet, sync::Arc};

use sea_orm::FromQueryResult;

use super::{Question, Store, facets::SeenActor, head::Head, selection::may_see, sql::Sql};
use crate::{
    auth::ReadScope,
    catalog::LogDeletion,
    error::Result,
    event::{Actor, ActorKind, Event, EventId, LogId},
    question::filter::Filter,
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
        let mut names: Vec<_> = self.rows_of::<Named>(sql).await?.into_iter().map(|row| row.external_id).collect();
        let all = names.len() <= limit;
        names.truncate(limit);
        Ok((names, all))
    }

    /// The actors of what some scopes of one organization show whose id, name or e-mail contains a text, case ignored, or
    /// did in some event: each as the newest event of theirs says, the busiest first.
    ///
    /// # Errors
    /// Those of the database and of [`Store::select`].
    pub async fn actors(&self, scopes: &[ReadScope], matching: Option<&str>, limit: usize) -> Result<Vec<Actor>> {
        let everything = Filter::default();
        let part = matching.map(str::to_lowercase);
        let mut seen = Vec::new();
        for scope in scopes {
            let store = self.caught_up(&scope.product().name, scope.organization()).await?;
            let Some(selection) = store.select(Question { scope, filter: &everything }).await? else { continue };
            if selection.view.is_everything() {
                return store.known_actors(selection.organization_no, part.as_deref(), limit).await;
            }
            // The directory knows no logs: a narrowed view takes its actors from the events that it shows.
            seen.extend(store.actors_of(&selection, ACTOR_MATCHES).await?.0);
        }
        let fits = |actor: &Actor| part.as_ref().is_none_or(|part| fold(actor).contains(part));
        let asked: HashSet<Actor> = seen.iter().map(|one| &one.actor).filter(|one| fits(one)).map(Actor::key).collect();
        let mut actors = SeenActor::merged(seen);
        actors.retain(|one| asked.contains(&one.actor.key()));
        actors.sort_by_cached_key(|one| (Reverse(one.count), fold(&one.actor), Reverse(one.newest)));
        Ok(actors.into_iter().map(|one| one.actor).take(limit).collect())
    }

    /// The actors of an organization, out of its directory, which has a row for everything that was known of one.
    async fn known_actors(&self, organization_no: i64, part: Option<&str>, limit: usize) -> Result<Vec<Actor>> {
        #[derive(FromQueryResult)]
        struct Row {
            kind: i16,
            id: Option<String>,
            name: Option<String>,
            email: Option<String>,
        }
        let mut sql = Sql::new(
            "SELECT kind, id, name, email FROM (SELECT kind, id, name, email, folded, last_position,
                CAST(sum(n) OVER one AS BIGINT) AS total, row_number() OVER (one ORDER BY last_position DESC) AS place",
        );
        if let Some(part) = part {
            sql = self.dialect.contains("folded", sql.text(", max(CASE WHEN "), part);
            sql = sql.text(" THEN 1 ELSE 0 END) OVER one AS fits");
        }
        // An actor is told from others as by `Actor::key`.
        let key = "kind, id, CASE WHEN id IS NULL THEN email END, CASE WHEN id IS NULL AND email IS NULL THEN name END";
        let sql = sql
            .with(" FROM actor_directory WHERE organization_no = ", organization_no)
            .text(&format!(" WINDOW one AS (PARTITION BY {key})) AS actors WHERE place = 1"))
            .text(if part.is_some() { " AND fits = 1" } else { "" })
            .with(" ORDER BY total DESC, folded, last_position DESC LIMIT ", limit as i64);
        let actor = |row: Row| {
            Some(Actor { kind: ActorKind::from_number(row.kind)?, id: row.id, name: row.name, email: row.email })
        };
        Ok(self.rows_of::<Row>(sql).await?.into_iter().filter_map(actor).collect())
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
