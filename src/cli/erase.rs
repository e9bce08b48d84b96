//! `ledgerline erase`: erases a person from the log of an organization; writes the erasure list, and replays it.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    manage::{Manager, Whose},
    mention, say,
};
use crate::{
    app::{open_store, with_cause},
    auth::Principal,
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    delivery::export::{Exports, Files},
    error::Error,
    event::{
        ActorKind,
        erased::{NamedActor, NamedResource, Whom},
    },
    ingest::Writer,
    keys::Plans,
    retention::{
        erasure::Eraser,
        list::{self, List, Replayed, Rest},
        list_file::ListFile,
    },
    store::{
        Store,
        control::erasures::{Erasure, ErasureStatus},
    },
};

/// Who the organization's log says it was.
const SUBJECT: &str = "erase";
/// How often it is looked how far an erasure is that another process has.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Who to erase.
#[derive(Args)]
pub struct EraseArgs {
    /// Product.
    #[arg(long, required_unless_present_any = ["list", "replay"])]
    product: Option<String>,
    /// Organization.
    #[arg(long, required_unless_present_any = ["list", "replay"])]
    organization: Option<String>,
    /// The product's own id of the person as an actor.
    #[arg(long)]
    actor_id: Option<String>,
    /// E-mail address of the person as an actor.
    #[arg(long)]
    actor_email: Option<String>,
    /// Only actors of this kind, such as USER.
    #[arg(long)]
    actor_kind: Option<String>,
    /// Type of the person as a thing that was acted on.
    #[arg(long, requires = "resource_id")]
    resource_type: Option<String>,
    /// The product's own id of the person as a thing that was acted on.
    #[arg(long, requires = "resource_type")]
    resource_id: Option<String>,
    /// Says what would be erased, and erases nothing.
    #[arg(long)]
    preview: bool,
    /// Prints the erasure list: which events were erased, and nobody's name. It belongs beside every backup.
    #[arg(long, conflicts_with_all = ["preview", "replay", "product", "organization", "actor_id", "actor_email"])]
    list: bool,
    /// Erases once more what an erasure list names, in a database that was restored from an older backup; safe to repeat.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["preview", "product", "organization", "actor_id", "actor_email"])]
    replay: Option<PathBuf>,
}

impl EraseArgs {
    fn whom(&self) -> Result<Whom> {
        let kind = |text: &String| {
            let known = ActorKind::ALL.into_iter().find(|kind| kind.as_str() == text);
            let all = ActorKind::ALL.map(ActorKind::as_str).join(", ");
            known.with_context(|| format!("--actor-kind must be one of {all}, got {text:?}"))
        };
        let kind = self.actor_kind.as_ref().map(kind).transpose()?;
        let actor = NamedActor { kind, id: self.actor_id.clone(), email: self.actor_email.clone() };
        let actor = Some(actor).filter(|actor| *actor != NamedActor::default());
        let resource = self.resource_type.clone().zip(self.resource_id.clone());
        Ok(Whom { actor, resource: resource.map(|(kind, id)| NamedResource { kind, id }) })
    }
}

/// Erases, or says what that would be.
pub async fn run(settings: &Settings, products: &Products, arguments: &EraseArgs) -> Result<()> {
    if !arguments.list && arguments.replay.is_none() {
        let whose = Whose::of(arguments.product.as_ref(), arguments.organization.as_ref());
        let work = async |manager: &Manager| {
            let eraser = eraser(settings, products, manager)?;
            Box::pin(erase(&eraser, manager, arguments)).await
        };
        return Manager::run(settings, products, whose, SUBJECT, work).await;
    }
    let clock = Clock::system();
    let store = open_store(settings, &clock, Chance::system()).await?;
    store.refuse_unfinished_copy().await.map_err(with_cause)?;
    let Some(file) = &arguments.replay else {
        let print = |line: &str| writeln!(std::io::stdout(), "{line}").map_err(Error::internal);
        let listed = list::write(&store, &clock, print);
        let listed = listed.await.map_err(with_cause);
        store.close().await;
        return listed;
    };
    let done = async { replay(&store, products, &clock, &read_list(file)?).await };
    let done = done.await;
    store.close().await;
    let Replayed { lines, events, held } = done.context("not all is replayed: run it again, it may be repeated")?;
    say(format_args!("{lines} lines: {events} events were erased once more, {held} are held"))?;
    if held > 0 {
        bail!("holds keep {held} events: lift them and replay the list again");
    }
    Ok(())
}

fn eraser(settings: &Settings, products: &Products, manager: &Manager) -> Result<Eraser> {
    let files = Files::open(&settings.exports_place()).context("LEDGERLINE_EXPORTS cannot be used")?;
    let Manager { store, writer, reader, .. } = manager;
    let (clock, chance, products) = (Clock::system(), Chance::system(), products.clone());
    let plans = Plans::new(store.clone());
    let exports =
        Exports::new(store.clone(), reader.clone(), files, products.clone(), plans, clock.clone(), chance.clone());
    let eraser = Eraser::new(store.clone(), writer.clone(), Arc::new(exports), products, clock, chance);
    Ok(eraser.keeping_list(settings.erasure_list().map(ListFile::new)))
}

/// Reads the erasure list of a file.
pub fn read_list(file: &Path) -> Result<List> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    list::read(&text).map_err(with_cause).with_context(|| format!("{} is no erasure list", file.display()))
}

/// Replays an erasure list on a database that records.
pub async fn replay(store: &Store, products: &Products, clock: &Clock, list: &List) -> Result<Replayed> {
    let (writer, writing) = Writer::start(store.clone(), clock.clone()).await.map_err(with_cause)?;
    let chance = Chance::system();
    let done = list::replay(store, &writer, products, (clock, &chance), list, Rest::Here).await.map_err(with_cause);
    drop(writer);
    writing.await.context("the writer task ended")?;
    done
}

async fn erase(eraser: &Eraser, manager: &Manager, arguments: &EraseArgs) -> Result<()> {
    let (principal, organization) = (&manager.principal, Some(manager.organization.as_str()));
    let whom = arguments.whom()?;
    if arguments.preview {
        let preview = eraser.preview(principal, organization, &whom).await.map_err(with_cause)?;
        let (events, looked_at, total) = (preview.events, preview.looked_at.min(preview.total), preview.total);
        say(format_args!("{events} events would be erased, of {looked_at} looked at and {total} in all"))?;
        for (log, _, events) in &preview.logs {
            say(format_args!("{events} of them in {log}"))?;
        }
        for (hold, events) in &preview.held {
            say(format_args!("{events} of them are kept by the hold {:?} ({})", hold.label, hold.id))?;
        }
        return Ok(());
    }
    let erasure = eraser.ask(principal, organization, whom).await.map_err(with_cause)?;
    let erasure = Box::pin(wait(eraser, principal, organization, erasure)).await?;
    match erasure.status {
        ErasureStatus::Done => say(format_args!("{} events were erased ({})", erasure.events, erasure.id)),
        ErasureStatus::Held => bail!(
            "the hold {} keeps events: {} were erased before it; a running service goes on when the hold is lifted ({})",
            erasure.hold.unwrap_or_default(),
            erasure.events,
            erasure.id
        ),
        _ => bail!("the erasure {} was given up; {} events were erased before", erasure.id, erasure.events),
    }
}

/// Works on erasures until this one is over, or a hold keeps it. A service that is up may do the work.
async fn wait(
    eraser: &Eraser,
    principal: &Principal,
    organization: Option<&str>,
    mut erasure: Erasure,
) -> Result<Erasure> {
    let bar = bar();
    mention(format_args!("erasing: {}", erasure.id));
    let waited = async {
        loop {
            let has_worked = tokio::select! {
                worked = eraser.turn() => worked.map_err(with_cause)?,
                never = show(eraser, principal, organization, &erasure.id, &bar) => never,
            };
            erasure = eraser.find(principal, organization, &erasure.id).await.map_err(with_cause)?;
            match erasure.status {
                ErasureStatus::Done | ErasureStatus::Cancelled | ErasureStatus::Held => return Ok(erasure),
                _ if has_worked => {}
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    };
    let waited = Box::pin(waited).await;
    bar.finish_and_clear();
    waited
}

/// Shows how far an erasure is, for ever.
async fn show(eraser: &Eraser, principal: &Principal, organization: Option<&str>, id: &str, bar: &ProgressBar) -> ! {
    loop {
        if let Ok(erasure) = eraser.find(principal, organization, id).await {
            bar.set_length(erasure.total.max(0).cast_unsigned());
            bar.set_position(erasure.next.max(0).cast_unsigned());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A bar on a terminal, nothing elsewhere.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("erasing {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}
