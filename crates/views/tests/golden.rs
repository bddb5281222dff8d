//! Every version of every event ever written must load for ever: the golden
//! file only grows. A line is one event as stored.

use std::collections::BTreeSet;

use lastresort_fact::{EventId, Instant};
use lastresort_ledger::append::StreamRef;
use lastresort_ledger::store::StoredEvent;
use lastresort_ledger::view::World as _;
use lastresort_views::{Ledgers, names};
use serde_json::Value;
use uuid::Uuid;

const GOLDEN: &str = include_str!("../golden/events.ndjson");

fn stored(line: &str) -> StoredEvent {
    let value: Value = serde_json::from_str(line).expect("a line is JSON");
    let text = |name: &str| value[name].as_str().unwrap_or_else(|| panic!("{line} has no {name}")).to_owned();
    StoredEvent {
        position: 1,
        stream: StreamRef { kind: text("kind"), id: Uuid::from_u128(1) },
        sequence: 1,
        event_id: EventId(Uuid::from_u128(2)),
        event_type: text("type"),
        event_version: text("version"),
        payload: value["payload"].to_string(),
        metadata: "{}".to_owned(),
        recorded_at: Instant::from_micros(0),
        leaf: Vec::new(),
    }
}

#[test]
fn every_event_ever_written_loads() {
    for line in GOLDEN.lines() {
        let event = stored(line);
        if let Err(reason) = Ledgers::decode(&event) {
            panic!("{} {} of {} does not load any more: {reason}", event.event_type, event.event_version, event.stream.kind);
        }
    }
}

#[test]
fn every_event_this_program_writes_is_in_the_golden_file() {
    let golden: BTreeSet<_> = GOLDEN.lines().map(stored).map(|event| (event.stream.kind, event.event_type, event.event_version)).collect();
    let owned = |(kind, name, version): (&str, &str, &str)| (kind.to_owned(), name.to_owned(), version.to_owned());
    let missing: Vec<_> = names().into_iter().map(owned).filter(|name| !golden.contains(name)).collect();
    assert!(missing.is_empty(), "add a line for each of these to crates/views/golden/events.ndjson: {missing:#?}");
}
