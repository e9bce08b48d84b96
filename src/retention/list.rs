//! The erasure list as lines of JSON: kept beside backups, and replayed on a database that is restored from one. It names
//! events and what of them was erased, and nobody. Its last line says when it was written and what the others add up to: a
//! list that was cut, or is of before the backup, would leave people where they were.

use std::io;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Products,
    clock::Clock,
    error::{Error, Result},
    event::{EventId, Timestamp, hash},
    ingest::{self, Writer},
    store::{ErasedEvent, Store},
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

/// Gives every line of the list of a database to `each`, as text.
///
/// # Errors
/// Those of the database, and of `each`.
pub async fn write(store: &Store, clock: &Clock, mut each: impl FnMut(&str) -> io::Result<()>) -> Result<()> {
    let written_at = clock.now().to_string();
    let (mut organization, mut written, mut sum) = (-1, 0, hash::of([""]));
    loop {
        let some = store.organizations_after(organization, ORGANIZATIONS).await?;
        let Some(last) = some.last() else {
            let end = End { v: VERSION, lines: written, hash: hex(&sum), written_at };
            let text = serde_json::to_string(&end).map_err(Error::internal)?;
            return each(&text).map_err(Error::internal);
        };
        organization = last.organization_no;
        for of in &some {
            let mut after = -1;
            loop {
                let lines = store.erased_after(of.organization_no, after, AT_ONCE as u64).await?;
                let Some(last) = lines.last() else { break };
                after = last.id.sequence;
                for ErasedEvent { id, paths, at } in lines {
                    let line = Line {
                        v: VERSION,
                        product: of.product.clone(),
                        organization: of.external_id.clone(),
                        event: id.to_string(),
                        erased: paths,
                        at: at.to_string(),
                    };
                    let text = serde_json::to_string(&line).map_err(Error::internal)?;
                    (written, sum) = (written + 1, with(&sum, &text));
                    each(&text).map_err(Error::internal)?;
                }
            }
        }
    }
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

/// Erases once more what a list names, and wipes what the database has left of it. It may be repeated: what is gone stays
/// gone. Each organization's log tells of it.
///
/// # Errors
/// `BAD_USER_INPUT` where the list is of another database, which nothing is done to, or an organization's product is not
/// served; those of the database. What is done stays done.
pub async fn replay(
    store: &Store,
    writer: &Writer,
    products: &Products,
    clock: &Clock,
    List { lines, .. }: &List,
) -> Result<Replayed> {
    let mut all = Replayed { lines: lines.len() as i64, ..Replayed::default() };
    let began = clock.now();
    let mut of_one: Vec<(&Line, Vec<ErasedEvent>)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let field = || format!("line {}", at + 1);
        let id: EventId = line.event.parse().map_err(|()| Error::bad_input(field(), "names no event"))?;
        let at = Timestamp::parse(&line.at).ok_or_else(|| Error::bad_input(field(), "has no time"))?;
        let event = ErasedEvent { id, paths: line.erased.clone(), at };
        match of_one.last_mut() {
            Some((known, events)) if (&known.product, &known.organization) == (&line.product, &line.organization) => {
                events.push(event);
            }
            _ => of_one.push((line, vec![event])),
        }
    }
    let (mut found, mut others) = (0, 0);
    for (Line { product, organization, .. }, events) in of_one {
        let unknown = || Error::bad_input("list", format!("names the product {product:?}, which is not served"));
        let product = products.get(product).ok_or_else(unknown)?;
        let (mut erased, mut number) = (0, None);
        for some in events.chunks(AT_ONCE) {
            number = some.first().map(|event| event.id.organization_no);
            let listed = store.erase_listed(product, organization, some, clock.now()).await?;
            erased += listed.events;
            all.held += listed.held;
            found += listed.found;
            others += listed.others;
        }
        all.events += erased;
        if let Some(number) = number.filter(|_| erased > 0) {
            ingest::erasures::tell_replay(writer, product, organization, erased, clock.now()).await?;
            store.wipe_erased(number, began).await?;
        }
    }
    if found == 0 && others > 0 {
        let rule = format!("is of another database: it names {others} events under whose numbers this one has others");
        return Err(Error::bad_input("list", rule));
    }
    Ok(all)
}
