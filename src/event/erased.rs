//! What goes of an event when a person is erased, and what an event is without it.
//!
//! An event of the person loses who acted and for whom, address and agent, and metadata: groups that go as a whole, since
//! any field of them may name the person in the sender's own words. Of resources, those go that name the person. What was
//! done, when, where and how it ended stays, and so does the kind of the actor and the type of a resource: no event becomes
//! unreadable. What went is written down as paths, in the form of `truncated`. No I/O.

use serde::{Deserialize, Serialize};

use super::{Actor, ActorKind, Draft, Event, Resource, json};

/// Metadata that says nothing.
const NOTHING: &str = "{}";
/// What the service's own actions begin with.
const OWN: &str = "audit_log.";
/// Names of so many characters are looked for inside of other texts; shorter ones are only compared with whole texts.
const INSIDE: usize = 4;

/// The person, as events name them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// As somebody who acts.
    pub actor: Option<NamedActor>,
    /// As something that is acted on.
    pub resource: Option<NamedResource>,
}

/// A person as an actor: all events that have the id, and all that have the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedActor {
    /// Only such actors, where it is there.
    pub kind: Option<ActorKind>,
    /// The product's own id.
    pub id: Option<String>,
    /// The e-mail address; upper case is lower case.
    pub email: Option<String>,
}

/// A person as a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedResource {
    /// The type, in the product's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// The product's own id.
    pub id: String,
}

/// How an event is about a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// They acted.
    pub acted: bool,
    /// Somebody acted for them.
    pub represented: bool,
    /// They were acted on.
    pub acted_on: bool,
    /// Their token recorded it.
    pub recorded: bool,
    /// The service's own words tell of them: it is an event of the service itself, and a value of its metadata is what
    /// they are called, as where a list of their events was exported.
    pub mentioned: bool,
}

impl About {
    /// Whether it is about them at all.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Self::default()
    }
}

impl Whom {
    /// The subject of their tokens: what the product calls them as somebody who acts.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.actor.as_ref()?.id.as_deref()
    }

    /// How an event is about the person.
    #[must_use]
    pub fn of(&self, event: &Draft) -> About {
        let acts = |actor: &Actor| self.actor.as_ref().is_some_and(|named| named.is(actor));
        let id = self.actor.as_ref().and_then(|actor| actor.id.as_ref());
        About {
            acted: acts(&event.actor),
            represented: event.on_behalf_of.as_ref().is_some_and(acts),
            acted_on: event.resources.iter().any(|resource| self.is_resource(resource)),
            recorded: id.is_some_and(|id| event.recorded_by == *id),
            mentioned: event.action.starts_with(OWN) && self.is_mentioned(&event.metadata),
        }
    }

    /// Paths of what goes of an event; none where it is not about the person.
    #[must_use]
    pub fn paths(&self, event: &Draft) -> Vec<String> {
        let about = self.of(event);
        let mut paths: Vec<String> = Vec::new();
        let mut add = |path: &str, is_there: bool| paths.extend(is_there.then(|| path.to_owned()));
        add("metadata", about.mentioned);
        if about.acted || about.represented {
            add("actor", event.actor.is_present());
            add("ipAddress", event.ip_address.is_some());
            add("onBehalfOf", event.on_behalf_of.is_some());
            add("userAgent", event.user_agent.is_some());
        }
        if about.acted || about.represented || about.acted_on {
            let names = self.names(event, about);
            let named = |text: &Option<String>| text.as_deref().is_some_and(|text| is_named(&names, text));
            add("correlationId", named(&event.correlation_id));
            add("metadata", !about.mentioned && event.metadata.trim() != NOTHING);
            add("source", named(&event.source));
            add("sourceEventId", named(&event.source_event_id));
            for (at, resource) in event.resources.iter().enumerate() {
                let goes = self.is_resource(resource) || named(&resource.id) || named(&resource.name);
                add(&format!("resources[{at}]"), goes);
            }
        }
        add("recordedBy", about.recorded);
        paths
    }

    /// What whoever asks calls the person.
    pub fn asked(&self) -> impl Iterator<Item = &str> {
        let actor = self.actor.iter().flat_map(|actor| [actor.id.as_deref(), actor.email.as_deref()]);
        actor.flatten().chain(self.resource.as_ref().map(|resource| resource.id.as_str()))
    }

    /// Whether a value of a JSON text is what the person is called.
    #[must_use]
    pub fn is_mentioned(&self, metadata: &str) -> bool {
        let names: Vec<_> = self.asked().map(str::to_lowercase).collect();
        let mut found = false;
        json::values(metadata, &mut |text: &str| found |= names.contains(&text.to_lowercase()));
        found
    }

    fn is_resource(&self, resource: &Resource) -> bool {
        let named = self.resource.as_ref();
        named
            .is_some_and(|named| resource.kind.as_ref() == Some(&named.kind) && resource.id.as_ref() == Some(&named.id))
    }

    /// What the person is called, in lower case: by whoever asks, and by this event.
    fn names(&self, event: &Draft, about: About) -> Vec<String> {
        let asked = self.asked().map(str::to_owned);
        let actor = Some(&event.actor).filter(|_| about.acted);
        let actors = actor.into_iter().chain(event.on_behalf_of.as_ref().filter(|_| about.represented));
        let actors = actors.flat_map(|actor| [actor.id.clone(), actor.name.clone(), actor.email.clone()]).flatten();
        let things = event.resources.iter().filter(|resource| self.is_resource(resource));
        let things = things.filter_map(|resource| resource.name.clone());
        asked.chain(actors).chain(things).map(|name| name.to_lowercase()).filter(|name| !name.is_empty()).collect()
    }
}

impl NamedActor {
    fn is(&self, actor: &Actor) -> bool {
        let has_id = self.id.is_some() && actor.id == self.id;
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        let has_email = self.email.is_some() && lower(&actor.email) == lower(&self.email);
        self.kind.is_none_or(|kind| kind == actor.kind) && (has_id || has_email)
    }
}

fn is_named(names: &[String], text: &str) -> bool {
    let text = text.to_lowercase();
    names.iter().any(|name| text == *name || (name.chars().count() >= INSIDE && text.contains(name.as_str())))
}

/// A path that no version up to this one erases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path that this version can erase")]
pub struct UnknownPath(pub String);

/// Takes what paths name out of an event, and writes down that it was there. What is gone already stays gone.
///
/// # Errors
/// A path that this version does not know: the event is half erased then, and MUST NOT be stored.
pub fn erase(event: &mut Event, paths: &[String]) -> Result<(), UnknownPath> {
    for path in paths {
        let said = &mut event.said;
        match path.as_str() {
            "actor" => said.actor = Actor { kind: said.actor.kind, id: None, name: None, email: None },
            "correlationId" => said.correlation_id = None,
            "ipAddress" => said.ip_address = None,
            "metadata" => NOTHING.clone_into(&mut said.metadata),
            "onBehalfOf" => said.on_behalf_of = None,
            "recordedBy" => said.recorded_by.clear(),
            "source" => said.source = None,
            "sourceEventId" => said.source_event_id = None,
            "userAgent" => said.user_agent = None,
            other => {
                let at =
                    other.strip_prefix("resources[").and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
                let resource = at.and_then(|at| said.resources.get_mut(at));
                let resource = resource.ok_or_else(|| UnknownPath(other.to_owned()))?;
                (resource.id, resource.name) = (None, None);
            }
        }
        // A path within may have the person's own words in it.
        let stays = |within: &String| {
            !within.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        said.truncated.retain(stays);
        said.masked.retain(stays);
        if !event.erased.contains(path) {
            event.erased.push(path.clone());
        }
    }
    event.erased.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ActionName, Position, Timestamp};

    fn actor(id: &str, name: &str, email: &str) -> Actor {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Actor { kind: ActorKind::User, id: text(id), name: text(name), email: text(email) }
    }

    fn thing(kind: &str, id: &str, name: &str) -> Resource {
        Resource { kind: Some(kind.to_owned()), id: Some(id.to_owned()), name: Some(name.to_owned()) }
    }

    fn event() -> Event {
        Event {
            organization_no: 1,
            sequence: 7,
            position: Position(1),
            salt: 3,
            log_no: 0,
            occurred_at: Timestamp(0),
            recorded_at: Timestamp(0),
            said: Draft {
                action: ActionName::stored("role.assigned".to_owned()),
                category: None,
                outcome: None,
                actor: actor("u_1", "Zoë Ünal", "Zoe@Example.com"),
                on_behalf_of: Some(actor("u_2", "", "")),
                resources: vec![
                    thing("role", "r_1", "Editor"),
                    thing("note", "n_1", "Notes of ZOË ÜNAL"),
                    thing("user", "u_1", "Z."),
                ],
                ip_address: Some("192.0.2.1".to_owned()),
                user_agent: Some("curl".to_owned()),
                correlation_id: Some("job-of-zoe@example.com".to_owned()),
                source: Some("hr".to_owned()),
                source_event_id: Some("u_1".to_owned()),
                recorded_by: "backend".to_owned(),
                truncated: vec!["metadata.zoe".to_owned(), "actor.name".to_owned(), "category".to_owned()],
                masked: vec!["metadata".to_owned()],
                metadata: "{\"note\":\"Zoë\"}".to_owned(),
            },
            erased: Vec::new(),
        }
    }

    fn by_id(id: &str) -> Whom {
        let id = Some(id.to_owned());
        Whom { actor: Some(NamedActor { kind: None, id, email: None }), resource: None }
    }

    #[test]
    fn an_event_of_the_person_loses_all_that_may_name_them_and_keeps_what_was_done() {
        let whom = by_id("u_1");
        let mut erased = event();
        let paths = whom.paths(&erased);
        let expected = ["actor", "ipAddress", "onBehalfOf", "userAgent", "correlationId", "metadata", "sourceEventId"];
        let expected: Vec<_> = expected.into_iter().chain(["resources[1]", "resources[2]"]).collect();
        assert_eq!(paths, expected);
        erase(&mut erased, &paths).unwrap();
        let text = format!("{erased:?}").to_lowercase();
        for left in ["u_1", "zoë", "zoe", "192.0.2.1", "curl", "u_2"] {
            assert!(!text.contains(left), "{left} is in {text}");
        }
        let (action, category) = (erased.action.to_string(), erased.truncated.clone());
        assert_eq!((action.as_str(), erased.sequence, category), ("role.assigned", 7, vec!["category".to_owned()]));
        assert_eq!(erased.resources[0], thing("role", "r_1", "Editor"));
        assert_eq!((erased.actor.kind, erased.source.as_deref()), (ActorKind::User, Some("hr")));
        // Once more, there is nothing that is theirs; and what was erased is erased again as it was.
        assert_eq!(whom.paths(&erased), Vec::<String>::new());
        let once = erased.clone();
        erase(&mut erased, &paths).unwrap();
        assert_eq!(erased, once);
    }

    #[test]
    fn others_and_what_is_only_like_them_stay() {
        assert_eq!(by_id("u_").paths(&event()), Vec::<String>::new());
        let of_keys = NamedActor { kind: Some(ActorKind::ApiKey), id: Some("u_1".to_owned()), email: None };
        assert_eq!(Whom { actor: Some(of_keys), resource: None }.paths(&event()), Vec::<String>::new());
        // As a resource, what is said of them goes; who did it stays.
        let resource = Some(NamedResource { kind: "user".to_owned(), id: "u_1".to_owned() });
        let paths = Whom { actor: None, resource }.paths(&event());
        assert_eq!(paths, ["metadata", "sourceEventId", "resources[2]"]);
        // By the address in any case, also where somebody else acted for them.
        let mut other = event();
        other.said.actor = actor("u_9", "", "");
        other.said.on_behalf_of = Some(actor("", "", "ZOE@example.com"));
        let email = Some("zoe@example.com".to_owned());
        let whom = Whom { actor: Some(NamedActor { kind: None, id: None, email }), resource: None };
        assert!(whom.paths(&other).contains(&"onBehalfOf".to_owned()));
        assert!(whom.of(&other).represented && !whom.of(&other).acted);
        // Who recorded goes alone.
        other.said.on_behalf_of = None;
        assert_eq!(by_id("backend").paths(&other), ["recordedBy"]);
    }

    #[test]
    fn a_path_of_another_version_is_refused() {
        for path in ["action", "resources[9]", "resources[x]", "", "resources"] {
            assert_eq!(erase(&mut event(), &[path.to_owned()]), Err(UnknownPath(path.to_owned())));
        }
    }
}
