//! Commands that come twice.

use lastresort_fact::Instant;
use lastresort_ledger::append::{Append, CommandKey, Outcome};
use uuid::Uuid;

use crate::scene::Scene;
use crate::scene::letters::{append, applied, digest, ledger, note, organisation};

on_both_stores!(
    the_same_again_is_answered_the_same,
    the_same_key_for_something_else_is_refused,
    a_refusal_is_not_kept,
    of_two_at_once_one_is_done,
    a_key_belongs_to_one_ledger,
    an_old_command_is_forgotten,
);

async fn the_same_again_is_answered_the_same(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let asked = append(organisation, Uuid::new_v4(), 0, "once");
    let receipt = applied(scene.store.append(asked.clone()).await);
    applied(scene.store.append(append(organisation, Uuid::new_v4(), 0, "meanwhile")).await);
    // Replayed though its version is stale by now, and though it says something else of itself.
    let again = Append { status: 500, ..asked.clone() };
    assert_eq!(scene.store.append(again).await.expect("answered"), Outcome::Replayed(receipt.clone()));
    let stored = scene.store.command(organisation, asked.key.key).await.expect("read").expect("kept");
    assert_eq!((stored.body, stored.receipt), (asked.key.body, receipt));
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 3);
}

async fn the_same_key_for_something_else_is_refused(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let asked = append(organisation, Uuid::new_v4(), 0, "once");
    applied(scene.store.append(asked.clone()).await);
    let other = Append { key: CommandKey { body: digest(), ..asked.key }, ..append(organisation, Uuid::new_v4(), 0, "other") };
    assert_eq!(scene.store.append(other).await.expect("answered"), Outcome::KeyReused);
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 2);
}

async fn a_refusal_is_not_kept(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let id = Uuid::new_v4();
    let asked = append(organisation, id, 1, "too early");
    let outcome = scene.store.append(asked.clone()).await.expect("answered");
    assert_eq!(outcome, Outcome::Conflict { stream: note(id), actual: 0 });
    assert_eq!(scene.store.command(organisation, asked.key.key).await.expect("read"), None);
    applied(scene.store.append(append(organisation, id, 0, "first")).await);
    applied(scene.store.append(asked).await);
}

async fn of_two_at_once_one_is_done(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    for round in 0..20 {
        let asked = append(organisation, Uuid::new_v4(), 0, "at once");
        let (one, two) = tokio::join!(scene.store.append(asked.clone()), scene.store.append(asked));
        match (one.expect("answered"), two.expect("answered")) {
            (Outcome::Applied(done), Outcome::Replayed(told)) | (Outcome::Replayed(told), Outcome::Applied(done)) => assert_eq!(done, told),
            other => panic!("{other:?}"),
        }
        assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 2 + round);
    }
}

async fn a_key_belongs_to_one_ledger(scene: &Scene) {
    let (ours, theirs) = (ledger(&scene.store).await, ledger(&scene.store).await);
    let asked = append(ours, Uuid::new_v4(), 0, "ours");
    applied(scene.store.append(asked.clone()).await);
    applied(scene.store.append(Append { organisation: theirs, ..asked.clone() }).await);
    assert_eq!(scene.store.command(organisation(), asked.key.key).await.expect("read"), None);
}

async fn an_old_command_is_forgotten(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let old = append(organisation, Uuid::new_v4(), 0, "old");
    let receipt = applied(scene.store.append(old.clone()).await);
    let later = Instant::from_micros(receipt.recorded_at.micros() + 1);
    let new = Append { at: later, ..append(organisation, Uuid::new_v4(), 0, "new") };
    applied(scene.store.append(new.clone()).await);
    while scene.store.forget_commands(later).await.expect("forgotten") > 0 {}
    assert!(scene.store.command(organisation, old.key.key).await.expect("read").is_none());
    assert!(scene.store.command(organisation, new.key.key).await.expect("read").is_some());
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 3, "what they did stands");
}
