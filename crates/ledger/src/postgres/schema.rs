//! The schema, and how it comes to be: the migrations are in the binary and
//! run at connect, all in one transaction, one process at a time. A database
//! that a newer server has migrated is left alone.

use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::store::StoreError;

/// Every migration, in order; the first is version 1.
const MIGRATIONS: [(&str, &str); 2] = [
    ("0001_ledger", include_str!("../../migrations/postgres/0001_ledger.sql")),
    ("0002_views", include_str!("../../migrations/postgres/0002_views.sql")),
];

/// The key under which one process at a time changes the schema.
pub(super) const SCHEMA_LOCK: i64 = 0x6c61_7374_7265_736f;

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_version (
    version    bigint      NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

/// Brings the schema to the version this server knows.
///
/// # Errors
/// [`StoreError::InUse`] where it is newer than that.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SCHEMA_LOCK).execute(&mut *transaction).await?;
    transaction.execute(VERSIONS).await?;
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_version").fetch_one(&mut *transaction).await?;
    let mut version: i64 = 0;
    for (name, sql) in MIGRATIONS {
        version += 1;
        if version > found {
            transaction.execute(sql).await?;
            let insert = sqlx::query("INSERT INTO schema_version (version, name) VALUES ($1, $2)");
            insert.bind(version).bind(name).execute(&mut *transaction).await?;
            tracing::info!(version, name, "migrated");
        }
    }
    if found > version {
        return Err(StoreError::InUse(format!(
            "the database has schema version {found}, and this server knows none above {version}: a newer one has been here"
        )));
    }
    transaction.commit().await?;
    Ok(())
}
