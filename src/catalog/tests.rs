use std::collections::BTreeSet;

use super::*;
use crate::{event::Outcome, question::sought::InLabel};

fn product(name: &str) -> Product {
    Product::clone(Products::built_in().get(name).unwrap())
}

fn names(product: &Product) -> Vec<&str> {
    product.catalog.actions.iter().map(|action| action.name.as_str()).collect()
}

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
                catalog.prefixes.iter().map(|each| each.prefix.as_str()).collect::<Vec<_>>().join(" "),
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
            "admin. troop. widget.",
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
            assert!(product.catalog.category(action.rules.category.as_ref().unwrap()).is_some(), "{}", action.name);
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
            let own =
                scim.catalog.actions.iter().filter(|action| action.rules.category.as_ref() == Some(&category.code));
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
    assert_eq!((failed.label.as_str(), failed.rules.default_outcome), ("Login failed", Some(Outcome::Failure)));
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
    workspace: organisation
    scim-platform: organization
    capydb: organization with nested > project Clear
    ");
    let caputchin = product("caputchin");
    assert_eq!(caputchin.catalog.action("troop.delete").unwrap().rules.levels, ["account"]);
    assert_eq!(product("capydb").catalog.action("api_key.created").unwrap().rules.levels, ["organization", "project"]);
}

#[test]
fn what_capydb_accepts_is_what_is_asynchronous() {
    let capydb = product("capydb").catalog;
    let rules = |outcome| capydb.actions.iter().filter(move |action| action.rules.default_outcome == outcome);
    let accepted: Vec<_> = rules(Some(Outcome::Accepted)).map(|action| action.name.as_str()).collect();
    insta::assert_snapshot!(accepted.join("\n"), @r"
    project.deleted
    project.credentials_rotated
    project.restore_overwrite_started
    project.import_started
    cutover.requested
    cutover.promote_started
    ");
    assert_eq!(rules(None).count(), 20);
    for action in &capydb.actions {
        let takes = action.rules.outcomes.contains(&Outcome::Accepted);
        assert_eq!(takes, accepted.contains(&action.name.as_str()), "{}", action.name);
    }
}

#[test]
fn what_we_invented_is_marked_as_ours() {
    let text =
        |name: &str| std::fs::read_to_string(format!("{}/products/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for (product, before) in [
        ("caputchin", "[access]"),
        ("caputchin", "[[levels]]\nname = \"widget\""),
        ("caputchin", "[[catalog.prefixes]]\nprefix = \"troop.\""),
        ("caputchin", "[[catalog.categories]]\ncode = \"session\""),
        ("cloud-sessions", "[[catalog.categories]]\ncode = \"user\""),
        ("capydb", "[access]"),
        ("capydb", "[[catalog.categories]]\ncode = \"project\""),
    ] {
        let text = text(product);
        let (above, _) = text.split_once(before).unwrap_or_else(|| panic!("{product}: {before}"));
        let comment = above.lines().rev().take_while(|line| line.starts_with('#'));
        assert!(comment.into_iter().any(|line| line.starts_with("# Ours:")), "{product}: {before}");
    }
}

#[test]
fn gates_and_views_are_as_documented() {
    let told: Vec<_> = Products::built_in()
        .iter()
        .map(|product| {
            let (access, viewer) = (&product.access, &product.viewer);
            let columns: Vec<_> = viewer.columns.iter().map(|column| column.label.as_str()).collect();
            format!(
                "{}: roles {:?}, plans {:?}{}, {}, {:?}, {:?}, {:?}, filters {}, kept {}",
                product.name,
                access.roles,
                access.plans,
                if access.hidden_without_plan { " (hidden)" } else { "" },
                columns.join("|"),
                viewer.paging,
                viewer.date_filter,
                viewer.action_display,
                match viewer.filters.len() {
                    all if all == FilterKind::ALL.len() => "all".to_owned(),
                    _ => format!("{:?}", viewer.filters.iter().map(|filter| filter.kind).collect::<Vec<_>>()),
                },
                product.retention,
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    caputchin: roles ["admin", "owner"], plans ["apex"] (hidden), Time|Action|Actor|Target|Details|Log, More, Both, Name, filters all, kept forever
    cloud-sessions: roles ["admin"], plans ["paid"], Event|User|IP|Details|Time, Pages, Range, Name, filters [Action, Email], kept forever
    workspace: roles ["admin"], plans [], Event type|Actor|Timestamp|Details, More, Both, Name, filters [Action, Actor], kept forever
    scim-platform: roles ["admin"], plans [], Time|Actor|Action|Category|Resource, More, Presets, Label, filters [Search, Category, Action], kept forever
    capydb: roles ["admin", "owner"], plans [], Time|Actor|Action|Project|Details, More, Both, Label, filters all, kept forever
    "#);
}

#[test]
fn no_key_lies_in_a_built_in_product_and_two_can_be_set() {
    for product in Products::built_in().iter() {
        let variable = format!("LEDGERLINE_KEY_{}", product.name.to_uppercase().replace('-', "_"));
        let [first, next] =
            [variable.clone(), format!("{variable}_NEXT")].map(|variable| KeySource::SecretEnv { variable, kid: None });
        assert_eq!(product.issuers[0].keys, [first, next]);
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
        ("troop.rule.changed", true),
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
    assert!(product("workspace").catalog.admits("anything at all"), "a place, if not the form");
    assert_eq!(product("workspace").catalog.label_of("anything at all"), "anything at all");
    assert_eq!(product("scim-platform").catalog.label_of("api_key.created"), "Created API key");
}

#[test]
fn a_word_finds_actions_and_categories_by_their_labels() {
    let scim = product("scim-platform").catalog;
    let (word, beginning) = (InLabel::default(), InLabel { prefix: true, whole: false });
    let found = scim.labelled("oidc", word);
    assert_eq!((found.actions.len(), found.categories.len()), (5, 0));
    assert_eq!(scim.labelled("rbac", word).categories, ["rbac"]);
    assert_eq!(scim.labelled("permissions", word).categories, ["rbac"]);
    assert_eq!(scim.labelled("provis", word), Labelled::default());
    let begun = scim.labelled("provis", beginning);
    assert_eq!((begun.actions, begun.categories), (vec!["scim.user_provisioned".to_owned()], vec!["scim".to_owned()]));
    let whole = |words: &str| scim.labelled(words, InLabel { prefix: false, whole: true }).actions;
    assert_eq!((whole("created role"), whole("role")), (vec!["role.created".to_owned()], Vec::new()));
    assert_eq!(scim.labelled("role created", word), Labelled::default());
}

#[test]
fn a_name_that_is_not_listed_is_under_the_rules_of_the_longest_beginning_that_fits() {
    let prefix = |prefix: &str, category: &str| Prefix {
        prefix: prefix.to_owned(),
        rules: Rules { category: Some(category.to_owned()), ..Rules::default() },
        description: None,
    };
    let mut catalog = Catalog::of(vec![Action {
        name: "a.b.listed".to_owned(),
        label: "Listed".to_owned(),
        rules: Rules::default(),
        description: None,
    }]);
    catalog.prefixes = vec![prefix("a.", "short"), prefix("a.b.", "long"), prefix("a.b", "middle")];
    for (name, category) in
        [("a.c", Some("short")), ("a.b.c", Some("long")), ("a.bc", Some("middle")), ("a.b.listed", None)]
    {
        assert_eq!(catalog.rules(name).unwrap().category.as_deref(), category, "{name}");
    }
    assert!(catalog.rules("a.").is_none() && catalog.rules("A.c").is_none());
}

#[test]
fn the_form_resource_action_is_words_with_dots_between() {
    for (name, fits) in [
        ("user.login", true),
        ("organisation.settings_updated", true),
        ("billing.invoice.sent", true),
        ("Größe.geändert-2", true),
        ("login", false),
        (".login", false),
        ("user.", false),
        ("user..login", false),
        ("user login.failed", false),
        ("user.login failed", false),
        ("user/login.done", false),
        ("", false),
    ] {
        assert_eq!(ActionForm::ResourceAction.fits(name), fits, "{name}");
    }
}

#[test]
fn labels_are_found_whatever_the_case_of_the_code() {
    let cloud = product("cloud-sessions");
    assert_eq!((cloud.plan_labels.of("PAID"), cloud.plan_labels.of("team")), ("Paid", "team"));
    assert_eq!(product("workspace").role_labels.of("Member"), "ORG Member");
    assert_eq!(product("capydb").kind_label(ActorKind::User), "Dashboard user");
}
