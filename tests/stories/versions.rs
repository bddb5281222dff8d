//! Versions: who changes something has seen what it is; who only adds need not,
//! and is held to it where they say so.

use lastresort_fact::Role;
use lastresort_tests::world::World;
use serde_json::json;

lastresort_tests::on_both_stores!(
    a_change_needs_the_version_it_was_decided_on,
    an_addition_honours_a_version_it_is_sent_with,
    an_etag_is_the_version_of_the_stream,
);

async fn a_change_needs_the_version_it_was_decided_on(world: &World) {
    let client = world.client().await;
    let (manager, hr) = (client.person(Role::Manager).await, client.person(Role::HrSystem).await);
    let made = manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
    let profile = format!("/persons/{}/profile", made.id());
    let rename = |name: &str| json!({"given_name": name});

    manager.post(&profile, rename("Isla")).await.refused(428, "version_required");
    let renamed = hr.post(&profile, rename("Isla")).if_match(made.version()).await.ok();
    let late = manager.post(&profile, rename("Eilidh")).if_match(made.version()).await.refused(412, "version_stale");
    assert_eq!(late["version"], renamed.version());
    assert_eq!((&late["moved_by"], &late["moved_by_role"]), (&json!(hr.id), &json!("hr_system")), "{late}");
    assert_eq!(late["retryable"], false);
    manager.post(&profile, rename("Eilidh")).if_match(renamed.version()).await.ok();
    manager.post(&profile, rename("Una")).if_match(99).await.refused(412, "version_stale");
}

async fn an_addition_honours_a_version_it_is_sent_with(world: &World) {
    let manager = world.client().await.administrator;
    let made = manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
    let ids = format!("/persons/{}/external-ids", made.id());
    let number = |number: &str| json!({"source": "hr", "external_id": number});
    let added = manager.post(&ids, number("1")).await.ok();
    manager.post(&ids, number("2")).if_match(made.version()).await.refused(412, "version_stale");
    manager.post(&ids, number("2")).if_match(added.version()).await.ok();

    let stated = json!({"profile": {"given_name": "Ailsa", "family_name": "Kerr"}});
    manager.put("/persons/by-external/hr/1", stated.clone()).if_match(added.version()).await.refused(412, "version_stale");
    manager.put("/persons/by-external/hr/1", stated).await.ok();
}

async fn an_etag_is_the_version_of_the_stream(world: &World) {
    let manager = world.client().await.administrator;
    let made = manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
    let person = format!("/persons/{}", made.id());
    assert_eq!(made.header("location"), Some(format!("{}/{}", made.path, made.id()).as_str()));
    let read = manager.get(&person).await.ok();
    assert_eq!((read.version(), &read["version"]), (made.version(), &json!(made.version())));
    for forged in ["3", "W/\"2\"", "\"two\"", "*", "\"-1\"", "\"+2\"", "\"02\"", ""] {
        let rename = manager.post(&format!("{person}/profile"), json!({"given_name": "Isla"}));
        rename.header("if-match", forged).await.refused(400, "malformed");
    }
}
