//! What mentors, assessors and verifiers see of persons: a name for the id they
//! meet in a record, and the whole of those they are assigned to.

use std::collections::BTreeSet;

use lastresort_fact::{PersonId, Role};
use lastresort_ledger::follow::Question;
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_views::Moment;
use lastresort_views::candidate::Candidates;
use lastresort_views::person::Persons;

use crate::call::Call;
use crate::problem::Problem;
use crate::sight::Part;

/// How many candidacies of a page of persons are looked at.
const CANDIDACIES: u32 = 1_000;

/// A name, and whose they are.
pub(super) const NAME: Part<Persons> =
    Part { roles: &[Role::Mentor, Role::Assessor, Role::Verifier], shown: |row, _| row.named(), asks: &["kind", "name"], hears: &[] };

/// Those of these people whom the caller mentors or assesses as candidates today.
///
/// # Errors
/// Where the candidates cannot be read.
pub(super) async fn assigned(call: &Call, people: &[PersonId], moment: Moment) -> Result<BTreeSet<PersonId>, Problem> {
    let people = people.iter().map(|person| Cell::Text(person.to_string())).collect();
    let question = Question { filters: vec![Filter::In("person", people)], limit: CANDIDACIES, ..Question::default() };
    let found = call.guest.service.follower.ask::<Candidates>(call.organisation, question).await?;
    let theirs = found
        .into_iter()
        .map(|found| found.row)
        .filter(|row| row.assigned(call.known.person, moment.day) && call.reads(&[Role::Mentor, Role::Assessor], Some(row.programme)));
    Ok(theirs.map(|row| row.person).collect())
}
