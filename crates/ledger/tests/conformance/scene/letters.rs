//! Appends by hand, for stories about the store alone.

use lastresort_fact::{Actor, EventId, Instant, OrganisationId, Role, Stamp};
use lastresort_ledger::append::{Append, Claim, ClaimName, CommandKey, Digest, NewEvent, Outcome, Receipt, StreamRef, StreamWrite};
use lastresort_ledger::store::{AnyStore, StoreError};
use uuid::Uuid;

/// 14 November 2023: when stories happen, unless they say otherwise.
pub(crate) const NOON: Instant = Instant::from_micros(1_700_000_000_000_000);

pub(crate) fn organisation() -> OrganisationId {
    OrganisationId(Uuid::new_v4())
}

pub(crate) fn digest() -> Digest {
    let half = *Uuid::new_v4().as_bytes();
    [half, half].concat().try_into().expect("two halves of 16 bytes")
}

pub(crate) fn event(text: &str) -> NewEvent {
    let stamp = Stamp {
        event_id: EventId(Uuid::new_v4()),
        by: Actor::Bootstrap,
        role: Role::Bootstrap,
        grant: None,
        occurred_at: NOON,
        recorded_at: NOON,
        cause: None,
        supersedes: None,
    };
    NewEvent {
        event_type: "Noted",
        event_version: "1",
        stamp,
        event: format!(r#"{{"type":"Noted","value":{{"text":"{text}"}}}}"#),
        leaf_body: format!(r#"{{"text":"{text}"}}"#).into_bytes(),
    }
}

/// An event of a note, as its domain has it.
pub(crate) fn happened(name: &'static str, value: &str) -> NewEvent {
    let whole = format!(r#"{{"type":"{name}","value":{value}}}"#);
    NewEvent { event_type: name, event: whole, leaf_body: value.into(), ..event("") }
}

pub(crate) fn note(id: Uuid) -> StreamRef {
    StreamRef::new("note", id)
}

pub(crate) fn write(id: Uuid, expected: u64, text: &str) -> StreamWrite {
    StreamWrite { stream: note(id), expected, events: vec![event(text)] }
}

/// An append of one event to one stream.
pub(crate) fn append(organisation: OrganisationId, id: Uuid, expected: u64, text: &str) -> Append {
    Append {
        organisation,
        opens: false,
        writes: vec![write(id, expected, text)],
        also: Vec::new(),
        held: Vec::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        key: CommandKey { key: digest(), body: digest() },
        status: 200,
        correlation: Uuid::new_v4(),
        new_keys: Vec::new(),
        used_keys: Vec::new(),
        at: NOON,
    }
}

pub(crate) fn opening(organisation: OrganisationId) -> Append {
    Append { opens: true, ..append(organisation, Uuid::new_v4(), 0, "opened") }
}

/// A ledger of a new organisation, with one event in it.
pub(crate) async fn ledger(store: &AnyStore) -> OrganisationId {
    let organisation = organisation();
    applied(store.append(opening(organisation)).await);
    organisation
}

pub(crate) fn applied(outcome: Result<Outcome, StoreError>) -> Receipt {
    match outcome {
        Ok(Outcome::Applied(receipt)) => receipt,
        other => panic!("not applied: {other:?}"),
    }
}

pub(crate) fn claim_name(kind: &str) -> ClaimName {
    ClaimName { kind: kind.to_owned(), digest: digest() }
}

pub(crate) fn claim(name: &ClaimName, id: Uuid) -> Claim {
    Claim { name: name.clone(), stream: note(id) }
}
