//! What is named in a request: made once where it comes in, and trusted from there on.

use std::{
    borrow::Borrow,
    fmt::{self, Display},
    ops::Deref,
};

use serde::Serialize;

use super::{limits, text};
use crate::error::{Error, Result};

/// Why a text with NUL in it breaks a rule; half of a surrogate pair in a request's body is read as NUL.
pub(super) const UNSTORABLE: &str = "must not contain NUL (U+0000) or half of a surrogate pair";
/// Why a text that shows nothing breaks a rule.
pub(super) const BLANK: &str = "must not be empty or blank";

/// Checks a text that a database is asked for, or keeps as it is: at most `most` bytes, no NUL.
///
/// # Errors
/// `BAD_USER_INPUT` on `field`.
pub fn check_text(field: &dyn Display, text: &str, most: usize) -> Result<()> {
    if text.len() > most {
        return Err(over(field, most, "bytes", text.len()));
    }
    if text.contains('\0') {
        return Err(Error::bad_input(field.to_string(), UNSTORABLE));
    }
    Ok(())
}

/// Longest label of something that is managed, in bytes.
pub const LABEL_BYTES: usize = 256;

/// Checks what people call something that they manage.
///
/// # Errors
/// `BAD_USER_INPUT` on `label`.
pub fn check_label(label: &str) -> Result<()> {
    check_text(&"label", label, LABEL_BYTES)?;
    if label.trim().is_empty() {
        return Err(Error::bad_input("label", BLANK));
    }
    Ok(())
}

/// Checks a name that people choose from a list: so many characters at most, of which some are seen.
///
/// # Errors
/// `BAD_USER_INPUT` on `field`.
pub fn check_name(field: &dyn Display, name: &str, most: usize) -> Result<()> {
    check_id(field, name)?;
    let chars = name.chars().count();
    if chars > most { Err(over(field, most, "characters", chars)) } else { Ok(()) }
}

/// Checks an id of our own contract, which is kept whole or refused: a text of at most 2,048 bytes that shows something.
///
/// # Errors
/// `BAD_USER_INPUT` on `field`.
pub fn check_id(field: &dyn Display, id: &str) -> Result<()> {
    check_text(field, id, limits::TEXT_BYTES)?;
    if text::is_blank(id) {
        return Err(Error::bad_input(field.to_string(), BLANK));
    }
    Ok(())
}

/// Why a text or a list is too long.
pub(super) fn over(field: &dyn Display, limit: usize, unit: &str, got: usize) -> Error {
    Error::bad_input(field.to_string(), format!("must be at most {limit} {unit}, got {got}"))
}

/// A text with a rule of its own, which reads as a text.
macro_rules! name {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name! {
    /// The name of an action: printable text of 1 to 256 characters that shows something.
    ActionName
}

impl ActionName {
    /// A name as a caller sends it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `action`.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        Self::check(&name).map(|()| Self(name))
    }

    /// Whether a text is the name of an action.
    ///
    /// # Errors
    /// Those of [`ActionName::new`].
    pub fn check(name: &str) -> Result<()> {
        if text::is_blank(name) {
            return Err(Error::bad_input("action", BLANK));
        }
        let chars = name.chars().count();
        if chars > limits::ACTION_CHARS {
            return Err(over(&"action", limits::ACTION_CHARS, "characters", chars));
        }
        if let Some(c) = name.chars().find(|c| c.is_control()) {
            return Err(Error::bad_input("action", format!("must be printable text, found U+{:04X}", c as u32)));
        }
        Ok(())
    }

    /// A name that was checked when it was recorded.
    #[must_use]
    pub fn stored(name: String) -> Self {
        Self(name)
    }
}

name! {
    /// The product's own id of an organization: at most 2,048 bytes that show something.
    OrganizationId
}

impl OrganizationId {
    /// An id as a token or a caller gives it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `field`.
    pub fn new(field: &str, id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        check_id(&field, &id).map(|()| Self(id))
    }
}
