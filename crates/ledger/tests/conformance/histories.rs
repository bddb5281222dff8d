//! The same history told to both stores: they answer alike, hold the same, and
//! their rows are the same, whatever the history is.

use lastresort_fact::{Instant, OrganisationId};
use lastresort_ledger::append::{Append, Claim, ClaimName, CommandKey, NewEvent, StreamWrite};
use lastresort_ledger::fold::{Folding, Step, step};
use lastresort_ledger::rows::{Ask, Row};
use lastresort_ledger::store::AnyStore;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use uuid::Uuid;

use crate::scene::letters::{NOON, happened, note, organisation};
use crate::scene::views::{Notes, views};
use crate::scene::{On, Scene};

/// One append of a history, in small numbers.
#[derive(Clone, Debug)]
struct Told {
    streams: Vec<(u8, u64)>,
    also: Option<(u8, u64)>,
    claims: Vec<(u8, u8)>,
    releases: Vec<u8>,
    held: Option<(u8, Option<u8>)>,
    key: u8,
    body: u8,
    at: i64,
    mark: u32,
}

fn told() -> impl Strategy<Value = Told> {
    let stream = || (0_u8..4, 0_u64..5);
    let claims = (vec((0_u8..3, 0_u8..4), 0..2), vec(0_u8..3, 0..2), prop::option::weighted(0.2, (0_u8..3, prop::option::of(0_u8..4))));
    let command = (any::<u8>(), 0_u8..2, -50_i64..50, 0_u32..3);
    (vec(stream(), 0..3), prop::option::weighted(0.3, stream()), claims, command).prop_map(
        |(streams, also, (claims, releases, held), (key, body, at, mark))| Told {
            streams,
            also,
            claims,
            releases,
            held,
            key,
            body,
            at,
            mark,
        },
    )
}

fn stream_id(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number) + 1)
}

fn claim_name(number: u8) -> ClaimName {
    ClaimName { kind: "login".to_owned(), digest: [number; 32] }
}

impl Told {
    fn happened(&self, stream: u8, expected: u64) -> NewEvent {
        match expected {
            0 => happened("NoteOpened", &format!(r#"{{"title":"{}"}}"#, stream % 2)),
            _ => happened("MarkMade", &format!(r#"{{"mark":{}}}"#, self.mark)),
        }
    }

    fn append(&self, organisation: OrganisationId) -> Append {
        let write = |(stream, expected): &(u8, u64)| StreamWrite {
            stream: note(stream_id(*stream)),
            expected: *expected,
            events: vec![self.happened(*stream, *expected)],
        };
        Append {
            organisation,
            opens: false,
            writes: self.streams.iter().map(write).collect(),
            also: self.also.iter().map(|(stream, version)| (note(stream_id(*stream)), *version)).collect(),
            held: self.held.iter().map(|(name, holder)| (claim_name(*name), holder.map(|stream| note(stream_id(stream))))).collect(),
            claims: self.claims.iter().map(|(name, stream)| Claim { name: claim_name(*name), stream: note(stream_id(*stream)) }).collect(),
            releases: self.releases.iter().map(|name| claim_name(*name)).collect(),
            key: CommandKey { key: [self.key; 32], body: [self.body; 32] },
            status: 200,
            correlation: Uuid::nil(),
            new_keys: Vec::new(),
            used_keys: Vec::new(),
            at: Instant::from_micros(NOON.micros() + self.at),
        }
    }
}

/// All rows of all views, folded from the beginning.
async fn all_rows(store: &AnyStore, organisation: OrganisationId) -> Vec<Vec<Row>> {
    let views = views::<Notes>();
    store.prepare_tables(&views.tables()).await.expect("prepared");
    let generation = store.begin_generation(organisation, &views.fingerprint()).await.expect("begun");
    let number = generation.number;
    let mut folding = Folding::of(&**store, organisation, generation).await.expect("read");
    while let Step::Moved(_) = step(&**store, &views, organisation, &mut folding, NOON).await.expect("folded") {}
    let mut all = Vec::new();
    for table in views.tables() {
        let ask =
            Ask { organisation, generation: number, table, filters: Vec::new(), order: None, descending: false, after: None, limit: 500 };
        all.push(store.ask(&ask).await.expect("answered"));
    }
    all
}

async fn check(stores: [&AnyStore; 2], history: &[Told]) -> Result<(), TestCaseError> {
    let organisation = organisation();
    let opening = Append { opens: true, writes: Vec::new(), ..history_opening().append(organisation) };
    let mut appends = vec![opening];
    appends.extend(history.iter().map(|told| told.append(organisation)));
    for append in appends {
        let (one, other) = (stores[0].append(append.clone()).await, stores[1].append(append).await);
        prop_assert_eq!(one.expect("answered"), other.expect("answered"));
    }
    let [one, other] = stores.map(|store| store.read(organisation, 0, 1_000));
    let events = one.await.expect("read");
    prop_assert_eq!(&events, &other.await.expect("read"));
    prop_assert!(events.iter().zip(1..).all(|(event, position)| event.position == position));
    for number in 0..4 {
        let name = claim_name(number);
        let [one, other] = stores.map(|store| store.claim(organisation, &name));
        prop_assert_eq!(one.await.expect("read"), other.await.expect("read"));
    }
    prop_assert_eq!(all_rows(stores[0], organisation).await, all_rows(stores[1], organisation).await);
    Ok(())
}

fn history_opening() -> Told {
    Told { streams: Vec::new(), also: None, claims: Vec::new(), releases: Vec::new(), held: None, key: 255, body: 0, at: 0, mark: 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_history_is_the_same_on_both_stores() {
    let (sqlite, postgres) = (Scene::set(On::Sqlite).await, Scene::set(On::Postgres).await);
    let stores = [&sqlite.store, &postgres.store];
    let mut runner = TestRunner::new(Config { cases: 30, failure_persistence: None, ..Config::default() });
    let held = runner.run(&vec(told(), 0..60), |history| block_in_place(|| Handle::current().block_on(check(stores, &history))));
    sqlite.clear().await;
    postgres.clear().await;
    if let Err(broken) = held {
        panic!("{broken}");
    }
}
