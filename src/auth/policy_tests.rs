use std::fmt::Write;

use super::{policy::*, *};
use crate::{
    catalog::{Feature, Products},
    error::Error,
};

/// A principal in short: `product org | scopes | role | plan | logs`, with `-` for what is not there.
fn principal(text: &str) -> Principal {
    let parts: Vec<_> = text.split('|').map(str::trim).collect();
    let (product, organization) = parts[0].split_once(' ').unwrap();
    let some = |text: &str| (text != "-").then(|| text.to_owned());
    let list = |text: &str| text.split(' ').filter(|each| *each != "-").map(str::to_owned).collect::<Vec<_>>();
    Principal {
        product: Products::built_in().get(product).unwrap().clone(),
        organization: some(organization).map(|id| OrganizationId::new("org", id).unwrap()),
        subject: "usr_1".to_owned(),
        scopes: list(parts[1]).iter().map(|scope| format!("audit:{scope}")).collect(),
        roles: list(parts[2]),
        plan: some(parts[3]),
        email: None,
        name: None,
        logs: list(parts[4]).iter().map(|log| LogName::parse(log).unwrap()).collect(),
        expires_at: Timestamp(0),
        is_partner: false,
        plan_is_kept: false,
    }
}

fn answer(result: Result<ReadScope, Error>) -> String {
    match result {
        Err(error) => refused(&error),
        Ok(scope) => {
            let log = scope.log().map_or("own log".to_owned(), ToString::to_string);
            let allowed = shown(scope.allowed_logs());
            let staff = if scope.is_staff() { ", staff" } else { "" };
            format!("{} {log}{allowed}{staff}", scope.organization().unwrap_or("any"))
        }
    }
}

fn refused(error: &Error) -> String {
    format!("{}: {error}", error.code().as_str())
}

fn shown(allowed: &[LogName]) -> String {
    let names: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    if names.is_empty() { String::new() } else { format!(" of [{}]", names.join(", ")) }
}

#[test]
fn who_may_read_what() {
    // Who, and what is asked: organization and log.
    let table = [
        ("cloud-sessions org_1 | read | admin | paid | -", "- -"),
        ("cloud-sessions org_1 | read | admin | paid | -", "org_1 organization:org_1"),
        ("cloud-sessions org_1 | read | admin | paid | -", "org_2 -"),
        ("cloud-sessions org_1 | - | - | - | -", "org_2 -"),
        ("cloud-sessions org_1 | record | admin | paid | -", "- -"),
        ("cloud-sessions org_1 | read | member | paid | -", "- -"),
        ("cloud-sessions org_1 | read | member | free | -", "- -"),
        ("cloud-sessions org_1 | read | admin | free | -", "- -"),
        ("cloud-sessions org_1 | read | admin | - | -", "- -"),
        ("cloud-sessions org_1 | read | member admin | paid | -", "- -"),
        ("cloud-sessions - | read | admin | paid | -", "org_1 -"),
        ("cloud-sessions - | read staff | - | - | -", "- -"),
        ("cloud-sessions - | read staff | - | - | -", "org_2 -"),
        ("cloud-sessions org_1 | read staff | - | free | -", "org_2 -"),
        ("cloud-sessions org_1 | staff | admin | paid | -", "org_1 -"),
        ("workspace org_1 | read | member | - | -", "- -"),
        ("workspace org_1 | read | admin | - | -", "- moon:m_1"),
        ("caputchin acct_1 | read | admin | apex | -", "- -"),
        ("caputchin acct_1 | read | admin | guard | -", "- -"),
        ("caputchin acct_1 | read | admin | apex | -", "- troop:t_1"),
        ("caputchin acct_1 | read | admin | apex | -", "- account:acct_2"),
        ("caputchin acct_1 | read | admin | apex | troop:t_1", "- -"),
        ("caputchin acct_1 | read | admin | apex | troop:t_1", "- account:acct_1"),
        ("caputchin acct_1 | read | admin | apex | troop:t_1", "- widget:w_1"),
        ("caputchin acct_1 | read | admin | guard | troop:t_1", "- account:acct_1"),
        ("caputchin acct_1 | read | admin | apex | troop:t_1 troop:t_2", "- -"),
        ("caputchin acct_1 | read | admin | apex | troop:t_1 troop:t_2", "- troop:t_2"),
        ("caputchin acct_1 | read | admin | apex | account:acct_1 troop:t_1", "- -"),
        ("caputchin acct_1 | read | admin | apex | account:acct_2", "- -"),
        ("caputchin - | read staff | - | - | account:acct_1 account:acct_2", "acct_2 -"),
        ("caputchin - | read staff | - | - | account:acct_1 account:acct_2", "acct_3 -"),
        ("caputchin - | read staff | - | - | troop:t_1", "acct_3 -"),
        ("capydb org_1 | read | admin | - | -", "- project:"),
    ];
    let mut told = String::new();
    for (who, asked) in table {
        let (organization, log) = asked.split_once(' ').unwrap();
        let log = log.split_once(':').map(|(level, id)| LogName::new(level, id));
        let result = may_read(&principal(who), Some(organization).filter(|text| *text != "-"), log, None);
        writeln!(told, "{who} asks {asked}\n    {}", answer(result)).unwrap();
    }
    insta::assert_snapshot!(told, @r#"
    cloud-sessions org_1 | read | admin | paid | - asks - -
        org_1 own log
    cloud-sessions org_1 | read | admin | paid | - asks org_1 organization:org_1
        org_1 own log
    cloud-sessions org_1 | read | admin | paid | - asks org_2 -
        NOT_FOUND: there is no such organization
    cloud-sessions org_1 | - | - | - | - asks org_2 -
        NOT_FOUND: there is no such organization
    cloud-sessions org_1 | record | admin | paid | - asks - -
        FORBIDDEN: the token lacks the scope audit:read
    cloud-sessions org_1 | read | member | paid | - asks - -
        FORBIDDEN: reading this audit log takes the role admin
    cloud-sessions org_1 | read | member | free | - asks - -
        FORBIDDEN: reading this audit log takes the role admin
    cloud-sessions org_1 | read | admin | free | - asks - -
        PLAN_REQUIRED: the audit log is part of the plan paid
    cloud-sessions org_1 | read | admin | - | - asks - -
        PLAN_REQUIRED: the audit log is part of the plan paid
    cloud-sessions org_1 | read | member admin | paid | - asks - -
        org_1 own log
    cloud-sessions - | read | admin | paid | - asks org_1 -
        FORBIDDEN: the token names no organization (org) to read
    cloud-sessions - | read staff | - | - | - asks - -
        BAD_USER_INPUT: organization: must be named: the token is for no organization in particular
    cloud-sessions - | read staff | - | - | - asks org_2 -
        org_2 own log, staff
    cloud-sessions org_1 | read staff | - | free | - asks org_2 -
        org_2 own log, staff
    cloud-sessions org_1 | staff | admin | paid | - asks org_1 -
        FORBIDDEN: the token lacks the scope audit:read
    workspace org_1 | read | member | - | - asks - -
        FORBIDDEN: reading this audit log takes the role admin
    workspace org_1 | read | admin | - | - asks - moon:m_1
        BAD_USER_INPUT: log.level: must be one of organisation, got "moon"
    caputchin acct_1 | read | admin | apex | - asks - -
        acct_1 own log
    caputchin acct_1 | read | admin | guard | - asks - -
        PLAN_REQUIRED: the audit log is part of the plan apex
    caputchin acct_1 | read | admin | apex | - asks - troop:t_1
        acct_1 troop:t_1
    caputchin acct_1 | read | admin | apex | - asks - account:acct_2
        NOT_FOUND: there is no such account
    caputchin acct_1 | read | admin | apex | troop:t_1 asks - -
        acct_1 troop:t_1 of [troop:t_1]
    caputchin acct_1 | read | admin | apex | troop:t_1 asks - account:acct_1
        FORBIDDEN: this token is for other logs
    caputchin acct_1 | read | admin | apex | troop:t_1 asks - widget:w_1
        acct_1 widget:w_1 of [troop:t_1]
    caputchin acct_1 | read | admin | guard | troop:t_1 asks - account:acct_1
        FORBIDDEN: this token is for other logs
    caputchin acct_1 | read | admin | apex | troop:t_1 troop:t_2 asks - -
        BAD_USER_INPUT: log: must be named: the token is for troop:t_1, troop:t_2
    caputchin acct_1 | read | admin | apex | troop:t_1 troop:t_2 asks - troop:t_2
        acct_1 troop:t_2 of [troop:t_1, troop:t_2]
    caputchin acct_1 | read | admin | apex | account:acct_1 troop:t_1 asks - -
        acct_1 own log
    caputchin acct_1 | read | admin | apex | account:acct_2 asks - -
        FORBIDDEN: this token is for other logs
    caputchin - | read staff | - | - | account:acct_1 account:acct_2 asks acct_2 -
        acct_2 own log, staff
    caputchin - | read staff | - | - | account:acct_1 account:acct_2 asks acct_3 -
        FORBIDDEN: this token is for other logs
    caputchin - | read staff | - | - | troop:t_1 asks acct_3 -
        acct_3 troop:t_1 of [troop:t_1], staff
    capydb org_1 | read | admin | - | - asks - project:
        BAD_USER_INPUT: log.id: must not be empty or blank
    "#);
}

#[test]
fn who_may_find_an_event_by_its_id() {
    let mut told = String::new();
    for who in [
        "cloud-sessions org_1 | read | admin | paid | -",
        "cloud-sessions org_1 | read | admin | free | -",
        "cloud-sessions org_1 | record | admin | paid | -",
        "cloud-sessions - | read | admin | paid | -",
        "cloud-sessions org_1 | read staff | - | - | -",
        "cloud-sessions - | read staff | - | - | -",
        "caputchin acct_1 | read | admin | apex | troop:t_1 troop:t_2",
        "caputchin - | read staff | - | - | account:acct_1 troop:t_2",
    ] {
        writeln!(told, "{who}\n    {}", answer(may_find(&principal(who)))).unwrap();
    }
    insta::assert_snapshot!(told, @r#"
    cloud-sessions org_1 | read | admin | paid | -
        org_1 own log
    cloud-sessions org_1 | read | admin | free | -
        PLAN_REQUIRED: the audit log is part of the plan paid
    cloud-sessions org_1 | record | admin | paid | -
        FORBIDDEN: the token lacks the scope audit:read
    cloud-sessions - | read | admin | paid | -
        FORBIDDEN: the token names no organization (org) to read
    cloud-sessions org_1 | read staff | - | - | -
        any own log, staff
    cloud-sessions - | read staff | - | - | -
        any own log, staff
    caputchin acct_1 | read | admin | apex | troop:t_1 troop:t_2
        acct_1 own log of [troop:t_1, troop:t_2]
    caputchin - | read staff | - | - | account:acct_1 troop:t_2
        any own log of [account:acct_1, troop:t_2], staff
    "#);
}

#[test]
fn who_may_record_and_manage() {
    let mut told = String::new();
    for (who, organization) in [
        ("caputchin acct_1 | record | - | guard | -", None),
        ("caputchin acct_1 | record | - | - | -", Some("acct_1")),
        ("caputchin acct_1 | record | - | - | -", Some("acct_2")),
        ("caputchin acct_1 | read staff | - | apex | -", None),
        ("caputchin acct_1 | record staff | - | - | -", Some("acct_2")),
        ("caputchin - | record | - | - | -", None),
        ("caputchin - | record manage | - | - | -", Some("acct_9")),
        ("caputchin - | record | - | - | -", Some("")),
        ("caputchin - | record | - | - | -", Some("a\0b")),
        ("caputchin acct_1 | record manage | - | - | troop:t_1", None),
        ("caputchin acct_1 | record manage | - | - | account:acct_1", None),
    ] {
        let p = principal(who);
        let answer = |result: Result<WriteScope, Error>| match result {
            Err(error) => refused(&error),
            Ok(scope) => format!("{}{} by {}", scope.organization(), shown(scope.allowed_logs()), scope.subject()),
        };
        writeln!(told, "{who} for {organization:?}").unwrap();
        writeln!(told, "    records: {}", answer(may_record(&p, organization))).unwrap();
        writeln!(told, "    manages: {}", answer(may_manage(&p, organization, &LogName::new("troop", "t_1")))).unwrap();
    }
    insta::assert_snapshot!(told, @r#"
    caputchin acct_1 | record | - | guard | - for None
        records: acct_1 by usr_1
        manages: FORBIDDEN: the token lacks the scope audit:manage
    caputchin acct_1 | record | - | - | - for Some("acct_1")
        records: acct_1 by usr_1
        manages: FORBIDDEN: the token lacks the scope audit:manage
    caputchin acct_1 | record | - | - | - for Some("acct_2")
        records: NOT_FOUND: there is no such organization
        manages: NOT_FOUND: there is no such organization
    caputchin acct_1 | read staff | - | apex | - for None
        records: FORBIDDEN: the token lacks the scope audit:record
        manages: FORBIDDEN: the token lacks the scope audit:manage
    caputchin acct_1 | record staff | - | - | - for Some("acct_2")
        records: acct_2 by usr_1
        manages: FORBIDDEN: the token lacks the scope audit:manage
    caputchin - | record | - | - | - for None
        records: BAD_USER_INPUT: organization: must be named: the token is for no organization in particular
        manages: FORBIDDEN: the token lacks the scope audit:manage
    caputchin - | record manage | - | - | - for Some("acct_9")
        records: acct_9 by usr_1
        manages: acct_9 by usr_1
    caputchin - | record | - | - | - for Some("")
        records: BAD_USER_INPUT: organization: must not be empty or blank
        manages: FORBIDDEN: the token lacks the scope audit:manage
    caputchin - | record | - | - | - for Some("a\0b")
        records: BAD_USER_INPUT: organization: must not contain NUL (U+0000) or half of a surrogate pair
        manages: FORBIDDEN: the token lacks the scope audit:manage
    caputchin acct_1 | record manage | - | - | troop:t_1 for None
        records: acct_1 of [troop:t_1] by usr_1
        manages: acct_1 of [troop:t_1] by usr_1
    caputchin acct_1 | record manage | - | - | account:acct_1 for None
        records: acct_1 by usr_1
        manages: acct_1 by usr_1
    "#);
    let p = principal("caputchin acct_1 | manage | - | - | -");
    for (log, reason) in [
        (LogName::new("account", "acct_1"), "BAD_USER_INPUT: log.level: the organization's own log cannot be deleted"),
        (LogName::new("moon", "m"), "BAD_USER_INPUT: log.level: must be one of account, troop, widget, got \"moon\""),
        (LogName::new("troop", ""), "BAD_USER_INPUT: log.id: must not be empty or blank"),
    ] {
        assert_eq!(refused(&may_manage(&p, None, &log).unwrap_err()), reason);
    }
}

#[test]
fn who_may_export() {
    for (who, organization, expected) in [
        ("capydb org_1 | read export | admin | - | -", None, "OK org_1"),
        ("capydb org_1 | read manage | admin | - | -", Some("org_1"), "OK org_1"),
        (
            "capydb org_1 | read | admin | - | -",
            None,
            "FORBIDDEN: the token lacks the scope audit:export or audit:manage",
        ),
        ("capydb org_1 | export | admin | - | -", None, "FORBIDDEN: the token lacks the scope audit:read"),
        ("capydb org_1 | read export | admin | - | -", Some("org_2"), "NOT_FOUND: there is no such organization"),
        (
            "capydb org_1 | read export | admin | - | organization:org_2",
            None,
            "FORBIDDEN: this token is for other logs",
        ),
        ("capydb - | read export staff | - | - | -", Some("org_2"), "OK org_2"),
        ("cloud-sessions org_1 | read export | admin | free | -", None, "PLAN_REQUIRED"),
        ("caputchin acct_1 | read export | admin | apex | -", None, "FORBIDDEN: Caputchin does not offer exports"),
    ] {
        let said = match may_export(&principal(who), organization) {
            Ok(scope) => format!("OK {}", scope.organization()),
            Err(error) => refused(&error),
        };
        assert!(said.starts_with(expected), "{who}: {said}");
    }
    let partner = Principal { is_partner: true, ..principal("capydb org_1 | read export | admin | - | -") };
    assert_eq!(refused(&may_export(&partner, None).unwrap_err()), "FORBIDDEN: a token of this service cannot export");
}

#[test]
fn who_may_administer() {
    let mut told = String::new();
    for (who, organization) in [
        ("capydb org_1 | manage | admin | - | -", None),
        ("capydb org_1 | manage | admin | - | -", Some("org_2")),
        ("capydb org_1 | read record | admin | - | -", None),
        ("capydb org_1 | manage | member | - | -", None),
        ("capydb org_1 | manage | - | - | -", None),
        ("capydb - | manage | admin | - | -", None),
        ("capydb org_1 | manage | admin | - | project:p_1", None),
        ("capydb org_1 | manage | admin | - | organization:org_2", None),
        ("capydb - | manage staff | - | - | -", Some("org_2")),
        ("capydb - | staff | - | - | -", Some("org_2")),
        ("cloud-sessions org_1 | manage | admin | paid | -", None),
        ("cloud-sessions org_1 | manage | admin | free | -", None),
        ("cloud-sessions org_1 | manage | member | free | -", None),
        ("cloud-sessions org_1 | manage staff | - | - | -", None),
        ("caputchin acct_1 | manage | owner | apex | -", None),
        ("caputchin acct_1 | read | owner | apex | -", None),
    ] {
        let p = principal(who);
        let answer = match may_administer(&p, organization, Feature::Tokens) {
            Err(error) => refused(&error),
            Ok(scope) => format!("{}{} by {}", scope.organization(), shown(scope.allowed_logs()), scope.subject()),
        };
        writeln!(told, "{who} for {organization:?}\n    {answer}").unwrap();
        let partner = Principal { is_partner: true, ..p };
        assert!(may_administer(&partner, organization, Feature::Tokens).is_err_and(|error| error.is_no()), "{who}");
    }
    insta::assert_snapshot!(told, @r#"
    capydb org_1 | manage | admin | - | - for None
        org_1 by usr_1
    capydb org_1 | manage | admin | - | - for Some("org_2")
        NOT_FOUND: there is no such organization
    capydb org_1 | read record | admin | - | - for None
        FORBIDDEN: the token lacks the scope audit:manage
    capydb org_1 | manage | member | - | - for None
        FORBIDDEN: managing this audit log takes the role admin or owner
    capydb org_1 | manage | - | - | - for None
        FORBIDDEN: managing this audit log takes the role admin or owner
    capydb - | manage | admin | - | - for None
        BAD_USER_INPUT: organization: must be named: the token is for no organization in particular
    capydb org_1 | manage | admin | - | project:p_1 for None
        org_1 of [project:p_1] by usr_1
    capydb org_1 | manage | admin | - | organization:org_2 for None
        FORBIDDEN: this token is for other logs
    capydb - | manage staff | - | - | - for Some("org_2")
        org_2 by usr_1
    capydb - | staff | - | - | - for Some("org_2")
        FORBIDDEN: the token lacks the scope audit:manage
    cloud-sessions org_1 | manage | admin | paid | - for None
        org_1 by usr_1
    cloud-sessions org_1 | manage | admin | free | - for None
        PLAN_REQUIRED: the audit log is part of the plan paid
    cloud-sessions org_1 | manage | member | free | - for None
        FORBIDDEN: managing this audit log takes the role admin
    cloud-sessions org_1 | manage staff | - | - | - for None
        org_1 by usr_1
    caputchin acct_1 | manage | owner | apex | - for None
        FORBIDDEN: Caputchin does not offer tokens in the management section of its file
    caputchin acct_1 | read | owner | apex | - for None
        FORBIDDEN: the token lacks the scope audit:manage
    "#);
}

#[test]
fn a_client_can_ask_first() {
    let mut told = String::new();
    for who in [
        "caputchin acct_1 | read record | owner | apex | -",
        "caputchin acct_1 | read | admin | guard | -",
        "caputchin acct_1 | record | - | guard | -",
        "caputchin acct_1 | read | admin | guard | account:acct_2",
        "cloud-sessions org_1 | read | admin | free | -",
        "cloud-sessions org_1 | read | member | free | -",
        "workspace org_1 | read | member | - | -",
        "caputchin - | read staff | - | - | -",
    ] {
        let p = principal(who);
        let show = |access: Access| match access.message {
            None => "yes".to_owned(),
            Some(message) => {
                let hidden = if access.hidden { ", hidden" } else { "" };
                let wanted = [access.required_roles, access.required_plans].concat();
                format!("{} {wanted:?}{hidden} ({message})", access.reason.unwrap().as_str())
            }
        };
        writeln!(told, "{who}\n    reads: {}\n    records: {}", show(read_access(&p)), show(record_access(&p)))
            .unwrap();
    }
    insta::assert_snapshot!(told, @r#"
    caputchin acct_1 | read record | owner | apex | -
        reads: yes
        records: yes
    caputchin acct_1 | read | admin | guard | -
        reads: PLAN_REQUIRED ["apex"], hidden (the audit log is part of the plan apex)
        records: FORBIDDEN [] (the token lacks the scope audit:record)
    caputchin acct_1 | record | - | guard | -
        reads: FORBIDDEN [] (the token lacks the scope audit:read)
        records: yes
    caputchin acct_1 | read | admin | guard | account:acct_2
        reads: FORBIDDEN [] (this token is for other logs)
        records: FORBIDDEN [] (the token lacks the scope audit:record)
    cloud-sessions org_1 | read | admin | free | -
        reads: PLAN_REQUIRED ["paid"] (the audit log is part of the plan paid)
        records: FORBIDDEN [] (the token lacks the scope audit:record)
    cloud-sessions org_1 | read | member | free | -
        reads: FORBIDDEN ["admin"] (reading this audit log takes the role admin)
        records: FORBIDDEN [] (the token lacks the scope audit:record)
    workspace org_1 | read | member | - | -
        reads: FORBIDDEN ["admin"] (reading this audit log takes the role admin)
        records: FORBIDDEN [] (the token lacks the scope audit:record)
    caputchin - | read staff | - | - | -
        reads: yes
        records: FORBIDDEN [] (the token lacks the scope audit:record)
    "#);
}

#[test]
fn who_may_save_and_share_views() {
    // Who, what saving answers, and what sharing does.
    for (who, saves, shares) in [
        ("cloud-sessions org_1 | read manage | admin | paid | -", "yes", "yes"),
        ("cloud-sessions org_1 | read | admin | paid | -", "yes", "FORBIDDEN"),
        ("cloud-sessions org_1 | manage | admin | paid | -", "FORBIDDEN", "yes"),
        ("cloud-sessions org_1 | read manage | member | paid | -", "FORBIDDEN", "FORBIDDEN"),
        ("cloud-sessions org_1 | read manage | admin | free | -", "PLAN_REQUIRED", "PLAN_REQUIRED"),
        ("capydb org_1 | read manage | admin | - | project:p_1", "yes", "FORBIDDEN"),
        ("capydb org_1 | read manage | admin | - | organization:org_1", "yes", "yes"),
        ("capydb org_1 | read manage | admin | - | organization:org_2", "FORBIDDEN", "FORBIDDEN"),
        // Its file offers nothing to manage.
        ("caputchin acct_1 | read manage | owner | apex | -", "yes", "FORBIDDEN"),
    ] {
        let p = principal(who);
        let answer = |error: Option<Error>| error.map_or("yes", |error| error.code().as_str());
        assert_eq!(answer(may_save_views(&p, None).err()), saves, "{who}");
        assert_eq!(answer(may_share_views(&p, None).err()), shares, "{who}");
        if let Ok((scope, rights)) = may_save_views(&p, None) {
            let is_wide = scope.allowed_logs().is_empty();
            assert_eq!(rights.sees("usr_2", true), is_wide, "{who}");
            assert!(rights.sees("usr_1", false) && !rights.sees("usr_2", false), "{who}");
            assert!(rights.may_delete("usr_1", true) && !rights.may_delete("usr_2", false), "{who}");
            assert_eq!(rights.may_change("usr_1", true), shares == "yes", "{who}");
            assert_eq!(rights.check_change("usr_1", false, true).is_ok(), shares == "yes", "{who}");
            assert!(rights.check_change("usr_2", true, false).is_err(), "{who}");
        }
        assert_eq!(answer(may_save_views(&p, Some("org_9")).err()), "NOT_FOUND", "{who}");
        let partner = Principal { is_partner: true, ..p };
        assert!(may_save_views(&partner, None).is_err_and(|error| error.is_no()), "{who}");
    }
}
