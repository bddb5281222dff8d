//! Where a story plays: a store of its own, and what is needed to tell it.

pub(crate) mod actors;
mod database;
pub(crate) mod letters;
pub(crate) mod notes;
pub(crate) mod views;

use std::fs;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use lastresort_fact::OrganisationId;
use lastresort_ledger::postgres::PostgresStore;
use lastresort_ledger::sqlite::SqliteStore;
use lastresort_ledger::store::AnyStore;
use tempfile::TempDir;

pub(crate) use self::database::Database;
use self::letters::NOON;

/// On which store a story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// A store, and the place it is in.
pub(crate) struct Scene {
    pub(crate) store: AnyStore,
    place: Place,
}

/// Where a store is, and a folder for keys.
pub(crate) struct Place {
    pub(crate) on: On,
    pub(crate) keys: TempDir,
    folder: TempDir,
    database: Option<Database>,
}

impl Deref for Scene {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

/// Plays a story, and cleans up however it ends.
pub(crate) async fn play(on: On, story: impl AsyncFn(&Scene)) {
    let scene = Scene::set(on).await;
    let ended = AssertUnwindSafe(story(&scene)).catch_unwind().await;
    scene.clear().await;
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

impl Scene {
    pub(crate) async fn set(on: On) -> Self {
        let database = match on {
            On::Sqlite => None,
            On::Postgres => Some(Database::new().await),
        };
        let folder = || tempfile::tempdir().expect("a folder");
        Place { on, keys: folder(), folder: folder(), database }.opened().await
    }

    pub(crate) async fn clear(self) {
        if let Some(database) = self.shut().await.database {
            database.drop().await;
        }
    }

    /// What is left where a server has stopped.
    pub(crate) async fn shut(self) -> Place {
        self.store.close().await;
        self.place
    }

    /// The same store, as a server finds it that starts after the first has stopped.
    pub(crate) async fn reopened(self) -> Self {
        self.shut().await.opened().await
    }
}

impl Place {
    /// A server starts.
    pub(crate) async fn opened(self) -> Scene {
        let store: AnyStore = match &self.database {
            Some(database) => Arc::new(database.store().await),
            None => Arc::new(SqliteStore::open(self.folder.path()).expect("a store")),
        };
        Scene { store, place: self }
    }

    /// How another program is told of the store.
    pub(crate) fn address(&self) -> String {
        self.database.as_ref().map_or_else(|| format!("sqlite:{}", self.folder.path().display()), Database::url)
    }

    /// Changes the ledger behind the store's back: the same SQL on both, where
    /// `{organisation}` stands for the place of its only parameter.
    pub(crate) async fn meddle(&self, sql: &str, organisation: OrganisationId) {
        if let Some(database) = &self.database {
            return database.run(&sql.replace("{organisation}", &format!("'{organisation}'"))).await;
        }
        let connection = rusqlite::Connection::open(self.folder.path().join("ledger.db")).expect("the file opens");
        let id = format!("x'{}'", organisation.0.simple());
        connection.execute_batch(&sql.replace("{organisation}", &id)).expect("what the story does to the ledger");
    }

    /// Destroys every data key of a ledger, as erasure will.
    pub(crate) async fn destroy_keys(&self, organisation: OrganisationId) {
        let (at, nothing) = match self.on {
            On::Sqlite => (NOON.micros().to_string(), "x''"),
            On::Postgres => (format!("'{NOON}'"), "''"),
        };
        let sql = format!("UPDATE data_keys SET destroyed_at = {at}, wrapped = {nothing} WHERE organisation = {{organisation}}");
        self.meddle(&sql, organisation).await;
    }

    /// Everything at rest: the files, or all rows of all tables and the log they went through.
    pub(crate) async fn everything_at_rest(&self) -> Vec<u8> {
        match &self.database {
            Some(database) => database.everything().await,
            None => fs::read_dir(self.folder.path())
                .expect("a folder")
                .flat_map(|entry| fs::read(entry.expect("an entry").path()).expect("a file"))
                .collect(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().expect("a story told on PostgreSQL")
    }
}

/// Another server's way to the same database.
pub(crate) async fn beside(scene: &Scene) -> AnyStore {
    let store: PostgresStore = scene.database().store().await;
    Arc::new(store)
}

/// Whether bytes contain a text, as it is or in the hexadecimal form of a `bytea`.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    let hexadecimal = hex::encode(text);
    [text, hexadecimal.as_str()].iter().any(|sought| bytes.windows(sought.len()).any(|window| window == sought.as_bytes()))
}
