//! Reads a story: the plain text that says who lives in a demo organization and what they did.
//! The form is explained at the top of `stories/common.txt`.

use crate::event::ActorKind;

/// Somebody who acts in a story.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub key: &'static str,
    pub kind: ActorKind,
    pub id: Option<&'static str>,
    pub name: Option<&'static str>,
    pub email: Option<&'static str>,
    pub role: Option<&'static str>,
    /// Addresses, one of which is taken per episode.
    pub addresses: Vec<&'static str>,
    /// User agents, one of which is taken per episode.
    pub agents: Vec<&'static str>,
}

/// What becomes of a nested log by the end of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoLogState {
    /// It has events.
    Filled,
    /// It was deleted.
    Deleted,
    /// Nothing was ever recorded in it: tokens may name it, lists are empty.
    Empty,
}

/// A nested log of a story.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub key: &'static str,
    pub level: &'static str,
    pub id: &'static str,
    pub name: &'static str,
    pub parent: Option<&'static str>,
    pub state: DemoLogState,
}

/// When an episode happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// So many times, spread over the days between, in office hours unless `any_hour`.
    Times { times: u32, from_days: i64, to_days: i64, any_hour: bool },
    /// Once, on the n-th day (or working day) before today, at a minute of the local day.
    Day { ago: i64, working: bool, minute: i64 },
    /// Once, so many minutes before now.
    MinutesAgo(i64),
}

/// One event of an episode.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// Minutes after the episode's beginning.
    pub after: i64,
    pub action: &'static str,
    pub category: Option<&'static str>,
    pub by: Option<&'static str>,
    pub on_behalf_of: Option<&'static str>,
    pub resources: Vec<[Option<&'static str>; 3]>,
    pub log: Option<&'static str>,
    pub deletes: Option<&'static str>,
    pub outcome: Option<&'static str>,
    pub correlation: Option<&'static str>,
    pub address: Option<&'static str>,
    pub source: Option<&'static str>,
    /// Minutes by which its recording comes after its happening.
    pub late: i64,
    pub metadata: Option<&'static str>,
}

/// Rows that happen together, by one person and with the same made-up values.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    pub when: When,
    pub by: Vec<&'static str>,
    pub rows: Vec<Row>,
}

/// One organization of a story.
#[derive(Clone, Debug)]
pub(super) struct Organization {
    pub id: &'static str,
    pub name: &'static str,
    pub plan: Option<&'static str>,
    /// Local time, in minutes ahead of UTC.
    pub offset: i64,
    pub people: Vec<Person>,
    pub logs: Vec<Log>,
    pub episodes: Vec<Episode>,
}

impl Organization {
    pub fn person(&self, key: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.key == key)
    }

    pub fn log(&self, key: &str) -> Option<&Log> {
        self.logs.iter().find(|log| log.key == key)
    }
}

/// Reads a story, after the lines that all stories share.
///
/// # Errors
/// The first line that cannot be read, and why.
pub(super) fn read(common: &'static str, story: &'static str) -> Result<Vec<Organization>, String> {
    let mut script = Script::default();
    for line in common.lines().chain(story.lines()) {
        let text = line.trim();
        if !text.is_empty() && !text.starts_with('#') {
            script.line(line, text).map_err(|why| format!("{why}: {text}"))?;
        }
    }
    Ok(script.organizations)
}

#[derive(Default)]
struct Script {
    agents: Vec<(&'static str, &'static str)>,
    shared: Vec<Person>,
    organizations: Vec<Organization>,
}

impl Script {
    fn line(&mut self, line: &'static str, text: &'static str) -> Result<(), String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        if line.starts_with(' ') {
            let row = row(text)?;
            let episode = self.last()?.episodes.last_mut().ok_or("an event needs an episode above it")?;
            episode.rows.push(row);
            return Ok(());
        }
        let cells: Vec<&'static str> = rest.split(" | ").map(str::trim).collect();
        match (word, cells.as_slice()) {
            ("agent", [key, agent]) => self.agents.push((key, agent)),
            ("organization", [id, name, plan, offset]) => self.organizations.push(Organization {
                id,
                name,
                plan: known(plan),
                offset: minute(offset.trim_start_matches("UTC+"))?,
                people: self.shared.clone(),
                logs: Vec::new(),
                episodes: Vec::new(),
            }),
            ("person", [key, kind, id, name, email, role, addresses, agents]) => {
                let person = Person {
                    key,
                    kind: ActorKind::ALL.into_iter().find(|k| k.as_str() == *kind).ok_or("no such kind of actor")?,
                    id: known(id),
                    name: known(name),
                    email: known(email),
                    role: known(role),
                    addresses: list(addresses),
                    agents: list(agents).into_iter().map(|key| self.agent(key)).collect::<Result<_, _>>()?,
                };
                match self.organizations.last_mut() {
                    Some(organization) => organization.people.push(person),
                    None => self.shared.push(person),
                }
            }
            ("log" | "deleted-log" | "empty-log", [key, level, id, name, parent]) => {
                let state = match word {
                    "log" => DemoLogState::Filled,
                    "deleted-log" => DemoLogState::Deleted,
                    _ => DemoLogState::Empty,
                };
                let log = Log { key, level, id, name, parent: known(parent), state };
                self.last()?.logs.push(log);
            }
            _ => {
                let episode = episode(text)?;
                self.last()?.episodes.push(episode);
            }
        }
        Ok(())
    }

    fn last(&mut self) -> Result<&mut Organization, String> {
        self.organizations.last_mut().ok_or_else(|| "an organization must come first".to_owned())
    }

    fn agent(&self, key: &str) -> Result<&'static str, String> {
        let found = self.agents.iter().find(|(name, _)| *name == key);
        found.map(|(_, agent)| *agent).ok_or_else(|| format!("no agent {key}"))
    }
}

/// A cell that is not `-`.
fn known(cell: &'static str) -> Option<&'static str> {
    (cell != "-").then_some(cell)
}

fn list(cell: &'static str) -> Vec<&'static str> {
    known(cell).map(|cell| cell.split(", ").collect()).unwrap_or_default()
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

/// `9:30` as minutes.
fn minute(text: &str) -> Result<i64, String> {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    Ok(number::<i64>(hours)? * 60 + number::<i64>(minutes)?)
}

/// `30 times [at any hour] [between 80 and 20 days ago] by a, b` and its kin.
fn episode(text: &'static str) -> Result<Episode, String> {
    let (when, by) = text.rsplit_once(" by ").unwrap_or((text, "-"));
    let words: Vec<&str> = when.split(' ').collect();
    let spread = |times: &str, from: &str, to: &str, any_hour: bool| -> Result<When, String> {
        Ok(When::Times { times: number(times)?, from_days: number(from)?, to_days: number(to)?, any_hour })
    };
    let when = match words.as_slice() {
        [times, "times"] => spread(times, "88", "0", false)?,
        [times, "times", "at", "any", "hour"] => spread(times, "88", "0", true)?,
        [times, "times", "between", from, "and", to, "days", "ago"] => spread(times, from, to, false)?,
        [day @ ("day" | "workday"), ago, "at", time] => {
            When::Day { ago: number(ago)?, working: *day == "workday", minute: minute(time)? }
        }
        [minutes, "minutes", "ago"] => When::MinutesAgo(number(minutes)?),
        _ => return Err("neither a known word nor a time".into()),
    };
    Ok(Episode { when, by: list(by), rows: Vec::new() })
}

/// `[+35] action | on TYPE ID NAME | in LOG | {"metadata": "…"}` and its kin.
fn row(text: &'static str) -> Result<Row, String> {
    let mut row = Row::default();
    let mut cells = text.split(" | ").map(str::trim);
    row.action = cells.next().unwrap_or_default();
    if let Some((after, action)) = row.action.strip_prefix('+').and_then(|rest| rest.split_once(' ')) {
        row.after = number(after)?;
        row.action = action;
    }
    for cell in cells {
        if cell.starts_with('{') {
            row.metadata = Some(cell);
            continue;
        }
        let (word, rest) = cell.split_once(' ').ok_or_else(|| format!("nothing after {cell}"))?;
        match word {
            "on" => {
                let mut parts = rest.splitn(3, ' ');
                row.resources.push(std::array::from_fn(|_| parts.next().and_then(known)));
            }
            "in" => row.log = Some(rest),
            "deletes" => row.deletes = Some(rest),
            "by" => row.by = Some(rest),
            "for" => row.on_behalf_of = Some(rest),
            "ends" => row.outcome = Some(rest),
            "job" => row.correlation = Some(rest),
            "from" => row.address = Some(rest),
            "via" => row.source = Some(rest),
            "category" => row.category = Some(rest),
            "late" => row.late = number(rest)?,
            _ => return Err(format!("{word} is no word of a story")),
        }
    }
    Ok(row)
}
