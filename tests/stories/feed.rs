//! The feed: every fact in order and without gaps, of the ledger and of one
//! resource; and reads that wait for a position.

use std::time::{Duration, Instant};

use lastresort_fact::Role;
use lastresort_tests::world::{World, redacted};
use serde_json::{Value, json};

use crate::small_case::SmallCase;

lastresort_tests::on_both_stores!(
    every_fact_is_told_with_its_circumstances,
    the_feed_has_no_gaps_and_an_empty_page_at_its_end,
    a_stream_tells_of_one_resource,
    the_feed_is_for_its_readers,
    a_read_waits_for_a_position,
    what_an_inspector_reads_is_logged,
    what_a_grant_does_not_open_is_withheld,
);

async fn every_fact_is_told_with_its_circumstances(world: &World) {
    let client = world.client().await;
    let manager = &client.administrator;
    world.it_is("2021-03-09T10:00:00Z");
    let body = json!({"kind": "human", "profile": {"given_name": "Ailsa", "family_name": "Kerr"}});
    let made = manager.post("/persons", body).await.created();
    let facts = manager.get(&format!("/events?after={}", made.position() - 2)).await.ok();
    let told = |position: u64, version: u64, kind: &str, data: Value| {
        json!({
            "position": position,
            "id": "(id)",
            "type": kind,
            "schema": "1",
            "stream": {"type": "person", "id": "(id)", "version": version},
            "occurred_at": "2021-03-09T10:00:00.000000Z",
            "recorded_at": "2021-03-09T10:00:00.000000Z",
            "by": "(id)",
            "role": "manager",
            "grant": "(id)",
            "data": data,
        })
    };
    assert_eq!(
        redacted(&facts["items"]),
        json!([
            told(made.position() - 1, 1, "PersonRegistered", json!({"person": "(id)", "kind": "human", "employer": null})),
            told(made.position(), 2, "ProfileStated", json!({"given_name": "Ailsa", "family_name": "Kerr", "email": null})),
        ])
    );
    let ids: Vec<_> = facts.page().items.iter().map(|fact| fact["id"].clone()).collect();
    assert_eq!(json!(ids), made["events"], "the answer named the same facts");
    let first = &manager.get("/events?limit=1").await.ok().page().items[0];
    assert_eq!((&first["type"], &first["by"], &first["role"]), (&json!("OrganisationRegistered"), &json!("operator"), &json!("operator")));
}

async fn the_feed_has_no_gaps_and_an_empty_page_at_its_end(world: &World) {
    let client = world.client().await;
    let reader = client.person(Role::Inspector).await;
    for name in ["Ailsa", "Fergus", "Isla"] {
        client.administrator.post("/persons", json!({"kind": "human", "profile": {"given_name": name}})).await.created();
    }
    let (mut after, mut positions) = ("0".to_owned(), Vec::new());
    let end = loop {
        let answer = reader.get(&format!("/events?after={after}&limit=4")).await.ok();
        let page = answer.page();
        positions.extend(page.items.iter().map(|fact| fact["position"].as_u64().expect("a position")));
        let Some(next) = page.next else { break answer };
        after = next;
    };
    assert_eq!(end["items"], json!([]), "{end}");
    assert_eq!(positions, (1..=end.position()).collect::<Vec<_>>());
    client.administrator.post("/persons", json!({"kind": "human", "profile": {"given_name": "Una"}})).await.created();
    let more = reader.get(&format!("/events?after={after}")).await.ok();
    assert_eq!(more["items"][0]["position"], end.position() + 1, "it goes on where it ended: {more}");
}

async fn a_stream_tells_of_one_resource(world: &World) {
    let client = world.client().await;
    let manager = &client.administrator;
    let made = manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
    client.unit("burn").await;
    let id = json!({"source": "hr", "external_id": "E0001"});
    manager.post(&format!("/persons/{}/external-ids", made.id()), id).await.ok();

    let stream = format!("/streams/person/{}/events", made.id());
    let facts = manager.all(&format!("{stream}?limit=200")).await;
    let told: Vec<_> = facts.iter().map(|fact| (fact["type"].as_str().expect("a type"), fact["stream"]["version"].as_u64())).collect();
    assert_eq!(told, [("PersonRegistered", Some(1)), ("ProfileStated", Some(2)), ("ExternalIdAdded", Some(3))]);
    let after = facts[1]["position"].as_u64().expect("a position");
    let rest = manager.get(&format!("{stream}?after={after}")).await.ok().page().items;
    assert_eq!(rest, facts[2..], "after a position of the ledger");
    manager.get(&format!("/streams/grant/{}/events", made.id())).await.refused(404, "not_found");
    manager.get("/streams/person/nobody/events").await.refused(404, "not_found");
}

async fn the_feed_is_for_its_readers(world: &World) {
    let client = world.client().await;
    for role in [Role::Inspector, Role::GovernanceLead, Role::HrSystem] {
        client.person(role).await.get("/events").await.ok();
    }
    for role in [Role::Staff, Role::Mentor, Role::Candidate, Role::IncidentSystem] {
        client.person(role).await.get("/events").await.refused(403, "not_permitted");
    }
    for query in ["after=-1", "after=x", "after=18446744073709551615", "limit=0", "limit=201"] {
        client.administrator.get(&format!("/events?{query}")).await.refused(400, "malformed");
    }
}

async fn a_read_waits_for_a_position(world: &World) {
    let manager = world.client().await.administrator;
    for _ in 0..5 {
        let made = manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
        let read = manager.get(&format!("/persons/{}?min_position={}", made.id(), made.position())).await.ok();
        assert!(read.position() >= made.position(), "{read}");
        let list = manager.get(&format!("/persons?min_position={}", made.position())).await.ok();
        assert!(list.position() >= made.position(), "{list}");
    }
    let ahead = manager.head().await + 1;
    for position in [ahead.to_string(), "soon".to_owned(), "-1".to_owned()] {
        manager.get(&format!("/persons?min_position={position}")).await.refused(400, "malformed");
    }
}

async fn what_an_inspector_reads_is_logged(world: &World) {
    let client = world.client().await;
    let inspector = client.person(Role::Inspector).await;
    let head = client.administrator.head().await;
    inspector.get(&format!("/persons/{}", client.administrator.id)).await.ok();
    inspector.get("/persons?name=Zwielicht").await.ok();
    inspector.outside().get("/v1/me").await.ok();
    // They are written beside the reading, about once a second.
    let since = Instant::now();
    let mut reads = Vec::new();
    while reads.len() < 3 {
        assert!(since.elapsed() < Duration::from_secs(5), "not logged: {reads:?}");
        let facts = client.administrator.get(&format!("/events?after={head}")).await.ok();
        assert!(!facts.text.contains("Zwielicht"), "what was typed is not logged: {facts}");
        reads = facts.page().items.iter().flat_map(|fact| fact["data"]["reads"].as_array().cloned().unwrap_or_default()).collect();
    }
    let read = |route: &str, resource: Value| json!({"route": route, "resource": resource, "at": "2021-03-08T09:00:00.000000Z"});
    let one = read("/v1/organisations/{org}/persons/{person}", json!(client.administrator.id));
    assert_eq!(reads, [one, read("/v1/organisations/{org}/persons", Value::Null), read("/v1/me", Value::Null)]);
}

async fn what_a_grant_does_not_open_is_withheld(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.observe(&case.mentors[0], &path).await;
    let narrative = "Clear, calm, and on time.";
    let stream = format!("/streams{}/events", path.replace("/candidates/", "/candidate/"));
    for (role, seen) in [(Role::Manager, json!({"withheld": "narrative"})), (Role::Inspector, json!(narrative))] {
        let reader = case.client.person(role).await;
        for feed in ["/events?limit=200", &stream] {
            let facts = reader.all(feed).await;
            let observed = facts.iter().find(|fact| fact["type"] == "ObservationRecorded").expect("the observation");
            assert_eq!(observed["data"]["narrative"], seen, "{role:?}: {observed:#}");
            let positions: Vec<_> = facts.iter().filter_map(|fact| fact["position"].as_u64()).collect();
            assert!(feed == stream || positions == (1..=positions.len() as u64).collect::<Vec<_>>(), "a position is never withheld");
        }
    }
}
