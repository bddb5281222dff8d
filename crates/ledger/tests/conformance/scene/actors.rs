//! A desk with its keys, and those who give it orders.

use std::sync::Arc;

use lastresort_fact::{Actor, Instant, OrganisationId, Role, Scope};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::desk::{Desk, DeskError, Done, Expect, Order};
use lastresort_ledger::kept::Kept;
use lastresort_ledger::keys::{Keyring, RootKey};
use lastresort_ledger::store::{AnyStore, StoreError};
use uuid::Uuid;

use super::Scene;
use super::letters::{NOON, digest};
use super::notes::{Note, NoteCommand};

/// The root key of every story.
pub(crate) fn root() -> RootKey {
    RootKey::new([7; 32])
}

pub(crate) async fn keyring(scene: &Scene) -> Result<Keyring, StoreError> {
    Keyring::open(&*scene.store, &root(), scene.keys.path()).await
}

pub(crate) async fn desk(scene: &Scene) -> Desk {
    desk_on(scene.store.clone(), scene).await
}

/// A desk of another server, perhaps, on the same keys.
pub(crate) async fn desk_on(store: AnyStore, scene: &Scene) -> Desk {
    let keys = Keyring::open(&*store, &root(), scene.keys.path()).await.expect("a keyring");
    Desk { store, keys: Arc::new(keys), clock: Clock::standing(NOON), kept: Arc::new(Kept::new(1 << 20)), turns: Arc::default() }
}

pub(crate) fn order(organisation: OrganisationId) -> Order {
    Order {
        organisation,
        by: Actor::Bootstrap,
        role: Role::Bootstrap,
        grant: None,
        scope: Scope::Organisation,
        occurred_at: None,
        cause: None,
        supersedes: None,
        key: CommandKey { key: digest(), body: digest() },
        key_given: true,
        correlation: Uuid::new_v4(),
        opens: false,
        status: 200,
    }
}

/// Gives one order to one note.
pub(crate) async fn ask(desk: &Desk, order: &Order, id: Uuid, expect: Expect, command: NoteCommand) -> Result<Done, DeskError> {
    desk.run(order, async |work| work.decide::<Note>(id, expect, command.clone(), &()).await.map(drop)).await
}

/// A new note in a ledger, opened by the desk.
pub(crate) async fn note_with(desk: &Desk, organisation: OrganisationId, commands: impl IntoIterator<Item = NoteCommand>) -> Uuid {
    let id = Uuid::new_v4();
    let opening = NoteCommand::Open { title: "A note".to_owned() };
    for command in std::iter::once(opening).chain(commands) {
        ask(desk, &order(organisation), id, Expect::Either, command).await.expect("done");
    }
    id
}

pub(crate) fn mark(mark: u32) -> NoteCommand {
    NoteCommand::Mark { mark, most: u32::MAX }
}

pub(crate) fn later(micros: i64) -> Instant {
    Instant::from_micros(NOON.micros() + micros)
}
