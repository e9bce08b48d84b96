//! One thing that a search asks for: a word, words that hang together, or a phrase. It is read twice, as conditions on the
//! index and as a test of a text, and both keep the same events.

use super::clause::Term;
use crate::event::{
    terms::{CHAIN_TOLD_BYTES, chained},
    words::{self, WORD_BYTES, Words, clusters, is_dense, takes_marks},
};

/// One thing that is asked for. It is there if a text of the event has it, or the label of its action or category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Its words, side by side; MUST be at least one.
    pub words: Vec<String>,
    /// Whether its words must be of one chain, as those of an address or an id.
    pub is_chain: bool,
    /// Whether a word that only begins with the last one counts.
    pub prefix: bool,
    /// Whether its words are a whole label: then they count nowhere else.
    pub is_label: bool,
    /// Actions that count because of their label.
    pub actions: Vec<String>,
    /// Categories that count because of their label.
    pub categories: Vec<String>,
}

/// How words have to stand in a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InLabel {
    /// Whether the last may be the beginning of a word.
    pub prefix: bool,
    /// Whether they must be all words of the label.
    pub whole: bool,
}

impl InLabel {
    /// What says whether words stand so in a label, which is read as [`Tested::key`] reads it.
    pub fn finds(self, words: &str) -> impl Fn(&Tested) -> bool + use<> {
        let sought = Sought::phrase(words, self.prefix);
        move |label| {
            sought
                .as_ref()
                .is_some_and(|sought| (!self.whole || sought.words.len() == label.words.len()) && sought.is_in(label))
        }
    }
}

/// A text of an event, as it is tested.
#[derive(Clone, Debug)]
pub struct Tested {
    words: Words,
    parts: Vec<String>,
}

impl Tested {
    /// Reads a value.
    #[must_use]
    pub fn value(text: &str) -> Self {
        let mut parts = Vec::new();
        words::parts(text, |part| parts.push(part));
        Self { words: Words::of(text), parts }
    }

    /// Reads a key of metadata.
    #[must_use]
    pub fn key(text: &str) -> Self {
        Self { words: Words::of(text), parts: Vec::new() }
    }
}

impl Sought {
    /// Words side by side, of which the last may be a beginning; `None` where a text has no words.
    #[must_use]
    pub fn phrase(text: &str, prefix: bool) -> Option<Self> {
        let words: Vec<String> = Words::of(text).iter().map(str::to_owned).collect();
        let phrase =
            Self { words, is_chain: false, prefix, is_label: false, actions: Vec::new(), categories: Vec::new() };
        (!phrase.words.is_empty()).then_some(phrase)
    }

    /// Whether a text has it.
    #[must_use]
    pub fn is_in(&self, text: &Tested) -> bool {
        if self.is_label {
            return false;
        }
        if let [word] = self.words.as_slice() {
            let fits = |each: &str| match (is_dense(word), self.prefix) {
                (true, _) => each.contains(word),
                (false, true) => each.starts_with(word),
                (false, false) => each == word,
            };
            return text.words.iter().any(fits) || text.parts.iter().any(|part| fits(part));
        }
        let all: Vec<&str> = text.words.iter().collect();
        let last = self.words.len() - 1;
        let fits = |place: usize, each: &str| {
            let word = &self.words[place];
            match place {
                _ if each == word => true,
                0 => is_dense(word) && each.ends_with(word.as_str()),
                _ if place == last => (self.prefix || is_dense(word)) && each.starts_with(word.as_str()),
                _ => false,
            }
        };
        all.windows(self.words.len()).enumerate().any(|(from, window)| {
            window.iter().enumerate().all(|(place, each)| fits(place, each))
                && (!self.is_chain || text.words.is_chain(from..from + window.len()))
        })
    }

    /// Its conditions on the index: of each list, one term must be there. They are true of all events that have it in a
    /// text, and of others only where [its rows are needed](Self::needs_rows).
    #[must_use]
    pub fn terms(&self) -> Vec<Vec<Term>> {
        if self.is_label {
            return vec![Vec::new()];
        }
        if !self.is_chain {
            let last = self.words.len() - 1;
            let each = self.words.iter().enumerate();
            return each.flat_map(|(place, word)| word_terms(word, self.prefix && place == last)).collect();
        }
        let chain = self.words.join("=");
        match (self.is_told(), self.prefix) {
            (true, true) => vec![vec![Term::Prefix(chained(&chain))]],
            (true, false) => {
                vec![vec![Term::Exact(chained(&chain)), Term::Longer(chained(&format!("{chain}=")))]]
            }
            (false, _) => {
                let mut all = vec![vec![Term::Longer(chained(words::beginning(&chain, CHAIN_TOLD_BYTES)))]];
                let last = self.words.len() - 1;
                let each = self.words.iter().enumerate();
                all.extend(each.flat_map(|(place, word)| word_terms(word, self.prefix && place == last)));
                all
            }
        }
    }

    /// Whether events that its conditions on the index are true of have to be tested.
    #[must_use]
    pub fn needs_rows(&self) -> bool {
        match self.words.as_slice() {
            [word] if is_dense(word) => clusters(word).len() > 2,
            [word] => self.prefix && word.len() > WORD_BYTES,
            _ if self.is_label => false,
            _ => !self.is_chain || !self.is_told(),
        }
    }

    /// Whether the term of its chain tells it from all others.
    fn is_told(&self) -> bool {
        self.words.iter().map(|word| word.len() + 1).sum::<usize>() <= CHAIN_TOLD_BYTES
    }
}

/// The conditions of one word.
fn word_terms(word: &str, prefix: bool) -> Vec<Vec<Term>> {
    if !is_dense(word) {
        let term = match prefix {
            true => Term::Prefix(words::beginning(word, WORD_BYTES).to_owned()),
            false => Term::Exact(words::indexed(word)),
        };
        return vec![vec![term]];
    }
    let clusters = clusters(word);
    if clusters.len() < 2 {
        return vec![vec![Term::Longer(word.to_owned())]];
    }
    let mut all: Vec<_> = clusters.windows(2).map(|two| vec![Term::Exact(two.concat())]).collect();
    // The last character may have marks that were not asked for.
    if word.chars().next_back().is_some_and(takes_marks)
        && let Some(any) = all.last_mut()
    {
        *any = vec![Term::Longer(clusters[clusters.len() - 2..].concat())];
    }
    all
}
