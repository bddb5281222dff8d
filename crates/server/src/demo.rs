//! `demo`: the published case, told through the service's own commands. It
//! moves the domain's clock through 2020 to 2022; when all is told the clock
//! stands at 2022-04-01 and runs on from there, across restarts.

mod beginnings;
mod candidates;
mod case;
mod co_delivery;
mod courses;
mod programme;
mod story;
mod summary;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use lastresort_api::opening::{Opening, open};
use lastresort_domain::organisation::{Organisation, OrganisationKind};
use lastresort_domain::person::Profile;
use lastresort_fact::{Actor, Instant, OrganisationId, PersonId};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::desk::Desk;

use self::case::Case;
use self::story::Story;
use self::summary::Told;
use crate::config::{Flags, Settings};
use crate::issuer::{ISSUER, LocalIssuer};
use crate::running::{StartError, desk, start_on};
use crate::verbs::until_told;

/// The client of the case.
pub(crate) const CLIENT: &str = "0175a000-0000-7000-8000-00000000c11e";
/// The provider of the case.
pub(crate) const PROVIDER: &str = "0175a000-0000-7000-8000-00000000b0b1";
/// The client's manager, who opens its ledger.
const MANAGER_ID: &str = "0175a000-0000-7000-8000-00000000e026";
/// The provider's administrator.
const PROVIDER_ADMIN_ID: &str = "0175a000-0000-7000-8000-000000000701";
const MANAGER: &str = "E0026";
const PROVIDER_ADMIN: &str = "T01";

/// Where the story begins, and where the clock runs on from when it is told.
const BEGINNING: &str = "2020-09-01T06:00:00Z";
const END: &str = "2022-04-01T00:00:00Z";

/// About how many commands the story has.
const COMMANDS: u64 = 1_000;

/// Why the story could not be told.
#[derive(Debug, thiserror::Error)]
#[error("the story could not be told: {0}")]
pub(crate) struct DemoError(pub(crate) String);

impl From<DemoError> for StartError {
    fn from(error: DemoError) -> Self {
        Self::Other(error.to_string())
    }
}

/// Where the demonstration is kept.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The folder of `demo.json` and, unless `--store` says otherwise, of the store.
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// Tell the story and end.
    #[arg(long)]
    load_only: bool,
}

impl Demo {
    /// The store's settings: in the data folder unless said otherwise.
    pub(crate) fn flags(&self, mut flags: Flags) -> Flags {
        flags.store.get_or_insert_with(|| format!("sqlite:{}", self.data.display()));
        flags
    }

    /// Tells the story where it is not told yet, and serves.
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), StartError> {
        fs::create_dir_all(&self.data).map_err(|error| StartError::Other(format!("{}: {error}", self.data.display())))?;
        let clock = Clock::running_from(instant(BEGINNING)?);
        let desk = desk(settings, clock.clone()).await?;
        ours(&desk).await?;
        let running = start_on(settings, desk.clone()).await?;
        for (_, head) in desk.store.heads().await? {
            clock.advance(head.recorded_at);
        }
        let file = self.data.join("demo.json");
        let issuer = LocalIssuer::open(&settings.keys_folder()?, &settings.audience)?;
        let base_url = format!("http://{}", running.address);
        let told = match Told::read(&file, &desk).await? {
            Some(told) => told,
            None => tell(&desk, &base_url, &issuer).await?,
        };
        clock.advance(instant(END)?);
        told.write(&file, &base_url, &issuer)?;
        if self.load_only {
            return running.stop().await.map_err(|error| StartError::Other(error.to_string()));
        }
        until_told(running).await
    }
}

/// Refuses a store that holds anything but this demonstration.
async fn ours(desk: &Desk) -> Result<(), StartError> {
    let other = |organisation: OrganisationId| {
        StartError::Other(format!(
            "the store holds the ledger of {organisation}, which is no demonstration; give the demonstration a store of its own"
        ))
    };
    for (organisation, _) in desk.store.heads().await? {
        let known = [CLIENT, PROVIDER].contains(&organisation.to_string().as_str());
        if !known || !is_demonstration(desk, organisation).await? {
            desk.store.close().await;
            return Err(other(organisation));
        }
    }
    Ok(())
}

/// Whether a ledger was written on a moved clock; its first fact says so.
pub(crate) async fn is_demonstration(desk: &Desk, organisation: OrganisationId) -> Result<bool, StartError> {
    let loaded = desk.load::<Organisation>(organisation, organisation.0).await;
    let (registered, _) = loaded.map_err(|error| StartError::Other(error.to_string()))?;
    Ok(registered.demonstration)
}

async fn tell(desk: &Desk, base_url: &str, issuer: &LocalIssuer) -> Result<Told, StartError> {
    let script = Case::read()?;
    let bar = ProgressBar::new(COMMANDS);
    let style = ProgressStyle::with_template("loading the case {wide_bar} {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    open_ledgers(desk, &script).await?;
    let mut story = Story::new(base_url, desk.clock.clone(), issuer, bar.clone());
    let mut cast = beginnings::tell(&mut story, &script).await?;
    let programme = programme::tell(&mut story, &mut cast).await?;
    let numbers: Vec<String> = script.people.candidates.iter().map(|candidate| candidate.employee_no.clone()).collect();
    let (candidates, mut sessions) = candidates::tell(&mut story, &mut cast, &numbers, &programme).await?;
    sessions.extend(courses::tell(&mut story, &mut cast, &candidates, &programme).await?);
    beginnings::until(&mut story, &mut cast, "2022-03-31", 18).await?;
    bar.set_length(story.told());
    bar.finish_and_clear();
    let candidates = candidates.into_iter().map(|candidate| (candidate.number, candidate.id)).collect();
    Ok(Told { candidates, programme: programme.id, modules: programme.modules, sessions })
}

/// The first organisations and grants come from the command line.
async fn open_ledgers(desk: &Desk, script: &Case) -> Result<(), StartError> {
    let provider = script.people.provider_people.iter().find(|person| person.role == "provider_admin");
    let provider = provider.ok_or_else(|| DemoError("the case has no provider".to_owned()))?;
    let manager = script.staff.iter().find(|staff| staff.employee_no == MANAGER);
    let manager = manager.ok_or_else(|| DemoError("the case has no manager".to_owned()))?;
    let opening = |organisation, kind, name: &str, administrator, names: (&str, &str), subject: &str| {
        Ok::<_, StartError>(Opening {
            organisation: parse::<OrganisationId>(organisation)?,
            kind,
            name: name.to_owned(),
            jurisdiction: script.people.jurisdiction.clone(),
            time_zone: script.people.time_zone.clone(),
            administrator: parse::<PersonId>(administrator)?,
            profile: Profile { given_name: names.0.to_owned(), family_name: Some(names.1.to_owned()), email: None },
            login: (ISSUER.to_owned(), subject.to_owned()),
        })
    };
    let names = (provider.given_name.as_str(), provider.family_name.as_str());
    let provider = opening(PROVIDER, OrganisationKind::Provider, "Holding Back Training", PROVIDER_ADMIN_ID, names, PROVIDER_ADMIN)?;
    let names = (manager.given_name.as_str(), manager.family_name.as_str());
    let client = opening(CLIENT, OrganisationKind::Client, "Strathshore Care", MANAGER_ID, names, MANAGER)?;
    for opening in [provider, client] {
        let key = desk.keys.digest(opening.organisation, "bootstrap", &["demo"]);
        let opened = open(desk, Actor::Bootstrap, &opening, CommandKey { key, body: key }, true).await;
        opened.map_err(|error| StartError::Other(error.to_string()))?;
    }
    Ok(())
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, StartError> {
    text.parse().map_err(|_| StartError::Other(format!("{text} is no id")))
}

fn instant(text: &str) -> Result<Instant, StartError> {
    text.parse().map_err(|error| StartError::Other(format!("{text}: {error}")))
}

/// Reads a file that may not be there.
fn read_file(path: &Path) -> Result<Option<String>, StartError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StartError::Other(format!("{}: {error}", path.display()))),
    }
}
