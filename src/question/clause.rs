//! Conditions on the search index: what a filter and a search come to there.

/// A condition on the index: one of the terms, or none of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The terms, without their organization.
    pub any: Vec<Term>,
    /// Whether the terms must all be absent.
    pub none: bool,
}

/// A term of the index, or all that begin with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// This term.
    Exact(String),
    /// Those that start so, as whoever asks has it with a star.
    Prefix(String),
    /// Those that start so, of which the caller knows nothing: something goes on after what was asked for.
    Longer(String),
}
