//! Reading ledgers and streams, and what stands beside them.

use lastresort_fact::{OrganisationId, Root};
use lastresort_ledger::store::{Kind, StoredEvent};
use uuid::Uuid;

use crate::scene::letters::{append, applied, ledger, note, organisation};
use crate::scene::notes::Note;
use crate::scene::{On, Scene};

on_both_stores!(
    a_ledger_is_read_page_by_page,
    a_stream_is_read_by_position,
    a_stream_is_loaded_from_any_version,
    heads_are_told_of_every_ledger,
    of_a_setting_the_first_value_stays,
    the_store_says_that_it_is_well,
);

/// A ledger with three streams written in turns: positions 2, 5, 8 … are the first one's.
async fn three_streams(scene: &Scene) -> (OrganisationId, [Uuid; 3]) {
    let organisation = ledger(&scene.store).await;
    let ids = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    for expected in 0..4 {
        for id in ids {
            applied(scene.store.append(append(organisation, id, expected, "in turns")).await);
        }
    }
    (organisation, ids)
}

fn positions(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}

async fn a_ledger_is_read_page_by_page(scene: &Scene) {
    let (organisation, _) = three_streams(scene).await;
    let mut after = 0;
    let mut pages = Vec::new();
    loop {
        let page = scene.store.read(organisation, after, 5).await.expect("read");
        let Some(last) = page.last() else { break };
        after = last.position;
        pages.push(positions(&page));
    }
    assert_eq!(pages, [vec![1, 2, 3, 4, 5], vec![6, 7, 8, 9, 10], vec![11, 12, 13]]);
    assert!(scene.store.read(organisation, u64::MAX, 5).await.expect("read").is_empty());
    assert!(scene.store.read(crate::scene::letters::organisation(), 0, 5).await.expect("read").is_empty());
}

async fn a_stream_is_read_by_position(scene: &Scene) {
    let (organisation, ids) = three_streams(scene).await;
    let read = async |after, limit| scene.store.read_stream(organisation, &note(ids[0]), after, limit).await.expect("read");
    assert_eq!(positions(&read(0, 10).await), [2, 5, 8, 11]);
    assert_eq!(positions(&read(2, 2).await), [5, 8]);
    assert_eq!(positions(&read(4, 10).await), [5, 8, 11]);
    assert!(read(11, 10).await.is_empty());
    let events = read(0, 10).await;
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(events.iter().all(|event| event.stream == note(ids[0])));
    let elsewhere = ledger(&scene.store).await;
    assert!(scene.store.read_stream(elsewhere, &note(ids[0]), 0, 10).await.expect("read").is_empty());
}

async fn a_stream_is_loaded_from_any_version(scene: &Scene) {
    let (organisation, ids) = three_streams(scene).await;
    let kind = Kind::of::<Root<Note>>();
    let load = async |after| scene.store.stream(organisation, kind, ids[1], after).await.expect("loaded");
    assert_eq!(load(0).await.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(load(3).await.iter().map(|event| event.sequence).collect::<Vec<_>>(), [4]);
    assert!(load(4).await.is_empty());
    let first = load(0).await.remove(0);
    let fact: serde_json::Value = serde_json::from_str(&first.payload).expect("JSON");
    assert_eq!((&fact["event"]["type"], &fact["event"]["value"]["text"]), (&"Noted".into(), &"in turns".into()));
    let elsewhere = ledger(&scene.store).await;
    assert!(scene.store.stream(elsewhere, kind, ids[1], 0).await.expect("loaded").is_empty());
}

async fn heads_are_told_of_every_ledger(scene: &Scene) {
    assert!(scene.store.heads().await.expect("read").is_empty());
    let (first, _) = three_streams(scene).await;
    let second = ledger(&scene.store).await;
    let mut heads: Vec<_> =
        scene.store.heads().await.expect("read").into_iter().map(|(organisation, head)| (organisation, head.position)).collect();
    heads.sort_by_key(|(_, position)| *position);
    assert_eq!(heads, [(second, 1), (first, 13)]);
    assert_eq!(scene.store.head(organisation()).await.expect("read"), None);
}

async fn of_a_setting_the_first_value_stays(scene: &Scene) {
    assert_eq!(scene.store.keep_setting("colour", "red").await.expect("kept"), "red");
    assert_eq!(scene.store.keep_setting("colour", "blue").await.expect("kept"), "red");
    assert_eq!(scene.store.keep_setting("taste", "sour").await.expect("kept"), "sour");
}

async fn the_store_says_that_it_is_well(scene: &Scene) {
    scene.store.ping().await.expect("well");
    let settings = scene.store.durability().await.expect("told");
    let expected: &[(&str, &str)] = match scene.on {
        On::Sqlite => &[("journal_mode", "wal"), ("synchronous", "FULL"), ("secure_delete", "1")],
        On::Postgres => &[("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on")],
    };
    for (name, value) in expected {
        assert_eq!(settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()), Some(*value), "{name}");
    }
}
