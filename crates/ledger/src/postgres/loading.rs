//! Loads streams through postgres-es, several at a time: while one load is on
//! its way, the next streams asked for gather, as appends do, and travel
//! together. There is no timer: whoever comes alone goes at once.
//!
//! postgres-es knows no organisation, reads one stream, and reads where
//! `aggregate_type` and `aggregate_id` are what they should be. What is told to
//! it as its table makes of the id it hands over the streams it is to find: all
//! of one organisation, so that the primary key serves them, a database cluster
//! finds the one shard, and an id of another organisation finds nothing.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use cqrs_es::persist::SerializedEvent;
use futures::FutureExt as _;
use lastresort_fact::OrganisationId;
use postgres_es::PostgresEventRepository;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::lines::{Home, home};
use super::pool_options;
use crate::store::{Kind, StoreError, StreamEvent};

/// One row for each stream asked for, its place among them as `sequence`. Its
/// events stand in `event_type`, which is handed on as it was read; a payload
/// would be parsed, once there and once here into what is wanted. Between two of
/// them is a character that no JSON text holds unescaped, and the number of the
/// last is in `event_version`. The array stands in a SELECT of its own for the
/// reason given in `batch`.
const STREAMS: &str = "(SELECT $1::text AS aggregate_type, $2::text AS aggregate_id, n.nth AS sequence, s.events AS event_type,
    s.last AS event_version, 'null'::json AS payload, 'null'::json AS metadata
    FROM unnest((SELECT string_to_array(split_part($2, '/', 2), ' '))) WITH ORDINALITY AS n (asked, nth)
    CROSS JOIN LATERAL (SELECT coalesce(string_agg(e.payload, chr(30)), '') AS events, coalesce(max(e.sequence), 0)::text AS last FROM (
        SELECT sequence, payload::text FROM events WHERE organisation = split_part($2, '/', 1)::uuid AND aggregate_type = $1
        AND aggregate_id = split_part($2, '/', 1) || '/' || split_part(n.asked, '>', 1) AND sequence > split_part(n.asked, '>', 2)::bigint
        ORDER BY sequence) AS e) AS s) AS streams";

/// So many streams travel together at most.
const TOGETHER: usize = 64;

/// Repositories of postgres-es, each with its pool: one for each runtime that
/// asks, for the reason given in `lines`.
pub(super) struct Loading {
    options: PgConnectOptions,
    most: u32,
    homes: Mutex<HashMap<Home, Arc<Counter>>>,
}

/// Where those ask that share a runtime. While streams of a kind of one
/// organisation are on their way, a queue stands there for more of them.
struct Counter {
    pool: PgPool,
    repository: PostgresEventRepository,
    queues: Mutex<HashMap<(OrganisationId, &'static str), Vec<Asked>>>,
}

/// A stream asked for.
struct Asked {
    id: Uuid,
    after: u64,
    answer: oneshot::Sender<Result<Vec<StreamEvent>, StoreError>>,
}

impl Loading {
    /// With about so many connections in all: one at least for each processor.
    pub(super) fn new(options: PgConnectOptions, connections: u32) -> Self {
        let processors = available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok()).unwrap_or(1);
        Self { options, most: connections.div_ceil(processors), homes: Mutex::default() }
    }

    /// The events of one stream after `after`.
    pub(super) async fn stream(
        &self,
        organisation: OrganisationId,
        kind: Kind,
        id: Uuid,
        after: u64,
    ) -> Result<Vec<StreamEvent>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let counter = self.counter();
        if counter.takes((organisation, kind.name()), Asked { id, after, answer }) {
            tokio::spawn(async move { counter.serve(organisation, kind).await });
        }
        answered.await.map_err(|_| StoreError::Unavailable("the store is closing".to_owned()))?
    }

    fn counter(&self) -> Arc<Counter> {
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = homes.entry(home()).or_insert_with(|| {
            let pool = pool_options(self.most).connect_lazy_with(self.options.clone());
            // It never writes: the name of its snapshots is one that no table has.
            let repository = PostgresEventRepository::new(pool.clone()).with_tables(STREAMS, "no_snapshots");
            Arc::new(Counter { pool, repository, queues: Mutex::default() })
        });
        Arc::clone(counter)
    }

    /// Closes for good.
    pub(super) async fn close(&self) {
        let homes = std::mem::take(&mut *self.homes.lock().unwrap_or_else(PoisonError::into_inner));
        for counter in homes.into_values() {
            counter.pool.close().await;
        }
    }
}

impl Counter {
    /// Takes a stream into its queue; `true` where somebody is to serve it now.
    fn takes(&self, which: (OrganisationId, &'static str), asked: Asked) -> bool {
        let mut queues = self.queues();
        let serve = !queues.contains_key(&which);
        queues.entry(which).or_default().push(asked);
        serve
    }

    /// Loads what waits in a queue, until nothing does.
    async fn serve(&self, organisation: OrganisationId, kind: Kind) {
        let mut queue = Queue { counter: self, which: (organisation, kind.name()), done: false };
        while let Some(together) = queue.next() {
            // A panic over one load must not leave those who wait unserved.
            let loaded = AssertUnwindSafe(self.load(organisation, kind, &together)).catch_unwind().await;
            let loaded = loaded.unwrap_or_else(|_| Err(StoreError::Corrupt("what was to be loaded made the loader panic".to_owned())));
            match loaded {
                Ok(streams) => together.into_iter().zip(streams).for_each(|(asked, events)| drop(asked.answer.send(events))),
                Err(error) => together.into_iter().for_each(|asked| drop(asked.answer.send(Err(error.clone())))),
            }
        }
    }

    async fn load(
        &self,
        organisation: OrganisationId,
        kind: Kind,
        together: &[Asked],
    ) -> Result<Vec<Result<Vec<StreamEvent>, StoreError>>, StoreError> {
        let asked: Vec<String> = together.iter().map(|asked| format!("{}>{}", asked.id, asked.after)).collect();
        let named = format!("{organisation}/{}", asked.join(" "));
        let unavailable = |error: cqrs_es::persist::PersistenceError| StoreError::Unavailable(error.to_string());
        let rows = kind.load(&self.repository, &named).await.map_err(unavailable)?;
        if rows.len() != together.len() {
            return Err(StoreError::Corrupt(format!("{} streams were asked for and {} came", together.len(), rows.len())));
        }
        Ok(together.iter().zip(&rows).map(|(asked, row)| events(asked.after, row)).collect())
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<(OrganisationId, &'static str), Vec<Asked>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A queue being served. Where whoever serves it is taken away, as at the end
/// of a runtime, those who wait are told, and the next to come is served.
struct Queue<'a> {
    counter: &'a Counter,
    which: (OrganisationId, &'static str),
    done: bool,
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.counter.queues().remove(&self.which);
        }
    }
}

impl Queue<'_> {
    /// Those who travel next; the queue is gone where nobody waits.
    fn next(&mut self) -> Option<Vec<Asked>> {
        let mut queues = self.counter.queues();
        let waiting = queues.get_mut(&self.which)?;
        if waiting.is_empty() {
            queues.remove(&self.which);
            self.done = true;
            return None;
        }
        let together = waiting.len().min(TOGETHER);
        Some(waiting.drain(..together).collect())
    }
}

/// The events of a stream after `after`, from its row.
fn events(after: u64, row: &SerializedEvent) -> Result<Vec<StreamEvent>, StoreError> {
    let payloads = row.event_type.split_terminator('\u{1e}').map(str::to_owned);
    let events: Vec<_> = (after + 1..).zip(payloads).map(|(sequence, payload)| StreamEvent { sequence, payload }).collect();
    match (events.last(), row.event_version.parse()) {
        (None, Ok(0)) => Ok(events),
        (Some(last), Ok(number)) if last.sequence == number => Ok(events),
        (last, _) => {
            let found = last.map_or(after, |last| last.sequence);
            Err(StoreError::Corrupt(format!("a stream has events up to {found} and ends at {}", row.event_version)))
        }
    }
}
