//! What is wrong with product files: everything at once, each with its place.

use std::{cell::RefCell, fmt};

use toml_span::Span;

/// One fault of a product file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductError {
    /// The file, as it was asked for.
    pub file: String,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column in characters, from 1; 0 where the file as a whole is meant.
    pub column: usize,
    /// The key, such as `catalog.actions[3].category`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl ProductError {
    /// A fault of a file as a whole.
    pub(super) fn of_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0, key: String::new(), message: message.into() }
    }
}

impl fmt::Display for ProductError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, key, message } = self;
        f.write_str(file)?;
        if *line > 0 {
            write!(f, ":{line}:{column}")?;
        }
        if !key.is_empty() {
            write!(f, ": {key}")?;
        }
        write!(f, ": {message}")
    }
}

/// Everything that is wrong with the product files, in the order of files and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductErrors(pub Vec<ProductError>);

impl fmt::Display for ProductErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.iter();
        if let Some(first) = lines.next() {
            write!(f, "{first}")?;
        }
        lines.try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

impl std::error::Error for ProductErrors {}

/// Gathers the faults of one file while it is read.
pub(super) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    faults: RefCell<Vec<ProductError>>,
}

impl<'a> Report<'a> {
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, faults: RefCell::default() }
    }

    /// Notes a fault at a place.
    pub fn add(&self, at: Span, key: impl Into<String>, message: impl Into<String>) {
        let (line, column) = self.place(at);
        let fault = ProductError { file: self.file.to_owned(), line, column, key: key.into(), message: message.into() };
        self.faults.borrow_mut().push(fault);
    }

    /// Line and column of a place, from 1.
    pub fn place(&self, at: Span) -> (usize, usize) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    /// All of them, from top to bottom.
    pub fn into_faults(self) -> Vec<ProductError> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|fault| (fault.line, fault.column));
        faults
    }
}
