//! What a resource says may be done to it, and what happens when it is tried:
//! one source, so never two answers.

use lastresort_fact::Role;
use lastresort_tests::world::{Organisation, Voice, World, a_uuid};
use serde_json::{Value, json};

lastresort_tests::on_both_stores!(
    what_is_foretold_of_persons_happens,
    what_is_foretold_of_grants_happens,
    what_is_foretold_of_organisations_happens,
    an_action_says_where_it_is_done,
);

const READERS: [Role; 6] = [Role::Manager, Role::GovernanceLead, Role::HrSystem, Role::ProviderAdmin, Role::Mentor, Role::Inspector];

/// When whoever is gone left; said again, it changes nothing.
const GONE_ON: &str = "2021-03-01";

/// A body that is in order for an action, where nothing but the guard can refuse it.
fn body_for(action: &str, unit: &str) -> Value {
    match action {
        "state_profile" => json!({"given_name": "Isla"}),
        "add_external_id" => json!({"source": "hr", "external_id": a_uuid()}),
        "add_login" => json!({"issuer": "https://login.example", "subject": a_uuid()}),
        "start_employment" => json!({"unit": unit, "job_title": "Support worker", "effective_on": "2021-02-01"}),
        "move" => json!({"unit": unit, "effective_on": "2021-02-15"}),
        "end_employment" => json!({"effective_on": GONE_ON}),
        "reinstate_employment" | "revoke" => json!({"reason": "Sent by mistake."}),
        "record_life_support" => json!({"expires_on": "2022-01-31"}),
        "state_standing" => json!({"standing": "eligible", "provider_position": 7, "valid_until": "2022-01-31"}),
        "open_unit" => json!({"code": "new", "name": "New", "setting": "school", "places": 3}),
        "set_policy" => json!({"policy": "cohort_max", "value": 10, "effective_on": "2021-04-01", "source": "Ours."}),
        other => panic!("no body is known for {other}"),
    }
}

/// Tries what may be done to a resource just after reading what is foretold of
/// it, but for the actions left out: what is foretold happens.
pub(crate) async fn try_each(voice: &Voice, path: &str, but: &[&str], body: impl Fn(&str) -> Value) {
    let first = voice.get(path).await.ok();
    let listed = first["allowed_actions"].as_array().expect("actions");
    assert!(!listed.is_empty(), "{first}");
    for listed in listed.iter().filter(|action| !but.iter().any(|left| action["action"] == *left)) {
        let read = voice.get(path).await.ok();
        // What was done meanwhile may have taken a part of the resource off the list.
        let foretold = read["allowed_actions"].as_array().into_iter().flatten().find(|action| action["href"] == listed["href"]);
        let Some(foretold) = foretold else { continue };
        let (action, href) = (listed["action"].as_str().expect("a name"), listed["href"].as_str().expect("an address"));
        let href = href.strip_prefix(&voice.base).expect("an address in the organisation");
        let tried = voice.post(href, body(action)).if_match(read.version()).await;
        if foretold["allowed"] == json!(true) {
            assert!(tried.status < 300, "{action} was foretold to be done: {tried}\n{read}");
        } else {
            assert_eq!(tried["errors"], foretold["blocked_by"], "{action} was foretold to be refused so: {tried}\n{read}");
        }
    }
}

/// Persons in every state: new, a machine, employed, gone, and the provider's own.
async fn persons(client: &Organisation<'_>, unit: &str) -> Vec<String> {
    let manager = &client.administrator;
    let mut persons = Vec::new();
    for (kind, employer) in [("human", None), ("machine", None), ("human", Some(a_uuid()))] {
        let body = json!({"kind": kind, "profile": {"given_name": "Ailsa"}, "employer": employer});
        persons.push(manager.post("/persons", body).await.created().id().to_owned());
    }
    for gone in [false, true] {
        let made = manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
        let path = format!("/persons/{}", made.id());
        manager.post(&format!("{path}/employments"), body_for("start_employment", unit)).await.ok();
        if gone {
            manager.post(&format!("{path}/leaving"), body_for("end_employment", unit)).await.ok();
        }
        persons.push(made.id().to_owned());
    }
    persons
}

async fn what_is_foretold_of_persons_happens(world: &World) {
    let client = world.client().await;
    let unit = client.unit("burn").await;
    for role in READERS {
        let voice = client.person(role).await;
        for person in persons(&client, &unit).await {
            try_each(&voice, &format!("/persons/{person}"), &[], |action| body_for(action, &unit)).await;
        }
        // Who ends their own employment may do nothing more from then on, and is told so half a second later.
        try_each(&voice, &format!("/persons/{}", voice.id), &["end_employment"], |action| body_for(action, &unit)).await;
    }
}

async fn what_is_foretold_of_grants_happens(world: &World) {
    let client = world.client().await;
    for role in [Role::Manager, Role::ProviderAdmin, Role::GovernanceLead, Role::Inspector] {
        let voice = client.person(role).await;
        for given in [Role::Mentor, Role::HrSystem] {
            let grant = client.grant(&client.nobody_yet(given).await, given).await;
            let path = format!("/grants/{}", grant.id());
            try_each(&voice, &path, &[], |action| body_for(action, "")).await;
            try_each(&voice, &path, &[], |action| body_for(action, "")).await;
        }
    }
}

async fn what_is_foretold_of_organisations_happens(world: &World) {
    for organisation in [world.client().await, world.provider().await] {
        for role in [Role::GovernanceLead, Role::ProviderAdmin, Role::Staff, Role::Manager] {
            try_each(&organisation.person(role).await, "", &[], |action| body_for(action, "")).await;
        }
    }
}

async fn an_action_says_where_it_is_done(world: &World) {
    let client = world.client().await;
    let staff = client.person(Role::Staff).await;
    let own = staff.get(&format!("/persons/{}", staff.id)).await.ok();
    let actions = own["allowed_actions"].as_array().expect("actions");
    assert_eq!(
        actions[0],
        json!({
            "action": "state_profile",
            "method": "POST",
            "href": format!("/v1/organisations/{}/persons/{}/profile", client.id, staff.id),
            "allowed": false,
            "blocked_by": [{"code": "not_permitted", "detail": "This needs a grant as manager or hr_system or provider_admin."}],
        })
    );
}
