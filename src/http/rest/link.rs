//! The `Link` header (RFC 8288): the pages beside a page.

use axum::http::HeaderValue;
use url::form_urlencoded;

/// Links to other pages of a list: the relation, and what of the query is other there. Each link is a query alone, which
/// RFC 3986 (5.2) resolves against the address that the client asked: below whatever path a gateway put it.
pub fn header(query: &[(String, String)], moving: &[&str], links: &[(&str, Vec<(&str, &str)>)]) -> Option<HeaderValue> {
    let stays = || query.iter().filter(|(name, _)| !moving.contains(&name.as_str()));
    let links = links.iter().map(|(relation, moved)| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        stays().for_each(|(name, value)| _ = query.append_pair(name, value));
        moved.iter().for_each(|(name, value)| _ = query.append_pair(name, value));
        format!("<?{}>; rel=\"{relation}\"", query.finish())
    });
    HeaderValue::from_str(&links.collect::<Vec<_>>().join(", ")).ok()
}
