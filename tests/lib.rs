//! The harness of the stories: a world per story, people who speak in it, and
//! answers held to the contract.
//!
//! A story is an `async fn(&World)`, told on both stores:
//!
//! ```ignore
//! lastresort_tests::on_both_stores!(a_starter_is_employed);
//!
//! async fn a_starter_is_employed(world: &World) {
//!     let client = world.client().await;
//!     let manager = client.person(Role::Manager).await;
//!     manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
//! }
//! ```
//!
//! It needs `LASTRESORT_TEST_POSTGRES`, the address of a PostgreSQL server on
//! which tests may make databases; `scripts/postgres` starts one and tells it.
//! Where it is missing the stories fail: nothing is ever skipped.

#![expect(clippy::missing_panics_doc, reason = "a story fails by panicking, wherever it is in")]
#![expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "what is expected is said for its own sake")]
#![expect(clippy::needless_pass_by_value, reason = "a body is written where it is sent")]

pub mod world;

/// Tells each story once on SQLite and once on PostgreSQL.
#[macro_export]
macro_rules! on_both_stores {
    ($($story:ident),+ $(,)?) => {$(
        mod $story {
            #[test]
            fn on_sqlite() {
                $crate::world::tell($crate::world::On::Sqlite, super::$story);
            }
            #[test]
            fn on_postgres() {
                $crate::world::tell($crate::world::On::Postgres, super::$story);
            }
        }
    )+};
}
