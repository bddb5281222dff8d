//! The catalogue of problems: the one table that turns a code into a status, a
//! title and a sentence. It is committed, served as pages, and only ever added
//! to: a client may branch on a code for ever.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name on the wire, stable for ever.
    pub code: &'static str,
    /// The HTTP status it is answered with.
    pub status: u16,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it means and what to do, in a sentence or two.
    pub meaning: &'static str,
    /// Whether the same request may succeed later, unchanged.
    pub retryable: bool,
}

/// The entry of a code, where there is one.
#[must_use]
pub fn known(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.code == code)
}

/// The entry for whatever goes wrong on our side.
pub(super) const fn fault() -> &'static Entry {
    &CATALOGUE[0]
}

macro_rules! catalogue {
    ($($status:literal $($again:ident)? $code:ident $title:literal $meaning:literal)+) => {
        /// Every problem this service can answer with.
        pub const CATALOGUE: &[Entry] = &[$(Entry {
            code: stringify!($code), status: $status, title: $title, meaning: $meaning, retryable: catalogue!(@ $($again)?),
        }),+];
    };
    (@) => { false };
    (@ retryable) => { true };
}
