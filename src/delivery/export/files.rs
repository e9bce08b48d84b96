//! Where files of exports lie until they are fetched: a folder, or a bucket of S3. A file is stored in parts, each an object
//! that is written whole or not at all: so an export that was interrupted goes on after its last part, and none of S3's own
//! uploads in parts has to be kept open, counted and cleaned up.

use std::{path::Path, sync::Arc};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::{
    ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, local::LocalFileSystem, path::Path as Name, prefix::PrefixStore,
};

use crate::error::Error;

/// Name of the manifest beside the parts.
const MANIFEST: &str = "manifest.json";

/// The files of exports.
#[derive(Clone)]
pub struct Files(Arc<dyn ObjectStore>);

impl Files {
    /// Opens a place: `s3://BUCKET/PREFIX`, or a folder, which is made where it is missing.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub fn open(place: &str) -> anyhow::Result<Self> {
        if let Some(rest) = place.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let bucket = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
            return Ok(Self(Arc::new(PrefixStore::new(bucket, prefix))));
        }
        let folder = Path::new(place);
        crate::private_files::folder().recursive(true).create(folder)?;
        Ok(Self(Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true))))
    }

    /// Stores a part of an export's file.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn put(&self, id: &str, part: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.0.put(&Name::from_iter([id, part]), bytes.into()).await.map(drop).map_err(gone)
    }

    /// Stores an export's manifest.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn put_manifest(&self, id: &str, text: String) -> Result<(), Error> {
        self.put(id, MANIFEST, text.into_bytes()).await
    }

    /// An export's manifest.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn manifest(&self, id: &str) -> Result<Vec<u8>, Error> {
        let found = self.0.get(&Name::from_iter([id, MANIFEST])).await.map_err(gone)?;
        found.bytes().await.map(Into::into).map_err(gone)
    }

    /// The bytes of an export's file, part after part.
    pub fn read(&self, id: String, parts: Vec<String>) -> impl Stream<Item = Result<Vec<u8>, Error>> + Send + use<> {
        let store = self.0.clone();
        let part = move |part: String| {
            let (store, name) = (store.clone(), Name::from_iter([id.as_str(), part.as_str()]));
            async move { store.get(&name).await.map(object_store::GetResult::into_stream).map_err(gone) }
        };
        stream::iter(parts).then(part).map_ok(|bytes| bytes.map_ok(Into::into).map_err(gone)).try_flatten()
    }

    /// Removes everything that there is of an export.
    ///
    /// # Errors
    /// `UNAVAILABLE`; what is left is removed by another attempt.
    pub async fn remove(&self, id: &str) -> Result<(), Error> {
        let names: Vec<_> =
            self.0.list(Some(&Name::from(id))).map_ok(|found| found.location).try_collect().await.map_err(gone)?;
        for name in names {
            match self.0.delete(&name).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(gone(error)),
            }
        }
        Ok(())
    }
}

fn gone(error: object_store::Error) -> Error {
    Error::Unavailable(Arc::new(error))
}
