//! What of an event is masked: the first that is done with it, so that no secret is stored, indexed or hashed.

use super::{Metadata, RecordInput, marks::Marks};
use crate::event::masking::{Addresses, Masking, is_taken_out, shortened};

/// What takes the place of what the product masks.
#[derive(Debug)]
pub struct Masked {
    metadata: Option<Metadata>,
    /// The address, where it is another one or none.
    ip_address: Option<Option<String>>,
    paths: Vec<String>,
}

impl RecordInput {
    /// Finds what the product masks. `digest` makes the text that takes the place of a secret.
    ///
    /// Strict callers are refused nothing: it is the product that masks, and no fault of the event.
    pub fn masked(&self, metadata: &Metadata, masking: &Masking, digest: &mut dyn FnMut(&[u8]) -> String) -> Masked {
        let mut marks = Marks::new(false);
        // Not strict: a mark cannot be refused.
        let mut note = |path: String| drop(marks.note(path, String::new));
        let text = metadata.with_others(&|key| masking.is_secret(key), &mut |path, secret| {
            if std::str::from_utf8(secret).is_ok_and(is_taken_out) {
                return None;
            }
            note(format!("metadata.{path}"));
            Some(digest(secret))
        });
        let ip_address = self.ip_address.as_ref().and_then(|address| {
            let kept = match masking.addresses {
                Addresses::Keep => return None,
                Addresses::Shorten => shortened(address),
                Addresses::Omit => None,
            };
            (kept.as_ref() != Some(address)).then_some(kept)
        });
        if ip_address.is_some() {
            note("ipAddress".to_owned());
        }
        Masked { metadata: text.map(|text| Metadata::read(Some(text))), ip_address, paths: marks.into_paths() }
    }
}

impl Masked {
    /// Whether nothing is masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Puts it in its place; the paths of what was masked.
    pub fn put(self, input: &mut RecordInput, metadata: &mut Metadata) -> Vec<String> {
        if let Some(masked) = self.metadata {
            *metadata = masked;
        }
        if let Some(address) = self.ip_address {
            input.ip_address = address;
        }
        self.paths
    }
}
