//! Who answers for what in co-delivery (rule 7): each responsibility has
//! exactly one owner, agreed by every mentor and candidate before the session
//! begins, and changed on record only: beforehand a change waits for the others
//! to agree, once it has begun it stands. The point is that it was on record
//! beforehand, so the time of recording counts, whatever time is told of. What
//! was agreed is kept beside what was really done.

use std::collections::{BTreeMap, BTreeSet};

use lastresort_fact::{Asked, Class, Instant, PersonId, Personal, Refusal, Stamp, Unmet};
use serde::{Deserialize, Serialize};

use super::{ModuleMinutes, Owner, Planned, Responsibility, Session, SessionAction, SessionEvent, SessionKind, TrainerPart};
use crate::guard::unless;

/// A responsibility as it is owned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// By whom.
    pub owner: PersonId,
    /// Who agreed to that.
    pub agreed_by: BTreeSet<PersonId>,
    /// It was changed on record once the session had begun, which stands in place of agreement.
    pub changed: bool,
}

impl Planned {
    /// Those who must agree: every mentor and candidate of a co-delivery.
    pub fn parties(&self) -> impl Iterator<Item = PersonId> + '_ {
        let party = |part| matches!(part, TrainerPart::Mentor | TrainerPart::Candidate);
        self.trainers.iter().filter(move |trainer| party(trainer.part)).map(|trainer| trainer.person)
    }

    fn is_party(&self, person: Option<PersonId>) -> bool {
        self.parties().any(|party| Some(party) == person)
    }
}

impl Session {
    /// Whether the owner of a responsibility stands: one who teaches here, agreed by all or changed on record.
    #[must_use]
    pub fn stands(&self, responsibility: Responsibility) -> bool {
        let (Some(owned), Some(planned)) = (self.owned.get(&responsibility), &self.planned) else { return false };
        planned.is_party(Some(owned.owner)) && (owned.changed || planned.parties().all(|party| owned.agreed_by.contains(&party)))
    }

    /// Rule 4: nothing is told of a time before what it follows.
    pub(super) fn unless_earlier(&self, action: SessionAction, asked: &Asked, unmet: &mut Vec<Unmet>) {
        let (follows, detail) = match action {
            SessionAction::Propose | SessionAction::Agree | SessionAction::Change | SessionAction::ChangeTrainers => {
                (self.arranged_at, "The session was planned, or who answers for what was proposed, later than that.")
            }
            SessionAction::Countersign => (self.judged_at, "What is to be countersigned was judged later than that."),
            SessionAction::Plan
            | SessionAction::SetRoster
            | SessionAction::RecordAttendance
            | SessionAction::RecordAttainment
            | SessionAction::Complete
            | SessionAction::Cancel
            | SessionAction::Correct => return,
        };
        let in_time = follows.is_none_or(|at| at <= asked.occurred_at);
        unless(in_time, unmet, "late_entry", detail);
    }

    /// Rule 7, before a session may be completed.
    pub(super) fn unless_owned(&self, unmet: &mut Vec<Unmet>) {
        if !self.planned.as_ref().is_some_and(|planned| planned.kind == SessionKind::CoDelivery) {
            return;
        }
        for responsibility in Responsibility::ALL {
            let spoken = responsibility.spoken();
            if !self.is_owned(responsibility) {
                unmet.push(Unmet::new("responsibility_unowned", format!("Nobody answers for {spoken}.")));
            } else if !self.stands(responsibility) {
                unmet.push(Unmet::new("responsibility_unowned", format!("Who answers for {spoken} is proposed and not agreed.")));
            }
        }
    }

    /// Whether anybody who teaches here was ever named; one who no longer does owns nothing.
    fn is_owned(&self, responsibility: Responsibility) -> bool {
        let owner = self.owned.get(&responsibility).map(|owned| owned.owner);
        owner.is_some() && self.planned.as_ref().is_some_and(|planned| planned.is_party(owner))
    }

    /// What stands against agreeing beforehand on anything at all.
    pub(super) fn unless_beforehand(&self, asked: &Asked, unmet: &mut Vec<Unmet>) {
        let Some(planned) = &self.planned else { return };
        let detail = "The session has begun: who answers for what is now changed on record.";
        unless(asked.at < planned.starts_at, unmet, "not_in_state", detail);
    }

    fn is_beforehand(&self, recorded_at: Instant) -> bool {
        self.planned.as_ref().is_some_and(|planned| recorded_at < planned.starts_at)
    }

    /// What stands against agreeing to anything: there must be something to agree to.
    pub(super) fn unless_to_be_agreed(&self, asked: &Asked, unmet: &mut Vec<Unmet>) {
        let by = asked.by.person();
        let waits = |owned: &Owned| !owned.changed && by.is_some_and(|person| !owned.agreed_by.contains(&person));
        let waits = |(responsibility, owned): (&Responsibility, &Owned)| self.is_owned(*responsibility) && waits(owned);
        unless(self.owned.iter().any(waits), unmet, "not_in_state", "Nothing waits for your agreement.");
    }

    pub(super) fn propose(&self, owners: &[Owner], asked: &Asked) -> Result<Vec<SessionEvent>, Refusal> {
        let mut unmet = Vec::new();
        let mut events = Vec::new();
        self.unless_one_each(owners, &mut unmet);
        let by = asked.by.person();
        let party = self.planned.as_ref().is_some_and(|planned| planned.is_party(by));
        for (index, told) in owners.iter().enumerate() {
            let Owner { responsibility, owner } = *told;
            match self.owned.get(&responsibility) {
                Some(owned) if owned.owner == owner => {
                    if party && !owned.changed && by.is_some_and(|person| !owned.agreed_by.contains(&person)) {
                        events.push(SessionEvent::ResponsibilityAgreed { responsibility, owner });
                    }
                }
                Some(_) if self.stands(responsibility) => {
                    let detail = format!("There is an agreed owner of {}; a change is made on record.", responsibility.spoken());
                    unmet.push(Unmet::new("responsibility_split", detail).at(&format!("/owners/{index}/owner")));
                }
                Some(_) | None => events.push(SessionEvent::ResponsibilityProposed { responsibility, owner }),
            }
        }
        Refusal::unless_met(unmet)?;
        Ok(events)
    }

    pub(super) fn agree(&self, owners: &[Owner], asked: &Asked) -> Result<Vec<SessionEvent>, Refusal> {
        let mut unmet = Vec::new();
        let mut events = Vec::new();
        self.unless_one_each(owners, &mut unmet);
        for (index, Owner { responsibility, owner }) in owners.iter().copied().enumerate() {
            let mut against = |code: &str, detail: &str| {
                unmet.push(Unmet::new(code, format!("{detail} {}.", responsibility.spoken())).at(&format!("/owners/{index}")));
            };
            match self.owned.get(&responsibility) {
                None => against("responsibility_unowned", "Nobody has been proposed for"),
                Some(owned) if owned.owner != owner => against("responsibility_split", "Somebody else has been proposed for"),
                Some(owned) => {
                    if !owned.changed && asked.by.person().is_some_and(|person| !owned.agreed_by.contains(&person)) {
                        events.push(SessionEvent::ResponsibilityAgreed { responsibility, owner });
                    }
                }
            }
        }
        Refusal::unless_met(unmet)?;
        Ok(events)
    }

    pub(super) fn change(
        &self,
        responsibility: Responsibility,
        owner: PersonId,
        reason: String,
        asked: &Asked,
    ) -> Result<Vec<SessionEvent>, Refusal> {
        let held = self.owned.get(&responsibility).map(|owned| owned.owner);
        if !self.planned.as_ref().is_some_and(|planned| planned.is_party(Some(owner))) {
            return Err(not_a_party().at("/owner").into());
        }
        let agreed = |person| self.owned.get(&responsibility).is_some_and(|owned| owned.agreed_by.contains(&person));
        let waits = self.is_beforehand(asked.at) && asked.by.person().is_some_and(agreed);
        if held == Some(owner) && (self.stands(responsibility) || waits) {
            return Ok(Vec::new());
        }
        let reason = Personal::new(held.unwrap_or(owner), Class::Narrative, reason);
        Ok(vec![SessionEvent::ResponsibilityChanged { responsibility, owner, reason }])
    }

    fn unless_one_each(&self, owners: &[Owner], unmet: &mut Vec<Unmet>) {
        if owners.is_empty() {
            unmet.push(Unmet::new("invalid", "At least one owner is to be named.").at("/owners"));
        }
        for (index, told) in owners.iter().enumerate() {
            if !self.planned.as_ref().is_some_and(|planned| planned.is_party(Some(told.owner))) {
                unmet.push(not_a_party().at(&format!("/owners/{index}/owner")));
            }
            if owners[..index].iter().any(|other| other.responsibility == told.responsibility) {
                let detail = format!("Two owners are named for {}.", told.responsibility.spoken());
                unmet.push(Unmet::new("responsibility_split", detail).at(&format!("/owners/{index}")));
            }
        }
    }

    /// Who really owned each responsibility: as told, else as agreed.
    pub(super) fn actual_owners(&self, told: &[Owner], unmet: &mut Vec<Unmet>) -> Vec<Owner> {
        if !told.is_empty() {
            self.unless_one_each(told, unmet);
        }
        let mut owners: BTreeMap<_, _> = self.owned.iter().map(|(responsibility, owned)| (*responsibility, owned.owner)).collect();
        owners.extend(told.iter().map(|told| (told.responsibility, told.owner)));
        owners.into_iter().map(|(responsibility, owner)| Owner { responsibility, owner }).collect()
    }

    /// The minutes each module really took: as told, else as planned.
    pub(super) fn actual_minutes(&self, told: &[ModuleMinutes], unmet: &mut Vec<Unmet>) -> Vec<ModuleMinutes> {
        let planned = self.planned.as_ref().map(|planned| planned.modules.as_slice()).unwrap_or_default();
        for (index, line) in told.iter().enumerate() {
            let pointer = format!("/modules/{index}/module");
            if planned.iter().all(|module| module.module != line.module) {
                unmet.push(Unmet::new("unknown_reference", "The session has no such module.").at(&pointer));
            } else if told[..index].iter().any(|other| other.module == line.module) {
                unmet.push(Unmet::new("invalid", "This module is named twice.").at(&pointer));
            }
        }
        let actual = |module: &ModuleMinutes| *told.iter().find(|line| line.module == module.module).unwrap_or(module);
        let actual: Vec<_> = planned.iter().map(actual).collect();
        let taught = actual.iter().map(|line| i64::from(line.minutes) + i64::from(line.assessment_minutes)).sum::<i64>();
        if taught > self.planned.as_ref().map_or(0, Planned::span) {
            unmet.push(Unmet::new("invalid", "The modules took longer than the session.").at("/modules"));
        }
        actual
    }

    pub(super) fn arranged(&mut self, stamp: &Stamp) {
        self.arranged_at = self.arranged_at.max(Some(stamp.occurred_at));
    }

    pub(super) fn proposed(&mut self, responsibility: Responsibility, owner: PersonId, stamp: &Stamp) {
        self.arranged(stamp);
        let by = stamp.by.person();
        let party = self.planned.as_ref().is_some_and(|planned| planned.is_party(by));
        let agreed_by = by.filter(|_| party).into_iter().collect();
        self.owned.insert(responsibility, Owned { owner, agreed_by, changed: false });
    }

    /// Beforehand a change is agreed by whoever makes it, and waits for the others; later it stands.
    pub(super) fn changed(&mut self, responsibility: Responsibility, owner: PersonId, stamp: &Stamp) {
        self.proposed(responsibility, owner, stamp);
        let changed = !self.is_beforehand(stamp.recorded_at);
        if let Some(owned) = self.owned.get_mut(&responsibility).filter(|_| changed) {
            *owned = Owned { owner, agreed_by: BTreeSet::new(), changed };
        }
    }

    pub(super) fn agreed(&mut self, responsibility: Responsibility, stamp: &Stamp) {
        self.arranged(stamp);
        if let Some(owned) = self.owned.get_mut(&responsibility) {
            owned.agreed_by.extend(stamp.by.person());
        }
    }
}

fn not_a_party() -> Unmet {
    Unmet::new("unknown_reference", "An owner is a mentor or a candidate of this session.")
}

#[cfg(test)]
mod tests {
    use lastresort_fact::Role;

    use super::*;
    use crate::guard::testing::{Tried as _, asked_by, at, id};
    use crate::session::SessionCommand;
    use crate::session::world::{
        BEFORE, BOSS, CANDIDATE, DURING, LEARNER, MENTOR, agreed, boss, candidate, co_delivery, course, facts, mentor, planned, split,
        trainer,
    };

    fn timing(owner: u128) -> Vec<Owner> {
        vec![Owner { responsibility: Responsibility::Timing, owner: id(owner) }]
    }

    fn change(owner: u128) -> SessionCommand {
        SessionCommand::Change { responsibility: Responsibility::Timing, owner: id(owner), reason: "The mentor fell ill.".to_owned() }
    }

    #[test]
    fn an_owner_stands_once_mentor_and_candidate_agreed() {
        let mut session = planned(co_delivery());
        session.happens(SessionCommand::Propose { owners: timing(MENTOR) }, &mentor(BEFORE), &facts());
        assert!(!session.stands(Responsibility::Timing), "who proposes agrees, and that is one of two");
        assert_eq!(session.refused(SessionCommand::Agree { owners: timing(MENTOR) }, &mentor(BEFORE), &facts()), ["not_in_state"]);
        assert_eq!(
            session.refused(SessionCommand::Agree { owners: timing(CANDIDATE) }, &candidate(BEFORE), &facts()),
            ["responsibility_split"]
        );
        session.happens(SessionCommand::Agree { owners: timing(MENTOR) }, &candidate(BEFORE), &facts());
        assert!(session.stands(Responsibility::Timing));
    }

    #[test]
    fn a_proposal_of_somebody_else_needs_both_to_agree_anew() {
        let mut session = planned(co_delivery());
        session.happens(SessionCommand::Propose { owners: timing(MENTOR) }, &mentor(BEFORE), &facts());
        session.happens(SessionCommand::Propose { owners: timing(CANDIDATE) }, &candidate(BEFORE), &facts());
        assert!(!session.stands(Responsibility::Timing));
        session.happens(SessionCommand::Propose { owners: timing(CANDIDATE) }, &mentor(BEFORE), &facts());
        assert!(session.stands(Responsibility::Timing), "to propose the same is to agree");
        let mut other = planned(co_delivery());
        other.happens(SessionCommand::Propose { owners: timing(MENTOR) }, &boss(BEFORE), &facts());
        other.happens(SessionCommand::Agree { owners: timing(MENTOR) }, &candidate(BEFORE), &facts());
        assert!(!other.stands(Responsibility::Timing), "somebody who does not teach proposes and agrees to nothing");
    }

    #[test]
    fn an_agreed_owner_is_changed_on_record_only() {
        let mut session = agreed();
        assert_eq!(
            session.refused(SessionCommand::Propose { owners: timing(CANDIDATE) }, &mentor(BEFORE), &facts()),
            ["responsibility_split"]
        );
        assert_eq!(session.refused(change(CANDIDATE), &candidate(DURING), &facts()), ["not_permitted"], "a mentor changes it");
        assert_eq!(session.refused(change(LEARNER), &mentor(DURING), &facts()), ["unknown_reference"]);
        session.happens(change(CANDIDATE), &mentor(DURING), &facts());
        assert!(session.stands(Responsibility::Timing));
        assert_eq!(session.happens(change(CANDIDATE), &mentor(DURING), &facts()), []);
    }

    #[test]
    fn a_change_beforehand_waits_for_the_other_to_agree() {
        let mut session = agreed();
        session.happens(change(CANDIDATE), &mentor(BEFORE), &facts());
        assert!(!session.stands(Responsibility::Timing), "one of two does not settle it");
        assert_eq!(session.happens(change(CANDIDATE), &mentor(BEFORE), &facts()), [], "the same again changes nothing");
        session.happens(SessionCommand::Agree { owners: timing(CANDIDATE) }, &candidate(BEFORE), &facts());
        assert!(session.stands(Responsibility::Timing));
        session.happens(change(MENTOR), &boss(BEFORE), &facts());
        session.happens(SessionCommand::Agree { owners: timing(MENTOR) }, &candidate(BEFORE), &facts());
        assert!(!session.stands(Responsibility::Timing), "nor does somebody who does not teach agree for the mentor");
    }

    #[test]
    fn a_responsibility_has_one_owner_who_teaches_here() {
        let session = planned(co_delivery());
        let both = [timing(MENTOR), timing(CANDIDATE)].concat();
        assert_eq!(session.refused(SessionCommand::Propose { owners: both }, &mentor(BEFORE), &facts()), ["responsibility_split"]);
        assert_eq!(session.refused(SessionCommand::Propose { owners: timing(BOSS) }, &mentor(BEFORE), &facts()), ["unknown_reference"]);
        assert_eq!(session.refused(SessionCommand::Propose { owners: Vec::new() }, &mentor(BEFORE), &facts()), ["invalid"]);
    }

    #[test]
    fn whoever_no_longer_teaches_here_owns_nothing() {
        let mut session = agreed();
        let trainers = vec![trainer(BOSS, TrainerPart::Mentor), trainer(CANDIDATE, TrainerPart::Candidate)];
        let change = SessionCommand::ChangeTrainers { trainers, reason: "The mentor has left.".to_owned() };
        session.happens(change, &boss(BEFORE), &facts());
        assert!(Responsibility::ALL.iter().all(|each| !session.stands(*each)), "a new mentor has agreed to nothing");
        let new = asked_by(BOSS, Role::Mentor, at(BEFORE));
        let theirs = split().into_iter().filter(|owner| owner.owner == id(CANDIDATE)).collect();
        session.happens(SessionCommand::Agree { owners: theirs }, &new, &facts());
        session.happens(SessionCommand::Propose { owners: timing(BOSS) }, &new, &facts());
        session.happens(SessionCommand::Agree { owners: timing(BOSS) }, &candidate(BEFORE), &facts());
        assert_eq!(Responsibility::ALL.iter().filter(|each| session.stands(**each)).count(), 5);
    }

    #[test]
    fn nothing_is_agreed_before_it_was_proposed() {
        let mut session = planned(co_delivery());
        session.happens(SessionCommand::Propose { owners: timing(MENTOR) }, &mentor("2021-03-05T12:00:00Z"), &facts());
        assert_eq!(session.refused(SessionCommand::Agree { owners: timing(MENTOR) }, &candidate(BEFORE), &facts()), ["late_entry"]);
        session.happens(SessionCommand::Agree { owners: timing(MENTOR) }, &candidate("2021-03-05T12:00:00Z"), &facts());
    }

    #[test]
    fn nothing_is_changed_before_it_was_arranged() {
        let session = planned(co_delivery());
        let early = Asked { occurred_at: at("2021-03-01T11:59:00Z"), ..mentor(DURING) };
        assert_eq!(session.refused(change(MENTOR), &early, &facts()), ["late_entry"], "before it was planned");
        let mut proposed = session.clone();
        proposed.happens(SessionCommand::Propose { owners: timing(MENTOR) }, &mentor("2021-03-05T12:00:00Z"), &facts());
        let between = Asked { occurred_at: at("2021-03-05T11:59:00Z"), ..mentor(DURING) };
        assert_eq!(proposed.refused(change(CANDIDATE), &between, &facts()), ["late_entry"], "before it was proposed");
        session.clone().happens(change(CANDIDATE), &between, &facts());
    }

    #[test]
    fn nobody_agrees_beforehand_once_the_session_has_begun() {
        let mut session = planned(co_delivery());
        let told = |asked: Asked| Asked { occurred_at: at("2021-03-05T12:00:00Z"), ..asked };
        let propose = || SessionCommand::Propose { owners: timing(MENTOR) };
        assert_eq!(session.refused(propose(), &told(mentor(DURING)), &facts()), ["not_in_state"]);
        session.happens(propose(), &mentor(BEFORE), &facts());
        let agree = SessionCommand::Agree { owners: timing(MENTOR) };
        assert_eq!(session.refused(agree, &told(candidate(DURING)), &facts()), ["not_in_state"]);
        assert!(!session.stands(Responsibility::Timing));
        session.happens(change(MENTOR), &told(mentor(DURING)), &facts());
        assert!(session.stands(Responsibility::Timing), "a change that is told late waits for nobody any more");
    }

    #[test]
    fn it_is_agreed_beforehand_and_in_co_delivery() {
        let session = planned(co_delivery());
        assert_eq!(session.refused(SessionCommand::Propose { owners: split() }, &mentor(DURING), &facts()), ["not_in_state"]);
        let mut late = session.clone();
        late.happens(change(MENTOR), &mentor(DURING), &facts());
        assert!(late.stands(Responsibility::Timing), "what was forgotten is told on record");
        let second = asked_by(MENTOR, Role::ProviderAdmin, at(BEFORE));
        assert_eq!(planned(course()).refused(change(MENTOR), &second, &facts()), ["not_in_state"]);
    }
}
