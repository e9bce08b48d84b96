//! What of an event is stored as a text in one column: whom it was done for, resources, and paths of what was cut.
//! Version 1, which has the form of [`canonical`]: `tests/vectors/README.md` describes it, and
//! `tests/vectors/stored.json` has examples.
//!
//! Writing cannot fail, and what cannot be read is an error: none of them is ever taken for absent. Rows are never
//! written anew, so what a version has written is read for ever. Another one MUST begin with another character than
//! `{` for an actor and `[` for a list.

use serde::Deserialize;

use super::{
    Actor, ActorKind, Resource, canonical,
    json::canonical::{list, string},
};

/// An actor as it is stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorV1 {
    kind: ActorKind,
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

/// A resource as it is stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceV1 {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    name: Option<String>,
}

/// The text of an actor.
#[must_use]
pub fn actor(actor: &Actor) -> String {
    canonical::actor(actor)
}

/// The text of resources; none are stored as nothing.
#[must_use]
pub fn resources(resources: &[Resource]) -> Option<String> {
    (!resources.is_empty()).then(|| canonical::resources(resources))
}

/// The text of paths; none are stored as nothing.
#[must_use]
pub fn paths(paths: &[String]) -> Option<String> {
    (!paths.is_empty()).then(|| list(paths.iter().map(|path| string(path))))
}

/// Reads an actor.
///
/// # Errors
/// A text that no version has written.
pub fn read_actor(text: &str) -> serde_json::Result<Actor> {
    let ActorV1 { kind, id, name, email } = serde_json::from_str(text)?;
    Ok(Actor { kind, id, name, email })
}

/// Reads resources.
///
/// # Errors
/// A text that no version has written.
pub fn read_resources(text: &str) -> serde_json::Result<Vec<Resource>> {
    let read: Vec<ResourceV1> = serde_json::from_str(text)?;
    Ok(read.into_iter().map(|ResourceV1 { kind, id, name }| Resource { kind, id, name }).collect())
}

/// Reads paths.
///
/// # Errors
/// A text that no version has written.
pub fn read_paths(text: &str) -> serde_json::Result<Vec<String>> {
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        actors: Vec<Vector<Actor>>,
        resources: Vec<Vector<Vec<Resource>>>,
        truncated: Vec<Vector<Vec<String>>>,
    }

    #[derive(Deserialize)]
    struct Vector<T> {
        value: T,
        bytes: String,
    }

    fn text<T>(vector: &Vector<T>) -> String {
        let hex = vector.bytes.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
        String::from_utf8(hex.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()).unwrap()
    }

    #[test]
    fn what_is_stored_is_that_of_the_vectors_and_reads_back() {
        let vectors: Vectors = serde_json::from_str(include_str!("../../tests/vectors/stored.json")).unwrap();
        assert!(vectors.actors.len() > 2 && vectors.resources.len() > 2 && vectors.truncated.len() > 1);
        for vector in &vectors.actors {
            assert_eq!(
                (actor(&vector.value), read_actor(&text(vector)).unwrap()),
                (text(vector), vector.value.clone())
            );
        }
        for vector in &vectors.resources {
            let read = read_resources(&text(vector)).unwrap();
            assert_eq!((resources(&vector.value), read), (Some(text(vector)), vector.value.clone()));
        }
        for vector in &vectors.truncated {
            assert_eq!(
                (paths(&vector.value), read_paths(&text(vector)).unwrap()),
                (Some(text(vector)), vector.value.clone())
            );
        }
        assert_eq!((resources(&[]), paths(&[])), (None, None));
    }

    #[test]
    fn what_no_version_has_written_is_an_error() {
        for text in
            ["", "{}", "[]", "{\"kind\":\"ROBOT\"}", "{\"kind\":\"USER\",\"phone\":\"1\"}", "{\"kind\":\"USER\"} "]
        {
            assert_eq!(read_actor(text).is_ok(), text.ends_with(' '), "{text}");
        }
        for text in ["", "{}", "[1]", "[{\"type\":1}]", "[{\"kind\":\"a\"}]", "null"] {
            assert!(read_resources(text).is_err(), "{text}");
            assert!(read_paths(text).is_err(), "{text}");
        }
    }
}
