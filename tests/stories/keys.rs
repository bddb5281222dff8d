//! Idempotency: a command sent again under its key is done once, whoever lost
//! the first answer.

use lastresort_fact::Role;
use lastresort_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

lastresort_tests::on_both_stores!(
    a_replay_gives_the_first_receipt,
    a_replay_is_looked_at_before_the_version,
    a_key_belongs_to_one_command,
    a_command_is_what_it_says_in_whatever_order,
    a_key_belongs_to_one_caller,
    refusals_are_not_kept,
    machines_bring_keys,
    a_key_sent_many_times_at_once_is_done_once,
);

fn somebody(name: &str) -> Value {
    json!({"kind": "human", "profile": {"given_name": name}})
}

async fn a_replay_gives_the_first_receipt(world: &World) {
    let manager = world.client().await.administrator;
    let first = manager.post("/persons", somebody("Ailsa")).key("a").await.created();
    assert!(!first.replayed(), "{first}");
    let again = manager.post("/persons", somebody("Ailsa")).key("a").await.created();
    assert!(again.replayed(), "{again}");
    assert_eq!((again.id(), &again["events"]), (first.id(), &first["events"]));
    assert_eq!(manager.head().await, first.position(), "nothing more was written");

    let rename = json!({"given_name": "Isla"});
    manager.post(&format!("/persons/{}/profile", first.id()), rename).if_match(first.version()).await.ok();
    let later = manager.post("/persons", somebody("Ailsa")).key("a").await.created();
    assert_eq!((&later["given_name"], &later["events"]), (&json!("Isla"), &first["events"]), "the resource as it is by now: {later}");
}

async fn a_replay_is_looked_at_before_the_version(world: &World) {
    let manager = world.client().await.administrator;
    let made = manager.post("/persons", somebody("Ailsa")).await.created();
    let rename = || manager.post(&format!("/persons/{}/profile", made.id()), json!({"given_name": "Isla"})).if_match(made.version());
    let renamed = rename().key("b").await.ok();
    let again = rename().key("b").await.ok();
    assert!(again.replayed(), "{again}");
    assert_eq!(again["events"], renamed["events"]);
    rename().key("c").await.refused(412, "version_stale");
}

async fn a_key_belongs_to_one_command(world: &World) {
    let manager = world.client().await.administrator;
    let made = manager.post("/persons", somebody("Ailsa")).key("a").await.created();
    manager.post("/persons", somebody("Isla")).key("a").await.refused(422, "key_reused");
    let elsewhere = manager.post("/units", json!({"code": "burn", "name": "Burn", "setting": "care_home", "places": 8}));
    elsewhere.key("a").await.refused(422, "key_reused");
    assert_eq!(manager.head().await, made.position());
    for key in [String::new(), "k".repeat(256)] {
        manager.post("/persons", somebody("Isla")).key(&key).await.refused(400, "key_malformed");
    }
    manager.post("/persons", somebody("Isla")).key(&"k".repeat(255)).await.created();
}

async fn a_command_is_what_it_says_in_whatever_order(world: &World) {
    let manager = world.client().await.administrator;
    let said = |body: &str| manager.ask(Method::POST, "/persons").body("application/json", body).key("a");
    let first = said(r#"{"kind": "human", "profile": {"given_name": "Zo\u00eb", "family_name": "Kerr"}}"#).await.created();
    let again = said("{\"profile\":{\"family_name\":\"Kerr\",\"given_name\":\"Zoe\u{308}\"},\n\"kind\":\"human\"}").await.created();
    assert!(again.replayed(), "{again}");
    assert_eq!(again.id(), first.id());
    said(r#"{"kind": "human", "profile": {"given_name": "Kerr", "family_name": "Zo\u00eb"}}"#).await.refused(422, "key_reused");
}

async fn a_key_belongs_to_one_caller(world: &World) {
    let client = world.client().await;
    let (one, other) = (client.person(Role::Manager).await, client.person(Role::Manager).await);
    let first = one.post("/persons", somebody("Ailsa")).key("a").await.created();
    let second = other.post("/persons", somebody("Isla")).key("a").await.created();
    assert!(!second.replayed(), "{second}");
    assert_ne!(first.id(), second.id());
}

async fn refusals_are_not_kept(world: &World) {
    let client = world.client().await;
    let manager = &client.administrator;
    let made = manager.post("/persons", somebody("Ailsa")).await.created();
    let leave = || manager.post(&format!("/persons/{}/leaving", made.id()), json!({"effective_on": "2021-03-31"})).key("a");
    leave().await.refused(409, "not_employed");
    let unit = client.unit("burn").await;
    let start = json!({"unit": unit, "job_title": "Support worker", "effective_on": "2021-03-01"});
    manager.post(&format!("/persons/{}/employments", made.id()), start).await.ok();
    let left = leave().await.ok();
    assert!(!left.replayed(), "{left}");
}

async fn machines_bring_keys(world: &World) {
    let hr = world.client().await.person(Role::HrSystem).await;
    hr.post("/persons", somebody("Ailsa")).without("idempotency-key").await.refused(400, "key_required");
    let stated = json!({"profile": {"given_name": "Ailsa"}});
    hr.put("/persons/by-external/hr/E0001", stated.clone()).without("idempotency-key").await.refused(400, "key_required");
    hr.put("/persons/by-external/hr/E0001", stated).key("nightly-1").await.ok();
}

async fn a_key_sent_many_times_at_once_is_done_once(world: &World) {
    let manager = world.client().await.administrator;
    let send = || tokio::spawn(manager.post("/persons", somebody("Ailsa")).key("a").into_future());
    let all: Vec<_> = (0..8).map(|_| send()).collect();
    let mut ids = Vec::new();
    for answer in all {
        ids.push(answer.await.expect("answered").created().id().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(manager.all("/persons?name=ailsa").await.len(), 1);
}
