//! The files of a SQLite database: whether a path still names what was opened.
//!
//! A process that has a file open goes on writing to it when it was deleted or replaced, and everything succeeds: only
//! the next process finds that nothing is there. So device and number of the files are kept from the start, and
//! compared around every transaction.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{DbErr, RuntimeErr};

/// What a path named at the start.
#[derive(Clone, Debug)]
pub(in crate::store) struct Files(Arc<Vec<(PathBuf, Identity)>>);

/// Device and number of a file.
type Identity = (u64, u64);

impl Files {
    /// Keeps what the paths of a database name; it is open, so that all its files are there.
    ///
    /// # Errors
    /// A file that is not there.
    pub fn of(path: &Path) -> Result<Self, DbErr> {
        let keep = || -> io::Result<Vec<_>> {
            // The companions lie beside the file that a link leads to.
            let real = std::fs::canonicalize(path)?;
            let beside = |suffix: &str| {
                let mut name = real.clone().into_os_string();
                name.push(suffix);
                PathBuf::from(name)
            };
            let paths = [std::path::absolute(path)?, beside("-wal"), beside("-shm")];
            paths.into_iter().map(|path| identity(&path).map(|found| (path, found))).collect()
        };
        keep().map(|found| Self(Arc::new(found))).map_err(|error| DbErr::Conn(RuntimeErr::Internal(error.to_string())))
    }

    /// Whether the paths still name the files that are open.
    ///
    /// # Errors
    /// Which one does not, in words.
    pub fn check(&self) -> Result<(), DbErr> {
        for (path, opened) in self.0.iter() {
            let what = match identity(path) {
                Ok(found) if found == *opened => continue,
                Ok(_) => "was replaced by another file",
                Err(error) if error.kind() == io::ErrorKind::NotFound => "was deleted or moved",
                Err(_) => "cannot be reached",
            };
            return Err(DbErr::Conn(RuntimeErr::Internal(format!(
                "{} {what} while the service has it open: nothing is recorded until the opened files are back, or the \
                 service is started again",
                path.display()
            ))));
        }
        Ok(())
    }

    /// Whether what the open log holds may be copied into the open database file: nobody has begun another log for it.
    pub fn is_log_ours(&self) -> bool {
        self.0.get(1).is_some_and(|(path, opened)| match std::fs::metadata(path) {
            Ok(found) => found.len() == 0 || identity(path).ok() == Some(*opened),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        })
    }

    /// Renames the log and its index where another file took the database's place: to whoever opens that file next, they
    /// would look like its own, and be played into it. Returns what was renamed.
    ///
    /// # Errors
    /// A file that cannot be renamed.
    pub fn set_log_aside(&self) -> io::Result<Vec<PathBuf>> {
        let is_same = |(path, opened): &(PathBuf, Identity)| identity(path).ok() == Some(*opened);
        let Some((database, companions)) = self.0.split_first() else { return Ok(Vec::new()) };
        if is_same(database) || !database.0.exists() {
            return Ok(Vec::new());
        }
        let mut renamed = Vec::new();
        for (path, _) in companions.iter().filter(|each| is_same(each)) {
            let mut aside = path.clone().into_os_string();
            aside.push(".of-replaced");
            std::fs::rename(path, &aside)?;
            renamed.push(PathBuf::from(aside));
        }
        Ok(renamed)
    }

    /// Bytes of the write-ahead log.
    pub fn log_bytes(&self) -> u64 {
        self.0.get(1).and_then(|(path, _)| std::fs::metadata(path).ok()).map_or(0, |found| found.len())
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Whether it is there at all: elsewhere an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}
