//! Tokens that the service made: what each may do, until when, and whether it was revoked.

use std::fmt;

use entity::{issuer_key, organization, partner_token as row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::Place;
use crate::{
    auth::{LogName, ManageScope},
    error::{Error, Result},
    event::Timestamp,
    store::{Dictionary, Store, connection::transaction::Transaction, error},
};

/// The form that a token is given away in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A signed JWT.
    Jwt,
    /// An opaque key, known by its hash alone.
    Key,
    /// A JWT for a page that shows one log: it reads, and ends soon.
    Viewer,
}

impl TokenKind {
    /// The word that clients and events have.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::Key => "KEY",
            Self::Viewer => "VIEWER",
        }
    }

    const fn number(self) -> i16 {
        match self {
            Self::Jwt => 0,
            Self::Key => 1,
            Self::Viewer => 2,
        }
    }
}

/// What somebody who has a token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Scopes.
    pub scopes: Vec<String>,
    /// Roles: its maker's, as they were when it was made.
    pub roles: Vec<String>,
    /// Plan: its maker's.
    pub plan: Option<String>,
    /// The logs that it is narrowed to; none where it is not.
    pub logs: Vec<LogName>,
}

/// A token that is to be stored.
#[derive(Clone)]
pub struct NewToken {
    /// Public id, `jti` of a JWT.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its form.
    pub kind: TokenKind,
    /// What it may do.
    pub rights: Rights,
    /// SHA-256 of an opaque key.
    pub key_hash: Option<[u8; 32]>,
    /// When it is made.
    pub created_at: Timestamp,
    /// Subject of its maker.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Without the hash, which is of no use in a line of a log.
impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A stored token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerToken {
    /// Number of its organization.
    pub organization_no: i64,
    /// Public id.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its form.
    pub kind: TokenKind,
    /// What it may do.
    pub rights: Rights,
    /// When it was made.
    pub created_at: Timestamp,
    /// Subject of its maker.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
}

/// A token with the names of the organization that it is for.
#[derive(Clone, Debug)]
pub struct Owned {
    /// The token.
    pub token: PartnerToken,
    /// Name of the product.
    pub product: String,
    /// The product's own id of the organization.
    pub organization: String,
}

/// How a token is found by whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shown<'a> {
    /// By its id, as a JWT says it.
    Id(&'a str),
    /// An opaque key, by its hash.
    Hash([u8; 32]),
}

/// A public key of the service's own issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerKey {
    /// Key id.
    pub kid: String,
    /// The 32 bytes of an Ed25519 public key.
    pub public_key: Vec<u8>,
}

/// Whether a token can be made: whoever is narrowed to logs gives access to those at most.
pub(super) fn may_be_made(place: &Place<'_>, token: &NewToken) -> Result<()> {
    let is_within = token.rights.is_within(place.dictionary, place.allowed);
    if is_within { Ok(()) } else { Err(Error::other_logs()) }
}

impl Rights {
    /// Whether they reach no further than these logs and what lies in them; none means all of the organization.
    pub(super) fn is_within(&self, dictionary: &Dictionary, allowed: &[LogName]) -> bool {
        let within = |log: &LogName| {
            let live = dictionary.live(&log.level, &log.id);
            allowed.contains(log) || live.is_some_and(|no| dictionary.may_see(allowed, no))
        };
        allowed.is_empty() || (!self.logs.is_empty() && self.logs.iter().all(within))
    }
}

impl Store {
    /// The tokens of an organization, the newest first: at most `limit` of those made before `before`, which is an id.
    /// Where a time is given, those alone that can still be used then. Whoever is narrowed to logs sees the tokens that
    /// reach no further.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tokens(
        &self,
        scope: &ManageScope,
        before: Option<&str>,
        usable_at: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PartnerToken>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let mut tokens = Vec::new();
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else { return Ok(tokens) };
        let dictionary = self.dictionary(&own.read, &head.row).await?;
        let mut before = before.map(str::to_owned);
        loop {
            let mut asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(head.row.organization_no));
            if let Some(before) = &before {
                asked = asked.filter(row::Column::Id.lt(before));
            }
            if let Some(now) = usable_at {
                asked = asked.filter(row::Column::RevokedNs.is_null()).filter(row::Column::ExpiresNs.gt(now.0));
            }
            let wanted = limit - tokens.len();
            let asked = asked.order_by_desc(row::Column::Id).limit(wanted as u64);
            let rows = asked.all(&own.read).await.map_err(error::from)?;
            let is_last = rows.len() < wanted;
            before = rows.last().map(|row| row.id.clone());
            for row in rows {
                let token = PartnerToken::of(row)?;
                if token.rights.is_within(&dictionary, scope.allowed_logs()) {
                    tokens.push(token);
                }
            }
            if is_last || tokens.len() == limit {
                return Ok(tokens);
            }
        }
    }

    /// A token of an organization by its id; `None` too where it reaches further than whoever asks.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn token(&self, scope: &ManageScope, id: &str) -> Result<Option<PartnerToken>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else { return Ok(None) };
        let dictionary = self.dictionary(&own.read, &head.row).await?;
        let found = row::Entity::find_by_id((head.row.organization_no, id.to_owned())).one(&own.read).await;
        let token = found.map_err(error::from)?.map(PartnerToken::of).transpose()?;
        Ok(token.filter(|token| token.rights.is_within(&dictionary, scope.allowed_logs())))
    }

    /// The token that somebody shows, whatever has become of it; `None` where there is none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn shown_token(&self, shown: Shown<'_>) -> Result<Option<Owned>> {
        let asked = row::Entity::find();
        let asked = match shown {
            Shown::Id(id) => asked.filter(row::Column::Id.eq(id)),
            Shown::Hash(hash) => asked.filter(row::Column::KeyHash.eq(hash.to_vec())),
        };
        // Not from a replica: it may not know of a revocation yet.
        let Some(found) = asked.one(&self.read).await.map_err(error::from)? else { return Ok(None) };
        let of = organization::Entity::find_by_id(found.organization_no).one(&self.read).await.map_err(error::from)?;
        let Some(organization::Model { product, external_id, .. }) = of else { return Ok(None) };
        Ok(Some(Owned { token: PartnerToken::of(found)?, product, organization: external_id }))
    }

    /// Writes down when tokens were last used. A later time that is there stays.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    pub async fn tokens_were_used(&self, used: &[(i64, String, Timestamp)]) -> Result<()> {
        if used.is_empty() {
            return Ok(());
        }
        let tx = self.write.begin().await?;
        for (organization_no, id, at) in used {
            let earlier = row::Column::LastUsedNs.is_null().or(row::Column::LastUsedNs.lt(at.0));
            let update = row::Entity::update_many()
                .col_expr(row::Column::LastUsedNs, at.0.into())
                .filter(row::Column::OrganizationNo.eq(*organization_no))
                .filter(row::Column::Id.eq(id))
                .filter(earlier);
            update.exec(&tx).await.map_err(error::from)?;
        }
        tx.commit().await
    }

    /// The public keys of all processes that have made tokens, the oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn issuer_keys(&self) -> Result<Vec<IssuerKey>> {
        let asked = issuer_key::Entity::find().order_by_asc(issuer_key::Column::CreatedNs);
        let rows = asked.order_by_asc(issuer_key::Column::Kid).all(&self.read).await.map_err(error::from)?;
        Ok(rows.into_iter().map(|row| IssuerKey { kid: row.kid, public_key: row.public_key }).collect())
    }

    /// Makes a public key known to all processes. One that is known stays as it is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn publish_issuer_key(&self, key: &IssuerKey, now: Timestamp) -> Result<()> {
        let tx = self.write.begin().await?;
        let row = issuer_key::ActiveModel {
            kid: Set(key.kid.clone()),
            public_key: Set(key.public_key.clone()),
            created_ns: Set(now.0),
        };
        let known = OnConflict::column(issuer_key::Column::Kid).do_nothing().to_owned();
        issuer_key::Entity::insert(row).on_conflict(known).exec_without_returning(&tx).await.map_err(error::from)?;
        tx.commit().await
    }

    pub(super) async fn may_be_revoked(&self, tx: &Transaction, place: &Place<'_>, id: &str) -> Result<Result<()>> {
        let found = row::Entity::find_by_id((place.organization_no, id.to_owned())).one(tx).await;
        let Some(found) = found.map_err(error::from)? else { return Ok(Err(Error::not_found("token"))) };
        let token = PartnerToken::of(found)?;
        if !token.rights.is_within(place.dictionary, place.allowed) {
            return Ok(Err(Error::not_found("token")));
        }
        Ok(match token.revoked_at {
            Some(at) => Err(Error::NotFound(format!("the token was revoked already, at {at}"))),
            None => Ok(()),
        })
    }

    pub(super) async fn insert_token(&self, tx: &Transaction, place: &Place<'_>, token: &NewToken) -> Result<()> {
        let list = |texts: Vec<String>| serde_json::to_string(&texts).map_err(Error::internal);
        let Rights { scopes, roles, plan, logs } = &token.rights;
        let row = row::ActiveModel {
            organization_no: Set(place.organization_no),
            id: Set(token.id.clone()),
            label: Set(token.label.clone()),
            kind: Set(token.kind.number()),
            scopes: Set(list(scopes.clone())?),
            roles: Set(list(roles.clone())?),
            plan: Set(plan.clone()),
            logs: Set(list(logs.iter().map(ToString::to_string).collect())?),
            key_hash: Set(token.key_hash.map(|hash| hash.to_vec())),
            created_ns: Set(token.created_at.0),
            created_by: Set(token.created_by.clone()),
            expires_ns: Set(token.expires_at.0),
            revoked_ns: Set(None),
            last_used_ns: Set(None),
        };
        row::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?;
        Ok(())
    }

    pub(super) async fn mark_revoked(&self, tx: &Transaction, place: &Place<'_>, id: &str) -> Result<()> {
        let update = row::Entity::update_many()
            .col_expr(row::Column::RevokedNs, place.now.0.into())
            .filter(row::Column::OrganizationNo.eq(place.organization_no))
            .filter(row::Column::Id.eq(id));
        update.exec(tx).await.map_err(error::from)?;
        Ok(())
    }
}

impl PartnerToken {
    fn of(row: row::Model) -> Result<Self> {
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).map_err(Error::internal);
        let kind = match row.kind {
            0 => TokenKind::Jwt,
            1 => TokenKind::Key,
            2 => TokenKind::Viewer,
            kind => return Err(Error::internal(UnknownKind { kind })),
        };
        // To leave one out would widen what was narrowed.
        let log = |text: &String| LogName::parse(text).ok_or_else(|| Error::internal(NoLog(text.clone())));
        let logs = list(&row.logs)?.iter().map(log).collect::<Result<Vec<_>>>()?;
        let rights = Rights { scopes: list(&row.scopes)?, roles: list(&row.roles)?, plan: row.plan, logs };
        Ok(Self {
            organization_no: row.organization_no,
            id: row.id,
            label: row.label,
            kind,
            rights,
            created_at: Timestamp(row.created_ns),
            created_by: row.created_by,
            expires_at: Timestamp(row.expires_ns),
            revoked_at: row.revoked_ns.map(Timestamp),
            last_used_at: row.last_used_ns.map(Timestamp),
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a token is of the kind {kind}, which this version does not know")]
struct UnknownKind {
    kind: i16,
}

#[derive(Debug, thiserror::Error)]
#[error("a token is narrowed to {0:?}, which names no log")]
struct NoLog(String);
