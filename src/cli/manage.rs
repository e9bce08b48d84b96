//! What the commands have in common that manage an organization's log: they open the database themselves, beside a running
//! service, and ask the policy as staff. Each has a subject of its own, by which the organization's log tells of it.

use std::{io::Read, sync::Arc};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{development_keys, principal, say};
use crate::{
    app::{open_store, with_cause},
    auth::Principal,
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    ingest::Writer,
    keys::Keys,
    reading::Reader,
    store::Store,
};

/// Whose log it is, and in which form the answer is wanted.
#[derive(Args)]
pub struct Whose {
    /// Product.
    #[arg(long, global = true)]
    product: Option<String>,
    /// Organization.
    #[arg(long, global = true)]
    organization: Option<String>,
    /// Prints JSON in place of a table or a sentence.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Whose {
    /// Of an organization, for whoever prints sentences.
    pub fn of(product: Option<&String>, organization: Option<&String>) -> Self {
        Self { product: product.cloned(), organization: organization.cloned(), json: false }
    }
}

/// Whoever runs the service, at an organization's log.
pub struct Manager {
    /// Who the policy is asked for.
    pub principal: Arc<Principal>,
    /// The organization.
    pub organization: String,
    /// The database.
    pub store: Store,
    /// The door in.
    pub writer: Writer,
    /// The door out.
    pub reader: Reader,
    /// Whether JSON is wanted.
    pub json: bool,
    writing: JoinHandle<()>,
}

impl Manager {
    /// Opens the database, as a subject.
    async fn open(settings: &Settings, products: &Products, whose: Whose, subject: &str) -> Result<Self> {
        let Whose { product, organization, json } = whose;
        let product = product.context("--product must be given")?;
        let organization = organization.context("--organization must be given")?;
        let development = development_keys(settings, products)?;
        let keys =
            Keys::new(products, Some(development.clone())).map_err(|faults| anyhow::anyhow!(faults.join("\n")))?;
        let scopes = products.get(&product).map(|product| product.access.scopes.join(" ")).unwrap_or_default();
        let scopes = scopes + " audit:manage audit:staff";
        let principal = principal(&keys, &development, products, &product, subject, &scopes).await?;
        let store = open_store(settings, &Clock::system(), Chance::system()).await?;
        store.refuse_unfinished_copy().await.map_err(with_cause)?;
        let (writer, writing) = Writer::start(store.clone(), Clock::system()).await.map_err(with_cause)?;
        let reader = Reader::new(store.clone(), Clock::system());
        Ok(Self { principal, organization, store, writer, reader, json, writing })
    }

    /// Opens the database as a subject, does something there, and closes it, whatever came of that.
    pub async fn run<T>(
        settings: &Settings,
        products: &Products,
        whose: Whose,
        subject: &str,
        work: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let manager = Self::open(settings, products, whose, subject).await?;
        let done = work(&manager).await;
        manager.close().await?;
        done
    }

    /// Closes the database, once all that was asked is done. Whoever has another handle of the writer MUST have dropped it.
    async fn close(self) -> Result<()> {
        let Self { store, writer, writing, .. } = self;
        drop(writer);
        writing.await.context("the writer failed")?;
        store.close().await;
        Ok(())
    }
}

/// JSON of an option: itself, of a file, or of standard input.
pub fn json_of(option: &str, text: &str) -> Result<Value> {
    let text = match text.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("{option}: {file} cannot be read"))?,
        None if text == "-" => {
            let mut read = String::new();
            std::io::stdin().read_to_string(&mut read).context("standard input cannot be read")?;
            read
        }
        None => text.to_owned(),
    };
    serde_json::from_str(&text).with_context(|| format!("{option} must be JSON, @FILE or -"))
}

/// What an option's JSON means, where it is given.
pub async fn understood<T>(
    option: &str,
    json: Option<Value>,
    read: impl AsyncFnOnce(Value) -> Result<T, String>,
) -> Result<Option<T>> {
    let Some(json) = json else { return Ok(None) };
    read(json).await.map(Some).map_err(|fault| anyhow::anyhow!("{option}: {fault}"))
}

/// Prints rows: as JSON, or some columns of them as a table.
pub fn show_all(as_json: bool, columns: &[&str], rows: impl Iterator<Item = Value>) -> Result<()> {
    if as_json { say(Value::from_iter(rows)) } else { say(table(columns, rows)) }
}

/// Columns of rows, with their names above them; what is null is a dash.
fn table(columns: &[&str], rows: impl Iterator<Item = Value>) -> String {
    let cell = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        // A control character of a receiver's answer or of a label is none of the terminal's.
        Value::String(text) => text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect(),
        other => other.to_string(),
    };
    let mut lines = vec![columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows.map(|row| columns.iter().map(|column| cell(&row[*column])).collect()));
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    let written = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    written.collect::<Vec<_>>().join("\n")
}
