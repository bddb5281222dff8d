//! The store on PostgreSQL: any number of servers, one database.
//!
//! Appends go through writers, one per organisation at work (`write`), who run
//! batches (`settle`, `batch`) on connections of their own (`lines`). Streams are
//! loaded through postgres-es, several at a time (`loading`). Everything else is
//! read on connections of its own as well, or goes through a pool where it is seldom: ledgers and keys (`read`, `event`), rows and
//! questions to them (`rows`, `ask`). `news` carries word of moved ledgers from
//! server to server, `schema` makes the tables, `fault` tells errors apart.
//! There is no SQL of this database anywhere else.

mod ask;
mod batch;
mod event;
mod fault;
mod lines;
mod loading;
mod news;
mod read;
mod rows;
mod schema;
mod settle;
mod write;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lastresort_fact::{Instant, KeyId, OrganisationId, PersonId};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Executor as _};
use tokio::sync::broadcast;
use uuid::Uuid;

use self::lines::{GREETING, Lines, RESTED};
use self::loading::Loading;
use self::news::{Courier, News};
use self::settle::Settler;
use self::write::Writers;
use crate::append::{Append, ClaimName, Digest, Head, Outcome, StoredCommand, StreamRef};
use crate::rows::{Ask, Generation, Parked, Row, RowCommit, RowId, Table};
use crate::store::{DataKeyRow, Kind, Moved, Store, StoreError, StoredEvent, StreamEvent};

/// How long a reader waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Statements each connection keeps prepared: a few per view, and our own.
const STATEMENTS: usize = 256;

/// Ledgers, keys and rows in a PostgreSQL database.
pub struct PostgresStore {
    /// What is done seldom.
    pool: PgPool,
    loading: Loading,
    reading: Lines,
    writers: Writers,
    news: News,
    _courier: Courier,
}

impl PostgresStore {
    /// Connects, and brings the schema up to date. A third of `connections` are
    /// for appends, a third for loading streams, a third for everything else,
    /// at least one each; two more carry notifications.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be reached, and
    /// [`StoreError::InUse`] where a newer server has been there.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let options = options.statement_cache_capacity(STATEMENTS).application_name("lastresort");
        schema::migrate(&mut sqlx::PgConnection::connect_with(&options).await?).await?;
        let third = (connections / 3).max(1);
        let loading = Loading::new(options.clone(), third);
        let pool = pool(connections.saturating_sub(2 * third).max(1), options.clone()).await?;
        let reading = Lines::for_reading(options.clone(), third);
        let news = News::new();
        let courier = news.exchange(options.clone()).await?;
        let writers = Writers::new(Settler::new(Lines::for_appends(options, third), news.clone()));
        Ok(Self { pool, loading, reading, writers, news, _courier: courier })
    }
}

async fn pool(most: u32, options: PgConnectOptions) -> Result<PgPool, StoreError> {
    Ok(pool_options(most).connect_with(options).await?)
}

fn pool_options(most: u32) -> PgPoolOptions {
    let pool = PgPoolOptions::new().max_connections(most).acquire_timeout(PATIENCE).test_before_acquire(false);
    let pool = pool.after_connect(|connection, _| Box::pin(async move { connection.execute(GREETING).await.map(|_| ()) }));
    pool.before_acquire(|connection, seen| {
        Box::pin(async move { if seen.idle_for < RESTED { Ok(true) } else { Ok(connection.ping().await.is_ok()) } })
    })
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresStore")
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn moves(&self) -> broadcast::Receiver<Moved> {
        self.news.subscribe()
    }

    async fn append(&self, append: Append) -> Result<Outcome, StoreError> {
        self.writers.append(append).await
    }

    async fn stream(&self, organisation: OrganisationId, kind: Kind, id: Uuid, after: u64) -> Result<Vec<StreamEvent>, StoreError> {
        self.loading.stream(organisation, kind, id, after).await
    }

    async fn read(&self, organisation: OrganisationId, after: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = read::ledger(line.connection(), organisation, after, limit).await;
        line.answered(answer)
    }

    async fn read_stream(
        &self,
        organisation: OrganisationId,
        stream: &StreamRef,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = read::ledger_of_stream(line.connection(), organisation, stream, after, limit).await;
        line.answered(answer)
    }

    async fn head(&self, organisation: OrganisationId) -> Result<Option<Head>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = read::one_head(line.connection(), organisation).await;
        line.answered(answer)
    }

    async fn heads(&self) -> Result<Vec<(OrganisationId, Head)>, StoreError> {
        read::all_heads(&self.pool).await
    }

    async fn command(&self, organisation: OrganisationId, key: Digest) -> Result<Option<StoredCommand>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = read::one_command(line.connection(), organisation, key).await;
        line.answered(answer)
    }

    async fn forget_commands(&self, before: Instant) -> Result<u64, StoreError> {
        read::forget_commands(&self.pool, before).await
    }

    async fn claim(&self, organisation: OrganisationId, claim: &ClaimName) -> Result<Option<StreamRef>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = read::claim(line.connection(), organisation, claim).await;
        line.answered(answer)
    }

    async fn data_keys(&self, organisation: OrganisationId, ids: &[KeyId]) -> Result<Vec<DataKeyRow>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = read::data_keys(line.connection(), organisation, ids).await;
        line.answered(answer)
    }

    async fn keys_about(&self, organisation: OrganisationId, subject: PersonId) -> Result<Vec<DataKeyRow>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = read::keys_about(line.connection(), organisation, subject).await;
        line.answered(answer)
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        read::setting(&self.pool, name).await
    }

    async fn keep_setting(&self, name: &str, value: &str) -> Result<String, StoreError> {
        read::keep_setting(&self.pool, name, value).await
    }

    async fn prepare_tables(&self, tables: &[Table]) -> Result<(), StoreError> {
        rows::prepare_tables(&self.pool, tables).await
    }

    async fn generations(&self, organisation: OrganisationId) -> Result<Vec<Generation>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = rows::generations(line.connection(), organisation).await;
        line.answered(answer)
    }

    async fn begin_generation(&self, organisation: OrganisationId, fingerprint: &str) -> Result<Generation, StoreError> {
        rows::begin_generation(&self.pool, organisation, fingerprint).await
    }

    async fn switch_generation(&self, organisation: OrganisationId, number: i64, tables: &[Table]) -> Result<bool, StoreError> {
        rows::switch_generation(&self.pool, organisation, number, tables).await
    }

    async fn commit_rows(&self, commit: RowCommit) -> Result<bool, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = rows::commit(line.connection(), &commit).await;
        line.answered(answer)
    }

    async fn rows(&self, organisation: OrganisationId, generation: i64, table: &Table, ids: &[RowId]) -> Result<Vec<Row>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = rows::by_id(line.connection(), organisation, generation, table, ids).await;
        line.answered(answer)
    }

    async fn ask(&self, ask: &Ask) -> Result<Vec<Row>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = ask::ask(line.connection(), ask).await;
        line.answered(answer)
    }

    async fn parked(&self, organisation: OrganisationId, generation: i64) -> Result<Vec<Parked>, StoreError> {
        let mut line = self.reading.take().await?;
        let answer = rows::parked(line.connection(), organisation, generation).await;
        line.answered(answer)
    }

    async fn lease(&self, organisation: OrganisationId, holder: Uuid, milliseconds: u32) -> Result<bool, StoreError> {
        rows::lease(&self.pool, organisation, holder, milliseconds).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        read::ping(&self.pool).await
    }

    async fn durability(&self) -> Result<Vec<(String, String)>, StoreError> {
        read::durability(&self.pool).await
    }

    async fn close(&self) {
        self.writers.close().await;
        self.reading.close().await;
        self.loading.close().await;
        self.pool.close().await;
    }
}
