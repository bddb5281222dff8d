//! What the tests of the views share: a history told in few words, and the law
//! that any order of late arrival gives the same row.

use chrono::NaiveDate;
use lastresort_fact::{Actor, Class, EventId, Instant, PersonId, PersonalText, Role, Sealed, Stamp};
use lastresort_ledger::append::StreamRef;
use lastresort_ledger::view::{Recorded, View};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::{Happening, Ledgers};

const HOUR: i64 = 3_600_000_000;
const BEGUN: i64 = 1_604_217_600_000_000;

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

/// A text that was sealed.
pub(crate) fn sealed() -> PersonalText {
    let (algorithm, commitment) = ("xc20p".to_owned(), "0".repeat(64));
    PersonalText::Sealed(Sealed {
        key: id(1),
        algorithm,
        ciphertext: Some("AA".to_owned()),
        commitment,
        class: Class::Narrative,
        origin: None,
    })
}

/// What happened in the `hour`th hour since 1 November 2020, 08:00 UTC, and was recorded at a position.
fn recorded(hour: usize, position: u64, event: Happening) -> Recorded<Happening> {
    let after = |hours: usize| Instant::from_micros(BEGUN + i64::try_from(hours).expect("few") * HOUR);
    let stamp = Stamp {
        event_id: id::<EventId>(1_000 + hour as u128),
        by: Actor::Person(id::<PersonId>(1)),
        role: Role::ProviderAdmin,
        grant: None,
        occurred_at: after(hour),
        recorded_at: after(10_000),
        cause: None,
        supersedes: None,
    };
    Recorded { position, stream: StreamRef::new("told", Uuid::from_u128(1)), sequence: position, stamp, event }
}

fn told<V: View<World = Ledgers>>(events: impl IntoIterator<Item = (usize, Happening)>) -> V::Row {
    let mut row = None;
    for ((hour, event), position) in events.into_iter().zip(1..) {
        let event = recorded(hour, position, event);
        assert_eq!(V::concerns(&event), [Uuid::from_u128(1).to_string()], "it concerns its own row");
        row = V::fold(row, &event);
        // As between two steps of a follower.
        let kept = serde_json::to_string(&row).expect("a row is JSON");
        row = serde_json::from_str(&kept).expect("a row that was kept can be read");
    }
    let row = row.expect("there is a row");
    assert_eq!(V::cells(&row).len(), V::COLUMNS.len(), "each column has its cell");
    row
}

/// The row of a history: an hour lies between one event and the next.
pub(crate) fn fold<V: View<World = Ledgers>>(history: &[Happening]) -> V::Row {
    told::<V>(history.iter().cloned().enumerate())
}

/// Holds a view to the law: after the first event, which makes the row, the
/// others may be recorded in whatever order; what is shown stays the same.
pub(crate) fn in_any_order<V: View<World = Ledgers>, S: PartialEq + std::fmt::Debug>(history: &[Happening], shown: impl Fn(&V::Row) -> S) {
    let mut hours: Vec<_> = history.iter().cloned().enumerate().collect();
    let late = hours.split_off(1);
    let plain = shown(&fold::<V>(history));
    TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })
        .run(&Just(late).prop_shuffle(), |late| {
            prop_assert_eq!(&shown(&told::<V>(hours.iter().cloned().chain(late))), &plain);
            Ok(())
        })
        .expect("any order of late arrival gives the same row");
}
