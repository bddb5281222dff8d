//! A PostgreSQL database of one story.

use std::fs;

use lastresort_ledger::postgres::PostgresStore;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use uuid::Uuid;

const ADDRESS: &str = "LASTRESORT_TEST_POSTGRES";

pub(crate) struct Database {
    server: String,
    name: String,
    first_of_log: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let server = std::env::var(ADDRESS).unwrap_or_else(|_| {
            panic!("{ADDRESS} must name a PostgreSQL server on which tests may make databases; `scripts/postgres cargo test` starts one")
        });
        let mut connection = PgConnection::connect(&server).await.expect("the server answers");
        let name = format!("test_{}", Uuid::new_v4().simple());
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.expect("a database");
        let first_of_log = log_file(&mut connection).await;
        Self { server, name, first_of_log }
    }

    pub(crate) fn url(&self) -> String {
        let (address, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (host, _) = address.rsplit_once('/').expect("an address names a database");
        format!("{host}/{}?{options}", self.name)
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.url(), 8).await.expect("a store")
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.expect("the database answers")
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.connection().await.execute(sql).await.expect("what the story asks of the database");
    }

    pub(crate) async fn drop(self) {
        let mut connection = PgConnection::connect(&self.server).await.expect("the server answers");
        connection.execute(format!("DROP DATABASE {} WITH (FORCE)", self.name).as_str()).await.expect("the database goes");
    }

    /// All rows of all tables, and the write-ahead log since this database was made.
    pub(crate) async fn everything(&self) -> Vec<u8> {
        let mut connection = self.connection().await;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT format('%I', table_name) FROM information_schema.tables WHERE table_schema = 'public'")
                .fetch_all(&mut connection)
                .await
                .expect("the tables");
        let mut all = Vec::new();
        for table in tables {
            let rows = sqlx::query(&format!("SELECT t::text FROM {table} AS t")).fetch_all(&mut connection).await.expect("the rows");
            all.extend(rows.iter().flat_map(|row| row.get::<String, _>(0).into_bytes()));
        }
        let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut connection).await.expect("a folder");
        let last = log_file(&mut connection).await;
        for entry in fs::read_dir(format!("{folder}/pg_wal")).expect("the log is on this machine") {
            let entry = entry.expect("an entry");
            if (self.first_of_log.as_str()..=last.as_str()).contains(&entry.file_name().to_str().expect("a name")) {
                all.extend(fs::read(entry.path()).expect("a file"));
            }
        }
        all
    }
}

async fn log_file(connection: &mut PgConnection) -> String {
    sqlx::query_scalar("SELECT pg_walfile_name(pg_current_wal_lsn())").fetch_one(connection).await.expect("the log's file")
}
