//! Documents that are asked again and again, parsed once: a client sends the same few for every page.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use moka::sync::Cache;

/// Bytes of text of all documents that are kept. Parsed, each is up to a hundred times as large.
const TEXT: u64 = 256 * 1024;
/// Longest text that is kept; longer ones carry their data in them and will not come again.
const LONGEST: usize = 16 * 1024;

/// Parsed documents by their text. Only those within the limits of a document are kept; what depends on variables,
/// operation or caller is checked for every request.
#[derive(Clone)]
pub struct Documents(Cache<String, Arc<ExecutableDocument>>);

impl Default for Documents {
    fn default() -> Self {
        let weight = |text: &String, _: &Arc<ExecutableDocument>| u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weight).max_capacity(TEXT).build())
    }
}

impl Documents {
    /// The document of a text, read by `read` unless it is known.
    ///
    /// # Errors
    /// Why `read` refuses the text; a refused text is not kept.
    pub fn get<E>(
        &self,
        text: &str,
        read: impl FnOnce(&str) -> Result<ExecutableDocument, E>,
    ) -> Result<Arc<ExecutableDocument>, E> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        let document = Arc::new(read(text)?);
        if text.len() <= LONGEST {
            self.0.insert(text.to_owned(), document.clone());
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_known_document_is_not_read_again_and_a_refused_one_is() {
        let documents = Documents::default();
        let first = documents.get("{ a }", |text| parse_query(text)).expect("it parses");
        let again = documents.get("{ a }", |_| Err(())).expect("it is known");
        assert!(Arc::ptr_eq(&first, &again));
        documents.get("{ a", |text| parse_query(text)).unwrap_err();
        documents.get("{ a", |_| Err(())).unwrap_err();
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let documents = Documents::default();
        let long = format!("{{ a }} # {}", "x".repeat(LONGEST));
        documents.get(&long, |text| parse_query(text)).expect("it parses");
        documents.get(&long, |_| Err(())).expect_err("it is too long to be kept");
        for i in 0..1_000 {
            documents.get(&format!("{{ a{i} }} # {}", "x".repeat(1_000)), |text| parse_query(text)).expect("it parses");
        }
        documents.0.run_pending_tasks();
        assert!(documents.0.weighted_size() <= TEXT, "{}", documents.0.weighted_size());
    }
}
