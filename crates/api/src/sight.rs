//! Who sees what of a ledger: one source for whoever reads a resource and for
//! whoever follows the feed. What no resource says anything of is shown to nobody.

use std::collections::BTreeMap;

use lastresort_domain::guard::not_permitted;
use lastresort_fact::{Decides, Role};
use lastresort_ledger::store::StoredEvent;

use crate::call::Call;
use crate::problem::Problem;
use crate::resource::Resource;

/// Whom the feed tells of which streams: by their kind, those who read such resources.
#[derive(Clone, Debug, Default)]
pub struct Told(BTreeMap<&'static str, &'static [Role]>);

impl Told {
    /// Whoever reads these resources is told what happens to them.
    pub fn resource<R: Resource>(&mut self) {
        self.stream(<R::State as Decides>::TYPE, R::READERS);
    }

    /// Those in these roles are told what happens in streams of this kind.
    pub fn stream(&mut self, kind: &'static str, roles: &'static [Role]) {
        self.0.insert(kind, roles);
    }

    /// Whether one of these roles is told of an event.
    #[must_use]
    pub fn tells(&self, roles: &[Role], event: &StoredEvent) -> bool {
        self.0.get(event.stream.kind.as_str()).is_some_and(|readers| reads(readers, roles))
    }

    /// Refuses a stream of a kind that the caller reads none of, as its resource would be refused.
    ///
    /// # Errors
    /// 404 for a kind that there is not, 403 for one that is not theirs to read.
    pub fn permit(&self, roles: &[Role], kind: &str) -> Result<(), Problem> {
        let readers = self.0.get(kind).ok_or_else(|| Problem::new("not_found"))?;
        if reads(readers, roles) { Ok(()) } else { Err(Problem::from_refusal(not_permitted(readers).into())) }
    }
}

fn reads(readers: &[Role], roles: &[Role]) -> bool {
    roles.iter().any(|role| readers.contains(role))
}

impl Call {
    /// The roles in which the caller acts everywhere in the organisation.
    #[must_use]
    pub fn roles_everywhere(&self) -> Vec<Role> {
        let now = self.guest.service.desk.clock.now();
        self.known.held(now).filter(|acting| acting.scope.reaches(None)).map(|acting| acting.role).collect()
    }
}
