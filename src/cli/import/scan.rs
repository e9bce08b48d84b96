//! Where a record ends, byte by byte, in each format. Nothing here is checked: what is no event is refused later.

use super::source::Format;

/// What a byte is to the record that is being read.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It stands between records.
    Between,
    /// It belongs to the record.
    Inside,
    /// It is the record's last.
    Last,
    /// It ends the record and does not belong to it.
    End,
    /// The record ended before it: it is to be taken again.
    Before,
    /// The same for a record that does not end: another one starts here.
    Another,
}

/// The place in a text.
pub enum Scan {
    Lines,
    Csv(Cell),
    Json(Json),
}

/// The place in a row of comma-separated values (RFC 4180).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: the cell's end, or the first half of a quote.
    Quote,
}

/// The place in a text of JSON values.
pub struct Json {
    value: Value,
    /// Arrays around the records that are open.
    open: i64,
    /// Blanks at the start of this line, and whether there was nothing else yet.
    indent: usize,
    is_at_line_start: bool,
    /// The indent of the line that the record starts in.
    own_indent: usize,
    /// Whether the record was seen to be no JSON.
    is_broken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    None,
    Object {
        depth: usize,
        text: Text,
    },
    /// Anything but an object, to be refused.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

impl Scan {
    /// The start of a text.
    pub fn new(format: Format) -> Self {
        match format {
            Format::Lines => Self::Lines,
            Format::Csv => Self::Csv(Cell::Start),
            Format::Json => Self::Json(Json {
                value: Value::None,
                open: 0,
                indent: 0,
                is_at_line_start: true,
                own_indent: 0,
                is_broken: false,
            }),
        }
    }

    /// Takes the next byte.
    pub fn take(&mut self, byte: u8) -> Taken {
        match self {
            Self::Lines if byte == b'\n' => Taken::End,
            Self::Lines => Taken::Inside,
            Self::Csv(cell) => {
                *cell = match (*cell, byte) {
                    (Cell::Start | Cell::Plain | Cell::Quote, b'\n') => {
                        *cell = Cell::Start;
                        return Taken::End;
                    }
                    (Cell::Start | Cell::Plain | Cell::Quote, b',') => Cell::Start,
                    (Cell::Start | Cell::Quote, b'"') => Cell::Quoted,
                    // A byte order mark.
                    (Cell::Start, 0xef | 0xbb | 0xbf) => Cell::Start,
                    (Cell::Start | Cell::Plain | Cell::Quote, _) => Cell::Plain,
                    (Cell::Quoted, b'"') => Cell::Quote,
                    (Cell::Quoted, _) => Cell::Quoted,
                };
                Taken::Inside
            }
            Self::Json(json) => json.take(byte),
        }
    }

    /// Takes a byte of a record that is left behind, because it is too long.
    pub fn skip(&mut self, byte: u8) -> Taken {
        match self {
            Self::Lines | Self::Csv(_) if byte == b'\n' => {
                self.start_of_line();
                Taken::End
            }
            Self::Lines | Self::Csv(_) => Taken::Inside,
            Self::Json(json) => {
                if json.starts_another(byte) {
                    Taken::Before
                } else {
                    Taken::Inside
                }
            }
        }
    }

    /// Goes on at the start of a line, outside of a record.
    pub fn start_of_line(&mut self) {
        match self {
            Self::Lines => {}
            Self::Csv(cell) => *cell = Cell::Start,
            Self::Json(json) => {
                (json.value, json.indent, json.is_at_line_start, json.is_broken) = (Value::None, 0, true, false);
            }
        }
    }

    /// Where, in a record that does not end, the next one may start: a quote or a bracket that is missing in one line
    /// must not take all others with it.
    pub fn resume_at(&self, record: &[u8]) -> Option<usize> {
        let mut starts = record.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        match self {
            Self::Lines => None,
            Self::Csv(_) => starts.next(),
            Self::Json(json) => starts.find(|&start| {
                let line = &record[start..];
                let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                indent <= json.own_indent && matches!(line.get(indent), Some(b'{' | b']'))
            }),
        }
    }

    /// Whether a record that the text ends in is whole.
    pub fn is_whole_at_the_end(&self) -> bool {
        match self {
            Self::Lines => true,
            Self::Csv(cell) => *cell != Cell::Quoted,
            Self::Json(json) => json.value == Value::Other,
        }
    }

    /// What is missing behind the last record.
    pub fn missing_at_the_end(&self) -> Option<&'static str> {
        match self {
            Self::Json(Json { open: 1.., .. }) => Some("the array does not end: the file may be cut off"),
            _ => None,
        }
    }
}

impl Json {
    fn take(&mut self, byte: u8) -> Taken {
        if !self.is_broken {
            self.see_line(byte);
        } else if self.starts_another(byte) {
            return Taken::Another;
        }
        match &mut self.value {
            Value::None => self.between(byte),
            Value::Object { depth, text } => {
                match (*text, byte) {
                    (Text::Escaped, _) => *text = Text::Inside,
                    (Text::Inside, b'\\') => *text = Text::Escaped,
                    (Text::Inside, b'"') => *text = Text::Outside,
                    // JSON escapes a line feed in a text: a quote is missing, or there is one too many.
                    (Text::Inside, b'\n') => self.is_broken = true,
                    (Text::Inside, _) => {}
                    (Text::Outside, b'"') => *text = Text::Inside,
                    (Text::Outside, b'{' | b'[') => *depth += 1,
                    (Text::Outside, b'}' | b']') => *depth -= 1,
                    (Text::Outside, _) => {}
                }
                if *depth > 0 {
                    return Taken::Inside;
                }
                (self.value, self.is_broken) = (Value::None, false);
                Taken::Last
            }
            Value::Other if matches!(byte, b',' | b'[' | b']' | b'{' | b'\n') => {
                self.value = Value::None;
                Taken::Before
            }
            Value::Other => Taken::Inside,
        }
    }

    fn between(&mut self, byte: u8) -> Taken {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => return Taken::Between,
            // A byte order mark.
            0xef | 0xbb | 0xbf => return Taken::Between,
            b'[' | b']' => {
                self.open += if byte == b'[' { 1 } else { -1 };
                return Taken::Between;
            }
            b'{' => self.value = Value::Object { depth: 1, text: Text::Outside },
            _ => self.value = Value::Other,
        }
        self.own_indent = self.indent;
        Taken::Inside
    }

    /// Whether a byte begins a line that is no part of the record, if the record is broken.
    fn starts_another(&mut self, byte: u8) -> bool {
        let begins_line = self.see_line(byte);
        let starts = begins_line && self.indent <= self.own_indent && matches!(byte, b'{' | b']');
        if starts {
            (self.value, self.is_broken) = (Value::None, false);
        }
        starts
    }

    /// Whether the byte is the first of its line that is no blank.
    fn see_line(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => (self.indent, self.is_at_line_start) = (0, true),
            b' ' | b'\t' if self.is_at_line_start => self.indent += 1,
            _ => return std::mem::take(&mut self.is_at_line_start),
        }
        false
    }
}
