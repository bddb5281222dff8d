//! Who stands in the store: ledgers of persons whose streams all have the same
//! length. A ledger's id says what it is part of, so a store tells by its heads
//! whether it is a bench's, and seeding goes on where it was cut short.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use lastresort_api::opening::{Opening, open};
use lastresort_domain::organisation::OrganisationKind;
use lastresort_domain::person::{Person, PersonCommand, PersonFacts, PersonKind, Profile};
use lastresort_fact::{Actor, OrganisationId, PersonId, Role, Scope};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::desk::{Desk, DeskError, Expect, Order};
use lastresort_ledger::follow::Follower;
use lastresort_ledger::ids;
use uuid::Uuid;

use super::other;
use crate::issuer::ISSUER;
use crate::running::StartError;

/// The subject of the tokens that act in every ledger of a bench.
pub(super) const SUBJECT: &str = "bench";
/// With what the ids of a bench's ledgers begin.
const MARK: u32 = 0x0be4_c400;
/// The events a ledger is opened with: organisation, administrator, grant.
const OPENING: u64 = 5;
/// About so many events are seeded by one append.
const APPEND_EVENTS: u32 = 200;
/// So many appends are under way at once.
const APPENDS: usize = 16;
/// How long the rows may take to be folded.
const FOLDING: Duration = Duration::from_mins(30);

/// Streams spread evenly over ledgers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Population {
    /// So many ledgers.
    pub(super) organisations: u16,
    /// So many streams in all.
    pub(super) streams: u32,
    /// So many events in each, at most 4,095.
    pub(super) length: u16,
}

impl Population {
    /// The ledgers.
    pub(super) fn ledgers(self) -> Vec<OrganisationId> {
        (0..self.organisations).map(|index| self.ledger(index)).collect()
    }

    fn ledger(self, index: u16) -> OrganisationId {
        let ([high, low], [a, b, c, d]) = (index.to_be_bytes(), self.streams.to_be_bytes());
        let end = [0x80, high, low, 0, a, b, c, d];
        OrganisationId(Uuid::from_fields(MARK, self.organisations, 0x7000 | (self.length & 0xfff), &end))
    }

    fn streams_of(self, index: u16) -> u32 {
        let (all, over) = (u32::from(self.organisations), u32::from(index));
        self.streams / all + u32::from(over < self.streams % all)
    }

    /// Adds what is missing.
    pub(super) async fn seed(self, desk: &Desk) -> Result<(), StartError> {
        let bar = ProgressBar::new(u64::from(self.streams));
        let style = ProgressStyle::with_template("seeding {wide_bar} {pos}/{len} streams, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let per_append = (APPEND_EVENTS / u32::from(self.length)).max(1);
        for index in 0..self.organisations {
            let organisation = self.ledger(index);
            let position = match desk.store.head(organisation).await? {
                Some(head) => head.position,
                None => opened(desk, organisation).await?,
            };
            let there = u32::try_from(position.saturating_sub(OPENING) / u64::from(self.length)).unwrap_or(u32::MAX);
            let missing = self.streams_of(index).saturating_sub(there);
            let appends = (0..missing.div_ceil(per_append)).map(|nth| {
                let persons = per_append.min(missing - nth * per_append);
                seeded(desk, organisation, persons, self.length)
            });
            let mut seeding = futures::stream::iter(appends).buffer_unordered(APPENDS);
            while let Some(persons) = seeding.try_next().await? {
                bar.inc(u64::from(persons));
            }
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// Refuses a store that holds anything but a bench's ledgers.
pub(super) async fn ours(desk: &Desk) -> Result<(), StartError> {
    let heads = desk.store.heads().await?;
    match heads.iter().find(|(organisation, _)| organisation.0.as_fields().0 != MARK) {
        Some((organisation, _)) => {
            Err(other(format!("the store holds the ledger of {organisation}, which is no bench's; give the bench a store of its own")))
        }
        None => Ok(()),
    }
}

/// Folds the rows of every ledger up to its head.
pub(super) async fn folded(desk: &Desk) -> Result<(), StartError> {
    let follower = Follower::start(Arc::clone(&desk.store), lastresort_views::all(), desk.clock.clone()).await?;
    for (organisation, head) in desk.store.heads().await? {
        if !follower.wait_for(organisation, head.position, FOLDING).await {
            return Err(other("the rows of the bench's ledgers were not folded in time"));
        }
    }
    follower.stop().await;
    Ok(())
}

async fn opened(desk: &Desk, organisation: OrganisationId) -> Result<u64, StartError> {
    let opening = Opening {
        organisation,
        kind: OrganisationKind::Client,
        name: "Bench".to_owned(),
        jurisdiction: "scotland".to_owned(),
        time_zone: "Europe/London".to_owned(),
        administrator: PersonId(ids::new()),
        profile: profile("Bench".to_owned()),
        login: (ISSUER.to_owned(), SUBJECT.to_owned()),
    };
    let done = open(desk, Actor::Bootstrap, &opening, key(desk, organisation), false).await.map_err(other)?;
    if done.receipt.position == OPENING {
        Ok(OPENING)
    } else {
        Err(other("a ledger is opened with another number of events than the bench believes"))
    }
}

/// Registers persons and states their profiles until each stream is long enough.
async fn seeded(desk: &Desk, organisation: OrganisationId, persons: u32, length: u16) -> Result<u32, StartError> {
    let order = Order {
        organisation,
        by: Actor::Bootstrap,
        role: Role::Manager,
        grant: None,
        scope: Scope::Organisation,
        occurred_at: None,
        cause: None,
        supersedes: None,
        key: key(desk, organisation),
        key_given: false,
        correlation: ids::new(),
        opens: false,
        status: 201,
    };
    let written = desk.run(&order, async |work| {
        for _ in 0..persons {
            let id = PersonId(ids::new());
            let mut all = vec![PersonCommand::Register { id, kind: PersonKind::Human, profile: profile(text("seed", 1)), employer: None }];
            all.extend((2..u32::from(length)).map(|nth| PersonCommand::StateProfile(profile(text("seed", nth)))));
            work.decide::<Person>(id.0, Expect::New, PersonCommand::All(all), &PersonFacts::default()).await?;
        }
        Ok::<(), DeskError>(())
    });
    written.await.map_err(other)?;
    Ok(persons)
}

/// A text of 200 characters that says who wrote it and which it is.
pub(super) fn text(who: &str, nth: u32) -> String {
    format!("{:x<200}", format!("{who} {nth} "))
}

fn profile(given_name: String) -> Profile {
    Profile { given_name, family_name: None, email: None }
}

fn key(desk: &Desk, organisation: OrganisationId) -> CommandKey {
    let key = desk.keys.digest(organisation, "bench", &[&ids::new().to_string()]);
    CommandKey { key, body: key }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_ledger_of_every_population_has_an_id_of_its_own() {
        let populations = [(1, 1_000, 20), (16, 1_000, 20), (1, 16, 2_000), (1_000, 1_000, 20)];
        let populations = populations.map(|(organisations, streams, length)| Population { organisations, streams, length });
        let ids: BTreeSet<_> = populations.iter().flat_map(|population| population.ledgers()).collect();
        assert_eq!(ids.len(), 1_018);
        for population in populations {
            let spread: u32 = (0..population.organisations).map(|index| population.streams_of(index)).sum();
            assert_eq!(spread, population.streams);
        }
    }
}
