//! What is asked of a ledger when something is to be added, and what comes of it.

use lastresort_fact::{EventId, Instant, KeyId, OrganisationId, Stamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::DataKeyRow;

/// A keyed hash: HMAC-SHA-256.
pub type Digest = [u8; 32];

/// One stream of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamRef {
    /// The aggregate's kind.
    pub kind: String,
    /// The aggregate's id.
    pub id: Uuid,
}

impl StreamRef {
    /// A stream by kind and id.
    pub fn new(kind: &str, id: impl Into<Uuid>) -> Self {
        Self { kind: kind.to_owned(), id: id.into() }
    }
}

/// The end of a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The last position; 0 in an empty ledger.
    pub position: u64,
    /// The last instant of recording; never runs backwards.
    pub recorded_at: Instant,
}

/// An event about to be written: all of it but position and time of recording.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its name.
    pub event_type: &'static str,
    /// The version of its shape.
    pub event_version: &'static str,
    /// Who, when, why; `recorded_at` is set by the ledger.
    pub stamp: Stamp,
    /// `{"type": …, "value": {…}}`, personal fields sealed.
    pub event: String,
    /// The canonical bytes of `value` for the leaf.
    pub leaf_body: Vec<u8>,
}

/// The events one stream receives.
#[derive(Clone, Debug)]
pub struct StreamWrite {
    /// Which stream.
    pub stream: StreamRef,
    /// The version it must have: 0 for a new one.
    pub expected: u64,
    /// What happens to it.
    pub events: Vec<NewEvent>,
}

/// A value that at most one stream of a ledger may hold, by its keyed hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimName {
    /// What kind of value: `external_id`, `login`.
    pub kind: String,
    /// The keyed hash of the value.
    pub digest: Digest,
}

/// A claim on a value by a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed.
    pub name: ClaimName,
    /// Who holds it.
    pub stream: StreamRef,
}

/// A command's key and the keyed hash of what it asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandKey {
    /// HMAC of actor and key.
    pub key: Digest,
    /// HMAC of method, path and body.
    pub body: Digest,
}

/// What an append asks: all of it, or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    /// Whose ledger.
    pub organisation: OrganisationId,
    /// The ledger is opened by this append and must not exist yet.
    pub opens: bool,
    /// What is written.
    pub writes: Vec<StreamWrite>,
    /// Streams that must still have these versions.
    pub also: Vec<(StreamRef, u64)>,
    /// Who must still hold these values, or that nobody does: what the decision rested on.
    pub held: Vec<(ClaimName, Option<StreamRef>)>,
    /// Values taken.
    pub claims: Vec<Claim>,
    /// Values given back, before any is taken; only by the streams written here that hold them.
    pub releases: Vec<ClaimName>,
    /// The command's key.
    pub key: CommandKey,
    /// The status a replay answers with.
    pub status: u16,
    /// Joins what one request caused.
    pub correlation: Uuid,
    /// Data keys made for this append.
    pub new_keys: Vec<DataKeyRow>,
    /// Data keys it seals with; each must be alive.
    pub used_keys: Vec<KeyId>,
    /// The domain clock's time; the ledger records at the later of this and its last.
    pub at: Instant,
}

impl Append {
    /// About how many bytes it will write.
    #[must_use]
    pub fn size(&self) -> usize {
        self.writes.iter().flat_map(|write| &write.events).map(|event| event.event.len() + event.leaf_body.len()).sum()
    }
}

/// What an append came to, and what a replay is answered from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The status answered.
    pub status: u16,
    /// The ledger's position after the append.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The streams written, with their new versions, in the order asked.
    pub streams: Vec<(StreamRef, u64)>,
    /// The events' ids, in order of position.
    pub events: Vec<EventId>,
}

/// A command as kept for replays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCommand {
    /// The keyed hash of what was asked.
    pub body: Digest,
    /// What came of it.
    pub receipt: Receipt,
}

/// What comes of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Written.
    Applied(Receipt),
    /// Written before, under the same key and with the same body.
    Replayed(Receipt),
    /// The key was used for something else.
    KeyReused,
    /// A stream has another version.
    Conflict {
        /// Which stream.
        stream: StreamRef,
        /// Its version.
        actual: u64,
    },
    /// A value is held by somebody else than when it was decided.
    ClaimMoved,
    /// A value is held by another stream.
    ClaimTaken {
        /// The kind of the value.
        kind: String,
        /// Who holds it.
        holder: StreamRef,
    },
    /// An event's leaf would be over 65,535 bytes.
    EventTooLarge,
    /// A data key it seals with has been destroyed.
    Erased,
    /// There is no such ledger.
    NoLedger,
    /// There is such a ledger already.
    LedgerExists,
}
