mod languages;

use std::fs;

use super::*;
use crate::question::sought::InLabel;

fn faults(files: &[(&str, &str)]) -> String {
    let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    Products::read(files, None).unwrap_err().to_string()
}

const SOUND: &str = r#"
name = "sixth"
label = "Sixth"
retention = "400 days"
[[issuers]]
issuer = "sixth"
audience = "ledgerline"
[[issuers.keys]]
secret_env = "SIXTH"
[access]
[[levels]]
name = "inner"
label = "Inner"
parent = "tenant"
on_delete = "CLEAR"
[[levels]]
name = "tenant"
label = "Tenant"
[catalog]
open = true
[viewer]
paging = "MORE"
date_filter = "NONE"
action_display = "NAME"
[[viewer.columns]]
kind = "TIME"
label = "Time"
"#;

#[test]
fn a_sixth_product_takes_a_file_and_no_code() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("sixth.toml"),
        SOUND.replace("secret_env = \"SIXTH\"", "jwks_file = \"keys/sixth.json\""),
    )
    .unwrap();
    fs::write(folder.path().join("README.md"), "not a product").unwrap();
    let products = Products::load(folder.path()).unwrap();
    assert_eq!(products.iter().count(), 1);
    let sixth = &products.doors("sixth").next().unwrap().product;
    assert_eq!(sixth.issuers[0].keys, [KeySource::JwksFile(folder.path().join("keys/sixth.json"))]);
    assert_eq!(sixth.retention, Keep::Days(400));
    assert_eq!(sixth.access.scopes, ["audit:read"]);
    assert_eq!((sixth.top_level().name.as_str(), sixth.level("inner").unwrap().0), ("tenant", 1));
    assert!(products.get("capydb").is_none());
}

#[test]
fn all_faults_of_a_file_are_told_at_once_with_their_places() {
    let text = r#"name = "Sixth product"
label = ""
retention = "a while"

[[issuers]]
issuer = "https://"
audiance = "ledgerline"

[[issuers.keys]]
secret_env = "9 LIVES"

[[issuers.keys]]
jwks_url = "http://keys.example/jwks"
kid = "one"

[[issuers.keys]]
secret_file = "a"
jwks_file = "b"

[access]
scopes = ["audit read"]
hidden_without_plan = true

[[levels]]
name = "tenant"
label = "Tenant"
on_delete = "KEEP"

[[levels]]
name = "other"
label = "Other"

[[levels]]
name = "a"
label = "A"
parent = "b"
on_delete = "SHRED"

[[levels]]
name = "b"
label = "B"
parent = "a"
on_delete = "KEEP"

[[levels]]
name = "c"
label = "C"
parent = "nowhere"

[catalog]
open_prefixes = "x."
default_levels = ["tenant", "tenant", 5]

[[catalog.categories]]
code = "one"
label = "One"

[[catalog.categories]]
code = "one"
label = "Another"

[[catalog.actions]]
name = "x.y"
label = "X – Y"
category = "two"
levels = ["moon"]

[[catalog.actions]]
name = "x.y"
label = "Second"

[[catalog.actions]]
name = "x.z"
label = "X – Y"
default_outcome = "GOOD"
descripton = "a slip"

[actor_labels]
ROBOT = "Robot"

[viewer]
paging = "ENDLESS"
date_filter = true
action_display = "NAME"

[[viewer.columns]]
kind = "TIME"
label = "Time"

[[viewer.columns]]
kind = "TIME"
label = "Again"
"#;
    insta::assert_snapshot!(faults(&[("products/sixth.toml", text)]), @r#"
    products/sixth.toml:1:9: name: must be a letter and then letters, digits, - and _, at most 64 in all, not "Sixth product"
    products/sixth.toml:2:9: label: must not be empty
    products/sixth.toml:3:14: retention: must be "forever" or a number of days such as "400 days", not "a while"
    products/sixth.toml:5:1: issuers[0].audience: is missing: without it, required must say by which claim its tokens are told from others
    products/sixth.toml:6:11: issuers[0].issuer: must be a name without a colon or a URL, not "https://" (empty host)
    products/sixth.toml:7:1: issuers[0].audiance: is no key of this table; did you mean audience?
    products/sixth.toml:10:15: issuers[0].keys[0].secret_env: must be the name of an environment variable, not "9 LIVES"
    products/sixth.toml:13:13: issuers[0].keys[1].jwks_url: must begin with https:// (http:// is for loopback addresses, or with allow_http = true), not "http://keys.example/jwks"
    products/sixth.toml:16:1: issuers[0].keys[2]: must have one of secret_env, secret_file, jwks_file, jwks_url
    products/sixth.toml:20:1: access.hidden_without_plan: needs plans
    products/sixth.toml:21:12: access.scopes[0]: must not have blanks: they part the scopes of a token
    products/sixth.toml:27:14: levels[0].on_delete: is for nested levels: the organization's own log is not deleted
    products/sixth.toml:29:1: levels[1].parent: is missing: tenant is the organization's own level already
    products/sixth.toml:36:11: levels[2].parent: goes round in a circle: a in b in a
    products/sixth.toml:37:14: levels[2].on_delete: must be one of REMOVE, CLEAR, KEEP, not "SHRED"
    products/sixth.toml:42:11: levels[3].parent: goes round in a circle: b in a in b
    products/sixth.toml:45:1: levels[4].on_delete: is missing
    products/sixth.toml:48:11: levels[4].parent: "nowhere" is no level
    products/sixth.toml:50:1: catalog.open: is missing
    products/sixth.toml:51:18: catalog.open_prefixes: must be a list of texts, not a text
    products/sixth.toml:52:30: catalog.default_levels[1]: "tenant" is in the list already
    products/sixth.toml:52:39: catalog.default_levels[2]: must be a text in quotes, not a number
    products/sixth.toml:59:9: catalog.categories[1].code: "one" is the code of a category above already
    products/sixth.toml:65:13: catalog.actions[0].category: "two" is the code of no category
    products/sixth.toml:66:12: catalog.actions[0].levels[0]: "moon" is no level
    products/sixth.toml:69:9: catalog.actions[1].name: "x.y" is the name of an action above already
    products/sixth.toml:74:10: catalog.actions[2].label: "X – Y" is the label of an action above already
    products/sixth.toml:75:20: catalog.actions[2].default_outcome: must be one of SUCCESS, FAILURE, ACCEPTED, not "GOOD"
    products/sixth.toml:76:1: catalog.actions[2].descripton: is no key of this table; did you mean description?
    products/sixth.toml:79:1: actor_labels.ROBOT: is no key of this table; known are USER, API_KEY, SERVICE, STAFF, SYSTEM, ANONYMOUS
    products/sixth.toml:82:11: viewer.paging: must be one of PAGES, MORE, not "ENDLESS"
    products/sixth.toml:83:15: viewer.date_filter: must be a text in quotes, not true or false
    products/sixth.toml:91:9: viewer.columns[1].kind: is the kind of a column above already
    "#);
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    insta::assert_snapshot!(faults(&[("broken.toml", "name = \"broken\"\nlabel = \"é\" oops\n")]), @"broken.toml:2:13: is not TOML: expected newline, found an identifier");
}

#[test]
fn two_files_have_one_issuer_where_the_audience_tells_them_apart() {
    let seventh = SOUND.replace("name = \"sixth\"", "name = \"seventh\"");
    insta::assert_snapshot!(faults(&[("sixth.toml", SOUND), ("seventh.toml", &seventh)]), @r#"seventh.toml:6:11: issuers[0].issuer: "sixth" makes tokens of sixth.toml already, for the same audience"#);
    let told_apart = seventh.replace("audience = \"ledgerline\"", "audience = \"seventh\"");
    let files = [("sixth.toml", SOUND), ("seventh.toml", told_apart.as_str())];
    let products = Products::read(files.map(|(file, text)| (file.to_owned(), text.to_owned())), None).unwrap();
    let doors: Vec<_> = products.doors("sixth").map(|door| door.product.name.as_str()).collect();
    assert_eq!(doors, ["sixth", "seventh"]);
}

#[test]
fn keys_come_over_tls_or_from_this_machine() {
    for (url, sound) in [
        ("https://keys.example/jwks.json", true),
        ("http://127.0.0.1:8080/jwks", true),
        ("http://[::1]/jwks", true),
        ("http://localhost/jwks", true),
        ("http://localhost.example/jwks", false),
        ("http://10.0.0.1/jwks", false),
        ("https://user:secret@keys.example/jwks", false),
        ("file:///etc/keys", false),
        ("keys.example", false),
    ] {
        let text = SOUND.replace("secret_env = \"SIXTH\"", &format!("jwks_url = {url:?}"));
        assert_eq!(Products::read([("sixth.toml".to_owned(), text)], None).is_ok(), sound, "{url}");
    }
}

#[test]
fn an_unreadable_or_empty_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Products::load(folder.path()).unwrap_err().to_string();
    assert!(empty.ends_with("has no product: no file ends in .toml"), "{empty}");
    let gone = Products::load(&folder.path().join("gone")).unwrap_err().to_string();
    assert!(gone.contains("cannot be read"), "{gone}");
}

#[test]
fn roles_and_plans_compare_without_regard_to_case_unless_the_file_says_so() {
    let rules = |access: &str| {
        let text = SOUND.replace("[access]", &format!("[access]\n{access}"));
        let products = Products::read([("sixth.toml".to_owned(), text)], None).unwrap();
        products.get("sixth").unwrap().access.clone()
    };
    let names = "\"Admin\", \"Größe\", \"ΟΔΟΣ\", \"Éditeur\", \"größer als K\"";
    let lists = format!("roles = [{names}]\nplans = [{names}]");
    let admits = |rules: &AccessRules, name: &str| {
        let (role, plan) = (rules.admits(&["guest".to_owned(), name.to_owned()]), rules.includes(Some(name)));
        assert_eq!(role, plan, "{name}");
        role
    };
    let (any, exact) = (rules(&lists), rules(&format!("{lists}\ncase_sensitive = true")));
    for same in ["Admin", "Größe", "ΟΔΟΣ", "Éditeur"] {
        assert!(admits(&any, same) && admits(&exact, same), "{same}");
    }
    // Sharp s, the sigma at the end of a word, an accent as a character of its own, the sign of kelvin.
    for same in ["ADMIN", "admin", "GRÖSSE", "gröSSe", "οδος", "οδοσ", "E\u{301}DITEUR", "GRÖẞER ALS \u{212A}"]
    {
        assert!(admits(&any, same) && !admits(&exact, same), "{same}");
    }
    for other in ["Admins", "Admın", "Admİn", " Admin", "Editeur", "Grosse", "", "guest"] {
        assert!(!admits(&any, other) && !admits(&exact, other), "{other:?}");
    }
    assert!(!any.admits(&[]) && !any.includes(None));
    assert!(rules("").admits(&[]) && rules("").includes(None), "a list that is not there asks for nothing");
    let twice = SOUND.replace("[access]", "[access]\nroles = [\"admin\", \"owner\", \"ADMIN\"]");
    let told = faults(&[("sixth.toml", &twice)]);
    assert!(told.contains("access.roles[2]") && told.contains("case_sensitive"), "{told}");
    rules("case_sensitive = true\nroles = [\"admin\", \"ADMIN\"]");
}

#[test]
fn faults_of_rules_filters_and_addresses_are_told_with_the_rest() {
    let text = r#"name = "sixth"
label = "Sixth"
retention = "forever"
[[issuers]]
issuer = "sixth"
audience = "ledgerline"
[[issuers.keys]]
secret_env = "SIXTH"
[access]
redirect_href = "javascript:alert(1)"
upgrade_href = "/plans"
[role_labels]
admin = ""
owner = 5
[[levels]]
name = "tenant"
label = "Tenant"
[catalog]
open = false
action_form = "verb noun"
actor_kinds = ["USER", "ROBOT", "USER"]
default_outcomes = ["SUCCESS"]
default_outcome = "ACCEPTED"
open_prefixes = ["x."]
[[catalog.categories]]
code = "one"
label = "One"
descripton = "a slip"
[[catalog.prefixes]]
prefix = "x."
[[catalog.prefixes]]
prefix = "y."
category = "two"
levels = ["moon"]
actor_kinds = ["STAFF"]
outcome = "SUCCESS"
[[catalog.prefixes]]
prefix = "y."
[[catalog.actions]]
name = "x.y"
label = "X Y"
outcomes = ["FAILURE", "MAYBE"]
default_outcome = "SUCCESS"
[actor_labels]
STAFF = "Staff"
[viewer]
plan_title = "Upgrade"
paging = "MORE"
date_filter = "BOTH"
action_display = "NAME"
[[viewer.columns]]
kind = "LOG"
label = "Where"
[[viewer.filters]]
kind = "ACTION"
hint = "Type"
[[viewer.filters]]
kind = "EMAIL"
all_label = "Everybody"
hnt = "Search"
[[viewer.filters]]
kind = "ACTION"
[[viewer.filters]]
kind = "DATES"
"#;
    insta::assert_snapshot!(faults(&[("sixth.toml", text)]), @r#"
    sixth.toml:10:18: access.redirect_href: must be a path such as /settings, or an https address, not "javascript:alert(1)"
    sixth.toml:11:17: access.upgrade_href: needs plans: it is for readers whose plan does not include it
    sixth.toml:13:9: role_labels.admin: must not be empty
    sixth.toml:14:9: role_labels.owner: must be a text in quotes, not a number
    sixth.toml:20:16: catalog.action_form: must be one of resource.action, not "verb noun"
    sixth.toml:21:25: catalog.actor_kinds[1]: must be one of USER, API_KEY, SERVICE, STAFF, SYSTEM, ANONYMOUS, not "ROBOT"
    sixth.toml:21:34: catalog.actor_kinds[2]: "USER" is in the list already
    sixth.toml:23:20: catalog.default_outcome: is none of default_outcomes
    sixth.toml:28:1: catalog.categories[0].descripton: is no key of this table; did you mean description?
    sixth.toml:30:11: catalog.prefixes[0].prefix: "x." is in open_prefixes already
    sixth.toml:33:13: catalog.prefixes[1].category: "two" is the code of no category
    sixth.toml:34:12: catalog.prefixes[1].levels[0]: "moon" is no level
    sixth.toml:35:17: catalog.prefixes[1].actor_kinds[0]: STAFF is not in catalog.actor_kinds
    sixth.toml:36:1: catalog.prefixes[1].outcome: is no key of this table; did you mean outcomes?
    sixth.toml:38:11: catalog.prefixes[2].prefix: "y." is a prefix above already
    sixth.toml:42:25: catalog.actions[0].outcomes[1]: must be one of SUCCESS, FAILURE, ACCEPTED, not "MAYBE"
    sixth.toml:43:20: catalog.actions[0].default_outcome: is none of the outcomes that it takes
    sixth.toml:45:10: actor_labels.STAFF: is not in catalog.actor_kinds
    sixth.toml:47:15: viewer.plan_title: needs plans in access
    sixth.toml:56:9: viewer.filters[0].hint: is for filters to type into: SEARCH and EMAIL
    sixth.toml:59:14: viewer.filters[1].all_label: is for filters with a list to choose from
    sixth.toml:60:1: viewer.filters[1].hnt: is no key of this table; did you mean hint?
    sixth.toml:62:9: viewer.filters[2].kind: is the kind of a filter above already
    sixth.toml:64:9: viewer.filters[3].kind: must be one of SEARCH, CATEGORY, ACTION, EMAIL, OUTCOME, ACTOR_KIND, ACTOR, RESOURCE_TYPE, RESOURCE_ID, RESOURCE_NAME, IP_ADDRESS, LOG, not "DATES"
    "#);
}

#[test]
fn the_catalogs_own_names_have_the_form_that_it_asks_for() {
    let text = SOUND.replace(
        "[catalog]\nopen = true",
        "[catalog]\nopen = true\naction_form = \"resource.action\"\n[[catalog.actions]]\nname = \"login\"\nlabel = \"L\"",
    );
    insta::assert_snapshot!(faults(&[("sixth.toml", &text)]), @"sixth.toml:23:9: catalog.actions[0].name: must have the form resource.action, such as member.invited: words of letters, digits, - and _ with a dot between");
}

#[test]
fn pages_lead_to_paths_and_https_addresses_alone() {
    for (href, sound) in [
        ("/", true),
        ("/settings?tab=members#top", true),
        ("../members", true),
        ("members", true),
        ("https://app.example/plans", true),
        ("http://app.example/plans", false),
        ("//evil.example", false),
        ("/\\evil.example", false),
        ("\\\\evil.example", false),
        ("javascript:alert(1)", false),
        ("JavaScript:alert(1)", false),
        ("java\tscript:alert(1)", false),
        (" javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("vbscript:x", false),
        ("blob:https://app.example/1", false),
        ("https://user:secret@app.example/", false),
        ("https://", false),
        ("mailto:sales@app.example", false),
    ] {
        let text = SOUND.replace("[access]", &format!("[access]\nroles = [\"admin\"]\nredirect_href = {href:?}"));
        let read = Products::read([("sixth.toml".to_owned(), text)], None);
        assert_eq!(read.is_ok(), sound, "{href:?}: {:?}", read.err().map(|faults| faults.to_string()));
    }
}

#[test]
fn what_can_be_managed_is_as_the_readers_until_the_file_says_otherwise() {
    let access = "[access]\nroles = [\"admin\"]\nplans = [\"paid\"]\n";
    let text = SOUND.replace("[access]\n", access);
    let read = |text: &str| {
        let products = Products::read([("sixth.toml".to_owned(), text.to_owned())], None).unwrap();
        products.get("sixth").unwrap().management.clone()
    };
    assert_eq!(read(&text), None, "nothing, without the section");
    let plain = read(&format!("{text}\n[management]\n")).unwrap();
    let readers = Management {
        category: None,
        roles: vec!["admin".to_owned()],
        plans: vec!["paid".to_owned()],
        // The end of an organization cannot be undone: a file has to name it.
        features: Feature::ALL.into_iter().filter(|feature| *feature != Feature::OrganizationEnd).collect(),
        key_prefix: "llk_".to_owned(),
    };
    assert_eq!(plain, readers);
    let own = "[management]\nroles = [\"owner\"]\nplans = []\nfeatures = [\"exports\"]\nkey_prefix = \"ck_live_\"\n";
    let own = read(&format!("{text}\n{own}")).unwrap();
    assert_eq!((own.roles, own.plans, own.features), (vec!["owner".to_owned()], vec![], vec![Feature::Exports]));
    assert_eq!(own.key_prefix, "ck_live_");
}

#[test]
fn faults_of_managing_have_their_places() {
    let section = "[management]\ncategory = \"moon\"\nroles = \"admin\"\nfeatures = [\"tokens\", \"rockets\"]\n\
                   key_prefix = \"Key-\"\nrole = [\"admin\"]\n";
    let text = format!("{SOUND}{section}").replace("issuer = \"sixth\"", "issuer = \"ledgerline\"");
    insta::assert_snapshot!(faults(&[("sixth.toml", &text)]), @r#"
    sixth.toml:6:11: issuers[0].issuer: must not be "ledgerline": that is the issuer of the service's own tokens
    sixth.toml:29:13: management.category: "moon" is the code of no category
    sixth.toml:30:10: management.roles: must be a list of texts, not a text
    sixth.toml:31:24: management.features[1]: must be one of tokens, exports, endpoints, rules, retention, holds, erasure, views, organization_end, not "rockets"
    sixth.toml:32:15: management.key_prefix: must be 3 to 32 lower-case letters, digits and _, with a _ at the end, such as "ck_live_", not "Key-"
    sixth.toml:33:1: management.role: is no key of this table; did you mean roles?
    "#);
    let none = format!("{SOUND}[management]\nfeatures = []\n");
    insta::assert_snapshot!(faults(&[("sixth.toml", &none)]), @"sixth.toml:28:1: management.features: must name what can be managed, or be left out; without the section nothing can be");
}

#[test]
fn an_action_may_say_where_it_stands_in_the_schema_framework() {
    let with = |ocsf: &str| {
        let action = format!("[[catalog.actions]]\nname = \"user.login\"\nlabel = \"Login\"\nocsf = {ocsf}\n");
        SOUND.replace("open = true\n", &format!("open = true\n{action}"))
    };
    let text = with("{ class = \"authentication\", activity = \"Logon\" }");
    let products = Products::read([("sixth.toml".to_owned(), text)], None).unwrap();
    let ocsf = products.get("sixth").unwrap().catalog.rules("user.login").and_then(|rules| rules.ocsf).unwrap();
    assert_eq!((ocsf.class.uid, ocsf.activity), (3002, 1));
    let faulty = |ocsf: &str| faults(&[("sixth.toml", &with(ocsf))]);
    assert!(faulty("{ class = \"magic\", activity = \"Logon\" }").contains("must be one of account_change"));
    assert!(faulty("{ class = \"authentication\", activity = \"Delete\" }").contains("must be one of Logon, Logoff"));
    assert!(faulty("{ class = \"authentication\" }").contains("activity"));
}

#[test]
fn the_services_own_actions_have_labels_and_are_in_no_list() {
    for product in Products::built_in().iter() {
        for (name, label) in management::OWN {
            assert!(product.catalog.action(name).is_none(), "{}: {name}", product.name);
            assert_eq!(product.catalog.label_of(name), label);
            assert!(product.catalog.labelled("audit", InLabel::default()).actions.contains(&name.to_owned()));
            assert!(ActionForm::ResourceAction.fits(name));
        }
    }
    let entry = "[[catalog.actions]]\nname = \"audit_log.token_created\"\nlabel = \"Partner key made\"\n\
                 category = \"keys\"\n[[catalog.categories]]\ncode = \"keys\"\nlabel = \"Keys\"\n[management]\n";
    let text = SOUND.replace("open = true\n", &format!("open = true\n{entry}"));
    let products = Products::read([("sixth.toml".to_owned(), text)], None).unwrap();
    let product = products.get("sixth").unwrap();
    assert_eq!(product.catalog.label_of(management::TOKEN_CREATED), "Partner key made");
    assert!(
        !product.catalog.labelled("audit", InLabel::default()).actions.contains(&management::TOKEN_CREATED.to_owned())
    );
    assert_eq!(product.own_category(management::TOKEN_CREATED).as_deref(), Some("keys"));
    assert_eq!(product.own_category(management::TOKEN_REVOKED), None);
}

#[test]
fn faults_of_routes_are_told_with_their_places() {
    let route = |path: &str, rest: &str| format!("[[routes]]\npath = {path:?}\npaging = \"CURSOR\"\n{rest}");
    let shown = "[routes.envelope]\nitems = \"rows\"\n[routes.fields]\nid = \"id\"\n";
    let sound = ["/v1/a", "/v1/orgs/{organization}/spaces/{inner}/log", "/v1/orgs/{tenant}", "/v1/a.b_c~d-e"];
    for path in sound {
        let text = format!("{SOUND}{}", route(path, shown));
        let products =
            Products::read([("sixth.toml".to_owned(), text)], None).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(products.get("sixth").unwrap().routes[0].address(), path);
    }
    let mut text = SOUND.to_owned();
    for path in [
        "v1/a",
        "/v2/a",
        "/v1",
        "/v1/audit-events/mine",
        "/v1/ledger",
        "/v1/spaces/{outer}",
        "/v1/a//b",
        "/v1/a b",
        "/v1/{inner}/{inner}",
    ] {
        text += &route(path, shown);
    }
    text += &route("/v1/a/{inner}", shown);
    text += &route("/v1/a/b", shown);
    text += r#"[[routes]]
path = "/v1/c"
key_header = "Authorization"
paging = "CURSOR"
envelop = 1
[routes.parameters]
page = "p"
colour = "c"
actions = "x"
categories = "x"
[routes.envelope]
items = "rows"
next = "rows"
total = "total"
[routes.fields]
id = "ID"
when = 5
[routes.actor_kinds]
ROBOT = "robot"
[[routes]]
path = "/v1/d"
paging = "NONE"
[routes.fields]
"#;
    insta::assert_snapshot!(faults(&[("sixth.toml", &text)]));
}

#[test]
fn a_file_says_what_is_masked_and_where_it_slips() {
    use crate::event::masking::{Addresses, Masking};
    let read = |section: &str| {
        let text = SOUND.replace("[viewer]\n", &format!("{section}\n[viewer]\n"));
        Products::read([("sixth.toml".to_owned(), text)], None)
    };
    let masking = |section: &str| read(section).unwrap().get("sixth").unwrap().masking.clone();
    assert_eq!(masking(""), Masking::default());
    assert!(masking("").is_secret("password") && masking("").addresses == Addresses::Keep);
    let more = masking("[masking]\nalso = [\"pin code\"]\nnever = [\"nextToken\"]\nip_address = \"shorten\"");
    let secrets = ["pinCode", "token", "next_token"].map(|key| more.is_secret(key));
    assert_eq!((secrets, more.addresses), ([true, true, false], Addresses::Shorten));
    let none = masking("[masking]\nkeys = []\nip_address = \"omit\"");
    assert_eq!((none.is_secret("password"), none.addresses), (false, Addresses::Omit));
    let faults = |section: &str| read(section).unwrap_err().to_string();
    for (section, said) in [
        ("[masking]\nkeys = [\"a\"]\nalso = [\"b\"]", "masking.also: adds to the usual keys"),
        ("[masking]\nkeys = [\"_-\"]", "masking.keys[0]: must have a letter or a digit"),
        ("[masking]\nip_address = \"hash\"", "masking.ip_address: "),
        ("[masking]\nadresses = \"omit\"", "masking.adresses: is no key of this table"),
        ("[masking]\nalso = \"pin\"", "masking.also: must be a list of texts"),
    ] {
        assert!(faults(section).contains(said), "{}", faults(section));
    }
}

#[test]
fn a_file_names_the_level_that_tells_of_reads() {
    let read = |text: &str, level: &str| {
        let text = text.replace("retention =", &format!("record_reads = \"{level}\"\nretention ="));
        Products::read([("sixth.toml".to_owned(), text)], None)
    };
    let sound = read(SOUND, "inner").unwrap();
    assert_eq!(sound.get("sixth").unwrap().record_reads.as_deref(), Some("inner"));
    let below =
        format!("{SOUND}[[levels]]\nname = \"deep\"\nlabel = \"Deep\"\nparent = \"inner\"\non_delete = \"KEEP\"\n");
    let nested = SOUND.replace("label = \"Tenant\"", "label = \"Tenant\"\ninclude_nested = true");
    for (text, level, said) in [
        (SOUND, "tenant", "must be a level right below the organization's own, with none below it"),
        (SOUND, "other", "\"other\" is no level"),
        (&below, "inner", "with none below it"),
        (&below, "deep", "must be a level right below"),
        (&nested, "inner", "include_nested would list reads"),
    ] {
        let faults = read(text, level).unwrap_err().to_string();
        assert!(faults.contains(&format!("record_reads: {said}")) || faults.contains(said), "{faults}");
    }
}

/// A product with this `[[issuers]]`.
fn with_issuer(issuer: &str) -> Result<Products, ProductErrors> {
    let (head, rest) = SOUND.split_once("[[issuers]]").unwrap();
    let (_, rest) = rest.split_once("[access]").unwrap();
    let text = format!("{head}[[issuers]]\n{issuer}\n[access]{rest}");
    Products::read([("sixth.toml".to_owned(), text)], None)
}

#[test]
fn every_preset_is_sound_and_takes_three_lines() {
    let names = parse::preset_names();
    assert_eq!(names.len(), 13, "{names:?}");
    for name in names {
        let issuer = format!("preset = {name:?}\nissuer = \"https://idp.example/{name}\"\naudience = \"audit\"");
        let products = with_issuer(&issuer).unwrap_or_else(|faults| panic!("{faults}"));
        let issuer = &products.get("sixth").unwrap().issuers[0];
        assert_eq!(issuer.keys, [KeySource::Discovery(format!("https://idp.example/{name}"))]);
        assert_eq!(issuer.allowed_scopes.as_deref().unwrap(), ["audit:read", "audit:export"]);
        assert!(!issuer.any_organization && !issuer.claims.organization.at.is_empty(), "{name}");
    }
}

#[test]
fn faults_of_issuers_have_their_places() {
    let told = |issuer: &str| {
        let text = with_issuer(issuer).err().map(|faults| faults.to_string()).unwrap_or_default();
        text.replace("sixth.toml:", "")
    };
    let keys = "[[issuers.keys]]\nsecret_env = \"A\"";
    for (issuer, fault) in [
        (format!("audience = \"a\"\n{keys}"), "issuers[0].issuer: is missing"),
        (format!("issuer = \"i\"\n{keys}"), "issuers[0].audience: is missing: without it, required must say"),
        ("issuer = \"i\"\naudience = \"a\"".to_owned(), "issuers[0].keys: is missing: say where the keys come from"),
        (
            format!("issuer = \"ledgerline-development\"\naudience = \"a\"\n{keys}"),
            "issuer of the service's own tokens",
        ),
        ("issuer = \"i\"\naudience = \"a\"\ndiscovery = true".to_owned(), "discovery asks there"),
        (
            "issuer = \"http://keycloak:8080/r\"\naudience = \"a\"\ndiscovery = true".to_owned(),
            "with allow_http = true",
        ),
        ("issuer = \"https://a.example/{t}\"\naudience = \"a\"\ndiscovery = true".to_owned(), "is a pattern, of which"),
        (
            "preset = \"auth0\"\nissuer = \"https://a.example/{t}\"\naudience = \"a\"".to_owned(),
            "a pattern needs a jwks_url",
        ),
        (format!("issuer = \"https://{{t}}.example/\"\naudience = \"a\"\n{keys}"), "must have one variable"),
        (format!("issuer = \"https://a.example/x{{t}}\"\naudience = \"a\"\n{keys}"), "must have one variable"),
        (format!("issuer = \"https://a.example/{{t}}/{{u}}\"\naudience = \"a\"\n{keys}"), "must have one variable"),
        (format!("issuer = \"https://a.example/{{}}\"\naudience = \"a\"\n{keys}"), "must have one variable"),
        (format!("preset = \"auth1\"\nissuer = \"i\"\naudience = \"a\"\n{keys}"), "must be one of auth0, clerk"),
        (
            format!("issuer = \"i\"\naudience = \"a\"\nca_file = \"ca.pem\"\n{keys}"),
            "ca_file: is for keys that are fetched",
        ),
        (
            format!("issuer = \"i\"\naudience = \"a\"\ntoken_file = \"token\"\n{keys}"),
            "token_file: is for keys that are fetched",
        ),
        (
            "issuer = \"http://api.cluster/\"\naudience = \"a\"\ndiscovery = true\nallow_http = true\ntoken_file = \"token\""
                .to_owned(),
            "token_file: must not be beside allow_http",
        ),
        (
            format!(
                "issuer = \"i\"\naudience = \"a\"\nallowed_scopes = [\"audit:read\"]\ndefault_scopes = [\"audit:manage\"]\n{keys}"
            ),
            "default_scopes[0]: is not in allowed_scopes",
        ),
        (format!("issuer = \"i\"\naudience = \"a\"\ndefault_scopes = [\"a b\"]\n{keys}"), "must not have blanks"),
        (
            format!("issuer = \"i\"\naudience = \"a\"\n{keys}\n[issuers.claims]\nrole = \"r\""),
            "issuers[0].claims.role: is no key of this table; did you mean roles?",
        ),
        (format!("issuer = \"i\"\naudience = \"a\"\n{keys}\n[issuers.claims]\nroles = \"/a~2\""), "a JSON pointer"),
        (
            format!(
                "issuer = \"i\"\naudience = \"a\"\n{keys}\n[issuers.claims]\nroles = {{ at = \"r\", split = \"dots\" }}"
            ),
            "must be one of nothing, blanks, commas",
        ),
        (
            format!("issuer = \"i\"\naudience = \"a\"\n{keys}\n[issuers.required]\nhd = 5"),
            "must be a text in quotes or a list of them",
        ),
    ] {
        let told = told(&issuer);
        assert!(told.contains(fault), "{issuer}\n{told}");
    }
    for sound in [
        "issuer = \"http://keycloak:8080/r\"\naudience = \"a\"\ndiscovery = true\nallow_http = true",
        "issuer = \"https://a.example/{t}/v2.0\"\naudience = [\"a\", \"b\"]\n[[issuers.keys]]\njwks_url = \"https://a.example/keys\"",
        "preset = \"entra\"\nissuer = \"https://login.microsoftonline.com/{tid}/v2.0\"\naudience = \"a\"",
        "issuer = \"i\"\nkeys = [{ secret_env = \"A\" }]\nrequired = { client_id = [\"a\", \"b\"] }",
    ] {
        with_issuer(sound).unwrap_or_else(|faults| panic!("{sound}\n{faults}"));
    }
}
