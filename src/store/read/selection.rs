//! Turns a question and a permission into what the index is asked.

use std::sync::Arc;

use entity::organization_head as head;
use sea_orm::FromQueryResult;

use super::view::View;
use crate::{
    auth::ReadScope,
    catalog::Product,
    error::{Error, Result},
    event::{Event, Position},
    question::{
        conditions::Expansion,
        filter::{Clause, Dimension, Filter, Pattern, Term},
    },
    store::{
        Store,
        connection::turns::Work,
        dialect::sql::Sql,
        dictionary::Dictionary,
        head::{Head, grew, has_same_events},
        range::{Partitions, Range},
    },
};

/// Up to so many names or e-mails that contain a part, the part becomes terms. With more, rows are tested.
const ACTOR_TERMS: usize = 200;
/// Events of an organization up to which all that is asked of it costs little.
const SMALL: i64 = 10_000;
/// Postings that a prefix may touch before the question is refused.
const PREFIX_POSTINGS: i64 = 500_000;

/// Who asks for what.
pub struct Question<'a> {
    /// The permission, with organization and log.
    pub scope: &'a ReadScope,
    /// The filter, search included.
    pub filter: &'a Filter,
}

/// How a selection is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Route {
    /// Some part of the filter can match nothing.
    Nothing,
    /// The kept counts know all that the filter asks for. They count; the index lists.
    Kept,
    /// The index finds the events, and no others.
    Index,
    /// The index finds candidates, and each is tested.
    Rows,
}

/// A question made ready for the database: one organization, at one size.
#[derive(Clone)]
pub struct Selection {
    pub(in crate::store) organization_no: i64,
    /// The organization's external id.
    organization: String,
    pub(in crate::store) head: head::Model,
    pub(in crate::store) product: Arc<Product>,
    pub(in crate::store) filter: Filter,
    pub(in crate::store) view: View,
    /// The rendered search expression; `None` for all events.
    matching: Option<String>,
    pub(in crate::store) route: Route,
    partitions: Arc<Partitions>,
    /// Logs and actions.
    pub dictionary: Arc<Dictionary>,
}

impl Selection {
    /// The organization's external id.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// Number of events that the organization had recorded when the question was asked.
    #[must_use]
    pub fn size(&self) -> i64 {
        self.head.size
    }

    /// The product whose log is asked.
    #[must_use]
    pub fn product(&self) -> &Arc<Product> {
        &self.product
    }

    /// What to tell the caller of an error. PostgreSQL cannot count the matches of a prefix beforehand, so after a time-out
    /// the prefixes of the search are named.
    #[must_use]
    pub fn blame(&self, error: Error) -> Error {
        let prefixes = self.filter.search.all.iter().filter(|sought| sought.prefix);
        let words: Vec<_> = prefixes.map(|sought| format!("{}*", sought.words.join(" "))).collect();
        if !matches!(error, Error::TimedOut) || words.is_empty() {
            return error;
        }
        Error::TooComplex(format!(
            "search: {} took longer than one request may, write more of the word, or narrow it by dates or filters",
            words.join(" ")
        ))
    }

    /// Whether a head is that of its organization.
    pub(in crate::store) fn is_of(&self, head: &Head) -> bool {
        head.is_of(&self.product.name, &self.organization)
    }

    /// Whether every event of the organization is asked for.
    pub(super) fn is_everything(&self) -> bool {
        self.matching.is_none() && self.filter.from.is_none() && self.filter.to.is_none()
    }

    /// How much it costs to count its events.
    pub(in crate::store) fn counting(&self) -> Work {
        match self.route {
            Route::Index | Route::Rows => self.sized(),
            Route::Nothing | Route::Kept => Work::Small,
        }
    }

    /// How much it costs to look at all of the organization.
    pub(in crate::store) fn sized(&self) -> Work {
        if self.head.size > SMALL { Work::Large } else { Work::Small }
    }

    /// How much it costs to list its events: those of a search may lie anywhere.
    pub(in crate::store) fn listing(&self) -> Work {
        let is_searched = self.route == Route::Rows || !self.filter.search.is_empty();
        if is_searched { self.sized() } else { Work::Small }
    }

    /// The pure test of an event, logs included.
    pub(in crate::store) fn keeps(&self, event: &Event) -> bool {
        self.view.shows(&self.dictionary, event.log_no) && self.filter.matches(event)
    }

    /// Whether events of a kind are seen, logs and dates aside.
    pub(in crate::store) fn keeps_kind(&self, no: i64) -> bool {
        let kind = usize::try_from(no).ok().and_then(|no| self.dictionary.kinds.get(no));
        kind.is_some_and(|kind| self.filter.keeps_kind(&kind.action, kind.category.as_deref(), kind.outcome))
    }

    /// The rows that the index has to give. The dates bound the positions.
    pub(in crate::store) fn range(&self) -> Range {
        let (from, to) = (self.filter.from, self.filter.to);
        let low = from.map_or(i64::MIN, |from| Position::block_of(from).0);
        // A full microsecond pushes events into the following ones, at most `spill` of them.
        let high = to.map_or(i64::MAX, |to| {
            Position::block_of(to).block_end().0.saturating_add(self.head.spill * Position::BLOCK)
        });
        let exact = self.head.spill == 0
            && from.is_none_or(|from| from.0.rem_euclid(1_000) == 0)
            && to.is_none_or(|to| to.0.rem_euclid(1_000) == 0);
        let (high, occurred) = if exact {
            (to.map_or(i64::MAX, |to| Position::block_of(to).0.saturating_sub(1)), None)
        } else {
            (high, Some((from.map_or(i64::MIN, |t| t.0), to.map_or(i64::MAX, |t| t.0))))
        };
        Range {
            organization_no: self.organization_no,
            matching: self.matching.clone(),
            low,
            high,
            occurred,
            size: self.head.size,
            partitions: self.partitions.clone(),
        }
    }
}

impl Store {
    /// Makes a question ready; `None` where there is nothing to find (no such organization or log).
    ///
    /// # Errors
    /// `FORBIDDEN` for a log outside the token's, `QUERY_TOO_COMPLEX` for a prefix that matches too much.
    pub async fn select(&self, question: Question<'_>) -> Result<Option<Selection>> {
        let scope = question.scope;
        let Some(organization) = scope.organization() else { return Ok(None) };
        let product = scope.product();
        let Some(Head { row: head, partitions, .. }) = self.head_of(&product.name, organization).await? else {
            return Ok(None);
        };
        let partitions = self.know_partitions(&self.read, partitions).await?;
        let dictionary = self.dictionary(&self.read, &head).await?;
        let Some(view) = View::of(scope, &dictionary, organization)? else { return Ok(None) };
        let selection = Selection {
            organization_no: head.organization_no,
            organization: organization.to_owned(),
            head,
            product: product.clone(),
            filter: Filter::default(),
            view,
            matching: None,
            route: Route::Nothing,
            partitions,
            dictionary,
        };
        self.refine(&selection, question.filter.clone()).await.map(Some)
    }

    /// The same selection without one dimension of its filter.
    pub(in crate::store) async fn select_without(
        &self,
        selection: &Selection,
        dimension: Dimension,
    ) -> Result<Selection> {
        let filter = selection.filter.without(dimension);
        if filter == selection.filter { Ok(selection.clone()) } else { self.refine(selection, filter).await }
    }

    /// The same selection at the organization's present size, with the logs, kinds and partitions of its newer events;
    /// `None` where no event has come or left since.
    pub(in crate::store) async fn renewed(&self, selection: &Selection) -> Result<Option<Selection>> {
        let Head { row: head, partitions, .. } = self.head_again(selection).await?;
        if has_same_events(&head, &selection.head) {
            return Ok(None);
        }
        let partitions = self.know_partitions(&self.read, partitions).await?;
        let dictionary = self.dictionary(&self.read, &head).await?;
        let newer = Selection { head, dictionary, partitions, ..selection.clone() };
        self.refine(&newer, selection.filter.clone()).await.map(Some)
    }

    /// The head of a selection's organization as it is now.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the selection's head cannot have grown into it: what was read since would mix two states.
    pub(in crate::store) async fn head_again(&self, selection: &Selection) -> Result<Head> {
        let head = self.head(&self.read, selection.organization_no).await?;
        let same = |head: &Head| selection.is_of(head) && grew(&selection.head, &head.row);
        head.filter(same).ok_or_else(|| self.put_back_meanwhile("an organization changed under a question"))
    }

    async fn refine(&self, selection: &Selection, filter: Filter) -> Result<Selection> {
        let expansion = self.expand(selection, &filter).await?;
        let mut clauses = selection.view.clauses();
        clauses.extend(filter.clauses(&expansion));
        let nothing = clauses.iter().any(|clause| !clause.none && clause.any.is_empty());
        if !nothing {
            self.paced(selection.sized()).bound_prefixes(selection.organization_no, &clauses).await?;
        }
        let route = match () {
            () if nothing => Route::Nothing,
            () if filter.needs_rows(&expansion) || selection.view.needs_rows() => Route::Rows,
            () if filter.is_countable() => Route::Kept,
            () => Route::Index,
        };
        let matching = if nothing { None } else { self.dialect.render(selection.organization_no, &clauses) };
        Ok(Selection { filter, matching, route, ..selection.clone() })
    }

    /// The names that the filter's prefixes and parts stand for in this organization.
    async fn expand(&self, selection: &Selection, filter: &Filter) -> Result<Expansion> {
        let mut expansion = Expansion::default();
        if filter.has_action_prefix() {
            let patterns: Vec<&Pattern> = filter.actions.iter().flatten().chain(&filter.not_actions).collect();
            let names = selection.dictionary.kinds.iter().map(|kind| &kind.action);
            expansion.actions =
                names.filter(|name| patterns.iter().any(|p| p.matches(name))).map(ToString::to_string).collect();
            expansion.actions.sort_unstable();
            expansion.actions.dedup();
        }
        if let Some(part) = &filter.actor_name_contains {
            let paced = self.paced(selection.sized());
            expansion.names = paced.actors_with(selection.organization_no, "name", part).await?;
        }
        if let Some(part) = &filter.actor_email_contains {
            let paced = self.paced(selection.sized());
            expansion.emails = paced.actors_with(selection.organization_no, "email", part).await?;
        }
        for part in filter.actor_parts() {
            let names = self.actors_with(selection.organization_no, "name", part).await?;
            let emails = self.actors_with(selection.organization_no, "email", part).await?;
            expansion.actors.insert(part.clone(), names.zip(emails));
        }
        expansion.lacks_words = !(filter.search.is_empty() && filter.not_words.is_empty())
            && self.lacks_words(selection.organization_no).await?;
        Ok(expansion)
    }

    /// The distinct values of a column of the organization's actors that contain a part; `None` where they are too many.
    async fn actors_with(&self, organization_no: i64, column: &str, part: &str) -> Result<Option<Vec<String>>> {
        #[derive(FromQueryResult)]
        struct Value {
            value: String,
        }
        let sql = Sql::new(&format!("SELECT DISTINCT {column} AS value FROM actor_directory WHERE organization_no = "))
            .bind(organization_no);
        let sql = self.dialect.contains(&format!("{column}_folded"), sql.text(" AND "), &part.to_lowercase());
        let found = self.rows_of::<Value>(sql.text(&format!(" LIMIT {}", ACTOR_TERMS + 1))).await?;
        Ok((found.len() <= ACTOR_TERMS).then(|| found.into_iter().map(|row| row.value).collect()))
    }

    /// Refuses a prefix that touches too many postings, and names the word. PostgreSQL keeps no such counts. The time limit
    /// of its statements refuses there: see [`Selection::blame`].
    async fn bound_prefixes(&self, organization_no: i64, clauses: &[Clause]) -> Result<()> {
        let prefixes = clauses.iter().flat_map(|clause| &clause.any).filter_map(|term| match term {
            Term::Prefix(word) => Some(word),
            // What goes on after something whole is as many events as have that: there is no more of it to write.
            Term::Exact(_) | Term::Longer(_) => None,
        });
        for word in prefixes {
            let Some(sql) = self.dialect.has_more_postings(organization_no, word, PREFIX_POSTINGS) else { break };
            if self.number_of(sql).await? > 0 {
                let word = word.trim_start_matches('=').replace('=', " ");
                return Err(Error::TooComplex(format!(
                    "search: {word}* occurs more than {PREFIX_POSTINGS} times, write more of the word"
                )));
            }
        }
        Ok(())
    }
}
