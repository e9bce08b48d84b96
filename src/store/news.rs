//! News of what was recorded, for those who follow an organization.
//!
//! A wake-up says "look", never "this is all there is": whoever follows reads from the database, from the place that it
//! has got to. So one that is lost costs a second, and one too many costs a look. A commit of this process wakes at once.
//! For those of other processes the heads of all followed organizations are read every second, in one statement; and on
//! PostgreSQL other processes are told by NOTIFY, in statements of their own, since a NOTIFY inside of a recording would
//! make all recordings of the database commit one after the other.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};

use super::{
    Store,
    dialect::{CHUNK, Dialect, sql::Sql},
    error,
    head::Standing,
};
use crate::error::Result;

/// How often the heads of followed organizations are read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long commits are gathered before other processes are told of them.
const GATHER: Duration = Duration::from_millis(20);
/// How long is waited before a lost listener is replaced.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// The channel of PostgreSQL that processes tell each other by. What is said is `number:size`, parted by commas, or
/// [`REVOKED`].
const CHANNEL: &str = "ledgerline.news";
/// Says that tokens were revoked.
const REVOKED: &str = "revoked";
/// Longest that is said at once: PostgreSQL takes less than 8,000 bytes.
const PAYLOAD: usize = 7_900;

/// Product and external id of an organization.
type Name = (String, String);

/// Who follows what.
#[derive(Default)]
pub(super) struct News {
    followed: Mutex<HashMap<Name, Followed>>,
    /// Somebody follows an organization that nobody has followed before.
    more: Notify,
    /// Those who follow all organizations.
    all: Mutex<Vec<Weak<Unseen>>>,
    /// Other processes may have revoked tokens.
    revoked: Notify,
    /// What other processes have not been told of.
    untold: Mutex<Untold>,
    /// There is something to tell.
    grown: Notify,
}

/// What other processes are to be told of.
#[derive(Default)]
struct Untold {
    /// Sizes of organizations, by number.
    sizes: BTreeMap<i64, i64>,
    /// Tokens were revoked.
    is_revoked: bool,
}

impl Untold {
    /// What is to be said, in texts that are short enough.
    fn said(self) -> Vec<String> {
        let mut said: Vec<String> = self.is_revoked.then(|| REVOKED.to_owned()).into_iter().collect();
        for (no, size) in self.sizes {
            let one = format!("{no}:{size}");
            match said.last_mut() {
                Some(last) if last.len() + 1 + one.len() <= PAYLOAD => last.extend([",", &one]),
                _ => said.push(one),
            }
        }
        said
    }
}

/// An organization that somebody follows.
struct Followed {
    /// Its number, once it is known to have one.
    no: Option<i64>,
    size: watch::Sender<i64>,
}

impl Followed {
    /// Wakes those who follow it, if its size is another one than was known.
    fn tell(&self, size: i64) {
        self.size.send_if_modified(|known| std::mem::replace(known, size) != size);
    }
}

/// An organization that has grown.
pub(super) struct Grown<'a> {
    pub product: &'a str,
    pub organization: &'a str,
    pub no: i64,
    pub size: i64,
}

/// Sizes by number that somebody who follows all organizations has not seen.
#[derive(Default)]
struct Unseen {
    sizes: Mutex<BTreeMap<i64, i64>>,
    /// There is something among them.
    any: Notify,
}

/// Somebody who follows all organizations. Dropped, they are followed by one less.
pub struct Growth(Arc<Unseen>);

impl Growth {
    /// Waits until organizations have grown, as far as this process hears, and gives their sizes by number.
    pub async fn next(&self) -> BTreeMap<i64, i64> {
        loop {
            let seen = std::mem::take(&mut *self.0.sizes.lock().unwrap_or_else(PoisonError::into_inner));
            if !seen.is_empty() {
                return seen;
            }
            self.0.any.notified().await;
        }
    }
}

/// Somebody who follows an organization. Dropped, it is followed by one less.
pub struct Following {
    news: Arc<News>,
    name: Name,
    size: watch::Receiver<i64>,
}

impl Following {
    /// Waits until there may be news since this was last called, or since following began.
    pub async fn changed(&mut self) {
        // The sender lives as long as somebody follows.
        let _ = self.size.changed().await;
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut followed = self.news.followed();
        if followed.get(&self.name).is_some_and(|followed| followed.size.receiver_count() == 1) {
            followed.remove(&self.name);
        }
    }
}

impl News {
    fn followed(&self) -> MutexGuard<'_, HashMap<Name, Followed>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(self: &Arc<Self>, name: Name) -> Following {
        let mut followed = self.followed();
        let entry = followed.entry(name.clone()).or_insert_with(|| {
            self.more.notify_one();
            Followed { no: None, size: watch::Sender::new(0) }
        });
        let size = entry.size.subscribe();
        Following { news: self.clone(), name, size }
    }

    /// Wakes those who follow an organization.
    fn tell(&self, name: &Name, no: i64, size: i64) {
        if let Some(followed) = self.followed().get_mut(name) {
            followed.no = Some(no);
            followed.tell(size);
        }
    }

    /// Those who follow all organizations and are still there.
    fn whoever_follows_all(&self) -> Vec<Arc<Unseen>> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    }

    /// Adds to what those who follow all have not seen.
    fn tell_whoever_follows_all(&self, grown: impl Iterator<Item = (i64, i64)> + Clone) {
        for one in self.whoever_follows_all() {
            one.sizes.lock().unwrap_or_else(PoisonError::into_inner).extend(grown.clone());
            one.any.notify_one();
        }
    }

    /// Wakes those whom it concerns what another process says.
    fn hear(&self, said: &str) {
        if said.split(',').any(|one| one == REVOKED) {
            self.revoked.notify_one();
        }
        let sizes: HashMap<i64, i64> = said
            .split(',')
            .filter_map(|one| one.split_once(':'))
            .filter_map(|(no, size)| Some((no.parse().ok()?, size.parse().ok()?)))
            .collect();
        self.tell_whoever_follows_all(sizes.iter().map(|(no, size)| (*no, *size)));
        for followed in self.followed().values() {
            if let Some(&size) = followed.no.and_then(|no| sizes.get(&no)) {
                followed.tell(size);
            }
        }
    }

    /// Wakes everybody: what happened meanwhile is not known.
    fn tell_all(&self) {
        self.revoked.notify_one();
        for followed in self.followed().values() {
            followed.size.send_modify(|_| {});
        }
    }
}

impl Store {
    /// Follows an organization, which need not have recorded anything yet.
    #[must_use]
    pub fn follow(&self, product: &str, organization: &str) -> Following {
        self.news.follow((product.to_owned(), organization.to_owned()))
    }

    /// Follows all organizations from now on.
    #[must_use]
    pub fn growth(&self) -> Growth {
        let unseen = Arc::<Unseen>::default();
        self.news.all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&unseen));
        Growth(unseen)
    }

    /// Tells of organizations that have grown by a commit of this process.
    pub(super) fn tell_of_growth(&self, grown: &[Grown<'_>]) {
        let sizes = || grown.iter().map(|grown| (grown.no, grown.size));
        self.news.tell_whoever_follows_all(sizes());
        if !self.news.followed().is_empty() {
            for Grown { product, organization, no, size } in grown {
                self.news.tell(&((*product).to_owned(), (*organization).to_owned()), *no, *size);
            }
        }
        if self.dialect != Dialect::Sqlite && !grown.is_empty() {
            self.news.untold().sizes.extend(sizes());
            self.news.grown.notify_one();
        }
    }

    /// Tells other processes that a token was revoked.
    pub fn tell_of_revocation(&self) {
        if self.dialect != Dialect::Sqlite {
            self.news.untold().is_revoked = true;
            self.news.grown.notify_one();
        }
    }

    /// Waits until another process may have revoked a token. One that is not heard of is found when tokens are read anew.
    /// For one caller at a time.
    pub async fn tokens_revoked(&self) {
        self.news.revoked.notified().await;
    }

    /// Carries news from and to other processes, for ever.
    pub async fn carry_news(&self) -> ! {
        match self.dialect {
            Dialect::Sqlite => self.look_for_growth().await,
            Dialect::Postgres | Dialect::Citus => tokio::select! {
                never = self.look_for_growth() => never,
                never = self.tell_others() => never,
                never = self.hear_others() => never,
            },
        }
    }

    async fn look_for_growth(&self) -> ! {
        loop {
            if self.news.followed().is_empty() {
                self.news.more.notified().await;
            }
            if let Err(error) = self.look_at_heads().await {
                let cause = error.cause_text();
                tracing::warn!(
                    cause,
                    "whether followed organizations have grown cannot be read, it is tried again: {error}"
                );
            }
            // Somebody new is looked after at once: the organization's number is to be known.
            let _ = tokio::time::timeout(LOOK_EVERY, self.news.more.notified()).await;
        }
    }

    async fn look_at_heads(&self) -> Result<()> {
        let names: Vec<Name> = self.news.followed().keys().cloned().collect();
        for chunk in names.chunks(CHUNK) {
            let names = chunk.iter().map(|(product, id)| (product.as_str(), id.as_str()));
            for Standing { product, external_id, no, size, .. } in self.standings(&self.read, names).await?.0 {
                self.news.tell(&(product, external_id), no, size);
            }
        }
        Ok(())
    }

    async fn tell_others(&self) -> ! {
        loop {
            self.news.grown.notified().await;
            tokio::time::sleep(GATHER).await;
            let untold = std::mem::take(&mut *self.news.untold());
            for said in untold.said() {
                let told =
                    Sql::new("SELECT 1 AS n FROM (SELECT pg_notify(").bind(CHANNEL).with(", ", said).text(")) t");
                if let Err(error) = self.number_of(told).await {
                    tracing::debug!("other processes were not told of news, and will look for themselves: {error}");
                }
            }
        }
    }

    async fn hear_others(&self) -> ! {
        loop {
            if let Err(error) = self.listen().await {
                let error = error::from(error::of_sqlx(error));
                tracing::debug!("news of other processes are not heard, they are looked for every second: {error}");
            }
            tokio::time::sleep(LISTEN_AGAIN).await;
        }
    }

    async fn listen(&self) -> Result<(), sqlx::Error> {
        let Some(pool) = self.read.postgres() else { return Ok(()) };
        if pool.is_shared() {
            // What is said to a session arrives at whoever has it by then.
            return std::future::pending().await;
        }
        pool.look_again().await?;
        let mut listener = PgListener::connect_with(pool.connections().get_postgres_connection_pool()).await?;
        listener.listen(CHANNEL).await?;
        // What was said before was not heard.
        self.news.tell_all();
        loop {
            match listener.try_recv().await? {
                Some(said) => self.news.hear(said.payload()),
                None => self.news.tell_all(),
            }
        }
    }
}
