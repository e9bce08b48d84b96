//! An archive in a bucket of S3, or of whatever speaks like it: gzipped NDJSON, an object for the events of a minute.
//!
//! An object is named by its events and ends where they say, never by when somebody looked: so what is sent again is the same
//! object, and is stored in the place of the first one. Where the bucket locks objects, it is a new version of it with the
//! same bytes.
//!
//! The request is one PUT through our own client, which judges addresses; `object_store` signs it. Its own client would
//! send neither the headers of a lock nor what judges addresses.

use std::io::Write;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use object_store::{
    aws::{AwsAuthorizer, AwsCredential},
    client::{HttpRequest, HttpRequestBody},
};
use reqwest::{
    Client, Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Host;

use super::{Aimed, Failure, FailureKind, Portion, Sink, Ways, body, judge, retry_after, words};
use crate::{
    error::{Error, Result},
    event::Timestamp,
    reading::shown::{Shown, json::AuditEvent},
    store::control::endpoints::{Endpoint, EndpointKind},
};

const SECOND: i64 = 1_000_000_000;
/// An object holds events of one minute of the time of recording, so of one hour, too.
const MINUTE: i64 = 60 * SECOND;
/// How long after the end of a minute its events are waited for: another process's clock may be behind.
const SLACK: i64 = 2 * SECOND;
/// Most events of an object.
const EVENTS: usize = 5_000;
/// Most bytes of an object before it is compressed, by a rough count of each event.
const BYTES: usize = 4 * 1_024 * 1_024;
/// What an event takes beside its metadata, roughly.
const EVENT_BYTES: usize = 600;
/// Longest prefix.
const PREFIX_BYTES: usize = 512;
/// Longest of the two parts of an access key.
const KEY_BYTES: usize = 256;
/// Longest time that an object is locked for, in days: a hundred years.
const LOCK_DAYS: i64 = 36_500;

/// How long objects are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LockMode {
    /// Whoever has a permission of its own may end it.
    Governance,
    /// Nobody may, until its time is over.
    Compliance,
}

/// A lock of objects.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Who may end it.
    pub mode: LockMode,
    /// How many days it lasts from when an object is written.
    pub days: i64,
}

/// A bucket, as a caller asks for it.
#[derive(Clone)]
pub struct Bucket {
    /// Its name.
    pub bucket: String,
    /// The region that it lies in.
    pub region: String,
    /// The address of what speaks S3; Amazon's of the region where absent.
    pub endpoint: Option<String>,
    /// What names of objects begin with.
    pub prefix: Option<String>,
    /// The first part of the access key.
    pub access_key_id: String,
    /// Its second part, which is secret.
    pub secret_access_key: String,
    /// Whether the bucket is named in the path of addresses, and not in their host; where absent, it is for an endpoint
    /// that is named and for a bucket with a dot in its name.
    pub path_style: Option<bool>,
    /// How objects are locked; as the bucket says where absent.
    pub object_lock: Option<Lock>,
}

/// Settings, as they are stored and shown.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    bucket: String,
    region: String,
    prefix: String,
    access_key_id: String,
    path_style: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_lock: Option<Lock>,
}

/// Checks the target.
pub fn aim(wanted: Bucket, ways: &Ways) -> Result<Aimed> {
    let Bucket { bucket, region, endpoint, prefix, access_key_id, secret_access_key, path_style, object_lock } = wanted;
    check_name("bucket", &bucket, 3..=63, b".-")?;
    check_name("region", &region, 1..=64, b"-")?;
    let prefix = prefix.unwrap_or_default();
    let prefix = prefix.trim_matches('/');
    let is_part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(fits)
    };
    if prefix.len() > PREFIX_BYTES || !(prefix.is_empty() || prefix.split('/').all(is_part)) {
        let rule = format!("must be letters, digits, `-`, `_` and `.`, parted by `/`, of at most {PREFIX_BYTES} bytes");
        return Err(Error::bad_input("prefix", rule));
    }
    for (field, text) in [("accessKeyId", &access_key_id), ("secretAccessKey", &secret_access_key)] {
        if text.is_empty() || text.len() > KEY_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let rule = format!("must be 1 to {KEY_BYTES} printable ASCII characters without a space");
            return Err(Error::bad_input(field, rule));
        }
    }
    if object_lock.is_some_and(|lock| !(1..=LOCK_DAYS).contains(&lock.days)) {
        return Err(Error::bad_input("objectLock.days", format!("must be from 1 to {LOCK_DAYS}")));
    }
    let path_style = path_style.unwrap_or(endpoint.is_some() || bucket.contains('.'));
    let url = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
    let url = ways.outbound.check("endpoint", &url)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::bad_input("endpoint", "must have no query and no fragment"));
    }
    if !path_style && !matches!(url.host(), Some(Host::Domain(_))) {
        return Err(Error::bad_input("pathStyle", "must be true where the endpoint is an address without a name"));
    }
    let settings = Settings { bucket, region, prefix: prefix.to_owned(), access_key_id, path_style, object_lock };
    let settings = serde_json::to_string(&settings).map_err(Error::internal)?;
    let secret = Some(secret_access_key);
    Ok(Aimed { kind: EndpointKind::S3, url: url.to_string(), settings, secret, is_drawn: false })
}

fn check_name(field: &str, name: &str, length: std::ops::RangeInclusive<usize>, beside: &[u8]) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || beside.contains(&byte);
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_name = length.contains(&name.len()) && name.bytes().all(fits) && !name.contains("..");
    if is_name && is_end(name.bytes().next()) && is_end(name.bytes().last()) {
        return Ok(());
    }
    let signs: Vec<_> = beside.iter().map(|sign| format!("`{}`", char::from(*sign))).collect();
    let (least, most) = length.into_inner();
    let rule = format!(
        "must be {least} to {most} of lower-case letters, digits and {}, with a letter or digit at both ends",
        signs.join(" and ")
    );
    Err(Error::bad_input(field, rule))
}

/// The receiver of an endpoint.
pub struct S3 {
    client: Client,
    /// The address of the bucket, which names of objects are set below.
    bucket: Url,
    settings: Settings,
    credential: AwsCredential,
    /// Its id ends the name of each object: two endpoints never write to the same one.
    id: String,
}

impl S3 {
    pub fn open(endpoint: &Endpoint, ways: &Ways) -> Result<Self> {
        let settings: Settings = serde_json::from_str(&endpoint.settings).map_err(Error::internal)?;
        let secret_key = endpoint.secrets.first().map(|secret| secret.text.clone()).unwrap_or_default();
        let credential = AwsCredential { key_id: settings.access_key_id.clone(), secret_key, token: None };
        let mut bucket = Url::parse(&endpoint.url).map_err(Error::internal)?;
        let mut path = bucket.path().trim_end_matches('/').to_owned();
        if settings.path_style {
            path = format!("{path}/{}", settings.bucket);
        } else {
            let host = format!("{}.{}", settings.bucket, bucket.host_str().unwrap_or_default());
            bucket.set_host(Some(&host)).map_err(Error::internal)?;
        }
        bucket.set_path(&path);
        Ok(Self { client: ways.outbound.client().clone(), bucket, settings, credential, id: endpoint.id.clone() })
    }

    fn url(&self, name: &str) -> Url {
        let mut url = self.bucket.clone();
        let before = if self.settings.prefix.is_empty() { String::new() } else { format!("/{}", self.settings.prefix) };
        url.set_path(&format!("{}{before}/{name}", url.path().trim_end_matches('/')));
        url
    }

    async fn put(&self, name: &str, kind: &'static str, bytes: Vec<u8>, at: Timestamp) -> Result<Option<u16>, Failure> {
        let url = self.url(name);
        let headers = self.signed(&url, kind, &bytes, at).map_err(|error| Failure::unavailable(error.to_string()))?;
        let request = self.client.put(url).headers(headers).body(bytes);
        let mut answer = request.send().await.map_err(|error| Failure::unavailable(words(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Some(status.as_u16()));
        }
        let (retry_after, body) = (retry_after(&answer), body(&mut answer, 4_096).await);
        Err(judged(status.as_u16(), retry_after, &body).without(&self.credential.secret_key))
    }

    /// The headers of a PUT, signed. A bucket that locks objects asks for a checksum.
    fn signed(&self, url: &Url, kind: &'static str, bytes: &[u8], at: Timestamp) -> Result<HeaderMap> {
        let digest = Sha256::digest(bytes);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = url.as_str().parse().map_err(Error::internal)?;
        let mut set = |name: &'static str, value: &str| -> Result<()> {
            let value = HeaderValue::from_str(value).map_err(Error::internal)?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
            Ok(())
        };
        set(CONTENT_TYPE.as_str(), kind)?;
        set("x-amz-checksum-sha256", &STANDARD.encode(digest))?;
        // Some stores look for this name alone.
        set("x-amz-sdk-checksum-algorithm", "SHA256")?;
        if let Some(Lock { mode, days }) = self.settings.object_lock {
            let until = Timestamp(at.0.saturating_add(days.saturating_mul(24 * 60 * MINUTE)));
            set("x-amz-object-lock-retain-until-date", &until.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string())?;
            let mode = if mode == LockMode::Compliance { "COMPLIANCE" } else { "GOVERNANCE" };
            set("x-amz-object-lock-mode", mode)?;
        }
        let authorizer = AwsAuthorizer::new(&self.credential, "s3", &self.settings.region);
        authorizer.try_authorize(&mut request, Some(&digest)).map_err(Error::internal)?;
        Ok(request.headers().clone())
    }
}

fn minute(shown: &Shown) -> i64 {
    shown.event().recorded_at.0.div_euclid(MINUTE)
}

#[async_trait]
impl Sink for S3 {
    fn most(&self) -> usize {
        EVENTS
    }

    /// Ends at the end of a minute, or where an object is full. Nobody's refusal makes it shorter: the name would be another.
    fn portion(&self, events: &[Shown], _: bool) -> Portion {
        let Some(first) = events.first().map(minute) else { return Portion { count: 0, until: None } };
        let (mut count, mut bytes) = (0, 0);
        for shown in events.iter().take_while(|shown| minute(shown) == first) {
            if count == EVENTS || bytes >= BYTES {
                return Portion { count, until: None };
            }
            bytes += EVENT_BYTES + shown.event().said.metadata.len();
            count += 1;
        }
        let is_whole = count < events.len() || count == EVENTS || bytes >= BYTES;
        let until = Timestamp((first + 1).saturating_mul(MINUTE).saturating_add(SLACK));
        Portion { count, until: (!is_whole).then_some(until) }
    }

    async fn send(&self, events: &[Shown], at: Timestamp) -> Result<Option<u16>, Failure> {
        let mut last = None;
        for part in events.chunk_by(|one, next| minute(one) == minute(next)) {
            let [first, ..] = part else { continue };
            let ends = part.last().unwrap_or(first).event().sequence;
            let (begins, recorded_at) = (first.event().sequence, first.event().recorded_at);
            let folder = recorded_at.to_utc().format("%Y/%m/%d/%H");
            let name = format!("{folder}/{begins:012}-{ends:012}-{}.ndjson.gz", self.id);
            last = self.put(&name, "application/gzip", packed(part), at).await?;
        }
        Ok(last)
    }

    async fn test(&self, organization: &str, at: Timestamp) -> Result<Option<u16>, Failure> {
        let test = json!({ "type": "audit_endpoint.test", "organization": organization, "at": at });
        let name = format!("ledgerline-test-{}.json", self.id);
        self.put(&name, "application/json", test.to_string().into_bytes(), at).await
    }
}

/// Events as gzipped NDJSON. It has no time in it, so that the same events are the same bytes.
fn packed(events: &[Shown]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    for shown in events {
        serde_json::to_writer(&mut packed, &AuditEvent::of(shown)).expect("memory takes an event as JSON");
        packed.write_all(b"\n").expect("memory takes everything");
    }
    packed.finish().expect("memory takes everything")
}

/// What an answer means. Nothing that a store refuses is an event's fault, so everything waits until it is mended.
fn judged(status: u16, retry_after: Option<u64>, body: &str) -> Failure {
    let of =
        |name: &str| body.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>")).map(|(text, _)| text);
    let code = of("Code").unwrap_or_default();
    let said = [of("Code"), of("Message"), meaning(code)];
    let said: Vec<_> = said.into_iter().flatten().collect();
    let failure =
        if said.is_empty() { judge(status, retry_after, body) } else { judge(status, retry_after, &said.join(": ")) };
    Failure { kind: FailureKind::Unavailable, ..failure }
}

/// What is to be done about an error of S3 whose own words do not say so.
fn meaning(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDenied" => "the access key needs s3:PutObject, and s3:PutObjectRetention where objects are locked",
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => "the region or the endpoint is another one",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_store_refuses_puts_an_event_aside() {
        let denied = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        for (status, body, told) in [
            (403, denied, "HTTP 403: AccessDenied: Access Denied: the access key needs s3:PutObject"),
            (404, "<Error><Code>NoSuchBucket</Code></Error>", "HTTP 404: NoSuchBucket"),
            (410, "", "HTTP 410"),
            (400, "<html>", "HTTP 400: <html>"),
            (301, "<Error><Code>PermanentRedirect</Code></Error>", "HTTP 301: PermanentRedirect: the region"),
        ] {
            let failure = judged(status, None, body);
            assert_eq!(failure.kind, FailureKind::Unavailable, "{status}");
            assert!(failure.reason.starts_with(told), "{}", failure.reason);
        }
    }
}
