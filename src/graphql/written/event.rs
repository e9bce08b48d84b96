//! Events and what hangs off them, field by field as their resolvers in [`event`](crate::graphql::event) say them.

use serde::ser::SerializeMap;

use super::{Field, Fields};
use crate::{
    event::Resource,
    graphql::event::AuditEvent,
    question::matched::Match,
    reading::shown::{Actor, Category, Log},
};

impl Fields for &AuditEvent {
    const TYPE: &'static str = "AuditEvent";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        let AuditEvent(shown) = self;
        let event = shown.event();
        match field.name() {
            "id" => map.serialize_entry(key, &format_args!("{}", event.id())),
            "sequence" => map.serialize_entry(key, &format_args!("{}", event.sequence)),
            "action" => map.serialize_entry(key, &event.action),
            "actionLabel" => map.serialize_entry(key, &shown.action_label()),
            "category" => map.serialize_entry(key, &shown.category().map(|category| field.of(category))),
            "actor" => map.serialize_entry(key, &field.of(shown.actor())),
            "onBehalfOf" => map.serialize_entry(key, &shown.on_behalf_of().map(|actor| field.of(actor))),
            "resource" => map.serialize_entry(key, &shown.resource().map(|resource| field.of(resource))),
            "resources" => {
                let resources: Vec<_> = event.resources.iter().map(|resource| field.of(resource)).collect();
                map.serialize_entry(key, &resources)
            }
            "log" => map.serialize_entry(key, &shown.log().map(|log| field.of(log))),
            "outcome" => map.serialize_entry(key, &event.outcome),
            "occurredAt" => map.serialize_entry(key, &event.occurred_at),
            "recordedAt" => map.serialize_entry(key, &event.recorded_at),
            "ipAddress" => map.serialize_entry(key, &event.ip_address),
            "userAgent" => map.serialize_entry(key, &event.user_agent),
            "correlationId" => map.serialize_entry(key, &event.correlation_id),
            "source" => map.serialize_entry(key, &event.source),
            "sourceEventId" => map.serialize_entry(key, &event.source_event_id),
            "recordedBy" => map.serialize_entry(key, &event.recorded_by),
            "truncated" => map.serialize_entry(key, &event.truncated),
            "masked" => map.serialize_entry(key, &event.masked),
            "erased" => map.serialize_entry(key, &event.erased),
            // Looked up with the page, where it is asked for.
            "held" => match shown.held() {
                Some(held) => map.serialize_entry(key, &held),
                None => Err(field.left()),
            },
            "matches" => {
                let matches = shown.matches();
                map.serialize_entry(key, &matches.iter().map(|each| field.of(each)).collect::<Vec<_>>())
            }
            "metadata" => map.serialize_entry(key, &shown.metadata()),
            "metadataText" => map.serialize_entry(key, &event.metadata),
            _ => Err(field.left()),
        }
    }
}

impl Fields for Actor<'_> {
    const TYPE: &'static str = "Actor";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name() {
            "kind" => map.serialize_entry(key, &self.kind()),
            "externalId" => map.serialize_entry(key, &self.actor.id),
            "name" => map.serialize_entry(key, &self.actor.name),
            "email" => map.serialize_entry(key, &self.actor.email),
            "label" => map.serialize_entry(key, &self.label()),
            "kindLabel" => map.serialize_entry(key, self.kind_label()),
            _ => Err(field.left()),
        }
    }
}

impl Fields for &Resource {
    const TYPE: &'static str = "Resource";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name() {
            "type" => map.serialize_entry(key, &self.kind),
            "externalId" => map.serialize_entry(key, &self.id),
            "name" => map.serialize_entry(key, &self.name),
            _ => Err(field.left()),
        }
    }
}

impl Fields for &Match {
    const TYPE: &'static str = "AuditEventMatch";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name() {
            "field" => map.serialize_entry(key, &self.field),
            "text" => map.serialize_entry(key, &self.text),
            _ => Err(field.left()),
        }
    }
}

impl Fields for Log {
    const TYPE: &'static str = "AuditLog";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name() {
            "id" => map.serialize_entry(key, &format_args!("{}", self.id())),
            "level" => map.serialize_entry(key, self.level()),
            "externalId" => map.serialize_entry(key, self.external_id()),
            "name" => map.serialize_entry(key, &self.name()),
            "parent" => map.serialize_entry(key, &self.parent().map(|log| field.of(log))),
            "deletedAt" => map.serialize_entry(key, &self.deleted_at()),
            _ => Err(field.left()),
        }
    }
}

impl Fields for Category<'_> {
    const TYPE: &'static str = "Category";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name() {
            "code" => map.serialize_entry(key, self.code),
            "label" => map.serialize_entry(key, self.label()),
            "shortLabel" => map.serialize_entry(key, self.short_label()),
            "description" => map.serialize_entry(key, &self.description()),
            _ => Err(field.left()),
        }
    }
}
