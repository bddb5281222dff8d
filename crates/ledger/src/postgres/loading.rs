//! What postgres-es reads streams through: a pool of sqlx's, which it asks for.
//! One for each runtime that asks, for the reason given in `lines`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use postgres_es::PostgresEventRepository;
use sqlx::postgres::{PgConnectOptions, PgPool};

use super::lines::{Home, home};
use super::pool_options;
use super::read::repository;

/// Repositories, each with its pool.
pub(super) struct Loading {
    options: PgConnectOptions,
    most: u32,
    homes: Mutex<HashMap<Home, (PgPool, Arc<PostgresEventRepository>)>>,
}

impl Loading {
    /// With about so many connections in all: one at least for each processor.
    pub(super) fn new(options: PgConnectOptions, connections: u32) -> Self {
        let processors = available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok()).unwrap_or(1);
        Self { options, most: connections.div_ceil(processors), homes: Mutex::default() }
    }

    /// The repository to be used from here.
    pub(super) fn repository(&self) -> Arc<PostgresEventRepository> {
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, repository) = homes.entry(home()).or_insert_with(|| {
            let pool = pool_options(self.most).connect_lazy_with(self.options.clone());
            (pool.clone(), Arc::new(repository(pool)))
        });
        Arc::clone(repository)
    }

    /// Closes for good.
    pub(super) async fn close(&self) {
        let homes = std::mem::take(&mut *self.homes.lock().unwrap_or_else(PoisonError::into_inner));
        for (pool, _) in homes.into_values() {
            pool.close().await;
        }
    }
}
