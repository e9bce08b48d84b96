//! The names that a record may use, and what is said of any other.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{error::Error, event::limits};

/// The fields of an object.
pub struct Shape {
    /// What it is, for messages.
    what: &'static str,
    fields: &'static [Field],
    /// Fields of the API's answers that say nothing to be recorded: they follow from the product file, or are the
    /// service's own.
    shown: &'static [&'static str],
}

struct Field {
    /// All names of it, the API's own first.
    names: &'static [&'static str],
    below: Option<&'static Shape>,
}

const fn field(names: &'static [&'static str]) -> Field {
    Field { names, below: None }
}

/// An event.
static EVENT: Shape = Shape {
    what: "an event",
    fields: &[
        field(&["action"]),
        Field { names: &["category"], below: Some(&CATEGORY) },
        Field { names: &["actor"], below: Some(&ACTOR) },
        Field { names: &["onBehalfOf"], below: Some(&ACTOR) },
        Field { names: &["resources", "resource"], below: Some(&RESOURCE) },
        field(&["organization", "org"]),
        Field { names: &["log"], below: Some(&LOG) },
        field(&["outcome"]),
        field(&["occurredAt"]),
        field(&["ipAddress", "ip"]),
        field(&["userAgent"]),
        field(&["correlationId"]),
        field(&["source"]),
        field(&["sourceEventId"]),
        field(&["idempotencyKey", "importId", "repeatOf"]),
        field(&["metadata", "metadataText"]),
        field(&["strict"]),
    ],
    shown: &["id", "sequence", "actionLabel", "recordedAt", "recordedBy", "truncated", "masked", "erased"],
};

static ACTOR: Shape = Shape {
    what: "an actor",
    fields: &[field(&["kind"]), field(&["id", "externalId"]), field(&["name"]), field(&["email"])],
    shown: &["label", "kindLabel"],
};

static RESOURCE: Shape = Shape {
    what: "a resource",
    fields: &[field(&["type"]), field(&["id", "externalId"]), field(&["name"])],
    shown: &["label"],
};

static LOG: Shape = Shape {
    what: "a log",
    fields: &[
        field(&["level"]),
        field(&["id", "externalId"]),
        field(&["name"]),
        Field { names: &["parent"], below: Some(&LOG) },
    ],
    shown: &["deletedAt"],
};

static CATEGORY: Shape = Shape {
    what: "a category",
    fields: &[field(&["code"])],
    shown: &["label", "shortLabel", "description", "actions"],
};

/// What others call our fields, where no likeness of letters would tell.
const MEANT: &[(&str, &str)] = &[
    ("timestamp", "occurredAt"),
    ("time", "occurredAt"),
    ("date", "occurredAt"),
    ("datetime", "occurredAt"),
    ("createdat", "occurredAt"),
    ("eventtime", "occurredAt"),
    ("event", "action"),
    ("eventname", "action"),
    ("eventtype", "action"),
    ("verb", "action"),
    ("operation", "action"),
    ("user", "actor"),
    ("principal", "actor"),
    ("target", "resources"),
    ("targets", "resources"),
    ("object", "resources"),
    ("entity", "resources"),
    ("tenant", "organization"),
    ("account", "organization"),
    ("details", "metadata"),
    ("data", "metadata"),
    ("context", "metadata"),
    ("attributes", "metadata"),
    ("clientip", "ipAddress"),
    ("sourceip", "ipAddress"),
    ("remoteaddr", "ipAddress"),
    ("requestid", "correlationId"),
    ("traceid", "correlationId"),
    ("result", "outcome"),
    ("status", "outcome"),
];

/// How alike a name must be to be what was meant.
const ALIKE: f64 = 0.85;

/// A name that GraphQL clients add to every object; it is left out.
const TYPE_NAME: &str = "__typename";

impl Shape {
    fn find(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.names.contains(&name))
    }

    fn names(&self) -> String {
        self.fields.iter().map(|field| field.names[0]).collect::<Vec<_>>().join(", ")
    }

    /// The name that was meant by another one.
    fn nearest(&self, name: &str) -> Option<String> {
        let asked = plain(name);
        let below = self.fields.iter().filter_map(|field| Some((field.names[0], field.below?)));
        let below = below.flat_map(|(outer, shape)| {
            shape
                .fields
                .iter()
                .map(move |field| format!("{outer}.{}", field.names[0]).replace("resources.", "resource."))
        });
        let names = self.fields.iter().flat_map(|field| field.names).map(|name| (*name).to_owned()).chain(below);
        let likeness = |name: &str| strsim::jaro_winkler(&asked, &plain(name));
        let alike = names.map(|name| (likeness(&name), name)).filter(|(likeness, _)| *likeness >= ALIKE);
        let nearest = alike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name);
        let is_event = std::ptr::eq(self, &raw const EVENT);
        let meant =
            || MEANT.iter().find(|(theirs, _)| is_event && *theirs == asked).map(|(_, ours)| (*ours).to_owned());
        meant().or(nearest)
    }
}

/// A name without regard to case and joints: `user_agent` is `userAgent`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a text is the name of a column, such as `actor.id`, in any case.
pub fn is_column(name: &str) -> bool {
    column(&EVENT, name).is_some()
}

/// Whether a column names an object, not what lies in it.
pub fn is_object(name: &str) -> bool {
    column(&EVENT, name).is_some_and(|field| field.below.is_some_and(|below| !std::ptr::eq(below, &raw const CATEGORY)))
}

fn column(shape: &'static Shape, name: &str) -> Option<&'static Field> {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let field = shape.fields.iter().find(|field| field.names.iter().any(|name| name.eq_ignore_ascii_case(first)))?;
    match (rest, field.below) {
        (None, _) => Some(field),
        (Some(rest), Some(below)) => column(below, rest),
        (Some(_), None) => (field.names[0] == "metadata").then_some(field),
    }
}

/// The members of an object, as they stand.
pub struct Members<'a>(pub Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// An object whose names were found good: what its fields say, by the API's own names.
pub struct Object<'a> {
    /// What leads to it, with a dot behind it.
    path: String,
    shape: &'static Shape,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// An event.
    pub fn event(members: Members<'a>, ignored: &[String]) -> Self {
        Self::new(String::new(), &EVENT, members, ignored)
    }

    fn new(path: String, shape: &'static Shape, Members(mut members): Members<'a>, ignored: &[String]) -> Self {
        let name = without_indexes(&path);
        members.retain(|(key, value)| value.get() != "null" && !is_left_out(&format!("{name}{key}"), ignored));
        Self { path, shape, members }
    }

    /// A field's path as the record has it, and its value; `None` where it is absent or null.
    pub fn get(&self, name: &str) -> Option<(String, &'a RawValue)> {
        let names = self.shape.find(name)?.names;
        let (written, value) = self.members.iter().find(|(written, _)| names.contains(&written.as_str()))?;
        Some((format!("{}{written}", self.path), *value))
    }

    /// The object below a field.
    ///
    /// # Errors
    /// Where the value is none.
    pub fn below(&self, name: &str, path: &str, value: &'a RawValue, ignored: &[String]) -> Result<Self, Error> {
        let shape = self.shape.find(name).and_then(|field| field.below).expect("asked of fields that have one");
        match serde_json::from_str(value.get()) {
            Ok(members) => Ok(Self::new(format!("{path}."), shape, members, ignored)),
            Err(_) => Err(Error::bad_input(path, format!("must be an object: {}", shape.names()))),
        }
    }
}

/// `resources[3].` as `--ignore` names it: `resources.`
fn without_indexes(path: &str) -> String {
    let mut inside = false;
    let outside = |c: &char| {
        inside = (inside || *c == '[') && *c != ']';
        !inside && *c != ']'
    };
    path.chars().filter(outside).collect()
}

/// Checks the names of a record, at every depth.
///
/// # Errors
/// `BAD_USER_INPUT` that tells of all faults, and names the first one's field.
pub fn check(members: &Members<'_>, ignored: &[String]) -> Result<(), Error> {
    let mut check = Check { ignored, faults: Vec::new() };
    check.object(members, &EVENT, "", 0);
    let mut faults = check.faults.into_iter();
    let Some(first) = faults.next() else { return Ok(()) };
    let (field, mut rule, mut suggestions) = (first.field, first.rule, first.suggestions);
    for fault in faults {
        let text = format!("; {}: {}", fault.field, fault.rule);
        rule.push_str(&text);
        suggestions.extend(fault.suggestions);
    }
    Err(Error::BadInput { field, rule, given: None, suggestions })
}

/// Whether a field is left out, by its path without the places in lists.
fn is_left_out(path: &str, ignored: &[String]) -> bool {
    path.rsplit('.').next() == Some(TYPE_NAME) || ignored.iter().any(|name| name == path)
}

struct NameFault {
    field: String,
    rule: String,
    suggestions: Vec<String>,
}

struct Check<'a> {
    ignored: &'a [String],
    faults: Vec<NameFault>,
}

impl Check<'_> {
    /// Logs that nest deeper than any may are left to be refused for that.
    fn object(&mut self, Members(members): &Members<'_>, shape: &'static Shape, path: &str, depth: usize) {
        let mut seen: Vec<(&'static Field, &str)> = Vec::new();
        for (key, value) in members {
            let path = format!("{path}{key}");
            let name = without_indexes(&path);
            if is_left_out(&name, self.ignored) {
                continue;
            }
            let Some(field) = shape.find(key) else {
                self.unknown(shape, path, key, &name);
                continue;
            };
            if let Some((_, other)) = seen.iter().find(|(known, _)| std::ptr::eq(*known, field)) {
                let rule = if other == key {
                    "must be named once".to_owned()
                } else {
                    format!("is another name of {other}: give one of the two")
                };
                self.faults.push(NameFault { field: path, rule, suggestions: Vec::new() });
                continue;
            }
            if value.get() != "null" {
                seen.push((field, key));
            }
            if let Some(below) = field.below.filter(|_| depth < limits::LOG_DEPTH) {
                self.below(value, below, &path, depth + 1);
            }
        }
    }

    fn below(&mut self, value: &RawValue, shape: &'static Shape, path: &str, depth: usize) {
        if let Ok(members) = serde_json::from_str::<Members<'_>>(value.get()) {
            self.object(&members, shape, &format!("{path}."), depth);
        } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            for (index, item) in items.iter().enumerate() {
                if let Ok(members) = serde_json::from_str::<Members<'_>>(item.get()) {
                    self.object(&members, shape, &format!("{path}[{index}]."), depth);
                }
            }
        }
    }

    fn unknown(&mut self, shape: &'static Shape, path: String, key: &str, name: &str) {
        let what = shape.what;
        let (rule, suggestions) = if shape.shown.contains(&key) {
            (format!("is shown of {what} and cannot be imported (--ignore {name} leaves it out)"), Vec::new())
        } else if let Some(nearest) = shape.nearest(key) {
            (format!("is no field of {what}: {nearest} may be meant"), vec![nearest])
        } else {
            (format!("is no field of {what}: there are {}", shape.names()), Vec::new())
        };
        self.faults.push(NameFault { field: path, rule, suggestions });
    }
}
