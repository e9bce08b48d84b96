//! What a product's own people manage of their log, and the actions by which the service itself records it.
//!
//! Every change of a control table is told by an event in the organization's trail. Its action is one of [`OWN`]: the
//! service alone records those, so nobody can forge one, and they are in no product's list of actions.

use super::Product;

/// A token was made.
pub const TOKEN_CREATED: &str = "audit_log.token_created";
/// A token was revoked.
pub const TOKEN_REVOKED: &str = "audit_log.token_revoked";

/// An endpoint was made.
pub const ENDPOINT_CREATED: &str = "audit_log.endpoint_created";
/// An endpoint was changed.
pub const ENDPOINT_UPDATED: &str = "audit_log.endpoint_updated";
/// An endpoint was deleted.
pub const ENDPOINT_DELETED: &str = "audit_log.endpoint_deleted";
/// An endpoint got a new secret.
pub const ENDPOINT_SECRET_ROTATED: &str = "audit_log.endpoint_secret_rotated";
/// An endpoint is sent events once more.
pub const ENDPOINT_REPLAYED: &str = "audit_log.endpoint_replayed";
/// A rule was made.
pub const RULE_CREATED: &str = "audit_log.rule_created";
/// A rule was changed, paused or resumed.
pub const RULE_UPDATED: &str = "audit_log.rule_updated";
/// A rule was deleted.
pub const RULE_DELETED: &str = "audit_log.rule_deleted";
/// A rule has fired.
pub const ALERT_FIRED: &str = "audit_log.alert_fired";
/// An export was asked for.
pub const EXPORT_CREATED: &str = "audit_log.export_created";
/// A hold was placed.
pub const HOLD_PLACED: &str = "audit_log.hold_placed";
/// A hold was lifted.
pub const HOLD_LIFTED: &str = "audit_log.hold_lifted";
/// What an organization wants of its retention changed.
pub const RETENTION_CHANGED: &str = "audit_log.retention_changed";
/// Events have left the log because they were kept for long enough.
pub const EVENTS_REMOVED: &str = "audit_log.events_removed";

/// Somebody asked for the end of the organization.
pub const ORGANIZATION_END_REQUESTED: &str = "audit_log.organization_end_requested";
/// Somebody else confirmed it.
pub const ORGANIZATION_END_CONFIRMED: &str = "audit_log.organization_end_confirmed";
/// It was cancelled.
pub const ORGANIZATION_END_CANCELLED: &str = "audit_log.organization_end_cancelled";
/// Somebody asked for a person to be erased.
pub const ERASURE_REQUESTED: &str = "audit_log.erasure_requested";
/// An erasure was given up.
pub const ERASURE_CANCELLED: &str = "audit_log.erasure_cancelled";
/// A person was erased from the log.
pub const PERSON_ERASED: &str = "audit_log.person_erased";
/// The plan of an organization changed whose tokens carry none.
pub const PLAN_CHANGED: &str = "audit_log.plan_changed";

/// A view was saved.
pub const VIEW_CREATED: &str = "audit_log.view_created";
/// A saved view was changed.
pub const VIEW_UPDATED: &str = "audit_log.view_updated";
/// A saved view was deleted.
pub const VIEW_DELETED: &str = "audit_log.view_deleted";

/// The log was read, in a product that records that.
pub const READ: &str = "audit_log.read";

/// The service's own actions with their labels. A `[[catalog.actions]]` of the same name gives another label and another
/// category.
pub const OWN: [(&str, &str); 27] = [
    (TOKEN_CREATED, "Audit log token created"),
    (TOKEN_REVOKED, "Audit log token revoked"),
    (ENDPOINT_CREATED, "Audit log endpoint created"),
    (ENDPOINT_UPDATED, "Audit log endpoint updated"),
    (ENDPOINT_DELETED, "Audit log endpoint deleted"),
    (ENDPOINT_SECRET_ROTATED, "Audit log endpoint secret rotated"),
    (ENDPOINT_REPLAYED, "Audit log endpoint replayed"),
    (RULE_CREATED, "Audit log rule created"),
    (RULE_UPDATED, "Audit log rule updated"),
    (RULE_DELETED, "Audit log rule deleted"),
    (ALERT_FIRED, "Audit log alert fired"),
    (EXPORT_CREATED, "Audit log export created"),
    (HOLD_PLACED, "Audit log hold placed"),
    (HOLD_LIFTED, "Audit log hold lifted"),
    (RETENTION_CHANGED, "Audit log retention changed"),
    (EVENTS_REMOVED, "Audit log events removed"),
    (ORGANIZATION_END_REQUESTED, "Audit log end of the organization requested"),
    (ORGANIZATION_END_CONFIRMED, "Audit log end of the organization confirmed"),
    (ORGANIZATION_END_CANCELLED, "Audit log end of the organization cancelled"),
    (ERASURE_REQUESTED, "Audit log erasure requested"),
    (ERASURE_CANCELLED, "Audit log erasure cancelled"),
    (PERSON_ERASED, "Person erased from audit log"),
    (PLAN_CHANGED, "Audit log plan changed"),
    (VIEW_CREATED, "Audit log view saved"),
    (VIEW_UPDATED, "Audit log view changed"),
    (VIEW_DELETED, "Audit log view deleted"),
    (READ, "Audit log read"),
];

/// `iss` of the tokens that the service makes; no product may have it.
pub const OWN_ISSUER: &str = "ledgerline";

/// Beginning of opaque keys where a product file says nothing.
pub const KEY_PREFIX: &str = "llk_";

/// Something that can be managed: a product file may leave some out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Tokens for partners and for pages that show a log.
    Tokens,
    /// Exports.
    Exports,
    /// Endpoints that events are sent to.
    Endpoints,
    /// Rules that raise alerts.
    Rules,
    /// For how long events are kept.
    Retention,
    /// What must not leave.
    Holds,
    /// The end of an organization, with all that there is of it.
    OrganizationEnd,
    /// Who is erased from the log.
    Erasure,
    /// Saved views that all readers see; those of their own, readers have in every product.
    Views,
    /// Plans of organizations: a backend says what they are, in every product.
    Plans,
}

impl Feature {
    /// All of them that a product file may leave out.
    pub const ALL: [Self; 9] = [
        Self::Tokens,
        Self::Exports,
        Self::Endpoints,
        Self::Rules,
        Self::Retention,
        Self::Holds,
        Self::Erasure,
        Self::Views,
        Self::OrganizationEnd,
    ];

    /// The word of a product file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Exports => "exports",
            Self::Endpoints => "endpoints",
            Self::Rules => "rules",
            Self::Retention => "retention",
            Self::Holds => "holds",
            Self::OrganizationEnd => "organization_end",
            Self::Erasure => "erasure",
            Self::Views => "views",
            Self::Plans => "plans",
        }
    }
}

/// Who manages a product's logs, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Management {
    /// Code of the category of the service's own actions; none in a catalog without groups.
    pub category: Option<String>,
    /// Roles that may manage; those that may read, where the file says nothing. Empty asks for none.
    pub roles: Vec<String>,
    /// Plans that include managing; those that include reading, where the file says nothing. Empty asks for none.
    pub plans: Vec<String>,
    /// What can be managed.
    pub features: Vec<Feature>,
    /// Beginning of opaque keys.
    pub key_prefix: String,
}

impl Management {
    /// Where the file has no section: nothing can be managed, and the service still tells what it does.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self {
            category: None,
            roles: Vec::new(),
            plans: Vec::new(),
            features: Vec::new(),
            key_prefix: KEY_PREFIX.to_owned(),
        }
    }
}

/// The built-in label of an own action; `None` for any other name.
#[must_use]
pub fn own_label(action: &str) -> Option<&'static str> {
    OWN.iter().find(|(name, _)| *name == action).map(|(_, label)| *label)
}

impl Product {
    /// The category of an own action: that of the catalog's entry for it, else that of the section.
    #[must_use]
    pub fn own_category(&self, action: &str) -> Option<String> {
        let of_catalog = self.catalog.action(action).and_then(|action| action.rules.category.clone());
        of_catalog.or_else(|| self.management.as_ref()?.category.clone())
    }
}
