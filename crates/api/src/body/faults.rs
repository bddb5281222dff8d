//! What is wrong with a body, all of it, told by place and rule.

use lastresort_fact::Unmet;

use crate::problem::Problem;

/// How many faults are told; whoever has more has another problem.
const TOLD_MAX: usize = 100;
/// How much of a name that the caller made up is repeated in a pointer.
const NAME_BYTES_MAX: usize = 100;

/// The faults found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<Unmet>);

impl Faults {
    /// Of the value there, this is wrong: a rule, never the value.
    pub(super) fn add(&mut self, pointer: &str, rule: impl Into<String>) {
        let unmet = Unmet::new("invalid", rule).at(pointer);
        if self.0.len() < TOLD_MAX && !self.0.contains(&unmet) {
            self.0.push(unmet);
        }
    }

    /// Those of another look at the same body, as far as there is room.
    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
        self.0.truncate(TOLD_MAX);
    }

    /// Whether something is known to be wrong there.
    pub(super) fn knows(&self, pointer: &str) -> bool {
        self.0.iter().any(|unmet| unmet.pointer.as_deref() == Some(pointer))
    }

    pub(super) const fn is_full(&self) -> bool {
        self.0.len() >= TOLD_MAX
    }

    /// The problem that lists them, where there are any.
    pub(super) fn none(mut self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        let detail = match self.0.len() {
            1 => "One thing in the body is not as the contract describes it.".to_owned(),
            n if n >= TOLD_MAX => format!("At least {n} things in the body are not as the contract describes them."),
            n => format!("{n} things in the body are not as the contract describes them."),
        };
        Err(Problem::new("invalid").detail(detail).errors(self.0))
    }
}

/// Goes one step down a JSON Pointer. A name that is long or unprintable is
/// left out: nobody could have found it in the contract.
pub(super) fn push_name(pointer: &mut String, name: &str) {
    if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return;
    }
    pointer.push('/');
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
