//! The desk: where a command becomes events. It loads what the decision rests
//! on, lets the domain decide, seals, appends, and decides again where
//! somebody was faster.

mod seen;
mod turns;
mod work;

use std::sync::Arc;

use lastresort_fact::{Actor, Decides, EventId, Fact, GrantId, Instant, OrganisationId, Refusal, Role, Root, Scope, Stamp};
use uuid::Uuid;

pub use self::seen::Seen;
pub use self::turns::Turns;
pub use self::work::Work;
use crate::append::{ClaimName, CommandKey, Outcome, Receipt, StreamRef};
use crate::clock::Clock;
use crate::kept::Kept;
use crate::keys::{Keyring, place};
use crate::store::{AnyStore, Kind, StoreError};

const ATTEMPTS: usize = 4;

/// What came in the way of a command.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The domain refuses, with every reason.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The stream has another version than the one the caller saw.
    #[error("the resource was changed by somebody else")]
    Stale {
        /// Its version now.
        actual: u64,
        /// Who moved it last, and in what role.
        moved: Option<(Actor, Role)>,
    },
    /// There is no such stream.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// The command's key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A unique value is held by another stream.
    #[error("another {} holds this {kind}", holder.kind)]
    ClaimTaken {
        /// The kind of value.
        kind: String,
        /// Who holds it.
        holder: StreamRef,
    },
    /// An event would be too large to be proved.
    #[error("what was asked is too large for one event")]
    TooLarge,
    /// The person it is about was erased.
    #[error("the personal data this would add to was erased")]
    Erased,
    /// Others were faster every time.
    #[error("others were faster every time")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A command's circumstances.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose ledger.
    pub organisation: OrganisationId,
    /// Who asks.
    pub by: Actor,
    /// In what role.
    pub role: Role,
    /// By which grant; its stream is named in every append, so that a revoked one cannot write.
    pub grant: Option<GrantId>,
    /// What that grant reaches.
    pub scope: Scope,
    /// When what is told was so; now, where absent.
    pub occurred_at: Option<Instant>,
    /// The fact that led to this.
    pub cause: Option<EventId>,
    /// The fact this corrects.
    pub supersedes: Option<EventId>,
    /// The command's key.
    pub key: CommandKey,
    /// The key came from the client, so it may have been used before.
    pub key_given: bool,
    /// Joins what one request caused.
    pub correlation: Uuid,
    /// Opens the ledger.
    pub opens: bool,
    /// The status a replay answers with.
    pub status: u16,
}

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was written; without events where nothing had to be.
    pub receipt: Receipt,
    /// It was done before, under the same key.
    pub replayed: bool,
    /// The states it ended with, as they were at the receipt's position.
    pub seen: Seen,
}

impl Done {
    fn before(receipt: Receipt) -> Self {
        Self { receipt, replayed: true, seen: Seen::default() }
    }
}

/// What a stream must be before a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Not there yet.
    New,
    /// There, at whatever version.
    Exists,
    /// There, at the version the caller saw.
    Version(u64),
    /// There or not.
    Either,
}

/// Where states are loaded from: by commands, which then rest on them, and by readers.
#[expect(async_fn_in_trait, reason = "used within one thread's handlers only")]
pub trait States {
    /// The state of a stream and its version; the default state at version 0 where there is none.
    ///
    /// # Errors
    /// Where the store fails.
    async fn state<T: Decides>(&mut self, id: Uuid) -> Result<(T, u64), DeskError>;
    /// The stream that holds a value only one may hold.
    ///
    /// # Errors
    /// Where the store fails.
    async fn holder(&mut self, kind: &str, parts: &[&str]) -> Result<Option<StreamRef>, DeskError>;
    /// The domain's clock.
    fn now(&self) -> Instant;
}

/// Runs commands on the ledgers of one store.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The store.
    pub store: AnyStore,
    /// The keys that seal.
    pub keys: Arc<Keyring>,
    /// The domain's clock.
    pub clock: Clock,
    /// States kept between commands.
    pub kept: Arc<Kept>,
    /// Whose turn it is to decide again.
    pub turns: Arc<Turns>,
}

impl Desk {
    /// A stream's state and version for a reader: as kept where that was so
    /// half a second ago at the most, else as it is.
    ///
    /// # Errors
    /// Where the store fails or holds an event this program does not know.
    pub async fn current<T: Decides>(&self, organisation: OrganisationId, id: Uuid) -> Result<(T, u64), DeskError> {
        match self.kept.get::<T>(organisation, &StreamRef::new(T::TYPE, id)) {
            Some(found) if found.trusted => Ok((found.state, found.version)),
            Some(_) | None => self.confirmed(organisation, id).await,
        }
    }

    /// The same as it is, whoever wrote it last.
    ///
    /// # Errors
    /// Where the store fails or holds an event this program does not know.
    pub async fn confirmed<T: Decides>(&self, organisation: OrganisationId, id: Uuid) -> Result<(T, u64), DeskError> {
        let stream = StreamRef::new(T::TYPE, id);
        if let Some(found) = self.kept.get::<T>(organisation, &stream)
            && self.store.stream(organisation, Kind::of::<Root<T>>(), id, found.version).await?.is_empty()
        {
            self.kept.put(organisation, &stream, Arc::new(found.state.clone()), found.version);
            return Ok((found.state, found.version));
        }
        let (state, version) = self.load::<T>(organisation, id).await?;
        self.kept.put(organisation, &stream, Arc::new(state.clone()), version);
        Ok((state, version))
    }

    /// Holds a stream's state from the next time it is looked at: what nearly
    /// every command of a ledger, or of one person, rests on.
    pub fn hold<T: Decides>(&self, organisation: OrganisationId, id: Uuid) {
        self.kept.hold(organisation, &StreamRef::new(T::TYPE, id));
    }

    /// Loads a stream's state and version.
    ///
    /// # Errors
    /// Where the store fails or holds an event this program does not know.
    pub async fn load<T: Decides>(&self, organisation: OrganisationId, id: Uuid) -> Result<(T, u64), DeskError> {
        let found = self.store.stream(organisation, Kind::of::<Root<T>>(), id, 0).await?;
        let (stream, mut state, mut version) = (StreamRef::new(T::TYPE, id), T::default(), 0);
        for event in found {
            version = event.sequence;
            let unreadable = |error| StoreError::Corrupt(format!("{} {id} event {version}: {error}", T::TYPE));
            let mut fact: Fact<T::Event> = serde_json::from_str(&event.payload).map_err(unreadable)?;
            if T::OPENS {
                place(&stream, version, &mut fact.event);
            }
            state.apply(&fact.event, &fact.stamp);
        }
        if T::OPENS {
            // Only what is remembered: most of what was ever told is not any more.
            self.keys.open_state(&*self.store, organisation, &mut state).await?;
        }
        Ok((state, version))
    }

    /// Runs a command: `work` loads and decides, and is asked again where
    /// somebody else was faster.
    ///
    /// # Errors
    /// Every reason why nothing was written.
    pub async fn run(&self, order: &Order, work: impl AsyncFn(&mut Work<'_>) -> Result<(), DeskError>) -> Result<Done, DeskError> {
        if order.key_given
            && let Some(stored) = self.store.command(order.organisation, order.key.key).await?
        {
            let replayed = Done::before(stored.receipt);
            return if stored.body == order.key.body { Ok(replayed) } else { Err(DeskError::KeyReused) };
        }
        let mut turn = None;
        for nth in 0..ATTEMPTS {
            if nth == 1 {
                // Who lost a race goes on in turn, so that of many at once each is done.
                turn = Some(self.turns.take(order.organisation).await);
            }
            // What is kept serves the first attempt; whoever was faster then, the next one looks.
            let mut attempt = Work::new(self, order, nth == 0);
            let decided = work(&mut attempt).await;
            if (decided.is_err() || attempt.changes_nothing()) && attempt.rested_on_the_past().await? {
                continue;
            }
            decided?;
            if attempt.changes_nothing() {
                return self.nothing_to_do(order, attempt).await;
            }
            let (append, states) = attempt.into_append();
            match self.store.append(append).await? {
                Outcome::Applied(receipt) => {
                    let seen = states.keep(self, order.organisation, &receipt);
                    return Ok(Done { receipt, replayed: false, seen });
                }
                Outcome::Replayed(receipt) => return Ok(Done::before(receipt)),
                Outcome::KeyReused => return Err(DeskError::KeyReused),
                Outcome::Conflict { .. } | Outcome::ClaimMoved => states.forget(self, order.organisation),
                Outcome::ClaimTaken { kind, holder } => return Err(DeskError::ClaimTaken { kind, holder }),
                Outcome::EventTooLarge => return Err(DeskError::TooLarge),
                Outcome::Erased => return Err(DeskError::Erased),
                Outcome::NoLedger => return Err(DeskError::Missing("organisation")),
                Outcome::LedgerExists => {
                    return Err(Refusal::one("already_done", "The organisation is registered already.").into());
                }
            }
        }
        drop(turn);
        Err(DeskError::Busy)
    }

    async fn nothing_to_do(&self, order: &Order, attempt: Work<'_>) -> Result<Done, DeskError> {
        let head = self.store.head(order.organisation).await?.ok_or(DeskError::Missing("organisation"))?;
        let (status, streams) = (order.status, attempt.decided());
        let receipt = Receipt { status, position: head.position, recorded_at: head.recorded_at, streams, events: Vec::new() };
        Ok(Done { receipt, replayed: false, seen: Seen::default() })
    }

    /// Who moved a stream last.
    async fn last_mover<T: Decides>(
        &self,
        organisation: OrganisationId,
        id: Uuid,
        version: u64,
    ) -> Result<Option<(Actor, Role)>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Stamped {
            stamp: Stamp,
        }
        let last = self.store.stream(organisation, Kind::of::<Root<T>>(), id, version.saturating_sub(1)).await?;
        let stamped = last.into_iter().next().and_then(|event| serde_json::from_str::<Stamped>(&event.payload).ok());
        Ok(stamped.map(|found| (found.stamp.by, found.stamp.role)))
    }
}

/// States for a reader: nothing rests on them. Each is loaded once.
#[derive(Debug)]
pub struct Reader<'a> {
    desk: &'a Desk,
    organisation: OrganisationId,
    seen: Seen,
}

impl<'a> Reader<'a> {
    /// Reads one ledger through a desk, beginning with what was seen of it just now.
    #[must_use]
    pub const fn new(desk: &'a Desk, organisation: OrganisationId, seen: Seen) -> Self {
        Self { desk, organisation, seen }
    }
}

impl States for Reader<'_> {
    async fn state<T: Decides>(&mut self, id: Uuid) -> Result<(T, u64), DeskError> {
        if let Some(seen) = self.seen.get::<T>(id) {
            return Ok(seen);
        }
        let (state, version) = self.desk.current::<T>(self.organisation, id).await?;
        self.seen.put(id, state.clone(), version);
        Ok((state, version))
    }

    async fn holder(&mut self, kind: &str, parts: &[&str]) -> Result<Option<StreamRef>, DeskError> {
        let name = ClaimName { kind: kind.to_owned(), digest: self.desk.keys.digest(self.organisation, kind, parts) };
        Ok(self.desk.store.claim(self.organisation, &name).await?)
    }

    fn now(&self) -> Instant {
        self.desk.clock.now()
    }
}
