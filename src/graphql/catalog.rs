//! What a product records and how it is shown.

use std::sync::Arc;

use async_graphql::Object;

use super::enums::{
    ActorKind, LogDeletion, Outcome, ViewerActionDisplay, ViewerColumnKind, ViewerDateFilter, ViewerFilterKind,
    ViewerPaging, all,
};
use crate::{
    catalog::{self, Product as Config},
    reading::shown,
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

    /// The language of all labels of this answer, as a tag of BCP 47: what of `Accept-Language` the product's file has, else
    /// that of the file.
    async fn language(&self) -> &str {
        &self.0.language
    }

    /// Heading of the page; null where the viewer's own word will do.
    async fn title(&self) -> Option<&str> {
        self.0.viewer.title.as_deref()
    }

    /// Heading of what is shown where the plan does not include reading; null where the viewer's own words will do.
    async fn plan_title(&self) -> Option<&str> {
        self.0.viewer.plan_title.as_deref()
    }

    /// Columns of the list, in order.
    async fn columns(&self) -> Vec<ViewerColumn> {
        self.0
            .viewer
            .columns
            .iter()
            .map(|column| ViewerColumn { kind: column.kind.into(), label: column.label.clone() })
            .collect()
    }

    /// How the list is paged.
    async fn paging(&self) -> ViewerPaging {
        self.0.viewer.paging.into()
    }

    /// Ways to narrow the list that a page offers, in order. Dates are beside them, see `dateFilter`; every filter of
    /// the API works whether it is offered or not.
    async fn filters(&self) -> Vec<ViewerFilter> {
        self.0.viewer.filters.iter().cloned().map(ViewerFilter).collect()
    }

    /// How dates are chosen.
    async fn date_filter(&self) -> ViewerDateFilter {
        self.0.viewer.date_filter.into()
    }

    /// Whether actions are shown and filtered by label or by name.
    async fn action_display(&self) -> ViewerActionDisplay {
        self.0.viewer.action_display.into()
    }

    /// Levels of its logs; the first is the organization's own.
    async fn levels(&self) -> Vec<Level> {
        self.0.levels.iter().cloned().map(Level).collect()
    }

    /// Kinds of actor that its events may name, and what they are called.
    async fn actor_kinds(&self) -> Vec<ActorKindLabel> {
        let shown = |kind| ActorKindLabel { label: self.0.kind_label(kind).to_owned(), kind: kind.into() };
        self.0.actor_kinds().into_iter().map(shown).collect()
    }

    /// Where a page leads readers whose role may not read: a path, or an https address.
    async fn redirect_href(&self) -> Option<&str> {
        self.0.access.redirect_href.as_deref()
    }

    /// Where a page leads readers whose plan does not include reading: a path, or an https address.
    async fn upgrade_href(&self) -> Option<&str> {
        self.0.access.upgrade_href.as_deref()
    }
}

/// What a kind of actor is called.
#[derive(async_graphql::SimpleObject)]
pub struct ActorKindLabel {
    /// The kind of actor.
    kind: ActorKind,
    /// Name to show.
    label: String,
}

/// A way to narrow the list that a page offers.
pub struct ViewerFilter(catalog::ViewerFilter);

/// A way to narrow the list that a page offers.
#[Object]
impl ViewerFilter {
    /// What it narrows by.
    async fn kind(&self) -> ViewerFilterKind {
        self.0.kind.into()
    }

    /// Its name; null where the viewer's own word will do.
    async fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// What stands there while nothing is chosen; null where the viewer's own word will do.
    async fn all_label(&self) -> Option<&str> {
        self.0.all_label.as_deref()
    }

    /// What stands in the empty field; null where the viewer's own words will do.
    async fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

/// A column of the list.
#[derive(async_graphql::SimpleObject)]
pub struct ViewerColumn {
    /// What it shows.
    kind: ViewerColumnKind,
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

    /// Whether its list shows the logs below it too, where a question does not say.
    async fn include_nested(&self) -> bool {
        self.0.include_nested
    }

    /// What deleting a log of this level does to reading its events.
    async fn on_delete(&self) -> LogDeletion {
        self.0.on_delete.into()
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
    async fn open_prefixes(&self) -> Vec<&str> {
        self.0.catalog.prefixes.iter().map(|each| each.prefix.as_str()).collect()
    }

    /// The same beginnings, and what holds for actions that begin so and are not listed.
    async fn prefixes(&self) -> Vec<ActionPrefix> {
        let shown = |prefix: &catalog::Prefix| ActionPrefix { prefix: prefix.clone(), product: self.0.clone() };
        self.0.catalog.prefixes.iter().map(shown).collect()
    }

    /// What every name must look like, such as `resource.action`; null where any text will do.
    async fn action_form(&self) -> Option<&str> {
        self.0.catalog.form.map(catalog::ActionForm::as_str)
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
        let kept = |action: &&catalog::Action| category.is_none() || action.rules.category == category;
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

    fn shown(&self) -> shown::Category<'_> {
        shown::Category { code: &self.code, product: &self.product }
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
        self.shown().label()
    }

    /// Name to show where there is little room.
    async fn short_label(&self) -> &str {
        self.shown().short_label()
    }

    /// What belongs to it, in a sentence.
    async fn description(&self) -> Option<&str> {
        self.shown().description()
    }

    /// Its actions, in the order of the catalog.
    async fn actions(&self) -> Vec<Action> {
        let own = |action: &&catalog::Action| action.rules.category.as_deref() == Some(&self.code);
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
        self.action.rules.category.as_deref().map(|code| Category::named(&self.product, code))
    }

    /// The one level of logs that it is recorded at; null where several are possible.
    async fn level(&self) -> Option<&str> {
        only(&self.action.rules.levels)
    }

    /// Kinds of actor that may do it; empty where any may.
    async fn actor_kinds(&self) -> Vec<ActorKind> {
        all(self.action.rules.actor_kinds.iter().copied())
    }

    /// When it is recorded.
    async fn description(&self) -> Option<&str> {
        self.action.description.as_deref()
    }

    /// The outcome of an event that names none.
    async fn default_outcome(&self) -> Option<Outcome> {
        self.action.rules.default_outcome.map(Into::into)
    }

    /// Outcomes that an event may name; empty where any will do.
    async fn outcomes(&self) -> Vec<Outcome> {
        all(self.action.rules.outcomes.iter().copied())
    }
}

/// Actions that are not listed, by the beginning of their names.
pub struct ActionPrefix {
    prefix: catalog::Prefix,
    product: Arc<Config>,
}

/// Actions that are not listed, by the beginning of their names.
#[Object]
impl ActionPrefix {
    /// The beginning, such as `admin.`.
    async fn prefix(&self) -> &str {
        &self.prefix.prefix
    }

    /// The area that they belong to.
    async fn category(&self) -> Option<Category> {
        self.prefix.rules.category.as_deref().map(|code| Category::named(&self.product, code))
    }

    /// The one level of logs that they are recorded at; null where several are possible.
    async fn level(&self) -> Option<&str> {
        only(&self.prefix.rules.levels)
    }

    /// Kinds of actor that may do them; empty where any may.
    async fn actor_kinds(&self) -> Vec<ActorKind> {
        all(self.prefix.rules.actor_kinds.iter().copied())
    }

    /// What they are, in a sentence.
    async fn description(&self) -> Option<&str> {
        self.prefix.description.as_deref()
    }
}

fn only(levels: &[String]) -> Option<&str> {
    match levels {
        [only] => Some(only),
        _ => None,
    }
}
