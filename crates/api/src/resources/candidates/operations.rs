//! The operations on candidates.

use lastresort_domain::candidate::{CandidateAction as Can, CandidateCommand};
use lastresort_domain::stage::Stage;
use lastresort_fact::{RemedialRequestId, RequiredActionId};
use lastresort_views::candidate::Candidates;

use super::bodies::{
    AllotmentBody, AssessmentBody, AssignBody, AttendanceBody, CoverageBody, EvidenceBody, NominateBody, ObservationBody, PreLoadBody,
    RemedialRequestBody, RequiredActionBody, WithdrawalBody,
};
use crate::command::{Asking, Version};
use crate::resources::needs_analyses::ToldBody;
use crate::table::{Rows, Table};

/// The operations.
pub fn operations(table: &mut Table) {
    super::gates(table);
    let mut rows = table.resource::<Candidates>();
    rows.many("List candidates.").one("Read a candidate: what they learnt, showed and handed in, and what was decided.");
    rows.create::<NominateBody>(Can::Nominate, "Nominate somebody employed here for a programme.", |body, _| Ok(body.asked()));
    enrolment(&mut rows);
    stages(&mut rows);
    judging(&mut rows);
    support(&mut rows);
}

fn enrolment(rows: &mut Rows<'_, Candidates>) {
    rows.act::<ToldBody>(Can::Enrol, "enrolment", Version::Required, "Enrol a candidate.", |body, _| {
        Ok(Asking::told(CandidateCommand::Enrol, body.occurred_at))
    })
    .act::<AssignBody>(
        Can::AssignMentor,
        "mentor",
        Version::Required,
        "Assign a mentor; where dates overlap, the one assigned last is the mentor.",
        |body, _| Ok(CandidateCommand::AssignMentor(body.assign()).into()),
    )
    .act::<AssignBody>(
        Can::AssignAssessor,
        "assessors",
        Version::Optional,
        "Assign an assessor; sent again for the same person, the dates sent last hold.",
        |body, _| Ok(CandidateCommand::AssignAssessor(body.assign()).into()),
    )
    .act::<ToldBody>(
        Can::Complete,
        "completion",
        Version::Required,
        "Complete a candidate's programme: every stage entered, every request ended, no action open.",
        |body, _| Ok(Asking::told(CandidateCommand::Complete, body.occurred_at)),
    )
    .act::<WithdrawalBody>(Can::Withdraw, "withdrawal", Version::Required, "Withdraw a candidate from the programme.", |body, _| {
        Ok(body.asked())
    });
}

fn stages(rows: &mut Rows<'_, Candidates>) {
    rows.act::<PreLoadBody>(
        Can::RecordPreLoad,
        "pre-load",
        Version::Optional,
        "Record how far a candidate is in a module of the pre-load.",
        |body, _| Ok(body.asked()),
    )
    .act::<ToldBody>(
        Can::EnterStage(Stage::PreLoad),
        "stages/{stage}/entry",
        Version::Required,
        "Let a candidate into the next stage, where its gate is open for them.",
        |body, ids| Ok(Asking::told(CandidateCommand::EnterStage { stage: ids.get("stage")? }, body.occurred_at)),
    )
    .act::<AttendanceBody>(
        Can::RecordAttendance,
        "attendance",
        Version::Optional,
        "Record that a candidate was there, in a stage, on a day.",
        |body, _| Ok(body.asked()),
    )
    .act::<AllotmentBody>(
        Can::AllotModules,
        "allotments",
        Version::Required,
        "Say which modules a candidate delivers in the projects week.",
        |body, _| Ok(body.asked()),
    );
}

fn judging(rows: &mut Rows<'_, Candidates>) {
    rows.act::<ObservationBody>(
        Can::Observe,
        "observations",
        Version::Optional,
        "Record an observation, criterion by criterion, or correct one.",
        |body, _| Ok(body.asked()),
    )
    .act::<EvidenceBody>(
        Can::SubmitEvidence,
        "evidence",
        Version::Optional,
        "Submit evidence by reference and hash, or replace it on record.",
        |body, _| Ok(body.asked()),
    )
    .act::<AssessmentBody>(
        Can::Assess,
        "assessments",
        Version::Optional,
        "Decide on a competency; too little evidence is insufficient_evidence, not not_yet_competent.",
        |body, _| Ok(body.asked()),
    );
}

fn support(rows: &mut Rows<'_, Candidates>) {
    rows.act::<RequiredActionBody>(
        Can::DemandAction,
        "required-actions",
        Version::Optional,
        "Demand something of a candidate: it blocks completion until it is settled.",
        |body, _| Ok(body.asked()),
    )
    .act::<ToldBody>(
        Can::SettleAction(RequiredActionId::default()),
        "required-actions/{action}/settlement",
        Version::Required,
        "Say that what was demanded is done.",
        |body, ids| Ok(Asking::told(CandidateCommand::SettleAction { action: ids.get("action")? }, body.occurred_at)),
    )
    .act::<RemedialRequestBody>(
        Can::RequestRemedial,
        "remedial-requests",
        Version::Optional,
        "Ask for more on a topic; it never counts against the candidate.",
        |body, _| Ok(body.asked()),
    )
    .act::<CoverageBody>(
        Can::CoverRemedial(RemedialRequestId::default()),
        "remedial-requests/{request}/coverage",
        Version::Required,
        "Say whether the workshop covered a request, and what carries over.",
        |body, ids| Ok(body.asked(ids.get("request")?)),
    );
}
