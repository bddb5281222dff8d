//! Followers: one task per ledger keeps the rows up with the head, woken by
//! every commit; beside that a look at all heads, once a second, wakes those
//! that fell behind. And what readers ask: rows, and to wait until the rows
//! have caught up.

mod task;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lastresort_fact::OrganisationId;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use self::task::rebuild;
use self::task::{Ledger, Shared, active};
use crate::clock::Clock;
use crate::fold::{Retried, retry};
use crate::rows::{Ask, Cell, Filter, Parked, Row, RowId};
use crate::store::{AnyStore, StoreError};
use crate::view::{View, Views, World, table};

/// Keeps the rows of all ledgers, and answers from them.
#[derive(Debug)]
pub struct Follower<W: World> {
    shared: Arc<Shared<W>>,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

/// How far a ledger's rows are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The generation that answers.
    pub generation: i64,
    /// The last position folded into it.
    pub bookmark: u64,
    /// Why folding stopped, where it did.
    pub halted: Option<String>,
    /// Whether the rows have the shape this program knows.
    pub ready: bool,
}

/// What a question finds.
#[derive(Clone, Debug)]
pub struct Found<R> {
    /// The row's id.
    pub id: RowId,
    /// The last position folded into it.
    pub position: u64,
    /// The row.
    pub row: R,
}

/// A question to a view, in the ledger's own words.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// Sorted by this declared column, then by id.
    pub order: Option<&'static str>,
    /// Downwards.
    pub descending: bool,
    /// What follows this row only.
    pub after: Option<(Option<Cell>, RowId)>,
    /// At most so many.
    pub limit: u32,
}

impl<W: World> Follower<W> {
    /// Prepares the tables and begins to follow every ledger.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn start(store: AnyStore, views: Views<W>, clock: Clock) -> Result<Self, StoreError> {
        store.prepare_tables(&views.tables()).await?;
        let shared = Arc::new(Shared::new(store, views, clock));
        for (organisation, _) in shared.store.heads().await? {
            shared.ledger(organisation);
        }
        let watching = Arc::clone(&shared);
        let watcher = tokio::spawn(async move { watching.watch().await });
        Ok(Self { shared, watcher: Mutex::new(Some(watcher)) })
    }

    /// How far every ledger followed is.
    #[must_use]
    pub fn states(&self) -> Vec<(OrganisationId, State)> {
        let ledgers = self.shared.ledgers();
        ledgers.iter().map(|(organisation, ledger)| (*organisation, ledger.state.borrow().clone())).collect()
    }

    /// How far one ledger is; the default where there is no such ledger.
    pub async fn state(&self, organisation: OrganisationId) -> State {
        let Some(ledger) = self.followed(organisation).await else { return State::default() };
        let mut listening = ledger.state.subscribe();
        drop(timeout(Duration::from_secs(2), listening.wait_for(|state| state.generation > 0 || state.halted.is_some())).await);
        listening.borrow().clone()
    }

    /// Waits, within a bound, until rows of this program's shape have folded `position`.
    /// Where folding has halted there is nothing to wait for.
    pub async fn wait_for(&self, organisation: OrganisationId, position: u64, most: Duration) -> bool {
        let Some(ledger) = self.followed(organisation).await else { return false };
        let mut listening = ledger.state.subscribe();
        let there = |state: &State| state.ready && state.bookmark >= position;
        let waited = timeout(most, listening.wait_for(|state| there(state) || state.halted.is_some())).await;
        waited.is_ok_and(|found| found.is_ok_and(|state| there(&state)))
    }

    /// The ledger as it is followed; none where there is no such ledger, whatever anybody asks.
    async fn followed(&self, organisation: OrganisationId) -> Option<Arc<Ledger>> {
        let known = self.shared.ledgers().get(&organisation).cloned();
        match known {
            Some(ledger) => Some(ledger),
            None => self.shared.store.head(organisation).await.ok().flatten().map(|_| self.shared.ledger(organisation)),
        }
    }

    /// One row.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn row<V: View<World = W>>(&self, organisation: OrganisationId, id: &str) -> Result<Option<Found<V::Row>>, StoreError> {
        let ids = [id.to_owned()];
        let found = self
            .asked(organisation, async |generation| self.shared.store.rows(organisation, generation, &table::<V>(), &ids).await)
            .await?;
        found.into_iter().next().map(read::<V>).transpose()
    }

    /// One row that has folded `position`, for whoever waited for that.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn row_at<V: View<World = W>>(
        &self,
        organisation: OrganisationId,
        id: &str,
        position: u64,
    ) -> Result<Option<Found<V::Row>>, StoreError> {
        match self.shared.recent(organisation, &table::<V>().name, id, position) {
            Some(recent) => read::<V>(recent).map(Some),
            None => self.row::<V>(organisation, id).await,
        }
    }

    /// The rows that answer a question, in its order.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn ask<V: View<World = W>>(
        &self,
        organisation: OrganisationId,
        question: Question,
    ) -> Result<Vec<Found<V::Row>>, StoreError> {
        let Question { filters, order, descending, after, limit } = question;
        let ask = Ask { organisation, generation: 0, table: table::<V>(), filters, order, descending, after, limit };
        let found = self.asked(organisation, async |generation| self.shared.store.ask(&Ask { generation, ..ask.clone() }).await).await?;
        found.into_iter().map(read::<V>).collect()
    }

    /// Asks the generation known to answer; where it answers nothing, makes sure that it still does.
    async fn asked(
        &self,
        organisation: OrganisationId,
        ask: impl AsyncFn(i64) -> Result<Vec<Row>, StoreError>,
    ) -> Result<Vec<Row>, StoreError> {
        let known = self.state(organisation).await.generation;
        let found = ask(known).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        match active(&self.shared.store.generations(organisation).await?) {
            Some(generation) if generation.fingerprint != self.shared.views.fingerprint() => {
                Err(StoreError::Unavailable("the rows are being folded anew".to_owned()))
            }
            Some(generation) if generation.number != known => ask(generation.number).await,
            Some(_) | None => Ok(found),
        }
    }

    /// The parked rows of a ledger.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn parked(&self, organisation: OrganisationId) -> Result<Vec<Parked>, StoreError> {
        self.shared.store.parked(organisation, self.state(organisation).await.generation).await
    }

    /// Folds the parked rows of a ledger anew; returns how many could be.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn retry_parked(&self, organisation: OrganisationId) -> Result<usize, StoreError> {
        let generations = self.shared.store.generations(organisation).await?;
        let Some(generation) = active(&generations).map(|generation| generation.number) else { return Ok(0) };
        let mut folded = 0;
        for parked in self.shared.store.parked(organisation, generation).await? {
            let retried = retry(&*self.shared.store, &self.shared.views, organisation, generation, &parked).await?;
            folded += usize::from(retried == Retried::Folded);
        }
        Ok(folded)
    }

    /// Stops following, and lets other processes go on at once.
    pub async fn stop(&self) {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watcher) = watcher {
            watcher.abort();
            drop(watcher.await);
        }
        self.shared.stop().await;
    }
}

fn read<V: View>(row: Row) -> Result<Found<V::Row>, StoreError> {
    let body = serde_json::from_str(&row.body).map_err(|error| StoreError::Corrupt(format!("{} row {}: {error}", V::NAME, row.id)))?;
    Ok(Found { id: row.id, position: row.position, row: body })
}
