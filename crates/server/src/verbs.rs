//! What the binary does, one verb each.

mod bootstrap;
mod rebuild;
mod serve;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use lastresort_api::{contract, routes};
use lastresort_ledger::clock::Clock;
use tracing_subscriber::EnvFilter;

pub(crate) use self::serve::until_told;
use crate::bench::Bench;
use crate::config::{DEFAULTS, FILE, Flags, Settings, refuse_unknown};
use crate::demo::Demo;
use crate::issuer::LocalIssuer;
use crate::running::{StartError, desk};

/// The system of record for restraint-reduction trainer development.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// A file of settings.
    #[arg(long, env = FILE, global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the API until told to end.
    Serve,
    /// Load the published case into a store of its own, and serve it.
    Demo(Demo),
    /// Open an organisation's ledger, with its first administrator and grant.
    Bootstrap(bootstrap::Bootstrap),
    /// Bring the store's schema up to date, and end.
    Migrate,
    /// Fold the rows of one ledger, or of all, anew; on PostgreSQL while servers go
    /// on (on SQLite ask the running one: `POST …/rebuilds`).
    Rebuild(rebuild::Rebuild),
    /// Measure how fast the service is on a store of the bench's own; prints JSON.
    Bench(Bench),
    /// Print a token of the local issuer, for development.
    Token {
        /// The subject.
        subject: String,
        /// For how many hours it is good.
        #[arg(long, default_value_t = 12)]
        hours: u64,
    },
    /// Print the contract.
    Openapi,
    /// Print the settings with their defaults.
    Config,
}

/// Does what is asked.
///
/// # Errors
/// Why it could not be done, in a sentence.
pub async fn run(cli: Cli) -> Result<(), StartError> {
    refuse_unknown(std::env::vars_os().map(|(name, _)| name))?;
    let flags = if let Verb::Demo(demo) = &cli.verb { demo.flags(cli.flags) } else { cli.flags };
    let settings = Settings::read(cli.config.as_deref(), &flags)?;
    match cli.verb {
        Verb::Config => say(DEFAULTS)?,
        Verb::Openapi => say(&contract::text(routes::table()))?,
        Verb::Token { subject, hours } => say(&format!("{}\n", token(&settings, &subject, hours)?))?,
        Verb::Migrate => {
            logs(&settings)?;
            desk(&settings, Clock::machine()).await?.store.close().await;
        }
        Verb::Bench(bench) => bench.run(&settings).await?,
        Verb::Serve => {
            logs(&settings)?;
            serve::serve(&settings).await?;
        }
        Verb::Demo(demo) => {
            logs(&settings)?;
            demo.run(&settings).await?;
        }
        Verb::Bootstrap(bootstrap) => {
            logs(&settings)?;
            bootstrap.run(&settings).await?;
        }
        Verb::Rebuild(rebuild) => {
            logs(&settings)?;
            rebuild.run(&settings).await?;
        }
    }
    Ok(())
}

/// Prints; a reader that has seen enough is no fault.
fn say(text: &str) -> Result<(), StartError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(StartError::Other(error.to_string())),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn token(settings: &Settings, subject: &str, hours: u64) -> Result<String, StartError> {
    if !settings.issuer.is_empty() {
        return Err(StartError::Other("an issuer is configured; tokens come from there".to_owned()));
    }
    let issuer = LocalIssuer::open(&settings.keys_folder()?, &settings.audience)?;
    Ok(issuer.token(subject, Duration::from_secs(hours * 3600))?)
}

fn logs(settings: &Settings) -> Result<(), StartError> {
    let filter = EnvFilter::try_new(&settings.log_filter).map_err(|error| StartError::Other(format!("log_filter: {error}")))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal());
    // Where the log cannot be written either, as on a full disk, requests are answered all the same.
    let lines = lines.with_writer(std::io::stderr).log_internal_errors(false);
    match settings.log.as_str() {
        "plain" => lines.init(),
        "json" => lines.json().init(),
        _ => return Err(StartError::Other("log must be plain or json".to_owned())),
    }
    Ok(())
}
