//! Data keys at rest: written with the append that made them, alive or gone.

use lastresort_fact::{Class, KeyId, OrganisationId, PersonId};
use lastresort_ledger::append::{Append, Outcome};
use lastresort_ledger::store::DataKeyRow;
use uuid::Uuid;

use crate::scene::Scene;
use crate::scene::letters::{NOON, append, applied, ledger};

on_both_stores!(
    keys_are_written_with_what_they_seal,
    nothing_is_sealed_with_an_unknown_key,
    nothing_is_sealed_with_a_destroyed_key,
    a_refused_append_leaves_no_key,
);

fn key(subject: PersonId, class: Class) -> DataKeyRow {
    DataKeyRow { id: KeyId(Uuid::new_v4()), subject, class, epoch: 1, wrapped: vec![7; 72], destroyed_at: None }
}

fn sealing(organisation: OrganisationId, new: &[DataKeyRow], used: &[KeyId]) -> Append {
    Append { new_keys: new.to_vec(), used_keys: used.to_vec(), ..append(organisation, Uuid::new_v4(), 0, "sealed") }
}

async fn keys_are_written_with_what_they_seal(scene: &Scene) {
    let (organisation, elsewhere) = (ledger(&scene.store).await, ledger(&scene.store).await);
    let (subject, other) = (PersonId(Uuid::new_v4()), PersonId(Uuid::new_v4()));
    let (identity, health, theirs) = (key(subject, Class::Identity), key(subject, Class::Health), key(other, Class::Narrative));
    let all = [identity.clone(), health.clone(), theirs.clone()];
    applied(scene.store.append(sealing(organisation, &all, &[identity.id, theirs.id])).await);
    applied(scene.store.append(sealing(organisation, &[], &[health.id])).await);
    let asked = [health.id, KeyId(Uuid::new_v4()), identity.id];
    assert_eq!(scene.store.data_keys(organisation, &asked).await.expect("read"), [health.clone(), identity.clone()]);
    let mut about = scene.store.keys_about(organisation, subject).await.expect("read");
    about.sort_by_key(|row| row.class);
    assert_eq!(about, [identity.clone(), health]);
    assert!(scene.store.data_keys(elsewhere, &[identity.id]).await.expect("read").is_empty());
    assert!(scene.store.keys_about(elsewhere, subject).await.expect("read").is_empty());
    assert_eq!(scene.store.append(sealing(elsewhere, &[], &[identity.id])).await.expect("answered"), Outcome::Erased);
}

async fn nothing_is_sealed_with_an_unknown_key(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let outcome = scene.store.append(sealing(organisation, &[], &[KeyId(Uuid::new_v4())])).await.expect("answered");
    assert_eq!(outcome, Outcome::Erased);
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 1);
}

async fn nothing_is_sealed_with_a_destroyed_key(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let made = key(PersonId(Uuid::new_v4()), Class::Identity);
    applied(scene.store.append(sealing(organisation, std::slice::from_ref(&made), &[made.id])).await);
    scene.destroy_keys(organisation).await;
    assert_eq!(scene.store.append(sealing(organisation, &[], &[made.id])).await.expect("answered"), Outcome::Erased);
    let gone = scene.store.data_keys(organisation, &[made.id]).await.expect("read").remove(0);
    assert_eq!(gone.destroyed_at, Some(NOON));
}

async fn a_refused_append_leaves_no_key(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let made = key(PersonId(Uuid::new_v4()), Class::Identity);
    let mut asked = sealing(organisation, std::slice::from_ref(&made), &[made.id]);
    asked.writes[0].expected = 4;
    assert!(matches!(scene.store.append(asked).await.expect("answered"), Outcome::Conflict { .. }));
    assert!(scene.store.data_keys(organisation, &[made.id]).await.expect("read").is_empty());
}
