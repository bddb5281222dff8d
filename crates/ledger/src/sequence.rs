//! What an append may do: decided here, purely, for both stores.
//!
//! A driver locks the head, reads what [`names`] lists in the *next* statement,
//! hands it over as [`Known`], and writes what [`sequence`] returns. Later
//! appends of a batch see what earlier ones did; each is accepted or refused
//! on its own.

use std::collections::{BTreeSet, HashMap, HashSet};

use lastresort_fact::{Instant, KeyId, OrganisationId, Stamp};
use lastresort_proof::leaf::{Envelope, leaf_bytes};
use serde::Serialize;

use crate::append::{Append, Claim, ClaimName, Digest, Head, NewEvent, Outcome, Receipt, StoredCommand, StreamRef};
use crate::store::{DataKeyRow, StoredEvent};

/// What must be read under the lock before a batch can be decided.
#[derive(Debug, Default)]
pub struct Names {
    /// Streams whose versions matter.
    pub streams: BTreeSet<StreamRef>,
    /// Claims that may be held.
    pub claims: HashSet<ClaimName>,
    /// Command keys that may have been used.
    pub commands: HashSet<Digest>,
    /// Data keys that must be alive.
    pub keys: BTreeSet<KeyId>,
}

/// What was found under the lock.
#[derive(Debug, Default)]
pub struct Known {
    /// The head; `None` where there is no such ledger.
    pub head: Option<Head>,
    /// Versions of the streams that exist.
    pub versions: HashMap<StreamRef, u64>,
    /// Claims held.
    pub claims: HashMap<ClaimName, StreamRef>,
    /// Commands done.
    pub commands: HashMap<Digest, StoredCommand>,
    /// Data keys alive.
    pub alive: HashSet<KeyId>,
}

/// What is to be written, and what each append of the batch came to.
#[derive(Debug, Default)]
pub struct Sequenced {
    /// One outcome per append, in order.
    pub outcomes: Vec<Outcome>,
    /// Whether the head row is new.
    pub opens: bool,
    /// The head as it was.
    pub from: Head,
    /// The head as it becomes.
    pub to: Head,
    /// Events to insert.
    pub events: Vec<StoredEvent>,
    /// Claims to insert.
    pub claims: Vec<Claim>,
    /// Claims to delete; each exists before this batch.
    pub releases: Vec<ClaimName>,
    /// Commands to insert.
    pub commands: Vec<(Digest, StoredCommand)>,
    /// Data keys to insert.
    pub new_keys: Vec<DataKeyRow>,
}

impl Sequenced {
    /// Whether there is nothing to write: every command that was accepted is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

/// What a batch needs to know.
#[must_use]
pub fn names(batch: &[&Append]) -> Names {
    let mut names = Names::default();
    for append in batch {
        names.streams.extend(append.writes.iter().map(|write| write.stream.clone()));
        names.streams.extend(append.also.iter().map(|(stream, _)| stream.clone()));
        names.claims.extend(append.held.iter().map(|(name, _)| name.clone()));
        names.claims.extend(append.claims.iter().map(|claim| claim.name.clone()));
        names.claims.extend(append.releases.iter().cloned());
        names.commands.insert(append.key.key);
        names.keys.extend(append.used_keys.iter().copied());
    }
    names
}

/// Decides a batch of one organisation's appends, in order.
#[must_use]
pub fn sequence(batch: &[&Append], known: Known) -> Sequenced {
    let from = known.head.unwrap_or_default();
    let mut run = Run { known, done: Sequenced { from, to: from, ..Sequenced::default() } };
    for append in batch {
        let outcome = run.decide(append).unwrap_or_else(|refused| refused);
        run.done.outcomes.push(outcome);
    }
    run.done
}

struct Run {
    known: Known,
    done: Sequenced,
}

impl Run {
    /// Applies one append, or says why not; a refused one leaves no trace.
    fn decide(&mut self, append: &Append) -> Result<Outcome, Outcome> {
        if let Some(command) = self.known.commands.get(&append.key.key) {
            return Err(if command.body == append.key.body { Outcome::Replayed(command.receipt.clone()) } else { Outcome::KeyReused });
        }
        match (self.known.head, append.opens) {
            (None, false) => return Err(Outcome::NoLedger),
            (Some(_), true) => return Err(Outcome::LedgerExists),
            (None, true) | (Some(_), false) => {}
        }
        self.check_versions(append)?;
        self.check_claims(append)?;
        self.check_keys(append)?;
        let recorded_at = append.at.max(self.done.to.recorded_at);
        let (events, receipt) = self.write(append, recorded_at)?;
        self.keep(append, events, receipt.clone());
        Ok(Outcome::Applied(receipt))
    }

    /// What is written to one stream twice goes on where the first left off.
    fn check_versions(&self, append: &Append) -> Result<(), Outcome> {
        let mut written: HashMap<&StreamRef, u64> = HashMap::new();
        let rested_on = append.also.iter().map(|(stream, version)| (stream, *version, 0));
        let writes = append.writes.iter().map(|write| (&write.stream, write.expected, write.events.len() as u64));
        for (stream, expected, more) in rested_on.chain(writes) {
            let known = self.known.versions.get(stream).copied().unwrap_or(0);
            let actual = written.get(stream).copied().unwrap_or(known);
            if actual != expected {
                return Err(Outcome::Conflict { stream: stream.clone(), actual });
            }
            written.insert(stream, expected + more);
        }
        Ok(())
    }

    fn check_claims(&self, append: &Append) -> Result<(), Outcome> {
        if append.held.iter().any(|(name, holder)| self.known.claims.get(name) != holder.as_ref()) {
            return Err(Outcome::ClaimMoved);
        }
        let mut taken: HashMap<&ClaimName, &StreamRef> = HashMap::new();
        for claim in &append.claims {
            let held = self.known.claims.get(&claim.name).filter(|_| !self.gives_back(append, &claim.name));
            let holder = *taken.entry(&claim.name).or_insert(held.unwrap_or(&claim.stream));
            if *holder != claim.stream {
                return Err(Outcome::ClaimTaken { kind: claim.name.kind.clone(), holder: holder.clone() });
            }
        }
        Ok(())
    }

    /// Whether an append releases a value, and a stream it writes is the one that holds it.
    fn gives_back(&self, append: &Append, name: &ClaimName) -> bool {
        let holder = self.known.claims.get(name);
        append.releases.contains(name) && append.writes.iter().any(|write| Some(&write.stream) == holder)
    }

    fn check_keys(&self, append: &Append) -> Result<(), Outcome> {
        let alive = |id: &KeyId| self.known.alive.contains(id) || append.new_keys.iter().any(|key| key.id == *id);
        if append.used_keys.iter().all(alive) { Ok(()) } else { Err(Outcome::Erased) }
    }

    fn write(&self, append: &Append, recorded_at: Instant) -> Result<(Vec<StoredEvent>, Receipt), Outcome> {
        let mut position = self.done.to.position;
        let mut events = Vec::new();
        let mut streams = Vec::new();
        let metadata = metadata(append);
        for write in &append.writes {
            let mut sequence = write.expected;
            for event in &write.events {
                position += 1;
                sequence += 1;
                let place = Place { organisation: append.organisation, stream: &write.stream, sequence, position, recorded_at };
                events.push(stored(&place, event, &metadata)?);
            }
            streams.push((write.stream.clone(), sequence));
        }
        let ids = events.iter().map(|event| event.event_id).collect();
        Ok((events, Receipt { status: append.status, position, recorded_at, streams, events: ids }))
    }

    fn keep(&mut self, append: &Append, events: Vec<StoredEvent>, receipt: Receipt) {
        let head = Head { position: receipt.position, recorded_at: receipt.recorded_at };
        self.done.opens |= self.known.head.is_none();
        self.known.head = Some(head);
        self.done.to = head;
        self.known.versions.extend(receipt.streams.iter().cloned());
        for name in &append.releases {
            if self.gives_back(append, name) {
                self.known.claims.remove(name);
                let before = self.done.claims.len();
                self.done.claims.retain(|claim| claim.name != *name);
                if self.done.claims.len() == before {
                    self.done.releases.push(name.clone());
                }
            }
        }
        for claim in &append.claims {
            if self.known.claims.insert(claim.name.clone(), claim.stream.clone()).is_none() {
                self.done.claims.push(claim.clone());
            }
        }
        self.known.alive.extend(append.new_keys.iter().map(|key| key.id));
        self.done.new_keys.extend(append.new_keys.iter().cloned());
        let command = StoredCommand { body: append.key.body, receipt };
        self.known.commands.insert(append.key.key, command.clone());
        self.done.commands.push((append.key.key, command));
        self.done.events.extend(events);
    }
}

struct Place<'a> {
    organisation: OrganisationId,
    stream: &'a StreamRef,
    sequence: u64,
    position: u64,
    recorded_at: Instant,
}

fn stored(place: &Place<'_>, event: &NewEvent, metadata: &str) -> Result<StoredEvent, Outcome> {
    let stamp = Stamp { recorded_at: place.recorded_at, ..event.stamp.clone() };
    let envelope = Envelope {
        organisation: place.organisation,
        kind: &place.stream.kind,
        id: place.stream.id,
        sequence: place.sequence,
        event_type: event.event_type,
        event_version: event.event_version,
        stamp: &stamp,
    };
    let leaf = leaf_bytes(&envelope, &event.leaf_body).map_err(|_| Outcome::EventTooLarge)?;
    Ok(StoredEvent {
        position: place.position,
        stream: place.stream.clone(),
        sequence: place.sequence,
        event_id: stamp.event_id,
        event_type: event.event_type.to_owned(),
        event_version: event.event_version.to_owned(),
        payload: format!(r#"{{"stamp":{},"event":{}}}"#, json(&stamp), event.event),
        metadata: metadata.to_owned(),
        recorded_at: place.recorded_at,
        leaf,
    })
}

#[derive(Serialize)]
struct Metadata {
    correlation: String,
    command: String,
}

fn metadata(append: &Append) -> String {
    json(&Metadata { correlation: append.correlation.to_string(), command: hex::encode(append.key.key) })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("ids, names and instants are always JSON")
}
