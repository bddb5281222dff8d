//! What a store must do, and nothing of how. Two drivers stand behind this
//! trait, [`sqlite`](crate::sqlite) and [`postgres`](crate::postgres); all SQL
//! of the house is in those two, and one conformance suite holds both to the
//! same meaning.
//!
//! A store decides nothing: what an append may do is decided by
//! [`sequence`](crate::sequence), which both drivers call between the reads and
//! the writes of one transaction that holds the head's lock.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use cqrs_es::Aggregate;
use cqrs_es::persist::{PersistedEventRepository as _, PersistenceError, SerializedEvent};
use futures::future::BoxFuture;
use lastresort_fact::{Class, EventId, Instant, KeyId, OrganisationId, PersonId};
use postgres_es::PostgresEventRepository;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::append::{Append, ClaimName, Digest, Head, Outcome, StoredCommand, StreamRef};
use crate::rows::{Ask, Generation, Parked, Row, RowCommit, RowId, Table};

/// A kind of stream, and how postgres-es is told of it: that library asks for
/// a type where the ledger has a value.
#[derive(Clone, Copy)]
pub struct Kind {
    name: &'static str,
    load: LoadThrough,
}

type LoadThrough = for<'a> fn(&'a PostgresEventRepository, &'a str) -> BoxFuture<'a, Result<Vec<SerializedEvent>, PersistenceError>>;

impl Kind {
    /// The kind of an aggregate's streams.
    #[must_use]
    pub fn of<A: Aggregate + 'static>() -> Self {
        Self { name: A::TYPE, load: |repository, id| Box::pin(repository.get_events::<A>(id)) }
    }

    /// The name stored as `aggregate_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Loads through postgres-es what it finds under this id.
    pub(crate) fn load<'a>(
        self,
        repository: &'a PostgresEventRepository,
        aggregate_id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<SerializedEvent>, PersistenceError>> {
        (self.load)(repository, aggregate_id)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// One event of a stream, as an aggregate needs it.
#[derive(Clone, Debug)]
pub struct StreamEvent {
    /// Its number in the stream, from 1.
    pub sequence: u64,
    /// The fact as JSON text: `{"stamp": {…}, "event": {"type": …, "value": {…}}}`.
    pub payload: String,
}

/// One event of a ledger, as followers and the feed need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the ledger, from 1, without gaps.
    pub position: u64,
    /// The stream it belongs to.
    pub stream: StreamRef,
    /// Its number in the stream, from 1.
    pub sequence: u64,
    /// Its id.
    pub event_id: EventId,
    /// Its name.
    pub event_type: String,
    /// The version of its shape.
    pub event_version: String,
    /// The fact as JSON text, to the letter as written.
    pub payload: String,
    /// Correlation and command key, as JSON text.
    pub metadata: String,
    /// When the ledger took it.
    pub recorded_at: Instant,
    /// The bytes of its leaf.
    pub leaf: Vec<u8>,
}

/// A data key at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKeyRow {
    /// Its id.
    pub id: KeyId,
    /// Whom it keeps.
    pub subject: PersonId,
    /// What class of their data.
    pub class: Class,
    /// The epoch whose key wraps it.
    pub epoch: u32,
    /// The wrapped bytes; empty once destroyed.
    pub wrapped: Vec<u8>,
    /// When it was destroyed, if it was.
    pub destroyed_at: Option<Instant>,
}

/// The class of that name.
pub(crate) fn class_named(name: &str) -> Option<Class> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

/// Why a store could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or is full, or too slow; asking again may help.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What it holds is not what it should hold.
    #[error("the store holds something it should not: {0}")]
    Corrupt(String),
    /// Another server writes to it.
    #[error("{0}")]
    InUse(String),
}

/// A ledger moved: sent after each commit seen by this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Whose ledger.
    pub organisation: OrganisationId,
    /// Its head.
    pub position: u64,
}

/// A place where ledgers, keys and rows are kept.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// `sqlite` or `postgres`, for logs and figures.
    fn name(&self) -> &'static str;

    /// Tells of every head this process saw move: after its own commits at
    /// once, after others' as a hint.
    fn moves(&self) -> broadcast::Receiver<Moved>;

    /// Appends to one ledger, all or nothing; grouped with whatever else waits.
    async fn append(&self, append: Append) -> Result<Outcome, StoreError>;

    /// The events of one stream after `after`, in order.
    async fn stream(&self, organisation: OrganisationId, kind: Kind, id: Uuid, after: u64) -> Result<Vec<StreamEvent>, StoreError>;

    /// The events of a ledger after `after`, in order, at most `limit`.
    async fn read(&self, organisation: OrganisationId, after: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError>;

    /// The same of one stream, `after` being a position.
    async fn read_stream(
        &self,
        organisation: OrganisationId,
        stream: &StreamRef,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// The head of one ledger; `None` where there is no such ledger.
    async fn head(&self, organisation: OrganisationId) -> Result<Option<Head>, StoreError>;

    /// Every ledger with its head.
    async fn heads(&self) -> Result<Vec<(OrganisationId, Head)>, StoreError>;

    /// What a command key was used for, where it was used.
    async fn command(&self, organisation: OrganisationId, key: Digest) -> Result<Option<StoredCommand>, StoreError>;

    /// Forgets commands recorded before an instant, some thousands at most;
    /// returns how many, so that whoever asks goes on until there are none.
    async fn forget_commands(&self, before: Instant) -> Result<u64, StoreError>;

    /// The stream that holds a claim.
    async fn claim(&self, organisation: OrganisationId, claim: &ClaimName) -> Result<Option<StreamRef>, StoreError>;

    /// Data keys by id; unknown ids are left out.
    async fn data_keys(&self, organisation: OrganisationId, ids: &[KeyId]) -> Result<Vec<DataKeyRow>, StoreError>;

    /// Every data key about one person.
    async fn keys_about(&self, organisation: OrganisationId, subject: PersonId) -> Result<Vec<DataKeyRow>, StoreError>;

    /// A small value kept beside the ledgers (the key-check value, the schema's
    /// version), where there is one.
    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Keeps such a value: writes `value` if there is none yet, and returns what is kept.
    async fn keep_setting(&self, name: &str, value: &str) -> Result<String, StoreError>;

    /// Makes the tables of these views, where they are missing.
    async fn prepare_tables(&self, tables: &[Table]) -> Result<(), StoreError>;

    /// The generations of a ledger's rows.
    async fn generations(&self, organisation: OrganisationId) -> Result<Vec<Generation>, StoreError>;

    /// Begins a new, inactive generation at bookmark 0; the first of a ledger is active at once.
    async fn begin_generation(&self, organisation: OrganisationId, fingerprint: &str) -> Result<Generation, StoreError>;

    /// Makes a generation the active one and removes the others' rows, in one
    /// transaction; `false` where another is ahead of it, so that nobody who has
    /// read a row reads an older one after.
    async fn switch_generation(&self, organisation: OrganisationId, number: i64, tables: &[Table]) -> Result<bool, StoreError>;

    /// Writes rows and moves the bookmark, in one transaction that first moves
    /// the bookmark by compare-and-set; `false` where somebody else had moved it.
    async fn commit_rows(&self, commit: RowCommit) -> Result<bool, StoreError>;

    /// Rows by id; missing ones are left out.
    async fn rows(&self, organisation: OrganisationId, generation: i64, table: &Table, ids: &[RowId]) -> Result<Vec<Row>, StoreError>;

    /// Rows that answer a question, in its order.
    async fn ask(&self, ask: &Ask) -> Result<Vec<Row>, StoreError>;

    /// The parked rows of a generation.
    async fn parked(&self, organisation: OrganisationId, generation: i64) -> Result<Vec<Parked>, StoreError>;

    /// Takes or renews the right to fold a ledger; `false` while another holds it.
    async fn lease(&self, organisation: OrganisationId, holder: Uuid, milliseconds: u32) -> Result<bool, StoreError>;

    /// Answers whether the store can be reached and written.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The settings that durability rests on, as the store itself reports them.
    async fn durability(&self) -> Result<Vec<(String, String)>, StoreError>;

    /// Ends cleanly: every append accepted so far is answered first.
    async fn close(&self);
}

/// A store that can be shared.
pub type AnyStore = Arc<dyn Store>;
