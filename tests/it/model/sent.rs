//! Events and questions as a client sends them.

use ledgerline::event::{ActorKind, Outcome, Timestamp};
use serde_json::{Value, json};

use super::{
    Asked, Dates, Leaf, Name, Token, Told, When,
    vocabulary::{DAY, LOGS, PHRASES, RUNS, TEXTS, TIMES, WORDS, show},
};

impl Told {
    pub(super) fn occurred_ns(&self, now: i64) -> i64 {
        match self.when {
            When::At(i) => TIMES[i],
            When::DaysAgo(days) => now - days * DAY,
        }
    }

    pub(super) fn metadata_text(&self) -> String {
        let leaf = |leaf: &Leaf| match leaf {
            Leaf::Text(i) => serde_json::to_string(TEXTS[*i].0).expect("JSON"),
            Leaf::Json(text, _) => (*text).to_owned(),
        };
        let mut parts: Vec<String> = Vec::new();
        for (i, each) in self.metadata.iter().enumerate() {
            // Keys and leaves are searched at any depth.
            parts.push(if i == 1 {
                format!("\"login{i}\" : {{ \"x\": [ {}, {{}} ] }}", leaf(each))
            } else {
                format!("\"login{i}\":{}", leaf(each))
            });
        }
        format!("{{{}}}", parts.join(", "))
    }

    /// Paths of what is read with a replacement: by the text of the leaves.
    pub(super) fn truncated(&self) -> Vec<String> {
        let replaced = |leaf: &Leaf| matches!(leaf, Leaf::Json(text, _) if text.contains("\\u"));
        let path = |i| if i == 1 { "metadata.login1.x[0]".to_owned() } else { format!("metadata.login{i}") };
        self.metadata.iter().enumerate().filter(|(_, leaf)| replaced(leaf)).map(|(i, _)| path(i)).collect()
    }

    /// The event as a client sends it.
    pub fn input(&self, now: i64) -> Value {
        let actor = |kind: ActorKind, [id, name, email]: [Option<usize>; 3]| json!({ "kind": kind.as_str(), "id": show(id), "name": show(name), "email": show(email) });
        let resources = self
            .resources
            .iter()
            .map(|&[kind, id, name]| json!({ "type": show(kind), "id": show(id), "name": show(name) }));
        let [ip, agent, correlation, source, source_id] = self.texts.map(show);
        let mut input = json!({
            "action": TEXTS[self.action].0, "category": show(self.category), "actor": actor(self.kind, self.actor),
            "resources": resources.collect::<Vec<_>>(), "outcome": self.outcome.map(Outcome::as_str),
            "occurredAt": Timestamp(self.occurred_ns(now)).to_string(), "ipAddress": ip, "userAgent": agent,
            "correlationId": correlation, "source": source, "sourceEventId": source_id,
            "metadataText": self.metadata_text(),
        });
        if self.on_behalf_of.is_some() {
            input["onBehalfOf"] = actor(ActorKind::User, [self.on_behalf_of; 3]);
        }
        if self.log > 0 {
            input["log"] = json!({ "level": "project", "id": LOGS[self.log] });
        }
        input
    }
}

impl Name {
    pub(super) fn stem(self) -> (String, bool) {
        match self {
            Self::Exactly(i) => (TEXTS[i].0.to_owned(), false),
            Self::Beginning(i, n) => (TEXTS[i].0.chars().take(n).collect(), true),
        }
    }

    fn asked(self) -> String {
        let (stem, beginning) = self.stem();
        format!("{}{}", stem.replace('*', "\\*"), if beginning { "*" } else { "" })
    }
}

impl Token {
    pub(super) fn asked(self) -> String {
        match self {
            Self::Word(i) => WORDS[i].0.to_owned(),
            Self::Prefix(i, n) => format!("{}*", WORDS[i].0.chars().take(n).collect::<String>()),
            Self::Phrase(i) => format!("\"{}\"", PHRASES[i].0),
            Self::Run(i) => RUNS[i].typed.to_owned(),
        }
    }
}

impl Asked {
    /// Variables of the question.
    pub fn variables(&self, organization: &str) -> Value {
        let texts =
            |list: &Option<Vec<usize>>| list.as_ref().map(|l| l.iter().map(|&i| TEXTS[i].0).collect::<Vec<_>>());
        let [
            categories,
            ids,
            names_of,
            emails,
            types,
            resource_ids,
            resource_names,
            ips,
            correlations,
            sources,
            source_ids,
        ] = self.lists.each_ref().map(texts);
        let names = |names: &[Name]| names.iter().map(|name| name.asked()).collect::<Vec<_>>();
        let kinds = |kinds: &[ActorKind]| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
        let mut filter = json!({
            "categories": categories, "actions": self.actions.as_deref().map(names),
            "outcomes": self.outcomes.as_ref().map(|list| list.iter().map(|o| o.as_str()).collect::<Vec<_>>()),
            "actor": {
                "kinds": self.kinds.as_deref().map(kinds), "ids": ids, "names": names_of,
                "nameContains": self.name_contains, "emails": emails, "emailContains": self.email_contains,
                "present": self.present
            },
            "resource": { "types": types, "ids": resource_ids, "names": resource_names }, "truncated": self.truncated,
            "ipAddresses": ips, "correlationIds": correlations, "sources": sources, "sourceEventIds": source_ids,
            "not": {
                "categories": self.not.0.iter().map(|&i| TEXTS[i].0).collect::<Vec<_>>(), "actions": names(&self.not.1),
                "actorKinds": kinds(&self.not.2),
                "actorIds": self.not.3.iter().map(|&i| TEXTS[i].0).collect::<Vec<_>>()
            }
        });
        self.also.send(&mut filter);
        match self.dates {
            Dates::Any => {}
            Dates::Between(from, to) => {
                let shown = |at: Option<i64>| at.map(|at| Timestamp(at).to_string());
                filter["occurredAt"] = json!({ "from": shown(from), "to": shown(to) });
            }
            Dates::Last(days) => {
                filter["period"] = json!({ "preset": format!("LAST_{days}_DAYS"), "timeZone": "Asia/Kathmandu" });
            }
        }
        let log = self.log.map(|log| match log {
            0 => json!({ "level": "organisation", "id": organization }),
            3 => json!({ "level": "project", "id": "no such" }),
            n => json!({ "level": "project", "id": LOGS[n] }),
        });
        let search: Vec<_> = self.search.iter().map(|token| token.asked()).collect();
        json!({
            "filter": filter, "search": if search.is_empty() { Value::Null } else { json!(search.join(" ")) },
            "log": log, "includeNested": self.nested,
            "order": { "field": if self.by_sequence { "SEQUENCE" } else { "OCCURRED_AT" },
                "direction": if self.ascending { "ASC" } else { "DESC" } },
        })
    }
}
