//! The small vocabulary: texts, phrases and labels, whose words were split by hand; times, logs, fields.

/// A text and its words.
pub(super) type Text = (&'static str, &'static [&'static str]);

/// What real systems send, and what databases choke on.
pub(super) const TEXTS: [Text; 30] = [
    ("create", &["create"]),
    ("CREATE", &["create"]),
    ("Create", &["create"]),
    ("create ", &["create"]),
    ("cre ate", &["cre", "ate"]),
    ("user.login", &["user", "login"]),
    ("user.login.failed", &["user", "login", "failed"]),
    (
        "Update application – Certificates and secrets management ",
        &["update", "application", "certificates", "and", "secrets", "management"],
    ),
    (
        "Update application - Certificates and secrets management",
        &["update", "application", "certificates", "and", "secrets", "management"],
    ),
    ("%", &[]),
    ("_", &[]),
    ("*", &[]),
    ("a*", &["a"]),
    ("a", &["a"]),
    ("a\\*b", &["a", "b"]),
    ("\"quoted\"", &["quoted"]),
    ("d'accord; -- ", &["d", "accord"]),
    ("é", &["e"]),
    ("É", &["e"]),
    ("İstanbul", &["istanbul"]),
    ("日本語 テスト", &["日本語", "テスト"]),
    ("②ｘ", &["2x"]),
    ("ΟΔΟΣ", &["οδοσ"]),
    ("Jo_e%@Example.com", &["jo", "e", "example", "com"]),
    ("jo_e%@example.com", &["jo", "e", "example", "com"]),
    ("joxe@example.com", &["joxe", "example", "com"]),
    ("13", &["13"]),
    ("member", &["member"]),
    ("member.invited", &["member", "invited"]),
    ("(NEAR/2 col:x) AND NOT \u{1f44d}", &["near", "2", "col", "x", "and", "not"]),
];

/// Words as people type them, and as they are meant.
pub(super) const WORDS: [(&str, &str); 28] = [
    ("create", "create"),
    ("CREATE", "create"),
    ("cre", "cre"),
    ("LOGIN", "login"),
    ("user", "user"),
    ("certificates", "certificates"),
    ("a", "a"),
    ("b", "b"),
    ("2x", "2x"),
    ("②ｘ", "2x"),
    ("É", "e"),
    ("İstanbul", "istanbul"),
    ("istanbul", "istanbul"),
    ("日本語", "日本語"),
    ("ΟΔΟΣ", "οδοσ"),
    ("example", "example"),
    ("joxe", "joxe"),
    ("13", "13"),
    ("member", "member"),
    ("signed", "signed"),
    ("Authentication", "authentication"),
    ("near", "near"),
    ("true", "true"),
    ("7", "7"),
    ("in", "in"),
    ("SETTINGS", "settings"),
    ("語", "語"),
    ("login1", "login1"),
];

/// What hangs together in a text, by nothing but the signs of addresses, ids and names.
pub(super) fn chains(text: &str) -> &'static [&'static [&'static str]] {
    match text {
        "user.login" => &[&["user", "login"]],
        "user.login.failed" => &[&["user", "login", "failed"]],
        "d'accord; -- " => &[&["d", "accord"]],
        "Jo_e%@Example.com" | "jo_e%@example.com" => &[&["jo", "e"], &["example", "com"]],
        "joxe@example.com" => &[&["joxe", "example", "com"]],
        "member.invited" => &[&["member", "invited"]],
        "(NEAR/2 col:x) AND NOT \u{1f44d}" => &[&["col", "x"]],
        "3.50" => &[&["3", "50"]],
        _ => &[],
    }
}

/// Things typed without blanks: their words, what hangs together in them, and whether they end with a star.
pub(super) struct Run {
    pub typed: &'static str,
    pub words: &'static [&'static str],
    pub chains: &'static [&'static [&'static str]],
    pub prefix: bool,
}

pub(super) const RUNS: [Run; 13] = {
    const fn one(typed: &'static str, chain: &'static [&'static [&'static str]], prefix: bool) -> Run {
        Run { typed, words: chain[0], chains: chain, prefix }
    }
    const fn parted(
        typed: &'static str,
        words: &'static [&'static str],
        chains: &'static [&'static [&'static str]],
    ) -> Run {
        Run { typed, words, chains, prefix: false }
    }
    [
        one("user.login", &[&["user", "login"]], false),
        one("User-Login", &[&["user", "login"]], false),
        one("user.log*", &[&["user", "log"]], true),
        one("login.failed", &[&["login", "failed"]], false),
        one("login_fail*", &[&["login", "fail"]], true),
        one("EXAMPLE.com", &[&["example", "com"]], false),
        one("joxe@example.com", &[&["joxe", "example", "com"]], false),
        one("e@example.com", &[&["e", "example", "com"]], false),
        one("d’Accord", &[&["d", "accord"]], false),
        one("3.50", &[&["3", "50"]], false),
        one("member.invited", &[&["member", "invited"]], false),
        parted("jo_e%@example.com", &["jo", "e", "example", "com"], &[&["jo", "e"], &["example", "com"]]),
        parted("user/login", &["user", "login"], &[]),
    ]
};

/// Phrases and their words.
pub(super) const PHRASES: [(&str, &[&str]); 9] = [
    ("user login", &["user", "login"]),
    ("User.Login", &["user", "login"]),
    ("login user", &["login", "user"]),
    ("login failed", &["login", "failed"]),
    ("certificates AND secrets", &["certificates", "and", "secrets"]),
    ("日本語 テスト", &["日本語", "テスト"]),
    ("example com", &["example", "com"]),
    ("create", &["create"]),
    ("member", &["member"]),
];

/// Labels of the workspace's catalog, in words.
pub(super) const ACTION_LABELS: [(&str, &[&str]); 3] = [
    ("user.login", &["user", "signed", "in"]),
    ("organisation.settings_updated", &["organisation", "settings", "saved"]),
    ("member.invited", &["member", "invited"]),
];
pub(super) const CATEGORY_LABELS: [(&str, &[&str]); 3] =
    [("authentication", &["authentication"]), ("organisation", &["organisation"]), ("member", &["member"])];

/// 2024-03-01T00:00:00Z.
const BASE: i64 = 1_709_251_200_000_000_000;
pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const DAY: i64 = 86_400 * SECOND;

/// Instants where something could go wrong: neighbours in nanoseconds, microseconds, quarter-hours and days.
pub(super) const TIMES: [i64; 17] = [
    BASE,
    BASE + 1,
    BASE + 999,
    BASE + 1_000,
    BASE + 1_001,
    BASE + SECOND,
    BASE + 900 * SECOND - 1,
    BASE + 900 * SECOND,
    BASE + DAY - 1,
    BASE + DAY,
    BASE + 31 * DAY,
    BASE + 18 * 3_600 * SECOND + 900 * SECOND,
    BASE + 18 * 3_600 * SECOND + 900 * SECOND - 1,
    -1,
    0,
    -2_208_988_800_000_000_000,
    946_684_800_123_456_789,
];

/// The logs: the organization's own, and two projects.
pub(super) const LOGS: [&str; 3] = ["", "p1", "p2"];

pub(super) const ACTION: usize = 0;
pub(super) const CATEGORY: usize = 5;
pub(super) const ACTOR_ID: usize = 2;
pub(super) const ACTOR_NAME: usize = 3;
pub(super) const EMAIL: usize = 4;
pub(super) const RESOURCE_TYPE: usize = 1;
pub(super) const RESOURCE_ID: usize = 2;
pub(super) const RESOURCE_NAME: usize = 3;
pub(super) const IP: usize = 1;
pub(super) const USER_AGENT: usize = 5;
pub(super) const CORRELATION: usize = 3;
pub(super) const SOURCE: usize = 0;
pub(super) const SOURCE_ID: usize = 2;

pub(super) fn show(text: Option<usize>) -> Option<&'static str> {
    text.map(|i| TEXTS[i].0)
}
