//! What an inspector read, grant by grant (rule 22): written in batches beside
//! the reading, never inside it. Names routes and ids, and nothing anybody typed.

use lastresort_fact::{Asked, Decides, Instant, Refusal, Stamp, happenings, parts};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::guard::{Guarded, actions};

parts! {
    /// One thing read.
    pub struct Read {
        /// The route, as in the contract.
        pub route: String,
        /// Which resource, where one was named by id.
        pub resource: Option<Uuid>,
        /// When.
        pub at: Instant,
    }
}

/// What may be asked of a log of reads.
#[derive(Clone, Debug)]
pub enum ReadsCommand {
    /// Log these.
    Log(Vec<Read>),
}

happenings! {
    /// What can have happened to a log of reads.
    pub enum ReadsEvent {
        /// These were read.
        ReadsLogged {
            /// In order.
            reads: Vec<Read>,
        },
    }
}

actions! {
    /// What may be done to a log of reads.
    pub enum ReadsAction {
        /// Log more.
        Log = "log" [Inspector],
    }
}

/// A log of reads; remembers nothing, since nothing it is told depends on it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Reads {}

impl Guarded for Reads {
    type Action = ReadsAction;

    fn actions(&self) -> Vec<ReadsAction> {
        vec![ReadsAction::Log]
    }

    fn unmet(&self, _: ReadsAction, _: &Asked, (): &()) -> Vec<lastresort_fact::Unmet> {
        Vec::new()
    }
}

impl Decides for Reads {
    const TYPE: &'static str = "reads";
    type Command = ReadsCommand;
    type Event = ReadsEvent;
    type Facts = ();

    fn decide(&self, ReadsCommand::Log(reads): ReadsCommand, asked: &Asked, facts: &()) -> Result<Vec<ReadsEvent>, Refusal> {
        self.permit(ReadsAction::Log, asked, facts)?;
        Ok(if reads.is_empty() { Vec::new() } else { vec![ReadsEvent::ReadsLogged { reads }] })
    }

    fn apply(&mut self, _: &ReadsEvent, _: &Stamp) {}
}
