//! The sample events that `ledgerline demo` records: five products, two organizations each, 90 days.
//!
//! Who lives in an organization and what they do is data, in `stories/*.txt` (the form is explained in
//! `stories/common.txt`); here a story is read, and played up to a given instant. Pure and repeatable: the same
//! `now` gives the same events, to the nanosecond. A later `now` moves them, so whoever records them should do so
//! only in an organization that has no events yet; the idempotency keys (`demo-PRODUCT-ORGANIZATION-n`) make a
//! second attempt with the same `now` harmless.

mod play;
mod script;

pub use script::DemoLogState;

use crate::event::{
    Timestamp,
    input::{LogRef, RecordInput},
};

/// The products that have a story.
pub const PRODUCTS: [&str; 5] = ["caputchin", "cloud-sessions", "workspace", "scim-platform", "capydb"];

const COMMON: &str = include_str!("stories/common.txt");

/// An organization of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoOrganization {
    /// The product's own id of it: `org` of a token.
    pub id: &'static str,
    /// Name to show.
    pub name: &'static str,
    /// The plan that it is on, where the product has plans. The second organization may be on one that cannot read.
    pub plan: Option<&'static str>,
    /// Those who can sign in, an administrator first and somebody who is none next.
    pub people: Vec<DemoPerson>,
    /// Its nested logs: filled, deleted and empty ones.
    pub logs: Vec<DemoLog>,
}

impl DemoOrganization {
    /// The first administrator.
    #[must_use]
    pub fn admin(&self) -> Option<&DemoPerson> {
        self.people.first()
    }

    /// The first person with another role than the administrator's.
    #[must_use]
    pub fn member(&self) -> Option<&DemoPerson> {
        self.people.iter().find(|person| Some(person.role) != self.admin().map(|admin| admin.role))
    }
}

/// Somebody a token can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// `sub` of a token.
    pub id: &'static str,
    /// Name to show.
    pub name: &'static str,
    /// E-mail address.
    pub email: &'static str,
    /// Role, in the product's words.
    pub role: &'static str,
}

/// A nested log of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoLog {
    /// Level, as the product file names it.
    pub level: &'static str,
    /// The product's own id.
    pub id: &'static str,
    /// Name to show.
    pub name: &'static str,
    /// What becomes of it.
    pub state: DemoLogState,
}

/// One thing to do, in order.
#[derive(Clone, Debug)]
pub enum DemoStep {
    /// Record an event.
    Record(RecordInput),
    /// Delete a nested log; the event goes into the log above it, in the same breath.
    DeleteLog {
        /// The log to delete.
        log: LogRef,
        /// What tells of it.
        event: RecordInput,
    },
}

impl DemoStep {
    /// The event of the step.
    #[must_use]
    pub fn event(&self) -> &RecordInput {
        let (Self::Record(event) | Self::DeleteLog { event, .. }) = self;
        event
    }

    fn event_mut(&mut self) -> &mut RecordInput {
        let (Self::Record(event) | Self::DeleteLog { event, .. }) = self;
        event
    }
}

/// The two organizations of a product: the larger one first. A product without a story gets two that are empty.
///
/// # Panics
/// Where a story cannot be read, which a test rules out.
#[must_use]
pub fn organizations(product: &str) -> [DemoOrganization; 2] {
    let mut told = story(product).into_iter().map(|organization| {
        let people = organization.people.iter().filter_map(|person| {
            let (id, name, email, role) = (person.id?, person.name?, person.email?, person.role?);
            Some(DemoPerson { id, name, email, role })
        });
        let logs = organization.logs.iter().map(|log| DemoLog {
            level: log.level,
            id: log.id,
            name: log.name,
            state: log.state,
        });
        DemoOrganization {
            id: organization.id,
            name: organization.name,
            plan: organization.plan,
            people: people.collect(),
            logs: logs.collect(),
        }
    });
    std::array::from_fn(|_| told.next().expect("a test reads every story: it has two organizations"))
}

/// What happened in an organization over the 90 days that end at `now`, in the order of recording.
/// Nothing, if the organization is not one of the product's two.
///
/// # Panics
/// Where a story cannot be read, which a test rules out.
#[must_use]
pub fn events(product: &str, organization: &str, now: Timestamp) -> Vec<DemoStep> {
    let found = story(product).into_iter().find(|told| told.id == organization);
    found.map(|told| play::play(product, &told, now)).unwrap_or_default()
}

fn story(product: &str) -> Vec<script::Organization> {
    let text = match product {
        "caputchin" => include_str!("stories/caputchin.txt"),
        "cloud-sessions" => include_str!("stories/cloud-sessions.txt"),
        "workspace" => include_str!("stories/workspace.txt"),
        "scim-platform" => include_str!("stories/scim-platform.txt"),
        "capydb" => include_str!("stories/capydb.txt"),
        _ => include_str!("stories/other.txt"),
    };
    script::read(COMMON, text).expect("a test reads every story")
}

#[cfg(test)]
mod tests;
