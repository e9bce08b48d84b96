//! The claims of the tokens that the service itself makes.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::{
    catalog::{Product, issuers::DEVELOPMENT_ISSUER},
    event::{Timestamp, limits, text::is_blank},
};

/// The claims of a token that the service makes, as it carries them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer: selects the product.
    pub iss: String,
    /// Audience.
    pub aud: OneOrMany,
    /// When it ends, in seconds since 1970; there must be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<Number>,
    /// When it begins, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<Number>,
    /// Who it was made for.
    pub sub: String,
    /// Organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Scopes, parted by blanks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Plan of the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Role, or roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<OneOrMany>,
    /// Roles, beside `role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<OneOrMany>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Logs that the token is narrowed to, each as `level:id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Vec<String>>,
}

impl Claims {
    /// Claims of a development token of a product until `expires_at` (to the second), with no rights yet.
    #[must_use]
    pub fn new(product: &Product, subject: impl Into<String>, expires_at: Timestamp) -> Self {
        Self {
            iss: DEVELOPMENT_ISSUER.to_owned(),
            aud: OneOrMany::One(product.name.clone()),
            exp: Some(expires_at.0.div_euclid(NANOS).into()),
            sub: subject.into(),
            ..Self::default()
        }
    }
}

/// What people gave as their name or address, as far as it can be shown: it is no reason to refuse a token.
pub(super) fn shown(text: Option<&str>) -> Option<String> {
    let mut text = text?.replace('\0', "\u{fffd}");
    text.truncate(text.floor_char_boundary(limits::TEXT_BYTES));
    (!is_blank(&text)).then_some(text)
}

/// A text, or a list of texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Any number.
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(many) => many.iter(),
        }
        .map(String::as_str)
    }
}

const NANOS: i64 = 1_000_000_000;

/// The instant of a number of seconds since 1970, whole or not; one too far off becomes the end of time.
pub(super) fn instant(seconds: &Number) -> Timestamp {
    let nanos = match seconds.as_i64() {
        Some(whole) => whole.saturating_mul(NANOS),
        #[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
        None => seconds.as_f64().map_or(i64::MAX, |seconds| (seconds * 1e9) as i64),
    };
    Timestamp(nanos)
}
