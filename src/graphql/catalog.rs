//! What a product records and how it is shown.

use std::sync::Arc;

use async_graphql::Object;

use crate::{
    catalog::{self, ActionDisplay, ColumnKind, DateFilter, LogDeletion, Paging, Product as Config},
    event::Outcome,
};

/// A kind of log: whose events these are, and how its administrators see them.
pub struct Product(pub Arc<Config>);

/// A kind of log: whose events these are, and how its administrators see them.
#[Object]
impl Product {
    /// Short name, as in configuration.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Name to show.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// Columns of the list, in order.
    async fn columns(&self) -> Vec<ViewerColumn> {
        self.0
            .viewer
            .columns
            .iter()
            .map(|column| ViewerColumn { kind: column.kind, label: column.label.clone() })
            .collect()
    }

    /// How the list is paged.
    async fn paging(&self) -> Paging {
        self.0.viewer.paging
    }

    /// How dates are chosen.
    async fn date_filter(&self) -> DateFilter {
        self.0.viewer.date_filter
    }

    /// Whether actions are shown and filtered by label or by name.
    async fn action_display(&self) -> ActionDisplay {
        self.0.viewer.action_display
    }

    /// Levels of its logs; the first is the organization's own.
    async fn levels(&self) -> Vec<Level> {
        self.0.levels.iter().cloned().map(Level).collect()
    }
}

/// A column of the list.
#[derive(async_graphql::SimpleObject)]
pub struct ViewerColumn {
    /// What it shows.
    kind: ColumnKind,
    /// Its heading.
    label: String,
}

/// A level of logs, such as organization or project.
pub struct Level(catalog::Level);

/// A level of logs, such as organization or project.
#[Object]
impl Level {
    /// Name, as in `AuditLogInput.level`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Name to show.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// Name of the level above; null for the organization's own.
    async fn parent(&self) -> Option<&str> {
        self.0.parent.as_deref()
    }

    /// What deleting a log of this level does to reading its events.
    async fn on_delete(&self) -> LogDeletion {
        self.0.on_delete
    }
}

/// The actions that a product records.
pub struct Catalog(pub Arc<Config>);

/// The actions that a product records.
#[Object]
impl Catalog {
    /// Whether actions that are not listed are accepted as well.
    async fn open(&self) -> bool {
        self.0.catalog.open
    }

    /// Beginnings of names that are accepted though not listed, such as `admin.`.
    async fn open_prefixes(&self) -> &[String] {
        &self.0.catalog.open_prefixes
    }

    /// The areas that actions belong to, in the order to show them.
    async fn categories(&self) -> Vec<Category> {
        self.0.catalog.categories.iter().map(|category| Category::named(&self.0, &category.code)).collect()
    }

    /// The actions, in the order of the catalog.
    async fn actions(
        &self,
        #[graphql(desc = "Only those of the category with this code.")] category: Option<String>,
    ) -> Vec<Action> {
        let kept = |action: &&catalog::Action| category.is_none() || action.category == category;
        self.0
            .catalog
            .actions
            .iter()
            .filter(kept)
            .map(|action| Action { action: action.clone(), product: self.0.clone() })
            .collect()
    }
}

/// An area that actions belong to.
pub struct Category {
    product: Arc<Config>,
    code: String,
}

impl Category {
    /// The category of a code; one that the catalog does not have is shown by its code.
    pub fn named(product: &Arc<Config>, code: &str) -> Self {
        Self { product: product.clone(), code: code.to_owned() }
    }
}

/// An area that actions belong to.
#[Object]
impl Category {
    /// Code, as in `AuditEventFilter.categories`.
    async fn code(&self) -> &str {
        &self.code
    }

    /// Name to show in a filter.
    async fn label(&self) -> &str {
        self.product.catalog.category(&self.code).map_or(&self.code, |category| &category.label)
    }

    /// Name to show where there is little room.
    async fn short_label(&self) -> &str {
        self.product.catalog.category(&self.code).map_or(&self.code, |category| &category.short_label)
    }

    /// Its actions, in the order of the catalog.
    async fn actions(&self) -> Vec<Action> {
        let own = |action: &&catalog::Action| action.category.as_deref() == Some(&self.code);
        self.product
            .catalog
            .actions
            .iter()
            .filter(own)
            .map(|action| Action { action: action.clone(), product: self.product.clone() })
            .collect()
    }
}

/// An action that the catalog lists.
pub struct Action {
    action: catalog::Action,
    product: Arc<Config>,
}

/// An action that the catalog lists.
#[Object]
impl Action {
    /// Name, as recorded and filtered by.
    async fn name(&self) -> &str {
        &self.action.name
    }

    /// Name to show.
    async fn label(&self) -> &str {
        &self.action.label
    }

    /// The area that it belongs to.
    async fn category(&self) -> Option<Category> {
        self.action.category.as_deref().map(|code| Category::named(&self.product, code))
    }

    /// The one level of logs that it is recorded at; null where several are possible.
    async fn level(&self) -> Option<&str> {
        match self.action.levels.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// When it is recorded.
    async fn description(&self) -> Option<&str> {
        self.action.description.as_deref()
    }

    /// The outcome of an event that names none.
    async fn default_outcome(&self) -> Option<Outcome> {
        self.action.default_outcome
    }
}
