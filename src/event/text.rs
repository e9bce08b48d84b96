//! Texts that people see: which ones show nothing, and what fits.

/// Whether a text shows nothing: it is empty, or has nothing but blanks and characters that nobody sees.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

fn is_invisible(c: char) -> bool {
    // NUL is no blank: it is replaced by a character that is seen.
    (c.is_whitespace() || c.is_control() && c != '\0')
        || matches!(c,
            // Unicode's Default_Ignorable_Code_Point, and the one symbol that is a blank by its name (braille).
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn what_nobody_sees_is_blank() {
        for blank in [
            "",
            " ",
            "\n\t\r",
            "\u{a0}\u{3000}\u{2028}",
            "\u{200b}",
            "\u{feff}\u{2060}\u{ad}",
            "\u{3164}",
            "\u{7f}\u{85}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for seen in ["-", " a ", "\u{200b}b", "\0", "\u{fffd}", "ㅤx", "0", "\u{6dd}", "👍\u{fe0f}"] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }
}
