//! Saved views: each is its owner's, what is shared is seen by whoever reads the log, and nobody learns of anything else.

use serde_json::{Value, json};

use crate::{
    harness::{Answer, Caller, TestApp, as_of_a_cluster, event, on_both_databases, sql::column},
    retention::erasure,
};

on_both_databases! {
    a_private_view_is_its_owners_alone,
    a_shared_view_is_seen_by_all_readers_and_changed_by_those_who_may_share,
    who_may_not_share_still_takes_back_what_they_shared,
    whoever_may_not_is_told_why,
    a_token_narrowed_to_logs_sees_its_owners_views_alone,
    every_change_is_told_and_of_private_views_no_word,
    what_breaks_a_rule_is_named,
    somebody_has_so_many_views_and_an_organization_shares_so_many,
    creators_at_once_do_not_get_beyond_the_limit,
    what_is_gone_is_not_found_and_changes_nothing,
    any_language_survives_a_restart,
    who_is_erased_keeps_no_private_views,
}

as_of_a_cluster! {
    a_shared_view_is_seen_by_all_readers_and_changed_by_those_who_may_share,
    somebody_has_so_many_views_and_an_organization_shares_so_many,
}

const VIEW: &str = "id label query shared isOwn mayChange mayDelete createdBy";
const QUERY: &str = "q=after%3A7d&outcome=FAILURE&period=LAST_7_DAYS&tz=Europe%2FBerlin";

async fn create(caller: &Caller<'_>, input: Value) -> Answer {
    let query =
        format!("mutation($input: CreateSavedViewInput!) {{ createSavedView(input: $input) {{ view {{ {VIEW} }} }} }}");
    caller.ask(&query, json!({ "input": input })).await
}

/// Saves a view, and gives its id.
pub async fn save(caller: &Caller<'_>, label: &str, shared: bool) -> String {
    let made = create(caller, json!({ "label": label, "query": QUERY, "shared": shared })).await.data();
    made["createSavedView"]["view"]["id"].as_str().expect("an id").to_owned()
}

async fn update(caller: &Caller<'_>, id: &str, mut changes: Value) -> Answer {
    changes["id"] = json!(id);
    let query =
        format!("mutation($input: UpdateSavedViewInput!) {{ updateSavedView(input: $input) {{ view {{ {VIEW} }} }} }}");
    caller.ask(&query, json!({ "input": changes })).await
}

async fn delete(caller: &Caller<'_>, id: &str) -> Answer {
    let query = "mutation($input: SavedViewInput!) { deleteSavedView(input: $input) { view { id label } } }";
    caller.ask(query, json!({ "input": { "id": id } })).await
}

const LIST: &str = "{ auditSavedViews { id label query shared isOwn mayChange mayDelete createdBy } }";

async fn list(caller: &Caller<'_>) -> Vec<Value> {
    caller.data(LIST, json!({})).await["auditSavedViews"].as_array().expect("a list").clone()
}

/// What the caller's views are called, in their order.
async fn labels(caller: &Caller<'_>) -> Vec<String> {
    list(caller).await.iter().map(|view| view["label"].as_str().expect("a label").to_owned()).collect()
}

/// Somebody who reads, and manages nothing.
fn reader<'a>(app: &'a TestApp, organization: &str, subject: &str) -> Caller<'a> {
    app.admin("workspace", organization).scopes("audit:read").subject(subject)
}

async fn a_private_view_is_its_owners_alone(app: &TestApp) {
    let ada = reader(app, "acme", "ada");
    assert!(list(&ada).await.is_empty(), "an organization that nothing was recorded of");
    let id = save(&ada, "Mine", false).await;
    let seen = json!({ "id": id, "label": "Mine", "query": QUERY, "shared": false, "isOwn": true, "mayChange": true,
        "mayDelete": true, "createdBy": "ada" });
    assert_eq!(list(&ada).await, [seen]);
    let others = [
        reader(app, "acme", "bob"),
        app.admin("workspace", "acme"),
        // The same name elsewhere is somebody else.
        reader(app, "globex", "ada"),
        app.admin("scim-platform", "acme").scopes("audit:read").subject("ada"),
        app.caller("workspace").scopes("audit:read audit:staff audit:manage").organization("acme").subject("staff-1"),
    ];
    for other in &others {
        let who = format!("{:?}", other.claims);
        assert!(list(other).await.is_empty(), "{who}");
        assert_eq!(update(other, &id, json!({ "label": "Theirs" })).await.code(), "NOT_FOUND", "{who}");
        assert_eq!(update(other, &id, json!({ "shared": true })).await.code(), "NOT_FOUND", "{who}");
        assert_eq!(delete(other, &id).await.code(), "NOT_FOUND", "{who}");
    }
    let elsewhere = create(&ada, json!({ "organization": "globex", "label": "x", "query": "" })).await;
    assert_eq!(elsewhere.code(), "NOT_FOUND");
    let asked = ada.ask("{ auditSavedViews(organization: \"globex\") { id } }", json!({})).await;
    assert_eq!(asked.code(), "NOT_FOUND");
    let renamed = update(&ada, &id, json!({ "label": "Mine, still", "query": "log=*" })).await.data();
    assert_eq!(renamed["updateSavedView"]["view"]["query"], "log=*");
    assert_eq!(labels(&ada).await, ["Mine, still"]);
    assert_eq!(delete(&ada, &id).await.data()["deleteSavedView"]["view"]["label"], "Mine, still");
    assert!(list(&ada).await.is_empty());
}

async fn a_shared_view_is_seen_by_all_readers_and_changed_by_those_who_may_share(app: &TestApp) {
    let (admin, bob) = (app.admin("workspace", "acme"), reader(app, "acme", "bob"));
    save(&bob, "Bob's", false).await;
    let id = save(&admin, "Failures", true).await;
    let seen = json!({ "id": id, "label": "Failures", "query": QUERY, "shared": true, "isOwn": false,
        "mayChange": false, "mayDelete": false, "createdBy": "admin" });
    assert_eq!(list(&bob).await[1], seen);
    assert_eq!(labels(&admin).await, ["Failures"]);
    for other in [reader(app, "globex", "bob"), app.admin("scim-platform", "acme")] {
        assert!(list(&other).await.is_empty());
    }
    for refused in [
        update(&bob, &id, json!({ "label": "x" })).await,
        update(&bob, &id, json!({ "query": "" })).await,
        update(&bob, &id, json!({ "shared": false })).await,
        delete(&bob, &id).await,
    ] {
        assert_eq!(refused.code(), "FORBIDDEN");
    }
    assert_eq!(labels(&bob).await, ["Bob's", "Failures"]);
    // Whoever else manages the log changes and deletes it. They cannot make it somebody's own.
    let carol = app.admin("workspace", "acme").subject("carol");
    let changed = update(&carol, &id, json!({ "label": "All failures" })).await.data();
    assert_eq!(changed["updateSavedView"]["view"]["createdBy"], "admin");
    assert_eq!(update(&carol, &id, json!({ "shared": false })).await.code(), "FORBIDDEN");
    assert_eq!(labels(&bob).await, ["Bob's", "All failures"]);
    // Its owner takes it back, and then it is nobody else's.
    update(&admin, &id, json!({ "shared": false })).await.data();
    assert_eq!(labels(&bob).await, ["Bob's"]);
    assert_eq!(delete(&carol, &id).await.code(), "NOT_FOUND");
    update(&admin, &id, json!({ "shared": true })).await.data();
    delete(&carol, &id).await.data();
    assert_eq!(labels(&bob).await, ["Bob's"]);
    // Staff see what is shared of the organization that they look at.
    save(&admin, "For all", true).await;
    let staff = app.caller("workspace").scopes("audit:read audit:staff").subject("staff-1");
    let found = staff.data("{ auditSavedViews(organization: \"acme\") { label mayDelete } }", json!({})).await;
    assert_eq!(found["auditSavedViews"], json!([{ "label": "For all", "mayDelete": false }]));
}

async fn who_may_not_share_still_takes_back_what_they_shared(app: &TestApp) {
    let admin = app.admin("workspace", "acme").subject("ada");
    let (one, other) = (save(&admin, "One", true).await, save(&admin, "Other", true).await);
    let ada = reader(app, "acme", "ada");
    let rights: Vec<_> =
        list(&ada).await.iter().map(|view| [view["mayChange"].clone(), view["mayDelete"].clone()]).collect();
    assert_eq!(rights, [[json!(false), json!(true)], [json!(false), json!(true)]]);
    assert_eq!(update(&ada, &one, json!({ "label": "Still seen by all" })).await.code(), "FORBIDDEN");
    update(&ada, &one, json!({ "label": "Mine again", "shared": false })).await.data();
    assert_eq!(update(&ada, &one, json!({ "shared": true })).await.code(), "FORBIDDEN");
    delete(&ada, &other).await.data();
    assert_eq!(labels(&reader(app, "acme", "bob")).await, Vec::<String>::new());
    assert_eq!(labels(&ada).await, ["Mine again"]);
}

async fn whoever_may_not_is_told_why(app: &TestApp) {
    let built_in = app.built_in().await;
    let admin = || built_in.admin("cloud-sessions", "acme");
    let codes = async |caller: Caller<'_>| {
        let shared = create(&caller, json!({ "label": "x", "query": "", "shared": true })).await.code();
        (caller.ask(LIST, json!({})).await.code(), shared)
    };
    let both = |code: &str| (code.to_owned(), code.to_owned());
    assert_eq!(codes(admin().scopes("audit:record audit:manage")).await, both("FORBIDDEN"));
    assert_eq!(codes(admin().role("member")).await, both("FORBIDDEN"));
    assert_eq!(codes(admin().plan("free")).await, both("PLAN_REQUIRED"));
    assert_eq!(built_in.graphql(None, LIST, Value::Null).await.code(), "UNAUTHENTICATED");
    // Who reads alone has views, and shares none. This product offers nothing to manage, so nobody shares.
    let access = "{ viewer { canShareSavedViews { allowed reason } } }";
    for who in [admin().scopes("audit:read"), built_in.admin("caputchin", "acme")] {
        save(&who, "Mine", false).await;
        assert_eq!(create(&who, json!({ "label": "x", "query": "", "shared": true })).await.code(), "FORBIDDEN");
        let access = who.data(access, json!({})).await;
        assert_eq!(access["viewer"]["canShareSavedViews"], json!({ "allowed": false, "reason": "FORBIDDEN" }));
        assert_eq!(labels(&who).await, ["Mine"]);
    }
    let access = admin().data(access, json!({})).await;
    assert_eq!(access["viewer"]["canShareSavedViews"], json!({ "allowed": true, "reason": null }));
    // A token that the service made is no person's: many people look at a page by it.
    let made = "mutation($input: CreateAuditTokenInput!) { createAuditToken(input: $input) { secret } }";
    let input = json!({ "label": "page", "kind": "JWT", "scopes": ["audit:read"], "expiresIn": 600 });
    let made = admin().data(made, json!({ "input": input })).await["createAuditToken"]["secret"].clone();
    assert_eq!(built_in.graphql(made.as_str(), LIST, json!({})).await.code(), "FORBIDDEN");
    built_in.finish().await;
}

async fn a_token_narrowed_to_logs_sees_its_owners_views_alone(app: &TestApp) {
    let admin = app.admin("workspace", "acme").subject("ada");
    let mut nested = event("a.b");
    nested["log"] = json!({ "level": "project", "id": "p1" });
    admin.record(nested).await;
    save(&app.admin("workspace", "acme"), "Shared by another", true).await;
    let own = save(&admin, "Shared by her", true).await;
    let narrowed = app.admin("workspace", "acme").subject("ada").logs(&["project:p1"]);
    save(&narrowed, "Private", false).await;
    assert_eq!(labels(&narrowed).await, ["Shared by her", "Private"]);
    assert_eq!(create(&narrowed, json!({ "label": "x", "query": "", "shared": true })).await.code(), "FORBIDDEN");
    assert_eq!(update(&narrowed, &own, json!({ "label": "x" })).await.code(), "FORBIDDEN");
    assert_eq!(labels(&admin).await, ["Shared by another", "Shared by her", "Private"]);
    // What it does is told in the log that it is for.
    let told = narrowed.actions("filter: { actions: [\"audit_log.view_*\"] }").await;
    assert_eq!(told, ["audit_log.view_created"]);
}

async fn every_change_is_told_and_of_private_views_no_word(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let private = save(&admin, "Whom I suspect", false).await;
    update(&admin, &private, json!({ "label": "Whom I still suspect", "query": "actor=secretive" })).await.data();
    delete(&admin, &private).await.data();
    let shared = save(&admin, "Failures", true).await;
    update(&admin, &shared, json!({ "shared": false })).await.data();
    let query = "{ auditEvents(first: 10, orderBy: { field: SEQUENCE, direction: ASC }) {
        nodes { action actionLabel actor { externalId } resource { type externalId name } metadata } } }";
    let told = admin.data(query, json!({})).await["auditEvents"]["nodes"].clone();
    let told: Vec<_> = told.as_array().expect("nodes").iter().collect();
    let text = serde_json::to_string(&told[..3]).expect("text");
    assert!(!text.contains("suspect") && !text.contains("secretive") && !text.contains("FAILURE"), "{text}");
    let of = |id: &str, name: Value| json!({ "type": "audit_log_view", "externalId": id, "name": name });
    let said = json!({ "shared": true, "label": "Failures", "query": QUERY });
    let actions: Vec<_> = told.iter().map(|event| event["action"].as_str().expect("an action")).collect();
    let [created, updated, deleted] = ["created", "updated", "deleted"].map(|what| format!("audit_log.view_{what}"));
    assert_eq!(actions, [&created, &updated, &deleted, &created, &updated]);
    assert_eq!(told[0]["actionLabel"], "Audit log view saved");
    assert_eq!(told[0]["resource"], of(&private, Value::Null));
    assert_eq!(told[1]["metadata"], json!({ "shared": false }));
    assert_eq!((&told[3]["resource"], &told[3]["metadata"]), (&of(&shared, json!("Failures")), &said));
    assert_eq!(told[4]["metadata"], json!({ "before": said, "after": { "shared": false } }));
    assert_eq!(told[4]["actor"]["externalId"], "admin");
}

async fn what_breaks_a_rule_is_named(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for (label, query, field) in [
        ("", "", "input.label"),
        (" \u{200b}\u{a0}", "", "input.label"),
        (&*"ü".repeat(101), "", "input.label"),
        ("a\u{0}b", "", "input.label"),
        ("x", "event=evt_1", "input.query"),
        ("x", "colour=red", "input.query"),
        ("x", "outcome=FAILED", "input.query"),
        ("x", "q=after%3Anever", "input.query"),
        ("x", "q=a\u{0}", "input.query"),
        ("x", &*format!("action={}", "a".repeat(2_042)), "input.query"),
    ] {
        let refused = create(&admin, json!({ "label": label, "query": query })).await;
        assert_eq!((&*refused.code(), &*refused.field()), ("BAD_USER_INPUT", field), "{label:?} {query:?}");
    }
    assert!(list(&admin).await.is_empty());
    let id = save(&admin, &"👩🏽‍🚀".repeat(25), false).await;
    for (changes, field) in [(json!({ "label": "" }), "input.label"), (json!({ "query": "?q=x" }), "input.query")] {
        let refused = update(&admin, &id, changes).await;
        assert_eq!((&*refused.code(), &*refused.field()), ("BAD_USER_INPUT", field));
    }
    // Two may have one name, as rules and endpoints may.
    save(&admin, "Twice", false).await;
    save(&admin, "Twice", false).await;
    assert_eq!(labels(&admin).await[1..], ["Twice", "Twice"]);
}

async fn somebody_has_so_many_views_and_an_organization_shares_so_many(app: &TestApp) {
    let (admin, bob) = (app.admin("workspace", "acme"), reader(app, "acme", "bob"));
    let mut last = String::new();
    for n in 0..100 {
        save(&admin, &format!("Private {n}"), false).await;
        last = save(&admin, &format!("Shared {n}"), true).await;
    }
    let full = |answer: &Answer| (answer.code(), answer.field());
    let many = ("BAD_USER_INPUT".to_owned(), "input.views".to_owned());
    assert_eq!(full(&create(&admin, json!({ "label": "x", "query": "" })).await), many);
    let carol = app.admin("workspace", "acme").subject("carol");
    assert_eq!(full(&create(&carol, json!({ "label": "x", "query": "", "shared": true })).await), many);
    // Each of the two counts for itself, and what moves needs room where it goes.
    assert_eq!(full(&update(&admin, &last, json!({ "shared": false })).await), many);
    let own = save(&bob, "Bob's", false).await;
    let bob_shares = app.admin("workspace", "acme").subject("bob");
    assert_eq!(full(&update(&bob_shares, &own, json!({ "shared": true })).await), many);
    update(&admin, &last, json!({ "label": "The last" })).await.data();
    delete(&admin, &last).await.data();
    update(&bob_shares, &own, json!({ "shared": true })).await.data();
    assert_eq!(list(&admin).await.len(), 200);
    assert_eq!(list(&bob).await.len(), 100);
}

async fn creators_at_once_do_not_get_beyond_the_limit(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for n in 0..97 {
        save(&admin, &format!("{n}"), true).await;
    }
    let second = app.beside().await;
    let at_once = (0..10).map(|n| {
        let app = if n % 2 == 0 { app } else { &second };
        let caller = app.admin("workspace", "acme").subject(&format!("person {n}"));
        async move {
            let answer = create(&caller, json!({ "label": "at once", "query": "", "shared": true })).await.json();
            answer["errors"][0]["extensions"]["field"].clone()
        }
    });
    let fields = futures_util::future::join_all(at_once).await;
    assert_eq!(fields.iter().filter(|field| *field == "input.views").count(), 7, "{fields:?}");
    assert_eq!(column::<i64>(&app.url, "SELECT count(*) FROM saved_view").await, [100]);
    second.finish().await;
}

async fn what_is_gone_is_not_found_and_changes_nothing(app: &TestApp) {
    let (admin, second) = (app.admin("workspace", "acme"), app.beside().await);
    let id = save(&admin, "Gone", true).await;
    delete(&second.admin("workspace", "acme"), &id).await.data();
    assert_eq!(update(&admin, &id, json!({ "label": "Back" })).await.code(), "NOT_FOUND");
    assert_eq!(delete(&admin, &id).await.code(), "NOT_FOUND");
    assert_eq!(delete(&admin, "view_unknown").await.code(), "NOT_FOUND");
    assert_eq!(delete(&admin, "").await.code(), "NOT_FOUND");
    assert!(list(&admin).await.is_empty());
    assert_eq!(admin.actions("filter: { actions: [\"audit_log.view_*\"] }").await.len(), 2);
    // Of two who delete it at once, one does.
    let id = save(&admin, "Once", true).await;
    let other = second.admin("workspace", "acme");
    let (one, two) = tokio::join!(delete(&admin, &id), delete(&other, &id));
    let gone = [one, two].iter().filter(|answer| answer.json()["data"]["deleteSavedView"].is_null()).count();
    assert_eq!(gone, 1);
    second.finish().await;
}

async fn any_language_survives_a_restart(app: &TestApp) {
    let alone = TestApp::with(app.database, app.products.clone(), |_| {}).await;
    let named = [
        ("失敗したサインイン", "q=%E6%9D%B1%E4%BA%AC"),
        ("تسجيلات الدخول الفاشلة", "resource-name=%D8%A7%D8%AD%D9%85%D8%AF"),
        ("E\u{301}checs 👩🏽‍🚀 \u{202e}txt", "actor-name=%F0%9F%91%A9%F0%9F%8F%BD%E2%80%8D%F0%9F%9A%80"),
    ];
    let admin = alone.admin("workspace", "acme").subject("ünal@例え.jp");
    for (label, query) in named {
        create(&admin, json!({ "label": label, "query": query })).await.data();
    }
    let before = list(&admin).await;
    let alone = alone.again(|_| {}).await;
    let after = list(&alone.admin("workspace", "acme").subject("ünal@例え.jp")).await;
    assert_eq!(after, before);
    let seen: Vec<_> = after.iter().map(|view| (&view["label"], &view["query"])).collect();
    assert_eq!(
        seen,
        named.map(|(label, query)| (json!(label), json!(query))).iter().map(|(l, q)| (l, q)).collect::<Vec<_>>()
    );
    assert_eq!(after[0]["createdBy"], "ünal@例え.jp");
    alone.finish().await;
}

async fn who_is_erased_keeps_no_private_views(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let theirs = app.admin("workspace", "acme").subject("usr_zq7x");
    save(&theirs, "Zephyrine's own", false).await;
    save(&theirs, "For all", true).await;
    save(&admin, "The admin's", false).await;
    save(&app.admin("workspace", "globex").subject("usr_zq7x"), "Elsewhere", false).await;
    erasure::erase(&admin, erasure::whom()).await;
    let left = column::<String>(&app.url, "SELECT label FROM saved_view ORDER BY 1").await;
    assert_eq!(left, ["Elsewhere", "For all", "The admin's"], "what was shared is the organization's");
    // By an address alone, those that the log says they saved.
    let mut by_address = app.admin("workspace", "acme").subject("usr_other");
    by_address.claims.email = Some("Bea@person.example".to_owned());
    save(&by_address, "Bea's own", false).await;
    save(&app.admin("workspace", "acme").subject("usr_third"), "Somebody else's", false).await;
    erasure::erase(&admin, json!({ "actor": { "email": "bea@person.example" } })).await;
    let left = column::<String>(&app.url, "SELECT label FROM saved_view ORDER BY 1").await;
    assert_eq!(left, ["Elsewhere", "For all", "Somebody else's", "The admin's"]);
}
