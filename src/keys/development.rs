//! Development keys: a random secret a product, in a folder beside the database. `demo` and `token` make them;
//! `serve` believes them only when told to.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::file::{create, create_folder, random_text};
use crate::{
    auth::{Claims, VerifyingKey, token},
    catalog::{Product, Products},
    error::{Error, Result},
};

/// Key id of development tokens, so that a service which does not know such keys looks for no other.
const KID: &str = "development";

/// A development key that cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("development key {}: {reason}", path.display())]
pub struct DevelopmentKeyError {
    path: PathBuf,
    reason: String,
}

/// The development keys of products, by name.
#[derive(Clone)]
pub struct DevelopmentKeys(BTreeMap<String, Secret>);

#[derive(Clone)]
struct Secret {
    text: String,
    key: VerifyingKey,
}

impl DevelopmentKeys {
    /// The keys of a folder; those that are missing are made, the folder too.
    ///
    /// # Errors
    /// The first file that cannot be read or made.
    pub fn open_or_create(dir: &Path, products: &Products) -> Result<Self, DevelopmentKeyError> {
        create_folder(dir).map_err(|error| at(dir, &error))?;
        for product in products.iter() {
            let path = path_of(dir, product);
            if !path.exists() {
                random_text().and_then(|text| create(&path, &text)).map_err(|error| at(&path, &error))?;
            }
        }
        Self::open(dir, products)
    }

    /// The keys that a folder has; a product may be without one.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub fn open(dir: &Path, products: &Products) -> Result<Self, DevelopmentKeyError> {
        let mut secrets = BTreeMap::new();
        for product in products.iter() {
            let path = path_of(dir, product);
            let text = match fs::read_to_string(&path) {
                Ok(text) => text.trim_end().to_owned(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(at(&path, &error)),
            };
            let key = VerifyingKey::secret(Some(KID.to_owned()), text.as_bytes()).map_err(|fault| at(&path, &fault))?;
            secrets.insert(product.name.clone(), Secret { text, key });
        }
        Ok(Self(secrets))
    }

    /// The key of a product, if it has one.
    #[must_use]
    pub fn key(&self, product: &str) -> Option<VerifyingKey> {
        self.0.get(product).map(|secret| secret.key.clone())
    }

    /// Makes a token of a product.
    ///
    /// # Errors
    /// `NOT_FOUND` for a product without a key, `INTERNAL` where the claims do not become JSON.
    pub fn sign(&self, product: &str, claims: &Claims) -> Result<String> {
        let secret =
            self.0.get(product).ok_or_else(|| Error::NotFound(format!("there is no development key of {product}")))?;
        token::sign(secret.text.as_bytes(), Some(KID), claims)
    }
}

fn path_of(dir: &Path, product: &Product) -> PathBuf {
    dir.join(format!("{}.key", product.name))
}

fn at(path: &Path, reason: &dyn ToString) -> DevelopmentKeyError {
    DevelopmentKeyError { path: path.to_owned(), reason: reason.to_string() }
}
