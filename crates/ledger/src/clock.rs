//! The domain's clock: an argument, never the machine's by stealth. Tokens and
//! logs use the machine's; what happens in a ledger uses this.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::Utc;
use lastresort_fact::Instant;

/// A clock that says what time it is in the ledgers.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    Machine,
    /// Stands where it is put, in microseconds.
    Standing(AtomicI64),
    /// Runs beside the machine's, so many microseconds away.
    Shifted(AtomicI64),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn machine() -> Self {
        Self(Arc::new(Inner::Machine))
    }

    /// A clock that stands until it is moved.
    #[must_use]
    pub fn standing(at: Instant) -> Self {
        Self(Arc::new(Inner::Standing(AtomicI64::new(at.micros()))))
    }

    /// A clock that runs on from `at`.
    #[must_use]
    pub fn running_from(at: Instant) -> Self {
        Self(Arc::new(Inner::Shifted(AtomicI64::new(at.micros() - machine()))))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &*self.0 {
            Inner::Machine => Instant::from_micros(machine()),
            Inner::Standing(at) => Instant::from_micros(at.load(Ordering::SeqCst)),
            Inner::Shifted(by) => Instant::from_micros(machine() + by.load(Ordering::SeqCst)),
        }
    }

    /// Puts a standing or running clock at `at`, if that is later; the machine's stays.
    pub fn advance(&self, at: Instant) {
        match &*self.0 {
            Inner::Machine => {}
            Inner::Standing(now) => {
                now.fetch_max(at.micros(), Ordering::SeqCst);
            }
            Inner::Shifted(by) => {
                by.fetch_max(at.micros() - machine(), Ordering::SeqCst);
            }
        }
    }

    /// Whether this is not the machine's clock.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        !matches!(*self.0, Inner::Machine)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the domain's clock reads the machine's")]
fn machine() -> i64 {
    Utc::now().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_forwards_only() {
        let clock = Clock::standing(Instant::from_micros(10));
        clock.advance(Instant::from_micros(5));
        assert_eq!(clock.now().micros(), 10);
        clock.advance(Instant::from_micros(15));
        assert_eq!(clock.now().micros(), 15);
    }
}
