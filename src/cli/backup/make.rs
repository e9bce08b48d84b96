//! A backup is made under another name and renamed, so that a folder with the name of a backup is whole.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use super::{
    DATABASE, KEYS, MANIFEST,
    files::{self, Draft},
    manifest::{FileEntry, Manifest},
};
use crate::{
    app::with_cause,
    chance::Chance,
    clock::Clock,
    private_files,
    store::{Phase, Store},
};

/// Backs a database up, with the keys of a folder, to a folder that is not there; with `is_forced`, in the place of an
/// earlier backup.
///
/// # Errors
/// Why there is no backup, in words. What was there before is there still.
pub async fn make(
    source: &Store,
    keys: &Path,
    place: &Path,
    is_forced: bool,
    (clock, chance): (&Clock, &Chance),
    progress: impl FnMut(Phase, u64, u64),
) -> Result<Manifest> {
    let place = std::path::absolute(place).context("the folder of the backup has no name")?;
    refuse_what_is_there(&place, is_forced)?;
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let draft = Draft(private_files::beside(&place, &format!(".part-{:08x}", chance.draw() >> 32)));
    files::folder(&draft.0)?;
    let made_at = clock.now();
    let database = draft.0.join(DATABASE);
    let made = source.back_up_to(&database, clock, chance.clone(), progress).await.map_err(with_cause)?;
    let read = async { Ok((made.states().await?, made.migrations().await?)) };
    let read: crate::error::Result<_> = read.await;
    made.close().await;
    let (states, schema) = read.map_err(with_cause)?;
    let log = fs::metadata(private_files::beside(&database, "-wal")).map_or(0, |log| log.len());
    if log > 0 {
        bail!("{} has a write-ahead log that could not be emptied", database.display());
    }
    files::keep_private(&database)?;
    files::sync(&database)?;
    let keys = copy_keys(keys, &draft.0.join(KEYS))?;
    let manifest = Manifest::new(made_at, schema, files::entry(&database)?, keys, &states);
    // What it says of itself is what is told.
    manifest.check(&states)?;
    let told = draft.0.join(MANIFEST);
    fs::write(&told, manifest.text()?).with_context(|| format!("{} cannot be written", told.display()))?;
    files::keep_private(&told)?;
    files::sync(&told)?;
    files::sync(&draft.0)?;
    put(&draft, &place)?;
    Ok(manifest)
}

fn refuse_what_is_there(place: &Path, is_forced: bool) -> Result<()> {
    match fs::symlink_metadata(place) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be looked at", place.display())),
        Ok(_) if !is_forced => bail!("{} is there already: name another folder, or use --force", place.display()),
        Ok(_) if !place.join(MANIFEST).is_file() => bail!("{} is no backup, and stays as it is", place.display()),
        Ok(_) => Ok(()),
    }
}

/// Gives a draft its name; what had it before is removed after that.
fn put(draft: &Draft, place: &Path) -> Result<()> {
    let cannot = || format!("the backup cannot be renamed to {}", place.display());
    let before = Draft(private_files::beside(&draft.0, ".before"));
    if place.exists() {
        fs::rename(place, &before.0).with_context(cannot)?;
    }
    if let Err(error) = fs::rename(&draft.0, place) {
        let _ = fs::rename(&before.0, place);
        return Err(error).with_context(cannot);
    }
    place.parent().map_or(Ok(()), files::sync)
}

fn copy_keys(from: &Path, to: &Path) -> Result<Vec<FileEntry>> {
    files::folder(to)?;
    let names = files::names(from)?;
    let copied = names.iter().map(|name| files::copy(&from.join(name), &to.join(name))).collect::<Result<Vec<_>>>()?;
    files::sync(to)?;
    Ok(copied)
}
