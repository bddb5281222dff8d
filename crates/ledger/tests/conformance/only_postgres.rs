//! What is true of PostgreSQL alone: connections that break, servers beside
//! each other, and postgres-es as the reader of streams. What both stores must
//! do is in the conformance suite.
//!
//! Needs `LASTRESORT_TEST_POSTGRES`, the address of a server on which tests may
//! make databases; every test makes its own.

mod cut;

use std::collections::BTreeSet;
use std::sync::Arc;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use lastresort_fact::{Actor, EventId, Instant, OrganisationId, Role, Stamp};
use lastresort_ledger::append::{Append, CommandKey, NewEvent, Outcome, StreamRef, StreamWrite};
use lastresort_ledger::postgres::PostgresStore;
use lastresort_ledger::store::{Kind, Moved, Store as _, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::cut::{Cut, Proxy};

/// A database of one test.
struct Database {
    server: String,
    name: String,
}

impl Database {
    async fn new() -> Self {
        let server = std::env::var("LASTRESORT_TEST_POSTGRES").expect("LASTRESORT_TEST_POSTGRES names a PostgreSQL server to test on");
        let name = format!("test_{}", Uuid::new_v4().simple());
        let made = Self { server, name };
        made.at_server(&format!("CREATE DATABASE {}", made.name)).await;
        made
    }

    fn url(&self) -> String {
        let (address, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (host, _) = address.rsplit_once('/').expect("an address names a database");
        format!("{host}/{}?{options}", self.name)
    }

    async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.url(), 8).await.expect("a store")
    }

    async fn at_server(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.server).await.expect("the server answers");
        connection.execute(sql).await.expect("what the test asks of the server");
    }

    async fn run(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.url()).await.expect("the database answers");
        connection.execute(sql).await.expect("what the test asks of the database");
    }

    async fn drop(self) {
        self.at_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

fn organisation() -> OrganisationId {
    OrganisationId(Uuid::new_v4())
}

fn digest() -> [u8; 32] {
    let half = *Uuid::new_v4().as_bytes();
    [half, half].concat().try_into().expect("two halves of 16 bytes")
}

fn event(text: &str) -> NewEvent {
    let at = Instant::from_micros(1_700_000_000_000_000);
    let stamp = Stamp {
        event_id: EventId(Uuid::new_v4()),
        by: Actor::Bootstrap,
        role: Role::Bootstrap,
        grant: None,
        occurred_at: at,
        recorded_at: at,
        cause: None,
        supersedes: None,
    };
    NewEvent {
        event_type: "Noted",
        event_version: "1",
        stamp,
        event: format!(r#"{{"type":"Noted","value":{{"text":"{text}"}}}}"#),
        leaf_body: b"{}".to_vec(),
    }
}

fn append(organisation: OrganisationId, id: Uuid, expected: u64, text: &str) -> Append {
    Append {
        organisation,
        opens: false,
        writes: vec![StreamWrite { stream: StreamRef::new("note", id), expected, events: vec![event(text)] }],
        also: Vec::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        key: CommandKey { key: digest(), body: digest() },
        status: 200,
        correlation: Uuid::new_v4(),
        new_keys: Vec::new(),
        used_keys: Vec::new(),
        at: Instant::from_micros(1_700_000_000_000_000),
    }
}

fn opening(organisation: OrganisationId) -> Append {
    Append { opens: true, ..append(organisation, Uuid::new_v4(), 0, "opened") }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Note;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Noted;

impl DomainEvent for Noted {
    fn event_type(&self) -> String {
        "Noted".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Note {
    const TYPE: &'static str = "note";
    type Command = ();
    type Event = Noted;
    type Error = std::io::Error;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, _: Noted) {}
}

#[tokio::test]
async fn postgres_es_reads_a_stream_and_never_another_organisations() {
    let database = Database::new().await;
    let store = database.store().await;
    let (ours, theirs, id) = (organisation(), organisation(), Uuid::new_v4());
    for organisation in [ours, theirs] {
        store.append(opening(organisation)).await.expect("answered");
    }
    for (expected, text) in ["first", "second", "third"].into_iter().enumerate() {
        let outcome = store.append(append(ours, id, expected as u64, text)).await.expect("answered");
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    }
    let kind = Kind::of::<Note>();
    let all = store.stream(ours, kind, id, 0).await.expect("loaded");
    assert_eq!(all.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(all[1].payload["event"]["value"]["text"], "second");
    let later = store.stream(ours, kind, id, 2).await.expect("loaded");
    assert_eq!(later.iter().map(|event| event.sequence).collect::<Vec<_>>(), [3]);
    assert!(store.stream(theirs, kind, id, 0).await.expect("loaded").is_empty());
    store.close().await;
    database.drop().await;
}

#[tokio::test]
async fn of_many_who_open_one_ledger_one_does() {
    let database = Database::new().await;
    let (here, there) = (database.store().await, database.store().await);
    for _ in 0..20 {
        let organisation = organisation();
        let outcomes = tokio::join!(here.append(opening(organisation)), there.append(opening(organisation)));
        let outcomes = [outcomes.0.expect("answered"), outcomes.1.expect("answered")];
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Applied(_))).count(), 1, "{outcomes:?}");
        assert!(outcomes.contains(&Outcome::LedgerExists), "{outcomes:?}");
    }
    database.drop().await;
}

#[tokio::test]
async fn two_servers_write_one_ledger_without_a_gap() {
    let database = Database::new().await;
    let stores = [Arc::new(database.store().await), Arc::new(database.store().await)];
    let organisation = organisation();
    stores[0].append(opening(organisation)).await.expect("answered");
    let tasks = (0..32).map(|nth| {
        let store = Arc::clone(&stores[nth % 2]);
        tokio::spawn(async move {
            let id = Uuid::new_v4();
            for expected in 0..25 {
                let outcome = store.append(append(organisation, id, expected, "busy")).await.expect("answered");
                assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a task that ends");
    }
    let events = stores[1].read(organisation, 0, 10_000).await.expect("read");
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), (1..=801).collect::<Vec<_>>());
    assert_eq!(events.iter().map(|event| event.event_id).collect::<BTreeSet<_>>().len(), 801);
    let head = stores[0].head(organisation).await.expect("read").expect("a ledger");
    assert_eq!(head.position, 801);
    database.drop().await;
}

#[tokio::test]
async fn what_the_database_does_not_take_costs_only_its_own_command() {
    let database = Database::new().await;
    let store = Arc::new(database.store().await);
    let organisation = organisation();
    store.append(opening(organisation)).await.expect("answered");
    let tasks = (0..40).map(|nth| {
        let store = Arc::clone(&store);
        // A line break in a JSON string is no JSON.
        let text = if nth % 10 == 0 { "bro\nken" } else { "whole" };
        tokio::spawn(async move { (text, store.append(append(organisation, Uuid::new_v4(), 0, text)).await) })
    });
    for task in tasks.collect::<Vec<_>>() {
        match task.await.expect("a task that ends") {
            ("whole", outcome) => assert!(matches!(outcome, Ok(Outcome::Applied(_))), "{outcome:?}"),
            (_, outcome) => assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}"),
        }
    }
    assert_eq!(store.head(organisation).await.expect("read").expect("a ledger").position, 37);
    database.drop().await;
}

#[tokio::test]
async fn a_commit_in_doubt_is_looked_up() {
    let database = Database::new().await;
    for cut in [Cut::AfterCommit, Cut::BeforeCommit] {
        let proxy = Proxy::to(&database.url()).await;
        let store = PostgresStore::connect(&proxy.url(), 4).await.expect("a store");
        let (organisation, id) = (organisation(), Uuid::new_v4());
        proxy.cut_next(cut);
        let opened = store.append(opening(organisation)).await.expect("answered");
        assert!(matches!(opened, Outcome::Applied(_)), "{cut:?}: {opened:?}");
        proxy.cut_next(cut);
        let asked = append(organisation, id, 0, "in doubt");
        let Outcome::Applied(receipt) = store.append(asked.clone()).await.expect("answered") else { panic!("{cut:?}: not applied") };
        assert_eq!(receipt.position, 2, "{cut:?}: written once");
        assert_eq!(store.append(asked).await.expect("answered"), Outcome::Replayed(receipt));
        assert_eq!(proxy.cuts(), 2, "{cut:?}");
        store.close().await;
    }
    database.drop().await;
}

#[tokio::test]
async fn connections_that_break_at_rest_cost_nobody_an_answer() {
    let database = Database::new().await;
    let store = database.store().await;
    let organisation = organisation();
    store.append(opening(organisation)).await.expect("answered");
    database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").await;
    let outcome = store.append(append(organisation, Uuid::new_v4(), 0, "after")).await.expect("answered");
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    database.drop().await;
}

#[tokio::test]
async fn another_server_hears_that_a_ledger_moved() {
    let database = Database::new().await;
    let (here, there) = (database.store().await, database.store().await);
    let organisation = organisation();
    let mut heard = there.moves();
    here.append(opening(organisation)).await.expect("answered");
    assert_eq!(heard.recv().await, Ok(Moved { organisation, position: 1 }));
    database.drop().await;
}

#[tokio::test]
async fn all_that_was_taken_is_answered_before_closing() {
    let database = Database::new().await;
    let store = Arc::new(database.store().await);
    let organisation = organisation();
    store.append(opening(organisation)).await.expect("answered");
    let appends = (0..100).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.append(append(organisation, Uuid::new_v4(), 0, "last")).await })
    });
    let appends: Vec<_> = appends.collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut applied = 1;
    for append in appends {
        match append.await.expect("a task that ends") {
            Ok(Outcome::Applied(_)) => applied += 1,
            Err(StoreError::Unavailable(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    let again = database.store().await;
    assert_eq!(again.head(organisation).await.expect("read").expect("a ledger").position, applied);
    database.drop().await;
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let database = Database::new().await;
    database.store().await.close().await;
    database.run("INSERT INTO schema_version (version, name) VALUES (9999, 'of another day')").await;
    let refused = PostgresStore::connect(&database.url(), 4).await.expect_err("refused");
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    database.drop().await;
}

#[tokio::test]
async fn servers_that_start_together_make_one_schema() {
    let database = Database::new().await;
    let (here, there, elsewhere) = tokio::join!(database.store(), database.store(), database.store());
    for store in [here, there, elsewhere] {
        store.ping().await.expect("reached");
        let settings = store.durability().await.expect("told");
        assert_eq!(settings.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["fsync", "full_page_writes", "synchronous_commit"]);
    }
    database.drop().await;
}
