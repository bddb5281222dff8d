//! From a batch to an answer for each of its commands, whatever goes wrong.
//!
//! What fails before COMMIT is sent never happened and may be tried again.
//! What fails after is *unknown*, and nobody is answered from a guess: the
//! batch is run again, which waits for the head's lock – and so for the end of
//! the transaction in doubt – and then finds each command by its key, or does it.

use std::time::Duration;

use lastresort_fact::OrganisationId;
use tokio::time::{sleep, timeout};

use super::batch::{Failure, Prepared, finish, prepare};
use super::lines::Lines;
use super::news::News;
use crate::append::{Append, Outcome};
use crate::store::{Moved, StoreError};

/// A batch is tried so often before its commands are told to come again.
const TRIES: u32 = 4;
/// The same where a commit is in doubt: as long as a database takes to come back.
const TRIES_IN_DOUBT: u32 = 9;
/// The pause before the second try; doubled for each after it.
const PAUSE: Duration = Duration::from_millis(50);
/// A statement, or COMMIT, that takes longer has lost its connection.
const PATIENCE: Duration = Duration::from_secs(20);

type Answer = Result<Outcome, StoreError>;

/// Runs batches.
pub(super) struct Settler {
    lines: Lines,
    news: News,
}

impl Settler {
    pub(super) fn new(lines: Lines, news: News) -> Self {
        Self { lines, news }
    }

    /// One answer per append, in order.
    pub(super) async fn settle(&self, organisation: OrganisationId, batch: &[Append]) -> Vec<Answer> {
        let all: Vec<&Append> = batch.iter().collect();
        match self.persist(organisation, &all).await {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(Failure::Data(_)) if all.len() > 1 => self.settle_alone(organisation, &all).await,
            Err(failure) => {
                let error = told(failure);
                tracing::error!(%organisation, %error, commands = all.len(), "an append was not answered with an outcome");
                vec![Err(error); all.len()]
            }
        }
    }

    /// Each by itself: what one of them holds must not cost the others.
    async fn settle_alone(&self, organisation: OrganisationId, batch: &[&Append]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(batch.len());
        for append in batch {
            answers.push(match self.persist(organisation, &[append]).await {
                Ok(outcomes) => outcomes.into_iter().next().ok_or_else(|| StoreError::Corrupt("no outcome".to_owned())),
                Err(failure) => Err(told(failure)),
            });
        }
        answers
    }

    /// Tries until the outcome is known, or there is no more sense in trying.
    async fn persist(&self, organisation: OrganisationId, batch: &[&Append]) -> Result<Vec<Outcome>, Failure> {
        let mut in_doubt = false;
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let failure = match self.attempt(organisation, batch).await {
                Ok(outcomes) if in_doubt => return Ok(batch.iter().zip(outcomes).map(recognised).collect()),
                Ok(outcomes) => return Ok(outcomes),
                Err(failure) => failure,
            };
            let again = match &failure {
                Failure::Raced(_) | Failure::Lost(_) | Failure::Unknown(_) => true,
                Failure::Store(_) => in_doubt,
                Failure::Data(_) => false,
            };
            in_doubt |= matches!(failure, Failure::Unknown(_));
            if !again || tries >= if in_doubt { TRIES_IN_DOUBT } else { TRIES } {
                return Err(failure);
            }
            tracing::warn!(%organisation, ?failure, tries, in_doubt, "a batch is tried again");
            sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    async fn attempt(&self, organisation: OrganisationId, batch: &[&Append]) -> Result<Vec<Outcome>, Failure> {
        let mut line = self.lines.take().await?;
        let done = Self::transact(line.connection(), organisation, batch).await;
        match done {
            Ok(prepared) => {
                line.keep();
                if let Some(head) = prepared.head {
                    self.news.tell(Moved { organisation, position: head.position });
                }
                Ok(prepared.outcomes)
            }
            Err(failure) => {
                if matches!(failure, Failure::Lost(_) | Failure::Unknown(_)) {
                    self.lines.forget();
                }
                Err(failure)
            }
        }
    }

    async fn transact(connection: &mut sqlx::PgConnection, organisation: OrganisationId, batch: &[&Append]) -> Result<Prepared, Failure> {
        let silent = "the database was silent for too long";
        let prepared = timeout(PATIENCE, prepare(connection, organisation, batch)).await;
        let prepared = prepared.unwrap_or_else(|_| Err(Failure::Lost(silent.to_owned())))?;
        let finished = timeout(PATIENCE, finish(connection, &prepared)).await;
        finished.unwrap_or_else(|_| Err(Failure::Unknown(silent.to_owned())))?;
        Ok(prepared)
    }

    pub(super) async fn close(&self) {
        self.lines.close().await;
    }
}

/// After a commit in doubt: a command found under its key with the events that
/// we gave it was not done before, but by us just now.
fn recognised((append, outcome): (&&Append, Outcome)) -> Outcome {
    let Outcome::Replayed(receipt) = outcome else { return outcome };
    let ours = append.writes.iter().flat_map(|write| &write.events).map(|event| event.stamp.event_id);
    if ours.eq(receipt.events.iter().copied()) { Outcome::Applied(receipt) } else { Outcome::Replayed(receipt) }
}

fn told(failure: Failure) -> StoreError {
    match failure {
        Failure::Raced(why) | Failure::Lost(why) => StoreError::Unavailable(why),
        Failure::Unknown(why) => StoreError::Unavailable(format!("whether it was committed is not known: {why}")),
        Failure::Data(why) => StoreError::Corrupt(format!("an event was refused by the database: {why}")),
        Failure::Store(error) => error,
    }
}
