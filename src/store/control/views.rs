//! Views that people have saved: each is its owner's, and one that is shared is seen by whoever reads the organization's log.
//!
//! Who may see and change one is asked once more under the lock of the organization's head: it may have been taken back
//! since it was looked for.

use entity::saved_view as row;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
};

use super::Place;
use crate::{
    auth::{ManageScope, ViewRights},
    error::{Error, Result},
    event::Timestamp,
    store::{Store, connection::transaction::Transaction, error},
};

/// Views that a person may have for themselves, in an organization.
pub const PRIVATE: u64 = 100;
/// Views that an organization may share.
pub const SHARED: u64 = 100;

/// A saved view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Public id.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// What it asks for, as the query of an address of the viewer.
    pub query: String,
    /// Subject of the token of whoever saved it.
    pub owner: String,
    /// Whether all readers of the organization's log see it.
    pub shared: bool,
    /// When it was saved.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// What is to change of a view; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewUpdate {
    /// What people call it.
    pub label: Option<String>,
    /// What it asks for.
    pub query: Option<String>,
    /// Whether all readers see it.
    pub shared: Option<bool>,
}

/// A change of saved views.
#[derive(Clone, Debug)]
pub enum ViewChange {
    /// It is saved.
    Create(Box<View>),
    /// It is changed.
    Update {
        /// Its id.
        id: String,
        /// What changes.
        update: ViewUpdate,
        /// Who changes it.
        by: ViewRights,
    },
    /// It is deleted.
    Delete {
        /// Its id.
        id: String,
        /// Who deletes it.
        by: ViewRights,
    },
}

impl Store {
    /// The views of whoever asks, and those that are shared, the oldest first. Whoever is narrowed to logs sees their own
    /// alone: others may name what lies elsewhere.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn views(&self, scope: &ManageScope, rights: &ViewRights) -> Result<Vec<View>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let mut seen = Condition::any().add(row::Column::Owner.eq(scope.subject()));
        if rights.sees_shared() {
            seen = seen.add(row::Column::Shared.eq(1_i16));
        }
        let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(head.row.organization_no)).filter(seen);
        let asked = asked.order_by_asc(row::Column::CreatedNs).order_by_asc(row::Column::Id);
        Ok(asked.all(&own.read).await.map_err(error::from)?.into_iter().map(View::of).collect())
    }

    pub(super) async fn view_may_change(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &ViewChange,
    ) -> Result<Result<()>> {
        match change {
            ViewChange::Create(view) => self.has_room(tx, place, &view.owner, view.shared).await,
            ViewChange::Update { id, update, by } => {
                let Some(view) = self.seen_view(tx, place, id, by).await? else { return Ok(Err(gone())) };
                let shared = update.shared.unwrap_or(view.shared);
                if let Err(refusal) = by.check_change(&view.owner, view.shared, shared) {
                    return Ok(Err(refusal));
                }
                if shared == view.shared {
                    return Ok(Ok(()));
                }
                self.has_room(tx, place, &view.owner, shared).await
            }
            ViewChange::Delete { id, by } => {
                let Some(view) = self.seen_view(tx, place, id, by).await? else { return Ok(Err(gone())) };
                Ok(by.check_deletion(&view.owner, view.shared))
            }
        }
    }

    async fn seen_view(&self, tx: &Transaction, place: &Place<'_>, id: &str, by: &ViewRights) -> Result<Option<View>> {
        let found = row::Entity::find_by_id((place.organization_no, id.to_owned())).one(tx).await;
        Ok(found.map_err(error::from)?.map(View::of).filter(|view| by.sees(&view.owner, view.shared)))
    }

    /// Whether one more view has room: among those of a person, or among the shared ones.
    async fn has_room(&self, tx: &Transaction, place: &Place<'_>, owner: &str, shared: bool) -> Result<Result<()>> {
        let known = row::Entity::find()
            .filter(row::Column::OrganizationNo.eq(place.organization_no))
            .filter(row::Column::Shared.eq(i16::from(shared)));
        let (known, most, rule) = if shared {
            (known, SHARED, format!("an organization has at most {SHARED} shared views"))
        } else {
            (
                known.filter(row::Column::Owner.eq(owner)),
                PRIVATE,
                format!("a person has at most {PRIVATE} views of their own in an organization"),
            )
        };
        let count = known.count(tx).await.map_err(error::from)?;
        Ok(if count < most { Ok(()) } else { Err(Error::bad_input("views", rule)) })
    }

    pub(super) async fn change_view(&self, tx: &Transaction, place: &Place<'_>, change: &ViewChange) -> Result<()> {
        let no = place.organization_no;
        match change {
            ViewChange::Create(view) => {
                let View { id, label, query, owner, shared, created_at, changed_at } = view.as_ref().clone();
                let row = row::ActiveModel {
                    organization_no: Set(no),
                    id: Set(id),
                    label: Set(label),
                    query: Set(query),
                    owner: Set(owner),
                    shared: Set(shared.into()),
                    created_ns: Set(created_at.0),
                    changed_ns: Set(changed_at.0),
                };
                row::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?;
            }
            ViewChange::Update { id, update, .. } => {
                let ViewUpdate { label, query, shared } = update.clone();
                let row = row::ActiveModel {
                    organization_no: Set(no),
                    id: Set(id.clone()),
                    label: label.map_or(NotSet, Set),
                    query: query.map_or(NotSet, Set),
                    shared: shared.map_or(NotSet, |shared| Set(shared.into())),
                    changed_ns: Set(place.now.0),
                    ..Default::default()
                };
                row::Entity::update(row).exec(tx).await.map_err(error::from)?;
            }
            ViewChange::Delete { id, .. } => {
                row::Entity::delete_by_id((no, id.clone())).exec(tx).await.map_err(error::from)?;
            }
        }
        Ok(())
    }

    /// Deletes the views that a person had for themselves: nobody else could. What they shared is the organization's.
    pub(in crate::store) async fn forget_views(&self, tx: &Transaction, no: i64, subject: &str) -> Result<()> {
        let of_person = row::Column::OrganizationNo.eq(no).and(row::Column::Owner.eq(subject));
        let gone = row::Entity::delete_many().filter(of_person).filter(row::Column::Shared.eq(0_i16));
        gone.exec(tx).await.map_err(error::from)?;
        Ok(())
    }

    /// The same by their ids.
    pub(in crate::store) async fn forget_views_by_id(&self, tx: &Transaction, no: i64, ids: Vec<String>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let named = row::Column::OrganizationNo.eq(no).and(row::Column::Id.is_in(ids));
        let gone = row::Entity::delete_many().filter(named).filter(row::Column::Shared.eq(0_i16));
        gone.exec(tx).await.map_err(error::from)?;
        Ok(())
    }
}

fn gone() -> Error {
    Error::not_found("view")
}

impl View {
    fn of(row: row::Model) -> Self {
        let row::Model { organization_no: _, id, label, query, owner, shared, created_ns, changed_ns } = row;
        let (created_at, changed_at) = (Timestamp(created_ns), Timestamp(changed_ns));
        Self { id, label, query, owner, shared: shared != 0, created_at, changed_at }
    }
}
