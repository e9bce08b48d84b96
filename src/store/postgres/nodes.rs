//! Which nodes of a cluster answer. One that is gone refuses at once. One that is silent keeps whoever asks it waiting, and
//! the coordinator's process for the question, too, until it speaks again: nothing ends that. So a silent node is found
//! out by a question that ends by itself, nobody waits for it once it is known, and it is asked by the service alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sqlx::{ConnectOptions as _, Connection, PgConnection, Row, raw_sql};
use tokio::{
    pin, select,
    sync::watch,
    time::{sleep, timeout},
};

use super::address::Address;
use crate::{
    error::{Error, Result},
    store::{ACQUIRE, error as store_error},
    tasks,
};

/// How long it is believed on which node an organization is: the operator may move it.
const BELIEVED: Duration = Duration::from_secs(60);
/// How long a statement may take before the nodes are asked whether they are there; it goes on meanwhile.
const SLOW: Duration = Duration::from_secs(1);
/// How long after a node did not answer it is asked again: twice as long each time, up to the second.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MOST: Duration = Duration::from_secs(5);
/// How long a node has to accept a connection; with [`SLOW`], less than a reader waits for its turn.
pub(in crate::store) const CONNECT: &str = "3s";

#[derive(Debug, thiserror::Error)]
#[error("the node {0} of the cluster does not answer")]
pub(in crate::store) struct NodeGone(i32);

#[derive(Debug, thiserror::Error)]
#[error("no node of the cluster answers")]
struct AllGone;

/// What is known of the nodes of a cluster, by their groups, which keep their numbers when a node fails over.
pub(in crate::store) struct Nodes {
    address: Arc<Address>,
    of: Mutex<Option<(Instant, HashMap<i64, i32>)>>,
    gone: watch::Sender<BTreeSet<i32>>,
    /// When all that were not gone were asked last. Who asks holds it.
    asked: tokio::sync::Mutex<Option<Instant>>,
    /// Whether those that are gone are being asked.
    waits: AtomicBool,
}

impl Nodes {
    pub(super) fn of_cluster(address: Arc<Address>) -> Arc<Self> {
        Arc::new(Self {
            address,
            of: Mutex::default(),
            gone: watch::Sender::default(),
            asked: tokio::sync::Mutex::default(),
            waits: AtomicBool::new(false),
        })
    }

    fn of(&self) -> MutexGuard<'_, Option<(Instant, HashMap<i64, i32>)>> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.as_ref().is_some_and(|(since, _)| since.elapsed() > BELIEVED) {
            *of = None;
        }
        of
    }

    /// The nodes that do not answer.
    pub fn gone(&self) -> BTreeSet<i32> {
        self.gone.borrow().clone()
    }

    /// Refuses what needs a node that does not answer; whoever waited for it would keep others waiting. What needs no node
    /// that is known needs all of them: a new organization is told to each.
    pub fn must_answer(&self, nodes: &[i32]) -> Result<()> {
        let gone = self.gone.borrow();
        match gone.iter().find(|node| nodes.is_empty() || nodes.contains(node)) {
            Some(node) => Err(Error::Unavailable(Arc::new(NodeGone(*node)))),
            None => Ok(()),
        }
    }

    /// An organization on one of some nodes, of those that are known.
    pub fn some_organization(&self, nodes: &BTreeSet<i32>) -> Option<i64> {
        let of = self.of();
        let (_, of) = of.as_ref()?;
        of.iter().find(|(_, node)| nodes.contains(node)).map(|(no, _)| *no)
    }

    /// The nodes of those organizations that are known.
    pub fn known(&self, numbers: &[i64]) -> HashMap<i64, i32> {
        let of = self.of();
        let known = |no: &i64| of.as_ref().and_then(|(_, of)| Some((*no, *of.get(no)?)));
        numbers.iter().filter_map(known).collect()
    }

    /// Remembers nodes of organizations.
    pub fn learn(&self, nodes: impl Iterator<Item = (i64, i32)>) -> HashMap<i64, i32> {
        let learnt: HashMap<i64, i32> = nodes.collect();
        let mut of = self.of();
        of.get_or_insert_with(|| (Instant::now(), HashMap::new())).1.extend(&learnt);
        learnt
    }

    /// Waits for a statement, of an organization if one is named. If it is slow, and a node is found not to answer that did
    /// when it began, it is given up: it may wait for that node, and no time limit would end it.
    ///
    /// # Errors
    /// The number of the node that is gone.
    pub async fn watch<T>(
        self: Arc<Self>,
        organization_no: Option<i64>,
        statement: impl Future<Output = T>,
    ) -> Result<T, NodeGone> {
        let mut before = self.gone();
        // One that it is known to need is not waited for at all.
        let needed = organization_no.and_then(|no| self.known(&[no]).remove(&no));
        if let Some(node) = needed.filter(|node| before.remove(node)) {
            return Err(NodeGone(node));
        }
        pin!(statement);
        loop {
            select! {
                done = &mut statement => return Ok(done),
                () = sleep(SLOW) => {}
            }
            select! {
                done = &mut statement => return Ok(done),
                () = self.look() => {}
            }
            if let Some(node) = self.gone().difference(&before).next() {
                return Err(NodeGone(*node));
            }
        }
    }

    /// Asks the nodes whether they are there, those apart that are known to be gone. Questions at the same time are one.
    pub async fn look(self: &Arc<Self>) {
        let since = Instant::now();
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|asked| asked >= since) {
            return;
        }
        let before = self.gone();
        match self.ask(|node| !before.contains(&node)).await {
            Ok(answers) => self.note(&answers),
            // Of the nodes, nothing is known then.
            Err(error) => tracing::debug!("the coordinator does not say which nodes there are: {error}"),
        }
        *asked = Some(Instant::now());
    }

    /// The nodes that answer and those that do not, after those were asked of which the latter is not known.
    ///
    /// # Errors
    /// `UNAVAILABLE` where none does.
    pub async fn there_and_gone(self: &Arc<Self>) -> Result<(BTreeSet<i32>, BTreeSet<i32>)> {
        let before = self.gone();
        let answers = self.ask(|node| !before.contains(&node)).await;
        let answers = answers.map_err(|fault| store_error::from(store_error::of_sqlx(fault)))?;
        self.note(&answers);
        let there: BTreeSet<i32> = answers.into_iter().filter(|(_, answers)| *answers).map(|(node, _)| node).collect();
        if there.is_empty() {
            return Err(Error::Unavailable(Arc::new(AllGone)));
        }
        Ok((there, self.gone()))
    }

    /// Asks nodes whether they are there, all at once, on connections of their own: those of the pools may all be waiting.
    async fn ask(&self, which: impl Fn(i32) -> bool) -> Result<BTreeMap<i32, bool>, sqlx::Error> {
        let mut connection = self.connect().await?;
        // By hand: the catalog of Citus, and a function of it.
        let listed = "SELECT DISTINCT groupid FROM pg_dist_node WHERE noderole = 'primary' AND shouldhaveshards";
        let listed = timeout(ACQUIRE, raw_sql(listed).fetch_all(&mut connection)).await;
        let listed = listed.map_err(|_| sqlx::Error::PoolTimedOut)??;
        drop(connection);
        let listed = listed.iter().filter_map(|row| row.try_get::<i32, _>(0).ok()).filter(|node| which(*node));
        let ask = async |node: i32| {
            let mut connection = self.connect().await?;
            let asked = sqlx::query_scalar::<_, Option<bool>>(
                "SELECT citus_check_connection_to_node(nodename, nodeport) FROM pg_dist_node \
                 WHERE noderole = 'primary' AND shouldhaveshards AND groupid = $1",
            );
            let answers = timeout(ACQUIRE, asked.bind(node).fetch_optional(&mut connection)).await;
            let _ = timeout(SLOW, connection.close()).await;
            match answers {
                Ok(answers) => Ok((node, answers?.flatten() == Some(true))),
                Err(_) => Ok((node, false)),
            }
        };
        join_all(listed.map(ask)).await.into_iter().collect()
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let connected = async {
            let options = self.address.options().await?.extra_float_digits(None).application_name("ledgerline");
            let mut connection = options.disable_statement_logging().connect().await?;
            let set = format!("SET citus.node_connection_timeout = '{CONNECT}'");
            raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut connection).await?;
            Ok(connection)
        };
        timeout(ACQUIRE + self.address.patience(), connected).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Notes which nodes have answered, and has those asked again that have not.
    fn note(self: &Arc<Self>, answers: &BTreeMap<i32, bool>) {
        self.gone.send_if_modified(|gone| {
            let mut is_other = false;
            for (&node, &answers) in answers {
                if answers && gone.remove(&node) {
                    tracing::info!(node, "the node {node} of the cluster answers again");
                    is_other = true;
                } else if !answers && gone.insert(node) {
                    tracing::error!(
                        node,
                        "the node {node} of the cluster does not answer: its organizations are refused until it does"
                    );
                    is_other = true;
                }
            }
            is_other
        });
        if !self.gone.borrow().is_empty() && !self.waits.swap(true, Ordering::AcqRel) {
            // It ends with the store.
            let nodes = Arc::downgrade(self);
            #[expect(clippy::disallowed_methods, reason = "`keep` makes a panic loud")]
            drop(tokio::spawn(tasks::keep("nodes of the cluster", move || wait(nodes.clone()))));
        }
    }
}

/// Asks nodes that are gone until they are there.
async fn wait(nodes: std::sync::Weak<Nodes>) {
    let mut pause = PAUSE;
    loop {
        sleep(pause).await;
        pause = (2 * pause).min(PAUSE_MOST);
        let Some(nodes) = nodes.upgrade() else { return };
        let gone = nodes.gone();
        if let Ok(mut answers) = nodes.ask(|node| gone.contains(&node)).await {
            // One that was taken out of the cluster is not waited for.
            for node in &gone {
                answers.entry(*node).or_insert(true);
            }
            nodes.note(&answers);
        }
        if nodes.gone.borrow().is_empty() {
            nodes.waits.store(false, Ordering::Release);
            // One may have gone between the look and the word.
            nodes.note(&BTreeMap::new());
            return;
        }
    }
}
