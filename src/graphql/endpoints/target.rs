//! Where an endpoint is to be, as it is told.

use async_graphql::{Enum, InputObject, OneofObject};

use crate::delivery::sinks::{Bucket, Lock, LockMode, Target};

/// Where an endpoint is to be: one of these.
#[derive(OneofObject)]
pub enum AuditEndpointTargetInput {
    /// HTTPS by Standard Webhooks: one event a request, signed.
    Webhook(WebhookTargetInput),
    /// The HTTP event collector of Splunk: up to a hundred events a request.
    SplunkHec(SplunkHecTargetInput),
    /// Syslog by RFC 5424, over TLS, or over TCP in the operator's own networks.
    Syslog(SyslogTargetInput),
    /// OpenTelemetry logs by OTLP over HTTP, in JSON: up to a hundred log records a request.
    Otlp(OtlpTargetInput),
    /// An archive in a bucket of S3: the events of each minute as gzipped NDJSON.
    S3(S3TargetInput),
}

/// HTTPS by Standard Webhooks.
#[derive(InputObject)]
pub struct WebhookTargetInput {
    /// The address: `https://`, at a public address.
    url: String,
}

/// The HTTP event collector of Splunk.
#[derive(InputObject)]
pub struct SplunkHecTargetInput {
    /// The address of the collector, such as `https://splunk.example.com:8088`: `/services/collector/event` is set below
    /// it. It has no query.
    url: String,
    /// The collector's token. It is never shown again. Whoever changes the target gives it again.
    token: String,
    /// The index that events go to; the token's own where absent.
    index: Option<String>,
    /// Whether requests are compressed.
    #[graphql(default = false)]
    gzip: bool,
}

/// Syslog by RFC 5424.
#[derive(InputObject)]
pub struct SyslogTargetInput {
    /// The address: `syslog+tls://host:port`, with 6514 where no port is named. `syslog+tcp://host:port` does not encrypt,
    /// and leads to the operator's own networks alone.
    url: String,
    /// Certificates in PEM that the receiver's must descend from, at most 16,384 bytes; the authorities that browsers
    /// trust where absent.
    ca: Option<String>,
    /// The longest message that the receiver takes, in bytes, from 2,048 to 1,048,576. A longer event goes without its
    /// metadata.
    #[graphql(default = 8192)]
    max_message_bytes: i32,
}

/// OpenTelemetry logs by OTLP over HTTP, in JSON.
#[derive(InputObject)]
pub struct OtlpTargetInput {
    /// The address of the collector, such as `https://otel.example.com:4318`: `/v1/logs` is set below it. It has no query.
    url: String,
    /// Further headers of each request, such as a key: at most 16. Their values are never shown again. Whoever changes the
    /// target gives them again.
    #[graphql(default)]
    headers: Vec<HeaderInput>,
}

/// An archive in a bucket of S3, or of another store that speaks like it.
#[derive(InputObject)]
pub struct S3TargetInput {
    /// The bucket's name.
    bucket: String,
    /// The region that it lies in, such as `eu-central-1`.
    region: String,
    /// The address of a store that speaks S3; Amazon's in the region where absent.
    endpoint: Option<String>,
    /// What names of objects begin with, such as `audit/acme`: letters, digits, `-`, `_` and `.`, parted by `/`.
    prefix: Option<String>,
    /// The first part of an access key that may put objects into the bucket.
    access_key_id: String,
    /// Its second part. It is never shown again. Whoever changes the target gives it again.
    secret_access_key: String,
    /// Whether the bucket is named in the path of addresses, and not in their host. Where absent, it is if `endpoint` is
    /// there, or the bucket's name has a dot.
    path_style: Option<bool>,
    /// How objects are locked. Where absent, the bucket's own setting holds.
    object_lock: Option<ObjectLockInput>,
}

/// Objects that can be neither changed nor deleted for a time. The bucket must have been made with object lock.
#[derive(InputObject)]
pub struct ObjectLockInput {
    /// Who may end it sooner.
    mode: ObjectLockMode,
    /// How many days it lasts from when an object is written, from 1 to 36,500.
    days: i32,
}

/// Who may end the lock of an object before its time is over.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "LockMode")]
pub enum ObjectLockMode {
    /// Whoever has the permission `s3:BypassGovernanceRetention`.
    Governance,
    /// Nobody.
    Compliance,
}

/// A header of HTTP.
#[derive(InputObject)]
pub struct HeaderInput {
    /// Its name.
    name: String,
    /// Its value, at most 4,096 bytes.
    value: String,
}

impl From<AuditEndpointTargetInput> for Target {
    fn from(target: AuditEndpointTargetInput) -> Self {
        match target {
            AuditEndpointTargetInput::Webhook(WebhookTargetInput { url }) => Self::Webhook { url },
            AuditEndpointTargetInput::SplunkHec(SplunkHecTargetInput { url, token, index, gzip }) => {
                Self::SplunkHec { url, token, index, gzip }
            }
            AuditEndpointTargetInput::Syslog(SyslogTargetInput { url, ca, max_message_bytes }) => {
                Self::Syslog { url, ca, max_message_bytes: max_message_bytes.into() }
            }
            AuditEndpointTargetInput::Otlp(OtlpTargetInput { url, headers }) => {
                let headers = headers.into_iter().map(|HeaderInput { name, value }| (name, value));
                Self::Otlp { url, headers: headers.collect() }
            }
            AuditEndpointTargetInput::S3(wanted) => Self::S3(Bucket {
                bucket: wanted.bucket,
                region: wanted.region,
                endpoint: wanted.endpoint,
                prefix: wanted.prefix,
                access_key_id: wanted.access_key_id,
                secret_access_key: wanted.secret_access_key,
                path_style: wanted.path_style,
                object_lock: wanted.object_lock.map(|lock| Lock { mode: lock.mode.into(), days: lock.days.into() }),
            }),
        }
    }
}
