//! The service put together: store, writer, keys, schema and routes.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use axum::{Router, serve::Listener};
use ipnet::IpNet;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    chance::Chance,
    clock::Clock,
    config::Settings,
    delivery::{
        Alerts, Courier, Outbound,
        alerts::rules::Rules,
        endpoint::Endpoints,
        export::{Exports, Files},
        sinks::{Lines, Ways},
    },
    error::Error,
    graphql::{AppSchema, Services, execute::Executor, schema_builder},
    http::{
        Address, Bodies, Edge, Peer, ReadRate,
        connections::{self, LAME},
        router,
    },
    ingest::Writer,
    keys::{Keys, Partners, Plans},
    reading::Reader,
    retention::{Sweeper, erasure::Eraser, list_file::ListFile},
    store::Store,
    tasks,
};

/// How long callers are waited for once no more are taken.
const DRAIN: Duration = Duration::from_secs(20);
/// How long what is queued is waited for after that: it is a group or two.
const QUEUED: Duration = Duration::from_secs(5);

/// A running service without its listener.
pub struct App {
    /// The database.
    pub store: Store,
    /// What resolvers work with: the two doors and the clock.
    pub services: Services,
    /// Who may sign tokens.
    pub keys: Arc<Keys>,
    /// The executable schema.
    pub schema: AppSchema,
    /// The routes.
    pub router: Router,
    /// The page that is shown first, if there is one.
    first: Arc<OnceLock<String>>,
    writing: JoinHandle<()>,
    courier: Arc<Courier>,
    alerts: Arc<Alerts>,
    /// Tasks that end with the service.
    beside: Vec<JoinHandle<()>>,
    /// Says that the service stops, to whoever is connected for long.
    stopping: watch::Sender<bool>,
    /// Networks of proxies, which bring the connections of many.
    proxies: Arc<[IpNet]>,
}

impl App {
    /// Opens the database and starts the writer.
    ///
    /// # Errors
    /// Whatever keeps the service from starting, in words.
    pub async fn start(settings: &Settings, keys: Keys, clock: Clock, chance: Chance) -> Result<Self> {
        let store = open_store(settings, &clock, chance.clone()).await?;
        let unsafe_settings = store.unsafe_settings().await.map_err(with_cause)?;
        if !unsafe_settings.is_empty() {
            tracing::warn!(
                "LEDGERLINE_ALLOW_UNSAFE_DURABILITY: what is acknowledged may be lost when the database's machine crashes, \
                 because {} is off there",
                unsafe_settings.join(" and ")
            );
        }
        store.refuse_unfinished_copy().await.map_err(with_cause)?;
        if store.is_closed().await.map_err(with_cause)? {
            tracing::error!("{}; it is read, and sends nothing", Error::Closed);
        }
        let store = match &settings.read_database_url {
            Some(url) => store.with_replica(url).await.map_err(with_cause).context("the replica cannot be opened")?,
            None => store,
        };
        let (writer, writing) = Writer::start(store.clone(), clock.clone()).await.map_err(with_cause)?;
        let writer = writer.limited(settings.record_rate);
        let upkeep = beside("upkeep", &(store.clone(), clock.clone()), |(store, clock)| async move {
            store.look_after(&clock).await;
        });
        let tending = beside("replica", &store, |store| async move { store.tend_replica().await });
        let news = beside("news", &store, |store| async move { store.carry_news().await });
        let (stopping, on_stop) = watch::channel(false);
        let reader = Reader::new(store.clone(), clock.clone());
        let ways = ways(settings)?;
        let (products, plans) = (keys.products().clone(), Plans::new(store.clone()));
        let courier = Courier::new(
            store.clone(),
            reader.clone(),
            products,
            plans.clone(),
            clock.clone(),
            chance.clone(),
            ways.clone(),
        );
        let courier = Arc::new(courier);
        let sending = beside("courier", &courier, |courier| async move { courier.run().await });
        let endpoints = Arc::new(Endpoints {
            writer: writer.clone(),
            store: store.clone(),
            reader: reader.clone(),
            clock: clock.clone(),
            chance: chance.clone(),
            ways: ways.clone(),
            changed: courier.changed(),
        });
        let mailer = settings.mailer().map_err(anyhow::Error::msg)?;
        let alerts = Arc::new(Alerts {
            writer: writer.clone(),
            store: store.clone(),
            reader: reader.clone(),
            products: keys.products().clone(),
            plans: plans.clone(),
            clock: clock.clone(),
            chance: chance.clone(),
            ways,
            mailer,
            changed: Arc::default(),
            posted: Notify::new(),
            owner: chance.bits(62) | 1,
        });
        let alerting = beside("alerts", &alerts, |alerts| async move { alerts.run().await });
        let rules = Arc::new(Rules {
            writer: writer.clone(),
            store: store.clone(),
            reader: reader.clone(),
            clock: clock.clone(),
            chance: chance.clone(),
            has_mail: alerts.mailer.is_some(),
            changed: alerts.changed.clone(),
        });
        let partners = Partners::new(store.clone(), keys.products().clone(), settings.keys_folder(), chance.clone());
        let partners = Arc::new(partners);
        keys.accept(partners.clone(), plans.clone());
        let uses = beside("last uses", &partners, |partners| async move { partners.look_after().await });
        let files = Files::open(&settings.exports_place()).context("LEDGERLINE_EXPORTS cannot be used")?;
        let exports = Exports::new(
            store.clone(),
            reader.clone(),
            files,
            keys.products().clone(),
            plans.clone(),
            clock.clone(),
            chance.clone(),
        );
        let exports = Arc::new(exports.below(settings.base_path.clone()));
        let exporting = beside("exports", &exports, |exports| async move { Box::pin(exports.work()).await });
        let sweeper = Sweeper::new(store.clone(), writer.clone(), keys.products().clone(), clock.clone());
        let sweeping = beside("sweep", &sweeper, |sweeper| async move { Box::pin(sweeper.run()).await });
        let eraser = Eraser::new(
            store.clone(),
            writer.clone(),
            exports.clone(),
            keys.products().clone(),
            clock.clone(),
            chance.clone(),
        );
        let eraser = Arc::new(eraser.keeping_list(settings.erasure_list().map(ListFile::new)));
        let erasing = beside("erasures", &eraser, |eraser| async move { eraser.run().await });
        // What the service itself reads, to deliver it, is no read of anybody's.
        let reader = reader.telling(writer.clone());
        let services = Services {
            writer,
            reader,
            endpoints,
            rules,
            partners,
            plans,
            exports,
            eraser,
            clock,
            chance: chance.clone(),
        };
        let builder = schema_builder().data(services.clone());
        // Suggestions would tell the names of the schema one by one.
        let builder =
            if settings.introspection { builder } else { builder.disable_introspection().disable_suggestions() };
        let schema = builder.finish();
        let keys = Arc::new(keys);
        let first = Arc::new(OnceLock::new());
        let proxies: Arc<[IpNet]> = settings.proxies().into();
        let edge = Edge {
            executor: Executor::new(schema.clone(), settings.introspection),
            services: services.clone(),
            keys: keys.clone(),
            bodies: Arc::<Bodies>::default(),
            read_rate: Arc::new(ReadRate::per_minute(settings.read_rate)),
            chance,
            metrics: metrics_handle(),
            origins: settings.origins().into(),
            proxies: proxies.clone(),
            first: first.clone(),
            base_path: settings.base_path.as_str().into(),
            stopping: on_stop,
        };
        let router = router(edge, &settings.headers());
        Ok(Self {
            store,
            services,
            keys,
            schema,
            router,
            first,
            writing,
            courier,
            alerts,
            beside: vec![upkeep, tending, news, sending, alerting, uses, exporting, sweeping, erasing],
            stopping,
            proxies,
        })
    }

    /// Shows a page first, in the place of the viewer, from now on.
    pub fn show_first(&self, page: String) {
        let _ = self.first.set(page);
    }

    /// Serves until `stop` and for a second more, then answers who is waiting, commits what is queued and closes the
    /// database, all within half a minute.
    ///
    /// # Errors
    /// The end of the writer task: a service that cannot record must not go on as if it could.
    pub async fn serve<L>(self, listener: L, stop: impl Future<Output = ()> + Send + 'static) -> Result<()>
    where
        L: Listener<Addr: Address>,
    {
        let Self {
            store, services, keys, schema, router, mut writing, courier, alerts, beside, stopping, proxies, ..
        } = self;
        drop((keys, schema));
        let on_stop = stopping.subscribe();
        let mut stopped = stopping.subscribe();
        let trusted = move |peer: Peer| peer.is_trusted(&proxies);
        let serving = connections::serve(listener, router, trusted, on_stop);
        let stop = async {
            stop.await;
            tracing::info!("stopping: waiting for requests and the queue");
            stopping.send_replace(true);
            std::future::pending::<()>().await;
        };
        let overdue = async {
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(LAME + DRAIN).await;
        };
        tokio::select! {
            () = serving => {}
            () = stop => {}
            ended = &mut writing => {
                tracing::error!("the writer task ended while the service was running");
                ended.context("the writer task ended")?;
                bail!("the writer task ended");
            }
            () = overdue => tracing::warn!("requests were still open after {} s", DRAIN.as_secs()),
        }
        Self::finish(store, services, writing, &courier, alerts, beside).await;
        Ok(())
    }

    /// Commits what is queued and closes the database.
    pub async fn close(self) {
        let Self { store, services, keys, schema, router, writing, courier, alerts, beside, stopping, .. } = self;
        stopping.send_replace(true);
        drop((keys, schema, router));
        Self::finish(store, services, writing, &courier, alerts, beside).await;
    }

    async fn finish(
        store: Store,
        services: Services,
        writing: JoinHandle<()>,
        courier: &Courier,
        alerts: Arc<Alerts>,
        beside: Vec<JoinHandle<()>>,
    ) {
        let partners = services.partners.clone();
        drop(services);
        for task in beside {
            task.abort();
            let _ = task.await;
        }
        if let Err(error) = alerts.let_go().await {
            tracing::warn!("rules are not let go of, so another process has them ten seconds late: {error}");
        }
        // It has a handle of the writer.
        drop(alerts);
        // Routes and tasks held the other handles of the writer, and are gone. A handle that is left is not waited for.
        let _ = tokio::time::timeout(QUEUED, writing).await;
        if let Err(error) = courier.let_go().await {
            tracing::warn!("endpoints are not let go of, so another process has them half a minute late: {error}");
        }
        partners.write_uses().await;
        store.close().await;
    }
}

/// Starts a task that lives as long as the service: with `of`, and with a copy of it again each time that it panicked.
fn beside<T: Clone + Send + 'static, F: Future<Output: Send> + Send + 'static>(
    name: &'static str,
    of: &T,
    run: impl Fn(T) -> F + Clone + Send + Sync + 'static,
) -> JoinHandle<()> {
    let of = of.clone();
    let start = move || {
        let running = run(of.clone());
        async move {
            running.await;
        }
    };
    #[expect(clippy::disallowed_methods, reason = "it is kept, and ended with the service")]
    tokio::spawn(tasks::keep(name, start))
}

/// The process's metrics; one recorder a process, however many services.
fn metrics_handle() -> Option<PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).clone()
}

/// How endpoints are reached.
///
/// # Errors
/// Where TLS cannot be set up.
pub fn ways(settings: &Settings) -> Result<Ways> {
    Ok(Ways {
        outbound: Outbound::new(settings.networks()).map_err(with_cause)?,
        public_url: settings.public_url.as_deref().unwrap_or_default().trim_end_matches('/').to_owned(),
        lines: Lines::default(),
    })
}

/// Opens the database that the settings name.
///
/// # Errors
/// Which database it is, and why it cannot be opened.
pub async fn open_store(settings: &Settings, clock: &Clock, chance: Chance) -> Result<Store> {
    let url = &settings.database_url;
    let open = Store::open(url, settings.durability(), clock, chance).await.map_err(with_cause);
    open.with_context(|| format!("the database cannot be opened ({})", shown(url)))
}

/// An error with all its causes, for the log and the console alone.
pub fn with_cause(error: Error) -> anyhow::Error {
    match error {
        Error::Unavailable(cause) | Error::Internal(cause) => anyhow::Error::new(Cause(cause)),
        other => anyhow::Error::new(other),
    }
}

/// Causes, each told once: many errors have the text of their cause in their own.
#[derive(Debug)]
struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = self.0.to_string();
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !told.contains(&text) {
                told = format!("{told}: {text}");
            }
            next = cause.source();
        }
        f.write_str(&told)
    }
}

impl std::error::Error for Cause {}

/// A database URL without what may be a password: user and options.
#[must_use]
pub fn shown(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    // A question mark that nobody has written as %3F may stand in a password.
    let (before, rest) = match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (_, host))) => (format!("{scheme}://…@"), host),
        None => (String::new(), url),
    };
    format!("{before}{}", rest.split('?').next().unwrap_or_default())
}
