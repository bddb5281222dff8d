//! The catalogue of problems: the one table that turns a code into a status, a
//! title and a sentence. It is committed, served as pages, and only ever added
//! to: a client may branch on a code for ever.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name on the wire, stable for ever.
    pub code: &'static str,
    /// The HTTP status it is answered with.
    pub status: u16,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it means and what to do, in a sentence or two.
    pub meaning: &'static str,
    /// Whether the same request may succeed later, unchanged.
    pub retryable: bool,
}

/// The entry of a code, where there is one.
#[must_use]
pub fn known(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.code == code)
}

/// The entry for whatever goes wrong on our side.
pub(super) const fn fault() -> &'static Entry {
    &CATALOGUE[0]
}

macro_rules! catalogue {
    ($($status:literal $(($again:ident))? $code:ident $title:literal $meaning:literal)+) => {
        /// Every problem this service can answer with.
        pub const CATALOGUE: &[Entry] = &[$(Entry {
            code: stringify!($code), status: $status, title: $title, meaning: $meaning, retryable: catalogue!(@ $($again)?),
        }),+];
    };
    (@) => { false };
    (@ retryable) => { true };
}

catalogue! {
    // Ours.
    500 fault "Something went wrong on our side" "It is noted under the id given as instance; quote it when you ask about it. Whether a command took effect shows when it is sent again with the same Idempotency-Key."
    503 (retryable) unavailable "The service cannot work at the moment" "Something it needs, mostly its database, does not answer. Nothing was written; send the same request again after the time in Retry-After."
    503 (retryable) busy "Too much work at once" "The request was turned away before anything was done. Send it again after the time in Retry-After."

    // Who asks.
    401 unauthenticated "A valid bearer token is needed" "Send Authorization: Bearer with a token of an issuer this service knows, meant for this service."
    401 token_expired "The token has expired" "Get a new token from the issuer and send the request again."
    403 not_permitted "No grant allows this" "Nobody gave the caller a grant that allows this here and now. Ask whoever gives grants in this organisation."
    429 (retryable) rate_limited "Too many requests" "The caller used up what it may ask for. Wait for the time in Retry-After; RateLimit says what is left."

    // The request as such.
    400 malformed "The request cannot be read" "Its path, query, cursor, encoding or JSON is not of the form it must have. Correct it; sent again as it is, it fails again."
    400 unknown_parameter "A query parameter is not known here" "Remove it, or look up its name in the contract."
    400 key_required "An Idempotency-Key is needed" "Machine clients send an Idempotency-Key with every POST, so that it can be sent again safely."
    400 key_malformed "The Idempotency-Key cannot be used" "It is 1 to 255 printable ASCII characters; a new UUID for each command is best."
    404 not_found "There is nothing here" "The path is unknown, or names something that does not exist or that the caller may not know of."
    405 method_not_allowed "This resource does not know the method" "Allow lists the methods it knows."
    406 not_acceptable "No answer has a form the caller accepts" "Accept names none of the media types the contract lists for this answer."
    408 (retryable) request_timeout "The request came too slowly" "The whole request must arrive in time. Send it again over a better connection."
    412 version_stale "The resource has moved on" "If-Match names an older version than the one it has now. Read it again, and decide again."
    413 too_large "The body is too large" "The contract states how many bytes a body may have. Send less at once."
    413 event_too_large "What would be recorded is too large" "One recorded fact may only be so large. Send less text, or several commands."
    414 uri_too_long "The address is too long" "Path and query together have at most 8,192 bytes. Use fewer filters, or the cursor as given."
    415 media_type_not_supported "The body is of a kind that is not read here" "Send application/json in UTF-8, not compressed, or what the contract names for this operation."
    422 invalid "The body breaks its schema" "It is readable, but not as the contract describes it. Every fault is listed with its place."
    422 key_reused "The Idempotency-Key belongs to another command" "The same key came before with another body or for another resource. Use a new key for a new command."
    428 version_required "If-Match is needed" "This command changes or closes something: send the ETag of the version it was decided on as If-Match."
    431 headers_too_large "The headers are too large" "All header fields together have at most 32,768 bytes."

    // What stands against a command, whatever the rule.
    409 refused "A rule stands against it" "The reasons are listed; nothing was recorded."
    409 already_done "It has been done already" "The resource is already as the command would make it. Read it; nothing was recorded again."
    409 not_in_state "The resource is not in a state for this" "Read it: its allowed_actions say what can be done now, and what stands against the rest."
    409 unknown_reference "It names something this ledger does not hold" "An id in the body names nothing in this organisation. Send it once that exists, or correct the id."
    409 not_assigned "The caller is not assigned here" "Only whoever is assigned to the candidate or session, within the dates of the assignment, does this."
    409 not_employed "The person is not employed there on that day" "The command needs somebody in employment on that date. Record the employment first, or name somebody else."
    409 erased "The personal data is gone" "The key to it was destroyed on request; the fact stands, what it said of a person cannot be read any more."

    // The rules of the domain, in their order.
    409 needs_analysis_not_authorised "No authorised needs analysis" "A programme starts on a needs analysis authorised by the governance lead of the client. Have it completed and authorised first."
    409 stage_out_of_order "The stages run in order" "An earlier stage is not yet open or not yet closed. Start, complete or defer that one first."
    409 stage_gate_unmet "Conditions of the stage are not met" "Everything that is missing is listed. Meet it, or record a waiver with its reason and new date."
    409 version_pinned "The programme pinned another version" "A programme keeps the needs analysis, curriculum and policy it began with. Migrate it on record to use another."
    409 late_entry "It is told of a time it cannot have been" "A fact has the time it was so, never in the future and never before what it follows; both that and the time of recording are kept. Only what takes effect on a day may be announced."
    409 ratio_exceeded "Too few trainers for the learners" "Physical skills are taught with at most twelve learners to a trainer; candidates do not count as trainers. Add a trainer, or split the group."
    409 cohort_too_large "The group is too large" "A group that is taught physical skills never has more than eighteen learners. Split it."
    409 second_trainer_needed "A second trainer is needed" "More than twelve learners need two trainers, and one alone needs a low risk in all four domains. Add a trainer, or assess the risk."
    409 technique_not_permitted "This technique has no place here" "A technique that uses pain or the floor cannot enter the curriculum of this programme."
    409 technique_without_need "No need calls for this technique" "A technique answers a need that the analysis found. Name that need, or leave the technique out."
    409 risk_assessment_expired "The risk assessment is not current" "Each technique needs a risk assessment that is valid on the day. Renew it first."
    409 responsibility_unowned "A responsibility has no owner" "In co-delivery each responsibility has an owner before the day begins. Agree on one for those listed."
    409 responsibility_split "A responsibility has two owners" "In co-delivery each responsibility has exactly one owner. Change the owner on record instead."
    409 attainment_uncountersigned "Attainment waits for the mentor" "What a candidate judged in co-delivery is provisional until the mentor of the session countersigns it."
    409 evidence_insufficient "Too little evidence" "The competency states how many observations, raters and occasions a decision rests on. Gather what is missing, or decide insufficient_evidence."
    409 evidence_not_current "Evidence is out of date" "What the decision cites lies outside the period the competency states. Cite newer evidence."
    409 no_direct_observation "No direct observation" "Competent rests on at least one direct observation of this candidate. Observe first, and cite it."
    409 self_assessment "Nobody assesses themselves" "Assessor and candidate are the same person, whatever logins or grants they use. Somebody else decides."
    409 own_decision_verified "Nobody verifies a decision of their own" "Verifier and assessor are the same person. Somebody else verifies."
    409 involved_reviewer "The reviewer took part" "Who reviews an appeal neither assessed nor verified what it is about. Give it to somebody else."
    409 verification_due "A verification is due" "Decisions of this assessor are sampled first. Have the verification done."
    409 appeal_open "An appeal is open" "Until it is decided, nothing more is assessed or certified on this competency."
    409 remedial_is_not_failure "A request for more is not a failing" "A remedial request neither blocks nor counts against a candidate. Only a required action of an assessor blocks."
    409 authority_conditions_unmet "Conditions of the authority are not met" "Everything that is missing is listed. Meet it before the authority is issued."
    409 authority_lapsed "The authority has lapsed" "It was not renewed in time; the person is a candidate again. Revalidate it."
    409 assist_only "May assist, may not lead" "The authority has expired and its months of grace run. Revalidate it before leading."
    409 status_derived "A training status is never typed in" "It follows from what is recorded. Record the training, attainment or earlier training instead."
    409 supersede_only "What is recorded is not edited" "Record a correction that supersedes it; the original stays readable."
    409 incident_invalid "The incident contradicts itself" "What does not fit is listed. Correct times, interventions or grounds."
    409 no_denominator "No care days to divide by" "A rate needs the care days of the same unit and period. Have them returned first."
    409 not_returned "The month was not returned" "None is only known where somebody said so. Have the unit return its month, nil or not."
    409 debrief_overdue "A debrief is overdue" "It was to be offered in the time policy states. Record what became of it."
    409 under_legal_hold "A legal hold stands against it" "Somebody ordered that this is kept. The hold and its ground are named; have it lifted first."
    409 retention_minimum "It must still be kept" "A law or policy states how long this is kept. The ground and the day are named."
    409 duplicate_person "This person exists already" "The source and external id are taken. Use the person found under them; people are never merged by guess."
}
