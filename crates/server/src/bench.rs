//! `bench`: the work of the design's table of speeds, done against a store it is
//! given, over HTTP. The service is a process of its own, and so are its
//! clients; they share the machine, as `pgbench` and PostgreSQL do.

mod child;
mod client;
mod drive;
mod growth;
mod hello;
mod learn;
mod population;
mod row;
mod wire;
mod work;

use clap::{Args, ValueEnum};

use self::child::Part;
use self::work::Measuring;
use crate::config::Settings;
use crate::running::StartError;

/// What is measured, where, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What is done.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "W,hello,get,list,readable,memory,replay,growth")]
    work: Vec<Work>,
    /// Over how many ledgers streams are spread.
    #[arg(long, value_delimiter = ',', default_value = "1,16", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    organisations: Vec<u16>,
    /// How many clients ask at once.
    #[arg(long, value_delimiter = ',', default_value = "16,64", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    clients: Vec<u32>,
    /// How many streams of 20 events there are.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(16..=1_000_000))]
    streams: u32,
    /// For how many milliseconds each load lasts.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=600_000))]
    milliseconds: u32,
    /// How many events `replay` folds.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    events: u32,
    /// With nothing kept in memory, or as the service is set.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "cold,kept")]
    mode: Vec<Mode>,
    /// Fill the store and measure nothing.
    #[arg(long)]
    seed_only: bool,
    #[arg(long, hide = true, value_enum)]
    part: Option<Part>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Work {
    /// A command on a stream of about 20 events, durable, answered with the row.
    #[value(name = "W")]
    W,
    /// The yardstick of reads.
    Hello,
    /// One row.
    Get,
    /// A page of 50.
    List,
    /// From a write to its being seen, at half of W's rate.
    Readable,
    /// What the service holds in memory, idle and under W.
    Memory,
    /// A ledger folded into all views.
    Replay,
    /// W on longer streams, in older ledgers, among more of them.
    Growth,
}

/// What the service keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// No aggregates.
    Cold,
    /// As many as it is set to.
    Kept,
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Kept => "kept",
        }
    }
}

fn other(error: impl std::fmt::Display) -> StartError {
    StartError::Other(error.to_string())
}

impl Bench {
    /// Measures, and prints what came of it.
    pub(crate) async fn run(mut self, settings: &Settings) -> Result<(), StartError> {
        if let Some(part) = self.part {
            return part.play(settings).await;
        }
        self.mode.retain(|mode| *mode == Mode::Cold || settings.kept_mib > 0);
        let report = Measuring::new(&self, settings).report().await?;
        println!("{}", serde_json::to_string_pretty(&report).map_err(other)?);
        Ok(())
    }
}
