//! States kept between commands: two desks on one ledger, each of which
//! believes what it has until it is told otherwise.

use std::sync::atomic::{AtomicUsize, Ordering};

use lastresort_ledger::clock::Clock;
use lastresort_ledger::desk::{Desk, DeskError, Expect, Reader, Seen, States as _};

use crate::scene::Scene;
use crate::scene::actors::{ask, desk, later, mark, note_with, order};
use crate::scene::letters::{NOON, ledger};
use crate::scene::notes::{Note, NoteCommand};

on_both_stores!(
    what_another_desk_wrote_is_decided_on,
    a_refusal_is_never_of_the_past,
    what_is_kept_is_what_would_be_loaded,
    what_is_kept_was_recorded_when_the_ledger_says,
    what_is_believed_and_has_moved_is_looked_at,
);

async fn what_another_desk_wrote_is_decided_on(scene: &Scene) {
    let (here, there) = (desk(scene).await, desk(scene).await);
    let organisation = ledger(&scene.store).await;
    let id = note_with(&here, organisation, []).await;
    for number in 1..=10 {
        let by = if number % 2 == 0 { &there } else { &here };
        ask(by, &order(organisation), id, Expect::Exists, mark(number)).await.expect("done");
    }
    let (loaded, version) = here.load::<Note>(organisation, id).await.expect("loaded");
    assert_eq!((loaded.marks.len(), version), (10, 11));
}

async fn a_refusal_is_never_of_the_past(scene: &Scene) {
    let (here, there) = (desk(scene).await, desk(scene).await);
    let organisation = ledger(&scene.store).await;
    let id = note_with(&here, organisation, []).await;
    // Given here is kept that the note has one event, and there a second is written.
    ask(&there, &order(organisation), id, Expect::Exists, mark(1)).await.expect("done");
    // Then what names the version of there is done, and not refused as stale by what here remembers.
    ask(&here, &order(organisation), id, Expect::Version(2), mark(2)).await.expect("done");
    // And what names the version remembered here is refused by what is.
    match ask(&there, &order(organisation), id, Expect::Version(2), mark(3)).await.expect_err("refused") {
        DeskError::Stale { actual, .. } => assert_eq!(actual, 3),
        other => panic!("{other:?}"),
    }
}

async fn what_is_kept_is_what_would_be_loaded(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, (0..20).map(mark)).await;
    let mut reader = Reader::new(&desk, organisation, Seen::default());
    let kept = reader.state::<Note>(id).await.expect("kept");
    assert_eq!(kept, desk.load::<Note>(organisation, id).await.expect("loaded"));
    let done =
        ask(&desk, &order(organisation), id, Expect::Version(kept.1), NoteCommand::Mark { mark: 99, most: 100 }).await.expect("done");
    let loaded = desk.load::<Note>(organisation, id).await.expect("loaded");
    for seen in [Seen::default(), done.seen] {
        assert_eq!(Reader::new(&desk, organisation, seen).state::<Note>(id).await.expect("kept"), loaded);
    }
}

async fn what_is_kept_was_recorded_when_the_ledger_says(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, []).await;
    // A command that began before the last one was recorded, and decides twice.
    let late = Desk { clock: Clock::standing(later(-1)), ..desk.clone() };
    let order = order(organisation);
    let twice = late.run(&order, async |work| {
        work.decide::<Note>(id, Expect::Exists, mark(1), &()).await?;
        work.decide::<Note>(id, Expect::Exists, mark(2), &()).await.map(drop)
    });
    let done = twice.await.expect("done");
    let loaded = desk.load::<Note>(organisation, id).await.expect("loaded");
    assert_eq!(loaded.0.recorded_at[1..], [NOON; 2]);
    for seen in [Seen::default(), done.seen] {
        assert_eq!(Reader::new(&late, organisation, seen).state::<Note>(id).await.expect("kept"), loaded);
    }
}

async fn what_is_believed_and_has_moved_is_looked_at(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let (right, id) = (note_with(&desk, organisation, [mark(1)]).await, note_with(&desk, organisation, []).await);
    for (version, wrong) in [(2, false), (1, true)] {
        let believed = AtomicUsize::new(0);
        let looked = AtomicUsize::new(0);
        desk.run(&order(organisation), async |work| {
            let count = if work.believes::<Note>(right, version) { &believed } else { &looked };
            count.fetch_add(1, Ordering::SeqCst);
            work.decide::<Note>(id, Expect::Exists, mark(10), &()).await.map(drop)
        })
        .await
        .expect("done");
        assert_eq!((believed.into_inner(), looked.into_inner()), (1, usize::from(wrong)));
    }
}
