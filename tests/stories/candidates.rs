//! One person's way through a programme: gates, judgements, and the rules that
//! hold them together.

use lastresort_fact::Role;
use lastresort_tests::world::{Answer, World, a_uuid};
use serde_json::{Value, json};

use crate::actions::try_each;
use crate::small_case::{STAGES, SmallCase, change};

lastresort_tests::on_both_stores!(
    a_candidate_comes_through_all_six_stages,
    a_gate_lists_everything_that_is_missing,
    somebody_is_nominated_once_and_never_by_themselves,
    a_leaver_goes_no_further,
    a_programme_keeps_the_policy_it_began_with,
    whoever_was_withdrawn_may_be_nominated_again,
    nothing_is_told_of_a_time_before_what_it_follows,
    an_observation_names_a_session_of_the_candidates_programme,
    competent_rests_on_enough_direct_current_observation,
    nobody_is_judged_by_themselves_or_by_the_unassigned,
    an_observation_is_corrected_on_record,
    a_remedial_request_blocks_nothing_and_a_required_action_does,
    candidates_see_their_own_and_narratives_stay_sealed_from_others,
    what_is_foretold_of_a_candidate_happens,
);

fn codes(answer: &Answer) -> Vec<&str> {
    answer.faults().into_iter().map(|(_, code)| code).collect()
}

async fn a_candidate_comes_through_all_six_stages(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.led_to(&path, "remedial_workshop").await;
    let read = case.person.get(&path).await.ok();
    assert_eq!((read["status"].as_str(), read["mentor"].as_str()), (Some("enrolled"), Some(case.mentors[0].id.as_str())));
    let entered = read["stages"].as_array().expect("stages").iter().filter(|stage| stage["entered_at"].is_string()).count();
    assert_eq!(entered, STAGES.len());
    case.complete(&path).await;
    let read = case.client.administrator.get(&path).await.ok();
    assert_eq!(read["status"], "completed");
    assert!(read.actions().iter().all(|(_, blocked)| blocked.is_some()), "nothing more is done: {read}");
}

async fn a_gate_lists_everything_that_is_missing(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let refused = case.enter(&path, "introductions").await.refused(409, "stage_gate_unmet");
    assert_eq!(codes(&refused), ["stage_gate_unmet", "stage_out_of_order", "stage_gate_unmet"], "{refused}");
    let gates = case.person.get(&format!("{path}/gates")).await.ok();
    let items = gates["items"].as_array().expect("gates").clone();
    let open: Vec<_> = items.iter().map(|gate| (gate["stage"].as_str(), gate["open"].as_bool())).collect();
    assert_eq!((open.len(), open[0], open[1]), (6, (Some("pre_load"), Some(true)), (Some("introductions"), Some(false))));
    assert_eq!(items[1]["unmet"], refused["errors"]);
    case.enter(&path, "pre_load").await.ok();
    let gates = case.mentors[0].get(&format!("{path}/gates")).await.ok();
    assert_eq!((gates["items"][0]["entered"].as_bool(), gates["items"][0]["unmet"].clone()), (Some(true), json!([])));
    case.client.person(Role::HrSystem).await.get(&format!("{path}/gates")).await.refused(403, "not_permitted");
    case.enter(&path, "pre-load").await.refused(404, "not_found");
}

async fn somebody_is_nominated_once_and_never_by_themselves(world: &World) {
    let case = SmallCase::begun(world).await;
    let manager = &case.client.administrator;
    let nominate = |person: &str, programme: &str| json!({"person": person, "programme": programme});
    let unknown = manager.post("/candidates", nominate(&case.mentors[0].id, &a_uuid())).await.refused(409, "not_employed");
    assert_eq!(unknown.faults(), [("/person", "not_employed"), ("/programme", "unknown_reference")]);
    case.employ(&manager.id).await;
    manager.post("/candidates", nominate(&manager.id, &case.programme)).await.refused(403, "not_permitted");
    case.candidate().await;
    manager.post("/candidates", nominate(&case.person.id, &case.programme)).await.refused(409, "already_done");
    let mine = manager.get(&format!("/candidates?person={}", case.person.id)).await.ok().page().items;
    assert_eq!(mine.len(), 1);
}

async fn a_leaver_goes_no_further(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let leaves = json!({"effective_on": "2021-03-08"});
    case.client.administrator.post(&format!("/persons/{}/leaving", case.person.id), leaves).await.ok();
    case.enter(&path, "pre_load").await.refused(409, "not_employed");
    let ask = json!({"topic": "The law on holding.", "rank": 1});
    case.person.post(&format!("{path}/remedial-requests"), ask).await.refused(403, "not_permitted");
    let revoked = json!({"standing": "revoked", "provider_position": 9, "valid_until": "2022-01-31"});
    case.admin.post(&format!("/persons/{}/standing", case.mentors[0].id), revoked).await.ok();
    let seen = json!({"competency": case.competency, "kind": "direct", "narrative": "Seen."});
    case.mentors[0].post(&format!("{path}/observations"), seen).await.refused(403, "not_permitted");
}

async fn an_observation_names_a_session_of_the_candidates_programme(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let ours = case.admin.get(&format!("/programmes/{}", case.programme)).await.ok();
    let pinned = |what: &str, fields: &[&str]| -> Value {
        json!(fields.iter().map(|field| ((*field).to_owned(), ours[what][*field].clone())).collect::<serde_json::Map<_, _>>())
    };
    let theirs = json!({
        "title": "Trainers 2022",
        "needs_analysis": pinned("needs_analysis", &["needs_analysis", "version"]),
        "curriculum": pinned("curriculum", &["organisation", "curriculum", "version"]),
    });
    let other = case.admin.post("/programmes", theirs).await.created();
    let workshop = |programme: &str| {
        let trainers = json!([{"person": case.mentors[0].id, "part": "lead"}]);
        json!({
            "programme": programme, "kind": "workshop", "title": "Questions", "modules": [], "venue": "Training room", "learners_max": 6,
            "starts_at": "2021-03-12T09:30:00Z", "ends_at": "2021-03-12T11:00:00Z", "trainers": trainers, "physical": false,
        })
    };
    let seen = |session: &str| json!({"competency": case.competency, "kind": "direct", "narrative": "Seen.", "session": session});
    let observations = format!("{path}/observations");
    for (programme, known) in [(case.programme.as_str(), true), (other.id(), false)] {
        let session = case.admin.post("/sessions", workshop(programme)).await.created();
        let answer = case.mentors[0].post(&observations, seen(session.id())).await;
        if known {
            answer.ok();
        } else {
            assert_eq!(answer.refused(409, "unknown_reference").faults(), [("/session", "unknown_reference")]);
        }
    }
}

async fn nothing_is_told_of_a_time_before_what_it_follows(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let earlier = "2021-03-08T08:00:00Z";
    let told = |mut body: Value| {
        body["occurred_at"] = json!(earlier);
        body
    };
    change(&case.mentors[0], &path, "stages/pre_load/entry", told(json!({}))).await.refused(409, "late_entry");
    let seen = json!({"competency": case.competency, "kind": "direct", "narrative": "Seen."});
    case.mentors[0].post(&format!("{path}/observations"), told(seen)).await.refused(409, "late_entry");
    case.person.post(&format!("{path}/pre-load"), told(json!({"module": case.film, "percent": 100}))).await.refused(409, "late_entry");
    case.enter(&path, "pre_load").await.ok();
    let day_before = json!({"stage": "pre_load", "on": "2021-03-07", "minutes": 60});
    let refused = case.mentors[0].post(&format!("{path}/attendance"), day_before).await.refused(409, "late_entry");
    assert_eq!(refused.faults(), [("/on", "late_entry")]);
}

async fn whoever_was_withdrawn_may_be_nominated_again(world: &World) {
    let case = SmallCase::begun(world).await;
    let first = case.candidate().await;
    let manager = &case.client.administrator;
    let nominate = || manager.post("/candidates", json!({"person": case.person.id, "programme": case.programme}));
    change(manager, &first, "withdrawal", json!({"reason": "Not yet."})).await.ok();
    let (one, other) = tokio::join!(nominate().into_future(), nominate().into_future());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "of two at once one: {one} {other}");
    nominate().await.refused(409, "already_done");
    change(manager, &first, "withdrawal", json!({"reason": "Again."})).await.refused(409, "not_in_state");
    nominate().await.refused(409, "already_done");
    let all = manager.get(&format!("/candidates?person={}", case.person.id)).await.ok().page().items;
    assert_eq!(all.iter().filter(|one| one["status"] == "nominated").count(), 1);
}

async fn a_programme_keeps_the_policy_it_began_with(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let lead = case.client.person(Role::GovernanceLead).await;
    let stricter = json!({"policy": "observations_min", "value": 5, "effective_on": case.today(), "source": "Ours."});
    let organisation = change(&lead, "", "policies", stricter).await.ok();
    assert_eq!(organisation["policy_version"], 1);
    let programme = lead.get(&format!("/programmes/{}", case.programme)).await.ok();
    assert_eq!(programme["policy_version"], 0, "{programme}");
    let first = case.observe(&case.mentors[0], &path).await;
    world.it_is("2021-03-09T09:00:00Z");
    let second = case.observe(&case.assessor, &path).await;
    let decided =
        json!({"competency": case.competency, "decision": "competent", "observations": [first, second], "reason": "As was seen."});
    case.assessor.post(&format!("{path}/assessments"), decided).await.ok();
}

async fn competent_rests_on_enough_direct_current_observation(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let decide = |decision: &str, observations: &[&str]| {
        let body = json!({"competency": case.competency, "decision": decision, "observations": observations, "reason": "As was seen."});
        case.assessor.post(&format!("{path}/assessments"), body)
    };
    let none = decide("competent", &[]).await.refused(409, "no_direct_observation");
    assert_eq!(codes(&none), ["no_direct_observation", "evidence_insufficient", "evidence_insufficient", "evidence_insufficient"]);
    decide("not_yet_competent", &[]).await.refused(409, "evidence_insufficient");
    let strange = decide("insufficient_evidence", &[&a_uuid()]).await.refused(409, "unknown_reference");
    assert_eq!(strange.faults(), [("/observations/0", "unknown_reference")]);
    let first = case.observe(&case.mentors[0], &path).await;
    decide("not_yet_competent", &[&first]).await.ok();
    world.it_is("2021-03-09T09:00:00Z");
    let second = case.observe(&case.assessor, &path).await;
    let decided = decide("competent", &[&first, &second]).await.ok();
    let decisions: Vec<_> = decided["assessments"].as_array().expect("decisions").iter().map(|one| one["decision"].clone()).collect();
    assert_eq!(decisions, ["not_yet_competent", "competent"], "the later stands beside the first");
    world.it_is("2022-03-09T09:00:00Z");
    let third = decide("competent", &[&first, &second]).await;
    assert_eq!(third.status, 403, "the provider's word has run out: {third}");
}

async fn nobody_is_judged_by_themselves_or_by_the_unassigned(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let seen = json!({"competency": case.competency, "kind": "direct", "narrative": "Seen."});
    let decided = json!({"competency": case.competency, "decision": "insufficient_evidence", "reason": "Too little."});
    for role in [Role::Mentor, Role::Assessor] {
        case.client.grant(&case.person, role).await;
    }
    world.it_is("2021-03-08T09:00:01Z");
    case.person.post(&format!("{path}/observations"), seen.clone()).await.refused(403, "not_permitted");
    case.person.post(&format!("{path}/assessments"), decided.clone()).await.refused(403, "not_permitted");
    let assign = json!({"person": case.person.id, "from_on": "2021-03-08"});
    case.admin.post(&format!("{path}/assessors"), assign).await.refused(409, "self_assessment");
    let stranger = case.client.person(Role::Assessor).await;
    stranger.post(&format!("{path}/assessments"), decided).await.refused(403, "not_permitted");
    case.mentors[1].post(&format!("{path}/observations"), seen).await.refused(403, "not_permitted");
    let allot = json!({"modules": [case.law]});
    change(&case.mentors[1], &path, "allotments", allot).await.refused(403, "not_permitted");
    world.it_is("2021-03-09T09:00:00Z");
    let assign = json!({"person": case.mentors[1].id, "from_on": "2021-03-09"});
    change(&case.admin, &path, "mentor", assign).await.ok();
    let before = json!({
        "competency": case.competency, "kind": "direct", "narrative": "Seen.", "occurred_at": "2021-03-08T12:00:00Z",
    });
    let witness = case.mentors[1].post(&format!("{path}/observations"), before).await.ok();
    assert_eq!(witness["observations"][0]["capacity"], "witness", "seen before they were assigned");
}

async fn an_observation_is_corrected_on_record(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    let id = case.observe(&case.mentors[0], &path).await;
    let read = case.mentors[0].get(&path).await.ok();
    let first = &read["observations"][0];
    world.it_is("2021-03-09T09:00:00Z");
    let mut again = json!({"id": id, "competency": case.competency, "kind": "recorded", "narrative": "Seen on film, as it turns out."});
    let send = |voice: usize, body: &Value| case.mentors[voice].post(&format!("{path}/observations"), body.clone());
    send(0, &again).await.refused(409, "supersede_only");
    again["supersedes"] = first["fact"].clone();
    assert_eq!(send(0, &again).await.refused(409, "supersede_only").faults(), [("/occurred_at", "supersede_only")]);
    again["occurred_at"] = first["observed_at"].clone();
    send(1, &again).await.refused(403, "not_permitted");
    let corrected = send(0, &again).await.ok();
    assert_eq!(corrected["observations"].as_array().map(Vec::len), Some(1));
    assert_eq!(corrected["observations"][0]["kind"], "recorded");
    let facts = case.client.administrator.all(&format!("/streams/candidate/{}/events", corrected.id())).await;
    let facts: Vec<_> = facts.iter().filter(|fact| fact["type"] == "ObservationRecorded").collect();
    assert_eq!(facts.len(), 2, "the original stays readable");
    assert_eq!(facts[1]["supersedes"], first["fact"]);
}

async fn a_remedial_request_blocks_nothing_and_a_required_action_does(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.led_to(&path, "remedial_workshop").await;
    let ask = json!({"topic": "The law on holding.", "rank": 1});
    let asked = case.person.post(&format!("{path}/remedial-requests"), ask).await.ok();
    let demand = json!({"competency": case.competency, "what": "Plan the session again."});
    let demanded = case.assessor.post(&format!("{path}/required-actions"), demand).await.ok();
    let refused = change(&case.admin, &path, "completion", json!({})).await.refused(409, "not_in_state");
    assert_eq!(codes(&refused), ["not_in_state", "not_in_state"]);
    let request = asked["remedial_requests"][0]["id"].as_str().expect("a request");
    let covered = json!({"covered": false, "carries_over": "To the first course."});
    let covered = change(&case.mentors[0], &path, &format!("remedial-requests/{request}/coverage"), covered).await.ok();
    assert_eq!(covered["remedial_requests"][0]["status"], "not_covered");
    let action = demanded["required_actions"][0]["id"].as_str().expect("an action");
    change(&case.assessor, &path, &format!("required-actions/{action}/settlement"), json!({})).await.ok();
    case.complete(&path).await;
}

async fn candidates_see_their_own_and_narratives_stay_sealed_from_others(world: &World) {
    let case = SmallCase::begun(world).await;
    let path = case.candidate().await;
    case.observe(&case.mentors[0], &path).await;
    let own = case.person.get(&path).await.ok();
    assert_eq!(own["observations"][0]["narrative"], "Clear, calm, and on time.");
    assert_eq!(case.person.get("/candidates").await.ok().page().items.len(), 1);
    let manager = case.client.administrator.get(&path).await.ok();
    assert_eq!(manager["observations"][0]["narrative"], json!({"withheld": "narrative"}));
    let other = case.client.person(Role::Candidate).await;
    other.get(&path).await.refused(403, "not_permitted");
    assert_eq!(other.get("/candidates").await.ok().page().items.len(), 0);
    let platform = case.client.person(Role::LearningPlatform).await;
    let told = platform.post(&format!("{path}/pre-load"), json!({"module": case.film, "percent": 40})).await.ok();
    assert_eq!(told["pre_load"][0]["percent"], 40);
    platform.post(&format!("{path}/pre-load"), json!({"module": case.film, "percent": 30})).await.refused(409, "supersede_only");
}

/// A body that is in order for an action, where nothing but the guard can refuse it.
fn body_for(case: &SmallCase<'_>, action: &str) -> Value {
    let (competency, today) = (&case.competency, case.today());
    match action {
        "enrol" | "enter_stage" | "settle_action" | "complete" => json!({}),
        "assign_mentor" => json!({"person": case.mentors[0].id, "from_on": today}),
        "assign_assessor" => json!({"person": case.assessor.id, "from_on": today}),
        "record_pre_load" => json!({"module": case.film, "percent": 100}),
        "record_attendance" => json!({"stage": "pre_load", "on": today, "minutes": 60}),
        "allot_modules" => json!({"modules": [case.law]}),
        "observe" => json!({"competency": competency, "kind": "direct", "narrative": "Seen."}),
        "submit_evidence" => json!({
            "kind": "document", "competencies": [competency], "title": "A plan", "reference": "https://example.org/plan", "sha256": "0".repeat(64),
        }),
        "assess" => json!({"competency": competency, "decision": "insufficient_evidence", "reason": "Too little."}),
        "demand_action" => json!({"competency": competency, "what": "Plan it again."}),
        "request_remedial" => json!({"topic": "The law on holding.", "rank": 1}),
        "cover_remedial" => json!({"covered": true}),
        "withdraw" => json!({"reason": "Leaves the organisation."}),
        other => panic!("no body is known for {other}"),
    }
}

async fn what_is_foretold_of_a_candidate_happens(world: &World) {
    let case = SmallCase::begun(world).await;
    let body = json!({"person": case.person.id, "programme": case.programme});
    let candidate = case.client.administrator.post("/candidates", body).await.created();
    let path = format!("/candidates/{}", candidate.id());
    let platform = case.client.person(Role::LearningPlatform).await;
    let voices = [&platform, &case.admin, &case.assessor, &case.mentors[0], &case.mentors[1], &case.person, &case.client.administrator];
    // Twice round: what was done in the first stands in the way in the second, or opens it.
    for voice in voices.into_iter().chain(voices) {
        try_each(voice, &path, &["withdraw"], |action| body_for(&case, action)).await;
    }
    try_each(&case.client.administrator, &path, &[], |action| body_for(&case, action)).await;
    let read = case.client.administrator.get(&path).await.ok();
    assert_eq!(read["status"], "withdrawn", "{read}");
    try_each(&case.admin, &path, &[], |action| body_for(&case, action)).await;
}
