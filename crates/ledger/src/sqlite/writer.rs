//! The one thread that writes. It drains whatever waits, over all ledgers,
//! into one transaction, so that one sync serves them all; while a commit is
//! in flight the next batch gathers. Nobody is answered before the sync.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use lastresort_fact::{Instant, OrganisationId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use tokio::sync::{broadcast, mpsc, oneshot};
use uuid::Uuid;

use super::checkpoints::Checkpoints;
use super::columns::{head, signed, stored_command, unsigned};
use super::fault;
use crate::append::{Append, ClaimName, Digest, Outcome, StoredCommand, StreamRef};
use crate::sequence::{Known, Names, Sequenced, names, sequence};
use crate::store::{Moved, StoreError};

const BATCH_COMMANDS: usize = 256;
const BATCH_BYTES: usize = 1 << 20;
const WAITING: usize = 4096;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Job {
    Append(Box<Append>, Answer<Outcome>),
    KeepSetting(String, String, Answer<String>),
    ForgetCommands(Instant, Answer<u64>),
    Ping(Answer<()>),
    Durability(Answer<Vec<(String, String)>>),
    Close(oneshot::Sender<()>),
}

/// The way to the writing thread.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    pub(super) fn start(connection: Connection, checkpoints: Checkpoints, moves: broadcast::Sender<Moved>) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        thread::spawn(move || Thread { checkpoints, connection, moves }.run(receiver));
        Self(sender)
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, StoreError> {
        let closed = || StoreError::Unavailable("the store is closed".to_owned());
        let (answer, asked) = oneshot::channel();
        self.0.send(job(answer)).await.map_err(|_| closed())?;
        asked.await.map_err(|_| closed())?
    }

    pub(super) async fn append(&self, append: Append) -> Result<Outcome, StoreError> {
        self.ask(|answer| Job::Append(Box::new(append), answer)).await
    }

    pub(super) async fn keep_setting(&self, name: &str, value: &str) -> Result<String, StoreError> {
        self.ask(|answer| Job::KeepSetting(name.to_owned(), value.to_owned(), answer)).await
    }

    pub(super) async fn forget_commands(&self, before: Instant) -> Result<u64, StoreError> {
        self.ask(|answer| Job::ForgetCommands(before, answer)).await
    }

    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        self.ask(Job::Ping).await
    }

    pub(super) async fn durability(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.ask(Job::Durability).await
    }

    pub(super) async fn close(&self) {
        let (answer, asked) = oneshot::channel();
        if self.0.send(Job::Close(answer)).await.is_ok() {
            let _closed = asked.await;
        }
    }
}

struct Thread {
    // Dropped first: with the last connection go the files beside the database.
    checkpoints: Checkpoints,
    connection: Connection,
    moves: broadcast::Sender<Moved>,
}

impl Thread {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut next = jobs.blocking_recv();
        while let Some(job) = next.take() {
            match job {
                Job::Append(append, answer) => next = self.gather(*append, answer, &mut jobs),
                Job::KeepSetting(name, value, answer) => drop(answer.send(self.keep_setting(&name, &value).map_err(fault))),
                Job::ForgetCommands(before, answer) => drop(answer.send(self.forget_commands(before).map_err(fault))),
                Job::Ping(answer) => drop(answer.send(self.ping().map_err(fault))),
                Job::Durability(answer) => drop(answer.send(self.durability().map_err(fault))),
                Job::Close(answer) => {
                    // Closed is closed: all is in the database, and its log is empty. Readers may have it open still.
                    let Self { checkpoints, connection, .. } = self;
                    drop(checkpoints);
                    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
                        tracing::warn!(%error, "the log was left beside the database; the next start reads it");
                    }
                    drop(connection);
                    let _nobody_waits = answer.send(());
                    return;
                }
            }
            if next.is_none() {
                next = jobs.blocking_recv();
            }
        }
    }

    /// Takes what else waits, commits it all, answers; returns the job that was no append.
    fn gather(&mut self, first: Append, answer: Answer<Outcome>, jobs: &mut mpsc::Receiver<Job>) -> Option<Job> {
        let mut bytes = first.size();
        let mut batch = vec![first];
        let mut answers = vec![answer];
        let mut other = None;
        while batch.len() < BATCH_COMMANDS && bytes < BATCH_BYTES {
            match jobs.try_recv() {
                Ok(Job::Append(append, answer)) => {
                    bytes += append.size();
                    batch.push(*append);
                    answers.push(answer);
                }
                Ok(job) => {
                    other = Some(job);
                    break;
                }
                Err(_) => break,
            }
        }
        for (answer, outcome) in answers.into_iter().zip(self.commit(&batch)) {
            drop(answer.send(outcome));
        }
        other
    }

    /// Commits a batch; where it fails, each alone, so that no command fails for another's sake.
    fn commit(&mut self, batch: &[Append]) -> Vec<Result<Outcome, StoreError>> {
        // A panic over one command must not be the end of the thread, and so of all writing.
        let tried = panic::catch_unwind(AssertUnwindSafe(|| self.try_commit(batch).map_err(fault)));
        match tried.unwrap_or_else(|_| Err(StoreError::Corrupt("what was to be written made the writer panic".to_owned()))) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(error) if batch.len() == 1 => vec![Err(error)],
            Err(_) => batch.iter().flat_map(|append| self.commit(std::slice::from_ref(append))).collect(),
        }
    }

    fn try_commit(&mut self, batch: &[Append]) -> rusqlite::Result<Vec<Outcome>> {
        let mut ledgers: BTreeMap<OrganisationId, Vec<usize>> = BTreeMap::new();
        for (index, append) in batch.iter().enumerate() {
            ledgers.entry(append.organisation).or_default().push(index);
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.len()];
        let mut moved = Vec::new();
        for (organisation, indexes) in ledgers {
            let appends: Vec<&Append> = indexes.iter().map(|index| &batch[*index]).collect();
            let done = sequence(&appends, known(&transaction, organisation, &names(&appends))?);
            if !done.is_empty() {
                write(&transaction, organisation, &done)?;
                moved.push(Moved { organisation, position: done.to.position });
            }
            for (index, outcome) in indexes.into_iter().zip(done.outcomes) {
                outcomes[index] = Some(outcome);
            }
        }
        if moved.is_empty() {
            transaction.rollback()?;
        } else {
            transaction.commit()?;
            self.checkpoints.due();
        }
        for step in moved {
            let _nobody_listens = self.moves.send(step);
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    fn keep_setting(&self, name: &str, value: &str) -> rusqlite::Result<String> {
        self.connection.execute("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", [name, value])?;
        self.connection.query_row("SELECT value FROM settings WHERE name = ?", [name], |row| row.get(0))
    }

    fn forget_commands(&self, before: Instant) -> rusqlite::Result<u64> {
        let sql =
            "DELETE FROM commands WHERE (organisation, key) IN (SELECT organisation, key FROM commands WHERE recorded_at < ? LIMIT 5000)";
        self.connection.execute(sql, [before.micros()]).map(|forgotten| forgotten as u64)
    }

    /// A write that changes nothing, down to the disk: only a commit fails where that is full.
    fn ping(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('ping', 'ping')", [])?;
        transaction.commit()
    }

    fn durability(&self) -> rusqlite::Result<Vec<(String, String)>> {
        let setting = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, Value>(0));
        ["journal_mode", "synchronous", "secure_delete", "wal_autocheckpoint"]
            .into_iter()
            .map(|name| {
                let value = match setting(name)? {
                    Value::Text(text) => text,
                    Value::Integer(2) if name == "synchronous" => "FULL".to_owned(),
                    Value::Integer(number) => number.to_string(),
                    Value::Null | Value::Real(_) | Value::Blob(_) => "unknown".to_owned(),
                };
                Ok((name.to_owned(), value))
            })
            .collect()
    }
}

pub(super) fn command(connection: &Connection, organisation: OrganisationId, key: Digest) -> rusqlite::Result<Option<StoredCommand>> {
    let mut statement = connection.prepare_cached("SELECT body, receipt FROM commands WHERE organisation = ? AND key = ?")?;
    statement.query_row(params![organisation.0.as_bytes(), key], stored_command).optional()
}

pub(super) fn claim(connection: &Connection, organisation: OrganisationId, claim: &ClaimName) -> rusqlite::Result<Option<StreamRef>> {
    let mut statement =
        connection.prepare_cached("SELECT aggregate_type, aggregate_id FROM claims WHERE organisation = ? AND kind = ? AND digest = ?")?;
    let holder = |row: &rusqlite::Row<'_>| Ok(StreamRef { kind: row.get(0)?, id: Uuid::from_bytes(row.get(1)?) });
    statement.query_row(params![organisation.0.as_bytes(), claim.kind, claim.digest], holder).optional()
}

fn known(transaction: &Transaction<'_>, organisation: OrganisationId, names: &Names) -> rusqlite::Result<Known> {
    let org = organisation.0.as_bytes();
    let mut known = Known {
        head: transaction
            .prepare_cached("SELECT position, recorded_at FROM heads WHERE organisation = ?")?
            .query_row([org], head)
            .optional()?,
        ..Known::default()
    };
    let mut version = transaction.prepare_cached(
        "SELECT coalesce(max(sequence), 0) FROM events WHERE organisation = ? AND aggregate_type = ? AND aggregate_id = ?",
    )?;
    for stream in &names.streams {
        let found: i64 = version.query_row(params![org, stream.kind, stream.id.as_bytes()], |row| row.get(0))?;
        if found > 0 {
            known.versions.insert(stream.clone(), unsigned(found));
        }
    }
    for name in &names.claims {
        if let Some(holder) = claim(transaction, organisation, name)? {
            known.claims.insert(name.clone(), holder);
        }
    }
    for key in &names.commands {
        if let Some(stored) = command(transaction, organisation, *key)? {
            known.commands.insert(*key, stored);
        }
    }
    let mut alive = transaction.prepare_cached("SELECT 1 FROM data_keys WHERE organisation = ? AND id = ? AND destroyed_at IS NULL")?;
    for id in &names.keys {
        if alive.exists(params![org, id.0.as_bytes()])? {
            known.alive.insert(*id);
        }
    }
    Ok(known)
}

/// Writes what was decided, comparing every count with what was meant.
fn write(transaction: &Transaction<'_>, organisation: OrganisationId, done: &Sequenced) -> rusqlite::Result<()> {
    let org = organisation.0.as_bytes();
    let moved = if done.opens {
        transaction.prepare_cached("INSERT INTO heads (position, recorded_at, organisation) VALUES (?, ?, ?)")?.execute(params![
            signed(done.to.position),
            done.to.recorded_at.micros(),
            org
        ])?
    } else {
        transaction
            .prepare_cached("UPDATE heads SET position = ?, recorded_at = ? WHERE organisation = ? AND position = ?")?
            .execute(params![signed(done.to.position), done.to.recorded_at.micros(), org, signed(done.from.position)])?
    };
    one(moved)?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO events (organisation, position, aggregate_type, aggregate_id, sequence, event_id, event_type, event_version,
         payload, metadata, recorded_at, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for event in &done.events {
        one(insert.execute(params![
            org,
            signed(event.position),
            event.stream.kind,
            event.stream.id.as_bytes(),
            signed(event.sequence),
            event.event_id.0.as_bytes(),
            event.event_type,
            event.event_version,
            event.payload,
            event.metadata,
            event.recorded_at.micros(),
            event.leaf
        ])?)?;
    }
    write_beside(transaction, organisation, done)
}

/// Claims, commands and data keys: what stands beside the events.
fn write_beside(transaction: &Transaction<'_>, organisation: OrganisationId, done: &Sequenced) -> rusqlite::Result<()> {
    let org = organisation.0.as_bytes();
    let mut release = transaction.prepare_cached("DELETE FROM claims WHERE organisation = ? AND kind = ? AND digest = ?")?;
    for name in &done.releases {
        one(release.execute(params![org, name.kind, name.digest])?)?;
    }
    let mut take = transaction
        .prepare_cached("INSERT INTO claims (organisation, kind, digest, aggregate_type, aggregate_id) VALUES (?, ?, ?, ?, ?)")?;
    for claim in &done.claims {
        one(take.execute(params![org, claim.name.kind, claim.name.digest, claim.stream.kind, claim.stream.id.as_bytes()])?)?;
    }
    let mut keep =
        transaction.prepare_cached("INSERT INTO commands (organisation, key, body, receipt, recorded_at) VALUES (?, ?, ?, ?, ?)")?;
    for (key, command) in &done.commands {
        let receipt = serde_json::to_string(&command.receipt).expect("a receipt is always JSON");
        one(keep.execute(params![org, key, command.body, receipt, command.receipt.recorded_at.micros()])?)?;
    }
    let mut add =
        transaction.prepare_cached("INSERT INTO data_keys (organisation, id, subject, class, epoch, wrapped) VALUES (?, ?, ?, ?, ?, ?)")?;
    for key in &done.new_keys {
        one(add.execute(params![org, key.id.0.as_bytes(), key.subject.0.as_bytes(), key.class.name(), key.epoch, key.wrapped])?)?;
    }
    Ok(())
}

fn one(changed: usize) -> rusqlite::Result<()> {
    if changed == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
}
