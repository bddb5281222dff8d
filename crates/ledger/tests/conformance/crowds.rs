//! Many at once: writers who want the same streams, and a reader at the end.

use std::collections::{BTreeMap, BTreeSet};

use lastresort_fact::{EventId, OrganisationId};
use lastresort_ledger::append::{Outcome, StreamRef};
use lastresort_ledger::store::AnyStore;
use uuid::Uuid;

use crate::scene::letters::{append, ledger};
use crate::scene::{On, Scene, beside};

on_both_stores!(many_writers_of_several_ledgers_lose_nothing, a_reader_at_the_end_never_sees_a_gap);

const LEDGERS: usize = 4;
const WRITERS: usize = 8;
const ROUNDS: u64 = 12;

/// Writes to two streams that others write as well, until it was done so often.
async fn write_among_others(store: AnyStore, organisation: OrganisationId, streams: [Uuid; 2]) -> Vec<EventId> {
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let id = streams[usize::from(round % 2 == 1)];
        let mut expected = 0;
        loop {
            match store.append(append(organisation, id, expected, "among others")).await.expect("answered") {
                Outcome::Applied(receipt) => {
                    acknowledged.extend(receipt.events);
                    break;
                }
                Outcome::Conflict { actual, .. } => expected = actual,
                other => panic!("{other:?}"),
            }
        }
    }
    acknowledged
}

async fn many_writers_of_several_ledgers_lose_nothing(scene: &Scene) {
    // On PostgreSQL half of them write through another server.
    let other = match scene.on {
        On::Sqlite => scene.store.clone(),
        On::Postgres => beside(scene).await,
    };
    let mut tasks = Vec::new();
    for _ in 0..LEDGERS {
        let organisation = ledger(&scene.store).await;
        let streams = [Uuid::new_v4(), Uuid::new_v4()];
        for writer in 0..WRITERS {
            let store = if writer % 2 == 0 { scene.store.clone() } else { other.clone() };
            tasks.push((organisation, tokio::spawn(write_among_others(store, organisation, streams))));
        }
    }
    let mut acknowledged: BTreeMap<OrganisationId, Vec<EventId>> = BTreeMap::new();
    for (organisation, task) in tasks {
        acknowledged.entry(organisation).or_default().extend(task.await.expect("a task that ends"));
    }
    for (organisation, acknowledged) in acknowledged {
        let events = scene.store.read(organisation, 1, 10_000).await.expect("read");
        let meant = WRITERS as u64 * ROUNDS;
        assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), (2..2 + meant).collect::<Vec<_>>());
        let found: BTreeSet<EventId> = events.iter().map(|event| event.event_id).collect();
        assert_eq!(found, acknowledged.iter().copied().collect(), "what was acknowledged is there, and nothing else");
        assert_eq!(acknowledged.len() as u64, meant, "once");
        let mut streams: BTreeMap<&StreamRef, u64> = BTreeMap::new();
        for event in &events {
            let version = streams.entry(&event.stream).or_default();
            *version += 1;
            assert_eq!(event.sequence, *version);
        }
    }
    if scene.on == On::Postgres {
        other.close().await;
    }
}

async fn a_reader_at_the_end_never_sees_a_gap(scene: &Scene) {
    let organisation = ledger(&scene.store).await;
    let (writers, rounds) = (8, 40);
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let store = scene.store.clone();
            tokio::spawn(async move {
                let id = Uuid::new_v4();
                for expected in 0..rounds {
                    crate::scene::letters::applied(store.append(append(organisation, id, expected, "on and on")).await);
                }
            })
        })
        .collect();
    let (mut after, end) = (0, 1 + writers * rounds);
    while after < end {
        for event in scene.store.read(organisation, after, 100).await.expect("read") {
            after += 1;
            assert_eq!(event.position, after, "positions become visible in their order");
        }
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("a task that ends");
    }
}
