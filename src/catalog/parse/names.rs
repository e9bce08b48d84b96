//! What names and addresses must look like.

use std::net::IpAddr;

use url::Url;

use crate::catalog::{issuers::DEVELOPMENT_ISSUER, management::OWN_ISSUER};

const NAME_CHARS: usize = 64;

/// Names of products and levels stand in options, claims (`level:id`) and file names.
pub(in crate::catalog) fn fault_of_name(name: &str) -> Option<String> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if begins && goes_on && name.len() <= NAME_CHARS {
        return None;
    }
    Some(format!("must be a letter and then letters, digits, - and _, at most {NAME_CHARS} in all, not {name:?}"))
}

/// An issuer is any text; one with a colon is an address (RFC 7519, StringOrURI). The service's own are no product's.
pub(in crate::catalog) fn fault_of_issuer(issuer: &str) -> Option<String> {
    if issuer == OWN_ISSUER || issuer == DEVELOPMENT_ISSUER {
        return Some(format!("must not be {issuer:?}: that is the issuer of the service's own tokens"));
    }
    if issuer.contains(char::is_whitespace) {
        return Some("must not have blanks".to_owned());
    }
    if !issuer.contains(':') {
        return None;
    }
    let error = Url::parse(issuer).err()?;
    Some(format!("must be a name without a colon or a URL, not {issuer:?} ({error})"))
}

pub(in crate::catalog) fn fault_of_variable(name: &str) -> Option<String> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (!begins || !goes_on).then(|| format!("must be the name of an environment variable, not {name:?}"))
}

/// Keys decide who is believed: they come over TLS or from this very machine, unless the file says that the network between
/// is trusted.
pub(crate) fn fault_of_address(text: &str, allow_http: bool) -> Option<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return Some(format!("must be a URL, not {text:?} ({error})")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not have a user or password in it".to_owned());
    }
    match url.scheme() {
        "https" => None,
        "http" if allow_http || is_loopback(&url) => None,
        _ => Some(format!(
            "must begin with https:// (http:// is for loopback addresses, or with allow_http = true), not {text:?}"
        )),
    }
}

/// Readers are led there by a click or by the page itself: it stays on the page's own host, or is a plain web address.
pub(in crate::catalog) fn fault_of_href(href: &str) -> Option<String> {
    let fault = |why: &str| Some(format!("must be a path such as /settings, or an https address, not {href:?}{why}"));
    // Browsers drop tabs and line ends out of addresses, and take `\` for `/`: `java\tscript:` and `/\evil` would pass.
    if href.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return fault(" (no blanks, control characters or backslashes)");
    }
    if href.starts_with("//") {
        return fault(" (// leads to another host)");
    }
    match Url::parse(href) {
        Err(url::ParseError::RelativeUrlWithoutBase) => None,
        Err(error) => fault(&format!(" ({error})")),
        Ok(url) if url.scheme() != "https" => fault(""),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => fault(" (no user or password)"),
        Ok(_) => None,
    }
}

/// Whether an address is this machine's own.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
