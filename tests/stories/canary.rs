//! No personal value stands anywhere but where its key opens it: names that
//! nobody else has are told to the real program, and then looked for in every
//! byte of the store and in the whole log, which is kept at its most talkative.

use lastresort_fact::Role;
use lastresort_tests::world::{On, World, tell_of_the_program};
use serde_json::json;

#[test]
fn no_personal_value_stands_in_the_files_of_sqlite_or_in_the_log() {
    tell_of_the_program(On::Sqlite, canaries);
}

#[test]
fn no_personal_value_stands_in_the_tables_of_postgresql_or_in_the_log() {
    tell_of_the_program(On::Postgres, canaries);
}

/// Every personal value of the story holds this.
const CANARY: &str = "Zwielicht";
/// A day nobody else has.
const DAY: &str = "1987-11-23";
/// What is no secret, to know that the search finds what stands there.
const PUBLIC: &str = "quarrelsome-unit";

async fn canaries(world: &World) {
    let client = world.client().await;
    let unit = client.unit(PUBLIC).await;
    let hr = client.person(Role::HrSystem).await;
    let canary = |what: &str| format!("{CANARY}-{what}");
    let body = json!({
        "profile": {"given_name": canary("given"), "family_name": canary("family"), "email": canary("mail@braeside.example")},
        "employment": {
            "unit": unit,
            "job_title": canary("title"),
            "effective_on": "2021-02-01",
            "care_experience_from": DAY,
            "qualification": canary("qualification"),
        },
    });
    let path = format!("/persons/by-external/hr/{}", canary("number"));
    let made = hr.put(&path, body).await.ok();
    let person = format!("/persons/{}", made.id());
    hr.post(&format!("{person}/leaving"), json!({"effective_on": "2021-03-01"})).await.ok();
    let undo = json!({"reason": canary("reason")});
    hr.post(&format!("{person}/reinstatement"), undo).if_match(made.version() + 1).await.ok();
    let login = json!({"issuer": canary("issuer"), "subject": canary("subject")});
    client.administrator.post(&format!("{person}/logins"), login).await.ok();
    // Read in every way, and refused in some.
    hr.get(&path).await.ok();
    assert_eq!(hr.all(&format!("/persons?name={CANARY}")).await.len(), 1);
    assert!(hr.get("/events?limit=200").await.ok().text.contains(CANARY));
    hr.post("/persons", json!({"kind": canary("kind"), "profile": {"given_name": 1}})).await.is(422);
    hr.post(&format!("{person}/profile"), json!({"given_name": canary("given")})).if_match(1).await.is(412);
    world.login(&canary("stranger")).get(&format!("/v1/organisations/{}", client.id)).await.is(404);
    hr.get(&format!("/persons/{}", canary("nobody"))).await.is(404);

    let (store, log) = (world.place.everything().await, world.program().log());
    assert!(found(&store, PUBLIC), "the search finds what stands in the store");
    assert!(log.contains("refused"), "the search finds what stands in the log");
    for secret in [CANARY, DAY] {
        assert!(!found(&store, secret), "{secret} stands in the store");
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} stands in the log: {line:?}");
    }
}

fn found(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}
