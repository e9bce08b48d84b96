//! Who is asking, and what they may do.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{catalog::Product, enums::ErrorCode, error::to_graphql, event::AuditLog, services};
use crate::{
    auth::{self, Principal},
    catalog::Product as Config,
    ingest,
    reading::{self, Once, Readable},
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
        self.0.organization.clone().map(|id| ID(id.into()))
    }

    /// Role in the organization; the first where there are several.
    async fn role(&self) -> Option<&str> {
        self.0.roles.first().map(String::as_str)
    }

    /// What the product calls that role.
    async fn role_label(&self) -> Option<&str> {
        self.0.roles.first().map(|role| self.0.product.role_labels.of(role))
    }

    /// Plan of the organization.
    async fn plan(&self) -> Option<&str> {
        self.0.plan.as_deref()
    }

    /// What the product calls that plan.
    async fn plan_label(&self) -> Option<&str> {
        self.0.plan.as_deref().map(|plan| self.0.product.plan_labels.of(plan))
    }

    /// Scopes of the token.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether the audit log can be read, and if not, why: what `auditEvents` answers without a log, or, for a token
    /// that is narrowed to several, with one of them.
    async fn can_read_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization, where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Access> {
        let asked = format!("access {organization:?}");
        let organization = organization.as_deref().map(String::as_str);
        let access =
            Box::pin(ctx.data_unchecked::<Once>().of(asked, services(ctx).reader.access(&self.0, organization))).await;
        access.map(|access| Access::new(access, &self.0)).map_err(|error| to_graphql(ctx, error))
    }

    /// Whether events can be recorded, and if not, why.
    async fn can_record(&self) -> Access {
        Access::new(ingest::access(&self.0), &self.0)
    }

    /// Whether saved views can be shared with all who read the organization's log, and if not, why.
    async fn can_share_saved_views(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization, where the token names none.")] organization: Option<ID>,
    ) -> Access {
        let access = services(ctx).reader.view_sharing(&self.0, organization.as_deref().map(String::as_str));
        Access::new(access, &self.0)
    }

    /// Logs that the token can name in `auditEvents(log:)` and that have events, the organization's own first; at most
    /// 1,000. Empty for those who cannot read.
    async fn logs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization, where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Vec<AuditLog>> {
        let readable = Box::pin(self.readable(ctx, organization)).await?;
        Ok(readable.logs(LOGS).into_iter().map(AuditLog).collect())
    }

    /// Logs of which one has to be named in `auditEvents(log:)`, because the token is narrowed to several. Empty where
    /// none has to be, and for those who cannot read. A log that was deleted is not among them.
    async fn log_choices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization, where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Vec<LogChoice>> {
        let readable = Box::pin(self.readable(ctx, organization)).await?;
        Ok(readable.choices().into_iter().map(Into::into).collect())
    }
}

impl Viewer {
    /// What can be read; nothing for those who cannot. Looked up once for all that a request asks of it.
    async fn readable(&self, ctx: &Context<'_>, organization: Option<ID>) -> async_graphql::Result<Arc<Readable>> {
        let asked = format!("readable {organization:?}");
        let organization = organization.as_deref().map(String::as_str);
        let found = async { services(ctx).reader.readable_if_any(&self.0, organization).await.map(Arc::new) };
        Box::pin(ctx.data_unchecked::<Once>().of(asked, found)).await.map_err(|error| to_graphql(ctx, error))
    }
}

/// A log that can be named, whether or not it has events.
#[derive(SimpleObject)]
pub struct LogChoice {
    /// Name of its level, as in `Product.levels`.
    level: String,
    /// The product's own id of the thing that has the log.
    external_id: String,
    /// Name to show, where the log has events.
    name: Option<String>,
}

impl From<reading::Choice> for LogChoice {
    fn from(choice: reading::Choice) -> Self {
        Self { level: choice.level, external_id: choice.id, name: choice.name }
    }
}

/// Whether something is permitted, and if not, why.
pub struct Access {
    access: auth::Access,
    product: Arc<Config>,
}

impl Access {
    fn new(access: auth::Access, principal: &Principal) -> Self {
        Self { access, product: principal.product.clone() }
    }
}

/// Whether something is permitted, and if not, why.
#[Object]
impl Access {
    /// Whether the token permits it.
    async fn allowed(&self) -> bool {
        self.access.allowed
    }

    /// The code that the refused field would answer.
    async fn reason(&self) -> Option<ErrorCode> {
        self.access.reason.map(Into::into)
    }

    /// Plans that would permit it.
    async fn required_plans(&self) -> &[String] {
        &self.access.required_plans
    }

    /// What the product calls those plans.
    async fn required_plan_labels(&self) -> Vec<&str> {
        self.access.required_plans.iter().map(|plan| self.product.plan_labels.of(plan)).collect()
    }

    /// Roles that would permit it, where the role is what stands in the way.
    async fn required_roles(&self) -> &[String] {
        &self.access.required_roles
    }

    /// What the product calls those roles.
    async fn required_role_labels(&self) -> Vec<&str> {
        self.access.required_roles.iter().map(|role| self.product.role_labels.of(role)).collect()
    }

    /// Whether a client should leave it out rather than show why it is not there.
    async fn hidden(&self) -> bool {
        self.access.hidden
    }

    /// Why it is not permitted, in a sentence for people.
    async fn message(&self) -> Option<&str> {
        self.access.message.as_deref()
    }
}
