//! Five days in March 2021: candidates and mentors teach twelve frontline
//! staff from scratch. Who answers for what is agreed beforehand; what a
//! candidate judges waits for the mentor.

use serde_json::{Value, json};

use super::DemoError;
use super::beginnings::Cast;
use super::candidates::Candidate;
use super::programme::Programme;
use super::story::{Story, Voice, id};

/// A day: its date, its modules, and which two of the three teach it.
const DAYS: [(&str, &[&str], [usize; 2]); 5] = [
    ("2021-03-08", &["LEGAL1", "NE1"], [0, 1]),
    ("2021-03-09", &["DE1"], [1, 2]),
    ("2021-03-10", &["SP1"], [2, 0]),
    ("2021-03-11", &["TH1"], [0, 1]),
    ("2021-03-12", &["CM1", "TH1"], [2, 1]),
];

/// How many learners the group has.
const GROUP: usize = 12;

/// A day as planned.
pub(super) struct Day {
    /// Its date.
    pub(super) date: &'static str,
    /// The session.
    pub(super) session: String,
    modules: Vec<String>,
    teachers: [usize; 2],
    learners: Vec<String>,
}

/// Plans the week, agrees who answers for what, and says who the learners are.
pub(super) async fn plan(
    story: &mut Story<'_>,
    cast: &Cast,
    candidates: &[Candidate],
    programme: &Programme,
) -> Result<Vec<Day>, DemoError> {
    let admin = cast.provider_admin.clone();
    let teaching: Vec<&str> = candidates.iter().map(|candidate| candidate.number.as_str()).collect();
    let learners: Vec<String> =
        cast.employed().filter(|number| !teaching.contains(number)).take(GROUP).map(|number| cast.ids[number].clone()).collect();
    let mut days = Vec::new();
    for (date, modules, teachers) in DAYS {
        let modules: Vec<String> = modules.iter().map(|code| programme.modules[*code].clone()).collect();
        let mut trainers = vec![json!({"person": cast.ids["T02"], "part": "mentor"}), json!({"person": cast.ids["T03"], "part": "mentor"})];
        trainers.extend(teachers.iter().map(|nth| json!({"person": candidates[*nth].person, "part": "candidate"})));
        let minutes = 300 / u32::try_from(modules.len()).unwrap_or(1);
        let planned: Vec<Value> =
            modules.iter().map(|module| json!({"module": module, "minutes": minutes, "assessment_minutes": 20})).collect();
        let body = json!({
            "programme": programme.id,
            "stage": "co_delivery_week",
            "kind": "co_delivery",
            "title": "Co-delivered day",
            "modules": planned,
            "starts_at": format!("{date}T09:00:00Z"),
            "ends_at": format!("{date}T15:45:00Z"),
            "unit": cast.units["cairn"],
            "venue": "Cairn Unit, activity hall",
            "trainers": trainers,
            "learners_max": GROUP,
            "physical": date >= "2021-03-09",
        });
        let session = id(&story.say(&admin, "/sessions", &body).await?)?;
        agree(story, cast, candidates, &session, teachers).await?;
        story.change(&admin, &format!("/sessions/{session}"), "roster", &json!({"learners": learners})).await?;
        days.push(Day { date, session, modules, teachers, learners: learners.clone() });
    }
    Ok(days)
}

/// The mentor owns timing, design and practice; the candidates the groups and the judging.
async fn agree(story: &mut Story<'_>, cast: &Cast, candidates: &[Candidate], session: &str, teachers: [usize; 2]) -> Result<(), DemoError> {
    let (mentor, one, other) = (&cast.ids["T02"], &candidates[teachers[0]], &candidates[teachers[1]]);
    let owner = |responsibility: &str, owner: &str| json!({"responsibility": responsibility, "owner": owner});
    let owners = json!({"owners": [
        owner("timing", mentor),
        owner("session_design", mentor),
        owner("practice_activities", mentor),
        owner("small_groups", &other.person),
        owner("motivating", &other.person),
        owner("feedback", &one.person),
        owner("assessing_attainment", &one.person),
    ]});
    let path = format!("/sessions/{session}");
    let (first, second) = (cast.provider_people["T02"].clone(), cast.provider_people["T03"].clone());
    story.say(&first, &format!("{path}/responsibilities"), &owners).await?;
    for voice in [&second, &one.voice, &other.voice] {
        story.say(voice, &format!("{path}/agreements"), &owners).await?;
    }
    Ok(())
}

/// Says what the day came to: attendance, attainment, countersigned, done.
pub(super) async fn hold(story: &mut Story<'_>, cast: &Cast, candidates: &[Candidate], day: &Day) -> Result<(), DemoError> {
    let mentor = cast.provider_people["T02"].clone();
    let judge = candidates[day.teachers[0]].voice.clone();
    let path = format!("/sessions/{}", day.session);
    say_learning(story, &mentor, &judge, &path, (&day.learners, &day.modules), false).await?;
    story.change(&mentor, &path, "countersignature", &json!({})).await?;
    story.change(&mentor, &path, "completion", &json!({})).await?;
    Ok(())
}

/// Attendance and attainment of a group, in one call each. `one_unready`: the
/// last learner needs another day.
pub(super) async fn say_learning(
    story: &mut Story<'_>,
    counts: &Voice,
    judges: &Voice,
    path: &str,
    (learners, modules): (&[String], &[String]),
    one_unready: bool,
) -> Result<(), DemoError> {
    let mut attendance = Vec::new();
    let mut attainment = Vec::new();
    for (nth, person) in learners.iter().enumerate() {
        for module in modules {
            attendance.push(json!({"person": person, "module": module, "minutes": 90}));
            let result = if one_unready && nth + 1 == learners.len() { "not_yet" } else { "attained" };
            attainment.push(json!({"person": person, "module": module, "result": result}));
        }
    }
    story.say(counts, &format!("{path}/attendance"), &json!({"attendance": attendance})).await?;
    story.say(judges, &format!("{path}/attainment"), &json!({"attainment": attainment})).await?;
    Ok(())
}
