//! Where a world keeps things: a folder, and on PostgreSQL a database, both
//! gone when the world ends.

use std::fs;
use std::path::{Path, PathBuf};

use lastresort_server::config::{Flags, Secret, Settings};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tempfile::TempDir;

use super::{OPERATOR, a_uuid};

const ADDRESS: &str = "LASTRESORT_TEST_POSTGRES";

/// On which store a story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// SQLite, in a folder.
    Sqlite,
    /// PostgreSQL, in a database.
    Postgres,
}

/// A place of one world.
pub struct Place {
    folder: TempDir,
    database: Option<Database>,
}

struct Database {
    server: String,
    name: String,
}

impl Place {
    /// A new one.
    pub async fn new(on: On) -> Self {
        let database = match on {
            On::Sqlite => None,
            On::Postgres => Some(Database::new().await),
        };
        Self { folder: tempfile::tempdir().expect("a folder"), database }
    }

    /// What the service is told here, beside its defaults.
    pub fn flags(&self) -> Flags {
        let within = |name: &str| self.path(name).display().to_string();
        let store = self.database.as_ref().map_or_else(|| format!("sqlite:{}", within("store")), Database::url);
        Flags {
            listen: Some("127.0.0.1:0".to_owned()),
            store: Some(store),
            keys: Some(within("keys")),
            root_key: self.database.as_ref().map(|_| Secret("5e".repeat(32))),
            connections: Some(4),
            operators: Some(OPERATOR.to_owned()),
            workers: Some(1),
            rate_per_second: Some(0),
            ..Flags::default()
        }
    }

    /// The same with the defaults.
    pub fn settings(&self) -> Settings {
        Settings::read(None, &self.flags()).expect("settings")
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every byte of the store: all files on SQLite, all rows of all tables on PostgreSQL.
    pub async fn everything(&self) -> Vec<u8> {
        match &self.database {
            None => files(&self.path("store")),
            Some(database) => database.rows().await,
        }
    }

    /// Leaves nothing behind.
    pub async fn clear(self) {
        if let Some(database) = self.database {
            database.drop().await;
        }
    }
}

fn files(folder: &Path) -> Vec<u8> {
    let entries = fs::read_dir(folder).expect("the store's folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { fs::read(&path).expect("a file") }).collect()
}

impl Database {
    async fn new() -> Self {
        let server = address();
        let name = format!("story_{}", a_uuid().replace('-', ""));
        let mut connection = PgConnection::connect(&server).await.expect("the PostgreSQL of the tests answers");
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.expect("a database");
        Self { server, name }
    }

    fn url(&self) -> String {
        let (address, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (host, _) = address.rsplit_once('/').expect("an address names a database");
        format!("{host}/{}?{options}", self.name)
    }

    async fn rows(&self) -> Vec<u8> {
        let mut connection = PgConnection::connect(&self.url()).await.expect("the database answers");
        let named =
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
        let tables: Vec<String> = sqlx::query_scalar(named).fetch_all(&mut connection).await.expect("the tables");
        let mut all = Vec::new();
        for table in tables {
            let rows = sqlx::query(&format!("SELECT row_to_json(t)::text FROM {table} AS t")).fetch_all(&mut connection).await;
            all.extend(rows.expect("the rows").iter().flat_map(|row| row.get::<String, _>(0).into_bytes()));
        }
        all
    }

    async fn drop(self) {
        let mut connection = PgConnection::connect(&self.server).await.expect("the PostgreSQL of the tests answers");
        connection.execute(format!("DROP DATABASE {} WITH (FORCE)", self.name).as_str()).await.expect("the database goes");
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment says where the PostgreSQL of the tests is")]
fn address() -> String {
    std::env::var(ADDRESS).unwrap_or_else(|_| {
        panic!("{ADDRESS} must name a PostgreSQL server on which tests may make databases; `scripts/postgres cargo test` starts one")
    })
}
