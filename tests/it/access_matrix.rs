//! Who may do what: the reviewed matrix of callers and questions.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::BodyExt;
use ledgerline::{
    auth::{Claims, OneOrMany},
    catalog::Products,
    clock::Clock,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    harness::{Answer, Caller, TestApp, as_of_a_cluster, event, on_both_databases},
    rest::send,
    rest_document,
};

/// A product with everything that gates: a role, a plan, and logs two levels deep.
const GATED: &str = r#"
name = "gated"
label = "Gated"
retention = "forever"

[[issuers]]
issuer = "https://auth.gated.example"
audience = "ledgerline"
[[issuers.keys]]
jwks_file = "issuer.json"

[access]
scopes = ["audit:read"]
roles = ["admin"]
plans = ["paid"]

[[levels]]
name = "organization"
label = "Organization"
include_nested = true

[[levels]]
name = "project"
label = "Project"
parent = "organization"
on_delete = "CLEAR"

[catalog]
open = true

[management]
features = ["tokens", "exports", "endpoints", "rules", "retention", "holds", "views", "organization_end"]

[viewer]
paging = "MORE"
date_filter = "BOTH"
action_display = "NAME"

[[viewer.columns]]
kind = "TIME"
label = "Time"

[[routes]]
path = "/v1/activity/{project}"
paging = "CURSOR"

[routes.envelope]
items = "activity"

[routes.fields]
action = "action"
"#;

/// An RSA public key, as an issuer publishes it.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

fn gated() -> (Products, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("gated.toml"), GATED).expect("written");
    let jwks =
        json!({ "keys": [{ "kty": "RSA", "kid": "rsa-1", "alg": "RS256", "use": "sig", "e": "AQAB", "n": MODULUS }] });
    std::fs::write(folder.path().join("issuer.json"), jwks.to_string()).expect("written");
    let products = Products::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    // Keys are read when the service starts, so the folder has to outlive this function.
    (products, folder)
}

fn forged(header: &Value, claims: &Claims, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(&serde_json::to_value(claims).expect("claims")));
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).expect("signed");
    format!("{message}.{signature}")
}

fn unsigned(claims: &Claims) -> String {
    let token = forged(&json!({ "alg": "none", "typ": "JWT" }), claims, &[7; 32]);
    format!("{}.", token.rsplit_once('.').expect("three parts").0)
}

/// Everybody who may come, from nobody to the platform's own staff.
fn callers(app: &TestApp) -> Vec<(&'static str, Option<String>)> {
    let admin = || app.admin("gated", "acme");
    let changed = |change: &dyn Fn(&mut Claims)| {
        let mut caller = admin();
        change(&mut caller.claims);
        Some(caller.token())
    };
    let now = Clock::system().now().0 / 1_000_000_000;
    // What the product's own issuer would say: it has a public key.
    let mut claims = admin().claims;
    claims.iss = "https://auth.gated.example".to_owned();
    claims.aud = OneOrMany::One("ledgerline".to_owned());
    vec![
        ("nobody: no token", None),
        ("broken: not a token", Some("not.a.token".to_owned())),
        ("broken: claims changed after signing", {
            let token = app.admin("gated", "globex").token();
            let (other, own) = (token.split('.').nth(1).expect("claims").to_owned(), admin().token());
            let parts: Vec<_> = own.split('.').collect();
            Some(format!("{}.{other}.{}", parts[0], parts[2]))
        }),
        ("expired", changed(&|claims| claims.exp = Some((now - 3600).into()))),
        ("without an end", changed(&|claims| claims.exp = None)),
        ("not valid yet", changed(&|claims| claims.nbf = Some((now + 3600).into()))),
        ("foreign issuer", changed(&|claims| claims.iss = "https://auth.elsewhere.example".to_owned())),
        ("another product's key", {
            let mut foreign = app.admin("gated", "acme");
            foreign.claims.iss = "https://auth.gated.example".to_owned();
            foreign.claims.aud = OneOrMany::One("ledgerline".to_owned());
            Some(foreign.token())
        }),
        ("foreign key", Some(forged(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, &[9; 64]))),
        ("alg none", Some(unsigned(&claims))),
        (
            "HS256 over the public RSA key",
            Some(forged(&json!({ "alg": "HS256", "kid": "rsa-1" }), &claims, MODULUS.as_bytes())),
        ),
        ("RS256 over a secret", Some(forged(&json!({ "alg": "RS256", "kid": "rsa-1" }), &claims, MODULUS.as_bytes()))),
        ("wrong audience", changed(&|claims| claims.aud = OneOrMany::One("somebody-else".to_owned()))),
        ("member", Some(admin().role("member").token())),
        ("without a role", changed(&|claims| claims.role = None)),
        ("admin on the paid plan", Some(admin().token())),
        ("ADMIN on the Paid plan", Some(admin().role("ADMIN").plan("Paid").token())),
        ("admin on the free plan", Some(admin().plan("free").token())),
        ("admin without a plan", changed(&|claims| claims.plan = None)),
        ("member on the free plan", Some(admin().role("member").plan("free").token())),
        ("reader only", Some(admin().scopes("audit:read").token())),
        ("recorder only", Some(admin().scopes("audit:record").token())),
        ("manager only", Some(admin().scopes("audit:manage").token())),
        ("exporter who may read", Some(admin().scopes("audit:read audit:export").token())),
        ("exporter who may not read", Some(admin().scopes("audit:export").token())),
        ("no scope", changed(&|claims| claims.scope = None)),
        ("staff", {
            let staff = app.caller("gated").subject("staff-1").scopes("audit:read audit:staff");
            Some(staff.token())
        }),
        ("staff that may not read", Some(app.caller("gated").subject("staff-1").scopes("audit:staff").token())),
        ("staff that records, in an organization", {
            let staff =
                app.caller("gated").subject("staff-1").scopes("audit:staff audit:read audit:record audit:manage");
            Some(staff.organization("globex").token())
        }),
        ("backend without an organization", { Some(app.caller("gated").scopes("audit:record audit:manage").token()) }),
        ("admin without an organization", Some(admin().without_organization().token())),
        ("narrowed to project p1", Some(admin().logs(&["project:p1"]).token())),
        ("narrowed to projects p1 and p2", Some(admin().logs(&["project:p1", "project:p2"]).token())),
        ("narrowed to the organization's own log", Some(admin().logs(&["organization:acme"]).token())),
        ("narrowed to another organization's log", Some(admin().logs(&["organization:globex"]).token())),
        ("narrowed to a log that was deleted", Some(admin().logs(&["project:gone"]).token())),
        ("narrowed to project p1 and one that was deleted", {
            Some(admin().logs(&["project:gone", "project:p1"]).token())
        }),
        ("narrowed to another organization's project", Some(admin().logs(&["project:globex-only"]).token())),
        ("admin of globex", Some(app.admin("gated", "globex").token())),
    ]
}

/// A token that the service makes for a partner of acme: its id and the JWT.
async fn partner(app: &TestApp, scopes: &str, log: Option<&str>) -> (String, String) {
    let create = "mutation($input: CreateAuditTokenInput!) { createAuditToken(input: $input) { secret token { id } } }";
    let log = log.map(|id| json!({ "level": "project", "id": id }));
    let scopes: Vec<_> = scopes.split(' ').collect();
    let input = json!({ "label": "made", "kind": "JWT", "scopes": scopes, "expiresIn": 3600, "log": log });
    let made = app.admin("gated", "acme").data(create, json!({ "input": input })).await["createAuditToken"].clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&made["token"]["id"]), text(&made["secret"]))
}

/// What is asked, by root field.
struct Question {
    field: &'static str,
    shown: &'static str,
    query: &'static str,
    variables: Value,
}

fn questions(ids: &[String; 6], round: usize, revocable: &str) -> Vec<Question> {
    let question = |field, shown, query, variables| Question { field, shown, query, variables };
    let list = "query($organization: ID, $log: AuditLogInput) { it: auditEvents(organization: $organization, \
                log: $log) { totalCount nodes { id } facets { actions { buckets { count } } } } }";
    let one = "query($id: ID!) { it: auditEvent(id: $id) { id } }";
    let exports = "query($organization: ID) { it: auditExports(organization: $organization) { id } }";
    let find_export = "query($id: ID!) { it: auditExport(id: $id) { id } }";
    let export = "mutation($input: CreateAuditExportInput!) { it: createAuditExport(input: $input) { export { id } } }";
    let node = "query($id: ID!) { it: node(id: $id) { id } }";
    let completions =
        "query($organization: ID) { it: queryCompletions(organization: $organization, text: \"actor:\") { text } }";
    let actors = "query($organization: ID) { it: actors(organization: $organization) { label } }";
    let record = "mutation($input: RecordAuditEventInput!) { it: recordAuditEvent(input: $input) { status } }";
    let made = |organization: Option<&str>| {
        json!({ "input": { "organization": organization, "label": "made", "kind": "KEY", "scopes": ["audit:record"],
            "expiresIn": 60 } })
    };
    let create = "mutation($input: CreateAuditTokenInput!) { it: createAuditToken(input: $input) { secret } }";
    let revoke = "mutation($input: RevokeAuditTokenInput!) { it: revokeAuditToken(input: $input) { token { id } } }";
    let tokens = "query($organization: ID) { it: auditTokens(organization: $organization) { tokens { id } } }";
    let retention = "query($organization: ID) { it: auditRetention(organization: $organization) { floorDays } }";
    let holds = "query($organization: ID) { it: auditHolds(organization: $organization) { id } }";
    let keep =
        "mutation($input: SetAuditRetentionInput!) { it: setAuditRetention(input: $input) { retention { isWished } } }";
    let plan = "query($organization: ID!) { it: organizationPlan(organization: $organization) }";
    let set_plan = "mutation($input: SetOrganizationPlanInput!) { it: setOrganizationPlan(input: $input) { plan } }";
    let hold = "mutation($input: PlaceAuditHoldInput!) { it: placeAuditHold(input: $input) { hold { label } } }";
    let lift = "mutation($input: LiftAuditHoldInput!) { it: liftAuditHold(input: $input) { hold { id } } }";
    let end = "query($organization: ID) { it: organizationEnd(organization: $organization) { dueAt } }";
    let certificate =
        "query($organization: ID) { it: organizationCertificate(organization: $organization) { events } }";
    let request_end = "mutation($input: OrganizationEndInput!) { it: deleteOrganization(input: $input) {
        organizationEnd { dueAt } } }";
    let confirm_end = "mutation($input: OrganizationEndInput!) { it: confirmOrganizationDeletion(input: $input) {
        organizationEnd { dueAt } } }";
    let cancel_end = "mutation($input: OrganizationEndInput!) { it: cancelOrganizationDeletion(input: $input) {
        organizationEnd { dueAt } } }";
    let whom = |organization: Option<&str>| json!({ "input": { "organization": organization, "actor": { "id": "nobody of theirs" } } });
    let would_erase = "query($input: EraseFromAuditLogInput!) { it: previewAuditErasure(input: $input) { events } }";
    let erase =
        "mutation($input: EraseFromAuditLogInput!) { it: eraseFromAuditLog(input: $input) { erasure { events } } }";
    let cancel =
        "mutation($input: CancelAuditErasureInput!) { it: cancelAuditErasure(input: $input) { erasure { id } } }";
    let erasure =
        "query($organization: ID, $id: ID!) { it: auditErasure(organization: $organization, id: $id) { id } }";
    let erasures = "query($organization: ID) { it: auditErasures(organization: $organization) { events } }";
    let follow = "subscription($organization: ID, $log: AuditLogInput) { it: auditEventRecorded(organization: \
                  $organization, log: $log) { cursor } }";
    let endpoints = "query($organization: ID) { it: auditEndpoints(organization: $organization) { id } }";
    let endpoint = "mutation($input: CreateEndpointInput!) { it: createEndpoint(input: $input) { secret } }";
    let made_endpoint = |organization: Option<&str>| {
        let target = json!({ "webhook": { "url": "https://hooks.example.com/" } });
        json!({ "input": { "organization": organization, "label": "made", "target": target } })
    };
    let update = "mutation($input: UpdateEndpointInput!) { it: updateEndpoint(input: $input) { endpoint { id } } }";
    let remove = "mutation($input: EndpointInput!) { it: deleteEndpoint(input: $input) { endpoint { id } } }";
    let rotate = "mutation($input: RotateEndpointSecretInput!) { it: rotateEndpointSecret(input: $input) { secret } }";
    let test = "mutation($input: EndpointInput!) { it: testEndpoint(input: $input) { attempt { at } } }";
    let replay = "mutation($input: ReplayEndpointInput!) { it: replayEndpoint(input: $input) { endpoint { id } } }";
    // Of an endpoint that is not there: whoever may manage is told so.
    let unknown = json!({ "input": { "id": "ep_unknown" } });
    let again = json!({ "input": { "id": "ep_unknown", "deadLetters": true } });
    let rules = "query($organization: ID) { it: auditAlertRules(organization: $organization) { id } }";
    let rule = "mutation($input: CreateAlertRuleInput!) { it: createAlertRule(input: $input) { rule { id } } }";
    // Of an endpoint that is not there: whoever may have rules is told so.
    let made_rule = |organization: Option<&str>| json!({ "input": { "organization": organization, "label": "made", "target": { "endpoint": "ep_unknown" } } });
    let update_rule = "mutation($input: UpdateAlertRuleInput!) { it: updateAlertRule(input: $input) { rule { id } } }";
    let remove_rule = "mutation($input: AlertRuleInput!) { it: deleteAlertRule(input: $input) { rule { id } } }";
    let unknown_rule = json!({ "input": { "id": "rule_unknown" } });
    let views = "query($organization: ID) { it: auditSavedViews(organization: $organization) { label isOwn } }";
    let save = "mutation($input: CreateSavedViewInput!) { it: createSavedView(input: $input) { view { label } } }";
    let saved = |organization: Option<&str>, shared: bool| json!({ "input": { "organization": organization, "label": "made", "query": "outcome=FAILURE", "shared": shared } });
    let update_view = "mutation($input: UpdateSavedViewInput!) { it: updateSavedView(input: $input) { view { id } } }";
    let remove_view = "mutation($input: SavedViewInput!) { it: deleteSavedView(input: $input) { view { id } } }";
    let unknown_view = json!({ "input": { "id": "view_unknown" } });
    let many = "mutation($input: RecordAuditEventsInput!) { it: recordAuditEvents(input: $input) { \
                results { status error { code } } } }";
    let delete = "mutation($input: DeleteAuditLogInput!) { it: deleteAuditLog(input: $input) { log { externalId } } }";
    let log = |id: &str| json!({ "level": "project", "id": id });
    let (mut there, mut elsewhere) = (event("a.b"), event("a.b"));
    there["log"] = log("p1");
    elsewhere["organization"] = json!("globex");
    let own = format!("own-{round}");
    vec![
        question(
            "viewer",
            "viewer",
            "{ it: viewer { subject organization canReadAuditLog { allowed reason requiredPlans } \
             canRecord { allowed reason } logs { externalId } logChoices { externalId } } }",
            json!({}),
        ),
        question("catalog", "catalog", "{ it: catalog { open } }", json!({})),
        question("auditEvents", "auditEvents", list, json!({})),
        question("auditEvents", "auditEvents(organization: acme)", list, json!({ "organization": "acme" })),
        question("auditEvents", "auditEvents(organization: globex)", list, json!({ "organization": "globex" })),
        question("auditEvents", "auditEvents(log: p1)", list, json!({ "log": log("p1") })),
        question("auditEvents", "auditEvents(log: p3)", list, json!({ "log": log("p3") })),
        question(
            "auditEvents",
            "auditEvents(log: acme's own)",
            list,
            json!({ "log": { "level": "organization", "id": "acme" } }),
        ),
        question("auditEvent", "auditEvent(in acme's own log)", one, json!({ "id": ids[0] })),
        question("auditEvent", "auditEvent(in p1)", one, json!({ "id": ids[1] })),
        question("auditEvent", "auditEvent(in globex)", one, json!({ "id": ids[2] })),
        question("node", "node(in acme's own log)", node, json!({ "id": ids[0] })),
        question("node", "node(in p1)", node, json!({ "id": ids[1] })),
        question("node", "node(in globex)", node, json!({ "id": ids[2] })),
        question("node", "node(acme's own log)", node, json!({ "id": ids[3] })),
        question("node", "node(log p1)", node, json!({ "id": ids[4] })),
        question("node", "node(log p1 of globex)", node, json!({ "id": ids[5] })),
        question("actors", "actors", actors, json!({})),
        question("actors", "actors(organization: globex)", actors, json!({ "organization": "globex" })),
        question("queryCompletions", "queryCompletions", completions, json!({})),
        question(
            "queryCompletions",
            "queryCompletions(organization: globex)",
            completions,
            json!({ "organization": "globex" }),
        ),
        question("auditExports", "auditExports", exports, json!({})),
        question("auditExports", "auditExports(organization: globex)", exports, json!({ "organization": "globex" })),
        question("auditExport", "auditExport(one that there is not)", find_export, json!({ "id": "exp_0" })),
        question("createAuditExport", "createAuditExport", export, json!({ "input": { "format": "CSV" } })),
        question(
            "createAuditExport",
            "createAuditExport(organization: globex)",
            export,
            json!({ "input": { "format": "CSV", "organization": "globex" } }),
        ),
        question(
            "createAuditExport",
            "createAuditExport(log: p1)",
            export,
            json!({ "input": { "format": "CSV", "log": log("p1") } }),
        ),
        question("auditTokens", "auditTokens", tokens, json!({})),
        question("auditTokens", "auditTokens(organization: globex)", tokens, json!({ "organization": "globex" })),
        question("auditEventRecorded", "auditEventRecorded", follow, json!({})),
        question("auditEventRecorded", "auditEventRecorded(log: p1)", follow, json!({ "log": log("p1") })),
        question(
            "auditEventRecorded",
            "auditEventRecorded(organization: globex)",
            follow,
            json!({ "organization": "globex" }),
        ),
        question("auditEndpoints", "auditEndpoints", endpoints, json!({})),
        question(
            "auditEndpoints",
            "auditEndpoints(organization: globex)",
            endpoints,
            json!({ "organization": "globex" }),
        ),
        question("createEndpoint", "createEndpoint", endpoint, made_endpoint(None)),
        question("createEndpoint", "createEndpoint(organization: globex)", endpoint, made_endpoint(Some("globex"))),
        question("updateEndpoint", "updateEndpoint(unknown)", update, unknown.clone()),
        question("deleteEndpoint", "deleteEndpoint(unknown)", remove, unknown.clone()),
        question("rotateEndpointSecret", "rotateEndpointSecret(unknown)", rotate, unknown.clone()),
        question("testEndpoint", "testEndpoint(unknown)", test, unknown),
        question("replayEndpoint", "replayEndpoint(unknown)", replay, again),
        question("auditRetention", "auditRetention", retention, json!({})),
        question(
            "auditRetention",
            "auditRetention(organization: globex)",
            retention,
            json!({ "organization": "globex" }),
        ),
        question("auditHolds", "auditHolds", holds, json!({})),
        question("auditHolds", "auditHolds(organization: globex)", holds, json!({ "organization": "globex" })),
        question("setAuditRetention", "setAuditRetention", keep, json!({ "input": { "forever": true } })),
        question(
            "setAuditRetention",
            "setAuditRetention(organization: globex)",
            keep,
            json!({ "input": { "forever": true, "organization": "globex" } }),
        ),
        question("organizationPlan", "organizationPlan", plan, json!({ "organization": "acme" })),
        question(
            "organizationPlan",
            "organizationPlan(organization: globex)",
            plan,
            json!({ "organization": "globex" }),
        ),
        question(
            "setOrganizationPlan",
            "setOrganizationPlan",
            set_plan,
            json!({ "input": { "organization": "acme" } }),
        ),
        question(
            "setOrganizationPlan",
            "setOrganizationPlan(organization: globex)",
            set_plan,
            json!({ "input": { "organization": "globex" } }),
        ),
        question("placeAuditHold", "placeAuditHold", hold, json!({ "input": { "label": "case" } })),
        question(
            "placeAuditHold",
            "placeAuditHold(organization: globex)",
            hold,
            json!({ "input": { "label": "case", "organization": "globex" } }),
        ),
        question("liftAuditHold", "liftAuditHold(unknown)", lift, json!({ "input": { "id": "hold_unknown" } })),
        question("organizationEnd", "organizationEnd", end, json!({})),
        question("organizationEnd", "organizationEnd(organization: globex)", end, json!({ "organization": "globex" })),
        question("organizationCertificate", "organizationCertificate", certificate, json!({})),
        question(
            "organizationCertificate",
            "organizationCertificate(organization: globex)",
            certificate,
            json!({ "organization": "globex" }),
        ),
        // Holds are there by then: whoever may ask for the end is told so, and nobody has asked for it.
        question("deleteOrganization", "deleteOrganization(held)", request_end, json!({ "input": {} })),
        question(
            "deleteOrganization",
            "deleteOrganization(organization: globex)",
            request_end,
            json!({ "input": { "organization": "globex" } }),
        ),
        question("confirmOrganizationDeletion", "confirmOrganizationDeletion", confirm_end, json!({ "input": {} })),
        question(
            "confirmOrganizationDeletion",
            "confirmOrganizationDeletion(organization: globex)",
            confirm_end,
            json!({ "input": { "organization": "globex" } }),
        ),
        question("cancelOrganizationDeletion", "cancelOrganizationDeletion", cancel_end, json!({ "input": {} })),
        question(
            "cancelOrganizationDeletion",
            "cancelOrganizationDeletion(organization: globex)",
            cancel_end,
            json!({ "input": { "organization": "globex" } }),
        ),
        question("previewAuditErasure", "previewAuditErasure", would_erase, whom(None)),
        question("previewAuditErasure", "previewAuditErasure(organization: globex)", would_erase, whom(Some("globex"))),
        question("eraseFromAuditLog", "eraseFromAuditLog", erase, whom(None)),
        question("eraseFromAuditLog", "eraseFromAuditLog(organization: globex)", erase, whom(Some("globex"))),
        question(
            "cancelAuditErasure",
            "cancelAuditErasure(unknown)",
            cancel,
            json!({ "input": { "id": "era_unknown" } }),
        ),
        question("auditErasure", "auditErasure(unknown)", erasure, json!({ "id": "era_unknown" })),
        question("auditErasures", "auditErasures", erasures, json!({})),
        question("auditErasures", "auditErasures(organization: globex)", erasures, json!({ "organization": "globex" })),
        question("auditAlertRules", "auditAlertRules", rules, json!({})),
        question(
            "auditAlertRules",
            "auditAlertRules(organization: globex)",
            rules,
            json!({ "organization": "globex" }),
        ),
        question("createAlertRule", "createAlertRule", rule, made_rule(None)),
        question("createAlertRule", "createAlertRule(organization: globex)", rule, made_rule(Some("globex"))),
        question("updateAlertRule", "updateAlertRule(unknown)", update_rule, unknown_rule.clone()),
        question("deleteAlertRule", "deleteAlertRule(unknown)", remove_rule, unknown_rule),
        question("auditSavedViews", "auditSavedViews", views, json!({})),
        question(
            "auditSavedViews",
            "auditSavedViews(organization: globex)",
            views,
            json!({ "organization": "globex" }),
        ),
        question("createSavedView", "createSavedView", save, saved(None, false)),
        question("createSavedView", "createSavedView(shared)", save, saved(None, true)),
        question("createSavedView", "createSavedView(organization: globex)", save, saved(Some("globex"), false)),
        question("updateSavedView", "updateSavedView(unknown)", update_view, unknown_view.clone()),
        question("deleteSavedView", "deleteSavedView(unknown)", remove_view, unknown_view),
        question("createAuditToken", "createAuditToken", create, made(None)),
        question("createAuditToken", "createAuditToken(organization: globex)", create, made(Some("globex"))),
        question("revokeAuditToken", "revokeAuditToken", revoke, json!({ "input": { "id": revocable } })),
        question(
            "revokeAuditToken",
            "revokeAuditToken(organization: globex)",
            revoke,
            json!({ "input": { "id": revocable, "organization": "globex" } }),
        ),
        question("recordAuditEvent", "recordAuditEvent", record, json!({ "input": event("a.b") })),
        question("recordAuditEvent", "recordAuditEvent(log: p1)", record, json!({ "input": there })),
        question("recordAuditEvent", "recordAuditEvent(organization: globex)", record, json!({ "input": elsewhere })),
        question("recordAuditEvents", "recordAuditEvents", many, json!({ "input": { "events": [event("a.b")] } })),
        question(
            "recordAuditEvents",
            "recordAuditEvents(organization: globex)",
            many,
            json!({ "input": { "events": [elsewhere] } }),
        ),
        question(
            "deleteAuditLog",
            "deleteAuditLog",
            delete,
            json!({ "input": { "organization": "acme", "log": log(&own) } }),
        ),
        question(
            "deleteAuditLog",
            "deleteAuditLog(organization: globex)",
            delete,
            json!({ "input": { "organization": "globex", "log": log(&own) } }),
        ),
    ]
}

/// The first thing that a stream says, while events are recorded in every log.
async fn followed(app: &TestApp, token: Option<&str>, question: &Question) -> (Value, u16) {
    let body = json!({ "query": question.query, "variables": question.variables }).to_string();
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let answer = app.app.router.clone().oneshot(request.body(Body::from(body)).expect("a request")).await;
    let answer = answer.expect("an answer");
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    let said = async {
        let mut text = String::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.expect("a frame").into_data().expect("data");
            text.push_str(std::str::from_utf8(&frame).expect("UTF-8"));
            if status != 200 {
                continue;
            }
            if let Some((_, data)) = text.split_once("data: ").filter(|(_, data)| data.contains('\n')) {
                return data.lines().next().unwrap_or_default().to_owned();
            }
        }
        text
    };
    let recording = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            for organization in ["acme", "globex"] {
                let mut inside = event("a.b");
                inside["log"] = json!({ "level": "project", "id": "p1" });
                app.admin("gated", organization).record_all(vec![event("a.b"), inside]).await;
            }
        }
    };
    let said = tokio::select! {
        said = said => said,
        () = recording => unreachable!("it goes on"),
        () = tokio::time::sleep(std::time::Duration::from_secs(3)) => return (json!({ "data": { "it": null } }), 0),
    };
    (serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")), status)
}

/// What is asked of REST: what is shown, method, address and body.
fn rest_questions(ids: &[String; 6]) -> Vec<(&'static str, Method, String, Value)> {
    let get = |shown, address: &str| (shown, Method::GET, format!("/v1/audit-events{address}"), json!(null));
    let post = |shown, body| (shown, Method::POST, "/v1/audit-events".to_owned(), body);
    let mut elsewhere = event("a.b");
    elsewhere["organization"] = json!("globex");
    vec![
        get("GET /v1/audit-events", ""),
        get("GET /v1/audit-events (globex)", "?organization=globex"),
        get("GET /v1/audit-events (p1)", "?log=project:p1"),
        get("GET /v1/audit-events/export", "/export?format=CSV"),
        get("GET /v1/audit-events/export (globex)", "/export?format=CSV&organization=globex"),
        get("GET /v1/audit-events/export (p1)", "/export?format=CSV&log=project:p1"),
        get("GET /v1/audit-events/feed", "/feed"),
        get("GET /v1/audit-events/feed (globex)", "/feed?organization=globex"),
        get("GET /v1/audit-events/feed (p1)", "/feed?log=project:p1"),
        get("GET /v1/audit-events/{id} (own log)", &format!("/{}", ids[0])),
        get("GET /v1/audit-events/{id} (p1)", &format!("/{}", ids[1])),
        get("GET /v1/audit-events/{id} (globex)", &format!("/{}", ids[2])),
        post("POST /v1/audit-events", event("a.b")),
        post("POST /v1/audit-events (globex)", elsewhere.clone()),
        post("POST /v1/audit-events, many (globex)", json!({ "events": [elsewhere] })),
        ("GET /v1/activity/{project} (p1)", Method::GET, "/v1/activity/p1".to_owned(), json!(null)),
    ]
}

/// What a REST answer comes to, in the same words.
fn rest_outcome(answer: &Answer) -> String {
    if answer.status.is_success() {
        return "OK".to_owned();
    }
    let problem = answer.json();
    let detail = match (&problem["field"], &problem["required_plans"]) {
        (Value::String(field), _) => format!(" {field}"),
        (_, Value::Array(plans)) => {
            format!(" {}", plans.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
        }
        _ => String::new(),
    };
    // Every refusal of REST has a status of its own; here it is told where GraphQL has one, too.
    let status = if answer.status == 401 { " (HTTP 401)" } else { "" };
    format!("{}{detail}{status}", problem["code"].as_str().unwrap_or("no code"))
}

/// What an answer comes to: OK, with what was permitted, or the code of the refusal.
fn outcome(question: &Question, json: &Value, status: u16) -> String {
    if let Some(errors) = json["errors"].as_array() {
        let error = &errors[0];
        let code = error["extensions"]["code"].as_str().unwrap_or("no code");
        let detail = match (&error["extensions"]["field"], &error["extensions"]["requiredPlans"]) {
            (Value::String(field), _) => format!(" {field}"),
            (_, Value::Array(plans)) => {
                format!(" {}", plans.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
            }
            _ => String::new(),
        };
        let status = if status == 200 { String::new() } else { format!(" (HTTP {status})") };
        return format!("{code}{detail}{status}");
    }
    let it = &json["data"]["it"];
    match question.field {
        "auditEventRecorded" if status == 0 => "OK, nothing for it".to_owned(),
        "viewer" => format!(
            "OK read {} record {} logs {}{}",
            it["canReadAuditLog"]["reason"].as_str().unwrap_or("yes"),
            it["canRecord"]["reason"].as_str().unwrap_or("yes"),
            it["logs"].as_array().map_or(0, |logs| logs
                .iter()
                .filter(|log| !log["externalId"].as_str().is_some_and(|id| id.starts_with("own-")))
                .count()),
            match it["logChoices"].as_array().map_or(0, Vec::len) {
                0 => String::new(),
                choices => format!(", one of {choices} has to be named"),
            },
        ),
        "recordAuditEvents" => it["results"][0]["error"]["code"]
            .as_str()
            .map_or_else(|| "OK".to_owned(), |code| format!("OK, its event {code}")),
        _ => "OK".to_owned(),
    }
}

async fn fill(app: &TestApp) -> [String; 6] {
    let (acme, globex) = (app.admin("gated", "acme"), app.admin("gated", "globex"));
    let mut ids = Vec::new();
    for (caller, log) in [
        (&acme, None),
        (&acme, Some("p1")),
        (&globex, None),
        (&acme, Some("p2")),
        (&acme, Some("p3")),
        (&globex, Some("p1")),
    ] {
        let mut input = event("a.b");
        if let Some(log) = log {
            input["log"] = json!({ "level": "project", "id": log });
        }
        ids.push(caller.record(input).await["event"]["id"].as_str().expect("an id").to_owned());
    }
    let logs = async |caller: &Caller<'_>| {
        caller.data("{ viewer { logs { id } } }", json!({})).await["viewer"]["logs"].clone()
    };
    let id = |logs: &Value, n: usize| logs[n]["id"].as_str().expect("an id").to_owned();
    let (of_acme, of_globex) = (logs(&acme).await, logs(&globex).await);
    for (caller, log) in [(&acme, "gone"), (&globex, "globex-only")] {
        let mut input = event("a.b");
        input["log"] = json!({ "level": "project", "id": log });
        caller.record(input).await;
    }
    let delete = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { level } } }";
    acme.data(delete, json!({ "input": { "log": { "level": "project", "id": "gone" } } })).await;
    [ids[0].clone(), ids[1].clone(), ids[2].clone(), id(&of_acme, 0), id(&of_acme, 1), id(&of_globex, 1)]
}

/// The reviewed text: a block per caller, a line per question.
fn reviewed(matrix: &str) {
    insta::assert_snapshot!("access_matrix", matrix);
}

fn root_fields() -> Vec<String> {
    use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
    let schema = async_graphql::parser::parse_schema(ledgerline::cli::schema_text()).expect("the schema parses");
    let mut fields = Vec::new();
    for definition in schema.definitions {
        if let TypeSystemDefinition::Type(definition) = definition
            && ["Query", "Mutation", "Subscription"].contains(&definition.node.name.node.as_str())
            && let TypeKind::Object(object) = definition.node.kind
        {
            fields.extend(object.fields.into_iter().map(|field| field.node.name.node.to_string()));
        }
    }
    fields
}

#[test]
fn every_root_field_has_a_row_in_the_matrix() {
    let asked: Vec<_> = questions(&Default::default(), 0, "").into_iter().map(|question| question.field).collect();
    let fields = root_fields();
    assert!(fields.len() >= 9, "{fields:?}");
    for field in &fields {
        assert!(asked.contains(&field.as_str()), "{field} has no row in the access matrix: add a question");
    }
    for field in asked {
        assert!(fields.iter().any(|each| each == field), "{field} is asked, but is no root field");
    }
}

#[test]
fn every_route_of_rest_has_a_row_in_the_matrix() {
    let asked: Vec<_> = rest_questions(&Default::default()).into_iter().map(|(shown, ..)| shown).collect();
    let document = rest_document::document();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            if operation["security"] == json!([{}]) {
                // It asks for no token, so it is the same for everybody: an address of it is signed.
                continue;
            }
            let route = format!("{} {path}", method.to_uppercase());
            let is_row = |shown: &&&str| **shown == route || shown.starts_with(&format!("{route} ("));
            assert!(asked.iter().any(|shown| is_row(&shown)), "{route} has no row in the access matrix");
        }
    }
}

on_both_databases! {
    who_may_do_what_is_the_reviewed_matrix,
}

as_of_a_cluster! {
    everything_that_an_administrator_asks,
}

/// Every root field and every route of REST once.
async fn everything_that_an_administrator_asks(app: &TestApp) {
    let (products, _folder) = gated();
    let gated = app.beside_with_products(products).await;
    let ids = fill(&gated).await;
    let token = gated.admin("gated", "acme").token();
    let revocable = partner(&gated, "audit:record", None).await.0;
    for question in questions(&ids, 0, &revocable) {
        match question.field {
            "auditEventRecorded" => drop(followed(&gated, Some(&token), &question).await),
            _ => drop(gated.graphql(Some(&token), question.query, question.variables.clone()).await),
        }
    }
    for (_, method, address, body) in rest_questions(&ids) {
        let headers = [("content-type", "application/json")];
        send(&gated, method, Some(&token), &address, &headers, body.to_string()).await;
    }
    gated.finish().await;
}

async fn who_may_do_what_is_the_reviewed_matrix(app: &TestApp) {
    let (products, _folder) = gated();
    let gated = TestApp::with(app.database, products, |_| {}).await;
    let ids = fill(&gated).await;
    let mut text = String::new();
    let mut callers = callers(&gated);
    for (who, scopes, log) in [
        ("partner token that reads and records", "audit:read audit:record", None),
        ("partner token that reads project p1", "audit:read", Some("p1")),
        ("partner token that records", "audit:record", None),
    ] {
        callers.push((who, Some(partner(&gated, scopes, log).await.1)));
    }
    for (round, (who, token)) in callers.into_iter().enumerate() {
        let mut rows = Vec::new();
        for organization in ["acme", "globex"] {
            let mut input = event("a.b");
            input["log"] = json!({ "level": "project", "id": format!("own-{round}") });
            gated.admin("gated", organization).record(input).await;
        }
        // A token of acme's to revoke, a new one for everybody.
        let revocable = partner(&gated, "audit:record", None).await.0;
        for question in questions(&ids, round, &revocable) {
            let (json, status) = match question.field {
                "auditEventRecorded" => followed(&gated, token.as_deref(), &question).await,
                _ => {
                    let answer = gated.graphql(token.as_deref(), question.query, question.variables.clone()).await;
                    (answer.json(), answer.status.as_u16())
                }
            };
            let outcome = outcome(&question, &json, status);
            rows.push((question.shown, outcome));
        }
        for (shown, method, address, body) in rest_questions(&ids) {
            let headers = [("content-type", "application/json")];
            let answer = send(&gated, method, token.as_deref(), &address, &headers, body.to_string()).await;
            rows.push((shown, rest_outcome(&answer)));
        }
        text.push_str(&format!("{who}\n"));
        // Most who are refused are refused everywhere alike.
        if rows.iter().all(|(_, outcome)| *outcome == rows[0].1) {
            text.push_str(&format!("  all {} questions: {}\n", rows.len(), rows[0].1));
        } else {
            rows.iter().for_each(|(shown, outcome)| text.push_str(&format!("  {shown:42}{outcome}\n")));
        }
    }
    gated.finish().await;
    reviewed(&text);
}
