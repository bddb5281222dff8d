//! Chapter three: three care workers become trainers, from nomination to the
//! end of the workshop. One is first judged not yet competent in a legal
//! module, asks for more, and is judged again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::DemoError;
use super::beginnings::{Cast, grant, login, until};
use super::programme::Programme;
use super::story::{Story, Voice, id};
use super::{CLIENT, co_delivery};

/// The modules each delivers in the projects week, with their competency.
const ALLOTTED: [(&str, &str); 3] = [("LEGAL1", "RIGHTS"), ("LEGAL2", "RIGHTS"), ("NE1", "NONESC")];

/// What is judged after the co-delivery.
const CO_DELIVERED: [(&str, &str); 5] = [("DE1", "DEESC"), ("SP1", "SELFP"), ("TH1", "HOLD"), ("CM1", "CRISIS"), ("TH1", "ASSESS")];

/// One of the three.
pub(super) struct Candidate {
    /// Their number at the client.
    pub(super) number: String,
    /// Their id as a person.
    pub(super) person: String,
    /// Their id as a candidate.
    pub(super) id: String,
    /// Their own voice.
    pub(super) voice: Voice,
    /// Their mentor's.
    pub(super) mentor: Voice,
    /// Their assessor's.
    pub(super) assessor: Voice,
}

impl Candidate {
    fn path(&self) -> String {
        format!("/candidates/{}", self.id)
    }
}

/// Tells the chapter.
pub(super) async fn tell(
    story: &mut Story<'_>,
    cast: &mut Cast,
    numbers: &[String],
    programme: &Programme,
) -> Result<(Vec<Candidate>, Vec<String>), DemoError> {
    story.chapter("the candidates");
    until(story, cast, "2020-11-17", 9).await?;
    let mut candidates = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        candidates.push(enrol(story, cast, number, index, programme).await?);
    }
    pre_load(story, cast, &candidates, programme).await?;
    meet(story, cast, &candidates, programme).await?;
    projects(story, cast, &candidates, programme).await?;
    let mut sessions = co_deliver(story, cast, &candidates, programme).await?;
    sessions.push(workshop(story, cast, &candidates, programme).await?);
    Ok((candidates, sessions))
}

async fn enrol(story: &mut Story<'_>, cast: &Cast, number: &str, index: usize, programme: &Programme) -> Result<Candidate, DemoError> {
    let (manager, admin) = (cast.manager.clone(), cast.provider_admin.clone());
    let person = cast.ids[number].clone();
    story.say(&manager, &format!("/persons/{person}/logins"), &login(number)).await?;
    grant(story, &manager, &person, "candidate").await?;
    let nominated = story.say(&manager, "/candidates", &json!({"person": person, "programme": programme.id})).await?;
    let (mentor, assessor) = if index.is_multiple_of(2) { ("T02", "T04") } else { ("T03", "T05") };
    let candidate = Candidate {
        number: number.to_owned(),
        person,
        id: id(&nominated)?,
        voice: story.voice(CLIENT, number)?,
        mentor: cast.provider_people[mentor].clone(),
        assessor: cast.provider_people[assessor].clone(),
    };
    let path = candidate.path();
    story.change(&admin, &path, "enrolment", &json!({})).await?;
    story.change(&admin, &path, "mentor", &json!({"person": cast.ids[mentor], "from_on": "2020-11-17"})).await?;
    for assessor in ["T04", "T05"] {
        story.say(&admin, &format!("{path}/assessors"), &json!({"person": cast.ids[assessor], "from_on": "2020-11-17"})).await?;
    }
    Ok(candidate)
}

/// Starts a stage, and lets every candidate in.
async fn start(story: &mut Story<'_>, cast: &Cast, candidates: &[Candidate], programme: &Programme, stage: &str) -> Result<(), DemoError> {
    let admin = cast.provider_admin.clone();
    story.change(&admin, &programme.path(), &format!("stages/{stage}/start"), &json!({})).await?;
    for candidate in candidates {
        story.change(&admin, &candidate.path(), &format!("stages/{stage}/entry"), &json!({})).await?;
    }
    Ok(())
}

async fn complete(story: &mut Story<'_>, cast: &Cast, programme: &Programme, stage: &str) -> Result<(), DemoError> {
    let admin = cast.provider_admin.clone();
    story.change(&admin, &programme.path(), &format!("stages/{stage}/completion"), &json!({})).await?;
    Ok(())
}

async fn attend(story: &mut Story<'_>, candidates: &[Candidate], stage: &str, day: &str, minutes: u32) -> Result<(), DemoError> {
    for candidate in candidates {
        let body = json!({"stage": stage, "on": day, "minutes": minutes});
        story.say(&candidate.mentor, &format!("{}/attendance", candidate.path()), &body).await?;
    }
    Ok(())
}

async fn pre_load(story: &mut Story<'_>, cast: &mut Cast, candidates: &[Candidate], programme: &Programme) -> Result<(), DemoError> {
    until(story, cast, "2020-11-23", 8).await?;
    start(story, cast, candidates, programme, "pre_load").await?;
    for (day, module) in [("2020-11-25", "PL1"), ("2020-11-28", "PL2"), ("2020-12-03", "PL3")] {
        until(story, cast, day, 19).await?;
        for candidate in candidates {
            for percent in [40, 100] {
                let body = json!({"module": programme.modules[module], "percent": percent});
                story.say(&candidate.voice, &format!("{}/pre-load", candidate.path()), &body).await?;
            }
        }
    }
    until(story, cast, "2020-12-06", 18).await?;
    complete(story, cast, programme, "pre_load").await
}

async fn meet(story: &mut Story<'_>, cast: &mut Cast, candidates: &[Candidate], programme: &Programme) -> Result<(), DemoError> {
    until(story, cast, "2020-12-07", 10).await?;
    start(story, cast, candidates, programme, "introductions").await?;
    for day in ["2020-12-08", "2020-12-15"] {
        until(story, cast, day, 16).await?;
        attend(story, candidates, "introductions", day, 60).await?;
    }
    until(story, cast, "2021-01-17", 18).await?;
    complete(story, cast, programme, "introductions").await?;
    until(story, cast, "2021-01-18", 8).await?;
    start(story, cast, candidates, programme, "transfer_week").await?;
    for day in ["2021-01-18", "2021-01-19", "2021-01-20", "2021-01-21", "2021-01-22"] {
        until(story, cast, day, 17).await?;
        attend(story, candidates, "transfer_week", day, 360).await?;
    }
    complete(story, cast, programme, "transfer_week").await
}

/// Somebody sees a candidate at work; returns the observation's id.
async fn observe(
    story: &mut Story<'_>,
    by: &Voice,
    candidate: &Candidate,
    programme: &Programme,
    (module, competency): (&str, &str),
    met: &str,
) -> Result<String, DemoError> {
    let results: Vec<Value> = programme.criteria[competency].iter().map(|criterion| json!({"criterion": criterion, "met": met})).collect();
    let narrative = if met == "met" {
        "Clear, calm and close to the daily work of the learners; the point was understood."
    } else {
        "Knows the words of the law, and does not yet say when restraint is lawful in the house the learners work in."
    };
    let body = json!({
        "competency": programme.competencies[competency],
        "module": programme.modules[module],
        "kind": "direct",
        "results": results,
        "narrative": narrative,
    });
    let seen = story.say(by, &format!("{}/observations", candidate.path()), &body).await?;
    let last = seen["observations"].as_array().and_then(|all| all.iter().max_by_key(|one| one["observed_at"].as_str().map(str::to_owned)));
    id(last.ok_or_else(|| DemoError("an observation was lost".to_owned()))?)
}

async fn decide(
    story: &mut Story<'_>,
    candidate: &Candidate,
    programme: &Programme,
    (module, competency): (&str, &str),
    (decision, level): (&str, &str),
    observations: &[String],
) -> Result<(), DemoError> {
    let body = json!({
        "competency": programme.competencies[competency],
        "module": programme.modules[module],
        "decision": decision,
        "level": level,
        "observations": observations,
        "reason": if decision == "competent" { "Seen twice, by two raters, on different days; every criterion met." } else {
            "The criterion on lawfulness is not met on either day. More practice with cases of the service will help."
        },
    });
    story.say(&candidate.assessor, &format!("{}/assessments", candidate.path()), &body).await?;
    Ok(())
}

async fn projects(story: &mut Story<'_>, cast: &mut Cast, candidates: &[Candidate], programme: &Programme) -> Result<(), DemoError> {
    until(story, cast, "2021-02-08", 8).await?;
    let modules: Vec<&String> = ALLOTTED.iter().map(|(module, _)| &programme.modules[*module]).collect();
    for candidate in candidates {
        story.change(&candidate.mentor, &candidate.path(), "allotments", &json!({"modules": modules})).await?;
    }
    start(story, cast, candidates, programme, "projects_week").await?;
    let mut seen: BTreeMap<(usize, &str), Vec<String>> = BTreeMap::new();
    for (day, hour) in [("2021-02-09", 11), ("2021-02-11", 11)] {
        until(story, cast, day, hour).await?;
        for (nth, candidate) in candidates.iter().enumerate() {
            for (module, competency) in ALLOTTED {
                let by = if day == "2021-02-09" { &candidate.mentor } else { &candidate.assessor };
                let met = if nth == 0 && module == "LEGAL1" { "not_met" } else { "met" };
                let observation = observe(story, by, candidate, programme, (module, competency), met).await?;
                seen.entry((nth, module)).or_default().push(observation);
            }
        }
    }
    until(story, cast, "2021-02-12", 15).await?;
    for (nth, candidate) in candidates.iter().enumerate() {
        for (module, competency) in ALLOTTED {
            let not_yet = nth == 0 && module == "LEGAL1";
            let decision = if not_yet { ("not_yet_competent", "co_teach") } else { ("competent", "lead_watched") };
            decide(story, candidate, programme, (module, competency), decision, &seen[&(nth, module)]).await?;
        }
    }
    hand_in(story, candidates, programme).await?;
    complete(story, cast, programme, "projects_week").await
}

/// Each hands in the plan of a module; the second is asked to do better.
async fn hand_in(story: &mut Story<'_>, candidates: &[Candidate], programme: &Programme) -> Result<(), DemoError> {
    for candidate in candidates {
        let body = json!({
            "kind": "document",
            "competencies": [programme.competencies["RIGHTS"]],
            "title": "Session plan: the law on restraint",
            "reference": format!("urn:uuid:{}", candidate.id),
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        });
        story.say(&candidate.voice, &format!("{}/evidence", candidate.path()), &body).await?;
    }
    let second = &candidates[1];
    let demanded = json!({"competency": programme.competencies["RIGHTS"], "what": "Add the recording duties to the session plan"});
    let asked = story.say(&second.assessor, &format!("{}/required-actions", second.path()), &demanded).await?;
    let action = id(&asked["required_actions"][0])?;
    story.change(&second.assessor, &second.path(), &format!("required-actions/{action}/settlement"), &json!({})).await?;
    Ok(())
}

async fn co_deliver(
    story: &mut Story<'_>,
    cast: &mut Cast,
    candidates: &[Candidate],
    programme: &Programme,
) -> Result<Vec<String>, DemoError> {
    until(story, cast, "2021-03-01", 9).await?;
    let first = &candidates[0];
    let body = json!({
        "topic": "When restraint is lawful: cases from our own houses",
        "competencies": [programme.competencies["RIGHTS"]],
        "rank": 1,
    });
    story.say(&first.voice, &format!("{}/remedial-requests", first.path()), &body).await?;
    until(story, cast, "2021-03-05", 9).await?;
    let days = co_delivery::plan(story, cast, candidates, programme).await?;
    until(story, cast, "2021-03-08", 7).await?;
    start(story, cast, candidates, programme, "co_delivery_week").await?;
    let mut seen: BTreeMap<(usize, &str), Vec<String>> = BTreeMap::new();
    for (nth_day, day) in days.iter().enumerate() {
        until(story, cast, day.date, 16).await?;
        attend(story, candidates, "co_delivery_week", day.date, 360).await?;
        for (nth, candidate) in candidates.iter().enumerate().filter(|_| (1..=2).contains(&nth_day)) {
            for (module, competency) in CO_DELIVERED {
                let by = if nth_day == 1 { &candidate.mentor } else { &candidate.assessor };
                let observation = observe(story, by, candidate, programme, (module, competency), "met").await?;
                seen.entry((nth, competency)).or_default().push(observation);
            }
        }
        co_delivery::hold(story, cast, candidates, day).await?;
    }
    for (nth, candidate) in candidates.iter().enumerate() {
        for (module, competency) in CO_DELIVERED {
            let decision = ("competent", "lead_watched");
            decide(story, candidate, programme, (module, competency), decision, &seen[&(nth, competency)]).await?;
        }
    }
    complete(story, cast, programme, "co_delivery_week").await?;
    Ok(days.into_iter().map(|day| day.session).collect())
}

async fn workshop(story: &mut Story<'_>, cast: &mut Cast, candidates: &[Candidate], programme: &Programme) -> Result<String, DemoError> {
    until(story, cast, "2021-03-22", 9).await?;
    let admin = cast.provider_admin.clone();
    let body = json!({
        "programme": programme.id,
        "stage": "remedial_workshop",
        "kind": "workshop",
        "title": "Remedial workshop",
        "starts_at": "2021-03-24T09:30:00Z",
        "ends_at": "2021-03-24T16:00:00Z",
        "venue": "Strathshore Care, training room",
        "trainers": [{"person": cast.ids["T02"], "part": "lead"}],
        "learners_max": 12,
        "physical": false,
    });
    let session = id(&story.say(&admin, "/sessions", &body).await?)?;
    let first = &candidates[0];
    until(story, cast, "2021-03-24", 8).await?;
    start(story, cast, candidates, programme, "remedial_workshop").await?;
    let legal = ("LEGAL1", "RIGHTS");
    let mut seen = Vec::new();
    for (day, by) in [("2021-03-24", &first.mentor), ("2021-03-25", &first.assessor)] {
        until(story, cast, day, 16).await?;
        attend(story, candidates, "remedial_workshop", day, 300).await?;
        seen.push(observe(story, by, first, programme, legal, "met").await?);
    }
    let asked = story.read(&first.mentor, &first.path()).await?;
    let request = id(&asked["remedial_requests"][0])?;
    let covered = json!({"covered": true, "carries_over": "Two cases of her own to be written up for the file"});
    story.change(&first.mentor, &first.path(), &format!("remedial-requests/{request}/coverage"), &covered).await?;
    decide(story, first, programme, legal, ("competent", "lead_alone"), &seen).await?;
    complete(story, cast, programme, "remedial_workshop").await?;
    until(story, cast, "2021-03-29", 10).await?;
    for candidate in candidates {
        story.change(&admin, &candidate.path(), "completion", &json!({})).await?;
    }
    story.change(&admin, &programme.path(), "completion", &json!({})).await?;
    Ok(session)
}
