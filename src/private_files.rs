//! Files for the service's own user alone, and when they are on the disk.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Opens a file to write, which nobody else may read once it is made.
#[must_use]
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder that nobody else may look into.
#[must_use]
pub fn folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// A name beside another one.
#[must_use]
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Has a file, or the names in a folder, on the disk.
///
/// # Errors
/// Those of the system.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Has the name of a file on the disk.
///
/// # Errors
/// Those of the system.
pub fn sync_name(path: &Path) -> io::Result<()> {
    sync(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Brings what was written under another name to the disk, and gives it its own: whoever reads it meanwhile, and after a
/// crash, has it whole.
///
/// # Errors
/// Those of the system.
pub fn put(written: &File, draft: &Path, path: &Path) -> io::Result<()> {
    written.sync_all()?;
    fs::rename(draft, path)?;
    sync_name(path)
}
