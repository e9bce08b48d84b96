//! Who may do what, whole: every role, plan, set of scopes and narrowing to logs, in every product, for every operation.
//! What is expected is said here once more, in the words of `docs/access.md`, from the product files as they are written.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ledgerline::{
    auth::{LogName, Principal, policy},
    catalog::{Feature, Product, Products},
    error::Result,
    event::{OrganizationId, Timestamp},
};
use toml_span::Value;

/// A product in which everything is another than in those that come with the service.
const STRICT: &str = r#"
name = "strict"
label = "Strict"
retention = "forever"
record_reads = "access"

[[issuers]]
issuer = "https://auth.strict.example"
audience = "ledgerline"
[[issuers.keys]]
secret_env = "LEDGERLINE_KEY_STRICT"

[access]
scopes = ["logs:view", "audit:read"]
roles = ["Auditor", "viewer"]
plans = ["pro", "team"]
case_sensitive = true

[management]
roles = ["keeper"]
plans = []
features = ["tokens", "exports", "organization_end"]

[[levels]]
name = "organization"
label = "Organization"

[[levels]]
name = "project"
label = "Project"
parent = "organization"
on_delete = "KEEP"

[[levels]]
name = "access"
label = "Access"
parent = "organization"
on_delete = "KEEP"

[catalog]
open = true

[viewer]
paging = "MORE"
date_filter = "BOTH"
action_display = "NAME"

[[viewer.columns]]
kind = "TIME"
label = "Time"
"#;

/// What a product file says of access, read by nothing of ours.
struct Rules {
    name: String,
    scopes: Vec<String>,
    roles: Vec<String>,
    plans: Vec<String>,
    is_case_sensitive: bool,
    /// Roles, plans and features, where the section is there.
    management: Option<(Vec<String>, Vec<String>, Vec<String>)>,
    levels: Vec<String>,
    record_reads: Option<String>,
}

fn texts(value: &Value<'_>) -> Vec<String> {
    value.as_array().expect("a list").iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

impl Rules {
    fn of(text: &str) -> Self {
        let file = toml_span::parse(text).expect("TOML");
        let list = |pointer: &str| file.pointer(pointer).map(texts);
        let word = |pointer: &str| file.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (roles, plans) = (list("/access/roles").unwrap_or_default(), list("/access/plans").unwrap_or_default());
        let all =
            ["tokens", "exports", "endpoints", "rules", "retention", "holds", "erasure", "views"].map(str::to_owned);
        let management = file.pointer("/management").map(|_| {
            (
                list("/management/roles").unwrap_or_else(|| roles.clone()),
                list("/management/plans").unwrap_or_else(|| plans.clone()),
                list("/management/features").unwrap_or_else(|| all.to_vec()),
            )
        });
        let levels = file.pointer("/levels").and_then(Value::as_array).expect("levels");
        let name_of = |level: &Value<'_>| level.pointer("/name").and_then(Value::as_str).expect("a name").to_owned();
        Self {
            name: word("/name").expect("a name"),
            scopes: list("/access/scopes").unwrap_or_else(|| vec!["audit:read".to_owned()]),
            is_case_sensitive: file.pointer("/access/case_sensitive").and_then(Value::as_bool).unwrap_or(false),
            roles,
            plans,
            management,
            levels: levels.iter().map(name_of).collect(),
            record_reads: word("/record_reads"),
        }
    }

    fn lists(&self, list: &[String], names: &[String]) -> bool {
        let is_same = |a: &str, b: &str| a == b || (!self.is_case_sensitive && a.eq_ignore_ascii_case(b));
        list.is_empty() || names.iter().any(|name| list.iter().any(|own| is_same(own, name)))
    }
}

/// Somebody with a token.
#[derive(Clone, Debug)]
struct Who {
    organization: Option<&'static str>,
    scopes: Vec<String>,
    roles: Vec<String>,
    plan: Option<String>,
    logs: Vec<(String, &'static str)>,
    is_partner: bool,
}

/// What somebody wants to do. Levels are numbers, 0 that of the organization.
#[derive(Clone, Copy, Debug)]
enum Wish {
    /// Read a log: of a level and an id, or the one that is meant where none is named.
    Read(Option<(usize, &'static str)>),
    ReadEach,
    Find,
    Record,
    DeleteLog(usize),
    Manage(Feature),
    SetPlan,
    Export,
    SaveViews,
    ShareViews,
}

const OK: &str = "yes";
const NOT_FOUND: &str = "NOT_FOUND";
const FORBIDDEN: &str = "FORBIDDEN";
const PLAN: &str = "PLAN_REQUIRED";
const INPUT: &str = "BAD_USER_INPUT";

/// What the documentation says of it.
fn expected(rules: &Rules, who: &Who, asked: Option<&str>, wish: Wish) -> &'static str {
    let has = |scope: &str| who.scopes.iter().any(|own| own == scope);
    let is_staff = has("audit:staff");
    let is_named_in_full = !matches!(wish, Wish::Find);
    // An organization that is not the token's does not exist, but for staff.
    if is_named_in_full && !is_staff && who.organization.is_some() && asked.is_some() && asked != who.organization {
        return NOT_FOUND;
    }
    let organization = asked.or(who.organization);
    // A token that names an organization's own log is for all of it; one that names only those of others, for nothing.
    let top = &rules.levels[0];
    let is_for_all = |organization: &str| who.logs.iter().any(|(level, id)| level == top && *id == organization);
    let narrowed = |organization: &str| -> Result<usize, &'static str> {
        let nested = who.logs.iter().filter(|(level, _)| level != top).count();
        match () {
            () if is_for_all(organization) || who.logs.is_empty() => Ok(0),
            () if nested == 0 => Err(FORBIDDEN),
            () => Ok(nested),
        }
    };
    let plans = who.plan.as_slice();
    let reads = || {
        let has_scope = rules.scopes.iter().any(|scope| has(scope));
        has_scope && (is_staff || (rules.lists(&rules.roles, &who.roles) && who.organization.is_some()))
    };
    let includes = || is_staff || rules.lists(&rules.plans, plans);
    let offers =
        |feature: &str| rules.management.as_ref().is_some_and(|(_, _, all)| all.iter().any(|one| one == feature));
    let plan = |is_included: bool| if is_included { OK } else { PLAN };
    let place = || match organization {
        None => Err(INPUT),
        Some(organization) => narrowed(organization).map(|nested| (organization, nested)),
    };
    match wish {
        Wish::Read(_) | Wish::ReadEach | Wish::Find if !reads() => FORBIDDEN,
        Wish::Find => match who.organization.filter(|_| !is_staff).map_or(Ok(0), narrowed) {
            Err(refusal) => refusal,
            Ok(_) => plan(includes()),
        },
        Wish::ReadEach => place().map_or_else(|refusal| refusal, |_| plan(includes())),
        Wish::Read(log) => match (place(), log) {
            (Err(refusal), _) => refusal,
            (Ok((_, 2..)), None) => INPUT,
            (Ok((organization, _)), Some((0, id))) if id != organization => NOT_FOUND,
            (Ok((_, 1..)), Some((0, _))) => FORBIDDEN,
            (Ok(_), _) => plan(includes()),
        },
        Wish::Record if !has("audit:record") => FORBIDDEN,
        Wish::Record => place().map_or_else(|refusal| refusal, |_| OK),
        Wish::DeleteLog(_) | Wish::Manage(_) | Wish::SetPlan | Wish::ShareViews if !has("audit:manage") => FORBIDDEN,
        Wish::DeleteLog(level) => match place() {
            Err(refusal) => refusal,
            Ok(_) if level == 0 || rules.record_reads.as_ref() == Some(&rules.levels[level]) => INPUT,
            Ok(_) => OK,
        },
        Wish::Manage(feature) => {
            let Some((roles, plans_of_managers, _)) = &rules.management else { return FORBIDDEN };
            let may = !who.is_partner && offers(feature.as_str()) && (is_staff || rules.lists(roles, &who.roles));
            match place() {
                _ if !may => FORBIDDEN,
                Err(refusal) => refusal,
                Ok(_) => plan(is_staff || rules.lists(plans_of_managers, plans)),
            }
        }
        Wish::SetPlan => match place() {
            Err(refusal) => refusal,
            Ok(_) if who.is_partner || (who.organization.is_some() && !is_staff) => FORBIDDEN,
            Ok(_) => OK,
        },
        Wish::Export => match place() {
            _ if !(has("audit:export") || has("audit:manage")) || who.is_partner || !offers("exports") || !reads() => {
                FORBIDDEN
            }
            Err(refusal) => refusal,
            Ok(_) => plan(includes()),
        },
        Wish::SaveViews => match place() {
            _ if who.is_partner || !reads() => FORBIDDEN,
            Err(refusal) => refusal,
            Ok(_) => plan(includes()),
        },
        // What all readers see is managed, and by nobody who sees a part alone.
        Wish::ShareViews => match (expected(rules, who, asked, Wish::Manage(Feature::Views)), place()) {
            (OK, Ok((_, 1..))) => FORBIDDEN,
            (answer, _) => answer,
        },
    }
}

/// What the policy says of it.
fn answered(p: &Principal, asked: Option<&str>, wish: Wish) -> &'static str {
    fn code<T>(answer: Result<T>) -> &'static str {
        answer.map_or_else(|error| error.code().as_str(), |_| OK)
    }
    let log = |level: usize, id: &str| LogName::new(p.product.levels[level].name.clone(), id);
    match wish {
        Wish::Read(named) => code(policy::may_read(p, asked, named.map(|(level, id)| log(level, id)), None)),
        Wish::ReadEach => code(policy::may_read_each(p, asked, None)),
        Wish::Find => code(policy::may_find(p)),
        Wish::Record => code(policy::may_record(p, asked)),
        Wish::DeleteLog(level) => code(policy::may_manage(p, asked, &log(level, "x"))),
        Wish::Manage(feature) => code(policy::may_administer(p, asked, feature)),
        Wish::SetPlan => code(policy::may_set_plan(p, asked)),
        Wish::Export => code(policy::may_export(p, asked)),
        Wish::SaveViews => code(policy::may_save_views(p, asked)),
        Wish::ShareViews => code(policy::may_share_views(p, asked)),
    }
}

/// Names in a file, each in capitals as well, and one that it has not.
fn named(lists: &[&[String]]) -> Vec<String> {
    let all: BTreeSet<String> = lists.iter().copied().flatten().cloned().collect();
    let capitals = all.iter().map(|name| name.to_uppercase());
    capitals.chain(all.iter().cloned()).chain(["somebody".to_owned()]).collect::<BTreeSet<_>>().into_iter().collect()
}

fn subsets(scopes: &[String]) -> Vec<Vec<String>> {
    let chosen = |set: usize| scopes.iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1);
    (0..1usize << scopes.len()).map(|set| chosen(set).map(|(_, scope)| scope.clone()).collect()).collect()
}

fn everybody(rules: &Rules) -> Vec<Who> {
    let (roles_of_managers, plans_of_managers, _) = rules.management.clone().unwrap_or_default();
    let mut roles: Vec<Vec<String>> =
        named(&[&rules.roles, &roles_of_managers]).into_iter().map(|role| vec![role]).collect();
    roles.push(Vec::new());
    let plans = named(&[&rules.plans, &plans_of_managers]).into_iter().map(Some).chain([None]).collect::<Vec<_>>();
    let own = ["audit:record", "audit:manage", "audit:export", "audit:staff"].map(str::to_owned);
    let scopes = subsets(&[rules.scopes.as_slice(), &own].concat());
    let (top, below) = (rules.levels[0].clone(), rules.levels.last().expect("a level").clone());
    let mut logs = vec![vec![], vec![(top.clone(), "acme")], vec![(top.clone(), "globex")]];
    if below != top {
        logs.push(vec![(below.clone(), "p1")]);
        logs.push(vec![(below.clone(), "p1"), (below.clone(), "p2")]);
        logs.push(vec![(top, "globex"), (below, "p1")]);
    }
    let mut all = Vec::new();
    for scopes in &scopes {
        for roles in &roles {
            for plan in &plans {
                for logs in &logs {
                    for (organization, is_partner) in [(Some("acme"), false), (Some("acme"), true), (None, false)] {
                        let (scopes, roles, plan, logs) = (scopes.clone(), roles.clone(), plan.clone(), logs.clone());
                        all.push(Who { organization, scopes, roles, plan, logs, is_partner });
                    }
                }
            }
        }
    }
    all
}

fn principal(product: &Arc<Product>, who: &Who) -> Principal {
    Principal {
        product: product.clone(),
        organization: who.organization.map(|id| OrganizationId::new("org", id).expect("an id")),
        subject: "usr_1".to_owned(),
        scopes: who.scopes.clone(),
        roles: who.roles.clone(),
        plan: who.plan.clone(),
        plan_is_kept: false,
        email: None,
        name: None,
        logs: who.logs.iter().map(|(level, id)| LogName::new(level.clone(), *id)).collect(),
        expires_at: Timestamp(0),
        is_partner: who.is_partner,
    }
}

#[test]
fn the_policy_is_what_the_product_files_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = vec![STRICT.to_owned()];
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("products")).expect("products") {
        files.push(std::fs::read_to_string(file.expect("a file").path()).expect("a text"));
    }
    for text in &files {
        std::fs::write(folder.path().join(format!("{}.toml", Rules::of(text).name)), text).expect("written");
    }
    let products = Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let (mut cells, mut answers) = (0, BTreeSet::new());
    for rules in files.iter().map(|text| Rules::of(text)) {
        let product = products.get(&rules.name).expect("a product");
        let levels = 0..rules.levels.len();
        let mut wishes = vec![
            Wish::Read(None),
            Wish::Read(Some((0, "acme"))),
            Wish::ReadEach,
            Wish::Find,
            Wish::Record,
            Wish::SetPlan,
            Wish::Export,
            Wish::SaveViews,
            Wish::ShareViews,
        ];
        wishes.extend(levels.clone().skip(1).map(|level| Wish::Read(Some((level, "p1")))));
        wishes.extend(levels.map(Wish::DeleteLog));
        wishes.extend(Feature::ALL.map(Wish::Manage));
        for who in everybody(&rules) {
            let principal = principal(product, &who);
            for &wish in &wishes {
                for asked in [None, Some("acme"), Some("globex")] {
                    let (wanted, answer) = (expected(&rules, &who, asked, wish), answered(&principal, asked, wish));
                    assert_eq!(answer, wanted, "{}: {who:?} asks {asked:?} for {wish:?}", rules.name);
                    answers.insert((format!("{wish:?}").split('(').next().map(str::to_owned), wanted));
                    cells += 1;
                }
            }
        }
    }
    // Enough is asked, and each operation is both allowed and refused.
    assert!(cells > 300_000, "{cells}");
    assert!(answers.len() > 20, "{answers:?}");
}
