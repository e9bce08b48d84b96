//! Organizations and products with equal data never meet.

use proptest::collection::vec;
use serde_json::json;

use crate::{
    filter_properties::{check, fresh, record},
    harness::{TestApp, event, on_both_databases},
    model::{asked, holds, now, told},
};

on_both_databases! {
    two_organizations_never_meet,
    two_products_with_one_organization_id_never_meet,
}

async fn two_organizations_never_meet(app: &TestApp) {
    let case = (vec(told(), 1..12), vec(told(), 1..12), vec(asked(), 9));
    holds(60, case, async |(shared, own, questions)| {
        let now = now();
        // One id is the beginning of the other, and both have the same events at the same times.
        let one = fresh();
        let two = format!("{one}0");
        let (first, second) = (app.admin("workspace", &one), app.admin("workspace", &two));
        let kept_one = record(&first, &shared, 0, now).await;
        let mut kept_two = record(&second, &shared, 0, now).await;
        kept_two.extend(record(&second, &own, shared.len() as i64, now).await);
        for asked in &questions {
            check(&first, &one, asked, &kept_one, 100).await;
            check(&second, &two, asked, &kept_two, 100).await;
        }
    });
}

async fn two_products_with_one_organization_id_never_meet(app: &TestApp) {
    let mut ids = Vec::new();
    let readers = [app.admin("workspace", "acme"), app.admin("caputchin", "acme"), app.admin("workspace", "acme2")];
    for (n, admin) in readers.iter().enumerate() {
        let mut own = Vec::new();
        for i in 0..=n {
            let mut input = event("session.sign-out");
            input["idempotencyKey"] = json!(format!("key {i}"));
            input["occurredAt"] = json!("2026-01-01T00:00:00Z");
            input["resources"] = json!([{ "type": "thing", "id": "t1" }]);
            input["metadata"] = json!({ "word": "shared", "n": n });
            let recorded = admin.record(input).await;
            assert_eq!((&recorded["status"], &recorded["sequence"]), (&json!("RECORDED"), &json!(i.to_string())));
            own.push(recorded["event"]["id"].as_str().expect("an id").to_owned());
        }
        ids.push(own);
    }
    for (n, admin) in readers.iter().enumerate() {
        for arguments in [
            "",
            "search: \"shared\"",
            "search: \"sha*\"",
            "filter: { actions: [\"session.*\"] }",
            "filter: { actor: { emailContains: \"U1@\" } }",
            "filter: { resource: { types: [\"thing\"], ids: [\"t1\"] } }",
            "filter: { not: { actions: [\"x\"] } }",
            "search: \"\\\"shared\\\"\"",
            "orderBy: { field: SEQUENCE, direction: ASC }",
            "filter: { occurredAt: { from: \"2026-01-01T00:00:00Z\" } }",
        ] {
            let arguments = format!("includeNested: true {arguments}");
            let query = format!(
                "{{ auditEvents({arguments}) {{ totalCount nodes {{ id }}
                facets {{ actions {{ buckets {{ count }} }} actors {{ buckets {{ count }} }} days {{ count }} }} }} }}"
            );
            let list = admin.data(&query, json!({})).await["auditEvents"].clone();
            assert_eq!(list["totalCount"], n + 1, "{arguments}");
            let mut got: Vec<_> =
                list["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
            got.sort_unstable();
            let mut expected = ids[n].clone();
            expected.sort_unstable();
            assert_eq!(got, expected, "{arguments}");
            for facet in ["actions", "actors"] {
                assert_eq!(list["facets"][facet]["buckets"], json!([{ "count": n + 1 }]), "{arguments}");
            }
            assert_eq!(list["facets"]["days"], json!([{ "count": n + 1 }]), "{arguments}");
        }
        let actors = admin.data("{ actors { externalId } }", json!({})).await;
        assert_eq!(actors["actors"].as_array().map(Vec::len), Some(1));
        for id in ids.iter().enumerate().filter(|(other, _)| *other != n).flat_map(|(_, ids)| ids) {
            for field in ["auditEvent", "node"] {
                let answer =
                    admin.ask(&format!("query($id: ID!) {{ {field}(id: $id) {{ id }} }}"), json!({ "id": id })).await;
                assert_eq!(answer.code(), "NOT_FOUND", "{field}");
                assert!(answer.json()["data"][field].is_null());
            }
        }
    }
}
