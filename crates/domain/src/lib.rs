//! What may be asked, what can have happened, what is refused: one file per
//! aggregate, read top-down – asked, happened, refused, remembered, decided,
//! applied, tested. Pure: who, when and chance arrive as arguments.

pub mod candidate;
pub mod correction;
pub mod curriculum;
pub mod grant;
pub mod guard;
pub mod needs_analysis;
pub mod organisation;
pub mod person;
pub mod programme;
pub mod reads;
pub mod session;
pub mod stage;

pub use guard::{Action, Guarded};
