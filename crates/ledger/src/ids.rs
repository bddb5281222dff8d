//! Ids made by the service: UUID version 7, so that they sort by their making.

use uuid::Uuid;

/// A new id.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where ids are made")]
pub fn new() -> Uuid {
    Uuid::now_v7()
}
