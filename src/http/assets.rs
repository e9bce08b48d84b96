//! The viewer and the playground, embedded in the binary.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Edge;

/// What `npm run build` wrote; empty in a build without Node.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

const VIEWER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The playground's editor writes style elements.
const PLAYGROUND_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page that is written by the service itself, without scripts.
const FIRST_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const MISSING: &str = "The viewer is not part of this build. Install Node.js 20.19 or newer and run: make run\nThe API answers at /graphql.\n";

/// The version of the element that this program has.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where the element lies, for pages of other applications.
const EMBED: &str = "embed/";
/// How long browsers keep what can never change, in the words of `Cache-Control`.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Answers every path that is no route of the API.
pub fn serve(edge: &Edge, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    if *method != Method::GET && *method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    if let (Some(first), "/") = (edge.first.get(), uri.path()) {
        let headers = [(header::CONTENT_SECURITY_POLICY, FIRST_POLICY), (header::CACHE_CONTROL, "no-store")];
        return (headers, Html(first.clone())).into_response();
    }
    let depth = uri.path().matches('/').count().saturating_sub(1);
    let (name, policy) = match uri.path().trim_end_matches('/') {
        "" | "/log" | "/settings/audit-log" => ("index.html", VIEWER_POLICY),
        "/playground" => ("playground/index.html", PLAYGROUND_POLICY),
        path => (path.trim_start_matches('/'), VIEWER_POLICY),
    };
    let (name, caching) = match version_in(name) {
        Some((OWN_VERSION, file)) => (format!("{EMBED}{file}"), FOR_EVER),
        Some((version, file)) => return other_version(version, file),
        // Names under assets/ carry a hash of their content.
        None if name.starts_with("assets/") => (name.to_owned(), FOR_EVER),
        None => (name.to_owned(), "no-cache"),
    };
    match Dist::get(&name) {
        Some(file) => send(&name, policy, caching, page(&name, file, depth), headers),
        None if name.ends_with("index.html") => (StatusCode::NOT_FOUND, MISSING).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such page\n").into_response(),
    }
}

/// The version that an address of the element's files names, and the file: of `embed/1.2.3/ledgerline-log.js` both.
fn version_in(name: &str) -> Option<(&str, &str)> {
    let (version, file) = name.strip_prefix(EMBED)?.split_once('/')?;
    version.starts_with(|first: char| first.is_ascii_digit()).then_some((version, file))
}

/// A page that names a version wants that one and no other: its hash would not fit any other.
fn other_version(version: &str, file: &str) -> Response {
    let own = OWN_VERSION;
    let text = format!("this service has no version {version} of the viewer, but {own}: {EMBED}{own}/{file}\n");
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// A page, whose parts lie beside or above it. Addresses are relative, because only the proxy knows below which path the
/// service is shown; so they depend on where the page itself was asked for.
fn page(name: &str, mut file: EmbeddedFile, depth: usize) -> EmbeddedFile {
    if name.ends_with(".html")
        && let Ok(text) = std::str::from_utf8(&file.data)
    {
        let up = if depth == 0 { "./".to_owned() } else { "../".repeat(depth) };
        let text = text.replace("../assets/", "./assets/").replace("./assets/", &format!("{up}assets/"));
        file.data = text.into_bytes().into();
    }
    file
}

fn send(name: &str, policy: &'static str, caching: &'static str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    // A page of another depth has another length.
    let tag = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    // Weak, because compression changes the bytes that are sent.
    let tag = format!("W/\"{tag}-{}\"", file.data.len());
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let strong = tag.trim_start_matches("W/");
    let is_known = |each: &str| each == "*" || each.trim_start_matches("W/") == strong;
    let mut response = if known.flat_map(|value| value.split(',')).any(|each| is_known(each.trim())) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, media_type(file.metadata.mimetype()))], Body::from(file.data.into_owned()))
            .into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    out.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if name.starts_with(EMBED) {
        // The element is public. A page whose origin may not read the log can load it, and is told by it what to allow.
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        out.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    }
    response
}

/// A media type, with the encoding where it is text.
fn media_type(name: &str) -> String {
    let is_text = name.starts_with("text/") || name == "application/javascript";
    if is_text { format!("{name}; charset=utf-8") } else { name.to_owned() }
}
