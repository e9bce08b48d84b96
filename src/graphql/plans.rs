//! Plans of organizations whose tokens carry none.

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{Services, principal, services};
use crate::{error::Result, ingest::plans::set_plan};

/// A plan to set.
#[derive(InputObject)]
pub struct SetOrganizationPlanInput {
    /// The organization.
    organization: ID,
    /// Its plan, at most 256 bytes; null takes it away.
    plan: Option<String>,
}

/// The plan that is kept now.
#[derive(SimpleObject)]
pub struct SetOrganizationPlanPayload {
    /// The organization.
    organization: ID,
    /// Its plan.
    plan: Option<String>,
}

pub(super) async fn find(ctx: &Context<'_>, organization: &ID) -> Result<Option<String>> {
    services(ctx).reader.organization_plan(principal(ctx)?, organization).await
}

pub(super) async fn set(ctx: &Context<'_>, input: SetOrganizationPlanInput) -> Result<SetOrganizationPlanPayload> {
    let (Services { writer, plans, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let SetOrganizationPlanInput { organization, plan } = input;
    let set = set_plan(writer, principal, Some(&organization), plan.clone(), clock.now()).await;
    plans.forget(&principal.product.name, &organization);
    set.map_err(|error| error.under("input"))?;
    Ok(SetOrganizationPlanPayload { organization, plan })
}
