//! Who sees what: the feed tells nobody of what its resource refuses them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use lastresort_fact::Role;
use lastresort_tests::world::{Organisation, Voice, World};
use serde_json::{Value, json};

use crate::sessions::ready;
use crate::small_case::{SmallCase, curriculum};

lastresort_tests::on_both_stores!(the_feed_tells_nobody_what_a_resource_refuses_them);

/// Whoever may follow the feed.
const FOLLOWERS: [Role; 5] = [Role::Inspector, Role::Manager, Role::GovernanceLead, Role::ProviderAdmin, Role::HrSystem];

/// Where a resource is read that has streams of this kind; a log of reads has no address.
fn address(stream: &Value) -> Option<String> {
    let (kind, id) = (stream["type"].as_str().expect("a kind"), stream["id"].as_str().expect("an id"));
    match kind {
        "organisation" => Some(String::new()),
        "reads" => None,
        "curriculum" => Some(format!("/curricula/{id}")),
        "needs_analysis" => Some(format!("/needs-analyses/{id}")),
        kind => Some(format!("/{kind}s/{id}")),
    }
}

/// Every fact of a ledger as an inspector sees it, once what they read is among them.
async fn history(organisation: &Organisation<'_>) -> Vec<Value> {
    let inspector = organisation.person(Role::Inspector).await;
    let since = Instant::now();
    loop {
        let facts = inspector.all("/events?limit=200").await;
        if facts.iter().any(|fact| fact["type"] == "ReadsLogged") {
            return facts;
        }
        assert!(since.elapsed() < Duration::from_secs(5), "no read is logged");
    }
}

/// What somebody is answered who asks for each of these streams' resources, or, where it has no address, for the stream.
async fn answered(voice: &Voice, facts: &[Value]) -> BTreeMap<String, u16> {
    let mut answered = BTreeMap::new();
    for stream in facts.iter().map(|fact| &fact["stream"]) {
        let events = format!("/streams/{}/{}/events", stream["type"].as_str().expect("a kind"), stream["id"].as_str().expect("an id"));
        if answered.contains_key(&events) {
            continue;
        }
        let told = voice.get(&events).await.status;
        if let Some(address) = address(stream) {
            assert_eq!(voice.get(&address).await.status, told, "{address} and {events} for {}", voice.subject);
        }
        answered.insert(events, told);
    }
    answered
}

/// Compares what each follower is told with what they may read; says of which kinds there was something.
async fn compared(organisation: &Organisation<'_>) -> BTreeSet<String> {
    let facts = history(organisation).await;
    for role in FOLLOWERS {
        let voice = organisation.person(role).await;
        let (told, answered) = (voice.all("/events?limit=200").await, answered(&voice, &facts).await);
        for (fact, told) in facts.iter().zip(&told) {
            let stream = &fact["stream"];
            let events = format!("/streams/{}/{}/events", stream["type"].as_str().expect("a kind"), stream["id"].as_str().expect("an id"));
            match answered[&events] {
                200 => assert_eq!((&told["id"], &told["stream"]), (&fact["id"], stream), "{role:?}"),
                403 => assert_eq!(told, &json!({"position": fact["position"]}), "{role:?} is told of {fact:#}"),
                other => panic!("{role:?} is answered {other} at {events}"),
            }
        }
    }
    facts.iter().map(|fact| fact["stream"]["type"].as_str().expect("a kind").to_owned()).collect()
}

async fn the_feed_tells_nobody_what_a_resource_refuses_them(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.observe(&case.mentors[0], &path).await;
    ready(&case, &case.learners(2).await).await;
    let provider = world.provider().await;
    curriculum(&provider).await;
    let mut kinds = compared(&case.client).await;
    kinds.extend(compared(&provider).await);
    let all = ["candidate", "curriculum", "grant", "needs_analysis", "organisation", "person", "programme", "reads", "session"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}
