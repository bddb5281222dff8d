//! Training needs analyses, in the client's ledger: recorded and revised by
//! provider or manager, authorised by the client's own governance lead.

use chrono::NaiveDate;
use lastresort_domain::needs_analysis::{Analysis, NeedsAnalysis, NeedsAnalysisAction, NeedsAnalysisCommand, NeedsAnalysisFacts};
use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::Person;
use lastresort_fact::{Instant, NeedsAnalysisId, Role};
use lastresort_ledger::desk::{DeskError, States};
use lastresort_views::Moment;
use lastresort_views::needs_analysis::{NeedsAnalyses, NeedsAnalysisRow, NeedsAnalysisShown};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::command::{Asking, Version};
use crate::listing::is;
use crate::resource::{At, Form, Resource, Sieve};
use crate::table::Table;

impl Resource for NeedsAnalyses {
    type State = NeedsAnalysis;
    type View = Self;
    type Shown = NeedsAnalysisShown;
    const PATH: &'static str = "needs-analyses";
    const ID: &'static str = "needs_analysis";
    const READERS: &'static [Role] = &[Role::ProviderAdmin, Role::Manager, Role::GovernanceLead, Role::Inspector];
    const FILTERS: &'static [Sieve] = &[Sieve {
        name: "status",
        form: Form::Word(&["recorded", "authorised"]),
        about: "Only those whose latest version has, or has not, been authorised.",
        filters: |status| vec![is("status", status)],
    }];
    const SORTS: &'static [&'static str] = &["recorded_at"];

    fn shown(row: &NeedsAnalysisRow, _: Moment) -> NeedsAnalysisShown {
        row.shown()
    }

    fn version(row: &NeedsAnalysisRow) -> u64 {
        row.version
    }

    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<NeedsAnalysisFacts, DeskError> {
        let (organisation, _) = states.state::<Organisation>(at.organisation.0).await?;
        let employed_elsewhere = match at.by.person() {
            Some(person) => states.state::<Person>(person.0).await?.0.employer.is_some(),
            None => false,
        };
        Ok(NeedsAnalysisFacts { organisation, employed_elsewhere })
    }
}

/// What a needs analysis says. Its text names nobody, neither staff nor people supported.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisBody {
    /// A day of the first month of incident data reviewed.
    months_from: NaiveDate,
    /// A day of the last month of incident data reviewed, which counts too.
    months_to: NaiveDate,
    /// Why less than 24 months were reviewed, where less were.
    #[schema(min_length = 1, max_length = 1_000)]
    shorter_because: Option<String>,
    /// What it comes to.
    #[schema(min_length = 1, max_length = 4_000)]
    summary: String,
    /// You attest that it identifies no person: true, or it is not recorded.
    without_person_identifiers: bool,
    /// Somebody trained in immediate life support is at hand wherever people are restrained.
    life_support_cover_confirmed: bool,
    /// The client's commitment to reduce restrictive practice is on file.
    commitment_on_file: bool,
    /// The needs it found.
    #[serde(default)]
    #[schema(max_items = 40)]
    findings: Vec<Finding>,
}

/// A need that was found.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 250)]
pub struct Finding(String);

/// When what is told was so.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldBody {
    /// When it was so; now where absent, never in the future.
    pub occurred_at: Option<Instant>,
}

impl AnalysisBody {
    fn analysis(self) -> Analysis {
        Analysis {
            months_from: self.months_from,
            months_to: self.months_to,
            shorter_because: self.shorter_because,
            summary: self.summary,
            without_person_identifiers: self.without_person_identifiers,
            life_support_cover_confirmed: self.life_support_cover_confirmed,
            commitment_on_file: self.commitment_on_file,
            findings: self.findings.into_iter().map(|Finding(text)| text).collect(),
        }
    }
}

/// The operations.
pub fn operations(table: &mut Table) {
    table
        .resource::<NeedsAnalyses>()
        .many("List needs analyses.")
        .one("Read a needs analysis, every version of it.")
        .create::<AnalysisBody>(NeedsAnalysisAction::Record, "Record a needs analysis.", |body, _| {
            let id = NeedsAnalysisId(lastresort_ledger::ids::new());
            Ok((id.0, NeedsAnalysisCommand::Record { id, analysis: body.analysis() }.into()))
        })
        .act::<AnalysisBody>(
            NeedsAnalysisAction::Revise,
            "revisions",
            Version::Required,
            "Say a needs analysis anew, as a version that nobody has authorised yet.",
            |body, _| Ok(NeedsAnalysisCommand::Revise(body.analysis()).into()),
        )
        .act::<ToldBody>(
            NeedsAnalysisAction::Authorise,
            "authorisation",
            Version::Required,
            "Authorise the latest version of a needs analysis.",
            |body, _| Ok(Asking::told(NeedsAnalysisCommand::Authorise, body.occurred_at)),
        );
}
