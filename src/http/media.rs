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

    /// What the client accepts, by quality and then by order; `None` where it is neither (406).
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        let mut any = false;
        for value in headers.get_all(header::ACCEPT) {
            for range in value.to_str().unwrap_or_default().split(',') {
                any = true;
                let mut parts = range.split(';').map(str::trim);
                let media = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "application/graphql-response+json" => Self::GraphqlResponse,
                    "application/json" | "application/*" | "*/*" => Self::Json,
                    "text/event-stream" => Self::EventStream,
                    _ => continue,
                };
                let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
                if quality > 0.0 && best.is_none_or(|(other, _)| quality > other) {
                    best = Some((quality, media));
                }
            }
        }
        if any { best.map(|(_, media)| media) } else { Some(Self::Json) }
    }
}

/// Whether a client takes plain JSON, as REST answers it.
pub fn takes_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if ranges.peek().is_none() {
        return true;
    }
    ranges.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let taken = ["application/json", "application/problem+json", "application/*", "*/*", ""];
        let is_taken = parts.next().is_some_and(|media| taken.contains(&media.as_str()));
        is_taken && !parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)))
    })
}

/// Whether a request's body is JSON in UTF-8.
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().is_some_and(|media| media == "application/json")
        && parts.all(|part| part.strip_prefix("charset=").is_none_or(|charset| charset.trim_matches('"') == "utf-8"))
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
    }
}
