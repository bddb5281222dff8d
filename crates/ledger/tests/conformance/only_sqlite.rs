//! What is true of SQLite alone: one folder, one server.

use std::fs;

use futures::future::join_all;
use lastresort_ledger::append::Outcome;
use lastresort_ledger::sqlite::SqliteStore;
use lastresort_ledger::store::{Store as _, StoreError};
use uuid::Uuid;

use crate::scene::letters::{append, applied, ledger};
use crate::scene::{On, Scene};

#[tokio::test]
async fn a_second_server_is_refused_in_plain_words() {
    let scene = Scene::set(On::Sqlite).await;
    let refused = SqliteStore::open(scene.folder()).expect_err("refused");
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    assert!(refused.to_string().contains("another server writes to the store in"), "{refused}");
    let organisation = ledger(&scene.store).await;
    applied(scene.store.append(append(organisation, Uuid::new_v4(), 0, "the first goes on")).await);
    scene.clear().await;
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    for file in ["ledger.db", "views.db"] {
        let scene = Scene::set(On::Sqlite).await;
        scene.store.close().await;
        let folder = tempfile::tempdir().expect("a folder");
        for entry in fs::read_dir(scene.folder()).expect("a folder") {
            let entry = entry.expect("an entry");
            fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
        }
        rusqlite::Connection::open(folder.path().join(file)).expect("opens").pragma_update(None, "user_version", 99).expect("set");
        let refused = SqliteStore::open(folder.path()).expect_err("refused");
        assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
        assert!(refused.to_string().contains("newer"), "{refused}");
        scene.clear().await;
    }
}

#[tokio::test]
async fn what_is_no_folder_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").expect("written");
    let refused = SqliteStore::open(&file).expect_err("refused");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("ledger.db"), "this is no database, and never was one: it is long enough to be looked at")
        .expect("written");
    let refused = SqliteStore::open(folder.path()).expect_err("refused");
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
}

#[tokio::test]
async fn what_makes_the_writer_panic_costs_only_its_own_command() {
    let scene = Scene::set(On::Sqlite).await;
    let organisation = ledger(&scene.store).await;
    let all = join_all((0..20).map(|nth| {
        let mut asked = append(organisation, Uuid::new_v4(), 0, "whole");
        if nth == 7 {
            asked.writes[0].events[0].leaf_body = b"no JSON".to_vec();
        }
        scene.store.append(asked)
    }));
    let failed: Vec<_> = all.await.into_iter().filter(|outcome| !matches!(outcome, Ok(Outcome::Applied(_)))).collect();
    assert!(matches!(failed.as_slice(), [Err(StoreError::Corrupt(_))]), "{failed:?}");
    applied(scene.store.append(append(organisation, Uuid::new_v4(), 0, "on")).await);
    scene.clear().await;
}

#[tokio::test]
async fn after_closing_appends_are_refused_and_nothing_hangs() {
    let scene = Scene::set(On::Sqlite).await;
    let organisation = ledger(&scene.store).await;
    scene.store.close().await;
    let refused = scene.store.append(append(organisation, Uuid::new_v4(), 0, "late")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    scene.store.ping().await.expect_err("closed");
    scene.clear().await;
}

#[tokio::test]
async fn a_closed_ledger_is_in_its_database_and_its_log_is_empty() {
    let scene = Scene::set(On::Sqlite).await;
    let organisation = ledger(&scene.store).await;
    let log = scene.folder().join("ledger.db-wal");
    // A reader that has the database open keeps the log from being removed.
    scene.store.head(organisation).await.expect("read").expect("a ledger");
    assert!(fs::metadata(&log).expect("a log").len() > 0);
    scene.store.close().await;
    assert_eq!(fs::metadata(&log).map_or(0, |log| log.len()), 0);
    scene.clear().await;
}

#[tokio::test]
async fn rows_that_were_lost_are_folded_again() {
    let scene = Scene::set(On::Sqlite).await;
    let organisation = ledger(&scene.store).await;
    scene.store.begin_generation(organisation, "some shape").await.expect("begun");
    scene.store.close().await;
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(scene.folder()).expect("a folder").map(|entry| entry.expect("an entry")) {
        if entry.file_name().to_string_lossy().starts_with("ledger.db") {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
        }
    }
    let found = SqliteStore::open(folder.path()).expect("a store without its rows");
    assert_eq!(found.head(organisation).await.expect("read").expect("a ledger").position, 1);
    assert!(found.generations(organisation).await.expect("read").is_empty());
    scene.clear().await;
}
