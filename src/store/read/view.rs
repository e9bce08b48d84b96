//! The logs that a question sees: those that were asked for, without those that the token is not for and deleted ones.

use crate::{
    auth::ReadScope,
    catalog::LogDeletion,
    error::{Error, Result},
    event::terms,
    question::filter::{Clause, Term},
    store::Dictionary,
};

/// Up to so many deleted logs are left out by terms. With more, rows are tested.
const REMOVED_TERMS: usize = 50;

/// Which logs a question sees.
#[derive(Clone, Debug)]
pub(in crate::store) struct View {
    /// The log that was asked for.
    root: i64,
    /// Whether logs below it count.
    nested: bool,
    /// The topmost logs below it that were deleted and are unreadable.
    removed: Vec<i64>,
}

impl View {
    /// The logs that a scope sees; `None` where there is nothing to see.
    pub fn of(scope: &ReadScope, dictionary: &Dictionary, organization: &str) -> Result<Option<Self>> {
        let product = scope.product();
        let root = match scope.log() {
            None => Some(0),
            Some(name) => dictionary.number_of(product, organization, name),
        };
        let allowed = scope.allowed_logs();
        let Some(root) = root else {
            // A log that the token is for may have no events yet: it is empty. Any other is refused.
            let own = allowed.is_empty() || scope.log().is_some_and(|name| allowed.contains(name));
            return if own { Ok(None) } else { Err(Error::other_logs()) };
        };
        if !dictionary.may_see(allowed, root) {
            return Err(match scope.log().filter(|name| allowed.contains(name)) {
                Some(name) => Error::Forbidden(format!("the log {name}, which this token is for, was deleted")),
                None => Error::other_logs(),
            });
        }
        if dictionary.is_gone(product, root, LogDeletion::Remove) {
            return Ok(None);
        }
        let level = dictionary
            .log(root)
            .and_then(|log| product.level(&log.level))
            .map_or(product.top_level(), |(_, level)| level);
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
        Ok(Some(Self { root, nested, removed }))
    }

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

    /// Whether rows have to be tested, since the terms of the logs to leave out would be too many.
    pub fn needs_rows(&self) -> bool {
        self.removed.len() > REMOVED_TERMS
    }

    /// What the index is asked of the logs.
    pub fn clauses(&self) -> Vec<Clause> {
        let term = |kind, no| Term::Exact(terms::numbered(kind, no));
        let mut clauses = Vec::new();
        if !self.nested {
            clauses.push(Clause { any: vec![term(terms::TermKind::OwnLog, self.root)], none: false });
        } else if self.root != 0 {
            clauses.push(Clause { any: vec![term(terms::TermKind::WithinLog, self.root)], none: false });
        }
        if !self.removed.is_empty() && !self.needs_rows() {
            let any = self.removed.iter().map(|&no| term(terms::TermKind::WithinLog, no)).collect();
            clauses.push(Clause { any, none: true });
        }
        clauses
    }
}

/// Whether the log of a permission can be read, as [`Store::select`](crate::store::Store::select) would say.
///
/// # Errors
/// `FORBIDDEN` for a log outside the token's, or one that was deleted.
pub fn check_log(scope: &ReadScope, dictionary: &Dictionary) -> Result<()> {
    View::of(scope, dictionary, scope.organization().unwrap_or_default()).map(|_| ())
}
