//! Followers: rows keep up with the ledger, and are folded anew beside it.

use std::time::Duration;

use lastresort_fact::OrganisationId;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::desk::{Desk, Expect};
use lastresort_ledger::follow::{Follower, Question, State, rebuild};
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_ledger::store::AnyStore;
use lastresort_ledger::view::{Views, World};
use uuid::Uuid;

use crate::scene::actors::{ask, desk, mark, note_with, order};
use crate::scene::letters::{NOON, organisation};
use crate::scene::notes::{NoteCommand, NoteHappened};
use crate::scene::views::{NoteView, Notes, TitleView, TitleViewOfAnotherDay, next_views, views};
use crate::scene::{On, Scene, beside};

on_both_stores!(
    rows_keep_up_with_the_ledger,
    questions_are_answered_from_rows,
    a_ledger_that_is_not_there_has_no_rows,
    rows_are_folded_anew_while_appends_go_on,
    a_program_of_another_shape_folds_anew_before_it_answers,
    of_two_programs_the_newer_takes_over_for_good,
    a_hole_in_the_ledger_halts_its_follower_alone,
    rows_ahead_of_the_ledger_halt_its_follower,
    of_two_followers_either_answers,
);

/// Longer than any story takes, so that nobody waits for nothing for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn follow<W: World<Event = NoteHappened>>(store: &AnyStore, views: Views<W>) -> Follower<W> {
    Follower::start(store.clone(), views, Clock::standing(NOON)).await.expect("a follower")
}

async fn caught_up(follower: &Follower<Notes>, store: &AnyStore, organisation: OrganisationId) {
    let head = store.head(organisation).await.expect("read").expect("a ledger").position;
    assert!(follower.wait_for(organisation, head, PATIENCE).await, "{:?}", follower.state(organisation).await);
}

/// The state of a ledger's follower once it has halted.
pub(crate) async fn halted(follower: &Follower<Notes>, organisation: OrganisationId) -> State {
    loop {
        let state = follower.state(organisation).await;
        if state.halted.is_some() {
            return state;
        }
        tokio::task::yield_now().await;
    }
}

/// A ledger whose first event is a note as well, so that followers know all of it.
pub(crate) async fn shelf(desk: &Desk) -> OrganisationId {
    let organisation = organisation();
    let opening = lastresort_ledger::desk::Order { opens: true, ..order(organisation) };
    let command = NoteCommand::Open { title: "The first".to_owned() };
    ask(desk, &opening, Uuid::new_v4(), Expect::New, command).await.expect("opened");
    organisation
}

async fn rows_keep_up_with_the_ledger(scene: &Scene) {
    let desk = desk(scene).await;
    let before = shelf(&desk).await;
    let follower = follow(&scene.store, views::<Notes>()).await;
    let after = shelf(&desk).await;
    for organisation in [before, after] {
        let id = note_with(&desk, organisation, [mark(1), mark(2)]).await;
        assert!(follower.wait_for(organisation, 4, PATIENCE).await);
        let found = follower.row::<NoteView<Notes>>(organisation, &id.to_string()).await.expect("answered").expect("a row");
        assert_eq!((found.position, found.row.title.value.as_str(), found.row.marks), (4, "A note", vec![1, 2]));
        let state = follower.state(organisation).await;
        assert_eq!(state, State { generation: 1, bookmark: 4, halted: None, ready: true });
    }
    assert_eq!(follower.states().len(), 2);
    assert!(!follower.wait_for(before, 5, Duration::from_millis(1)).await, "nothing is waited for beyond its bound");
    follower.stop().await;
}

async fn questions_are_answered_from_rows(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    let follower = follow(&scene.store, views::<Notes>()).await;
    for marks in [2, 0, 1] {
        note_with(&desk, organisation, (0..marks).map(|_| mark(1))).await;
    }
    caught_up(&follower, &scene.store, organisation).await;
    let title = Filter::Is("title", Cell::Text("A note".to_owned()));
    let question = Question { filters: vec![title], order: Some("marks"), descending: true, after: None, limit: 2 };
    let page = follower.ask::<NoteView<Notes>>(organisation, question.clone()).await.expect("answered");
    assert_eq!(page.iter().map(|found| found.row.marks.len()).collect::<Vec<_>>(), [2, 1]);
    let after = Some((Some(Cell::Integer(1)), page[1].id.clone()));
    let rest = follower.ask::<NoteView<Notes>>(organisation, Question { after, ..question }).await.expect("answered");
    assert_eq!(rest.iter().map(|found| found.row.marks.len()).collect::<Vec<_>>(), [0]);
    let titles = follower.row::<TitleView<Notes>>(organisation, "A note").await.expect("answered").expect("a row");
    assert_eq!(titles.row.notes, 3);
    follower.stop().await;
}

async fn a_ledger_that_is_not_there_has_no_rows(scene: &Scene) {
    let follower = follow(&scene.store, views::<Notes>()).await;
    let nowhere = organisation();
    assert_eq!(follower.state(nowhere).await, State::default());
    assert!(!follower.wait_for(nowhere, 1, PATIENCE).await);
    assert!(follower.row::<NoteView<Notes>>(nowhere, "x").await.expect("answered").is_none());
    assert!(follower.states().is_empty(), "nobody begins to follow what is asked for by guess");
    follower.stop().await;
}

async fn rows_are_folded_anew_while_appends_go_on(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    let id = note_with(&desk, organisation, []).await;
    let follower = follow(&scene.store, views::<Notes>()).await;
    let store = &scene.store;
    let appends = async {
        for _ in 0..150 {
            ask(&desk, &order(organisation), id, Expect::Exists, mark(1)).await.expect("done");
        }
    };
    let rebuilds = async {
        let mut told = Vec::new();
        for _ in 0..5 {
            let reached = rebuild(store, &views::<Notes>(), organisation, &Clock::standing(NOON), &mut |at, of| told.push((at, of))).await;
            reached.expect("folded anew");
            assert!(
                follower.row::<NoteView<Notes>>(organisation, &id.to_string()).await.expect("answered").is_some(),
                "rows answer throughout"
            );
        }
        told
    };
    let (told, ()) = tokio::join!(rebuilds, appends);
    assert!(told.iter().all(|(at, of)| at <= of) && !told.is_empty(), "{told:?}");
    caught_up(&follower, store, organisation).await;
    let found = follower.row::<NoteView<Notes>>(organisation, &id.to_string()).await.expect("answered").expect("a row");
    assert_eq!(found.row.marks.len(), 150);
    assert_eq!(store.generations(organisation).await.expect("read").len(), 1);
    follower.stop().await;
}

async fn a_program_of_another_shape_folds_anew_before_it_answers(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    let old = follow(&scene.store, views::<Notes>()).await;
    caught_up(&old, &scene.store, organisation).await;
    old.stop().await;
    let new = follow(&scene.store, next_views()).await;
    caught_up(&new, &scene.store, organisation).await;
    let state = new.state(organisation).await;
    assert_eq!((state.generation, state.ready), (2, true));
    let found = new.row::<TitleViewOfAnotherDay<Notes>>(organisation, "The first").await.expect("answered").expect("a row");
    assert_eq!(found.row.notes, 100);
    new.stop().await;
}

async fn of_two_programs_the_newer_takes_over_for_good(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    let old = follow(&scene.store, views::<Notes>()).await;
    caught_up(&old, &scene.store, organisation).await;
    // The older program runs on, and holds the right to fold; the newer does not wait for its end.
    let new = follow(&scene.store, next_views()).await;
    while !new.state(organisation).await.ready {
        tokio::task::yield_now().await;
    }
    for notes in 1..20 {
        note_with(&desk, organisation, []).await;
        caught_up(&new, &scene.store, organisation).await;
        let found = new.row::<TitleViewOfAnotherDay<Notes>>(organisation, "A note").await.expect("answered").expect("a row");
        assert_eq!(found.row.notes, notes * 100);
    }
    while old.state(organisation).await.ready {
        tokio::task::yield_now().await;
    }
    old.row::<NoteView<Notes>>(organisation, "none").await.expect_err("it does not say that there is none");
    let generations = scene.store.generations(organisation).await.expect("read");
    assert_eq!(generations.iter().map(|generation| generation.number).collect::<Vec<_>>(), [2], "and the older undoes nothing");
    old.stop().await;
    new.stop().await;
}

async fn a_hole_in_the_ledger_halts_its_follower_alone(scene: &Scene) {
    let desk = desk(scene).await;
    let (broken, whole) = (shelf(&desk).await, shelf(&desk).await);
    note_with(&desk, broken, [mark(1), mark(2)]).await;
    scene.meddle("DELETE FROM events WHERE organisation = {organisation} AND position = 3", broken).await;
    let follower = follow(&scene.store, views::<Notes>()).await;
    let state = halted(&follower, broken).await;
    assert!(state.halted.as_ref().is_some_and(|why| why.contains("position 3 is missing")), "{state:?}");
    assert_eq!(state.bookmark, 0, "nothing beyond the hole is folded, nor what was read with it");
    note_with(&desk, whole, []).await;
    caught_up(&follower, &scene.store, whole).await;
    assert_eq!(follower.state(whole).await.halted, None);
    follower.stop().await;
}

async fn rows_ahead_of_the_ledger_halt_its_follower(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    note_with(&desk, organisation, [mark(1)]).await;
    let follower = follow(&scene.store, views::<Notes>()).await;
    caught_up(&follower, &scene.store, organisation).await;
    follower.stop().await;
    scene.meddle("DELETE FROM events WHERE organisation = {organisation} AND position = 3", organisation).await;
    scene.meddle("UPDATE heads SET position = 2 WHERE organisation = {organisation}", organisation).await;
    let follower = follow(&scene.store, views::<Notes>()).await;
    let state = halted(&follower, organisation).await;
    assert!(state.halted.as_ref().is_some_and(|why| why.contains("the ledger ends at 2")), "{state:?}");
    let anew = rebuild(&scene.store, &views::<Notes>(), organisation, &Clock::standing(NOON), &mut |_, _| {}).await;
    anew.expect_err("nor is it mended by stealth");
    follower.stop().await;
}

async fn of_two_followers_either_answers(scene: &Scene) {
    let other = match scene.on {
        On::Sqlite => scene.store.clone(),
        On::Postgres => beside(scene).await,
    };
    let desk = desk(scene).await;
    let organisation = shelf(&desk).await;
    let (here, there) = (follow(&scene.store, views::<Notes>()).await, follow(&other, views::<Notes>()).await);
    for round in 0..20 {
        let id = note_with(&desk, organisation, [mark(1)]).await;
        for follower in [&here, &there] {
            caught_up(follower, &scene.store, organisation).await;
            let found = follower.row::<NoteView<Notes>>(organisation, &id.to_string()).await.expect("answered");
            assert_eq!(found.expect("a row").row.marks, [1], "round {round}");
        }
    }
    // The one that folded stops, and gives back the right to; the other goes on.
    here.stop().await;
    note_with(&desk, organisation, []).await;
    caught_up(&there, &scene.store, organisation).await;
    there.stop().await;
    if scene.on == On::Postgres {
        other.close().await;
    }
}
