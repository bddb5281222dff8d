//! The tasks behind a [`Follower`](super::Follower): one that listens for moved
//! ledgers, one per ledger that folds. Of several processes one folds a ledger
//! at a time, as its lease says; compare-and-set on the bookmark stays the guard.
//! A program whose views have another shape folds its own rows first, beside
//! those that answer and without the lease, and then takes over from the older.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use lastresort_fact::OrganisationId;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant as Moment, MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use super::State;
use crate::clock::Clock;
use crate::fold::{Folding, Step, step};
use crate::rows::{Generation, Row};
use crate::store::{AnyStore, StoreError};
use crate::view::{Views, World};

/// How often all heads are looked at, and how long a fault is waited out.
const POLL: Duration = Duration::from_secs(1);
/// How often the bookmark is looked at while another process folds towards the head.
const GLANCE: Duration = Duration::from_millis(20);
/// So many ledgers are folded at once: as many as a store has connections for,
/// and as much memory as their steps may take.
const AT_ONCE: usize = 8;
/// How many rows are held after they were written.
const RECENT: usize = 256;
/// How long the right to fold lasts, if it is not renewed.
const LEASE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Shared<W: World> {
    pub(super) store: AnyStore,
    pub(super) views: Views<W>,
    clock: Clock,
    holder: Uuid,
    turns: Semaphore,
    ledgers: Mutex<HashMap<OrganisationId, Arc<Ledger>>>,
    /// The rows written last by this process, the latest first: whoever caused
    /// one need not read what was in hand a moment ago.
    recent: Mutex<VecDeque<(OrganisationId, String, Row)>>,
}

#[derive(Debug)]
pub(super) struct Ledger {
    wake: Notify,
    /// How far the ledger is known to go: what was heard of it last.
    heard: AtomicU64,
    pub(super) state: watch::Sender<State>,
    held: AtomicBool,
    /// Rows of this program's shape answered once: where another shape does now,
    /// a newer program has taken over, and it is not for this one to undo that.
    answered: AtomicBool,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What is known of the right to fold a ledger.
#[derive(Clone, Copy, Debug)]
enum Lease {
    Unknown,
    Held { until: Moment },
    Refused { again: Moment },
}

/// What came of asking for the right to fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// It is had, and was without a break.
    Kept,
    /// It is had again, or for the first time.
    Taken,
    Refused,
}

/// What there is to do about a ledger's rows.
enum Taken {
    Folds(Folding),
    Anew,
    /// Nothing for so long, or until the ledger moves.
    Waits(Option<Duration>),
}

/// The generation that answers.
pub(super) fn active(generations: &[Generation]) -> Option<&Generation> {
    generations.iter().find(|generation| generation.active)
}

impl Ledger {
    fn hears(&self, position: u64) {
        self.heard.fetch_max(position, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Says how far the rows are that answer, and whether they have this program's shape.
    fn tell(&self, generation: &Generation, ready: bool) {
        self.answered.fetch_or(ready, Ordering::Relaxed);
        let now = State { generation: generation.number, bookmark: generation.bookmark, halted: None, ready };
        self.state.send_if_modified(|state| std::mem::replace(state, now.clone()) != now);
    }
}

fn ahead(rows: u64, head: u64) -> StoreError {
    StoreError::Corrupt(format!("rows are folded up to {rows} and the ledger ends at {head}, as after a restore of one without the other"))
}

impl<W: World> Shared<W> {
    pub(super) fn new(store: AnyStore, views: Views<W>, clock: Clock) -> Self {
        Self {
            store,
            views,
            clock,
            holder: crate::ids::new(),
            turns: Semaphore::new(AT_ONCE),
            ledgers: Mutex::default(),
            recent: Mutex::default(),
        }
    }

    pub(super) fn ledgers(&self) -> std::sync::MutexGuard<'_, HashMap<OrganisationId, Arc<Ledger>>> {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrote(&self, organisation: OrganisationId, rows: Vec<(String, Row)>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        for (table, row) in rows {
            recent.push_front((organisation, table, row));
        }
        recent.truncate(RECENT);
    }

    /// A row as written a moment ago, if it was then folded up to a position or further.
    pub(super) fn recent(&self, organisation: OrganisationId, table: &str, id: &str, position: u64) -> Option<Row> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let found = recent.iter().find(|(whose, name, row)| row.id == id && *whose == organisation && name == table);
        found.filter(|(.., row)| row.position >= position).map(|(.., row)| row.clone())
    }

    /// The ledger's follower, begun where it is not.
    pub(super) fn ledger(self: &Arc<Self>, organisation: OrganisationId) -> Arc<Ledger> {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.entry(organisation).or_insert_with(|| {
            let ledger = Arc::new(Ledger {
                wake: Notify::new(),
                heard: AtomicU64::new(0),
                state: watch::Sender::default(),
                held: AtomicBool::new(false),
                answered: AtomicBool::new(false),
                task: Mutex::default(),
            });
            let (shared, followed) = (Arc::clone(self), Arc::clone(&ledger));
            let task = tokio::spawn(async move { shared.follow(organisation, &followed).await });
            *ledger.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
            ledger
        });
        Arc::clone(ledger)
    }

    /// Wakes followers as ledgers move, and once a second those that are behind
    /// all the same; so ledgers opened elsewhere are found as well.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut news = self.store.moves();
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = news.recv() => match heard {
                    Ok(moved) => self.ledger(moved.organisation).hears(moved.position),
                    Err(RecvError::Lagged(_)) => polls.reset_immediately(),
                    Err(RecvError::Closed) => return,
                },
                _ = polls.tick() => match self.store.heads().await {
                    Ok(heads) => heads.into_iter().for_each(|(organisation, head)| {
                        let ledger = self.ledger(organisation);
                        if ledger.state.borrow().bookmark < head.position {
                            ledger.hears(head.position);
                        }
                    }),
                    Err(error) => tracing::warn!(%error, "the heads could not be read"),
                },
            }
        }
    }

    async fn follow(&self, organisation: OrganisationId, ledger: &Ledger) {
        let (mut lease, mut folding) = (Lease::Unknown, None);
        loop {
            let caught_up = AssertUnwindSafe(self.catch_up(organisation, ledger, &mut lease, &mut folding)).catch_unwind().await;
            let panicked = |_| Err(StoreError::Corrupt("folding panicked".to_owned()));
            match caught_up.unwrap_or_else(panicked) {
                Ok(None) => ledger.wake.notified().await,
                Ok(Some(glance)) => drop(timeout(glance, ledger.wake.notified()).await),
                Err(error) => {
                    tracing::error!(%organisation, %error, "folding stopped");
                    ledger.state.send_modify(|state| state.halted = Some(error.to_string()));
                    (lease, folding) = (Lease::Unknown, None);
                    drop(timeout(POLL, ledger.wake.notified()).await);
                }
            }
        }
    }

    /// Folds up to the head; returns how long to wait before looking again, or
    /// nothing where there is no need to before the ledger moves.
    async fn catch_up(
        &self,
        organisation: OrganisationId,
        ledger: &Ledger,
        lease: &mut Lease,
        folding: &mut Option<Folding>,
    ) -> Result<Option<Duration>, StoreError> {
        loop {
            // One step, one turn: a ledger that is never at rest keeps nobody waiting.
            let _turn = self.turns.acquire().await.map_err(|_| StoreError::Unavailable("following has ended".to_owned()))?;
            if self.hold(organisation, lease).await? == Hold::Kept
                && let Some(known) = folding.as_mut()
            {
                match step(&*self.store, &self.views, organisation, known, self.clock.now()).await? {
                    Step::Moved(bookmark) => {
                        self.wrote(organisation, std::mem::take(&mut known.written));
                        ledger.state.send_modify(|state| state.bookmark = bookmark);
                        // Nobody has said that there is more; whoever writes says so.
                        if ledger.heard.load(Ordering::Relaxed) == bookmark {
                            return Ok(None);
                        }
                    }
                    Step::Overtaken => *folding = None,
                    Step::AtHead => return Ok(None),
                }
                continue;
            }
            *folding = None;
            match self.take_up(organisation, ledger, lease).await? {
                Taken::Folds(found) => *folding = Some(found),
                Taken::Anew => {}
                Taken::Waits(glance) => return Ok(glance),
            }
        }
    }

    /// Looks at what there is of a ledger's rows, and takes up folding them
    /// where that is this process's to do.
    async fn take_up(&self, organisation: OrganisationId, ledger: &Ledger, lease: &mut Lease) -> Result<Taken, StoreError> {
        let generations = self.store.generations(organisation).await?;
        if let Some(other) = active(&generations).filter(|active| active.fingerprint != self.views.fingerprint()) {
            ledger.tell(other, false);
            if ledger.answered.load(Ordering::Relaxed) {
                self.let_go(organisation, ledger, lease).await;
                return Ok(Taken::Waits(Some(POLL)));
            }
            rebuild(&self.store, &self.views, organisation, &self.clock, &mut |_, _| {}).await?;
            return Ok(Taken::Anew);
        }
        let folds = self.hold(organisation, lease).await? != Hold::Refused;
        ledger.held.store(folds, Ordering::Relaxed);
        let head = self.store.head(organisation).await?;
        let generation = match active(&generations) {
            Some(generation) => generation.clone(),
            None if folds && head.is_some() => self.store.begin_generation(organisation, &self.views.fingerprint()).await?,
            None => return Ok(Taken::Waits(Some(POLL))),
        };
        if let Some(head) = head.filter(|head| head.position < generation.bookmark) {
            return Err(ahead(generation.bookmark, head.position));
        }
        ledger.tell(&generation, true);
        if folds {
            return Ok(Taken::Folds(Folding::of(&*self.store, organisation, generation).await?));
        }
        // Another process does; its commits are seen by looking.
        Ok(Taken::Waits(head.is_some_and(|head| generation.bookmark < head.position).then_some(GLANCE)))
    }

    /// Stops all followers, and gives back what they held.
    pub(super) async fn stop(&self) {
        let ledgers: Vec<_> = self.ledgers().iter().map(|(organisation, ledger)| (*organisation, Arc::clone(ledger))).collect();
        for (organisation, ledger) in ledgers {
            let task = ledger.task.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(task) = task {
                task.abort();
                drop(task.await);
            }
            self.let_go(organisation, &ledger, &mut Lease::Unknown).await;
        }
    }

    /// Gives back the right to fold a ledger, so that others need not wait for its end.
    async fn let_go(&self, organisation: OrganisationId, ledger: &Ledger, lease: &mut Lease) {
        *lease = Lease::Unknown;
        if ledger.held.swap(false, Ordering::Relaxed)
            && let Err(error) = self.lease(organisation, Duration::ZERO).await
        {
            tracing::warn!(%organisation, %error, "the lease was not given back; others wait until it ends");
        }
    }

    /// Takes or keeps the right to fold this ledger.
    async fn hold(&self, organisation: OrganisationId, lease: &mut Lease) -> Result<Hold, StoreError> {
        let now = Moment::now();
        let kept = match lease {
            Lease::Held { until } if *until > now + LEASE / 2 => return Ok(Hold::Kept),
            Lease::Refused { again } if *again > now => return Ok(Hold::Refused),
            Lease::Held { until } => *until > now,
            Lease::Refused { .. } | Lease::Unknown => false,
        };
        let held = self.lease(organisation, LEASE).await?;
        *lease = if held { Lease::Held { until: now + LEASE } } else { Lease::Refused { again: now + GLANCE * 10 } };
        Ok(match (held, kept) {
            (true, true) => Hold::Kept,
            (true, false) => Hold::Taken,
            (false, _) => Hold::Refused,
        })
    }

    async fn lease(&self, organisation: OrganisationId, lasts: Duration) -> Result<bool, StoreError> {
        self.store.lease(organisation, self.holder, u32::try_from(lasts.as_millis()).unwrap_or(u32::MAX)).await
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
    let generation = store.begin_generation(organisation, &views.fingerprint()).await?;
    let mut folding = Folding::of(&**store, organisation, generation).await?;
    loop {
        match step(&**store, views, organisation, &mut folding, clock.now()).await? {
            Step::Moved(bookmark) => {
                let head = store.head(organisation).await?.map_or(bookmark, |head| head.position);
                progress(bookmark, head.max(bookmark));
            }
            // The ledger's first generation answers at once, so its follower folds it as well.
            Step::Overtaken => {
                let left = store.generations(organisation).await?.into_iter().find(|left| left.number == folding.generation.number);
                let left = left.ok_or_else(|| StoreError::Unavailable("another rebuild of this ledger was faster".to_owned()))?;
                folding = Folding::of(&**store, organisation, left).await?;
            }
            Step::AtHead => {
                let generation = &folding.generation;
                if store.switch_generation(organisation, generation.number, &views.tables()).await? {
                    return Ok(generation.bookmark);
                }
                let head = store.head(organisation).await?.map_or(0, |head| head.position);
                if generation.bookmark >= head {
                    return Err(ahead(generation.bookmark + 1, head));
                }
            }
        }
    }
}
