//! The service as it runs: store, keys, followers and the HTTP server, wired
//! from settings. Used by `serve`, by the demonstration and by the stories.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use lastresort_api::access::Access;
use lastresort_api::care::Operations;
use lastresort_api::limits::{RateLimiter, RateSettings};
use lastresort_api::names::Names;
use lastresort_api::problem::translate;
use lastresort_api::reads::ReadLog;
use lastresort_api::service::Service;
use lastresort_api::token::{IssuerSettings, KeySource, TokenSettings, Verifier};
use lastresort_api::{contract, measure, routes};
use lastresort_ledger::clock::Clock;
use lastresort_ledger::desk::Desk;
use lastresort_ledger::follow::Follower;
use lastresort_ledger::kept::Kept;
use lastresort_ledger::keys::{Keyring, RootKey, root_key_from_file};
use lastresort_ledger::postgres::PostgresStore;
use lastresort_ledger::sqlite::SqliteStore;
use lastresort_ledger::store::{AnyStore, Store, StoreError};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::task::JoinHandle;

use crate::beside::Beside;
use crate::config::{ConfigError, Settings, StoreAt};
use crate::issuer::{ISSUER, IssuerError, LocalIssuer};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store or the keys.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The local issuer.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The address.
    #[error("cannot listen on {0}: {1}")]
    Listen(String, std::io::Error),
    /// Anything else that is told.
    #[error("{0}")]
    Other(String),
}

/// A store opened with its keys, and the clock: all a command line needs.
///
/// # Errors
/// Where store or keys cannot be had.
pub async fn desk(settings: &Settings, clock: Clock) -> Result<Desk, StartError> {
    let folder = settings.keys_folder()?;
    let given = given_root_key(settings)?;
    let store: AnyStore = match settings.store_at()? {
        StoreAt::Sqlite(folder) => Arc::new(SqliteStore::open(&folder)?),
        StoreAt::Postgres(url) => Arc::new(PostgresStore::connect(&url, settings.connections).await?),
    };
    let root = match given {
        Some(key) => key,
        None => root_key(&*store, &folder).await?,
    };
    let keys = Arc::new(Keyring::open(&*store, &root, &folder).await?);
    let kept = Arc::new(Kept::new(settings.kept_mib.saturating_mul(1 << 20)));
    Ok(Desk { store, keys, clock, kept, turns: Arc::default() })
}

/// The root key as told; on PostgreSQL it must be.
fn given_root_key(settings: &Settings) -> Result<Option<RootKey>, StartError> {
    if !settings.root_key.0.is_empty() {
        let unusable = |_| StartError::Other("root_key must be 64 hexadecimal digits".to_owned());
        return RootKey::from_hex(&settings.root_key.0).map(Some).map_err(unusable);
    }
    match settings.store_at()? {
        StoreAt::Sqlite(_) => Ok(None),
        StoreAt::Postgres(_) => {
            Err(StartError::Other("on PostgreSQL the root key must be given: set LASTRESORT_ROOT_KEY to 64 hexadecimal digits".to_owned()))
        }
    }
}

/// The root key in its file; one is made for a store that is new.
async fn root_key(store: &dyn Store, folder: &Path) -> Result<RootKey, StartError> {
    let (key, path, made) = root_key_from_file(store, folder).await?;
    if made {
        tracing::warn!(path = %path.display(), "a root key was made; keep it apart from the data and its backups");
    } else {
        tracing::info!(path = %path.display(), "the root key is in this file");
    }
    Ok(key)
}

/// The service, running.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it stands on.
    pub service: web::Data<Service>,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    beside: Beside,
}

/// Starts the service; it answers when this returns.
///
/// # Errors
/// Where anything it needs cannot be had.
pub async fn start(settings: &Settings, clock: Clock) -> Result<Running, StartError> {
    start_on(settings, desk(settings, clock).await?).await
}

/// The same on a desk that was opened before.
///
/// # Errors
/// Where anything else it needs cannot be had.
pub async fn start_on(settings: &Settings, desk: Desk) -> Result<Running, StartError> {
    let (tokens, issuer) = tokens(settings)?;
    let client = client(settings).map_err(|error| StartError::Other(error.to_string()))?;
    let verifier = Verifier::try_new(tokens, &client).map_err(|error| StartError::Other(error.to_string()))?;
    verifier.warm().await;
    let follower = Follower::start(Arc::clone(&desk.store), lastresort_views::all(), desk.clock.clone()).await?;
    let limiter = NonZeroU32::new(settings.rate_per_second).map(|per_second| {
        let burst = NonZeroU32::new(settings.rate_burst).unwrap_or(per_second);
        RateLimiter::new(RateSettings { name: "caller", per_second, burst })
    });
    let table = routes::table();
    let service = web::Data::new(Service {
        desk,
        follower,
        verifier,
        operators: settings.operator_subjects().into_iter().map(|subject| (issuer.clone(), subject)).collect(),
        limiter,
        access: Access::default(),
        names: Names::default(),
        reads: ReadLog::default(),
        operations: Operations::default(),
        places: Arc::new(table.places.clone()),
        told: Arc::new(table.told.clone()),
        contract: contract::text(table).into(),
    });
    listen(settings, service)
}

fn listen(settings: &Settings, service: web::Data<Service>) -> Result<Running, StartError> {
    let summed = figures()?;
    let figures = web::Data::new(summed.clone());
    let origins = settings.origins();
    let data = service.clone();
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(figures.clone())
            .configure(routes::routes)
            .wrap(from_fn(measure::measure))
            .wrap(from_fn(translate))
            .wrap(cors(&origins))
    })
    .shutdown_timeout(30)
    .client_request_timeout(Duration::from_secs(10))
    .tcp_nodelay(true)
    .disable_signals();
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let unheard = |error| StartError::Listen(settings.listen.clone(), error);
    let server = server.bind(&settings.listen).map_err(unheard)?;
    let address = server.addrs().first().copied().ok_or_else(|| StartError::Other("no address to listen on".to_owned()))?;
    let server = server.run();
    let beside = Beside::start(service.clone(), summed);
    Ok(Running { address, service, handle: server.handle(), serving: tokio::spawn(server), beside })
}

impl Running {
    /// Ends gracefully: what was begun is answered, what was accepted is kept.
    ///
    /// # Errors
    /// Where the server failed while it ran.
    pub async fn stop(self) -> std::io::Result<()> {
        self.handle.stop(true).await;
        let served = self.serving.await;
        self.beside.stop().await;
        self.service.reads.flush(&self.service.desk).await;
        self.service.follower.stop().await;
        self.service.desk.store.close().await;
        served.unwrap_or(Ok(()))
    }
}

/// Whose tokens are believed, and the issuer among them whose subjects are operators.
pub(crate) fn tokens(settings: &Settings) -> Result<(TokenSettings, String), StartError> {
    let (issuer, keys) = if settings.issuer.is_empty() {
        let local = LocalIssuer::open(&settings.keys_folder()?, &settings.audience)?;
        tracing::warn!("no issuer is configured: tokens of the local issuer are believed, which is for development only");
        (ISSUER.to_owned(), KeySource::Pem(local.public_pem()?))
    } else {
        let by_url = settings.jwks.starts_with("http://") || settings.jwks.starts_with("https://");
        let keys = if by_url { KeySource::Url(settings.jwks.clone()) } else { KeySource::File(settings.jwks.clone().into()) };
        (settings.issuer.clone(), keys)
    };
    let issuers = vec![IssuerSettings { issuer: issuer.clone(), audience: settings.audience.clone(), keys }];
    Ok((TokenSettings { issuers }, issuer))
}

/// What fetches keys. Certificates are needed, and looked for, only where they
/// come over TLS: a bare machine may have none.
pub(crate) fn client(settings: &Settings) -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder();
    let client = if settings.jwks.starts_with("https://") { client } else { client.tls_certs_only([]) };
    client.build()
}

/// The process's figures: one recorder, however many services are started in it.
fn figures() -> Result<PrometheusHandle, StartError> {
    static FIGURES: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    let made = FIGURES.get_or_init(|| PrometheusBuilder::new().install_recorder().map_err(|error| error.to_string()));
    made.clone().map_err(StartError::Other)
}

fn cors(origins: &[String]) -> Cors {
    let exposed = [
        "ETag",
        "Location",
        "Link",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
        "Ledger-Position",
        "Idempotent-Replayed",
        "Deprecation",
        "Sunset",
    ];
    let cors = Cors::default().allow_any_method().allow_any_header().expose_headers(exposed).max_age(600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
