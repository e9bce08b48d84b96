//! What a person typed into the search field.

use crate::{
    error::{Error, Result},
    event::{limits, words},
};

/// Gives the actions and categories whose label has a word, or one that begins so.
type Labels<'a> = dyn Fn(&str, bool) -> (Vec<String>, Vec<String>) + 'a;

/// A parsed search: every asked word must occur, and every phrase inside one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The text as it was typed; empty where no word is asked.
    pub text: String,
    /// The asked words; those of phrases are among them.
    pub words: Vec<Asked>,
    /// Words that must stand side by side in one value.
    pub phrases: Vec<Vec<String>>,
}

/// One asked word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The word in lower case.
    pub word: String,
    /// Whether words that only begin with it count.
    pub prefix: bool,
    /// Actions that count because their label has the word.
    pub actions: Vec<String>,
    /// Categories that count because their label has the word.
    pub categories: Vec<String>,
}

impl Search {
    /// Reads a search text: words, `word*` prefixes, `"quoted phrases"`; anything else separates words.
    /// `labelled` gives the actions and categories whose label has a word.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `search` when it is too long or has too many words.
    pub fn parse(text: &str, labelled: impl Fn(&str, bool) -> (Vec<String>, Vec<String>)) -> Result<Self> {
        let chars = text.chars().count();
        if chars > limits::SEARCH_CHARS {
            return Err(Error::bad_input(
                "search",
                format!("must be at most {} characters, got {chars}", limits::SEARCH_CHARS),
            ));
        }
        let mut search = Self::default();
        // Odd pieces lie between quotes; a quote that is never closed reaches to the end.
        for (i, piece) in text.split('"').enumerate() {
            if i % 2 == 1 {
                let phrase: Vec<String> = words::words(piece).collect();
                for word in &phrase {
                    search.ask(word.clone(), false, &|_, _| Default::default());
                }
                if phrase.len() > 1 {
                    search.phrases.push(phrase);
                }
                continue;
            }
            for token in piece.split_inclusive('*') {
                let mut found: Vec<String> = words::words(token).collect();
                let stem = token.strip_suffix('*');
                let prefix = stem.is_some_and(|stem| stem.chars().next_back().is_some_and(words::is_word_char));
                let last = if prefix { found.pop() } else { None };
                for word in found {
                    search.ask(word, false, &labelled);
                }
                if let Some(word) = last {
                    search.ask(word, true, &labelled);
                }
            }
        }
        if search.words.len() > limits::SEARCH_WORDS {
            return Err(Error::bad_input(
                "search",
                format!("must have at most {} words, got {}", limits::SEARCH_WORDS, search.words.len()),
            ));
        }
        if !search.is_empty() {
            text.clone_into(&mut search.text);
        }
        Ok(search)
    }

    fn ask(&mut self, word: String, prefix: bool, labelled: &Labels<'_>) {
        if self.words.iter().any(|asked| {
            asked.word == word && asked.prefix == prefix && asked.actions.is_empty() && asked.categories.is_empty()
        }) {
            return;
        }
        let (actions, categories) = labelled(&word, prefix);
        self.words.push(Asked { word, prefix, actions, categories });
    }

    /// The asked word, where there is one, and no phrase.
    #[must_use]
    pub fn one_word(&self) -> Option<&Asked> {
        match self.words.as_slice() {
            [asked] if self.phrases.is_empty() => Some(asked),
            _ => None,
        }
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    fn parse(text: &str) -> (Vec<(String, bool)>, Vec<Vec<String>>) {
        let search = Search::parse(text, |_, _| Default::default()).unwrap();
        (search.words.into_iter().map(|a| (a.word, a.prefix)).collect(), search.phrases)
    }

    #[test]
    fn words_prefixes_and_phrases_are_told_apart() {
        let (words, phrases) = parse(r#"Foo-bar* "Jane Doe" x * "one" a*b"#);
        let expected = [
            ("foo", false),
            ("bar", true),
            ("jane", false),
            ("doe", false),
            ("x", false),
            ("one", false),
            ("a", true),
            ("b", false),
        ];
        assert_eq!(words, expected.map(|(w, p)| (w.to_owned(), p)));
        assert_eq!(phrases, [["jane", "doe"]]);
    }

    #[test]
    fn what_databases_choke_on_is_plain_text_here() {
        for text in ["\"", "*", "(", "NEAR", "col:", "👍", "'; --", "\"\"\"", "a\u{0}b", "AND OR NOT", "^x", "-y"] {
            parse(text);
        }
        assert_eq!(parse("** \" ( 👍").0, []);
        assert!(Search::parse(&"x".repeat(257), |_, _| Default::default()).is_err());
        assert!(Search::parse(&"ä ".repeat(17).replace("ä", "a b"), |_, _| Default::default()).is_ok());
        let seventeen: String = (0..17).map(|i| format!("w{i} ")).collect();
        assert!(Search::parse(&seventeen, |_, _| Default::default()).is_err());
    }
}
