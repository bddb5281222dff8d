//! The words every room of the house shares: ids, instants, who did a thing
//! and in what role, the envelope of a fact, and fields that are personal.
//!
//! Nothing here does input or output, reads a clock or draws chance.

mod aggregate;
mod id;
mod instant;
mod personal;
mod refusal;
mod role;
mod stamp;

pub use aggregate::{Asked, Decides, Fact, Happened, Root};
pub use id::*;
pub use instant::Instant;
pub use personal::{Class, Held, Kept, Open, Origin, Personal, PersonalDay, PersonalField, PersonalText, Sealed, Visit};
pub use refusal::{Refusal, Unmet};
pub use role::{Role, Scope};
pub use stamp::{Actor, Stamp};
