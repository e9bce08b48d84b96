use std::{collections::BTreeSet, fs};

use super::*;
use crate::event::Outcome;

fn product(name: &str) -> Product {
    Product::clone(Products::built_in().get(name).unwrap())
}

fn names(product: &Product) -> Vec<&str> {
    product.catalog.actions.iter().map(|action| action.name.as_str()).collect()
}

fn faults(files: &[(&str, &str)]) -> String {
    let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    Products::read(files, None).unwrap_err().to_string()
}

const SOUND: &str = r#"
name = "sixth"
label = "Sixth"
issuer = "sixth"
audience = "ledgerline"
retention = "400 days"
[[keys]]
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
fn the_five_products_have_the_actions_that_are_documented() {
    let products = Products::built_in();
    let counts: Vec<_> = products
        .iter()
        .map(|product| {
            let catalog = &product.catalog;
            (
                product.name.as_str(),
                catalog.actions.len(),
                catalog.categories.len(),
                catalog.open,
                catalog.open_prefixes.join(" "),
            )
        })
        .collect();
    insta::assert_debug_snapshot!(counts, @r#"
    [
        (
            "caputchin",
            26,
            4,
            false,
            "admin.",
        ),
        (
            "cloud-sessions",
            17,
            5,
            false,
            "",
        ),
        (
            "workspace",
            3,
            3,
            true,
            "",
        ),
        (
            "scim-platform",
            47,
            8,
            false,
            "",
        ),
        (
            "capydb",
            26,
            7,
            false,
            "",
        ),
    ]
    "#);
    let caputchin = product("caputchin");
    let staff = names(&caputchin).iter().filter(|name| name.starts_with("admin.")).count();
    assert_eq!((staff, names(&caputchin).len() - staff), (10, 16));
}

#[test]
fn labels_of_a_catalog_are_told_apart() {
    for product in Products::built_in().iter() {
        let labels: BTreeSet<_> = product.catalog.actions.iter().map(|action| action.label.to_lowercase()).collect();
        assert_eq!(labels.len(), product.catalog.actions.len(), "{}", product.name);
        for action in &product.catalog.actions {
            assert!(product.catalog.category(action.category.as_ref().unwrap()).is_some(), "{}", action.name);
        }
    }
}

#[test]
fn scim_categories_have_a_long_and_a_short_label_and_their_actions() {
    let scim = product("scim-platform");
    let counts: Vec<_> = scim
        .catalog
        .categories
        .iter()
        .map(|category| {
            let own = scim.catalog.actions.iter().filter(|action| action.category.as_ref() == Some(&category.code));
            format!("{} ({}): {}", category.label, category.short_label, own.count())
        })
        .collect();
    insta::assert_snapshot!(counts.join("\n"), @r"
    Authentication (Auth): 9
    Member Management (Members): 3
    Roles & Permissions (RBAC): 12
    Connectors (Connectors): 3
    Organization Settings (Org): 4
    API Access Keys (API Keys): 3
    Secrets (Secrets): 3
    SCIM Provisioning (SCIM): 10
    ");
    let failed = scim.catalog.action("auth.login_failed").unwrap();
    assert_eq!((failed.label.as_str(), failed.default_outcome), ("Login failed", Some(Outcome::Failure)));
}

#[test]
fn levels_and_what_deleting_a_log_does_are_as_documented() {
    let told: Vec<_> = Products::built_in()
        .iter()
        .map(|product| {
            let levels: Vec<_> = product
                .levels
                .iter()
                .map(|level| {
                    format!(
                        "{}{}{}",
                        level.name,
                        level.parent.as_ref().map_or(String::new(), |_| format!(" {:?}", level.on_delete)),
                        if level.include_nested { " with nested" } else { "" }
                    )
                })
                .collect();
            format!("{}: {}", product.name, levels.join(" > "))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    caputchin: account > troop Remove > widget Remove
    cloud-sessions: organization
    workspace: organisation > project Keep
    scim-platform: organization
    capydb: organization with nested > project Clear
    ");
    let caputchin = product("caputchin");
    assert_eq!(caputchin.catalog.action("troop.delete").unwrap().levels, ["account"]);
    assert!(product("capydb").catalog.actions.iter().all(|action| action.default_outcome == Some(Outcome::Accepted)));
    assert_eq!(product("capydb").catalog.action("api_key.created").unwrap().levels, ["organization", "project"]);
}

#[test]
fn gates_and_views_are_as_documented() {
    let told: Vec<_> = Products::built_in()
        .iter()
        .map(|product| {
            let (access, viewer) = (&product.access, &product.viewer);
            let columns: Vec<_> = viewer.columns.iter().map(|column| column.label.as_str()).collect();
            format!(
                "{}: roles {:?}, plans {:?}{}, {}, {:?}, {:?}, {:?}, kept {:?}",
                product.name,
                access.roles,
                access.plans,
                if access.hidden_without_plan { " (hidden)" } else { "" },
                columns.join("|"),
                viewer.paging,
                viewer.date_filter,
                viewer.action_display,
                product.retention_days,
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    caputchin: roles [], plans ["apex"] (hidden), Time|Action|Actor|Target|Details, More, Both, Name, kept None
    cloud-sessions: roles ["admin"], plans ["paid"], Event|User|IP|Details|Time, Pages, Range, Name, kept None
    workspace: roles ["admin"], plans [], Event type|Actor|Timestamp|Details, More, None, Name, kept None
    scim-platform: roles ["admin"], plans [], Time|Actor|Action|Category|Resource, More, Presets, Label, kept None
    capydb: roles [], plans [], Time|Actor|Action|Details, More, None, Label, kept None
    "#);
}

#[test]
fn no_key_lies_in_a_built_in_product_and_two_can_be_set() {
    for product in Products::built_in().iter() {
        let variable = format!("LEDGERLINE_KEY_{}", product.name.to_uppercase().replace('-', "_"));
        let [first, next] =
            [variable.clone(), format!("{variable}_NEXT")].map(|variable| KeySource::SecretEnv { variable, kid: None });
        assert_eq!(product.keys, [first, next]);
    }
}

#[test]
fn an_actor_is_called_by_name_else_address_else_kind_and_id() {
    let capydb = product("capydb");
    let label = |kind, id: Option<&str>, name: Option<&str>, email: Option<&str>| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        capydb.actor_label(&Actor { kind, id: text(id), name: text(name), email: text(email) })
    };
    assert_eq!(label(ActorKind::User, Some("u"), Some("Ada"), Some("a@x")), "Ada");
    assert_eq!(label(ActorKind::User, Some("u"), Some(""), Some("a@x")), "a@x");
    assert_eq!(label(ActorKind::User, Some("u_1"), None, None), "Dashboard user u_1");
    assert_eq!(label(ActorKind::Staff, None, None, None), "Platform operator");
    assert_eq!(label(ActorKind::Anonymous, None, None, None), "Anonymous");
}

#[test]
fn a_closed_catalog_admits_its_names_and_prefixes_and_says_what_is_near() {
    let caputchin = product("caputchin").catalog;
    for (name, admitted) in [
        ("session.sign-out", true),
        ("Session.sign-out", false),
        ("admin.troop.inspect", true),
        ("admin.", false),
        ("adminx", false),
        ("", false),
    ] {
        assert_eq!(caputchin.admits(name), admitted, "{name}");
    }
    let capydb = product("capydb").catalog;
    assert_eq!(capydb.nearest("project.delete")[0], "project.deleted");
    assert_eq!(capydb.nearest("Deleted the project")[0], "project.deleted");
    assert_eq!(capydb.nearest("api_key.create").len(), 3);
    assert_eq!(capydb.nearest("\u{1f600}"), Vec::<String>::new());
    assert!(product("workspace").catalog.admits("anything at all"));
    assert_eq!(product("workspace").catalog.label_of("anything at all"), "anything at all");
    assert_eq!(product("scim-platform").catalog.label_of("api_key.created"), "Created API key");
}

#[test]
fn a_word_finds_actions_and_categories_by_their_labels() {
    let scim = product("scim-platform").catalog;
    let found = scim.labelled("oidc", false);
    assert_eq!((found.actions.len(), found.categories.len()), (5, 0));
    assert_eq!(scim.labelled("rbac", false).categories, ["rbac"]);
    assert_eq!(scim.labelled("permissions", false).categories, ["rbac"]);
    assert_eq!(scim.labelled("provis", false), Labelled::default());
    let begun = scim.labelled("provis", true);
    assert_eq!((begun.actions, begun.categories), (vec!["scim.user_provisioned".to_owned()], vec!["scim".to_owned()]));
}

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
    let sixth = products.by_issuer("sixth").unwrap();
    assert_eq!(sixth.keys, [KeySource::JwksFile(folder.path().join("keys/sixth.json"))]);
    assert_eq!(sixth.retention_days, Some(400));
    assert_eq!(sixth.access.scopes, ["audit:read"]);
    assert_eq!((sixth.top_level().name.as_str(), sixth.level("inner").unwrap().0), ("tenant", 1));
    assert!(products.get("capydb").is_none());
}

#[test]
fn all_faults_of_a_file_are_told_at_once_with_their_places() {
    let text = r#"name = "Sixth product"
label = ""
issuer = "https://"
audiance = "ledgerline"
retention = "a while"

[[keys]]
secret_env = "9 LIVES"

[[keys]]
jwks_url = "http://keys.example/jwks"
kid = "one"

[[keys]]
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
    products/sixth.toml:1:1: audience: is missing
    products/sixth.toml:1:9: name: must be a letter and then letters, digits, - and _, at most 64 in all, not "Sixth product"
    products/sixth.toml:2:9: label: must not be empty
    products/sixth.toml:3:11: issuer: must be a name without a colon or a URL, not "https://" (empty host)
    products/sixth.toml:4:1: audiance: is no key of this table; did you mean audience?
    products/sixth.toml:5:14: retention: must be "forever" or a number of days such as "400 days", not "a while"
    products/sixth.toml:8:15: keys[0].secret_env: must be the name of an environment variable, not "9 LIVES"
    products/sixth.toml:11:13: keys[1].jwks_url: must begin with https:// (http:// is for loopback addresses), not "http://keys.example/jwks"
    products/sixth.toml:14:1: keys[2]: must have one of secret_env, secret_file, jwks_file, jwks_url
    products/sixth.toml:18:1: access.hidden_without_plan: needs plans
    products/sixth.toml:19:12: access.scopes[0]: must not have blanks: they part the scopes of a token
    products/sixth.toml:25:14: levels[0].on_delete: is for nested levels: the organization's own log is not deleted
    products/sixth.toml:27:1: levels[1].parent: is missing: tenant is the organization's own level already
    products/sixth.toml:34:11: levels[2].parent: goes round in a circle: a in b in a
    products/sixth.toml:35:14: levels[2].on_delete: must be one of REMOVE, CLEAR, KEEP, not "SHRED"
    products/sixth.toml:40:11: levels[3].parent: goes round in a circle: b in a in b
    products/sixth.toml:43:1: levels[4].on_delete: is missing
    products/sixth.toml:46:11: levels[4].parent: "nowhere" is no level
    products/sixth.toml:48:1: catalog.open: is missing
    products/sixth.toml:49:18: catalog.open_prefixes: must be a list of texts, not a text
    products/sixth.toml:50:30: catalog.default_levels[1]: "tenant" is in the list already
    products/sixth.toml:50:39: catalog.default_levels[2]: must be a text in quotes, not a number
    products/sixth.toml:57:9: catalog.categories[1].code: "one" is the code of a category above already
    products/sixth.toml:63:13: catalog.actions[0].category: "two" is the code of no category
    products/sixth.toml:64:12: catalog.actions[0].levels[0]: "moon" is no level
    products/sixth.toml:67:9: catalog.actions[1].name: "x.y" is the name of an action above already
    products/sixth.toml:72:10: catalog.actions[2].label: "X – Y" is the label of an action above already
    products/sixth.toml:73:20: catalog.actions[2].default_outcome: must be one of SUCCESS, FAILURE, ACCEPTED, not "GOOD"
    products/sixth.toml:74:1: catalog.actions[2].descripton: is no key of this table; did you mean description?
    products/sixth.toml:77:1: actor_labels.ROBOT: is no key of this table; known are USER, API_KEY, SERVICE, STAFF, SYSTEM, ANONYMOUS
    products/sixth.toml:80:11: viewer.paging: must be one of PAGES, MORE, not "ENDLESS"
    products/sixth.toml:81:15: viewer.date_filter: must be a text in quotes, not true or false
    products/sixth.toml:89:9: viewer.columns[1].kind: is the kind of a column above already
    "#);
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    insta::assert_snapshot!(faults(&[("broken.toml", "name = \"broken\"\nlabel = \"é\" oops\n")]), @"broken.toml:2:13: is not TOML: expected newline, found an identifier");
}

#[test]
fn two_files_cannot_have_one_issuer() {
    let seventh = SOUND.replace("name = \"sixth\"", "name = \"seventh\"");
    insta::assert_snapshot!(faults(&[("sixth.toml", SOUND), ("seventh.toml", &seventh)]), @r#"seventh.toml:4:11: issuer: "sixth" is the issuer of sixth.toml already"#);
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
