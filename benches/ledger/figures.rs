//! What was measured: a line of JSON a figure, so that a stage that was run again replaces what it said before.

use std::{collections::BTreeMap, fmt::Write as _, fs, io::Write as _, path::Path};

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// One measured number.
#[derive(Clone, Serialize, Deserialize)]
pub struct Figure {
    /// Where: `sqlite 1m`, `postgres 100k`.
    pub on: String,
    /// What.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
}

/// What was measured, by where and what.
pub type All = BTreeMap<(String, String), Figure>;

/// The figures of this machine.
pub struct Figures(std::path::PathBuf);

impl Figures {
    pub fn at(folder: &Path) -> Self {
        Self(folder.join("figures.jsonl"))
    }

    /// Adds a figure and shows it.
    pub fn add(&self, on: &str, name: &str, value: f64, unit: &str) -> Result<()> {
        println!("{on:>14}  {name:<58} {} {unit}", rounded(value));
        let figure = Figure { on: on.to_owned(), name: name.to_owned(), value, unit: unit.to_owned() };
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.0)?;
        writeln!(file, "{}", serde_json::to_string(&figure)?)?;
        Ok(())
    }

    /// The last value of everything that was measured, by where and what.
    pub fn all(&self) -> Result<All> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let figures = text.lines().map(serde_json::from_str::<Figure>).collect::<Result<Vec<_>, _>>()?;
        Ok(figures.into_iter().map(|figure| ((figure.on.clone(), figure.name.clone()), figure)).collect())
    }

    /// What was measured of some topics, a table each, with a column for each database and size; before them, what
    /// `summary` makes of the figures and the columns.
    pub fn report(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        summary: impl FnOnce(&All, &[String]) -> String,
    ) -> Result<String> {
        let all = self.all()?;
        let mut topics: Vec<(String, Vec<String>)> = Vec::new();
        let mut columns: Vec<String> = Vec::new();
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let figures = text.lines().filter_map(|line| serde_json::from_str::<Figure>(line).ok());
        for figure in figures.filter(|figure| is_wanted(&figure.name)) {
            if !columns.contains(&figure.on) {
                columns.push(figure.on.clone());
            }
            let topic = figure.name.split(": ").next().unwrap_or_default().to_owned();
            if !topics.iter().any(|(each, _)| *each == topic) {
                topics.push((topic.clone(), Vec::new()));
            }
            if let Some((_, rows)) = topics.iter_mut().find(|(each, _)| *each == topic)
                && !rows.contains(&figure.name)
            {
                rows.push(figure.name);
            }
        }
        columns.sort_by_key(|on| {
            let (database, size) = on.split_once(' ').unwrap_or((on, ""));
            (database != "sqlite", size.len(), size.to_owned())
        });
        columns.sort_by_key(|on| order(on));
        let mut out = summary(&all, &columns);
        for (topic, rows) in topics {
            let used: Vec<_> = columns
                .iter()
                .filter(|on| rows.iter().any(|row| all.contains_key(&((*on).clone(), row.clone()))))
                .collect();
            writeln!(
                out,
                "\n### {topic}\n\n| figure | {} |",
                used.iter().map(|on| on.as_str()).collect::<Vec<_>>().join(" | ")
            )?;
            writeln!(out, "|---|{}", "---:|".repeat(used.len()))?;
            for row in rows {
                let cell = |on: &&String| {
                    all.get(&((*on).clone(), row.clone()))
                        .map_or(String::new(), |figure| format!("{} {}", rounded(figure.value), figure.unit))
                };
                let cells: Vec<_> = used.iter().map(cell).collect();
                let name = row.split_once(": ").map_or(row.as_str(), |(_, name)| name);
                writeln!(out, "| {name} | {} |", cells.join(" | "))?;
            }
        }
        Ok(out)
    }
}

fn order(on: &str) -> (bool, u64) {
    let (database, size) = on.split_once(' ').unwrap_or((on, "0"));
    let digits: u64 = size.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default();
    let unit = if size.contains('m') {
        1_000_000
    } else if size.contains('k') {
        1_000
    } else {
        1
    };
    (database != "sqlite", digits * unit)
}

pub fn rounded(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The value below which a part of the samples lies.
pub fn quantile(samples: &mut [f64], part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = ((samples.len() as f64 - 1.0) * part).round() as usize;
    samples.get(at).copied().unwrap_or(f64::NAN)
}
