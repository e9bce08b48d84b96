//! From a question and a permission to what the index is asked.

use std::sync::Arc;

use entity::organization_head as head;
use sea_orm::FromQueryResult;

use super::{
    Store,
    dialect::{Dialect, Range},
    dictionary::Dictionary,
    head::{Head, grew},
    partitions::Partitions,
    sql::Sql,
};
use crate::{
    auth::{LogName, ReadScope},
    catalog::{LogDeletion, Product},
    error::{Error, Result},
    event::{Event, Position, terms},
    question::filter::{Clause, Dimension, Expansion, Filter, Pattern, Term},
};

/// Names or e-mails up to which a part of them becomes terms; more are tested row by row.
const ACTOR_TERMS: usize = 200;
/// Deleted logs up to which they are left out by terms; more are tested row by row.
const REMOVED_TERMS: usize = 50;
/// Postings that a prefix may touch before the question is refused.
const PREFIX_POSTINGS: i64 = 500_000;

/// Who asks for what.
pub struct Question<'a> {
    /// The permission, with organization and log.
    pub scope: &'a ReadScope,
    /// The filter, search included.
    pub filter: &'a Filter,
}

/// A question made ready for the database: one organization, at one size.
#[derive(Clone)]
pub struct Selection {
    pub(super) organization_no: i64,
    /// The organization's external id.
    organization: String,
    pub(super) head: head::Model,
    pub(super) product: Arc<Product>,
    pub(super) filter: Filter,
    pub(super) view: View,
    /// The rendered search expression; `None` for all events.
    pub(super) matching: Option<String>,
    /// Whether rows have to be tested one by one.
    pub(super) needs_rows: bool,
    /// Whether some part of the filter can match nothing.
    pub(super) nothing: bool,
    pub(super) partitions: Arc<Partitions>,
    /// Logs and actions.
    pub dictionary: Arc<Dictionary>,
}

/// Which logs a question sees.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// The log that was asked for.
    root: i64,
    /// Whether logs below it count.
    nested: bool,
    /// The topmost logs below it that were deleted and are unreadable.
    removed: Vec<i64>,
}

impl View {
    /// Whether events of a log are seen.
    pub fn shows(&self, dictionary: &Dictionary, log_no: i64) -> bool {
        if self.nested {
            dictionary.within(log_no).any(|no| no == self.root)
                && !dictionary.within(log_no).any(|no| self.removed.contains(&no))
        } else {
            log_no == self.root
        }
    }

    /// Whether every event of the organization is seen.
    pub fn is_everything(&self) -> bool {
        self.nested && self.root == 0 && self.removed.is_empty()
    }

    fn clauses(&self) -> Vec<Clause> {
        let term = |kind, no| Term::Exact(terms::numbered(kind, no));
        let mut clauses = Vec::new();
        if !self.nested {
            clauses.push(Clause { any: vec![term(terms::Kind::OwnLog, self.root)], none: false });
        } else if self.root != 0 {
            clauses.push(Clause { any: vec![term(terms::Kind::WithinLog, self.root)], none: false });
        }
        if !self.removed.is_empty() && self.removed.len() <= REMOVED_TERMS {
            let any = self.removed.iter().map(|&no| term(terms::Kind::WithinLog, no)).collect();
            clauses.push(Clause { any, none: true });
        }
        clauses
    }
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

    /// What to tell the caller of an error: a prefix that PostgreSQL, which cannot count a prefix's matches beforehand,
    /// did not get through in time is named.
    #[must_use]
    pub fn blame(&self, error: Error) -> Error {
        let prefixes = self.filter.search.words.iter().filter(|asked| asked.prefix);
        let words: Vec<_> = prefixes.map(|asked| format!("{}*", asked.word)).collect();
        if !matches!(error, Error::TimedOut) || words.is_empty() {
            return error;
        }
        Error::TooComplex(format!(
            "search: {} took longer than one request may, write more of the word, or narrow it by dates or filters",
            words.join(" ")
        ))
    }

    /// Whether a head is that of its organization.
    pub(super) fn is_of(&self, head: &Head) -> bool {
        head.is_of(&self.product.name, &self.organization)
    }

    /// Whether every event of the organization is asked for.
    pub(super) fn is_everything(&self) -> bool {
        self.matching.is_none() && self.filter.from.is_none() && self.filter.to.is_none()
    }

    /// The pure test of an event, logs included.
    pub(super) fn keeps(&self, event: &Event) -> bool {
        self.view.shows(&self.dictionary, event.log_no) && self.filter.matches(event)
    }

    /// Whether events of a kind are seen, logs and dates aside.
    pub(super) fn keeps_kind(&self, no: i64) -> bool {
        let kind = usize::try_from(no).ok().and_then(|no| self.dictionary.kinds.get(no));
        kind.is_some_and(|kind| self.filter.keeps_kind(&kind.action, kind.category.as_deref(), kind.outcome))
    }

    /// The rows that the index has to give, positions bounded by the dates.
    pub(super) fn range(&self) -> Range {
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
            (to.map_or(i64::MAX, |to| Position::block_of(to).0 - 1), None)
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
        let Some(view) = view(scope, &dictionary, organization)? else { return Ok(None) };
        let selection = Selection {
            organization_no: head.organization_no,
            organization: organization.to_owned(),
            head,
            product: product.clone(),
            filter: Filter::default(),
            view,
            matching: None,
            needs_rows: false,
            nothing: false,
            partitions,
            dictionary,
        };
        self.refine(&selection, question.filter.clone()).await.map(Some)
    }

    /// The same selection without one dimension of its filter.
    pub(super) async fn select_without(&self, selection: &Selection, dimension: Dimension) -> Result<Selection> {
        let filter = selection.filter.without(dimension);
        if filter == selection.filter { Ok(selection.clone()) } else { self.refine(selection, filter).await }
    }

    /// The same selection at the organization's size of now, with the logs, kinds and partitions that came with its
    /// newer events; `None` where none came.
    pub(super) async fn renewed(&self, selection: &Selection) -> Result<Option<Selection>> {
        let Head { row: head, partitions, .. } = self.head_again(selection).await?;
        if head.size == selection.head.size {
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
    /// `UNAVAILABLE` where it cannot have grown out of the selection's: what was read since belongs to no one state.
    pub(super) async fn head_again(&self, selection: &Selection) -> Result<Head> {
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
            self.bound_prefixes(selection.organization_no, &clauses).await?;
        }
        let needs_rows = filter.needs_rows(&expansion) || selection.view.removed.len() > REMOVED_TERMS;
        let matching = if nothing { None } else { self.dialect.render(selection.organization_no, &clauses) };
        Ok(Selection { filter, matching, needs_rows, nothing, ..selection.clone() })
    }

    /// What the organization's dictionaries say to the filter.
    async fn expand(&self, selection: &Selection, filter: &Filter) -> Result<Expansion> {
        let mut expansion = Expansion::default();
        if filter.has_action_prefix() {
            let patterns: Vec<&Pattern> = filter.actions.iter().flatten().chain(&filter.not_actions).collect();
            let names = selection.dictionary.kinds.iter().map(|kind| &kind.action);
            expansion.actions = names.filter(|name| patterns.iter().any(|p| p.matches(name))).cloned().collect();
            expansion.actions.sort_unstable();
            expansion.actions.dedup();
        }
        if let Some(part) = &filter.actor_name_contains {
            expansion.names = self.actors_with(selection.organization_no, "name", part).await?;
        }
        if let Some(part) = &filter.actor_email_contains {
            expansion.emails = self.actors_with(selection.organization_no, "email", part).await?;
        }
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

    /// Refuses a prefix that touches too many postings, naming the word. PostgreSQL keeps no such counts: there
    /// the statement's time limit refuses, see [`Selection::blame`].
    async fn bound_prefixes(&self, organization_no: i64, clauses: &[Clause]) -> Result<()> {
        if self.dialect != Dialect::Sqlite {
            return Ok(());
        }
        let prefixes = clauses.iter().flat_map(|clause| &clause.any).filter_map(|term| match term {
            Term::Prefix(word) => Some(word),
            Term::Exact(_) => None,
        });
        for word in prefixes {
            let low = format!("{}{word}", terms::organization_prefix(organization_no));
            let high = format!("{low}\u{10FFFF}");
            // The window function sums as it goes, so the scan ends at the bound.
            let sql = Sql::new("SELECT 1 AS n FROM (SELECT sum(doc) OVER (ROWS UNBOUNDED PRECEDING) AS total FROM event_search_terms WHERE term >= ")
                .bind(low)
                .with(" AND term < ", high)
                .with(") WHERE total > ", PREFIX_POSTINGS)
                .text(" LIMIT 1");
            if self.number_of(sql).await? > 0 {
                return Err(Error::TooComplex(format!(
                    "search: {word}* occurs more than {PREFIX_POSTINGS} times, write more of the word"
                )));
            }
        }
        Ok(())
    }
}

/// Whether the log of a permission can be read, as [`Store::select`] would say.
///
/// # Errors
/// `FORBIDDEN` for a log outside the token's, or one that was deleted.
pub fn check_log(scope: &ReadScope, dictionary: &Dictionary) -> Result<()> {
    view(scope, dictionary, scope.organization().unwrap_or_default()).map(|_| ())
}

/// The logs that a scope sees; `None` where there is nothing to see.
fn view(scope: &ReadScope, dictionary: &Dictionary, organization: &str) -> Result<Option<View>> {
    let product = scope.product();
    let root = match scope.log() {
        None => Some(0),
        Some(name) => number_of(product, dictionary, organization, name),
    };
    let allowed = scope.allowed_logs();
    let Some(root) = root else {
        // A log of one's own that has no events yet is empty, another is not one's own.
        let own = allowed.is_empty() || scope.log().is_some_and(|name| allowed.contains(name));
        return if own { Ok(None) } else { Err(outside()) };
    };
    if !may_see(dictionary, allowed, root) {
        return Err(match scope.log().filter(|name| allowed.contains(name)) {
            Some(name) => Error::Forbidden(format!("the log {name}, which this token is for, was deleted")),
            None => outside(),
        });
    }
    if dictionary.is_gone(product, root, LogDeletion::Remove) {
        return Ok(None);
    }
    let level =
        dictionary.log(root).and_then(|log| product.level(&log.level)).map_or(product.top_level(), |(_, level)| level);
    let nested = scope.include_nested().unwrap_or(level.include_nested);
    let mut removed = Vec::new();
    if nested {
        for no in 0..dictionary.logs.len() as i64 {
            let below = dictionary.within(no).any(|above| above == root);
            let parent_gone = dictionary
                .log(no)
                .and_then(|log| log.parent)
                .is_some_and(|p| dictionary.is_gone(product, p, LogDeletion::Remove));
            if below && !parent_gone && dictionary.is_gone(product, no, LogDeletion::Remove) {
                removed.push(no);
            }
        }
    }
    Ok(Some(View { root, nested, removed }))
}

/// The number that a name leads to; the organization's own level is log 0.
pub(super) fn number_of(product: &Product, dictionary: &Dictionary, organization: &str, name: &LogName) -> Option<i64> {
    if name.level == product.top_level().name {
        return (name.id == organization).then_some(0);
    }
    dictionary.named(name)
}

/// Whether a token narrowed to `allowed` logs may see a log: one of them, or one below. A deleted log is seen
/// only from above, by those who may read what it belonged to.
pub(super) fn may_see(dictionary: &Dictionary, allowed: &[LogName], no: i64) -> bool {
    allowed.is_empty()
        || dictionary.within(no).filter_map(|no| dictionary.log(no)).any(|log| {
            log.deleted_at.is_none() && allowed.iter().any(|name| name.level == log.level && name.id == log.id)
        })
}

fn outside() -> Error {
    Error::Forbidden("this token is for other logs".to_owned())
}
