//! Origins as browsers send them (RFC 6454, 6.2).

use axum::http::HeaderValue;
use url::{Origin, Url};

/// Reads an origin as people write it: with capitals, a default port, a slash at the end or a name in any script.
///
/// # Errors
/// Why it is none, in words.
pub fn read(text: &str) -> Result<HeaderValue, String> {
    if text == "*" || text.contains('*') {
        return Err("wildcards are not taken, because a page of any such origin could use its readers' tokens: \
                    name each origin"
            .to_owned());
    }
    let such_as = |reason: &str| format!("{reason}; it must be an origin such as https://app.example.com");
    let url = Url::parse(text).map_err(|error| such_as(&error.to_string()))?;
    let origin = match url.origin() {
        Origin::Tuple(scheme, ..) if !["http", "https"].contains(&scheme.as_str()) => {
            return Err(such_as("only http and https have origins"));
        }
        Origin::Opaque(_) => return Err(such_as("only http and https have origins")),
        origin => origin,
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(such_as("it has a user or password in it"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(such_as("it has a path, query or fragment"));
    }
    HeaderValue::try_from(origin.ascii_serialization()).map_err(|error| such_as(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn an_origin_is_kept_as_a_browser_sends_it() {
        for (written, sent) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80/", "http://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("https://app.example.com:08443", "https://app.example.com:8443"),
            ("https://app.example.com/", "https://app.example.com"),
            ("https://Bücher.example", "https://xn--bcher-kva.example"),
            ("https://日本語.example:8443", "https://xn--wgv71a119e.example:8443"),
            ("http://LOCALHOST:3000", "http://localhost:3000"),
            ("http://[0:0::1]:80", "http://[::1]"),
            ("http://127.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(read(written).map(|value| value.to_str().unwrap().to_owned()).as_deref(), Ok(sent), "{written}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_the_reason() {
        for (written, reason) in [
            ("*", "wildcards"),
            ("https://*.example.com", "wildcards"),
            ("app.example.com", "relative URL"),
            ("null", "relative URL"),
            ("app.example.com:443", "only http and https"),
            ("ftp://app.example.com", "only http and https"),
            ("file:///srv", "only http and https"),
            ("chrome-extension://abcdef", "only http and https"),
            ("https://", "empty host"),
            ("https://app.example.com/audit", "path"),
            ("https://app.example.com?x", "query"),
            ("https://app.example.com/#x", "fragment"),
            ("https://user@app.example.com", "user"),
            ("https://app.example.com:99999", "port"),
            ("https://app example.com", "domain"),
        ] {
            let told = read(written).unwrap_err();
            assert!(told.contains(reason), "{written}: {told}");
        }
    }
}
