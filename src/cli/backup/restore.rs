//! A backup that is there: checked, and made a database again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    DATABASE, KEYS, MANIFEST,
    files::{self, Draft},
    manifest::{self, FileEntry, Manifest},
};
use crate::{
    app::with_cause,
    catalog::Products,
    chance::Chance,
    cli::erase::{read_list, replay},
    clock::Clock,
    event::Timestamp,
    private_files,
    retention::list::{List, Replayed},
    store::{Durability, Phase, Store},
};

/// A backup that is there.
pub struct Backup {
    folder: PathBuf,
    /// What it says that it holds.
    pub manifest: Manifest,
}

/// A backup's database, copied and checked, on its way to be restored. Dropped, nothing of it remains.
pub struct Working {
    draft: Draft,
    store: Store,
}

impl Backup {
    /// Reads what a folder says that it is.
    ///
    /// # Errors
    /// Where it is no backup, or one of a later version.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path);
        let text =
            text.with_context(|| format!("{} is no backup: {} cannot be read", folder.display(), path.display()));
        Ok(Self { folder: folder.to_owned(), manifest: Manifest::read(&text?)? })
    }

    /// Copies the database to a place beside `path`, brings it to this version's schema, and checks everything: bytes,
    /// SQLite's own structures, and of each organization its head, its events and its sequences.
    ///
    /// # Errors
    /// What differs from the manifest, in words.
    pub async fn check(&self, path: &Path, clock: &Clock, chance: &Chance) -> Result<Working> {
        let draft = Draft(private_files::beside(path, &format!(".part-{:08x}", chance.draw() >> 32)));
        let found = files::copy(&self.folder.join(DATABASE), &draft.0)?;
        same(&self.manifest.database, &found)?;
        for key in &self.manifest.keys {
            same(key, &files::entry(&self.folder.join(KEYS).join(&key.name))?)?;
        }
        let url = format!("sqlite://{}", draft.0.display());
        let store = Store::open(&url, Durability::Required, clock, chance.clone()).await.map_err(with_cause)?;
        let checked = async {
            manifest::refuse(&store.faults_of_file().await.map_err(with_cause)?)?;
            self.manifest.check(&store.states().await.map_err(with_cause)?)?;
            // A backup says so itself; one that was changed by hand may not.
            store.close_history(clock.now(), "restored").await.map_err(with_cause)
        };
        match checked.await {
            Ok(()) => Ok(Working { draft, store }),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    /// The erasure list of a file, if it can tell who was erased after the backup; none where that is wanted.
    ///
    /// # Errors
    /// Where nothing is said of it, and for a list that is not whole, or is of before the backup.
    pub fn erasures(&self, file: Option<&Path>, is_without: bool) -> Result<Option<List>> {
        let made_at = &self.manifest.made_at;
        let Some(file) = file else {
            if is_without {
                return Ok(None);
            }
            bail!(
                "who was erased after {made_at} is in this backup: give --erasure-list FILE, which `ledgerline erase --list` of \
                 the live database writes, or --without-erasure-list where there is none"
            );
        };
        let list = read_list(file)?;
        let made = Timestamp::parse(made_at).context("the manifest does not say when the backup was made")?;
        if list.written_at < made {
            bail!(
                "{} is of {}, and cannot say who was erased after the backup of {made_at}: give a newer one, or \
                 --without-erasure-list where there is none",
                file.display(),
                list.written_at
            );
        }
        Ok(Some(list))
    }

    /// Refuses a folder of keys that has others under the same names.
    ///
    /// # Errors
    /// Which one it is.
    pub fn refuse_other_keys(&self, folder: &Path) -> Result<()> {
        for key in &self.manifest.keys {
            let path = folder.join(&key.name);
            if path.exists() && files::entry(&path)? != *key {
                bail!(
                    "{} is another key than that of the backup: move it away, or set LEDGERLINE_KEYS",
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// Puts the keys into a folder, each that is not there.
    ///
    /// # Errors
    /// Why one cannot be written.
    pub fn restore_keys(&self, folder: &Path) -> Result<()> {
        if self.manifest.keys.is_empty() {
            return Ok(());
        }
        if !folder.exists() {
            if let Some(parent) = folder.parent() {
                fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
            }
            files::folder(folder)?;
        }
        for key in self.manifest.keys.iter().filter(|key| !folder.join(&key.name).exists()) {
            files::copy(&self.folder.join(KEYS).join(&key.name), &folder.join(&key.name))?;
        }
        files::sync(folder)
    }
}

fn same(wanted: &FileEntry, found: &FileEntry) -> Result<()> {
    if wanted.bytes == found.bytes && wanted.sha256 == found.sha256 {
        return Ok(());
    }
    manifest::refuse(&[format!(
        "{} has {} bytes with the SHA-256 {}; in the manifest it is {} with {}",
        wanted.name, found.bytes, found.sha256, wanted.bytes, wanted.sha256
    )])
}

/// Who is erased once more from what is restored.
#[derive(Clone, Copy)]
pub struct Again<'a> {
    /// The erasure list, if there is one.
    pub list: Option<&'a List>,
    /// Whose organizations it names.
    pub products: &'a Products,
}

impl Working {
    /// Erases once more what a list names, before the database has its name: nobody else has it yet.
    ///
    /// # Errors
    /// Those of the list, and where a hold of the backup keeps what was erased.
    pub async fn erased(self, again: Again<'_>, clock: &Clock) -> Result<(Self, Replayed)> {
        let Some(list) = again.list else { return Ok((self, Replayed::default())) };
        let erased = async {
            // Each organization's log tells of it, and a history that is closed records nothing.
            self.store.open_history(clock.now()).await.map_err(with_cause)?;
            let replayed = replay(&self.store, again.products, clock, list).await?;
            self.store.close_history(clock.now(), "restored").await.map_err(with_cause)?;
            if replayed.held > 0 {
                bail!(
                    "holds of the backup keep {} events that were erased since: restore --without-erasure-list, open the database, \
                     lift the holds, and replay the list by `ledgerline erase --replay` before the service starts",
                    replayed.held
                );
            }
            Ok(replayed)
        };
        match erased.await {
            Ok(replayed) => Ok((self, replayed)),
            Err(error) => {
                self.store.close().await;
                Err(error.context("the erasure list is not replayed, and nothing is restored"))
            }
        }
    }

    /// Makes it a database of PostgreSQL: a copy that is read back.
    ///
    /// # Errors
    /// Those of both databases.
    pub async fn copy_to(self, target: &Store, clock: &Clock, progress: impl FnMut(Phase, u64, u64)) -> Result<()> {
        let copied = self.store.copy_to(target, clock.now(), progress).await.map_err(with_cause);
        self.store.close().await;
        copied.map(drop)
    }

    /// Makes it the file of a database of SQLite.
    ///
    /// # Errors
    /// Where it cannot be renamed.
    pub async fn rename_to(self, path: &Path) -> Result<()> {
        self.store.close().await;
        files::sync(&self.draft.0)?;
        refuse_remains(path)?;
        fs::rename(&self.draft.0, path).with_context(|| format!("{} cannot be made", path.display()))?;
        private_files::sync_name(path).with_context(|| format!("{} cannot be written to the disk", path.display()))
    }

    /// Drops it: it was only to be checked.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Refuses a place where a database of SQLite is, or what is left of one: a write-ahead log would be played into the new
/// one.
///
/// # Errors
/// What is there.
pub fn refuse_remains(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm"] {
        let path = private_files::beside(path, end);
        if fs::symlink_metadata(&path).is_ok() {
            bail!("--to must be empty: {} is there; move it away first", path.display());
        }
    }
    Ok(())
}
