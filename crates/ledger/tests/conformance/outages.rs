//! Stores that cannot be written for a while: they say so, lose nothing, and
//! go on by themselves when they can.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use lastresort_fact::OrganisationId;
use lastresort_ledger::append::{Append, Outcome};
use lastresort_ledger::postgres::PostgresStore;
use lastresort_ledger::sqlite::SqliteStore;
use lastresort_ledger::store::{AnyStore, Store, StoreError};
use uuid::Uuid;

use crate::scene::On;
use crate::scene::Scene;
use crate::scene::letters::{append, applied, ledger};

const FOLDER: &str = "LASTRESORT_TEST_CHILD_FOLDER";

/// Tries until it is done; whatever comes before may only be "unavailable".
async fn until_applied(store: &dyn Store, asked: &Append) -> u64 {
    loop {
        match store.append(asked.clone()).await {
            Ok(Outcome::Applied(receipt) | Outcome::Replayed(receipt)) => return receipt.position,
            Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

/// Not a story: what the child does, whose files may not grow for a while.
#[tokio::test]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store: AnyStore = Arc::new(SqliteStore::open(folder.as_ref()).expect("a store"));
    let organisation = ledger(&store).await;
    let text = "x".repeat(20_000);
    let mut position = 1;
    let failed = loop {
        let asked = append(organisation, Uuid::new_v4(), 0, &text);
        match store.append(asked.clone()).await {
            Ok(outcome) => position = applied(Ok(outcome)).position,
            Err(error) => break (asked, error),
        }
    };
    assert!(matches!(failed.1, StoreError::Unavailable(_)), "{}", failed.1);
    assert_eq!(store.head(organisation).await.expect("reading goes on").expect("a ledger").position, position);
    assert_eq!(store.command(organisation, failed.0.key.key).await.expect("reading goes on"), None);
    eprintln!("full");
    assert_eq!(until_applied(&*store, &failed.0).await, position + 1, "nothing was half done");
    let events = store.read(organisation, 0, 10_000).await.expect("read");
    assert!(events.iter().zip(1..).all(|(event, position)| event.position == position));
    eprintln!("recovered");
}

fn hear(child: &mut BufReader<std::process::ChildStderr>, word: &str) {
    let mut said = String::new();
    while !said.ends_with(&format!("{word}\n")) {
        assert!(child.read_line(&mut said).expect("the child speaks") > 0, "the child ended: {said}");
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_outlived() {
    let scene = Scene::set(On::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    // Files of 2 MiB and no more, without a signal where one would grow beyond.
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 4096; exec \"$0\" outages::child --exact --nocapture"])
        .arg(std::env::current_exe().expect("a program knows itself"))
        .env(FOLDER, folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut told = BufReader::new(child.stderr.take().expect("piped"));
    hear(&mut told, "full");
    let freed = Command::new("prlimit").args([format!("--pid={}", child.id()), "--fsize=unlimited:".to_owned()]).status();
    assert!(freed.expect("prlimit runs").success());
    hear(&mut told, "recovered");
    assert!(child.wait().expect("ended").success());
    scene.clear().await;
}

/// A PostgreSQL server that a story may stop and start.
struct Server {
    keeper: Child,
    answers: BufReader<std::process::ChildStdout>,
    address: String,
}

impl Server {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        let keep = r#"
            echo "$LASTRESORT_TEST_POSTGRES"
            owner=; if [ "$(id -u)" -eq 0 ]; then owner="runuser -u postgres --"; fi
            while read -r word; do
                $owner "$LASTRESORT_TEST_POSTGRES_BIN/pg_ctl" -D "${LASTRESORT_TEST_POSTGRES#*host=}/data" -m immediate -w "$word" >/dev/null 2>&1
                echo "$word"
            done"#;
        let keeper = Command::new(script).args(["sh", "-c", keep]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut keeper = keeper.expect("scripts/postgres starts a server");
        let answers = BufReader::new(keeper.stdout.take().expect("piped"));
        let mut server = Self { keeper, answers, address: String::new() };
        server.address = server.answer();
        server
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the keeper speaks");
        line.trim_end().to_owned()
    }

    /// Stops or starts it.
    fn order(&mut self, word: &str) {
        let keeper = self.keeper.stdin.as_mut().expect("piped");
        writeln!(keeper, "{word}").expect("the keeper listens");
        assert_eq!(self.answer(), word);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().expect("the keeper ends");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_is_told_and_waited_for() {
    let mut server = Server::start();
    let store: AnyStore = Arc::new(PostgresStore::connect(&server.address, 8).await.expect("a store"));
    let organisation = ledger(&store).await;
    server.order("stop");
    let asked = append(organisation, Uuid::new_v4(), 0, "down");
    let refused = store.append(asked.clone()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(matches!(store.head(organisation).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    server.order("start");
    assert_eq!(until_applied(&*store, &asked).await, 2);
    while store.ping().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.read(organisation, 0, 10).await.expect("read").len(), 2);
    store.close().await;
}

/// Writes one event after the other to a stream of its own, whatever happens meanwhile.
async fn write_on(store: AnyStore, organisation: OrganisationId) -> Vec<u64> {
    let id = Uuid::new_v4();
    let mut positions = Vec::new();
    for expected in 0..150 {
        positions.push(until_applied(&*store, &append(organisation, id, expected, "on and on")).await);
    }
    positions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_restarted_under_load_loses_and_doubles_nothing() {
    let mut server = Server::start();
    let store: AnyStore = Arc::new(PostgresStore::connect(&server.address, 8).await.expect("a store"));
    let organisation = ledger(&store).await;
    let mut moved = store.moves();
    let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(write_on(store.clone(), organisation))).collect();
    for _ in 0..3 {
        while moved.recv().await.is_err() {}
        server.order("restart");
    }
    let mut positions = vec![1];
    for task in tasks {
        positions.extend(task.await.expect("a task that ends"));
    }
    positions.sort_unstable();
    assert_eq!(positions, (1..=1201).collect::<Vec<_>>());
    let events = loop {
        // Whoever is first to use a connection that broke at rest is told so.
        if let Ok(events) = store.read(organisation, 0, 2_000).await {
            break events;
        }
    };
    assert_eq!(events.len(), 1201);
    store.close().await;
}
