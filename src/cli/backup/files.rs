//! Files of a backup: copied for the service's own user alone, hashed on the way, and on the disk before anything says so.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::manifest::FileEntry;
use crate::private_files;

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Length and SHA-256 of a file.
pub fn entry(path: &Path) -> Result<FileEntry> {
    hashed(path, &mut io::sink())
}

/// Copies a file to one that is not there yet.
pub fn copy(from: &Path, to: &Path) -> Result<FileEntry> {
    let mut out = private_files::options()
        .create_new(true)
        .open(to)
        .with_context(|| format!("{} cannot be made", to.display()))?;
    let entry = hashed(from, &mut out)?;
    out.sync_all().with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(entry)
}

fn hashed(path: &Path, out: &mut impl Write) -> Result<FileEntry> {
    let cannot = || format!("{} cannot be copied", path.display());
    let mut file = File::open(path).with_context(cannot)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece).with_context(cannot)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        out.write_all(&piece[..read]).with_context(cannot)?;
        bytes += read as u64;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FileEntry { name, bytes, sha256 })
}

/// Has a file, or the names in a folder, on the disk.
pub fn sync(path: &Path) -> Result<()> {
    private_files::sync(path).with_context(|| format!("{} cannot be written to the disk", path.display()))
}

/// Keeps a file from others than the service's own user.
pub fn keep_private(path: &Path) -> Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .with_context(|| format!("{} cannot be kept from others", path.display()))?;
    Ok(())
}

/// Makes a folder for the service's own user alone.
pub fn folder(path: &Path) -> Result<()> {
    private_files::folder().create(path).with_context(|| format!("the folder {} cannot be made", path.display()))
}

/// The plain files of a folder by name; none where there is no folder.
pub fn names(folder: &Path) -> Result<Vec<String>> {
    let cannot = || format!("{} cannot be read", folder.display());
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.with_context(cannot)?,
    };
    let mut names = Vec::new();
    for entry in listed {
        let entry = entry.with_context(cannot)?;
        if entry.file_type().with_context(cannot)?.is_file() {
            match entry.file_name().into_string() {
                Ok(name) => names.push(name),
                Err(name) => bail!("the name {name:?} in {} is not UTF-8", folder.display()),
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Something that is removed unless it was put in its place.
pub struct Draft(pub PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(private_files::beside(&self.0, end));
        }
    }
}
