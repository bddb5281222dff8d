//! Who sees what: the feed tells nobody of what its resource refuses them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use lastresort_fact::Role;
use lastresort_tests::world::{Organisation, Voice, World};
use serde_json::{Value, json};

use crate::sessions::ready;
use crate::small_case::{SmallCase, curriculum};

lastresort_tests::on_both_stores!(
    the_feed_tells_nobody_what_a_resource_refuses_them,
    an_hr_system_reads_how_far_a_candidate_has_come,
    a_learning_platform_reads_the_pre_load_alone,
    a_mentor_reads_names_and_the_whole_of_whom_they_are_assigned_to,
);

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

/// What an HR system is told of candidates: status and dates.
const PROGRESS: [&str; 5] = ["CandidateNominated", "CandidateEnrolled", "StageEntered", "CandidateCompleted", "CandidateWithdrawn"];

/// Whether a role reads part of a resource, and this fact of it is beyond that part.
fn in_part(role: Role, fact: &Value) -> bool {
    role == Role::HrSystem && fact["stream"]["type"] == "candidate" && PROGRESS.iter().all(|known| fact["type"] != *known)
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
                200 if in_part(role, fact) => assert_eq!(told, &json!({"position": fact["position"]}), "{role:?} is told of {fact:#}"),
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

async fn an_hr_system_reads_how_far_a_candidate_has_come(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.enter(&path, "pre_load").await.ok();
    case.observe(&case.mentors[0], &path).await;
    let hr = case.client.person(Role::HrSystem).await;
    let read = hr.get(&path).await.ok();
    assert_eq!((&read["status"], &read["person"]), (&json!("enrolled"), &json!(case.person.id)));
    assert!(read["enrolled_at"].is_string() && read["stages"][0]["entered_at"].is_string(), "{read}");
    for kept in ["mentors", "assessors", "pre_load", "observations", "evidence", "assessments", "required_actions", "remedial_requests"] {
        assert_eq!(read[kept], json!([]), "{kept}");
    }
    let listed = hr.get("/candidates?stage=pre_load").await.ok().page().items;
    assert_eq!((listed.len(), &listed[0]["observations"]), (1, &json!([])));
    hr.get(&format!("{path}/gates")).await.refused(403, "not_permitted");
}

async fn a_learning_platform_reads_the_pre_load_alone(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.enter(&path, "pre_load").await.ok();
    case.observe(&case.mentors[0], &path).await;
    let platform = case.client.person(Role::LearningPlatform).await;
    platform.post(&format!("{path}/pre-load"), json!({"module": case.film, "percent": 40})).await.ok();
    let read = platform.get(&path).await.ok();
    assert_eq!((&read["status"], &read["pre_load"][0]["percent"]), (&json!("enrolled"), &json!(40)));
    for kept in ["stages", "mentors", "assessors", "observations", "evidence", "assessments"] {
        assert_eq!(read[kept], json!([]), "{kept}");
    }
    assert_eq!(platform.all("/candidates?status=enrolled").await.len(), 1);
    for query in ["stage=pre_load", "sort=nominated_at"] {
        platform.get(&format!("/candidates?{query}")).await.refused(403, "not_permitted");
    }
    platform.get(&format!("{path}/gates")).await.refused(403, "not_permitted");
}

async fn a_mentor_reads_names_and_the_whole_of_whom_they_are_assigned_to(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let known = json!({"source": "hr", "external_id": "E0001"});
    case.client.administrator.post(&format!("/persons/{}/external-ids", case.person.id), known).await.ok();
    let verifier = case.client.person(Role::Verifier).await;
    for (voice, whole) in [(&case.mentors[0], true), (&case.assessor, true), (&case.mentors[1], false), (&verifier, false)] {
        let read = voice.get(&format!("/persons/{}", case.person.id)).await.ok();
        let listed = voice.all("/persons?name=somebody").await.into_iter().find(|one| one["id"] == case.person.id.as_str());
        for seen in [&read.body, &listed.expect("listed by name")] {
            assert_eq!(seen["given_name"], "Somebody");
            let employed = seen["employments"].as_array().is_some_and(|all| !all.is_empty());
            assert_eq!((employed, seen["external_ids"] != json!([])), (whole, whole), "{} sees {seen:#}", voice.subject);
        }
        for query in ["employed_on=2021-03-08", "life_support_expires_before=2021-05-01", "sort=employed_from"] {
            voice.get(&format!("/persons?{query}")).await.refused(403, "not_permitted");
        }
        voice.get("/persons/by-external/hr/E0001").await.refused(403, "not_permitted");
    }
    for (voice, whole) in [(&case.mentors[0], true), (&case.assessor, true), (&case.mentors[1], false), (&verifier, true)] {
        let listed = voice.all("/candidates").await.remove(0);
        for seen in [&voice.get(&path).await.ok().body, &listed] {
            assert_eq!((&seen["status"], seen["mentors"] != json!([])), (&json!("enrolled"), whole), "{} sees {seen:#}", voice.subject);
        }
        voice.get(&format!("{path}/gates")).await.is(if whole { 200 } else { 403 });
    }
    let ends = json!({"person": case.assessor.id, "from_on": case.today(), "to_on": case.today()});
    case.admin.post(&format!("{path}/assessors"), ends).await.ok();
    world.it_is("2021-03-09T09:00:00Z");
    let read = case.assessor.get(&format!("/persons/{}", case.person.id)).await.ok();
    assert_eq!(read["employments"], json!([]), "no longer than the assignment");
}
