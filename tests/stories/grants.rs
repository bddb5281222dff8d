//! Grants: tokens say who somebody is, grants what they may – where, and from
//! when until when.

use std::time::{Duration, Instant};

use lastresort_fact::Role;
use lastresort_tests::world::{Organisation, Voice, World, a_uuid};
use serde_json::{Value, json};

use crate::small_case::SmallCase;

lastresort_tests::on_both_stores!(
    a_grant_holds_in_its_dates,
    a_revoked_grant_stops_within_a_second,
    a_revoked_grant_never_writes,
    whoever_has_left_is_given_nothing,
    an_inspector_comes_for_a_time,
    nobody_gives_themselves_a_right,
    nobody_takes_over_somebody_by_a_login,
    a_leavers_rights_end_with_the_employment,
    a_leaver_never_writes,
    a_provider_gives_the_roles_of_its_programmes,
    a_grant_for_one_programme_reaches_nothing_else,
    grants_are_read_by_those_who_run_the_place_and_by_their_holders,
);

fn somebody() -> Value {
    json!({"kind": "human", "profile": {"given_name": "Ailsa"}})
}

async fn a_grant_holds_in_its_dates(world: &World) {
    let client = world.client().await;
    let stand_in = client.nobody_yet(Role::Manager).await;
    let body = json!({"person": stand_in.id, "role": "manager", "from": "2021-04-01T00:00:00Z", "to": "2021-05-01T00:00:00Z"});
    let grant = client.administrator.post("/grants", body).await.created();
    let status = async || client.administrator.get(&format!("/grants/{}", grant.id())).await.ok()["status"].clone();

    assert_eq!(status().await, "ahead");
    stand_in.post("/persons", somebody()).await.refused(403, "not_permitted");
    world.it_is("2021-04-01T00:00:00Z");
    assert_eq!(status().await, "active");
    stand_in.post("/persons", somebody()).await.created();
    world.it_is("2021-04-30T23:59:59.999999Z");
    stand_in.get("/persons").await.ok();
    stand_in.post("/persons", somebody()).await.created();
    world.it_is("2021-05-01T00:00:00Z");
    assert_eq!(status().await, "ended");
    stand_in.post("/persons", somebody()).await.refused(403, "not_permitted");
    stand_in.get("/events").await.refused(403, "not_permitted");

    let backwards = json!({"person": stand_in.id, "role": "manager", "from": "2021-06-01T00:00:00Z", "to": "2021-06-01T00:00:00Z"});
    let refused = client.administrator.post("/grants", backwards).await.refused(422, "invalid");
    assert_eq!(refused.faults(), [("/to", "invalid")]);
    for long_ago in ["0000-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "2021-04-30T22:59:59Z"] {
        let body = json!({"person": stand_in.id, "role": "manager", "from": long_ago});
        let refused = client.administrator.post("/grants", body).await.refused(409, "late_entry");
        assert_eq!(refused.faults(), [("/from", "late_entry")]);
    }
}

/// Gives somebody new a role, lets them use it, and takes it back.
async fn revoked(client: &Organisation<'_>, role: Role) -> Voice {
    let person = client.nobody_yet(role).await;
    let grant = client.grant(&person, role).await;
    person.get("/events").await.ok();
    let taken = client.administrator.post(&format!("/grants/{}/revocation", grant.id()), json!({"reason": "She moved on."}));
    let taken = taken.if_match(grant.version()).await.ok();
    assert_eq!((&taken["status"], &taken["revoked_because"]), (&json!("revoked"), &json!("She moved on.")), "{taken}");
    person
}

async fn a_revoked_grant_stops_within_a_second(world: &World) {
    let client = world.client().await;
    let reader = revoked(&client, Role::GovernanceLead).await;
    let since = Instant::now();
    while reader.get("/events").await.status == 200 {
        assert!(since.elapsed() < Duration::from_secs(1), "still read a second after it was revoked");
    }
    reader.get("/events").await.refused(403, "not_permitted");
}

async fn a_revoked_grant_never_writes(world: &World) {
    let client = world.client().await;
    let writer = revoked(&client, Role::Manager).await;
    let head = client.administrator.head().await;
    writer.post("/persons", somebody()).await.refused(403, "not_permitted");
    assert_eq!(client.administrator.head().await, head);
}

async fn whoever_has_left_is_given_nothing(world: &World) {
    let client = world.client().await;
    let person = client.nobody_yet(Role::Staff).await;
    let work = json!({"unit": client.unit("burn").await, "job_title": "Support worker", "effective_on": "2021-02-01"});
    client.administrator.post(&format!("/persons/{}/employments", person.id), work).await.ok();
    client.administrator.post(&format!("/persons/{}/leaving", person.id), json!({"effective_on": "2021-03-09"})).await.ok();
    client.grant(&person, Role::Staff).await;
    world.it_is("2021-03-09T00:00:00Z");
    let refused = client.administrator.post("/grants", json!({"person": person.id, "role": "manager"})).await.refused(409, "not_employed");
    assert_eq!(refused.faults(), [("/person", "not_employed")]);
    let back = json!({"unit": client.unit("loch").await, "job_title": "Support worker", "effective_on": "2021-03-09"});
    client.administrator.post(&format!("/persons/{}/employments", person.id), back).await.ok();
    client.grant(&person, Role::Manager).await;
}

async fn an_inspector_comes_for_a_time(world: &World) {
    let client = world.client().await;
    let inspector = client.nobody_yet(Role::Inspector).await;
    let refused = client.administrator.post("/grants", json!({"person": inspector.id, "role": "inspector"})).await.refused(422, "invalid");
    assert_eq!(refused.faults(), [("/to", "invalid")]);
    let visit = json!({"person": inspector.id, "role": "inspector", "to": "2021-03-19T17:00:00Z"});
    client.administrator.post("/grants", visit).await.created();
    inspector.get("/events").await.ok();
    world.it_is("2021-03-19T17:00:00Z");
    inspector.get("/events").await.refused(403, "not_permitted");
}

async fn nobody_gives_themselves_a_right(world: &World) {
    let client = world.client().await;
    let manager = client.person(Role::Manager).await;
    manager.post("/grants", json!({"person": manager.id, "role": "governance_lead"})).await.refused(403, "not_permitted");
    let login = json!({"issuer": "https://login.example", "subject": "also-me"});
    manager.post(&format!("/persons/{}/logins", manager.id), login).await.refused(403, "not_permitted");
    let lead = client.person(Role::GovernanceLead).await;
    lead.post("/grants", json!({"person": manager.id, "role": "governance_lead"})).await.refused(403, "not_permitted");
    let nobody = json!({"person": a_uuid(), "role": "staff"});
    let refused = manager.post("/grants", nobody).await.is(409);
    assert_eq!(refused.faults(), [("/person", "unknown_reference")]);
}

/// A provider's id, and its administrator at a client.
async fn guest(client: &Organisation<'_>) -> (String, Voice) {
    let provider = a_uuid();
    let guest = client.of(&provider, Role::ProviderAdmin).await;
    client.grant(&guest, Role::ProviderAdmin).await;
    (provider, guest)
}

async fn nobody_takes_over_somebody_by_a_login(world: &World) {
    let client = world.client().await;
    let (provider, guest) = guest(&client).await;
    let colleague = client.of(&provider, Role::ProviderAdmin).await;
    client.grant(&colleague, Role::Manager).await;
    let login = json!({"issuer": "https://login.example", "subject": a_uuid()});
    guest.post(&format!("/persons/{}/logins", colleague.id), login.clone()).await.refused(403, "not_permitted");
    // Who has a login is not given a second one: it would be a way in for somebody else.
    client.administrator.post(&format!("/persons/{}/logins", colleague.id), login).await.refused(403, "not_permitted");
    let mut own = somebody();
    own["employer"] = json!(provider);
    own["login"] = json!({"issuer": "https://login.example", "subject": a_uuid()});
    guest.post("/persons", own).await.created();
    let home = world.provider().await;
    let manager = home.person(Role::Manager).await;
    let login = json!({"issuer": "https://login.example", "subject": a_uuid()});
    manager.post(&format!("/persons/{}/logins", home.administrator.id), login).await.refused(403, "not_permitted");
}

async fn a_leavers_rights_end_with_the_employment(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.client.grant(&case.person, Role::Manager).await;
    case.person.get("/events").await.ok();
    let leaves = json!({"effective_on": "2021-03-08"});
    case.client.administrator.post(&format!("/persons/{}/leaving", case.person.id), leaves).await.ok();
    let since = Instant::now();
    while case.person.get("/events").await.status != 403 {
        assert!(since.elapsed() < Duration::from_secs(1), "a leaver reads on");
    }
    case.person.post("/persons", somebody()).await.refused(403, "not_permitted");
    let back = json!({"reason": "It was a mistake."});
    case.person.post(&format!("/persons/{}/reinstatement", case.person.id), back).await.refused(403, "not_permitted");
    case.person.get(&path).await.ok();
}

async fn a_leaver_never_writes(world: &World) {
    let client = world.client().await;
    let (writer, unit) = (client.person(Role::Manager).await, client.unit("burn").await);
    let employment = format!("/persons/{}/employments", writer.id);
    let work = json!({"unit": unit, "job_title": "Manager", "effective_on": "2021-02-01"});
    client.administrator.post(&employment, work.clone()).await.ok();
    // Known to access control a moment ago, as employed.
    writer.post("/persons", somebody()).await.created();
    let leaving = format!("/persons/{}/leaving", writer.id);
    client.administrator.post(&leaving, json!({"effective_on": "2021-03-08"})).await.ok();
    let head = client.administrator.head().await;
    writer.post("/persons", somebody()).await.refused(403, "not_permitted");
    assert_eq!(client.administrator.head().await, head);

    let back = json!({"unit": unit, "job_title": "Manager", "effective_on": "2021-03-08"});
    client.administrator.post(&employment, back).await.ok();
    client.administrator.post(&leaving, json!({"effective_on": "2021-03-09"})).await.ok();
    writer.post("/persons", somebody()).await.created();
    world.it_is("2021-03-09T00:00:00Z");
    let head = client.administrator.head().await;
    writer.post("/persons", somebody()).await.refused(403, "not_permitted");
    assert_eq!(client.administrator.head().await, head, "not for half a second of the day on which they have left");
}

async fn a_provider_gives_the_roles_of_its_programmes(world: &World) {
    let client = world.client().await;
    let (provider, guest) = guest(&client).await;
    let person = client.nobody_yet(Role::Staff).await;
    for role in ["mentor", "assessor", "verifier", "appeal_reviewer", "candidate", "staff", "learning_platform"] {
        guest.post("/grants", json!({"person": person.id, "role": role})).await.created();
    }
    for role in ["manager", "governance_lead", "hr_system", "incident_system", "inspector", "provider_admin"] {
        guest.post("/grants", json!({"person": person.id, "role": role})).await.refused(403, "not_permitted");
    }
    for role in ["bootstrap", "operator"] {
        client.administrator.post("/grants", json!({"person": person.id, "role": role})).await.refused(403, "not_permitted");
    }
    let managers = client.administrator.get("/grants?role=manager").await.ok().page().items;
    let taken = guest.post(&format!("/grants/{}/revocation", managers[0]["id"].as_str().expect("an id")), json!({"reason": "Mine."}));
    taken.if_match(1).await.refused(403, "not_permitted");

    let theirs = json!({"kind": "human", "profile": {"given_name": "Fergus"}});
    guest.post("/persons", theirs.clone()).await.refused(403, "not_permitted");
    let mut own = theirs;
    own["employer"] = json!(a_uuid());
    guest.post("/persons", own.clone()).await.refused(403, "not_permitted");
    own["employer"] = json!(provider);
    guest.post("/persons", own).await.created();
}

async fn a_grant_for_one_programme_reaches_nothing_else(world: &World) {
    let case = SmallCase::begun(world).await;
    let client = &case.client;
    let guest = client.nobody_yet(Role::ProviderAdmin).await;
    let programme = json!({"kind": "programme", "id": case.programme});
    let unknown = json!({"person": guest.id, "role": "mentor", "scope": {"kind": "programme", "id": a_uuid()}});
    let refused = client.administrator.post("/grants", unknown).await.refused(409, "unknown_reference");
    assert_eq!(refused.faults(), [("/scope/id", "unknown_reference")]);
    let body = json!({"person": guest.id, "role": "provider_admin", "scope": programme});
    let grant = client.administrator.post("/grants", body).await.created();
    assert_eq!(grant["scope"], programme);

    guest.get("/events").await.refused(403, "not_permitted");
    guest.get(&format!("/persons/{}", client.administrator.id)).await.refused(403, "not_permitted");
    let known = json!({"source": "hr", "external_id": "E0001"});
    client.administrator.post(&format!("/persons/{}/external-ids", client.administrator.id), known).await.ok();
    let [there, nowhere] = ["E0001", "E0002"].map(|number| guest.get(&format!("/persons/by-external/hr/{number}")));
    let [there, nowhere] = [there.await, nowhere.await].map(|answer| answer.refused(403, "not_permitted"));
    assert_eq!(there["detail"], nowhere["detail"], "nor does it learn which ids there are");
    guest
        .post("/persons", json!({"kind": "human", "profile": {"given_name": "Una"}, "employer": a_uuid()}))
        .await
        .refused(403, "not_permitted");
    let mentor = |scope: &Value| json!({"person": client.administrator.id, "role": "mentor", "scope": scope});
    guest.post("/grants", mentor(&json!({"kind": "organisation"}))).await.refused(403, "not_permitted");
    guest.post("/grants", mentor(&json!({"kind": "programme", "id": a_uuid()}))).await.refused(403, "not_permitted");
    guest.post("/grants", mentor(&programme)).await.created();
}

async fn grants_are_read_by_those_who_run_the_place_and_by_their_holders(world: &World) {
    let client = world.client().await;
    let staff = client.person(Role::Staff).await;
    let grants = client.administrator.all(&format!("/grants?person={}", staff.id)).await;
    assert_eq!(staff.all("/grants").await, grants, "their own and no other");
    let own = format!("/grants/{}", grants[0]["id"].as_str().expect("an id"));
    staff.get(&own).await.ok();
    client.person(Role::Staff).await.get(&own).await.refused(403, "not_permitted");
    assert_eq!(client.person(Role::Inspector).await.all("/grants?role=staff&sort=-role").await.len(), 2);
}
