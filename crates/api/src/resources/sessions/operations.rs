//! The operations on sessions.

use lastresort_domain::session::{SessionAction as Can, SessionCommand};
use lastresort_views::session::Sessions;

use super::bodies::{
    AttainmentBody, CancellationBody, HeldBody, OwnerChangeBody, OwnersBody, RosterBody, SessionAttendanceBody, SessionCorrectionBody,
    SessionPlanBody, TrainersBody,
};
use crate::command::{Asking, Version};
use crate::resources::needs_analyses::ToldBody;
use crate::table::{Rows, Table};

/// The operations.
pub fn operations(table: &mut Table) {
    let mut rows = table.resource::<Sessions>();
    rows.many("List sessions; whoever has a part in some lists those, a learner with their own lines alone.").one(
        "Read a session: its plan, who answers for what, and what its learners attended and attained; a candidate reads those they teach in, whoever is on its roster their own part of it.",
    );
    rows.create::<SessionPlanBody>(
        Can::Plan,
        "Plan a session; ratios and trainers are checked here and again at completion.",
        |body, _| Ok(body.asked()),
    );
    responsibilities(&mut rows);
    rows.act::<TrainersBody>(
        Can::ChangeTrainers,
        "trainers",
        Version::Required,
        "Name other trainers for a session, all of them: where one has left, it is not completed before.",
        |body, _| Ok(body.asked()),
    );
    learning(&mut rows);
    ending(&mut rows);
}

fn responsibilities(rows: &mut Rows<'_, Sessions>) {
    rows.act::<OwnersBody>(
        Can::Propose,
        "responsibilities",
        Version::Optional,
        "Propose who answers for what in a co-delivery; whoever teaches in it agrees by proposing.",
        |body, _| Ok(body.proposed()),
    )
    .act::<OwnersBody>(
        Can::Agree,
        "agreements",
        Version::Optional,
        "Agree to who answers for what, before the session begins.",
        |body, _| Ok(body.agreed()),
    )
    .act::<OwnerChangeBody>(
        Can::Change,
        "responsibility-changes",
        Version::Required,
        "Change who answers for something, on record and with a reason; beforehand the others agree to it anew.",
        |body, _| Ok(body.asked()),
    );
}

fn learning(rows: &mut Rows<'_, Sessions>) {
    rows.act::<RosterBody>(Can::SetRoster, "roster", Version::Required, "Say who the learners are, all of them.", |body, _| {
        Ok(body.asked())
    })
    .act::<SessionAttendanceBody>(
        Can::RecordAttendance,
        "attendance",
        Version::Optional,
        "Record who attended what, or correct such a record.",
        |body, _| Ok(body.asked()),
    )
    .act::<AttainmentBody>(
        Can::RecordAttainment,
        "attainment",
        Version::Optional,
        "Judge what learners attained; what a candidate judges in co-delivery waits for the mentor.",
        |body, _| Ok(body.asked()),
    )
    .act::<ToldBody>(
        Can::Countersign,
        "countersignature",
        Version::Required,
        "Stand for everything a candidate judged so far.",
        |body, _| Ok(Asking::told(SessionCommand::Countersign, body.occurred_at)),
    );
}

fn ending(rows: &mut Rows<'_, Sessions>) {
    rows.act::<HeldBody>(
        Can::Complete,
        "completion",
        Version::Required,
        "Say that a session was held: staffed, owned and countersigned.",
        |body, _| Ok(body.asked()),
    )
    .act::<SessionCorrectionBody>(
        Can::Correct,
        "corrections",
        Version::Required,
        "Correct one record of a completed session, with a reason: who was there, what was attained, or what it came to.",
        |body, _| body.asked(),
    )
    .act::<CancellationBody>(Can::Cancel, "cancellation", Version::Required, "Cancel a session that was not held.", |body, _| {
        Ok(body.asked())
    });
}
