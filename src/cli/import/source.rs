//! Where the text comes from: a file or standard input, unpacked, in UTF-8, and what form it has.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::fields;
use crate::error::{Error, Result as Checked};

/// How events stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Lines,
    /// JSON objects in an array, or one after another, over any number of lines.
    Json,
    /// Rows of comma-separated values under a header.
    Csv,
}

/// How much of a text is looked at to tell its format.
const LOOK_BYTES: usize = 64 * 1024;

/// Opens a file, or standard input for `-`; its length where it has one.
///
/// # Errors
/// Where it cannot be read.
pub fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let cannot = || format!("{} cannot be opened", path.display());
    let file = File::open(path).with_context(cannot)?;
    let about = file.metadata().with_context(cannot)?;
    if about.is_dir() {
        bail!("{} is a folder: name a file in it", path.display());
    }
    let length = about.is_file().then_some(about.len());
    Ok((Box::new(file), length))
}

/// The text in UTF-8 and its format, told by its first bytes where none is given.
///
/// # Errors
/// Where it is packed in a way that is not known.
pub fn text(raw: impl Read + Send + 'static, format: Option<Format>) -> Result<(Box<dyn BufRead + Send>, Format)> {
    let packed = Peeked::new(raw, |head| head.len() >= 6);
    let unpacked: Box<dyn Read + Send> = match packed.head() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(BufReader::new(packed))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Box::new(Zstd::new(packed)),
        [b'P', b'K', 3, 4, ..] => bail!("it is a zip archive: unpack it first (gzip and zstd are unpacked here)"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => bail!("it is packed with bzip2: unpack it first, or use gzip or zstd"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => bail!("it is packed with xz: unpack it first, or use gzip or zstd"),
        _ => Box::new(packed),
    };
    let encoded = Peeked::new(unpacked, |head| head.len() >= 3);
    let text: Box<dyn Read + Send> = match encoded.head() {
        [0xff, 0xfe, ..] => Box::new(Utf16::new(encoded, u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Box::new(Utf16::new(encoded, u16::from_be_bytes)),
        _ => Box::new(encoded),
    };
    let text = Peeked::new(text, |head| head.len() >= LOOK_BYTES || first_line(head).is_some());
    let format = format.unwrap_or_else(|| told(text.head()));
    Ok((Box::new(BufReader::with_capacity(LOOK_BYTES, text)), format))
}

/// The first line that is not blank, once it is whole.
fn first_line(head: &[u8]) -> Option<&[u8]> {
    let whole = head.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.map(content).find(|line| !line.is_empty())
}

/// A record without blanks around it, and without a byte order mark before it: files that were put together have some
/// in the middle.
pub fn content(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii()
}

/// A record as text.
///
/// # Errors
/// Where it is no UTF-8, naming the first byte that is none.
pub fn utf8(record: &[u8]) -> Checked<&str> {
    std::str::from_utf8(record).map_err(|error| {
        let at = error.valid_up_to();
        Error::bad_input("line", format!("must be UTF-8, but byte {} is 0x{:02X}", at + 1, record[at]))
    })
}

fn told(head: &[u8]) -> Format {
    let line = first_line(head).unwrap_or_else(|| content(head));
    match content(head) {
        [b'[', rest @ ..] => match rest.trim_ascii_start().first() {
            None | Some(b'{' | b']' | b'[') => Format::Json,
            // Such as `[2026-01-01 08:00] started`.
            Some(_) => Format::Lines,
        },
        [b'{', ..] if line == b"{" => Format::Json,
        [b'{', ..] => Format::Lines,
        _ => {
            let line = String::from_utf8_lossy(line);
            let mut cells = line.split([',', ';', '\t']).map(|cell| cell.trim_matches(['"', ' ']));
            if cells.any(fields::is_column) { Format::Csv } else { Format::Lines }
        }
    }
}

/// A reader whose first bytes were looked at. A fault on the way comes after the bytes before it.
struct Peeked<R> {
    head: Vec<u8>,
    at: usize,
    fault: Option<io::Error>,
    rest: R,
}

impl<R: Read> Peeked<R> {
    fn new(mut rest: R, is_enough: impl Fn(&[u8]) -> bool) -> Self {
        let (mut head, mut fault) = (Vec::new(), None);
        let mut chunk = [0; 4096];
        while !is_enough(&head) {
            match rest.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => head.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        Self { head, at: 0, fault, rest }
    }

    fn head(&self) -> &[u8] {
        &self.head
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < self.head.len() {
            let read = (&self.head[self.at..]).read(buffer)?;
            self.at += read;
            return Ok(read);
        }
        self.head = Vec::new();
        self.at = 0;
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.rest.read(buffer),
        }
    }
}

/// Zstandard frames one after another. Of a frame that is cut off the last window is lost: the decoder keeps it.
struct Zstd<R> {
    frame: FrameDecoder,
    packed: R,
}

impl<R: Read> Zstd<R> {
    fn new(packed: R) -> Self {
        Self { frame: FrameDecoder::new(), packed }
    }

    /// Begins the next frame that has a content; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let mut first = [0];
            match self.packed.read(&mut first) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            match self.frame.init(first.chain(&mut self.packed)) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.packed.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.frame.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if !self.frame.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.packed, one).map_err(io::Error::other)?;
                continue;
            }
            let told = self.frame.get_checksum_from_data();
            if told.is_some() && told != self.frame.get_calculated_checksum() {
                return Err(io::Error::other("the checksum of a zstd frame is wrong"));
            }
            if !self.begin()? {
                return Ok(0);
            }
        }
    }
}

/// UTF-16 as UTF-8. What is no text becomes a byte that is no UTF-8, so that it spoils its own line and no other.
struct Utf16<R> {
    bytes: io::Bytes<BufReader<R>>,
    order: fn([u8; 2]) -> u16,
    /// A unit that was read behind the first half of a pair, and is not its second.
    ahead: Option<u16>,
    /// What is not yet given away, and the fault behind it.
    left: Vec<u8>,
    fault: Option<io::Error>,
}

impl<R: Read> Utf16<R> {
    const NO_TEXT: u8 = 0xff;

    fn new(encoded: R, order: fn([u8; 2]) -> u16) -> Self {
        Self { bytes: BufReader::new(encoded).bytes(), order, ahead: None, left: Vec::new(), fault: None }
    }

    fn unit(&mut self) -> io::Result<Option<u16>> {
        if self.ahead.is_some() {
            return Ok(self.ahead.take());
        }
        let Some(first) = self.bytes.next().transpose()? else { return Ok(None) };
        match self.bytes.next().transpose()? {
            Some(second) => Ok(Some((self.order)([first, second]))),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the last character of UTF-16 is cut off")),
        }
    }

    /// Reads one character; false at the end.
    fn character(&mut self) -> io::Result<bool> {
        let Some(unit) = self.unit()? else { return Ok(false) };
        let second = if (0xd800..0xdc00).contains(&unit) { self.unit()? } else { None };
        match char::decode_utf16([unit].into_iter().chain(second)).next() {
            Some(Ok(c)) => self.left.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => {
                self.left.push(Self::NO_TEXT);
                self.ahead = second;
            }
        }
        Ok(true)
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left.len() < buffer.len() && self.fault.is_none() {
            match self.character() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.fault = Some(error),
            }
        }
        if self.left.is_empty()
            && let Some(fault) = self.fault.take()
        {
            return Err(fault);
        }
        let given = buffer.len().min(self.left.len());
        buffer[..given].copy_from_slice(&self.left[..given]);
        self.left.drain(..given);
        Ok(given)
    }
}
