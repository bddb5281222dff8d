//! Organisations: the operator opens their ledgers, each has units and policy;
//! and whoever brings a token learns who they are.

use lastresort_fact::Role;
use lastresort_tests::world::{OPERATOR, World, a_uuid, opening, redacted};
use serde_json::{Value, json};

lastresort_tests::on_both_stores!(
    the_operator_opens_a_ledger_once,
    only_the_operator_opens_ledgers,
    a_client_has_units_and_policy,
    a_provider_has_no_units,
    a_bearer_learns_who_they_are,
    one_person_may_be_known_to_several_organisations,
);

async fn the_operator_opens_a_ledger_once(world: &World) {
    let place = format!("/v1/organisations/{}", a_uuid());
    let open = || world.operator().put(&place, opening("client", "iona"));
    let opened = open().key("a").await.created();
    assert_eq!(opened.redacted(), json!({"id": "(id)", "administrator": "(id)", "position": 5}));
    let again = open().key("a").await.created();
    assert!(again.replayed(), "{again}");
    assert_eq!(again.body, opened.body);
    open().key("b").await.refused(409, "already_done");
    open().await.refused(409, "already_done");
    world.operator().put(&place, opening("client", "mairi")).key("a").await.refused(422, "key_reused");
    let mut nowhere = opening("client", "iona");
    nowhere["time_zone"] = json!("Europe/Atlantis");
    let refused = world.operator().put(&format!("/v1/organisations/{}", a_uuid()), nowhere).await.refused(422, "invalid");
    assert_eq!(refused.faults(), [("/time_zone", "invalid")]);
}

async fn only_the_operator_opens_ledgers(world: &World) {
    let client = world.client().await;
    let place = format!("/v1/organisations/{}", a_uuid());
    let body = opening("client", "iona");
    for voice in [&client.administrator, &world.login("nobody")] {
        voice.outside().put(&place, body.clone()).await.refused(403, "not_permitted");
    }
    world.anybody().put(&place, body).await.refused(401, "unauthenticated");
    let operator = world.operator();
    operator.get(&format!("/v1/organisations/{}", client.id)).await.refused(404, "not_found");
    assert_eq!(operator.get("/v1/me").await.ok()["organisations"], json!([]), "{OPERATOR} is known nowhere");
}

async fn a_client_has_units_and_policy(world: &World) {
    let client = world.client().await;
    let lead = client.person(Role::GovernanceLead).await;
    client.unit("burn").await;
    let twice = json!({"code": "burn", "name": "Another", "setting": "school", "places": 3});
    client.administrator.post("/units", twice).await.refused(409, "already_done");

    let policy =
        |value: u32, on: &str| json!({"policy": "cohort_max", "value": value, "effective_on": on, "source": "Our risk assessment."});
    let version = lead.get("").await.ok().version();
    lead.post("/policies", policy(10, "2021-04-01")).await.refused(428, "version_required");
    client.administrator.post("/policies", policy(10, "2021-04-01")).if_match(version).await.refused(403, "not_permitted");
    lead.post("/policies", policy(19, "2021-04-01")).if_match(version).await.refused(422, "invalid");
    lead.post("/policies", policy(10, "2021-03-07")).if_match(version).await.refused(409, "late_entry");
    lead.post("/policies", policy(10, "2021-04-01")).if_match(version).await.ok();
    let in_force = async || {
        let read = lead.get("").await.ok();
        let policy = read["policy"].as_array().expect("policy").iter().find(|one| one["policy"] == "cohort_max").cloned();
        policy.expect("the setting")["value"].clone()
    };
    assert_eq!(in_force().await, 18);
    world.it_is("2021-04-01T00:00:00Z");
    assert_eq!(in_force().await, 10);
}

async fn a_provider_has_no_units(world: &World) {
    let provider = world.provider().await;
    let unit = json!({"code": "burn", "name": "Burn", "setting": "care_home", "places": 8});
    let manager = provider.person(Role::Manager).await;
    manager.post("/units", unit).await.refused(409, "not_in_state");
    assert_eq!(manager.get("").await.ok()["kind"], "provider");
}

async fn a_bearer_learns_who_they_are(world: &World) {
    let client = world.client().await;
    let mentor = client.person(Role::Mentor).await;
    let me = mentor.outside().get("/v1/me").await.ok();
    assert_eq!(
        me.redacted(),
        json!({"organisations": [{
            "organisation": "(id)",
            "name": "Braeside",
            "person": "(id)",
            "grants": [{
                "id": "(id)",
                "version": 1,
                "person": "(id)",
                "role": "mentor",
                "scope": {"kind": "organisation"},
                "from": "2021-03-08T09:00:00.000000Z",
                "status": "active",
            }],
        }]})
    );
    assert_eq!(me["organisations"][0]["person"], mentor.id.as_str());
    assert_eq!(world.login("a stranger").get("/v1/me").await.ok()["organisations"], json!([]));
}

async fn one_person_may_be_known_to_several_organisations(world: &World) {
    let (client, provider) = (world.client().await, world.provider().await);
    let trainer = provider.person(Role::Mentor).await;
    let login = json!({"issuer": "urn:lastresort:local", "subject": trainer.subject});
    let body = json!({"id": trainer.id, "kind": "human", "profile": {"given_name": "Rhona"}, "employer": provider.id, "login": login});
    let copied = client.administrator.post("/persons", body.clone()).await.created();
    assert_eq!(copied.id(), trainer.id, "one id in every ledger");
    client.administrator.post("/persons", body).await.is(409);
    let me = trainer.outside().get("/v1/me").await.ok();
    let mut known: Vec<_> = me["organisations"].as_array().expect("some").iter().map(|one| one["organisation"].clone()).collect();
    known.sort_by_key(Value::to_string);
    let mut both = [json!(client.id), json!(provider.id)];
    both.sort_by_key(Value::to_string);
    assert_eq!(known, both, "{}", redacted(&me.body));
}
