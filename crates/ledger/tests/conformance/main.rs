//! What a ledger does, told once and held to by both stores; then what is true
//! of one of them alone. Given, when, then; every story in a world of its own,
//! nobody sleeps.
//!
//! Needs `LASTRESORT_TEST_POSTGRES`, the address of a PostgreSQL server on which
//! tests may make databases; `scripts/postgres` starts one and tells it. Where
//! it is missing the stories fail: nothing is ever skipped.

#![expect(clippy::disallowed_methods, reason = "a story draws its ids by chance, and the environment says where PostgreSQL is")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a story names the outcome it expects; every other fails it")]

/// Tells each story on both stores.
macro_rules! on_both_stores {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                crate::scene::play(crate::scene::On::Sqlite, super::$story).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                crate::scene::play(crate::scene::On::Postgres, super::$story).await;
            })+
        }
    };
}

mod appends;
mod asking;
mod claims;
mod commands;
mod crowds;
mod cut;
mod data_keys;
mod desk;
mod followers;
mod histories;
mod kept;
mod keyring;
mod killed;
mod only_postgres;
mod only_sqlite;
mod outages;
mod parking;
mod reading;
mod rows;
mod scene;
