//! Rows of comma-separated values as objects: the header names the fields, with dots for what lies in an object.

use csv_core::{ReadRecordResult, Reader};
use serde_json::{Map, Value};

use super::{
    fields::{self, Members},
    source::{content, utf8},
};
use crate::error::{Error, Result};

/// The columns that a header names.
pub struct Columns {
    names: Vec<String>,
    /// The header as it stands, which is a part of what a row says.
    pub header: Vec<u8>,
}

impl Columns {
    /// Reads a header.
    ///
    /// # Errors
    /// All its faults at once.
    pub fn read(header: &[u8], ignored: &[String]) -> Result<Self> {
        let header = content(header).to_vec();
        let names: Vec<String> = cells(&header)?.iter().map(|name| name.trim().to_owned()).collect();
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(Error::bad_input(
                    "header",
                    format!("must name every column, but column {} has no name", index + 1),
                ));
            }
            if names[..index].contains(name) {
                return Err(Error::bad_input("header", format!("must name a column once, but {name} is there twice")));
            }
        }
        if let Some(name) = names.iter().find(|name| fields::is_object(name)) {
            let rule =
                format!("must name what lies in {name}, as in {name}.{}", if name == "log" { "level" } else { "id" });
            return Err(Error::bad_input("header", rule));
        }
        let columns = Self { names, header };
        let all = columns.object(columns.names.iter().map(|_| "x"))?.to_string();
        let members: Members<'_> = serde_json::from_str(&all).expect("a map is an object");
        fields::check(&members, ignored)?;
        Ok(columns)
    }

    /// A row as a JSON object; `None` for the header itself, which stands in the middle of files that were put together.
    ///
    /// # Errors
    /// Where it is no row of this header.
    pub fn row(&self, row: &[u8]) -> Result<Option<String>> {
        if row == self.header {
            return Ok(None);
        }
        let cells = cells(row)?;
        if cells.len() != self.names.len() {
            let rule = format!("must have {} columns as the header, got {}", self.names.len(), cells.len());
            return Err(Error::bad_input("line", rule));
        }
        Ok(Some(self.object(cells.iter().map(String::as_str))?.to_string()))
    }

    fn object<'a>(&self, cells: impl Iterator<Item = &'a str>) -> Result<Value> {
        let mut object = Map::new();
        for (name, cell) in self.names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            // A cell is a text, and so what a column of its own says is the text of the metadata.
            let mut path = if name == "metadata" { "metadataText" } else { name.as_str() };
            let mut outer = &mut object;
            while let Some((first, rest)) = path.split_once('.') {
                let inner = outer.entry(first).or_insert_with(|| Map::new().into());
                let Value::Object(inner) = inner else {
                    return Err(Error::bad_input("header", format!("must not name {first} beside {name}")));
                };
                (outer, path) = (inner, rest);
            }
            if outer.insert(path.to_owned(), cell.into()).is_some() {
                return Err(Error::bad_input("header", format!("must not name {name} beside what lies in it")));
            }
        }
        Ok(Value::Object(object))
    }
}

/// The cells of one row.
fn cells(row: &[u8]) -> Result<Vec<String>> {
    let text = utf8(row)?;
    let (mut cells, mut ends) = (vec![0; text.len()], vec![0; text.len() + 1]);
    let mut reader = Reader::new();
    let (_, read, wrote, found) = reader.read_record(text.as_bytes(), &mut cells, &mut ends);
    // The end of the input ends the row.
    let (result, _, more, last) = reader.read_record(&text.as_bytes()[read..], &mut cells[wrote..], &mut ends[found..]);
    if read < text.len() || result != ReadRecordResult::Record {
        return Err(Error::bad_input(
            "line",
            "must be one row of comma-separated values, with line ends in quotes only",
        ));
    }
    let cells = String::from_utf8(cells[..wrote + more].to_vec()).expect("quotes and commas are taken out, no halves");
    let mut start = 0;
    Ok(ends[..found + last].iter().map(|&end| cells[std::mem::replace(&mut start, end)..end].to_owned()).collect())
}
