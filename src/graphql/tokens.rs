//! Tokens for partners and for pages that show a log.

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};

use super::{Services, filter::AuditLogInput, principal, scalars::DateTime, services};
use crate::{
    auth::LogName,
    error::Result,
    ingest::{self, MadeToken, WantedToken},
    reading::{AskedTokens, Tokens},
    store::control::tokens::{NewToken, PartnerToken, Rights, TokenKind},
};

/// The form that a token is given away in.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "TokenKind")]
pub enum AuditTokenKind {
    /// A signed JWT, which others can check with the keys at `/.well-known/jwks.json`.
    Jwt,
    /// An opaque key, for `X-API-Key`. The service keeps its hash alone.
    Key,
    /// A JWT for a page that shows one log: it only reads, and is good for a day at most.
    Viewer,
}

/// A token that the service made for a partner or for a page. Who has it is `viewer`; it can do neither more than its
/// maker could, nor make other tokens.
#[derive(SimpleObject)]
pub struct AuditToken {
    /// Id, `tok_` and 22 characters. It is the subject of the token, and so `recordedBy` of what it records.
    id: ID,
    /// What its maker called it.
    label: String,
    /// The form that it was given away in.
    kind: AuditTokenKind,
    /// What it may do.
    scopes: Vec<String>,
    /// The logs that it is narrowed to; empty where it is for the whole organization.
    logs: Vec<AuditTokenLog>,
    /// Roles that it has: its maker's, when it was made.
    roles: Vec<String>,
    /// Plan that it has: its maker's, when it was made.
    plan: Option<String>,
    /// When it was made.
    created_at: DateTime,
    /// Subject of the token of its maker.
    created_by: String,
    /// When it ends.
    expires_at: DateTime,
    /// When it was revoked.
    revoked_at: Option<DateTime>,
    /// When it was last used, to about a minute; null where it never was.
    last_used_at: Option<DateTime>,
}

/// A log that a token is narrowed to.
#[derive(SimpleObject)]
pub struct AuditTokenLog {
    /// Name of its level, as in `Product.levels`.
    level: String,
    /// The product's own id of the thing that has the log.
    external_id: String,
}

impl From<LogName> for AuditTokenLog {
    fn from(log: LogName) -> Self {
        Self { level: log.level, external_id: log.id }
    }
}

/// Tokens, the newest first.
#[derive(SimpleObject)]
pub struct AuditTokenPage {
    /// The tokens of the page.
    tokens: Vec<AuditToken>,
    /// Whether there are older ones.
    has_next_page: bool,
    /// What `after` takes for the next page: the id of the last token; null where the page is empty.
    end_cursor: Option<String>,
}

/// A token to make.
#[derive(InputObject)]
pub struct CreateAuditTokenInput {
    /// The organization; needed where the token that asks names none.
    organization: Option<ID>,
    /// What people call it: at most 256 bytes.
    label: String,
    /// The form that it is given away in.
    kind: AuditTokenKind,
    /// What it may do: reading scopes of the product, and `audit:record`. No more than the token that asks has.
    scopes: Vec<String>,
    /// The log that it is narrowed to, with those nested in it; where absent, it reaches as far as the token that asks.
    /// A `VIEWER` must have one.
    log: Option<AuditLogInput>,
    /// How long it is good for, in seconds: a minute to 366 days; a `VIEWER`, a day at most.
    expires_in: i32,
}

/// The token that was made.
#[derive(SimpleObject)]
pub struct CreateAuditTokenPayload {
    /// What is known of it from now on.
    token: AuditToken,
    /// The JWT or the key. It is shown here once, and kept nowhere.
    secret: String,
}

/// A token to revoke.
#[derive(InputObject)]
pub struct RevokeAuditTokenInput {
    /// The organization; needed where the token that asks names none.
    organization: Option<ID>,
    /// The token's id.
    id: ID,
}

/// The token that was revoked.
#[derive(SimpleObject)]
pub struct RevokeAuditTokenPayload {
    /// The token, which says when it was revoked.
    token: AuditToken,
}

/// Makes a token.
pub(super) async fn create(ctx: &Context<'_>, input: CreateAuditTokenInput) -> Result<CreateAuditTokenPayload> {
    let (Services { writer, partners, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let wanted = WantedToken {
        label: input.label,
        kind: input.kind.into(),
        scopes: input.scopes,
        log: input.log.map(Into::into),
        expires_in: input.expires_in.into(),
    };
    let organization = input.organization.as_deref().map(String::as_str);
    let made = ingest::create_token(writer, partners, principal, organization, wanted, clock.now()).await;
    let MadeToken { token, secret } = made.map_err(|error| error.under("input"))?;
    Ok(CreateAuditTokenPayload { token: token.into(), secret })
}

/// Revokes a token.
pub(super) async fn revoke(ctx: &Context<'_>, input: RevokeAuditTokenInput) -> Result<RevokeAuditTokenPayload> {
    let (Services { writer, reader, partners, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let organization = input.organization.as_deref().map(String::as_str);
    let revoked = async {
        let token = reader.token(principal, organization, &input.id).await?;
        ingest::revoke_token(writer, partners, principal, &token, organization, clock.now()).await?;
        reader.token(principal, organization, &input.id).await
    };
    Ok(RevokeAuditTokenPayload { token: revoked.await.map_err(|error| error.under("input"))?.into() })
}

/// Lists tokens.
pub(super) async fn list(ctx: &Context<'_>, asked: AskedTokens) -> Result<AuditTokenPage> {
    let Tokens { tokens, has_next } = services(ctx).reader.tokens(principal(ctx)?, asked).await?;
    let end_cursor = tokens.last().map(|token| token.id.clone());
    let tokens = tokens.into_iter().map(AuditToken::from).collect();
    Ok(AuditTokenPage { tokens, has_next_page: has_next, end_cursor })
}

impl From<PartnerToken> for AuditToken {
    fn from(token: PartnerToken) -> Self {
        let PartnerToken { id, label, kind, rights, created_at, created_by, expires_at, .. } = token;
        let made = NewToken { id, label, kind, rights, key_hash: None, created_at, created_by, expires_at };
        Self {
            revoked_at: token.revoked_at.map(DateTime::from),
            last_used_at: token.last_used_at.map(DateTime::from),
            ..made.into()
        }
    }
}

impl From<NewToken> for AuditToken {
    fn from(token: NewToken) -> Self {
        let Rights { scopes, roles, plan, logs } = token.rights;
        Self {
            id: ID(token.id),
            label: token.label,
            kind: token.kind.into(),
            scopes,
            logs: logs.into_iter().map(AuditTokenLog::from).collect(),
            roles,
            plan,
            created_at: token.created_at.into(),
            created_by: token.created_by,
            expires_at: token.expires_at.into(),
            revoked_at: None,
            last_used_at: None,
        }
    }
}
