//! What people type and paste finds what they mean: addresses, ids, words of any script, labels, keys.

use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, as_of_a_cluster, event, on_both_databases};

on_both_databases! {
    what_is_pasted_is_one_thing,
    a_pasted_line_or_address_of_a_page_is_found,
    totals_and_facets_of_an_address_are_exact,
    words_of_every_script_are_found_whole,
    accents_points_and_case_do_not_count,
    scripts_without_blanks_are_found_inside,
    a_label_counts_as_a_whole,
    keys_and_parts_of_names_are_found,
    what_has_no_word_is_refused_by_every_door,
    bounds_that_mean_open_are_open,
    what_matched_is_told,
}

as_of_a_cluster! {
    totals_and_facets_of_an_address_are_exact,
}

/// An event that is known by its source's id.
fn named(id: &str, with: Value) -> Value {
    let mut input = json!({ "action": "thing.done", "actor": { "kind": "USER", "id": "u1" }, "sourceEventId": id });
    input.as_object_mut().expect("an object").extend(with.as_object().expect("an object").clone());
    input
}

/// An event that says a text somewhere in its metadata.
fn saying(id: &str, text: &str) -> Value {
    named(id, json!({ "metadata": { "w": text } }))
}

async fn record(admin: &Caller<'_>, events: Vec<Value>) {
    let (sent, done) = (events.len(), admin.record_all(events).await);
    assert_eq!(done["recorded"], sent, "{done:#}");
}

/// The source's ids of what a search finds, sorted; the total says the same.
async fn found(admin: &Caller<'_>, search: &str) -> Vec<String> {
    let query =
        "query($search: String) { auditEvents(first: 100, search: $search) { totalCount nodes { sourceEventId } } }";
    let list = admin.data(query, json!({ "search": search })).await["auditEvents"].clone();
    let nodes = list["nodes"].as_array().expect("nodes");
    assert_eq!(list["totalCount"], nodes.len(), "{search}");
    let mut ids: Vec<_> = nodes.iter().map(|node| node["sourceEventId"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

async fn check(admin: &Caller<'_>, cases: &[(&str, &[&str])]) {
    for (search, expected) in cases {
        assert_eq!(found(admin, search).await, *expected, "{search}");
    }
}

async fn what_is_pasted_is_one_thing(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(
        &admin,
        vec![
            named("hit", json!({ "ipAddress": "10.0.0.1" })),
            named("swapped", json!({ "ipAddress": "10.1.0.0" })),
            named("longer", json!({ "ipAddress": "10.0.0.12" })),
            named("version", json!({ "ipAddress": "192.0.2.5", "userAgent": "Browser/10.0 (x 1)" })),
            saying("elsewhere", "1.0.0.10"),
            saying("port", "from 10.0.0.1:443, retried"),
            saying("page", "http://10.0.0.1/x"),
            saying("parted", "10 0 0 1"),
            named("id", json!({ "resources": [{ "type": "user", "id": "usr_7" }] })),
            named("other-id", json!({ "resources": [{ "type": "user", "id": "usr_70" }], "metadata": { "n": 7 } })),
            named("mail", json!({ "actor": { "kind": "USER", "email": "Jane.Doe@mail.duff.example" } })),
            named("behalf", json!({ "onBehalfOf": { "kind": "USER", "id": "usr_99", "email": "joan@duff.example" } })),
            saying("two", "jane@duff.example doe"),
            saying("uuid", "urn:uuid:b5A12ca4-0001-4a00-8abc-00112233aabb"),
            saying("uuid-other", "b5a12ca4-0001-4a00-8abc-00112233aabc"),
            saying("six", "2001:db8::8:800:200c:417a"),
            saying("long", &format!("arn:aws:iam::123837392027:role/{}/deploy-bot", "path".repeat(20))),
        ],
    )
    .await;
    check(
        &admin,
        &[
            ("10.0.0.1", &["hit", "page", "port"]),
            ("10.0.0.1*", &["hit", "longer", "page", "port"]),
            ("\"10.0.0.1\"", &["hit", "page", "port"]),
            ("10.0.0.1:443", &["port"]),
            ("0.0.1", &["hit", "page", "port"]),
            ("10.0.0", &["hit", "longer", "page", "port"]),
            ("0.0.10", &["elsewhere"]),
            ("\"10 0 0 1\"", &["hit", "page", "parted", "port"]),
            ("usr_7", &["id"]),
            ("usr_7*", &["id", "other-id"]),
            ("USR-7", &["id"]),
            ("jane.doe@mail.duff.example", &["mail"]),
            ("duff.example", &["behalf", "mail", "two"]),
            ("joan@duff.example", &["behalf"]),
            ("usr_99", &["behalf"]),
            ("jane.d*", &["mail", "two"]),
            ("doe@*", &["mail", "two"]),
            ("b5a12ca4-0001-4a00-8abc-00112233aabb", &["uuid"]),
            ("B5A12CA4-0001-4A00*", &["uuid", "uuid-other"]),
            ("b5a12ca4", &["uuid", "uuid-other"]),
            ("2001:db8::8:800:200c:417a", &["six"]),
            ("200c:417a", &["six"]),
            ("arn:aws:iam::123837392027:role", &["long"]),
            ("arn:aws:iam::123837392028:role", &[]),
            ("deploy-bot", &["long"]),
            ("deploy-b*", &["long"]),
            ("usr_7 thing.done", &["id"]),
            ("thing.done 10.0.0.1 port", &[]),
        ],
    )
    .await;
}

async fn a_pasted_line_or_address_of_a_page_is_found(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.130 \
                 Safari/537.36 Edg/120.0.2210.91";
    let page = "https://app.duff.example/org/acme-inc/users?id=usr_7&tab=keys#section-2";
    record(
        &admin,
        vec![
            named("agent", json!({ "userAgent": agent })),
            named("older", json!({ "userAgent": agent.replace("120", "119") })),
            saying("page", page),
            saying("other-page", &page.replace("usr_7", "usr_8")),
        ],
    )
    .await;
    check(
        &admin,
        &[
            (agent, &["agent"]),
            (&format!("\"{agent}\""), &["agent"]),
            (page, &["page"]),
            (&format!("{}*", &page[..page.len() - 3]), &["page"]),
            ("https://app.duff.example/org/acme-inc", &["other-page", "page"]),
            ("duff.example/org", &["other-page", "page"]),
            ("org/acme", &["other-page", "page"]),
            ("acme/org", &[]),
        ],
    )
    .await;
}

async fn totals_and_facets_of_an_address_are_exact(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    // More than are ever tested one by one.
    for round in 0..13 {
        let events = (0..1_000).map(|i| {
            named(
                "x",
                json!({
                    "ipAddress": format!("10.0.{}.{}", i % 2, 1 + i % 5), "category": format!("c{}", i % 2),
                    "metadata": { "request": format!("req_{round}_{i}"), "by": format!("p{}@duff.example", i % 3) },
                }),
            )
        });
        record(&admin, events.collect()).await;
    }
    let query = "query($search: String) { auditEvents(first: 1, search: $search) { totalCount facets {
        categories { exact buckets { value count } } } } }";
    for (search, total, categories) in [
        ("10.0.0.1", 1_300, json!([{ "value": "c0", "count": 1_300 }])),
        ("10.0.0", 6_500, json!([{ "value": "c0", "count": 6_500 }])),
        ("10.0.1.2 p1@duff.example", 442, json!([{ "value": "c1", "count": 442 }])),
        ("duff.example", 13_000, json!([{ "value": "c0", "count": 6_500 }, { "value": "c1", "count": 6_500 }])),
        ("req_7_77", 1, json!([{ "value": "c1", "count": 1 }])),
        ("req_7_7*", 111, json!([{ "value": "c0", "count": 55 }, { "value": "c1", "count": 56 }])),
    ] {
        let list = admin.data(query, json!({ "search": search })).await["auditEvents"].clone();
        assert_eq!(list["totalCount"], total, "{search}");
        let facet = &list["facets"]["categories"];
        assert_eq!(
            (&facet["exact"], facet["buckets"].as_array().map(Vec::len)),
            (&json!(true), categories.as_array().map(Vec::len))
        );
        for bucket in categories.as_array().expect("a list") {
            assert!(facet["buckets"].as_array().expect("a list").contains(bucket), "{search}: {facet}");
        }
    }
}

async fn words_of_every_script_are_found_whole(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(
        &admin,
        [
            ("delhi", "दिल्ली"),
            ("heart", "दिल"),
            ("of-f", "की"),
            ("of-m", "का"),
            ("work", "काम"),
            ("bengali", "বাংলা ভাষা"),
            ("tamil", "தமிழ்"),
            ("tamil-other", "தமிழர்"),
            ("persian", "می\u{200c}خواهم"),
            ("armenian", "ՀԱՅԱՍՏԱՆ"),
            ("uzbek", "oʻzbekcha"),
        ]
        .map(|(id, text)| saying(id, text))
        .to_vec(),
    )
    .await;
    check(
        &admin,
        &[
            ("दिल्ली", &["delhi"]),
            ("दिल", &["heart"]),
            ("दिल*", &["delhi", "heart"]),
            ("की", &["of-f"]),
            ("বাংলা", &["bengali"]),
            ("বাংল", &[]),
            ("தமிழ்", &["tamil"]),
            ("میخواهم", &["persian"]),
            ("հայաստան", &["armenian"]),
            ("oʻzbekcha", &["uzbek"]),
        ],
    )
    .await;
}

async fn accents_points_and_case_do_not_count(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(
        &admin,
        [
            ("french", "Crème brûlée"),
            ("viet", "Nguyễn Đức"),
            ("polish", "Łódź"),
            ("danish", "Ørsted"),
            ("greek", "Ἀθήνα, Σίσυφος"),
            ("russian", "Ёлка"),
            ("german", "Straße"),
            ("turkish", "İSTANBUL"),
            ("hebrew", "שָׁלוֹם"),
            ("arabic", "مُحَمَّدٌ"),
            ("long-arabic", "محـــمد"),
            ("plain", "creme muhammad"),
            ("ligature", "ﬁle"),
            ("wide", "Ｆｕｌｌ"),
        ]
        .map(|(id, text)| saying(id, text))
        .to_vec(),
    )
    .await;
    check(
        &admin,
        &[
            ("creme", &["french", "plain"]),
            ("CRÈME", &["french", "plain"]),
            ("cre\u{300}me", &["french", "plain"]),
            ("\"creme brulee\"", &["french"]),
            ("nguyen duc", &["viet"]),
            ("lodz", &["polish"]),
            ("Łódź", &["polish"]),
            ("orsted", &["danish"]),
            ("αθηνα", &["greek"]),
            ("ΣΊΣΥΦΟΣ", &["greek"]),
            ("σισυφος", &["greek"]),
            ("елка", &["russian"]),
            ("STRASSE", &["german"]),
            ("straße", &["german"]),
            ("istanbul", &["turkish"]),
            ("שלום", &["hebrew"]),
            ("محمد", &["arabic", "long-arabic"]),
            ("مُحَمَّدٌ", &["arabic", "long-arabic"]),
            ("file", &["ligature"]),
            ("full", &["wide"]),
        ],
    )
    .await;
}

async fn scripts_without_blanks_are_found_inside(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(
        &admin,
        vec![
            saying("jp", "開始ユーザー認証完了"),
            saying("jp-other", "認可ユーザ証明"),
            saying("jp-mixed", "user認証ログv2を削除"),
            named("zh", json!({ "resources": [{ "type": "doc", "id": "d", "name": "雾凇词库部署时实测" }] })),
            saying("ko", "사용자가 로그인했습니다"),
            saying("news", "อ่านข่าววันนี้"),
            saying("rice", "กินข้าวแล้ว"),
            saying("word-news", "ข่าว"),
        ],
    )
    .await;
    check(
        &admin,
        &[
            ("認証", &["jp", "jp-mixed"]),
            ("ユーザー", &["jp"]),
            ("ユーザ", &["jp", "jp-other"]),
            ("認", &["jp", "jp-mixed", "jp-other"]),
            ("了", &["jp"]),
            ("始ユーザー認", &["jp"]),
            ("認ユーザー", &[]),
            ("user認証", &["jp-mixed"]),
            ("ログv2を削", &["jp-mixed"]),
            ("ログv3", &[]),
            ("认证", &[]),
            ("词库", &["zh"]),
            ("词库 部署", &["zh"]),
            ("사용자", &["ko"]),
            ("로그인", &["ko"]),
            ("\"사용자가 로그인\"", &["ko"]),
            ("ข่าว", &["news", "word-news"]),
            ("ข้าว", &["rice"]),
            ("ข่าว*", &["news", "word-news"]),
            ("วันนี้", &["news"]),
        ],
    )
    .await;
}

async fn a_label_counts_as_a_whole(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    let with = |action: &str, id: &str, about: &str| {
        let mut input = event(action);
        input["sourceEventId"] = json!(id);
        input["metadata"] = json!({ "about": about });
        input
    };
    record(
        &admin,
        vec![
            with("role.created", "role", "billing"),
            with("api_key.created", "key", "of a role"),
            with("api_key.revoked", "revoked", "created yesterday, for a role"),
            with("auth.login_failed", "failed", "created role"),
        ],
    )
    .await;
    check(
        &admin,
        &[
            // In quotes, wherever the words stand side by side: in a label too.
            ("\"Created role\"", &["failed", "role"]),
            ("\"API key\"", &["key", "revoked"]),
            // Typed, a whole label is asked for alone, and neither near-twins nor what has its words elsewhere.
            ("Created role", &["role"]),
            ("created ro*", &["role"]),
            ("created role billing", &["role"]),
            ("created role gold", &[]),
            ("created api key", &["key"]),
            // A part of a label counts together, or in the texts.
            ("api key", &["key", "revoked"]),
            ("role created", &["failed", "key", "revoked", "role"]),
            ("role", &["failed", "key", "revoked", "role"]),
        ],
    )
    .await;
}

async fn keys_and_parts_of_names_are_found(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, vec![
        named("keys", json!({ "metadata": { "reactivated": true, "user": { "externalId": "x1", "list": [{ "deep_key": 1 }] } } })),
        named("value", json!({ "metadata": { "state": "reactivated" } })),
        named("names", json!({ "resources": [{ "type": "call", "name": "UpdateUserPassword" }] })),
        saying("id", "6f1e-2ca4-9b"),
        named("neighbours", json!({ "metadata": { "plan": "gold", "from": "silver" } })),
    ]).await;
    check(
        &admin,
        &[
            ("reactivated", &["keys", "value"]),
            ("externalId", &["keys"]),
            ("external*", &["keys"]),
            ("deep_key", &["keys"]),
            ("\"deep key\"", &["keys"]),
            ("password", &["names"]),
            ("pass*", &["names"]),
            ("updateuserpassword", &["names"]),
            ("user password", &["names"]),
            ("2ca4", &["id"]),
            // A phrase goes from no key to its value, and from no value to the next key.
            ("\"plan gold\"", &[]),
            ("\"gold from\"", &[]),
            ("plan gold", &["neighbours"]),
        ],
    )
    .await;
}

async fn what_has_no_word_is_refused_by_every_door(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, vec![saying("rocket", "deployed 🚀"), saying("other", "x")]).await;
    let query = "query($search: String) { auditEvents(search: $search) { totalCount } }";
    for search in ["🚀", "!!!", "- -", "\"…\"", "\u{301}"] {
        let refused = admin.ask(query, json!({ "search": search })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", "search"), "{search}");
    }
    check(&admin, &[("🚀 deployed", &["rocket"]), ("deployed 🚀", &["rocket"]), ("", &["other", "rocket"])]).await;
    let actors = "query($search: String) { auditEvents(search: $search) { facets { actions { exact } } } }";
    assert_eq!(admin.ask(actors, json!({ "search": "🚀" })).await.code(), "BAD_USER_INPUT");
}

async fn bounds_that_mean_open_are_open(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, vec![saying("x", "x")]).await;
    let query = "query($filter: AuditEventFilter) { auditEvents(filter: $filter) { totalCount nodes { id } facets {
        days { count } } } }";
    for (from, to, count) in [
        (json!("0001-01-01T00:00:00Z"), json!("9999-12-31T23:59:59.9999999Z"), 1),
        (json!("0001-01-01T00:00:00.0000000+00:00"), Value::Null, 1),
        (Value::Null, json!("9999-12-31T23:59:59.999999999Z"), 1),
        (json!("-271821-04-20T00:00:00.000Z"), json!("+275760-09-13T00:00:00.000Z"), 1),
        (json!("-1000000000-01-01T00:00:00Z"), json!("+1000000000-12-31T23:59:59.999999999Z"), 1),
        (json!("-infinity"), json!("infinity"), 1),
        (json!("9999-12-31T23:59:59Z"), Value::Null, 0),
        (Value::Null, json!("0001-01-01T00:00:00Z"), 0),
    ] {
        let filter = json!({ "occurredAt": { "from": from, "to": to } });
        let list = admin.data(query, json!({ "filter": filter })).await["auditEvents"].clone();
        assert_eq!(
            (&list["totalCount"], list["nodes"].as_array().map(Vec::len)),
            (&json!(count), Some(count)),
            "{filter}"
        );
        assert_eq!(list["facets"]["days"].as_array().map(Vec::len), Some(count), "{filter}");
    }
    for bad in ["9999-13-31T00:00:00Z", "soon", "+99999", "-1000000000-01-01", "+275760-09-13T00:00:00"] {
        let refused = admin.ask(query, json!({ "filter": { "occurredAt": { "from": bad } } })).await;
        assert_eq!(refused.field(), "filter.occurredAt.from", "{bad}");
    }
    // An event is not clamped: what it says of its time is kept as sent.
    let mut late = saying("late", "x");
    late["occurredAt"] = json!("9999-12-31T23:59:59Z");
    let done = admin.record_all(vec![late]).await;
    assert_eq!(done["results"][0]["error"]["field"], "events[0].occurredAt");
}

async fn what_matched_is_told(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    let mut input = event("role.created");
    input["sourceEventId"] = json!("one");
    input["resources"] =
        json!([{ "type": "role", "id": "r_1" }, { "type": "role", "id": "r_2", "name": "Crème Brûlée" }]);
    input["ipAddress"] = json!("10.0.0.1");
    input["onBehalfOf"] = json!({ "kind": "USER", "name": "Joan Duff", "email": "joan@duff.example" });
    input["metadata"] =
        json!({ "plan": { "from": ["crème", 7], "creme_key": "x" }, "long": format!("{} creme", "hay ".repeat(400)) });
    record(&admin, vec![input]).await;
    app.admin("scim-platform", "globex").record(event("role.created")).await;
    let query = "query($search: String) { auditEvents(search: $search) { nodes { matches { field text } } } }";
    let told = async |search: Value| {
        let list = admin.data(query, json!({ "search": search })).await["auditEvents"]["nodes"].clone();
        let matches = list[0]["matches"].as_array().expect("a list").clone();
        let pair =
            |each: &Value| (each["field"].as_str().unwrap().to_owned(), each["text"].as_str().unwrap().to_owned());
        matches.iter().map(pair).collect::<Vec<_>>()
    };
    let owned = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(told(Value::Null).await, []);
    assert_eq!(told(json!("10.0.0.1")).await, owned(&[("ipAddress", "10.0.0.1")]));
    assert_eq!(
        told(json!("joan")).await,
        owned(&[("onBehalfOf.name", "Joan Duff"), ("onBehalfOf.email", "joan@duff.example")])
    );
    assert_eq!(told(json!("created role")).await, owned(&[("actionLabel", "Created role")]));
    assert_eq!(
        told(json!("permissions r_2")).await,
        owned(&[("category.label", "Roles & Permissions"), ("resources[1].id", "r_2"),])
    );
    let mut creme = told(json!("CREME")).await;
    let long =
        creme.iter().position(|(field, _)| field == "metadata.long").map(|at| creme.remove(at)).expect("the long one");
    assert!(long.1.ends_with("hay  creme") && long.1.len() <= 300, "{long:?}");
    creme.sort();
    assert_eq!(
        creme,
        owned(&[
            ("metadata.plan.creme_key", "creme_key"),
            ("metadata.plan.from[0]", "crème"),
            ("resources[1].name", "Crème Brûlée"),
        ])
    );
    // One event by its id was found by no search.
    let id = admin.data("{ auditEvents { nodes { id } } }", json!({})).await["auditEvents"]["nodes"][0]["id"].clone();
    let node = "query($id: ID!) { node(id: $id) { ... on AuditEvent { matches { field } } } }";
    assert_eq!(admin.data(node, json!({ "id": id })).await["node"]["matches"], json!([]));
}
