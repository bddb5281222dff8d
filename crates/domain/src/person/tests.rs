//! Who states what of whom.

use super::*;
use crate::guard::testing::{Tried as _, asked, asked_by, at, day, id};

const PROVIDER: u128 = 90;

fn guest() -> PersonFacts {
    PersonFacts { asker_employer: Some(id(PROVIDER)), ..PersonFacts::default() }
}

fn register(employer: Option<u128>) -> PersonCommand {
    let profile = Profile { given_name: "Callum".to_owned(), family_name: None, email: None };
    PersonCommand::Register { id: id(7), kind: PersonKind::Human, profile, employer: employer.map(id) }
}

fn registered(employer: Option<u128>) -> Person {
    Person::given([PersonEvent::PersonRegistered { person: id(7), kind: PersonKind::Human, employer: employer.map(id) }])
}

fn login() -> PersonCommand {
    PersonCommand::AddLogin { issuer: "https://login.example".to_owned(), subject: "callum".to_owned() }
}

#[test]
fn a_provider_states_its_own_people_only() {
    let by = asked(Role::ProviderAdmin);
    let expires_on = at("2022-01-31T00:00:00Z").date();
    let standing = || PersonCommand::StateStanding { standing: Standing::Eligible, provider_position: 7, valid_until: expires_on };
    registered(Some(PROVIDER)).happens(standing(), &by, &guest());
    assert_eq!(registered(Some(91)).refused(standing(), &by, &guest()), ["not_permitted"], "another provider's");
    assert_eq!(registered(Some(PROVIDER)).refused(standing(), &by, &PersonFacts::default()), ["not_permitted"], "of no provider");
    Person::default().happens(register(Some(PROVIDER)), &by, &guest());
    for employer in [None, Some(91)] {
        assert_eq!(Person::default().refused(register(employer), &by, &guest()), ["not_permitted"]);
    }
}

#[test]
fn the_providers_later_word_holds_in_whatever_order_it_comes() {
    let by = asked(Role::ProviderAdmin);
    let (today, until) = (by.at.date(), day("2022-01-31"));
    let say = |standing, provider_position| PersonCommand::StateStanding { standing, provider_position, valid_until: until };
    let mut person = registered(Some(PROVIDER));
    person.happens(say(Standing::Eligible, 7), &by, &guest());
    person.happens(say(Standing::Revoked, 9), &by, &guest());
    assert!(!person.eligible_on(today, by.at));
    assert_eq!(person.refused(say(Standing::Eligible, 8), &by, &guest()), ["late_entry"], "said before it was revoked");
    assert_eq!(person.refused(say(Standing::Eligible, 9), &by, &guest()), ["late_entry"], "one position says one thing");
    for again in [say(Standing::Eligible, 7), say(Standing::Revoked, 9)] {
        assert_eq!(person.happens(again, &by, &guest()), [], "the same message again changes nothing");
    }
    assert!(!person.eligible_on(today, by.at));
    person.happens(say(Standing::Eligible, 10), &by, &guest());
    assert!(person.eligible_on(today, by.at));
}

#[test]
fn a_login_is_added_by_whoever_could_give_all_that_comes_with_it() {
    let by = |role| asked_by(1, role, at("2021-03-01T12:00:00Z"));
    registered(Some(PROVIDER)).happens(login(), &by(Role::Manager), &guest());
    assert_eq!(registered(Some(PROVIDER)).refused(login(), &by(Role::ProviderAdmin), &guest()), ["not_permitted"]);
    let both = PersonCommand::All(vec![register(Some(PROVIDER)), login()]);
    Person::default().happens(both, &by(Role::ProviderAdmin), &guest());
    let at_home = PersonFacts { kind: OrganisationKind::Provider, ..PersonFacts::default() };
    registered(None).happens(login(), &by(Role::ProviderAdmin), &at_home);
    assert_eq!(registered(None).refused(login(), &by(Role::Manager), &at_home), ["not_permitted"]);
    let own = asked_by(7, Role::Manager, at("2021-03-01T12:00:00Z"));
    assert_eq!(registered(None).refused(login(), &own, &guest()), ["not_permitted"]);
}

#[test]
fn experience_in_care_is_not_of_days_to_come() {
    let facts = PersonFacts { units: [id(4)].into(), today: day("2021-03-01"), ..PersonFacts::default() };
    let start = |care| {
        PersonCommand::StartEmployment(Employment {
            unit: id(4),
            job_title: "Support worker".to_owned(),
            effective_on: day("2021-04-01"),
            care_experience_from: Some(day(care)),
            qualification: None,
        })
    };
    let by = asked(Role::HrSystem);
    assert_eq!(registered(None).refused(start("2021-04-02"), &by, &facts), ["late_entry"]);
    registered(None).happens(start("2021-04-01"), &by, &facts);
}
