//! `bootstrap`: the first organisation, its administrator and their grant.

use clap::{Args, ValueEnum};
use lastresort_api::opening::{Opening, open};
use lastresort_domain::organisation::OrganisationKind;
use lastresort_domain::person::Profile;
use lastresort_fact::{Actor, OrganisationId, PersonId};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::ids;
use serde_json::json;

use crate::config::Settings;
use crate::issuer::ISSUER;
use crate::running::{StartError, desk};

/// The first organisation.
#[derive(Debug, Args)]
pub(super) struct Bootstrap {
    /// Provider or client.
    #[arg(long, value_enum)]
    kind: Kind,
    /// The organisation's name.
    #[arg(long)]
    name: String,
    /// Whose law applies.
    #[arg(long, default_value = "scotland")]
    jurisdiction: String,
    /// Its IANA time zone.
    #[arg(long, default_value = "Europe/London")]
    time_zone: String,
    /// The administrator's given name.
    #[arg(long)]
    given_name: String,
    /// The administrator's family name.
    #[arg(long)]
    family_name: String,
    /// The subject of the administrator's tokens.
    #[arg(long)]
    subject: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Provider,
    Client,
}

impl Bootstrap {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), StartError> {
        let desk = desk(settings, Clock::machine()).await?;
        let issuer = if settings.issuer.is_empty() { ISSUER } else { &settings.issuer };
        let opening = Opening {
            organisation: OrganisationId(ids::new()),
            kind: match self.kind {
                Kind::Provider => OrganisationKind::Provider,
                Kind::Client => OrganisationKind::Client,
            },
            name: self.name,
            jurisdiction: self.jurisdiction,
            time_zone: self.time_zone,
            administrator: PersonId(ids::new()),
            profile: Profile { given_name: self.given_name, family_name: Some(self.family_name), email: None },
            login: (issuer.to_owned(), self.subject),
        };
        let once = desk.keys.digest(opening.organisation, "bootstrap", &[&opening.organisation.to_string()]);
        let opened = open(&desk, Actor::Bootstrap, &opening, CommandKey { key: once, body: once }, false).await;
        let done = opened.map_err(|error| StartError::Other(error.to_string()))?;
        desk.store.close().await;
        let told = json!({"organisation": opening.organisation, "administrator": opening.administrator, "position": done.receipt.position});
        println!("{told:#}");
        Ok(())
    }
}
