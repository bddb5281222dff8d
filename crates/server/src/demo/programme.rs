//! Chapter two: what the provider teaches, what the client needs, and the
//! programme that joins them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::beginnings::{Cast, until};
use super::story::{Story, id};
use super::{DemoError, PROVIDER};

const CURRICULUM: &str = include_str!("../../case/curriculum.json");

/// The stages with their windows.
const STAGES: [(&str, &str, &str); 6] = [
    ("pre_load", "2020-11-23", "2020-12-06"),
    ("introductions", "2020-12-07", "2021-01-17"),
    ("transfer_week", "2021-01-18", "2021-01-22"),
    ("projects_week", "2021-02-08", "2021-02-12"),
    ("co_delivery_week", "2021-03-08", "2021-03-12"),
    ("remedial_workshop", "2021-03-24", "2021-03-25"),
];

#[derive(Deserialize)]
struct Curriculum {
    title: String,
    competencies: Vec<Competency>,
    modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Competency {
    code: String,
    title: String,
    must_pass: bool,
    criteria: Vec<String>,
}

#[derive(Deserialize)]
struct Module {
    code: String,
    title: String,
    strand: String,
    kind: String,
    minutes: u32,
    pre_load: bool,
    competencies: Vec<String>,
}

/// The programme, and the ids of what it teaches.
pub(super) struct Programme {
    /// Its id.
    pub(super) id: String,
    /// Modules by code.
    pub(super) modules: BTreeMap<String, String>,
    /// Competencies by code.
    pub(super) competencies: BTreeMap<String, String>,
    /// The criteria of each competency, by its code.
    pub(super) criteria: BTreeMap<String, Vec<String>>,
}

impl Programme {
    /// Where it is.
    pub(super) fn path(&self) -> String {
        format!("/programmes/{}", self.id)
    }
}

/// Tells the chapter.
pub(super) async fn tell(story: &mut Story<'_>, cast: &mut Cast) -> Result<Programme, DemoError> {
    story.chapter("curriculum, needs analysis and programme");
    until(story, cast, "2020-10-01", 9).await?;
    let curriculum = publish(story, cast).await?;
    let analysis = analyse(story, cast).await?;
    until(story, cast, "2020-11-16", 9).await?;
    let policy = json!({
        "policy": "raters_min",
        "value": 2,
        "effective_on": "2020-11-23",
        "source": "Agreed with the provider for this programme: every decision rests on two raters",
    });
    let lead = cast.governance_lead.clone();
    story.change(&lead, "", "policies", &policy).await?;
    let by = cast.provider_admin.clone();
    let plan = json!({
        "title": "Restraint Reduction Trainer Development 2020-21",
        "needs_analysis": {"needs_analysis": analysis, "version": 1},
        "curriculum": {"organisation": PROVIDER, "curriculum": curriculum, "version": 1},
    });
    let planned = story.say(&by, "/programmes", &plan).await?;
    let programme = Programme {
        id: id(&planned)?,
        modules: by_code(&planned["modules"])?,
        competencies: by_code(&planned["competencies"])?,
        criteria: criteria(&planned["competencies"]),
    };
    for (stage, opens_on, closes_on) in STAGES {
        let path = format!("/programmes/{}/stages/{stage}/schedule", programme.id);
        story.say(&by, &path, &json!({"opens_on": opens_on, "closes_on": closes_on})).await?;
    }
    Ok(programme)
}

async fn publish(story: &mut Story<'_>, cast: &Cast) -> Result<String, DemoError> {
    let content: Curriculum = serde_json::from_str(CURRICULUM).map_err(|error| DemoError(error.to_string()))?;
    let by = cast.provider_at_home.clone();
    let curriculum = id(&story.say(&by, "/curricula", &json!({"title": content.title})).await?)?;
    let path = format!("/curricula/{curriculum}");
    let mut draft = Value::Null;
    for Competency { code, title, must_pass, criteria } in content.competencies {
        let criteria: Vec<Value> = criteria.into_iter().map(|text| json!({"text": text})).collect();
        let body = json!({"code": code, "title": title, "must_pass": must_pass, "criteria": criteria});
        draft = story.say(&by, &format!("{path}/competencies"), &body).await?;
    }
    let known = by_code(&draft["competencies"])?;
    for Module { code, title, strand, kind, minutes, pre_load, competencies } in content.modules {
        let serves: Vec<&String> = competencies.iter().filter_map(|code| known.get(code)).collect();
        let body = json!({
            "code": code, "title": title, "strand": strand, "kind": kind, "minutes": minutes, "pre_load": pre_load, "competencies": serves,
        });
        story.say(&by, &format!("{path}/modules"), &body).await?;
    }
    story.change(&by, &path, "publication", &json!({})).await?;
    Ok(curriculum)
}

async fn analyse(story: &mut Story<'_>, cast: &mut Cast) -> Result<String, DemoError> {
    until(story, cast, "2020-10-30", 15).await?;
    let by = cast.provider_admin.clone();
    let body = json!({
        "months_from": "2018-10-01",
        "months_to": "2020-09-30",
        "summary": "Two years of incidents were reviewed with the nursing leads, all staff were asked, trainers and managers were heard. \
    Restraint is frequent, a notable share of it on the floor and prone. The training so far was physical techniques only.",
        "without_person_identifiers": true,
        "life_support_cover_confirmed": true,
        "commitment_on_file": true,
        "findings": [
            "Verbal skills are hardly practised",
            "Staff do not feel safe, and hold early",
            "Floor and prone holds are used where a seated hold would do",
            "Law and guidance are little known",
        ],
    });
    let analysis = id(&story.say(&by, "/needs-analyses", &body).await?)?;
    until(story, cast, "2020-11-12", 11).await?;
    let lead = cast.governance_lead.clone();
    story.change(&lead, &format!("/needs-analyses/{analysis}"), "authorisation", &json!({})).await?;
    Ok(analysis)
}

fn by_code(list: &Value) -> Result<BTreeMap<String, String>, DemoError> {
    let items = list.as_array().cloned().unwrap_or_default();
    items.iter().map(|item| Ok((item["code"].as_str().unwrap_or_default().to_owned(), id(item)?))).collect()
}

fn criteria(competencies: &Value) -> BTreeMap<String, Vec<String>> {
    let ids = |item: &Value| {
        let criteria = item["criteria"].as_array().cloned().unwrap_or_default();
        criteria.iter().filter_map(|criterion| criterion["id"].as_str().map(str::to_owned)).collect()
    };
    let items = competencies.as_array().cloned().unwrap_or_default();
    items.iter().map(|item| (item["code"].as_str().unwrap_or_default().to_owned(), ids(item))).collect()
}
