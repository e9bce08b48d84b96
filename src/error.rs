//! The one error of the service, and the one table from it to code, status and safe text.

/// `Result` with the service's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a client can act on: `extensions.code` of a GraphQL error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// No token, or one that cannot be trusted: sign in again.
    Unauthenticated,
    /// The token is good, but its scope, role or log does not permit this.
    Forbidden,
    /// The organization's plan does not include reading the audit log; `requiredPlans` do.
    PlanRequired,
    /// There is no such thing, or it is not yours to know of.
    NotFound,
    /// The event was there, and has left the log: it was kept for as long as the product, or the organization, keeps events.
    /// Or the organization itself has ended: nothing is recorded for it any more.
    Expired,
    /// The request is wrong; `field` and `rule` say where and why.
    BadUserInput,
    /// The idempotency key was used for another event.
    Conflict,
    /// A legal hold keeps what was to go: lift the `hold` first.
    Held,
    /// The database has no number left for another organization: nothing but another database helps. Organizations that
    /// have recorded before go on.
    LimitReached,
    /// More is waiting than fits, to be recorded or read: try again after `retryAfterMs`.
    Overloaded,
    /// This token asked too often, or its organization records too much: try again after `retryAfterMs`.
    RateLimited,
    /// The query or search asks for more work than one request may cause.
    QueryTooComplex,
    /// The database cannot be used at the moment, or the `issuer` that could tell whether the token is good: try again,
    /// after `retryAfterMs` where it is there.
    Unavailable,
    /// A fault of the service; the request id finds it in the service's log.
    Internal,
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
}

impl Code {
    /// The code as clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::PlanRequired => "PLAN_REQUIRED",
            Self::NotFound => "NOT_FOUND",
            Self::Expired => "EXPIRED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Conflict => "CONFLICT",
            Self::Held => "HELD",
            Self::LimitReached => "LIMIT_REACHED",
            Self::Overloaded => "OVERLOADED",
            Self::RateLimited => "RATE_LIMITED",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
        }
    }

    /// The HTTP status (RFC 9110) of an answer that consists of this error alone. A number: whoever checks events apart
    /// from the service links this module, and no HTTP library.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::PlanRequired => 403,
            Self::NotFound => 404,
            Self::Expired => 410,
            Self::Conflict | Self::Held => 409,
            Self::RateLimited => 429,
            Self::Overloaded | Self::Unavailable => 503,
            Self::LimitReached => 507,
            Self::Internal => 500,
            Self::BadUserInput | Self::QueryTooComplex | Self::GraphqlParseFailed | Self::GraphqlValidationFailed => {
                400
            }
        }
    }
}

/// Everything that can go wrong, by what the caller would do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// We do not know the caller. The text never helps an attacker.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// We know the caller, and the answer is no.
    #[error("{0}")]
    Forbidden(String),
    /// The organization's plan does not include this.
    #[error("the audit log is part of the plan {}", plans.join(" or "))]
    PlanRequired {
        /// The plans that would do.
        plans: Vec<String>,
    },
    /// Not there, or not the caller's.
    #[error("{0}")]
    NotFound(String),
    /// It has left the log.
    #[error("the event has left the log: it was kept for as long as events are kept")]
    Expired,
    /// The organization has ended.
    #[error("the organization has ended: nothing of it is left, and nothing is recorded for it any more")]
    Ended,
    /// The caller's input breaks a rule.
    #[error("{field}: {}", sentence(rule, given.as_deref(), suggestions))]
    BadInput {
        /// The input field, as a GraphQL path below the argument.
        field: String,
        /// The rule that it breaks, in words.
        rule: String,
        /// The name that was given, where the sentence tells it and the nearest ones.
        given: Option<String>,
        /// The nearest names that would have been accepted.
        suggestions: Vec<String>,
    },
    /// A part of a query text breaks a rule.
    #[error("query: at {}: {rule}", at.start + 1)]
    BadQuery {
        /// Where it stands, in characters.
        at: std::ops::Range<usize>,
        /// The rule that it breaks, in words.
        rule: String,
        /// What would have been accepted.
        suggestions: Vec<String>,
    },
    /// Something else was recorded under the same key.
    #[error("idempotencyKey: was used for another event")]
    Conflict {
        /// Id of the event that was there first; `None` where it lies in a log that the caller's token is not for.
        existing: Option<String>,
    },
    /// A hold keeps what was to go.
    #[error("the hold {label:?} ({hold}) keeps {}: nothing was done", kept(*.events))]
    Held {
        /// Id of the hold.
        hold: String,
        /// What people call it.
        label: String,
        /// How many events it keeps, as far as was looked; `None` where it counts that there is one.
        events: Option<i64>,
    },
    /// An organization that has recorded nothing yet, and the database has given all its numbers.
    #[error("organization: this database has numbered as many organizations as it can, and this one is new to it")]
    NoOrganizationLeft,
    /// A queue is full, of what is to be recorded or read, or the memory for bodies.
    #[error("more is waiting than fits at the moment, try again")]
    Overloaded {
        /// When a new attempt makes sense, milliseconds.
        retry_after_ms: u64,
    },
    /// The caller asked too often, or recorded too much.
    #[error("too many requests with this token, or events of this organization, try again")]
    RateLimited {
        /// When a new attempt makes sense, milliseconds.
        retry_after_ms: u64,
    },
    /// More work than one request may cause.
    #[error("{0}")]
    TooComplex(String),
    /// A question that the database gave up at its time limit.
    #[error("the question took longer than one request may: narrow it by dates or filters")]
    TimedOut,
    /// The database is locked, gone, full or read-only.
    #[error("the database cannot be used at the moment, try again")]
    Unavailable(#[source] std::sync::Arc<dyn std::error::Error + Send + Sync>),
    /// The database was restored or put back, and nobody has decided that it goes on from there.
    #[error(
        "nothing is recorded: the database was restored, or put back to an earlier state, and whoever runs the service has \
         not opened it with `ledgerline open` yet"
    )]
    Closed,
    /// No key at hand fits the token, and its issuer, who may have newer ones, does not answer.
    #[error(
        "who is asking cannot be checked at the moment, because the issuer of the token does not answer, try again"
    )]
    IssuerDown {
        /// The issuer.
        issuer: String,
        /// When a new attempt makes sense, milliseconds.
        retry_after_ms: u64,
    },
    /// A fault of ours.
    #[error("internal error")]
    Internal(#[source] std::sync::Arc<dyn std::error::Error + Send + Sync>),
}

fn kept(events: Option<i64>) -> String {
    events.map_or_else(|| "events of this organization".to_owned(), |events| format!("{events} of these events"))
}

impl Error {
    /// Input that breaks a rule: `field` "must …" (`rule`).
    pub fn bad_input(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::BadInput { field: field.into(), rule: rule.into(), given: None, suggestions: Vec::new() }
    }

    /// A log that a token narrowed to logs is not for.
    #[must_use]
    pub fn other_logs() -> Self {
        Self::Forbidden("this token is for other logs".to_owned())
    }

    /// An event of an atomic request, left out because another one of it was refused.
    #[must_use]
    pub fn left_out() -> Self {
        Self::bad_input("atomic", "nothing was recorded, because another event of the request was refused")
    }

    /// Something that is not there, or not the caller's.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::NotFound(format!("there is no such {what}"))
    }

    /// A fault of ours, with its cause.
    pub fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(std::sync::Arc::new(cause))
    }

    /// What it comes from, for the log of the service; empty where that is said already.
    #[must_use]
    pub fn cause_text(&self) -> String {
        std::error::Error::source(self).map(ToString::to_string).unwrap_or_default()
    }

    /// The code that clients see.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unauthenticated(_) => Code::Unauthenticated,
            Self::Forbidden(_) => Code::Forbidden,
            Self::PlanRequired { .. } => Code::PlanRequired,
            Self::NotFound(_) => Code::NotFound,
            Self::Expired | Self::Ended => Code::Expired,
            Self::BadInput { .. } | Self::BadQuery { .. } => Code::BadUserInput,
            Self::Conflict { .. } => Code::Conflict,
            Self::Held { .. } => Code::Held,
            Self::NoOrganizationLeft => Code::LimitReached,
            Self::Overloaded { .. } => Code::Overloaded,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::TooComplex(_) | Self::TimedOut => Code::QueryTooComplex,
            Self::Unavailable(_) | Self::Closed | Self::IssuerDown { .. } => Code::Unavailable,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// Whether it answers the question of whether something may be done: it may not. Other errors leave that open.
    #[must_use]
    pub fn is_no(&self) -> bool {
        match self.code() {
            Code::Unauthenticated
            | Code::Forbidden
            | Code::PlanRequired
            | Code::NotFound
            | Code::Expired
            | Code::BadUserInput => true,
            Code::Conflict
            | Code::Held
            | Code::LimitReached
            | Code::Overloaded
            | Code::RateLimited
            | Code::QueryTooComplex
            | Code::Unavailable
            | Code::Internal
            | Code::GraphqlParseFailed
            | Code::GraphqlValidationFailed => false,
        }
    }

    /// The same error, its field named below `prefix` (`events[3]` and `action` give `events[3].action`).
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        match self {
            Self::BadInput { field, rule, given, suggestions } => {
                let field = if field.is_empty() { prefix.to_owned() } else { format!("{prefix}.{field}") };
                Self::BadInput { field, rule, given, suggestions }
            }
            other => other,
        }
    }
}

/// The rule, with the name that was given before it and the nearest names behind it.
fn sentence(rule: &str, given: Option<&str>, suggestions: &[String]) -> String {
    match given {
        None => rule.to_owned(),
        Some(given) if suggestions.is_empty() => format!("{given:?} {rule}"),
        Some(given) => format!("{given:?} {rule}; the nearest are {}", suggestions.join(", ")),
    }
}
