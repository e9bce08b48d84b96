//! The erasure list in a file outside of the database, for the day when the database is lost or put back.
//!
//! It is written anew as a whole under another name, brought to the disk and renamed: whoever reads it meanwhile, and after a
//! crash, has a whole list. Nothing leaves it: what is in the file and not in the database any more is in backups still. Of
//! several processes with one file, one writes at a time, and what it writes has all that the others wrote.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::list::{self, Line, List};
use crate::{
    clock::Clock,
    error::{Error, Result},
    private_files,
    store::Store,
};

/// How long it is waited for another process that writes the list.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often it is looked whether that one is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The erasure list in a file.
#[derive(Debug)]
pub struct ListFile {
    path: PathBuf,
    /// It could not be written the last time.
    is_behind: AtomicBool,
}

impl ListFile {
    /// A list in a file, which is made where it is missing. The folder MUST be there: one that is made in the place of a disk
    /// that is not mounted would be lost with the machine.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, is_behind: AtomicBool::new(false) }
    }

    /// Whether it could not be written the last time.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Relaxed)
    }

    /// Writes all that was erased into the file, and returns lines of which the database has what they say was erased: it is
    /// an older one.
    ///
    /// # Errors
    /// `UNAVAILABLE` naming the file, which is as it was then; `BAD_USER_INPUT` where it is no whole list, or that of another
    /// database; those of the database.
    pub async fn bring_up_to_date(&self, store: &Store, clock: &Clock) -> Result<Vec<Line>> {
        let written = self.write(store, clock).await;
        self.is_behind.store(written.is_err(), Ordering::Relaxed);
        metrics::gauge!("ledgerline_erasure_list_behind").set(f64::from(u8::from(written.is_err())));
        written
    }

    async fn write(&self, store: &Store, clock: &Clock) -> Result<Vec<Line>> {
        // Dropped in the end, it lets others in.
        let _turn = self.turn().await?;
        let path = self.path.clone();
        let kept = blocking(move || kept(&path)).await?;
        let part = private_files::beside(&self.path, ".part");
        let written = self.write_part(store, clock, kept, &part).await;
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written
    }

    async fn write_part(&self, store: &Store, clock: &Clock, kept: Option<List>, part: &Path) -> Result<Vec<Line>> {
        let cannot = |error| cannot("written", part, &error);
        let opened = private_files::options().create(true).truncate(true).open(part);
        let mut file = BufWriter::new(opened.map_err(cannot)?);
        let compared = list::merge(store, clock, kept, |line| writeln!(file, "{line}").map_err(cannot)).await?;
        let missed = list::missed(store, compared).await?;
        let (part, path) = (part.to_owned(), self.path.clone());
        blocking(move || {
            let put = file.flush().and_then(|()| private_files::put(file.get_ref(), &part, &path));
            put.map_err(|error| self::cannot("written", &path, &error))?;
            Ok(missed)
        })
        .await
    }

    /// Waits until nobody else writes the list, and keeps others from it.
    async fn turn(&self) -> Result<File> {
        let path = private_files::beside(&self.path, ".lock");
        let cannot = |error| cannot("locked", &path, &error);
        let file = private_files::options().create(true).truncate(false).open(&path).map_err(cannot)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if began.elapsed() < LONGEST_WAIT => tokio::time::sleep(LOOK_EVERY).await,
                Err(TryLockError::WouldBlock) => return Err(cannot(io::ErrorKind::ResourceBusy.into())),
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            }
        }
    }
}

/// The list that is there; none where nothing is.
fn kept(path: &Path) -> Result<Option<List>> {
    match fs::read_to_string(path) {
        Ok(text) => list::read(&text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", path, &error)),
    }
}

/// Does on a thread of its own what waits for a disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    let text = format!("the erasure list cannot be {what}: {}: {error}", path.display());
    Error::Unavailable(Arc::new(io::Error::new(error.kind(), text)))
}
