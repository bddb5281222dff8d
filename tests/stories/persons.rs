//! Starters, movers, leavers: what an HR system sends and what becomes of it.

use lastresort_fact::Role;
use lastresort_tests::world::{Voice, World};
use serde_json::{Value, json};

use crate::small_case::SmallCase;

lastresort_tests::on_both_stores!(
    a_starter_is_read_back_as_told,
    the_same_message_twice_changes_nothing,
    two_messages_at_once_make_one_person,
    a_mover_changes_units_on_the_day,
    a_leaver_is_employed_until_the_day,
    a_leaver_sent_by_mistake_is_undone,
    a_re_hire_is_the_same_person,
    an_external_id_names_one_person,
    an_external_id_in_a_path_is_as_in_a_body,
    staff_read_their_own_record_and_no_other,
    the_providers_later_word_holds,
);

const AILSA: &str = "/persons/by-external/hr/E0001";

fn ailsa(unit: &str) -> Value {
    json!({
        "profile": {"given_name": "Ailsa", "family_name": "Kerr", "email": "ailsa.kerr@braeside.example"},
        "employment": {
            "unit": unit,
            "job_title": "Support worker",
            "effective_on": "2021-02-01",
            "care_experience_from": "2014-05-01",
            "qualification": "SVQ 3",
        },
        "life_support_expires_on": "2022-01-31",
    })
}

/// A client whose HR system has sent Ailsa: the system, who she is, her unit and another.
async fn with_ailsa(world: &World) -> (Voice, String, String, String) {
    let client = world.client().await;
    let (burn, loch) = (client.unit("burn").await, client.unit("loch").await);
    let hr = client.person(Role::HrSystem).await;
    let made = hr.put(AILSA, ailsa(&burn)).await.ok();
    (hr, made.id().to_owned(), burn, loch)
}

async fn a_starter_is_read_back_as_told(world: &World) {
    let (hr, id, burn, _) = with_ailsa(world).await;
    let read = hr.get(AILSA).await.ok();
    assert_eq!(read.id(), id);
    assert_eq!(
        read.redacted(),
        json!({
            "id": "(id)",
            "version": 5,
            "kind": "human",
            "given_name": "Ailsa",
            "family_name": "Kerr",
            "email": "ailsa.kerr@braeside.example",
            "external_ids": [{"source": "hr", "external_id": "E0001"}],
            "employments": [{
                "status": "employed",
                "unit": "(id)",
                "from": "2021-02-01",
                "job_title": "Support worker",
                "care_experience_from": "2014-05-01",
                "qualification": "SVQ 3",
            }],
            "life_support_expires_on": "2022-01-31",
        })
    );
    assert_eq!(read["employments"][0]["unit"], burn.as_str());
    assert_eq!(read.version(), 5, "{read}");
    let by_id = hr.get(&format!("/persons/{id}")).await.ok();
    assert_eq!(by_id.body, read.body, "the same by either id");
}

async fn the_same_message_twice_changes_nothing(world: &World) {
    let (hr, id, burn, _) = with_ailsa(world).await;
    let before = hr.head().await;
    let again = hr.put(AILSA, ailsa(&burn)).await.ok();
    assert_eq!((again.id(), again.version()), (id.as_str(), 5));
    assert_eq!(again["events"], json!([]));
    assert_eq!(hr.head().await, before);
}

async fn two_messages_at_once_make_one_person(world: &World) {
    let client = world.client().await;
    let unit = client.unit("burn").await;
    let hr = client.person(Role::HrSystem).await;
    let send = || hr.put(AILSA, ailsa(&unit)).into_future();
    let (one, other, third) = tokio::join!(tokio::spawn(send()), tokio::spawn(send()), tokio::spawn(send()));
    let ids = [one, other, third].map(|answer| answer.expect("answered").ok().id().to_owned());
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(hr.get("/persons?kind=human&employed_on=2021-03-08").await.ok().page().items.len(), 1);
}

async fn a_mover_changes_units_on_the_day(world: &World) {
    let (hr, id, burn, loch) = with_ailsa(world).await;
    let person = format!("/persons/{id}");
    let moved = hr.post(&format!("{person}/moves"), json!({"unit": loch, "effective_on": "2021-04-01"})).await.ok();
    assert_eq!(moved["employments"][0]["unit"], burn.as_str(), "not yet: {moved}");
    world.it_is("2021-03-31T22:59:59Z");
    assert_eq!(hr.get(&person).await.ok()["employments"][0]["unit"], burn.as_str());
    world.it_is("2021-03-31T23:00:00Z");
    assert_eq!(hr.get(&person).await.ok()["employments"][0]["unit"], loch.as_str(), "midnight in London, where it is summer");

    let nowhere = json!({"unit": id, "effective_on": "2021-01-31"});
    let refused = hr.post(&format!("{person}/moves"), nowhere).await.is(409);
    assert_eq!(refused.faults(), [("/unit", "unknown_reference"), ("/effective_on", "not_employed")], "all at once: {refused}");
}

async fn a_leaver_is_employed_until_the_day(world: &World) {
    let (hr, id, ..) = with_ailsa(world).await;
    let left = hr.post(&format!("/persons/{id}/leaving"), json!({"effective_on": "2021-05-01"})).await.ok();
    assert_eq!(left["employments"][0]["status"], "employed", "{left}");
    world.it_is("2021-04-30T12:00:00Z");
    assert_eq!(hr.get(AILSA).await.ok()["employments"][0]["status"], "employed");
    world.it_is("2021-05-01T12:00:00Z");
    assert_eq!(hr.get(AILSA).await.ok()["employments"][0]["status"], "left");

    let again = hr.post(&format!("/persons/{id}/leaving"), json!({"effective_on": "2021-05-01"})).await.ok();
    assert_eq!(again["events"], json!([]), "the same message twice");
    hr.post(&format!("/persons/{id}/leaving"), json!({"effective_on": "2021-06-01"})).await.refused(409, "already_done");
}

async fn a_leaver_sent_by_mistake_is_undone(world: &World) {
    let (hr, id, ..) = with_ailsa(world).await;
    let left = hr.post(&format!("/persons/{id}/leaving"), json!({"effective_on": "2021-03-01"})).await.ok();
    assert_eq!(left["employments"][0]["status"], "left", "{left}");
    let undo = || hr.post(&format!("/persons/{id}/reinstatement"), json!({"reason": "Sent for another person."}));
    undo().await.refused(428, "version_required");
    let undone = undo().if_match(left.version()).await.ok();
    assert_eq!(undone["employments"][0]["status"], "employed");
    assert_eq!(undone["employments"][0]["until"], Value::Null, "{undone}");
    undo().if_match(undone.version()).await.refused(409, "not_in_state");
}

async fn a_re_hire_is_the_same_person(world: &World) {
    let (hr, id, burn, loch) = with_ailsa(world).await;
    let mut message = ailsa(&loch);
    message["employment"]["effective_on"] = json!("2021-09-01");
    hr.put(AILSA, message.clone()).await.refused(409, "already_done");
    hr.post(&format!("/persons/{id}/leaving"), json!({"effective_on": "2021-06-01"})).await.ok();
    world.it_is("2021-09-01T09:00:00Z");
    let back = hr.put(AILSA, message).await.ok();
    assert_eq!(back.id(), id);
    let told: Vec<_> = back["employments"].as_array().expect("employments").iter().map(|one| (&one["status"], &one["unit"])).collect();
    assert_eq!(told, [(&json!("employed"), &json!(loch)), (&json!("left"), &json!(burn))], "{back}");
}

async fn an_external_id_names_one_person(world: &World) {
    let (hr, id, ..) = with_ailsa(world).await;
    let other = json!({"kind": "human", "profile": {"given_name": "Fergus"}, "external_ids": [{"source": "payroll", "external_id": "77"}]});
    let fergus = hr.post("/persons", other).await.created();
    let taken = json!({"source": "hr", "external_id": "E0001"});
    hr.post(&format!("/persons/{}/external-ids", fergus.id()), taken).await.refused(409, "duplicate_person");
    let second = json!({"source": "payroll", "external_id": "12"});
    hr.post(&format!("/persons/{id}/external-ids"), second).await.ok();
    assert_eq!(hr.get("/persons/by-external/payroll/12").await.ok().id(), id);
    hr.get("/persons/by-external/payroll/13").await.refused(404, "not_found");
}

async fn an_external_id_in_a_path_is_as_in_a_body(world: &World) {
    let (hr, _, burn, _) = with_ailsa(world).await;
    let long = "x".repeat(201);
    for (source, external_id, at) in [("HR!", "E0001", "/source"), ("hr", long.as_str(), "/external_id")] {
        let path = format!("/persons/by-external/{source}/{external_id}");
        for refused in [hr.put(&path, ailsa(&burn)).await, hr.get(&path).await] {
            assert_eq!(refused.refused(400, "malformed").faults(), [(at, "invalid")]);
        }
    }
}

async fn staff_read_their_own_record_and_no_other(world: &World) {
    let client = world.client().await;
    let (ailsa, fergus) = (client.person(Role::Staff).await, client.person(Role::Staff).await);
    assert_eq!(ailsa.get(&format!("/persons/{}", ailsa.id)).await.ok()["given_name"], "Somebody");
    ailsa.get(&format!("/persons/{}", fergus.id)).await.refused(403, "not_permitted");
    let listed = ailsa.all("/persons").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["id"], ailsa.id.as_str());
}

async fn the_providers_later_word_holds(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = format!("/persons/{}", case.mentors[0].id);
    let say = |standing: &str, position: u64| {
        let body = json!({"standing": standing, "provider_position": position, "valid_until": "2022-01-31"});
        case.admin.post(&format!("{path}/standing"), body)
    };
    say("revoked", 9).await.ok();
    let overtaken = say("eligible", 8).await.refused(409, "late_entry");
    assert_eq!(overtaken.faults(), [("/provider_position", "late_entry")]);
    say("suspended", 9).await.refused(409, "late_entry");
    let again = say("revoked", 9).await.ok();
    assert_eq!(again["events"], json!([]), "the same message again changes nothing: {again}");
    let read = case.admin.get(&path).await.ok();
    assert_eq!((&read["standing"]["standing"], &read["standing"]["provider_position"]), (&json!("revoked"), &json!(9)));
}
