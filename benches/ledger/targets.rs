//! What the figures are held to: one line a target, with what was measured and whether that reaches it.

use crate::figures::{All, rounded};

/// How a target is worked out of the figures.
enum Of {
    /// One figure, the worst of all places that have it.
    One(&'static str),
    /// One figure at the largest size.
    Largest(&'static str),
    /// The worst of the figures that begin so.
    Worst(&'static str),
    /// One figure in relation to another of the same place.
    Ratio(&'static str, &'static str),
    /// One figure in relation to the largest of another of any place.
    OverBest(&'static str, &'static str),
}

struct Target {
    what: &'static str,
    /// The database; both, where it is empty.
    on: &'static str,
    of: Of,
    /// Whether more is better.
    more: bool,
    least: f64,
    unit: &'static str,
}

const fn at_least(what: &'static str, on: &'static str, of: Of, least: f64, unit: &'static str) -> Target {
    Target { what, on, of, more: true, least, unit }
}

const fn at_most(what: &'static str, on: &'static str, of: Of, least: f64, unit: &'static str) -> Target {
    Target { what, on, of, more: false, least, unit }
}

const TARGETS: &[Target] = &[
    at_least("batches of 100 / the driver's insert", "sqlite", Of::One("recording: batches of 100 / limit"), 0.6, "x"),
    at_least("single events / naive", "sqlite", Of::One("recording: single events / naive"), 4.0, "x"),
    at_least("single events / the driver's insert", "sqlite", Of::One("recording: single events / limit"), 0.4, "x"),
    at_most("single events, p99 / p50", "sqlite", Of::One("recording: single events, p99 / p50"), 20.0, "x"),
    at_least("single events / naive", "postgres", Of::One("recording: single events / naive"), 5.0, "x"),
    at_least("single events / the driver's insert", "postgres", Of::One("recording: single events / limit"), 0.5, "x"),
    at_least(
        "newest 50: requests / PostGraphile's",
        "postgres",
        Of::One("newest 50, 15 fields, 16 connections: requests / PostGraphile"),
        2.0,
        "x",
    ),
    at_most(
        "newest 50: p99 / PostGraphile's",
        "postgres",
        Of::One("newest 50, 15 fields, 16 connections: p99 / PostGraphile"),
        0.5,
        "x",
    ),
    at_least(
        "newest 50: requests / PostGraphile's best",
        "sqlite",
        Of::OverBest(
            "newest 50, 15 fields, 16 connections: requests",
            "newest 50, 15 fields, 16 connections: PostGraphile: requests",
        ),
        3.0,
        "x",
    ),
    at_least(
        "newest 50: requests / pgbench's",
        "postgres",
        Of::One("newest 50, 15 fields, 16 connections: requests / pgbench"),
        0.3,
        "x",
    ),
    at_most(
        "newest 50: CPU on top of the SQL",
        "",
        Of::One("newest 50, 15 fields, 16 connections: CPU on top of the SQL"),
        1_000.0,
        "us",
    ),
    at_most("pages, largest size / smallest, the worst", "", Of::Worst("lists, largest size / smallest: "), 1.5, "x"),
    at_most("deep page / first page", "", Of::One("lists / first page: deep page"), 1.1, "x"),
    at_most(
        "small organization / large",
        "",
        Of::One("lists / first page: first page of a small organization"),
        1.1,
        "x",
    ),
    at_most(
        "common term / rare term",
        "",
        Of::Ratio("lists, p50: search: common word (30 %)", "lists, p50: search: 0.1 %"),
        2.0,
        "x",
    ),
    at_most("any list / first page, the worst", "", Of::Worst("lists / first page: "), 5.0, "x"),
    at_most(
        "the traps: two words that never meet, the oldest tenth alone, a prefix",
        "",
        Of::Worst("traps, p50: "),
        50.0,
        "ms",
    ),
    at_most("totals and facets, the worst", "", Of::Worst("totals, p50: "), 10.0, "ms"),
    at_most(
        "reads while recording, p99 / idle",
        "",
        Of::One("reads under writes: p99 while recording / idle"),
        3.0,
        "x",
    ),
    at_most(
        "bytes on disk / own values, largest size",
        "sqlite",
        Of::Largest("footprint: on disk / own values"),
        2.6,
        "x",
    ),
    at_most(
        "bytes on disk / own values, largest size",
        "postgres",
        Of::Largest("footprint: on disk / own values"),
        4.0,
        "x",
    ),
    at_most("RssAnon idle", "", Of::One("memory: idle, RssAnon"), 50.0, "MB"),
    at_most("RssAnon under mixed load", "", Of::One("memory: mixed load, most RssAnon"), 256.0, "MB"),
    at_most("RssAnon of an import", "", Of::One("memory: import, most RssAnon"), 256.0, "MB"),
    at_most("start to ready", "", Of::One("start: to ready"), 500.0, "ms"),
];

/// The table of targets.
pub fn table(all: &All, columns: &[String]) -> String {
    let mut out = String::from("\n### targets\n\n| target | on | to reach | measured | |\n|---|---|---:|---:|---|\n");
    for target in TARGETS {
        for database in ["sqlite", "postgres"] {
            if !target.on.is_empty() && target.on != database {
                continue;
            }
            let columns: Vec<_> = columns.iter().filter(|on| on.starts_with(database)).collect();
            let Some((on, value)) = measured(target, all, &columns) else { continue };
            let reached = if target.more { value >= target.least } else { value <= target.least };
            out.push_str(&format!(
                "| {} | {on} | {} {} {} | {} {} | {} |\n",
                target.what,
                if target.more { "≥" } else { "≤" },
                rounded(target.least),
                target.unit,
                rounded(value),
                target.unit,
                if reached { "reached" } else { "**missed**" }
            ));
        }
    }
    out
}

/// The value that is farthest from the target, and where it was measured.
fn measured(target: &Target, all: &All, columns: &[&String]) -> Option<(String, f64)> {
    let value = |on: &str, name: &str| all.get(&(on.to_owned(), name.to_owned())).map(|figure| figure.value);
    let mut found: Vec<(String, f64)> = Vec::new();
    match target.of {
        Of::One(name) => found.extend(columns.iter().filter_map(|on| Some(((*on).clone(), value(on, name)?)))),
        Of::Largest(name) => {
            found.extend(columns.iter().rev().find_map(|on| Some(((*on).clone(), value(on, name)?))));
        }
        Of::Ratio(a, b) => {
            found.extend(columns.iter().filter_map(|on| Some(((*on).clone(), value(on, a)? / value(on, b)?))));
        }
        Of::OverBest(name, other) => {
            let best = all.iter().filter(|((_, name), _)| name == other).map(|(_, figure)| figure.value);
            if let Some(best) = best.max_by(f64::total_cmp) {
                found.extend(columns.iter().filter_map(|on| Some(((*on).clone(), value(on, name)? / best))));
            }
        }
        Of::Worst(prefix) => {
            for ((on, name), figure) in all {
                if let Some(what) = name.strip_prefix(prefix)
                    && columns.contains(&on)
                {
                    found.push((format!("{on}, {what}"), figure.value));
                }
            }
        }
    }
    let order = |a: &(String, f64), b: &(String, f64)| a.1.total_cmp(&b.1);
    if target.more { found.into_iter().min_by(order) } else { found.into_iter().max_by(order) }
}
