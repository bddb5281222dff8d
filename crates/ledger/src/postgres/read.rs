//! What is asked of ledgers, keys and commands without changing them.

use chrono::{DateTime, Utc};
use lastresort_fact::{Instant, KeyId, OrganisationId, PersonId};
use sqlx::PgConnection;
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

use super::event::{COLUMNS, aggregate_id, stored};
use super::fault::{signed, unsigned};
use crate::append::{ClaimName, Digest, Head, Receipt, StoredCommand, StreamRef};
use crate::store::{DataKeyRow, StoreError, StoredEvent, class_named};

/// The events of a ledger after `after`.
pub(super) async fn ledger(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE organisation = $1 AND position > $2 ORDER BY position LIMIT $3");
    let query = sqlx::query(&sql).bind(organisation.0).bind(signed(after)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(stored).collect()
}

/// The events of one stream after the position `after`. Sorted by sequence,
/// which within a stream is the order of positions and is in the primary key.
pub(super) async fn ledger_of_stream(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    stream: &StreamRef,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE organisation = $1 AND aggregate_type = $2 AND aggregate_id = $3
         AND position > $4 ORDER BY sequence LIMIT $5"
    );
    let query = sqlx::query(&sql).bind(organisation.0).bind(&stream.kind).bind(aggregate_id(organisation, stream.id));
    let query = query.bind(signed(after)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(stored).collect()
}

/// A head from its row: `position`, `recorded_at`.
pub(super) fn head(row: &PgRow) -> Result<Head, StoreError> {
    let recorded_at: DateTime<Utc> = row.try_get("recorded_at")?;
    Ok(Head { position: unsigned(row.try_get("position")?)?, recorded_at: Instant::from(recorded_at) })
}

/// The head of one ledger.
pub(super) async fn one_head(connection: &mut PgConnection, organisation: OrganisationId) -> Result<Option<Head>, StoreError> {
    let query = sqlx::query("SELECT position, recorded_at FROM heads WHERE organisation = $1").bind(organisation.0);
    query.fetch_optional(connection).await?.as_ref().map(head).transpose()
}

/// Every head.
pub(super) async fn all_heads(pool: &PgPool) -> Result<Vec<(OrganisationId, Head)>, StoreError> {
    let rows = sqlx::query("SELECT organisation, position, recorded_at FROM heads ORDER BY organisation").fetch_all(pool).await?;
    rows.iter().map(|row| Ok((OrganisationId(row.try_get("organisation")?), head(row)?))).collect()
}

/// A receipt from its text.
pub(super) fn receipt(text: &str) -> Result<Receipt, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("a receipt: {error}")))
}

/// What a command key was used for.
pub(super) async fn one_command(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    key: Digest,
) -> Result<Option<StoredCommand>, StoreError> {
    let sql = "SELECT body, receipt::text FROM commands WHERE organisation = $1 AND key = $2";
    let row = sqlx::query(sql).bind(organisation.0).bind(key).fetch_optional(connection).await?;
    row.map(|row| Ok(StoredCommand { body: row.try_get(0)?, receipt: receipt(row.try_get(1)?)? })).transpose()
}

/// Forgets what command keys were used for before an instant.
pub(super) async fn forget_commands(pool: &PgPool, before: Instant) -> Result<u64, StoreError> {
    let sql = "DELETE FROM commands AS c USING (SELECT organisation, key FROM commands WHERE recorded_at < $1 LIMIT 5000) AS old
        WHERE c.organisation = old.organisation AND c.key = old.key";
    Ok(sqlx::query(sql).bind(before.utc()).execute(pool).await?.rows_affected())
}

/// Who holds a claim.
pub(super) async fn claim(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    claim: &ClaimName,
) -> Result<Option<StreamRef>, StoreError> {
    let sql = "SELECT stream_kind, stream_id FROM claims WHERE organisation = $1 AND kind = $2 AND digest = $3";
    let query = sqlx::query(sql).bind(organisation.0).bind(&claim.kind).bind(claim.digest);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| Ok(StreamRef { kind: row.try_get(0)?, id: row.try_get(1)? })).transpose()
}

/// Data keys by id, in the order asked; sought as the reads under the lock are.
pub(super) async fn data_keys(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    ids: &[KeyId],
) -> Result<Vec<DataKeyRow>, StoreError> {
    let sql = "SELECT k.id, k.subject, k.class, k.epoch, k.wrapped, k.destroyed_at
        FROM unnest((SELECT $2::uuid[])) WITH ORDINALITY AS n (id, nth)
        CROSS JOIN LATERAL (SELECT * FROM data_keys WHERE organisation = $1 AND id = n.id LIMIT 1) AS k ORDER BY n.nth";
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query(sql).bind(organisation.0).bind(ids).fetch_all(connection).await?.iter().map(data_key).collect()
}

/// Data keys about one person.
pub(super) async fn keys_about(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    subject: PersonId,
) -> Result<Vec<DataKeyRow>, StoreError> {
    let sql = "SELECT id, subject, class, epoch, wrapped, destroyed_at FROM data_keys WHERE organisation = $1 AND subject = $2 ORDER BY id";
    sqlx::query(sql).bind(organisation.0).bind(subject.0).fetch_all(connection).await?.iter().map(data_key).collect()
}

fn data_key(row: &PgRow) -> Result<DataKeyRow, StoreError> {
    let class: &str = row.try_get(2)?;
    let epoch: i64 = row.try_get(3)?;
    let corrupt = |what: &dyn std::fmt::Display| StoreError::Corrupt(format!("a data key: {what}"));
    Ok(DataKeyRow {
        id: KeyId(row.try_get(0)?),
        subject: PersonId(row.try_get(1)?),
        class: class_named(class).ok_or_else(|| corrupt(&class))?,
        epoch: u32::try_from(epoch).map_err(|error| corrupt(&error))?,
        wrapped: row.try_get(4)?,
        destroyed_at: row.try_get::<Option<DateTime<Utc>>, _>(5)?.map(Instant::from),
    })
}

/// A small value, where one is kept.
pub(super) async fn setting(pool: &PgPool, name: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT value FROM settings WHERE name = $1").bind(name).fetch_optional(pool).await?)
}

/// Keeps a small value unless there is one, and returns the one kept. Two
/// statements: the second sees what another process wrote while the first waited.
pub(super) async fn keep_setting(pool: &PgPool, name: &str, value: &str) -> Result<String, StoreError> {
    let insert = sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
    insert.bind(name).bind(value).execute(pool).await?;
    Ok(sqlx::query_scalar("SELECT value FROM settings WHERE name = $1").bind(name).fetch_one(pool).await?)
}

/// Reached, and no standby.
pub(super) async fn ping(pool: &PgPool) -> Result<(), StoreError> {
    let sql = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'";
    if sqlx::query_scalar::<_, bool>(sql).fetch_one(pool).await? {
        return Ok(());
    }
    Err(StoreError::Unavailable("the database takes no writes".to_owned()))
}

/// What durability rests on, as this connection's server has it set.
pub(super) async fn durability(pool: &PgPool) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name";
    let names = ["fsync", "full_page_writes", "synchronous_commit"].map(str::to_owned).to_vec();
    Ok(sqlx::query_as(sql).bind(names).fetch_all(pool).await?)
}
