//! Tokens that were good, by their digest, so that a caller's next request
//! costs no signature.
//!
//! Two generations: what is asked for moves to the young one, and when that is
//! full the old one is dropped. Bounded, and nobody has to sweep.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Bearer;

/// How many tokens a generation holds.
const GENERATION: usize = 8_192;

type Digest = [u8; 32];

/// A token that was good, and what that rested on.
pub(super) struct Verified {
    pub(super) bearer: Bearer,
    /// Which of the issuers.
    pub(super) issuer: usize,
    /// Which of its keys.
    pub(super) thumbprint: [u8; 32],
}

#[derive(Default)]
pub(super) struct Cache(RwLock<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Digest, Arc<Verified>>,
    old: HashMap<Digest, Arc<Verified>>,
}

impl Cache {
    /// Whoever asks still looks at key and expiry.
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Verified>> {
        let generations = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(young) = generations.young.get(digest) {
            return Some(Arc::clone(young));
        }
        let old = Arc::clone(generations.old.get(digest)?);
        drop(generations);
        self.insert(*digest, Arc::clone(&old));
        Some(old)
    }

    pub(super) fn put(&self, digest: Digest, verified: Verified, now: i64) {
        if now < verified.bearer.expires_at {
            self.insert(digest, Arc::new(verified));
        }
    }

    fn insert(&self, digest: Digest, verified: Arc<Verified>) {
        let mut generations = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= GENERATION {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(digest, verified);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let generations = self.0.read().unwrap_or_else(PoisonError::into_inner);
        generations.young.len() + generations.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified() -> Verified {
        let bearer = Bearer { issuer: "i".into(), subject: "s".into(), scopes: None, expires_at: 10 };
        Verified { bearer, issuer: 0, thumbprint: [0; 32] }
    }

    fn digest(n: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        digest
    }

    #[test]
    fn is_bounded_and_keeps_what_is_asked_for() {
        let cache = Cache::default();
        for n in 0..GENERATION * 4 {
            cache.put(digest(n), verified(), 0);
            assert!(cache.get(&digest(0)).is_some(), "asked for all the time, dropped at {n}");
        }
        assert!(cache.len() <= 2 * GENERATION);
        assert!(cache.get(&digest(1)).is_none());
    }

    #[test]
    fn takes_nothing_that_has_expired() {
        let cache = Cache::default();
        cache.put(digest(1), verified(), 10);
        assert_eq!(cache.len(), 0);
    }
}
