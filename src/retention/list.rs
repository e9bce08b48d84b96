//! The erasure list as lines of JSON: kept beside backups, and replayed on a database that is restored from one. It names
//! events and what of them was erased, and nobody. Its last line says when it was written and what the others add up to: a
//! list that was cut, or is of before the backup, would leave people where they were.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Products,
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
    event::{EventId, Timestamp, hash},
    ingest::{self, Writer},
    store::{
        ErasedEvent, Store,
        control::erasures::{ErasureStatus, LEASE},
    },
};

/// Lines that are read or replayed at once.
const AT_ONCE: usize = 200;
/// Organizations that are listed at once.
const ORGANIZATIONS: u64 = 500;
/// The version of the form.
const VERSION: u8 = 1;

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Line {
    /// The version of the form.
    pub v: u8,
    /// Name of the product.
    pub product: String,
    /// The product's own id of the organization.
    pub organization: String,
    /// Id of the event.
    pub event: String,
    /// Paths of what of it was erased.
    pub erased: Vec<String>,
    /// When.
    pub at: String,
}

/// The last line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct End {
    /// The version of the form.
    v: u8,
    /// How many lines come before it.
    lines: usize,
    /// A hash of these lines, in hexadecimal digits.
    hash: String,
    /// When the list was begun: what was erased before is in it.
    written_at: String,
}

/// A list that is whole.
#[derive(Clone, Debug)]
pub struct List {
    /// Its lines.
    pub lines: Vec<Line>,
    /// What was erased before this is in it.
    pub written_at: Timestamp,
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Lines of the list.
    pub lines: i64,
    /// Events of which something was erased that was still there.
    pub events: i64,
    /// Events that a hold keeps.
    pub held: i64,
}

/// Where an event stands in a list: number of its organization, sequence, salt.
type Place = (i64, i64, i64);

/// What a list that was kept outside of a database has of it.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Whether one line at least is of an event of this database.
    pub is_known: bool,
    /// Lines that the database does not say itself: what they name was removed since, or the database is an older one.
    pub unsaid: Vec<Line>,
}

/// Lines on their way to `each`, as text, and what they add up to.
struct Out<F> {
    lines: usize,
    sum: hash::Hash,
    each: F,
}

impl<F: FnMut(&str) -> Result<()>> Out<F> {
    fn line(&mut self, line: &Line) -> Result<()> {
        let text = serde_json::to_string(line).map_err(Error::internal)?;
        (self.lines, self.sum) = (self.lines + 1, with(&self.sum, &text));
        (self.each)(&text)
    }
}

/// Gives every line of the list of a database to `each`, as text.
///
/// # Errors
/// Those of the database, and of `each`.
pub async fn write(store: &Store, clock: &Clock, each: impl FnMut(&str) -> Result<()>) -> Result<()> {
    merge(store, clock, None, each).await.map(drop)
}

/// The same, with all that is in a list that was kept: a database that was restored, or from which events were removed
/// since, knows less of what backups have.
///
/// # Errors
/// Those of the database, and of `each`; `BAD_USER_INPUT` for a line that names no event.
pub async fn merge(
    store: &Store,
    clock: &Clock,
    kept: Option<List>,
    each: impl FnMut(&str) -> Result<()>,
) -> Result<Compared> {
    let written_at = clock.now().to_string();
    let mut kept = by_place(kept.map_or_else(Vec::new, |list| list.lines))?;
    let (mut out, mut compared) = (Out { lines: 0, sum: hash::of([""]), each }, Compared::default());
    let mut organization = -1;
    loop {
        let some = store.organizations_after(organization, ORGANIZATIONS).await?;
        let Some(last) = some.last() else { break };
        organization = last.organization_no;
        for of in &some {
            let mut after = -1;
            loop {
                let lines = store.erased_after(of.organization_no, after, AT_ONCE as u64).await?;
                let Some(last) = lines.last() else { break };
                after = last.id.sequence;
                for ErasedEvent { id, paths, at } in lines {
                    let place = (id.organization_no, id.sequence, id.salt);
                    let later = kept.split_off(&place);
                    for line in std::mem::replace(&mut kept, later).into_values() {
                        out.line(&line)?;
                        compared.unsaid.push(line);
                    }
                    let mut line = Line {
                        v: VERSION,
                        product: of.product.clone(),
                        organization: of.external_id.clone(),
                        event: id.to_string(),
                        erased: paths,
                        at: at.to_string(),
                    };
                    if let Some(same) = kept.remove(&place) {
                        compared.is_known = true;
                        if same.erased.iter().any(|path| !line.erased.contains(path)) {
                            line.erased.extend(same.erased.iter().cloned());
                            line.erased.sort();
                            line.erased.dedup();
                            compared.unsaid.push(line.clone());
                        }
                    }
                    out.line(&line)?;
                }
            }
        }
    }
    for line in kept.into_values() {
        out.line(&line)?;
        compared.unsaid.push(line);
    }
    let end = End { v: VERSION, lines: out.lines, hash: hex(&out.sum), written_at };
    (out.each)(&serde_json::to_string(&end).map_err(Error::internal)?)?;
    Ok(compared)
}

/// Lines by the places of their events.
fn by_place(lines: Vec<Line>) -> Result<BTreeMap<Place, Line>> {
    let placed = lines.into_iter().enumerate().map(|(at, line)| {
        let id: EventId = line.event.parse().map_err(|()| names_no_event(at))?;
        Ok(((id.organization_no, id.sequence, id.salt), line))
    });
    placed.collect()
}

fn names_no_event(at: usize) -> Error {
    Error::bad_input(format!("line {}", at + 1), "names no event")
}

/// Reads a list.
///
/// # Errors
/// `BAD_USER_INPUT` naming the line that is none, and for a list that is not whole.
pub fn read(text: &str) -> Result<List> {
    let texts: Vec<_> = text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()).collect();
    let not_whole = |rule: String| Error::bad_input("list", format!("is not whole: {rule}; write it anew"));
    let end = texts.split_last().and_then(|((_, last), lines)| Some((serde_json::from_str(last).ok()?, lines)));
    let line = |(at, text): &(usize, &str)| {
        let line: Line = serde_json::from_str(text)
            .map_err(|fault| Error::bad_input(format!("line {}", at + 1), format!("is no line of a list: {fault}")))?;
        if line.v != VERSION {
            let rule = format!("must be of version {VERSION}, got {}", line.v);
            return Err(Error::bad_input(format!("line {}", at + 1), rule));
        }
        Ok(line)
    };
    let Some((end, lines)): Option<(End, _)> = end else {
        // What is no list at all is told by its line.
        texts.iter().try_for_each(|text| line(text).map(drop))?;
        return Err(not_whole("its last line is missing".to_owned()));
    };
    let sum = lines.iter().fold(hash::of([""]), |sum, (_, text)| with(&sum, text));
    if lines.len() != end.lines || hex(&sum) != end.hash {
        let rule =
            format!("it has {} lines, and they are not the {} that its last line tells of", lines.len(), end.lines);
        return Err(not_whole(rule));
    }
    let written_at = Timestamp::parse(&end.written_at);
    let written_at = written_at.ok_or_else(|| not_whole("its last line has no time".to_owned()))?;
    Ok(List { lines: lines.iter().map(line).collect::<Result<_>>()?, written_at })
}

/// The hash of some lines with one more.
fn with(sum: &hash::Hash, line: &str) -> hash::Hash {
    hash::of([&sum[..], line.as_bytes()])
}

fn hex(hash: &hash::Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whose work it is to tell of a replay, and to wipe what the database has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The replay's own, before it ends.
    Here,
    /// The eraser's: each organization has an erasure for it.
    Eraser,
}

/// Erases once more what a list names, and wipes what the database has left of it. It may be repeated: what is gone stays
/// gone. Each organization's log tells of it.
///
/// # Errors
/// `BAD_USER_INPUT` where the list is of another database, which nothing is done to, or an organization's product is not
/// served; those of the database. What is done stays done, and what is left of that an eraser goes on with.
pub async fn replay(
    store: &Store,
    writer: &Writer,
    products: &Products,
    (clock, chance): (&Clock, &Chance),
    List { lines, .. }: &List,
    rest: Rest,
) -> Result<Replayed> {
    let mut all = Replayed { lines: lines.len() as i64, ..Replayed::default() };
    let began = clock.now();
    let (mut found, mut others) = (0, 0);
    for (Line { product, organization, .. }, events) in by_organization(lines)? {
        let unknown = || Error::bad_input("list", format!("names the product {product:?}, which is not served"));
        let product = products.get(product).ok_or_else(unknown)?;
        let (mut erased, mut number, id) = (0, None, chance.id("era_"));
        for some in events.chunks(AT_ONCE) {
            number = some.first().map(|event| event.id.organization_no);
            let now = clock.now();
            let lease = if rest == Rest::Here { Timestamp(now.0.saturating_add(LEASE)) } else { now };
            let listed = store.erase_listed(product, organization, some, (&id, lease), now).await?;
            erased += listed.events;
            all.held += listed.held;
            found += listed.found;
            others += listed.others;
        }
        all.events += erased;
        if let Some(number) = number.filter(|_| erased > 0 && rest == Rest::Here) {
            ingest::erasures::tell_replay(writer, product, organization, erased, clock.now()).await?;
            let told = (ErasureStatus::Ended, ErasureStatus::Cleaning);
            store.erasure_goes_on(number, &id, told, clock.now()).await?;
            store.wipe_erased(number, began).await?;
            let clean = (ErasureStatus::Cleaning, ErasureStatus::Done);
            store.erasure_goes_on(number, &id, clean, clock.now()).await?;
        }
    }
    if found == 0 && others > 0 {
        return Err(of_another_database(others));
    }
    Ok(all)
}

/// Which of some lines name events of which a database has what was erased. Nothing is changed.
///
/// # Errors
/// `BAD_USER_INPUT` where all that it could have of them are other events, unless `is_known`; those of the database.
pub async fn missed(store: &Store, Compared { is_known, unsaid }: Compared) -> Result<Vec<Line>> {
    let (mut found, mut others, mut there) = (0, 0, HashSet::new());
    for (Line { product, organization, .. }, events) in by_organization(&unsaid)? {
        for some in events.chunks(AT_ONCE) {
            let looked = store.look_up_listed(product, organization, some).await?;
            found += looked.found;
            others += looked.others;
            there.extend(looked.there.iter().map(ToString::to_string));
        }
    }
    if !is_known && found == 0 && others > 0 {
        return Err(of_another_database(others));
    }
    Ok(unsaid.into_iter().filter(|line| there.contains(&line.event)).collect())
}

fn of_another_database(others: i64) -> Error {
    let rule = format!("is of another database: it names {others} events under whose numbers this one has others");
    Error::bad_input("list", rule)
}

/// Lines that stand together, by their organizations.
fn by_organization(lines: &[Line]) -> Result<Vec<(&Line, Vec<ErasedEvent>)>> {
    let mut of_one: Vec<(&Line, Vec<ErasedEvent>)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let id: EventId = line.event.parse().map_err(|()| names_no_event(at))?;
        let no_time = || Error::bad_input(format!("line {}", at + 1), "has no time");
        let event = ErasedEvent { id, paths: line.erased.clone(), at: Timestamp::parse(&line.at).ok_or_else(no_time)? };
        match of_one.last_mut() {
            Some((known, events)) if (&known.product, &known.organization) == (&line.product, &line.organization) => {
                events.push(event);
            }
            _ => of_one.push((line, vec![event])),
        }
    }
    Ok(of_one)
}
