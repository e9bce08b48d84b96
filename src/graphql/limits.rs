//! What async-graphql leaves to the application before it executes: limits before and around its recursive parser, and
//! literals of a document that it would change.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use async_graphql::{
    Pos, Positioned,
    parser::types::{Directive, ExecutableDocument, Selection, SelectionSet},
};

use super::flaw;
use crate::{
    error::{Error, Result},
    event::json,
};

/// Deepest brackets of a document's text. The parser is recursive: nested brackets would overflow its stack.
const NESTING: usize = 40;
/// Deepest selection.
const DEPTH: u32 = 12;
/// Deepest selection of a document that asks for the schema alone.
pub const INTROSPECTION_DEPTH: u32 = 20;
/// Most selections with fragments expanded; the library would visit each.
pub const SELECTIONS: u64 = 5_000;
/// Most root fields, aliases included: each may be a query of its own.
const ROOT_FIELDS: usize = 50;
/// What a count of a whole list is told from what is selected of its events by, while costs are added up.
pub const COUNTED: usize = 1 << 32;
/// Cost of a count of a whole list: as of some hundred selected fields.
pub const COUNT_COST: usize = 300;
/// Highest cost: page size times selected fields, and that of counts.
pub const COST: usize = 20_000;
/// Deepest chain of fragments.
const FRAGMENT_CHAIN: u32 = 64;
/// Most arguments of one field or directive, and most variables of an operation: the library looks through them for each
/// of them.
const NAMED: usize = 100;

/// Scans a document's text before it is parsed: bracket depth, and literals that JSON would change.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`, or `BAD_USER_INPUT` for a number or a key that would be lost.
pub fn check_text(text: &str) -> Result<()> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    let mut open: Vec<Open> = Vec::new();
    let mut last_name: Option<&str> = None;
    while let Some(token) = scan.next() {
        match token {
            Token::Open(bracket) => {
                if open.len() == NESTING {
                    return Err(Error::TooComplex(format!("the document nests brackets more than {NESTING} deep")));
                }
                let value = open.last().is_some_and(|outer| outer.value) || bracket == b'(';
                open.push(Open { value, keys: (value && bracket == b'{').then(HashSet::new) });
            }
            Token::Close => {
                open.pop();
            }
            Token::Colon => {
                if let (Some(name), Some(Open { keys: Some(keys), .. })) = (last_name, open.last_mut())
                    && !keys.insert(name.to_owned())
                {
                    return Err(Error::bad_input(name, "must stand once in its object"));
                }
            }
            Token::Number(number) if !json::number_survives(number) => {
                return Err(flaw::lossy("query", number));
            }
            _ => {}
        }
        last_name = match token {
            Token::Name(name) => Some(name),
            _ => None,
        };
    }
    Ok(())
}

/// Whether brackets are inside arguments, and the keys of an object value.
struct Open {
    value: bool,
    keys: Option<HashSet<String>>,
}

enum Token<'a> {
    Open(u8),
    Close,
    Colon,
    Name(&'a str),
    Number(&'a str),
    /// A string, quotes included.
    String(&'a str),
    Other,
}

/// A lexer for GraphQL that knows just enough to skip strings and comments.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.at < self.bytes.len() && keep(self.bytes[self.at]) {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default()
    }

    fn skip_string(&mut self) {
        if self.bytes[self.at..].starts_with(b"\"\"\"") {
            self.at += 3;
            while self.at < self.bytes.len() && !self.bytes[self.at..].starts_with(b"\"\"\"") {
                self.at += if self.bytes[self.at..].starts_with(b"\\\"\"\"") { 4 } else { 1 };
            }
            self.at += 3;
            return;
        }
        self.at += 1;
        while self.at < self.bytes.len() && !matches!(self.bytes[self.at], b'"' | b'\n') {
            self.at += if self.bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }

    fn next(&mut self) -> Option<Token<'a>> {
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            match byte {
                b'#' => {
                    self.take_while(|b| b != b'\n' && b != b'\r');
                }
                b'"' => {
                    let start = self.at;
                    self.skip_string();
                    let token = self.bytes.get(start..self.at).and_then(|token| std::str::from_utf8(token).ok());
                    return Some(token.map_or(Token::Other, Token::String));
                }
                b'{' | b'[' | b'(' => {
                    self.at += 1;
                    return Some(Token::Open(byte));
                }
                b'}' | b']' | b')' => {
                    self.at += 1;
                    return Some(Token::Close);
                }
                b':' => {
                    self.at += 1;
                    return Some(Token::Colon);
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                    return Some(Token::Name(self.take_while(|b| b == b'_' || b.is_ascii_alphanumeric())));
                }
                b'-' | b'0'..=b'9' => {
                    let start = self.at;
                    self.at += 1;
                    self.take_while(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
                    return Some(Token::Number(std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default()));
                }
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                _ => {
                    self.at += 1;
                    return Some(Token::Other);
                }
            }
        }
        None
    }
}

/// Selections below a place, fragments expanded, and how deep they go.
#[derive(Clone, Copy, Default)]
struct Extent {
    selections: u64,
    depth: u32,
}

/// Checks a parsed document, in time linear in its text: the library would walk expanded fragments.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` naming the limit.
pub fn check_document(document: &ExecutableDocument) -> Result<()> {
    let mut known = HashMap::new();
    let mut total = Extent::default();
    for (_, operation) in document.operations.iter() {
        let set = &operation.node.selection_set.node;
        few("variables", operation.node.variable_definitions.len())?;
        few_arguments(&operation.node.directives)?;
        if set.items.len() > ROOT_FIELDS {
            return Err(Error::TooComplex(format!("the operation selects more than {ROOT_FIELDS} root fields")));
        }
        let extent = extent(document, set, &mut known, 0)
            .ok_or_else(|| Error::TooComplex(format!("fragments form a cycle, or a chain over {FRAGMENT_CHAIN}")))?;
        total.selections = total.selections.saturating_add(extent.selections);
        total.depth = total.depth.max(extent.depth);
        check_arguments(set)?;
    }
    for fragment in document.fragments.values() {
        few_arguments(&fragment.node.directives)?;
        check_arguments(&fragment.node.selection_set.node)?;
    }
    if total.selections > SELECTIONS {
        return Err(Error::TooComplex(format!(
            "the document expands to {} selections, at most {SELECTIONS} are allowed",
            total.selections
        )));
    }
    let deepest = if is_introspection(document) { INTROSPECTION_DEPTH } else { DEPTH };
    if total.depth > deepest {
        return Err(Error::TooComplex(format!(
            "the document selects {} levels deep, at most {deepest} are allowed",
            total.depth
        )));
    }
    Ok(())
}

/// Checks how many arguments and directives each selection has.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`.
fn check_arguments(set: &SelectionSet) -> Result<()> {
    for item in &set.items {
        let (directives, inside) = match &item.node {
            Selection::Field(field) => {
                few("arguments", field.node.arguments.len())?;
                (&field.node.directives, Some(&field.node.selection_set.node))
            }
            Selection::InlineFragment(fragment) => (&fragment.node.directives, Some(&fragment.node.selection_set.node)),
            Selection::FragmentSpread(spread) => (&spread.node.directives, None),
        };
        few_arguments(directives)?;
        inside.map_or(Ok(()), check_arguments)?;
    }
    Ok(())
}

fn few_arguments(directives: &[Positioned<Directive>]) -> Result<()> {
    few("directives", directives.len())?;
    directives.iter().try_for_each(|directive| few("arguments", directive.node.arguments.len()))
}

fn few(what: &str, count: usize) -> Result<()> {
    if count <= NAMED {
        return Ok(());
    }
    Err(Error::TooComplex(format!("there are {count} {what} in one place, at most {NAMED} are allowed")))
}

/// A fragment that no operation spreads, and where it stands. GraphQL has none (section 5.5.1.4); the library finds that out
/// after it has walked from each fragment to those below it, which no limit holds for that begins with an operation.
#[must_use]
pub fn unused_fragment(document: &ExecutableDocument) -> Option<(&str, Pos)> {
    let (mut used, mut next) = (HashSet::new(), Vec::new());
    document.operations.iter().for_each(|(_, operation)| spreads(&operation.node.selection_set.node, &mut next));
    while let Some(name) = next.pop() {
        if let Some(fragment) = document.fragments.get(name)
            && used.insert(name)
        {
            spreads(&fragment.node.selection_set.node, &mut next);
        }
    }
    let mut unused = document.fragments.iter().filter(|(name, _)| !used.contains(name.as_str()));
    unused.next().map(|(name, fragment)| (name.as_str(), fragment.pos))
}

fn spreads<'d>(set: &'d SelectionSet, found: &mut Vec<&'d str>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => spreads(&field.node.selection_set.node, found),
            Selection::InlineFragment(fragment) => spreads(&fragment.node.selection_set.node, found),
            Selection::FragmentSpread(spread) => found.push(spread.node.fragment_name.node.as_str()),
        }
    }
}

fn extent<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    known: &mut HashMap<&'a str, Option<Extent>>,
    chain: u32,
) -> Option<Extent> {
    if chain > FRAGMENT_CHAIN {
        return None;
    }
    let mut sum = Extent::default();
    for item in &set.items {
        let (inner, own_depth) = match &item.node {
            Selection::Field(field) => (extent(document, &field.node.selection_set.node, known, chain + 1)?, 1),
            Selection::InlineFragment(fragment) => {
                (extent(document, &fragment.node.selection_set.node, known, chain + 1)?, 0)
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match (known.get(name), document.fragments.get(name)) {
                    (Some(Some(extent)), _) => (*extent, 0),
                    // A fragment that is being walked spreads itself.
                    (Some(None), _) => return None,
                    // Validation reports the unknown fragment.
                    (None, None) => (Extent::default(), 0),
                    (None, Some(fragment)) => {
                        known.insert(name, None);
                        let inner = extent(document, &fragment.node.selection_set.node, known, chain + 1)?;
                        known.insert(name, Some(inner));
                        (inner, 0)
                    }
                }
            }
        };
        sum.selections = sum.selections.saturating_add(inner.selections).saturating_add(1);
        sum.depth = sum.depth.max(inner.depth + own_depth);
    }
    Some(sum)
}

/// Whether every root field asks for the schema.
fn is_introspection(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| {
        operation.node.selection_set.node.items.iter().all(|item| match &item.node {
            Selection::Field(field) => field.node.name.node.starts_with("__"),
            _ => false,
        })
    })
}

/// A field that asks for the schema, wherever in the document it stands. `__typename` is none.
#[must_use]
pub fn introspected_field(document: &ExecutableDocument) -> Option<&str> {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).find_map(introspected_in)
}

fn introspected_in(set: &SelectionSet) -> Option<&str> {
    set.items.iter().find_map(|item| match &item.node {
        Selection::Field(field) => {
            let name = field.node.name.node.as_str();
            let asks = ["__schema", "__type"].contains(&name);
            if asks { Some(name) } else { introspected_in(&field.node.selection_set.node) }
        }
        Selection::InlineFragment(fragment) => introspected_in(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => None,
    })
}

/// The document with every escaped surrogate pair as the character that it is, and half of one as NUL, which every
/// field has its own answer to: the library's parser panics at both.
#[must_use]
pub fn without_surrogates(text: &str) -> Cow<'_, str> {
    let is_surrogate = |place: usize| {
        let escape = &text.as_bytes()[place..];
        matches!(escape.get(2..4), Some([b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F']))
    };
    if !text.match_indices("\\u").any(|(place, _)| is_surrogate(place)) {
        return Cow::Borrowed(text);
    }
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    while let Some(token) = scan.next() {
        // In a block string a backslash is a character.
        if let Token::String(string) = token
            && !string.starts_with("\"\"\"")
        {
            out.push_str(&text[copied..scan.at - string.len()]);
            push_without_surrogates(string, &mut out);
            copied = scan.at;
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

fn push_without_surrogates(string: &str, out: &mut String) {
    let unit = |at: usize| {
        let digits = string.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok().filter(|unit| (0xD800..0xE000).contains(unit))
    };
    let mut chars = string.char_indices();
    while let Some((at, c)) = chars.next() {
        let Some(first) = unit(at) else {
            out.push(c);
            // What a backslash escapes, another backslash above all, begins nothing.
            if c == '\\'
                && let Some((_, escaped)) = chars.next()
            {
                out.push(escaped);
            }
            continue;
        };
        let pair = unit(at + 6).and_then(|second| char::decode_utf16([first, second]).next()?.ok());
        match pair {
            Some(c) => out.push(c),
            None => out.push_str("\\u0000"),
        }
        chars.nth(if pair.is_some() { 10 } else { 4 });
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let deep = "[".repeat(100);
        check_text(&format!("{{ a(b: \"{deep}\", c: \"\"\"{deep} \\\"\"\" {deep}\"\"\") # {deep}\n }}")).unwrap();
        assert!(check_text(&format!("{{ a(b: {deep}")).is_err());
        check_text(&"[".repeat(39)).unwrap();
    }

    #[test]
    fn escaped_surrogates_are_characters_or_nul() {
        for (text, without) in [
            (r#"{ a(b: "\u00e9 \ud83d\uDE00!") }"#, "{ a(b: \"\\u00e9 😀!\") }"),
            (r#"{ a(b: "\ud83d", c: "x\udc00\ud83d") }"#, r#"{ a(b: "\u0000", c: "x\u0000\u0000") }"#),
            (r#"{ a(b: "\ud83d\ud83d\ude00é\"") # \ud83d" }"#, "{ a(b: \"\\u0000😀é\\\"\") # \\ud83d\" }"),
            (r#"{ a(b: "\\ud83d", c: """\ud83d""") }"#, r#"{ a(b: "\\ud83d", c: """\ud83d""") }"#),
            (r#"{ a(b: "\ud83d"#, r#"{ a(b: "\ud83d"#),
            (r#"{ a(b: "\ud83d\"#, r#"{ a(b: "\ud83d\"#),
            ("{ a(b: \"\\é\\ud8", "{ a(b: \"\\é\\ud8"),
        ] {
            assert_eq!(without_surrogates(text), without, "{text}");
        }
        parse_query(without_surrogates(r#"{ a(b: "\ud83d", c: "\ud83d\ude00") }"#)).unwrap();
    }

    #[test]
    fn literals_that_would_be_lost_are_refused() {
        check_text("{ a1(b2: {x: 1, y: {x: 2.50}}, c: {x: -3}) { x: y x: y } }").unwrap();
        assert!(check_text("{ a(b: {x: 1, x: 2}) }").unwrap_err().to_string().contains('x'));
        assert!(check_text("{ a(b: {x: 12345678901234567890123}) }").is_err());
    }

    #[test]
    fn fragments_are_counted_as_expanded_and_in_linear_time() {
        let check = |text: &str| check_document(&parse_query(text).unwrap());
        check("{ a ...F } fragment F on Query { b c }").unwrap();
        check("{ ...F } fragment F on Query { ...F }").unwrap_err();
        let bomb: String = (0..60).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1)).collect();
        let error = check(&format!("{{ ...F0 }} {bomb} fragment F60 on Query {{ v }}")).unwrap_err();
        assert!(matches!(error, Error::TooComplex(_)));
        check(&format!("{{ {} }}", (0..51).map(|i| format!("a{i}: v ")).collect::<String>())).unwrap_err();
        check(&format!("{}v{}", "{ a ".repeat(13), "}".repeat(13))).unwrap_err();
        check(&format!("{{ __schema {}v{} }}", "{ a ".repeat(13), "}".repeat(13))).unwrap();
    }

    #[test]
    fn a_fragment_that_no_operation_spreads_is_found_without_walking_down_from_it() {
        let unused =
            |text: &str| unused_fragment(&parse_query(text).unwrap()).map(|(name, at)| (name.to_owned(), at.line));
        assert_eq!(unused("{ a { ... on A { ...F } } } fragment F on A { b { ...G } } fragment G on B { c }"), None);
        assert_eq!(unused("{ a }\nfragment F on A { b }"), Some(("F".to_owned(), 2)));
        assert_eq!(unused("{ ...F }\nfragment F on A { b }\nfragment G on A { ...G }"), Some(("G".to_owned(), 3)));
        let chain: String = (0..50_000).map(|i| format!("fragment F{i} on Query {{ ...F{} }} ", i + 1)).collect();
        assert!(unused(&format!("{{ a }} {chain}")).is_some());
    }

    #[test]
    fn what_stands_in_one_place_is_bounded_in_number() {
        let check = |text: &str| check_document(&parse_query(text).unwrap());
        let many = |count: usize, one: &str| (0..count).map(|i| one.replace('#', &i.to_string())).collect::<String>();
        for (text, one) in [
            ("{ a(%) { b } }", "x#: 1 "),
            ("{ a { ... on A @b(%) { c } } }", "x#: 1 "),
            ("{ ...F } fragment F on A { b(%) }", "x#: 1 "),
            ("{ a % }", "@b# "),
            ("query(%) { a }", "$x#: Int "),
        ] {
            check(&text.replace('%', &many(NAMED, one))).unwrap();
            let error = check(&text.replace('%', &many(NAMED + 1, one))).unwrap_err();
            assert!(matches!(error, Error::TooComplex(_)), "{text}");
        }
    }
}
