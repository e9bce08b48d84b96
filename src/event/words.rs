//! Words: what search finds.
//!
//! A text is brought to one form first (`words/fold.rs`), so that upper case, accents and ways to encode a character do not
//! count. Then a word is a run of letters, numbers and the marks that belong to them. Where words hang together by nothing but
//! [joiners](is_joiner), as in an address or an id, they are a chain. Scripts without blanks between words are found anywhere
//! inside of a run.

mod fold;
mod scripts;
pub mod version_1;

use std::ops::Range;

use sha2::{Digest, Sha256};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

pub use scripts::{clusters, is_dense, takes_marks};

/// Version of this reading of text, stored with every event. Another one comes with a migration that adds every
/// organization to `stale_terms`, whose terms `ledgerline reindex` then makes anew, and with a module of the one before: SQLite's
/// index takes a word away only from who can say it.
pub const NORMALISER_VERSION: i16 = 2;

/// Longest word that is indexed whole, in bytes; PostgreSQL takes no lexeme over 2,047.
pub const WORD_BYTES: usize = 200;

/// Most words of a chain. What follows begins another one, so that the terms of an event stay within a multiple of its bytes.
pub const CHAIN_WORDS: usize = 16;

/// Longest part of a [camel-case](parts) word's run, in bytes: what is longer is no name.
const NAME_BYTES: usize = 64;

/// Whether a character belongs to a word.
#[must_use]
pub fn is_word_char(c: char) -> bool {
    matches!(Class::of(c), Class::Plain | Class::Dense | Class::Mark)
}

/// Whether words on both sides of a character still hang together, as those of `10.0.0.1`, `usr_7` and `a@b.example` do.
#[must_use]
pub fn is_joiner(c: char) -> bool {
    matches!(c, '.' | '-' | '_' | '@' | '+' | ':' | '\'' | '’')
}

/// What a character is to the reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Of a word.
    Plain,
    /// Of a word of a script without blanks.
    Dense,
    /// Of the character before it.
    Mark,
    /// Between words of a chain.
    Joiner,
    /// Between words.
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        if c.is_ascii() {
            return match c {
                _ if c.is_ascii_alphanumeric() => Self::Plain,
                _ if is_joiner(c) => Self::Joiner,
                _ => Self::Other,
            };
        }
        match c.general_category_group() {
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number if scripts::is_dense_char(c) => Self::Dense,
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number => Self::Plain,
            GeneralCategoryGroup::Mark => Self::Mark,
            _ if is_joiner(c) => Self::Joiner,
            _ => Self::Other,
        }
    }
}

/// The words of a text, in order.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The words with `=` between them, which is in none of them.
    text: String,
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    from: usize,
    to: usize,
    /// Whether it is of the chain of the word before it.
    is_joined: bool,
}

impl Words {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut reader = Reader::default();
        reader.words.text.reserve(text.len() + 1);
        if text.is_ascii() {
            // Most texts: already in their one form but for case.
            text.chars().for_each(|c| reader.take(c.to_ascii_lowercase()));
        } else {
            fold::fold(text).chars().for_each(|c| reader.take(c));
        }
        reader.end();
        reader.words
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.places.iter().map(|place| &self.text[place.from..place.to])
    }

    /// Which words are each chain, in order; one alone is a chain too.
    pub fn chains(&self) -> impl Iterator<Item = Range<usize>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let from = at;
            at += 1;
            while self.places.get(at).is_some_and(|place| place.is_joined) {
                at += 1;
            }
            (from < self.places.len()).then_some(from..at)
        })
    }

    /// Neighbouring words with `=` between them.
    #[must_use]
    pub fn joined(&self, range: Range<usize>) -> &str {
        &self.text[self.places[range.start].from..self.places[range.end - 1].to]
    }

    /// Whether neighbouring words are of one chain.
    #[must_use]
    pub fn is_chain(&self, range: Range<usize>) -> bool {
        self.places[range].iter().skip(1).all(|place| place.is_joined)
    }
}

/// Puts words together, character by character.
#[derive(Default)]
struct Reader {
    words: Words,
    /// The word that is being read: where it begins, and what it is.
    word: Option<(usize, Class)>,
    /// What the word before was.
    before: Option<Class>,
    /// Whether joiners, and nothing else, have come since.
    has_joiners: bool,
    has_others: bool,
    /// Words of the chain so far.
    chain: usize,
}

impl Reader {
    fn take(&mut self, c: char) {
        match Class::of(c) {
            class @ (Class::Plain | Class::Dense) => {
                if self.word.is_none_or(|(_, of)| of != class) {
                    self.end();
                    if !self.words.places.is_empty() {
                        self.words.text.push('=');
                    }
                    self.word = Some((self.words.text.len(), class));
                }
                self.words.text.push(c);
            }
            // One without a word belongs to a sign, and goes with it.
            Class::Mark => {
                if self.word.is_some() && self.words.text.chars().next_back().is_some_and(takes_marks) {
                    self.words.text.push(c);
                }
            }
            Class::Joiner => {
                self.end();
                self.has_joiners = true;
            }
            Class::Other => {
                self.end();
                self.has_others = true;
            }
        }
    }

    /// Ends the word that is being read, if there is one.
    fn end(&mut self) {
        let Some((from, class)) = self.word.take() else { return };
        let is_chained = class == Class::Plain && self.before == Some(Class::Plain);
        let is_joined = is_chained && self.has_joiners && !self.has_others && self.chain < CHAIN_WORDS;
        self.chain = if is_joined { self.chain + 1 } else { 1 };
        self.words.places.push(Place { from, to: self.words.text.len(), is_joined });
        self.before = Some(class);
        (self.has_joiners, self.has_others) = (false, false);
    }
}

/// The parts of names in camel case, as `user` of `UpdateUserPassword`: of runs that have ASCII letters alone.
pub fn parts(text: &str, mut visit: impl FnMut(String)) {
    // A hump follows a letter: without upper case, and without lower case, there is none.
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) || !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return;
    }
    for run in text.split(|c| !is_word_char(c)) {
        let bytes = run.as_bytes();
        if bytes.len() > NAME_BYTES || !bytes.iter().all(u8::is_ascii_alphabetic) {
            continue;
        }
        let is_hump = |at: &usize| {
            let next_is_small = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            bytes[*at].is_ascii_uppercase() && (bytes[at - 1].is_ascii_lowercase() || next_is_small)
        };
        let mut from = 0;
        for to in (1..bytes.len()).filter(is_hump).chain([bytes.len()]) {
            // One letter alone says nothing, and the whole run is a word anyway.
            if to - from > 1 && to - from < bytes.len() {
                visit(run[from..to].to_ascii_lowercase());
            }
            from = to;
        }
    }
}

/// A word as the index holds it: one over [`WORD_BYTES`] becomes its first bytes and a hash of the whole.
#[must_use]
pub fn indexed(word: &str) -> String {
    if word.len() <= WORD_BYTES {
        return word.to_owned();
    }
    let hash = Sha256::digest(word.as_bytes());
    let mut out = beginning(word, WORD_BYTES).to_owned();
    out.push('=');
    for byte in &hash[..16] {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

/// The beginning of a text of at most so many bytes.
#[must_use]
pub fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::{Words, indexed, parts};

    fn split(text: &str) -> Vec<String> {
        Words::of(text).iter().map(str::to_owned).collect()
    }

    fn chains(text: &str) -> Vec<String> {
        let words = Words::of(text);
        words.chains().filter(|chain| chain.len() > 1).map(|chain| words.joined(chain).to_owned()).collect()
    }

    #[test]
    fn text_of_any_script_falls_into_its_words() {
        assert_eq!(split("Update application – Certificates "), ["update", "application", "certificates"]);
        assert_eq!(split("CLEVERÁGUILA@duff.example"), ["cleveraguila", "duff", "example"]);
        assert_eq!(split("oʻzbekcha 日本語テスト ②ｘ"), ["oʻzbekcha", "日本語テスト", "2x"]);
        assert_eq!(split("a_b-c*d\u{0}e👍f"), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(split("*** 👍🏽 ❤️ \u{301}"), Vec::<String>::new());
        // Marks belong to their word, and letters of a script without blanks are words apart from others.
        assert_eq!(split("दिल्ली की दिल"), ["दिल्ली", "की", "दिल"]);
        assert_eq!(split("第3章user認証"), ["第", "3", "章", "user", "認証"]);
        assert_eq!(split("\u{301}a1\u{fe0f}\u{20e3}b"), ["a1b"]);
    }

    #[test]
    fn spellings_of_one_word_are_read_alike() {
        for (one, other) in [
            ("Straße", "STRASSE"),
            ("İstanbul", "istanbul"),
            ("ışık", "ISIK"),
            ("ΟΔΟΣ", "οδος"),
            ("Ἀθῆναι", "αθηναι"),
            ("Ёлка", "елка"),
            ("Łódź Øst Æther", "lodz ost aether"),
            ("cafe\u{301}", "CAFÉ"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("محـــمد", "محمد"),
            ("Nguyễn Đức", "nguyen duc"),
            ("ﬁle", "FILE"),
            ("naï\u{200d}ve\u{feff}", "naive"),
            ("か\u{3099}", "が"),
            ("한국", "한국"),
            ("ＡＢＣ１２", "abc12"),
        ] {
            assert_eq!(split(one), split(other), "{one}");
            assert_eq!(split(&split(one).join(" ")), split(one), "{one} is read twice");
        }
        for (one, other) in [("か", "が"), ("दिल्ली", "दिल"), ("ข่าว", "ข้าว"), ("कि", "की")]
        {
            assert_ne!(split(one), split(other), "{one}");
        }
    }

    #[test]
    fn words_that_nothing_but_joiners_part_are_a_chain() {
        assert_eq!(chains("from 10.0.0.1, usr_7 <A.b@c.example>"), ["10=0=0=1", "usr=7", "a=b=c=example"]);
        assert_eq!(
            chains("https://h.example/a-b?x=1 2001:db8::1 a - b a/b O’Neil"),
            ["h=example", "a=b", "2001=db8=1", "o=neil"]
        );
        assert_eq!(chains("user.認証.a").len(), 0);
        let many = (0..20).map(|i| i.to_string()).collect::<Vec<_>>().join(".");
        assert_eq!(chains(&many).iter().map(|chain| chain.split('=').count()).collect::<Vec<_>>(), [16, 4]);
    }

    #[test]
    fn names_in_camel_case_have_parts() {
        let parts_of = |text: &str| {
            let mut found = Vec::new();
            parts(text, |part| found.push(part));
            found
        };
        assert_eq!(parts_of("UpdateUserPassword"), ["update", "user", "password"]);
        assert_eq!(parts_of("iam:getIAMUser, aB é"), ["get", "iam", "user"]);
        for none in ["Update", "UPDATE", "update user", "Abc1Def", "éFooBar", "FooBaré"] {
            assert_eq!(parts_of(none), Vec::<String>::new(), "{none}");
        }
    }

    #[test]
    fn a_long_word_is_cut_and_still_told_from_its_twin() {
        let long = "é".repeat(32_768);
        let (one, two) = (indexed(&format!("{long}a")), indexed(&format!("{long}b")));
        assert_ne!(one, two);
        assert!(one.len() <= 240 && one.starts_with("éé"));
        assert_eq!(indexed("short"), "short");
    }
}
