//! A store that is away for a while: whoever asks is told to come again, and
//! the service goes on by itself once it is back.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use lastresort_fact::Role;
use lastresort_server::config::Flags;
use lastresort_tests::world::{Answer, Cable, On, Organisation, World, a_uuid, tell_of_the_program, tell_with};
use serde_json::{Value, json};

#[test]
fn a_database_that_is_away_is_told_and_waited_for() {
    let cable = OnceLock::new();
    let by_way_of_it = |flags: &mut Flags| {
        let database = flags.store.take().expect("an address");
        flags.store = Some(cable.get_or_init(|| Cable::lay(&database)).address.clone());
    };
    tell_with(On::Postgres, by_way_of_it, async |world| {
        let (cable, client) = (cable.get().expect("it was laid"), world.client().await);
        let made = register(&client, &a_uuid()).await.expect("answered").created();
        let path = format!("/persons/{}", made.id());

        cable.cut().await;
        told_to_come_again(&client.administrator.get(&path).await);
        told_to_come_again(&client.administrator.get("/events").await);
        let key = written_once_it_is_back(world, &client, || cable.mend()).await;
        assert_eq!(client.administrator.get(&path).await.ok().id(), made.id());
        nothing_is_written_twice(&client, &key).await;
    });
}

#[test]
fn a_full_disk_is_told_and_waited_for() {
    tell_of_the_program(On::Sqlite, async |world| {
        let client = world.client().await;
        let made = register(&client, &a_uuid()).await.expect("answered").created();
        let path = format!("/persons/{}", made.id());

        world.program().let_files_grow(false);
        let key = written_once_it_is_back(world, &client, || world.program().let_files_grow(true)).await;
        assert_eq!(client.administrator.get(&path).await.ok().id(), made.id());
        nothing_is_written_twice(&client, &key).await;
    });
}

/// A command under a key.
async fn register(client: &Organisation<'_>, key: &str) -> Option<Answer> {
    let somebody = json!({"kind": "human", "profile": {"given_name": "Ailsa"}});
    client.administrator.post("/persons", somebody).key(key).attempt().await
}

fn told_to_come_again(refused: &Answer) {
    let refused = refused.clone().refused(503, "unavailable");
    assert_eq!(refused["retryable"], Value::Bool(true), "{refused}");
    let seconds = refused.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{refused}");
    assert_eq!(refused.header("content-type"), Some("application/problem+json"), "{refused}");
}

/// Sends one command while the store is away, and on until it is done.
async fn written_once_it_is_back(world: &World, client: &Organisation<'_>, back: impl FnOnce()) -> String {
    let key = a_uuid();
    told_to_come_again(&register(client, &key).await.expect("answered"));
    world.anybody().get("/health/ready").await.is(503);
    back();
    loop {
        let answer = register(client, &key).await.expect("answered");
        if answer.status < 300 {
            break;
        }
        told_to_come_again(&answer);
    }
    // Rows follow by themselves, from where they stopped.
    let since = Instant::now();
    while world.anybody().get("/health/ready").await.status != 200 {
        assert!(since.elapsed() < Duration::from_secs(10), "not ready again");
    }
    key
}

/// The same command again finds what it did; and the ledger has no gap.
async fn nothing_is_written_twice(client: &Organisation<'_>, key: &str) {
    let again = register(client, key).await.expect("answered");
    assert!(again.replayed(), "{again}");
    let reader = client.person(Role::GovernanceLead).await;
    let facts = reader.all("/events?limit=200").await.len();
    assert_eq!(reader.head().await, facts as u64);
}
