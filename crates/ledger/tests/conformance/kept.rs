//! States kept between commands: two desks on one ledger, each of which
//! believes what it has until it is told otherwise.

use lastresort_ledger::desk::{DeskError, Expect, Reader, States as _};

use crate::scene::Scene;
use crate::scene::actors::{ask, desk, mark, note_with, order};
use crate::scene::letters::ledger;
use crate::scene::notes::{Note, NoteCommand};

on_both_stores!(what_another_desk_wrote_is_decided_on, a_refusal_is_never_of_the_past, what_is_kept_is_what_would_be_loaded,);

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
    let mut reader = Reader { desk: &desk, organisation };
    let kept = reader.state::<Note>(id).await.expect("kept");
    assert_eq!(kept, desk.load::<Note>(organisation, id).await.expect("loaded"));
    ask(&desk, &order(organisation), id, Expect::Version(kept.1), NoteCommand::Mark { mark: 99, most: 100 }).await.expect("done");
    let kept = reader.state::<Note>(id).await.expect("kept");
    assert_eq!(kept, desk.load::<Note>(organisation, id).await.expect("loaded"));
}
