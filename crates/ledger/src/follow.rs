//! Followers: one task per ledger keeps the rows up with the head, woken by
//! every commit and, beside that, once a second. And what readers ask: rows,
//! and to wait until the rows have caught up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lastresort_fact::OrganisationId;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant as Moment, timeout};
use uuid::Uuid;

use crate::clock::Clock;
use crate::fold::{Step, retry, step};
use crate::rows::{Ask, Cell, Filter, Generation, Parked, Row, RowId};
use crate::store::{AnyStore, StoreError};
use crate::view::{View, Views, World, table};

const POLL: Duration = Duration::from_secs(1);
const LEASE_MS: u32 = 5_000;

/// Keeps the rows of all ledgers, and answers from them.
#[derive(Debug)]
pub struct Follower<W: World> {
    shared: Arc<Shared<W>>,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared<W: World> {
    store: AnyStore,
    views: Views<W>,
    clock: Clock,
    holder: Uuid,
    ledgers: Mutex<HashMap<OrganisationId, Arc<Ledger>>>,
}

#[derive(Debug)]
struct Ledger {
    wake: Notify,
    state: watch::Sender<State>,
    task: Mutex<Option<JoinHandle<()>>>,
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
        let shared = Arc::new(Shared { store, views, clock, holder: crate::ids::new(), ledgers: Mutex::default() });
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

    /// How far one ledger is.
    pub async fn state(&self, organisation: OrganisationId) -> State {
        let mut listening = self.shared.ledger(organisation).state.subscribe();
        let _bounded = timeout(Duration::from_secs(2), listening.wait_for(|state| state.generation > 0 || state.halted.is_some())).await;
        let state = listening.borrow().clone();
        state
    }

    /// Waits, within a bound, until the rows have folded `position`.
    pub async fn wait_for(&self, organisation: OrganisationId, position: u64, most: Duration) -> bool {
        let mut listening = self.shared.ledger(organisation).state.subscribe();
        timeout(most, listening.wait_for(|state| state.bookmark >= position)).await.is_ok_and(|found| found.is_ok())
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

    /// The rows that answer a question, in its order.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn ask<V: View<World = W>>(&self, organisation: OrganisationId, question: Question) -> Result<Vec<Found<V::Row>>, StoreError> {
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
        let mut folded = 0;
        for parked in self.parked(organisation).await? {
            for _ in 0..10 {
                let generations = self.shared.store.generations(organisation).await?;
                let Some(generation) = active(&generations) else { break };
                if retry(&*self.shared.store, &self.shared.views, organisation, generation, &parked).await? {
                    folded += 1;
                    break;
                }
            }
        }
        Ok(folded)
    }

    /// Stops following.
    pub async fn stop(&self) {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        let tasks: Vec<_> = self
            .shared
            .ledgers()
            .values()
            .filter_map(|ledger| ledger.task.lock().unwrap_or_else(PoisonError::into_inner).take())
            .collect();
        for task in watcher.into_iter().chain(tasks) {
            task.abort();
            let _ended = task.await;
        }
    }
}

fn read<V: View>(row: Row) -> Result<Found<V::Row>, StoreError> {
    let body = serde_json::from_str(&row.body).map_err(|error| StoreError::Corrupt(format!("{} row {}: {error}", V::NAME, row.id)))?;
    Ok(Found { id: row.id, position: row.position, row: body })
}

/// The generation that answers.
fn active(generations: &[Generation]) -> Option<&Generation> {
    generations.iter().find(|generation| generation.active)
}

impl<W: World> Shared<W> {
    fn ledgers(&self) -> std::sync::MutexGuard<'_, HashMap<OrganisationId, Arc<Ledger>>> {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger's follower, begun where it is not.
    fn ledger(self: &Arc<Self>, organisation: OrganisationId) -> Arc<Ledger> {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.entry(organisation).or_insert_with(|| {
            let ledger = Arc::new(Ledger { wake: Notify::new(), state: watch::Sender::default(), task: Mutex::default() });
            let (shared, followed) = (Arc::clone(self), Arc::clone(&ledger));
            let task = tokio::spawn(async move { shared.follow(organisation, &followed).await });
            *ledger.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
            ledger
        });
        Arc::clone(ledger)
    }

    /// Wakes followers as ledgers move, and finds ledgers opened elsewhere.
    async fn watch(self: Arc<Self>) {
        let mut moves = self.store.moves();
        loop {
            match timeout(POLL, moves.recv()).await {
                Ok(Ok(moved)) => self.ledger(moved.organisation).wake.notify_one(),
                Ok(Err(tokio::sync::broadcast::error::RecvError::Closed)) => return,
                Ok(Err(tokio::sync::broadcast::error::RecvError::Lagged(_))) | Err(_) => match self.store.heads().await {
                    Ok(heads) => heads.into_iter().for_each(|(organisation, _)| self.ledger(organisation).wake.notify_one()),
                    Err(error) => tracing::warn!(%error, "the heads could not be read"),
                },
            }
        }
    }

    async fn follow(&self, organisation: OrganisationId, ledger: &Ledger) {
        let mut held_until: Option<Moment> = None;
        loop {
            let waits = match self.catch_up(organisation, ledger, &mut held_until).await {
                Ok(waits) => waits,
                Err(error) => {
                    tracing::error!(%organisation, %error, "folding stopped");
                    ledger.state.send_modify(|state| state.halted = Some(error.to_string()));
                    POLL
                }
            };
            let _woken = timeout(waits, ledger.wake.notified()).await;
        }
    }

    /// Folds up to the head; returns how long to wait for news.
    async fn catch_up(&self, organisation: OrganisationId, ledger: &Ledger, held_until: &mut Option<Moment>) -> Result<Duration, StoreError> {
        loop {
            let held = self.hold(organisation, held_until).await?;
            let Some(generation) = self.generation(organisation, held).await? else { return Ok(POLL) };
            let shape = generation.fingerprint == self.views.fingerprint();
            let now = State { generation: generation.number, bookmark: generation.bookmark, halted: None, ready: shape };
            ledger.state.send_if_modified(|state| std::mem::replace(state, now.clone()) != now);
            if !held {
                // Another process folds; its commits are seen by looking.
                return Ok(Duration::from_millis(20));
            }
            match step(&*self.store, &self.views, organisation, &generation, self.clock.now()).await? {
                Step::Moved(bookmark) => ledger.state.send_modify(|state| state.bookmark = bookmark),
                Step::Overtaken => *held_until = None,
                Step::AtHead => return Ok(POLL),
            }
        }
    }

    /// Takes or keeps the right to fold this ledger.
    async fn hold(&self, organisation: OrganisationId, held_until: &mut Option<Moment>) -> Result<bool, StoreError> {
        if held_until.is_some_and(|until| until > Moment::now() + Duration::from_millis(u64::from(LEASE_MS) / 2)) {
            return Ok(true);
        }
        let asked_at = Moment::now();
        let held = self.store.lease(organisation, self.holder, LEASE_MS).await?;
        *held_until = held.then(|| asked_at + Duration::from_millis(u64::from(LEASE_MS)));
        Ok(held)
    }

    /// The generation that answers; where its shape is not this program's, folds a new one beside it first.
    async fn generation(&self, organisation: OrganisationId, held: bool) -> Result<Option<Generation>, StoreError> {
        let generations = self.store.generations(organisation).await?;
        let fingerprint = self.views.fingerprint();
        match active(&generations) {
            Some(generation) if generation.fingerprint == fingerprint || !held => Ok(Some(generation.clone())),
            Some(_) => {
                rebuild(&self.store, &self.views, organisation, &self.clock, &mut |_, _| {}).await?;
                Ok(active(&self.store.generations(organisation).await?).cloned())
            }
            None if held && self.store.head(organisation).await?.is_some() => {
                self.store.begin_generation(organisation, &fingerprint).await.map(Some)
            }
            None => Ok(None),
        }
    }
}

/// Folds a ledger's rows anew, beside those that answer, and switches over in
/// one transaction. Tells `progress` the position reached and the head.
///
/// # Errors
/// Where the store fails.
pub async fn rebuild<W: World>(
    store: &AnyStore,
    views: &Views<W>,
    organisation: OrganisationId,
    clock: &Clock,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<u64, StoreError> {
    store.prepare_tables(&views.tables()).await?;
    let mut generation = store.begin_generation(organisation, &views.fingerprint()).await?;
    loop {
        match step(&**store, views, organisation, &generation, clock.now()).await? {
            Step::Moved(bookmark) => {
                generation.bookmark = bookmark;
                let head = store.head(organisation).await?.map_or(bookmark, |head| head.position);
                progress(bookmark, head.max(bookmark));
            }
            Step::Overtaken => return Err(StoreError::Unavailable("another rebuild of this ledger is under way".to_owned())),
            Step::AtHead => {
                store.switch_generation(organisation, generation.number, &views.tables()).await?;
                return Ok(generation.bookmark);
            }
        }
    }
}
