//! Read models: folds of one ledger. One file each: a row, which rows an event
//! concerns, the fold, and what is shown of a row at a moment.
//!
//! A row holds dated facts, so that late arrivals give the same row in any
//! order; what rests on today is worked out when somebody asks.

pub mod candidate;
pub mod curriculum;
pub mod grant;
pub mod needs_analysis;
pub mod organisation;
pub mod person;
pub mod programme;
pub mod session;
#[cfg(test)]
mod testing;
mod world;

pub use world::{Gather, Happening, Ledgers, each, names};

use lastresort_ledger::view::Views;

/// Every view of the service.
#[must_use]
pub fn all() -> Views<Ledgers> {
    Views::default()
        .with::<organisation::Organisations>()
        .with::<grant::Grants>()
        .with::<person::Persons>()
        .with::<curriculum::Curricula>()
        .with::<needs_analysis::NeedsAnalyses>()
        .with::<programme::Programmes>()
        .with::<candidate::Candidates>()
        .with::<session::Sessions>()
}

/// The moment an answer is for: what rests on today rests on this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Now, by the domain's clock.
    pub at: lastresort_fact::Instant,
    /// The calendar day where the organisation is.
    pub day: chrono::NaiveDate,
}
