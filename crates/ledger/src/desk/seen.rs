//! What one request has seen: each stream's state once, so that what follows
//! a decision – the answer – need not load what the decision rested on.

use std::collections::BTreeMap;
use std::sync::Arc;

use lastresort_fact::Decides;
use uuid::Uuid;

use crate::append::StreamRef;
use crate::kept::AnyState;

/// States with their versions, by stream.
#[derive(Clone, Default)]
pub struct Seen(BTreeMap<StreamRef, (AnyState, u64)>);

impl Seen {
    /// The state of a stream, where it was seen.
    pub(super) fn get<T: Decides>(&self, id: Uuid) -> Option<(T, u64)> {
        let (state, version) = self.0.get(&StreamRef::new(T::TYPE, id))?;
        Some((state.downcast_ref::<T>()?.clone(), *version))
    }

    pub(super) fn put<T: Decides>(&mut self, id: Uuid, state: T, version: u64) {
        self.0.insert(StreamRef::new(T::TYPE, id), (Arc::new(state), version));
    }

    /// Puts another state of a stream in place of the one seen.
    pub(super) fn replace(&mut self, stream: &StreamRef, state: AnyState) {
        if let Some((seen, _)) = self.0.get_mut(stream) {
            *seen = state;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&StreamRef, &AnyState, u64)> {
        self.0.iter().map(|(stream, (state, version))| (stream, state, *version))
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(stream, (_, version))| (stream, version))).finish()
    }
}
