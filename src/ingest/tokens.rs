//! Tokens for partners and for pages that show a log: made with no more power than their maker has, and revoked.

use serde_json::json;

use super::{Told, Writer, change};
use crate::{
    auth::{LogName, ManageScope, Principal, RECORD, policy},
    catalog::{
        Feature,
        management::{TOKEN_CREATED, TOKEN_REVOKED},
    },
    error::{Error, Result},
    event::{
        OrganizationId, Resource, Timestamp,
        names::{check_id, check_text},
    },
    keys::Partners,
    store::{
        Change,
        control::tokens::{NewToken, PartnerToken, Rights, TokenKind},
    },
};

/// Longest label, in bytes.
const LABEL_BYTES: usize = 256;
/// Shortest time that a token is good for, in seconds.
const SHORTEST: i64 = 60;
/// Longest time, in seconds: a year that has a leap day.
const LONGEST: i64 = 366 * 86_400;
/// Longest time of a token for a page, in seconds: a day.
const LONGEST_VIEWER: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;
/// Type of the resource of an event that tells of a token.
const RESOURCE: &str = "audit_log_token";

/// A token that is asked for.
pub struct WantedToken {
    /// What people call it.
    pub label: String,
    /// Its form.
    pub kind: TokenKind,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The log that it is narrowed to.
    pub log: Option<LogName>,
    /// Seconds that it is good for.
    pub expires_in: i64,
}

/// A token that was made.
pub struct MadeToken {
    /// What is stored of it.
    pub token: NewToken,
    /// The JWT or the key, which is stored nowhere.
    pub secret: String,
}

/// Makes a token, and records the event that tells of it.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not, or asks for more than it has itself;
/// `BAD_USER_INPUT` naming field and rule; `OVERLOADED` and `UNAVAILABLE` where nothing was made.
pub async fn create_token(
    writer: &Writer,
    partners: &Partners,
    principal: &Principal,
    organization: Option<&str>,
    wanted: WantedToken,
    now: Timestamp,
) -> Result<MadeToken> {
    let scope = policy::may_administer(principal, organization, Feature::Tokens)?;
    check(&scope, &wanted)?;
    let rights = rights(principal, &scope, &wanted)?;
    let (key, key_hash) = match wanted.kind {
        TokenKind::Key => Some(partners.new_key(&scope.management().key_prefix)).unzip(),
        TokenKind::Jwt | TokenKind::Viewer => (None, None),
    };
    let token = NewToken {
        id: partners.new_id(now),
        label: wanted.label,
        kind: wanted.kind,
        rights,
        key_hash,
        created_at: now,
        created_by: scope.subject().to_owned(),
        // A JWT says it in whole seconds.
        expires_at: Timestamp((now.0.div_euclid(NANOS) + wanted.expires_in) * NANOS),
    };
    let secret = match key {
        Some(key) => key,
        None => partners.sign(scope.product(), scope.organization(), &token, now).await?,
    };
    let told = Told {
        action: TOKEN_CREATED,
        resource: resource(&token.id, &token.label),
        metadata: json!({
            "kind": token.kind.as_str(),
            "scopes": token.rights.scopes,
            "logs": token.rights.logs.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "roles": token.rights.roles,
            "plan": token.rights.plan,
            "expiresAt": token.expires_at.to_string(),
        }),
    };
    change(writer, principal, scope, Change::CreateToken(Box::new(token.clone())), told, now).await?;
    Ok(MadeToken { token, secret })
}

/// Revokes a token, and records the event that tells of it. Answers when it was revoked.
///
/// # Errors
/// `NOT_FOUND` where there is no such token, or it was revoked before; `FORBIDDEN` or `PLAN_REQUIRED` where the principal
/// may not; `OVERLOADED` and `UNAVAILABLE` where nothing was done.
pub async fn revoke_token(
    writer: &Writer,
    partners: &Partners,
    principal: &Principal,
    token: &PartnerToken,
    organization: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::may_administer(principal, organization, Feature::Tokens)?;
    let told = Told { action: TOKEN_REVOKED, resource: resource(&token.id, &token.label), metadata: json!({}) };
    change(writer, principal, scope, Change::RevokeToken { id: token.id.clone() }, told, now).await?;
    partners.forget_everywhere();
    Ok(())
}

fn resource(id: &str, label: &str) -> Resource {
    Resource { kind: Some(RESOURCE.to_owned()), id: Some(id.to_owned()), name: Some(label.to_owned()) }
}

fn check(scope: &ManageScope, wanted: &WantedToken) -> Result<()> {
    let product = scope.product();
    check_text(&"label", &wanted.label, LABEL_BYTES)?;
    check_id(&"label", &wanted.label)?;
    let reading = &product.access.scopes;
    let known: Vec<&str> = reading.iter().map(String::as_str).chain([RECORD]).collect();
    if wanted.scopes.is_empty() {
        return Err(Error::bad_input("scopes", format!("must be some of {}", known.join(", "))));
    }
    let mut scopes = wanted.scopes.iter().enumerate();
    if let Some((place, scope)) = scopes.find(|(_, scope)| !known.contains(&scope.as_str())) {
        let rule = format!("must be one of {}, got {scope:?}", known.join(", "));
        return Err(Error::bad_input(format!("scopes[{place}]"), rule));
    }
    if let Some(log) = &wanted.log {
        product.check_level("log.level", &log.level)?;
        check_id(&"log.id", &log.id)?;
        if log.level == product.top_level().name && log.id != scope.organization() {
            return Err(Error::not_found(&log.level));
        }
    }
    let longest = if wanted.kind == TokenKind::Viewer { LONGEST_VIEWER } else { LONGEST };
    if !(SHORTEST..=longest).contains(&wanted.expires_in) {
        let rule = format!("must be {SHORTEST} to {longest} seconds, got {}", wanted.expires_in);
        return Err(Error::bad_input("expiresIn", rule));
    }
    if wanted.kind == TokenKind::Viewer {
        if wanted.log.is_none() {
            return Err(Error::bad_input("log", "must be named: a token for a page shows one log"));
        }
        if wanted.scopes.iter().any(|scope| !reading.contains(scope)) {
            return Err(Error::bad_input("scopes", format!("must be {}: a page only reads", reading.join(" or "))));
        }
    }
    Ok(())
}

/// What the token may do: what is asked, where its maker may do that too; with its maker's roles and plan, so that it
/// reads where its maker could.
fn rights(principal: &Principal, scope: &ManageScope, wanted: &WantedToken) -> Result<Rights> {
    if let Some(more) = wanted.scopes.iter().find(|scope| !principal.has_scope(scope)) {
        return Err(Error::Forbidden(format!("a token has no more scopes than its maker, and yours lacks {more}")));
    }
    let logs = match &wanted.log {
        Some(log) => vec![log.clone()],
        None => scope.allowed_logs().to_vec(),
    };
    let mut scopes = wanted.scopes.clone();
    scopes.sort_unstable();
    scopes.dedup();
    // A plan that is kept for the organization is asked for whenever the token is used.
    let plan = principal.plan.clone().filter(|_| !principal.plan_is_kept);
    let rights = Rights { scopes, roles: principal.roles.clone(), plan, logs };
    if rights.scopes.iter().any(|each| scope.product().access.scopes.contains(each)) {
        // Staff read without a role and a plan; what they hand out does not.
        let made = Principal {
            organization: Some(OrganizationId::new("organization", scope.organization())?),
            scopes: rights.scopes.clone(),
            logs: rights.logs.clone(),
            is_partner: true,
            ..principal.clone()
        };
        policy::may_find(&made)?;
    }
    Ok(rights)
}
