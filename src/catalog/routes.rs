//! A product's own REST routes: how its list of events is asked for and answered where a product has promised a form.

use std::fmt;

use crate::event::ActorKind;

/// A list of events at an address of the product's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The address, part by part.
    pub path: Vec<Segment>,
    /// A header that the token may come in besides the usual ones, in lower case.
    pub key_header: Option<String>,
    /// How the list is paged.
    pub paging: RoutePaging,
    /// Parameters that the route takes: our name, then the route's own.
    pub parameters: Vec<(String, String)>,
    /// Name of the member that has the events.
    pub items: String,
    /// Other members of the answer, by their names.
    pub envelope: Vec<(String, EnvelopePart)>,
    /// Members of an event: the name, then the path in the JSON form of an event.
    pub fields: Vec<(String, String)>,
    /// What the route calls kinds of actors; those that are not named are as everywhere.
    pub actor_kinds: Vec<(ActorKind, String)>,
}

/// A part of a route's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Itself.
    Literal(String),
    /// The id of an organization.
    Organization,
    /// The id of a log of this level.
    Log(String),
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Organization => f.write_str("{organization}"),
            Self::Log(level) => write!(f, "{{{level}}}"),
        }
    }
}

/// How a route pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutePaging {
    /// By cursors, in the `Link` header.
    Cursor,
    /// By numbers, with a total.
    Pages,
}

/// What a member of a route's answer tells besides the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopePart {
    /// Number of the page.
    Page,
    /// Size of a page, as it was asked for.
    Limit,
    /// Events of the whole list.
    Total,
    /// Number of pages.
    Pages,
    /// Whether there are events after this page.
    HasNext,
    /// Cursor of the next page; null on the last.
    Next,
    /// Cursor of the page before; null on the first.
    Previous,
}

/// Parameters of a list that a route may take, as REST has them: its filters, and how it is paged.
pub const PARAMETERS: [&str; 33] = [
    "limit",
    "after",
    "before",
    "page",
    "organization",
    "include_nested",
    "search",
    "categories",
    "actions",
    "outcomes",
    "actor_kinds",
    "actor_ids",
    "actor_names",
    "actor_name_contains",
    "actor_emails",
    "actor_email_contains",
    "actor_present",
    "resource_types",
    "resource_ids",
    "resource_names",
    "ip_addresses",
    "correlation_ids",
    "sources",
    "source_event_ids",
    "truncated",
    "masked",
    "occurred_at_from",
    "occurred_at_to",
    "period_preset",
    "period_time_zone",
    "not_actions",
    "not_actor_kinds",
    "not_categories",
];

/// Paths in the JSON form of an event that a member of a route may have. Below `metadata.` every path may be named.
pub const FIELDS: [&str; 46] = [
    "id",
    "sequence",
    "action",
    "action_label",
    "category",
    "category.code",
    "category.label",
    "category.short_label",
    "actor",
    "actor.kind",
    "actor.external_id",
    "actor.name",
    "actor.email",
    "actor.label",
    "actor.kind_label",
    "on_behalf_of",
    "on_behalf_of.kind",
    "on_behalf_of.external_id",
    "on_behalf_of.name",
    "on_behalf_of.email",
    "on_behalf_of.label",
    "on_behalf_of.kind_label",
    "resources",
    "resources.0",
    "resources.0.type",
    "resources.0.external_id",
    "resources.0.name",
    "log",
    "log.id",
    "log.level",
    "log.external_id",
    "log.name",
    "outcome",
    "occurred_at",
    "recorded_at",
    "ip_address",
    "user_agent",
    "correlation_id",
    "source",
    "source_event_id",
    "recorded_by",
    "truncated",
    "masked",
    "erased",
    "metadata",
    "metadata_text",
];

/// What a path was found to mean for a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// The organization that the path names.
    pub organization: Option<String>,
    /// Level and id of the log that the path names.
    pub log: Option<(String, String)>,
}

impl Route {
    /// What the parts of a path, decoded, mean for this route; `None` where it is another path.
    #[must_use]
    pub fn matches(&self, path: &[String]) -> Option<Matched> {
        if path.len() != self.path.len() {
            return None;
        }
        let mut matched = Matched::default();
        for (own, given) in self.path.iter().zip(path) {
            match own {
                Segment::Literal(text) if text == given => {}
                Segment::Literal(_) => return None,
                _ if given.is_empty() => return None,
                Segment::Organization => matched.organization = Some(given.clone()),
                Segment::Log(level) => matched.log = Some((level.clone(), given.clone())),
            }
        }
        Some(matched)
    }

    /// Whether two routes have addresses in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let same = |(one, other): (&Segment, &Segment)| match (one, other) {
            (Segment::Literal(one), Segment::Literal(other)) => one == other,
            _ => true,
        };
        self.path.len() == other.path.len() && self.path.iter().zip(&other.path).all(same)
    }

    /// The address as the file has it.
    #[must_use]
    pub fn address(&self) -> String {
        self.path.iter().fold(String::new(), |address, segment| format!("{address}/{segment}"))
    }
}
