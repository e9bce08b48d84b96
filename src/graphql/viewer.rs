//! Who is asking, and what they may do.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{Services, catalog::Product, enums::ErrorCode, error::to_graphql, event::AuditLog};
use crate::{
    auth::{self, Principal, ReadScope, policy},
    catalog::Product as Config,
    error::Result,
    store::{Dictionary, check_log},
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
        let access = policy::read_access(&self.0);
        if !access.allowed || (organization.is_none() && self.0.organization.is_none()) {
            return Ok(Access::new(access, &self.0));
        }
        match readable(ctx, &self.0, organization.as_ref(), None).await {
            Ok(_) => Ok(Access::new(access, &self.0)),
            Err(error) if error.is_no() => Ok(Access::new(auth::Access::of(Err(error), false), &self.0)),
            Err(error) => Err(to_graphql(ctx, error)),
        }
    }

    /// Whether events can be recorded, and if not, why.
    async fn can_record(&self) -> Access {
        Access::new(policy::record_access(&self.0), &self.0)
    }

    /// Logs that the token can name in `auditEvents(log:)` and that have events, the organization's own first; at most
    /// 1,000. Empty for those who cannot read.
    async fn logs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization, where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Vec<AuditLog>> {
        let lists = self.lists(ctx, organization).await?;
        let Some((first, dictionary)) = lists.scopes.first().zip(lists.dictionary) else { return Ok(Vec::new()) };
        let numbers = dictionary.readable(first.allowed_logs());
        Ok(numbers.take(LOGS).filter_map(|no| AuditLog::numbered(&dictionary, no)).collect())
    }

    /// Logs of which one has to be named in `auditEvents(log:)`, because the token is narrowed to several. Empty where
    /// none has to be, and for those who cannot read. A log that was deleted is not among them.
    async fn log_choices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization, where the token names none.")] organization: Option<ID>,
    ) -> async_graphql::Result<Vec<LogChoice>> {
        let lists = self.lists(ctx, organization).await?;
        let choice = |scope: &ReadScope| {
            let log = scope.log().filter(|_| scope.allowed_logs().len() > 1)?;
            let known = lists.dictionary.as_ref().and_then(|known| known.log(known.named(log)?));
            let name = known.and_then(|log| log.name.clone());
            Some(LogChoice { level: log.level.clone(), external_id: log.id.clone(), name })
        };
        Ok(lists.scopes.iter().filter_map(choice).collect())
    }
}

impl Viewer {
    /// What can be read; nothing for those who cannot.
    async fn lists(&self, ctx: &Context<'_>, organization: Option<ID>) -> async_graphql::Result<Lists> {
        match readable(ctx, &self.0, organization.as_ref(), None).await {
            Ok(lists) => Ok(lists),
            Err(error) if error.is_no() => Ok(Lists::default()),
            Err(error) => Err(to_graphql(ctx, error)),
        }
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

/// The lists that a principal can read in an organization, deleted logs left out.
#[derive(Default)]
pub struct Lists {
    /// The permissions; more than one where the token is narrowed to several logs.
    pub scopes: Vec<ReadScope>,
    /// What is known of the organization, if it has recorded anything.
    dictionary: Option<Arc<Dictionary>>,
}

/// What can be read of an organization, the token's where none is named: never nothing.
///
/// # Errors
/// Those of [`policy::may_read`], and `FORBIDDEN` where every log of a narrowed token was deleted.
pub async fn readable(
    ctx: &Context<'_>,
    principal: &Principal,
    organization: Option<&ID>,
    include_nested: Option<bool>,
) -> Result<Lists> {
    let organization = organization.map(|id| id.as_str());
    let mut scopes = policy::may_read_each(principal, organization, include_nested)?;
    let named = scopes.first().and_then(ReadScope::organization);
    let dictionary = match named {
        Some(organization) => {
            ctx.data_unchecked::<Services>().store.dictionary_of(&principal.product.name, organization).await?
        }
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
    Ok(Lists { scopes, dictionary })
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
    /// Whether it is.
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

    /// A sentence for people.
    async fn message(&self) -> Option<&str> {
        self.access.message.as_deref()
    }
}
