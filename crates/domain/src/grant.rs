//! A grant: the right of one person to act in one role, within a scope and
//! dates. Tokens say who, grants say what they may; each is its own aggregate,
//! so that every command can rest on the grant it was sent under.

use lastresort_fact::{
    Asked, Class, Decides, Instant, PersonId, Personal, PersonalText, ProgrammeId, Refusal, Role, Scope, Stamp, Unmet, happenings,
};
use serde::{Deserialize, Serialize};

use crate::guard::{Guarded, actions, unless};
use crate::organisation::OrganisationKind;

/// What may be asked of a grant.
#[derive(Clone, Debug)]
pub enum GrantCommand {
    /// Give it.
    Give {
        /// To whom.
        person: PersonId,
        /// In what role.
        role: Role,
        /// How far it reaches.
        scope: Scope,
        /// From when; now, where absent.
        from: Option<Instant>,
        /// Until when.
        to: Option<Instant>,
    },
    /// Take it back, at once.
    Revoke {
        /// Why.
        reason: String,
    },
}

happenings! {
    /// What can have happened to a grant.
    pub enum GrantEvent {
        /// It was given.
        GrantGiven {
            /// To whom.
            person: PersonId,
            /// In what role.
            role: Role,
            /// How far it reaches.
            scope: Scope,
            /// From when.
            from: Instant,
            /// Until when.
            to: Option<Instant>,
        },
        /// It was taken back.
        GrantRevoked {
            /// Why.
            reason: PersonalText,
        },
    }
}

actions! {
    /// What may be done to a grant.
    pub enum GrantAction {
        /// Give one.
        Give = "give" [Bootstrap, Operator, Manager, ProviderAdmin],
        /// Take it back.
        Revoke = "revoke" [Manager, ProviderAdmin],
    }
}

/// Who somebody is that a grant is about to be given to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grantee {
    /// Nobody of this ledger.
    #[default]
    Unknown,
    /// Somebody registered in it.
    Registered,
    /// Somebody who was employed here once, and is no more.
    Left,
}

/// What a decision on a grant rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantFacts {
    /// The kind of organisation whose ledger it is.
    pub kind: OrganisationKind,
    /// Who the person is here.
    pub person: Grantee,
    /// The programme that a grant about to be given is limited to.
    pub programme: Option<ProgrammeId>,
    /// That programme is in this ledger.
    pub programme_known: bool,
    /// It would begin on a day that has gone by.
    pub begins_in_the_past: bool,
}

/// What a grant remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Grant {
    /// What was given, once it was.
    pub given: Option<Given>,
    /// It was taken back.
    pub revoked: bool,
}

/// A right as given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// To whom.
    pub person: PersonId,
    /// In what role.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
    /// From when.
    pub from: Instant,
    /// Until when.
    pub to: Option<Instant>,
}

impl Grant {
    /// Whether it gives this person this role at that time.
    #[must_use]
    pub fn holds(&self, person: PersonId, role: Role, at: Instant) -> bool {
        let in_time = |given: &Given| given.from <= at && given.to.is_none_or(|to| at < to);
        !self.revoked && self.given.as_ref().is_some_and(|given| given.person == person && given.role == role && in_time(given))
    }
}

/// The roles that a grant given in `by` may give in an organisation of `kind`:
/// a client's manager any but the provider's, whose administrator gives those
/// of the programme; in the provider's own ledger its administrator any.
#[must_use]
pub fn may_give(by: Role, kind: OrganisationKind, role: Role) -> bool {
    let of_the_programme = matches!(
        role,
        Role::Mentor | Role::Assessor | Role::Verifier | Role::AppealReviewer | Role::Candidate | Role::Staff | Role::LearningPlatform
    );
    let gives_all = matches!(
        (by, kind),
        (Role::Bootstrap | Role::Operator, _)
            | (Role::ProviderAdmin, OrganisationKind::Provider)
            | (Role::Manager, OrganisationKind::Client)
    );
    Role::GRANTABLE.contains(&role) && (gives_all || (by == Role::ProviderAdmin && of_the_programme))
}

/// Whether a right in this role stays somebody's who has left: their own record
/// is still theirs, and nothing else (rule 23).
#[must_use]
pub const fn outlives_employment(role: Role) -> bool {
    matches!(role, Role::Candidate | Role::Staff)
}

/// Whether a grant given in `by` may give every role there is in an organisation of `kind`.
#[must_use]
pub fn may_give_all(by: Role, kind: OrganisationKind) -> bool {
    Role::GRANTABLE.into_iter().all(|role| may_give(by, kind, role))
}

impl Guarded for Grant {
    type Action = GrantAction;

    fn actions(&self) -> Vec<GrantAction> {
        vec![GrantAction::Revoke]
    }

    fn programme(&self, facts: &GrantFacts) -> Option<ProgrammeId> {
        match self.given.as_ref().map(|given| given.scope) {
            Some(Scope::Organisation) => None,
            Some(Scope::Programme(id)) => Some(id),
            None => facts.programme,
        }
    }

    fn unmet(&self, action: GrantAction, asked: &Asked, facts: &GrantFacts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        match (action, &self.given) {
            (GrantAction::Give, given) => unless(given.is_none(), &mut unmet, "already_done", "This grant was given already."),
            (GrantAction::Revoke, Some(given)) => {
                unless(!self.revoked, &mut unmet, "already_done", "This grant was revoked already.");
                let may = may_give(asked.role, facts.kind, given.role);
                unless(may, &mut unmet, "not_permitted", "Whoever may not give this role may not take it back.");
            }
            (GrantAction::Revoke, None) => {}
        }
        unmet
    }
}

impl Decides for Grant {
    const TYPE: &'static str = "grant";
    type Command = GrantCommand;
    type Event = GrantEvent;
    type Facts = GrantFacts;

    fn decide(&self, command: GrantCommand, asked: &Asked, facts: &GrantFacts) -> Result<Vec<GrantEvent>, Refusal> {
        match command {
            GrantCommand::Give { person, role, scope, from, to } => {
                let mut unmet = self.foretold(GrantAction::Give, asked, facts);
                let from = from.unwrap_or(asked.at);
                let may = may_give(asked.role, facts.kind, role);
                unless(may, &mut unmet, "not_permitted", "This role is not yours to give.");
                let own = asked.by.person() == Some(person);
                unless(!own, &mut unmet, "not_permitted", "Nobody gives themselves a grant.");
                unmet.extend(match facts.person {
                    Grantee::Registered => None,
                    Grantee::Unknown => {
                        Some(Unmet::new("unknown_reference", "There is no such person in this organisation.").at("/person"))
                    }
                    Grantee::Left => Some(Unmet::new("not_employed", "Whoever has left is given no grant.").at("/person")),
                });
                if facts.programme.is_some() && !facts.programme_known {
                    unmet.push(Unmet::new("unknown_reference", "There is no such programme in this organisation.").at("/scope/id"));
                }
                if facts.begins_in_the_past {
                    unmet.push(Unmet::new("late_entry", "A grant begins today or later, never in the past.").at("/from"));
                }
                if to.is_some_and(|to| to <= from) {
                    unmet.push(Unmet::new("invalid", "A grant must end after it begins.").at("/to"));
                }
                if role == Role::Inspector && to.is_none() {
                    unmet.push(Unmet::new("invalid", "An inspection is timed: a grant as inspector says until when.").at("/to"));
                }
                Refusal::unless_met(unmet)?;
                Ok(vec![GrantEvent::GrantGiven { person, role, scope, from, to }])
            }
            GrantCommand::Revoke { reason } => {
                self.permit(GrantAction::Revoke, asked, facts)?;
                let person = self.given.as_ref().map(|given| given.person).unwrap_or_default();
                Ok(vec![GrantEvent::GrantRevoked { reason: Personal::new(person, Class::Employment, reason) }])
            }
        }
    }

    fn apply(&mut self, event: &GrantEvent, _: &Stamp) {
        match event {
            GrantEvent::GrantGiven { person, role, scope, from, to } => {
                self.given = Some(Given { person: *person, role: *role, scope: *scope, from: *from, to: *to });
            }
            GrantEvent::GrantRevoked { .. } => self.revoked = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::testing::{Tried as _, asked, at, id};

    fn give(scope: Scope) -> GrantCommand {
        GrantCommand::Give { person: id(7), role: Role::Mentor, scope, from: None, to: None }
    }

    #[test]
    fn a_grant_reaches_what_there_is_and_begins_today_or_later() {
        let by = asked(Role::Manager);
        let facts = GrantFacts { person: Grantee::Registered, ..GrantFacts::default() };
        Grant::default().happens(give(Scope::Organisation), &by, &facts);
        let late = GrantFacts { begins_in_the_past: true, ..facts };
        assert_eq!(Grant::default().refused(give(Scope::Organisation), &by, &late), ["late_entry"]);
        let within = GrantFacts { programme: Some(id(50)), ..facts };
        assert_eq!(Grant::default().refused(give(Scope::Programme(id(50))), &by, &within), ["unknown_reference"]);
        let known = GrantFacts { programme_known: true, ..within };
        Grant::default().happens(give(Scope::Programme(id(50))), &by, &known);
    }

    #[test]
    fn whoever_has_left_is_given_nothing() {
        let by = asked(Role::Manager);
        let left = GrantFacts { person: Grantee::Left, ..GrantFacts::default() };
        assert_eq!(Grant::default().refused(give(Scope::Organisation), &by, &left), ["not_employed"]);
    }

    #[test]
    fn an_inspection_is_timed() {
        let by = asked(Role::Manager);
        let facts = GrantFacts { person: Grantee::Registered, ..GrantFacts::default() };
        let inspect = |to| GrantCommand::Give { person: id(7), role: Role::Inspector, scope: Scope::Organisation, from: None, to };
        assert_eq!(Grant::default().refused(inspect(None), &by, &facts), ["invalid"]);
        Grant::default().happens(inspect(Some(at("2031-01-01T00:00:00Z"))), &by, &facts);
    }
}
