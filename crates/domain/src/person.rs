//! A person: a member of staff of this organisation or of the other party to a
//! programme, or a machine. Never a person supported. Names and external ids
//! are sealed; employment is told by an HR system and never typed over.
//!
//! Read in this order: [`command`](self::PersonCommand) is what may be asked,
//! [`event`](self::PersonEvent) what can have happened; then this file; the
//! rules of employment stand in `employment`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use lastresort_fact::{
    Asked, Class, Decides, Instant, OrganisationId, PersonId, Personal, PersonalField, Refusal, Role, Stamp, UnitId, Unmet,
};
use serde::{Deserialize, Serialize};

use crate::grant::may_give_all;
use crate::guard::{Guarded, unless};
use crate::organisation::OrganisationKind;

mod command;
mod employment;
mod event;
#[cfg(test)]
mod tests;

pub use command::{Employment, PersonAction, PersonCommand, Profile};
pub use employment::Period;
pub use event::{PersonEvent, PersonKind, Standing};

/// What a decision on a person rests on.
#[derive(Clone, Debug, Default)]
pub struct PersonFacts {
    /// The kind of organisation whose ledger it is.
    pub kind: OrganisationKind,
    /// The organisation's units.
    pub units: BTreeSet<UnitId>,
    /// The day it is there.
    pub today: NaiveDate,
    /// The employer of whoever asks, where it is not this organisation.
    pub asker_employer: Option<OrganisationId>,
    /// The same command registers the person: nobody can have given them anything yet.
    pub registering: bool,
}

impl PersonFacts {
    /// Whether this is the other organisation that whoever asks comes from.
    fn employs(&self, employer: Option<OrganisationId>) -> bool {
        employer.is_some() && employer == self.asker_employer
    }
}

/// What a person remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Person {
    /// Their id, once registered.
    pub id: Option<PersonId>,
    /// Human or machine.
    pub kind: PersonKind,
    /// Their employer, where it is not this organisation.
    pub employer: Option<OrganisationId>,
    given_name: Option<Personal<String>>,
    family_name: Option<Personal<String>>,
    email: Option<Personal<String>>,
    external_ids: Vec<(String, Personal<String>)>,
    logins: Vec<(Personal<String>, Personal<String>)>,
    /// When each employment began and, so far as is known, ended.
    pub periods: Vec<Period>,
    /// The day immediate life support no longer counts, as last recorded.
    pub life_support_expires_on: Option<NaiveDate>,
    /// The provider's word on its own person, as told.
    pub standings: Vec<Word>,
}

/// A word of the provider on its own person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// When it was told here.
    pub at: Instant,
    /// What it says.
    pub standing: Standing,
    /// The position in the provider's ledger that says so: the later one holds.
    pub provider_position: u64,
    /// Until when it may be relied on.
    pub valid_until: NaiveDate,
}

fn same<T: PartialEq>(held: Option<&Personal<T>>, told: Option<&T>) -> bool {
    held.and_then(Personal::value) == told && held.is_some() == told.is_some()
}

impl Person {
    /// Whether the provider's word, as told by an instant, lets them act as mentor or assessor on a day.
    #[must_use]
    pub fn eligible_on(&self, day: NaiveDate, told_by: Instant) -> bool {
        let told = self.standings.iter().filter(|word| word.at <= told_by).max_by_key(|word| word.provider_position);
        told.is_some_and(|word| word.standing == Standing::Eligible && day <= word.valid_until)
    }

    /// Messages may come in another order than the provider's ledger has them: what it said earlier changes nothing it said later.
    fn stand(&self, standing: Standing, provider_position: u64, valid_until: NaiveDate) -> Result<Vec<PersonEvent>, Refusal> {
        let told = |word: &Word| (word.standing, word.provider_position, word.valid_until) == (standing, provider_position, valid_until);
        if self.standings.iter().any(told) {
            return Ok(Vec::new());
        }
        if let Some(last) = self.standings.iter().map(|word| word.provider_position).max().filter(|last| provider_position <= *last) {
            let detail = format!("What the provider's ledger says at position {last} is held already; only a later word takes its place.");
            return Err(Unmet::new("late_entry", detail).at("/provider_position").into());
        }
        Ok(vec![PersonEvent::StandingStated { standing, provider_position, valid_until }])
    }

    fn decide_all(&self, all: Vec<PersonCommand>, asked: &Asked, facts: &PersonFacts) -> Result<Vec<PersonEvent>, Refusal> {
        let facts = &PersonFacts { registering: self.id.is_none(), ..facts.clone() };
        let mut person = self.clone();
        let mut events = Vec::new();
        for command in all {
            let more = person.decide(command, asked, facts)?;
            for event in &more {
                person.apply(event, &asked.stamp());
            }
            events.extend(more);
        }
        Ok(events)
    }

    fn says(&self, profile: &Profile) -> bool {
        same(self.given_name.as_ref(), Some(&profile.given_name))
            && same(self.family_name.as_ref(), profile.family_name.as_ref())
            && same(self.email.as_ref(), profile.email.as_ref())
    }

    fn state(&self, id: PersonId, profile: Profile) -> Vec<PersonEvent> {
        if self.says(&profile) {
            return Vec::new();
        }
        vec![PersonEvent::ProfileStated {
            given_name: Personal::new(id, Class::Identity, profile.given_name),
            family_name: profile.family_name.map(|name| Personal::new(id, Class::Identity, name)),
            email: profile.email.map(|email| Personal::new(id, Class::Contact, email)),
        }]
    }
}

impl Guarded for Person {
    type Action = PersonAction;

    fn actions(&self) -> Vec<PersonAction> {
        PersonAction::ALL.iter().copied().filter(|action| *action != PersonAction::Register).collect()
    }

    fn unmet(&self, action: PersonAction, asked: &Asked, facts: &PersonFacts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        // The provider comes to the client's ledger with its own people, and has no say on the client's.
        let guest = asked.role == Role::ProviderAdmin && facts.kind == OrganisationKind::Client;
        let theirs = self.id.is_none() || facts.employs(self.employer);
        unless(!guest || theirs, &mut unmet, "not_permitted", "A provider states nothing of anybody but its own people.");
        let current = self.periods.last();
        match action {
            PersonAction::Register => unless(self.id.is_none(), &mut unmet, "already_done", "This person is registered already."),
            PersonAction::Move | PersonAction::EndEmployment => {
                unless(current.is_some(), &mut unmet, "not_employed", "They have never been employed here.");
            }
            PersonAction::ReinstateEmployment => {
                let ended = current.is_some_and(|period| period.until.is_some());
                unless(ended, &mut unmet, "not_in_state", "Their employment has not ended.");
            }
            PersonAction::StartEmployment => {
                unless(self.kind == PersonKind::Human, &mut unmet, "not_in_state", "A machine is not employed.");
                unless(self.employer.is_none(), &mut unmet, "not_in_state", "They are employed by another organisation.");
            }
            PersonAction::StateStanding => {
                unless(self.employer.is_some(), &mut unmet, "not_in_state", "Only the provider's own people have a standing.");
            }
            PersonAction::AddLogin => {
                // Whoever may write a login may become that person.
                let own = asked.by.person().is_some() && asked.by.person() == self.id;
                unless(!own, &mut unmet, "not_permitted", "Nobody gives themselves a login.");
                // A login comes with all that was ever given to its person, by whomever.
                let may = facts.registering || may_give_all(asked.role, facts.kind);
                let detail = "Whoever may not give every role here gives a login only to somebody they register with it.";
                unless(may, &mut unmet, "not_permitted", detail);
                // Who has a login is reached by it; a second one is a way in for somebody else.
                let first = self.logins.is_empty() || matches!(asked.role, Role::Bootstrap | Role::Operator);
                unless(first, &mut unmet, "not_permitted", "They have a login already; only the operator adds another.");
            }
            PersonAction::StateProfile | PersonAction::AddExternalId | PersonAction::RecordLifeSupport => {}
        }
        unmet
    }
}

impl Decides for Person {
    const TYPE: &'static str = "person";
    const OPENS: bool = true;
    type Command = PersonCommand;
    type Event = PersonEvent;
    type Facts = PersonFacts;

    fn decide(&self, command: PersonCommand, asked: &Asked, facts: &PersonFacts) -> Result<Vec<PersonEvent>, Refusal> {
        self.permit(command.action(), asked, facts)?;
        let id = self.id.unwrap_or_default();
        match command {
            PersonCommand::All(all) => self.decide_all(all, asked, facts),
            PersonCommand::Register { id, kind, profile, employer } => {
                let guest = asked.role == Role::ProviderAdmin && facts.kind == OrganisationKind::Client;
                if guest && !facts.employs(employer) {
                    return Err(Unmet::new("not_permitted", "A provider registers its own people only.").at("/employer").into());
                }
                let mut events = vec![PersonEvent::PersonRegistered { person: id, kind, employer }];
                events.extend(self.state(id, profile));
                Ok(events)
            }
            PersonCommand::StateProfile(profile) => Ok(self.state(id, profile)),
            PersonCommand::AddExternalId { source, external_id } => {
                let known = self.external_ids.iter().any(|(held, value)| *held == source && same(Some(value), Some(&external_id)));
                let external_id = Personal::new(id, Class::Identity, external_id);
                Ok(if known { Vec::new() } else { vec![PersonEvent::ExternalIdAdded { source, external_id }] })
            }
            PersonCommand::AddLogin { issuer, subject } => {
                let known = self.logins.iter().any(|(by, who)| same(Some(by), Some(&issuer)) && same(Some(who), Some(&subject)));
                let (issuer, subject) = (Personal::new(id, Class::Identity, issuer), Personal::new(id, Class::Identity, subject));
                Ok(if known { Vec::new() } else { vec![PersonEvent::LoginAdded { issuer, subject }] })
            }
            PersonCommand::StartEmployment(told) => self.start(id, told, facts),
            PersonCommand::Move { unit, effective_on } => self.move_to(unit, effective_on, facts),
            PersonCommand::EndEmployment { effective_on } => self.end(effective_on),
            PersonCommand::ReinstateEmployment { reason } => {
                Ok(vec![PersonEvent::EmploymentReinstated { reason: Personal::new(id, Class::Employment, reason) }])
            }
            PersonCommand::RecordLifeSupport { expires_on } => {
                let known = self.life_support_expires_on == Some(expires_on);
                Ok(if known { Vec::new() } else { vec![PersonEvent::LifeSupportRecorded { expires_on }] })
            }
            PersonCommand::StateStanding { standing, provider_position, valid_until } => {
                self.stand(standing, provider_position, valid_until)
            }
        }
    }

    fn apply(&mut self, event: &PersonEvent, stamp: &Stamp) {
        match event.clone() {
            PersonEvent::PersonRegistered { person, kind, employer } => {
                self.id = Some(person);
                self.kind = kind;
                self.employer = employer;
            }
            PersonEvent::ProfileStated { given_name, family_name, email } => {
                self.given_name = Some(given_name);
                self.family_name = family_name;
                self.email = email;
            }
            PersonEvent::ExternalIdAdded { source, external_id } => self.external_ids.push((source, external_id)),
            PersonEvent::LoginAdded { issuer, subject } => self.logins.push((issuer, subject)),
            PersonEvent::EmploymentStarted { unit, effective_on, job_title, care_experience_from, qualification } => {
                let units = BTreeMap::from([(effective_on, unit)]);
                self.periods.push(Period { from: effective_on, until: None, units, care_experience_from, job_title, qualification });
            }
            PersonEvent::UnitChanged { unit, effective_on } => {
                if let Some(period) = self.periods.last_mut() {
                    period.units.insert(effective_on, unit);
                }
            }
            PersonEvent::EmploymentEnded { effective_on } => {
                if let Some(period) = self.periods.last_mut() {
                    period.until = Some(effective_on);
                }
            }
            PersonEvent::EmploymentReinstated { .. } => {
                if let Some(period) = self.periods.last_mut() {
                    period.until = None;
                }
            }
            PersonEvent::LifeSupportRecorded { expires_on } => self.life_support_expires_on = Some(expires_on),
            PersonEvent::StandingStated { standing, provider_position, valid_until } => {
                self.standings.push(Word { at: stamp.occurred_at, standing, provider_position, valid_until });
            }
        }
    }

    fn personal(&mut self) -> Vec<&mut dyn PersonalField> {
        let mut fields: Vec<&mut dyn PersonalField> = Vec::new();
        for name in [&mut self.given_name, &mut self.family_name, &mut self.email].into_iter().flatten() {
            fields.push(name);
        }
        for (_, id) in &mut self.external_ids {
            fields.push(id);
        }
        for (issuer, subject) in &mut self.logins {
            fields.extend([issuer as &mut dyn PersonalField, subject]);
        }
        for period in &mut self.periods {
            fields.push(&mut period.job_title);
            fields.extend(period.care_experience_from.as_mut().map(|day| day as &mut dyn PersonalField));
            fields.extend(period.qualification.as_mut().map(|name| name as &mut dyn PersonalField));
        }
        fields
    }
}

/// Whether a role reads what a class of personal data says (rule 22). A
/// mentor's and an assessor's right to narrative follows their assignment; what
/// is about oneself is not asked here.
#[must_use]
pub const fn opens(role: Role, class: Class, assigned: bool) -> bool {
    match class {
        Class::Identity | Class::Contact | Class::Employment => !matches!(role, Role::IncidentSystem | Role::LearningPlatform),
        Class::Health => matches!(role, Role::Manager | Role::GovernanceLead | Role::Inspector),
        Class::Narrative => {
            matches!(role, Role::Verifier | Role::AppealReviewer | Role::Inspector)
                || (assigned && matches!(role, Role::Mentor | Role::Assessor))
        }
    }
}
