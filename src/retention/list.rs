//! The erasure list as lines of JSON: kept beside backups, and replayed on a database that was restored from one. It names
//! events and what of them was erased, and nobody.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Products,
    clock::Clock,
    error::{Error, Result},
    event::{EventId, Timestamp},
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

/// Gives every line of the list of a database to `each`.
///
/// # Errors
/// Those of the database, and of `each`.
pub async fn write(store: &Store, mut each: impl FnMut(&Line) -> std::io::Result<()>) -> Result<()> {
    let mut organization = -1;
    loop {
        let some = store.organizations_after(organization, ORGANIZATIONS).await?;
        let Some(last) = some.last() else { return Ok(()) };
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
                    each(&line).map_err(Error::internal)?;
                }
            }
        }
    }
}

/// Reads a list.
///
/// # Errors
/// `BAD_USER_INPUT` naming the line that is none.
pub fn read(text: &str) -> Result<Vec<Line>> {
    let line = |(at, text): (usize, &str)| {
        let line: Line = serde_json::from_str(text)
            .map_err(|fault| Error::bad_input(format!("line {}", at + 1), format!("is no line of a list: {fault}")))?;
        if line.v != VERSION {
            let rule = format!("must be of version {VERSION}, got {}", line.v);
            return Err(Error::bad_input(format!("line {}", at + 1), rule));
        }
        Ok(line)
    };
    text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()).map(line).collect()
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
    lines: &[Line],
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
