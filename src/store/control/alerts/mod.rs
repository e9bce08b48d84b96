//! Rules, how far each has counted, and the messages of alerts that have not arrived.
//!
//! What is managed (table `alert_rule`) changes with an event that tells of it, and so does a firing: the rule's new place
//! (`alert_watch`) and its messages (`alert_message`) are committed with the event of the alert, or none of them is. A rule
//! is lent to one process at a time. Whatever that process believes, a firing counts from the place that is stored: of two
//! processes that fire for the same events, the second is refused.

mod change;
mod lent;
mod messages;

use entity::{alert_message as message, alert_rule as row, alert_watch as watch};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

pub use messages::{Message, MessageKey};

use super::tokens::Rights;
use crate::{
    auth::{LogName, ManageScope},
    error::{Error, Result},
    event::Timestamp,
    store::{Store, error},
};

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// All events of the question.
    Rule,
    /// Those of one actor.
    Actor,
    /// Those from one IP address.
    IpAddress,
}

impl Per {
    const ALL: [Self; 3] = [Self::Rule, Self::Actor, Self::IpAddress];

    const fn number(self) -> i16 {
        match self {
            Self::Rule => 0,
            Self::Actor => 1,
            Self::IpAddress => 2,
        }
    }
}

/// Whether a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleStatus {
    /// It does.
    Active,
    /// Somebody paused it.
    Paused,
}

impl RuleStatus {
    const ALL: [Self; 2] = [Self::Active, Self::Paused];

    const fn number(self) -> i16 {
        match self {
            Self::Active => 0,
            Self::Paused => 1,
        }
    }
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// An endpoint, by its id.
    Endpoint(String),
    /// E-mail addresses.
    Emails(Vec<String>),
}

impl Told {
    /// Each receiver: the id of an endpoint, or an address.
    #[must_use]
    pub fn receivers(&self) -> Vec<String> {
        match self {
            Self::Endpoint(id) => vec![id.clone()],
            Self::Emails(addresses) => addresses.clone(),
        }
    }
}

/// What is managed of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Public id.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Which events it counts, as JSON.
    pub question: String,
    /// How many of them fire.
    pub threshold: i64,
    /// Within how many seconds.
    pub window: i64,
    /// What is counted together.
    pub per: Per,
    /// Who is told.
    pub told: Told,
    /// What its maker may read: it counts no more.
    pub rights: Rights,
    /// Whether it counts.
    pub status: RuleStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// Subject of its maker.
    pub created_by: String,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// How a rule fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// From where on it counts.
    pub spot: Spot,
    /// How often it was changed.
    pub changes: i64,
    /// How often it has fired.
    pub firings: i64,
    /// When it last fired.
    pub fired_at: Option<Timestamp>,
    /// Sequence of the event that tells of that.
    pub fired_sequence: Option<i64>,
    /// Why it does not count.
    pub trouble: Option<String>,
    /// When a message of it last arrived.
    pub sent_at: Option<Timestamp>,
    /// Why the last message that did not arrive did not.
    pub unsent: Option<String>,
}

/// From where on a rule counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Sequence of the first event that was not counted.
    pub next: i64,
    /// Sequence of the first event that may still lie in its window.
    pub counted_from: i64,
    /// Sequences of the events by which it has fired, as far as they still lie in its window.
    pub fired: Vec<i64>,
}

/// A rule as administrators see it.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The rule.
    pub rule: Rule,
    /// How it fares.
    pub watch: Watch,
    /// Messages of it that have not arrived.
    pub waiting: i64,
}

/// A rule with how it fares and whose it is.
#[derive(Clone, Debug)]
pub struct LentRule {
    /// Number of its organization.
    pub organization_no: i64,
    /// Name of the product.
    pub product: String,
    /// The product's own id of the organization.
    pub organization: String,
    /// The rule.
    pub rule: Rule,
    /// How it fares.
    pub watch: Watch,
}

/// A rule that this process counts for, as the list of them tells.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct HeldRule {
    /// Number of its organization.
    pub organization_no: i64,
    /// Its id.
    pub rule_id: String,
    /// Sequence of the first event that was not counted, as it is stored.
    pub next: i64,
    /// How often it was changed.
    pub changes: i64,
    /// How many events its organization has.
    pub size: i64,
}

/// A change of a rule.
#[derive(Clone, Debug)]
pub enum RuleChange {
    /// It is made. It counts what is recorded after the event that tells of that.
    Create(Box<Rule>),
    /// It is as this from now on.
    Replace {
        /// The rule.
        rule: Box<Rule>,
        /// Whether it counts anew from here on.
        anew: bool,
    },
    /// It goes, with its place and its messages.
    Delete {
        /// Its id.
        id: String,
    },
    /// It has fired.
    Fire(Box<Firing>),
}

/// A rule that fires.
#[derive(Clone, Debug)]
pub struct Firing {
    /// The rule.
    pub rule_id: String,
    /// The process that it is lent to.
    pub owner: i64,
    /// How often it had been changed when it was counted.
    pub changes: i64,
    /// The stored place that was counted from.
    pub next: i64,
    /// The new one.
    pub spot: Spot,
    /// Who is told.
    pub receivers: Vec<String>,
}

impl RuleChange {
    fn id(&self) -> &str {
        match self {
            Self::Create(rule) | Self::Replace { rule, .. } => &rule.id,
            Self::Delete { id } => id,
            Self::Fire(firing) => &firing.rule_id,
        }
    }
}

/// The number of an organization and the id of a rule.
fn of(organization_no: i64, id: &str) -> (i64, String) {
    (organization_no, id.to_owned())
}

impl Store {
    /// The rules of an organization, the oldest first. Whoever is narrowed to logs sees what is narrowed to the same.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rules(&self, scope: &ManageScope) -> Result<Vec<Watched>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else {
            return Ok(Vec::new());
        };
        let no = head.row.organization_no;
        let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(no));
        let asked = asked.order_by_asc(row::Column::CreatedNs).order_by_asc(row::Column::Id);
        let rows = asked.all(&own.read).await.map_err(error::from)?;
        let watches = watch::Entity::find().filter(watch::Column::OrganizationNo.eq(no));
        let watches = watches.all(&own.read).await.map_err(error::from)?;
        let waiting = message::Entity::find()
            .select_only()
            .column(message::Column::RuleId)
            .column_as(message::Column::Sequence.count(), "waiting")
            .filter(message::Column::OrganizationNo.eq(no))
            .group_by(message::Column::RuleId);
        let waiting: Vec<(String, i64)> = waiting.into_tuple().all(&own.read).await.map_err(error::from)?;
        let dictionary = self.dictionary(&own.read, &head.row).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let rule = Rule::of(row)?;
            let place = watches.iter().find(|watch| watch.rule_id == rule.id);
            if let Some(place) = place.filter(|_| rule.rights.is_within(&dictionary, scope.allowed_logs())) {
                let waiting = waiting.iter().find(|(id, _)| *id == rule.id).map_or(0, |(_, count)| *count);
                found.push(Watched { rule, watch: Watch::of(place)?, waiting });
            }
        }
        Ok(found)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

impl Rule {
    fn of(row: row::Model) -> Result<Self> {
        let per = Per::ALL.into_iter().find(|per| per.number() == row.per);
        let status = RuleStatus::ALL.into_iter().find(|status| status.number() == row.status);
        let unknown = || Error::internal(Unknown { per: row.per, status: row.status });
        let (per, status) = (per.ok_or_else(unknown)?, status.ok_or_else(unknown)?);
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).map_err(Error::internal);
        // To leave one out would widen what was narrowed.
        let log = |text: &String| LogName::parse(text).ok_or_else(unknown);
        let logs = list(&row.logs)?.iter().map(log).collect::<Result<Vec<_>>>()?;
        let told = match row.endpoint_id {
            Some(id) => Told::Endpoint(id),
            None => Told::Emails(list(&row.emails)?),
        };
        Ok(Self {
            id: row.id,
            label: row.label,
            question: row.question,
            threshold: row.threshold,
            window: row.window_s,
            per,
            told,
            rights: Rights { scopes: Vec::new(), roles: list(&row.roles)?, plan: row.plan, logs },
            status,
            created_at: Timestamp(row.created_ns),
            created_by: row.created_by,
            changed_at: Timestamp(row.changed_ns),
        })
    }

    fn row(&self, organization_no: i64, now: Timestamp) -> Result<row::ActiveModel> {
        let Rights { roles, plan, logs, .. } = &self.rights;
        let (endpoint_id, emails) = match &self.told {
            Told::Endpoint(id) => (Some(id.clone()), Vec::new()),
            Told::Emails(addresses) => (None, addresses.clone()),
        };
        Ok(row::ActiveModel {
            organization_no: Set(organization_no),
            id: Set(self.id.clone()),
            label: Set(self.label.clone()),
            question: Set(self.question.clone()),
            threshold: Set(self.threshold),
            window_s: Set(self.window),
            per: Set(self.per.number()),
            endpoint_id: Set(endpoint_id),
            emails: Set(json(&emails)?),
            roles: Set(json(roles)?),
            plan: Set(plan.clone()),
            logs: Set(json(&logs.iter().map(ToString::to_string).collect::<Vec<_>>())?),
            status: Set(self.status.number()),
            created_ns: Set(self.created_at.0),
            created_by: Set(self.created_by.clone()),
            changed_ns: Set(now.0),
        })
    }
}

impl Watch {
    fn of(row: &watch::Model) -> Result<Self> {
        let fired = serde_json::from_str(&row.fired_at).map_err(Error::internal)?;
        Ok(Self {
            spot: Spot { next: row.next, counted_from: row.counted_from, fired },
            changes: row.changes,
            firings: row.firings,
            fired_at: row.fired_ns.map(Timestamp),
            fired_sequence: row.fired_sequence,
            trouble: row.trouble.clone(),
            sent_at: row.sent_ns.map(Timestamp),
            unsent: row.unsent.clone(),
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "a rule counts by {per} and has the status {status}, one of which this version does not know, or its logs are none"
)]
struct Unknown {
    per: i16,
    status: i16,
}
