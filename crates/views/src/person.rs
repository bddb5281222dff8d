//! Persons: who somebody is, by what ids they are known, and their employment
//! as a list of told changes. Whether they are employed is worked out for a day.

use chrono::NaiveDate;
use lastresort_domain::person::{PersonEvent, PersonKind, Standing};
use lastresort_fact::{EventId, OrganisationId, PersonId, PersonalDay, PersonalText, UnitId};
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::view::{Dated, Recorded, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Happening, Ledgers, Moment};

/// Persons.
#[derive(Clone, Copy, Debug)]
pub struct Persons;

/// A person as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Their id.
    pub id: PersonId,
    /// The version of their stream.
    pub version: u64,
    /// Human or machine.
    pub kind: PersonKind,
    /// Their employer, where it is not this organisation.
    pub employer: Option<OrganisationId>,
    /// Names and contact.
    pub profile: Option<Dated<Profile>>,
    /// Ids of other systems.
    pub external_ids: Vec<ExternalId>,
    /// What was told of their employment, in order of telling.
    pub employment: Vec<Told>,
    /// When immediate life support no longer counts.
    pub life_support: Option<Dated<NaiveDate>>,
    /// The provider's word on its own person.
    pub standing: Option<Dated<StandingShown>>,
}

/// Names and contact, sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Given name; a machine's name.
    pub given_name: PersonalText,
    /// Family name.
    pub family_name: Option<PersonalText>,
    /// E-mail address.
    pub email: Option<PersonalText>,
}

/// An id of another system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExternalId {
    /// Which system.
    pub source: String,
    /// Its id for them.
    pub external_id: PersonalText,
}

/// The provider's word on its own person, copied with its date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StandingShown {
    /// What it says.
    pub standing: Standing,
    /// The position in the provider's ledger that says so.
    pub provider_position: u64,
    /// Until when it may be relied on.
    pub valid_until: NaiveDate,
}

/// One thing told of an employment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The fact.
    pub fact: EventId,
    /// From which day it holds.
    pub on: NaiveDate,
    /// What.
    pub change: Change,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// It began.
    Started(Box<Work>),
    /// They moved.
    Moved(UnitId),
    /// It ended.
    Ended,
    /// Its end was undone.
    Reinstated,
}

/// What an employment is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// In which unit it began.
    pub unit: UnitId,
    /// As what.
    pub job_title: PersonalText,
    /// Since when they have worked in care.
    pub care_experience_from: Option<PersonalDay>,
    /// Their qualification.
    pub qualification: Option<PersonalText>,
}

/// Where an employment stands on a day. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmploymentStatus {
    /// It is yet to begin.
    Ahead,
    /// It is under way.
    Employed,
    /// It is over.
    Left,
}

/// An employment.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EmploymentShown {
    /// Where it stands today.
    pub status: EmploymentStatus,
    /// The unit today; the last one where it is over, the first where it is ahead.
    pub unit: UnitId,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after it; absent while no end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// As what.
    pub job_title: PersonalText,
    /// Since when they have worked in care.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub care_experience_from: Option<PersonalDay>,
    /// Their qualification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualification: Option<PersonalText>,
}

/// A person: a member of staff, of this organisation or of the other party, or a machine.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PersonShown {
    /// Their id: the same in every ledger.
    pub id: PersonId,
    /// The version, as in `ETag`.
    pub version: u64,
    /// Human or machine.
    pub kind: PersonKind,
    /// Their employer, where it is not this organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer: Option<OrganisationId>,
    /// Given name; a machine's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<PersonalText>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<PersonalText>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<PersonalText>,
    /// Ids of other systems.
    pub external_ids: Vec<ExternalId>,
    /// Employments, the latest first.
    pub employments: Vec<EmploymentShown>,
    /// The first day immediate life support no longer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life_support_expires_on: Option<NaiveDate>,
    /// The provider's word on its own person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingShown>,
}

/// An employment as it adds up from what was told.
struct Period<'a> {
    work: &'a Work,
    from: NaiveDate,
    until: Option<NaiveDate>,
    units: Vec<(NaiveDate, UnitId)>,
}

impl Period<'_> {
    fn unit_on(&self, day: NaiveDate) -> UnitId {
        let by_then = self.units.iter().filter(|(from, _)| *from <= day).max_by_key(|(from, _)| *from);
        by_then.or(self.units.first()).map_or(self.work.unit, |(_, unit)| *unit)
    }

    fn shown(&self, day: NaiveDate) -> EmploymentShown {
        let status = match self.until {
            _ if day < self.from => EmploymentStatus::Ahead,
            Some(until) if until <= day => EmploymentStatus::Left,
            Some(_) | None => EmploymentStatus::Employed,
        };
        EmploymentShown {
            status,
            unit: self.unit_on(day),
            from: self.from,
            until: self.until,
            job_title: self.work.job_title.clone(),
            care_experience_from: self.work.care_experience_from.clone(),
            qualification: self.work.qualification.clone(),
        }
    }
}

impl PersonRow {
    fn periods(&self) -> Vec<Period<'_>> {
        let mut periods: Vec<Period<'_>> = Vec::new();
        for told in &self.employment {
            match (&told.change, periods.last_mut()) {
                (Change::Started(work), _) => {
                    periods.push(Period { work, from: told.on, until: None, units: vec![(told.on, work.unit)] });
                }
                (Change::Moved(unit), Some(period)) => {
                    period.units.retain(|(from, _)| *from != told.on);
                    period.units.push((told.on, *unit));
                }
                (Change::Ended, Some(period)) => period.until = Some(told.on),
                (Change::Reinstated, Some(period)) => period.until = None,
                (Change::Moved(_) | Change::Ended | Change::Reinstated, None) => {}
            }
        }
        periods
    }

    /// Whose name it is, and no more.
    #[must_use]
    pub fn named(&self) -> PersonShown {
        let profile = self.profile.as_ref().map(|dated| &dated.value);
        PersonShown {
            id: self.id,
            version: self.version,
            kind: self.kind,
            employer: self.employer,
            given_name: profile.map(|profile| profile.given_name.clone()),
            family_name: profile.and_then(|profile| profile.family_name.clone()),
            email: None,
            external_ids: Vec::new(),
            employments: Vec::new(),
            life_support_expires_on: None,
            standing: None,
        }
    }

    /// The person at a moment.
    #[must_use]
    pub fn shown(&self, moment: Moment) -> PersonShown {
        let profile = self.profile.as_ref().map(|dated| &dated.value);
        PersonShown {
            email: profile.and_then(|profile| profile.email.clone()),
            external_ids: self.external_ids.clone(),
            employments: self.periods().iter().rev().map(|period| period.shown(moment.day)).collect(),
            life_support_expires_on: self.life_support.as_ref().map(|dated| dated.value),
            standing: self.standing.as_ref().map(|dated| dated.value.clone()),
            ..self.named()
        }
    }
}

/// The end of an employment that has none, so that date ranges find it.
const OPEN_END: &str = "9999-12-31";

impl View for Persons {
    type World = Ledgers;
    type Row = PersonRow;
    const NAME: &'static str = "person";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column { name: "kind", holds: ColumnType::Text },
        Column { name: "unit", holds: ColumnType::Text },
        Column { name: "employed_from", holds: ColumnType::Text },
        Column { name: "employed_until", holds: ColumnType::Text },
        Column { name: "life_support_expires_on", holds: ColumnType::Text },
    ];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::Person(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<PersonRow>, event: &Recorded<Happening>) -> Option<PersonRow> {
        let Happening::Person(happened) = &event.event else { return row };
        if let PersonEvent::PersonRegistered { person, kind, employer } = happened {
            return Some(PersonRow {
                id: *person,
                version: event.sequence,
                kind: *kind,
                employer: *employer,
                profile: None,
                external_ids: Vec::new(),
                employment: Vec::new(),
                life_support: None,
                standing: None,
            });
        }
        let mut row = row?;
        row.version = event.sequence;
        let mut told = |on: NaiveDate, change| row.employment.push(Told { fact: event.stamp.event_id, on, change });
        match happened.clone() {
            PersonEvent::PersonRegistered { .. } | PersonEvent::LoginAdded { .. } => {}
            PersonEvent::ProfileStated { given_name, family_name, email } => {
                tell(&mut row.profile, event, Profile { given_name, family_name, email });
            }
            PersonEvent::ExternalIdAdded { source, external_id } => row.external_ids.push(ExternalId { source, external_id }),
            PersonEvent::EmploymentStarted { unit, effective_on, job_title, care_experience_from, qualification } => {
                told(effective_on, Change::Started(Box::new(Work { unit, job_title, care_experience_from, qualification })));
            }
            PersonEvent::UnitChanged { unit, effective_on } => told(effective_on, Change::Moved(unit)),
            PersonEvent::EmploymentEnded { effective_on } => told(effective_on, Change::Ended),
            PersonEvent::EmploymentReinstated { .. } => told(event.stamp.occurred_at.date(), Change::Reinstated),
            PersonEvent::LifeSupportRecorded { expires_on } => tell(&mut row.life_support, event, expires_on),
            PersonEvent::StandingStated { standing, provider_position, valid_until } => {
                tell(&mut row.standing, event, StandingShown { standing, provider_position, valid_until });
            }
        }
        Some(row)
    }

    fn cells(row: &PersonRow) -> Vec<Cell> {
        let text = |value: Option<String>| value.map_or(Cell::Null, Cell::Text);
        let periods = row.periods();
        let last = periods.last();
        vec![
            Cell::Text(if row.kind == PersonKind::Human { "human" } else { "machine" }.to_owned()),
            text(last.and_then(|period| period.units.iter().max_by_key(|(from, _)| *from)).map(|(_, unit)| unit.to_string())),
            text(last.map(|period| period.from.to_string())),
            text(last.map(|period| period.until.map_or(OPEN_END.to_owned(), |until| until.to_string()))),
            text(row.life_support.as_ref().map(|dated| dated.value.to_string())),
        ]
    }
}

fn tell<T>(slot: &mut Option<Dated<T>>, event: &Recorded<Happening>, value: T) {
    match slot {
        Some(dated) => dated.tell(event, value),
        None => *slot = Some(Dated::told(event, value)),
    }
}
