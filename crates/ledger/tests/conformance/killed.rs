//! Servers that are killed: whatever was acknowledged is there, once, and the
//! rows are those of a fresh fold. And, since being killed proves nothing of
//! power cuts: nothing is acknowledged before it was synced.
//!
//! The server is this test's own program, told by the environment to be one.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use lastresort_fact::{EventId, OrganisationId};
use lastresort_ledger::append::Append;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::follow::rebuild;
use lastresort_ledger::postgres::PostgresStore;
use lastresort_ledger::rows::{Ask, Row};
use lastresort_ledger::sqlite::SqliteStore;
use lastresort_ledger::store::AnyStore;
use uuid::Uuid;

use crate::followers::{PATIENCE, follow};
use crate::scene::letters::{NOON, append, applied, happened, organisation};
use crate::scene::views::{Notes, views};
use crate::scene::{On, Scene};

on_both_stores!(what_was_acknowledged_survives_twenty_kills);

const STORE: &str = "LASTRESORT_TEST_CHILD_STORE";
const LEDGERS: &str = "LASTRESORT_TEST_CHILD_LEDGERS";
const WRITERS: &str = "LASTRESORT_TEST_CHILD_WRITERS";
const KILLS: usize = 20;
/// So much each writer writes.
const SHARE: u64 = 200;

/// Not a story: what the child does until it is killed, or its writers have written their share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(address), Ok(ledgers), Ok(writers)) = (std::env::var(STORE), std::env::var(LEDGERS), std::env::var(WRITERS)) else { return };
    let store: AnyStore = match address.strip_prefix("sqlite:") {
        Some(folder) => Arc::new(SqliteStore::open(Path::new(folder)).expect("a store")),
        None => Arc::new(PostgresStore::connect(&address, 8).await.expect("a store")),
    };
    let _follower = follow(&store, views::<Notes>()).await;
    let writers: usize = writers.parse().expect("a number");
    let mut tasks = Vec::new();
    for organisation in ledgers.split(',').map(|id| id.parse::<OrganisationId>().expect("an id")) {
        tasks.extend((0..writers).map(|_| tokio::spawn(write(store.clone(), organisation))));
    }
    for task in tasks {
        task.await.expect("a task that ends");
    }
}

/// Writes one event after the other, and says so once each is acknowledged.
async fn write(store: AnyStore, organisation: OrganisationId) {
    let id = Uuid::new_v4();
    for expected in 0..SHARE {
        let mut asked = append(organisation, id, expected, "");
        asked.writes[0].events[0] = match expected {
            0 => happened("NoteOpened", r#"{"title":"Killed"}"#),
            _ => happened("MarkMade", r#"{"mark":1}"#),
        };
        let receipt = applied(store.append(asked).await);
        // One write to standard error, which nobody buffers.
        let line = format!("acknowledged {organisation} {}\n", receipt.events[0]);
        std::io::stderr().write_all(line.as_bytes()).expect("somebody listens");
    }
}

fn start(command: &mut Command, address: &str, ledgers: &[OrganisationId], writers: usize) -> Child {
    let ledgers: Vec<String> = ledgers.iter().map(ToString::to_string).collect();
    command
        .args(["killed::child", "--exact", "--nocapture"])
        .env(STORE, address)
        .env(LEDGERS, ledgers.join(","))
        .env(WRITERS, writers.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn this_program() -> Command {
    Command::new(std::env::current_exe().expect("a program knows itself"))
}

/// What a line says that was acknowledged.
fn acknowledged(line: &str) -> Option<(OrganisationId, EventId)> {
    let mut words = line.strip_prefix("acknowledged ")?.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

async fn what_was_acknowledged_survives_twenty_kills(first: &Scene) {
    let scene = Scene::set(first.on).await;
    let ledgers = [empty_ledger(&scene.store).await, empty_ledger(&scene.store).await];
    let place = scene.shut().await;
    let address = place.address();
    let told = tokio::task::spawn_blocking(move || {
        let mut told = Vec::new();
        for _ in 0..KILLS {
            let mut child = start(&mut this_program(), &address, &ledgers, 4);
            let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
            let most = 1 + usize::from(Uuid::new_v4().as_bytes()[0]);
            let mut heard = lines.map_while(Result::ok).filter_map(|line| acknowledged(&line));
            told.extend(heard.by_ref().take(most));
            child.kill().expect("killed");
            // What it had said before it died.
            told.extend(heard);
            child.wait().expect("dead");
        }
        told
    });
    let told = told.await.expect("a task that ends");
    let scene = place.opened().await;
    for organisation in ledgers {
        let events = scene.store.read(organisation, 0, 100_000).await.expect("read");
        assert!(events.iter().zip(1..).all(|(event, position)| event.position == position), "without a gap");
        let found: BTreeSet<EventId> = events.iter().map(|event| event.event_id).collect();
        assert_eq!(found.len(), events.len(), "nothing is there twice");
        let lost: Vec<_> = told.iter().filter(|(whose, id)| *whose == organisation && !found.contains(id)).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged events are lost", lost.len(), told.len());
        rows_are_those_of_a_fresh_fold(&scene, organisation, events.len() as u64).await;
    }
    scene.clear().await;
}

async fn empty_ledger(store: &AnyStore) -> OrganisationId {
    let organisation = organisation();
    applied(store.append(Append { opens: true, writes: Vec::new(), ..append(organisation, Uuid::nil(), 0, "") }).await);
    organisation
}

async fn rows_are_those_of_a_fresh_fold(scene: &Scene, organisation: OrganisationId, head: u64) {
    let follower = follow(&scene.store, views::<Notes>()).await;
    assert!(follower.wait_for(organisation, head, PATIENCE).await, "{:?}", follower.state(organisation).await);
    follower.stop().await;
    let kept_up = all_rows(scene, organisation).await;
    rebuild(&scene.store, &views::<Notes>(), organisation, &Clock::standing(NOON), &mut |_, _| {}).await.expect("folded anew");
    assert_eq!(kept_up, all_rows(scene, organisation).await);
}

async fn all_rows(scene: &Scene, organisation: OrganisationId) -> Vec<Vec<Row>> {
    let generation = scene.store.generations(organisation).await.expect("read").remove(0).number;
    let mut all = Vec::new();
    for table in views::<Notes>().tables() {
        let ask = Ask { organisation, generation, table, filters: Vec::new(), order: None, descending: false, after: None, limit: 100_000 };
        all.push(scene.store.ask(&ask).await.expect("answered"));
    }
    all
}

/// Of PostgreSQL its settings say so (`the_store_says_that_it_is_well`); of
/// SQLite the system calls do.
#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_synced() {
    let scene = Scene::set(On::Sqlite).await;
    let organisation = empty_ledger(&scene.store).await;
    let place = scene.shut().await;
    let seen = place.keys.path().join("calls");
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--decode-fds=path", "--string-limit=16", "--trace=fdatasync,fsync,write", "--output"]).arg(&seen);
    strace.arg(std::env::current_exe().expect("a program knows itself"));
    let ended = start(&mut strace, &place.address(), &[organisation], 1).wait_with_output().expect("strace runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let calls = fs::read_to_string(seen).expect("what strace saw");
    // By thread: beside the one that writes, another syncs the same file now and then, before a checkpoint.
    let (mut syncs, mut acknowledgements, mut syncing) = (0, 0, BTreeSet::new());
    for call in calls.lines() {
        let thread = call.split(' ').next();
        if call.contains("sync(") && call.contains("ledger.db-wal>") {
            syncing.insert(thread);
        }
        if call.contains("sync") && call.ends_with("= 0") && syncing.remove(&thread) {
            syncs += 1;
        }
        if call.contains("\"acknowledged") {
            assert!(syncs > 0, "acknowledgement {acknowledgements} came before its sync");
            (syncs, acknowledgements) = (0, acknowledgements + 1);
        }
    }
    assert_eq!(acknowledgements, SHARE);
}
