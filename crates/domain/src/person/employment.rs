//! Employment, as an HR system tells it: starters, movers and leavers.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lastresort_fact::{Class, PersonId, Personal, Refusal, UnitId, Unmet};
use serde::{Deserialize, Serialize};

use super::{Employment, Person, PersonEvent, PersonFacts, same};
use crate::guard::unless;

/// A time of employment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The first day after it.
    pub until: Option<NaiveDate>,
    /// The units, each from a day on.
    pub units: BTreeMap<NaiveDate, UnitId>,
    /// Years in care are counted from here.
    pub care_experience_from: Option<Personal<NaiveDate>>,
    pub(super) job_title: Personal<String>,
    pub(super) qualification: Option<Personal<String>>,
}

impl Person {
    /// Whether they are employed here on a day.
    #[must_use]
    pub fn employed_on(&self, day: NaiveDate) -> bool {
        self.periods.iter().any(|period| period.from <= day && period.until.is_none_or(|until| day < until))
    }

    /// From which day they are employed here no more; none where they never
    /// were, or no end is known.
    #[must_use]
    pub fn leaves_on(&self) -> Option<NaiveDate> {
        let ends: Option<Vec<NaiveDate>> = self.periods.iter().map(|period| period.until).collect();
        ends?.into_iter().max()
    }

    /// Whether they were employed here once, and are no more on that day.
    #[must_use]
    pub fn left_by(&self, day: NaiveDate) -> bool {
        self.leaves_on().is_some_and(|on| on <= day)
    }

    pub(super) fn start(&self, id: PersonId, told: Employment, facts: &PersonFacts) -> Result<Vec<PersonEvent>, Refusal> {
        let mut unmet = Vec::new();
        let begun = self.periods.last();
        if begun.is_some_and(|period| period.from == told.effective_on && period.tells(&told)) {
            return Ok(Vec::new());
        }
        let free = begun.is_none_or(|period| period.until.is_some_and(|until| until <= told.effective_on));
        unless(free, &mut unmet, "already_done", "They are employed already; an employment must end before another begins.");
        known_unit(told.unit, facts, &mut unmet);
        // Whoever is announced ahead may begin in care with that day.
        if told.care_experience_from.is_some_and(|from| from > facts.today.max(told.effective_on)) {
            let detail = "Nobody has experience in care from days to come.";
            unmet.push(Unmet::new("late_entry", detail).at("/care_experience_from"));
        }
        Refusal::unless_met(unmet)?;
        Ok(vec![PersonEvent::EmploymentStarted {
            unit: told.unit,
            effective_on: told.effective_on,
            job_title: Personal::new(id, Class::Employment, told.job_title),
            care_experience_from: told.care_experience_from.map(|day| Personal::new(id, Class::Employment, day)),
            qualification: told.qualification.map(|name| Personal::new(id, Class::Employment, name)),
        }])
    }

    pub(super) fn move_to(&self, unit: UnitId, on: NaiveDate, facts: &PersonFacts) -> Result<Vec<PersonEvent>, Refusal> {
        let mut unmet = Vec::new();
        known_unit(unit, facts, &mut unmet);
        let period = self.periods.last();
        let within = period.is_some_and(|period| period.from <= on && period.until.is_none_or(|until| on < until));
        if !within {
            unmet.push(Unmet::new("not_employed", "They are not employed on that day.").at("/effective_on"));
        }
        Refusal::unless_met(unmet)?;
        let there = period.and_then(|period| period.units.range(..=on).next_back()).is_some_and(|(_, held)| *held == unit);
        Ok(if there { Vec::new() } else { vec![PersonEvent::UnitChanged { unit, effective_on: on }] })
    }

    pub(super) fn end(&self, on: NaiveDate) -> Result<Vec<PersonEvent>, Refusal> {
        match self.periods.last() {
            Some(period) if period.until == Some(on) => Ok(Vec::new()),
            Some(period) if period.until.is_none() && period.from <= on => Ok(vec![PersonEvent::EmploymentEnded { effective_on: on }]),
            Some(period) if period.until.is_some() => {
                Err(Refusal::one("already_done", "Their employment has ended already; undo that first if its day is wrong."))
            }
            Some(_) | None => Err(Unmet::new("not_employed", "They are not employed on that day.").at("/effective_on").into()),
        }
    }
}

impl Period {
    fn tells(&self, told: &Employment) -> bool {
        self.units.values().next() == Some(&told.unit)
            && same(Some(&self.job_title), Some(&told.job_title))
            && same(self.care_experience_from.as_ref(), told.care_experience_from.as_ref())
            && same(self.qualification.as_ref(), told.qualification.as_ref())
    }
}

fn known_unit(unit: UnitId, facts: &PersonFacts, unmet: &mut Vec<Unmet>) {
    if !facts.units.contains(&unit) {
        unmet.push(Unmet::new("unknown_reference", "There is no such unit in this organisation.").at("/unit"));
    }
}
