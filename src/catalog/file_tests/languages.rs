//! What a file calls things in other languages.

use super::*;

const SPOKEN: &str = r#"
[catalog]
open = true
[[catalog.categories]]
code = "doors"
label = "Doors and gates"
short_label = "Doors"
[[catalog.actions]]
name = "door.opened"
label = "Opened a door"
category = "doors"
[[catalog.actions]]
name = "door.shut"
label = "Shut a door"
category = "doors"
[viewer]
paging = "MORE"
date_filter = "NONE"
action_display = "LABEL"
[[viewer.filters]]
kind = "SEARCH"
[[viewer.filters]]
kind = "ACTION"
all_label = "All of it"
[[viewer.columns]]
kind = "TIME"
label = "Time"
"#;

fn spoken(languages: &str) -> String {
    let (head, _) = SOUND.split_once("[catalog]").unwrap();
    format!("{head}{SPOKEN}{languages}")
}

#[test]
fn labels_of_other_languages_stand_in_the_file_and_what_is_missing_is_called_as_there() {
    let text = spoken(
        r#"
[languages.de]
label = "Sechstes"
title = "Wer da war"
[languages.de.actions]
"door.opened" = "Tür geöffnet"
"door.shut" = { description = "Sie ist zu." }
"audit_log.token_created" = "Token angelegt"
[languages.de.categories]
doors = "Türen"
[languages.de.columns]
TIME = "Zeit"
[languages.de.filters]
SEARCH = { hint = "Wörter" }
ACTION = "Was"
[languages.de.levels]
tenant = "Mandant"
[languages.de.actor_labels]
STAFF = "Personal"
[languages.de.role_labels]
admin = "Verwaltung"
[languages.zh-Hant]
[languages.zh-Hant.actions]
"door.opened" = "開門"
"#,
    );
    let products = Products::read([("sixth.toml".to_owned(), text)], None).unwrap_or_else(|faults| panic!("{faults}"));
    let own = products.get("sixth").unwrap();
    let language = |wanted: &[&str]| own.spoken(wanted.iter().copied()).language.clone();
    assert_eq!(language(&["de-AT"]), "de");
    assert_eq!(language(&["fr", "DE"]), "de");
    assert_eq!(language(&["en-GB", "de"]), "en");
    assert_eq!(language(&["*", "de"]), "en");
    assert_eq!(language(&["zh-hant-tw"]), "zh-Hant");
    assert_eq!(language(&["zh-Hant-u-nu-latn"]), "zh-Hant");
    assert_eq!(language(&["zh", "d", "", "-", "de-"]), "de");
    assert_eq!(language(&["zh", "zh-Hans"]), "en");
    let german = own.spoken(["de"]);
    assert_eq!((german.label.as_str(), german.viewer.title.as_deref()), ("Sechstes", Some("Wer da war")));
    let catalog = &german.catalog;
    assert_eq!(catalog.label_of("door.opened"), "Tür geöffnet");
    let shut = catalog.action("door.shut").unwrap();
    assert_eq!((shut.label.as_str(), shut.description.as_deref()), ("Shut a door", Some("Sie ist zu.")));
    assert_eq!(catalog.label_of("audit_log.token_created"), "Token angelegt");
    assert_eq!(catalog.label_of("audit_log.token_revoked"), own.catalog.label_of("audit_log.token_revoked"));
    let doors = catalog.category("doors").unwrap();
    assert_eq!((doors.label.as_str(), doors.short_label.as_str()), ("Türen", "Türen"));
    assert_eq!(german.viewer.columns[0].label, "Zeit");
    assert_eq!(german.viewer.filters[0].hint.as_deref(), Some("Wörter"));
    let action = &german.viewer.filters[1];
    assert_eq!((action.label.as_deref(), action.all_label.as_deref()), (Some("Was"), Some("All of it")));
    assert_eq!((german.top_level().label.as_str(), german.kind_label(ActorKind::Staff)), ("Mandant", "Personal"));
    assert_eq!((german.role_labels.of("ADMIN"), german.kind_label(ActorKind::User)), ("Verwaltung", "User"));
    assert_eq!(own.catalog.label_of("door.opened"), "Opened a door");
    assert_eq!(german.as_written().label, "Sixth");
    assert_eq!(own.as_written().label, "Sixth");
    // Words of every language find what they are of, in every language.
    let somewhere = InLabel { prefix: false, whole: false };
    for product in [own.clone(), german, own.spoken(["zh-Hant"])] {
        for words in ["opened", "geöffnet", "開門"] {
            assert_eq!(product.catalog.labelled(words, somewhere).actions, ["door.opened"], "{words}");
        }
        assert_eq!(product.catalog.labelled("gates", somewhere).categories, ["doors"]);
        assert_eq!(product.catalog.labelled("türen", somewhere).categories, ["doors"]);
        assert_eq!(product.catalog.labelled("angelegt", somewhere).actions, ["audit_log.token_created"]);
    }
}

#[test]
fn what_no_language_can_call_so_is_told_with_its_place() {
    let text = spoken(
        r#"
[languages.en]
[languages.german]
[languages.de_DE]
[languages.de]
titel = "x"
plan_title = 1
[languages.de.actions]
"door.opend" = "Tür geöffnet"
"door.opened" = "Shut a door"
"door.shut" = { label = "", short_label = "Zu" }
[languages.de.categories]
door = "Türen"
doors = { label = "Türen", beschreibung = "x" }
[languages.de.columns]
ACTOR = "Wer"
TIME = { label = "Zeit" }
[languages.de.filters]
ACTION = { hint = "Wörter" }
EMAIL = "E-Mail"
[languages.de.levels]
project = "Projekt"
[languages.de.actor_labels]
PERSON = "Person"
[languages.DE]
"#,
    );
    let line = text.lines().position(|line| line == "[languages.en]").unwrap() + 1;
    let told = faults(&[("sixth.toml", &text)]);
    let told: Vec<_> = told
        .lines()
        .map(|fault| {
            let (place, what) = fault.strip_prefix("sixth.toml:").unwrap().split_once(": ").unwrap();
            let (at, _) = place.split_once(':').unwrap();
            format!("+{} {what}", at.parse::<usize>().unwrap() - line)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    +0 languages.en: is the language of the file's own labels
    +1 languages.german: must be the tag of a language (BCP 47), such as de, pt-BR or zh-Hant, not "german"
    +2 languages.de_DE: must be the tag of a language (BCP 47), such as de, pt-BR or zh-Hant, not "de_DE"
    +4 languages.de.titel: is no key of this table; did you mean title?
    +5 languages.de.plan_title: must be a text in quotes, not a number
    +7 languages.de.actions.door.opend: "door.opend" is no action of the catalog; did you mean door.opened?
    +8 languages.de.actions.door.opened: "Shut a door" is the label of an action already
    +9 languages.de.actions.door.shut.label: must not be empty
    +9 languages.de.actions.door.shut.short_label: is no key of this table; known are label, description
    +11 languages.de.categories.door: "door" is the code of no category; did you mean doors?
    +12 languages.de.categories.doors: "Türen" is the label of a category already
    +12 languages.de.categories.doors.beschreibung: is no key of this table; did you mean description?
    +14 languages.de.columns.ACTOR: "ACTOR" is the kind of no column; known are TIME
    +15 languages.de.columns.TIME: must be a text in quotes, not a table
    +17 languages.de.filters.ACTION.hint: is for filters to type into: SEARCH and EMAIL
    +18 languages.de.filters.EMAIL: "EMAIL" is the kind of no filter; known are SEARCH, ACTION
    +20 languages.de.levels.project: "project" is no level; known are inner, tenant
    +22 languages.de.actor_labels.PERSON: "PERSON" is no kind of actor of the file; did you mean USER?
    +23 languages.DE: is a language above already
    "#);
}

#[test]
fn a_file_may_be_of_another_language_than_english() {
    let text = spoken("[languages.en.actions]\n\"door.opened\" = \"Opened the door\"\n");
    let text = text.replacen("label = \"Sixth\"", "label = \"Sechstes\"\nlanguage = \"de-CH\"", 1);
    let products = Products::read([("sixth.toml".to_owned(), text)], None).unwrap_or_else(|faults| panic!("{faults}"));
    let own = products.get("sixth").unwrap();
    assert_eq!(own.language, "de-CH");
    assert_eq!(own.spoken(["en"]).catalog.label_of("door.opened"), "Opened the door");
    assert_eq!(own.spoken(["de-CH", "en"]).catalog.label_of("door.opened"), "Opened a door");
    let wrong = SOUND.replacen("label = \"Sixth\"", "label = \"Sixth\"\nlanguage = \"Deutsch!\"", 1);
    assert!(faults(&[("sixth.toml", &wrong)]).contains("sixth.toml:4:"), "{}", faults(&[("sixth.toml", &wrong)]));
}
