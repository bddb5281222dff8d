//! Rows of views at rest: bookmarks, generations, parked rows, leases.

use lastresort_fact::OrganisationId;
use lastresort_ledger::rows::{Cell, Column, ColumnType, Generation, Parked, Row, RowChange, RowCommit, Table};
use lastresort_ledger::store::{AnyStore, StoreError};
use uuid::Uuid;

use crate::scene::Scene;
use crate::scene::letters::{NOON, organisation};

on_both_stores!(
    the_first_generation_is_active_at_once,
    rows_and_bookmark_move_together,
    whoever_is_overtaken_writes_nothing,
    a_row_passed_over_must_still_be_parked,
    parked_rows_are_told_until_they_are_folded,
    another_generation_stands_beside_and_takes_over,
    a_generation_that_is_behind_does_not_take_over,
    cells_that_do_not_fit_are_refused,
    one_holder_at_a_time,
);

/// A column may be named by a word of SQL.
fn table() -> Table {
    let columns = &[Column { name: "order", holds: ColumnType::Text }, Column { name: "size", holds: ColumnType::Integer }];
    Table { name: "view_shelf_1".to_owned(), columns }
}

fn put(id: &str, position: u64, body: &str) -> RowChange {
    let cells = vec![Cell::Text(body.to_owned()), Cell::Null];
    RowChange { table: table(), id: id.to_owned(), position, body: Some((format!("\"{body}\""), cells)) }
}

fn commit(organisation: OrganisationId, generation: i64, (from, to): (u64, u64), changes: Vec<RowChange>) -> RowCommit {
    RowCommit { organisation, generation, from, to, changes, parked: Vec::new(), unparked: Vec::new(), skipped: Vec::new() }
}

fn parked(id: &str, position: u64) -> Parked {
    Parked { table: table().name, id: id.to_owned(), position, reason: "not known".to_owned(), parked_at: NOON }
}

async fn begun(store: &AnyStore) -> OrganisationId {
    store.prepare_tables(&[table()]).await.expect("prepared");
    let organisation = organisation();
    store.begin_generation(organisation, "a b").await.expect("begun");
    organisation
}

async fn bodies(store: &AnyStore, organisation: OrganisationId, generation: i64, ids: &[&str]) -> Vec<String> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let rows = store.rows(organisation, generation, &table(), &ids).await.expect("read");
    rows.into_iter().map(|row| row.body).collect()
}

async fn bookmarks(store: &AnyStore, organisation: OrganisationId) -> Vec<(i64, u64, bool)> {
    let all = store.generations(organisation).await.expect("read");
    all.into_iter().map(|generation| (generation.number, generation.bookmark, generation.active)).collect()
}

async fn the_first_generation_is_active_at_once(scene: &Scene) {
    let organisation = organisation();
    assert!(scene.store.generations(organisation).await.expect("read").is_empty());
    let first = scene.store.begin_generation(organisation, "a b").await.expect("begun");
    assert_eq!(first, Generation { number: 1, fingerprint: "a b".to_owned(), bookmark: 0, active: true });
    let second = scene.store.begin_generation(organisation, "a c").await.expect("begun");
    assert_eq!((second.number, second.active), (2, false));
    assert_eq!(scene.store.generations(organisation).await.expect("read"), [first, second]);
}

async fn rows_and_bookmark_move_together(scene: &Scene) {
    let store = &scene.store;
    let (organisation, elsewhere) = (begun(store).await, begun(store).await);
    store.prepare_tables(&[table()]).await.expect("prepared again, to no effect");
    assert!(store.commit_rows(commit(organisation, 1, (0, 3), vec![put("a", 2, "one"), put("b", 3, "two")])).await.expect("written"));
    assert!(store.commit_rows(commit(elsewhere, 1, (0, 1), vec![put("a", 1, "theirs")])).await.expect("written"));
    assert_eq!(bodies(store, organisation, 1, &["b", "missing", "a"]).await, ["\"two\"", "\"one\""]);
    let gone = RowChange { body: None, ..put("a", 4, "") };
    let never = RowChange { body: None, ..put("never", 4, "") };
    assert!(store.commit_rows(commit(organisation, 1, (3, 5), vec![gone, never, put("b", 5, "three")])).await.expect("written"));
    assert_eq!(bodies(store, organisation, 1, &["a", "b"]).await, ["\"three\""]);
    let row = store.rows(organisation, 1, &table(), &["b".to_owned()]).await.expect("read").remove(0);
    assert_eq!(row, Row { id: "b".to_owned(), position: 5, body: "\"three\"".to_owned() });
    assert_eq!(bookmarks(store, organisation).await, [(1, 5, true)]);
    assert_eq!(bodies(store, elsewhere, 1, &["a", "b"]).await, ["\"theirs\""]);
}

async fn whoever_is_overtaken_writes_nothing(scene: &Scene) {
    let store = &scene.store;
    let organisation = begun(store).await;
    assert!(store.commit_rows(commit(organisation, 1, (0, 3), vec![put("a", 3, "first")])).await.expect("answered"));
    for (generation, from) in [(1, 0), (1, 4), (2, 3)] {
        let mut late = commit(organisation, generation, (from, 9), vec![put("a", 9, "late"), put("b", 9, "late")]);
        late.parked = vec![parked("c", 9)];
        assert!(!store.commit_rows(late).await.expect("answered"), "generation {generation} from {from}");
    }
    assert_eq!(bodies(store, organisation, 1, &["a", "b"]).await, ["\"first\""]);
    assert_eq!(bookmarks(store, organisation).await, [(1, 3, true)]);
    assert!(store.parked(organisation, 1).await.expect("read").is_empty());
}

async fn a_row_passed_over_must_still_be_parked(scene: &Scene) {
    let store = &scene.store;
    let organisation = begun(store).await;
    let place = (table().name, "a".to_owned());
    let first = RowCommit { parked: vec![parked("a", 2)], ..commit(organisation, 1, (0, 3), Vec::new()) };
    assert!(store.commit_rows(first).await.expect("written"));
    let passing = |from, to| RowCommit { skipped: vec![place.clone()], ..commit(organisation, 1, (from, to), vec![put("b", to, "on")]) };
    assert!(store.commit_rows(passing(3, 4)).await.expect("written"));
    let folded = RowCommit {
        unparked: vec![place.clone()],
        skipped: vec![place.clone()],
        ..commit(organisation, 1, (4, 4), vec![put("a", 4, "folded")])
    };
    assert!(store.commit_rows(folded.clone()).await.expect("written"));
    assert!(!store.commit_rows(passing(4, 5)).await.expect("answered"), "it would miss what this step folds");
    assert!(!store.commit_rows(folded).await.expect("answered"), "it was folded already");
    assert_eq!(bookmarks(store, organisation).await, [(1, 4, true)]);
}

async fn parked_rows_are_told_until_they_are_folded(scene: &Scene) {
    let store = &scene.store;
    let organisation = begun(store).await;
    let two = RowCommit { parked: vec![parked("b", 2), parked("a", 3)], ..commit(organisation, 1, (0, 3), Vec::new()) };
    assert!(store.commit_rows(two).await.expect("written"));
    assert_eq!(store.parked(organisation, 1).await.expect("read"), [parked("a", 3), parked("b", 2)]);
    assert!(store.parked(organisation, 2).await.expect("read").is_empty());
    let again = RowCommit { parked: vec![parked("a", 7)], ..commit(organisation, 1, (3, 7), Vec::new()) };
    assert!(store.commit_rows(again).await.expect("written"));
    let one = RowCommit { unparked: vec![(table().name, "b".to_owned())], ..commit(organisation, 1, (7, 7), vec![put("b", 7, "folded")]) };
    assert!(store.commit_rows(one).await.expect("written"));
    assert_eq!(store.parked(organisation, 1).await.expect("read"), [parked("a", 7)]);
}

async fn another_generation_stands_beside_and_takes_over(scene: &Scene) {
    let store = &scene.store;
    let (organisation, elsewhere) = (begun(store).await, begun(store).await);
    let old = RowCommit { parked: vec![parked("p", 1)], ..commit(organisation, 1, (0, 2), vec![put("a", 1, "old"), put("b", 2, "old")]) };
    assert!(store.commit_rows(old).await.expect("written"));
    assert!(store.commit_rows(commit(elsewhere, 1, (0, 1), vec![put("a", 1, "theirs")])).await.expect("written"));
    store.begin_generation(organisation, "a c").await.expect("begun");
    store.begin_generation(organisation, "left behind").await.expect("begun");
    assert!(store.commit_rows(commit(organisation, 2, (0, 2), vec![put("a", 2, "new")])).await.expect("written"));
    assert_eq!(bodies(store, organisation, 1, &["a", "b"]).await, ["\"old\"", "\"old\""]);
    assert!(store.switch_generation(organisation, 2, &[table()]).await.expect("switched"));
    assert_eq!(bookmarks(store, organisation).await, [(2, 2, true)]);
    assert!(bodies(store, organisation, 1, &["a", "b"]).await.is_empty());
    assert_eq!(bodies(store, organisation, 2, &["a", "b"]).await, ["\"new\""]);
    assert!(store.parked(organisation, 1).await.expect("read").is_empty());
    assert_eq!(bodies(store, elsewhere, 1, &["a"]).await, ["\"theirs\""]);
    let missing = store.switch_generation(organisation, 9, &[table()]).await;
    assert!(matches!(missing, Err(StoreError::Corrupt(_))), "{missing:?}");
    assert_eq!(store.begin_generation(organisation, "a d").await.expect("begun").number, 3);
}

async fn a_generation_that_is_behind_does_not_take_over(scene: &Scene) {
    let store = &scene.store;
    let organisation = begun(store).await;
    store.begin_generation(organisation, "a c").await.expect("begun");
    assert!(store.commit_rows(commit(organisation, 1, (0, 2), vec![put("a", 2, "old")])).await.expect("written"));
    assert!(store.commit_rows(commit(organisation, 2, (0, 1), vec![put("a", 1, "new")])).await.expect("written"));
    assert!(!store.switch_generation(organisation, 2, &[table()]).await.expect("answered"));
    assert_eq!(bookmarks(store, organisation).await, [(1, 2, true), (2, 1, false)]);
    assert_eq!(bodies(store, organisation, 1, &["a"]).await, ["\"old\""]);
    assert!(store.commit_rows(commit(organisation, 2, (1, 2), Vec::new())).await.expect("written"));
    assert!(store.switch_generation(organisation, 2, &[table()]).await.expect("switched"));
}

async fn cells_that_do_not_fit_are_refused(scene: &Scene) {
    let store = &scene.store;
    let organisation = begun(store).await;
    let with = |cells: Vec<Cell>| RowChange { body: Some(("{}".to_owned(), cells)), ..put("a", 1, "") };
    let text = || Cell::Text("7".to_owned());
    for cells in [vec![text()], vec![text(), text()], vec![Cell::Integer(7), Cell::Null], vec![text(), Cell::Null, Cell::Null]] {
        let refused = store.commit_rows(commit(organisation, 1, (0, 1), vec![with(cells.clone())])).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{cells:?}: {refused:?}");
    }
    assert_eq!(bookmarks(store, organisation).await, [(1, 0, true)]);
    assert!(store.commit_rows(commit(organisation, 1, (0, 1), vec![with(vec![text(), Cell::Integer(7)])])).await.expect("written"));
}

async fn one_holder_at_a_time(scene: &Scene) {
    let (organisation, elsewhere) = (organisation(), organisation());
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let lease = async |organisation, holder, milliseconds| scene.store.lease(organisation, holder, milliseconds).await.expect("answered");
    assert!(lease(organisation, first, 60_000).await);
    assert!(!lease(organisation, second, 60_000).await);
    assert!(lease(organisation, first, 60_000).await, "it is renewed");
    assert!(lease(elsewhere, second, 60_000).await);
    assert!(lease(organisation, first, 0).await, "it is given back");
    assert!(lease(organisation, second, 60_000).await);
    assert!(!lease(organisation, first, 60_000).await);
}
