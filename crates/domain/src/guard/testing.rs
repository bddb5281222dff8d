//! What the tests of the aggregates share: who asks and when in few words,
//! given / when / then, and the law that a guard tells beforehand what happens
//! – for random histories and every role.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use lastresort_fact::{Actor, Asked, Decides, Instant, PersonId, Refusal, Role, Scope};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use super::{Action, Guarded};

/// An id that is the same in every run.
pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

/// A day, as `2021-03-08`.
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// An instant, as `2021-03-08T10:00:00Z`.
pub(crate) fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

/// Person 1 asks in this role, at noon on 1 March 2021.
pub(crate) fn asked(role: Role) -> Asked {
    asked_by(1, role, at("2021-03-01T12:00:00Z"))
}

/// The person of that number asks, in a role, at an instant.
pub(crate) fn asked_by(person: u128, role: Role, at: Instant) -> Asked {
    Asked {
        by: Actor::Person(id::<PersonId>(person)),
        role,
        grant: None,
        scope: Scope::Organisation,
        at,
        occurred_at: at,
        cause: None,
        supersedes: None,
    }
}

/// Given / when / then.
pub(crate) trait Tried: Decides {
    /// Given: these events, told by person 1 in the first minute of 2021.
    fn given(events: impl IntoIterator<Item = Self::Event>) -> Self {
        let stamp = asked_by(1, Role::ProviderAdmin, at("2021-01-01T00:00:00Z")).stamp();
        let mut state = Self::default();
        for event in events {
            state.apply(&event, &stamp);
        }
        state
    }

    /// When this is asked, then it happens, and is remembered.
    fn happens(&mut self, command: Self::Command, asked: &Asked, facts: &Self::Facts) -> Vec<Self::Event> {
        let events = self.decide(command, asked, facts).expect("nothing stands against it");
        for event in &events {
            self.apply(event, &asked.stamp());
        }
        events
    }

    /// When this is asked, then it is refused, for these reasons in order.
    fn refused(&self, command: Self::Command, asked: &Asked, facts: &Self::Facts) -> Vec<String> {
        let refusal = self.decide(command, asked, facts).expect_err("something stands against it");
        refusal.0.into_iter().map(|unmet| unmet.code).collect()
    }
}

impl<A: Decides> Tried for A {}

/// One thing somebody tries, drawn at random.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Tries whatever nothing stands against, in a role that may.
    keen: bool,
    /// Which action comes first to mind.
    action: prop::sample::Index,
    role: Role,
    person: u128,
    scope: Scope,
    /// How long after the one before.
    hours: u32,
    /// How long ago what is told was so.
    hours_ago: u32,
    /// Chance, for whatever a test draws from it.
    pub(crate) dice: [u8; 8],
}

const BEGUN: &str = "2020-11-01T08:00:00Z";
const HOUR: i64 = 3_600_000_000;

/// Histories of up to eighty attempts by four people in all roles.
fn histories() -> impl Strategy<Value = Vec<Attempt>> {
    let roles: Vec<Role> = Role::GRANTABLE.into_iter().chain([Role::Bootstrap, Role::Operator]).collect();
    let scope = prop_oneof![9 => Just(Scope::Organisation), 1 => (1..=2_u128).prop_map(|number| Scope::Programme(id(number)))];
    let ago = prop_oneof![4 => Just(0_u32), 1 => 0..240_u32];
    let attempt =
        (any::<bool>(), any::<prop::sample::Index>(), prop::sample::select(roles), 1..=4_u128, scope, 0..=240_u32, ago, any::<[u8; 8]>());
    let attempt = attempt.prop_map(|(keen, action, role, person, scope, hours, hours_ago, dice)| Attempt {
        keen,
        action,
        role,
        person,
        scope,
        hours,
        hours_ago,
        dice,
    });
    prop::collection::vec(attempt, 0..80)
}

/// So many runs at most until every action came off and was refused.
const RUNS: usize = 8;

/// How often each action was done and refused.
type Tally = BTreeMap<&'static str, (u32, u32)>;

/// Holds a guard to its word: what it foretells stands in the way, or nothing,
/// is what happens when the action is sent with a valid body. `body` makes that
/// body, and the facts, for an action on a state. Every action must have come
/// off and been refused at least once, so that the law is not kept by silence.
pub(crate) fn foretold_is_what_happens<A: Guarded>(
    actions: &[A::Action],
    body: impl Fn(&A, A::Action, &Asked, &Attempt) -> (A::Command, A::Facts),
) {
    foretold_from(&A::default(), actions, body);
}

/// The same for what becomes of a given state, where histories from nothing hardly come that far.
pub(crate) fn foretold_from<A: Guarded>(
    given: &A,
    actions: &[A::Action],
    body: impl Fn(&A, A::Action, &Asked, &Attempt) -> (A::Command, A::Facts),
) {
    let tally = RefCell::new(Tally::new());
    let lacks = |tally: &Tally| {
        let told = |action: &A::Action| (action.name(), tally.get(action.name()).copied().unwrap_or_default());
        actions.iter().map(told).find(|(_, (done, refused))| *done == 0 || *refused == 0)
    };
    // Some actions come off in one history of hundreds: more are told until they have.
    for _ in 0..RUNS {
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })
            .run(&histories(), |history| {
                live(given.clone(), &history, actions, &body, &mut tally.borrow_mut());
                Ok(())
            })
            .expect("what is foretold is what happens");
        if lacks(&tally.borrow()).is_none() {
            return;
        }
    }
    panic!("never done, or never refused: {:?}", lacks(&tally.borrow()));
}

fn live<A: Guarded>(
    mut state: A,
    history: &[Attempt],
    actions: &[A::Action],
    body: &impl Fn(&A, A::Action, &Asked, &Attempt) -> (A::Command, A::Facts),
    tally: &mut Tally,
) {
    let mut now = at(BEGUN).micros();
    for attempt in history {
        now += i64::from(attempt.hours) * HOUR;
        let (action, asked) = attempt.choose(&state, actions, body, Instant::from_micros(now));
        let (command, facts) = body(&state, action, &asked, attempt);
        let foretold = state.foretold(action, &asked, &facts);
        let (done, refused) = tally.entry(action.name()).or_default();
        match state.decide(command, &asked, &facts) {
            Ok(events) => {
                assert!(foretold.is_empty(), "{} came off, yet was foretold to be refused: {foretold:?}", action.name());
                for event in &events {
                    state.apply(event, &asked.stamp());
                }
                *done += 1;
            }
            Err(Refusal(unmet)) => {
                assert!(!foretold.is_empty(), "{} was refused, yet not foretold to be: {unmet:?}", action.name());
                assert!(foretold.iter().all(|told| unmet.contains(told)), "{}: {unmet:?} lacks some of {foretold:?}", action.name());
                *refused += 1;
            }
        }
    }
    remembers(&state);
}

/// A state survives being kept as JSON, unless it holds personal data in the open.
fn remembers<A: Decides>(state: &A) {
    if let Ok(kept) = serde_json::to_value(state) {
        let again: A = serde_json::from_value(kept.clone()).expect("a state that was kept can be read");
        assert_eq!(serde_json::to_value(again).expect("JSON"), kept);
    }
}

impl Attempt {
    fn choose<A: Guarded>(
        &self,
        state: &A,
        actions: &[A::Action],
        body: &impl Fn(&A, A::Action, &Asked, &Self) -> (A::Command, A::Facts),
        now: Instant,
    ) -> (A::Action, Asked) {
        let first = self.action.index(actions.len());
        let occurred_at = Instant::from_micros(now.micros() - i64::from(self.hours_ago) * HOUR);
        let asked = Asked { occurred_at, scope: self.scope, ..asked_by(self.person, self.role, now) };
        if self.keen {
            for action in actions[first..].iter().chain(&actions[..first]) {
                let able = Asked { role: self.action.get(action.roles()).to_owned(), ..asked.clone() };
                let (_, facts) = body(state, *action, &able, self);
                if state.foretold(*action, &able, &facts).is_empty() {
                    return (*action, able);
                }
            }
        }
        (actions[first], asked)
    }
}
