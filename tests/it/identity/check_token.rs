//! `ledgerline check-token` says why a token is refused, so that a stranger mends it.

use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use super::{
    claims, folder, product,
    signer::{Signer, jwks},
};
use crate::process::ledgerline;

fn files(keys: &Signer) -> tempfile::TempDir {
    let issuers = "[[issuers]]\npreset = \"okta\"\nissuer = \"https://acme.okta.com/oauth2/default\"\naudience = \"api://audit\"\n\
                   keys = [{ jwks_file = \"k.json\" }]\n[issuers.claims]\norganization = \"org\"\n\
                   [[issuers]]\nissuer = \"http://127.0.0.1:9/realm\"\naudience = \"api://audit\"\ndiscovery = true\n";
    let access = "roles = [\"admin\"]\nplans = [\"pro\"]";
    let folder =
        folder(&[("tickets.toml", product("tickets", access, issuers)), ("k.json", jwks(&[keys]).to_string())]);
    std::fs::create_dir(folder.path().join("files")).expect("a folder");
    folder
}

fn check(folder: &Path, token: &str, by_input: bool) -> (Option<i32>, String) {
    let mut command = ledgerline("sqlite://unused.db", &folder.join("files"));
    command.env("LEDGERLINE_PRODUCTS", folder).env("LEDGERLINE_LOG", "off").arg("check-token");
    command.arg(if by_input { "-" } else { token }).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    child.stdin.take().expect("an input").write_all(token.as_bytes()).expect("written");
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    for part in token.split('.').filter(|part| part.len() > 20) {
        assert!(!said.contains(part), "the token is printed:\n{said}");
    }
    (status.code(), said)
}

fn okta(more: &Value) -> Value {
    let mut said =
        claims("https://acme.okta.com/oauth2/default", "api://audit", &json!({ "scope": null, "role": null }));
    let own = json!({ "scp": ["audit:read", "audit:manage"], "groups": ["Admin"], "plan": "pro" });
    for (name, value) in own.as_object().expect("claims").iter().chain(more.as_object().expect("claims")) {
        said[name] = value.clone();
    }
    said
}

#[test]
fn what_a_token_gives_and_why_not_is_explained_claim_by_claim() {
    let (key, other) = (Signer::new("RS256", "one"), Signer::new("RS256", "one"));
    let folder = files(&key);
    let told = |token: &str| check(folder.path(), token, false);
    let (code, said) = told(&key.sign(&okta(&json!({ "name": { "first": "Ada" } }))));
    assert_eq!(code, Some(0), "{said}");
    for line in [
        "signature     good: RS256 by the key \"one\"",
        "audience      \"api://audit\" from aud",
        "organization  \"acme\" from org",
        "scopes        \"audit:read\" from scp; not \"audit:manage\", because allowed_scopes does not have it",
        "roles         \"Admin\" from groups",
        "name          none; name is an object: counts as absent",
        "may read      yes",
        "may record    no: the token lacks the scope audit:record",
        "the token     accepted",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert_eq!(check(folder.path(), &format!("Bearer {}\n", key.sign(&okta(&json!({})))), true).0, Some(0));
    for (token, why) in [
        (other.sign(&okta(&json!({}))), "no key of this issuer fits"),
        (
            key.sign(&okta(&json!({ "aud": "api://other" }))),
            "REFUSED: \"api://other\" from aud; aud must have api://audit",
        ),
        (key.sign(&okta(&json!({ "exp": 1_700_000_000 }))), "ago (exp)"),
        (key.sign(&okta(&json!({ "exp": null }))), "REFUSED: absent (exp)"),
        (
            key.sign(&okta(&json!({ "org": { "id": "acme" } }))),
            "org is an object: REFUSED: an organization must be one text",
        ),
        (
            key.sign(&okta(&json!({ "iss": "https://acme.okta.com" }))),
            "its issuer (iss) is \"https://acme.okta.com\", which no product has",
        ),
        (
            key.sign_text(&json!({ "alg": "RS256" }), "{\"iss\":1,\"iss\":2}"),
            "no JSON object that names each claim once",
        ),
        ("llk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), "This is no JWT"),
        ("a.b".to_owned(), "This is no JWT"),
    ] {
        let (code, said) = told(&token);
        assert_eq!(code, Some(1), "{why}\n{said}");
        assert!(said.contains(why), "{why}\n{said}");
    }
    // Accepted, and of no use: it says what for.
    let (code, said) = told(&key.sign(&okta(&json!({ "groups": ["Everyone"], "plan": null }))));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("may read      no: reading this audit log takes the role admin"), "{said}");
    assert!(said.contains("setOrganizationPlan"), "{said}");
    // Nobody listens there: what it would give is told, and that its keys could not be fetched.
    let (code, said) = told(&key.sign(&claims("http://127.0.0.1:9/realm", "api://audit", &json!({ "plan": "pro" }))));
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("not checked, the keys could not be fetched: ") && said.contains("may read      yes"),
        "{said}"
    );
}
