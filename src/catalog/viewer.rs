//! How a product's log is shown: what the viewer asks for before it draws anything.

/// How a product's log is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Heading of the page; the viewer's own where there is none.
    pub title: Option<String>,
    /// Heading of what is shown where the plan does not include reading.
    pub plan_title: Option<String>,
    /// Columns, from left to right.
    pub columns: Vec<ViewerColumn>,
    /// How a reader gets to older events.
    pub paging: Paging,
    /// How a reader narrows the dates.
    pub date_filter: DateFilter,
    /// The other ways to narrow the list, in their order.
    pub filters: Vec<ViewerFilter>,
    /// How an action is written.
    pub action_display: ActionDisplay,
}

/// A column of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerColumn {
    /// What it shows.
    pub kind: ColumnKind,
    /// Its heading.
    pub label: String,
}

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// When it happened, in the reader's time zone.
    Time,
    /// What was done.
    Action,
    /// The category of what was done, by its short label.
    Category,
    /// Who acted.
    Actor,
    /// What was acted on: its name, with type and id.
    Resource,
    /// The address that the product declared.
    IpAddress,
    /// How it ended.
    Outcome,
    /// The metadata.
    Details,
    /// The nested log that it belongs to. A list of one log alone has no such column.
    Log,
}

/// A way to narrow the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerFilter {
    /// What it narrows by.
    pub kind: FilterKind,
    /// Its name; the viewer's own word where there is none.
    pub label: Option<String>,
    /// What stands there while nothing is chosen.
    pub all_label: Option<String>,
    /// What stands in the empty field.
    pub hint: Option<String>,
}

/// What a reader can narrow the list by, beside dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterKind {
    /// Words, anywhere in an event.
    Search,
    /// Categories.
    Category,
    /// Actions.
    Action,
    /// A part of the actor's e-mail address.
    Email,
    /// Outcomes.
    Outcome,
    /// Kinds of actor.
    ActorKind,
    /// Actors, chosen by their names.
    Actor,
    /// Types of resource.
    ResourceType,
    /// Ids of resources.
    ResourceId,
    /// Names of resources.
    ResourceName,
    /// Addresses.
    IpAddress,
    /// One log of several.
    Log,
}

impl FilterKind {
    /// All of them, in the order in which they are offered where a file says nothing.
    pub const ALL: [Self; 12] = [
        Self::Search,
        Self::Category,
        Self::Action,
        Self::Email,
        Self::Outcome,
        Self::ActorKind,
        Self::Actor,
        Self::ResourceType,
        Self::ResourceId,
        Self::ResourceName,
        Self::IpAddress,
        Self::Log,
    ];

    /// Whether values are chosen from a list.
    #[must_use]
    pub fn is_choice(self) -> bool {
        matches!(self, Self::Category | Self::Action | Self::Outcome | Self::ActorKind | Self::Actor | Self::Log)
    }

    /// Whether what is typed narrows the list at once.
    #[must_use]
    pub fn is_typed(self) -> bool {
        matches!(self, Self::Search | Self::Email)
    }
}

/// How a reader gets to older events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paging {
    /// Previous and Next, with the number of the page, of pages and of events.
    Pages,
    /// More of them below those already there.
    More,
}

/// How a reader narrows the dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateFilter {
    /// From one date to another, both included.
    Range,
    /// Today, or the last 7, 30 or 90 days.
    Presets,
    /// Presets, and a range beside them.
    Both,
    /// Not at all.
    None,
}

/// How an action is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionDisplay {
    /// By its label.
    Label,
    /// By its name, exactly as recorded.
    Name,
}
