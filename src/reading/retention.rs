//! For how long an organization's events are kept, and what keeps some of them longer.

use super::Reader;
use crate::{
    auth::{Principal, policy},
    catalog::{Feature, Keep},
    error::{Error, Result},
    store::control::holds::Hold,
};

/// For how long events of a level are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelKept {
    /// The level.
    pub level: String,
    /// For how long.
    pub keep: Keep,
    /// What the organization wishes for this level, where it does.
    pub wished: Option<Keep>,
}

/// For how long an organization's events are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// By level, the organization's own first.
    pub levels: Vec<LevelKept>,
    /// What the organization wishes for all levels, where it does.
    pub wished: Option<Keep>,
    /// Days that events are kept at least; 0 where the product names none.
    pub floor: i64,
}

impl Reader {
    /// For how long events are kept, for those who may change it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not.
    pub async fn retention(&self, principal: &Principal, organization: Option<&str>) -> Result<Kept> {
        let scope = policy::may_administer(principal, organization, Feature::Retention)?;
        let wishes = self.store.retention_wishes(&scope).await?;
        let product = scope.product();
        let levels = product.levels.iter().map(|level| LevelKept {
            level: level.name.clone(),
            keep: product.keeps(&level.name, &wishes),
            wished: wishes.of(&level.name),
        });
        Ok(Kept { levels: levels.collect(), wished: wishes.of(""), floor: product.retention_floor })
    }

    /// The holds of an organization, the oldest first, for those who may place them.
    ///
    /// # Errors
    /// As [`Self::retention`].
    pub async fn holds(&self, principal: &Principal, organization: Option<&str>) -> Result<Vec<Hold>> {
        let scope = policy::may_administer(principal, organization, Feature::Holds)?;
        self.store.holds(&scope).await
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Self::holds`], and `NOT_FOUND` where it is not there.
    pub async fn hold(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<Hold> {
        let holds = self.holds(principal, organization).await?;
        holds.into_iter().find(|hold| hold.id == id).ok_or_else(|| Error::not_found("hold"))
    }
}
