//! Rows that cannot be folded: they wait, and nothing else does.

use lastresort_fact::OrganisationId;
use lastresort_ledger::fold::{Folding, Retried, Step, retry, step};
use lastresort_ledger::follow::Follower;
use lastresort_ledger::view::World;
use uuid::Uuid;

use crate::followers::{PATIENCE, follow, halted, shelf};
use crate::scene::Scene;
use crate::scene::actors::{ask, desk, mark, note_with, order};
use crate::scene::letters::NOON;
use crate::scene::notes::NoteHappened;
use crate::scene::views::{NoteView, Notes, OldNotes, views};
use lastresort_ledger::desk::Expect;

on_both_stores!(
    an_unknown_event_parks_its_row_alone,
    a_parked_row_is_folded_once_its_events_are_known,
    a_parked_row_catches_up_with_a_bookmark_that_moved,
    a_fold_that_panics_halts_its_ledger_and_says_so,
);

async fn marks<W: World<Event = NoteHappened>>(follower: &Follower<W>, organisation: OrganisationId, id: Uuid) -> Option<Vec<u32>> {
    let found = follower.row::<NoteView<W>>(organisation, &id.to_string()).await.expect("answered");
    found.map(|found| found.row.marks)
}

async fn an_unknown_event_parks_its_row_alone(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    let follower = follow(&scene.store, views::<OldNotes>()).await;
    let stuck = note_with(&desk, organisation, []).await;
    assert!(follower.wait_for(organisation, 2, PATIENCE).await);
    ask(&desk, &order(organisation), stuck, Expect::Exists, mark(1)).await.expect("done");
    let free = note_with(&desk, organisation, []).await;
    assert!(follower.wait_for(organisation, 4, PATIENCE).await, "nothing else waits");
    assert_eq!(marks(&follower, organisation, free).await, Some(Vec::new()));
    assert_eq!(marks(&follower, organisation, stuck).await, Some(Vec::new()), "it stays as it was");
    let parked = follower.parked(organisation).await.expect("told");
    assert!(
        parked.iter().all(|row| (row.id == stuck.to_string(), row.position, row.reason.as_str()) == (true, 3, "MarkMade is not known")),
        "{parked:?}"
    );
    assert!(!parked.is_empty());
    assert_eq!(follower.retry_parked(organisation).await.expect("tried"), 0, "not yet");
    assert_eq!(follower.parked(organisation).await.expect("told"), parked);
    follower.stop().await;
}

async fn a_parked_row_is_folded_once_its_events_are_known(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    let old = follow(&scene.store, views::<OldNotes>()).await;
    let id = note_with(&desk, organisation, [mark(1), mark(2)]).await;
    assert!(old.wait_for(organisation, 4, PATIENCE).await);
    old.stop().await;
    let new = follow(&scene.store, views::<Notes>()).await;
    ask(&desk, &order(organisation), id, Expect::Exists, mark(3)).await.expect("done");
    assert!(new.wait_for(organisation, 5, PATIENCE).await);
    assert!(marks(&new, organisation, id).await.is_none_or(|marks| marks.is_empty()), "still parked, though the event is known now");
    let parked = new.parked(organisation).await.expect("told").len();
    assert_eq!(new.retry_parked(organisation).await.expect("tried"), parked);
    assert_eq!(marks(&new, organisation, id).await, Some(vec![1, 2, 3]));
    assert!(new.parked(organisation).await.expect("told").is_empty());
    ask(&desk, &order(organisation), id, Expect::Exists, mark(4)).await.expect("done");
    assert!(new.wait_for(organisation, 6, PATIENCE).await);
    assert_eq!(marks(&new, organisation, id).await, Some(vec![1, 2, 3, 4]));
    new.stop().await;
}

/// No follower here: the steps are taken by hand, one between the others.
async fn a_parked_row_catches_up_with_a_bookmark_that_moved(scene: &Scene) {
    let desk = desk(scene).await;
    let (old, new) = (views::<OldNotes>(), views::<Notes>());
    scene.store.prepare_tables(&new.tables()).await.expect("prepared");
    let organisation = shelf(&desk).await;
    let id = note_with(&desk, organisation, [mark(1)]).await;
    let begun = scene.store.begin_generation(organisation, &new.fingerprint()).await.expect("begun");
    let mut known = Folding::of(&*scene.store, organisation, begun.clone()).await.expect("read");
    let stepped = step(&*scene.store, &old, organisation, &mut known, NOON).await.expect("folded");
    assert_eq!(stepped, Step::Moved(3));
    ask(&desk, &order(organisation), id, Expect::Exists, mark(2)).await.expect("done");
    for parked in scene.store.parked(organisation, begun.number).await.expect("read") {
        let retried = retry(&*scene.store, &new, organisation, begun.number, &parked).await.expect("tried");
        assert_eq!(retried, Retried::Folded, "{parked:?}");
        let again = retry(&*scene.store, &new, organisation, begun.number, &parked).await.expect("tried");
        assert_eq!(again, Retried::Overtaken, "it is parked no more");
    }
    let moved = scene.store.generations(organisation).await.expect("read").remove(0);
    assert_eq!(moved.bookmark, 3, "folding a row anew moves no bookmark");
    let stepped = step(&*scene.store, &new, organisation, &mut known, NOON).await.expect("answered");
    assert_eq!(stepped, Step::Overtaken, "whoever passes over what is parked no more is told");
    let mut fresh = Folding::of(&*scene.store, organisation, moved.clone()).await.expect("read");
    let mut late = fresh.clone();
    assert_eq!(step(&*scene.store, &new, organisation, &mut fresh, NOON).await.expect("folded"), Step::Moved(4));
    assert_eq!(step(&*scene.store, &new, organisation, &mut late, NOON).await.expect("answered"), Step::Overtaken);
    let table = new.tables().into_iter().find(|table| table.name.contains("notes")).expect("a table");
    let row = scene.store.rows(organisation, moved.number, &table, &[id.to_string()]).await.expect("read").remove(0);
    assert!(row.body.contains("[1,2]"), "{}", row.body);
}

async fn a_fold_that_panics_halts_its_ledger_and_says_so(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    note_with(&desk, organisation, [mark(666)]).await;
    let follower = follow(&scene.store, views::<Notes>()).await;
    let state = halted(&follower, organisation).await;
    assert_eq!((state.bookmark, state.halted.as_deref()), (0, Some("the store holds something it should not: folding panicked")));
    follower.stop().await;
}
