use std::collections::BTreeSet;

use super::{script::Organization, *};
use crate::event::{ActorKind, Metadata, Outcome};

const DAY: i64 = 86_400_000_000_000;

/// Instants that a demo may be started at: working day, night, weekend, leap day, end of a year.
const NOWS: [&str; 5] = [
    "2026-11-20T15:04:05Z",
    "2026-11-21T02:10:00.123456789Z",
    "2026-03-01T00:00:00Z",
    "2028-02-29T23:59:59Z",
    "2027-01-01T12:00:00Z",
];

fn now() -> Timestamp {
    Timestamp::parse(NOWS[0]).unwrap()
}

fn all(product: &str, now: Timestamp) -> Vec<DemoStep> {
    organizations(product).iter().flat_map(|organization| events(product, organization.id, now)).collect()
}

#[test]
fn every_story_names_only_people_logs_and_words_that_it_has() {
    let text = |told: &Organization, at: &str| format!("{}: {at}", told.id);
    for product in PRODUCTS.into_iter().chain(["another"]) {
        for told in story(product) {
            for (row, by) in told.episodes.iter().flat_map(|e| e.rows.iter().map(move |row| (row, &e.by))) {
                let people = by.iter().copied().chain(row.by).chain(row.on_behalf_of);
                for key in people {
                    assert!(told.person(key).is_some(), "{}", text(&told, key));
                }
                for key in row.log.into_iter().chain(row.deletes) {
                    assert!(told.log(key).is_some(), "{}", text(&told, key));
                }
                let ends = row.outcome.unwrap_or("SUCCESS");
                assert!(["SUCCESS", "FAILURE", "ACCEPTED"].contains(&ends), "{}", text(&told, ends));
            }
            for rows in told.episodes.iter().map(|episode| &episode.rows) {
                assert!(rows.is_sorted_by_key(|row| row.after), "{}", text(&told, rows[0].action));
            }
            for log in &told.logs {
                assert!(log.parent.is_none_or(|key| told.log(key).is_some()), "{}", text(&told, log.key));
            }
        }
    }
}

#[test]
fn a_story_that_cannot_be_read_says_which_line_and_why() {
    for (line, why) in [
        ("person a | USER", "neither a known word nor a time"),
        ("organization o | O | - | UTC+x", "x is no number"),
        ("organization o | O | - | UTC+0\nsometimes by a", "neither a known word nor a time"),
        ("organization o | O | - | UTC+0\n3 times by a\n  x.y | near b", "near is no word of a story"),
        ("3 times by a", "an organization must come first"),
    ] {
        assert!(script::read("", line).unwrap_err().starts_with(why), "{line}");
    }
}

#[test]
fn every_event_passes_the_door_and_lies_in_the_90_days_before_now() {
    for product in PRODUCTS {
        for now in NOWS.map(|now| Timestamp::parse(now).unwrap()) {
            for step in all(product, now) {
                let event = step.event();
                event.check(now).unwrap_or_else(|error| panic!("{product}: {error} in {event:?}"));
                let at = event.occurred_at.unwrap();
                assert!(at <= now && at.0 >= now.0 - 90 * DAY, "{product} at {now}: {at} {}", event.action);
            }
        }
    }
}

#[test]
fn every_made_up_value_was_made() {
    for product in PRODUCTS {
        for step in all(product, now()) {
            let text = format!("{:?}", step.event());
            assert!(!text.contains('<') && !text.contains('>'), "{text}");
        }
    }
}

#[test]
fn the_same_instant_gives_the_same_events_and_keys_of_their_own() {
    for product in PRODUCTS {
        let (once, again) = (all(product, now()), all(product, now()));
        let hashes = |steps: &[DemoStep]| -> Vec<_> {
            steps
                .iter()
                .map(|step| {
                    (
                        step.event().idempotency_key.clone(),
                        step.event().content_hash(&Metadata::read(step.event().metadata.clone())),
                    )
                })
                .collect()
        };
        assert_eq!(hashes(&once), hashes(&again));
        let keys: BTreeSet<_> = once.iter().map(|step| step.event().idempotency_key.clone().unwrap()).collect();
        assert_eq!(keys.len(), once.len());
    }
}

#[test]
fn a_product_has_300_events_every_kind_of_actor_and_something_new() {
    for product in PRODUCTS {
        let steps = all(product, now());
        assert!(steps.len() >= 300, "{product}: {}", steps.len());
        let kinds: BTreeSet<ActorKind> = steps.iter().map(|step| step.event().actor.kind).collect();
        // Cloud Sessions has no event for somebody who is not known: a failed sign-in is not among them.
        let nobody = product == "cloud-sessions";
        let taken = crate::catalog::Products::built_in().get(product).unwrap().actor_kinds();
        let some = taken.into_iter().filter(|kind| !(nobody && *kind == ActorKind::Anonymous));
        assert_eq!(kinds, some.collect(), "{product}");
        let newest = steps.iter().filter_map(|step| step.event().occurred_at).max().unwrap();
        assert!(now().0 - newest.0 < 10 * 60_000_000_000, "{product}: {newest}");
        let weekend = steps.iter().filter(|step| {
            let day = step.event().occurred_at.unwrap().to_utc().format("%u").to_string();
            day == "6" || day == "7"
        });
        assert!(weekend.count() * 6 < steps.len(), "{product}: the weekends are quieter");
        for organization in organizations(product) {
            assert!(organization.admin().is_some() && organization.member().is_some(), "{}", organization.id);
        }
    }
}

#[test]
fn every_action_of_every_built_in_catalog_happens_and_nothing_that_it_refuses() {
    let products = crate::catalog::Products::built_in();
    assert_eq!(products.iter().count(), PRODUCTS.len());
    for product in products.iter() {
        let (catalog, name) = (&product.catalog, &product.name);
        let steps = all(name, now());
        let happened: BTreeSet<&str> = steps.iter().map(|step| step.event().action.as_str()).collect();
        for action in &catalog.actions {
            assert!(happened.contains(action.name.as_str()), "{name}: {} never happens", action.name);
        }
        for event in steps.iter().map(DemoStep::event) {
            let level = event.log.as_ref().map_or(&product.top_level().name, |log| &log.level);
            assert!(
                catalog.admits(&event.action) && product.level(level).is_some(),
                "{name}: {} in {level}",
                event.action
            );
            let rules = catalog.rules(&event.action).cloned().unwrap_or_default();
            let here = rules.levels.is_empty() || rules.levels.contains(level);
            assert!(here, "{name}: {} is not of level {level}", event.action);
            if let Some(category) = &event.category {
                let own = rules.category.as_ref().is_none_or(|own| own == category);
                assert!(own && catalog.category(category).is_some(), "{name}: {category} of {}", event.action);
            }
        }
        for organization in organizations(name) {
            let admin = organization.admin().unwrap();
            let may = &product.access.roles;
            assert!(may.is_empty() || may.iter().any(|role| role == admin.role), "{name}: {}", admin.id);
            let other = organization.member().unwrap();
            assert!(may.is_empty() || may.iter().all(|role| role != other.role), "{name}: {}", other.id);
        }
        let plans = &product.access.plans;
        let plan = organizations(name)[0].plan;
        assert!(plans.is_empty() || plans.iter().any(|may| Some(may.as_str()) == plan), "{name}: {plan:?}");
    }
}

#[test]
fn nothing_that_the_products_tell_of_is_masked() {
    let products = crate::catalog::Products::built_in();
    for product in products.iter() {
        for event in all(&product.name, now()).iter().map(DemoStep::event) {
            let metadata = Metadata::read(event.metadata.clone());
            let masked = event.masked(&metadata, &product.masking, &mut |_| String::new());
            assert!(masked.is_empty(), "{}: {masked:?} of {event:?}", product.name);
        }
    }
    // It would be, if there were a secret in them.
    let mut event = all("workspace", now())[0].event().clone();
    event.metadata = Some(r#"{"api_key": {"after": "sk-1234"}}"#.to_owned());
    let metadata = Metadata::read(event.metadata.clone());
    let workspace = products.get("workspace").unwrap();
    assert!(!event.masked(&metadata, &workspace.masking, &mut |_| String::new()).is_empty());
}

#[test]
fn what_failed_is_told_by_an_action_that_says_so() {
    for product in PRODUCTS {
        for event in all(product, now()).iter().map(DemoStep::event) {
            let says_so = event.action.contains("failed");
            assert_eq!(event.outcome == Some(Outcome::Failure), says_so, "{product}: {}", event.action);
        }
    }
}

#[test]
fn what_staff_of_caputchin_do_stands_in_the_accounts_own_log() {
    let mut times = 0;
    for event in all("caputchin", now()).iter().map(DemoStep::event) {
        if event.actor.kind == ActorKind::Staff {
            assert!(event.action.starts_with("admin.") && event.log.is_none(), "{event:?}");
            times += 1;
        }
    }
    assert!(times >= 20, "{times}");
}

#[test]
fn logs_are_filled_deleted_once_and_empty_as_they_say() {
    for (product, now) in PRODUCTS.iter().flat_map(|product| NOWS.map(|now| (product, Timestamp::parse(now).unwrap())))
    {
        for organization in organizations(product) {
            let steps = events(product, organization.id, now);
            for log in &organization.logs {
                let is_it = |found: &LogRef| found.level == log.level && found.id == log.id;
                let within = |step: &DemoStep| step.event().log.as_ref().is_some_and(is_it);
                let deletes = |step: &DemoStep| matches!(step, DemoStep::DeleteLog { log, .. } if is_it(log));
                let (first, last) = (steps.iter().position(within), steps.iter().rposition(within));
                let deleted: Vec<usize> = (0..steps.len()).filter(|&n| deletes(&steps[n])).collect();
                match log.state {
                    DemoLogState::Filled => assert!(first.is_some() && deleted.is_empty(), "{log:?}"),
                    DemoLogState::Empty => assert!(first.is_none() && deleted.is_empty(), "{log:?}"),
                    DemoLogState::Deleted => {
                        assert!(first.is_some() && deleted.len() == 1 && last < Some(deleted[0]), "{log:?}");
                    }
                }
            }
        }
    }
}
