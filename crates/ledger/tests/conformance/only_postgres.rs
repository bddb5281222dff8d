//! What is true of PostgreSQL alone: connections that break, servers beside
//! each other, and postgres-es as the reader of streams. What both stores must
//! do is in the conformance suite.

use std::collections::BTreeSet;
use std::sync::Arc;

use lastresort_fact::Root;
use lastresort_ledger::append::Outcome;
use lastresort_ledger::postgres::PostgresStore;
use lastresort_ledger::store::{Kind, Moved, Store as _, StoreError};
use sqlx::Executor as _;
use tokio::time::timeout;
use uuid::Uuid;

use crate::cut::{Cut, Proxy};
use crate::followers::{PATIENCE, follow, shelf};
use crate::scene::actors::desk;
use crate::scene::letters::{append, opening, organisation};
use crate::scene::notes::Note;
use crate::scene::views::{Notes, views};
use crate::scene::{Database, On, Scene, beside};

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
    let kind = Kind::of::<Root<Note>>();
    let all = store.stream(ours, kind, id, 0).await.expect("loaded");
    assert_eq!(all.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    let second: serde_json::Value = serde_json::from_str(&all[1].payload).expect("JSON");
    assert_eq!(second["event"]["value"]["text"], "second");
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
        let mut asked = append(organisation, Uuid::new_v4(), 0, text);
        asked.writes[0].events[0].leaf_body = b"{}".to_vec();
        tokio::spawn(async move { (text, store.append(asked).await) })
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
async fn a_ledger_whose_head_is_held_holds_nobody_else() {
    let database = Database::new().await;
    let store = Arc::new(database.store().await);
    let (held, free) = (organisation(), organisation());
    for organisation in [held, free] {
        store.append(opening(organisation)).await.expect("answered");
    }
    let mut holder = database.connection().await;
    holder.execute(format!("BEGIN; SELECT FROM heads WHERE organisation = '{held}' FOR UPDATE").as_str()).await.expect("held");
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.append(append(held, Uuid::new_v4(), 0, "waits")).await })
        })
        .collect();
    for _ in 0..50 {
        let outcome = store.append(append(free, Uuid::new_v4(), 0, "goes on")).await.expect("answered");
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        assert_eq!(store.read(held, 0, 10).await.expect("read").len(), 1, "and whoever reads does not wait");
    }
    assert!(waiting.iter().all(|waits| !waits.is_finished()));
    holder.execute("COMMIT").await.expect("let go");
    for waits in waiting {
        let outcome = waits.await.expect("a task that ends").expect("answered");
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    }
    database.drop().await;
}

#[tokio::test]
async fn a_head_held_for_too_long_is_told_and_nothing_is_written() {
    let database = Database::new().await;
    let store = database.store().await;
    let organisation = organisation();
    store.append(opening(organisation)).await.expect("answered");
    let mut holder = database.connection().await;
    holder.execute("BEGIN; SELECT FROM heads FOR UPDATE").await.expect("held");
    let asked = append(organisation, Uuid::new_v4(), 0, "gives up");
    let refused = store.append(asked.clone()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    holder.execute("COMMIT").await.expect("let go");
    assert_eq!(store.command(organisation, asked.key.key).await.expect("read"), None);
    assert!(matches!(store.append(asked).await.expect("answered"), Outcome::Applied(_)));
    database.drop().await;
}

#[tokio::test]
async fn a_commit_in_doubt_is_looked_up() {
    let database = Database::new().await;
    for cut in [Cut::AfterCommit, Cut::BeforeCommit] {
        let proxy = Proxy::to(&database.url());
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
    database
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        .await;
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
async fn a_follower_that_hears_nothing_looks_for_itself() {
    let scene = Scene::set(On::Postgres).await;
    let other = beside(&scene).await;
    let follower = follow(&other, views::<Notes>()).await;
    let deaf = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    scene.database().run(deaf).await;
    let organisation = shelf(&desk(&scene).await).await;
    let found = async {
        while !follower.wait_for(organisation, 1, PATIENCE).await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, found).await.expect("found by looking");
    follower.stop().await;
    other.close().await;
    scene.clear().await;
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
