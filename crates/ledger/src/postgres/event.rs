//! A stored event as columns: many at once on the way in, one row on the way out.

use chrono::{DateTime, Utc};
use lastresort_fact::{EventId, Instant, OrganisationId};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row as _};
use uuid::Uuid;

use super::fault::{signed, unsigned};
use crate::append::StreamRef;
use crate::store::{StoreError, StoredEvent};

/// What [`stored`] reads, in its order.
pub(super) const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_id, event_type, event_version,
    payload::text, metadata::text, recorded_at, leaf";

/// The stream's id as postgres-es asks for it: it knows no organisation, so the id says which.
pub(super) fn aggregate_id(organisation: OrganisationId, id: Uuid) -> String {
    format!("{organisation}/{id}")
}

/// An event from the columns of [`COLUMNS`].
pub(super) fn stored(row: &PgRow) -> Result<StoredEvent, StoreError> {
    let aggregate_id: &str = row.try_get(2)?;
    let id = aggregate_id.rsplit('/').next().and_then(|id| Uuid::parse_str(id).ok());
    let id = id.ok_or_else(|| StoreError::Corrupt(format!("{aggregate_id} is not the id of a stream")))?;
    Ok(StoredEvent {
        position: unsigned(row.try_get(0)?)?,
        stream: StreamRef { kind: row.try_get(1)?, id },
        sequence: unsigned(row.try_get(3)?)?,
        event_id: EventId(row.try_get(4)?),
        event_type: row.try_get(5)?,
        event_version: row.try_get(6)?,
        payload: row.try_get(7)?,
        metadata: row.try_get(8)?,
        recorded_at: Instant::from(row.try_get::<DateTime<Utc>, _>(9)?),
        leaf: row.try_get(10)?,
    })
}

/// Events, column by column.
#[derive(Default)]
pub(super) struct EventColumns<'a> {
    positions: Vec<i64>,
    kinds: Vec<&'a str>,
    ids: Vec<String>,
    sequences: Vec<i64>,
    event_ids: Vec<Uuid>,
    types: Vec<&'a str>,
    versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadata: Vec<&'a str>,
    recorded: Vec<DateTime<Utc>>,
    leaves: Vec<&'a [u8]>,
}

impl<'a> EventColumns<'a> {
    /// Turns events of one organisation on their side.
    pub(super) fn of(organisation: OrganisationId, events: &'a [StoredEvent]) -> Self {
        let mut columns = Self::default();
        for event in events {
            columns.positions.push(signed(event.position));
            columns.kinds.push(&event.stream.kind);
            columns.ids.push(aggregate_id(organisation, event.stream.id));
            columns.sequences.push(signed(event.sequence));
            columns.event_ids.push(event.event_id.0);
            columns.types.push(&event.event_type);
            columns.versions.push(&event.event_version);
            columns.payloads.push(&event.payload);
            columns.metadata.push(&event.metadata);
            columns.recorded.push(event.recorded_at.utc());
            columns.leaves.push(&event.leaf);
        }
        columns
    }

    /// Binds the columns as arrays, in the order in which the fields stand.
    pub(super) fn bind<'q>(self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments>
    where
        'a: 'q,
    {
        query
            .bind(self.positions)
            .bind(self.kinds)
            .bind(self.ids)
            .bind(self.sequences)
            .bind(self.event_ids)
            .bind(self.types)
            .bind(self.versions)
            .bind(self.payloads)
            .bind(self.metadata)
            .bind(self.recorded)
            .bind(self.leaves)
    }
}
