//! The routes of product files in the served OpenAPI document: each is the list of events under other names, so its
//! parameters, members and answers are taken from what the document says of the list.

use serde_json::{Map, Value, json};

use crate::{
    catalog::{
        Product, Products,
        routes::{EnvelopePart, Route, Segment},
    },
    event::ActorKind,
};

/// Name of the scheme of a header that only some routes take.
const OWN_KEY: &str = "key of ";

/// An address without the names of its variables.
type Shape<'a> = Vec<Option<&'a str>>;
/// A route, and whose it is.
type Promised<'a> = (&'a Product, &'a Route);

/// The document with the routes of products in it.
pub fn with_routes(mut document: Value, products: &Products) -> Value {
    let mut routes: Vec<(Shape<'_>, Vec<Promised<'_>>)> = Vec::new();
    for product in products.iter() {
        for route in &product.routes {
            // Addresses that differ in the names of their variables alone are one address.
            let shape = route.path.iter().map(literal).collect();
            match routes.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, promised)) => promised.push((product, route)),
                None => routes.push((shape, vec![(product, route)])),
            }
        }
    }
    let described = Described(document.clone());
    for (_, promised) in routes {
        for header in promised.iter().filter_map(|(_, route)| own_header(route)) {
            document["components"]["securitySchemes"][format!("{OWN_KEY}{header}")] = json!({
                "type": "apiKey", "in": "header", "name": header,
                "description": "The same token, in the header of the product's own.",
            });
        }
        if let Some((_, first)) = promised.first() {
            document["paths"][path(first)] = json!({ "get": described.operation(&promised) });
        }
    }
    document
}

fn literal(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Literal(text) => Some(text),
        Segment::Organization | Segment::Log(_) => None,
    }
}

fn path(route: &Route) -> String {
    route.path.iter().map(|segment| format!("/{segment}")).collect()
}

/// The header of a route, unless every route takes it.
fn own_header(route: &Route) -> Option<&str> {
    route.key_header.as_deref().filter(|header| *header != "x-api-key")
}

/// What the document says of the service's own list.
struct Described(Value);

impl Described {
    fn list(&self) -> &Value {
        &self.0["paths"]["/v1/audit-events"]["get"]
    }

    /// The operation of an address. Several products may promise it: which one answers, the token says.
    fn operation(&self, promised: &[Promised<'_>]) -> Value {
        let labels: Vec<_> = promised.iter().map(|(product, _)| product.label.as_str()).collect();
        let labels = labels.join(", ");
        let names: Vec<_> = promised.iter().map(|(product, _)| product.name.as_str()).collect();
        let first = promised.first().map(|(_, route)| path(route)).unwrap_or_default();
        let mut parameters: Vec<Value> = Vec::new();
        let all = promised.iter().flat_map(|(_, route)| self.parameters(route));
        for parameter in all {
            let is_known = |known: &Value| known["name"] == parameter["name"] && known["in"] == parameter["in"];
            if !parameters.iter().any(is_known) {
                parameters.push(parameter);
            }
        }
        let mut pages: Vec<Value> = promised.iter().map(|(_, route)| self.page(route)).collect();
        let schema = if pages.len() == 1 { pages.remove(0) } else { json!({ "oneOf": pages }) };
        let mut responses = self.list()["responses"].clone();
        responses["200"]["content"]["application/json"]["schema"] = schema;
        let mut security = vec![json!({ "bearer": [] }), json!({ "key": [] })];
        let headers = promised.iter().filter_map(|(_, route)| own_header(route));
        security.extend(headers.map(|header| json!({ format!("{OWN_KEY}{header}"): [] })));
        json!({
            "tags": ["Routes of products"],
            "summary": format!("The list that {labels} promises"),
            "description": format!(
                "Events of a log, newest first, named as {labels} names them. It answers tokens of that product alone. \
                 `Link` leads to the pages beside this one."
            ),
            "operationId": format!("list_{}_{}", names.join("_"), first.replace(|c: char| !c.is_alphanumeric(), "_")),
            "parameters": parameters,
            "security": security,
            "responses": responses,
        })
    }

    fn parameters(&self, route: &Route) -> Vec<Value> {
        let parts = route.path.iter().filter_map(|segment| {
            let of = match segment {
                Segment::Literal(_) => return None,
                Segment::Organization => "The product's own id of the organization.".to_owned(),
                Segment::Log(level) => format!("The product's own id of the log, which is a {level}."),
            };
            let name = segment.to_string();
            let name = name.trim_matches(['{', '}']);
            Some(json!({ "name": name, "in": "path", "required": true, "description": of,
                "schema": { "type": "string" } }))
        });
        let query = route.parameters.iter().map(|(ours, own)| {
            let listed = self.list()["parameters"].as_array().into_iter().flatten();
            let known = listed.clone().find(|parameter| parameter["name"] == ours.as_str());
            let mut parameter = known.cloned().unwrap_or_else(|| {
                json!({ "in": "query", "required": false,
                    "description": "Number of the page; the first is 1.",
                    "schema": { "type": "integer", "format": "int64", "minimum": 1, "default": 1 } })
            });
            parameter["name"] = own.as_str().into();
            if ours == "actor_kinds" || ours == "not_actor_kinds" {
                parameter["schema"]["items"] = kinds(route);
            }
            parameter
        });
        parts.chain(query).collect()
    }

    /// The body of a page.
    fn page(&self, route: &Route) -> Value {
        let event = &self.0["components"]["schemas"]["AuditEvent"];
        let fields: Map<_, _> =
            route.fields.iter().map(|(name, path)| (name.clone(), self.field(route, event, path))).collect();
        let names: Vec<_> = fields.keys().cloned().collect();
        let event = json!({ "type": "object", "properties": fields, "required": names });
        let mut members = Map::new();
        members.insert(route.items.clone(), json!({ "type": "array", "items": event, "description": "The events." }));
        members.extend(route.envelope.iter().map(|(name, part)| (name.clone(), member(*part))));
        let names: Vec<_> = members.keys().cloned().collect();
        json!({ "type": "object", "properties": members, "required": names })
    }

    /// What a path in an event leads to. Where something on the way may be missing, it may be null.
    fn field(&self, route: &Route, event: &Value, path: &str) -> Value {
        let metadata = path.strip_prefix("metadata.");
        if let Some(member) = metadata {
            return json!({ "description": format!("`{member}` of the metadata; null where the event has none.") });
        }
        let (mut at, mut may_be_null) = (event.clone(), false);
        for part in path.split('.') {
            let (inner, is_null) = self.resolved(&at);
            may_be_null |= is_null || part.parse::<usize>().is_ok();
            at = match part.parse::<usize>() {
                Ok(_) => inner["items"].clone(),
                Err(_) => inner["properties"][part].clone(),
            };
        }
        if path.ends_with(".kind") {
            let description = self.resolved(&at).0["description"].clone();
            at = kinds(route);
            at["description"] = description;
        }
        match may_be_null {
            true => json!({ "oneOf": [at, { "type": "null" }] }),
            false => at,
        }
    }

    /// A schema without references and without the null beside it, and whether there was one.
    fn resolved(&self, schema: &Value) -> (Value, bool) {
        let beside_null = schema["oneOf"].get(0).filter(|_| schema["oneOf"].get(1) == Some(&json!({ "type": "null" })));
        let schema_itself = beside_null.unwrap_or(schema);
        let name = schema_itself["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/schemas/"));
        let found = name.map_or(schema_itself, |name| &self.0["components"]["schemas"][name]);
        (found.clone(), beside_null.is_some())
    }
}

/// The kinds of actors as a route calls them.
fn kinds(route: &Route) -> Value {
    let named = |kind: ActorKind| {
        let own = route.actor_kinds.iter().find(|(named, _)| *named == kind);
        own.map_or(kind.as_str(), |(_, own)| own.as_str())
    };
    json!({ "type": "string", "enum": ActorKind::ALL.map(named) })
}

fn member(part: EnvelopePart) -> Value {
    let number = |description: &str| json!({ "type": "integer", "format": "int64", "description": description });
    let cursor = |description: &str| json!({ "type": ["string", "null"], "description": description });
    match part {
        EnvelopePart::Page => number("Number of this page."),
        EnvelopePart::Limit => number("Size of a page, as it was asked for."),
        EnvelopePart::Total => number("Events of the whole list."),
        EnvelopePart::Pages => number("Number of pages."),
        EnvelopePart::HasNext => {
            json!({ "type": "boolean", "description": "Whether there are events after this page." })
        }
        EnvelopePart::Next => cursor("Cursor of the next page; null on the last."),
        EnvelopePart::Previous => cursor("Cursor of the page before; null on the first."),
    }
}
