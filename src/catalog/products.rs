//! All products that a service serves: those built in, or those of a folder.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use super::{Product, ProductError, ProductErrors, parse::parse};

/// The files of `products/`, as they were when this was built.
const BUILT_IN: [(&str, &str); 5] = [
    ("caputchin.toml", include_str!("../../products/caputchin.toml")),
    ("cloud-sessions.toml", include_str!("../../products/cloud-sessions.toml")),
    ("workspace.toml", include_str!("../../products/workspace.toml")),
    ("scim-platform.toml", include_str!("../../products/scim-platform.toml")),
    ("capydb.toml", include_str!("../../products/capydb.toml")),
];

/// All products. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Products(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    list: Vec<Arc<Product>>,
    by_name: HashMap<String, usize>,
    by_issuer: HashMap<String, usize>,
}

impl Products {
    /// The five that come with the service.
    ///
    /// # Panics
    /// Where one of them is at fault, which a test rules out.
    #[must_use]
    pub fn built_in() -> Self {
        Self::read(BUILT_IN.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())), None)
            .expect("the built-in products are sound")
    }

    /// Those of a folder: every file that ends in `.toml`, in the order of their names.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn load(dir: &Path) -> Result<Self, ProductErrors> {
        let of_dir = |error: std::io::Error| {
            ProductErrors(vec![ProductError::of_file(dir.display().to_string(), format!("cannot be read: {error}"))])
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir).map_err(of_dir)? {
            let path = entry.map_err(of_dir)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(ProductErrors(vec![ProductError::of_file(
                dir.display().to_string(),
                "has no product: no file ends in .toml",
            )]));
        }
        let mut unreadable = Vec::new();
        let mut texts = Vec::new();
        for path in paths {
            let file = path.display().to_string();
            match fs::read_to_string(&path) {
                Ok(text) => texts.push((file, text)),
                Err(error) => unreadable.push(ProductError::of_file(file, format!("cannot be read: {error}"))),
            }
        }
        match Self::read(texts, Some(dir)) {
            Ok(products) if unreadable.is_empty() => Ok(products),
            Ok(_) => Err(ProductErrors(unreadable)),
            Err(ProductErrors(faults)) => Err(ProductErrors(unreadable.into_iter().chain(faults).collect())),
        }
    }

    /// Reads files by name and text.
    pub(super) fn read(
        files: impl IntoIterator<Item = (String, String)>,
        folder: Option<&Path>,
    ) -> Result<Self, ProductErrors> {
        let mut inner = Inner { list: Vec::new(), by_name: HashMap::new(), by_issuer: HashMap::new() };
        let mut faults = Vec::new();
        let mut issuers: HashMap<String, String> = HashMap::new();
        for (file, text) in files {
            let mut parsed = parse(&file, &text, folder);
            faults.append(&mut parsed.faults);
            if let Some((issuer, fault)) = parsed.issuer {
                // The issuer alone decides which product a token is for.
                match issuers.get(&issuer) {
                    Some(other) => faults.push(ProductError {
                        message: format!("{issuer:?} is the issuer of {other} already"),
                        ..fault
                    }),
                    None => _ = issuers.insert(issuer, file),
                }
            }
            if let Some(product) = parsed.product {
                inner.by_name.insert(product.name.clone(), inner.list.len());
                inner.by_issuer.insert(product.issuer.clone(), inner.list.len());
                inner.list.push(Arc::new(product));
            }
        }
        if faults.is_empty() { Ok(Self(Arc::new(inner))) } else { Err(ProductErrors(faults)) }
    }

    /// The product of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Product>> {
        self.0.by_name.get(name).and_then(|&place| self.0.list.get(place))
    }

    /// The product whose tokens a given issuer makes.
    #[must_use]
    pub fn by_issuer(&self, issuer: &str) -> Option<&Arc<Product>> {
        self.0.by_issuer.get(issuer).and_then(|&place| self.0.list.get(place))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Product>> {
        self.0.list.iter()
    }
}
