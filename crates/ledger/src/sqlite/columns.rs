//! What stands in the columns, and how it is read.

use lastresort_fact::{EventId, Instant, KeyId, PersonId};
use rusqlite::Row as SqlRow;
use uuid::Uuid;

use crate::append::{Head, StoredCommand, StreamRef};
use crate::store::{DataKeyRow, StoredEvent, class_named};

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn uuid(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

pub(super) const EVENT: &str =
    "position, aggregate_type, aggregate_id, sequence, event_id, event_type, event_version, payload, metadata, recorded_at, leaf";

pub(super) fn event(row: &SqlRow<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        position: unsigned(row.get(0)?),
        stream: StreamRef { kind: row.get(1)?, id: uuid(row, 2)? },
        sequence: unsigned(row.get(3)?),
        event_id: EventId(uuid(row, 4)?),
        event_type: row.get(5)?,
        event_version: row.get(6)?,
        payload: row.get(7)?,
        metadata: row.get(8)?,
        recorded_at: Instant::from_micros(row.get(9)?),
        leaf: row.get(10)?,
    })
}

pub(super) fn head(row: &SqlRow<'_>) -> rusqlite::Result<Head> {
    Ok(Head { position: unsigned(row.get(0)?), recorded_at: Instant::from_micros(row.get(1)?) })
}

pub(super) fn stored_command(row: &SqlRow<'_>) -> rusqlite::Result<StoredCommand> {
    let receipt: String = row.get(1)?;
    let receipt = serde_json::from_str(&receipt)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error)))?;
    Ok(StoredCommand { body: row.get(0)?, receipt })
}

pub(super) fn data_key(row: &SqlRow<'_>) -> rusqlite::Result<DataKeyRow> {
    let class: String = row.get(2)?;
    Ok(DataKeyRow {
        id: KeyId(uuid(row, 0)?),
        subject: PersonId(uuid(row, 1)?),
        class: class_named(&class).ok_or_else(|| rusqlite::Error::InvalidColumnType(2, "class".to_owned(), rusqlite::types::Type::Text))?,
        epoch: row.get(3)?,
        wrapped: row.get(4)?,
        destroyed_at: row.get::<_, Option<i64>>(5)?.map(Instant::from_micros),
    })
}

pub(super) const DATA_KEY: &str = "id, subject, class, epoch, wrapped, destroyed_at";
