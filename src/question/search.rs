//! What a person typed into the search field.

use super::sought::{InLabel, Sought};
use crate::{
    error::{Error, Result},
    event::{
        limits,
        words::{Words, is_word_char},
    },
};

/// Gives the actions and categories with a label that has words side by side, as is said.
type Labels<'a> = dyn Fn(&str, InLabel) -> (Vec<String>, Vec<String>) + 'a;

/// A parsed search: everything that is asked for must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The text as it was typed; empty where nothing is asked.
    pub text: String,
    /// What is asked for.
    pub all: Vec<Sought>,
}

/// What stands between blanks, or between quotes.
struct Token {
    words: Words,
    prefix: bool,
    is_quoted: bool,
    /// Whether there are blanks in it.
    is_phrase: bool,
}

impl Search {
    /// Reads a search text: words, `word*` beginnings, `"quoted phrases"`. What stands without blanks is one thing: its words
    /// are side by side, as those of an address, an id or an e-mail.
    ///
    /// `labelled` gives the actions and categories with a label that has some words side by side. Neighbouring words that
    /// are a whole label ask for its events, and for no others. Those that are a part of one count together: either they are in
    /// the event's label, or all are in its texts.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `search` when it is too long, has too many words, or no letter and no number.
    pub fn parse(text: &str, labelled: impl Fn(&str, InLabel) -> (Vec<String>, Vec<String>)) -> Result<Self> {
        let chars = text.chars().count();
        if chars > limits::SEARCH_CHARS {
            return Err(Error::bad_input(
                "search",
                format!("must be at most {} characters, got {chars}", limits::SEARCH_CHARS),
            ));
        }
        let (tokens, count) = tokens(text);
        if count > limits::SEARCH_WORDS {
            return Err(Error::bad_input(
                "search",
                format!("must have at most {} words, got {count}", limits::SEARCH_WORDS),
            ));
        }
        let pieces: usize = tokens.iter().map(|token| token.words.len()).sum();
        if pieces > limits::SEARCH_PIECES {
            return Err(Error::bad_input(
                "search",
                format!("must have at most {} pieces within its words, got {pieces}", limits::SEARCH_PIECES),
            ));
        }
        // A star alone, or a quotation that has only begun, asks for nothing yet.
        if tokens.is_empty() && text.contains(|c: char| !c.is_whitespace() && !matches!(c, '*' | '"')) {
            return Err(Error::bad_input("search", "must have a letter or a number to search for"));
        }
        let mut search = Self::default();
        let mut rest = tokens.as_slice();
        while !rest.is_empty() {
            let (together, after) = rest.split_at(together(rest, &labelled));
            rest = after;
            if let Some(label) = label(together, &labelled) {
                search.all.push(label);
                continue;
            }
            let (actions, categories) = labels(together, false, &labelled);
            for token in together {
                for mut sought in token.sought() {
                    (sought.actions, sought.categories) = (actions.clone(), categories.clone());
                    if !search.all.contains(&sought) {
                        search.all.push(sought);
                    }
                }
            }
        }
        if !search.is_empty() {
            text.clone_into(&mut search.text);
        }
        Ok(search)
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// What a text asks for, in order, and how many words a person would count in it.
fn tokens(text: &str) -> (Vec<Token>, usize) {
    let (mut tokens, mut count) = (Vec::new(), 0);
    // Odd pieces lie between quotes; a quote that is never closed reaches to the end.
    for (i, piece) in text.split('"').enumerate() {
        let is_quoted = i % 2 == 1;
        count += piece.split_whitespace().filter(|each| !Words::of(each).is_empty()).count();
        if is_quoted {
            let is_phrase = piece.trim().contains(char::is_whitespace);
            tokens.push(Token { words: Words::of(piece), prefix: false, is_quoted, is_phrase });
            continue;
        }
        for token in piece.split_whitespace().flat_map(|token| token.split_inclusive('*')) {
            let stem = token.strip_suffix('*');
            let prefix = stem.is_some_and(|stem| stem.chars().next_back().is_some_and(is_word_char));
            tokens.push(Token { words: Words::of(token), prefix, is_quoted, is_phrase: false });
        }
    }
    tokens.retain(|token| !token.words.is_empty());
    (tokens, count)
}

/// How many tokens at the front count together, because they stand side by side in a label; at least one.
fn together(tokens: &[Token], labelled: &Labels<'_>) -> usize {
    let mut most = 1;
    while let Some(next) = tokens.get(most)
        && !tokens[0].is_quoted
        && !next.is_quoted
        && !tokens[most - 1].prefix
        && labels(&tokens[..=most], false, labelled) != (Vec::new(), Vec::new())
    {
        most += 1;
    }
    most
}

/// The actions and categories with a label that has all words of some tokens side by side, and maybe no others.
fn labels(tokens: &[Token], whole: bool, labelled: &Labels<'_>) -> (Vec<String>, Vec<String>) {
    let words: Vec<&str> = tokens.iter().flat_map(|token| token.words.iter()).collect();
    labelled(&words.join(" "), InLabel { prefix: tokens.last().is_some_and(|token| token.prefix), whole })
}

/// What several tokens ask for if they are a whole label.
fn label(tokens: &[Token], labelled: &Labels<'_>) -> Option<Sought> {
    if tokens.len() < 2 {
        return None;
    }
    let (actions, categories) = labels(tokens, true, labelled);
    let words = tokens.iter().flat_map(|token| token.words.iter()).map(str::to_owned).collect();
    let prefix = tokens.last().is_some_and(|token| token.prefix);
    let is_some = !actions.is_empty() || !categories.is_empty();
    is_some.then_some(Sought { words, is_chain: false, prefix, is_label: true, actions, categories })
}

impl Token {
    /// What it asks for, labels aside.
    fn sought(&self) -> Vec<Sought> {
        let words: Vec<String> = self.words.iter().map(str::to_owned).collect();
        let of = |words: &[String], is_chain, prefix| Sought {
            words: words.to_vec(),
            is_chain,
            prefix,
            is_label: false,
            actions: Vec::new(),
            categories: Vec::new(),
        };
        let mut all = Vec::new();
        let chains: Vec<_> = self.words.chains().collect();
        if words.len() == 1 || (chains.len() == 1 && !self.is_phrase) {
            all.push(of(&words, words.len() > 1, self.prefix));
            return all;
        }
        all.push(of(&words, false, self.prefix));
        // Without blanks, what hangs together here hangs together there. Quoted words may be parted by anything.
        for chain in chains.into_iter().filter(|chain| chain.len() > 1 && !self.is_phrase) {
            let is_last = chain.end == words.len();
            all.push(of(&words[chain], true, self.prefix && is_last));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::{InLabel, Search, Sought};
    use crate::question::sought::Tested;

    /// What is asked for, as `word`, `a=b` of a chain and `a b` of a phrase, with a star after a beginning.
    fn parse(text: &str) -> Vec<String> {
        let search = Search::parse(text, |_, _| Default::default()).unwrap();
        let written = search.all.into_iter().map(|sought| {
            let star = if sought.prefix { "*" } else { "" };
            format!("{}{star}", sought.words.join(if sought.is_chain { "=" } else { " " }))
        });
        written.collect()
    }

    #[test]
    fn words_beginnings_and_phrases_are_told_apart() {
        assert_eq!(parse(r#"Foo-bar* "Jane Doe" x * "one" a*b x"#), ["foo=bar*", "jane doe", "x", "one", "a*", "b"]);
        assert_eq!(parse("10.0.0.1 usr_7* <A@b.example>"), ["10=0=0=1", "usr=7*", "a=b=example"]);
        assert_eq!(parse("https://h.example/a-b*"), ["https h example a b*", "h=example", "a=b*"]);
        assert_eq!(parse(r#""10.0.0.1" "10.0.0.1 x""#), ["10=0=0=1", "10 0 0 1 x"]);
        assert_eq!(parse("user認証"), ["user 認証"]);
    }

    #[test]
    fn words_of_one_label_count_together() {
        let labelled = |words: &str, how: InLabel| {
            let labels = ["created api key", "created api key of a role"];
            let is_in = how.finds(words);
            let found = labels.iter().filter(|label| is_in(&Tested::key(label)));
            (found.map(|label| format!("{}:{words}", label.len())).collect(), Vec::new())
        };
        let actions = |text: &str| {
            let search = Search::parse(text, labelled).unwrap();
            let shown =
                |sought: Sought| format!("{}{}", sought.actions.join(" "), if sought.is_label { "!" } else { "" });
            search.all.into_iter().map(shown).collect::<Vec<_>>()
        };
        // A whole label is one thing; a part of one is in its label or in its texts.
        assert_eq!(actions("created api key"), ["15:created api key!"]);
        assert_eq!(actions("Created API k*"), ["15:created api k!"]);
        assert_eq!(actions("x key of y"), ["", "25:key of", "25:key of", ""]);
        assert_eq!(actions("x API k* key"), ["", "15:api k 25:api k", "15:api k 25:api k", "15:key 25:key"]);
        assert_eq!(actions("created role"), ["15:created 25:created", "25:role"]);
        assert_eq!(actions("\"API key\" key"), ["15:api key 25:api key", "15:key 25:key"]);
        assert_eq!(actions("api-key x"), ["15:api key 25:api key", ""]);
        assert_eq!(actions("created api-key"), ["15:created api key!"]);
    }

    #[test]
    fn what_databases_choke_on_is_plain_text_here() {
        for text in [
            "",
            " ",
            "*",
            "\"",
            "\"\"\"",
            " * ",
            "(a",
            "NEAR",
            "col:",
            "👍 x",
            "'; -- a",
            "a\u{0}b",
            "AND OR NOT",
            "^x",
            "-y",
        ] {
            parse(text);
        }
        for none in ["🚀", "!!!", "(", "** \" ( 👍", "\u{301}"] {
            assert!(Search::parse(none, |_, _| Default::default()).is_err(), "{none}");
        }
    }

    #[test]
    fn limits_count_what_a_person_counts() {
        let is_read = |text: &str| Search::parse(text, |_, _| Default::default()).is_ok();
        let words = |n: usize| (0..n).map(|i| format!("w{i} ")).collect::<String>();
        assert!(is_read(&words(16)) && !is_read(&words(17)));
        assert!(is_read(&format!("\"{}\"", words(16))) && !is_read(&format!("\"{}\"", words(17))));
        assert!(!is_read(&"x".repeat(257)));
        assert!(is_read(&"a.".repeat(128)));
        assert!(is_read(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                         Chrome/120.0.6099.130 Safari/537.36 Edg/120.0.2210.91"
        ));
        // One character may stand for several words.
        assert!(!is_read(&"\u{fdfa}".repeat(60)));
    }
}
