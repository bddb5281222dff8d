//! The desk: commands decided, sealed, appended, and decided again where
//! somebody was faster.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use lastresort_fact::{PersonId, Refusal};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::desk::{Desk, DeskError, Expect, Order, Reader, Seen, States as _, Work};
use uuid::Uuid;

use crate::scene::actors::{ask, desk, later, mark, note_with, order};
use crate::scene::letters::{NOON, append, applied, digest, ledger, note, write};
use crate::scene::notes::{Note, NoteCommand};
use crate::scene::{On, Scene, beside};

on_both_stores!(
    a_command_becomes_events_of_its_asker,
    what_is_expected_of_a_stream_is_checked,
    the_first_append_opens_a_ledger,
    a_refusal_writes_nothing,
    what_changes_nothing_writes_nothing,
    a_lost_race_is_decided_again,
    of_many_at_once_each_is_done,
    a_rule_holds_however_many_ask_at_once,
    a_decision_that_rests_on_another_stream_is_made_again,
    a_stream_is_seen_once_from_first_to_last,
    one_command_may_decide_twice_on_one_stream,
    the_same_command_is_answered_the_same,
    of_two_messages_about_one_new_person_one_makes_it,
    what_another_holds_is_refused,
    a_value_found_free_is_decided_again_once_it_is_taken,
    what_is_told_of_the_future_is_refused,
);

async fn versions(desk: &Desk, organisation: lastresort_fact::OrganisationId, id: Uuid) -> u64 {
    desk.load::<Note>(organisation, id).await.expect("loaded").1
}

async fn a_command_becomes_events_of_its_asker(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let (id, by) = (Uuid::new_v4(), PersonId(Uuid::new_v4()));
    desk.clock.advance(later(60));
    let asked = Order { by: lastresort_fact::Actor::Person(by), occurred_at: Some(later(20)), status: 201, ..order(organisation) };
    let done = ask(&desk, &asked, id, Expect::New, NoteCommand::Open { title: "Tea".to_owned() }).await.expect("done");
    assert_eq!((done.replayed, done.receipt.status, done.receipt.streams), (false, 201, vec![(note(id), 1)]));
    let event = scene.store.read(organisation, 1, 5).await.expect("read").remove(0);
    assert_eq!((event.event_type.as_str(), event.event_version.as_str()), ("NoteOpened", "1"));
    let payload: serde_json::Value = serde_json::from_str(&event.payload).expect("JSON");
    assert_eq!(payload["stamp"]["by"], by.to_string());
    assert_eq!(payload["stamp"]["occurred_at"], later(20).to_string());
    assert_eq!(payload["stamp"]["recorded_at"], later(60).to_string());
    assert_eq!(payload["event"], serde_json::json!({"type": "NoteOpened", "value": {"title": "Tea"}}));
    let (loaded, version) = desk.load::<Note>(organisation, id).await.expect("loaded");
    assert_eq!((loaded.title.as_str(), version), ("Tea", 1));
    let mut reader = Reader::new(&desk, organisation, Seen::default());
    assert_eq!(reader.state::<Note>(id).await.expect("loaded"), (loaded, 1));
    assert_eq!(reader.state::<Note>(Uuid::new_v4()).await.expect("loaded"), (Note::default(), 0));
    assert_eq!(reader.now(), later(60));
}

async fn what_is_expected_of_a_stream_is_checked(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let mover = PersonId(Uuid::new_v4());
    let (id, missing) = (note_with(&desk, organisation, []).await, Uuid::new_v4());
    let by_mover = Order { by: lastresort_fact::Actor::Person(mover), ..order(organisation) };
    ask(&desk, &by_mover, id, Expect::Version(1), mark(1)).await.expect("done");
    let exists = ask(&desk, &order(organisation), id, Expect::New, mark(2)).await.expect_err("refused");
    assert!(matches!(&exists, DeskError::Refused(refusal) if refusal.0[0].code == "already_done"), "{exists}");
    for expect in [Expect::Exists, Expect::Version(1)] {
        let none = ask(&desk, &order(organisation), missing, expect, mark(2)).await.expect_err("refused");
        assert!(matches!(none, DeskError::Missing("note")), "{none}");
    }
    match ask(&desk, &order(organisation), id, Expect::Version(1), mark(2)).await.expect_err("refused") {
        DeskError::Stale { actual: 2, moved: Some((by, _)) } => assert_eq!(by.person(), Some(mover)),
        other => panic!("{other:?}"),
    }
    let nowhere = ask(&desk, &order(crate::scene::letters::organisation()), id, Expect::Either, mark(2)).await.expect_err("refused");
    assert!(matches!(nowhere, DeskError::Missing("organisation")), "{nowhere}");
}

async fn the_first_append_opens_a_ledger(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = crate::scene::letters::organisation();
    let opening = || Order { opens: true, ..order(organisation) };
    let open = NoteCommand::Open { title: "First".to_owned() };
    ask(&desk, &opening(), Uuid::new_v4(), Expect::New, open.clone()).await.expect("done");
    let again = ask(&desk, &opening(), Uuid::new_v4(), Expect::New, open).await.expect_err("refused");
    assert!(matches!(&again, DeskError::Refused(refusal) if refusal.0[0].code == "already_done"), "{again}");
}

async fn a_refusal_writes_nothing(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, [mark(1)]).await;
    let asked = order(organisation);
    let full = ask(&desk, &asked, id, Expect::Exists, NoteCommand::Mark { mark: 2, most: 1 }).await.expect_err("refused");
    assert!(matches!(&full, DeskError::Refused(refusal) if refusal.0[0].code == "full"), "{full}");
    assert_eq!(versions(&desk, organisation, id).await, 2);
    assert_eq!(scene.store.command(organisation, asked.key.key).await.expect("read"), None);
    ask(&desk, &asked, id, Expect::Exists, mark(2)).await.expect("the key is free");
}

async fn what_changes_nothing_writes_nothing(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, [mark(1)]).await;
    let done = ask(&desk, &order(organisation), id, Expect::Exists, mark(0)).await.expect("done");
    assert_eq!((done.receipt.position, done.receipt.streams), (3, vec![(note(id), 2)]));
    assert!(done.receipt.events.is_empty());
    assert_eq!(scene.store.head(organisation).await.expect("read").expect("a ledger").position, 3);
}

async fn a_lost_race_is_decided_again(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, []).await;
    let (attempts, order) = (AtomicUsize::new(0), order(organisation));
    let work = async |work: &mut Work<'_>| {
        work.decide::<Note>(id, Expect::Exists, mark(7), &()).await?;
        if attempts.fetch_add(1, Ordering::SeqCst) < 2 {
            ask(&desk, &crate::scene::actors::order(organisation), id, Expect::Exists, mark(1)).await?;
        }
        Ok(())
    };
    desk.run(&order, work).await.expect("done");
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    assert_eq!(desk.load::<Note>(organisation, id).await.expect("loaded").0.marks, [1, 1, 7]);
    let hopeless = async |work: &mut Work<'_>| {
        work.decide::<Note>(id, Expect::Exists, mark(8), &()).await?;
        ask(&desk, &crate::scene::actors::order(organisation), id, Expect::Exists, mark(1)).await.map(drop)
    };
    let busy = desk.run(&crate::scene::actors::order(organisation), hopeless).await.expect_err("refused");
    assert!(matches!(busy, DeskError::Busy), "{busy}");
}

async fn of_many_at_once_each_is_done(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, []).await;
    let orders: Vec<_> = (0..16).map(|_| order(organisation)).collect();
    let all = orders.iter().map(|order| ask(&desk, order, id, Expect::Exists, mark(1)));
    for done in join_all(all).await {
        done.expect("done");
    }
    assert_eq!(desk.load::<Note>(organisation, id).await.expect("loaded").0.marks, [1; 16]);
}

async fn a_rule_holds_however_many_ask_at_once(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, []).await;
    let orders: Vec<Order> = (0..24).map(|_| order(organisation)).collect();
    let all = join_all(orders.iter().map(|order| ask(&desk, order, id, Expect::Exists, NoteCommand::Mark { mark: 1, most: 3 }))).await;
    let done = all.iter().filter(|answer| answer.is_ok()).count();
    let marks = desk.load::<Note>(organisation, id).await.expect("loaded").0.marks.len();
    assert_eq!(done, marks);
    assert!((1..=3).contains(&marks), "{marks}");
}

async fn a_decision_that_rests_on_another_stream_is_made_again(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let (grant, id) = (note_with(&desk, organisation, []).await, note_with(&desk, organisation, []).await);
    let attempts = AtomicUsize::new(0);
    let asked = order(organisation);
    let refused = desk.run(&asked, async |work| {
        let (granted, _) = work.state::<Note>(grant).await?;
        if !granted.marks.is_empty() {
            return Err(Refusal::one("revoked", "The grant was revoked.").into());
        }
        if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            ask(&desk, &order(organisation), grant, Expect::Exists, mark(1)).await?;
        }
        work.decide::<Note>(id, Expect::Exists, mark(9), &()).await.map(drop)
    });
    let refused = refused.await.expect_err("refused");
    assert!(matches!(&refused, DeskError::Refused(refusal) if refusal.0[0].code == "revoked"), "{refused}");
    assert_eq!(versions(&desk, organisation, id).await, 1);
}

async fn a_stream_is_seen_once_from_first_to_last(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let (other, id) = (note_with(&desk, organisation, []).await, note_with(&desk, organisation, []).await);
    let attempts = AtomicUsize::new(0);
    desk.run(&order(organisation), async |work| {
        let first = work.state::<Note>(other).await?;
        if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            ask(&desk, &order(organisation), other, Expect::Exists, mark(1)).await?;
        }
        assert_eq!(work.state::<Note>(other).await?, first, "not half of the decision on one state and half on another");
        let seen = u32::try_from(first.0.marks.len()).expect("few");
        work.decide::<Note>(id, Expect::Exists, mark(10 + seen), &()).await.map(drop)
    })
    .await
    .expect("done");
    assert_eq!(desk.load::<Note>(organisation, id).await.expect("loaded").0.marks, [11], "decided again on what was moved");
}

async fn one_command_may_decide_twice_on_one_stream(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, []).await;
    let subject = PersonId(Uuid::new_v4());
    let asked = order(organisation);
    let both = desk.run(&asked, async |work| {
        for _ in 0..3 {
            let sign = NoteCommand::Sign { subject, name: "Moira Kerr".to_owned() };
            work.decide::<Note>(id, Expect::Exists, sign, &()).await?;
        }
        work.decide::<Note>(id, Expect::Exists, NoteCommand::Mark { mark: 4, most: 1 }, &()).await?;
        work.decide::<Note>(id, Expect::Exists, NoteCommand::Mark { mark: 5, most: 1 }, &()).await.map(drop)
    });
    let full = both.await.expect_err("the second mark sees the first");
    assert!(matches!(full, DeskError::Refused(_)), "{full}");
    assert_eq!(versions(&desk, organisation, id).await, 1);
    let asked = order(organisation);
    let done = desk.run(&asked, async |work| {
        work.decide::<Note>(id, Expect::Exists, mark(1), &()).await?;
        work.decide::<Note>(id, Expect::Exists, mark(2), &()).await.map(drop)
    });
    let receipt = done.await.expect("done").receipt;
    assert_eq!((receipt.events.len(), receipt.streams), (2, vec![(note(id), 3)]));
    assert_eq!(desk.load::<Note>(organisation, id).await.expect("loaded").0.marks, [1, 2]);
}

async fn the_same_command_is_answered_the_same(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let id = note_with(&desk, organisation, []).await;
    let asked = order(organisation);
    let first = ask(&desk, &asked, id, Expect::Version(1), mark(1)).await.expect("done");
    // The version it names is stale by now; the key is looked at first.
    let again = ask(&desk, &asked, id, Expect::Version(1), mark(1)).await.expect("done");
    assert!(again.replayed);
    assert_eq!(again.receipt, first.receipt);
    let other = Order { key: CommandKey { body: digest(), ..asked.key }, ..order(organisation) };
    let reused = ask(&desk, &other, id, Expect::Exists, mark(1)).await.expect_err("refused");
    assert!(matches!(reused, DeskError::KeyReused), "{reused}");
    // Nobody looks beforehand where the key is the service's own; the append looks all the same.
    let unseen = Order { key_given: false, ..asked };
    assert!(ask(&desk, &unseen, id, Expect::Exists, mark(1)).await.expect("done").replayed);
    assert_eq!(versions(&desk, organisation, id).await, 2);
}

/// What an HR message does: finds the person by their external id, or makes them.
async fn message(desk: &Desk, organisation: lastresort_fact::OrganisationId, external: &str) -> Result<Uuid, DeskError> {
    let chosen = std::sync::Mutex::new(Uuid::nil());
    desk.run(&order(organisation), async |work| {
        let holder = work.holder("external_id", &["hr", external]).await?.map(|stream| stream.id);
        let id = holder.unwrap_or_else(Uuid::new_v4);
        if holder.is_none() {
            work.claim("external_id", &["hr", external], "note", id);
        }
        *chosen.lock().expect("nobody panics here") = id;
        work.decide::<Note>(id, Expect::Either, mark(1), &()).await.map(drop)
    })
    .await?;
    Ok(chosen.into_inner().expect("nobody panics here"))
}

async fn of_two_messages_about_one_new_person_one_makes_it(scene: &Scene) {
    let here = desk(scene).await;
    let there = match scene.on {
        On::Sqlite => here.clone(),
        On::Postgres => crate::scene::actors::desk_on(beside(scene).await, scene).await,
    };
    let organisation = ledger(&scene.store).await;
    for round in 0..10 {
        let external = format!("E{round:04}");
        let (one, two) = tokio::join!(message(&here, organisation, &external), message(&there, organisation, &external));
        let id = one.expect("taken");
        assert_eq!(two.expect("taken"), id, "both are about the same person");
        assert_eq!(here.load::<Note>(organisation, id).await.expect("loaded").0.marks, [1, 1]);
    }
    if scene.on == On::Postgres {
        there.store.close().await;
    }
}

async fn what_another_holds_is_refused(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let (first, second) = (note_with(&desk, organisation, []).await, note_with(&desk, organisation, []).await);
    let take = async |id: Uuid| {
        let asked = order(organisation);
        let taken = desk.run(&asked, async |work| {
            work.claim("login", &["issuer", "moira"], "note", id);
            work.decide::<Note>(id, Expect::Exists, mark(1), &()).await.map(drop)
        });
        taken.await
    };
    take(first).await.expect("free");
    match take(second).await.expect_err("refused") {
        DeskError::ClaimTaken { kind, holder } => assert_eq!((kind.as_str(), holder), ("login", note(first))),
        other => panic!("{other:?}"),
    }
    let asked = order(organisation);
    let given_back = desk.run(&asked, async |work| {
        work.release("login", &["issuer", "moira"]);
        work.decide::<Note>(first, Expect::Exists, mark(2), &()).await.map(drop)
    });
    given_back.await.expect("done");
    take(second).await.expect("free again");
}

async fn a_value_found_free_is_decided_again_once_it_is_taken(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let (id, name) = (Uuid::new_v4(), desk.keys.digest(organisation, "external_id", &["hr", "E1"]));
    let attempts = AtomicUsize::new(0);
    let asked = order(organisation);
    let refused = desk.run(&asked, async |work| {
        if work.holder("external_id", &["hr", "E1"]).await?.is_some() {
            return Err(Refusal::one("known", "Somebody is known by it.").into());
        }
        if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            let stream = Uuid::new_v4();
            let name = lastresort_ledger::append::ClaimName { kind: "external_id".to_owned(), digest: name };
            let claims = vec![lastresort_ledger::append::Claim { name, stream: note(stream) }];
            let writes = vec![write(stream, 0, "faster")];
            applied(scene.store.append(lastresort_ledger::append::Append { claims, writes, ..append(organisation, stream, 0, "") }).await);
        }
        // It takes nothing, yet it rests on nobody holding it.
        work.decide::<Note>(id, Expect::New, mark(1), &()).await.map(drop)
    });
    let refused = refused.await.expect_err("refused");
    assert!(matches!(&refused, DeskError::Refused(refusal) if refusal.0[0].code == "known"), "{refused}");
    assert_eq!(versions(&desk, organisation, id).await, 0);
}

async fn what_is_told_of_the_future_is_refused(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let told = |micros| Order { occurred_at: Some(later(micros)), ..order(organisation) };
    let refused = ask(&desk, &told(1), Uuid::new_v4(), Expect::New, mark(1)).await.expect_err("refused");
    assert!(matches!(&refused, DeskError::Refused(refusal) if refusal.0[0].code == "late_entry"), "{refused}");
    assert_eq!(desk.clock.now(), NOON);
    ask(&desk, &told(0), Uuid::new_v4(), Expect::New, mark(1)).await.expect("done");
}
