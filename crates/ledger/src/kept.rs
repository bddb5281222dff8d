//! Aggregates kept in memory between commands, within a bound. What is kept
//! may be behind what other processes wrote: a command that rests on it is
//! checked at the append, and a refusal or a no-op is confirmed against the
//! stream before anybody is told; a reader trusts it for half a second.
//!
//! What access control looks at – the organisation, and whoever asks – is held
//! besides, whatever the bound, for about as long as it is believed: nearly
//! every command rests on it.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lastresort_fact::OrganisationId;
use tokio::time::Instant as Moment;

use crate::append::StreamRef;

/// For how long a reader trusts what is kept without asking.
const TRUSTED: Duration = Duration::from_millis(500);
/// So many states are held at most, for so long after they were last known to be the stream's own.
const HELD: usize = 10_000;
const HELD_FOR: Duration = Duration::from_secs(2);
/// About what a state is, and what one event adds to it: most replace what
/// others said, some add a fact to a list.
const STATE_BYTES: usize = 1_024;
const EVENT_BYTES: usize = 256;

/// A state of some aggregate.
pub(crate) type AnyState = Arc<dyn Any + Send + Sync>;

/// States in memory. Two halves: what is used stays in the young one; when that
/// is full, the old half is forgotten and the young one is old.
#[derive(Debug, Default)]
pub struct Kept {
    bytes_max: usize,
    halves: Mutex<Halves>,
}

#[derive(Default)]
struct Halves {
    bytes: usize,
    young: HashMap<(OrganisationId, StreamRef), Entry>,
    old: HashMap<(OrganisationId, StreamRef), Entry>,
    held: HashMap<(OrganisationId, StreamRef), Option<Entry>>,
    swept: Option<Moment>,
}

impl std::fmt::Debug for Halves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} young, {} old, {} held", self.young.len(), self.old.len(), self.held.len())
    }
}

#[derive(Clone)]
struct Entry {
    state: AnyState,
    version: u64,
    confirmed: Moment,
}

impl Entry {
    fn bytes(&self) -> usize {
        usize::try_from(self.version).unwrap_or(usize::MAX).saturating_mul(EVENT_BYTES).saturating_add(STATE_BYTES)
    }
}

/// A state as kept.
pub(crate) struct Found<T> {
    /// The state.
    pub(crate) state: T,
    /// Its version.
    pub(crate) version: u64,
    /// It was so half a second ago at the most.
    pub(crate) trusted: bool,
}

impl Kept {
    /// Keeps about so many bytes; nothing where that is 0.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, halves: Mutex::default() }
    }

    /// What is kept of a stream.
    pub(crate) fn get<T: Clone + 'static>(&self, organisation: OrganisationId, stream: &StreamRef) -> Option<Found<T>> {
        let place = (organisation, stream.clone());
        let mut halves = self.halves();
        let entry = if let Some(entry) = halves.held.get(&place).and_then(Option::as_ref).or_else(|| halves.young.get(&place)) {
            entry.clone()
        } else {
            let entry = halves.old.remove(&place)?;
            halves.insert(place, entry.clone(), self.bytes_max);
            entry
        };
        drop(halves);
        let state = entry.state.downcast_ref::<T>()?.clone();
        Some(Found { state, version: entry.version, trusted: entry.confirmed.elapsed() < TRUSTED })
    }

    /// Keeps a state that is the stream's own just now, unless a later one is kept.
    pub(crate) fn put(&self, organisation: OrganisationId, stream: &StreamRef, state: AnyState, version: u64) {
        if version == 0 {
            return;
        }
        let entry = Entry { state, version, confirmed: Moment::now() };
        let place = (organisation, stream.clone());
        let mut halves = self.halves();
        if let Some(held) = halves.held.get_mut(&place)
            && held.as_ref().is_none_or(|held| held.version <= version)
        {
            *held = Some(entry.clone());
        }
        // What fills a quarter of the room alone is not worth the others.
        if entry.bytes() > self.bytes_max / 4 {
            return;
        }
        let known = halves.young.get(&place).or_else(|| halves.old.get(&place)).map_or(0, |entry| entry.version);
        if known <= version {
            halves.insert(place, entry, self.bytes_max);
        }
    }

    /// Holds what is put of this stream from now on, whatever the bound; lets go of those that nobody has confirmed for long.
    pub(crate) fn hold(&self, organisation: OrganisationId, stream: &StreamRef) {
        let now = Moment::now();
        let mut halves = self.halves();
        if halves.swept.is_none_or(|swept| now.duration_since(swept) > HELD_FOR) {
            halves.held.retain(|_, held| held.as_ref().is_some_and(|held| now.duration_since(held.confirmed) < HELD_FOR));
            halves.swept = Some(now);
        }
        if halves.held.len() < HELD {
            halves.held.entry((organisation, stream.clone())).or_default();
        }
    }

    /// Forgets one stream: it turned out to be another.
    pub(crate) fn lose(&self, organisation: OrganisationId, stream: &StreamRef) {
        let place = (organisation, stream.clone());
        let mut halves = self.halves();
        if let Some(entry) = halves.young.remove(&place) {
            halves.bytes = halves.bytes.saturating_sub(entry.bytes());
        }
        halves.old.remove(&place);
        halves.held.remove(&place);
    }

    /// Forgets everything of an organisation, as erasure must.
    pub fn forget(&self, organisation: OrganisationId) {
        let mut halves = self.halves();
        halves.old.retain(|(whose, _), _| *whose != organisation);
        halves.held.retain(|(whose, _), _| *whose != organisation);
        halves.young.retain(|(whose, _), _| *whose != organisation);
        halves.bytes = halves.young.values().map(Entry::bytes).sum();
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn insert(&mut self, place: (OrganisationId, StreamRef), entry: Entry, bytes_max: usize) {
        self.bytes += entry.bytes();
        if let Some(before) = self.young.insert(place, entry) {
            self.bytes = self.bytes.saturating_sub(before.bytes());
        }
        if self.bytes > bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn stream(number: u128) -> StreamRef {
        StreamRef::new("note", Uuid::from_u128(number))
    }

    #[test]
    fn what_is_used_stays_and_the_bound_holds() {
        let (kept, organisation) = (Kept::new(32 * (STATE_BYTES + EVENT_BYTES)), OrganisationId(Uuid::from_u128(1)));
        for number in 0..1_000 {
            kept.put(organisation, &stream(number), Arc::new(number), 1);
            assert_eq!(kept.get::<u128>(organisation, &stream(0)).map(|found| found.state), Some(0));
        }
        let halves = kept.halves();
        assert!(halves.young.len() + halves.old.len() <= 32, "{halves:?}");
    }

    #[test]
    fn an_earlier_state_never_takes_a_later_ones_place() {
        let (kept, organisation) = (Kept::new(1 << 20), OrganisationId(Uuid::from_u128(1)));
        kept.put(organisation, &stream(1), Arc::new("later"), 2);
        kept.put(organisation, &stream(1), Arc::new("earlier"), 1);
        assert_eq!(kept.get::<&str>(organisation, &stream(1)).map(|found| (found.state, found.version)), Some(("later", 2)));
        kept.forget(organisation);
        assert!(kept.get::<&str>(organisation, &stream(1)).is_none());
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let (kept, organisation) = (Kept::new(0), OrganisationId(Uuid::from_u128(1)));
        kept.put(organisation, &stream(1), Arc::new(1), 1);
        assert!(kept.get::<i32>(organisation, &stream(1)).is_none());
    }

    #[test]
    fn what_is_held_needs_no_room_and_follows_what_is_written() {
        let (kept, organisation) = (Kept::new(0), OrganisationId(Uuid::from_u128(1)));
        let found = || kept.get::<&str>(organisation, &stream(1)).map(|found| (found.state, found.version));
        kept.hold(organisation, &stream(1));
        assert_eq!(found(), None);
        kept.put(organisation, &stream(1), Arc::new("loaded"), 3);
        assert_eq!(found(), Some(("loaded", 3)));
        kept.put(organisation, &stream(1), Arc::new("written"), 4);
        kept.put(organisation, &stream(1), Arc::new("earlier"), 2);
        assert_eq!(found(), Some(("written", 4)));
        kept.lose(organisation, &stream(1));
        assert_eq!(found(), None);
    }
}
