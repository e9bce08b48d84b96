//! The tokens that an organization has given away.

use super::Reader;
use crate::{
    auth::{Principal, policy},
    catalog::Feature,
    error::{Error, Result},
    event::limits,
    keys::partner::is_id,
    store::control::tokens::PartnerToken,
};

/// Tokens that are asked for.
pub struct AskedTokens {
    /// The organization; needed where the token names none.
    pub organization: Option<String>,
    /// Whether those that have ended or were revoked are listed too.
    pub include_ended: bool,
    /// Size of the page.
    pub first: Option<i64>,
    /// The page comes after the token of this id.
    pub after: Option<String>,
}

/// A page of tokens, the newest first.
pub struct Tokens {
    /// The tokens.
    pub tokens: Vec<PartnerToken>,
    /// Whether there are older ones.
    pub has_next: bool,
}

impl Reader {
    /// Tokens of an organization, for those who may make them.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not, `BAD_USER_INPUT` on `first` or `after`.
    pub async fn tokens(&self, principal: &Principal, asked: AskedTokens) -> Result<Tokens> {
        let scope = policy::may_administer(principal, asked.organization.as_deref(), Feature::Tokens)?;
        let size = asked.first.map_or(Ok(limits::PAGE_DEFAULT), |first| {
            let size = usize::try_from(first).ok().filter(|size| (1..=limits::PAGE_MAX).contains(size));
            size.ok_or_else(|| Error::bad_input("first", format!("must be 1 to {}, got {first}", limits::PAGE_MAX)))
        })?;
        if asked.after.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(Error::bad_input("after", "must be the id of a token"));
        }
        let usable_at = (!asked.include_ended).then(|| self.clock.now());
        let mut tokens = self.store.tokens(&scope, asked.after.as_deref(), usable_at, size + 1).await?;
        let has_next = tokens.len() > size;
        tokens.truncate(size);
        Ok(Tokens { tokens, has_next })
    }

    /// One token of an organization.
    ///
    /// # Errors
    /// As [`Self::tokens`], and `NOT_FOUND` where there is no such token, or it reaches further than the principal does.
    pub async fn token(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<PartnerToken> {
        let scope = policy::may_administer(principal, organization, Feature::Tokens)?;
        let found = if is_id(id) { self.store.token(&scope, id).await? } else { None };
        found.ok_or_else(|| Error::not_found("token"))
    }
}
