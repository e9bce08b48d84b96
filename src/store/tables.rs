//! The tables and their columns: the one list that recording, reading, copying and sharding take them from.

use std::sync::LazyLock;

use super::dialect::sql::Sql;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// An integer of eight bytes.
    Integer,
    /// An integer that PostgreSQL keeps in two bytes.
    Small,
    /// UTF-8.
    Text,
    /// A hash.
    Bytes,
}
use Holds::{Bytes, Integer, Small, Text};

/// Where the nodes of a cluster keep a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// The rows of an organization on one node, those of all such tables on the same: what grows with events.
    ByOrganization,
    /// Whole on every node: what is read together with those.
    Everywhere,
    /// Whole on the coordinator: what is managed. It is small, and whoever works through it looks at all organizations.
    AtTheCoordinator,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// What the database calls it.
    pub name: &'static str,
    /// The primary key; the organization comes first.
    pub key: &'static [(&'static str, Holds)],
    /// The other columns.
    pub rest: &'static [(&'static str, Holds)],
}

/// Tenants. Everything else refers to them.
pub const ORGANIZATION: Table = Table {
    name: "organization",
    key: &[("no", Integer)],
    rest: &[("product", Text), ("external_id", Text), ("created_ns", Integer)],
};

/// What says that an organization is there as a whole: written last.
pub const HEAD: Table = Table {
    name: "organization_head",
    key: &[("organization_no", Integer)],
    rest: &[
        ("size", Integer),
        ("spill", Integer),
        ("recorded_ns", Integer),
        ("dictionary", Integer),
        ("last_salt", Integer),
        ("removed", Integer),
        ("ended", Small),
        ("erased", Integer),
    ],
};

/// Events, in the order that `rows::event_of` reads. `event_order` and the search index are made from them.
pub const EVENT: Table = Table {
    name: "event",
    key: &[("organization_no", Integer), ("sequence", Integer)],
    rest: &[
        ("position", Integer),
        ("salt", Integer),
        ("log_no", Integer),
        ("occurred_ns", Integer),
        ("recorded_ns", Integer),
        ("action", Text),
        ("category", Text),
        ("outcome", Small),
        ("actor_kind", Small),
        ("actor_id", Text),
        ("actor_name", Text),
        ("actor_email", Text),
        ("on_behalf_of", Text),
        ("resources", Text),
        ("ip_address", Text),
        ("user_agent", Text),
        ("correlation_id", Text),
        ("source", Text),
        ("source_event_id", Text),
        ("recorded_by", Text),
        ("truncated", Text),
        ("masked", Text),
        ("metadata", Text),
        ("erased", Text),
        (TERMS_VERSION, Small),
    ],
};
/// Which version of the normaliser made an event's terms.
pub const TERMS_VERSION: &str = "terms_version";

/// From the order of recording to the order of time.
pub const ORDER: Table = Table {
    name: "event_order",
    key: &[("organization_no", Integer), ("sequence", Integer)],
    rest: &[("position", Integer)],
};

/// What idempotency keys have recorded: rows are added, and never changed.
pub const IDEMPOTENCY: Table = Table {
    name: "idempotency",
    key: &[("organization_no", Integer), ("key_hash", Bytes)],
    rest: &[("content_hash", Bytes), ("sequence", Integer)],
};

/// The tree of an organization's logs.
pub const LOG: Table = Table {
    name: "log",
    key: &[("organization_no", Integer), ("no", Integer)],
    rest: &[
        ("level", Text),
        ("id", Text),
        ("name", Text),
        ("parent_no", Integer),
        ("deleted_ns", Integer),
        ("salt", Integer),
    ],
};

/// The kinds of an organization's events.
pub const KIND: Table = Table {
    name: "kind",
    key: &[("organization_no", Integer), ("no", Integer)],
    rest: &[("action", Text), ("category", Text), ("outcome", Small)],
};

/// How many events there are by log, kind and stretch of time.
pub const COUNT: Table = Table {
    name: "event_count",
    key: &[
        ("organization_no", Integer),
        ("grain", Small),
        ("bucket", Integer),
        ("log_no", Integer),
        ("kind_no", Integer),
    ],
    rest: &[("n", Integer)],
};

/// Who has acted, as events said it.
pub const DIRECTORY: Table = Table {
    name: "actor_directory",
    key: &[("organization_no", Integer), ("hash", Bytes)],
    rest: &[
        ("kind", Small),
        ("id", Text),
        ("name", Text),
        ("email", Text),
        ("folded", Text),
        ("name_folded", Text),
        ("email_folded", Text),
        ("n", Integer),
        ("last_position", Integer),
    ],
};

/// Tokens that the service made. When each was last used is not carried: it is written beside recording, so that a copy
/// could not tell by the head whether it has it.
pub const PARTNER_TOKEN: Table = Table {
    name: "partner_token",
    key: &[("organization_no", Integer), ("id", Text)],
    rest: &[
        ("label", Text),
        ("kind", Small),
        ("scopes", Text),
        ("roles", Text),
        ("plan", Text),
        ("logs", Text),
        ("key_hash", Bytes),
        ("created_ns", Integer),
        ("created_by", Text),
        ("expires_ns", Integer),
        ("revoked_ns", Integer),
    ],
};

/// Public keys of the service's own issuer.
pub const ISSUER_KEY: Table =
    Table { name: "issuer_key", key: &[("kid", Text)], rest: &[("public_key", Bytes), ("created_ns", Integer)] };

/// The key that digests of masked secrets are made with.
pub const MASKING_KEY: Table =
    Table { name: "masking_key", key: &[("no", Integer)], rest: &[("secret", Bytes), ("created_ns", Integer)] };

/// Where events are sent to.
pub const ENDPOINT: Table = Table {
    name: "endpoint",
    key: &[("organization_no", Integer), ("id", Text)],
    rest: &[
        ("label", Text),
        ("kind", Small),
        ("url", Text),
        ("settings", Text),
        ("secrets", Text),
        ("question", Text),
        ("roles", Text),
        ("plan", Text),
        ("logs", Text),
        ("status", Small),
        ("created_ns", Integer),
        ("created_by", Text),
        ("changed_ns", Integer),
    ],
};

/// How far each endpoint has got. It is written beside recording.
pub const DELIVERY: Table = Table {
    name: "delivery",
    key: &[("organization_no", Integer), ("endpoint_id", Text)],
    rest: &[
        ("next", Integer),
        ("failures", Integer),
        ("failing_ns", Integer),
        ("due_ns", Integer),
        ("succeeded_ns", Integer),
        ("trouble", Text),
        ("replay_next", Integer),
        ("replay_end", Integer),
        ("replays", Integer),
        ("owner", Integer),
        ("lease_ns", Integer),
        ("refusals", Integer),
        ("replay_refusals", Integer),
        ("replay_due_ns", Integer),
    ],
};

/// Events that an endpoint would not take.
pub const DEAD_LETTER: Table = Table {
    name: "dead_letter",
    key: &[("organization_no", Integer), ("endpoint_id", Text), ("sequence", Integer)],
    rest: &[("at_ns", Integer), ("reason", Text)],
};

/// The last tries of each endpoint. Not copied: each database has its own.
pub const ATTEMPT: Table = Table {
    name: "attempt",
    key: &[("organization_no", Integer), ("endpoint_id", Text), ("at_ns", Integer), ("no", Integer)],
    rest: &[
        ("purpose", Small),
        ("first", Integer),
        ("last", Integer),
        ("status", Integer),
        ("took_ms", Integer),
        ("trouble", Text),
    ],
};

/// When events raise an alert.
pub const ALERT_RULE: Table = Table {
    name: "alert_rule",
    key: &[("organization_no", Integer), ("id", Text)],
    rest: &[
        ("label", Text),
        ("question", Text),
        ("threshold", Integer),
        ("window_s", Integer),
        ("per", Small),
        ("endpoint_id", Text),
        ("emails", Text),
        ("roles", Text),
        ("plan", Text),
        ("logs", Text),
        ("status", Small),
        ("created_ns", Integer),
        ("created_by", Text),
        ("changed_ns", Integer),
    ],
};

/// How far each rule has counted. It is written beside recording.
pub const ALERT_WATCH: Table = Table {
    name: "alert_watch",
    key: &[("organization_no", Integer), ("rule_id", Text)],
    rest: &[
        ("next", Integer),
        ("counted_from", Integer),
        ("fired_at", Text),
        ("changes", Integer),
        ("firings", Integer),
        ("fired_ns", Integer),
        ("fired_sequence", Integer),
        ("trouble", Text),
        ("sent_ns", Integer),
        ("unsent", Text),
        ("owner", Integer),
        ("lease_ns", Integer),
    ],
};

/// Messages of alerts that have not arrived.
pub const ALERT_MESSAGE: Table = Table {
    name: "alert_message",
    key: &[("organization_no", Integer), ("rule_id", Text), ("sequence", Integer), ("receiver", Text)],
    rest: &[("made_ns", Integer), ("due_ns", Integer), ("failures", Integer), ("refusals", Integer), ("trouble", Text)],
};

/// Views that people have saved.
pub const SAVED_VIEW: Table = Table {
    name: "saved_view",
    key: &[("organization_no", Integer), ("id", Text)],
    rest: &[
        ("label", Text),
        ("query", Text),
        ("owner", Text),
        ("shared", Small),
        ("created_ns", Integer),
        ("changed_ns", Integer),
    ],
};

/// Exports. Not copied: they are over in a day, and their files lie elsewhere.
pub const EXPORT: Table = Table {
    name: "export",
    key: &[("organization_no", Integer), ("id", Text)],
    rest: &[
        ("format", Text),
        ("asked", Text),
        ("maker", Text),
        ("logs", Text),
        ("secret", Bytes),
        ("created_ns", Integer),
        ("created_by", Text),
        ("pinned", Integer),
        ("status", Small),
        ("next_sequence", Integer),
        ("count", Integer),
        ("first_sequence", Integer),
        ("last_sequence", Integer),
        ("bytes", Integer),
        ("parts", Text),
        ("sha256", Text),
        ("fault_code", Text),
        ("fault", Text),
        ("finished_ns", Integer),
        ("served_ns", Integer),
        ("lease_holder", Text),
        ("lease_until_ns", Integer),
    ],
};

/// What must not leave while it is there.
pub const HOLD: Table = Table {
    name: "hold",
    key: &[("organization_no", Integer), ("id", Text)],
    rest: &[("label", Text), ("question", Text), ("created_ns", Integer), ("created_by", Text)],
};

/// For how many days an organization wants its events kept, other than its product says.
pub const RETENTION: Table = Table {
    name: "retention",
    key: &[("organization_no", Integer), ("level", Text)],
    rest: &[("days", Integer), ("changed_ns", Integer), ("changed_by", Text)],
};

/// The plan of an organization whose tokens carry none.
pub const ORGANIZATION_PLAN: Table = Table {
    name: "organization_plan",
    key: &[("organization_no", Integer)],
    rest: &[("plan", Text), ("changed_ns", Integer), ("changed_by", Text)],
};

/// How far each sweep has got. Not copied: another database looks at everything once.
pub const SWEEP: Table = Table {
    name: "sweep",
    key: &[("organization_no", Integer), ("days", Integer)],
    rest: &[("next", Integer), ("rules", Text), ("untold", Integer)],
};

/// The histories of the database: the newest row says whether it records.
pub const HISTORY: Table = Table {
    name: "history",
    key: &[("no", Integer)],
    rest: &[("id", Integer), ("is_open", Small), ("at_ns", Integer), ("reason", Text)],
};

/// Ends of organizations, and what stays of those that have ended.
pub const ORGANIZATION_END: Table = Table {
    name: "organization_end",
    key: &[("organization_no", Integer)],
    rest: &[
        ("requested_ns", Integer),
        ("requested_by", Text),
        ("requested_as", Text),
        ("confirmed_ns", Integer),
        ("confirmed_by", Text),
        ("confirmed_as", Text),
        ("due_ns", Integer),
        ("begun_ns", Integer),
        ("ended_ns", Integer),
        ("events", Integer),
        ("first_sequence", Integer),
        ("first_ns", Integer),
        ("last_sequence", Integer),
        ("last_ns", Integer),
    ],
};

/// Erasures that were asked for.
pub const ERASURE: Table = Table {
    name: "erasure",
    key: &[("organization_no", Integer), ("id", Text)],
    rest: &[
        ("status", Small),
        ("whom", Text),
        ("created_ns", Integer),
        ("created_by", Text),
        ("finished_ns", Integer),
        ("total", Integer),
        ("next", Integer),
        ("events", Integer),
        ("hold_id", Text),
        ("owner", Integer),
        ("lease_ns", Integer),
    ],
};

/// Of which events what was erased.
pub const ERASED_EVENT: Table = Table {
    name: "erased_event",
    key: &[("organization_no", Integer), ("sequence", Integer)],
    rest: &[("salt", Integer), ("paths", Text), ("erased_ns", Integer)],
};

/// Whether some idempotency keys are stored as hashes without a secret.
pub const PLAIN_HASHES: Table = Table { name: "plain_hashes", key: &[("no", Integer)], rest: &[] };

/// Where PostgreSQL keeps events of which time. Not copied: each database makes its own.
pub const PARTITION: Table =
    Table { name: "event_partition", key: &[("low", Integer)], rest: &[("high", Integer), ("name", Text)] };

/// Every table, those first that others refer to.
pub const ALL: [&Table; 31] = [
    &ORGANIZATION,
    &PARTITION,
    &HISTORY,
    &ISSUER_KEY,
    &MASKING_KEY,
    &HEAD,
    &LOG,
    &KIND,
    &EVENT,
    &ORDER,
    &IDEMPOTENCY,
    &COUNT,
    &DIRECTORY,
    &PARTNER_TOKEN,
    &ENDPOINT,
    &DELIVERY,
    &DEAD_LETTER,
    &ALERT_RULE,
    &ALERT_WATCH,
    &ALERT_MESSAGE,
    &ATTEMPT,
    &EXPORT,
    &HOLD,
    &RETENTION,
    &ORGANIZATION_PLAN,
    &SAVED_VIEW,
    &SWEEP,
    &ORGANIZATION_END,
    &ERASURE,
    &ERASED_EVENT,
    &PLAIN_HASHES,
];

/// Columns of an event `e`, without its terms, in the order that `rows.rs` reads them.
pub static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let columns = EVENT.names().into_iter().filter(|name| *name != TERMS_VERSION);
    columns.map(|name| format!("e.{name}")).collect::<Vec<_>>().join(", ")
});

impl Table {
    /// Its columns: the key, and then the rest.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, Holds)> {
        self.key.iter().chain(self.rest).copied()
    }

    /// The names of its columns.
    pub fn names(&self) -> Vec<&'static str> {
        self.columns().map(|(name, _)| name).collect()
    }

    /// The names of its key's columns.
    pub fn key_names(&self) -> Vec<&'static str> {
        self.key.iter().map(|(name, _)| *name).collect()
    }

    /// `UPDATE name SET column = value`, without saying which rows.
    pub fn update(&self, column: &'static str, value: impl Into<sea_orm::Value>) -> Sql {
        Sql::new(&format!("UPDATE {} SET {column} = ", self.name)).bind(value)
    }

    /// Whether its rows belong to one organization each.
    pub fn is_of_organizations(&self) -> bool {
        self.key[0].0 == "organization_no"
    }

    /// Where a cluster keeps it.
    pub fn lies(&self) -> Lies {
        let is_one_of = |tables: &[&Self]| tables.iter().any(|table| table.name == self.name);
        if is_one_of(&[&HEAD, &LOG, &KIND, &EVENT, &ORDER, &IDEMPOTENCY, &COUNT, &DIRECTORY]) {
            Lies::ByOrganization
        } else if is_one_of(&[&ORGANIZATION, &PARTITION, &HISTORY]) {
            Lies::Everywhere
        } else {
            Lies::AtTheCoordinator
        }
    }

    /// `INSERT INTO name (columns) `, without rows.
    pub fn insert(&self) -> Sql {
        Sql::new(&format!("INSERT INTO {} ({}) ", self.name, self.names().join(", ")))
    }
}
