//! Events and questions as the service's own types, for its pure predicate.

use ledgerline::{
    event::{ActionName, Actor, ActorKind, Draft, Event, Position, Resource, Timestamp},
    question::{
        filter::{Filter, Pattern},
        search::Search,
        sought::InLabel,
    },
};

use super::{
    Asked, Dates, Kept, Name, Without,
    reference::side_by_side,
    vocabulary::{ACTION_LABELS, CATEGORY_LABELS, DAY, TEXTS, show},
};

impl Kept {
    /// The same event as the service's own type.
    fn event(&self) -> Event {
        let told = &self.told;
        let owned = |text: Option<usize>| show(text).map(str::to_owned);
        let actor = |kind, [id, name, email]: [Option<usize>; 3]| Actor {
            kind,
            id: owned(id),
            name: owned(name),
            email: owned(email),
        };
        let [ip_address, user_agent, correlation_id, source, source_event_id] = told.texts.map(owned);
        let resources = told.resources.iter();
        let said = Draft {
            action: ActionName::new(self.action()).expect("a name"),
            category: self.category.map(str::to_owned),
            outcome: self.outcome,
            actor: actor(told.kind, told.actor),
            on_behalf_of: told.on_behalf_of.map(|i| actor(ActorKind::User, [Some(i); 3])),
            resources: resources.map(|&[k, i, n]| Resource { kind: owned(k), id: owned(i), name: owned(n) }).collect(),
            ip_address,
            user_agent,
            correlation_id,
            source,
            source_event_id,
            recorded_by: "admin".to_owned(),
            truncated: told.truncated(),
            masked: Vec::new(),
            metadata: told.metadata_text(),
        };
        Event {
            organization_no: 1,
            sequence: self.sequence,
            position: Position(0),
            salt: 0,
            log_no: 0,
            occurred_at: Timestamp(self.occurred_ns),
            recorded_at: Timestamp(0),
            said,
            erased: Vec::new(),
        }
    }
}

impl Name {
    fn pattern(self) -> Pattern {
        let (stem, beginning) = self.stem();
        if beginning { Pattern::Prefix(stem) } else { Pattern::Exact(stem) }
    }
}

impl Asked {
    /// The same filter as the service's own type.
    fn filter(&self, now: i64) -> Filter {
        let texts = |list: &Option<Vec<usize>>| {
            list.as_ref().map(|list| list.iter().map(|&i| TEXTS[i].0.to_owned()).collect::<Vec<_>>())
        };
        let [
            categories,
            actor_ids,
            actor_names,
            actor_emails,
            resource_types,
            resource_ids,
            resource_names,
            ip_addresses,
            correlation_ids,
            sources,
            source_event_ids,
        ] = self.lists.each_ref().map(texts);
        let patterns = |names: &[Name]| names.iter().map(|name| name.pattern()).collect::<Vec<_>>();
        let (from, to) = match self.dates {
            Dates::Any => (None, None),
            Dates::Between(from, to) => (from.map(Timestamp), to.map(Timestamp)),
            Dates::Last(n) => (Some(Timestamp(now - n * DAY)), None),
        };
        let search: Vec<_> = self.search.iter().map(|token| token.asked()).collect();
        let labels = |words: &str, how: InLabel| {
            let words: Vec<&str> = words.split(' ').collect();
            let of = |table: &[(&str, &[&str])]| {
                let fits = |(_, label): &&(&str, &[&str])| {
                    (!how.whole || words.len() == label.len()) && side_by_side(&words, how.prefix, label)
                };
                table.iter().filter(fits).map(|(name, _)| (*name).to_owned()).collect()
            };
            (of(&ACTION_LABELS), of(&CATEGORY_LABELS))
        };
        let parsed = |text: &str| Search::parse(text, labels).expect("a search within the limits");
        let filter = Filter {
            categories,
            actions: self.actions.as_deref().map(patterns),
            outcomes: self.outcomes.clone(),
            actor_kinds: self.kinds.clone(),
            actor_ids,
            actor_names,
            actor_name_contains: self.name_contains.map(str::to_owned),
            actor_emails,
            actor_email_contains: self.email_contains.map(str::to_owned),
            actor_present: self.present,
            truncated: self.truncated,
            resource_types,
            resource_ids,
            resource_names,
            ip_addresses,
            correlation_ids,
            sources,
            source_event_ids,
            from,
            to,
            not_categories: self.not.0.iter().map(|&i| TEXTS[i].0.to_owned()).collect(),
            not_actions: patterns(&self.not.1),
            not_actor_kinds: self.not.2.clone(),
            not_actor_ids: self.not.3.iter().map(|&i| TEXTS[i].0.to_owned()).collect(),
            search: parsed(&search.join(" ")),
            ..Filter::default()
        };
        self.also.add_to(filter, parsed)
    }

    /// Checks that the service's pure predicate says the same of every event; logs are not its business.
    pub fn check_predicate(&self, events: &[Kept], now: i64) {
        let filter = self.filter(now);
        for event in events {
            let model = self.filter_keeps(event, Without::Nothing);
            assert_eq!(filter.matches(&event.event()), model, "Filter::matches of {event:?} under {self:?}");
        }
    }
}
