//! Events leave when they were kept for long enough: all that followed from them leaves with them, and nothing else.

mod anew;
mod ends;
pub mod erasure;
mod held;
mod holds;
pub mod left;
mod list_file;
mod months;
mod sweeps;
mod taken_back;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use ledgerline::{
    catalog::Products,
    clock::Clock,
    error::Result,
    event::Timestamp,
    retention::{Sweeper, Tally},
};
use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, catalogs, event};

const DAY: i64 = 24 * 3_600 * 1_000_000_000;

const SET: &str = "mutation($input: SetAuditRetentionInput!) { setAuditRetention(input: $input) { retention {
    levels { level days isWished } wishedDays isWished floorDays } } }";
pub const PLACE: &str =
    "mutation($input: PlaceAuditHoldInput!) { placeAuditHold(input: $input) { hold { id label question
    createdBy } } }";
pub const LIFT: &str = "mutation($input: LiftAuditHoldInput!) { liftAuditHold(input: $input) { hold { id } } }";

/// A workspace whose events are kept for 30 days, those of projects for 7, other times by plan, and none for less than 5; in a
/// folder that has to outlive it.
fn products() -> (Products, tempfile::TempDir) {
    let text = catalogs::workspace()
        .replace(
            "retention = \"forever\"",
            "retention = \"30 days\"\nretention_by_plan = { gold = \"60 days\", lean = \"10 days\" }\nretention_floor = \"5 days\"\norganization_end_delay = \"6 days\"",
        )
        .replace("on_delete = \"KEEP\"\n", "on_delete = \"KEEP\"\nretention = \"7 days\"\nretention_by_plan = { gold = \"20 days\" }\n");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("workspace.toml"), text).expect("written");
    (Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}")), folder)
}

/// A service with these products, whose clock the test moves.
struct Moved {
    app: TestApp,
    ahead: Arc<AtomicI64>,
    clock: Clock,
    products: Products,
    _folder: tempfile::TempDir,
}

impl Moved {
    /// Beside a service of the frame, on its database.
    async fn beside(app: &TestApp) -> Self {
        let (products, folder) = products();
        let ahead = Arc::new(AtomicI64::new(0));
        let moved = ahead.clone();
        // It stands still but for the test: what happens at one moment is told apart by the test alone.
        let start = Clock::system().now().0 / DAY * DAY;
        let clock = Clock::new(move || Timestamp(start + moved.load(Ordering::SeqCst)));
        let app = app.beside_with_clock_and_products(clock.clone(), products.clone()).await;
        Self { app, ahead, clock, products, _folder: folder }
    }

    /// So many days after the beginning.
    fn day(&self, days: i64) {
        self.ahead.store(days * DAY, Ordering::SeqCst);
    }

    fn admin(&self, organization: &str) -> Caller<'_> {
        self.app.admin("workspace", organization).lasting()
    }

    fn sweeper(&self) -> Sweeper {
        let app = &self.app.app;
        Sweeper::new(app.store.clone(), app.services.writer.clone(), self.products.clone(), self.clock.clone())
    }

    /// Sweeps as a service that has seen every week.
    async fn sweep(&self) -> Tally {
        self.sweeper().trust_clock().await.expect("trusted");
        self.try_sweep().await.expect("swept")
    }

    async fn try_sweep(&self) -> Result<Tally> {
        self.sweeper().sweep().await
    }
}

/// An event of an action, with its place in the log where it is a project's.
fn of(action: &str, project: Option<&str>) -> Value {
    let mut input = event(action);
    if let Some(project) = project {
        input["log"] = json!({ "level": "project", "id": project });
    }
    input
}

/// The newest actions, without the service's own.
async fn listed(caller: &Caller<'_>) -> Vec<String> {
    let mut actions = caller.actions("first: 100").await;
    actions.retain(|action| !action.starts_with("audit_log."));
    actions
}
