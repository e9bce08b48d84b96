//! Views that people have saved, for whoever reads the log.

use super::Reader;
use crate::{
    auth::{self, Principal, policy},
    error::{Error, Result},
    store::control::views::View,
};

/// A view as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenView {
    /// The view.
    pub view: View,
    /// Whether it is theirs.
    pub is_own: bool,
    /// Whether they may give it another name or question.
    pub may_change: bool,
    /// Whether they may delete it.
    pub may_delete: bool,
}

impl Reader {
    /// The views of whoever asks, and those that are shared, the oldest first.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may have none.
    pub async fn views(&self, principal: &Principal, organization: Option<&str>) -> Result<Vec<SeenView>> {
        let (scope, rights) = policy::may_save_views(principal, organization)?;
        let seen = |view: View| SeenView {
            is_own: rights.owns(&view.owner),
            may_change: rights.may_change(&view.owner, view.shared),
            may_delete: rights.may_delete(&view.owner, view.shared),
            view,
        };
        Ok(self.store.views(&scope, &rights).await?.into_iter().map(seen).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Self::views`], and `NOT_FOUND` where the principal sees no such view.
    pub async fn view(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<SeenView> {
        let views = self.views(principal, organization).await?;
        views.into_iter().find(|seen| seen.view.id == id).ok_or_else(|| Error::not_found("view"))
    }

    /// Whether the principal may share views, as far as the token tells.
    #[must_use]
    pub fn view_sharing(&self, principal: &Principal, organization: Option<&str>) -> auth::Access {
        let saved = policy::may_save_views(principal, organization);
        auth::Access::of(saved.and_then(|_| policy::may_share_views(principal, organization)).map(drop), false)
    }
}
