//! The ledger: one per organisation, append-only, gapless, in commit order;
//! and the desk that runs commands on it, the followers that fold it, and the
//! rows they keep. Knows no trainer: it is generic over the aggregate.

pub mod append;
pub mod clock;
pub mod desk;
pub mod fold;
pub mod follow;
pub mod ids;
pub mod kept;
pub mod keys;
pub mod postgres;
pub mod rows;
pub mod sequence;
pub mod sqlite;
pub mod store;
pub mod view;
