//! One step of a follower: events after the bookmark, folded into rows,
//! written with the bookmark in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lastresort_fact::{Instant, OrganisationId};

use crate::rows::{Generation, Parked, Row, RowChange, RowCommit, RowId, Table};
use crate::store::{Store, StoreError, StoredEvent};
use crate::view::{AnyView, Recorded, Views, World, Written};

/// Events folded at most in one step.
pub const STEP: u32 = 2_000;

/// So many rows are a few: those of one batch of commands.
const FEW: usize = 64;

/// How often a row that is folded anew runs after a bookmark that moves on.
const CHASES: usize = 10;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The bookmark stands here now; there may be more.
    Moved(u64),
    /// Nothing lies behind the bookmark.
    AtHead,
    /// Somebody else moved the bookmark.
    Overtaken,
}

/// How far a generation is folded, as whoever folds it knows: where somebody
/// else went on with it, the next step finds the bookmark moved.
#[derive(Clone, Debug)]
pub struct Folding {
    /// The generation, with its bookmark.
    pub generation: Generation,
    /// Its parked rows: table name and id.
    parked: BTreeSet<(String, RowId)>,
    /// The rows of the last step, with the names of their tables, where they were a few.
    pub(crate) written: Vec<(String, Row)>,
}

impl Folding {
    /// Takes a generation up where it is.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(store: &dyn Store, organisation: OrganisationId, generation: Generation) -> Result<Self, StoreError> {
        let parked = store.parked(organisation, generation.number).await?;
        Ok(Self { generation, parked: parked.into_iter().map(|row| (row.table, row.id)).collect(), written: Vec::new() })
    }
}

/// Folds what follows the bookmark of a generation, at most [`STEP`] events.
///
/// # Errors
/// Where the store fails, or the ledger is not gapless: then nothing may go on.
pub async fn step<W: World>(
    store: &dyn Store,
    views: &Views<W>,
    organisation: OrganisationId,
    folding: &mut Folding,
    now: Instant,
) -> Result<Step, StoreError> {
    let Folding { generation, parked, written } = folding;
    let stored = store.read(organisation, generation.bookmark, STEP).await?;
    let Some(last) = stored.last().map(|event| event.position) else { return Ok(Step::AtHead) };
    gapless(&stored, generation.bookmark)?;
    let (known, unknown) = decode::<W>(&stored);
    let mut commit = RowCommit {
        organisation,
        generation: generation.number,
        from: generation.bookmark,
        to: last,
        changes: Vec::new(),
        parked: Vec::new(),
        unparked: Vec::new(),
        skipped: parked.iter().cloned().collect(),
    };
    for view in views.all.values() {
        let table = view.table();
        let mut park = |id: RowId, position, reason| {
            commit.parked.push(Parked { table: table.name.clone(), id, position, reason, parked_at: now });
        };
        let mut stuck: HashSet<RowId> = parked.iter().filter(|(name, _)| *name == table.name).map(|(_, id)| id.clone()).collect();
        for (event, reason) in &unknown {
            let id = event.stream.id.to_string();
            if stuck.insert(id.clone()) {
                park(id, event.position, reason.clone());
            }
        }
        let touched = touched(&**view, &known, &stuck);
        let rows = rows(store, organisation, generation.number, &table, touched.keys()).await?;
        for (id, events) in touched {
            let position = events.last().map_or(last, |event| event.position);
            match view.fold(rows.get(&id).map(|row| row.body.as_str()), &events) {
                Ok(body) => commit.changes.push(RowChange { table: table.clone(), id, position, body }),
                Err(reason) => park(id, position, reason),
            }
        }
    }
    for parked in &commit.parked {
        tracing::error!(%organisation, table = parked.table, row = parked.id, position = parked.position, reason = parked.reason, "a row was parked");
    }
    let newly: Vec<_> = commit.parked.iter().map(|parked| (parked.table.clone(), parked.id.clone())).collect();
    let few = if commit.changes.len() <= FEW { commit.changes.iter().filter_map(row_of).collect() } else { Vec::new() };
    if !store.commit_rows(commit).await? {
        return Ok(Step::Overtaken);
    }
    *written = few;
    generation.bookmark = last;
    parked.extend(newly);
    Ok(Step::Moved(last))
}

fn row_of(change: &RowChange) -> Option<(String, Row)> {
    let (body, _) = change.body.as_ref()?;
    Some((change.table.name.clone(), Row { id: change.id.clone(), position: change.position, body: body.clone() }))
}

/// What came of folding a parked row anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It is as it should be, and parked no more.
    Folded,
    /// It still cannot be folded.
    Parked,
    /// Somebody else moved the bookmark every time.
    Overtaken,
}

/// Folds one parked row anew, from the ledger's first event. Where the bookmark
/// moves on meanwhile it goes on from where it was, and catches up.
///
/// # Errors
/// Where the store fails.
pub async fn retry<W: World>(
    store: &dyn Store,
    views: &Views<W>,
    organisation: OrganisationId,
    generation: i64,
    parked: &Parked,
) -> Result<Retried, StoreError> {
    let Some(view) = views.all.values().find(|view| view.table().name == parked.table) else { return Ok(Retried::Parked) };
    let mut anew = Anew { view: &**view, id: &parked.id, body: None, position: 0, after: 0 };
    for _ in 0..CHASES {
        let generations = store.generations(organisation).await?;
        let Some(bookmark) = generations.iter().find(|known| known.number == generation).map(|known| known.bookmark) else { break };
        if !anew.fold_to(store, organisation, bookmark).await? {
            return Ok(Retried::Parked);
        }
        let change = RowChange { table: view.table(), id: parked.id.clone(), position: anew.position, body: anew.body.clone() };
        let place = (parked.table.clone(), parked.id.clone());
        let commit = RowCommit {
            organisation,
            generation,
            from: bookmark,
            to: bookmark,
            changes: vec![change],
            parked: Vec::new(),
            unparked: vec![place.clone()],
            skipped: vec![place],
        };
        if store.commit_rows(commit).await? {
            return Ok(Retried::Folded);
        }
    }
    Ok(Retried::Overtaken)
}

/// A row that is being folded anew.
struct Anew<'a, W: World> {
    view: &'a dyn AnyView<W>,
    id: &'a str,
    body: Written,
    position: u64,
    after: u64,
}

impl<W: World> Anew<'_, W> {
    /// Folds up to a bookmark; `false` where an event cannot be.
    async fn fold_to(&mut self, store: &dyn Store, organisation: OrganisationId, bookmark: u64) -> Result<bool, StoreError> {
        while self.after < bookmark {
            let mut stored = store.read(organisation, self.after, STEP).await?;
            stored.retain(|event| event.position <= bookmark);
            let Some(last) = stored.last().map(|event| event.position) else { break };
            gapless(&stored, self.after)?;
            let (known, unknown) = decode::<W>(&stored);
            if unknown.iter().any(|(event, _)| event.stream.id.to_string() == self.id) {
                return Ok(false);
            }
            let events: Vec<_> = known.iter().filter(|event| self.view.concerns(event).iter().any(|id| id == self.id)).collect();
            if let Some(end) = events.last() {
                self.position = end.position;
                match self.view.fold(self.body.as_ref().map(|(body, _)| body.as_str()), &events) {
                    Ok(folded) => self.body = folded,
                    Err(_) => return Ok(false),
                }
            }
            self.after = last;
        }
        Ok(true)
    }
}

fn gapless(stored: &[StoredEvent], bookmark: u64) -> Result<(), StoreError> {
    for (event, expected) in stored.iter().zip(bookmark + 1..) {
        if event.position != expected {
            return Err(StoreError::Corrupt(format!("position {expected} is missing: the ledger goes on at {}", event.position)));
        }
    }
    Ok(())
}

type Decoded<'a, W> = (Vec<Recorded<<W as World>::Event>>, Vec<(&'a StoredEvent, String)>);

fn decode<W: World>(stored: &[StoredEvent]) -> Decoded<'_, W> {
    let mut known = Vec::with_capacity(stored.len());
    let mut unknown = Vec::new();
    for event in stored {
        match W::decode(event) {
            Ok(recorded) => known.push(recorded),
            Err(reason) => unknown.push((event, reason)),
        }
    }
    (known, unknown)
}

fn touched<'a, W: World>(
    view: &dyn AnyView<W>,
    events: &'a [Recorded<W::Event>],
    stuck: &HashSet<RowId>,
) -> BTreeMap<RowId, Vec<&'a Recorded<W::Event>>> {
    let mut touched: BTreeMap<RowId, Vec<&Recorded<W::Event>>> = BTreeMap::new();
    for event in events {
        for id in view.concerns(event).into_iter().filter(|id| !stuck.contains(id)) {
            touched.entry(id).or_default().push(event);
        }
    }
    touched
}

async fn rows(
    store: &dyn Store,
    organisation: OrganisationId,
    generation: i64,
    table: &Table,
    ids: impl Iterator<Item = &RowId>,
) -> Result<HashMap<RowId, Row>, StoreError> {
    let ids: Vec<RowId> = ids.cloned().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = store.rows(organisation, generation, table, &ids).await?;
    Ok(found.into_iter().map(|row| (row.id.clone(), row)).collect())
}
