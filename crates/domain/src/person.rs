//! A person: a member of staff of this organisation or of the other party to a
//! programme, or a machine. Never a person supported. Names and external ids
//! are sealed; employment is told by an HR system and never typed over. Its
//! length is that of its many small facts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use lastresort_fact::{
    Asked, Class, Decides, Instant, OrganisationId, PersonId, Personal, PersonalDay, PersonalField, PersonalText, Refusal, Role, Stamp,
    UnitId, Unmet, happenings, plain,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::grant::may_give_all;
use crate::guard::{Guarded, actions, unless};
use crate::organisation::OrganisationKind;

/// A human being, or a machine that acts under its own name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// A human being.
    #[default]
    Human,
    /// A machine: an HR system, an audit tool.
    Machine,
}

/// What a provider states of its own people to a client, as a dated copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// May act as mentor or assessor.
    Eligible,
    /// May not for now.
    Suspended,
    /// May not any more.
    Revoked,
}

plain!(PersonKind, Standing);

/// What may be asked of a person.
#[derive(Clone, Debug)]
pub enum PersonCommand {
    /// Register them.
    Register {
        /// Their id; the same in every ledger.
        id: PersonId,
        /// Human or machine.
        kind: PersonKind,
        /// Their names and how to reach them.
        profile: Profile,
        /// Their employer, where it is not this organisation.
        employer: Option<OrganisationId>,
    },
    /// State their names and how to reach them, as they are now.
    StateProfile(Profile),
    /// Know them by an id of another system.
    AddExternalId {
        /// Which system: `hr`.
        source: String,
        /// Its id for them.
        external_id: String,
    },
    /// Let them in under a login.
    AddLogin {
        /// The token's issuer.
        issuer: String,
        /// The token's subject.
        subject: String,
    },
    /// Begin their employment: a starter, or a re-hire.
    StartEmployment(Employment),
    /// Move them to another unit.
    Move {
        /// To which.
        unit: UnitId,
        /// From which day.
        effective_on: NaiveDate,
    },
    /// End their employment.
    EndEmployment {
        /// The last day they are employed is the one before.
        effective_on: NaiveDate,
    },
    /// Undo a leaver sent by mistake.
    ReinstateEmployment {
        /// Why.
        reason: String,
    },
    /// Record immediate life support training.
    RecordLifeSupport {
        /// The first day it no longer counts.
        expires_on: NaiveDate,
    },
    /// State what the provider says of its own person.
    StateStanding {
        /// What it says.
        standing: Standing,
        /// The position in the provider's ledger that says so.
        provider_position: u64,
        /// Until when it may be relied on.
        valid_until: NaiveDate,
    },
    /// All of these, in order, or none.
    All(Vec<PersonCommand>),
}

/// Names and contact in the open, on their way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Given name; a machine's name.
    pub given_name: String,
    /// Family name; none for a machine.
    pub family_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// An employment in the open, on its way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Employment {
    /// In which unit.
    pub unit: UnitId,
    /// As what.
    pub job_title: String,
    /// From which day.
    pub effective_on: NaiveDate,
    /// Since when they have worked in care.
    pub care_experience_from: Option<NaiveDate>,
    /// Their qualification.
    pub qualification: Option<String>,
}

happenings! {
    /// What can have happened to a person.
    pub enum PersonEvent {
        /// They were registered.
        PersonRegistered {
            /// Their id.
            person: PersonId,
            /// Human or machine.
            kind: PersonKind,
            /// Their employer, where it is not this organisation.
            employer: Option<OrganisationId>,
        },
        /// Their names and contact were stated.
        ProfileStated {
            /// Given name; a machine's name.
            given_name: PersonalText,
            /// Family name.
            family_name: Option<PersonalText>,
            /// E-mail address.
            email: Option<PersonalText>,
        },
        /// They became known by an id of another system.
        ExternalIdAdded {
            /// Which system.
            source: String,
            /// Its id for them.
            external_id: PersonalText,
        },
        /// They were let in under a login.
        LoginAdded {
            /// The token's issuer.
            issuer: PersonalText,
            /// The token's subject.
            subject: PersonalText,
        },
        /// Their employment began.
        EmploymentStarted {
            /// In which unit.
            unit: UnitId,
            /// From which day.
            effective_on: NaiveDate,
            /// As what.
            job_title: PersonalText,
            /// Since when they have worked in care.
            care_experience_from: Option<PersonalDay>,
            /// Their qualification.
            qualification: Option<PersonalText>,
        },
        /// They moved to another unit.
        UnitChanged {
            /// To which.
            unit: UnitId,
            /// From which day.
            effective_on: NaiveDate,
        },
        /// Their employment ended.
        EmploymentEnded {
            /// From this day they are not employed.
            effective_on: NaiveDate,
        },
        /// A leaver sent by mistake was undone.
        EmploymentReinstated {
            /// Why.
            reason: PersonalText,
        },
        /// Immediate life support training was recorded.
        LifeSupportRecorded {
            /// The first day it no longer counts.
            expires_on: NaiveDate,
        },
        /// The provider's statement on its own person was copied.
        StandingStated {
            /// What it says.
            standing: Standing,
            /// The position in the provider's ledger that says so.
            provider_position: u64,
            /// Until when it may be relied on.
            valid_until: NaiveDate,
        },
    }
}

actions! {
    /// What may be done to a person.
    pub enum PersonAction {
        /// Register one.
        Register = "register" [Bootstrap, Operator, Manager, HrSystem, ProviderAdmin],
        /// State names and contact.
        StateProfile = "state_profile" [Manager, HrSystem, ProviderAdmin],
        /// Add an external id.
        AddExternalId = "add_external_id" [Manager, HrSystem, ProviderAdmin],
        /// Add a login.
        AddLogin = "add_login" [Bootstrap, Operator, Manager, ProviderAdmin],
        /// Begin employment.
        StartEmployment = "start_employment" [Manager, HrSystem],
        /// Move to another unit.
        Move = "move" [Manager, HrSystem],
        /// End employment.
        EndEmployment = "end_employment" [Manager, HrSystem],
        /// Undo a leaver sent by mistake.
        ReinstateEmployment = "reinstate_employment" [Manager, HrSystem],
        /// Record immediate life support.
        RecordLifeSupport = "record_life_support" [Manager, HrSystem],
        /// State the provider's word on its own person.
        StateStanding = "state_standing" [ProviderAdmin],
    }
}

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
    job_title: Personal<String>,
    qualification: Option<Personal<String>>,
}

fn same<T: PartialEq>(held: Option<&Personal<T>>, told: Option<&T>) -> bool {
    held.and_then(Personal::value) == told && held.is_some() == told.is_some()
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

    fn start(&self, id: PersonId, told: Employment, facts: &PersonFacts) -> Result<Vec<PersonEvent>, Refusal> {
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

    fn move_to(&self, unit: UnitId, on: NaiveDate, facts: &PersonFacts) -> Result<Vec<PersonEvent>, Refusal> {
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

    fn end(&self, on: NaiveDate) -> Result<Vec<PersonEvent>, Refusal> {
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

impl PersonCommand {
    /// What it is; of several, what the first is.
    fn action(&self) -> PersonAction {
        match self {
            Self::All(all) => all.first().map_or(PersonAction::StateProfile, Self::action),
            Self::Register { .. } => PersonAction::Register,
            Self::StateProfile(_) => PersonAction::StateProfile,
            Self::AddExternalId { .. } => PersonAction::AddExternalId,
            Self::AddLogin { .. } => PersonAction::AddLogin,
            Self::StartEmployment(_) => PersonAction::StartEmployment,
            Self::Move { .. } => PersonAction::Move,
            Self::EndEmployment { .. } => PersonAction::EndEmployment,
            Self::ReinstateEmployment { .. } => PersonAction::ReinstateEmployment,
            Self::RecordLifeSupport { .. } => PersonAction::RecordLifeSupport,
            Self::StateStanding { .. } => PersonAction::StateStanding,
        }
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

#[cfg(test)]
mod tests;
