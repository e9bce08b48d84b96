//! What lies beside a backup's database: when it was made, and what it must hold.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{event::Timestamp, store::State};

/// Version of the manifest itself.
const FORMAT: u32 = 1;
/// Differences that are told; the rest is counted.
const TOLD: usize = 10;

/// A manifest, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the manifest.
    pub format: u32,
    /// From when the backup is.
    pub made_at: String,
    /// Version of the program that made it.
    pub program: String,
    /// Names of the migrations that its schema has had, in their order.
    pub schema: Vec<String>,
    /// Its database, a file of SQLite.
    pub database: FileEntry,
    /// Keys, in the folder `keys`.
    pub keys: Vec<FileEntry>,
    /// Its organizations, in the order of their numbers.
    pub organizations: Vec<OrganizationEntry>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// An organization of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationEntry {
    /// Name of its product.
    pub product: String,
    /// The product's own id.
    pub organization: String,
    /// How many events it has recorded.
    pub size: i64,
    /// How many of them have left.
    pub removed: i64,
    /// Sequence of the newest event that is there.
    pub last_sequence: Option<i64>,
    /// Salt of the newest event that was recorded.
    pub last_salt: i64,
    /// When that was recorded.
    pub recorded_at: String,
}

impl From<&State> for OrganizationEntry {
    fn from(state: &State) -> Self {
        Self {
            product: state.product.clone(),
            organization: state.external_id.clone(),
            size: state.size,
            removed: state.removed,
            last_sequence: state.last,
            last_salt: state.last_salt,
            recorded_at: Timestamp(state.recorded_ns).to_string(),
        }
    }
}

impl Manifest {
    /// The manifest of what a database holds.
    pub fn new(
        made_at: Timestamp,
        schema: Vec<String>,
        database: FileEntry,
        keys: Vec<FileEntry>,
        states: &[State],
    ) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let organizations = states.iter().map(OrganizationEntry::from).collect();
        Self { format: FORMAT, made_at: made_at.to_string(), program, schema, database, keys, organizations }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// Where it is none, or one of a later version.
    pub fn read(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let version: Version = serde_json::from_str(text).context("the manifest cannot be read")?;
        if version.format != FORMAT {
            bail!("the manifest has the format {}, and this version reads {FORMAT}", version.format);
        }
        serde_json::from_str(text).context("the manifest cannot be read")
    }

    /// Its text.
    pub fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// How many events there are.
    pub fn events(&self) -> i64 {
        self.organizations.iter().map(|each| each.size - each.removed).sum()
    }

    /// Refuses a database that holds something else, or whose sequences have gaps.
    ///
    /// # Errors
    /// What differs, in words.
    pub fn check(&self, states: &[State]) -> Result<()> {
        let mut faults = Vec::new();
        let mut there = states.iter().map(OrganizationEntry::from).peekable();
        for wanted in &self.organizations {
            let named = |one: &OrganizationEntry| format!("{}/{}", one.product, one.organization);
            match there.next_if(|found| named(found) == named(wanted)) {
                Some(found) if found == *wanted => {}
                Some(found) => faults.push(format!(
                    "{} has recorded {} events, {} of which have left, the newest at {}; in the manifest it is {}, {}, {}",
                    named(wanted),
                    found.size,
                    found.removed,
                    found.recorded_at,
                    wanted.size,
                    wanted.removed,
                    wanted.recorded_at
                )),
                None => faults.push(format!("{} is in the manifest alone", named(wanted))),
            }
        }
        faults.extend(there.map(|found| format!("{}/{} is not in the manifest", found.product, found.organization)));
        for state in states {
            let told = state.faults();
            faults.extend(told.into_iter().map(|fault| format!("{}/{}: {fault}", state.product, state.external_id)));
        }
        refuse(&faults)
    }
}

/// Refuses what has faults; the first of them are told.
pub fn refuse(faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let more = faults.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
    bail!("the backup is not what its manifest says:\n{}{more}", faults[..faults.len().min(TOLD)].join("\n"))
}
