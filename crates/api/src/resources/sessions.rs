//! Sessions, in the client's ledger: a delivery from its plan to what its
//! learners attained. Roster, attendance and attainment of a whole group are
//! one call each.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use lastresort_domain::candidate::Candidate;
use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::Person;
use lastresort_domain::programme::Programme;
use lastresort_domain::session::{CandidateStanding, Known, Session, SessionCommand, SessionFacts};
use lastresort_fact::{Instant, PersonId, ProgrammeId, Role};
use lastresort_ledger::desk::{DeskError, States};
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_views::Moment;
use lastresort_views::session::{SessionRow, SessionShown, Sessions};

use super::candidates::CLAIM;
use crate::call::Call;
use crate::listing::is;
use crate::resource::{At, Form, Resource, Sieve};

pub mod bodies;
mod operations;

pub use operations::operations;

impl Resource for Sessions {
    type State = Session;
    type View = Self;
    type Shown = SessionShown;
    const PATH: &'static str = "sessions";
    const ID: &'static str = "session";
    const READERS: &'static [Role] =
        &[Role::ProviderAdmin, Role::Mentor, Role::Assessor, Role::Verifier, Role::Manager, Role::GovernanceLead, Role::Inspector];
    const ABOUT: Option<fn(PersonId) -> Filter> = Some(|person| Filter::Holds("people", person.to_string()));
    const PROGRAMME: Option<&'static str> = Some("programme");
    const FILTERS: &'static [Sieve] = &[
        Sieve {
            name: "programme",
            form: Form::Id,
            about: "Only those of this programme.",
            filters: |programme| vec![is("programme", programme)],
        },
        Sieve {
            name: "kind",
            form: Form::Word(&["course_day", "co_delivery", "workshop"]),
            about: "Only those of this kind.",
            filters: |kind| vec![is("kind", kind)],
        },
        Sieve {
            name: "status",
            form: Form::Word(&["planned", "completed", "cancelled"]),
            about: "Only those that have come so far.",
            filters: |status| vec![is("status", status)],
        },
        Sieve { name: "unit", form: Form::Id, about: "Only those in this unit.", filters: |unit| vec![is("unit", unit)] },
        Sieve {
            name: "lead",
            form: Form::Id,
            about: "Only those led by this person; in co-delivery, by this mentor.",
            filters: |lead| vec![is("lead", lead)],
        },
        Sieve {
            name: "starts_from",
            form: Form::Date,
            about: "Only those that begin on this day (UTC) or later.",
            filters: |day| vec![Filter::AtLeast("starts_at", Cell::Text(day.to_owned()))],
        },
        Sieve {
            name: "starts_before",
            form: Form::Date,
            about: "Only those that begin before this day (UTC).",
            filters: |day| vec![Filter::Below("starts_at", Cell::Text(day.to_owned()))],
        },
    ];
    const SORTS: &'static [&'static str] = &["starts_at"];

    fn shown(row: &SessionRow, _: Moment) -> SessionShown {
        row.shown()
    }

    /// A candidate, or whoever was one, sees the whole group they teach; anybody their own lines on the roster.
    fn part(row: &SessionRow, call: &Call) -> Option<SessionShown> {
        let person = call.known.person;
        let teaches = row.taught_by(person)
            && !call.known.left(call.guest.service.desk.clock.now())
            && call.reads(&[Role::Candidate], row.plan.programme);
        if teaches { Some(row.shown()) } else { row.shown_to(person) }
    }

    fn version(row: &SessionRow) -> u64 {
        row.version
    }

    fn assigned(row: &SessionRow, person: PersonId, _: Moment) -> bool {
        row.taught_by(person)
    }

    fn programme(row: &SessionRow) -> Option<ProgrammeId> {
        row.plan.programme
    }

    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<SessionFacts, DeskError> {
        let (organisation, _) = states.state::<Organisation>(at.organisation.0).await?;
        let mut facts = SessionFacts { organisation, ..SessionFacts::default() };
        let planned = at.state.planned.as_ref();
        let (programme, times) = match at.command {
            Some(SessionCommand::Plan(plan)) => (plan.programme, Some((plan.starts_at, plan.ends_at))),
            Some(_) | None => (planned.and_then(|planned| planned.programme), planned.map(|planned| (planned.starts_at, planned.ends_at))),
        };
        if let (Some(SessionCommand::Plan(_)), Some(programme)) = (at.command, programme) {
            facts.programme = Some(states.state::<Programme>(programme.0).await?.0);
        }
        let now = states.now();
        let (starts_at, ends_at) = times.unwrap_or((now, now));
        let programme = programme.map(|programme| (programme, starts_at));
        let (day, today) = (facts.organisation.day(starts_at), facts.organisation.day(now));
        if let Some(person) = at.by.person() {
            facts.asker = known(states, person, (today, now), None).await?.unwrap_or_default();
        }
        let (teach, learn) = people(at);
        for person in teach {
            if let Some(known) = known(states, person, (day, ends_at), programme).await? {
                facts.people.insert(person, known);
            }
        }
        for person in learn {
            if let Some(known) = known(states, person, (day, ends_at), None).await? {
                facts.people.entry(person).or_insert(known);
            }
        }
        Ok(facts)
    }
}

/// Whom a decision rests on: those who teach or ask to, and those who are to learn.
fn people(at: &At<'_, Sessions>) -> (BTreeSet<PersonId>, BTreeSet<PersonId>) {
    let planned = at.state.planned.iter().flat_map(|planned| &planned.trainers).map(|trainer| trainer.person);
    match at.command {
        Some(SessionCommand::Plan(plan)) => {
            (plan.trainers.iter().map(|trainer| trainer.person).chain(at.by.person()).collect(), BTreeSet::new())
        }
        Some(SessionCommand::ChangeTrainers { trainers, .. }) => (trainers.iter().map(|trainer| trainer.person).collect(), BTreeSet::new()),
        Some(SessionCommand::SetRoster { learners }) => (planned.collect(), learners.iter().copied().collect()),
        Some(SessionCommand::Complete { .. } | SessionCommand::Correct { .. }) | None => (planned.collect(), BTreeSet::new()),
        Some(
            SessionCommand::Propose { .. }
            | SessionCommand::Agree { .. }
            | SessionCommand::Change { .. }
            | SessionCommand::RecordAttendance { .. }
            | SessionCommand::RecordAttainment { .. }
            | SessionCommand::Countersign
            | SessionCommand::Cancel { .. },
        ) => (BTreeSet::new(), BTreeSet::new()),
    }
}

/// What is known of somebody on a day, by what the provider had said at an instant, and of where
/// they stood in a programme at another; nothing where this ledger does not know them.
async fn known(
    states: &mut impl States,
    person: PersonId,
    (day, told_by): (NaiveDate, Instant),
    programme: Option<(ProgrammeId, Instant)>,
) -> Result<Option<Known>, DeskError> {
    let (state, version) = states.state::<Person>(person.0).await?;
    if version == 0 {
        return Ok(None);
    }
    let candidate = match programme {
        Some((programme, at)) => standing(states, person, programme, at).await?,
        None => CandidateStanding::None,
    };
    Ok(Some(Known { employed: state.employed_on(day), eligible: state.eligible_on(day, told_by), candidate }))
}

async fn standing(states: &mut impl States, person: PersonId, programme: ProgrammeId, at: Instant) -> Result<CandidateStanding, DeskError> {
    let Some(stream) = states.holder(CLAIM, &[&person.to_string(), &programme.to_string()]).await? else {
        return Ok(CandidateStanding::None);
    };
    let (state, _) = states.state::<Candidate>(stream.id).await?;
    Ok(CandidateStanding::at(&state, at))
}
