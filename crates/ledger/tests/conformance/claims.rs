//! Values that at most one stream of a ledger may hold.

use futures::future::join_all;
use lastresort_fact::OrganisationId;
use lastresort_ledger::append::{Append, ClaimName, Outcome};
use tokio::task::unconstrained;
use uuid::Uuid;

use crate::scene::Scene;
use crate::scene::letters::{append, applied, claim, claim_name, digest, ledger, note, write};

on_both_stores!(
    a_value_has_one_holder,
    of_many_who_claim_at_once_one_holds,
    what_is_released_may_be_taken,
    what_is_released_and_retaken_within_one_batch,
    nobody_gives_back_what_another_holds,
    a_value_may_change_hands_in_one_append,
    two_cannot_take_one_value_in_one_append,
    a_decision_that_rested_on_a_holder_falls_with_it,
    a_refused_append_claims_nothing,
);

fn taking(organisation: OrganisationId, name: &ClaimName, id: Uuid, expected: u64) -> Append {
    Append { claims: vec![claim(name, id)], ..append(organisation, id, expected, "takes") }
}

fn releasing(organisation: OrganisationId, name: &ClaimName, id: Uuid, expected: u64) -> Append {
    Append { releases: vec![name.clone()], ..append(organisation, id, expected, "gives back") }
}

fn taken(holder: Uuid) -> Outcome {
    Outcome::ClaimTaken { kind: "login".to_owned(), holder: note(holder) }
}

async fn a_value_has_one_holder(scene: &Scene) {
    let (organisation, elsewhere) = (ledger(&scene.store).await, ledger(&scene.store).await);
    let (name, first, second) = (claim_name("login"), Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), None);
    applied(scene.store.append(taking(organisation, &name, first, 0)).await);
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), Some(note(first)));
    assert_eq!(scene.store.append(taking(organisation, &name, second, 0)).await.expect("answered"), taken(first));
    applied(scene.store.append(taking(organisation, &name, first, 1)).await);
    let other_kind = ClaimName { kind: "external_id".to_owned(), ..name.clone() };
    applied(scene.store.append(taking(organisation, &other_kind, second, 0)).await);
    applied(scene.store.append(taking(elsewhere, &name, second, 0)).await);
}

async fn of_many_who_claim_at_once_one_holds(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let name = claim_name("login");
    let all = join_all((0..40).map(|_| scene.store.append(taking(organisation, &name, Uuid::new_v4(), 0)))).await;
    let holder = scene.store.claim(organisation, &name).await.expect("read").expect("held").id;
    let (won, lost): (Vec<_>, Vec<_>) =
        all.into_iter().map(|outcome| outcome.expect("answered")).partition(|outcome| matches!(outcome, Outcome::Applied(_)));
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|outcome| *outcome == taken(holder)), "{lost:?}");
}

async fn what_is_released_may_be_taken(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (name, first, second) = (claim_name("login"), Uuid::new_v4(), Uuid::new_v4());
    applied(scene.store.append(taking(organisation, &name, first, 0)).await);
    applied(scene.store.append(releasing(organisation, &name, first, 1)).await);
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), None);
    applied(scene.store.append(releasing(organisation, &name, first, 2)).await);
    applied(scene.store.append(taking(organisation, &name, second, 0)).await);
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), Some(note(second)));
}

async fn what_is_released_and_retaken_within_one_batch(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (old, new) = (claim_name("login"), claim_name("login"));
    let ids: Vec<Uuid> = (0..6).map(|_| Uuid::new_v4()).collect();
    applied(scene.store.append(taking(organisation, &old, ids[0], 0)).await);
    // Held when the batch begins, and not; both go through several hands.
    let mut steps = vec![releasing(organisation, &old, ids[0], 1)];
    for id in &ids[1..] {
        steps.extend([taking(organisation, &old, *id, 0), releasing(organisation, &old, *id, 1)]);
        steps.extend([taking(organisation, &new, *id, 2), releasing(organisation, &new, *id, 3)]);
    }
    steps.push(taking(organisation, &old, ids[5], 4));
    steps.push(taking(organisation, &new, ids[1], 4));
    let all = unconstrained(join_all(steps.into_iter().map(|step| scene.store.append(step)))).await;
    for outcome in all {
        applied(outcome);
    }
    assert_eq!(scene.store.claim(organisation, &old).await.expect("read"), Some(note(ids[5])));
    assert_eq!(scene.store.claim(organisation, &new).await.expect("read"), Some(note(ids[1])));
}

async fn nobody_gives_back_what_another_holds(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (name, holder, stranger) = (claim_name("login"), Uuid::new_v4(), Uuid::new_v4());
    applied(scene.store.append(taking(organisation, &name, holder, 0)).await);
    applied(scene.store.append(releasing(organisation, &name, stranger, 0)).await);
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), Some(note(holder)));
    let greedy = Append { releases: vec![name.clone()], ..taking(organisation, &name, stranger, 1) };
    assert_eq!(scene.store.append(greedy).await.expect("answered"), taken(holder));
}

async fn a_value_may_change_hands_in_one_append(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (name, from, to) = (claim_name("login"), Uuid::new_v4(), Uuid::new_v4());
    applied(scene.store.append(taking(organisation, &name, from, 0)).await);
    let handing_over = Append {
        writes: vec![write(from, 1, "gives"), write(to, 0, "takes")],
        releases: vec![name.clone()],
        ..taking(organisation, &name, to, 0)
    };
    applied(scene.store.append(handing_over).await);
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), Some(note(to)));
}

async fn two_cannot_take_one_value_in_one_append(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (name, first, second) = (claim_name("login"), Uuid::new_v4(), Uuid::new_v4());
    let both = Append { claims: vec![claim(&name, first), claim(&name, second)], ..append(organisation, first, 0, "both") };
    assert_eq!(scene.store.append(both).await.expect("answered"), taken(first));
    let twice = Append { claims: vec![claim(&name, first), claim(&name, first)], ..append(organisation, first, 0, "twice") };
    applied(scene.store.append(twice).await);
}

async fn a_decision_that_rested_on_a_holder_falls_with_it(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (name, holder) = (claim_name("login"), Uuid::new_v4());
    let resting_on =
        |held: Option<Uuid>| Append { held: vec![(name.clone(), held.map(note))], ..append(organisation, Uuid::new_v4(), 0, "rests") };
    applied(scene.store.append(resting_on(None)).await);
    assert_eq!(scene.store.append(resting_on(Some(holder))).await.expect("answered"), Outcome::ClaimMoved);
    applied(scene.store.append(taking(organisation, &name, holder, 0)).await);
    applied(scene.store.append(resting_on(Some(holder))).await);
    assert_eq!(scene.store.append(resting_on(None)).await.expect("answered"), Outcome::ClaimMoved);
    assert_eq!(scene.store.append(resting_on(Some(Uuid::new_v4()))).await.expect("answered"), Outcome::ClaimMoved);
    // Whoever thought that nobody held it is told so, and not that it is taken: the decision is to be made again.
    let hopeful = Append { held: vec![(name.clone(), None)], ..taking(organisation, &name, Uuid::new_v4(), 0) };
    assert_eq!(scene.store.append(hopeful).await.expect("answered"), Outcome::ClaimMoved);
}

async fn a_refused_append_claims_nothing(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (name, id) = (ClaimName { kind: "login".to_owned(), digest: digest() }, Uuid::new_v4());
    let outcome = scene.store.append(taking(organisation, &name, id, 9)).await.expect("answered");
    assert_eq!(outcome, Outcome::Conflict { stream: note(id), actual: 0 });
    assert_eq!(scene.store.claim(organisation, &name).await.expect("read"), None);
}
