//! Files that hold a secret: for the service's own user alone, and never read half written.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
#[expect(clippy::disallowed_types, reason = "keys come from the operating system itself, and may fail to")]
use rand::{TryRngCore, rngs::OsRng};

use crate::private_files;

/// Makes a folder, where it is not there.
pub fn create_folder(dir: &Path) -> io::Result<()> {
    private_files::folder().recursive(true).create(dir)
}

/// Makes a file with a text under a name that nobody has read yet: written whole under another name, then linked to its
/// own, which fails if another process was first. Both then read the same text, and nobody ever reads half of one.
pub fn create(path: &Path, text: &str) -> io::Result<()> {
    let draft = private_files::beside(path, &format!(".{}", &random_text()?[..8]));
    let made = write_new(&draft, text).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = fs::remove_file(&draft);
    made.and_then(|()| private_files::sync_name(path))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private_files::options().create_new(true).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// 32 random bytes as text, so that the key can be pasted into any tool that makes tokens.
pub fn random_text() -> io::Result<String> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
