//! The actors of an organization, the busiest first.

use std::{cmp::Reverse, collections::HashSet};

use sea_orm::FromQueryResult;

use super::facets::SeenActor;
use crate::{
    auth::ReadScope,
    error::Result,
    event::Actor,
    question::filter::Filter,
    store::{Question, Store, dialect::sql::Sql, error, rows},
};

/// Newest events that the actors of a narrowed token are taken from.
const ACTOR_MATCHES: i64 = 20_000;

impl Store {
    /// The actors whose id, name or e-mail contains a text in any of their events, case ignored. They are taken from what
    /// some scopes of one organization show. Each is as its newest event says, and the busiest comes first.
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
                let store = store.paced(selection.sized());
                return store.known_actors(selection.organization_no, part.as_deref(), limit).await;
            }
            // The directory knows no logs: a narrowed view takes its actors from the events that it shows.
            seen.extend(store.actors_of(&selection, ACTOR_MATCHES).await?.0);
        }
        let fits = |actor: &Actor| part.as_ref().is_none_or(|part| actor.folded().contains(part));
        let asked: HashSet<Actor> = seen.iter().map(|one| &one.actor).filter(|one| fits(one)).map(Actor::key).collect();
        let mut actors = SeenActor::merged(seen);
        actors.retain(|one| asked.contains(&one.actor.key()));
        actors.sort_by_cached_key(|one| (Reverse(one.count), one.actor.folded(), Reverse(one.newest)));
        Ok(actors.into_iter().map(|one| one.actor).take(limit).collect())
    }

    /// The actors of an organization from its directory, which has a row for each way that events named an actor.
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
        let actor =
            |row: Row| Ok(Actor { kind: rows::actor_kind(row.kind)?, id: row.id, name: row.name, email: row.email });
        self.rows_of::<Row>(sql).await?.into_iter().map(actor).collect::<Result<_, _>>().map_err(error::from)
    }
}
