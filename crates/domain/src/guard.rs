//! One source for refusing a command and for telling a caller beforehand what
//! they may do and what stands in the way. A guard lists *all* unmet
//! conditions; the command is refused by them, the resource shows them.

use lastresort_fact::{Asked, Decides, ProgrammeId, Refusal, Role, Unmet};

#[cfg(test)]
pub(crate) mod testing;

/// Something one may do to a resource, as the contract names it.
pub trait Action: Copy + 'static {
    /// Its name on the wire.
    fn name(self) -> &'static str;
    /// Who may do it: the first of these roles that the caller holds is the one acted in.
    fn roles(self) -> &'static [Role];
    /// The part of the resource it is done to, where it is done to a part: the
    /// name of that place in its path, and which one.
    fn part(self) -> Option<(&'static str, String)> {
        None
    }
}

/// An aggregate that says beforehand what it would refuse.
pub trait Guarded: Decides {
    /// What may be done to it.
    type Action: Action;

    /// What may be done to it at some time, in the order it is listed.
    fn actions(&self) -> Vec<Self::Action>;

    /// The programme it belongs to, or will belong to once it exists.
    fn programme(&self, _: &Self::Facts) -> Option<ProgrammeId> {
        None
    }

    /// Everything that stands in the way of an action but the caller's role.
    fn unmet(&self, action: Self::Action, asked: &Asked, facts: &Self::Facts) -> Vec<Unmet>;

    /// Everything that stands in the way of an action, the caller's role and
    /// the reach of their grant first.
    fn foretold(&self, action: Self::Action, asked: &Asked, facts: &Self::Facts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if !action.roles().contains(&asked.role) {
            unmet.push(not_permitted(action.roles()));
        } else if !asked.scope.reaches(self.programme(facts)) {
            unmet.push(Unmet::new("not_permitted", "The grant reaches one programme only, and this is not part of it."));
        }
        unmet.extend(self.unmet(action, asked, facts));
        unmet
    }

    /// Refuses an action for everything that stands in its way.
    ///
    /// # Errors
    /// Where anything does.
    fn permit(&self, action: Self::Action, asked: &Asked, facts: &Self::Facts) -> Result<(), Refusal> {
        Refusal::unless_met(self.foretold(action, asked, facts))
    }
}

/// The caller holds none of the roles that may do this.
#[must_use]
pub fn not_permitted(roles: &[Role]) -> Unmet {
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    Unmet::new("not_permitted", format!("This needs a grant as {}.", names.join(" or ")))
}

/// Adds a condition where it is not met.
pub(crate) fn unless(met: bool, unmet: &mut Vec<Unmet>, code: &str, detail: &str) {
    if !met {
        unmet.push(Unmet::new(code, detail));
    }
}

/// Declares what may be done to an aggregate, and in which roles.
macro_rules! actions {
    ($(#[$meta:meta])* pub enum $enum:ident { $($(#[$variant_meta:meta])* $variant:ident = $name:literal [$($role:ident),+ $(,)?]),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum { $($(#[$variant_meta])* $variant),+ }

        impl $enum {
            /// Every one, in the order they are listed.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl $crate::guard::Action for $enum {
            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            fn roles(self) -> &'static [lastresort_fact::Role] {
                match self { $(Self::$variant => &[$(lastresort_fact::Role::$role),+]),+ }
            }
        }
    };
}
pub(crate) use actions;
