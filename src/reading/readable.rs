//! What can be read of an organization: whether anything, which logs, and whose deeds. What a page asks before it draws
//! a list.

use std::sync::Arc;

use super::{Reader, shown::Log, told::Kind};
use crate::{
    auth::{Access, Principal, ReadScope, policy},
    error::{Error, Result},
    event::{Actor, limits, names::check_text},
    store::{Dictionary, check_log},
};

/// The lists that a principal can read in an organization, deleted logs left out.
#[derive(Default)]
pub struct Readable {
    /// The permissions; more than one where the token is narrowed to several logs.
    scopes: Vec<ReadScope>,
    /// What is known of the organization, if it has recorded anything.
    dictionary: Option<Arc<Dictionary>>,
}

/// A log that can be named, whether or not it has events.
pub struct Choice {
    /// Name of its level.
    pub level: String,
    /// The product's own id of the thing that has the log.
    pub id: String,
    /// Name to show, where the log has events.
    pub name: Option<String>,
}

impl Readable {
    /// Names of recorded actions, in their order; none where the token is narrowed to some logs, whose actions nobody keeps.
    #[must_use]
    pub(super) fn actions(&self) -> Vec<String> {
        let is_narrowed = self.scopes.iter().any(|scope| !scope.allowed_logs().is_empty());
        let kinds = self.dictionary.iter().filter(|_| !is_narrowed).flat_map(|dictionary| &dictionary.kinds);
        let names: std::collections::BTreeSet<_> = kinds.map(|kind| kind.action.to_string()).collect();
        names.into_iter().collect()
    }

    /// Logs that can be named and have events, the organization's own first, at most `most`.
    #[must_use]
    pub fn logs(&self, most: usize) -> Vec<Log> {
        let Some((first, dictionary)) = self.scopes.first().zip(self.dictionary.as_ref()) else { return Vec::new() };
        let numbers = dictionary.readable(first.allowed_logs());
        numbers.take(most).filter_map(|no| Log::numbered(dictionary, no)).collect()
    }

    /// Logs of which one has to be named, because the token is narrowed to several; empty where none has to be.
    #[must_use]
    pub fn choices(&self) -> Vec<Choice> {
        let choice = |scope: &ReadScope| {
            let log = scope.log().filter(|_| scope.allowed_logs().len() > 1)?;
            let known = self.dictionary.as_ref().and_then(|known| known.log(known.named(log)?));
            let name = known.and_then(|log| log.name.clone());
            Some(Choice { level: log.level.clone(), id: log.id.clone(), name })
        };
        self.scopes.iter().filter_map(choice).collect()
    }
}

impl Reader {
    /// What can be read of an organization, the token's where none is named: never nothing.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where nothing can be read; so it is where every log of a narrowed token
    /// was deleted.
    pub async fn readable(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        include_nested: Option<bool>,
    ) -> Result<Readable> {
        let mut scopes = policy::may_read_each(principal, organization, include_nested)?;
        let named = scopes.first().and_then(ReadScope::organization);
        let dictionary = match named {
            Some(organization) => self.store.dictionary_of(&principal.product.name, organization).await?,
            None => None,
        };
        if let Some(dictionary) = &dictionary {
            let mut refused = None;
            scopes.retain(|scope| match check_log(scope, dictionary) {
                Ok(()) => true,
                Err(error) => {
                    refused = Some(error);
                    false
                }
            });
            if let Some(error) = refused.filter(|_| scopes.is_empty()) {
                return Err(error);
            }
        }
        Ok(Readable { scopes, dictionary })
    }

    /// The same, and nothing for those who may not read.
    ///
    /// # Errors
    /// Where it cannot be told at the moment.
    pub async fn readable_if_any(&self, principal: &Principal, organization: Option<&str>) -> Result<Readable> {
        match self.readable(principal, organization, None).await {
            Err(error) if error.is_no() => Ok(Readable::default()),
            known => known,
        }
    }

    /// Whether the audit log can be read, and if not, why: what a list answers without a log or, for a token that is
    /// narrowed to several, with one of them.
    ///
    /// # Errors
    /// Where it cannot be told at the moment.
    pub async fn access(&self, principal: &Principal, organization: Option<&str>) -> Result<Access> {
        let access = policy::read_access(principal);
        if !access.allowed || (organization.is_none() && principal.organization.is_none()) {
            return Ok(access);
        }
        match self.readable(principal, organization, None).await {
            Ok(_) => Ok(access),
            Err(error) if error.is_no() => Ok(Access::of(Err(error), false)),
            Err(error) => Err(error),
        }
    }

    /// Actors of an organization whose name, e-mail address or id contains a text, the busiest first: at most `first`.
    ///
    /// # Errors
    /// As [`Self::readable`], and `BAD_USER_INPUT` on `first` or `matching`.
    pub async fn actors(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        matching: Option<&str>,
        first: i64,
    ) -> Result<Vec<Actor>> {
        let matching = matching.filter(|text| !text.is_empty());
        // A token for several logs has no log of its own: its actors are those of each.
        let readable = self.readable(principal, organization, Some(true)).await?;
        let most = limits::PAGE_MAX;
        let limit = usize::try_from(first)
            .ok()
            .filter(|n| *n <= most)
            .ok_or_else(|| Error::bad_input("first", format!("must be from 0 to {most}, got {first}")))?;
        if let Some(text) = matching {
            check_text(&"matching", text, limits::TEXT_BYTES)?;
        }
        let actors = Box::pin(self.store.actors(&readable.scopes, matching, limit)).await?;
        if let (Some(organization), Some(_)) =
            (readable.scopes.first().and_then(ReadScope::organization), &readable.dictionary)
        {
            self.tell(principal, organization, Kind::Actors, None, None).await?;
        }
        Ok(actors)
    }
}
