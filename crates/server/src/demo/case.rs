//! The case as data: who there is, and what an HR system sends. Invented, in
//! `crates/server/case`; times there are local (Europe/London).

use chrono::NaiveDate;
use serde::Deserialize;

use super::DemoError;

const PEOPLE: &str = include_str!("../../case/people.json");
const STAFF: &str = include_str!("../../case/staff.csv");
const CHANGES: &str = include_str!("../../case/staff-changes.csv");

/// Units and people by role.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Who {
    /// Whose law applies.
    pub(super) jurisdiction: String,
    /// Where the client is.
    pub(super) time_zone: String,
    /// The client's units.
    pub(super) units: Vec<UnitOfCase>,
    /// Those who become trainers.
    pub(super) candidates: Vec<CandidateOfCase>,
    /// The client's people who have a role.
    pub(super) client_people: Vec<ClientPerson>,
    /// The provider's people.
    pub(super) provider_people: Vec<ProviderPerson>,
}

/// A unit.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct UnitOfCase {
    /// Its short name.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// How many people it can support.
    pub(super) places: u32,
    /// What kind of service it is.
    pub(super) setting: String,
}

/// Somebody who becomes a trainer.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct CandidateOfCase {
    /// Their number at the client.
    pub(super) employee_no: String,
}

/// One of the client's people.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ClientPerson {
    /// Their role.
    pub(super) role: String,
    /// Their number.
    pub(super) employee_no: String,
}

/// One of the provider's people.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ProviderPerson {
    /// Their role.
    pub(super) role: String,
    /// Their number.
    pub(super) staff_no: String,
    /// Given name.
    pub(super) given_name: String,
    /// Family name.
    pub(super) family_name: String,
}

/// A line of the roster.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Staff {
    /// Their number.
    pub(super) employee_no: String,
    /// Given name.
    pub(super) given_name: String,
    /// Family name.
    pub(super) family_name: String,
    /// E-mail address.
    pub(super) email: String,
    /// As what.
    pub(super) job_title: String,
    /// In which unit.
    pub(super) unit: String,
    /// The first day.
    pub(super) employed_from: NaiveDate,
    /// Since when they have worked in care.
    pub(super) care_experience_from: NaiveDate,
    /// Their qualification; `none` for none.
    pub(super) qualification: String,
    /// The first day immediate life support no longer counts.
    pub(super) life_support_expires: NaiveDate,
}

/// What changed afterwards; only starters have all of it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Message {
    /// On which day.
    pub(super) on: NaiveDate,
    /// `starter`, `leaver` or `mover`.
    pub(super) change: String,
    /// Their number.
    pub(super) employee_no: String,
    /// In which unit.
    pub(super) unit: Option<String>,
    /// Given name.
    pub(super) given_name: Option<String>,
    /// Family name.
    pub(super) family_name: Option<String>,
    /// E-mail address.
    pub(super) email: Option<String>,
    /// As what.
    pub(super) job_title: Option<String>,
    /// Since when they have worked in care.
    pub(super) care_experience_from: Option<NaiveDate>,
    /// Their qualification.
    pub(super) qualification: Option<String>,
    /// The first day immediate life support no longer counts.
    pub(super) life_support_expires: Option<NaiveDate>,
}

/// The whole case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Units and people by role.
    pub(super) people: Who,
    /// The roster on 2020-09-01.
    pub(super) staff: Vec<Staff>,
    /// What changed afterwards, in order.
    pub(super) changes: Vec<Message>,
}

impl Case {
    /// Reads it.
    pub(super) fn read() -> Result<Self, DemoError> {
        let unreadable = |error: &dyn std::fmt::Display| DemoError(format!("the case is not readable: {error}"));
        Ok(Self {
            people: serde_json::from_str(PEOPLE).map_err(|error| unreadable(&error))?,
            staff: csv::Reader::from_reader(STAFF.as_bytes())
                .deserialize()
                .collect::<Result<_, _>>()
                .map_err(|error| unreadable(&error))?,
            changes: csv::Reader::from_reader(CHANGES.as_bytes())
                .deserialize()
                .collect::<Result<_, _>>()
                .map_err(|error| unreadable(&error))?,
        })
    }
}

impl Message {
    /// A starter as a line of the roster.
    pub(super) fn starter(&self) -> Option<Staff> {
        Some(Staff {
            employee_no: self.employee_no.clone(),
            given_name: self.given_name.clone()?,
            family_name: self.family_name.clone()?,
            email: self.email.clone()?,
            job_title: self.job_title.clone()?,
            unit: self.unit.clone()?,
            employed_from: self.on,
            care_experience_from: self.care_experience_from?,
            qualification: self.qualification.clone()?,
            life_support_expires: self.life_support_expires?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_is_whole() {
        let case = Case::read().expect("readable");
        assert_eq!((case.staff.len(), case.changes.len(), case.people.units.len()), (220, 92, 6));
        assert!(case.changes.iter().filter(|change| change.change == "starter").all(|change| change.starter().is_some()));
        assert!(case.changes.is_sorted_by_key(|change| change.on));
    }
}
