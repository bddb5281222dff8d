//! One attempt at a command: what it has seen, what it decided, and the append
//! that comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use lastresort_fact::{Asked, Decides, EventId, Instant, OrganisationId, Refusal, Root, Stamp, Unmet};
use uuid::Uuid;

use super::{Desk, DeskError, Expect, Order, Seen, States};
use crate::append::{Append, Claim, ClaimName, Digest, NewEvent, Receipt, StreamRef, StreamWrite};
use crate::kept::AnyState;
use crate::keys::KeysUsed;
use crate::store::{Kind, StoreError};

/// One attempt at a command. A stream is loaded once, and what was decided on
/// it is remembered: the attempt sees one state of it from first to last.
pub struct Work<'a> {
    desk: &'a Desk,
    order: &'a Order,
    at: Instant,
    may_use_kept: bool,
    kept: Vec<(Kind, Uuid, u64)>,
    believed: Vec<(StreamRef, u64)>,
    states: Seen,
    again: BTreeMap<StreamRef, Again>,
    seen: BTreeMap<StreamRef, u64>,
    held: BTreeMap<(String, Digest), (ClaimName, Option<StreamRef>)>,
    decided: Vec<StreamRef>,
    writes: Vec<StreamWrite>,
    claims: Vec<Claim>,
    releases: Vec<ClaimName>,
    keys: KeysUsed,
}

impl States for Work<'_> {
    async fn state<T: Decides>(&mut self, id: Uuid) -> Result<(T, u64), DeskError> {
        if let Some(seen) = self.states.get::<T>(id) {
            return Ok(seen);
        }
        let stream = StreamRef::new(T::TYPE, id);
        let kept = if self.may_use_kept { self.desk.kept.get::<T>(self.order.organisation, &stream) } else { None };
        let (state, version) = match kept {
            Some(found) => {
                self.kept.push((Kind::of::<Root<T>>(), id, found.version));
                (found.state, found.version)
            }
            None => self.desk.load::<T>(self.order.organisation, id).await?,
        };
        self.seen.insert(stream, version);
        self.states.put(id, state.clone(), version);
        Ok((state, version))
    }

    // What is decided rests on it: where it is another by the time of the append, the command is decided again.
    async fn holder(&mut self, kind: &str, parts: &[&str]) -> Result<Option<StreamRef>, DeskError> {
        let name = self.claim_name(kind, parts);
        let asked = (name.kind.clone(), name.digest);
        if let Some((_, holder)) = self.held.get(&asked) {
            return Ok(holder.clone());
        }
        let holder = self.desk.store.claim(self.order.organisation, &name).await?;
        self.held.insert(asked, (name, holder.clone()));
        Ok(holder)
    }

    fn now(&self) -> Instant {
        self.at
    }
}

impl<'a> Work<'a> {
    pub(super) fn new(desk: &'a Desk, order: &'a Order, may_use_kept: bool) -> Self {
        Self {
            desk,
            order,
            at: desk.clock.now(),
            may_use_kept,
            kept: Vec::new(),
            believed: Vec::new(),
            states: Seen::default(),
            again: BTreeMap::new(),
            seen: BTreeMap::new(),
            held: BTreeMap::new(),
            decided: Vec::new(),
            writes: Vec::new(),
            claims: Vec::new(),
            releases: Vec::new(),
            keys: KeysUsed::default(),
        }
    }

    /// Whose ledger it is.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.order.organisation
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
            scope: order.scope,
            at: self.at,
            occurred_at: order.occurred_at.unwrap_or(self.at),
            cause: order.cause,
            supersedes: order.supersedes,
        })
    }

    /// Rests the attempt on what is believed of a stream at a version, without
    /// loading it: where it has moved, nothing is written. `false` in a later
    /// attempt, which looks.
    pub fn believes<T: Decides>(&mut self, id: Uuid, version: u64) -> bool {
        if self.may_use_kept {
            self.kept.push((Kind::of::<Root<T>>(), id, version));
            self.believed.push((StreamRef::new(T::TYPE, id), version));
        }
        self.may_use_kept
    }

    /// Lets a stream decide, on a state loaded just now.
    ///
    /// # Errors
    /// What the stream must be and is not; what the domain refuses.
    pub async fn decide<T: Decides>(
        &mut self,
        id: Uuid,
        expect: Expect,
        command: T::Command,
        facts: &T::Facts,
    ) -> Result<Vec<T::Event>, DeskError> {
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
                let moved = self.desk.last_mover::<T>(self.order.organisation, id, version).await?;
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
        let (before, mut applied) = (state.clone(), Vec::with_capacity(events.len()));
        for (event, sequence) in events.iter().zip(version + 1..) {
            let stamp = Stamp { event_id: EventId(crate::ids::new()), ..asked.stamp() };
            let (new, sealed) = self.prepare(&stream, sequence, event.clone(), stamp).await?;
            // Remembered as it will be loaded: opened only where the aggregate opens.
            let event = if T::OPENS { event.clone() } else { sealed };
            state.apply(&event, &new.stamp);
            applied.push((event, new.stamp.clone()));
            written.push(new);
        }
        if !written.is_empty() {
            self.apply_again(&stream, before, applied);
            self.states.put(id, state, version + written.len() as u64);
            match self.writes.iter_mut().find(|write| write.stream == stream) {
                Some(begun) => begun.events.extend(written),
                None => self.writes.push(StreamWrite { stream, expected: version, events: written }),
            }
        }
        Ok(events)
    }

    /// Notes what became of a stream, so that it can be had as recorded at another time than was remembered.
    fn apply_again<T: Decides>(&mut self, stream: &StreamRef, mut before: T, applied: Vec<(T::Event, Stamp)>) {
        let earlier = self.again.remove(stream);
        let again = move |recorded_at: Instant| {
            if let Some(state) = earlier.and_then(|earlier| earlier(recorded_at).downcast_ref::<T>().cloned()) {
                before = state;
            }
            for (event, stamp) in applied {
                before.apply(&event, &Stamp { recorded_at, ..stamp });
            }
            Arc::new(before) as AnyState
        };
        self.again.insert(stream.clone(), Box::new(again));
    }

    async fn prepare<E: lastresort_fact::Happened>(
        &mut self,
        stream: &StreamRef,
        sequence: u64,
        mut event: E,
        stamp: Stamp,
    ) -> Result<(NewEvent, E), DeskError> {
        let desk = self.desk;
        desk.keys.seal(&*desk.store, self.order.organisation, stream, sequence, &mut event, &mut self.keys).await?;
        let value = serde_json::to_value(&event).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let leaf_body = lastresort_proof::leaf::body(&value["value"])
            .map_err(|error| Refusal::one("invalid", format!("The request cannot be recorded: {error}.")))?;
        let new = NewEvent { event_type: event.name(), event_version: event.version(), stamp, event: value.to_string(), leaf_body };
        Ok((new, event))
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

    fn claim_name(&self, kind: &str, parts: &[&str]) -> ClaimName {
        ClaimName { kind: kind.to_owned(), digest: self.desk.keys.digest(self.order.organisation, kind, parts) }
    }

    /// Whether anything that was kept and rested on has moved since: what was
    /// decided, or refused, is then of the past. What moved is forgotten.
    pub(super) async fn rested_on_the_past(&self) -> Result<bool, StoreError> {
        let mut moved = false;
        for (kind, id, version) in &self.kept {
            let organisation = self.order.organisation;
            if !self.desk.store.stream(organisation, *kind, *id, *version).await?.is_empty() {
                self.desk.kept.lose(organisation, &StreamRef::new(kind.name(), *id));
                moved = true;
            }
        }
        Ok(moved)
    }

    /// Whether nothing came of what was decided.
    pub(super) fn changes_nothing(&self) -> bool {
        self.writes.is_empty()
    }

    /// The streams that decided, with the versions they had.
    pub(super) fn decided(&self) -> Vec<(StreamRef, u64)> {
        self.decided.iter().map(|stream| (stream.clone(), self.seen.get(stream).copied().unwrap_or(0))).collect()
    }

    /// The append that comes of it, and the states it leaves behind.
    pub(super) fn into_append(self) -> (Append, Left) {
        let order = self.order;
        let written: Vec<_> = self.writes.iter().map(|write| write.stream.clone()).collect();
        let left = Left { at: self.at, states: self.states, again: self.again };
        let append = Append {
            organisation: order.organisation,
            opens: order.opens,
            also: self.seen.into_iter().filter(|(stream, _)| !written.contains(stream)).chain(self.believed).collect(),
            writes: self.writes,
            held: self.held.into_values().collect(),
            claims: self.claims,
            releases: self.releases,
            key: order.key,
            status: order.status,
            correlation: order.correlation,
            new_keys: self.keys.new,
            used_keys: self.keys.used.into_iter().collect(),
            at: self.at,
        };
        (append, left)
    }
}

/// What a stream becomes where it is recorded at this time.
type Again = Box<dyn FnOnce(Instant) -> AnyState + Send>;

/// The states an attempt leaves behind: what its streams are, once it is applied.
pub(super) struct Left {
    at: Instant,
    states: Seen,
    again: BTreeMap<StreamRef, Again>,
}

impl Left {
    /// Keeps them, and hands them on: the append found every version as it was seen.
    pub(super) fn keep(mut self, desk: &Desk, organisation: OrganisationId, receipt: &Receipt) -> Seen {
        if receipt.recorded_at != self.at {
            // Another command of the ledger was recorded meanwhile, and time does not go back.
            for (stream, again) in self.again {
                self.states.replace(&stream, again(receipt.recorded_at));
            }
        }
        for (stream, state, version) in self.states.iter() {
            desk.kept.put(organisation, stream, Arc::clone(state), version);
        }
        self.states
    }

    /// Forgets what is kept of their streams: some are not as they were seen.
    pub(super) fn forget(self, desk: &Desk, organisation: OrganisationId) {
        for (stream, ..) in self.states.iter() {
            desk.kept.lose(organisation, stream);
        }
    }
}
