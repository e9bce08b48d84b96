//! Words as version 1 of the normaliser read them: NFKC, then maximal runs of letters and numbers, then lower case. The index
//! of SQLite has to be told them to lose them.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The words of a text, as the index held them.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let is_word_char =
        |c: char| matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number);
    let text: String = text.nfkc().collect();
    let runs = text.split(|c| !is_word_char(c)).filter(|run| !run.is_empty());
    runs.map(|run| super::indexed(&run.to_lowercase())).collect::<Vec<_>>().into_iter()
}
