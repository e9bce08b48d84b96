//! What the reading of words has to know of scripts.

/// Whether a letter is of a script that leaves no blanks between words, or, as Korean, lets words grow together: Han, kana,
/// bopomofo, hangul, Thai, Lao, Burmese and Khmer. Such words are found inside of a run.
#[must_use]
pub fn is_dense_char(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{303c}'
        | '\u{3041}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}' | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{1aff0}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a word is of such a script: all of its letters are then.
#[must_use]
pub fn is_dense(word: &str) -> bool {
    word.chars().next().is_some_and(is_dense_char)
}

/// Whether marks after a character tell words apart: vowels and tones of the scripts of India and its neighbours.
/// Chinese, Japanese and Korean letters have theirs in them, and what is left after them is decoration.
#[must_use]
pub fn takes_marks(c: char) -> bool {
    !is_dense_char(c)
        || ('\u{e00}'..='\u{17ff}').contains(&c) && !('\u{1100}'..='\u{11ff}').contains(&c)
        || ('\u{a9e0}'..='\u{aa7f}').contains(&c)
}

/// Whether words are written with and without the marks of a letter: accents of Latin, Greek and Cyrillic, points of Hebrew
/// and vowels of Arabic. What is no letter has no marks that count.
pub(super) fn has_optional_marks(c: char) -> bool {
    c < '\u{700}'
        || matches!(c,
            '\u{750}'..='\u{77f}' | '\u{860}'..='\u{8ff}' | '\u{1c80}'..='\u{1c8f}' | '\u{1d00}'..='\u{2fff}'
            | '\u{a640}'..='\u{a69f}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}' | '\u{fb00}'..='\u{feff}')
}

/// The characters of a word with the marks that belong to each.
#[must_use]
pub fn clusters(word: &str) -> Vec<&str> {
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
    let is_mark = |c: char| !c.is_ascii() && c.general_category_group() == GeneralCategoryGroup::Mark;
    let mut starts: Vec<usize> = word.char_indices().filter(|(_, c)| !is_mark(*c)).map(|(at, _)| at).collect();
    starts.push(word.len());
    starts.windows(2).map(|two| &word[two[0]..two[1]]).collect()
}
