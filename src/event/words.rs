//! Words: what search finds. NFKC, then maximal runs of Unicode letters and numbers
//! (general category L* or N*), then lower case.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Version of this reading of text, stored with every event. Another one comes with a migration that adds every
/// organization to `stale_terms`, whose terms `ledgerline reindex` then makes anew. SQLite's index keeps the words of the
/// versions before, since it takes a word away only from who can say it: so those of a later version MUST begin with a
/// mark of their own, as in `=2=word`, which no word of another version and no value begins with.
pub const NORMALISER_VERSION: i16 = 1;

/// Longest word that is indexed whole, in bytes; PostgreSQL takes no lexeme over 2,047.
pub const WORD_BYTES: usize = 200;

/// Whether a character belongs to a word.
#[must_use]
pub fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || (!c.is_ascii()
            && matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number))
}

/// The words of a text, in order, whole.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let mut words = Vec::new();
    if text.is_ascii() {
        // Most texts: already in NFKC, and a byte is a character.
        let runs = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
        words.extend(runs.map(str::to_ascii_lowercase));
    } else {
        let text: String = text.nfkc().collect();
        words.extend(text.split(|c| !is_word_char(c)).filter(|run| !run.is_empty()).map(str::to_lowercase));
    }
    words.into_iter()
}

/// A word as the index holds it: one over [`WORD_BYTES`] becomes its first bytes and a hash of the whole.
#[must_use]
pub fn indexed(word: String) -> String {
    if word.len() <= WORD_BYTES {
        return word;
    }
    let hash = Sha256::digest(word.as_bytes());
    let mut out = word[..word.floor_char_boundary(WORD_BYTES)].to_owned();
    out.push('=');
    for byte in &hash[..16] {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{indexed, words};

    fn split(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn text_of_any_script_falls_into_its_words() {
        assert_eq!(split("Update application – Certificates "), ["update", "application", "certificates"]);
        assert_eq!(split("CLEVERÁGUILA@duff.example"), ["cleveráguila", "duff", "example"]);
        assert_eq!(split("oʻzbekcha 日本語テスト ②ｘ"), ["oʻzbekcha", "日本語テスト", "2x"]);
        assert_eq!(split("a_b-c*d\u{0}e👍f"), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(split("***"), Vec::<String>::new());
    }

    #[test]
    fn a_long_word_is_cut_and_still_told_from_its_twin() {
        let long = "é".repeat(32_768);
        let (one, two) = (indexed(format!("{long}a")), indexed(format!("{long}b")));
        assert_ne!(one, two);
        assert!(one.len() <= 240 && one.starts_with("éé"));
        assert_eq!(indexed("short".to_owned()), "short");
    }
}
