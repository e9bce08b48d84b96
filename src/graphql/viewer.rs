//! Who is asking, and what they may do.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Services, catalog::Product, error::to_graphql, event::AuditLog};
use crate::{
    auth::{self, Principal, policy},
    error::Code,
};

/// Most logs that `Viewer.logs` lists.
const LOGS: usize = 1_000;

/// Whoever the token speaks for. Any valid token is answered, whatever its role and plan.
pub struct Viewer(pub Arc<Principal>);

/// Whoever the token speaks for. Any valid token is answered, whatever its role and plan.
#[Object]
impl Viewer {
    /// Subject of the token.
    async fn subject(&self) -> Option<&str> {
        Some(&self.0.subject)
    }

    /// Name to show.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// E-mail address.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// The product that issued the token.
    async fn product(&self) -> Product {
        Product(self.0.product.clone())
    }

    /// The organization of the token.
    async fn organization(&self) -> Option<ID> {
        self.0.organization.clone().map(ID)
    }

    /// Role in the organization; the first where there are several.
    async fn role(&self) -> Option<&str> {
        self.0.roles.first().map(String::as_str)
    }

    /// Plan of the organization.
    async fn plan(&self) -> Option<&str> {
        self.0.plan.as_deref()
    }

    /// Scopes of the token.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether the audit log can be read, and if not, why.
    async fn can_read_audit_log(&self) -> Access {
        Access(policy::read_access(&self.0))
    }

    /// Whether events can be recorded, and if not, why.
    async fn can_record(&self) -> Access {
        Access(policy::record_access(&self.0))
    }

    /// Logs that the token can name in `auditEvents(log:)`, the organization's own first; at most 1,000. Empty for
    /// those who cannot read.
    async fn logs(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AuditLog>> {
        let Some(organization) = &self.0.organization else { return Ok(Vec::new()) };
        if !policy::read_access(&self.0).allowed {
            return Ok(Vec::new());
        }
        let services = ctx.data_unchecked::<Services>();
        let dictionary = services
            .store
            .dictionary_of(&self.0.product.name, organization)
            .await
            .map_err(|error| to_graphql(ctx, error))?;
        let Some(dictionary) = dictionary else { return Ok(Vec::new()) };
        let numbers = dictionary.readable(&self.0.logs);
        Ok(numbers.take(LOGS).filter_map(|no| AuditLog::numbered(&dictionary, no)).collect())
    }
}

/// Whether something is permitted, and if not, why.
pub struct Access(auth::Access);

/// Whether something is permitted, and if not, why.
#[Object]
impl Access {
    /// Whether it is.
    async fn allowed(&self) -> bool {
        self.0.allowed
    }

    /// The code that the refused field would answer.
    async fn reason(&self) -> Option<Code> {
        self.0.reason
    }

    /// Plans that would permit it.
    async fn required_plans(&self) -> &[String] {
        &self.0.required_plans
    }

    /// Whether a client should leave it out rather than show why it is not there.
    async fn hidden(&self) -> bool {
        self.0.hidden
    }

    /// A sentence for people.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }
}
