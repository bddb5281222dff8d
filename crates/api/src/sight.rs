//! Who sees what of a resource: one source for whoever reads one, lists many or
//! follows the feed. What nothing is said of is shown to nobody.

use std::collections::{BTreeMap, BTreeSet};

use lastresort_domain::guard::not_permitted;
use lastresort_fact::{Decides, PersonId, ProgrammeId, Role, Scope};
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_ledger::store::StoredEvent;
use lastresort_views::Moment;

use crate::call::{Call, Query};
use crate::problem::Problem;
use crate::resource::{Resource, RowOf};

/// Roles that read part of every one of a resource.
pub struct Part<R: Resource> {
    /// Which.
    pub roles: &'static [Role],
    /// What they are shown of a row.
    pub shown: fn(&RowOf<R>, Moment) -> R::Shown,
    /// What they may narrow, sort and search lists by: nothing that they are not shown.
    pub asks: &'static [&'static str],
    /// The events they are told of in the feed: those that say no more than they are shown.
    pub hears: &'static [&'static str],
}

/// What the caller sees of each of these rows; nothing of one that is not theirs to read.
///
/// # Errors
/// Where what they look after cannot be read.
pub async fn seen<R: Resource>(call: &Call, rows: &[&RowOf<R>], moment: Moment) -> Result<Vec<Option<R::Shown>>, Problem> {
    let people: Vec<PersonId> = rows.iter().filter_map(|row| R::about(row)).collect();
    let in_part = R::PARTS.iter().any(|part| call.holds_any(part.roles));
    let entrusted = if in_part { R::entrusted(call, &people, moment).await? } else { BTreeSet::new() };
    let seen = |row: &RowOf<R>| {
        if reads_whole::<R>(call, row, moment) || R::about(row).is_some_and(|person| entrusted.contains(&person)) {
            return Some(R::shown(row, moment));
        }
        match R::PARTS.iter().find(|part| call.reads(part.roles, R::programme(row))) {
            Some(part) => Some((part.shown)(row, moment)),
            None => R::part(row, call),
        }
    };
    Ok(rows.iter().map(|row| seen(row)).collect())
}

/// Whether the caller reads the whole of this one: it is about them, or read by
/// one of their roles, or theirs to mentor or assess today.
pub fn reads_whole<R: Resource>(call: &Call, row: &RowOf<R>, moment: Moment) -> bool {
    let programme = R::programme(row);
    R::about(row) == Some(call.known.person)
        || call.reads(R::READERS, programme)
        || (R::assigned(row, call.known.person, moment) && call.reads(&[Role::Mentor, Role::Assessor], programme))
}

/// Whether the caller reads every one of a resource, be it in part.
fn reads_all<R: Resource>(call: &Call, programme: Option<ProgrammeId>) -> bool {
    call.reads(R::READERS, programme) || R::PARTS.iter().any(|part| call.reads(part.roles, programme))
}

/// The rows of which the caller sees anything, as conditions for a list: all, or
/// those of their programmes and those in which they have a part themselves.
///
/// # Errors
/// 403 where none is theirs to read.
pub fn reach<R: Resource>(call: &Call) -> Result<Vec<Filter>, Problem> {
    if reads_all::<R>(call, None) {
        return Ok(Vec::new());
    }
    let now = call.guest.service.desk.clock.now();
    let programmes: Vec<Cell> = call
        .known
        .held(now)
        .filter_map(|acting| match acting.scope {
            Scope::Programme(id) => Some(id),
            Scope::Organisation => None,
        })
        .filter(|id| reads_all::<R>(call, Some(*id)))
        .map(|id| Cell::Text(id.to_string()))
        .collect();
    let theirs = R::PROGRAMME.filter(|_| !programmes.is_empty()).map(|column| Filter::In(column, programmes));
    let own = R::ABOUT.map(|about| about(call.known.person));
    let either: Vec<Filter> = theirs.into_iter().chain(own).collect();
    if either.is_empty() { Err(refused::<R>()) } else { Ok(vec![Filter::Any(either)]) }
}

/// Refuses to narrow, sort or search a list by what the caller is not shown: the answer would tell it.
///
/// # Errors
/// 403 that names the first such parameter.
pub fn permit_query<R: Resource>(call: &Call, query: &Query) -> Result<(), Problem> {
    if call.reads(R::READERS, None) {
        return Ok(());
    }
    let names = R::FILTERS.iter().map(|sieve| sieve.name).chain(R::SEARCH).chain(["sort"]);
    let mut asked = names.filter(|name| query.text(name).is_some());
    let refuses = |name: &str| R::PARTS.iter().any(|part| call.holds_any(part.roles) && !part.asks.contains(&name));
    match asked.find(|name| refuses(name)) {
        None => Ok(()),
        Some(name) => Err(Problem::new("not_permitted").detail(format!("A list of which you read a part cannot be asked by {name}."))),
    }
}

/// What is said where nothing is found: whoever reads none of its kind, nor part of any, does not learn that there is none.
#[must_use]
pub fn missing<R: Resource>(call: &Call) -> Problem {
    let in_part = R::PARTS.iter().any(|part| call.holds_any(part.roles));
    if in_part { Problem::new("not_found") } else { call.missing(R::READERS) }
}

/// What is said where something is not theirs to read.
#[must_use]
pub fn refused<R: Resource>() -> Problem {
    refusal(R::READERS)
}

fn refusal(readers: &[Role]) -> Problem {
    Problem::from_refusal(not_permitted(readers).into())
}

/// Whom the feed tells of which events: by the kind of stream, those who read such resources.
#[derive(Clone, Debug, Default)]
pub struct Told(BTreeMap<&'static str, Hearers>);

/// Who is told of a kind of stream.
#[derive(Clone, Debug)]
struct Hearers {
    /// Of every event.
    readers: &'static [Role],
    /// Of events of these names.
    parts: Vec<(&'static [Role], &'static [&'static str])>,
}

impl Told {
    /// Whoever reads these resources is told what happens to them.
    pub fn resource<R: Resource>(&mut self) {
        let parts = R::PARTS.iter().map(|part| (part.roles, part.hears)).collect();
        self.0.insert(<R::State as Decides>::TYPE, Hearers { readers: R::READERS, parts });
    }

    /// Those in these roles are told what happens in streams of this kind.
    pub fn stream(&mut self, kind: &'static str, readers: &'static [Role]) {
        self.0.insert(kind, Hearers { readers, parts: Vec::new() });
    }

    /// Whether one of these roles is told of an event.
    #[must_use]
    pub fn tells(&self, roles: &[Role], event: &StoredEvent) -> bool {
        let Some(Hearers { readers, parts }) = self.0.get(event.stream.kind.as_str()) else { return false };
        let hears = |(roles_in_part, names): &(&[Role], &[&str])| any(roles_in_part, roles) && names.contains(&event.event_type.as_str());
        any(readers, roles) || parts.iter().any(hears)
    }

    /// Refuses a stream of a kind of which the caller reads none, as its resource would be refused.
    ///
    /// # Errors
    /// 404 for a kind that there is not, 403 for one that is not theirs to read.
    pub fn permit(&self, roles: &[Role], kind: &str) -> Result<(), Problem> {
        let Hearers { readers, parts } = self.0.get(kind).ok_or_else(|| Problem::new("not_found"))?;
        let reads = any(readers, roles) || parts.iter().any(|(in_part, _)| any(in_part, roles));
        if reads { Ok(()) } else { Err(refusal(readers)) }
    }
}

fn any(readers: &[Role], roles: &[Role]) -> bool {
    roles.iter().any(|role| readers.contains(role))
}

impl Call {
    /// The roles in which the caller acts everywhere in the organisation.
    #[must_use]
    pub fn roles_everywhere(&self) -> Vec<Role> {
        let now = self.guest.service.desk.clock.now();
        self.known.held(now).filter(|acting| acting.scope.reaches(None)).map(|acting| acting.role).collect()
    }

    /// What is said where nothing is found: whoever reads none of its kind does
    /// not learn that there is none.
    #[must_use]
    pub fn missing(&self, readers: &[Role]) -> Problem {
        if self.holds_any(readers) { Problem::new("not_found") } else { refusal(readers) }
    }

    /// Whether they act in one of these roles anywhere.
    #[must_use]
    pub fn holds_any(&self, roles: &[Role]) -> bool {
        let now = self.guest.service.desk.clock.now();
        self.known.held(now).any(|acting| roles.contains(&acting.role))
    }

    /// Whether they may read what is for these roles and, where it belongs to a
    /// programme, for grants that reach it.
    #[must_use]
    pub fn reads(&self, roles: &[Role], programme: Option<ProgrammeId>) -> bool {
        let now = self.guest.service.desk.clock.now();
        self.known.held(now).any(|acting| roles.contains(&acting.role) && acting.scope.reaches(programme))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_event_that_is_told_in_part_exists() {
        let known = lastresort_views::names();
        for (kind, hearers) in &crate::routes::table().told.0 {
            for name in hearers.parts.iter().flat_map(|(_, names)| *names) {
                assert!(known.iter().any(|(stream, event, _)| stream == kind && event == name), "{name} happens to no {kind}");
            }
        }
    }
}
