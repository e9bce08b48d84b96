//! The access policy: what a principal may do. The only maker of [`ReadScope`] and [`WriteScope`].
//!
//! Answers come in one order: `NOT_FOUND` (an organization that is not the token's), `FORBIDDEN` (scope, role, log),
//! `PLAN_REQUIRED`. Staff (`audit:staff`) read any organization of their product, whatever the role and plan.

use std::sync::Arc;

use super::{EXPORT, LogName, MANAGE, ManageScope, Principal, RECORD, ReadScope, ViewRights, WriteScope};
use crate::{
    catalog::{Feature, Management, Product, management::OWN_ISSUER},
    error::{Code, Error, Result},
    event::{OrganizationId, names::check_id},
};

/// Whether something may be done, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whether it may.
    pub allowed: bool,
    /// The code that an attempt would be answered with.
    pub reason: Option<Code>,
    /// The roles that would do, where the role is what stands in the way.
    pub required_roles: Vec<String>,
    /// The plans that would do, where the plan is what stands in the way.
    pub required_plans: Vec<String>,
    /// Whether a client is advised to show nothing at all.
    pub hidden: bool,
    /// The reason in words.
    pub message: Option<String>,
}

/// Permission to read one list: that of `log` in `organization`. Where no organization is named, the token's is meant;
/// where no log is named, the one that the token is narrowed to, else the organization's own.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `PLAN_REQUIRED`, or `BAD_USER_INPUT` on `organization` or `log`.
pub fn may_read(
    p: &Principal,
    organization: Option<&str>,
    log: Option<LogName>,
    include_nested: Option<bool>,
) -> Result<ReadScope> {
    own_organization(p, organization)?;
    check_reader(p)?;
    let organization = named(p, organization)?;
    let allowed = allowed_in(p, &organization)?;
    let log = log_to_read(p, &organization, log, &allowed)?;
    check_plan(p)?;
    Ok(ReadScope { log, include_nested, ..read_scope(p, Some(organization), allowed) })
}

/// Permissions to read everything that the principal may read of an organization (the token's, where none is named), one
/// for each list. A token that is not narrowed to logs has one list, the organization's own; a token that is has the
/// list of each of its logs.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `PLAN_REQUIRED`, or `BAD_USER_INPUT` on `organization`.
pub fn may_read_each(
    p: &Principal,
    organization: Option<&str>,
    include_nested: Option<bool>,
) -> Result<Vec<ReadScope>> {
    own_organization(p, organization)?;
    check_reader(p)?;
    let organization = named(p, organization)?;
    let allowed = allowed_in(p, &organization)?;
    check_plan(p)?;
    let scope = |log| ReadScope { log, include_nested, ..read_scope(p, Some(organization.clone()), allowed.clone()) };
    Ok(if allowed.is_empty() { vec![scope(None)] } else { allowed.iter().cloned().map(Some).map(scope).collect() })
}

/// Permission to look up one event or log by its id, in every organization and log that the principal may read.
///
/// # Errors
/// `FORBIDDEN` or `PLAN_REQUIRED`.
pub fn may_find(p: &Principal) -> Result<ReadScope> {
    check_reader(p)?;
    // Staff have no organization of their own to be kept in.
    let organization = p.organization.clone().filter(|_| !p.is_staff());
    let allowed = match &organization {
        Some(organization) => allowed_in(p, organization)?,
        None => p.logs.clone(),
    };
    check_plan(p)?;
    Ok(read_scope(p, organization, allowed))
}

/// Permission to record. Neither role nor plan is asked: what happened must not go unrecorded for a bill.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, or `BAD_USER_INPUT` on `organization`.
pub fn may_record(p: &Principal, organization: Option<&str>) -> Result<WriteScope> {
    may_write(p, organization, RECORD)
}

/// Permission to manage a log, such as to delete it. Like recording, it asks for neither role nor plan.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, or `BAD_USER_INPUT` on `organization` or `log`.
pub fn may_manage(p: &Principal, organization: Option<&str>, log: &LogName) -> Result<WriteScope> {
    let scope = may_write(p, organization, MANAGE)?;
    check_log_name(p, log)?;
    if log.level == p.product.top_level().name {
        return Err(Error::bad_input("log.level", "the organization's own log cannot be deleted"));
    }
    if p.product.record_reads.as_ref() == Some(&log.level) {
        return Err(Error::bad_input("log.level", "the log that tells of reads cannot be deleted"));
    }
    Ok(WriteScope { log: Some(log.clone()), ..scope })
}

/// Permission to manage a feature of an organization's log: scope, feature, role, log and plan, in that order. A token
/// that the service itself made manages nothing.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `PLAN_REQUIRED`, or `BAD_USER_INPUT` on `organization`.
pub fn may_administer(p: &Principal, organization: Option<&str>, feature: Feature) -> Result<ManageScope> {
    own_organization(p, organization)?;
    check_scope(p, &[MANAGE])?;
    if p.is_partner {
        return Err(Error::Forbidden("a token of this service cannot manage it".to_owned()));
    }
    let rules = &p.product.access;
    let management = offered(p, feature)?;
    if !p.is_staff() && !rules.one_of(&management.roles, &p.roles) {
        let roles = management.roles.join(" or ");
        return Err(Error::Forbidden(format!("managing this audit log takes the role {roles}")));
    }
    let write = may_write(p, organization, MANAGE)?;
    if !p.is_staff() && !rules.one_of(&management.plans, p.plan.as_deref()) {
        return Err(Error::PlanRequired { plans: management.plans.clone() });
    }
    Ok(ManageScope { write, management: management.clone(), feature })
}

/// Permission to say which plan an organization has. That is for a backend: somebody of the organization, or whoever the
/// service itself made a token for, must not give it another plan.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, or `BAD_USER_INPUT` on `organization`.
pub fn may_set_plan(p: &Principal, organization: Option<&str>) -> Result<ManageScope> {
    let write = may_write(p, organization, MANAGE)?;
    if p.is_partner || (p.organization.is_some() && !p.is_staff()) {
        let why = "a backend says which plan an organization has, by a token that is for no organization in particular";
        return Err(Error::Forbidden(why.to_owned()));
    }
    let management = p.product.management.clone().unwrap_or_else(Management::of_nobody);
    Ok(ManageScope { write, management, feature: Feature::Plans })
}

/// Permission to export what may be read of an organization: the scope of exporting or of managing, the feature, and
/// what reading takes, in that order; which log, [`may_read`] says. A token that the service itself made exports nothing: it can be revoked, and an export
/// goes on without it.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `PLAN_REQUIRED`, or `BAD_USER_INPUT` on `organization`.
pub fn may_export(p: &Principal, organization: Option<&str>) -> Result<ManageScope> {
    own_organization(p, organization)?;
    check_scope(p, &[EXPORT, MANAGE])?;
    if p.is_partner {
        return Err(Error::Forbidden("a token of this service cannot export".to_owned()));
    }
    let management = offered(p, Feature::Exports)?.clone();
    Ok(ManageScope { write: of_reader(p, organization)?, management, feature: Feature::Exports })
}

/// Permission to save views of one's own, which takes what reading takes, and which views may be seen and changed besides. A
/// token that the service itself made has none: it speaks for no person, but for whoever looks at a page.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `PLAN_REQUIRED`, or `BAD_USER_INPUT` on `organization`.
pub fn may_save_views(p: &Principal, organization: Option<&str>) -> Result<(ManageScope, ViewRights)> {
    own_organization(p, organization)?;
    if p.is_partner {
        check_read_scope(p)?;
        return Err(Error::Forbidden("a token of this service saves no views: it is no person's".to_owned()));
    }
    let management = p.product.management.clone().unwrap_or_else(Management::of_nobody);
    let write = of_reader(p, organization)?;
    let rights = ViewRights {
        subject: p.subject.clone(),
        shares: may_share_views(p, organization).is_ok(),
        sees_shared: write.allowed.is_empty(),
    };
    Ok((ManageScope { write, management, feature: Feature::Views }, rights))
}

/// Permission to share views with all who read the organization's log, and to change and delete what others share: what
/// managing takes, for all logs of the organization.
///
/// # Errors
/// As [`may_administer`], and `FORBIDDEN` for a token that is narrowed to logs.
pub fn may_share_views(p: &Principal, organization: Option<&str>) -> Result<ManageScope> {
    let scope = may_administer(p, organization, Feature::Views)?;
    scope.must_be_for_all_logs()?;
    Ok(scope)
}

/// What a reader does that the log tells of, in the logs that they read.
fn of_reader(p: &Principal, organization: Option<&str>) -> Result<WriteScope> {
    check_reader(p)?;
    let organization = named(p, organization)?;
    let allowed = allowed_in(p, &organization)?;
    check_plan(p)?;
    let (product, subject) = (p.product.clone(), p.subject.clone());
    Ok(WriteScope { product, organization, log: None, allowed, subject, staff: p.is_staff() })
}

/// Permission of the service itself, to tell in an organization's log what it has done by the product's rules.
///
/// # Errors
/// `INTERNAL` where the organization's id is none.
pub fn of_the_service(product: &Arc<Product>, organization: &str, feature: Feature) -> Result<ManageScope> {
    let write = WriteScope {
        product: product.clone(),
        organization: OrganizationId::new("organization", organization).map_err(Error::internal)?,
        log: None,
        allowed: Vec::new(),
        subject: OWN_ISSUER.to_owned(),
        staff: false,
    };
    let management = product.management.clone().unwrap_or_else(Management::of_nobody);
    Ok(ManageScope { write, management, feature })
}

/// What the product file says of managing, where it offers a feature.
fn offered(p: &Principal, feature: Feature) -> Result<&Management> {
    let offered = p.product.offers(feature);
    offered.ok_or_else(|| {
        let (label, what) = (&p.product.label, feature.as_str());
        Error::Forbidden(format!("{label} does not offer {what} in the management section of its file"))
    })
}

/// Whether the principal may read, as far as the token tells: one of the logs that it is narrowed to may be gone.
#[must_use]
pub fn read_access(p: &Principal) -> Access {
    let allowed = check_reader(p).and_then(|()| match &p.organization {
        Some(organization) => allowed_in(p, organization).map(|_| ()),
        None => Ok(()),
    });
    let rules = &p.product.access;
    let mut access = Access::of(allowed.and_then(|()| check_plan(p)), rules.hidden_without_plan);
    // The same order as in check_reader: without the scope, the role is not what stands in the way.
    if check_read_scope(p).is_ok() && !has_role(p) {
        access.required_roles.clone_from(&rules.roles);
    }
    access
}

/// Whether the principal may record.
#[must_use]
pub fn record_access(p: &Principal) -> Access {
    Access::of(check_scope(p, &[RECORD]), false)
}

impl Access {
    /// What an answer comes to for a client that wants to know before it asks.
    pub(crate) fn of(answer: Result<()>, hidden_without_plan: bool) -> Self {
        let Err(error) = answer else {
            let (required_roles, required_plans) = (Vec::new(), Vec::new());
            return Self { allowed: true, reason: None, required_roles, required_plans, hidden: false, message: None };
        };
        let message = Some(error.to_string());
        let reason = Some(error.code());
        let required_plans = if let Error::PlanRequired { plans } = error { plans } else { Vec::new() };
        let hidden = hidden_without_plan && !required_plans.is_empty();
        Self { allowed: false, reason, required_roles: Vec::new(), required_plans, hidden, message }
    }
}

/// Permission for the service to tell of a read that was permitted, in a log that the reader need not be for.
///
/// # Errors
/// `BAD_USER_INPUT` on `organization`, for a name that none has.
pub fn may_tell(p: &Principal, organization: &str) -> Result<WriteScope> {
    Ok(WriteScope {
        product: p.product.clone(),
        organization: OrganizationId::new("organization", organization)?,
        log: None,
        allowed: Vec::new(),
        subject: p.subject.clone(),
        staff: p.is_staff(),
    })
}

fn may_write(p: &Principal, organization: Option<&str>, scope: &str) -> Result<WriteScope> {
    own_organization(p, organization)?;
    check_scope(p, &[scope])?;
    let organization = named(p, organization)?;
    let allowed = allowed_in(p, &organization)?;
    Ok(WriteScope {
        product: p.product.clone(),
        organization,
        log: None,
        allowed,
        subject: p.subject.clone(),
        staff: p.is_staff(),
    })
}

fn read_scope(p: &Principal, organization: Option<OrganizationId>, allowed: Vec<LogName>) -> ReadScope {
    ReadScope {
        product: p.product.clone(),
        organization,
        log: None,
        include_nested: None,
        allowed,
        subject: p.subject.clone(),
        staff: p.is_staff(),
    }
}

/// An organization other than the token's does not exist, as far as the caller can tell.
fn own_organization(p: &Principal, asked: Option<&str>) -> Result<()> {
    match (&p.organization, asked) {
        (Some(own), Some(asked)) if *own != *asked && !p.is_staff() => Err(Error::not_found("organization")),
        _ => Ok(()),
    }
}

/// Checks the scope, then the role. A reader who is not staff also needs a token for an organization.
fn check_reader(p: &Principal) -> Result<()> {
    check_read_scope(p)?;
    if p.is_staff() {
        return Ok(());
    }
    if !has_role(p) {
        let roles = p.product.access.roles.join(" or ");
        return Err(Error::Forbidden(format!("reading this audit log takes the role {roles}")));
    }
    if p.organization.is_none() {
        return Err(Error::Forbidden("the token names no organization (org) to read".to_owned()));
    }
    Ok(())
}

fn check_read_scope(p: &Principal) -> Result<()> {
    check_scope(p, &p.product.access.scopes.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether one of the roles may read. Staff need none.
fn has_role(p: &Principal) -> bool {
    p.is_staff() || p.product.access.admits(&p.roles)
}

fn check_scope(p: &Principal, scopes: &[&str]) -> Result<()> {
    if scopes.iter().any(|scope| p.has_scope(scope)) {
        return Ok(());
    }
    Err(Error::Forbidden(format!("the token lacks the scope {}", scopes.join(" or "))))
}

fn check_plan(p: &Principal) -> Result<()> {
    let rules = &p.product.access;
    let included = rules.includes(p.plan.as_deref());
    if included || p.is_staff() { Ok(()) } else { Err(Error::PlanRequired { plans: rules.plans.clone() }) }
}

/// The organization that is meant.
fn named(p: &Principal, asked: Option<&str>) -> Result<OrganizationId> {
    match (asked, &p.organization) {
        (Some(asked), _) => OrganizationId::new("organization", asked),
        (None, Some(own)) => Ok(own.clone()),
        (None, None) => {
            Err(Error::bad_input("organization", "must be named: the token is for no organization in particular"))
        }
    }
}

/// The logs of an organization that a token is narrowed to; empty where the token is for all of them. A token is for all
/// logs of an organization whose own log it names, and so it may be for several organizations.
fn allowed_in(p: &Principal, organization: &str) -> Result<Vec<LogName>> {
    let top = &p.product.top_level().name;
    if p.logs.iter().any(|log| log.level == *top && log.id == organization) {
        return Ok(Vec::new());
    }
    let nested: Vec<LogName> = p.logs.iter().filter(|log| log.level != *top).cloned().collect();
    if nested.is_empty() && !p.logs.is_empty() {
        return Err(Error::other_logs());
    }
    Ok(nested)
}

fn log_to_read(
    p: &Principal,
    organization: &str,
    asked: Option<LogName>,
    allowed: &[LogName],
) -> Result<Option<LogName>> {
    let Some(asked) = asked else {
        return match allowed {
            [] => Ok(None),
            [only] => Ok(Some(only.clone())),
            several => {
                let names: Vec<_> = several.iter().map(ToString::to_string).collect();
                Err(Error::bad_input("log", format!("must be named: the token is for {}", names.join(", "))))
            }
        };
    };
    check_log_name(p, &asked)?;
    if asked.level != p.product.top_level().name {
        // Only the store knows whether it lies below an allowed log.
        return Ok(Some(asked));
    }
    if asked.id != organization {
        return Err(Error::not_found(&asked.level));
    }
    if allowed.is_empty() { Ok(None) } else { Err(Error::other_logs()) }
}

fn check_log_name(p: &Principal, log: &LogName) -> Result<()> {
    p.product.check_level("log.level", &log.level)?;
    check_id(&"log.id", &log.id)
}
