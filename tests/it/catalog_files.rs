//! Product files: a sixth product is a file and no code, and the folder replaces those built in.

use ledgerline::{auth::OneOrMany, catalog::Products};
use serde_json::{Value, json};

use crate::harness::{TestApp, event, on_both_databases};

const SIXTH: &str = r#"
name = "sixth"
label = "Sixth"
retention = "forever"

[[issuers]]
issuer = "https://auth.sixth.example"
audience = "ledgerline"
[[issuers.keys]]
secret_env = "SIXTH_KEY"

[access]
scopes = ["audit:read"]
roles = ["owner", "auditor"]
plans = ["gold", "platinum"]
hidden_without_plan = true
redirect_href = "/elsewhere?from=audit"
upgrade_href = "https://sixth.example/plans"

[role_labels]
owner = "Owner"

[plan_labels]
Gold = "Gold plan"

[[levels]]
name = "company"
label = "Company"
include_nested = true

[[levels]]
name = "site"
label = "Site"
parent = "company"
on_delete = "KEEP"

[catalog]
open = false
open_prefixes = ["x-"]
actor_kinds = ["USER", "STAFF", "ANONYMOUS"]

[[catalog.categories]]
code = "doors"
label = "Doors and gates"
short_label = "Doors"
description = "What moves on hinges."

[[catalog.prefixes]]
prefix = "patrol "
category = "doors"
levels = ["site"]
actor_kinds = ["STAFF"]
outcomes = ["SUCCESS", "FAILURE"]

[[catalog.actions]]
name = "door opened"
label = "Opened a door"
category = "doors"
default_outcome = "SUCCESS"

[actor_labels]
ANONYMOUS = "A passer-by"

[viewer]
title = "Who went through"
plan_title = "Gold, please"
paging = "PAGES"
date_filter = "BOTH"
action_display = "LABEL"

[[viewer.columns]]
kind = "TIME"
label = "When"

[[viewer.columns]]
kind = "OUTCOME"
label = "How"

[[viewer.columns]]
kind = "LOG"
label = "Where"

[[viewer.filters]]
kind = "OUTCOME"
label = "Result"
all_label = "Any result"
"#;

fn products() -> Products {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sixth.toml"), SIXTH).expect("written");
    std::fs::write(folder.path().join("capydb.toml"), include_str!("../../products/capydb.toml")).expect("written");
    std::fs::write(folder.path().join("notes.txt"), "no product").expect("written");
    Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn a_folder_replaces_the_products_built_in() {
    let names = |products: &Products| products.iter().map(|product| product.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&Products::built_in()), ["caputchin", "cloud-sessions", "workspace", "scim-platform", "capydb"]);
    assert_eq!(names(&products()), ["capydb", "sixth"]);
}

on_both_databases! {
    a_sixth_product_is_a_file_and_no_code,
    a_file_says_whether_case_matters_in_roles_and_plans,
}

async fn a_sixth_product_is_a_file_and_no_code(app: &TestApp) {
    let own = TestApp::with(app.database, products(), |_| {}).await;
    let admin = own.admin("sixth", "acme");
    let mut input = json!({ "action": "door opened", "actor": { "kind": "ANONYMOUS" } });
    input["log"] = json!({ "level": "site", "id": "s1", "name": "Main street" });
    admin.record(input).await;
    assert_eq!(admin.record(event("x-anything")).await["status"], "RECORDED");
    assert_eq!(admin.record_all(vec![event("y")]).await["refused"], 1);
    let page = admin
        .data(
            "{ auditEvents(search: \"gates\") { nodes { actionLabel outcome category { label shortLabel }
        actor { label } log { name } } }
        viewer { product { label paging columns { kind label } levels { name onDelete } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        page["auditEvents"]["nodes"],
        json!([
            {
                "actionLabel": "Opened a door", "outcome": "SUCCESS",
                "category": { "label": "Doors and gates", "shortLabel": "Doors" }, "actor": { "label": "A passer-by" },
                "log": { "name": "Main street" }
            }
        ])
    );
    assert_eq!(
        page["viewer"]["product"],
        json!({
            "label": "Sixth", "paging": "PAGES",
            "columns": [
                { "kind": "TIME", "label": "When" },
                { "kind": "OUTCOME", "label": "How" },
                { "kind": "LOG", "label": "Where" }
            ],
            "levels": [{ "name": "company", "onDelete": "KEEP" }, { "name": "site", "onDelete": "KEEP" }]
        })
    );
    let ask = "{ auditEvents { totalCount } viewer { canReadAuditLog { hidden requiredPlans } } }";
    let auditor = own.admin("sixth", "acme").role("auditor").plan("platinum");
    assert_eq!(auditor.data(ask, json!({})).await["auditEvents"]["totalCount"], 2);
    assert_eq!(own.admin("sixth", "acme").role("guest").ask(ask, json!({})).await.code(), "FORBIDDEN");
    let plan = own.admin("sixth", "acme").plan("bronze").ask(ask, json!({})).await;
    assert_eq!(
        (plan.code().as_str(), &plan.json()["data"]["viewer"]["canReadAuditLog"]),
        ("PLAN_REQUIRED", &json!({ "hidden": true, "requiredPlans": ["gold", "platinum"] }))
    );
    // What it says of its page, its people and its plans.
    let words = own
        .admin("sixth", "acme")
        .plan("GOLD")
        .data(
            "{ catalog { categories { description } prefixes { prefix level actorKinds category { code } } }
        viewer { roleLabel planLabel
        product { title planTitle redirectHref upgradeHref filters { kind label allLabel hint }
        actorKinds { kind label } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        words,
        json!({
            "catalog": {
                "categories": [{ "description": "What moves on hinges." }],
                "prefixes": [
                    { "prefix": "patrol ", "level": "site", "actorKinds": ["STAFF"], "category": { "code": "doors" } },
                    { "prefix": "x-", "level": null, "actorKinds": [], "category": null }
                ]
            },
            "viewer": {
                "roleLabel": "Owner", "planLabel": "Gold plan",
                "product": {
                    "title": "Who went through", "planTitle": "Gold, please", "redirectHref": "/elsewhere?from=audit",
                    "upgradeHref": "https://sixth.example/plans",
                    "filters": [{ "kind": "OUTCOME", "label": "Result", "allLabel": "Any result", "hint": null }],
                    "actorKinds": [
                        { "kind": "USER", "label": "User" },
                        { "kind": "STAFF", "label": "Staff" },
                        { "kind": "ANONYMOUS", "label": "A passer-by" }
                    ]
                }
            }
        })
    );
    // What it says of events that nobody listed.
    let patrol = |kind: &str, outcome: &str, site: bool| {
        let mut input = json!({ "action": "patrol began", "actor": { "kind": kind }, "outcome": outcome });
        if site {
            input["log"] = json!({ "level": "site", "id": "s1" });
        }
        input
    };
    assert_eq!(admin.record(patrol("STAFF", "SUCCESS", true)).await["status"], "RECORDED");
    for (input, field) in [
        (patrol("USER", "SUCCESS", true), "actor.kind"),
        (patrol("API_KEY", "SUCCESS", true), "actor.kind"),
        (patrol("STAFF", "ACCEPTED", true), "outcome"),
        (patrol("STAFF", "SUCCESS", false), "log.level"),
    ] {
        let answer = admin.record_all(vec![input]).await;
        assert_eq!(answer["results"][0]["error"]["field"], format!("events[0].{field}"), "{answer:#}");
    }
    // Products never meet, though an organization has the same name in both.
    assert_eq!(own.admin("capydb", "acme").actions("").await, Vec::<String>::new());
    // A token of a product that is not served is nobody's.
    let foreign = app.admin("workspace", "acme").token();
    assert_eq!(own.graphql(Some(&foreign), "{ viewer { subject } }", Value::Null).await.code(), "UNAUTHENTICATED");
    own.finish().await;
}

async fn a_file_says_whether_case_matters_in_roles_and_plans(app: &TestApp) {
    let folder = tempfile::tempdir().expect("a folder");
    let exact = SIXTH.replace("sixth", "exact").replace("[access]", "[access]\ncase_sensitive = true");
    std::fs::write(folder.path().join("sixth.toml"), SIXTH).expect("written");
    std::fs::write(folder.path().join("exact.toml"), exact).expect("written");
    let products = Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let own = TestApp::with(app.database, products, |_| {}).await;
    let ask = "{ auditEvents { totalCount } viewer { role plan canReadAuditLog { reason requiredPlans } } }";
    for (role, plan, any, exact) in [
        ("owner", "gold", None, None),
        ("OWNER", "gold", None, Some("FORBIDDEN")),
        ("owner", "Gold", None, Some("PLAN_REQUIRED")),
        ("Auditor", "PLATINUM", None, Some("FORBIDDEN")),
        ("owners", "gold", Some("FORBIDDEN"), Some("FORBIDDEN")),
        ("owner", "golden", Some("PLAN_REQUIRED"), Some("PLAN_REQUIRED")),
    ] {
        for (product, expected) in [("sixth", any), ("exact", exact)] {
            let mut caller = own.admin(product, "acme").plan(plan);
            // As `role`, and in a list of `roles`.
            for several in [false, true] {
                caller.claims.role = (!several).then(|| OneOrMany::One(role.to_owned()));
                caller.claims.roles = several.then(|| OneOrMany::Many(vec!["guest".to_owned(), role.to_owned()]));
                let answer = caller.ask(ask, json!({})).await.json();
                assert_eq!(answer["errors"][0]["extensions"]["code"].as_str(), expected, "{product} {role} {plan}");
                let viewer = &answer["data"]["viewer"];
                assert_eq!(viewer["canReadAuditLog"]["reason"].as_str(), expected, "{product} {role} {plan}");
                assert_eq!(viewer["plan"], plan, "shown as the token has it");
                if expected == Some("PLAN_REQUIRED") {
                    assert_eq!(answer["errors"][0]["extensions"]["requiredPlans"], json!(["gold", "platinum"]));
                }
            }
        }
    }
    own.finish().await;
}
