//! The one form of a text in which words are compared: compatibility characters are what they stand for (NFKC), case is
//! folded in full, and what only some write is left out.

use caseless::Caseless;
use unicode_normalization::{UnicodeNormalization, is_nfkc};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::scripts::has_optional_marks;

/// A text in its one form.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Whether marks belong to the character before, or are left out with all that has none.
    let mut keeps_marks = false;
    for c in text.nfkc().default_case_fold().nfd().filter(|c| !is_ignored(*c)) {
        if !c.is_ascii() && c.general_category_group() == GeneralCategoryGroup::Mark {
            if keeps_marks && c.general_category() != GeneralCategory::EnclosingMark {
                out.push(c);
            }
            continue;
        }
        keeps_marks = !has_optional_marks(c);
        match plain(c) {
            Some(letters) => out.push_str(letters),
            None => out.push(c),
        }
    }
    // Taking marks out may bring others together.
    if is_nfkc(&out) { out } else { out.nfkc().collect() }
}

/// Letters with a stroke, and two in one, as they are typed where the keyboard has none. No normalisation parts them.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ø' => "o",
        'ł' => "l",
        'đ' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        _ => return None,
    })
}

/// Characters that say how to show their neighbours and nothing else, and the stroke that makes Arabic words longer.
fn is_ignored(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{640}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
        | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}
