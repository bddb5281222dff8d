//! Everything that can happen in a ledger, as this program knows it.

use lastresort_domain::candidate::CandidateEvent;
use lastresort_domain::curriculum::CurriculumEvent;
use lastresort_domain::grant::GrantEvent;
use lastresort_domain::needs_analysis::NeedsAnalysisEvent;
use lastresort_domain::organisation::OrganisationEvent;
use lastresort_domain::person::PersonEvent;
use lastresort_domain::programme::ProgrammeEvent;
use lastresort_domain::reads::ReadsEvent;
use lastresort_domain::session::SessionEvent;
use lastresort_fact::{Decides, Fact, Happened};
use lastresort_ledger::keys::place;
use lastresort_ledger::store::StoredEvent;
use lastresort_ledger::view::{Recorded, World};

/// The ledgers of this service.
#[derive(Clone, Copy, Debug)]
pub struct Ledgers;

/// Takes the type of every aggregate's events, one after the other.
pub trait Gather {
    /// Takes one.
    fn take<E: Happened + utoipa::ToSchema>(&mut self, kind: &'static str);
}

macro_rules! happening {
    ($($(#[$doc:meta])* $name:ident($event:ty) = $aggregate:ty),+ $(,)?) => {
        /// Any event of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Happening { $($(#[$doc])* $name($event)),+ }

        /// Every event this program writes: the stream's kind, the event's name and version.
        #[must_use]
        pub fn names() -> Vec<(&'static str, &'static str, &'static str)> {
            let mut all = Vec::new();
            $(all.extend(<$event>::NAMES.iter().map(|(name, version)| (<$aggregate as Decides>::TYPE, *name, *version)));)+
            all
        }

        /// Shows the events of every aggregate, with the kind of its streams.
        pub fn each(gather: &mut impl Gather) {
            $(gather.take::<$event>(<$aggregate as Decides>::TYPE);)+
        }

        impl World for Ledgers {
            type Event = Happening;

            fn decode(event: &StoredEvent) -> Result<Recorded<Happening>, String> {
                match event.stream.kind.as_str() {
                    $(<$aggregate as Decides>::TYPE => read(event, Happening::$name),)+
                    kind => Err(format!("no streams of the kind {kind} are known")),
                }
            }
        }
    };
}

happening! {
    /// To an organisation.
    Organisation(OrganisationEvent) = lastresort_domain::organisation::Organisation,
    /// To a grant.
    Grant(GrantEvent) = lastresort_domain::grant::Grant,
    /// To a curriculum.
    Curriculum(CurriculumEvent) = lastresort_domain::curriculum::Curriculum,
    /// To a needs analysis.
    NeedsAnalysis(NeedsAnalysisEvent) = lastresort_domain::needs_analysis::NeedsAnalysis,
    /// To a programme.
    Programme(ProgrammeEvent) = lastresort_domain::programme::Programme,
    /// To a candidate.
    Candidate(CandidateEvent) = lastresort_domain::candidate::Candidate,
    /// To a session.
    Session(SessionEvent) = lastresort_domain::session::Session,
    /// To a person.
    Person(PersonEvent) = lastresort_domain::person::Person,
    /// To a log of what an inspector read.
    Reads(ReadsEvent) = lastresort_domain::reads::Reads,
}

fn read<E: Happened>(event: &StoredEvent, wrap: fn(E) -> Happening) -> Result<Recorded<Happening>, String> {
    // The error's own words may repeat a value; its kind says enough.
    let unreadable = |error: serde_json::Error| format!("{} is not readable: {:?}", event.event_type, error.classify());
    let mut fact: Fact<E> = serde_json::from_str(&event.payload).map_err(unreadable)?;
    place(&event.stream, event.sequence, &mut fact.event);
    Ok(Recorded {
        position: event.position,
        stream: event.stream.clone(),
        sequence: event.sequence,
        stamp: fact.stamp,
        event: wrap(fact.event),
    })
}
