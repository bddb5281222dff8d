//! Chapter four: from April 2021 the three lead courses of their own, until at
//! least 180 of those employed have been taught and judged.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::DemoError;
use super::beginnings::{Cast, until};
use super::candidates::Candidate;
use super::co_delivery::say_learning;
use super::programme::Programme;
use super::story::{Story, id};

/// The days of the courses, as HR's calendar has them.
const DAYS: [&str; 17] = [
    "2021-04-14",
    "2021-04-28",
    "2021-05-12",
    "2021-05-26",
    "2021-06-09",
    "2021-06-23",
    "2021-08-11",
    "2021-08-25",
    "2021-09-08",
    "2021-09-22",
    "2021-10-06",
    "2021-10-20",
    "2021-11-10",
    "2021-11-24",
    "2022-01-26",
    "2022-02-16",
    "2022-03-16",
];

/// What a course teaches, in minutes.
const MODULES: [(&str, u32); 5] = [("LEGAL1", 45), ("NE1", 60), ("DE1", 90), ("SP1", 60), ("TH1", 90)];

/// Learners of one course: more than twelve, so two trainers.
const GROUP: usize = 15;

/// Tells the chapter; returns the sessions.
pub(super) async fn tell(
    story: &mut Story<'_>,
    cast: &mut Cast,
    candidates: &[Candidate],
    programme: &Programme,
) -> Result<Vec<String>, DemoError> {
    story.chapter("their own courses");
    let mut taught: BTreeSet<String> = candidates.iter().map(|candidate| candidate.number.clone()).collect();
    let mut sessions = Vec::new();
    for (nth, day) in DAYS.into_iter().enumerate() {
        if day == "2022-01-26" {
            renew_life_support(story, cast, candidates).await?;
        }
        until(story, cast, day, 7).await?;
        let here: Vec<&Candidate> = candidates.iter().filter(|candidate| cast.is_employed(&candidate.number)).collect();
        let (lead, second) = (here[nth % here.len()], here[(nth + 1) % here.len()]);
        let group: Vec<String> = cast.employed().filter(|number| !taught.contains(*number)).take(GROUP).map(str::to_owned).collect();
        if group.is_empty() {
            break;
        }
        let session = plan(story, cast, programme, day, lead, second).await?;
        let path = format!("/sessions/{session}");
        let learners: Vec<String> = group.iter().map(|number| cast.ids[number].clone()).collect();
        story.change(&lead.voice, &path, "roster", &json!({"learners": learners})).await?;
        until(story, cast, day, 17).await?;
        let modules: Vec<String> = MODULES.iter().map(|(code, _)| programme.modules[*code].clone()).collect();
        say_learning(story, &lead.voice, &lead.voice, &path, (&learners, &modules), nth % 6 == 1).await?;
        story.change(&lead.voice, &path, "completion", &json!({})).await?;
        taught.extend(group);
        sessions.push(session);
    }
    Ok(sessions)
}

/// Their immediate life support runs out with the year; those who stay renew it.
async fn renew_life_support(story: &mut Story<'_>, cast: &mut Cast, candidates: &[Candidate]) -> Result<(), DemoError> {
    until(story, cast, "2021-12-15", 9).await?;
    let hr = cast.hr.clone();
    for candidate in candidates.iter().filter(|candidate| !cast.leaves(&candidate.number)) {
        let path = format!("/persons/{}/life-support", candidate.person);
        story.say(&hr, &path, &json!({"expires_on": "2022-12-31"})).await?;
    }
    Ok(())
}

async fn plan(
    story: &mut Story<'_>,
    cast: &Cast,
    programme: &Programme,
    day: &str,
    lead: &Candidate,
    second: &Candidate,
) -> Result<String, DemoError> {
    let modules: Vec<Value> = MODULES
        .iter()
        .map(|(code, minutes)| json!({"module": programme.modules[*code], "minutes": minutes, "assessment_minutes": 5}))
        .collect();
    let body = json!({
        "programme": programme.id,
        "kind": "course_day",
        "title": "Last resort: a day for frontline staff",
        "modules": modules,
        "starts_at": format!("{day}T08:30:00Z"),
        "ends_at": format!("{day}T16:30:00Z"),
        "unit": cast.units["ardmore"],
        "venue": "Ardmore House, training room",
        "trainers": [{"person": lead.person, "part": "lead"}, {"person": second.person, "part": "second"}],
        "learners_max": GROUP,
        "physical": true,
    });
    id(&story.say(&lead.voice, "/sessions", &body).await?)
}
