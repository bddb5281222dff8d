//! Chapter one: two organisations, their machines, their people, and who may
//! act in what role. And, through all later chapters, what HR sends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::case::{Case, Message, ProviderPerson, Staff};
use super::story::{Story, Voice, id};
use super::{CLIENT, DemoError, MANAGER, PROVIDER, PROVIDER_ADMIN};

/// Everybody the story speaks of, and the voices it speaks in.
pub(super) struct Cast {
    /// The client's manager.
    pub(super) manager: Voice,
    /// The client's governance lead.
    pub(super) governance_lead: Voice,
    /// The client's HR system.
    pub(super) hr: Voice,
    /// The provider's administrator at home.
    pub(super) provider_at_home: Voice,
    /// The provider's administrator at the client.
    pub(super) provider_admin: Voice,
    /// The provider's people at the client, by number.
    pub(super) provider_people: BTreeMap<String, Voice>,
    /// Ids of people, by number.
    pub(super) ids: BTreeMap<String, String>,
    /// Ids of units, by short name.
    pub(super) units: BTreeMap<String, String>,
    /// What HR has yet to send, the next last.
    changes: Vec<Message>,
    /// Who is employed, by number, as HR has sent it.
    employed: BTreeSet<String>,
}

impl Cast {
    /// Who is employed now, by number.
    pub(super) fn employed(&self) -> impl Iterator<Item = &str> {
        self.employed.iter().map(String::as_str)
    }

    /// Whether HR has yet to send that somebody leaves.
    pub(super) fn leaves(&self, number: &str) -> bool {
        self.changes.iter().any(|change| change.change == "leaver" && change.employee_no == number)
    }

    /// Whether somebody is.
    pub(super) fn is_employed(&self, number: &str) -> bool {
        self.employed.contains(number)
    }
}

/// The machines of the client, and the inspector: subject and role.
const MACHINES: [(&str, &str); 4] = [
    ("hr-system", "hr_system"),
    ("incident-system", "incident_system"),
    ("learning-platform", "learning_platform"),
    ("inspector", "inspector"),
];

/// Tells the chapter.
pub(super) async fn tell(story: &mut Story<'_>, script: &Case) -> Result<Cast, DemoError> {
    story.chapter("organisations and people");
    let mut cast = Cast {
        manager: story.voice(CLIENT, MANAGER)?,
        governance_lead: story.voice(CLIENT, number(script, "governance_lead")?)?,
        hr: story.voice(CLIENT, "hr-system")?,
        provider_at_home: story.voice(PROVIDER, PROVIDER_ADMIN)?,
        provider_admin: story.voice(CLIENT, PROVIDER_ADMIN)?,
        provider_people: BTreeMap::new(),
        ids: BTreeMap::new(),
        units: BTreeMap::new(),
        changes: script.changes.iter().rev().cloned().collect(),
        employed: BTreeSet::new(),
    };
    open_units(story, script, &mut cast).await?;
    let manager = cast.manager.clone();
    for (subject, role) in MACHINES {
        let kind = if role == "inspector" { "human" } else { "machine" };
        let profile = json!({"given_name": subject, "family_name": (role == "inspector").then_some("of the Care Inspectorate")});
        let body = json!({"kind": kind, "profile": without_nulls(profile), "login": login(subject)});
        let person = id(&story.say(&manager, "/persons", &body).await?)?;
        grant(story, &manager, &person, role).await?;
        cast.ids.insert(subject.to_owned(), person);
    }
    for staff in &script.staff {
        state(story, &mut cast, staff).await?;
    }
    let lead = number(script, "governance_lead")?;
    let (lead, staff) = (cast.ids[lead].clone(), cast.ids["E0010"].clone());
    let subject = number(script, "governance_lead")?.to_owned();
    story.say(&manager, &format!("/persons/{lead}/logins"), &login(&subject)).await?;
    grant(story, &manager, &lead, "governance_lead").await?;
    story.say(&manager, &format!("/persons/{staff}/logins"), &login("E0010")).await?;
    grant(story, &manager, &staff, "staff").await?;
    provider_people(story, script, &mut cast).await?;
    Ok(cast)
}

/// The manager is HR's E0026: known by that number before HR sends it.
async fn open_units(story: &mut Story<'_>, script: &Case, cast: &mut Cast) -> Result<(), DemoError> {
    let manager = cast.manager.clone();
    let me = number(script, "manager")?;
    story.say(&manager, &format!("/persons/{}/external-ids", super::MANAGER_ID), &json!({"source": "hr", "external_id": me})).await?;
    for unit in &script.people.units {
        let body = json!({"code": unit.id, "name": unit.name, "setting": unit.setting, "places": unit.places});
        let organisation = story.say(&manager, "/units", &body).await?;
        let units = organisation["units"].as_array().cloned().unwrap_or_default();
        let opened = units.iter().find(|known| known["code"] == json!(unit.id)).ok_or_else(|| DemoError("a unit was lost".to_owned()))?;
        cast.units.insert(unit.id.clone(), id(opened)?);
    }
    Ok(())
}

/// The provider's people, at home and, with a dated standing, at the client.
async fn provider_people(story: &mut Story<'_>, script: &Case, cast: &mut Cast) -> Result<(), DemoError> {
    let (manager, home, abroad) = (cast.manager.clone(), cast.provider_at_home.clone(), cast.provider_admin.clone());
    // Whoever reviews appeals holds the role, and has nothing to do yet.
    let reviewer = ProviderPerson {
        role: "appeal_reviewer".to_owned(),
        staff_no: "T07".to_owned(),
        given_name: "Rowan".to_owned(),
        family_name: "Sinclair".to_owned(),
    };
    for person in script.people.provider_people.iter().chain([&reviewer]) {
        let profile = json!({"given_name": person.given_name, "family_name": person.family_name});
        let admin = person.role == "provider_admin";
        let known = if admin {
            super::PROVIDER_ADMIN_ID.to_owned()
        } else {
            id(&story.say(&home, "/persons", &json!({"kind": "human", "profile": profile})).await?)?
        };
        let body = json!({"id": known, "kind": "human", "profile": profile, "employer": PROVIDER, "login": login(&person.staff_no)});
        let by = if admin { &manager } else { &abroad };
        story.say(by, "/persons", &body).await?;
        grant(story, by, &known, &person.role).await?;
        if !admin {
            // Where the provider registered them: the same however often the story is told.
            let begun = story.read(&home, &format!("/streams/person/{known}/events?limit=1")).await?;
            let position = begun["items"][0]["position"].clone();
            let standing = json!({"standing": "eligible", "provider_position": position, "valid_until": "2022-12-31"});
            story.say(&abroad, &format!("/persons/{known}/standing"), &standing).await?;
        }
        cast.provider_people.insert(person.staff_no.clone(), story.voice(CLIENT, &person.staff_no)?);
        cast.ids.insert(person.staff_no.clone(), known);
    }
    Ok(())
}

/// HR states one person.
async fn state(story: &mut Story<'_>, cast: &mut Cast, staff: &Staff) -> Result<(), DemoError> {
    let employment = json!({
        "unit": cast.units.get(&staff.unit),
        "job_title": staff.job_title,
        "effective_on": staff.employed_from,
        "care_experience_from": staff.care_experience_from,
        "qualification": (staff.qualification != "none").then_some(&staff.qualification),
    });
    let body = json!({
        "profile": {"given_name": staff.given_name, "family_name": staff.family_name, "email": staff.email},
        "employment": without_nulls(employment),
        "life_support_expires_on": staff.life_support_expires,
    });
    let hr = cast.hr.clone();
    let person = story.put(&hr, &format!("/persons/by-external/hr/{}", staff.employee_no), &body).await?;
    cast.ids.insert(staff.employee_no.clone(), id(&person)?);
    cast.employed.insert(staff.employee_no.clone());
    Ok(())
}

/// Sends, each on its day, what HR has to send until a day, and comes to that day.
pub(super) async fn until(story: &mut Story<'_>, cast: &mut Cast, day: &str, hour: u32) -> Result<(), DemoError> {
    let end = day.parse().map_err(|error| DemoError(format!("{day}: {error}")))?;
    while cast.changes.last().is_some_and(|change| change.on <= end) {
        let Some(change) = cast.changes.pop() else { break };
        story.on(change.on, 7);
        if let Some(staff) = change.starter().filter(|_| change.change == "starter") {
            state(story, cast, &staff).await?;
            continue;
        }
        let person = cast.ids[&change.employee_no].clone();
        let moved = change.unit.as_ref().filter(|_| change.change == "mover");
        let (what, body) = if let Some(unit) = moved {
            ("moves", json!({"unit": cast.units[unit], "effective_on": change.on}))
        } else {
            cast.employed.remove(&change.employee_no);
            ("leaving", json!({"effective_on": change.on}))
        };
        let path = format!("/persons/{person}/{what}");
        let hr = cast.hr.clone();
        story.say(&hr, &path, &body).await?;
    }
    story.at(day, hour)
}

/// Gives somebody a role; an inspector for the time of the inspection.
pub(super) async fn grant(story: &mut Story<'_>, by: &Voice, person: &str, role: &str) -> Result<(), DemoError> {
    let to = (role == "inspector").then_some("2023-04-01T00:00:00Z");
    story.say(by, "/grants", &without_nulls(json!({"person": person, "role": role, "to": to}))).await?;
    Ok(())
}

/// A login of the local issuer.
pub(super) fn login(subject: &str) -> Value {
    json!({"issuer": crate::issuer::ISSUER, "subject": subject})
}

fn number<'a>(script: &'a Case, role: &str) -> Result<&'a str, DemoError> {
    let found = script.people.client_people.iter().find(|person| person.role == role);
    found.map(|person| person.employee_no.as_str()).ok_or_else(|| DemoError(format!("the case has no {role}")))
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
    }
    value
}
