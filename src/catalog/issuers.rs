//! Who makes tokens of a product, and where in them the product's claims are. Data alone: `auth` reads tokens by it.

use std::{fmt, path::PathBuf, sync::Arc};

use serde_json::Value;

use super::Product;

/// `iss` of tokens by development keys; their audience is the name of a product. No product file may have it.
pub const DEVELOPMENT_ISSUER: &str = "ledgerline-development";

/// Scope that permits exporting what may be read; managing permits it too.
pub const EXPORT_SCOPE: &str = "audit:export";

/// An issuer of a product's tokens: one `[[issuers]]` of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Where it stands, such as `tickets: issuers[0]`. Its keys are kept under this name: no other issuer's key proves a
    /// token of it.
    pub place: String,
    /// Where it stands in its file, such as `issuers[0]`.
    pub key: String,
    /// `iss` of its tokens.
    pub name: IssuerName,
    /// What its tokens must be meant for, one of these; none where `required` says how they are told apart.
    pub audiences: Vec<String>,
    /// Claims that must have one of some values.
    pub required: Vec<Required>,
    /// Where its keys come from.
    pub keys: Vec<KeySource>,
    /// Whether its addresses may speak plain HTTP.
    pub allow_http: bool,
    /// Certificates that its addresses are trusted by, instead of the usual ones.
    pub ca_file: Option<PathBuf>,
    /// A token that its addresses ask for, as those of a cluster do.
    pub token_file: Option<PathBuf>,
    /// Where what a token says is found.
    pub claims: ClaimRules,
    /// Scopes of a token that has none of ours.
    pub default_scopes: Vec<String>,
    /// Scopes that it may give; `None` is any.
    pub allowed_scopes: Option<Vec<String>>,
    /// Whether a token without an organization may record and manage, in whichever organization the caller names.
    pub any_organization: bool,
}

impl Issuer {
    /// Whoever has a development key of a product.
    #[must_use]
    pub fn development(product: &str) -> Self {
        Self {
            place: format!("{product}: development"),
            key: "development".to_owned(),
            name: IssuerName::Exact(DEVELOPMENT_ISSUER.to_owned()),
            audiences: vec![product.to_owned()],
            required: Vec::new(),
            keys: Vec::new(),
            allow_http: false,
            ca_file: None,
            token_file: None,
            claims: ClaimRules::standard(),
            default_scopes: Vec::new(),
            allowed_scopes: None,
            any_organization: true,
        }
    }
}

/// An issuer with the product that it lets somebody into.
#[derive(Clone, Debug)]
pub struct Door {
    /// The product.
    pub product: Arc<Product>,
    /// The issuer.
    pub issuer: Arc<Issuer>,
}

/// Which `iss` an issuer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerName {
    /// This one.
    Exact(String),
    /// One for each tenant: a segment of the path is a variable, which must agree with the claim of its name.
    Pattern {
        /// What stands before the variable.
        before: String,
        /// Name of the variable and of the claim.
        variable: String,
        /// What stands after it.
        after: String,
    },
}

impl IssuerName {
    /// Whether an `iss` is one of these.
    #[must_use]
    pub fn is(&self, iss: &str) -> bool {
        match self {
            Self::Exact(name) => name == iss,
            Self::Pattern { .. } => self.variable_in(iss).is_some(),
        }
    }

    /// Name and value of the variable in an `iss` that fits the pattern.
    #[must_use]
    pub fn variable_in<'a>(&'a self, iss: &'a str) -> Option<(&'a str, &'a str)> {
        let Self::Pattern { before, variable, after } = self else { return None };
        let value = iss.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        (!value.is_empty() && value.chars().all(is_plain)).then_some((variable, value))
    }
}

impl fmt::Display for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Pattern { before, variable, after } => write!(f, "{before}{{{variable}}}{after}"),
        }
    }
}

/// A claim that must have one of some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// The claim.
    pub at: ClaimPath,
    /// The values.
    pub values: Vec<String>,
}

/// Where a claim is: its name or, where that begins with `/`, a JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(String);

impl ClaimPath {
    /// A place as a product file names it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What is there; nothing and null are the same.
    #[must_use]
    pub fn of<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        let found = if self.0.starts_with('/') { claims.pointer(&self.0) } else { claims.get(&self.0) };
        found.filter(|value| !value.is_null())
    }

    /// The last name in it, which `true` stands for.
    #[must_use]
    pub fn last(&self) -> String {
        let pointed = self.0.strip_prefix('/').map(|rest| rest.rsplit('/').next().unwrap_or(rest));
        pointed.map_or_else(|| self.0.clone(), |last| last.replace("~1", "/").replace("~0", "~"))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where what a token says is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRules {
    /// What it is meant for: the first that is there counts.
    pub audience: Vec<ClaimPath>,
    /// Organization.
    pub organization: ClaimRule,
    /// Scopes: those of all places together.
    pub scopes: ClaimRule,
    /// Roles: those of all places together.
    pub roles: ClaimRule,
    /// Plan.
    pub plan: ClaimRule,
    /// Subject.
    pub subject: ClaimRule,
    /// E-mail address.
    pub email: ClaimRule,
    /// Name.
    pub name: ClaimRule,
    /// Logs that the token is narrowed to.
    pub logs: ClaimRule,
}

impl ClaimRules {
    /// Where tokens of an identity provider say nothing that can be taken: each preset names its own places.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            organization: ClaimRule::at(&[]),
            scopes: ClaimRule { at: Vec::new(), ..Self::standard().scopes },
            roles: ClaimRule { at: Vec::new(), ..Self::standard().roles },
            plan: ClaimRule::at(&[]),
            logs: ClaimRule::at(&[]),
            ..Self::standard()
        }
    }

    /// Those of an issuer that makes tokens for this service: docs/access.md has the list.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            audience: vec![ClaimPath::new("aud")],
            organization: ClaimRule::at(&["org"]),
            scopes: ClaimRule { split: Split::Blanks, has_keys: true, ..ClaimRule::at(&["scope", "scp"]) },
            roles: ClaimRule { has_keys: true, ..ClaimRule::at(&["role", "roles"]) },
            plan: ClaimRule::at(&["plan"]),
            subject: ClaimRule::at(&["sub"]),
            email: ClaimRule::at(&["email"]),
            name: ClaimRule::at(&["name"]),
            logs: ClaimRule::at(&["logs"]),
        }
    }
}

/// Where a claim is found, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The places, tried in this order.
    pub at: Vec<ClaimPath>,
    /// What parts several values in one text.
    pub split: Split,
    /// Whether the keys of an object are its values.
    pub has_keys: bool,
    /// The issuer's words and ours; others stay as they are.
    pub words: Vec<(String, String)>,
}

impl ClaimRule {
    /// A claim at these places, read as it is.
    #[must_use]
    pub fn at(places: &[&str]) -> Self {
        let at = places.iter().map(|place| ClaimPath::new(*place)).collect();
        Self { at, split: Split::Nothing, has_keys: false, words: Vec::new() }
    }
}

/// What parts several values in one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// Nothing: a text is one value.
    Nothing,
    /// Blanks.
    Blanks,
    /// Commas, with blanks beside them or without.
    Commas,
}

/// Where a key comes from. Secrets are for HS256; public keys come as JWKS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A secret in an environment variable. One that is not set is no fault: the issuer just has a key less.
    SecretEnv {
        /// The variable.
        variable: String,
        /// Key id that tokens name it by.
        kid: Option<String>,
    },
    /// A secret in a file, without the line end.
    SecretFile {
        /// The file.
        path: PathBuf,
        /// Key id that tokens name it by.
        kid: Option<String>,
    },
    /// A file of public keys.
    JwksFile(PathBuf),
    /// An address of public keys.
    JwksUrl(String),
    /// An issuer whose OpenID configuration says where its public keys are.
    Discovery(String),
}

impl KeySource {
    /// The environment variable that it is read from, if it is.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        match self {
            Self::SecretEnv { variable, .. } => Some(variable.clone()),
            _ => None,
        }
    }

    /// Whether it is an address, asked over the network.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        matches!(self, Self::JwksUrl(_) | Self::Discovery(_))
    }
}
