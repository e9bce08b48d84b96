//! All products that a service serves: those built in, or those of a folder.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use super::{Door, Issuer, IssuerName, Product, ProductError, ProductErrors, parse::parse};

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

#[derive(Debug, Default)]
struct Inner {
    list: Vec<Arc<Product>>,
    by_name: HashMap<String, usize>,
    /// Those that are no patterns, by their `iss`.
    by_issuer: HashMap<String, Vec<Door>>,
    patterns: Vec<Door>,
}

impl Inner {
    fn add(&mut self, product: Arc<Product>) {
        self.by_name.insert(product.name.clone(), self.list.len());
        let development = Arc::new(Issuer::development(&product.name));
        for issuer in product.issuers.iter().chain([&development]) {
            let door = Door { product: product.clone(), issuer: issuer.clone() };
            match &issuer.name {
                IssuerName::Exact(name) => self.by_issuer.entry(name.clone()).or_default().push(door),
                IssuerName::Pattern { .. } => self.patterns.push(door),
            }
        }
        self.list.push(product);
    }
}

/// Whether tokens of two issuers could not be told apart: by the audience, or by what is required instead.
fn makes_the_same(one: &Issuer, other: &Issuer) -> bool {
    let for_both = one.audiences.iter().any(|audience| other.audiences.contains(audience));
    let by_claims = one.audiences.is_empty() && other.audiences.is_empty() && one.required == other.required;
    one.name == other.name && (for_both || by_claims)
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
        let mut inner = Inner::default();
        let mut faults = Vec::new();
        let mut issuers: Vec<(Arc<Issuer>, String)> = Vec::new();
        for (file, text) in files {
            let mut parsed = parse(&file, &text, folder);
            faults.append(&mut parsed.faults);
            for (issuer, fault) in parsed.issuers {
                if let Some((_, other)) = issuers.iter().find(|(other, _)| makes_the_same(other, &issuer)) {
                    let name = issuer.name.to_string();
                    let message = format!("{name:?} makes tokens of {other} already, for the same audience");
                    faults.push(ProductError { message, ..fault });
                }
                issuers.push((issuer, file.clone()));
            }
            if let Some(product) = parsed.product {
                inner.add(Arc::new(product));
            }
        }
        if faults.is_empty() { Ok(Self(Arc::new(inner))) } else { Err(ProductErrors(faults)) }
    }

    /// The product of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Product>> {
        self.0.by_name.get(name).and_then(|&place| self.0.list.get(place))
    }

    /// The issuers whose tokens have this `iss`, each with its product: those that are named so, then patterns.
    pub fn doors<'a>(&'a self, iss: &'a str) -> impl Iterator<Item = &'a Door> {
        let named = self.0.by_issuer.get(iss).into_iter().flatten();
        named.chain(self.0.patterns.iter().filter(move |door| door.issuer.name.is(iss)))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Product>> {
        self.0.list.iter()
    }
}
