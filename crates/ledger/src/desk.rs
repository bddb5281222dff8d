//! The desk: where a command becomes events. It loads what the decision rests
//! on, lets the domain decide, seals, appends, and decides again where
//! somebody was faster.

use std::collections::BTreeMap;
use std::sync::Arc;

use lastresort_fact::{Actor, Asked, Decides, EventId, Fact, GrantId, Instant, OrganisationId, Refusal, Role, Root, Stamp, Unmet};
use uuid::Uuid;

use crate::append::{Append, Claim, ClaimName, CommandKey, NewEvent, Outcome, Receipt, StreamRef, StreamWrite};
use crate::clock::Clock;
use crate::keys::{Keyring, KeysUsed};
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
}

impl Desk {
    /// Loads a stream's state and version.
    ///
    /// # Errors
    /// Where the store fails or holds an event this program does not know.
    pub async fn load<T: Decides>(&self, organisation: OrganisationId, id: Uuid) -> Result<(T, u64), DeskError> {
        let found = self.store.stream(organisation, Kind::of::<Root<T>>(), id, 0).await?;
        let version = found.last().map_or(0, |event| event.sequence);
        let mut stamps = Vec::with_capacity(found.len());
        let mut events = Vec::with_capacity(found.len());
        for event in found {
            let fact: Fact<T::Event> = serde_json::from_value(event.payload)
                .map_err(|error| StoreError::Corrupt(format!("{} {id} event {}: {error}", T::TYPE, event.sequence)))?;
            stamps.push(fact.stamp);
            events.push((event.sequence, fact.event));
        }
        if T::OPENS {
            self.keys.open_events(&*self.store, organisation, &StreamRef::new(T::TYPE, id), &mut events).await?;
        }
        let mut state = T::default();
        for ((_, event), stamp) in events.iter().zip(&stamps) {
            state.apply(event, stamp);
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
            let replayed = Done { receipt: stored.receipt, replayed: true };
            return if stored.body == order.key.body { Ok(replayed) } else { Err(DeskError::KeyReused) };
        }
        for _ in 0..ATTEMPTS {
            let mut attempt = Work::new(self, order);
            work(&mut attempt).await?;
            if attempt.writes.is_empty() {
                return self.nothing_to_do(order, attempt).await;
            }
            match self.store.append(attempt.into_append()).await? {
                Outcome::Applied(receipt) => return Ok(Done { receipt, replayed: false }),
                Outcome::Replayed(receipt) => return Ok(Done { receipt, replayed: true }),
                Outcome::KeyReused => return Err(DeskError::KeyReused),
                Outcome::Conflict { .. } => {}
                Outcome::ClaimTaken { kind, holder } => return Err(DeskError::ClaimTaken { kind, holder }),
                Outcome::EventTooLarge => return Err(DeskError::TooLarge),
                Outcome::Erased => return Err(DeskError::Erased),
                Outcome::NoLedger => return Err(DeskError::Missing("organisation")),
                Outcome::LedgerExists => {
                    return Err(Refusal::one("already_done", "The organisation is registered already.").into());
                }
            }
        }
        Err(DeskError::Busy)
    }

    async fn nothing_to_do(&self, order: &Order, attempt: Work<'_>) -> Result<Done, DeskError> {
        let head = self.store.head(order.organisation).await?.ok_or(DeskError::Missing("organisation"))?;
        let streams = attempt.decided.iter().map(|stream| (stream.clone(), attempt.seen.get(stream).copied().unwrap_or(0))).collect();
        let receipt =
            Receipt { status: order.status, position: head.position, recorded_at: head.recorded_at, streams, events: Vec::new() };
        Ok(Done { receipt, replayed: false })
    }

    /// Who moved a stream last.
    async fn last_mover(&self, organisation: OrganisationId, stream: &StreamRef, version: u64) -> Result<Option<(Actor, Role)>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Stamped {
            stamp: Stamp,
        }
        let mut after = 0;
        while let Some(page) = Some(self.store.read_stream(organisation, stream, after, 500).await?).filter(|page| !page.is_empty()) {
            if let Some(last) = page.iter().find(|event| event.sequence == version) {
                return Ok(serde_json::from_str::<Stamped>(&last.payload).ok().map(|found| (found.stamp.by, found.stamp.role)));
            }
            after = page.last().map_or(after, |event| event.position);
        }
        Ok(None)
    }
}

/// One attempt at a command.
#[derive(Debug)]
pub struct Work<'a> {
    desk: &'a Desk,
    order: &'a Order,
    at: Instant,
    seen: BTreeMap<StreamRef, u64>,
    decided: Vec<StreamRef>,
    writes: Vec<StreamWrite>,
    claims: Vec<Claim>,
    releases: Vec<ClaimName>,
    keys: KeysUsed,
}

impl States for Work<'_> {
    async fn state<T: Decides>(&mut self, id: Uuid) -> Result<(T, u64), DeskError> {
        let (state, version) = self.desk.load::<T>(self.order.organisation, id).await?;
        self.seen.insert(StreamRef::new(T::TYPE, id), version);
        Ok((state, version))
    }

    fn now(&self) -> Instant {
        self.at
    }
}

impl<'a> Work<'a> {
    fn new(desk: &'a Desk, order: &'a Order) -> Self {
        Self {
            desk,
            order,
            at: desk.clock.now(),
            seen: BTreeMap::new(),
            decided: Vec::new(),
            writes: Vec::new(),
            claims: Vec::new(),
            releases: Vec::new(),
            keys: KeysUsed::default(),
        }
    }

    /// Who asks, and when.
    ///
    /// # Errors
    /// Where it is told of the future: rule 4, `late_entry`.
    pub fn asked(&self) -> Result<Asked, DeskError> {
        let order = self.order;
        if order.occurred_at.is_some_and(|occurred_at| occurred_at > self.at) {
            let unmet = Unmet::new("late_entry", "What is told must have happened already.").at("/occurred_at");
            return Err(Refusal::from(unmet).into());
        }
        Ok(Asked {
            by: order.by,
            role: order.role,
            grant: order.grant,
            at: self.at,
            occurred_at: order.occurred_at.unwrap_or(self.at),
            cause: order.cause,
            supersedes: order.supersedes,
        })
    }

    /// Lets a stream decide, on a state loaded just now.
    ///
    /// # Errors
    /// What the stream must be and is not; what the domain refuses.
    pub async fn decide<T: Decides>(&mut self, id: Uuid, expect: Expect, command: T::Command, facts: &T::Facts) -> Result<Vec<T::Event>, DeskError> {
        let (state, version) = self.state::<T>(id).await?;
        self.decide_on(id, (state, version), expect, command, facts).await
    }

    /// Lets a stream decide, on a state already loaded by this attempt.
    ///
    /// # Errors
    /// What the stream must be and is not; what the domain refuses.
    pub async fn decide_on<T: Decides>(
        &mut self,
        id: Uuid,
        (mut state, version): (T, u64),
        expect: Expect,
        command: T::Command,
        facts: &T::Facts,
    ) -> Result<Vec<T::Event>, DeskError> {
        let stream = StreamRef::new(T::TYPE, id);
        match expect {
            Expect::New if version > 0 => return Err(Refusal::one("already_done", format!("This {} exists already.", T::TYPE)).into()),
            Expect::Exists | Expect::Version(_) if version == 0 => return Err(DeskError::Missing(T::TYPE)),
            Expect::Version(expected) if expected != version => {
                let moved = self.desk.last_mover(self.order.organisation, &stream, version).await?;
                return Err(DeskError::Stale { actual: version, moved });
            }
            Expect::New | Expect::Exists | Expect::Version(_) | Expect::Either => {}
        }
        let asked = self.asked()?;
        let events = state.decide(command, &asked, facts)?;
        if !self.decided.contains(&stream) {
            self.decided.push(stream.clone());
        }
        let mut written = Vec::with_capacity(events.len());
        for (event, sequence) in events.iter().zip(version + 1..) {
            state.apply(event, &asked.stamp());
            written.push(self.prepare(&stream, sequence, event.clone(), &asked).await?);
        }
        if !written.is_empty() {
            self.writes.push(StreamWrite { stream, expected: version, events: written });
        }
        Ok(events)
    }

    async fn prepare<E: lastresort_fact::Happened>(&mut self, stream: &StreamRef, sequence: u64, mut event: E, asked: &Asked) -> Result<NewEvent, DeskError> {
        let desk = self.desk;
        desk.keys.seal(&*desk.store, self.order.organisation, stream, sequence, &mut event, &mut self.keys).await?;
        let value = serde_json::to_value(&event).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let leaf_body =
            lastresort_proof::leaf::body(&value["value"]).map_err(|error| Refusal::one("invalid", format!("The request cannot be recorded: {error}.")))?;
        let stamp = Stamp { event_id: EventId(crate::ids::new()), ..asked.stamp() };
        Ok(NewEvent { event_type: event.name(), event_version: event.version(), stamp, event: value.to_string(), leaf_body })
    }

    /// Takes a value that only one stream of the ledger may hold.
    pub fn claim(&mut self, kind: &str, parts: &[&str], kind_of_stream: &str, id: Uuid) {
        let name = self.claim_name(kind, parts);
        self.claims.push(Claim { name, stream: StreamRef::new(kind_of_stream, id) });
    }

    /// Gives a value back.
    pub fn release(&mut self, kind: &str, parts: &[&str]) {
        let name = self.claim_name(kind, parts);
        self.releases.push(name);
    }

    /// The stream that holds a value.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn holder(&self, kind: &str, parts: &[&str]) -> Result<Option<StreamRef>, DeskError> {
        Ok(self.desk.store.claim(self.order.organisation, &self.claim_name(kind, parts)).await?)
    }

    fn claim_name(&self, kind: &str, parts: &[&str]) -> ClaimName {
        ClaimName { kind: kind.to_owned(), digest: self.desk.keys.digest(self.order.organisation, kind, parts) }
    }

    fn into_append(self) -> Append {
        let order = self.order;
        let written: Vec<_> = self.writes.iter().map(|write| write.stream.clone()).collect();
        Append {
            organisation: order.organisation,
            opens: order.opens,
            also: self.seen.into_iter().filter(|(stream, _)| !written.contains(stream)).collect(),
            writes: self.writes,
            claims: self.claims,
            releases: self.releases,
            key: order.key,
            status: order.status,
            correlation: order.correlation,
            new_keys: self.keys.new,
            used_keys: self.keys.used.into_iter().collect(),
            at: self.at,
        }
    }
}

/// States for a reader: nothing rests on them.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The desk they are loaded through.
    pub desk: &'a Desk,
    /// Whose ledger.
    pub organisation: OrganisationId,
}

impl States for Reader<'_> {
    async fn state<T: Decides>(&mut self, id: Uuid) -> Result<(T, u64), DeskError> {
        self.desk.load::<T>(self.organisation, id).await
    }

    fn now(&self) -> Instant {
        self.desk.clock.now()
    }
}
