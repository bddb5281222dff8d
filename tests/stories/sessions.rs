//! Deliveries: ratios, responsibilities, a group's day in three calls, and a
//! trainer's own course.

use std::time::{Duration, Instant};

use lastresort_fact::Role;
use lastresort_tests::world::{Answer, World, a_uuid};
use serde_json::{Value, json};

use crate::actions::try_each;
use crate::small_case::{SmallCase, change};

lastresort_tests::on_both_stores!(
    a_day_is_taught_together,
    ratios_hold_when_planned_and_when_the_roster_is_set,
    a_trainer_leads_a_course_of_their_own,
    what_a_leaver_was_to_lead_waits_for_somebody_else,
    attendance_is_corrected_record_by_record,
    what_is_recorded_of_a_completed_session_is_corrected_on_record,
    only_those_who_teach_in_a_session_write_in_it,
    staff_read_what_they_attained_themselves,
    candidates_read_the_sessions_they_teach_in,
    a_change_beforehand_is_agreed_anew,
    who_teaches_is_judged_on_the_day_of_the_session,
    a_plan_told_late_is_seen_to_be_and_nobody_agrees_to_it_beforehand,
    what_is_foretold_of_a_session_happens,
);

const RESPONSIBILITIES: [&str; 7] =
    ["timing", "session_design", "practice_activities", "small_groups", "motivating", "feedback", "assessing_attainment"];

fn codes(answer: &Answer) -> Vec<&str> {
    answer.faults().into_iter().map(|(_, code)| code).collect()
}

/// A day on 12 March 2021 that mentor and candidate teach together.
fn co_delivery(case: &SmallCase<'_>) -> Value {
    json!({
        "programme": case.programme,
        "stage": "co_delivery_week",
        "kind": "co_delivery",
        "title": "From scratch, day one",
        "modules": [{"module": case.law, "minutes": 60}, {"module": case.hold, "minutes": 120, "assessment_minutes": 30}],
        "starts_at": "2021-03-12T09:30:00Z",
        "ends_at": "2021-03-12T16:00:00Z",
        "venue": "Training room",
        "trainers": [{"person": case.mentors[0].id, "part": "mentor"}, {"person": case.person.id, "part": "candidate"}],
        "learners_max": 12,
        "physical": true,
        "low_risk": {"safety": true, "client_risk_factors": true, "trainability": true, "effectiveness": true},
    })
}

/// The mentor owns the first three, the candidate the others.
fn split(case: &SmallCase<'_>) -> Value {
    let owner = |index: usize| if index < 3 { &case.mentors[0].id } else { &case.person.id };
    let owners: Vec<_> =
        RESPONSIBILITIES.iter().enumerate().map(|(index, what)| json!({"responsibility": what, "owner": owner(index)})).collect();
    json!({"owners": owners})
}

fn lines(case: &SmallCase<'_>, learners: &[String], field: &str, value: &Value) -> Vec<Value> {
    let of = |person: &String| [&case.law, &case.hold].map(|module| json!({"person": person, "module": module, field: value}));
    learners.iter().flat_map(of).collect()
}

/// Planned, agreed, and with so many learners on the roster.
pub(crate) async fn ready(case: &SmallCase<'_>, learners: &[String]) -> String {
    let planned = case.admin.post("/sessions", co_delivery(case)).await.created();
    let path = format!("/sessions/{}", planned.id());
    case.mentors[0].post(&format!("{path}/responsibilities"), split(case)).await.ok();
    case.person.post(&format!("{path}/agreements"), split(case)).await.ok();
    change(&case.admin, &path, "roster", json!({"learners": learners})).await.ok();
    path
}

async fn a_day_is_taught_together(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let learners = case.learners(12).await;
    let path = ready(&case, &learners).await;
    let early = json!({"attendance": lines(&case, &learners, "minutes", &json!(60))});
    case.person.post(&format!("{path}/attendance"), early.clone()).await.refused(409, "late_entry");
    world.it_is("2021-03-12T15:30:00Z");
    case.person.post(&format!("{path}/attendance"), early).await.ok();
    let attained = json!({"attainment": lines(&case, &learners, "result", &json!("attained"))});
    let judged = case.person.post(&format!("{path}/attainment"), attained).await.ok();
    assert_eq!(
        (judged["attainment"].as_array().map(Vec::len), judged["attainment"][0]["status"].as_str()),
        (Some(24), Some("provisional"))
    );
    change(&case.admin, &path, "completion", json!({})).await.refused(409, "not_in_state");
    world.it_is("2021-03-12T16:00:00Z");
    let refused = change(&case.admin, &path, "completion", json!({})).await.refused(409, "attainment_uncountersigned");
    assert_eq!(codes(&refused), ["attainment_uncountersigned"; 2]);
    let signed = change(&case.mentors[0], &path, "countersignature", json!({})).await.ok();
    assert_eq!(signed["attainment"][0]["status"], "countersigned");
    assert_eq!(signed["attainment"][0]["countersigned_by"], case.mentors[0].id.as_str());
    let timing = json!({"owners": [{"responsibility": "timing", "owner": case.person.id}]});
    let held = change(&case.mentors[0], &path, "completion", timing).await.ok();
    let timing = &held["responsibilities"][0];
    assert_eq!((held["status"].as_str(), &timing["owner"]), (Some("completed"), &json!(case.mentors[0].id)));
    assert_eq!(timing["actual_owner"], case.person.id.as_str(), "planned beside actual");
}

async fn ratios_hold_when_planned_and_when_the_roster_is_set(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let plan = |field: &str, value: Value| {
        let mut body = co_delivery(&case);
        body[field] = value;
        case.admin.post("/sessions", body)
    };
    let many = plan("learners_max", json!(19)).await.refused(409, "cohort_too_large");
    assert_eq!(codes(&many), ["cohort_too_large", "second_trainer_needed", "ratio_exceeded"]);
    plan("low_risk", Value::Null).await.refused(409, "second_trainer_needed");
    plan("physical", json!(false)).await.refused(422, "invalid");
    let elsewhere = plan("stage", json!("transfer_week")).await.refused(422, "invalid");
    assert_eq!(elsewhere.faults(), [("/kind", "invalid")], "mentor and candidate teach together in another week");
    let nobody = json!([{"person": a_uuid(), "part": "mentor"}, {"person": case.person.id, "part": "candidate"}]);
    let nobody = plan("trainers", nobody).await.refused(409, "unknown_reference");
    assert_eq!(nobody.faults()[0], ("/trainers/0/person", "unknown_reference"));
    let learners = case.learners(2).await;
    let planned = plan("learners_max", json!(1)).await.created();
    let path = format!("/sessions/{}", planned.id());
    change(&case.admin, &path, "roster", json!({"learners": learners})).await.refused(409, "cohort_too_large");
    let odd = json!({"learners": [case.mentors[1].id]});
    change(&case.admin, &path, "roster", odd).await.refused(409, "not_employed");
}

/// A course that the case's person leads alone, once they may.
fn own_course(case: &SmallCase<'_>) -> Value {
    let mut course = co_delivery(case);
    course["stage"] = Value::Null;
    course["kind"] = json!("course_day");
    course["trainers"] = json!([{"person": case.person.id, "part": "lead"}]);
    course["starts_at"] = json!("2021-04-12T09:00:00Z");
    course["ends_at"] = json!("2021-04-12T16:00:00Z");
    course
}

async fn a_trainer_leads_a_course_of_their_own(world: &World) {
    let case = SmallCase::begun(world).await;
    let candidate = case.candidate().await;
    let course = own_course(&case);
    case.person.post("/sessions", course.clone()).await.refused(403, "not_permitted");
    case.led_to(&candidate, "remedial_workshop").await;
    case.complete(&candidate).await;
    let learners = case.learners(3).await;
    let path = format!("/sessions/{}", case.person.post("/sessions", course).await.created().id());
    change(&case.person, &path, "roster", json!({"learners": learners})).await.ok();
    world.it_is("2021-04-12T16:00:00Z");
    let attendance = json!({"attendance": lines(&case, &learners, "minutes", &json!(60))});
    case.person.post(&format!("{path}/attendance"), attendance).await.ok();
    let attainment = json!({"attainment": lines(&case, &learners, "result", &json!("attained"))});
    let judged = case.person.post(&format!("{path}/attainment"), attainment).await.ok();
    assert_eq!(judged["attainment"][0]["status"], "judged", "a trainer's judgement waits for nobody");
    change(&case.person, &path, "completion", json!({})).await.ok();
    let led = case.client.administrator.get(&format!("/sessions?lead={}&status=completed", case.person.id)).await.ok();
    assert_eq!(led.page().items.len(), 1);
}

async fn what_a_leaver_was_to_lead_waits_for_somebody_else(world: &World) {
    let case = SmallCase::begun(world).await;
    let candidate = case.candidate().await;
    let course = own_course(&case);
    case.led_to(&candidate, "remedial_workshop").await;
    case.complete(&candidate).await;
    let learners = case.learners(3).await;
    let path = format!("/sessions/{}", case.person.post("/sessions", course).await.created().id());
    change(&case.person, &path, "roster", json!({"learners": learners})).await.ok();
    let leaves = json!({"effective_on": "2021-04-12"});
    case.client.administrator.post(&format!("/persons/{}/leaving", case.person.id), leaves).await.ok();
    let blocked = async || {
        let read = case.admin.get(&path).await.ok();
        let complete = read["allowed_actions"].as_array().and_then(|all| all.iter().find(|one| one["action"] == "complete")).cloned();
        complete.expect("the action")["blocked_by"].to_string().contains(&format!("{} was to teach", case.person.id))
    };
    assert!(blocked().await, "flagged for another trainer as soon as it is known");
    world.it_is("2021-04-12T16:00:00Z");
    let attendance = || json!({"attendance": lines(&case, &learners, "minutes", &json!(60))});
    case.person.post(&format!("{path}/attendance"), attendance()).await.refused(403, "not_permitted");
    change(&case.person, &path, "completion", json!({})).await.refused(403, "not_permitted");
    change(&case.admin, &path, "completion", json!({})).await.refused(409, "authority_conditions_unmet");
    let other = json!({"trainers": [{"person": case.mentors[0].id, "part": "lead"}], "reason": "Has left."});
    change(&case.mentors[0], &path, "trainers", other.clone()).await.refused(403, "not_permitted");
    let changed = change(&case.admin, &path, "trainers", other).await.ok();
    assert_eq!(changed["trainers"], json!([{"person": case.mentors[0].id, "part": "lead"}]));
    assert!(!blocked().await);
    let led = case.client.administrator.get(&format!("/sessions?lead={}", case.mentors[0].id)).await.ok();
    assert_eq!(led.page().items.len(), 1);
    case.mentors[0].post(&format!("{path}/attendance"), attendance()).await.ok();
    change(&case.mentors[0], &path, "completion", json!({})).await.ok();
}

async fn attendance_is_corrected_record_by_record(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let learners = case.learners(2).await;
    let path = ready(&case, &learners).await;
    world.it_is("2021-03-12T15:30:00Z");
    let record =
        |minutes: u32| json!({"attendance": lines(&case, &learners, "minutes", &json!(minutes)), "occurred_at": "2021-03-12T15:00:00Z"});
    let told = case.mentors[0].post(&format!("{path}/attendance"), record(60)).await.ok();
    let mut other = record(45);
    case.mentors[0].post(&format!("{path}/attendance"), other.clone()).await.refused(409, "supersede_only");
    other["supersedes"] = told["attendance"][0]["fact"].clone();
    let corrected = case.mentors[0].post(&format!("{path}/attendance"), other.clone()).await.ok();
    assert!(corrected["attendance"].as_array().expect("lines").iter().all(|line| line["minutes"] == 45), "{corrected}");
    other["supersedes"] = corrected["attendance"][0]["fact"].clone();
    other["attendance"].as_array_mut().expect("lines").pop();
    case.mentors[0].post(&format!("{path}/attendance"), other).await.refused(409, "supersede_only");
}

async fn what_is_recorded_of_a_completed_session_is_corrected_on_record(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let learners = case.learners(2).await;
    let path = ready(&case, &learners).await;
    world.it_is("2021-03-12T16:00:00Z");
    let attended = json!({"attendance": lines(&case, &learners, "minutes", &json!(60))});
    case.person.post(&format!("{path}/attendance"), attended.clone()).await.ok();
    let attained = json!({"attainment": lines(&case, &learners, "result", &json!("attained"))});
    case.person.post(&format!("{path}/attainment"), attained).await.ok();
    change(&case.mentors[0], &path, "countersignature", json!({})).await.ok();
    let held = change(&case.mentors[0], &path, "completion", json!({})).await.ok();
    world.it_is("2021-03-15T09:00:00Z");
    // The record as it was, but for the first learner.
    let correction = |read: &Answer, list: &str, at: &str, (field, was, is): (&str, Value, Value)| {
        let (mut told, line) = (lines(&case, &learners, field, &was), &read[list][0]);
        for first in told.iter_mut().filter(|told| told["person"] == learners[0].as_str()) {
            first[field] = is.clone();
        }
        json!({list: told, "reason": "Taken from the wrong sheet.", "occurred_at": line[at], "supersedes": line["fact"]})
    };
    let absent = correction(&held, "attendance", "occurred_at", ("minutes", json!(60), json!(0)));
    let mut late = attended.clone();
    late["supersedes"] = held["attendance"][0]["fact"].clone();
    case.mentors[0].post(&format!("{path}/attendance"), late).await.refused(409, "not_in_state");
    for stranger in [&case.person, &case.mentors[1], &case.client.administrator] {
        let version = case.admin.get(&path).await.ok().version();
        stranger.post(&format!("{path}/corrections"), absent.clone()).if_match(version).await.refused(403, "not_permitted");
    }
    change(&case.admin, &path, "corrections", absent.clone()).await.refused(409, "not_in_state");
    let judged = correction(&held, "attainment", "judged_at", ("result", json!("attained"), json!("not_judged")));
    let judged = change(&case.mentors[0], &path, "corrections", judged).await.ok();
    let first = judged["attainment"].as_array().expect("lines").iter().find(|line| line["result"] == "not_judged").expect("a line");
    assert_eq!((&first["status"], &first["judged_by"]), (&json!("judged"), &json!(case.mentors[0].id)));
    let corrected = change(&case.admin, &path, "corrections", absent.clone()).await.ok();
    let there = |read: &Answer| read["attendance"].as_array().expect("lines").iter().filter(|line| line["minutes"] == 60).count();
    assert_eq!((there(&held), there(&corrected)), (4, 2));
    change(&case.admin, &path, "corrections", absent).await.refused(409, "supersede_only");
    let completion = json!({
        "completion": {"modules": [{"module": case.law, "minutes": 50}]}, "reason": "We began late.",
        "occurred_at": held["completed_at"], "supersedes": held["completion_fact"],
    });
    let mut both = completion.clone();
    both["attendance"] = attended["attendance"].clone();
    change(&case.admin, &path, "corrections", both).await.refused(422, "invalid");
    let came_to = change(&case.mentors[0], &path, "corrections", completion).await.ok();
    assert_eq!(came_to["modules"][0]["actual_minutes"], 50);
    let facts = case.client.administrator.all(&format!("/streams/session/{}/events", held.id())).await;
    let attendance: Vec<_> = facts.iter().filter(|fact| fact["type"] == "AttendanceRecorded").collect();
    assert_eq!((attendance.len(), &attendance[1]["supersedes"]), (2, &held["attendance"][0]["fact"]), "the original stays readable");
}

async fn only_those_who_teach_in_a_session_write_in_it(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let learners = case.learners(2).await;
    let path = ready(&case, &learners).await;
    world.it_is("2021-03-12T15:30:00Z");
    let attendance = json!({"attendance": lines(&case, &learners, "minutes", &json!(60))});
    case.mentors[1].post(&format!("{path}/attendance"), attendance.clone()).await.refused(403, "not_permitted");
    case.client.person(Role::Candidate).await.post(&format!("{path}/attendance"), attendance).await.refused(403, "not_permitted");
    let change_of = json!({"responsibility": "timing", "owner": case.person.id, "reason": "The mentor lost their voice."});
    change(&case.person, &path, "responsibility-changes", change_of.clone()).await.refused(403, "not_permitted");
    let changed = change(&case.mentors[0], &path, "responsibility-changes", change_of).await.ok();
    assert_eq!((changed["responsibilities"][0]["status"].as_str()), Some("changed"));
    case.person.post(&format!("{path}/responsibilities"), split(&case)).await.refused(409, "not_in_state");
    change(&case.mentors[0], &path, "cancellation", json!({"reason": "Snow."})).await.refused(403, "not_permitted");
    let cancelled = change(&case.admin, &path, "cancellation", json!({"reason": "Snow."})).await.ok();
    assert_eq!(cancelled["status"], "cancelled");
}

async fn staff_read_what_they_attained_themselves(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let staff = case.client.person(Role::Staff).await;
    case.employ(&staff.id).await;
    let mut learners = case.learners(1).await;
    learners.push(staff.id.clone());
    let path = ready(&case, &learners).await;
    world.it_is("2021-03-12T16:00:00Z");
    let attendance = json!({"attendance": lines(&case, &learners, "minutes", &json!(60))});
    case.mentors[0].post(&format!("{path}/attendance"), attendance).await.ok();
    let attained = json!({"attainment": lines(&case, &learners, "result", &json!("attained"))});
    case.mentors[0].post(&format!("{path}/attainment"), attained).await.ok();
    let own = staff.get(&path).await.ok();
    assert_eq!(own["roster"], json!([staff.id]));
    assert_eq!((own["attendance"].as_array().map(Vec::len), own["attainment"][0]["result"].as_str()), (Some(2), Some("attained")));
    assert!(!own.text.contains(&learners[0]), "nothing of anybody else's: {own}");
    case.client.person(Role::Staff).await.get(&path).await.refused(403, "not_permitted");
    assert_eq!(case.client.person(Role::Staff).await.all("/sessions").await, [json!(null); 0]);
    let listed = staff.all("/sessions").await;
    assert_eq!((listed.len(), &listed[0]["attainment"]), (1, &own["attainment"]), "found without knowing its id");
    assert!(!json!(listed).to_string().contains(&learners[0]), "nothing of anybody else's: {listed:#?}");
}

async fn candidates_read_the_sessions_they_teach_in(world: &World) {
    let case = SmallCase::begun(world).await;
    let candidate = case.candidate().await;
    let learners = case.learners(2).await;
    let path = ready(&case, &learners).await;
    let other = case.client.person(Role::Candidate).await;
    let read = case.person.get(&path).await.ok();
    assert_eq!(read["roster"], json!(learners), "the group they teach");
    assert_eq!(case.person.all("/sessions").await.len(), 1);
    other.get(&path).await.refused(403, "not_permitted");
    assert!(other.all("/sessions?kind=co_delivery").await.is_empty());
    let without = json!({"trainers": [{"person": case.mentors[0].id, "part": "lead"}], "reason": "Not needed."});
    let mut course = own_course(&case);
    course["trainers"] = without["trainers"].clone();
    let elsewhere = format!("/sessions/{}", case.admin.post("/sessions", course).await.created().id());
    case.person.get(&elsewhere).await.refused(403, "not_permitted");
    change(&case.client.administrator, &candidate, "withdrawal", json!({"reason": "Leaves."})).await.ok();
    let leaves = json!({"effective_on": "2021-03-08"});
    case.client.administrator.post(&format!("/persons/{}/leaving", case.person.id), leaves).await.ok();
    let since = Instant::now();
    while case.person.get(&path).await.status != 403 {
        assert!(since.elapsed() < Duration::from_secs(1), "somebody who has left reads on");
    }
    assert!(case.person.all("/sessions").await.is_empty());
}

async fn a_change_beforehand_is_agreed_anew(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let path = ready(&case, &case.learners(2).await).await;
    let change_of = json!({"responsibility": "feedback", "owner": case.mentors[0].id, "reason": "To show how it is done."});
    let mut early = change_of.clone();
    early["occurred_at"] = json!("2021-03-08T08:59:59Z");
    change(&case.mentors[0], &path, "responsibility-changes", early).await.refused(409, "late_entry");
    let changed = change(&case.mentors[0], &path, "responsibility-changes", change_of).await.ok();
    let feedback = |answer: &Answer| (answer["responsibilities"][5]["status"].clone(), answer["responsibilities"][5]["owner"].clone());
    assert_eq!(feedback(&changed), (json!("proposed"), json!(case.mentors[0].id)), "a mentor alone settles nothing");
    let owners = json!({"owners": [{"responsibility": "feedback", "owner": case.mentors[0].id}]});
    let agreed = case.person.post(&format!("{path}/agreements"), owners).await.ok();
    assert_eq!(feedback(&agreed), (json!("agreed"), json!(case.mentors[0].id)));
}

async fn who_teaches_is_judged_on_the_day_of_the_session(world: &World) {
    let case = SmallCase::begun(world).await;
    let before = |mut plan: Value, day: &str| {
        plan["starts_at"] = json!(format!("{day}T09:30:00Z"));
        plan["ends_at"] = json!(format!("{day}T16:00:00Z"));
        plan["occurred_at"] = json!("2021-03-05T09:00:00Z");
        plan
    };
    let candidate = case.candidate().await;
    let early = case.admin.post("/sessions", before(co_delivery(&case), "2021-03-07")).await.refused(409, "authority_conditions_unmet");
    assert!(early.faults().contains(&("/trainers/1/person", "authority_conditions_unmet")), "enrolled the day after: {early}");
    case.led_to(&candidate, "remedial_workshop").await;
    case.complete(&candidate).await;
    let refused = case.admin.post("/sessions", before(own_course(&case), "2021-03-12")).await.refused(409, "authority_conditions_unmet");
    assert_eq!(refused.faults()[0], ("/trainers/0/person", "authority_conditions_unmet"), "completed the day after");
    case.person.post("/sessions", before(own_course(&case), "2021-03-12")).await.refused(403, "not_permitted");
    case.admin.post("/sessions", before(own_course(&case), "2021-03-14")).await.created();
}

async fn a_plan_told_late_is_seen_to_be_and_nobody_agrees_to_it_beforehand(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    world.it_is("2021-03-12T17:00:00Z");
    let told = |mut body: Value| {
        body["occurred_at"] = json!("2021-03-11T10:00:00Z");
        body
    };
    case.admin.post("/sessions", co_delivery(&case)).await.refused(409, "late_entry");
    let planned = case.admin.post("/sessions", told(co_delivery(&case))).await.created();
    assert_eq!(planned["planned_at"], "2021-03-11T10:00:00.000000Z");
    assert_eq!(planned["recorded_at"], "2021-03-12T17:00:00.000000Z");
    let path = format!("/sessions/{}", planned.id());
    case.mentors[0].post(&format!("{path}/responsibilities"), told(split(&case))).await.refused(409, "not_in_state");
    let timing = json!({"responsibility": "timing", "owner": case.mentors[0].id, "reason": "Agreed by telephone."});
    let changed = change(&case.mentors[0], &path, "responsibility-changes", told(timing)).await.ok();
    assert_eq!(changed["responsibilities"][0]["status"], "changed", "on record, and not as agreed beforehand");
}

/// A body that is in order for an action, where nothing but the guard can refuse it.
fn body_for(case: &SmallCase<'_>, learners: &[String], action: &str) -> Value {
    match action {
        "propose_responsibilities" | "agree_responsibilities" => split(case),
        "change_responsibility" => json!({"responsibility": "feedback", "owner": case.person.id, "reason": "As it turned out."}),
        "change_trainers" => json!({"trainers": co_delivery(case)["trainers"], "reason": "As before."}),
        "set_roster" => json!({"learners": learners}),
        "record_attendance" => json!({"attendance": lines(case, learners, "minutes", &json!(60))}),
        "record_attainment" => json!({"attainment": lines(case, learners, "result", &json!("attained"))}),
        "countersign" | "complete" => json!({}),
        "cancel" => json!({"reason": "Snow."}),
        "correct" => json!({"completion": {}, "reason": "Told wrongly.", "occurred_at": "2021-03-08T09:00:00Z", "supersedes": a_uuid()}),
        other => panic!("no body is known for {other}"),
    }
}

async fn what_is_foretold_of_a_session_happens(world: &World) {
    let case = SmallCase::begun(world).await;
    case.candidate().await;
    let learners = case.learners(2).await;
    let planned = case.admin.post("/sessions", co_delivery(&case)).await.created();
    let path = format!("/sessions/{}", planned.id());
    let voices = [&case.admin, &case.mentors[0], &case.mentors[1], &case.person, &case.client.administrator];
    for (at, left_out) in [("2021-03-09T09:00:00Z", vec!["cancel"]), ("2021-03-12T16:00:00Z", vec!["cancel", "complete"])] {
        world.it_is(at);
        for voice in voices {
            try_each(voice, &path, &left_out, |action| body_for(&case, &learners, action)).await;
        }
    }
    for voice in [&case.person, &case.mentors[0], &case.admin, &case.mentors[0]] {
        // What a correction supersedes is not known beforehand.
        try_each(voice, &path, &["correct"], |action| body_for(&case, &learners, action)).await;
    }
    let read = case.admin.get(&path).await.ok();
    assert_eq!(read["status"], "completed", "{read}");
}
