//! Rule 17: what is recorded is never edited. A correction restates the whole
//! fact, names what it supersedes and keeps its time; the original stays
//! readable. A command that corrects nothing may not claim to.

use lastresort_fact::{Asked, EventId, Instant, Refusal, Stamp, Unmet};
use serde::{Deserialize, Serialize};

use crate::guard::unless;

/// Where something held was told: what a correction of it must name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The fact.
    pub event: EventId,
    /// When it was so.
    pub at: Instant,
}

impl Told {
    /// As a stamp says it.
    #[must_use]
    pub const fn by(stamp: &Stamp) -> Self {
        Self { event: stamp.event_id, at: stamp.occurred_at }
    }
}

/// What stands against telling something of which this is held already: it
/// must be told as a correction, or as nothing of the kind where nothing is held.
pub(crate) fn unless_corrected(held: Option<&Told>, asked: &Asked, unmet: &mut Vec<Unmet>) {
    let Some(told) = held else {
        unmet.extend(claim(asked));
        return;
    };
    match asked.supersedes {
        None => unmet.push(Unmet::new("supersede_only", "This is recorded already; a correction names the fact it supersedes.")),
        Some(event) if event != told.event => {
            let detail = "The fact that says this now is another one; a correction supersedes that.";
            unmet.push(Unmet::new("supersede_only", detail).at("/supersedes"));
        }
        Some(_) if asked.occurred_at != told.at => {
            let detail = "A correction keeps the time of the fact it supersedes.";
            unmet.push(Unmet::new("supersede_only", detail).at("/occurred_at"));
        }
        Some(_) => {}
    }
}

/// What stands against correcting a record of many lines: a correction restates
/// every line that the fact it supersedes still holds, and nothing beside it.
/// `restated` is where each line it names was told, `held` where each line there is.
pub(crate) fn unless_wholly_corrected(restated: &[Option<Told>], held: impl Iterator<Item = Told>, asked: &Asked, unmet: &mut Vec<Unmet>) {
    let mut said = Vec::new();
    for line in restated {
        unless_corrected(line.as_ref(), asked, &mut said);
    }
    said.dedup();
    unmet.extend(said);
    if let Some(event) = asked.supersedes {
        let lines = held.filter(|told| told.event == event).count();
        let again = restated.iter().filter(|line| line.is_some_and(|told| told.event == event)).count();
        let detail = "A correction restates every line of the record that it supersedes.";
        unless(lines == again, unmet, "supersede_only", detail);
    }
}

/// Refuses a command that supersedes nothing and says it does.
///
/// # Errors
/// Where it says so.
pub(crate) fn no_correction(asked: &Asked) -> Result<(), Refusal> {
    claim(asked).map_or(Ok(()), |unmet| Err(unmet.into()))
}

fn claim(asked: &Asked) -> Option<Unmet> {
    let detail = "This tells something new, and supersedes nothing.";
    asked.supersedes.map(|_| Unmet::new("supersede_only", detail).at("/supersedes"))
}

#[cfg(test)]
mod tests {
    use lastresort_fact::Role;

    use super::*;
    use crate::guard::testing::{asked, at, id};

    fn said(held: Option<&Told>, asked: &Asked) -> Vec<Option<String>> {
        let mut unmet = Vec::new();
        unless_corrected(held, asked, &mut unmet);
        assert!(unmet.iter().all(|unmet| unmet.code == "supersede_only"));
        unmet.into_iter().map(|unmet| unmet.pointer).collect()
    }

    #[test]
    fn a_correction_names_what_it_supersedes_and_keeps_its_time() {
        let told = Told { event: id(7), at: at("2021-02-09T10:00:00Z") };
        let new = asked(Role::Mentor);
        let naming = |event| Asked { supersedes: Some(id(event)), occurred_at: told.at, ..new.clone() };
        assert_eq!(said(None, &new), []);
        assert_eq!(said(None, &naming(7)), [Some("/supersedes".to_owned())]);
        assert_eq!(said(Some(&told), &new), [None]);
        assert_eq!(said(Some(&told), &naming(8)), [Some("/supersedes".to_owned())]);
        assert_eq!(said(Some(&told), &Asked { occurred_at: new.at, ..naming(7) }), [Some("/occurred_at".to_owned())]);
        assert_eq!(said(Some(&told), &naming(7)), []);
        assert!(no_correction(&new).is_ok());
        assert!(no_correction(&naming(7)).is_err());
    }
}
