//! What an append does to a ledger, and what it refuses.

use futures::future::join_all;
use lastresort_fact::Instant;
use lastresort_ledger::append::{Append, Outcome, StreamWrite};
use lastresort_ledger::store::Moved;
use tokio::task::unconstrained;
use uuid::Uuid;

use crate::scene::Scene;
use crate::scene::letters::{NOON, append, applied, claim, claim_name, event, ledger, note, opening, organisation, write};

on_both_stores!(
    a_receipt_says_what_was_written,
    a_stale_version_is_told_the_actual_one,
    a_decision_that_rested_on_a_stream_falls_with_it,
    later_commands_of_a_batch_see_earlier_ones,
    of_many_who_saw_the_same_version_one_wins,
    several_streams_are_written_all_or_nothing,
    one_stream_may_be_written_twice,
    an_event_too_large_is_refused_alone,
    a_ledger_is_opened_once_and_written_after,
    the_time_of_recording_never_runs_backwards,
    an_append_without_events_is_kept_all_the_same,
    a_move_is_told,
    what_was_answered_is_there_after_a_restart,
    all_that_was_taken_is_answered_before_closing,
);

async fn a_receipt_says_what_was_written(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (id, other) = (Uuid::new_v4(), Uuid::new_v4());
    let asked = Append { status: 201, writes: vec![write(id, 0, "one"), write(other, 0, "two")], ..append(organisation, id, 0, "") };
    let receipt = applied(scene.store.append(asked.clone()).await);
    assert_eq!(receipt.status, 201);
    assert_eq!(receipt.position, 3);
    assert_eq!(receipt.recorded_at, NOON);
    assert_eq!(receipt.streams, [(note(id), 1), (note(other), 1)]);
    let events = scene.store.read(organisation, 1, 10).await.expect("read");
    assert_eq!(events.iter().map(|event| event.event_id).collect::<Vec<_>>(), receipt.events);
    let leaf: serde_json::Value = serde_json::from_slice(&events[0].leaf).expect("a leaf is JSON");
    assert_eq!(leaf["org"], organisation.to_string());
    assert_eq!(leaf["seq"], 1);
    assert_eq!(leaf["body"]["text"], "one");
    assert_eq!(leaf["recorded_at"], NOON.to_string());
    let payload: serde_json::Value = serde_json::from_str(&events[0].payload).expect("JSON");
    assert_eq!(payload["stamp"]["recorded_at"], NOON.to_string());
    let metadata: serde_json::Value = serde_json::from_str(&events[0].metadata).expect("JSON");
    assert_eq!(metadata["correlation"], asked.correlation.to_string());
    assert_eq!(metadata["command"], hex::encode(asked.key.key));
}

async fn a_stale_version_is_told_the_actual_one(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let id = Uuid::new_v4();
    applied(scene.store.append(append(organisation, id, 0, "first")).await);
    applied(scene.store.append(append(organisation, id, 1, "second")).await);
    for expected in [0, 1, 3] {
        let outcome = scene.store.append(append(organisation, id, expected, "stale")).await.expect("answered");
        assert_eq!(outcome, Outcome::Conflict { stream: note(id), actual: 2 });
    }
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 3);
}

async fn a_decision_that_rested_on_a_stream_falls_with_it(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (rested_on, id) = (Uuid::new_v4(), Uuid::new_v4());
    applied(scene.store.append(append(organisation, rested_on, 0, "grant")).await);
    let asked = |version| Append { also: vec![(note(rested_on), version)], ..append(organisation, id, 0, "by grant") };
    let missing = Append { also: vec![(note(Uuid::new_v4()), 0)], ..append(organisation, Uuid::new_v4(), 0, "there is none yet") };
    applied(scene.store.append(missing).await);
    applied(scene.store.append(append(organisation, rested_on, 1, "revoked")).await);
    let outcome = scene.store.append(asked(1)).await.expect("answered");
    assert_eq!(outcome, Outcome::Conflict { stream: note(rested_on), actual: 2 });
    applied(scene.store.append(asked(2)).await);
}

async fn later_commands_of_a_batch_see_earlier_ones(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let id = Uuid::new_v4();
    let appends = (0..300).map(|expected| scene.store.append(append(organisation, id, expected, "next")));
    // Handed over in this order: tokio must not interrupt whoever hands over much at once.
    let all = unconstrained(join_all(appends)).await;
    let positions: Vec<u64> = all.into_iter().map(|outcome| applied(outcome).position).collect();
    assert_eq!(positions, (2..=301).collect::<Vec<_>>());
}

async fn of_many_who_saw_the_same_version_one_wins(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let id = Uuid::new_v4();
    let all = join_all((0..40).map(|_| scene.store.append(append(organisation, id, 0, "mine")))).await;
    let (won, lost): (Vec<_>, Vec<_>) =
        all.into_iter().map(|outcome| outcome.expect("answered")).partition(|outcome| matches!(outcome, Outcome::Applied(_)));
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|outcome| *outcome == Outcome::Conflict { stream: note(id), actual: 1 }), "{lost:?}");
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 2);
}

async fn several_streams_are_written_all_or_nothing(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    applied(scene.store.append(append(organisation, two, 0, "there already")).await);
    let both = |of_two| Append { writes: vec![write(one, 0, "one"), write(two, of_two, "two")], ..append(organisation, one, 0, "") };
    let outcome = scene.store.append(both(0)).await.expect("answered");
    assert_eq!(outcome, Outcome::Conflict { stream: note(two), actual: 1 });
    assert!(scene.store.read_stream(organisation, &note(one), 0, 10).await.expect("read").is_empty());
    assert_eq!(applied(scene.store.append(both(1)).await).streams, [(note(one), 1), (note(two), 2)]);
}

async fn one_stream_may_be_written_twice(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let id = Uuid::new_v4();
    let twice = |second| Append { writes: vec![write(id, 0, "first"), write(id, second, "second")], ..append(organisation, id, 0, "") };
    let outcome = scene.store.append(twice(0)).await.expect("answered");
    assert_eq!(outcome, Outcome::Conflict { stream: note(id), actual: 1 });
    assert_eq!(applied(scene.store.append(twice(1)).await).position, 3);
    assert_eq!(scene.store.read_stream(organisation, &note(id), 0, 10).await.expect("read").len(), 2);
}

async fn an_event_too_large_is_refused_alone(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let text = "x".repeat(70_000);
    let large = StreamWrite { events: vec![event("small"), event(&text)], ..write(Uuid::new_v4(), 0, "") };
    let mut appends: Vec<Append> = (0..20).map(|_| append(organisation, Uuid::new_v4(), 0, "small")).collect();
    appends[7].writes = vec![large];
    let outcomes = join_all(appends.into_iter().map(|asked| scene.store.append(asked))).await;
    for (nth, outcome) in outcomes.into_iter().enumerate() {
        if nth == 7 {
            assert_eq!(outcome.expect("answered"), Outcome::EventTooLarge);
        } else {
            applied(outcome);
        }
    }
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 20);
}

async fn a_ledger_is_opened_once_and_written_after(scene: &Scene) {
    let organisation = organisation();
    let early = append(organisation, Uuid::new_v4(), 0, "too early");
    assert_eq!(scene.store.append(early.clone()).await.expect("answered"), Outcome::NoLedger);
    assert_eq!(scene.store.head(organisation).await.expect("read"), None);
    let openings = join_all((0..10).map(|_| scene.store.append(opening(organisation)))).await;
    let opened = openings.into_iter().filter(|outcome| match outcome.as_ref().expect("answered") {
        Outcome::Applied(_) => true,
        other => {
            assert_eq!(*other, Outcome::LedgerExists);
            false
        }
    });
    assert_eq!(opened.count(), 1);
    assert_eq!(applied(scene.store.append(early).await).position, 2);
}

async fn the_time_of_recording_never_runs_backwards(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let at = |micros| Append { at: Instant::from_micros(NOON.micros() + micros), ..append(organisation, Uuid::new_v4(), 0, "at its time") };
    for (clock, recorded) in [(10, 10), (4, 10), (11, 11), (-7, 11)] {
        let receipt = applied(scene.store.append(at(clock)).await);
        assert_eq!(receipt.recorded_at.micros() - NOON.micros(), recorded);
    }
    let events = scene.store.read(organisation, 0, 10).await.expect("read");
    assert!(events.is_sorted_by_key(|event| event.recorded_at));
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").recorded_at, events[4].recorded_at);
}

async fn an_append_without_events_is_kept_all_the_same(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (name, id) = (claim_name("login"), Uuid::new_v4());
    let asked = Append { writes: Vec::new(), claims: vec![claim(&name, id)], ..append(organisation, id, 0, "") };
    let receipt = applied(scene.store.append(asked.clone()).await);
    assert_eq!(receipt.position, 1);
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), Some(note(id)));
    assert_eq!(scene.store.append(asked).await.expect("answered"), Outcome::Replayed(receipt));
}

async fn a_move_is_told(scene: &Scene) {
    let mut heard = scene.store.moves();
    let organisation = ledger(&scene.store).await;
    assert_eq!(heard.recv().await, Ok(Moved { organisation, position: 1 }));
    applied(scene.store.append(append(organisation, Uuid::new_v4(), 0, "on")).await);
    assert_eq!(heard.recv().await, Ok(Moved { organisation, position: 2 }));
}

async fn what_was_answered_is_there_after_a_restart(first: &Scene) {
    let scene = Scene::set(first.on).await;
    let organisation = ledger(&scene.store).await;
    let asked = append(organisation, Uuid::new_v4(), 0, "kept");
    let receipt = applied(scene.store.append(asked.clone()).await);
    let before = scene.store.read(organisation, 0, 10).await.expect("read");
    let scene = scene.reopened().await;
    assert_eq!(scene.store.read(organisation, 0, 10).await.expect("read"), before);
    assert_eq!(scene.store.append(asked).await.expect("answered"), Outcome::Replayed(receipt));
    assert_eq!(applied(scene.store.append(append(organisation, Uuid::new_v4(), 0, "on")).await).position, 3);
    scene.clear().await;
}

async fn all_that_was_taken_is_answered_before_closing(first: &Scene) {
    let scene = Scene::set(first.on).await;
    let organisation = ledger(&scene.store).await;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let store = scene.store.clone();
            tokio::spawn(async move { store.append(append(organisation, Uuid::new_v4(), 0, "last")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    scene.store.close().await;
    let answers = join_all(tasks).await;
    let scene = scene.reopened().await;
    let applied =
        answers.into_iter().filter(|answer| matches!(answer.as_ref().expect("a task that ends"), Ok(Outcome::Applied(_)))).count();
    let head = scene.store.head(organisation).await.expect("read").expect("a ledger");
    assert_eq!(head.position, 1 + applied as u64, "no more and no less than was answered");
    scene.clear().await;
}
