//! Views that people have saved.

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{Services, principal, scalars::DateTime, services};
use crate::{
    error::Result,
    ingest::views::{self, WantedView},
    reading::SeenView,
    store::control::views::{View, ViewUpdate},
};

/// What somebody asks of the log again and again, under a name. It belongs to whoever saved it: the subject of their token, in
/// one organization. Others see it where it is shared.
#[derive(SimpleObject)]
pub struct AuditSavedView {
    /// Id, `view_` and 22 characters.
    id: ID,
    /// What people call it.
    label: String,
    /// The viewer's whole question as it stands in a link: the query of an address, such as
    /// `q=actor%3Aada&outcome=FAILURE&period=LAST_7_DAYS`. The manual lists its parameters. What is relative stays so:
    /// `LAST_7_DAYS` are the days before whenever it is opened.
    query: String,
    /// Whether all who read the organization's log see it.
    shared: bool,
    /// Whether it is the caller's own.
    is_own: bool,
    /// Whether the caller may change it.
    may_change: bool,
    /// Whether the caller may delete it.
    may_delete: bool,
    /// When it was saved.
    created_at: DateTime,
    /// Subject of the token of whoever saved it.
    created_by: String,
    /// When it was last changed.
    changed_at: DateTime,
}

impl From<SeenView> for AuditSavedView {
    fn from(SeenView { view, is_own, may_change, may_delete }: SeenView) -> Self {
        let View { id, label, query, owner, shared, created_at, changed_at } = view;
        Self {
            id: id.into(),
            label,
            query,
            shared,
            is_own,
            may_change,
            may_delete,
            created_at: created_at.into(),
            created_by: owner,
            changed_at: changed_at.into(),
        }
    }
}

/// A view to save.
#[derive(InputObject)]
pub struct CreateSavedViewInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// What people call it: 1 to 100 characters. Several views may have the same name.
    label: String,
    /// What it asks for: the query of an address of the viewer, without the question mark, of at most 2,048 bytes. Names and
    /// values of parameters are checked; `after`, `before` and `event` say no question and are refused.
    query: String,
    /// Whether all who read the organization's log see it. That needs the scope `audit:manage`, a token that is not narrowed
    /// to logs, and what else the product's `[management]` asks.
    #[graphql(default)]
    shared: bool,
}

/// A view that was saved.
#[derive(SimpleObject)]
pub struct CreateSavedViewPayload {
    /// The view.
    view: AuditSavedView,
}

/// What is to change of a view; what is absent stays.
#[derive(InputObject)]
pub struct UpdateSavedViewInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The view's id.
    id: ID,
    /// What people call it: 1 to 100 characters.
    label: Option<String>,
    /// What it asks for, as in `createSavedView`.
    query: Option<String>,
    /// Whether all who read the organization's log see it. Whoever saved it alone can keep it for themselves again.
    shared: Option<bool>,
}

/// A view that was changed.
#[derive(SimpleObject)]
pub struct UpdateSavedViewPayload {
    /// The view.
    view: AuditSavedView,
}

/// A view by its id.
#[derive(InputObject)]
pub struct SavedViewInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The view's id.
    id: ID,
}

/// A view that was deleted.
#[derive(SimpleObject)]
pub struct DeleteSavedViewPayload {
    /// The view as it was.
    view: AuditSavedView,
}

fn named(organization: Option<&ID>) -> Option<&str> {
    organization.map(|id| id.as_str())
}

pub(super) async fn list(ctx: &Context<'_>, organization: Option<ID>) -> Result<Vec<AuditSavedView>> {
    let found = services(ctx).reader.views(principal(ctx)?, named(organization.as_ref())).await?;
    Ok(found.into_iter().map(Into::into).collect())
}

pub(super) async fn create(ctx: &Context<'_>, input: CreateSavedViewInput) -> Result<CreateSavedViewPayload> {
    let (Services { writer, reader, clock, chance, .. }, principal) = (services(ctx), principal(ctx)?);
    let CreateSavedViewInput { organization, label, query, shared } = input;
    let (organization, wanted) = (named(organization.as_ref()), WantedView { label, query, shared });
    let created = async {
        let view = views::create_view(writer, chance, principal, organization, wanted, clock.now()).await?;
        reader.view(principal, organization, &view.id).await
    };
    Ok(CreateSavedViewPayload { view: created.await.map_err(|error| error.under("input"))?.into() })
}

pub(super) async fn update(ctx: &Context<'_>, input: UpdateSavedViewInput) -> Result<UpdateSavedViewPayload> {
    let (Services { writer, reader, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let UpdateSavedViewInput { organization, id, label, query, shared } = input;
    let (organization, update) = (named(organization.as_ref()), ViewUpdate { label, query, shared });
    let updated = async {
        let before = reader.view(principal, organization, &id).await?.view;
        views::update_view(writer, principal, organization, &before, update, clock.now()).await?;
        reader.view(principal, organization, &id).await
    };
    Ok(UpdateSavedViewPayload { view: updated.await.map_err(|error| error.under("input"))?.into() })
}

pub(super) async fn delete(ctx: &Context<'_>, input: SavedViewInput) -> Result<DeleteSavedViewPayload> {
    let (Services { writer, reader, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let SavedViewInput { organization, id } = input;
    let organization = named(organization.as_ref());
    let known = reader.view(principal, organization, &id).await?;
    views::delete_view(writer, principal, organization, &known.view, clock.now()).await?;
    Ok(DeleteSavedViewPayload { view: known.into() })
}
