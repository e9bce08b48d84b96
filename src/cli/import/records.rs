//! A text taken apart into records, whatever is wrong with one of them, in bounded memory.

use std::io::{self, BufRead, Read};

use super::{
    scan::{Scan, Taken},
    source::{Format, content},
};
use crate::error::Error;

/// Longest record, in bytes. An event is much smaller, even with every character escaped.
pub const RECORD_BYTES: usize = 1024 * 1024;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its first line, from 1.
    pub line: u64,
    /// Its number among the records, from 1.
    pub record: u64,
}

/// What is read, in the order of the text.
#[derive(Debug)]
pub enum Piece {
    /// A whole record.
    Record(Place, Vec<u8>),
    /// A record that cannot be read, or the start of one that is too long to be held.
    Faulty(Place, Vec<u8>, Error),
    /// More of the record before.
    Rest(Vec<u8>),
    /// Nothing follows; why that is not the end that was meant, where it is not.
    End(Option<anyhow::Error>),
}

/// Reads records.
pub struct Records<R> {
    text: Again<R>,
    scan: Scan,
    /// Line of the next byte, and records so far.
    place: Place,
    /// Whether a record that is too long is being left behind.
    is_skipping: bool,
    /// A fault that cut a record off, to be told behind it.
    fault: Option<io::Error>,
}

/// Why no more of a record is read.
enum Stop {
    /// It is whole.
    Whole,
    /// It is too long.
    Full,
    /// It does not end, and another one follows.
    Another,
    /// The text ends.
    End,
    /// The text cannot be read.
    Fault(io::Error),
}

impl<R: BufRead> Records<R> {
    /// Records of a text.
    pub fn new(text: R, format: Format) -> Self {
        Self {
            text: Again { first: Vec::new(), at: 0, text },
            scan: Scan::new(format),
            place: Place { line: 1, record: 0 },
            is_skipping: false,
            fault: None,
        }
    }

    /// The next piece. [`Piece::End`] is the last one.
    pub fn next(&mut self) -> Piece {
        if self.is_skipping
            && let Some(piece) = self.skip()
        {
            return piece;
        }
        loop {
            let (record, line, stop) = self.read();
            let is_nothing = content(&record).is_empty();
            let place = Place { line, record: self.place.record + 1 };
            if !is_nothing {
                self.place.record += 1;
            }
            return match stop {
                Stop::Whole if is_nothing => continue,
                Stop::Whole => Piece::Record(place, record),
                Stop::Full => self.give_up(place, record, format!("must be at most {RECORD_BYTES} bytes"), true),
                Stop::End if is_nothing => Piece::End(self.scan.missing_at_the_end().map(anyhow::Error::msg)),
                Stop::End if self.scan.is_whole_at_the_end() => Piece::Record(place, record),
                Stop::End | Stop::Another => self.give_up(place, record, "does not end".to_owned(), false),
                Stop::Fault(fault) if is_nothing => Piece::End(Some(fault.into())),
                Stop::Fault(fault) => {
                    self.fault = Some(fault);
                    Piece::Faulty(place, record, Error::bad_input("line", "is cut off"))
                }
            };
        }
    }

    /// The bytes of the next record, its line, and why there are no more.
    fn read(&mut self) -> (Vec<u8>, u64, Stop) {
        let Self { text, scan, place, fault, .. } = self;
        let (mut record, mut line) = (Vec::new(), place.line);
        if let Some(fault) = fault.take() {
            return (record, line, Stop::Fault(fault));
        }
        loop {
            let chunk = match text.fill_buf() {
                Ok([]) => return (record, line, Stop::End),
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return (record, line, Stop::Fault(error)),
            };
            let room = RECORD_BYTES + 1 - record.len();
            let mut start = if record.is_empty() { None } else { Some(0) };
            let (mut used, mut end, mut stop) = (chunk.len(), chunk.len(), None);
            for (at, &byte) in chunk.iter().enumerate() {
                let taken = scan.take(byte);
                if let Taken::Before | Taken::Another = taken {
                    let why = if taken == Taken::Before { Stop::Whole } else { Stop::Another };
                    (used, end, stop) = (at, at, Some(why));
                    break;
                }
                if matches!(taken, Taken::Inside | Taken::Last) && start.is_none() {
                    (start, line) = (Some(at), place.line);
                }
                place.line += u64::from(byte == b'\n');
                if let Taken::Last | Taken::End = taken {
                    (used, end, stop) = (at + 1, at + usize::from(taken == Taken::Last), Some(Stop::Whole));
                    break;
                }
                if start.is_some_and(|start| at + 1 - start >= room) {
                    (used, end, stop) = (at + 1, at + 1, Some(Stop::Full));
                    break;
                }
            }
            record.extend_from_slice(&chunk[start.unwrap_or(end)..end]);
            text.consume(used);
            if let Some(stop) = stop {
                return (record, line, stop);
            }
        }
    }

    /// Refuses a record that does not end. What may be other records behind it is read again.
    fn give_up(&mut self, place: Place, mut record: Vec<u8>, rule: String, goes_on: bool) -> Piece {
        if let Some(at) = self.scan.resume_at(&record) {
            let others = record.split_off(at);
            self.place.line = place.line + record.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.text.again(others);
            self.scan.start_of_line();
        } else {
            self.is_skipping = goes_on;
        }
        if !self.is_skipping {
            record.truncate(record.trim_ascii_end().len());
        }
        Piece::Faulty(place, record, Error::bad_input("line", rule))
    }

    /// Reads on in a record that is too long, up to its end.
    fn skip(&mut self) -> Option<Piece> {
        let Self { text, scan, place, is_skipping, .. } = self;
        let chunk = match text.fill_buf() {
            Ok([]) => return Some(Piece::End(scan.missing_at_the_end().map(anyhow::Error::msg))),
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Some(Piece::Rest(Vec::new())),
            Err(error) => return Some(Piece::End(Some(error.into()))),
        };
        let (mut used, mut end) = (chunk.len(), chunk.len());
        for (at, &byte) in chunk.iter().enumerate() {
            match scan.skip(byte) {
                Taken::Before => (used, end) = (at, at),
                Taken::End => (used, end) = (at + 1, at),
                _ => continue,
            }
            *is_skipping = false;
            break;
        }
        place.line += chunk[..used].iter().filter(|byte| **byte == b'\n').count() as u64;
        let rest = chunk[..end].to_vec();
        text.consume(used);
        (!rest.is_empty()).then_some(Piece::Rest(rest))
    }
}

/// A text of which some is read again.
struct Again<R> {
    first: Vec<u8>,
    at: usize,
    text: R,
}

impl<R> Again<R> {
    fn again(&mut self, mut bytes: Vec<u8>) {
        bytes.extend_from_slice(&self.first[self.at..]);
        (self.first, self.at) = (bytes, 0);
    }
}

impl<R: BufRead> Read for Again<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Again<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.first.len() { Ok(&self.first[self.at..]) } else { self.text.fill_buf() }
    }

    fn consume(&mut self, read: usize) {
        if self.at < self.first.len() { self.at += read } else { self.text.consume(read) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read, a text each: `line: record`, `line! record` for what is faulty, and how it ends.
    fn read(text: &[u8], format: Format, chunk: usize) -> Vec<String> {
        let mut records = Records::new(io::BufReader::with_capacity(chunk, text), format);
        let mut all: Vec<String> = Vec::new();
        loop {
            match records.next() {
                Piece::Record(place, record) => {
                    all.push(format!("{}: {}", place.line, String::from_utf8_lossy(&record)));
                }
                Piece::Faulty(place, record, _) => {
                    all.push(format!("{}! {}", place.line, String::from_utf8_lossy(&record)));
                }
                Piece::Rest(bytes) => all.last_mut().unwrap().push_str(&String::from_utf8_lossy(&bytes)),
                Piece::End(None) => return all,
                Piece::End(Some(fault)) => {
                    all.push(fault.to_string());
                    return all;
                }
            }
        }
    }

    fn check(text: &str, format: Format, expected: &[&str]) {
        for chunk in [1, 2, 3, 7, 64 * 1024] {
            assert_eq!(read(text.as_bytes(), format, chunk), expected, "{text:?} by {chunk}");
        }
    }

    #[test]
    fn lines_end_at_a_line_feed_or_the_end() {
        check("a\n\n  \r\nb\r\n\u{feff}c", Format::Lines, &["1: a", "4: b\r", "5: \u{feff}c"]);
        check("", Format::Lines, &[]);
        check("\n\n", Format::Lines, &[]);
    }

    #[test]
    fn rows_hold_line_ends_in_quotes() {
        check("a,b\r\n1,\"x\n\"\"y\"\"\"\n2,a\"b\n", Format::Csv, &["1: a,b\r", "2: 1,\"x\n\"\"y\"\"\"", "4: 2,a\"b"]);
        // A quote that is missing costs its own line.
        check("a,b\n1,\"x\n2,y\n3,z", Format::Csv, &["1: a,b", "2! 1,\"x", "3: 2,y", "4: 3,z"]);
        check("\u{feff}\"a\nb\",c\n", Format::Csv, &["1: \u{feff}\"a\nb\",c"]);
    }

    #[test]
    fn values_are_told_apart_in_arrays_and_without() {
        let objects = ["1: {\"a\":[{}]}", "1: {\"b\":\"]},\\\"{\"}"];
        check("[{\"a\":[{}]},{\"b\":\"]},\\\"{\"}]", Format::Json, &objects);
        check("{\"a\":[{}]} {\"b\":\"]},\\\"{\"}", Format::Json, &objects);
        check(
            "[\n{\n\"a\": [\n{\n}\n]\n},\n{}\n]\n\u{feff}[]\n[{}]",
            Format::Json,
            &["2: {\n\"a\": [\n{\n}\n]\n}", "8: {}", "11: {}"],
        );
        check("[1, \"x\", {}]", Format::Json, &["1: 1", "1: \"x\"", "1: {}"]);
        check("[{},\n{}", Format::Json, &["1: {}", "2: {}", "the array does not end: the file may be cut off"]);
    }

    #[test]
    fn a_value_that_does_not_end_costs_its_own_lines() {
        // A quote is missing, then a bracket, then both at the end.
        let text = "[\n{\"a\":\"x},\n{\"b\":1},\n{\"c\":{\"d\":1},\n{\"e\":[\n  {}\n]},\n{\"f\":\"\n]";
        let expected =
            ["2! {\"a\":\"x},", "3: {\"b\":1}", "4! {\"c\":{\"d\":1},", "5: {\"e\":[\n  {}\n]}", "8! {\"f\":\""];
        check(text, Format::Json, &expected);
        let pretty = "[\n  {\n    \"a\": \"x,\n    \"b\": [\n      {}\n    ]\n  },\n  {\n    \"c\": 1\n  }\n]\n";
        let expected = ["2! {\n    \"a\": \"x,\n    \"b\": [\n      {}\n    ]\n  },", "8: {\n    \"c\": 1\n  }"];
        check(pretty, Format::Json, &expected);
        // The lines of an object that a missing quote opened are no records of their own.
        let text = "{\"a\":\"x,\n\"b\":{\n},\n{\"c\":1}";
        check(text, Format::Json, &["1! {\"a\":\"x,\n\"b\":{\n},", "4: {\"c\":1}"]);
    }

    #[test]
    fn what_is_too_long_is_left_behind_whole() {
        let long = "x".repeat(RECORD_BYTES + 1);
        let most = "x".repeat(RECORD_BYTES);
        let text = format!("a\n{long}yz\nb\n{most}\n{long}");
        let expected =
            ["1: a".to_owned(), format!("2! {long}yz"), "3: b".into(), format!("4: {most}"), format!("5! {long}")];
        for chunk in [7, 1000, 64 * 1024] {
            assert_eq!(read(text.as_bytes(), Format::Lines, chunk), expected, "by {chunk}");
            assert_eq!(read(text.as_bytes(), Format::Csv, chunk), expected, "by {chunk}");
        }
        let text = format!("[{{\"a\":\"{long}\"}},\n{{}},\n{{\"b\":[\n\"{long}\"\n{{}}\n]");
        let read = read(text.as_bytes(), Format::Json, 1000);
        let starts: Vec<&str> = read.iter().map(|piece| &piece[..piece.len().min(7)]).collect();
        assert_eq!(starts, ["1! {\"a\"", "2: {}", "3! {\"b\"", "5: {}"]);
    }

    /// A reader that fails behind its text.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::Error::other("torn")) } else { self.0.read(buffer) }
        }
    }

    #[test]
    fn a_record_that_a_fault_cuts_off_is_none() {
        for (text, format) in [("a\nb", Format::Lines), ("a\nb", Format::Csv), ("[{},\n{", Format::Json)] {
            let mut records = Records::new(io::BufReader::new(Failing(text.as_bytes())), format);
            assert!(matches!(records.next(), Piece::Record(Place { line: 1, record: 1 }, _)), "{format:?}");
            assert!(matches!(records.next(), Piece::Faulty(Place { line: 2, record: 2 }, _, _)), "{format:?}");
            let Piece::End(Some(fault)) = records.next() else { panic!("{format:?}") };
            assert_eq!(fault.to_string(), "torn");
        }
    }
}
