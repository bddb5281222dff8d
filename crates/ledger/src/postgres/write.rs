//! The writers: one task per organisation that has something to append.
//!
//! While one commit is in flight, what else arrives for the organisation
//! gathers and is the next batch; no timer holds anything up. Organisations
//! do not wait for each other, and PostgreSQL's own group commit joins them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use lastresort_fact::OrganisationId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::settle::Settler;
use crate::append::{Append, Outcome};
use crate::store::StoreError;

/// The most commands in one transaction.
const BATCH_COMMANDS: usize = 64;
/// The most bytes of events in one transaction, if it has more than one command.
const BATCH_BYTES: usize = 256 * 1024;
/// The most commands that wait for one organisation's writer before callers wait to hand theirs over.
const QUEUE: usize = 1024;
/// After so long without work a writer ends.
const IDLE: Duration = Duration::from_secs(10);

/// An append and whoever waits for its outcome.
struct Job {
    append: Append,
    answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// Hands every append to its organisation's writer.
pub(super) struct Writers {
    settler: Arc<Settler>,
    desks: Arc<Mutex<Desks>>,
}

#[derive(Default)]
struct Desks {
    closed: bool,
    open: HashMap<OrganisationId, mpsc::Sender<Job>>,
    tasks: JoinSet<()>,
}

impl Writers {
    pub(super) fn new(settler: Settler) -> Self {
        Self { settler: Arc::new(settler), desks: Arc::default() }
    }

    /// Appends, in whatever batch comes next.
    pub(super) async fn append(&self, append: Append) -> Result<Outcome, StoreError> {
        let organisation = append.organisation;
        let (answer, answered) = oneshot::channel();
        let mut job = Job { append, answer };
        loop {
            // A writer that ends refuses the job and gives it back; the next try makes a new one.
            match self.writer(organisation)?.send(job).await {
                Ok(()) => break,
                Err(refused) => job = refused.0,
            }
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer ended without an answer".to_owned())))
    }

    /// The way to the organisation's writer, who is set to work if there is none.
    fn writer(&self, organisation: OrganisationId) -> Result<mpsc::Sender<Job>, StoreError> {
        let mut desks = locked(&self.desks);
        if desks.closed {
            return Err(StoreError::Unavailable("the store is closing".to_owned()));
        }
        if let Some(sender) = desks.open.get(&organisation).filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let (sender, jobs) = mpsc::channel(QUEUE);
        desks.open.insert(organisation, sender.clone());
        while desks.tasks.try_join_next().is_some() {}
        let writer = Writer { organisation, jobs, held: None, settler: Arc::clone(&self.settler), desks: Arc::downgrade(&self.desks) };
        desks.tasks.spawn(writer.run());
        Ok(sender)
    }

    /// Takes nothing more, and waits until everything taken is answered.
    pub(super) async fn close(&self) {
        let mut tasks = {
            let mut desks = locked(&self.desks);
            desks.closed = true;
            desks.open.clear();
            std::mem::take(&mut desks.tasks)
        };
        while tasks.join_next().await.is_some() {}
        self.settler.close().await;
    }
}

/// One organisation's writer.
struct Writer {
    organisation: OrganisationId,
    jobs: mpsc::Receiver<Job>,
    /// What did not fit into the last batch.
    held: Option<Job>,
    settler: Arc<Settler>,
    desks: Weak<Mutex<Desks>>,
}

impl Writer {
    async fn run(mut self) {
        while let Some(first) = self.next().await {
            let batch = self.gather(first);
            let (appends, answers): (Vec<Append>, Vec<_>) = batch.into_iter().map(|job| (job.append, job.answer)).unzip();
            let outcomes = self.settler.settle(self.organisation, &appends).await;
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Whoever asked may be gone; the append stands all the same.
                answer.send(outcome).ok();
            }
        }
    }

    /// The next job; `None` when there will be none.
    async fn next(&mut self) -> Option<Job> {
        if let Some(held) = self.held.take() {
            return Some(held);
        }
        if let Ok(next) = timeout(IDLE, self.jobs.recv()).await {
            return next;
        }
        self.leave();
        self.jobs.recv().await
    }

    /// Takes nothing more; what was handed over before is still done.
    fn leave(&mut self) {
        self.jobs.close();
        if let Some(desks) = self.desks.upgrade() {
            let mut desks = locked(&desks);
            if desks.open.get(&self.organisation).is_some_and(mpsc::Sender::is_closed) {
                desks.open.remove(&self.organisation);
            }
        }
    }

    /// What waits already, within the bounds of a batch.
    fn gather(&mut self, first: Job) -> Vec<Job> {
        let mut bytes = first.append.size();
        let mut batch = vec![first];
        while batch.len() < BATCH_COMMANDS {
            let Ok(job) = self.jobs.try_recv() else { break };
            bytes += job.append.size();
            if bytes > BATCH_BYTES {
                self.held = Some(job);
                break;
            }
            batch.push(job);
        }
        batch
    }
}

fn locked(desks: &Mutex<Desks>) -> MutexGuard<'_, Desks> {
    desks.lock().unwrap_or_else(PoisonError::into_inner)
}
