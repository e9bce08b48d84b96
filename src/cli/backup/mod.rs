//! `ledgerline backup`, `restore` and `open`.
//!
//! A backup is a folder: `ledgerline.db`, a file of SQLite whichever database it is of; `keys/`, what the service signs
//! with; and `manifest.json`, by which a restore knows whether all of it is there.

mod files;
mod make;
mod manifest;
mod restore;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Args};

use self::restore::{Again, Backup, refuse_remains};
use super::{copy::Told, mention, say};
use crate::{
    app::{open_store, shown, with_cause},
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    retention::{list::Replayed, list_file::ListFile},
    store::Store,
};

/// The database in a backup.
const DATABASE: &str = "ledgerline.db";
/// The folder of keys in a backup.
const KEYS: &str = "keys";
/// What says what is in it.
const MANIFEST: &str = "manifest.json";

/// Where the backup is made.
#[derive(Args)]
pub struct BackupArgs {
    /// The folder to make. It has the keys in it, and is for its owner alone.
    folder: PathBuf,
    /// Puts it in the place of an earlier backup of that name.
    #[arg(long)]
    force: bool,
}

/// Which backup is restored, and where.
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).args(["to", "check"])))]
pub struct RestoreArgs {
    /// The folder that `ledgerline backup` has made.
    folder: PathBuf,
    /// The database to make of it, new or empty: sqlite://PATH or postgres://USER@HOST/NAME.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// The erasure list that `ledgerline erase --list` of the live database has written since: who was erased after the
    /// backup is erased once more, before the database is there [default: the file of LEDGERLINE_ERASURE_LIST].
    #[arg(long, value_name = "FILE", requires = "to", conflicts_with = "without_erasure_list")]
    erasure_list: Option<PathBuf>,
    /// Restores without an erasure list: who was erased after the backup is in the database again.
    #[arg(long, requires = "to")]
    without_erasure_list: bool,
    /// Checks the backup, and restores nothing.
    #[arg(long)]
    check: bool,
}

/// Backs up the database of the settings; the service may be up.
pub async fn back_up(settings: &Settings, arguments: &BackupArgs) -> Result<()> {
    let (clock, chance, url) = (Clock::system(), Chance::system(), &settings.database_url);
    let source = Store::open_source(url, "LEDGERLINE_DATABASE_URL", &clock, chance.clone()).await.map_err(with_cause);
    let source = source.with_context(|| format!("the database to back up cannot be opened ({})", shown(url)))?;
    let mut told = Told::default();
    let keys = settings.keys_folder();
    let made = make::make(&source, &keys, &arguments.folder, arguments.force, (&clock, &chance), |phase, done, all| {
        told.tell(phase, done, all);
    });
    let made = Box::pin(made).await;
    told.end();
    // After the backup: a list that is older cannot say who was erased since.
    let list = settings.erasure_list().filter(|_| made.is_ok()).map(ListFile::new);
    let listed = match &list {
        Some(list) => list.bring_up_to_date(&source, &clock).await.map(drop),
        None => Ok(()),
    };
    source.close().await;
    let made = made.context("there is no backup")?;
    say(format_args!(
        "backed up {} events of {} organizations, as of {}, and {} keys, to {}",
        made.events(),
        made.organizations.len(),
        made.made_at,
        made.keys.len(),
        arguments.folder.display()
    ))?;
    if list.is_none() {
        mention(
            "who is erased from now on is in this backup: set LEDGERLINE_ERASURE_LIST, or write `ledgerline erase --list` after \
             each erasure",
        );
    }
    listed
        .map_err(with_cause)
        .context("the backup is there, but the erasure list is not written: nobody can restore with it")
}

/// Makes a database of a backup, or only checks it.
pub async fn restore(settings: &Settings, products: &Products, arguments: &RestoreArgs) -> Result<()> {
    let backup = Backup::open(&arguments.folder)?;
    let manifest = &backup.manifest;
    let (events, organizations) = (manifest.events(), manifest.organizations.len());
    let Some(url) = &arguments.to else {
        let place = std::env::temp_dir().join("ledgerline-check.db");
        backup.check(&place, &Clock::system(), &Chance::system()).await?.close().await;
        return say(format_args!(
            "{events} events of {organizations} organizations, as of {}: whole",
            manifest.made_at
        ));
    };
    let kept = settings.erasure_list().filter(|_| !arguments.without_erasure_list);
    let list = arguments.erasure_list.clone().or(kept);
    let list = backup.erasures(list.as_deref(), arguments.without_erasure_list)?;
    let again = Again { list: list.as_ref(), products };
    let target = Settings { database_url: url.clone(), ..settings.clone() };
    backup.refuse_other_keys(&target.keys_folder())?;
    let erased = match Store::file_of(url).map_err(with_cause)? {
        Some(path) => to_sqlite(&backup, again, &path).await?,
        None => to_postgres(&backup, again, &target).await?,
    };
    backup.restore_keys(&target.keys_folder())?;
    say(format_args!(
        "restored {events} events of {organizations} organizations, as of {}, to {}",
        manifest.made_at,
        shown(url)
    ))?;
    if let Some(list) = &list {
        let (Replayed { lines, events, .. }, written_at) = (erased, list.written_at);
        say(format_args!("the erasure list of {written_at} has {lines} lines: {events} events were erased once more"))?;
    }
    mention("what was recorded after that is not there; nothing is recorded and nothing sent before `ledgerline open`");
    Ok(())
}

async fn to_sqlite(backup: &Backup, again: Again<'_>, path: &Path) -> Result<Replayed> {
    refuse_remains(path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let (clock, chance) = (Clock::system(), Chance::system());
    let (working, erased) = backup.check(path, &clock, &chance).await?.erased(again, &clock).await?;
    working.rename_to(path).await?;
    Ok(erased)
}

async fn to_postgres(backup: &Backup, again: Again<'_>, target: &Settings) -> Result<Replayed> {
    let (clock, chance) = (Clock::system(), Chance::system());
    let url = &target.database_url;
    if Store::schema(url, &chance).await.map_err(with_cause)?.applied > 0 {
        let store = open_store(target, &clock, chance.clone()).await?;
        let is_empty = store.is_empty().await;
        store.close().await;
        if !is_empty.map_err(with_cause)? {
            bail!("--to must be empty: {} has organizations in it", shown(url));
        }
    }
    // A backup is copied before it is opened, which changes it: beside it there may be no room, and no right to write.
    let place = std::env::temp_dir().join("ledgerline-restore.db");
    let (working, erased) = backup.check(&place, &clock, &chance).await?.erased(again, &clock).await?;
    let store = open_store(target, &clock, chance).await?;
    let mut told = Told::default();
    let copied = Box::pin(working.copy_to(&store, &clock, |phase, done, all| told.tell(phase, done, all))).await;
    told.end();
    store.close().await;
    copied.context("the database is not restored: make it anew, and restore once more")?;
    Ok(erased)
}

/// Opens a new history: what is in the database now is what counts, and recording goes on from it.
pub async fn open(settings: &Settings) -> Result<()> {
    let clock = Clock::system();
    let store = open_store(settings, &clock, Chance::system()).await?;
    let opened = async {
        store.refuse_unfinished_copy().await?;
        let states = store.states().await?;
        store.open_history(clock.now()).await?;
        Ok::<_, crate::error::Error>(states)
    };
    let opened = opened.await;
    store.close().await;
    let states = opened.map_err(with_cause).context("the history is not opened")?;
    let events: i64 = states.iter().map(|state| state.events).sum();
    say(format_args!("opened a new history: recording goes on after {events} events of {} organizations", states.len()))
}
