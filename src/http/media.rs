//! Media types of GraphQL over HTTP.

use axum::http::{HeaderMap, header};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status tells how it went.
    GraphqlResponse,
    /// `application/json`: a well-formed request is answered 200.
    Json,
    /// `text/event-stream`: answers one after the other.
    EventStream,
}

impl Media {
    /// The media type's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream",
        }
    }

    /// What the client accepts, by quality and then by order; `None` where it is neither (406). One that names nothing
    /// accepts anything.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let ranges = ranges(headers);
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let of = |media: &str| match media {
            "application/graphql-response+json" => Some(Self::GraphqlResponse),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            "text/event-stream" => Some(Self::EventStream),
            _ => None,
        };
        // What is refused by its own name is not accepted by a wider one.
        let is_refused = |media: Self| {
            let own = ranges.iter().filter(|(name, _)| !name.ends_with("/*"));
            own.clone().any(|(name, quality)| of(name) == Some(media) && *quality <= 0.0)
        };
        let mut best: Option<(f32, Self)> = None;
        for (name, quality) in &ranges {
            let Some(media) = of(name).filter(|media| *quality > 0.0 && !is_refused(*media)) else { continue };
            if best.is_none_or(|(other, _)| *quality > other) {
                best = Some((*quality, media));
            }
        }
        best.map(|(_, media)| media)
    }
}

/// The media ranges of `Accept` in lower case, each with its quality (RFC 9110, 12.5.1).
fn ranges(headers: &HeaderMap) -> Vec<(String, f32)> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let range = |range: &str| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next().filter(|name| !name.is_empty())?;
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse().ok()).unwrap_or(1.0);
        Some((name, quality))
    };
    values.flat_map(|value| value.split(',')).filter_map(range).collect()
}

/// Whether a client takes plain JSON, as REST answers it.
pub fn takes_json(headers: &HeaderMap) -> bool {
    let ranges = ranges(headers);
    let quality = |wanted: &str| ranges.iter().find(|(name, _)| name == wanted).map(|(_, quality)| *quality);
    // The most exact range counts.
    let json = ["application/json", "application/problem+json"].into_iter().find_map(quality);
    let quality = json.or_else(|| quality("application/*")).or_else(|| quality("*/*"));
    ranges.is_empty() || quality.is_some_and(|quality| quality > 0.0)
}

/// Whether a request's body is JSON in UTF-8.
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().is_some_and(|media| media == "application/json")
        && parts.all(|part| {
            // The name that some write for it.
            let is_utf8 = |charset: &str| ["utf-8", "utf8"].contains(&charset.trim_matches('"'));
            part.strip_prefix("charset=").is_none_or(is_utf8)
        })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_best_accepted_media_type_is_used() {
        let of = |text: &'static str| {
            Media::accepted(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))]))
        };
        assert_eq!(Media::accepted(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(of("*/*"), Some(Media::Json));
        assert_eq!(of("application/graphql-response+json, application/json;q=0.9"), Some(Media::GraphqlResponse));
        assert_eq!(of("application/json, application/graphql-response+json;q=0.5"), Some(Media::Json));
        assert_eq!(of("application/graphql-response+json; charset=utf-8"), Some(Media::GraphqlResponse));
        assert_eq!(of("text/event-stream"), Some(Media::EventStream));
        assert_eq!(of("text/html"), None);
        for nothing in ["", " ", ",", ", ,"] {
            assert_eq!(of(nothing), Some(Media::Json), "{nothing:?}");
        }
        for refused in ["application/json;q=0", "*/*;q=0", "application/json; q=0.0, */*", "*/*, application/json;q=0"]
        {
            assert_eq!(of(refused), None, "{refused:?}");
        }
        assert_eq!(of("application/json;q=0, application/graphql-response+json"), Some(Media::GraphqlResponse));
        assert_eq!(of("text/html, */*;q=0.1"), Some(Media::Json));
    }

    #[test]
    fn what_is_refused_by_name_is_not_taken_by_a_wider_range() {
        let takes =
            |text: &'static str| takes_json(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))]));
        for taken in [
            "",
            "*/*",
            "application/json",
            "application/*;q=0.1",
            "text/html, application/problem+json",
            "*/*;q=0, application/json",
        ] {
            assert!(takes(taken), "{taken:?}");
        }
        for refused in ["text/html", "application/json;q=0", "*/*, application/json;q=0", "application/*;q=0, */*"] {
            assert!(!takes(refused), "{refused:?}");
        }
    }

    #[test]
    fn json_is_read_in_utf_8_by_either_name() {
        let reads = |text: &'static str| {
            is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]))
        };
        for read in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=utf8",
            "application/json; charset=\"utf-8\"",
        ] {
            assert!(reads(read), "{read:?}");
        }
        for other in ["text/plain", "application/json; charset=latin1", "application/jsonp"] {
            assert!(!reads(other), "{other:?}");
        }
    }
}
